/* SPDX-License-Identifier: BSD-3-Clause */
/* stages.c - each stage: read its blocks, ask the run directory what is there, work, keep what it cost.
 *
 *     generate  <- solver, initial, record, campaign        dataset/
 *     train     <- those, surrogate, train                  training/  model.safetensors
 *     validate  <- those, validate                          report/ */
#include "cli/stages.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/report/report.h"
#include "core/study/commit.h"
#include "datasets/campaign/campaign.h"
#include "datasets/loader/loader.h"
#include "locum/model.h"
#include "surrogate/train/train.h"
#include "surrogate/validate/validate.h"

static const char *const generate_blocks[] = {"solver", "initial", "record", "campaign", NULL};
static const char *const train_blocks[] = {"solver", "initial", "record", "campaign", "surrogate", "train", NULL};
static const char *const validate_blocks[] = {"solver",    "initial", "record",   "campaign",
                                              "surrogate", "train",   "validate", NULL};

/* --- beginning and ending ------------------------------------------------------------------------------------------------ */
static locum_status begin(session *s, const char *stage, const char *const *blocks, const char *const *outputs,
                          bool force, locum_stage_state *state)
{
    locum_text text = {0};
    locum_status st = LOCUM_OK;
    if (s->rank == 0) {
        locum_study_options(s->study, blocks, &text);
        st = text.status;
        if (!st)
            st = locum_stage_begin(s->run, stage, locum_study_hash(s->study, blocks), text.data, force, outputs, state);
    }
    locum_text_free(&text);
    LOCUM_TRY(locum_comm_verdict(s->world, st));
    int value = (int)*state;
    LOCUM_TRY(locum_comm_broadcast(s->world, &value, sizeof value));
    *state = (locum_stage_state)value;
    if (*state == LOCUM_STAGE_DONE)
        locum_log_line(s->log, "%s: nothing to do, it was done with the same options", stage);
    if (*state == LOCUM_STAGE_RESUME) locum_log_line(s->log, "%s: continuing", stage);
    return LOCUM_OK;
}

/* work is done or not: tell the run directory, and people why it stopped. `facts` is released. */
static locum_status end(session *s, const char *stage, locum_status st, double seconds, locum_text *facts)
{
    double before = 0; /* of processes that stopped and left their time; that of a killed one is lost */
    if (s->rank == 0) locum_stage_fact(s->run, stage, "seconds", &before);
    locum_text_add(facts, "%s\"seconds\":%.3f,\"core_seconds\":%.3f,\"ranks\":%d", facts->size ? "," : "",
                   before + seconds, (before + seconds) * s->size, s->size);
    if (s->rank == 0 && !st) st = facts->status;
    if (s->rank == 0 && !st)
        st = locum_stage_finish(s->run, stage, facts->data);
    else if (s->rank == 0)
        locum_stage_leave(s->run, stage);
    s->watch.looked = -INFINITY; /* look at the file once more */
    const char *why = st == LOCUM_STOPPED && s->rank == 0 ? locum_watch_reason(&s->watch) : NULL;
    if (why) locum_log_line(s->log, "%s: stopped: %s", stage, why);
    locum_text_free(facts);
    st = locum_comm_agree(s->world, st);
    if (!st) locum_log_line(s->log, "%s: done in %.1f s on %d rank%s", stage, seconds, s->size, s->size > 1 ? "s" : "");
    return st;
}

locum_status stages_write_study(session *s)
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

/* --- generate ------------------------------------------------------------------------------------------------------------- */
static locum_status read_campaign(session *s, locum_setup *setup, locum_campaign_plan **plan)
{
    LOCUM_TRY(locum_setup_read(s->study, s->solvers.list, true, setup));
    return locum_campaign_plan_create(s->study, setup, plan);
}

