/* SPDX-License-Identifier: BSD-3-Clause */
/* gradient.c - reverse mode as a graph transform, and the expansion of composites.
 *
 * For y = f(..., x_i, ...) with seed g = dL/dy, a node's rule appends nodes for g df/dx_i. Walking ids downwards
 * meets every user of a node before the node; contributions are added on the way:
 *
 *     adjoint(y) = seed;   for id = y .. 1:  adjoint(x_i) += rule_i(adjoint(id))     for x_i that depend on a `wrt`
 *
 * The new nodes are ordinary nodes, so the transform applies to its own result. A composite without a rule is expanded
 * in place and the expansion is walked as a window of its own; windows nest as deep as composites are defined by
 * composites (2), not with the number of nodes. */
#include "surrogate/graph/operator.h"

#include <stdlib.h>
#include <string.h>

#include "core/memory.h"

/* Ids first .. last, and (of an expansion) the leaves it was built from. */
typedef struct window {
    locum_id first, last;
    locum_id *adjoint; /* [last - first + 1], owned */
    bool *depends;     /* [last - first + 1], owned: on a wrt or a leaf, through differentiable operators */
    int n_leaves;
    const locum_id *leaf;
    const bool *leaf_wanted;
    locum_id *leaf_adjoint; /* [n_leaves] */
    bool *wanted;           /* [widest] scratch of the node being differentiated, owned */
    locum_id *in, *into;    /* [widest] the same, owned */
} window;

static int find_leaf(const window *w, locum_id id)
{
    for (int i = 0; i < w->n_leaves; i++)
        if (w->leaf[i] == id && w->leaf_wanted[i]) return i;
    return -1;
}

static bool depends(const window *w, locum_id id)
{
    return id >= w->first && id <= w->last ? w->depends[id - w->first] : find_leaf(w, id) >= 0;
}

/* which inputs of a node need a gradient; true if any does */
static bool mark_wanted(const window *w, const locum_graph *graph, locum_id id, bool *wanted)
{
    const locum_node *node = locum_graph_node(graph, id);
    const locum_operator *rules = locum_operator_of(node->op);
    const locum_id *in = locum_graph_inputs(graph, id);
    bool any = false;
    for (int i = 0; i < node->n_inputs; i++) {
        const bool blind = (rules->traits & LOCUM_NO_GRADIENT) || (i < 32 && (rules->blind >> i & 1));
        wanted[i] = !blind && depends(w, in[i]);
        any = any || wanted[i];
    }
    return any;
}

static locum_status window_open(window *w, const locum_graph *graph)
{
    const int64_t n = w->last < w->first ? 1 : w->last - w->first + 1, widest = locum_graph_widest(graph) + 1;
    locum_status st = LOCUM_NEW(&w->adjoint, n);
    if (!st) st = LOCUM_NEW(&w->depends, n);
    if (!st) st = LOCUM_NEW(&w->wanted, widest);
    if (!st) st = LOCUM_NEW(&w->in, widest);
    if (!st) st = LOCUM_NEW(&w->into, widest);
    return st;
}

static void window_close(window *w)
{
    free(w->adjoint);
    free(w->depends);
    free(w->wanted);
    free(w->in);
    free(w->into);
}

static void accumulate(window *w, locum_graph *graph, locum_id id, locum_id gradient)
{
    const int leaf = id >= w->first && id <= w->last ? -1 : find_leaf(w, id);
    locum_id *adjoint = leaf >= 0 ? &w->leaf_adjoint[leaf] : &w->adjoint[id - w->first];
    *adjoint = *adjoint ? locum_binary(graph, LOCUM_OP_add, *adjoint, gradient) : gradient;
}

static locum_status sweep(window *w, locum_graph *graph);

/* the gradient of a composite without a rule: expand it here, walk the expansion */
static locum_status through_expansion(const locum_site *site, locum_id *into)
{
    window w = {.first = locum_graph_n(site->graph) + 1,
                .n_leaves = site->node.n_inputs,
                .leaf = site->in,
                .leaf_wanted = site->wanted,
                .leaf_adjoint = into};
    const locum_id y = locum_operator_of(site->node.op)->expand(site);
    LOCUM_TRY(locum_graph_status(site->graph));
    w.last = locum_graph_n(site->graph);
    locum_status st = window_open(&w, site->graph);
    if (!st) {
        for (locum_id id = w.first; id <= w.last; id++)
            w.depends[id - w.first] = mark_wanted(&w, site->graph, id, w.wanted);
        if (depends(&w, y)) accumulate(&w, site->graph, y, site->seed);
        st = sweep(&w, site->graph);
    }
    window_close(&w);
    return st;
}

