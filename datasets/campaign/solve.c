/* SPDX-License-Identifier: BSD-3-Clause */
/* solve.c - samples solved in memory: what validation uses for cheaper settings, the reference's time and the
 * negative control.
 *
 *     values [n, n_until, width]    width = all wanted rows and scalars of one frame, one behind the other, as double
 * Each rank solves whole samples alone, taken one by one from the shared counter; at the end every rank holds all
 * results: the sum over ranks of arrays that are zero where another rank did the work, which is exact. Grids are
 * refused: they would not fit. A sample depends on its parameters and seed alone, so who solves it does not matter. */
#include <stdlib.h>
#include <string.h>

#include "core/study/log.h"
#include "datasets/campaign/campaign_parts.h"

typedef struct solved { /* result->owner */
    const locum_solver_type *type;
    locum_solver *solver; /**< keeps the schema's texts and axes alive */
    locum_schema schema;  /**< the solver's, with wanted arrays as float64 */
    locum_array *arrays;
    double *values;
    locum_frame *frames; /**< [n * n_until] */
    locum_block *blocks; /**< [n * n_until * n_arrays] */
} solved;

typedef struct job {
    const locum_solve_call *call;
    locum_solve_result *result;
    solved *owner;
    bool *wanted;
    int64_t *offset, width; /**< [n_arrays] where an array begins in a frame's values */
    bool has_crew;
    locum_crew crew;
    locum_host host;
    locum_state *state;
    locum_loaded initial;
    char *config;
    int64_t sample; /**< the one in work */
    int window;     /**< the one that comes next */
    double begin;   /**< work clock when it started */
    double *times;  /**< [n, n_until] of frames */
    int64_t *steps;
    int32_t *failed; /**< [n] */
} job;

/* --- memory ------------------------------------------------------------------------------------------------ */

void locum_solve_result_free(locum_solve_result *result)
{
    solved *owner = result->owner;

    free(result->frames);
    free(result->seconds);
    free(result->failed);
    if (owner) {
        owner->type->destroy(owner->solver);
        free(owner->arrays);
        free(owner->values);
        free(owner->frames);
        free(owner->blocks);
    }
    free(owner);
    *result = (locum_solve_result){0};
}

static locum_status lay_out_frame(job *j)
{
    const locum_schema *schema = j->call->type->schema(j->owner->solver);

    LOCUM_TRY(LOCUM_NEW(&j->wanted, schema->n_arrays));
    LOCUM_TRY(LOCUM_NEW(&j->offset, schema->n_arrays));
    LOCUM_TRY(LOCUM_NEW(&j->owner->arrays, schema->n_arrays));
    LOCUM_TRY(locum_record_wanted(j->call->record, schema, j->wanted));
    for (int a = 0; a < schema->n_arrays; a++) {
        const locum_array *array = &schema->arrays[a];
        const locum_domain *domain = &schema->domains[array->domain];
        j->owner->arrays[a] = *array;
        j->offset[a] = j->width;
        if (!j->wanted[a]) continue;
        LOCUM_REQUIRE(domain->support == LOCUM_GLOBAL || (domain->support == LOCUM_ROWS && domain->n_global[0] > 0),
                      LOCUM_STUDY, "record.observe: '%s' is not kept in memory; name scalars, profiles and spectra",
                      array->name);
        LOCUM_REQUIRE(array->type == LOCUM_FLOAT64 || array->type == LOCUM_FLOAT32, LOCUM_STUDY,
                      "record.observe: '%s' is not a real number", array->name);
        j->owner->arrays[a].type = LOCUM_FLOAT64;
        j->width += locum_array_components(array) * (domain->support == LOCUM_ROWS ? domain->n_global[0] : 1);
    }
    j->owner->schema = *schema;
    j->owner->schema.arrays = j->owner->arrays;
    j->result->schema = &j->owner->schema;
    return LOCUM_OK;
}

