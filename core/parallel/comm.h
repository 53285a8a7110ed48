/* SPDX-License-Identifier: BSD-3-Clause */
/* comm.h - agreement, groups and fixed-order sums over MPI. Everything here is collective unless marked Local. */
#ifndef CORE_PARALLEL_COMM_H
#define CORE_PARALLEL_COMM_H

#include <mpi.h>
#include <stdbool.h>
#include <stdint.h>

#include "locum/dev/error.h"

/** The worst status of all ranks, on all ranks, so that all go on or all return. The message of the lowest rank
 *  with that status becomes everybody's ("rank 3: ..." where there is more than one). */
locum_status locum_comm_agree(MPI_Comm comm, locum_status mine);
/** True on all ranks if true on any. */
bool locum_comm_any(MPI_Comm comm, bool mine);
/** Rank-0 work in a parallel program: `st` of rank 0 on all ranks. */
locum_status locum_comm_verdict(MPI_Comm comm, locum_status of_rank_0);
/** Copies n bytes from rank 0 to all, in pieces of at most 1 GiB. */
locum_status locum_comm_broadcast(MPI_Comm comm, void *data, int64_t n_bytes);

/* World split into groups of consecutive ranks: one sample per group. */
typedef struct locum_groups {
    MPI_Comm world, group; /**< group: owned */
    int n_groups, index;   /**< how many, and which one this rank is in */
} locum_groups;
/** ranks_per_group must divide the size of world (LOCUM_STUDY). */
locum_status locum_groups_create(MPI_Comm world, int ranks_per_group, locum_groups *groups);
void locum_groups_destroy(locum_groups *groups);

/** Sums of per-block partial results, the same bits for any number of ranks: n_blocks blocks, numbered globally,
 *  each owned by one rank; partial [n_mine, width] of the blocks first .. first + n_mine; out [width] on all ranks is
 *  the sum in the order of the block numbers. */
locum_status locum_comm_sum_blocks(MPI_Comm comm, int64_t n_blocks, int64_t first, int64_t n_mine, int width,
                                   const double *partial, double *out);

/** This rank dies when its parent dies (Linux PR_SET_PDEATHSIG), so that no rank outlives a killed mpirun. Local. */
locum_status locum_comm_die_with_parent(void);

#endif
