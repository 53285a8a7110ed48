/* SPDX-License-Identifier: BSD-3-Clause */
/* parts.c - the parts of validation that can be checked by hand: laws, bounds, windows, fits, bootstrap,
 * arithmetic. */
#include <string.h>

#include "core/random.h"
#include "surrogate/validate/validate_parts.h"
#include "tests/unit/check.h"

/* --- law -------------------------------------------------------------------------------------- */

static void beta_binomial_of_small_cases_is_exact(void)
{
    /* BB(n; 1, 1) is uniform on 0 .. n */
    for (int64_t k = 0; k <= 9; k++) CU_ASSERT(locum_law_quantile(9, 1, 1, ((double)k + 0.5) / 10) == k);
    /* BB(1; a, b): P(0) = b / (a + b) */
    CU_ASSERT(locum_law_quantile(1, 3, 1, 0.24) == 0 && locum_law_quantile(1, 3, 1, 0.26) == 1);
    /* BB(2; 2, 1): P = 1/6, 2/6, 3/6 */
    CU_ASSERT(locum_law_quantile(2, 2, 1, 0.16) == 0 && locum_law_quantile(2, 2, 1, 0.17) == 1);
    CU_ASSERT(locum_law_quantile(2, 2, 1, 0.49) == 1 && locum_law_quantile(2, 2, 1, 0.51) == 2);
    /* the tail of a law that is nearly certain */
    CU_ASSERT(locum_law_quantile(50, 1e9, 1, 0.999) == 50);
}

static void law_of_the_issue_is_19_of_32(void)
{
    int64_t level = locum_law_level(32, 0.9);

    CU_ASSERT(level == 3); /* floor(33 * 0.1) */
    CU_ASSERT(locum_law_quantile(32, (double)(33 - level), (double)level, 0.001) == 19);
}

static void level_is_floor_of_n_plus_one_alpha(void)
{
    CU_ASSERT(locum_law_level(9, 0.9) == 1); /* 10 * 0.1 = 1, though 1 - 0.9 is below 0.1 in binary */
    CU_ASSERT(locum_law_level(19, 0.9) == 2);
    CU_ASSERT(locum_law_level(8, 0.9) == 0); /* too few for the coverage */
    CU_ASSERT(locum_law_level(99, 0.95) == 5);
}

/* split-conformal intervals on exchangeable data follow the law; shifted data do not */
static int64_t covered_of(uint64_t split, double shift)
{
    enum { CALIBRATION = 32, TEST = 32 };
    double scores[CALIBRATION], z[2];
    int64_t covered = 0, level = locum_law_level(CALIBRATION, 0.9);

    for (int i = 0; i < CALIBRATION; i++) {
        locum_random_normal(split, LOCUM_STREAM_TEST, (uint64_t)i, z);
        scores[i] = fabs(z[0]);
    }
    locum_quantile_of(CALIBRATION, scores, 0); /* sorts */
    double quantile = scores[CALIBRATION - level];
    for (int i = 0; i < TEST; i++) {
        locum_random_normal(split, LOCUM_STREAM_TEST, (uint64_t)(CALIBRATION + i), z);
        double lower = -quantile, upper = quantile, truth = z[0] + shift;
        covered += locum_coverage_row(1, &lower, &upper, &truth);
    }
    return covered;
}

static void conformal_coverage_follows_the_law_and_a_shift_breaks_it(void)
{
    enum { SPLITS = 2000 };
    int64_t low = locum_law_quantile(32, 30, 3, 0.05), outside = 0, broken = 0;
    double mean = 0;

    for (int s = 0; s < SPLITS; s++) {
        int64_t k = covered_of((uint64_t)s, 0);
        outside += k < low;
        mean += (double)k / 32 / SPLITS;
        broken += covered_of((uint64_t)s, 3) < locum_law_quantile(32, 30, 3, 0.001);
    }
    /* E = 30/33; sd of one split 0.07, of the mean over 2000 0.0016: 5 sd */
    CHECK_CLOSE(mean, 30.0 / 33, 0.008);
    /* P(K < low) <= 5 % by the definition of low, and the law has no gap above 5 % there: 5 sd of a binomial = 2.5 % */
    CU_ASSERT((double)outside / SPLITS < 0.05 + 0.025);
    CU_ASSERT((double)broken / SPLITS > 0.95);
}

