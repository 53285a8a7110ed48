/* SPDX-License-Identifier: BSD-3-Clause */
/* export.c - from trained weights to a model file that was opened again and found to predict the same.
 *
 *     best weights + normalisers + trust tables -> graphs predict and interval -> file
 *     file -> locum_model_read -> locum_eval: compared with the network, row by row */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/hash.h"
#include "core/memory.h"
#include "core/study/commit.h"
#include "locum/model.h"
#include "surrogate/train/internal.h"

#define METADATA_MAX 24

typedef struct sheet {
    const train_export *export;
    locum_trust_tables tables;
    int n_tensors, n_metadata;
    locum_tensor tensors[TRAIN_TENSORS_MAX];
    float *owned[TRAIN_TENSORS_MAX]; /* float32 copies behind tensors */
    locum_metadata metadata[METADATA_MAX];
    locum_text texts[METADATA_MAX];
    locum_status status;
} sheet;

/* --- tensors ------------------------------------------------------------------------------------------------------ */
static locum_tensor *new_tensor(sheet *s, const char *name, locum_number number, int n_dims, const int64_t *dims)
{
    if (s->n_tensors == TRAIN_TENSORS_MAX && !s->status)
        s->status = LOCUM_FAIL(LOCUM_INTERNAL, "a model file of more than %d tensors", TRAIN_TENSORS_MAX);
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

enum { MEAN, SCALE, RATE };

/* one statistic of channels, `repeats` times over */
static void add_normaliser(sheet *s, const char *name, int n, const locum_channel *channels, int repeats, int what)
{
    int64_t width = 0, at = 0;
    double *values = NULL;
    for (int i = 0; i < n; i++) width += locum_channel_statistics(&channels[i]);
    width *= repeats;
    if (!width) return;
    if (!s->status) s->status = LOCUM_NEW(&values, width);
    for (int r = 0; r < repeats && !s->status; r++)
        for (int i = 0; i < n; i++)
            for (int64_t j = 0; j < locum_channel_statistics(&channels[i]); j++)
                values[at++] = what == MEAN    ? channels[i].mean[j]
                               : what == SCALE ? channels[i].scale[j]
                                               : 1 / channels[i].scale[j];
    if (!s->status) add_floats(s, name, 1, &width, values);
    free(values);
}

static void add_normalisers(sheet *s)
{
    const locum_task *task = s->export->task;
    int n_values = locum_task_n_values(task), n_fields = task->n_inputs - n_values;
    const locum_channel *fields = task->inputs + n_values;
    add_normaliser(s, "normal/x/mean", n_values, task->inputs, 1, MEAN);
    add_normaliser(s, "normal/x/rate", n_values, task->inputs, 1, RATE);
    add_normaliser(s, "normal/fields/mean", n_fields, fields, task->history, MEAN);
    add_normaliser(s, "normal/fields/rate", n_fields, fields, task->history, RATE);
    add_normaliser(s, "normal/z/mean", task->n_outputs, task->outputs, 1, MEAN);
    add_normaliser(s, "normal/z/scale", task->n_outputs, task->outputs, 1, SCALE);
}

static void add_sigma(sheet *s)
{
    const locum_task *task = s->export->task;
    int64_t dims[LOCUM_DIMS_MAX] = {s->tables.n_sigma};
    int n = 1;
    if (task->n_axes && task->kind == LOCUM_TASK_MAP) {
        for (n = 0; n < task->n_axes; n++) dims[n] = task->grid[n];
        dims[n++] = task->out_channels;
    }
    add_floats(s, "trust/sigma", n, dims, s->tables.sigma);
}

static void add_tensors(sheet *s)
{
    const locum_trust_tables *t = &s->tables;
    int64_t map_dims[3] = {1, t->n_features, t->n_features}, one = 1;
    add_weights(s);
    add_normalisers(s);
    add_sigma(s);
    add_floats(s, "trust/feature_mean", 1, &t->n_features, t->feature_mean);
    add_floats(s, "trust/feature_map", 3, map_dims, t->feature_map);
    add_table(s, "trust/scores", t->n, t->scores);
    add_table(s, "trust/distances", t->n, t->distances);
    add_table(s, "trust/spreads", t->n, t->spreads);
    if (!s->export->task->n_axes) return;
    add_floats(s, "trust/energy_mean", 1, &one, &t->energy_mean);
    add_floats(s, "trust/energy_rate", 1, &one, &t->energy_rate);
    add_table(s, "trust/energies", t->n, t->energies);
    if (t->divergences) add_table(s, "trust/divergences", t->n, t->divergences);
    if (s->export->task->kind == LOCUM_TASK_STEP) add_table(s, "trust/growth", t->leads, t->growth);
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
    locum_graph *graph = NULL;
    LOCUM_TRY(locum_model_predict_graph(surrogate->type, surrogate->model_config, e->task, &graph));
    locum_graph_write(graph, new_text(s, "graph/predict"));
    locum_graph_destroy(graph);
    LOCUM_TRY(locum_model_interval_graph(surrogate->type, surrogate->model_config, e->task, &graph));
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
    bool step = e->task->kind == LOCUM_TASK_STEP;
    locum_text_add(new_text(s, "task"), "%s", step ? "step" : "map");
    if (step) {
        locum_text_json_number(new_text(s, "interval"), e->task->interval);
        locum_text_add(new_text(s, "history"), "%d", e->task->history);
        locum_text_add(new_text(s, "leads"), "%" PRId64, s->tables.leads);
    }
    locum_text_add(new_text(s, "name"), "%s", e->call->surrogate->name);
    locum_text_add(new_text(s, "model"), "%s", e->call->surrogate->type->name);
    locum_study_write(e->call->study, new_text(s, "study"));
    locum_task_write_ports(e->task->n_inputs, e->task->inputs, new_text(s, "inputs"));
    locum_task_write_ports(e->task->n_outputs, e->task->outputs, new_text(s, "outputs"));
    locum_text_add(new_text(s, "provenance"), "{%s}", e->call->provenance ? e->call->provenance : "");
    locum_text_add(new_text(s, "train_hash"), "%s", hash);
    locum_text_add(new_text(s, "training_samples"), "%" PRId64, locum_train_data_samples(e->data, LOCUM_TRAIN));
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

locum_status locum_train_export(const train_export *export)
{
    sheet *s = NULL;
    LOCUM_TRY(LOCUM_NEW(&s, 1));
    s->export = export;
    bool fields = export->task->n_axes > 0;
    locum_status st = (fields ? locum_train_calibrate_fields : locum_train_calibrate_values)(export, &s->tables);
    if (!st) st = write_file(s);
    if (!st) st = (fields ? locum_train_verify_fields : locum_train_verify_values)(export);
    for (int i = 0; i < s->n_tensors; i++) free(s->owned[i]);
    for (int i = 0; i < s->n_metadata; i++) locum_text_free(&s->texts[i]);
    locum_trust_tables_free(&s->tables);
    free(s);
    return st;
}
