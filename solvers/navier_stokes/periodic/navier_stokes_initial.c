/* SPDX-License-Identifier: BSD-3-Clause */
/* navier_stokes_initial.c - the state at the beginning of a sample: made from the config, from a field, or from the
 * modes of an earlier frame (a restart).
 *
 * Made fields are given mode by mode, so that every resolution and every number of ranks has the same field, cut at
 * the waves that it keeps. Random modes are keyed by (kx, ky). */
#include <float.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/parallel/comm.h"
#include "core/random.h"
#include "navier_stokes_internal.h"
#include "solvers/numerics/fft/slab.h"

#define TWO_PI 6.283185307179586477

static double wavenumber(const locum_solver *s, int d, int64_t waves)
{
    return TWO_PI * (double)waves / s->box[d];
}

/* lines of this rank, and the ky of the first */
static int64_t lines_of(const locum_solver *s, int64_t *first)
{
    *first = LOCUM_PLANE_WAVES * s->plane->first_line_block;
    return LOCUM_PLANE_WAVES * s->plane->my_line_blocks;
}

/* w_hat(kx, ky) += value and, for ky = 0, the conjugate at -kx; nothing if another rank has it, or none keeps it */
static void add_mode(locum_state *state, int64_t kx, int64_t ky, double complex value)
{
    const locum_solver *s = state->solver;
    int64_t first, n = lines_of(s, &first);
    if (llabs(kx) > s->k_max[0] || ky > s->k_max[1] || ky < first || ky >= first + n) return;
    double complex *line = (double complex *)state->w + (ky - first) * 2 * s->half;
    line[place_of(s->half, kx)] += value;
    if (ky == 0) line[place_of(s->half, -kx)] += conj(value);
}

/* variance of the modes of E(k) ~ k^4 exp(-2 (k/k0)^2), up to a factor: E(k) over the circumference */
static double peaked_variance(const locum_solver *s, int64_t kx, int64_t ky)
{
    const double longest = fmax(s->box[0], s->box[1]), k0 = s->config.peak_wavenumber;
    const double x = (double)kx * longest / s->box[0], y = (double)ky * longest / s->box[1];
    const double k2 = x * x + y * y;
    return k2 * sqrt(k2) / (k0 * k0 * k0) * exp(-2 * k2 / (k0 * k0));
}

/* the factor that gives the speed (or the vorticity) its root mean square: sums over waves up to 6 k0, beyond which
 * exp(-72) is left, whatever the grid keeps */
static double peaked_norm(const locum_solver *s)
{
    const locum_navier_stokes_config *c = &s->config;
    const double longest = fmax(s->box[0], s->box[1]);
    const bool of_vorticity = !isnan(c->rms_vorticity);
    const int64_t x_max = (int64_t)ceil(6 * c->peak_wavenumber * s->box[0] / longest);
    const int64_t y_max = (int64_t)ceil(6 * c->peak_wavenumber * s->box[1] / longest);
    double sum = 0;
    for (int64_t kx = -x_max; kx <= x_max; kx++)
        for (int64_t ky = -y_max; ky <= y_max; ky++) {
            double k_x = wavenumber(s, 0, kx), k_y = wavenumber(s, 1, ky);
            sum += peaked_variance(s, kx, ky) * (of_vorticity ? k_x * k_x + k_y * k_y : 1);
        }
    double rms = of_vorticity ? c->rms_vorticity : isnan(c->rms_velocity) ? 1 : c->rms_velocity;
    return rms * rms / sum;
}

/* root mean square of the vorticity's mode: w = sum over all modes of it, complex with independent normal parts */
static double mode_rms(const locum_solver *s, double norm, int64_t kx, int64_t ky)
{
    if (s->config.spectrum == LOCUM_NAVIER_STOKES_LI) {
        /* variance 2 * 7^3 (4 pi^2 k^2 + 49)^(-5/2): twice the covariance's eigenvalue, as the 2021 sampler has it */
        double k2 = TWO_PI * TWO_PI * (double)(kx * kx + ky * ky);
        return sqrt(2.0 * 343.0 * pow(k2 + 49.0, -2.5));
    }
    double k_x = wavenumber(s, 0, kx), k_y = wavenumber(s, 1, ky);
    return sqrt(norm * peaked_variance(s, kx, ky) * (k_x * k_x + k_y * k_y));
}

