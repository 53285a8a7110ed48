/* SPDX-License-Identifier: BSD-3-Clause */
/* generate.c - the farm: a plan of samples, many at once, into a dataset of committed shards.
 *
 *     world = groups of ranks_per_sample; each group:
 *             take a block -> { sample -> driver -> open shard of its split } -> commit
 *
 * Groups take blocks of about one second from a shared counter, the longest windows first, smaller blocks towards
 * the end, so that no group waits long for another; nothing is synchronised per sample. A sample is done when its
 * shard is committed: after kill -9 the done list is read from the committed shards, and what was in open ones is
 * made again, with the same result, since a sample depends on the study and its index alone.
 * A sample that fails (LOCUM_NUMERIC, LOCUM_CONVERGENCE) is recorded; any other failure stops all groups (crew.c). */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/failpoint.h"
#include "core/study/commit.h"
#include "datasets/campaign/campaign_parts.h"

static const double block_seconds = 1, show_seconds = 0.2;

typedef struct farm {
    const locum_generate_call *call;
    const locum_setup *setup;
    const locum_campaign_plan *plan;
    int rank;
    locum_groups groups;
    bool has_crew, leader; /**< leader: rank 0 of its group */
    int group_size;
    locum_crew crew;
    locum_study_facts facts;
    locum_shards shards;
    locum_host host;
    locum_solver *solver;
    locum_coarsen *coarsen; /**< NULL without record.resolution */
    locum_loaded initial;
    locum_state *state;
    char *config;          /**< this sample's */
    int64_t *todo, n_todo; /**< positions in the plan, longest first */
    int64_t n_before;      /**< done before this run, of this slice */
    int64_t seen;          /**< the work counter when last taken */
    double rate;           /**< seconds per unit of a sample's cost; for the size of blocks alone */
    locum_progress progress;
    double shown;
} farm;

/* --- what is left to do ------------------------------------------------------------------------------------ */

static locum_status make_folders(const char *dataset)
{
    char path[LOCUM_PATH_SIZE];

    for (int s = 0; s < LOCUM_SPLITS; s++) {
        int n = locum_format(path, sizeof path, "%s/%s", dataset, locum_split_folder((locum_split)s));
        LOCUM_REQUIRE(n < (int)sizeof path, LOCUM_ARG, "the path of %s is too long", dataset);
        LOCUM_TRY(locum_make_directories(path));
    }
    return LOCUM_OK;
}

static double cost_of(const farm *f, const locum_plan_sample *sample)
{
    (void)f;
    return isfinite(sample->until) && sample->until > 0 ? sample->until : 1;
}

static int compare_cost(const void *a, const void *b, void *self)
{
    const farm *f = self;
    int64_t i = *(const int64_t *)a, j = *(const int64_t *)b;
    double x = cost_of(f, &f->plan->samples[i]), y = cost_of(f, &f->plan->samples[j]);

    if (x != y) return x > y ? -1 : 1;
    return i < j ? -1 : i > j;
}

static locum_status mark_done(const char *dataset, const locum_campaign_plan *plan, bool *done)
{
    int64_t *index = NULL, n = 0;
    locum_status st = locum_store_done(dataset, &index, &n);

    for (int64_t i = 0; i < n && !st; i++) {
        if (index[i] < 0 || index[i] >= plan->n)
            st = LOCUM_FAIL(LOCUM_EXISTS, "%s holds sample %lld, which is not in the plan; --force starts anew",
                            dataset, (long long)index[i]);
        else if (done[index[i]])
            st = LOCUM_FAIL(LOCUM_DAMAGED, "%s holds sample %lld twice", dataset, (long long)index[i]);
        else
            done[index[i]] = true;
    }
    free(index);
    return st;
}

/* rank 0: folders, leftovers, and which samples are there */
static locum_status look_around(const locum_generate_call *call, bool *done)
{
    LOCUM_TRY(make_folders(call->dataset));
    LOCUM_TRY(locum_survey_check(call->dataset, call->options_hash));
    locum_survey_remove_parts(call->dataset, call->shard, call->n_shards);
    return mark_done(call->dataset, call->plan, done);
}

