/* SPDX-License-Identifier: BSD-3-Clause */
/* hdf5_inspect.c - what a file may contain before anything in it is read.
 *
 * An HDF5 file can point at any file that its reader may read (external storage, external links, virtual datasets)
 * and can ask for a filter that is loaded as code. None of this is needed for data, so all of it is refused: every
 * link of the file is visited once, without following those that lead out. A damaged structure shows here as an
 * HDF5 error. Left out: HDF5 itself is not safe against files made to attack it; datasets are trusted input. */
#include <stdio.h>
#include <string.h>

#include "datasets/store/hdf5_tools.h"

#define LINKS_MAX 1000000

typedef struct visit {
    const char *where;
    int64_t n_links;
    locum_status status;
} visit;

static bool own_filter(H5Z_filter_t filter)
{
    return filter == H5Z_FILTER_DEFLATE || filter == H5Z_FILTER_SHUFFLE || filter == H5Z_FILTER_FLETCHER32 ||
           filter == H5Z_FILTER_SZIP || filter == H5Z_FILTER_NBIT || filter == H5Z_FILTER_SCALEOFFSET;
}

/* one dataset's creation properties */
static locum_status inspect_dataset(hid_t file, const char *name, const char *where)
{
    hid_t dataset = H5Dopen2(file, name, H5P_DEFAULT);
    hid_t property = dataset >= 0 ? H5Dget_create_plist(dataset) : -1;
    locum_status st = LOCUM_HDF5(property >= 0, LOCUM_DAMAGED, "%s: the array /%s is damaged", where, name);

    if (!st && H5Pget_layout(property) == H5D_VIRTUAL)
        st = LOCUM_FAIL(LOCUM_INPUT, "%s: /%s is a virtual dataset: its values lie in other files, which is refused",
                        where, name);
    if (!st && H5Pget_layout(property) == H5D_CONTIGUOUS && H5Pget_external_count(property) > 0)
        st = LOCUM_FAIL(LOCUM_INPUT, "%s: the values of /%s lie in another file, which is refused", where, name);
    for (int i = 0, n = st ? 0 : H5Pget_nfilters(property); !st && i < n; i++) {
        unsigned flags = 0, configuration = 0;
        size_t n_values = 0;
        H5Z_filter_t filter = H5Pget_filter2(property, (unsigned)i, &flags, &n_values, NULL, 0, NULL, &configuration);
        if (filter < 0 || !own_filter(filter))
            st =
                LOCUM_FAIL(LOCUM_INPUT,
                           "%s: /%s uses the filter %d, which is not one of HDF5's own; rewrite the file with h5repack",
                           where, name, (int)filter);
    }
    if (property >= 0) H5Pclose(property);
    if (dataset >= 0) H5Dclose(dataset);
    return st;
}

static herr_t inspect_link(hid_t file, const char *name, const H5L_info_t *link, void *data)
{
    visit *v = data;
    H5O_info_t object;

    if (++v->n_links > LINKS_MAX) {
        v->status = LOCUM_FAIL(LOCUM_INPUT, "%s: more than %d objects", v->where, LINKS_MAX);
    } else if (link->type == H5L_TYPE_EXTERNAL || link->type >= H5L_TYPE_UD_MIN) {
        v->status = LOCUM_FAIL(LOCUM_INPUT, "%s: /%s is a link to another file, which is refused", v->where, name);
    } else if (link->type == H5L_TYPE_HARD) {
        v->status = LOCUM_HDF5(H5Oget_info_by_name(file, name, &object, H5P_DEFAULT) >= 0, LOCUM_DAMAGED,
                               "%s: the object /%s is damaged", v->where, name);
        if (!v->status && object.type == H5O_TYPE_DATASET) v->status = inspect_dataset(file, name, v->where);
    }
    return v->status ? 1 : 0;
}

locum_status locum_hdf5_inspect(hid_t file, const char *where)
{
    visit v = {.where = where};
    herr_t answer = H5Lvisit(file, H5_INDEX_NAME, H5_ITER_NATIVE, inspect_link, &v);

    if (v.status) return v.status;
    return LOCUM_HDF5(answer >= 0, LOCUM_DAMAGED, "%s: the list of its objects is damaged", where);
}

locum_status locum_hdf5_open_file(const char *path, hid_t *file)
{
    static const unsigned char magic[8] = {0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n'};
    unsigned char head[8] = {0};

    *file = -1;
    FILE *stream = fopen(path, "rb");
    LOCUM_REQUIRE(stream, LOCUM_INPUT, "%s: no such file, or not readable", path);
    size_t n = fread(head, 1, sizeof head, stream);
    fclose(stream);
    LOCUM_REQUIRE(n == sizeof head, LOCUM_INPUT, "%s: not an HDF5 file (%zu bytes long)", path, n);
    /* the magic number may stand behind a user block; where it is at 0 a failure to open means damage */
    bool plain = memcmp(head, magic, sizeof magic) == 0;
    *file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    locum_status st = LOCUM_OK;
    if (*file < 0 && plain)
        st = LOCUM_HDF5(false, LOCUM_DAMAGED, "%s: damaged or not written to its end", path);
    else if (*file < 0)
        st = LOCUM_HDF5(false, LOCUM_INPUT, "%s: not an HDF5 file", path);
    if (!st) st = locum_hdf5_inspect(*file, path);
    if (st && *file >= 0) H5Fclose(*file);
    if (st) *file = -1;
    return st;
}