static void make_random(locum_state *state, uint64_t seed)
{
    const locum_solver *s = state->solver;
    const double norm = s->config.spectrum == LOCUM_NAVIER_STOKES_LI ? 0 : peaked_norm(s);
    int64_t first, n = lines_of(s, &first);
    for (int64_t ky = first; ky < first + n && ky <= s->k_max[1]; ky++)
        for (int64_t kx = ky ? -s->k_max[0] : 1; kx <= s->k_max[0]; kx++) {
            double z[2], half = sqrt(0.5) * mode_rms(s, norm, kx, ky);
            locum_random_normal(seed, LOCUM_STREAM_INITIAL, (uint64_t)(uint32_t)kx << 32 | (uint64_t)ky, z);
            add_mode(state, kx, ky, half * z[0] + half * z[1] * I);
        }
}

/* w = A (kx^2 + ky^2) / ky sin(kx x) sin(ky y), so that u = A sin(kx x) cos(ky y) */
static void make_taylor_green(locum_state *state, const locum_navier_stokes_config *config)
{
    const int64_t m = config->taylor_green_wavenumber;
    const double k_x = wavenumber(state->solver, 0, m), k_y = wavenumber(state->solver, 1, m);
    const double size = config->taylor_green_amplitude * (k_x * k_x + k_y * k_y) / k_y;
    add_mode(state, m, m, -size / 4);
    add_mode(state, -m, m, size / 4);
}

/* u = tanh((y - 1/4) / d) below the middle, tanh((3/4 - y) / d) above; its modes by a fixed fine sum */
static void make_shear_layer(locum_state *state)
{
    enum { FINE = 16384 };
    const locum_solver *s = state->solver;
    const double d = s->config.shear_thickness;
    int64_t first, n = lines_of(s, &first);
    for (int64_t ky = first > 0 ? first : 1; ky < first + n && ky <= s->k_max[1]; ky++) {
        double complex mode = 0;
        for (int64_t j = 0; j < FINE; j++) {
            double y = (double)j / FINE, angle = TWO_PI * (double)(j * ky % FINE) / FINE;
            double u = y <= 0.5 ? tanh((y - 0.25) / d) : tanh((0.75 - y) / d);
            mode += u * (cos(angle) - sin(angle) * I);
        }
        add_mode(state, 0, ky, -I * wavenumber(s, 1, ky) * mode / (double)FINE);
    }
    add_mode(state, 1, 0, s->config.shear_perturbation * wavenumber(s, 0, 1) / 2);
}

/* sin a sin b = (cos(a - b) - cos(a + b)) / 2 */
static void make_cells(const locum_solver *s, int64_t n, double amplitude, forced_mode forced[2])
{
    const double strength = amplitude * hypot(wavenumber(s, 0, n), wavenumber(s, 1, n));
    forced[0] = (forced_mode){n, n, -strength / 4};
    forced[1] = (forced_mode){-n, n, strength / 4};
}

/* the forcing's modes of curl f, and how fast they can raise the Courant number */
static void make_forcing(locum_state *state, const locum_navier_stokes_config *config)
{
    const locum_solver *s = state->solver;
    forced_mode *mode = state->forced;
    mode[0] = mode[1] = (forced_mode){0, 1, 0};
    if (config->forcing == LOCUM_NAVIER_STOKES_KOLMOGOROV) {
        mode->ky = config->kolmogorov_wavenumber;
        mode->value = -config->kolmogorov_amplitude * wavenumber(s, 1, mode->ky) / 2;
    } else if (config->forcing == LOCUM_NAVIER_STOKES_DIAGONAL) {
        mode->kx = 1;
        mode->value = config->diagonal_amplitude * (1 - I) / 2;
    } else if (config->forcing == LOCUM_NAVIER_STOKES_CELLULAR) {
        make_cells(s, config->cellular_wavenumber, config->cellular_amplitude, mode);
    }
    state->growth = 0;
    for (int i = 0; i < 2; i++) {
        const double k_x = wavenumber(s, 0, mode[i].kx), k_y = wavenumber(s, 1, mode[i].ky);
        state->growth +=
            2 * cabs(mode[i].value) / (k_x * k_x + k_y * k_y) * (fabs(k_y) / s->dx[0] + fabs(k_x) / s->dx[1]);
    }
}

static void make_from_config(locum_state *state, const locum_navier_stokes_config *config, uint64_t seed)
{
    if (config->initial == LOCUM_NAVIER_STOKES_TAYLOR_GREEN)
        make_taylor_green(state, config);
    else if (config->initial == LOCUM_NAVIER_STOKES_SHEAR_LAYER)
        make_shear_layer(state);
    else
        make_random(state, seed);
}

