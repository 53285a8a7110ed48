/* SPDX-License-Identifier: BSD-3-Clause */
/* test_navier_stokes_initial.c - how a flow begins, what is refused, and how a run that goes wrong ends. */
#include "core/failpoint.h"
#include "tests/physics/navier_stokes/flow.h"

#define TWO_PI 6.283185307179586477

/* a seed is a field, not a grid of numbers: two resolutions have the same modes, to the last bit */
static void seed_gives_one_field_at_every_resolution(int spectrum)
{
    locum_navier_stokes_config c = flow_config(48, 64);
    c.spectrum = spectrum;
    flow coarse, fine;
    CHECK_OK(flow_begin(&coarse, &c, MPI_COMM_SELF, 21));
    c.resolution[0] = 90;
    c.resolution[1] = 126;
    CHECK_OK(flow_begin(&fine, &c, MPI_COMM_SELF, 21));
    const double *a = flow_observe(&coarse, "vorticity_hat"), *b = flow_observe(&fine, "vorticity_hat");
    bool same = true;
    double size = 0;
    for (int ky = 0; ky <= 21; ky++)
        for (int kx = -15; kx <= 15; kx++) {
            double p[2], q[2];
            flow_mode(&coarse, a, kx, ky, p);
            flow_mode(&fine, b, kx, ky, q);
            same = same && p[0] == q[0] && p[1] == q[1];
            size += p[0] * p[0] + p[1] * p[1];
        }
    CU_ASSERT(same);
    CU_ASSERT(size > 1e-3);
    flow_end(&fine);
    flow_end(&coarse);
}

static void seed_gives_one_peaked_field(void)
{
    seed_gives_one_field_at_every_resolution(LOCUM_NAVIER_STOKES_PEAKED);
}

static void seed_gives_one_li_field(void)
{
    seed_gives_one_field_at_every_resolution(LOCUM_NAVIER_STOKES_LI);
}

/* mean over seeds of a variance, and the error of that mean */
static void variance_over_seeds(const locum_navier_stokes_config *c, const char *half_square, double *mean,
                                double *error)
{
    enum { SEEDS = 64 };
    double sum = 0, squares = 0;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        flow f;
        CHECK_OK(flow_begin(&f, c, MPI_COMM_SELF, 1000 + seed));
        double variance = 2 * flow_value(&f, half_square);
        sum += variance;
        squares += variance * variance;
        flow_end(&f);
    }
    *mean = sum / SEEDS;
    *error = sqrt((squares / SEEDS - *mean * *mean) / (SEEDS - 1));
}

/* the published value of the 2021 sampler on the unit torus: std 0.26196 */
static void li_field_has_the_published_variance(void)
{
    locum_navier_stokes_config c = flow_config(64, 64);
    double mean, error, exact = 0;
    c.box[0] = 1;
    c.spectrum = LOCUM_NAVIER_STOKES_LI;
    variance_over_seeds(&c, "enstrophy", &mean, &error);
    CHECK_CLOSE(mean, 0.26196 * 0.26196, 4 * error);
    CU_ASSERT(error < 0.1 * mean); /* half the variance, the trap of the 2022 sampler, would be seen */
    /* the same by the sum over all modes */
    for (int kx = -400; kx <= 400; kx++)
        for (int ky = -400; ky <= 400; ky++)
            if (kx || ky) exact += 2 * 343 * pow(TWO_PI * TWO_PI * (kx * kx + ky * ky) + 49, -2.5);
    CHECK_CLOSE(sqrt(exact), 0.26196, 5e-6); /* the digits that were published */
}

static void peaked_field_has_its_rms(void)
{
    locum_navier_stokes_config c = flow_config(64, 48);
    double mean, error;
    c.n_box = 2;
    c.box[0] = 4;
    c.box[1] = 3;
    c.rms_velocity = 0.7;
    variance_over_seeds(&c, "energy", &mean, &error);
    CHECK_CLOSE(mean, 0.49, 4 * error);
    c.rms_velocity = NAN;
    c.rms_vorticity = 3;
    variance_over_seeds(&c, "enstrophy", &mean, &error);
    CHECK_CLOSE(mean, 9, 4 * error);
    CU_ASSERT(error < 1);
}

