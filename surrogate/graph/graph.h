/* SPDX-License-Identifier: BSD-3-Clause */
/* graph.h - a network as a static graph of a small closed set of operators; gradients are graphs of the same set.
 *
 * Nodes have integer ids; inputs precede users; id 0 is "none". Builders infer and check shapes and return an id; the first
 * fault sticks to the graph (with the path of the layer), later builders return 0, and locum_graph_status() is checked once.
 *
 * Shapes: up to 8 dims. The first dim may be a constant times one named extent ("batch"): dims[0] * extent[symbol]. A plan is
 * made for capacities; each run passes the actual extents. Channels last: [batch, z, y, x, channel], [row, channel]. */
#ifndef SURROGATE_GRAPH_GRAPH_H
#define SURROGATE_GRAPH_GRAPH_H

#include <stdbool.h>
#include <stdint.h>

#include "core/json.h"
#include "core/text.h"
#include "locum/dev/error.h"

/* the table of operators, and a remark beside each call: */
/* clang-format off */
#define LOCUM_DIMS_MAX 8
#define LOCUM_SYMBOLS_MAX 8

typedef int32_t locum_id;
/* numbers of a node (LOCUM_F64, LOCUM_I32 are types of options: include/locum/dev/option.h) */
typedef enum { LOCUM_REAL32 = 0, LOCUM_REAL64 = 1, LOCUM_BFLOAT16 = 2, LOCUM_INTEGER32 = 3 } locum_number;

/* X(name, n_inputs (-1 = any), tier)   P = primitive, C = composite (has expand; see ops/composites.c) */
#define LOCUM_OPS(X)                                                                                              \
    /* sources */ X(input, 0, P) X(parameter, 0, P) X(constant, 0, P) X(noise, 0, P)                              \
    /* elementwise, one operand */ X(neg, 1, P) X(exp, 1, P) X(log, 1, P) X(sqrt, 1, P) X(reciprocal, 1, P)       \
    X(sin, 1, P) X(cos, 1, P) X(tanh, 1, P) X(sigmoid, 1, P) X(softplus, 1, P) X(erf, 1, P) X(abs, 1, P)          \
    X(sign, 1, P) X(power, 1, P) /* attribute: exponent */ X(scale, 1, P) /* a * x + b, attributes a, b */        \
    X(stop_gradient, 1, P) X(cast, 1, P)                                                                          \
    /* elementwise, same shapes */ X(add, 2, P) X(subtract, 2, P) X(multiply, 2, P) X(divide, 2, P)               \
    X(maximum, 2, P) X(minimum, 2, P) X(greater, 2, P) /* 1 or 0 */ X(select, 3, P) /* c != 0 ? a : b */          \
    /* shape */ X(reshape, 1, P) X(permute, 1, P) X(expand, 1, P) X(sum, 1, P) X(slice, 1, P) X(pad, 1, P)        \
    X(concat, -1, P) X(flip, 1, P)                                                                                \
    /* the product trio, closed under differentiation; groups = block-diagonal (ensembles, modes) */              \
    X(product, 2, P)   /* a [rows.., G K], b [G, K, N] -> [rows.., G N];  transposed: b [G, N, K] */              \
    X(product_rows, 2, P) /* a [rows.., G K], c [rows.., G N] -> [G, K, N]: sum over rows */                      \
    X(transform, 2, P) /* x, constant F [M, N]: y[.., m, ..] = sum over n of F[m, n] x[.., n, ..] along one axis */ \
    /* the convolution trio, closed too */ X(convolution, 2, P) X(convolution_input, 2, P)                        \
    X(convolution_weight, 2, P) /* maximum pooling, a composite */ X(larger_of_pairs, 1, C)                       \
    /* composites */ X(relu, 1, C) X(gelu, 1, C) X(silu, 1, C) X(mean, 1, C) X(softmax, 1, C) X(layer_norm, 3, C)

/* Attributes, in the order of locum_graph_integers() and locum_graph_reals(); dims belong to the node itself:
 *   noise {stream} | permute {order[n_dims]} | sum, mean {keep, axes ascending ...} | slice {axis, first, n, step}
 *   pad {axis, before, after, mode} | concat {axis} | flip {axis} | product {transposed} | product_rows {groups}
 *   transform {axis, transposed} |
 *   convolution, _input, _weight {periodic, stride, dilation, before [axes], size [axes]} | larger_of_pairs {axis}
 *   power {; exponent} | scale {; factor, offset} | layer_norm {; epsilon}           (integers ; reals)
 * softmax and layer_norm work on the last axis. Axes given to builders may be negative (-1 = last); nodes hold them >= 0.
 * Sizes are at least 1; only the extent of a symbol may be 0. Rows along a symbol's dim cannot be sliced, padded, flipped or joined. */
