/* SPDX-License-Identifier: BSD-3-Clause */
/* darcy_config.h - the option tables and what can be said without PETSc: shared by the solver and by what stands in its
 * place where PETSc was not found. */
#ifndef SOLVERS_DARCY_DARCY_CONFIG_H
#define SOLVERS_DARCY_DARCY_CONFIG_H

#include "solvers/darcy/darcy.h"

#define LOCUM_DARCY_SUMMARY "steady flow through a porous medium on the unit square, -div(a grad u) = f, multigrid"

extern const locum_option locum_darcy_options[], locum_darcy_initial_options[];

/** Checks what ranges cannot say. Local. */
locum_status locum_darcy_check(const void *config);
/** Expected cost of one sample. Local. */
locum_status locum_darcy_estimate(const void *config, int ranks, locum_cost *cost);

#endif
