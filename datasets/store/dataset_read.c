/* SPDX-License-Identifier: BSD-3-Clause */
/* dataset_read.c - values of one array of one frame.
 *
 * HDF5 checks the Fletcher32 of every chunk that it reads. A chunk that is not where it should be gives the marker of
 * hdf5_tools.h, which is searched for: lost data are an error, never zeros. */
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "datasets/store/dataset_internal.h"

#define SLAB_BYTES ((int64_t)64 << 20) /* of a check, unless one plane alone is larger */
#define READ_CAP ((int64_t)1 << 30)    /* bytes of one read */

/* --- the file that is open -------------------------------------------------------------------- */
void locum_dataset_close_file(const locum_dataset *dataset)
{
    locum_file_cache *c = dataset->cache;

    if (!c || c->file < 0) return;
    for (int a = 0; c->arrays && a < dataset->schema->schema.n_arrays; a++) {
        if (c->arrays[a] >= 0) H5Dclose(c->arrays[a]);
        c->arrays[a] = -1;
    }
    H5Fclose(c->file);
    c->file = -1;
    c->shard = -1;
}

static locum_status open_array(const locum_dataset *d, int shard, int array, hid_t *dataset)
{
    locum_file_cache *c = d->cache;
    const locum_shard_view *v = &d->shards[shard];
    const locum_schema *schema = &d->schema->schema;
    char path[LOCUM_STORE_NAME_SIZE];
    hsize_t dims[LOCUM_HDF5_DIMS];
    int axis = 0;

    if (c->shard != shard) {
        locum_dataset_close_file(d);
        LOCUM_TRY(locum_hdf5_open_file(v->path, &c->file));
        c->shard = shard;
    }
    *dataset = c->arrays[array];
    if (*dataset >= 0) return LOCUM_OK;
    const locum_domain *domain = &schema->domains[schema->arrays[array].domain];
    int64_t rows = domain->support == LOCUM_ROWS ? v->rows[schema->arrays[array].domain][v->n_frames] : v->n_frames;
    int n = locum_layout_dims(v->layout, schema, array, v->n_slots, v->frames_per_sample, rows, dims, &axis);
    locum_layout_array(v->layout, schema, array, path);
    LOCUM_TRY(
        locum_hdf5_open(c->file, v->path, path, locum_hdf5_file_type(d->schema->stored[array]), n, dims, dataset));
    c->arrays[array] = *dataset;
    c->slabs[array] = (locum_chunk_slabs){0};
    if (domain->support == LOCUM_GRID)
        locum_chunk_slabs_of(*dataset, n, dims, axis, locum_type_size(d->schema->stored[array]), &c->slabs[array]);
    return LOCUM_OK;
}

/* --- reading ---------------------------------------------------------------------------------- */
static locum_status damaged(const locum_dataset *d, int shard, int array, const char *how)
{
    return locum_hdf5_fail(LOCUM_DAMAGED, __FILE__, __LINE__, "%s: \"%s\" is damaged%s", d->shards[shard].path,
                           d->schema->arrays[array].name, how);
}

