/* SPDX-License-Identifier: BSD-3-Clause */
/* test_adapter.c - large products of training go to OpenBLAS: the same gradient to round-off, and a checkpoint that
 * says so. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/study/commit.h"
#include "surrogate/adapters/cblas.h"
#include "surrogate/train/internal.h"
#include "tests/unit/parallel/mpi_main.h"
#include "tests/unit/train/synthetic.h"

enum { ROWS = 1024 }; /* with width 256: 2^26 multiply-adds, where the adapter begins */
#define LARGE "positive: [energy], shares: [spectrum], total: energy, layers: 2, width: 256"
#define RECIPE "epochs: 1, batch: 1024, shards: 1, ensemble: 1"

static locum_table *large_table(void)
{
    const int64_t counts[4] = {ROWS, 4, 4, 4};
    return synthetic_table(counts, 0.02, 8);
}

static void the_gradient_is_the_same_to_round_off(void)
{
    locum_table *table = large_table();
    locum_task *task = NULL;
    training t;
    train_data data = {0};
    train_network *net[2] = {NULL, NULL};
    float *gradient[2], *parameters, *x, *z;
    double loss[2], off = 0, whole = 0;

    locum_cblas_use_one_thread();
    CHECK_OK(training_create(LARGE, RECIPE, table, "/nowhere", MPI_COMM_SELF, &t));
    CHECK_OK(locum_surrogate_task(&t.surrogate, table, &task));
    CHECK_OK(locum_train_data_create(task, table, &data));
    for (int i = 0; i < 2; i++)
        CHECK_OK(locum_train_network_create(&(train_network_request){.type = t.surrogate.type,
                                                                     .config = t.surrogate.model_config,
                                                                     .task = task,
                                                                     .kernels = locum_kernels_for(LOCUM_CPU_AVX512),
                                                                     .adapter = i ? locum_adapter_cblas() : NULL,
                                                                     .shard_rows = ROWS},
                                            &net[i]));
    CU_ASSERT_TRUE(net[0] && net[1] && !locum_plan_uses_adapter(net[0]->gradient) &&
                   locum_plan_uses_adapter(net[1]->gradient));
    CHECK_OK(LOCUM_NEW(&parameters, net[0]->n));
    CHECK_OK(LOCUM_NEW(&x, ROWS * task->n_x));
    CHECK_OK(LOCUM_NEW(&z, ROWS * task->n_z));
    for (int64_t i = 0; i < ROWS * task->n_x; i++) x[i] = (float)data.x[LOCUM_TRAIN][i];
    for (int64_t i = 0; i < ROWS * task->n_z; i++) z[i] = (float)data.z[LOCUM_TRAIN][i];
    locum_train_network_initialise(net[0], 1, parameters);
    for (int i = 0; i < 2; i++) {
        CHECK_OK(LOCUM_NEW(&gradient[i], net[0]->n));
        locum_train_network_pack(net[i], parameters);
        locum_train_network_gradient(net[i], parameters, ROWS, (const float *const[]){x, z}, &(train_key){0},
                                     gradient[i], &loss[i]);
    }
    for (int64_t i = 0; i < net[0]->n; i++) {
        off += pow((double)gradient[0][i] - (double)gradient[1][i], 2);
        whole += pow((double)gradient[0][i], 2);
    }
    CU_ASSERT_TRUE(whole > 0);
    CHECK_CLOSE(loss[1], loss[0], 1e-5 * loss[0]); /* sums of 256 and of 1024 floats in another order: 32 x 6e-8 */
    CU_ASSERT_TRUE(sqrt(off / whole) < 1e-5);
    for (int i = 0; i < 2; i++) {
        locum_train_network_destroy(net[i]);
        free(gradient[i]);
    }
    free(parameters);
    free(x);
    free(z);
    locum_train_data_free(&data);
    locum_task_destroy(task);
    training_destroy(&t);
    synthetic_table_destroy(table);
}

/* the word `kernels` of the checkpoint after one step */
static void kernels_of(const char *surrogate, char word[128])
{
    locum_table *table = large_table();
    char folder[LOCUM_PATH_SIZE], path[LOCUM_PATH_SIZE + 64], *bytes = NULL;
    size_t n = 0;
    locum_file file;
    locum_train_result result;
    training t;

    training_folder(MPI_COMM_SELF, "adapter", folder);
    CHECK_OK(training_create(surrogate, RECIPE, table, folder, MPI_COMM_SELF, &t));
    CHECK_OK(locum_train(&t.call, &result));
    snprintf(path, sizeof path, "%s/checkpoint-1.safetensors", folder);
    CHECK_OK(locum_read_bytes(path, 1 << 28, &bytes, &n));
    CHECK_OK(locum_file_read(bytes, n, &file));
    snprintf(word, 128, "%s", locum_file_metadata(&file, "kernels"));
    locum_file_free(&file);
    free(bytes);
    training_destroy(&t);
    CHECK_OK(locum_remove_tree(folder));
    synthetic_table_destroy(table);
}

static void a_checkpoint_names_the_library_if_it_was_used(void)
{
    char large[128], small[128];
    kernels_of(LARGE, large);
    kernels_of("positive: [energy], shares: [spectrum], total: energy, layers: 2, width: 16", small);
    CU_ASSERT_PTR_NOT_NULL(strstr(large, "cblas"));
    CU_ASSERT_PTR_NOT_NULL(strstr(large, locum_cblas_core()));
    CU_ASSERT_STRING_EQUAL(small, locum_kernels_for(locum_cpu_best())->name);
}

int main(void)
{
    static const check_entry entries[] = {
        {"the gradient is the same to round-off", the_gradient_is_the_same_to_round_off},
        {"a checkpoint names the library if it was used", a_checkpoint_names_the_library_if_it_was_used}};
    return check_run_ranks("training with an adapter", entries, (int)(sizeof entries / sizeof *entries));
}
