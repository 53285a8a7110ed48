/* SPDX-License-Identifier: BSD-3-Clause */
/* shard_frame.c - one frame of a sample: is it whole, where do its arrays go.
 *
 * Ranks hold parts. The sum of the parts tells which case it is, for each array apart:
 *      sum = all points              every rank writes its part
 *      sum = ranks x all points      every rank has the whole (a profile, a spectrum): rank 0 writes it
 * anything else is a fault of the solver. Globals are taken from rank 0 and wait in memory. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/parallel/comm.h"
#include "datasets/store/shard_internal.h"

static const locum_domain *domain_of(const locum_shard *s, int array)
{
    return &s->schema->domains[s->schema->arrays[array].domain];
}

/* --- making the large arrays ------------------------------------------------------------------ */
locum_status locum_shard_describe(hid_t dataset, const locum_array *array)
{
    LOCUM_TRY(locum_hdf5_attribute_text(dataset, "units", array->unit));
    if (array->text[0]) LOCUM_TRY(locum_hdf5_attribute_text(dataset, "long_name", array->text));
    return LOCUM_OK;
}

locum_status locum_shard_make_arrays(locum_shard *s, hid_t file)
{
    const locum_schema *schema = &s->schema->schema;
    hsize_t dims[LOCUM_HDF5_DIMS], max[LOCUM_HDF5_DIMS], chunk[LOCUM_HDF5_DIMS];
    char path[LOCUM_STORE_NAME_SIZE];
    locum_status st = LOCUM_OK;

    for (int a = 0; !st && a < schema->n_arrays; a++) {
        int axis = 0;
        hid_t dataset = -1;
        locum_support support = domain_of(s, a)->support;
        if (support == LOCUM_GLOBAL) continue;
        int n = locum_layout_dims(s->layout, schema, a, 0, 0, 0, dims, &axis);
        memcpy(max, dims, sizeof max);
        for (int i = 0; i < (support == LOCUM_GRID ? axis : 1); i++) max[i] = H5S_UNLIMITED;
        locum_layout_chunk(schema, a, s->schema->stored[a], dims, n, axis, chunk);
        locum_layout_array(s->layout, schema, a, path);
        st = locum_hdf5_create(file, path, locum_hdf5_file_type(s->schema->stored[a]), n, dims, max, chunk, s->size > 1,
                               &dataset);
        if (!st) st = locum_shard_describe(dataset, &schema->arrays[a]);
        if (dataset >= 0 && H5Dclose(dataset) < 0 && !st)
            st = LOCUM_HDF5(false, LOCUM_IO, "%s: cannot write %s", s->part, path);
    }
    return st;
}

/* --- checks ----------------------------------------------------------------------------------- */
static int64_t points_of(const locum_domain *d, const locum_block *block)
{
    int64_t n = d->n_global[0];

    if (d->support == LOCUM_ROWS) return n > 0 ? n : block->n_global;
    for (int i = 1; i < d->n_dims; i++) n *= d->n_global[i];
    return n;
}

/* this rank's part of one array; n_points: how many points it holds */
static locum_status check_part(const locum_shard *s, int a, const locum_block *block, locum_shard_part *part,
                               int64_t *n_points)
{
    const locum_domain *d = domain_of(s, a);
    const char *name = s->schema->arrays[a].name;
    int64_t n = 1;

    *n_points = 0;
    *part = (locum_shard_part){.data = block->data};
    if (d->support == LOCUM_GLOBAL) {
        LOCUM_REQUIRE(block->data || s->rank > 0, LOCUM_INTERNAL, "the frame has no value of \"%s\"", name);
        return LOCUM_OK;
    }
    for (int i = 0; i < d->n_dims; i++) {
        int64_t most = d->support == LOCUM_ROWS ? points_of(d, block) : d->n_global[i];
        part->first[i] = block->first[i];
        part->n[i] = block->n[i];
        n *= block->n[i];
        LOCUM_REQUIRE(block->n[i] >= 0 && block->first[i] >= 0 && block->first[i] + block->n[i] <= most, LOCUM_INTERNAL,
                      "the part of \"%s\" does not lie in its domain: axis %d, %lld + %lld of %lld", name, i,
                      (long long)block->first[i], (long long)block->n[i], (long long)most);
    }
    LOCUM_REQUIRE(block->data || n == 0, LOCUM_INTERNAL, "the frame has no values of \"%s\"", name);
    *n_points = n;
    return LOCUM_OK;
}

