/* SPDX-License-Identifier: BSD-3-Clause */
/* flow.h - what the tests of navier_stokes share: a config with the table's defaults, and a run in a few calls. */
#ifndef TESTS_PHYSICS_NAVIER_STOKES_FLOW_H
#define TESTS_PHYSICS_NAVIER_STOKES_FLOW_H

#include <mpi.h>
#include <string.h>

#include "solvers/navier_stokes/periodic/navier_stokes.h"
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

/* the options' own defaults */
static inline void flow_apply(const locum_option *options, void *config)
{
    for (const locum_option *o = options; o && o->type != LOCUM_END; o++) {
        char *place = (char *)config + o->place;
        const int n = o->n_max ? o->n_default : 1;
        for (int i = 0; i < n; i++) {
            if (o->type == LOCUM_F64) ((double *)(void *)place)[i] = o->value;
            if (o->type == LOCUM_I32 || o->type == LOCUM_CHOICE) ((int32_t *)(void *)place)[i] = (int32_t)o->value;
        }
        if (o->type == LOCUM_STRING) snprintf(place, LOCUM_TEXT_SIZE, "%s", o->string);
        if (o->n_max) *(int32_t *)(void *)((char *)config + o->place_n) = o->n_default;
        for (const locum_choice *c = o->choices; c && c->name; c++) flow_apply(c->options, config);
    }
}

static inline locum_navier_stokes_config flow_config(int nx, int ny)
{
    locum_navier_stokes_config c;
    memset(&c, 0, sizeof c);
    flow_apply(locum_solver_navier_stokes.options, &c);
    flow_apply(locum_solver_navier_stokes.initial, &c);
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

static inline void flow_end(flow *f)
{
    f->type->free_state(f->state);
    f->type->destroy(f->solver);
}

/* relative L2 difference of two arrays */
static inline double flow_difference(const double *a, const double *b, int64_t n)
{
    double difference = 0, size = 0;
    for (int64_t i = 0; i < n; i++) {
        difference += (a[i] - b[i]) * (a[i] - b[i]);
        size += b[i] * b[i];
    }
    return sqrt(difference / size);
}

/* a main for programs that run under mpirun: every rank runs the tests, the worst result counts */
#define FLOW_MPI_MAIN(suite_name, ...)                                                             \
    int main(int argc, char **argv)                                                                \
    {                                                                                              \
        static const check_entry entries[] = {__VA_ARGS__};                                        \
        MPI_Init(&argc, &argv);                                                                    \
        int failed = check_run(suite_name, entries, (int)(sizeof entries / sizeof entries[0]));    \
        MPI_Allreduce(MPI_IN_PLACE, &failed, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD);                 \
        MPI_Finalize();                                                                            \
        return failed;                                                                             \
    }

#endif
