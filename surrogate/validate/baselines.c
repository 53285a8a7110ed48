/* SPDX-License-Identifier: BSD-3-Clause */
/* baselines.c - our own solver made cheaper, searched until the surrogate's error is bracketed.
 *
 *     for each rung of the ladder, cheapest first: one run over the searched test samples, another seed,
 *                                                  nested means from an early start
 *         for each end t2 of a window:             the start t1 that gives the least error (all cost the same)
 *     a rung is run only as far as its cost stays below that of the cheapest setting that is as good as the surrogate
 * That t1 is chosen on the very test samples favours the solver: the baseline is meant to be strong. Time of a setting:
 * processor seconds from the initial state to t2, spin-up included, mean over samples. The reference is the last rung;
 * it is always timed, and where it was stopped early its time is continued at the rate of its second half. */
#include "surrogate/validate/validate_parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define ENDS 13
#define SHORTEST (1.0 / 32) /* of the study's run: no window ends earlier */
#define RESERVE 0.15        /* share of the time that is kept for timing the reference */

typedef struct walker {
    const locum_problem *problem;
    locum_search *search;
    int64_t n;           /**< searched samples */
    double *x, *truth;   /**< [n, n_inputs], [n, width] */
    double *rows;        /**< [n, ENDS, width] */
    double *seconds;     /**< [n, ENDS] */
    double *window;      /**< [n, width] */
    bool *failed;        /**< [n] */
    bool mean;           /**< windows are searched; else one frame at `until` */
    double start, until; /**< early start of means, the study's end */
    double begun, limit; /**< clock; seconds for all */
    double rate;         /**< seconds per sample and unit of time at cost 1; NAN at first */
    double stretch;      /**< seconds on the wall per processor second, at least 1: others may use the machine too */
    double best;         /**< seconds of the cheapest setting that is as good as the surrogate; INFINITY */
    bool worse;          /**< one setting was worse */
} walker;

/* --- set-up ----------------------------------------------------------------------------------- */

static locum_status pick_samples(walker *w, const locum_errors *surrogate)
{
    const locum_problem *p = w->problem;
    int64_t n_test = p->n[LOCUM_TEST];

    w->n = p->config->baseline_samples < n_test ? p->config->baseline_samples : n_test;
    LOCUM_TRY(LOCUM_NEW(&w->x, w->n * p->n_inputs));
    LOCUM_TRY(LOCUM_NEW(&w->truth, w->n * p->width));
    LOCUM_TRY(LOCUM_NEW(&w->rows, w->n * ENDS * p->width));
    LOCUM_TRY(LOCUM_NEW(&w->seconds, w->n * ENDS));
    LOCUM_TRY(LOCUM_NEW(&w->window, w->n * p->width));
    LOCUM_TRY(LOCUM_NEW(&w->failed, w->n));
    w->search->surrogate_error = 0;
    for (int64_t i = 0; i < w->n; i++) {
        int64_t k = i * n_test / w->n;
        memcpy(w->x + i * p->n_inputs, p->x[LOCUM_TEST] + k * p->n_inputs, (size_t)p->n_inputs * sizeof(double));
        memcpy(w->truth + i * p->width, p->y[LOCUM_TEST] + k * p->width, (size_t)p->width * sizeof(double));
        w->search->surrogate_error += surrogate->sample[k] / (double)w->n;
    }
    w->search->samples = w->n;
    return LOCUM_OK;
}

static void release(walker *w)
{
    free(w->x);
    free(w->truth);
    free(w->rows);
    free(w->seconds);
    free(w->window);
    free(w->failed);
}

/* seconds left, as rank 0 sees them */
static locum_status time_left(const walker *w, double *left)
{
    *left = w->limit - (locum_clock() - w->begun);
    return locum_comm_broadcast(w->problem->call->world, left, sizeof *left);
}

static double mean_seconds(const walker *w, int64_t n, int n_ends, int end)
{
    double sum = 0;

    for (int64_t i = 0; i < n; i++) sum += w->seconds[i * n_ends + end];
    return sum / (double)n;
}

static bool any_failed(const walker *w, int64_t n, int64_t *count)
{
    *count = 0;
    for (int64_t i = 0; i < n; i++) *count += w->failed[i];
    return *count > 0;
}

