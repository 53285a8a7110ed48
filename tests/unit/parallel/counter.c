/* SPDX-License-Identifier: BSD-3-Clause */
/* counter.c - each value is handed out once, also while rank 0 stays away from MPI. */
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "core/parallel/comm.h"
#include "core/parallel/counter.h"
#include "tests/unit/parallel/mpi_main.h"

static void each_value_is_handed_out_once(void)
{
    enum { START = 5, BLOCK = 3, BLOCKS = 2000, LIMIT = START + BLOCK * BLOCKS };
    locum_counter *counter;
    int seen[BLOCKS] = {0}, total[BLOCKS];
    int64_t value = 0;

    CHECK_OK(locum_counter_create(MPI_COMM_WORLD, START, &counter));
    while (value < LIMIT) {
        CHECK_OK(locum_counter_take(counter, BLOCK, &value));
        CU_ASSERT_FATAL(value >= START && (value - START) % BLOCK == 0);
        if (value < LIMIT) seen[(value - START) / BLOCK]++;
    }
    MPI_Allreduce(seen, total, BLOCKS, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
    for (int i = 0; i < BLOCKS; i++) CU_ASSERT_FATAL(total[i] == 1);
    locum_counter_destroy(counter);
    locum_counter_destroy(NULL);
}

static void two_counters_do_not_meet(void)
{
    locum_counter *a, *b;
    int64_t value;

    CHECK_OK(locum_counter_create(MPI_COMM_SELF, 10, &a));
    CHECK_OK(locum_counter_create(MPI_COMM_SELF, (int64_t)1 << 40, &b));
    CHECK_OK(locum_counter_take(a, 4, &value));
    CHECK_OK(locum_counter_take(b, 1, &value));
    CU_ASSERT_EQUAL(value, (int64_t)1 << 40);
    CHECK_OK(locum_counter_take(a, 1, &value));
    CU_ASSERT_EQUAL(value, 14);
    locum_counter_destroy(a);
    locum_counter_destroy(b);
}

/* Rank 0 waits for a file, without any MPI call, until all others have taken their values: were its help needed, nobody
 * would make it. */
static void others_take_while_rank_0_computes(void)
{
    char path[64] = "/tmp/locum-counter-XXXXXX", mark[80];
    locum_counter *counter;
    struct stat info;
    int there = world_size == 1;

    if (world_rank == 0) CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(path));
    MPI_Bcast(path, (int)sizeof path, MPI_BYTE, 0, MPI_COMM_WORLD);
    CHECK_OK(locum_counter_create(MPI_COMM_WORLD, 0, &counter));
    if (world_rank == 0) {
        for (int r = 1; r < world_size; r++) {
            snprintf(mark, sizeof mark, "%s/%d", path, r);
            for (int i = 0; i < 1500 && stat(mark, &info); i++)
                nanosleep(&(struct timespec){0, 10000000}, NULL); /* 15 s */
            there = !stat(mark, &info);
            if (!there) break;
        }
        CU_ASSERT(there);
    } else {
        int64_t value;
        for (int i = 0; i < 1000; i++) CHECK_OK(locum_counter_take(counter, 1, &value));
        snprintf(mark, sizeof mark, "%s/%d", path, world_rank);
        FILE *file = fopen(mark, "w");
        CU_ASSERT_PTR_NOT_NULL(file);
        if (file) fclose(file);
    }
    MPI_Barrier(MPI_COMM_WORLD);
    snprintf(mark, sizeof mark, "%s/%d", path, world_rank);
    remove(mark);
    MPI_Barrier(MPI_COMM_WORLD);
    if (world_rank == 0) remove(path);
    locum_counter_destroy(counter);
}

static void a_failing_allocation_of_one_rank_fails_all(void)
{
    locum_counter *counter = (locum_counter *)1;

    if (world_rank == world_size - 1) setenv("LOCUM_FAILPOINTS", "alloc@1=memory", 1);
    CHECK_FAILS(locum_counter_create(MPI_COMM_WORLD, 0, &counter), LOCUM_MEMORY);
    unsetenv("LOCUM_FAILPOINTS");
    CU_ASSERT_PTR_NULL(counter);
}

LOCUM_RUN_RANKS("parallel/counter", {"each value is handed out once", each_value_is_handed_out_once},
                {"two counters do not meet", two_counters_do_not_meet},
                {"others take while rank 0 computes", others_take_while_rank_0_computes},
                {"a failing allocation of one rank fails all", a_failing_allocation_of_one_rank_fails_all})
