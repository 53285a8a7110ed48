/* SPDX-License-Identifier: BSD-3-Clause */
/* dataset_hdf5.c - arrays of any HDF5 file, named by the study: `inputs` and `outputs`.
 *
 *     /u [samples, time, x, y, components]       samples_axis: 0, time_axis: 1, axes: 2
 *
 * samples_axis, time_axis and components_axis may be anywhere (a MATLAB file has its samples last, a network's file its
 * components before space); what is left is space, x first, then components. How many of them are space is said by `axes`, or by the shape where it leaves no doubt:
 *
 *     nothing left: one value      k <= 16: a vector of values      k > 16: a 1-D field
 *     [x, y]: 2-D field            [x, c <= 4]: 1-D field           [x, y, c <= 4]: 2-D field      [n, n, n]: 3-D field
 *
 * Inputs that are values are parameters; an array without a time axis stays the same in all frames. Such files say
 * nothing about coordinates, so the order of axes is checked by spectra: space is smooth, while along an axis of samples
 * neighbours differ as much as far points do. With x the values along an axis,
 *     roughness = mean (x_i+1 - x_i)^2 / (2 variance) = sum_k |x_k|^2 (1 - cos(2 pi k / n)) / sum_k |x_k|^2
 * is near 0 for a field that the grid resolves and near 1 for a flat spectrum. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "datasets/formats/mapped.h"

#define VALUES_MAX 16    /* longest vector of values */
#define COMPONENTS_MAX 4 /* most components that are taken for such without `axes` */
#define FLAT 0.7         /* roughness of an axis that is not space ... */
#define SMOOTH 0.1       /* ... where another axis shows a field that is resolved */
#define LOOK_MAX (INT64_C(1) << 22)

typedef locum_mapped_looking looking;

/* --- finding ---------------------------------------------------------------------------------- */
typedef struct search {
    const char *word;
    char path[LOCUM_MAPPED_PATH];
    int n;
} search;

static herr_t compare_name(hid_t file, const char *name, const H5O_info_t *object, void *data)
{
    search *s = data;

    (void)file;
    if (object->type == H5O_TYPE_DATASET && !strcmp(locum_mapped_word(name), s->word) &&
        snprintf(s->path, sizeof s->path, "/%s", name) < (int)sizeof s->path)
        s->n++;
    return 0;
}

/* an array by its path, or by its name alone where there is only one of that name */
static locum_status find(const looking *l, const char *name, char path[LOCUM_MAPPED_PATH])
{
    search s = {.word = name};

    snprintf(path, LOCUM_MAPPED_PATH, "%s", name);
    if (locum_mapped_has(l->file, path) || strchr(name, '/')) return LOCUM_OK;
    (void)H5Ovisit(l->file, H5_INDEX_NAME, H5_ITER_INC, compare_name, &s);
    H5Eclear2(H5E_DEFAULT);
    LOCUM_REQUIRE(s.n < 2, LOCUM_INPUT, "%s: there are %d arrays called `%s`; name one by its path", l->where, s.n,
                  name);
    if (s.n == 1) snprintf(path, LOCUM_MAPPED_PATH, "%s", s.path);
    return LOCUM_OK;
}

/* --- what axes mean --------------------------------------------------------------------------- */
/* which of its possible axes an array has beside samples, space and components behind space */
typedef struct extra {
    bool time, components;
} extra;

/* lengths of the other axes */
static int rest_of(const locum_source *s, const locum_mapped_array *a, extra has, hsize_t rest[LOCUM_HDF5_DIMS])
{
    int n = 0;

    for (int d = 0; d < a->n_dims; d++)
        if (d != s->samples_axis && !(has.time && d == s->time_axis) && !(has.components && d == s->components_axis))
            rest[n++] = a->dims[d];
    return n;
}

/* axes of space of an array with that rest, -1 = cannot be known */
static int count_axes(const locum_source *s, int n, const hsize_t *rest)
{
    if (s->axes > 0)
        return n >= s->axes && n <= s->axes + 2 ? s->axes : n == 0 || (n == 1 && rest[0] <= VALUES_MAX) ? 0 : -1;
    if (n == 0 || (n == 1 && rest[0] <= VALUES_MAX)) return 0;
    if (n == 1 || (n == 2 && rest[1] <= COMPONENTS_MAX)) return 1;
    if (n == 2 || (n == 3 && rest[2] <= COMPONENTS_MAX)) return 2;
    if (n == 3 && rest[0] == rest[1] && rest[1] == rest[2]) return 3;
    if (n == 4 && rest[3] <= COMPONENTS_MAX && rest[0] == rest[1] && rest[1] == rest[2]) return 3;
    return -1;
}

