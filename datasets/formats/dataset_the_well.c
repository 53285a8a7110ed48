/* SPDX-License-Identifier: BSD-3-Clause */
/* dataset_the_well.c - files in the layout of The Well (R. Ohana et al., NeurIPS 2024, data_format.md).
 *
 *     /t0_fields/density [B, T, x, y]   /t1_fields/velocity [B, T, x, y, D]   /t2_fields/stress [B, T, x, y, D, D]
 *     /dimensions/{time, x, y}          /scalars/Re: one value, [B], [T] or [B, T]
 *     /boundary_conditions/NAME: associated_dims, bc_type
 *
 * An axis whose flag (sample_varying, time_varying, dim_varying) is false is not in the file. Lengths of axes are those
 * of /dimensions, so that an exchanged order of axes is seen. Scalars that change from sample to sample, or from file
 * to file, are parameters; those that change in time are arrays. Left out: coordinates that move. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "datasets/formats/mapped.h"

/* one file while it is looked into */
typedef struct looking {
    const locum_source *source;
    hid_t file;
    const char *where;
    locum_mapped_facts *facts;
    int order;           /* of the fields that are visited */
    bool several_frames; /* an array changes in time */
    locum_status status;
} looking;

/* --- axes ------------------------------------------------------------------------------------- */
static locum_status read_axis(looking *l, int d)
{
    locum_mapped_facts *f = l->facts;
    char path[LOCUM_MAPPED_PATH];
    hsize_t dims[LOCUM_HDF5_DIMS];
    int n_dims = 0;

    if (!locum_mapped_text(l->file, "/dimensions", "spatial_dims", d, f->axis_name[d], sizeof f->axis_name[d]))
        snprintf(f->axis_name[d], sizeof f->axis_name[d], "%c", "xyz"[d]);
    snprintf(path, sizeof path, "/dimensions/%s", f->axis_name[d]);
    LOCUM_REQUIRE(locum_mapped_has(l->file, path), LOCUM_INPUT,
                  "%s: %s is missing: this layout says the points of each axis there, without which the order of axes "
                  "cannot be checked; write it, or read single arrays by `format: hdf5`",
                  l->where, path);
    LOCUM_TRY(locum_mapped_numbers(l->file, l->where, path, &n_dims, dims, &f->axis[d]));
    LOCUM_REQUIRE(n_dims == 1, LOCUM_INPUT,
                  "%s: %s has %d axes: coordinates that differ between samples or times cannot "
                  "be read",
                  l->where, path, n_dims);
    f->n[d] = (int64_t)dims[0];
    f->side[d] = LOCUM_OPEN;
    (void)locum_mapped_text(l->file, path, "units", 0, f->axis_unit, sizeof f->axis_unit);
    return LOCUM_OK;
}

static locum_status read_axes(looking *l)
{
    locum_mapped_facts *f = l->facts;
    char text[8];
    hsize_t dims[LOCUM_HDF5_DIMS];
    int n_dims = 0, named = 0;

    LOCUM_REQUIRE(locum_mapped_has_group(l->file, "/dimensions"), LOCUM_INPUT,
                  "%s: /dimensions is missing: this layout names its axes there; write it, or read single arrays by "
                  "`format: hdf5`",
                  l->where);
    while (named < 4 && locum_mapped_text(l->file, "/dimensions", "spatial_dims", named, text, sizeof text)) named++;
    int64_t n = locum_mapped_integer(l->file, "/", "n_spatial_dims", named);
    LOCUM_REQUIRE(n >= 1 && n <= 3, LOCUM_INPUT, "%s: %lld axes of space (n_spatial_dims); there can be 1 to 3",
                  l->where, (long long)n);
    LOCUM_REQUIRE(!named || named == n, LOCUM_INPUT, "%s: n_spatial_dims is %lld, but /dimensions names %d axes",
                  l->where, (long long)n, named);
    f->n_axes = (int)n;
    for (int d = 0; d < f->n_axes; d++) LOCUM_TRY(read_axis(l, d));
    LOCUM_REQUIRE(locum_mapped_has(l->file, "/dimensions/time"), LOCUM_INPUT,
                  "%s: /dimensions/time is missing: this layout says the times of the frames there", l->where);
    LOCUM_TRY(locum_mapped_numbers(l->file, l->where, "/dimensions/time", &n_dims, dims, &f->time));
    LOCUM_REQUIRE(n_dims <= 2, LOCUM_INPUT, "%s: /dimensions/time has %d axes", l->where, n_dims);
    f->time_of_sample = n_dims == 2;
    f->n_frames = n_dims ? (int64_t)dims[n_dims - 1] : 1;
    if (n_dims == 2) f->n_samples = (int64_t)dims[0];
    return LOCUM_OK;
}

