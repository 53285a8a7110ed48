/* SPDX-License-Identifier: BSD-3-Clause */
/* product.c - c[r, n] = act( sum_k a[r, k] b[k, n] + bias[n] ), float32, b packed ahead, one thread.
 *
 * Packed b: column panels of PANEL = 2 vectors, each [k, PANEL], the last one padded with zeros to one or two vectors:
 *     | panel 0: k x PANEL | panel 1: k x PANEL | ... | last: k x (LANES or PANEL) |
 * If the last panel would hold 4 columns or fewer they go to product_dot.c instead.
 * A register tile holds `height` rows of one panel (few rows: of several panels, so that there are always about 8 sums
 * in flight); it walks down k with one broadcast of a per row and one load of b per vector.
 *
 * Order of a sum: start with bias or 0, plus c if it accumulates, then k = 0, 1, 2 ... with one multiply-add each.
 * Whatever the tile, the block or the neighbours, an output sees these operations and no others, so the bits of a row
 * do not depend on the call it is in. Long k is cut into blocks so that a panel's block stays in the first cache; the
 * running sum waits in c. The activation is applied to a block of rows as soon as its sums are complete, while it lies
 * in the first cache.
 * Method: K. Goto, R. van de Geijn, ACM TOMS 34, 12 (2008), without the packing of a: rows are read through pointers.
 * Not here: more than one thread; b that changes between the calls (pack it again). */
#include "surrogate/kernels/panel.h"

#define TALL (HEIGHT < 8 ? 8 : HEIGHT) /* rows of a tile over a last panel of one vector */
#define DOT_COLUMNS 4                  /* as many last columns or fewer are left to product_dot.c */
#define K_BLOCK 320                    /* longest block of k: PANEL x K_BLOCK floats fit half of the first cache */
#define PANELS_NEAR (24 * 1024)        /* bytes of b that may stay in the first cache while all rows pass */
#define CHUNK 4                        /* tiles of rows that pass before their activation, if b stays near */
#define ROWS_NEAR (96 * 1024)          /* bytes of a that may stay in the second cache while all panels pass */

typedef struct tile_job {
    int64_t turns;         /* tiles side by side: each turn moves on by the panels of one tile */
    int64_t k;             /* length of this block of k */
    const float *const *a; /* [height] rows, at this block */
    const float *b;        /* first panel, at this block */
    int64_t panel_stride;  /* floats from panel to panel */
    const float *start;    /* bias [columns] or NULL: sums start with it */
    int resume;            /* sums start with c too */
    float *c;
    int64_t c_stride;
} tile_job;

typedef void tile_function(const tile_job *job);

/* columns of the last, not full panel that belong to product_dot.c */
static int64_t dot_columns(int64_t n)
{
    int64_t rest = n % PANEL;
    return rest <= DOT_COLUMNS ? rest : 0;
}

size_t LOCUM_KERNEL(locum_product_packed_count)(int64_t k, int64_t n)
{
    int64_t dots = dot_columns(n), rest = n % PANEL;
    int64_t last = dots > 0 || rest == 0 ? 0 : rest <= LANES ? LANES : PANEL;
    return (size_t)(k * (n / PANEL * PANEL + last)) + LOCUM_KERNEL(locum_product_dot_count)(k, dots);
}

void LOCUM_KERNEL(locum_product_pack)(int64_t k, int64_t n, const float *b, int64_t k_stride, int64_t n_stride,
                                      float *packed)
{
    int64_t dots = dot_columns(n), j = 0;
    for (; j < n - dots; j += PANEL) {
        int64_t valid = n - j < PANEL ? n - j : PANEL;
        pack_panel(k, valid <= LANES ? LANES : PANEL, valid, b + j * n_stride, k_stride, n_stride, packed + j * k);
    }
    if (dots > 0) LOCUM_KERNEL(locum_product_dot_pack)(k, dots, b + j * n_stride, k_stride, n_stride, packed + j * k);
}

/* Register tiles side by side; rows, panels and vectors (per panel) are constants where this is inlined. The operand
 * with fewer vectors is loaded first, so that sums, it and one vector of the other fill the registers. */
