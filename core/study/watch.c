/* SPDX-License-Identifier: BSD-3-Clause */
/* watch.c - reasons to stop early, cheap enough to be asked for at every step: a flag, a clock, once a second a file.
 */
#include "core/study/watch.h"

#include <math.h>
#include <stdio.h>
#include <unistd.h>

#include "core/study/log.h"

const locum_option locum_limits_options[] = {{.name = "wall_time",
                                              .type = LOCUM_F64,
                                              .place = offsetof(locum_limits_config, wall_time),
                                              .value = NAN,
                                              .min = 0,
                                              .max = INFINITY,
                                              .unit = "s",
                                              .text = "stop with a checkpoint after this time (exit code 75)",
                                              .flags = LOCUM_OPEN_MIN},
                                             {.name = "memory",
                                              .type = LOCUM_F64,
                                              .place = offsetof(locum_limits_config, memory),
                                              .value = NAN,
                                              .min = 0,
                                              .max = INFINITY,
                                              .unit = "B",
                                              .text = "what a process may use, e.g. 4 GB; --dry-run compares",
                                              .flags = LOCUM_OPEN_MIN},
                                             {0}};

void locum_watch_begin(locum_watch *watch, const volatile sig_atomic_t *signal, const char *stop_file, double wall_time)
{
    *watch = (locum_watch){.signal = signal, .deadline = INFINITY, .looked = -INFINITY};
    snprintf(watch->stop_file, sizeof watch->stop_file, "%s", stop_file ? stop_file : "");
    if (isfinite(wall_time)) watch->deadline = locum_clock() + wall_time;
}

const char *locum_watch_reason(locum_watch *watch)
{
    if (!watch) return NULL;
    if (watch->signal && *watch->signal) return "asked to stop by a signal";
    double now = locum_clock();
    if (now >= watch->deadline) return "limits.wall_time is used up";
    if (!watch->stop_file[0] || now - watch->looked < 1.0) return NULL;
    watch->looked = now;
    return access(watch->stop_file, F_OK) ? NULL
                                          : "a file named `stop` lies in the run directory; remove it before you go on";
}
