/* SPDX-License-Identifier: BSD-3-Clause */
/* simplify.c - the same values by fewer nodes. One pass in order of ids: rewrite (rewrite.c says which rules are
 * exact), fold constants, merge equal nodes; then the dead are left behind, dead inputs and parameters too. */
#include "surrogate/graph/rewrite.h"

#include <stdlib.h>
#include <string.h>

#include "core/hash.h"
#include "core/memory.h"

/* The graph under construction and its table of nodes by content. */
typedef struct work {
    locum_graph *graph;
    locum_id *slots; /* [n_slots], owned, open addressing */
    int64_t n_slots, n_used;
    locum_view *views;      /* [widest] scratch for folding, owned */
    const double **operand; /* [widest] the same */
    double *folded;         /* [LOCUM_FOLD_MAX] the same */
} work;

static const locum_node *node_of(const work *w, locum_id id)
{
    return locum_graph_node(w->graph, id);
}

static locum_id input_of(const work *w, locum_id id, int i)
{
    return locum_graph_inputs(w->graph, id)[i];
}

static bool is(const work *w, locum_id id, locum_op op)
{
    return node_of(w, id)->op == op;
}

/* --- equal nodes -------------------------------------------------------------------------------------------------- */

/* inputs 0 and 1 in the order in which they are compared */
static void ordered_pair(const work *w, locum_id id, locum_id pair[2])
{
    const locum_id *in = locum_graph_inputs(w->graph, id);
    const bool swap = in[0] > in[1] && (locum_operator_of(node_of(w, id)->op)->traits & LOCUM_COMMUTES);
    pair[0] = in[swap];
    pair[1] = in[!swap];
}

static uint64_t content_hash(const work *w, locum_id id)
{
    const locum_node *n = node_of(w, id);
    const locum_shape shape = locum_shape_of(w->graph, id);
    int64_t head[6 + LOCUM_DIMS_MAX + 2 + LOCUM_INTEGERS_MAX + LOCUM_REALS_MAX] = {
        n->op, n->number, n->symbol, n->n_dims, n->n_inputs, n->n_integers};
    int used = 6;
    for (int i = 0; i < n->n_dims; i++) head[used++] = shape.dims[i];
    for (int i = 0; i < n->n_integers; i++) head[used++] = locum_graph_integers(w->graph, id)[i];
    if (n->n_reals) memcpy(head + used, locum_graph_reals(w->graph, id), n->n_reals * sizeof(double));
    used += n->n_reals;
    if (n->n_inputs == 2) {
        locum_id pair[2];
        ordered_pair(w, id, pair);
        head[used++] = pair[0];
        head[used++] = pair[1];
    } else if (n->n_inputs) {
        head[used++] = (int64_t)locum_hash(locum_graph_inputs(w->graph, id), (size_t)n->n_inputs * sizeof(locum_id));
    }
    if (n->data >= 0)
        head[used++] =
            (int64_t)locum_hash(locum_graph_data(w->graph, id), (size_t)locum_shape_count(&shape) * sizeof(double));
    return locum_hash(head, (size_t)used * sizeof *head);
}

static bool equal_bytes(const void *a, const void *b, size_t n)
{
    return n == 0 || !memcmp(a, b, n);
}

static bool equal_nodes(const work *w, locum_id x, locum_id y)
{
    const locum_node *a = node_of(w, x), *b = node_of(w, y);
    const locum_shape p = locum_shape_of(w->graph, x), q = locum_shape_of(w->graph, y);
    if (a->op != b->op || a->number != b->number || !locum_shape_equal(&p, &q) || a->n_inputs != b->n_inputs ||
        a->n_integers != b->n_integers || a->n_reals != b->n_reals)
        return false;
    if (!equal_bytes(locum_graph_integers(w->graph, x), locum_graph_integers(w->graph, y),
                     a->n_integers * sizeof(int64_t)) ||
        !equal_bytes(locum_graph_reals(w->graph, x), locum_graph_reals(w->graph, y), a->n_reals * sizeof(double)))
        return false;
    if (a->data >= 0)
        return equal_bytes(locum_graph_data(w->graph, x), locum_graph_data(w->graph, y),
                           (size_t)locum_shape_count(&p) * sizeof(double));
    if (a->n_inputs != 2)
        return equal_bytes(locum_graph_inputs(w->graph, x), locum_graph_inputs(w->graph, y),
                           (size_t)a->n_inputs * sizeof(locum_id));
    locum_id u[2], v[2];
    ordered_pair(w, x, u);
    ordered_pair(w, y, v);
    return u[0] == v[0] && u[1] == v[1];
}

