/* SPDX-License-Identifier: BSD-3-Clause */
/* export.c - from trained weights to a model file that was opened again and found to predict the same.
 *
 *     best weights + normalisers + trust tables -> graphs predict and interval -> file
 *     file -> locum_model_read -> locum_eval: compared with the network, row by row */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/hash.h"
#include "core/memory.h"
#include "core/study/commit.h"
#include "locum/model.h"
#include "surrogate/train/internal.h"

#define TENSORS_MAX 512
#define METADATA_MAX 16
#define CHECKED_ROWS 64

typedef struct sheet {
    const train_export *export;
    locum_trust_tables tables;
    int n_tensors, n_metadata;
    locum_tensor tensors[TENSORS_MAX];
    float *owned[TENSORS_MAX]; /* float32 copies behind tensors */
    locum_metadata metadata[METADATA_MAX];
    locum_text texts[METADATA_MAX];
    locum_status status;
} sheet;

/* --- calibration -------------------------------------------------------------------------------------------------- */
static locum_status evaluate(void *self, int64_t n, const double *x, double *mean, double *deviation, double *features)
{
    const train_export *e = self;
    locum_train_network_forward(e->network, e->state->best, n, x, mean, deviation, features);
    return LOCUM_OK;
}

/* training and validation rows together */
static locum_status join(const train_data *data, double *const *parts, int64_t width, double **rows)
{
    int64_t a = data->n[LOCUM_TRAIN] * width, b = data->n[LOCUM_VALIDATION] * width;
    LOCUM_TRY(LOCUM_NEW(rows, a + b));
    if (a) memcpy(*rows, parts[LOCUM_TRAIN], (size_t)a * sizeof **rows);
    if (b) memcpy(*rows + a, parts[LOCUM_VALIDATION], (size_t)b * sizeof **rows);
    return LOCUM_OK;
}

static locum_status calibrate(sheet *s)
{
    const train_export *e = s->export;
    const train_data *data = e->data;
    double *x = NULL, *z = NULL;
    union {
        const void *read;
        void *self;
    } p = {e};
    locum_status st = join(data, data->x, e->task->n_x, &x);
    if (!st) st = join(data, data->z, e->task->n_z, &z);
    if (!st)
        st = locum_calibrate(e->task, e->network->n_features, evaluate, p.self,
                             data->n[LOCUM_TRAIN] + data->n[LOCUM_VALIDATION], x, z, data->n[LOCUM_CALIBRATION],
                             data->x[LOCUM_CALIBRATION], data->z[LOCUM_CALIBRATION], &s->tables);
    free(x);
    free(z);
    return st;
}

/* --- tensors ------------------------------------------------------------------------------------------------------ */
static locum_tensor *new_tensor(sheet *s, const char *name, locum_number number, int n_dims, const int64_t *dims)
{
    if (s->n_tensors == TENSORS_MAX && !s->status)
        s->status = LOCUM_FAIL(LOCUM_NOT_BUILT, "a model file of more than %d tensors is not built", TENSORS_MAX);
    if (s->status) return NULL;
    locum_tensor *t = &s->tensors[s->n_tensors++];
    *t = (locum_tensor){.name = name, .number = number, .n_dims = n_dims};
    memcpy(t->dims, dims, (size_t)n_dims * sizeof *dims);
    return t;
}

static void add_floats(sheet *s, const char *name, int n_dims, const int64_t *dims, const double *values)
{
    locum_tensor *t = new_tensor(s, name, LOCUM_REAL32, n_dims, dims);
    if (!t) return;
    int64_t n = locum_tensor_count(t);
    float **copy = &s->owned[s->n_tensors - 1];
    s->status = LOCUM_NEW(copy, n);
    for (int64_t i = 0; i < n && !s->status; i++) (*copy)[i] = (float)values[i];
    t->data = *copy;
}