static locum_status not_known(const looking *l, const locum_mapped_array *a)
{
    char shape[128];

    locum_mapped_shape(a->n_dims, a->dims, shape, sizeof shape);
    return LOCUM_FAIL(
        LOCUM_INPUT,
        "%s: what the axes of %s %s mean cannot be known: samples are axis %d, time is %s; say which axis is "
        "time by `time_axis:`, how many are space by `axes:`, and where components are by "
        "`components_axis:` if they do not come last",
        l->where, a->path, shape, (int)l->source->samples_axis, l->source->time_axis < 0 ? "none" : "given");
}

static bool fits_grid(const locum_mapped_facts *f, int n, const hsize_t *rest)
{
    bool fits = n >= f->n_axes && n <= f->n_axes + 2 && f->n_axes > 0;

    for (int d = 0; fits && d < f->n_axes; d++) fits = (int64_t)rest[d] == f->n[d];
    return fits;
}

/* roles of the axes of an array, on the grid or not */
static void set_roles(const locum_source *s, const locum_mapped_facts *f, locum_mapped_array *a, extra has)
{
    int place = 0;

    for (int d = 0; d < a->n_dims; d++) {
        if (d == s->samples_axis)
            a->role[d] = LOCUM_AXIS_SAMPLE;
        else if (has.time && d == s->time_axis)
            a->role[d] = LOCUM_AXIS_TIME;
        else if (a->on_grid && place < f->n_axes && !(has.components && d == s->components_axis))
            a->role[d] = LOCUM_AXIS_SPACE + place++;
        else {
            a->role[d] = LOCUM_AXIS_COMPONENT;
            if (a->order < 2) a->shape[a->order++] = (int)a->dims[d];
        }
    }
}

/* what the axes of one array mean, beside the grid and the number of frames that are known */
static locum_status explain(const looking *l, locum_mapped_array *a)
{
    const locum_source *s = l->source;
    locum_mapped_facts *f = l->facts;
    hsize_t rest[LOCUM_HDF5_DIMS];
    char shape[128], grid[128];
    bool can_have_time = s->time_axis >= 0 && s->time_axis < a->n_dims && (int64_t)a->dims[s->time_axis] == f->n_frames;

    bool can_have_components = s->components_axis >= 0 && s->components_axis < a->n_dims;

    /* first as a field, with as many of its possible axes as fit; then as values */
    for (int i = 7; i >= 0; i--) {
        extra has = {.time = i & 1, .components = i & 2};
        if ((has.time && !can_have_time) || (has.components && !can_have_components)) continue;
        int n = rest_of(s, a, has, rest);
        a->on_grid = i > 3;
        if (a->on_grid ? !fits_grid(f, n, rest) : n > 1 || (n == 1 && rest[0] > VALUES_MAX)) continue;
        set_roles(s, f, a, has);
        return LOCUM_OK;
    }
    hsize_t known[3] = {(hsize_t)f->n[0], (hsize_t)f->n[1], (hsize_t)f->n[2]};
    locum_mapped_shape(a->n_dims, a->dims, shape, sizeof shape);
    locum_mapped_shape(f->n_axes, known, grid, sizeof grid);
    return LOCUM_FAIL(
        LOCUM_INPUT,
        "%s: %s has the shape %s, which does not go with the grid %s of the others (samples: axis %d%s): all "
        "fields need one resolution and one order of axes",
        l->where, a->path, shape, grid, (int)s->samples_axis, s->time_axis < 0 ? ", no time" : "");
}

static locum_status check_samples(const looking *l, const locum_mapped_array *a)
{
    char shape[128];
    int axis = l->source->samples_axis;

    locum_mapped_shape(a->n_dims, a->dims, shape, sizeof shape);
    LOCUM_REQUIRE(axis < a->n_dims, LOCUM_INPUT, "%s: %s %s has no axis %d, which `samples_axis` says samples are",
                  l->where, a->path, shape, axis);
    LOCUM_REQUIRE(l->facts->n_samples == 0 || l->facts->n_samples == (int64_t)a->dims[axis], LOCUM_INPUT,
                  "%s: %s %s has %lld samples along axis %d, others have %lld", l->where, a->path, shape,
                  (long long)a->dims[axis], axis, (long long)l->facts->n_samples);
    l->facts->n_samples = (int64_t)a->dims[axis];
    return LOCUM_OK;
}

