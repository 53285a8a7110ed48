/* SPDX-License-Identifier: BSD-3-Clause */
/* snapshots.c - what the solution looks like: a field at a few points of the parameter space, for the report's
 * pictures.
 *
 * The first scalar observable on a 2-D grid, at the time where recording begins (the flow has forgotten its
 * start by then). Each rank runs whole samples alone; rank 0 gets the values. Fields larger than 128 points a
 * side are thinned: they are pictures, not data. A sample that fails is left out. */
#include "surrogate/validate/validate_parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/random.h"

#define MOST_POINTS 128
#define PICTURE_SEED 0x70696374757265ULL

typedef struct painter {
    const locum_problem *problem;
    locum_record_config record;
    locum_solver *solver;
    const locum_domain *domain;
    int array;
    int64_t stride[2], nx, ny;
    char *config;
    double *kept; /**< [nx, ny] of the run in work */
    double until;
} painter;

/* --- one run ---------------------------------------------------------------------------------- */

static locum_status keep_open(void *self, const locum_schema *schema, const bool *wanted, const locum_sample *sample)
{
    (void)self, (void)schema, (void)wanted, (void)sample;
    return LOCUM_OK;
}

static locum_status keep_frame(void *self, const locum_frame *frame)
{
    painter *p = self;
    const locum_block *block = &frame->blocks[p->array];
    bool is_double = frame->schema->arrays[p->array].type == LOCUM_FLOAT64;

    for (int64_t i = 0; i < p->nx; i++)
        for (int64_t j = 0; j < p->ny; j++) {
            int64_t at = i * p->stride[0] * block->n[1] + j * p->stride[1];
            p->kept[i * p->ny + j] =
                is_double ? ((const double *)block->data)[at] : (double)((const float *)block->data)[at];
        }
    return LOCUM_OK;
}

static locum_status keep_close(void *self, locum_status result)
{
    (void)self, (void)result;
    return LOCUM_OK;
}

static locum_status paint(painter *p, int64_t index, const double *x)
{
    const locum_setup *setup = p->problem->call->setup;
    locum_state *state = NULL;
    locum_sample sample = {.index = index,
                           .seed =
                               locum_random_seed(p->problem->seed ^ PICTURE_SEED, LOCUM_STREAM_SAMPLE, (uint64_t)index),
                           .config = p->config};
    locum_drive_call drive = {.type = setup->type,
                              .solver = p->solver,
                              .sample = &sample,
                              .record = &p->record,
                              .until = p->until,
                              .comm = MPI_COMM_SELF,
                              .watch = p->problem->call->watch,
                              .sink = {p, keep_open, keep_frame, keep_close},
                              .n_times = 1,
                              .times = &p->until};

    memcpy(p->config, locum_settings_config(setup->solver), setup->type->config_size);
    for (int i = 0; i < p->problem->n_inputs; i++)
        LOCUM_TRY(locum_settings_apply(setup->solver, p->config, locum_model_input(p->problem->model, i)->name, x[i]));
    locum_status st = locum_drive(&drive, &state);
    setup->type->free_state(state);
    if (st != LOCUM_NUMERIC && st != LOCUM_CONVERGENCE) return st;
    locum_status_clear();
    for (int64_t i = 0; i < p->nx * p->ny; i++) p->kept[i] = NAN;
    return LOCUM_OK;
}

/* --- set-up ----------------------------------------------------------------------------------- */

static int find_field(const locum_schema *schema)
{
    for (int a = 0; a < schema->n_arrays; a++) {
        const locum_domain *domain = &schema->domains[schema->arrays[a].domain];
        bool real = schema->arrays[a].type == LOCUM_FLOAT64 || schema->arrays[a].type == LOCUM_FLOAT32;
        if (domain->support == LOCUM_GRID && domain->n_dims == 2 && schema->arrays[a].order == 0 && real &&
            (schema->arrays[a].roles & LOCUM_OBSERVABLE))
            return a;
    }
    return -1;
}

static locum_status prepare(painter *p)
{
    const locum_setup *setup = p->problem->call->setup;

    LOCUM_TRY(setup->type->create(locum_settings_config(setup->solver), NULL, MPI_COMM_SELF, &p->solver));
    const locum_schema *schema = setup->type->schema(p->solver);
    p->array = schema->timeless ? -1 : find_field(schema);
    if (p->array < 0) return LOCUM_OK;
    p->domain = &schema->domains[schema->arrays[p->array].domain];
    for (int d = 0; d < 2; d++) p->stride[d] = (p->domain->n_global[d] + MOST_POINTS - 1) / MOST_POINTS;
    p->nx = (p->domain->n_global[0] + p->stride[0] - 1) / p->stride[0];
    p->ny = (p->domain->n_global[1] + p->stride[1] - 1) / p->stride[1];
    p->record = *setup->record_config;
    p->record.average = false;
    p->record.n_resolution = 0;
    p->record.n_observe = 1;
    locum_format(p->record.observe[0], LOCUM_TEXT_SIZE, "%s", schema->arrays[p->array].name);
    p->until = p->record.from > 0 ? p->record.from : locum_problem_until(p->problem);
    p->record.from = p->until;
    LOCUM_TRY(LOCUM_NEW(&p->kept, p->nx * p->ny));
    return LOCUM_NEW(&p->config, setup->type->config_size);
}

