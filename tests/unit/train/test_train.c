/* SPDX-License-Identifier: BSD-3-Clause */
/* test_train.c - a map is learnt and its interval covers; stopped, resumed and killed trainings end in the same bits;
 * what cannot be trained says so. */
#include <dirent.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/study/commit.h"
#include "locum/model.h"
#include "tests/unit/parallel/mpi_main.h"
#include "tests/unit/train/synthetic.h"

#define SMALL_SURROGATE "model: mlp, layers: 2, width: 16, positive: [energy], shares: [spectrum], total: energy"
#define SMALL_TRAIN "epochs: 30, batch: 16, ensemble: 2, validate_every: 2, checkpoint_every: 4, warm_up: 5"
static const int64_t small_counts[4] = {44, 8, 16, 8};

static locum_status train_once(const char *train, locum_table *table, const char *folder, locum_watch *watch,
                               locum_train_result *result)
{
    training t;
    locum_status st = training_create(SMALL_SURROGATE, train, table, folder, MPI_COMM_SELF, &t);
    t.call.watch = watch;
    if (!st) st = locum_train(&t.call, result);
    training_destroy(&t);
    return st;
}

static void model_of(const char *folder, char path[LOCUM_PATH_SIZE])
{
    if (snprintf(path, LOCUM_PATH_SIZE, "%s/model.safetensors", folder) >= LOCUM_PATH_SIZE) abort();
}

/* --- learning ----------------------------------------------------------------------------------------------------- */
typedef struct verdicts {
    double error;
    int covered, n;
} verdicts;

static void judge(const char *path, const locum_table *table, double coverage, verdicts *v)
{
    enum { MOST = 512 };
    static double y[3][SYNTHETIC_Z * MOST];
    static const int first[3] = {0, 1, 1 + SYNTHETIC_PROFILE}, extent[3] = {1, SYNTHETIC_PROFILE, SYNTHETIC_SPECTRUM};
    locum_model *model = NULL;
    locum_context *context = NULL;
    locum_buffer in[2], out[3][3];
    char message[300];
    int64_t rows = table->n[LOCUM_TEST];

    *v = (verdicts){.n = (int)rows};
    CHECK_OK(locum_model_read(path, NULL, &model, message, sizeof message));
    CU_ASSERT_TRUE_FATAL(model && rows <= MOST);
    size_t bytes = locum_model_workspace(model, rows);
    void *memory = malloc(bytes);
    CHECK_OK(locum_model_prepare(model, rows, memory, bytes, &context));
    for (int i = 0; i < 2; i++) in[i] = (locum_buffer){table->values[LOCUM_TEST][i], LOCUM_FLOAT64, 1, 1};
    for (int k = 0; k < 3; k++)
        for (int i = 0; i < 3; i++) out[k][i] = (locum_buffer){y[k] + first[i], LOCUM_FLOAT64, SYNTHETIC_Z, 1};
    locum_trust trust = {.coverage = coverage, .lower = out[1], .upper = out[2]};
    CHECK_OK(locum_eval(context, rows, in, out[0], &trust));
    for (int64_t r = 0; r < rows; r++) {
        bool inside = true;
        for (int i = 0; i < 3; i++) {
            const double *truth = table->values[LOCUM_TEST][2 + i] + r * extent[i];
            int64_t at = r * SYNTHETIC_Z + first[i];
            v->error += locum_relative_error(extent[i], y[0] + at, truth) / 3 / (double)rows;
            for (int j = 0; j < extent[i]; j++) inside = inside && y[1][at + j] <= truth[j] && truth[j] <= y[2][at + j];
        }
        v->covered += inside;
    }
    locum_model_close(model);
    free(memory);
}

