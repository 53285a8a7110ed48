/* SPDX-License-Identifier: BSD-3-Clause */
/* tables.h - every option table of the program by name: what `describe` prints and `new` turns into a template. */
#ifndef CLI_TABLES_H
#define CLI_TABLES_H

#include <stdbool.h>

#include "locum/dev/solver.h"

typedef struct table_entry {
    const char *name, *kind, *summary;     /* kind: "solver", "model", "block" */
    const locum_option *options, *initial; /* initial: the block of that name of a solver, NULL if it has none */
} table_entry;

/** The entry of a solver, be it of this build or of a plug-in. */
table_entry tables_of_solver(const locum_solver_type *type);
/** Entry i of all; false behind the last. */
bool tables_at(int i, table_entry *entry);
/** By name ("navier_stokes", "mlp", "train"); LOCUM_STUDY listing all names if there is none. */
locum_status tables_find(const char *name, table_entry *entry);

#endif
