/* SPDX-License-Identifier: BSD-3-Clause */
/* navier_stokes_observe.c - what a frame holds. Scalars, profiles and the spectrum are sums over modes (Parseval); only
 * fields are transformed, in the step's own buffers, which the next step then prepares anew (to the same bits). */
#include <stdlib.h>
#include <string.h>

#include "core/parallel/comm.h"
#include "navier_stokes_internal.h"

#define TWO_PI 6.283185307179586477

enum { SUM_ENERGY, SUM_ENSTROPHY, SUM_INJECTION, N_SUMS }; /* the shells follow */

static double wavenumber(const locum_solver *s, int d, int64_t waves)
{
    return TWO_PI * (double)waves / s->box[d];
}

/* one line into the sums of its block */
static void sum_line(const locum_state *state, int64_t line, double *sums)
{
    const locum_solver *s = state->solver;
    const int64_t kept = 2 * s->half, ky = LOCUM_PLANE_WAVES * s->plane->first_line_block + line;
    const double *w = state->w + 2 * line * kept, *weight = s->energy_weight + line * kept;
    const int32_t *shell = s->shell + line * kept;
    double *spectrum = sums + N_SUMS, energy = 0, squares = 0;
    for (int64_t q = 0; q < kept; q++) {
        double square = w[2 * q] * w[2 * q] + w[2 * q + 1] * w[2 * q + 1], part = weight[q] * square;
        energy += part;
        squares += square;
        spectrum[shell[q]] += part;
    }
    sums[SUM_ENERGY] += energy;
    sums[SUM_ENSTROPHY] += ky ? squares : squares / 2;
    for (int i = 0; i < 2; i++) {
        const forced_mode *mode = &state->forced[i];
        if (mode->ky != ky || mode->value == 0) continue;
        double k_x = wavenumber(s, 0, mode->kx), k_y = wavenumber(s, 1, ky);
        double complex product = conj(mode->value) * ((const double complex *)w)[place_of(s->half, mode->kx)];
        sums[SUM_INJECTION] += 2 * creal(product) / (k_x * k_x + k_y * k_y);
    }
}

static locum_status observe_sums(locum_state *state)
{
    const locum_solver *s = state->solver;
    const locum_plane *p = s->plane;
    const int width = (int)(N_SUMS + s->n_shells);
    memset(state->partial, 0, (size_t)(p->my_line_blocks * width) * sizeof(double));
    for (int64_t line = 0; line < LOCUM_PLANE_WAVES * p->my_line_blocks; line++)
        sum_line(state, line, state->partial + line / LOCUM_PLANE_WAVES * width);
    LOCUM_TRY(locum_comm_sum_blocks(s->comm, p->n_line_blocks, p->first_line_block, p->my_line_blocks, width,
                                    state->partial, state->sums));
    const double *sums = state->sums;
    state->globals[ARRAY_ENERGY] = sums[SUM_ENERGY];
    state->globals[ARRAY_ENSTROPHY] = sums[SUM_ENSTROPHY];
    state->globals[ARRAY_DISSIPATION] = 2 * state->viscosity * sums[SUM_ENSTROPHY];
    state->globals[ARRAY_DRAG_DISSIPATION] = 2 * state->drag * sums[SUM_ENERGY];
    state->globals[ARRAY_INJECTION] = sums[SUM_INJECTION];
    return LOCUM_OK;
}

/* the mean profile's modes i w_hat(0, ky) / ky, on all ranks: each is made by one rank, the others add zeros */
static void observe_coefficients(locum_state *state)
{
    const locum_solver *s = state->solver;
    const int64_t n = s->k_max[1] + 1, first = LOCUM_PLANE_WAVES * s->plane->first_line_block;
    memset(state->coefficients, 0, (size_t)n * sizeof *state->coefficients);
    for (int64_t ky = first; ky < first + LOCUM_PLANE_WAVES * s->plane->my_line_blocks && ky < n; ky++) {
        double complex w = ((const double complex *)state->w)[(ky - first) * 2 * s->half];
        /* + 0 makes -0 a 0, as adding the zeros of others does */
        if (ky)
            state->coefficients[ky] =
                (0.0 - cimag(w) / wavenumber(s, 1, ky)) + (0.0 + creal(w) / wavenumber(s, 1, ky)) * I;
    }
    if (s->plane->size > 1)
        MPI_Allreduce(MPI_IN_PLACE, state->coefficients, (int)(2 * n), MPI_DOUBLE, MPI_SUM, s->comm);
}