/* a slab of an open array into memory, no more than the cap a call, along `axis` */
static locum_status read_slab(const locum_dataset *d, int shard, int array, hid_t dataset, int n_dims, int axis,
                              const hsize_t *start, const hsize_t *count, void *values)
{
    locum_type type = d->schema->stored[array];
    hsize_t from[LOCUM_HDF5_DIMS], n[LOCUM_HDF5_DIMS], plane = 1, planes;
    locum_status st = LOCUM_OK;

    for (int i = 0; i < n_dims; i++) {
        from[i] = start[i];
        n[i] = count[i];
        if (i > axis) plane *= count[i];
    }
    planes = (hsize_t)READ_CAP / (plane * locum_type_size(type) + 1) + 1;
    hid_t space = H5Dget_space(dataset);
    for (hsize_t done = 0; !st && done < count[axis]; done += planes) {
        from[axis] = start[axis] + done;
        n[axis] = done + planes <= count[axis] ? planes : count[axis] - done;
        hsize_t total = n[axis] * plane;
        char *out = (char *)values + done * plane * locum_type_size(type);
        hid_t memory = H5Screate_simple(n_dims, n, NULL); /* the axes of the file: other shapes are slow */
        bool good = space >= 0 && memory >= 0 && H5Sselect_hyperslab(space, H5S_SELECT_SET, from, NULL, n, NULL) >= 0 &&
                    H5Dread(dataset, locum_hdf5_memory_type(type), memory, space, H5P_DEFAULT, out) >= 0;
        if (memory >= 0) H5Sclose(memory);
        if (!good)
            st = damaged(d, shard, array, "");
        else if (locum_hdf5_find_mark(type, out, (int64_t)total) >= 0)
            st = damaged(d, shard, array, ": values are missing");
    }
    if (space >= 0) H5Sclose(space);
    return st;
}

/* rows first .. first + n of a grid array, chunk by chunk past HDF5's pipeline; start: first element of the frame. Whole
 * chunks are read in place where the checksum behind them has room: before other rows, or before other frames (`room`) */
static locum_status read_chunks(const locum_dataset *d, int shard, int array, const hsize_t *start, hsize_t first,
                                hsize_t n, bool room, char *values)
{
    locum_file_cache *c = d->cache;
    const locum_chunk_slabs *slabs = &c->slabs[array];
    hsize_t offset[LOCUM_HDF5_DIMS];

    if (c->chunk_bytes < locum_chunk_bytes(slabs)) {
        free(c->chunk);
        c->chunk_bytes = 0;
        LOCUM_TRY(locum_alloc(&c->chunk, (int64_t)locum_chunk_bytes(slabs), 1));
        c->chunk_bytes = locum_chunk_bytes(slabs);
    }
    memcpy(offset, start, sizeof offset);
    for (hsize_t r = first; r < first + n;) {
        hsize_t in_chunk = r % slabs->rows, rows = slabs->rows - in_chunk;
        if (r + rows > first + n) rows = first + n - r;
        offset[slabs->axis] = r - in_chunk;
        bool in_place = rows == slabs->rows && (room || r + rows < first + n);
        int answer = locum_chunk_read(c->arrays[array], slabs, offset, in_place ? values : c->chunk);
        if (answer) return damaged(d, shard, array, answer == 1 ? ": a part is missing" : ": a checksum is wrong");
        if (!in_place)
            memcpy(values, (const char *)c->chunk + (size_t)in_chunk * slabs->row_bytes,
                   (size_t)rows * slabs->row_bytes);
        values += (size_t)rows * slabs->row_bytes;
        r += rows;
    }
    return LOCUM_OK;
}

/* checks sample, frame and array; *frame counts from 0 afterwards */
static locum_status check_place(const locum_dataset *d, int64_t b, int64_t *frame, int array)
{
    LOCUM_REQUIRE(b >= 0 && b < d->n_samples, LOCUM_ARG, "sample %lld of %lld", (long long)b, (long long)d->n_samples);
    const locum_sample_view *s = &d->samples[b];
    LOCUM_REQUIRE(s->slot >= 0, LOCUM_ARG, "sample %lld failed (%s): it has no frames", (long long)s->sample.index,
                  s->reason);
    if (*frame < 0) *frame += s->sample.n_frames;
    LOCUM_REQUIRE(*frame >= 0 && *frame < s->sample.n_frames, LOCUM_ARG, "sample %lld has %lld frames",
                  (long long)s->sample.index, (long long)s->sample.n_frames);
    LOCUM_REQUIRE(array >= 0 && array < d->schema->schema.n_arrays, LOCUM_ARG, "array %d of %d", array,
                  d->schema->schema.n_arrays);
    return LOCUM_OK;
}

