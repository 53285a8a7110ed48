/* SPDX-License-Identifier: BSD-3-Clause */
/* sizes.c - see sizes.h. */
#include "solvers/numerics/fft/sizes.h"

bool locum_fft_good_size(int64_t n)
{
    static const int64_t factors[] = {2, 3, 5, 7};
    if (n < 2 || n % 2) return false;
    for (int i = 0; i < 4; i++)
        while (n % factors[i] == 0) n /= factors[i];
    return n == 1;
}

void locum_fft_nearest_sizes(int64_t n, int64_t *below, int64_t *above)
{
    *below = n - 1;
    while (*below > 0 && !locum_fft_good_size(*below)) --*below;
    if (*below < 0) *below = 0;
    *above = n < 1 ? 2 : n + 1;
    while (!locum_fft_good_size(*above)) ++*above;
}
