/* SPDX-License-Identifier: BSD-3-Clause */
/* optimiser.c - passes over contiguous arrays: AdamW, sum of squares, addition.
 *
 * AdamW (I. Loshchilov, F. Hutter, ICLR 2019), g = gradient_scale * gradient:
 *     m <- beta1 m + (1 - beta1) g        v <- beta2 v + (1 - beta2) g^2
 *     p <- p - learning_rate ( weight_decay p + m correction1 / (sqrt(v correction2) + epsilon) )
 * sum_squares adds in double: LANES running sums, then the lanes in order, then the last values. */
#include <math.h>

#include "surrogate/kernels/elementwise.h"

/* one vector: moments and parameter are updated in place */
INLINE void adamw_step(const locum_adamw_call *call, vf gradient, vf *m, vf *v, vf *p)
{
    vf g = gradient * splat(call->gradient_scale);
    *m = fma_(splat(call->beta1), *m, splat(1.0f - call->beta1) * g);
    *v = fma_(splat(call->beta2), *v, splat(1.0f - call->beta2) * g * g);
    vf step = *m * splat(call->correction1) / (sqrt_(*v * splat(call->correction2)) + splat(call->epsilon));
    *p -= splat(call->learning_rate) * fma_(splat(call->weight_decay), *p, step);
}

void LOCUM_KERNEL(locum_adamw)(const locum_adamw_call *call)
{
    const locum_adamw_call local = *call;
    int64_t i = 0, rest;
    for (; i + LANES <= local.n; i += LANES) {
        vf m = load(local.moment1 + i), v = load(local.moment2 + i), p = load(local.parameter + i);
        adamw_step(&local, load(local.gradient + i), &m, &v, &p);
        store(local.moment1 + i, m);
        store(local.moment2 + i, v);
        store(local.parameter + i, p);
    }
    if ((rest = local.n - i) > 0) {
        vf m = load_part(local.moment1 + i, rest), v = load_part(local.moment2 + i, rest);
        vf p = load_part(local.parameter + i, rest);
        adamw_step(&local, load_part(local.gradient + i, rest), &m, &v, &p);
        store_part(local.moment1 + i, m, rest);
        store_part(local.moment2 + i, v, rest);
        store_part(local.parameter + i, p, rest);
    }
}

double LOCUM_KERNEL(locum_sum_squares)(int64_t n, const float *x)
{
    double lane[LANES] = {0}, sum = 0.0;
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (int j = 0; j < LANES; j++) lane[j] += (double)x[i + j] * (double)x[i + j];
    for (int j = 0; j < LANES; j++) sum += lane[j];
    for (; i < n; i++) sum += (double)x[i] * (double)x[i];
    return sum;
}

void LOCUM_KERNEL(locum_add)(int64_t n, const float *x, float *y)
{
    MAP2(n, y, x, y, a + b);
}
