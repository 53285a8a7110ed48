/* SPDX-License-Identifier: BSD-3-Clause */
/* loader.c - batches of rows, made ahead by one thread.
 *
 * A ring of buffers changes hands under a mutex: the thread fills those that are free while the caller works on one.
 *
 *      thread   | fill 0 | fill 1 | ... | fill 15 |       wait        | fill 0 | fill 1 ...
 *      caller            | use 0  | use 1 | use 2 | ...     | use 8   | use 9  | use 10 ...
 *
 * The thread sleeps until half of the ring is free: small steps would wake it, and wait for it, at every batch otherwise.
 *
 * The order of an epoch is a permutation that depends on (seed, epoch) alone, so that any position can be resumed
 * and every rank sees the same batches. The thread fills rows into its buffers and allocates nothing; for a table that is
 * a copy. A row that fails (a read from a file) ends the thread; its batch carries the status to the caller. */
#include <pthread.h>
#include <stdio.h>
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
    locum_status status; /* of its rows */
    char message[512];
} buffer;

/* a split of a table as rows */
typedef struct table_rows {
    const locum_table *table; /* borrowed */
    locum_split split;
    int64_t *extent; /* [n_columns] owned */
} table_rows;

struct locum_loader {
    locum_rows rows;
    table_rows table; /* what rows.self is for tables */
    float **at;       /* [n_columns] the thread's: where a row goes */
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
    int64_t n = l->rows.n;

    if (l->ordered_epoch == l->epoch) return;
    if (l->shuffle)
        locum_random_order(l->seed, LOCUM_STREAM_SHUFFLE, (uint64_t)l->epoch, n, l->order);
    else
        for (int64_t i = 0; i < n; i++) l->order[i] = i;
    l->ordered_epoch = l->epoch;
}

static locum_status fill_table_row(const void *self, int64_t row, float *const *to)
{
    const table_rows *t = self;

    for (int c = 0; c < t->table->n_columns; c++) {
        int64_t extent = t->extent[c];
        const double *from = t->table->values[t->split][c] + row * extent;
        for (int64_t i = 0; i < extent; i++) to[c][i] = (float)from[i];
    }
    return LOCUM_OK;
}

/* one batch; then the position goes on */
static void fill(locum_loader *l, buffer *b)
{
    const locum_rows *rows = &l->rows;
    int64_t first = l->number * l->batch, n = first + l->batch <= rows->n ? l->batch : rows->n - first;

    order_epoch(l);
    b->status = LOCUM_OK;
    for (int64_t r = 0; r < n && !b->status; r++) {
        b->row[r] = l->order[first + r];
        b->sample[r] = rows->sample[b->row[r]];
        for (int c = 0; c < rows->n_columns; c++) l->at[c] = b->column[c] + r * rows->extent[c];
        b->status = rows->fill(rows->self, b->row[r], l->at);
    }
    if (b->status) snprintf(b->message, sizeof b->message, "%s", locum_status_message());
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
        bool failed = b->status != LOCUM_OK;
        pthread_mutex_lock(&l->mutex);
        b->full = true;
        l->n_full++;
        if (l->caller_waits) pthread_cond_broadcast(&l->changed);
        pthread_mutex_unlock(&l->mutex);
        if (failed) return NULL;
    }
}

/* --- the caller ------------------------------------------------------------------------------- */
static locum_status make_buffers(locum_loader *l)
{
    const locum_rows *rows = &l->rows;
    locum_status st = LOCUM_NEW(&l->order, rows->n);
    int64_t row_bytes = 1;

    if (!st) st = LOCUM_NEW(&l->at, rows->n_columns + 1);
    for (int c = 0; c < rows->n_columns; c++) row_bytes += rows->extent[c] * (int64_t)sizeof(float);
    int64_t fit = RING_BYTES / row_bytes / l->batch;
    l->n_buffers = fit > RING_MAX ? RING_MAX : fit < 2 ? 2 : (int)fit;
    for (int i = 0; !st && i < l->n_buffers; i++) {
        buffer *b = &l->buffers[i];
        st = LOCUM_NEW(&b->column, rows->n_columns + 1);
        for (int c = 0; !st && c < rows->n_columns; c++) st = LOCUM_NEW(&b->column[c], l->batch * rows->extent[c]);
        if (!st) st = LOCUM_NEW(&b->row, l->batch);
        if (!st) st = LOCUM_NEW(&b->sample, l->batch);
    }
    return st;
}

