/* SPDX-License-Identifier: BSD-3-Clause */
/* spectrum.c - see spectrum.h. */
#include "solvers/numerics/analysis/spectrum.h"

#include <math.h>

int64_t locum_spectrum_shells(const double box[2], const int64_t k_max[2])
{
    double longest = fmax(box[0], box[1]);
    double x = (double)k_max[0] * longest / box[0], y = (double)k_max[1] * longest / box[1];
    return (int64_t)floor(fmax(x, y) + 1e-9); /* the slack keeps whole numbers whole */
}

int64_t locum_spectrum_shell(const double box[2], int64_t n_shells, int64_t kx, int64_t ky)
{
    double longest = fmax(box[0], box[1]);
    double x = (double)kx * longest / box[0], y = (double)ky * longest / box[1];
    int64_t shell = (int64_t)floor(sqrt(x * x + y * y) + 0.5);
    if (kx == 0 && ky == 0) return -1;
    return (shell < n_shells ? shell : n_shells) - 1;
}
