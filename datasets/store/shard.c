/* SPDX-License-Identifier: BSD-3-Clause */
/* shard.c - life of a shard: created as path.part, filled sample by sample through a sink, committed whole or
 * abandoned.
 *
 *   create -> { sample, sink.open, sink.frame*, sink.close }* -> commit | abandon
 *
 * Rank 0 makes file, groups, texts and empty arrays through the plain driver and closes; then all ranks open it
 * with MPI-IO (a group of one rank: the plain driver again). Before every collective call the ranks agree on their
 * status, because a rank that stays away from a collective HDF5 call hangs all others. */
#include "datasets/store/store.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/failpoint.h"
#include "core/memory.h"
#include "core/parallel/comm.h"
#include "core/study/commit.h"
#include "core/text.h"
#include "datasets/store/dataset_internal.h"
#include "datasets/store/shard_internal.h"

#define TRANSFER_CAP ((int64_t)1 << 30)

/* --- creating and freeing --------------------------------------------------------------------- */
static locum_status copy_texts(int n, const char *const *from, const char *const **to)
{
    char **texts = NULL;
    locum_status st = LOCUM_NEW(&texts, n + 1);

    for (int i = 0; !st && i < n; i++) st = locum_copy_text(&texts[i], from && from[i] ? from[i] : "");
    *to = (const char *const *)texts;
    return st;
}

static void free_texts(int n, const char *const *texts)
{
    for (int i = 0; texts && i < n; i++) free((void *)(uintptr_t)texts[i]);
    free((void *)(uintptr_t)texts);
}

static locum_status copy_facts(const locum_store_facts *from, locum_store_facts *to)
{
    double *constants = NULL;
    char *text[3] = {NULL, NULL, NULL};

    *to = (locum_store_facts){
        .options_hash = from->options_hash, .n_parameters = from->n_parameters, .n_constants = from->n_constants};
    locum_status st = locum_copy_text(&text[0], from->dataset_name ? from->dataset_name : "");
    if (!st) st = locum_copy_text(&text[1], from->study ? from->study : "");
    if (!st) st = locum_copy_text(&text[2], from->provenance ? from->provenance : "");
    to->dataset_name = text[0];
    to->study = text[1];
    to->provenance = text[2];
    if (!st) st = copy_texts(from->n_parameters, from->parameter_name, &to->parameter_name);
    if (!st) st = copy_texts(from->n_parameters, from->parameter_unit, &to->parameter_unit);
    if (!st) st = copy_texts(from->n_constants, from->constant_name, &to->constant_name);
    if (!st) st = LOCUM_NEW(&constants, from->n_constants + 1);
    if (!st && from->n_constants) memcpy(constants, from->constant, (size_t)from->n_constants * sizeof *constants);
    to->constant = constants;
    return st;
}

static void free_facts(locum_store_facts *facts)
{
    free((void *)(uintptr_t)facts->dataset_name);
    free((void *)(uintptr_t)facts->study);
    free((void *)(uintptr_t)facts->provenance);
    free_texts(facts->n_parameters, facts->parameter_name);
    free_texts(facts->n_parameters, facts->parameter_unit);
    free_texts(facts->n_constants, facts->constant_name);
    free((void *)(uintptr_t)facts->constant);
}

static void free_shard(locum_shard *s)
{
    if (!s) return;
    int n_arrays = s->schema ? s->schema->schema.n_arrays : 0, n_domains = s->schema ? s->schema->schema.n_domains : 0;
    for (int a = 0; s->values && a < n_arrays; a++) locum_series_free(&s->values[a]);
    for (int d = 0; s->rows && d < n_domains; d++) locum_series_free(&s->rows[d]);
    for (int64_t r = 0; r < s->records.n; r++) free(((locum_shard_record *)s->records.data)[r].reason);
    locum_series_free(&s->records);
    locum_series_free(&s->parameters);
    locum_series_free(&s->time);
    locum_series_free(&s->step);
    free(s->values);
    free(s->rows);
    free(s->n_rows);
    free(s->extent_rows);
    free(s->rows_before);
    free(s->dataset);
    free(s->slabs);
    free(s->next_parameter);
    locum_owned_schema_destroy(s->schema);
    free_facts(&s->facts);
    free(s);
}

