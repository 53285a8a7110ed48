/* SPDX-License-Identifier: BSD-3-Clause */
/* format_hdf5.c - one dataset of an HDF5 file that somebody else made: 2 or 3 axes, x first; float32 or float64 of
 * any byte order. Named by its path, or by its name alone: at the root, in t0_fields, else wherever it is the only
 * one of that name. Left out: samples and frames (files of The Well as a dataset), integers, complex numbers. */
#include <string.h>

#include "datasets/formats/formats_internal.h"
#include "datasets/store/hdf5_tools.h"

#define PATH_SIZE 512
#define LIST_SIZE 400
#define POINTS_MAX 0x1p40 /* no product of sizes overflows */

/* --- finding the dataset ---------------------------------------------------------------------- */
typedef struct search {
    const char *name;
    char found[PATH_SIZE]; /* the last match */
    int n_found;
    char list[LIST_SIZE]; /* all datasets, for the message */
} search;

static bool is_dataset(hid_t file, const char *path)
{
    H5O_info_t object;
    bool there = H5Oget_info_by_name(file, path, &object, H5P_DEFAULT) >= 0 && object.type == H5O_TYPE_DATASET;

    H5Eclear2(H5E_DEFAULT);
    return there;
}

static herr_t visit_object(hid_t file, const char *name, const H5O_info_t *object, void *data)
{
    search *s = data;
    size_t used = strlen(s->list), length = strlen(name);

    (void)file;
    if (object->type != H5O_TYPE_DATASET) return 0;
    const char *slash = strrchr(name, '/');
    if (!strcmp(slash ? slash + 1 : name, s->name) && length < PATH_SIZE - 1) {
        s->found[0] = '/';
        memcpy(s->found + 1, name, length + 1);
        s->n_found++;
    }
    if (used + length + 8 < sizeof s->list) {
        strcat(s->list, used ? ", /" : "/");
        strcat(s->list, name);
    } else if (!strstr(s->list, "...")) {
        strcat(s->list, ", ...");
    }
    return 0;
}

static locum_status find(hid_t file, const locum_format_request *request, char path[PATH_SIZE])
{
    search s = {.name = request->dataset ? request->dataset : ""};

    LOCUM_REQUIRE(s.name[0] && strlen(s.name) < PATH_SIZE - 16, LOCUM_INPUT, "%s: which dataset of it?", request->path);
    strcpy(path, s.name);
    if (is_dataset(file, path)) return LOCUM_OK;
    if (s.name[0] != '/') {
        strcat(strcpy(path, "/t0_fields/"), s.name);
        if (H5Lexists(file, "/t0_fields", H5P_DEFAULT) > 0 && is_dataset(file, path)) return LOCUM_OK;
    }
    herr_t answer = H5Ovisit(file, H5_INDEX_NAME, H5_ITER_INC, visit_object, &s);
    LOCUM_TRY(LOCUM_HDF5(answer >= 0, LOCUM_DAMAGED, "%s: the list of its objects is damaged", request->path));
    LOCUM_REQUIRE(s.n_found > 0, LOCUM_INPUT, "%s has no dataset \"%s\"; it has %s", request->path, s.name,
                  s.list[0] ? s.list : "none at all");
    LOCUM_REQUIRE(s.n_found == 1, LOCUM_INPUT, "%s has %d datasets called \"%s\"; name one by its path", request->path,
                  s.n_found, s.name);
    strcpy(path, s.found);
    return LOCUM_OK;
}

/* --- reading it ------------------------------------------------------------------------------- */
static locum_status check_shape(hid_t dataset, const char *file, const char *path, locum_format_shape *shape)
{
    hid_t type = H5Dget_type(dataset), space = H5Dget_space(dataset);
    hsize_t dims[H5S_MAX_RANK];
    int n = space >= 0 ? H5Sget_simple_extent_dims(space, dims, NULL) : -1;
    bool real = type >= 0 && H5Tget_class(type) == H5T_FLOAT && (H5Tget_size(type) == 4 || H5Tget_size(type) == 8);
    locum_status st = LOCUM_OK;
    double points = 1;

    H5Eclear2(H5E_DEFAULT);
    if (!real)
        st = LOCUM_FAIL(LOCUM_INPUT, "%s: %s does not hold float32 or float64", file, path);
    else if (n != 2 && n != 3)
        st = LOCUM_FAIL(LOCUM_INPUT, "%s: %s has %d axes; a field has 2 or 3 (x first)", file, path, n < 0 ? 0 : n);
    shape->n_dims = st ? 0 : n;
    for (int d = 0; !st && d < n; d++) {
        if (dims[d] < 1 || dims[d] > (hsize_t)1 << 24)
            st = LOCUM_FAIL(LOCUM_INPUT, "%s: axis %d of %s has %llu points", file, d, path,
                            (unsigned long long)dims[d]);
        shape->n[d] = (int64_t)dims[d];
        points *= (double)dims[d];
    }
    if (!st && points > POINTS_MAX)
        st = LOCUM_FAIL(LOCUM_INPUT, "%s: %s claims %.3g points, more than can be", file, path, points);
    for (int d = n < 0 ? 0 : n; d < 3; d++) shape->n[d] = d < 2 ? 0 : 1;
    if (type >= 0) H5Tclose(type);
    if (space >= 0) H5Sclose(space);
    return st;
}

