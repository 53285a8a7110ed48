/* SPDX-License-Identifier: BSD-3-Clause */
/* search.c - the solver made cheaper until the surrogate's error is bracketed.
 *
 *     from frames        each rung (resolution x step, rung.c) from the last frame seen of the same test samples, over all
 *                        leads; one setting a rung; error = relative L2 over the joined trajectory
 *     from parameters    another seed than the labels; means over nested windows: for each end of a window the best
 *                        start, chosen on these very samples, which favours the solver
 * Rungs are walked from the cheapest on. One that is expected to cost more than the cheapest setting as good as the
 * surrogate is not walked; nor is one for which the time (validate.baseline_seconds) is too short.
 *
 * A window [a, b] from the running means M over [start, a] and [start, b]:  ((b - start) M_b - (a - start) M_a) / (b - a).
 * A variance is V = <x^2> - <x>^2: <x^2> is combined so. A variance whose mean the model does not give keeps the windows
 * that begin at the start. */
#include "surrogate/validate/fields/fields.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ENDS = 8 };
static const double SHORTEST = 0.25; /* first end, of the way from start to until */
static const double RESERVE = 0.2;   /* of the time, kept for the reference */

typedef struct walker {
    const locum_fields *fields;
    locum_field_search *out;
    locum_search *search;
    int64_t n, *test;
    locum_trajectory truth;
    locum_scores scores; /**< [n, leads], or [n, windows] */
    double *seconds;     /**< [n, n_times] */
    bool *failed;
    bool windows;        /**< of running means */
    double start, until; /**< of windows */
    int n_ends;
    double ends[ENDS];
    double *window, *frame; /**< [ENDS, width] of the sample in work; [width] */
    int64_t sample;         /**< whose truth is read; -1 = none */
    double begun, rate, stretch, best;
    bool worse;
} walker;

/* --- set-up ----------------------------------------------------------------------------------- */

static int n_windows(const walker *w)
{
    return w->windows ? w->n_ends * (w->n_ends + 1) / 2 : w->fields->n_leads;
}

static locum_status prepare(walker *w, const locum_errors *surrogate)
{
    const locum_fields *f = w->fields;
    int64_t n_test = f->n[LOCUM_TEST];

    w->n = f->config->baseline_samples < n_test ? f->config->baseline_samples : n_test;
    LOCUM_TRY(LOCUM_NEW(&w->test, w->n));
    LOCUM_TRY(LOCUM_NEW(&w->seconds, w->n * (f->n_leads + ENDS)));
    LOCUM_TRY(LOCUM_NEW(&w->failed, w->n));
    LOCUM_TRY(LOCUM_NEW(&w->window, ENDS * f->width));
    LOCUM_TRY(LOCUM_NEW(&w->frame, f->width));
    w->search->surrogate_error = 0;
    for (int64_t i = 0; i < w->n; i++) {
        w->test[i] = i * n_test / w->n;
        w->search->surrogate_error += surrogate->sample[w->test[i]] / (double)w->n;
    }
    w->search->samples = w->n;
    return locum_trajectory_make(f, &w->truth);
}

static void release(walker *w)
{
    free(w->test);
    free(w->seconds);
    free(w->failed);
    free(w->window);
    free(w->frame);
    locum_trajectory_free(&w->truth);
    locum_scores_free(&w->scores);
}

/* --- windows ---------------------------------------------------------------------------------- */

/* the output whose variance output o is: -1 it is none, -2 it is one without its mean */
static int mean_behind(const locum_fields *f, int o)
{
    const char *name = f->output[o].name;
    size_t n = strlen(name), tail = strlen("_variance");

    if (n <= tail || strcmp(name + n - tail, "_variance")) return -1;
    for (int k = 0; k < f->n_outputs; k++)
        if (strlen(f->output[k].name) == n - tail && !strncmp(f->output[k].name, name, n - tail)) return k;
    return -2;
}