static void a_row_is_covered_only_if_every_value_is(void)
{
    double lower[] = {0, -INFINITY, 1}, upper[] = {1, INFINITY, 1}, inside[] = {1, 1e300, 1},
           outside[] = {0.5, 0, 1.0000001}, none[] = {NAN, 0, 1};

    CU_ASSERT(locum_coverage_row(3, lower, upper, inside));
    CU_ASSERT(!locum_coverage_row(3, lower, upper, outside));
    CU_ASSERT(!locum_coverage_row(3, lower, upper, none));
}

/* --- metric ----------------------------------------------------------------------------------- */

static const int64_t first3[] = {0, 1, 3, 4};
static const bool metric3[] = {true, true, false};
static const locum_rows_layout layout3 = {.n_outputs = 3, .n_metric = 2, .first = first3, .in_metric = metric3};

static void relative_errors_are_those_of_the_definition(void)
{
    double truth[] = {2, 3, 4, 10}, prediction[] = {1.5, 3, 5, 20}, of[3];

    double error = locum_metric_row(&layout3, prediction, truth, of);
    CHECK_CLOSE(of[0], 0.25, 1e-15); /* |1.5 - 2| / 2 */
    CHECK_CLOSE(of[1], 0.2, 1e-15);  /* 1 / 5 */
    CHECK_CLOSE(of[2], 1.0, 1e-15);
    CHECK_CLOSE(error, 0.225, 1e-15); /* the third output does not count */
    double zero = 0, one = 1;
    CU_ASSERT(locum_metric_relative(1, &zero, &zero) == 0 && locum_metric_relative(1, &one, &zero) == 1);
}

static void bootstrap_repeats_and_has_the_width_of_theory(void)
{
    enum { N = 400 };
    double values[N], z[2], low[3], high[3], mean = 0;

    for (int i = 0; i < N; i++) {
        locum_random_normal(5, LOCUM_STREAM_TEST, (uint64_t)i, z);
        values[i] = 3 + z[0];
        mean += values[i] / N;
    }
    CHECK_OK(locum_bootstrap(N, values, 1, &low[0], &high[0]));
    CHECK_OK(locum_bootstrap(N, values, 1, &low[1], &high[1]));
    CHECK_OK(locum_bootstrap(N, values, 2, &low[2], &high[2]));
    CU_ASSERT(low[0] == low[1] && high[0] == high[1]);
    CU_ASSERT(low[0] != low[2]);
    CU_ASSERT(low[0] < mean && mean < high[0]);
    /* 2 * 1.96 / sqrt(400) = 0.196 times the sample's deviation (1 +- 0.035); 2000 replicates know it to 5 % */
    CHECK_CLOSE(high[0] - low[0], 0.196, 0.03);
}

static void a_quantile_is_interpolated(void)
{
    double values[] = {3, 1, 2}, none[1] = {0};

    CHECK_CLOSE(locum_quantile_of(3, values, 0.25), 1.5, 1e-15);
    CU_ASSERT(locum_quantile_of(3, values, 1) == 3);
    CU_ASSERT(isnan(locum_quantile_of(0, none, 0.5)));
}

/* --- windows ---------------------------------------------------------------------------------- */

/* f(t) = (1 + t, t^2): running means from s, known exactly */
static void running(double s, double t, double mean[2])
{
    mean[0] = 1 + 0.5 * (t + s);
    mean[1] = (t * t * t - s * s * s) / (3 * (t - s));
}

