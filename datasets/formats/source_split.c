/* SPDX-License-Identifier: BSD-3-Clause */
/* source_split.c - which samples are trained on, validated, calibrated and tested with.
 *
 * One seeded permutation of all samples decides everything, so that a sample's split is a function of (seed, number):
 *   subset   the first N of the permutation, each folder's share of it
 *   no folders of splits: test, calibration, validation take theirs from the permutation, train the rest
 *   folders  kept; validation and test are cut from train where they are missing, calibration from half of validation
 *            at most, then from train
 * Frames of one sample are never parted: they are near copies of each other. */
#include <math.h>
#include <stdlib.h>

#include "core/memory.h"
#include "core/random.h"
#include "datasets/formats/source_internal.h"
#include "datasets/store/reader.h"

#define STREAM_INDEX 0x736f75726365u /* no campaign has so many samples */

typedef struct dealer {
    const locum_source *source;
    int64_t n, *order;               /* [n] permutation */
    locum_split *split;              /* [n] */
    bool *keep;                      /* [n] */
    int64_t count[LOCUM_SPLITS + 1]; /* kept ones, by split; LOCUM_SPLITS = none yet */
} dealer;

static void move(dealer *d, locum_split from, locum_split to, int64_t n)
{
    for (int64_t i = 0; i < d->n && n > 0; i++) {
        int64_t b = d->order[i];
        if (!d->keep[b] || d->split[b] != from) continue;
        d->split[b] = to;
        d->count[from]--;
        d->count[to]++;
        n--;
    }
}

/* so many of all; with folders their shares, rounded so that they add up */
static void take_subset(dealer *d)
{
    int64_t subset = d->source->subset, before = 0, quota[LOCUM_SPLITS + 1];

    if (subset == 0 || subset >= d->n) return;
    for (int s = 0; s <= LOCUM_SPLITS; s++) {
        int64_t from = before * subset / d->n;
        before += d->count[s];
        quota[s] = before * subset / d->n - from;
        d->count[s] = quota[s];
    }
    for (int64_t i = 0; i < d->n; i++) {
        int64_t b = d->order[i];
        d->keep[b] = quota[d->split[b]]-- > 0;
    }
}

/* `split:` says numbers of samples, not fractions */
static bool are_counts(const locum_source *source)
{
    bool counts = false;

    for (int s = LOCUM_TRAIN; s <= LOCUM_TEST; s++) counts = counts || source->split[s] > 1;
    return source->has_split && counts;
}

/* how many samples of n a split takes */
static int64_t share(const dealer *d, locum_split split, int64_t n)
{
    static const double usual[] = {
        [LOCUM_TRAIN] = 0.7, [LOCUM_VALIDATION] = 0.1, [LOCUM_CALIBRATION] = 0.1, [LOCUM_TEST] = 0.1};
    double part = d->source->has_split ? d->source->split[split] : usual[split];

    return are_counts(d->source) ? (int64_t)part : (int64_t)floor(part * (double)n + 0.5);
}

static locum_status deal_all(dealer *d)
{
    static const locum_split order[] = {LOCUM_TEST, LOCUM_CALIBRATION, LOCUM_VALIDATION, LOCUM_TRAIN};
    int64_t n = d->count[LOCUM_SPLITS], asked = 0;
    double sum = 0;

    for (int i = 0; i < 4; i++) {
        asked += share(d, order[i], n);
        sum += d->source->split[order[i]];
    }
    LOCUM_REQUIRE(!are_counts(d->source) || asked <= n, LOCUM_INPUT, "%s has %lld samples, but `split:` asks for %lld",
                  d->source->path, (long long)n, (long long)asked);
    for (int i = 0; i < 4; i++) move(d, LOCUM_SPLITS, order[i], share(d, order[i], n));
    /* fractions of all: what rounding left over */
    if (!are_counts(d->source) && (!d->source->has_split || sum > 1 - 1e-9)) move(d, LOCUM_SPLITS, LOCUM_TRAIN, n);
    for (int64_t b = 0; b < d->n; b++) d->keep[b] = d->keep[b] && d->split[b] != LOCUM_SPLITS;
    return LOCUM_OK;
}

static locum_status complete_folders(dealer *d)
{
    int64_t n = d->count[LOCUM_TRAIN] + d->count[LOCUM_VALIDATION];

    if (d->count[LOCUM_TRAIN] == 0) return LOCUM_OK; /* a folder of one split alone */
    int64_t cut[LOCUM_SPLITS] = {0}, all = 0;
    for (int s = LOCUM_VALIDATION; s <= LOCUM_TEST; s++) {
        if (d->count[s] == 0) cut[s] = share(d, (locum_split)s, n);
        all += cut[s];
    }
    int64_t lent = d->count[LOCUM_VALIDATION] / 2 < cut[LOCUM_CALIBRATION] ? d->count[LOCUM_VALIDATION] / 2
                                                                           : cut[LOCUM_CALIBRATION];
    LOCUM_REQUIRE(all - lent < d->count[LOCUM_TRAIN], LOCUM_INPUT,
                  "%s has %lld samples to train on, but `split:` takes %lld of them for what the folders lack",
                  d->source->path, (long long)d->count[LOCUM_TRAIN], (long long)(all - lent));
    move(d, LOCUM_VALIDATION, LOCUM_CALIBRATION, lent);
    move(d, LOCUM_TRAIN, LOCUM_CALIBRATION, cut[LOCUM_CALIBRATION] - lent);
    move(d, LOCUM_TRAIN, LOCUM_VALIDATION, cut[LOCUM_VALIDATION]);
    move(d, LOCUM_TRAIN, LOCUM_TEST, cut[LOCUM_TEST]);
    return LOCUM_OK;
}

locum_status locum_source_deal(const locum_source *source, uint64_t seed, locum_dataset *dataset)
{
    dealer d = {.source = source, .n = locum_dataset_n(dataset)};

    locum_status st = LOCUM_NEW(&d.order, d.n + 1);
    if (!st) st = LOCUM_NEW(&d.split, d.n + 1);
    if (!st) st = LOCUM_NEW(&d.keep, d.n + 1);
    for (int64_t b = 0; !st && b < d.n; b++) {
        d.split[b] = locum_dataset_sample_at(dataset, b)->split;
        d.keep[b] = true;
        d.count[d.split[b]]++;
    }
    if (!st) {
        locum_random_order(seed, LOCUM_STREAM_SPLIT, STREAM_INDEX, d.n, d.order);
        take_subset(&d);
        st = d.count[LOCUM_SPLITS] > 0 ? deal_all(&d) : complete_folders(&d);
    }
    if (!st) locum_dataset_arrange(dataset, d.keep, d.split);
    free(d.order);
    free(d.split);
    free(d.keep);
    return st;
}
