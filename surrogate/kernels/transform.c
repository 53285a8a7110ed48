/* SPDX-License-Identifier: BSD-3-Clause */
/* transform.c - y[m, t] = act( [y[m, t] +] sum_n f[m, n] x[n, t] ): a matrix on the rows of x, which lie as they are.
 *
 * This is a product whose right operand is not packed ahead: PANEL columns of x, [n, PANEL] with the row stride of x,
 * serve a register tile of rows of f as a panel does. Where they would be read many times over strides that fall into
 * few lines of the first cache, and for the last columns, they are copied into a panel on the stack.
 *
 * Order of a sum: start with 0 (accumulate: y), then n = 0, 1, 2 ... with one multiply-add each, whatever the tile; so
 * the bits of a value depend on its own row and column alone. Long n is cut into blocks, the sum waiting in y.
 * Not here: a last axis (t = 1), which is a product with the matrix packed. */
#include "surrogate/kernels/panel.h"

#define N_BLOCK 256    /* longest block of n: a copied panel is N_BLOCK x PANEL floats on the stack */
#define NEAR 4096      /* floats of y that stay in the first cache until all columns are made */
#define COPY_ROWS 4    /* tiles of rows from which a copy pays */
#define COPY_STRIDE 64 /* floats from row to row from which lines crowd in the first cache */

typedef struct transform_job {
    int64_t n;
    const float *f, *x;
    int64_t f_stride, x_stride;
    float *y;
    int64_t y_stride;
    int resume; /* sums start with y */
} transform_job;

typedef void transform_function(const transform_job *job);

INLINE void transform_tile(const transform_job *job, const int rows, const int vectors)
{
    vf sum[2 * HEIGHT];
    const int64_t n = job->n, f_stride = job->f_stride, x_stride = job->x_stride, y_stride = job->y_stride;
    const float *f = job->f, *x = job->x;
    float *y = job->y;

    if (job->resume) {
        UNROLL for (int i = 0; i < rows * vectors; i++)
        {
            sum[i] = load(y + i / vectors * y_stride + i % vectors * LANES);
        }
    } else {
        UNROLL for (int i = 0; i < rows * vectors; i++) sum[i] = splat(0.0f);
    }
    for (int64_t p = 0; p < n; p++, x += x_stride) {
        vf b[2];
        UNROLL for (int v = 0; v < vectors; v++) b[v] = load(x + v * LANES);
        UNROLL for (int r = 0; r < rows; r++)
        {
            const vf a = splat(f[r * f_stride + p]);
            UNROLL for (int v = 0; v < vectors; v++) sum[r * vectors + v] = fma_(a, b[v], sum[r * vectors + v]);
        }
    }
    UNROLL for (int i = 0; i < rows * vectors; i++) store(y + i / vectors * y_stride + i % vectors * LANES, sum[i]);
}

#define DEFINE(R)                                              \
    static void transform_tile_##R(const transform_job *job)   \
    {                                                          \
        transform_tile(job, R, 2);                             \
    }                                                          \
    static void transform_narrow_##R(const transform_job *job) \
    {                                                          \
        transform_tile(job, R, 1);                             \
    }
#define TILE_ENTRY(R) [R] = transform_tile_##R,
#define NARROW_ENTRY(R) [R] = transform_narrow_##R,
HEIGHTS(DEFINE)
static transform_function *const tiles[HEIGHT + 1] = {HEIGHTS(TILE_ENTRY)};
static transform_function *const narrow_tiles[HEIGHT + 1] = {HEIGHTS(NARROW_ENTRY)};

/* The last columns, fewer than the width of a tile: sums go through a small array. */
static void partial_tile(transform_function *function, transform_job job, int height, int width, int64_t valid)
{
    float y[HEIGHT * PANEL];
    float *to = job.y;
    const int64_t to_stride = job.y_stride;
    const size_t bytes = (size_t)valid * sizeof *y;
    if (job.resume) {
        memset(y, 0, sizeof y);
        for (int r = 0; r < height; r++) memcpy(y + r * width, to + r * to_stride, bytes);
    }
    job.y = y;
    job.y_stride = width;
    function(&job);
    for (int r = 0; r < height; r++) memcpy(to + r * to_stride, y + r * width, bytes);
}

/* All rows of f times `valid` columns of x, in this block of n. */
static void run_panel(transform_job job, int64_t m, int64_t valid)
{
    float panel[N_BLOCK * PANEL] __attribute__((aligned(64)));
    const int width = valid <= LANES ? LANES : PANEL;
    if (valid < width || (m > COPY_ROWS * HEIGHT && job.x_stride >= COPY_STRIDE)) {
        pack_panel(job.n, width, valid, job.x, job.x_stride, 1, panel);
        job.x = panel;
        job.x_stride = width;
    }
    for (int64_t first = 0; first < m;) {
        const int height = next_height(m - first);
        transform_function *function = valid <= LANES ? narrow_tiles[height] : tiles[height];
        if (valid < width)
            partial_tile(function, job, height, width, valid);
        else
            function(&job);
        job.f += height * job.f_stride;
        job.y += height * job.y_stride;
        first += height;
    }
}

void LOCUM_KERNEL(locum_transform_rows)(const locum_transform_call *call)
{
    const int near = call->m * call->t <= NEAR; /* then one run over all is quicker than many over rows of a panel */
    for (int64_t column = 0; column < call->t; column += PANEL) {
        const int64_t valid = call->t - column < PANEL ? call->t - column : PANEL;
        for (int64_t first = 0; first < call->n; first += N_BLOCK) {
            run_panel((transform_job){.n = call->n - first < N_BLOCK ? call->n - first : N_BLOCK,
                                      .f = call->f + first,
                                      .f_stride = call->n,
                                      .x = call->x + first * call->t + column,
                                      .x_stride = call->t,
                                      .y = call->y + column,
                                      .y_stride = call->t,
                                      .resume = first > 0 || call->accumulate},
                      call->m, valid);
        }
        if (call->activation != LOCUM_ACT_NONE && !near)
            LOCUM_KERNEL(locum_activate)(call->activation, call->m, valid, call->y + column, call->t);
    }
    if (call->activation != LOCUM_ACT_NONE && near)
        LOCUM_KERNEL(locum_activate)(call->activation, call->m, call->t, call->y, call->t);
}
