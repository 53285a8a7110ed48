/* SPDX-License-Identifier: BSD-3-Clause */
/* darcy_observe.c - what a frame holds: the fields, the flux at cell centres, and scalars.
 *
 * Through the face between cells P and N flows t (u_P - u_N) / h, t = 2 a_P a_N / (a_P + a_N); through a wall
 * 2 a_P u_P / h. The flux of a cell along an axis is the mean of its two faces'. The energy is the sum of
 * t (u_P - u_N)^2 over all faces, which is the integral of a |grad u|^2 as the scheme sees it, and equals the integral
 * of f u up to the residual. */
#include <string.h>

#include "core/parallel/comm.h"
#include "darcy_internal.h"

/* what flows out of the cell at `a`, `u` over a face times h; `step` leads to the neighbour's values, 0 = a wall */
static double outflow(const double *a, const double *u, int64_t step)
{
    return step ? harmonic(a[0], a[step]) * (u[0] - u[step]) : 2 * a[0] * u[0];
}

static double drop(const double *u, int64_t step)
{
    return step ? u[0] - u[step] : u[0];
}

locum_status locum_darcy_measure(locum_state *state)
{
    const locum_solver *s = state->solver;
    const int64_t n = s->n;
    double sums[2];
    memset(state->partial, 0, (size_t)(2 * s->rows) * sizeof(double));
    for (int64_t i = 0; i < s->rows; i++)
        for (int64_t j = 0; j < n; j++) {
            const double *a = state->a + (i + 1) * n + j, *u = state->u + (i + 1) * n + j;
            const int64_t right = j < n - 1 ? 1 : 0, up = s->first + i < n - 1 ? n : 0;
            double energy = outflow(a, u, right) * drop(u, right) + outflow(a, u, up) * drop(u, up);
            if (j == 0) energy += outflow(a, u, 0) * u[0];
            if (s->first + i == 0) energy += outflow(a, u, 0) * u[0];
            state->partial[2 * i] += u[0];
            state->partial[2 * i + 1] += energy;
        }
    LOCUM_TRY(locum_comm_sum_blocks(s->comm, n, s->first, s->rows, 2, state->partial, sums));
    state->globals[ARRAY_MEAN_SOLUTION] = sums[0] / ((double)n * (double)n);
    state->globals[ARRAY_ENERGY] = sums[1];
    return LOCUM_OK;
}

static void make_flux(locum_state *state)
{
    const locum_solver *s = state->solver;
    const int64_t n = s->n;
    for (int64_t i = 0; i < s->rows; i++)
        for (int64_t j = 0; j < n; j++) {
            const double *a = state->a + (i + 1) * n + j, *u = state->u + (i + 1) * n + j;
            const int64_t down = s->first + i > 0 ? -n : 0, up = s->first + i < n - 1 ? n : 0;
            const int64_t left = j > 0 ? -1 : 0, right = j < n - 1 ? 1 : 0;
            double *flux = state->flux + 2 * (i * n + j);
            flux[0] = 0.5 * (double)n * (outflow(a, u, up) - outflow(a, u, down));
            flux[1] = 0.5 * (double)n * (outflow(a, u, right) - outflow(a, u, left));
        }
}

locum_status locum_darcy_observe(const locum_solver *s, locum_state *state, const bool *wanted, locum_frame *frame)
{
    const double *const fields[] = {[ARRAY_COEFFICIENT] = state->a + s->n,
                                    [ARRAY_SOLUTION] = state->u + s->n,
                                    [ARRAY_FLUX] = state->flux,
                                    [ARRAY_SOURCE] = state->f};
    frame->schema = &s->schema;
    frame->time = 0;
    memset(frame->blocks, 0, N_ARRAYS * sizeof *frame->blocks);
    if (wanted[ARRAY_FLUX]) make_flux(state);
    for (int i = 0; i < N_ARRAYS; i++) {
        if (!wanted[i]) continue;
        if (i <= ARRAY_SOURCE)
            frame->blocks[i] = (locum_block){fields[i], {s->first, 0, 0}, {s->rows, s->n, 1}, s->n * s->n};
        else
            frame->blocks[i] = (locum_block){&state->globals[i], {0, 0, 0}, {1, 1, 1}, 1};
    }
    return LOCUM_OK;
}
