/* SPDX-License-Identifier: BSD-3-Clause */
/* choose.c - which kernel serves which node: graph -> values and works.
 *
 *     elementwise        a line of a tile program (program.c)         scalar constants become its immediates
 *     sum                runs of axes, last run first: [A, R, B] -> [A, B] ends a tile program; to one value: in double
 *     reshape, expand,   a view (views.c); a copy only where a reader cannot take its strides
 *     slice, permute, flip
 *     pad, concat        copies into parts of one value
 *     product trio       products.c            convolution trio   convolution.c
 * Values that depend on constant parameters alone are `fixed`: locum_plan_pack computes them once. */
#include "surrogate/plan/internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const int16_t tile_op_of[LOCUM_OP_COUNT] = {[LOCUM_OP_neg] = LOCUM_TILE_NEG,
                                                   [LOCUM_OP_exp] = LOCUM_TILE_EXP,
                                                   [LOCUM_OP_log] = LOCUM_TILE_LOG,
                                                   [LOCUM_OP_sqrt] = LOCUM_TILE_SQRT,
                                                   [LOCUM_OP_reciprocal] = LOCUM_TILE_RECIPROCAL,
                                                   [LOCUM_OP_sin] = LOCUM_TILE_SIN,
                                                   [LOCUM_OP_cos] = LOCUM_TILE_COS,
                                                   [LOCUM_OP_tanh] = LOCUM_TILE_TANH,
                                                   [LOCUM_OP_sigmoid] = LOCUM_TILE_SIGMOID,
                                                   [LOCUM_OP_softplus] = LOCUM_TILE_SOFTPLUS,
                                                   [LOCUM_OP_erf] = LOCUM_TILE_ERF,
                                                   [LOCUM_OP_abs] = LOCUM_TILE_ABS,
                                                   [LOCUM_OP_sign] = LOCUM_TILE_SIGN,
                                                   [LOCUM_OP_power] = LOCUM_TILE_POWER,
                                                   [LOCUM_OP_scale] = LOCUM_TILE_SCALE,
                                                   [LOCUM_OP_add] = LOCUM_TILE_ADD,
                                                   [LOCUM_OP_subtract] = LOCUM_TILE_SUBTRACT,
                                                   [LOCUM_OP_multiply] = LOCUM_TILE_MULTIPLY,
                                                   [LOCUM_OP_divide] = LOCUM_TILE_DIVIDE,
                                                   [LOCUM_OP_maximum] = LOCUM_TILE_MAXIMUM,
                                                   [LOCUM_OP_minimum] = LOCUM_TILE_MINIMUM,
                                                   [LOCUM_OP_greater] = LOCUM_TILE_GREATER,
                                                   [LOCUM_OP_select] = LOCUM_TILE_SELECT};

enum { SLICES_MAX = 16 }; /* longest run of a sum that is written as a sum of slices */

locum_status locum_plan_grow(void *array, int64_t n, void *capacity, size_t size)
{
    int32_t *room = capacity;
    void **memory = array;
    if (n < *room) return LOCUM_OK;
    const int64_t wanted = n + n / 2 + 64;
    LOCUM_REQUIRE(wanted < INT32_MAX, LOCUM_NOT_BUILT, "the graph is too large for a plan");
    void *larger = realloc(*memory, (size_t)wanted * size);
    LOCUM_REQUIRE(larger, LOCUM_MEMORY, "no memory for %lld entries of a plan", (long long)wanted);
    *memory = larger;
    *room = (int32_t)wanted;
    return LOCUM_OK;
}

/* --- values ------------------------------------------------------------------------------------------------------ */

locum_status locum_plan_add_value(plan_compiler *c, const plan_value *v, int32_t *id)
{
    LOCUM_TRY(locum_plan_grow(&c->values, c->n_values, &c->values_capacity, sizeof *c->values));
    *id = c->n_values++;
    c->values[*id] = *v;
    c->values[*id].copy = c->values[*id].inside = -1;
    return LOCUM_OK;
}

/* A stored value: contiguous, its own base. */
locum_status locum_plan_add_stored(plan_compiler *c, plan_source source, int symbol, int n_dims, const int64_t *dims,
                                   int32_t *id)
{
    plan_value v = {.n_dims = n_dims, .symbol = symbol, .source = source, .output = -1, .origin = -1, .shares = -1};
    int64_t step = 1;
    for (int i = n_dims - 1; i >= 0; i--) {
        v.dims[i] = dims[i];
        v.stride[i] = step;
        step *= dims[i];
    }
    v.count = step;
    LOCUM_TRY(locum_plan_add_value(c, &v, id));
    c->values[*id].base = *id;
    return LOCUM_OK;
}

