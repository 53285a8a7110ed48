/* SPDX-License-Identifier: BSD-3-Clause */
/* dataset_folder.c - which files belong to a dataset folder, and which samples they hold.
 *
 *   FOLDER/data/{train,valid,test,calibration,noise}/NAME.h5      a dataset
 *   FOLDER/dataset/data/...                                       a run directory
 *   FOLDER/{train,valid,test,calibration,noise}/NAME.h5           the same without data/
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

typedef struct entry {
    char *path;
    locum_split split; /* LOCUM_SPLITS: none */
} entry;

typedef struct list {
    entry *entries;
    int n, capacity;
} list;

static locum_status add_path(list *l, const char *folder, const char *name, locum_split split)
{
    if (l->n == l->capacity) {
        int capacity = 2 * l->capacity + 16;
        entry *grown = realloc(l->entries, (size_t)capacity * sizeof *grown);
        LOCUM_REQUIRE(grown, LOCUM_MEMORY, "out of memory for a list of %d files", capacity);
        l->entries = grown;
        l->capacity = capacity;
    }
    size_t size = strlen(folder) + strlen(name) + 2;
    entry *e = &l->entries[l->n];
    *e = (entry){.split = split};
    locum_status st = LOCUM_NEW(&e->path, size);
    if (!st) snprintf(l->entries[l->n++].path, size, "%s/%s", folder, name);
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
static locum_status scan(list *l, const char *folder, locum_split split)
{
    DIR *directory = opendir(folder);
    locum_status st = LOCUM_OK;

    LOCUM_REQUIRE(directory, LOCUM_INPUT, "%s: no such folder, or not readable", folder);
    for (struct dirent *file = readdir(directory); !st && file; file = readdir(directory))
        if (file->d_name[0] != '.' && (ends_with(file->d_name, ".h5") || ends_with(file->d_name, ".hdf5")))
            st = add_path(l, folder, file->d_name, split);
    closedir(directory);
    return st;
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const entry *)a)->path, ((const entry *)b)->path);
}

/* the folder that holds the folders of splits, false if there is none; prefix: how many characters of "data/train" the
 * names of its folders leave out */
static bool find_splits(const char *folder, char root[LOCUM_PATH_SIZE], size_t *prefix)
{
    char sub[LOCUM_PATH_SIZE + 64];

    *prefix = 0;
    snprintf(root, LOCUM_PATH_SIZE, "%s/dataset", folder);
    if (!is_folder(root)) snprintf(root, LOCUM_PATH_SIZE, "%s", folder);
    snprintf(sub, sizeof sub, "%s/data", root);
    if (is_folder(sub)) return true;
    *prefix = strlen("data/");
    for (int split = 0; split < LOCUM_SPLITS; split++) {
        snprintf(sub, sizeof sub, "%s/%s", root, locum_split_folder((locum_split)split) + *prefix);
        if (is_folder(sub)) return true;
    }
    return false;
}

/* the list as the caller wants it; the entries are taken over */
static locum_status hand_over(list *l, locum_status st, char ***paths, locum_split **split, int *n)
{
    char **all = NULL;
    locum_split *from = NULL;

    if (!st && l->n > 1) qsort(l->entries, (size_t)l->n, sizeof *l->entries, by_path);
    if (!st) st = LOCUM_NEW(&all, l->n + 1);
    if (!st && split) st = LOCUM_NEW(&from, l->n + 1);
    for (int i = 0; i < l->n; i++) {
        if (!st) all[i] = l->entries[i].path;
        if (!st && split) from[i] = l->entries[i].split;
        if (st) free(l->entries[i].path);
    }
    free(l->entries);
    if (st) free(all);
    *paths = st ? NULL : all;
    *n = st ? 0 : l->n;
    if (split) *split = from;
    return st;
}

locum_status locum_dataset_files(const char *folder, char ***paths, locum_split **split, int *n)
{
    list l = {0};
    char root[LOCUM_PATH_SIZE], sub[LOCUM_PATH_SIZE + 64];
    locum_status st = LOCUM_OK;
    size_t prefix = 0;

    if (find_splits(folder, root, &prefix)) {
        for (int s = 0; !st && s < LOCUM_SPLITS; s++) {
            snprintf(sub, sizeof sub, "%s/%s", root, locum_split_folder((locum_split)s) + prefix);
            if (is_folder(sub)) st = scan(&l, sub, (locum_split)s);
        }
    } else {
        st = scan(&l, folder, LOCUM_SPLITS);
    }
    return hand_over(&l, st, paths, split, n);
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
    locum_status st = locum_dataset_files(folder, &paths, NULL, &n_paths);
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
