/* SPDX-License-Identifier: BSD-3-Clause */
/* test_product.c - product and product_rows at every level against the double reference, their bits, and what they
 * leave alone.
 *
 * Tolerance of a sum of k products with |a|, |b| <= 1 in float, whatever the order: each of k additions rounds a
 * partial sum of at most the final bound S = sum |a b| + |bias|, so |error| <= (k + 2) 2^-24 S, and S <= k / 4 + 2 here
 * on average; rounding errors are independent, so sqrt(k) instead of k is what one sees: 4 sqrt(k + 4) 2^-24 max(S) is
 * used. */
#include "tests/unit/kernels/levels.h"

static const int64_t row_counts[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 13, 23, 63, 64, 65};
static const int64_t k_n[][2] = {{1, 1},  {3, 5},    {7, 16},   {8, 64},   {17, 33},  {64, 64},
                                 {64, 4}, {31, 100}, {65, 129}, {321, 40}, {700, 70}, {2, 200},
                                 {64, 1}, {33, 2},   {70, 3},   {400, 35}, {24, 19}};
#define COUNT(x) ((int)(sizeof(x) / sizeof(x)[0]))

static double sum_tolerance(int64_t k)
{
    return 4.0 * sqrt((double)k + 4.0) * 0x1p-24 * (0.25 * (double)k + 2.0);
}

typedef struct product_data {
    guarded a, b, bias, c, start, packed;
    const float **row;
    int64_t rows, k, n, a_stride, c_stride;
} product_data;

static product_data data_create(const locum_kernels *kernels, int64_t rows, int64_t k, int64_t n, int64_t extra,
                                uint64_t *state)
{
    product_data d = {.rows = rows, .k = k, .n = n, .a_stride = k + extra, .c_stride = n + 2 * extra};
    d.a = guarded_create(rows * d.a_stride, 1, state);
    guard_gaps(&d.a, rows, k, d.a_stride);
    d.b = guarded_create(k * n, 3, state);
    d.bias = guarded_create(n, 1, state);
    d.c = guarded_create(rows * d.c_stride, (int)extra % 4, state);
    d.start = guarded_create(rows * d.c_stride, 0, state);
    guard_gaps(&d.c, rows, n, d.c_stride);
    guard_gaps(&d.start, rows, n, d.c_stride);
    d.packed = guarded_create((int64_t)kernels->packed_count(k, n), 0, state);
    d.row = malloc((size_t)rows * sizeof *d.row);
    for (int64_t r = 0; r < rows; r++)
        d.row[r] = d.a.data + (rows - 1 - r) * d.a_stride; /* from the last row to the first */
    kernels->pack(k, n, d.b.data, n, 1, d.packed.data);
    return d;
}

static void data_free(product_data *d)
{
    guarded_free(&d->a), guarded_free(&d->b), guarded_free(&d->bias);
    guarded_free(&d->c), guarded_free(&d->start), guarded_free(&d->packed);
    free(d->row);
}

static locum_product_call call_of(const product_data *d, locum_activation activation, int indirect, int accumulate)
{
    return (locum_product_call){.rows = d->rows,
                                .k = d->k,
                                .n = d->n,
                                .a = indirect ? NULL : d->a.data,
                                .a_stride = d->a_stride,
                                .a_rows = indirect ? d->row : NULL,
                                .packed = d->packed.data,
                                .bias = activation == LOCUM_ACT_RELU ? NULL : d->bias.data,
                                .activation = activation,
                                .c = d->c.data,
                                .c_stride = d->c_stride,
                                .accumulate = accumulate};
}

/* Activations have slopes of at most 1.13. */
static double product_tolerance(int64_t k)
{
    return 1.13 * sum_tolerance(k) + 0x1p-22;
}

/* The same call by the reference: largest |c - reference|. */
static double worst_difference(const product_data *d, const locum_product_call *call)
{
    float *expected = malloc((size_t)(d->rows * d->n) * sizeof *expected);
    double worst = 0.0;
    locum_product_call reference = *call;
    reference.packed = d->b.data;
    reference.c = expected;
    reference.c_stride = d->n;
    for (int64_t r = 0; r < d->rows; r++)
        memcpy(expected + r * d->n, d->start.data + r * d->c_stride, (size_t)d->n * 4);
    locum_kernels_reference()->product(&reference);
    for (int64_t r = 0; r < d->rows; r++)
        for (int64_t j = 0; j < d->n; j++) {
            double error = fabs((double)call->c[r * call->c_stride + j] - (double)expected[r * d->n + j]);
            if (!(error <= worst)) worst = error;
        }
    free(expected);
    return worst;
}

