/* SPDX-License-Identifier: BSD-3-Clause */
/* counter.c - one 64-bit integer in a window of rank 0; fetch-and-add by any rank, without rank 0 taking part.
 *
 * The window is locked by all ranks in shared mode for its whole life (passive target). On one node Open MPI keeps it
 * in shared memory, so a take is one atomic instruction even while rank 0 computes; over a network without hardware
 * atomics a take may wait for rank 0's next MPI call. */
#include <stdlib.h>

#include "core/memory.h"
#include "core/parallel/comm.h"
#include "core/parallel/counter.h"

struct locum_counter {
    MPI_Win window;
};

locum_status locum_counter_create(MPI_Comm comm, int64_t start, locum_counter **counter)
{
    int rank;
    int64_t *value = NULL;

    *counter = NULL;
    locum_status st = locum_comm_agree(comm, LOCUM_NEW(counter, 1));
    if (st) {
        free(*counter);
        *counter = NULL;
        return st;
    }
    MPI_Comm_rank(comm, &rank);
    MPI_Win_allocate(rank == 0 ? (MPI_Aint)sizeof *value : 0, sizeof *value, MPI_INFO_NULL, comm, &value,
                     &(*counter)->window);
    MPI_Win_lock_all(0, (*counter)->window);
    if (rank == 0) {
        *value = start;
        MPI_Win_sync((*counter)->window);
    }
    MPI_Barrier(comm);
    return LOCUM_OK;
}

locum_status locum_counter_take(locum_counter *counter, int64_t n, int64_t *value)
{
    MPI_Fetch_and_op(&n, value, MPI_INT64_T, 0, 0, MPI_SUM, counter->window);
    MPI_Win_flush(0, counter->window);
    return LOCUM_OK;
}

void locum_counter_destroy(locum_counter *counter)
{
    if (!counter) return;
    MPI_Win_unlock_all(counter->window);
    MPI_Win_free(&counter->window);
    free(counter);
}
