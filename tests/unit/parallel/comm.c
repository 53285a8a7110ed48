/* SPDX-License-Identifier: BSD-3-Clause */
/* comm.c - agreement, verdicts, groups and sums on any number of ranks. The program counts its own collective calls by
 * wrapping MPI's (profiling interface), so that the price of an agreement is tested too. */
#include <string.h>

#include "core/memory.h"
#include "core/parallel/comm.h"
#include "core/random.h"
#include "tests/unit/parallel/mpi_main.h"

static struct {
    int n;
    long long bytes;
} calls;

int MPI_Allreduce(const void *in, void *out, int n, MPI_Datatype type, MPI_Op op, MPI_Comm comm)
{
    int size;
    MPI_Type_size(type, &size);
    calls.n++;
    calls.bytes += (long long)n * size;
    return PMPI_Allreduce(in, out, n, type, op, comm);
}

int MPI_Bcast(void *data, int n, MPI_Datatype type, int root, MPI_Comm comm)
{
    int size;
    MPI_Type_size(type, &size);
    calls.n++;
    calls.bytes += (long long)n * size;
    return PMPI_Bcast(data, n, type, root, comm);
}

/* every rank must hold the same text */
static bool same_everywhere(const char *text)
{
    char of_rank_0[2048] = "";
    int differ, any;

    snprintf(of_rank_0, sizeof of_rank_0, "%s", text);
    PMPI_Bcast(of_rank_0, (int)sizeof of_rank_0, MPI_BYTE, 0, MPI_COMM_WORLD);
    differ = strcmp(of_rank_0, text) != 0;
    PMPI_Allreduce(&differ, &any, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD);
    return !any;
}

static void agreement_on_success_is_one_small_allreduce(void)
{
    calls.n = 0;
    calls.bytes = 0;
    CHECK_OK(locum_comm_agree(MPI_COMM_WORLD, LOCUM_OK));
    CU_ASSERT_EQUAL(calls.n, 1);
    CU_ASSERT_EQUAL(calls.bytes, 8);
}

static locum_status break_here(int which)
{
    return LOCUM_FAIL(LOCUM_IO, "disk of shelf %d is full", which);
}

static locum_status collective_work(int failing)
{
    locum_status st = LOCUM_OK;

    if (world_rank == failing) st = break_here(failing);
    if (st) st = locum_trace(st, __FILE__, __LINE__, "collective_work");
    return locum_comm_agree(MPI_COMM_WORLD, st);
}

static void a_rank_failing_alone_fails_all_with_one_message(void)
{
    for (int failing = 0; failing < world_size; failing++) {
        char expected[100];
        locum_status_clear();
        CHECK_FAILS(collective_work(failing), LOCUM_IO);
        if (world_size > 1)
            snprintf(expected, sizeof expected, "rank %d: disk of shelf %d is full", failing, failing);
        else
            snprintf(expected, sizeof expected, "disk of shelf 0 is full");
        CU_ASSERT_STRING_EQUAL(locum_status_message(), expected);
        CU_ASSERT_PTR_NOT_NULL(strstr(locum_status_trace(), "collective_work")); /* the chain came along */
        CU_ASSERT(same_everywhere(locum_status_message()));
    }
}

static void the_worst_status_wins_and_of_equals_the_lowest_rank(void)
{
    locum_status mine = world_rank == world_size - 1 ? LOCUM_MEMORY : LOCUM_NUMERIC;

    mine = LOCUM_FAIL(mine, "%s", locum_status_name(mine));
    CHECK_FAILS(locum_comm_agree(MPI_COMM_WORLD, mine), LOCUM_MEMORY);
    CU_ASSERT_PTR_NOT_NULL(strstr(locum_status_message(), "LOCUM_MEMORY"));

    mine = LOCUM_FAIL(LOCUM_INPUT, "seen by %d", world_rank);
    CHECK_FAILS(locum_comm_agree(MPI_COMM_WORLD, mine), LOCUM_INPUT);
    CU_ASSERT_STRING_EQUAL(locum_status_message(), world_size > 1 ? "rank 0: seen by 0" : "seen by 0");
}

