/* SPDX-License-Identifier: BSD-3-Clause */
/* navier_stokes_config.c - options, what ranges cannot say about them, and what a run costs. */
#include <math.h>
#include <string.h>

#include "navier_stokes_internal.h"
#include "solvers/numerics/fft/sizes.h"

#define PLACE(field) offsetof(locum_navier_stokes_config, field)
#define TWO_PI 6.283185307179586477

/* clang-format off */
static const locum_option kolmogorov_options[] = {
    {.name = "wavenumber", .type = LOCUM_I32, .place = PLACE(kolmogorov_wavenumber), .value = 4, .min = 1, .max = 65536,
     .unit = "1", .text = "n: waves of the forcing across the box in y"},
    {.name = "amplitude", .type = LOCUM_F64, .place = PLACE(kolmogorov_amplitude), .value = 1, .min = -INFINITY,
     .max = INFINITY, .unit = "1", .flags = LOCUM_PARAMETER, .text = "A: acceleration A sin(2 pi n y / Ly) along x"},
    {0}};

static const locum_option diagonal_options[] = {
    {.name = "amplitude", .type = LOCUM_F64, .place = PLACE(diagonal_amplitude), .value = 0.1, .min = -INFINITY,
     .max = INFINITY, .unit = "1", .flags = LOCUM_PARAMETER, .text = "A: curl f = A (sin + cos)(2 pi (x/Lx + y/Ly))"},
    {0}};

static const locum_option cellular_options[] = {
    {.name = "wavenumber", .type = LOCUM_I32, .place = PLACE(cellular_wavenumber), .value = 2, .min = 1, .max = 65536,
     .unit = "1", .text = "n: waves of the forcing across the box, in x and in y"},
    {.name = "amplitude", .type = LOCUM_F64, .place = PLACE(cellular_amplitude), .value = 1, .min = -INFINITY,
     .max = INFINITY, .unit = "1", .flags = LOCUM_PARAMETER,
     .text = "A: curl f = A (K_x^2 + K_y^2)^(1/2) sin(K_x x) sin(K_y y), K = 2 pi n / L"},
    {0}};

static const locum_choice forcing_choices[] = {
    {"none", "the flow decays", NULL},
    {"kolmogorov", "a sine in y pushes along x", kolmogorov_options},
    {"diagonal", "the forcing of Li et al. 2021, stretched to the box", diagonal_options},
    {"cellular", "square cells that turn against each other: a mean flow in two dimensions", cellular_options},
    {0}};

const locum_option locum_navier_stokes_options[] = {
    {.name = "dimension", .type = LOCUM_I32, .place = PLACE(dimension), .value = 2, .min = 2, .max = 3, .unit = "1",
     .text = "space dimensions; only 2 so far"},
    {.name = "resolution", .type = LOCUM_I32, .place = PLACE(resolution), .value = 64, .min = 8, .max = 65536,
     .unit = "1", .text = "points along x and y: even, factors 2, 3, 5, 7", .n_max = 2, .n_default = 1,
     .place_n = PLACE(n_resolution)},
    {.name = "box", .type = LOCUM_F64, .place = PLACE(box), .value = TWO_PI, .min = 0, .max = INFINITY,
     .flags = LOCUM_OPEN_MIN | LOCUM_OPEN_MAX, .unit = "1", .text = "lengths of the periodic box", .n_max = 2,
     .n_default = 1, .place_n = PLACE(n_box)},
    {.name = "viscosity", .type = LOCUM_F64, .place = PLACE(viscosity), .value = 1e-3, .min = 0, .max = INFINITY,
     .flags = LOCUM_PARAMETER | LOCUM_OPEN_MAX | LOCUM_REQUIRED, .unit = "1", .text = "kinematic viscosity"},
    {.name = "drag", .type = LOCUM_F64, .place = PLACE(drag), .value = 0, .min = 0, .max = INFINITY,
     .flags = LOCUM_PARAMETER | LOCUM_OPEN_MAX, .unit = "1", .text = "linear drag: the vorticity decays at this rate"},
    {.name = "step", .type = LOCUM_F64, .place = PLACE(step), .value = NAN, .min = 0, .max = INFINITY,
     .flags = LOCUM_OPEN_MIN | LOCUM_OPEN_MAX, .unit = "1", .text = "fixed time step; not set = steps by `cfl`"},
    {.name = "cfl", .type = LOCUM_F64, .place = PLACE(cfl), .value = 0.4, .min = 0, .max = 1.3,
     .flags = LOCUM_OPEN_MIN, .unit = "1", .text = "Courant number of the steps if `step` is not set"},
    {.name = "mean_flow", .type = LOCUM_F64, .place = PLACE(mean_flow), .value = 0, .min = -INFINITY, .max = INFINITY,
     .unit = "1", .text = "uniform velocity that carries the vorticity", .n_max = 2, .n_default = 1,
     .place_n = PLACE(n_mean_flow)},
    {.name = "forcing", .type = LOCUM_CHOICE, .place = PLACE(forcing), .value = LOCUM_NAVIER_STOKES_NO_FORCING,
     .text = "what keeps the flow going", .choices = forcing_choices},
    {0}};

