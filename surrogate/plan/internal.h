/* SPDX-License-Identifier: BSD-3-Clause */
/* internal.h - what the files of this folder share: the block that runs, and the compiler's own picture of a graph.
 *
 * The block:    header | groups | steps | streams | code | constants | names      (offsets in bytes from its start)
 *     Addresses are (base, offset, unit): bases[base] + offset + first * unit floats, where `first` is the first unit
 *     of the panel. Bases: 0 the block's constants, 1 the arena, 2 the packed parameters, then inputs, parameters,
 *     outputs. A unit is one step of a named extent ("one row of the batch"); steps of constant shape have one unit.
 *
 * The compiler: graph -> values, works (choose.c) -> clusters, groups (fuse.c) -> places (memory.c) -> block (emit.c)
 *     value     a view: base value, offset, strides; stored values are their own base
 *     work      one operation on whole values: what one step does, or one line of a tile program
 *     cluster   works that become one step (or, for copies, one step a part)
 *     group     clusters that run together, panel by panel of the rows of one symbol */
#ifndef SURROGATE_PLAN_INTERNAL_H
#define SURROGATE_PLAN_INTERNAL_H

#include "surrogate/plan/plan.h"

/* --- the block --------------------------------------------------------------------------------------------------- */

enum { PLAN_BASE_DATA, PLAN_BASE_ARENA, PLAN_BASE_PACKED, PLAN_BASE_CALLER };

typedef struct plan_place {
    int64_t offset, unit; /**< floats */
    int32_t base, unused;
} plan_place;

typedef enum plan_kind {
    PLAN_TILE,
    PLAN_PRODUCT,
    PLAN_ADAPTER_PRODUCT,
    PLAN_PRODUCT_ROWS,
    PLAN_TRANSFORM,
    PLAN_PACK,
    PLAN_CONVOLUTION,
    PLAN_CONVOLUTION_WEIGHT,
    PLAN_PACK_CONVOLUTION,
    PLAN_COPY,
    PLAN_NOISE,
    PLAN_REDUCE
} plan_kind;

typedef struct plan_stream {
    plan_place place;
    int64_t stride[4]; /**< per loop, outermost first */
    int64_t zero;      /**< sums over rows: floats a unit (or in all) to clear first, else 0 */
    int32_t zero_once; /**< clear before the first panel only, `zero` floats in all */
    int32_t stored;    /**< written (store or sum), else read */
} plan_stream;

typedef struct plan_tile {
    int64_t loops[4]; /**< outer, outer, rows, columns; loops[symbolic] counts per unit */
    int32_t symbolic;
    int32_t first_stream, n_streams, first_code, n_code;
    int32_t registers; /**< used */
} plan_tile;

typedef struct plan_product {
    plan_place a, b, bias, c;   /**< b: packed; for product_rows c is the second operand and b the result */
    int64_t rows, k, n, groups; /**< rows a unit */
    int64_t a_stride, b_stride, c_stride, b_group; /**< floats from group to group of b */
    int32_t transposed, by_adapter, has_bias, activation;
} plan_product;

/* y[o, m, t] = act([a[o, m, t] +] sum_n f[m, n] x[o, n, t]) */
typedef struct plan_transform {
    plan_place x, f, a, y;
    int64_t outer, m, n, t; /**< outer a unit */
    int32_t has_addend, activation;
} plan_transform;

typedef struct plan_convolution {
    plan_place a, b, bias, c; /**< b: packed; weight: a = x, c = y, b = the result; packing: a -> b */
    locum_convolution_shape shape;
    int64_t batch, a_stride, c_stride; /**< images a unit; floats from point to point */
    int32_t input, has_bias, activation;
} plan_convolution;

typedef struct plan_copy {
    plan_place from, to;
    int64_t loops[LOCUM_DIMS_MAX], from_stride[LOCUM_DIMS_MAX], to_stride[LOCUM_DIMS_MAX];
    int32_t n_loops, symbolic; /**< loops[0] counts per unit if symbolic */
} plan_copy;

typedef struct plan_pack {
    plan_place from, to;
    int64_t k, n, groups, k_stride, n_stride, g_stride, b_group;
} plan_pack;

