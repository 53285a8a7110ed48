/* SPDX-License-Identifier: BSD-3-Clause */
/* evaluate.c - the surrogate: predictions through the solver interface, intervals and flags by locum_eval, and
 * its time.
 *
 * Errors are measured through as_solver and locum_solve, the way any solver is measured; time is that of
 * locum_eval itself with interval and flag, since no solver call stands between a host and the model. Medians
 * over repeats, the inputs of the test split in turn. Processor time, as for the solver: on a busy machine a long run
 * is interrupted more often than a short one, which would flatter the surrogate. */
#include "surrogate/validate/validate_parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "surrogate/as_solver/as_solver.h"

#define BATCH 256

/* --- through the solver interface ------------------------------------------------------------- */

static locum_status prepare_solver(const locum_problem *p, int64_t n, locum_surrogate_solver **wrapper,
                                   locum_settings **settings, uint64_t **seeds)
{
    LOCUM_TRY(locum_surrogate_solver_create(p->model, wrapper));
    const locum_solver_type *type = locum_surrogate_solver_type(*wrapper);
    LOCUM_TRY(locum_settings_create(type->options, type->config_size, settings));
    LOCUM_REQUIRE(p->n_inputs <= LOCUM_LIST_MAX, LOCUM_NOT_BUILT, "validate takes at most %d inputs", LOCUM_LIST_MAX);
    return LOCUM_NEW(seeds, n);
}

static void copy_frames(const locum_problem *p, int64_t n, const locum_solve_result *result, double *out)
{
    for (int64_t i = 0; i < n; i++)
        for (int o = 0; o < p->n_outputs; o++) {
            int64_t first = p->first[o], extent = p->first[o + 1] - first;
            double *to = out + i * p->width + first;
            if (!result->failed[i]) memcpy(to, result->frames[i]->blocks[o].data, (size_t)extent * sizeof *to);
            for (int64_t j = 0; result->failed[i] && j < extent; j++) to[j] = NAN;
        }
}

locum_status locum_evaluate_as_solver(const locum_problem *p, int64_t n, const double *x, double *out)
{
    locum_surrogate_solver *wrapper = NULL;
    locum_settings *settings = NULL;
    uint64_t *seeds = NULL;
    const char *names[LOCUM_LIST_MAX];
    locum_record_config record = {.until = NAN, .every = NAN};
    locum_solve_result result = {0};
    double until = 0;

    locum_status st = locum_comm_agree(p->call->world, prepare_solver(p, n, &wrapper, &settings, &seeds));
    if (!st) {
        const locum_solver_type *type = locum_surrogate_solver_type(wrapper);
        for (int i = 0; i < p->n_inputs; i++) names[i] = type->options[i].name;
        locum_solve_call call = {.type = type,
                                 .config = locum_surrogate_solver_config(wrapper),
                                 .settings = settings,
                                 .n_parameters = p->n_inputs,
                                 .parameter_name = names,
                                 .n = n,
                                 .parameter = x,
                                 .seed = seeds,
                                 .record = &record,
                                 .n_until = 1,
                                 .until = &until,
                                 .world = p->call->world,
                                 .watch = p->call->watch};
        st = locum_solve(&call, &result);
    }
    if (!st) {
        copy_frames(p, n, &result, out);
        locum_solve_result_free(&result);
    }
    locum_settings_destroy(settings);
    locum_surrogate_solver_destroy(wrapper);
    free(seeds);
    return st;
}

/* --- buffers of eval -------------------------------------------------------------------------- */

typedef struct evaluator {
    void *memory;
    locum_context *context;
    locum_buffer *inputs, *value, *lower, *upper;
} evaluator;

static void evaluator_free(evaluator *e)
{
    free(e->memory);
    free(e->inputs);
    free(e->value);
    free(e->lower);
    free(e->upper);
}