typedef enum locum_op {
    LOCUM_OP_none = 0,
#define LOCUM_OP_ID(name, n, tier) LOCUM_OP_##name,
    LOCUM_OPS(LOCUM_OP_ID)
#undef LOCUM_OP_ID
    LOCUM_OP_COUNT
} locum_op;

enum { LOCUM_NODE_OUTPUT = 1 }; /* flags of a node */

typedef struct locum_node {
    uint16_t op;      /* locum_op */
    uint8_t number;   /* locum_number */
    uint8_t n_dims;
    int8_t symbol;    /* of the first dim; -1 = constant */
    uint8_t n_integers, n_reals;
    uint8_t flags;
    int64_t dims[LOCUM_DIMS_MAX];
    int32_t first_input, n_inputs; /* into the pool of inputs */
    int32_t integers, reals;       /* first attribute in the pools of integers (int64) and reals (double) */
    int32_t name;                  /* offset in the pool of names, -1 = none; inputs, parameters and outputs have one */
    int64_t data;                  /* constants: offset in the pool of data (double values), else -1 */
} locum_node;

typedef struct locum_graph locum_graph;

locum_status locum_graph_create(locum_graph **graph);
void locum_graph_destroy(locum_graph *graph); /* NULL-safe */
locum_status locum_graph_copy(const locum_graph *graph, locum_graph **copy);
/** The first fault of any builder, or LOCUM_OK. */
locum_status locum_graph_status(const locum_graph *graph);
/** What a builder does that cannot go on: keeps the first fault, with the path; returns 0. */
locum_id locum_graph_fault(locum_graph *graph, locum_status status, const char *format, ...) LOCUM_PRINTF(3, 4);

/* queries, local */
int32_t locum_graph_n(const locum_graph *graph); /* ids are 1 .. n */
const locum_node *locum_graph_node(const locum_graph *graph, locum_id id);
const locum_id *locum_graph_inputs(const locum_graph *graph, locum_id id);
const int64_t *locum_graph_integers(const locum_graph *graph, locum_id id);
const double *locum_graph_reals(const locum_graph *graph, locum_id id);
const char *locum_graph_name(const locum_graph *graph, locum_id id); /* "" if none */
const double *locum_graph_data(const locum_graph *graph, locum_id id); /* of a constant */
int64_t locum_graph_count(const locum_graph *graph, locum_id id, const int64_t *extents); /* values, for actual extents [symbols] */
const char *locum_op_name(locum_op op);
int locum_graph_n_symbols(const locum_graph *graph);
const char *locum_graph_symbol_name(const locum_graph *graph, int symbol);
locum_id locum_graph_find(const locum_graph *graph, const char *name); /* input, parameter or output by name; 0 = none */

/* building. A path prefix ("mlp/layer2/") can be pushed; parameters and faults carry it. */
int locum_graph_symbol(locum_graph *graph, const char *name); /* asking twice gives the same */
void locum_graph_push(locum_graph *graph, const char *format, ...) LOCUM_PRINTF(2, 3);
void locum_graph_pop(locum_graph *graph);
locum_id locum_input(locum_graph *graph, const char *name, locum_number number, int symbol, int n_dims, const int64_t *dims);
/** Found by path: asking twice gives the same id; another shape is a fault. */
locum_id locum_parameter(locum_graph *graph, const char *name, locum_number number, int n_dims, const int64_t *dims);
locum_id locum_constant(locum_graph *graph, locum_number number, int n_dims, const int64_t *dims, const double *data);
locum_id locum_scalar(locum_graph *graph, locum_number number, double value);
void locum_output(locum_graph *graph, locum_id id, const char *name); /* names a node as an output; order of calls is kept */
int locum_graph_n_outputs(const locum_graph *graph);
locum_id locum_graph_output(const locum_graph *graph, int i);