/* What the symmetries of the forcing leave of mode m of the profile.
 * A sin(2 pi n y / Ly) x-hat: half a wavelength in y with x -> -x changes the sign of u, which leaves odd multiples of
 * n; (x, y) -> (-x, -y) changes it too, which leaves sines, unless a mean flow runs along y. Without forcing, or
 * with the diagonal one, every shift in y (with one in x) is a symmetry, which leaves the constant; so do the shifts
 * of the cells by half a wavelength in x and y together with x -> -x. */
static double complex symmetric_part(const locum_solver *s, int64_t m, double complex c)
{
    if (s->config.forcing != LOCUM_NAVIER_STOKES_KOLMOGOROV) return 0;
    const int64_t n = s->config.kolmogorov_wavenumber;
    if (m % n || m / n % 2 == 0) return 0;
    return s->mean_flow[1] == 0 ? cimag(c) * I : c;
}

static void make_profile(locum_state *state, bool symmetric, double *profile)
{
    const locum_solver *s = state->solver;
    const int64_t ny = s->n[1];
    for (int64_t j = 0; j < ny; j++) profile[j] = s->mean_flow[0];
    for (int64_t m = 1; m <= s->k_max[1]; m++) {
        double complex c = symmetric ? symmetric_part(s, m, state->coefficients[m]) : state->coefficients[m];
        if (c == 0) continue;
        for (int64_t j = 0, turn = 0; j < ny; j++) {
            profile[j] += 2 * (creal(c) * creal(s->circle[turn]) - cimag(c) * cimag(s->circle[turn]));
            turn += m;
            if (turn >= ny) turn -= ny;
        }
    }
}

/* modes in the buffers of the lines -> rows of a complex field, of which the real part, or both, are kept */
static locum_status store_field(locum_state *state, int components, double *out)
{
    const locum_plane *p = state->solver->plane;
    const int64_t ny = p->n[1], my_rows = locum_plane_my_rows(p);
    double *rows = locum_navier_stokes_rows(state);
    LOCUM_TRY(locum_plane_exchange_to_rows(p, state->lines, rows));
    for (int64_t b = 0; b < p->my_row_blocks; b++) {
        locum_plane_rows_backward(p, rows, b, state->work, state->field);
        int64_t left = my_rows - b * LOCUM_PLANE_ROWS, n = left < LOCUM_PLANE_ROWS ? left : LOCUM_PLANE_ROWS;
        double *to = out + b * LOCUM_PLANE_ROWS * ny * components;
        for (int64_t i = 0; i < n * ny; i++)
            for (int c = 0; c < components; c++) to[i * components + c] = state->field[2 * i + c];
    }
    return LOCUM_OK;
}

/* w(-k) = conj w(k) */
static void vorticity_line(const locum_state *state, int64_t line)
{
    const locum_solver *s = state->solver;
    const int64_t nx = s->n[0], kept = 2 * s->half;
    const double complex *w = (const double complex *)state->w + line * kept;
    double complex *plus = (double complex *)state->modes + nx * (line % LOCUM_PLANE_WAVES);
    double complex *minus = plus + nx * LOCUM_PLANE_WAVES;
    for (int64_t q = 0; q < kept; q++) {
        int64_t place = q < s->half ? q : q + nx - kept;
        plus[place] = w[q];
        minus[place] = conj(w[q]);
    }
}

static locum_status observe_field(locum_state *state, bool velocity)
{
    const locum_solver *s = state->solver;
    state->ready = false;
    for (int64_t b = 0; b < s->plane->my_line_blocks; b++) {
        for (int64_t line = LOCUM_PLANE_WAVES * b; line < LOCUM_PLANE_WAVES * (b + 1); line++)
            if (velocity)
                locum_navier_stokes_velocity_line(state, state->w + 4 * s->half * line, line);
            else
                vorticity_line(state, line);
        locum_plane_lines_backward(s->plane, state->modes, b, state->lines);
    }
    return store_field(state, velocity ? 2 : 1, velocity ? state->velocity : state->vorticity);
}

