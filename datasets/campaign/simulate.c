/* SPDX-License-Identifier: BSD-3-Clause */
/* simulate.c - one run to one file, which goes on after a stop as if nothing had happened.
 *
 *     OUT.part                     the frames so far, while nothing has been interrupted
 *     OUT.restart.state.h5         state to go on from (restart.c)
 *     OUT.restart.frames-<i>.h5    i-th piece of the output: what had been recorded when a restart file was written
 *     OUT.restart.unfinished       OUT itself, if it exists, is such a piece and not yet the result
 * Without an interruption the frames are written once, straight to OUT.part. Else the pieces are joined at the end. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/failpoint.h"
#include "core/study/commit.h"
#include "datasets/campaign/campaign_parts.h"

enum { NAME_SIZE = LOCUM_PATH_SIZE };
static const char *const result_blocks[] = {"solver", "initial", "record", NULL}; /* what a result depends on */

/* --- spool: a sink that writes pieces ---------------------------------------------------------------------- */

typedef struct spool {
    MPI_Comm comm;
    int rank;
    const char *out, *base;
    const locum_store_facts *facts;
    locum_type precision;
    locum_shard *shard;         /**< the piece that is written now */
    int64_t pieces, n_frames;   /**< finished pieces; frames in this one */
    const locum_schema *schema; /**< of the open sample; lent by the driver */
    const locum_sample *sample;
    const bool *wanted;
} spool;

static void piece_path(const spool *s, int64_t piece, char path[NAME_SIZE])
{
    locum_format(path, NAME_SIZE, "%s.frames-%lld.h5", s->base, (long long)piece);
}

static locum_status open_piece(spool *s)
{
    char path[NAME_SIZE];
    locum_store_sample says = {.index = s->sample->index, .seed = s->sample->seed, .split = LOCUM_TRAIN, .twin = -1};

    piece_path(s, s->pieces, path);
    s->n_frames = 0;
    LOCUM_TRY(locum_shard_create(s->pieces ? path : s->out, s->comm, s->facts, LOCUM_TRAIN, s->precision, &s->shard));
    locum_shard_sample(s->shard, &says);
    locum_sink sink = locum_shard_sink(s->shard);
    return sink.open(sink.self, s->schema, s->wanted, s->sample);
}

static locum_status spool_open(void *self, const locum_schema *schema, const bool *wanted, const locum_sample *sample)
{
    spool *s = self;

    s->schema = schema;
    s->wanted = wanted;
    s->sample = sample;
    return open_piece(s);
}

static locum_status spool_frame(void *self, const locum_frame *frame)
{
    spool *s = self;
    locum_sink sink = locum_shard_sink(s->shard);

    s->n_frames++;
    return sink.frame(sink.self, frame);
}

static locum_status spool_close(void *self, locum_status result)
{
    spool *s = self;

    if (!s->shard) return LOCUM_OK;
    locum_sink sink = locum_shard_sink(s->shard);
    return sink.close(sink.self, result);
}

static locum_status rename_first(const spool *s)
{
    char path[NAME_SIZE], beside[NAME_SIZE];

    piece_path(s, 0, path);
    LOCUM_REQUIRE(rename(s->out, path) == 0, LOCUM_IO, "cannot rename %s to %s: %s", s->out, path, strerror(errno));
    /* the XDMF file of what is now a piece */
    locum_format(beside, sizeof beside, "%s", s->out);
    char *dot = strrchr(beside, '.'), *slash = strrchr(beside, '/');
    if (dot && (!slash || dot > slash)) *dot = 0;
    if (strlen(beside) + 5 < sizeof beside) unlink(strcat(beside, ".xmf"));
    return LOCUM_OK;
}

static locum_status mark_unfinished(const spool *s)
{
    char path[NAME_SIZE];

    locum_format(path, sizeof path, "%s.unfinished", s->base);
    return locum_commit_bytes(path, "", 0);
}