/* rows of a field -> modes: a real field is the real part of a complex one */
static locum_status modes_from_field(locum_state *state, const double *field)
{
    const locum_solver *s = state->solver;
    const locum_plane *p = s->plane;
    const int64_t nx = s->n[0], ny = s->n[1], my_rows = locum_plane_my_rows(p), kept = 2 * s->half;
    const double norm = 1 / (double)(nx * ny);
    double *rows = locum_navier_stokes_rows(state);
    for (int64_t b = 0; b < p->my_row_blocks; b++) {
        memset(state->field, 0, (size_t)(2 * LOCUM_PLANE_ROWS * ny) * sizeof(double));
        for (int64_t i = 0; i < LOCUM_PLANE_ROWS && b * LOCUM_PLANE_ROWS + i < my_rows; i++)
            for (int64_t j = 0; j < ny; j++)
                state->field[2 * (i * ny + j)] = field[(b * LOCUM_PLANE_ROWS + i) * ny + j];
        locum_plane_rows_forward(p, state->field, b, state->work, rows);
    }
    LOCUM_TRY(locum_plane_exchange_to_lines(p, rows, state->lines));
    for (int64_t line = 0; line < LOCUM_PLANE_WAVES * p->my_line_blocks; line++) {
        int64_t lane = line % LOCUM_PLANE_WAVES, ky = LOCUM_PLANE_WAVES * p->first_line_block + line;
        if (lane == 0) locum_plane_lines_forward(p, state->lines, line / LOCUM_PLANE_WAVES, state->products);
        const double complex *mode = (const double complex *)state->products + lane * nx;
        double complex *w = (double complex *)state->w + line * kept;
        /* on ky = 0 the modes of -kx are made the exact conjugates of those of kx, and the mean vanishes */
        for (int64_t kx = ky ? -s->k_max[0] : 1; kx <= s->k_max[0] && ky <= s->k_max[1]; kx++) {
            w[place_of(s->half, kx)] = norm * mode[kx < 0 ? kx + nx : kx];
            if (ky == 0) w[place_of(s->half, -kx)] = conj(w[place_of(s->half, kx)]);
        }
    }
    return LOCUM_OK;
}

/* this rank's part as doubles; the caller frees it */
static locum_status copy_values(const locum_frame *frame, int array, double **values)
{
    const locum_block *block = &frame->blocks[array];
    const int64_t n = locum_block_count(frame->schema, array, block);
    const locum_type type = frame->schema->arrays[array].type;
    *values = NULL;
    LOCUM_REQUIRE(block->data || n == 0, LOCUM_INPUT, "navier_stokes: the initial frame has no %s",
                  frame->schema->arrays[array].name);
    LOCUM_REQUIRE(type == LOCUM_FLOAT64 || type == LOCUM_FLOAT32, LOCUM_INPUT,
                  "navier_stokes: %s of the initial state must hold real numbers", frame->schema->arrays[array].name);
    LOCUM_TRY(LOCUM_NEW(values, n + 1));
    for (int64_t i = 0; i < n; i++)
        (*values)[i] = type == LOCUM_FLOAT64 ? ((const double *)block->data)[i] : ((const float *)block->data)[i];
    return LOCUM_OK;
}

static locum_status check_finite(const locum_solver *s, const double *field)
{
    const int64_t ny = s->n[1], n = locum_plane_my_rows(s->plane), first = locum_plane_first_row(s->plane);
    for (int64_t i = 0; i < n * ny; i++)
        LOCUM_REQUIRE(isfinite(field[i]), LOCUM_INPUT, "navier_stokes: initial vorticity[%lld, %lld] is %g, not finite",
                      (long long)(first + i / ny), (long long)(i % ny), field[i]);
    return LOCUM_OK;
}

/* The mean of a vorticity on a periodic box is zero. What a file in single precision leaves of it is rounding. */
static locum_status check_mean(const locum_solver *s, const double *field, double *partial)
{
    const locum_plane *p = s->plane;
    const int64_t ny = s->n[1], n = locum_plane_my_rows(p);
    double sums[2];
    bool doubles = false;
    memset(partial, 0, (size_t)(2 * p->my_row_blocks) * sizeof *partial);
    for (int64_t i = 0; i < n * ny; i++) {
        double *block = partial + 2 * (i / (ny * LOCUM_PLANE_ROWS));
        block[0] += field[i];
        block[1] += field[i] * field[i];
        doubles = doubles || (double)(float)field[i] != field[i];
    }
    doubles = locum_comm_any(s->comm, doubles);
    LOCUM_TRY(locum_comm_sum_blocks(s->comm, p->n_row_blocks, p->first_row_block, p->my_row_blocks, 2, partial, sums));
    const double points = (double)(s->n[0] * ny), mean = sums[0] / points, rms = sqrt(sums[1] / points);
    const double tolerance = doubles ? 1e-10 : 1e-6;
    LOCUM_REQUIRE(
        fabs(mean) <= tolerance * rms, LOCUM_INPUT,
        "navier_stokes: the mean of the initial vorticity is %.6g (rms %.6g); on a periodic box it must vanish "
        "(within %g of the rms): subtract it",
        mean, rms, tolerance);
    return LOCUM_OK;
}

