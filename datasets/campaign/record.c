/* SPDX-License-Identifier: BSD-3-Clause */
/* record.c - block `record`: which arrays are kept, and at which times.
 *
 *     from, from + every, ..., until          11 frames of `until: 10, every: 1`: the first is the initial state
 *     until alone                             `every` not given, or a running mean over [from, until]
 * Each time is from + i every, not a sum of many `every`, so that no round-off piles up. */
#include <stdlib.h>
#include <string.h>

#include "datasets/campaign/campaign_parts.h"

enum { TIMES_MAX = 100000000 };

#define PLACE(member) offsetof(locum_record_config, member)

static const locum_choice precisions[] = {
    {"float32", "fields as 4-byte numbers", NULL},
    {"float64", "fields as 8-byte numbers", NULL},
    {0},
};

const locum_option locum_record_options[] = {
    {.name = "from",
     .type = LOCUM_F64,
     .place = PLACE(from),
     .value = 0,
     .min = 0,
     .max = INFINITY,
     .unit = "time",
     .text = "first time that is recorded, or where the mean begins"},
    {.name = "until",
     .type = LOCUM_F64,
     .place = PLACE(until),
     .value = NAN,
     .min = 0,
     .max = INFINITY,
     .unit = "time",
     .text = "end of the run (solvers with time need it)"},
    {.name = "every",
     .type = LOCUM_F64,
     .place = PLACE(every),
     .value = NAN,
     .min = 0,
     .max = INFINITY,
     .unit = "time",
     .text = "time between frames; not given: the last frame alone",
     .flags = LOCUM_OPEN_MIN},
    {.name = "average",
     .type = LOCUM_BOOL,
     .place = PLACE(average),
     .value = 0,
     .text = "one frame with the running means over [from, until]"},
    {.name = "observe",
     .type = LOCUM_STRING,
     .place = PLACE(observe),
     .n_max = LOCUM_OBSERVE_MAX,
     .n_default = 0,
     .place_n = PLACE(n_observe),
     .text = "arrays to keep; not given: all that cost nothing extra"},
    {.name = "resolution",
     .type = LOCUM_I32,
     .place = PLACE(resolution),
     .value = 0,
     .min = 2,
     .max = 1 << 20,
     .unit = "1",
     .n_max = 2,
     .n_default = 0,
     .place_n = PLACE(n_resolution),
     .text = "store on this coarser grid; not given: the solver's"},
    {.name = "precision",
     .type = LOCUM_CHOICE,
     .place = PLACE(precision),
     .value = 0,
     .choices = precisions,
     .text = "of the fields in the file"},
    {.name = "format",
     .type = LOCUM_STRING,
     .place = PLACE(format),
     .string = "",
     .text = "a foreign file format for simulate; not given: the store"},
    {.name = "checkpoint",
     .type = LOCUM_F64,
     .place = PLACE(checkpoint),
     .value = 600,
     .min = 0,
     .max = INFINITY,
     .unit = "s",
     .text = "seconds of work between restart files of simulate",
     .flags = LOCUM_UNHASHED},
    {0},
};

static locum_status unknown_array(const char *name, const locum_schema *schema)
{
    char known[512] = "";
    size_t used = 0;

    for (int a = 0; a < schema->n_arrays && used < sizeof known; a++)
        used += (size_t)locum_format(known + used, sizeof known - used, "%s%s", a ? ", " : "", schema->arrays[a].name);
    return LOCUM_FAIL(LOCUM_STUDY, "record.observe: the solver has no array '%s'; it has %s", name, known);
}