/* the grid and the number of frames: from the array with most axes */
static locum_status find_grid(const looking *l, int n_arrays, const locum_mapped_array *arrays)
{
    const locum_source *s = l->source;
    locum_mapped_facts *f = l->facts;
    const locum_mapped_array *most = &arrays[0];
    hsize_t rest[LOCUM_HDF5_DIMS];
    char shape[128];

    for (int a = 0; a < n_arrays; a++) {
        LOCUM_TRY(check_samples(l, &arrays[a]));
        if (arrays[a].n_dims > most->n_dims) most = &arrays[a];
    }
    locum_mapped_shape(most->n_dims, most->dims, shape, sizeof shape);
    LOCUM_REQUIRE(s->time_axis < most->n_dims, LOCUM_INPUT, "%s: %s %s has no axis %d, which `time_axis` says time is",
                  l->where, most->path, shape, (int)s->time_axis);
    f->n_frames = s->time_axis < 0 ? 1 : (int64_t)most->dims[s->time_axis];
    f->timeless = s->time_axis < 0;
    extra has = {.time = s->time_axis >= 0, .components = s->components_axis >= 0};
    int n = rest_of(s, most, has, rest);
    f->n_axes = count_axes(s, n, rest);
    if (f->n_axes < 0) return not_known(l, most);
    for (int d = 0; d < f->n_axes; d++) {
        f->n[d] = (int64_t)rest[d];
        f->side[d] = LOCUM_OPEN;
        snprintf(f->axis_name[d], sizeof f->axis_name[d], "%c", "xyz"[d]);
    }
    return LOCUM_OK;
}

/* --- is it space? ----------------------------------------------------------------------------- */
/* roughness along each axis of space of one frame [n, components]; constant fields have none: 0 */
static void measure(const locum_mapped_facts *f, int components, const double *u, double rough[3])
{
    int64_t points = 1, step = components;
    double mean = 0, variance = 0;

    for (int d = 0; d < f->n_axes; d++) points *= f->n[d];
    for (int64_t i = 0; i < points; i++) mean += u[i * components] / (double)points;
    for (int64_t i = 0; i < points; i++) variance += pow(u[i * components] - mean, 2) / (double)points;
    for (int d = f->n_axes - 1; d >= 0; step *= f->n[d], d--) {
        double sum = 0;
        int64_t n = 0;
        for (int64_t i = 0; i < points; i++) {
            if (i * components / step % f->n[d] == f->n[d] - 1) continue;
            sum += pow(u[i * components + step] - u[i * components], 2);
            n++;
        }
        rough[d] = n > 0 && variance > 0 ? sum / (double)n / (2 * variance) : 0;
    }
}

static locum_status read_first(const looking *l, const locum_mapped_array *a, double *u)
{
    hid_t dataset = H5Dopen2(l->file, a->path, H5P_DEFAULT), space = dataset >= 0 ? H5Dget_space(dataset) : -1;
    hsize_t start[LOCUM_HDF5_DIMS] = {0}, count[LOCUM_HDF5_DIMS];

    for (int d = 0; d < a->n_dims; d++) count[d] = a->role[d] >= LOCUM_AXIS_SPACE ? a->dims[d] : 1;
    hid_t memory = H5Screate_simple(a->n_dims, count, NULL);
    bool good = space >= 0 && H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, count, NULL) >= 0 &&
                H5Dread(dataset, H5T_NATIVE_DOUBLE, memory, space, H5P_DEFAULT, u) >= 0;
    locum_status st =
        LOCUM_HDF5(good, LOCUM_DAMAGED, "%s: %s is damaged: a part cannot be read or unpacked", l->where, a->path);
    if (memory >= 0) H5Sclose(memory);
    if (space >= 0) H5Sclose(space);
    if (dataset >= 0) H5Dclose(dataset);
    return st;
}

static locum_status check_order(const looking *l, const locum_mapped_array *a)
{
    const locum_mapped_facts *f = l->facts;
    int64_t n = 1;
    int components = 1, flat = 0, smooth = 0, axis = 0;
    double *u = NULL, rough[3] = {0};
    char shape[128];

    for (int i = 0; i < a->order; i++) components *= a->shape[i];
    for (int d = 0; d < f->n_axes; d++) n *= f->n[d];
    n *= components;
    if (!a->on_grid || f->n_axes < 2 || n > LOOK_MAX) return LOCUM_OK;
    LOCUM_TRY(LOCUM_NEW(&u, n));
    locum_status st = read_first(l, a, u);
    if (!st) measure(f, components, u, rough);
    free(u);
    for (int d = 1; d < f->n_axes; d++) {
        if (rough[d] > rough[flat]) flat = d;
        if (rough[d] < rough[smooth]) smooth = d;
    }
    if (st || !(rough[flat] > FLAT && rough[smooth] < SMOOTH)) return st;
    while (a->role[axis] != LOCUM_AXIS_SPACE + flat) axis++;
    locum_mapped_shape(a->n_dims, a->dims, shape, sizeof shape);
    return LOCUM_FAIL(
        LOCUM_INPUT,
        "%s: axis %d of %s %s is not space: its spectrum is flat (roughness %.2f, along another axis %.3f), as "
        "along samples or components. Is the order of axes another? (samples_axis, time_axis, components_axis)",
        l->where, axis, a->path, shape, rough[flat], rough[smooth]);
}

