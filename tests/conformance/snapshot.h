/* SPDX-License-Identifier: BSD-3-Clause */
/* snapshot.h - a frame gathered whole on every rank, in an order that does not depend on ranks: grids row-major,
 * rows by their place or, where the domain has an array "id", by that. Values are doubles, bits untouched. */
#ifndef TESTS_CONFORMANCE_SNAPSHOT_H
#define TESTS_CONFORMANCE_SNAPSHOT_H

#include <mpi.h>
#include <signal.h>

#include "datasets/campaign/campaign.h"

enum { SNAPSHOT_ARRAYS = 24 };

typedef struct snapshot {
    double time;
    int n_arrays;
    int64_t n[SNAPSHOT_ARRAYS];     /**< values; 0 = not in the frame */
    double *value[SNAPSHOT_ARRAYS]; /**< owned */
    bool covered;                   /**< each value was given by exactly one rank (globals: the same by all) */
} snapshot;

/** Collective. */
snapshot snapshot_take(MPI_Comm comm, const locum_frame *frame, const bool *wanted);
void snapshot_free(snapshot *s);
/** Largest difference over the largest value of each array; 0 only if all bits are the same; INFINITY if they differ
 *  in shape. */
double snapshot_distance(const snapshot *a, const snapshot *b);
bool snapshot_finite(const snapshot *s);

/* A sink that keeps all frames of a sample. */
enum { CAPTURE_FRAMES = 64 };
typedef struct capture {
    MPI_Comm comm;
    bool wanted[SNAPSHOT_ARRAYS];
    int n;
    snapshot frames[CAPTURE_FRAMES];
    locum_status result;
} capture;

locum_sink capture_sink(capture *c);
void capture_free(capture *c);

/* Asks a run to stop, from a step on. */
typedef struct interrupter {
    volatile sig_atomic_t raised;
    int64_t at;
} interrupter;

/** locum_drive into c until i interrupts; of `run` what belongs to the solver, the record and the restart file
 *  ("" = none). Collective. */
locum_status capture_drive(const locum_drive_call *run, capture *c, interrupter *i, locum_state **state);

#endif
