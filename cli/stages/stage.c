/* SPDX-License-Identifier: BSD-3-Clause */
/* stage.c - how a stage begins and ends (parts.h). */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "cli/stages/parts.h"
#include "core/study/commit.h"

static const char *const solved[3][8] = {
    {"solver", "initial", "record", "campaign", NULL},
    {"solver", "initial", "record", "campaign", "surrogate", "train", NULL},
    {"solver", "initial", "record", "campaign", "surrogate", "train", "validate", NULL}};
static const char *const brought[3][5] = {
    {"dataset", NULL}, {"dataset", "surrogate", "train", NULL}, {"dataset", "surrogate", "train", "validate", NULL}};

static const char *const *blocks_of(const study_data *data, int stage)
{
    return data->brought ? brought[stage] : solved[stage];
}

uint64_t stage_hash(const session *s, const study_data *data, int stage)
{
    uint64_t hash = locum_study_hash(s->study, blocks_of(data, stage));
    return data->brought ? hash ^ data->files : hash;
}

/* the options that a stage depends on, as the run directory keeps them */
static void write_options(const session *s, const study_data *data, int stage, locum_text *text)
{
    locum_study_options(s->study, blocks_of(data, stage), text);
    if (data->brought) locum_text_add(text, LOCUM_RUN_DATA_KEY ": %016" PRIx64 "\n", data->files);
}

locum_status stage_require(const session *s, const study_data *data, int stage, const char *name)
{
    locum_text text = {0};
    write_options(s, data, stage, &text);
    locum_status st = text.status;
    if (!st) st = locum_stage_require_same(s->run, name, name, stage_hash(s, data, stage), text.data);
    locum_text_free(&text);
    return st;
}

locum_status stage_begin(session *s, const study_data *data, int stage, const char *name, const char *const *outputs,
                         bool force, locum_stage_state *state)
{
    locum_text text = {0};
    locum_status st = LOCUM_OK;
    if (s->rank == 0) {
        write_options(s, data, stage, &text);
        st = text.status;
        if (!st) st = locum_stage_begin(s->run, name, stage_hash(s, data, stage), text.data, force, outputs, state);
    }
    locum_text_free(&text);
    LOCUM_TRY(locum_comm_verdict(s->world, st));
    int value = (int)*state;
    LOCUM_TRY(locum_comm_broadcast(s->world, &value, sizeof value));
    *state = (locum_stage_state)value;
    if (*state == LOCUM_STAGE_DONE)
        locum_log_line(s->log, "%s: nothing to do, it was done with the same options", name);
    if (*state == LOCUM_STAGE_RESUME) locum_log_line(s->log, "%s: continuing", name);
    return LOCUM_OK;
}

locum_status stage_end(session *s, const char *name, locum_status st, double seconds, locum_text *facts)
{
    double before = 0; /* of processes that stopped and left their time; that of a killed one is lost */
    if (s->rank == 0) locum_stage_fact(s->run, name, "seconds", &before);
    locum_text_add(facts, "%s\"seconds\":%.3f,\"core_seconds\":%.3f,\"ranks\":%d", facts->size ? "," : "",
                   before + seconds, (before + seconds) * s->size, s->size);
    if (s->rank == 0 && !st) st = facts->status;
    if (s->rank == 0 && !st)
        st = locum_stage_finish(s->run, name, facts->data);
    else if (s->rank == 0)
        locum_stage_leave(s->run, name);
    s->watch.looked = -INFINITY; /* look at the file once more */
    const char *why = st == LOCUM_STOPPED && s->rank == 0 ? locum_watch_reason(&s->watch) : NULL;
    if (why) locum_log_line(s->log, "%s: stopped: %s", name, why);
    locum_text_free(facts);
    st = locum_comm_agree(s->world, st);
    if (!st) locum_log_line(s->log, "%s: done in %.1f s on %d rank%s", name, seconds, s->size, s->size > 1 ? "s" : "");
    return st;
}

locum_status stage_write_study(session *s)
{
    char path[LOCUM_PATH_SIZE], name[64] = "study.resolved.yaml", own[LOCUM_PATH_SIZE];
    locum_text text = {0};
    bool sharded = s->arguments->n_shards > 1;
    if (s->rank) return LOCUM_OK;
    LOCUM_TRY(session_file(s, name, path));
    if (sharded)
        snprintf(name, sizeof name, "study.resolved.yaml.%d",
                 s->arguments->shard); /* jobs of an array begin together */
    LOCUM_TRY(session_file(s, name, own));
    locum_study_write(s->study, &text);
    locum_status st = text.status;
    if (!st) st = locum_commit_bytes(own, text.data, text.size);
    if (!st && sharded && rename(own, path)) st = LOCUM_FAIL(LOCUM_IO, "%s: cannot be put in place", path);
    locum_text_free(&text);
    return st;
}