static locum_status table_reserve(work *w)
{
    if (2 * (w->n_used + 1) <= w->n_slots) return LOCUM_OK;
    locum_id *old = w->slots;
    const int64_t n_old = w->n_slots;
    w->slots = NULL;
    LOCUM_TRY(LOCUM_NEW(&w->slots, n_old ? 2 * n_old : 256));
    w->n_slots = n_old ? 2 * n_old : 256;
    for (int64_t i = 0; i < n_old; i++) {
        if (!old[i]) continue;
        int64_t slot = (int64_t)(content_hash(w, old[i]) & (uint64_t)(w->n_slots - 1));
        while (w->slots[slot]) slot = (slot + 1) & (w->n_slots - 1);
        w->slots[slot] = old[i];
    }
    free(old);
    return LOCUM_OK;
}

/* the first node of that content */
static locum_id merge(work *w, locum_id id)
{
    locum_status st = table_reserve(w);
    if (st) return locum_graph_fault(w->graph, st, "%s", locum_status_message());
    int64_t slot = (int64_t)(content_hash(w, id) & (uint64_t)(w->n_slots - 1));
    for (; w->slots[slot]; slot = (slot + 1) & (w->n_slots - 1))
        if (equal_nodes(w, w->slots[slot], id)) return w->slots[slot];
    w->slots[slot] = id;
    w->n_used++;
    return id;
}

/* --- constants ---------------------------------------------------------------------------------------------------- */

/* a node of constants becomes a constant; expand stays, for it makes small into large */
static locum_id fold(work *w, locum_id id)
{
    const locum_node *n = node_of(w, id);
    const locum_shape shape = locum_shape_of(w->graph, id);
    if (!locum_operator_of(n->op)->reference || !n->n_inputs || shape.symbol >= 0 ||
        locum_shape_count(&shape) > LOCUM_FOLD_MAX || n->op == LOCUM_OP_expand)
        return id;
    for (int i = 0; i < n->n_inputs; i++) {
        if (!is(w, input_of(w, id, i), LOCUM_OP_constant)) return id;
        w->operand[i] = locum_graph_data(w->graph, input_of(w, id, i));
    }
    locum_node_reference(w->graph, id, NULL, 0, w->operand, w->views, w->folded);
    return locum_constant(w->graph, shape.number, shape.n_dims, shape.dims, w->folded);
}

static locum_id emit(work *w, const locum_draft *wanted, locum_id *in);

/* an elementwise node of uniform operands: one value, expanded; 0 = not so */
static locum_id fold_uniform(work *w, const locum_draft *draft)
{
    const locum_operator *rules = locum_operator_of(draft->op);
    locum_id in[3];
    double value[3];
    bool plain = true;
    if (!(rules->traits & LOCUM_ELEMENTWISE) || !rules->reference || draft->n_inputs > 3) return 0;
    for (int i = 0; i < draft->n_inputs; i++) {
        if (!locum_uniform(w->graph, draft->in[i], &value[i])) return 0;
        plain = plain && is(w, draft->in[i], LOCUM_OP_constant);
    }
    if (plain) return 0; /* fold() does it */
    for (int i = 0; i < draft->n_inputs; i++)
        in[i] = locum_scalar(w->graph, (locum_number)node_of(w, draft->in[i])->number, value[i]);
    locum_draft one = *draft;
    one.in = in;
    one.shape = (locum_shape){.number = draft->shape.number, .symbol = -1};
    locum_id single = locum_graph_add(w->graph, &one);
    if (!single) return 0;
    single = fold(w, single);
    locum_draft all = {.op = LOCUM_OP_expand, .shape = draft->shape, .n_inputs = 1, .in = in};
    in[0] = single;
    return emit(w, &all, in);
}

/* rewrites until no rule applies, then adds, folds and merges; `in` is wanted->in, and scratch */
static locum_id emit(work *w, const locum_draft *wanted, locum_id *in)
{
    locum_draft draft = *wanted;
    draft.in = in;
    locum_rewrite r = {.graph = w->graph, .draft = &draft, .in = in, .again = true};
    while (r.again) {
        locum_id known = draft.n_inputs ? fold_uniform(w, &draft) : 0;
        r.again = false;
        if (!known) known = locum_rewrite_draft(&r);
        if (known) return known;
    }
    locum_id id = locum_graph_add(w->graph, &draft);
    if (id && draft.op != LOCUM_OP_input && draft.op != LOCUM_OP_parameter) id = fold(w, id);
    return id && !draft.name ? merge(w, id) : id;
}

static locum_id emit_copy(work *w, const locum_graph *from, locum_id id, const locum_id *map, locum_id *in)
{
    const locum_node *n = locum_graph_node(from, id);
    locum_site site = locum_site_of(from, id, w->graph, in);
    locum_draft draft = {.op = (locum_op)n->op,
                         .shape = locum_shape_of(from, id),
                         .n_inputs = n->n_inputs,
                         .n_integers = n->n_integers,
                         .n_reals = n->n_reals,
                         .data = locum_graph_data(from, id)};
    for (int i = 0; i < n->n_inputs; i++) in[i] = map[locum_graph_inputs(from, id)[i]];
    memcpy(draft.integers, site.integers, sizeof draft.integers);
    memcpy(draft.reals, site.reals, sizeof draft.reals);
    if (n->op == LOCUM_OP_input || n->op == LOCUM_OP_parameter) draft.name = locum_graph_name(from, id);
    return emit(w, &draft, in);
}

