/* SPDX-License-Identifier: BSD-3-Clause */
/* predict_solver.h - the solver of a run directory's study, in the place of a model of fields for one row. */
#ifndef CLI_PREDICT_SOLVER_H
#define CLI_PREDICT_SOLVER_H

#include "cli/predict.h"

typedef struct predict_solver predict_solver;

/** MODEL must be a run directory whose study has a solver (LOCUM_STUDY). Initialises MPI. */
locum_status predict_solver_open(const locum_model *model, const arguments *a, predict_solver **solver);
/** What the model would give for these values: of a step the frame one interval after the latest of the window (fields by
 *  input port), of a map its outputs. frame [n_outputs][extent]: overwritten. LOCUM_NUMERIC if the solver gives up. */
locum_status predict_solver_solve(predict_solver *solver, int n_values, const char *const *names, const double *values,
                                  double *const *window, float *const *frame);
/** Adds values and time to flagged.csv of the run. */
locum_status predict_solver_log(const predict_solver *solver, int n_values, const char *const *names,
                                const double *values, double time);
void predict_solver_close(predict_solver *solver); /* NULL-safe */

#endif
