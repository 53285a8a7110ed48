/* SPDX-License-Identifier: BSD-3-Clause */
/* mapped_read.c - values of foreign arrays, in our order of axes: frames, space (x first), components.
 *
 * Where the file's order is ours the values are read in place: by pread, block by block, where they lie in one piece and
 * in our byte order (no conversion, no second pass: each block is looked at for numbers that are not finite while it is
 * in the cache), else by one H5Dread. Otherwise they are read as they lie and moved. An axis that the array lacks has
 * the stride 0: its values repeat. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/memory.h"
#include "datasets/formats/mapped_internal.h"

#define BLOCK_BYTES ((size_t)512 << 10) /* of one pread: it is looked at while it is in a cache */
#define CACHE_BYTES ((size_t)32 << 20)  /* of unpacked chunks, where chunks are packed */
#define LOGICAL 5                       /* frame, three axes of space, components */

/* --- files that are open ---------------------------------------------------------------------- */
static void close_arrays(locum_mapped_slot *s)
{
    for (int a = 0; a < LOCUM_MAPPED_ARRAYS; a++) {
        if (s->arrays[a] >= 0) H5Dclose(s->arrays[a]);
        s->arrays[a] = -1;
    }
}

static void close_slot(locum_mapped_slot *s)
{
    if (s->file < 0) return;
    close_arrays(s);
    H5Fclose(s->id);
    if (s->descriptor >= 0) close(s->descriptor);
    s->file = -1;
}

void locum_mapped_close_files(locum_mapped *m)
{
    for (int i = 0; i < LOCUM_MAPPED_SLOTS; i++) close_slot(&m->slots[i]);
}

int locum_mapped_find_file(const locum_mapped *m, int64_t place)
{
    int low = 0, high = m->n_files;

    while (high - low > 1) {
        int middle = (low + high) / 2;
        if (m->files[middle].first <= place)
            low = middle;
        else
            high = middle;
    }
    return low;
}

/* the slot of a file; the one that was not used for longest is closed if none is free */
static locum_status open_file(locum_mapped *m, int file, locum_mapped_slot **slot)
{
    locum_mapped_slot *oldest = &m->slots[0];

    m->clock++;
    for (int i = 0; i < LOCUM_MAPPED_SLOTS; i++) {
        locum_mapped_slot *s = &m->slots[i];
        if (s->file == file) {
            s->used = m->clock;
            *slot = s;
            return LOCUM_OK;
        }
        if (s->file < 0 ? oldest->file >= 0 : oldest->file >= 0 && s->used < oldest->used) oldest = s;
    }
    close_slot(oldest);
    LOCUM_TRY(locum_hdf5_open_file(m->files[file].path, &oldest->id));
    oldest->descriptor = open(m->files[file].path, O_RDONLY | O_CLOEXEC);
    oldest->file = file;
    oldest->used = m->clock;
    oldest->group = -1;
    for (int a = 0; a < LOCUM_MAPPED_ARRAYS; a++) oldest->arrays[a] = -1;
    *slot = oldest;
    return LOCUM_OK;
}

/* chunks that are not packed are read past HDF5's cache; packed ones must not be unpacked for each frame again */
static hid_t open_with_cache(hid_t file, const char *path)
{
    hid_t access = H5Pcreate(H5P_DATASET_ACCESS), dataset = H5Dopen2(file, path, H5P_DEFAULT);
    hid_t made = dataset >= 0 ? H5Dget_create_plist(dataset) : -1;
    bool chunked = made >= 0 && H5Pget_layout(made) == H5D_CHUNKED, packed = chunked && H5Pget_nfilters(made) > 0;

    if (made >= 0) H5Pclose(made);
    if (chunked) {
        H5Dclose(dataset);
        (void)H5Pset_chunk_cache(access, 521, packed ? CACHE_BYTES : 0, 1.0);
        dataset = H5Dopen2(file, path, access);
    }
    H5Pclose(access);
    return dataset;
}

