/* SPDX-License-Identifier: BSD-3-Clause */
/* test_arrays.c - AdamW, sum of squares, addition and strided copies at every level. */
#include "tests/unit/kernels/levels.h"

enum { N = 1003 };

static locum_adamw_call adamw_call(float *p, float *m, float *v, const float *g)
{
    return (locum_adamw_call){.n = N,
                              .parameter = p,
                              .moment1 = m,
                              .moment2 = v,
                              .gradient = g,
                              .gradient_scale = 0.7f,
                              .learning_rate = 1e-2f,
                              .beta1 = 0.9f,
                              .beta2 = 0.999f,
                              .epsilon = 1e-8f,
                              .weight_decay = 0.1f};
}

static void twenty_steps_of_adamw_follow_the_reference(void)
{
    FOR_LEVELS(kernels)
    {
        uint64_t state = 1;
        float p[2][N], m[2][N] = {{0}}, v[2][N] = {{0}}, g[N];
        for (int i = 0; i < N; i++) p[0][i] = p[1][i] = random_value(&state);
        for (int t = 1; t <= 20; t++) {
            for (int i = 0; i < N; i++) g[i] = random_value(&state);
            for (int which = 0; which < 2; which++) {
                locum_adamw_call call = adamw_call(p[which], m[which], v[which], g);
                call.correction1 = (float)(1.0 / (1.0 - pow(0.9, t)));
                call.correction2 = (float)(1.0 / (1.0 - pow(0.999, t)));
                (which ? locum_kernels_reference() : kernels)->adamw(&call);
            }
        }
        double worst = 0.0, moment = 0.0, moved = 0.0;
        for (int i = 0; i < N; i++) {
            worst = fmax(worst, fabs((double)p[0][i] - (double)p[1][i]));
            moment = fmax(moment, fabs((double)m[0][i] - (double)m[1][i]) + fabs((double)v[0][i] - (double)v[1][i]));
            moved = fmax(moved, fabs((double)m[1][i]));
        }
        /* a step is at most about 1e-2 x 2 and has 6 roundings; the parameter of size 1 is rounded 20 times to 2^-25 */
        CHECK_CLOSE(worst, 0.0, 20 * 0x1p-24 + 20 * 2e-2 * 6 * 0x1p-24);
        /* 1 - beta2 is rounded in float on one side: relative 2^-24 / 0.001; v < 0.01 */
        CHECK_CLOSE(moment, 0.0, 0.01 * 0x1p-24 / 1e-3 + 8 * 0x1p-24);
        CU_ASSERT(moved > 0.05);
    }
}

static void adamw_gives_the_same_bits_in_one_call_or_many(void)
{
    FOR_LEVELS(kernels)
    {
        uint64_t state = 2;
        float p[2][N], m[2][N], v[2][N], g[N];
        for (int i = 0; i < N; i++) {
            p[0][i] = p[1][i] = random_value(&state), g[i] = random_value(&state);
            m[0][i] = m[1][i] = random_value(&state), v[0][i] = v[1][i] = fabsf(random_value(&state));
        }
        locum_adamw_call whole = adamw_call(p[0], m[0], v[0], g);
        whole.correction1 = 2.0f, whole.correction2 = 3.0f;
        kernels->adamw(&whole);
        for (int first = 0, n = 1; first < N; first += n, n = n * 3 % 17 + 1) {
            locum_adamw_call part = whole;
            part.n = N - first < n ? N - first : n;
            part.parameter = p[1] + first, part.moment1 = m[1] + first, part.moment2 = v[1] + first,
            part.gradient = g + first;
            kernels->adamw(&part);
        }
        CU_ASSERT(memcmp(p[0], p[1], sizeof p[0]) == 0);
        CU_ASSERT(memcmp(m[0], m[1], sizeof m[0]) == 0);
        CU_ASSERT(memcmp(v[0], v[1], sizeof v[0]) == 0);
    }
}

