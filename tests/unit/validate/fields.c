/* SPDX-License-Identifier: BSD-3-Clause */
/* fields.c - validation of field surrogates on a small study with a test solver, and models whose predictions are
 * formulas: every number of the report about errors, intervals and leads is computed again here, in another way.
 *
 * The tracer of grid_advection drifts by one cell between two frames. A frame is all of its state: the study's own
 * setting from a frame meets the labels, so the search must find an error of (nearly) zero there. */
#include <string.h>
#include <unistd.h>

#include "core/json.h"
#include "core/study/commit.h"
#include "surrogate/validate/fields/fields.h"
#include "tests/conformance/solvers/test_solvers.h"
#include "tests/unit/check.h"
#include "tests/unit/validate/step_model.h"

enum { N = 16, FRAMES = 5, LEADS = 4, TEST = 5 };

static const char study_text[] = /* record, control */
    "study: drift\nseed: 3\nsolver: {name: grid_advection, resolution: 16, velocity: 0.3125, step: 0.005}\n"
    "initial: wave\n"
    "record: {%s, observe: [tracer], precision: float64}\n"
    "campaign:\n  split: {train: 6, validation: 2, calibration: 2, test: 5}\n"
    "  vary: {diffusivity: {range: [2e-3, 2e-2], scale: log}}\n"
    "validate: {coverage: 0.9, baseline_seconds: 5, %s}\n";
#define FRAMES_OF_TIME "from: 0.2, until: 1, every: 0.2"
#define ONE_MEAN "from: 0, until: 1, average: true"
#define BY_RANGE "negative_control: {samples: 6, diffusivity: [5e-2, 1e-1]}"
#define BY_AMPLITUDE "negative_control: {samples: 4, amplitude: 3}"

static const locum_solver_type *const solvers[] = {&locum_solver_grid_advection, NULL};
static char folder[LOCUM_PATH_SIZE];
static int rank, datasets;

typedef struct chain {
    locum_study *study;
    locum_setup setup;
    locum_campaign_plan *plan;
    locum_dataset *dataset;
    locum_model *exact, *lazy;
    locum_validated_model models[2];
    char data[LOCUM_PATH_SIZE + 32], report[LOCUM_PATH_SIZE + 32];
} chain;

static locum_model *open_model(const step_model *m)
{
    locum_text file = {0};
    locum_model *model = NULL;

    step_model_write(m, &file);
    CHECK_OK(locum_model_open(file.data, file.size, NULL, &model, NULL, 0));
    locum_text_free(&file);
    return model;
}

static void open_chain(chain *c, const char *record, const char *control)
{
    char text[2048];
    int64_t done = 0, failed = 0;

    *c = (chain){0};
    snprintf(text, sizeof text, study_text, record, control);
    snprintf(c->data, sizeof c->data, "%s/dataset-%d", folder, ++datasets);
    snprintf(c->report, sizeof c->report, "%s/report", folder);
    CHECK_OK(locum_study_parse(text, "study.yaml", 0, NULL, &c->study));
    CHECK_OK(locum_setup_read(c->study, solvers, true, &c->setup));
    CHECK_OK(locum_campaign_plan_create(c->study, &c->setup, &c->plan));
    locum_generate_call call = {.study = c->study,
                                .setup = &c->setup,
                                .plan = c->plan,
                                .dataset = c->data,
                                .n_shards = 1,
                                .world = MPI_COMM_WORLD};
    CHECK_OK(locum_generate(&call, &done, &failed));
    CU_ASSERT(failed == 0);
    CHECK_OK(locum_dataset_open(c->data, &c->dataset));
    c->exact = open_model(&(step_model){.n = N, .trusted = true, .validation_error = "0.01"});
    c->lazy = open_model(&(step_model){.n = N, .trusted = true, .lazy = true, .validation_error = "0.2"});
    c->models[0] = (locum_validated_model){"lazy", "lazy", NULL, c->lazy};
    c->models[1] = (locum_validated_model){"exact", "exact", NULL, c->exact};
}

static void close_chain(chain *c)
{
    locum_model_close(c->exact);
    locum_model_close(c->lazy);
    locum_dataset_close(c->dataset);
    locum_campaign_plan_destroy(c->plan);
    locum_study_destroy(c->study);
    *c = (chain){0};
}

