/* SPDX-License-Identifier: BSD-3-Clause */
/* graph.c - the storage of a graph: one array of nodes and pools for everything of variable length.
 *
 *     nodes      [1 .. n]      inputs precede users, so ids are an order of evaluation
 *     inputs, integers, reals, names, data      pools; a node keeps its first index
 *     by_name    open addressing over ids: sources and outputs by name
 *
 * Only this file sees the struct. Shapes are in shape.c, sources and operators in ops/. */
#include "surrogate/graph/operator.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/hash.h"
#include "core/memory.h"

#define NAME_SIZE 512
#define SYMBOL_SIZE 64
#define DEPTH_MAX 32
#define MESSAGE_SIZE 1024

typedef struct pool {
    void *data;
    int64_t n, capacity;
} pool;

struct locum_graph {
    pool nodes, inputs, integers, reals, names, data, outputs; /* nodes.n counts node 0, which is "none" */
    int32_t *by_name, name_slots, n_named, widest;
    char symbols[LOCUM_SYMBOLS_MAX][SYMBOL_SIZE];
    int n_symbols;
    char path[NAME_SIZE];
    int depth, path_length[DEPTH_MAX];
    locum_status status;
    char message[MESSAGE_SIZE];
};

static const locum_operator *const operators[] = {NULL,
#define OPERATOR(name, n, tier) &locum_operator_##name,
                                                  LOCUM_OPS(OPERATOR)
#undef OPERATOR
};

enum { P = 0, C = 1 };
static const struct {
    const char *name;
    int n_inputs, tier;
} op_table[] = {{"none", 0, P},
#define ROW(name, n, tier) {#name, n, tier},
                LOCUM_OPS(ROW)
#undef ROW
};

const locum_operator *locum_operator_of(int op)
{
    return op > 0 && op < LOCUM_OP_COUNT ? operators[op] : NULL;
}

const char *locum_op_name(locum_op op)
{
    return (unsigned)op < LOCUM_OP_COUNT ? op_table[op].name : "none";
}

int locum_op_n_inputs(int op)
{
    return op_table[op].n_inputs;
}

bool locum_op_is_composite(int op)
{
    return op_table[op].tier == C;
}

locum_op locum_op_find(const char *name)
{
    for (int op = 1; op < LOCUM_OP_COUNT; op++)
        if (!strcmp(op_table[op].name, name)) return (locum_op)op;
    return LOCUM_OP_none;
}

/* --- pools -------------------------------------------------------------------------------------------------------- */

/* room for `more` further elements */
static locum_status pool_reserve(pool *p, int64_t more, size_t size)
{
    if (p->n + more <= p->capacity) return LOCUM_OK;
    LOCUM_REQUIRE(p->n + more < INT32_MAX || size == sizeof(double), LOCUM_ARG, "graph: too many nodes or names");
    int64_t capacity = p->capacity + p->capacity / 2 + 16;
    if (capacity < p->n + more) capacity = p->n + more;
    void *larger = NULL;
    LOCUM_TRY(locum_alloc(&larger, capacity, size));
    if (p->n) memcpy(larger, p->data, (size_t)p->n * size);
    free(p->data);
    p->data = larger;
    p->capacity = capacity;
    return LOCUM_OK;
}

static int64_t pool_append(pool *p, const void *from, int64_t n, size_t size) /* after pool_reserve */
{
    if (n) memcpy((char *)p->data + (size_t)p->n * size, from, (size_t)n * size);
    p->n += n;
    return p->n - n;
}

static locum_status pool_copy(pool *to, const pool *from, size_t size)
{
    LOCUM_TRY(pool_reserve(to, from->n, size));
    pool_append(to, from->data, from->n, size);
    return LOCUM_OK;
}

/* --- life --------------------------------------------------------------------------------------------------------- */

