/* SPDX-License-Identifier: BSD-3-Clause */
/* predict_flagged.h - rows that the study's solver shall make instead of the model. */
#ifndef CLI_PREDICT_FLAGGED_H
#define CLI_PREDICT_FLAGGED_H

#include "cli/arguments.h"
#include "locum/model.h"

enum { FLAGGED_KINDS = 3 }; /* value, lower, upper */

typedef struct flagged_rows {
    const locum_model *model; /* all inputs single values */
    int64_t n;
    const int64_t *row;                    /* [n] */
    double *const *inputs;                 /* [n_inputs][rows] */
    double *const *outputs[FLAGGED_KINDS]; /* [n_outputs][rows, extent]: overwritten where solved */
    bool *solved;                          /* [rows]: set; a solver may fail */
} flagged_rows;

/** Solves the rows with the study of the run directory a->words[0] and adds them to its flagged.csv. LOCUM_STUDY if it is
 *  no run directory. Initialises MPI. */
locum_status predict_solve_flagged(const arguments *a, const flagged_rows *rows);

#endif
