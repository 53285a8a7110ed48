/* SPDX-License-Identifier: BSD-3-Clause */
/* transform.c - transforms along one axis as works, and the chains that end them:
 *
 *     y[o, m, t] = act( [a[o, m, t] +] sum_n f[m, n] x[o, n, t] )       one kernel call for each o
 *
 * A sum of a transform and a product that nobody else reads is made in the product's own memory (memory.c), and an
 * activation behind it in the same call: so ends a Fourier layer. A matrix that is used transposed is stored so. A
 * transform of the last axis (t = 1) is a product with the matrix packed. */
#include "surrogate/plan/internal.h"

#include <string.h>

/* Values behind the axis of a transform. */
static int64_t inner(const plan_compiler *c, locum_id id)
{
    const locum_node *node = locum_graph_node(c->graph, id);
    int64_t n = 1;
    for (int i = (int)locum_graph_integers(c->graph, id)[0] + 1; i < node->n_dims; i++) n *= node->dims[i];
    return n;
}

/* Is node `id` a sum of a transform and a product, both for it alone? */
static void mark_sum(plan_compiler *c, locum_id id)
{
    const locum_id *in = locum_graph_inputs(c->graph, id);
    for (int i = 0; i < 2; i++) {
        const locum_id t = in[i], a = in[1 - i];
        const plan_chain *transform = &c->chain[t], *product = &c->chain[a];
        if (transform->transform != t || transform->end != t || product->end != a || !product->product ||
            product->activation != LOCUM_ACT_NONE || c->uses[t] != 1 || c->uses[a] != 1)
            continue;
        c->chain[id] = (plan_chain){.end = id, .transform = t, .addend = a};
        c->chain[t].end = id;
        return;
    }
}

/* Called when the chains of products are known, before activations are. */
void locum_plan_transform_chains(plan_compiler *c)
{
    for (locum_id id = 1; id <= locum_graph_n(c->graph); id++)
        if (c->uses[id] && locum_graph_node(c->graph, id)->op == LOCUM_OP_transform && inner(c, id) > 1)
            c->chain[id] = (plan_chain){.end = id, .transform = id};
    for (locum_id id = 1; id <= locum_graph_n(c->graph); id++)
        if (c->uses[id] && locum_graph_node(c->graph, id)->op == LOCUM_OP_add && !c->chain[id].end) mark_sum(c, id);
}

/* The matrix as [m, n] rows; the same one the same way round is stored once. */
static locum_status matrix_rows(plan_compiler *c, int32_t value, bool transposed, plan_work *w)
{
    const plan_value v = c->values[value];
    int64_t first;
    w->matrix = value;
    w->transposed = transposed;
    w->in[1] = value;
    if (!transposed) return LOCUM_OK;
    for (int32_t i = c->last_transform; i >= 0; i = c->works[i].previous_pack) {
        if (c->works[i].matrix != value || !c->works[i].transposed) continue;
        w->in[1] = c->works[i].in[1];
        return LOCUM_OK;
    }
    LOCUM_TRY(locum_plan_add_stored(c, VALUE_CONSTANT, -1, 2, (const int64_t[]){w->k, w->n}, &w->in[1]));
    LOCUM_TRY(locum_plan_add_data(c, w->k * w->n, &first));
    c->values[w->in[1]].data = first;
    const float *from = c->data + c->values[v.base].data;
    for (int64_t i = 0; i < w->k; i++)
        for (int64_t j = 0; j < w->n; j++) c->data[first + i * w->n + j] = from[j * w->k + i];
    return LOCUM_OK;
}

static locum_status lower_as_product(plan_compiler *c, locum_id id)
{
    const locum_node *node = locum_graph_node(c->graph, id);
    const locum_id *in = locum_graph_inputs(c->graph, id);
    const bool transposed = locum_graph_integers(c->graph, id)[1];
    plan_value matrix = c->values[c->value_of[in[1]]];
    plan_work w = {.kind = WORK_PRODUCT,
                   .node = id,
                   .symbol = node->symbol,
                   .n_in = 2,
                   .groups = 1,
                   .k = matrix.dims[transposed ? 0 : 1],
                   .n = matrix.dims[transposed ? 1 : 0],
                   .transposed = !transposed,
                   .in = {c->value_of[in[0]]}};
    plan_value x = c->values[w.in[0]];
    int32_t view;
    x.n_dims = (int)locum_graph_integers(c->graph, id)[0] + 1; /* only ones behind the axis */
    LOCUM_TRY(locum_plan_add_value(c, &x, &w.in[0]));
    matrix.n_dims = 3;
    matrix.dims[2] = matrix.dims[1], matrix.stride[2] = matrix.stride[1];
    matrix.dims[1] = matrix.dims[0], matrix.stride[1] = matrix.stride[0];
    matrix.dims[0] = 1, matrix.stride[0] = 0;
    LOCUM_TRY(locum_plan_add_value(c, &matrix, &view));
    LOCUM_TRY(locum_plan_matrix_operand(c, id, &w.in[0]));
    LOCUM_TRY(locum_plan_packed_operand(c, id, view, &w));
    LOCUM_TRY(locum_plan_add_stored(c, VALUE_COMPUTED, node->symbol, node->n_dims, node->dims, &w.out));
    c->value_of[id] = w.out;
    return locum_plan_add_work(c, &w);
}

locum_status locum_plan_lower_transform(plan_compiler *c, locum_id id)
{
    const plan_chain chain = c->chain[id];
    const locum_id transform = chain.transform ? chain.transform : id;
    if (inner(c, transform) == 1) return lower_as_product(c, transform);
    const locum_node *node = locum_graph_node(c->graph, id);
    const locum_id *in = locum_graph_inputs(c->graph, transform);
    const int64_t *attributes = locum_graph_integers(c->graph, transform);
    plan_work w = {.kind = WORK_TRANSFORM,
                   .node = id,
                   .symbol = node->symbol,
                   .n_in = 2,
                   .in = {c->value_of[in[0]]},
                   .groups = inner(c, transform),
                   .k = node->dims[attributes[0]],
                   .n = locum_graph_node(c->graph, in[0])->dims[attributes[0]],
                   .activation = chain.activation,
                   .previous_pack = c->last_transform};
    if (!locum_plan_contiguous(&c->values[w.in[0]])) LOCUM_TRY(locum_plan_materialise(c, id, w.in[0], &w.in[0]));
    LOCUM_TRY(matrix_rows(c, c->value_of[in[1]], attributes[1], &w));
    if (chain.addend) w.in[w.n_in++] = c->value_of[chain.addend];
    LOCUM_TRY(locum_plan_add_stored(c, VALUE_COMPUTED, node->symbol, node->n_dims, node->dims, &w.out));
    c->value_of[id] = w.out;
    c->last_transform = c->n_works;
    return locum_plan_add_work(c, &w);
}
