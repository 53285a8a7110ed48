/* SPDX-License-Identifier: BSD-3-Clause */
/* synthetic.h - datasets whose every value is a formula of its place, so that a test knows what must come back.
 *
 *   value(sample, frame, array, i) = sin(1 + sample + 3 frame + 7 array + 0.1 i)      id: integers, scattered
 *
 * grid 2-D: vorticity, velocity on 6 x 10; grid 3-D: temperature, velocity on 4 x 3 x 5; with both: energy,
 * momentum (a global vector), spectrum (whole on every rank), profile (parts on the ranks), particles {id,
 * position} whose number changes. */
#ifndef TESTS_UNIT_DATASETS_SYNTHETIC_H
#define TESTS_UNIT_DATASETS_SYNTHETIC_H

#include <mpi.h>

#include "datasets/store/store.h"

typedef enum synthetic_kind { SYNTHETIC_GRID_2, SYNTHETIC_GRID_3, SYNTHETIC_ROWS } synthetic_kind;

extern const char *const synthetic_parameter[2];
extern const char *const synthetic_unit[2];

/** The schema of a kind; static storage. */
const locum_schema *synthetic_schema(synthetic_kind kind);
/** What every file of the tests says. */
locum_store_facts synthetic_facts(void);
/** Number of particles of a frame: changes, and is 0 now and then. */
int64_t synthetic_particles(int64_t sample, int64_t frame);
/** Value i (flat, whole array) of an array. */
double synthetic_value(int64_t sample, int64_t frame, int array, int64_t i);
/** A frame's part of this rank; synthetic_frame_free. */
locum_frame *synthetic_frame(synthetic_kind kind, int64_t sample, int64_t frame, int rank, int size);
void synthetic_frame_free(locum_frame *frame);
/** Writes one sample of n frames (or one that fails with `result` after n frames). Collective. */
locum_status synthetic_sample(locum_shard *shard, synthetic_kind kind, const locum_store_sample *sample,
                              int64_t n_frames, locum_status result, int rank, int size);
/** A whole shard: samples first .. first + n of one split; the sample `fails` fails (-1 = none). Committed.
 * Collective. */
locum_status synthetic_shard(const char *path, MPI_Comm comm, synthetic_kind kind, locum_type precision,
                             locum_split split, int64_t first, int64_t n, int64_t n_frames, int64_t fails, int64_t cap);
/** A folder for the files of one test program, below the current directory; empty. Collective. */
const char *synthetic_folder(const char *name);

#endif
