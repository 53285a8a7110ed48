/* SPDX-License-Identifier: BSD-3-Clause */
/* calibrate.c - the tables behind intervals and flags (J. Lei et al., JASA 113, 1094, 2018; normalised scores: H.
 * Papadopoulos, 2008).
 *
 *     sigma_j   root mean square residual over the fitted samples, at least a tenth of the mean over j (some nearly
 *               vanish: they are fitted)
 *     score     max over j of |m_j - z_j| / sqrt(sigma_j^2 + s_j^2)         one a sample: the interval is simultaneous
 *     distance  |(f - mean) map| / sqrt(n),  map = L^-T,  L L^T = covariance of fitted features, shrunk by a tenth
 *               towards its mean diagonal
 *     spread    sqrt(mean over j of s_j^2 / sigma_j^2)
 *
 * The runtime reads sigma, mean and map as float32; scores are made with the rounded values. A share (LOG_SHARE) is
 * judged against the predicted total, which is what the interval of the runtime is made with: z* = log(y + floor *
 * predicted total), normalised. */
#include "surrogate/calibrate/calibrate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"

#define SIGMA_FLOOR 0.1
#define SIGMA_LEAST 1e-6
#define SHRINKAGE 0.1
#define SHRINKAGE_LEAST 1e-8

/* what the network says about n rows */
typedef struct answers {
    double *mean, *deviation, *features;
} answers;

static void free_answers(answers *a)
{
    free(a->mean);
    free(a->deviation);
    free(a->features);
}

static locum_status ask(const locum_task *task, int64_t n_features, locum_network network, void *self, int64_t n,
                        const double *x, answers *a)
{
    LOCUM_TRY(LOCUM_NEW(&a->mean, n * task->n_z));
    LOCUM_TRY(LOCUM_NEW(&a->deviation, n * task->n_z));
    LOCUM_TRY(LOCUM_NEW(&a->features, n * n_features));
    return n ? network(self, n, x, a->mean, a->deviation, a->features) : LOCUM_OK;
}

static void round_to_float(int64_t n, double *values)
{
    for (int64_t i = 0; i < n; i++) values[i] = (double)(float)values[i];
}

/* --- residuals ---------------------------------------------------------------------------------------------------- */
static void fit_sigma(int64_t n, int64_t n_z, const double *mean, const double *z, double *sigma)
{
    double whole = 0;
    for (int64_t j = 0; j < n_z; j++) {
        double square = 0;
        for (int64_t r = 0; r < n; r++)
            square += (mean[r * n_z + j] - z[r * n_z + j]) * (mean[r * n_z + j] - z[r * n_z + j]);
        sigma[j] = n ? sqrt(square / (double)n) : 1;
        whole += sigma[j] * sigma[j];
    }
    double least = fmax(SIGMA_LEAST, SIGMA_FLOOR * sqrt(whole / (double)n_z));
    for (int64_t j = 0; j < n_z; j++) sigma[j] = fmax(sigma[j], least);
    round_to_float(n_z, sigma);
}

/* the target of a share as the runtime's interval sees it */
static double seen_target(const locum_task *task, const locum_channel *c, int64_t j, double z, const double *mean,
                          const double *truth)
{
    int64_t at = 0;
    for (int i = 0; i < c->total; i++) at += task->outputs[i].extent;
    const locum_channel *total = &task->outputs[c->total];
    double predicted = exp(mean[at] * total->scale[0] + total->mean[0]),
           true_total = exp(truth[at] * total->scale[0] + total->mean[0]);
    double share = fmax(exp(z * c->scale[j] + c->mean[j]) - c->floor * true_total, 0);
    return (log(share + c->floor * predicted) - c->mean[j]) / c->scale[j];
}

static double score_of(const locum_task *task, const double *sigma, const double *mean, const double *deviation,
                       const double *z)
{
    double score = 0;
    int64_t at = 0;
    for (int i = 0; i < task->n_outputs; i++) {
        const locum_channel *c = &task->outputs[i];
        for (int64_t j = 0; j < c->extent; j++, at++) {
            double target = c->transform == LOCUM_LOG_SHARE ? seen_target(task, c, j, z[at], mean, z) : z[at];
            double value = fabs(mean[at] - target) / sqrt(sigma[at] * sigma[at] + deviation[at] * deviation[at]);
            score = value > score ? value : score;
        }
    }
    return score;
}

static double spread_of(int64_t n_z, const double *sigma, const double *deviation)
{
    double sum = 0;
    for (int64_t j = 0; j < n_z; j++) sum += deviation[j] * deviation[j] / (sigma[j] * sigma[j]);
    return sqrt(sum / (double)n_z);
}

