/* SPDX-License-Identifier: BSD-3-Clause */
/* test_fields.c - steps and maps of fields are learnt; their model files say the same; loss and gradient of a roll-out are
 * those of a hand-made one; stopped trainings end in the same bits, from memory or from the file; what cannot be trained
 * says so. */
#include <stdlib.h>
#include <string.h>

#include "core/study/commit.h"
#include "locum/model.h"
#include "surrogate/train/internal.h"
#include "tests/unit/parallel/mpi_main.h"
#include "tests/unit/train/fields.h"

static const int64_t counts[4] = {12, 4, 8, 2};
enum { FRAMES = 7 };
static char dataset_folder[LOCUM_PATH_SIZE];

static const char *dataset(void)
{
    if (!dataset_folder[0]) {
        training_folder(MPI_COMM_SELF, "waves", dataset_folder);
        fields_dataset(MPI_COMM_SELF, dataset_folder, counts, FRAMES);
    }
    return dataset_folder;
}

static locum_status train_waves(const char *surrogate, const char *train, const locum_model_type *type,
                                const char *folder, locum_watch *watch, locum_train_result *result)
{
    field_training f;
    locum_status st = field_training_create(surrogate, train, type, dataset(), folder, MPI_COMM_SELF, &f);
    f.t.call.watch = watch;
    if (!st) st = locum_train(&f.t.call, result);
    field_training_destroy(&f);
    return st;
}

static void model_of(const char *folder, char path[LOCUM_PATH_SIZE])
{
    if (snprintf(path, LOCUM_PATH_SIZE, "%s/model.safetensors", folder) >= LOCUM_PATH_SIZE) abort();
}

/* --- examples ----------------------------------------------------------------------------------------------------- */
static void examples_are_the_frames_of_the_dataset(void)
{
    static const char *const outputs[] = {"vorticity", "velocity"};
    static float fields[FIELDS_POINTS * 6], target[2 * FIELDS_POINTS * 3], block[FIELDS_POINTS * 3];
    locum_dataset *d = NULL;
    locum_examples *e[2] = {NULL, NULL};
    locum_examples_request request = {
        .step = true, .history = 2, .rollout = 2, .n_outputs = 2, .outputs = outputs, .memory = 1 << 20};
    CHECK_OK(locum_dataset_open(dataset(), &d));
    CHECK_OK(locum_examples_create(d, &request, &e[0]));
    request.memory = 0; /* read again each time */
    CHECK_OK(locum_examples_create(d, &request, &e[1]));
    CU_ASSERT_TRUE_FATAL(e[0] && e[1]);
    CU_ASSERT_EQUAL(e[0]->hash, e[1]->hash);
    CU_ASSERT_TRUE(e[0]->n[LOCUM_TRAIN] == 12 * (FRAMES - 3) && e[0]->n_samples[LOCUM_TEST] == 2);
    CU_ASSERT_TRUE(e[0]->out_channels == 3 && e[0]->points == FIELDS_POINTS && e[0]->periodic);
    CHECK_CLOSE(e[0]->interval, 0.5, 1e-12);
    /* components of the velocity share one scale; the mean square change of the vorticity is what the waves give */
    CU_ASSERT_TRUE(e[0]->outputs[1].scale[0] == e[0]->outputs[1].scale[1]);
    const locum_field *w = &e[0]->outputs[0];
    double sum = 0, square = 0, change = 0, n = 12.0 * FRAMES * FIELDS_POINTS;
    for (int s = 0; s < 12; s++)
        for (int t = 0; t < FRAMES; t++)
            for (int p = 0; p < FIELDS_POINTS; p++) {
                double x = fields_strength(s) * fields_wave(s, p / FIELDS_Y - t, p % FIELDS_Y),
                       y = fields_strength(s) * fields_wave(s, p / FIELDS_Y - t + 1, p % FIELDS_Y);
                sum += x;
                square += x * x;
                change += t ? (x - y) * (x - y) : 0;
            }
    /* float32 in the file: 6e-8 of values up to 24 */
    CHECK_CLOSE(w->mean[0], sum / n, 1e-6);
    CHECK_CLOSE(w->scale[0], sqrt(square / n - sum * sum / n / n), 1e-6);
    CHECK_CLOSE(e[0]->change[0] * w->scale[0], sqrt(change / (n * (FRAMES - 1) / FRAMES)), 1e-6);
    /* example 5: sample 1, frames 1, 2 -> 3, 4 */
    for (int k = 0; k < 2; k++) {
        double strength = 0;
        CHECK_OK(locum_examples_read(e[k], LOCUM_TRAIN, 5, &strength, fields, target));
        CHECK_CLOSE(strength, fields_strength(1), 0);
        for (int p = 0; p < FIELDS_POINTS; p++)
            for (int h = 0; h < 2; h++) {
                double x = fields_strength(1) * fields_wave(1, p / FIELDS_Y - 1 - h, p % FIELDS_Y),
                       y = fields_strength(1) * fields_wave(1, p / FIELDS_Y - 3 - h, p % FIELDS_Y);
                CHECK_CLOSE((double)fields[p * 6 + 3 * h], (x - w->mean[0]) / w->scale[0], 1e-6);
                CHECK_CLOSE((double)target[(h * FIELDS_POINTS + p) * 3], (y - w->mean[0]) / w->scale[0], 1e-6);
            }
        CHECK_OK(locum_examples_frame(e[k], LOCUM_TRAIN, 1, 3, block));
        CU_ASSERT_TRUE(!memcmp(block, target, sizeof block));
    }
    locum_examples_destroy(e[0]);
    locum_examples_destroy(e[1]);
    locum_dataset_close(d);
}

