/* SPDX-License-Identifier: BSD-3-Clause */
/* copy.c - to[i, j, k, l] = from[i, j, k, l], each side with its own strides, at most 4 dimensions.
 * A stride of `from` may be 0 (a value repeated) or negative (a flip). Dimensions of one value are dropped and
 * neighbours that follow each other on both sides are merged, so a plain copy is one memcpy; transposes go in squares
 * of 16 x 16, which keep the lines of both sides in the first cache. The arrays must not overlap. */
#include "surrogate/kernels/level.h"

#define DIMS 4
#define SQUARE 16

typedef struct copy_shape {
    int n_dims;
    int64_t n[DIMS], from[DIMS], to[DIMS]; /* first dimension outermost */
} copy_shape;

static copy_shape merged(int n_dims, const int64_t *n, const int64_t *from_stride, const int64_t *to_stride)
{
    copy_shape s = {0};
    for (int d = 0; d < n_dims; d++) {
        int last = s.n_dims - 1;
        if (n[d] == 1) continue;
        if (last >= 0 && s.from[last] == n[d] * from_stride[d] && s.to[last] == n[d] * to_stride[d]) {
            s.n[last] *= n[d];
            s.from[last] = from_stride[d];
            s.to[last] = to_stride[d];
        } else {
            s.n[s.n_dims] = n[d];
            s.from[s.n_dims] = from_stride[d];
            s.to[s.n_dims++] = to_stride[d];
        }
    }
    return s;
}

static void copy_run(int64_t n, const float *from, int64_t from_stride, float *to, int64_t to_stride)
{
    if (from_stride == 1 && to_stride == 1) {
        memcpy(to, from, (size_t)n * sizeof *to);
    } else if (from_stride == 0 && to_stride == 1) {
        float value = *from;
        for (int64_t i = 0; i < n; i++) to[i] = value;
    } else {
        for (int64_t i = 0; i < n; i++) to[i * to_stride] = from[i * from_stride];
    }
}

/* two dimensions, neither side contiguous in both: squares */
static void copy_squares(const int64_t *n, const float *from, const int64_t *f, float *to, const int64_t *t)
{
    for (int64_t i0 = 0; i0 < n[0]; i0 += SQUARE)
        for (int64_t j0 = 0; j0 < n[1]; j0 += SQUARE) {
            int64_t i1 = i0 + SQUARE < n[0] ? i0 + SQUARE : n[0], j1 = j0 + SQUARE < n[1] ? j0 + SQUARE : n[1];
            for (int64_t i = i0; i < i1; i++)
                for (int64_t j = j0; j < j1; j++) to[i * t[0] + j * t[1]] = from[i * f[0] + j * f[1]];
        }
}

static void copy_dims(int n_dims, const int64_t *n, const float *from, const int64_t *f, float *to, const int64_t *t)
{
    if (n_dims == 0) {
        *to = *from;
    } else if (n_dims == 1) {
        copy_run(n[0], from, f[0], to, t[0]);
    } else if (n_dims == 2 && (f[1] != 1 || t[1] != 1) && f[1] != 0) {
        copy_squares(n, from, f, to, t);
    } else {
        for (int64_t i = 0; i < n[0]; i++) copy_dims(n_dims - 1, n + 1, from + i * f[0], f + 1, to + i * t[0], t + 1);
    }
}

void LOCUM_KERNEL(locum_copy_strided)(int n_dims, const int64_t *n, const float *from, const int64_t *from_stride,
                                      float *to, const int64_t *to_stride)
{
    for (int d = 0; d < n_dims; d++)
        if (n[d] <= 0) return;
    copy_shape s = merged(n_dims, n, from_stride, to_stride);
    copy_dims(s.n_dims, s.n, from, s.from, to, s.to);
}
