/* SPDX-License-Identifier: BSD-3-Clause */
/* train.c - what locum_train does, in order: agree on kernels, fit, export; then the models of the learning curve.
 *
 * A model of the curve sees the first n training samples of a seeded order, with normalisers from these alone, and
 * takes as many steps as the whole: what it lacks is data, not time. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/hash.h"
#include "core/memory.h"
#include "core/parallel/comm.h"
#include "core/study/commit.h"
#include "locum/model.h"
#include "surrogate/train/internal.h"
#ifdef LOCUM_WITH_CBLAS
#include "surrogate/adapters/cblas.h"
#endif

enum { LOSS_RELATIVE, LOSS_SQUARE }; /* choices of train.loss */

/* one model to make */
typedef struct job {
    const locum_train_call *call;
    const locum_table *table;       /**< of values; else */
    const locum_examples *examples; /**< of fields */
    uint64_t start;                 /**< hash of the weights to start from */
    const locum_kernels *kernels;
    const locum_adapter *adapter; /**< or NULL */
    const char *adapter_core;     /**< what its rounding depends on, beside the shapes */
    MPI_Comm comm;
    int rank;
    int64_t steps;      /**< at least so many; 0 = what train.epochs says */
    const char *folder; /**< of checkpoints, or NULL */
    const char *path, *what, *metrics;
} job;

/* all of one training, released together */
typedef struct workshop {
    locum_task *task;
    train_data data;
    train_network *network;
    train_state state;
    train_recipe recipe;
    train_identity identity;
} workshop;

static int64_t n_rows(const job *j)
{
    return j->examples ? j->examples->n[LOCUM_TRAIN] : j->table->n[LOCUM_TRAIN];
}

static int64_t n_samples(const job *j)
{
    return j->examples ? j->examples->n_samples[LOCUM_TRAIN] : j->table->n[LOCUM_TRAIN];
}

/* --- recipe and identity ------------------------------------------------------------------------------------------ */
static void make_recipe(const job *j, train_recipe *r)
{
    const locum_train_config *c = j->call->surrogate->train;
    int64_t n = n_rows(j), batch = c->batch < n ? c->batch : n, per_epoch = (n + batch - 1) / batch;
    int64_t epochs = c->epochs;
    if (j->steps) epochs = (j->steps + per_epoch - 1) / per_epoch;
    double stretch = (double)epochs / c->epochs;
    *r = (train_recipe){.seed = locum_study_seed(j->call->study),
                        .epochs = epochs,
                        .per_epoch = per_epoch,
                        .steps = epochs * per_epoch,
                        .batch = batch,
                        .validate_every = (int64_t)fmax(1, floor(c->validate_every * stretch)),
                        .checkpoint_every = c->checkpoint_every,
                        .patience = c->patience,
                        .warm_up = c->warm_up,
                        .learning_rate = c->learning_rate,
                        .final_learning_rate = c->final_learning_rate,
                        .weight_decay = c->weight_decay,
                        .clip = c->clip,
                        .shards = c->shards,
                        .members = c->ensemble,
                        .loss = {.rollout = j->examples ? j->examples->rollout : 1,
                                 .noise = c->noise,
                                 .relative = c->loss == LOSS_RELATIVE},
                        .leads = c->leads,
                        .start = j->start};
    if (r->warm_up > r->steps) r->warm_up = r->steps;
}

static uint64_t hash_of_text(locum_text *text)
{
    uint64_t hash = text->data ? locum_hash(text->data, text->size) : 0;
    locum_text_free(text);
    return hash;
}

static uint64_t hash_recipe(const train_recipe *r, int64_t samples, bool fields)
{
    locum_text text = {0};
    locum_text_add(&text, "%" PRIu64 " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %d %d",
                   r->seed, samples, r->epochs, r->batch, r->validate_every, r->patience, r->warm_up, r->shards,
                   r->members);
    locum_text_add(&text, " %.17g %.17g %.17g %.17g", r->learning_rate, r->final_learning_rate, r->weight_decay,
                   r->clip);
    if (fields)
        locum_text_add(&text, " %d %.17g %d %" PRId64, r->loss.rollout, r->loss.noise, r->loss.relative, r->leads);
    if (r->start) locum_text_add(&text, " %" PRIu64, r->start);
    return hash_of_text(&text);
}

