/* SPDX-License-Identifier: BSD-3-Clause */
/* convolution.c - convolution and its gradient in the input, float32, channels last, without im2col.
 *
 *     c[p, n] = act( bias[n] + sum over taps t, channels k of a[q(p, t), k] w[t, k, n] )            (convolution.h: q)
 *
 * That is a product whose row p is long (taps k) and lies in memory in pieces: a register tile of HEIGHT points walks
 * through the pieces of its rows by pointers. Outside, a piece is a row of zeros (or of the other side: periodic). Where
 * all points of a tile are far from the ends of the last axis, neighbouring taps of that axis are one piece, for channels
 * are neighbours. Packed w is laid out as the right operand of a product (product.c), [taps k, n], class by class.
 *
 * Order of a sum: bias or 0, then taps in the order of reading a, then channels; one multiply-add each. An output sees
 * these operations and no others, wherever it lies. Taps are cut into blocks of at most K_BLOCK values, so that a panel
 * of w stays in the first cache while a chunk of points, which stays in the second, passes by; sums wait in c.
 * Method: M. Dukhan, arXiv:1907.02129 (indirect convolution). Not here: groups; more than one thread. */
#include "surrogate/kernels/convolution.h"
#include "surrogate/kernels/panel.h"

#define K_BLOCK 320  /* values of a block: PANEL x K_BLOCK floats fit half of the first cache */
#define TAPS_NEAR 32 /* taps of a block */
#define CHUNK 96     /* points that pass together */
#define TILES (CHUNK / HEIGHT + 2)

static const float zeros[K_BLOCK];

/* One tile of rows and one panel of columns. */
typedef struct tile_job {
    int n_pieces;
    const float *const *a; /* [n_pieces][height] */
    const int64_t *length; /* [n_pieces] */
    const float *b, *start;
    int resume;
    float *const *c; /* [height] */
    int64_t column;
} tile_job;

typedef void tile_function(const tile_job *job);

INLINE void tile(const tile_job *job, const int rows, const int vectors)
{
    vf sum[2 * HEIGHT];
    const float *b = job->b;
    const float *const *a = job->a;
    if (job->start) {
        UNROLL for (int i = 0; i < rows * vectors; i++) sum[i] = load(job->start + i % vectors * LANES);
    } else {
        UNROLL for (int i = 0; i < rows * vectors; i++) sum[i] = splat(0.0f);
    }
    if (job->resume) {
        UNROLL for (int i = 0; i < rows * vectors; i++)
        {
            sum[i] += load(job->c[i / vectors] + job->column + i % vectors * LANES);
        }
    }
    for (int piece = 0; piece < job->n_pieces; piece++, a += rows) {
        const int64_t k = job->length[piece];
        for (int64_t p = 0; p < k; p++, b += vectors * LANES) {
            vf y[2];
            UNROLL for (int v = 0; v < vectors; v++) y[v] = load(b + v * LANES);
            UNROLL for (int r = 0; r < rows; r++)
            {
                const vf x = splat(a[r][p]);
                UNROLL for (int v = 0; v < vectors; v++) sum[r * vectors + v] = fma_(x, y[v], sum[r * vectors + v]);
            }
        }
    }
    UNROLL for (int i = 0; i < rows * vectors; i++)
    {
        store(job->c[i / vectors] + job->column + i % vectors * LANES, sum[i]);
    }
}

#define DEFINE(R, V)                                \
    static void tile_##R##_##V(const tile_job *job) \
    {                                               \
        tile(job, R, V);                            \
    }
#define WHOLE(R) DEFINE(R, 2)
#define NARROW(R) DEFINE(R, 1)
HEIGHTS(WHOLE)
HEIGHTS(NARROW)
#define WHOLE_ENTRY(R) [R] = tile_##R##_2,
#define NARROW_ENTRY(R) [R] = tile_##R##_1,
static tile_function *const whole_tiles[HEIGHT + 1] = {HEIGHTS(WHOLE_ENTRY)};
static tile_function *const narrow_tiles[HEIGHT + 1] = {HEIGHTS(NARROW_ENTRY)};

/* --- classes and their packed weights ------------------------------------------------------------------------------ */

/* One class: all axes, and what one value of the sum is. */
typedef struct gather_class {
    gather_axis axis[3];
    int64_t k, n, taps; /* channels summed and made; taps of all axes */
} gather_class;

static gather_class forward_class(const locum_convolution_shape *s)
{
    gather_class g = {.k = s->channels, .n = s->columns, .taps = 1};
    for (int i = 0; i < 3; i++) {
        g.axis[i] = gather_forward(s, i);
        g.taps *= g.axis[i].taps;
    }
    return g;
}

