/* SPDX-License-Identifier: BSD-3-Clause */
/* navier_stokes_rhs.c - velocities on the grid and their products (Basdevant 1983), two real fields in one complex one.
 *
 * A block of eight rows is loaded from the lines, transformed, squared and transformed back while it lies in the
 * cache: no field is ever stored on the grid. */
#include <string.h>

#include "navier_stokes_internal.h"

#define TWO_PI 6.283185307179586477

double *locum_navier_stokes_rows(const locum_state *state)
{
    return state->rows ? state->rows : state->lines;
}

void locum_navier_stokes_velocity_line(const locum_state *state, double *w, int64_t line)
{
    const locum_solver *s = state->solver;
    const int64_t nx = s->n[0], ky = LOCUM_PLANE_WAVES * s->plane->first_line_block + line;
    double *plus = state->modes + 2 * nx * (line % LOCUM_PLANE_WAVES), *minus = plus + 2 * nx * LOCUM_PLANE_WAVES;
    for (int side = 0; side < 2; side++) {
        const int64_t at = side ? 2 * s->half : 0, end = side ? 2 * (nx - s->half) : 0;
        locum_navier_stokes_piece piece = {.n = s->half,
                                           .ky = TWO_PI * (double)ky / s->box[1],
                                           .kx = s->kx + at,
                                           .kx2 = (ky ? s->kx2 : s->kx2_safe) + at,
                                           .stage = w + at,
                                           .z_plus = plus + end,
                                           .z_minus = minus + end};
        s->loops->velocity(&piece);
    }
    if (ky == 0) memcpy(plus, s->mean_flow, sizeof s->mean_flow);
}

locum_status locum_navier_stokes_products(locum_state *state, bool first_stage, uint64_t *rate_bits)
{
    const locum_solver *s = state->solver;
    const locum_plane *plane = s->plane;
    double *rows = locum_navier_stokes_rows(state);
    const int64_t points = LOCUM_PLANE_ROWS * s->n[1];
    uint64_t largest = 0;
    LOCUM_TRY(locum_plane_exchange_to_rows(plane, state->lines, rows));
    for (int64_t b = 0; b < plane->my_row_blocks; b++) {
        locum_plane_rows_backward(plane, rows, b, state->work, state->field);
        if (first_stage) {
            uint64_t bits = s->loops->square_rate(state->field, points, 1 / s->dx[0], 1 / s->dx[1]);
            if (bits > largest) largest = bits;
        } else {
            s->loops->square(state->field, points);
        }
        locum_plane_rows_forward(plane, state->field, b, state->work, rows);
    }
    *rate_bits = largest;
    return locum_plane_exchange_to_lines(plane, rows, state->lines);
}

/* the bits of the largest rate of all ranks decide everywhere alike: positive doubles order as their bits, NaN last */
locum_status locum_navier_stokes_judge(locum_state *state, uint64_t rate_bits)
{
    const locum_solver *s = state->solver;
    uint64_t largest = rate_bits;
    if (s->plane->size > 1) MPI_Allreduce(&rate_bits, &largest, 1, MPI_UINT64_T, MPI_MAX, s->comm);
    memcpy(&state->rate, &largest, sizeof state->rate);
    LOCUM_REQUIRE(isfinite(state->rate), LOCUM_NUMERIC,
                  "navier_stokes: step %lld, t = %.9g: vorticity is not finite; a smaller step or cfl, more viscosity "
                  "or a finer grid may help",
                  (long long)state->step, state->time);
    double step = s->config.step;
    LOCUM_REQUIRE(!(step * state->rate > LARGEST_COURANT), LOCUM_NUMERIC,
                  "navier_stokes: step %lld, t = %.9g: velocity has Courant number %.3g with step %g, above the limit "
                  "of %g: use a step below %.2g, or cfl",
                  (long long)state->step, state->time, step * state->rate, step, LARGEST_COURANT,
                  STABLE_COURANT / state->rate);
    return LOCUM_OK;
}

locum_status locum_navier_stokes_prepare(locum_state *state)
{
    const locum_plane *plane = state->solver->plane;
    const int64_t kept = 2 * state->solver->half;
    uint64_t rate_bits;
    for (int64_t b = 0; b < plane->my_line_blocks; b++) {
        for (int64_t line = LOCUM_PLANE_WAVES * b; line < LOCUM_PLANE_WAVES * (b + 1); line++)
            locum_navier_stokes_velocity_line(state, state->w + 2 * kept * line, line);
        locum_plane_lines_backward(plane, state->modes, b, state->lines);
    }
    LOCUM_TRY(locum_navier_stokes_products(state, true, &rate_bits));
    LOCUM_TRY(locum_navier_stokes_judge(state, rate_bits));
    state->ready = true;
    return LOCUM_OK;
}