INLINE void tile(const tile_job *job, const int rows, const int panels, const int vectors)
{
    vf sum[2 * HEIGHT + 8];
    const int across = panels * vectors, width = vectors * LANES;
    const int64_t k = job->k, c_stride = job->c_stride, panel_stride = job->panel_stride;
    const float *start = job->start, *first = job->b;
    float *c = job->c;

    for (int64_t turn = job->turns; turn > 0; turn--, c += across * LANES, first += panels * panel_stride) {
        const float *b = first;
        if (start) {
            UNROLL for (int i = 0; i < rows * across; i++) sum[i] = load(start + i % across * LANES);
            start += across * LANES;
        } else {
            UNROLL for (int i = 0; i < rows * across; i++) sum[i] = splat(0.0f);
        }
        if (job->resume) {
            UNROLL for (int i = 0; i < rows * across; i++)
            {
                sum[i] += load(c + i / across * c_stride + i % across * LANES);
            }
        }
        for (int64_t p = 0; p < k; p++, b += width) {
            vf x[2 * HEIGHT], y[8];
            if (rows < across) {
                UNROLL for (int r = 0; r < rows; r++) x[r] = splat(job->a[r][p]);
                UNROLL for (int v = 0; v < across; v++)
                {
                    y[v] = load(b + v / vectors * panel_stride + v % vectors * LANES);
                    UNROLL for (int r = 0; r < rows; r++) sum[r * across + v] = fma_(x[r], y[v], sum[r * across + v]);
                }
            } else {
                UNROLL for (int v = 0; v < across; v++)
                {
                    y[v] = load(b + v / vectors * panel_stride + v % vectors * LANES);
                }
                UNROLL for (int r = 0; r < rows; r++)
                {
                    x[r] = splat(job->a[r][p]);
                    UNROLL for (int v = 0; v < across; v++) sum[r * across + v] = fma_(x[r], y[v], sum[r * across + v]);
                }
            }
        }
        UNROLL for (int i = 0; i < rows * across; i++) store(c + i / across * c_stride + i % across * LANES, sum[i]);
    }
}

#define DEFINE(R, P, V)                                   \
    static void tile_##R##_##P##_##V(const tile_job *job) \
    {                                                     \
        tile(job, R, P, V);                               \
    }
#define WHOLE(R) DEFINE(R, 1, 2)
#define NARROW(R) DEFINE(R, 1, 1)
HEIGHTS(WHOLE)
HEIGHTS(NARROW)
DEFINE(1, 4, 2)
DEFINE(1, 2, 2)
DEFINE(2, 2, 2)
DEFINE(3, 2, 2)
static void tile_tall(const tile_job *job)
{
    tile(job, TALL, 1, 1);
}

#define WHOLE_ENTRY(R) [R] = tile_##R##_1_2,
#define NARROW_ENTRY(R) [R] = tile_##R##_1_1,
static tile_function *const whole_tiles[HEIGHT + 1] = {HEIGHTS(WHOLE_ENTRY)};
static tile_function *const narrow_tiles[HEIGHT + 1] = {HEIGHTS(NARROW_ENTRY)};
static tile_function *const pair_tiles[4] = {[1] = tile_1_2_2, [2] = tile_2_2_2, [3] = tile_3_2_2};

/* What the loops of one product share. */
typedef struct product_block {
    const locum_product_call *call;
    int64_t k_first, k_count;
    int resume, last; /* sums start with c; the activation follows */
} product_block;

/* Row pointers of `height` rows from `first`, moved to the block of k. */
static void find_rows(const product_block *block, int64_t first, int height, const float **row)
{
    const locum_product_call *call = block->call;
    if (call->a_rows)
        for (int r = 0; r < height; r++) row[r] = call->a_rows[first + r] + block->k_first;
    else
        for (int r = 0; r < height; r++) row[r] = call->a + (first + r) * call->a_stride + block->k_first;
}

/* The last panel where it is not full: sums go through a small array of full width. */
static void partial_tile(tile_function *function, tile_job *job, int height, int width, int64_t valid)
{
    float c[2 * HEIGHT * LANES + PANEL], start[PANEL] = {0};
    float *to = job->c;
    int64_t to_stride = job->c_stride;
    size_t bytes = (size_t)valid * sizeof *c;

    if (job->resume) {
        memset(c, 0, sizeof c);
        for (int r = 0; r < height; r++) memcpy(c + r * width, to + r * to_stride, bytes);
    }
    if (job->start) {
        memcpy(start, job->start, bytes);
        job->start = start;
    }
    job->c = c;
    job->c_stride = width;
    function(job);
    for (int r = 0; r < height; r++) memcpy(to + r * to_stride, c + r * width, bytes);
}

/* As many tiles of `together` panels as fit into full panels [panel, end); the first panel that is left over. */
static int64_t side_by_side(tile_job *job, const product_block *block, float *c, tile_function *function, int together,
                            int64_t panel, int64_t end)
{
    const locum_product_call *call = block->call;
    int64_t column = panel * PANEL;
    job->turns = (end - panel) / together;
    if (job->turns <= 0) return panel;
    job->start = call->bias && block->k_first == 0 ? call->bias + column : NULL;
    job->b = call->packed + column * call->k + block->k_first * PANEL;
    job->c = c + column;
    function(job);
    return panel + job->turns * together;
}