/* a variance is made with its mean, over time */
static locum_status check_variance(const locum_record_config *record, const locum_schema *schema, int a,
                                   const bool *wanted)
{
    const char *name = schema->arrays[a].name;
    int base = locum_schema_variance_of(schema, a);

    LOCUM_REQUIRE(base >= 0, LOCUM_ARG, "the solver calls '%s' a variance, but has no array that it is the variance of",
                  name);
    LOCUM_REQUIRE(record->average, LOCUM_STUDY, "record.observe: '%s' is a variance over time; add `average: true`",
                  name);
    LOCUM_REQUIRE(wanted[base], LOCUM_STUDY, "record.observe: '%s' needs '%s' beside it", name,
                  schema->arrays[base].name);
    return LOCUM_OK;
}

locum_status locum_record_wanted(const locum_record_config *record, const locum_schema *schema, bool *wanted)
{
    int n_wanted = 0;

    for (int a = 0; a < schema->n_arrays; a++)
        wanted[a] = record->n_observe == 0 && !(schema->arrays[a].roles & LOCUM_COSTLY);
    for (int i = 0; i < record->n_observe; i++) {
        int a = locum_schema_find(schema, record->observe[i]);
        if (a < 0) return unknown_array(record->observe[i], schema);
        wanted[a] = true;
    }
    for (int a = 0; a < schema->n_arrays; a++) {
        n_wanted += wanted[a];
        if (wanted[a] && (schema->arrays[a].roles & LOCUM_VARIANCE))
            LOCUM_TRY(check_variance(record, schema, a, wanted));
    }
    LOCUM_REQUIRE(n_wanted > 0, LOCUM_STUDY,
                  "record.observe: name the arrays to keep; all of this solver are made on demand only");
    return LOCUM_OK;
}

locum_status locum_record_times(const locum_record_config *record, bool timeless, double until, int *n, double **times)
{
    double from = record->from, every = record->every;

    *n = 0;
    *times = NULL;
    if (timeless) {
        LOCUM_TRY(LOCUM_NEW(times, 1));
        *n = 1;
        return LOCUM_OK;
    }
    LOCUM_REQUIRE(isfinite(until), LOCUM_STUDY, "record.until: say how long to run");
    LOCUM_REQUIRE(until >= from, LOCUM_STUDY, "record: from = %g lies behind until = %g", from, until);
    bool one = record->average || !isfinite(every);
    double count = one ? 1 : floor((until - from) / every + 1e-9) + 1;
    LOCUM_REQUIRE(count <= TIMES_MAX, LOCUM_STUDY, "record.every = %g makes %.3g frames, more than %d", every, count,
                  TIMES_MAX);
    LOCUM_TRY(LOCUM_NEW(times, count));
    *n = (int)count;
    for (int i = 0; i < *n; i++) (*times)[i] = one ? until : from + i * every;
    /* a last time that is `until` but for round-off */
    if (fabs((*times)[*n - 1] - until) <= 1e-9 * (one ? 1 : every)) (*times)[*n - 1] = until;
    return LOCUM_OK;
}

bool locum_time_reached(double time, double target)
{
    return time >= target - 1e-12 * fabs(target); /* relative: a unit of time may be large or small */
}

static int64_t first_not_finite(locum_type type, const void *data, int64_t n)
{
    if (type == LOCUM_FLOAT64)
        for (int64_t i = 0; i < n; i++)
            if (!isfinite(((const double *)data)[i])) return i;
    if (type == LOCUM_FLOAT32)
        for (int64_t i = 0; i < n; i++)
            if (!isfinite(((const float *)data)[i])) return i;
    return -1;
}

locum_status locum_frame_check_finite(const locum_frame *frame, const bool *wanted)
{
    for (int a = 0; a < frame->schema->n_arrays; a++) {
        const locum_array *array = &frame->schema->arrays[a];
        const locum_block *block = &frame->blocks[a];
        if (!wanted[a] || !block->data) continue;
        int64_t bad = first_not_finite(array->type, block->data, locum_block_count(frame->schema, a, block));
        LOCUM_REQUIRE(bad < 0, LOCUM_NUMERIC, "%s is not finite at step %lld, time %g", array->name,
                      (long long)frame->step, frame->time);
    }
    return LOCUM_OK;
}
