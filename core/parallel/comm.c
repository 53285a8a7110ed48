/* SPDX-License-Identifier: BSD-3-Clause */
/* comm.c - agreement, groups and fixed-order sums.
 *
 * agree   one allreduce (status, rank) with MAXLOC: the worst status, on ties the lowest rank. Only after a failure a
 *         second message follows: that rank's text and call chain.
 * sums    every rank adds its blocks into an array of zeros [n_blocks, width + 1]; the allreduce adds zeros to values,
 *         which is exact in any order, so that each rank holds the same partial sums and adds them in block order.
 *         The extra column counts the owners of each block and must come out as 1.
 *
 * Faults of MPI itself end the program (MPI_ERRORS_ARE_FATAL, MPI's default). */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "core/memory.h"
#include "core/parallel/comm.h"

enum {
    MESSAGE_SIZE = 1024,
    TRACE_SIZE = 3072,
    COLUMNS_MAX = 1 << 20, /* of one piece of a sum */
    PIECE_MAX = 1 << 23,   /* doubles: 64 MiB */
    STACK_MAX = 512        /* doubles of a sum that needs no allocation, hence no agreement either */
};
static const int64_t BROADCAST_MAX = (int64_t)1 << 30;

typedef struct report {
    char message[MESSAGE_SIZE], trace[TRACE_SIZE];
} report;

/* copies what fits, without its last line if that would be cut */
static void copy_cut(char *to, size_t size, const char *from)
{
    size_t n = strnlen(from, size - 1);

    memcpy(to, from, n);
    to[n] = 0;
}

static bool has_rank(const char *message)
{
    int rank, n = 0;

    return sscanf(message, "rank %d: %n", &rank, &n) == 1 && n > 0;
}

/* The failure of rank `root` becomes everybody's. Ranks are named as in MPI_COMM_WORLD, groups do not number anew. */
static locum_status share_failure(MPI_Comm comm, locum_status status, int root)
{
    report r = {"", ""};
    int rank, size, world_rank;

    MPI_Comm_rank(comm, &rank);
    MPI_Comm_size(comm, &size);
    MPI_Comm_rank(MPI_COMM_WORLD, &world_rank);
    if (rank == root) {
        const char *message = locum_status_message();
        int n = 0;
        if (size > 1 && !has_rank(message)) n = snprintf(r.message, sizeof r.message, "rank %d: ", world_rank);
        copy_cut(r.message + n, sizeof r.message - (size_t)n, message);
        copy_cut(r.trace, sizeof r.trace, locum_status_trace());
    }
    MPI_Bcast(&r, (int)sizeof r, MPI_BYTE, root, comm);
    return locum_status_adopt(status, r.message, r.trace);
}

locum_status locum_comm_agree(MPI_Comm comm, locum_status mine)
{
    struct {
        int status, rank;
    } local = {(int)mine, 0}, worst;

    MPI_Comm_rank(comm, &local.rank);
    MPI_Allreduce(&local, &worst, 1, MPI_2INT, MPI_MAXLOC, comm);
    return worst.status == LOCUM_OK ? LOCUM_OK : share_failure(comm, (locum_status)worst.status, worst.rank);
}

bool locum_comm_any(MPI_Comm comm, bool mine)
{
    int local = mine, any;

    MPI_Allreduce(&local, &any, 1, MPI_INT, MPI_MAX, comm);
    return any != 0;
}

locum_status locum_comm_verdict(MPI_Comm comm, locum_status of_rank_0)
{
    int status = (int)of_rank_0;

    MPI_Bcast(&status, 1, MPI_INT, 0, comm);
    return status == LOCUM_OK ? LOCUM_OK : share_failure(comm, (locum_status)status, 0);
}

locum_status locum_comm_broadcast(MPI_Comm comm, void *data, int64_t n_bytes)
{
    char *bytes = data;

    for (int64_t done = 0; done < n_bytes; done += BROADCAST_MAX) {
        int64_t n = n_bytes - done < BROADCAST_MAX ? n_bytes - done : BROADCAST_MAX;
        MPI_Bcast(bytes + done, (int)n, MPI_BYTE, 0, comm);
    }
    return LOCUM_OK;
}

