/* SPDX-License-Identifier: BSD-3-Clause */
/* chain.c - the whole of validation on a small study with a test solver: generate, train, validate; then
 * report.json is read back.
 *
 * The tracer of grid_advection begins as a wave, so labels do not depend on the seed: label noise is exactly
 * zero, and so is the error of the reference's own setting, which the search must find. */
#include <string.h>
#include <unistd.h>

#include "core/json.h"
#include "core/study/commit.h"
#include "datasets/store/store.h"
#include "surrogate/as_solver/as_solver.h"
#include "surrogate/train/train.h"
#include "surrogate/validate/validate_parts.h"
#include "tests/conformance/solvers/test_solvers.h"
#include "tests/unit/check.h"

static const char study_text[] = "study: tracer\nseed: 5\nsolver: {name: grid_advection, resolution: 16, velocity: "
                                 "0.2, step: 0.004}\ninitial: wave\n"
                                 "record: {from: 0.2, until: 1, average: true, observe: [variance, profile, mean]}\n"
                                 "campaign:\n  split: {train: 48, validation: 8, calibration: 19, test: 12}\n  noise: "
                                 "{samples: 4, of: test, seed: another}\n"
                                 "  vary: {diffusivity: {range: [2e-3, 2e-2], scale: log}}\n"
                                 "surrogate: {task: map, model: mlp, layers: 2, width: 16, positive: [variance]}\n"
                                 "train: {epochs: 300, batch: 16, learning_rate: 5e-3, ensemble: 2, curve: [0.5]}\n"
                                 "validate: {coverage: 0.9, metric: [variance, profile], snapshots: 2, "
                                 "negative_control: {samples: 6, diffusivity: [5e-2, 1e-1]}}\n";

static const locum_solver_type *const solvers[] = {&locum_solver_grid_advection, NULL};
static char folder[LOCUM_PATH_SIZE];
static int rank;

/* what the tests share: made once, in the first test */
typedef struct chain {
    locum_study *study;
    locum_setup setup;
    locum_campaign_plan *plan;
    locum_dataset *dataset;
    locum_model *model;
    char data[LOCUM_PATH_SIZE + 32], model_path[LOCUM_PATH_SIZE + 32], training[LOCUM_PATH_SIZE + 32],
        report[LOCUM_PATH_SIZE + 32];
} chain;

static locum_status make_data(chain *c)
{
    int64_t done, failed;

    LOCUM_TRY(locum_study_parse(study_text, "study.yaml", 0, NULL, &c->study));
    LOCUM_TRY(locum_setup_read(c->study, solvers, true, &c->setup));
    LOCUM_TRY(locum_campaign_plan_create(c->study, &c->setup, &c->plan));
    snprintf(c->data, sizeof c->data, "%s/dataset", folder);
    snprintf(c->model_path, sizeof c->model_path, "%s/model.safetensors", folder);
    snprintf(c->training, sizeof c->training, "%s/training", folder);
    snprintf(c->report, sizeof c->report, "%s/report", folder);
    locum_generate_call call = {.study = c->study,
                                .setup = &c->setup,
                                .plan = c->plan,
                                .dataset = c->data,
                                .n_shards = 1,
                                .world = MPI_COMM_WORLD};
    LOCUM_TRY(locum_generate(&call, &done, &failed));
    LOCUM_REQUIRE(done == c->plan->n && failed == 0, LOCUM_INTERNAL, "%lld samples, %lld failed", (long long)done,
                  (long long)failed);
    return locum_dataset_open(c->data, &c->dataset);
}

