/* SPDX-License-Identifier: BSD-3-Clause */
/* driver.c - the one loop that steps a solver.
 *
 *     open sink -> start, or go on from a restart file
 *               -> { advance ONE step, not past the next event -> watch -> observe } -> close sink
 *
 * Events are the record times and, for means, the start of the window. A frame is asked for at record times only; a
 * mean asks for the wanted arrays after every step of its window. In a group of several ranks one small allreduce
 * per step carries the status of all ranks, and rank 0's word on stopping and on the next restart file, so that all
 * do the same. */
#include <stdlib.h>
#include <string.h>

#include "datasets/campaign/campaign_parts.h"

typedef struct drive {
    const locum_drive_call *call;
    const locum_solver_type *type;
    const locum_schema *schema;
    int rank, size;
    bool *wanted;      /**< [n_arrays] */
    locum_frame frame; /**< what the solver lends */
    locum_sink sink;   /**< the call's, or the mean before it */
    locum_mean *mean;  /**< NULL without average */
    int n_times, next; /**< record times, and the next one */
    double *times;
    int64_t step;
    double saved, saved_time; /**< clock and solver time of the latest restart file; NAN = none */
} drive;

static bool has_checkpoint(const drive *d)
{
    return d->call->checkpoint && d->call->checkpoint[0];
}

/* --- before the loop --------------------------------------------------------------------------------------- */

static locum_status copy_times(drive *d)
{
    const locum_drive_call *call = d->call;

    if (call->n_times == 0)
        return locum_record_times(call->record, d->schema->timeless, call->until, &d->n_times, &d->times);
    LOCUM_TRY(LOCUM_NEW(&d->times, call->n_times));
    memcpy(d->times, call->times, (size_t)call->n_times * sizeof *d->times);
    d->n_times = d->schema->timeless ? 1 : call->n_times;
    return LOCUM_OK;
}

static locum_status prepare(drive *d)
{
    int n = d->schema->n_arrays;

    d->frame.schema = d->schema;
    LOCUM_TRY(LOCUM_NEW(&d->wanted, n));
    LOCUM_TRY(LOCUM_NEW(&d->frame.blocks, n));
    LOCUM_TRY(locum_record_wanted(d->call->record, d->schema, d->wanted));
    LOCUM_TRY(copy_times(d));
    if (!d->call->record->average || d->schema->timeless) return LOCUM_OK;
    LOCUM_TRY(locum_mean_create(d->schema, d->wanted, d->call->comm, d->call->record->from, d->n_times, d->times,
                                d->call->sink, &d->mean));
    d->sink = locum_mean_sink(d->mean);
    return LOCUM_OK;
}

static void release(drive *d)
{
    locum_mean_destroy(d->mean);
    free(d->wanted);
    free(d->frame.blocks);
    free(d->times);
}

/* --- frames ------------------------------------------------------------------------------------------------ */

static locum_status observe(drive *d, locum_state *state)
{
    memset(d->frame.blocks, 0, (size_t)d->schema->n_arrays * sizeof *d->frame.blocks);
    d->frame.schema = d->schema;
    d->frame.time = d->schema->timeless ? 0 : d->type->time(state);
    d->frame.step = d->step;
    locum_status st = d->type->observe(d->call->solver, state, d->wanted, &d->frame);
    d->frame.step = d->step;
    return st;
}

static bool mean_is_open(const drive *d, double time)
{
    return d->mean && locum_time_reached(time, d->call->record->from);
}

/* hands on what is due now */
static locum_status record_due(drive *d, locum_state *state)
{
    double time = d->schema->timeless ? 0 : d->type->time(state);
    bool due = d->next < d->n_times && (d->schema->timeless || locum_time_reached(time, d->times[d->next]));

    if (!due && !mean_is_open(d, time)) return LOCUM_OK;
    locum_status st = observe(d, state);
    if (!st && !d->mean) st = locum_frame_check_finite(&d->frame, d->wanted);
    if (d->size > 1) st = locum_comm_agree(d->call->comm, st);
    LOCUM_TRY(st);
    LOCUM_TRY(d->sink.frame(d->sink.self, &d->frame));
    while (due && d->next < d->n_times && (d->schema->timeless || locum_time_reached(time, d->times[d->next])))
        d->next++;
    return LOCUM_OK;
}

/* --- begin, or go on --------------------------------------------------------------------------------------- */

/* the state of the restart file; record times up to it are done */
static locum_status go_on(drive *d, const locum_restart *restart, locum_state **state)
{
    const locum_drive_call *call = d->call;
    locum_loaded loaded = {0};
    locum_sample sample = *call->sample;

    LOCUM_TRY(locum_restart_read(call->checkpoint, call->comm, &loaded));
    loaded.frame.time = restart->time;
    loaded.frame.step = restart->step;
    sample.initial = &loaded.frame;
    sample.exact = true;
    locum_status st = d->type->start(call->solver, &sample, state);
    locum_loaded_release(&loaded);
    LOCUM_TRY(locum_comm_agree(call->comm, st));
    d->step = restart->step;
    d->saved_time = restart->time;
    while (d->next < d->n_times && locum_time_reached(restart->time, d->times[d->next])) d->next++;
    if (!mean_is_open(d, restart->time)) return LOCUM_OK;
    /* the frame of this moment was added before the file was written: it enters with weight 0, then the sums are put
     * back */
    d->mean->next = d->next;
    LOCUM_TRY(locum_comm_agree(call->comm, observe(d, *state)));
    LOCUM_TRY(d->sink.frame(d->sink.self, &d->frame));
    return locum_restart_read_mean(call->checkpoint, restart->step, d->mean);
}

