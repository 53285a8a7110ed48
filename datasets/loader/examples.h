/* SPDX-License-Identifier: BSD-3-Clause */
/* examples.h - fields of a dataset as examples for training: what goes in, what shall come out.
 *
 *     map    one example a sample:  parameters, fields of its first frame   -> fields of its last frame
 *     step   one example a frame:   parameters, frames t - history + 1 .. t -> frames t + 1 .. t + rollout
 *
 * A frame is read as one block of float32 [grid.., channels]: the components of its arrays side by side, channels last,
 * normalised. That block is what a network sees; nothing else is made of it on the way.
 *
 * Nothing is copied to disk. Blocks stay in memory where the dataset fits into the given bytes, else they are read again:
 * for batches by the thread that prefetches, for validation by the caller's, one at a time under a mutex of the examples;
 * so two sets of examples must not be read by two threads at once. Splits are by sample, never by frame. */
#ifndef DATASETS_LOADER_EXAMPLES_H
#define DATASETS_LOADER_EXAMPLES_H

#include "datasets/loader/loader.h"

#define LOCUM_EXAMPLE_ARRAYS 16

typedef struct locum_examples_request {
    bool step;
    int history, rollout; /**< step: frames seen, frames to come; 1 and 1 for map */
    int n_inputs, n_outputs;
    const char *const *inputs, *const *outputs; /**< arrays; inputs of a step are its outputs */
    int64_t memory;                             /**< bytes that blocks may take */
    int64_t train_samples; /**< only so many of the training split, the first in an order of the seed; 0 = all */
    uint64_t seed;
} locum_examples_request;

/* one array of a frame, as the task describes its port */
typedef struct locum_field {
    char name[64], unit[32], text[128];
    int array;            /**< of the dataset's schema */
    int components;       /**< 1 for scalars */
    int first_channel;    /**< in the block */
    double lower, upper;  /**< over the training split */
    double *mean, *scale; /**< [components] over the training split; one scale for all components of a vector */
} locum_field;

typedef struct locum_examples {
    int n_values; /**< varied parameters */
    const char **value_name, **value_unit;
    double *value_lower, *value_upper; /**< [n_values] over the training split */
    int n_inputs, n_outputs;
    locum_field inputs[LOCUM_EXAMPLE_ARRAYS], outputs[LOCUM_EXAMPLE_ARRAYS];
    int in_channels, out_channels;
    int n_axes;
    int64_t grid[3], points;
    const locum_domain *domain; /**< lent by the dataset */
    bool periodic;
    bool step;
    int history, rollout;
    double interval;                 /**< step: time between frames */
    double *change;                  /**< step: [out_channels] rms of a frame's change over that channel's scale */
    int64_t n[LOCUM_SPLITS];         /**< examples */
    int64_t n_samples[LOCUM_SPLITS]; /**< good samples */
    uint64_t hash;
    struct locum_examples_memory *memory; /**< owned: blocks, index */
} locum_examples;

/** Looks at all of it once: shapes, finite values, statistics of the training split (streamed, in double). Needs the same
 *  grid, the same number of frames and of time between them in all samples. LOCUM_STUDY: an array that is not there (names
 *  those that are), no field, several grids; LOCUM_DAMAGED: a value that is not finite (sample, frame, index). The dataset
 *  must outlive it. Local. */
locum_status locum_examples_create(const locum_dataset *dataset, const locum_examples_request *request,
                                   locum_examples **examples);
void locum_examples_destroy(locum_examples *examples); /* NULL-safe */

/** Example i of a split: values [n_values] physical; fields [points, history * in_channels] normalised, oldest frame
 *  first; target [rollout, points, out_channels] normalised. Any may be NULL. Local. */
locum_status locum_examples_read(const locum_examples *examples, locum_split split, int64_t i, double *values,
                                 float *fields, float *target);
/** Sample numbers of all examples of a split [n]; lent. Local. */
const int64_t *locum_examples_numbers(const locum_examples *examples, locum_split split);
/** Frames of sample s (0 .. n_samples) of a split: number of them; one of them as a normalised block of the outputs
 *  [points, out_channels]; its parameters. Local. */
int64_t locum_examples_frames(const locum_examples *examples, locum_split split, int64_t s);
locum_status locum_examples_frame(const locum_examples *examples, locum_split split, int64_t s, int64_t frame,
                                  float *block);
const double *locum_examples_values(const locum_examples *examples, locum_split split, int64_t s);

#endif
