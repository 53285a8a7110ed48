/* SPDX-License-Identifier: BSD-3-Clause */
/* grid_advection.c - a solver with a grid: advection and diffusion of a tracer on a periodic box, explicit Euler,
 * centred.
 *
 *      q_t + u q_x = kappa (q_xx + q_yy)         blocks of rows along x, one row of each neighbour as halo
 *
 * Arrays: tracer [nx, ny] (the state), gradient [nx, ny, 2] (made on demand), mean, variance, profile over y. Sums
 * run over rows in their order: the same bits on any number of ranks. A step that is not stable ends with
 * LOCUM_NUMERIC. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/parallel/comm.h"
#include "core/random.h"
#include "tests/conformance/solvers/test_solvers.h"

enum { DOMAIN_GLOBAL, DOMAIN_GRID, DOMAIN_Y, N_DOMAINS };
enum { TRACER, GRADIENT, MEAN, VARIANCE, PROFILE, N_ARRAYS };
enum { WAVE, RANDOM, FROM_FILE };

typedef struct grid_advection_config {
    int32_t resolution[2], n_resolution;
    double box, velocity, diffusivity, step;
    int32_t initial;
    char file[LOCUM_PATH_SIZE], dataset[LOCUM_TEXT_SIZE];
} grid_advection_config;

#define PLACE(member) offsetof(grid_advection_config, member)
static const locum_option grid_advection_options[] = {
    {.name = "resolution",
     .type = LOCUM_I32,
     .place = PLACE(resolution),
     .value = 16,
     .min = 4,
     .max = 4096,
     .unit = "1",
     .n_max = 2,
     .n_default = 1,
     .place_n = PLACE(n_resolution),
     .text = "points along each axis"},
    {.name = "box",
     .type = LOCUM_F64,
     .place = PLACE(box),
     .value = 1,
     .min = 0,
     .max = INFINITY,
     .unit = "length",
     .text = "length of the box",
     .flags = LOCUM_OPEN_MIN},
    {.name = "velocity",
     .type = LOCUM_F64,
     .place = PLACE(velocity),
     .value = 1,
     .unit = "1",
     .text = "along x",
     .flags = LOCUM_PARAMETER},
    {.name = "diffusivity",
     .type = LOCUM_F64,
     .place = PLACE(diffusivity),
     .value = 0.05,
     .min = 0,
     .max = 10,
     .unit = "1",
     .text = "of the tracer",
     .flags = LOCUM_PARAMETER},
    {.name = "step",
     .type = LOCUM_F64,
     .place = PLACE(step),
     .value = 0.005,
     .min = 0,
     .max = 1,
     .unit = "time",
     .text = "time step",
     .flags = LOCUM_OPEN_MIN},
    {0},
};
static const locum_option file_options[] = {
    {.name = "file", .type = LOCUM_PATH, .place = PLACE(file), .text = "file with the tracer", .flags = LOCUM_REQUIRED},
    {.name = "dataset", .type = LOCUM_STRING, .place = PLACE(dataset), .string = "tracer", .text = "its dataset"},
    {0},
};
static const locum_choice initial_choices[] = {{"wave", "sin(2 pi x) cos(2 pi y) and its mean 1", NULL},
                                               {"random", "a number for each point", NULL},
                                               {"file", "from a file", file_options},
                                               {0}};
static const locum_option grid_advection_initial[] = {{.name = "name",
                                                       .type = LOCUM_CHOICE,
                                                       .place = PLACE(initial),
                                                       .choices = initial_choices,
                                                       .text = "initial tracer"},
                                                      {0}};

struct locum_solver {
    grid_advection_config config;
    MPI_Comm comm;
    int rank, size;
    int64_t nx, ny, first, n; /* rows first .. first + n are mine */
    double *axis[2], *lent;   /* lent: what resample fills, [n, ny] */
    locum_domain domains[N_DOMAINS];
    locum_array arrays[N_ARRAYS];
    locum_schema schema;
};

struct locum_state {
    double time, velocity, diffusivity;
    double *q, *next;                     /* [n + 2, ny] with halo rows 0 and n + 1 */
    double *gradient, *partial, *profile; /* [n, ny, 2], [n, ny], [ny] */
    double mean, variance;
};

