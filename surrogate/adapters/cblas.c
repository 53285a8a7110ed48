/* SPDX-License-Identifier: BSD-3-Clause */
/* cblas.c - large products of training by OpenBLAS's sgemm, row-major.
 *
 *     kind 0  c[rows, n] = a[rows, k] b[k, n]       kind 1  the same with b given as [n, k]
 *     kind 2  w[k, n]    = or += a[rows, k]^T c[rows, n]
 * Which shapes go there is a table, never a measurement, so that runs can be repeated bit for bit. It was read off
 * bench_product on Zen 3 (OpenBLAS 0.3.21, one thread): our kernels win or draw below, because they need no call
 * overhead and keep bias and activation in the cache; from about 2^26 multiply-adds with long k and n OpenBLAS's
 * packing of a pays. Products here have neither bias nor activation; the plan adds them. Extents beyond 32 bits stay
 * with our kernels. */
#include "surrogate/adapters/cblas.h"

#include <cblas.h>
#include <limits.h>

enum { PRODUCT, PRODUCT_TRANSPOSED, PRODUCT_ROWS };

typedef struct shape_bound {
    int64_t k, n, multiply_adds; /* all three must be reached */
} shape_bound;

/* from scripts/bench/bench_product, ratio below 1 */
static const shape_bound bounds[3] = {
    [PRODUCT] = {256, 256, (int64_t)1 << 26},
    [PRODUCT_TRANSPOSED] = {256, 256, (int64_t)1 << 26},
    [PRODUCT_ROWS] = {256, 256, (int64_t)1 << 25},
};

static bool wants(int64_t rows, int64_t k, int64_t n, int kind)
{
    if (kind < PRODUCT || kind > PRODUCT_ROWS || rows > INT_MAX || k > INT_MAX || n > INT_MAX) return false;
    const shape_bound *bound = bounds + kind;
    return k >= bound->k && n >= bound->n && rows >= 64 &&
           (double)rows * (double)k * (double)n >= (double)bound->multiply_adds;
}

static void product(int64_t rows, int64_t k, int64_t n, const float *a, int64_t a_stride, const float *b,
                    int64_t b_stride, int transposed, float *c, int64_t c_stride)
{
    cblas_sgemm(CblasRowMajor, CblasNoTrans, transposed ? CblasTrans : CblasNoTrans, (int)rows, (int)n, (int)k, 1.0f, a,
                (int)a_stride, b, (int)b_stride, 0.0f, c, (int)c_stride);
}

static void product_rows(int64_t rows, int64_t k, int64_t n, const float *a, int64_t a_stride, const float *c,
                         int64_t c_stride, float *w, int64_t w_stride, int accumulate)
{
    cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, (int)k, (int)n, (int)rows, 1.0f, a, (int)a_stride, c,
                (int)c_stride, accumulate ? 1.0f : 0.0f, w, (int)w_stride);
}

const locum_adapter *locum_adapter_cblas(void)
{
    static const locum_adapter adapter = {
        .name = "cblas", .wants = wants, .product = product, .product_rows = product_rows};
    return &adapter;
}

void locum_cblas_use_one_thread(void)
{
    openblas_set_num_threads(1);
}
const char *locum_cblas_config(void)
{
    return openblas_get_config();
}
const char *locum_cblas_core(void)
{
    return openblas_get_corename();
}
