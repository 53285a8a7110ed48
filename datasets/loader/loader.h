/* SPDX-License-Identifier: BSD-3-Clause */
/* loader.h - from a dataset to batches for training: columns in memory, shuffled by (seed, epoch), prefetched by a
 * thread.
 *
 * Task `map`: inputs are the varied parameters, outputs the wanted arrays of the last frame of each sample.
 * A column is one input or output: [n_samples of the split, extent] floats kept as double until they are batched. */
#ifndef DATASETS_LOADER_LOADER_H
#define DATASETS_LOADER_LOADER_H

#include "datasets/store/store.h"

typedef struct locum_column {
    char name[64], unit[32], text[128];
    int64_t extent;
    int n_dims;
    int64_t dims[3];
    char axis_name[3][16];
    double *axis[3]; /**< owned, or NULL */
    bool is_input;
    double lower, upper; /**< over the training split */
    double *mean,
        *scale; /**< [extent] over the training split alone (scale = standard deviation, 1 where it vanishes); owned */
} locum_column;

typedef struct locum_table {
    int n_columns, n_inputs; /**< inputs first */
    locum_column *columns;
    int64_t n[LOCUM_SPLITS];       /**< good samples of each split */
    int64_t *index[LOCUM_SPLITS];  /**< sample numbers; noise: `twin` is in twin[] */
    int64_t *twin;                 /**< [n[LOCUM_NOISE]] */
    double **values[LOCUM_SPLITS]; /**< [n_columns] -> [n, extent] */
    int64_t n_failed;              /**< samples of the dataset that failed and are left out */
    uint64_t hash;                 /**< of values, splits and names: what a checkpoint must agree on */
} locum_table;

/** Reads a dataset whole. outputs [n_outputs] are names of arrays; LOCUM_STUDY naming what the dataset has if one is
 * missing or if a split that is needed has no sample; failed samples are left out and counted. NaN in a sample is
 * LOCUM_DAMAGED naming it. Local. */
locum_status locum_table_read(const locum_dataset *dataset, int n_outputs, const char *const *outputs,
                              locum_table **table);
void locum_table_destroy(locum_table *table);

/* --- batches ---------------------------------------------------------------------------------- */
typedef struct locum_loader locum_loader;

/* What batches are made of: rows of some columns of floats (a split of a table, the examples of a split). */
typedef struct locum_rows {
    int n_columns;
    const int64_t *extent; /**< [n_columns] floats of a row; lent */
    int64_t n;             /**< rows */
    const int64_t *sample; /**< [n] sample numbers; lent */
    const void *self;
    /** Writes one row into to [n_columns]. Called by the loader's thread, one call at a time. */
    locum_status (*fill)(const void *self, int64_t row, float *const *to);
} locum_rows;

typedef struct locum_batch {
    int64_t n;             /**< rows; the last batch of an epoch may be smaller */
    int64_t epoch, number; /**< number of the batch in its epoch */
    float *const *column;  /**< [n_columns] -> [n, extent] */
    const int64_t *row;    /**< [n] which rows */
    const int64_t *sample; /**< [n] their sample numbers */
} locum_batch;

/** Batches of rows, in the order f(seed, epoch) (shuffle) or as they are, the same on every rank (a rank takes its part
 * of each). Starts the prefetching thread at the position (epoch, number). What rows lends must outlive the loader.
 * Local. */
locum_status locum_loader_create_rows(const locum_rows *rows, int64_t batch, uint64_t seed, bool shuffle, int64_t epoch,
                                      int64_t number, locum_loader **loader);
/** The same for one split of a table: values as stored, not normalised. The thread copies memory and calls nothing else.
 * The table must outlive the loader. Local. */
locum_status locum_loader_create(const locum_table *table, locum_split split, int64_t batch, uint64_t seed,
                                 bool shuffle, int64_t epoch, int64_t number, locum_loader **loader);
/** The next batch; lent until the next call. waited: seconds this call had to wait are added (may be NULL). A row that
 * could not be made is reported here, by its batch. Local. */
locum_status locum_loader_next(locum_loader *loader, const locum_batch **batch, double *waited);
int64_t locum_loader_per_epoch(const locum_loader *loader);
void locum_loader_destroy(locum_loader *loader); /* joins the thread; NULL-safe */

#endif
