/* SPDX-License-Identifier: BSD-3-Clause */
/* shard_well.c - what readers of The Well and of netCDF-4 look for in a grid file.
 *
 *   root        grid_type, n_spatial_dims, n_trajectories, simulation_parameters; each parameter also by its name
 *   dimensions  time [T], x, y (z); spatial_dims.  They are hard links to arrays at the root, because a netCDF
 *               dimension is visible only from its own group downwards; sample and component stay at the root
 *   scalars     varied parameters [B], constants [], global observables [B, T]
 *   t0_fields, t1_fields, t2_fields    field_names; each field: dim_varying, sample_varying, time_varying
 *   boundary_conditions   one group for each kind of side of each axis, `mask` true at the sides of that kind
 *
 * Sources: The Well's data format page and format checker (PolymathicAI/the_well); netCDF-4 over HDF5 dimension
 * scales. */
#include <hdf5_hl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "datasets/store/shard_internal.h"

#define NAMES_MAX 1100

static const locum_domain *grid_of(const locum_shard *s)
{
    for (int d = 0; d < s->schema->schema.n_domains; d++)
        if (s->schema->domains[d].support == LOCUM_GRID) return &s->schema->domains[d];
    return NULL;
}

static locum_status closed(locum_status st, hid_t dataset, const char *what)
{
    if (dataset >= 0 && H5Dclose(dataset) < 0 && !st) return LOCUM_HDF5(false, LOCUM_IO, "cannot write %s", what);
    return st;
}

static locum_status varying(hid_t object, bool sample, bool time)
{
    locum_status st = locum_hdf5_attribute_bool(object, "sample_varying", sample);

    return st ? st : locum_hdf5_attribute_bool(object, "time_varying", time);
}

/* --- root attributes -------------------------------------------------------------------------- */
static locum_status write_root(const locum_shard *s, hid_t file, int n_dims)
{
    const locum_store_facts *f = &s->facts;
    const char *names[NAMES_MAX];
    int n = 0;
    hid_t root = H5Gopen2(file, "/", H5P_DEFAULT);

    locum_status st = LOCUM_HDF5(root >= 0, LOCUM_IO, "%s: no root", s->part);
    if (!st) st = locum_hdf5_attribute_text(root, "Conventions", "CF-1.8");
    if (!st) st = locum_hdf5_attribute_text(root, "grid_type", "cartesian");
    if (!st) st = locum_hdf5_attribute_integer(root, "n_spatial_dims", n_dims);
    if (!st) st = locum_hdf5_attribute_integer(root, "n_trajectories", s->n_good);
    /* a varied parameter has no single value; the first sample's stands for the file */
    const double *values = s->parameters.data;
    for (int i = 0; !st && i < f->n_parameters && n < NAMES_MAX; i++) {
        names[n++] = f->parameter_name[i];
        if (H5Aexists(root, f->parameter_name[i]) > 0)
            continue; /* a parameter called as one of ours: its name is there */
        st = locum_hdf5_attribute_number(root, f->parameter_name[i], s->records.n > 0 ? values[i] : 0.0);
    }
    for (int i = 0; !st && i < f->n_constants && n < NAMES_MAX; i++) {
        names[n++] = f->constant_name[i];
        if (H5Aexists(root, f->constant_name[i]) > 0) continue;
        st = locum_hdf5_attribute_number(root, f->constant_name[i], f->constant[i]);
    }
    if (!st) st = locum_hdf5_attribute_texts(root, "simulation_parameters", n, names);
    if (root >= 0) H5Gclose(root);
    return st;
}