static void an_analytic_map_is_learnt_and_its_interval_covers(void)
{
    static const int64_t counts[4] = {88, 8, 32, 400};
    locum_table *table = synthetic_table(counts, 0.02, 5);
    char folder[LOCUM_PATH_SIZE], path[LOCUM_PATH_SIZE];
    locum_train_result result;
    verdicts v;
    training t;

    training_folder(MPI_COMM_SELF, "learn", folder);
    CHECK_OK(training_create("model: mlp, layers: 2, width: 32, positive: [energy], shares: [spectrum], total: energy",
                             "epochs: 400, batch: 32, ensemble: 3, learning_rate: 3e-3, curve: [0.25]", table, folder,
                             MPI_COMM_SELF, &t));
    CHECK_OK(locum_train(&t.call, &result));
    training_destroy(&t);
    CU_ASSERT_EQUAL(result.epochs, 400);
    CU_ASSERT_EQUAL(result.steps, 1200);
    model_of(folder, path);
    judge(path, table, 0.9, &v);
    /* labels carry noise of 0.02 (0.2 + 5 drag), 2.2 % on average; a mean predictor is off by 40 % */
    printf("\n    error %.4f, covered %d of %d, %.1f s, %.1f %% waiting", v.error, v.covered, v.n, result.seconds,
           100 * result.waiting / result.seconds);
    CU_ASSERT_TRUE(v.error < 0.04);
    /* 32 scores at 90 %: the coverage is Beta(30, 3), 99.8 % of it above 0.70 and all test samples share it */
    CU_ASSERT_TRUE(v.covered >= 0.70 * v.n);
    CU_ASSERT_TRUE(v.covered < v.n); /* an interval that holds everything says nothing */
    snprintf(path, sizeof path, "%.900s/curve-22.safetensors", folder);
    verdicts part;
    judge(path, table, 0.9, &part);
    CU_ASSERT_TRUE(part.error > v.error); /* a quarter of the data: worse */
    CHECK_OK(locum_remove_tree(folder));
    synthetic_table_destroy(table);
}

static void without_calibration_or_validation_samples_there_are_values_only(void)
{
    static const int64_t counts[4] = {12, 0, 0, 5};
    locum_table *table = synthetic_table(counts, 0.02, 5);
    char folder[LOCUM_PATH_SIZE], path[LOCUM_PATH_SIZE];
    locum_train_result result;
    locum_model *model = NULL;
    verdicts v;
    training_folder(MPI_COMM_SELF, "bare", folder);
    CHECK_OK(train_once("epochs: 5, batch: 100, ensemble: 1", table, folder, NULL, &result));
    CU_ASSERT_EQUAL(result.steps, 5); /* the batch is the whole split */
    model_of(folder, path);
    CHECK_OK(locum_model_read(path, NULL, &model, NULL, 0));
    CU_ASSERT_EQUAL(locum_model_n_calibration(model), 0);
    CU_ASSERT_STRING_EQUAL(locum_model_metadata(model, "task"), "map");
    CU_ASSERT_PTR_NOT_NULL(
        strstr(locum_model_metadata(model, "transforms"),
               "{\"name\":\"spectrum\",\"transform\":\"log_share\",\"floor\":1e-07,\"total\":\"energy\"}"));
    locum_model_close(model);
    judge(path, table, 0.5, &v);
    CU_ASSERT_EQUAL(v.covered, v.n); /* infinite intervals */
    CHECK_OK(locum_remove_tree(folder));
    synthetic_table_destroy(table);
}

/* --- the same bits however it was interrupted --------------------------------------------------------------------- */
static void resume_from_every_checkpoint_gives_the_same_bits(void)
{
    locum_table *table = synthetic_table(small_counts, 0.02, 6);
    char whole[LOCUM_PATH_SIZE], parts[LOCUM_PATH_SIZE], a[LOCUM_PATH_SIZE], b[LOCUM_PATH_SIZE];
    locum_train_result result;

    training_folder(MPI_COMM_SELF, "whole", whole);
    training_folder(MPI_COMM_SELF, "parts", parts);
    CHECK_OK(train_once(SMALL_TRAIN, table, whole, NULL, &result));
    /* a watch that always says stop: one step a call, each from the checkpoint of the last */
    volatile sig_atomic_t signal = 1;
    locum_watch watch;
    locum_watch_begin(&watch, &signal, NULL, NAN);
    locum_status st = LOCUM_STOPPED;
    int stops = 0;
    while (st == LOCUM_STOPPED && stops < 200) {
        st = train_once(SMALL_TRAIN, table, parts, &watch, &result);
        stops += st == LOCUM_STOPPED;
    }
    CHECK_OK(st);
    CU_ASSERT_EQUAL(stops, 30 * 3 - 1); /* every step but the last ended a process */
    model_of(whole, a);
    model_of(parts, b);
    CU_ASSERT_TRUE(same_tensors(a, b));
    CHECK_OK(locum_remove_tree(whole));
    CHECK_OK(locum_remove_tree(parts));
    synthetic_table_destroy(table);
}

