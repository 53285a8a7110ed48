/* SPDX-License-Identifier: BSD-3-Clause */
/* run.c - the study's solver on samples of the dataset: from one of their frames, or from parameters and a seed. What
 * it gives comes as frames of the problem, on the dataset's grid (datasets/campaign/forecast.h).
 *
 * A perturbation is white noise of the field's rms times a small number, its mean removed: a solver that needs a mean
 * of zero keeps it. Seeds are those that no sample of a campaign has. */
#include "surrogate/validate/fields/fields.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/random.h"

#define OTHER_SEEDS ((uint64_t)1 << 40)

typedef struct runner {
    const locum_fields *fields;
    const locum_field_run *run;
    int n_parameters, n_arrays;
    const char **name; /**< [n_parameters] */
    double *parameter; /**< [n, n_parameters] */
    uint64_t *seed;
    const char *array[2 * LOCUM_FIELD_ARRAYS];
    int64_t count[2 * LOCUM_FIELD_ARRAYS];
    double *frame;       /**< [in_width + width] */
    locum_schema schema; /**< of initial frames: the dataset's arrays on grids */
    locum_array *arrays;
    int *place; /**< [schema.n_arrays] in the dataset's schema */
} runner;

const char *locum_fields_obstacle(const locum_fields *f)
{
    const locum_setup *setup = f->call->setup;

    if (!setup) return "the data come without a solver, so there is nothing to compare times with";
    if (!locum_fields_begin_from_frames(f) && setup->from_file)
        return "the initial state comes from a file, which the search of cheaper settings does not read";
    return NULL;
}

bool locum_fields_begin_from_frames(const locum_fields *f)
{
    return f->step || f->n_inputs > 0;
}

/* --- set-up ----------------------------------------------------------------------------------- */

static locum_status read_parameters(runner *r)
{
    const locum_fields *f = r->fields;

    r->n_parameters = locum_dataset_n_parameters(f->dataset);
    LOCUM_TRY(LOCUM_NEW(&r->name, r->n_parameters + 1));
    LOCUM_TRY(LOCUM_NEW(&r->parameter, r->run->n * r->n_parameters + 1));
    LOCUM_TRY(LOCUM_NEW(&r->seed, r->run->n + 1));
    for (int p = 0; p < r->n_parameters; p++) r->name[p] = locum_dataset_parameter_name(f->dataset, p);
    for (int64_t i = 0; i < r->run->n; i++) {
        const double *row = r->run->test
                                ? locum_dataset_sample_at(f->dataset, f->sample[LOCUM_TEST][r->run->test[i]])->parameter
                                : r->run->parameter + i * r->n_parameters;
        if (r->n_parameters) memcpy(r->parameter + i * r->n_parameters, row, (size_t)r->n_parameters * sizeof *row);
        r->seed[i] = locum_random_seed(r->run->seed, LOCUM_STREAM_SAMPLE, OTHER_SEEDS + (uint64_t)i);
    }
    return LOCUM_OK;
}

static locum_status describe_initial(runner *r)
{
    const locum_schema *from = locum_dataset_schema(r->fields->dataset);

    LOCUM_TRY(LOCUM_NEW(&r->arrays, from->n_arrays));
    LOCUM_TRY(LOCUM_NEW(&r->place, from->n_arrays));
    r->schema = *from;
    r->schema.arrays = r->arrays;
    r->schema.n_arrays = 0;
    for (int a = 0; a < from->n_arrays; a++) {
        const locum_domain *domain = &from->domains[from->arrays[a].domain];
        bool real = from->arrays[a].type == LOCUM_FLOAT64 || from->arrays[a].type == LOCUM_FLOAT32;
        if (domain->support != LOCUM_GRID || !real) continue;
        r->place[r->schema.n_arrays] = a;
        r->arrays[r->schema.n_arrays] = from->arrays[a];
        r->arrays[r->schema.n_arrays++].type = LOCUM_FLOAT64;
    }
    return LOCUM_OK;
}

static void name_arrays(runner *r)
{
    const locum_fields *f = r->fields;

    for (int k = 0; k < f->n_inputs && r->run->with_inputs; k++) {
        r->array[r->n_arrays] = f->input[k].name;
        r->count[r->n_arrays++] = f->input[k].count;
    }
    for (int k = 0; k < f->n_outputs; k++) {
        r->array[r->n_arrays] = f->output[k].name;
        r->count[r->n_arrays++] = f->output[k].count;
    }
}