static void examples_name_what_does_not_fit(void)
{
    static const char *const none[] = {"pressure"}, *const global[] = {"energy"}, *const twice[] = {"velocity", "velocity"};
    const struct {
        locum_examples_request request;
        const char *word;
    } cases[] = {{{.step = true, .history = 1, .rollout = 1, .n_outputs = 1, .outputs = none}, "vorticity, velocity"},
                 {{.step = true, .history = 1, .rollout = 1, .n_outputs = 1, .outputs = global}, "no grid under"},
                 {{.step = true, .history = 1, .rollout = 1, .n_outputs = 2, .outputs = twice}, "twice"},
                 {{.step = true, .history = 5, .rollout = 4, .n_outputs = 1, .outputs = twice}, "at least 9"}};
    locum_dataset *d = NULL;
    locum_examples *e = NULL;
    CHECK_OK(locum_dataset_open(dataset(), &d));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CHECK_FAILS(locum_examples_create(d, &cases[i].request, &e), LOCUM_STUDY);
        CU_ASSERT_PTR_NOT_NULL(strstr(locum_status_message(), cases[i].word));
    }
    locum_dataset_close(d);
}

/* --- learning ----------------------------------------------------------------------------------------------------- */
/* largest difference of a model's step from the truth, over the scale of the truth, and the flags of it */
static double step_error(const char *path, int64_t sample)
{
    double strength = fields_strength(sample), off = 0, largest = 0;
    static float now[FIELDS_POINTS], next[FIELDS_POINTS];
    locum_model *model = NULL;
    locum_context *context = NULL;
    char message[300];
    for (int p = 0; p < FIELDS_POINTS; p++) now[p] = (float)(strength * fields_wave(sample, p / FIELDS_Y, p % FIELDS_Y));
    CHECK_OK(locum_model_read(path, NULL, &model, message, sizeof message));
    CU_ASSERT_TRUE_FATAL(model != NULL);
    size_t bytes = locum_model_workspace(model, 1);
    void *memory = malloc(bytes);
    CHECK_OK(locum_model_prepare(model, 1, memory, bytes, &context));
    locum_buffer in[] = {{&strength, LOCUM_FLOAT64, 1, 1}, {now, LOCUM_FLOAT32, FIELDS_POINTS, 1}},
                 out = {next, LOCUM_FLOAT32, FIELDS_POINTS, 1};
    CHECK_OK(locum_eval(context, 1, in, &out, NULL));
    for (int p = 0; p < FIELDS_POINTS; p++) {
        double truth = strength * fields_wave(sample, p / FIELDS_Y - 1, p % FIELDS_Y);
        off = fmax(off, fabs((double)next[p] - truth));
        largest = fmax(largest, fabs(truth));
    }
    free(memory);
    locum_model_close(model);
    return off / largest;
}

#define EXACT_TRAIN "epochs: 300, batch: 8, learning_rate: 0.05, final_learning_rate: 1e-7, weight_decay: 0, validate_every: 50"