static locum_validate_call call_of(const chain *c)
{
    return (locum_validate_call){.study = c->study,
                                 .setup = &c->setup,
                                 .plan = c->plan,
                                 .dataset = c->dataset,
                                 .n_models = 2,
                                 .models = c->models,
                                 .report = c->report,
                                 .costs = {10, 5},
                                 .provenance = "\"program\":\"locum\"",
                                 .world = MPI_COMM_WORLD};
}

/* --- the report, read back --------------------------------------------------------------------- */

static locum_json *read_report(const chain *c)
{
    char path[LOCUM_PATH_SIZE + 64], *bytes = NULL;
    size_t n = 0;
    locum_json *json = NULL;

    snprintf(path, sizeof path, "%s/report.json", c->report);
    CHECK_OK(locum_read_bytes(path, 1 << 26, &bytes, &n));
    if (bytes) CHECK_OK(locum_json_parse(bytes, n, 10000000, &json));
    free(bytes);
    return json;
}

/* "fields.spectra.0.truth" */
static locum_json_node at(const locum_json *json, locum_json_node node, const char *path)
{
    char copy[256], *save = NULL;

    snprintf(copy, sizeof copy, "%s", path);
    for (char *key = strtok_r(copy, ".", &save); key && node >= 0; key = strtok_r(NULL, ".", &save)) {
        if (*key < '0' || *key > '9') {
            node = locum_json_find(json, node, key);
            continue;
        }
        int skip = atoi(key);
        for (node = locum_json_first(json, node); skip > 0 && node >= 0; skip--) node = locum_json_next(json, node);
    }
    return node;
}

static double number(const locum_json *json, const char *path)
{
    double value = NAN;

    locum_json_number(json, at(json, 0, path), &value);
    return value;
}

static const char *text_at(const locum_json *json, const char *path)
{
    const char *found = locum_json_string(json, at(json, 0, path));

    return found ? found : "";
}

/* --- the same numbers, in another way ------------------------------------------------------------ */

typedef struct world { /* [TEST][FRAMES][N * N] */
    double frame[TEST][FRAMES][N * N], diffusivity[TEST], mean[N * N];
    double exact[TEST][LEADS][N * N];
} world;

static void read_world(const chain *c, world *w)
{
    int test = 0;
    double trained = 0;

    memset(w, 0, sizeof *w);
    for (int64_t b = 0; b < locum_dataset_n(c->dataset); b++) {
        const locum_dataset_sample *s = locum_dataset_sample_at(c->dataset, b);
        double frame[N * N];
        for (int64_t t = 0; t < s->n_frames; t++) {
            CHECK_OK(locum_dataset_read(c->dataset, b, t, 0, frame));
            if (s->split == LOCUM_TEST) memcpy(w->frame[test][t], frame, sizeof frame);
            if (s->split != LOCUM_TRAIN || t == 0) continue;
            for (int i = 0; i < N * N; i++) w->mean[i] += frame[i];
            trained++;
        }
        if (s->split == LOCUM_TEST) w->diffusivity[test++] = s->parameter[0];
    }
    CU_ASSERT_FATAL(test == TEST && trained == 6 * LEADS);
    for (int i = 0; i < N * N; i++) w->mean[i] /= trained;
    for (int s = 0; s < TEST; s++)
        for (int l = 0; l < LEADS; l++)
            for (int i = 0; i < N; i++)
                for (int j = 0; j < N; j++) {
                    const double *last = l ? w->exact[s][l - 1] : w->frame[s][0];
                    double decay = exp(-8 * M_PI * M_PI * w->diffusivity[s] * STEP_INTERVAL);
                    w->exact[s][l][i * N + j] = 1 + decay * (last[(i + N - 1) % N * N + j] - 1);
                }
}

static double norm(const double *a, const double *b)
{
    double sum = 0;

    for (int i = 0; i < N * N; i++) sum += pow(a[i] - (b ? b[i] : 0), 2);
    return sqrt(sum);
}

typedef const double *(*guess)(const world *w, int sample, int lead);

static const double *guess_exact(const world *w, int s, int l)
{
    return w->exact[s][l];
}

static const double *guess_last(const world *w, int s, int l)
{
    (void)l;
    return w->frame[s][0];
}

