/* SPDX-License-Identifier: BSD-3-Clause */
/* darcy_system.c - the linear system of a sample, and its solution by conjugate gradients with multigrid.
 *
 * Cell P balances what flows out through its four faces with its source; times the cell's area h^2:
 *
 *      sum over neighbours N of  t (u_P - u_N)  +  2 a_P u_P for each wall  =  f h^2,      t = 2 a_P a_N / (a_P + a_N)
 *
 * Symmetric, positive definite, five entries a row; rows lie on the ranks as the cells do. The linear solver is made anew
 * for every sample: nothing of one sample can reach the next. */
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/parallel/comm.h"
#include "darcy_internal.h"

enum {
    TRIAL = 64
}; /* cells along an axis of the problem that options are tried on: multigrid has several levels there */

locum_status locum_darcy_system_create(MPI_Comm comm, int64_t n, int64_t rows, darcy_system *system)
{
    const PetscInt mine = (PetscInt)(rows * n), all = (PetscInt)(n * n);
    Mat *matrix = &system->matrix;
    LOCUM_TRY(PETSC_STATUS(MatCreateAIJ(comm, mine, mine, all, all, 5, NULL, 2, NULL, matrix)));
    LOCUM_TRY(PETSC_STATUS(MatSetOption(*matrix, MAT_SPD, PETSC_TRUE)));
    LOCUM_TRY(PETSC_STATUS(MatSetOption(*matrix, MAT_SPD_ETERNAL, PETSC_TRUE)));
    LOCUM_TRY(PETSC_STATUS(MatSetOption(*matrix, MAT_NO_OFF_PROC_ENTRIES, PETSC_TRUE)));
    LOCUM_TRY(PETSC_STATUS(MatCreateVecs(*matrix, &system->solution, &system->right)));
    return PETSC_STATUS(VecDuplicate(system->right, &system->work));
}

void locum_darcy_system_destroy(darcy_system *system)
{
    PetscErrorCode codes[] = {VecDestroy(&system->work), VecDestroy(&system->right), VecDestroy(&system->solution),
                              MatDestroy(&system->matrix)};
    (void)codes;
}

/* one row of the matrix: the cell (i, j), with a at its place in the field */
static int balance(int64_t n, int64_t i, int64_t j, const double *a, PetscInt columns[5], PetscScalar values[5])
{
    const int64_t cell = i * n + j;
    const int64_t step[4] = {-n, -1, 1, n};
    const bool wall[4] = {i == 0, j == 0, j == n - 1, i == n - 1};
    double diagonal = 0;
    int count = 0;
    for (int face = 0; face < 4; face++) {
        if (wall[face]) {
            diagonal += 2 * a[0];
            continue;
        }
        double t = harmonic(a[0], a[step[face]]);
        diagonal += t;
        columns[count] = (PetscInt)(cell + step[face]);
        values[count++] = -t;
    }
    columns[count] = (PetscInt)cell;
    values[count++] = diagonal;
    return count;
}

locum_status locum_darcy_system_fill(darcy_system *system, int64_t n, int64_t first, int64_t rows, const double *a,
                                     const double *scaled_source)
{
    PetscInt columns[5];
    PetscScalar values[5], *right = NULL;
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < n; j++) {
            PetscInt row = (PetscInt)((first + i) * n + j);
            int count = balance(n, first + i, j, a + (i + 1) * n + j, columns, values);
            LOCUM_TRY(PETSC_STATUS(MatSetValues(system->matrix, 1, &row, count, columns, values, INSERT_VALUES)));
        }
    LOCUM_TRY(PETSC_STATUS(MatAssemblyBegin(system->matrix, MAT_FINAL_ASSEMBLY)));
    LOCUM_TRY(PETSC_STATUS(MatAssemblyEnd(system->matrix, MAT_FINAL_ASSEMBLY)));
    LOCUM_TRY(PETSC_STATUS(VecGetArrayWrite(system->right, &right)));
    memcpy(right, scaled_source, (size_t)(rows * n) * sizeof *right);
    return PETSC_STATUS(VecRestoreArrayWrite(system->right, &right));
}

/* what the study chooses; its `petsc` options come last and win */
static locum_status configure(KSP solver, const locum_darcy_config *config)
{
    static const char *const types[] = {
        [LOCUM_DARCY_GAMG] = PCGAMG, [LOCUM_DARCY_HYPRE] = PCHYPRE, [LOCUM_DARCY_JACOBI] = PCJACOBI};
    PC preconditioner;
    LOCUM_TRY(PETSC_STATUS(KSPSetType(solver, KSPCG)));
    LOCUM_TRY(PETSC_STATUS(KSPSetNormType(solver, KSP_NORM_UNPRECONDITIONED)));
    LOCUM_TRY(PETSC_STATUS(
        KSPSetTolerances(solver, config->tolerance, PETSC_DEFAULT, PETSC_DEFAULT, config->most_iterations)));
    LOCUM_TRY(PETSC_STATUS(KSPGetPC(solver, &preconditioner)));
    LOCUM_TRY(PETSC_STATUS(PCSetType(preconditioner, types[config->preconditioner])));
    return PETSC_STATUS(KSPSetFromOptions(solver));
}

