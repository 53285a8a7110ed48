/* SPDX-License-Identifier: BSD-3-Clause */
/* reduce.c - gradients and losses of M shards summed over a binary tree on shard numbers.
 *
 *     0   1   2   3        sum(lo, hi) = sum(lo, mid) + sum(mid, hi), left operand first
 *      \ /     \ /         the tree depends on M alone: 1, 2, 3 or 4 ranks add the same numbers in the same order,
 *       0 ----- 2          messages only where a pair lies on two ranks. Never MPI_Allreduce: its order varies.
 *
 * The sum then lies on rank 0, which owns shard 0, and is broadcast. Behind the gradient travel loss, worst status
 * and a wish to stop. */
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/parallel/comm.h"
#include "surrogate/train/internal.h"

enum { TAG_GRADIENT = 71, TAG_TAIL = 72 };

static int first_shard(int shards, int size, int rank)
{
    return (int)((int64_t)shards * rank / size);
}

static int owner_of(const train_reduction *r, int shard)
{
    int rank = (int)((int64_t)shard * r->size / r->shards);
    while (first_shard(r->shards, r->size, rank) > shard) rank--;
    while (first_shard(r->shards, r->size, rank + 1) <= shard) rank++;
    return rank;
}

locum_status locum_train_reduction_create(MPI_Comm comm, int shards, int64_t n, const locum_kernels *kernels,
                                          train_reduction *r)
{
    *r = (train_reduction){.comm = comm, .shards = shards, .n = n, .kernels = kernels};
    MPI_Comm_rank(comm, &r->rank);
    MPI_Comm_size(comm, &r->size);
    r->first = first_shard(shards, r->size, r->rank);
    r->end = first_shard(shards, r->size, r->rank + 1);
    LOCUM_REQUIRE(n < INT32_MAX / 4, LOCUM_NOT_BUILT, "train: networks of more than 5e8 parameters are not built");
    locum_status st = LOCUM_NEW(&r->shard, (r->end - r->first) * n);
    if (!st) st = LOCUM_NEW(&r->tail, r->end - r->first);
    if (!st && r->size > 1) st = LOCUM_NEW(&r->received, n);
    return st;
}

void locum_train_reduction_free(train_reduction *r)
{
    free(r->shard);
    free(r->tail);
    free(r->received);
    *r = (train_reduction){0};
}

static void add_pair(train_reduction *r, const float *gradient, const train_tail *from, int to)
{
    train_tail *tail = &r->tail[to - r->first];
    r->kernels->add(r->n, gradient, r->shard + (to - r->first) * r->n);
    tail->loss += from->loss;
    if (from->status > tail->status) tail->status = from->status;
    tail->stop |= from->stop;
}

static void sum_shards(train_reduction *r, int low, int high)
{
    int middle = low + (high - low) / 2;
    if (high - low < 2) return;
    sum_shards(r, low, middle);
    sum_shards(r, middle, high);
    int left = owner_of(r, low), right = owner_of(r, middle);
    if (left == r->rank && right == r->rank) {
        add_pair(r, r->shard + (middle - r->first) * r->n, &r->tail[middle - r->first], low);
    } else if (left == r->rank) {
        train_tail tail;
        MPI_Recv(r->received, (int)r->n, MPI_FLOAT, right, TAG_GRADIENT, r->comm, MPI_STATUS_IGNORE);
        MPI_Recv(&tail, (int)sizeof tail, MPI_BYTE, right, TAG_TAIL, r->comm, MPI_STATUS_IGNORE);
        add_pair(r, r->received, &tail, low);
    } else if (right == r->rank) {
        MPI_Send(r->shard + (middle - r->first) * r->n, (int)r->n, MPI_FLOAT, left, TAG_GRADIENT, r->comm);
        MPI_Send(&r->tail[middle - r->first], (int)sizeof *r->tail, MPI_BYTE, left, TAG_TAIL, r->comm);
    }
}

const float *locum_train_reduce(train_reduction *r, train_tail *total)
{
    sum_shards(r, 0, r->shards);
    *total = r->tail[0];
    if (r->size > 1) {
        MPI_Bcast(r->shard, (int)r->n, MPI_FLOAT, 0, r->comm);
        MPI_Bcast(total, (int)sizeof *total, MPI_BYTE, 0, r->comm);
    }
    return r->shard;
}
