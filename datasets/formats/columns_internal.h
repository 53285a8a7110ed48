/* SPDX-License-Identifier: BSD-3-Clause */
/* columns_internal.h - the two kinds of files that columns.c chooses from. */
#ifndef DATASETS_FORMATS_COLUMNS_INTERNAL_H
#define DATASETS_FORMATS_COLUMNS_INTERNAL_H

#include "datasets/formats/columns.h"

#define LOCUM_COLUMNS_ROWS_MAX (INT64_C(1) << 28) /* most rows of a file */
#define LOCUM_COLUMNS_LIST 400                    /* bytes of the list of what a file holds, for messages */

/** As locum_columns_read; values are [n] NULL on entry, and what is allocated stays allocated if it fails. Local. */
locum_status locum_columns_read_csv(const char *path, int n, const char *const *name, const int64_t *extent,
                                    int64_t *rows, double **values);
locum_status locum_columns_read_hdf5(const char *path, int n, const char *const *name, const int64_t *extent,
                                     int64_t *rows, double **values);

/** Appends a name to a list of names; "..." where it is full. Local. */
void locum_columns_list(char list[LOCUM_COLUMNS_LIST], const char *name);

#endif
