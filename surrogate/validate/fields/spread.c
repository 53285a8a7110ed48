/* SPDX-License-Identifier: BSD-3-Clause */
/* spread.c - what the solver itself does not know.
 *
 *     its own spread   the study's setting from a frame, and from that frame with a relative noise of 1e-6: how soon the
 *                      two part is the time beyond which nobody can predict single states
 *     label noise      maps of parameters: twins of the noise split (another seed); from frames: half the step and twice
 *                      the grid from the same frame, against the labels. Where the dataset is coarser than the solver's
 *                      own grid, a frame does not hold the state that the labels came from: there is no such figure.
 * Both take as many samples as the time allows. */
#include "surrogate/validate/fields/fields.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_SAMPLES = 4 };
static const double SHARE = 0.4; /* of validate.baseline_seconds, for each of the two */

/* how many samples the time allows; the same on all ranks */
static int64_t affordable(const locum_fields *f, double seconds_a_sample)
{
    int64_t n = f->n[LOCUM_TEST] < MOST_SAMPLES ? f->n[LOCUM_TEST] : MOST_SAMPLES;
    double rounds = SHARE * f->config->baseline_seconds / seconds_a_sample;

    if (!isfinite(seconds_a_sample) || !(seconds_a_sample > 0)) return 0;
    return rounds < 1 ? 0 : rounds * f->size < (double)n ? (int64_t)(rounds * f->size) : n;
}

/* --- a run beside a run ------------------------------------------------------------------------ */

typedef struct pair {
    const locum_fields *fields;
    locum_scores *scores;
    int64_t i;
    double *first; /**< [n_leads, width] */
    bool second;
} pair;

static locum_status take_pair(void *self, int64_t i, int time, const double *frame)
{
    pair *p = self;
    int64_t width = p->fields->width;

    (void)i;
    if (p->second)
        locum_scores_add(p->fields, p->scores, p->i, time, frame, p->first + time * width);
    else
        memcpy(p->first + time * width, frame, (size_t)width * sizeof *frame);
    return LOCUM_OK;
}

/* sample i by this rank alone */
static locum_status run_pair(pair *p, int64_t i, int64_t test, double *seconds)
{
    const locum_fields *f = p->fields;
    bool failed = false;

    p->i = i;
    for (int k = 0; k < 2; k++) {
        locum_field_run run = {.config = locum_settings_config(f->call->setup->solver),
                               .n = 1,
                               .test = &test,
                               .start = -1,
                               .perturbation = k ? LOCUM_PERTURBATION : 0,
                               .seed = f->seed,
                               .world = MPI_COMM_SELF,
                               .frame = take_pair,
                               .self = p};
        p->second = k == 1;
        LOCUM_TRY(locum_field_run_solver(f, &run, seconds, &failed));
        if (failed) return LOCUM_FAIL(LOCUM_NUMERIC, "the solver fails on a test sample");
    }
    return LOCUM_OK;
}

static locum_status run_pairs(const locum_fields *f, int64_t n, locum_scores *scores)
{
    pair p = {.fields = f, .scores = scores};
    double *seconds = NULL;

    locum_status st = LOCUM_NEW(&p.first, f->n_leads * f->width);
    if (!st) st = LOCUM_NEW(&seconds, f->n_leads);
    for (int64_t i = f->rank; i < n && !st; i += f->size) st = run_pair(&p, i, i * f->n[LOCUM_TEST] / n, seconds);
    free(p.first);
    free(seconds);
    return st;
}

locum_status locum_solver_spread_run(const locum_fields *f, double reference_seconds, locum_solver_spread *spread)
{
    int64_t n =
        locum_fields_obstacle(f) || !locum_fields_begin_from_frames(f) ? 0 : affordable(f, 2 * reference_seconds);
    locum_scores scores = {0};

    *spread = (locum_solver_spread){0};
    LOCUM_TRY(locum_comm_broadcast(f->call->world, &n, sizeof n));
    if (n == 0) return LOCUM_OK;
    locum_status st = locum_comm_agree(f->call->world, locum_scores_make(f, n, f->n_leads, &scores));
    if (!st) st = locum_comm_agree(f->call->world, run_pairs(f, n, &scores));
    if (st == LOCUM_NUMERIC) {
        locum_status_clear();
        locum_scores_free(&scores);
        return LOCUM_OK;
    }
    if (!st) {
        locum_fields_share(f, n * f->n_leads * f->n_outputs * LOCUM_SUMS, scores.sum);
        spread->n = n;
        st = locum_comm_agree(f->call->world, locum_field_errors_make(f, &scores, &spread->errors));
    }
    locum_scores_free(&scores);
    return st;
}

/* --- label noise: twins ------------------------------------------------------------------------ */

static int64_t sample_of_index(const locum_fields *f, int64_t index, locum_split *split)
{
    for (int s = 0; s < LOCUM_NOISE; s++)
        for (int64_t i = 0; i < f->n[s]; i++)
            if (locum_dataset_sample_at(f->dataset, f->sample[s][i])->index == index) {
                *split = (locum_split)s;
                return i;
            }
    return -1;
}

