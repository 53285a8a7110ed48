/* SPDX-License-Identifier: BSD-3-Clause */
/* shard_transfer.c - values to disk: pieces of at most the cap (1 GiB), because MPI counts are int and MPI-IO
 * libraries have had faults above 2 GiB; the same number of calls on every rank, because the calls are collective.
 *
 * A slab is cut along one axis into whole planes; where one plane alone exceeds the cap, also along the next axis:
 *
 *      count [c0, c1, rest]      pieces [n0, c1, rest]      or      [1, n1, rest]
 *
 * Pieces begin at multiples of the chunk where they can, so that no chunk is written twice. Rounding to float32
 * happens in a small buffer, piece by piece. */
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/parallel/comm.h"
#include "datasets/store/shard_internal.h"

#define ROUNDING_CAP ((int64_t)32 << 20) /* bytes of the buffer in which float64 becomes float32 */

void locum_shard_convert(const void *from, locum_type type, void *to, locum_type stored, int64_t n)
{
    if (type == stored) {
        memcpy(to, from, (size_t)n * locum_type_size(type));
    } else {
        const double *restrict a = from;
        float *restrict b = to;
        for (int64_t i = 0; i < n; i++) b[i] = (float)a[i];
    }
}

/* how a slab is cut */
typedef struct pieces {
    int64_t n0, n1;      /* planes, lines of a piece */
    int64_t of_0, of_1;  /* pieces along either axis */
    int64_t plane, line; /* values */
} pieces;

static int64_t ceil_div(int64_t a, int64_t b)
{
    return (a + b - 1) / b;
}

static pieces cut(int n_dims, const hsize_t *count, int split, int64_t align, int64_t most_values)
{
    pieces p = {.plane = 1, .line = 1};
    bool two = split + 1 < n_dims;

    for (int i = split + 1; i < n_dims; i++) p.plane *= (int64_t)count[i];
    for (int i = split + 2; i < n_dims; i++) p.line *= (int64_t)count[i];
    int64_t c0 = (int64_t)count[split], c1 = two ? (int64_t)count[split + 1] : 1;
    if (c0 == 0 || p.plane == 0) return (pieces){0};
    p.n0 = most_values / p.plane;
    if (p.n0 > align) p.n0 -= p.n0 % align;
    p.n0 = p.n0 < 1 ? 1 : p.n0 < c0 ? p.n0 : c0;
    p.n1 = p.plane <= most_values ? c1 : most_values / p.line;
    p.n1 = p.n1 < 1 ? 1 : p.n1 < c1 ? p.n1 : c1;
    p.of_0 = ceil_div(c0, p.n0);
    p.of_1 = ceil_div(c1, p.n1);
    return p;
}

typedef struct target {
    hid_t dataset, space, transfer;
    int n_dims, split;
    const hsize_t *first, *count;
    const char *data;
    void *buffer;
    locum_type type, stored;
} target;

/* piece i of this rank, or none (it joins the call with nothing) */
static herr_t write_piece(const target *t, const pieces *p, int64_t i)
{
    hsize_t start[LOCUM_HDF5_DIMS], n[LOCUM_HDF5_DIMS], values = 1;
    const void *source = t->buffer ? t->buffer : t->data;
    bool mine = i < p->of_0 * p->of_1;

    for (int d = 0; d < t->n_dims; d++) {
        start[d] = t->first[d];
        n[d] = t->count[d];
    }
    if (mine) {
        int64_t a = i / p->of_1 * p->n0, b = i % p->of_1 * p->n1, c0 = (int64_t)t->count[t->split];
        start[t->split] += (hsize_t)a;
        n[t->split] = (hsize_t)(a + p->n0 <= c0 ? p->n0 : c0 - a);
        if (t->split + 1 < t->n_dims) {
            int64_t c1 = (int64_t)t->count[t->split + 1];
            start[t->split + 1] += (hsize_t)b;
            n[t->split + 1] = (hsize_t)(b + p->n1 <= c1 ? p->n1 : c1 - b);
        }
        for (int d = 0; d < t->n_dims; d++) values *= n[d];
        source = t->data + (size_t)(a * p->plane + b * p->line) * locum_type_size(t->type);
        if (t->buffer) {
            locum_shard_convert(source, t->type, t->buffer, t->stored, (int64_t)values);
            source = t->buffer;
        }
    }
    /* memory has the axes of the file: HDF5 is slow by 20 where the two selections differ in shape */
    hid_t memory = mine ? H5Screate_simple(t->n_dims, n, NULL) : -1;
    bool ready = memory >= 0 && H5Sselect_hyperslab(t->space, H5S_SELECT_SET, start, NULL, n, NULL) >= 0;
    /* whoever has nothing to give, or cannot give it, joins with nothing: the call is collective */
    if (!ready) (void)H5Sselect_none(t->space);
    herr_t answer = H5Dwrite(t->dataset, locum_hdf5_memory_type(t->stored), ready ? memory : t->space, t->space,
                             t->transfer, source);
    if (mine && !ready) answer = -1;
    if (memory >= 0) H5Sclose(memory);
    return answer;
}