static locum_status make_model(chain *c)
{
    static const char *const outputs[] = {"variance", "profile", "mean"};
    locum_surrogate surrogate;
    locum_table *table = NULL;
    locum_train_result result;

    LOCUM_TRY(locum_surrogate_read(c->study, &surrogate));
    LOCUM_TRY(locum_table_read(c->dataset, 3, outputs, &table));
    locum_training_data data = {.dataset = c->dataset, .table = table};
    locum_train_call call = {.study = c->study,
                             .surrogate = &surrogate,
                             .data = &data,
                             .folder = c->training,
                             .model = c->model_path,
                             .provenance = "",
                             .comm = MPI_COMM_WORLD};
    locum_status st = locum_train(&call, &result);
    locum_table_destroy(table);
    if (!st) st = locum_model_read(c->model_path, NULL, &c->model, NULL, 0);
    return st;
}

static void close_chain(chain *c)
{
    locum_model_close(c->model);
    locum_dataset_close(c->dataset);
    locum_campaign_plan_destroy(c->plan);
    locum_study_destroy(c->study);
    *c = (chain){0};
}

static locum_status open_chain(chain *c)
{
    *c = (chain){0};
    locum_status st = make_data(c);
    if (!st) st = make_model(c);
    return st;
}

static locum_validate_call call_of(const chain *c)
{
    return (locum_validate_call){.study = c->study,
                                 .setup = &c->setup,
                                 .plan = c->plan,
                                 .dataset = c->dataset,
                                 .model = c->model,
                                 .model_path = c->model_path,
                                 .curve_folder = c->training,
                                 .report = c->report,
                                 .costs = {10, 5},
                                 .provenance = "\"program\":\"locum\"",
                                 .world = MPI_COMM_WORLD};
}

/* --- the surrogate as a solver ---------------------------------------------------------------- */

static void the_solver_interface_gives_what_eval_gives(void)
{
    chain c;
    CHECK_OK(open_chain(&c));
    CU_ASSERT_FATAL(c.model != NULL);
    locum_validate_call call = call_of(&c);
    locum_problem *p = NULL;
    CHECK_OK(locum_problem_create(&call, &p));
    CU_ASSERT_FATAL(p != NULL);
    int64_t n = p->n[LOCUM_TEST];
    double *rows = calloc((size_t)(n * p->width), sizeof *rows),
           *direct = calloc((size_t)(n * p->width), sizeof *direct);
    size_t bytes = locum_model_workspace(c.model, n);
    void *memory = malloc(bytes);
    locum_context *context = NULL;
    locum_buffer inputs[1] = {{p->x[LOCUM_TEST], LOCUM_FLOAT64, 1, 1}}, outputs[3];

    CHECK_OK(locum_evaluate_as_solver(p, n, p->x[LOCUM_TEST], rows));
    CHECK_OK(locum_model_prepare(c.model, n, memory, bytes, &context));
    for (int i = 0; i < 3; i++) outputs[i] = (locum_buffer){direct + p->first[i], LOCUM_FLOAT64, p->width, 1};
    CHECK_OK(locum_eval(context, n, inputs, outputs, NULL));
    CU_ASSERT(!memcmp(rows, direct, (size_t)(n * p->width) * sizeof *rows)); /* a row does not depend on its batch */
    CU_ASSERT(p->duplicates == 0 && strlen(p->test_read) == 20);
    free(rows);
    free(direct);
    free(memory);
    locum_problem_destroy(p);
    close_chain(&c);
}

