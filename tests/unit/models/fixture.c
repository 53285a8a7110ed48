/* SPDX-License-Identifier: BSD-3-Clause */
/* fixture.c - see fixture.h. Faults of the fixture itself end the program: it proves nothing then. */
#include "tests/unit/models/fixture.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/random.h"

#define MUST(call)                                                               \
    do {                                                                         \
        locum_status must_ = (call);                                             \
        if (must_) {                                                             \
            fprintf(stderr, "fixture: %s: %s\n", #call, locum_status_message()); \
            abort();                                                             \
        }                                                                        \
    } while (0)

static const double rows_axis[5] = {0, 0.25, 0.5, 0.75, 1}, k_axis[7] = {1, 2, 3, 4, 5, 6, 7};

static void *zeros(size_t n, size_t size)
{
    void *p = calloc(n ? n : 1, size);
    if (!p) abort();
    return p;
}

static void channel(locum_channel *c, const char *name, int64_t extent, locum_transform transform, double mean,
                    double scale)
{
    snprintf(c->name, sizeof c->name, "%s", name);
    snprintf(c->unit, sizeof c->unit, "1");
    snprintf(c->text, sizeof c->text, "the %s of a test", name);
    c->extent = extent;
    c->n_dims = extent > 1;
    c->dims[0] = extent;
    c->transform = transform;
    c->floor = 1e-7;
    c->mean = zeros((size_t)extent, sizeof(double));
    c->scale = zeros((size_t)extent, sizeof(double));
    for (int64_t j = 0; j < extent; j++) { /* as the float32 values of the file */
        c->mean[j] = (double)(float)(mean - 0.3 * (double)j);
        c->scale[j] = (double)(float)(scale + 0.01 * (double)j);
    }
}

static locum_task *make_task(int members)
{
    locum_task *task = zeros(1, sizeof *task);
    *task = (locum_task){.n_inputs = 2, .n_outputs = 4, .n_x = FIXTURE_X, .n_z = FIXTURE_Z, .members = members};
    task->inputs = zeros(2, sizeof(locum_channel));
    task->outputs = zeros(4, sizeof(locum_channel));
    channel(&task->inputs[0], "viscosity", 1, LOCUM_LOG, -4, 1.0);
    channel(&task->inputs[1], "drag", 1, LOCUM_LINEAR, 0.2, 0.07);
    task->inputs[0].lower = 4e-3;
    task->inputs[0].upper = 1e-1;
    task->inputs[1].lower = 0.05;
    task->inputs[1].upper = 0.3;
    channel(&task->outputs[0], "energy", 1, LOCUM_LOG, -1, 0.5);
    channel(&task->outputs[1], "torque", 1, LOCUM_LINEAR, 3, 2);
    channel(&task->outputs[2], "profile", 5, LOCUM_LINEAR, 0, 1);
    channel(&task->outputs[3], "spectrum", 7, LOCUM_LOG_SHARE, -3, 0.8);
    task->outputs[2].axis[0] = rows_axis;
    task->outputs[3].axis[0] = k_axis;
    snprintf(task->outputs[2].axis_name[0], 16, "y");
    snprintf(task->outputs[3].axis_name[0], 16, "k");
    return task;
}

static void set_option(fixture *f, const char *name, int32_t value)
{
    for (const locum_option *o = locum_model_mlp.options; o->type != LOCUM_END; o++)
        if (!strcmp(o->name, name)) memcpy((char *)f->config + o->place, &value, sizeof value);
}

/* --- tensors ------------------------------------------------------------------------------------------------------ */
static fixture_tensor *add(fixture *f, const char *name, locum_number number, int n_dims, const int64_t *dims)
{
    fixture_tensor *t = &f->tensors[f->n_tensors++];
    if (f->n_tensors > FIXTURE_TENSORS_MAX) abort();
    *t = (fixture_tensor){.number = number, .n_dims = n_dims, .n = 1};
    snprintf(t->name, sizeof t->name, "%s", name);
    for (int d = 0; d < n_dims; d++) t->n *= t->dims[d] = dims[d];
    t->values = zeros((size_t)t->n, sizeof(double));
    t->floats = zeros((size_t)t->n, sizeof(float));
    return t;
}

static void settle(fixture_tensor *t)
{
    for (int64_t i = 0; i < t->n; i++) {
        t->floats[i] = (float)t->values[i];
        if (t->number == LOCUM_REAL32) t->values[i] = (double)t->floats[i];
    }
}

static void fill_special(const fixture *f, fixture_tensor *t)
{
    int64_t at = 0;
    for (int i = 0; i < f->task->n_inputs; i++) {
        if (!strcmp(t->name, "normal/x/mean")) t->values[i] = f->task->inputs[i].mean[0];
        if (!strcmp(t->name, "normal/x/rate")) t->values[i] = 1 / f->task->inputs[i].scale[0];
    }
    for (int i = 0; i < f->task->n_outputs; i++)
        for (int64_t j = 0; j < f->task->outputs[i].extent; j++, at++) {
            if (!strcmp(t->name, "normal/z/mean")) t->values[at] = f->task->outputs[i].mean[j];
            if (!strcmp(t->name, "normal/z/scale")) t->values[at] = f->task->outputs[i].scale[j];
            if (!strcmp(t->name, "trust/sigma")) t->values[at] = 0.1 + 0.01 * (double)at;
        }
    if (!strcmp(t->name, "trust/feature_map"))
        for (int64_t j = 0; j < t->dims[1]; j++) t->values[j * t->dims[1] + j] = 2;
}

static void fill_weights(fixture_tensor *t, uint64_t seed)
{
    double z[2], gain = t->n_dims == 3 ? 1.2 / sqrt((double)t->dims[1]) : 0.3;
    for (int64_t i = 0; i < t->n; i++) {
        locum_random_normal(seed, LOCUM_STREAM_TEST, (uint64_t)i, z);
        t->values[i] = gain * z[0];
    }
}

static void collect(fixture *f, const locum_graph *graph, uint64_t seed)
{
    for (locum_id id = 1; id <= locum_graph_n(graph); id++) {
        const locum_node *node = locum_graph_node(graph, id);
        const char *name = locum_graph_name(graph, id);
        if (node->op != LOCUM_OP_parameter || fixture_find(f, name)) continue;
        fixture_tensor *t = add(f, name, LOCUM_REAL32, node->n_dims, node->dims);
        bool special = !strncmp(name, "normal/", 7) || !strncmp(name, "trust/", 6);
        if (special)
            fill_special(f, t);
        else
            fill_weights(t, seed + (uint64_t)f->n_tensors);
        settle(t);
    }
}

static void add_tables(fixture *f)
{
    static const char *const names[] = {"trust/scores", "trust/distances", "trust/spreads"};
    int64_t n = FIXTURE_CALIBRATION;
    for (int i = 0; i < 3; i++) {
        fixture_tensor *t = add(f, names[i], LOCUM_REAL64, 1, &n);
        for (int64_t j = 0; j < n; j++) t->values[j] = (i ? 1 : 0.1) * (double)(j + 1);
    }
}

fixture *fixture_create(int members, int layers, int width, uint64_t seed)
{
    fixture *f = zeros(1, sizeof *f);
    f->task = make_task(members);
    set_option(f, "layers", layers);
    set_option(f, "width", width);
    f->n_features = width;
    MUST(locum_model_predict_graph(&locum_model_mlp, f->config, f->task, &f->predict));
    MUST(locum_model_interval_graph(&locum_model_mlp, f->config, f->task, &f->interval));
    collect(f, f->predict, seed);
    collect(f, f->interval, seed);
    add_tables(f);
    return f;
}

void fixture_destroy(fixture *f)
{
    for (int i = 0; i < f->n_tensors; i++) {
        free(f->tensors[i].values);
        free(f->tensors[i].floats);
    }
    locum_graph_destroy(f->predict);
    locum_graph_destroy(f->interval);
    locum_task_destroy(f->task);
    free(f);
}

fixture_tensor *fixture_find(fixture *f, const char *name)
{
    for (int i = 0; i < f->n_tensors; i++)
        if (!strcmp(f->tensors[i].name, name)) return &f->tensors[i];
    return NULL;
}

const double *fixture_value(void *self, const char *name)
{
    fixture_tensor *t = fixture_find(self, name);
    return t ? t->values : NULL;
}

void fixture_input(uint64_t index, double values[FIXTURE_X])
{
    double u[2];
    locum_random_uniform(77, LOCUM_STREAM_TEST, index, u);
    values[0] = 4e-3 * pow(25, u[0]);
    values[1] = 0.05 + 0.25 * u[1];
}

/* --- the file ----------------------------------------------------------------------------------------------------- */
void fixture_ports(const fixture *f, bool inputs, locum_text *out)
{
    if (inputs)
        locum_task_write_ports(f->task->n_inputs, f->task->inputs, out);
    else
        locum_task_write_ports(f->task->n_outputs, f->task->outputs, out);
}

void fixture_write_with(const fixture *f, const char *predict, const char *interval, const char *inputs,
                        const char *outputs, locum_text *out)
{
    locum_tensor tensors[FIXTURE_TENSORS_MAX];
    locum_metadata metadata[] = {{"task", "map"},      {"study", "test: 1\n"},     {"inputs", inputs},
                                 {"outputs", outputs}, {"graph/predict", predict}, {"graph/interval", interval}};
    for (int i = 0; i < f->n_tensors; i++) {
        const fixture_tensor *t = &f->tensors[i];
        tensors[i] = (locum_tensor){.name = t->name, .number = t->number, .n_dims = t->n_dims};
        memcpy(tensors[i].dims, t->dims, sizeof t->dims);
        tensors[i].data = t->number == LOCUM_REAL64 ? (const void *)t->values : (const void *)t->floats;
    }
    MUST(locum_file_write(interval ? 6 : 5, metadata, f->n_tensors, tensors, out));
}

void fixture_write(const fixture *f, locum_text *out)
{
    locum_text predict = {0}, interval = {0}, inputs = {0}, outputs = {0};
    locum_graph_write(f->predict, &predict);
    locum_graph_write(f->interval, &interval);
    fixture_ports(f, true, &inputs);
    fixture_ports(f, false, &outputs);
    fixture_write_with(f, predict.data, interval.data, inputs.data, outputs.data, out);
    locum_text_free(&predict);
    locum_text_free(&interval);
    locum_text_free(&inputs);
    locum_text_free(&outputs);
}
