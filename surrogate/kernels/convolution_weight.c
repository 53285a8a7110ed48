/* SPDX-License-Identifier: BSD-3-Clause */
/* convolution_weight.c - gradient of a convolution in its weight, float32, channels last:
 *
 *     w[t, c, n] = or += sum over batch b, points p of x[b, q(p, t), c] y[b, p, n]
 *
 * As product_rows.c: points are taken in blocks of at most BLOCK, counted from the first point of each image; a block's
 * sum is made in registers from zero, points in order, and added to w. So the bits do not depend on how a batch is cut.
 * For one tap the points of a block are a few runs of rows of x at an even distance (a line of the grid, or less near its
 * ends); points that see zeros are in no run and cost nothing. All images pass while a few panels of w stay in the second
 * cache. A panel of y is copied to the stack once a block:
 *     a run: HEIGHT neighbouring channels of a row are broadcast     y panel [points, PANEL]: two vectors */
#include "surrogate/kernels/convolution.h"
#include "surrogate/kernels/panel.h"

#define BLOCK 128
#define TAPS_NEAR 32 /* taps whose runs are kept at once */
#define W_NEAR 49152 /* floats of w that may stay in the second cache while all images pass */

/* Points [row, row + count) of a block read x from `from` on. */
typedef struct run {
    int64_t from;
    int32_t row, count;
} run;

typedef struct weight_job {
    const run *runs;
    int n_runs;
    const float *x;
    int64_t pace;       /* floats from row to row of x in a run */
    const float *panel; /* [points, PANEL] */
    float *w;
    int64_t w_stride;
} weight_job;

typedef void weight_function(const weight_job *job);

INLINE void weight_tile(const weight_job *job, const int height)
{
    vf sum[2 * HEIGHT];
    const int64_t pace = job->pace, w_stride = job->w_stride;
    float *w = job->w;
    UNROLL for (int i = 0; i < 2 * height; i++) sum[i] = splat(0.0f);
    for (const run *r = job->runs; r < job->runs + job->n_runs; r++) {
        const float *x = job->x + r->from, *y = job->panel + (int64_t)r->row * PANEL;
        for (int32_t i = 0; i < r->count; i++, x += pace, y += PANEL) {
            const vf low = load(y), high = load(y + LANES);
            UNROLL for (int c = 0; c < height; c++)
            {
                const vf a = splat(x[c]);
                sum[2 * c] = fma_(a, low, sum[2 * c]);
                sum[2 * c + 1] = fma_(a, high, sum[2 * c + 1]);
            }
        }
    }
    UNROLL for (int i = 0; i < 2 * height; i++)
    {
        float *to = w + i / 2 * w_stride + i % 2 * LANES;
        store(to, load(to) + sum[i]);
    }
}

#define DEFINE(H)                                      \
    static void weight_tile_##H(const weight_job *job) \
    {                                                  \
        weight_tile(job, H);                           \
    }
#define ENTRY(H) [H] = weight_tile_##H,
HEIGHTS(DEFINE)
static weight_function *const tiles[HEIGHT + 1] = {HEIGHTS(ENTRY)};

static void partial_tile(weight_job *job, int height, int64_t valid)
{
    float w[HEIGHT * PANEL] = {0};
    float *to = job->w;
    const int64_t to_stride = job->w_stride;
    const size_t bytes = (size_t)valid * sizeof *w;
    for (int i = 0; i < height; i++) memcpy(w + i * PANEL, to + i * to_stride, bytes);
    job->w = w;
    job->w_stride = PANEL;
    tiles[height](job);
    for (int i = 0; i < height; i++) memcpy(to + i * to_stride, w + i * PANEL, bytes);
    job->w_stride = to_stride;
}

/* Where one axis of x is read, -1 = outside. */
INLINE int64_t read_at(const locum_convolution_shape *s, int axis, int64_t point, int64_t tap)
{
    int64_t q = s->stride * point + s->dilation * tap - s->before[axis];
    if (q >= 0 && q < s->grid[axis]) return q;
    if (!s->periodic) return -1;
    q %= s->grid[axis];
    return q < 0 ? q + s->grid[axis] : q;
}

/* Appends points that begin at `from`, joining them to the last run if they continue it. */
INLINE int append(run *runs, int n, int64_t from, int64_t row, int64_t count, int64_t pace)
{
    run *last = runs + n - 1;
    if (n > 0 && last->row + last->count == row && last->from + last->count * pace == from) {
        last->count += (int32_t)count;
        return n;
    }
    runs[n] = (run){from, (int32_t)row, (int32_t)count};
    return n + 1;
}

