/* SPDX-License-Identifier: BSD-3-Clause */
/* hdf5_tools.c - failures, attributes and small arrays of HDF5 (see hdf5_tools.h for the conventions).
 *
 * HDF5's error stack is silent (locum_store_setup) and read here: the innermost entry says what the system answered
 * ("No space left on device"), and becomes the tail of our message. Not here: transfers of large arrays
 * (shard_transfer.c), inspection of foreign files (hdf5_inspect.c). */
#include "datasets/store/hdf5_tools.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/text.h"
#include "datasets/store/store.h"

void locum_store_setup(void)
{
    (void)H5dont_atexit(); /* HDF5's own exit handler crashes after a full disk */
    (void)H5open();
    (void)H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    (void)H5PLset_loading_state(0); /* a file must not choose code to load */
}

/* --- failures --------------------------------------------------------------------------------- */
#define REASON_SIZE 192

static herr_t innermost_reason(unsigned n, const H5E_error2_t *entry, void *reason)
{
    if (n == 0 && entry->desc) snprintf(reason, REASON_SIZE, "%s", entry->desc);
    return 0;
}

locum_status locum_hdf5_fail(locum_status status, const char *file, int line, const char *format, ...)
{
    char text[512], reason[REASON_SIZE] = "";
    va_list list;

    va_start(list, format);
    locum_format_list(text, sizeof text, format, list);
    va_end(list);
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, innermost_reason, reason);
    H5Eclear2(H5E_DEFAULT);
    const char *hint = strstr(reason, "lock") ? " (a file system without locks needs HDF5_USE_FILE_LOCKING=FALSE)" : "";
    if (!reason[0]) return locum_fail(status, file, line, "%s", text);
    return locum_fail(status, file, line, "%s: %s%s", text, reason, hint);
}

/* --- types ------------------------------------------------------------------------------------ */
hid_t locum_hdf5_file_type(locum_type type)
{
    switch (type) {
    case LOCUM_FLOAT64: return H5T_IEEE_F64LE;
    case LOCUM_FLOAT32: return H5T_IEEE_F32LE;
    case LOCUM_INT64: return H5T_STD_I64LE;
    case LOCUM_INT32: return H5T_STD_I32LE;
    }
    return -1;
}

hid_t locum_hdf5_memory_type(locum_type type)
{
    switch (type) {
    case LOCUM_FLOAT64: return H5T_NATIVE_DOUBLE;
    case LOCUM_FLOAT32: return H5T_NATIVE_FLOAT;
    case LOCUM_INT64: return H5T_NATIVE_INT64;
    case LOCUM_INT32: return H5T_NATIVE_INT32;
    }
    return -1;
}

hid_t locum_hdf5_bool_type(void)
{
    const int8_t no = 0, yes = 1;
    hid_t type = H5Tenum_create(H5T_STD_I8LE);

    if (type >= 0) {
        (void)H5Tenum_insert(type, "FALSE", &no);
        (void)H5Tenum_insert(type, "TRUE", &yes);
    }
    return type;
}

static hid_t text_type(void)
{
    hid_t type = H5Tcopy(H5T_C_S1);

    if (type >= 0) {
        (void)H5Tset_size(type, H5T_VARIABLE);
        (void)H5Tset_cset(type, H5T_CSET_UTF8);
    }
    return type;
}

/* --- attributes ------------------------------------------------------------------------------- */
/* n < 0: a scalar */
static locum_status write_attribute(hid_t object, const char *name, hid_t type, int n, const void *values)
{
    hsize_t dims = n > 0 ? (hsize_t)n : 0;
    hid_t space = n < 0 ? H5Screate(H5S_SCALAR) : H5Screate_simple(1, &dims, NULL);
    hid_t attribute = H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    locum_status st = LOCUM_HDF5(attribute >= 0, LOCUM_IO, "cannot make the attribute %s", name);

    if (!st && n != 0)
        st = LOCUM_HDF5(H5Awrite(attribute, type, values) >= 0, LOCUM_IO, "cannot write the attribute %s", name);
    if (attribute >= 0 && H5Aclose(attribute) < 0 && !st)
        st = LOCUM_HDF5(false, LOCUM_IO, "cannot close the attribute %s", name);
    if (space >= 0) H5Sclose(space);
    return st;
}