static void shear_layer_has_its_profile(void)
{
    locum_navier_stokes_config c = flow_config(96, 384);
    c.box[0] = 1;
    c.initial = LOCUM_NAVIER_STOKES_SHEAR_LAYER;
    flow f;
    CHECK_OK(flow_begin(&f, &c, MPI_COMM_SELF, 1));
    const double *profile = flow_observe(&f, "mean_profile");
    double worst = 0;
    for (int j = 0; j < 384; j++) {
        double y = j / 384.0, exact = y <= 0.5 ? tanh(30 * (y - 0.25)) : tanh(30 * (0.75 - y));
        worst = fmax(worst, fabs(profile[j] - exact));
    }
    /* 128 waves of a layer of 1/30: exp(-pi^2 128 / 30) is rounding; the kinks at y = 0, 1/2 are of size exp(-15) */
    CHECK_CLOSE(worst, 0, 1e-7);
    const double *velocity = flow_observe(&f, "velocity");
    CHECK_CLOSE(velocity[2 * 24 * 384 + 1], 0.05, 1e-12); /* v = 0.05 sin(2 pi x) at x = 1/4 */
    flow_end(&f);
}

/* this rank's rows of a field as the initial frame of all ranks */
static locum_status begin_from(flow *f, flow_field *frame, const locum_navier_stokes_config *c, const char *name,
                               int nx, int ny, const double *field)
{
    int size, rank;
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    int first = nx * rank / size, end = nx * (rank + 1) / size;
    flow_field_of(frame, name, nx, ny, field + first * ny);
    frame->block.first[0] = first;
    frame->block.n[0] = end - first;
    return flow_begin_with(f, c, MPI_COMM_WORLD, 1, &frame->frame, false);
}

static void fill(double *field, int nx, int ny, double mean)
{
    for (int i = 0; i < nx; i++)
        for (int j = 0; j < ny; j++)
            field[i * ny + j] = mean + sin(TWO_PI * 2 * i / nx) + 0.3 * cos(TWO_PI * 3 * j / ny);
}

static void field_of_a_file_comes_back(void)
{
    enum { NX = 40, NY = 24 };
    double field[NX * NY];
    locum_navier_stokes_config c = flow_config(NX, NY);
    flow_field frame;
    flow f;
    fill(field, NX, NY, 0);
    CHECK_OK(begin_from(&f, &frame, &c, "vorticity", NX, NY, field));
    const double *back = flow_observe(&f, "vorticity");
    const locum_block *block = &f.blocks[flow_array(&f, "vorticity")];
    double worst = 0;
    for (int64_t i = 0; i < block->n[0] * NY; i++) worst = fmax(worst, fabs(back[i] - field[block->first[0] * NY + i]));
    CHECK_CLOSE(worst, 0, 1e-14); /* there and back: rounding of two transforms */
    flow_end(&f);
}

static void bad_fields_are_refused_with_the_place(void)
{
    enum { N = 32 };
    double field[N * N];
    locum_navier_stokes_config c = flow_config(N, N);
    flow_field frame;
    flow f;
    fill(field, N, N, 1e-3);
    CHECK_FAILS(begin_from(&f, &frame, &c, "vorticity", N, N, field), LOCUM_INPUT);
    CU_ASSERT_PTR_NOT_NULL(strstr(locum_status_message(), "mean of the initial vorticity is 0.001"));
    flow_end(&f);
    fill(field, N, N, 0);
    field[20 * N + 7] = NAN;
    CHECK_FAILS(begin_from(&f, &frame, &c, "vorticity", N, N, field), LOCUM_INPUT);
    CU_ASSERT_PTR_NOT_NULL(strstr(locum_status_message(), "vorticity[20, 7]"));
    flow_end(&f);
    c.resolution[0] = 64;
    fill(field, N, N, 0);
    CHECK_FAILS(begin_from(&f, &frame, &c, "vorticity", N, N, field), LOCUM_INPUT);
    CU_ASSERT_PTR_NOT_NULL(strstr(locum_status_message(), "32 x 32 points, the solver 64 x 32"));
    flow_end(&f);
}

