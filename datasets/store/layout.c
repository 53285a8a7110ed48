/* SPDX-License-Identifier: BSD-3-Clause */
/* layout.c - places, axes, types and chunks of arrays in a file (the table is in layout.h). */
#include "datasets/store/layout.h"

#include <stdio.h>
#include <string.h>

#include "datasets/store/store.h"

const char *locum_split_name(locum_split split)
{
    static const char *const names[] = {"train", "validation", "calibration", "test", "noise"};

    return split >= 0 && split < LOCUM_SPLITS ? names[split] : "?";
}

const char *locum_split_folder(locum_split split)
{
    static const char *const names[] = {"data/train", "data/valid", "data/calibration", "data/test", "data/noise"};

    return split >= 0 && split < LOCUM_SPLITS ? names[split] : "data";
}

const char *locum_layout_name(locum_layout layout)
{
    static const char *const names[] = {"none", "grid", "rows"};

    return names[layout];
}

const char *locum_layout_samples(locum_layout layout)
{
    return layout == LOCUM_LAYOUT_GRID ? "/locum/samples" : "/samples";
}

const char *locum_layout_frames(locum_layout layout)
{
    return layout == LOCUM_LAYOUT_GRID ? "/locum/frames" : "/frames";
}

/* names become parts of paths */
static locum_status check_name(const char *name, const char *const *reserved)
{
    LOCUM_REQUIRE(name[0] && strlen(name) < 128 && !strchr(name, '/') && name[0] != '.', LOCUM_ARG,
                  "\"%s\" cannot be the name of an array or a domain in a file", name);
    for (; *reserved; reserved++)
        LOCUM_REQUIRE(strcmp(name, *reserved), LOCUM_ARG, "\"%s\" has a meaning of its own in a file", name);
    return LOCUM_OK;
}

locum_status locum_layout_of(const locum_owned_schema *owned, locum_layout *layout)
{
    static const char *const domain_names[] = {"samples", "frames", "failed", "facts", "locum", "mesh", NULL};
    static const char *const array_names[] = {"first", "time", "step", "axis", NULL};
    const locum_schema *s = &owned->schema;
    int grids = 0;

    for (int d = 0; d < s->n_domains; d++) {
        grids += s->domains[d].support == LOCUM_GRID;
        LOCUM_REQUIRE(s->domains[d].support != LOCUM_GRID || s->domains[d].n_dims == 2 || s->domains[d].n_dims == 3,
                      LOCUM_ARG, "the grid \"%s\" has %d axes; a file holds grids of 2 or 3", s->domains[d].name,
                      s->domains[d].n_dims);
        LOCUM_TRY(check_name(s->domains[d].name, domain_names));
    }
    LOCUM_REQUIRE(grids <= 1, LOCUM_ARG, "the arrays lie on %d grids; a file holds one", grids);
    for (int a = 0; a < s->n_arrays; a++) {
        LOCUM_TRY(check_name(s->arrays[a].name, array_names));
        for (int b = 0; b < a; b++)
            LOCUM_REQUIRE(strcmp(s->arrays[a].name, s->arrays[b].name), LOCUM_ARG, "two arrays are called \"%s\"",
                          s->arrays[a].name);
    }
    *layout = grids ? LOCUM_LAYOUT_GRID : LOCUM_LAYOUT_ROWS;
    return LOCUM_OK;
}

bool locum_layout_is_field(const locum_schema *schema, int array)
{
    const locum_array *a = &schema->arrays[array];
    const locum_domain *d = &schema->domains[a->domain];

    if (d->support != LOCUM_GRID) return false;
    return (a->order < 1 || a->shape[0] == d->n_dims) && (a->order < 2 || a->shape[1] == d->n_dims);
}

bool locum_layout_is_scalar(const locum_schema *schema, int array)
{
    const locum_array *a = &schema->arrays[array];

    return schema->domains[a->domain].support == LOCUM_GLOBAL && a->order == 0;
}

