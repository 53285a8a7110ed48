/* SPDX-License-Identifier: BSD-3-Clause */
/* start.c - train.start_from: the weights of a model file in place of random ones. Normalisers stay those of the new
 * data; task and shapes must agree. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/hash.h"
#include "core/study/commit.h"
#include "surrogate/train/internal.h"

#define FILE_MAX ((size_t)4 << 30)

static locum_status read_model(const char *path, char **bytes, size_t *n)
{
    char file[LOCUM_PATH_SIZE];
    struct stat info;
    bool folder = !stat(path, &info) && S_ISDIR(info.st_mode);
    int length = snprintf(file, sizeof file, "%s%s", path, folder ? "/model.safetensors" : "");
    LOCUM_REQUIRE(length < (int)sizeof file, LOCUM_ARG, "train.start_from: the path %.100s... is too long", path);
    return locum_read_bytes(file, FILE_MAX, bytes, n);
}

locum_status locum_train_start_hash(const char *path, uint64_t *hash)
{
    char *bytes = NULL;
    size_t n = 0;
    *hash = 0;
    if (!path[0]) return LOCUM_OK;
    LOCUM_TRY(read_model(path, &bytes, &n));
    *hash = locum_hash(bytes, n);
    free(bytes);
    return LOCUM_OK;
}

static locum_status check_task(const locum_file *file, const char *path, const locum_task *task)
{
    const char *kind = locum_file_metadata(file, "task"), *history = locum_file_metadata(file, "history"),
               *mine = task->kind == LOCUM_TASK_STEP ? "step" : "map";
    LOCUM_REQUIRE(kind && !strcmp(kind, mine), LOCUM_STUDY,
                  "train.start_from: %s was trained for the task `%s`, not `%s`", path, kind ? kind : "(none)", mine);
    LOCUM_REQUIRE(task->kind != LOCUM_TASK_STEP || (history && atoi(history) == task->history), LOCUM_STUDY,
                  "train.start_from: %s sees %s past frames, this surrogate %d", path, history ? history : "no",
                  task->history);
    return LOCUM_OK;
}

static locum_status copy_weights(const locum_file *file, const char *path, const train_network *net, float *parameters)
{
    for (int i = 0; i < net->n_slots; i++) {
        const train_slot *slot = &net->slots[i];
        const locum_tensor *t = locum_file_tensor(file, slot->name);
        bool same = t && t->number == LOCUM_REAL32 && t->n_dims == slot->n_dims;
        for (int d = 0; d < slot->n_dims && same; d++) same = t->dims[d] == slot->dims[d];
        LOCUM_REQUIRE(
            same, LOCUM_STUDY,
            "train.start_from: %s has %s `%s`: model, its options, inputs, outputs and train.ensemble must agree", path,
            t ? "another shape of" : "no", slot->name);
        memcpy(parameters + slot->first, t->data, (size_t)slot->count * sizeof *parameters);
    }
    return LOCUM_OK;
}

locum_status locum_train_start_read(const char *path, const train_network *network, float *parameters)
{
    char *bytes = NULL;
    size_t n = 0;
    locum_file file = {0};
    LOCUM_TRY(read_model(path, &bytes, &n));
    locum_status st = locum_file_read(bytes, n, &file);
    if (!st) {
        st = check_task(&file, path, network->task);
        if (!st) st = copy_weights(&file, path, network, parameters);
        locum_file_free(&file);
    }
    free(bytes);
    return st;
}
