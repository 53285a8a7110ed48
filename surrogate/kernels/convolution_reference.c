/* SPDX-License-Identifier: BSD-3-Clause */
/* convolution_reference.c - convolutions as plain loops in double, rounded once: definition and oracle. Packed w is w. */
#include <math.h>
#include <string.h>

#include "surrogate/kernels/convolution.h"
#include "surrogate/kernels/reference.h"

/* Flat point of x behind point p and tap t, -1 = outside. */
static int64_t gather(const locum_convolution_shape *s, const int64_t *p, const int64_t *t)
{
    int64_t flat = 0;
    for (int i = 0; i < 3; i++) {
        int64_t q = s->stride * p[i] + s->dilation * t[i] - s->before[i];
        if (s->periodic)
            q = (q % s->grid[i] + s->grid[i]) % s->grid[i];
        else if (q < 0 || q >= s->grid[i])
            return -1;
        flat = flat * s->grid[i] + q;
    }
    return flat;
}

static int next_index(const int64_t *dims, int64_t *index)
{
    for (int i = 2; i >= 0; i--) {
        if (++index[i] < dims[i]) return 1;
        index[i] = 0;
    }
    return 0;
}

/* Sum of x[q(p, t), :] w[t, :, n] over taps, or of y[p, :] w[t, c, :] over the points and taps that reach `at`. */
static double forward_sum(const locum_convolution_call *call, int64_t batch, const int64_t *p, int64_t n)
{
    const locum_convolution_shape *s = call->shape;
    const int64_t grid = s->grid[0] * s->grid[1] * s->grid[2];
    int64_t t[3] = {0}, tap = 0;
    double sum = 0.0;
    do {
        const int64_t q = gather(s, p, t);
        for (int64_t c = 0; q >= 0 && c < s->channels; c++)
            sum += (double)call->a[(batch * grid + q) * call->a_stride + c] *
                   (double)call->packed[(tap * s->channels + c) * s->columns + n];
        tap++;
    } while (next_index(s->taps, t));
    return sum;
}

static double input_sum(const locum_convolution_call *call, int64_t batch, int64_t at, int64_t c)
{
    const locum_convolution_shape *s = call->shape;
    const int64_t points = s->points[0] * s->points[1] * s->points[2];
    int64_t p[3] = {0}, flat = 0;
    double sum = 0.0;
    do {
        int64_t t[3] = {0}, tap = 0;
        do {
            if (gather(s, p, t) == at)
                for (int64_t n = 0; n < s->columns; n++)
                    sum += (double)call->a[(batch * points + flat) * call->a_stride + n] *
                           (double)call->packed[(tap * s->channels + c) * s->columns + n];
            tap++;
        } while (next_index(s->taps, t));
        flat++;
    } while (next_index(s->points, p));
    return sum;
}

void locum_reference_convolution(const locum_convolution_call *call)
{
    const locum_convolution_shape *s = call->shape;
    const int64_t *results = call->input ? s->grid : s->points, width = call->input ? s->channels : s->columns;
    float *c = call->c;
    for (int64_t b = 0; b < call->batch; b++) {
        int64_t i[3] = {0}, flat = 0;
        do {
            for (int64_t n = 0; n < width; n++) {
                const double bias = call->bias ? (double)call->bias[n] : 0.0;
                const double sum = call->input ? input_sum(call, b, flat, n) : forward_sum(call, b, i, n);
                c[n] = (float)locum_reference_activated(call->activation, bias + sum);
            }
            c += call->c_stride;
            flat++;
        } while (next_index(results, i));
    }
}

void locum_reference_convolution_weight(const locum_convolution_weight_call *call)
{
    const locum_convolution_shape *s = call->shape;
    const int64_t grid = s->grid[0] * s->grid[1] * s->grid[2], points = s->points[0] * s->points[1] * s->points[2];
    int64_t t[3] = {0};
    float *w = call->w;
    do {
        for (int64_t c = 0; c < s->channels; c++)
            for (int64_t n = 0; n < s->columns; n++, w++) {
                double sum = call->accumulate ? (double)*w : 0.0;
                for (int64_t b = 0; b < call->batch; b++) {
                    int64_t p[3] = {0}, flat = 0;
                    do {
                        const int64_t q = gather(s, p, t);
                        if (q >= 0)
                            sum += (double)call->x[(b * grid + q) * call->x_stride + c] *
                                   (double)call->y[(b * points + flat) * call->y_stride + n];
                        flat++;
                    } while (next_index(s->points, p));
                }
                *w = (float)sum;
            }
    } while (next_index(s->taps, t));
}