/* --- features ----------------------------------------------------------------------------------------------------- */
static void mean_of(int64_t n, int64_t m, const double *f, double *mean)
{
    for (int64_t j = 0; j < m; j++) {
        double sum = 0;
        for (int64_t r = 0; r < n; r++) sum += f[r * m + j];
        mean[j] = n ? sum / (double)n : 0;
    }
    round_to_float(m, mean);
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
    round_to_float(m * m, map);
}

static double distance_of(int64_t m, const double *mean, const double *map, const double *f)
{
    double sum = 0;
    for (int64_t j = 0; j < m; j++) {
        double y = 0;
        for (int64_t i = 0; i <= j; i++) y += (f[i] - mean[i]) * map[i * m + j];
        sum += y * y;
    }
    return sqrt(sum / (double)m);
}

/* --- all of it ---------------------------------------------------------------------------------------------------- */
static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static locum_status allocate(const locum_task *task, int64_t n_features, int64_t n, locum_trust_tables *t)
{
    *t = (locum_trust_tables){.n_features = n_features, .n = n};
    LOCUM_TRY(LOCUM_NEW(&t->sigma, task->n_z));
    LOCUM_TRY(LOCUM_NEW(&t->feature_mean, n_features));
    LOCUM_TRY(LOCUM_NEW(&t->feature_map, n_features * n_features));
    LOCUM_TRY(LOCUM_NEW(&t->scores, n));
    LOCUM_TRY(LOCUM_NEW(&t->distances, n));
    return LOCUM_NEW(&t->spreads, n);
}

static locum_status fit(const locum_task *task, const answers *a, int64_t n, const double *z, locum_trust_tables *t)
{
    int64_t m = t->n_features;
    double *covariance = NULL;
    LOCUM_TRY(LOCUM_NEW(&covariance, m * m));
    fit_sigma(n, task->n_z, a->mean, z, t->sigma);
    mean_of(n, m, a->features, t->feature_mean);
    covariance_of(n, m, a->features, t->feature_mean, covariance);
    whiten(m, covariance, t->feature_map);
    free(covariance);
    return LOCUM_OK;
}

static locum_status measure(const locum_task *task, const answers *a, const double *z, locum_trust_tables *t)
{
    int64_t n_z = task->n_z, m = t->n_features;
    bool finite = true;
    for (int64_t r = 0; r < t->n; r++) {
        const double *deviation = a->deviation + r * n_z;
        t->scores[r] = score_of(task, t->sigma, a->mean + r * n_z, deviation, z + r * n_z);
        t->distances[r] = distance_of(m, t->feature_mean, t->feature_map, a->features + r * m);
        t->spreads[r] = spread_of(n_z, t->sigma, deviation);
        finite = finite && isfinite(t->scores[r]) && isfinite(t->distances[r]) && isfinite(t->spreads[r]);
    }
    LOCUM_REQUIRE(finite, LOCUM_NUMERIC, "calibrate: the network's answer to a calibration sample is not finite");
    qsort(t->scores, (size_t)t->n, sizeof *t->scores, ascending);
    qsort(t->distances, (size_t)t->n, sizeof *t->distances, ascending);
    qsort(t->spreads, (size_t)t->n, sizeof *t->spreads, ascending);
    return LOCUM_OK;
}

locum_status locum_calibrate(const locum_task *task, int64_t n_features, locum_network network, void *self,
                             int64_t n_fitted, const double *x_fitted, const double *z_fitted, int64_t n_calibration,
                             const double *x, const double *z, locum_trust_tables *tables)
{
    answers fitted = {0}, fresh = {0};
    locum_status st = allocate(task, n_features, n_calibration, tables);
    if (!st) st = ask(task, n_features, network, self, n_fitted, x_fitted, &fitted);
    if (!st) st = fit(task, &fitted, n_fitted, z_fitted, tables);
    if (!st) st = ask(task, n_features, network, self, n_calibration, x, &fresh);
    if (!st) st = measure(task, &fresh, z, tables);
    free_answers(&fitted);
    free_answers(&fresh);
    if (st) locum_trust_tables_free(tables);
    return st;
}

void locum_trust_tables_free(locum_trust_tables *t)
{
    free(t->sigma);
    free(t->feature_mean);
    free(t->feature_map);
    free(t->scores);
    free(t->distances);
    free(t->spreads);
    *t = (locum_trust_tables){0};
}
