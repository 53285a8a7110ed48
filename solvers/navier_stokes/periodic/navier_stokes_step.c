/* SPDX-License-Identifier: BSD-3-Clause */
/* navier_stokes_step.c - one step of the classical Runge-Kutta method with the exact integrating factor.
 *
 * With N the nonlinear term, r = nu k^2 + drag, e = exp(-r dt/2), F(h) = curl f (1 - exp(-r h)) / r:
 *
 *      w2 = e (w + dt/2 N1) + F(dt/2)      w3 = e w + dt/2 N2 + F(dt/2)      w4 = e^2 w + dt e N3 + F(dt)
 *      w' = e^2 (w + dt/6 N1) + dt/3 e (N2 + N3) + dt/6 N4 + F(dt)
 *
 * which is the method for w minus its steady linear answer to the forcing: the laminar state is a fixed point exactly.
 * N1 is ready when a step begins: the step before made it, and looked at the velocities (navier_stokes_judge). So the
 * size of a step depends on the state alone, and a step that ends not finite fails itself, before anybody sees it. */
#include "core/failpoint.h"
#include "navier_stokes_internal.h"
#include "solvers/numerics/integrators/step_size.h"

#define TWO_PI 6.283185307179586477

static void make_decay(locum_state *state, double dt)
{
    const locum_solver *s = state->solver;
    for (int64_t i = 0; i < 4 * s->half; i += 2)
        state->decay[i] = state->decay[i + 1] = exp(-state->viscosity * s->kx[i] * s->kx[i] * dt / 2);
}

/* F(h) of one mode, for decay rate `rate` */
static double complex forced_by(const forced_mode *mode, double rate, double h)
{
    return mode->value * (rate * h > 0 ? -expm1(-rate * h) / rate : h);
}

static void add_forcing(locum_state *state, int64_t ky, int64_t line, int stage, double dt)
{
    const locum_solver *s = state->solver;
    for (int i = 0; i < 2 && stage < 3; i++) {
        const forced_mode *mode = &state->forced[i];
        if (mode->value == 0 || mode->ky != ky) continue;
        const double kx = TWO_PI * (double)mode->kx / s->box[0], k_y = TWO_PI * (double)mode->ky / s->box[1];
        const double rate = state->viscosity * (kx * kx + k_y * k_y) + state->drag;
        const int64_t place = place_of(s->half, mode->kx);
        ((double complex *)state->stage)[place] += forced_by(mode, rate, stage == 2 ? dt : dt / 2);
        if (stage == 0) ((double complex *)state->sum)[line * 2 * s->half + place] += forced_by(mode, rate, dt);
    }
}

/* the transformed products in state->products -> state of the next stage -> its velocities in state->modes */
static void update_line(locum_state *state, int64_t line, int stage, double dt)
{
    const locum_solver *s = state->solver;
    const int64_t nx = s->n[0], kept = 2 * s->half, ky = LOCUM_PLANE_WAVES * s->plane->first_line_block + line;
    const double k_y = TWO_PI * (double)ky / s->box[1];
    const double *plus = state->products + 2 * nx * (line % LOCUM_PLANE_WAVES);
    const double *minus = plus + 2 * nx * LOCUM_PLANE_WAVES;
    locum_navier_stokes_piece piece = {
        .n = s->half, .ky = k_y, .dt = dt, .line_decay = exp(-(state->viscosity * k_y * k_y + state->drag) * dt / 2)};
    for (int side = 0; side < 2; side++) {
        const int64_t at = side ? 2 * s->half : 0, end = side ? 2 * (nx - s->half) : 0;
        piece.kx = s->kx + at;
        piece.norm = s->norm + at;
        piece.decay = state->decay + at;
        piece.plus = plus + end;
        piece.minus = minus + end;
        piece.w = state->w + 2 * kept * line + at;
        piece.sum = state->sum + 2 * kept * line + at;
        piece.stage = state->stage + at;
        s->loops->update(&piece, stage);
    }
    add_forcing(state, ky, line, stage, dt);
    locum_navier_stokes_velocity_line(state, state->stage, line);
}

static locum_status runge_kutta(locum_state *state, double dt, uint64_t *rate_bits)
{
    const locum_plane *plane = state->solver->plane;
    make_decay(state, dt);
    for (int stage = 0; stage < 4; stage++) {
        for (int64_t b = 0; b < plane->my_line_blocks; b++) {
            locum_plane_lines_forward(plane, state->lines, b, state->products);
            for (int64_t line = LOCUM_PLANE_WAVES * b; line < LOCUM_PLANE_WAVES * (b + 1); line++)
                update_line(state, line, stage, dt);
            locum_plane_lines_backward(plane, state->modes, b, state->lines);
        }
        LOCUM_TRY(locum_navier_stokes_products(state, stage == 3, rate_bits));
    }
    return LOCUM_OK;
}

double locum_navier_stokes_full_step(const locum_state *state)
{
    const locum_navier_stokes_config *c = &state->solver->config;
    return isnan(c->step) ? locum_step_courant(c->cfl, state->rate, state->growth) : c->step;
}

locum_status locum_navier_stokes_advance(const locum_solver *solver, locum_state *state, double t_end)
{
    uint64_t rate_bits;
    LOCUM_REQUIRE(t_end > state->time, LOCUM_ARG, "navier_stokes: t_end = %g is not after t = %g", t_end, state->time);
    if (!state->ready) LOCUM_TRY(locum_navier_stokes_prepare(state));
    const double full = locum_navier_stokes_full_step(state);
    const locum_next_step next = isnan(solver->config.step) ? locum_step_even(state->time, t_end, full)
                                                            : locum_step_fixed(state->time, t_end, full);
    if (locum_failpoint("ns_nan") && solver->plane->my_line_blocks) state->w[2] = NAN; /* kx = 1 of the first line */
    LOCUM_TRY(runge_kutta(state, next.dt, &rate_bits));
    state->time = next.last ? t_end : state->time + next.dt;
    state->step++;
    return locum_navier_stokes_judge(state, rate_bits);
}