static void a_step_that_is_linear_is_learnt_to_round_off(void)
{
    char folder[LOCUM_PATH_SIZE], path[LOCUM_PATH_SIZE];
    locum_train_result result;
    training_folder(MPI_COMM_SELF, "exact", folder);
    CHECK_OK(train_waves("model: fno, task: step, outputs: [vorticity]", EXACT_TRAIN, &fields_stencil, folder, NULL,
                         &result));
    model_of(folder, path);
    printf("\n    error of six steps %.2g, of one step %.2g, %.2f s", result.validation_error, step_error(path, 20),
           result.seconds);
    CU_ASSERT_TRUE(result.validation_error < 2e-5); /* weights end within rate 1e-7 of the optimum; six steps add up */
    CU_ASSERT_TRUE(step_error(path, 20) < 1e-5);    /* a sample that training never saw */
    locum_model *model = NULL;
    CHECK_OK(locum_model_read(path, NULL, &model, NULL, 0));
    CU_ASSERT_STRING_EQUAL(locum_model_metadata(model, "task"), "step");
    CU_ASSERT_STRING_EQUAL(locum_model_metadata(model, "history"), "1");
    CU_ASSERT_STRING_EQUAL(locum_model_metadata(model, "leads"), "6");
    CU_ASSERT_EQUAL(locum_model_n_calibration(model), 8);
    locum_model_close(model);
    CHECK_OK(locum_remove_tree(folder));
}

static void a_fourier_network_learns_the_step_with_history_and_members(void)
{
    char folder[LOCUM_PATH_SIZE];
    locum_train_result result;
    training_folder(MPI_COMM_SELF, "fno", folder);
    CHECK_OK(train_waves("model: fno, task: step, outputs: [velocity], history: 2, modes: 3, width: 8, layers: 2, head: "
                         "16, divergence_free: true",
                         "epochs: 60, batch: 12, ensemble: 2, learning_rate: 5e-3, rollout: 2, noise: 0.01, "
                         "validate_every: 20, leads: 3, curve: [0.5]",
                         NULL, folder, NULL, &result));
    printf("\n    error of three steps %.3g, %.2f s", result.validation_error, result.seconds);
    /* a frame that stays is off by 1.1; a network that has learnt nothing more than the sign by more than 0.5 */
    CU_ASSERT_TRUE(result.validation_error < 0.3);
    CHECK_OK(locum_remove_tree(folder));
}

static void a_map_from_fields_is_learnt(void)
{
    char folder[LOCUM_PATH_SIZE], path[LOCUM_PATH_SIZE];
    locum_train_result result;
    locum_model *model = NULL;
    training_folder(MPI_COMM_SELF, "map", folder);
    CHECK_OK(train_waves("model: fno, outputs: [vorticity], modes: 3, width: 8, layers: 2, head: 16",
                         "epochs: 200, batch: 6, learning_rate: 1e-2", NULL, folder, NULL, &result));
    printf("\n    error %.3g, %.2f s", result.validation_error, result.seconds);
    CU_ASSERT_TRUE(result.validation_error < 0.3); /* last frame from the coefficient and the strength; the mean gives 1 */
    model_of(folder, path);
    CHECK_OK(locum_model_read(path, NULL, &model, NULL, 0));
    CU_ASSERT_TRUE_FATAL(model != NULL);
    CU_ASSERT_EQUAL(locum_model_n_inputs(model), 2);
    CU_ASSERT_STRING_EQUAL(locum_model_input(model, 1)->name, "coefficient");
    CU_ASSERT_TRUE(locum_model_output(model, 0)->n_dims == 2 && locum_model_output(model, 0)->extent == FIELDS_POINTS);
    locum_model_close(model);
    CHECK_OK(locum_remove_tree(folder));
}

int main(void)
{
    static const check_entry entries[] = {
        {"examples are the frames of the dataset", examples_are_the_frames_of_the_dataset},
        {"examples name what does not fit", examples_name_what_does_not_fit},
        {"a linear step is learnt to round-off", a_step_that_is_linear_is_learnt_to_round_off},
        {"fno learns a step", a_fourier_network_learns_the_step_with_history_and_members},
        {"fno learns a map from fields", a_map_from_fields_is_learnt},
    };
    int code = check_run_ranks("fields", entries, (int)(sizeof entries / sizeof *entries));
    if (dataset_folder[0] && locum_remove_tree(dataset_folder)) return 1;
    return code;
}
