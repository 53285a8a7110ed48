/* SPDX-License-Identifier: BSD-3-Clause */
/* roll.c - the network on whole samples: a step rolled out from the first frames, a map once; frame by frame beside the
 * truth.
 *
 *     fields [history frames] -> next -> fields without the oldest frame, next -> next ...        all normalised
 *
 * Several samples run together; a row's bits do not depend on its neighbours, so that neither grouping nor ranks matter. */
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "surrogate/train/internal.h"

/* rows of one group of samples */
typedef struct group {
    const train_roll_call *call;
    int64_t n, points, channels, seen; /* channels of output; of the fields that are seen */
    int64_t *sample;
    float *values, *fields, *mean, *deviation, *features, *truth;
    double *physical;
} group;

int64_t locum_train_roll_leads(const train_data *data, int64_t leads)
{
    const locum_examples *e = data->examples;
    int64_t frames = locum_examples_frames(e, LOCUM_TRAIN, 0);
    if (!e->step) return 1;
    return frames - e->history < leads ? frames - e->history : leads;
}

static locum_status allocate(group *g, int64_t rows)
{
    const train_network *net = g->call->network;
    int64_t frame = rows * g->points * g->channels;
    LOCUM_TRY(LOCUM_NEW(&g->sample, rows));
    LOCUM_TRY(LOCUM_NEW(&g->values, rows * net->task->n_x + 1));
    LOCUM_TRY(LOCUM_NEW(&g->physical, net->task->n_x + 1));
    LOCUM_TRY(LOCUM_NEW(&g->fields, rows * g->points * g->seen + 1));
    LOCUM_TRY(LOCUM_NEW(&g->mean, frame));
    LOCUM_TRY(LOCUM_NEW(&g->truth, g->points * g->channels));
    LOCUM_TRY(LOCUM_NEW(&g->features, rows * net->n_features));
    return net->task->members > 1 ? LOCUM_NEW(&g->deviation, frame) : LOCUM_OK;
}

static void release(group *g)
{
    free(g->sample);
    free(g->values);
    free(g->physical);
    free(g->fields);
    free(g->mean);
    free(g->deviation);
    free(g->features);
    free(g->truth);
}

/* what a roll-out of each sample begins with */
static locum_status begin(group *g, int64_t first)
{
    const train_roll_call *c = g->call;
    const locum_task *task = c->network->task;
    const locum_examples *e = c->data->examples;
    int64_t per_sample = e->n[c->split] / e->n_samples[c->split];
    for (int64_t r = 0; r < g->n; r++) {
        g->sample[r] = c->first + (first + r) * c->stride;
        LOCUM_TRY(locum_examples_read(e, c->split, g->sample[r] * per_sample, g->physical,
                                      g->seen ? g->fields + r * g->points * g->seen : NULL, NULL));
        locum_train_values(task, g->physical, g->values + r * task->n_x);
    }
    return LOCUM_OK;
}

static locum_status hand_over(group *g, int64_t lead)
{
    const train_roll_call *c = g->call;
    const locum_examples *e = c->data->examples;
    int64_t frame = g->points * g->channels;
    for (int64_t r = 0; r < g->n; r++) {
        locum_field_frame f = {.sample = g->sample[r],
                               .lead = lead,
                               .stride = g->seen,
                               .mean = g->mean + r * frame,
                               .deviation = g->deviation ? g->deviation + r * frame : NULL,
                               .truth = g->truth,
                               .features = g->features + r * c->network->n_features};
        if (e->step) f.last = g->fields + r * g->points * g->seen + g->seen - g->channels;
        LOCUM_TRY(locum_examples_frame(e, c->split, f.sample, e->step ? e->history - 1 + lead : 0, g->truth));
        LOCUM_TRY(c->take(c->self, &f));
    }
    return LOCUM_OK;
}

/* the history of each point moves on by one frame */
static void shift(group *g)
{
    int64_t kept = g->seen - g->channels;
    for (int64_t p = 0; p < g->n * g->points; p++) {
        float *seen = g->fields + p * g->seen;
        memmove(seen, seen + g->channels, (size_t)kept * sizeof *seen);
        memcpy(seen + kept, g->mean + p * g->channels, (size_t)g->channels * sizeof *seen);
    }
}

static locum_status run(group *g, int64_t leads)
{
    const train_roll_call *c = g->call;
    for (int64_t lead = 1; lead <= leads; lead++) {
        locum_train_network_frames(c->network, c->parameters, g->n, g->values, g->fields, g->mean, g->deviation,
                                   g->features);
        LOCUM_TRY(hand_over(g, lead));
        if (lead < leads) shift(g);
    }
    return LOCUM_OK;
}

locum_status locum_train_roll(const train_roll_call *call)
{
    const locum_task *task = call->network->task;
    const locum_examples *e = call->data->examples;
    int64_t rows = call->network->forward_rows, leads = locum_train_roll_leads(call->data, call->leads);
    group g = {.call = call,
               .points = e->points,
               .channels = task->out_channels,
               .seen = (int64_t)task->history * task->in_channels};
    locum_status st = allocate(&g, rows);
    for (int64_t first = 0; first < call->n && !st; first += rows) {
        g.n = call->n - first < rows ? call->n - first : rows;
        st = begin(&g, first);
        if (!st) st = run(&g, leads);
    }
    release(&g);
    return st;
}
