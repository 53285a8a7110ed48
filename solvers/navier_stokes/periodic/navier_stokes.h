/* SPDX-License-Identifier: BSD-3-Clause */
/* navier_stokes.h - the options of the periodic, two-dimensional Navier-Stokes solver.
 *
 *      w_t + (U0 + u) . grad w = nu lap w - drag w + curl f,      u = curl^-1 w        (THEORY.md)
 *
 * Arrays: vorticity [nx, ny], velocity [nx, ny, 2], scalars, profiles over y, spectrum over k, and vorticity_hat, the
 * modes that a restart goes on from. A wavenumber counts waves across the box. */
#ifndef SOLVERS_NAVIER_STOKES_NAVIER_STOKES_H
#define SOLVERS_NAVIER_STOKES_NAVIER_STOKES_H

#include <stdint.h>

#include "locum/dev/option.h"
#include "locum/dev/solver.h"

typedef enum locum_navier_stokes_forcing {
    LOCUM_NAVIER_STOKES_NO_FORCING,
    LOCUM_NAVIER_STOKES_KOLMOGOROV,
    LOCUM_NAVIER_STOKES_DIAGONAL,
    LOCUM_NAVIER_STOKES_CELLULAR
} locum_navier_stokes_forcing;

typedef enum locum_navier_stokes_initial {
    LOCUM_NAVIER_STOKES_RANDOM,
    LOCUM_NAVIER_STOKES_TAYLOR_GREEN,
    LOCUM_NAVIER_STOKES_SHEAR_LAYER,
    LOCUM_NAVIER_STOKES_FILE
} locum_navier_stokes_initial;

typedef enum locum_navier_stokes_spectrum {
    LOCUM_NAVIER_STOKES_PEAKED,
    LOCUM_NAVIER_STOKES_LI
} locum_navier_stokes_spectrum;

typedef struct locum_navier_stokes_config {
    /* block `solver` */
    int32_t dimension;
    int32_t resolution[2], n_resolution;
    double box[2];
    int32_t n_box;
    double viscosity, drag;
    double step, cfl; /* step NAN: by the Courant number */
    double mean_flow[2];
    int32_t n_mean_flow;
    int32_t forcing, kolmogorov_wavenumber;
    double kolmogorov_amplitude, diagonal_amplitude;
    int32_t cellular_wavenumber;
    double cellular_amplitude;
    /* block `initial` */
    int32_t initial, spectrum;
    double peak_wavenumber, rms_velocity, rms_vorticity;
    double taylor_green_amplitude;
    int32_t taylor_green_wavenumber;
    double shear_thickness, shear_perturbation;
    char file[LOCUM_PATH_SIZE], dataset[LOCUM_TEXT_SIZE], format[LOCUM_TEXT_SIZE];
} locum_navier_stokes_config;

extern const locum_solver_type locum_solver_navier_stokes;

#endif