/* where the values lie in the file, if they lie in one piece and as we want them */
static haddr_t find_address(const locum_mapped_slot *s, hid_t dataset, locum_type stored)
{
    hid_t made = H5Dget_create_plist(dataset), type = H5Dget_type(dataset), file = H5Fget_create_plist(s->id);
    haddr_t address = HADDR_UNDEF;
    hsize_t before = 1;

    if (s->descriptor >= 0 && made >= 0 && type >= 0 && file >= 0 && H5Pget_layout(made) == H5D_CONTIGUOUS &&
        H5Pget_external_count(made) == 0 && H5Tequal(type, locum_hdf5_memory_type(stored)) > 0 &&
        H5Pget_userblock(file, &before) >= 0 && before == 0)
        address = H5Dget_offset(dataset);
    if (made >= 0) H5Pclose(made);
    if (type >= 0) H5Tclose(type);
    if (file >= 0) H5Pclose(file);
    H5Eclear2(H5E_DEFAULT);
    return address;
}

/* whether each frame is one chunk as it stands in memory */
static bool is_chunk_a_frame(const locum_mapped_array *a, hid_t dataset)
{
    hid_t made = H5Dget_create_plist(dataset), type = H5Dget_type(dataset);
    hsize_t chunk[LOCUM_HDF5_DIMS];
    bool fits = made >= 0 && type >= 0 && a->n_dims > 0 && H5Pget_layout(made) == H5D_CHUNKED &&
                H5Pget_nfilters(made) == 0 && H5Tequal(type, locum_hdf5_memory_type(a->stored)) > 0 &&
                H5Pget_chunk(made, a->n_dims, chunk) == a->n_dims;

    for (int d = 0; fits && d < a->n_dims; d++) fits = chunk[d] == (a->role[d] <= LOCUM_AXIS_TIME ? 1 : a->dims[d]);
    if (made >= 0) H5Pclose(made);
    if (type >= 0) H5Tclose(type);
    return fits;
}

/* what the file must still be: the axes that were seen when it was opened first */
static bool has_axes(const locum_mapped *m, const locum_mapped_file *f, const locum_mapped_array *a, hid_t dataset)
{
    hid_t space = H5Dget_space(dataset);
    hsize_t dims[LOCUM_HDF5_DIMS];
    bool same = space >= 0 && H5Sget_simple_extent_ndims(space) == a->n_dims &&
                H5Sget_simple_extent_dims(space, dims, NULL) == a->n_dims;

    (void)m;
    for (int d = 0; same && d < a->n_dims; d++) {
        if (a->role[d] == LOCUM_AXIS_SAMPLE)
            same = (int64_t)dims[d] == f->n_samples;
        else if (a->role[d] == LOCUM_AXIS_TIME)
            same = (int64_t)dims[d] == f->n_frames;
        else
            same = dims[d] == a->dims[d];
    }
    if (space >= 0) H5Sclose(space);
    return same;
}

static locum_status open_array(locum_mapped *m, int file, int64_t sample, int array, locum_mapped_slot **slot)
{
    const locum_mapped_file *f = &m->files[file];
    const locum_mapped_array *a = &m->arrays[array];
    char path[2 * LOCUM_MAPPED_PATH];

    LOCUM_TRY(open_file(m, file, slot));
    locum_mapped_slot *s = *slot;
    if (f->group && s->group != sample) {
        close_arrays(s);
        s->group = sample;
    }
    if (s->arrays[array] >= 0) return LOCUM_OK;
    snprintf(path, sizeof path, "%s%s%s", f->group ? f->group[sample] : "", f->group ? "/" : "", a->path);
    hid_t dataset = open_with_cache(s->id, path);
    LOCUM_TRY(LOCUM_HDF5(dataset >= 0, LOCUM_DAMAGED, "%s: %s is missing or damaged", f->path, path));
    if (!has_axes(m, f, a, dataset)) {
        H5Dclose(dataset);
        return LOCUM_FAIL(
            LOCUM_INPUT,
            "%s: %s has another shape than the same array of other samples, or than when the file was opened", f->path,
            path);
    }
    s->arrays[array] = dataset;
    s->address[array] = find_address(s, dataset, a->stored);
    s->chunk_a_frame[array] = is_chunk_a_frame(a, dataset);
    return LOCUM_OK;
}

/* --- numbers that are not finite -------------------------------------------------------------- */
/* An exponent of ones, and it alone, carries into the sign when one is added to it. Blocks of a fixed size without a
 * branch inside become vector code; four sums of the compilers' vectors keep it ahead of the copy from the file. */
#define SEARCH 1024

typedef uint32_t words __attribute__((vector_size(16)));

