/* SPDX-License-Identifier: BSD-3-Clause */
/* stage_generate.c - the whole plan, or the shard of a job array, into dataset/. */
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "cli/stages/parts.h"

static locum_status generate(session *s, const study_data *data, int64_t *n_done, int64_t *n_failed)
{
    char dataset[LOCUM_PATH_SIZE];
    LOCUM_TRY(session_file(s, "dataset", dataset));
    locum_generate_call call = {.study = s->study,
                                .setup = &data->setup,
                                .plan = data->plan,
                                .dataset = dataset,
                                .options_hash = stage_hash(s, data, STAGE_GENERATE),
                                .shard = s->arguments->shard,
                                .n_shards = s->arguments->n_shards,
                                .world = s->world,
                                .log = s->log,
                                .watch = &s->watch};
    return locum_generate(&call, n_done, n_failed);
}

/* a job of an array locks and finishes its own shard; whoever completes the dataset finishes the stage */
static void stage_name(const session *s, char name[64])
{
    if (s->arguments->n_shards > 1)
        snprintf(name, 64, "generate.shard-%d-of-%d", s->arguments->shard, s->arguments->n_shards);
    else
        snprintf(name, 64, "generate");
}

/* all samples are there: the stage is done, for what all slices cost */
static locum_status complete_array(session *s, const study_data *data, int64_t n_done, int64_t n_failed)
{
    static const char *const nothing[] = {NULL};
    const struct timespec pause = {0, 100000000};
    locum_stage_state state = LOCUM_STAGE_NEW;
    locum_text facts = {0};
    double core_seconds = 0, one;
    char name[64];

    /* another slice that ends at this moment holds the stage for a blink */
    locum_status st = stage_begin(s, data, STAGE_GENERATE, "generate", nothing, false, &state);
    for (int attempt = 0; st == LOCUM_BUSY && attempt < 50; attempt++) {
        nanosleep(&pause, NULL);
        st = stage_begin(s, data, STAGE_GENERATE, "generate", nothing, false, &state);
    }
    if (st || state == LOCUM_STAGE_DONE) return st;
    for (int i = 0; s->rank == 0 && i < s->arguments->n_shards; i++) {
        snprintf(name, sizeof name, "generate.shard-%d-of-%d", i, s->arguments->n_shards);
        if (locum_stage_fact(s->run, name, "core_seconds", &one)) core_seconds += one;
    }
    locum_text_add(&facts, "\"samples\":%" PRId64 ",\"failed\":%" PRId64, n_done, n_failed);
    return stage_end(s, "generate", LOCUM_OK, core_seconds / s->size, &facts);
}

locum_status stage_generate(session *s, bool force)
{
    static const char *const outputs[] = {"dataset", NULL}, *const nothing[] = {NULL};
    bool sharded = s->arguments->n_shards > 1;
    char name[64];
    study_data data;
    locum_stage_state state = LOCUM_STAGE_NEW;
    int64_t n_done = 0, n_failed = 0;
    locum_text facts = {0};

    stage_name(s, name);
    LOCUM_REQUIRE(!sharded || !force, LOCUM_STUDY,
                  "--force with --shard would remove what other jobs of the array make: remove %s by hand, or name "
                  "another run directory by --out",
                  s->run_path);
    locum_status st = study_data_read(s, &data);
    if (!st && data.brought) {
        locum_log_line(s->log, "generate: nothing to do, the study brings its data: %s", data.source.path);
        return LOCUM_OK;
    }
    if (!st) st = stage_begin(s, &data, STAGE_GENERATE, name, sharded ? nothing : outputs, force, &state);
    if (!st && state != LOCUM_STAGE_DONE) st = locum_comm_verdict(s->world, stage_write_study(s));
    if (!st && state != LOCUM_STAGE_DONE) {
        double started = locum_clock();
        st = generate(s, &data, &n_done, &n_failed);
        double seconds = locum_clock() - started;
        locum_text_add(&facts, "\"samples\":%" PRId64 ",\"failed\":%" PRId64, n_done, n_failed);
        st = stage_end(s, name, st, seconds, &facts);
        if (!st && n_failed)
            locum_log_warn(s->log, "generate: %" PRId64 " of %" PRId64 " samples failed; `locum inspect` lists them",
                           n_failed, data.plan->n);
        if (!st && sharded && n_done == data.plan->n)
            st = complete_array(s, &data, n_done, n_failed); /* n_done counts the failed too */
    }
    study_data_free(&data);
    return st;
}