static locum_status begin(drive *d, locum_state **state)
{
    const locum_drive_call *call = d->call;
    locum_restart restart = {0};
    bool there = false;

    if (has_checkpoint(d))
        LOCUM_TRY(locum_restart_look(call->checkpoint, call->facts->options_hash, call->comm, &there, &restart));
    d->saved = locum_clock();
    if (there) return go_on(d, &restart, state);
    locum_status st = d->type->start(call->solver, call->sample, state);
    if (d->size > 1) st = locum_comm_agree(call->comm, st);
    LOCUM_TRY(st);
    return d->schema->timeless ? LOCUM_OK : record_due(d, *state);
}

/* --- the loop ---------------------------------------------------------------------------------------------- */

typedef struct verdict {
    int status, stop, save;
} verdict;

/* what rank 0 sees, and how all ranks fared */
static locum_status judge(drive *d, locum_status mine, verdict *v)
{
    *v = (verdict){.status = (int)mine};
    if (d->rank == 0) {
        v->stop = locum_watch_reason(d->call->watch) != NULL;
        v->save = has_checkpoint(d) && locum_clock() - d->saved >= d->call->record->checkpoint;
    }
    if (d->size == 1) return mine;
    MPI_Allreduce(MPI_IN_PLACE, v, 3, MPI_INT, MPI_MAX, d->call->comm);
    return v->status ? locum_comm_agree(d->call->comm, mine) : LOCUM_OK;
}

static locum_status save(drive *d, locum_state *state)
{
    const locum_drive_call *call = d->call;
    locum_restart restart = {.time = d->type->time(state), .step = d->step};

    if (call->settle) LOCUM_TRY(call->settle(call->settle_self, &restart.segments));
    LOCUM_TRY(locum_restart_write(call, state, &restart, mean_is_open(d, restart.time) ? d->mean : NULL));
    d->saved = locum_clock();
    d->saved_time = restart.time;
    return LOCUM_OK;
}

/* one step, not past the next event; a solver that stands still would loop for ever */
static locum_status step(drive *d, locum_state *state)
{
    double before = d->schema->timeless ? 0 : d->type->time(state), end = d->times[d->next];

    if (d->mean && !mean_is_open(d, before)) end = fmin(end, d->call->record->from);
    LOCUM_TRY(d->type->advance(d->call->solver, state, end));
    d->step++;
    if (d->schema->timeless) return LOCUM_OK;
    double after = d->type->time(state);
    LOCUM_REQUIRE(after > before, LOCUM_NUMERIC, "%s: step %lld at time %g is too small to advance the time",
                  d->type->name, (long long)d->step, before);
    LOCUM_REQUIRE(locum_time_reached(end, after), LOCUM_INTERNAL, "%s: stepped to time %.17g, past %.17g",
                  d->type->name, after, end);
    return LOCUM_OK;
}

static locum_status loop(drive *d, locum_state *state)
{
    const locum_drive_call *call = d->call;
    verdict v;

    while (d->next < d->n_times) {
        LOCUM_TRY(judge(d, step(d, state), &v));
        LOCUM_TRY(record_due(d, state));
        if (call->progress)
            call->progress(call->progress_self, d->schema->timeless ? 0 : d->type->time(state), d->step);
        if (d->next == d->n_times) break;
        if ((v.save || v.stop) && has_checkpoint(d)) LOCUM_TRY(save(d, state));
        if (v.stop)
            return LOCUM_FAIL(LOCUM_STOPPED, "stopped at step %lld, time %g", (long long)d->step, d->type->time(state));
    }
    return LOCUM_OK;
}

/* where one can go on, behind the solver's own words */
static locum_status name_restart(const drive *d, locum_status st)
{
    char words[512];

    if ((st != LOCUM_NUMERIC && st != LOCUM_CONVERGENCE) || !has_checkpoint(d)) return st;
    locum_format(words, sizeof words, "%s", locum_status_message());
    if (isnan(d->saved_time)) return LOCUM_FAIL(st, "%s; no restart file had been written", words);
    return LOCUM_FAIL(st, "%s; the last good restart file is %s.state.h5 at time %g", words, d->call->checkpoint,
                      d->saved_time);
}

locum_status locum_drive(const locum_drive_call *call, locum_state **state)
{
    drive d = {.call = call,
               .type = call->type,
               .schema = call->type->schema(call->solver),
               .sink = call->sink,
               .saved_time = NAN};

    MPI_Comm_rank(call->comm, &d.rank);
    MPI_Comm_size(call->comm, &d.size);
    locum_status st = prepare(&d);
    if (d.size > 1) st = locum_comm_agree(call->comm, st);
    bool opened = false;
    if (!st) {
        st = d.sink.open(d.sink.self, d.schema, d.wanted, call->sample);
        opened = !st;
    }
    if (!st) st = begin(&d, state);
    if (!st) st = loop(&d, *state);
    st = name_restart(&d, st);
    if (opened) {
        locum_status closed = d.sink.close(d.sink.self, st);
        if (closed > st) st = closed;
    }
    release(&d);
    return st;
}
