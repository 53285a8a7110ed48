/* SPDX-License-Identifier: BSD-3-Clause */
/* navier_stokes.c - descriptor, schema and life of the periodic Navier-Stokes solver (see navier_stokes.h, THEORY.md).
 *
 *      navier_stokes_config.c    options             navier_stokes_step.c      Runge-Kutta step
 *      navier_stokes_initial.c   initial states      navier_stokes_rhs.c       velocities and their products
 *      navier_stokes_loops.inc   pointwise loops     navier_stokes_observe.c   what a frame holds
 *      navier_stokes_resample.c  frames of another resolution */
#include "solvers/navier_stokes/periodic/navier_stokes.h"

#include <stdlib.h>

#include "core/cpu.h"
#include "core/memory.h"
#include "core/parallel/comm.h"
#include "navier_stokes_internal.h"
#include "solvers/numerics/analysis/spectrum.h"

#define TWO_PI 6.283185307179586477

/* tables of a line: every value twice */
static locum_status make_tables(locum_solver *s)
{
    const int64_t kept = 2 * s->half;
    LOCUM_TRY(LOCUM_NEW(&s->kx, 2 * kept));
    LOCUM_TRY(LOCUM_NEW(&s->kx2, 2 * kept));
    LOCUM_TRY(LOCUM_NEW(&s->kx2_safe, 2 * kept));
    LOCUM_TRY(LOCUM_NEW(&s->norm, 2 * kept));
    for (int64_t q = 0; q < kept; q++) {
        int64_t wave = wave_of(s->half, q);
        bool inside = llabs(wave) <= s->k_max[0];
        double kx = inside ? TWO_PI * (double)wave / s->box[0] : 0;
        for (int64_t i = 2 * q; i < 2 * q + 2; i++) {
            s->kx[i] = kx;
            s->kx2[i] = inside ? kx * kx : 1;
            s->kx2_safe[i] = kx != 0 ? kx * kx : 1;
            s->norm[i] = inside ? 0.25 / (double)(s->n[0] * s->n[1]) : 0;
        }
    }
    return LOCUM_OK;
}

/* what the sums over modes need; modes with ky > 0 stand for their conjugates too */
static locum_status make_weights(locum_solver *s)
{
    const int64_t kept = 2 * s->half, lines = LOCUM_PLANE_WAVES * s->plane->my_line_blocks;
    s->n_shells = locum_spectrum_shells(s->box, s->k_max);
    LOCUM_TRY(LOCUM_NEW(&s->shell, lines * kept + 1));
    LOCUM_TRY(LOCUM_NEW(&s->energy_weight, lines * kept + 1));
    LOCUM_TRY(LOCUM_NEW(&s->circle, s->n[1]));
    for (int64_t i = 0; i < lines * kept; i++) {
        int64_t ky = LOCUM_PLANE_WAVES * s->plane->first_line_block + i / kept, kx = wave_of(s->half, i % kept);
        if (ky > s->k_max[1] || llabs(kx) > s->k_max[0] || (kx == 0 && ky == 0)) continue;
        double k_x = TWO_PI * (double)kx / s->box[0], k_y = TWO_PI * (double)ky / s->box[1];
        s->shell[i] = (int32_t)locum_spectrum_shell(s->box, s->n_shells, kx, ky);
        s->energy_weight[i] = (ky ? 1.0 : 0.5) / (k_x * k_x + k_y * k_y);
    }
    for (int64_t j = 0; j < s->n[1]; j++) {
        double angle = TWO_PI * (double)j / (double)s->n[1];
        s->circle[j] = cos(angle) + sin(angle) * I;
    }
    return LOCUM_OK;
}

static locum_status make_axes(locum_solver *s)
{
    for (int d = 0; d < 2; d++) {
        LOCUM_TRY(LOCUM_NEW(&s->axis[d], s->n[d]));
        for (int64_t i = 0; i < s->n[d]; i++) s->axis[d][i] = s->box[d] * (double)i / (double)s->n[d];
    }
    LOCUM_TRY(LOCUM_NEW(&s->axis[2], s->n_shells));
    for (int64_t i = 0; i < s->n_shells; i++) s->axis[2][i] = (double)(i + 1);
    return LOCUM_OK;
}

