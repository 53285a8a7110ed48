/* SPDX-License-Identifier: BSD-3-Clause */
/* kernels.h - plain C on arrays of float; they know no graph. One table per instruction set, built from the same
 * sources with their own flags; the table is chosen when a model is opened and kept in it (no ifunc, no writable
 * global).
 *
 * Every kernel gives the same bits for a row whatever other rows are in the call: K is summed in one fixed order per
 * output. */
#ifndef SURROGATE_KERNELS_KERNELS_H
#define SURROGATE_KERNELS_KERNELS_H

#include <stddef.h>
#include <stdint.h>

#include "core/cpu.h"

/* --- product: c[r, n] = act( sum_k a[r, k] b[k, n] + bias[n] ) -------------------------------------------------------
 */
/* gelu is x (1 + erf(x / sqrt 2)) / 2. All are applied after the bias. */
typedef enum {
    LOCUM_ACT_NONE,
    LOCUM_ACT_TANH,
    LOCUM_ACT_RELU,
    LOCUM_ACT_SIGMOID,
    LOCUM_ACT_SILU,
    LOCUM_ACT_GELU
} locum_activation;

typedef struct locum_product_call {
    int64_t rows, k, n;
    const float *a; /* [rows, k] with row stride a_stride, if a_rows is NULL */
    int64_t a_stride;
    const float *const *a_rows; /* [rows] row pointers (indirect operand) or NULL */
    const float *packed;        /* b as packed by pack() */
    const float *bias;          /* [n] or NULL */
    locum_activation activation;
    float *c; /* [rows, n] with row stride c_stride */
    int64_t c_stride;
    int accumulate; /* c += instead of c = (then no activation) */
} locum_product_call;

/* --- convolution: x [batch, grid.., channels], w [taps.., channels, columns], y [batch, points.., columns] -----------
 * Tap t of point p sees q = stride p + dilation t - before of x; outside the grid: zeros, or wrapped. Axes that are not
 * there come first: grid, points, taps 1 and before 0. */
typedef struct locum_convolution_shape {
    int64_t grid[3], points[3], taps[3], before[3];
    int64_t channels, columns, stride, dilation;
    int periodic;
} locum_convolution_shape;

/* y = act(sum over taps, channels of x w + bias), or (input) x = act(sum over taps, columns of y w + bias) */
typedef struct locum_convolution_call {
    const locum_convolution_shape *shape;
    int input;
    int64_t batch;
    const float *a; /* x or y, a_stride floats from point to point */
    int64_t a_stride;
    const float *packed; /* w as packed by convolution_pack() for the same `input` */
    const float *bias;   /* [columns, or channels] or NULL */
    locum_activation activation;
    float *c; /* y or x, c_stride floats from point to point */
    int64_t c_stride;
} locum_convolution_call;

/* w = or += sum over batch, points of x y; w [taps.., channels, columns] without gaps */
typedef struct locum_convolution_weight_call {
    const locum_convolution_shape *shape;
    int64_t batch;
    const float *x, *y;
    int64_t x_stride, y_stride;
    float *w;
    int accumulate;
} locum_convolution_weight_call;

/* --- transform: y[m, t] = act( [y[m, t] +] sum_n f[m, n] x[n, t] ), all contiguous ------------------------------------
 */
typedef struct locum_transform_call {
    int64_t m, n, t;
    const float *f, *x; /* f [m, n], x [n, t] */
    float *y;           /* [m, t] */
    int accumulate;
    locum_activation activation;
} locum_transform_call;

/* --- tile program: elementwise steps over tiles in registers of `tile` floats ----------------------------------------
 */
typedef enum locum_tile_op {
    LOCUM_TILE_LOAD,  /* r[dst] = stream[a] */
    LOCUM_TILE_STORE, /* stream[a] = r[b] */
    LOCUM_TILE_CONST, /* r[dst] = imm0 */
    LOCUM_TILE_NEG,
    LOCUM_TILE_EXP,
    LOCUM_TILE_LOG,
    LOCUM_TILE_SQRT,
    LOCUM_TILE_RECIPROCAL,
    LOCUM_TILE_SIN,
    LOCUM_TILE_COS,
    LOCUM_TILE_TANH,
    LOCUM_TILE_SIGMOID,
    LOCUM_TILE_SOFTPLUS,
    LOCUM_TILE_ERF,
    LOCUM_TILE_NORMAL, /* Phi(x) = (1 + erf(x / sqrt 2)) / 2 */
    LOCUM_TILE_ABS,
    LOCUM_TILE_SIGN,
    LOCUM_TILE_POWER,
    LOCUM_TILE_SCALE, /* r[dst] = imm0 r[a] + imm1 */
    LOCUM_TILE_ADD,
    LOCUM_TILE_SUBTRACT,
    LOCUM_TILE_MULTIPLY,
    LOCUM_TILE_DIVIDE,
    LOCUM_TILE_MAXIMUM,
    LOCUM_TILE_MINIMUM,
    LOCUM_TILE_GREATER,
    LOCUM_TILE_SELECT,       /* r[dst] = r[a] != 0 ? r[b] : r[c] */
    LOCUM_TILE_MULTIPLY_ADD, /* r[dst] = r[a] r[b] + r[c] */
    LOCUM_TILE_SUM_COLUMNS, /* stream[a][column] += sum over rows of r[b], in groups of LOCUM_SUM_BLOCK rows (tile.c) */
    LOCUM_TILE_SUM_ROWS,    /* stream[a][row] = sum over columns of r[b], in an order that depends on columns alone */
    LOCUM_TILE_OP_COUNT
} locum_tile_op;