/* a mean that is nothing but the rounding of a file in single precision is dropped */
static void rounding_of_single_precision_is_no_mean(void)
{
    enum { N = 32 };
    double field[N * N];
    locum_navier_stokes_config c = flow_config(N, N);
    flow_field frame;
    flow f;
    fill(field, N, N, 1e-8);
    CHECK_FAILS(begin_from(&f, &frame, &c, "vorticity", N, N, field), LOCUM_INPUT);
    flow_end(&f);
    for (int i = 0; i < N * N; i++) field[i] = (float)field[i];
    CHECK_OK(begin_from(&f, &frame, &c, "vorticity", N, N, field));
    flow_end(&f);
}

static void forbidden_resolutions_name_the_nearest(void)
{
    locum_navier_stokes_config c = flow_config(64, 66);
    CHECK_FAILS(locum_solver_navier_stokes.check(&c), LOCUM_STUDY);
    CU_ASSERT_PTR_NOT_NULL(strstr(locum_status_message(), "64 or 70"));
    c = flow_config(45, 64);
    CHECK_FAILS(locum_solver_navier_stokes.check(&c), LOCUM_STUDY);
    CU_ASSERT_PTR_NOT_NULL(strstr(locum_status_message(), "42 or 48"));
    c = flow_config(64, 64);
    c.dimension = 3;
    CHECK_FAILS(locum_solver_navier_stokes.check(&c), LOCUM_STUDY);
    c = flow_config(8, 8);
    c.forcing = LOCUM_NAVIER_STOKES_KOLMOGOROV;
    CHECK_FAILS(locum_solver_navier_stokes.check(&c), LOCUM_STUDY); /* 4 waves of forcing, 2 are kept */
    c.rms_velocity = c.rms_vorticity = 1;
    c.forcing = LOCUM_NAVIER_STOKES_NO_FORCING;
    CHECK_FAILS(locum_solver_navier_stokes.check(&c), LOCUM_STUDY);
    c = flow_config(64, 64);
    c.peak_wavenumber = 5000; /* the norm of its spectrum would take minutes, and the grid keeps nothing of it */
    CHECK_FAILS(locum_solver_navier_stokes.check(&c), LOCUM_STUDY);
    CU_ASSERT_PTR_NOT_NULL(strstr(locum_status_message(), "peak_wavenumber"));
    c = flow_config(64, 64);
    CHECK_OK(locum_solver_navier_stokes.check(&c));
}

/* too large a fixed step ends the run on all ranks with one status, before the numbers overflow */
static void fixed_step_beyond_the_limit_is_refused(void)
{
    locum_navier_stokes_config c = flow_config(64, 64);
    c.step = 0.5;
    flow f;
    CHECK_FAILS(flow_begin(&f, &c, MPI_COMM_WORLD, 1), LOCUM_NUMERIC);
    CU_ASSERT_PTR_NOT_NULL(strstr(locum_status_message(), "Courant number"));
    CU_ASSERT_PTR_NOT_NULL(strstr(locum_status_message(), "step 0, t = 0"));
    flow_end(&f);
}

/* every rank learns of a value that one of them lost, in the very step that lost it */
static void lost_value_ends_its_step(void)
{
    locum_navier_stokes_config c = flow_config(32, 32);
    flow f;
    CHECK_OK(flow_begin(&f, &c, MPI_COMM_WORLD, 1));
    setenv("LOCUM_FAILPOINTS", "ns_nan@4=nan", 1);
    locum_status st = LOCUM_OK;
    int steps = 0;
    while (!st && steps < 10) {
        st = f.type->advance(f.solver, f.state, 10);
        steps++;
    }
    unsetenv("LOCUM_FAILPOINTS");
    CHECK_FAILS(st, LOCUM_NUMERIC);
    CU_ASSERT_EQUAL(steps, 4);
    CU_ASSERT_PTR_NOT_NULL(strstr(locum_status_message(), "navier_stokes: step 4, t = "));
    CU_ASSERT_PTR_NOT_NULL(strstr(locum_status_message(), "vorticity is not finite"));
    flow_end(&f);
}