/* the parts of all ranks cover each domain once, or as often as there are ranks; total [n_arrays] becomes the
 * points of each */
static locum_status check_cover(const locum_shard *s, const locum_frame *frame, locum_shard_part *part, int64_t *total)
{
    for (int a = 0; a < s->schema->schema.n_arrays; a++) {
        const locum_domain *d = domain_of(s, a);
        if (d->support == LOCUM_GLOBAL) continue;
        int64_t points = points_of(d, &frame->blocks[s->schema->source[a]]);
        bool copies = s->size > 1 && points > 0 && total[a] == points * s->size;
        LOCUM_REQUIRE(copies || total[a] == points, LOCUM_INTERNAL,
                      "the parts of \"%s\" have %lld points in all, its domain %lld", s->schema->arrays[a].name,
                      (long long)total[a], (long long)points);
        if (copies && s->rank > 0) part[a].n[0] = 0;
        total[a] = points;
    }
    return LOCUM_OK;
}

/* --- writing ---------------------------------------------------------------------------------- */
/* room for this frame in an array; collective; all ranks know the same extents */
static locum_status make_room(locum_shard *s, int a, int64_t samples, int64_t frames, int64_t rows)
{
    hsize_t dims[LOCUM_HDF5_DIMS];
    int axis = 0;
    bool grid = domain_of(s, a)->support == LOCUM_GRID;

    if (grid ? samples <= s->extent_samples && frames <= s->extent_frames
             : rows <= s->extent_rows[s->schema->arrays[a].domain])
        return LOCUM_OK;
    locum_layout_dims(s->layout, &s->schema->schema, a, samples > s->extent_samples ? samples : s->extent_samples,
                      frames > s->extent_frames ? frames : s->extent_frames, rows, dims, &axis);
    locum_status st = LOCUM_HDF5(H5Dset_extent(s->dataset[a], dims) >= 0, LOCUM_IO, "%s: no room for more of %s",
                                 s->part, s->schema->arrays[a].name);
    return s->size > 1 ? locum_comm_agree(s->comm, st) : st;
}

static locum_status write_part(locum_shard *s, int a, const locum_shard_part *part, int64_t frame)
{
    const locum_array *array = &s->schema->arrays[a];
    const locum_domain *d = domain_of(s, a);
    hsize_t first[LOCUM_HDF5_DIMS] = {0}, count[LOCUM_HDF5_DIMS], chunk[LOCUM_HDF5_DIMS];
    bool grid = d->support == LOCUM_GRID;
    int axis = 0, n_dims = locum_layout_dims(s->layout, &s->schema->schema, a, 1, 1, 1, count, &axis);

    locum_layout_chunk(&s->schema->schema, a, s->schema->stored[a], count, n_dims, axis, chunk);
    if (grid) {
        first[0] = (hsize_t)s->n_good;
        first[1] = (hsize_t)frame;
    }
    for (int i = 0; i < d->n_dims; i++) {
        first[axis + i] = (hsize_t)(part->first[i] + (grid ? 0 : s->n_rows[array->domain]));
        count[axis + i] = (hsize_t)part->n[i];
    }
    if (s->slabs[a].direct)
        return locum_shard_transfer_chunks(s, s->dataset[a], &s->slabs[a], array->name, first, part->data, array->type,
                                           s->schema->stored[a]);
    return locum_shard_transfer(s, s->dataset[a], array->name, n_dims, first, count, axis, grid ? chunk[axis] : 1,
                                part->data, array->type, s->schema->stored[a]);
}

/* rows in the order of "id", where a domain has one */
static locum_status sort_domains(locum_shard *s, locum_shard_part *part, void **memory)
{
    locum_status st = LOCUM_OK;

    for (int a = 0; !st && a < s->schema->schema.n_arrays; a++) {
        const locum_array *array = &s->schema->arrays[a];
        bool is_id = !strcmp(array->name, "id") && array->order == 0 && array->type == LOCUM_INT64;
        if (is_id && domain_of(s, a)->support == LOCUM_ROWS)
            st = locum_shard_sort_rows(s, array->domain, a, part, memory);
    }
    return st;
}

