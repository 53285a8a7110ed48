/* SPDX-License-Identifier: BSD-3-Clause */
/* restart.c - files that a stopped sample goes on from, bit for bit.
 *
 *     BASE.state.h5       all STATE arrays as float64, one frame; its sample's index = pieces of output that
 *                         belong to it, its seed = steps done
 *     BASE.mean-<step>.h5 sums of a running mean at that step
 * The state file is renamed into place last, and names the rest: a kill at any moment leaves a state with all that
 * belongs to it. Sums that no state names are removed. */
#include <dirent.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "datasets/campaign/campaign_parts.h"

enum { NAME_SIZE = LOCUM_PATH_SIZE };

static void state_path(const char *base, char path[NAME_SIZE])
{
    locum_format(path, NAME_SIZE, "%s.state.h5", base);
}

static void mean_path(const char *base, int64_t step, char path[NAME_SIZE])
{
    locum_format(path, NAME_SIZE, "%s.mean-%lld.h5", base, (long long)step);
}

void locum_remove_prefixed(const char *prefix, const char *except)
{
    char folder_of[NAME_SIZE], name_of[NAME_SIZE], path[NAME_SIZE];

    locum_format(folder_of, sizeof folder_of, "%s", prefix);
    locum_format(name_of, sizeof name_of, "%s", prefix);
    const char *folder = dirname(folder_of), *name = basename(name_of);
    DIR *stream = opendir(folder);
    if (!stream) return;
    for (struct dirent *entry; (entry = readdir(stream));) {
        if (strncmp(entry->d_name, name, strlen(name))) continue;
        if (locum_format(path, sizeof path, "%s/%s", folder, entry->d_name) >= (int)sizeof path) continue;
        const char *last = except ? strrchr(except, '/') : NULL;
        if (except && !strcmp(entry->d_name, last ? last + 1 : except)) continue;
        unlink(path);
    }
    closedir(stream);
}

/* --- writing ----------------------------------------------------------------------------------------------- */

/* one frame to one file */
static locum_status write_frame(const char *path, const locum_drive_call *call, const locum_restart *restart,
                                const bool *wanted, const locum_frame *frame)
{
    locum_store_sample sample = {
        .index = restart->segments, .seed = (uint64_t)restart->step, .split = LOCUM_TRAIN, .twin = -1};
    locum_store_facts facts = *call->facts;
    locum_shard *shard = NULL;

    facts.n_parameters = 0;
    LOCUM_TRY(locum_shard_create(path, call->comm, &facts, LOCUM_TRAIN, LOCUM_FLOAT64, &shard));
    locum_shard_sample(shard, &sample);
    locum_sink sink = locum_shard_sink(shard);
    locum_status st = sink.open(sink.self, frame->schema, wanted, call->sample);
    if (!st) st = sink.frame(sink.self, frame);
    if (!st) st = sink.close(sink.self, LOCUM_OK);
    if (!st) return locum_shard_commit(shard);
    locum_shard_abandon(shard);
    return st;
}

static locum_status write_state(const locum_drive_call *call, locum_state *state, const locum_restart *restart)
{
    const locum_schema *schema = call->type->schema(call->solver);
    char path[NAME_SIZE];
    bool *wanted = NULL;
    locum_frame frame = {.schema = schema, .time = restart->time, .step = restart->step};
    locum_status st = LOCUM_NEW(&wanted, schema->n_arrays);

    if (!st) st = LOCUM_NEW(&frame.blocks, schema->n_arrays);
    for (int a = 0; a < schema->n_arrays && !st; a++) wanted[a] = schema->arrays[a].roles & LOCUM_STATE;
    st = locum_comm_agree(call->comm, st);
    if (!st) st = locum_comm_agree(call->comm, call->type->observe(call->solver, state, wanted, &frame));
    if (!st) st = locum_comm_agree(call->comm, locum_frame_check_finite(&frame, wanted));
    frame.step = restart->step;
    state_path(call->checkpoint, path);
    if (!st) st = write_frame(path, call, restart, wanted, &frame);
    free(wanted);
    free(frame.blocks);
    return st;
}

/* the sums are float64 whatever the arrays are */
static locum_status write_sums(const locum_drive_call *call, const locum_restart *restart, const locum_mean *mean)
{
    locum_schema schema = *mean->schema;
    locum_array *arrays = NULL;
    locum_frame frame = {.schema = &schema, .time = restart->time, .step = restart->step};
    char path[NAME_SIZE];
    locum_status st = LOCUM_NEW(&arrays, schema.n_arrays);

    if (!st) st = LOCUM_NEW(&frame.blocks, schema.n_arrays);
    for (int a = 0; a < schema.n_arrays && !st; a++) {
        arrays[a] = schema.arrays[a];
        arrays[a].type = LOCUM_FLOAT64;
        frame.blocks[a] = mean->out.blocks[a];
        frame.blocks[a].data = mean->sum[a];
    }
    schema.arrays = arrays;
    mean_path(call->checkpoint, restart->step, path);
    st = locum_comm_agree(call->comm, st);
    if (!st) st = write_frame(path, call, restart, mean->wanted, &frame);
    free(arrays);
    free(frame.blocks);
    return st;
}

