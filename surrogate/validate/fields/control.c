/* SPDX-License-Identifier: BSD-3-Clause */
/* control.c - negative control of field surrogates: where the training data say nothing, the interval must be seen to
 * fail.
 *
 *     amplitude             test samples whose first frame is multiplied; the solver goes on from there
 *     shifted parameters    Sobol points over the ranges of the study, solved from config and seed
 * The trajectories that the solver gives are then predicted like test samples. */
#include "surrogate/validate/fields/fields.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/sobol.h"

typedef struct shifted {
    const locum_fields *fields;
    locum_roller roller;
    locum_evaluation evaluation;
    locum_trajectory trajectory;
    int64_t n, *test;
    double *parameter; /**< [n, n_parameters] in the order of the dataset */
    int n_parameters;
    bool by_amplitude;
    int n_times;
    double *times; /**< of frames */
    double *seconds;
    bool *failed;
    double lower[LOCUM_LIST_MAX], upper[LOCUM_LIST_MAX];
} shifted;

/* --- points ----------------------------------------------------------------------------------- */

static locum_status draw_points(shifted *s)
{
    const locum_campaign_plan *plan = s->fields->call->plan;
    double point[LOCUM_SOBOL_DIMENSIONS];

    LOCUM_TRY(locum_control_ranges(s->fields->call->study, plan, s->lower, s->upper));
    for (int64_t k = 0; k < s->n; k++) {
        LOCUM_TRY(locum_control_point(plan, s->fields->seed, k, s->lower, s->upper, point));
        for (int p = 0; p < s->n_parameters; p++) {
            int j = 0;
            while (j < plan->n_parameters && strcmp(plan->name[j], locum_dataset_parameter_name(s->fields->dataset, p)))
                j++;
            LOCUM_REQUIRE(j < plan->n_parameters, LOCUM_INPUT, "the plan does not vary '%s'",
                          locum_dataset_parameter_name(s->fields->dataset, p));
            s->parameter[k * s->n_parameters + p] = point[j];
        }
    }
    return LOCUM_OK;
}

/* times of the frames that make a trajectory: from a frame on (amplitude), or all of the record */
static locum_status choose_times(shifted *s)
{
    const locum_fields *f = s->fields;
    int64_t b = f->sample[LOCUM_TEST][0], first = s->by_amplitude ? 1 : 0;

    LOCUM_TRY(LOCUM_NEW(&s->times, f->n_frames + 1));
    if (!f->step) {
        s->n_times = 1;
        s->times[0] = s->by_amplitude ? f->times[0] : locum_dataset_time(f->dataset, b, f->n_frames - 1);
        if (!s->by_amplitude && f->n_inputs && f->n_frames > 1) { /* the first frame is an input */
            s->times[1] = s->times[0];
            s->times[0] = locum_dataset_time(f->dataset, b, 0);
            s->n_times = 2;
        }
        return LOCUM_OK;
    }
    for (int64_t t = first; t < f->n_frames; t++)
        s->times[s->n_times++] =
            locum_dataset_time(f->dataset, b, t) - (first ? locum_dataset_time(f->dataset, b, 0) : 0);
    return LOCUM_OK;
}

static locum_status prepare(shifted *s)
{
    const locum_fields *f = s->fields;

    s->n_parameters = locum_dataset_n_parameters(f->dataset);
    s->n = f->config->control_samples;
    if (s->by_amplitude && s->n > f->n[LOCUM_TEST]) s->n = f->n[LOCUM_TEST];
    LOCUM_TRY(LOCUM_NEW(&s->test, s->n));
    LOCUM_TRY(LOCUM_NEW(&s->parameter, s->n * s->n_parameters + 1));
    LOCUM_TRY(LOCUM_NEW(&s->failed, s->n));
    for (int64_t i = 0; i < s->n; i++) s->test[i] = i * f->n[LOCUM_TEST] / s->n;
    if (!s->by_amplitude) LOCUM_TRY(draw_points(s));
    LOCUM_TRY(choose_times(s));
    LOCUM_TRY(LOCUM_NEW(&s->seconds, s->n * s->n_times));
    LOCUM_TRY(locum_trajectory_make(f, &s->trajectory));
    LOCUM_TRY(locum_evaluation_make(f, &f->models[f->head], s->n, &s->evaluation));
    return locum_roller_make(f, &f->models[f->head], 1, &s->roller);
}

static void release(shifted *s)
{
    free(s->test);
    free(s->parameter);
    free(s->times);
    free(s->seconds);
    free(s->failed);
    locum_trajectory_free(&s->trajectory);
    locum_evaluation_free(&s->evaluation);
    locum_roller_free(&s->roller);
}

/* --- frames become trajectories ----------------------------------------------------------------- */

