/* SPDX-License-Identifier: BSD-3-Clause */
/* formats.c - finds the format of a file and makes frames of what its reader gives: each rank an even slice along
 * x, no value that is not finite. */
#include "datasets/formats/formats.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/parallel/comm.h"
#include "datasets/formats/formats_internal.h"
#include "datasets/store/hdf5_tools.h"
#include "datasets/store/owned_schema.h"
#include "datasets/store/store.h"

static locum_status pick(const locum_format_request *request, const locum_format_type **type)
{
    static const locum_format_type *const types[] = {&locum_format_hdf5, &locum_format_locum};
    const char *name = request->format ? request->format : "";

    locum_store_setup();
    for (int i = 0; i < 2; i++)
        if (!strcmp(types[i]->name, name)) {
            *type = types[i];
            return LOCUM_OK;
        }
    LOCUM_REQUIRE(!name[0], LOCUM_INPUT, "%s: no format \"%s\"; there are hdf5 and locum", request->path, name);

    /* both are HDF5; a file of our store carries /locum/facts */
    hid_t file = -1;
    LOCUM_TRY(locum_hdf5_open_file(request->path, &file));
    bool ours = H5Lexists(file, "/locum", H5P_DEFAULT) > 0 && H5Lexists(file, "/locum/facts", H5P_DEFAULT) > 0;
    H5Fclose(file);
    *type = ours ? &locum_format_locum : &locum_format_hdf5;
    return LOCUM_OK;
}

locum_status locum_format_probe(const locum_format_request *request, locum_format_shape *shape)
{
    const locum_format_type *type = NULL;

    LOCUM_TRY(pick(request, &type));
    return type->probe(request, shape);
}

bool locum_format_same_shape(const locum_format_shape *a, const locum_format_shape *b)
{
    bool same = a->n_dims == b->n_dims;

    for (int d = 0; d < 3; d++) same = same && a->n[d] == b->n[d];
    return same;
}

/* the last part of a path: the array's name */
static const char *name_of(const locum_format_request *request)
{
    const char *slash = strrchr(request->dataset, '/');

    return slash ? slash + 1 : request->dataset;
}

/* one array on one periodic grid; points at i L / n */
static locum_status make_schema(const locum_format_request *request, const locum_format_shape *shape,
                                locum_owned_schema **schema)
{
    static const char *const letters[3] = {"x", "y", "z"};
    double *axis[3] = {NULL, NULL, NULL};
    locum_domain grid = {.name = "grid", .support = LOCUM_GRID, .n_dims = shape->n_dims, .axis_unit = "1"};
    locum_array array = {.name = name_of(request), .text = "", .unit = "1", .place = LOCUM_NODE, .roles = LOCUM_STATE};
    locum_status st = LOCUM_OK;

    for (int d = 0; !st && d < shape->n_dims; d++) {
        double length = request->box[d] > 0 ? request->box[d] : 1.0;
        st = LOCUM_NEW(&axis[d], shape->n[d]);
        for (int64_t i = 0; !st && i < shape->n[d]; i++) axis[d][i] = length * (double)i / (double)shape->n[d];
        grid.n_global[d] = shape->n[d];
        grid.axis[d] = axis[d];
        grid.axis_name[d] = letters[d];
        grid.upper[d] = length;
    }
    locum_schema plain = {.domains = &grid, .n_domains = 1, .arrays = &array, .n_arrays = 1};
    if (!st) st = locum_owned_schema_copy(&plain, NULL, schema);
    for (int d = 0; d < 3; d++) free(axis[d]);
    return st;
}

static locum_status check_finite(const locum_format_request *request, const locum_format_shape *shape, int64_t first,
                                 const double *values, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        if (isfinite(values[i])) continue;
        int64_t plane = 1, rest, at[3] = {0};
        for (int d = 1; d < shape->n_dims; d++) plane *= shape->n[d];
        at[0] = first + i / plane;
        rest = i % plane;
        for (int d = shape->n_dims - 1; d > 0; d--) {
            at[d] = rest % shape->n[d];
            rest /= shape->n[d];
        }
        char place[96];
        int used = snprintf(place, sizeof place, "%lld, %lld", (long long)at[0], (long long)at[1]);
        if (shape->n_dims > 2) snprintf(place + used, sizeof place - (size_t)used, ", %lld", (long long)at[2]);
        return LOCUM_FAIL(LOCUM_INPUT, "%s: %s(%s) = %g is not a finite number", request->path, request->dataset, place,
                          values[i]);
    }
    return LOCUM_OK;
}

locum_status locum_format_read(const locum_format_request *request, MPI_Comm comm, locum_frame **frame)
{
    const locum_format_type *type = NULL;
    locum_format_shape shape = {0};
    locum_owned_schema *schema = NULL;
    double *values = NULL;
    int rank, size;
    int64_t plane = 1;

    *frame = NULL;
    MPI_Comm_rank(comm, &rank);
    MPI_Comm_size(comm, &size);
    locum_status st = pick(request, &type);
    if (!st) st = type->probe(request, &shape);
    for (int d = 1; d < shape.n_dims; d++) plane *= shape.n[d];
    int64_t first = shape.n[0] * rank / size, n = shape.n[0] * (rank + 1) / size - first;
    if (!st) st = LOCUM_NEW(&values, n * plane + 1);
    if (!st && n > 0) st = type->read(request, &shape, first, n, values);
    if (!st) st = check_finite(request, &shape, first, values, n * plane);
    if (!st) st = make_schema(request, &shape, &schema);
    if (!st) st = locum_frame_create(&schema->schema, schema, frame);
    if (!st) {
        locum_block *block = (*frame)->blocks;
        *block =
            (locum_block){.data = values, .first = {first}, .n = {n, shape.n[1], shape.n[2]}, .n_global = shape.n[0]};
        values = NULL;
    } else {
        locum_owned_schema_destroy(schema);
    }
    st = locum_comm_agree(comm, st);
    if (st) {
        locum_frame_release(*frame);
        *frame = NULL;
    }
    free(values);
    return st;
}