locum_status locum_graph_create(locum_graph **graph)
{
    const locum_node none = {.symbol = -1, .name = -1, .data = -1};
    LOCUM_TRY(LOCUM_NEW(graph, 1));
    locum_status st = pool_reserve(&(*graph)->nodes, 64, sizeof none);
    if (!st) pool_append(&(*graph)->nodes, &none, 1, sizeof none);
    if (st) {
        locum_graph_destroy(*graph);
        *graph = NULL;
    }
    return st;
}

void locum_graph_destroy(locum_graph *graph)
{
    if (!graph) return;
    free(graph->nodes.data);
    free(graph->inputs.data);
    free(graph->integers.data);
    free(graph->reals.data);
    free(graph->names.data);
    free(graph->data.data);
    free(graph->outputs.data);
    free(graph->by_name);
    free(graph);
}

locum_status locum_graph_copy(const locum_graph *graph, locum_graph **copy)
{
    LOCUM_TRY(LOCUM_NEW(copy, 1));
    locum_graph *g = *copy;
    *g = *graph;
    g->nodes = g->inputs = g->integers = g->reals = g->names = g->data = g->outputs = (pool){0};
    g->by_name = NULL;
    locum_status st = pool_copy(&g->nodes, &graph->nodes, sizeof(locum_node));
    if (!st) st = pool_copy(&g->inputs, &graph->inputs, sizeof(locum_id));
    if (!st) st = pool_copy(&g->integers, &graph->integers, sizeof(int64_t));
    if (!st) st = pool_copy(&g->reals, &graph->reals, sizeof(double));
    if (!st) st = pool_copy(&g->names, &graph->names, 1);
    if (!st) st = pool_copy(&g->data, &graph->data, sizeof(double));
    if (!st) st = pool_copy(&g->outputs, &graph->outputs, sizeof(locum_id));
    if (!st && graph->name_slots) {
        st = LOCUM_NEW(&g->by_name, graph->name_slots);
        if (!st) memcpy(g->by_name, graph->by_name, (size_t)graph->name_slots * sizeof(int32_t));
    }
    if (st) {
        locum_graph_destroy(g);
        *copy = NULL;
    }
    return st;
}

/* --- faults and paths --------------------------------------------------------------------------------------------- */

locum_status locum_graph_status(const locum_graph *graph)
{
    if (graph->status) return LOCUM_FAIL(graph->status, "%s", graph->message);
    return LOCUM_OK;
}

locum_id locum_graph_fault(locum_graph *graph, locum_status status, const char *format, ...)
{
    if (graph->status) return 0;
    int n = snprintf(graph->message, MESSAGE_SIZE, graph->path[0] ? "graph: %s: " : "graph: ", graph->path);
    va_list list;
    va_start(list, format);
    vsnprintf(graph->message + n, (size_t)(MESSAGE_SIZE - n), format, list);
    va_end(list);
    graph->status = status;
    return 0;
}

void locum_graph_push(locum_graph *graph, const char *format, ...)
{
    const int used = (int)strlen(graph->path);
    if (graph->depth == DEPTH_MAX) {
        locum_graph_fault(graph, LOCUM_ARG, "paths nest deeper than %d", DEPTH_MAX);
        return;
    }
    va_list list;
    va_start(list, format);
    int n = vsnprintf(graph->path + used, (size_t)(NAME_SIZE - used), format, list);
    va_end(list);
    if (n < 1 || used + n + 1 >= NAME_SIZE) {
        graph->path[used] = 0;
        locum_graph_fault(graph, LOCUM_ARG, "a part of a path has %d bytes", n);
        n = 0;
    } else if (graph->path[used + n - 1] != '/') {
        strcpy(graph->path + used + n, "/");
    }
    graph->path_length[graph->depth++] = used;
}

void locum_graph_pop(locum_graph *graph)
{
    if (graph->depth)
        graph->path[graph->path_length[--graph->depth]] = 0;
    else
        locum_graph_fault(graph, LOCUM_ARG, "locum_graph_pop without locum_graph_push");
}