static void agreeing_twice_names_the_rank_once(void)
{
    int last = world_size - 1;
    locum_status st = collective_work(last);

    st = locum_comm_agree(MPI_COMM_WORLD, st);
    CU_ASSERT_EQUAL(st, LOCUM_IO);
    const char *first = strstr(locum_status_message(), "rank ");
    CU_ASSERT((first != NULL) == (world_size > 1));
    if (first) CU_ASSERT_PTR_NULL(strstr(first + 1, "rank "));
}

static void any_is_true_if_one_is(void)
{
    CU_ASSERT(!locum_comm_any(MPI_COMM_WORLD, false));
    for (int r = 0; r < world_size; r++) CU_ASSERT(locum_comm_any(MPI_COMM_WORLD, r == world_rank));
}

static void the_verdict_is_that_of_rank_0(void)
{
    locum_status other = LOCUM_MEMORY;

    CHECK_OK(locum_comm_verdict(MPI_COMM_WORLD, world_rank ? other : LOCUM_OK));
    if (world_rank == 0) other = LOCUM_FAIL(LOCUM_BUSY, "stage in use");
    CHECK_FAILS(locum_comm_verdict(MPI_COMM_WORLD, world_rank ? LOCUM_OK : other), LOCUM_BUSY);
    CU_ASSERT_PTR_NOT_NULL(strstr(locum_status_message(), "stage in use"));
    CU_ASSERT(same_everywhere(locum_status_message()));
}

static void bytes_of_rank_0_reach_all(void)
{
    char data[1000];

    memset(data, world_rank ? 0 : 7, sizeof data);
    CHECK_OK(locum_comm_broadcast(MPI_COMM_WORLD, data, 999));
    CU_ASSERT(data[0] == 7 && data[998] == 7);
    CU_ASSERT_EQUAL(data[999], world_rank ? 0 : 7);
    CHECK_OK(locum_comm_broadcast(MPI_COMM_WORLD, NULL, 0));
}

static void groups_hold_consecutive_ranks(void)
{
    for (int per_group = 1; per_group <= world_size + 1; per_group++) {
        locum_groups groups;
        if (world_size % per_group) {
            CHECK_FAILS(locum_groups_create(MPI_COMM_WORLD, per_group, &groups), LOCUM_STUDY);
            locum_groups_destroy(&groups);
            continue;
        }
        int rank, size;
        CHECK_OK(locum_groups_create(MPI_COMM_WORLD, per_group, &groups));
        MPI_Comm_rank(groups.group, &rank);
        MPI_Comm_size(groups.group, &size);
        CU_ASSERT_EQUAL(size, per_group);
        CU_ASSERT_EQUAL(groups.n_groups, world_size / per_group);
        CU_ASSERT_EQUAL(groups.index * per_group + rank, world_rank);
        locum_groups_destroy(&groups);
        CU_ASSERT(groups.group == MPI_COMM_NULL);
        locum_groups_destroy(&groups);
    }
    locum_groups none;
    CHECK_FAILS(locum_groups_create(MPI_COMM_WORLD, 0, &none), LOCUM_STUDY);
}

/* value of column c of block b: both signs, seven orders of magnitude, so that the order of adding shows in the bits */
static double value(int64_t b, int c)
{
    double u[2];

    locum_random_uniform(1, LOCUM_STREAM_TEST, (uint64_t)(b << 32 | c), u);
    return ldexp(u[0] - 0.5, (int)(24 * u[1]));
}

/* blocks of rank r of `of`: uneven, the last rank first; with many ranks one has none */
static void own_blocks(int64_t n_blocks, int r, int of, int64_t *first, int64_t *n_mine)
{
    int64_t place = of - 1 - r;

    *first = n_blocks * place * place / ((int64_t)of * of);
    *n_mine = n_blocks * (place + 1) * (place + 1) / ((int64_t)of * of) - *first;
}