locum_status locum_hdf5_attribute_texts(hid_t object, const char *name, int n, const char *const *values)
{
    hid_t type = text_type();
    locum_status st = write_attribute(object, name, type, n, values);

    if (type >= 0) H5Tclose(type);
    return st;
}

locum_status locum_hdf5_attribute_text(hid_t object, const char *name, const char *value)
{
    const char *text = value ? value : "";
    hid_t type = text_type();
    locum_status st = write_attribute(object, name, type, -1, &text);

    if (type >= 0) H5Tclose(type);
    return st;
}

locum_status locum_hdf5_attribute_bools(hid_t object, const char *name, int n, const bool *values)
{
    int8_t bytes[LOCUM_HDF5_DIMS];
    hid_t type = locum_hdf5_bool_type();

    for (int i = 0; i < n && i < LOCUM_HDF5_DIMS; i++) bytes[i] = values[i];
    locum_status st = write_attribute(object, name, type, n < LOCUM_HDF5_DIMS ? n : LOCUM_HDF5_DIMS, bytes);
    if (type >= 0) H5Tclose(type);
    return st;
}

locum_status locum_hdf5_attribute_bool(hid_t object, const char *name, bool value)
{
    const int8_t byte = value;
    hid_t type = locum_hdf5_bool_type();
    locum_status st = write_attribute(object, name, type, -1, &byte);

    if (type >= 0) H5Tclose(type);
    return st;
}

locum_status locum_hdf5_attribute_integer(hid_t object, const char *name, int64_t value)
{
    return write_attribute(object, name, H5T_NATIVE_INT64, -1, &value);
}

locum_status locum_hdf5_attribute_number(hid_t object, const char *name, double value)
{
    return write_attribute(object, name, H5T_NATIVE_DOUBLE, -1, &value);
}

/* --- arrays: making --------------------------------------------------------------------------- */
static hid_t link_property(void)
{
    hid_t property = H5Pcreate(H5P_LINK_CREATE);

    if (property >= 0) (void)H5Pset_create_intermediate_group(property, 1);
    return property;
}

/* the marker as fill value, for the four types that hold data */
static herr_t set_fill(hid_t property, hid_t type)
{
    static const locum_type types[] = {LOCUM_FLOAT64, LOCUM_FLOAT32, LOCUM_INT64, LOCUM_INT32};
    int64_t mark[1];

    for (int i = 0; i < 4; i++) {
        if (H5Tequal(type, locum_hdf5_file_type(types[i])) <= 0) continue;
        locum_hdf5_mark(types[i], mark, 1);
        return H5Pset_fill_value(property, locum_hdf5_memory_type(types[i]), mark);
    }
    return 0;
}

locum_status locum_hdf5_create(hid_t file, const char *path, hid_t type, int n_dims, const hsize_t *dims,
                               const hsize_t *max, const hsize_t *chunk, bool early, hid_t *dataset)
{
    hid_t space = H5Screate_simple(n_dims, dims, max);
    hid_t link = link_property(), property = H5Pcreate(H5P_DATASET_CREATE);
    bool ready = space >= 0 && link >= 0 && property >= 0 && H5Pset_chunk(property, n_dims, chunk) >= 0 &&
                 H5Pset_fletcher32(property) >= 0 &&
                 (!early || H5Pset_alloc_time(property, H5D_ALLOC_TIME_EARLY) >= 0) && set_fill(property, type) >= 0;

    *dataset = ready ? H5Dcreate2(file, path, type, space, link, property, H5P_DEFAULT) : -1;
    locum_status st = LOCUM_HDF5(*dataset >= 0, LOCUM_IO, "cannot make the array %s", path);
    if (space >= 0) H5Sclose(space);
    if (link >= 0) H5Pclose(link);
    if (property >= 0) H5Pclose(property);
    return st;
}

#define SMALL_CHUNK 65536 /* bytes: several small arrays share a page of the disk's cache */