typedef struct plan_noise {
    plan_place to;
    int64_t per_unit;
    uint32_t stream; /**< key of the random numbers */
    int32_t by_row;  /**< rows count along a symbol, from first_row on; else row 0 */
} plan_noise;

typedef struct plan_reduce {
    plan_place from, to;
    int64_t count, stride; /**< count a unit */
    int32_t symbol;        /**< of the count; -1 = constant */
} plan_reduce;

typedef struct plan_step {
    int32_t kind;
    int32_t node; /**< of the graph that was given, for people */
    union {
        plan_tile tile;
        plan_product product;
        plan_transform transform;
        plan_copy copy;
        plan_convolution convolution;
        plan_pack pack;
        plan_noise noise;
        plan_reduce reduce;
    } u;
} plan_step;

typedef struct plan_group {
    int32_t symbol; /**< -1 = runs once with one unit */
    int32_t first_step, n_steps;
    int32_t panels; /**< rows are cut into panels */
    int64_t panel_rows;
} plan_group;

struct locum_plan {
    const locum_kernels *kernels;
    const locum_adapter *adapter;
    size_t bytes, arena_bytes, packed_bytes;
    size_t groups_at, steps_at, streams_at, code_at, data_at, names_at, counts_at;
    size_t scratch_at, values_at;          /**< in the arena: bases, tile registers, values */
    size_t pack_bases_at, pack_scratch_at; /**< in packed, behind the values: what packing itself needs */
    unsigned flags;
    int32_t n_symbols, n_inputs, n_parameters, n_outputs;
    int32_t n_pack_groups, n_groups; /**< pack groups come first */
    int32_t n_pack_steps, n_steps;
    int32_t n_streams, n_code;
    int64_t capacity[LOCUM_SYMBOLS_MAX];
};

static inline const void *plan_at(const locum_plan *plan, size_t offset)
{
    return (const char *)plan + offset;
}

/* --- the compiler ------------------------------------------------------------------------------------------------ */

typedef enum { VALUE_INPUT, VALUE_PARAMETER, VALUE_CONSTANT, VALUE_COMPUTED } plan_source;

typedef struct plan_value {
    int64_t dims[LOCUM_DIMS_MAX], stride[LOCUM_DIMS_MAX], offset;
    int32_t base; /**< stored values: themselves */
    int32_t n_dims, symbol;
    int32_t source; /**< plan_source of a stored value */
    int32_t index;  /**< of the input or parameter */
    int64_t data;   /**< of a constant: first float of the block's constants */
    int32_t output; /**< computed into this output of the caller, -1 = none */
    int32_t origin; /**< a packed copy of this parameter's value, -1 = none */
    int32_t copy;   /**< of a view: its stored copy, -1 = none yet */
    int32_t inside; /**< written straight into this part of another value, -1 = into its own memory */
    bool fixed;     /**< depends on constants and constant parameters alone: computed by locum_plan_pack */
    int64_t count;  /**< stored values: floats a unit */

    /* fuse.c, memory.c */
    int32_t first_cluster, last_cluster; /**< memory: where made, last read */
    bool kept;                           /**< needs memory: made by a live work, and not only in registers */
    bool scratch;                        /**< holds one panel */
    int32_t shares;                      /**< in place: uses the memory of this value, -1 = its own */
    int64_t size, place;                 /**< floats at capacity; offset in its space */
} plan_value;

typedef enum {
    WORK_ELEMENT,
    WORK_SUM,
    WORK_PRODUCT,
    WORK_PRODUCT_ROWS,
    WORK_TRANSFORM,
    WORK_PACK,
    WORK_CONVOLUTION,
    WORK_CONVOLUTION_WEIGHT,
    WORK_PACK_CONVOLUTION,
    WORK_COPY,
    WORK_NOISE,
    WORK_REDUCE
} plan_work_kind;

typedef struct plan_work {
    int32_t kind, node, symbol;  /**< symbol of its iteration space */
    int32_t out;                 /**< stored value */
    int32_t in[3], n_in;         /**< values; product: a, packed b (or b itself for the adapter), bias;
                                      transform: x, matrix, addend; k x n is the matrix, groups the values behind the axis */
    int32_t first_part, n_parts; /**< copies */
    int32_t tile_op;
    float imm0, imm1;
    int64_t groups, k, n, b_group;
    int32_t transposed, by_adapter, activation;
    uint32_t stream;
    bool live, fixed;
    int32_t previous_pack; /**< work that packs (transforms: that transforms), -1 = none */
    int32_t matrix;        /**< transforms: the graph's own matrix; in[1] is it or its transpose */
    int32_t cluster, next_in_cluster;
} plan_work;