static const locum_option peaked_options[] = {
    {.name = "peak_wavenumber", .type = LOCUM_F64, .place = PLACE(peak_wavenumber), .value = 4, .min = 1, .max = 65536,
     .unit = "1", .text = "k0 of E(k) ~ k^4 exp(-2 (k/k0)^2), waves across the longer side of the box"},
    {.name = "rms_velocity", .type = LOCUM_F64, .place = PLACE(rms_velocity), .value = NAN, .min = 0, .max = INFINITY,
     .flags = LOCUM_OPEN_MAX, .unit = "1", .text = "root mean square of the speed (1 if neither is given)"},
    {.name = "rms_vorticity", .type = LOCUM_F64, .place = PLACE(rms_vorticity), .value = NAN, .min = 0, .max = INFINITY,
     .flags = LOCUM_OPEN_MAX, .unit = "1", .text = "root mean square of the vorticity, instead of rms_velocity"},
    {0}};

static const locum_choice spectrum_choices[] = {
    {"peaked", "E(k) ~ k^4 exp(-2 (k/k0)^2)", peaked_options},
    {"li", "covariance 7^(3/2) (49 - lap)^(-5/2) of Li et al. 2021, as their published data have it (std 0.262)", NULL},
    {0}};

static const locum_option random_options[] = {
    {.name = "spectrum", .type = LOCUM_CHOICE, .place = PLACE(spectrum), .value = LOCUM_NAVIER_STOKES_PEAKED,
     .text = "of the Gaussian field", .choices = spectrum_choices},
    {0}};

static const locum_option taylor_green_options[] = {
    {.name = "amplitude", .type = LOCUM_F64, .place = PLACE(taylor_green_amplitude), .value = 1, .min = -INFINITY,
     .max = INFINITY, .unit = "1", .flags = LOCUM_PARAMETER, .text = "largest u"},
    {.name = "wavenumber", .type = LOCUM_I32, .place = PLACE(taylor_green_wavenumber), .value = 1, .min = 1,
     .max = 65536, .unit = "1", .text = "waves across the box in both directions"},
    {0}};

static const locum_option shear_layer_options[] = {
    {.name = "thickness", .type = LOCUM_F64, .place = PLACE(shear_thickness), .value = 1.0 / 30, .min = 1e-3,
     .max = 0.25, .unit = "1", .text = "of the layers over the box in y: u = tanh((y/Ly - 1/4) / thickness)"},
    {.name = "perturbation", .type = LOCUM_F64, .place = PLACE(shear_perturbation), .value = 0.05, .min = -INFINITY,
     .max = INFINITY, .unit = "1", .text = "amplitude of v = perturbation sin(2 pi x / Lx)"},
    {0}};