static void a_learning_curve_resumes_and_is_not_made_twice(void)
{
    locum_table *table = synthetic_table(small_counts, 0.02, 6);
    char whole[LOCUM_PATH_SIZE], parts[LOCUM_PATH_SIZE], a[LOCUM_PATH_SIZE], b[LOCUM_PATH_SIZE];
    locum_train_result result;
    static const char train[] = "epochs: 4, batch: 16, ensemble: 2, validate_every: 1, curve: [0.25, 0.5]";
    volatile sig_atomic_t signal = 1;
    locum_watch watch;
    int stops = 0;

    training_folder(MPI_COMM_SELF, "whole", whole);
    training_folder(MPI_COMM_SELF, "parts", parts);
    CHECK_OK(train_once(train, table, whole, NULL, &result));
    locum_watch_begin(&watch, &signal, NULL, NAN);
    locum_status st = LOCUM_STOPPED;
    for (; st == LOCUM_STOPPED && stops < 100; stops += st == LOCUM_STOPPED)
        st = train_once(train, table, parts, &watch, &result);
    CHECK_OK(st);
    CU_ASSERT_EQUAL(stops, 3 * 11); /* 12 steps for each of three models, the last step of each ends no process */
    for (int n = 11; n <= 22; n += 11) {
        snprintf(a, sizeof a, "%.900s/curve-%d.safetensors", whole, n);
        snprintf(b, sizeof b, "%.900s/curve-%d.safetensors", parts, n);
        CU_ASSERT_TRUE(same_tensors(a, b));
        snprintf(a, sizeof a, "%.900s/curve-%d", parts, n);
        CU_ASSERT_NOT_EQUAL(access(a, F_OK), 0); /* its checkpoints are gone */
    }
    CHECK_OK(locum_remove_tree(whole));
    CHECK_OK(locum_remove_tree(parts));
    synthetic_table_destroy(table);
}

static int count_checkpoints(const char *folder, char newest[LOCUM_PATH_SIZE])
{
    int n = 0;
    int64_t last = -1, step;
    DIR *directory = opendir(folder);
    struct dirent *entry;
    while (directory && (entry = readdir(directory)))
        if (sscanf(entry->d_name, "checkpoint-%" SCNd64, &step) == 1) {
            n++;
            if (step > last) last = step;
        }
    if (directory) closedir(directory);
    snprintf(newest, LOCUM_PATH_SIZE, "%.900s/checkpoint-%" PRId64 ".safetensors", folder, last);
    return n;
}

/* stops at its first poll after `polls` of them */
static void stop_late(locum_table *table, const char *folder, int times)
{
    volatile sig_atomic_t signal = 1;
    locum_watch watch;
    locum_train_result result;
    locum_watch_begin(&watch, &signal, NULL, NAN);
    for (int i = 0; i < times; i++) CHECK_FAILS(train_once(SMALL_TRAIN, table, folder, &watch, &result), LOCUM_STOPPED);
}

static void a_damaged_checkpoint_gives_way_to_the_one_before(void)
{
    locum_table *table = synthetic_table(small_counts, 0.02, 6);
    char whole[LOCUM_PATH_SIZE], hurt[LOCUM_PATH_SIZE], newest[LOCUM_PATH_SIZE], a[LOCUM_PATH_SIZE], b[LOCUM_PATH_SIZE];
    locum_train_result result;

    training_folder(MPI_COMM_SELF, "sound", whole);
    training_folder(MPI_COMM_SELF, "hurt", hurt);
    CHECK_OK(train_once(SMALL_TRAIN, table, whole, NULL, &result));
    stop_late(table, hurt, 7);
    CU_ASSERT_EQUAL(count_checkpoints(hurt, newest), 2);
    CU_ASSERT_EQUAL(truncate(newest, 5000), 0);
    CHECK_OK(train_once(SMALL_TRAIN, table, hurt, NULL, &result));
    model_of(whole, a);
    model_of(hurt, b);
    CU_ASSERT_TRUE(same_tensors(a, b));
    CHECK_OK(locum_remove_tree(whole));
    CHECK_OK(locum_remove_tree(hurt));
    synthetic_table_destroy(table);
}

