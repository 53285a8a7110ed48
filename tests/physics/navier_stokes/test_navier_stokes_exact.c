/* SPDX-License-Identifier: BSD-3-Clause */
/* test_navier_stokes_exact.c - solutions that are known in closed form. */
#include "tests/physics/navier_stokes/flow.h"

#define TWO_PI 6.283185307179586477

/* w = 2 A k sin(k (x - U t)) sin(k (y - V t)) exp(-(2 nu k^2 + drag) t): the nonlinear term of the vortices vanishes,
 * so carrying them with a mean flow tests advection, viscosity and drag at once */
static void taylor_green_with_mean_flow_is_exact(void)
{
    locum_navier_stokes_config c = flow_config(48, 48);
    c.initial = LOCUM_NAVIER_STOKES_TAYLOR_GREEN;
    c.taylor_green_amplitude = 0.7;
    c.taylor_green_wavenumber = 2;
    c.viscosity = 0.01;
    c.drag = 0.03;
    c.n_mean_flow = 2;
    c.mean_flow[0] = 0.9;
    c.mean_flow[1] = -0.4;
    c.step = 0.005;
    const double t = 1.5, decay = exp(-(2 * 0.01 * 4 + 0.03) * t);
    double exact[48 * 48];
    for (int i = 0; i < 48; i++)
        for (int j = 0; j < 48; j++)
            exact[i * 48 + j] =
                2 * 0.7 * 2 * sin(2 * (TWO_PI * i / 48 - 0.9 * t)) * sin(2 * (TWO_PI * j / 48 + 0.4 * t)) * decay;
    flow f;
    CHECK_OK(flow_begin(&f, &c, MPI_COMM_SELF, 1));
    CHECK_OK(flow_run(&f, t));
    /* error of the fourth order in frequency * step = 2 * 1.3 * 0.005: t * omega^5 dt^4 / 120 */
    CHECK_CLOSE(relative_difference(flow_observe(&f, "vorticity"), exact, 48 * 48), 0, 2e-9);
    /* energy A^2 / 4 decays at twice the rate */
    CHECK_CLOSE(flow_value(&f, "energy"), 0.7 * 0.7 / 4 * decay * decay, 1e-9);
    flow_end(&f);
}

/* without the mean flow nothing is left but the integrating factor: exact to rounding, in a box that is not square */
static void decay_is_exact_in_any_box(void)
{
    locum_navier_stokes_config c = flow_config(36, 20);
    c.initial = LOCUM_NAVIER_STOKES_TAYLOR_GREEN;
    c.n_box = 2;
    c.box[0] = 3;
    c.box[1] = 1.5;
    c.viscosity = 0.02;
    c.drag = 0.1;
    const double kx = TWO_PI / 3, ky = TWO_PI / 1.5, rate = 0.02 * (kx * kx + ky * ky) + 0.1;
    double exact[36 * 20], exact_velocity[36 * 20 * 2];
    for (int i = 0; i < 36; i++)
        for (int j = 0; j < 20; j++) {
            double x = TWO_PI * i / 36, y = TWO_PI * j / 20, e = exp(-rate);
            exact[i * 20 + j] = (kx * kx + ky * ky) / ky * sin(x) * sin(y) * e;
            exact_velocity[2 * (i * 20 + j)] = sin(x) * cos(y) * e;
            exact_velocity[2 * (i * 20 + j) + 1] = -kx / ky * cos(x) * sin(y) * e;
        }
    flow f;
    CHECK_OK(flow_begin(&f, &c, MPI_COMM_SELF, 1));
    CHECK_OK(flow_run(&f, 1));
    /* some tens of steps and transforms, each good to 1e-16 */
    CHECK_CLOSE(relative_difference(flow_observe(&f, "vorticity"), exact, 36 * 20), 0, 1e-14);
    CHECK_CLOSE(relative_difference(flow_observe(&f, "velocity"), exact_velocity, 2 * 36 * 20), 0, 1e-14);
    flow_end(&f);
}

