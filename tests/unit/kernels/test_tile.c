/* SPDX-License-Identifier: BSD-3-Clause */
/* test_tile.c - tile programs at every level: each operator, 400 random programs over random streams against the double
 * reference, in-place programs, the sums and their splits, and what is left alone. */
#include "tests/unit/kernels/levels.h"

enum { VALUES = LOCUM_TILE_REGISTERS * LOCUM_TILE_VALUES };
static float scratch[VALUES] __attribute__((aligned(64)));

#define STEP(OP, DST, A, B, C, X, Y)        \
    {                                       \
        LOCUM_TILE_##OP, DST, A, B, C, X, Y \
    }

static void run(const locum_kernels *kernels, const locum_tile_step *steps, int n_steps,
                const locum_tile_stream *streams, int64_t rows, int64_t columns)
{
    for (int i = 0; i < VALUES; i++) scratch[i] = NAN; /* nothing may be read before it is written */
    kernels->tile(&(locum_tile_call){
        .steps = steps, .n_steps = n_steps, .streams = streams, .rows = rows, .columns = columns, .scratch = scratch});
}

/* --- random programs
 * ------------------------------------------------------------------------------------------------------- */
enum { INPUTS = 4, PROGRAM = 24 };

typedef struct program {
    locum_tile_step steps[PROGRAM];
    int n_steps, n_sums;
} program;

/* Operators whose derivatives are bounded on the values that occur, so that rounding errors are not blown up. */
static const uint8_t smooth_ops[] = {
    LOCUM_TILE_NEG,     LOCUM_TILE_TANH,    LOCUM_TILE_SIGMOID,      LOCUM_TILE_ERF,
    LOCUM_TILE_SIN,     LOCUM_TILE_COS,     LOCUM_TILE_SOFTPLUS,     LOCUM_TILE_ABS,
    LOCUM_TILE_SCALE,   LOCUM_TILE_ADD,     LOCUM_TILE_SUBTRACT,     LOCUM_TILE_MULTIPLY,
    LOCUM_TILE_MAXIMUM, LOCUM_TILE_MINIMUM, LOCUM_TILE_MULTIPLY_ADD, LOCUM_TILE_SELECT};

/* Loads of the inputs, then random operators, each kept in [-1, 1] by a sine; ends with a store and perhaps sums.
 * Streams: inputs 0 to 3, stored 4, column sums 5, row sums 6. */
static program random_program(uint64_t *state, int sums)
{
    program p = {0};
    int reg = 0;
    for (int i = 0; i < INPUTS; i++, reg++)
        p.steps[p.n_steps++] = (locum_tile_step){.op = LOCUM_TILE_LOAD, .dst = (uint8_t)reg, .a = (uint8_t)i};
    for (int i = 0; i < 6; i++) {
        uint8_t from[3];
        for (int j = 0; j < 3; j++) from[j] = (uint8_t)(random_bits(state) % (unsigned)reg);
        uint8_t op = smooth_ops[random_bits(state) % sizeof smooth_ops];
        uint8_t dst = random_bits(state) % 3 ? (uint8_t)reg++ : from[0]; /* sometimes over an operand */
        p.steps[p.n_steps++] = (locum_tile_step){op, dst, from[0], from[1], from[2], 0.75f, -0.25f};
        p.steps[p.n_steps++] = (locum_tile_step){.op = LOCUM_TILE_SIN, .dst = dst, .a = dst};
        if (i == 5) {
            p.steps[p.n_steps++] = (locum_tile_step){.op = LOCUM_TILE_STORE, .a = 4, .b = dst};
            if (sums & 1) p.steps[p.n_steps++] = (locum_tile_step){.op = LOCUM_TILE_SUM_COLUMNS, .a = 5, .b = dst};
            if (sums & 2) p.steps[p.n_steps++] = (locum_tile_step){.op = LOCUM_TILE_SUM_ROWS, .a = 6, .b = dst};
        }
    }
    return p;
}

typedef struct arrays {
    guarded g[7];
    locum_tile_stream streams[7];
} arrays;

static arrays random_arrays(uint64_t *state, int64_t rows, int64_t columns)
{
    arrays a;
    for (int i = 0; i < 7; i++) {
        int64_t stride = columns + (random_bits(state) % 3 == 0 ? 5 : 0), n = rows * stride;
        locum_tile_stream s = {NULL, stride, 1};
        unsigned kind = i < INPUTS ? random_bits(state) % 6 : 0;
        if (i == 5 || kind == 1) s = (locum_tile_stream){NULL, 0, 1}, n = columns;
        if (i == 6 || kind == 2) s = (locum_tile_stream){NULL, 1, 0}, n = rows;
        if (kind == 3) s = (locum_tile_stream){NULL, 0, 0}, n = 1;
        if (kind == 4) s = (locum_tile_stream){NULL, 1, rows}, n = rows * columns; /* transposed */
        a.g[i] = guarded_create(n, (int)(random_bits(state) % 4), state);
        a.streams[i] = s;
        a.streams[i].data = a.g[i].data;
        if (i == 4) guard_gaps(&a.g[4], rows, columns, stride);
    }
    return a;
}