static locum_status find_todo(farm *f)
{
    const locum_generate_call *call = f->call;
    bool *done = NULL;
    locum_status st = LOCUM_NEW(&done, f->plan->n);

    if (!st) st = LOCUM_NEW(&f->todo, f->plan->n);
    st = locum_comm_agree(call->world, st);
    if (!st) st = locum_comm_verdict(call->world, f->rank == 0 ? look_around(call, done) : LOCUM_OK);
    if (!st) st = locum_comm_broadcast(call->world, done, f->plan->n * (int64_t)sizeof *done);
    for (int64_t i = 0; i < f->plan->n && !st; i++) {
        if (i % call->n_shards != call->shard) continue;
        if (done[i])
            f->n_before++;
        else
            f->todo[f->n_todo++] = i;
    }
    if (!st) qsort_r(f->todo, (size_t)f->n_todo, sizeof *f->todo, compare_cost, f);
    free(done);
    return st;
}

/* --- one group's tools ------------------------------------------------------------------------------------- */

static locum_status check_wanted(const farm *f)
{
    const locum_schema *schema = f->setup->type->schema(f->solver);
    bool *wanted = NULL;
    locum_status st = LOCUM_NEW(&wanted, schema->n_arrays);

    if (!st) st = locum_record_wanted(f->setup->record_config, schema, wanted);
    free(wanted);
    return st;
}

static locum_status make_tools(farm *f)
{
    const locum_generate_call *call = f->call;
    const locum_record_config *record = f->setup->record_config;
    const void *config = locum_settings_config(f->setup->solver);
    locum_cost cost;
    int size;

    MPI_Comm_size(call->world, &size);
    locum_status st = locum_host_begin(&f->host, call->log, &f->crew.local, &f->crew, call->dataset, "/external");
    if (!st) st = LOCUM_NEW(&f->config, f->setup->type->config_size);
    if (!st) st = locum_study_facts_collect(call->study, f->setup, f->plan, call->options_hash, size, &f->facts);
    st = locum_comm_agree(f->groups.group, st);
    if (!st)
        st = locum_comm_agree(f->groups.group,
                              f->setup->type->create(config, &f->host.services, f->groups.group, &f->solver));
    if (!st) st = locum_comm_agree(f->groups.group, check_wanted(f));
    if (!st) st = locum_loaded_read_initial(f->setup, f->solver, f->groups.group, &f->initial);
    if (!st && record->n_resolution > 0)
        st = locum_coarsen_create(f->setup, config, f->setup->type->schema(f->solver), f->groups.group, &f->coarsen);
    f->shards = (locum_shards){.dataset = call->dataset,
                               .group = f->groups.group,
                               .group_index = f->groups.index,
                               .facts = &f->facts.facts,
                               .precision = record->precision ? LOCUM_FLOAT64 : LOCUM_FLOAT32,
                               .most_bytes = f->setup->campaign_config->shard_bytes,
                               .most_seconds = f->setup->campaign_config->shard_seconds};
    if (!st && f->setup->type->estimate && !f->setup->type->estimate(config, f->group_size, &cost))
        f->rate = cost.operations / 1e9 / f->group_size;
    return st;
}

static void drop_tools(farm *f)
{
    f->setup->type->free_state(f->state);
    locum_loaded_release(&f->initial);
    locum_coarsen_destroy(f->coarsen);
    f->setup->type->destroy(f->solver);
    locum_study_facts_free(&f->facts);
    free(f->config);
}

/* --- one sample -------------------------------------------------------------------------------------------- */

static void show(farm *f)
{
    int64_t finished, failed;
    double now = locum_clock();

    if (f->rank != 0 || now - f->shown < show_seconds) return;
    f->shown = now;
    locum_crew_tally(&f->crew, &finished, &failed);
    locum_progress_update(&f->progress, (double)(f->n_before + finished), "%lld failed", (long long)failed);
}

static void between_steps(void *self, double time, int64_t step)
{
    farm *f = self;

    (void)time, (void)step;
    locum_crew_look(&f->crew);
    show(f);
}

/* has anybody stopped or failed? The leader's view is the group's. */
static bool halted(farm *f)
{
    int raised;

    locum_crew_look(&f->crew);
    raised = f->crew.raised;
    if (f->group_size > 1) MPI_Bcast(&raised, 1, MPI_INT, 0, f->groups.group);
    return raised != 0;
}