static void hash_channels(int n, const locum_channel *channels, locum_text *text)
{
    for (int i = 0; i < n; i++) {
        const locum_channel *c = &channels[i];
        locum_text_add(text, "%s %d %.17g %d;", c->name, (int)c->transform, c->floor, c->total);
        for (int64_t j = 0; j < locum_channel_statistics(c); j++)
            locum_text_add(text, "%.17g %.17g,", c->mean[j], c->scale[j]);
    }
}

static uint64_t hash_task(const locum_task *task)
{
    locum_text text = {0};
    hash_channels(task->n_inputs, task->inputs, &text);
    hash_channels(task->n_outputs, task->outputs, &text);
    if (task->n_axes)
        locum_text_add(&text, "%d %d %d %.17g %d %d", (int)task->kind, task->history, task->increment, task->interval,
                       task->fixed_mean, task->divergence_free);
    for (int c = 0; task->change && c < task->out_channels; c++) locum_text_add(&text, " %.17g", task->change[c]);
    return hash_of_text(&text);
}

/* ranks that see other data or another network would wait for each other, or worse */
static locum_status agree_identity(const job *j, const train_identity *identity)
{
    uint64_t mine[4] = {identity->table, identity->task, identity->graph, identity->recipe}, least[4], most[4];
    MPI_Allreduce(mine, least, 4, MPI_UINT64_T, MPI_MIN, j->comm);
    MPI_Allreduce(mine, most, 4, MPI_UINT64_T, MPI_MAX, j->comm);
    LOCUM_REQUIRE(!memcmp(least, most, sizeof least), LOCUM_INTERNAL,
                  "train: the ranks disagree on the dataset or the network");
    return LOCUM_OK;
}

/* --- one model ---------------------------------------------------------------------------------------------------- */
static locum_status set_up(const job *j, workshop *w)
{
    const locum_surrogate *surrogate = j->call->surrogate;
    make_recipe(j, &w->recipe);
    int64_t shard_rows = (w->recipe.batch + w->recipe.shards - 1) / w->recipe.shards;
    if (j->examples) {
        LOCUM_TRY(locum_surrogate_field_task(surrogate, j->examples, &w->task));
        LOCUM_TRY(locum_train_data_create_fields(w->task, j->examples, &w->data));
    } else {
        LOCUM_TRY(locum_surrogate_task(surrogate, j->table, &w->task));
        LOCUM_TRY(locum_train_data_create(w->task, j->table, &w->data));
    }
    train_network_request request = {.type = surrogate->type,
                                     .config = surrogate->model_config,
                                     .task = w->task,
                                     .loss = &w->recipe.loss,
                                     .kernels = j->kernels,
                                     .adapter = j->adapter,
                                     .shard_rows = shard_rows};
    LOCUM_TRY(locum_train_network_create(&request, &w->network));
    LOCUM_REQUIRE(w->network->n_slots <= TRAIN_TENSORS_MAX - TRAIN_TENSORS_OTHER, LOCUM_NOT_BUILT,
                  "%s: a network of %d arrays of weights (all members): more than %d are not built", surrogate->name,
                  w->network->n_slots, TRAIN_TENSORS_MAX - TRAIN_TENSORS_OTHER);
    LOCUM_TRY(locum_train_state_create(w->network->n, &w->state));
    w->identity = (train_identity){.table = j->examples ? j->examples->hash : j->table->hash,
                                   .task = hash_task(w->task),
                                   .graph = w->network->hash,
                                   .recipe = hash_recipe(&w->recipe, n_samples(j), j->examples != NULL)};
    if (locum_plan_uses_adapter(w->network->gradient))
        snprintf(w->identity.kernels, sizeof w->identity.kernels, "%s + %s %s", j->kernels->name, j->adapter->name,
                 j->adapter_core);
    else
        snprintf(w->identity.kernels, sizeof w->identity.kernels, "%s", j->kernels->name);
    return LOCUM_OK;
}

static void tear_down(workshop *w)
{
    locum_train_state_free(&w->state);
    locum_train_network_destroy(w->network);
    locum_train_data_free(&w->data);
    locum_task_destroy(w->task);
}

/* a model that a training before this one wrote from the same things; the main model is always written anew, from its
 * checkpoint */