static int64_t find_infinite_32(const uint32_t *bits, int64_t n)
{
    int64_t done = 0;

    for (; done + SEARCH <= n; done += SEARCH) {
        words any[4] = {{0}}, w[4];
        for (int i = 0; i < SEARCH; i += 16) {
            memcpy(w, bits + done + i, sizeof w);
            any[0] |= (w[0] & 0x7fffffffu) + 0x00800000u;
            any[1] |= (w[1] & 0x7fffffffu) + 0x00800000u;
            any[2] |= (w[2] & 0x7fffffffu) + 0x00800000u;
            any[3] |= (w[3] & 0x7fffffffu) + 0x00800000u;
        }
        words all = any[0] | any[1] | any[2] | any[3];
        if ((all[0] | all[1] | all[2] | all[3]) >> 31) break;
    }
    for (; done < n; done++)
        if ((bits[done] & 0x7f800000u) == 0x7f800000u) return done;
    return -1;
}

static int64_t find_infinite_64(const uint64_t *bits, int64_t n)
{
    const uint64_t mask = 0x7ff0000000000000u;
    int64_t done = 0;

    for (; done + SEARCH <= n; done += SEARCH) {
        uint64_t any = 0;
        for (int i = 0; i < SEARCH; i++) any |= (bits[done + i] & 0x7fffffffffffffffu) + 0x0010000000000000u;
        if (any >> 63) break;
    }
    for (; done < n; done++)
        if ((bits[done] & mask) == mask) return done;
    return -1;
}

static int64_t find_infinite(locum_type type, const void *values, int64_t n)
{
    return type == LOCUM_FLOAT32 ? find_infinite_32(values, n) : find_infinite_64(values, n);
}

/* what is asked for, in our order of axes */
typedef struct request {
    int64_t place, sample, frame, n_frames, first, n;
    int file, array;
    int64_t extent[LOGICAL]; /* frames, planes, y, z, components; 1 where there is none */
    int64_t count;           /* of all */
} request;

static locum_status not_finite(const locum_mapped *m, const request *r, int64_t at)
{
    const locum_mapped_array *a = &m->arrays[r->array];
    char index[128] = "";
    int used = 0;
    int64_t place[LOGICAL], rest = at;

    for (int d = LOGICAL - 1; d >= 0; d--) {
        place[d] = rest % r->extent[d];
        rest /= r->extent[d];
    }
    place[1] += r->first;
    for (int d = 1; d < LOGICAL; d++) {
        bool used_axis = d == LOGICAL - 1 ? a->order > 0 : a->on_grid && d <= m->n_axes;
        if (used_axis)
            used +=
                snprintf(index + used, sizeof index - (size_t)used, "%s%lld", used ? ", " : "", (long long)place[d]);
    }
    return LOCUM_FAIL(LOCUM_DAMAGED, "%s: sample %lld, frame %lld: value [%s] of `%s` is not a finite number",
                      m->files[r->file].path, (long long)r->place, (long long)(r->frame + place[0]), index, a->name);
}

/* --- in place --------------------------------------------------------------------------------- */
static locum_status read_pieces(const locum_mapped *m, const locum_mapped_slot *s, const request *r, uint64_t offset,
                                char *values)
{
    locum_type type = m->arrays[r->array].stored;
    size_t width = locum_type_size(type), bytes = (size_t)r->count * width;

    for (size_t done = 0; done < bytes;) {
        size_t want = bytes - done < BLOCK_BYTES ? bytes - done : BLOCK_BYTES, have = 0;
        while (have < want) {
            ssize_t n = pread(s->descriptor, values + done + have, want - have, (off_t)(offset + done + have));
            if (n < 0 && errno == EINTR) continue;
            LOCUM_REQUIRE(n > 0, LOCUM_DAMAGED, "%s: %s ends before its last value", m->files[r->file].path,
                          m->arrays[r->array].path);
            have += (size_t)n;
        }
        int64_t at = find_infinite(type, values + done, (int64_t)(want / width));
        if (at >= 0) return not_finite(m, r, (int64_t)(done / width) + at);
        done += want;
    }
    return LOCUM_OK;
}

