/* SPDX-License-Identifier: BSD-3-Clause */
/* tile.c - the interpreter of tile programs: elementwise steps over rows x columns, a tile of at most LOCUM_TILE_VALUES
 * values at a time, so that intermediate values never leave the caches.
 *
 *     region          tiles: whole rows where they are short         or a run of columns, all rows below each other
 *     +--------+      [rows 0-15 ]                                   [c 0-1023][c 1024-2047]
 *     | rows x |  ->  [rows 16-31]
 *     | columns|      ...
 * An operand of a tile is (pointer, pitch): row r begins at pointer + r pitch. It lies in scratch (pitch = columns of
 * the tile) or is the caller's memory itself: loads of contiguous columns are not copied, nor is a value that is stored
 * by the very next step (bind() decides which; a register loaded from memory that a later STORE overwrites is copied if
 * it is used after it). A region whose streams are all contiguous, or all constant, is walked as one long row.
 *
 * Sums (the contract that plans rely on):
 *   SUM_COLUMNS  rows in groups of LOCUM_SUM_BLOCK = 8 from the first row of the call; a group is added as the tree
 *                ((0+1)+(2+3))+((4+5)+(6+7)), missing rows left out, and its sum is added to the stream. So a call that
 *                is split at multiples of 8 rows gives the same bits as the whole.
 *   SUM_ROWS     columns in blocks of 128: LANES running sums, added as a tree; block sums in order. Depends on the
 *                number of columns alone.
 * Contract for overlaps: a stored stream is disjoint from a loaded one, or both are the same elements (in place); a
 * stream that a sum writes is not read by the same call. */
#include "surrogate/kernels/elementary.h"
#include "surrogate/kernels/elementwise.h"

#define VALUES LOCUM_TILE_VALUES
#define SUM_COLUMNS_WIDTH (VALUES / LOCUM_SUM_BLOCK)
#define ROW_SUM_BLOCK 128
#define STEPS_BOUND 256 /* steps that bind() looks at; later ones are copied */
#define PITCHED_MIN 32  /* shorter rows are gathered into scratch, so that loops run over the tile as a whole */

enum { IN_MEMORY = 1 }; /* LOAD: no copy; other steps: write where the next step stores */

typedef struct operand {
    float *p;
    int64_t pitch;
} operand;

typedef struct tile_frame {
    const locum_tile_call *call;
    int64_t rows, columns;                  /* of the region, flattened where possible */
    int flat;                               /* streams are (0, column_stride), one row */
    int64_t row, column, n_rows, n_columns; /* the tile */
    uint8_t how[STEPS_BOUND];
    operand registers[LOCUM_TILE_REGISTERS];
} tile_frame;

/* --- which operands an operator reads --------------------------------------------------------------------------------
 */
static int n_operands(int op)
{
    if (op == LOCUM_TILE_LOAD || op == LOCUM_TILE_CONST || op == LOCUM_TILE_STORE || op >= LOCUM_TILE_SUM_COLUMNS)
        return 0;
    if (op == LOCUM_TILE_SELECT || op == LOCUM_TILE_MULTIPLY_ADD) return 3;
    return op >= LOCUM_TILE_ADD && op <= LOCUM_TILE_GREATER ? 2 : 1;
}

/* STORE and the sums name a stream in a and read register b */
static int takes_stream(int op)
{
    return op == LOCUM_TILE_STORE || op == LOCUM_TILE_SUM_COLUMNS || op == LOCUM_TILE_SUM_ROWS;
}

static int reads(const locum_tile_step *step, int reg)
{
    int n = n_operands(step->op);
    if (takes_stream(step->op)) return step->b == reg;
    return (n > 0 && step->a == reg) || (n > 1 && step->b == reg) || (n > 2 && step->c == reg);
}

/* --- what needs no copy ----------------------------------------------------------------------------------------------
 */
static int overlap(const locum_tile_call *call, const locum_tile_stream *x, const locum_tile_stream *y)
{
    uintptr_t low[2], high[2];
    const locum_tile_stream *s[2] = {x, y};
    for (int i = 0; i < 2; i++) {
        int64_t row = (call->rows - 1) * s[i]->row_stride, column = (call->columns - 1) * s[i]->column_stride;
        low[i] = (uintptr_t)(s[i]->data + (row < 0 ? row : 0) + (column < 0 ? column : 0));
        high[i] = (uintptr_t)(s[i]->data + (row > 0 ? row : 0) + (column > 0 ? column : 0) + 1);
    }
    return low[0] < high[1] && low[1] < high[0];
}

