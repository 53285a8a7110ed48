/* SPDX-License-Identifier: BSD-3-Clause */
/* sizes.h - lengths that a fast Fourier transform likes: even, factors 2, 3, 5 and 7 only. Local. */
#ifndef SOLVERS_NUMERICS_FFT_SIZES_H
#define SOLVERS_NUMERICS_FFT_SIZES_H

#include <stdbool.h>
#include <stdint.h>

bool locum_fft_good_size(int64_t n);
/** The nearest good sizes below (0 = none) and above n. */
void locum_fft_nearest_sizes(int64_t n, int64_t *below, int64_t *above);

#endif