static const double *guess_mean(const world *w, int s, int l)
{
    (void)s, (void)l;
    return w->mean;
}

/* lead < 0: joined */
static double error_of(const world *w, guess g, int lead)
{
    double mean = 0;

    for (int s = 0; s < TEST; s++) {
        double error = 0, truth = 0;
        for (int l = lead < 0 ? 0 : lead; l <= (lead < 0 ? LEADS - 1 : lead); l++) {
            error += pow(norm(g(w, s, l), w->frame[s][l + 1]), 2);
            truth += pow(norm(w->frame[s][l + 1], NULL), 2);
        }
        mean += sqrt(error / truth) / TEST;
    }
    return mean;
}

static double vrmse_of(const world *w, guess g, int lead)
{
    double mean = 0;

    for (int s = 0; s < TEST; s++) {
        double centre[N * N], average = 0;
        for (int i = 0; i < N * N; i++) average += w->frame[s][lead + 1][i] / (N * N);
        for (int i = 0; i < N * N; i++) centre[i] = average;
        mean += norm(g(w, s, lead), w->frame[s][lead + 1]) / norm(w->frame[s][lead + 1], centre) / TEST;
    }
    return mean;
}

static bool inside(const world *w, guess g, int s, int lead)
{
    double half = 18 / 8.0 * STEP_SIGMA * step_model_growth(lead + 1);

    for (int i = 0; i < N * N; i++)
        if (fabs(g(w, s, lead)[i] - w->frame[s][lead + 1][i]) > half) return false;
    return true;
}

/* --- tests: the whole report --------------------------------------------------------------------- */

static const char *const keys[] = {"study",
                                   "solver",
                                   "task",
                                   "metric",
                                   "headline",
                                   "reference_settings",
                                   "test_samples",
                                   "test_read",
                                   "duplicates",
                                   "label_noise",
                                   "label_noise_samples",
                                   "surrogate",
                                   "surrogates",
                                   "trivial",
                                   "baselines",
                                   "reference",
                                   "speedup_at_equal_error",
                                   "break_even_predictions",
                                   "coverage",
                                   "inputs",
                                   "outputs",
                                   "samples",
                                   "response",
                                   "examples",
                                   "learning_curve",
                                   "sensitivity",
                                   "distance",
                                   "rejection",
                                   "budget",
                                   "snapshots",
                                   "fields",
                                   "costs",
                                   "searched",
                                   "provenance",
                                   "fields.leads",
                                   "fields.times",
                                   "fields.history",
                                   "fields.grid",
                                   "fields.periodic",
                                   "fields.baselines",
                                   "fields.trivial",
                                   "fields.solver_spread",
                                   "fields.label_noise",
                                   "fields.spectra",
                                   "fields.budgets",
                                   "fields.sheet"};
static const char *const in_list[][2] = {
    {"surrogates", "name headline model error error_low error_high validation_error parameters seconds_per_sample "
                   "seconds_per_sample_best_batch best_batch coverage covered samples flagged stopped calibrated_leads "
                   "error_over_lead low_over_lead high_over_lead vrmse_over_lead correlation_over_lead valid_time "
                   "valid_time_correlation coverage_over_lead inside_over_lead flagged_over_lead width_over_lead "
                   "learning_curve"},
    {"samples", "index parameters error error_of covered flag p_value stopped"},
    {"fields.baselines", "text best error_over_lead seconds_over_lead"},
    {"fields.trivial", "name error_over_lead valid_time"},
    {"fields.spectra", "output lead time samples truth surrogates"},
    {"fields.budgets", "output name truth surrogates"},
    {"fields.sheet.leads", "lead time truth value"}};

static void check_keys(const locum_json *json)
{
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        if (at(json, 0, keys[i]) < 0) printf("\n    missing key: %s", keys[i]);
        CU_ASSERT(at(json, 0, keys[i]) >= 0);
    }
    for (size_t i = 0; i < sizeof in_list / sizeof in_list[0]; i++) {
        char copy[1024], *save = NULL;
        locum_json_node first = locum_json_first(json, at(json, 0, in_list[i][0]));
        if (first < 0) printf("\n    empty list: %s", in_list[i][0]);
        CU_ASSERT_FATAL(first >= 0);
        snprintf(copy, sizeof copy, "%s", in_list[i][1]);
        for (char *key = strtok_r(copy, " ", &save); key; key = strtok_r(NULL, " ", &save)) {
            if (locum_json_find(json, first, key) < 0) printf("\n    missing key: %s of %s", key, in_list[i][0]);
            CU_ASSERT(locum_json_find(json, first, key) >= 0);
        }
    }
}