static locum_status read_raw(const locum_dataset *d, int64_t b, int64_t frame, int array, int64_t first, int64_t n,
                             bool room, void *values)
{
    hsize_t start[LOCUM_HDF5_DIMS] = {0}, count[LOCUM_HDF5_DIMS];
    hid_t dataset = -1;
    int axis = 0;

    LOCUM_TRY(check_place(d, b, &frame, array));
    const locum_schema *schema = &d->schema->schema;
    const locum_domain *domain = &schema->domains[schema->arrays[array].domain];
    const locum_sample_view *s = &d->samples[b];
    if (d->reader) return d->reader->read(d->self, s->slot, frame, 1, array, first, n, values);
    const locum_shard_view *v = &d->shards[s->shard];
    LOCUM_TRY(open_array(d, s->shard, array, &dataset));
    int n_dims = locum_layout_dims(v->layout, schema, array, 1, 1, n, count, &axis);
    if (axis == 2) {
        start[0] = (hsize_t)s->slot;
        start[1] = (hsize_t)frame;
    }
    if (d->cache->slabs[array].direct) {
        LOCUM_TRY(read_chunks(d, s->shard, array, start, (hsize_t)first, (hsize_t)n, room, values));
        int64_t total = n * (int64_t)(d->cache->slabs[array].row_bytes / locum_type_size(d->schema->stored[array]));
        if (locum_hdf5_find_mark(d->schema->stored[array], values, total) >= 0)
            return damaged(d, s->shard, array, ": values are missing");
        return LOCUM_OK;
    }
    if (domain->support == LOCUM_GRID) {
        start[axis] = (hsize_t)first;
        count[axis] = (hsize_t)n;
    } else if (domain->support == LOCUM_ROWS) {
        start[0] = (hsize_t)(v->rows[schema->arrays[array].domain][v->first[s->slot] + frame] + first);
    } else if (axis == 0) {
        start[0] = (hsize_t)(v->first[s->slot] + frame);
        count[0] = 1;
    }
    if (axis >= n_dims) axis = n_dims - 1; /* a scalar [B, T] */
    return read_slab(d, s->shard, array, dataset, n_dims, axis, start, count, values);
}

locum_status locum_dataset_raw(const locum_dataset *d, int64_t b, int64_t frame, int array, int64_t first, int64_t n,
                               void *values)
{
    return read_raw(d, b, frame, array, first, n, false, values);
}

/* float32 in place of the first half of a buffer of doubles -> doubles, from the end */
static void widen(locum_type type, double *values, int64_t n)
{
    if (type == LOCUM_FLOAT32) {
        for (int64_t i = n - 1; i >= 0; i--) {
            float value;
            memcpy(&value, (const char *)values + (size_t)i * sizeof value, sizeof value);
            values[i] = value;
        }
    }
}

static void to_double(locum_type type, double *values, int64_t n)
{
    if (type == LOCUM_INT64) {
        for (int64_t i = 0; i < n; i++) {
            int64_t value;
            memcpy(&value, &values[i], sizeof value);
            values[i] = (double)value;
        }
    } else if (type == LOCUM_INT32) {
        for (int64_t i = n - 1; i >= 0; i--) {
            int32_t value;
            memcpy(&value, (const char *)values + (size_t)i * sizeof value, sizeof value);
            values[i] = value;
        }
    }
}

/* planes along the first axis that a frame of an array has */
static int64_t planes_of(const locum_dataset *d, int64_t b, int64_t frame, int array)
{
    const locum_array *a = &d->schema->arrays[array];
    const locum_domain *domain = &d->schema->domains[a->domain];

    if (domain->support == LOCUM_GRID) return domain->n_global[0];
    return locum_dataset_count(d, b, frame, array) / locum_array_components(a);
}

