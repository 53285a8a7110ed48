/* SPDX-License-Identifier: BSD-3-Clause */
/* features.c - distance of features from those of the fitted samples, and what both calibrations share.
 *
 *     distance  |(f - mean) map| / sqrt(n),  map = L^-T,  L L^T = covariance, shrunk by a tenth towards its mean
 *     diagonal: with fewer samples than features it is singular otherwise */
#include "surrogate/calibrate/features.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"

#define SHRINKAGE 0.1
#define SHRINKAGE_LEAST 1e-8

void locum_calibrate_round(int64_t n, double *values)
{
    for (int64_t i = 0; i < n; i++) values[i] = (double)(float)values[i];
}

static void mean_of(int64_t n, int64_t m, const double *f, double *mean)
{
    for (int64_t j = 0; j < m; j++) {
        double sum = 0;
        for (int64_t r = 0; r < n; r++) sum += f[r * m + j];
        mean[j] = n ? sum / (double)n : 0;
    }
    locum_calibrate_round(m, mean);
}

/* covariance [m, m], then shrunk: with fewer samples than features it is singular otherwise */
static void covariance_of(int64_t n, int64_t m, const double *f, const double *mean, double *c)
{
    double trace = 0;
    for (int64_t i = 0; i < m; i++)
        for (int64_t j = 0; j <= i; j++) {
            double sum = 0;
            for (int64_t r = 0; r < n; r++) sum += (f[r * m + i] - mean[i]) * (f[r * m + j] - mean[j]);
            c[i * m + j] = c[j * m + i] = n ? (1 - SHRINKAGE) * sum / (double)n : 0;
        }
    for (int64_t i = 0; i < m; i++) trace += c[i * m + i] / (1 - SHRINKAGE);
    for (int64_t i = 0; i < m; i++) c[i * m + i] += SHRINKAGE * trace / (double)m + SHRINKAGE_LEAST;
}

/* Cholesky in place (lower), then map = L^-T column by column: L^T map = 1 */
static void whiten(int64_t m, double *c, double *map)
{
    for (int64_t j = 0; j < m; j++)
        for (int64_t i = j; i < m; i++) {
            double sum = c[i * m + j];
            for (int64_t k = 0; k < j; k++) sum -= c[i * m + k] * c[j * m + k];
            c[i * m + j] = i == j ? sqrt(sum) : sum / c[j * m + j];
        }
    memset(map, 0, (size_t)(m * m) * sizeof *map);
    for (int64_t column = 0; column < m; column++)
        for (int64_t i = column; i >= 0; i--) {
            double sum = i == column ? 1 : 0;
            for (int64_t k = i + 1; k <= column; k++) sum -= c[k * m + i] * map[k * m + column];
            map[i * m + column] = sum / c[i * m + i];
        }
    locum_calibrate_round(m * m, map);
}

double locum_calibrate_distance(int64_t m, const double *mean, const double *map, const double *f)
{
    double sum = 0;
    for (int64_t j = 0; j < m; j++) {
        double y = 0;
        for (int64_t i = 0; i <= j; i++) y += (f[i] - mean[i]) * map[i * m + j];
        sum += y * y;
    }
    return sqrt(sum / (double)m);
}

locum_status locum_calibrate_features(int64_t n, int64_t m, const double *features, double *mean, double *map)
{
    double *covariance = NULL;
    LOCUM_TRY(LOCUM_NEW(&covariance, m * m));
    mean_of(n, m, features, mean);
    covariance_of(n, m, features, mean, covariance);
    whiten(m, covariance, map);
    free(covariance);
    return LOCUM_OK;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

void locum_calibrate_sort(int64_t n, double *values)
{
    qsort(values, (size_t)n, sizeof *values, ascending);
}