static void add_table(sheet *s, const char *name, int64_t n, const double *values)
{
    locum_tensor *t = n ? new_tensor(s, name, LOCUM_REAL64, 1, &n) : NULL;
    if (t) t->data = values;
}

static void add_weights(sheet *s)
{
    const train_network *net = s->export->network;
    for (int i = 0; i < net->n_slots; i++) {
        const train_slot *slot = &net->slots[i];
        locum_tensor *t = new_tensor(s, slot->name, LOCUM_REAL32, slot->n_dims, slot->dims);
        if (t) t->data = s->export->state->best + slot->first;
    }
}

enum { INPUT_MEAN, INPUT_RATE, OUTPUT_MEAN, OUTPUT_SCALE };

static void add_normaliser(sheet *s, const char *name, int what)
{
    const locum_task *task = s->export->task;
    bool input = what == INPUT_MEAN || what == INPUT_RATE;
    int64_t n = input ? task->n_x : task->n_z, at = 0;
    double *values = NULL;
    if (!s->status) s->status = LOCUM_NEW(&values, n);
    for (int i = 0; i < (input ? task->n_inputs : task->n_outputs) && !s->status; i++) {
        const locum_channel *c = input ? &task->inputs[i] : &task->outputs[i];
        for (int64_t j = 0; j < c->extent; j++)
            values[at++] = what == INPUT_MEAN || what == OUTPUT_MEAN ? c->mean[j]
                           : what == INPUT_RATE                      ? 1 / c->scale[j]
                                                                     : c->scale[j];
    }
    if (!s->status) add_floats(s, name, 1, &n, values);
    free(values);
}

static void add_tensors(sheet *s)
{
    const locum_trust_tables *t = &s->tables;
    int64_t map_dims[3] = {1, t->n_features, t->n_features}, n_z = s->export->task->n_z;
    add_weights(s);
    add_normaliser(s, "normal/x/mean", INPUT_MEAN);
    add_normaliser(s, "normal/x/rate", INPUT_RATE);
    add_normaliser(s, "normal/z/mean", OUTPUT_MEAN);
    add_normaliser(s, "normal/z/scale", OUTPUT_SCALE);
    add_floats(s, "trust/sigma", 1, &n_z, t->sigma);
    add_floats(s, "trust/feature_mean", 1, &t->n_features, t->feature_mean);
    add_floats(s, "trust/feature_map", 3, map_dims, t->feature_map);
    add_table(s, "trust/scores", t->n, t->scores);
    add_table(s, "trust/distances", t->n, t->distances);
    add_table(s, "trust/spreads", t->n, t->spreads);
}

/* --- metadata ----------------------------------------------------------------------------------------------------- */
/* the text of a new entry; it is set when all texts are written */
static locum_text *new_text(sheet *s, const char *key)
{
    s->metadata[s->n_metadata].key = key;
    return &s->texts[s->n_metadata++];
}

static void write_transforms(int n, const locum_channel *channels, const locum_channel *outputs, locum_text *out)
{
    static const char *const names[] = {"linear", "log", "log_share"};
    for (int i = 0; i < n; i++) {
        const locum_channel *c = &channels[i];
        locum_text_add(out, "%s{\"name\":", i ? "," : "");
        locum_text_json_string(out, c->name);
        locum_text_add(out, ",\"transform\":\"%s\"", names[c->transform]);
        if (c->transform == LOCUM_LOG_SHARE) {
            locum_text_add(out, ",\"floor\":");
            locum_text_json_number(out, c->floor);
            locum_text_add(out, ",\"total\":");
            locum_text_json_string(out, outputs[c->total].name);
        }
        locum_text_add(out, "}");
    }
}