static locum_status generate(session *s, const locum_setup *setup, const locum_campaign_plan *plan, int64_t *n_done,
                             int64_t *n_failed)
{
    char dataset[LOCUM_PATH_SIZE];
    LOCUM_TRY(session_file(s, "dataset", dataset));
    locum_generate_call call = {.study = s->study,
                                .setup = setup,
                                .plan = plan,
                                .dataset = dataset,
                                .options_hash = locum_study_hash(s->study, generate_blocks),
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
static locum_status complete_array(session *s, int64_t n_done, int64_t n_failed)
{
    static const char *const nothing[] = {NULL};
    const struct timespec pause = {0, 100000000};
    locum_stage_state state = LOCUM_STAGE_NEW;
    locum_text facts = {0};
    double core_seconds = 0, one;
    char name[64];

    /* another slice that ends at this moment holds the stage for a blink */
    locum_status st = begin(s, "generate", generate_blocks, nothing, false, &state);
    for (int attempt = 0; st == LOCUM_BUSY && attempt < 50; attempt++) {
        nanosleep(&pause, NULL);
        st = begin(s, "generate", generate_blocks, nothing, false, &state);
    }
    if (st || state == LOCUM_STAGE_DONE) return st;
    for (int i = 0; s->rank == 0 && i < s->arguments->n_shards; i++) {
        snprintf(name, sizeof name, "generate.shard-%d-of-%d", i, s->arguments->n_shards);
        if (locum_stage_fact(s->run, name, "core_seconds", &one)) core_seconds += one;
    }
    locum_text_add(&facts, "\"samples\":%" PRId64 ",\"failed\":%" PRId64, n_done, n_failed);
    return end(s, "generate", LOCUM_OK, core_seconds / s->size, &facts);
}

locum_status stage_generate(session *s, bool force)
{
    static const char *const outputs[] = {"dataset", NULL}, *const nothing[] = {NULL};
    bool sharded = s->arguments->n_shards > 1;
    char name[64];
    locum_setup setup;
    locum_campaign_plan *plan = NULL;
    locum_stage_state state = LOCUM_STAGE_NEW;
    int64_t n_done = 0, n_failed = 0;
    locum_text facts = {0};

    stage_name(s, name);
    LOCUM_REQUIRE(!sharded || !force, LOCUM_STUDY,
                  "--force with --shard would remove what other jobs of the array make: remove %s by hand, or name "
                  "another run directory by --out",
                  s->run_path);
    locum_status st = locum_comm_agree(s->world, read_campaign(s, &setup, &plan));
    if (!st) st = begin(s, name, generate_blocks, sharded ? nothing : outputs, force, &state);
    if (!st && state != LOCUM_STAGE_DONE) st = locum_comm_verdict(s->world, stages_write_study(s));
    if (!st && state != LOCUM_STAGE_DONE) {
        double started = locum_clock();
        st = generate(s, &setup, plan, &n_done, &n_failed);
        double seconds = locum_clock() - started;
        locum_text_add(&facts, "\"samples\":%" PRId64 ",\"failed\":%" PRId64, n_done, n_failed);
        st = end(s, name, st, seconds, &facts);
        if (!st && n_failed)
            locum_log_warn(s->log, "generate: %" PRId64 " of %" PRId64 " samples failed; `locum inspect` lists them",
                           n_failed, plan->n);
        if (!st && sharded && n_done == plan->n)
            st = complete_array(s, n_done, n_failed); /* n_done counts the failed too */
    }
    locum_campaign_plan_destroy(plan);
    return st;
}

/* --- train ------------------------------------------------------------------------------------------------------------------- */
/* rank 0: the dataset's stage is done, from the options of this study */
static locum_status require_dataset(const session *s)
{
    uint64_t hash = 0;
    LOCUM_TRY(locum_stage_require(s->run, "generate", "generate", &hash));
    LOCUM_REQUIRE(hash == locum_study_hash(s->study, generate_blocks), LOCUM_EXISTS,
                  "%s/dataset was made from other options than this study's; `locum generate --force` makes it anew, "
                  "--out names another run directory",
                  s->run_path);
    return LOCUM_OK;
}

static locum_status open_dataset(session *s, locum_dataset **dataset)
{
    char path[LOCUM_PATH_SIZE];
    locum_status st = session_file(s, "dataset", path);
    if (!st) st = locum_dataset_open(path, dataset);
    if (!st && locum_dataset_options_hash(*dataset) != locum_study_hash(s->study, generate_blocks))
        st = LOCUM_FAIL(LOCUM_EXISTS, "%s does not fit the study: its files were made from other options", path);
    return locum_comm_agree(s->world, st);
}

static locum_status train(session *s, const locum_surrogate *surrogate, locum_train_result *result)
{
    char folder[LOCUM_PATH_SIZE], model[LOCUM_PATH_SIZE];
    const char *outputs[LOCUM_OUTPUTS_MAX];
    locum_dataset *dataset = NULL;
    locum_table *table = NULL;

    locum_status st = open_dataset(s, &dataset);
    if (!st) {
        for (int i = 0; i < surrogate->config->n_outputs; i++) outputs[i] = surrogate->config->outputs[i];
        st = session_file(s, "training", folder);
        if (!st) st = session_file(s, "model.safetensors", model);
        if (!st) st = locum_table_read(dataset, surrogate->config->n_outputs, outputs, &table);
        st = locum_comm_agree(s->world, st);
    }
    if (!st) {
        locum_train_call call = {.study = s->study,
                                 .surrogate = surrogate,
                                 .table = table,
                                 .folder = folder,
                                 .model = model,
                                 .provenance = s->provenance.data,
                                 .comm = s->world,
                                 .log = s->log,
                                 .watch = &s->watch,
                                 .allow_other_kernels = s->arguments->allow_other_kernels};
        st = locum_train(&call, result);
    }
    locum_table_destroy(table);
    locum_dataset_close(dataset);
    return st;
}

static locum_status read_training(session *s, locum_surrogate *surrogate)
{
    locum_setup setup;
    LOCUM_TRY(locum_setup_read(s->study, s->solvers.list, true, &setup));
    return locum_surrogate_read(s->study, surrogate);
}

locum_status stage_train(session *s, bool force)
{
    static const char *const outputs[] = {"training", "model.safetensors", NULL};
    locum_surrogate surrogate;
    locum_train_result result = {0};
    locum_stage_state state = LOCUM_STAGE_NEW;
    locum_text facts = {0};

    LOCUM_TRY(locum_comm_agree(s->world, read_training(s, &surrogate)));
    LOCUM_TRY(locum_comm_verdict(s->world, s->rank ? LOCUM_OK : require_dataset(s)));
    LOCUM_TRY(begin(s, "train", train_blocks, outputs, force, &state));
    if (state == LOCUM_STAGE_DONE) return LOCUM_OK;
    LOCUM_TRY(locum_comm_verdict(s->world, stages_write_study(s)));
    double started = locum_clock();
    locum_status st = train(s, &surrogate, &result);
    locum_text_add(&facts, "\"epochs\":%" PRId64 ",\"validation_error\":%.6g,\"waiting\":%.4f", result.epochs,
                   result.validation_error, result.waiting);
    return end(s, "train", st, locum_clock() - started, &facts);
}

/* --- validate ------------------------------------------------------------------------------------------------------------------ */
static void read_costs(const session *s, locum_stage_costs *costs)
{
    *costs = (locum_stage_costs){NAN, NAN};
    if (s->rank) return;
    locum_stage_fact(s->run, "generate", "core_seconds", &costs->generate_core_seconds);
    locum_stage_fact(s->run, "train", "core_seconds", &costs->train_core_seconds);
}

/* rank 0: dataset and model are there, from the options of this study */
static locum_status require_model(const session *s)
{
    uint64_t hash = 0;
    LOCUM_TRY(require_dataset(s));
    LOCUM_TRY(locum_stage_require(s->run, "train", "train", &hash));
    LOCUM_REQUIRE(
        hash == locum_study_hash(s->study, train_blocks), LOCUM_EXISTS,
        "the model of %s was trained with other options than this study's; `locum train --force` trains it anew",
        s->run_path);
    return LOCUM_OK;
}

static locum_status validate(session *s, const locum_setup *setup, const locum_campaign_plan *plan)
{
    char path[LOCUM_PATH_SIZE], folder[LOCUM_PATH_SIZE], report[LOCUM_PATH_SIZE], headline[512] = "";
    locum_dataset *dataset = NULL;
    locum_model *model = NULL;
    locum_validate_call call = {.study = s->study,
                                .setup = setup,
                                .plan = plan,
                                .model_path = path,
                                .curve_folder = folder,
                                .report = report,
                                .provenance = s->provenance.data,
                                .world = s->world,
                                .log = s->log,
                                .watch = &s->watch};

    locum_status st = open_dataset(s, &dataset);
    if (!st) {
        read_costs(s, &call.costs);
        st = session_file(s, "model.safetensors", path);
        if (!st) st = session_file(s, "training", folder);
        if (!st) st = session_file(s, "report", report);
        if (!st) st = locum_model_read(path, NULL, &model, NULL, 0);
        st = locum_comm_agree(s->world, st);
    }
    if (!st) {
        call.dataset = dataset;
        call.model = model;
        st = locum_validate(&call, headline, sizeof headline);
    }
    if (!st) {
        if (s->rank == 0) st = report_write(report, s->log);
        st = locum_comm_verdict(s->world, st);
    }
    if (!st && *headline) locum_log_line(s->log, "%s", headline);
    locum_model_close(model);
    locum_dataset_close(dataset);
    return st;
}

static locum_status read_all(session *s, locum_setup *setup, locum_campaign_plan **plan)
{
    locum_surrogate surrogate;
    locum_settings *settings;
    LOCUM_TRY(read_campaign(s, setup, plan));
    LOCUM_TRY(locum_surrogate_read(s->study, &surrogate));
    return locum_validate_read(s->study, &settings);
}

locum_status stage_validate(session *s, bool force)
{
    static const char *const outputs[] = {"report", NULL};
    locum_setup setup;
    locum_campaign_plan *plan = NULL;
    locum_stage_state state = LOCUM_STAGE_NEW;
    locum_text facts = {0};

    locum_status st = locum_comm_agree(s->world, read_all(s, &setup, &plan));
    if (!st) st = locum_comm_verdict(s->world, s->rank ? LOCUM_OK : require_model(s));
    if (!st) st = begin(s, "validate", validate_blocks, outputs, force, &state);
    if (!st && state != LOCUM_STAGE_DONE) st = locum_comm_verdict(s->world, stages_write_study(s));
    if (!st && state != LOCUM_STAGE_DONE) {
        double started = locum_clock();
        st = validate(s, &setup, plan);
        st = end(s, "validate", st, locum_clock() - started, &facts);
    }
    locum_campaign_plan_destroy(plan);
    return st;
}

/* --- dry run --------------------------------------------------------------------------------------------------------------------- */
/* samples x time x steps per unit of time x operations, at a rate that cores of today reach (navier_stokes at 64^2 on one core of a
 * Zen 3: 1.9e10) */
#define OPERATIONS_PER_SECOND 1e10

locum_status stages_dry_run(session *s)
{
    locum_setup setup;
    locum_campaign_plan *plan = NULL;
    locum_cost cost = {0};
    double disk = 0;

    locum_status st = read_all(s, &setup, &plan);
    if (!st && setup.type->estimate)
        st = setup.type->estimate(locum_settings_config(setup.solver), setup.campaign_config->ranks_per_sample, &cost);
    if (!st) st = session_check_memory(s, cost.bytes_per_rank);
    if (!st && s->rank == 0) st = locum_campaign_disk(&setup, plan, &disk);
    if (!st && s->rank == 0) {
        double time = 0;
        for (int64_t i = 0; i < plan->n; i++) time += plan->samples[i].until;
        locum_log_line(s->log, "%s: everything is in order", locum_study_path(s->study));
        locum_log_line(s->log, "  samples   %" PRId64 ", %.4g units of solver time in all", plan->n, time);
        locum_log_line(s->log, "  memory    %.1f MiB a rank", cost.bytes_per_rank / 1048576);
        locum_log_line(s->log, "  disk      %.2f MiB", disk / 1048576);
        locum_log_line(s->log, "  time      about %.0f s for the data on %d rank%s (from %.3g operations)",
                       time * cost.operations / OPERATIONS_PER_SECOND / s->size, s->size, s->size > 1 ? "s" : "",
                       time * cost.operations);
        locum_log_line(s->log, "  results   %s", s->run_path);
    }
    locum_campaign_plan_destroy(plan);
    return locum_comm_agree(s->world, st);
}
