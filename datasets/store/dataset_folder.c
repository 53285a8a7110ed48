/* SPDX-License-Identifier: BSD-3-Clause */
/* dataset_folder.c - which files belong to a dataset folder, and which samples they hold.
 *
 *   FOLDER/data/{train,valid,test,calibration,noise}/NAME.h5      a dataset
 *   FOLDER/dataset/data/...                                       a run directory
 *   FOLDER/NAME.h5                                                a folder of files
 *
 * Only finished files count: NAME.h5.part is somebody's work in progress, or was left by a process that died. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/memory.h"
#include "datasets/store/dataset_internal.h"
#include "locum/dev/option.h"

typedef struct list {
    char **paths;
    int n, capacity;
} list;

static locum_status add_path(list *l, const char *folder, const char *name)
{
    if (l->n == l->capacity) {
        int capacity = 2 * l->capacity + 16;
        char **grown = realloc(l->paths, (size_t)capacity * sizeof *grown);
        LOCUM_REQUIRE(grown, LOCUM_MEMORY, "out of memory for a list of %d files", capacity);
        l->paths = grown;
        l->capacity = capacity;
    }
    size_t size = strlen(folder) + strlen(name) + 2;
    locum_status st = LOCUM_NEW(&l->paths[l->n], size);
    if (!st) snprintf(l->paths[l->n++], size, "%s/%s", folder, name);
    return st;
}

static bool is_folder(const char *path)
{
    struct stat info;

    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);

    return n > m && !strcmp(text + n - m, end);
}

/* files of one folder */
static locum_status scan(list *l, const char *folder)
{
    DIR *directory = opendir(folder);
    locum_status st = LOCUM_OK;

    LOCUM_REQUIRE(directory, LOCUM_INPUT, "%s: no such folder, or not readable", folder);
    for (struct dirent *entry = readdir(directory); !st && entry; entry = readdir(directory))
        if (entry->d_name[0] != '.' && (ends_with(entry->d_name, ".h5") || ends_with(entry->d_name, ".hdf5")))
            st = add_path(l, folder, entry->d_name);
    closedir(directory);
    return st;
}

static int by_path(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* FOLDER/data, or FOLDER/dataset/data if that is there */
static bool find_data(const char *folder, char *root, size_t size)
{
    char data[LOCUM_PATH_SIZE];

    snprintf(root, size, "%s/dataset", folder);
    if (!is_folder(root)) snprintf(root, size, "%s", folder);
    snprintf(data, sizeof data, "%.*s/data", LOCUM_PATH_SIZE - 8, root);
    return is_folder(data);
}

locum_status locum_dataset_list(const char *folder, char ***paths, int *n)
{
    list l = {0};
    char root[LOCUM_PATH_SIZE], sub[LOCUM_PATH_SIZE + 64];
    locum_status st = LOCUM_OK;

    if (find_data(folder, root, sizeof root)) {
        for (int split = 0; !st && split < LOCUM_SPLITS; split++) {
            snprintf(sub, sizeof sub, "%s/%s", root, locum_split_folder((locum_split)split));
            if (is_folder(sub)) st = scan(&l, sub);
        }
    } else {
        st = scan(&l, folder);
    }
    if (!st && l.n > 1) qsort(l.paths, (size_t)l.n, sizeof *l.paths, by_path);
    if (st) {
        for (int i = 0; i < l.n; i++) free(l.paths[i]);
        free(l.paths);
        l = (list){0};
    }
    *paths = l.paths;
    *n = l.n;
    return st;
}

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

locum_status locum_store_done(const char *folder, int64_t **index, int64_t *n)
{
    char **paths = NULL;
    int n_paths = 0;

    *index = NULL;
    *n = 0;
    locum_store_setup();
    if (!is_folder(folder)) return LOCUM_OK; /* nothing was made yet */
    locum_status st = locum_dataset_list(folder, &paths, &n_paths);
    for (int i = 0; !st && i < n_paths; i++) st = locum_dataset_shard_indices(paths[i], index, n);
    if (!st && *n > 1) qsort(*index, (size_t)*n, sizeof **index, by_value);
    for (int64_t i = 1; !st && i < *n; i++)
        if ((*index)[i] == (*index)[i - 1])
            st = LOCUM_FAIL(LOCUM_DAMAGED, "%s: sample %lld is in two files", folder, (long long)(*index)[i]);
    for (int i = 0; i < n_paths; i++) free(paths[i]);
    free(paths);
    if (st) {
        free(*index);
        *index = NULL;
        *n = 0;
    }
    return st;
}