static void a_checkpoint_of_other_options_is_refused(void)
{
    static const int64_t other_counts[4] = {40, 8, 16, 8};
    locum_table *table = synthetic_table(small_counts, 0.02, 6), *other = synthetic_table(other_counts, 0.02, 6);
    char folder[LOCUM_PATH_SIZE];
    locum_train_result result;

    training_folder(MPI_COMM_SELF, "other", folder);
    stop_late(table, folder, 1);
    CHECK_FAILS(train_once(SMALL_TRAIN, other, folder, NULL, &result), LOCUM_EXISTS);
    CHECK_FAILS(train_once("epochs: 30, batch: 16, ensemble: 2, validate_every: 2, learning_rate: 2e-3, warm_up: 5",
                           table, folder, NULL, &result),
                LOCUM_EXISTS);
    CHECK_FAILS(
        train_once("epochs: 30, batch: 16, ensemble: 3, validate_every: 2, warm_up: 5", table, folder, NULL, &result),
        LOCUM_EXISTS);
    CHECK_OK(locum_remove_tree(folder));
    synthetic_table_destroy(table);
    synthetic_table_destroy(other);
}

static void a_checkpoint_of_other_kernels_needs_permission(void)
{
    locum_table *table = synthetic_table(small_counts, 0.02, 6);
    char folder[LOCUM_PATH_SIZE], newest[LOCUM_PATH_SIZE];
    char *bytes = NULL;
    size_t n = 0;
    locum_file file;
    locum_text text = {0};
    locum_train_result result;
    training t;

    training_folder(MPI_COMM_SELF, "kernels", folder);
    stop_late(table, folder, 1);
    CU_ASSERT_EQUAL_FATAL(count_checkpoints(folder, newest), 1);
    CHECK_OK(locum_read_bytes(newest, 1 << 28, &bytes, &n)); /* the same file, but for the word */
    CHECK_OK(locum_file_read(bytes, n, &file));
    static const char *const keys[] = {"content", "table", "task_hash", "graph", "recipe"};
    locum_metadata metadata[6] = {{"kernels", "abacus"}};
    for (int i = 0; i < 5; i++) metadata[i + 1] = (locum_metadata){keys[i], locum_file_metadata(&file, keys[i])};
    CHECK_OK(locum_file_write(6, metadata, file.n_tensors, file.tensors, &text));
    CHECK_OK(locum_commit_bytes(newest, text.data, text.size));
    locum_text_free(&text);
    locum_file_free(&file);
    free(bytes);
    CHECK_FAILS(train_once(SMALL_TRAIN, table, folder, NULL, &result), LOCUM_EXISTS);
    CU_ASSERT_PTR_NOT_NULL(strstr(locum_status_message(), "abacus"));
    CHECK_OK(training_create(SMALL_SURROGATE, SMALL_TRAIN, table, folder, MPI_COMM_SELF, &t));
    t.call.allow_other_kernels = true;
    CHECK_OK(locum_train(&t.call, &result));
    training_destroy(&t);
    CHECK_OK(locum_remove_tree(folder));
    synthetic_table_destroy(table);
}

/* --- killed ------------------------------------------------------------------------------------------------------- */
static const char *program;

/* this program again, as `--child FOLDER`, with failpoints; returns its wait status */
static int run_child(const char *folder, const char *failpoints)
{
    pid_t child = fork();
    if (child == 0) {
        setenv("LOCUM_FAILPOINTS", failpoints, 1);
        execl(program, program, "--child", folder, (char *)NULL);
        _exit(99);
    }
    int status = -1;
    waitpid(child, &status, 0);
    return status;
}

static int child_main(const char *folder)
{
    locum_table *table = synthetic_table(small_counts, 0.02, 6);
    locum_train_result result;
    MPI_Init(NULL, NULL);
    locum_status st = train_once(SMALL_TRAIN, table, folder, NULL, &result);
    synthetic_table_destroy(table);
    MPI_Finalize();
    return (int)st;
}

