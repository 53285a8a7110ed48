/* SPDX-License-Identifier: BSD-3-Clause */
/* export_values.c - networks of values: calibration on the rows of training, and the proof that the file predicts as the
 * network does. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "locum/model.h"
#include "surrogate/train/internal.h"

#define CHECKED_ROWS 64

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

locum_status locum_train_calibrate_values(const train_export *e, locum_trust_tables *tables)
{
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
                             data->x[LOCUM_CALIBRATION], data->z[LOCUM_CALIBRATION], tables);
    free(x);
    free(z);
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

locum_status locum_train_verify_values(const train_export *e)
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