/* values of single precision, six digits in the file */
#define DIGITS 2e-6

static void check_errors(const locum_json *json, const world *w)
{
    char path[96];

    CHECK_CLOSE(number(json, "surrogate.error"), error_of(w, guess_exact, -1), DIGITS);
    CHECK_CLOSE(number(json, "surrogates.0.error"), error_of(w, guess_last, -1), DIGITS);
    CHECK_CLOSE(number(json, "surrogates.1.error"), error_of(w, guess_exact, -1), DIGITS);
    CHECK_CLOSE(number(json, "trivial.0.error"), error_of(w, guess_last, -1), DIGITS);
    CHECK_CLOSE(number(json, "trivial.1.error"), error_of(w, guess_mean, -1), DIGITS);
    for (int l = 0; l < LEADS; l++) {
        snprintf(path, sizeof path, "surrogates.1.error_over_lead.%d", l);
        CHECK_CLOSE(number(json, path), error_of(w, guess_exact, l), DIGITS);
        snprintf(path, sizeof path, "surrogates.1.vrmse_over_lead.%d", l);
        CHECK_CLOSE(number(json, path), vrmse_of(w, guess_exact, l), DIGITS);
        snprintf(path, sizeof path, "fields.trivial.1.error_over_lead.%d", l);
        CHECK_CLOSE(number(json, path), error_of(w, guess_mean, l), DIGITS);
        snprintf(path, sizeof path, "fields.times.%d", l);
        CHECK_CLOSE(number(json, path), STEP_INTERVAL * (l + 1), 1e-9);
    }
    CU_ASSERT_STRING_EQUAL(text_at(json, "trivial.0.name"), "persistence");
    CU_ASSERT(error_of(w, guess_exact, -1) < 0.2 * error_of(w, guess_last, -1)); /* there is something to tell apart */
}

static void check_intervals(const locum_json *json, const world *w)
{
    int covered[2] = {0, 0};
    char path[96];

    for (int s = 0; s < TEST; s++)
        for (int k = 0; k < 2; k++) {
            bool all = true;
            for (int l = 0; l < LEADS; l++) all = all && inside(w, k ? guess_exact : guess_last, s, l);
            covered[k] += all;
        }
    CHECK_CLOSE(number(json, "surrogates.0.covered"), covered[0], 0);
    CHECK_CLOSE(number(json, "surrogates.1.covered"), covered[1], 0);
    CHECK_CLOSE(number(json, "coverage.covered"), covered[1], 0);
    CU_ASSERT(covered[0] < covered[1]);
    for (int l = 0; l < LEADS; l++) {
        double share = 0, width = 0;
        for (int s = 0; s < TEST; s++) {
            share += inside(w, guess_exact, s, l) / (double)TEST;
            width += 2 * 18 / 8.0 * STEP_SIGMA * step_model_growth(l + 1) * N / norm(w->frame[s][l + 1], NULL) / TEST;
        }
        snprintf(path, sizeof path, "surrogates.1.coverage_over_lead.%d", l);
        CHECK_CLOSE(number(json, path), share, DIGITS);
        snprintf(path, sizeof path, "surrogates.1.width_over_lead.%d", l);
        CHECK_CLOSE(number(json, path), width, 1e-5 * width); /* differences of single precision */
    }
    CHECK_CLOSE(number(json, "coverage.law_low"), (double)locum_law_quantile(TEST, 18, 2, 0.001), 0);
    CHECK_CLOSE(number(json, "surrogates.1.flagged"), 0, 0);
}

