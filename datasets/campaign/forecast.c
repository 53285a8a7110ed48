/* SPDX-License-Identifier: BSD-3-Clause */
/* forecast.c - fields of many samples, each solved alone by one rank and handed on frame by frame (forecast.h).
 *
 *     counter -> sample -> initial arrays -> solver's grid -> driver -> dataset's grid -> frame()
 *
 * Grids change by the solver's own `resample`: `starter` has the grid of `config`, `target` that of the dataset
 * (the study's config with record.resolution). What resample lends lives as long as its solver, so both are made
 * anew when they have lent much. The clock stands still while fields are resampled and handed on. A mean of zero that
 * storage in single precision has left as rounding is made zero again: solvers that need it are strict in doubles. */
#include "datasets/campaign/forecast.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "datasets/campaign/campaign_parts.h"

static const size_t MOST_LENT = (size_t)64 << 20;
static const double ROUNDING = 1e-6; /* of the rms: a mean below it is what float32 leaves of none */

/* a solver that only resamples */
typedef struct helper {
    const void *config;
    locum_solver *solver;
    size_t lent;
} helper;

typedef struct job {
    const locum_forecast_call *call;
    const locum_solver_type *type;
    locum_record_config record;
    double *seconds; /**< [n, n_times] */
    int32_t *failed; /**< [n] */
    char *config, *target_config;
    locum_solver *solver;
    locum_state *state;
    helper starter, target;
    double **initial;            /**< [initial arrays][count] */
    locum_block *initial_blocks; /**< of the dataset's grid */
    locum_block *start_blocks;   /**< of the solver's schema */
    int *array;                  /**< [n_arrays] in the solver's schema */
    double **value;              /**< [n_arrays] what is handed on */
    double **plain;              /**< [n_arrays] as doubles on the solver's grid, where that is another one */
    locum_block *fine, *mapped;  /**< of the solver's and the target's schema */
    bool same_start, same_target;
    locum_crew crew;
    bool has_crew;
    locum_host host;
    int64_t sample;
    int time;
    double begin, paused;
} job;

/* --- grids ------------------------------------------------------------------------------------------------- */

static const locum_domain *domain_of(const locum_schema *schema, int a)
{
    return &schema->domains[schema->arrays[a].domain];
}

static int64_t count_of(const locum_schema *schema, int a)
{
    const locum_domain *d = domain_of(schema, a);
    int64_t n = locum_array_components(&schema->arrays[a]);

    for (int i = 0; i < d->n_dims; i++) n *= d->n_global[i];
    return n;
}

static locum_block whole_block(const locum_domain *d, const void *data)
{
    locum_block block = {.data = data, .n = {1, 1, 1}, .n_global = 1};

    for (int i = 0; i < d->n_dims; i++) {
        block.n[i] = d->n_global[i];
        block.n_global *= d->n_global[i];
    }
    return block;
}

static bool same_points(const locum_domain *a, const locum_domain *b)
{
    return a->n_dims == b->n_dims && !memcmp(a->n_global, b->n_global, (size_t)a->n_dims * sizeof *a->n_global);
}

static const locum_domain *first_grid(const locum_schema *schema)
{
    for (int d = 0; d < schema->n_domains; d++)
        if (schema->domains[d].support == LOCUM_GRID) return &schema->domains[d];
    return NULL;
}

static locum_status renew(job *j, helper *h)
{
    if (h->solver && h->lent <= MOST_LENT) return LOCUM_OK;
    if (h->solver) j->type->destroy(h->solver);
    h->solver = NULL;
    h->lent = 0;
    return j->type->create(h->config, &j->host.services, MPI_COMM_SELF, &h->solver);
}

/* --- set-up ------------------------------------------------------------------------------------------------ */

static locum_status prepare_initial(job *j)
{
    const locum_schema *in = j->call->initial_schema, *own = j->type->schema(j->solver);

    if (!in) return LOCUM_OK;
    LOCUM_TRY(LOCUM_NEW(&j->initial, in->n_arrays));
    LOCUM_TRY(LOCUM_NEW(&j->initial_blocks, in->n_arrays));
    LOCUM_TRY(LOCUM_NEW(&j->start_blocks, own->n_arrays));
    for (int a = 0; a < in->n_arrays; a++) {
        LOCUM_REQUIRE(in->arrays[a].type == LOCUM_FLOAT64 && domain_of(in, a)->support == LOCUM_GRID, LOCUM_ARG,
                      "locum_forecast begins from grids of float64");
        LOCUM_TRY(LOCUM_NEW(&j->initial[a], count_of(in, a)));
        j->initial_blocks[a] = whole_block(domain_of(in, a), j->initial[a]);
    }
    const locum_domain *grid = first_grid(own);
    LOCUM_REQUIRE(grid, LOCUM_STUDY, "%s has no grid to begin on", j->type->name);
    j->same_start = in->n_arrays > 0 && same_points(domain_of(in, 0), grid);
    LOCUM_REQUIRE(j->same_start || j->type->resample, LOCUM_STUDY, "%s cannot begin on another grid", j->type->name);
    j->starter.config = j->call->config;
    return LOCUM_OK;
}

