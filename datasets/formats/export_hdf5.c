/* SPDX-License-Identifier: BSD-3-Clause */
/* export_hdf5.c - one plain file: an array a dataset, samples first. A chunk is a frame. */
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/study/commit.h"
#include "core/text.h"
#include "datasets/formats/export_internal.h"
#include "datasets/store/hdf5_tools.h"

#define NAME_SIZE 256
#define AT_ONCE ((int64_t)1 << 24) /* values of one read */

typedef struct writing {
    const locum_dataset *d;
    hid_t file;
    const char *path;
    int64_t n, n_frames, *place; /* good samples, [n] their places */
} writing;

static locum_status find_samples(writing *w)
{
    int64_t total = locum_dataset_n(w->d);

    LOCUM_TRY(LOCUM_NEW(&w->place, total + 1));
    for (int64_t b = 0; b < total; b++) {
        if (!locum_export_is_good(w->d, b)) continue;
        int64_t n_frames = locum_dataset_sample_at(w->d, b)->n_frames;
        LOCUM_REQUIRE(w->n == 0 || n_frames == w->n_frames, LOCUM_INPUT,
                      "sample %lld has %lld frames, others have %lld: one array cannot hold them",
                      (long long)locum_dataset_sample_at(w->d, b)->index, (long long)n_frames, (long long)w->n_frames);
        w->n_frames = n_frames;
        w->place[w->n++] = b;
    }
    return LOCUM_OK;
}

static locum_status write_parameters(const writing *w)
{
    hsize_t dims = (hsize_t)w->n;
    char name[NAME_SIZE];
    double *values = NULL;

    locum_status st = LOCUM_NEW(&values, w->n);
    for (int p = 0; !st && p < locum_dataset_n_parameters(w->d); p++) {
        for (int64_t i = 0; i < w->n; i++) values[i] = locum_dataset_sample_at(w->d, w->place[i])->parameter[p];
        locum_format(name, sizeof name, "/parameters/%s", locum_dataset_parameter_name(w->d, p));
        st = locum_hdf5_write(w->file, name, H5T_IEEE_F64LE, 1, &dims, values, NULL);
    }
    free(values);
    return st;
}

static locum_status write_times(const writing *w)
{
    hsize_t dims[2] = {(hsize_t)w->n, (hsize_t)w->n_frames};
    double *times = NULL;
    int32_t *split = NULL;

    locum_status st = LOCUM_NEW(&times, w->n * w->n_frames);
    if (!st) st = LOCUM_NEW(&split, w->n);
    for (int64_t i = 0; !st && i < w->n; i++) {
        split[i] = (int32_t)locum_dataset_sample_at(w->d, w->place[i])->split;
        for (int64_t f = 0; f < w->n_frames; f++) times[i * w->n_frames + f] = locum_dataset_time(w->d, w->place[i], f);
    }
    if (!st) st = locum_hdf5_write(w->file, "/time", H5T_IEEE_F64LE, 2, dims, times, NULL);
    if (!st) st = locum_hdf5_write(w->file, "/split", H5T_STD_I32LE, 1, dims, split, NULL);
    free(times);
    free(split);
    return st;
}

/* coordinates of the axes of fields: /axes/x, ... */
static locum_status write_axes(const writing *w)
{
    const locum_schema *schema = locum_dataset_schema(w->d);
    char name[NAME_SIZE];
    locum_status st = LOCUM_OK;

    for (int i = 0; !st && i < schema->n_domains; i++) {
        const locum_domain *domain = &schema->domains[i];
        for (int d = 0; !st && domain->support == LOCUM_GRID && d < domain->n_dims; d++) {
            hsize_t n = (hsize_t)domain->n_global[d];
            locum_format(name, sizeof name, "/axes/%s", domain->axis_name[d]);
            if (domain->axis[d]) st = locum_hdf5_write(w->file, name, H5T_IEEE_F64LE, 1, &n, domain->axis[d], NULL);
        }
    }
    return st;
}