/* --- solver ------------------------------------------------------------------------------------------------ */

static void grid_advection_destroy(locum_solver *s)
{
    if (!s) return;
    free(s->axis[0]);
    free(s->axis[1]);
    free(s->lent);
    free(s);
}

static void describe(locum_solver *s)
{
    const int64_t n[2] = {s->nx, s->ny};
    double box = s->config.box;

    for (int d = 0; d < 2; d++)
        for (int64_t i = 0; i < n[d]; i++) s->axis[d][i] = box * (double)i / (double)n[d];
    s->domains[DOMAIN_GLOBAL] = (locum_domain){.name = "global", .support = LOCUM_GLOBAL};
    s->domains[DOMAIN_GRID] = (locum_domain){.name = "grid",
                                             .support = LOCUM_GRID,
                                             .n_dims = 2,
                                             .n_global = {s->nx, s->ny},
                                             .axis = {s->axis[0], s->axis[1]},
                                             .axis_name = {"x", "y"},
                                             .axis_unit = "1",
                                             .upper = {box, box}};
    s->domains[DOMAIN_Y] = (locum_domain){.name = "y",
                                          .support = LOCUM_ROWS,
                                          .n_dims = 1,
                                          .n_global = {s->ny},
                                          .axis = {s->axis[1]},
                                          .axis_name = {"y"},
                                          .axis_unit = "1",
                                          .upper = {box}};
    s->arrays[TRACER] =
        (locum_array){"tracer", "the tracer", "1", LOCUM_FLOAT64, DOMAIN_GRID, .roles = LOCUM_STATE | LOCUM_OBSERVABLE};
    s->arrays[GRADIENT] = (locum_array){
        "gradient", "its gradient", "1", LOCUM_FLOAT64, DOMAIN_GRID, 1, {2}, .roles = LOCUM_OBSERVABLE | LOCUM_COSTLY};
    s->arrays[MEAN] =
        (locum_array){"mean", "mean over the box", "1", LOCUM_FLOAT64, DOMAIN_GLOBAL, .roles = LOCUM_OBSERVABLE};
    s->arrays[VARIANCE] =
        (locum_array){"variance", "about the mean", "1", LOCUM_FLOAT64, DOMAIN_GLOBAL, .roles = LOCUM_OBSERVABLE};
    s->arrays[PROFILE] =
        (locum_array){"profile", "mean over x", "1", LOCUM_FLOAT64, DOMAIN_Y, .roles = LOCUM_OBSERVABLE};
    s->schema = (locum_schema){s->domains, N_DOMAINS, s->arrays, N_ARRAYS, false, 0};
}

static locum_status fill(locum_solver *s, const grid_advection_config *config, MPI_Comm comm)
{
    s->config = *config;
    s->comm = comm;
    MPI_Comm_rank(comm, &s->rank);
    MPI_Comm_size(comm, &s->size);
    s->nx = config->resolution[0];
    s->ny = config->resolution[config->n_resolution > 1 ? 1 : 0];
    s->first = s->nx * s->rank / s->size;
    s->n = s->nx * (s->rank + 1) / s->size - s->first;
    LOCUM_REQUIRE(s->nx >= s->size, LOCUM_STUDY, "grid_advection: %lld rows are too few for %d ranks", (long long)s->nx,
                  s->size);
    LOCUM_TRY(LOCUM_NEW(&s->axis[0], s->nx));
    LOCUM_TRY(LOCUM_NEW(&s->axis[1], s->ny));
    return LOCUM_NEW(&s->lent, s->n * s->ny);
}

static locum_status grid_advection_create(const void *config, const locum_services *services, MPI_Comm comm,
                                          locum_solver **solver)
{
    (void)services;
    *solver = NULL;
    locum_status st = LOCUM_NEW(solver, 1);
    if (!st) st = fill(*solver, config, comm);
    st = locum_comm_agree(comm, st);
    if (st) {
        grid_advection_destroy(*solver);
        *solver = NULL;
        return st;
    }
    describe(*solver);
    return LOCUM_OK;
}