/* Runs of one tap for points [first, first + count) of an image; offsets into it. At most `count` of them. */
static int find_runs(const locum_convolution_weight_call *call, const int64_t *tap, int64_t first, int64_t count,
                     run *runs)
{
    const locum_convolution_shape *s = call->shape;
    const int64_t pace = s->stride * call->x_stride;
    int n = 0;
    for (int64_t row = 0, left; row < count; row += left) {
        const int64_t line = (first + row) / s->points[2], x = (first + row) % s->points[2];
        left = s->points[2] - x < count - row ? s->points[2] - x : count - row;
        const int64_t qz = read_at(s, 0, line / s->points[1], tap[0]), qy = read_at(s, 1, line % s->points[1], tap[1]);
        if (qz < 0 || qy < 0) continue;
        const int64_t at = (qz * s->grid[1] + qy) * s->grid[2];
        for (int64_t i = 0, steps; i < left; i += steps) { /* as far as x is read evenly */
            const int64_t q = read_at(s, 2, x + i, tap[2]);
            steps = 1;
            if (q < 0) continue;
            steps = (s->grid[2] - 1 - q) / s->stride + 1;
            if (steps > left - i) steps = left - i;
            n = append(runs, n, (at + q) * call->x_stride, row + i, steps, pace);
        }
    }
    return n;
}

/* What the loops over one block share. */
typedef struct weight_block {
    const locum_convolution_weight_call *call;
    const float *x, *y; /* this image; y at the first point of the block */
    int64_t points, first_tap, n_taps, first_column, end_column;
    int n_runs[TAPS_NEAR];
    run runs[TAPS_NEAR][BLOCK];
} weight_block;

static void run_block(const weight_block *k)
{
    const locum_convolution_shape *s = k->call->shape;
    float panel[BLOCK * PANEL] __attribute__((aligned(64)));
    weight_job job = {.panel = panel, .pace = s->stride * k->call->x_stride, .w_stride = s->columns};
    for (int64_t column = k->first_column; column < k->end_column; column += PANEL) {
        const int64_t valid = s->columns - column < PANEL ? s->columns - column : PANEL;
        copy_panel(k->points, valid, k->y + column, k->call->y_stride, panel);
        for (int64_t c = 0, height; c < s->channels; c += height) {
            height = next_height(s->channels - c);
            job.x = k->x + c;
            for (int64_t t = 0; t < k->n_taps; t++) {
                job.runs = k->runs[t];
                job.n_runs = k->n_runs[t];
                job.w = k->call->w + ((k->first_tap + t) * s->channels + c) * s->columns + column;
                if (job.n_runs == 0) continue;
                if (valid == PANEL)
                    tiles[height](&job);
                else
                    partial_tile(&job, (int)height, valid);
            }
        }
    }
}

static void run_taps(weight_block *k, int64_t first_point)
{
    const locum_convolution_shape *s = k->call->shape;
    const int64_t taps = s->taps[0] * s->taps[1] * s->taps[2];
    for (k->first_tap = 0; k->first_tap < taps; k->first_tap += k->n_taps) {
        k->n_taps = taps - k->first_tap < TAPS_NEAR ? taps - k->first_tap : TAPS_NEAR;
        for (int64_t t = 0; t < k->n_taps; t++) {
            const int64_t flat = k->first_tap + t;
            const int64_t tap[3] = {flat / s->taps[2] / s->taps[1], flat / s->taps[2] % s->taps[1], flat % s->taps[2]};
            k->n_runs[t] = find_runs(k->call, tap, first_point, k->points, k->runs[t]);
        }
        run_block(k);
    }
}

/* All images for columns [first_column, end_column). */
static void run_columns(weight_block *k)
{
    const locum_convolution_weight_call *call = k->call;
    const locum_convolution_shape *s = call->shape;
    const int64_t points = s->points[0] * s->points[1] * s->points[2], grid = s->grid[0] * s->grid[1] * s->grid[2];
    for (int64_t b = 0; b < call->batch; b++)
        for (int64_t first = 0; first < points; first += BLOCK) {
            k->x = call->x + b * grid * call->x_stride;
            k->y = call->y + (b * points + first) * call->y_stride;
            k->points = points - first < BLOCK ? points - first : BLOCK;
            run_taps(k, first);
        }
}

void LOCUM_KERNEL(locum_convolution_weight)(const locum_convolution_weight_call *call)
{
    const locum_convolution_shape *s = call->shape;
    const int64_t rows = s->taps[0] * s->taps[1] * s->taps[2] * s->channels;
    const int64_t panels = rows * PANEL < W_NEAR ? W_NEAR / (rows * PANEL) : 1;
    weight_block k = {.call = call};
    if (!call->accumulate) memset(call->w, 0, (size_t)(rows * s->columns) * sizeof(float));
    for (int64_t column = 0; column < s->columns; column = k.end_column) {
        k.first_column = column;
        k.end_column = s->columns - column < panels * PANEL ? s->columns : column + panels * PANEL;
        run_columns(&k);
    }
}
