/* SPDX-License-Identifier: BSD-3-Clause */
/* product_dot.c - the last 1 to 4 columns of a product (a network's few outputs), where a panel would be mostly
 * padding.
 *
 * Vectors lie along k: LANES running sums per output, lane i over k = i, i + LANES, ...; the lanes are added as a tree,
 * then bias and (accumulate) c. The order is the same for every row, whatever the other rows. Packed: [columns, k
 * rounded up to LANES], padded with zeros. Sums are not cut into blocks of k: a block of so few columns always fits the
 * first cache. */
#include "surrogate/kernels/level.h"

typedef float v4 __attribute__((vector_size(16)));

static int64_t padded(int64_t k)
{
    return (k + LANES - 1) / LANES * LANES;
}

size_t LOCUM_KERNEL(locum_product_dot_count)(int64_t k, int64_t columns)
{
    return (size_t)(columns * padded(k));
}

void LOCUM_KERNEL(locum_product_dot_pack)(int64_t k, int64_t columns, const float *b, int64_t k_stride,
                                          int64_t n_stride, float *packed)
{
    int64_t length = padded(k);
    for (int64_t j = 0; j < columns; j++) {
        for (int64_t p = 0; p < k; p++) packed[j * length + p] = b[p * k_stride + j * n_stride];
        for (int64_t p = k; p < length; p++) packed[j * length + p] = 0.0f;
    }
}

/* lanes i, i + 4, ... added: four partial sums */
INLINE v4 fold(vf x)
{
#if LANES == 4
    return (v4)x;
#elif LANES == 8
    return __builtin_shufflevector(x, x, 0, 1, 2, 3) + __builtin_shufflevector(x, x, 4, 5, 6, 7);
#else
    return (__builtin_shufflevector(x, x, 0, 1, 2, 3) + __builtin_shufflevector(x, x, 8, 9, 10, 11)) +
           (__builtin_shufflevector(x, x, 4, 5, 6, 7) + __builtin_shufflevector(x, x, 12, 13, 14, 15));
#endif
}

/* the sums of the four lanes of a, b, c, d: (0 + 2) + (1 + 3) each */
INLINE v4 sums_of(v4 a, v4 b, v4 c, v4 d)
{
    v4 ab = __builtin_shufflevector(a, b, 0, 4, 1, 5) + __builtin_shufflevector(a, b, 2, 6, 3, 7);
    v4 cd = __builtin_shufflevector(c, d, 0, 4, 1, 5) + __builtin_shufflevector(c, d, 2, 6, 3, 7);
    return __builtin_shufflevector(ab, cd, 0, 1, 4, 5) + __builtin_shufflevector(ab, cd, 2, 3, 6, 7);
}

/* rows x columns outputs; both are constants where this is inlined, rows * columns <= 8 */
INLINE void dot_tile(const locum_product_call *call, const float *const *row, const float *packed, const float *bias,
                     float *c, const int rows, const int columns)
{
    vf sum[8];
    const int64_t k = call->k, whole = k / LANES * LANES, length = padded(k);

    UNROLL for (int i = 0; i < rows * columns; i++) sum[i] = splat(0.0f);
    for (int64_t p = 0; p < whole; p += LANES) {
        vf y[4];
        UNROLL for (int j = 0; j < columns; j++) y[j] = load(packed + j * length + p);
        UNROLL for (int r = 0; r < rows; r++)
        {
            vf x = load(row[r] + p);
            UNROLL for (int j = 0; j < columns; j++) sum[r * columns + j] = fma_(x, y[j], sum[r * columns + j]);
        }
    }
    if (whole < k) UNROLL for (int r = 0; r < rows; r++)
        {
            vf x = load_part(row[r] + whole, k - whole);
            UNROLL for (int j = 0; j < columns; j++) sum[r * columns + j] =
                fma_(x, load(packed + j * length + whole), sum[r * columns + j]);
        }
    UNROLL for (int r = 0; r < rows; r++)
    {
        const v4 zero = {0.0f, 0.0f, 0.0f, 0.0f};
        const vf *s = sum + r * columns;
        v4 total = sums_of(fold(s[0]), columns > 1 ? fold(s[1 % columns]) : zero,
                           columns > 2 ? fold(s[2 % columns]) : zero, columns > 3 ? fold(s[3 % columns]) : zero);
        UNROLL for (int j = 0; j < columns; j++)
        {
            float value = bias ? total[j] + bias[j] : total[j];
            c[r * call->c_stride + j] = call->accumulate ? c[r * call->c_stride + j] + value : value;
        }
    }
}

typedef void dot_function(const locum_product_call *call, const float *const *row, const float *packed,
                          const float *bias, float *c);

#define DEFINE(R, C)                                                                                             \
    static void dot_tile_##R##_##C(const locum_product_call *call, const float *const *row, const float *packed, \
                                   const float *bias, float *c)                                                  \
    {                                                                                                            \
        dot_tile(call, row, packed, bias, c, R, C);                                                              \
    }
/* clang-format off */
DEFINE(8, 1)
DEFINE(4, 2)
DEFINE(2, 3)
DEFINE(2, 4)
DEFINE(1, 1)
DEFINE(1, 2)
DEFINE(1, 3)
DEFINE(1, 4)

/* Rows [first, end) times the columns from `column` on (4 or fewer); without the activation. */
void LOCUM_KERNEL(locum_product_dot)(const locum_product_call *call, int64_t column, int64_t first, int64_t end)
{
    /* clang-format on */
    static const int together[5] = {0, 8, 4, 2, 2};
    static dot_function *const many[5] = {NULL, dot_tile_8_1, dot_tile_4_2, dot_tile_2_3, dot_tile_2_4};
    static dot_function *const single[5] = {NULL, dot_tile_1_1, dot_tile_1_2, dot_tile_1_3, dot_tile_1_4};
    const int columns = (int)(call->n - column);
    const float *packed = call->packed + column * call->k, *bias = call->bias ? call->bias + column : NULL;

    for (int64_t r = first; r < end;) {
        const float *row[8];
        int height = end - r >= together[columns] ? together[columns] : 1;
        for (int i = 0; i < height; i++)
            row[i] = call->a_rows ? call->a_rows[r + i] : call->a + (r + i) * call->a_stride;
        (height > 1 ? many : single)[columns](call, row, packed, bias, call->c + r * call->c_stride + column);
        r += height;
    }
}