static locum_status run(walker *w, const locum_rung *rung, int64_t n, int n_ends, const double *ends, const char *what)
{
    const locum_run_call call = {.config = rung->config,
                                 .n = n,
                                 .x = w->x,
                                 .seed = w->problem->seed,
                                 .from = w->mean ? w->start : w->until,
                                 .n_until = n_ends,
                                 .until = ends,
                                 .what = what};
    double begun = locum_clock(), work = 0;

    LOCUM_TRY(locum_run_solver(w->problem, &call, w->rows, w->seconds, w->failed));
    for (int64_t i = 0; i < n; i++) work += w->failed[i] ? 0 : w->seconds[i * n_ends + n_ends - 1];
    double wall = locum_clock() - begun;
    if (wall > 1 && work > 0) w->stretch = fmax(1, wall * w->problem->size / work); /* shorter runs are all set-up */
    return LOCUM_OK;
}

/* --- settings of one run ---------------------------------------------------------------------- */

locum_status locum_search_keep(locum_search *search, const locum_setting_found *found)
{
    if (search->n == search->capacity) {
        int64_t capacity = search->capacity ? 2 * search->capacity : 64;
        locum_setting_found *more = realloc(search->settings, (size_t)capacity * sizeof *more);
        LOCUM_REQUIRE(more, LOCUM_MEMORY, "out of memory for the settings of the search");
        search->settings = more;
        search->capacity = capacity;
    }
    search->settings[search->n++] = *found;
    if (found->seconds > search->walked_seconds) search->walked_seconds = found->seconds;
    return LOCUM_OK;
}

/* errors of the window [t1, t2]: ends[a] (a < 0: the start) to ends[b] */
static locum_status judge(walker *w, int n_ends, const double *ends, int a, int b, locum_setting_found *found)
{
    const locum_problem *p = w->problem;
    locum_errors errors = {0};

    for (int64_t i = 0; i < w->n; i++) {
        const double *rows = w->rows + i * n_ends * p->width;
        locum_window_mean(p->width, w->start, a < 0 ? w->start : ends[a], rows + (a < 0 ? 0 : a) * p->width, ends[b],
                          rows + b * p->width, w->window + i * p->width);
    }
    locum_status st = locum_errors_make(&p->layout, w->n, w->window, w->truth, p->seed, &errors);
    found->error = errors.mean;
    found->low = errors.low;
    found->high = errors.high;
    for (int j = 0; j < p->n_outputs && !st; j++) found->of_output[j] = errors.output_mean[j];
    locum_errors_free(&errors);
    return st;
}

static void name_setting(const walker *w, const locum_rung *rung, int a, int b, const double *ends, double seconds,
                         locum_setting_found *found)
{
    found->from = w->mean ? (a < 0 ? w->start : ends[a]) : NAN;
    found->until = ends[b];
    found->seconds = seconds;
    found->samples = w->n;
    locum_format(found->resolution, sizeof found->resolution, "%s", rung->resolution);
    if (w->mean)
        locum_format(found->text, sizeof found->text, "%s, mean over [%.4g, %.4g]", rung->text, found->from,
                     found->until);
    else
        locum_format(found->text, sizeof found->text, "%s", rung->text);
}

static locum_status keep_settings(walker *w, const locum_rung *rung, int n_ends, const double *ends)
{
    for (int b = 0; b < n_ends; b++) {
        locum_setting_found least = {.error = INFINITY}, found = {0};
        for (int a = -1; a < b; a++) {
            LOCUM_TRY(judge(w, n_ends, ends, a, b, &found));
            if (!(found.error < least.error)) continue;
            least = found;
            name_setting(w, rung, a, b, ends, mean_seconds(w, w->n, n_ends, b), &least);
        }
        if (!isfinite(least.error)) continue;
        LOCUM_TRY(locum_search_keep(w->search, &least));
        if (!(least.error <= w->search->surrogate_error))
            w->worse = true;
        else if (least.seconds < w->best)
            w->best = least.seconds;
    }
    return LOCUM_OK;
}

/* --- the walk --------------------------------------------------------------------------------- */

static double first_end(const walker *w)
{
    return w->start + (w->until - w->start) * SHORTEST;
}

