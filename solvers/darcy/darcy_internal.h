/* SPDX-License-Identifier: BSD-3-Clause */
/* darcy_internal.h - what the files of this solver share.
 *
 * Cells are numbered row by row, x slowest; each rank has an even slice of the rows, which are also the rows of its part
 * of the matrix. Fields of a state have one row more on each side, of the neighbours (or unused at the walls):
 *
 *      a, u [1 + rows + 1][n]      value of cell (first + i, j) at (i + 1) * n + j */
#ifndef SOLVERS_DARCY_DARCY_INTERNAL_H
#define SOLVERS_DARCY_DARCY_INTERNAL_H

#include <petscksp.h>
#include <stdbool.h>

#include "darcy_config.h"
#include "locum/dev/error.h"
#include "solvers/numerics/analysis/resample.h"

/* arrays of the schema, in this order */
enum {
    ARRAY_COEFFICIENT,
    ARRAY_SOLUTION,
    ARRAY_FLUX,
    ARRAY_SOURCE,
    ARRAY_MEAN_SOLUTION,
    ARRAY_ENERGY,
    ARRAY_ITERATIONS,
    ARRAY_RESIDUAL,
    N_ARRAYS
};
enum { DOMAIN_GLOBAL, DOMAIN_GRID, N_DOMAINS };

struct locum_solver {
    locum_darcy_config config;
    MPI_Comm comm; /* borrowed */
    int rank, size;
    int64_t n, first, rows; /* cells along an axis; rows of this rank */
    PetscOptions options;   /* owned: what the study's `petsc` says, and nothing else */
    double *axis;           /* [n] cell centres */
    locum_domain domains[N_DOMAINS];
    locum_array arrays[N_ARRAYS];
    locum_schema schema;
    locum_lent **lent; /* list head, owned: resample() adds to it */
};

/* the linear system: flux balances of the cells, times h^2 */
typedef struct darcy_system {
    Mat matrix;
    Vec right, solution, work;
} darcy_system;

/* how the solution of a system went */
typedef struct darcy_outcome {
    int iterations;
    double residual; /* |b - A x| / |b| */
    KSPConvergedReason reason;
} darcy_outcome;

struct locum_state {
    const locum_solver *solver;
    locum_darcy_config config; /* of the sample */
    darcy_system system;
    double *a, *u;        /* [rows + 2][n] */
    double *f;            /* [rows][n] */
    double *scaled;       /* [rows][n] f h^2 */
    double *flux;         /* [rows][n][2] */
    double *waves, *half; /* [waves][n] cosines, and modes summed along y; NULL where the medium is no Gaussian field */
    double *partial;      /* [rows][2] sums of a row */
    double globals[N_ARRAYS];
};

/* darcy_petsc.c: PETSC_STATUS(call) is the status of a call of PETSc, with PETSc's own words as message. Between enter and
 * leave PETSc sees the solver's options alone, and its errors become statuses; they do not nest. */
locum_status locum_darcy_setup(MPI_Comm world);
void locum_darcy_finish(void);
locum_status locum_darcy_petsc_status(PetscErrorCode code);
#define PETSC_STATUS(call) locum_darcy_petsc_status(call)
/** PETSc's options from the study's texts "key value", and what we choose for `size` ranks. Local. */
locum_status locum_darcy_options_create(const locum_darcy_config *config, int size, PetscOptions *options);
/** LOCUM_STUDY, naming them, if PETSc did not ask for some of the options. Local. */
locum_status locum_darcy_options_left(PetscOptions options);
locum_status locum_darcy_enter(PetscOptions options);
void locum_darcy_leave(void);

/* darcy_system.c; all but destroy collective on comm, between enter and leave */
/** An n x n system, `rows` rows of cells on this rank. */
locum_status locum_darcy_system_create(MPI_Comm comm, int64_t n, int64_t rows, darcy_system *system);
/** a [rows + 2][n], scaled_source [rows][n], this rank's first row of cells -> matrix and right-hand side. */
locum_status locum_darcy_system_fill(darcy_system *system, int64_t n, int64_t first, int64_t rows, const double *a,
                                     const double *scaled_source);
/** Solves; a solution that was not reached is no failure here, see outcome->reason. */
locum_status locum_darcy_system_solve(darcy_system *system, const locum_darcy_config *config, darcy_outcome *outcome);
void locum_darcy_system_destroy(darcy_system *system);
/** Solves a small problem, so that wrong options show before any sample does. Enters and leaves by itself. */
locum_status locum_darcy_try_options(const locum_solver *solver);
locum_status locum_darcy_advance(const locum_solver *solver, locum_state *state, double t_end);

/* darcy_initial.c */
locum_status locum_darcy_start(const locum_solver *solver, const locum_sample *sample, locum_state **state);
void locum_darcy_free_state(locum_state *state);
/** Fills the rows of the neighbours of field [rows + 2][n]. Collective. */
void locum_darcy_halo(const locum_solver *solver, double *field);
/** This rank's part of an array as doubles; the caller frees it. Local. */
locum_status locum_darcy_copy_values(const locum_frame *frame, int array, double **values);

/* darcy_observe.c */
/** Face coefficient between two cells: the flux through both in a row is that through it. */
static inline double harmonic(double a, double b)
{
    return 2 * a * b / (a + b);
}
/** The scalars of the solution. Collective. */
locum_status locum_darcy_measure(locum_state *state);
locum_status locum_darcy_observe(const locum_solver *solver, locum_state *state, const bool *wanted,
                                 locum_frame *frame);

/* darcy_resample.c */
locum_status locum_darcy_resample(const locum_solver *solver, const locum_frame *in, locum_frame *out);

#endif