static locum_status write_frames(const writing *w, int array, int n_dims, const hsize_t *dims, hid_t dataset)
{
    hsize_t start[LOCUM_HDF5_DIMS] = {0}, count[LOCUM_HDF5_DIMS];
    int64_t values = locum_export_count(w->d, array), together = AT_ONCE / values < 1 ? 1 : AT_ONCE / values;
    float *buffer = NULL;

    if (together > w->n_frames) together = w->n_frames;
    locum_status st = LOCUM_NEW(&buffer, together * values);
    hid_t space = H5Dget_space(dataset);
    memcpy(count, dims, sizeof count);
    count[0] = 1;
    for (int64_t i = 0; i < w->n; i++)
        for (int64_t f = 0; !st && f < w->n_frames; f += together) {
            int64_t n = f + together <= w->n_frames ? together : w->n_frames - f;
            start[0] = (hsize_t)i;
            start[1] = (hsize_t)f;
            count[1] = (hsize_t)n;
            hid_t memory = H5Screate_simple(n_dims, count, NULL);
            st = locum_dataset_read_frames(w->d, w->place[i], f, n, array, buffer);
            if (!st)
                st = LOCUM_HDF5(H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, count, NULL) >= 0 &&
                                    H5Dwrite(dataset, H5T_NATIVE_FLOAT, memory, space, H5P_DEFAULT, buffer) >= 0,
                                LOCUM_IO, "%s: cannot write", w->path);
            H5Sclose(memory);
        }
    H5Sclose(space);
    free(buffer);
    return st;
}

static locum_status write_array(const writing *w, int array)
{
    const locum_schema *schema = locum_dataset_schema(w->d);
    const locum_array *a = &schema->arrays[array];
    const locum_domain *domain = &schema->domains[a->domain];
    hsize_t dims[LOCUM_HDF5_DIMS] = {(hsize_t)w->n, (hsize_t)w->n_frames}, chunk[LOCUM_HDF5_DIMS];
    char name[NAME_SIZE];
    hid_t dataset = -1;
    int n = 2;

    LOCUM_REQUIRE(locum_export_count(w->d, array) > 0, LOCUM_INPUT,
                  "`%s` has rows that come and go; one array cannot hold them", a->name);
    for (int d = 0; d < domain->n_dims; d++) dims[n++] = (hsize_t)domain->n_global[d];
    for (int i = 0; i < a->order; i++) dims[n++] = (hsize_t)a->shape[i];
    memcpy(chunk, dims, sizeof chunk);
    chunk[0] = 1;
    if (domain->support == LOCUM_GRID) chunk[1] = 1;
    locum_format(name, sizeof name, "/%s", a->name);
    locum_status st = locum_hdf5_create(w->file, name, H5T_IEEE_F32LE, n, dims, dims, chunk, false, &dataset);
    if (!st) st = locum_hdf5_attribute_text(dataset, "units", a->unit);
    if (!st) st = write_frames(w, array, n, dims, dataset);
    if (dataset >= 0 && H5Dclose(dataset) < 0 && !st)
        st = LOCUM_HDF5(false, LOCUM_IO, "%s: cannot write %s", w->path, name);
    return st;
}

locum_status locum_export_hdf5(const locum_dataset *d, const char *out)
{
    writing w = {.d = d, .file = -1, .path = out};
    char part[LOCUM_PATH_SIZE];

    locum_status st = find_samples(&w);
    if (!st) st = locum_commit_begin(out, part);
    if (!st) {
        w.file = H5Fcreate(part, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
        st = LOCUM_HDF5(w.file >= 0, LOCUM_IO, "%s: cannot be made", out);
    }
    if (!st) st = write_parameters(&w);
    if (!st) st = write_times(&w);
    if (!st) st = write_axes(&w);
    for (int a = 0; !st && a < locum_dataset_schema(d)->n_arrays; a++) st = write_array(&w, a);
    if (w.file >= 0 && H5Fclose(w.file) < 0 && !st) st = LOCUM_HDF5(false, LOCUM_IO, "%s: cannot be closed", out);
    free(w.place);
    if (!st) return locum_commit_end(out);
    locum_commit_abandon(out);
    return st;
}