static locum_status prepare_array(job *j, const locum_schema *own, const locum_schema *target, int k)
{
    const char *name = j->call->array[k];
    int a = locum_schema_find(own, name), b = locum_schema_find(target, name);

    LOCUM_REQUIRE(a >= 0 && b >= 0, LOCUM_STUDY, "%s has no array '%s'", j->type->name, name);
    LOCUM_REQUIRE(domain_of(own, a)->support == LOCUM_GRID, LOCUM_STUDY, "'%s' of %s lies on no grid", name,
                  j->type->name);
    LOCUM_REQUIRE(own->arrays[a].type == LOCUM_FLOAT64 || own->arrays[a].type == LOCUM_FLOAT32, LOCUM_STUDY,
                  "'%s' of %s is not a real number", name, j->type->name);
    LOCUM_REQUIRE(count_of(target, b) == j->call->count[k], LOCUM_STUDY,
                  "'%s' of %s has %lld values, that of the dataset %lld: they belong to different studies", name,
                  j->type->name, (long long)count_of(target, b), (long long)j->call->count[k]);
    j->array[k] = a;
    LOCUM_TRY(LOCUM_NEW(&j->value[k], j->call->count[k]));
    if (same_points(domain_of(own, a), domain_of(target, b))) return LOCUM_OK;
    j->same_target = false;
    return LOCUM_NEW(&j->plain[k], count_of(own, a));
}

static locum_status prepare_target(job *j)
{
    const locum_setup *setup = j->call->setup;
    const void *study = locum_settings_config(setup->solver);

    LOCUM_TRY(LOCUM_NEW(&j->target_config, j->type->config_size));
    if (setup->record_config->n_resolution > 0)
        LOCUM_TRY(locum_coarsen_config(setup, study, j->target_config));
    else
        memcpy(j->target_config, study, j->type->config_size);
    j->target.config = j->target_config;
    LOCUM_TRY(renew(j, &j->target));
    const locum_schema *own = j->type->schema(j->solver), *target = j->type->schema(j->target.solver);
    LOCUM_TRY(LOCUM_NEW(&j->fine, own->n_arrays));
    LOCUM_TRY(LOCUM_NEW(&j->mapped, target->n_arrays));
    LOCUM_TRY(LOCUM_NEW(&j->array, j->call->n_arrays));
    LOCUM_TRY(LOCUM_NEW(&j->value, j->call->n_arrays));
    LOCUM_TRY(LOCUM_NEW(&j->plain, j->call->n_arrays));
    j->same_target = true;
    for (int k = 0; k < j->call->n_arrays; k++) LOCUM_TRY(prepare_array(j, own, target, k));
    LOCUM_REQUIRE(j->same_target || j->type->resample, LOCUM_STUDY, "%s cannot bring fields to another grid",
                  j->type->name);
    return LOCUM_OK;
}

static void fill_record(job *j)
{
    const locum_forecast_call *call = j->call;

    j->record = *call->setup->record_config;
    j->record.average = call->average;
    j->record.from = call->average ? call->from : 0;
    j->record.until = call->times[call->n_times - 1];
    j->record.every = NAN;
    j->record.n_resolution = 0;
    j->record.n_observe = call->n_arrays;
    for (int k = 0; k < call->n_arrays; k++) locum_format(j->record.observe[k], LOCUM_TEXT_SIZE, "%s", call->array[k]);
}

static locum_status prepare(job *j)
{
    const locum_forecast_call *call = j->call;

    LOCUM_REQUIRE(call->n_arrays >= 1 && call->n_arrays <= LOCUM_OBSERVE_MAX && call->n_times >= 1, LOCUM_ARG,
                  "locum_forecast needs 1 to %d arrays, and a time", LOCUM_OBSERVE_MAX);
    fill_record(j);
    LOCUM_TRY(LOCUM_NEW(&j->config, j->type->config_size));
    LOCUM_TRY(LOCUM_NEW(&j->failed, call->n));
    LOCUM_TRY(locum_host_begin(&j->host, NULL, &j->crew.local, NULL, NULL, ""));
    LOCUM_TRY(j->type->create(call->config, &j->host.services, MPI_COMM_SELF, &j->solver));
    LOCUM_TRY(prepare_initial(j));
    return prepare_target(j);
}

