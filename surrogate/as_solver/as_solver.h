/* SPDX-License-Identifier: BSD-3-Clause */
/* as_solver.h - a trained surrogate behind the solver interface: timeless, its schema read from its model. Options: `model` (path), and
 * one PARAMETER option per input; so a table is made for each model. */
#ifndef SURROGATE_AS_SOLVER_AS_SOLVER_H
#define SURROGATE_AS_SOLVER_AS_SOLVER_H

#include "locum/dev/solver.h"
#include "locum/model.h"

typedef struct locum_surrogate_solver locum_surrogate_solver;

/** Wraps an open model (lent). The type's config is an array of doubles, one per input value, in the order of the ports; inputs must be
 *  single values. Global outputs become LOCUM_GLOBAL arrays, profiles and spectra LOCUM_ROWS domains with the axes of the model. */
locum_status locum_surrogate_solver_create(const locum_model *model, locum_surrogate_solver **surrogate);
const locum_solver_type *locum_surrogate_solver_type(const locum_surrogate_solver *surrogate);
void locum_surrogate_solver_destroy(locum_surrogate_solver *surrogate);

#endif