static locum_status open_dataset(const locum_format_request *request, hid_t *file, hid_t *dataset, char path[PATH_SIZE],
                                 locum_format_shape *shape)
{
    *file = *dataset = -1;
    *shape = (locum_format_shape){0};
    locum_status st = locum_hdf5_open_file(request->path, file);
    if (!st) st = find(*file, request, path);
    if (!st) *dataset = H5Dopen2(*file, path, H5P_DEFAULT);
    if (!st) st = LOCUM_HDF5(*dataset >= 0, LOCUM_DAMAGED, "%s: %s is damaged", request->path, path);
    if (!st) st = check_shape(*dataset, request->path, path, shape);
    return st;
}

static void close_dataset(hid_t file, hid_t dataset)
{
    if (dataset >= 0) H5Dclose(dataset);
    if (file >= 0) H5Fclose(file);
}

static locum_status hdf5_probe(const locum_format_request *request, locum_format_shape *shape)
{
    char path[PATH_SIZE];
    hid_t file, dataset;
    locum_status st = open_dataset(request, &file, &dataset, path, shape);

    close_dataset(file, dataset);
    return st;
}

/* a missing chunk would read as the fill value: it is required to be there */
static bool is_whole(hid_t dataset, const locum_format_shape *shape)
{
    hid_t property = H5Dget_create_plist(dataset), type = H5Dget_type(dataset);
    double bytes = type >= 0 ? (double)H5Tget_size(type) : 0;
    bool packed = property >= 0 && H5Pget_layout(property) == H5D_CHUNKED && H5Pget_nfilters(property) > 0;

    for (int d = 0; d < shape->n_dims; d++) bytes *= (double)shape->n[d];
    double stored = (double)H5Dget_storage_size(dataset);
    if (property >= 0) H5Pclose(property);
    if (type >= 0) H5Tclose(type);
    return packed ? stored > 0 : stored >= bytes;
}

static locum_status hdf5_read(const locum_format_request *request, const locum_format_shape *shape, int64_t first,
                              int64_t n, double *values)
{
    char path[PATH_SIZE];
    locum_format_shape found;
    hid_t file, dataset;
    hsize_t start[3] = {(hsize_t)first, 0, 0}, count[3] = {(hsize_t)n, (hsize_t)shape->n[1], (hsize_t)shape->n[2]};

    locum_status st = open_dataset(request, &file, &dataset, path, &found);
    if (!st && !locum_format_same_shape(&found, shape))
        st = LOCUM_FAIL(LOCUM_INPUT, "%s changed while it was read", request->path);
    if (!st && !is_whole(dataset, shape))
        st = LOCUM_FAIL(LOCUM_INPUT, "%s: %s was never written whole", request->path, path);
    if (!st) {
        hid_t space = H5Dget_space(dataset), memory = H5Screate_simple(shape->n_dims, count, NULL);
        bool good = space >= 0 && memory >= 0 &&
                    H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, count, NULL) >= 0 &&
                    H5Dread(dataset, H5T_NATIVE_DOUBLE, memory, space, H5P_DEFAULT, values) >= 0;
        if (space >= 0) H5Sclose(space);
        if (memory >= 0) H5Sclose(memory);
        st = LOCUM_HDF5(good, LOCUM_DAMAGED, "%s: %s is damaged", request->path, path);
    }
    close_dataset(file, dataset);
    return st;
}

const locum_format_type locum_format_hdf5 = {.name = "hdf5", .probe = hdf5_probe, .read = hdf5_read};