static locum_status fill_config(farm *f, const locum_plan_sample *row)
{
    const void *base = locum_settings_config(f->setup->solver);

    memcpy(f->config, base, f->setup->type->config_size);
    for (int p = 0; p < f->plan->n_parameters; p++)
        LOCUM_TRY(locum_settings_apply(f->setup->solver, f->config, f->plan->name[p], row->parameter[p]));
    return LOCUM_OK;
}

static locum_status drive_sample(farm *f, const locum_plan_sample *row)
{
    locum_sample sample = {.index = row->index, .seed = row->seed, .config = f->config};
    locum_drive_call drive = {.type = f->setup->type,
                              .solver = f->solver,
                              .sample = &sample,
                              .record = f->setup->record_config,
                              .until = row->until,
                              .comm = f->groups.group,
                              .watch = &f->crew.local,
                              .progress = between_steps,
                              .progress_self = f};

    if (f->setup->from_file) sample.initial = &f->initial.frame;
    LOCUM_TRY(locum_shards_for(&f->shards, row, &drive.sink));
    if (f->coarsen) drive.sink = locum_coarsen_sink(f->coarsen, drive.sink);
    return locum_drive(&drive, &f->state);
}

/* LOCUM_OK also for a sample whose failure was recorded */
static locum_status do_sample(farm *f, const locum_plan_sample *row)
{
    double begin = locum_clock();

    if (halted(f)) return LOCUM_FAIL(LOCUM_STOPPED, "stopped before sample %lld", (long long)row->index);
    locum_status st = locum_failpoint("campaign_sample");
    if (!st) st = fill_config(f, row);
    if (f->group_size > 1 || st) st = locum_comm_agree(f->groups.group, st);
    LOCUM_TRY(st);
    st = drive_sample(f, row);
    bool failed = st == LOCUM_NUMERIC || st == LOCUM_CONVERGENCE;
    if (failed) {
        locum_log_detail(f->call->log, "sample %lld failed: %s", (long long)row->index, locum_status_message());
        locum_status_clear();
        st = LOCUM_OK;
    }
    LOCUM_TRY(st);
    double seconds = locum_clock() - begin, rate = seconds / cost_of(f, row);
    f->rate = f->rate > 0 ? 0.5 * (f->rate + rate) : rate;
    if (f->leader) locum_crew_finished(&f->crew, failed);
    show(f);
    return locum_shards_closed(&f->shards, row->split, seconds);
}

/* --- one group's work -------------------------------------------------------------------------------------- */

/* about one second, and at most half of this group's share of the rest: blocks shrink towards the end */
static int64_t block_size(const farm *f)
{
    if (f->seen >= f->n_todo) return 1;
    double seconds = f->rate * cost_of(f, &f->plan->samples[f->todo[f->seen]]);
    double most = (double)(f->n_todo - f->seen) / (2.0 * f->groups.n_groups),
           n = seconds > 0 ? block_seconds / seconds : 1;

    return (int64_t)fmax(1, floor(fmin(n, most)));
}

static locum_status take_block(farm *f, int64_t range[2])
{
    locum_status st = LOCUM_OK;

    if (f->leader) {
        range[1] = block_size(f);
        st = locum_crew_take(&f->crew, range[1], &range[0]);
        f->seen = range[0] + range[1];
        range[1] += range[0];
    }
    if (f->group_size > 1) {
        st = locum_comm_verdict(f->groups.group, st);
        MPI_Bcast(range, 2, MPI_INT64_T, 0, f->groups.group);
    }
    return st;
}

static locum_status work(farm *f)
{
    int64_t range[2] = {0, 0};

    for (;;) {
        LOCUM_TRY(take_block(f, range));
        if (halted(f)) return LOCUM_FAIL(LOCUM_STOPPED, "stopped between samples");
        if (range[0] >= f->n_todo) return LOCUM_OK;
        for (int64_t i = range[0]; i < range[1] && i < f->n_todo; i++)
            LOCUM_TRY(do_sample(f, &f->plan->samples[f->todo[i]]));
    }
}

/* work, then keep what is complete; a failure is told to the others at once */
static locum_status work_and_commit(farm *f)
{
    locum_status st = make_tools(f);

    if (!st) st = work(f);
    if (st && st != LOCUM_STOPPED && f->leader) locum_crew_fail(&f->crew);
    if (!st || st == LOCUM_STOPPED) {
        char words[256];
        locum_format(words, sizeof words, "%s", locum_status_message());
        locum_status committed = locum_shards_commit(&f->shards);
        if (committed && f->leader) locum_crew_fail(&f->crew);
        if (committed)
            st = committed;
        else if (st)
            st = LOCUM_FAIL(st, "%s", words);
    }
    locum_shards_abandon(&f->shards);
    return st;
}

