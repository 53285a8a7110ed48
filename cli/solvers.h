/* SPDX-License-Identifier: BSD-3-Clause */
/* solvers.h - the solvers that a study may name: those of the program, `external` with the study's own parameters and
 * fields, or the one of a plug-in. */
#ifndef CLI_SOLVERS_H
#define CLI_SOLVERS_H

#include "core/study/study.h"
#include "locum/dev/solver.h"

enum { SOLVERS_MAX = 32 };

typedef struct solver_set {
    const locum_solver_type *list[SOLVERS_MAX]; /**< NULL-terminated */
    locum_solver_type *external;                /**< owned; NULL = the study names another solver */
    void *library;                              /**< owned; NULL = no plug-in */
    locum_solver_type *plugin;                  /**< owned; its solver with the option `plugin` */
    locum_option *options;                      /**< owned; of that */
} solver_set;                                   /* starts as {0} */

/** The solvers of this build [NULL-terminated]. */
const locum_solver_type *const *solvers_built(void);
/** The list for a study. LOCUM_STUDY, LOCUM_INPUT with the place. Local. */
locum_status solvers_open(const locum_study *study, solver_set *set);
/** The list of a plug-in alone. LOCUM_INPUT: missing, no plug-in, another version, a descriptor that is not sound.
 *  Local. */
locum_status solvers_load(const char *path, solver_set *set);
void solvers_close(solver_set *set);
/** Does the word name a file rather than a solver? Local. */
bool solvers_is_plugin(const char *word);

#endif