static void check_search(const locum_json *json)
{
    int64_t n = locum_json_n(json, at(json, 0, "baselines"));
    double error = NAN, seconds = 0, before = 0;
    char path[96];

    CU_ASSERT(n >= 2);
    for (int64_t i = 0; i < n; i++) {
        snprintf(path, sizeof path, "baselines.%d.seconds_per_sample", (int)i);
        seconds = number(json, path);
        CU_ASSERT(seconds >= before);
        before = seconds;
        snprintf(path, sizeof path, "baselines.%d.error", (int)i);
        error = isnan(error) ? number(json, path) : fmin(error, number(json, path));
    }
    CU_ASSERT(error > 0 && error < number(json, "surrogate.error")); /* bracketed */
    CU_ASSERT_STRING_EQUAL(text_at(json, "speedup_at_equal_error.bound"), "=");
    double value = number(json, "speedup_at_equal_error.value"), own = number(json, "surrogate.seconds_per_sample");
    CU_ASSERT(value > 0 && own > 0);
    double batched = number(json, "surrogate.seconds_per_sample_best_batch");
    CHECK_CLOSE(number(json, "speedup_at_equal_error.value_best_batch"), value * own / batched,
                1e-9 * value * own / batched);
    CU_ASSERT(strstr(text_at(json, "headline"), "exact") != NULL); /* the smallest validation error, not the first */
    CU_ASSERT((value < 1) == (strstr(text_at(json, "headline"), "which is a loss") != NULL));
    CHECK_CLOSE(number(json, "fields.solver_spread.error_over_lead.0"), 5e-7, 5e-7); /* diffusion only damps 1e-6 */
    CU_ASSERT(number(json, "fields.solver_spread.error_over_lead.0") > 0);
    CHECK_CLOSE(number(json, "fields.solver_spread.valid_time"), LEADS * STEP_INTERVAL, 1e-9);
    CU_ASSERT(number(json, "label_noise") > 1e-4 && number(json, "label_noise") < 0.1); /* 16 points and half of it */
}

static void check_physics(const locum_json *json, const world *w)
{
    double square = 0, mean = 0;

    for (int s = 0; s < TEST; s++)
        for (int i = 0; i < N * N; i++) {
            square += pow(w->frame[s][1][i], 2) / 2 / (N * N) / TEST;
            mean += w->frame[s][1][i] / (N * N) / TEST;
        }
    CU_ASSERT_STRING_EQUAL(text_at(json, "fields.budgets.0.name"), "mean");
    CHECK_CLOSE(number(json, "fields.budgets.0.truth.0"), mean, 1e-5);
    CHECK_CLOSE(number(json, "fields.budgets.1.truth.0"), square, 1e-5);
    /* all of the wave sin x cos y is in the shell of |k| = sqrt 2: its mean square is that of the field about 1 */
    CHECK_CLOSE(number(json, "fields.spectra.0.truth.0"), 2 * square - mean * mean, 1e-5);
    CHECK_CLOSE(number(json, "fields.spectra.0.truth.3"), 0, 1e-12);
}

static void every_number_of_the_report_is_met_again(void)
{
    chain c;
    char headline[1024] = "";
    static world w;

    open_chain(&c, FRAMES_OF_TIME, BY_RANGE);
    locum_validate_call call = call_of(&c);
    locum_status st = locum_validate(&call, headline, sizeof headline);
    CHECK_OK(st);
    read_world(&c, &w);
    locum_json *json = st ? NULL : read_report(&c);
    if (json) {
        bool fails = false;
        if (getenv("LOCUM_TEST_SHOW")) printf("\n%s\n%s\n", headline, text_at(json, "searched"));
        check_keys(json);
        check_errors(json, &w);
        check_intervals(json, &w);
        check_search(json);
        check_physics(json, &w);
        /* the model is the solution for any diffusivity: its interval holds, the report says so, the flags stand */
        CU_ASSERT(locum_json_bool(json, at(json, 0, "coverage.negative_control.fails_visibly"), &fails) && !fails);
        CHECK_CLOSE(number(json, "coverage.negative_control.covered"), 6, 0);
        CHECK_CLOSE(number(json, "coverage.negative_control.flagged"), 6, 0); /* out of range, every one */
    }
    locum_json_destroy(json);
    close_chain(&c);
}