locum_status locum_plan_add_data(plan_compiler *c, int64_t n, int64_t *first)
{
    *first = (c->n_data + 15) / 16 * 16; /* packed operands want 64 bytes */
    if (*first + n > c->data_capacity) {
        const int64_t wanted = (*first + n) * 3 / 2 + 256;
        float *larger = realloc(c->data, (size_t)wanted * sizeof *larger);
        LOCUM_REQUIRE(larger, LOCUM_MEMORY, "no memory for %lld constants of a plan", (long long)wanted);
        c->data = larger;
        c->data_capacity = wanted;
    }
    memset(c->data + c->n_data, 0, (size_t)(*first + n - c->n_data) * sizeof *c->data);
    c->n_data = *first + n;
    return LOCUM_OK;
}

/* --- works ------------------------------------------------------------------------------------------------------- */

static bool is_fixed(const plan_compiler *c, int32_t value)
{
    const plan_value *base = &c->values[c->values[value].base];
    return base->source == VALUE_CONSTANT || base->fixed;
}

/* Appends a work; it is fixed if all it reads is, and if no extent has a part in it. */
locum_status locum_plan_add_work(plan_compiler *c, const plan_work *w)
{
    LOCUM_TRY(locum_plan_grow(&c->works, c->n_works, &c->works_capacity, sizeof *c->works));
    plan_work *to = &c->works[c->n_works++];
    *to = *w;
    to->fixed = (c->options->flags & LOCUM_PLAN_CONSTANT_PARAMETERS) && w->kind != WORK_NOISE && w->symbol < 0;
    for (int i = 0; i < w->n_in; i++) to->fixed = to->fixed && is_fixed(c, w->in[i]);
    for (int i = 0; i < w->n_parts; i++) to->fixed = to->fixed && is_fixed(c, c->parts[w->first_part + i].from);
    c->values[w->out].fixed = to->fixed;
    return LOCUM_OK;
}

static locum_status add_part(plan_compiler *c, int32_t from, int32_t to)
{
    LOCUM_TRY(locum_plan_grow(&c->parts, c->n_parts, &c->parts_capacity, sizeof *c->parts));
    c->parts[c->n_parts++] = (plan_part){from, to, false};
    return LOCUM_OK;
}

/* to = from, both of one shape */
static locum_status add_copy(plan_compiler *c, int node, int32_t from, int32_t to)
{
    plan_work w = {.kind = WORK_COPY,
                   .node = node,
                   .symbol = c->values[from].symbol,
                   .out = c->values[to].base,
                   .first_part = c->n_parts,
                   .n_parts = 1};
    LOCUM_TRY(add_part(c, from, to));
    return locum_plan_add_work(c, &w);
}

/* The same values, stored. */
locum_status locum_plan_materialise(plan_compiler *c, int node, int32_t view, int32_t *stored)
{
    const plan_value v = c->values[view];
    if (v.copy >= 0) {
        *stored = v.copy;
        return LOCUM_OK;
    }
    LOCUM_TRY(locum_plan_add_stored(c, VALUE_COMPUTED, v.symbol, v.n_dims, v.dims, stored));
    LOCUM_TRY(add_copy(c, node, view, *stored));
    c->values[view].copy = *stored;
    return LOCUM_OK;
}

/* A view of what `value` looks into; without fusion every view is copied. */
static locum_status add_view(plan_compiler *c, int node, const plan_value *v, int32_t *id)
{
    int32_t view;
    LOCUM_TRY(locum_plan_add_value(c, v, &view));
    *id = view;
    return (c->options->flags & LOCUM_PLAN_NO_FUSION) ? locum_plan_materialise(c, node, view, id) : LOCUM_OK;
}

/* Operands that four loops cannot walk over together are stored. */
static locum_status tile_operands(plan_compiler *c, plan_work *w)
{
    for (int k = 0; k < w->n_in; k++) {
        if (locum_plan_walks(c, w)) return LOCUM_OK;
        if (!locum_plan_contiguous(&c->values[w->in[k]]))
            LOCUM_TRY(locum_plan_materialise(c, w->node, w->in[k], &w->in[k]));
    }
    return LOCUM_OK;
}

