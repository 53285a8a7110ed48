/* SPDX-License-Identifier: BSD-3-Clause */
/* test_calibrate_fields.c - bands around whole roll-outs cover as the theory says, one score a trajectory; on shifted data
 * they do not; sigma, growth, energy and divergence are their formulas. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/random.h"
#include "surrogate/calibrate/calibrate.h"
#include "surrogate/runtime/model.h"
#include "tests/unit/check.h"
#include "tests/unit/train/coverage.h"

enum { SIDE = 4, POINTS = SIDE * SIDE, CHANNELS = 2, VALUES = POINTS * CHANNELS, LEADS = 4, N_FEATURES = 2 };

/* a "network" whose error has an exponential tail, another size in each trajectory, and grows by half a lead */
typedef struct world {
    uint64_t seed;
    int n_fitted, n_calibration;
    double shift;
    bool blows_up; /* lead 3 of fitted sample 0 */
} world;

static double size_of(const world *w, uint64_t trajectory)
{
    double u[2];
    locum_random_uniform(w->seed, LOCUM_STREAM_TEST, trajectory << 20, u);
    return 0.05 + 0.3 * u[0] * u[0] + w->shift;
}

static void residual(const world *w, uint64_t trajectory, int lead, float *r)
{
    for (int i = 0; i < VALUES; i++) {
        double u[2];
        locum_random_uniform(w->seed, LOCUM_STREAM_TEST, (trajectory << 20) + (uint64_t)(lead * VALUES + i + 1), u);
        double x = -log(u[0]) * size_of(w, trajectory) * (1 + 0.5 * (lead - 1)) * (i % CHANNELS ? 3 : 1);
        r[i] = (float)(u[1] < 0.5 ? -x : x);
    }
}

static uint64_t trajectory_of(bool calibration, int sample)
{
    return (uint64_t)sample + (calibration ? 10000 : 0);
}

/* the prediction is a fixed flow, the truth is it minus the residual */
static void prediction(float *mean)
{
    for (int i = 0; i < POINTS; i++) { /* u = cos y, v = 0: without divergence */
        mean[2 * i] = (float)cos(6.283185307179586 * (i % SIDE) / SIDE);
        mean[2 * i + 1] = 0;
    }
}

static locum_status frames(void *self, bool calibration, locum_take_frame take, void *taker)
{
    const world *w = self;
    static float mean[VALUES], truth[VALUES], last[VALUES];
    float features[N_FEATURES];
    prediction(mean);
    for (int i = 0; i < VALUES; i++) last[i] = 2 * mean[i];
    for (int s = 0; s < (calibration ? w->n_calibration : w->n_fitted); s++)
        for (int lead = 1; lead <= LEADS; lead++) {
            residual(w, trajectory_of(calibration, s), lead, truth);
            for (int i = 0; i < VALUES; i++) truth[i] = mean[i] - truth[i];
            if (w->blows_up && !calibration && s == 0 && lead >= 3) truth[5] = INFINITY;
            features[0] = (float)s;
            features[1] = (float)lead;
            LOCUM_TRY(take(taker, &(locum_field_frame){.sample = s,
                                                       .lead = lead,
                                                       .last = last,
                                                       .stride = CHANNELS,
                                                       .mean = mean,
                                                       .truth = truth,
                                                       .features = features}));
        }
    return LOCUM_OK;
}

static locum_channel velocity = {.is_field = true, .components = CHANNELS, .extent = VALUES};

static locum_task step_task(void)
{
    return (locum_task){.kind = LOCUM_TASK_STEP,
                        .n_outputs = 1,
                        .outputs = &velocity,
                        .members = 1,
                        .n_axes = 2,
                        .grid = {SIDE, SIDE},
                        .box = {1, 1},
                        .periodic = true,
                        .in_channels = CHANNELS,
                        .out_channels = CHANNELS,
                        .history = 1};
}

static locum_status calibrate(const world *w, locum_trust_tables *t)
{
    locum_task task = step_task();
    world copy = *w;
    locum_field_source source = {.self = &copy,
                                 .frames = frames,
                                 .n_fitted = w->n_fitted,
                                 .n_calibration = w->n_calibration,
                                 .leads = LEADS,
                                 .n_features = N_FEATURES};
    return locum_calibrate_fields(&task, &source, t);
}

/* does the band hold every value of every lead? */
static bool covered(const world *w, const locum_trust_tables *t, double quantile, uint64_t trajectory)
{
    float r[VALUES];
    for (int lead = 1; lead <= LEADS; lead++) {
        residual(w, trajectory, lead, r);
        for (int i = 0; i < VALUES; i++)
            if (!(fabs((double)r[i]) <= quantile * t->growth[lead - 1] * t->sigma[i % CHANNELS])) return false;
    }
    return true;
}

