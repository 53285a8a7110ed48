/* SPDX-License-Identifier: BSD-3-Clause */
/* serialise.c - a graph as JSON, and back from text that nobody vouches for; its hash.
 *
 *     {"symbols": ["batch"],
 *      "nodes": [{"op": "input", "name": "x", "number": "f32", "symbol": 0, "dims": [1, 3]},
 *                {"op": "scale", "in": [1], "number": "f32", "symbol": 0, "dims": [1, 3], "reals": [2, 0]}, ...],
 *      "outputs": [{"id": 2, "name": "y"}]}
 *
 * Ids are positions in `nodes` from 1. Constants carry "data": base64 (RFC 4648) of their values as float64,
 * little-endian, so that every bit survives. Absent keys: no symbol, no operands, no attributes, no name. Unknown keys
 * are faults: they would be ignored meaning. The reader infers every shape again and compares it with the stated one; it
 * believes nothing else either. */
#include "surrogate/graph/operator.h"

#include <stdlib.h>
#include <string.h>

#include "core/hash.h"
#include "core/memory.h"

#define NODES_MAX 100000

static const char *const number_name[] = {
    [LOCUM_REAL32] = "f32", [LOCUM_REAL64] = "f64", [LOCUM_BFLOAT16] = "bf16", [LOCUM_INTEGER32] = "i32"};
static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* --- bytes of values ---------------------------------------------------------------------------------------------- */

static void put_little_endian(double value, unsigned char bytes[8])
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    for (int i = 0; i < 8; i++) bytes[i] = (unsigned char)(bits >> 8 * i);
}

