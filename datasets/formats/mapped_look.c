/* SPDX-License-Identifier: BSD-3-Clause */
/* mapped_look.c - what layouts ask a file: types, shapes, small columns, attributes as h5py and others write them.
 *
 * Fields are floats (16, 32 or 64 bits, of either byte order: HDF5 converts). Integers as a field are refused, because a
 * scaled image or a table of codes would pass for a quantity; coordinates, times and parameters may be integers. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "datasets/formats/mapped.h"

#define NUMBERS_MAX (INT64_C(1) << 24) /* values of a small dataset */
#define POINTS_MAX 0x1p50              /* no product of sizes overflows */
#define TEXT_MAX 4096                  /* bytes of a fixed-length text */

/* --- what is there ---------------------------------------------------------------------------- */
static bool is_object(hid_t file, const char *path, H5O_type_t type)
{
    H5O_info_t object;
    bool there = H5Oget_info_by_name(file, path, &object, H5P_DEFAULT) >= 0 && object.type == type;

    H5Eclear2(H5E_DEFAULT);
    return there;
}

bool locum_mapped_has(hid_t file, const char *path)
{
    return is_object(file, path, H5O_TYPE_DATASET);
}

bool locum_mapped_has_group(hid_t file, const char *path)
{
    return is_object(file, path, H5O_TYPE_GROUP);
}

static herr_t list_object(hid_t file, const char *name, const H5O_info_t *object, void *data)
{
    char *list = data;
    size_t used = strlen(list), length = strlen(name);

    (void)file;
    if (object->type != H5O_TYPE_DATASET) return 0;
    if (used + length + 8 < LOCUM_MAPPED_LIST) {
        snprintf(list + used, LOCUM_MAPPED_LIST - used, "%s/%s", used ? ", " : "", name);
        return 0;
    }
    snprintf(list + used, LOCUM_MAPPED_LIST - used, ", ...");
    return 1;
}

void locum_mapped_list(hid_t file, char list[LOCUM_MAPPED_LIST])
{
    list[0] = 0;
    (void)H5Ovisit(file, H5_INDEX_NAME, H5_ITER_INC, list_object, list);
    H5Eclear2(H5E_DEFAULT);
    if (!list[0]) snprintf(list, LOCUM_MAPPED_LIST, "none at all");
}

