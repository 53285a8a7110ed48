/* SPDX-License-Identifier: BSD-3-Clause */
/* flow.h - what the tests of navier_stokes share: a config with the table's defaults, and a run in a few calls. */
#ifndef TESTS_PHYSICS_NAVIER_STOKES_FLOW_H
#define TESTS_PHYSICS_NAVIER_STOKES_FLOW_H

#include <mpi.h>
#include <string.h>

#include "solvers/navier_stokes/periodic/navier_stokes.h"
#include "tests/physics/solver_test.h"
#include "tests/unit/check.h"

enum { FLOW_ARRAYS = 16 };

typedef struct flow {
    const locum_solver_type *type;
    locum_navier_stokes_config config;
    locum_solver *solver;
    locum_state *state;
    bool wanted[FLOW_ARRAYS];
    locum_block blocks[FLOW_ARRAYS];
    locum_frame frame;
} flow;

static inline locum_navier_stokes_config flow_config(int nx, int ny)
{
    locum_navier_stokes_config c;
    memset(&c, 0, sizeof c);
    apply_defaults(locum_solver_navier_stokes.options, &c);
    apply_defaults(locum_solver_navier_stokes.initial, &c);
    c.n_resolution = 2;
    c.resolution[0] = nx;
    c.resolution[1] = ny;
    return c;
}

/* creates the solver and starts a sample; initial may be NULL */
static inline locum_status flow_begin_with(flow *f, const locum_navier_stokes_config *config, MPI_Comm comm,
                                           uint64_t seed, const locum_frame *initial, bool exact)
{
    memset(f, 0, sizeof *f);
    f->type = &locum_solver_navier_stokes;
    f->config = *config;
    f->frame.blocks = f->blocks;
    locum_status st = f->type->create(config, NULL, comm, &f->solver);
    locum_sample sample = {.seed = seed, .config = &f->config, .initial = initial, .exact = exact};
    return st ? st : f->type->start(f->solver, &sample, &f->state);
}

static inline locum_status flow_begin(flow *f, const locum_navier_stokes_config *config, MPI_Comm comm, uint64_t seed)
{
    return flow_begin_with(f, config, comm, seed, NULL, false);
}

static inline locum_status flow_run(flow *f, double t_end)
{
    while (f->type->time(f->state) < t_end) {
        locum_status st = f->type->advance(f->solver, f->state, t_end);
        if (st) return st;
    }
    return LOCUM_OK;
}

/* observes one array; NULL if that fails. The block lies in f->blocks[flow_array(name)]. */
static inline int flow_array(const flow *f, const char *name)
{
    return locum_schema_find(f->type->schema(f->solver), name);
}

static inline const double *flow_observe(flow *f, const char *name)
{
    int array = flow_array(f, name);
    memset(f->wanted, 0, sizeof f->wanted);
    if (array < 0) return NULL;
    f->wanted[array] = true;
    return f->type->observe(f->solver, f->state, f->wanted, &f->frame) ? NULL : f->blocks[array].data;
}

static inline double flow_value(flow *f, const char *name)
{
    const double *value = flow_observe(f, name);
    return value ? *value : NAN;
}

/* mode (kx, ky), ky >= 0, of vorticity_hat [ky][kx = -k_max ..]; 0 beyond the truncation. One rank. */
static inline void flow_mode(const flow *f, const double *modes, int kx, int ky, double mode[2])
{
    const locum_domain *grid = &f->type->schema(f->solver)->domains[f->type->schema(f->solver)->arrays[0].domain];
    const int x_max = (int)(grid->n_global[0] - 1) / 3, y_max = (int)(grid->n_global[1] - 1) / 3;
    mode[0] = mode[1] = 0;
    if (abs(kx) > x_max || ky > y_max) return;
    memcpy(mode, modes + 2 * (ky * (2 * x_max + 1) + kx + x_max), 2 * sizeof *mode);
}

/* relative L2 difference of two vorticity fields on any two grids over the same box, over all modes of b */
static inline double flow_mode_difference(flow *a, flow *b, int k_max)
{
    const double *of_a = flow_observe(a, "vorticity_hat"), *of_b = flow_observe(b, "vorticity_hat");
    double difference = 0, size = 0;
    for (int ky = 0; ky <= k_max; ky++)
        for (int kx = -k_max; kx <= k_max; kx++) {
            double p[2], q[2], weight = ky ? 2 : 1;
            flow_mode(a, of_a, kx, ky, p);
            flow_mode(b, of_b, kx, ky, q);
            difference += weight * ((p[0] - q[0]) * (p[0] - q[0]) + (p[1] - q[1]) * (p[1] - q[1]));
            size += weight * (q[0] * q[0] + q[1] * q[1]);
        }
    return sqrt(difference / size);
}

/* a vorticity field [n, n] of one rank as the initial frame of a sample */
typedef struct flow_field {
    locum_domain domain;
    locum_array array;
    locum_schema schema;
    locum_block block;
    locum_frame frame;
} flow_field;

static inline const locum_frame *flow_field_of(flow_field *f, const char *name, int nx, int ny, const double *values)
{
    f->domain = (locum_domain){.name = "grid", .support = LOCUM_GRID, .n_dims = 2, .n_global = {nx, ny, 1}};
    f->array = (locum_array){.name = name, .unit = "1", .type = LOCUM_FLOAT64, .domain = 0};
    f->schema = (locum_schema){.domains = &f->domain, .n_domains = 1, .arrays = &f->array, .n_arrays = 1};
    f->block = (locum_block){values, {0, 0, 0}, {nx, ny, 1}, (int64_t)nx * ny};
    f->frame = (locum_frame){.schema = &f->schema, .blocks = &f->block};
    return &f->frame;
}

static inline void flow_end(flow *f)
{
    f->type->free_state(f->state);
    f->type->destroy(f->solver);
    f->state = NULL;
    f->solver = NULL;
}

/* a main for programs that run under mpirun: every rank runs the tests, the worst result counts */
#define FLOW_MPI_MAIN(suite_name, ...)                                                          \
    int main(int argc, char **argv)                                                             \
    {                                                                                           \
        static const check_entry entries[] = {__VA_ARGS__};                                     \
        MPI_Init(&argc, &argv);                                                                 \
        int failed = check_run(suite_name, entries, (int)(sizeof entries / sizeof entries[0])); \
        MPI_Allreduce(MPI_IN_PLACE, &failed, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD);              \
        MPI_Finalize();                                                                         \
        return failed;                                                                          \
    }

#endif
