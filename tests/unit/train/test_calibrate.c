/* SPDX-License-Identifier: BSD-3-Clause */
/* test_calibrate.c - intervals cover as the theory says: over random splits of heteroscedastic data the coverage
 * follows its beta-binomial law; on shifted data it fails, visibly. The tables are those of the formulas. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/random.h"
#include "surrogate/calibrate/calibrate.h"
#include "surrogate/runtime/model.h"
#include "tests/unit/check.h"
#include "tests/unit/train/coverage.h"

enum { N_X = 2, N_Z = 3, N_FEATURES = 2 };

static locum_task plain_task(locum_channel *outputs)
{
    *outputs = (locum_channel){.extent = N_Z};
    return (locum_task){.n_outputs = 1, .outputs = outputs, .n_x = N_X, .n_z = N_Z, .members = 2};
}

/* a "network": z = (x0, x1, x0 x1) with an honest idea of where it errs; features are the inputs */
static locum_status network(void *self, int64_t n, const double *x, double *mean, double *deviation, double *features)
{
    (void)self;
    for (int64_t r = 0; r < n; r++) {
        const double *in = x + r * N_X;
        mean[r * N_Z] = in[0];
        mean[r * N_Z + 1] = in[1];
        mean[r * N_Z + 2] = in[0] * in[1];
        for (int j = 0; j < N_Z; j++) deviation[r * N_Z + j] = 0.05 * fabs(in[0]);
        memcpy(features + r * N_FEATURES, in, sizeof(double) * N_FEATURES);
    }
    return LOCUM_OK;
}

/* the truth: the network and noise that grows with |x0|, not normal (an exponential tail) */
static void draw(uint64_t seed, int64_t n, double shift, double *x, double *z)
{
    double deviation[N_Z], mean[N_Z], features[N_FEATURES];
    for (int64_t r = 0; r < n; r++) {
        double pair[2], u[2];
        locum_random_normal(seed, LOCUM_STREAM_TEST, (uint64_t)(8 * r), pair);
        x[r * N_X] = pair[0] + shift;
        x[r * N_X + 1] = pair[1];
        if (network(NULL, 1, x + r * N_X, mean, deviation, features)) abort();
        for (int j = 0; j < N_Z; j++) {
            locum_random_uniform(seed, LOCUM_STREAM_TEST, (uint64_t)(8 * r + 1 + j), u);
            double size = -log(u[0]) * (0.05 + 0.2 * fabs(x[r * N_X]) + shift);
            z[r * N_Z + j] = mean[j] + (u[1] < 0.5 ? -size : size);
        }
    }
}

static bool covered(const locum_trust_tables *t, double quantile, const double *x, const double *z)
{
    double mean[N_Z], deviation[N_Z], features[N_FEATURES];
    bool inside = true;
    if (network(NULL, 1, x, mean, deviation, features)) abort();
    for (int j = 0; j < N_Z; j++)
        inside =
            inside && fabs(z[j] - mean[j]) <= quantile * sqrt(t->sigma[j] * t->sigma[j] + deviation[j] * deviation[j]);
    return inside;
}

/* how many of n fresh samples an interval calibrated on n_calibration holds */
static int count_covered(uint64_t seed, int n_calibration, int n, double coverage, double shift)
{
    enum { FITTED = 60, MOST = 200 };
    static double x_fit[FITTED * N_X], z_fit[FITTED * N_Z], x[MOST * N_X], z[MOST * N_Z];
    locum_channel outputs;
    locum_task task = plain_task(&outputs);
    locum_trust_tables t;
    int count = 0;
    draw(locum_random_seed(seed, LOCUM_STREAM_TEST, 1), FITTED, 0, x_fit, z_fit);
    draw(locum_random_seed(seed, LOCUM_STREAM_TEST, 2), n_calibration, 0, x, z);
    CHECK_OK(locum_calibrate(&task, N_FEATURES, network, NULL, FITTED, x_fit, z_fit, n_calibration, x, z, &t));
    locum_trust_table scores = {t.n, t.scores};
    double quantile = locum_trust_quantile(&scores, coverage);
    draw(locum_random_seed(seed, LOCUM_STREAM_TEST, 3), n, shift, x, z);
    for (int r = 0; r < n; r++) count += covered(&t, quantile, x + r * N_X, z + r * N_Z);
    locum_trust_tables_free(&t);
    return count;
}

static void coverage_follows_the_beta_binomial_law(void)
{
    int counts[COVERAGE_SPLITS];
    for (int s = 0; s < COVERAGE_SPLITS; s++)
        counts[s] = count_covered((uint64_t)s, COVERAGE_CALIBRATION, COVERAGE_TEST, 0.9, 0);
    coverage_figures c = coverage_of(counts);
    CHECK_CLOSE(c.total, 1, 1e-12);
    CHECK_CLOSE(c.expected_mean, COVERAGE_TEST * 30.0 / 33, 1e-10); /* at least the 90 % that were asked for */
    CHECK_CLOSE(c.mean, c.expected_mean, 0.65); /* standard deviation of k 2.37: of the mean of 200 0.17; 3.9 of them */
    /* Kolmogorov-Smirnov at 0.1 % (conservative for a discrete law) */
    CU_ASSERT_TRUE(c.distance < 1.95 / sqrt(COVERAGE_SPLITS));
}