static locum_status add_graphs(sheet *s)
{
    const train_export *e = s->export;
    const locum_surrogate *surrogate = e->call->surrogate;
    locum_uncertainty uncertainty = {s->tables.sigma, s->tables.n_features, s->tables.feature_mean,
                                     s->tables.feature_map};
    locum_graph *graph = NULL;
    LOCUM_TRY(locum_model_predict_graph(surrogate->type, surrogate->model_config, e->task, &graph));
    locum_graph_write(graph, new_text(s, "graph/predict"));
    locum_graph_destroy(graph);
    LOCUM_TRY(locum_model_interval_graph(surrogate->type, surrogate->model_config, e->task, &uncertainty, &graph));
    locum_graph_write(graph, new_text(s, "graph/interval"));
    locum_graph_destroy(graph);
    return LOCUM_OK;
}

void locum_train_identity_text(const train_identity *identity, char text[LOCUM_HASH_TEXT_SIZE])
{
    uint64_t all[4] = {identity->table, identity->task, identity->graph, identity->recipe};
    locum_hash_text(locum_hash(all, sizeof all), text);
}

static void add_words(sheet *s)
{
    const train_export *e = s->export;
    char hash[LOCUM_HASH_TEXT_SIZE];
    locum_train_identity_text(e->identity, hash);
    locum_text_add(new_text(s, "task"), "map");
    locum_text_add(new_text(s, "model"), "%s", e->call->surrogate->type->name);
    locum_study_write(e->call->study, new_text(s, "study"));
    locum_task_write_ports(e->task->n_inputs, e->task->inputs, new_text(s, "inputs"));
    locum_task_write_ports(e->task->n_outputs, e->task->outputs, new_text(s, "outputs"));
    locum_text_add(new_text(s, "provenance"), "{%s}", e->call->provenance ? e->call->provenance : "");
    locum_text_add(new_text(s, "train_hash"), "%s", hash);
    locum_text_add(new_text(s, "training_samples"), "%" PRId64, e->data->n[LOCUM_TRAIN]);
    locum_text_json_number(new_text(s, "validation_error"), e->state->best_error);
    locum_text_add(new_text(s, "steps"), "%" PRId64, e->state->step);
    locum_text *transforms = new_text(s, "transforms");
    locum_text_add(transforms, "{\"inputs\":[");
    write_transforms(e->task->n_inputs, e->task->inputs, e->task->outputs, transforms);
    locum_text_add(transforms, "],\"outputs\":[");
    write_transforms(e->task->n_outputs, e->task->outputs, e->task->outputs, transforms);
    locum_text_add(transforms, "]}");
}

static locum_status write_file(sheet *s)
{
    locum_text file = {0};
    locum_status st = add_graphs(s);
    if (st) return st;
    add_words(s);
    add_tensors(s);
    st = s->status;
    for (int i = 0; i < s->n_metadata && !st; i++) {
        st = s->texts[i].status;
        s->metadata[i].value = s->texts[i].data ? s->texts[i].data : "";
    }
    if (!st) st = locum_file_write(s->n_metadata, s->metadata, s->n_tensors, s->tensors, &file);
    if (!st) st = locum_commit_bytes(s->export->path, file.data, file.size);
    locum_text_free(&file);
    return st;
}

/* --- the proof: the file predicts what was trained ---------------------------------------------------------------- */
/* both are float32 networks of the same weights; transforms in float32 lose a few ulp of the logarithm: 1e-4 leaves
 * room for |log y| ~ 100 */
#define AGREEMENT 1e-4

static locum_status compare(const train_export *e, int64_t rows, const double *z, const double *predicted)
{
    const locum_task *task = e->task;
    double *y = NULL;
    locum_status st = LOCUM_NEW(&y, task->n_z);
    for (int64_t r = 0; r < rows && !st; r++) {
        locum_task_physical_outputs(task, z + r * task->n_z, y);
        const double *truth = y, *got = predicted + r * task->n_z;
        for (int i = 0; i < task->n_outputs && !st; i++) {
            const locum_channel *c = &task->outputs[i];
            double largest = 0;
            for (int64_t j = 0; j < c->extent; j++)
                largest = fmax(largest, fabs(truth[j]) + (c->transform == LOCUM_LINEAR ? c->scale[j] : 0));
            for (int64_t j = 0; j < c->extent && !st; j++)
                if (!(fabs(got[j] - truth[j]) <= AGREEMENT * largest))
                    st = LOCUM_FAIL(LOCUM_INTERNAL, "%s predicts %g for `%s`, the trained network %g", e->path, got[j],
                                    c->name, truth[j]);
            truth += c->extent;
            got += c->extent;
        }
    }
    free(y);
    return st;
}

