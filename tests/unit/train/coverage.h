/* SPDX-License-Identifier: BSD-3-Clause */
/* coverage.h - how often split-conformal intervals cover: a count over random splits against its law.
 *
 *     P(k of n covered) when the interval is the (n_calibration + 1 - l)-th of n_calibration scores:
 *     beta-binomial(n; n_calibration + 1 - l, l) */
#ifndef TESTS_UNIT_TRAIN_COVERAGE_H
#define TESTS_UNIT_TRAIN_COVERAGE_H

#include <math.h>

enum { COVERAGE_SPLITS = 200, COVERAGE_CALIBRATION = 32, COVERAGE_TEST = 32, COVERAGE_L = 3 }; /* floor(33 * 0.1) = 3 */

static inline double coverage_law(int k)
{
    const double n = COVERAGE_TEST, a = COVERAGE_CALIBRATION + 1 - COVERAGE_L, b = COVERAGE_L;
    return exp(lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1) + lgamma(k + a) + lgamma(n - k + b) -
               lgamma(n + a + b) + lgamma(a + b) - lgamma(a) - lgamma(b));
}

/* of the law: its sum and mean; of the counts: their mean; largest distance of the two cumulative ones */
typedef struct coverage_figures {
    double total, expected_mean, mean, distance;
} coverage_figures;

static inline coverage_figures coverage_of(const int counts[COVERAGE_SPLITS])
{
    coverage_figures c = {0};
    double histogram[COVERAGE_TEST + 1] = {0}, observed = 0;
    for (int s = 0; s < COVERAGE_SPLITS; s++) histogram[counts[s]] += 1.0 / COVERAGE_SPLITS;
    for (int k = 0; k <= COVERAGE_TEST; k++) {
        c.total += coverage_law(k);
        c.expected_mean += k * coverage_law(k);
        c.mean += k * histogram[k];
        observed += histogram[k];
        c.distance = fmax(c.distance, fabs(observed - c.total));
    }
    return c;
}

#endif
