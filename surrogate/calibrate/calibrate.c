/* SPDX-License-Identifier: BSD-3-Clause */
/* calibrate.c - the tables behind intervals and flags (J. Lei et al., JASA 113, 1094, 2018; normalised scores: H.
 * Papadopoulos, 2008).
 *
 *     r_j       = m_j - z_j; of a share y (LOG_SHARE), with T the predicted total, floor f, resolution p (model_type.h):
 *                 log(y_predicted + p T) - log(y + p T), over the normaliser's scale
 *     s_j       standard deviation over members; of a share times (y_predicted + f T) / (y_predicted + p T)
 *     sigma_j   root mean square of r_j over the fitted samples, at least a hundredth of the mean over its output (some
 *               nearly vanish: they are fitted)
 *     score     max over j of |r_j| / sqrt(sigma_j^2 + s_j^2)               one a sample: the interval is simultaneous
 *     distance  |(f - mean) map| / sqrt(n),  map = L^-T,  L L^T = covariance of fitted features, shrunk by a tenth
 *               towards its mean diagonal
 *     spread    sqrt(mean over j of s_j^2 / sigma_j^2)
 *
 * The runtime reads sigma, mean and map as float32; scores are made with the rounded values. Shares are judged against
 * the predicted total, as the intervals of the runtime are, and with the larger floor p: near a transition of a flow
 * spectra change by powers of ten where they hardly matter, and one score for all would widen every interval. */
#include "surrogate/calibrate/features.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"

/* what the network says about n rows; residual: see the head */
typedef struct answers {
    double *mean, *deviation, *features, *residual;
} answers;

static void free_answers(answers *a)
{
    free(a->mean);
    free(a->deviation);
    free(a->features);
    free(a->residual);
}

static locum_status ask(const locum_task *task, int64_t n_features, locum_network network, void *self, int64_t n,
                        const double *x, answers *a)
{
    LOCUM_TRY(LOCUM_NEW(&a->mean, n * task->n_z));
    LOCUM_TRY(LOCUM_NEW(&a->deviation, n * task->n_z));
    LOCUM_TRY(LOCUM_NEW(&a->features, n * n_features));
    LOCUM_TRY(LOCUM_NEW(&a->residual, n * task->n_z));
    return n ? network(self, n, x, a->mean, a->deviation, a->features) : LOCUM_OK;
}

/* --- residuals ---------------------------------------------------------------------------------------------------- */
/* one share: its residual, and what its deviation over members becomes; m: predicted, z: true, both normalised */
static void resolve_share(const locum_channel *c, int64_t j, double predicted_total, double true_total, double m,
                          double z, double *residual, double *deviation)
{
    double resolved = locum_channel_resolution(c) * predicted_total, share = exp(m * c->scale[j] + c->mean[j]),
           truth = fmax(exp(z * c->scale[j] + c->mean[j]) - c->floor * true_total, 0),
           predicted = share + resolved - c->floor * predicted_total;
    *residual = log(predicted / (truth + resolved)) / c->scale[j];
    *deviation *= share / predicted;
}

static double physical_total(const locum_task *task, const locum_channel *share, const double *z)
{
    const locum_channel *total = &task->outputs[share->total];
    return exp(z[locum_task_first_value(task, share->total)] * total->scale[0] + total->mean[0]);
}

/* one row as intervals see it: m predicted, z true, deviation over members, which changes too */
static void resolve_row(const locum_task *task, const double *m, const double *z, double *residual, double *deviation)
{
    for (int64_t j = 0; j < task->n_z; j++) residual[j] = m[j] - z[j];
    for (int i = 0; i < task->n_outputs; i++) {
        const locum_channel *c = &task->outputs[i];
        int64_t first = locum_task_first_value(task, i);
        if (c->transform != LOCUM_LOG_SHARE) continue;
        double predicted = physical_total(task, c, m), true_total = physical_total(task, c, z);
        for (int64_t j = 0; j < c->extent; j++)
            resolve_share(c, j, predicted, true_total, m[first + j], z[first + j], &residual[first + j],
                          &deviation[first + j]);
    }
}