static void free_list(double **list, int n)
{
    for (int i = 0; list && i < n; i++) free(list[i]);
    free(list);
}

static void release(job *j)
{
    j->type->free_state(j->state);
    if (j->solver) j->type->destroy(j->solver);
    if (j->starter.solver) j->type->destroy(j->starter.solver);
    if (j->target.solver) j->type->destroy(j->target.solver);
    free_list(j->initial, j->call->initial_schema ? j->call->initial_schema->n_arrays : 0);
    free_list(j->value, j->call->n_arrays);
    free_list(j->plain, j->call->n_arrays);
    free(j->initial_blocks);
    free(j->start_blocks);
    free(j->fine);
    free(j->mapped);
    free(j->array);
    free(j->config);
    free(j->target_config);
    free(j->failed);
}

/* --- the beginning ----------------------------------------------------------------------------------------- */

/* components are the fastest axis */
static void remove_rounding(int64_t points, int components, double *values)
{
    for (int c = 0; c < components; c++) {
        double sum = 0, square = 0;
        for (int64_t i = 0; i < points; i++) {
            double v = values[i * components + c];
            sum += v;
            square += v * v;
        }
        double mean = sum / (double)points;
        if (mean == 0 || fabs(mean) > ROUNDING * sqrt(square / (double)points)) continue;
        for (int64_t i = 0; i < points; i++) values[i * components + c] -= mean;
    }
}

static locum_status make_start(job *j, int64_t s, locum_frame *frame)
{
    const locum_schema *in = j->call->initial_schema;

    LOCUM_TRY(j->call->initial(j->call->self, s, j->initial));
    for (int a = 0; a < in->n_arrays; a++) {
        int components = (int)locum_array_components(&in->arrays[a]);
        if (domain_of(in, a)->side[0][0] == LOCUM_PERIODIC)
            remove_rounding(count_of(in, a) / components, components, j->initial[a]);
    }
    *frame = (locum_frame){.schema = in, .blocks = j->initial_blocks};
    if (j->same_start) return LOCUM_OK;
    LOCUM_TRY(renew(j, &j->starter));
    const locum_schema *own = j->type->schema(j->starter.solver);
    locum_frame from = *frame;
    memset(j->start_blocks, 0, (size_t)own->n_arrays * sizeof *j->start_blocks);
    *frame = (locum_frame){.schema = own, .blocks = j->start_blocks};
    LOCUM_TRY(j->type->resample(j->starter.solver, &from, frame));
    for (int a = 0; a < own->n_arrays; a++)
        if (j->start_blocks[a].data)
            j->starter.lent += (size_t)locum_block_count(own, a, &j->start_blocks[a]) * sizeof(double);
    frame->time = 0;
    frame->step = 0;
    return LOCUM_OK;
}

/* --- the sink ---------------------------------------------------------------------------------------------- */

static locum_status take_open(void *self, const locum_schema *schema, const bool *wanted, const locum_sample *sample)
{
    job *j = self;

    (void)schema, (void)wanted, (void)sample;
    j->time = 0;
    return LOCUM_OK;
}

static void to_doubles(const locum_frame *frame, int a, double *out)
{
    const locum_block *block = &frame->blocks[a];
    int64_t n = locum_block_count(frame->schema, a, block);

    if (frame->schema->arrays[a].type == LOCUM_FLOAT64)
        memcpy(out, block->data, (size_t)n * sizeof *out);
    else
        for (int64_t i = 0; i < n; i++) out[i] = ((const float *)block->data)[i];
}

/* through the target's resample, all arrays at once */
static locum_status bring_home(job *j, const locum_frame *frame)
{
    LOCUM_TRY(renew(j, &j->target));
    const locum_schema *own = frame->schema, *target = j->type->schema(j->target.solver);
    locum_array *arrays = NULL;
    LOCUM_TRY(LOCUM_NEW(&arrays, own->n_arrays));
    memcpy(arrays, own->arrays, (size_t)own->n_arrays * sizeof *arrays);
    memset(j->fine, 0, (size_t)own->n_arrays * sizeof *j->fine);
    memset(j->mapped, 0, (size_t)target->n_arrays * sizeof *j->mapped);
    for (int k = 0; k < j->call->n_arrays; k++) {
        int a = j->array[k];
        to_doubles(frame, a, j->plain[k]);
        j->fine[a] = whole_block(domain_of(own, a), j->plain[k]);
        arrays[a].type = LOCUM_FLOAT64;
    }
    locum_schema schema = *own;
    schema.arrays = arrays;
    locum_frame in = {.schema = &schema, .time = frame->time, .step = frame->step, .blocks = j->fine},
                out = {.schema = target, .blocks = j->mapped};
    locum_status st = j->type->resample(j->target.solver, &in, &out);
    for (int k = 0; k < j->call->n_arrays && !st; k++) {
        int b = locum_schema_find(target, j->call->array[k]);
        if (!j->mapped[b].data) {
            st = LOCUM_FAIL(LOCUM_NOT_BUILT, "%s cannot bring '%s' to another grid", j->type->name, j->call->array[k]);
            break;
        }
        memcpy(j->value[k], j->mapped[b].data, (size_t)j->call->count[k] * sizeof(double));
        j->target.lent += (size_t)j->call->count[k] * sizeof(double);
    }
    free(arrays);
    return st;
}