/* --- dimensions ------------------------------------------------------------------------------- */
/* a dimension scale at the root, also reachable as /dimensions/<name> if linked */
static locum_status write_scale(hid_t file, const char *name, hid_t type, int64_t n, const void *data, const char *unit,
                                bool grows, bool linked)
{
    char path[LOCUM_STORE_NAME_SIZE], link[LOCUM_STORE_NAME_SIZE];
    hsize_t dims = (hsize_t)n, max = grows || n == 0 ? H5S_UNLIMITED : dims, chunk = n > 0 ? dims : 1;
    hid_t dataset = -1;

    snprintf(path, sizeof path, "/%s", name);
    snprintf(link, sizeof link, "/dimensions/%s", name);
    if (chunk > 65536) chunk = 65536;
    locum_status st = locum_hdf5_create(file, path, type, 1, &dims, &max, &chunk, false, &dataset);
    if (!st && n > 0)
        st = LOCUM_HDF5(H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) >= 0, LOCUM_IO, "cannot write %s",
                        path);
    if (!st) st = LOCUM_HDF5(H5DSset_scale(dataset, name) >= 0, LOCUM_IO, "cannot make %s a dimension", path);
    if (!st && unit) st = locum_hdf5_attribute_text(dataset, "units", unit);
    if (!st && linked) st = varying(dataset, false, !strcmp(name, "time"));
    if (!st && linked)
        st = LOCUM_HDF5(H5Lcreate_hard(file, path, file, link, H5P_DEFAULT, H5P_DEFAULT) >= 0, LOCUM_IO,
                        "cannot link %s", link);
    return closed(st, dataset, path);
}

/* an axis in the precision of the file; points without coordinates are numbered */
static locum_status write_axis(const locum_shard *s, hid_t file, const char *name, int64_t n, const double *points,
                               const char *unit, bool grows)
{
    void *values = NULL;
    locum_status st = locum_alloc(&values, n + 1, sizeof(double));

    for (int64_t i = 0; !st && i < n; i++) {
        double point = points ? points[i] : (double)i;
        if (s->precision == LOCUM_FLOAT32)
            ((float *)values)[i] = (float)point;
        else
            ((double *)values)[i] = point;
    }
    if (!st) st = write_scale(file, name, locum_hdf5_file_type(s->precision), n, values, unit, grows, true);
    free(values);
    return st;
}

static locum_status write_numbered(hid_t file, const char *name, int64_t n, bool grows)
{
    int32_t *numbers = NULL;
    locum_status st = LOCUM_NEW(&numbers, n + 1);

    for (int64_t i = 0; !st && i < n; i++) numbers[i] = (int32_t)i;
    if (!st) st = write_scale(file, name, H5T_STD_I32LE, n, numbers, NULL, grows, false);
    free(numbers);
    return st;
}

static void component_name(int n, char name[32])
{
    snprintf(name, 32, "component_%d", n);
}

/* component axes: one dimension for each length that occurs */
static locum_status write_components(const locum_shard *s, hid_t file)
{
    locum_status st = LOCUM_OK;
    char name[32];

    for (int a = 0; !st && a < s->schema->schema.n_arrays; a++) {
        const locum_array *array = &s->schema->arrays[a];
        for (int i = 0; !st && i < array->order; i++) {
            component_name(array->shape[i], name);
            if (H5Lexists(file, name, H5P_DEFAULT) <= 0) st = write_numbered(file, name, array->shape[i], false);
        }
    }
    return st;
}

static locum_status write_dimensions(const locum_shard *s, hid_t file, const locum_domain *grid)
{
    hid_t group = -1;
    locum_status st = locum_hdf5_group(file, "/dimensions", &group);

    if (!st) st = locum_hdf5_attribute_texts(group, "spatial_dims", grid->n_dims, grid->axis_name);
    if (group >= 0) H5Gclose(group);
    if (!st) st = write_numbered(file, "sample", s->n_good, true);
    if (!st)
        st = write_axis(s, file, "time", s->frames_per_sample > 0 ? s->frames_per_sample : 0, s->time.data, NULL, true);
    for (int d = 0; !st && d < grid->n_dims; d++)
        st = write_axis(s, file, grid->axis_name[d], grid->n_global[d], grid->axis[d], grid->axis_unit, false);
    return st ? st : write_components(s, file);
}

/* --- fields ----------------------------------------------------------------------------------- */
static locum_status attach(hid_t file, hid_t dataset, const char *name, int axis)
{
    hid_t scale = H5Dopen2(file, name, H5P_DEFAULT);
    locum_status st = LOCUM_HDF5(scale >= 0 && H5DSattach_scale(dataset, scale, (unsigned)axis) >= 0, LOCUM_IO,
                                 "cannot attach the dimension %s", name);

    if (scale >= 0) H5Dclose(scale);
    return st;
}