static void shifted_data_are_not_covered(void)
{
    enum { SPLITS = 50, N_TEST = 32 };
    int below = 0;
    for (uint64_t s = 0; s < SPLITS; s++)
        below += count_covered(1000 + s, 32, N_TEST, 0.9, 1.5) < 19; /* 0.1 % quantile of the law: 19 */
    CU_ASSERT_TRUE(below > SPLITS * 9 / 10);
}

static void tables_are_the_formulas_and_ascend(void)
{
    enum { FITTED = 500, N = 25 };
    static double x_fit[FITTED * N_X], z_fit[FITTED * N_Z], x[N * N_X], z[N * N_Z];
    locum_channel outputs;
    locum_task task = plain_task(&outputs);
    locum_trust_tables t;
    double square[N_Z] = {0}, mean[N_Z], deviation[N_Z], features[N_FEATURES];

    draw(1, FITTED, 0, x_fit, z_fit);
    draw(2, N, 0, x, z);
    CHECK_OK(locum_calibrate(&task, N_FEATURES, network, NULL, FITTED, x_fit, z_fit, N, x, z, &t));
    for (int r = 0; r < FITTED; r++) {
        if (network(NULL, 1, x_fit + r * N_X, mean, deviation, features)) abort();
        for (int j = 0; j < N_Z; j++) square[j] += (z_fit[r * N_Z + j] - mean[j]) * (z_fit[r * N_Z + j] - mean[j]);
    }
    for (int j = 0; j < N_Z; j++)
        CHECK_CLOSE(t.sigma[j], sqrt(square[j] / FITTED), 6e-8 * t.sigma[j]); /* rounded to float32 */
    for (int i = 1; i < N; i++)
        CU_ASSERT_TRUE(t.scores[i] >= t.scores[i - 1] && t.distances[i] >= t.distances[i - 1] &&
                       t.spreads[i] >= t.spreads[i - 1]);
    /* whitened fitted features: covariance near the identity, but for the tenth that was shrunk */
    double second[N_FEATURES] = {0};
    for (int r = 0; r < FITTED; r++)
        for (int j = 0; j < N_FEATURES; j++) {
            double y = 0;
            for (int i = 0; i < N_FEATURES; i++)
                y += (x_fit[r * N_X + i] - t.feature_mean[i]) * t.feature_map[i * N_FEATURES + j];
            second[j] += y * y / FITTED;
        }
    for (int j = 0; j < N_FEATURES; j++) CHECK_CLOSE(second[j], 1, 0.05);
    locum_trust_tables_free(&t);
}

static void no_calibration_samples_give_empty_tables(void)
{
    enum { FITTED = 10 };
    double x_fit[FITTED * N_X], z_fit[FITTED * N_Z];
    locum_channel outputs;
    locum_task task = plain_task(&outputs);
    locum_trust_tables t;
    draw(1, FITTED, 0, x_fit, z_fit);
    CHECK_OK(locum_calibrate(&task, N_FEATURES, network, NULL, FITTED, x_fit, z_fit, 0, NULL, NULL, &t));
    CU_ASSERT_EQUAL(t.n, 0);
    locum_trust_table scores = {t.n, t.scores};
    CU_ASSERT_TRUE(isinf(locum_trust_quantile(&scores, 0.5)));
    locum_trust_tables_free(&t);
}

/* A share's score must hold in physical space, where its interval is built with the predicted total. */
static locum_status share_network(void *self, int64_t n, const double *x, double *mean, double *deviation,
                                  double *features)
{
    (void)self;
    for (int64_t r = 0; r < n; r++) {
        mean[2 * r] = x[r] + 0.4; /* the predicted total is e^0.4 too large */
        mean[2 * r + 1] = x[r] - 4;
        deviation[2 * r] = deviation[2 * r + 1] = 0.01;
        features[r] = x[r];
    }
    return LOCUM_OK;
}

static locum_status vanishing_network(void *self, int64_t n, const double *x, double *mean, double *deviation,
                                      double *features)
{
    (void)self;
    for (int64_t r = 0; r < n; r++) {
        mean[2 * r] = features[r] = x[r];
        mean[2 * r + 1] = log(1e-5 + 1e-7);
        deviation[2 * r] = deviation[2 * r + 1] = 0.01;
    }
    return LOCUM_OK;
}

