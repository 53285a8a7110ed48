/* SPDX-License-Identifier: BSD-3-Clause */
/* as_solver.h - a trained surrogate behind the solver interface, its schema read from its model; no driver sees a
 * difference to a solver that integrates. The options are one PARAMETER per input that is a single value, so a table is
 * made for each model.
 *
 *     config   the handle of the model (a hidden option, 8 bytes); double value[n_values], in the order of the ports
 *
 * map    timeless. Arrays: the outputs. Input fields come with the sample's initial frame, by name.
 * step   advances by the model's interval, no less. Arrays: the fields (STATE and OBSERVABLE) and, if the model sees h
 *        frames, FIELD_past_1 (one interval before) .. FIELD_past_<h - 1> (STATE and COSTLY). The initial frame holds
 *        FIELD and all FIELD_past_<i>; what observe gives is such a frame, so runs restart bit for bit.
 *
 * Every rank evaluates the whole row and lends its even slice along x: the bits do not depend on the ranks. A frame on
 * another grid is refused (LOCUM_STUDY, both grids named): a network knows its own grid only. A prediction that blows up
 * (locum/model.h) is LOCUM_NUMERIC with the step. */
#ifndef SURROGATE_AS_SOLVER_AS_SOLVER_H
#define SURROGATE_AS_SOLVER_AS_SOLVER_H

#include "locum/dev/solver.h"
#include "locum/model.h"

typedef struct locum_surrogate_solver locum_surrogate_solver;

/** Wraps an open model (lent). Values become LOCUM_GLOBAL arrays, profiles and spectra LOCUM_ROWS domains with the axes
 *  of the model, fields of 2 or 3 axes lie on one LOCUM_GRID domain "grid". An option is named like its input, with '_'
 *  for '.'. LOCUM_NOT_BUILT for fields on several grids. Local. */
locum_status locum_surrogate_solver_create(const locum_model *model, locum_surrogate_solver **surrogate);
/** Valid until destroy. Local. */
const locum_solver_type *locum_surrogate_solver_type(const locum_surrogate_solver *surrogate);
/** A config of type->config_size bytes, inputs in the middle of their ranges: copied, then filled in. A config
 *  that settings made from the type's table is as good. Lent. Local. */
const void *locum_surrogate_solver_config(const locum_surrogate_solver *surrogate);
void locum_surrogate_solver_destroy(locum_surrogate_solver *surrogate); /* NULL-safe */

#endif