/* whole chunks, past HDF5's selections; each is looked at while it is in a cache */
static locum_status read_whole_chunks(const locum_mapped *m, const locum_mapped_slot *s, const request *r,
                                      hsize_t *start, char *values)
{
    const locum_mapped_array *a = &m->arrays[r->array];
    int64_t count = r->count / r->n_frames;
    uint32_t filters = 0;
    int time = 0;

    while (time < a->n_dims && a->role[time] != LOCUM_AXIS_TIME) time++;
    for (int64_t f = 0; f < r->n_frames; f++) {
        char *to = values + (size_t)(f * count) * locum_type_size(a->stored);
        if (time < a->n_dims) start[time] = (hsize_t)(r->frame + f);
        LOCUM_TRY(LOCUM_HDF5(H5Dread_chunk(s->arrays[r->array], H5P_DEFAULT, start, &filters, to) >= 0, LOCUM_DAMAGED,
                             "%s: %s is damaged: a part is missing", m->files[r->file].path, a->path));
        int64_t at = find_infinite(a->stored, to, count);
        if (at >= 0) return not_finite(m, r, f * count + at);
    }
    return LOCUM_OK;
}

static locum_status read_selection(const locum_mapped *m, const locum_mapped_slot *s, const request *r,
                                   const hsize_t *start, const hsize_t *count, void *values)
{
    const locum_mapped_array *a = &m->arrays[r->array];
    hid_t dataset = s->arrays[r->array], space = H5Dget_space(dataset);
    hid_t memory = a->n_dims ? H5Screate_simple(a->n_dims, count, NULL) : H5Screate(H5S_SCALAR);
    bool good = space >= 0 && memory >= 0 &&
                (!a->n_dims || H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, count, NULL) >= 0) &&
                H5Dread(dataset, locum_hdf5_memory_type(a->stored), memory, a->n_dims ? space : H5S_ALL, H5P_DEFAULT,
                        values) >= 0;

    if (space >= 0) H5Sclose(space);
    if (memory >= 0) H5Sclose(memory);
    return LOCUM_HDF5(good, LOCUM_DAMAGED, "%s: %s is damaged: a part cannot be read or unpacked",
                      m->files[r->file].path, a->path);
}

/* --- moved ------------------------------------------------------------------------------------ */
static void move_rows(locum_type type, const request *r, const int64_t *stride, const void *from, void *to)
{
    const int64_t *n = r->extent;
    int64_t at = 0;

    for (int64_t f = 0; f < n[0]; f++)
        for (int64_t x = 0; x < n[1]; x++)
            for (int64_t y = 0; y < n[2]; y++)
                for (int64_t z = 0; z < n[3]; z++) {
                    int64_t base = f * stride[0] + x * stride[1] + y * stride[2] + z * stride[3];
                    if (type == LOCUM_FLOAT32)
                        for (int64_t c = 0; c < n[4]; c++, at++)
                            ((float *)to)[at] = ((const float *)from)[base + c * stride[4]];
                    else
                        for (int64_t c = 0; c < n[4]; c++, at++)
                            ((double *)to)[at] = ((const double *)from)[base + c * stride[4]];
                }
}

/* strides of our axes in a block of the file's axes [count]; components: both axes of a tensor as one */
static void find_strides(const locum_mapped_array *a, const hsize_t *count, int64_t stride[LOGICAL])
{
    int64_t step = 1;

    for (int i = 0; i < LOGICAL; i++) stride[i] = 0;
    for (int d = a->n_dims - 1; d >= 0; d--) {
        int role = a->role[d];
        if (role == LOCUM_AXIS_TIME) stride[0] = step;
        if (role >= LOCUM_AXIS_SPACE && role < LOCUM_AXIS_COMPONENT) stride[1 + role - LOCUM_AXIS_SPACE] = step;
        if (role == LOCUM_AXIS_COMPONENT && !stride[4]) stride[4] = step; /* the last of them */
        step *= (int64_t)count[d];
    }
}

static locum_status grow(locum_mapped *m, int64_t bytes)
{
    if (bytes <= m->scratch_bytes) return LOCUM_OK;
    free(m->scratch);
    m->scratch = NULL;
    m->scratch_bytes = 0;
    LOCUM_TRY(locum_alloc(&m->scratch, bytes, 1));
    m->scratch_bytes = bytes;
    return LOCUM_OK;
}

