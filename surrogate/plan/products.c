/* SPDX-License-Identifier: BSD-3-Clause */
/* products.c - the product trio as works: operands are matrices with a row stride, the right one packed for all.
 *
 *     c[r, g N + n] = act( sum_k a[r, g K + k] b[g, k, n] + bias[g N + n] )         one kernel call for each group g
 *
 * A constant right operand is packed while compiling, one that follows from constant parameters by locum_plan_pack, any
 * other inside each run. Large products may go to the adapter, which takes b as it is and has no epilogue. */
#include "surrogate/plan/internal.h"

#include <string.h>

enum { OUTER_MIN = 8 }; /* columns from which a product of one column is elementwise */

static int64_t rows_at_capacity(const plan_compiler *c, const locum_node *node)
{
    int64_t rows = node->symbol >= 0 ? c->options->capacity[node->symbol] : 1;
    for (int i = 0; i < node->n_dims - 1; i++) rows *= node->dims[i];
    return rows;
}

/* Sizes of one group's product: a [rows, k] b [k, n]. */
static void product_sizes(const plan_compiler *c, locum_id product, int64_t *groups, int64_t *k, int64_t *n)
{
    const locum_node *b = locum_graph_node(c->graph, locum_graph_inputs(c->graph, product)[1]);
    const bool transposed = locum_graph_integers(c->graph, product)[0] != 0;
    *groups = b->dims[0];
    *k = b->dims[transposed ? 2 : 1];
    *n = b->dims[transposed ? 1 : 2];
}

bool locum_plan_by_adapter(const plan_compiler *c, locum_id product)
{
    const locum_adapter *adapter = c->options->adapter;
    int64_t groups, k, n;
    if (!adapter || !adapter->product) return false;
    product_sizes(c, product, &groups, &k, &n);
    const int kind = locum_graph_integers(c->graph, product)[0] != 0;
    return adapter->wants(rows_at_capacity(c, locum_graph_node(c->graph, product)), k, n, kind);
}

locum_status locum_plan_matrix_operand(plan_compiler *c, int node, int32_t *value)
{
    int64_t rows, stride;
    if (locum_plan_matrix(&c->values[*value], &rows, &stride)) return LOCUM_OK;
    LOCUM_TRY(locum_plan_materialise(c, node, *value, value));
    LOCUM_REQUIRE(locum_plan_matrix(&c->values[*value], &rows, &stride), LOCUM_NOT_BUILT,
                  "a product whose columns count along a symbol");
    return LOCUM_OK;
}

/* Constants are packed while compiling. */
static void pack_constant(plan_compiler *c, const plan_value *b, const plan_work *w)
{
    const plan_value *base = &c->values[b->base];
    const int k_axis = w->transposed ? 2 : 1, n_axis = w->transposed ? 1 : 2;
    for (int64_t g = 0; g < w->groups; g++)
        c->options->kernels->pack(w->k, w->n, c->data + base->data + b->offset + g * b->stride[0], b->stride[k_axis],
                                  b->stride[n_axis], c->data + c->values[w->out].data + g * w->b_group);
}

/* The packed right operand; the same operand packed the same way is packed once. */
locum_status locum_plan_packed_operand(plan_compiler *c, int node, int32_t b, plan_work *product)
{
    const plan_value *v = &c->values[b];
    const int64_t floats = (int64_t)c->options->kernels->packed_count(product->k, product->n);
    product->b_group = (floats + 15) / 16 * 16;
    for (int32_t i = c->last_pack; i >= 0; i = c->works[i].previous_pack) {
        const plan_work *w = &c->works[i];
        if (w->transposed != product->transposed) continue;
        const plan_value *u = &c->values[w->in[0]];
        if (u->base == v->base && u->offset == v->offset && memcmp(u->dims, v->dims, 3 * sizeof *u->dims) == 0 &&
            memcmp(u->stride, v->stride, 3 * sizeof *u->stride) == 0) {
            product->in[1] = w->out;
            return LOCUM_OK;
        }
    }
    const bool constant = c->values[v->base].source == VALUE_CONSTANT;
    const int64_t dims[1] = {product->groups * product->b_group};
    plan_work w = {.kind = WORK_PACK,
                   .node = node,
                   .symbol = -1,
                   .in = {b},
                   .n_in = 1,
                   .groups = product->groups,
                   .k = product->k,
                   .n = product->n,
                   .b_group = product->b_group,
                   .transposed = product->transposed};
    LOCUM_TRY(locum_plan_add_stored(c, constant ? VALUE_CONSTANT : VALUE_COMPUTED, -1, 1, dims, &w.out));
    product->in[1] = w.out;
    if (!constant) {
        w.previous_pack = c->last_pack;
        c->last_pack = c->n_works;
        return locum_plan_add_work(c, &w);
    }
    LOCUM_TRY(locum_plan_add_data(c, dims[0], &c->values[w.out].data));
    pack_constant(c, &c->values[b], &w);
    return LOCUM_OK;
}

