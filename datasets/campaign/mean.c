/* SPDX-License-Identifier: BSD-3-Clause */
/* mean.c - running means over windows of time, as a sink between the driver and whoever keeps them.
 *
 * Trapezoidal in time over all steps:  sum += (t1 - t0) (f0 + f1) / 2;  mean = sum / (until - from).  Each rank
 * averages its own block, in the order of the steps, so the bits depend neither on ranks nor on how often one looks.
 * Several windows [from, until_i] are nested in one run. Not here: means of rows whose number changes (particles
 * have no mean). An array X_variance brings the squares of X; its "mean" is mean(X^2) - mean(X)^2. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "datasets/campaign/campaign_parts.h"

static locum_status check_array(const locum_schema *schema, int a)
{
    const locum_array *array = &schema->arrays[a];
    const locum_domain *domain = &schema->domains[array->domain];

    LOCUM_REQUIRE(array->type == LOCUM_FLOAT64 || array->type == LOCUM_FLOAT32, LOCUM_STUDY,
                  "record: average: '%s' holds whole numbers, which have no mean; leave it out of observe",
                  array->name);
    LOCUM_REQUIRE(domain->support != LOCUM_ROWS || domain->n_global[0] > 0, LOCUM_STUDY,
                  "record: average: '%s' lies on rows that change from frame to frame; leave it out of observe",
                  array->name);
    return LOCUM_OK;
}

locum_status locum_mean_create(const locum_schema *schema, const bool *wanted, MPI_Comm comm, double from, int n_until,
                               const double *until, locum_sink inner, locum_mean **mean)
{
    locum_mean *m = NULL;
    int n = schema->n_arrays;
    locum_status st = LOCUM_NEW(&m, 1);

    *mean = NULL;
    if (!st) {
        *m = (locum_mean){
            .inner = inner, .comm = comm, .from = from, .n_until = n_until, .until = until, .schema = schema};
        m->out.schema = schema;
        st = LOCUM_NEW(&m->wanted, n);
    }
    if (!st) st = LOCUM_NEW(&m->out.blocks, n);
    if (!st) st = LOCUM_NEW(&m->sum, n);
    if (!st) st = LOCUM_NEW(&m->last, n);
    if (!st) st = LOCUM_NEW(&m->value, n);
    if (!st) memcpy(m->wanted, wanted, (size_t)n * sizeof *wanted);
    for (int a = 0; a < n && !st; a++)
        if (wanted[a]) st = check_array(schema, a);
    if (st)
        locum_mean_destroy(m);
    else
        *mean = m;
    return st;
}

void locum_mean_destroy(locum_mean *mean)
{
    if (!mean) return;
    for (int a = 0; a < mean->schema->n_arrays; a++) {
        if (mean->sum) free(mean->sum[a]);
        if (mean->last) free(mean->last[a]);
        if (mean->value) free(mean->value[a]);
    }
    free(mean->sum);
    free(mean->last);
    free(mean->value);
    free(mean->wanted);
    free(mean->out.blocks);
    free(mean);
}

static locum_status mean_open(void *self, const locum_schema *schema, const bool *wanted, const locum_sample *sample)
{
    locum_mean *mean = self;

    return mean->inner.open(mean->inner.self, schema, wanted, sample);
}

/* blocks like those of the first frame */
static locum_status lay_out(locum_mean *mean, const locum_frame *frame)
{
    locum_status st = LOCUM_OK;

    for (int a = 0; a < mean->schema->n_arrays && !st; a++) {
        if (!mean->wanted[a]) continue;
        int64_t n = locum_block_count(mean->schema, a, &frame->blocks[a]);
        mean->out.blocks[a] = frame->blocks[a];
        st = LOCUM_NEW(&mean->sum[a], n);
        if (!st) st = LOCUM_NEW(&mean->last[a], n);
        if (!st) st = locum_alloc(&mean->value[a], n, locum_type_size(mean->schema->arrays[a].type));
        mean->out.blocks[a].data = mean->value[a];
    }
    return st;
}

static void add(locum_mean *mean, const locum_frame *frame, double weight)
{
    for (int a = 0; a < mean->schema->n_arrays; a++) {
        if (!mean->wanted[a]) continue;
        int64_t n = locum_block_count(mean->schema, a, &frame->blocks[a]);
        double *restrict sum = mean->sum[a], *restrict last = mean->last[a];
        if (mean->schema->arrays[a].type == LOCUM_FLOAT64) {
            const double *restrict now = frame->blocks[a].data;
            for (int64_t i = 0; i < n; i++) {
                sum[i] += weight * (last[i] + now[i]);
                last[i] = now[i];
            }
        } else {
            const float *restrict now = frame->blocks[a].data;
            for (int64_t i = 0; i < n; i++) {
                sum[i] += weight * (last[i] + (double)now[i]);
                last[i] = (double)now[i];
            }
        }
    }
}

/* the mean so far; a window without length gives the latest frame */
static locum_status hand_on(locum_mean *mean)
{
    double length = mean->time - mean->from;

    for (int a = 0; a < mean->schema->n_arrays; a++) {
        if (!mean->wanted[a]) continue;
        int64_t n = locum_block_count(mean->schema, a, &mean->out.blocks[a]);
        int base = locum_schema_variance_of(mean->schema, a);
        for (int64_t i = 0; i < n; i++) {
            double value = length > 0 ? mean->sum[a][i] / length : mean->last[a][i];
            double centre = base < 0 ? 0 : length > 0 ? mean->sum[base][i] / length : mean->last[base][i];
            value = base < 0 ? value : fmax(value - centre * centre, 0);
            if (mean->schema->arrays[a].type == LOCUM_FLOAT64)
                ((double *)mean->value[a])[i] = value;
            else
                ((float *)mean->value[a])[i] = (float)value;
        }
    }
    mean->out.time = mean->time;
    mean->out.step = mean->step;
    locum_status st = locum_frame_check_finite(&mean->out, mean->wanted);
    LOCUM_TRY(locum_comm_agree(mean->comm, st));
    return mean->inner.frame(mean->inner.self, &mean->out);
}

static locum_status mean_frame(void *self, const locum_frame *frame)
{
    locum_mean *mean = self;

    if (!mean->started) {
        LOCUM_TRY(locum_comm_agree(mean->comm, lay_out(mean, frame)));
        mean->time = frame->time;
        mean->started = true;
    }
    add(mean, frame, 0.5 * (frame->time - mean->time));
    mean->time = frame->time;
    mean->step = frame->step;
    for (; mean->next < mean->n_until && locum_time_reached(mean->time, mean->until[mean->next]); mean->next++)
        LOCUM_TRY(hand_on(mean));
    return LOCUM_OK;
}

static locum_status mean_close(void *self, locum_status result)
{
    locum_mean *mean = self;

    return mean->inner.close(mean->inner.self, result);
}

locum_sink locum_mean_sink(locum_mean *mean)
{
    return (locum_sink){mean, mean_open, mean_frame, mean_close};
}