/* the array that the dataset of the study became: of that name, "vorticity", or the only one there is */
static int find_vorticity(const locum_solver *s, const locum_schema *schema)
{
    int array = locum_schema_find(schema, "vorticity");
    if (array < 0) array = locum_schema_find(schema, s->config.dataset);
    return array < 0 && schema->n_arrays == 1 ? 0 : array;
}

static locum_status check_grid(const locum_solver *s, const locum_schema *schema, int array)
{
    LOCUM_REQUIRE(array >= 0, LOCUM_INPUT, "navier_stokes: the initial state has no vorticity");
    const locum_domain *d = &schema->domains[schema->arrays[array].domain];
    LOCUM_REQUIRE(d->support == LOCUM_GRID && d->n_dims == 2 && schema->arrays[array].order == 0, LOCUM_INPUT,
                  "navier_stokes: the initial vorticity must have shape (nx, ny)");
    LOCUM_REQUIRE(d->n_global[0] == s->n[0] && d->n_global[1] == s->n[1], LOCUM_INPUT,
                  "navier_stokes: the initial vorticity has %lld x %lld points, the solver %lld x %lld",
                  (long long)d->n_global[0], (long long)d->n_global[1], (long long)s->n[0], (long long)s->n[1]);
    return LOCUM_OK;
}

static locum_status start_from_field(locum_state *state, const locum_frame *frame)
{
    const locum_solver *s = state->solver;
    const int64_t first = locum_plane_first_row(s->plane), n = locum_plane_my_rows(s->plane);
    const int array = find_vorticity(s, frame->schema);
    double *values = NULL, *field = NULL, *partial = NULL;
    locum_status st = check_grid(s, frame->schema, array);
    if (!st) st = copy_values(frame, array, &values);
    if (!st) st = LOCUM_NEW(&field, n * s->n[1] + 1);
    if (!st) st = LOCUM_NEW(&partial, 2 * s->plane->my_row_blocks + 1);
    st = locum_comm_agree(s->comm, st);
    if (!st)
        st = locum_slab_move(s->comm, s->n[0], s->n[1], frame->blocks[array].first[0], frame->blocks[array].n[0],
                             values, first, n, field);
    if (!st) st = locum_comm_agree(s->comm, check_finite(s, field));
    if (!st) st = check_mean(s, field, partial);
    if (!st) st = modes_from_field(state, field);
    free(partial);
    free(field);
    free(values);
    return st;
}

/* bit for bit: the modes themselves */
static locum_status start_from_modes(locum_state *state, const locum_frame *frame)
{
    const locum_solver *s = state->solver;
    const int array = locum_schema_find(frame->schema, "vorticity_hat");
    const int64_t width = 2 * s->k_max[0] + 1, n_global = (s->k_max[1] + 1) * width;
    int64_t first, lines = lines_of(s, &first), end = first + lines;
    if (end > s->k_max[1] + 1) end = s->k_max[1] + 1;
    lines = end > first ? end - first : 0;
    double *values = NULL, *modes = NULL;
    locum_status st =
        array >= 0 ? LOCUM_OK : LOCUM_FAIL(LOCUM_INPUT, "navier_stokes: a restart needs the array vorticity_hat");
    if (!st && frame->blocks[array].n_global != n_global) /* a file's rows have no number in the domain */
        st = LOCUM_FAIL(LOCUM_INPUT, "navier_stokes: the restart is of another resolution");
    if (!st) st = copy_values(frame, array, &values);
    if (!st) st = LOCUM_NEW(&modes, 2 * lines * width + 1);
    st = locum_comm_agree(s->comm, st);
    if (!st)
        st = locum_slab_move(s->comm, n_global, 2, frame->blocks[array].first[0], frame->blocks[array].n[0], values,
                             lines ? first * width : 0, lines * width, modes);
    for (int64_t i = 0; !st && i < lines * width; i++) {
        int64_t kx = i % width - s->k_max[0];
        memcpy(state->w + 2 * (i / width * 2 * s->half + place_of(s->half, kx)), modes + 2 * i, 16);
    }
    free(modes);
    free(values);
    return st;
}