static locum_status begin_sample(shifted *s, int64_t i)
{
    const locum_fields *f = s->fields;

    for (int k = 0; k < f->n_values; k++) s->trajectory.values[k] = s->parameter[i * s->n_parameters + f->parameter[k]];
    if (!s->by_amplitude) return LOCUM_OK;
    locum_fields_values(f, LOCUM_TEST, s->test[i], s->trajectory.values);
    if (f->step)
        LOCUM_TRY(locum_fields_read(f, LOCUM_TEST, s->test[i], 0, f->n_outputs, f->output, s->trajectory.seen));
    else
        LOCUM_TRY(locum_fields_read(f, LOCUM_TEST, s->test[i], 0, f->n_inputs, f->input, s->trajectory.seen));
    for (int64_t j = 0; j < f->in_width; j++) s->trajectory.seen[j] *= f->config->control_amplitude;
    return LOCUM_OK;
}

/* frame k of the trajectory, k = 0 the first of all */
static void place(shifted *s, int64_t k, const double *frame)
{
    const locum_fields *f = s->fields;
    locum_trajectory *t = &s->trajectory;

    if (f->step) {
        memcpy(k < f->history ? t->seen + k * f->width : t->truth + (k - f->history) * f->width, frame,
               (size_t)f->width * sizeof *frame);
        return;
    }
    if (!s->by_amplitude && k == 0 && f->n_inputs) memcpy(t->seen, frame, (size_t)f->in_width * sizeof *frame);
    memcpy(t->truth, frame + (s->by_amplitude ? 0 : f->in_width), (size_t)f->width * sizeof *frame);
}

static locum_status take(void *self, int64_t i, int time, const double *frame)
{
    shifted *s = self;

    if (time == 0) LOCUM_TRY(begin_sample(s, i));
    place(s, time + (s->by_amplitude && s->fields->step ? 1 : 0), frame);
    if (time < s->n_times - 1) return LOCUM_OK;
    return locum_evaluation_add(&s->roller, &s->trajectory, i, &s->evaluation, NULL);
}

/* --- counts ----------------------------------------------------------------------------------- */

static void count(const shifted *s, locum_control *c)
{
    const locum_fields *f = s->fields;

    c->samples = s->n;
    for (int64_t i = 0; i < s->n; i++) {
        if (s->failed[i]) {
            c->failed++;
            continue;
        }
        c->covered += locum_evaluation_covered(&s->evaluation, i);
        c->flagged += s->evaluation.flag[i * f->n_leads + s->evaluation.leads - 1] != 0;
        c->error += locum_scores_relative(f, &s->evaluation.scores, i, -1);
    }
    locum_control_judge(f->models[f->head].model, f->config->coverage, c);
}

static void describe(const shifted *s, locum_control *c)
{
    if (s->by_amplitude)
        locum_format(c->parameters, sizeof c->parameters, "initial fields times %g (shifted)",
                     s->fields->config->control_amplitude);
    else
        locum_control_name_ranges(s->fields->call->plan, s->lower, s->upper, c);
    locum_format(c->text, sizeof c->text,
                 "On data unlike the training data coverage is not promised and must fail visibly: %lld of %lld "
                 "trajectories covered, below %lld would happen once in a thousand times if the data were like the "
                 "training data. The solver ran at the study's own setting.",
                 (long long)c->covered, (long long)(c->samples - c->failed), (long long)c->law_limit);
}

/* --- the run ---------------------------------------------------------------------------------- */

static locum_status run(shifted *s)
{
    const locum_fields *f = s->fields;
    const locum_record_config *record = f->call->setup->record_config;
    locum_field_run call = {.config = locum_settings_config(f->call->setup->solver),
                            .n = s->n,
                            .test = s->by_amplitude ? s->test : NULL,
                            .parameter = s->parameter,
                            .start = 0,
                            .amplitude = s->by_amplitude ? f->config->control_amplitude : 0,
                            .seed = f->seed ^ LOCUM_CONTROL_SEED,
                            .n_times = s->n_times,
                            .times = s->times,
                            .average = !s->by_amplitude && record->average,
                            .from = record->from,
                            .with_inputs = !s->by_amplitude && !f->step,
                            .what = "negative control",
                            .world = f->call->world,
                            .frame = take,
                            .self = s};

    LOCUM_TRY(locum_field_run_solver(f, &call, s->seconds, s->failed));
    return locum_evaluation_finish(f, &s->evaluation);
}

/* by amplitude needs frames to begin from; by parameters the plan that has their ranges */
static bool is_possible(const locum_fields *f, bool by_amplitude)
{
    if (!f->config->has_control || locum_fields_obstacle(f)) return false;
    if (locum_model_n_calibration(f->models[f->head].model) == 0) return false;
    return by_amplitude ? locum_fields_begin_from_frames(f) : f->call->plan && !f->call->setup->from_file;
}

locum_status locum_field_control_run(const locum_fields *f, locum_control *control)
{
    shifted s = {.fields = f, .by_amplitude = isfinite(f->config->control_amplitude)};

    *control = (locum_control){0};
    if (!is_possible(f, s.by_amplitude)) return LOCUM_OK;
    locum_status st = locum_comm_agree(f->call->world, prepare(&s));
    if (!st) st = run(&s);
    if (!st) {
        control->done = true;
        count(&s, control);
        describe(&s, control);
    }
    release(&s);
    return st;
}