static arrays arrays_copy(const arrays *from)
{
    arrays a = *from;
    for (int i = 0; i < 7; i++) {
        uint64_t state = 0;
        a.g[i] = guarded_create(from->g[i].n, 0, &state);
        memcpy(a.g[i].data, from->g[i].data, (size_t)from->g[i].n * sizeof(float));
        a.streams[i].data = a.g[i].data;
    }
    return a;
}

static void arrays_free(arrays *a)
{
    for (int i = 0; i < 7; i++) guarded_free(&a->g[i]);
}

static double worst_difference(const guarded *x, const guarded *y)
{
    double worst = 0.0;
    for (int64_t i = 0; i < x->n; i++) {
        if (is_guard(x->data[i]) && is_guard(y->data[i])) continue;
        double error = fabs((double)x->data[i] - (double)y->data[i]);
        if (!(error <= worst)) worst = error;
    }
    return worst;
}

static const int64_t shapes[][2] = {{1, 1},  {1, 7},   {1, 1024}, {1, 2500}, {7, 1},    {8, 64},   {9, 64},
                                    {63, 5}, {64, 64}, {65, 33},  {2000, 1}, {3, 1025}, {40, 300}, {129, 128}};
#define N_SHAPES ((int)(sizeof shapes / sizeof shapes[0]))

static void random_programs_equal_the_reference(void)
{
    FOR_LEVELS(kernels)
    for (int trial = 0; trial < 400; trial++) {
        uint64_t state = (uint64_t)trial * 77 + 1;
        int64_t rows = shapes[trial % N_SHAPES][0], columns = shapes[trial % N_SHAPES][1];
        program p = random_program(&state, trial / N_SHAPES % 4);
        arrays fast = random_arrays(&state, rows, columns), slow = arrays_copy(&fast);
        run(kernels, p.steps, p.n_steps, fast.streams, rows, columns);
        run(locum_kernels_reference(), p.steps, p.n_steps, slow.streams, rows, columns);
        /* 12 operators, each adding up to 3 ulp of a value below 1; sines shrink errors: measured 1.8e-7 in the worst
         * program */
        double value = 12 * 3 * 0x1p-24;
        CHECK_CLOSE(worst_difference(&fast.g[4], &slow.g[4]), 0.0, value);
        /* a sum of n values: their errors, and sqrt(n) roundings of a partial sum of at most n */
        CHECK_CLOSE(worst_difference(&fast.g[5], &slow.g[5]), 0.0,
                    value * sqrt((double)rows) + 0x1p-24 * (double)rows * sqrt((double)rows));
        CHECK_CLOSE(worst_difference(&fast.g[6], &slow.g[6]), 0.0, value * (double)columns);
        for (int i = 0; i < 7; i++) CU_ASSERT(guards_untouched(&fast.g[i]));
        CU_ASSERT(gaps_untouched(&fast.g[4], rows, columns, fast.streams[4].row_stride));
        for (int i = 0; i < INPUTS; i++)
            CU_ASSERT(memcmp(fast.g[i].data, slow.g[i].data, (size_t)fast.g[i].n * 4) == 0);
        arrays_free(&fast), arrays_free(&slow);
    }
}