/* --- queries ------------------------------------------------------------------------------------------------------ */

int32_t locum_graph_n(const locum_graph *graph)
{
    return (int32_t)graph->nodes.n - 1;
}

const locum_node *locum_graph_node(const locum_graph *graph, locum_id id)
{
    return (const locum_node *)graph->nodes.data + (id > 0 && id < graph->nodes.n ? id : 0);
}

const locum_id *locum_graph_inputs(const locum_graph *graph, locum_id id)
{
    const locum_id *data = graph->inputs.data;
    return data ? data + locum_graph_node(graph, id)->first_input : NULL;
}

const int64_t *locum_graph_integers(const locum_graph *graph, locum_id id)
{
    const int64_t *data = graph->integers.data;
    return data ? data + locum_graph_node(graph, id)->integers : NULL;
}

const double *locum_graph_reals(const locum_graph *graph, locum_id id)
{
    const double *data = graph->reals.data;
    return data ? data + locum_graph_node(graph, id)->reals : NULL;
}

const char *locum_graph_name(const locum_graph *graph, locum_id id)
{
    const int32_t name = locum_graph_node(graph, id)->name;
    return name < 0 ? "" : (const char *)graph->names.data + name;
}

const double *locum_graph_data(const locum_graph *graph, locum_id id)
{
    const int64_t data = locum_graph_node(graph, id)->data;
    return data < 0 ? NULL : (const double *)graph->data.data + data;
}

int32_t locum_graph_widest(const locum_graph *graph)
{
    return graph->widest;
}

int locum_graph_n_symbols(const locum_graph *graph)
{
    return graph->n_symbols;
}

const char *locum_graph_symbol_name(const locum_graph *graph, int symbol)
{
    return symbol >= 0 && symbol < graph->n_symbols ? graph->symbols[symbol] : "";
}

int locum_graph_n_outputs(const locum_graph *graph)
{
    return (int)graph->outputs.n;
}

locum_id locum_graph_output(const locum_graph *graph, int i)
{
    return i >= 0 && i < graph->outputs.n ? ((const locum_id *)graph->outputs.data)[i] : 0;
}

int locum_graph_symbol(locum_graph *graph, const char *name)
{
    for (int i = 0; i < graph->n_symbols; i++)
        if (!strcmp(graph->symbols[i], name)) return i;
    if (graph->n_symbols == LOCUM_SYMBOLS_MAX || !name[0] || strlen(name) >= SYMBOL_SIZE) {
        locum_graph_fault(graph, LOCUM_ARG, "symbol '%.64s': at most %d symbols of 1 to %d bytes", name,
                          LOCUM_SYMBOLS_MAX, SYMBOL_SIZE - 1);
        return -1;
    }
    strcpy(graph->symbols[graph->n_symbols], name);
    return graph->n_symbols++;
}

/* --- names -------------------------------------------------------------------------------------------------------- */

/* slot of the source or output of that name, or the empty slot where it belongs */
static int32_t name_slot(const locum_graph *graph, const char *name, bool output)
{
    int32_t slot = (int32_t)(locum_hash(name, strlen(name)) & (uint64_t)(graph->name_slots - 1));
    for (; graph->by_name[slot]; slot = (slot + 1) & (graph->name_slots - 1)) {
        const locum_id id = graph->by_name[slot];
        const bool is_output = locum_graph_node(graph, id)->flags & LOCUM_NODE_OUTPUT;
        if (is_output == output && !strcmp(locum_graph_name(graph, id), name)) break;
    }
    return slot;
}

static locum_id find_named(const locum_graph *graph, const char *name, bool output)
{
    return graph->name_slots ? graph->by_name[name_slot(graph, name, output)] : 0;
}

locum_id locum_graph_find(const locum_graph *graph, const char *name)
{
    const locum_id source = find_named(graph, name, false);
    return source ? source : find_named(graph, name, true);
}

