/* SPDX-License-Identifier: BSD-3-Clause */
/* columns.c - named columns of numbers: looks whether a file is HDF5 (by its signature) or CSV, and reads it. */
#include "datasets/formats/columns.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "datasets/formats/columns_internal.h"

static locum_status look(const char *path, bool *is_hdf5)
{
    static const char signature[8] = {'\211', 'H', 'D', 'F', '\r', '\n', '\032', '\n'};
    char start[8] = {0};
    FILE *file = fopen(path, "rb");

    LOCUM_REQUIRE(file, LOCUM_INPUT, "cannot read the file `%s`", path);
    size_t n = fread(start, 1, sizeof start, file);
    fclose(file);
    *is_hdf5 = n == sizeof start && !memcmp(start, signature, sizeof start);
    return LOCUM_OK;
}

locum_status locum_columns_read(const char *path, int n, const char *const *name, const int64_t *extent, int64_t *rows,
                                double **values)
{
    bool is_hdf5 = false;

    *rows = 0;
    for (int c = 0; c < n; c++) values[c] = NULL;
    for (int c = 0; c < n; c++)
        LOCUM_REQUIRE(extent[c] > 0, LOCUM_ARG, "column `%s` of %lld values", name[c], (long long)extent[c]);
    locum_status st = look(path, &is_hdf5);
    if (!st) st = (is_hdf5 ? locum_columns_read_hdf5 : locum_columns_read_csv)(path, n, name, extent, rows, values);
    if (st) locum_columns_free(n, values);
    return st;
}

void locum_columns_free(int n, double **values)
{
    for (int c = 0; c < n; c++) {
        free(values[c]);
        values[c] = NULL;
    }
}

void locum_columns_list(char list[LOCUM_COLUMNS_LIST], const char *name)
{
    size_t used = strlen(list);

    if (used + strlen(name) + 8 < LOCUM_COLUMNS_LIST)
        snprintf(list + used, LOCUM_COLUMNS_LIST - used, "%s%s", used ? ", " : "", name);
    else if (!strstr(list, "..."))
        strcat(list, ", ...");
}
