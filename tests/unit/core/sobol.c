/* SPDX-License-Identifier: BSD-3-Clause */
/* sobol.c - direction numbers against an independent program, and the net properties that scrambling must keep. */
#include <string.h>

#include "core/random.h"
#include "core/sobol.h"
#include "tests/unit/check.h"

/* From SciPy 1.17.1, scipy.stats.qmc.Sobol(32, scramble=False, bits=32): its last direction number of each dimension,
 * the exclusive-or of all 32, and its point 777 in natural order; times 2^32. */
static const uint32_t last_direction[32] = {
    0x00000001, 0xffffffff, 0xc5005555, 0x50050093, 0xb00ddb9d, 0x40bbbbbb, 0xc0104477, 0x87639641,
    0x84350611, 0x82ff78f1, 0x81d00a2d, 0x87239795, 0x824706d7, 0x261000a3, 0xd91d919d, 0x72c4d755,
    0x9349cb97, 0x1fbefb9d, 0xb400f0eb, 0xf100000b, 0x4103000d, 0x7771000d, 0x86f59009, 0xabcd300d,
    0xe4fc2505, 0xd932110b, 0x49b6c903, 0x4b504b0d, 0x437318d5, 0x323c3f39, 0x225142dd, 0x2f0de0f3};
static const uint32_t all_directions[32] = {
    0xffffffff, 0x00000001, 0x4f00ffff, 0x300cff8d, 0x50050093, 0xc0111111, 0x4070ccdd, 0x84f0027f,
    0x87f305cf, 0x812ad7a7, 0x87629643, 0x84fe76d3, 0x840d0e51, 0xed0cf3ad, 0x2b02b0eb, 0x504f41df,
    0x33cc45bd, 0xd5145157, 0xd91d5079, 0xd0b76ed1, 0xcf013877, 0xa3926ad7, 0x950c6837, 0x3400199b,
    0xe7c54f53, 0xb690cefd, 0x3711477d, 0x8f8f63ff, 0xa9d2170f, 0x0c77e303, 0x694dbd03, 0x8391ef09};
static const uint32_t point_777[32] = {
    0x90c00000, 0x30400000, 0xe4400000, 0x2dc00000, 0x45400000, 0x20c00000, 0xcd400000, 0x38c00000,
    0xb0c00000, 0xda400000, 0x6a400000, 0x6dc00000, 0xfec00000, 0x4bc00000, 0x32400000, 0x83400000,
    0xafc00000, 0xd1c00000, 0xa2400000, 0x40400000, 0x24400000, 0x9c400000, 0x7ec00000, 0xb7c00000,
    0x62c00000, 0x52c00000, 0x55c00000, 0xa4400000, 0x31c00000, 0x94c00000, 0x4f400000, 0x1bc00000};

static void plain_points_are_those_of_joe_and_kuo(void)
{
    for (int d = 0; d < 32; d++) {
        CU_ASSERT_EQUAL(locum_sobol_plain(0x80000000u, d), last_direction[d]);
        CU_ASSERT_EQUAL(locum_sobol_plain(0xffffffffu, d), all_directions[d]);
        CU_ASSERT_EQUAL(locum_sobol_plain(777, d), point_777[d]);
    }
}

static void first_plain_points_are_known(void)
{
    /* eighths, dimensions 1 to 3, by hand from m = (1,1,1), (1,3,5), (1,3,3) */
    static const uint32_t eighths[8][3] = {{0, 0, 0}, {4, 4, 4}, {2, 6, 6}, {6, 2, 2},
                                           {1, 5, 3}, {5, 1, 7}, {3, 3, 5}, {7, 7, 1}};

    for (uint32_t i = 0; i < 8; i++)
        for (int d = 0; d < 3; d++) CU_ASSERT_EQUAL(locum_sobol_plain(i, d), eighths[i][d] << 29);
}

static void each_coordinate_of_scrambled_points_is_stratified(void)
{
    enum { N = 256 };

    for (uint64_t seed = 0; seed < 4; seed++) {
        int count[LOCUM_SOBOL_DIMENSIONS][N] = {{0}};
        for (uint64_t i = 0; i < N; i++) {
            double u[LOCUM_SOBOL_DIMENSIONS];
            CHECK_OK(locum_sobol_point(seed, i, LOCUM_SOBOL_DIMENSIONS, u));
            for (int d = 0; d < LOCUM_SOBOL_DIMENSIONS; d++) {
                CU_ASSERT_FATAL(u[d] > 0 && u[d] < 1);
                count[d][(int)(u[d] * N)]++;
            }
        }
        for (int d = 0; d < LOCUM_SOBOL_DIMENSIONS; d++)
            for (int i = 0; i < N; i++) CU_ASSERT_FATAL(count[d][i] == 1);
    }
}