static locum_status name_reserve(locum_graph *graph, size_t length)
{
    LOCUM_TRY(pool_reserve(&graph->names, (int64_t)length + 1, 1));
    if (2 * (graph->n_named + 1) <= graph->name_slots) return LOCUM_OK;
    int32_t *old = graph->by_name, n_old = graph->name_slots, *larger = NULL;
    LOCUM_TRY(LOCUM_NEW(&larger, n_old ? 2 * n_old : 32));
    graph->by_name = larger;
    graph->name_slots = n_old ? 2 * n_old : 32;
    for (int32_t i = 0; i < n_old; i++) {
        const locum_id id = old[i];
        if (id)
            graph->by_name[name_slot(graph, locum_graph_name(graph, id),
                                     locum_graph_node(graph, id)->flags & LOCUM_NODE_OUTPUT)] = id;
    }
    free(old);
    return LOCUM_OK;
}

/* gives node `id`, already flagged, its name; after name_reserve */
static void name_node(locum_graph *graph, locum_id id, const char *name)
{
    locum_node *node = (locum_node *)graph->nodes.data + id;
    const int32_t slot = name_slot(graph, name, node->flags & LOCUM_NODE_OUTPUT);
    node->name = (int32_t)pool_append(&graph->names, name, (int64_t)strlen(name) + 1, 1);
    graph->by_name[slot] = id;
    graph->n_named++;
}

void locum_output(locum_graph *graph, locum_id id, const char *name)
{
    if (graph->status) return;
    if (id < 1 || id > locum_graph_n(graph) || !name[0] || strlen(name) >= NAME_SIZE || find_named(graph, name, true)) {
        locum_graph_fault(graph, LOCUM_ARG, "output '%.200s': no node, or a name that is empty, long or taken", name);
        return;
    }
    if (locum_graph_node(graph, id)->name >= 0) id = locum_reshape_like(graph, id, id); /* a node has one name */
    if (!id) return;
    locum_status st = name_reserve(graph, strlen(name));
    if (!st) st = pool_reserve(&graph->outputs, 1, sizeof id);
    if (st) {
        locum_graph_fault(graph, st, "output '%.200s': out of memory", name);
        return;
    }
    ((locum_node *)graph->nodes.data)[id].flags |= LOCUM_NODE_OUTPUT;
    name_node(graph, id, name);
    pool_append(&graph->outputs, &id, 1, sizeof id);
}

/* --- adding ------------------------------------------------------------------------------------------------------- */

static locum_status check_draft(const locum_graph *graph, locum_draft *draft)
{
    const locum_operator *rules = locum_operator_of(draft->op);
    LOCUM_REQUIRE(rules, LOCUM_ARG, "operator %d is unknown", (int)draft->op);
    const char *who = locum_op_name(draft->op);
    const int n = locum_op_n_inputs(draft->op);
    LOCUM_REQUIRE(n < 0 ? draft->n_inputs > 0 : draft->n_inputs == n, LOCUM_ARG, "%s: %d operands", who,
                  draft->n_inputs);
    for (int i = 0; i < draft->n_inputs; i++)
        LOCUM_REQUIRE(draft->in[i] > 0 && draft->in[i] <= locum_graph_n(graph), LOCUM_ARG,
                      "%s: operand %d is no node of this graph", who, i);
    LOCUM_REQUIRE(draft->n_reals == rules->n_reals, LOCUM_ARG, "%s: %d real attributes", who, draft->n_reals);
    LOCUM_REQUIRE(rules->n_integers < 0 || draft->n_integers == rules->n_integers, LOCUM_ARG,
                  "%s: %d integer attributes", who, draft->n_integers);
    for (int i = 0; i < draft->n_reals; i++)
        LOCUM_REQUIRE(draft->reals[i] - draft->reals[i] == 0, LOCUM_ARG, "%s: attribute %d is not finite", who, i);
    LOCUM_TRY(rules->shape(graph, draft));
    LOCUM_TRY(locum_shape_check(graph, &draft->shape));
    if (!draft->name) return LOCUM_OK;
    LOCUM_REQUIRE(draft->name[0] && strlen(draft->name) < NAME_SIZE, LOCUM_ARG, "%s: a name has 1 to %d bytes", who,
                  NAME_SIZE - 1);
    LOCUM_REQUIRE(!find_named(graph, draft->name, false), LOCUM_ARG, "%s: the name '%s' is taken", who, draft->name);
    return LOCUM_OK;
}

