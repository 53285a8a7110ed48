/* SPDX-License-Identifier: BSD-3-Clause */
/* convolution.c - the convolution trio as works: fields are points with one stride, weights are packed once for all.
 *
 *     convolution, convolution_input    c = act( taps of a times w + bias )    one kernel call; w packed for its direction
 *     convolution_weight                w = or += sum over points of x y       panels of images accumulate in order
 *
 * Weights that follow from constant parameters are packed by locum_plan_pack, others inside each run. One axis or two
 * are the last ones of three. */
#include "surrogate/plan/internal.h"

#include <string.h>

/* --- shapes ------------------------------------------------------------------------------------------------------ */

static const locum_node *operand(const plan_compiler *c, locum_id id, int i)
{
    return locum_graph_node(c->graph, locum_graph_inputs(c->graph, id)[i]);
}

/* The shape that kernels know, of one of the three. */
static locum_convolution_shape shape_of(const plan_compiler *c, locum_id id)
{
    const locum_node *node = locum_graph_node(c->graph, id);
    const locum_window window = locum_window_of(node->n_integers, locum_graph_integers(c->graph, id));
    const int n = window.n_axes, first = 3 - n;
    const locum_node *x = node->op == LOCUM_OP_convolution_input ? node : operand(c, id, 0);
    const locum_node *w = node->op == LOCUM_OP_convolution_weight ? node : operand(c, id, 1);
    const locum_node *y = node->op == LOCUM_OP_convolution         ? node
                          : node->op == LOCUM_OP_convolution_input ? operand(c, id, 0)
                                                                   : operand(c, id, 1);
    locum_convolution_shape s = {.grid = {1, 1, 1},
                                 .points = {1, 1, 1},
                                 .taps = {1, 1, 1},
                                 .channels = w->dims[n],
                                 .columns = w->dims[n + 1],
                                 .stride = window.stride,
                                 .dilation = window.dilation,
                                 .periodic = window.periodic};
    for (int i = 0; i < n; i++) {
        s.grid[first + i] = x->dims[1 + i];
        s.points[first + i] = y->dims[1 + i];
        s.taps[first + i] = w->dims[i];
        s.before[first + i] = window.before[i];
    }
    return s;
}

/* The convolution that a work is made for: its node, or the one its chain begins with. */
static locum_id convolution_of(const plan_compiler *c, int node)
{
    const plan_chain *chain = &c->chain[node];
    return chain->end == node && chain->product ? chain->product : node;
}

bool locum_plan_is_convolution(const plan_compiler *c, locum_id id)
{
    const int op = locum_graph_node(c->graph, id)->op;
    return op == LOCUM_OP_convolution || op == LOCUM_OP_convolution_input;
}

int64_t locum_plan_convolution_weights(const plan_compiler *c, const plan_work *w)
{
    const locum_convolution_shape s = shape_of(c, convolution_of(c, w->node));
    return s.taps[0] * s.taps[1] * s.taps[2] * s.channels * s.columns;
}

/* --- works ------------------------------------------------------------------------------------------------------- */

static locum_status whole_operand(plan_compiler *c, int node, int32_t *value)
{
    if (locum_plan_contiguous(&c->values[*value])) return LOCUM_OK;
    return locum_plan_materialise(c, node, *value, value);
}

/* The packed weight; the same weight packed for the same shape and direction is packed once. */
static locum_status packed_weight(plan_compiler *c, locum_id id, int32_t weight, bool input, int32_t *packed)
{
    const locum_convolution_shape s = shape_of(c, id);
    LOCUM_TRY(whole_operand(c, id, &weight));
    for (int32_t i = c->n_works - 1; i >= 0; i--) {
        const plan_work *w = &c->works[i];
        if (w->kind != WORK_PACK_CONVOLUTION || w->transposed != input) continue;
        const locum_convolution_shape other = shape_of(c, w->node);
        const plan_value *u = &c->values[w->in[0]], *v = &c->values[weight];
        if (u->base != v->base || u->offset != v->offset || memcmp(&other, &s, sizeof s) != 0) continue;
        *packed = w->out;
        return LOCUM_OK;
    }
    const int64_t dims[1] = {(int64_t)c->options->kernels->convolution_count(&s, input)};
    plan_work w = {
        .kind = WORK_PACK_CONVOLUTION, .node = id, .symbol = -1, .in = {weight}, .n_in = 1, .transposed = input};
    LOCUM_TRY(locum_plan_add_stored(c, VALUE_COMPUTED, -1, 1, dims, &w.out));
    *packed = w.out;
    return locum_plan_add_work(c, &w);
}

locum_status locum_plan_lower_convolution(plan_compiler *c, locum_id id)
{
    const plan_chain chain = c->chain[id];
    const locum_id convolution = convolution_of(c, id);
    const locum_node *node = locum_graph_node(c->graph, id);
    const locum_id *in = locum_graph_inputs(c->graph, convolution);
    plan_work w = {.kind = WORK_CONVOLUTION,
                   .node = id,
                   .symbol = node->symbol,
                   .in = {c->value_of[in[0]]},
                   .n_in = 2,
                   .transposed = locum_graph_node(c->graph, convolution)->op == LOCUM_OP_convolution_input,
                   .activation = chain.activation};
    LOCUM_TRY(locum_plan_matrix_operand(c, id, &w.in[0]));
    LOCUM_TRY(packed_weight(c, convolution, c->value_of[in[1]], w.transposed, &w.in[1]));
    if (chain.bias) {
        w.in[2] = c->value_of[chain.bias];
        w.n_in = 3;
        LOCUM_TRY(whole_operand(c, id, &w.in[2]));
    }
    LOCUM_TRY(locum_plan_add_stored(c, VALUE_COMPUTED, node->symbol, node->n_dims, node->dims, &w.out));
    c->value_of[id] = w.out;
    return locum_plan_add_work(c, &w);
}

locum_status locum_plan_lower_convolution_weight(plan_compiler *c, locum_id id)
{
    const locum_node *node = locum_graph_node(c->graph, id);
    const locum_id *in = locum_graph_inputs(c->graph, id);
    plan_work w = {.kind = WORK_CONVOLUTION_WEIGHT,
                   .node = id,
                   .symbol = operand(c, id, 0)->symbol,
                   .in = {c->value_of[in[0]], c->value_of[in[1]]},
                   .n_in = 2};
    LOCUM_TRY(locum_plan_matrix_operand(c, id, &w.in[0]));
    LOCUM_TRY(locum_plan_matrix_operand(c, id, &w.in[1]));
    LOCUM_TRY(locum_plan_add_stored(c, VALUE_COMPUTED, -1, node->n_dims, node->dims, &w.out));
    c->value_of[id] = w.out;
    return locum_plan_add_work(c, &w);
}

/* --- steps: places are filled in by emit.c ----------------------------------------------------------------------- */

plan_convolution locum_plan_convolution_step(const plan_compiler *c, const plan_work *w)
{
    int64_t rows;
    plan_convolution step = {.shape = shape_of(c, convolution_of(c, w->node)),
                             .input = w->transposed,
                             .has_bias = w->n_in == 3,
                             .activation = w->activation};
    const plan_value *a = &c->values[w->in[0]], *out = &c->values[w->out];
    if (w->kind == WORK_PACK_CONVOLUTION) return step;
    step.batch = a->dims[0];
    locum_plan_matrix(a, &rows, &step.a_stride);
    if (out->inside >= 0) out = &c->values[out->inside];
    locum_plan_matrix(w->kind == WORK_CONVOLUTION_WEIGHT ? &c->values[w->in[1]] : out, &rows, &step.c_stride);
    return step;
}