/* before a restart file: what has been recorded becomes a piece of its own, if it is anything */
static locum_status spool_settle(void *self, int64_t *segments)
{
    spool *s = self;

    if (s->n_frames > 0) {
        locum_sink sink = locum_shard_sink(s->shard);
        LOCUM_TRY(sink.close(sink.self, LOCUM_OK));
        if (s->pieces == 0) LOCUM_TRY(locum_comm_verdict(s->comm, s->rank == 0 ? mark_unfinished(s) : LOCUM_OK));
        locum_shard *shard = s->shard;
        s->shard = NULL;
        LOCUM_TRY(locum_shard_commit(shard));
        if (s->pieces == 0) LOCUM_TRY(locum_comm_verdict(s->comm, s->rank == 0 ? rename_first(s) : LOCUM_OK));
        s->pieces++;
        LOCUM_TRY(open_piece(s));
    }
    *segments = s->pieces;
    return LOCUM_OK;
}

/* --- joining the pieces ------------------------------------------------------------------------------------ */

static locum_status copy_frame(const spool *s, const locum_dataset *piece, int64_t i, const bool *all, locum_sink sink)
{
    locum_frame *owner = NULL, frame;
    int size;

    MPI_Comm_size(s->comm, &size);
    locum_status st = locum_dataset_read_frame(piece, 0, i, s->rank, size, all, &owner);
    LOCUM_TRY(locum_comm_agree(s->comm, st));
    /* rows were read whole by every rank: rank 0 hands them on */
    frame = *owner;
    for (int a = 0; a < frame.schema->n_arrays; a++)
        if (frame.schema->domains[frame.schema->arrays[a].domain].support == LOCUM_ROWS) {
            locum_block *block = &frame.blocks[a];
            block->n_global = block->n[0];
            if (s->rank != 0) block->n[0] = 0;
        }
    st = sink.frame(sink.self, &frame);
    locum_frame_release(owner);
    return st;
}

static locum_status open_reading(const spool *s, int64_t piece, locum_dataset **dataset, bool **all)
{
    char path[NAME_SIZE];

    piece_path(s, piece, path);
    LOCUM_TRY(locum_dataset_open(path, dataset));
    LOCUM_REQUIRE(locum_dataset_n(*dataset) == 1, LOCUM_DAMAGED, "%s must hold one sample", path);
    int n = locum_dataset_schema(*dataset)->n_arrays;
    LOCUM_TRY(LOCUM_NEW(all, n));
    for (int a = 0; a < n; a++) (*all)[a] = true;
    return LOCUM_OK;
}

static locum_status copy_piece(const spool *s, int64_t piece, const locum_sample *sample, locum_sink sink)
{
    locum_dataset *dataset = NULL;
    bool *all = NULL;
    locum_status st = locum_comm_agree(s->comm, open_reading(s, piece, &dataset, &all));

    if (!st && piece == 0) st = sink.open(sink.self, locum_dataset_schema(dataset), all, sample);
    for (int64_t i = 0; !st && i < locum_dataset_sample_at(dataset, 0)->n_frames; i++)
        st = copy_frame(s, dataset, i, all, sink);
    locum_dataset_close(dataset);
    free(all);
    return st;
}

static locum_status join(spool *s, const locum_sample *sample)
{
    locum_store_sample says = {.index = sample->index, .seed = sample->seed, .split = LOCUM_TRAIN, .twin = -1};

    LOCUM_TRY(locum_shard_create(s->out, s->comm, s->facts, LOCUM_TRAIN, s->precision, &s->shard));
    locum_shard_sample(s->shard, &says);
    locum_sink sink = locum_shard_sink(s->shard);
    locum_status st = LOCUM_OK;
    for (int64_t i = 0; i < s->pieces && !st; i++) st = copy_piece(s, i, sample, sink);
    return st ? st : sink.close(sink.self, LOCUM_OK);
}

/* the sample has ended well and its sink is closed */
static locum_status finish_output(spool *s, const locum_sample *sample)
{
    locum_shard *shard = s->shard;

    s->shard = NULL;
    if (s->pieces > 0 && s->n_frames == 0) {
        locum_shard_abandon(shard);
    } else {
        LOCUM_TRY(locum_shard_commit(shard));
        if (s->pieces == 0) return LOCUM_OK;
        s->pieces++;
    }
    LOCUM_TRY(join(s, sample));
    shard = s->shard;
    s->shard = NULL;
    return locum_shard_commit(shard);
}