/* the schema and its blocks, without any driver */
static void its_schema_is_that_of_the_model(void)
{
    chain c;
    CHECK_OK(open_chain(&c));
    locum_surrogate_solver *wrapper = NULL;
    CHECK_OK(locum_surrogate_solver_create(c.model, &wrapper));
    CU_ASSERT_FATAL(wrapper != NULL);
    const locum_solver_type *type = locum_surrogate_solver_type(wrapper);
    locum_solver *solver = NULL;
    locum_state *state = NULL;
    char config[256];
    locum_block blocks[3] = {{0}};
    locum_frame frame = {.blocks = blocks};
    bool wanted[3] = {true, true, false};

    CU_ASSERT_FATAL(type->config_size <= sizeof config);
    CU_ASSERT_STRING_EQUAL(type->options[0].name, "diffusivity");
    CU_ASSERT(type->options[0].flags & LOCUM_PARAMETER);
    memset(config, 0, sizeof config);
    CHECK_FAILS(type->create(config, NULL, MPI_COMM_SELF, &solver), LOCUM_ARG); /* a config that names no model */
    memcpy(config, locum_surrogate_solver_config(wrapper), type->config_size);
    CHECK_OK(type->create(config, NULL, MPI_COMM_SELF, &solver));
    const locum_schema *schema = type->schema(solver);
    CU_ASSERT(schema->timeless && schema->n_arrays == 3);
    int profile = locum_schema_find(schema, "profile");
    CU_ASSERT_FATAL(profile == 1);
    const locum_domain *rows = &schema->domains[schema->arrays[profile].domain];
    CU_ASSERT(rows->support == LOCUM_ROWS && rows->n_global[0] == 16 && rows->axis[0] && rows->axis[0][1] == 1.0 / 16);
    CU_ASSERT(schema->domains[schema->arrays[0].domain].support == LOCUM_GLOBAL);
    locum_sample sample = {.config = config};
    CHECK_OK(type->start(solver, &sample, &state));
    CHECK_OK(type->advance(solver, state, 0));
    CHECK_OK(type->observe(solver, state, wanted, &frame));
    CU_ASSERT(blocks[0].data && blocks[1].data && !blocks[2].data && blocks[1].n[0] == 16 &&
              isfinite(*(const double *)blocks[0].data));
    type->free_state(state);
    type->destroy(solver);
    locum_surrogate_solver_destroy(wrapper);
    close_chain(&c);
}

/* --- report.json ------------------------------------------------------------------------------ */

static const char *const keys[] = {"study",
                                   "solver",
                                   "task",
                                   "metric",
                                   "headline",
                                   "reference_settings",
                                   "test_samples",
                                   "test_read",
                                   "label_noise",
                                   "label_noise_samples",
                                   "surrogate",
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
                                   "costs",
                                   "searched",
                                   "provenance"};
static const char *const inner[][2] = {
    {"surrogate",
     "error error_low error_high seconds_per_sample seconds_per_sample_best_batch best_batch parameters members"},
    {"reference", "seconds_per_sample error"},
    {"speedup_at_equal_error", "value bound reason"},
    {"coverage",
     "target measured covered samples calibration_samples law_low law_high median_width negative_control groups"},
    {"costs", "generate_core_seconds train_core_seconds validate_seconds"}};
static const char *const in_list[][2] = {
    {"trivial", "name error"},
    {"baselines", "settings error error_low error_high seconds_per_sample samples best"},
    {"inputs", "name unit text lower upper log"},
    {"outputs", "name unit text extent axis_name axis in_metric transform error"},
    {"samples", "index parameters error error_of covered flag p_value truth value lower upper"},
    {"response", "input at x outputs"},
    {"learning_curve", "samples error"},
    {"sensitivity", "input outputs"},
    {"distance", "distance error"},
    {"rejection", "fraction error"},
    {"snapshots", "text nx ny lower upper values"}};

static void has_keys(const locum_json *json, locum_json_node object, const char *list)
{
    char copy[256], *at = NULL;

    snprintf(copy, sizeof copy, "%s", list);
    for (char *key = strtok_r(copy, " ", &at); key; key = strtok_r(NULL, " ", &at)) {
        if (locum_json_find(json, object, key) < 0) printf("\n    missing key: %s", key);
        CU_ASSERT(locum_json_find(json, object, key) >= 0);
    }
}

static double number(const locum_json *json, const char *first, const char *second)
{
    double value = NAN;
    locum_json_node node = locum_json_find(json, 0, first);

    if (second) node = locum_json_find(json, node, second);
    locum_json_number(json, node, &value);
    return value;
}

static const char *text(const locum_json *json, const char *first, const char *second)
{
    locum_json_node node = locum_json_find(json, 0, first);

    const char *found = locum_json_string(json, second ? locum_json_find(json, node, second) : node);
    return found ? found : "";
}

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

