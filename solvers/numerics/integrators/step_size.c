/* SPDX-License-Identifier: BSD-3-Clause */
/* step_size.c - see step_size.h. */
#include "solvers/numerics/integrators/step_size.h"

#include <math.h>

#define SLACK 1e-6 /* of a step: far above the rounding of times, far below what changes an error */

locum_next_step locum_step_fixed(double t, double t_end, double step)
{
    double left = t_end - t;
    if (left <= step * (1 + SLACK)) return (locum_next_step){left, true};
    return (locum_next_step){step, false};
}

locum_next_step locum_step_even(double t, double t_end, double largest)
{
    double left = t_end - t, n = ceil(left / largest - SLACK);
    if (!(n > 1)) return (locum_next_step){left, true};
    return (locum_next_step){left / n, false};
}

double locum_step_courant(double courant, double rate, double growth)
{
    /* the positive root of growth dt^2 + rate dt = courant, in the form that survives growth = 0 */
    return 2 * courant / (rate + sqrt(rate * rate + 4 * growth * courant));
}
