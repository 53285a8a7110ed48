/* SPDX-License-Identifier: BSD-3-Clause */
/* quadrature.c - a solver without time: the integral of a cos(w x) + x^p over [0, 1] by the trapezoidal rule, the
 * intervals halved until two results agree to `tolerance` (else LOCUM_CONVERGENCE).
 *
 * Level l has 2^l intervals. Its new points are summed in blocks of 64, each block by one rank, blocks in their
 * order: the same bits on any number of ranks. Arrays: integral, levels; integrand and its axis on 33 points. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/parallel/comm.h"
#include "tests/conformance/solvers/test_solvers.h"

enum { POINTS = 33, BLOCK = 64 };
enum { DOMAIN_GLOBAL, DOMAIN_X, N_DOMAINS };
enum { INTEGRAL, LEVELS, INTEGRAND, N_ARRAYS };

typedef struct quadrature_config {
    double amplitude, frequency, power, tolerance;
    int32_t most_levels;
} quadrature_config;

#define PLACE(member) offsetof(quadrature_config, member)
static const locum_option quadrature_options[] = {
    {.name = "amplitude",
     .type = LOCUM_F64,
     .place = PLACE(amplitude),
     .value = 1,
     .unit = "1",
     .text = "of the cosine",
     .flags = LOCUM_PARAMETER},
    {.name = "frequency",
     .type = LOCUM_F64,
     .place = PLACE(frequency),
     .value = 1,
     .min = 0,
     .max = 1e4,
     .unit = "1",
     .text = "of the cosine",
     .flags = LOCUM_PARAMETER},
    {.name = "power",
     .type = LOCUM_F64,
     .place = PLACE(power),
     .value = 1,
     .min = 0,
     .max = 100,
     .unit = "1",
     .text = "of the monomial",
     .flags = LOCUM_PARAMETER},
    {.name = "tolerance",
     .type = LOCUM_F64,
     .place = PLACE(tolerance),
     .value = 1e-8,
     .min = 0,
     .max = 1,
     .unit = "1",
     .text = "of the integral",
     .flags = LOCUM_OPEN_MIN},
    {.name = "most_levels",
     .type = LOCUM_I32,
     .place = PLACE(most_levels),
     .value = 20,
     .min = 2,
     .max = 30,
     .unit = "1",
     .text = "halvings before it gives up"},
    {0},
};

struct locum_solver {
    quadrature_config config;
    MPI_Comm comm;
    int rank, size;
    double axis[POINTS];
    locum_domain domains[N_DOMAINS];
    locum_array arrays[N_ARRAYS];
    locum_schema schema;
};

struct locum_state {
    quadrature_config config;
    double integral, levels, integrand[POINTS];
    double *partial; /* sums of this rank's blocks */
    int64_t n_partial;
};

static void describe(locum_solver *s)
{
    s->domains[DOMAIN_GLOBAL] = (locum_domain){.name = "global", .support = LOCUM_GLOBAL};
    s->domains[DOMAIN_X] = (locum_domain){.name = "x",
                                          .support = LOCUM_ROWS,
                                          .n_dims = 1,
                                          .n_global = {POINTS},
                                          .axis = {s->axis},
                                          .axis_name = {"x"},
                                          .axis_unit = "1",
                                          .upper = {1}};
    for (int i = 0; i < POINTS; i++) s->axis[i] = (double)i / (POINTS - 1);
    s->arrays[INTEGRAL] =
        (locum_array){"integral", "integral over [0, 1]", "1", LOCUM_FLOAT64, DOMAIN_GLOBAL, .roles = LOCUM_OBSERVABLE};
    s->arrays[LEVELS] =
        (locum_array){"levels", "halvings that it took", "1", LOCUM_FLOAT64, DOMAIN_GLOBAL, .roles = LOCUM_OBSERVABLE};
    s->arrays[INTEGRAND] = (locum_array){
        "integrand", "what is integrated", "1", LOCUM_FLOAT64, DOMAIN_X, .roles = LOCUM_INPUT | LOCUM_OBSERVABLE};
    s->schema = (locum_schema){s->domains, N_DOMAINS, s->arrays, N_ARRAYS, true, 0};
}

static locum_status quadrature_create(const void *config, const locum_services *services, MPI_Comm comm,
                                      locum_solver **solver)
{
    (void)services;
    *solver = NULL;
    locum_status st = locum_comm_agree(comm, LOCUM_NEW(solver, 1));
    if (st) {
        free(*solver);
        *solver = NULL;
        return st;
    }
    (*solver)->config = *(const quadrature_config *)config;
    (*solver)->comm = comm;
    MPI_Comm_rank(comm, &(*solver)->rank);
    MPI_Comm_size(comm, &(*solver)->size);
    describe(*solver);
    return LOCUM_OK;
}