static locum_status measure_residual(darcy_system *system, double *residual)
{
    PetscReal left = 0, whole = 0;
    LOCUM_TRY(PETSC_STATUS(MatMult(system->matrix, system->solution, system->work)));
    LOCUM_TRY(PETSC_STATUS(VecAYPX(system->work, -1, system->right)));
    LOCUM_TRY(PETSC_STATUS(VecNorm(system->work, NORM_2, &left)));
    LOCUM_TRY(PETSC_STATUS(VecNorm(system->right, NORM_2, &whole)));
    *residual = whole > 0 ? left / whole : left;
    return LOCUM_OK;
}

locum_status locum_darcy_system_solve(darcy_system *system, const locum_darcy_config *config, darcy_outcome *outcome)
{
    KSP solver = NULL;
    PetscInt iterations = 0;
    MPI_Comm comm = PetscObjectComm((PetscObject)system->matrix);
    locum_status st = PETSC_STATUS(KSPCreate(comm, &solver));
    if (!st) st = configure(solver, config);
    if (!st) st = PETSC_STATUS(KSPSetOperators(solver, system->matrix, system->matrix));
    if (!st) st = PETSC_STATUS(KSPSolve(solver, system->right, system->solution));
    if (!st) st = PETSC_STATUS(KSPGetConvergedReason(solver, &outcome->reason));
    if (!st) st = PETSC_STATUS(KSPGetIterationNumber(solver, &iterations));
    outcome->iterations = (int)iterations;
    if (!st) st = measure_residual(system, &outcome->residual);
    PetscErrorCode code = KSPDestroy(&solver);
    return st ? st : PETSC_STATUS(code);
}

/* a = f = 1 on TRIAL x TRIAL cells */
static locum_status solve_trial(const locum_solver *s, darcy_system *system, double *field, int64_t first, int64_t rows)
{
    darcy_outcome outcome;
    LOCUM_TRY(locum_darcy_system_create(s->comm, TRIAL, rows, system));
    LOCUM_TRY(locum_darcy_system_fill(system, TRIAL, first, rows, field, field));
    LOCUM_TRY(locum_darcy_system_solve(system, &s->config, &outcome));
    return locum_darcy_options_left(s->options);
}

locum_status locum_darcy_try_options(const locum_solver *s)
{
    const int64_t first = (int64_t)TRIAL * s->rank / s->size, rows = (int64_t)TRIAL * (s->rank + 1) / s->size - first;
    darcy_system system = {0};
    double *field = NULL;
    locum_status st = LOCUM_NEW(&field, (rows + 2) * TRIAL);
    for (int64_t i = 0; !st && i < (rows + 2) * TRIAL; i++) field[i] = 1;
    st = locum_comm_agree(s->comm, st);
    if (!st) {
        st = locum_darcy_enter(s->options);
        if (!st) {
            st = solve_trial(s, &system, field, first, rows);
            locum_darcy_system_destroy(&system);
            locum_darcy_leave();
        }
        st = locum_comm_agree(s->comm, st);
    }
    free(field);
    return st;
}

/* the solution out of PETSc's vector into the rows of the field */
static locum_status take_solution(locum_state *state)
{
    const locum_solver *s = state->solver;
    const PetscScalar *values = NULL;
    LOCUM_TRY(PETSC_STATUS(VecGetArrayRead(state->system.solution, &values)));
    memcpy(state->u + s->n, values, (size_t)(s->rows * s->n) * sizeof *values);
    return PETSC_STATUS(VecRestoreArrayRead(state->system.solution, &values));
}

static locum_status judge(const locum_state *state, const darcy_outcome *outcome)
{
    const locum_darcy_config *c = &state->config;
    LOCUM_REQUIRE(outcome->reason > 0, LOCUM_CONVERGENCE,
                  "darcy: the linear solver did not converge: %s after %d iterations, residual %.3g of the source "
                  "(tolerance %g, most_iterations %d)",
                  KSPConvergedReasons[outcome->reason], outcome->iterations, outcome->residual, c->tolerance,
                  c->most_iterations);
    return LOCUM_OK;
}

locum_status locum_darcy_advance(const locum_solver *s, locum_state *state, double t_end)
{
    darcy_outcome outcome = {0};
    const double area = 1 / ((double)s->n * (double)s->n);
    (void)t_end;
    for (int64_t i = 0; i < s->rows * s->n; i++) state->scaled[i] = state->f[i] * area;
    locum_status st = locum_darcy_enter(s->options);
    if (!st) {
        st = locum_darcy_system_fill(&state->system, s->n, s->first, s->rows, state->a, state->scaled);
        if (!st) st = locum_darcy_system_solve(&state->system, &s->config, &outcome);
        if (!st) st = take_solution(state);
        locum_darcy_leave();
    }
    if (!st) st = judge(state, &outcome);
    LOCUM_TRY(locum_comm_agree(s->comm, st));
    state->globals[ARRAY_ITERATIONS] = outcome.iterations;
    state->globals[ARRAY_RESIDUAL] = outcome.residual;
    locum_darcy_halo(s, state->u);
    return locum_darcy_measure(state);
}