/* --- elementwise ------------------------------------------------------------------------------------------------- */

/* Arithmetic with a scalar constant is one scale. */
static bool as_scale(const plan_compiler *c, plan_work *w)
{
    float k;
    const bool right = w->n_in == 2 && locum_plan_is_scalar(c, w->in[1], &k);
    if (!right && !(w->n_in == 2 && locum_plan_is_scalar(c, w->in[0], &k))) return false;
    switch (w->tile_op) {
    case LOCUM_TILE_ADD: w->imm0 = 1, w->imm1 = k; break;
    case LOCUM_TILE_MULTIPLY: w->imm0 = k, w->imm1 = 0; break;
    case LOCUM_TILE_SUBTRACT: w->imm0 = right ? 1.0f : -1.0f, w->imm1 = right ? -k : k; break;
    default: return false;
    }
    w->tile_op = LOCUM_TILE_SCALE;
    w->in[0] = right ? w->in[0] : w->in[1];
    w->n_in = 1;
    return true;
}

/* What (1 + erf(x / sqrt 2)) / 2 is of: gelu and its gradient, whose kernel needs half the operations; else 0. */
static locum_id normal_input(const plan_compiler *c, locum_id id)
{
    const locum_node *node = locum_graph_node(c->graph, id);
    const double *half = locum_graph_reals(c->graph, id);
    if (node->op != LOCUM_OP_scale || half[0] != 0.5 || half[1] != 0.5) return 0;
    const locum_id erf = locum_graph_inputs(c->graph, id)[0];
    if (locum_graph_node(c->graph, erf)->op != LOCUM_OP_erf) return 0;
    const locum_id inner = locum_graph_inputs(c->graph, erf)[0];
    if (locum_graph_node(c->graph, inner)->op != LOCUM_OP_scale) return 0;
    const double *root = locum_graph_reals(c->graph, inner);
    return fabs(root[0] - 0.70710678118654752) < 1e-15 && root[1] == 0 ? locum_graph_inputs(c->graph, inner)[0] : 0;
}

static locum_status lower_element(plan_compiler *c, locum_id id)
{
    const locum_node *node = locum_graph_node(c->graph, id);
    const locum_id *in = locum_graph_inputs(c->graph, id);
    const double *reals = locum_graph_reals(c->graph, id);
    plan_work w = {.kind = WORK_ELEMENT,
                   .node = id,
                   .symbol = node->symbol,
                   .tile_op = tile_op_of[node->op],
                   .n_in = node->n_inputs};
    if (node->op == LOCUM_OP_scale || node->op == LOCUM_OP_power) w.imm0 = (float)reals[0];
    if (node->op == LOCUM_OP_scale) w.imm1 = (float)reals[1];
    for (int i = 0; i < w.n_in; i++) w.in[i] = c->value_of[in[i]];
    const locum_id normal = normal_input(c, id);
    if (normal) w.tile_op = LOCUM_TILE_NORMAL, w.in[0] = c->value_of[normal];
    as_scale(c, &w);
    LOCUM_TRY(locum_plan_add_stored(c, VALUE_COMPUTED, node->symbol, node->n_dims, node->dims, &w.out));
    LOCUM_TRY(tile_operands(c, &w));
    c->value_of[id] = w.out;
    return locum_plan_add_work(c, &w);
}

/* --- sums -------------------------------------------------------------------------------------------------------- */

static bool is_one(const plan_value *v, int i)
{
    return v->dims[i] == 1 && !(i == 0 && v->symbol >= 0);
}

/* Sums axes first .. last - 1 of *value, which keeps them as ones. */
static locum_status sum_run(plan_compiler *c, int node, int32_t *value, int first, int last, bool to_one)
{
    plan_value v = c->values[*value];
    plan_work w = {
        .kind = to_one ? WORK_REDUCE : WORK_SUM, .node = node, .symbol = v.symbol, .in = {*value}, .n_in = 1};
    for (int i = first; i < last; i++) v.dims[i] = 1;
    if (first == 0) v.symbol = -1;
    LOCUM_TRY(locum_plan_add_stored(c, VALUE_COMPUTED, v.symbol, v.n_dims, v.dims, &w.out));
    if (!to_one) LOCUM_TRY(tile_operands(c, &w));
    *value = w.out;
    return locum_plan_add_work(c, &w);
}