/* One operation of the chain on a weight or a bias, of which `column` is a view. */
static locum_status affine_element(plan_compiler *c, locum_id id, int32_t column, bool shift, int32_t *value)
{
    const locum_node *node = locum_graph_node(c->graph, id);
    plan_work w = {.kind = WORK_ELEMENT, .node = id, .symbol = -1, .in = {*value, column}, .n_in = 2};
    switch (node->op) {
    case LOCUM_OP_add: w.tile_op = LOCUM_TILE_ADD; break;
    case LOCUM_OP_subtract: w.tile_op = LOCUM_TILE_SUBTRACT; break;
    case LOCUM_OP_multiply: w.tile_op = LOCUM_TILE_MULTIPLY; break;
    case LOCUM_OP_divide: w.tile_op = LOCUM_TILE_DIVIDE; break;
    default:
        w.tile_op = LOCUM_TILE_SCALE;
        w.n_in = 1;
        w.imm0 = (float)locum_graph_reals(c->graph, id)[0];
        w.imm1 = shift ? (float)locum_graph_reals(c->graph, id)[1] : 0;
    }
    const plan_value v = c->values[*value];
    LOCUM_TRY(locum_plan_add_stored(c, VALUE_COMPUTED, -1, v.n_dims, v.dims, &w.out));
    *value = w.out;
    return locum_plan_add_work(c, &w);
}

/* A vector over columns [G N], seen from a weight [G, K, N] or [G, N, K], or (sizes NULL) as a bias [G N]. */
static locum_status column_view(plan_compiler *c, int32_t vector, const plan_value *like, const plan_work *product,
                                int32_t *view)
{
    plan_value v = c->values[vector];
    const int64_t step = v.stride[v.n_dims - 1];
    v.n_dims = like->n_dims;
    memcpy(v.dims, like->dims, sizeof v.dims);
    memset(v.stride, 0, sizeof v.stride);
    if (like->n_dims == 3) {
        v.stride[0] = product->n * step;
        v.stride[product->transposed ? 1 : 2] = step;
    } else {
        v.stride[like->n_dims - 1] = step;
    }
    return locum_plan_add_value(c, &v, view);
}

/* Weight and bias with the chain's operations on columns applied, oldest first. */
static locum_status apply_affine(plan_compiler *c, const plan_chain *chain, const plan_work *product, int32_t *b,
                                 int32_t *bias)
{
    for (int i = 0; i < chain->n_affine; i++) {
        const int op = locum_graph_node(c->graph, chain->affine[i])->op;
        int32_t of_weight = 0, of_bias = 0;
        const plan_value weight = c->values[*b];
        if (chain->column[i]) LOCUM_TRY(column_view(c, c->value_of[chain->column[i]], &weight, product, &of_weight));
        if (op != LOCUM_OP_add && op != LOCUM_OP_subtract)
            LOCUM_TRY(affine_element(c, chain->affine[i], of_weight, false, b));
        if (!chain->bias || i < chain->n_before_bias) continue;
        const plan_value shift = c->values[*bias];
        if (chain->column[i]) LOCUM_TRY(column_view(c, c->value_of[chain->column[i]], &shift, product, &of_bias));
        LOCUM_TRY(affine_element(c, chain->affine[i], of_bias, true, bias));
    }
    return LOCUM_OK;
}