static locum_status reserve_draft(locum_graph *graph, const locum_draft *draft, int64_t n_data)
{
    LOCUM_TRY(pool_reserve(&graph->nodes, 1, sizeof(locum_node)));
    LOCUM_TRY(pool_reserve(&graph->inputs, draft->n_inputs, sizeof(locum_id)));
    LOCUM_TRY(pool_reserve(&graph->integers, draft->n_integers, sizeof(int64_t)));
    LOCUM_TRY(pool_reserve(&graph->reals, draft->n_reals, sizeof(double)));
    LOCUM_TRY(pool_reserve(&graph->data, n_data, sizeof(double)));
    if (draft->name) LOCUM_TRY(name_reserve(graph, strlen(draft->name)));
    return LOCUM_OK;
}

locum_id locum_graph_add(locum_graph *graph, locum_draft *draft)
{
    if (graph->status) return 0;
    locum_status st = check_draft(graph, draft);
    const int64_t n_data = !st && draft->data ? locum_shape_count(&draft->shape) : 0;
    if (!st) st = reserve_draft(graph, draft, n_data);
    if (st) return locum_graph_fault(graph, st, "%s", locum_status_message());

    locum_node node = {.op = (uint16_t)draft->op,
                       .number = (uint8_t)draft->shape.number,
                       .n_dims = (uint8_t)draft->shape.n_dims,
                       .symbol = (int8_t)draft->shape.symbol,
                       .n_integers = (uint8_t)draft->n_integers,
                       .n_reals = (uint8_t)draft->n_reals,
                       .n_inputs = draft->n_inputs,
                       .name = -1,
                       .data = -1};
    memcpy(node.dims, draft->shape.dims, (size_t)draft->shape.n_dims * sizeof(int64_t));
    node.first_input = (int32_t)pool_append(&graph->inputs, draft->in, draft->n_inputs, sizeof(locum_id));
    node.integers = (int32_t)pool_append(&graph->integers, draft->integers, draft->n_integers, sizeof(int64_t));
    node.reals = (int32_t)pool_append(&graph->reals, draft->reals, draft->n_reals, sizeof(double));
    if (draft->data) node.data = pool_append(&graph->data, draft->data, n_data, sizeof(double));
    const locum_id id = (locum_id)pool_append(&graph->nodes, &node, 1, sizeof node);
    if (draft->name) name_node(graph, id, draft->name);
    if (draft->n_inputs > graph->widest) graph->widest = draft->n_inputs;
    return id;
}

/* --- sources that are asked for by name --------------------------------------------------------------------------- */

static locum_id named_source(locum_graph *graph, locum_op op, const char *name, const locum_shape *shape)
{
    char full[2 * NAME_SIZE];
    snprintf(full, sizeof full, "%s%.*s", op == LOCUM_OP_parameter ? graph->path : "", NAME_SIZE, name);
    const locum_id known = graph->status ? 0 : find_named(graph, full, false);
    if (known) {
        char a[LOCUM_SHAPE_TEXT], b[LOCUM_SHAPE_TEXT];
        const locum_shape old = locum_shape_of(graph, known);
        if (locum_graph_node(graph, known)->op == op && old.number == shape->number && locum_shape_equal(&old, shape))
            return known;
        return locum_graph_fault(
            graph, LOCUM_ARG, "%s '%s' of shape %s exists as %s of shape %s or another number type", locum_op_name(op),
            full, locum_shape_text(graph, shape, a), locum_op_name((locum_op)locum_graph_node(graph, known)->op),
            locum_shape_text(graph, &old, b));
    }
    locum_draft draft = {.op = op, .shape = *shape, .name = full};
    return locum_graph_add(graph, &draft);
}

