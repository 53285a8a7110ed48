/* SPDX-License-Identifier: BSD-3-Clause */
/* slab.c - see slab.h. */
#include "solvers/numerics/fft/slab.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/parallel/comm.h"

int64_t locum_slab_first(int64_t n, int size, int rank)
{
    return n * rank / size;
}

void locum_slab_rows(int64_t n, int size, int rank, int64_t *first, int64_t *n_mine)
{
    int64_t blocks = (n + 7) / 8, end = 8 * locum_slab_first(blocks, size, rank + 1);
    *first = 8 * locum_slab_first(blocks, size, rank);
    if (*first > n) *first = n;
    if (end > n) end = n;
    *n_mine = end - *first;
}

/* rows that [first, first + n) and [other_first, other_first + other_n) share */
static int64_t overlap(int64_t first, int64_t n, int64_t other_first, int64_t other_n, int64_t *begin)
{
    int64_t end = first + n < other_first + other_n ? first + n : other_first + other_n;
    *begin = first > other_first ? first : other_first;
    return end > *begin ? end - *begin : 0;
}

/* ranges [4 * size]: first_in, n_in, first_out, n_out of every rank */
static locum_status check_ranges(int size, const int64_t *ranges, int64_t n_global)
{
    int64_t n_in = 0;
    for (int r = 0; r < size; r++) {
        const int64_t *range = ranges + 4 * r;
        n_in += range[1];
        LOCUM_REQUIRE(range[0] >= 0 && range[1] >= 0 && range[0] + range[1] <= n_global && range[2] >= 0 &&
                          range[3] >= 0 && range[2] + range[3] <= n_global,
                      LOCUM_ARG, "slab: rank %d: rows outside 0 .. %lld", r, (long long)n_global);
    }
    LOCUM_REQUIRE(n_in == n_global, LOCUM_ARG, "slab: the ranks hold %lld rows of %lld", (long long)n_in,
                  (long long)n_global);
    return LOCUM_OK;
}

static locum_status move_rows(MPI_Comm comm, int size, int me, const int64_t *ranges, int64_t row_size,
                              const double *in, double *out, int *work)
{
    int *send_n = work, *send_at = work + size, *receive_n = work + 2 * size, *receive_at = work + 3 * size;
    const int64_t *mine = ranges + 4 * me;
    MPI_Datatype row;
    LOCUM_REQUIRE(row_size <= INT_MAX, LOCUM_ARG, "slab: a row of %lld values is too long", (long long)row_size);
    MPI_Type_contiguous((int)row_size, MPI_DOUBLE, &row);
    MPI_Type_commit(&row);
    for (int r = 0; r < size; r++) {
        const int64_t *other = ranges + 4 * r;
        int64_t begin;
        send_n[r] = (int)overlap(mine[0], mine[1], other[2], other[3], &begin);
        send_at[r] = send_n[r] ? (int)(begin - mine[0]) : 0;
        receive_n[r] = (int)overlap(mine[2], mine[3], other[0], other[1], &begin);
        receive_at[r] = receive_n[r] ? (int)(begin - mine[2]) : 0;
    }
    int error = MPI_Alltoallv(in, send_n, send_at, row, out, receive_n, receive_at, row, comm);
    MPI_Type_free(&row);
    LOCUM_REQUIRE(error == MPI_SUCCESS, LOCUM_INTERNAL, "slab: MPI_Alltoallv answered %d", error);
    return LOCUM_OK;
}

locum_status locum_slab_move(MPI_Comm comm, int64_t n_global, int64_t row_size, int64_t first_in, int64_t n_in,
                             const double *in, int64_t first_out, int64_t n_out, double *out)
{
    int size, me;
    int64_t mine[4] = {first_in, n_in, first_out, n_out}, *ranges = NULL;
    int *work = NULL;
    MPI_Comm_size(comm, &size);
    MPI_Comm_rank(comm, &me);
    locum_status st = LOCUM_NEW(&ranges, 4 * size);
    if (!st) st = LOCUM_NEW(&work, 4 * size);
    st = locum_comm_agree(comm, st);
    if (!st) MPI_Allgather(mine, 4, MPI_INT64_T, ranges, 4, MPI_INT64_T, comm);
    if (!st) st = check_ranges(size, ranges, n_global);
    if (!st) st = move_rows(comm, size, me, ranges, row_size, in, out, work);
    free(work);
    free(ranges);
    return st;
}