locum_status locum_dataset_read(const locum_dataset *dataset, int64_t b, int64_t frame, int array, double *buffer)
{
    LOCUM_TRY(check_place(dataset, b, &frame, array));
    LOCUM_TRY(locum_dataset_raw(dataset, b, frame, array, 0, planes_of(dataset, b, frame, array), buffer));
    int64_t n = locum_dataset_count(dataset, b, frame, array);
    widen(dataset->schema->stored[array], buffer, n);
    to_double(dataset->schema->stored[array], buffer, n);
    return LOCUM_OK;
}

/* --- several frames as float32 ------------------------------------------------------------------- */
/* frames of a grid array of the store that HDF5's pipeline must read: one call */
static locum_status read_together(const locum_dataset *d, int64_t b, int64_t first, int64_t n, int array, float *buffer)
{
    const locum_sample_view *s = &d->samples[b];
    const locum_shard_view *v = &d->shards[s->shard];
    hsize_t start[LOCUM_HDF5_DIMS] = {(hsize_t)s->slot, (hsize_t)first}, count[LOCUM_HDF5_DIMS];
    hid_t dataset = -1;
    int axis = 0;

    LOCUM_TRY(open_array(d, s->shard, array, &dataset));
    int n_dims = locum_layout_dims(v->layout, &d->schema->schema, array, 1, n, 0, count, &axis);
    return read_slab(d, s->shard, array, dataset, n_dims, 1, start, count, buffer);
}

/* values of other types go through doubles, one frame at a time */
static locum_status read_narrowed(const locum_dataset *d, int64_t b, int64_t first, int64_t n, int array, float *buffer)
{
    int64_t count = locum_dataset_count(d, b, first, array);
    double *values = NULL;
    locum_status st = LOCUM_NEW(&values, count + 1);

    for (int64_t f = 0; !st && f < n; f++) {
        st = locum_dataset_read(d, b, first + f, array, values);
        for (int64_t i = 0; !st && i < count; i++) buffer[f * count + i] = (float)values[i];
    }
    free(values);
    return st;
}

locum_status locum_dataset_read_frames(const locum_dataset *d, int64_t b, int64_t first, int64_t n, int array,
                                       float *buffer)
{
    locum_status st = LOCUM_OK;

    LOCUM_TRY(check_place(d, b, &first, array));
    LOCUM_REQUIRE(n > 0 && n <= d->samples[b].sample.n_frames - first, LOCUM_ARG, "%lld frames from frame %lld of %lld",
                  (long long)n, (long long)first, (long long)d->samples[b].sample.n_frames);
    int64_t count = locum_dataset_count(d, b, first, array), planes = planes_of(d, b, first, array);
    const locum_domain *domain = &d->schema->domains[d->schema->arrays[array].domain];
    for (int64_t f = 1; domain->support == LOCUM_ROWS && !d->reader && f < n; f++)
        LOCUM_REQUIRE(locum_dataset_count(d, b, first + f, array) == count, LOCUM_ARG,
                      "\"%s\" has another number of rows in each frame", d->schema->arrays[array].name);
    if (d->schema->stored[array] != LOCUM_FLOAT32) return read_narrowed(d, b, first, n, array, buffer);
    if (d->reader) return d->reader->read(d->self, d->samples[b].slot, first, n, array, 0, planes, buffer);
    hid_t dataset = -1;
    LOCUM_TRY(open_array(d, d->samples[b].shard, array, &dataset));
    if (domain->support == LOCUM_GRID && !d->cache->slabs[array].direct)
        return read_together(d, b, first, n, array, buffer);
    for (int64_t f = 0; !st && f < n; f++)
        st = read_raw(d, b, first + f, array, 0, planes, f + 1 < n, buffer + f * count);
    return st;
}

