/* SPDX-License-Identifier: BSD-3-Clause */
/* dataset_internal.h - a dataset being read, as the files dataset*.c share it.
 *
 *   dataset.c         life cycle and queries          dataset_read.c    values
 *   dataset_shard.c   what one file says              dataset_folder.c  which files a folder has
 *   dataset_reader.c  the handle over another layout's reader (reader.h)
 *
 * What is small (facts, samples, times, first rows) is read when the dataset is opened; values are read when asked
 * for. One file is open at a time, with the arrays that were used last. */
#ifndef DATASETS_STORE_DATASET_INTERNAL_H
#define DATASETS_STORE_DATASET_INTERNAL_H

#include "datasets/store/chunk_io.h"
#include "datasets/store/hdf5_tools.h"
#include "datasets/store/layout.h"
#include "datasets/store/reader.h"
#include "datasets/store/store.h"

typedef struct locum_shard_view { /* one file */
    char *path;                   /**< owned */
    locum_layout layout;
    int64_t n_slots, n_frames; /**< samples that have frames' places, frames of all */
    int64_t frames_per_sample; /**< grid */
    int64_t *first;            /**< [n_slots + 1] first frame of each sample */
    double *time;              /**< [n_frames] */
    int64_t *step;             /**< [n_frames] */
    int64_t **rows;            /**< [n_domains] of rows domains: [n_frames + 1] first row of each frame, else NULL */
} locum_shard_view;

typedef struct locum_sample_view { /* one sample */
    locum_dataset_sample sample;   /**< first: lent to callers */
    int shard;
    int64_t slot; /**< -1 of a failed sample */
    char *reason;
    double *parameter;
} locum_sample_view;

typedef struct locum_file_cache { /* changes while a dataset is read */
    int shard;                    /**< -1 = no file is open */
    hid_t file, *arrays;          /**< [n_arrays], -1 = not open */
    locum_chunk_slabs *slabs;     /**< [n_arrays] of the open ones */
    void *chunk;                  /**< [chunk_bytes], owned: grows to the largest chunk */
    size_t chunk_bytes;
} locum_file_cache;

struct locum_dataset {
    locum_owned_schema *schema; /**< NULL until a file with frames was read */
    char *schema_text;          /**< its JSON: later files must have the same */
    locum_schema empty;         /**< what the schema query answers where no file has frames */
    bool has_facts;
    uint64_t options_hash;
    char *study, *name;
    int n_parameters;
    char **parameter_name, **parameter_unit; /**< [n_parameters], owned */
    locum_shard_view *shards;
    int n_shards, capacity_shards;
    locum_sample_view *samples;
    int64_t n_samples, capacity_samples;
    locum_file_cache *cache;
    const locum_reader_type *reader; /**< NULL: files of the store; else shards are not used */
    void *self;                      /**< of the reader, owned */
};

/** Reads what a file says and adds its samples. LOCUM_INPUT, LOCUM_DAMAGED. Local. */
locum_status locum_dataset_add_shard(locum_dataset *dataset, const char *path);
/** Only the sample numbers of a file, good and failed: appended to *index [*n]. Local. */
locum_status locum_dataset_shard_indices(const char *path, int64_t **index, int64_t *n);
/** Planes first .. first + n along the first axis of an array of one frame (rows and globals: 0 and their number),
 * as they
 *  are in the file. Local. */
locum_status locum_dataset_raw(const locum_dataset *dataset, int64_t b, int64_t frame, int array, int64_t first,
                               int64_t n, void *values);
/** Reads every value of this rank's share of the frames. LOCUM_DAMAGED naming file and array. Local. */
locum_status locum_dataset_check(const locum_dataset *dataset, int rank, int size);
/** Closes the file that is open, if any. Local. */
void locum_dataset_close_file(const locum_dataset *dataset);

#endif
