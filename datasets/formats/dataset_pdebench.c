/* SPDX-License-Identifier: BSD-3-Clause */
/* dataset_pdebench.c - files in the layouts of PDEBench (M. Takamoto et al., NeurIPS 2022).
 *
 *     compressible flow      density, pressure, Vx, Vy, Vz [B, T, x, y, z]     x-coordinate, ..., t-coordinate
 *     one equation           tensor [B, T, x, ..], nu [B, x, y]                the same
 *     one group a sample     0000/data [T, x, y, c]                            0000/grid/{x, y, t}
 *     incompressible flow    velocity [B, T, x, y, 2], particles, force [B, x, y, 2]    t [B, T]
 *
 * Coordinates are those of cell centres; t-coordinate may have one value more than there are frames (the end of the
 * run), which is left out. The files do not say whether space is periodic: `periodic:` does. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "datasets/formats/mapped.h"

typedef locum_mapped_looking looking;

/* --- axes ------------------------------------------------------------------------------------- */
/* coordinates of one axis from a dataset */
static locum_status read_axis(const looking *l, const char *path, int d)
{
    locum_mapped_facts *f = l->facts;
    hsize_t dims[LOCUM_HDF5_DIMS];
    int n_dims = 0;

    snprintf(f->axis_name[d], sizeof f->axis_name[d], "%c", "xyz"[d]);
    f->side[d] = LOCUM_OPEN;
    LOCUM_TRY(locum_mapped_numbers(l->file, l->where, path, &n_dims, dims, &f->axis[d]));
    LOCUM_REQUIRE(n_dims == 1, LOCUM_INPUT, "%s: %s has %d axes, not 1", l->where, path, n_dims);
    f->n[d] = (int64_t)dims[0];
    f->n_axes = d + 1;
    return LOCUM_OK;
}

/* times of so many frames */
static locum_status read_times(const looking *l, const char *path, int64_t n_frames)
{
    locum_mapped_facts *f = l->facts;
    hsize_t dims[LOCUM_HDF5_DIMS];
    int n_dims = 0;

    f->n_frames = n_frames;
    LOCUM_TRY(locum_mapped_numbers(l->file, l->where, path, &n_dims, dims, &f->time));
    f->time_of_sample = n_dims == 2;
    int64_t n = n_dims ? (int64_t)dims[n_dims - 1] : 1;
    bool right = n_dims == 2 ? n == n_frames && (int64_t)dims[0] == f->n_samples : n == n_frames || n == n_frames + 1;
    LOCUM_REQUIRE(n_dims >= 1 && n_dims <= 2 && right, LOCUM_INPUT,
                  "%s: %s has %lld times, but there are %lld frames: are the axes in another order?", l->where, path,
                  (long long)n, (long long)n_frames);
    return LOCUM_OK;
}

/* an array with the axes [samples,] [time,] space.. [, components] */
static locum_status add_array(const looking *l, const char *path, bool of_sample, bool of_time, bool vector)
{
    locum_mapped_facts *f = l->facts;
    locum_mapped_array *a = NULL;
    char shape[128], names[256] = "";
    int n = 0, used = 0;

    if (!locum_mapped_wanted(l->source, path)) return LOCUM_OK;
    LOCUM_TRY(locum_mapped_add(f, l->where, &a));
    LOCUM_TRY(locum_mapped_array_at(l->file, l->where, path, a));
    a->on_grid = true;
    if (of_sample) a->role[n++] = LOCUM_AXIS_SAMPLE;
    if (of_time) a->role[n++] = LOCUM_AXIS_TIME;
    for (int d = 0; d < f->n_axes; d++) a->role[n++] = LOCUM_AXIS_SPACE + d;
    if (vector) a->role[n++] = LOCUM_AXIS_COMPONENT;
    used += snprintf(names, sizeof names, "%s%s", of_sample ? "samples, " : "", of_time ? "times, " : "");
    for (int d = 0; d < f->n_axes; d++)
        used += snprintf(names + used, sizeof names - (size_t)used, "%s%s = %lld", d ? ", " : "", f->axis_name[d],
                         (long long)f->n[d]);
    snprintf(names + used, sizeof names - (size_t)used, "%s", vector ? ", components" : "");
    locum_mapped_shape(a->n_dims, a->dims, shape, sizeof shape);
    bool right = a->n_dims == n;
    for (int i = 0; right && i < n; i++) {
        int64_t length = (int64_t)a->dims[i];
        int role = a->role[i];
        if (role == LOCUM_AXIS_SAMPLE) right = f->n_samples == 0 || length == f->n_samples;
        if (role == LOCUM_AXIS_TIME) right = f->n_frames == 0 || length == f->n_frames;
        if (role >= LOCUM_AXIS_SPACE && role < LOCUM_AXIS_COMPONENT) right = length == f->n[role - LOCUM_AXIS_SPACE];
    }
    LOCUM_REQUIRE(
        right, LOCUM_INPUT,
        "%s: %s has the shape %s, but this layout and the coordinates ask for [%s]: its axes are in another order, "
        "or its resolution is another one",
        l->where, path, shape, names);
    if (of_sample) f->n_samples = (int64_t)a->dims[0];
    if (vector && a->dims[n - 1] > 1) a->shape[a->order++] = (int)a->dims[n - 1];
    return LOCUM_OK;
}