static gather_class residue_class(const locum_convolution_shape *s, const int64_t *residue)
{
    gather_class g = {.k = s->columns, .n = s->channels, .taps = 1};
    for (int i = 0; i < 3; i++) {
        g.axis[i] = gather_residue(s, i, residue[i]);
        g.taps *= g.axis[i].taps;
    }
    return g;
}

/* Steps through the classes of a shape; false behind the last one. residue begins as zeros. */
static bool next_class(const locum_convolution_shape *s, int input, int64_t *residue)
{
    for (int i = 2; input && i >= 0; i--) {
        if (++residue[i] < gather_residues(s, i)) return true;
        residue[i] = 0;
    }
    return false;
}

static gather_class class_at(const locum_convolution_shape *s, int input, const int64_t *residue)
{
    return input ? residue_class(s, residue) : forward_class(s);
}

static int64_t last_width(int64_t n)
{
    const int64_t rest = n % PANEL;
    return rest == 0 ? 0 : rest <= LANES ? LANES : PANEL;
}

static int64_t class_count(const gather_class *g)
{
    return g->taps * g->k * (g->n / PANEL * PANEL + last_width(g->n));
}

static bool plain(const locum_convolution_shape *s, int input)
{
    return input && !gather_wraps(s);
}

size_t LOCUM_KERNEL(locum_convolution_count)(const locum_convolution_shape *s, int input)
{
    int64_t residue[3] = {0}, count = 0;
    if (plain(s, input)) return (size_t)(s->taps[0] * s->taps[1] * s->taps[2] * s->channels * s->columns);
    do {
        const gather_class g = class_at(s, input, residue);
        count += class_count(&g);
    } while (next_class(s, input, residue));
    return (size_t)count;
}

/* one tap of w [k, n] into rows tap k .. of every panel */
static void pack_tap(const gather_class *g, int64_t tap, const float *w, int64_t k_stride, int64_t n_stride, float *to)
{
    const int64_t rows = g->taps * g->k;
    for (int64_t j = 0; j < g->n; j += PANEL, to += rows * PANEL) {
        const int64_t valid = g->n - j < PANEL ? g->n - j : PANEL, width = valid <= LANES ? LANES : PANEL;
        pack_panel(g->k, width, valid, w + j * n_stride, k_stride, n_stride, to + tap * g->k * width);
    }
}

static void pack_class(const locum_convolution_shape *s, const gather_class *g, int input, const float *w, float *to)
{
    const gather_axis *z = &g->axis[0], *y = &g->axis[1], *x = &g->axis[2];
    int64_t tap = 0;
    for (int64_t i = 0; i < z->taps; i++)
        for (int64_t j = 0; j < y->taps; j++)
            for (int64_t k = 0; k < x->taps; k++, tap++) {
                const int64_t from =
                    ((z->tap_first + z->tap_jump * i) * s->taps[1] + y->tap_first + y->tap_jump * j) * s->taps[2] +
                    x->tap_first + x->tap_jump * k;
                pack_tap(g, tap, w + from * s->channels * s->columns, input ? 1 : s->columns, input ? s->columns : 1,
                         to);
            }
}

void LOCUM_KERNEL(locum_convolution_pack)(const locum_convolution_shape *s, int input, const float *w, float *packed)
{
    int64_t residue[3] = {0};
    if (plain(s, input)) {
        memcpy(packed, w, LOCUM_KERNEL(locum_convolution_count)(s, input) * sizeof *w);
        return;
    }
    do {
        const gather_class g = class_at(s, input, residue);
        pack_class(s, &g, input, w, packed);
        packed += class_count(&g);
    } while (next_class(s, input, residue));
}

/* --- rows of a chunk ----------------------------------------------------------------------------------------------- */

/* Taps [first, first + taps) with channels [channel, channel + k): one block of the long sum. */
typedef struct sum_block {
    int64_t first, taps, channel, k;
    int resume, last;
} sum_block;

typedef struct row_tile {
    int height, n_pieces;
    const float **a;       /* [n_pieces][height] */
    const int64_t *length; /* [n_pieces] */
    float **c;             /* [height] */
} row_tile;

/* A chunk of points, as tiles, for one block. */
typedef struct chunk {
    const locum_convolution_call *call;
    const gather_class *g;
    const sum_block *block;
    int n_tiles;
    row_tile tile[TILES];
    float *c[CHUNK];
    const float *a[CHUNK * TAPS_NEAR];
    int64_t joined[TAPS_NEAR], single[TAPS_NEAR]; /* lengths of pieces: where taps are joined, and one a tap */
    int64_t head[TAPS_NEAR];                      /* first tap of a joined piece, counted in the block */
    int64_t shift[TAPS_NEAR][3];                  /* of each tap: step i + shift is read */
    int n_joined;
} chunk;