static locum_status allocate(const locum_solver *s, locum_state *a)
{
    const locum_plane *p = s->plane;
    const int64_t modes = LOCUM_PLANE_WAVES * p->my_line_blocks * 2 * s->half, my_rows = locum_plane_my_rows(p);
    a->solver = s;
    locum_status st = LOCUM_NEW(&a->w, 2 * modes + 1);
    if (!st) st = LOCUM_NEW(&a->sum, 2 * modes + 1);
    if (!st) st = LOCUM_NEW(&a->lines, locum_plane_lines_size(p) + 1);
    if (!st && p->size > 1) st = LOCUM_NEW(&a->rows, locum_plane_rows_size(p));
    if (!st) st = LOCUM_NEW(&a->modes, 2 * LOCUM_PLANE_LINES * s->n[0]);
    if (!st) st = LOCUM_NEW(&a->products, 2 * LOCUM_PLANE_LINES * s->n[0]);
    if (!st) st = LOCUM_NEW(&a->field, 2 * LOCUM_PLANE_ROWS * s->n[1]);
    if (!st) st = LOCUM_NEW(&a->work, 2 * LOCUM_PLANE_ROWS * s->n[1]);
    if (!st) st = LOCUM_NEW(&a->stage, 4 * s->half);
    if (!st) st = LOCUM_NEW(&a->decay, 4 * s->half);
    if (!st) st = LOCUM_NEW(&a->vorticity, my_rows * s->n[1] + 1);
    if (!st) st = LOCUM_NEW(&a->velocity, 2 * my_rows * s->n[1] + 1);
    if (!st) st = LOCUM_NEW(&a->vorticity_variance, my_rows * s->n[1] + 1);
    if (!st) st = LOCUM_NEW(&a->velocity_variance, 2 * my_rows * s->n[1] + 1);
    if (!st) st = LOCUM_NEW(&a->profile[0], s->n[1]);
    if (!st) st = LOCUM_NEW(&a->profile[1], s->n[1]);
    if (!st) st = LOCUM_NEW(&a->modes_out, 2 * modes + 1);
    if (!st) st = LOCUM_NEW(&a->partial, p->my_line_blocks * (3 + s->n_shells) + 1);
    if (!st) st = LOCUM_NEW(&a->sums, 3 + s->n_shells);
    if (!st) st = LOCUM_NEW(&a->coefficients, s->k_max[1] + 1);
    return st;
}

void locum_navier_stokes_free_state(locum_state *a)
{
    if (!a) return;
    free(a->coefficients);
    free(a->sums);
    free(a->partial);
    free(a->modes_out);
    free(a->profile[1]);
    free(a->profile[0]);
    free(a->velocity);
    free(a->vorticity_variance);
    free(a->velocity_variance);
    free(a->vorticity);
    free(a->decay);
    free(a->stage);
    free(a->work);
    free(a->field);
    free(a->products);
    free(a->modes);
    free(a->rows);
    free(a->lines);
    free(a->sum);
    free(a->w);
    free(a);
}

locum_status locum_navier_stokes_start(const locum_solver *s, const locum_sample *sample, locum_state **state)
{
    const locum_navier_stokes_config *config = sample->config ? sample->config : &s->config;
    locum_status st = LOCUM_OK;
    if (!*state) {
        st = LOCUM_NEW(state, 1);
        if (!st) st = allocate(s, *state);
        if (st) locum_navier_stokes_free_state(*state), *state = NULL;
    }
    if (!st && !sample->initial && config->initial == LOCUM_NAVIER_STOKES_FILE)
        st = LOCUM_FAIL(LOCUM_ARG, "navier_stokes: the initial state of a file must come with the sample");
    st = locum_comm_agree(s->comm, st);
    if (st) return st;
    locum_state *a = *state;
    memset(a->w, 0, (size_t)(LOCUM_PLANE_WAVES * s->plane->my_line_blocks * 4 * s->half) * sizeof(double));
    a->time = sample->initial && sample->exact ? sample->initial->time : 0;
    a->step = sample->initial && sample->exact ? sample->initial->step : 0;
    a->viscosity = config->viscosity;
    a->drag = config->drag;
    a->ready = false;
    make_forcing(a, config);
    if (!sample->initial)
        make_from_config(a, config, sample->seed);
    else
        st = sample->exact ? start_from_modes(a, sample->initial) : start_from_field(a, sample->initial);
    return st ? st : locum_navier_stokes_prepare(a);
}
