/* SPDX-License-Identifier: BSD-3-Clause */
/* score.c - sums over fields, and the errors that follow from them.
 *
 *     per sample, lead, output:   |p - t|^2   |t|^2   |t - <t>|^2   |p - <p>|^2   <p - <p>, t - <t>>
 *     relative L2  = sqrt(sum |p - t|^2 / sum |t|^2)      over one frame, or over the joined trajectory (all leads)
 *     VRMSE        = sqrt(sum |p - t|^2 / sum |t - <t>|^2)      correlation = <p, t> / sqrt(<p, p> <t, t>) about the means
 * <.> is the mean over the grid of each component. Variances over time are divided by their root mean square over the
 * training split instead of the truth, which may vanish. Several outputs: the mean over those of the metric. */
#include "surrogate/validate/fields/fields.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

locum_status locum_scores_make(const locum_fields *f, int64_t n, int n_leads, locum_scores *scores)
{
    *scores = (locum_scores){.n = n, .n_leads = n_leads, .n_outputs = f->n_outputs};
    memcpy(scores->typical, f->typical, sizeof f->typical);
    return LOCUM_NEW(&scores->sum, n * n_leads * f->n_outputs * LOCUM_SUMS + 1);
}

void locum_scores_free(locum_scores *scores)
{
    free(scores->sum);
    *scores = (locum_scores){0};
}

static double *sums_of(const locum_scores *s, int64_t sample, int lead, int output)
{
    return s->sum + ((sample * s->n_leads + lead) * s->n_outputs + output) * LOCUM_SUMS;
}

static void mean_of(int64_t points, int components, int c, const double *values, double *mean)
{
    double sum = 0;

    for (int64_t i = 0; i < points; i++) sum += values[i * components + c];
    *mean = sum / (double)points;
}

/* one component; p NULL: zeros */
static void add_component(int64_t points, int components, int c, const double *p, const double *t, double *sum)
{
    double mean_p = 0, mean_t;

    mean_of(points, components, c, t, &mean_t);
    if (p) mean_of(points, components, c, p, &mean_p);
    for (int64_t i = 0; i < points; i++) {
        double truth = t[i * components + c], value = p ? p[i * components + c] : 0;
        sum[LOCUM_SUM_ERROR] += (value - truth) * (value - truth);
        sum[LOCUM_SUM_TRUTH] += truth * truth;
        sum[LOCUM_SUM_TRUTH_SPREAD] += (truth - mean_t) * (truth - mean_t);
        sum[LOCUM_SUM_SPREAD] += (value - mean_p) * (value - mean_p);
        sum[LOCUM_SUM_PRODUCT] += (value - mean_p) * (truth - mean_t);
    }
}

void locum_scores_add(const locum_fields *f, locum_scores *scores, int64_t sample, int lead, const double *prediction,
                      const double *truth)
{
    for (int o = 0; o < f->n_outputs; o++) {
        const locum_field_array *a = &f->output[o];
        double *sum = sums_of(scores, sample, lead, o);
        memset(sum, 0, LOCUM_SUMS * sizeof *sum);
        for (int c = 0; c < a->components; c++)
            add_component(a->count / a->components, a->components, c, prediction ? prediction + a->first : NULL,
                          truth + a->first, sum);
    }
}

/* --- errors ----------------------------------------------------------------------------------- */

/* as locum_metric_relative: a truth that vanishes counts 0 if it is met exactly, else 1 */
static double ratio(double error, double truth)
{
    if (truth > 0) return sqrt(error / truth);
    return error == 0 ? 0 : 1;
}

double locum_scores_output(const locum_scores *s, int64_t sample, int lead, int output)
{
    double error = 0, truth = 0;

    for (int l = lead < 0 ? 0 : lead; l < (lead < 0 ? s->n_leads : lead + 1); l++) {
        error += sums_of(s, sample, l, output)[LOCUM_SUM_ERROR];
        truth += sums_of(s, sample, l, output)[LOCUM_SUM_TRUTH];
    }
    return ratio(error, s->typical[output] > 0 ? s->typical[output] : truth);
}

double locum_scores_relative(const locum_fields *f, const locum_scores *s, int64_t sample, int lead)
{
    double sum = 0;

    for (int o = 0; o < f->n_outputs; o++)
        if (f->in_metric[o]) sum += locum_scores_output(s, sample, lead, o);
    return sum / f->n_metric;
}