/* --- what the forecast calls ------------------------------------------------------------------ */

static void perturb(const runner *r, int64_t i, int a, int64_t count, double *values)
{
    int components = (int)locum_array_components(&r->arrays[a]);
    int64_t points = count / components;
    uint64_t seed = locum_random_seed(r->run->seed ^ (uint64_t)(a + 1), LOCUM_STREAM_NOISE, (uint64_t)i);
    double z[2];

    for (int c = 0; c < components; c++) {
        double square = 0, mean = 0;
        for (int64_t j = 0; j < points; j++) {
            double v = values[j * components + c];
            locum_random_normal(seed, LOCUM_STREAM_NOISE, (uint64_t)(j * components + c), z);
            square += v * v / (double)points;
            mean += z[0] / (double)points;
        }
        for (int64_t j = 0; j < points; j++) {
            locum_random_normal(seed, LOCUM_STREAM_NOISE, (uint64_t)(j * components + c), z);
            values[j * components + c] += r->run->perturbation * sqrt(square) * (z[0] - mean);
        }
    }
}

static locum_status begin_at(void *self, int64_t i, double *const *values)
{
    runner *r = self;
    const locum_fields *f = r->fields;
    int64_t frame = r->run->start >= 0 ? r->run->start
                    : f->step          ? f->history - 1
                                       : 0,
            b = f->sample[LOCUM_TEST][r->run->test[i]];

    for (int a = 0; a < r->schema.n_arrays; a++) {
        int64_t count = locum_dataset_count(f->dataset, b, frame, r->place[a]);
        LOCUM_TRY(locum_dataset_read(f->dataset, b, frame, r->place[a], values[a]));
        if (r->run->perturbation > 0) perturb(r, i, a, count, values[a]);
        for (int64_t j = 0; j < count && r->run->amplitude != 0; j++) values[a][j] *= r->run->amplitude;
    }
    return LOCUM_OK;
}

static locum_status hand_on(void *self, int64_t i, int time, const double *const *values)
{
    runner *r = self;
    double *to = r->frame;

    for (int k = 0; k < r->n_arrays; k++) {
        memcpy(to, values[k], (size_t)r->count[k] * sizeof *to);
        to += r->count[k];
    }
    return r->run->frame(r->run->self, i, time, r->frame);
}

/* --- the run ---------------------------------------------------------------------------------- */

static locum_status prepare(runner *r)
{
    LOCUM_REQUIRE(r->fields->n_outputs + r->fields->n_inputs <= LOCUM_OBSERVE_MAX, LOCUM_NOT_BUILT,
                  "more fields than a record can name");
    name_arrays(r);
    LOCUM_TRY(read_parameters(r));
    LOCUM_TRY(describe_initial(r));
    return LOCUM_NEW(&r->frame, r->fields->in_width + r->fields->width);
}

locum_status locum_field_run_solver(const locum_fields *f, const locum_field_run *run, double *seconds, bool *failed)
{
    runner r = {.fields = f, .run = run};
    locum_progress progress;
    bool shown = run->what && run->world != MPI_COMM_SELF;

    locum_status st = locum_comm_agree(run->world, prepare(&r));
    if (!st) {
        locum_forecast_call call = {.setup = f->call->setup,
                                    .config = run->config,
                                    .n_parameters = r.n_parameters,
                                    .parameter_name = r.name,
                                    .n = run->n,
                                    .parameter = r.parameter,
                                    .seed = r.seed,
                                    .initial_schema = run->test && locum_fields_begin_from_frames(f) ? &r.schema : NULL,
                                    .initial = begin_at,
                                    .n_arrays = r.n_arrays,
                                    .array = r.array,
                                    .count = r.count,
                                    .n_times = run->n_times ? run->n_times : f->n_leads,
                                    .times = run->n_times ? run->times : f->times,
                                    .average = run->average,
                                    .from = run->from,
                                    .frame = hand_on,
                                    .self = &r,
                                    .world = run->world,
                                    .watch = f->call->watch,
                                    .progress = shown ? &progress : NULL};
        if (shown) locum_progress_begin(&progress, f->call->log, run->what, (double)run->n, 0);
        st = locum_forecast(&call, seconds, failed);
        if (shown) locum_progress_end(&progress);
    }
    free(r.name);
    free(r.parameter);
    free(r.seed);
    free(r.arrays);
    free(r.place);
    free(r.frame);
    return st;
}