/* of the whole run; a solver without time does all its work at once */
static double length(const walker *w)
{
    return w->until > 0 ? w->until : 1;
}

/* how far this rung is worth running; *cut says that time was too short for more. Negative = not at all */
static double reach(const walker *w, const locum_rung *rung, double left, bool *cut)
{
    double per_time = w->rate * rung->cost, most = length(w),
           affordable = left * w->problem->size / ((double)w->n * per_time * w->stretch);

    *cut = false;
    if (isfinite(w->best) && w->best / per_time < most) most = w->best / per_time;
    if (affordable < most) {
        *cut = true;
        most = affordable;
    }
    if (!w->mean) return most < length(w) ? -1 : w->until;
    return most < first_end(w) ? -1 : most;
}

/* a first idea of the rate: a few samples of the cheapest rung, a short while */
static locum_status feel_rate(walker *w, const locum_rung *rung)
{
    double end = w->mean ? first_end(w) : w->until;
    int64_t n = w->n < w->problem->size ? w->n : w->problem->size, failures;

    LOCUM_TRY(run(w, rung, n, 1, &end, "search: first look"));
    w->rate =
        any_failed(w, n, &failures) ? 1e-9 : mean_seconds(w, n, 1, 0) / (rung->cost * (w->mean ? end : length(w)));
    return locum_comm_broadcast(w->problem->call->world, &w->rate, sizeof w->rate);
}

/* seconds to the study's end from those of a shorter run: the rate of about its second half goes on */
static double continue_time(const walker *w, int64_t n, int n_ends, const double *ends)
{
    int middle = n_ends > 2 ? n_ends - 3 : 0;
    double last = mean_seconds(w, n, n_ends, n_ends - 1);

    if (!w->mean || n_ends < 2 || ends[n_ends - 1] >= w->until) return last;
    return last + (last - mean_seconds(w, n, n_ends, middle)) / (ends[n_ends - 1] - ends[middle]) *
                      (w->until - ends[n_ends - 1]);
}

static locum_status walk_rung(walker *w, const locum_rung *rung, double until, bool cut)
{
    double ends[ENDS] = {until};
    int n_ends = w->mean ? ENDS : 1;
    int64_t failures;
    char what[96];

    locum_format(what, sizeof what, "search: %s", rung->text);
    if (w->mean) {
        while (n_ends > 1 && (until - w->start) * exp2(-0.5 * (n_ends - 1)) < 0.5 * (first_end(w) - w->start)) n_ends--;
        locum_window_ends(w->start, until, n_ends, ends);
    }
    LOCUM_TRY(run(w, rung, w->n, n_ends, ends, what));
    if (any_failed(w, w->n, &failures)) {
        locum_text_add(&w->search->words, "%s: not usable, it fails on %lld of %lld samples. ", rung->text,
                       (long long)failures, (long long)w->n);
        return LOCUM_OK;
    }
    w->rate = mean_seconds(w, w->n, n_ends, n_ends - 1) / (rung->cost * (w->mean ? until : length(w)));
    if (rung->fraction == 1 && rung->step_factor == 1)
        w->search->reference_seconds = continue_time(w, w->n, n_ends, ends);
    locum_text_add(&w->search->words, "%s: %d settings up to time %.4g%s. ", rung->text, n_ends, until,
                   cut ? " (as far as validate.baseline_seconds allowed)" : "");
    return locum_comm_agree(w->problem->call->world, keep_settings(w, rung, n_ends, ends));
}

/* the reference's own time, where its rung was not walked: a few samples, as far as time allows */
static locum_status time_reference(walker *w, const locum_rung *rung)
{
    int64_t n = w->n < 4 * w->problem->size ? w->n : 4 * w->problem->size, failures;
    double until = w->until, ends[2];
    int n_ends = w->mean ? 2 : 1;

    if (isfinite(w->search->reference_seconds)) return LOCUM_OK;
    double affordable = w->limit * RESERVE * w->problem->size / ((double)n * w->rate * w->stretch * rung->cost);
    if (w->mean) until = fmin(w->until, fmax(affordable, first_end(w)));
    LOCUM_TRY(locum_comm_broadcast(w->problem->call->world, &until, sizeof until));
    ends[0] = w->mean ? w->start + 0.5 * (until - w->start) : until;
    ends[1] = until;
    LOCUM_TRY(run(w, rung, n, n_ends, ends, "search: time of the reference"));
    if (!any_failed(w, n, &failures)) w->search->reference_seconds = continue_time(w, n, n_ends, ends);
    return LOCUM_OK;
}