/* --- the run ----------------------------------------------------------------------------------------------- */

typedef struct run {
    locum_study *study;
    const locum_setup *setup;
    MPI_Comm comm;
    int rank;
    locum_log *log;
    locum_watch *watch;
    uint64_t hash;
    char base[NAME_SIZE], lock_path[NAME_SIZE];
    int lock;
    locum_host host;
    locum_solver *solver;
    locum_state *state;
    locum_loaded initial;
    locum_coarsen *coarsen;
    locum_study_facts facts;
    spool spool;
    locum_progress progress;
} run;

static bool exists(const char *path)
{
    return access(path, F_OK) == 0;
}

static void remove_output(const char *out)
{
    char prefix[NAME_SIZE];

    unlink(out);
    locum_format(prefix, sizeof prefix, "%s.restart.", out);
    locum_remove_prefixed(prefix, NULL);
}

/* a finished output: of these options, or in the way */
static locum_status look_at_output(const run *r, const char *out, bool *done)
{
    locum_dataset *dataset = NULL;
    bool same = false;

    if (!locum_dataset_open(out, &dataset)) {
        same = locum_dataset_options_hash(dataset) == r->hash;
        locum_dataset_close(dataset);
    } else
        locum_status_clear();
    LOCUM_REQUIRE(same, LOCUM_EXISTS,
                  "%s exists and was not made with these options: --force replaces it, --out writes elsewhere", out);
    *done = true;
    return LOCUM_OK;
}

static locum_status make_folder_of(const char *out)
{
    char folder[NAME_SIZE];

    locum_format(folder, sizeof folder, "%s", out);
    char *slash = strrchr(folder, '/');
    if (!slash || slash == folder) return LOCUM_OK;
    *slash = 0;
    return locum_make_directories(folder);
}

/* rank 0: the lock, what is there, what is in the way */
static locum_status begin_output(run *r, const char *out, bool force, bool *done)
{
    char unfinished[NAME_SIZE + 32];

    LOCUM_TRY(make_folder_of(out));
    LOCUM_TRY(locum_claim_take(r->lock_path, false, &r->lock));
    locum_format(unfinished, sizeof unfinished, "%s.unfinished", r->base);
    if (force) remove_output(out);
    if (exists(out) && !exists(unfinished)) return look_at_output(r, out, done);
    if (exists(out)) LOCUM_REQUIRE(unlink(out) == 0, LOCUM_IO, "cannot remove %s: %s", out, strerror(errno));
    return LOCUM_OK;
}

static locum_status name_files(run *r, const char *out)
{
    int n = locum_format(r->base, sizeof r->base, "%s.restart", out);
    int m = locum_format(r->lock_path, sizeof r->lock_path, "%s.lock", out);

    LOCUM_REQUIRE(n + 48 < NAME_SIZE && m < NAME_SIZE, LOCUM_ARG, "the path %s is too long", out);
    LOCUM_REQUIRE(!r->setup->record_config->format[0], LOCUM_NOT_BUILT,
                  "record.format: '%s' is not built; leave it out to write HDF5", r->setup->record_config->format);
    return LOCUM_OK;
}

static void between_steps(void *self, double time, int64_t step)
{
    run *r = self;

    if (r->rank == 0) locum_progress_update(&r->progress, time, "step %lld", (long long)step);
}

static locum_status make_tools(run *r, const char *out)
{
    const locum_record_config *record = r->setup->record_config;
    const void *config = locum_settings_config(r->setup->solver);
    int size;

    MPI_Comm_size(r->comm, &size);
    locum_status st = locum_host_begin(&r->host, r->log, r->watch, NULL, out, ".external");
    if (!st) st = locum_study_facts_collect(r->study, r->setup, NULL, r->hash, size, &r->facts);
    st = locum_comm_agree(r->comm, st);
    if (!st) st = locum_comm_agree(r->comm, r->setup->type->create(config, &r->host.services, r->comm, &r->solver));
    if (!st) st = locum_loaded_read_initial(r->setup, r->solver, r->comm, &r->initial);
    if (!st && record->n_resolution > 0)
        st = locum_coarsen_create(r->setup, config, r->setup->type->schema(r->solver), r->comm, &r->coarsen);
    r->spool = (spool){.comm = r->comm,
                       .rank = r->rank,
                       .out = out,
                       .base = r->base,
                       .facts = &r->facts.facts,
                       .precision = record->precision ? LOCUM_FLOAT64 : LOCUM_FLOAT32};
    return st;
}