static locum_status run_farm(farm *f)
{
    const locum_generate_call *call = f->call;
    int group_rank;

    LOCUM_TRY(locum_groups_create(call->world, f->setup->campaign_config->ranks_per_sample, &f->groups));
    MPI_Comm_rank(f->groups.group, &group_rank);
    MPI_Comm_size(f->groups.group, &f->group_size);
    f->leader = group_rank == 0;
    LOCUM_TRY(locum_crew_create(call->world, call->watch, f->leader, &f->crew));
    f->has_crew = true;
    if (f->rank == 0)
        locum_progress_begin(&f->progress, call->log, "samples", (double)(f->n_before + f->n_todo),
                             (double)f->n_before);
    locum_status st = locum_comm_agree(call->world, work_and_commit(f));
    if (f->rank == 0) {
        f->shown = 0;
        show(f);
        locum_progress_end(&f->progress);
    }
    drop_tools(f);
    return st;
}

/* --- locks ------------------------------------------------------------------------------------------------- */

/* The whole plan excludes everybody; slices of one division i/n exclude their equals and the whole plan; slices of
 * another division are refused while one works, since they share samples. */
typedef struct claims {
    char whole[LOCUM_PATH_SIZE], slice[LOCUM_PATH_SIZE];
    int whole_lock, slice_lock;
} claims;

static locum_status refuse_other_division(const locum_generate_call *call)
{
    DIR *stream = opendir(call->dataset);
    char path[2 * LOCUM_PATH_SIZE];
    int shard, n_shards, lock;
    locum_status st = LOCUM_OK;

    for (struct dirent *entry; !st && stream && (entry = readdir(stream));) {
        if (sscanf(entry->d_name, "slice-%d-of-%d.lock", &shard, &n_shards) != 2 || n_shards == call->n_shards)
            continue;
        locum_format(path, sizeof path, "%s/%s", call->dataset, entry->d_name);
        st = locum_claim_take(path, false, &lock);
        if (!st) locum_claim_release(path, lock);
    }
    if (stream) closedir(stream);
    return st;
}

static locum_status claim(const locum_generate_call *call, claims *c)
{
    bool slice = call->n_shards > 1;

    LOCUM_TRY(locum_make_directories(call->dataset));
    int n = locum_format(c->whole, sizeof c->whole, "%s/generate.lock", call->dataset);
    int m =
        locum_format(c->slice, sizeof c->slice, "%s/slice-%d-of-%d.lock", call->dataset, call->shard, call->n_shards);
    LOCUM_REQUIRE(n < (int)sizeof c->whole && m < (int)sizeof c->slice, LOCUM_ARG, "the path of %s is too long",
                  call->dataset);
    LOCUM_TRY(locum_claim_take(c->whole, slice, &c->whole_lock));
    if (!slice) return LOCUM_OK;
    LOCUM_TRY(locum_claim_take(c->slice, false, &c->slice_lock));
    return refuse_other_division(call);
}

static void release(claims *c)
{
    locum_claim_release(c->slice, c->slice_lock);
    locum_claim_release(c->whole, c->whole_lock);
}

/* --- the end ----------------------------------------------------------------------------------------------- */

enum { SHOWN_FAILURES = 5 };

/* parameters and reason of the first failed samples, for the log */
static void log_failures(const farm *f, const locum_survey *survey)
{
    char path[2 * LOCUM_PATH_SIZE];
    int shown = 0;

    for (int i = 0; i < survey->n_files && shown < SHOWN_FAILURES; i++) {
        locum_dataset *shard = NULL;
        if (survey->failed[i] == 0) continue;
        locum_format(path, sizeof path, "%s/%s", f->call->dataset, survey->path[i]);
        if (locum_dataset_open(path, &shard)) break;
        for (int64_t b = 0; b < locum_dataset_n(shard) && shown < SHOWN_FAILURES; b++) {
            const locum_dataset_sample *sample = locum_dataset_sample_at(shard, b);
            if (!sample->failed) continue;
            locum_text parameters = {0};
            for (int p = 0; p < f->plan->n_parameters && sample->parameter; p++)
                locum_text_add(&parameters, "%s%s = %g", p ? ", " : " (", f->plan->name[p], sample->parameter[p]);
            locum_log_warn(f->call->log, "sample %lld%s%s failed: %s", (long long)sample->index,
                           parameters.data ? parameters.data : "", parameters.data ? ")" : "",
                           sample->reason ? sample->reason : "no reason recorded");
            locum_text_free(&parameters);
            shown++;
        }
        locum_dataset_close(shard);
    }
}

