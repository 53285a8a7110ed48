/* SPDX-License-Identifier: BSD-3-Clause */
/* fit.c - the loop: batches, shards, the sum over shards, a step of the optimiser; validation and checkpoints between
 * epochs.
 *
 *     for each batch:   rows cut into M shards by order -> gradient of each (one plan) -> reduce -> AdamW
 *
 * All ranks hold the same state bit for bit, so all take the same decisions; only the wish to stop comes from rank 0,
 * with the sum. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/failpoint.h"
#include "core/memory.h"
#include "core/parallel/comm.h"
#include "surrogate/train/internal.h"

typedef struct loop {
    const train_fit *fit;
    train_state *state;
    train_reduction reduction;
    locum_loader *loader;
    locum_metrics *metrics;
    locum_progress progress;
    double started, waited, samples; /* of this process */
    bool stop, ends;                 /* asked to; patience is used up */
} loop;

/* --- one step ----------------------------------------------------------------------------------------------------- */
/* gradients of this rank's shards; a shard without rows adds zeros */
static void run_shards(loop *l, const locum_batch *batch)
{
    train_reduction *r = &l->reduction;
    const train_network *net = l->fit->network;
    locum_train_network_pack(net, l->state->parameters);
    for (int s = r->first; s < r->end; s++) {
        int64_t first = batch->n * s / r->shards, rows = batch->n * (s + 1) / r->shards - first;
        float *gradient = r->shard + (s - r->first) * r->n;
        double *loss = &r->tail[s - r->first].loss;
        const float *columns[LOCUM_TRAIN_COLUMNS];
        train_key key = {l->fit->recipe->seed, (uint64_t)l->state->step, (uint64_t)first};
        for (int c = 0; c < net->n_columns; c++) columns[c] = batch->column[c] + first * net->extent[c];
        if (rows)
            locum_train_network_gradient(net, l->state->parameters, rows, columns, &key, gradient, loss);
        else
            memset(gradient, 0, (size_t)r->n * sizeof *gradient);
    }
}

static locum_status not_finite(const loop *l)
{
    const train_state *s = l->state;
    return LOCUM_FAIL(LOCUM_NUMERIC,
                      "train: the loss is not finite at step %" PRId64 " (epoch %" PRId64
                      "); the weights of step %" PRId64
                      " are kept in the checkpoint; a smaller train.learning_rate or train.clip may help",
                      s->step + 1, s->epoch + 1, s->best_step);
}

static double samples_per_second(const loop *l)
{
    double seconds = locum_clock() - l->started;
    return seconds > 0 ? l->samples / seconds : 0;
}

static double mean_loss(const train_state *s)
{
    return s->rows > 0 ? s->loss / s->rows : 0;
}

static void tell_progress(loop *l)
{
    const train_state *s = l->state;
    if (s->best_error < 0)
        locum_progress_update(&l->progress, (double)s->step, "loss %.3g, %.3g samples/s", mean_loss(s),
                              samples_per_second(l));
    else
        locum_progress_update(&l->progress, (double)s->step, "loss %.3g, best validation error %.4g, %.3g samples/s",
                              mean_loss(s), s->best_error, samples_per_second(l));
}

/* the state after the batch; loss and rows go to the epoch's means */
static locum_status step(loop *l)
{
    const train_fit *fit = l->fit;
    train_reduction *r = &l->reduction;
    train_state *s = l->state;
    const locum_batch *batch = NULL;
    train_tail total;

    locum_status st = locum_failpoint("train_step");
    if (!st) st = locum_loader_next(l->loader, &batch, &l->waited);
    memset(r->tail, 0, (size_t)(r->end - r->first) * sizeof *r->tail);
    if (!st) run_shards(l, batch);
    if (locum_failpoint("train_loss")) r->tail[0].loss = NAN;
    r->tail[0].status = st;
    if (r->rank == 0) r->tail[0].stop = locum_watch_reason(fit->watch) != NULL;
    const float *gradient = locum_train_reduce(r, &total);
    if (total.status) return locum_comm_agree(r->comm, st);
    if (!isfinite(total.loss)) return not_finite(l);
    locum_train_optimise(fit->recipe, fit->network->kernels, gradient, batch->n, s);
    l->samples += (double)batch->n;
    s->loss += total.loss / fit->recipe->members;
    s->rows += (double)batch->n;
    l->stop = total.stop != 0;
    tell_progress(l);
    if (++s->batch == fit->recipe->per_epoch) {
        s->batch = 0;
        s->epoch++;
    }
    return LOCUM_OK;
}

