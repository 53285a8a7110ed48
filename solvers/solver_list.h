/* SPDX-License-Identifier: BSD-3-Clause */
/* solver_list.h - the solvers of this program: `extern const locum_solver_type locum_solver_<name>`, one a line. */
#ifndef SOLVERS_SOLVER_LIST_H
#define SOLVERS_SOLVER_LIST_H

#include "locum/dev/solver.h"
#include "solvers/external/external.h" /* made for each study: not in the list */

#define LOCUM_SOLVERS(X) X(navier_stokes) X(darcy)

#define LOCUM_SOLVER_EXTERN(name) extern const locum_solver_type locum_solver_##name;
LOCUM_SOLVERS(LOCUM_SOLVER_EXTERN)
#undef LOCUM_SOLVER_EXTERN

#endif