void locum_layout_domain(locum_layout layout, const locum_domain *domain, char path[LOCUM_STORE_NAME_SIZE])
{
    snprintf(path, LOCUM_STORE_NAME_SIZE, "%s/%s", layout == LOCUM_LAYOUT_GRID ? "/locum" : "", domain->name);
}

void locum_layout_array(locum_layout layout, const locum_schema *schema, int array, char path[LOCUM_STORE_NAME_SIZE])
{
    const locum_array *a = &schema->arrays[array];
    const locum_domain *d = &schema->domains[a->domain];

    if (layout == LOCUM_LAYOUT_GRID && locum_layout_is_field(schema, array))
        snprintf(path, LOCUM_STORE_NAME_SIZE, "/t%d_fields/%s", a->order, a->name);
    else if (layout == LOCUM_LAYOUT_GRID && locum_layout_is_scalar(schema, array))
        snprintf(path, LOCUM_STORE_NAME_SIZE, "/scalars/%s", a->name);
    else if (layout == LOCUM_LAYOUT_ROWS && d->support == LOCUM_GLOBAL)
        snprintf(path, LOCUM_STORE_NAME_SIZE, "/frames/%s", a->name);
    else
        snprintf(path, LOCUM_STORE_NAME_SIZE, "%s/%s/%s", layout == LOCUM_LAYOUT_GRID ? "/locum" : "", d->name,
                 a->name);
}

int locum_layout_dims(locum_layout layout, const locum_schema *schema, int array, int64_t n_samples, int64_t n_frames,
                      int64_t n_rows, hsize_t dims[8], int *first_axis)
{
    const locum_array *a = &schema->arrays[array];
    const locum_domain *d = &schema->domains[a->domain];
    int n = 0;

    if (layout == LOCUM_LAYOUT_GRID && d->support != LOCUM_ROWS) {
        dims[n++] = (hsize_t)n_samples;
        dims[n++] = (hsize_t)n_frames;
        *first_axis = n;
    } else {
        *first_axis = n;
        dims[n++] = (hsize_t)n_rows;
    }
    for (int i = 0; d->support == LOCUM_GRID && i < d->n_dims; i++) dims[n++] = (hsize_t)d->n_global[i];
    for (int i = 0; i < a->order; i++) dims[n++] = (hsize_t)a->shape[i];
    return n;
}

locum_type locum_layout_type(const locum_schema *schema, int array, locum_type precision)
{
    const locum_array *a = &schema->arrays[array];
    const locum_domain *d = &schema->domains[a->domain];
    bool large = d->support == LOCUM_GRID || (d->support == LOCUM_ROWS && d->n_global[0] == 0);

    return large && a->type == LOCUM_FLOAT64 && precision == LOCUM_FLOAT32 ? LOCUM_FLOAT32 : a->type;
}

#define CHUNK_MOST ((hsize_t)4 << 20)
#define CHUNK_ROWS ((hsize_t)256 << 10) /* of particles */
#define CHUNK_LEAST ((hsize_t)16 << 10) /* of profiles and spectra: several frames share a chunk */

void locum_layout_chunk(const locum_schema *schema, int array, locum_type stored, const hsize_t *dims, int n_dims,
                        int first_axis, hsize_t chunk[8])
{
    const locum_domain *d = &schema->domains[schema->arrays[array].domain];
    hsize_t inner = locum_type_size(stored);

    for (int i = 0; i < first_axis; i++) chunk[i] = 1;
    for (int i = n_dims - 1; i > first_axis; i--) {
        hsize_t room = CHUNK_MOST / inner;
        chunk[i] = room < 1 ? 1 : dims[i] < room ? dims[i] : room;
        inner *= chunk[i];
    }
    hsize_t most = CHUNK_MOST / inner, n = dims[first_axis];
    if (d->support == LOCUM_ROWS) {
        hsize_t frame = (hsize_t)d->n_global[0];
        n = frame ? (frame > CHUNK_LEAST / inner ? frame : CHUNK_LEAST / inner) : CHUNK_ROWS / inner;
    }
    chunk[first_axis] = n < 1 ? 1 : n < most ? n : most < 1 ? 1 : most;
}