/* The register that step `from` defines from `stream` stays valid in memory: no later STORE but `own` overwrites the
 * memory and is followed by a use of the register. */
static int survives(const locum_tile_call *call, int from, int own, int reg, const locum_tile_stream *stream)
{
    int overwritten = 0;
    for (int j = from + 1; j < call->n_steps; j++) {
        const locum_tile_step *step = call->steps + j;
        if (overwritten && reads(step, reg)) return 0;
        if (step->op == LOCUM_TILE_STORE) {
            if (j != own && overlap(call, stream, call->streams + step->a)) overwritten = 1;
        } else if (!takes_stream(step->op) && step->dst == reg) {
            return 1;
        }
    }
    return 1;
}

static void bind(tile_frame *frame)
{
    const locum_tile_call *call = frame->call;
    for (int i = 0; i < call->n_steps && i < STEPS_BOUND; i++) {
        const locum_tile_step *step = call->steps + i, *next = step + 1;
        frame->how[i] = 0;
        if (step->op == LOCUM_TILE_LOAD) {
            const locum_tile_stream *stream = call->streams + step->a;
            if (stream->column_stride == 1 || call->columns == 1)
                frame->how[i] = (uint8_t)survives(call, i, -1, step->dst, stream);
        } else if (n_operands(step->op) > 0 && i + 1 < call->n_steps && next->op == LOCUM_TILE_STORE &&
                   next->b == step->dst) {
            const locum_tile_stream *stream = call->streams + next->a;
            if (stream->column_stride == 1 && (stream->row_stride != 0 || call->rows == 1))
                frame->how[i] = (uint8_t)survives(call, i, i + 1, step->dst, stream);
        }
    }
}

/* One long row: every stream contiguous over the region or one value, and no sums. */
static int flattens(const locum_tile_call *call)
{
    if (call->rows == 1) return 0;
    for (int i = 0; i < call->n_steps; i++) {
        const locum_tile_step *step = call->steps + i;
        if (step->op >= LOCUM_TILE_SUM_COLUMNS) return 0;
        if (step->op != LOCUM_TILE_LOAD && step->op != LOCUM_TILE_STORE) continue;
        const locum_tile_stream *s = call->streams + step->a;
        int constant = s->row_stride == 0 && (s->column_stride == 0 || call->columns == 1);
        int contiguous = s->row_stride == call->columns && (s->column_stride == 1 || call->columns == 1);
        if (!constant && !contiguous) return 0;
    }
    return 1;
}

/* --- operators on a run of n values ----------------------------------------------------------------------------------
 */
static void run3(const locum_tile_step *step, int64_t n, const float *x, const float *z, const float *u, float *y)
{
    switch (step->op) {
    case LOCUM_TILE_ADD: MAP2(n, x, z, y, a + b); break;
    case LOCUM_TILE_SUBTRACT: MAP2(n, x, z, y, a - b); break;
    case LOCUM_TILE_MULTIPLY: MAP2(n, x, z, y, a * b); break;
    case LOCUM_TILE_DIVIDE: MAP2(n, x, z, y, a / b); break;
    case LOCUM_TILE_MAXIMUM: MAP2(n, x, z, y, max_(a, b)); break;
    case LOCUM_TILE_MINIMUM: MAP2(n, x, z, y, min_(a, b)); break;
    case LOCUM_TILE_GREATER: MAP2(n, x, z, y, select_((vi)(a > b), splat(1.0f), splat(0.0f))); break;
    case LOCUM_TILE_SELECT: MAP3(n, x, z, u, y, select_((vi)(a != splat(0.0f)), b, c)); break;
    case LOCUM_TILE_MULTIPLY_ADD: MAP3(n, x, z, u, y, fma_(a, b, c)); break;
    case LOCUM_TILE_SCALE: MAP1(n, x, y, fma_(splat(step->imm0), a, splat(step->imm1))); break;
    case LOCUM_TILE_POWER: MAP1(n, x, y, power_(a, step->imm0)); break;
    default: LOCUM_KERNEL(locum_unary)(step->op, n, x, y); break;
    }
}

static float *register_memory(const tile_frame *frame, int reg)
{
    return frame->call->scratch + (int64_t)reg * VALUES;
}

static locum_tile_stream stream_at(const tile_frame *frame, int index)
{
    locum_tile_stream s = frame->call->streams[index];
    if (frame->flat) {
        s.column_stride = s.row_stride == 0 ? 0 : 1;
        s.row_stride = 0;
    }
    s.data += frame->row * s.row_stride + frame->column * s.column_stride;
    return s;
}