static void a_shares_score_holds_in_physical_space(void)
{
    double one = 1, zero = 0, x[8], z[16], y[2];
    locum_channel outputs[2] = {
        {.extent = 1, .transform = LOCUM_LOG, .mean = &zero, .scale = &one},
        {.extent = 1, .transform = LOCUM_LOG_SHARE, .floor = 1e-6, .total = 0, .mean = &zero, .scale = &one}};
    locum_task task = {.n_outputs = 2, .outputs = outputs, .n_x = 1, .n_z = 2, .members = 2};
    locum_trust_tables t;
    for (int r = 0; r < 8; r++) {
        x[r] = 0.1 * r;
        double row[2] = {exp(x[r]), exp(x[r] - 4 + 0.05 * r)};
        locum_task_normalise_outputs(&task, row, z + 2 * r);
    }
    CHECK_OK(locum_calibrate(&task, 1, share_network, NULL, 8, x, z, 8, x, z, &t));
    double q = t.scores[7]; /* every sample must lie inside the interval of the largest score, and one on its edge */
    int inside = 0, edge = 0;
    for (int r = 0; r < 8; r++) {
        double total = exp(x[r] + 0.4), share = exp(x[r] - 4), part = LOCUM_SHARE_RESOLUTION,
               resolved = share + (part - 1e-6) * total, seen[2] = {0.01, 0.01 * share / resolved}, width[2];
        for (int j = 0; j < 2; j++) width[j] = q * sqrt(t.sigma[j] * t.sigma[j] + seen[j] * seen[j]);
        locum_task_physical_outputs(&task, z + 2 * r, y);
        double upper[2] = {exp(x[r] + 0.4 + width[0]), resolved * exp(width[1]) - part * total};
        double lower[2] = {exp(x[r] + 0.4 - width[0]), fmax(resolved * exp(-width[1]) - part * total, 0)};
        double slack = 1e-12; /* round-off of the logarithms there and back */
        inside += lower[0] <= y[0] * (1 + slack) && y[0] <= upper[0] * (1 + slack) &&
                  lower[1] <= y[1] + slack * total && y[1] <= upper[1] + slack * total;
        edge += fabs(y[1] / upper[1] - 1) < 1e-6 || fabs(y[0] / lower[0] - 1) < 1e-9 ||
                (lower[1] > 0 && fabs(y[1] / lower[1] - 1) < 1e-6);
    }
    CU_ASSERT_EQUAL(inside, 8);
    CU_ASSERT_TRUE(edge >= 1);
    locum_trust_tables_free(&t);
}

/* ten times too large, but a hundred-thousandth of the total: an error of 0.9 %, not of 230 % */
static void a_share_below_the_resolution_hardly_counts(void)
{
    double one = 1, zero = 0, x[2] = {0, 0}, z[4], row[2] = {1, 1e-6};
    locum_channel outputs[2] = {
        {.extent = 1, .transform = LOCUM_LOG, .mean = &zero, .scale = &one},
        {.extent = 1, .transform = LOCUM_LOG_SHARE, .floor = 1e-7, .total = 0, .mean = &zero, .scale = &one}};
    locum_task task = {.n_outputs = 2, .outputs = outputs, .n_x = 1, .n_z = 2, .members = 2};
    locum_trust_tables t;
    for (int r = 0; r < 2; r++) locum_task_normalise_outputs(&task, row, z + 2 * r);
    CHECK_OK(locum_calibrate(&task, 1, vanishing_network, NULL, 2, x, z, 2, x, z, &t));
    CHECK_CLOSE(t.sigma[1], log((1e-5 + 1e-3) / (1e-6 + 1e-3)), 1e-7 * t.sigma[1]); /* rounded to float32 */
    locum_trust_tables_free(&t);
}

/* a member that says nothing must not pass for one that is right */
static locum_status lost_network(void *self, int64_t n, const double *x, double *mean, double *deviation,
                                 double *features)
{
    locum_status st = network(self, n, x, mean, deviation, features);
    if (n > 1) mean[(n - 1) * N_Z] = NAN;
    return st;
}

static void an_answer_that_is_no_number_is_refused(void)
{
    enum { N = 10 };
    double x[N * N_X], z[N * N_Z];
    locum_channel outputs;
    locum_task task = plain_task(&outputs);
    locum_trust_tables t;
    draw(1, N, 0, x, z);
    CU_ASSERT_EQUAL(locum_calibrate(&task, N_FEATURES, lost_network, NULL, 1, x, z, N, x, z, &t), LOCUM_NUMERIC);
    locum_status_clear();
}

LOCUM_RUN_TESTS("calibration", {"coverage follows the beta-binomial law", coverage_follows_the_beta_binomial_law},
                {"shifted data are not covered", shifted_data_are_not_covered},
                {"tables are the formulas and ascend", tables_are_the_formulas_and_ascend},
                {"no calibration samples give empty tables", no_calibration_samples_give_empty_tables},
                {"a share's score holds in physical space", a_shares_score_holds_in_physical_space},
                {"a share below the resolution hardly counts", a_share_below_the_resolution_hardly_counts},
                {"an answer that is no number is refused", an_answer_that_is_no_number_is_refused})
