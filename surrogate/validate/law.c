/* SPDX-License-Identifier: BSD-3-Clause */
/* law.c - how many of n test samples a split-conformal interval covers, if calibration and test samples are
 * exchangeable.
 *
 *     K ~ BB(n; n_cal + 1 - l, l),  l = floor((n_cal + 1) alpha)      P(K = k) = C(n, k) B(k + a, n - k + b) / B(a, b)
 * (A. Angelopoulos, S. Bates, arXiv 2107.07511, section 3). Sums of exp(log-gamma), good to about 1e-9 for n
 * up to a million. */
#include "surrogate/validate/validate_parts.h"

#include <math.h>

static double log_gamma(double x)
{
    int sign;

    return lgamma_r(x, &sign);
}

static double log_beta(double a, double b)
{
    return log_gamma(a) + log_gamma(b) - log_gamma(a + b);
}

int64_t locum_law_quantile(int64_t n, double a, double b, double p)
{
    double sum = 0;

    for (int64_t k = 0; k <= n; k++) {
        double log_choose = log_gamma((double)n + 1) - log_gamma((double)k + 1) - log_gamma((double)(n - k) + 1);
        sum += exp(log_choose + log_beta((double)k + a, (double)(n - k) + b) - log_beta(a, b));
        if (sum >= p * (1 - 1e-12)) return k;
    }
    return n;
}

int64_t locum_law_level(int64_t n_calibration, double coverage)
{
    /* the same rank as the runtime's quantile: a coverage such as 0.9 is not exact in binary */
    return n_calibration + 1 - (int64_t)ceil((double)(n_calibration + 1) * coverage - 1e-9);
}