/* the folder, and an empty file, so that a path that cannot be written fails before any work */
static locum_status make_file(locum_shard *s)
{
    char folder[LOCUM_PATH_SIZE];

    snprintf(folder, sizeof folder, "%s", s->path);
    char *slash = strrchr(folder, '/');
    if (slash) *slash = 0;
    locum_status st = slash && slash != folder ? locum_make_directories(folder) : LOCUM_OK;
    if (!st) st = locum_commit_begin(s->path, s->part);
    hid_t file = st ? -1 : H5Fcreate(s->part, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    if (!st) st = LOCUM_HDF5(file >= 0 && H5Fclose(file) >= 0, LOCUM_IO, "cannot write %s", s->part);
    return st;
}

locum_status locum_shard_create(const char *path, MPI_Comm comm, const locum_store_facts *facts, locum_split split,
                                locum_type precision, locum_shard **shard)
{
    locum_shard *s = NULL;

    *shard = NULL;
    locum_store_setup();
    locum_status st = LOCUM_NEW(&s, 1);
    if (!st) {
        *s = (locum_shard){.comm = comm,
                           .split = split,
                           .precision = precision,
                           .cap = TRANSFER_CAP,
                           .file = -1,
                           .transfer = -1,
                           .frames_per_sample = -1,
                           .write_back = -1,
                           .records.width = sizeof(locum_shard_record),
                           .parameters.width = sizeof(double),
                           .time.width = sizeof(double),
                           .step.width = sizeof(int64_t)};
        MPI_Comm_rank(comm, &s->rank);
        MPI_Comm_size(comm, &s->size);
        if (strlen(path) + 6 > sizeof s->part) st = LOCUM_FAIL(LOCUM_ARG, "the path %s is too long", path);
        snprintf(s->path, sizeof s->path, "%s", path);
        (void)locum_format(s->part, sizeof s->part, "%s.part", s->path);
    }
    if (!st) st = copy_facts(facts, &s->facts);
    if (!st) st = LOCUM_NEW(&s->next_parameter, facts->n_parameters + 1);
    if (!st && s->rank == 0) st = make_file(s);
    st = locum_comm_agree(comm, st);
    if (st)
        free_shard(s);
    else
        *shard = s;
    return st;
}

/* --- opening for samples ---------------------------------------------------------------------- */
static locum_status make_counters(locum_shard *s)
{
    const locum_schema *schema = &s->schema->schema;

    locum_status st = LOCUM_NEW(&s->dataset, schema->n_arrays + 1);
    if (!st) st = LOCUM_NEW(&s->slabs, schema->n_arrays + 1);
    if (!st) st = LOCUM_NEW(&s->values, schema->n_arrays + 1);
    if (!st) st = LOCUM_NEW(&s->rows, schema->n_domains + 1);
    if (!st) st = LOCUM_NEW(&s->n_rows, schema->n_domains + 1);
    if (!st) st = LOCUM_NEW(&s->extent_rows, schema->n_domains + 1);
    if (!st) st = LOCUM_NEW(&s->rows_before, schema->n_domains + 1);
    for (int a = 0; !st && a < schema->n_arrays; a++) {
        s->dataset[a] = -1;
        s->values[a].width = locum_type_size(s->schema->stored[a]) * (size_t)locum_array_components(&schema->arrays[a]);
    }
    for (int d = 0; !st && d < schema->n_domains; d++) s->rows[d].width = sizeof(int64_t);
    return st;
}

/* whether whole chunks of a grid array may go past HDF5's pipeline */
static void find_slabs(locum_shard *s, int a)
{
    const locum_schema *schema = &s->schema->schema;
    hsize_t dims[LOCUM_HDF5_DIMS];
    int axis = 0, n = locum_layout_dims(s->layout, schema, a, 1, 1, 1, dims, &axis);

    if (schema->domains[schema->arrays[a].domain].support == LOCUM_GRID)
        locum_chunk_slabs_of(s->dataset[a], n, dims, axis, locum_type_size(s->schema->stored[a]), &s->slabs[a]);
}

/* rank 0 has made the arrays and closed; collective on the group: each HDF5 call here is made by all or by none */
static locum_status open_arrays(locum_shard *s)
{
    const locum_schema *schema = &s->schema->schema;
    char path[LOCUM_STORE_NAME_SIZE];
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);

    s->transfer = H5Pcreate(H5P_DATASET_XFER);
    bool ready = access >= 0 && s->transfer >= 0;
    if (ready && s->size > 1)
        ready = H5Pset_fapl_mpio(access, s->comm, MPI_INFO_NULL) >= 0 &&
                H5Pset_dxpl_mpio(s->transfer, H5FD_MPIO_COLLECTIVE) >= 0;
    locum_status st = locum_comm_agree(s->comm, LOCUM_HDF5(ready, LOCUM_IO, "%s: cannot set up writing", s->part));
    if (!st) {
        s->file = H5Fopen(s->part, H5F_ACC_RDWR, access);
        st = locum_comm_agree(s->comm, LOCUM_HDF5(s->file >= 0, LOCUM_IO, "cannot open %s for writing", s->part));
    }
    for (int a = 0; !st && a < schema->n_arrays; a++) {
        if (schema->domains[schema->arrays[a].domain].support == LOCUM_GLOBAL) continue;
        locum_layout_array(s->layout, schema, a, path);
        s->dataset[a] = H5Dopen2(s->file, path, H5P_DEFAULT);
        st = locum_comm_agree(s->comm, LOCUM_HDF5(s->dataset[a] >= 0, LOCUM_IO, "%s: cannot open %s", s->part, path));
        if (!st && s->size == 1) find_slabs(s, a);
    }
    if (s->rank == 0) s->write_back = open(s->part, O_RDONLY | O_CLOEXEC);
    if (access >= 0) H5Pclose(access);
    return st;
}