/* --- the living --------------------------------------------------------------------------------------------------- */

static void mark_living(const locum_graph *graph, int n_outputs, const locum_id *outputs, bool *living)
{
    for (int i = 0; i < n_outputs; i++) living[outputs[i]] = true;
    for (locum_id id = locum_graph_n(graph); id > 0; id--)
        for (int i = 0; living[id] && i < locum_graph_node(graph, id)->n_inputs; i++)
            living[locum_graph_inputs(graph, id)[i]] = true;
}

/* copies what `outputs` need: map[id] = id in `into` */
static locum_status copy_living(const locum_graph *from, int n_outputs, const locum_id *outputs, locum_graph *into,
                                locum_id *map)
{
    const int32_t n = locum_graph_n(from);
    bool *living = NULL;
    locum_id *in = NULL;
    locum_status st = LOCUM_NEW(&living, n + 1);
    if (!st) st = LOCUM_NEW(&in, locum_graph_widest(from) + 1);
    if (!st) mark_living(from, n_outputs, outputs, living);
    for (locum_id id = 1; !st && id <= n; id++) {
        if (!living[id]) continue;
        for (int i = 0; i < locum_graph_node(from, id)->n_inputs; i++) in[i] = map[locum_graph_inputs(from, id)[i]];
        map[id] = locum_graph_add_copy(into, from, id, in);
        st = locum_graph_status(into);
    }
    free(living);
    free(in);
    return st;
}

static locum_status rewrite_all(work *w, const locum_graph *graph, int n_outputs, const locum_id *outputs,
                                locum_id *map)
{
    const int32_t n = locum_graph_n(graph), widest = locum_graph_widest(graph) + 3;
    bool *living = NULL;
    locum_id *in = NULL;
    locum_status st = LOCUM_NEW(&living, n + 1);
    if (!st) st = LOCUM_NEW(&in, widest);
    if (!st) st = LOCUM_NEW(&w->views, widest);
    if (!st) st = locum_alloc(&w->operand, widest, sizeof *w->operand);
    if (!st) st = LOCUM_NEW(&w->folded, LOCUM_FOLD_MAX);
    if (!st) mark_living(graph, n_outputs, outputs, living);
    for (locum_id id = 1; !st && id <= n; id++) {
        if (living[id]) map[id] = emit_copy(w, graph, id, map, in);
        st = locum_graph_status(w->graph);
    }
    free(living);
    free(in);
    free(w->views);
    free(w->operand);
    free(w->folded);
    free(w->slots);
    return st;
}

locum_status locum_graph_simplify(const locum_graph *graph, int n_outputs, const locum_id *outputs,
                                  locum_graph **simple, locum_id *new_outputs)
{
    work w = {0};
    locum_id *map = NULL, *inside = NULL, *second = NULL;
    *simple = NULL;
    LOCUM_TRY(locum_graph_status(graph));
    for (int i = 0; i < n_outputs; i++)
        LOCUM_REQUIRE(outputs[i] > 0 && outputs[i] <= locum_graph_n(graph), LOCUM_ARG, "simplify: output %d is no node",
                      i);
    locum_status st = LOCUM_NEW(&map, locum_graph_n(graph) + 1);
    if (!st) st = LOCUM_NEW(&inside, n_outputs + 1);
    if (!st) st = locum_graph_create(&w.graph);
    if (!st) st = locum_graph_create(simple);
    if (!st) st = locum_graph_copy_symbols(w.graph, graph);
    if (!st) st = locum_graph_copy_symbols(*simple, graph);
    if (!st) st = rewrite_all(&w, graph, n_outputs, outputs, map);
    if (!st) st = LOCUM_NEW(&second, locum_graph_n(w.graph) + 1);
    for (int i = 0; !st && i < n_outputs; i++) inside[i] = map[outputs[i]];
    if (!st) st = copy_living(w.graph, n_outputs, inside, *simple, second);
    for (locum_id id = 1; !st && id <= locum_graph_n(graph); id++) map[id] = second[map[id]];
    if (!st) locum_graph_copy_outputs(*simple, graph, n_outputs, outputs, map, new_outputs);
    if (!st) st = locum_graph_status(*simple);
    if (st) {
        locum_graph_destroy(*simple);
        *simple = NULL;
    }
    locum_graph_destroy(w.graph);
    free(map);
    free(inside);
    free(second);
    return st;
}
