/* SPDX-License-Identifier: BSD-3-Clause */
/* export.c - picks the format; CSV; files of the store, which are The Well's layout. */
#include "datasets/formats/export.h"

#include <inttypes.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/study/commit.h"
#include "core/text.h"
#include "datasets/formats/export_internal.h"

bool locum_export_is_good(const locum_dataset *dataset, int64_t b)
{
    const locum_dataset_sample *s = locum_dataset_sample_at(dataset, b);

    return !s->failed && s->n_frames > 0;
}

int64_t locum_export_count(const locum_dataset *dataset, int array)
{
    const locum_schema *schema = locum_dataset_schema(dataset);
    const locum_domain *domain = &schema->domains[schema->arrays[array].domain];
    int64_t n = locum_array_components(&schema->arrays[array]);

    for (int d = 0; d < domain->n_dims; d++) n *= domain->n_global[d];
    return domain->support == LOCUM_ROWS && domain->n_global[0] == 0 ? -1 : n;
}

/* --- CSV -------------------------------------------------------------------------------------- */
/* most values of a frame that are columns: fields are not for tables */
#define COLUMNS_MAX 4096

static void write_header(const locum_dataset *d, locum_text *out)
{
    const locum_schema *schema = locum_dataset_schema(d);

    locum_text_add(out, "sample,split,time");
    for (int p = 0; p < locum_dataset_n_parameters(d); p++)
        locum_text_add(out, ",%s", locum_dataset_parameter_name(d, p));
    for (int a = 0; a < schema->n_arrays; a++) {
        int64_t n = locum_export_count(d, a);
        for (int64_t i = 0; i < n; i++)
            if (n == 1)
                locum_text_add(out, ",%s", schema->arrays[a].name);
            else
                locum_text_add(out, ",%s[%" PRId64 "]", schema->arrays[a].name, i);
    }
    locum_text_add(out, "\n");
}

static locum_status write_line(const locum_dataset *d, int64_t b, int64_t frame, double *values, locum_text *out)
{
    const locum_schema *schema = locum_dataset_schema(d);
    const locum_dataset_sample *s = locum_dataset_sample_at(d, b);

    locum_text_add(out, "%" PRId64 ",%s,", s->index, locum_split_name(s->split));
    locum_text_number(out, locum_dataset_time(d, b, frame));
    for (int p = 0; p < locum_dataset_n_parameters(d); p++) {
        locum_text_add(out, ",");
        locum_text_number(out, s->parameter[p]);
    }
    for (int a = 0; a < schema->n_arrays; a++) {
        LOCUM_TRY(locum_dataset_read(d, b, frame, a, values));
        for (int64_t i = 0; i < locum_export_count(d, a); i++) {
            locum_text_add(out, ",");
            locum_text_number(out, values[i]);
        }
    }
    locum_text_add(out, "\n");
    return out->status;
}

locum_status locum_export_csv(const locum_dataset *d, const char *path)
{
    const locum_schema *schema = locum_dataset_schema(d);
    locum_text out = {0};
    double *values = NULL;

    for (int a = 0; a < schema->n_arrays; a++) {
        int64_t n = locum_export_count(d, a);
        LOCUM_REQUIRE(n >= 0 && n <= COLUMNS_MAX && schema->domains[schema->arrays[a].domain].support != LOCUM_GRID,
                      LOCUM_INPUT,
                      "`%s` is a field, or rows that come and go: a table cannot hold it; `--format hdf5` can hold "
                      "fields",
                      schema->arrays[a].name);
    }
    locum_status st = LOCUM_NEW(&values, COLUMNS_MAX);
    write_header(d, &out);
    for (int64_t b = 0; !st && b < locum_dataset_n(d); b++)
        for (int64_t f = 0; !st && locum_export_is_good(d, b) && f < locum_dataset_sample_at(d, b)->n_frames; f++)
            st = write_line(d, b, f, values, &out);
    if (!st) st = out.status;
    if (!st) st = locum_commit_bytes(path, out.data, out.size);
    locum_text_free(&out);
    free(values);
    return st;
}

