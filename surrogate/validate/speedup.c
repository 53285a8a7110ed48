/* SPDX-License-Identifier: BSD-3-Clause */
/* speedup.c - time of the cheapest solver setting with the surrogate's error, over the surrogate's time.
 *
 *     error            "="   between two neighbours of the front: log t linear in log error
 *       |o             "<="  the cheapest setting is already better: a cheaper one might be as good
 *       |  o   o       ">="  no setting up to the reference's own cost is as good: value from that cost
 *     e +----x---                              o the front: no cheaper setting is as good
 *       |      o
 *       +----------- time */
#include "surrogate/validate/validate_parts.h"

#include <math.h>
#include <stdlib.h>

static int by_time(const void *a, const void *b)
{
    const locum_setting_found *x = a, *y = b;

    if (x->seconds != y->seconds) return x->seconds < y->seconds ? -1 : 1;
    return (x->error > y->error) - (x->error < y->error);
}

void locum_front_mark(int64_t n, locum_setting_found *settings)
{
    double least = INFINITY;

    if (n > 0) qsort(settings, (size_t)n, sizeof *settings, by_time);
    for (int64_t i = 0; i < n; i++) {
        settings[i].best = settings[i].error < least;
        if (settings[i].best) least = settings[i].error;
    }
}

static double interpolate(const locum_setting_found *worse, const locum_setting_found *better, double error)
{
    if (!(better->error > 0) || !(error > 0)) return better->seconds;
    double part = log(worse->error / error) / log(worse->error / better->error);

    return worse->seconds * pow(better->seconds / worse->seconds, part);
}

static void claim(locum_speedup *s, const char *bound, double seconds, double surrogate_seconds)
{
    locum_format(s->bound, sizeof s->bound, "%s", bound);
    s->seconds = seconds;
    s->value = seconds / surrogate_seconds;
}

static void not_reached(const locum_search *search, double surrogate_seconds, locum_speedup *s)
{
    bool known = search->complete && isfinite(search->reference_seconds);
    double seconds = known ? search->reference_seconds : search->walked_seconds;

    claim(s, ">=", seconds, surrogate_seconds);
    if (known)
        locum_format(s->reason, sizeof s->reason,
                     "no cheaper setting of the solver up to the reference's own cost of %.3g s has an error as small "
                     "as the surrogate's %.3g; "
                     "the value is from that cost",
                     seconds, search->surrogate_error);
    else
        locum_format(s->reason, sizeof s->reason,
                     "no setting walked has an error as small as the surrogate's %.3g; the search was cut short by "
                     "validate.baseline_seconds, so "
                     "the value is from the dearest setting walked, %.3g s, below the reference's own cost",
                     search->surrogate_error, seconds);
}

void locum_speedup_find(const locum_search *search, double surrogate_seconds, locum_speedup *speedup)
{
    const locum_setting_found *worse = NULL;
    double error = search->surrogate_error;

    *speedup = (locum_speedup){.value = NAN, .seconds = NAN, .setting = -1};
    if (!search->done || search->n == 0 || !isfinite(error) || !(surrogate_seconds > 0)) {
        locum_format(speedup->reason, sizeof speedup->reason,
                     "no solver setting was measured, so no speed-up is claimed");
        return;
    }
    for (int64_t i = 0; i < search->n && speedup->setting < 0; i++) {
        const locum_setting_found *s = &search->settings[i];
        if (!s->best) continue;
        if (s->error <= error)
            speedup->setting = i;
        else
            worse = s;
    }
    if (speedup->setting < 0) {
        not_reached(search, surrogate_seconds, speedup);
        return;
    }
    const locum_setting_found *better = &search->settings[speedup->setting];
    if (!worse) {
        claim(speedup, "<=", better->seconds, surrogate_seconds);
        locum_format(speedup->reason, sizeof speedup->reason,
                     "the cheapest setting walked (%s) is already better, %.3g against the surrogate's %.3g; a cheaper "
                     "one may be as good",
                     better->text, better->error, error);
        return;
    }
    claim(speedup, "=", interpolate(worse, better, error), surrogate_seconds);
    locum_format(speedup->reason, sizeof speedup->reason,
                 "the surrogate's error %.3g lies between those of two settings on the front: %s (%.3g in %.3g s) and "
                 "%s (%.3g in %.3g s); time "
                 "interpolated in logarithms",
                 error, worse->text, worse->error, worse->seconds, better->text, better->error, better->seconds);
}

double locum_break_even(double cost, double solver_seconds, double surrogate_seconds)
{
    double saved = solver_seconds - surrogate_seconds;

    if (!(saved > 0) || !isfinite(saved) || !isfinite(cost)) return NAN;
    return ceil(cost / saved);
}