static int count_covered(uint64_t seed, int n_calibration, int n, double shift)
{
    world w = {.seed = seed, .n_fitted = 20, .n_calibration = n_calibration}, fresh = w;
    locum_trust_tables t;
    int count = 0;
    fresh.shift = shift;
    CHECK_OK(calibrate(&w, &t));
    locum_trust_table scores = {t.n, t.scores};
    double quantile = locum_trust_quantile(&scores, 0.9);
    for (int i = 0; i < n; i++) count += covered(&fresh, &t, quantile, 50000 + (uint64_t)i);
    locum_trust_tables_free(&t);
    return count;
}

static void bands_of_whole_roll_outs_follow_the_beta_binomial_law(void)
{
    int counts[COVERAGE_SPLITS];
    for (int s = 0; s < COVERAGE_SPLITS; s++)
        counts[s] = count_covered((uint64_t)s, COVERAGE_CALIBRATION, COVERAGE_TEST, 0);
    coverage_figures c = coverage_of(counts);
    CHECK_CLOSE(c.total, 1, 1e-12);
    CHECK_CLOSE(c.mean, COVERAGE_TEST * 30.0 / 33, 0.65); /* standard deviation of the mean of 200: 0.17; 3.9 of them */
    CU_ASSERT_TRUE(c.distance < 1.95 / sqrt(COVERAGE_SPLITS)); /* Kolmogorov-Smirnov at 0.1 % */
}

static void shifted_trajectories_are_not_covered(void)
{
    int below = 0;
    for (uint64_t s = 0; s < 40; s++) below += count_covered(1000 + s, 32, 32, 0.5) < 19; /* the law's 0.1 % quantile */
    CU_ASSERT_TRUE(below > 36);
}

static void tables_are_the_formulas(void)
{
    world w = {.seed = 4, .n_fitted = 30, .n_calibration = 12};
    locum_trust_tables t;
    double squares[LEADS][CHANNELS] = {{0}};
    float r[VALUES];
    CHECK_OK(calibrate(&w, &t));
    for (int s = 0; s < w.n_fitted; s++)
        for (int lead = 1; lead <= LEADS; lead++) {
            residual(&w, trajectory_of(false, s), lead, r);
            for (int i = 0; i < VALUES; i++)
                squares[lead - 1][i % CHANNELS] += (double)r[i] * (double)r[i] / (w.n_fitted * POINTS);
        }
    for (int c = 0; c < CHANNELS; c++) CHECK_CLOSE(t.sigma[c], sqrt(squares[0][c]), 1e-6 * t.sigma[c]); /* float32 */
    for (int l = 0; l < LEADS; l++) {
        double growth = 0;
        for (int c = 0; c < CHANNELS; c++) growth += squares[l][c] / squares[0][c] / CHANNELS;
        CHECK_CLOSE(t.growth[l], sqrt(growth), 1e-6 * sqrt(growth));
    }
    CU_ASSERT_TRUE(t.growth[LEADS - 1] > 2); /* it was 1 + 0.5 * 3 */
    CU_ASSERT_EQUAL(t.leads, LEADS);
    CHECK_CLOSE(t.energy_mean, log(0.25), 1e-6); /* always a quarter of the frame before, which was twice as large */
    for (int i = 0; i < w.n_calibration; i++) {
        CHECK_CLOSE(t.energies[i], 0, 0.2);     /* round-off over the least spread, 1e-6 */
        CHECK_CLOSE(t.divergences[i], 0, 1e-6); /* cos y of float32 */
        CU_ASSERT_TRUE(i == 0 || t.scores[i] >= t.scores[i - 1]);
    }
    locum_trust_tables_free(&t);
}

static void leads_that_blow_up_are_left_out(void)
{
    world w = {.seed = 4, .n_fitted = 30, .n_calibration = 12, .blows_up = true};
    locum_trust_tables t;
    CHECK_OK(calibrate(&w, &t));
    CU_ASSERT_EQUAL(t.leads, 2);
    for (int i = 0; i < w.n_calibration; i++) CU_ASSERT_TRUE(isfinite(t.scores[i]));
    locum_trust_tables_free(&t);
}

LOCUM_RUN_TESTS("calibration of fields",
                {"bands of roll-outs follow the beta-binomial law",
                 bands_of_whole_roll_outs_follow_the_beta_binomial_law},
                {"shifted trajectories are not covered", shifted_trajectories_are_not_covered},
                {"tables are the formulas", tables_are_the_formulas},
                {"leads that blow up are left out", leads_that_blow_up_are_left_out})
