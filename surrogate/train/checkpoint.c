/* SPDX-License-Identifier: BSD-3-Clause */
/* checkpoint.c - training/checkpoint-<step>.safetensors: a file of surrogate/runtime/file.h, so with a checksum for
 * every tensor.
 *
 *     parameters, moment1, moment2, best [n] float32      position, error: what else a step depends on
 *     metadata: hashes of table, task, graph and recipe; the kernel table
 *
 * Schedule, order of samples and noise are functions of (seed, step), so nothing else is needed to go on bit for bit.
 * The two newest are kept; if the newest is damaged, the log names it and the one before is taken. */
#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/hash.h"
#include "core/memory.h"
#include "core/study/commit.h"
#include "surrogate/train/internal.h"

#define KEPT 2
#define FOUND_MAX 64
#define FILE_MAX ((size_t)16 << 30)
enum { N_POSITION = 7, N_ERROR = 3 };

static locum_status path_of(const char *folder, int64_t step, char path[LOCUM_PATH_SIZE])
{
    int n = snprintf(path, LOCUM_PATH_SIZE, "%s/checkpoint-%" PRId64 ".safetensors", folder, step);
    LOCUM_REQUIRE(n < LOCUM_PATH_SIZE, LOCUM_ARG, "the path %.100s... is too long", folder);
    return LOCUM_OK;
}

/* steps of the checkpoints in a folder, newest first */
static int list(const char *folder, int64_t steps[FOUND_MAX])
{
    int n = 0;
    DIR *directory = opendir(folder);
    struct dirent *entry;
    while (directory && n < FOUND_MAX && (entry = readdir(directory))) {
        int64_t step;
        int length = 0;
        if (sscanf(entry->d_name, "checkpoint-%" SCNd64 ".safetensors%n", &step, &length) != 1 || !length ||
            entry->d_name[length])
            continue;
        int at = n++;
        for (; at > 0 && steps[at - 1] < step; at--) steps[at] = steps[at - 1];
        steps[at] = step;
    }
    if (directory) closedir(directory);
    return n;
}

bool locum_train_checkpoint_exists(const char *folder)
{
    int64_t steps[FOUND_MAX];
    return list(folder, steps) > 0;
}

/* --- writing ------------------------------------------------------------------------------------------------------ */
static void remove_old(const char *folder)
{
    int64_t steps[FOUND_MAX];
    char path[LOCUM_PATH_SIZE];
    int n = list(folder, steps);
    for (int i = KEPT; i < n; i++)
        if (!path_of(folder, steps[i], path)) unlink(path);
}

static void words_of(const train_identity *identity, char words[4][LOCUM_HASH_TEXT_SIZE])
{
    const uint64_t hashes[4] = {identity->table, identity->task, identity->graph, identity->recipe};
    for (int i = 0; i < 4; i++) locum_hash_text(hashes[i], words[i]);
}

locum_status locum_train_checkpoint_write(const char *folder, const train_identity *identity, const train_state *s)
{
    char path[LOCUM_PATH_SIZE], words[4][LOCUM_HASH_TEXT_SIZE];
    double position[N_POSITION] = {(double)s->step,      (double)s->epoch,    (double)s->batch, (double)s->since_best,
                                   (double)s->best_step, (double)s->finished, (double)s->n};
    double error[N_ERROR] = {s->best_error, s->loss, s->rows};
    locum_text text = {0};
    words_of(identity, words);
    locum_metadata metadata[] = {{"content", "training checkpoint"},
                                 {"table", words[0]},
                                 {"task_hash", words[1]},
                                 {"graph", words[2]},
                                 {"recipe", words[3]},
                                 {"kernels", identity->kernels}};
    locum_tensor tensors[] = {
        {.name = "parameters", .number = LOCUM_REAL32, .n_dims = 1, .dims = {s->n}, .data = s->parameters},
        {.name = "moment1", .number = LOCUM_REAL32, .n_dims = 1, .dims = {s->n}, .data = s->moment1},
        {.name = "moment2", .number = LOCUM_REAL32, .n_dims = 1, .dims = {s->n}, .data = s->moment2},
        {.name = "best", .number = LOCUM_REAL32, .n_dims = 1, .dims = {s->n}, .data = s->best},
        {.name = "position", .number = LOCUM_REAL64, .n_dims = 1, .dims = {N_POSITION}, .data = position},
        {.name = "error", .number = LOCUM_REAL64, .n_dims = 1, .dims = {N_ERROR}, .data = error}};
    locum_status st = path_of(folder, s->step, path);
    if (!st) st = locum_file_write(6, metadata, 6, tensors, &text);
    if (!st) st = locum_commit_bytes(path, text.data, text.size);
    if (!st) remove_old(folder);
    locum_text_free(&text);
    return st;
}

