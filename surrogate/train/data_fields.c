/* SPDX-License-Identifier: BSD-3-Clause */
/* data_fields.c - examples as rows of training: parameters (normalised here), fields and target as the loader gives them.
 *
 *     columns   values [n_x]   fields [points, history * channels]   target [rollout, points, channels]
 *
 * A column that the task lacks is left out. */
#include "core/memory.h"
#include "surrogate/train/internal.h"

static locum_status fill_row(const void *self, int64_t row, float *const *to)
{
    const train_data *data = self;
    const locum_task *task = data->task;
    int at = 0;
    float *values = task->n_x ? to[at++] : NULL, *fields = task->in_channels ? to[at++] : NULL, *target = to[at];
    LOCUM_TRY(locum_examples_read(data->examples, LOCUM_TRAIN, row, data->row, fields, target));
    locum_train_values(task, data->row, values);
    return LOCUM_OK;
}

void locum_train_values(const locum_task *task, const double *physical, float *values)
{
    for (int i = 0; i < locum_task_n_values(task); i++)
        values[i] = (float)locum_channel_normalised(&task->inputs[i], physical[i]);
}

locum_status locum_train_data_create_fields(const locum_task *task, const locum_examples *e, train_data *data)
{
    *data = (train_data){.task = task, .examples = e};
    LOCUM_TRY(LOCUM_NEW(&data->row, task->n_x + 1));
    const char *names[LOCUM_TRAIN_COLUMNS];
    data->rows = (locum_rows){.n_columns = locum_train_columns(task, e->rollout, names, data->extent),
                              .extent = data->extent,
                              .n = e->n[LOCUM_TRAIN],
                              .sample = locum_examples_numbers(e, LOCUM_TRAIN),
                              .self = data,
                              .fill = fill_row};
    static const locum_split seen[] = {LOCUM_TRAIN, LOCUM_VALIDATION, LOCUM_CALIBRATION};
    for (size_t s = 0; s < sizeof seen / sizeof *seen; s++) data->n[seen[s]] = e->n[seen[s]];
    return LOCUM_OK;
}