static locum_status evaluator_make(const locum_problem *p, const locum_model *model, int64_t rows, evaluator *e)
{
    LOCUM_REQUIRE(locum_model_n_inputs(model) == p->n_inputs && locum_model_n_outputs(model) == p->n_outputs,
                  LOCUM_INPUT, "the model has other ports");
    for (int i = 0; i < p->n_outputs; i++)
        LOCUM_REQUIRE(locum_model_output(model, i)->extent == p->first[i + 1] - p->first[i], LOCUM_INPUT,
                      "the model has other ports");
    size_t bytes = locum_model_workspace(model, rows);
    LOCUM_REQUIRE(bytes, LOCUM_MEMORY, "the model cannot be laid out for %lld rows: %s", (long long)rows,
                  locum_status_message());
    LOCUM_TRY(locum_alloc(&e->memory, (int64_t)bytes, 1));
    LOCUM_TRY(locum_model_prepare(model, rows, e->memory, bytes, &e->context));
    LOCUM_TRY(LOCUM_NEW(&e->inputs, p->n_inputs));
    LOCUM_TRY(LOCUM_NEW(&e->value, p->n_outputs));
    LOCUM_TRY(LOCUM_NEW(&e->lower, p->n_outputs));
    return LOCUM_NEW(&e->upper, p->n_outputs);
}

static void aim(const locum_problem *p, evaluator *e, const double *x, double *value, double *lower, double *upper)
{
    for (int i = 0; i < p->n_inputs; i++)
        e->inputs[i] = (locum_buffer){(void *)(uintptr_t)(x + i), LOCUM_FLOAT64, p->n_inputs, 1};
    for (int i = 0; i < p->n_outputs; i++) {
        e->value[i] = (locum_buffer){value + p->first[i], LOCUM_FLOAT64, p->width, 1};
        e->lower[i] = (locum_buffer){lower + p->first[i], LOCUM_FLOAT64, p->width, 1};
        e->upper[i] = (locum_buffer){upper + p->first[i], LOCUM_FLOAT64, p->width, 1};
    }
}

/* --- with interval and flag ------------------------------------------------------------------- */

void locum_trusted_free(locum_trusted *trusted)
{
    free(trusted->value);
    free(trusted->lower);
    free(trusted->upper);
    free(trusted->flag);
    free(trusted->p_value);
    *trusted = (locum_trusted){0};
}

static locum_status trusted_make(int64_t n, int64_t width, locum_trusted *t)
{
    *t = (locum_trusted){.n = n};
    LOCUM_TRY(LOCUM_NEW(&t->value, n * width));
    LOCUM_TRY(LOCUM_NEW(&t->lower, n * width));
    LOCUM_TRY(LOCUM_NEW(&t->upper, n * width));
    LOCUM_TRY(LOCUM_NEW(&t->flag, n));
    LOCUM_TRY(LOCUM_NEW(&t->p_value, n));
    for (int64_t i = 0; i < n * width; i++) t->lower[i] = t->upper[i] = NAN;
    for (int64_t i = 0; i < n; i++) t->p_value[i] = NAN;
    return LOCUM_OK;
}

locum_status locum_evaluate_trust(const locum_problem *p, const locum_model *model, double coverage, int64_t n,
                                  const double *x, locum_trusted *trusted)
{
    evaluator e = {0};
    bool calibrated = locum_model_n_calibration(model) > 0;

    locum_status st = trusted_make(n, p->width, trusted);
    if (!st) st = evaluator_make(p, model, BATCH, &e);
    for (int64_t i = 0; i < n && !st; i += BATCH) {
        int64_t rows = n - i < BATCH ? n - i : BATCH;
        aim(p, &e, x + i * p->n_inputs, trusted->value + i * p->width, trusted->lower + i * p->width,
            trusted->upper + i * p->width);
        locum_trust trust = {.coverage = coverage,
                             .lower = e.lower,
                             .upper = e.upper,
                             .flag = trusted->flag + i,
                             .p_value = trusted->p_value + i};
        st = locum_eval(e.context, rows, e.inputs, e.value, calibrated ? &trust : NULL);
    }
    evaluator_free(&e);
    if (st) locum_trusted_free(trusted);
    return st;
}

/* --- time ------------------------------------------------------------------------------------- */