/* --- looking ---------------------------------------------------------------------------------- */
/* a value, or a vector of values, of each sample becomes parameters: NAME, or NAME_0, NAME_1, ... */
static locum_status add_parameters(const looking *l, const locum_mapped_array *a)
{
    hsize_t dims[LOCUM_HDF5_DIMS];
    double *values = NULL, *column = NULL;
    char name[LOCUM_MAPPED_NAME + 16];
    int n_dims = 0, k = a->order ? a->shape[0] : 1;
    int64_t n = l->facts->n_samples;

    locum_status st = locum_mapped_numbers(l->file, l->where, a->path, &n_dims, dims, &values);
    for (int c = 0; !st && c < k; c++) {
        bool first = l->source->samples_axis == 0;
        snprintf(name, sizeof name, k > 1 ? "%s_%d" : "%s", a->name, c);
        st = LOCUM_NEW(&column, n);
        for (int64_t b = 0; !st && b < n; b++) column[b] = values[first ? b * k + c : c * n + b];
        if (!st) st = locum_mapped_parameter(l->facts, l->where, name, column);
    }
    free(values);
    return st;
}

/* integers are welcome as parameters, so those are looked at without asking for floats */
static locum_status is_parameter(const looking *l, const char *path, bool is_input, locum_mapped_array *a, bool *answer)
{
    hsize_t dims[LOCUM_HDF5_DIMS];
    double *values = NULL;
    int n_dims = 0, axis = l->source->samples_axis;

    *answer = false;
    hid_t dataset = is_input && locum_mapped_has(l->file, path) ? H5Dopen2(l->file, path, H5P_DEFAULT) : -1;
    if (dataset < 0) return LOCUM_OK;
    hid_t space = H5Dget_space(dataset);
    n_dims = space >= 0 ? H5Sget_simple_extent_ndims(space) : 0;
    if (n_dims == 1 || n_dims == 2) H5Sget_simple_extent_dims(space, dims, NULL);
    if (space >= 0) H5Sclose(space);
    H5Dclose(dataset);
    if (!(n_dims == 1 || (n_dims == 2 && axis < 2 && dims[1 - axis] <= VALUES_MAX && l->source->axes != 1)))
        return LOCUM_OK;
    LOCUM_TRY(locum_mapped_numbers(l->file, l->where, path, &n_dims, dims, &values));
    free(values);
    snprintf(a->path, sizeof a->path, "%s", path);
    snprintf(a->name, sizeof a->name, "%s", locum_mapped_word(path));
    a->n_dims = n_dims;
    memcpy(a->dims, dims, sizeof dims);
    if (n_dims == 2) a->shape[a->order++] = (int)dims[1 - axis];
    *answer = true;
    return check_samples(l, a);
}

static bool is_double(const char *name, int n, char (*names)[LOCUM_TEXT_SIZE])
{
    for (int i = 0; i < n; i++)
        if (!strcmp(name, names[i])) return true;
    return false;
}

static locum_status look(const looking *l)
{
    const locum_source *source = l->source;
    locum_mapped_facts *facts = l->facts;
    locum_mapped_array parameters[LOCUM_LIST_MAX] = {{.n_dims = 0}}, *array = NULL;
    char path[LOCUM_MAPPED_PATH], names[2 * LOCUM_LIST_MAX][LOCUM_TEXT_SIZE];
    int n_parameters = 0, n = 0;

    for (int i = 0; i < source->n_inputs + source->n_outputs; i++) {
        bool is_input = i < source->n_inputs, parameter = false;
        const char *name = is_input ? source->inputs[i] : source->outputs[i - source->n_inputs];
        if (is_double(name, n, names)) continue; /* input and output of a step */
        snprintf(names[n++], LOCUM_TEXT_SIZE, "%s", name);
        LOCUM_TRY(find(l, name, path));
        LOCUM_TRY(is_parameter(l, path, is_input, &parameters[n_parameters], &parameter));
        n_parameters += parameter;
        if (parameter) continue;
        LOCUM_TRY(locum_mapped_add(facts, l->where, &array));
        LOCUM_TRY(locum_mapped_array_at(l->file, l->where, path, array));
    }
    LOCUM_REQUIRE(facts->n_arrays > 0, LOCUM_INPUT, "%s: `outputs` names no array", l->where);
    LOCUM_TRY(find_grid(l, facts->n_arrays, facts->arrays));
    for (int a = 0; a < facts->n_arrays; a++) LOCUM_TRY(explain(l, &facts->arrays[a]));
    for (int a = 0; a < facts->n_arrays; a++) LOCUM_TRY(check_order(l, &facts->arrays[a]));
    for (int p = 0; p < n_parameters; p++) LOCUM_TRY(add_parameters(l, &parameters[p]));
    return LOCUM_OK;
}

const locum_mapped_layout locum_mapped_hdf5 = {"hdf5", look};