static void check_keys(const locum_json *json)
{
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) has_keys(json, 0, keys[i]);
    for (size_t i = 0; i < sizeof inner / sizeof inner[0]; i++)
        has_keys(json, locum_json_find(json, 0, inner[i][0]), inner[i][1]);
    for (size_t i = 0; i < sizeof in_list / sizeof in_list[0]; i++) {
        locum_json_node first = locum_json_first(json, locum_json_find(json, 0, in_list[i][0]));
        if (first < 0) printf("\n    empty list: %s", in_list[i][0]);
        CU_ASSERT(first >= 0);
        has_keys(json, first, in_list[i][1]);
    }
    has_keys(json, locum_json_find(json, locum_json_find(json, 0, "coverage"), "negative_control"),
             "samples failed covered measured law_limit fails_visibly flagged error parameters text");
}

/* every baseline is dearer than the one before; the best ones fall */
static void check_front(const locum_json *json)
{
    double before = 0, least = INFINITY, seconds, error;
    bool best;
    int n = 0;

    for (locum_json_node b = locum_json_first(json, locum_json_find(json, 0, "baselines")); b >= 0;
         b = locum_json_next(json, b), n++) {
        CU_ASSERT_FATAL(locum_json_number(json, locum_json_find(json, b, "seconds_per_sample"), &seconds));
        CU_ASSERT_FATAL(locum_json_number(json, locum_json_find(json, b, "error"), &error));
        CU_ASSERT_FATAL(locum_json_bool(json, locum_json_find(json, b, "best"), &best));
        CU_ASSERT(seconds >= before && best == (error < least));
        before = seconds;
        least = fmin(least, error);
    }
    CU_ASSERT(n >= 10);
}

static void check_numbers(const locum_json *json)
{
    bool fails = false;
    double trivial[LOCUM_TRIVIALS];
    int k = 0;

    for (locum_json_node t = locum_json_first(json, locum_json_find(json, 0, "trivial")); t >= 0 && k < LOCUM_TRIVIALS;
         t = locum_json_next(json, t))
        locum_json_number(json, locum_json_find(json, t, "error"), &trivial[k++]);
    CU_ASSERT_FATAL(k == LOCUM_TRIVIALS);
    double error = number(json, "surrogate", "error");
    CU_ASSERT(error > 0 && error < trivial[LOCUM_TRIVIAL_MEAN] / 5); /* it has learnt something */
    CU_ASSERT(trivial[LOCUM_TRIVIAL_QUADRATIC] < trivial[LOCUM_TRIVIAL_LINEAR] &&
              trivial[LOCUM_TRIVIAL_LINEAR] < trivial[LOCUM_TRIVIAL_MEAN]);
    CU_ASSERT(number(json, "surrogate", "error_low") <= error && error <= number(json, "surrogate", "error_high"));
    CU_ASSERT(number(json, "label_noise", NULL) == 0 && number(json, "label_noise_samples", NULL) == 4);
    CU_ASSERT(number(json, "test_samples", NULL) == 12 && number(json, "coverage", "samples") == 12);
    CU_ASSERT(number(json, "coverage", "calibration_samples") == 19);
    CU_ASSERT(number(json, "coverage", "covered") >= number(json, "coverage", "law_low"));
    CU_ASSERT(number(json, "coverage", "covered") <= number(json, "coverage", "law_high"));
    locum_json_node control = locum_json_find(json, locum_json_find(json, 0, "coverage"), "negative_control");
    CU_ASSERT(locum_json_bool(json, locum_json_find(json, control, "fails_visibly"), &fails) && fails);
    CU_ASSERT(number(json, "surrogate", "members") == 2 && number(json, "surrogate", "parameters") > 100);
    /* labels are the reference's own and do not depend on seeds: its error is zero, so the search must reach it */
    CU_ASSERT(!strcmp(text(json, "speedup_at_equal_error", "bound"), "=") ||
              !strcmp(text(json, "speedup_at_equal_error", "bound"), "<="));
    double seconds = number(json, "reference", "seconds_per_sample"),
           value = number(json, "speedup_at_equal_error", "value");
    CU_ASSERT(seconds > 0 && value > 0 &&
              value * number(json, "surrogate", "seconds_per_sample") < 3 * seconds); /* two clocks of a busy machine */
    CU_ASSERT(number(json, "surrogate", "seconds_per_sample_best_batch") <=
              number(json, "surrogate", "seconds_per_sample"));
    CU_ASSERT(locum_json_n(json, locum_json_find(json, 0, "learning_curve")) == 2);
    CU_ASSERT(locum_json_n(json, locum_json_find(json, 0, "snapshots")) == 2 &&
              locum_json_n(json, locum_json_find(json, 0, "examples")) == 3);
    CU_ASSERT(strlen(text(json, "searched", NULL)) > 50 &&
              strstr(text(json, "metric", NULL), "variance, profile, then"));
}

