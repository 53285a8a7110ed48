/* SPDX-License-Identifier: BSD-3-Clause */
/* navier_stokes_loops.h - the pointwise loops of a step, built once for each kind of processor (see
 * navier_stokes_loops.inc for the formulas). Every table gives each value twice, for the real and the imaginary part;
 * a line of modes is done in two pieces, kx >= 0 and kx < 0. All counts of complex numbers are even. */
#ifndef SOLVERS_NAVIER_STOKES_NAVIER_STOKES_LOOPS_H
#define SOLVERS_NAVIER_STOKES_NAVIER_STOKES_LOOPS_H

#include <stdint.h>

typedef struct locum_navier_stokes_piece {
    int64_t n;                     /* complex numbers, even */
    double ky;                     /* wavenumber of the line, 2 pi / length */
    const double *kx, *kx2, *norm; /* wavenumber, its square (1 instead of 0 on the line ky = 0), 1/(4 nx ny) or 0 */
    const double *decay;           /* exp(-nu kx^2 dt / 2) */
    double line_decay;             /* exp(-(nu ky^2 + drag) dt / 2) */
    double dt;
    const double *plus, *minus; /* transformed products at (kx, ky), and at (-kx, -ky) */
    double *w, *sum, *stage;    /* modes of the state, Runge-Kutta sum, state of the next stage */
    double *z_plus, *z_minus;   /* modes of the velocity at (kx, ky), and at (-kx, -ky) */
} locum_navier_stokes_piece;

typedef struct locum_navier_stokes_loops {
    const char *level;
    /** z = u + i v at n points (even) -> (u^2 - v^2) + 2 i u v. */
    void (*square)(double *z, int64_t n);
    /** The same, and the largest |u| per_x + |v| per_y as the bits of a double; NaN is larger than all. */
    uint64_t (*square_rate)(double *z, int64_t n, double per_x, double per_y);
    /** Nonlinear term, and what the stage 0 .. 3 of the Runge-Kutta step does with it. */
    void (*update)(const locum_navier_stokes_piece *piece, int stage);
    /** Velocities of `stage`. */
    void (*velocity)(const locum_navier_stokes_piece *piece);
} locum_navier_stokes_loops;

extern const locum_navier_stokes_loops locum_navier_stokes_loops_portable, locum_navier_stokes_loops_avx2;

#endif