static bool windows_combine(const locum_fields *f)
{
    for (int o = 0; o < f->n_outputs; o++)
        if (mean_behind(f, o) == -2) return false;
    return true;
}

/* the mean over [ends[a], ends[b]] -> w->frame; a < 0: from the start */
static void combine(walker *w, int a, int b)
{
    const locum_fields *f = w->fields;
    const double *late = w->window + b * f->width, *early = w->window + (a < 0 ? 0 : a) * f->width;
    double tb = w->ends[b] - w->start, ta = a < 0 ? 0 : w->ends[a] - w->start;

    for (int64_t j = 0; j < f->width; j++) w->frame[j] = (tb * late[j] - ta * early[j]) / (tb - ta);
    for (int o = 0; o < f->n_outputs; o++) {
        int base = mean_behind(f, o);
        const locum_field_array *v = &f->output[o], *m = base >= 0 ? &f->output[base] : NULL;
        for (int64_t j = 0; m && j < v->count; j++) {
            double square_b = late[v->first + j] + late[m->first + j] * late[m->first + j],
                   square_a = early[v->first + j] + early[m->first + j] * early[m->first + j],
                   mean = w->frame[m->first + j];
            w->frame[v->first + j] = fmax((tb * square_b - ta * square_a) / (tb - ta) - mean * mean, 0);
        }
    }
}

/* places of the windows that end at b: a = -1, 0 .. b - 1 */
static int place_of(int a, int b)
{
    return b * (b + 1) / 2 + a + 1;
}

/* --- frames of a run -------------------------------------------------------------------------- */

static locum_status take(void *self, int64_t i, int time, const double *frame)
{
    walker *w = self;
    const locum_fields *f = w->fields;

    if (w->sample != i) LOCUM_TRY(locum_trajectory_read(f, LOCUM_TEST, w->test[i], &w->truth));
    w->sample = i;
    if (!w->windows) {
        locum_scores_add(f, &w->scores, i, time, frame, w->truth.truth + time * f->width);
        return LOCUM_OK;
    }
    memcpy(w->window + time * f->width, frame, (size_t)f->width * sizeof *frame);
    for (int a = -1; a < time; a++) {
        combine(w, a, time);
        locum_scores_add(f, &w->scores, i, place_of(a, time), w->frame, w->truth.truth);
    }
    return LOCUM_OK;
}

static int times_of(const walker *w)
{
    return w->windows ? w->n_ends : locum_fields_begin_from_frames(w->fields) ? w->fields->n_leads : 1;
}

/* one rung on n samples; w->scores, w->seconds [n, n_times], w->failed */
static locum_status run(walker *w, const locum_rung *rung, int64_t n, const char *what)
{
    const locum_fields *f = w->fields;
    bool from_frames = locum_fields_begin_from_frames(f);
    int n_times = times_of(w);
    locum_field_run call = {.config = rung->config,
                            .n = n,
                            .test = w->test,
                            .start = -1,
                            .seed = f->seed,
                            .n_times = n_times,
                            .times = w->windows    ? w->ends
                                     : from_frames ? f->times
                                                   : &w->until,
                            .average = w->windows,
                            .from = w->start,
                            .what = what,
                            .world = f->call->world,
                            .frame = take,
                            .self = w};
    double begun = locum_clock(), work = 0;

    w->sample = -1;
    locum_scores_free(&w->scores);
    LOCUM_TRY(locum_comm_agree(f->call->world, locum_scores_make(f, n, n_windows(w), &w->scores)));
    LOCUM_TRY(locum_field_run_solver(f, &call, w->seconds, w->failed));
    locum_fields_share(f, n * w->scores.n_leads * f->n_outputs * LOCUM_SUMS, w->scores.sum);
    for (int64_t i = 0; i < n; i++) work += w->seconds[i * n_times + n_times - 1];
    double wall = locum_clock() - begun;
    if (wall > 1 && work > 0) w->stretch = fmax(1, wall * f->size / work);
    return locum_comm_broadcast(f->call->world, &w->stretch, sizeof w->stretch);
}

