/* SPDX-License-Identifier: BSD-3-Clause */
/* test_solvers.h - three minimal solvers that hold the interfaces in place: one without time, one whose rows change
 * ranks and number, one with a grid. They are small, but no mocks: each solves its problem, checks its input and can
 * fail for a reason. */
#ifndef TESTS_CONFORMANCE_SOLVERS_TEST_SOLVERS_H
#define TESTS_CONFORMANCE_SOLVERS_TEST_SOLVERS_H

#include "locum/dev/solver.h"

extern const locum_solver_type locum_solver_quadrature, locum_solver_free_particles, locum_solver_grid_advection;

#endif