static void an_amplitude_that_was_not_learnt_is_a_control_too(void)
{
    chain c;
    char headline[1024] = "";

    open_chain(&c, FRAMES_OF_TIME, BY_AMPLITUDE);
    locum_validate_call call = call_of(&c);
    locum_status st = locum_validate(&call, headline, sizeof headline);
    CHECK_OK(st);
    locum_json *json = st ? NULL : read_report(&c);
    if (json) {
        bool fails = false;
        CU_ASSERT(locum_json_bool(json, at(json, 0, "coverage.negative_control.fails_visibly"), &fails) && fails);
        CHECK_CLOSE(number(json, "coverage.negative_control.covered"), 0, 0); /* 3 decays to 3, the model to 1 */
        CU_ASSERT(strstr(text_at(json, "coverage.negative_control.parameters"), "times 3") != NULL);
    }
    locum_json_destroy(json);
    close_chain(&c);
}

static void without_a_solver_there_are_errors_but_no_claim(void)
{
    chain c;
    char headline[1024] = "";
    static world w;

    open_chain(&c, FRAMES_OF_TIME, BY_RANGE);
    locum_validate_call call = call_of(&c);
    call.setup = NULL;
    call.plan = NULL;
    locum_status st = locum_validate(&call, headline, sizeof headline);
    CHECK_OK(st);
    CU_ASSERT(strstr(headline, "No speed-up is claimed") != NULL);
    read_world(&c, &w);
    locum_json *json = st ? NULL : read_report(&c);
    if (json) {
        CHECK_CLOSE(number(json, "surrogate.error"), error_of(&w, guess_exact, -1), DIGITS);
        CU_ASSERT(locum_json_n(json, at(json, 0, "baselines")) == 0 &&
                  isnan(number(json, "speedup_at_equal_error.value")));
    }
    locum_json_destroy(json);
    close_chain(&c);
}

static void a_roll_out_that_blows_up_counts_with_all_of_its_error(void)
{
    chain c;
    locum_fields *f = NULL;
    locum_evaluation e = {0};

    open_chain(&c, FRAMES_OF_TIME, BY_RANGE);
    locum_model *wild = open_model(&(step_model){.n = N, .trusted = true, .explodes = 30});
    locum_validate_call call = call_of(&c);
    c.models[0] = (locum_validated_model){"wild", "wild", NULL, wild};
    call.n_models = 1;
    CHECK_OK(locum_fields_create(&call, &f));
    CU_ASSERT_FATAL(f != NULL);
    CHECK_OK(locum_evaluation_test(f, &f->models[0], &e, NULL));
    for (int i = 0; i < TEST; i++) {
        CU_ASSERT(e.stopped[i] == 2); /* 30, then 900 > 100 ranges of 4 */
        CHECK_CLOSE(locum_scores_relative(f, &e.scores, i, LEADS - 1), 1, 1e-12);
        CU_ASSERT(!locum_evaluation_covered(&e, i));
    }
    locum_evaluation_free(&e);
    locum_fields_destroy(f);
    locum_model_close(wild);
    close_chain(&c);
}

/* --- tests: maps ------------------------------------------------------------------------------------ */

/* errors of a map on the test samples: prediction = the first frame, or 1 */
static double error_of_map(const chain *c, bool of_field, double *nearest)
{
    double mean = 0;
    int n = 0;

    *nearest = 0;
    for (int64_t b = 0; b < locum_dataset_n(c->dataset); b++) {
        const locum_dataset_sample *s = locum_dataset_sample_at(c->dataset, b);
        double first[N * N], last[N * N], seen[N * N], end[N * N], least = INFINITY, error = 0;
        if (s->split != LOCUM_TEST) continue;
        CHECK_OK(locum_dataset_read(c->dataset, b, 0, 0, first));
        CHECK_OK(locum_dataset_read(c->dataset, b, -1, 0, last));
        for (int64_t t = 0; t < locum_dataset_n(c->dataset); t++) {
            if (locum_dataset_sample_at(c->dataset, t)->split != LOCUM_TRAIN) continue;
            CHECK_OK(locum_dataset_read(c->dataset, t, 0, 0, seen));
            CHECK_OK(locum_dataset_read(c->dataset, t, -1, 0, end));
            double far = of_field ? norm(seen, first)
                                  : fabs(locum_dataset_sample_at(c->dataset, t)->parameter[0] - s->parameter[0]);
            if (far < least) least = far, error = norm(end, last) / norm(last, NULL);
        }
        for (int i = 0; i < N * N && !of_field; i++) first[i] = 1;
        mean += norm(first, last) / norm(last, NULL);
        *nearest += error;
        n++;
    }
    *nearest /= n;
    return mean / n;
}

