/* SPDX-License-Identifier: BSD-3-Clause */
/* sobol.h - scrambled Sobol points (direction numbers of S. Joe, F. Kuo, SIAM J. Sci. Comput. 30, 2635, 2008;
 * nested uniform scrambling by hash, B. Burley, JCGT 9, 1, 2020). */
#ifndef CORE_SOBOL_H
#define CORE_SOBOL_H

#include <stdint.h>

#include "locum/dev/error.h"

#define LOCUM_SOBOL_DIMENSIONS 32

/** Point `index` of the sequence with that seed: u [n_dims] in (0, 1). LOCUM_ARG if n_dims > 32 or index >= 2^32. */
locum_status locum_sobol_point(uint64_t seed, uint64_t index, int n_dims, double *u);

/** Coordinate `dimension` (from 0) of the sequence without scrambling, times 2^32; for tests. Local. */
uint32_t locum_sobol_plain(uint32_t index, int dimension);

#endif
