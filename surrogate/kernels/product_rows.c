/* SPDX-License-Identifier: BSD-3-Clause */
/* product_rows.c - w[k, n] = or += sum over rows of a[r, k] c[r, n]: the weight gradient of a product.
 *
 * Rows are taken in blocks of LOCUM_ROW_BLOCK, counted from the first row of the call. A block's sum is made in
 * registers from zero, rows in order, one multiply-add each; then it is added to w (the first block of a call that does
 * not accumulate: is w). So a call split at multiples of the block gives the same bits as the whole, and errors grow
 * with rows / block, not rows. A panel of c is copied to the stack once per block and padded with zeros:
 *     a block [rows, k]: HEIGHT neighbours of a row are broadcast     c panel [rows, PANEL]: two vectors
 * Not here: more than one thread. */
#include "surrogate/kernels/panel.h"

typedef struct rows_job {
    int64_t rows;
    const float *a; /* [rows] runs of `height` values */
    int64_t a_stride;
    const float *panel; /* [rows, PANEL] */
    float *w;
    int64_t w_stride;
    int add;
} rows_job;

typedef void rows_function(const rows_job *job);

/* height x PANEL sums; height is a constant where this is inlined */
INLINE void rows_tile(const rows_job *job, const int height)
{
    vf sum[2 * HEIGHT];
    const float *a = job->a, *c = job->panel;
    const int64_t rows = job->rows, a_stride = job->a_stride, w_stride = job->w_stride;
    float *w = job->w;

    UNROLL for (int i = 0; i < 2 * height; i++) sum[i] = splat(0.0f);
    for (int64_t r = 0; r < rows; r++, a += a_stride, c += PANEL) {
        vf low = load(c), high = load(c + LANES);
        UNROLL for (int i = 0; i < height; i++)
        {
            vf x = splat(a[i]);
            sum[2 * i] = fma_(x, low, sum[2 * i]);
            sum[2 * i + 1] = fma_(x, high, sum[2 * i + 1]);
        }
    }
    if (job->add) {
        UNROLL for (int i = 0; i < 2 * height; i++) sum[i] += load(w + i / 2 * w_stride + i % 2 * LANES);
    }
    UNROLL for (int i = 0; i < 2 * height; i++) store(w + i / 2 * w_stride + i % 2 * LANES, sum[i]);
}

#define DEFINE(H)                                  \
    static void rows_tile_##H(const rows_job *job) \
    {                                              \
        rows_tile(job, H);                         \
    }
#define ENTRY(H) [H] = rows_tile_##H,
HEIGHTS(DEFINE)
static rows_function *const tiles[HEIGHT + 1] = {HEIGHTS(ENTRY)};

static void partial_tile(rows_job *job, int height, int64_t valid)
{
    float w[HEIGHT * PANEL] = {0};
    float *to = job->w;
    int64_t to_stride = job->w_stride;
    size_t bytes = (size_t)valid * sizeof *w;

    if (job->add)
        for (int i = 0; i < height; i++) memcpy(w + i * PANEL, to + i * to_stride, bytes);
    job->w = w;
    job->w_stride = PANEL;
    tiles[height](job);
    for (int i = 0; i < height; i++) memcpy(to + i * to_stride, w + i * PANEL, bytes);
    job->w_stride = to_stride;
}

void LOCUM_KERNEL(locum_product_rows)(int64_t rows, int64_t k, int64_t n, const float *a, int64_t a_stride,
                                      const float *c, int64_t c_stride, float *w, int64_t w_stride, int accumulate)
{
    float panel[LOCUM_ROW_BLOCK * PANEL] __attribute__((aligned(64)));

    /* one column: the other way round fills the vectors, and the sums are the same */
    if (n == 1 && k > 1 && w_stride == 1) {
        LOCUM_KERNEL(locum_product_rows)(rows, 1, k, c, c_stride, a, a_stride, w, k, accumulate);
        return;
    }
    if (rows <= 0 && !accumulate)
        for (int64_t i = 0; i < k; i++) memset(w + i * w_stride, 0, (size_t)n * sizeof *w);
    for (int64_t first = 0; first < rows; first += LOCUM_ROW_BLOCK) {
        int64_t count = rows - first < LOCUM_ROW_BLOCK ? rows - first : LOCUM_ROW_BLOCK;
        rows_job job = {
            .rows = count, .a_stride = a_stride, .panel = panel, .w_stride = w_stride, .add = accumulate || first > 0};
        for (int64_t column = 0; column < n; column += PANEL) {
            int64_t valid = n - column < PANEL ? n - column : PANEL;
            copy_panel(count, valid, c + first * c_stride + column, c_stride, panel);
            for (int64_t i = 0; i < k; i += HEIGHT) {
                int height = k - i < HEIGHT ? (int)(k - i) : HEIGHT;
                job.a = a + first * a_stride + i;
                job.w = w + i * w_stride + column;
                if (valid == PANEL)
                    tiles[height](&job);
                else
                    partial_tile(&job, height, valid);
            }
        }
    }
}