static double vrmse_of(const locum_fields *f, const locum_scores *s, int64_t sample, int lead)
{
    double sum = 0;

    for (int o = 0; o < f->n_outputs; o++) {
        const double *q = sums_of(s, sample, lead, o);
        if (f->in_metric[o]) sum += ratio(q[LOCUM_SUM_ERROR], q[LOCUM_SUM_TRUTH_SPREAD]);
    }
    return sum / f->n_metric;
}

static double correlation_of(const locum_fields *f, const locum_scores *s, int64_t sample, int lead)
{
    double sum = 0;

    for (int o = 0; o < f->n_outputs; o++) {
        const double *q = sums_of(s, sample, lead, o);
        double scale = sqrt(q[LOCUM_SUM_SPREAD] * q[LOCUM_SUM_TRUTH_SPREAD]);
        if (f->in_metric[o] && scale > 0) sum += q[LOCUM_SUM_PRODUCT] / scale;
    }
    return sum / f->n_metric;
}

static locum_status allocate(const locum_fields *f, const locum_scores *s, locum_field_errors *e)
{
    e->n_leads = s->n_leads;
    e->joined.n = s->n;
    LOCUM_TRY(LOCUM_NEW(&e->mean, s->n_leads));
    LOCUM_TRY(LOCUM_NEW(&e->low, s->n_leads));
    LOCUM_TRY(LOCUM_NEW(&e->high, s->n_leads));
    LOCUM_TRY(LOCUM_NEW(&e->vrmse, s->n_leads));
    LOCUM_TRY(LOCUM_NEW(&e->correlation, s->n_leads));
    LOCUM_TRY(LOCUM_NEW(&e->joined.sample, s->n));
    LOCUM_TRY(LOCUM_NEW(&e->joined.of_output, s->n * f->n_outputs));
    return LOCUM_NEW(&e->joined.output_mean, f->n_outputs);
}

static locum_status join(const locum_fields *f, const locum_scores *s, locum_errors *joined)
{
    joined->mean = 0;
    for (int64_t i = 0; i < s->n; i++) {
        for (int o = 0; o < f->n_outputs; o++) {
            double error = locum_scores_output(s, i, -1, o);
            joined->of_output[i * f->n_outputs + o] = error;
            joined->output_mean[o] += error / (double)s->n;
        }
        joined->sample[i] = locum_scores_relative(f, s, i, -1);
        joined->mean += joined->sample[i] / (double)s->n;
    }
    return locum_bootstrap(s->n, joined->sample, f->seed, &joined->low, &joined->high);
}

/* the last lead up to which all were good, as a time */
static double valid_until(const locum_fields *f, const locum_scores *s, int64_t sample, bool by_correlation)
{
    double time = 0;

    for (int l = 0; l < s->n_leads; l++) {
        bool good = by_correlation ? correlation_of(f, s, sample, l) > LOCUM_VALID_CORRELATION
                                   : locum_scores_relative(f, s, sample, l) < LOCUM_VALID_ERROR;
        if (!good) break;
        time = f->times[l];
    }
    return time;
}

locum_status locum_field_errors_make(const locum_fields *f, const locum_scores *s, locum_field_errors *e)
{
    double *sorted = NULL;

    *e = (locum_field_errors){.joined = {.mean = NAN, .low = NAN, .high = NAN}, .valid = NAN, .valid_correlation = NAN};
    LOCUM_TRY(allocate(f, s, e));
    if (s->n == 0) return LOCUM_OK;
    LOCUM_TRY(join(f, s, &e->joined));
    LOCUM_TRY(LOCUM_NEW(&sorted, s->n));
    for (int l = 0; l < s->n_leads; l++) {
        for (int64_t i = 0; i < s->n; i++) {
            sorted[i] = locum_scores_relative(f, s, i, l);
            e->mean[l] += sorted[i] / (double)s->n;
            e->vrmse[l] += vrmse_of(f, s, i, l) / (double)s->n;
            e->correlation[l] += correlation_of(f, s, i, l) / (double)s->n;
        }
        e->low[l] = locum_quantile_of(s->n, sorted, 0.1);
        e->high[l] = locum_quantile_of(s->n, sorted, 0.9);
    }
    free(sorted);
    e->valid = e->valid_correlation = 0;
    for (int64_t i = 0; i < s->n; i++) {
        e->valid += valid_until(f, s, i, false) / (double)s->n;
        e->valid_correlation += valid_until(f, s, i, true) / (double)s->n;
    }
    return LOCUM_OK;
}

void locum_field_errors_free(locum_field_errors *e)
{
    free(e->mean);
    free(e->low);
    free(e->high);
    free(e->vrmse);
    free(e->correlation);
    locum_errors_free(&e->joined);
    *e = (locum_field_errors){0};
}