/* --- arrays of all samples -------------------------------------------------------------------- */
/* x-coordinate, y-coordinate, z-coordinate: as many as there are */
static locum_status read_coordinates(const looking *l)
{
    static const char *const names[3] = {"x-coordinate", "y-coordinate", "z-coordinate"};

    for (int d = 0; d < 3; d++)
        if (d == 0 || locum_mapped_has(l->file, names[d])) LOCUM_TRY(read_axis(l, names[d], d));
    return LOCUM_OK;
}

/* lengths of the first two axes of an array */
static locum_status read_counts(const looking *l, const char *path)
{
    locum_mapped_array a = {.n_dims = 0};
    char shape[128];

    LOCUM_TRY(locum_mapped_array_at(l->file, l->where, path, &a));
    locum_mapped_shape(a.n_dims, a.dims, shape, sizeof shape);
    LOCUM_REQUIRE(a.n_dims >= 3, LOCUM_INPUT, "%s: %s has the shape %s; it needs samples, times and space", l->where,
                  path, shape);
    l->facts->n_samples = (int64_t)a.dims[0];
    l->facts->n_frames = (int64_t)a.dims[1];
    return LOCUM_OK;
}

static locum_status look_arrays(const looking *l, int n, const char *const *names)
{
    const char *any = NULL;

    for (int i = 0; i < n && !any; i++)
        if (locum_mapped_has(l->file, names[i])) any = names[i];
    LOCUM_TRY(read_coordinates(l));
    LOCUM_TRY(read_counts(l, any));
    for (int i = 0; i < n; i++)
        if (locum_mapped_has(l->file, names[i])) LOCUM_TRY(add_array(l, names[i], true, true, false));
    if (locum_mapped_has(l->file, "nu")) LOCUM_TRY(add_array(l, "nu", true, false, false)); /* of Darcy flow */
    if (locum_mapped_has(l->file, "t-coordinate")) LOCUM_TRY(read_times(l, "t-coordinate", l->facts->n_frames));
    l->facts->timeless = l->facts->n_frames == 1;
    return LOCUM_OK;
}

/* no coordinates in these files: square cells on the unit square, or the study's box */
static locum_status look_incompressible(const looking *l)
{
    locum_mapped_array a = {.n_dims = 0};
    locum_mapped_facts *f = l->facts;

    LOCUM_TRY(locum_mapped_array_at(l->file, l->where, "velocity", &a));
    LOCUM_REQUIRE(a.n_dims == 5, LOCUM_INPUT, "%s: velocity has %d axes; it needs [samples, times, x, y, 2]", l->where,
                  a.n_dims);
    f->n_axes = 2;
    f->n_samples = (int64_t)a.dims[0];
    for (int d = 0; d < 2; d++) {
        f->n[d] = (int64_t)a.dims[2 + d];
        f->side[d] = LOCUM_WALL;
        snprintf(f->axis_name[d], sizeof f->axis_name[d], "%c", "xyz"[d]);
    }
    LOCUM_TRY(read_times(l, "t", (int64_t)a.dims[1]));
    LOCUM_TRY(add_array(l, "velocity", true, true, true));
    if (locum_mapped_has(l->file, "particles")) LOCUM_TRY(add_array(l, "particles", true, true, true));
    if (locum_mapped_has(l->file, "force")) LOCUM_TRY(add_array(l, "force", true, false, true));
    return LOCUM_OK;
}