const char *locum_mapped_word(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

void locum_mapped_shape(int n_dims, const hsize_t *dims, char *text, size_t size)
{
    int used = snprintf(text, size, "[");

    for (int d = 0; d < n_dims && used < (int)size; d++)
        used += snprintf(text + used, size - (size_t)used, "%s%llu", d ? ", " : "", (unsigned long long)dims[d]);
    if (used < (int)size) snprintf(text + used, size - (size_t)used, "]");
}

/* --- datasets --------------------------------------------------------------------------------- */
static locum_status open_dataset(hid_t file, const char *where, const char *path, hid_t *dataset)
{
    char list[LOCUM_MAPPED_LIST];

    *dataset = -1;
    if (!locum_mapped_has(file, path)) {
        locum_mapped_list(file, list);
        return LOCUM_FAIL(LOCUM_INPUT, "%s: there is no array %s; there are %s", where, path, list);
    }
    *dataset = H5Dopen2(file, path, H5P_DEFAULT);
    return LOCUM_HDF5(*dataset >= 0, LOCUM_DAMAGED, "%s: %s is damaged", where, path);
}

static locum_status check_float(hid_t type, const char *where, const char *path, locum_type *stored)
{
    H5T_class_t class = type >= 0 ? H5Tget_class(type) : H5T_NO_CLASS;
    size_t size = type >= 0 ? H5Tget_size(type) : 0;

    LOCUM_REQUIRE(class != H5T_INTEGER, LOCUM_INPUT,
                  "%s: %s holds integers of %zu bytes, which are not converted (a scaled image and a quantity look the "
                  "same): store it as float32",
                  where, path, size);
    LOCUM_REQUIRE(class == H5T_FLOAT && (size == 2 || size == 4 || size == 8), LOCUM_INPUT,
                  "%s: %s does not hold floats of 16, 32 or 64 bits", where, path);
    *stored = size == 8 ? LOCUM_FLOAT64 : LOCUM_FLOAT32;
    return LOCUM_OK;
}

static locum_status read_dims(hid_t dataset, const char *where, const char *path, int *n_dims, hsize_t *dims)
{
    hid_t space = H5Dget_space(dataset);
    int n = space >= 0 ? H5Sget_simple_extent_ndims(space) : -1;
    double points = 1;

    if (n > 0 && n <= LOCUM_HDF5_DIMS) H5Sget_simple_extent_dims(space, dims, NULL);
    if (space >= 0) H5Sclose(space);
    LOCUM_REQUIRE(n >= 0 && n <= LOCUM_HDF5_DIMS, LOCUM_INPUT, "%s: %s has %d axes; at most %d can be read", where,
                  path, n, LOCUM_HDF5_DIMS);
    for (int d = 0; d < n; d++) {
        LOCUM_REQUIRE(dims[d] > 0, LOCUM_INPUT, "%s: axis %d of %s is empty", where, d, path);
        points *= (double)dims[d];
    }
    LOCUM_REQUIRE(points < POINTS_MAX, LOCUM_INPUT, "%s: %s claims %.3g values, more than can be", where, path, points);
    *n_dims = n;
    return LOCUM_OK;
}

/* a missing part would read as the fill value: it is required to be there */
static bool is_whole(hid_t dataset, hid_t type, int n_dims, const hsize_t *dims)
{
    hid_t property = H5Dget_create_plist(dataset);
    double bytes = (double)H5Tget_size(type), stored = (double)H5Dget_storage_size(dataset);
    bool packed = property >= 0 && H5Pget_layout(property) == H5D_CHUNKED && H5Pget_nfilters(property) > 0;

    for (int d = 0; d < n_dims; d++) bytes *= (double)dims[d];
    if (property >= 0) H5Pclose(property);
    return packed ? stored > 0 : stored >= bytes;
}

locum_status locum_mapped_array_at(hid_t file, const char *where, const char *path, locum_mapped_array *a)
{
    hid_t dataset = -1, type = -1;
    char shape[128];

    LOCUM_REQUIRE(strlen(path) < LOCUM_MAPPED_PATH && strlen(locum_mapped_word(path)) < LOCUM_MAPPED_NAME, LOCUM_INPUT,
                  "%s: the name %.40s... is too long", where, path);
    LOCUM_TRY(open_dataset(file, where, path, &dataset));
    type = H5Dget_type(dataset);
    locum_status st = check_float(type, where, path, &a->stored);
    if (!st) st = read_dims(dataset, where, path, &a->n_dims, a->dims);
    if (!st && !is_whole(dataset, type, a->n_dims, a->dims)) {
        locum_mapped_shape(a->n_dims, a->dims, shape, sizeof shape);
        st = LOCUM_FAIL(LOCUM_INPUT, "%s: %s %s was never written whole", where, path, shape);
    }
    if (!st) {
        snprintf(a->path, sizeof a->path, "%s", path);
        snprintf(a->name, sizeof a->name, "%s", locum_mapped_word(path));
        if (!locum_mapped_text(file, path, "units", 0, a->unit, sizeof a->unit) || !a->unit[0])
            snprintf(a->unit, sizeof a->unit, "1");
    }
    if (type >= 0) H5Tclose(type);
    H5Dclose(dataset);
    return st;
}

locum_status locum_mapped_numbers(hid_t file, const char *where, const char *path, int *n_dims,
                                  hsize_t dims[LOCUM_HDF5_DIMS], double **values)
{
    hid_t dataset = -1;
    int64_t n = 1;

    *values = NULL;
    LOCUM_TRY(open_dataset(file, where, path, &dataset));
    hid_t type = H5Dget_type(dataset);
    H5T_class_t class = type >= 0 ? H5Tget_class(type) : H5T_NO_CLASS;
    locum_status st = LOCUM_OK;
    if (class != H5T_FLOAT && class != H5T_INTEGER)
        st = LOCUM_FAIL(LOCUM_INPUT, "%s: %s does not hold numbers", where, path);
    if (!st) st = read_dims(dataset, where, path, n_dims, dims);
    for (int d = 0; !st && d < *n_dims && n <= NUMBERS_MAX; d++) n *= (int64_t)dims[d];
    if (!st && n > NUMBERS_MAX)
        st = LOCUM_FAIL(LOCUM_INPUT, "%s: %s has more values than coordinates, times or parameters can have", where,
                        path);
    if (!st && !is_whole(dataset, type, *n_dims, dims))
        st = LOCUM_FAIL(LOCUM_INPUT, "%s: %s was never written whole", where, path);
    if (!st) st = LOCUM_NEW(values, n);
    if (!st)
        st = LOCUM_HDF5(H5Dread(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, *values) >= 0, LOCUM_DAMAGED,
                        "%s: %s is damaged", where, path);
    for (int64_t i = 0; !st && i < n; i++)
        if (!isfinite((*values)[i]))
            st = LOCUM_FAIL(LOCUM_INPUT, "%s: value %lld of %s is %g", where, (long long)i, path, (*values)[i]);
    if (type >= 0) H5Tclose(type);
    H5Dclose(dataset);
    if (st) {
        free(*values);
        *values = NULL;
    }
    return st;
}

/* --- attributes ------------------------------------------------------------------------------- */
static hid_t open_attribute(hid_t file, const char *path, const char *name, hid_t *type, hssize_t *n)
{
    hid_t attribute = H5Aopen_by_name(file, path, name, H5P_DEFAULT, H5P_DEFAULT);
    hid_t space = attribute >= 0 ? H5Aget_space(attribute) : -1;

    *type = attribute >= 0 ? H5Aget_type(attribute) : -1;
    *n = space >= 0 ? H5Sget_simple_extent_npoints(space) : 0;
    if (space >= 0) H5Sclose(space);
    H5Eclear2(H5E_DEFAULT);
    return attribute;
}

static void close_attribute(hid_t attribute, hid_t type)
{
    if (type >= 0) H5Tclose(type);
    if (attribute >= 0) H5Aclose(attribute);
    H5Eclear2(H5E_DEFAULT);
}

#define ATTRIBUTE_VALUES 64

/* value `at` of an attribute of integers or booleans (an enumeration over int8, as h5py writes them) */
static bool attribute_value(hid_t file, const char *path, const char *name, int at, int64_t *value)
{
    hid_t type;
    hssize_t n;
    hid_t attribute = open_attribute(file, path, name, &type, &n);
    H5T_class_t class = type >= 0 ? H5Tget_class(type) : H5T_NO_CLASS;
    bool good = at < n && n <= ATTRIBUTE_VALUES;

    if (good && class == H5T_INTEGER) {
        int64_t values[ATTRIBUTE_VALUES];
        good = H5Aread(attribute, H5T_NATIVE_INT64, values) >= 0;
        if (good) *value = values[at];
    } else if (good && class == H5T_ENUM && H5Tget_size(type) == 1) {
        int8_t values[ATTRIBUTE_VALUES];
        good = H5Aread(attribute, type, values) >= 0;
        if (good) *value = values[at];
    } else {
        good = false;
    }
    close_attribute(attribute, type);
    return good;
}

bool locum_mapped_flag(hid_t file, const char *path, const char *name, int at, bool fallback)
{
    int64_t value = 0;

    return attribute_value(file, path, name, at, &value) ? value != 0 : fallback;
}

int64_t locum_mapped_integer(hid_t file, const char *path, const char *name, int64_t fallback)
{
    int64_t value = 0;

    return attribute_value(file, path, name, 0, &value) ? value : fallback;
}

static bool read_variable(hid_t attribute, hssize_t n, int at, char *text, size_t size)
{
    char *all[ATTRIBUTE_VALUES] = {0};
    hid_t memory = H5Tcopy(H5T_C_S1), space = H5Aget_space(attribute), type = H5Aget_type(attribute);

    (void)n;
    H5Tset_size(memory, H5T_VARIABLE);
    H5Tset_cset(memory, H5Tget_cset(type));
    bool good = H5Aread(attribute, memory, all) >= 0;
    if (good) {
        snprintf(text, size, "%s", all[at] ? all[at] : "");
        H5Dvlen_reclaim(memory, space, H5P_DEFAULT, all);
    }
    H5Tclose(memory);
    H5Tclose(type);
    H5Sclose(space);
    return good;
}

static bool read_fixed(hid_t attribute, hid_t type, hssize_t n, int at, char *text, size_t size)
{
    size_t width = H5Tget_size(type);
    char *all = NULL;

    if (width < 1 || width > TEXT_MAX || locum_alloc(&all, (int64_t)n + 1, width)) return false;
    bool good = H5Aread(attribute, type, all) >= 0;
    if (good) snprintf(text, size, "%.*s", (int)width, all + (size_t)at * width);
    free(all);
    return good;
}

bool locum_mapped_text(hid_t file, const char *path, const char *name, int at, char *text, size_t size)
{
    hid_t type;
    hssize_t n;
    hid_t attribute = open_attribute(file, path, name, &type, &n);
    bool good = at < n && n <= ATTRIBUTE_VALUES && H5Tget_class(type) == H5T_STRING;

    if (good)
        good = H5Tis_variable_str(type) > 0 ? read_variable(attribute, n, at, text, size)
                                            : read_fixed(attribute, type, n, at, text, size);
    close_attribute(attribute, type);
    return good;
}

/* --- facts ------------------------------------------------------------------------------------ */
bool locum_mapped_wanted(const locum_source *source, const char *name)
{
    bool wanted = source->n_fields == 0;

    for (int i = 0; i < source->n_fields; i++)
        wanted = wanted || !strcmp(locum_mapped_word(source->fields[i]), locum_mapped_word(name));
    return wanted;
}

locum_status locum_mapped_add(locum_mapped_facts *facts, const char *where, locum_mapped_array **array)
{
    LOCUM_REQUIRE(facts->n_arrays < LOCUM_MAPPED_ARRAYS, LOCUM_INPUT,
                  "%s: more than %d arrays; name those that are needed by `fields:`", where, LOCUM_MAPPED_ARRAYS);
    *array = &facts->arrays[facts->n_arrays++];
    **array = (locum_mapped_array){0};
    return LOCUM_OK;
}

locum_status locum_mapped_parameter(locum_mapped_facts *facts, const char *where, const char *name, double *values)
{
    locum_status st = LOCUM_OK;

    if (facts->n_parameters == LOCUM_MAPPED_PARAMETERS)
        st = LOCUM_FAIL(LOCUM_INPUT, "%s: more than %d parameters", where, LOCUM_MAPPED_PARAMETERS);
    if (!st && strlen(name) >= LOCUM_MAPPED_NAME)
        st = LOCUM_FAIL(LOCUM_INPUT, "%s: the name %.40s... is too long", where, name);
    if (st) {
        free(values);
        return st;
    }
    snprintf(facts->parameter_name[facts->n_parameters], LOCUM_MAPPED_NAME, "%s", name);
    facts->parameter[facts->n_parameters++] = values;
    return LOCUM_OK;
}

locum_status locum_mapped_complete(const locum_source *source, hid_t file, const char *where,
                                   const locum_mapped_facts *facts)
{
    char list[LOCUM_MAPPED_LIST];

    for (int i = 0; i < source->n_fields; i++) {
        bool found = false;
        for (int a = 0; a < facts->n_arrays; a++)
            found = found || !strcmp(facts->arrays[a].name, locum_mapped_word(source->fields[i]));
        if (found) continue;
        locum_mapped_list(file, list);
        return LOCUM_FAIL(LOCUM_INPUT, "%s: there is no field `%s`; there are %s", where, source->fields[i], list);
    }
    LOCUM_REQUIRE(facts->n_arrays > 0, LOCUM_INPUT, "%s: there is no field in it", where);
    LOCUM_REQUIRE(facts->n_samples > 0 && facts->n_frames > 0, LOCUM_INPUT, "%s: there is no sample in it", where);
    return LOCUM_OK;
}

void locum_mapped_facts_free(locum_mapped_facts *f)
{
    for (int d = 0; d < 3; d++) free(f->axis[d]);
    for (int p = 0; p < f->n_parameters; p++) free(f->parameter[p]);
    for (int64_t b = 0; f->group && b < f->n_samples; b++) free(f->group[b]);
    free(f->group);
    free(f->time);
    *f = (locum_mapped_facts){0};
}
