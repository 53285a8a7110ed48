/* SPDX-License-Identifier: BSD-3-Clause */
/* tables.h - every option table of the program by name: what `describe` prints and `new` turns into a template. */
#ifndef CLI_TABLES_H
#define CLI_TABLES_H

#include <stdbool.h>

#include "locum/dev/option.h"

typedef struct table_entry {
    const char *name, *kind, *summary; /* kind: "solver", "model", "block" */
    const locum_option *options;
} table_entry;

/** Entry i of all; false behind the last. */
bool tables_at(int i, table_entry *entry);
/** By name ("navier_stokes", "mlp", "train"); LOCUM_STUDY listing all names if there is none. */
locum_status tables_find(const char *name, table_entry *entry);
/** Table of the block `initial` of a solver, NULL if it has none. */
const locum_option *tables_initial(const char *solver);

#endif