static void killed_trainings_resume_to_the_same_bits(void)
{
    static const char *const moments[] = {"train_step@41=kill", "train_step@25=kill", "commit_write@2=kill",
                                          "commit_rename@1=kill", "commit_folder@2=kill"};
    locum_table *table = synthetic_table(small_counts, 0.02, 6);
    char whole[LOCUM_PATH_SIZE], killed[LOCUM_PATH_SIZE], a[LOCUM_PATH_SIZE], b[LOCUM_PATH_SIZE];
    locum_train_result result;
    int kills = 0;

    training_folder(MPI_COMM_SELF, "unhurt", whole);
    training_folder(MPI_COMM_SELF, "killed", killed);
    CHECK_OK(train_once(SMALL_TRAIN, table, whole, NULL, &result));
    for (size_t i = 0; i < sizeof moments / sizeof *moments; i++) {
        int status = run_child(killed, moments[i]);
        kills += WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
    }
    CU_ASSERT_EQUAL(kills, 5);
    CU_ASSERT_EQUAL(run_child(killed, ""), 0);
    model_of(whole, a);
    model_of(killed, b);
    CU_ASSERT_TRUE(same_tensors(a, b));
    CHECK_OK(locum_remove_tree(whole));
    CHECK_OK(locum_remove_tree(killed));
    synthetic_table_destroy(table);
}

/* --- what cannot be trained --------------------------------------------------------------------------------------- */
static void a_loss_that_is_not_finite_stops_with_the_last_good_weights(void)
{
    char folder[LOCUM_PATH_SIZE], newest[LOCUM_PATH_SIZE];
    locum_train_result result;
    locum_table *table = synthetic_table(small_counts, 0.02, 6);
    training_folder(MPI_COMM_SELF, "numeric", folder);
    CHECK_FAILS(train_once("epochs: 30, batch: 16, ensemble: 2, learning_rate: 1, clip: 0, weight_decay: 10, warm_up: "
                           "0, validate_every: 1, checkpoint_every: 1000000",
                           table, folder, NULL, &result),
                LOCUM_NUMERIC);
    CU_ASSERT_PTR_NOT_NULL(strstr(locum_status_message(), "step"));
    CU_ASSERT_EQUAL(count_checkpoints(folder, newest), 1);
    CHECK_OK(locum_remove_tree(folder));
    synthetic_table_destroy(table);
}

static void a_poisoned_loss_names_its_step_and_leaves_the_checkpoint(void)
{
    char folder[LOCUM_PATH_SIZE], newest[LOCUM_PATH_SIZE], after[LOCUM_PATH_SIZE];
    locum_train_result result;
    locum_table *table = synthetic_table(small_counts, 0.02, 6);
    training_folder(MPI_COMM_SELF, "poison", folder);
    setenv("LOCUM_FAILPOINTS", "train_loss@50=nan", 1);
    CHECK_FAILS(train_once(SMALL_TRAIN, table, folder, NULL, &result), LOCUM_NUMERIC);
    CU_ASSERT_PTR_NOT_NULL(strstr(locum_status_message(), "step 50 (epoch 17)"));
    unsetenv("LOCUM_FAILPOINTS");
    CU_ASSERT_EQUAL(count_checkpoints(folder, newest), 2);
    CU_ASSERT_PTR_NOT_NULL(strstr(newest, "checkpoint-48."));        /* epoch 16: a multiple of checkpoint_every */
    CHECK_OK(train_once(SMALL_TRAIN, table, folder, NULL, &result)); /* what poisoned it is gone: it goes on */
    count_checkpoints(folder, after);
    CU_ASSERT_PTR_NOT_NULL(strstr(after, "checkpoint-90."));
    CHECK_OK(locum_remove_tree(folder));
    synthetic_table_destroy(table);
}

static void patience_ends_a_training_that_no_longer_improves(void)
{
    char folder[LOCUM_PATH_SIZE];
    locum_train_result result;
    locum_table *table = synthetic_table(small_counts, 0.3, 6);
    training_folder(MPI_COMM_SELF, "patience", folder);
    CHECK_OK(train_once("epochs: 2000, batch: 16, ensemble: 1, learning_rate: 1e-2, validate_every: 1, patience: 5",
                        table, folder, NULL, &result));
    CU_ASSERT_TRUE(result.epochs < 2000);
    CHECK_OK(locum_remove_tree(folder));
    synthetic_table_destroy(table);
}

