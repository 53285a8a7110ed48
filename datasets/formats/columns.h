/* SPDX-License-Identifier: BSD-3-Clause */
/* columns.h - named columns of numbers from a file: CSV with a header line, or HDF5 with one dataset per column
 * ([rows] or [rows, extent]). */
#ifndef DATASETS_FORMATS_COLUMNS_H
#define DATASETS_FORMATS_COLUMNS_H

#include <stdint.h>

#include "locum/dev/error.h"

/** Reads n columns by name; column c has extent[c] values a row (CSV: `name`, or `name[0]`, `name[1]`, ...). *rows of
 *  them; values [n] -> [rows, extent[c]], owned by the caller: locum_columns_free. LOCUM_INPUT with file and line:
 *  missing file, missing column (what there is), a cell that is no number, ragged lines, no rows. Columns that nobody
 *  asked for are ignored. Local. */
locum_status locum_columns_read(const char *path, int n, const char *const *name, const int64_t *extent, int64_t *rows,
                                double **values);
void locum_columns_free(int n, double **values);

#endif
