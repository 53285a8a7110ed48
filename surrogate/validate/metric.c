/* SPDX-License-Identifier: BSD-3-Clause */
/* metric.c - the error that the study asks for, and how sure it is.
 *
 *     e_ij = |p_ij - t_ij| / |t_ij|      sample i, output j: Euclidean norm over the values of the output
 *     e_i  = mean over the outputs of the metric      e = mean over samples
 * The interval of e is the percentile bootstrap over samples (B. Efron, Annals of Statistics 7, 1, 1979),
 * drawn by Philox, so that it is the same in each run. It tells what other test samples might have given, not
 * what other training data would. */
#include "surrogate/validate/validate_parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/random.h"

#define REPLICATES 2000

double locum_metric_relative(int64_t n, const double *prediction, const double *truth)
{
    double off = 0, all = 0;

    for (int64_t i = 0; i < n; i++) {
        off += (prediction[i] - truth[i]) * (prediction[i] - truth[i]);
        all += truth[i] * truth[i];
    }
    if (all > 0) return sqrt(off / all);
    return off > 0 ? 1 : off; /* NAN stays NAN */
}

double locum_metric_row(const locum_rows_layout *layout, const double *prediction, const double *truth,
                        double *of_output)
{
    double sum = 0;

    for (int j = 0; j < layout->n_outputs; j++) {
        int64_t first = layout->first[j];
        of_output[j] = locum_metric_relative(layout->first[j + 1] - first, prediction + first, truth + first);
        if (layout->in_metric[j]) sum += of_output[j];
    }
    return sum / layout->n_metric;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

double locum_quantile_of(int64_t n, double *values, double p)
{
    if (n < 1) return NAN;
    qsort(values, (size_t)n, sizeof *values, compare);
    double at = p * (double)(n - 1);
    int64_t below = (int64_t)floor(at), above = below + 1 < n ? below + 1 : below;
    if (values[below] == values[above]) return values[below]; /* infinities too */
    return values[below] + (at - (double)below) * (values[above] - values[below]);
}

locum_status locum_bootstrap(int64_t n, const double *values, uint64_t seed, double *low, double *high)
{
    double *means = NULL, u[2];

    *low = *high = NAN;
    if (n < 1) return LOCUM_OK;
    LOCUM_TRY(LOCUM_NEW(&means, REPLICATES));
    for (int64_t r = 0; r < REPLICATES; r++) {
        for (int64_t i = 0; i < n; i++) {
            locum_random_uniform(seed, LOCUM_STREAM_BOOTSTRAP, (uint64_t)(r * n + i), u);
            means[r] += values[(int64_t)(u[0] * (double)n)];
        }
        means[r] /= (double)n;
    }
    *low = locum_quantile_of(REPLICATES, means, 0.025);
    *high = locum_quantile_of(REPLICATES, means, 0.975);
    free(means);
    return LOCUM_OK;
}

locum_status locum_errors_make(const locum_rows_layout *layout, int64_t n, const double *prediction,
                               const double *truth, uint64_t seed, locum_errors *errors)
{
    const int64_t width = layout->first[layout->n_outputs];
    const int m = layout->n_outputs;

    *errors = (locum_errors){.n = n, .mean = NAN, .low = NAN, .high = NAN};
    LOCUM_TRY(LOCUM_NEW(&errors->sample, n));
    LOCUM_TRY(LOCUM_NEW(&errors->of_output, n * m));
    LOCUM_TRY(LOCUM_NEW(&errors->output_mean, m));
    double sum = 0;
    for (int64_t i = 0; i < n; i++) {
        errors->sample[i] =
            locum_metric_row(layout, prediction + i * width, truth + i * width, errors->of_output + i * m);
        sum += errors->sample[i];
        for (int j = 0; j < m; j++) errors->output_mean[j] += errors->of_output[i * m + j] / (double)n;
    }
    if (n > 0) errors->mean = sum / (double)n;
    for (int j = 0; j < m && n == 0; j++) errors->output_mean[j] = NAN;
    return locum_bootstrap(n, errors->sample, seed, &errors->low, &errors->high);
}

void locum_errors_free(locum_errors *errors)
{
    free(errors->sample);
    free(errors->of_output);
    free(errors->output_mean);
    *errors = (locum_errors){0};
}