/* --- reading ------------------------------------------------------------------------------------------------------ */
static locum_status copy_tensor(const locum_file *file, const char *name, locum_number number, int64_t n, void *to)
{
    const locum_tensor *tensor = locum_file_tensor(file, name);
    LOCUM_REQUIRE(tensor && tensor->number == number && locum_tensor_count(tensor) == n, LOCUM_DAMAGED,
                  "checkpoint: `%s` is missing or has another size", name);
    memcpy(to, tensor->data, (size_t)n * (number == LOCUM_REAL64 ? 8 : 4));
    return LOCUM_OK;
}

static locum_status check_identity(const locum_file *file, const char *path, const train_identity *identity,
                                   bool allow_other_kernels)
{
    static const char *const keys[4] = {"table", "task_hash", "graph", "recipe"};
    static const char *const meanings[4] = {"another dataset", "other normalisers", "another network",
                                            "another recipe or seed"};
    char words[4][LOCUM_HASH_TEXT_SIZE];
    words_of(identity, words);
    for (int i = 0; i < 4; i++) {
        const char *word = locum_file_metadata(file, keys[i]);
        LOCUM_REQUIRE(word && !strcmp(word, words[i]), LOCUM_EXISTS,
                      "%s was made with %s; `locum train --force` begins anew", path, meanings[i]);
    }
    const char *kernels = locum_file_metadata(file, "kernels");
    LOCUM_REQUIRE(allow_other_kernels || (kernels && !strcmp(kernels, identity->kernels)), LOCUM_EXISTS,
                  "%s was made with the %s kernels, this run uses %s: the rest would differ in round-off; "
                  "--allow-other-kernels goes on, "
                  "`locum train --force` begins anew",
                  path, kernels ? kernels : "(no)", identity->kernels);
    return LOCUM_OK;
}

static locum_status take(const locum_file *file, train_state *s)
{
    double position[N_POSITION], error[N_ERROR];
    LOCUM_TRY(copy_tensor(file, "position", LOCUM_REAL64, N_POSITION, position));
    LOCUM_TRY(copy_tensor(file, "error", LOCUM_REAL64, N_ERROR, error));
    LOCUM_TRY(copy_tensor(file, "parameters", LOCUM_REAL32, s->n, s->parameters));
    LOCUM_TRY(copy_tensor(file, "moment1", LOCUM_REAL32, s->n, s->moment1));
    LOCUM_TRY(copy_tensor(file, "moment2", LOCUM_REAL32, s->n, s->moment2));
    LOCUM_TRY(copy_tensor(file, "best", LOCUM_REAL32, s->n, s->best));
    s->step = (int64_t)position[0];
    s->epoch = (int64_t)position[1];
    s->batch = (int64_t)position[2];
    s->since_best = (int64_t)position[3];
    s->best_step = (int64_t)position[4];
    s->finished = (int64_t)position[5];
    s->best_error = error[0];
    s->loss = error[1];
    s->rows = error[2];
    return LOCUM_OK;
}

static locum_status read_one(const char *path, const train_identity *identity, bool allow_other_kernels,
                             train_state *state)
{
    char *bytes = NULL;
    size_t n = 0;
    locum_file file = {0};
    LOCUM_TRY(locum_read_bytes(path, FILE_MAX, &bytes, &n));
    locum_status st = locum_file_read(bytes, n, &file);
    if (!st) {
        st = check_identity(&file, path, identity, allow_other_kernels);
        if (!st) st = take(&file, state);
        locum_file_free(&file);
    }
    free(bytes);
    return st;
}

locum_status locum_train_checkpoint_read(const char *folder, const train_identity *identity, bool allow_other_kernels,
                                         locum_log *log, train_state *state, bool *found)
{
    int64_t steps[FOUND_MAX];
    char path[LOCUM_PATH_SIZE];
    int n = list(folder, steps);
    *found = false;
    for (int i = 0; i < n; i++) {
        LOCUM_TRY(path_of(folder, steps[i], path));
        locum_status st = read_one(path, identity, allow_other_kernels, state);
        if (!st) {
            *found = true;
            return LOCUM_OK;
        }
        if (st != LOCUM_DAMAGED) return st;
        locum_log_warn(log, "%s is damaged (%s); %s", path, locum_status_message(),
                       i + 1 < n ? "the one before it is taken" : "training begins anew");
        locum_status_clear();
    }
    return LOCUM_OK;
}