static const locum_schema *grid_advection_schema(const locum_solver *solver)
{
    return &solver->schema;
}

/* --- state ------------------------------------------------------------------------------------------------- */

static void grid_advection_free_state(locum_state *a)
{
    if (!a) return;
    free(a->q);
    free(a->next);
    free(a->gradient);
    free(a->partial);
    free(a->profile);
    free(a);
}

static locum_status allocate(const locum_solver *s, locum_state **state)
{
    locum_status st = LOCUM_NEW(state, 1);
    locum_state *a = *state;

    if (!st) st = LOCUM_NEW(&a->q, (s->n + 2) * s->ny);
    if (!st) st = LOCUM_NEW(&a->next, (s->n + 2) * s->ny);
    if (!st) st = LOCUM_NEW(&a->gradient, 2 * s->n * s->ny);
    if (!st) st = LOCUM_NEW(&a->partial, s->n * s->ny);
    if (!st) st = LOCUM_NEW(&a->profile, s->ny);
    st = locum_comm_agree(s->comm, st);
    if (!st) return LOCUM_OK;
    grid_advection_free_state(*state);
    *state = NULL;
    return st;
}

static void exchange_halo(const locum_solver *s, double *q)
{
    int up = (s->rank + 1) % s->size, down = (s->rank + s->size - 1) % s->size, ny = (int)s->ny;

    MPI_Sendrecv(q + s->n * ny, ny, MPI_DOUBLE, up, 0, q, ny, MPI_DOUBLE, down, 0, s->comm, MPI_STATUS_IGNORE);
    MPI_Sendrecv(q + ny, ny, MPI_DOUBLE, down, 1, q + (s->n + 1) * ny, ny, MPI_DOUBLE, up, 1, s->comm,
                 MPI_STATUS_IGNORE);
}

/* rows of an array in even slices -> all [nx, ny] on every rank; a test may be wasteful */
static locum_status gather(const locum_solver *s, const locum_frame *frame, double **all, int64_t n[2])
{
    int array = locum_schema_find(frame->schema, "tracer");
    locum_status st = LOCUM_OK;

    *all = NULL;
    if (array < 0) array = locum_schema_find(frame->schema, s->config.dataset);
    if (array < 0 || frame->schema->domains[frame->schema->arrays[array].domain].support != LOCUM_GRID)
        st = LOCUM_FAIL(LOCUM_INPUT, "grid_advection: the initial frame has no tracer");
    if (!st && frame->schema->arrays[array].type != LOCUM_FLOAT64)
        st = LOCUM_FAIL(LOCUM_INPUT, "grid_advection: the tracer must be float64");
    if (!st) memcpy(n, frame->schema->domains[frame->schema->arrays[array].domain].n_global, 2 * sizeof *n);
    if (!st) st = LOCUM_NEW(all, n[0] * n[1]);
    LOCUM_TRY(locum_comm_agree(s->comm, st));
    const locum_block *block = &frame->blocks[array];
    if (block->n[0] > 0)
        memcpy(*all + block->first[0] * n[1], block->data, (size_t)(block->n[0] * n[1]) * sizeof(double));
    MPI_Allreduce(MPI_IN_PLACE, *all, (int)(n[0] * n[1]), MPI_DOUBLE, MPI_SUM, s->comm);
    return LOCUM_OK;
}

static locum_status start_from_frame(const locum_solver *s, const locum_frame *frame, bool exact, locum_state *a)
{
    double *all = NULL;
    int64_t n[2] = {0, 0};
    locum_status st = gather(s, frame, &all, n);

    if (!st && (n[0] != s->nx || n[1] != s->ny))
        st = LOCUM_FAIL(LOCUM_INPUT, "grid_advection: the initial tracer has another grid");
    if (!st) memcpy(a->q + s->ny, all + s->first * s->ny, (size_t)(s->n * s->ny) * sizeof(double));
    if (!st && exact) a->time = frame->time;
    free(all);
    return st;
}

