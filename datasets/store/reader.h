/* SPDX-License-Identifier: BSD-3-Clause */
/* reader.h - a dataset whose files are not the store's: another layout's reader behind the same handle.
 *
 * The reader says once what there is (schema, samples, parameters); after that it only gives times and values. All of
 * store.h works on such a dataset. Left out: rows whose number changes from frame to frame. */
#ifndef DATASETS_STORE_READER_H
#define DATASETS_STORE_READER_H

#include "datasets/store/store.h"

typedef struct locum_reader_type {
    const char *name; /**< "the_well", "csv", ... */
    /** Time of a frame of the sample at `place`. Local. */
    double (*time)(const void *self, int64_t place, int64_t frame);
    /** Planes first .. first + n along the first axis of frames frame .. frame + n_frames, in the array's stored type:
     *  [n_frames, n, rest of the grid, components]. Values are finite, or the failure names sample, frame and place.
     *  Local. */
    locum_status (*read)(void *self, int64_t place, int64_t frame, int64_t n_frames, int array, int64_t first,
                         int64_t n, void *values);
    void (*destroy)(void *self); /**< NULL-safe */
} locum_reader_type;

typedef struct locum_reader_sample {
    int64_t index; /**< in the data, counted over all files */
    locum_split split;
    int64_t n_frames;
    const double *parameter; /**< [n_parameters] */
} locum_reader_sample;

/* what there is; all of it is copied */
typedef struct locum_reader_facts {
    const char *name;           /**< of the dataset */
    const locum_schema *schema; /**< types as stored: LOCUM_FLOAT32 or LOCUM_FLOAT64 */
    uint64_t options_hash;
    int n_parameters;
    const char *const *parameter_name, *const *parameter_unit;
    int64_t n_samples;
    const locum_reader_sample *samples;
} locum_reader_facts;

/** A handle over a reader; `self` is taken over, also when it fails. Place b of the reader is sample b of the facts.
 *  Local. */
locum_status locum_dataset_create(const locum_reader_type *type, void *self, const locum_reader_facts *facts,
                                  locum_dataset **dataset);
/** Keeps the samples b with keep[b] and puts them into split[b]; works on datasets of any reader. Local. */
void locum_dataset_arrange(locum_dataset *dataset, const bool *keep, const locum_split *split);

/** Data files (.h5, .hdf5) of a folder, sorted: in FOLDER/dataset/data/<split>, FOLDER/data/<split>, FOLDER/<split>, else
 *  in FOLDER itself; *split [n] (may be NULL): which of those folders, LOCUM_SPLITS = none. Free each path, the list, and
 *  *split. LOCUM_INPUT if the folder is missing. Local. */
locum_status locum_dataset_files(const char *folder, char ***paths, locum_split **split, int *n);

#endif