static const locum_option file_options[] = {
    {.name = "file", .type = LOCUM_PATH, .place = PLACE(file), .string = "", .flags = LOCUM_REQUIRED,
     .text = "file with a vorticity field, periodic over the same box"},
    {.name = "dataset", .type = LOCUM_STRING, .place = PLACE(dataset), .string = "vorticity",
     .text = "name of the dataset in it, (nx, ny), x first; its mean must vanish"},
    {.name = "format", .type = LOCUM_STRING, .place = PLACE(format), .string = "",
     .text = "format of the file: hdf5, locum; not given: found out from the file"},
    {0}};

static const locum_choice initial_choices[] = {
    {"random", "Gaussian random field: a seed gives the same field at every resolution", random_options},
    {"taylor_green", "the Taylor-Green vortices, an exact solution", taylor_green_options},
    {"shear_layer", "two shear layers with a sine on them (Brown and Minion 1995)", shear_layer_options},
    {"file", "a vorticity field from a file", file_options},
    {0}};

const locum_option locum_navier_stokes_initial_options[] = {
    {.name = "name", .type = LOCUM_CHOICE, .place = PLACE(initial), .value = LOCUM_NAVIER_STOKES_RANDOM,
     .text = "how the flow begins", .choices = initial_choices},
    {0}};

/* clang-format on */

void locum_navier_stokes_resolve(const locum_navier_stokes_config *config, int64_t n[2], double box[2],
                                 double mean_flow[2])
{
    for (int d = 0; d < 2; d++) {
        n[d] = config->resolution[d < config->n_resolution ? d : 0];
        box[d] = config->box[d < config->n_box ? d : 0];
        mean_flow[d] = config->mean_flow[d < config->n_mean_flow ? d : 0];
    }
}

static locum_status check_resolution(const int64_t n[2])
{
    for (int d = 0; d < 2; d++) {
        int64_t below, above;
        if (n[d] >= 8 && locum_fft_good_size(n[d])) continue;
        locum_fft_nearest_sizes(n[d], &below, &above);
        if (below < 8 || above < 8)
            return LOCUM_FAIL(LOCUM_STUDY, "navier_stokes: resolution %lld is below 8", (long long)n[d]);
        return LOCUM_FAIL(LOCUM_STUDY,
                          "navier_stokes: resolution %lld must be even with no factors but 2, 3, 5 and 7: "
                          "%lld or %lld are the nearest",
                          (long long)n[d], (long long)below, (long long)above);
    }
    return LOCUM_OK;
}

/* the forcing and the initial flow must be among the waves that the grid keeps */
static locum_status check_waves(const locum_navier_stokes_config *c, const int64_t k_max[2])
{
    int64_t smaller = k_max[0] < k_max[1] ? k_max[0] : k_max[1];
    LOCUM_REQUIRE(c->forcing != LOCUM_NAVIER_STOKES_KOLMOGOROV || c->kolmogorov_wavenumber <= k_max[1], LOCUM_STUDY,
                  "navier_stokes: forcing wavenumber %d: this resolution keeps %lld waves (a third of its points)",
                  c->kolmogorov_wavenumber, (long long)k_max[1]);
    LOCUM_REQUIRE(c->forcing != LOCUM_NAVIER_STOKES_CELLULAR || c->cellular_wavenumber <= smaller, LOCUM_STUDY,
                  "navier_stokes: forcing wavenumber %d: this resolution keeps %lld waves (a third of its points)",
                  c->cellular_wavenumber, (long long)smaller);
    LOCUM_REQUIRE(c->initial != LOCUM_NAVIER_STOKES_TAYLOR_GREEN || c->taylor_green_wavenumber <= smaller, LOCUM_STUDY,
                  "navier_stokes: taylor_green wavenumber %d: this resolution keeps %lld waves (a third of its points)",
                  c->taylor_green_wavenumber, (long long)smaller);
    /* a spectrum cut by the grid is a field still; far beyond it nothing is left but a long sum for its norm */
    int64_t larger = k_max[0] > k_max[1] ? k_max[0] : k_max[1];
    LOCUM_REQUIRE(c->initial != LOCUM_NAVIER_STOKES_RANDOM || c->spectrum != LOCUM_NAVIER_STOKES_PEAKED ||
                      c->peak_wavenumber <= 16.0 * (double)larger,
                  LOCUM_STUDY,
                  "navier_stokes: peak_wavenumber %g lies far beyond the %lld waves that this resolution keeps",
                  c->peak_wavenumber, (long long)larger);
    return LOCUM_OK;
}