/* A short run between axes that stay: the sum of its slices, so that loops run over the neighbours and not over the
 * run. */
static locum_status sum_slices(plan_compiler *c, int node, int32_t *value, int axis)
{
    plan_value slice = c->values[*value];
    const int64_t n = slice.dims[axis];
    int32_t sum, part;
    slice.dims[axis] = 1;
    LOCUM_TRY(locum_plan_add_value(c, &slice, &sum));
    for (int64_t i = 1; i < n; i++) {
        slice.offset += slice.stride[axis];
        LOCUM_TRY(locum_plan_add_value(c, &slice, &part));
        plan_work w = {.kind = WORK_ELEMENT,
                       .node = node,
                       .symbol = slice.symbol,
                       .tile_op = LOCUM_TILE_ADD,
                       .in = {sum, part},
                       .n_in = 2};
        LOCUM_TRY(locum_plan_add_stored(c, VALUE_COMPUTED, slice.symbol, slice.n_dims, slice.dims, &w.out));
        LOCUM_TRY(tile_operands(c, &w));
        LOCUM_TRY(locum_plan_add_work(c, &w));
        sum = w.out;
    }
    *value = sum;
    return LOCUM_OK;
}

/* A run of axes with neighbours that stay, or a run that reaches the last value. */
static locum_status sum_axes(plan_compiler *c, int node, int32_t *value, int first, int last)
{
    bool before = false, after = false;
    int widest = -1, n_real = 0;
    const plan_value v = c->values[*value];
    for (int i = 0; i < v.n_dims; i++) {
        if (is_one(&v, i)) continue;
        before = before || i < first;
        after = after || i >= last;
        if (i < first || i >= last) continue;
        if (widest < 0) widest = i;
        n_real++;
    }
    if (n_real == 0) return LOCUM_OK;
    if (before && after && n_real == 1 && v.dims[widest] <= SLICES_MAX) return sum_slices(c, node, value, widest);
    if (before || after) return sum_run(c, node, value, first, last, false);
    if (n_real > 1) LOCUM_TRY(sum_run(c, node, value, widest + 1, last, false));
    return sum_run(c, node, value, first, widest + 1, true);
}

static locum_status lower_sum(plan_compiler *c, locum_id id)
{
    const locum_node *node = locum_graph_node(c->graph, id);
    const int64_t *attributes = locum_graph_integers(c->graph, id);
    bool summed[LOCUM_DIMS_MAX] = {false};
    for (int i = 1; i < node->n_integers; i++) summed[attributes[i]] = true;
    int32_t value = c->value_of[locum_graph_inputs(c->graph, id)[0]];
    for (int last = c->values[value].n_dims; last > 0;) {
        int first = last;
        while (first > 0 && summed[first - 1]) first--;
        if (first < last) LOCUM_TRY(sum_axes(c, id, &value, first, last));
        last = first < last ? first : last - 1;
    }
    plan_value v = c->values[value], shaped;
    if (summed[0]) v.symbol = -1;
    LOCUM_REQUIRE(locum_plan_reshape(&v, node->n_dims, node->dims, &shaped), LOCUM_INTERNAL,
                  "a sum has a strange shape");
    shaped.symbol = node->symbol;
    return locum_plan_add_value(c, &shaped, &c->value_of[id]);
}

/* --- shapes ------------------------------------------------------------------------------------------------------ */

static locum_status lower_reshape(plan_compiler *c, locum_id id)
{
    const locum_node *node = locum_graph_node(c->graph, id);
    int32_t value = c->value_of[locum_graph_inputs(c->graph, id)[0]];
    plan_value shaped;
    if (!locum_plan_reshape(&c->values[value], node->n_dims, node->dims, &shaped)) {
        LOCUM_TRY(locum_plan_materialise(c, id, value, &value));
        LOCUM_REQUIRE(locum_plan_reshape(&c->values[value], node->n_dims, node->dims, &shaped), LOCUM_INTERNAL,
                      "a reshape does not keep the number of values");
    }
    return locum_plan_add_value(c, &shaped, &c->value_of[id]); /* the same memory under another name, fused or not */
}

