/* SPDX-License-Identifier: BSD-3-Clause */
/* log.h - one log for a program: lines for people, progress of long work, and metrics for machines. No MPI: rank 0
 * opens it, other ranks have a closed log that drops everything. */
#ifndef CORE_STUDY_LOG_H
#define CORE_STUDY_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "locum/dev/error.h"

typedef enum { LOCUM_LOG_QUIET, LOCUM_LOG_NORMAL, LOCUM_LOG_VERBOSE } locum_log_level;

typedef struct locum_log locum_log; /* NULL is a closed log: every call accepts it */

locum_status locum_log_create(locum_log_level level, locum_log **log); /* writes to stderr */
locum_status locum_log_file(locum_log *log, const char *path);         /* appends to log.txt too, with time stamps */
void locum_log_destroy(locum_log *log);
void locum_log_line(locum_log *log, const char *format, ...) LOCUM_PRINTF(2, 3);
void locum_log_detail(locum_log *log, const char *format, ...) LOCUM_PRINTF(2, 3); /* only if verbose */
void locum_log_warn(locum_log *log, const char *format, ...) LOCUM_PRINTF(2, 3);

/* Progress: a bar with time left on a terminal, a plain line every few seconds elsewhere.
 * "[#####     ]  42 %  12/30  1m03s left  text"; the progress must not move between begin and end: the log points to
 * it. */
typedef struct locum_progress {
    locum_log *log;
    char what[64];
    double total, done, already; /**< units of the caller; already: done before this process began */
    double started, printed,
        filed;  /**< seconds of the monotonic clock: begin, last bar or line, last line in the file */
    bool drawn; /**< a bar stands on the terminal */
} locum_progress;
void locum_progress_begin(locum_progress *progress, locum_log *log, const char *what, double total, double already);
void locum_progress_update(locum_progress *progress, double done, const char *format, ...) LOCUM_PRINTF(3, 4);
void locum_progress_end(locum_progress *progress);

/* metrics.jsonl: one JSON object a line; the caller gives the members without braces. Opened for appending (a torn last
 * line is cut off first) or anew. Each line is one write(2): a kill leaves whole lines. nan and inf become null. */
typedef struct locum_metrics locum_metrics;
locum_status locum_metrics_create(const char *path, bool append, locum_metrics **metrics);
locum_status locum_metrics_add(locum_metrics *metrics, const char *format, ...) LOCUM_PRINTF(2, 3);
void locum_metrics_destroy(locum_metrics *metrics);

double locum_clock(void); /* monotonic seconds */
/** Processor seconds of the calling thread, and of the programs that it started and that have ended: what others on the
 *  machine do not lengthen. For figures that are compared; budgets take locum_clock(). */
double locum_work_clock(void);

#endif