static void differences_of_running_means_are_means_of_windows(void)
{
    double ends[13], a[2], b[2], out[2], expected[2];

    locum_window_ends(10, 200, 13, ends);
    CU_ASSERT(ends[12] == 200 && ends[0] > 10);
    CHECK_CLOSE(ends[0], 10 + 190.0 / 64, 1e-12);
    for (int i = 0; i < 13; i++)
        for (int j = i + 1; j < 13; j++) {
            running(10, ends[i], a);
            running(10, ends[j], b);
            locum_window_mean(2, 10, ends[i], a, ends[j], b, out);
            running(ends[i], ends[j], expected);
            /* cancellation: at most (t2 - s) / (t2 - t1) < 4 times round-off of 4e4 */
            CHECK_CLOSE(out[0], expected[0], 1e-10);
            CHECK_CLOSE(out[1], expected[1], 1e-8);
        }
    locum_window_mean(2, 10, 10, b, ends[12], b, out); /* from the start: as it is */
    CU_ASSERT(out[0] == b[0] && out[1] == b[1]);
}

/* --- speed-up --------------------------------------------------------------------------------- */

static locum_setting_found setting(double seconds, double error)
{
    return (locum_setting_found){.seconds = seconds, .error = error, .text = "a setting"};
}

static locum_search search_of(int n, locum_setting_found *settings, double error)
{
    locum_search search = {
        .done = true, .n = n, .settings = settings, .surrogate_error = error, .reference_seconds = 8, .complete = true};

    locum_front_mark(n, settings);
    for (int i = 0; i < n; i++) search.walked_seconds = fmax(search.walked_seconds, settings[i].seconds);
    return search;
}

static void the_front_holds_what_no_cheaper_setting_beats(void)
{
    locum_setting_found s[] = {setting(4, 0.1), setting(1, 0.4), setting(2, 0.5), setting(3, 0.2), setting(5, 0.1)};

    locum_front_mark(5, s);
    for (int i = 1; i < 5; i++) CU_ASSERT(s[i - 1].seconds < s[i].seconds);
    CU_ASSERT(s[0].best && !s[1].best && s[2].best && s[3].best && !s[4].best);
}

static void between_two_settings_the_bound_is_equal(void)
{
    /* on a power law error = 0.4 / t the interpolation is exact: 0.2 at t = 2 */
    locum_setting_found s[] = {setting(1, 0.4), setting(1.5, 0.9), setting(4, 0.1)};
    locum_search search = search_of(3, s, 0.2);
    locum_speedup speedup;

    locum_speedup_find(&search, 1e-3, &speedup);
    CU_ASSERT_STRING_EQUAL(speedup.bound, "=");
    CHECK_CLOSE(speedup.seconds, 2, 1e-12);
    CHECK_CLOSE(speedup.value, 2000, 1e-9);
    CU_ASSERT(speedup.setting == 2 && strlen(speedup.reason) > 20);
    search.surrogate_error = 0.1; /* met exactly */
    locum_speedup_find(&search, 1e-3, &speedup);
    CHECK_CLOSE(speedup.seconds, 4, 1e-12);
}

static void a_cheapest_setting_that_is_better_gives_an_upper_bound(void)
{
    locum_setting_found s[] = {setting(1, 0.1), setting(2, 0.05)};
    locum_search search = search_of(2, s, 0.2);
    locum_speedup speedup;

    locum_speedup_find(&search, 4, &speedup);
    CU_ASSERT_STRING_EQUAL(speedup.bound, "<=");
    CHECK_CLOSE(speedup.value, 0.25, 1e-15); /* a loss is said, too */
}

static void an_error_that_is_not_reached_gives_a_lower_bound(void)
{
    locum_setting_found s[] = {setting(1, 0.4), setting(6, 0.3)};
    locum_search search = search_of(2, s, 0.2);
    locum_speedup speedup;

    locum_speedup_find(&search, 0.5, &speedup);
    CU_ASSERT_STRING_EQUAL(speedup.bound, ">=");
    CHECK_CLOSE(speedup.value, 16, 1e-12); /* 8 s of the reference */
    CU_ASSERT(speedup.setting == -1);
    search.complete = false; /* cut short: no more than what was walked can be claimed */
    locum_speedup_find(&search, 0.5, &speedup);
    CHECK_CLOSE(speedup.value, 12, 1e-12);
    CU_ASSERT(strstr(speedup.reason, "cut short") != NULL);
}

static void without_settings_nothing_is_claimed(void)
{
    locum_search search = {.surrogate_error = 0.1, .reference_seconds = NAN};
    locum_speedup speedup;

    locum_speedup_find(&search, 1, &speedup);
    CU_ASSERT(isnan(speedup.value) && speedup.bound[0] == 0 && strstr(speedup.reason, "no speed-up"));
}