static void drop_tools(run *r)
{
    r->setup->type->free_state(r->state);
    locum_loaded_release(&r->initial);
    locum_coarsen_destroy(r->coarsen);
    r->setup->type->destroy(r->solver);
    locum_study_facts_free(&r->facts);
}

/* pieces of an earlier leg */
static locum_status count_pieces(run *r)
{
    locum_restart restart = {0};
    bool there = false;

    LOCUM_TRY(locum_restart_look(r->base, r->hash, r->comm, &there, &restart));
    r->spool.pieces = there ? restart.segments : 0;
    if (there && r->rank == 0)
        locum_log_line(r->log, "goes on from time %g, step %lld (%s.state.h5)", restart.time, (long long)restart.step,
                       r->base);
    return LOCUM_OK;
}

static locum_status solve(run *r)
{
    const locum_record_config *record = r->setup->record_config;
    locum_sample sample = {.seed = r->setup->seed, .config = locum_settings_config(r->setup->solver)};
    locum_sink sink = {&r->spool, spool_open, spool_frame, spool_close};
    locum_drive_call drive = {.type = r->setup->type,
                              .solver = r->solver,
                              .sample = &sample,
                              .record = record,
                              .until = record->until,
                              .comm = r->comm,
                              .watch = r->watch,
                              .progress = between_steps,
                              .progress_self = r,
                              .checkpoint = r->base,
                              .facts = &r->facts.facts,
                              .settle = spool_settle,
                              .settle_self = &r->spool};

    if (r->setup->from_file) sample.initial = &r->initial.frame;
    drive.sink = r->coarsen ? locum_coarsen_sink(r->coarsen, sink) : sink;
    LOCUM_TRY(count_pieces(r));
    if (r->rank == 0)
        locum_progress_begin(&r->progress, r->log, r->setup->type->name, isfinite(record->until) ? record->until : 1,
                             0);
    locum_status st = locum_drive(&drive, &r->state);
    if (r->rank == 0) locum_progress_end(&r->progress);
    if (!st) st = finish_output(&r->spool, &sample);
    locum_shard_abandon(r->spool.shard);
    r->spool.shard = NULL;
    return st;
}

locum_status locum_simulate(locum_study *study, const locum_setup *setup, MPI_Comm comm, const char *out, bool force,
                            locum_log *log, locum_watch *watch)
{
    run r = {.study = study, .setup = setup, .comm = comm, .log = log, .watch = watch, .lock = -1};
    int done = 0;
    bool is_done = false;

    MPI_Comm_rank(comm, &r.rank);
    locum_failpoint_rank(r.rank);
    r.hash = locum_study_hash(study, result_blocks);
    LOCUM_TRY(name_files(&r, out));
    locum_status st = locum_comm_verdict(comm, r.rank == 0 ? begin_output(&r, out, force, &is_done) : LOCUM_OK);
    done = is_done;
    if (!st) MPI_Bcast(&done, 1, MPI_INT, 0, comm);
    if (!st && done)
        locum_log_line(log, "%s is there with the same options: nothing to do", out);
    else if (!st) {
        st = make_tools(&r, out);
        if (!st) st = solve(&r);
        drop_tools(&r);
        if (!st && r.rank == 0) {
            char prefix[NAME_SIZE + 8];
            locum_format(prefix, sizeof prefix, "%s.", r.base);
            locum_remove_prefixed(prefix, NULL);
            locum_log_line(log, "wrote %s", out);
        }
    }
    if (r.rank == 0) locum_claim_release(r.lock_path, r.lock);
    return st;
}