static locum_status begin_file(locum_shard *s, const locum_schema *schema, const bool *wanted)
{
    locum_status st = locum_owned_schema_copy(schema, wanted, &s->schema);

    if (!st) st = locum_layout_of(s->schema, &s->layout);
    for (int a = 0; !st && a < s->schema->schema.n_arrays; a++)
        s->schema->stored[a] = locum_layout_type(&s->schema->schema, a, s->precision);
    if (!st) st = make_counters(s);
    if (!st && s->rank == 0) {
        hid_t file = H5Fopen(s->part, H5F_ACC_RDWR, H5P_DEFAULT);
        st = LOCUM_HDF5(file >= 0, LOCUM_IO, "cannot open %s for writing", s->part);
        if (!st) st = locum_shard_make_arrays(s, file);
        if (file >= 0 && H5Fclose(file) < 0 && !st) st = LOCUM_HDF5(false, LOCUM_IO, "cannot write %s", s->part);
    }
    st = locum_comm_agree(s->comm, st);
    return st ? st : open_arrays(s);
}

/* later samples must bring what the first one brought */
static locum_status check_same(const locum_shard *s, const locum_schema *schema, const bool *wanted)
{
    locum_owned_schema *now = NULL;
    locum_text a = {0}, b = {0};
    locum_status st = locum_owned_schema_copy(schema, wanted, &now);

    for (int i = 0; !st && i < now->schema.n_arrays; i++)
        now->stored[i] = locum_layout_type(&now->schema, i, s->precision);
    if (!st) {
        locum_owned_schema_write(now, &a);
        locum_owned_schema_write(s->schema, &b);
        st = a.status ? a.status : b.status;
    }
    if (!st && strcmp(a.data, b.data))
        st = LOCUM_FAIL(LOCUM_ARG, "%s: the samples of a shard must have the same arrays on the same domains", s->path);
    locum_text_free(&a);
    locum_text_free(&b);
    locum_owned_schema_destroy(now);
    return st;
}