static void first_two_coordinates_are_a_net_of_quality_zero(void)
{
    enum { M = 10, N = 1 << M };

    for (uint64_t seed = 0; seed < 4; seed++)
        for (int a = 0; a <= M; a++) { /* boxes of 2^-a times 2^-(M-a): one point in each */
            char count[N] = {0};
            for (uint64_t i = 0; i < N; i++) {
                double u[2];
                CHECK_OK(locum_sobol_point(seed, i, 2, u));
                int box = (int)(u[0] * (1 << a)) << (M - a) | (int)(u[1] * (1 << (M - a)));
                CU_ASSERT_FATAL(!count[box]);
                count[box] = 1;
            }
        }
}

static void a_point_depends_on_seed_and_index_alone(void)
{
    double a[4], b[4], c[4];

    CHECK_OK(locum_sobol_point(3, 17, 4, a));
    CHECK_OK(locum_sobol_point(3, 17, 2, b)); /* fewer dimensions: the same coordinates */
    CU_ASSERT(a[0] == b[0] && a[1] == b[1]);
    CHECK_OK(locum_sobol_point(4, 17, 4, c));
    for (int d = 0; d < 4; d++) CU_ASSERT(a[d] != c[d]);
}

static void each_point_is_uniform_over_seeds(void)
{
    enum { SEEDS = 4096 };
    double mean = 0, square = 0, cross = 0;

    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        double u[5];
        CHECK_OK(locum_sobol_point(seed, 5, 5, u));
        mean += u[4] / SEEDS;
        square += u[4] * u[4] / SEEDS;
        cross += u[0] * u[4] / SEEDS;
    }
    CHECK_CLOSE(mean, 0.5, 5 * sqrt(1.0 / 12 / SEEDS)); /* five standard errors */
    CHECK_CLOSE(square, 1.0 / 3, 5 * sqrt(4.0 / 45 / SEEDS));
    CHECK_CLOSE(cross, 0.25, 5 * sqrt((1.0 / 9 - 1.0 / 16) / SEEDS));
}

static double integral_error(int random, uint64_t seed, uint64_t n)
{
    double sum = 0;

    for (uint64_t i = 0; i < n; i++) {
        double u[4], f = 1;
        if (random) {
            locum_random_uniform(seed, LOCUM_STREAM_TEST, 2 * i, u);
            locum_random_uniform(seed, LOCUM_STREAM_TEST, 2 * i + 1, u + 2);
        } else
            CHECK_OK(locum_sobol_point(seed, i, 4, u));
        for (int d = 0; d < 4; d++) f *= 1 + (u[d] - 0.5);
        sum += f;
    }
    return sum / (double)n - 1;
}

static void smooth_integrals_beat_random_points_twentyfold(void)
{
    double sobol = 0, random = 0;

    for (uint64_t seed = 0; seed < 16; seed++) {
        sobol += pow(integral_error(0, seed, 1024), 2);
        random += pow(integral_error(1, seed, 1024), 2);
    }
    /* random: 0.6 / sqrt(1024) = 2e-2; scrambled nets fall like n^-3/2 for smooth f, and already win 100-fold here */
    CU_ASSERT(sqrt(sobol) < sqrt(random) / 20);
}

static void wrong_arguments_are_refused(void)
{
    double u[33];

    CHECK_FAILS(locum_sobol_point(0, 0, 33, u), LOCUM_ARG);
    CHECK_FAILS(locum_sobol_point(0, 0, 0, u), LOCUM_ARG);
    CHECK_FAILS(locum_sobol_point(0, (uint64_t)1 << 32, 1, u), LOCUM_ARG);
    CHECK_OK(locum_sobol_point(0, ((uint64_t)1 << 32) - 1, 32, u));
}

LOCUM_RUN_TESTS("core/sobol",
                {"plain points are those of Joe and Kuo in 32 dimensions", plain_points_are_those_of_joe_and_kuo},
                {"first plain points are known", first_plain_points_are_known},
                {"each coordinate of scrambled points is stratified",
                 each_coordinate_of_scrambled_points_is_stratified},
                {"first two coordinates are a (0, 10, 2)-net", first_two_coordinates_are_a_net_of_quality_zero},
                {"a point depends on seed and index alone", a_point_depends_on_seed_and_index_alone},
                {"each point is uniform over seeds", each_point_is_uniform_over_seeds},
                {"smooth integrals beat random points twentyfold", smooth_integrals_beat_random_points_twentyfold},
                {"wrong arguments are refused", wrong_arguments_are_refused})
