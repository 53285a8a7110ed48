/* SPDX-License-Identifier: BSD-3-Clause */
/* test_darcy_initial.c - the media: their values, their statistics, the same one at every resolution; what is refused;
 * frames of another resolution. */
#include "tests/physics/darcy/medium.h"

#define PI 3.141592653589793238

/* starts a sample without solving it */
static locum_status begin(medium *m, const locum_darcy_config *config, uint64_t seed, const locum_frame *initial)
{
    return medium_begin(m, config, MPI_COMM_WORLD, seed, initial);
}

static void a_thresholded_medium_has_two_values(void)
{
    enum { N = 64 };
    medium m;
    locum_darcy_config c = medium_config(N);
    CHECK_OK(begin(&m, &c, 4, NULL));
    const double *a = medium_observe(&m, "coefficient");
    int high = 0;
    for (int i = 0; i < N * N; i++) {
        high += a[i] == 12;
        CU_ASSERT_FATAL(a[i] == 12 || a[i] == 3);
    }
    CU_ASSERT(high > N * N / 10 && high < N * N * 9 / 10); /* the field has no mean: neither value is rare */
    medium_end(&m);
}

/* the centre of cell i of n is that of cell 3 i + 1 of 3 n */
static void a_seed_is_the_same_medium_at_every_resolution(void)
{
    enum { N = 30 };
    medium coarse, fine;
    for (int initial = LOCUM_DARCY_THRESHOLDED; initial <= LOCUM_DARCY_LOGNORMAL; initial++) {
        locum_darcy_config c = medium_config(N), f = medium_config(3 * N);
        c.initial = f.initial = initial;
        CHECK_OK(begin(&coarse, &c, 9, NULL));
        CHECK_OK(begin(&fine, &f, 9, NULL));
        const double *a = medium_observe(&coarse, "coefficient"), *b = medium_observe(&fine, "coefficient");
        double worst = 0;
        for (int i = 0; i < N * N; i++)
            worst = fmax(worst, fabs(a[i] / b[(3 * (i / N) + 1) * 3 * N + 3 * (i % N) + 1] - 1));
        CHECK_CLOSE(worst, 0, 1e-11); /* sums of 65,536 cosines that differ in their last bits */
        medium_end(&coarse);
        medium_end(&fine);
    }
}

/* log a is the Gaussian field; its coefficient of 2 cos(k pi x) cos(l pi y) on as many cells as waves is exact */
static void the_gaussian_field_has_the_stated_variance(void)
{
    enum { N = 16, SEEDS = 2000 };
    medium m;
    double first = 0, higher = 0, whole = 0, total = 0;
    locum_darcy_config c = medium_config(N);
    c.initial = LOCUM_DARCY_LOGNORMAL;
    c.waves = N;
    c.deviation = 0.5;
    for (int k = 0; k < N; k++)
        for (int l = 0; l < N; l++)
            if (k || l) total += pow(PI * PI * (k * k + l * l) + 9, -2);
    CHECK_OK(begin(&m, &c, 0, NULL));
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        locum_sample sample = {.seed = seed, .config = &m.config};
        CHECK_OK(m.type->start(m.solver, &sample, &m.state));
        const double *a = medium_observe(&m, "coefficient");
        double one = 0, two = 0;
        for (int i = 0; i < N * N; i++) {
            double g = log(a[i]) / (N * N), x = (i / N + 0.5) / N, y = (i % N + 0.5) / N;
            one += g * sqrt(2) * cos(PI * x);
            two += g * 2 * cos(3 * PI * x) * cos(2 * PI * y);
            whole += g * log(a[i]);
        }
        first += one * one;
        higher += two * two;
    }
    /* chi-squared with 2,000 degrees: relative deviation sqrt(2 / 2000) = 0.032, four of them */
    CHECK_CLOSE(first / SEEDS, 0.25 * pow(PI * PI + 9, -2) / total, 0.13 * 0.25 * pow(PI * PI + 9, -2) / total);
    CHECK_CLOSE(higher / SEEDS / (0.25 * pow(13 * PI * PI + 9, -2) / total), 1, 0.13);
    CHECK_CLOSE(whole / SEEDS, 0.25, 0.13 * 0.25);
    medium_end(&m);
}

static double wrong_sign(double x, double y)
{
    return x > 0.6 && y > 0.6 ? -1 : 1;
}

static double one(double x, double y)
{
    (void)x;
    (void)y;
    return 1;
}

static void media_that_are_none_are_refused_with_their_place(void)
{
    medium m;
    medium_fields fields;
    locum_darcy_config c = medium_config(10);
    CHECK_FAILS(begin(&m, &c, 1, medium_frame(&fields, 10, wrong_sign, NULL)), LOCUM_INPUT);
    CU_ASSERT(strstr(locum_status_message(), "coefficient[6, 6] is -1") != NULL);
    medium_end(&m);
    medium_free(&fields);
    CHECK_FAILS(begin(&m, &c, 1, medium_frame(&fields, 12, one, NULL)), LOCUM_INPUT);
    CU_ASSERT(strstr(locum_status_message(), "12 x 12") != NULL);
    medium_end(&m);
    medium_free(&fields);
    c.initial = LOCUM_DARCY_FILE;
    CHECK_FAILS(begin(&m, &c, 1, NULL), LOCUM_INPUT);
    medium_end(&m);
}