/* --- the sink --------------------------------------------------------------------------------- */
void locum_shard_sample(locum_shard *shard, const locum_store_sample *sample)
{
    shard->next = *sample;
    if (sample->parameter && shard->facts.n_parameters)
        memcpy(shard->next_parameter, sample->parameter, (size_t)shard->facts.n_parameters * sizeof(double));
    shard->next.parameter = NULL;
    shard->has_next = true;
}

static locum_status sink_open(void *self, const locum_schema *schema, const bool *wanted, const locum_sample *sample)
{
    locum_shard *s = self;
    locum_status st = LOCUM_OK;

    if (!s->has_next && s->facts.n_parameters)
        st = LOCUM_FAIL(LOCUM_INTERNAL, "locum_shard_sample must precede a sample with parameters");
    if (!s->has_next)
        s->next = (locum_store_sample){
            .index = sample ? sample->index : 0, .seed = sample ? sample->seed : 0, .split = s->split, .twin = -1};
    s->has_next = true;
    if (!st && s->schema) st = check_same(s, schema, wanted);
    st = locum_comm_agree(s->comm, st);
    if (!st && !s->schema) st = begin_file(s, schema, wanted);
    if (st) return st;
    s->in_sample = true;
    s->frames_before = s->time.n;
    memcpy(s->rows_before, s->n_rows, (size_t)s->schema->schema.n_domains * sizeof *s->n_rows);
    return LOCUM_OK;
}

static locum_status sink_frame(void *self, const locum_frame *frame)
{
    locum_shard *s = self;
    locum_status st = s->in_sample ? LOCUM_OK : LOCUM_FAIL(LOCUM_INTERNAL, "%s: a frame without a sample", s->path);

    if (!st) st = locum_failpoint("store_frame");
    st = locum_comm_agree(s->comm, st);
    return st ? st : locum_shard_add_frame(s, frame);
}

/* the slot of a sample that did not end well is free again */
static void take_back(locum_shard *s)
{
    if (!s->in_sample) return;
    s->time.n = s->step.n = s->frames_before;
    for (int a = 0; a < s->schema->schema.n_arrays; a++)
        if (s->values[a].n > s->frames_before) s->values[a].n = s->frames_before;
    for (int d = 0; d < s->schema->schema.n_domains; d++) {
        s->n_rows[d] = s->rows_before[d];
        if (s->rows[d].n > s->frames_before) s->rows[d].n = s->frames_before;
    }
}

static locum_status add_record(locum_shard *s, locum_status result, const char *reason, int64_t n_frames)
{
    locum_shard_record record = {.sample = s->next, .status = result, .n_frames = n_frames};

    locum_status st = result ? locum_copy_text(&record.reason, reason) : LOCUM_OK;
    if (!st) st = locum_series_add(&s->parameters, s->next_parameter, s->facts.n_parameters);
    if (!st) st = locum_series_add(&s->records, &record, 1);
    if (st) free(record.reason);
    return st;
}

static locum_status sink_close(void *self, locum_status result)
{
    locum_shard *s = self;
    char reason[512] = "";
    int64_t n_frames = s->in_sample ? s->time.n - s->frames_before : 0;
    bool failed = result == LOCUM_NUMERIC || result == LOCUM_CONVERGENCE;
    locum_status st = LOCUM_OK;

    if (result) {
        snprintf(reason, sizeof reason, "%s", locum_status_message());
        take_back(s);
    }
    if (!result && s->layout == LOCUM_LAYOUT_GRID && s->frames_per_sample >= 0 && s->frames_per_sample != n_frames) {
        st = LOCUM_FAIL(LOCUM_ARG, "%s: sample %lld has %lld frames, the others of this shard have %lld", s->path,
                        (long long)s->next.index, (long long)n_frames, (long long)s->frames_per_sample);
        take_back(s);
    }
    if (!st && failed) st = add_record(s, result, reason[0] ? reason : locum_status_text(result), 0);
    if (!st && !result) st = add_record(s, LOCUM_OK, NULL, n_frames);
    if (!st && !result) {
        s->frames_per_sample = n_frames;
        s->n_good++;
    }
    s->in_sample = s->has_next = false;
    return locum_comm_agree(s->comm, st);
}

