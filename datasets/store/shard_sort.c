/* SPDX-License-Identifier: BSD-3-Clause */
/* shard_sort.c - rows of a domain in the order of their ids, so that a file does not depend on which rank held
 * which particle.
 *
 * Bucket sort: the range of ids is cut into one interval a rank; rows travel to their interval's rank
 * (MPI_Alltoallv), are sorted there, and lie in the file one rank's run behind the other's. Balanced when ids are
 * dense, correct always; n log n on each rank. Ids must differ within a frame. */
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/parallel/comm.h"
#include "datasets/store/shard_internal.h"

typedef struct pair {
    int64_t id, row;
} pair;

static int by_id(const void *a, const void *b)
{
    int64_t x = ((const pair *)a)->id, y = ((const pair *)b)->id;

    return (x > y) - (x < y);
}

typedef struct exchange {
    int *n_out, *first_out, *n_in, *first_in; /* [size] rows to and from each rank */
    int64_t *order_out;                       /* [n] my rows, grouped by the rank they go to */
    int64_t *order_in;                        /* [n_new] arrived rows, sorted by id */
    int64_t n, n_new, first_new;
} exchange;

static void free_exchange(exchange *e)
{
    free(e->n_out);
    free(e->first_out);
    free(e->n_in);
    free(e->first_in);
    free(e->order_out);
    free(e->order_in);
}

/* the rank whose interval holds an id */
static int owner_of(int64_t id, int64_t lowest, int64_t highest, int size)
{
    double share = ((double)id - (double)lowest) / ((double)highest - (double)lowest + 1.0);
    int owner = (int)(share * size);

    return owner < 0 ? 0 : owner < size ? owner : size - 1;
}

static int running(const int *n, int *first, int size)
{
    int sum = 0;

    for (int r = 0; r < size; r++) {
        first[r] = sum;
        sum += n[r];
    }
    return sum;
}

static locum_status make_exchange(locum_shard *s, const int64_t *id, int64_t n, exchange *e)
{
    int64_t range[2] = {INT64_MAX, INT64_MAX};
    int *fill = NULL;

    e->n = n;
    locum_status st = n > INT32_MAX ? LOCUM_FAIL(LOCUM_ARG, "more than 2^31 rows on one rank") : LOCUM_OK;
    if (!st) st = LOCUM_NEW(&e->n_out, s->size);
    if (!st) st = LOCUM_NEW(&e->first_out, s->size);
    if (!st) st = LOCUM_NEW(&e->n_in, s->size);
    if (!st) st = LOCUM_NEW(&e->first_in, s->size);
    if (!st) st = LOCUM_NEW(&e->order_out, n + 1);
    if (!st) st = LOCUM_NEW(&fill, s->size);
    st = locum_comm_agree(s->comm, st);
    if (st) {
        free(fill);
        return st;
    }

    /* smallest, and minus the largest plus one less (so that one MIN does both, without overflow) */
    for (int64_t i = 0; i < n; i++) {
        if (id[i] < range[0]) range[0] = id[i];
        if (-1 - id[i] < range[1]) range[1] = -1 - id[i];
    }
    MPI_Allreduce(MPI_IN_PLACE, range, 2, MPI_INT64_T, MPI_MIN, s->comm);
    int64_t highest = -1 - range[1];
    for (int64_t i = 0; i < n; i++) e->n_out[owner_of(id[i], range[0], highest, s->size)]++;
    running(e->n_out, e->first_out, s->size);
    for (int64_t i = 0; i < n; i++) {
        int owner = owner_of(id[i], range[0], highest, s->size);
        e->order_out[e->first_out[owner] + fill[owner]++] = i;
    }
    MPI_Alltoall(e->n_out, 1, MPI_INT, e->n_in, 1, MPI_INT, s->comm);
    e->n_new = running(e->n_in, e->first_in, s->size);
    MPI_Exscan(&e->n_new, &e->first_new, 1, MPI_INT64_T, MPI_SUM, s->comm);
    if (s->rank == 0) e->first_new = 0;
    free(fill);
    return LOCUM_OK;
}

