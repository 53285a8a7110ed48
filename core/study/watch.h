/* SPDX-License-Identifier: BSD-3-Clause */
/* watch.h - reasons to stop early: SIGUSR1, a file named `stop` in the run directory, limits.wall_time. Local.
 * A collective loop folds the answer into a reduction that it makes anyway, so that all ranks stop at the
 * same step. */
#ifndef CORE_STUDY_WATCH_H
#define CORE_STUDY_WATCH_H

#include <signal.h>
#include <stdbool.h>

#include "locum/dev/option.h"

typedef struct locum_limits_config {
    double wall_time; /**< seconds, NAN = none */
    double memory;    /**< bytes a process may use, NAN = none; checked by --dry-run */
} locum_limits_config;
extern const locum_option locum_limits_options[];

typedef struct locum_watch {
    const volatile sig_atomic_t *signal; /**< set by the program's handler; NULL = none */
    char stop_file[LOCUM_PATH_SIZE];     /**< "" = none */
    double deadline;                     /**< locum_clock() seconds; INFINITY = none */
    double looked;                       /**< when the file was last looked for */
} locum_watch;

void locum_watch_begin(locum_watch *watch, const volatile sig_atomic_t *signal, const char *stop_file,
                       double wall_time);
/** NULL = go on; else the reason, for the log. The file is looked for at most once a second. `watch` may be NULL. */
const char *locum_watch_reason(locum_watch *watch);

#endif
