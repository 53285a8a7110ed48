/* SPDX-License-Identifier: BSD-3-Clause */
/* dataset.c - a dataset opened for reading: one file, or a folder with all its shards; samples in the order of
 * their numbers. */
#include <math.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "core/memory.h"
#include "datasets/store/dataset_internal.h"

static int by_index(const void *a, const void *b)
{
    int64_t x = ((const locum_sample_view *)a)->sample.index, y = ((const locum_sample_view *)b)->sample.index;

    return (x > y) - (x < y);
}

static locum_status add_all(locum_dataset *d, const char *path)
{
    struct stat info;
    char **paths = NULL;
    int n = 0;

    LOCUM_REQUIRE(stat(path, &info) == 0, LOCUM_INPUT, "%s: no such file or folder", path);
    if (!S_ISDIR(info.st_mode)) return locum_dataset_add_shard(d, path);
    locum_status st = locum_dataset_files(path, &paths, NULL, &n);
    if (!st && n == 0) st = LOCUM_FAIL(LOCUM_INPUT, "%s: no finished file of a dataset in it", path);
    for (int i = 0; !st && i < n; i++) st = locum_dataset_add_shard(d, paths[i]);
    for (int i = 0; i < n; i++) free(paths[i]);
    free(paths);
    return st;
}

static locum_status check_double(const locum_dataset *d)
{
    for (int64_t i = 1; i < d->n_samples; i++)
        LOCUM_REQUIRE(d->samples[i].sample.index != d->samples[i - 1].sample.index, LOCUM_DAMAGED,
                      "sample %lld is in %s and in %s", (long long)d->samples[i].sample.index,
                      d->shards[d->samples[i - 1].shard].path, d->shards[d->samples[i].shard].path);
    return LOCUM_OK;
}

locum_status locum_dataset_open(const char *path, locum_dataset **dataset)
{
    locum_dataset *d = NULL;

    *dataset = NULL;
    locum_store_setup();
    locum_status st = LOCUM_NEW(&d, 1);
    if (!st) st = LOCUM_NEW(&d->cache, 1);
    if (!st) *d->cache = (locum_file_cache){.shard = -1, .file = -1};
    if (!st) st = add_all(d, path);
    if (!st && d->n_samples > 0) qsort(d->samples, (size_t)d->n_samples, sizeof *d->samples, by_index);
    if (!st) st = check_double(d);
    if (!st && d->schema) {
        st = LOCUM_NEW(&d->cache->arrays, d->schema->schema.n_arrays + 1);
        for (int a = 0; !st && a < d->schema->schema.n_arrays; a++) d->cache->arrays[a] = -1;
        if (!st) st = LOCUM_NEW(&d->cache->slabs, d->schema->schema.n_arrays + 1);
    }
    if (st)
        locum_dataset_close(d);
    else
        *dataset = d;
    return st;
}

static void free_shard_view(locum_shard_view *v, int n_domains)
{
    for (int i = 0; v->rows && i < n_domains; i++) free(v->rows[i]);
    free(v->rows);
    free(v->first);
    free(v->time);
    free(v->step);
    free(v->path);
}

void locum_dataset_close(locum_dataset *d)
{
    if (!d) return;
    locum_dataset_close_file(d);
    if (d->reader) d->reader->destroy(d->self);
    for (int i = 0; i < d->n_shards; i++) free_shard_view(&d->shards[i], d->schema ? d->schema->schema.n_domains : 0);
    for (int64_t i = 0; i < d->n_samples; i++) {
        free(d->samples[i].parameter);
        free(d->samples[i].reason);
    }
    for (int i = 0; i < d->n_parameters; i++) {
        free(d->parameter_name[i]);
        free(d->parameter_unit[i]);
    }
    free(d->parameter_name);
    free(d->parameter_unit);
    free(d->shards);
    free(d->samples);
    free(d->study);
    free(d->name);
    free(d->schema_text);
    locum_owned_schema_destroy(d->schema);
    if (d->cache) {
        free(d->cache->arrays);
        free(d->cache->slabs);
        free(d->cache->chunk);
    }
    free(d->cache);
    free(d);
}

/* --- queries ---------------------------------------------------------------------------------- */
int64_t locum_dataset_n(const locum_dataset *dataset)
{
    return dataset->n_samples;
}

const locum_dataset_sample *locum_dataset_sample_at(const locum_dataset *dataset, int64_t b)
{
    return b >= 0 && b < dataset->n_samples ? &dataset->samples[b].sample : NULL;
}

const locum_schema *locum_dataset_schema(const locum_dataset *dataset)
{
    return dataset->schema ? &dataset->schema->schema : &dataset->empty;
}

uint64_t locum_dataset_options_hash(const locum_dataset *dataset)
{
    return dataset->options_hash;
}

const char *locum_dataset_study(const locum_dataset *dataset)
{
    return dataset->study ? dataset->study : "";
}

int locum_dataset_n_parameters(const locum_dataset *dataset)
{
    return dataset->n_parameters;
}

const char *locum_dataset_parameter_name(const locum_dataset *dataset, int i)
{
    return i >= 0 && i < dataset->n_parameters ? dataset->parameter_name[i] : "";
}

const char *locum_dataset_parameter_unit(const locum_dataset *dataset, int i)
{
    return i >= 0 && i < dataset->n_parameters ? dataset->parameter_unit[i] : "";
}

/* frame counted from 0, -1 if there is no such frame */
static int64_t frame_of(const locum_dataset *d, int64_t b, int64_t frame)
{
    if (b < 0 || b >= d->n_samples || d->samples[b].slot < 0) return -1;
    int64_t n = d->samples[b].sample.n_frames;
    if (frame < 0) frame += n;
    return frame >= 0 && frame < n ? frame : -1;
}

/* number of a frame in its file */
static int64_t frame_number(const locum_dataset *d, int64_t b, int64_t frame)
{
    return d->shards[d->samples[b].shard].first[d->samples[b].slot] + frame;
}

double locum_dataset_time(const locum_dataset *dataset, int64_t b, int64_t frame)
{
    int64_t f = frame_of(dataset, b, frame);

    if (f < 0) return NAN;
    if (dataset->reader) return dataset->reader->time(dataset->self, dataset->samples[b].slot, f);
    return dataset->shards[dataset->samples[b].shard].time[frame_number(dataset, b, f)];
}

int64_t locum_dataset_count(const locum_dataset *dataset, int64_t b, int64_t frame, int array)
{
    int64_t f = frame_of(dataset, b, frame);

    if (f < 0 || array < 0 || array >= dataset->schema->schema.n_arrays) return 0;
    const locum_array *a = &dataset->schema->arrays[array];
    const locum_domain *domain = &dataset->schema->domains[a->domain];
    int64_t n = locum_array_components(a);
    if (domain->support == LOCUM_ROWS && !dataset->reader) {
        const int64_t *rows = dataset->shards[dataset->samples[b].shard].rows[a->domain];
        f = frame_number(dataset, b, f);
        return n * (rows[f + 1] - rows[f]);
    }
    for (int i = 0; i < domain->n_dims; i++) n *= domain->n_global[i];
    return n;
}