#define GROUPS 301  /* medians of so many */
#define GROUP 10    /* evals of one row between two looks at the clock */
#define SECONDS 0.1 /* of a larger batch, at least three repeats */

static double median_of(int64_t n, double *values)
{
    return locum_quantile_of(n, values, 0.5);
}

typedef struct stopwatch {
    const locum_problem *problem;
    evaluator e;
    locum_trusted rows;
    double *x; /**< [rows, n_inputs] the test split over and over */
    bool calibrated;
} stopwatch;

static locum_status eval_rows(stopwatch *w, int64_t first, int64_t n)
{
    aim(w->problem, &w->e, w->x + first * w->problem->n_inputs, w->rows.value, w->rows.lower, w->rows.upper);
    locum_trust trust = {.coverage = w->problem->config->coverage,
                         .lower = w->e.lower,
                         .upper = w->e.upper,
                         .flag = w->rows.flag,
                         .p_value = w->rows.p_value};
    return locum_eval(w->e.context, n, w->e.inputs, w->e.value, w->calibrated ? &trust : NULL);
}

static locum_status time_one(stopwatch *w, double *seconds)
{
    double took[GROUPS];
    int64_t n_test = w->problem->n[LOCUM_TEST];

    for (int g = -20; g < GROUPS; g++) { /* the first ones warm up */
        double begun = locum_work_clock();
        for (int k = 0; k < GROUP; k++) LOCUM_TRY(eval_rows(w, ((g + 20) * GROUP + k) % n_test, 1));
        if (g >= 0) took[g] = (locum_work_clock() - begun) / GROUP;
    }
    *seconds = median_of(GROUPS, took);
    return LOCUM_OK;
}

static locum_status time_batch(stopwatch *w, int64_t n, double *seconds)
{
    double took[GROUPS], start = locum_clock();
    int g = 0;

    LOCUM_TRY(eval_rows(w, 0, n));
    while (g < 3 || (g < GROUPS && locum_clock() - start < SECONDS)) {
        double begun = locum_work_clock();
        LOCUM_TRY(eval_rows(w, 0, n));
        took[g++] = (locum_work_clock() - begun) / (double)n;
    }
    *seconds = median_of(g, took);
    return LOCUM_OK;
}

static locum_status stopwatch_make(const locum_problem *p, int64_t rows, stopwatch *w)
{
    *w = (stopwatch){.problem = p, .calibrated = locum_model_n_calibration(p->model) > 0};
    LOCUM_TRY(evaluator_make(p, p->model, rows, &w->e));
    LOCUM_TRY(trusted_make(rows, p->width, &w->rows));
    int64_t n = rows > p->n[LOCUM_TEST] ? rows : p->n[LOCUM_TEST];
    LOCUM_TRY(LOCUM_NEW(&w->x, n * p->n_inputs));
    for (int64_t i = 0; i < n; i++)
        memcpy(w->x + i * p->n_inputs, p->x[LOCUM_TEST] + i % p->n[LOCUM_TEST] * p->n_inputs,
               (size_t)p->n_inputs * sizeof(double));
    return LOCUM_OK;
}

static void stopwatch_free(stopwatch *w)
{
    evaluator_free(&w->e);
    locum_trusted_free(&w->rows);
    free(w->x);
}

locum_status locum_evaluate_time(const locum_problem *problem, locum_timing *timing)
{
    static const int64_t batches[] = {1, 16, 64, 256, 1024, 4096};
    locum_status st = LOCUM_OK;

    *timing = (locum_timing){NAN, INFINITY, 0};
    for (int b = 0; b < 6 && !st; b++) {
        stopwatch w;
        double seconds = INFINITY;
        st = stopwatch_make(problem, batches[b], &w); /* a context of its own: what a host with that batch would have */
        if (!st && batches[b] == 1)
            st = time_one(&w, &seconds);
        else if (!st)
            st = time_batch(&w, batches[b], &seconds);
        stopwatch_free(&w);
        if (batches[b] == 1) timing->one = seconds;
        if (seconds < timing->batched) timing->batched = seconds, timing->best_batch = batches[b];
    }
    return st;
}