/* --- The Well --------------------------------------------------------------------------------- */
static locum_status write_sample(const locum_dataset *d, int64_t b, locum_split split, locum_shard *shard,
                                 const bool *all)
{
    const locum_dataset_sample *s = locum_dataset_sample_at(d, b);
    locum_store_sample sample = {
        .index = s->index, .seed = s->seed, .split = split, .twin = s->twin, .parameter = s->parameter};
    locum_sample opened = {.index = s->index, .seed = s->seed};
    locum_sink sink = locum_shard_sink(shard);

    locum_shard_sample(shard, &sample);
    locum_status st = sink.open(sink.self, locum_dataset_schema(d), all, &opened);
    for (int64_t f = 0; !st && f < s->n_frames; f++) {
        locum_frame *frame = NULL;
        st = locum_dataset_read_frame(d, b, f, 0, 1, NULL, &frame);
        if (!st) st = sink.frame(sink.self, frame);
        locum_frame_release(frame);
    }
    return st ? st : sink.close(sink.self, LOCUM_OK);
}

/* one file of the samples of a split; LOCUM_SPLITS: of all samples, as samples to train on */
static locum_status write_split(const locum_dataset *d, const char *path, locum_split split,
                                const locum_store_facts *facts)
{
    int n_arrays = locum_dataset_schema(d)->n_arrays;
    locum_shard *shard = NULL;
    bool *all = NULL;

    locum_status st = LOCUM_NEW(&all, n_arrays + 1);
    for (int a = 0; !st && a < n_arrays; a++) all[a] = true;
    locum_split to = split == LOCUM_SPLITS ? LOCUM_TRAIN : split;
    if (!st) st = locum_shard_create(path, MPI_COMM_SELF, facts, to, LOCUM_FLOAT32, &shard);
    for (int64_t b = 0; !st && b < locum_dataset_n(d); b++) {
        bool wanted = split == LOCUM_SPLITS || locum_dataset_sample_at(d, b)->split == split;
        if (wanted && locum_export_is_good(d, b)) st = write_sample(d, b, to, shard, all);
    }
    free(all);
    if (!st) return locum_shard_commit(shard);
    locum_shard_abandon(shard);
    return st;
}

static bool has_split(const locum_dataset *d, locum_split split)
{
    for (int64_t b = 0; b < locum_dataset_n(d); b++)
        if (locum_dataset_sample_at(d, b)->split == split && locum_export_is_good(d, b)) return true;
    return false;
}

locum_status locum_export_the_well(const locum_dataset *d, const char *out)
{
    int n = locum_dataset_n_parameters(d);
    const char **name = NULL, **unit = NULL, *dot = strrchr(out, '.');
    char path[LOCUM_PATH_SIZE];
    bool one_file = dot && (!strcmp(dot, ".h5") || !strcmp(dot, ".hdf5"));

    locum_status st = LOCUM_NEW(&name, n + 1);
    if (!st) st = LOCUM_NEW(&unit, n + 1);
    for (int p = 0; !st && p < n; p++) {
        name[p] = locum_dataset_parameter_name(d, p);
        unit[p] = locum_dataset_parameter_unit(d, p);
    }
    locum_store_facts facts = {.dataset_name = "exported",
                               .study = locum_dataset_study(d),
                               .provenance = "\"program\":\"locum export\"",
                               .options_hash = locum_dataset_options_hash(d),
                               .n_parameters = n,
                               .parameter_name = name,
                               .parameter_unit = unit};
    if (!st && one_file) st = write_split(d, out, LOCUM_SPLITS, &facts);
    for (int s = 0; !st && !one_file && s < LOCUM_SPLITS; s++) {
        if (!has_split(d, (locum_split)s)) continue;
        locum_format(path, sizeof path, "%s/%s", out, locum_split_folder((locum_split)s));
        st = locum_make_directories(path);
        locum_format(path, sizeof path, "%s/%s/exported.h5", out, locum_split_folder((locum_split)s));
        if (!st) st = write_split(d, path, (locum_split)s, &facts);
    }
    free(name);
    free(unit);
    return st;
}

locum_status locum_export(const locum_dataset *dataset, const char *format, const char *out)
{
    static const struct {
        const char *name;
        locum_status (*write)(const locum_dataset *, const char *);
    } formats[] = {{"the_well", locum_export_the_well}, {"hdf5", locum_export_hdf5}, {"csv", locum_export_csv}};
    bool any = false;

    for (int64_t b = 0; b < locum_dataset_n(dataset); b++) any = any || locum_export_is_good(dataset, b);
    LOCUM_REQUIRE(any, LOCUM_INPUT, "there is no sample with frames in it");
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++)
        if (!strcmp(format, formats[i].name)) return formats[i].write(dataset, out);
    return LOCUM_FAIL(LOCUM_STUDY, "--format %s: there are the_well, hdf5 and csv", format);
}
