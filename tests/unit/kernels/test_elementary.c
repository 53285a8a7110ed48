/* SPDX-License-Identifier: BSD-3-Clause */
/* test_elementary.c - each elementwise operator against libm in double: every 5209th float of the whole range (820,000
 * values: both signs, all exponents, denormals) and 500,000 random ones where results vary most, plus special values.
 */
#include "tests/unit/kernels/levels.h"

#define CHUNK 4099 /* odd, so that the last values of a run pass too */

typedef struct operator_case {
    const char *name;
    locum_tile_op op;
    double tolerance; /* units in the last place */
    float low, high;  /* where results vary most */
} operator_case;

/* Measured largest errors in ulp, both levels: exp 0.98, log 0.81, tanh 3.38 (all floats; 3.0 in this sample),
 * sigmoid 2.11, softplus 2.34, erf 1.20, sin 1.53, cos 1.53. The claim of elementary.h is 4, the tolerances are the
 * measured errors and a little room for another compiler; square root and reciprocal are single instructions and
 * correctly rounded. */
static const operator_case cases[] = {{"exp", LOCUM_TILE_EXP, 2.0, -104.0f, 89.0f},
                                      {"log", LOCUM_TILE_LOG, 2.0, 0.0f, 4.0f},
                                      {"tanh", LOCUM_TILE_TANH, 3.5, -10.0f, 10.0f},
                                      {"sigmoid", LOCUM_TILE_SIGMOID, 3.0, -104.0f, 20.0f},
                                      {"softplus", LOCUM_TILE_SOFTPLUS, 3.0, -104.0f, 20.0f},
                                      {"erf", LOCUM_TILE_ERF, 2.0, -4.2f, 4.2f},
                                      {"sin", LOCUM_TILE_SIN, 2.0, -100.0f, 100.0f},
                                      {"cos", LOCUM_TILE_COS, 2.0, -100.0f, 100.0f},
                                      {"sqrt", LOCUM_TILE_SQRT, 0.5, 0.0f, 4.0f},
                                      {"reciprocal", LOCUM_TILE_RECIPROCAL, 0.5, -4.0f, 4.0f},
                                      {"neg", LOCUM_TILE_NEG, 0.0, -1.0f, 1.0f},
                                      {"abs", LOCUM_TILE_ABS, 0.0, -1.0f, 1.0f},
                                      {"sign", LOCUM_TILE_SIGN, 0.0, -1.0f, 1.0f}};
#define N_CASES ((int)(sizeof cases / sizeof cases[0]))

static double expected(const operator_case *c, double x)
{
    switch (c->op) {
    case LOCUM_TILE_EXP: return exp(x);
    case LOCUM_TILE_LOG: return log(x);
    case LOCUM_TILE_TANH: return tanh(x);
    case LOCUM_TILE_SIGMOID: return 1.0 / (1.0 + exp(-x));
    case LOCUM_TILE_SOFTPLUS: return x > 0.0 ? x + log1p(exp(-x)) : log1p(exp(x));
    case LOCUM_TILE_ERF: return erf(x);
    case LOCUM_TILE_SIN: return sin(x);
    case LOCUM_TILE_COS: return cos(x);
    case LOCUM_TILE_SQRT: return sqrt(x);
    case LOCUM_TILE_RECIPROCAL: return 1.0 / x;
    case LOCUM_TILE_NEG: return -x;
    case LOCUM_TILE_ABS: return fabs(x);
    default: return x > 0.0 ? 1.0 : x < 0.0 ? -1.0 : x;
    }
}

