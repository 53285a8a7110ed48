/* SPDX-License-Identifier: BSD-3-Clause */
/* format_locum.c - a grid array of a file of our store: the last frame of its last good sample. */
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "datasets/formats/formats_internal.h"
#include "datasets/store/store.h"

/* the array that is asked for ("" = the only scalar grid array), and the sample */
static locum_status find(const locum_dataset *dataset, const locum_format_request *request, int *array, int64_t *sample)
{
    const locum_schema *schema = locum_dataset_schema(dataset);
    const char *slash = request->dataset ? strrchr(request->dataset, '/') : NULL;
    const char *name = slash ? slash + 1 : request->dataset ? request->dataset : "";
    char list[400] = "";

    *array = *sample = -1;
    for (int a = 0; a < schema->n_arrays; a++) {
        if (schema->domains[schema->arrays[a].domain].support != LOCUM_GRID || schema->arrays[a].order) continue;
        if (!strcmp(schema->arrays[a].name, name)) *array = a;
        if (strlen(list) + strlen(schema->arrays[a].name) + 4 < sizeof list)
            strcat(strcat(list, *list ? ", " : ""), schema->arrays[a].name);
    }
    LOCUM_REQUIRE(*array >= 0, LOCUM_INPUT, "%s has no field \"%s\"; it has %s", request->path, name,
                  *list ? list : "none on a grid");
    for (int64_t b = 0; b < locum_dataset_n(dataset); b++)
        if (!locum_dataset_sample_at(dataset, b)->failed && locum_dataset_sample_at(dataset, b)->n_frames > 0)
            *sample = b;
    LOCUM_REQUIRE(*sample >= 0, LOCUM_INPUT, "%s has no frame", request->path);
    return LOCUM_OK;
}

static locum_status shape_of(const locum_format_request *request, locum_dataset **dataset, int *array, int64_t *sample,
                             locum_format_shape *shape)
{
    locum_status st = locum_dataset_open(request->path, dataset);

    if (!st) st = find(*dataset, request, array, sample);
    if (st) return st;
    const locum_schema *schema = locum_dataset_schema(*dataset);
    const locum_domain *grid = &schema->domains[schema->arrays[*array].domain];
    *shape = (locum_format_shape){.n_dims = grid->n_dims, .n = {1, 1, 1}};
    for (int d = 0; d < grid->n_dims; d++) shape->n[d] = grid->n_global[d];
    return LOCUM_OK;
}

static locum_status store_probe(const locum_format_request *request, locum_format_shape *shape)
{
    locum_dataset *dataset = NULL;
    int array;
    int64_t sample;
    locum_status st = shape_of(request, &dataset, &array, &sample, shape);

    locum_dataset_close(dataset);
    return st;
}

/* an even slice comes from the reader's own slicing: planes first .. first + n of all */
static locum_status store_read(const locum_format_request *request, const locum_format_shape *shape, int64_t first,
                               int64_t n, double *values)
{
    locum_dataset *dataset = NULL;
    locum_format_shape found;
    double *all = NULL;
    int array = 0;
    int64_t sample = 0, plane = shape->n[1] * shape->n[2];

    locum_status st = shape_of(request, &dataset, &array, &sample, &found);
    if (!st && !locum_format_same_shape(&found, shape))
        st = LOCUM_FAIL(LOCUM_INPUT, "%s changed while it was read", request->path);
    if (!st) st = LOCUM_NEW(&all, locum_dataset_count(dataset, sample, -1, array));
    if (!st) st = locum_dataset_read(dataset, sample, -1, array, all);
    if (!st) memcpy(values, all + first * plane, (size_t)(n * plane) * sizeof *values);
    free(all);
    locum_dataset_close(dataset);
    return st;
}

const locum_format_type locum_format_locum = {.name = "locum", .probe = store_probe, .read = store_read};