static herr_t read_boundary(hid_t group, const char *name, const H5L_info_t *link, void *data)
{
    looking *l = data;
    char path[LOCUM_MAPPED_PATH], kind[16] = "", axis[32];

    (void)group;
    (void)link;
    if (snprintf(path, sizeof path, "/boundary_conditions/%s", name) >= (int)sizeof path) return 0;
    if (!locum_mapped_text(l->file, path, "bc_type", 0, kind, sizeof kind)) return 0;
    for (int i = 0; i < 3 && locum_mapped_text(l->file, path, "associated_dims", i, axis, sizeof axis); i++)
        for (int d = 0; d < l->facts->n_axes; d++)
            if (!strcmp(axis, l->facts->axis_name[d]))
                l->facts->side[d] = !strcmp(kind, "PERIODIC") ? LOCUM_PERIODIC
                                    : !strcmp(kind, "WALL")   ? LOCUM_WALL
                                                              : LOCUM_OPEN;
    return 0;
}

/* --- fields ----------------------------------------------------------------------------------- */
/* the axes that a field must have: roles, and lengths (0 = any) */
static int expected_axes(looking *l, const char *path, int order, int *role, int64_t *length, char *names, size_t size)
{
    const locum_mapped_facts *f = l->facts;
    int n = 0, used = 0;

    if (locum_mapped_flag(l->file, path, "sample_varying", 0, true)) {
        role[n] = LOCUM_AXIS_SAMPLE;
        length[n++] = f->n_samples;
        used += snprintf(names + used, size - (size_t)used, f->n_samples ? "samples = %lld" : "samples",
                         (long long)f->n_samples);
    }
    if (locum_mapped_flag(l->file, path, "time_varying", 0, true)) {
        role[n] = LOCUM_AXIS_TIME;
        length[n++] = f->n_frames;
        used += snprintf(names + used, size - (size_t)used, "%stime = %lld", n > 1 ? ", " : "", (long long)f->n_frames);
    }
    for (int d = 0; d < f->n_axes; d++) {
        if (!locum_mapped_flag(l->file, path, "dim_varying", d, true)) continue;
        role[n] = LOCUM_AXIS_SPACE + d;
        length[n++] = f->n[d];
        used += snprintf(names + used, size - (size_t)used, "%s%s = %lld", n > 1 ? ", " : "", f->axis_name[d],
                         (long long)f->n[d]);
    }
    for (int i = 0; i < order; i++) {
        role[n] = LOCUM_AXIS_COMPONENT;
        length[n++] = 0;
        used += snprintf(names + used, size - (size_t)used, "%scomponents", n > 1 ? ", " : "");
    }
    return n;
}