static double mean_seconds(const walker *w, int64_t n, int n_times, int time)
{
    double sum = 0;

    for (int64_t i = 0; i < n; i++) sum += w->seconds[i * n_times + time];
    return sum / (double)n;
}

/* --- settings --------------------------------------------------------------------------------- */

static locum_status keep(walker *w, const locum_setting_found *found)
{
    LOCUM_TRY(locum_search_keep(w->search, found));
    if (!(found->error <= w->search->surrogate_error))
        w->worse = true;
    else if (found->seconds < w->best)
        w->best = found->seconds;
    return LOCUM_OK;
}

/* lead: a window, -1 = the joined trajectory */
static locum_status judge(const walker *w, int lead, locum_setting_found *found)
{
    const locum_fields *f = w->fields;
    double *sample = NULL;

    LOCUM_TRY(LOCUM_NEW(&sample, w->n));
    found->error = 0;
    memset(found->of_output, 0, sizeof found->of_output);
    for (int64_t i = 0; i < w->n; i++) {
        sample[i] = locum_scores_relative(f, &w->scores, i, lead);
        found->error += sample[i] / (double)w->n;
        for (int o = 0; o < f->n_outputs; o++)
            found->of_output[o] += locum_scores_output(&w->scores, i, lead, o) / (double)w->n;
    }
    locum_status st = locum_bootstrap(w->n, sample, f->seed, &found->low, &found->high);
    free(sample);
    return st;
}

static locum_status keep_windows(walker *w, const locum_rung *rung)
{
    bool combined = windows_combine(w->fields);

    for (int b = 0; b < w->n_ends; b++) {
        locum_setting_found least = {.error = INFINITY};
        for (int a = -1; a < (combined ? b : 0); a++) {
            locum_setting_found found = {.from = a < 0 ? w->start : w->ends[a],
                                         .until = w->ends[b],
                                         .seconds = mean_seconds(w, w->n, w->n_ends, b),
                                         .samples = w->n};
            LOCUM_TRY(judge(w, place_of(a, b), &found));
            if (found.error < least.error) least = found;
        }
        if (!isfinite(least.error)) continue;
        locum_format(least.resolution, sizeof least.resolution, "%s", rung->resolution);
        locum_format(least.text, sizeof least.text, "%s, mean over [%.4g, %.4g]", rung->text, least.from, least.until);
        LOCUM_TRY(keep(w, &least));
    }
    return LOCUM_OK;
}

static locum_status keep_trajectory(walker *w, const locum_rung *rung)
{
    locum_field_search *out = w->out;
    int n_leads = w->fields->n_leads, n_times = times_of(w);
    locum_setting_found found = {.from = NAN, .until = w->until, .samples = w->n};

    LOCUM_TRY(judge(w, -1, &found));
    found.seconds = mean_seconds(w, w->n, n_times, n_times - 1);
    locum_format(found.resolution, sizeof found.resolution, "%s", rung->resolution);
    locum_format(found.text, sizeof found.text, "%s", rung->text);
    for (int l = 0; l < n_leads; l++) {
        double *error = out->run_error + out->n_runs * n_leads + l;
        out->run_seconds[out->n_runs * n_leads + l] = mean_seconds(w, w->n, n_times, l < n_times ? l : n_times - 1);
        *error = 0;
        for (int64_t i = 0; i < w->n; i++) *error += locum_scores_relative(w->fields, &w->scores, i, l) / (double)w->n;
    }
    locum_format(out->run_text[out->n_runs++], LOCUM_SETTING_TEXT, "%s", rung->text);
    return keep(w, &found);
}

/* --- the walk --------------------------------------------------------------------------------- */