/* modes in the order of ky, then kx = -k_max .. k_max */
static void observe_modes(locum_state *state, locum_block *block)
{
    const locum_solver *s = state->solver;
    const int64_t width = 2 * s->k_max[0] + 1, first = LOCUM_PLANE_WAVES * s->plane->first_line_block;
    int64_t lines = LOCUM_PLANE_WAVES * s->plane->my_line_blocks;
    if (first + lines > s->k_max[1] + 1) lines = s->k_max[1] + 1 - first;
    for (int64_t i = 0; i < lines * width; i++) {
        int64_t place = place_of(s->half, i % width - s->k_max[0]);
        memcpy(state->modes_out + 2 * i, state->w + 2 * (i / width * 2 * s->half + place), 16);
    }
    *block = (locum_block){state->modes_out, {first * width, 0, 0}, {lines * width, 1, 1}, (s->k_max[1] + 1) * width};
}

/* profiles and spectra are short: rank 0 has them whole */
static locum_block rows_block(const locum_solver *s, const double *data, int64_t n)
{
    int64_t mine = s->plane->rank == 0 ? n : 0;
    return (locum_block){data, {s->plane->rank == 0 ? 0 : n, 0, 0}, {mine, 1, 1}, n};
}

static locum_block grid_block(const locum_solver *s, const double *data)
{
    return (locum_block){
        data, {locum_plane_first_row(s->plane), 0, 0}, {locum_plane_my_rows(s->plane), s->n[1], 1}, s->n[0] * s->n[1]};
}

static void fill_rows(locum_state *state, const bool *wanted, locum_block *blocks)
{
    const locum_solver *s = state->solver;
    if (wanted[ARRAY_MEAN_PROFILE] || wanted[ARRAY_SYMMETRIC_PROFILE]) observe_coefficients(state);
    for (int symmetric = 0; symmetric < 2; symmetric++) {
        int array = symmetric ? ARRAY_SYMMETRIC_PROFILE : ARRAY_MEAN_PROFILE;
        if (!wanted[array]) continue;
        make_profile(state, symmetric, state->profile[symmetric]);
        blocks[array] = rows_block(s, state->profile[symmetric], s->n[1]);
    }
    if (wanted[ARRAY_SPECTRUM]) blocks[ARRAY_SPECTRUM] = rows_block(s, state->sums + N_SUMS, s->n_shells);
    if (wanted[ARRAY_VORTICITY_HAT]) observe_modes(state, &blocks[ARRAY_VORTICITY_HAT]);
}

locum_status locum_navier_stokes_observe(const locum_solver *s, locum_state *state, const bool *wanted,
                                         locum_frame *frame)
{
    bool sums = wanted[ARRAY_SPECTRUM];
    for (int i = ARRAY_ENERGY; i <= ARRAY_INJECTION; i++) sums = sums || wanted[i];
    frame->schema = &s->schema;
    frame->time = state->time;
    frame->step = state->step;
    memset(frame->blocks, 0, N_ARRAYS * sizeof *frame->blocks);
    if (sums) LOCUM_TRY(observe_sums(state));
    double full = locum_navier_stokes_full_step(state);
    state->globals[ARRAY_CFL] = state->rate > 0 ? full * state->rate : 0;
    for (int i = ARRAY_ENERGY; i <= ARRAY_CFL; i++)
        if (wanted[i]) frame->blocks[i] = (locum_block){&state->globals[i], {0, 0, 0}, {1, 1, 1}, 1};
    fill_rows(state, wanted, frame->blocks);
    for (int velocity = 0; velocity < 2; velocity++) {
        int array = velocity ? ARRAY_VELOCITY : ARRAY_VORTICITY,
            variance = velocity ? ARRAY_VELOCITY_VARIANCE : ARRAY_VORTICITY_VARIANCE;
        const double *field = velocity ? state->velocity : state->vorticity;
        double *squares = velocity ? state->velocity_variance : state->vorticity_variance;
        if (!wanted[array] && !wanted[variance]) continue;
        LOCUM_TRY(observe_field(state, velocity));
        if (wanted[array]) frame->blocks[array] = grid_block(s, field);
        if (!wanted[variance]) continue;
        int64_t n = locum_plane_my_rows(s->plane) * s->n[1] * (velocity ? 2 : 1);
        for (int64_t i = 0; i < n; i++) squares[i] = field[i] * field[i];
        frame->blocks[variance] = grid_block(s, squares);
    }
    return LOCUM_OK;
}