/* the input whose range spans the largest factor: what pictures are about */
static int widest_input(const locum_problem *p)
{
    double largest = 0;
    int widest = 0;

    for (int i = 0; i < p->n_inputs; i++) {
        const locum_port *port = locum_model_input(p->model, i);
        double factor = port->lower > 0 ? port->upper / port->lower : 1;
        if (factor > largest) largest = factor, widest = i;
    }
    return widest;
}

/* the test sample nearest to the part `u` of the widest input's range, with the others in the middle of theirs */
static int64_t sample_at(const locum_problem *p, double u)
{
    int64_t best = 0;
    int widest = widest_input(p);
    double least = INFINITY;

    for (int64_t k = 0; k < p->n[LOCUM_TEST]; k++) {
        double off = 0;
        for (int i = 0; i < p->n_inputs; i++) {
            const locum_port *port = locum_model_input(p->model, i);
            double x = p->x[LOCUM_TEST][k * p->n_inputs + i], part;
            if (port->lower > 0 && port->upper > 4 * port->lower)
                part = log(x / port->lower) / log(port->upper / port->lower);
            else
                part = (x - port->lower) / (port->upper - port->lower);
            off += (part - (i == widest ? u : 0.5)) * (part - (i == widest ? u : 0.5)) * (i == widest ? 4 : 1);
        }
        if (off < least) least = off, best = k;
    }
    return best;
}

static locum_status describe(const painter *p, const double *x, locum_snapshot *s)
{
    const char *array = p->record.observe[0];
    size_t used = (size_t)locum_format(s->text, sizeof s->text, "%s at time %.4g", array, p->until);

    for (int i = 0; i < p->problem->n_inputs && used < sizeof s->text; i++)
        used += (size_t)locum_format(s->text + used, sizeof s->text - used, ", %s %.3g",
                                     locum_model_input(p->problem->model, i)->name, x[i]);
    s->nx = p->nx;
    s->ny = p->ny;
    for (int d = 0; d < 2; d++) {
        s->lower[d] = p->domain->lower[d];
        s->upper[d] = p->domain->upper[d];
    }
    return LOCUM_NEW(&s->values, p->nx * p->ny);
}

/* all pictures, each made by one rank; a sum in which the others are zero brings them to rank 0 */
static locum_status paint_all(painter *p, locum_snapshots *snapshots)
{
    const locum_problem *problem = p->problem;
    int64_t count = p->nx * p->ny;
    locum_status st = LOCUM_NEW(&snapshots->items, problem->config->snapshots);

    for (int i = 0; i < problem->config->snapshots && !st; i++) {
        double u = problem->config->snapshots > 1 ? (double)i / (problem->config->snapshots - 1) : 0.5;
        const double *x = problem->x[LOCUM_TEST] + sample_at(problem, u) * problem->n_inputs;
        st = describe(p, x, &snapshots->items[i]);
        snapshots->n = i + 1;
        if (st || i % problem->size != problem->rank) continue;
        st = paint(p, i, x);
        if (!st) memcpy(snapshots->items[i].values, p->kept, (size_t)count * sizeof(double));
    }
    LOCUM_TRY(locum_comm_agree(problem->call->world, st));
    for (int i = 0; i < snapshots->n; i++)
        MPI_Allreduce(MPI_IN_PLACE, snapshots->items[i].values, (int)count, MPI_DOUBLE, MPI_SUM, problem->call->world);
    return LOCUM_OK;
}

static void drop_failed(locum_snapshots *snapshots)
{
    int kept = 0;

    for (int i = 0; i < snapshots->n; i++) {
        if (isnan(snapshots->items[i].values[0]))
            free(snapshots->items[i].values);
        else
            snapshots->items[kept++] = snapshots->items[i];
    }
    snapshots->n = kept;
}

locum_status locum_snapshots_take(const locum_problem *problem, locum_snapshots *snapshots)
{
    painter p = {.problem = problem};

    *snapshots = (locum_snapshots){0};
    if (!problem->call->setup || problem->call->setup->from_file || problem->config->snapshots < 1) return LOCUM_OK;
    locum_status st = locum_comm_agree(problem->call->world, prepare(&p));
    if (!st && p.array >= 0) st = paint_all(&p, snapshots);
    if (!st) drop_failed(snapshots);
    if (p.solver) problem->call->setup->type->destroy(p.solver);
    free(p.config);
    free(p.kept);
    return st;
}

void locum_snapshots_free(locum_snapshots *snapshots)
{
    for (int i = 0; i < snapshots->n; i++) free(snapshots->items[i].values);
    free(snapshots->items);
    *snapshots = (locum_snapshots){0};
}