locum_id locum_unary(locum_graph *graph, locum_op op, locum_id a);
/** Broadcasts like NumPy by inserting expand nodes. */
locum_id locum_binary(locum_graph *graph, locum_op op, locum_id a, locum_id b);
locum_id locum_select(locum_graph *graph, locum_id condition, locum_id a, locum_id b);
locum_id locum_scale(locum_graph *graph, locum_id x, double factor, double offset); /* factor x + offset */
locum_id locum_power(locum_graph *graph, locum_id x, double exponent);
locum_id locum_cast(locum_graph *graph, locum_id x, locum_number number);
/** dims[0] counts in units of the symbol if x has one (the symbol stays with the first dim). */
locum_id locum_reshape(locum_graph *graph, locum_id x, int n_dims, const int64_t *dims);
locum_id locum_permute(locum_graph *graph, locum_id x, const int *order); /* the symbol's dim stays first */
/** Broadcast to a shape; size-1 and missing leading dims are repeated. symbol = -1: none. */
locum_id locum_expand(locum_graph *graph, locum_id x, int symbol, int n_dims, const int64_t *dims);
locum_id locum_sum(locum_graph *graph, locum_id x, int n_axes, const int *axes, bool keep); /* n_axes = 0: all; the symbol's too */
locum_id locum_slice(locum_graph *graph, locum_id x, int axis, int64_t first, int64_t n, int64_t step);
typedef enum { LOCUM_PAD_ZERO, LOCUM_PAD_PERIODIC, LOCUM_PAD_REFLECT } locum_pad_mode;
locum_id locum_pad(locum_graph *graph, locum_id x, int axis, int64_t before, int64_t after, locum_pad_mode mode);
locum_id locum_concat(locum_graph *graph, int axis, int n, const locum_id *parts);
locum_id locum_flip(locum_graph *graph, locum_id x, int axis);
locum_id locum_product(locum_graph *graph, locum_id a, locum_id b, bool transposed);
locum_id locum_product_rows(locum_graph *graph, locum_id a, locum_id c, int64_t groups);
/** F is a constant [M, N] (transposed: [N, M]); the axis must not be that of a symbol. Blind to F. */
locum_id locum_transform_axis(locum_graph *graph, locum_id x, locum_id matrix, int axis, bool transposed);
/* How taps move over a grid of 1 to 3 axes: q = stride p + dilation t - before; outside of x: zeros, or wrapped. */
typedef struct locum_window {
    int n_axes;
    bool periodic;
    int64_t stride, dilation, before[3];
    int64_t size[3]; /* of the result: points of y, grid of x, or taps of w */
} locum_window;
/** Points = ceil(grid / stride), taps centred ((taps - 1) / 2 before). For locum_convolution. */
locum_window locum_window_same(int n_axes, const int64_t *grid, const int64_t *taps, int64_t stride, bool periodic);
/** x [batch, grid.., C], w [taps.., C, N] -> y [batch, points.., N]: y[b, p, n] = sum over t, c of x[b, q(p, t), c] w[t, c, n] */
locum_id locum_convolution(locum_graph *graph, locum_id x, locum_id w, const locum_window *window);
/** y, w -> [batch, grid.., C]: the gradient in x; with a stride also a layer: transposed convolution */
locum_id locum_convolution_input(locum_graph *graph, locum_id y, locum_id w, const locum_window *window);
/** x, y -> [taps.., C, N]: the gradient in w */
locum_id locum_convolution_weight(locum_graph *graph, locum_id x, locum_id y, const locum_window *window);
locum_window locum_window_of(int n_integers, const int64_t *integers); /* from the attributes of one of the three */
/* Pooling and resizing over axes 1 .. n_axes of [batch, grid.., C]; grids must be multiples (of 2: max). */
locum_id locum_pool_max(locum_graph *graph, locum_id x, int n_axes); /* over 2 points along each axis */
locum_id locum_pool_mean(locum_graph *graph, locum_id x, int n_axes, int64_t factor);
locum_id locum_resize_nearest(locum_graph *graph, locum_id x, int n_axes, int64_t factor);
locum_id locum_noise(locum_graph *graph, int symbol, int n_dims, const int64_t *dims, uint32_t stream); /* REAL32, standard normal; noise.h */
locum_id locum_mean(locum_graph *graph, locum_id x, int n_axes, const int *axes, bool keep);
locum_id locum_layer_norm(locum_graph *graph, locum_id x, locum_id gain, locum_id shift, double epsilon);

/** Reverse mode as a graph transform: appends nodes for sum(seed * dy/dwrt) and stores their ids in out [n_wrt] (zeros constants
 *  where y does not depend on it). seed = 0 means 1 (y is one value). May be applied to its own result. */
locum_status locum_graph_gradient(locum_graph *graph, locum_id y, locum_id seed, int n_wrt, const locum_id *wrt, locum_id *out);
/** New graph with all composites expanded into primitives. Maps old ids to new in map [n + 1]. */
locum_status locum_graph_expand_composites(const locum_graph *graph, locum_graph **expanded, locum_id *map);
/** New graph without dead nodes, common subexpressions, constant arithmetic and no-ops. Outputs keep their names and order. */
locum_status locum_graph_simplify(const locum_graph *graph, int n_outputs, const locum_id *outputs, locum_graph **simple,
                                  locum_id *new_outputs);

/** The meaning of a graph, and the oracle of every test: evaluates nodes in double with plain loops. `find` gives the values of
 *  inputs and parameters by name (double, row-major). values [n_outputs]: caller's memory. Allocates. */
typedef const double *(*locum_find_values)(void *self, const char *name);
locum_status locum_graph_evaluate(const locum_graph *graph, const int64_t *extents, uint64_t seed, locum_find_values find, void *self,
                                  int n_outputs, const locum_id *outputs, double *const *values);

/** JSON of a graph, as kept in model files; reading is safe on hostile text (shapes are inferred again and must agree). */
void locum_graph_write(const locum_graph *graph, locum_text *out);
locum_status locum_graph_read(const locum_json *json, locum_json_node node, int32_t max_nodes, locum_graph **graph);
uint64_t locum_graph_hash(const locum_graph *graph);

#endif