static locum_status walk_rung(walker *w, const locum_rung *rung)
{
    char what[96];
    int64_t failures = 0;
    int n_times = times_of(w);

    locum_format(what, sizeof what, "search: %s", rung->text);
    LOCUM_TRY(run(w, rung, w->n, what));
    for (int64_t i = 0; i < w->n; i++) failures += w->failed[i];
    if (failures) {
        locum_text_add(&w->search->words, "%s: not usable, it fails on %lld of %lld samples. ", rung->text,
                       (long long)failures, (long long)w->n);
        return LOCUM_OK;
    }
    double seconds = mean_seconds(w, w->n, n_times, n_times - 1);
    w->rate = seconds / rung->cost;
    if (rung->fraction == 1 && rung->step_factor == 1) w->search->reference_seconds = seconds;
    locum_text_add(&w->search->words, "%s: walked. ", rung->text);
    return locum_comm_agree(w->fields->call->world, w->windows ? keep_windows(w, rung) : keep_trajectory(w, rung));
}

/* why a rung is not walked; NULL = it is. The same on all ranks */
static const char *objection(walker *w, const locum_rung *rung, bool last)
{
    double expected = isfinite(w->rate) ? w->rate * rung->cost : 0,
           left = w->fields->config->baseline_seconds * (last ? 1 : 1 - RESERVE) - (locum_clock() - w->begun);
    int why = 0;

    if (isfinite(w->best) && expected > w->best * 1.2)
        why = 1;
    else if (expected * (double)w->n * w->stretch / w->fields->size > left)
        why = 2;
    MPI_Bcast(&why, 1, MPI_INT, 0, w->fields->call->world);
    if (why == 2) w->search->complete = false;
    return why == 0 ? NULL : why == 1 ? "it costs more than the cheapest setting as good" : "the time was used up";
}

/* the reference's own time where it was not walked: one sample a rank, if that is not too long */
static locum_status time_reference(walker *w, const locum_rung *rung)
{
    const locum_fields *f = w->fields;
    int64_t n = f->size < w->n ? f->size : w->n;
    int n_times = times_of(w);
    int run_it = isnan(w->search->reference_seconds) && isfinite(w->rate) &&
                 w->rate * rung->cost * w->stretch < f->config->baseline_seconds;

    MPI_Bcast(&run_it, 1, MPI_INT, 0, f->call->world);
    if (!run_it) return LOCUM_OK;
    LOCUM_TRY(run(w, rung, n, "search: time of the reference"));
    for (int64_t i = 0; i < n; i++)
        if (w->failed[i]) return LOCUM_OK;
    w->search->reference_seconds = mean_seconds(w, n, n_times, n_times - 1);
    return LOCUM_OK;
}

static void say_why(walker *w)
{
    locum_text *words = &w->search->words;

    if (isfinite(w->best) && w->worse)
        locum_text_add(words, "Stopped: the surrogate's error is bracketed.");
    else if (isfinite(w->best))
        locum_text_add(words, "Stopped: the cheapest setting is already better than the surrogate.");
    else if (w->search->complete)
        locum_text_add(words, "Stopped: no setting up to the reference itself is as good as the surrogate.");
    else
        locum_text_add(words,
                       "Stopped: validate.baseline_seconds = %g was used up; no setting walked is as good as the "
                       "surrogate.",
                       w->fields->config->baseline_seconds);
}

/* a solver that cannot be run from these data is no failure of validation */
static locum_status excuse(walker *w, locum_status st)
{
    if (st != LOCUM_STUDY && st != LOCUM_INPUT && st != LOCUM_NOT_BUILT) return st;
    locum_text_free(&w->search->words);
    w->search->words = (locum_text){0};
    locum_text_add(&w->search->words, "Nothing was searched: %s.", locum_status_message());
    locum_status_clear();
    w->search->n = 0;
    return LOCUM_OK;
}

static locum_status walk(walker *w, const locum_rung *rungs, int n, bool *done)
{
    for (int r = 0; r < n; r++) {
        const char *why = objection(w, &rungs[r], r == n - 1);
        locum_status st = LOCUM_OK;
        if (why)
            locum_text_add(&w->search->words, "%s: not walked, %s. ", rungs[r].text, why);
        else
            st = walk_rung(w, &rungs[r]);
        if (st) return excuse(w, st);
    }
    LOCUM_TRY(time_reference(w, &rungs[n - 1]));
    *done = true;
    return LOCUM_OK;
}

