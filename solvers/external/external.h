/* SPDX-License-Identifier: BSD-3-Clause */
/* external.h - somebody else's program as a solver.
 *
 *     solver:
 *       name: external
 *       run: python3 {study}/rod.py --in {parameters}       started once a sample, in a folder of its own
 *       frames: out_*.h5                                    what it leaves there
 *       parameters: {conductivity: 1e-3, length: 2 m}       its parameters with their usual values and units
 *       fields: {temperature: [64, 64], energy: 1}          what a frame holds, and its shape
 *
 * Names of parameters and fields are the study's, so its option table is made when the study is read: declare. */
#ifndef SOLVERS_EXTERNAL_EXTERNAL_H
#define SOLVERS_EXTERNAL_EXTERNAL_H

#include "locum/dev/solver.h"

enum { LOCUM_EXTERNAL_PARAMETERS = 32, LOCUM_EXTERNAL_FIELDS = 16 };

typedef struct locum_external_declaration {
    const char *folder;  /**< of the study: what relative programs and {study} mean */
    const char *program; /**< default of the option `program` */
    int n_parameters;
    const char *parameter[LOCUM_EXTERNAL_PARAMETERS], *unit[LOCUM_EXTERNAL_PARAMETERS];
    int n_fields;
    const char *field[LOCUM_EXTERNAL_FIELDS];
} locum_external_declaration;

/** A solver type with these parameters and fields. Texts are copied. LOCUM_STUDY: a name that means something else.
 *  locum_external_forget. Local. */
locum_status locum_external_declare(const locum_external_declaration *declaration, locum_solver_type **type);
void locum_external_forget(locum_solver_type *type); /* NULL-safe */

/* the type without parameters and fields: what `describe` and `new` show */
extern const locum_solver_type locum_solver_external;

#endif