static void break_even_is_cost_over_what_one_prediction_saves(void)
{
    CU_ASSERT(locum_break_even(100, 0.5, 0.25) == 400);
    CU_ASSERT(locum_break_even(10, 0.4, 0.1) == 34); /* 33.3 rounded up */
    CU_ASSERT(isnan(locum_break_even(100, 0.1, 0.2)) && isnan(locum_break_even(NAN, 1, 0.1)) &&
              isnan(locum_break_even(1, NAN, 0.1)));
}

/* --- trivial predictors ----------------------------------------------------------------------- */

enum { TRAIN = 40, NEW = 15, INPUTS = 3 };
static const int64_t first_two[] = {0, 1, 3};

static void draw(uint64_t seed, int n, double *x)
{
    double u[2];

    for (int i = 0; i < n * INPUTS; i++) {
        locum_random_uniform(seed, LOCUM_STREAM_TEST, (uint64_t)i, u);
        x[i] = 1 + 3 * u[0];
    }
}

static double polynomial(const double *v, bool quadratic)
{
    return 1.5 + 2 * v[0] - v[1] + 0.5 * v[2] +
           (quadratic ? 0.3 * v[0] * v[1] - 0.7 * v[2] * v[2] + 0.2 * v[0] * v[2] : 0);
}

static double worst_of(locum_trivial kind, bool quadratic, bool logarithms)
{
    double x[TRAIN * INPUTS], x_new[NEW * INPUTS], y[TRAIN * 3], out[NEW * 3], v[INPUTS], worst = 0;
    locum_value_view inputs[INPUTS] = {{0}}, outputs[2] = {{0}};
    locum_transforms t = {INPUTS, 2, inputs, outputs};

    if (logarithms) {
        for (int i = 0; i < INPUTS; i++) inputs[i].view = LOCUM_VIEW_LOG;
        outputs[0].view = LOCUM_VIEW_LOG;
        outputs[1] = (locum_value_view){LOCUM_VIEW_LOG_SHARE, 1e-3, 0};
    }
    draw(1, TRAIN, x);
    draw(2, NEW, x_new);
    for (int set = 0; set < 2; set++) {
        int n = set ? NEW : TRAIN;
        for (int k = 0; k < n; k++) {
            const double *row = (set ? x_new : x) + k * INPUTS;
            for (int i = 0; i < INPUTS; i++) v[i] = logarithms ? log(row[i]) : row[i];
            double p = polynomial(v, quadratic), q = 0.1 * p, y0 = logarithms ? exp(p) : p;
            double y1 = logarithms ? exp(q + p) : q, y2 = logarithms ? exp(p - q) : 7 - p;
            if (logarithms) y1 -= 1e-3 * y0, y2 -= 1e-3 * y0;
            double row_y[3] = {y0, y1, y2};
            if (!set)
                memcpy(y + 3 * k, row_y, sizeof row_y);
            else
                for (int j = 0; j < 3; j++) worst = fmax(worst, fabs(out[3 * k + j] / row_y[j] - 1));
        }
        if (!set) CHECK_OK(locum_trivial_predict(kind, &t, first_two, TRAIN, x, y, NEW, x_new, out));
    }
    return worst;
}

static void fits_are_exact_on_what_they_can_represent(void)
{
    /* round-off times the condition of the normal equations (about 1e3), and the ridge of 1e-12 */
    CHECK_CLOSE(worst_of(LOCUM_TRIVIAL_LINEAR, false, false), 0, 1e-9);
    CHECK_CLOSE(worst_of(LOCUM_TRIVIAL_QUADRATIC, true, false), 0, 1e-8);
    CHECK_CLOSE(worst_of(LOCUM_TRIVIAL_QUADRATIC, true, true), 0, 1e-8);
    CHECK_CLOSE(worst_of(LOCUM_TRIVIAL_QUADRATIC, false, false), 0, 1e-8);
    CU_ASSERT(worst_of(LOCUM_TRIVIAL_LINEAR, true, false) > 1e-2); /* what it cannot represent, it does not */
    CU_ASSERT(worst_of(LOCUM_TRIVIAL_MEAN, false, false) > 1e-2);
}