static float from_bits(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

typedef struct worst {
    double error;
    float at;
} worst;

static void compare(const locum_kernels *kernels, const operator_case *c, int64_t n, const float *x, worst *w)
{
    static float y[CHUNK];
    kernels->unary(c->op, n, x, y);
    for (int64_t i = 0; i < n; i++) {
        double error = ulps(y[i], expected(c, (double)x[i]));
        if (!(error <= w->error)) *w = (worst){error, x[i]};
    }
}

static void check_worst(const locum_kernels *kernels, const operator_case *c, const char *where, worst w)
{
    int fine = w.error <= c->tolerance * check_scale();
    if (!fine || getenv("LOCUM_TEST_VERBOSE"))
        printf("\n    %s %s, %s: %.3f ulp at %.9g (allowed %g)", kernels->name, c->name, where, w.error, (double)w.at,
               c->tolerance);
    CU_ASSERT(fine);
}

static void all_exponents_and_both_signs_within_tolerance(void)
{
    static float x[CHUNK];
    FOR_LEVELS(kernels)
    for (int i = 0; i < N_CASES; i++) {
        worst w = {0};
        uint64_t bits = (uint64_t)i;
        while (bits < 0x100000000ull) {
            int64_t n = 0;
            for (; n < CHUNK && bits < 0x100000000ull; bits += 5209 + 2 * (uint64_t)level_)
                x[n++] = from_bits((uint32_t)bits);
            compare(kernels, cases + i, n, x, &w);
        }
        check_worst(kernels, cases + i, "all floats", w);
    }
    levels_say_skipped();
}

static void the_range_where_results_vary_within_tolerance(void)
{
    static float x[CHUNK];
    FOR_LEVELS(kernels)
    for (int i = 0; i < N_CASES; i++) {
        uint64_t state = 7;
        worst w = {0};
        for (int chunk = 0; chunk < 120; chunk++) {
            for (int j = 0; j < CHUNK; j++)
                x[j] = cases[i].low + (cases[i].high - cases[i].low) * (0.5f + 0.5f * random_value(&state));
            compare(kernels, cases + i, CHUNK, x, &w);
        }
        check_worst(kernels, cases + i, "inner range", w);
    }
}

/* sin and cos where cancellation is worst: next to multiples of pi/2, up to the largest floats */
static void sines_near_multiples_of_half_pi_keep_their_digits(void)
{
    FOR_LEVELS(kernels)
    for (int i = 0; i < N_CASES; i++) {
        if (cases[i].op != LOCUM_TILE_SIN && cases[i].op != LOCUM_TILE_COS) continue;
        worst w = {0};
        for (double n = 1; n < 2e8; n = n < 1000 ? n + 1 : floor(n * 1.01)) {
            float x[3] = {(float)(n * 1.57079632679489661923)};
            x[1] = nextafterf(x[0], 0.0f), x[2] = nextafterf(x[0], INFINITY);
            compare(kernels, cases + i, 3, x, &w);
        }
        const float large[4] = {3.4e38f, -1e30f, 999999.9f, 1000000.1f};
        compare(kernels, cases + i, 4, large, &w);
        check_worst(kernels, cases + i, "near multiples of pi/2", w);
    }
}

static void special_values_give_what_the_mathematics_says(void)
{
    const float special[] = {0.0f,    -0.0f,           INFINITY,      -INFINITY,      NAN,      -NAN,     1e-45f,
                             -1e-45f, 1.17549435e-38f, 3.4028235e38f, -3.4028235e38f, 88.7228f, 88.7229f, -103.9f,
                             -104.1f, 9.02f,           -9.02f,        1.0f,           -1.0f};
    const int n = sizeof special / sizeof special[0];
    FOR_LEVELS(kernels)
    for (int i = 0; i < N_CASES; i++) {
        worst w = {0};
        compare(kernels, cases + i, n, special, &w);
        check_worst(kernels, cases + i, "special values", w);
        float zero[2] = {0.0f, -0.0f}, y[2];
        kernels->unary(cases[i].op, 2, zero, y);
        if (y[0] == 0.0f &&
            cases[i].op != LOCUM_TILE_TANH) /* odd functions keep the sign of zero; tanh says that it does not */
            CU_ASSERT(!signbit(y[1]) == !signbit(expected(cases + i, -0.0)));
    }
}

static void bounded_functions_stay_in_their_bounds(void)
{
    FOR_LEVELS(kernels)
    {
        uint64_t state = 3;
        float x[CHUNK], y[CHUNK];
        for (int i = 0; i < CHUNK; i++) x[i] = 12.0f * random_value(&state);
        locum_tile_op ops[3] = {LOCUM_TILE_TANH, LOCUM_TILE_ERF, LOCUM_TILE_SIGMOID};
        for (int o = 0; o < 3; o++) {
            kernels->unary(ops[o], CHUNK, x, y);
            for (int i = 0; i < CHUNK; i++) CU_ASSERT(fabsf(y[i]) <= 1.0f);
        }
    }
}

static void a_value_has_the_same_bits_wherever_it_stands(void)
{
    FOR_LEVELS(kernels)
    for (int i = 0; i < N_CASES; i++) {
        uint64_t state = 11;
        float x[37], y[37], one;
        for (int j = 0; j < 37; j++) x[j] = 3.0f * random_value(&state);
        kernels->unary(cases[i].op, 37, x, y);
        for (int j = 0; j < 37; j++) {
            kernels->unary(cases[i].op, 1, x + j, &one);
            CU_ASSERT(memcmp(&one, y + j, sizeof one) == 0);
        }
    }
}

LOCUM_RUN_TESTS("kernels: elementary functions",
                {"every exponent, both signs", all_exponents_and_both_signs_within_tolerance},
                {"the range where results vary", the_range_where_results_vary_within_tolerance},
                {"sin and cos next to multiples of pi/2", sines_near_multiples_of_half_pi_keep_their_digits},
                {"zero, infinity, NaN, denormal and limiting arguments", special_values_give_what_the_mathematics_says},
                {"tanh, erf, sigmoid never leave [-1, 1]", bounded_functions_stay_in_their_bounds},
                {"bits do not depend on the place in a run", a_value_has_the_same_bits_wherever_it_stands})