/* --- whole frames ----------------------------------------------------------------------------- */
static locum_status read_block(const locum_dataset *d, int64_t b, int64_t frame, int array, int rank, int size,
                               locum_block *block)
{
    const locum_array *a = &d->schema->arrays[array];
    const locum_domain *domain = &d->schema->domains[a->domain];
    int64_t planes = planes_of(d, b, frame, array), all = locum_dataset_count(d, b, frame, array), first = 0,
            n = planes;
    void *values = NULL;

    if (domain->support == LOCUM_GRID) {
        first = planes * rank / size;
        n = planes * (rank + 1) / size - first;
        for (int i = 0; i < domain->n_dims; i++) block->n[i] = domain->n_global[i];
        block->first[0] = first;
        all = n * (all / planes);
    }
    block->n[0] = n;
    block->n_global = planes;
    locum_status st = locum_alloc(&values, all + 1, sizeof(double));
    if (!st && all > 0) st = locum_dataset_raw(d, b, frame, array, first, n, values);
    if (!st) widen(d->schema->stored[array], values, all);
    block->data = values;
    return st;
}

locum_status locum_dataset_read_frame(const locum_dataset *dataset, int64_t b, int64_t frame, int rank, int size,
                                      const bool *wanted, locum_frame **out)
{
    *out = NULL;
    LOCUM_REQUIRE(dataset->schema && size > 0 && rank >= 0 && rank < size, LOCUM_ARG, "no frames, or rank %d of %d",
                  rank, size);
    LOCUM_TRY(check_place(dataset, b, &frame, 0));
    int64_t step = frame;
    if (!dataset->reader) {
        const locum_shard_view *v = &dataset->shards[dataset->samples[b].shard];
        step = v->step[v->first[dataset->samples[b].slot] + frame];
    }
    locum_frame *made = NULL;
    locum_status st = locum_frame_create(&dataset->schema->schema, NULL, &made);
    for (int a = 0; !st && a < dataset->schema->schema.n_arrays; a++)
        if (!wanted || wanted[a]) st = read_block(dataset, b, frame, a, rank, size, &made->blocks[a]);
    if (!st) {
        made->time = locum_dataset_time(dataset, b, frame);
        made->step = step;
        *out = made;
    } else {
        locum_frame_release(made);
    }
    return st;
}

/* --- reading everything ----------------------------------------------------------------------- */
typedef struct slab {
    void *values;
    int64_t bytes;
} slab;

/* memory comes zeroed, so no more than needed: frames are often far smaller than a slab may be */
static locum_status grow(slab *s, int64_t bytes)
{
    if (bytes <= s->bytes) return LOCUM_OK;
    free(s->values);
    *s = (slab){0};
    LOCUM_TRY(locum_alloc(&s->values, bytes, 1));
    s->bytes = bytes;
    return LOCUM_OK;
}

/* one array of one frame, in slabs of whole planes */
static locum_status check_array(const locum_dataset *d, int64_t b, int64_t frame, int array, slab *s)
{
    int64_t planes = planes_of(d, b, frame, array), count = locum_dataset_count(d, b, frame, array);
    locum_status st = LOCUM_OK;

    if (count == 0) return LOCUM_OK;
    int64_t bytes = count / planes * (int64_t)locum_type_size(d->schema->stored[array]);
    int64_t step = SLAB_BYTES / bytes < 1 ? 1 : SLAB_BYTES / bytes;
    if (step > planes) step = planes;
    LOCUM_TRY(grow(s, step * bytes));
    for (int64_t first = 0; !st && first < planes; first += step)
        st = locum_dataset_raw(d, b, frame, array, first, first + step <= planes ? step : planes - first, s->values);
    return st;
}

locum_status locum_dataset_check(const locum_dataset *dataset, int rank, int size)
{
    slab s = {0};
    int64_t number = 0;
    locum_status st = LOCUM_OK;

    if (!dataset->schema) return LOCUM_OK;
    for (int64_t b = 0; b < dataset->n_samples; b++)
        for (int64_t f = 0; f < dataset->samples[b].sample.n_frames; f++) {
            if (number++ % size != rank) continue;
            for (int a = 0; !st && a < dataset->schema->schema.n_arrays; a++) st = check_array(dataset, b, f, a, &s);
        }
    free(s.values);
    return st;
}
