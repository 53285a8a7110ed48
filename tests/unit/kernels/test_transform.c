/* SPDX-License-Identifier: BSD-3-Clause */
/* test_transform.c - a matrix on the rows of x at every level against the double reference, its bits, and what it leaves
 * alone. Tolerance of a sum: as in test_product.c, 4 sqrt(n + 4) 2^-24 (n / 4 + 2). */
#include "tests/unit/kernels/levels.h"

static const int64_t m_n_t[][3] = {{1, 1, 1},   {2, 3, 2},   {5, 7, 3},   {24, 64, 32}, {6, 9, 16},  {13, 5, 17},
                                   {12, 8, 40}, {48, 33, 9}, {25, 31, 7}, {64, 24, 33}, {7, 300, 8}, {31, 600, 70}};
#define COUNT(x) ((int)(sizeof(x) / sizeof(x)[0]))

typedef struct transform_data {
    guarded f, x, y, start;
    int64_t m, n, t;
} transform_data;

static transform_data data_create(const int64_t *size, uint64_t *state)
{
    transform_data d = {.m = size[0], .n = size[1], .t = size[2]};
    d.f = guarded_create(d.m * d.n, 1, state);
    d.x = guarded_create(d.n * d.t, 3, state);
    d.y = guarded_create(d.m * d.t, 2, state);
    d.start = guarded_create(d.m * d.t, 0, state);
    return d;
}

static void data_free(transform_data *d)
{
    guarded_free(&d->f), guarded_free(&d->x), guarded_free(&d->y), guarded_free(&d->start);
}

static void run(const locum_kernels *kernels, transform_data *d, int accumulate, locum_activation activation)
{
    memcpy(d->y.data, d->start.data, (size_t)(d->m * d->t) * sizeof(float));
    kernels->transform(&(locum_transform_call){.m = d->m,
                                               .n = d->n,
                                               .t = d->t,
                                               .f = d->f.data,
                                               .x = d->x.data,
                                               .y = d->y.data,
                                               .accumulate = accumulate,
                                               .activation = activation});
}

static float *copy_of(const transform_data *d)
{
    float *copy = malloc((size_t)(d->m * d->t) * sizeof *copy);
    memcpy(copy, d->y.data, (size_t)(d->m * d->t) * sizeof *copy);
    return copy;
}

static void equals_the_reference(void)
{
    uint64_t state = 11;
    levels_say_skipped();
    for (int i = 0; i < COUNT(m_n_t); i++)
        for (int kind = 0; kind < 4; kind++) {
            transform_data d = data_create(m_n_t[i], &state);
            const int accumulate = kind & 1;
            const locum_activation activation = kind & 2 ? LOCUM_ACT_GELU : LOCUM_ACT_NONE;
            const double n = (double)d.n, tolerance = 4 * sqrt(n + 4) * 0x1p-24 * (0.25 * n + 2);
            run(locum_kernels_reference(), &d, accumulate, activation);
            float *expected = copy_of(&d);
            FOR_LEVELS(kernels)
            {
                double worst = 0;
                run(kernels, &d, accumulate, activation);
                for (int64_t k = 0; k < d.m * d.t; k++) worst = fmax(worst, fabs((double)d.y.data[k] - expected[k]));
                CHECK_CLOSE(worst, 0, tolerance); /* gelu: slope at most 1.13, and its own 4 ulp of values below n */
                CU_ASSERT(guards_untouched(&d.y) && guards_untouched(&d.x) && guards_untouched(&d.f));
            }
            free(expected);
            data_free(&d);
        }
}

/* a row's bits do not depend on how many rows there are; a column's not on how many columns */
static void bits_do_not_depend_on_neighbours(void)
{
    static const int64_t size[] = {29, 70, 37};
    uint64_t state = 3;
    FOR_LEVELS(kernels)
    {
        transform_data d = data_create(size, &state);
        run(kernels, &d, 1, LOCUM_ACT_NONE);
        float *all = copy_of(&d), one[37], column[70];
        for (int64_t r = 0; r < d.m; r++) {
            memcpy(one, d.start.data + r * d.t, sizeof one);
            kernels->transform(&(locum_transform_call){
                .m = 1, .n = d.n, .t = d.t, .f = d.f.data + r * d.n, .x = d.x.data, .y = one, .accumulate = 1});
            CU_ASSERT(memcmp(one, all + r * d.t, sizeof one) == 0);
        }
        for (int64_t t = 0; t < d.t; t++) {
            for (int64_t p = 0; p < d.n; p++) column[p] = d.x.data[p * d.t + t];
            for (int64_t r = 0; r < d.m; r++) one[r] = d.start.data[r * d.t + t];
            kernels->transform(&(locum_transform_call){
                .m = d.m, .n = d.n, .t = 1, .f = d.f.data, .x = column, .y = one, .accumulate = 1});
            for (int64_t r = 0; r < d.m; r++) CU_ASSERT(one[r] == all[r * d.t + t]);
        }
        free(all);
        data_free(&d);
    }
}

/* y = gelu(1 x), over all that is not 0 or x: 7e-8 is the bound of elementary.h, 4 ulp that of all functions there */
static void gelu_loses_nothing_on_either_side(void)
{
    enum { COUNT_X = 160001 };
    static float x[COUNT_X], y[COUNT_X];
    const float one = 1;
    for (int i = 0; i < COUNT_X; i++) x[i] = (float)(i - COUNT_X / 2) * 1e-4f;
    FOR_LEVELS(kernels)
    {
        double off = 0, most_ulps = 0;
        kernels->transform(&(locum_transform_call){
            .m = 1, .n = 1, .t = COUNT_X, .f = &one, .x = x, .y = y, .activation = LOCUM_ACT_GELU});
        for (int i = 0; i < COUNT_X; i++) {
            const double exact = 0.5 * (double)x[i] * erfc(-(double)x[i] * M_SQRT1_2);
            if (x[i] < 0) off = fmax(off, fabs(y[i] - exact));
            if (x[i] > 0) most_ulps = fmax(most_ulps, ulps(y[i], exact));
        }
        CHECK_CLOSE(off, 0, 7e-8);
        CHECK_CLOSE(most_ulps, 0, 4);
        kernels->unary(LOCUM_TILE_NORMAL, COUNT_X, x, y);
        for (int i = 0; i < COUNT_X; i++) CU_ASSERT(fabs(y[i] - 0.5 * erfc(-(double)x[i] * M_SQRT1_2)) <= 2e-7);
    }
}

LOCUM_RUN_TESTS("transform", {"values are those of the reference at every level", equals_the_reference},
                {"bits of a value do not depend on its neighbours", bits_do_not_depend_on_neighbours},
                {"gelu: 7e-8 below 0, 4 ulp above", gelu_loses_nothing_on_either_side})