static void say_why(walker *w)
{
    locum_text *words = &w->search->words;

    if (isfinite(w->best) && w->worse)
        locum_text_add(words, "Stopped: the surrogate's error is bracketed, and every rung was walked as far as its "
                              "cost stays below the cheapest setting as good.");
    else if (isfinite(w->best))
        locum_text_add(words, "Stopped: the cheapest setting is already better than the surrogate.");
    else if (w->search->complete)
        locum_text_add(words, "Stopped: no setting up to the reference itself is as good as the surrogate.");
    else
        locum_text_add(
            words,
            "Stopped: validate.baseline_seconds = %g was used up; no setting walked is as good as the surrogate.",
            w->limit);
}

static locum_status walk(walker *w, const locum_rung *rungs, int n)
{
    bool cut = false;
    double left;

    LOCUM_TRY(feel_rate(w, &rungs[0]));
    for (int r = 0; r < n; r++) {
        bool last = r == n - 1;
        LOCUM_TRY(time_left(w, &left));
        double until = reach(w, &rungs[r], left - (last ? 0 : RESERVE * w->limit), &cut);
        LOCUM_TRY(locum_comm_broadcast(w->problem->call->world, &until, sizeof until));
        if (cut) w->search->complete = false;
        if (until >= 0)
            LOCUM_TRY(walk_rung(w, &rungs[r], until, cut));
        else
            locum_text_add(&w->search->words, "%s: not walked, %s. ", rungs[r].text,
                           cut ? "the time was used up"
                               : "its first window costs more than the cheapest setting as good");
    }
    return time_reference(w, &rungs[n - 1]);
}

static void name_reference(walker *w, const locum_rung *rung)
{
    char *text = w->search->reference_text;

    if (w->mean)
        locum_format(text, sizeof w->search->reference_text, "%s, mean over [%.4g, %.4g]", rung->text,
                     locum_problem_from(w->problem), w->until);
    else
        locum_format(text, sizeof w->search->reference_text, "%s", rung->text);
}

locum_status locum_search_baselines(const locum_problem *problem, const locum_errors *surrogate, locum_search *search)
{
    locum_rung rungs[LOCUM_RUNGS_MAX];
    int n_rungs = 0;
    const char *obstacle = locum_problem_obstacle(problem);
    walker w = {.problem = problem,
                .search = search,
                .begun = locum_clock(),
                .limit = problem->config->baseline_seconds,
                .stretch = 1,
                .best = INFINITY};

    *search = (locum_search){.reference_seconds = NAN, .complete = true, .surrogate_error = NAN};
    if (obstacle) {
        locum_text_add(&search->words, "Nothing was searched: %s.", obstacle);
        return LOCUM_OK;
    }
    w.until = locum_problem_until(problem);
    w.start = locum_problem_from(problem) / 4;
    w.mean = problem->call->setup->record_config->average && w.until > w.start;
    if (!w.mean) w.start = w.until;
    locum_status st = pick_samples(&w, surrogate);
    if (!st) st = locum_rungs_make(problem->call->setup, 0.25, rungs, &n_rungs);
    st = locum_comm_agree(problem->call->world, st);
    locum_text_add(&search->words,
                   "%lld test samples, another seed; for each resolution and step one run with nested means; for each "
                   "end of a window the best start, chosen on these very samples, which favours the solver. ",
                   (long long)w.n);
    if (!st) st = walk(&w, rungs, n_rungs);
    if (!st) {
        search->done = true;
        locum_front_mark(search->n, search->settings);
        say_why(&w);
        name_reference(&w, &rungs[n_rungs - 1]);
    }
    locum_rungs_free(n_rungs, rungs);
    release(&w);
    return st;
}

void locum_search_free(locum_search *search)
{
    free(search->settings);
    locum_text_free(&search->words);
    *search = (locum_search){0};
}