/* Index of a point of the class: batch, z, y, x. */
typedef struct point {
    int64_t b, i[3];
} point;

static point point_of(const gather_class *g, int64_t row)
{
    point p;
    for (int i = 2; i >= 0; i--) {
        p.i[i] = row % g->axis[i].points;
        row /= g->axis[i].points;
    }
    p.b = row;
    return p;
}

static void next_point(const gather_class *g, point *p)
{
    for (int i = 2; i >= 0; i--) {
        if (++p->i[i] < g->axis[i].points) return;
        p->i[i] = 0;
    }
    p->b++;
}

/* Where one axis is read: q itself, its other side, or -1 = outside. */
INLINE int64_t read_at(const gather_axis *a, int64_t q, int periodic)
{
    if (q >= 0 && q < a->from) return q;
    if (!periodic) return -1;
    q %= a->from;
    return q < 0 ? q + a->from : q;
}

/* What tap `t` of the block reads for a point. */
INLINE const float *row_of(const chunk *ch, const point *p, int64_t t)
{
    const gather_axis *axis = ch->g->axis;
    int64_t flat = p->b;
    for (int i = 0; i < 3; i++) {
        const int64_t q = read_at(&axis[i], axis[i].step * p->i[i] + ch->shift[t][i], ch->call->shape->periodic);
        if (q < 0) return zeros;
        flat = flat * axis[i].from + q;
    }
    return ch->call->a + flat * ch->call->a_stride + ch->block->channel;
}

static float *result_of(const chunk *ch, const point *p)
{
    const gather_axis *axis = ch->g->axis;
    int64_t flat = p->b;
    for (int i = 0; i < 3; i++) flat = flat * axis[i].to + axis[i].first + axis[i].to_step * p->i[i];
    return ch->call->c + flat * ch->call->c_stride;
}

/* Taps of the block, and the pieces where taps of the last axis that are neighbours in memory are one. */
static void find_pieces(chunk *ch)
{
    const gather_axis *axis = ch->g->axis;
    const sum_block *block = ch->block;
    const bool joins = axis[2].tap_step == 1 && ch->call->a_stride == ch->g->k && block->k == ch->g->k;
    ch->n_joined = 0;
    for (int64_t t = 0; t < block->taps; t++) {
        int64_t tap = block->first + t;
        const bool follows = t > 0 && tap % axis[2].taps != 0;
        for (int i = 2; i >= 0; tap /= axis[i--].taps)
            ch->shift[t][i] = axis[i].shift + axis[i].tap_step * (tap % axis[i].taps);
        ch->single[t] = block->k;
        if (joins && follows) {
            ch->joined[ch->n_joined - 1] += block->k;
        } else {
            ch->head[ch->n_joined] = t;
            ch->joined[ch->n_joined++] = block->k;
        }
    }
}

/* Are all taps of the last axis inside for `height` points from p on, all of one line? */
static bool is_inner(const gather_class *g, const point *p, int height)
{
    const gather_axis *x = &g->axis[2];
    const int64_t low = x->step * p->i[2] + x->shift,
                  high = x->step * (p->i[2] + height - 1) + x->shift + x->tap_step * (x->taps - 1);
    return p->i[2] + height <= x->points && low >= 0 && high < x->from;
}

/* Rows [first, first + n) of the class as tiles; n <= CHUNK. */
static void fill_chunk(chunk *ch, int64_t first, int64_t n)
{
    const float **a = ch->a;
    point p = point_of(ch->g, first);
    ch->n_tiles = 0;
    for (int64_t row = 0; row < n;) {
        row_tile *t = &ch->tile[ch->n_tiles++];
        const int height = next_height(n - row);
        const bool inner = is_inner(ch->g, &p, height);
        const int64_t pace = ch->g->axis[2].step * ch->call->a_stride;
        *t = (row_tile){.height = height,
                        .n_pieces = inner ? ch->n_joined : (int)ch->block->taps,
                        .a = a,
                        .length = inner ? ch->joined : ch->single,
                        .c = ch->c + row};
        if (inner) {
            for (int i = 0; i < t->n_pieces; i++) {
                const float *start = row_of(ch, &p, ch->head[i]);
                const int64_t step = start == zeros ? 0 : pace;
                for (int r = 0; r < height; r++) a[i * height + r] = start + r * step;
            }
        }
        for (int r = 0; r < height; r++, next_point(ch->g, &p)) {
            t->c[r] = result_of(ch, &p);
            for (int i = 0; !inner && i < t->n_pieces; i++) a[i * height + r] = row_of(ch, &p, i);
        }
        a += t->n_pieces * height;
        row += height;
    }
}

/* --- running ------------------------------------------------------------------------------------------------------- */

