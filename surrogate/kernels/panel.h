/* SPDX-License-Identifier: BSD-3-Clause */
/* panel.h - what products and convolutions share: column panels of the right operand, heights of register tiles.
 *
 * A panel has PANEL = 2 vectors of columns and lies as [k, PANEL]; the last one may have one vector, and zeros. */
#ifndef SURROGATE_KERNELS_PANEL_H
#define SURROGATE_KERNELS_PANEL_H

#include "surrogate/kernels/level.h"

#define PANEL (2 * LANES)
#define HEIGHT LOCUM_TILE_HEIGHT

#define HEIGHTS_4(X) X(1) X(2) X(3) X(4)
#define HEIGHTS_6(X) HEIGHTS_4(X) X(5) X(6)
#define HEIGHTS_12(X) HEIGHTS_6(X) X(7) X(8) X(9) X(10) X(11) X(12)
#define HEIGHTS LOCUM_JOIN(HEIGHTS, LOCUM_TILE_HEIGHT)

/* Rows of the next tile: full height as long as what is left over is not small, then two even tiles. */
INLINE int next_height(int64_t left)
{
    if (left >= 2 * HEIGHT - 1 || left == HEIGHT) return HEIGHT;
    return (int)(left > HEIGHT ? (left + 1) / 2 : left);
}

typedef float v4 __attribute__((vector_size(16)));
typedef float v4_in_memory __attribute__((vector_size(16), aligned(4), may_alias));

/* to[p, j] = from[j, p], 4 x 4; rows of `from` are contiguous */
INLINE void transpose_4(const float *from, int64_t stride, float *to, int64_t width)
{
    v4 a = *(const v4_in_memory *)from, b = *(const v4_in_memory *)(from + stride);
    v4 c = *(const v4_in_memory *)(from + 2 * stride), d = *(const v4_in_memory *)(from + 3 * stride);
    v4 ac = __builtin_shufflevector(a, c, 0, 4, 1, 5), bd = __builtin_shufflevector(b, d, 0, 4, 1, 5);
    v4 ac2 = __builtin_shufflevector(a, c, 2, 6, 3, 7), bd2 = __builtin_shufflevector(b, d, 2, 6, 3, 7);
    *(v4_in_memory *)to = __builtin_shufflevector(ac, bd, 0, 4, 1, 5);
    *(v4_in_memory *)(to + width) = __builtin_shufflevector(ac, bd, 2, 6, 3, 7);
    *(v4_in_memory *)(to + 2 * width) = __builtin_shufflevector(ac2, bd2, 0, 4, 1, 5);
    *(v4_in_memory *)(to + 3 * width) = __builtin_shufflevector(ac2, bd2, 2, 6, 3, 7);
}

/* to[p, j] = b[p, j] of one panel of `width` columns, `valid` of them there; contiguous in k: in squares of 4 x 4 */
INLINE void pack_panel(int64_t k, int64_t width, int64_t valid, const float *b, int64_t k_stride, int64_t n_stride,
                       float *to)
{
    int64_t squares = k_stride == 1 ? valid / 4 * 4 : 0;
    for (int64_t p = 0; squares > 0 && p < k; p += 4)
        for (int64_t j = 0; j < squares; j += 4) {
            if (p + 4 <= k) {
                transpose_4(b + p + j * n_stride, n_stride, to + p * width + j, width);
                continue;
            }
            for (int64_t q = p; q < k; q++)
                for (int64_t i = j; i < j + 4; i++) to[q * width + i] = b[q + i * n_stride];
        }
    for (int64_t p = 0; p < k; p++) {
        for (int64_t j = squares; j < valid; j++) to[p * width + j] = b[p * k_stride + j * n_stride];
        for (int64_t j = valid; j < width; j++) to[p * width + j] = 0.0f;
    }
}

/* panel [rows, PANEL] of rows that lie apart, `valid` columns of them there */
INLINE void copy_panel(int64_t rows, int64_t valid, const float *from, int64_t from_stride, float *panel)
{
    for (int64_t r = 0; r < rows; r++, from += from_stride, panel += PANEL) {
        if (valid == PANEL) {
            store(panel, load(from));
            store(panel + LANES, load(from + LANES));
        } else {
            memset(panel, 0, PANEL * sizeof *panel);
            memcpy(panel, from, (size_t)valid * sizeof *panel);
        }
    }
}

#endif
