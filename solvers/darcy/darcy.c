/* SPDX-License-Identifier: BSD-3-Clause */
/* darcy.c - descriptor, schema and life of the solver of steady flow through a porous medium (see darcy.h, THEORY.md).
 *
 *      darcy_config.c    options                  darcy_initial.c    the coefficient of a sample
 *      darcy_petsc.c     PETSc in our process     darcy_observe.c    what a frame holds
 *      darcy_system.c    matrix and solution      darcy_resample.c   frames of another resolution */
#include "solvers/darcy/darcy.h"

#include <stdlib.h>

#include "core/memory.h"
#include "core/parallel/comm.h"
#include "darcy_internal.h"

/* clang-format off */
static void make_schema(locum_solver *s)
{
    static const locum_array arrays[N_ARRAYS] = {
        [ARRAY_COEFFICIENT] = {.name = "coefficient", .text = "a, the permeability of a cell", .domain = DOMAIN_GRID,
                               .roles = LOCUM_ROLE_INPUT | LOCUM_STATE},
        [ARRAY_SOLUTION] = {.name = "solution", .text = "u at the cell centres", .domain = DOMAIN_GRID,
                            .roles = LOCUM_OBSERVABLE},
        [ARRAY_FLUX] = {.name = "flux", .text = "-a grad u, mean of a cell's two faces along each axis",
                        .domain = DOMAIN_GRID, .order = 1, .shape = {2}, .roles = LOCUM_OBSERVABLE | LOCUM_COSTLY},
        [ARRAY_SOURCE] = {.name = "source", .text = "f of a cell", .domain = DOMAIN_GRID,
                          .roles = LOCUM_ROLE_INPUT | LOCUM_STATE | LOCUM_COSTLY},
        [ARRAY_MEAN_SOLUTION] = {.name = "mean_solution", .text = "integral of u", .domain = DOMAIN_GLOBAL,
                                 .roles = LOCUM_OBSERVABLE},
        [ARRAY_ENERGY] = {.name = "energy", .text = "integral of a |grad u|^2, equal to that of f u",
                          .domain = DOMAIN_GLOBAL, .roles = LOCUM_OBSERVABLE},
        [ARRAY_ITERATIONS] = {.name = "iterations", .text = "iterations of the linear solver",
                              .domain = DOMAIN_GLOBAL, .roles = LOCUM_OBSERVABLE},
        [ARRAY_RESIDUAL] = {.name = "residual", .text = "|b - A u| / |b| of the linear system",
                            .domain = DOMAIN_GLOBAL, .roles = LOCUM_OBSERVABLE}};
    for (int i = 0; i < N_ARRAYS; i++) {
        s->arrays[i] = arrays[i];
        s->arrays[i].type = LOCUM_FLOAT64;
        s->arrays[i].unit = "1";
        s->arrays[i].place = LOCUM_CELL;
    }
    s->domains[DOMAIN_GLOBAL] = (locum_domain){.name = "global", .support = LOCUM_GLOBAL, .n_global = {1, 1, 1}};
    s->domains[DOMAIN_GRID] = (locum_domain){.name = "grid", .support = LOCUM_GRID, .n_dims = 2,
                                             .n_global = {s->n, s->n, 1}, .axis = {s->axis, s->axis},
                                             .axis_name = {"x", "y"}, .axis_unit = "1", .upper = {1, 1},
                                             .side = {{LOCUM_WALL, LOCUM_WALL}, {LOCUM_WALL, LOCUM_WALL}}};
    s->schema = (locum_schema){.domains = s->domains, .n_domains = N_DOMAINS, .arrays = s->arrays,
                               .n_arrays = N_ARRAYS, .timeless = true};
}
/* clang-format on */

static void destroy(locum_solver *s)
{
    if (!s) return;
    locum_lent_free(s->lent);
    free(s->lent);
    PetscErrorCode code = PetscOptionsDestroy(&s->options);
    (void)code;
    free(s->axis);
    free(s);
}

/* all that is local */
static locum_status prepare(locum_solver *s)
{
    LOCUM_TRY(locum_darcy_check(&s->config));
    LOCUM_REQUIRE(s->size <= s->n, LOCUM_STUDY, "darcy: resolution %lld has fewer rows than ranks (%d)",
                  (long long)s->n, s->size);
    LOCUM_REQUIRE((double)s->n * (double)s->n * 5 < (double)PETSC_MAX_INT, LOCUM_STUDY,
                  "darcy: resolution %lld needs a PETSc with 64-bit indices", (long long)s->n);
    LOCUM_TRY(LOCUM_NEW(&s->axis, s->n));
    LOCUM_TRY(LOCUM_NEW(&s->lent, 1));
    for (int64_t i = 0; i < s->n; i++) s->axis[i] = (double)(2 * i + 1) / (double)(2 * s->n);
    make_schema(s);
    return locum_darcy_options_create(&s->config, s->size, &s->options);
}

static locum_status create(const void *config, const locum_services *services, MPI_Comm comm, locum_solver **solver)
{
    locum_solver *s = NULL;
    (void)services;
    *solver = NULL;
    locum_status st = LOCUM_NEW(&s, 1);
    if (!st) {
        s->config = *(const locum_darcy_config *)config;
        s->comm = comm;
        MPI_Comm_rank(comm, &s->rank);
        MPI_Comm_size(comm, &s->size);
        s->n = s->config.resolution;
        s->first = s->n * s->rank / s->size;
        s->rows = s->n * (s->rank + 1) / s->size - s->first;
        st = prepare(s);
    }
    st = locum_comm_agree(comm, st);
    if (!st) st = locum_darcy_try_options(s);
    if (st) {
        destroy(s);
        return st;
    }
    *solver = s;
    return LOCUM_OK;
}

static const locum_schema *schema(const locum_solver *s)
{
    return &s->schema;
}

static double time_of(const locum_state *state)
{
    (void)state;
    return 0;
}

const locum_solver_type locum_solver_darcy = {.name = "darcy",
                                              .summary = LOCUM_DARCY_SUMMARY,
                                              .options = locum_darcy_options,
                                              .initial = locum_darcy_initial_options,
                                              .config_size = sizeof(locum_darcy_config),
                                              .reproducible = LOCUM_BITS_SAME_RANKS,
                                              .create = create,
                                              .schema = schema,
                                              .start = locum_darcy_start,
                                              .advance = locum_darcy_advance,
                                              .observe = locum_darcy_observe,
                                              .time = time_of,
                                              .free_state = locum_darcy_free_state,
                                              .destroy = destroy,
                                              .setup = locum_darcy_setup,
                                              .finish = locum_darcy_finish,
                                              .estimate = locum_darcy_estimate,
                                              .resample = locum_darcy_resample,
                                              .check = locum_darcy_check};
