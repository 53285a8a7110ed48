/* SPDX-License-Identifier: BSD-3-Clause */
/* darcy_not_built.c - stands in the list of solvers where PETSc was not found: its options can be described, all else
 * answers LOCUM_NOT_BUILT with what to install. */
#include "darcy_config.h"
#include "locum/dev/error.h"

static locum_status not_built(void)
{
    return LOCUM_FAIL(LOCUM_NOT_BUILT,
                      "darcy was not built: it needs PETSc 3.18 or newer with real numbers (Debian: apt install "
                      "libpetsc-real-dev), then build again");
}

static locum_status check(const void *config)
{
    (void)config;
    return not_built();
}

static locum_status create(const void *config, const locum_services *services, MPI_Comm comm, locum_solver **solver)
{
    (void)config;
    (void)services;
    (void)comm;
    *solver = NULL;
    return not_built();
}

static const locum_schema *schema(const locum_solver *solver)
{
    (void)solver;
    return NULL;
}

static locum_status start(const locum_solver *solver, const locum_sample *sample, locum_state **state)
{
    (void)solver;
    (void)sample;
    (void)state;
    return not_built();
}

static locum_status advance(const locum_solver *solver, locum_state *state, double t_end)
{
    (void)solver;
    (void)state;
    (void)t_end;
    return not_built();
}

static locum_status observe(const locum_solver *solver, locum_state *state, const bool *wanted, locum_frame *frame)
{
    (void)solver;
    (void)state;
    (void)wanted;
    (void)frame;
    return not_built();
}

static double time_of(const locum_state *state)
{
    (void)state;
    return 0;
}

static void free_state(locum_state *state)
{
    (void)state;
}

static void destroy(locum_solver *solver)
{
    (void)solver;
}

const locum_solver_type locum_solver_darcy = {.name = "darcy",
                                              .summary = LOCUM_DARCY_SUMMARY " (not built: no PETSc)",
                                              .options = locum_darcy_options,
                                              .initial = locum_darcy_initial_options,
                                              .config_size = sizeof(locum_darcy_config),
                                              .reproducible = LOCUM_BITS_SAME_RANKS,
                                              .create = create,
                                              .schema = schema,
                                              .start = start,
                                              .advance = advance,
                                              .observe = observe,
                                              .time = time_of,
                                              .free_state = free_state,
                                              .destroy = destroy,
                                              .check = check};
