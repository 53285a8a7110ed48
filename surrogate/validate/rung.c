/* SPDX-License-Identifier: BSD-3-Clause */
/* rung.c - the ladder of cheaper solvers: resolution x step, cheapest first, the reference itself last.
 *
 *     resolution (1/8, 3/16,) 1/4, 3/8, 1/2, 3/4, 1 of the study's      step (or Courant number) 2x, 1x of the study's
 *     expected cost = fraction^(dimensions + 1) / step
 * Generic: the options are found by name in the solver's table (`resolution`; `step` if set, else `cfl`); what
 * the solver's check refuses is left out. A solver without them has one rung: then only windows are searched. */
#include "surrogate/validate/validate_parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double fractions[] = {0.125, 0.1875, 0.25, 0.375, 0.5, 0.75, 1};
enum { FRACTIONS = sizeof fractions / sizeof *fractions };
static const double step_factors[] = {2, 1};

enum { MOST_AXES = 3 };

typedef struct ladder {
    const locum_setup *setup;
    const locum_option *resolution; /**< NULL = the solver has none */
    int n_axes;
    int32_t n[MOST_AXES]; /**< the study's */
    const char *step;     /**< name of the option that widens the step, NULL = none */
    double step_value;
} ladder;

static void read_resolution(ladder *l)
{
    const unsigned char *config = locum_settings_config(l->setup->solver);
    const locum_option *o = locum_settings_option(l->setup->solver, "resolution");

    if (!o || o->type != LOCUM_I32) return;
    l->n_axes = o->n_max > 0 ? *(const int32_t *)(const void *)(config + o->place_n) : 1;
    if (l->n_axes < 1 || l->n_axes > MOST_AXES) return;
    memcpy(l->n, config + o->place, (size_t)l->n_axes * sizeof(int32_t));
    l->resolution = o;
}

static void read_step(ladder *l)
{
    static const char *const names[] = {"step", "cfl"};

    for (int i = 0; i < 2; i++) {
        const locum_option *o = locum_settings_option(l->setup->solver, names[i]);
        double value;
        if (!o || o->type != LOCUM_F64 || o->n_max > 0 || locum_settings_number(l->setup->solver, names[i], &value))
            continue;
        if (!(value > 0) || !isfinite(value)) continue;
        l->step = names[i];
        l->step_value = value;
        return;
    }
}

/* the points of one axis at a fraction: even if the study's are */
static int32_t points_at(int32_t n, double fraction)
{
    double value = n * fraction;

    return n % 2 ? (int32_t)lround(value) : 2 * (int32_t)lround(value / 2);
}

/* false if the solver does not take it */
static bool fill_config(const ladder *l, locum_rung *rung)
{
    unsigned char *config = rung->config;

    memcpy(config, locum_settings_config(l->setup->solver), l->setup->type->config_size);
    for (int a = 0; a < l->n_axes && l->resolution; a++) {
        int32_t points = points_at(l->n[a], rung->fraction);
        if ((l->resolution->min != 0 || l->resolution->max != 0) &&
            (points < l->resolution->min || points > l->resolution->max))
            return false;
        memcpy(config + l->resolution->place + (size_t)a * sizeof points, &points, sizeof points);
    }
    bool wider = rung->step_factor != 1;
    locum_status st = LOCUM_OK;
    if (wider) st = locum_settings_apply(l->setup->solver, config, l->step, rung->step_factor * l->step_value);
    if (!st && l->setup->type->check && (wider || rung->fraction != 1)) st = l->setup->type->check(config);
    if (st) locum_status_clear();
    return !st;
}

static void name_rung(const ladder *l, locum_rung *rung)
{
    size_t used = 0;

    locum_format(rung->resolution, sizeof rung->resolution, "-");
    for (int a = 0; a < l->n_axes && l->resolution && used < sizeof rung->resolution; a++)
        used += (size_t)locum_format(rung->resolution + used, sizeof rung->resolution - used, "%s%d", a ? " x " : "",
                                     points_at(l->n[a], rung->fraction));
    if (rung->step_factor != 1)
        locum_format(rung->text, sizeof rung->text, "resolution %s, %s x %g", rung->resolution, l->step,
                     rung->step_factor);
    else
        locum_format(rung->text, sizeof rung->text, "resolution %s", rung->resolution);
    if (!l->resolution)
        locum_format(rung->text, sizeof rung->text, rung->step_factor != 1 ? "%s x %g" : "the study's setting", l->step,
                     rung->step_factor);
}

static int by_cost(const void *a, const void *b)
{
    double x = ((const locum_rung *)a)->cost, y = ((const locum_rung *)b)->cost;

    return (x > y) - (x < y);
}

/* axes of the grid: the option `dimension`, else two */
static double dimensions(const ladder *l)
{
    double value = 2;

    if (locum_settings_option(l->setup->solver, "dimension") &&
        locum_settings_number(l->setup->solver, "dimension", &value))
        value = 2;
    return value;
}

/* small grids: two fractions may round to the same points */
static bool is_known(const locum_rung *rungs, int n, const locum_rung *rung)
{
    for (int i = 0; i < n; i++)
        if (!strcmp(rungs[i].text, rung->text)) return true;
    return false;
}

locum_status locum_rungs_make(const locum_setup *setup, double lowest, locum_rung rungs[LOCUM_RUNGS_MAX], int *n)
{
    ladder l = {.setup = setup};
    locum_status st = LOCUM_OK;

    *n = 0;
    read_resolution(&l);
    if (setup->type->time) read_step(&l);
    for (int f = FRACTIONS - 1; f >= 0 && fractions[f] >= lowest && !st; f--)
        for (int s = 0; s < 2 && !st; s++) {
            locum_rung *rung = &rungs[*n];
            *rung = (locum_rung){.fraction = fractions[f], .step_factor = step_factors[s]};
            if ((!l.resolution && fractions[f] < 1) || (!l.step && step_factors[s] != 1)) continue;
            st = locum_alloc(&rung->config, (int64_t)setup->type->config_size, 1);
            if (st) break;
            name_rung(&l, rung);
            if (!fill_config(&l, rung) || is_known(rungs, *n, rung)) {
                free(rung->config);
                rung->config = NULL;
                continue;
            }
            rung->cost = pow(rung->fraction, dimensions(&l) + 1) / rung->step_factor;
            ++*n;
        }
    qsort(rungs, (size_t)*n, sizeof *rungs, by_cost);
    if (st) {
        locum_rungs_free(*n, rungs);
        *n = 0;
    }
    return st;
}

/* half the step, where the solver has one to set; twice the points */
locum_status locum_rung_finer(const locum_setup *setup, locum_rung *rung)
{
    ladder l = {.setup = setup};

    *rung = (locum_rung){.fraction = 2, .step_factor = 0.5};
    read_resolution(&l);
    if (setup->type->time) read_step(&l);
    if (!l.resolution) return LOCUM_OK;
    if (!l.step) rung->step_factor = 1;
    LOCUM_TRY(locum_alloc(&rung->config, (int64_t)setup->type->config_size, 1));
    if (!fill_config(&l, rung)) {
        free(rung->config);
        rung->config = NULL;
        return LOCUM_OK;
    }
    rung->cost = pow(rung->fraction, dimensions(&l) + 1) / rung->step_factor;
    name_rung(&l, rung);
    return LOCUM_OK;
}

void locum_rungs_free(int n, locum_rung *rungs)
{
    for (int i = 0; i < n; i++) free(rungs[i].config);
}