#define LOCUM_TILE_REGISTERS 24
#define LOCUM_TILE_STREAMS 24

/* Sums over rows are made in blocks counted from the first row of a call. A call that is split at multiples of the
 * block, the later parts accumulating, gives the same bits as the whole; panels of 64 rows suit both. */
#define LOCUM_SUM_BLOCK 8  /* LOCUM_TILE_SUM_COLUMNS */
#define LOCUM_ROW_BLOCK 64 /* product_rows */

typedef struct locum_tile_step {
    uint8_t op, dst, a, b, c;
    float imm0, imm1;
} locum_tile_step;

/* A stored stream is disjoint from a loaded one, or both walk over the same elements (in place); a stream that a sum
 * writes is not read in the same call. How a stream walks over rows x columns: address = data + row * row_stride +
 * column * column_stride (elements). A full array: (columns, 1); one value a row: (1, 0); one value a column: (0, 1);
 * one value: (0, 0). */
typedef struct locum_tile_stream {
    float *data;
    int64_t row_stride, column_stride;
} locum_tile_stream;

typedef struct locum_tile_call {
    const locum_tile_step *steps;
    int n_steps;
    const locum_tile_stream *streams;
    int64_t rows, columns;
    float *scratch; /* [LOCUM_TILE_REGISTERS * LOCUM_TILE_VALUES] aligned to 64 bytes */
} locum_tile_call;
#define LOCUM_TILE_VALUES 1024 /* floats of one register */

/* --- optimiser: one pass over contiguous arrays
 * ------------------------------------------------------------------------ */
typedef struct locum_adamw_call {
    int64_t n;
    float *parameter, *moment1, *moment2;
    const float *gradient;
    float gradient_scale; /* clipping: gradient *= this */
    float learning_rate, beta1, beta2, epsilon, weight_decay;
    float correction1, correction2; /* 1 / (1 - beta^t) */
} locum_adamw_call;

typedef struct locum_kernels {
    const char *name; /* "portable", "avx2", "avx512" */
    locum_cpu_level level;
    int row_block; /* rows of the register tile */

    size_t (*packed_count)(int64_t k, int64_t n); /* floats of packed b */
    /** b [k, n] with strides (k_stride, n_stride) in elements, so that transposes need no copy; packed aligned to 64
     * bytes. */
    void (*pack)(int64_t k, int64_t n, const float *b, int64_t k_stride, int64_t n_stride, float *packed);
    void (*product)(const locum_product_call *call);
    /** w[k, n] (row stride w_stride) = or += sum over rows of a[r, k] c[r, n], rows in blocks of LOCUM_ROW_BLOCK, in
     * order. */
    void (*product_rows)(int64_t rows, int64_t k, int64_t n, const float *a, int64_t a_stride, const float *c,
                         int64_t c_stride, float *w, int64_t w_stride, int accumulate);
    size_t (*convolution_count)(const locum_convolution_shape *shape, int input); /* floats of packed w */
    /** w [taps.., channels, columns] without gaps; packed aligned to 64 bytes. */
    void (*convolution_pack)(const locum_convolution_shape *shape, int input, const float *w, float *packed);
    void (*convolution)(const locum_convolution_call *call);
    /** Images one after the other: a batch that is cut, the later parts accumulating, gives the same bits. */
    void (*convolution_weight)(const locum_convolution_weight_call *call);
    void (*transform)(const locum_transform_call *call);
    void (*tile)(const locum_tile_call *call);
    void (*unary)(locum_tile_op op, int64_t n, const float *x,
                  float *y); /* one elementwise operator, for tests and odd steps */
    void (*adamw)(const locum_adamw_call *call);
    double (*sum_squares)(int64_t n, const float *x); /* in double, fixed order */
    void (*add)(int64_t n, const float *x, float *y); /* y += x */
    void (*copy_strided)(int n_dims, const int64_t *n, const float *from, const int64_t *from_stride, float *to,
                         const int64_t *to_stride); /* at most 4 dims */
} locum_kernels;

/** Table of that level, or of the best level below it that was built and that this processor has. Local; never NULL. */
const locum_kernels *locum_kernels_for(locum_cpu_level level);

/** The oracle: the same functions as plain loops that compute in double and round once. */
const locum_kernels *locum_kernels_reference(void);

#endif