static double trivial_error(const locum_json *json, const char *name)
{
    double error = NAN;

    for (locum_json_node t = locum_json_first(json, at(json, 0, "trivial")); t >= 0; t = locum_json_next(json, t)) {
        const char *found = locum_json_string(json, locum_json_find(json, t, "name"));
        if (found && !strcmp(found, name)) locum_json_number(json, locum_json_find(json, t, "error"), &error);
    }
    return error;
}

static locum_json *validate_map(chain *c, step_kind kind)
{
    char headline[1024] = "";
    locum_validate_call call = call_of(c);
    locum_model *map = open_model(&(step_model){.n = N, .trusted = true, .kind = kind});
    c->models[0] = (locum_validated_model){"map", "map", NULL, map};
    call.n_models = 1;
    locum_status st = locum_validate(&call, headline, sizeof headline);
    CHECK_OK(st);
    locum_model_close(map);
    return st ? NULL : read_report(c);
}

static double least_error(const locum_json *json)
{
    double least = INFINITY, error = NAN;

    for (locum_json_node b = locum_json_first(json, at(json, 0, "baselines")); b >= 0; b = locum_json_next(json, b)) {
        locum_json_number(json, locum_json_find(json, b, "error"), &error);
        least = fmin(least, error);
    }
    return least;
}

static void a_map_of_fields_has_one_lead(void)
{
    chain c;
    double nearest;

    open_chain(&c, FRAMES_OF_TIME, BY_AMPLITUDE);
    locum_json *json = validate_map(&c, STEP_MAP_OF_FIELD);
    if (json) {
        double error = error_of_map(&c, true, &nearest);
        CHECK_CLOSE(number(json, "surrogate.error"), error, DIGITS);
        CHECK_CLOSE(trivial_error(json, "persistence"), error, DIGITS);
        CHECK_CLOSE(trivial_error(json, "nearest"), nearest, DIGITS);
        CHECK_CLOSE(number(json, "fields.leads"), 1, 0);
        CHECK_CLOSE(number(json, "fields.times.0"), 0.8, 1e-12);
        CU_ASSERT(least_error(json) < error);
    }
    locum_json_destroy(json);
    close_chain(&c);
}

static void a_map_of_parameters_is_searched_over_windows(void)
{
    chain c;
    double nearest;

    open_chain(&c, ONE_MEAN, BY_RANGE);
    locum_json *json = validate_map(&c, STEP_MAP_OF_VALUES);
    if (json) {
        double error = error_of_map(&c, false, &nearest);
        CHECK_CLOSE(number(json, "surrogate.error"), error, DIGITS);
        CHECK_CLOSE(trivial_error(json, "nearest"), nearest, DIGITS);
        CU_ASSERT(isfinite(trivial_error(json, "linear")) && isfinite(trivial_error(json, "quadratic")));
        CU_ASSERT(isnan(trivial_error(json, "persistence")));
        CU_ASSERT(strstr(text_at(json, "baselines.0.settings.text"), "mean over [") != NULL);
        CU_ASSERT(least_error(json) < error && at(json, 0, "fields.solver_spread.samples") < 0);
        CHECK_CLOSE(number(json, "coverage.negative_control.samples"), 6, 0);
    }
    locum_json_destroy(json);
    close_chain(&c);
}

/* --- tests: parts ---------------------------------------------------------------------------------- */

static void a_spectrum_puts_a_wave_into_its_shell(void)
{
    enum { NX = 12, NY = 10 };
    const int64_t n[2] = {NX, NY};
    const double box[2] = {2 * M_PI, 2 * M_PI};
    double values[NX * NY * 2], out[6], sum = 0, square = 0;

    for (int i = 0; i < NX; i++)
        for (int j = 0; j < NY; j++) {
            double x = 2 * M_PI * i / NX, y = 2 * M_PI * j / NY;
            values[2 * (i * NY + j)] = 0.5 + 2 * cos(3 * x) + sin(2 * x - y);
            values[2 * (i * NY + j) + 1] = cos(5 * y); /* at half the number of points: all of it is cosine */
        }
    CHECK_OK(locum_field_spectrum(n, box, 2, values, 6, out));
    CHECK_CLOSE(out[2], 2, 1e-13);   /* 2^2 / 2 */
    CHECK_CLOSE(out[1], 0.5, 1e-13); /* |k| = sqrt 5 */
    CHECK_CLOSE(out[4], 1, 1e-13);   /* cos^2 on the points of the highest mode */
    for (int k = 0; k < 6; k++) sum += out[k];
    for (int i = 0; i < NX * NY * 2; i++) square += values[i] * values[i] / (NX * NY);
    CHECK_CLOSE(sum + 0.25, square, 1e-12); /* Parseval, with the mean */
}