static locum_status new_loader(uint64_t seed, bool shuffle, locum_loader **loader)
{
    LOCUM_TRY(LOCUM_NEW(loader, 1));
    (*loader)->seed = seed;
    (*loader)->shuffle = shuffle;
    pthread_mutex_init(&(*loader)->mutex, NULL);
    pthread_cond_init(&(*loader)->changed, NULL);
    return LOCUM_OK;
}

/* buffers and thread; the rows are known */
static locum_status begin(locum_loader *l, int64_t batch, int64_t epoch, int64_t number)
{
    int64_t n = l->rows.n;

    LOCUM_REQUIRE(batch > 0 && epoch >= 0, LOCUM_ARG, "a batch of %lld samples, epoch %lld", (long long)batch,
                  (long long)epoch);
    l->batch = batch > n ? n : batch;
    l->per_epoch = (n + l->batch - 1) / l->batch;
    LOCUM_REQUIRE(number >= 0 && number < l->per_epoch, LOCUM_ARG, "batch %lld of an epoch of %lld", (long long)number,
                  (long long)l->per_epoch);
    l->epoch = epoch;
    l->number = number;
    l->ordered_epoch = l->in_use = -1;
    LOCUM_TRY(make_buffers(l));
    if (pthread_create(&l->thread, NULL, work, l))
        return LOCUM_FAIL(LOCUM_MEMORY, "cannot start the thread that makes batches");
    l->started = true;
    return LOCUM_OK;
}

locum_status locum_loader_create_rows(const locum_rows *rows, int64_t batch, uint64_t seed, bool shuffle, int64_t epoch,
                                      int64_t number, locum_loader **loader)
{
    locum_loader *l = NULL;

    *loader = NULL;
    LOCUM_REQUIRE(rows->n > 0, LOCUM_STUDY, "there is no row to make batches of");
    LOCUM_TRY(new_loader(seed, shuffle, &l));
    l->rows = *rows;
    locum_status st = begin(l, batch, epoch, number);
    if (st)
        locum_loader_destroy(l);
    else
        *loader = l;
    return st;
}

locum_status locum_loader_create(const locum_table *table, locum_split split, int64_t batch, uint64_t seed,
                                 bool shuffle, int64_t epoch, int64_t number, locum_loader **loader)
{
    locum_loader *l = NULL;

    *loader = NULL;
    LOCUM_REQUIRE(split >= 0 && split < LOCUM_SPLITS && table->n[split] > 0, LOCUM_STUDY,
                  "the dataset has no sample of the split %s", locum_split_name(split));
    LOCUM_TRY(new_loader(seed, shuffle, &l));
    l->table = (table_rows){.table = table, .split = split};
    locum_status st = LOCUM_NEW(&l->table.extent, table->n_columns + 1);
    for (int c = 0; !st && c < table->n_columns; c++) l->table.extent[c] = table->columns[c].extent;
    l->rows = (locum_rows){.n_columns = st ? 0 : table->n_columns,
                           .extent = l->table.extent,
                           .n = table->n[split],
                           .sample = table->index[split],
                           .self = &l->table,
                           .fill = fill_table_row};
    if (!st) st = begin(l, batch, epoch, number);
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
    if (!b->status) { /* a failed one stays: the thread has ended, and the next call must not wait for it */
        b->full = false;
        l->n_full--;
        l->in_use = l->next;
        l->next = (l->next + 1) % l->n_buffers;
    }
    pthread_mutex_unlock(&l->mutex);
    if (waits && waited) *waited += now() - start;
    *batch = &b->batch;
    return b->status ? locum_status_adopt(b->status, b->message, "") : LOCUM_OK;
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
        for (int c = 0; l->buffers[i].column && c < l->rows.n_columns; c++) free(l->buffers[i].column[c]);
        free(l->buffers[i].column);
        free(l->buffers[i].row);
        free(l->buffers[i].sample);
    }
    pthread_mutex_destroy(&l->mutex);
    pthread_cond_destroy(&l->changed);
    free(l->order);
    free(l->at);
    free(l->table.extent);
    free(l);
}