/* --- between epochs ----------------------------------------------------------------------------------------------- */
static locum_status checkpoint(const loop *l)
{
    const train_fit *fit = l->fit;
    locum_status st = LOCUM_OK;
    if (!fit->folder) return LOCUM_OK;
    if (l->reduction.rank == 0) st = locum_train_checkpoint_write(fit->folder, fit->identity, l->state);
    return locum_comm_verdict(fit->comm, st);
}

static locum_split judged(const train_data *data)
{
    return locum_train_data_samples(data, LOCUM_VALIDATION) ? LOCUM_VALIDATION : LOCUM_TRAIN;
}

static void report(loop *l, double error)
{
    const train_state *s = l->state;
    double seconds = locum_clock() - l->started;
    if (!l->metrics) return;
    locum_status st =
        locum_metrics_add(l->metrics,
                          "\"epoch\":%" PRId64 ",\"step\":%" PRId64 ",\"loss\":%.9g,\"validation_error\":%.9g,"
                          "\"learning_rate\":%.6g,\"samples_per_second\":%.6g,\"waiting\":%.4g",
                          s->epoch, s->step, mean_loss(s), error, locum_train_rate(l->fit->recipe, s->step - 1),
                          samples_per_second(l), seconds > 0 ? l->waited / seconds : 0);
    if (st) { /* figures for people: their loss ends no training */
        locum_log_warn(l->fit->log, "metrics.jsonl: %s", locum_status_message());
        locum_metrics_destroy(l->metrics);
        l->metrics = NULL;
    }
}

static locum_status validate(loop *l)
{
    const train_fit *fit = l->fit;
    train_state *s = l->state;
    double error = 0;
    LOCUM_TRY(locum_train_error(fit->network, s->parameters, fit->data, judged(fit->data), fit->recipe->leads,
                                fit->comm, &error));
    s->since_best++;
    if (isfinite(error) && (s->best_error < 0 || error < s->best_error)) {
        s->best_error = error;
        s->best_step = s->step;
        s->since_best = 0;
        memcpy(s->best, s->parameters, (size_t)s->n * sizeof *s->best);
    }
    l->ends = fit->recipe->patience > 0 && s->since_best >= fit->recipe->patience;
    report(l, error);
    s->loss = s->rows = 0;
    return LOCUM_OK;
}

static locum_status after_epoch(loop *l)
{
    const train_recipe *recipe = l->fit->recipe;
    train_state *s = l->state;
    bool last = s->epoch >= recipe->epochs;
    if (last || s->epoch % recipe->validate_every == 0) LOCUM_TRY(validate(l));
    s->finished = last || l->ends;
    if (s->finished || s->epoch % recipe->checkpoint_every == 0) LOCUM_TRY(checkpoint(l));
    return LOCUM_OK;
}

/* --- begin and end ------------------------------------------------------------------------------------------------ */
/* initial weights, or rank 0's newest checkpoint on all ranks */
static locum_status begin(loop *l)
{
    const train_fit *fit = l->fit;
    train_state *s = l->state;
    bool found = false;
    locum_status st = LOCUM_OK;
    if (fit->folder && l->reduction.rank == 0)
        st = locum_train_checkpoint_read(fit->folder, fit->identity, fit->allow_other_kernels, fit->log, s, &found);
    LOCUM_TRY(locum_comm_verdict(fit->comm, st));
    LOCUM_TRY(locum_comm_broadcast(fit->comm, &found, sizeof found));
    if (found) {
        float *const arrays[4] = {s->parameters, s->moment1, s->moment2, s->best};
        train_state own = *s;
        LOCUM_TRY(locum_comm_broadcast(fit->comm, &own, sizeof own));
        own.parameters = arrays[0];
        own.moment1 = arrays[1];
        own.moment2 = arrays[2];
        own.best = arrays[3];
        *s = own;
        for (int i = 0; i < 4; i++)
            LOCUM_TRY(locum_comm_broadcast(fit->comm, arrays[i], s->n * (int64_t)sizeof(float)));
        locum_log_line(fit->log, "%s: continuing at epoch %" PRId64 ", step %" PRId64, fit->what, s->epoch, s->step);
        return LOCUM_OK;
    }
    float *const arrays[4] = {s->parameters, s->moment1, s->moment2, s->best};
    for (int i = 1; i < 4; i++) memset(arrays[i], 0, (size_t)s->n * sizeof(float));
    *s = (train_state){.n = s->n,
                       .best_error = -1,
                       .parameters = arrays[0],
                       .moment1 = arrays[1],
                       .moment2 = arrays[2],
                       .best = arrays[3]};
    locum_train_network_initialise(fit->network, fit->recipe->seed, s->parameters);
    if (fit->start_from && fit->start_from[0]) {
        if (l->reduction.rank == 0) st = locum_train_start_read(fit->start_from, fit->network, s->parameters);
        LOCUM_TRY(locum_comm_verdict(fit->comm, st));
        LOCUM_TRY(locum_comm_broadcast(fit->comm, s->parameters, s->n * (int64_t)sizeof(float)));
    }
    memcpy(s->best, s->parameters, (size_t)s->n * sizeof(float));
    return LOCUM_OK;
}