static bool make_shape(locum_graph *graph, locum_op op, locum_number number, int symbol, int n_dims,
                       const int64_t *dims, locum_shape *shape)
{
    *shape = (locum_shape){.number = number, .symbol = symbol, .n_dims = n_dims};
    if (n_dims < 0 || n_dims > LOCUM_DIMS_MAX) {
        locum_graph_fault(graph, LOCUM_ARG, "%s: %d dims; at most %d", locum_op_name(op), n_dims, LOCUM_DIMS_MAX);
        return false;
    }
    if (n_dims) memcpy(shape->dims, dims, (size_t)n_dims * sizeof *dims);
    return true;
}

locum_id locum_input(locum_graph *graph, const char *name, locum_number number, int symbol, int n_dims,
                     const int64_t *dims)
{
    locum_shape shape;
    if (!make_shape(graph, LOCUM_OP_input, number, symbol, n_dims, dims, &shape)) return 0;
    return named_source(graph, LOCUM_OP_input, name, &shape);
}

locum_id locum_parameter(locum_graph *graph, const char *name, locum_number number, int n_dims, const int64_t *dims)
{
    locum_shape shape;
    if (!make_shape(graph, LOCUM_OP_parameter, number, -1, n_dims, dims, &shape)) return 0;
    return named_source(graph, LOCUM_OP_parameter, name, &shape);
}

/* --- copying nodes between graphs --------------------------------------------------------------------------------- */

locum_site locum_site_of(const locum_graph *from, locum_id id, locum_graph *into, const locum_id *in)
{
    locum_site site = {.graph = into, .node = *locum_graph_node(from, id), .id = id, .in = in};
    if (site.node.n_integers)
        memcpy(site.integers, locum_graph_integers(from, id), site.node.n_integers * sizeof(int64_t));
    if (site.node.n_reals) memcpy(site.reals, locum_graph_reals(from, id), site.node.n_reals * sizeof(double));
    return site;
}

locum_id locum_graph_add_copy(locum_graph *into, const locum_graph *from, locum_id id, const locum_id *in)
{
    const locum_node *node = locum_graph_node(from, id);
    locum_draft draft = {.op = (locum_op)node->op,
                         .shape = locum_shape_of(from, id),
                         .n_inputs = node->n_inputs,
                         .in = in,
                         .n_integers = node->n_integers,
                         .n_reals = node->n_reals,
                         .data = locum_graph_data(from, id)};
    if (node->n_integers) memcpy(draft.integers, locum_graph_integers(from, id), node->n_integers * sizeof(int64_t));
    if (node->n_reals) memcpy(draft.reals, locum_graph_reals(from, id), node->n_reals * sizeof(double));
    if (node->op == LOCUM_OP_input || node->op == LOCUM_OP_parameter) draft.name = locum_graph_name(from, id);
    return locum_graph_add(into, &draft);
}

locum_status locum_graph_copy_symbols(locum_graph *into, const locum_graph *from)
{
    for (int i = 0; i < from->n_symbols; i++) locum_graph_symbol(into, from->symbols[i]);
    return locum_graph_status(into);
}

void locum_graph_copy_outputs(locum_graph *into, const locum_graph *from, int n, const locum_id *outputs,
                              const locum_id *map, locum_id *new_outputs)
{
    for (int i = 0; i < n; i++) {
        new_outputs[i] = map[outputs[i]];
        if (!(locum_graph_node(from, outputs[i])->flags & LOCUM_NODE_OUTPUT)) continue;
        const char *name = locum_graph_name(from, outputs[i]);
        if (!find_named(into, name, true)) locum_output(into, new_outputs[i], name);
        new_outputs[i] = find_named(into, name, true);
    }
}
