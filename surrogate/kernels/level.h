/* SPDX-License-Identifier: BSD-3-Clause */
/* level.h - one instruction set: names, vector type and the few operations that the kernels are written in.
 *
 * The kernel sources are compiled once per level, each time with that level's flags and these definitions
 * (CMakeLists.txt):
 *     LOCUM_LEVEL        portable, avx2 or avx512; becomes the ending of every exported name
 *     LOCUM_LEVEL_CODE   the same as locum_cpu_level
 *     LOCUM_LANES        floats of a vector: 4, 8, 16
 *     LOCUM_TILE_HEIGHT  rows of the register tile of the product
 * Vectors are the vector extension of GCC and Clang, so the same lines serve every level; where a single instruction
 * exists that the extension cannot name (fused multiply-add, minimum, square root), the intrinsic stands here and
 * nowhere else. Comparisons give masks of all ones. Nothing here depends on where in memory a value lies or which lane
 * it is in. */
#ifndef SURROGATE_KERNELS_LEVEL_H
#define SURROGATE_KERNELS_LEVEL_H

#include <stdint.h>
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "surrogate/kernels/kernels.h"

#define LOCUM_JOIN_(a, b) a##_##b
#define LOCUM_JOIN(a, b) LOCUM_JOIN_(a, b)
#define LOCUM_KERNEL(name) LOCUM_JOIN(name, LOCUM_LEVEL)
#define LOCUM_TEXT_(a) #a
#define LOCUM_TEXT(a) LOCUM_TEXT_(a)

#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("GCC unroll 32")
#define LANES LOCUM_LANES
#define WIDTH (LANES * 4)

typedef float vf __attribute__((vector_size(WIDTH)));
typedef int32_t vi __attribute__((vector_size(WIDTH)));
typedef uint32_t vu __attribute__((vector_size(WIDTH)));
typedef float vf_in_memory __attribute__((vector_size(WIDTH), aligned(4), may_alias));
typedef double vd __attribute__((vector_size(LANES * 8)));
typedef int64_t vl __attribute__((vector_size(LANES * 8)));
typedef uint64_t vul __attribute__((vector_size(LANES * 8)));

INLINE vf load(const float *p)
{
    return *(const vf_in_memory *)p;
}
INLINE void store(float *p, vf x)
{
    *(vf_in_memory *)p = x;
}

INLINE vf splat(float s)
{
#if defined(__AVX512F__) && LANES == 16
    return (vf)_mm512_set1_ps(s);
#elif defined(__AVX__) && LANES == 8
    return (vf)_mm256_set1_ps(s);
#elif defined(__SSE2__) && LANES == 4
    return (vf)_mm_set1_ps(s);
#else
    vf r;
    for (int i = 0; i < LANES; i++) r[i] = s;
    return r;
#endif
}

INLINE vi splat_int(int32_t s)
{
    return (vi){0} + s;
}

/* a b + c, rounded once where the level has the instruction */
INLINE vf fma_(vf a, vf b, vf c)
{
#if defined(__AVX512F__) && LANES == 16
    return (vf)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
#elif defined(__FMA__) && LANES == 8
    return (vf)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
#else
    return a * b + c;
#endif
}

INLINE vf select_(vi mask, vf yes, vf no)
{
    return (vf)((mask & (vi)yes) | (~mask & (vi)no));
}

/* a < b ? a : b and a > b ? a : b: the second operand if either is NaN */
INLINE vf min_(vf a, vf b)
{
#if defined(__AVX512F__) && LANES == 16
    return (vf)_mm512_min_ps((__m512)a, (__m512)b);
#elif defined(__AVX__) && LANES == 8
    return (vf)_mm256_min_ps((__m256)a, (__m256)b);
#elif defined(__SSE2__) && LANES == 4
    return (vf)_mm_min_ps((__m128)a, (__m128)b);
#else
    return select_((vi)(a < b), a, b);
#endif
}

