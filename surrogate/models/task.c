/* SPDX-License-Identifier: BSD-3-Clause */
/* task.c - what a network is to do: sizes, and the transforms of the graphs again in double, row by row. */
#include <math.h>
#include <stdlib.h>

#include "surrogate/models/model_type.h"

/* --- tasks -------------------------------------------------------------------------------------------------------- */
static void free_channels(int n, locum_channel *channels)
{
    for (int i = 0; channels && i < n; i++) {
        free(channels[i].mean);
        free(channels[i].scale);
    }
    free(channels);
}

void locum_task_destroy(locum_task *task)
{
    if (!task) return;
    free_channels(task->n_inputs, task->inputs);
    free_channels(task->n_outputs, task->outputs);
    free(task->change);
    free(task);
}

int64_t locum_task_first_value(const locum_task *task, int output)
{
    int64_t first = 0;
    for (int i = 0; i < output; i++) first += task->outputs[i].extent;
    return first;
}

int64_t locum_channel_statistics(const locum_channel *channel)
{
    return channel->is_field ? channel->components : channel->extent;
}

int64_t locum_task_points(const locum_task *task)
{
    int64_t points = 1;
    for (int a = 0; a < task->n_axes; a++) points *= task->grid[a];
    return points;
}

int locum_task_n_values(const locum_task *task)
{
    int n = 0;
    while (n < task->n_inputs && !task->inputs[n].is_field) n++;
    return n;
}

int locum_task_vector(const locum_task *task, int *first_channel)
{
    int vector = -1, first = 0;
    for (int i = 0; i < task->n_outputs && task->periodic && task->n_axes > 1; i++) {
        if (task->outputs[i].components == task->n_axes) {
            if (vector >= 0) return -1;
            vector = i;
            if (first_channel) *first_channel = first;
        }
        first += task->outputs[i].components;
    }
    return vector;
}

double locum_channel_resolution(const locum_channel *channel)
{
    return fmax(channel->floor, LOCUM_SHARE_RESOLUTION);
}

/* --- the same maps in double, row by row: targets, and the tests' other side -------------------------------------- */
static double transform(const locum_channel *c, double value, double total)
{
    if (c->transform == LOCUM_LINEAR) return value;
    return log(c->transform == LOCUM_LOG ? value : value + c->floor * total);
}

double locum_channel_normalised(const locum_channel *c, double value)
{
    return (transform(c, value, 0) - c->mean[0]) / c->scale[0];
}

void locum_task_normalise_inputs(const locum_task *task, const double *values, double *x)
{
    for (int i = 0; i < task->n_inputs; i++) {
        const locum_channel *c = &task->inputs[i];
        for (int64_t j = 0; j < c->extent; j++) *x++ = (transform(c, *values++, 0) - c->mean[j]) / c->scale[j];
    }
}

void locum_task_normalise_outputs(const locum_task *task, const double *y, double *z)
{
    const double *row = y;
    for (int i = 0; i < task->n_outputs; i++) {
        const locum_channel *c = &task->outputs[i];
        double total = c->transform == LOCUM_LOG_SHARE ? row[locum_task_first_value(task, c->total)] : 0;
        for (int64_t j = 0; j < c->extent; j++) *z++ = (transform(c, *y++, total) - c->mean[j]) / c->scale[j];
    }
}

void locum_task_physical_outputs(const locum_task *task, const double *z, double *y)
{
    const double *row = z;
    for (int i = 0; i < task->n_outputs; i++) {
        const locum_channel *c = &task->outputs[i];
        double total = 0;
        if (c->transform == LOCUM_LOG_SHARE) {
            const locum_channel *t = &task->outputs[c->total];
            total = exp(row[locum_task_first_value(task, c->total)] * t->scale[0] + t->mean[0]);
        }
        for (int64_t j = 0; j < c->extent; j++) {
            double value = *z++ * c->scale[j] + c->mean[j];
            if (c->transform != LOCUM_LINEAR) value = exp(value);
            *y++ = c->transform == LOCUM_LOG_SHARE ? fmax(value - c->floor * total, 0) : value;
        }
    }
}
