/* SPDX-License-Identifier: BSD-3-Clause */
/* loader.c - batches of a table, made ahead by one thread.
 *
 * A ring of buffers changes hands under a mutex: the thread fills those that are free while the caller works on one.
 *
 *      thread   | fill 0 | fill 1 | ... | fill 15 |       wait        | fill 0 | fill 1 ...
 *      caller            | use 0  | use 1 | use 2 | ...     | use 8   | use 9  | use 10 ...
 *
 * The thread sleeps until half of the ring is free: small steps would wake it, and wait for it, at every batch otherwise.
 *
 * The order of an epoch is a permutation that depends on (seed, epoch) alone, so that any position can be resumed
 * and every rank sees the same batches. The thread reads the table and writes its buffers; it allocates nothing and
 * calls no library. */
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "core/memory.h"
#include "core/random.h"
#include "datasets/loader/loader.h"

#define RING_MAX 16
#define RING_BYTES ((int64_t)8 << 20) /* of all buffers, as long as two of them are left */

typedef struct buffer {
    locum_batch batch;
    float **column; /* [n_columns] -> [batch, extent], owned */
    int64_t *row, *sample;
    bool full;
} buffer;

struct locum_loader {
    const locum_table *table; /* borrowed */
    locum_split split;
    int64_t batch, per_epoch;
    uint64_t seed;
    bool shuffle;

    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool started, stop, caller_waits;
    buffer buffers[RING_MAX];
    int n_buffers, n_full;
    int in_use; /* the buffer that the caller has, -1 = none yet */
    int next;   /* the buffer that the caller gets next */

    /* the thread's own */
    int64_t epoch, number, ordered_epoch; /* position to fill next; epoch of `order` */
    int64_t *order;                       /* [n] rows of the split in the order of the epoch */
};

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* --- the thread ------------------------------------------------------------------------------- */
static void order_epoch(locum_loader *l)
{
    int64_t n = l->table->n[l->split];

    if (l->ordered_epoch == l->epoch) return;
    if (l->shuffle)
        locum_random_order(l->seed, LOCUM_STREAM_SHUFFLE, (uint64_t)l->epoch, n, l->order);
    else
        for (int64_t i = 0; i < n; i++) l->order[i] = i;
    l->ordered_epoch = l->epoch;
}

/* one batch; then the position goes on */
static void fill(locum_loader *l, buffer *b)
{
    const locum_table *t = l->table;
    int64_t n_all = t->n[l->split], first = l->number * l->batch,
            n = first + l->batch <= n_all ? l->batch : n_all - first;

    order_epoch(l);
    for (int64_t r = 0; r < n; r++) {
        b->row[r] = l->order[first + r];
        b->sample[r] = t->index[l->split][b->row[r]];
    }
    for (int c = 0; c < t->n_columns; c++) {
        int64_t extent = t->columns[c].extent;
        for (int64_t r = 0; r < n; r++) {
            const double *from = t->values[l->split][c] + b->row[r] * extent;
            float *to = b->column[c] + r * extent;
            for (int64_t i = 0; i < extent; i++) to[i] = (float)from[i];
        }
    }
    b->batch = (locum_batch){
        .n = n, .epoch = l->epoch, .number = l->number, .column = b->column, .row = b->row, .sample = b->sample};
    if (++l->number == l->per_epoch) {
        l->number = 0;
        l->epoch++;
    }
}

static void *work(void *self)
{
    locum_loader *l = self;

    for (int at = 0;; at = (at + 1) % l->n_buffers) {
        buffer *b = &l->buffers[at];
        pthread_mutex_lock(&l->mutex);
        while ((b->full || l->in_use == at) && !l->stop) pthread_cond_wait(&l->changed, &l->mutex);
        bool stop = l->stop;
        pthread_mutex_unlock(&l->mutex);
        if (stop) return NULL;
        fill(l, b);
        pthread_mutex_lock(&l->mutex);
        b->full = true;
        l->n_full++;
        if (l->caller_waits) pthread_cond_broadcast(&l->changed);
        pthread_mutex_unlock(&l->mutex);
    }
}