static locum_status is_done(const job *j, const train_identity *identity, bool *done, locum_train_result *result)
{
    locum_model *model = NULL;
    char hash[LOCUM_HASH_TEXT_SIZE];
    if (!j->rank && j->path != j->call->model && !locum_model_read(j->path, NULL, &model, NULL, 0)) {
        const char *word = locum_model_metadata(model, "train_hash"),
                   *error = locum_model_metadata(model, "validation_error");
        locum_train_identity_text(identity, hash);
        *done = word && error && !strcmp(word, hash);
        if (*done) *result = (locum_train_result){.validation_error = locum_parse_number(error, NULL)};
        locum_model_close(model);
    }
    locum_status_clear();
    LOCUM_TRY(locum_comm_broadcast(j->comm, done, sizeof *done));
    return *done ? locum_comm_broadcast(j->comm, result, sizeof *result) : LOCUM_OK;
}

static locum_status make_model(const job *j, locum_train_result *result)
{
    workshop w = {0};
    locum_status st = locum_comm_agree(j->comm, set_up(j, &w));
    bool done = false;
    if (!st) st = agree_identity(j, &w.identity);
    if (!st) st = is_done(j, &w.identity, &done, result);
    if (!st && !done) {
        train_fit fit = {.recipe = &w.recipe,
                         .data = &w.data,
                         .network = w.network,
                         .identity = &w.identity,
                         .folder = j->folder,
                         .what = j->what,
                         .metrics = j->metrics,
                         .comm = j->comm,
                         .log = j->call->log,
                         .watch = j->call->watch,
                         .allow_other_kernels = j->call->allow_other_kernels,
                         .start_from = j->call->surrogate->train->start_from};
        st = locum_train_fit(&fit, &w.state, result);
    }
    if (!st && !done) {
        train_export export = {.call = j->call,
                               .task = w.task,
                               .data = &w.data,
                               .network = w.network,
                               .identity = &w.identity,
                               .state = &w.state,
                               .path = j->path};
        st = locum_comm_verdict(j->comm, j->rank ? LOCUM_OK : locum_train_export(&export));
    }
    tear_down(&w);
    return st;
}

/* --- the learning curve ---------------------------------------------------------------------------------- */
typedef struct point {
    int64_t n;
    char path[LOCUM_PATH_SIZE], folder[LOCUM_PATH_SIZE], what[64]; /* folder: of checkpoints, gone when it is done */
} point;

static locum_status name_point(const job *whole, int64_t n, point *p)
{
    const char *folder = whole->call->folder;
    p->n = n;
    snprintf(p->what, sizeof p->what, "train on %" PRId64, n);
    int length = snprintf(p->path, sizeof p->path, "%s/curve-%" PRId64 ".safetensors", folder, n);
    snprintf(p->folder, sizeof p->folder, "%s/curve-%" PRId64, folder, n);
    LOCUM_REQUIRE(length < (int)sizeof p->path, LOCUM_ARG, "the path %.100s... is too long", folder);
    return whole->rank ? LOCUM_OK : locum_make_directories(p->folder);
}

/* the first n training samples of the seed's order */
static locum_status open_part(const job *whole, int64_t n, locum_table **table, locum_training_data *data)
{
    const locum_train_call *call = whole->call;
    uint64_t seed = locum_study_seed(call->study);
    if (whole->table) return locum_train_subset(whole->table, seed, n, table);
    return locum_training_data_open(call->data->dataset, call->surrogate, n, seed, data);
}

static locum_status make_point(const job *whole, int64_t steps, double fraction)
{
    const locum_train_call *call = whole->call;
    int64_t n_all = n_samples(whole), n = (int64_t)fmax(2, ceil(fraction * (double)n_all));
    point p;
    locum_table *subset = NULL;
    locum_training_data data = {0};
    locum_train_result result;
    if (n >= n_all) return LOCUM_OK;
    locum_status st = name_point(whole, n, &p);
    if (!st) st = open_part(whole, n, &subset, &data);
    st = locum_comm_agree(whole->comm, st);
    if (!st) {
        job part = *whole;
        part.table = subset;
        part.examples = data.examples;
        part.steps = steps;
        part.folder = p.folder;
        part.path = p.path;
        part.what = p.what;
        part.metrics = NULL;
        st = make_model(&part, &result);
    }
    if (!st) st = locum_comm_verdict(whole->comm, whole->rank ? LOCUM_OK : locum_remove_tree(p.folder));
    if (!st)
        locum_log_line(call->log, "train: %" PRId64 " of %" PRId64 " samples: validation error %.4g", n, n_all,
                       result.validation_error);
    locum_train_subset_destroy(subset);
    locum_training_data_close(&data);
    return st;
}