#define PUSH_BYTES ((int64_t)16 << 20)

/* asks the system to begin writing to the disk now, while the solver works, instead of all at once at the fsync of
 * the commit */
static void push_to_disk(locum_shard *s)
{
#ifdef SYNC_FILE_RANGE_WRITE
    if (s->write_back >= 0 && s->bytes - s->pushed >= PUSH_BYTES) {
        (void)sync_file_range(s->write_back, 0, 0, SYNC_FILE_RANGE_WRITE);
        s->pushed = s->bytes;
    }
#else
    (void)s;
#endif
}

/* counters after a frame; the same on every rank */
static locum_status count_frame(locum_shard *s, const locum_frame *frame, const locum_shard_part *part,
                                const int64_t *total)
{
    locum_status st = locum_series_add(&s->time, &frame->time, 1);

    if (!st) st = locum_series_add(&s->step, &frame->step, 1);
    for (int a = 0; !st && a < s->schema->schema.n_arrays; a++) {
        int d = s->schema->arrays[a].domain;
        if (domain_of(s, a)->support == LOCUM_GLOBAL && part[a].data)
            st = locum_series_add(&s->values[a], part[a].data, 1);
        if (domain_of(s, a)->support != LOCUM_ROWS || s->rows[d].n == s->time.n) continue;
        st = locum_series_add(&s->rows[d], &total[a], 1);
        s->n_rows[d] += total[a];
    }
    return st;
}

static locum_status write_arrays(locum_shard *s, const locum_shard_part *part, const int64_t *total)
{
    int64_t frame = s->time.n - s->frames_before;
    locum_status st = LOCUM_OK;

    for (int a = 0; !st && a < s->schema->schema.n_arrays; a++) {
        const locum_array *array = &s->schema->arrays[a];
        if (domain_of(s, a)->support == LOCUM_GLOBAL) continue;
        st = make_room(s, a, s->n_good + 1, frame + 1, s->n_rows[array->domain] + total[a]);
        if (!st) st = write_part(s, a, &part[a], frame);
        s->bytes += total[a] * locum_array_components(array) * (int64_t)locum_type_size(s->schema->stored[a]);
    }
    if (s->n_good + 1 > s->extent_samples) s->extent_samples = s->n_good + 1;
    if (frame + 1 > s->extent_frames) s->extent_frames = frame + 1;
    for (int a = 0; a < s->schema->schema.n_arrays; a++) {
        int64_t *extent = &s->extent_rows[s->schema->arrays[a].domain];
        if (domain_of(s, a)->support == LOCUM_ROWS && s->n_rows[s->schema->arrays[a].domain] + total[a] > *extent)
            *extent = s->n_rows[s->schema->arrays[a].domain] + total[a];
    }
    return st;
}

locum_status locum_shard_add_frame(locum_shard *s, const locum_frame *frame)
{
    int n = s->schema->schema.n_arrays;
    locum_shard_part *part = NULL;
    int64_t *total = NULL;
    void **memory = NULL;

    locum_status st = LOCUM_NEW(&part, n + 1);
    if (!st) st = LOCUM_NEW(&total, n + 1);
    if (!st) st = LOCUM_NEW(&memory, n + 1);
    for (int a = 0; !st && a < n; a++) st = check_part(s, a, &frame->blocks[s->schema->source[a]], &part[a], &total[a]);
    st = locum_comm_agree(s->comm, st);
    if (!st) {
        MPI_Allreduce(MPI_IN_PLACE, total, n, MPI_INT64_T, MPI_SUM, s->comm);
        st = locum_comm_agree(s->comm, check_cover(s, frame, part, total));
    }
    if (!st) st = sort_domains(s, part, memory);
    if (!st) st = write_arrays(s, part, total);
    if (!st) push_to_disk(s);
    if (!st) st = count_frame(s, frame, part, total);
    st = locum_comm_agree(s->comm, st);
    for (int a = 0; memory && a < n; a++) free(memory[a]);
    free(memory);
    free(total);
    free(part);
    return st;
}