locum_status locum_shard_transfer(locum_shard *shard, hid_t dataset, const char *name, int n_dims, const hsize_t *first,
                                  const hsize_t *count, int split, hsize_t align, const void *data, locum_type type,
                                  locum_type stored)
{
    bool rounds = type != stored;
    int64_t cap = rounds && shard->cap > ROUNDING_CAP ? ROUNDING_CAP : shard->cap,
            width = (int64_t)locum_type_size(stored);
    pieces p = cut(n_dims, count, split, (int64_t)align, cap / width);
    int64_t n = p.of_0 * p.of_1;
    char nothing = 0;
    target t = {.dataset = dataset,
                .transfer = shard->transfer,
                .n_dims = n_dims,
                .split = split,
                .first = first,
                .count = count,
                .data = data ? data : &nothing,
                .type = type,
                .stored = stored};

    locum_status st =
        rounds ? locum_alloc(&t.buffer, p.n0 * (p.n1 * p.line > 0 ? p.n1 * p.line : 1) + 1, (size_t)width) : LOCUM_OK;
    t.space = H5Dget_space(dataset);
    if (!st) st = LOCUM_HDF5(t.space >= 0, LOCUM_IO, "%s: cannot write %s", shard->part, name);
    if (shard->size > 1) {
        MPI_Allreduce(MPI_IN_PLACE, &n, 1, MPI_INT64_T, MPI_MAX, shard->comm);
        st = locum_comm_agree(shard->comm, st);
    }
    /* a rank whose call failed still joins the others' calls */
    bool ready = !st;
    for (int64_t i = 0; ready && i < n; i++)
        if (write_piece(&t, &p, i) < 0 && !st)
            st = LOCUM_HDF5(false, LOCUM_IO, "%s: cannot write %s", shard->part, name);
    if (shard->size > 1) st = locum_comm_agree(shard->comm, st);
    if (t.space >= 0) H5Sclose(t.space);
    free(t.buffer);
    return st;
}

locum_status locum_shard_transfer_chunks(locum_shard *shard, hid_t dataset, const locum_chunk_slabs *slabs,
                                         const char *name, const hsize_t *first, const void *data, locum_type type,
                                         locum_type stored)
{
    hsize_t offset[LOCUM_HDF5_DIMS];
    int64_t row = (int64_t)(slabs->row_bytes / locum_type_size(stored)); /* values */
    const char *source = data;
    void *buffer = NULL;

    locum_status st = locum_alloc(&buffer, (int64_t)locum_chunk_bytes(slabs), 1);
    memcpy(offset, first, (size_t)slabs->n_dims * sizeof *offset);
    for (hsize_t r = 0; !st && r < slabs->n_axis; r += slabs->rows) {
        hsize_t n = r + slabs->rows <= slabs->n_axis ? slabs->rows : slabs->n_axis - r;
        offset[slabs->axis] = r;
        locum_shard_convert(source, type, buffer, stored, (int64_t)n * row);
        source += (size_t)((int64_t)n * row) * locum_type_size(type);
        bool wrote = locum_chunk_write(dataset, H5P_DEFAULT, slabs, offset, n, buffer);
        st = LOCUM_HDF5(wrote, LOCUM_IO, "%s: cannot write %s", shard->part, name);
    }
    free(buffer);
    return st;
}