locum_status locum_restart_write(const locum_drive_call *call, locum_state *state, const locum_restart *restart,
                                 const locum_mean *mean)
{
    char prefix[NAME_SIZE], keep[NAME_SIZE];
    int rank;

    MPI_Comm_rank(call->comm, &rank);
    if (mean) LOCUM_TRY(write_sums(call, restart, mean));
    LOCUM_TRY(write_state(call, state, restart));
    locum_format(prefix, sizeof prefix, "%s.mean-", call->checkpoint);
    mean_path(call->checkpoint, restart->step, keep);
    if (rank == 0) locum_remove_prefixed(prefix, keep);
    return LOCUM_OK;
}

/* --- reading ----------------------------------------------------------------------------------------------- */

static locum_status look(const char *path, uint64_t options_hash, bool *there, locum_restart *restart)
{
    locum_dataset *dataset = NULL;

    *there = access(path, F_OK) == 0;
    if (!*there) return LOCUM_OK;
    locum_status st = locum_dataset_open(path, &dataset);
    if (!st && locum_dataset_n(dataset) != 1) st = LOCUM_FAIL(LOCUM_DAMAGED, "%s is no restart file", path);
    if (!st && locum_dataset_options_hash(dataset) != options_hash)
        st = LOCUM_FAIL(LOCUM_EXISTS, "%s comes from a run with other options: --force starts anew", path);
    if (!st) {
        const locum_dataset_sample *sample = locum_dataset_sample_at(dataset, 0);
        *restart =
            (locum_restart){locum_dataset_time(dataset, 0, sample->n_frames - 1), (int64_t)sample->seed, sample->index};
    }
    locum_dataset_close(dataset);
    return st;
}

locum_status locum_restart_look(const char *base, uint64_t options_hash, MPI_Comm comm, bool *there,
                                locum_restart *restart)
{
    char path[NAME_SIZE];
    int rank, found = 0;

    MPI_Comm_rank(comm, &rank);
    state_path(base, path);
    locum_status st = rank == 0 ? look(path, options_hash, there, restart) : LOCUM_OK;
    LOCUM_TRY(locum_comm_verdict(comm, st));
    if (rank == 0) found = *there;
    MPI_Bcast(&found, 1, MPI_INT, 0, comm);
    MPI_Bcast(restart, (int)sizeof *restart, MPI_BYTE, 0, comm);
    *there = found;
    return LOCUM_OK;
}

locum_status locum_restart_read(const char *base, MPI_Comm comm, locum_loaded *state)
{
    char path[NAME_SIZE];

    state_path(base, path);
    return locum_loaded_read(path, comm, state);
}

/* values of this rank's block of sums, from slices of the file */
static locum_status read_sum(const locum_loaded *loaded, MPI_Comm comm, int a, locum_mean *mean)
{
    const locum_array *array = &mean->schema->arrays[a];
    const locum_schema *in = loaded->frame.schema;
    locum_array as_f64 = *array;
    int source = locum_schema_find(in, array->name);
    locum_status st = LOCUM_OK;

    if (source < 0 || in->arrays[source].type != LOCUM_FLOAT64)
        st = LOCUM_FAIL(LOCUM_DAMAGED, "the restart file of the mean has no sums of '%s'", array->name);
    LOCUM_TRY(locum_comm_agree(comm, st));
    as_f64.type = LOCUM_FLOAT64;
    const locum_block *block = &loaded->frame.blocks[source];
    if (mean->schema->domains[array->domain].support != LOCUM_GLOBAL)
        return locum_block_redistribute(comm, &as_f64, block, &mean->out.blocks[a], mean->sum[a]);
    memcpy(mean->sum[a], block->data, (size_t)locum_array_components(array) * sizeof(double));
    return LOCUM_OK;
}

locum_status locum_restart_read_mean(const char *base, int64_t step, locum_mean *mean)
{
    char path[NAME_SIZE];
    locum_loaded loaded = {0};

    mean_path(base, step, path);
    locum_status st = locum_loaded_read(path, mean->comm, &loaded);
    for (int a = 0; a < mean->schema->n_arrays && !st; a++)
        if (mean->wanted[a]) st = read_sum(&loaded, mean->comm, a, mean);
    locum_loaded_release(&loaded);
    return st;
}