/* a rule must answer with the shape of its input: a check on ourselves */
static locum_status check_gradient(const locum_graph *graph, locum_id input, locum_id gradient, int op)
{
    const locum_shape a = locum_shape_of(graph, input), b = locum_shape_of(graph, gradient);
    LOCUM_REQUIRE(locum_shape_equal(&a, &b) && a.number == b.number, LOCUM_INTERNAL, "gradient of %s has a wrong shape",
                  locum_op_name((locum_op)op));
    return LOCUM_OK;
}

static locum_status differentiate(window *w, locum_graph *graph, locum_id id)
{
    const int n = locum_graph_node(graph, id)->n_inputs;
    if (!mark_wanted(w, graph, id, w->wanted)) return LOCUM_OK;
    if (n) memcpy(w->in, locum_graph_inputs(graph, id), (size_t)n * sizeof(locum_id));
    memset(w->into, 0, (size_t)n * sizeof(locum_id));
    locum_site site = locum_site_of(graph, id, graph, w->in);
    site.seed = w->adjoint[id - w->first];
    site.wanted = w->wanted;
    const locum_operator *rules = locum_operator_of(site.node.op);
    if (rules->gradient)
        rules->gradient(&site, w->into);
    else if (rules->expand)
        LOCUM_TRY(through_expansion(&site, w->into));
    LOCUM_TRY(locum_graph_status(graph));
    for (int i = 0; i < n; i++) {
        if (!w->wanted[i] || !w->into[i]) continue;
        LOCUM_TRY(check_gradient(graph, w->in[i], w->into[i], site.node.op));
        accumulate(w, graph, w->in[i], w->into[i]);
    }
    return LOCUM_OK;
}

static locum_status sweep(window *w, locum_graph *graph)
{
    for (locum_id id = w->last; id >= w->first; id--)
        if (w->adjoint[id - w->first]) LOCUM_TRY(differentiate(w, graph, id));
    return locum_graph_status(graph);
}

/* --- the transform ------------------------------------------------------------------------------------------------ */

static locum_status check_request(locum_graph *graph, locum_id y, locum_id *seed, int n_wrt, const locum_id *wrt)
{
    LOCUM_TRY(locum_graph_status(graph));
    LOCUM_REQUIRE(y > 0 && y <= locum_graph_n(graph), LOCUM_ARG, "gradient: of node %d, which does not exist", y);
    for (int i = 0; i < n_wrt; i++) {
        LOCUM_REQUIRE(wrt[i] > 0 && wrt[i] <= locum_graph_n(graph), LOCUM_ARG, "gradient: wrt %d is no node", i);
        LOCUM_REQUIRE(locum_graph_node(graph, wrt[i])->number != LOCUM_INTEGER32, LOCUM_ARG,
                      "gradient: wrt %d is int32", i);
    }
    const locum_shape shape = locum_shape_of(graph, y);
    LOCUM_REQUIRE(shape.number != LOCUM_INTEGER32, LOCUM_ARG, "gradient: of an int32 node");
    if (*seed) {
        LOCUM_REQUIRE(*seed > 0 && *seed <= locum_graph_n(graph), LOCUM_ARG, "gradient: the seed is no node");
        const locum_shape given = locum_shape_of(graph, *seed);
        LOCUM_REQUIRE(locum_shape_equal(&given, &shape) && given.number == shape.number, LOCUM_ARG,
                      "gradient: seed and node differ in shape or number type");
        return LOCUM_OK;
    }
    LOCUM_REQUIRE(shape.symbol < 0 && locum_shape_count(&shape) == 1, LOCUM_ARG,
                  "gradient: of more than one value; sum them, or give a seed");
    *seed = locum_expand_like(graph, locum_scalar(graph, shape.number, 1), y);
    return locum_graph_status(graph);
}