static void sum_of_squares_and_addition(void)
{
    FOR_LEVELS(kernels)
    for (int n = 0; n < 70; n++) {
        uint64_t state = (uint64_t)n;
        guarded x = guarded_create(n, 1, &state), y = guarded_create(n, 3, &state);
        double expected = 0.0;
        for (int i = 0; i < n; i++) expected += (double)x.data[i] * (double)x.data[i];
        CHECK_CLOSE(kernels->sum_squares(n, x.data), expected, 70 * 70 * 0x1p-53); /* n additions in double */
        float sum[70];
        for (int i = 0; i < n; i++) sum[i] = x.data[i] + y.data[i];
        kernels->add(n, x.data, y.data);
        CU_ASSERT(memcmp(sum, y.data, (size_t)n * sizeof(float)) == 0);
        CU_ASSERT(guards_untouched(&y) && guards_untouched(&x));
        guarded_free(&x), guarded_free(&y);
    }
}

typedef struct copy_case {
    int n_dims;
    int64_t n[4], from[4], to[4];
} copy_case;

static void strided_copies_equal_plain_loops(void)
{
    static const copy_case cases[] = {{1, {17}, {1}, {1}},
                                      {2, {7, 9}, {9, 1}, {9, 1}},                       /* merges to one run */
                                      {2, {70, 33}, {1, 70}, {33, 1}},                   /* transpose */
                                      {2, {5, 6}, {0, 1}, {6, 1}},                       /* rows repeated */
                                      {2, {5, 6}, {1, 0}, {6, 1}},                       /* columns repeated */
                                      {3, {4, 5, 6}, {6, 24, 1}, {30, 6, 1}},            /* permuted */
                                      {3, {4, 5, 6}, {30, 1, 5}, {30, 6, 1}},            /* last two transposed */
                                      {4, {3, 4, 5, 2}, {40, 10, 2, 1}, {1, 3, 12, 60}}, /* reversed axes */
                                      {4, {2, 1, 3, 1}, {3, 99, 1, 99}, {1, 99, 2, 99}}, /* dimensions of one value */
                                      {2, {4, 8}, {16, 2}, {8, 1}},                      /* every second value */
                                      {4, {2, 3, 2, 3}, {18, 6, 3, 1}, {48, 12, 4, 1}},  /* into a larger array */
                                      {0, {1}, {1}, {1}},
                                      {2, {0, 5}, {5, 1}, {5, 1}}};
    FOR_LEVELS(kernels)
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const copy_case *c = cases + i;
        uint64_t state = i;
        guarded from = guarded_create(2400, 0, &state), to = guarded_create(2400, 1, &state);
        float expected[2400];
        memcpy(expected, to.data, sizeof expected);
        if (c->n_dims == 0 || c->n[0] > 0)
            locum_kernels_reference()->copy_strided(c->n_dims, c->n, from.data, c->from, expected, c->to);
        kernels->copy_strided(c->n_dims, c->n, from.data, c->from, to.data, c->to);
        CU_ASSERT(memcmp(expected, to.data, sizeof expected) == 0);
        guarded_free(&from), guarded_free(&to);
    }
}

static void a_flip_reads_backwards(void)
{
    FOR_LEVELS(kernels)
    {
        float from[12], to[12];
        for (int i = 0; i < 12; i++) from[i] = (float)i;
        const int64_t n[2] = {3, 4}, f[2] = {4, -1}, t[2] = {4, 1};
        kernels->copy_strided(2, n, from + 3, f, to, t);
        for (int i = 0; i < 12; i++) CU_ASSERT(to[i] == (float)(i / 4 * 4 + 3 - i % 4));
    }
}

static void a_table_is_found_for_every_level_and_never_above_the_processor(void)
{
    for (int level = 0; level <= (int)LOCUM_CPU_AVX512; level++) {
        const locum_kernels *kernels = locum_kernels_for((locum_cpu_level)level);
        CU_ASSERT(kernels != NULL && kernels->level <= locum_cpu_best() && (int)kernels->level <= level);
        CU_ASSERT_STRING_EQUAL(kernels->name, locum_cpu_level_name(kernels->level));
    }
    levels_say_skipped();
}

LOCUM_RUN_TESTS("kernels: arrays",
                {"AdamW = double reference over 20 steps", twenty_steps_of_adamw_follow_the_reference},
                {"AdamW: same bits in one call or many", adamw_gives_the_same_bits_in_one_call_or_many},
                {"sum of squares in double; addition", sum_of_squares_and_addition},
                {"strided copies = plain loops", strided_copies_equal_plain_loops},
                {"negative strides flip", a_flip_reads_backwards},
                {"tables by level", a_table_is_found_for_every_level_and_never_above_the_processor})