static locum_status write_manifest(const farm *f, const locum_survey *survey)
{
    char lock[LOCUM_PATH_SIZE];
    int descriptor = -1, size;
    locum_study_facts facts = {0};

    if (locum_format(lock, sizeof lock, "%s/manifest.lock", f->call->dataset) >= (int)sizeof lock) return LOCUM_OK;
    if (locum_claim_take(lock, false, &descriptor)) { /* another slice ends at this moment, and writes the same */
        locum_status_clear();
        return LOCUM_OK;
    }
    MPI_Comm_size(f->call->world, &size);
    locum_status st = locum_study_facts_collect(f->call->study, f->setup, f->plan, f->call->options_hash, size, &facts);
    if (!st) st = locum_survey_write(survey, f->call->dataset, &facts, f->plan->n);
    locum_study_facts_free(&facts);
    locum_claim_release(lock, descriptor);
    return st;
}

/* counts what is there; a complete dataset gets its manifest */
static locum_status take_stock(farm *f, int64_t *n_done, int64_t *n_failed)
{
    locum_survey survey = {0};

    LOCUM_TRY(locum_survey_make(f->call->dataset, f->call->world, &survey));
    *n_done = survey.n_samples;
    *n_failed = survey.n_failed;
    locum_status st = LOCUM_OK;
    if (survey.n_samples == f->plan->n) {
        st = locum_survey_hash(&survey, f->call->dataset, f->call->world);
        if (!st) st = locum_comm_verdict(f->call->world, f->rank == 0 ? write_manifest(f, &survey) : LOCUM_OK);
    }
    if (f->rank == 0 && f->n_todo > 0) log_failures(f, &survey);
    locum_survey_free(&survey);
    return st;
}

/* a failure of the farm outweighs one of the counting, and keeps its words */
static locum_status finish(farm *f, locum_status st, int64_t *n_done, int64_t *n_failed)
{
    char words[512];

    locum_format(words, sizeof words, "%s", locum_status_message());
    locum_status counted = take_stock(f, n_done, n_failed);
    if (!st) return counted;
    if (st == LOCUM_STOPPED)
        return LOCUM_FAIL(st, "stopped: %lld of %lld samples are done", (long long)*n_done, (long long)f->plan->n);
    return LOCUM_FAIL(st, "%s", words);
}

locum_status locum_generate(const locum_generate_call *call, int64_t *n_done, int64_t *n_failed)
{
    farm f = {.call = call,
              .setup = call->setup,
              .plan = call->plan,
              .groups = {.world = MPI_COMM_NULL, .group = MPI_COMM_NULL}};
    claims c = {.whole_lock = -1, .slice_lock = -1};

    *n_done = *n_failed = 0;
    LOCUM_REQUIRE(call->n_shards >= 1 && call->shard >= 0 && call->shard < call->n_shards, LOCUM_ARG,
                  "--shard %d/%d: give 0/%d to %d/%d", call->shard, call->n_shards, call->n_shards, call->n_shards - 1,
                  call->n_shards);
    MPI_Comm_rank(call->world, &f.rank);
    locum_failpoint_rank(f.rank);
    locum_status st = locum_comm_verdict(call->world, f.rank == 0 ? claim(call, &c) : LOCUM_OK);
    if (!st) st = find_todo(&f);
    if (!st) {
        if (f.n_todo > 0) st = run_farm(&f);
        if (f.n_todo == 0)
            locum_log_line(call->log, "samples: all %lld are there, nothing to do", (long long)f.n_before);
        st = finish(&f, st, n_done, n_failed);
    }
    if (f.has_crew) locum_crew_destroy(&f.crew);
    locum_groups_destroy(&f.groups);
    if (f.rank == 0) release(&c);
    free(f.todo);
    return st;
}
