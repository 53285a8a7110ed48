/* SPDX-License-Identifier: BSD-3-Clause */
/* problem.c - the study's samples as rows in the order of the model's ports. The test split is read here,
 * once, and the time is noted.
 *
 *     dataset -> table (datasets/loader) -> x[split] [n, n_inputs], y[split] [n, width]
 * Parameters that two splits share are counted: a network must not be tested on what it has learnt. Twins of
 * the noise split are no such case. */
#include "surrogate/validate/validate_parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void locum_problem_destroy(locum_problem *problem)
{
    if (!problem) return;
    locum_table_destroy(problem->table);
    locum_transforms_free(&problem->transforms);
    for (int s = 0; s < LOCUM_SPLITS; s++) {
        free(problem->x[s]);
        free(problem->y[s]);
    }
    free(problem->first);
    free(problem->in_metric);
    free(problem);
}

const locum_plan_sample *locum_problem_sample(const locum_problem *problem, locum_split split, int64_t i)
{
    const locum_campaign_plan *plan = problem->call->plan;

    if (!plan || i >= problem->n[split]) return NULL;
    for (int64_t k = 0; k < plan->n; k++)
        if (plan->samples[k].index == problem->table->index[split][i]) return &plan->samples[k];
    return NULL;
}

/* --- columns ---------------------------------------------------------------------------------- */

static locum_status find_column(const locum_problem *p, const locum_port *port, bool is_input, int *column)
{
    for (*column = 0; *column < p->table->n_columns; ++*column) {
        const locum_column *c = &p->table->columns[*column];
        if (c->is_input != is_input || strcmp(c->name, port->name)) continue;
        LOCUM_REQUIRE(c->extent == port->extent, LOCUM_INPUT,
                      "'%s' has %lld values in the dataset, but %lld in the model", port->name, (long long)c->extent,
                      (long long)port->extent);
        return LOCUM_OK;
    }
    return LOCUM_FAIL(LOCUM_INPUT, "the model's %s '%s' is not in the dataset", is_input ? "input" : "output",
                      port->name);
}

/* one column of all splits into rows of `width` values at `at` */
static void copy_column(locum_problem *p, int column, bool is_input, int64_t at, int64_t width)
{
    int64_t extent = p->table->columns[column].extent;

    for (int s = 0; s < LOCUM_SPLITS; s++)
        for (int64_t i = 0; i < p->n[s]; i++)
            memcpy((is_input ? p->x[s] : p->y[s]) + i * width + at, p->table->values[s][column] + i * extent,
                   (size_t)extent * sizeof(double));
}

static locum_status fill_rows(locum_problem *p)
{
    int column;

    for (int s = 0; s < LOCUM_SPLITS; s++) {
        p->n[s] = p->table->n[s];
        LOCUM_TRY(LOCUM_NEW(&p->x[s], p->n[s] * p->n_inputs));
        LOCUM_TRY(LOCUM_NEW(&p->y[s], p->n[s] * p->width));
    }
    for (int i = 0; i < p->n_inputs; i++) {
        const locum_port *port = locum_model_input(p->model, i);
        LOCUM_REQUIRE(port->extent == 1, LOCUM_NOT_BUILT,
                      "input '%s' has several values; validate takes single ones so far", port->name);
        LOCUM_TRY(find_column(p, port, true, &column));
        copy_column(p, column, true, i, p->n_inputs);
    }
    for (int i = 0; i < p->n_outputs; i++) {
        LOCUM_TRY(find_column(p, locum_model_output(p->model, i), false, &column));
        copy_column(p, column, false, p->first[i], p->width);
    }
    return LOCUM_OK;
}

/* --- metric ----------------------------------------------------------------------------------- */

static locum_status choose_metric(locum_problem *p)
{
    for (int k = 0; k < p->config->n_metric; k++) {
        int found = -1;
        for (int i = 0; i < p->n_outputs; i++)
            if (!strcmp(p->config->metric[k], locum_model_output(p->model, i)->name)) found = i;
        LOCUM_REQUIRE(found >= 0, LOCUM_STUDY, "validate.metric: the model has no output '%s'", p->config->metric[k]);
        p->in_metric[found] = true;
    }
    for (int i = 0; i < p->n_outputs; i++) {
        if (p->config->n_metric == 0) p->in_metric[i] = true;
        p->layout.n_metric += p->in_metric[i];
    }
    p->layout.n_outputs = p->n_outputs;
    p->layout.first = p->first;
    p->layout.in_metric = p->in_metric;
    return LOCUM_OK;
}