/* The operators that the random programs leave out, on arguments where they are smooth. */
static void each_remaining_operator_equals_the_reference(void)
{
    static const locum_tile_step ops[] = {
        STEP(EXP, 3, 0, 0, 0, 0, 0),        STEP(LOG, 3, 2, 0, 0, 0, 0),       STEP(SQRT, 3, 2, 0, 0, 0, 0),
        STEP(RECIPROCAL, 3, 2, 0, 0, 0, 0), STEP(SIGN, 3, 0, 0, 0, 0, 0),      STEP(POWER, 3, 2, 0, 0, 1.7f, 0),
        STEP(POWER, 3, 2, 0, 0, -0.5f, 0),  STEP(POWER, 3, 2, 0, 0, 2.0f, 0),  STEP(POWER, 3, 0, 0, 0, 3.0f, 0),
        STEP(POWER, 3, 2, 0, 0, 0.5f, 0),   STEP(POWER, 3, 0, 0, 0, -1.0f, 0), STEP(POWER, 3, 0, 0, 0, 4.0f, 0),
        STEP(POWER, 3, 0, 0, 0, 1.5f, 0),   STEP(POWER, 3, 0, 0, 0, 0.0f, 0),  STEP(DIVIDE, 3, 0, 2, 0, 0, 0),
        STEP(GREATER, 3, 0, 1, 0, 0, 0),    STEP(SELECT, 3, 1, 0, 2, 0, 0),    STEP(CONST, 3, 0, 0, 0, 0.3f, 0)};
    FOR_LEVELS(kernels)
    for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++) {
        uint64_t state = i;
        enum { N = 1500 };
        guarded x = guarded_create(N, 1, &state), z = guarded_create(N, 1, &state), u = guarded_create(N, 1, &state);
        float y[2][N];
        for (int j = 0; j < N; j++)
            u.data[j] = fabsf(u.data[j]) * 3.0f + 0x1p-20f, z.data[j] = j % 5 ? z.data[j] : 0.0f;
        locum_tile_stream streams[4] = {{x.data, N, 1}, {z.data, N, 1}, {u.data, N, 1}};
        const locum_tile_step steps[] = {STEP(LOAD, 0, 0, 0, 0, 0, 0), STEP(LOAD, 1, 1, 0, 0, 0, 0),
                                         STEP(LOAD, 2, 2, 0, 0, 0, 0), ops[i], STEP(STORE, 0, 3, 3, 0, 0, 0)};
        for (int which = 0; which < 2; which++) {
            streams[3] = (locum_tile_stream){y[which], N, 1};
            run(which ? locum_kernels_reference() : kernels, steps, 5, streams, 1, N);
        }
        double worst = 0.0;
        for (int j = 0; j < N; j++) {
            double error = ulps(y[0][j], (double)y[1][j]);
            if (!(error <= worst)) worst = error;
        }
        CHECK_CLOSE(worst, 0.0, 2.0); /* ulp; the reference is itself rounded to half an ulp */
        guarded_free(&x), guarded_free(&z), guarded_free(&u);
    }
}

static void powers_within_tolerance_over_the_whole_range(void)
{
    static const float exponents[] = {1.7f, -0.5f, 0.5f, 0.3333333f, -2.0f, 4.0f, 17.0f, -3.3f, 2.0f, 3.0f, -1.0f};
    FOR_LEVELS(kernels)
    for (size_t e = 0; e < sizeof exponents / sizeof exponents[0]; e++) {
        enum { N = 1000 };
        float x[N], y[N];
        double worst = 0.0;
        locum_tile_stream streams[2] = {{x, N, 1}, {y, N, 1}};
        const locum_tile_step steps[] = {STEP(LOAD, 0, 0, 0, 0, 0, 0), STEP(POWER, 1, 0, 0, 0, exponents[e], 0),
                                         STEP(STORE, 0, 1, 1, 0, 0, 0)};
        uint64_t state = e;
        for (int chunk = 0; chunk < 50; chunk++) {
            for (int i = 0; i < N; i++) {
                uint32_t bits = random_bits(&state); /* all exponents and signs, infinities and NaNs too */
                memcpy(x + i, &bits, sizeof bits);
            }
            x[0] = 0.0f, x[1] = -0.0f, x[2] = INFINITY, x[3] = -INFINITY, x[4] = NAN, x[5] = 1.0f, x[6] = -1.0f;
            run(kernels, steps, 3, streams, 1, N);
            for (int i = 0; i < N; i++) {
                double error = ulps(y[i], pow((double)x[i], (double)exponents[e]));
                if (!(error <= worst)) worst = error;
            }
        }
        CHECK_CLOSE(worst, 0.0, 2.0); /* measured 1.26, for x * x * x */
    }
}

/* --- in place
 * -------------------------------------------------------------------------------------------------------------- */
