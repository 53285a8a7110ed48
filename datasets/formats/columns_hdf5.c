/* SPDX-License-Identifier: BSD-3-Clause */
/* columns_hdf5.c - columns from an HDF5 file: one dataset a column, [rows] or [rows, extent], integers or floats of
 * any size, all with the same number of rows. Left out: attributes, compound tables. */
#include <inttypes.h>
#include <math.h>

#include "core/memory.h"
#include "datasets/formats/columns_internal.h"
#include "datasets/store/hdf5_tools.h"

static herr_t visit_object(hid_t file, const char *name, const H5O_info_t *object, void *list)
{
    (void)file;
    if (object->type == H5O_TYPE_DATASET) locum_columns_list(list, name);
    return 0;
}

static locum_status missing(hid_t file, const char *path, const char *name)
{
    char list[LOCUM_COLUMNS_LIST] = "";
    H5Ovisit(file, H5_INDEX_NAME, H5_ITER_INC, visit_object, list);
    H5Eclear2(H5E_DEFAULT);
    return LOCUM_FAIL(LOCUM_INPUT, "%s: there is no dataset `%s`; there are %s", path, name,
                      list[0] ? list : "none at all");
}

static bool is_number(hid_t dataset)
{
    hid_t type = H5Dget_type(dataset);
    H5T_class_t kind = type >= 0 ? H5Tget_class(type) : H5T_NO_CLASS;
    if (type >= 0) H5Tclose(type);
    return kind == H5T_FLOAT || kind == H5T_INTEGER;
}

/* type, shape, and that it was written */
static locum_status check(hid_t dataset, const char *path, const char *name, int64_t extent, int64_t *rows)
{
    hsize_t dims[H5S_MAX_RANK] = {0};
    H5D_space_status_t written = H5D_SPACE_STATUS_NOT_ALLOCATED;
    hid_t space = H5Dget_space(dataset);
    int n = space >= 0 ? H5Sget_simple_extent_ndims(space) : -1;
    if (n > 0) H5Sget_simple_extent_dims(space, dims, NULL);
    if (space >= 0) H5Sclose(space);
    H5Dget_space_status(dataset, &written);

    LOCUM_REQUIRE(is_number(dataset), LOCUM_INPUT, "%s: `%s` does not hold numbers", path, name);
    LOCUM_REQUIRE((n == 1 && extent == 1) || (n == 2 && dims[1] == (hsize_t)extent), LOCUM_INPUT,
                  "%s: `%s` must have the shape [rows%s%" PRId64 "]", path, name, extent == 1 ? "] or [rows, " : ", ",
                  extent);
    LOCUM_REQUIRE(dims[0] > 0, LOCUM_INPUT, "%s: `%s` has no rows", path, name);
    LOCUM_REQUIRE(dims[0] <= (hsize_t)LOCUM_COLUMNS_ROWS_MAX, LOCUM_INPUT, "%s: `%s` has more than %" PRId64 " rows",
                  path, name, LOCUM_COLUMNS_ROWS_MAX);
    LOCUM_REQUIRE(!*rows || *rows == (int64_t)dims[0], LOCUM_INPUT,
                  "%s: `%s` has %" PRId64 " rows, others have %" PRId64, path, name, (int64_t)dims[0], *rows);
    LOCUM_REQUIRE(written == H5D_SPACE_STATUS_ALLOCATED, LOCUM_INPUT, "%s: `%s` was never written whole", path, name);
    *rows = (int64_t)dims[0];
    return LOCUM_OK;
}

static locum_status read_values(hid_t dataset, const char *path, const char *name, int64_t extent, int64_t rows,
                                double **values)
{
    LOCUM_TRY(LOCUM_NEW(values, rows * extent));
    bool read = H5Dread(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, *values) >= 0;
    LOCUM_TRY(LOCUM_HDF5(read, LOCUM_DAMAGED, "%s: `%s` is damaged", path, name));
    for (int64_t i = 0; i < rows * extent; i++)
        LOCUM_REQUIRE(isfinite((*values)[i]), LOCUM_INPUT, "%s: row %" PRId64 " of `%s` is not a finite number", path,
                      i / extent, name);
    return LOCUM_OK;
}

static locum_status read_column(hid_t file, const char *path, const char *name, int64_t extent, int64_t *rows,
                                double **values)
{
    hid_t dataset = H5Dopen2(file, name, H5P_DEFAULT);
    H5Eclear2(H5E_DEFAULT);
    if (dataset < 0) return missing(file, path, name);
    locum_status st = check(dataset, path, name, extent, rows);
    if (!st) st = read_values(dataset, path, name, extent, *rows, values);
    H5Dclose(dataset);
    return st;
}

locum_status locum_columns_read_hdf5(const char *path, int n, const char *const *name, const int64_t *extent,
                                     int64_t *rows, double **values)
{
    hid_t file = -1;

    LOCUM_TRY(locum_hdf5_open_file(path, &file));
    locum_status st = LOCUM_OK;
    for (int c = 0; c < n && !st; c++) st = read_column(file, path, name[c], extent[c], rows, &values[c]);
    H5Fclose(file);
    return st;
}
