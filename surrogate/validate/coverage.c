/* SPDX-License-Identifier: BSD-3-Clause */
/* coverage.c - does the truth lie in the interval as often as promised?
 *
 *     a sample is covered if every value of every output lies inside (simultaneous: one score per sample)
 *     covered ~ BB(n_test; n_cal + 1 - l, l)      two-sided 99.8 % range: quantiles 0.1 % and 99.9 %
 * The promise is marginal: over all samples, not within a group. Groups (tertiles of each input) show where it
 * is kept less. */
#include "surrogate/validate/validate_parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

bool locum_coverage_row(int64_t width, const double *lower, const double *upper, const double *truth)
{
    for (int64_t j = 0; j < width; j++)
        if (!(truth[j] >= lower[j] && truth[j] <= upper[j])) return false;
    return true;
}

static double norm(int64_t n, const double *a, const double *b)
{
    double sum = 0;

    for (int64_t i = 0; i < n; i++) sum += (a[i] - (b ? b[i] : 0)) * (a[i] - (b ? b[i] : 0));
    return sqrt(sum);
}

static locum_status measure_widths(const locum_problem *p, const locum_trusted *t, locum_coverage *c)
{
    double *ratio = NULL;

    LOCUM_TRY(LOCUM_NEW(&c->median_width, p->n_outputs));
    LOCUM_TRY(LOCUM_NEW(&ratio, t->n));
    for (int j = 0; j < p->n_outputs; j++) {
        int64_t first = p->first[j], n = p->first[j + 1] - first;
        for (int64_t i = 0; i < t->n; i++) {
            int64_t at = i * p->width + first;
            ratio[i] = norm(n, t->upper + at, t->lower + at) / norm(n, t->value + at, NULL);
        }
        c->median_width[j] = locum_quantile_of(t->n, ratio, 0.5);
    }
    free(ratio);
    return LOCUM_OK;
}

/* tertiles of one input over the test samples */
static locum_status group_by(const locum_problem *p, int input, locum_coverage *c)
{
    static const char *const part[] = {"low", "middle", "high"};
    int64_t n = p->n[LOCUM_TEST];
    double *sorted = NULL;

    LOCUM_TRY(LOCUM_NEW(&sorted, n));
    for (int64_t i = 0; i < n; i++) sorted[i] = p->x[LOCUM_TEST][i * p->n_inputs + input];
    double edge[4] = {-INFINITY, locum_quantile_of(n, sorted, 1.0 / 3), locum_quantile_of(n, sorted, 2.0 / 3),
                      INFINITY};
    for (int g = 0; g < 3; g++) {
        locum_coverage_group *group = &c->groups[c->n_groups++];
        double least = INFINITY, most = -INFINITY;
        for (int64_t i = 0; i < n; i++) {
            double value = p->x[LOCUM_TEST][i * p->n_inputs + input];
            if (!(value > edge[g] && value <= edge[g + 1])) continue;
            group->samples++;
            group->covered += c->is_covered[i];
            least = fmin(least, value);
            most = fmax(most, value);
        }
        locum_format(group->name, sizeof group->name, "%s %s, %.3g to %.3g", locum_model_input(p->model, input)->name,
                     part[g], least, most);
        if (group->samples == 0) c->n_groups--;
    }
    free(sorted);
    return LOCUM_OK;
}

void locum_coverage_law(locum_coverage *c)
{
    int64_t level = locum_law_level(c->calibration, c->target);

    c->law_low = c->law_high = -1;
    if (c->calibration == 0 || level < 1) return;
    c->law_low = locum_law_quantile(c->samples, (double)(c->calibration + 1 - level), (double)level, 0.001);
    c->law_high = locum_law_quantile(c->samples, (double)(c->calibration + 1 - level), (double)level, 0.999);
}

locum_status locum_coverage_make(const locum_problem *p, const locum_trusted *trusted, locum_coverage *c)
{
    *c = (locum_coverage){
        .target = p->config->coverage, .samples = p->n[LOCUM_TEST], .calibration = locum_model_n_calibration(p->model)};
    LOCUM_TRY(LOCUM_NEW(&c->is_covered, c->samples));
    LOCUM_TRY(LOCUM_NEW(&c->groups, 3 * p->n_inputs));
    for (int64_t i = 0; i < c->samples; i++) {
        c->is_covered[i] = locum_coverage_row(p->width, trusted->lower + i * p->width, trusted->upper + i * p->width,
                                              p->y[LOCUM_TEST] + i * p->width);
        c->covered += c->is_covered[i];
    }
    locum_coverage_law(c);
    for (int i = 0; i < p->n_inputs; i++) LOCUM_TRY(group_by(p, i, c));
    return measure_widths(p, trusted, c);
}

void locum_coverage_free(locum_coverage *coverage)
{
    free(coverage->median_width);
    free(coverage->is_covered);
    free(coverage->groups);
    *coverage = (locum_coverage){0};
}