/* --- all of it ---------------------------------------------------------------------------------------------------- */
/* the best instruction set that every rank has */
static const locum_kernels *agree_kernels(MPI_Comm comm)
{
    int mine = (int)locum_kernels_for(locum_cpu_best())->level, common;
    MPI_Allreduce(&mine, &common, 1, MPI_INT, MPI_MIN, comm);
    return locum_kernels_for((locum_cpu_level)common);
}

/* OpenBLAS with one thread, where it was found and rounds alike on all ranks; else our kernels alone */
static void agree_adapter(job *j)
{
#ifdef LOCUM_WITH_CBLAS
    uint64_t mine, least, most;
    locum_cblas_use_one_thread();
    j->adapter_core = locum_cblas_core();
    mine = locum_hash(j->adapter_core, strlen(j->adapter_core));
    MPI_Allreduce(&mine, &least, 1, MPI_UINT64_T, MPI_MIN, j->comm);
    MPI_Allreduce(&mine, &most, 1, MPI_UINT64_T, MPI_MAX, j->comm);
    if (least == most) j->adapter = locum_adapter_cblas();
#else
    (void)j;
#endif
}

static locum_status train_all(const locum_train_call *call, MPI_Comm comm, locum_train_result *result)
{
    const locum_train_config *config = call->surrogate->train;
    char metrics[LOCUM_PATH_SIZE];
    job whole = {.call = call,
                 .table = call->data->table,
                 .examples = call->data->examples,
                 .kernels = agree_kernels(comm),
                 .comm = comm,
                 .folder = call->folder,
                 .path = call->model,
                 .what = "train",
                 .metrics = metrics};
    train_recipe recipe;
    locum_status st = LOCUM_OK;

    MPI_Comm_rank(comm, &whole.rank);
    agree_adapter(&whole);
    if (snprintf(metrics, sizeof metrics, "%s/metrics.jsonl", call->folder) >= (int)sizeof metrics)
        st = LOCUM_FAIL(LOCUM_ARG, "the path %.100s... is too long", call->folder);
    if (!st && !whole.rank) st = locum_make_directories(call->folder);
    if (!st && !whole.rank) st = locum_train_start_hash(config->start_from, &whole.start);
    LOCUM_TRY(locum_comm_agree(comm, st));
    LOCUM_TRY(locum_comm_broadcast(comm, &whole.start, sizeof whole.start));
    LOCUM_TRY(make_model(&whole, result));
    locum_log_line(call->log,
                   "train: %" PRId64 " epochs, %" PRId64
                   " steps in %.1f s (%.1f %% waiting for data): validation error %.4g",
                   result->epochs, result->steps, result->seconds,
                   result->seconds > 0 ? 100 * result->waiting / result->seconds : 0, result->validation_error);
    make_recipe(&whole, &recipe);
    for (int i = 0; i < config->n_curve; i++) LOCUM_TRY(make_point(&whole, recipe.steps, config->curve[i]));
    return LOCUM_OK;
}

locum_status locum_train(const locum_train_call *call, locum_train_result *result)
{
    MPI_Comm workers = MPI_COMM_NULL;
    int rank;
    locum_status st = LOCUM_OK;
    *result = (locum_train_result){0};
    MPI_Comm_rank(call->comm, &rank);
    /* more ranks than shards: the rest have nothing to add and wait for the result */
    MPI_Comm_split(call->comm, rank < call->surrogate->train->shards ? 0 : MPI_UNDEFINED, rank, &workers);
    if (workers != MPI_COMM_NULL) {
        st = train_all(call, workers, result);
        MPI_Comm_free(&workers);
    }
    st = locum_comm_agree(call->comm, st);
    if (!st) st = locum_comm_broadcast(call->comm, result, sizeof *result);
    return st;
}
