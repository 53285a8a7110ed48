/* SPDX-License-Identifier: BSD-3-Clause */
/* unary.c - one elementwise operator on a contiguous array, and the activations of the product's epilogue.
 * gelu is x (1 + erf(x / sqrt(2))) / 2; silu is x sigmoid(x). sign(0) = 0; relu(NaN) = NaN. */
#include "surrogate/kernels/elementary.h"
#include "surrogate/kernels/elementwise.h"

/* 1, -1, or x itself where x is 0 or NaN */
INLINE vf sign_(vf x)
{
    vi some = (vi)(x > splat(0.0f)) | (vi)(x < splat(0.0f));
    return select_(some, (vf)((vi)splat(1.0f) | (vi)sign_bit(x)), x);
}

void LOCUM_KERNEL(locum_unary)(locum_tile_op op, int64_t n, const float *x, float *y)
{
    switch (op) {
    case LOCUM_TILE_NEG: MAP1(n, x, y, -a); break;
    case LOCUM_TILE_EXP: MAP1(n, x, y, exp_(a)); break;
    case LOCUM_TILE_LOG: MAP1(n, x, y, log_(a)); break;
    case LOCUM_TILE_SQRT: MAP1(n, x, y, sqrt_(a)); break;
    case LOCUM_TILE_RECIPROCAL: MAP1(n, x, y, splat(1.0f) / a); break;
    case LOCUM_TILE_SIN: MAP1(n, x, y, sin_(a)); break;
    case LOCUM_TILE_COS: MAP1(n, x, y, cos_(a)); break;
    case LOCUM_TILE_TANH: MAP_GROUP(n, x, y, tanh_group); break;
    case LOCUM_TILE_SIGMOID: MAP1(n, x, y, sigmoid_(a)); break;
    case LOCUM_TILE_SOFTPLUS: MAP1(n, x, y, softplus_(a)); break;
    case LOCUM_TILE_ERF: MAP1(n, x, y, erf_(a)); break;
    case LOCUM_TILE_NORMAL: MAP1(n, x, y, normal_(a)); break;
    case LOCUM_TILE_ABS: MAP1(n, x, y, abs_(a)); break;
    case LOCUM_TILE_SIGN: MAP1(n, x, y, sign_(a)); break;
    default: break;
    }
}

static void activate_run(locum_activation activation, int64_t n, float *y)
{
    switch (activation) {
    case LOCUM_ACT_TANH: MAP_GROUP(n, y, y, tanh_group); break;
    case LOCUM_ACT_RELU: MAP1(n, y, y, max_(splat(0.0f), a)); break;
    case LOCUM_ACT_SIGMOID: MAP1(n, y, y, sigmoid_(a)); break;
    case LOCUM_ACT_SILU: MAP1(n, y, y, a * sigmoid_(a)); break;
    case LOCUM_ACT_GELU: MAP1(n, y, y, gelu_(a)); break;
    default: break;
    }
}

/* In place on [rows, n] with row stride c_stride. */
void LOCUM_KERNEL(locum_activate)(locum_activation activation, int64_t rows, int64_t n, float *c, int64_t c_stride)
{
    if (c_stride == n) {
        activate_run(activation, rows * n, c);
        return;
    }
    for (int64_t r = 0; r < rows; r++) activate_run(activation, n, c + r * c_stride);
}
