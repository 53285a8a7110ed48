/* SPDX-License-Identifier: BSD-3-Clause */
/* test_cblas.c - the OpenBLAS adapter computes what the kernels' reference defines, and chooses by shape alone. */
#include <string.h>

#include "surrogate/adapters/cblas.h"
#include "surrogate/kernels/kernels.h"
#include "tests/unit/check.h"

enum { ROWS = 70, K = 37, N = 45, STRIDE = 50, MOST = ROWS * STRIDE };

static uint64_t state = 1;

static void fill(float *x, int n)
{
    for (int i = 0; i < n; i++) {
        state = state * 6364136223846793005ull + 1442695040888963407ull;
        x[i] = (float)(uint32_t)(state >> 32) * 0x1p-31f - 1.0f;
    }
}

/* rows of n values at stride STRIDE; ROWS float additions of values below 1: 4 sqrt(ROWS) 2^-24 ROWS / 4 */
static void check_rows(const float *x, const float *expected, int rows, int n)
{
    for (int r = 0; r < rows; r++)
        for (int j = 0; j < n; j++)
            if (!(fabs((double)x[r * STRIDE + j] - (double)expected[r * STRIDE + j]) <= 4 * 8.4 * 0x1p-24 * ROWS / 4))
                CHECK_CLOSE((double)x[r * STRIDE + j], (double)expected[r * STRIDE + j], 4 * 8.4 * 0x1p-24 * ROWS / 4);
}

static void products_equal_the_reference(void)
{
    const locum_adapter *adapter = locum_adapter_cblas();
    const locum_kernels *reference = locum_kernels_reference();
    float a[MOST], b[MOST], c[MOST] = {0}, expected[MOST] = {0}, packed[K * N];
    fill(a, MOST), fill(b, MOST);
    for (int transposed = 0; transposed < 2; transposed++) {
        reference->pack(K, N, b, transposed ? 1 : STRIDE, transposed ? STRIDE : 1, packed);
        reference->product(&(locum_product_call){.rows = ROWS,
                                                 .k = K,
                                                 .n = N,
                                                 .a = a,
                                                 .a_stride = STRIDE,
                                                 .packed = packed,
                                                 .c = expected,
                                                 .c_stride = STRIDE});
        adapter->product(ROWS, K, N, a, STRIDE, b, STRIDE, transposed, c, STRIDE);
        check_rows(c, expected, ROWS, N);
    }
}

static void weight_gradients_equal_the_reference(void)
{
    float a[MOST], c[MOST], w[MOST], expected[MOST];
    fill(a, MOST), fill(c, MOST), fill(w, MOST);
    memcpy(expected, w, sizeof w);
    for (int accumulate = 0; accumulate < 2; accumulate++) {
        locum_adapter_cblas()->product_rows(ROWS, K, N, a, STRIDE, c, STRIDE, w, STRIDE, accumulate);
        locum_kernels_reference()->product_rows(ROWS, K, N, a, STRIDE, c, STRIDE, expected, STRIDE, accumulate);
        check_rows(w, expected, K, N);
        for (int i = 0; i < K; i++) CU_ASSERT(w[i * STRIDE + N] == expected[i * STRIDE + N]); /* between the rows */
    }
}

static void the_choice_depends_on_the_shape_and_grows_with_it(void)
{
    const locum_adapter *adapter = locum_adapter_cblas();
    for (int kind = 0; kind < 3; kind++) {
        CU_ASSERT(!adapter->wants(64, 64, 64, kind));
        CU_ASSERT(!adapter->wants(4096, 64, 64, kind));
        CU_ASSERT(!adapter->wants(1, 4096, 4096, kind));
        CU_ASSERT(adapter->wants(2048, 2048, 2048, kind));
        CU_ASSERT(!adapter->wants((int64_t)1 << 32, 2048, 2048, kind));
        for (int64_t m = 64, wanted = 0; m <= 4096; m *= 2) {
            int64_t now = adapter->wants(m, m, m, kind);
            CU_ASSERT(now >= wanted);
            wanted = now;
        }
    }
    CU_ASSERT(!adapter->wants(2048, 2048, 2048, 3));
}

static void the_build_and_the_core_are_named(void)
{
    CU_ASSERT(strncmp(locum_cblas_config(), "OpenBLAS", 8) == 0);
    CU_ASSERT(strlen(locum_cblas_core()) > 0);
}

LOCUM_RUN_TESTS("adapter: OpenBLAS", {"products = reference, b plain and transposed", products_equal_the_reference},
                {"weight gradients = reference, rows at a stride", weight_gradients_equal_the_reference},
                {"the choice is a function of the shape", the_choice_depends_on_the_shape_and_grows_with_it},
                {"version and core can be recorded", the_build_and_the_core_are_named})
