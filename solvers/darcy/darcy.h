/* SPDX-License-Identifier: BSD-3-Clause */
/* darcy.h - the options of the solver of steady flow through a porous medium on the unit square.
 *
 *      -div(a grad u) = f,   u = 0 on the sides;   N x N cells, second order, multigrid by PETSc      (THEORY.md)
 *
 * Arrays: coefficient, solution, source [N, N] at cell centres, flux [N, N, 2] = -a grad u, and scalars. No time. */
#ifndef SOLVERS_DARCY_DARCY_H
#define SOLVERS_DARCY_DARCY_H

#include <stdint.h>

#include "locum/dev/option.h"
#include "locum/dev/solver.h"

typedef enum locum_darcy_preconditioner {
    LOCUM_DARCY_GAMG,
    LOCUM_DARCY_HYPRE,
    LOCUM_DARCY_JACOBI
} locum_darcy_preconditioner;

typedef enum locum_darcy_initial {
    LOCUM_DARCY_THRESHOLDED,
    LOCUM_DARCY_LOGNORMAL,
    LOCUM_DARCY_CONSTANT,
    LOCUM_DARCY_FILE
} locum_darcy_initial;

typedef struct locum_darcy_config {
    /* block `solver` */
    int32_t resolution;
    double source;
    int32_t preconditioner;
    double tolerance;
    int32_t most_iterations;
    int32_t n_petsc;
    char petsc[LOCUM_LIST_MAX][LOCUM_TEXT_SIZE]; /* "key value" */
    /* block `initial`: the coefficient */
    int32_t initial;
    double high, low;         /* thresholded */
    double alpha, tau;        /* thresholded and lognormal */
    int32_t waves;            /* thresholded and lognormal */
    double median, deviation; /* lognormal */
    double value;             /* constant */
    char file[LOCUM_PATH_SIZE], dataset[LOCUM_TEXT_SIZE], format[LOCUM_TEXT_SIZE];
} locum_darcy_config;

extern const locum_solver_type locum_solver_darcy;

#endif