static locum_status lower_view(plan_compiler *c, locum_id id)
{
    const locum_node *node = locum_graph_node(c->graph, id);
    const int64_t *attributes = locum_graph_integers(c->graph, id);
    const plan_value x = c->values[c->value_of[locum_graph_inputs(c->graph, id)[0]]];
    plan_value v = x;
    v.n_dims = node->n_dims;
    v.symbol = node->symbol;
    memcpy(v.dims, node->dims, sizeof v.dims);
    if (node->op == LOCUM_OP_expand) {
        const int lead = v.n_dims - x.n_dims;
        for (int i = 0; i < v.n_dims; i++) {
            const bool repeated = i < lead || (is_one(&x, i - lead) && !is_one(&v, i));
            v.stride[i] = repeated ? 0 : x.stride[i - lead];
        }
    } else if (node->op == LOCUM_OP_permute) {
        for (int i = 0; i < v.n_dims; i++) v.stride[i] = x.stride[attributes[i]];
    } else if (node->op == LOCUM_OP_slice) {
        const int axis = (int)attributes[0];
        v.offset += attributes[1] * x.stride[axis];
        v.stride[axis] = attributes[3] * x.stride[axis];
    } else {
        const int axis = (int)attributes[0];
        v.offset += (x.dims[axis] - 1) * x.stride[axis];
        v.stride[axis] = -x.stride[axis];
    }
    return add_view(c, id, &v, &c->value_of[id]);
}

/* Copies x into the part of `whole` that begins at `at` along the axis. */
static locum_status fill_part(plan_compiler *c, const plan_value *x, int32_t whole, int axis, int64_t at)
{
    int32_t from, to;
    plan_value part = c->values[whole];
    part.dims[axis] = x->dims[axis];
    part.offset += at * part.stride[axis];
    LOCUM_TRY(locum_plan_add_value(c, x, &from));
    LOCUM_TRY(locum_plan_add_value(c, &part, &to));
    return add_part(c, from, to);
}

static locum_status lower_concat(plan_compiler *c, locum_id id)
{
    const locum_node *node = locum_graph_node(c->graph, id);
    const int axis = (int)locum_graph_integers(c->graph, id)[0];
    plan_work w = {
        .kind = WORK_COPY, .node = id, .symbol = node->symbol, .first_part = c->n_parts, .n_parts = node->n_inputs};
    LOCUM_TRY(locum_plan_add_stored(c, VALUE_COMPUTED, node->symbol, node->n_dims, node->dims, &w.out));
    int64_t at = 0;
    for (int i = 0; i < node->n_inputs; i++) {
        const plan_value x = c->values[c->value_of[locum_graph_inputs(c->graph, id)[i]]];
        LOCUM_TRY(fill_part(c, &x, w.out, axis, at));
        at += x.dims[axis];
    }
    c->value_of[id] = w.out;
    return locum_plan_add_work(c, &w);
}

static locum_status zeros_like(plan_compiler *c, const plan_value *x, plan_value *zeros)
{
    int32_t zero;
    LOCUM_TRY(locum_plan_add_stored(c, VALUE_CONSTANT, -1, 0, NULL, &zero));
    LOCUM_TRY(locum_plan_add_data(c, 1, &c->values[zero].data));
    *zeros = *x;
    zeros->base = zero;
    zeros->offset = 0;
    memset(zeros->stride, 0, sizeof zeros->stride);
    return LOCUM_OK;
}

/* The values in front of (side 0) or behind (side 1) the padded axis: zeros, or a part of x itself. */
static locum_status pad_side(plan_compiler *c, const plan_value *x, int axis, int64_t width, int mode, int side,
                             plan_value *part)
{
    const int64_t n = x->dims[axis], step = x->stride[axis];
    if (mode == LOCUM_PAD_ZERO) LOCUM_TRY(zeros_like(c, x, part));
    if (mode != LOCUM_PAD_ZERO) *part = *x;
    part->dims[axis] = width;
    if (mode == LOCUM_PAD_PERIODIC) part->offset += (side == 0 ? n - width : 0) * step;
    if (mode == LOCUM_PAD_REFLECT) { /* without the edge itself: width .. 1 in front, n - 2 .. n - 1 - width behind */
        part->offset += (side == 0 ? width : n - 2) * step;
        part->stride[axis] = -step;
    }
    return LOCUM_OK;
}