static void few_samples_still_give_a_fit(void)
{
    double x[] = {1, 2, 3, 4}, y[] = {2, 4, 6, 8}, x_new = 2.5, out;
    int64_t first[] = {0, 1};
    locum_value_view view[2] = {{0}};
    locum_transforms t = {1, 1, view, view + 1};

    CHECK_OK(locum_trivial_predict(LOCUM_TRIVIAL_QUADRATIC, &t, first, 2, x, y, 1, &x_new,
                                   &out)); /* two samples, three terms */
    CU_ASSERT(isfinite(out));
    CHECK_OK(locum_trivial_predict(LOCUM_TRIVIAL_MEAN, &t, first, 4, x, y, 1, &x_new, &out));
    CHECK_CLOSE(out, 5, 1e-10); /* the ridge of 1e-12 */
    CHECK_FAILS(locum_trivial_predict(LOCUM_TRIVIAL_MEAN, &t, first, 0, x, y, 1, &x_new, &out), LOCUM_STUDY);
}

static void nearest_is_nearest_in_the_transformed_inputs(void)
{
    /* 12 lies nearer to 1 in plain numbers (11 against 88), nearer to 100 in logarithms */
    double x[] = {1, 100, 1000}, y[] = {10, 20, 30}, x_new = 12, out, distance;
    int64_t first[] = {0, 1}, nearest;
    locum_value_view plain[2] = {{0}}, logarithm[2] = {{.view = LOCUM_VIEW_LOG}, {0}};
    locum_transforms a = {1, 1, plain, plain + 1}, b = {1, 1, logarithm, logarithm + 1};

    CHECK_OK(locum_trivial_predict(LOCUM_TRIVIAL_NEAREST, &a, first, 3, x, y, 1, &x_new, &out));
    CU_ASSERT(out == 10);
    CHECK_OK(locum_trivial_predict(LOCUM_TRIVIAL_NEAREST, &b, first, 3, x, y, 1, &x_new, &out));
    CU_ASSERT(out == 20);
    CHECK_OK(locum_nearest_distance(&b, 3, x, 1, x + 2, &distance, &nearest));
    CU_ASSERT(distance == 0 && nearest == 2);
}

LOCUM_RUN_TESTS(
    "validate: parts", {"quantiles of small beta-binomial laws are exact", beta_binomial_of_small_cases_is_exact},
    {"32 calibration and 32 test samples at 90 %: 0.1 % quantile 19", law_of_the_issue_is_19_of_32},
    {"l is floor((n + 1) alpha), without round-off", level_is_floor_of_n_plus_one_alpha},
    {"conformal coverage follows the law, and a shift breaks it",
     conformal_coverage_follows_the_law_and_a_shift_breaks_it},
    {"a row is covered only if every value is", a_row_is_covered_only_if_every_value_is},
    {"relative errors are those of the definition", relative_errors_are_those_of_the_definition},
    {"the bootstrap repeats itself and has the width of theory", bootstrap_repeats_and_has_the_width_of_theory},
    {"quantiles are interpolated", a_quantile_is_interpolated},
    {"differences of running means are means of windows", differences_of_running_means_are_means_of_windows},
    {"the front holds what no cheaper setting beats", the_front_holds_what_no_cheaper_setting_beats},
    {"between two settings: =, interpolated in logarithms", between_two_settings_the_bound_is_equal},
    {"the cheapest setting better: <=", a_cheapest_setting_that_is_better_gives_an_upper_bound},
    {"error not reached: >=, from the reference's cost", an_error_that_is_not_reached_gives_a_lower_bound},
    {"without settings nothing is claimed", without_settings_nothing_is_claimed},
    {"break-even is cost over what one prediction saves", break_even_is_cost_over_what_one_prediction_saves},
    {"fits are exact on what they can represent", fits_are_exact_on_what_they_can_represent},
    {"few samples still give a fit", few_samples_still_give_a_fit},
    {"nearest is nearest in the transformed inputs", nearest_is_nearest_in_the_transformed_inputs})