static void product_equals_the_reference_at_every_shape(void)
{
    FOR_LEVELS(kernels)
    for (int s = 0; s < COUNT(k_n); s++)
        for (int i = 0; i < COUNT(row_counts); i++) {
            uint64_t state = (uint64_t)(100 * s + i);
            product_data d = data_create(kernels, row_counts[i], k_n[s][0], k_n[s][1], i % 3, &state);
            for (int variant = 0; variant < 4; variant++) {
                int accumulate = variant == 3;
                locum_activation activation = accumulate ? LOCUM_ACT_NONE : (locum_activation)((i + 2 * variant) % 6);
                locum_product_call call = call_of(&d, activation, variant % 2, accumulate);
                memcpy(d.c.data, d.start.data, (size_t)d.c.n * sizeof(float));
                kernels->product(&call);
                CHECK_CLOSE(worst_difference(&d, &call), 0.0, product_tolerance(d.k));
                CU_ASSERT(guards_untouched(&d.c) && gaps_untouched(&d.c, d.rows, d.n, d.c_stride));
            }
            CU_ASSERT(guards_untouched(&d.packed));
            data_free(&d);
        }
    levels_say_skipped();
}

static void bits_of_a_row_do_not_depend_on_the_other_rows(void)
{
    FOR_LEVELS(kernels)
    for (int s = 0; s < COUNT(k_n); s++) {
        uint64_t state = (uint64_t)s;
        int64_t rows = 131, k = k_n[s][0], n = k_n[s][1];
        product_data d = data_create(kernels, rows, k, n, 0, &state);
        locum_product_call all = call_of(&d, LOCUM_ACT_TANH, 0, 0);
        float *part = malloc((size_t)(rows * n) * sizeof *part);
        kernels->product(&all);
        for (int i = 0; i < COUNT(row_counts); i++) {
            for (int64_t first = 0; first < rows; first += row_counts[i]) {
                locum_product_call call = all;
                call.rows = rows - first < row_counts[i] ? rows - first : row_counts[i];
                call.a = d.a.data + first * k;
                call.c = part + first * n;
                call.c_stride = n;
                kernels->product(&call);
            }
            CU_ASSERT(memcmp(part, d.c.data, (size_t)(rows * n) * sizeof *part) == 0);
        }
        free(part);
        data_free(&d);
    }
}

static void row_pointers_and_rows_at_a_stride_give_the_same_bits(void)
{
    FOR_LEVELS(kernels)
    {
        uint64_t state = 5;
        product_data d = data_create(kernels, 29, 33, 47, 2, &state);
        locum_product_call direct = call_of(&d, LOCUM_ACT_GELU, 0, 0), indirect = call_of(&d, LOCUM_ACT_GELU, 1, 0);
        float c[29 * 47];
        kernels->product(&direct);
        indirect.c = c;
        indirect.c_stride = 47;
        kernels->product(&indirect);
        for (int64_t r = 0; r < 29; r++)
            CU_ASSERT(memcmp(c + r * 47, d.c.data + (28 - r) * d.c_stride, 47 * sizeof(float)) == 0);
        data_free(&d);
    }
}

static void a_transposed_b_packs_to_the_same_bits(void)
{
    FOR_LEVELS(kernels)
    for (int s = 0; s < COUNT(k_n); s++) {
        uint64_t state = 9;
        int64_t k = k_n[s][0], n = k_n[s][1];
        product_data d = data_create(kernels, 1, k, n, 0, &state);
        guarded other = guarded_create(d.packed.n, 0, &state), b = guarded_create(k * n, 1, &state);
        for (int64_t p = 0; p < k; p++)
            for (int64_t j = 0; j < n; j++) b.data[j * k + p] = d.b.data[p * n + j];
        kernels->pack(k, n, b.data, 1, k, other.data);
        CU_ASSERT(memcmp(other.data, d.packed.data, (size_t)d.packed.n * sizeof(float)) == 0);
        CU_ASSERT(guards_untouched(&other));
        guarded_free(&other), guarded_free(&b);
        data_free(&d);
    }
}

static void empty_sums_and_empty_calls(void)
{
    FOR_LEVELS(kernels)
    {
        float a[4] = {1, 2, 3, 4}, packed[64] = {0}, bias[3] = {1, 2, 3}, c[6] = {9, 9, 9, 9, 9, 9};
        locum_product_call call = {
            .rows = 2, .k = 0, .n = 3, .a = a, .a_stride = 2, .packed = packed, .bias = bias, .c = c, .c_stride = 3};
        kernels->product(&call);
        for (int i = 0; i < 6; i++) CU_ASSERT(c[i] == bias[i % 3]);
        call.rows = 0, call.k = 2, c[0] = 7;
        kernels->product(&call);
        call.rows = 2, call.n = 0;
        kernels->product(&call);
        CU_ASSERT(c[0] == 7.0f);
        kernels->product_rows(0, 2, 3, a, 2, bias, 3, c, 3, 0);
        for (int i = 0; i < 6; i++) CU_ASSERT(c[i] == 0.0f);
    }
}