/* rows of `width` bytes to their new ranks; arrived [n_new, width] in the order of arrival */
static locum_status send_rows(locum_shard *s, const exchange *e, const void *data, size_t width, void **arrived)
{
    char *packed = NULL;
    MPI_Datatype row;

    locum_status st = locum_alloc(&packed, e->n + 1, width);
    if (!st) st = locum_alloc(arrived, e->n_new + 1, width);
    st = locum_comm_agree(s->comm, st);
    if (!st) {
        for (int64_t i = 0; i < e->n; i++)
            memcpy(packed + (size_t)i * width, (const char *)data + (size_t)e->order_out[i] * width, width);
        MPI_Type_contiguous((int)width, MPI_BYTE, &row);
        MPI_Type_commit(&row);
        MPI_Alltoallv(packed, e->n_out, e->first_out, row, *arrived, e->n_in, e->first_in, row, s->comm);
        MPI_Type_free(&row);
    }
    free(packed);
    return st;
}

/* order_in from the ids that arrived; equal ids are a fault */
static locum_status sort_arrived(locum_shard *s, const int64_t *id, exchange *e)
{
    pair *pairs = NULL;
    locum_status st = LOCUM_NEW(&pairs, e->n_new + 1);

    if (!st) st = LOCUM_NEW(&e->order_in, e->n_new + 1);
    for (int64_t i = 0; !st && i < e->n_new; i++) pairs[i] = (pair){id[i], i};
    if (!st) qsort(pairs, (size_t)e->n_new, sizeof *pairs, by_id);
    for (int64_t i = 0; !st && i < e->n_new; i++) {
        e->order_in[i] = pairs[i].row;
        if (i > 0 && pairs[i].id == pairs[i - 1].id)
            st = LOCUM_FAIL(LOCUM_INTERNAL, "two rows of a frame have the id %lld", (long long)pairs[i].id);
    }
    free(pairs);
    return locum_comm_agree(s->comm, st);
}

static locum_status move_array(locum_shard *s, const exchange *e, size_t width, locum_shard_part *part, void **memory)
{
    void *arrived = NULL;
    char *sorted = NULL;
    locum_status st = send_rows(s, e, part->data, width, &arrived);

    if (!st) st = locum_comm_agree(s->comm, locum_alloc(&sorted, e->n_new + 1, width));
    for (int64_t i = 0; !st && i < e->n_new; i++)
        memcpy(sorted + (size_t)i * width, (const char *)arrived + (size_t)e->order_in[i] * width, width);
    free(arrived);
    if (st) {
        free(sorted);
        return st;
    }
    *memory = sorted;
    *part = (locum_shard_part){.data = sorted, .first = {e->first_new}, .n = {e->n_new}};
    return LOCUM_OK;
}

locum_status locum_shard_sort_rows(locum_shard *s, int domain, int id, locum_shard_part *part, void **memory)
{
    exchange e = {0};
    void *ids = NULL;
    locum_status st = make_exchange(s, part[id].data, part[id].n[0], &e);

    if (!st) st = send_rows(s, &e, part[id].data, sizeof(int64_t), &ids);
    if (!st) st = sort_arrived(s, ids, &e);
    for (int a = 0; !st && a < s->schema->schema.n_arrays; a++) {
        const locum_array *array = &s->schema->arrays[a];
        if (array->domain != domain) continue;
        if (a != id && part[a].n[0] != e.n)
            st = LOCUM_FAIL(LOCUM_INTERNAL, "\"%s\" has another number of rows than its ids", array->name);
        st = locum_comm_agree(s->comm, st);
        if (!st)
            st = move_array(s, &e, locum_type_size(array->type) * (size_t)locum_array_components(array), &part[a],
                            &memory[a]);
    }
    free(ids);
    free_exchange(&e);
    return st;
}
