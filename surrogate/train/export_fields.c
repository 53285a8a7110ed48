/* SPDX-License-Identifier: BSD-3-Clause */
/* export_fields.c - networks of fields: calibration on roll-outs, and the proof that the file predicts as the network does. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "locum/model.h"
#include "surrogate/train/internal.h"

#define FITTED_MOST 256 /* samples of training, and of validation, that the residuals are measured on */
#define CHECKED_ROWS 2

/* --- calibration -------------------------------------------------------------------------------------------------- */
typedef struct source {
    const train_export *export;
    locum_take_frame take;
    void *taker;
    int64_t first; /* number of the first sample of the split at hand */
} source;

static int64_t at_most(int64_t n)
{
    return n < FITTED_MOST ? n : FITTED_MOST;
}

static locum_status take_numbered(void *self, const locum_field_frame *frame)
{
    source *s = self;
    locum_field_frame f = *frame;
    f.sample += s->first;
    return s->take(s->taker, &f);
}

static locum_status roll(source *s, locum_split split, int64_t n)
{
    const train_export *e = s->export;
    return locum_train_roll(&(train_roll_call){.network = e->network,
                                               .parameters = e->state->best,
                                               .data = e->data,
                                               .split = split,
                                               .n = n,
                                               .stride = 1,
                                               .leads = e->call->surrogate->train->leads,
                                               .self = s,
                                               .take = take_numbered});
}

static locum_status frames(void *self, bool calibration, locum_take_frame take, void *taker)
{
    source *s = self;
    const int64_t *n = s->export->data->examples->n_samples;
    s->take = take;
    s->taker = taker;
    s->first = 0;
    if (calibration) return roll(s, LOCUM_CALIBRATION, n[LOCUM_CALIBRATION]);
    LOCUM_TRY(roll(s, LOCUM_TRAIN, at_most(n[LOCUM_TRAIN])));
    s->first = at_most(n[LOCUM_TRAIN]);
    return roll(s, LOCUM_VALIDATION, at_most(n[LOCUM_VALIDATION]));
}

locum_status locum_train_calibrate_fields(const train_export *e, locum_trust_tables *tables)
{
    source s = {.export = e};
    const int64_t *n = e->data->examples->n_samples;
    locum_field_source from = {.self = &s,
                               .frames = frames,
                               .n_fitted = at_most(n[LOCUM_TRAIN]) + at_most(n[LOCUM_VALIDATION]),
                               .n_calibration = n[LOCUM_CALIBRATION],
                               .leads = locum_train_roll_leads(e->data, e->call->surrogate->train->leads),
                               .n_features = e->network->n_features};
    return locum_calibrate_fields(e->task, &from, tables);
}

/* --- the proof ---------------------------------------------------------------------------------------------------- */
/* both are float32 networks of the same weights; normalisation in float32 and physical units lose a few ulp, which a
 * network may enlarge */
#define AGREEMENT 1e-3

/* rows of examples as a host would give them, and what the network says */
typedef struct proof {
    const train_export *export;
    int64_t rows, points;
    double *values;                                                        /* [rows, n_x] */
    float *x, *fields, *z;                                                 /* normalised, of the network */
    double *ports[LOCUM_EXAMPLE_ARRAYS], *predicted[LOCUM_EXAMPLE_ARRAYS]; /* [rows, extent] */
} proof;

/* normalised [points, history * channels] of one field -> physical [history, points, components] */
static void physical_port(const proof *p, int64_t row, const locum_channel *c, int first, double *port)
{
    const locum_task *task = p->export->task;
    int64_t seen = (int64_t)task->history * task->in_channels;
    double *to = port + row * c->extent;
    for (int h = 0; h < task->history; h++)
        for (int64_t i = 0; i < p->points; i++)
            for (int k = 0; k < c->components; k++) {
                double z = (double)p->fields[(row * p->points + i) * seen + h * task->in_channels + first + k];
                *to++ = z * c->scale[k] + c->mean[k];
            }
}

static locum_status make_inputs(proof *p)
{
    const train_export *e = p->export;
    const locum_task *task = e->task;
    int n_values = locum_task_n_values(task);
    int64_t seen = p->points * task->history * task->in_channels;
    for (int64_t r = 0; r < p->rows; r++) {
        LOCUM_TRY(locum_examples_read(e->data->examples, LOCUM_TRAIN, r, p->values + r * task->n_x,
                                      seen ? p->fields + r * seen : NULL, NULL));
        locum_train_values(task, p->values + r * task->n_x, p->x + r * task->n_x);
    }
    for (int i = n_values, first = 0; i < task->n_inputs; first += task->inputs[i++].components) {
        LOCUM_TRY(LOCUM_NEW(&p->ports[i - n_values], p->rows * task->inputs[i].extent));
        for (int64_t r = 0; r < p->rows; r++) physical_port(p, r, &task->inputs[i], first, p->ports[i - n_values]);
    }
    for (int i = 0; i < task->n_outputs; i++) LOCUM_TRY(LOCUM_NEW(&p->predicted[i], p->rows * task->outputs[i].extent));
    return LOCUM_OK;
}