typedef struct plan_part {
    int32_t from, to; /**< values of the same shape; to's base is the work's out */
    bool direct;      /**< `from` is written there by its maker: nothing to copy */
} plan_part;

typedef struct plan_user {
    int32_t work, value, next; /**< reads through this view; next entry of the list, -1 = end */
} plan_user;

typedef struct plan_cluster {
    int32_t group, symbol, n_dims;
    bool tile, whole, fixed;      /**< whole: cannot be cut into panels */
    int64_t dims[LOCUM_DIMS_MAX]; /**< iteration space without ones */
    int32_t first, n;             /**< into order; while fusing: first work of a list through next_in_cluster */
} plan_cluster;

/* One elementwise program over one iteration space, before memory is known. */
typedef struct plan_program {
    int32_t n_streams, n_code, registers, symbolic;
    int32_t value[LOCUM_TILE_STREAMS];                  /**< the view (or stored value) of a stream */
    int64_t stride[LOCUM_TILE_STREAMS][LOCUM_DIMS_MAX]; /**< per dim while building, then per loop */
    int32_t stored[LOCUM_TILE_STREAMS];                 /**< 0 read, 1 stored, 2 sum of columns, 3 sum over rows */
    int32_t when[LOCUM_TILE_STREAMS];                   /**< index of its first access in code; reads: of the load */
    int64_t loops[4];
    locum_tile_step code[256];
} plan_program;

enum { PLAN_AFFINE_MAX = 4 };

/* What a node has to do with a product and its epilogue: act(a b + bias), where later multiples and shifts of columns
 * by constant parameters are part of b and bias. */
typedef struct plan_chain {
    locum_id end;               /**< part of a chain: the node that ends it and stands for it; else 0 */
    locum_id product;           /**< of the end: where the chain begins */
    locum_id transform, addend; /**< of the end: where it begins instead, and a product that is added */
    locum_id bias;              /**< of the end: the node before it was repeated over rows, or 0 */
    int32_t activation, n_affine, n_before_bias; /**< affine operations before there was a bias are not its own */
    locum_id affine[PLAN_AFFINE_MAX],
        column[PLAN_AFFINE_MAX]; /**< of the end: operations on columns and their vectors, or 0 */
} plan_chain;

typedef struct plan_compiler {
    const locum_graph *graph; /**< composites expanded, simplified */
    const locum_plan_options *options;
    int n_outputs;
    const locum_id *outputs;
    const locum_graph *given;          /**< whose names count */
    int32_t n_inputs, n_parameters;    /**< of the given graph */
    int32_t last_pack, last_transform; /**< latest work that packs, that transforms; -1 = none */

    plan_value *values;
    int32_t n_values, values_capacity;
    plan_work *works;
    int32_t n_works, works_capacity;
    plan_part *parts;
    int32_t n_parts, parts_capacity;
    float *data; /**< constants */
    int64_t n_data, data_capacity;

    int32_t *value_of; /**< [graph n + 1] */
    int32_t *uses;     /**< [graph n + 1] live uses of a node, outputs included; 0 = dead */
    bool *fixed;       /**< [graph n + 1] follows from constants and constant parameters */
    plan_chain *chain; /**< [graph n + 1] */

    int32_t *maker;      /**< [n_values] the work that makes a stored value, -1 = none */
    int32_t *first_user; /**< [n_values] lists of the live works that read a stored value: entries of users */
    plan_user *users;
    int32_t n_users, users_capacity;
    plan_cluster *clusters; /**< [n_clusters] in the order of running */
    int32_t n_clusters, clusters_capacity;
    int32_t *order; /**< [n_order] works, cluster by cluster */
    int32_t n_order;
    plan_group *groups; /**< [n_groups], those of packing first; steps count clusters until emit.c */
    int32_t n_groups, n_pack_groups, groups_capacity;
    plan_program *programs; /**< [n_clusters] of tile clusters */
    int64_t arena, packed;  /**< floats of values */

    plan_step *steps;
    int32_t n_steps, steps_capacity;
    plan_stream *streams;
    int32_t n_streams, streams_capacity;
    locum_tile_step *code;
    int32_t n_code, code_capacity;
} plan_compiler;