locum_status locum_groups_create(MPI_Comm world, int ranks_per_group, locum_groups *groups)
{
    int rank, size;

    MPI_Comm_rank(world, &rank);
    MPI_Comm_size(world, &size);
    *groups = (locum_groups){.world = world, .group = MPI_COMM_NULL};
    LOCUM_REQUIRE(ranks_per_group >= 1 && size % ranks_per_group == 0, LOCUM_STUDY,
                  "%d ranks cannot be split into groups of %d: start a multiple of %d ranks", size, ranks_per_group,
                  ranks_per_group < 1 ? 1 : ranks_per_group);
    groups->n_groups = size / ranks_per_group;
    groups->index = rank / ranks_per_group;
    MPI_Comm_split(world, groups->index, rank, &groups->group);
    return LOCUM_OK;
}

void locum_groups_destroy(locum_groups *groups)
{
    if (groups->group != MPI_COMM_NULL) MPI_Comm_free(&groups->group);
    *groups = (locum_groups){.world = MPI_COMM_NULL, .group = MPI_COMM_NULL};
}

/* What this rank holds of the blocks block .. block + n_blocks and columns column .. column + n_columns: values,
 * then the number of owners. */
typedef struct piece {
    int64_t block, n_blocks;
    int column, n_columns;
} piece;

static void fill(const piece *p, int64_t first, int64_t n_mine, int width, const double *partial, double *values)
{
    int64_t begin = p->block > first ? p->block : first, end = p->block + p->n_blocks, row = p->n_columns + 1;

    if (end > first + n_mine) end = first + n_mine;
    memset(values, 0, (size_t)(p->n_blocks * row) * sizeof *values);
    for (int64_t b = begin; b < end; b++) {
        double *to = values + (b - p->block) * row;
        memcpy(to, partial + (b - first) * width + p->column, (size_t)p->n_columns * sizeof *to);
        to[p->n_columns] = 1;
    }
}

/* adds the blocks of a piece to out in their order; the first block without exactly one owner, or -1 */
static int64_t add_piece(const piece *p, const double *values, double *out)
{
    int64_t row = p->n_columns + 1;

    for (int64_t b = 0; b < p->n_blocks; b++) {
        if (values[b * row + p->n_columns] != 1) return p->block + b;
        for (int c = 0; c < p->n_columns; c++) out[p->column + c] += values[b * row + c];
    }
    return -1;
}

locum_status locum_comm_sum_blocks(MPI_Comm comm, int64_t n_blocks, int64_t first, int64_t n_mine, int width,
                                   const double *partial, double *out)
{
    double small[STACK_MAX], *values = small;
    int columns = width < COLUMNS_MAX ? width : COLUMNS_MAX;
    int64_t blocks = PIECE_MAX / (columns + 1), wrong = -1;

    if (blocks > n_blocks) blocks = n_blocks;
    if (blocks * (columns + 1) > STACK_MAX) {
        values = NULL;
        LOCUM_TRY(locum_comm_agree(comm, LOCUM_NEW(&values, blocks * (columns + 1))));
    }
    for (int c = 0; c < width; c++) out[c] = 0;
    for (int column = 0; column < width; column += columns)
        for (int64_t block = 0; block < n_blocks; block += blocks) {
            piece p = {block, n_blocks - block < blocks ? n_blocks - block : blocks, column,
                       width - column < columns ? width - column : columns};
            fill(&p, first, n_mine, width, partial, values);
            MPI_Allreduce(MPI_IN_PLACE, values, (int)(p.n_blocks * (p.n_columns + 1)), MPI_DOUBLE, MPI_SUM, comm);
            int64_t bad = add_piece(&p, values, out);
            if (wrong < 0) wrong = bad;
        }
    if (values != small) free(values);
    /* all ranks saw the same owners, so all return the same */
    LOCUM_REQUIRE(wrong < 0, LOCUM_INTERNAL, "block %lld of a sum must have one owner", (long long)wrong);
    return LOCUM_OK;
}

/* started by mpirun, srun or hydra, whose death must not leave ranks behind; what a shell started may outlive it */
static bool has_launcher(void)
{
    static const char *const signs[] = {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK", "SLURM_PROCID"};

    for (size_t i = 0; i < sizeof signs / sizeof signs[0]; i++)
        if (getenv(signs[i])) return true;
    return false;
}

locum_status locum_comm_die_with_parent(void)
{
    pid_t parent = getppid();

    if (!has_launcher()) return LOCUM_OK;
    LOCUM_REQUIRE(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0, LOCUM_IO, "this process cannot ask to die with its parent");
    /* the parent may have died before the request: then init has adopted us. A launcher that is process 1 itself (a
     * container) was our parent from the start. */
    if (getppid() != parent) kill(getpid(), SIGKILL);
    return LOCUM_OK;
}