/* dimensions and flags of one array over samples and frames */
static locum_status mark_array(const locum_shard *s, hid_t file, int a, const locum_domain *grid)
{
    const locum_array *array = &s->schema->arrays[a];
    const bool all[3] = {true, true, true};
    char path[LOCUM_STORE_NAME_SIZE], component[32];
    bool on_grid = s->schema->domains[array->domain].support == LOCUM_GRID;
    int axis = 2;

    locum_layout_array(s->layout, &s->schema->schema, a, path);
    hid_t dataset = H5Dopen2(file, path, H5P_DEFAULT);
    locum_status st = LOCUM_HDF5(dataset >= 0, LOCUM_IO, "%s: cannot finish %s", s->part, path);
    if (!st) st = attach(file, dataset, "sample", 0);
    if (!st) st = attach(file, dataset, "time", 1);
    for (int d = 0; !st && on_grid && d < grid->n_dims; d++) st = attach(file, dataset, grid->axis_name[d], axis++);
    for (int i = 0; !st && i < array->order; i++) {
        component_name(array->shape[i], component);
        st = attach(file, dataset, component, axis++);
    }
    if (!st && on_grid) st = varying(dataset, true, true);
    if (!st && on_grid) st = locum_hdf5_attribute_bools(dataset, "dim_varying", grid->n_dims, all);
    return closed(st, dataset, path);
}

/* field_names of t0_fields, t1_fields, t2_fields; a group that no field has made is made empty */
static locum_status write_field_names(const locum_shard *s, hid_t file, int order)
{
    const char *names[NAMES_MAX];
    char path[32];
    int n = 0;
    hid_t group = -1;

    snprintf(path, sizeof path, "/t%d_fields", order);
    for (int a = 0; a < s->schema->schema.n_arrays && n < NAMES_MAX; a++)
        if (s->schema->arrays[a].order == order && locum_layout_is_field(&s->schema->schema, a))
            names[n++] = s->schema->arrays[a].name;
    locum_status st = LOCUM_OK;
    if (n > 0)
        group = H5Gopen2(file, path, H5P_DEFAULT);
    else
        st = locum_hdf5_group(file, path, &group);
    if (!st) st = LOCUM_HDF5(group >= 0, LOCUM_IO, "%s: no group %s", s->part, path);
    if (!st) st = locum_hdf5_attribute_texts(group, "field_names", n, names);
    if (group >= 0) H5Gclose(group);
    return st;
}

/* --- scalars ---------------------------------------------------------------------------------- */
/* values of one parameter over the good samples: [B] */
static locum_status write_parameter(const locum_shard *s, hid_t file, int p)
{
    const locum_shard_record *records = s->records.data;
    const double *all = s->parameters.data;
    char path[2 * LOCUM_STORE_NAME_SIZE];
    double *values = NULL;
    hid_t dataset = -1;
    hsize_t n = 0;

    snprintf(path, sizeof path, "/scalars/%s", s->facts.parameter_name[p]);
    locum_status st = LOCUM_NEW(&values, s->records.n + 1);
    for (int64_t r = 0; !st && r < s->records.n; r++)
        if (!records[r].status) values[n++] = all[r * s->facts.n_parameters + p];
    if (!st) st = locum_hdf5_write(file, path, H5T_IEEE_F64LE, 1, &n, values, &dataset);
    if (!st) st = varying(dataset, true, false);
    if (!st) st = locum_hdf5_attribute_text(dataset, "units", s->facts.parameter_unit[p]);
    if (!st) st = attach(file, dataset, "sample", 0);
    free(values);
    return closed(st, dataset, path);
}