static locum_status prepare(job *j)
{
    const locum_solve_call *call = j->call;
    int64_t frames = call->n * call->n_until;

    for (int w = 0; w < call->n_until; w++)
        LOCUM_REQUIRE(call->until[w] >= (w ? call->until[w - 1] : call->record->from), LOCUM_ARG,
                      "windows must end one after the other");
    LOCUM_TRY(locum_host_begin(&j->host, NULL, &j->crew.local, NULL, NULL, ""));
    LOCUM_TRY(LOCUM_NEW(&j->owner, 1));
    j->owner->type = call->type;
    j->result->owner = j->owner;
    LOCUM_TRY(call->type->create(call->config, &j->host.services, MPI_COMM_SELF, &j->owner->solver));
    LOCUM_TRY(lay_out_frame(j));
    if (call->initial)
        LOCUM_TRY(locum_loaded_read_initial(call->initial, j->owner->solver, MPI_COMM_SELF, &j->initial));
    LOCUM_TRY(LOCUM_NEW(&j->config, call->type->config_size));
    LOCUM_TRY(LOCUM_NEW(&j->times, frames));
    LOCUM_TRY(LOCUM_NEW(&j->steps, frames));
    LOCUM_TRY(LOCUM_NEW(&j->failed, call->n));
    LOCUM_TRY(LOCUM_NEW(&j->owner->values, frames * j->width));
    LOCUM_TRY(LOCUM_NEW(&j->owner->frames, frames));
    LOCUM_TRY(LOCUM_NEW(&j->owner->blocks, frames * j->owner->schema.n_arrays));
    LOCUM_TRY(LOCUM_NEW(&j->result->frames, frames));
    LOCUM_TRY(LOCUM_NEW(&j->result->seconds, frames));
    return LOCUM_NEW(&j->result->failed, call->n);
}

static void release(job *j)
{
    if (j->owner && j->owner->type) j->owner->type->free_state(j->state);
    locum_loaded_release(&j->initial);
    free(j->wanted);
    free(j->offset);
    free(j->config);
    free(j->times);
    free(j->steps);
    free(j->failed);
}

/* --- the sink ---------------------------------------------------------------------------------------------- */

static locum_status keep_open(void *self, const locum_schema *schema, const bool *wanted, const locum_sample *sample)
{
    job *j = self;

    (void)schema, (void)wanted, (void)sample;
    j->window = 0;
    return LOCUM_OK;
}

static locum_status keep_frame(void *self, const locum_frame *frame)
{
    job *j = self;
    int64_t at = j->sample * j->call->n_until + j->window;

    LOCUM_REQUIRE(j->window < j->call->n_until, LOCUM_INTERNAL, "more frames than windows");
    j->result->seconds[at] = locum_work_clock() - j->begin;
    j->times[at] = frame->time;
    j->steps[at] = frame->step;
    for (int a = 0; a < frame->schema->n_arrays; a++) {
        if (!j->wanted[a]) continue;
        const locum_block *block = &frame->blocks[a];
        int64_t n = locum_block_count(frame->schema, a, block);
        double *to = j->owner->values + at * j->width + j->offset[a] +
                     block->first[0] * locum_array_components(&frame->schema->arrays[a]);
        for (int64_t i = 0; i < n; i++)
            to[i] = frame->schema->arrays[a].type == LOCUM_FLOAT64 ? ((const double *)block->data)[i]
                                                                   : (double)((const float *)block->data)[i];
    }
    j->window++;
    return LOCUM_OK;
}

static locum_status keep_close(void *self, locum_status result)
{
    (void)self, (void)result;
    return LOCUM_OK;
}

/* --- the work ---------------------------------------------------------------------------------------------- */

