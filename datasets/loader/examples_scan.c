/* SPDX-License-Identifier: BSD-3-Clause */
/* examples_scan.c - one look at all fields of a dataset: are they finite, what are their statistics, what is their hash.
 *
 *     mean = x0 + sum(x - x0) / n,   variance = sum (x - x0)^2 / n - (mean - x0)^2        in double, x0 the first value
 *     change = root mean square of x(t + 1) - x(t), over the scale
 *
 * from the training split alone, in the order of the samples. Components of one vector share scale and change. Frames
 * come in chunks; those that stay in memory are read to their place and normalised there when the statistics are known:
 * the same values as are read again from the file later. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/hash.h"
#include "core/memory.h"
#include "datasets/loader/examples_internal.h"

typedef struct channel_sums {
    double first, sum, square, change, lower, upper;
    int64_t n, n_changes;
} channel_sums;

typedef struct scan {
    locum_examples *e;
    locum_hash_stream *hash;
    channel_sums *in, *out; /* [channels] */
    float *blocks, *previous;
} scan;

/* --- one frame ---------------------------------------------------------------------------------------------------- */
static locum_status check_finite(const scan *s, const examples_window *w, int64_t frame, const float *block)
{
    int64_t n = s->e->points * w->channels, bad = -1;
    for (int64_t i = 0; i < n && bad < 0; i++)
        if (!isfinite(block[i])) bad = i;
    if (bad < 0) return LOCUM_OK;
    int channel = (int)(bad % w->channels), f = 0;
    while (f + 1 < w->n_fields && w->fields[f + 1].first_channel <= channel) f++;
    const locum_dataset_sample *sample = locum_dataset_sample_at(s->e->memory->dataset, w->place);
    return LOCUM_FAIL(LOCUM_DAMAGED, "sample %lld, frame %lld: value %lld of \"%s\" is %g", (long long)sample->index,
                      (long long)(frame < 0 ? frame + sample->n_frames : frame),
                      (long long)(bad / w->channels * w->fields[f].components + channel - w->fields[f].first_channel),
                      w->fields[f].name, (double)block[bad]);
}

static void add_values(int64_t points, int channels, const float *block, channel_sums *sums)
{
    for (int c = 0; c < channels; c++) {
        channel_sums s = sums[c];
        if (!s.n) s.first = s.lower = s.upper = (double)block[c];
        for (int64_t p = 0; p < points; p++) {
            double x = (double)block[p * channels + c], off = x - s.first;
            s.sum += off;
            s.square += off * off;
            s.lower = x < s.lower ? x : s.lower;
            s.upper = x > s.upper ? x : s.upper;
        }
        s.n += points;
        sums[c] = s;
    }
}

static void add_changes(int64_t points, int channels, const float *before, const float *after, channel_sums *sums)
{
    for (int c = 0; c < channels; c++) {
        double sum = 0;
        for (int64_t p = c; p < points * channels; p += channels) {
            double d = (double)after[p] - (double)before[p];
            sum += d * d;
        }
        sums[c].change += sum;
        sums[c].n_changes += points;
    }
}

/* --- one sample --------------------------------------------------------------------------------------------------- */
/* frames of a window: kept [n, points, channels], or NULL; sums: NULL outside the training split */
static locum_status scan_window(scan *s, examples_window w, float *kept, channel_sums *sums)
{
    const locum_examples *e = s->e;
    int64_t size = e->points * w.channels, n_all = w.n, first = w.first;
    for (int64_t done = 0; done < n_all; done += w.n) {
        w.n = n_all - done < e->memory->chunk ? n_all - done : e->memory->chunk;
        w.first = first + done;
        float *blocks = kept ? kept + done * size : s->blocks;
        LOCUM_TRY(locum_examples_load(e, &w, blocks));
        for (int64_t t = 0; t < w.n; t++) {
            const float *block = blocks + t * size, *before = t ? block - size : s->previous;
            LOCUM_TRY(check_finite(s, &w, w.first + t, block));
            if (sums) add_values(e->points, w.channels, block, sums);
            if (sums && done + t > 0) add_changes(e->points, w.channels, before, block, sums);
        }
        locum_hash_add(s->hash, blocks, (size_t)(w.n * size) * sizeof *blocks);
        memcpy(s->previous, blocks + (w.n - 1) * size, (size_t)size * sizeof *blocks);
    }
    return LOCUM_OK;
}

static locum_status scan_split(scan *s, locum_split split)
{
    const locum_examples *e = s->e;
    const struct locum_examples_memory *m = e->memory;
    const examples_part *part = &m->parts[split];
    int64_t in_size = e->points * e->in_channels, out_size = e->points * e->out_channels * m->frames;
    bool train = split == LOCUM_TRAIN;
    locum_hash_add(s->hash, &e->n_samples[split], sizeof e->n_samples[split]);
    for (int64_t i = 0; i < e->n_samples[split]; i++) {
        locum_hash_add(s->hash, &locum_dataset_sample_at(m->dataset, part->place[i])->index, sizeof(int64_t));
        locum_hash_add(s->hash, part->values + i * e->n_values, (size_t)e->n_values * sizeof(double));
        if (!e->step && e->n_inputs)
            LOCUM_TRY(scan_window(s, locum_examples_input_window(e, part->place[i]),
                                  part->in ? part->in + i * in_size : NULL, train ? s->in : NULL));
        LOCUM_TRY(scan_window(s, locum_examples_output_window(e, part->place[i], 0, m->frames),
                              part->out ? part->out + i * out_size : NULL, train ? s->out : NULL));
    }
    return LOCUM_OK;
}

