/* SPDX-License-Identifier: BSD-3-Clause */
/* windows.c - one run with running means from an early start gives the mean over every part of it:
 *
 *     mean[t1, t2] = ((t2 - s) mean[s, t2] - (t1 - s) mean[s, t1]) / (t2 - t1)
 * so spin-up (t1) and averaging (t2) are both searched at the cost of one run. Exact up to round-off, as the
 * trapezoidal sums are additive. */
#include "surrogate/validate/validate_parts.h"

#include <math.h>

void locum_window_ends(double start, double until, int n, double *ends)
{
    for (int i = 0; i < n; i++) ends[i] = start + (until - start) * exp2(-0.5 * (n - 1 - i));
    ends[n - 1] = until;
}

void locum_window_mean(int64_t width, double start, double t1, const double *mean1, double t2, const double *mean2,
                       double *out)
{
    double before = (t1 - start) / (t2 - t1), all = (t2 - start) / (t2 - t1);

    for (int64_t i = 0; i < width; i++) out[i] = t1 > start ? all * mean2[i] - before * mean1[i] : mean2[i];
}