static void options_say_what_is_wrong_with_them(void)
{
    static const struct {
        const char *surrogate, *train, *word;
    } cases[] = {{"model: mpl", "epochs: 1", "mpl"},
                 {"layer: 3", "epochs: 1", "layers"},
                 {"mlp: {layers: 2}, fno: {modes: 3}", "epochs: 1", "several networks"},
                 {"layers: 0", "epochs: 1", "layers"},
                 {"task: forecast", "epochs: 1", "forecast"},
                 {"width: 8", "epoch: 1", "epochs"},
                 {"width: 8", "learning_rate: 0", "learning_rate"},
                 {"width: 8", "curve: [0.5, 1]", "curve"}};
    training t;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        locum_status st = training_create(cases[i].surrogate, cases[i].train, NULL, "/nowhere", MPI_COMM_SELF, &t);
        if (st != LOCUM_STUDY || !strstr(locum_status_message(), cases[i].word))
            printf("\n    case %zu: %s: %s", i, locum_status_name(st), locum_status_message());
        CU_ASSERT_EQUAL(st, LOCUM_STUDY);
        CU_ASSERT_PTR_NOT_NULL(strstr(locum_status_message(), cases[i].word));
        training_destroy(&t);
    }
}

static void model_options_stand_beside_common_ones_and_survive_a_resolved_study(void)
{
    training t;
    locum_text resolved = {0};
    locum_study *again = NULL;
    locum_surrogate surrogate;
    static const char *const blocks[] = {"surrogate", "train", NULL};

    CHECK_OK(training_create("layers: 5, outputs: [energy]", "epochs: 7", NULL, "/nowhere", MPI_COMM_SELF, &t));
    CU_ASSERT_STRING_EQUAL(t.surrogate.type->name, "mlp");
    double layers = 0;
    CHECK_OK(locum_settings_number(t.surrogate.model_settings, "layers", &layers));
    CU_ASSERT_EQUAL(layers, 5);
    CU_ASSERT_TRUE(t.surrogate.config->n_outputs == 1 && !strcmp(t.surrogate.config->outputs[0], "energy"));
    locum_study_write(t.study, &resolved);
    CHECK_OK(resolved.status);
    CHECK_OK(locum_study_parse(resolved.data, "resolved.yaml", 0, NULL, &again));
    if (again) CHECK_OK(locum_surrogate_read(again, &surrogate));
    CHECK_OK(locum_settings_number(surrogate.model_settings, "layers", &layers));
    CU_ASSERT_EQUAL(layers, 5);
    CU_ASSERT_EQUAL(locum_study_hash(t.study, blocks), locum_study_hash(again, blocks));
    locum_study_destroy(again);
    locum_text_free(&resolved);
    training_destroy(&t);
    CHECK_OK(training_create("width: 8", "epochs: 7", NULL, "/nowhere", MPI_COMM_SELF, &t));
    CU_ASSERT_TRUE(t.surrogate.config->n_outputs == 3 &&
                   !strcmp(t.surrogate.config->outputs[2], "spectrum")); /* record.observe */
    training_destroy(&t);
}

static void a_task_names_what_cannot_be_learnt(void)
{
    static const struct {
        const char *surrogate, *word;
    } cases[] = {{"positive: [profile]", "profile"},             /* it has negative values */
                 {"shares: [spectrum], total: energy", "total"}, /* the total is not positive */
                 {"positive: [energy], shares: [energy], total: energy", "energy"},
                 {"positive: [energy], shares: [profile], total: energy", "profile"}};
    static const char *const unlisted[] = {"outputs: [enstrophy]", "positive: [enstrophy]", "shares: [enstrophy]",
                                           "total: enstrophy", "outputs: [energy], positive: [spectrum]"};
    locum_table *table = synthetic_table(small_counts, 0.02, 6);
    training t;
    locum_task *task = NULL;
    for (size_t i = 0; i < sizeof unlisted / sizeof *unlisted;
         i++) { /* known from the study alone, before there are data */
        CHECK_FAILS(training_create(unlisted[i], "epochs: 1", NULL, "/nowhere", MPI_COMM_SELF, &t), LOCUM_STUDY);
        training_destroy(&t);
    }
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CHECK_OK(training_create(cases[i].surrogate, "epochs: 1", table, "/nowhere", MPI_COMM_SELF, &t));
        CHECK_FAILS(locum_surrogate_task(&t.surrogate, table, &task), LOCUM_STUDY);
        CU_ASSERT_PTR_NULL(task);
        CU_ASSERT_PTR_NOT_NULL(strstr(locum_status_message(), cases[i].word));
        training_destroy(&t);
    }
    synthetic_table_destroy(table);
}

