/* SPDX-License-Identifier: BSD-3-Clause */
/* medium.h - what the tests of darcy share: a config with the table's defaults, a sample in a few calls, initial frames
 * made of functions, and a main that sets the solver up and finishes it. */
#ifndef TESTS_PHYSICS_DARCY_MEDIUM_H
#define TESTS_PHYSICS_DARCY_MEDIUM_H

#include <mpi.h>
#include <string.h>

#include "solvers/darcy/darcy.h"
#include "tests/physics/solver_test.h"
#include "tests/unit/check.h"

enum { MEDIUM_ARRAYS = 8 };

typedef struct medium {
    const locum_solver_type *type;
    locum_darcy_config config;
    locum_solver *solver;
    locum_state *state;
    bool wanted[MEDIUM_ARRAYS];
    locum_block blocks[MEDIUM_ARRAYS];
    locum_frame frame;
} medium;

static inline locum_darcy_config medium_config(int n)
{
    locum_darcy_config c;
    memset(&c, 0, sizeof c);
    apply_defaults(locum_solver_darcy.options, &c);
    apply_defaults(locum_solver_darcy.initial, &c);
    c.resolution = n;
    return c;
}

static inline void medium_option(locum_darcy_config *config, const char *pair)
{
    snprintf(config->petsc[config->n_petsc++], LOCUM_TEXT_SIZE, "%s", pair);
}

/* creates the solver and starts a sample; initial may be NULL */
static inline locum_status medium_begin(medium *m, const locum_darcy_config *config, MPI_Comm comm, uint64_t seed,
                                        const locum_frame *initial)
{
    memset(m, 0, sizeof *m);
    m->type = &locum_solver_darcy;
    m->config = *config;
    m->frame.blocks = m->blocks;
    locum_status st = m->type->create(config, NULL, comm, &m->solver);
    locum_sample sample = {.seed = seed, .config = &m->config, .initial = initial};
    return st ? st : m->type->start(m->solver, &sample, &m->state);
}

static inline locum_status medium_solve(medium *m, const locum_darcy_config *config, MPI_Comm comm, uint64_t seed,
                                        const locum_frame *initial)
{
    locum_status st = medium_begin(m, config, comm, seed, initial);
    return st ? st : m->type->advance(m->solver, m->state, 0);
}

static inline int medium_array(const medium *m, const char *name)
{
    return locum_schema_find(m->type->schema(m->solver), name);
}

/* observes one array; its block lies in m->blocks[medium_array(name)] */
static inline const double *medium_observe(medium *m, const char *name)
{
    int array = medium_array(m, name);
    memset(m->wanted, 0, sizeof m->wanted);
    if (array < 0) return NULL;
    m->wanted[array] = true;
    return m->type->observe(m->solver, m->state, m->wanted, &m->frame) ? NULL : m->blocks[array].data;
}

static inline double medium_value(medium *m, const char *name)
{
    const double *value = medium_observe(m, name);
    return value ? *value : NAN;
}

static inline void medium_end(medium *m)
{
    m->type->free_state(m->state);
    m->type->destroy(m->solver);
    m->state = NULL;
    m->solver = NULL;
}

/* coefficient and source at the cell centres of one rank as an initial frame; source may be NULL */
typedef double (*medium_function)(double x, double y);
typedef struct medium_fields {
    locum_domain domain;
    locum_array arrays[2];
    locum_schema schema;
    locum_block blocks[2];
    locum_frame frame;
    double *values[2];
} medium_fields;

static inline const locum_frame *medium_frame(medium_fields *f, int n, medium_function coefficient,
                                              medium_function source)
{
    const medium_function functions[2] = {coefficient, source};
    static const char *const names[2] = {"coefficient", "source"};
    memset(f, 0, sizeof *f);
    f->domain = (locum_domain){.name = "grid", .support = LOCUM_GRID, .n_dims = 2, .n_global = {n, n, 1}};
    f->schema = (locum_schema){
        .domains = &f->domain, .n_domains = 1, .arrays = f->arrays, .n_arrays = source ? 2 : 1, .timeless = true};
    for (int a = 0; a < f->schema.n_arrays; a++) {
        f->arrays[a] = (locum_array){.name = names[a], .unit = "1", .type = LOCUM_FLOAT64, .place = LOCUM_CELL};
        f->values[a] = malloc((size_t)n * (size_t)n * sizeof(double));
        for (int i = 0; i < n * n; i++) f->values[a][i] = functions[a]((i / n + 0.5) / n, (i % n + 0.5) / n);
        f->blocks[a] = (locum_block){f->values[a], {0, 0, 0}, {n, n, 1}, (int64_t)n * n};
    }
    f->frame = (locum_frame){.schema = &f->schema, .blocks = f->blocks};
    return &f->frame;
}

static inline void medium_free(medium_fields *f)
{
    free(f->values[0]);
    free(f->values[1]);
}

/* a main for programs that run under mpirun: every rank runs the tests, the worst result counts */
#define MEDIUM_MAIN(suite_name, ...)                                                         \
    int main(int argc, char **argv)                                                          \
    {                                                                                        \
        static const check_entry entries[] = {__VA_ARGS__};                                  \
        MPI_Init(&argc, &argv);                                                              \
        int failed = locum_solver_darcy.setup(MPI_COMM_WORLD) != LOCUM_OK;                   \
        failed |= check_run(suite_name, entries, (int)(sizeof entries / sizeof entries[0])); \
        locum_solver_darcy.finish();                                                         \
        MPI_Allreduce(MPI_IN_PLACE, &failed, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD);           \
        MPI_Finalize();                                                                      \
        return failed;                                                                       \
    }

#endif