locum_sink locum_shard_sink(locum_shard *shard)
{
    return (locum_sink){.self = shard, .open = sink_open, .frame = sink_frame, .close = sink_close};
}

int64_t locum_shard_n_samples(const locum_shard *shard)
{
    return shard->records.n;
}

int64_t locum_shard_bytes(const locum_shard *shard)
{
    return shard->bytes;
}

void locum_shard_set_cap(locum_shard *shard, int64_t bytes)
{
    shard->cap = bytes; /* chunks go past it: they are never larger than 4 MiB */
}

/* --- commit, abandon -------------------------------------------------------------------------- */
/* all ranks close together; a failure to close is a failure to write */
static locum_status close_file(locum_shard *s)
{
    bool closed = true;

    for (int a = 0; s->dataset && a < s->schema->schema.n_arrays; a++) {
        if (s->dataset[a] >= 0) closed = H5Dclose(s->dataset[a]) >= 0 && closed;
        s->dataset[a] = -1;
    }
    if (s->file >= 0) closed = H5Fclose(s->file) >= 0 && closed;
    if (s->transfer >= 0) H5Pclose(s->transfer);
    if (s->write_back >= 0) close(s->write_back);
    s->file = s->transfer = s->write_back = -1;
    return LOCUM_HDF5(closed, LOCUM_IO, "cannot write %s to its end", s->part);
}

void locum_shard_abandon(locum_shard *shard)
{
    if (!shard) return;
    (void)close_file(shard);
    H5Eclear2(H5E_DEFAULT);
    MPI_Barrier(shard->comm);
    if (shard->rank == 0) locum_commit_abandon(shard->path);
    MPI_Barrier(shard->comm); /* nobody goes on before it is gone */
    free_shard(shard);
}

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* every value is read back, each rank reading its share of the frames */
static locum_status verify(locum_shard *s)
{
    locum_dataset *dataset = NULL;
    locum_status st = locum_dataset_open(s->part, &dataset);

    if (!st && locum_dataset_n(dataset) != s->records.n)
        st = LOCUM_FAIL(LOCUM_DAMAGED, "%s: holds %lld samples, not %lld", s->part, (long long)locum_dataset_n(dataset),
                        (long long)s->records.n);
    if (!st) st = locum_dataset_check(dataset, s->rank, s->size);
    locum_dataset_close(dataset);
    return st;
}

static locum_status put_in_place(locum_shard *s)
{
    char xdmf[LOCUM_PATH_SIZE];
    locum_text text = {0};
    locum_status st = LOCUM_OK;

    if (s->layout == LOCUM_LAYOUT_GRID) {
        snprintf(xdmf, sizeof xdmf, "%s", s->path);
        char *dot = strrchr(xdmf, '.'), *slash = strrchr(xdmf, '/');
        if (dot && dot > slash && strlen(dot) >= 3) *dot = 0;
        st = locum_shard_xdmf(s, &text);
        if (!st && strlen(xdmf) + 5 > sizeof xdmf) st = LOCUM_FAIL(LOCUM_ARG, "the path %s is too long", s->path);
        if (!st) st = locum_commit_bytes(strcat(xdmf, ".xmf"), text.data, text.size);
        locum_text_free(&text);
    }
    return st ? st : locum_commit_end(s->path);
}

locum_status locum_shard_commit_timed(locum_shard *shard, double *verify_seconds)
{
    MPI_Comm comm = shard->comm;
    locum_status st = locum_comm_agree(comm, close_file(shard));

    if (!st && shard->rank == 0) st = locum_shard_finish(shard);
    st = locum_comm_agree(comm, st);
    double start = now();
    if (!st) st = locum_comm_agree(comm, verify(shard));
    if (verify_seconds) *verify_seconds = now() - start;
    if (!st) st = locum_comm_verdict(comm, shard->rank == 0 ? put_in_place(shard) : LOCUM_OK);
    if (st && shard->rank == 0) locum_commit_abandon(shard->path);
    free_shard(shard);
    return st;
}

locum_status locum_shard_commit(locum_shard *shard)
{
    return locum_shard_commit_timed(shard, NULL);
}
