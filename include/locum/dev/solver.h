/* SPDX-License-Identifier: BSD-3-Clause */
/* solver.h - everything that turns (parameters, initial state) into frames.
 *
 * The reference code, the same code made cheaper, somebody else's program and a trained surrogate all wear
 * this interface; no driver asks which one it has. A solver writes no file, prints nothing and reads no text.
 * After create the solver object is const: what changes, scratch included, lives in the state.
 *
 * Life:  create -> schema -> { start -> { advance* -> observe }* } per sample -> free_state -> destroy */
#ifndef LOCUM_DEV_SOLVER_H
#define LOCUM_DEV_SOLVER_H

#include <mpi.h>
#include <stdbool.h>

#include "locum/dev/frame.h"
#include "locum/dev/option.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct locum_solver locum_solver; /* each solver defines its own; only it looks inside */
typedef struct locum_state locum_state;

/* What conformance tests of this solver demand. */
typedef enum locum_reproducible {
    LOCUM_BITS_ANY_RANKS,  /* the same bits on any number of ranks */
    LOCUM_BITS_SAME_RANKS, /* the same bits when repeated or resumed on as many ranks */
    LOCUM_ROUNDOFF         /* to round-off only */
} locum_reproducible;

/* One array of one frame in a file that a program wrote: [shape] at frame -1, [n_frames, shape] else. A CSV file has a
 * line for each frame, and the columns `name` or `name[0]`, `name[1]`, ... */
typedef struct locum_file_array {
    const char *path, *format; /**< "hdf5" or "csv" */
    const char *name;
    int n_dims;
    int64_t shape[4];        /**< axes, then components; n_dims 0 = one value */
    int64_t frame, n_frames; /**< one of n_frames along the first axis; frame -1: the file holds one frame */
    int64_t first, n;        /**< planes of shape[0] that are wanted */
} locum_file_array;

/* What a solver may ask of its host; any pointer may be NULL. */
typedef struct locum_services {
    void *self;
    void (*log)(void *self, const char *text); /**< one line for the log, from any rank */
    const char *folder;                        /**< where files of programs may stay; NULL: nowhere */
    /** true: end soon, and return LOCUM_STOPPED from what takes long. Cheap; local. */
    bool (*stop)(void *self);
    /** Reads an array -> values. LOCUM_INPUT: no such array, or of another shape; LOCUM_DAMAGED: a file that was cut
     *  off; LOCUM_CONVERGENCE: fewer frames than n_frames. Local. */
    locum_status (*read)(void *self, const locum_file_array *array, double *values);
} locum_services;

typedef struct locum_cost {
    double operations;     /**< floating-point operations per unit of time (or of the whole sample if timeless) */
    double steps;          /**< expected steps per unit of time, 1 if timeless */
    double bytes_per_rank; /**< memory of solver and one state */
} locum_cost;

typedef struct locum_solver_type {
    const char *name, *summary;
    const locum_option *options; /**< of the block `solver`, without `name` */
    const locum_option *initial; /**< of the block `initial`: choices of "name"; same config. NULL = none */
    size_t config_size;
    locum_reproducible reproducible;

    /* required; create, start, advance, observe are collective on the solver's communicator */
    locum_status (*create)(const void *config, const locum_services *services, MPI_Comm comm, locum_solver **solver);
    const locum_schema *(*schema)(const locum_solver *solver); /* local */
    /** Begins a sample; reuses *state if it is not NULL (a state of the same solver). */
    locum_status (*start)(const locum_solver *solver, const locum_sample *sample, locum_state **state);
    /** ONE step, not past t_end. Timeless: all its work. Sets what time() and step() answer. */
    locum_status (*advance)(const locum_solver *solver, locum_state *state, double t_end);
    /** Fills frame->blocks where wanted[array]; data are lent until the next call on this state. */
    locum_status (*observe)(const locum_solver *solver, locum_state *state, const bool *wanted, locum_frame *frame);
    double (*time)(const locum_state *state); /* local */
    void (*free_state)(locum_state *state);   /* NULL-safe */
    void (*destroy)(locum_solver *solver);    /* NULL-safe */

    /* optional */
    locum_status (*setup)(MPI_Comm world); /**< once per process, before groups split */
    void (*finish)(void);
    locum_status (*estimate)(const void *config, int ranks, locum_cost *cost); /**< local */
    /** A frame on another grid -> this solver's grid (required of grid solvers). `in` holds the whole rows
     *  of its even slice along x; out->blocks are filled for the arrays that `in` has, lent until destroy. */
    locum_status (*resample)(const locum_solver *solver, const locum_frame *in, locum_frame *out);
    /** Checks a config beyond ranges (factors of a resolution, options that exclude each other). Local. */
    locum_status (*check)(const void *config);
} locum_solver_type;

#ifdef __cplusplus
}
#endif
#endif