/* clang-format off */
static void make_domains(locum_solver *s)
{
    locum_domain *d = s->domains;
    d[DOMAIN_GLOBAL] = (locum_domain){.name = "global", .support = LOCUM_GLOBAL, .n_global = {1, 1, 1}};
    d[DOMAIN_GRID] = (locum_domain){.name = "grid", .support = LOCUM_GRID, .n_dims = 2,
                                    .n_global = {s->n[0], s->n[1], 1}, .axis = {s->axis[0], s->axis[1]},
                                    .axis_name = {"x", "y"}, .axis_unit = "1", .upper = {s->box[0], s->box[1]},
                                    .side = {{LOCUM_PERIODIC, LOCUM_PERIODIC}, {LOCUM_PERIODIC, LOCUM_PERIODIC}}};
    d[DOMAIN_Y] = (locum_domain){.name = "y", .support = LOCUM_ROWS, .n_dims = 1, .n_global = {s->n[1], 1, 1},
                                 .axis = {s->axis[1]}, .axis_name = {"y"}, .axis_unit = "1", .upper = {s->box[1]},
                                 .side = {{LOCUM_PERIODIC, LOCUM_PERIODIC}}};
    d[DOMAIN_K] = (locum_domain){.name = "k", .support = LOCUM_ROWS, .n_dims = 1, .n_global = {s->n_shells, 1, 1},
                                 .axis = {s->axis[2]}, .axis_name = {"k"}, .axis_unit = "1", .lower = {0.5},
                                 .upper = {(double)s->n_shells + 0.5}, .side = {{LOCUM_OPEN, LOCUM_OPEN}}};
    d[DOMAIN_MODES] = (locum_domain){.name = "modes", .support = LOCUM_ROWS, .n_dims = 1,
                                     .n_global = {(s->k_max[1] + 1) * (2 * s->k_max[0] + 1), 1, 1},
                                     .axis_name = {"mode"}, .axis_unit = "1",
                                     .side = {{LOCUM_OPEN, LOCUM_OPEN}}};
}

static void make_schema(locum_solver *s)
{
    static const locum_array arrays[N_ARRAYS] = {
        [ARRAY_VORTICITY] = {.name = "vorticity", .text = "dv/dx - du/dy", .domain = DOMAIN_GRID,
                             .roles = LOCUM_STATE | LOCUM_OBSERVABLE},
        [ARRAY_VELOCITY] = {.name = "velocity", .text = "u, v, the mean flow included", .domain = DOMAIN_GRID,
                            .order = 1, .shape = {2}, .roles = LOCUM_OBSERVABLE | LOCUM_COSTLY},
        [ARRAY_VORTICITY_VARIANCE] = {.name = "vorticity_variance", .text = "variance of the vorticity over time",
                                      .domain = DOMAIN_GRID, .roles = LOCUM_OBSERVABLE | LOCUM_COSTLY | LOCUM_VARIANCE},
        [ARRAY_VELOCITY_VARIANCE] = {.name = "velocity_variance", .text = "variances of u and v over time",
                                     .domain = DOMAIN_GRID, .order = 1, .shape = {2},
                                     .roles = LOCUM_OBSERVABLE | LOCUM_COSTLY | LOCUM_VARIANCE},
        [ARRAY_ENERGY] = {.name = "energy", .text = "<u^2 + v^2> / 2 without the mean flow", .domain = DOMAIN_GLOBAL,
                          .roles = LOCUM_OBSERVABLE},
        [ARRAY_ENSTROPHY] = {.name = "enstrophy", .text = "<w^2> / 2", .domain = DOMAIN_GLOBAL,
                             .roles = LOCUM_OBSERVABLE},
        [ARRAY_DISSIPATION] = {.name = "dissipation", .text = "energy lost to viscosity per time, viscosity <w^2>",
                               .domain = DOMAIN_GLOBAL, .roles = LOCUM_OBSERVABLE},
        [ARRAY_DRAG_DISSIPATION] = {.name = "drag_dissipation",
                                    .text = "energy lost to drag per time, drag <u^2 + v^2>",
                                    .domain = DOMAIN_GLOBAL, .roles = LOCUM_OBSERVABLE},
        [ARRAY_INJECTION] = {.name = "injection", .text = "energy from the forcing per time, <f . u>",
                             .domain = DOMAIN_GLOBAL, .roles = LOCUM_OBSERVABLE},
        [ARRAY_CFL] = {.name = "cfl", .text = "Courant number of a full step from here, dt max(|u|/dx + |v|/dy)",
                       .domain = DOMAIN_GLOBAL, .roles = LOCUM_OBSERVABLE},
        [ARRAY_MEAN_PROFILE] = {.name = "mean_profile", .text = "u averaged over x", .domain = DOMAIN_Y,
                                .roles = LOCUM_OBSERVABLE},
        [ARRAY_SYMMETRIC_PROFILE] = {.name = "symmetric_profile",
                                     .text = "mean_profile averaged over the symmetries of the forcing",
                                     .domain = DOMAIN_Y, .roles = LOCUM_OBSERVABLE},
        [ARRAY_SPECTRUM] = {.name = "spectrum", .text = "energy in shells of unit width, their sum is the energy",
                            .domain = DOMAIN_K, .roles = LOCUM_OBSERVABLE},
        [ARRAY_VORTICITY_HAT] = {.name = "vorticity_hat", .text = "modes of the vorticity: what a restart goes on from",
                                 .domain = DOMAIN_MODES, .order = 1, .shape = {2}, .roles = LOCUM_STATE},
    };
    /* clang-format on */
    for (int i = 0; i < N_ARRAYS; i++) {
        s->arrays[i] = arrays[i];
        s->arrays[i].unit = "1";
        s->arrays[i].type = LOCUM_FLOAT64;
        s->arrays[i].place = LOCUM_NODE;
    }
    s->schema =
        (locum_schema){.domains = s->domains, .n_domains = N_DOMAINS, .arrays = s->arrays, .n_arrays = N_ARRAYS};
}