/* a sample and its split, to be sorted by parameters */
typedef struct tagged {
    const double *x;
    int split;
} tagged;

static int by_parameters(const void *a, const void *b, void *n_inputs)
{
    return memcmp(((const tagged *)a)->x, ((const tagged *)b)->x, *(const size_t *)n_inputs * sizeof(double));
}

/* neighbours in the sorted list that are equal, but of different splits */
static locum_status count_duplicates(locum_problem *p)
{
    tagged *all = NULL;
    int64_t n = 0;
    size_t n_inputs = (size_t)p->n_inputs;

    for (int s = 0; s < LOCUM_NOISE; s++) n += p->n[s];
    LOCUM_TRY(LOCUM_NEW(&all, n));
    n = 0;
    for (int s = 0; s < LOCUM_NOISE; s++)
        for (int64_t i = 0; i < p->n[s]; i++) all[n++] = (tagged){p->x[s] + i * p->n_inputs, s};
    qsort_r(all, (size_t)n, sizeof *all, by_parameters, &n_inputs);
    for (int64_t i = 1; i < n; i++)
        p->duplicates += all[i].split != all[i - 1].split && !by_parameters(&all[i], &all[i - 1], &n_inputs);
    free(all);
    return LOCUM_OK;
}

/* --- reading ---------------------------------------------------------------------------------- */

void locum_note_time(char text[32])
{
    time_t now = time(NULL);
    struct tm utc;

    gmtime_r(&now, &utc);
    strftime(text, 32, "%Y-%m-%dT%H:%M:%SZ", &utc);
}

static locum_status read_table(locum_problem *p)
{
    const char **names = NULL;
    locum_status st = LOCUM_NEW(&names, p->n_outputs);

    for (int i = 0; i < p->n_outputs && !st; i++) names[i] = locum_model_output(p->model, i)->name;
    if (!st) locum_note_time(p->test_read);
    if (!st) st = locum_table_read(p->call->dataset, p->n_outputs, names, &p->table);
    free(names);
    return st;
}

static locum_status fill(locum_problem *p)
{
    locum_settings *settings;

    LOCUM_TRY(locum_validate_read(p->call->study, &settings));
    p->config = locum_settings_config(settings);
    p->n_inputs = locum_model_n_inputs(p->model);
    p->n_outputs = locum_model_n_outputs(p->model);
    LOCUM_TRY(LOCUM_NEW(&p->first, p->n_outputs + 1));
    LOCUM_TRY(LOCUM_NEW(&p->in_metric, p->n_outputs));
    for (int i = 0; i < p->n_outputs; i++) p->first[i + 1] = p->first[i] + locum_model_output(p->model, i)->extent;
    p->width = p->first[p->n_outputs];
    LOCUM_TRY(choose_metric(p));
    LOCUM_TRY(locum_transforms_read(p->model, &p->transforms));
    LOCUM_TRY(read_table(p));
    LOCUM_TRY(fill_rows(p));
    LOCUM_REQUIRE(p->n[LOCUM_TEST] > 0, LOCUM_STUDY,
                  "campaign.split.test: validate needs test samples, and the dataset has none that are good");
    LOCUM_REQUIRE(p->n[LOCUM_TRAIN] > 0, LOCUM_STUDY,
                  "campaign.split.train: the dataset has no good training sample to compare with");
    return count_duplicates(p);
}

locum_status locum_problem_create(const locum_validate_call *call, locum_problem **problem)
{
    locum_problem *p = NULL;

    *problem = NULL;
    LOCUM_TRY(LOCUM_NEW(&p, 1));
    p->call = call;
    p->model = call->model;
    p->seed = locum_study_seed(call->study);
    MPI_Comm_rank(call->world, &p->rank);
    MPI_Comm_size(call->world, &p->size);
    locum_status st = fill(p);
    if (st)
        locum_problem_destroy(p);
    else
        *problem = p;
    return st;
}
