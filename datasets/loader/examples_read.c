/* SPDX-License-Identifier: BSD-3-Clause */
/* examples_read.c - blocks from memory or from the file: arrays of frames -> [frames, points, channels], normalised.
 *
 *     file     vorticity [T, x, y]   velocity [T, x, y, 2]
 *     block    [T, x y, (vorticity, u, v)]               a frame of one array is read straight into its block */
#include <math.h>
#include <string.h>

#include "datasets/loader/examples_internal.h"

bool locum_examples_kept(locum_split split)
{
    return split == LOCUM_TRAIN || split == LOCUM_VALIDATION || split == LOCUM_CALIBRATION;
}

examples_window locum_examples_input_window(const locum_examples *e, int64_t place)
{
    return (examples_window){e->n_inputs, e->in_channels, e->inputs, place, 0, 1};
}

examples_window locum_examples_output_window(const locum_examples *e, int64_t place, int64_t first, int64_t n)
{
    return (examples_window){e->n_outputs, e->out_channels, e->outputs, place, e->step ? first : -1, n};
}

/* one array beside the others */
static void interleave(int64_t points, const locum_field *f, int channels, const float *from, float *to)
{
    to += f->first_channel;
    for (int64_t p = 0; p < points; p++, to += channels)
        for (int k = 0; k < f->components; k++) to[k] = *from++;
}

locum_status locum_examples_load(const locum_examples *e, const examples_window *w, float *blocks)
{
    const struct locum_examples_memory *m = e->memory;
    for (int64_t done = 0, n; done < w->n; done += n) {
        n = w->n - done < m->chunk ? w->n - done : m->chunk;
        float *at = blocks + done * e->points * w->channels;
        for (int i = 0; i < w->n_fields; i++) {
            const locum_field *f = &w->fields[i];
            bool alone = f->components == w->channels;
            LOCUM_TRY(
                locum_dataset_read_frames(m->dataset, w->place, w->first + done, n, f->array, alone ? at : m->array));
            if (!alone) interleave(n * e->points, f, w->channels, m->array, at);
        }
    }
    return LOCUM_OK;
}

void locum_examples_normalise(const locum_examples *e, int n_fields, const locum_field *fields, int channels,
                              int64_t n_frames, float *blocks)
{
    for (int i = 0; i < n_fields; i++)
        for (int k = 0; k < fields[i].components; k++) {
            float *at = blocks + fields[i].first_channel + k;
            double mean = fields[i].mean[k], rate = 1 / fields[i].scale[k];
            for (int64_t p = 0; p < n_frames * e->points; p++, at += channels) *at = (float)((*at - mean) * rate);
        }
}

/* --- one thread at a time ----------------------------------------------------------------------------------------- */
/* normalised blocks of a window, from the file */
static locum_status fetch(const locum_examples *e, const examples_window *w, float *blocks)
{
    LOCUM_TRY(locum_examples_load(e, w, blocks));
    locum_examples_normalise(e, w->n_fields, w->fields, w->channels, w->n, blocks);
    return LOCUM_OK;
}

static locum_status output_frames(const locum_examples *e, locum_split split, int64_t s, int64_t first, int64_t n,
                                  float *blocks)
{
    const examples_part *part = &e->memory->parts[split];
    int64_t size = e->points * e->out_channels;
    if (part->out) {
        memcpy(blocks, part->out + (s * e->memory->frames + first) * size, (size_t)(n * size) * sizeof *blocks);
        return LOCUM_OK;
    }
    examples_window w = locum_examples_output_window(e, part->place[s], first, n);
    return fetch(e, &w, blocks);
}

/* several frames side by side in each point, oldest first */
static void stack_frames(const locum_examples *e, const float *frames, float *fields)
{
    int channels = e->out_channels, all = e->history * channels;
    for (int h = 0; h < e->history; h++)
        for (int64_t p = 0; p < e->points; p++, frames += channels)
            memcpy(fields + p * all + h * channels, frames, (size_t)channels * sizeof *fields);
}

static locum_status input_fields(const locum_examples *e, locum_split split, int64_t s, int64_t t, float *fields)
{
    const struct locum_examples_memory *m = e->memory;
    const examples_part *part = &m->parts[split];
    int64_t size = e->points * e->in_channels;
    if (e->step && e->history == 1) return output_frames(e, split, s, t, 1, fields);
    if (e->step) {
        LOCUM_TRY(output_frames(e, split, s, t, e->history, m->frame_stack));
        stack_frames(e, m->frame_stack, fields);
        return LOCUM_OK;
    }
    if (part->in) {
        memcpy(fields, part->in + s * size, (size_t)size * sizeof *fields);
        return LOCUM_OK;
    }
    examples_window w = locum_examples_input_window(e, part->place[s]);
    return size ? fetch(e, &w, fields) : LOCUM_OK;
}

static locum_status check_place(const locum_examples *e, locum_split split, int64_t i, int64_t n)
{
    LOCUM_REQUIRE(split >= 0 && split < LOCUM_SPLITS && i >= 0 && i < n, LOCUM_ARG, "%lld of the %lld of a split of %s",
                  (long long)i, (long long)n, e->step ? "steps" : "maps");
    return LOCUM_OK;
}

locum_status locum_examples_read(const locum_examples *e, locum_split split, int64_t i, double *values, float *fields,
                                 float *target)
{
    struct locum_examples_memory *m = e->memory;
    LOCUM_TRY(check_place(e, split, i, e->n[split]));
    int64_t s = i / m->per_sample, t = i % m->per_sample;
    if (values) memcpy(values, locum_examples_values(e, split, s), (size_t)e->n_values * sizeof *values);
    pthread_mutex_lock(&m->mutex);
    locum_status st = fields ? input_fields(e, split, s, t, fields) : LOCUM_OK;
    if (!st && target) st = output_frames(e, split, s, e->step ? t + e->history : 0, e->rollout, target);
    pthread_mutex_unlock(&m->mutex);
    return st;
}

locum_status locum_examples_frame(const locum_examples *e, locum_split split, int64_t s, int64_t frame, float *block)
{
    struct locum_examples_memory *m = e->memory;
    LOCUM_TRY(check_place(e, split, s, e->n_samples[split]));
    LOCUM_TRY(check_place(e, split, frame, m->frames));
    pthread_mutex_lock(&m->mutex);
    locum_status st = output_frames(e, split, s, frame, 1, block);
    pthread_mutex_unlock(&m->mutex);
    return st;
}

/* --- facts -------------------------------------------------------------------------------------------------------- */
int64_t locum_examples_frames(const locum_examples *e, locum_split split, int64_t s)
{
    return s < e->n_samples[split] ? e->memory->frames : 0;
}

const double *locum_examples_values(const locum_examples *e, locum_split split, int64_t s)
{
    return e->memory->parts[split].values + s * e->n_values;
}

const int64_t *locum_examples_numbers(const locum_examples *e, locum_split split)
{
    return e->memory->parts[split].number;
}
