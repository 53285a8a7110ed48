/* SPDX-License-Identifier: BSD-3-Clause */
/* program_file.c - arrays by name, as a program writes them without knowing of us.
 *
 *     hdf5    /NAME or /t0_fields/NAME: [shape], or [frames, shape]; integers or floats of any size and byte order
 *     csv     a header line, then a line for each frame: NAME, or NAME[0], NAME[1], ... for rows
 * Names and shapes must be what the study says; how many frames there are is the program's success or failure. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/text.h"
#include "datasets/formats/program_file.h"
#include "datasets/store/hdf5_tools.h"

/* --- HDF5 -------------------------------------------------------------------------------------------------- */

static void write_shape(int n, const hsize_t *dims, char *out, size_t size)
{
    size_t used = (size_t)locum_format(out, size, "[");

    for (int d = 0; d < n && used < size; d++)
        used += (size_t)locum_format(out + used, size - used, "%s%llu", d ? ", " : "", (unsigned long long)dims[d]);
    if (used < size) locum_format(out + used, size - used, "]");
}

static hid_t open_array(hid_t file, const char *name)
{
    char path[256];
    hid_t dataset = -1;

    locum_format(path, sizeof path, "/%s", name);
    if (H5Lexists(file, path, H5P_DEFAULT) > 0) dataset = H5Dopen2(file, path, H5P_DEFAULT);
    if (dataset < 0 && H5Lexists(file, "/t0_fields", H5P_DEFAULT) > 0) {
        locum_format(path, sizeof path, "/t0_fields/%s", name);
        if (H5Lexists(file, path, H5P_DEFAULT) > 0) dataset = H5Dopen2(file, path, H5P_DEFAULT);
    }
    H5Eclear2(H5E_DEFAULT);
    return dataset;
}

/* shape as the study says? A single value may be [] or [1]. *n_dims of the dataset. */
static locum_status check_shape(const locum_file_array *a, hid_t space, int *n_dims)
{
    hsize_t dims[H5S_MAX_RANK] = {0}, expected[5];
    char found[160], wanted[160];
    int n = space < 0 ? -1 : H5Sget_simple_extent_dims(space, dims, NULL), lead = a->frame >= 0, n_expected = 0;

    if (lead) expected[n_expected++] = (hsize_t)a->n_frames;
    for (int d = 0; d < a->n_dims; d++) expected[n_expected++] = (hsize_t)a->shape[d];
    bool one = a->n_dims == 0 && n == n_expected + 1 && dims[n_expected] == 1, same = n == n_expected || one;
    for (int d = lead; d < n_expected && same; d++) same = dims[d] == expected[d];
    write_shape(n < 0 ? 0 : n, dims, found, sizeof found);
    write_shape(n_expected, expected, wanted, sizeof wanted);
    LOCUM_REQUIRE(same, LOCUM_INPUT, "%s: %s has the shape %s, not %s", a->path, a->name, found, wanted);
    LOCUM_REQUIRE(!lead || dims[0] >= expected[0], LOCUM_CONVERGENCE, "%s: %s has %llu frames, not %llu", a->path,
                  a->name, (unsigned long long)dims[0], (unsigned long long)expected[0]);
    LOCUM_REQUIRE(!lead || dims[0] == expected[0], LOCUM_INPUT, "%s: %s has the shape %s, not %s", a->path, a->name,
                  found, wanted);
    *n_dims = n;
    return LOCUM_OK;
}

static locum_status read_values(const locum_file_array *a, hid_t dataset, hid_t space, int n_dims, double *values)
{
    hsize_t start[5] = {0}, count[5] = {1, 1, 1, 1, 1};
    int lead = a->frame >= 0;
    hid_t memory = H5S_ALL;
    bool good = true;

    for (int d = lead; d < n_dims; d++) count[d] = (hsize_t)a->shape[d - lead];
    if (lead) start[0] = (hsize_t)a->frame;
    if (a->n_dims > 0) {
        start[lead] = (hsize_t)a->first;
        count[lead] = (hsize_t)a->n;
    }
    if (n_dims > 0) {
        good = H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, count, NULL) >= 0;
        memory = H5Screate_simple(n_dims, count, NULL);
    }
    good = good && memory >= 0 &&
           H5Dread(dataset, H5T_NATIVE_DOUBLE, memory, n_dims > 0 ? space : H5S_ALL, H5P_DEFAULT, values) >= 0;
    if (memory > 0 && memory != H5S_ALL) H5Sclose(memory);
    return LOCUM_HDF5(good, LOCUM_DAMAGED, "%s: %s cannot be read", a->path, a->name);
}

static locum_status read_hdf5(const locum_file_array *a, double *values)
{
    hid_t file = -1, dataset = -1, space = -1, type = -1;
    int n_dims = 0;

    LOCUM_TRY(locum_hdf5_open_file(a->path, &file));
    locum_status st = LOCUM_OK;
    dataset = open_array(file, a->name);
    if (dataset < 0) st = LOCUM_FAIL(LOCUM_INPUT, "%s: there is no dataset /%s", a->path, a->name);
    if (!st) {
        type = H5Dget_type(dataset);
        space = H5Dget_space(dataset);
        H5T_class_t kind = type < 0 ? H5T_NO_CLASS : H5Tget_class(type);
        if (kind != H5T_FLOAT && kind != H5T_INTEGER)
            st = LOCUM_FAIL(LOCUM_INPUT, "%s: %s does not hold numbers", a->path, a->name);
    }
    if (!st) st = check_shape(a, space, &n_dims);
    if (!st && H5Dget_storage_size(dataset) == 0)
        st = LOCUM_FAIL(LOCUM_DAMAGED, "%s: %s was never written", a->path, a->name);
    if (!st) st = read_values(a, dataset, space, n_dims, values);
    if (space >= 0) H5Sclose(space);
    if (type >= 0) H5Tclose(type);
    if (dataset >= 0) H5Dclose(dataset);
    H5Fclose(file);
    return st;
}