static void normalisers_come_from_the_training_split_alone(void)
{
    locum_table *table = synthetic_table(small_counts, 0.02, 6);
    training t;
    locum_task *task = NULL, *same = NULL;
    CHECK_OK(training_create(SMALL_SURROGATE, "epochs: 1", table, "/nowhere", MPI_COMM_SELF, &t));
    CHECK_OK(locum_surrogate_task(&t.surrogate, table, &task));
    CU_ASSERT_PTR_NOT_NULL_FATAL(task);
    CU_ASSERT_EQUAL(task->inputs[0].transform, LOCUM_LOG); /* 0.004 .. 0.1: a factor 25 */
    CU_ASSERT_EQUAL(task->inputs[1].transform, LOCUM_LOG); /* 0.05 .. 0.3: a factor 6 */
    CU_ASSERT_EQUAL(task->outputs[2].transform, LOCUM_LOG_SHARE);
    double sum = 0, square = 0;
    for (int64_t r = 0; r < table->n[LOCUM_TRAIN]; r++) {
        double z = (log(table->values[LOCUM_TRAIN][0][r]) - task->inputs[0].mean[0]) / task->inputs[0].scale[0];
        sum += z;
        square += z * z;
    }
    CHECK_CLOSE(sum / 44, 0, 1e-13);
    CHECK_CLOSE(square / 44, 1, 1e-13);
    for (int s = LOCUM_VALIDATION; s <= LOCUM_TEST; s++)
        for (int64_t r = 0; r < table->n[s]; r++) table->values[s][2][r] *= 1000;
    CHECK_OK(locum_surrogate_task(&t.surrogate, table, &same));
    CU_ASSERT_TRUE(same && same->outputs[0].mean[0] == task->outputs[0].mean[0] &&
                   same->outputs[0].upper == task->outputs[0].upper);
    locum_task_destroy(task);
    locum_task_destroy(same);
    training_destroy(&t);
    synthetic_table_destroy(table);
}

int main(int n_arguments, char **arguments)
{
    static const check_entry entries[] = {
        {"an analytic map is learnt and its interval covers", an_analytic_map_is_learnt_and_its_interval_covers},
        {"without calibration there are values only", without_calibration_or_validation_samples_there_are_values_only},
        {"resume from every checkpoint gives the same bits", resume_from_every_checkpoint_gives_the_same_bits},
        {"a learning curve resumes", a_learning_curve_resumes_and_is_not_made_twice},
        {"a damaged checkpoint gives way to the one before", a_damaged_checkpoint_gives_way_to_the_one_before},
        {"a checkpoint of other options is refused", a_checkpoint_of_other_options_is_refused},
        {"a checkpoint of other kernels needs permission", a_checkpoint_of_other_kernels_needs_permission},
        {"a loss that is not finite stops", a_loss_that_is_not_finite_stops_with_the_last_good_weights},
        {"a poisoned loss names its step", a_poisoned_loss_names_its_step_and_leaves_the_checkpoint},
        {"patience ends a training", patience_ends_a_training_that_no_longer_improves},
        {"options say what is wrong with them", options_say_what_is_wrong_with_them},
        {"model options survive a resolved study", model_options_stand_beside_common_ones_and_survive_a_resolved_study},
        {"a task names what cannot be learnt", a_task_names_what_cannot_be_learnt},
        {"normalisers come from the training split alone", normalisers_come_from_the_training_split_alone}};
    static const check_entry killing[] = {
        {"killed trainings resume to the same bits", killed_trainings_resume_to_the_same_bits}};
    if (n_arguments == 3 && !strcmp(arguments[1], "--child")) return child_main(arguments[2]);
    program = arguments[0];
    if (n_arguments == 2 && !strcmp(arguments[1], "--kill")) return check_run_ranks("killed training", killing, 1);
    return check_run_ranks("training", entries, (int)(sizeof entries / sizeof *entries));
}
