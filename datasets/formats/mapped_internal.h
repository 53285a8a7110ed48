/* SPDX-License-Identifier: BSD-3-Clause */
/* mapped_internal.h - an open dataset over foreign files: what mapped.c makes and mapped_read.c reads from. */
#ifndef DATASETS_FORMATS_MAPPED_INTERNAL_H
#define DATASETS_FORMATS_MAPPED_INTERNAL_H

#include "datasets/formats/mapped.h"

#define LOCUM_MAPPED_SLOTS 16 /* files that are open at a time */

typedef struct locum_mapped_file {
    char *path;
    int64_t first, n_samples, n_frames; /**< place of its first sample */
    double *time;                       /**< as in the facts */
    bool time_of_sample;
    char **group;
} locum_mapped_file;

/* an open file; changes while the dataset is read */
typedef struct locum_mapped_slot {
    int file; /**< -1 = empty */
    hid_t id;
    int descriptor;      /**< of the same file, for values that lie in one piece; -1 = none */
    int64_t used, group; /**< when it was used last; sample whose group the arrays are of, -1 = no groups */
    hid_t arrays[LOCUM_MAPPED_ARRAYS];       /**< -1 = not open */
    bool chunk_a_frame[LOCUM_MAPPED_ARRAYS]; /**< a chunk is a frame, not packed, in our byte order */
    haddr_t address[LOCUM_MAPPED_ARRAYS];    /**< of values in one piece and our byte order, else HADDR_UNDEF */
} locum_mapped_slot;

typedef struct locum_mapped {
    int n_arrays, n_axes, n_files;
    int64_t n[3];
    locum_mapped_array arrays[LOCUM_MAPPED_ARRAYS];
    locum_mapped_file *files; /**< [n_files] */
    double time_step;
    locum_mapped_slot slots[LOCUM_MAPPED_SLOTS];
    int64_t clock;
    void *scratch; /**< [scratch_bytes], grows to the largest read that needs its axes moved */
    int64_t scratch_bytes;
} locum_mapped;

/** Closes every open file. Local. */
void locum_mapped_close_files(locum_mapped *mapped);
/** The file and the sample in it of a place. Local. */
int locum_mapped_find_file(const locum_mapped *mapped, int64_t place);
/** As locum_reader_type.read. */
locum_status locum_mapped_read(void *self, int64_t place, int64_t frame, int64_t n_frames, int array, int64_t first,
                               int64_t n, void *values);

#endif