static locum_status prepare_runs(walker *w)
{
    LOCUM_TRY(LOCUM_NEW(&w->out->run_text, LOCUM_RUNGS_MAX));
    LOCUM_TRY(LOCUM_NEW(&w->out->run_error, LOCUM_RUNGS_MAX * w->fields->n_leads));
    return LOCUM_NEW(&w->out->run_seconds, LOCUM_RUNGS_MAX * w->fields->n_leads);
}

static void choose_times(walker *w)
{
    const locum_fields *f = w->fields;
    const locum_record_config *record = f->call->setup->record_config;

    w->until = f->times[f->n_leads - 1];
    w->start = record->from / 4;
    w->windows = !locum_fields_begin_from_frames(f) && record->average && w->until > w->start;
    if (!w->windows) return;
    w->n_ends = ENDS;
    locum_window_ends(w->start, w->until, ENDS, w->ends);
    while (w->n_ends > 1 && w->ends[0] < w->start + SHORTEST * (w->until - w->start) / 2) {
        memmove(w->ends, w->ends + 1, (size_t)(ENDS - 1) * sizeof *w->ends);
        w->n_ends--;
    }
}

static void introduce(walker *w)
{
    locum_text *words = &w->search->words;

    if (locum_fields_begin_from_frames(w->fields))
        locum_text_add(words,
                       "%lld test samples, each from the frame that the surrogate sees last, on the dataset's grid by "
                       "the solver's own resampling. ",
                       (long long)w->n);
    else
        locum_text_add(words, "%lld test samples, another seed%s. ", (long long)w->n,
                       w->windows
                           ? "; for each resolution and step one run with nested means; for each end of a window "
                             "the best start, chosen on these very samples, which favours the solver"
                           : "");
}

static void name_reference(walker *w, const locum_rung *rung)
{
    if (w->windows)
        locum_format(w->search->reference_text, sizeof w->search->reference_text, "%s, mean over [%.4g, %.4g]",
                     rung->text, w->fields->call->setup->record_config->from, w->until);
    else
        locum_format(w->search->reference_text, sizeof w->search->reference_text, "%s", rung->text);
}

locum_status locum_field_search_run(const locum_fields *f, const locum_errors *surrogate, locum_field_search *out)
{
    locum_rung rungs[LOCUM_RUNGS_MAX];
    int n_rungs = 0;
    bool done = false;
    const char *obstacle = locum_fields_obstacle(f);
    walker w = {.fields = f,
                .out = out,
                .search = &out->search,
                .begun = locum_clock(),
                .rate = NAN,
                .stretch = 1,
                .best = INFINITY};

    *out = (locum_field_search){.search = {.reference_seconds = NAN, .complete = true, .surrogate_error = NAN}};
    if (obstacle) {
        locum_text_add(&out->search.words, "Nothing was searched: %s.", obstacle);
        return LOCUM_OK;
    }
    choose_times(&w);
    locum_status st = prepare(&w, surrogate);
    if (!st) st = prepare_runs(&w);
    if (!st) st = locum_rungs_make(f->call->setup, 0.125, rungs, &n_rungs);
    st = locum_comm_agree(f->call->world, st);
    if (!st) introduce(&w);
    if (!st) st = walk(&w, rungs, n_rungs, &done);
    if (!st && done) {
        out->search.done = true;
        locum_front_mark(out->search.n, out->search.settings);
        say_why(&w);
        name_reference(&w, &rungs[n_rungs - 1]);
    }
    locum_rungs_free(n_rungs, rungs);
    release(&w);
    return st;
}

void locum_field_search_free(locum_field_search *out)
{
    locum_search_free(&out->search);
    free(out->run_text);
    free(out->run_error);
    free(out->run_seconds);
    *out = (locum_field_search){0};
}