static locum_status score_twins(const locum_fields *f, locum_scores *scores, int64_t *n)
{
    double *twin = NULL, *truth = NULL;
    locum_split split = LOCUM_TEST;

    locum_status st = LOCUM_NEW(&twin, f->width);
    if (!st) st = LOCUM_NEW(&truth, f->width);
    for (int64_t i = 0; i < f->n[LOCUM_NOISE] && !st; i++) {
        int64_t original =
            sample_of_index(f, locum_dataset_sample_at(f->dataset, f->sample[LOCUM_NOISE][i])->twin, &split);
        if (original < 0) continue;
        st = locum_fields_read(f, LOCUM_NOISE, i, -1, f->n_outputs, f->output, twin);
        if (!st) st = locum_fields_read(f, split, original, -1, f->n_outputs, f->output, truth);
        if (!st) locum_scores_add(f, scores, (*n)++, 0, twin, truth);
    }
    free(twin);
    free(truth);
    return st;
}

/* every rank reads them all: they are few */
static locum_status twins(const locum_fields *f, locum_label_noise *noise)
{
    locum_scores scores = {0};

    locum_status st = locum_scores_make(f, f->n[LOCUM_NOISE], 1, &scores);
    if (!st) st = score_twins(f, &scores, &noise->n);
    scores.n = noise->n;
    if (!st) st = locum_field_errors_make(f, &scores, &noise->errors);
    locum_format(noise->text, sizeof noise->text, "the same parameters and window, another seed");
    locum_scores_free(&scores);
    return locum_comm_agree(f->call->world, st);
}

/* --- label noise: the solver made finer -------------------------------------------------------- */

typedef struct finer {
    const locum_fields *fields;
    locum_scores scores;
    locum_trajectory truth;
    int64_t test[MOST_SAMPLES], sample;
} finer;

static locum_status take_finer(void *self, int64_t i, int time, const double *frame)
{
    finer *p = self;

    if (p->sample != i) LOCUM_TRY(locum_trajectory_read(p->fields, LOCUM_TEST, p->test[i], &p->truth));
    p->sample = i;
    locum_scores_add(p->fields, &p->scores, i, time, frame, p->truth.truth + time * p->fields->width);
    return LOCUM_OK;
}

static locum_status run_finer(const locum_fields *f, const locum_rung *rung, int64_t n, locum_label_noise *noise)
{
    finer p = {.fields = f, .sample = -1};
    double *seconds = NULL;
    bool failed[MOST_SAMPLES] = {false}, bad = false;
    locum_field_run run = {.config = rung->config,
                           .n = n,
                           .test = p.test,
                           .start = -1,
                           .seed = f->seed,
                           .what = "label noise",
                           .world = f->call->world,
                           .frame = take_finer,
                           .self = &p};

    for (int64_t i = 0; i < n; i++) p.test[i] = i * f->n[LOCUM_TEST] / n;
    locum_status st = locum_scores_make(f, n, f->n_leads, &p.scores);
    if (!st) st = locum_trajectory_make(f, &p.truth);
    if (!st) st = LOCUM_NEW(&seconds, n * f->n_leads);
    st = locum_comm_agree(f->call->world, st);
    if (!st) st = locum_field_run_solver(f, &run, seconds, failed);
    for (int64_t i = 0; i < n; i++) bad = bad || failed[i];
    if (!st && !bad) {
        locum_fields_share(f, n * f->n_leads * f->n_outputs * LOCUM_SUMS, p.scores.sum);
        st = locum_comm_agree(f->call->world, locum_field_errors_make(f, &p.scores, &noise->errors));
        noise->n = n;
        locum_format(noise->text, sizeof noise->text, "resolution %s%s from the same frames, against the labels",
                     rung->resolution, rung->step_factor != 1 ? " and half the step" : "");
    }
    locum_scores_free(&p.scores);
    locum_trajectory_free(&p.truth);
    free(seconds);
    return st;
}

locum_status locum_label_noise_run(const locum_fields *f, double reference_seconds, locum_label_noise *noise)
{
    locum_rung rung = {0};
    int64_t n = 0;

    *noise = (locum_label_noise){0};
    if (!locum_fields_begin_from_frames(f)) return f->n[LOCUM_NOISE] > 0 ? twins(f, noise) : LOCUM_OK;
    if (locum_fields_obstacle(f)) return LOCUM_OK;
    if (f->call->setup->record_config->n_resolution > 0) {
        locum_format(noise->text, sizeof noise->text,
                     "not measured: the dataset is coarser than the solver's grid, so a frame does not hold the state "
                     "that its labels came from");
        return LOCUM_OK;
    }
    LOCUM_TRY(locum_comm_agree(f->call->world, locum_rung_finer(f->call->setup, &rung)));
    if (rung.config) n = affordable(f, rung.cost * reference_seconds);
    LOCUM_TRY(locum_comm_broadcast(f->call->world, &n, sizeof n));
    locum_status st = n > 0 ? run_finer(f, &rung, n, noise) : LOCUM_OK;
    if (n == 0) locum_format(noise->text, sizeof noise->text, "not measured: validate.baseline_seconds is too short");
    free(rung.config);
    return st;
}
