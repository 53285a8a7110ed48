/* SPDX-License-Identifier: BSD-3-Clause */
/* test_darcy_iterations.c - multigrid needs about as many iterations on 512^2 cells as on 64^2, in a uniform and in a
 * thresholded medium, with both kinds of it. */
#include "tests/physics/darcy/medium.h"

static int iterations(int n, int preconditioner, int initial)
{
    medium m;
    locum_darcy_config c = medium_config(n);
    c.preconditioner = preconditioner;
    c.initial = initial;
    c.tolerance = 1e-8;
    CHECK_OK(medium_solve(&m, &c, MPI_COMM_WORLD, 1, NULL));
    int count = (int)medium_value(&m, "iterations");
    CU_ASSERT(medium_value(&m, "residual") <= 2 * c.tolerance); /* the true one, not the recurrence's */
    medium_end(&m);
    return count;
}

/* the bound is the one that is asked of the solver; measured 8 to 9 (gamg), 6 to 6 and 7 to 9 (hypre) */
static void check_growth(int preconditioner)
{
    static const int media[] = {LOCUM_DARCY_CONSTANT, LOCUM_DARCY_THRESHOLDED};
    for (int i = 0; i < 2; i++) {
        const int coarse = iterations(64, preconditioner, media[i]), fine = iterations(512, preconditioner, media[i]);
        if (fine - coarse > 2 || check_scale() == 0) printf("\n    medium %d: %d, then %d", i, coarse, fine);
        CU_ASSERT(coarse > 1 && fine - coarse <= 2);
    }
}

static void gamg_iterations_hardly_grow_with_the_resolution(void)
{
    check_growth(LOCUM_DARCY_GAMG);
}

static void hypre_iterations_hardly_grow_with_the_resolution(void)
{
    check_growth(LOCUM_DARCY_HYPRE);
}

/* so that the claims above say something */
static void jacobi_iterations_double_with_the_resolution(void)
{
    const int coarse = iterations(32, LOCUM_DARCY_JACOBI, LOCUM_DARCY_CONSTANT);
    const int fine = iterations(64, LOCUM_DARCY_JACOBI, LOCUM_DARCY_CONSTANT);
    CHECK_CLOSE((double)fine / coarse, 2, 0.3);
}

MEDIUM_MAIN("darcy, iterations",
            {"gamg's iterations hardly grow with the resolution", gamg_iterations_hardly_grow_with_the_resolution},
            {"hypre's iterations hardly grow with the resolution", hypre_iterations_hardly_grow_with_the_resolution},
            {"jacobi's iterations double with the resolution", jacobi_iterations_double_with_the_resolution})