/* One column times one row: an elementwise product of two views, which may be a line of the program that reads it. */
static locum_status lower_outer(plan_compiler *c, locum_id id)
{
    const locum_node *node = locum_graph_node(c->graph, id);
    const locum_id *in = locum_graph_inputs(c->graph, id);
    const int last = node->n_dims - 1;
    int32_t a = c->value_of[in[0]];
    if (!locum_plan_contiguous(&c->values[a])) LOCUM_TRY(locum_plan_materialise(c, id, a, &a));
    const plan_value b = c->values[c->value_of[in[1]]];
    plan_value column = c->values[a], row = b;
    plan_work w = {.kind = WORK_ELEMENT, .node = id, .symbol = node->symbol, .tile_op = LOCUM_TILE_MULTIPLY, .n_in = 2};
    column.dims[last] = row.dims[last] = node->dims[last];
    column.stride[last] = 0;
    for (int i = 0; i < last; i++) row.dims[i] = node->dims[i], row.stride[i] = 0;
    row.stride[last] = b.stride[locum_graph_integers(c->graph, id)[0] ? 1 : 2];
    row.n_dims = node->n_dims;
    row.symbol = node->symbol;
    LOCUM_TRY(locum_plan_add_value(c, &column, &w.in[0]));
    LOCUM_TRY(locum_plan_add_value(c, &row, &w.in[1]));
    LOCUM_TRY(locum_plan_add_stored(c, VALUE_COMPUTED, node->symbol, node->n_dims, node->dims, &w.out));
    c->value_of[id] = w.out;
    return locum_plan_add_work(c, &w);
}

/* The gradient of one output in front of many hidden values. */
static bool is_outer(const plan_compiler *c, locum_id id)
{
    int64_t groups, k, n;
    if (locum_graph_node(c->graph, id)->op != LOCUM_OP_product || (c->options->flags & LOCUM_PLAN_NO_FUSION))
        return false;
    product_sizes(c, id, &groups, &k, &n);
    return groups == 1 && k == 1 && n >= OUTER_MIN && c->chain[id].activation == LOCUM_ACT_NONE;
}

locum_status locum_plan_lower_product(plan_compiler *c, locum_id id)
{
    const plan_chain chain = c->chain[id];
    const locum_id product = chain.product ? chain.product : id;
    if (product == id && is_outer(c, id)) return lower_outer(c, id);
    const locum_node *node = locum_graph_node(c->graph, id);
    const locum_id *in = locum_graph_inputs(c->graph, product);
    plan_work w = {.kind = WORK_PRODUCT, .node = id, .symbol = node->symbol, .n_in = 2, .activation = chain.activation};
    int32_t b = c->value_of[in[1]], bias = chain.bias ? c->value_of[chain.bias] : 0;
    product_sizes(c, product, &w.groups, &w.k, &w.n);
    w.transposed = locum_graph_integers(c->graph, product)[0] != 0;
    w.by_adapter = locum_plan_by_adapter(c, product);
    w.in[0] = c->value_of[in[0]];
    LOCUM_TRY(locum_plan_matrix_operand(c, id, &w.in[0]));
    LOCUM_TRY(apply_affine(c, &chain, &w, &b, &bias));
    if (w.by_adapter) {
        if (c->values[b].stride[2] != 1) LOCUM_TRY(locum_plan_materialise(c, id, b, &b));
        w.in[1] = b;
    } else {
        LOCUM_TRY(locum_plan_packed_operand(c, id, b, &w));
    }
    if (chain.bias) {
        w.in[2] = bias;
        if (c->values[bias].stride[c->values[bias].n_dims - 1] != 1)
            LOCUM_TRY(locum_plan_materialise(c, id, bias, &w.in[2]));
        w.n_in = 3;
    }
    LOCUM_TRY(locum_plan_add_stored(c, VALUE_COMPUTED, node->symbol, node->n_dims, node->dims, &w.out));
    c->value_of[id] = w.out;
    return locum_plan_add_work(c, &w);
}

locum_status locum_plan_lower_product_rows(plan_compiler *c, locum_id id)
{
    const locum_node *node = locum_graph_node(c->graph, id);
    const locum_id *in = locum_graph_inputs(c->graph, id);
    const locum_node *a = locum_graph_node(c->graph, in[0]);
    const locum_adapter *adapter = c->options->adapter;
    plan_work w = {.kind = WORK_PRODUCT_ROWS,
                   .node = id,
                   .symbol = a->symbol,
                   .n_in = 2,
                   .in = {c->value_of[in[0]], c->value_of[in[1]]},
                   .groups = node->dims[0],
                   .k = node->dims[1],
                   .n = node->dims[2]};
    w.by_adapter = adapter && adapter->product_rows && adapter->wants(rows_at_capacity(c, a), w.k, w.n, 2);
    LOCUM_TRY(locum_plan_matrix_operand(c, id, &w.in[0]));
    LOCUM_TRY(locum_plan_matrix_operand(c, id, &w.in[1]));
    LOCUM_TRY(locum_plan_add_stored(c, VALUE_COMPUTED, -1, 3, node->dims, &w.out));
    c->value_of[id] = w.out;
    return locum_plan_add_work(c, &w);
}
