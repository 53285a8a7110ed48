/* SPDX-License-Identifier: BSD-3-Clause */
/* as_solver.h - a trained surrogate behind the solver interface: timeless, its schema read from its model. The
 * options are one PARAMETER per input, so a table is made for each model; no driver sees a difference to a
 * solver that integrates.
 *
 *     config   the handle of the model (a hidden option, 8 bytes); double value[n_inputs], in the order of the ports */
#ifndef SURROGATE_AS_SOLVER_AS_SOLVER_H
#define SURROGATE_AS_SOLVER_AS_SOLVER_H

#include "locum/dev/solver.h"
#include "locum/model.h"

typedef struct locum_surrogate_solver locum_surrogate_solver;

/** Wraps an open model (lent). Inputs must be single values (LOCUM_NOT_BUILT). Global outputs become
 *  LOCUM_GLOBAL arrays, profiles and spectra LOCUM_ROWS domains with the axes of the model. An option is named
 *  like its input, with '_' for '.'. Local. */
locum_status locum_surrogate_solver_create(const locum_model *model, locum_surrogate_solver **surrogate);
/** Valid until destroy. Local. */
const locum_solver_type *locum_surrogate_solver_type(const locum_surrogate_solver *surrogate);
/** A config of type->config_size bytes, inputs in the middle of their ranges: copied, then filled in. A config
 *  that settings made from the type's table is as good. Lent. Local. */
const void *locum_surrogate_solver_config(const locum_surrogate_solver *surrogate);
void locum_surrogate_solver_destroy(locum_surrogate_solver *surrogate); /* NULL-safe */

#endif