static int by_size(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

/* whether the lengths are those that were expected, in another order */
static bool is_permuted(const locum_mapped_array *a, const int64_t *length, int n)
{
    int64_t have[LOCUM_HDF5_DIMS], want[LOCUM_HDF5_DIMS];

    for (int i = 0; i < n; i++) {
        have[i] = (int64_t)a->dims[i];
        want[i] = length[i] ? length[i] : have[i];
    }
    qsort(have, (size_t)n, sizeof *have, by_size);
    qsort(want, (size_t)n, sizeof *want, by_size);
    return !memcmp(have, want, (size_t)n * sizeof *have);
}

static locum_status check_axes(looking *l, const char *path, const locum_mapped_array *a, const int *role,
                               const int64_t *length, int n, const char *names)
{
    char shape[128];
    bool right = a->n_dims == n, permuted;

    for (int i = 0; right && i < n; i++) right = length[i] == 0 || (int64_t)a->dims[i] == length[i];
    if (right) return LOCUM_OK;
    locum_mapped_shape(a->n_dims, a->dims, shape, sizeof shape);
    LOCUM_REQUIRE(a->n_dims == n, LOCUM_INPUT,
                  "%s: %s has the shape %s, %d axes, but this layout and its attributes ask for %d: [%s]", l->where,
                  path, shape, a->n_dims, n, names);
    permuted = is_permuted(a, length, n);
    for (int i = 0; i < n && !permuted; i++)
        if (role[i] >= LOCUM_AXIS_SPACE && role[i] < LOCUM_AXIS_COMPONENT && (int64_t)a->dims[i] != length[i])
            return LOCUM_FAIL(
                LOCUM_INPUT,
                "%s: %s has the shape %s, but /dimensions say [%s]: its resolution is another one, or its "
                "axes are in another order",
                l->where, path, shape, names);
    return LOCUM_FAIL(LOCUM_INPUT, "%s: %s has the shape %s, but this layout asks for [%s]%s", l->where, path, shape,
                      names, permuted ? ": its axes are in the wrong order; write them in this one" : "");
}

static locum_status add_field(looking *l, const char *path)
{
    locum_mapped_facts *f = l->facts;
    locum_mapped_array *a;
    int role[LOCUM_HDF5_DIMS];
    int64_t length[LOCUM_HDF5_DIMS];
    char names[256] = "";

    if (!locum_mapped_wanted(l->source, path)) return LOCUM_OK;
    LOCUM_TRY(locum_mapped_add(f, l->where, &a));
    LOCUM_TRY(locum_mapped_array_at(l->file, l->where, path, a));
    int n = expected_axes(l, path, l->order, role, length, names, sizeof names);
    LOCUM_TRY(check_axes(l, path, a, role, length, n, names));
    a->on_grid = true;
    a->order = l->order;
    for (int i = 0, c = 0; i < n; i++) {
        a->role[i] = role[i];
        if (role[i] == LOCUM_AXIS_SAMPLE) f->n_samples = (int64_t)a->dims[i];
        if (role[i] == LOCUM_AXIS_COMPONENT) a->shape[c++] = (int)a->dims[i];
        l->several_frames = l->several_frames || role[i] == LOCUM_AXIS_TIME;
    }
    return LOCUM_OK;
}

static herr_t visit_field(hid_t group, const char *name, const H5L_info_t *link, void *data)
{
    looking *l = data;
    char path[LOCUM_MAPPED_PATH];

    (void)group;
    (void)link;
    snprintf(path, sizeof path, "/t%d_fields/%.200s", l->order, name);
    if (locum_mapped_has(l->file, path)) l->status = add_field(l, path);
    return l->status ? 1 : 0;
}

/* --- scalars ---------------------------------------------------------------------------------- */
static locum_status repeat(const double *from, int64_t n, int64_t step, double **values)
{
    LOCUM_TRY(LOCUM_NEW(values, n));
    for (int64_t b = 0; b < n; b++) (*values)[b] = from[b * step];
    return LOCUM_OK;
}

static locum_status add_scalar(looking *l, const char *path)
{
    locum_mapped_facts *f = l->facts;
    locum_mapped_array *a, found = {0};
    hsize_t dims[LOCUM_HDF5_DIMS];
    char names[256] = "", shape[128];
    int role[LOCUM_HDF5_DIMS], n_dims = 0, n;
    int64_t length[LOCUM_HDF5_DIMS];
    double *values = NULL, *column = NULL;

    bool of_sample = locum_mapped_flag(l->file, path, "sample_varying", 0, false);
    bool of_time = locum_mapped_flag(l->file, path, "time_varying", 0, false);
    if (of_time) {
        if (!locum_mapped_wanted(l->source, path)) return LOCUM_OK;
        LOCUM_TRY(locum_mapped_array_at(l->file, l->where, path, &found));
        n = 0;
        if (of_sample) role[n] = LOCUM_AXIS_SAMPLE, length[n++] = f->n_samples;
        role[n] = LOCUM_AXIS_TIME, length[n++] = f->n_frames;
        snprintf(names, sizeof names, "%stime = %lld", of_sample ? "samples, " : "", (long long)f->n_frames);
        LOCUM_TRY(check_axes(l, path, &found, role, length, n, names));
        memcpy(found.role, role, sizeof role);
        LOCUM_TRY(locum_mapped_add(f, l->where, &a));
        *a = found;
        return LOCUM_OK;
    }
    LOCUM_TRY(locum_mapped_numbers(l->file, l->where, path, &n_dims, dims, &values));
    locum_mapped_shape(n_dims, dims, shape, sizeof shape);
    locum_status st = LOCUM_OK;
    bool single = n_dims == 0 || (n_dims == 1 && dims[0] == 1);
    if (!single && (n_dims != 1 || (int64_t)dims[0] != f->n_samples))
        st =
            LOCUM_FAIL(LOCUM_INPUT, "%s: %s has the shape %s; it can be one value, or one for each of the %lld samples",
                       l->where, path, shape, (long long)f->n_samples);
    if (!st) st = repeat(values, f->n_samples, single ? 0 : 1, &column);
    free(values);
    if (!st) st = locum_mapped_parameter(f, l->where, locum_mapped_word(path), column);
    return st;
}

static herr_t visit_scalar(hid_t group, const char *name, const H5L_info_t *link, void *data)
{
    looking *l = data;
    char path[LOCUM_MAPPED_PATH];

    (void)group;
    (void)link;
    snprintf(path, sizeof path, "/scalars/%.200s", name);
    if (locum_mapped_has(l->file, path)) l->status = add_scalar(l, path);
    return l->status ? 1 : 0;
}

static locum_status visit(looking *l, const char *path, H5L_iterate_t call)
{
    hsize_t index = 0;

    if (!locum_mapped_has_group(l->file, path)) return LOCUM_OK;
    herr_t answer = H5Literate_by_name(l->file, path, H5_INDEX_NAME, H5_ITER_INC, &index, call, l, H5P_DEFAULT);
    if (l->status) return l->status;
    return LOCUM_HDF5(answer >= 0, LOCUM_DAMAGED, "%s: %s is damaged", l->where, path);
}

static locum_status look(const locum_mapped_looking *given)
{
    locum_mapped_facts *facts = given->facts;
    looking l = {.source = given->source, .file = given->file, .where = given->where, .facts = facts};
    char path[32];

    facts->n_samples = locum_mapped_integer(l.file, "/", "n_trajectories", 0);
    facts->drop_constant = true;
    LOCUM_TRY(read_axes(&l));
    LOCUM_TRY(visit(&l, "/boundary_conditions", read_boundary));
    for (l.order = 0; l.order <= 2; l.order++) {
        snprintf(path, sizeof path, "/t%d_fields", l.order);
        LOCUM_TRY(visit(&l, path, visit_field));
    }
    if (facts->n_samples < 1) facts->n_samples = 1; /* every field is the same in all samples */
    LOCUM_TRY(visit(&l, "/scalars", visit_scalar));
    facts->timeless = !l.several_frames;
    if (facts->timeless) facts->n_frames = 1;
    if (facts->timeless) facts->time_of_sample = false;
    return LOCUM_OK;
}

const locum_mapped_layout locum_mapped_the_well = {"the_well", look};