static void a_search_from_frames_ends_at_the_labels(void)
{
    chain c;
    locum_fields *f = NULL;
    locum_field_search search;
    static const double big[TEST] = {1, 1, 1, 1, 1}, none[TEST] = {0};
    locum_errors surrogate = {.n = TEST, .sample = (double *)(uintptr_t)big};

    open_chain(&c, FRAMES_OF_TIME, BY_RANGE);
    locum_validate_call call = call_of(&c);
    CHECK_OK(locum_fields_create(&call, &f));
    CU_ASSERT_FATAL(f != NULL);
    CHECK_OK(locum_field_search_run(f, &surrogate, &search)); /* an error of 1: the first setting is better */
    CU_ASSERT(search.search.done && search.search.n >= 1 && search.search.settings[0].error < 1);
    CU_ASSERT(strstr(search.search.words.data, "already better") != NULL);
    locum_field_search_free(&search);
    surrogate.sample = (double *)(uintptr_t)none;
    CHECK_OK(locum_field_search_run(f, &surrogate, &search)); /* no error at all: up to the reference */
    CU_ASSERT_FATAL(search.search.n == search.n_runs && search.n_runs == 10);
    /* the study's setting from a frame is what the labels came from: round-off of the last steps alone */
    double least = INFINITY, most = 0;
    for (int r = 0; r < 10; r++) {
        least = fmin(least, search.search.settings[r].error);
        most = fmax(most, search.search.settings[r].error);
    }
    CHECK_CLOSE(least, 0, 1e-12);
    CU_ASSERT(most > 0.01);
    CU_ASSERT(search.search.complete && strstr(search.search.words.data, "up to the reference itself") != NULL);
    for (int r = 0; r < search.n_runs; r++) /* later frames take longer */
        CU_ASSERT(search.run_seconds[r * LEADS] > 0 &&
                  search.run_seconds[r * LEADS + LEADS - 1] >= search.run_seconds[r * LEADS]);
    locum_field_search_free(&search);
    locum_fields_destroy(f);
    close_chain(&c);
}

int main(int argc, char **argv)
{
    static const check_entry entries[] = {
        {"a spectrum puts a wave into its shell, and adds up", a_spectrum_puts_a_wave_into_its_shell},
        {"every number of the report is met again", every_number_of_the_report_is_met_again},
        {"an amplitude that was not learnt is a control too", an_amplitude_that_was_not_learnt_is_a_control_too},
        {"without a solver there are errors, but no claim", without_a_solver_there_are_errors_but_no_claim},
        {"a roll-out that blows up counts with all of its error",
         a_roll_out_that_blows_up_counts_with_all_of_its_error},
        {"a map of fields has one lead", a_map_of_fields_has_one_lead},
        {"a map of parameters is searched over windows", a_map_of_parameters_is_searched_over_windows},
        {"a search from frames goes from the cheapest rung to the labels", a_search_from_frames_ends_at_the_labels}};
    int failed;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    locum_store_setup();
    snprintf(folder, sizeof folder, "%s/locum-test-XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    if (rank == 0 && !mkdtemp(folder)) folder[0] = 0;
    MPI_Bcast(folder, sizeof folder, MPI_BYTE, 0, MPI_COMM_WORLD);
    if (rank != 0 && !freopen("/dev/null", "w", stdout)) return 1;
    failed = check_run("validate: fields", entries, (int)(sizeof entries / sizeof entries[0]));
    MPI_Allreduce(MPI_IN_PLACE, &failed, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD);
    if (rank == 0 && locum_remove_tree(folder)) failed = 1;
    MPI_Finalize();
    return failed;
}
