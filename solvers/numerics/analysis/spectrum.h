/* SPDX-License-Identifier: BSD-3-Clause */
/* spectrum.h - shells of a two-dimensional spectrum: unit width, in units of the box's smallest wavenumber
 * 2 pi / max(Lx, Ly). Shell s holds s - 1/2 <= |k| < s + 1/2; the last one takes the corners of the square of modes
 * too, so that the shells add up to the whole. Local. */
#ifndef SOLVERS_NUMERICS_ANALYSIS_SPECTRUM_H
#define SOLVERS_NUMERICS_ANALYSIS_SPECTRUM_H

#include <stdint.h>

/** Shells of a box with the modes |kx| <= k_max[0], |ky| <= k_max[1] (waves across the box): the largest of both. */
int64_t locum_spectrum_shells(const double box[2], const int64_t k_max[2]);
/** Index 0 .. n_shells - 1 of the mode of (kx, ky) waves across the box; -1 for the mean. */
int64_t locum_spectrum_shell(const double box[2], int64_t n_shells, int64_t kx, int64_t ky);

#endif