locum_status locum_navier_stokes_check(const void *config)
{
    const locum_navier_stokes_config *c = config;
    int64_t n[2], k_max[2];
    double box[2], flow[2];
    LOCUM_REQUIRE(c->dimension == 2, LOCUM_STUDY, "navier_stokes: dimension %d: only 2 is there so far", c->dimension);
    locum_navier_stokes_resolve(c, n, box, flow);
    LOCUM_TRY(check_resolution(n));
    for (int d = 0; d < 2; d++) {
        k_max[d] = (n[d] - 1) / 3;
        LOCUM_REQUIRE(isfinite(box[d]) && box[d] > 0, LOCUM_STUDY, "navier_stokes: box %g must be positive", box[d]);
        LOCUM_REQUIRE(isfinite(flow[d]), LOCUM_STUDY, "navier_stokes: mean_flow %g must be finite", flow[d]);
    }
    LOCUM_REQUIRE(isfinite(c->viscosity) && c->viscosity >= 0 && isfinite(c->drag) && c->drag >= 0, LOCUM_STUDY,
                  "navier_stokes: viscosity %g and drag %g must be finite and >= 0", c->viscosity, c->drag);
    LOCUM_REQUIRE(isnan(c->step) || (isfinite(c->step) && c->step > 0), LOCUM_STUDY,
                  "navier_stokes: step %g must be positive", c->step);
    LOCUM_REQUIRE(!isnan(c->step) || (c->cfl > 0 && c->cfl <= 1.3), LOCUM_STUDY,
                  "navier_stokes: cfl %g must lie in (0, 1.3]", c->cfl);
    LOCUM_TRY(check_waves(c, k_max));
    LOCUM_REQUIRE(c->initial != LOCUM_NAVIER_STOKES_RANDOM || c->spectrum != LOCUM_NAVIER_STOKES_PEAKED ||
                      isnan(c->rms_velocity) || isnan(c->rms_vorticity),
                  LOCUM_STUDY, "navier_stokes: give rms_velocity or rms_vorticity, not both");
    return LOCUM_OK;
}

locum_status locum_navier_stokes_estimate(const void *config, int ranks, locum_cost *cost)
{
    const locum_navier_stokes_config *c = config;
    int64_t n[2];
    double box[2], flow[2], transforms, modes;
    LOCUM_TRY(locum_navier_stokes_check(config));
    locum_navier_stokes_resolve(c, n, box, flow);
    const double points = (double)(n[0] * n[1]);
    modes = points * 2 / 9;
    /* 8 complex transforms a step, two thirds of the lines in x, all in y; about 40 operations a mode and stage */
    transforms = 8 * 5 * points * (2.0 / 3 * log2((double)n[0]) + log2((double)n[1]));
    /* the speed of a forced flow: of order one in the study's units, or the initial one */
    const double speed = fmax(1, fabs(flow[0]) + fabs(flow[1]) + (isnan(c->rms_velocity) ? 1 : c->rms_velocity));
    const double dx = fmin(box[0] / (double)n[0], box[1] / (double)n[1]);
    cost->steps = isnan(c->step) ? 3 * speed / (dx * c->cfl) : 1 / c->step;
    cost->operations = cost->steps * (transforms + 4 * (40 * modes + 4 * points));
    cost->bytes_per_rank = (points * 16 * 2 / 3 * (ranks > 1 ? 2 : 1) + modes * 16 * 3 + points * 8 * 6) / ranks + 1e5;
    return LOCUM_OK;
}