INLINE vf max_(vf a, vf b)
{
#if defined(__AVX512F__) && LANES == 16
    return (vf)_mm512_max_ps((__m512)a, (__m512)b);
#elif defined(__AVX__) && LANES == 8
    return (vf)_mm256_max_ps((__m256)a, (__m256)b);
#elif defined(__SSE2__) && LANES == 4
    return (vf)_mm_max_ps((__m128)a, (__m128)b);
#else
    return select_((vi)(a > b), a, b);
#endif
}

INLINE vf sqrt_(vf x)
{
#if defined(__AVX512F__) && LANES == 16
    return (vf)_mm512_sqrt_ps((__m512)x);
#elif defined(__AVX__) && LANES == 8
    return (vf)_mm256_sqrt_ps((__m256)x);
#elif defined(__SSE2__) && LANES == 4
    return (vf)_mm_sqrt_ps((__m128)x);
#else
    for (int i = 0; i < LANES; i++) x[i] = __builtin_sqrtf(x[i]);
    return x;
#endif
}

INLINE vf abs_(vf x)
{
    return (vf)((vi)x & 0x7fffffff);
}
INLINE vf sign_bit(vf x)
{
    return (vf)((vi)x & splat_int(INT32_MIN));
}

/* the first n < LANES values; the other lanes are 0 on loading and untouched on storing */
INLINE vf load_part(const float *p, int64_t n)
{
    float lane[LANES] = {0};
    memcpy(lane, p, (size_t)n * sizeof *p);
    return load(lane);
}

INLINE void store_part(float *p, vf x, int64_t n)
{
    float lane[LANES];
    store(lane, x);
    memcpy(p, lane, (size_t)n * sizeof *p);
}

/* The functions of this level; table.c gathers them. */
size_t LOCUM_KERNEL(locum_product_packed_count)(int64_t k, int64_t n);
void LOCUM_KERNEL(locum_product_pack)(int64_t k, int64_t n, const float *b, int64_t k_stride, int64_t n_stride,
                                      float *packed);
void LOCUM_KERNEL(locum_product)(const locum_product_call *call);
size_t LOCUM_KERNEL(locum_product_dot_count)(int64_t k, int64_t columns);
void LOCUM_KERNEL(locum_product_dot_pack)(int64_t k, int64_t columns, const float *b, int64_t k_stride,
                                          int64_t n_stride, float *packed);
void LOCUM_KERNEL(locum_product_dot)(const locum_product_call *call, int64_t column, int64_t first, int64_t end);
void LOCUM_KERNEL(locum_product_rows)(int64_t rows, int64_t k, int64_t n, const float *a, int64_t a_stride,
                                      const float *c, int64_t c_stride, float *w, int64_t w_stride, int accumulate);
size_t LOCUM_KERNEL(locum_convolution_count)(const locum_convolution_shape *shape, int input);
void LOCUM_KERNEL(locum_convolution_pack)(const locum_convolution_shape *shape, int input, const float *w,
                                          float *packed);
void LOCUM_KERNEL(locum_convolution)(const locum_convolution_call *call);
void LOCUM_KERNEL(locum_convolution_weight)(const locum_convolution_weight_call *call);
void LOCUM_KERNEL(locum_transform_rows)(const locum_transform_call *call);
void LOCUM_KERNEL(locum_tile)(const locum_tile_call *call);
void LOCUM_KERNEL(locum_unary)(locum_tile_op op, int64_t n, const float *x, float *y);
void LOCUM_KERNEL(locum_activate)(locum_activation activation, int64_t rows, int64_t n, float *c, int64_t c_stride);
void LOCUM_KERNEL(locum_adamw)(const locum_adamw_call *call);
double LOCUM_KERNEL(locum_sum_squares)(int64_t n, const float *x);
void LOCUM_KERNEL(locum_add)(int64_t n, const float *x, float *y);
void LOCUM_KERNEL(locum_copy_strided)(int n_dims, const int64_t *n, const float *from, const int64_t *from_stride,
                                      float *to, const int64_t *to_stride);
extern const locum_kernels LOCUM_KERNEL(locum_kernels_table);

#endif
