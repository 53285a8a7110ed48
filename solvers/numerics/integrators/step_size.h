/* SPDX-License-Identifier: BSD-3-Clause */
/* step_size.h - the next step of a one-step method: never past t_end, and exactly onto it. Functions of their
 * arguments alone, so that a restarted run makes the steps that it would have made. Local. */
#ifndef SOLVERS_NUMERICS_INTEGRATORS_STEP_SIZE_H
#define SOLVERS_NUMERICS_INTEGRATORS_STEP_SIZE_H

#include <stdbool.h>

typedef struct locum_next_step {
    double dt;
    bool last; /**< the time after it is t_end, not t + dt */
} locum_next_step;

/** Fixed steps; the last one before t_end is shorter if t_end is no multiple (or longer by up to 1e-6 of itself, so
 *  that rounding of the time makes no splinter). */
locum_next_step locum_step_fixed(double t, double t_end, double step);
/** Steps of at most `largest` (> 0, may be infinite), the rest of the way divided evenly. */
locum_next_step locum_step_even(double t, double t_end, double largest);
/** Largest dt with (rate + growth dt) dt <= courant: rate is the Courant number per time now, growth how fast it can
 *  rise. Infinite if both are zero. */
double locum_step_courant(double courant, double rate, double growth);

#endif