/* y = e^-x over x, then x y (x as it was) elsewhere: the value loaded must survive the store over its memory */
static void a_load_survives_a_store_over_its_own_memory(void)
{
    static const locum_tile_step steps[] = {STEP(LOAD, 0, 0, 0, 0, 0, 0),     STEP(NEG, 1, 0, 0, 0, 0, 0),
                                            STEP(EXP, 1, 1, 0, 0, 0, 0),      STEP(STORE, 0, 0, 1, 0, 0, 0),
                                            STEP(MULTIPLY, 2, 0, 1, 0, 0, 0), STEP(STORE, 0, 1, 2, 0, 0, 0)};
    FOR_LEVELS(kernels)
    for (int s = 0; s < N_SHAPES; s++) {
        int64_t rows = shapes[s][0], columns = shapes[s][1], n = rows * columns;
        uint64_t state = 4;
        guarded x = guarded_create(n, 1, &state), y = guarded_create(n, 0, &state), old = guarded_create(n, 0, &state);
        memcpy(old.data, x.data, (size_t)n * sizeof(float));
        run(kernels, steps, 6, (locum_tile_stream[]){{x.data, columns, 1}, {y.data, columns, 1}}, rows, columns);
        double worst = 0.0;
        for (int64_t i = 0; i < n; i++) {
            double e = exp(-(double)old.data[i]);
            worst = fmax(worst, fabs((double)x.data[i] - e) + fabs((double)y.data[i] - e * (double)old.data[i]));
        }
        CHECK_CLOSE(worst, 0.0, 8 * 0x1p-23); /* values up to e, two roundings of up to 2 ulp */
        CU_ASSERT(guards_untouched(&x) && guards_untouched(&y));
        guarded_free(&x), guarded_free(&y), guarded_free(&old);
    }
}

/* --- sums
 * -------------------------------------------------------------------------------------------------------------------
 */
static const locum_tile_step sum_steps[] = {STEP(LOAD, 0, 0, 0, 0, 0, 0), STEP(MULTIPLY, 1, 0, 0, 0, 0, 0),
                                            STEP(SUM_COLUMNS, 0, 1, 1, 0, 0, 0), STEP(SUM_ROWS, 0, 2, 1, 0, 0, 0)};

static void column_sums_split_at_the_sum_block_give_the_same_bits(void)
{
    FOR_LEVELS(kernels)
    for (int64_t columns = 1; columns < 400; columns += 37) {
        enum { ROWS = 203 };
        uint64_t state = (uint64_t)columns;
        guarded x = guarded_create(ROWS * columns, 1, &state);
        float whole[400] = {0}, parts[400] = {0}, rows[ROWS], rows_parts[ROWS];
        run(kernels, sum_steps, 4, (locum_tile_stream[]){{x.data, columns, 1}, {whole, 0, 1}, {rows, 1, 0}}, ROWS,
            columns);
        for (int64_t first = 0, n = LOCUM_SUM_BLOCK; first < ROWS; first += n, n = n % 64 + 3 * LOCUM_SUM_BLOCK)
            run(kernels, sum_steps, 4,
                (locum_tile_stream[]){
                    {x.data + first * columns, columns, 1}, {parts, 0, 1}, {rows_parts + first, 1, 0}},
                ROWS - first < n ? ROWS - first : n, columns);
        CU_ASSERT(memcmp(whole, parts, sizeof whole) == 0);
        CU_ASSERT(memcmp(rows, rows_parts, sizeof rows) == 0);
        guarded_free(&x);
    }
}

static void sums_of_many_values_stay_accurate(void)
{
    FOR_LEVELS(kernels)
    {
        enum { N = 200000 };
        uint64_t state = 21;
        guarded x = guarded_create(N, 0, &state);
        double expected = 0.0;
        float column = 0.0f, row;
        for (int i = 0; i < N; i++) expected += (double)x.data[i] * (double)x.data[i];
        run(kernels, sum_steps, 3, (locum_tile_stream[]){{x.data, 1, 1}, {&column, 0, 1}}, N, 1);
        const locum_tile_step row_steps[] = {sum_steps[0], sum_steps[1], sum_steps[3]};
        run(kernels, row_steps, 3, (locum_tile_stream[]){{x.data, N, 1}, {&column, 0, 1}, {&row, 1, 0}}, 1, N);
        /* blocks of 8 make 25,000 additions: roundings of 2^-25 of the sum, 158 in the square root; blocks of 128 fewer
         */
        CHECK_CLOSE((double)column / expected, 1.0, 4 * 158 * 0x1p-25);
        CHECK_CLOSE((double)row / expected, 1.0, 4 * 40 * 0x1p-25);
        guarded_free(&x);
    }
}

LOCUM_RUN_TESTS("kernels: tile programs", {"400 random programs = reference", random_programs_equal_the_reference},
                {"each remaining operator = reference", each_remaining_operator_equals_the_reference},
                {"powers over the whole range", powers_within_tolerance_over_the_whole_range},
                {"in place: a load survives a store over its memory", a_load_survives_a_store_over_its_own_memory},
                {"sums split at the sum block: same bits", column_sums_split_at_the_sum_block_give_the_same_bits},
                {"sums of 200,000 values are accurate", sums_of_many_values_stay_accurate})
