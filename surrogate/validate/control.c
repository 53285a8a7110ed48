/* SPDX-License-Identifier: BSD-3-Clause */
/* control.c - negative control: where the training data say nothing, the interval must be seen to fail.
 *
 *     Sobol points over the shifted ranges (other parameters: their training range)
 *         -> solver, same grid and window as the test labels
 *     covered < 0.1 % quantile of BB(samples; n_cal + 1 - l, l), the law that would hold without the shift
 * A coverage that cannot fail shows nothing; nor does a flag that is never raised, so flags are counted too. */
#include "surrogate/validate/validate_parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/random.h"
#include "core/sobol.h"

typedef struct shifted {
    int64_t n;
    double *x, *truth, *seconds; /**< [n, n_inputs], [n, width], [n] */
    bool *failed;
    double lower[LOCUM_LIST_MAX], upper[LOCUM_LIST_MAX];
} shifted;

static int input_of(const locum_problem *p, const char *name)
{
    for (int i = 0; i < p->n_inputs; i++)
        if (!strcmp(locum_model_input(p->model, i)->name, name)) return i;
    return -1;
}

locum_status locum_control_point(const locum_campaign_plan *plan, uint64_t seed, int64_t k, const double *lower,
                                 const double *upper, double *point)
{
    LOCUM_TRY(locum_sobol_point(seed ^ LOCUM_CONTROL_SEED, (uint64_t)k, plan->n_parameters, point));
    for (int j = 0; j < plan->n_parameters; j++) {
        double a = lower[j], b = upper[j];
        point[j] = plan->log_scale[j] ? a * pow(b / a, point[j]) : a + point[j] * (b - a);
    }
    return LOCUM_OK;
}

static locum_status draw_points(const locum_problem *p, shifted *s)
{
    const locum_campaign_plan *plan = p->call->plan;
    double point[LOCUM_SOBOL_DIMENSIONS];

    LOCUM_TRY(locum_control_ranges(p->call->study, plan, s->lower, s->upper));
    for (int64_t k = 0; k < s->n; k++) {
        LOCUM_TRY(locum_control_point(plan, p->seed, k, s->lower, s->upper, point));
        for (int j = 0; j < plan->n_parameters; j++) {
            int i = input_of(p, plan->name[j]);
            if (i < 0) return LOCUM_FAIL(LOCUM_INPUT, "the model has no input '%s'", plan->name[j]);
            s->x[k * p->n_inputs + i] = point[j];
        }
    }
    return LOCUM_OK;
}

static locum_status prepare(const locum_problem *p, shifted *s)
{
    s->n = p->config->control_samples;
    LOCUM_TRY(LOCUM_NEW(&s->x, s->n * p->n_inputs));
    LOCUM_TRY(LOCUM_NEW(&s->truth, s->n * p->width));
    LOCUM_TRY(LOCUM_NEW(&s->seconds, s->n));
    LOCUM_TRY(LOCUM_NEW(&s->failed, s->n));
    return draw_points(p, s);
}

void locum_control_name_ranges(const locum_campaign_plan *plan, const double *lower, const double *upper,
                               locum_control *c)
{
    size_t used = 0;

    for (int j = 0; j < plan->n_parameters && used < sizeof c->parameters; j++)
        used += (size_t)locum_format(c->parameters + used, sizeof c->parameters - used, "%s%s %.3g to %.3g%s",
                                     j ? ", " : "", plan->name[j], lower[j], upper[j],
                                     lower[j] < plan->lower[j] || upper[j] > plan->upper[j] ? " (shifted)" : "");
}

static void describe(const locum_problem *p, const shifted *s, locum_control *c)
{
    locum_control_name_ranges(p->call->plan, s->lower, s->upper, c);
    locum_format(c->text, sizeof c->text,
                 "On data from outside the training range coverage is not promised and must fail visibly: %lld of %lld "
                 "samples covered, below %lld would "
                 "happen once in a thousand times if the data were like the training data. The solver ran at the "
                 "study's own grid and window; outside the "
                 "range the study resolves, its labels (spectra first of all) are under-resolved.",
                 (long long)c->covered, (long long)(c->samples - c->failed), (long long)c->law_limit);
}

void locum_control_judge(const locum_model *model, double coverage, locum_control *c)
{
    int64_t good = c->samples - c->failed, n_cal = locum_model_n_calibration(model),
            level = locum_law_level(n_cal, coverage);

    c->error = good > 0 ? c->error / (double)good : NAN;
    c->law_limit =
        level >= 1 && good > 0 ? locum_law_quantile(good, (double)(n_cal + 1 - level), (double)level, 0.001) : -1;
    c->fails_visibly = c->law_limit >= 0 && c->covered < c->law_limit;
}

/* the samples that the solver could do */
static locum_status count(const locum_problem *p, shifted *s, locum_control *c)
{
    locum_trusted trusted = {0};
    double *of_output = NULL;

    locum_status st = LOCUM_NEW(&of_output, p->n_outputs);
    if (!st) st = locum_evaluate_trust(p, p->model, p->config->coverage, s->n, s->x, &trusted);
    for (int64_t i = 0; i < s->n && !st; i++) {
        int64_t at = i * p->width;
        if (s->failed[i]) {
            c->failed++;
            continue;
        }
        c->covered += locum_coverage_row(p->width, trusted.lower + at, trusted.upper + at, s->truth + at);
        c->flagged += trusted.flag[i] != 0;
        c->error += locum_metric_row(&p->layout, trusted.value + at, s->truth + at, of_output);
    }
    locum_control_judge(p->model, p->config->coverage, c);
    locum_trusted_free(&trusted);
    free(of_output);
    return st;
}

locum_status locum_control_run(const locum_problem *p, locum_control *control)
{
    shifted s = {0};

    *control = (locum_control){0};
    if (!p->config->has_control || locum_problem_obstacle(p) || !p->call->plan ||
        locum_model_n_calibration(p->model) == 0)
        return LOCUM_OK;
    locum_status st = locum_comm_agree(p->call->world, prepare(p, &s));
    if (!st) {
        double until = locum_problem_until(p);
        const locum_run_call call = {.config = locum_settings_config(p->call->setup->solver),
                                     .n = s.n,
                                     .x = s.x,
                                     .seed = p->seed ^ LOCUM_CONTROL_SEED,
                                     .from = locum_problem_from(p),
                                     .n_until = 1,
                                     .until = &until,
                                     .what = "negative control"};
        st = locum_run_solver(p, &call, s.truth, s.seconds, s.failed);
    }
    if (!st) {
        *control = (locum_control){.done = true, .samples = s.n};
        st = locum_comm_agree(p->call->world, count(p, &s, control));
        describe(p, &s, control);
    }
    free(s.x);
    free(s.truth);
    free(s.seconds);
    free(s.failed);
    return st;
}