static void resolve(const locum_task *task, int64_t n, const double *z, answers *a)
{
    for (int64_t at = 0; at < n * task->n_z; at += task->n_z)
        resolve_row(task, a->mean + at, z + at, a->residual + at, a->deviation + at);
}

static void fit_sigma(const locum_task *task, int64_t n, const double *residual, double *sigma)
{
    int64_t n_z = task->n_z, first = 0;
    for (int64_t j = 0; j < n_z; j++) {
        double square = 0;
        for (int64_t r = 0; r < n; r++) square += residual[r * n_z + j] * residual[r * n_z + j];
        sigma[j] = n ? sqrt(square / (double)n) : 1;
    }
    for (int i = 0; i < task->n_outputs; first += task->outputs[i++].extent) {
        int64_t extent = task->outputs[i].extent;
        double whole = 0;
        for (int64_t j = 0; j < extent; j++) whole += sigma[first + j] * sigma[first + j];
        double least = fmax(SIGMA_LEAST, SIGMA_FLOOR * sqrt(whole / (double)extent));
        for (int64_t j = 0; j < extent; j++) sigma[first + j] = fmax(sigma[first + j], least);
    }
    locum_calibrate_round(n_z, sigma);
}

/* not a number if anything is not */
static double score_of(int64_t n_z, const double *sigma, const double *residual, const double *deviation)
{
    double score = 0;
    for (int64_t j = 0; j < n_z; j++) {
        double value = fabs(residual[j]) / sqrt(sigma[j] * sigma[j] + deviation[j] * deviation[j]);
        if (!(value <= score)) score = value;
        if (isnan(value)) break;
    }
    return score;
}

static double spread_of(int64_t n_z, const double *sigma, const double *deviation)
{
    double sum = 0;
    for (int64_t j = 0; j < n_z; j++) sum += deviation[j] * deviation[j] / (sigma[j] * sigma[j]);
    return sqrt(sum / (double)n_z);
}

/* --- all of it ---------------------------------------------------------------------------------------------------- */
static locum_status allocate(const locum_task *task, int64_t n_features, int64_t n, locum_trust_tables *t)
{
    *t = (locum_trust_tables){.n_features = n_features, .n = n, .n_sigma = task->n_z, .leads = 1};
    LOCUM_TRY(LOCUM_NEW(&t->sigma, task->n_z));
    LOCUM_TRY(LOCUM_NEW(&t->feature_mean, n_features));
    LOCUM_TRY(LOCUM_NEW(&t->feature_map, n_features * n_features));
    LOCUM_TRY(LOCUM_NEW(&t->scores, n));
    LOCUM_TRY(LOCUM_NEW(&t->distances, n));
    return LOCUM_NEW(&t->spreads, n);
}

static locum_status fit(const locum_task *task, answers *a, int64_t n, const double *z, locum_trust_tables *t)
{
    int64_t m = t->n_features;
    resolve(task, n, z, a);
    fit_sigma(task, n, a->residual, t->sigma);
    return locum_calibrate_features(n, m, a->features, t->feature_mean, t->feature_map);
}

static locum_status measure(const locum_task *task, answers *a, const double *z, locum_trust_tables *t)
{
    int64_t n_z = task->n_z, m = t->n_features;
    bool finite = true;
    resolve(task, t->n, z, a);
    for (int64_t r = 0; r < t->n; r++) {
        const double *deviation = a->deviation + r * n_z;
        t->scores[r] = score_of(n_z, t->sigma, a->residual + r * n_z, deviation);
        t->distances[r] = locum_calibrate_distance(m, t->feature_mean, t->feature_map, a->features + r * m);
        t->spreads[r] = spread_of(n_z, t->sigma, deviation);
        finite = finite && isfinite(t->scores[r]) && isfinite(t->distances[r]) && isfinite(t->spreads[r]);
    }
    LOCUM_REQUIRE(finite, LOCUM_NUMERIC, "calibrate: the network's answer to a calibration sample is not finite");
    locum_calibrate_sort(t->n, t->scores);
    locum_calibrate_sort(t->n, t->distances);
    locum_calibrate_sort(t->n, t->spreads);
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
    free(t->growth);
    free(t->energies);
    free(t->divergences);
    *t = (locum_trust_tables){0};
}