static void a_nan_reaches_its_own_row_and_no_other(void)
{
    FOR_LEVELS(kernels)
    {
        uint64_t state = 6;
        product_data d = data_create(kernels, 20, 19, 21, 0, &state);
        d.a.data[7 * 19 + 3] = NAN;
        locum_product_call call = call_of(&d, LOCUM_ACT_TANH, 0, 0);
        kernels->product(&call);
        for (int64_t i = 0; i < 20 * 21; i++) CU_ASSERT(!isnan(d.c.data[i]) == (i / 21 != 7));
        data_free(&d);
    }
}

/* --- product_rows
 * --------------------------------------------------------------------------------------------------------- */
static void product_rows_equals_the_reference_at_every_shape(void)
{
    static const int64_t more_rows[] = {1, 7, 8, 9, 63, 64, 65, 130, 257};
    FOR_LEVELS(kernels)
    for (int s = 0; s < COUNT(k_n); s++)
        for (int i = 0; i < COUNT(more_rows); i++) {
            uint64_t state = (uint64_t)(100 * s + i);
            int64_t rows = more_rows[i], k = k_n[s][0], n = k_n[s][1], ws = n + i % 3, as = k + 1, cs = n + 2;
            guarded a = guarded_create(rows * as, 1, &state), c = guarded_create(rows * cs, 1, &state);
            guarded w = guarded_create(k * ws, 1, &state), expected = guarded_create(k * ws, 0, &state);
            guard_gaps(&a, rows, k, as), guard_gaps(&c, rows, n, cs), guard_gaps(&w, k, n, ws);
            memcpy(expected.data, w.data, (size_t)w.n * sizeof(float));
            kernels->product_rows(rows, k, n, a.data, as, c.data, cs, w.data, ws, i % 2);
            locum_kernels_reference()->product_rows(rows, k, n, a.data, as, c.data, cs, expected.data, ws, i % 2);
            double worst = 0.0;
            for (int64_t p = 0; p < k; p++)
                for (int64_t j = 0; j < n; j++) {
                    double error = fabs((double)w.data[p * ws + j] - (double)expected.data[p * ws + j]);
                    if (!(error <= worst)) worst = error;
                }
            CHECK_CLOSE(worst, 0.0, sum_tolerance(rows));
            CU_ASSERT(guards_untouched(&w) && gaps_untouched(&w, k, n, ws));
            guarded_free(&a), guarded_free(&c), guarded_free(&w), guarded_free(&expected);
        }
}

static void product_rows_split_at_the_row_block_gives_the_same_bits(void)
{
    FOR_LEVELS(kernels)
    {
        uint64_t state = 8;
        enum { ROWS = 5 * LOCUM_ROW_BLOCK + 9, K = 13, N = 37 };
        guarded a = guarded_create(ROWS * K, 1, &state), c = guarded_create(ROWS * N, 1, &state);
        float whole[K * N], parts[K * N];
        kernels->product_rows(ROWS, K, N, a.data, K, c.data, N, whole, N, 0);
        for (int64_t first = 0, step = LOCUM_ROW_BLOCK; first < ROWS; first += step, step += LOCUM_ROW_BLOCK)
            kernels->product_rows(ROWS - first < step ? ROWS - first : step, K, N, a.data + first * K, K,
                                  c.data + first * N, N, parts, N, first > 0);
        CU_ASSERT(memcmp(whole, parts, sizeof whole) == 0);
        guarded_free(&a), guarded_free(&c);
    }
}

static void one_wrong_weight_is_seen(void)
{
    FOR_LEVELS(kernels)
    {
        uint64_t state = 12;
        product_data d = data_create(kernels, 9, 64, 64, 0, &state);
        locum_product_call call = call_of(&d, LOCUM_ACT_TANH, 0, 0);
        kernels->product(&call);
        CU_ASSERT(worst_difference(&d, &call) < product_tolerance(64));
        d.b.data[64 * 63 + 63] += 1e-3f;
        CU_ASSERT(worst_difference(&d, &call) > product_tolerance(64));
        data_free(&d);
    }
}

LOCUM_RUN_TESTS("kernels: products",
                {"product = reference: rows, k, n, strides, row pointers, activations",
                 product_equals_the_reference_at_every_shape},
                {"bits of a row do not depend on the other rows of the call",
                 bits_of_a_row_do_not_depend_on_the_other_rows},
                {"row pointers = rows at a stride, bit for bit", row_pointers_and_rows_at_a_stride_give_the_same_bits},
                {"packing a transposed b gives the same bits", a_transposed_b_packs_to_the_same_bits},
                {"k = 0, no rows, no columns", empty_sums_and_empty_calls},
                {"NaN stays in its row", a_nan_reaches_its_own_row_and_no_other},
                {"product_rows = reference", product_rows_equals_the_reference_at_every_shape},
                {"product_rows split at the row block: same bits",
                 product_rows_split_at_the_row_block_gives_the_same_bits},
                {"a planted error of 1e-3 in one weight is seen", one_wrong_weight_is_seen})
