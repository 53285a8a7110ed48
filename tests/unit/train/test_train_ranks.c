/* SPDX-License-Identifier: BSD-3-Clause */
/* test_train_ranks.c - a training on all ranks ends in the bits of the same training on one, wherever it was
 * interrupted. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/failpoint.h"
#include "core/study/commit.h"
#include "tests/unit/parallel/mpi_main.h"
#include "tests/unit/train/synthetic.h"

#define SURROGATE "layers: 2, width: 16, positive: [energy], shares: [spectrum], total: energy"
#define TRAIN(shards) "epochs: 20, batch: 18, ensemble: 2, validate_every: 2, checkpoint_every: 3, shards: " shards

static locum_status train_on(MPI_Comm comm, const char *train, locum_table *table, const char *folder,
                             locum_watch *watch)
{
    training t;
    locum_train_result result;
    locum_status st = training_create(SURROGATE, train, table, folder, comm, &t);
    t.call.watch = watch;
    if (!st) st = locum_train(&t.call, &result);
    training_destroy(&t);
    return st;
}

static void remove_folder(const char *folder)
{
    MPI_Barrier(MPI_COMM_WORLD);
    if (!world_rank) CHECK_OK(locum_remove_tree(folder));
}

static void compare(const char *whole, const char *parts)
{
    char a[LOCUM_PATH_SIZE], b[LOCUM_PATH_SIZE];
    if (snprintf(a, sizeof a, "%s/model.safetensors", whole) >= (int)sizeof a ||
        snprintf(b, sizeof b, "%s/model.safetensors", parts) >= (int)sizeof b)
        return;
    if (!world_rank) CU_ASSERT_TRUE(same_tensors(a, b));
}

static void all_ranks_give_the_bits_of_one(void)
{
    static const int64_t counts[4] = {43, 8, 16,
                                      0}; /* batches of 18, 18, 7: shards of unequal size, some with one row */
    static const char *const trains[] = {TRAIN("4"), TRAIN("5"), TRAIN("1")}; /* 1: more ranks than shards */
    locum_table *table = synthetic_table(counts, 0.02, 6);
    for (int i = 0; i < 3; i++) {
        char alone[LOCUM_PATH_SIZE], together[LOCUM_PATH_SIZE];
        training_folder(MPI_COMM_WORLD, "alone", alone);
        training_folder(MPI_COMM_WORLD, "together", together);
        if (!world_rank) CHECK_OK(train_on(MPI_COMM_SELF, trains[i], table, alone, NULL));
        CHECK_OK(train_on(MPI_COMM_WORLD, trains[i], table, together, NULL));
        compare(alone, together);
        remove_folder(alone);
        remove_folder(together);
    }
    synthetic_table_destroy(table);
}

static void a_training_moves_between_numbers_of_ranks(void)
{
    static const int64_t counts[4] = {43, 8, 16, 0};
    locum_table *table = synthetic_table(counts, 0.02, 6);
    char alone[LOCUM_PATH_SIZE], moved[LOCUM_PATH_SIZE];
    volatile sig_atomic_t signal = 1;
    locum_watch watch;

    locum_watch_begin(&watch, &signal, NULL, NAN);
    training_folder(MPI_COMM_WORLD, "alone", alone);
    training_folder(MPI_COMM_WORLD, "moved", moved);
    if (!world_rank) CHECK_OK(train_on(MPI_COMM_SELF, TRAIN("4"), table, alone, NULL));
    for (int i = 0; i < 5; i++) { /* a step on all, a step on one, ...: rank 0 is asked, all stop */
        CHECK_FAILS(train_on(MPI_COMM_WORLD, TRAIN("4"), table, moved, world_rank ? NULL : &watch), LOCUM_STOPPED);
        MPI_Barrier(MPI_COMM_WORLD);
        if (!world_rank) CHECK_FAILS(train_on(MPI_COMM_SELF, TRAIN("4"), table, moved, &watch), LOCUM_STOPPED);
        MPI_Barrier(MPI_COMM_WORLD);
    }
    CHECK_OK(train_on(MPI_COMM_WORLD, TRAIN("4"), table, moved, NULL));
    compare(alone, moved);
    remove_folder(alone);
    remove_folder(moved);
    synthetic_table_destroy(table);
}

static void one_rank_that_fails_stops_all(void)
{
    static const int64_t counts[4] = {43, 8, 16, 0};
    static const char *const places[] = {"train_step@7%0=error", "train_step@7%1=error"};
    locum_table *table = synthetic_table(counts, 0.02, 6);
    char folder[LOCUM_PATH_SIZE];
    locum_failpoint_rank(world_rank);
    training_folder(MPI_COMM_WORLD, "fails", folder);
    for (int i = 0; i < (world_size > 1 ? 2 : 1); i++) {
        setenv("LOCUM_FAILPOINTS", places[i], 1);
        CHECK_FAILS(train_on(MPI_COMM_WORLD, TRAIN("4"), table, folder, NULL),
                    LOCUM_IO); /* on every rank, none waits */
        unsetenv("LOCUM_FAILPOINTS");
    }
    CHECK_OK(train_on(MPI_COMM_WORLD, TRAIN("4"), table, folder, NULL));
    remove_folder(folder);
    synthetic_table_destroy(table);
}

static void ranks_with_different_data_refuse_to_train(void)
{
    static const int64_t counts[4] = {43, 8, 16, 0};
    locum_table *table = synthetic_table(counts, 0.02, 6 + (uint64_t)world_rank);
    char folder[LOCUM_PATH_SIZE];
    training_folder(MPI_COMM_WORLD, "apart", folder);
    locum_status st = train_on(MPI_COMM_WORLD, TRAIN("4"), table, folder, NULL);
    CU_ASSERT_EQUAL(st, world_size > 1 ? LOCUM_INTERNAL : LOCUM_OK);
    remove_folder(folder);
    synthetic_table_destroy(table);
}

LOCUM_RUN_RANKS("training on ranks", {"all ranks give the bits of one", all_ranks_give_the_bits_of_one},
                {"a training moves between numbers of ranks", a_training_moves_between_numbers_of_ranks},
                {"one rank that fails stops all", one_rank_that_fails_stops_all},
                {"ranks with different data refuse to train", ranks_with_different_data_refuse_to_train})