static locum_status lower_pad(plan_compiler *c, locum_id id)
{
    const locum_node *node = locum_graph_node(c->graph, id);
    const int64_t *attributes = locum_graph_integers(c->graph, id);
    const int axis = (int)attributes[0], mode = (int)attributes[3];
    const int64_t width[2] = {attributes[1], attributes[2]};
    const plan_value x = c->values[c->value_of[locum_graph_inputs(c->graph, id)[0]]];
    plan_work w = {.kind = WORK_COPY, .node = id, .symbol = node->symbol, .first_part = c->n_parts};
    LOCUM_TRY(locum_plan_add_stored(c, VALUE_COMPUTED, node->symbol, node->n_dims, node->dims, &w.out));
    LOCUM_TRY(fill_part(c, &x, w.out, axis, width[0]));
    for (int side = 0; side < 2; side++) {
        plan_value part;
        if (width[side] == 0) continue;
        LOCUM_TRY(pad_side(c, &x, axis, width[side], mode, side, &part));
        LOCUM_TRY(fill_part(c, &part, w.out, axis, side == 0 ? 0 : width[0] + x.dims[axis]));
    }
    w.n_parts = c->n_parts - w.first_part;
    c->value_of[id] = w.out;
    return locum_plan_add_work(c, &w);
}

/* --- sources ----------------------------------------------------------------------------------------------------- */

static int index_of(const locum_graph *graph, locum_op op, const char *name)
{
    int index = 0;
    for (locum_id id = 1; id <= locum_graph_n(graph); id++) {
        if (locum_graph_node(graph, id)->op != op) continue;
        if (strcmp(locum_graph_name(graph, id), name) == 0) return index;
        index++;
    }
    return -1;
}

static locum_status lower_source(plan_compiler *c, locum_id id)
{
    const locum_node *node = locum_graph_node(c->graph, id);
    const bool parameter = node->op == LOCUM_OP_parameter;
    int32_t value;
    LOCUM_TRY(locum_plan_add_stored(c, parameter ? VALUE_PARAMETER : VALUE_INPUT, node->symbol, node->n_dims,
                                    node->dims, &value));
    c->value_of[id] = value;
    c->values[value].index = index_of(c->given, (locum_op)node->op, locum_graph_name(c->graph, id));
    LOCUM_REQUIRE(c->values[value].index >= 0, LOCUM_INTERNAL, "'%s' is not in the graph",
                  locum_graph_name(c->graph, id));
    if (!parameter || !(c->options->flags & LOCUM_PLAN_CONSTANT_PARAMETERS)) return LOCUM_OK;
    int32_t copy; /* what runs read lies in the packed parameters */
    c->values[value].fixed = true;
    LOCUM_TRY(locum_plan_materialise(c, id, value, &copy));
    c->values[copy].origin = value;
    c->value_of[id] = copy;
    return LOCUM_OK;
}

static locum_status lower_constant(plan_compiler *c, locum_id id)
{
    const locum_node *node = locum_graph_node(c->graph, id);
    const double *data = locum_graph_data(c->graph, id);
    int32_t value;
    int64_t first;
    LOCUM_TRY(locum_plan_add_stored(c, VALUE_CONSTANT, -1, node->n_dims, node->dims, &value));
    LOCUM_TRY(locum_plan_add_data(c, c->values[value].count, &first));
    c->values[value].data = first;
    for (int64_t i = 0; i < c->values[value].count; i++) c->data[first + i] = (float)data[i];
    c->value_of[id] = value;
    return LOCUM_OK;
}

static locum_status lower_noise(plan_compiler *c, locum_id id)
{
    const locum_node *node = locum_graph_node(c->graph, id);
    plan_work w = {.kind = WORK_NOISE,
                   .node = id,
                   .symbol = node->symbol,
                   .stream = (uint32_t)locum_graph_integers(c->graph, id)[0]};
    LOCUM_TRY(locum_plan_add_stored(c, VALUE_COMPUTED, node->symbol, node->n_dims, node->dims, &w.out));
    c->value_of[id] = w.out;
    return locum_plan_add_work(c, &w);
}

