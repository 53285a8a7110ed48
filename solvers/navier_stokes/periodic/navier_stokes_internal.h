/* SPDX-License-Identifier: BSD-3-Clause */
/* navier_stokes_internal.h - what the files of this solver share.
 *
 * The state is w_hat(kx, ky), ky >= 0, with w(x, y) = sum w_hat exp(i (kx x + ky y)):
 *
 *      w [my lines][kept]    line = 4 wavenumbers of every block of 4 (plane.h); kept = 2 * half complex numbers:
 *                            kx = 0 .. half - 1, then -half .. -1; beyond the truncation they are zero
 *
 * A plane's block of modes [8][nx] holds the same values at its two ends, 0 .. half - 1 and nx - half .. nx - 1. */
#ifndef SOLVERS_NAVIER_STOKES_NAVIER_STOKES_INTERNAL_H
#define SOLVERS_NAVIER_STOKES_NAVIER_STOKES_INTERNAL_H

#include <complex.h>
#include <stdbool.h>

#include "navier_stokes_loops.h"
#include "solvers/navier_stokes/periodic/navier_stokes.h"
#include "solvers/numerics/analysis/resample.h"
#include "solvers/numerics/fft/plane.h"

/* arrays of the schema, in this order */
enum {
    ARRAY_VORTICITY,
    ARRAY_VELOCITY,
    ARRAY_VORTICITY_VARIANCE,
    ARRAY_VELOCITY_VARIANCE,
    ARRAY_ENERGY,
    ARRAY_ENSTROPHY,
    ARRAY_DISSIPATION,
    ARRAY_DRAG_DISSIPATION,
    ARRAY_INJECTION,
    ARRAY_CFL,
    ARRAY_MEAN_PROFILE,
    ARRAY_SYMMETRIC_PROFILE,
    ARRAY_SPECTRUM,
    ARRAY_VORTICITY_HAT,
    N_ARRAYS
};
enum { DOMAIN_GLOBAL, DOMAIN_GRID, DOMAIN_Y, DOMAIN_K, DOMAIN_MODES, N_DOMAINS };

#define STABLE_COURANT 1.35 /* 2 sqrt(2) / (2 pi / 3): RK4 with truncated modes is stable below it */
#define LARGEST_COURANT 2.0 /* fixed steps above it end the run */

struct locum_solver {
    locum_navier_stokes_config config;
    MPI_Comm comm; /* borrowed */
    locum_plane *plane;
    const locum_navier_stokes_loops *loops;
    int64_t n[2], k_max[2], half, n_shells;
    double box[2], mean_flow[2], dx[2];
    double *kx, *kx2, *kx2_safe, *norm; /* [2 * 2 * half], every value twice (re, im); see loops.h */
    double *axis[3];                    /* x, y, k */
    int32_t *shell;                     /* [my lines][kept] shell of a mode, 0 where there is none */
    double *energy_weight;              /* [my lines][kept] 1 / k^2, half of it on ky = 0; 0 where there is no mode */
    double complex *circle;             /* [ny] exp(2 pi i j / ny) */
    locum_domain domains[N_DOMAINS];
    locum_array arrays[N_ARRAYS];
    locum_schema schema;
    locum_lent **lent; /* list head, owned: resample() adds to it */
};

typedef struct forced_mode {
    int64_t kx, ky;       /* waves across the box, ky >= 0 */
    double complex value; /* of curl f */
} forced_mode;

struct locum_state {
    const locum_solver *solver;
    double time;
    int64_t step;
    double viscosity, drag;
    forced_mode forced[2];    /* our forcings push at most two modes (and their conjugates); value 0 = none */
    double growth;            /* how fast the forcing can raise the Courant number per time */
    double rate;              /* max |u| / dx + |v| / dy of the state */
    bool ready;               /* the buffers hold the products of the state's velocities */
    double *w, *sum;          /* [my lines][kept] complex: state, and Runge-Kutta sum */
    double *lines, *rows;     /* the plane's buffers; rows NULL on one rank */
    double *modes, *products; /* [8][nx] complex; products: the transformed products */
    double *field, *work;     /* [8][ny] complex */
    double *stage;            /* [kept] complex */
    double *decay;            /* [2 * kept] exp(-nu kx^2 dt / 2), every value twice */
    /* what observe lends */
    double *vorticity, *velocity, *vorticity_variance, *velocity_variance, *profile[2], *modes_out, *partial, *sums;
    double complex *coefficients; /* [k_max[1] + 1] of the mean profile */
    double globals[N_ARRAYS];
};

/* navier_stokes_config.c */
extern const locum_option locum_navier_stokes_options[], locum_navier_stokes_initial_options[];
locum_status locum_navier_stokes_check(const void *config);
locum_status locum_navier_stokes_estimate(const void *config, int ranks, locum_cost *cost);
void locum_navier_stokes_resolve(const locum_navier_stokes_config *config, int64_t n[2], double box[2],
                                 double mean_flow[2]);

/* navier_stokes_initial.c */
locum_status locum_navier_stokes_start(const locum_solver *solver, const locum_sample *sample, locum_state **state);
void locum_navier_stokes_free_state(locum_state *state);

/* navier_stokes_step.c */
locum_status locum_navier_stokes_advance(const locum_solver *solver, locum_state *state, double t_end);

/** The step that the state would make if nothing waited for a frame; may be infinite. Local. */
double locum_navier_stokes_full_step(const locum_state *state);

/* navier_stokes_rhs.c */
/** The buffer on the side of the rows. Local. */
double *locum_navier_stokes_rows(const locum_state *state);
/** Modes w [kept] of one line -> modes of its velocity, in its place of state->modes. Local. */
void locum_navier_stokes_velocity_line(const locum_state *state, double *w, int64_t line);
/** Velocities in the buffers -> their products; in the first stage also the bits of this rank's largest
 *  |u| / dx + |v| / dy. Collective. */
locum_status locum_navier_stokes_products(locum_state *state, bool first_stage, uint64_t *rate_bits);
/** Sets rate from all ranks' bits; LOCUM_NUMERIC on all ranks if it is not finite, or too large for fixed steps.
 *  Collective: the one reduction of a step. */
locum_status locum_navier_stokes_judge(locum_state *state, uint64_t rate_bits);
/** Velocities, products and rate of state->w, as every step leaves them behind. Collective. */
locum_status locum_navier_stokes_prepare(locum_state *state);

/* navier_stokes_observe.c */
locum_status locum_navier_stokes_observe(const locum_solver *solver, locum_state *state, const bool *wanted,
                                         locum_frame *frame);

/* navier_stokes_resample.c */
locum_status locum_navier_stokes_resample(const locum_solver *solver, const locum_frame *in, locum_frame *out);

/* kx = 0 .. half - 1, -half .. -1 of place q of a line, and the place of kx */
static inline int64_t wave_of(int64_t half, int64_t q)
{
    return q < half ? q : q - 2 * half;
}
static inline int64_t place_of(int64_t half, int64_t kx)
{
    return kx < 0 ? kx + 2 * half : kx;
}

#endif