/* --- a group a sample ------------------------------------------------------------------------- */
typedef struct groups {
    char **names;
    int64_t n, capacity;
    locum_status status;
} groups;

static bool is_number(const char *name)
{
    const char *c = name;

    while (isdigit((unsigned char)*c)) c++;
    return c > name && !*c;
}

static herr_t add_group(hid_t file, const char *name, const H5L_info_t *link, void *data)
{
    groups *g = data;

    (void)file;
    (void)link;
    if (!is_number(name)) return 0;
    if (g->n == g->capacity) {
        int64_t capacity = 2 * g->capacity + 64;
        char **grown = realloc(g->names, (size_t)capacity * sizeof *grown);
        if (!grown) g->status = LOCUM_FAIL(LOCUM_MEMORY, "out of memory for %lld groups", (long long)capacity);
        if (!grown) return 1;
        g->names = grown;
        g->capacity = capacity;
    }
    g->status = locum_copy_text(&g->names[g->n], name);
    if (!g->status) g->n++;
    return g->status ? 1 : 0;
}

/* the groups' names, as the samples of the facts */
static locum_status read_groups(const looking *l)
{
    groups g = {0};
    hsize_t index = 0;

    (void)H5Literate(l->file, H5_INDEX_NAME, H5_ITER_INC, &index, add_group, &g);
    H5Eclear2(H5E_DEFAULT);
    l->facts->group = g.names;
    l->facts->n_samples = g.n;
    return g.status;
}

static locum_status look_groups(const looking *l)
{
    locum_mapped_facts *f = l->facts;
    char path[LOCUM_MAPPED_PATH];
    hid_t group = -1;

    LOCUM_TRY(read_groups(l));
    for (int d = 0; d < 3; d++) {
        snprintf(path, sizeof path, "%s/grid/%c", f->group[0], "xyz"[d]);
        if (d == 0 || locum_mapped_has(l->file, path)) LOCUM_TRY(read_axis(l, path, d));
    }
    locum_mapped_array a = {.n_dims = 0};
    snprintf(path, sizeof path, "%s/data", f->group[0]);
    LOCUM_TRY(locum_mapped_array_at(l->file, l->where, path, &a));
    snprintf(path, sizeof path, "%s/grid/t", f->group[0]);
    LOCUM_TRY(read_times(l, path, (int64_t)a.dims[0]));
    group = H5Gopen2(l->file, f->group[0], H5P_DEFAULT);
    looking inside = {l->source, group, l->where, f};
    locum_status st = LOCUM_HDF5(group >= 0, LOCUM_DAMAGED, "%s: %s is damaged", l->where, f->group[0]);
    if (!st) st = add_array(&inside, "data", false, true, true);
    if (group >= 0) H5Gclose(group);
    for (int64_t b = 1; !st && b < f->n_samples; b++) {
        snprintf(path, sizeof path, "%s/data", f->group[b]);
        if (!locum_mapped_has(l->file, path))
            st = LOCUM_FAIL(LOCUM_INPUT, "%s: there is no array %s, which other samples have", l->where, path);
    }
    return st;
}

static locum_status look(const looking *l)
{
    static const char *const flow[] = {"density", "pressure", "Vx", "Vy", "Vz"}, *const single[] = {"tensor"};
    char list[LOCUM_MAPPED_LIST];

    for (int i = 0; i < 5; i++)
        if (locum_mapped_has(l->file, flow[i])) return look_arrays(l, 5, flow);
    if (locum_mapped_has(l->file, "tensor")) return look_arrays(l, 1, single);
    if (locum_mapped_has(l->file, "velocity")) return look_incompressible(l);
    if (locum_mapped_has_group(l->file, "0000") || locum_mapped_has_group(l->file, "0")) return look_groups(l);
    locum_mapped_list(l->file, list);
    return LOCUM_FAIL(LOCUM_INPUT,
                      "%s: none of PDEBench's layouts (density, Vx, ... | tensor | 0000/data | velocity); it has %s",
                      l->where, list);
}

const locum_mapped_layout locum_mapped_pdebench = {"pdebench", look};