static void compute(tile_frame *frame, const locum_tile_step *step, int in_memory)
{
    operand to = {register_memory(frame, step->dst), frame->n_columns}, x = frame->registers[step->a];
    int n = n_operands(step->op);
    operand z = n > 1 ? frame->registers[step->b] : x, u = n > 2 ? frame->registers[step->c] : x;
    if (in_memory) {
        locum_tile_stream s = stream_at(frame, step[1].a);
        to = (operand){s.data, s.row_stride};
    }
    int64_t rows = frame->n_rows, w = frame->n_columns;
    if (rows == 1 || (x.pitch == w && z.pitch == w && u.pitch == w && to.pitch == w))
        run3(step, rows * w, x.p, z.p, u.p, to.p);
    else
        for (int64_t r = 0; r < rows; r++)
            run3(step, w, x.p + r * x.pitch, z.p + r * z.pitch, u.p + r * u.pitch, to.p + r * to.pitch);
    frame->registers[step->dst] = to;
}

/* --- memory
 * ------------------------------------------------------------------------------------------------------------ */
static void fill(float *to, int64_t n, float value)
{
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES) store(to + i, splat(value));
    for (; i < n; i++) to[i] = value;
}

static void load_stream(tile_frame *frame, const locum_tile_step *step, int in_memory)
{
    locum_tile_stream s = stream_at(frame, step->a);
    int64_t rows = frame->n_rows, w = frame->n_columns;
    int contiguous = s.column_stride == 1 || w == 1;
    float *to = register_memory(frame, step->dst);

    frame->registers[step->dst] = (operand){to, w};
    if (in_memory && contiguous && (rows == 1 || s.row_stride == w || w >= PITCHED_MIN)) {
        frame->registers[step->dst] = (operand){s.data, s.row_stride};
    } else if (s.column_stride == 0 && s.row_stride == 0) {
        fill(to, rows * w, *s.data);
    } else if (s.column_stride == 0) {
        for (int64_t r = 0; r < rows; r++) fill(to + r * w, w, s.data[r * s.row_stride]);
    } else if (contiguous) {
        for (int64_t r = 0; r < rows; r++)
            for (int64_t c = 0; c < w; c++) to[r * w + c] = s.data[r * s.row_stride + c];
    } else {
        for (int64_t r = 0; r < rows; r++)
            for (int64_t c = 0; c < w; c++) to[r * w + c] = s.data[r * s.row_stride + c * s.column_stride];
    }
}

static void store_stream(tile_frame *frame, const locum_tile_step *step)
{
    locum_tile_stream s = stream_at(frame, step->a);
    operand x = frame->registers[step->b];
    for (int64_t r = 0; r < frame->n_rows; r++) {
        if (s.column_stride == 1)
            memmove(s.data + r * s.row_stride, x.p + r * x.pitch, (size_t)frame->n_columns * sizeof(float));
        else
            for (int64_t c = 0; c < frame->n_columns; c++)
                s.data[r * s.row_stride + c * s.column_stride] = x.p[r * x.pitch + c];
    }
}

/* --- sums
 * -------------------------------------------------------------------------------------------------------------- */
/* the tree over m <= 8 rows, missing rows left out */
INLINE vf group_tree(vf *row, int64_t m)
{
    UNROLL for (int w = 1; w < LOCUM_SUM_BLOCK; w *= 2) UNROLL for (int i = 0; i + w < LOCUM_SUM_BLOCK; i += 2 * w)
    {
        if (i + w < m) row[i] += row[i + w];
    }
    return row[0];
}

/* sum of rows of one vector of columns, added to `sum` group by group */
INLINE vf sum_groups(vf sum, const operand *x, int64_t rows, int64_t column, int64_t valid)
{
    int64_t r = 0;
    const float *from = x->p + column;
    vf row[LOCUM_SUM_BLOCK];

    if (valid == LANES)
        for (; r + LOCUM_SUM_BLOCK <= rows; r += LOCUM_SUM_BLOCK, from += LOCUM_SUM_BLOCK * x->pitch) {
            UNROLL for (int i = 0; i < LOCUM_SUM_BLOCK; i++) row[i] = load(from + i * x->pitch);
            sum += group_tree(row, LOCUM_SUM_BLOCK);
        }
    for (; r < rows; r += LOCUM_SUM_BLOCK) {
        int64_t m = rows - r < LOCUM_SUM_BLOCK ? rows - r : LOCUM_SUM_BLOCK;
        for (int64_t i = 0; i < LOCUM_SUM_BLOCK; i++) row[i] = splat(0.0f);
        for (int64_t i = 0; i < m; i++, from += x->pitch) row[i] = valid == LANES ? load(from) : load_part(from, valid);
        sum += group_tree(row, m);
    }
    return sum;
}

