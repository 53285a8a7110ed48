/* SPDX-License-Identifier: BSD-3-Clause */
/* data.c - the rows that training sees, normalised once in double; the loader shuffles them. The test split is never
 * touched. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/random.h"
#include "surrogate/train/internal.h"

static const locum_split used[] = {LOCUM_TRAIN, LOCUM_VALIDATION, LOCUM_CALIBRATION};
enum { N_USED = sizeof used / sizeof *used };

/* values of some columns of one sample, one after the other */
static void gather(const locum_table *table, locum_split split, int64_t row, int n, const int *column, double *out)
{
    for (int i = 0; i < n; i++) {
        int64_t extent = table->columns[column[i]].extent;
        memcpy(out, table->values[split][column[i]] + row * extent, (size_t)extent * sizeof *out);
        out += extent;
    }
}

static locum_status find_columns(const locum_table *table, int n, const locum_channel *channels, bool inputs,
                                 int *column)
{
    for (int i = 0; i < n; i++) {
        column[i] = -1;
        for (int c = 0; c < table->n_columns; c++)
            if (table->columns[c].is_input == inputs && !strcmp(table->columns[c].name, channels[i].name))
                column[i] = c;
        LOCUM_REQUIRE(column[i] >= 0, LOCUM_INTERNAL, "train: the table has no column `%s`", channels[i].name);
    }
    return LOCUM_OK;
}

static locum_status check_row(const locum_task *task, const locum_table *table, locum_split split, int64_t row,
                              const double *x, const double *z)
{
    bool finite = true;
    for (int64_t i = 0; i < task->n_x; i++) finite = finite && isfinite(x[i]);
    for (int64_t i = 0; i < task->n_z; i++) finite = finite && isfinite(z[i]);
    LOCUM_REQUIRE(finite, LOCUM_STUDY,
                  "train: sample %lld has a value whose logarithm does not exist; take the output out of "
                  "surrogate.positive or surrogate.shares, "
                  "or set surrogate.input_scale: linear",
                  (long long)table->index[split][row]);
    return LOCUM_OK;
}

static locum_status fill_split(const locum_task *task, const locum_table *table, locum_split split, const int *in,
                               const int *out, train_data *data)
{
    int64_t n = data->n[split] = table->n[split];
    double *row = NULL;
    locum_status st = LOCUM_NEW(&row, task->n_x);
    if (!st) st = LOCUM_NEW(&data->x[split], n * task->n_x);
    if (!st) st = LOCUM_NEW(&data->z[split], n * task->n_z);
    if (!st) st = LOCUM_NEW(&data->truth[split], n * task->n_z);
    for (int64_t r = 0; r < n && !st; r++) {
        double *x = data->x[split] + r * task->n_x, *z = data->z[split] + r * task->n_z,
               *y = data->truth[split] + r * task->n_z;
        gather(table, split, r, task->n_inputs, in, row);
        gather(table, split, r, task->n_outputs, out, y);
        locum_task_normalise_inputs(task, row, x);
        locum_task_normalise_outputs(task, y, z);
        st = check_row(task, table, split, r, x, z);
    }
    free(row);
    return st;
}

int locum_train_columns(const locum_task *task, int rollout, const char *names[LOCUM_TRAIN_COLUMNS],
                        int64_t extents[LOCUM_TRAIN_COLUMNS])
{
    int64_t points = locum_task_points(task), sizes[] = {task->n_x, task->n_z, 0};
    const char *const words[] = {task->n_axes ? "values" : "x", task->n_axes ? "fields" : "target", "target"};
    int n = 0;
    if (task->n_axes) {
        sizes[1] = points * task->history * task->in_channels;
        sizes[2] = points * rollout * task->out_channels;
    }
    for (int c = 0; c < LOCUM_TRAIN_COLUMNS; c++) {
        if (!sizes[c]) continue;
        names[n] = words[c];
        extents[n++] = sizes[c];
    }
    return n;
}