static locum_id zeros(locum_graph *graph, locum_id like)
{
    const locum_number number = (locum_number)locum_graph_node(graph, like)->number;
    return locum_expand_like(graph, locum_scalar(graph, number, 0), like);
}

locum_status locum_graph_gradient(locum_graph *graph, locum_id y, locum_id seed, int n_wrt, const locum_id *wrt,
                                  locum_id *out)
{
    LOCUM_TRY(check_request(graph, y, &seed, n_wrt, wrt));
    window w = {.first = 1, .last = y};
    locum_status st = window_open(&w, graph);
    if (!st) {
        for (int i = 0; i < n_wrt; i++)
            if (wrt[i] <= y) w.depends[wrt[i] - 1] = true;
        for (locum_id id = 1; id <= y; id++)
            if (mark_wanted(&w, graph, id, w.wanted)) w.depends[id - 1] = true;
        if (w.depends[y - 1]) w.adjoint[y - 1] = seed;
        st = sweep(&w, graph);
    }
    for (int i = 0; !st && i < n_wrt; i++) {
        const locum_id found = wrt[i] <= y ? w.adjoint[wrt[i] - 1] : 0;
        out[i] = found ? found : zeros(graph, wrt[i]);
    }
    window_close(&w);
    return st ? st : locum_graph_status(graph);
}

/* --- expanding composites ----------------------------------------------------------------------------------------- */

/* Nodes are copied in order; a composite is replaced by its expansion, whose own composites need a further pass. */
static locum_status expand_once(const locum_graph *graph, locum_graph **expanded, locum_id *map, bool *more)
{
    const int32_t n = locum_graph_n(graph), n_outputs = locum_graph_n_outputs(graph);
    locum_id *in = NULL, *outputs = NULL, *named = NULL;
    *more = false;
    locum_status st = locum_graph_create(expanded);
    if (!st) st = LOCUM_NEW(&in, locum_graph_widest(graph) + 1);
    if (!st) st = LOCUM_NEW(&outputs, n_outputs + 1);
    if (!st) st = LOCUM_NEW(&named, n_outputs + 1);
    if (!st) st = locum_graph_copy_symbols(*expanded, graph);
    map[0] = 0;
    for (locum_id id = 1; !st && id <= n; id++) {
        const locum_node *node = locum_graph_node(graph, id);
        for (int i = 0; i < node->n_inputs; i++) in[i] = map[locum_graph_inputs(graph, id)[i]];
        const int32_t before = locum_graph_n(*expanded);
        if (locum_op_is_composite(node->op)) {
            const locum_site site = locum_site_of(graph, id, *expanded, in);
            map[id] = locum_operator_of(node->op)->expand(&site);
        } else {
            map[id] = locum_graph_add_copy(*expanded, graph, id, in);
        }
        st = locum_graph_status(*expanded);
        for (locum_id made = before + 1; !st && made <= locum_graph_n(*expanded); made++)
            *more = *more || locum_op_is_composite(locum_graph_node(*expanded, made)->op);
    }
    if (!st) {
        for (int i = 0; i < n_outputs; i++) outputs[i] = locum_graph_output(graph, i);
        locum_graph_copy_outputs(*expanded, graph, n_outputs, outputs, map, named);
        for (int i = 0; i < n_outputs; i++) map[outputs[i]] = named[i];
        st = locum_graph_status(*expanded);
    }
    free(in);
    free(outputs);
    free(named);
    return st;
}

locum_status locum_graph_expand_composites(const locum_graph *graph, locum_graph **expanded, locum_id *map)
{
    bool more = true;
    *expanded = NULL;
    LOCUM_TRY(locum_graph_status(graph));
    locum_status st = expand_once(graph, expanded, map, &more);
    while (!st && more) {
        locum_graph *next = NULL;
        locum_id *step = NULL;
        st = LOCUM_NEW(&step, locum_graph_n(*expanded) + 1);
        if (!st) st = expand_once(*expanded, &next, step, &more);
        for (locum_id id = 1; !st && id <= locum_graph_n(graph); id++) map[id] = step[map[id]];
        free(step);
        locum_graph_destroy(*expanded);
        *expanded = next;
    }
    if (st) {
        locum_graph_destroy(*expanded);
        *expanded = NULL;
    }
    return st;
}