static void a_study_is_validated_and_its_report_holds_every_key(void)
{
    chain c;
    char headline[512] = "";

    CHECK_OK(open_chain(&c));
    locum_validate_call call = call_of(&c);
    locum_status st = locum_validate(&call, headline, sizeof headline);
    CHECK_OK(st);
    CU_ASSERT(strstr(headline, "times as fast") != NULL);
    locum_json *json = st ? NULL : read_report(&c);
    if (json) {
        if (getenv("LOCUM_TEST_SHOW")) printf("\n%s\n%s\n", headline, text(json, "searched", NULL));
        check_keys(json);
        check_front(json);
        check_numbers(json);
    }
    locum_json_destroy(json);
    close_chain(&c);
}

static void several_surrogates_stand_side_by_side(void)
{
    chain c;
    char headline[1024] = "";

    CHECK_OK(open_chain(&c));
    locum_validate_call call = call_of(&c);
    locum_validated_model models[] = {{"one", c.model_path, c.training, c.model}, {"two", c.model_path, NULL, c.model}};
    call.setup = NULL; /* no search: this is about the table */
    call.plan = NULL;
    call.model = NULL;
    call.n_models = 2;
    call.models = models;
    locum_status st = locum_validate(&call, headline, sizeof headline);
    CHECK_OK(st);
    CU_ASSERT(strstr(headline, "The surrogate is one, which has the smallest validation error of 2") != NULL);
    locum_json *json = st ? NULL : read_report(&c);
    int n = 0;
    for (locum_json_node m = json ? locum_json_first(json, locum_json_find(json, 0, "surrogates")) : -1; m >= 0;
         m = locum_json_next(json, m), n++) {
        double error = NAN, covered = NAN;
        locum_json_number(json, locum_json_find(json, m, "error"), &error);
        locum_json_number(json, locum_json_find(json, m, "covered"), &covered);
        /* the same model, once through the solver interface and once by eval: the same bits */
        CHECK_CLOSE(error, number(json, "surrogate", "error"), 0);
        CHECK_CLOSE(covered, number(json, "coverage", "covered"), 0);
    }
    CU_ASSERT(n == 2);
    locum_json_destroy(json);
    close_chain(&c);
}

static void without_a_solver_no_speed_up_is_claimed(void)
{
    chain c;
    char headline[512] = "";

    CHECK_OK(open_chain(&c));
    locum_validate_call call = call_of(&c);
    call.setup = NULL;
    call.plan = NULL;
    locum_status st = locum_validate(&call, headline, sizeof headline);
    CHECK_OK(st);
    CU_ASSERT(strstr(headline, "No speed-up is claimed") != NULL);
    locum_json *json = st ? NULL : read_report(&c);
    if (json) {
        CU_ASSERT(locum_json_n(json, locum_json_find(json, 0, "baselines")) == 0);
        CU_ASSERT(isnan(number(json, "speedup_at_equal_error", "value")) &&
                  isnan(number(json, "break_even_predictions", NULL)));
        CU_ASSERT(strstr(text(json, "speedup_at_equal_error", "reason"), "without a solver") != NULL);
        CU_ASSERT(number(json, "surrogate", "error") > 0 && number(json, "coverage", "measured") > 0);
    }
    locum_json_destroy(json);
    close_chain(&c);
}