/* --- reading ---------------------------------------------------------------------------------- */
/* what to select of the file's axes; whether that comes in our order; offset: of its first value, in values */
static bool select_axes(const locum_mapped *m, const request *r, hsize_t *start, hsize_t *count, bool *one_piece,
                        uint64_t *offset)
{
    const locum_mapped_array *a = &m->arrays[r->array];
    int last = -1, seen = 0;
    bool ordered = true, whole = true; /* whole: all axes behind are taken whole */

    *one_piece = true;
    *offset = 0;
    for (int d = 0; d < a->n_dims; d++) {
        int role = a->role[d];
        hsize_t length = a->dims[d];
        if (role == LOCUM_AXIS_SAMPLE) length = (hsize_t)m->files[r->file].n_samples;
        if (role == LOCUM_AXIS_TIME) length = (hsize_t)m->files[r->file].n_frames;
        start[d] = role == LOCUM_AXIS_SAMPLE  ? (hsize_t)r->sample
                   : role == LOCUM_AXIS_TIME  ? (hsize_t)r->frame
                   : role == LOCUM_AXIS_SPACE ? (hsize_t)r->first
                                              : 0;
        count[d] = role == LOCUM_AXIS_SAMPLE  ? 1
                   : role == LOCUM_AXIS_TIME  ? (hsize_t)r->n_frames
                   : role == LOCUM_AXIS_SPACE ? (hsize_t)r->n
                                              : length;
        *offset = *offset * length + start[d];
        if (role == LOCUM_AXIS_SAMPLE) continue;
        ordered = ordered && (role > last || role == LOCUM_AXIS_COMPONENT);
        last = role;
        seen |= 1 << role;
    }
    for (int d = a->n_dims - 1; d >= 0; d--) {
        *one_piece = *one_piece && (whole || count[d] == 1);
        hsize_t length = a->role[d] == LOCUM_AXIS_SAMPLE ? (hsize_t)m->files[r->file].n_samples
                         : a->role[d] == LOCUM_AXIS_TIME ? (hsize_t)m->files[r->file].n_frames
                                                         : a->dims[d];
        whole = whole && count[d] == length;
    }
    for (int i = 0; a->on_grid && i < m->n_axes; i++) ordered = ordered && (seen & 1 << (LOCUM_AXIS_SPACE + i));
    return ordered && (r->n_frames == 1 || (seen & 1 << LOCUM_AXIS_TIME));
}

static locum_status fetch(locum_mapped *m, const request *r, const locum_mapped_slot *s, void *values)
{
    const locum_mapped_array *a = &m->arrays[r->array];
    hsize_t start[LOCUM_HDF5_DIMS], count[LOCUM_HDF5_DIMS];
    int64_t width = (int64_t)locum_type_size(a->stored), stride[LOGICAL], n = 1;
    uint64_t offset = 0;
    bool one_piece = false;

    if (select_axes(m, r, start, count, &one_piece, &offset)) {
        if (one_piece && s->address[r->array] != HADDR_UNDEF)
            return read_pieces(m, s, r, s->address[r->array] + offset * (uint64_t)width, values);
        bool whole_frames = r->first == 0 && r->n == (a->on_grid ? m->n[0] : 1);
        if (one_piece && whole_frames && s->chunk_a_frame[r->array]) return read_whole_chunks(m, s, r, start, values);
        LOCUM_TRY(read_selection(m, s, r, start, count, values));
    } else {
        for (int d = 0; d < a->n_dims; d++) n *= (int64_t)count[d];
        LOCUM_TRY(grow(m, n * width));
        LOCUM_TRY(read_selection(m, s, r, start, count, m->scratch));
        find_strides(a, count, stride);
        move_rows(a->stored, r, stride, m->scratch, values);
    }
    int64_t at = find_infinite(a->stored, values, r->count);
    return at < 0 ? LOCUM_OK : not_finite(m, r, at);
}

locum_status locum_mapped_read(void *self, int64_t place, int64_t frame, int64_t n_frames, int array, int64_t first,
                               int64_t n, void *values)
{
    locum_mapped *m = self;
    const locum_mapped_array *a = &m->arrays[array];
    request r = {
        .place = place, .frame = frame, .n_frames = n_frames, .array = array, .extent = {n_frames, 1, 1, 1, 1}};
    locum_mapped_slot *slot = NULL;

    r.file = locum_mapped_find_file(m, place);
    r.sample = place - m->files[r.file].first;
    r.n = 1;
    if (a->on_grid) {
        r.first = first;
        r.n = n;
        for (int d = 0; d < m->n_axes; d++) r.extent[1 + d] = d ? m->n[d] : n;
    }
    for (int i = 0; i < a->order; i++) r.extent[4] *= a->shape[i];
    r.count = 1;
    for (int d = 0; d < LOGICAL; d++) r.count *= r.extent[d];
    if (r.count == 0) return LOCUM_OK;
    LOCUM_TRY(open_array(m, r.file, r.sample, array, &slot));
    return fetch(m, &r, slot, values);
}