static locum_status ask_network(proof *p)
{
    const train_network *net = p->export->network;
    float *deviation = NULL, *features = NULL;
    locum_status st = LOCUM_NEW(&features, p->rows * net->n_features);
    if (!st) st = LOCUM_NEW(&deviation, p->rows * p->points * net->task->out_channels);
    if (!st)
        locum_train_network_frames(net, p->export->state->best, p->rows, p->x, p->fields, p->z, deviation, features);
    free(deviation);
    free(features);
    return st;
}

static locum_status ask_file(proof *p)
{
    const train_export *e = p->export;
    const locum_task *task = e->task;
    int n_values = locum_task_n_values(task);
    locum_buffer inputs[64], outputs[LOCUM_EXAMPLE_ARRAYS];
    locum_model *model = NULL;
    locum_context *context = NULL;
    char *memory = NULL;
    LOCUM_REQUIRE(task->n_inputs <= 64, LOCUM_NOT_BUILT, "more than 64 inputs are not built");
    for (int i = 0; i < task->n_inputs; i++)
        inputs[i] = i < n_values ? (locum_buffer){p->values + i, LOCUM_FLOAT64, task->n_x, 1}
                                 : (locum_buffer){p->ports[i - n_values], LOCUM_FLOAT64, task->inputs[i].extent, 1};
    for (int i = 0; i < task->n_outputs; i++)
        outputs[i] = (locum_buffer){p->predicted[i], LOCUM_FLOAT64, task->outputs[i].extent, 1};
    locum_status st = locum_model_read(e->path, NULL, &model, NULL, 0);
    size_t bytes = st ? 0 : locum_model_workspace(model, p->rows);
    if (!st) st = locum_alloc(&memory, (int64_t)bytes, 1);
    if (!st) st = locum_model_prepare(model, p->rows, memory, bytes, &context);
    if (!st) st = locum_eval(context, p->rows, inputs, outputs, NULL);
    free(memory);
    locum_model_close(model);
    return st;
}

static locum_status compare(const proof *p)
{
    const train_export *e = p->export;
    const locum_task *task = e->task;
    for (int o = 0, first = 0; o < task->n_outputs; first += task->outputs[o++].components) {
        const locum_channel *c = &task->outputs[o];
        double largest = c->scale[0];
        for (int64_t i = 0; i < p->rows * c->extent; i++) largest = fmax(largest, fabs(p->predicted[o][i]));
        for (int64_t i = 0; i < p->rows * c->extent; i++) {
            int64_t point = i / c->components;
            int k = (int)(i % c->components);
            double mine = (double)p->z[point * task->out_channels + first + k] * c->scale[k] + c->mean[k];
            LOCUM_REQUIRE(fabs(p->predicted[o][i] - mine) <= AGREEMENT * largest || !isfinite(mine), LOCUM_INTERNAL,
                          "%s predicts %g for `%s`, the trained network %g", e->path, p->predicted[o][i], c->name,
                          mine);
        }
    }
    return LOCUM_OK;
}

locum_status locum_train_verify_fields(const train_export *e)
{
    const locum_task *task = e->task;
    const locum_examples *examples = e->data->examples;
    int64_t most = e->network->forward_rows < CHECKED_ROWS ? e->network->forward_rows : CHECKED_ROWS;
    proof p = {.export = e, .points = examples->points};
    p.rows = examples->n[LOCUM_TRAIN] < most ? examples->n[LOCUM_TRAIN] : most;
    locum_status st = LOCUM_NEW(&p.values, p.rows * task->n_x + 1);
    if (!st) st = LOCUM_NEW(&p.x, p.rows * task->n_x + 1);
    if (!st) st = LOCUM_NEW(&p.fields, p.rows * p.points * task->history * task->in_channels + 1);
    if (!st) st = LOCUM_NEW(&p.z, p.rows * p.points * task->out_channels);
    if (!st) st = make_inputs(&p);
    if (!st) st = ask_network(&p);
    if (!st) st = ask_file(&p);
    if (!st) st = compare(&p);
    free(p.values);
    free(p.x);
    free(p.fields);
    free(p.z);
    for (int i = 0; i < LOCUM_EXAMPLE_ARRAYS; i++) {
        free(p.ports[i]);
        free(p.predicted[i]);
    }
    return st;
}