/* wherever one rank runs out of memory, all ranks answer so, and nobody waits (the sanitizers look for leaks) */
static void memory_failing_on_one_rank_fails_all(void)
{
    int size, rank;
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    locum_failpoint_rank(rank);
    locum_navier_stokes_config c = flow_config(16, 16);
    locum_status st = LOCUM_MEMORY;
    int failures = 0;
    for (int hit = 1; hit < 100 && st; hit++) {
        char list[64];
        flow f;
        snprintf(list, sizeof list, "alloc@%d%%%d=memory", hit, size - 1);
        setenv("LOCUM_FAILPOINTS", list, 1);
        st = flow_begin(&f, &c, MPI_COMM_WORLD, 1);
        unsetenv("LOCUM_FAILPOINTS");
        locum_failpoint("reset"); /* hits count from zero when the list changes */
        CU_ASSERT(st == LOCUM_OK || st == LOCUM_MEMORY);
        failures += st == LOCUM_MEMORY;
        flow_end(&f);
    }
    CU_ASSERT(st == LOCUM_OK);
    CU_ASSERT(failures > 20); /* create and start ask for more pieces than that */
    locum_failpoint_rank(0);
}

/* symmetric_profile: odd multiples of the forcing's wave, sines only; idempotent on the forcing's own shape */
static void symmetric_profile_has_the_symmetries(void)
{
    enum { N = 64, WAVE = 2 };
    locum_navier_stokes_config c = flow_config(N, N);
    c.forcing = LOCUM_NAVIER_STOKES_KOLMOGOROV;
    c.kolmogorov_wavenumber = WAVE;
    flow f;
    CHECK_OK(flow_begin(&f, &c, MPI_COMM_SELF, 5));
    double mean[N], symmetric[N], worst = 0, size = 0;
    const double *profile = flow_observe(&f, "mean_profile");
    memcpy(mean, profile, sizeof mean);
    profile = flow_observe(&f, "symmetric_profile");
    memcpy(symmetric, profile, sizeof symmetric);
    /* the group average itself: shifts by half a wavelength with a sign, and y -> -y with a sign */
    for (int j = 0; j < N; j++) {
        double average = 0;
        for (int s = 0; s < 2 * WAVE; s++) {
            int shift = s * N / (2 * WAVE), sign = s % 2 ? -1 : 1;
            average += sign * (mean[(j + shift) % N] - mean[(2 * N - j - shift) % N]);
        }
        worst = fmax(worst, fabs(symmetric[j] - average / (4 * WAVE)));
        size = fmax(size, fabs(symmetric[j]));
    }
    CHECK_CLOSE(worst, 0, 1e-15);
    CU_ASSERT(size > 1e-3);
    flow_end(&f);
}

/* u averaged over x of the velocity field itself */
static void mean_profile_is_the_mean_of_velocity(void)
{
    locum_navier_stokes_config c = flow_config(36, 50);
    c.mean_flow[0] = 0.25;
    flow f;
    CHECK_OK(flow_begin(&f, &c, MPI_COMM_SELF, 5));
    double mean[50];
    memcpy(mean, flow_observe(&f, "mean_profile"), sizeof mean);
    const double *velocity = flow_observe(&f, "velocity");
    for (int j = 0; j < 50; j++) {
        double sum = 0;
        for (int i = 0; i < 36; i++) sum += velocity[2 * (i * 50 + j)];
        CHECK_CLOSE(mean[j], sum / 36, 1e-14);
    }
    flow_end(&f);
}

FLOW_MPI_MAIN("navier_stokes: initial states and refusals",
              {"a seed gives one peaked field at every resolution", seed_gives_one_peaked_field},
              {"a seed gives one field of Li et al. at every resolution", seed_gives_one_li_field},
              {"the field of Li et al. has the published variance", li_field_has_the_published_variance},
              {"the peaked field has its root mean square", peaked_field_has_its_rms},
              {"the shear layer has its profile", shear_layer_has_its_profile},
              {"the field of a file comes back", field_of_a_file_comes_back},
              {"bad fields are refused with the place", bad_fields_are_refused_with_the_place},
              {"the rounding of single precision is no mean", rounding_of_single_precision_is_no_mean},
              {"forbidden options name what to take instead", forbidden_resolutions_name_the_nearest},
              {"a fixed step beyond the limit is refused", fixed_step_beyond_the_limit_is_refused},
              {"a lost value ends its step on all ranks", lost_value_ends_its_step},
              {"memory that fails on one rank fails on all", memory_failing_on_one_rank_fails_all},
              {"the symmetric profile is the average over the symmetries", symmetric_profile_has_the_symmetries},
              {"the mean profile is the mean of the velocity", mean_profile_is_the_mean_of_velocity})