static void sum_columns(const tile_frame *frame, const locum_tile_step *step)
{
    locum_tile_stream s = frame->call->streams[step->a];
    operand x = frame->registers[step->b];
    s.data += frame->column * s.column_stride;
    for (int64_t c = 0; c < frame->n_columns; c += LANES) {
        int64_t valid = frame->n_columns - c < LANES ? frame->n_columns - c : LANES;
        float lane[LANES] = {0};
        for (int64_t j = 0; j < valid; j++) lane[j] = s.data[(c + j) * s.column_stride];
        store(lane, sum_groups(load(lane), &x, frame->n_rows, c, valid));
        for (int64_t j = 0; j < valid; j++) s.data[(c + j) * s.column_stride] = lane[j];
    }
}

static float block_sum(const float *x, int64_t n)
{
    vf sum = splat(0.0f);
    float lane[LANES];
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES) sum += load(x + i);
    if (i < n) sum += load_part(x + i, n - i);
    store(lane, sum);
    for (int w = LANES / 2; w > 0; w /= 2)
        for (int j = 0; j < w; j++) lane[j] += lane[j + w];
    return lane[0];
}

static void sum_rows(const tile_frame *frame, const locum_tile_step *step)
{
    locum_tile_stream s = frame->call->streams[step->a];
    operand x = frame->registers[step->b];
    for (int64_t r = 0; r < frame->n_rows; r++) {
        float *to = s.data + (frame->row + r) * s.row_stride;
        for (int64_t c = 0; c < frame->n_columns; c += ROW_SUM_BLOCK) {
            int64_t n = frame->n_columns - c < ROW_SUM_BLOCK ? frame->n_columns - c : ROW_SUM_BLOCK;
            float sum = block_sum(x.p + r * x.pitch + c, n);
            *to = frame->column + c == 0 ? sum : *to + sum;
        }
    }
}

/* --- the program
 * ------------------------------------------------------------------------------------------------------- */
static void run_tile(tile_frame *frame)
{
    const locum_tile_call *call = frame->call;
    for (int i = 0; i < call->n_steps; i++) {
        const locum_tile_step *step = call->steps + i;
        int in_memory = i < STEPS_BOUND ? frame->how[i] : 0;
        switch (step->op) {
        case LOCUM_TILE_LOAD: load_stream(frame, step, in_memory); break;
        case LOCUM_TILE_STORE:
            if (i == 0 || i > STEPS_BOUND || step[-1].op == LOCUM_TILE_LOAD || !frame->how[i - 1])
                store_stream(frame, step);
            break;
        case LOCUM_TILE_CONST:
            frame->registers[step->dst] = (operand){register_memory(frame, step->dst), frame->n_columns};
            fill(register_memory(frame, step->dst), frame->n_rows * frame->n_columns, step->imm0);
            break;
        case LOCUM_TILE_SUM_COLUMNS: sum_columns(frame, step); break;
        case LOCUM_TILE_SUM_ROWS: sum_rows(frame, step); break;
        default: compute(frame, step, in_memory); break;
        }
    }
}

void LOCUM_KERNEL(locum_tile)(const locum_tile_call *call)
{
    tile_frame frame;
    int64_t width = VALUES, height;

    if (call->rows <= 0 || call->columns <= 0) return;
    frame.call = call;
    frame.flat = flattens(call);
    frame.rows = frame.flat ? 1 : call->rows;
    frame.columns = frame.flat ? call->rows * call->columns : call->columns;
    bind(&frame);
    for (int i = 0; i < call->n_steps; i++)
        if (call->steps[i].op == LOCUM_TILE_SUM_COLUMNS) width = SUM_COLUMNS_WIDTH;
    if (width > frame.columns) width = frame.columns;
    height = VALUES / width;
    if (height > LOCUM_SUM_BLOCK) height = height / LOCUM_SUM_BLOCK * LOCUM_SUM_BLOCK;

    for (frame.column = 0; frame.column < frame.columns; frame.column += width) {
        frame.n_columns = frame.columns - frame.column < width ? frame.columns - frame.column : width;
        for (frame.row = 0; frame.row < frame.rows; frame.row += height) {
            frame.n_rows = frame.rows - frame.row < height ? frame.rows - frame.row : height;
            run_tile(&frame);
        }
    }
}