/* --- CSV --------------------------------------------------------------------------------------------------- */

typedef struct table {
    FILE *file;
    char *line;
    size_t capacity;
} table;

/* next line that is not empty, without its end; false at the end of the file */
static bool next_line(table *t)
{
    ssize_t n;

    do {
        n = getline(&t->line, &t->capacity, t->file);
        while (n > 0 && (t->line[n - 1] == '\n' || t->line[n - 1] == '\r')) t->line[--n] = 0;
    } while (n == 0);
    return n > 0;
}

/* cell i of the line without blanks around it; false if there is none */
static bool cell(const char *line, int64_t i, const char **begin, size_t *n)
{
    for (; i > 0; i--) {
        line = strchr(line, ',');
        if (!line) return false;
        line++;
    }
    line += strspn(line, " \t\"");
    *begin = line;
    *n = strcspn(line, ",");
    while (*n > 0 && strchr(" \t\"", line[*n - 1])) --*n;
    return true;
}

/* number of the column of that name, -1 = none */
static int64_t find_column(const char *header, const char *name)
{
    const char *begin;
    size_t n;

    for (int64_t i = 0; cell(header, i, &begin, &n); i++)
        if (n == strlen(name) && !memcmp(begin, name, n)) return i;
    return -1;
}

static locum_status column_of(const locum_file_array *a, const char *header, int64_t i, int64_t *column)
{
    char name[192];

    locum_format(name, sizeof name, "%s[%" PRId64 "]", a->name, i);
    *column = find_column(header, a->n_dims == 0 ? a->name : name);
    LOCUM_REQUIRE(*column >= 0, LOCUM_INPUT, "%s: there is no column `%s` in its first line: %.200s", a->path,
                  a->n_dims == 0 ? a->name : name, header);
    return LOCUM_OK;
}

static locum_status read_cells(const locum_file_array *a, const char *line, const int64_t *column, double *values)
{
    for (int64_t i = 0; i < a->n; i++) {
        const char *begin;
        char *end, text[64];
        size_t n = 0;
        bool there = cell(line, column[i], &begin, &n) && n > 0 && n < sizeof text;
        LOCUM_REQUIRE(there, LOCUM_DAMAGED, "%s: a line without its column %" PRId64, a->path, column[i] + 1);
        memcpy(text, begin, n);
        text[n] = 0;
        values[i] = locum_parse_number(text, &end);
        LOCUM_REQUIRE(!*end, LOCUM_INPUT, "%s: `%s` is no number (%s)", a->path, text, a->name);
    }
    return LOCUM_OK;
}

static locum_status read_lines(const locum_file_array *a, table *t, int64_t *column, double *values)
{
    int64_t frame = a->frame < 0 ? 0 : a->frame, rows = 0;

    LOCUM_REQUIRE(next_line(t), LOCUM_DAMAGED, "%s is empty", a->path);
    for (int64_t i = 0; i < a->n; i++) LOCUM_TRY(column_of(a, t->line, a->first + i, &column[i]));
    for (; next_line(t); rows++)
        if (rows == frame) LOCUM_TRY(read_cells(a, t->line, column, values));
    int64_t wanted = a->frame < 0 ? 1 : a->n_frames;
    LOCUM_REQUIRE(rows >= wanted, LOCUM_CONVERGENCE, "%s has %" PRId64 " frames, not %" PRId64, a->path, rows, wanted);
    LOCUM_REQUIRE(rows == wanted, LOCUM_INPUT, "%s has %" PRId64 " lines, but %" PRId64 " frames are expected", a->path,
                  rows, wanted);
    return LOCUM_OK;
}

static locum_status read_csv(const locum_file_array *a, double *values)
{
    table t = {.file = fopen(a->path, "re")};
    int64_t *column = NULL;

    LOCUM_REQUIRE(t.file, LOCUM_INPUT, "cannot read %s: %s", a->path, strerror(errno));
    locum_status st = LOCUM_NEW(&column, a->n);
    if (!st) st = read_lines(a, &t, column, values);
    free(column);
    free(t.line);
    fclose(t.file);
    return st;
}

locum_status locum_program_file_read(const locum_file_array *array, double *values)
{
    LOCUM_REQUIRE(array->n_dims <= 4, LOCUM_ARG, "%s: at most 4 axes", array->name);
    if (!strcmp(array->format, "csv")) {
        LOCUM_REQUIRE(array->n_dims <= 1, LOCUM_STUDY, "%s: a CSV file holds no grids", array->name);
        return read_csv(array, values);
    }
    LOCUM_REQUIRE(!strcmp(array->format, "hdf5"), LOCUM_STUDY, "no format \"%s\"; there are hdf5 and csv",
                  array->format);
    return read_hdf5(array, values);
}