/* The last panel where it is not full: sums go through a small array of full width. */
static void partial_tile(tile_function *function, tile_job *job, int height, int64_t width, int64_t valid)
{
    float c[HEIGHT * PANEL] = {0}, start[PANEL] = {0};
    float *rows[HEIGHT];
    const size_t bytes = (size_t)valid * sizeof *c;
    float *const *to = job->c;
    const int64_t column = job->column;
    for (int r = 0; r < height; r++) {
        rows[r] = c + r * width;
        if (job->resume) memcpy(rows[r], to[r] + column, bytes);
    }
    if (job->start) {
        memcpy(start, job->start, bytes);
        job->start = start;
    }
    job->c = rows;
    job->column = 0;
    function(job);
    for (int r = 0; r < height; r++) memcpy(to[r] + column, rows[r], bytes);
}

static void run_panels(const chunk *ch, const float *packed)
{
    const gather_class *g = ch->g;
    const sum_block *block = ch->block;
    for (int64_t column = 0; column < g->n; column += PANEL) {
        const int64_t valid = g->n - column < PANEL ? g->n - column : PANEL, width = valid <= LANES ? LANES : PANEL;
        const float *b = packed + column * g->taps * g->k + (block->first * g->k + block->channel) * width;
        for (int i = 0; i < ch->n_tiles; i++) {
            const row_tile *t = &ch->tile[i];
            tile_function *function = width == PANEL ? whole_tiles[t->height] : narrow_tiles[t->height];
            tile_job job = {.n_pieces = t->n_pieces,
                            .a = t->a,
                            .length = t->length,
                            .b = b,
                            .start = ch->call->bias && !block->resume ? ch->call->bias + column : NULL,
                            .resume = block->resume,
                            .c = t->c,
                            .column = column};
            if (valid == width)
                function(&job);
            else
                partial_tile(function, &job, t->height, width, valid);
        }
    }
}

/* The next block of the sum after `block`; false behind the last one. The first one comes from {0}. */
static bool next_block(const gather_class *g, sum_block *block)
{
    const bool begins = block->taps == 0;
    if (g->k <= K_BLOCK) {
        int64_t most = K_BLOCK / g->k < TAPS_NEAR ? K_BLOCK / g->k : TAPS_NEAR;
        const int64_t blocks = (g->taps + most - 1) / most;
        most = (g->taps + blocks - 1) / blocks;
        block->first += block->taps;
        block->taps = g->taps - block->first < most ? g->taps - block->first : most;
        block->k = g->k;
        block->last = block->first + block->taps == g->taps;
    } else {
        const int64_t parts = (g->k + K_BLOCK - 1) / K_BLOCK, most = (g->k + parts - 1) / parts;
        block->channel += block->k;
        if (block->channel == g->k) {
            block->channel = 0;
            block->first++;
        }
        block->taps = block->first < g->taps;
        block->k = g->k - block->channel < most ? g->k - block->channel : most;
        block->last = block->first == g->taps - 1 && block->channel + block->k == g->k;
    }
    block->resume = !begins;
    return block->taps > 0;
}

static void activate_rows(const locum_convolution_call *call, int64_t n, int64_t width, float *const *c)
{
    if (call->activation == LOCUM_ACT_NONE) return;
    for (int64_t r = 0, count; r < n; r += count) { /* runs of rows at an even distance */
        for (count = 1; r + count < n && c[r + count] == c[r] + count * call->c_stride;) count++;
        LOCUM_KERNEL(locum_activate)(call->activation, count, width, c[r], call->c_stride);
    }
}

/* A class that no tap reaches has the bias alone. */
static void run_class(const locum_convolution_call *call, const gather_class *g, const float *packed)
{
    const int64_t rows = call->batch * g->axis[0].points * g->axis[1].points * g->axis[2].points;
    chunk ch = {.call = call, .g = g};
    for (int64_t first = 0; first < rows; first += CHUNK) {
        const int64_t n = rows - first < CHUNK ? rows - first : CHUNK;
        sum_block block = {0};
        ch.block = &block;
        bool more = g->taps > 0 && next_block(g, &block);
        do {
            if (first == 0 || block.resume || !block.last) find_pieces(&ch); /* one block: they stay */
            fill_chunk(&ch, first, n);
            run_panels(&ch, packed);
            more = more && next_block(g, &block);
        } while (more);
        activate_rows(call, n, g->n, ch.c);
    }
}

void LOCUM_KERNEL(locum_convolution)(const locum_convolution_call *call)
{
    int64_t residue[3] = {0};
    const float *packed = call->packed;
    if (plain(call->shape, call->input)) {
        locum_reference_convolution(call);
        return;
    }
    do {
        const gather_class g = class_at(call->shape, call->input, residue);
        run_class(call, &g, packed);
        packed += class_count(&g);
    } while (next_class(call->shape, call->input, residue));
}
