/* SPDX-License-Identifier: BSD-3-Clause */
/* evaluate.c - the meaning of a graph: every needed node once, in order of ids, in double, by the plain loops of ops/.
 *
 * Composites are expanded first: the expansion is what they mean. A value is freed after its last use. */
#include "surrogate/graph/operator.h"

#include <stdlib.h>
#include <string.h>

#include "core/memory.h"

#define VALUES_MAX ((int64_t)1 << 40)

static locum_view view_of(const locum_graph *graph, locum_id id, const int64_t *extents, double *data)
{
    const locum_node *node = locum_graph_node(graph, id);
    locum_view view = {.n_dims = node->n_dims, .count = locum_graph_count(graph, id, extents), .data = data};
    memcpy(view.dims, node->dims, sizeof view.dims);
    if (node->symbol >= 0) view.dims[0] *= extents[node->symbol];
    return view;
}

void locum_node_reference(const locum_graph *graph, locum_id id, const int64_t *extents, uint64_t seed,
                          const double *const *in, locum_view *views, double *out)
{
    const locum_node *node = locum_graph_node(graph, id);
    for (int i = 0; i < node->n_inputs; i++) /* read only: loops write to `out` alone */
        views[i] = view_of(graph, locum_graph_inputs(graph, id)[i], extents, (double *)(uintptr_t)in[i]);
    const locum_loop loop = {.op = (locum_op)node->op,
                             .integers = locum_graph_integers(graph, id),
                             .reals = locum_graph_reals(graph, id),
                             .n_integers = node->n_integers,
                             .n_in = node->n_inputs,
                             .in = views,
                             .out = view_of(graph, id, extents, out),
                             .rows = node->symbol < 0 ? 1 : extents[node->symbol],
                             .seed = seed,
                             .number = (locum_number)node->number};
    locum_operator_of(node->op)->reference(&loop);
}

/* One evaluation. */
typedef struct evaluation {
    const locum_graph *graph;
    const int64_t *extents;
    uint64_t seed;
    locum_find_values find;
    void *self;
    double **value;         /* [n + 1], owned, NULL = not needed or already freed */
    int32_t *last_use;      /* [n + 1], id of the last user, 0 = not needed, INT32_MAX = an output */
    locum_view *views;      /* [widest] */
    const double **operand; /* [widest] */
} evaluation;

static locum_status check_extents(const locum_graph *graph, const int64_t *extents)
{
    LOCUM_TRY(locum_graph_status(graph));
    for (int i = 0; i < locum_graph_n_symbols(graph); i++)
        LOCUM_REQUIRE(extents && extents[i] >= 0, LOCUM_ARG, "evaluate: extent of '%s' is missing or negative",
                      locum_graph_symbol_name(graph, i));
    return LOCUM_OK;
}

static void find_last_uses(evaluation *e, int n_outputs, const locum_id *outputs)
{
    for (int i = 0; i < n_outputs; i++) e->last_use[outputs[i]] = INT32_MAX;
    for (locum_id id = locum_graph_n(e->graph); id > 0; id--) {
        if (!e->last_use[id]) continue;
        const locum_id *in = locum_graph_inputs(e->graph, id);
        for (int i = 0; i < locum_graph_node(e->graph, id)->n_inputs; i++)
            if (!e->last_use[in[i]]) e->last_use[in[i]] = id;
    }
}

static locum_status evaluate_source(const evaluation *e, locum_id id, int64_t count)
{
    const locum_node *node = locum_graph_node(e->graph, id);
    const double *from = locum_graph_data(e->graph, id);
    if (node->op != LOCUM_OP_constant) {
        from = e->find ? e->find(e->self, locum_graph_name(e->graph, id)) : NULL;
        LOCUM_REQUIRE(from || !count, LOCUM_ARG, "evaluate: %s '%s' has no values", locum_op_name((locum_op)node->op),
                      locum_graph_name(e->graph, id));
    }
    if (count) memcpy(e->value[id], from, (size_t)count * sizeof(double));
    return LOCUM_OK;
}

static locum_status evaluate_node(evaluation *e, locum_id id)
{
    const locum_node *node = locum_graph_node(e->graph, id);
    const locum_id *in = locum_graph_inputs(e->graph, id);
    const int64_t count = locum_graph_count(e->graph, id, e->extents);
    LOCUM_REQUIRE(count <= VALUES_MAX, LOCUM_ARG, "evaluate: node %d (%s) would have more than 2^40 values", id,
                  locum_op_name((locum_op)node->op));
    LOCUM_TRY(locum_alloc(&e->value[id], count ? count : 1, sizeof(double)));
    if (node->op == LOCUM_OP_input || node->op == LOCUM_OP_parameter || node->op == LOCUM_OP_constant)
        return evaluate_source(e, id, count);
    for (int i = 0; i < node->n_inputs; i++) e->operand[i] = e->value[in[i]];
    locum_node_reference(e->graph, id, e->extents, e->seed, e->operand, e->views, e->value[id]);
    for (int i = 0; i < node->n_inputs; i++) {
        if (e->last_use[in[i]] != id) continue;
        free(e->value[in[i]]);
        e->value[in[i]] = NULL;
    }
    return LOCUM_OK;
}

static locum_status evaluate_primitives(evaluation *e, int n_outputs, const locum_id *outputs, double *const *values)
{
    const int32_t n = locum_graph_n(e->graph), widest = locum_graph_widest(e->graph);
    locum_status st = LOCUM_NEW(&e->value, n + 1);
    if (!st) st = LOCUM_NEW(&e->last_use, n + 1);
    if (!st) st = LOCUM_NEW(&e->views, widest + 1);
    if (!st) st = locum_alloc(&e->operand, widest + 1, sizeof *e->operand);
    if (!st) find_last_uses(e, n_outputs, outputs);
    for (locum_id id = 1; !st && id <= n; id++)
        if (e->last_use[id]) st = evaluate_node(e, id);
    for (int i = 0; !st && i < n_outputs; i++) {
        const int64_t count = locum_graph_count(e->graph, outputs[i], e->extents);
        if (count) memcpy(values[i], e->value[outputs[i]], (size_t)count * sizeof(double));
    }
    for (locum_id id = 1; e->value && id <= n; id++) free(e->value[id]);
    free(e->value);
    free(e->last_use);
    free(e->views);
    free(e->operand);
    return st;
}

locum_status locum_graph_evaluate(const locum_graph *graph, const int64_t *extents, uint64_t seed,
                                  locum_find_values find, void *self, int n_outputs, const locum_id *outputs,
                                  double *const *values)
{
    locum_graph *expanded = NULL;
    locum_id *map = NULL, *inside = NULL;
    LOCUM_TRY(check_extents(graph, extents));
    for (int i = 0; i < n_outputs; i++)
        LOCUM_REQUIRE(outputs[i] > 0 && outputs[i] <= locum_graph_n(graph), LOCUM_ARG, "evaluate: output %d is no node",
                      i);
    locum_status st = LOCUM_NEW(&map, locum_graph_n(graph) + 1);
    if (!st) st = LOCUM_NEW(&inside, n_outputs + 1);
    if (!st) st = locum_graph_expand_composites(graph, &expanded, map);
    if (!st) {
        for (int i = 0; i < n_outputs; i++) inside[i] = map[outputs[i]];
        evaluation e = {.graph = expanded, .extents = extents, .seed = seed, .find = find, .self = self};
        st = evaluate_primitives(&e, n_outputs, inside, values);
    }
    locum_graph_destroy(expanded);
    free(map);
    free(inside);
    return st;
}