locum_status locum_hdf5_write(hid_t file, const char *path, hid_t type, int n_dims, const hsize_t *dims,
                              const void *data, hid_t *dataset)
{
    hsize_t max[LOCUM_HDF5_DIMS], chunk[LOCUM_HDF5_DIMS], values = 1, inner = 1;
    hid_t made = -1;

    /* whole inner axes in a chunk, as many outer ones as fit; an empty axis may only be chunked if it could grow */
    for (int d = n_dims - 1; d >= 0; d--) {
        hsize_t room = SMALL_CHUNK / (inner * H5Tget_size(type));
        values *= dims[d];
        max[d] = dims[d] > 0 ? dims[d] : H5S_UNLIMITED;
        chunk[d] = dims[d] < 1 ? 1 : room < 1 ? 1 : dims[d] < room ? dims[d] : room;
        inner *= chunk[d];
    }
    locum_status st = locum_hdf5_create(file, path, type, n_dims, dims, max, chunk, false, &made);
    if (!st && values > 0)
        st = LOCUM_HDF5(H5Dwrite(made, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) >= 0, LOCUM_IO, "cannot write %s",
                        path);
    if (!st && dataset) {
        *dataset = made;
        return st;
    }
    if (made >= 0 && H5Dclose(made) < 0 && !st) st = LOCUM_HDF5(false, LOCUM_IO, "cannot close %s", path);
    return st;
}

locum_status locum_hdf5_group(hid_t file, const char *path, hid_t *group)
{
    hid_t link = link_property();

    *group = H5Gcreate2(file, path, link, H5P_DEFAULT, H5P_DEFAULT);
    locum_status st = LOCUM_HDF5(*group >= 0, LOCUM_IO, "cannot make the group %s", path);
    if (link >= 0) H5Pclose(link);
    return st;
}

/* --- arrays: reading -------------------------------------------------------------------------- */
/* an array that is not compressed must have all its bytes in the file: a small file cannot claim a huge array */
static bool holds_all(hid_t dataset, hid_t space, hid_t type)
{
    hid_t property = H5Dget_create_plist(dataset);
    hssize_t values = H5Sget_simple_extent_npoints(space);
    bool packed =
        property >= 0 && H5Pget_filter_by_id2(property, H5Z_FILTER_DEFLATE, NULL, NULL, NULL, 0, NULL, NULL) >= 0;

    H5Eclear2(H5E_DEFAULT);
    if (property >= 0) H5Pclose(property);
    return values >= 0 &&
           (packed || (double)H5Dget_storage_size(dataset) >= (double)values * (double)H5Tget_size(type));
}

/* dims: given back if `want` is NULL, else compared */
static locum_status open_checked(hid_t file, const char *where, const char *path, hid_t type, int n_dims,
                                 const hsize_t *want, hsize_t *dims, hid_t *dataset)
{
    hid_t found = -1, space = -1;

    *dataset = H5Dopen2(file, path, H5P_DEFAULT);
    locum_status st = LOCUM_HDF5(*dataset >= 0, LOCUM_DAMAGED, "%s: the array %s is missing or damaged", where, path);
    if (!st) found = H5Dget_type(*dataset);
    if (!st) space = H5Dget_space(*dataset);
    if (!st && (found < 0 || H5Tequal(found, type) <= 0))
        st = LOCUM_HDF5(false, LOCUM_DAMAGED, "%s: %s has another type of value", where, path);
    if (!st && (space < 0 || H5Sget_simple_extent_ndims(space) != n_dims ||
                H5Sget_simple_extent_dims(space, dims, NULL) != n_dims))
        st = LOCUM_HDF5(false, LOCUM_DAMAGED, "%s: %s has another number of axes, not %d", where, path, n_dims);
    for (int d = 0; !st && want && d < n_dims; d++)
        if (dims[d] != want[d])
            st = LOCUM_FAIL(LOCUM_DAMAGED, "%s: axis %d of %s has %llu values, not %llu", where, d, path,
                            (unsigned long long)dims[d], (unsigned long long)want[d]);
    if (!st && !holds_all(*dataset, space, type))
        st = LOCUM_HDF5(false, LOCUM_DAMAGED, "%s: %s is not whole in the file", where, path);
    if (found >= 0) H5Tclose(found);
    if (space >= 0) H5Sclose(space);
    if (st && *dataset >= 0) H5Dclose(*dataset);
    if (st) *dataset = -1;
    return st;
}

