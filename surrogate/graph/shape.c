/* SPDX-License-Identifier: BSD-3-Clause */
/* shape.c - shapes of nodes: constants, but for a first dim that may be a constant times a named extent.
 *
 *     [3, 4]   [batch, 4]   [2 batch, 4]   []          checks are symbolic: they hold for every extent */
#include "surrogate/graph/operator.h"

#include <stdio.h>
#include <string.h>

locum_shape locum_shape_of(const locum_graph *graph, locum_id id)
{
    const locum_node *node = locum_graph_node(graph, id);
    locum_shape shape = {.number = (locum_number)node->number, .symbol = node->symbol, .n_dims = node->n_dims};
    memcpy(shape.dims, node->dims, sizeof shape.dims);
    return shape;
}

bool locum_shape_equal(const locum_shape *a, const locum_shape *b)
{
    if (a->n_dims != b->n_dims || a->symbol != b->symbol) return false;
    for (int i = 0; i < a->n_dims; i++)
        if (a->dims[i] != b->dims[i]) return false;
    return true;
}

int64_t locum_shape_count(const locum_shape *shape)
{
    int64_t count = 1;
    for (int i = 0; i < shape->n_dims; i++)
        if (__builtin_mul_overflow(count, shape->dims[i], &count) || count > LOCUM_COUNT_MAX) return -1;
    return count;
}

int64_t locum_graph_count(const locum_graph *graph, locum_id id, const int64_t *extents)
{
    const locum_shape shape = locum_shape_of(graph, id);
    int64_t count = locum_shape_count(&shape);
    if (shape.symbol >= 0 && __builtin_mul_overflow(count, extents[shape.symbol], &count)) return INT64_MAX;
    return count;
}

locum_status locum_shape_check(const locum_graph *graph, const locum_shape *shape)
{
    LOCUM_REQUIRE((unsigned)shape->n_dims <= LOCUM_DIMS_MAX, LOCUM_ARG, "%d dims; at most %d", shape->n_dims,
                  LOCUM_DIMS_MAX);
    LOCUM_REQUIRE((unsigned)shape->number <= LOCUM_INTEGER32, LOCUM_ARG, "number type %d is unknown",
                  (int)shape->number);
    LOCUM_REQUIRE(shape->symbol >= -1 && shape->symbol < locum_graph_n_symbols(graph) &&
                      (shape->symbol < 0 || shape->n_dims),
                  LOCUM_ARG, "symbol %d is unknown, or has no dim", shape->symbol);
    for (int i = 0; i < shape->n_dims; i++)
        LOCUM_REQUIRE(shape->dims[i] >= 1, LOCUM_ARG, "dim %d is %lld; sizes are at least 1", i,
                      (long long)shape->dims[i]);
    LOCUM_REQUIRE(locum_shape_count(shape) > 0, LOCUM_ARG, "more than 2^44 values in one node");
    return LOCUM_OK;
}

const char *locum_shape_text(const locum_graph *graph, const locum_shape *shape, char text[LOCUM_SHAPE_TEXT])
{
    int n = snprintf(text, LOCUM_SHAPE_TEXT, "[");
    for (int i = 0; i < shape->n_dims && i < LOCUM_DIMS_MAX && n < LOCUM_SHAPE_TEXT; i++) {
        const char *symbol = i == 0 && shape->symbol >= 0 ? locum_graph_symbol_name(graph, shape->symbol) : "";
        const size_t left = (size_t)(LOCUM_SHAPE_TEXT - n);
        if (symbol[0] && shape->dims[0] == 1)
            n += snprintf(text + n, left, "%.40s", symbol);
        else
            n += snprintf(text + n, left, "%s%lld%s%.40s", i ? ", " : "", (long long)shape->dims[i],
                          symbol[0] ? " " : "", symbol);
    }
    if (n < LOCUM_SHAPE_TEXT - 1) strcpy(text + n, "]");
    return text;
}

locum_status locum_shape_broadcast(const locum_graph *graph, const char *who, const locum_shape *a,
                                   const locum_shape *b, locum_shape *both)
{
    const locum_shape *longer = a->n_dims > b->n_dims || (a->n_dims == b->n_dims && a->symbol >= 0) ? a : b;
    const locum_shape *shorter = longer == a ? b : a;
    const int lead = longer->n_dims - shorter->n_dims;
    bool fits = a->number == b->number && (shorter->symbol < 0 || (lead == 0 && shorter->symbol == longer->symbol));
    *both = *longer;
    for (int i = 0; fits && i < shorter->n_dims; i++) {
        const int64_t x = longer->dims[lead + i], y = shorter->dims[i];
        const bool rows = lead + i == 0 && longer->symbol >= 0; /* x counts in units of the symbol */
        if (rows && shorter->symbol < 0) {
            fits = y == 1;
        } else if (x != y) {
            fits = !rows && (x == 1 || y == 1);
            both->dims[lead + i] = x == 1 ? y : x;
        }
    }
    char x[LOCUM_SHAPE_TEXT], y[LOCUM_SHAPE_TEXT];
    LOCUM_REQUIRE(fits, LOCUM_ARG, "%s: %s and %s %s", who, locum_shape_text(graph, a, x),
                  locum_shape_text(graph, b, y),
                  a->number == b->number ? "do not fit together" : "are of different number types (cast one)");
    return LOCUM_OK;
}

int locum_shape_axis(const locum_shape *shape, int64_t axis)
{
    if (axis < 0) axis += shape->n_dims;
    return axis >= 0 && axis < shape->n_dims ? (int)axis : -1;
}

locum_id locum_expand_like(locum_graph *graph, locum_id x, locum_id like)
{
    const locum_shape shape = locum_shape_of(graph, like);
    return locum_expand(graph, x, shape.symbol, shape.n_dims, shape.dims);
}

locum_id locum_reshape_like(locum_graph *graph, locum_id x, locum_id like)
{
    const locum_shape shape = locum_shape_of(graph, like);
    return locum_reshape(graph, x, shape.n_dims, shape.dims);
}