static void destroy(locum_solver *s)
{
    if (!s) return;
    locum_lent_free(s->lent);
    free(s->lent);
    for (int d = 0; d < 3; d++) free(s->axis[d]);
    free(s->circle);
    free(s->energy_weight);
    free(s->shell);
    free(s->norm);
    free(s->kx2_safe);
    free(s->kx2);
    free(s->kx);
    locum_plane_destroy(s->plane);
    free(s);
}

static locum_status create(const void *config, const locum_services *services, MPI_Comm comm, locum_solver **solver)
{
    locum_solver *s = NULL;
    (void)services;
    *solver = NULL;
    locum_status st = locum_navier_stokes_check(config);
    if (!st) st = LOCUM_NEW(&s, 1);
    st = locum_comm_agree(comm, st);
    if (!st) {
        s->config = *(const locum_navier_stokes_config *)config;
        s->comm = comm;
        s->loops = locum_cpu_best() == LOCUM_CPU_PORTABLE ? &locum_navier_stokes_loops_portable
                                                          : &locum_navier_stokes_loops_avx2;
        locum_navier_stokes_resolve(&s->config, s->n, s->box, s->mean_flow);
        for (int d = 0; d < 2; d++) {
            s->k_max[d] = (s->n[d] - 1) / 3;
            s->dx[d] = s->box[d] / (double)s->n[d];
        }
        s->half = (s->k_max[0] + 2) / 2 * 2; /* k_max + 1, rounded up to even */
        st = locum_plane_create(comm, s->n, s->k_max, &s->plane);
    }
    if (!st) {
        st = make_tables(s);
        if (!st) st = make_weights(s);
        if (!st) st = make_axes(s);
        if (!st) st = LOCUM_NEW(&s->lent, 1);
        st = locum_comm_agree(comm, st);
    }
    if (st) {
        destroy(s);
        return st;
    }
    make_domains(s);
    make_schema(s);
    *solver = s;
    return LOCUM_OK;
}

static const locum_schema *schema(const locum_solver *s)
{
    return &s->schema;
}

static double time_of(const locum_state *state)
{
    return state->time;
}

const locum_solver_type locum_solver_navier_stokes = {
    .name = "navier_stokes",
    .summary = "periodic two-dimensional flow, vorticity form, spectral, fourth order in time",
    .options = locum_navier_stokes_options,
    .initial = locum_navier_stokes_initial_options,
    .config_size = sizeof(locum_navier_stokes_config),
    .reproducible = LOCUM_BITS_ANY_RANKS,
    .create = create,
    .schema = schema,
    .start = locum_navier_stokes_start,
    .advance = locum_navier_stokes_advance,
    .observe = locum_navier_stokes_observe,
    .time = time_of,
    .free_state = locum_navier_stokes_free_state,
    .destroy = destroy,
    .estimate = locum_navier_stokes_estimate,
    .resample = locum_navier_stokes_resample,
    .check = locum_navier_stokes_check};
