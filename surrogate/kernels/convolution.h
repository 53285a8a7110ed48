/* SPDX-License-Identifier: BSD-3-Clause */
/* convolution.h - one gather: which points are read, with which taps, for which results. Inside surrogate/kernels only.
 *
 *     result i of class r:   c[first + to_step i] = sum over taps j, channels k of a[step i + shift + tap_step j, k] w_j[k, n]
 *
 * along each of three axes (those that are not there have one point). A convolution is one class. Its gradient in x with
 * stride s is s^axes classes: points q = r mod s of x are reached by the taps with s | r + before - dilation t alone.
 * Taps are taken in the order that reads a upwards. */
#ifndef SURROGATE_KERNELS_CONVOLUTION_H
#define SURROGATE_KERNELS_CONVOLUTION_H

#include <stdbool.h>

#include "surrogate/kernels/kernels.h"

typedef struct gather_axis {
    int64_t from, points, to;          /* sizes: what is read, results of this class, all results */
    int64_t step, shift, tap_step;     /* read at step i + shift + tap_step j */
    int64_t to_step, first;            /* written at to_step i + first */
    int64_t taps, tap_first, tap_jump; /* tap j of this class is tap tap_first + tap_jump j of w */
} gather_axis;

static inline int64_t gather_divisor(int64_t a, int64_t b)
{
    while (b) {
        const int64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

static inline gather_axis gather_forward(const locum_convolution_shape *s, int i)
{
    return (gather_axis){.from = s->grid[i],
                         .points = s->points[i],
                         .to = s->points[i],
                         .step = s->stride,
                         .shift = -s->before[i],
                         .tap_step = s->dilation,
                         .to_step = 1,
                         .taps = s->taps[i],
                         .tap_jump = 1};
}

/* Points r, r + stride .. of x: y is read at i + (r + before - dilation t) / stride for the taps t where that is whole. */
static inline gather_axis gather_residue(const locum_convolution_shape *s, int i, int64_t r)
{
    const int64_t jump = s->stride / gather_divisor(s->stride, s->dilation), at = r + s->before[i];
    gather_axis a = {.from = s->points[i],
                     .points = r < s->grid[i] ? (s->grid[i] - r + s->stride - 1) / s->stride : 0,
                     .to = s->grid[i],
                     .step = 1,
                     .to_step = s->stride,
                     .first = r,
                     .tap_jump = -jump,
                     .tap_step = s->dilation * jump / s->stride};
    int64_t t = 0; /* the smallest tap that fits, then the last one: a is read upwards */
    while (t < s->taps[i] && t < jump && (at - s->dilation * t) % s->stride != 0) t++;
    if (t < s->taps[i] && t < jump) {
        a.taps = (s->taps[i] - 1 - t) / jump + 1;
        a.tap_first = t + (a.taps - 1) * jump;
        a.shift = (at - s->dilation * a.tap_first) / s->stride; /* exact */
    }
    return a;
}

/* Classes of the gradient in x along one axis. */
static inline int64_t gather_residues(const locum_convolution_shape *s, int i)
{
    return s->stride < s->grid[i] ? s->stride : s->grid[i];
}

/* Does the wrap of x fall on points of y? Else the gradient in x goes the plain way (convolution_reference.c). */
static inline bool gather_wraps(const locum_convolution_shape *s)
{
    bool even = true;
    for (int i = 0; i < 3 && s->periodic; i++)
        even = even &&
               ((s->grid[i] == 1 && s->points[i] == 1 && s->taps[i] == 1) || s->grid[i] == s->points[i] * s->stride);
    return even;
}

/* the oracle's loops, for shapes whose wrap is uneven: w as it is given */
void locum_reference_convolution(const locum_convolution_call *call);
void locum_reference_convolution_weight(const locum_convolution_weight_call *call);

#endif
