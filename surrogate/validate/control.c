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

#define CONTROL_SEED 0x6e6567636f6e74ULL /* tells these points and seeds from those of the campaign */

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

static locum_status draw_points(const locum_problem *p, shifted *s)
{
    const locum_campaign_plan *plan = p->call->plan;
    double u[LOCUM_SOBOL_DIMENSIONS];

    LOCUM_TRY(locum_control_ranges(p->call->study, plan, s->lower, s->upper));
    for (int64_t k = 0; k < s->n; k++) {
        LOCUM_TRY(locum_sobol_point(p->seed ^ CONTROL_SEED, (uint64_t)k, plan->n_parameters, u));
        for (int j = 0; j < plan->n_parameters; j++) {
            int i = input_of(p, plan->name[j]);
            double a = s->lower[j], b = s->upper[j];
            if (i < 0) return LOCUM_FAIL(LOCUM_INPUT, "the model has no input '%s'", plan->name[j]);
            s->x[k * p->n_inputs + i] = plan->log_scale[j] ? a * pow(b / a, u[j]) : a + u[j] * (b - a);
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

static void describe(const locum_problem *p, const shifted *s, locum_control *c)
{
    const locum_campaign_plan *plan = p->call->plan;
    size_t used = 0;

    for (int j = 0; j < plan->n_parameters && used < sizeof c->parameters; j++)
        used += (size_t)locum_format(c->parameters + used, sizeof c->parameters - used, "%s%s %.3g to %.3g%s",
                                     j ? ", " : "", plan->name[j], s->lower[j], s->upper[j],
                                     s->lower[j] < plan->lower[j] || s->upper[j] > plan->upper[j] ? " (shifted)" : "");
    locum_format(c->text, sizeof c->text,
                 "On data from outside the training range coverage is not promised and must fail visibly: %lld of %lld "
                 "samples covered, below %lld would "
                 "happen once in a thousand times if the data were like the training data. The solver ran at the "
                 "study's own grid and window; outside the "
                 "range the study resolves, its labels (spectra first of all) are under-resolved.",
                 (long long)c->covered, (long long)(c->samples - c->failed), (long long)c->law_limit);
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
    int64_t good = s->n - c->failed, n_cal = locum_model_n_calibration(p->model),
            level = locum_law_level(n_cal, p->config->coverage);
    c->error = good > 0 ? c->error / (double)good : NAN;
    c->law_limit =
        level >= 1 && good > 0 ? locum_law_quantile(good, (double)(n_cal + 1 - level), (double)level, 0.001) : -1;
    c->fails_visibly = c->law_limit >= 0 && c->covered < c->law_limit;
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
                                     .seed = p->seed ^ CONTROL_SEED,
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
