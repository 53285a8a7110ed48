/* SPDX-License-Identifier: BSD-3-Clause */
/* data_path.c - from a path to a dataset: a path alone becomes a study that has nothing but its `dataset`, so that --set
 * reads and checks the same options as a study file. */
#include "cli/data_path.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "core/text.h"
#include "datasets/formats/source.h"

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);
    return n > m && !strcmp(text + n - m, end);
}

/* a run directory without a dataset of its own: its study brings the data */
static bool is_run_of_others(const char *path)
{
    struct stat info;
    char file[LOCUM_PATH_SIZE];
    bool resolved =
        snprintf(file, sizeof file, "%s/study.resolved.yaml", path) < (int)sizeof file && !stat(file, &info);
    bool own = snprintf(file, sizeof file, "%s/dataset", path) < (int)sizeof file && !stat(file, &info);
    return resolved && !own;
}

static locum_status open_study(const char *path, const arguments *a, locum_study **study)
{
    const char *sets[ARGUMENTS_SETS_MAX + 1];
    locum_text first = {0};
    if (ends_with(path, ".yaml") || ends_with(path, ".yml") || is_run_of_others(path))
        return locum_study_open(path, a->n_sets, a->sets, study);
    locum_text_add(&first, "dataset.path=");
    locum_text_json_string(&first, path); /* double quotes: YAML too */
    sets[0] = first.data;
    for (int i = 0; i < a->n_sets; i++) sets[1 + i] = a->sets[i];
    locum_status st = first.status;
    if (!st) st = locum_study_parse("study: data\n", path, 1 + a->n_sets, sets, study);
    locum_text_free(&first);
    return st;
}

locum_status data_path_open(const arguments *a, locum_dataset **dataset)
{
    *dataset = NULL;
    LOCUM_REQUIRE(a->n_words == 1, LOCUM_STUDY,
                  "expected one PATH: a data file, a dataset folder, a run directory or a study");
    return data_path_open_at(a->words[0], a, dataset);
}

locum_status data_path_open_at(const char *path, const arguments *a, locum_dataset **dataset)
{
    locum_study *study = NULL;
    locum_source source;
    struct stat info;

    *dataset = NULL;
    LOCUM_REQUIRE(!stat(path, &info), LOCUM_INPUT, "there is no file or folder `%s`", path);
    LOCUM_REQUIRE(!ends_with(path, ".safetensors"), LOCUM_INPUT, "%s is a model; `locum inspect` says what it holds",
                  path);
    locum_store_setup();
    locum_status st = open_study(path, a, &study);
    if (!st) st = locum_source_read(study, &source);
    if (!st) st = locum_source_open(&source, locum_study_seed(study), dataset);
    locum_study_destroy(study);
    return st;
}