static const locum_schema *quadrature_schema(const locum_solver *solver)
{
    return &solver->schema;
}

static void quadrature_free_state(locum_state *state)
{
    if (state) free(state->partial);
    free(state);
}

static locum_status quadrature_start(const locum_solver *s, const locum_sample *sample, locum_state **state)
{
    const quadrature_config *config = sample->config ? sample->config : &s->config;
    int64_t blocks = (((int64_t)1 << s->config.most_levels) / BLOCK + s->size) / s->size + 1;
    locum_status st = LOCUM_OK;

    if (!*state) {
        st = LOCUM_NEW(state, 1);
        if (!st) st = LOCUM_NEW(&(*state)->partial, blocks);
        st = locum_comm_agree(s->comm, st);
        if (st) {
            quadrature_free_state(*state);
            *state = NULL;
            return st;
        }
    }
    (*state)->n_partial = blocks;
    (*state)->config = *config;
    (*state)->integral = (*state)->levels = 0;
    return LOCUM_OK;
}

static double integrand_at(const quadrature_config *c, double x)
{
    return c->amplitude * cos(c->frequency * x) + pow(x, c->power);
}

/* sum over the odd multiples of 1/n, n = 2^level */
static locum_status sum_new_points(const locum_solver *s, locum_state *a, int64_t n, double *sum)
{
    int64_t points = n / 2, blocks = (points + BLOCK - 1) / BLOCK;
    int64_t first = blocks * s->rank / s->size, end = blocks * (s->rank + 1) / s->size;

    for (int64_t b = first; b < end; b++) {
        a->partial[b - first] = 0;
        for (int64_t i = b * BLOCK; i < (b + 1) * BLOCK && i < points; i++)
            a->partial[b - first] += integrand_at(&a->config, (double)(2 * i + 1) / (double)n);
    }
    return locum_comm_sum_blocks(s->comm, blocks, first, end - first, 1, a->partial, sum);
}

static locum_status quadrature_advance(const locum_solver *s, locum_state *a, double t_end)
{
    double sum, total = 0.5 * (integrand_at(&a->config, 0) + integrand_at(&a->config, 1));

    (void)t_end;
    a->integral = total;
    for (int level = 1; level <= s->config.most_levels; level++) {
        int64_t n = (int64_t)1 << level;
        LOCUM_TRY(sum_new_points(s, a, n, &sum));
        total += sum;
        double now = total / (double)n, change = fabs(now - a->integral);
        a->integral = now;
        a->levels = level;
        LOCUM_REQUIRE(isfinite(now), LOCUM_NUMERIC, "quadrature: the integrand is not finite");
        if (level >= 5 && change <= s->config.tolerance) return LOCUM_OK;
    }
    return LOCUM_FAIL(LOCUM_CONVERGENCE, "quadrature: not within %g after %d halvings", s->config.tolerance,
                      s->config.most_levels);
}

static locum_status quadrature_observe(const locum_solver *s, locum_state *a, const bool *wanted, locum_frame *frame)
{
    int64_t mine = s->rank == 0 ? POINTS : 0;

    frame->schema = &s->schema;
    if (wanted[INTEGRAL]) frame->blocks[INTEGRAL] = (locum_block){&a->integral, {0}, {1, 1, 1}, 1};
    if (wanted[LEVELS]) frame->blocks[LEVELS] = (locum_block){&a->levels, {0}, {1, 1, 1}, 1};
    if (!wanted[INTEGRAND]) return LOCUM_OK;
    for (int i = 0; i < POINTS; i++) a->integrand[i] = integrand_at(&a->config, s->axis[i]);
    frame->blocks[INTEGRAND] = (locum_block){a->integrand, {0}, {mine, 1, 1}, POINTS};
    return LOCUM_OK;
}

static double quadrature_time(const locum_state *state)
{
    (void)state;
    return 0;
}

static void quadrature_destroy(locum_solver *solver)
{
    free(solver);
}

const locum_solver_type locum_solver_quadrature = {.name = "quadrature",
                                                   .summary = "an integral over [0, 1]; a test of solvers without time",
                                                   .options = quadrature_options,
                                                   .config_size = sizeof(quadrature_config),
                                                   .reproducible = LOCUM_BITS_ANY_RANKS,
                                                   .create = quadrature_create,
                                                   .schema = quadrature_schema,
                                                   .start = quadrature_start,
                                                   .advance = quadrature_advance,
                                                   .observe = quadrature_observe,
                                                   .time = quadrature_time,
                                                   .free_state = quadrature_free_state,
                                                   .destroy = quadrature_destroy};
