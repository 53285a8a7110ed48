/* SPDX-License-Identifier: BSD-3-Clause */
/* examples_internal.h - what the examples of a dataset keep: which samples, their parameters, their blocks. */
#ifndef DATASETS_LOADER_EXAMPLES_INTERNAL_H
#define DATASETS_LOADER_EXAMPLES_INTERNAL_H

#include <pthread.h>

#include "datasets/loader/examples.h"

/* one split */
typedef struct examples_part {
    int64_t *place;  /**< [samples] in the dataset */
    int64_t *number; /**< [examples] sample number of each example */
    double *values;  /**< [samples, n_values] */
    float *in;       /**< map: [samples, points, in_channels] normalised, or NULL = on disk */
    float *out;      /**< [samples, frames, points, out_channels] normalised, or NULL */
} examples_part;

struct locum_examples_memory {
    const locum_dataset *dataset; /**< lent */
    int64_t frames;               /**< of a sample that are used; map: 1, the last */
    int64_t per_sample;           /**< examples of a sample */
    bool resident;                /**< blocks of the splits that training reads are in memory */
    examples_part parts[LOCUM_SPLITS];
    pthread_mutex_t mutex; /**< HDF5 and the scratch: one thread at a time */
    float *array;          /**< [chunk, points, components] one array of several frames */
    float *frame_stack;    /**< [history, points, channels] */
    int64_t chunk;         /**< frames of one read */
};

/* some fields of some frames, side by side */
typedef struct examples_window {
    int n_fields, channels;
    const locum_field *fields;
    int64_t place, first, n; /**< sample in the dataset; frames, first < 0 counts from the last */
} examples_window;

/** Reads blocks [n, points, channels] of physical values. The caller holds the mutex, or is alone. */
locum_status locum_examples_load(const locum_examples *examples, const examples_window *window, float *blocks);
/** Physical -> normalised in place. */
void locum_examples_normalise(const locum_examples *examples, int n_fields, const locum_field *fields, int channels,
                              int64_t n_frames, float *blocks);
/** Windows of a sample: the fields of its first frame (map); output frames first .. first + n. */
examples_window locum_examples_input_window(const locum_examples *examples, int64_t place);
examples_window locum_examples_output_window(const locum_examples *examples, int64_t place, int64_t first, int64_t n);
/** Is a split kept in memory when there is room? */
bool locum_examples_kept(locum_split split);

/** One look at all samples: finite, statistics of the training split, hash; blocks that are kept are filled. */
locum_status locum_examples_scan(locum_examples *examples);

#endif