static bool sums_as_in_series(int64_t n_blocks, int width)
{
    int64_t first, n_mine;
    double *partial = malloc(sizeof(double) * (size_t)(n_blocks * width + 1)),
           *out = malloc(sizeof(double) * (size_t)width);
    double *series = calloc((size_t)width, sizeof(double));

    own_blocks(n_blocks, world_rank, world_size, &first, &n_mine);
    for (int64_t b = 0; b < n_mine; b++)
        for (int c = 0; c < width; c++) partial[b * width + c] = value(first + b, c);
    for (int64_t b = 0; b < n_blocks; b++)
        for (int c = 0; c < width; c++) series[c] += value(b, c);
    bool good = locum_comm_sum_blocks(MPI_COMM_WORLD, n_blocks, first, n_mine, width, partial, out) == LOCUM_OK &&
                !memcmp(out, series, sizeof(double) * (size_t)width);
    free(partial);
    free(out);
    free(series);
    return good;
}

static void sums_have_the_bits_of_the_serial_order(void)
{
    CU_ASSERT(sums_as_in_series(37, 5)); /* without allocation */
    CU_ASSERT(sums_as_in_series(1, 1));
    CU_ASSERT(sums_as_in_series(3, 40));            /* with four ranks one has no block */
    CU_ASSERT(sums_as_in_series(256, 33));          /* allocated */
    CU_ASSERT(sums_as_in_series(9, (1 << 20) + 3)); /* several pieces in both directions */
}

static void the_order_of_adding_would_show(void)
{
    int differ = 0;

    for (int c = 0; c < 33; c++) {
        double forward = 0, backward = 0;
        for (int b = 0; b < 256; b++) forward += value(b, c);
        for (int b = 255; b >= 0; b--) backward += value(b, c);
        differ += forward != backward;
    }
    CU_ASSERT(differ > 16); /* else the test above proves nothing */
}

static void a_block_without_one_owner_is_refused_everywhere(void)
{
    double partial[4] = {1, 2, 3, 4}, out;

    /* every rank claims blocks 0 to 2 of 4: block 3 has no owner, the others have as many as there are ranks */
    CHECK_FAILS(locum_comm_sum_blocks(MPI_COMM_WORLD, 4, 0, 3, 1, partial, &out), LOCUM_INTERNAL);
}

static void a_failing_allocation_of_one_rank_fails_all(void)
{
    double out[40], *partial = calloc(40 * 40, sizeof *partial);
    int64_t first, n_mine;

    own_blocks(40, world_rank, world_size, &first, &n_mine);
    if (world_rank == world_size - 1) setenv("LOCUM_FAILPOINTS", "alloc@1=memory", 1);
    CHECK_FAILS(locum_comm_sum_blocks(MPI_COMM_WORLD, 40, first, n_mine, 40, partial, out), LOCUM_MEMORY);
    unsetenv("LOCUM_FAILPOINTS");
    CU_ASSERT(same_everywhere(locum_status_message()));
    CHECK_OK(
        locum_comm_sum_blocks(MPI_COMM_WORLD, 40, first, n_mine, 40, partial, out)); /* and all are still in step */
    free(partial);
}

LOCUM_RUN_RANKS(
    "parallel/comm", {"agreement on success is one small allreduce", agreement_on_success_is_one_small_allreduce},
    {"a rank failing alone fails all with one message", a_rank_failing_alone_fails_all_with_one_message},
    {"the worst status wins, of equals the lowest rank", the_worst_status_wins_and_of_equals_the_lowest_rank},
    {"agreeing twice names the rank once", agreeing_twice_names_the_rank_once},
    {"any is true if one is", any_is_true_if_one_is}, {"the verdict is that of rank 0", the_verdict_is_that_of_rank_0},
    {"bytes of rank 0 reach all", bytes_of_rank_0_reach_all},
    {"groups hold consecutive ranks", groups_hold_consecutive_ranks},
    {"sums have the bits of the serial order", sums_have_the_bits_of_the_serial_order},
    {"the order of adding would show", the_order_of_adding_would_show},
    {"a block without one owner is refused everywhere", a_block_without_one_owner_is_refused_everywhere},
    {"a failing allocation of one rank fails all", a_failing_allocation_of_one_rank_fails_all})