static locum_status solve_one(void *self, int64_t s)
{
    job *j = self;
    const locum_solve_call *call = j->call;
    locum_sample sample = {.index = s, .seed = call->seed[s], .config = j->config};
    locum_drive_call drive = {.type = call->type,
                              .solver = j->owner->solver,
                              .sample = &sample,
                              .record = call->record,
                              .until = call->until[call->n_until - 1],
                              .comm = MPI_COMM_SELF,
                              .watch = &j->crew.local,
                              .sink = {j, keep_open, keep_frame, keep_close},
                              .progress = locum_crew_between_steps,
                              .progress_self = &j->crew,
                              .n_times = call->n_until,
                              .times = call->until};

    if (j->initial.owner) sample.initial = &j->initial.frame;
    memcpy(j->config, call->config, call->type->config_size);
    for (int p = 0; p < call->n_parameters; p++)
        LOCUM_TRY(locum_settings_apply(call->settings, j->config, call->parameter_name[p],
                                       call->parameter[s * call->n_parameters + p]));
    j->sample = s;
    j->begin = locum_work_clock();
    locum_status st = locum_drive(&drive, &j->state);
    if (st == LOCUM_NUMERIC || st == LOCUM_CONVERGENCE) {
        int64_t first = s * call->n_until;
        memset(j->owner->values + first * j->width, 0, (size_t)(call->n_until * j->width) * sizeof(double));
        j->failed[s] = 1;
        locum_status_clear();
        st = LOCUM_OK;
    }
    LOCUM_TRY(st);
    locum_crew_finished(&j->crew, j->failed[s] != 0);
    return LOCUM_OK;
}

/* --- sharing the results ----------------------------------------------------------------------------------- */

static void share(MPI_Comm world, void *data, int64_t n, MPI_Datatype type, size_t size)
{
    const int64_t most = 1 << 24;

    for (int64_t at = 0; at < n; at += most)
        MPI_Allreduce(MPI_IN_PLACE, (char *)data + (size_t)at * size, (int)(n - at < most ? n - at : most), type,
                      MPI_SUM, world);
}

static void build_frames(job *j)
{
    const locum_schema *schema = &j->owner->schema;

    for (int64_t i = 0; i < j->call->n * j->call->n_until; i++) {
        locum_frame *frame = &j->owner->frames[i];
        if (j->result->failed[i / j->call->n_until]) continue;
        *frame = (locum_frame){schema, j->times[i], j->steps[i], j->owner->blocks + i * schema->n_arrays};
        for (int a = 0; a < schema->n_arrays; a++) {
            const locum_domain *domain = &schema->domains[schema->arrays[a].domain];
            int64_t n = domain->support == LOCUM_ROWS ? domain->n_global[0] : 1;
            if (j->wanted[a])
                frame->blocks[a] =
                    (locum_block){j->owner->values + i * j->width + j->offset[a], {0, 0, 0}, {n, 1, 1}, n};
        }
        j->result->frames[i] = frame;
    }
}

static void share_all(job *j)
{
    const locum_solve_call *call = j->call;
    int64_t frames = call->n * call->n_until;

    share(call->world, j->owner->values, frames * j->width, MPI_DOUBLE, sizeof(double));
    share(call->world, j->result->seconds, frames, MPI_DOUBLE, sizeof(double));
    share(call->world, j->times, frames, MPI_DOUBLE, sizeof(double));
    share(call->world, j->steps, frames, MPI_INT64_T, sizeof(int64_t));
    share(call->world, j->failed, call->n, MPI_INT32_T, sizeof(int32_t));
    for (int64_t s = 0; s < call->n; s++) j->result->failed[s] = j->failed[s] != 0;
    build_frames(j);
}

locum_status locum_solve(const locum_solve_call *call, locum_solve_result *result)
{
    job j = {.call = call, .result = result};

    *result = (locum_solve_result){0};
    LOCUM_REQUIRE(call->n >= 0 && call->n_until >= 1, LOCUM_ARG, "locum_solve needs at least one window");
    locum_status st = locum_comm_agree(call->world, prepare(&j));
    if (!st) {
        st = locum_crew_create(call->world, call->watch, true, &j.crew);
        j.has_crew = !st;
        if (!st) j.host.crew = &j.crew;
    }
    if (!st) st = locum_crew_work(&j.crew, call->n, call->progress, solve_one, &j);
    if (!st) share_all(&j);
    if (j.has_crew) locum_crew_destroy(&j.crew);
    release(&j);
    if (st) locum_solve_result_free(result);
    return st;
}