static locum_status take_frame(void *self, const locum_frame *frame)
{
    job *j = self;
    double now = locum_work_clock();

    LOCUM_REQUIRE(j->time < j->call->n_times, LOCUM_INTERNAL, "more frames than times");
    j->seconds[j->sample * j->call->n_times + j->time] = now - j->begin - j->paused;
    locum_status st = LOCUM_OK;
    if (j->same_target)
        for (int k = 0; k < j->call->n_arrays; k++) to_doubles(frame, j->array[k], j->value[k]);
    else
        st = bring_home(j, frame);
    if (!st) st = j->call->frame(j->call->self, j->sample, j->time, (const double *const *)j->value);
    j->time++;
    j->paused += locum_work_clock() - now;
    return st;
}

static locum_status take_close(void *self, locum_status result)
{
    (void)self, (void)result;
    return LOCUM_OK;
}

/* --- the work ---------------------------------------------------------------------------------------------- */

static locum_status solve_one(void *self, int64_t s)
{
    job *j = self;
    const locum_forecast_call *call = j->call;
    locum_frame start = {0};
    locum_sample sample = {.index = s, .seed = call->seed[s], .config = j->config};
    locum_drive_call drive = {.type = j->type,
                              .solver = j->solver,
                              .sample = &sample,
                              .record = &j->record,
                              .until = call->times[call->n_times - 1],
                              .comm = MPI_COMM_SELF,
                              .watch = &j->crew.local,
                              .sink = {j, take_open, take_frame, take_close},
                              .progress = locum_crew_between_steps,
                              .progress_self = &j->crew,
                              .n_times = call->n_times,
                              .times = call->times};

    memcpy(j->config, call->config, j->type->config_size);
    for (int p = 0; p < call->n_parameters; p++)
        LOCUM_TRY(locum_settings_apply(call->setup->solver, j->config, call->parameter_name[p],
                                       call->parameter[s * call->n_parameters + p]));
    if (call->initial_schema) {
        LOCUM_TRY(make_start(j, s, &start));
        sample.initial = &start;
    }
    j->sample = s;
    j->paused = 0;
    j->begin = locum_work_clock();
    locum_status st = locum_drive(&drive, &j->state);
    if (st == LOCUM_NUMERIC || st == LOCUM_CONVERGENCE) {
        memset(j->seconds + s * call->n_times, 0, (size_t)call->n_times * sizeof(double));
        j->failed[s] = 1;
        locum_status_clear();
        st = LOCUM_OK;
    }
    LOCUM_TRY(st);
    locum_crew_finished(&j->crew, j->failed[s] != 0);
    return LOCUM_OK;
}

/* sums of what is zero where another rank did the work: exact */
static void share(job *j, double *seconds, bool *failed)
{
    int64_t n = j->call->n;

    MPI_Allreduce(MPI_IN_PLACE, seconds, (int)(n * j->call->n_times), MPI_DOUBLE, MPI_SUM, j->call->world);
    MPI_Allreduce(MPI_IN_PLACE, j->failed, (int)n, MPI_INT32_T, MPI_SUM, j->call->world);
    for (int64_t s = 0; s < n; s++) failed[s] = j->failed[s] != 0;
}

locum_status locum_forecast(const locum_forecast_call *call, double *seconds, bool *failed)
{
    job j = {.call = call, .type = call->setup->type, .seconds = seconds};

    memset(seconds, 0, (size_t)(call->n * call->n_times) * sizeof *seconds);
    locum_status st = locum_comm_agree(call->world, prepare(&j));
    if (!st) {
        st = locum_crew_create(call->world, call->watch, true, &j.crew);
        j.has_crew = !st;
        if (!st) j.host.crew = &j.crew;
    }
    if (!st) st = locum_crew_work(&j.crew, call->n, call->progress, solve_one, &j);
    if (!st) share(&j, seconds, failed);
    if (j.has_crew) locum_crew_destroy(&j.crew);
    release(&j);
    return st;
}