/* one row of the training split */
static locum_status fill_row(const void *self, int64_t row, float *const *to)
{
    const train_data *data = self;
    const double *x = data->x[LOCUM_TRAIN] + row * data->extent[0], *z = data->z[LOCUM_TRAIN] + row * data->extent[1];
    for (int64_t i = 0; i < data->extent[0]; i++) to[0][i] = (float)x[i];
    for (int64_t i = 0; i < data->extent[1]; i++) to[1][i] = (float)z[i];
    return LOCUM_OK;
}

static void make_rows(const locum_task *task, const locum_table *table, train_data *data)
{
    const char *names[LOCUM_TRAIN_COLUMNS];
    data->rows = (locum_rows){.n_columns = locum_train_columns(task, 1, names, data->extent),
                              .extent = data->extent,
                              .n = table->n[LOCUM_TRAIN],
                              .sample = table->index[LOCUM_TRAIN],
                              .self = data,
                              .fill = fill_row};
}

locum_status locum_train_data_create(const locum_task *task, const locum_table *table, train_data *data)
{
    int *in = NULL, *out = NULL;
    *data = (train_data){.task = task};
    locum_status st = LOCUM_NEW(&in, task->n_inputs);
    if (!st) st = LOCUM_NEW(&out, task->n_outputs);
    if (!st) st = find_columns(table, task->n_inputs, task->inputs, true, in);
    if (!st) st = find_columns(table, task->n_outputs, task->outputs, false, out);
    for (int s = 0; s < N_USED && !st; s++) st = fill_split(task, table, used[s], in, out, data);
    if (!st) make_rows(task, table, data);
    free(in);
    free(out);
    return st;
}

void locum_train_data_free(train_data *data)
{
    for (int s = 0; s < LOCUM_SPLITS; s++) {
        free(data->x[s]);
        free(data->z[s]);
        free(data->truth[s]);
    }
    free(data->row);
    *data = (train_data){0};
}

int64_t locum_train_data_samples(const train_data *data, locum_split split)
{
    return data->examples ? data->examples->n_samples[split] : data->n[split];
}

/* --- a part of the training split --------------------------------------------------------------------------------- */
void locum_train_subset_destroy(locum_table *subset)
{
    if (!subset) return;
    for (int c = 0; subset->values[LOCUM_TRAIN] && c < subset->n_columns; c++) free(subset->values[LOCUM_TRAIN][c]);
    free(subset->values[LOCUM_TRAIN]);
    free(subset->index[LOCUM_TRAIN]);
    free(subset);
}

locum_status locum_train_subset(const locum_table *table, uint64_t seed, int64_t n, locum_table **subset)
{
    locum_table *s = NULL;
    int64_t *order = NULL, n_all = table->n[LOCUM_TRAIN];
    *subset = NULL;
    LOCUM_TRY(LOCUM_NEW(&s, 1));
    *s = *table;
    s->n[LOCUM_TRAIN] = n;
    s->index[LOCUM_TRAIN] = NULL;
    s->values[LOCUM_TRAIN] = NULL;
    locum_status st = LOCUM_NEW(&order, n_all);
    if (!st) st = LOCUM_NEW(&s->index[LOCUM_TRAIN], n);
    if (!st) st = LOCUM_NEW(&s->values[LOCUM_TRAIN], table->n_columns);
    /* one order for all fractions: the smaller sets are parts of the larger ones */
    if (!st) locum_random_order(seed, LOCUM_STREAM_SPLIT, 0, n_all, order);
    for (int c = 0; c < table->n_columns && !st; c++) {
        int64_t extent = table->columns[c].extent;
        st = LOCUM_NEW(&s->values[LOCUM_TRAIN][c], n * extent);
        for (int64_t r = 0; r < n && !st; r++)
            memcpy(s->values[LOCUM_TRAIN][c] + r * extent, table->values[LOCUM_TRAIN][c] + order[r] * extent,
                   (size_t)extent * sizeof(double));
    }
    for (int64_t r = 0; r < n && !st; r++) s->index[LOCUM_TRAIN][r] = table->index[LOCUM_TRAIN][order[r]];
    free(order);
    if (st)
        locum_train_subset_destroy(s);
    else
        *subset = s;
    return st;
}