static locum_status lower_node(plan_compiler *c, locum_id id)
{
    const locum_node *node = locum_graph_node(c->graph, id);
    LOCUM_REQUIRE(node->number == LOCUM_REAL32, LOCUM_NOT_BUILT, "plans compute in float32; node %d (%s %s) does not",
                  id, locum_op_name((locum_op)node->op), locum_graph_name(c->graph, id));
    if (c->chain[id].end && c->chain[id].end != id) return LOCUM_OK;
    if (c->chain[id].end == id && c->chain[id].product && locum_plan_is_convolution(c, c->chain[id].product))
        return locum_plan_lower_convolution(c, id);
    if (c->chain[id].end == id)
        return c->chain[id].transform ? locum_plan_lower_transform(c, id) : locum_plan_lower_product(c, id);
    switch (node->op) {
    case LOCUM_OP_input:
    case LOCUM_OP_parameter: return lower_source(c, id);
    case LOCUM_OP_constant: return lower_constant(c, id);
    case LOCUM_OP_noise: return lower_noise(c, id);
    case LOCUM_OP_stop_gradient:
    case LOCUM_OP_cast: c->value_of[id] = c->value_of[locum_graph_inputs(c->graph, id)[0]]; return LOCUM_OK;
    case LOCUM_OP_reshape: return lower_reshape(c, id);
    case LOCUM_OP_expand:
    case LOCUM_OP_permute:
    case LOCUM_OP_slice:
    case LOCUM_OP_flip: return lower_view(c, id);
    case LOCUM_OP_sum: return lower_sum(c, id);
    case LOCUM_OP_pad: return lower_pad(c, id);
    case LOCUM_OP_concat: return lower_concat(c, id);
    case LOCUM_OP_convolution:
    case LOCUM_OP_convolution_input: return locum_plan_lower_convolution(c, id);
    case LOCUM_OP_convolution_weight: return locum_plan_lower_convolution_weight(c, id);
    case LOCUM_OP_product: return locum_plan_lower_product(c, id);
    case LOCUM_OP_transform: return locum_plan_lower_transform(c, id);
    case LOCUM_OP_product_rows: return locum_plan_lower_product_rows(c, id);
    default: break;
    }
    LOCUM_REQUIRE(tile_op_of[node->op], LOCUM_NOT_BUILT, "plans do not know the operator %s",
                  locum_op_name((locum_op)node->op));
    return lower_element(c, id);
}

/* --- outputs, live works ----------------------------------------------------------------------------------------- */

/* Output i is computed in place if it is a whole value that nobody else's output is; else copied there. */
static locum_status lower_output(plan_compiler *c, int i)
{
    const int32_t value = c->value_of[c->outputs[i]];
    const plan_value v = c->values[value];
    plan_value *base = &c->values[v.base];
    if (base->source == VALUE_COMPUTED && !base->fixed && base->output < 0 && locum_plan_contiguous(&v) &&
        v.offset == 0 && locum_plan_count(&v) == base->count && v.symbol == base->symbol) {
        base->output = i;
        return LOCUM_OK;
    }
    int32_t whole;
    LOCUM_TRY(locum_plan_add_stored(c, VALUE_COMPUTED, v.symbol, v.n_dims, v.dims, &whole));
    LOCUM_TRY(add_copy(c, c->outputs[i], value, whole));
    c->works[c->n_works - 1].fixed = c->values[whole].fixed = false;
    c->values[whole].output = i;
    return LOCUM_OK;
}

/* Works are in the order of making; a value's makers stand before its readers. */
static void mark_live(plan_compiler *c, bool *wanted)
{
    for (int32_t i = 0; i < c->n_values; i++) wanted[i] = c->values[i].base == i && c->values[i].output >= 0;
    for (int32_t i = c->n_works - 1; i >= 0; i--) {
        plan_work *w = &c->works[i];
        w->live = wanted[w->out];
        for (int k = 0; k < w->n_in && w->live; k++) wanted[locum_plan_base(c, w, w->in[k])] = true;
        for (int k = 0; k < w->n_parts && w->live; k++)
            wanted[locum_plan_base(c, w, c->parts[w->first_part + k].from)] = true;
    }
}

locum_status locum_plan_lower(plan_compiler *c)
{
    for (locum_id id = 1; id <= locum_graph_n(c->graph); id++)
        if (c->uses[id]) LOCUM_TRY(lower_node(c, id));
    for (int i = 0; i < c->n_outputs; i++) LOCUM_TRY(lower_output(c, i));
    bool *wanted = calloc((size_t)c->n_values + 1, sizeof *wanted);
    LOCUM_REQUIRE(wanted, LOCUM_MEMORY, "no memory to compile a plan");
    mark_live(c, wanted);
    free(wanted);
    return LOCUM_OK;
}