/* one number, shape () */
static locum_status write_constant(hid_t file, const char *name, double value)
{
    char path[2 * LOCUM_STORE_NAME_SIZE];
    hid_t space = H5Screate(H5S_SCALAR);

    snprintf(path, sizeof path, "/scalars/%s", name);
    hid_t dataset = H5Dcreate2(file, path, H5T_IEEE_F64LE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    locum_status st =
        LOCUM_HDF5(dataset >= 0 && H5Dwrite(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, &value) >= 0,
                   LOCUM_IO, "cannot write %s", path);
    if (!st) st = varying(dataset, false, false);
    if (space >= 0) H5Sclose(space);
    return closed(st, dataset, path);
}

static locum_status write_scalars(const locum_shard *s, hid_t file)
{
    const char *names[NAMES_MAX];
    int n = 0;
    hid_t group = -1;
    bool there = H5Lexists(file, "/scalars", H5P_DEFAULT) > 0; /* global observables have made it */
    locum_status st = LOCUM_OK;

    for (int a = 0; a < s->schema->schema.n_arrays && n < NAMES_MAX; a++)
        if (locum_layout_is_scalar(&s->schema->schema, a)) names[n++] = s->schema->arrays[a].name;
    if (there)
        group = H5Gopen2(file, "/scalars", H5P_DEFAULT);
    else
        st = locum_hdf5_group(file, "/scalars", &group);
    if (!st) st = LOCUM_HDF5(group >= 0, LOCUM_IO, "%s: no group /scalars", s->part);
    for (int p = 0; !st && p < s->facts.n_parameters && n < NAMES_MAX; p++) {
        names[n++] = s->facts.parameter_name[p];
        st = write_parameter(s, file, p);
    }
    for (int c = 0; !st && c < s->facts.n_constants && n < NAMES_MAX; c++) {
        if (H5Lexists(group, s->facts.constant_name[c], H5P_DEFAULT) > 0) continue; /* a scalar array of that name */
        names[n++] = s->facts.constant_name[c];
        st = write_constant(file, s->facts.constant_name[c], s->facts.constant[c]);
    }
    if (!st) st = locum_hdf5_attribute_texts(group, "field_names", n, names);
    if (group >= 0) H5Gclose(group);
    return st;
}

/* --- boundary conditions ---------------------------------------------------------------------- */
static locum_status write_boundary(hid_t file, const char *axis, int64_t n, const char *name, const char *type,
                                   bool lower, bool upper)
{
    char path[LOCUM_STORE_NAME_SIZE], mask_path[LOCUM_STORE_NAME_SIZE + 8];
    int8_t *mask = NULL;
    hid_t group = -1, boolean = locum_hdf5_bool_type(), dataset = -1;
    hsize_t dims = (hsize_t)n;

    snprintf(path, sizeof path, "/boundary_conditions/%s_%s", axis, name);
    snprintf(mask_path, sizeof mask_path, "%s/mask", path);
    locum_status st = LOCUM_NEW(&mask, n + 1);
    if (!st) {
        mask[0] = lower;
        mask[n - 1] = upper;
        st = locum_hdf5_group(file, path, &group);
    }
    if (!st) st = locum_hdf5_attribute_text(group, "bc_type", type);
    if (!st) st = locum_hdf5_attribute_texts(group, "associated_dims", 1, &axis);
    if (!st) st = locum_hdf5_attribute_texts(group, "associated_fields", 0, NULL);
    if (!st) st = varying(group, false, false);
    if (!st) st = locum_hdf5_write(file, mask_path, boolean, 1, &dims, mask, &dataset);
    if (!st) st = attach(file, dataset, axis, 0);
    if (!st) st = varying(dataset, false, false);
    if (group >= 0) H5Gclose(group);
    if (boolean >= 0) H5Tclose(boolean);
    free(mask);
    return closed(st, dataset, mask_path);
}

static locum_status write_boundaries(hid_t file, const locum_domain *grid)
{
    static const char *const names[] = {"periodic", "wall", "open"}, *const types[] = {"PERIODIC", "WALL", "OPEN"};
    hid_t group = -1;
    locum_status st = locum_hdf5_group(file, "/boundary_conditions", &group);

    if (group >= 0) H5Gclose(group);
    for (int d = 0; !st && d < grid->n_dims; d++)
        for (int kind = 0; !st && kind < 3; kind++) {
            bool lower = (int)grid->side[d][0] == kind, upper = (int)grid->side[d][1] == kind;
            if (lower || upper)
                st =
                    write_boundary(file, grid->axis_name[d], grid->n_global[d], names[kind], types[kind], lower, upper);
        }
    return st;
}

locum_status locum_shard_write_well(locum_shard *s, hid_t file)
{
    const locum_domain *grid = grid_of(s);
    locum_status st = write_root(s, file, grid->n_dims);

    if (!st) st = write_dimensions(s, file, grid);
    for (int a = 0; !st && a < s->schema->schema.n_arrays; a++)
        if (s->schema->domains[s->schema->arrays[a].domain].support != LOCUM_ROWS) st = mark_array(s, file, a, grid);
    for (int order = 0; !st && order < 3; order++) st = write_field_names(s, file, order);
    if (!st) st = write_scalars(s, file);
    return st ? st : write_boundaries(file, grid);
}
