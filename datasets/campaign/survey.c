/* SPDX-License-Identifier: BSD-3-Clause */
/* survey.c - what a dataset folder holds: its committed shards, their samples, sizes and checksums; manifest.json.
 *
 * Rank 0 lists the files in the order of their names; each rank opens every size-th of them. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/hash.h"
#include "core/study/commit.h"
#include "datasets/campaign/campaign_parts.h"

typedef char file_path[LOCUM_PATH_SIZE];

static bool has_end(const char *name, const char *end)
{
    size_t n = strlen(name), m = strlen(end);

    return n > m && !strcmp(name + n - m, end);
}

void locum_survey_remove_parts(const char *dataset, int shard, int n_shards)
{
    file_path folder, path;

    for (int s = 0; s < LOCUM_SPLITS; s++) {
        locum_format(folder, sizeof folder, "%s/%s", dataset, locum_split_folder((locum_split)s));
        DIR *stream = opendir(folder);
        for (struct dirent *entry; stream && (entry = readdir(stream));) {
            long long first;
            if (sscanf(entry->d_name, "shard-%lld-", &first) != 1 || !has_end(entry->d_name, ".part")) continue;
            if (first % n_shards != shard) continue;
            if (locum_format(path, sizeof path, "%s/%s", folder, entry->d_name) < (int)sizeof path) unlink(path);
        }
        if (stream) closedir(stream);
    }
}

static int compare_paths(const void *a, const void *b)
{
    return strcmp(a, b);
}

static locum_status add_file(locum_survey *survey, int *capacity, const char *folder, const char *name)
{
    if (survey->n_files == *capacity) {
        file_path *larger = NULL;
        *capacity = 2 * *capacity + 64;
        LOCUM_TRY(locum_alloc(&larger, *capacity, sizeof *larger));
        if (survey->n_files) memcpy(larger, survey->path, (size_t)survey->n_files * sizeof *larger);
        free(survey->path);
        survey->path = larger;
    }
    int n = locum_format(survey->path[survey->n_files], LOCUM_PATH_SIZE, "%s/%s", folder, name);
    LOCUM_REQUIRE(n < LOCUM_PATH_SIZE, LOCUM_INPUT, "the name of %s is too long", name);
    survey->n_files++;
    return LOCUM_OK;
}

static locum_status list_files(const char *dataset, locum_survey *survey)
{
    file_path folder;
    int capacity = 0;
    locum_status st = LOCUM_OK;

    for (int s = 0; s < LOCUM_SPLITS && !st; s++) {
        const char *inside = locum_split_folder((locum_split)s);
        locum_format(folder, sizeof folder, "%s/%s", dataset, inside);
        DIR *stream = opendir(folder);
        for (struct dirent *entry; !st && stream && (entry = readdir(stream));)
            if (has_end(entry->d_name, ".h5")) st = add_file(survey, &capacity, inside, entry->d_name);
        if (stream) closedir(stream);
    }
    if (!st && survey->n_files) qsort(survey->path, (size_t)survey->n_files, sizeof *survey->path, compare_paths);
    return st;
}

static locum_status open_file(const char *dataset, const locum_survey *survey, int i, locum_dataset **shard)
{
    char path[2 * LOCUM_PATH_SIZE];

    locum_format(path, sizeof path, "%s/%s", dataset, survey->path[i]);
    return locum_dataset_open(path, shard);
}

static locum_status look_at(const char *dataset, locum_survey *survey, int i)
{
    locum_dataset *shard = NULL;

    LOCUM_TRY(open_file(dataset, survey, i, &shard));
    survey->samples[i] = locum_dataset_n(shard);
    for (int64_t b = 0; b < survey->samples[i]; b++) survey->failed[i] += locum_dataset_sample_at(shard, b)->failed;
    locum_dataset_close(shard);
    return LOCUM_OK;
}

locum_status locum_survey_check(const char *dataset, uint64_t options_hash)
{
    locum_survey survey = {0};
    locum_dataset *shard = NULL;
    locum_status st = list_files(dataset, &survey);

    if (!st && survey.n_files > 0) st = open_file(dataset, &survey, 0, &shard);
    if (!st && shard && locum_dataset_options_hash(shard) != options_hash)
        st = LOCUM_FAIL(LOCUM_EXISTS, "%s holds samples of other options; --force removes them", dataset);
    locum_dataset_close(shard);
    locum_survey_free(&survey);
    return st;
}

static locum_status allocate(locum_survey *survey, int rank)
{
    if (rank != 0) LOCUM_TRY(locum_alloc(&survey->path, survey->n_files, sizeof *survey->path));
    LOCUM_TRY(LOCUM_NEW(&survey->bytes, survey->n_files));
    LOCUM_TRY(LOCUM_NEW(&survey->samples, survey->n_files));
    LOCUM_TRY(LOCUM_NEW(&survey->failed, survey->n_files));
    return LOCUM_NEW(&survey->hash, survey->n_files);
}

locum_status locum_survey_make(const char *dataset, MPI_Comm world, locum_survey *survey)
{
    int rank, size;

    MPI_Comm_rank(world, &rank);
    MPI_Comm_size(world, &size);
    *survey = (locum_survey){0};
    locum_status st = locum_comm_verdict(world, rank == 0 ? list_files(dataset, survey) : LOCUM_OK);
    if (!st) {
        MPI_Bcast(&survey->n_files, 1, MPI_INT, 0, world);
        st = locum_comm_agree(world, allocate(survey, rank));
    }
    if (!st) st = locum_comm_broadcast(world, survey->path, (int64_t)survey->n_files * (int64_t)sizeof *survey->path);
    for (int i = rank; i < survey->n_files && !st; i += size) st = look_at(dataset, survey, i);
    st = locum_comm_agree(world, st);
    if (!st) {
        MPI_Allreduce(MPI_IN_PLACE, survey->samples, survey->n_files, MPI_INT64_T, MPI_SUM, world);
        MPI_Allreduce(MPI_IN_PLACE, survey->failed, survey->n_files, MPI_INT64_T, MPI_SUM, world);
    }
    for (int i = 0; i < survey->n_files && !st; i++) {
        survey->n_samples += survey->samples[i];
        survey->n_failed += survey->failed[i];
    }
    if (st) locum_survey_free(survey);
    return st;
}

locum_status locum_survey_hash(locum_survey *survey, const char *dataset, MPI_Comm world)
{
    char path[2 * LOCUM_PATH_SIZE];
    int rank, size;
    locum_status st = LOCUM_OK;

    MPI_Comm_rank(world, &rank);
    MPI_Comm_size(world, &size);
    for (int i = rank; i < survey->n_files && !st; i += size) {
        locum_format(path, sizeof path, "%s/%s", dataset, survey->path[i]);
        st = locum_hash_file(path, &survey->hash[i], &survey->bytes[i]);
    }
    LOCUM_TRY(locum_comm_agree(world, st));
    MPI_Allreduce(MPI_IN_PLACE, survey->bytes, survey->n_files, MPI_INT64_T, MPI_SUM, world);
    MPI_Allreduce(MPI_IN_PLACE, survey->hash, survey->n_files, MPI_UINT64_T, MPI_SUM, world);
    return LOCUM_OK;
}

void locum_survey_free(locum_survey *survey)
{
    free(survey->path);
    free(survey->bytes);
    free(survey->samples);
    free(survey->failed);
    free(survey->hash);
    *survey = (locum_survey){0};
}

locum_status locum_survey_write(const locum_survey *survey, const char *dataset, const locum_study_facts *facts,
                                int64_t n_plan)
{
    file_path path;
    locum_text text = {0};
    char hash[LOCUM_HASH_TEXT_SIZE];

    locum_hash_text(facts->facts.options_hash, hash);
    locum_text_add(&text, "{\n  \"study\": ");
    locum_text_json_string(&text, facts->facts.dataset_name);
    locum_text_add(&text,
                   ",\n  \"options_hash\": \"%s\",\n  \"samples\": %lld,\n  \"failed\": %lld,\n  \"planned\": %lld,\n",
                   hash, (long long)survey->n_samples, (long long)survey->n_failed, (long long)n_plan);
    locum_text_add(&text, "  \"checksum\": \"XXH3-64\",\n  \"files\": [");
    for (int i = 0; i < survey->n_files; i++) {
        locum_hash_text(survey->hash[i], hash);
        locum_text_add(&text, "%s\n    {\"path\": ", i ? "," : "");
        locum_text_json_string(&text, survey->path[i]);
        locum_text_add(&text, ", \"bytes\": %lld, \"samples\": %lld, \"failed\": %lld, \"hash\": \"%s\"}",
                       (long long)survey->bytes[i], (long long)survey->samples[i], (long long)survey->failed[i], hash);
    }
    locum_text_add(&text, "\n  ]\n}\n");
    locum_status st = text.status;
    if (!st && locum_format(path, sizeof path, "%s/manifest.json", dataset) >= (int)sizeof path)
        st = LOCUM_FAIL(LOCUM_ARG, "the path of %s is too long", dataset);
    if (!st) st = locum_commit_bytes(path, text.data, text.size);
    locum_text_free(&text);
    return st;
}