static void wrong_blocks_are_refused_with_their_place(void)
{
    static const char *const wrong[][2] = {
        {"validate: {coverage: 1.5}", "coverage"},
        {"validate: {covrage: 0.9}", "covrage"},
        {"validate: {negative_control: {samples: 4}}", "range"},
        {"validate: {negative_control: {samples: 4, diffusivty: [1, 2]}}", "diffusivty"},
        {"validate: {negative_control: {diffusivity: [2, 1e]}}", "1e"},
        {"validate: {negative_control: {samples: 0, diffusivity: [1, 2]}}", "samples"},
        {"validate: {negative_control: {amplitude: 1}}", "amplitude"},
        {"validate: {negative_control: 3}", "negative_control"}};
    char all[512];

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        locum_study *study = NULL;
        locum_settings *settings = NULL;
        snprintf(
            all, sizeof all,
            "study: w\nsolver: {name: grid_advection}\ncampaign: {vary: {diffusivity: {range: [1e-3, 1e-2]}}}\n%s\n",
            wrong[i][0]);
        CHECK_OK(locum_study_parse(all, "study.yaml", 0, NULL, &study));
        locum_status st = locum_validate_read(study, &settings);
        double lower[2], upper[2];
        locum_setup setup;
        locum_campaign_plan plan = {.n_parameters = 1};
        char name[1][LOCUM_TEXT_SIZE] = {"diffusivity"}, unit[1][LOCUM_TEXT_SIZE] = {"1"};
        double low = 1e-3, high = 1e-2;
        bool log_scale = false;
        plan.name = name, plan.unit = unit, plan.lower = &low, plan.upper = &high, plan.log_scale = &log_scale;
        (void)setup;
        if (!st) st = locum_control_ranges(study, &plan, lower, upper); /* units and numbers: when the plan is known */
        CU_ASSERT(st == LOCUM_STUDY);
        if (!strstr(locum_status_message(), wrong[i][1]) || !strstr(locum_status_message(), "study.yaml:"))
            printf("\n    %s", locum_status_message());
        CU_ASSERT(strstr(locum_status_message(), wrong[i][1]) && strstr(locum_status_message(), "study.yaml:"));
        locum_study_destroy(study);
    }
}

int main(int argc, char **argv)
{
    static const check_entry entries[] = {
        {"the solver interface gives what eval gives, bit for bit", the_solver_interface_gives_what_eval_gives},
        {"a surrogate's schema is that of its model", its_schema_is_that_of_the_model},
        {"a study is validated, and report.json holds every key", a_study_is_validated_and_its_report_holds_every_key},
        {"several surrogates stand side by side", several_surrogates_stand_side_by_side},
        {"without a solver no speed-up is claimed", without_a_solver_no_speed_up_is_claimed},
        {"wrong blocks are refused with their place", wrong_blocks_are_refused_with_their_place}};
    int failed;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    locum_store_setup();
    snprintf(folder, sizeof folder, "%s/locum-test-XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    if (rank == 0 && !mkdtemp(folder)) folder[0] = 0;
    MPI_Bcast(folder, sizeof folder, MPI_BYTE, 0, MPI_COMM_WORLD);
    if (rank != 0 && !freopen("/dev/null", "w", stdout)) return 1;
    failed = check_run("validate: chain", entries, (int)(sizeof entries / sizeof entries[0]));
    MPI_Allreduce(MPI_IN_PLACE, &failed, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD);
    if (rank == 0 && locum_remove_tree(folder)) failed = 1;
    MPI_Finalize();
    return failed;
}