static void start_from_config(const locum_solver *s, const grid_advection_config *config, uint64_t seed, locum_state *a)
{
    const double turn = 6.283185307179586477 / s->config.box;
    double u[2];

    for (int64_t i = 0; i < s->n; i++)
        for (int64_t j = 0; j < s->ny; j++) {
            locum_random_uniform(seed, LOCUM_STREAM_INITIAL, (uint64_t)((s->first + i) * s->ny + j), u);
            double wave = 1 + sin(turn * s->axis[0][s->first + i]) * cos(turn * s->axis[1][j]);
            a->q[(i + 1) * s->ny + j] = config->initial == RANDOM ? u[0] : wave;
        }
}

static locum_status grid_advection_start(const locum_solver *s, const locum_sample *sample, locum_state **state)
{
    const grid_advection_config *config = sample->config ? sample->config : &s->config;

    if (!*state) LOCUM_TRY(allocate(s, state));
    locum_state *a = *state;
    a->time = 0;
    a->velocity = config->velocity;
    a->diffusivity = config->diffusivity;
    if (sample->initial) return start_from_frame(s, sample->initial, sample->exact, a);
    LOCUM_REQUIRE(config->initial != FROM_FILE, LOCUM_ARG,
                  "grid_advection: the initial state of a file must come with the sample");
    start_from_config(s, config, sample->seed, a);
    return LOCUM_OK;
}

/* --- step -------------------------------------------------------------------------------------------------- */

static locum_status grid_advection_advance(const locum_solver *s, locum_state *a, double t_end)
{
    const double dx = s->config.box / (double)s->nx, dy = s->config.box / (double)s->ny;
    const double left = t_end - a->time, dt = left < s->config.step * (1 + 1e-9) ? left : s->config.step;
    const double cx = a->diffusivity / (dx * dx), cy = a->diffusivity / (dy * dy), u = a->velocity / (2 * dx);
    const int64_t ny = s->ny;

    LOCUM_REQUIRE(s->config.step * 2 * (cx + cy) <= 1 &&
                      s->config.step * a->velocity * a->velocity <= 2 * a->diffusivity,
                  LOCUM_NUMERIC, "grid_advection: the step %g is not stable at velocity %g, diffusivity %g",
                  s->config.step, a->velocity, a->diffusivity);
    exchange_halo(s, a->q);
    for (int64_t i = 1; i <= s->n; i++)
        for (int64_t j = 0; j < ny; j++) {
            const double *q = a->q + i * ny;
            double here = q[j], west = q[j - ny], east = q[j + ny], south = q[j ? j - 1 : ny - 1],
                   north = q[j < ny - 1 ? j + 1 : 0];
            a->next[i * ny + j] =
                here + dt * (cx * (west - 2 * here + east) + cy * (south - 2 * here + north) - u * (east - west));
        }
    double *old = a->q;
    a->q = a->next;
    a->next = old;
    a->time = dt == left ? t_end : a->time + dt;
    return LOCUM_OK;
}

/* --- frames ------------------------------------------------------------------------------------------------ */

static locum_status observe_sums(const locum_solver *s, locum_state *a)
{
    const double points = (double)(s->nx * s->ny);

    LOCUM_TRY(locum_comm_sum_blocks(s->comm, s->nx, s->first, s->n, (int)s->ny, a->q + s->ny, a->profile));
    a->mean = 0;
    for (int64_t j = 0; j < s->ny; j++) {
        a->mean += a->profile[j] / points;
        a->profile[j] /= (double)s->nx;
    }
    for (int64_t i = 0; i < s->n; i++) {
        a->partial[i] = 0;
        for (int64_t j = 0; j < s->ny; j++) {
            double d = a->q[(i + 1) * s->ny + j] - a->mean;
            a->partial[i] += d * d / points;
        }
    }
    return locum_comm_sum_blocks(s->comm, s->nx, s->first, s->n, 1, a->partial, &a->variance);
}

