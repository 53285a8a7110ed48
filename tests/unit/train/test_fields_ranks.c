/* SPDX-License-Identifier: BSD-3-Clause */
/* test_fields_ranks.c - a training of fields on all ranks ends in the bits of the same training on one. */
#include <stdlib.h>

#include "core/study/commit.h"
#include "tests/unit/parallel/mpi_main.h"
#include "tests/unit/train/fields.h"

static locum_status train_on(MPI_Comm comm, const char *train, const char *data, const char *folder)
{
    field_training f;
    locum_train_result result;
    locum_status st = field_training_create(
        "model: fno, task: step, outputs: [velocity], history: 2, modes: 3, width: 6, layers: 1, head: 8", train, NULL,
        data, folder, comm, &f);
    if (!st) st = locum_train(&f.t.call, &result);
    field_training_destroy(&f);
    return st;
}

static void all_ranks_give_the_bits_of_one(void)
{
    static const int64_t counts[4] = {5, 3, 4, 0}; /* 20 examples in batches of 6: shards of unequal size */
    static const char *const trains[] = {
        "epochs: 4, batch: 6, rollout: 2, noise: 0.1, validate_every: 1, leads: 3, shards: 4",
        "epochs: 4, batch: 6, rollout: 2, noise: 0.1, validate_every: 1, leads: 3, shards: 3, memory: 0, ensemble: 2"};
    char data[LOCUM_PATH_SIZE];
    training_folder(MPI_COMM_WORLD, "waves", data);
    fields_dataset(MPI_COMM_WORLD, data, counts, 7);
    for (int i = 0; i < 2; i++) {
        char alone[LOCUM_PATH_SIZE], together[LOCUM_PATH_SIZE], a[LOCUM_PATH_SIZE], b[LOCUM_PATH_SIZE];
        training_folder(MPI_COMM_WORLD, "alone", alone);
        training_folder(MPI_COMM_WORLD, "together", together);
        if (!world_rank) CHECK_OK(train_on(MPI_COMM_SELF, trains[i], data, alone));
        CHECK_OK(train_on(MPI_COMM_WORLD, trains[i], data, together));
        if (snprintf(a, sizeof a, "%s/model.safetensors", alone) >= (int)sizeof a ||
            snprintf(b, sizeof b, "%s/model.safetensors", together) >= (int)sizeof b)
            abort();
        if (!world_rank) CU_ASSERT_TRUE(same_tensors(a, b));
        MPI_Barrier(MPI_COMM_WORLD);
        if (!world_rank) CHECK_OK(locum_remove_tree(alone));
        if (!world_rank) CHECK_OK(locum_remove_tree(together));
    }
    MPI_Barrier(MPI_COMM_WORLD);
    if (!world_rank) CHECK_OK(locum_remove_tree(data));
}

LOCUM_RUN_RANKS("fields on ranks", {"all ranks give the bits of one", all_ranks_give_the_bits_of_one})