locum_status locum_hdf5_open(hid_t file, const char *where, const char *path, hid_t type, int n_dims,
                             const hsize_t *dims, hid_t *dataset)
{
    hsize_t found[LOCUM_HDF5_DIMS];

    return open_checked(file, where, path, type, n_dims, dims, found, dataset);
}

locum_status locum_hdf5_read(hid_t file, const char *where, const char *path, hid_t type, int n_dims, hsize_t *dims,
                             int64_t limit, void **data)
{
    hid_t dataset = -1;
    double bytes = (double)H5Tget_size(type);

    *data = NULL;
    locum_status st = open_checked(file, where, path, type, n_dims, NULL, dims, &dataset);
    for (int d = 0; !st && d < n_dims; d++) bytes *= (double)dims[d];
    if (!st && bytes > (double)limit)
        st = LOCUM_FAIL(LOCUM_DAMAGED, "%s: %s claims %.3g bytes, more than can be", where, path, bytes);
    if (!st) st = locum_alloc(data, (int64_t)bytes + 1, 1);
    if (!st && bytes > 0)
        st = LOCUM_HDF5(H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, *data) >= 0, LOCUM_DAMAGED,
                        "%s: %s is damaged", where, path);
    if (dataset >= 0) H5Dclose(dataset);
    if (st) {
        free(*data);
        *data = NULL;
    }
    return st;
}

/* --- the marker ------------------------------------------------------------------------------- */
static const uint64_t mark_64 = 0x7ff80000dead10c0u;
static const uint32_t mark_32 = 0x7fc0dea1u;

/* the marker's bits for a type */
static uint64_t mark_bits(locum_type type)
{
    switch (type) {
    case LOCUM_FLOAT64: return mark_64;
    case LOCUM_FLOAT32: return mark_32;
    case LOCUM_INT64: return (uint64_t)INT64_MIN;
    case LOCUM_INT32: return (uint32_t)INT32_MIN;
    }
    return 0;
}

void locum_hdf5_mark(locum_type type, void *values, int64_t n)
{
    bool wide = type == LOCUM_FLOAT64 || type == LOCUM_INT64;
    uint64_t bits = mark_bits(type);

    for (int64_t i = 0; i < n; i++) {
        if (wide)
            ((uint64_t *)values)[i] = bits;
        else
            ((uint32_t *)values)[i] = (uint32_t)bits;
    }
}

/* blocks without a branch inside, which compilers turn into vector code */
#define SEARCH_BLOCK 1024

static int64_t find_64(const uint64_t *values, int64_t n, uint64_t mark)
{
    for (int64_t first = 0; first < n; first += SEARCH_BLOCK) {
        int64_t end = first + SEARCH_BLOCK < n ? first + SEARCH_BLOCK : n;
        uint64_t any = 0;
        for (int64_t i = first; i < end; i++) any |= values[i] == mark;
        for (int64_t i = first; any && i < end; i++)
            if (values[i] == mark) return i;
    }
    return -1;
}

typedef uint32_t words __attribute__((vector_size(16)));

static int64_t find_32(const uint32_t *values, int64_t n, uint32_t mark)
{
    int64_t first = 0;

    for (; first + SEARCH_BLOCK <= n; first += SEARCH_BLOCK) {
        words any[4] = {{0}}, w[4];
        for (int i = 0; i < SEARCH_BLOCK; i += 16) {
            memcpy(w, values + first + i, sizeof w);
            any[0] |= (words)(w[0] == mark);
            any[1] |= (words)(w[1] == mark);
            any[2] |= (words)(w[2] == mark);
            any[3] |= (words)(w[3] == mark);
        }
        words all = any[0] | any[1] | any[2] | any[3];
        if (all[0] | all[1] | all[2] | all[3]) break;
    }
    for (; first < n; first++)
        if (values[first] == mark) return first;
    return -1;
}

int64_t locum_hdf5_find_mark(locum_type type, const void *values, int64_t n)
{
    bool wide = type == LOCUM_FLOAT64 || type == LOCUM_INT64;

    return wide ? find_64(values, n, mark_bits(type)) : find_32(values, n, (uint32_t)mark_bits(type));
}