static void configs_that_cannot_be_are_refused(void)
{
    locum_darcy_config c = medium_config(3);
    CHECK_FAILS(locum_solver_darcy.check(&c), LOCUM_STUDY);
    c = medium_config(16);
    CHECK_OK(locum_solver_darcy.check(&c));
    c.high = 0;
    CHECK_FAILS(locum_solver_darcy.check(&c), LOCUM_STUDY);
    c = medium_config(16);
    c.initial = LOCUM_DARCY_CONSTANT;
    c.value = -1;
    CHECK_FAILS(locum_solver_darcy.check(&c), LOCUM_STUDY);
    c = medium_config(16);
    medium_option(&c, "-ksp_type cg");
    CHECK_FAILS(locum_solver_darcy.check(&c), LOCUM_STUDY);
    CU_ASSERT(strstr(locum_status_message(), "without the dash") != NULL);
}

/* ---- resampling ---- */

static double parabola(double x, double y)
{
    return x * (1 - x) * y * (1 - y);
}

/* an array of a frame of n x n cells, brought to m x m */
static locum_status bring(medium *to, const char *name, int n, medium_function function, medium_fields *fields)
{
    locum_darcy_config c = medium_config((int)to->config.resolution);
    memset(to->blocks, 0, sizeof to->blocks);
    to->type = &locum_solver_darcy;
    to->frame.blocks = to->blocks;
    medium_frame(fields, n, function, NULL);
    fields->arrays[0].name = name;
    locum_status st = to->type->create(&c, NULL, MPI_COMM_WORLD, &to->solver);
    return st ? st : to->type->resample(to->solver, &fields->frame, &to->frame);
}

static double checks(double x, double y)
{
    return floor(421 * x) + 1000 * floor(421 * y) + 1;
}

static void a_coefficient_is_that_of_the_cell_with_the_centre(void)
{
    medium m = {.config = {.resolution = 85}};
    medium_fields fields;
    CHECK_OK(bring(&m, "coefficient", 421, checks, &fields));
    const double *a = m.blocks[medium_array(&m, "coefficient")].data;
    for (int i = 0; i < 85; i++)
        for (int j = 0; j < 85; j++) {
            /* centre (2 i + 1) / 170 lies in cell floor(421 (2 i + 1) / 170) */
            double expected = (2 * i + 1) * 421 / 170 + 1000 * ((2 * j + 1) * 421 / 170) + 1;
            CU_ASSERT_FATAL(a[i * 85 + j] == expected);
        }
    medium_end(&m);
    medium_free(&fields);
}

static void a_solution_is_brought_to_other_cells_to_second_order(void)
{
    static const int from[] = {421, 200, 40}; /* finer, and coarser than 85: then the walls are used */
    double error[3];
    for (int i = 0; i < 3; i++) {
        medium m = {.config = {.resolution = 85}};
        medium_fields fields;
        CHECK_OK(bring(&m, "solution", from[i], parabola, &fields));
        const double *u = m.blocks[medium_array(&m, "solution")].data;
        error[i] = 0;
        for (int k = 0; k < 85 * 85; k++)
            error[i] = fmax(error[i], fabs(u[k] - parabola((k / 85 + 0.5) / 85, (k % 85 + 0.5) / 85)));
        /* linear interpolation of a parabola: h^2 / 8 times |u_xx| + |u_yy| <= 1 */
        CHECK_CLOSE(error[i], 0, 0.125 / (from[i] * from[i]));
        medium_end(&m);
        medium_free(&fields);
    }
    CU_ASSERT(error[2] > error[1] && error[1] > error[0]);
}

static void the_same_cells_are_copied(void)
{
    medium m = {.config = {.resolution = 20}};
    medium_fields fields;
    CHECK_OK(bring(&m, "solution", 20, parabola, &fields));
    CU_ASSERT(!memcmp(m.blocks[medium_array(&m, "solution")].data, fields.values[0], 400 * sizeof(double)));
    medium_end(&m);
    medium_free(&fields);
}

MEDIUM_MAIN("darcy, media", {"a thresholded medium has two values", a_thresholded_medium_has_two_values},
            {"a seed is the same medium at every resolution", a_seed_is_the_same_medium_at_every_resolution},
            {"the Gaussian field has the stated variance", the_gaussian_field_has_the_stated_variance},
            {"media that are none are refused with their place", media_that_are_none_are_refused_with_their_place},
            {"configs that cannot be are refused", configs_that_cannot_be_are_refused},
            {"a coefficient is that of the cell with the centre", a_coefficient_is_that_of_the_cell_with_the_centre},
            {"a solution is brought to other cells to second order",
             a_solution_is_brought_to_other_cells_to_second_order},
            {"the same cells are copied", the_same_cells_are_copied})
