/* SPDX-License-Identifier: BSD-3-Clause */
/* run.c - the solver at any setting, its outputs as rows of the problem: profiles on another grid are
 * interpolated to the reference's points, spectra cut or padded (solvers/numerics/analysis/resample.h), so
 * that the metric compares like with like.
 *
 * Left out: outputs on grids (they would not fit into memory), initial states from files. */
#include "surrogate/validate/validate_parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/random.h"
#include "solvers/numerics/analysis/resample.h"

#define OTHER_SEEDS ((uint64_t)1 << 40) /* indices of seeds that no sample of a campaign has */

double locum_problem_from(const locum_problem *problem)
{
    return problem->call->setup->record_config->from;
}

double locum_problem_until(const locum_problem *problem)
{
    const locum_plan_sample *sample = locum_problem_sample(problem, LOCUM_TEST, 0);
    double until = sample ? sample->until : problem->call->setup->record_config->until;

    return isfinite(until) ? until : problem->call->setup->record_config->from;
}

const char *locum_problem_obstacle(const locum_problem *problem)
{
    const locum_setup *setup = problem->call->setup;

    if (!setup) return "the data come without a solver, so there is nothing to compare times with";
    if (setup->from_file)
        return "the initial state comes from a file, which the search of cheaper settings does not read yet";
    if (problem->n_outputs > LOCUM_OBSERVE_MAX) return "the model has more outputs than a record can name";
    for (int i = 0; i < problem->n_outputs; i++)
        if (locum_model_output(problem->model, i)->n_dims > 1)
            return "outputs on grids are not kept in memory, so cheaper settings are not searched yet";
    return NULL;
}

/* --- one frame as a row ----------------------------------------------------------------------- */

static locum_status map_array(const locum_problem *problem, int output, const locum_schema *reference,
                              const locum_frame *frame, double *row)
{
    const char *name = locum_model_output(problem->model, output)->name;
    int from = locum_schema_find(frame->schema, name), to = locum_schema_find(reference, name);
    int64_t extent = problem->first[output + 1] - problem->first[output];

    LOCUM_REQUIRE(from >= 0 && to >= 0, LOCUM_STUDY, "the solver has no array '%s', which the model predicts", name);
    const locum_domain *source = &frame->schema->domains[frame->schema->arrays[from].domain];
    const locum_domain *target = &reference->domains[reference->arrays[to].domain];
    int components = (int)locum_array_components(&reference->arrays[to]);
    int64_t n = target->support == LOCUM_ROWS ? target->n_global[0] * components : components;
    LOCUM_REQUIRE(n == extent, LOCUM_STUDY,
                  "the solver's '%s' has %lld values, the model's %lld: they belong to different studies", name,
                  (long long)n, (long long)extent);
    const double *values = frame->blocks[from].data;
    if (target->support == LOCUM_ROWS)
        return locum_resample_rows(source, target, components, values, row + problem->first[output]);
    memcpy(row + problem->first[output], values, (size_t)extent * sizeof *row);
    return LOCUM_OK;
}

static locum_status map_rows(const locum_problem *problem, const locum_run_call *call, const locum_solve_result *result,
                             double *out, double *seconds, bool *failed)
{
    const locum_solver_type *type = problem->call->setup->type;
    locum_solver *reference = NULL;

    locum_status st =
        type->create(locum_settings_config(problem->call->setup->solver), NULL, MPI_COMM_SELF, &reference);
    for (int64_t i = 0; i < call->n * call->n_until && !st; i++) {
        bool bad = result->failed[i / call->n_until];
        failed[i / call->n_until] = bad;
        seconds[i] = bad ? NAN : result->seconds[i];
        for (int64_t j = 0; bad && j < problem->width; j++) out[i * problem->width + j] = NAN;
        for (int o = 0; o < problem->n_outputs && !bad && !st; o++)
            st = map_array(problem, o, type->schema(reference), result->frames[i], out + i * problem->width);
    }
    if (reference) type->destroy(reference);
    return st;
}

/* --- the run ---------------------------------------------------------------------------------- */

static void fill_record(const locum_problem *problem, double from, locum_record_config *record)
{
    *record = *problem->call->setup->record_config;
    record->from = from;
    record->n_resolution = 0;
    record->n_observe = problem->n_outputs;
    for (int i = 0; i < problem->n_outputs; i++)
        locum_format(record->observe[i], LOCUM_TEXT_SIZE, "%s", locum_model_output(problem->model, i)->name);
}

locum_status locum_run_solver(const locum_problem *problem, const locum_run_call *call, double *out, double *seconds,
                              bool *failed)
{
    const locum_setup *setup = problem->call->setup;
    const char *names[LOCUM_LIST_MAX];
    uint64_t *seeds = NULL;
    locum_record_config record;
    locum_solve_result result = {0};
    locum_progress progress;

    fill_record(problem, call->from, &record);
    locum_status st = problem->n_inputs <= LOCUM_LIST_MAX
                          ? LOCUM_NEW(&seeds, call->n)
                          : LOCUM_FAIL(LOCUM_STUDY, "more than %d inputs", LOCUM_LIST_MAX);
    LOCUM_TRY(locum_comm_agree(problem->call->world, st));
    for (int i = 0; i < problem->n_inputs; i++) names[i] = locum_model_input(problem->model, i)->name;
    for (int64_t i = 0; i < call->n; i++)
        seeds[i] = locum_random_seed(call->seed, LOCUM_STREAM_SAMPLE, OTHER_SEEDS + (uint64_t)i);
    locum_solve_call solve = {.type = setup->type,
                              .config = call->config,
                              .initial = setup,
                              .settings = setup->solver,
                              .n_parameters = problem->n_inputs,
                              .parameter_name = names,
                              .n = call->n,
                              .parameter = call->x,
                              .seed = seeds,
                              .record = &record,
                              .n_until = call->n_until,
                              .until = call->until,
                              .world = problem->call->world,
                              .watch = problem->call->watch,
                              .progress = &progress};
    locum_progress_begin(&progress, problem->call->log, call->what, (double)call->n, 0);
    st = locum_solve(&solve, &result);
    locum_progress_end(&progress);
    if (!st) {
        st = locum_comm_agree(problem->call->world, map_rows(problem, call, &result, out, seconds, failed));
        locum_solve_result_free(&result);
    }
    free(seeds);
    return st;
}