/* physical inputs of normalised rows, each port its own columns */
static void physical_inputs(const locum_task *task, int64_t rows, const double *x, double *values)
{
    for (int64_t r = 0; r < rows; r++)
        for (int i = 0, at = 0; i < task->n_inputs; i++)
            for (int64_t j = 0; j < task->inputs[i].extent; j++, at++) {
                double t = x[r * task->n_x + at] * task->inputs[i].scale[j] + task->inputs[i].mean[j];
                values[r * task->n_x + at] = task->inputs[i].transform == LOCUM_LOG ? exp(t) : t;
            }
}

static locum_status predict(const train_export *e, locum_context *context, int64_t rows, double *values,
                            double *predicted)
{
    const locum_task *task = e->task;
    locum_buffer inputs[64], outputs[64];
    int64_t at = 0;
    LOCUM_REQUIRE(task->n_inputs <= 64 && task->n_outputs <= 64, LOCUM_NOT_BUILT,
                  "more than 64 inputs or outputs are not built");
    for (int i = 0; i < task->n_inputs; at += task->inputs[i++].extent)
        inputs[i] = (locum_buffer){values + at, LOCUM_FLOAT64, task->n_x, 1};
    at = 0;
    for (int i = 0; i < task->n_outputs; at += task->outputs[i++].extent)
        outputs[i] = (locum_buffer){predicted + at, LOCUM_FLOAT64, task->n_z, 1};
    return locum_eval(context, rows, inputs, outputs, NULL);
}

static locum_status verify(const train_export *e)
{
    int64_t rows = e->data->n[LOCUM_TRAIN] < CHECKED_ROWS ? e->data->n[LOCUM_TRAIN] : CHECKED_ROWS;
    locum_model *model = NULL;
    locum_context *context = NULL;
    double *values = NULL, *predicted = NULL, *z = NULL;
    char *memory = NULL;
    locum_status st = locum_model_read(e->path, NULL, &model, NULL, 0);
    size_t bytes = st ? 0 : locum_model_workspace(model, rows);
    if (!st) st = locum_alloc(&memory, (int64_t)bytes, 1);
    if (!st) st = locum_model_prepare(model, rows, memory, bytes, &context);
    if (!st) st = LOCUM_NEW(&values, rows * e->task->n_x);
    if (!st) st = LOCUM_NEW(&predicted, rows * e->task->n_z);
    if (!st) st = LOCUM_NEW(&z, rows * e->task->n_z);
    if (!st) {
        physical_inputs(e->task, rows, e->data->x[LOCUM_TRAIN], values);
        locum_train_network_forward(e->network, e->state->best, rows, e->data->x[LOCUM_TRAIN], z, NULL, NULL);
        st = predict(e, context, rows, values, predicted);
    }
    if (!st) st = compare(e, rows, z, predicted);
    free(values);
    free(predicted);
    free(z);
    free(memory);
    locum_model_close(model);
    return st;
}

locum_status locum_train_export(const train_export *export)
{
    sheet *s = NULL;
    LOCUM_TRY(LOCUM_NEW(&s, 1));
    s->export = export;
    locum_status st = calibrate(s);
    if (!st) st = write_file(s);
    if (!st) st = verify(export);
    for (int i = 0; i < s->n_tensors; i++) free(s->owned[i]);
    for (int i = 0; i < s->n_metadata; i++) locum_text_free(&s->texts[i]);
    locum_trust_tables_free(&s->tables);
    free(s);
    return st;
}