/* The last panel, which is not full. */
static void last_panel(tile_job *job, const product_block *block, float *c, int height, int64_t panel)
{
    const locum_product_call *call = block->call;
    int64_t column = panel * PANEL, valid = call->n - column;
    int width = valid <= LANES ? LANES : PANEL;
    tile_function *function = height > HEIGHT ? tile_tall : valid <= LANES ? narrow_tiles[height] : whole_tiles[height];
    job->turns = 1;
    job->start = call->bias && block->k_first == 0 ? call->bias + column : NULL;
    job->b = call->packed + column * call->k + block->k_first * width;
    job->c = c + column;
    if (valid == width)
        function(job);
    else
        partial_tile(function, job, height, width, valid);
}

/* Panels [panel, end) of one tile of rows; few rows take several panels at once, so that enough sums are in flight. */
static void across_panels(const product_block *block, int64_t row_first, int height, const float *const *row,
                          int64_t panel, int64_t end)
{
    const locum_product_call *call = block->call;
    int64_t full = call->n / PANEL < end ? call->n / PANEL : end;
    float *c = call->c + row_first * call->c_stride;
    tile_job job = {.k = block->k_count,
                    .a = row,
                    .panel_stride = call->k * PANEL,
                    .resume = block->resume,
                    .c_stride = call->c_stride};

    if (height == 1) panel = side_by_side(&job, block, c, tile_1_4_2, 4, panel, full);
    if (height <= 3) panel = side_by_side(&job, block, c, pair_tiles[height], 2, panel, full);
    if (height <= HEIGHT) panel = side_by_side(&job, block, c, whole_tiles[height], 1, panel, full);
    if (panel < end) last_panel(&job, block, c, height, panel);
}

/* Rows [first, end) times panels [panel, panel_end). */
static void down_rows(const product_block *block, int64_t first, int64_t end, int64_t panel, int64_t panel_end)
{
    int narrow = block->call->n - panel * PANEL <= LANES;
    while (first < end) {
        const float *row[TALL];
        int height = narrow && end - first >= TALL ? TALL : next_height(end - first);
        find_rows(block, first, height, row);
        across_panels(block, first, height, row, panel, panel_end);
        first += height;
    }
}

/* One block of k: either b stays in the first cache and each tile of rows meets all its panels, or a chunk of rows
 * stays in the second cache and meets the panels one by one. */
static void run_block(const product_block *block)
{
    const locum_product_call *call = block->call;
    int64_t dots = dot_columns(call->n), panels = (call->n - dots + PANEL - 1) / PANEL, step = panels,
            chunk = CHUNK * HEIGHT;
    if (panels * PANEL * block->k_count * (int64_t)sizeof(float) > PANELS_NEAR) {
        step = 1;
        chunk = ROWS_NEAR / ((int64_t)sizeof(float) * block->k_count) / HEIGHT * HEIGHT;
        if (chunk < HEIGHT) chunk = HEIGHT;
    }
    for (int64_t first = 0; first < call->rows; first += chunk) {
        int64_t end = first + chunk < call->rows ? first + chunk : call->rows;
        if (end - first <= 3) step = panels; /* few rows: several panels at once */
        for (int64_t panel = 0; panel < panels; panel += step)
            down_rows(block, first, end, panel, panel + step < panels ? panel + step : panels);
        if (block->last && dots > 0) LOCUM_KERNEL(locum_product_dot)(call, call->n - dots, first, end);
        if (block->last && call->activation != LOCUM_ACT_NONE) {
            float *c = call->c + first * call->c_stride;
            LOCUM_KERNEL(locum_activate)(call->activation, end - first, call->n, c, call->c_stride);
        }
    }
}

void LOCUM_KERNEL(locum_product)(const locum_product_call *call)
{
    int64_t blocks = (call->k + K_BLOCK - 1) / K_BLOCK;
    if (call->rows <= 0 || call->n <= 0) return;
    if (blocks == 0) blocks = 1;
    int64_t step = (call->k + blocks - 1) / blocks;
    for (int64_t b = 0; b < blocks; b++) {
        int64_t first = b * step, end = first + step < call->k ? first + step : call->k;
        run_block(&(product_block){.call = call,
                                   .k_first = first,
                                   .k_count = end - first,
                                   .resume = b > 0 || call->accumulate,
                                   .last = b == blocks - 1});
    }
}