/* u = A sin(k y) / (nu k^2 + drag) answers the forcing A sin(k y): from there, nothing moves */
static void laminar_kolmogorov_flow_is_a_fixed_point(void)
{
    locum_navier_stokes_config c = flow_config(32, 32);
    c.forcing = LOCUM_NAVIER_STOKES_KOLMOGOROV;
    c.kolmogorov_wavenumber = 4;
    c.kolmogorov_amplitude = 1.3;
    c.viscosity = 0.5; /* stable: the perturbations of rounding do not grow */
    c.drag = 0.2;
    c.initial = LOCUM_NAVIER_STOKES_RANDOM;
    c.rms_velocity = 0;
    flow f;
    CHECK_OK(flow_begin(&f, &c, MPI_COMM_SELF, 1));
    CHECK_OK(flow_run(&f, 8)); /* from rest: exp(-8.2 * 8) is below rounding */
    double speed = 1.3 / (0.5 * 16 + 0.2), exact[32];
    for (int j = 0; j < 32; j++) exact[j] = speed * sin(4 * TWO_PI * j / 32);
    CHECK_CLOSE(relative_difference(flow_observe(&f, "mean_profile"), exact, 32), 0, 1e-14);
    CHECK_CLOSE(relative_difference(flow_observe(&f, "symmetric_profile"), exact, 32), 0, 1e-14);
    CHECK_CLOSE(flow_value(&f, "energy"), speed * speed / 4, 1e-15);
    CHECK_CLOSE(flow_value(&f, "injection"), 1.3 * speed / 2, 1e-15);
    CHECK_CLOSE(flow_value(&f, "dissipation"), 0.5 * 16 * speed * speed / 2, 1e-15);
    CHECK_CLOSE(flow_value(&f, "drag_dissipation"), 0.2 * speed * speed / 2, 1e-15);
    const double *spectrum = flow_observe(&f, "spectrum");
    CHECK_CLOSE(spectrum[3], speed * speed / 4, 1e-15);
    CHECK_CLOSE(spectrum[2], 0, 1e-30);
    flow_end(&f);
}

/* w = curl f / (2 nu k^2 + drag) is one eigenfunction of the Laplacian, so u . grad w vanishes: nothing moves */
static void laminar_cells_are_a_fixed_point(void)
{
    enum { N = 24, WAVES = 2 };
    locum_navier_stokes_config c = flow_config(N, N);
    c.forcing = LOCUM_NAVIER_STOKES_CELLULAR;
    c.cellular_wavenumber = WAVES;
    c.cellular_amplitude = 1.3;
    c.viscosity = 0.5;
    c.drag = 0.2;
    c.initial = LOCUM_NAVIER_STOKES_RANDOM;
    c.rms_velocity = 0;
    flow f;
    CHECK_OK(flow_begin(&f, &c, MPI_COMM_SELF, 1));
    CHECK_OK(flow_run(&f, 10)); /* from rest: exp(-4.2 * 10) is below rounding */
    double scale = TWO_PI / c.box[0], k2 = 2 * WAVES * WAVES * scale * scale, rate = 0.5 * k2 + 0.2, exact[N * N],
           strength = 1.3 * sqrt(k2) / rate;
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++)
            exact[i * N + j] = strength * sin(WAVES * TWO_PI * i / N) * sin(WAVES * TWO_PI * j / N);
    CHECK_CLOSE(relative_difference(flow_observe(&f, "vorticity"), exact, N * N), 0, 1e-13);
    /* <w^2> = strength^2 / 4, and as much energy goes out as comes in */
    CHECK_CLOSE(flow_value(&f, "enstrophy"), strength * strength / 8, 1e-14);
    CHECK_CLOSE(flow_value(&f, "injection"), flow_value(&f, "dissipation") + flow_value(&f, "drag_dissipation"), 1e-14);
    flow_end(&f);
}

FLOW_MPI_MAIN("navier_stokes: exact solutions",
              {"Taylor-Green vortices carried by a mean flow are exact", taylor_green_with_mean_flow_is_exact},
              {"viscosity and drag decay exactly in a box and grid that are not square", decay_is_exact_in_any_box},
              {"laminar Kolmogorov flow is a fixed point", laminar_kolmogorov_flow_is_a_fixed_point},
              {"laminar cells are a fixed point", laminar_cells_are_a_fixed_point})