static double get_little_endian(const unsigned char bytes[8])
{
    uint64_t bits = 0;
    double value;
    for (int i = 0; i < 8; i++) bits |= (uint64_t)bytes[i] << 8 * i;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* three bytes -> four letters; n of them are real */
static void put_quantum(const unsigned char three[3], int n, char four[4])
{
    const unsigned bits = (unsigned)three[0] << 16 | (unsigned)three[1] << 8 | three[2];
    for (int i = 0; i < 4; i++) four[i] = i <= n ? base64[bits >> (18 - 6 * i) & 63] : '=';
}

static void write_data(const double *data, int64_t count, locum_text *out)
{
    unsigned char bytes[24]; /* three values are eight quanta, so only the last piece needs filling */
    char letters[32];
    locum_text_bytes(out, "\"", 1);
    for (int64_t i = 0; i < count; i += 3) {
        const int n = count - i < 3 ? (int)(count - i) : 3, n_bytes = 8 * n, quanta = (n_bytes + 2) / 3;
        memset(bytes, 0, sizeof bytes);
        for (int j = 0; j < n; j++) put_little_endian(data[i + j], bytes + 8 * j);
        for (int q = 0; q < quanta; q++)
            put_quantum(bytes + 3 * q, n_bytes - 3 * q < 3 ? n_bytes - 3 * q : 3, letters + 4 * q);
        locum_text_bytes(out, letters, (size_t)(4 * quanta));
    }
    locum_text_bytes(out, "\"", 1);
}

static int letter_value(char letter)
{
    const char *at = letter ? strchr(base64, letter) : NULL;
    return at ? (int)(at - base64) : -1;
}

/* exactly n_bytes bytes from their letters; false if they are not that */
static bool read_base64(const char *text, size_t n_bytes, unsigned char *bytes)
{
    const size_t quanta = (n_bytes + 2) / 3;
    if (strlen(text) != 4 * quanta) return false;
    for (size_t q = 0; q < quanta; q++, text += 4) {
        const int n = n_bytes - 3 * q < 3 ? (int)(n_bytes - 3 * q) : 3;
        unsigned bits = 0;
        for (int i = 0; i < 4; i++) {
            const int value = i <= n ? letter_value(text[i]) : text[i] == '=' ? 0 : -1;
            if (value < 0) return false;
            bits = bits << 6 | (unsigned)value;
        }
        for (int i = 0; i < 3; i++) {
            const unsigned char byte = (unsigned char)(bits >> (16 - 8 * i));
            if (i < n)
                bytes[3 * q + (size_t)i] = byte;
            else if (byte)
                return false; /* bits beyond the end */
        }
    }
    return true;
}

/* --- writing ------------------------------------------------------------------------------------------------------ */

static void write_integers(locum_text *out, const char *key, int n, const int64_t *values)
{
    if (!n) return;
    locum_text_add(out, ", \"%s\": [", key);
    for (int i = 0; i < n; i++) locum_text_add(out, "%s%lld", i ? ", " : "", (long long)values[i]);
    locum_text_add(out, "]");
}

static void write_node(const locum_graph *graph, locum_id id, locum_text *out)
{
    const locum_node *node = locum_graph_node(graph, id);
    locum_text_add(out, "{\"op\": \"%s\"", locum_op_name((locum_op)node->op));
    if (node->name >= 0 && !(node->flags & LOCUM_NODE_OUTPUT)) {
        locum_text_add(out, ", \"name\": ");
        locum_text_json_string(out, locum_graph_name(graph, id));
    }
    for (int i = 0; i < node->n_inputs; i++)
        locum_text_add(out, "%s%d%s", i ? ", " : ", \"in\": [", locum_graph_inputs(graph, id)[i],
                       i == node->n_inputs - 1 ? "]" : "");
    locum_text_add(out, ", \"number\": \"%s\"", number_name[node->number]);
    if (node->symbol >= 0) locum_text_add(out, ", \"symbol\": %d", node->symbol);
    write_integers(out, "dims", node->n_dims, node->dims);
    write_integers(out, "integers", node->n_integers, locum_graph_integers(graph, id));
    for (int i = 0; i < node->n_reals; i++) {
        locum_text_add(out, i ? ", " : ", \"reals\": [");
        locum_text_json_number(out, locum_graph_reals(graph, id)[i]);
    }
    if (node->n_reals) locum_text_add(out, "]");
    if (node->data >= 0) {
        const locum_shape shape = locum_shape_of(graph, id);
        locum_text_add(out, ", \"data\": ");
        write_data(locum_graph_data(graph, id), locum_shape_count(&shape), out);
    }
    locum_text_add(out, "}");
}

void locum_graph_write(const locum_graph *graph, locum_text *out)
{
    locum_text_add(out, "{\"symbols\": [");
    for (int i = 0; i < locum_graph_n_symbols(graph); i++) {
        if (i) locum_text_add(out, ", ");
        locum_text_json_string(out, locum_graph_symbol_name(graph, i));
    }
    locum_text_add(out, "],\n\"nodes\": [");
    for (locum_id id = 1; id <= locum_graph_n(graph); id++) {
        locum_text_add(out, id > 1 ? ",\n" : "\n");
        write_node(graph, id, out);
    }
    locum_text_add(out, "],\n\"outputs\": [");
    for (int i = 0; i < locum_graph_n_outputs(graph); i++) {
        const locum_id id = locum_graph_output(graph, i);
        locum_text_add(out, "%s{\"id\": %d, \"name\": ", i ? ", " : "", id);
        locum_text_json_string(out, locum_graph_name(graph, id));
        locum_text_add(out, "}");
    }
    locum_text_add(out, "]}");
}

/* --- reading ------------------------------------------------------------------------------------------------------ */

typedef struct reader {
    const locum_json *json;
    locum_graph *graph;
    locum_id id; /* of the node being read */
    locum_id *in;
    int64_t in_capacity;
    double *data;
} reader;

/* every member must be one of `keys`, a list that ends with NULL */
static locum_status check_keys(const locum_json *json, locum_json_node object, const char *const *keys)
{
    LOCUM_REQUIRE(object >= 0 && locum_json_kind_of(json, object) == LOCUM_JSON_OBJECT, LOCUM_DAMAGED,
                  "graph: an object is missing");
    for (locum_json_node m = locum_json_first(json, object); m >= 0; m = locum_json_next(json, m)) {
        const char *key = locum_json_key(json, m);
        int i = 0;
        while (keys[i] && strcmp(keys[i], key)) i++;
        LOCUM_REQUIRE(keys[i], LOCUM_DAMAGED, "graph: unknown key '%.40s'", key);
    }
    return LOCUM_OK;
}

/* an array of at most n_max integers; an absent key is an empty array */
static locum_status read_integers(const reader *r, locum_json_node node, const char *key, int n_max, int *n,
                                  int64_t *values)
{
    const locum_json_node array = locum_json_find(r->json, node, key);
    *n = 0;
    if (array < 0) return LOCUM_OK;
    LOCUM_REQUIRE(locum_json_kind_of(r->json, array) == LOCUM_JSON_ARRAY && locum_json_n(r->json, array) <= n_max,
                  LOCUM_DAMAGED, "graph: node %d: '%s' is no list of at most %d integers", r->id, key, n_max);
    for (locum_json_node v = locum_json_first(r->json, array); v >= 0; v = locum_json_next(r->json, v))
        LOCUM_REQUIRE(locum_json_integer(r->json, v, &values[(*n)++]), LOCUM_DAMAGED,
                      "graph: node %d: '%s' holds no integer", r->id, key);
    return LOCUM_OK;
}

static locum_status read_reals(const reader *r, locum_json_node node, locum_draft *draft)
{
    const locum_json_node array = locum_json_find(r->json, node, "reals");
    if (array < 0) return LOCUM_OK;
    LOCUM_REQUIRE(locum_json_kind_of(r->json, array) == LOCUM_JSON_ARRAY &&
                      locum_json_n(r->json, array) <= LOCUM_REALS_MAX,
                  LOCUM_DAMAGED, "graph: node %d: 'reals' is no list of at most %d numbers", r->id, LOCUM_REALS_MAX);
    for (locum_json_node v = locum_json_first(r->json, array); v >= 0; v = locum_json_next(r->json, v))
        LOCUM_REQUIRE(locum_json_number(r->json, v, &draft->reals[draft->n_reals++]), LOCUM_DAMAGED,
                      "graph: node %d: 'reals' holds no number", r->id);
    return LOCUM_OK;
}

static locum_status read_operands(reader *r, locum_json_node node, locum_draft *draft)
{
    const locum_json_node array = locum_json_find(r->json, node, "in");
    if (array < 0) return LOCUM_OK;
    const int64_t n = locum_json_n(r->json, array);
    LOCUM_REQUIRE(locum_json_kind_of(r->json, array) == LOCUM_JSON_ARRAY && n <= NODES_MAX, LOCUM_DAMAGED,
                  "graph: node %d: 'in' is no list of operands", r->id);
    if (n > r->in_capacity) {
        free(r->in);
        r->in = NULL;
        r->in_capacity = 0;
        LOCUM_TRY(LOCUM_NEW(&r->in, n));
        r->in_capacity = n;
    }
    for (locum_json_node v = locum_json_first(r->json, array); v >= 0; v = locum_json_next(r->json, v)) {
        int64_t id = 0;
        LOCUM_REQUIRE(locum_json_integer(r->json, v, &id) && id >= 1 && id < r->id, LOCUM_DAMAGED,
                      "graph: node %d: operand %d does not precede it", r->id, draft->n_inputs);
        r->in[draft->n_inputs++] = (locum_id)id;
    }
    draft->in = r->in;
    return LOCUM_OK;
}

static locum_status read_head(reader *r, locum_json_node node, locum_draft *draft)
{
    const char *op = locum_json_string(r->json, locum_json_find(r->json, node, "op"));
    const char *number = locum_json_string(r->json, locum_json_find(r->json, node, "number"));
    const locum_json_node symbol = locum_json_find(r->json, node, "symbol"),
                          name = locum_json_find(r->json, node, "name");
    int64_t value = -1;
    LOCUM_REQUIRE(op && number, LOCUM_DAMAGED, "graph: node %d: without op or number", r->id);
    draft->op = locum_op_find(op);
    LOCUM_REQUIRE(draft->op != LOCUM_OP_none, LOCUM_DAMAGED, "graph: node %d: unknown operator '%.60s'", r->id, op);
    int type = LOCUM_INTEGER32;
    while (type >= 0 && strcmp(number_name[type], number)) type--;
    LOCUM_REQUIRE(type >= 0, LOCUM_DAMAGED, "graph: node %d: unknown number type '%.20s'", r->id, number);
    draft->shape.number = (locum_number)type;
    LOCUM_REQUIRE(symbol < 0 || (locum_json_integer(r->json, symbol, &value) && value >= 0 &&
                                 value < locum_graph_n_symbols(r->graph)),
                  LOCUM_DAMAGED, "graph: node %d: unknown symbol", r->id);
    draft->shape.symbol = (int)value;
    draft->name = locum_json_string(r->json, name);
    const bool source = draft->op == LOCUM_OP_input || draft->op == LOCUM_OP_parameter;
    LOCUM_REQUIRE((name >= 0) == source && (name < 0 || draft->name), LOCUM_DAMAGED,
                  "graph: node %d: inputs and parameters have a name, others none", r->id);
    return LOCUM_OK;
}

static locum_status read_data(reader *r, locum_json_node node, locum_draft *draft)
{
    const locum_json_node data = locum_json_find(r->json, node, "data");
    const char *text = locum_json_string(r->json, data);
    LOCUM_REQUIRE((data >= 0) == (draft->op == LOCUM_OP_constant), LOCUM_DAMAGED,
                  "graph: node %d: constants have data, others none", r->id);
    if (data < 0) return LOCUM_OK;
    const int64_t count = locum_shape_count(&draft->shape);
    LOCUM_REQUIRE(text && count > 0 && (size_t)count <= strlen(text) / 8,
                  LOCUM_DAMAGED, /* 8 values need more than 64 letters */
                  "graph: node %d: 'data' does not hold the values of its shape", r->id);
    LOCUM_TRY(LOCUM_NEW(&r->data, count));
    unsigned char *bytes = (unsigned char *)r->data;
    LOCUM_REQUIRE(read_base64(text, 8 * (size_t)count, bytes), LOCUM_DAMAGED,
                  "graph: node %d: 'data' is not the base64 of its shape", r->id);
    for (int64_t i = 0; i < count; i++) {
        unsigned char value[8];
        memcpy(value, bytes + 8 * i, sizeof value);
        r->data[i] = get_little_endian(value);
    }
    draft->data = r->data;
    return LOCUM_OK;
}

static locum_status read_node(reader *r, locum_json_node node)
{
    static const char *const keys[] = {"op",   "name",     "in",    "number", "symbol",
                                       "dims", "integers", "reals", "data",   NULL};
    locum_draft draft = {0};
    LOCUM_TRY(check_keys(r->json, node, keys));
    LOCUM_TRY(read_head(r, node, &draft));
    LOCUM_TRY(read_integers(r, node, "dims", LOCUM_DIMS_MAX, &draft.shape.n_dims, draft.shape.dims));
    for (int i = 0; i < draft.shape.n_dims; i++)
        LOCUM_REQUIRE(draft.shape.dims[i] >= 1, LOCUM_DAMAGED, "graph: node %d: dim %d is not positive", r->id, i);
    LOCUM_TRY(read_integers(r, node, "integers", LOCUM_INTEGERS_MAX, &draft.n_integers, draft.integers));
    LOCUM_TRY(read_reals(r, node, &draft));
    LOCUM_TRY(read_operands(r, node, &draft));
    LOCUM_TRY(read_data(r, node, &draft));
    const locum_shape stated = draft.shape;
    const locum_id id = locum_graph_add(r->graph, &draft);
    free(r->data);
    r->data = NULL;
    if (!id) {
        const locum_status st = locum_graph_status(r->graph);
        if (st == LOCUM_MEMORY) return st;
        char text[400];
        strncpy(text, locum_status_message(), sizeof text - 1);
        text[sizeof text - 1] = 0;
        return LOCUM_FAIL(LOCUM_DAMAGED, "graph: node %d: %s", r->id, text);
    }
    LOCUM_REQUIRE(locum_shape_equal(&stated, &draft.shape) && stated.number == draft.shape.number, LOCUM_DAMAGED,
                  "graph: node %d (%s): the stated shape or number type is not what its operands give", r->id,
                  locum_op_name(draft.op));
    return LOCUM_OK;
}

static locum_status read_symbols(reader *r, locum_json_node array)
{
    int n = 0;
    LOCUM_REQUIRE(array >= 0 && locum_json_kind_of(r->json, array) == LOCUM_JSON_ARRAY, LOCUM_DAMAGED,
                  "graph: 'symbols' is no list");
    for (locum_json_node v = locum_json_first(r->json, array); v >= 0; v = locum_json_next(r->json, v), n++) {
        const char *name = locum_json_string(r->json, v);
        LOCUM_REQUIRE(name && locum_graph_symbol(r->graph, name) == n, LOCUM_DAMAGED,
                      "graph: symbol %d is no new name, or too many", n);
    }
    return LOCUM_OK;
}

static locum_status read_nodes(reader *r, locum_json_node array, int32_t max_nodes)
{
    const int64_t most = max_nodes < NODES_MAX ? max_nodes : NODES_MAX;
    LOCUM_REQUIRE(array >= 0 && locum_json_kind_of(r->json, array) == LOCUM_JSON_ARRAY, LOCUM_DAMAGED,
                  "graph: 'nodes' is no list");
    LOCUM_REQUIRE(locum_json_n(r->json, array) <= most, LOCUM_DAMAGED, "graph: %lld nodes; at most %lld",
                  (long long)locum_json_n(r->json, array), (long long)most);
    for (locum_json_node v = locum_json_first(r->json, array); v >= 0; v = locum_json_next(r->json, v)) {
        r->id++;
        LOCUM_TRY(read_node(r, v));
    }
    return LOCUM_OK;
}

static locum_status read_outputs(reader *r, locum_json_node array)
{
    static const char *const keys[] = {"id", "name", NULL};
    LOCUM_REQUIRE(array >= 0 && locum_json_kind_of(r->json, array) == LOCUM_JSON_ARRAY, LOCUM_DAMAGED,
                  "graph: 'outputs' is no list");
    for (locum_json_node v = locum_json_first(r->json, array); v >= 0; v = locum_json_next(r->json, v)) {
        LOCUM_TRY(check_keys(r->json, v, keys));
        int64_t id = 0;
        const char *name = locum_json_string(r->json, locum_json_find(r->json, v, "name"));
        LOCUM_REQUIRE(name && locum_json_integer(r->json, locum_json_find(r->json, v, "id"), &id) && id >= 1 &&
                          id <= r->id && locum_graph_node(r->graph, (locum_id)id)->name < 0,
                      LOCUM_DAMAGED, "graph: an output is no node, or one that has a name already");
        locum_output(r->graph, (locum_id)id, name);
        LOCUM_REQUIRE(!locum_graph_status(r->graph), LOCUM_DAMAGED,
                      "graph: the output name '%.60s' is empty, long or taken", name);
    }
    return LOCUM_OK;
}

locum_status locum_graph_read(const locum_json *json, locum_json_node node, int32_t max_nodes, locum_graph **graph)
{
    static const char *const keys[] = {"symbols", "nodes", "outputs", NULL};
    *graph = NULL;
    LOCUM_TRY(check_keys(json, node, keys));
    reader r = {.json = json};
    locum_status st = locum_graph_create(&r.graph);
    if (!st) st = read_symbols(&r, locum_json_find(json, node, "symbols"));
    if (!st) st = read_nodes(&r, locum_json_find(json, node, "nodes"), max_nodes);
    if (!st) st = read_outputs(&r, locum_json_find(json, node, "outputs"));
    free(r.in);
    free(r.data);
    if (st)
        locum_graph_destroy(r.graph);
    else
        *graph = r.graph;
    return st;
}

/* --- hash --------------------------------------------------------------------------------------------------------- */

static uint64_t chain(uint64_t hash, const void *bytes, size_t n)
{
    const uint64_t pair[2] = {hash, n ? locum_hash(bytes, n) : 0};
    return locum_hash(pair, sizeof pair);
}

/* Of everything that is written: equal graphs have equal hashes on every little-endian machine. */
uint64_t locum_graph_hash(const locum_graph *graph)
{
    uint64_t hash = 0;
    for (int i = 0; i < locum_graph_n_symbols(graph); i++) {
        const char *name = locum_graph_symbol_name(graph, i);
        hash = chain(hash, name, strlen(name) + 1);
    }
    for (locum_id id = 1; id <= locum_graph_n(graph); id++) {
        const locum_node *n = locum_graph_node(graph, id);
        const locum_shape shape = locum_shape_of(graph, id);
        const char *op = locum_op_name((locum_op)n->op), *name = locum_graph_name(graph, id);
        const int32_t head[] = {n->number,  n->n_dims, n->symbol,   n->n_integers,
                                n->n_reals, n->flags,  n->n_inputs, n->data >= 0};
        hash = chain(hash, op, strlen(op));
        hash = chain(hash, head, sizeof head);
        hash = chain(hash, shape.dims, (size_t)n->n_dims * sizeof(int64_t));
        hash = chain(hash, locum_graph_inputs(graph, id), (size_t)n->n_inputs * sizeof(locum_id));
        hash = chain(hash, locum_graph_integers(graph, id), n->n_integers * sizeof(int64_t));
        hash = chain(hash, locum_graph_reals(graph, id), n->n_reals * sizeof(double));
        hash = chain(hash, name, strlen(name));
        if (n->data >= 0)
            hash = chain(hash, locum_graph_data(graph, id), (size_t)locum_shape_count(&shape) * sizeof(double));
    }
    for (int i = 0; i < locum_graph_n_outputs(graph); i++) {
        const locum_id id = locum_graph_output(graph, i);
        hash = chain(hash, &id, sizeof id);
    }
    return hash;
}