/** Makes room for one more element. */
locum_status locum_plan_grow(void *array, int64_t n, void *capacity, size_t size);

/* epilogue.c: products that end in bias and activation */
locum_status locum_plan_chains(plan_compiler *c);
/* choose.c */
locum_status locum_plan_lower(plan_compiler *c);
locum_status locum_plan_add_value(plan_compiler *c, const plan_value *v, int32_t *id);
locum_status locum_plan_add_stored(plan_compiler *c, plan_source source, int symbol, int n_dims, const int64_t *dims,
                                   int32_t *id);
locum_status locum_plan_add_data(plan_compiler *c, int64_t n,
                                 int64_t *first); /* constants, at a multiple of 64 bytes */
locum_status locum_plan_add_work(plan_compiler *c, const plan_work *w);
locum_status locum_plan_materialise(plan_compiler *c, int node, int32_t view,
                                    int32_t *stored); /* the same values, stored */
/* products.c */
locum_status locum_plan_lower_product(plan_compiler *c, locum_id id);
locum_status locum_plan_lower_product_rows(plan_compiler *c, locum_id id);
locum_status locum_plan_matrix_operand(plan_compiler *c, int node, int32_t *value);
/** The packed right operand; the same operand packed the same way is packed once. */
locum_status locum_plan_packed_operand(plan_compiler *c, int node, int32_t b, plan_work *product);
bool locum_plan_by_adapter(const plan_compiler *c, locum_id product);
/* transform.c */
void locum_plan_transform_chains(plan_compiler *c);
locum_status locum_plan_lower_transform(plan_compiler *c, locum_id id);
/* convolution.c */
bool locum_plan_is_convolution(const plan_compiler *c, locum_id id); /* forward or input: what an epilogue may follow */
locum_status locum_plan_lower_convolution(plan_compiler *c, locum_id id);
locum_status locum_plan_lower_convolution_weight(plan_compiler *c, locum_id id);
int64_t locum_plan_convolution_weights(const plan_compiler *c, const plan_work *w); /* floats */
/** The step of a work of the trio, or of packing, but for its places. */
plan_convolution locum_plan_convolution_step(const plan_compiler *c, const plan_work *w);
/* views.c: shapes as strided views */
int64_t locum_plan_count(const plan_value *v); /* floats a unit */
bool locum_plan_contiguous(const plan_value *v);
bool locum_plan_is_scalar(const plan_compiler *c, int32_t value, float *constant); /* a constant of one value */
int locum_plan_merge(int n_dims, int64_t *dims, bool symbolic, int n_streams, int64_t (*stride)[LOCUM_DIMS_MAX]);
bool locum_plan_matrix(const plan_value *v, int64_t *rows, int64_t *row_stride);
bool locum_plan_reshape(const plan_value *v, int n_dims, const int64_t *dims, plan_value *out);
void locum_plan_sum_strides(const plan_value *in, const plan_value *out, int64_t *stride);
bool locum_plan_walks(const plan_compiler *c, const plan_work *w);
bool locum_plan_row_wise(const plan_compiler *c, const plan_value *v);
/** The stored value that a work reads behind a view: packing reads parameters themselves. */
int32_t locum_plan_base(const plan_compiler *c, const plan_work *w, int32_t value);
/* program.c: a cluster of elementwise works and sums as a tile program; false = does not fit the kernel's limits */
bool locum_plan_reads_whole(const plan_compiler *c, int32_t value); /* as it is stored, in row-major order */
bool locum_plan_program(const plan_compiler *c, int n, const int32_t *works, plan_program *program);
/* fuse.c */
locum_status locum_plan_fuse(plan_compiler *c);
/* memory.c */
locum_status locum_plan_memory(plan_compiler *c);
/* emit.c */
locum_status locum_plan_emit(plan_compiler *c, locum_plan **plan);

#endif