/* --- statistics --------------------------------------------------------------------------------------------------- */
static locum_status describe(const channel_sums *sums, int n, locum_field *fields, double *change)
{
    for (int i = 0; i < n; i++) {
        locum_field *f = &fields[i];
        const channel_sums *s = sums + f->first_channel;
        double variance = 0, squares = 0;
        LOCUM_TRY(LOCUM_NEW(&f->mean, f->components));
        LOCUM_TRY(LOCUM_NEW(&f->scale, f->components));
        f->lower = INFINITY;
        f->upper = -INFINITY;
        for (int k = 0; k < f->components; k++) {
            double count = (double)s[k].n, off = s[k].sum / count;
            f->mean[k] = s[k].first + off;
            variance += fmax(s[k].square / count - off * off, 0) / f->components;
            squares += s[k].n_changes ? s[k].change / (double)s[k].n_changes / f->components : 0;
            f->lower = fmin(f->lower, s[k].lower);
            f->upper = fmax(f->upper, s[k].upper);
        }
        double scale = sqrt(variance), largest = fmax(fabs(f->lower), fabs(f->upper));
        if (!(scale > 1e-7 * largest)) scale = 1; /* what float32 cannot tell from a constant */
        for (int k = 0; k < f->components; k++) {
            f->scale[k] = scale;
            if (change) change[f->first_channel + k] = squares > 0 ? sqrt(squares) / scale : 1;
        }
    }
    return LOCUM_OK;
}

static void normalise_kept(locum_examples *e)
{
    for (int s = 0; s < LOCUM_SPLITS; s++) {
        const examples_part *part = &e->memory->parts[s];
        if (part->in) locum_examples_normalise(e, e->n_inputs, e->inputs, e->in_channels, e->n_samples[s], part->in);
        if (part->out)
            locum_examples_normalise(e, e->n_outputs, e->outputs, e->out_channels, e->n_samples[s] * e->memory->frames,
                                     part->out);
    }
}

static void hash_request(const scan *s)
{
    const locum_examples *e = s->e;
    int64_t facts[] = {e->n_values, e->n_inputs, e->n_outputs, e->points,  e->step,
                       e->history,  e->rollout,  e->grid[0],   e->grid[1], e->memory->frames};
    locum_hash_add(s->hash, facts, sizeof facts);
    for (int i = 0; i < e->n_values; i++) locum_hash_add(s->hash, e->value_name[i], strlen(e->value_name[i]) + 1);
    for (int i = 0; i < e->n_inputs; i++) locum_hash_add(s->hash, e->inputs[i].name, strlen(e->inputs[i].name) + 1);
    for (int i = 0; i < e->n_outputs; i++) locum_hash_add(s->hash, e->outputs[i].name, strlen(e->outputs[i].name) + 1);
}

static locum_status finish(scan *s)
{
    locum_examples *e = s->e;
    LOCUM_TRY(describe(s->out, e->n_outputs, e->outputs, e->change));
    if (e->step)
        for (int i = 0; i < e->n_inputs; i++) {
            LOCUM_TRY(LOCUM_NEW(&e->inputs[i].mean, e->inputs[i].components));
            LOCUM_TRY(LOCUM_NEW(&e->inputs[i].scale, e->inputs[i].components));
            memcpy(e->inputs[i].mean, e->outputs[i].mean, (size_t)e->inputs[i].components * sizeof(double));
            memcpy(e->inputs[i].scale, e->outputs[i].scale, (size_t)e->inputs[i].components * sizeof(double));
            e->inputs[i].lower = e->outputs[i].lower;
            e->inputs[i].upper = e->outputs[i].upper;
        }
    else
        LOCUM_TRY(describe(s->in, e->n_inputs, e->inputs, NULL));
    normalise_kept(e);
    return LOCUM_OK;
}

locum_status locum_examples_scan(locum_examples *e)
{
    scan s = {.e = e, .hash = locum_hash_begin()};
    int channels = e->in_channels > e->out_channels ? e->in_channels : e->out_channels;
    LOCUM_REQUIRE(s.hash, LOCUM_MEMORY, "out of memory for a checksum");
    locum_status st = LOCUM_NEW(&s.in, e->in_channels + 1);
    if (!st) st = LOCUM_NEW(&s.out, e->out_channels);
    if (!st) st = LOCUM_NEW(&s.blocks, e->memory->chunk * e->points * channels);
    if (!st) st = LOCUM_NEW(&s.previous, e->points * channels);
    hash_request(&s);
    for (int split = 0; split < LOCUM_SPLITS && !st; split++) st = scan_split(&s, (locum_split)split);
    e->hash = locum_hash_end(s.hash);
    if (!st) st = finish(&s);
    free(s.in);
    free(s.out);
    free(s.blocks);
    free(s.previous);
    return st;
}