/* --- the caller ------------------------------------------------------------------------------- */
static locum_status make_buffers(locum_loader *l)
{
    const locum_table *t = l->table;
    locum_status st = LOCUM_NEW(&l->order, t->n[l->split]);
    int64_t row_bytes = 1;

    for (int c = 0; c < t->n_columns; c++) row_bytes += t->columns[c].extent * (int64_t)sizeof(float);
    int64_t fit = RING_BYTES / row_bytes / l->batch;
    l->n_buffers = fit > RING_MAX ? RING_MAX : fit < 2 ? 2 : (int)fit;
    for (int i = 0; !st && i < l->n_buffers; i++) {
        buffer *b = &l->buffers[i];
        st = LOCUM_NEW(&b->column, t->n_columns + 1);
        for (int c = 0; !st && c < t->n_columns; c++) st = LOCUM_NEW(&b->column[c], l->batch * t->columns[c].extent);
        if (!st) st = LOCUM_NEW(&b->row, l->batch);
        if (!st) st = LOCUM_NEW(&b->sample, l->batch);
    }
    return st;
}

locum_status locum_loader_create(const locum_table *table, locum_split split, int64_t batch, uint64_t seed,
                                 bool shuffle, int64_t epoch, int64_t number, locum_loader **loader)
{
    locum_loader *l = NULL;

    *loader = NULL;
    LOCUM_REQUIRE(split >= 0 && split < LOCUM_SPLITS && table->n[split] > 0, LOCUM_STUDY,
                  "the dataset has no sample of the split %s", locum_split_name(split));
    LOCUM_REQUIRE(batch > 0 && epoch >= 0, LOCUM_ARG, "a batch of %lld samples, epoch %lld", (long long)batch,
                  (long long)epoch);
    if (batch > table->n[split]) batch = table->n[split];
    int64_t per_epoch = (table->n[split] + batch - 1) / batch;
    LOCUM_REQUIRE(number >= 0 && number < per_epoch, LOCUM_ARG, "batch %lld of an epoch of %lld", (long long)number,
                  (long long)per_epoch);
    LOCUM_TRY(LOCUM_NEW(&l, 1));
    l->table = table;
    l->split = split;
    l->batch = batch;
    l->per_epoch = per_epoch;
    l->seed = seed;
    l->shuffle = shuffle;
    l->epoch = epoch;
    l->number = number;
    l->ordered_epoch = l->in_use = -1;
    pthread_mutex_init(&l->mutex, NULL);
    pthread_cond_init(&l->changed, NULL);
    locum_status st = make_buffers(l);
    if (!st && pthread_create(&l->thread, NULL, work, l))
        st = LOCUM_FAIL(LOCUM_MEMORY, "cannot start the thread that makes batches");
    l->started = !st;
    if (st)
        locum_loader_destroy(l);
    else
        *loader = l;
    return st;
}

locum_status locum_loader_next(locum_loader *l, const locum_batch **batch, double *waited)
{
    double start = 0;

    pthread_mutex_lock(&l->mutex);
    l->in_use = -1; /* the buffer lent before is the thread's again */
    if (l->n_full <= l->n_buffers / 2) pthread_cond_broadcast(&l->changed);
    buffer *b = &l->buffers[l->next];
    bool waits = l->caller_waits = !b->full;
    if (waits) start = now();
    while (!b->full) pthread_cond_wait(&l->changed, &l->mutex);
    l->caller_waits = false;
    b->full = false;
    l->n_full--;
    l->in_use = l->next;
    l->next = (l->next + 1) % l->n_buffers;
    pthread_mutex_unlock(&l->mutex);
    if (waits && waited) *waited += now() - start;
    *batch = &b->batch;
    return LOCUM_OK;
}

int64_t locum_loader_per_epoch(const locum_loader *loader)
{
    return loader->per_epoch;
}

void locum_loader_destroy(locum_loader *l)
{
    if (!l) return;
    if (l->started) {
        pthread_mutex_lock(&l->mutex);
        l->stop = true;
        pthread_cond_broadcast(&l->changed);
        pthread_mutex_unlock(&l->mutex);
        pthread_join(l->thread, NULL);
    }
    for (int i = 0; i < l->n_buffers; i++) {
        for (int c = 0; l->buffers[i].column && c < l->table->n_columns; c++) free(l->buffers[i].column[c]);
        free(l->buffers[i].column);
        free(l->buffers[i].row);
        free(l->buffers[i].sample);
    }
    pthread_mutex_destroy(&l->mutex);
    pthread_cond_destroy(&l->changed);
    free(l->order);
    free(l);
}
