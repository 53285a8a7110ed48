/* SPDX-License-Identifier: BSD-3-Clause */
/* plugin.h - a solver of yours in a shared library of its own:
 *
 *     solver: {plugin: ./libpendulum.so, damping: 0.2}
 *
 *     static const locum_solver_type pendulum = {.name = "pendulum", ...};
 *     LOCUM_PLUGIN(pendulum);
 *
 * Needs these headers and MPI; functions declared in them are the program's own when the library is loaded, so nothing
 * of locum has to be linked. The program refuses a library of another version: solver.h, frame.h, option.h and
 * status.h are what the version counts. */
#ifndef LOCUM_DEV_PLUGIN_H
#define LOCUM_DEV_PLUGIN_H

#include <stdint.h>

#include "locum/dev/error.h"
#include "locum/dev/solver.h"

#define LOCUM_PLUGIN_MAGIC 0x4d434f4cu /* "LOCM" */
#define LOCUM_PLUGIN_VERSION 1u
#define LOCUM_PLUGIN_SYMBOL "locum_plugin"

/* what the symbol locum_plugin is */
typedef struct locum_plugin_entry {
    uint32_t magic, version;
    const locum_solver_type *type;
} locum_plugin_entry;

#define LOCUM_PLUGIN(solver)                                \
    LOCUM_API extern const locum_plugin_entry locum_plugin; \
    const locum_plugin_entry locum_plugin = {LOCUM_PLUGIN_MAGIC, LOCUM_PLUGIN_VERSION, &(solver)}

#endif