/* the weights that were good last, if no checkpoint has them yet */
static void keep_last_good(const loop *l)
{
    const train_fit *fit = l->fit;
    train_state *s = l->state;
    if (!fit->folder || l->reduction.rank || locum_train_checkpoint_exists(fit->folder)) return;
    locum_status kept = LOCUM_NUMERIC;
    char message[1024];
    snprintf(message, sizeof message, "%s", locum_status_message());
    memcpy(s->parameters, s->best, (size_t)s->n * sizeof *s->parameters);
    memset(s->moment1, 0, (size_t)s->n * sizeof *s->moment1);
    memset(s->moment2, 0, (size_t)s->n * sizeof *s->moment2);
    s->step = s->best_step;
    s->epoch = s->best_step / fit->recipe->per_epoch;
    s->batch = s->since_best = 0;
    s->loss = s->rows = 0;
    if (locum_train_checkpoint_write(fit->folder, fit->identity, s))
        locum_log_warn(fit->log, "the last good weights could not be kept: %s", locum_status_message());
    kept = locum_status_adopt(kept, message, "");
    (void)kept;
}

static locum_status run(loop *l)
{
    const train_fit *fit = l->fit;
    train_state *s = l->state;
    while (!s->finished) {
        locum_status st = step(l);
        if (st == LOCUM_NUMERIC) keep_last_good(l);
        if (st) return st;
        if (s->batch == 0) LOCUM_TRY(after_epoch(l));
        if (!l->stop || s->finished) continue;
        LOCUM_TRY(checkpoint(l));
        return LOCUM_FAIL(LOCUM_STOPPED, "%s: stopped at epoch %" PRId64 ", step %" PRId64 "%s", fit->what, s->epoch,
                          s->step, fit->folder ? "; a checkpoint is written" : "");
    }
    return LOCUM_OK;
}

static locum_status open_loop(loop *l)
{
    const train_fit *fit = l->fit;
    locum_status st =
        locum_train_reduction_create(fit->comm, fit->recipe->shards, l->state->n, fit->network->kernels, &l->reduction);
    if (!st && fit->metrics && l->reduction.rank == 0) st = locum_metrics_create(fit->metrics, true, &l->metrics);
    LOCUM_TRY(locum_comm_agree(fit->comm, st));
    LOCUM_TRY(begin(l));
    if (!l->state->finished)
        st = locum_loader_create_rows(&fit->data->rows, fit->recipe->batch, fit->recipe->seed, true, l->state->epoch,
                                      l->state->batch, &l->loader);
    return locum_comm_agree(fit->comm, st);
}

locum_status locum_train_fit(const train_fit *fit, train_state *state, locum_train_result *result)
{
    loop l = {.fit = fit, .state = state};
    locum_status st = open_loop(&l);
    if (!st) {
        l.started = locum_clock();
        locum_progress_begin(&l.progress, fit->log, fit->what, (double)fit->recipe->steps, (double)state->step);
        st = run(&l);
        if (!st && state->best_error < 0)
            st = LOCUM_FAIL(LOCUM_NUMERIC,
                            "%s: the validation error was never finite; a smaller train.learning_rate may help",
                            fit->what);
        locum_progress_end(&l.progress);
        *result = (locum_train_result){.validation_error = state->best_error,
                                       .epochs = state->epoch,
                                       .steps = state->step,
                                       .seconds = locum_clock() - l.started,
                                       .waiting = l.waited};
    }
    locum_loader_destroy(l.loader);
    locum_metrics_destroy(l.metrics);
    locum_train_reduction_free(&l.reduction);
    return st;
}