static void observe_gradient(const locum_solver *s, locum_state *a)
{
    const double dx = s->config.box / (double)s->nx, dy = s->config.box / (double)s->ny;
    const int64_t ny = s->ny;

    exchange_halo(s, a->q);
    for (int64_t i = 0; i < s->n; i++)
        for (int64_t j = 0; j < ny; j++) {
            const double *q = a->q + (i + 1) * ny;
            a->gradient[2 * (i * ny + j)] = (q[j + ny] - q[j - ny]) / (2 * dx);
            a->gradient[2 * (i * ny + j) + 1] = (q[j < ny - 1 ? j + 1 : 0] - q[j ? j - 1 : ny - 1]) / (2 * dy);
        }
}

static locum_status grid_advection_observe(const locum_solver *s, locum_state *a, const bool *wanted,
                                           locum_frame *frame)
{
    const locum_block grid = {NULL, {s->first, 0, 0}, {s->n, s->ny, 1}, s->nx * s->ny};
    const void *data[N_ARRAYS] = {a->q + s->ny, a->gradient, &a->mean, &a->variance, a->profile};
    int64_t mine = s->rank == 0 ? s->ny : 0;

    if (wanted[MEAN] || wanted[VARIANCE] || wanted[PROFILE]) LOCUM_TRY(observe_sums(s, a));
    if (wanted[GRADIENT]) observe_gradient(s, a);
    frame->schema = &s->schema;
    frame->time = a->time;
    for (int k = 0; k < N_ARRAYS; k++) {
        if (!wanted[k]) continue;
        frame->blocks[k] = k <= GRADIENT  ? grid
                           : k == PROFILE ? (locum_block){NULL, {0}, {mine, 1, 1}, s->ny}
                                          : (locum_block){NULL, {0}, {1, 1, 1}, 1};
        frame->blocks[k].data = data[k];
    }
    return LOCUM_OK;
}

static double grid_advection_time(const locum_state *a)
{
    return a->time;
}

/* bilinear, for the tracer alone */
static locum_status grid_advection_resample(const locum_solver *s, const locum_frame *in, locum_frame *out)
{
    double *all = NULL;
    int64_t n[2] = {0, 0};

    LOCUM_TRY(gather(s, in, &all, n));
    for (int64_t i = 0; i < s->n; i++)
        for (int64_t j = 0; j < s->ny; j++) {
            double x = (double)(s->first + i) * (double)n[0] / (double)s->nx,
                   y = (double)j * (double)n[1] / (double)s->ny;
            int64_t k = (int64_t)x, l = (int64_t)y, k1 = (k + 1) % n[0], l1 = (l + 1) % n[1];
            double p = x - (double)k, r = y - (double)l;
            s->lent[i * s->ny + j] = (1 - p) * ((1 - r) * all[k * n[1] + l] + r * all[k * n[1] + l1]) +
                                     p * ((1 - r) * all[k1 * n[1] + l] + r * all[k1 * n[1] + l1]);
        }
    free(all);
    out->schema = &s->schema;
    out->blocks[TRACER] = (locum_block){s->lent, {s->first, 0, 0}, {s->n, s->ny, 1}, s->nx * s->ny};
    return LOCUM_OK;
}

static locum_status grid_advection_estimate(const void *config, int ranks, locum_cost *cost)
{
    const grid_advection_config *c = config;
    double points = (double)c->resolution[0] * c->resolution[c->n_resolution > 1 ? 1 : 0];

    *cost = (locum_cost){14 * points / c->step, 1 / c->step, 8 * 6 * points / ranks};
    return LOCUM_OK;
}

const locum_solver_type locum_solver_grid_advection = {
    .name = "grid_advection",
    .summary = "a tracer that drifts and spreads; a test of solvers with a grid",
    .options = grid_advection_options,
    .initial = grid_advection_initial,
    .config_size = sizeof(grid_advection_config),
    .reproducible = LOCUM_BITS_ANY_RANKS,
    .create = grid_advection_create,
    .schema = grid_advection_schema,
    .start = grid_advection_start,
    .advance = grid_advection_advance,
    .observe = grid_advection_observe,
    .time = grid_advection_time,
    .free_state = grid_advection_free_state,
    .destroy = grid_advection_destroy,
    .estimate = grid_advection_estimate,
    .resample = grid_advection_resample};
