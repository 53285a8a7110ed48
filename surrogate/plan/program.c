/* SPDX-License-Identifier: BSD-3-Clause */
/* program.c - elementwise works and sums over one iteration space as one tile program.
 *
 *     streams   what is read (views of stored values), stored, summed; strides per dim, then per merged loop
 *     code      a load at the first use of a stream, one line a work, a store right behind the work it is of
 *     loops     outer, outer, rows, columns: any order of the merged loops that keeps the last one
 *
 * A product of two values that is only added to is one line (MULTIPLY_ADD). Registers are handed out first free, in
 * order; a result may take the register of an operand that is read for the last time. */
#include "surrogate/plan/internal.h"

#include <string.h>

enum { LINES_MAX = 64, OPERANDS_MAX = 3, CODE_MAX = sizeof((plan_program *)0)->code / sizeof(locum_tile_step) };

/* One work of the cluster, before registers. */
typedef struct line {
    const plan_work *work;
    int32_t op, n_in;
    int32_t in[OPERANDS_MAX];  /* values */
    bool inside[OPERANDS_MAX]; /* made by a line of this cluster, else read from a stream */
    bool stored, folded;       /* folded: its reader does it */
} line;

typedef struct builder {
    const plan_compiler *c;
    plan_program *p;
    line lines[LINES_MAX];
    int n_lines;
    struct {
        int32_t key, last, reg;
        bool held;
    } items[LINES_MAX + LOCUM_TILE_STREAMS * 2]; /* what registers can hold */
    int n_items;
    bool busy[LOCUM_TILE_REGISTERS];
} builder;

bool locum_plan_reads_whole(const plan_compiler *c, int32_t value)
{
    const plan_value *v = &c->values[value], *base = &c->values[v->base];
    return v->offset == 0 && locum_plan_contiguous(v) && locum_plan_count(v) == base->count &&
           v->symbol == base->symbol;
}

static const plan_work *maker_inside(const plan_compiler *c, int n, const int32_t *works, const plan_work *reader,
                                     int32_t value)
{
    const int32_t base = locum_plan_base(c, reader, value);
    for (int i = 0; i < n; i++) {
        const plan_work *w = &c->works[works[i]];
        if (w->out == base && w->kind == WORK_ELEMENT) return w;
    }
    return NULL;
}

/* Is the value read by anything but lines of this cluster? */
static bool read_outside(const plan_compiler *c, int32_t base, int n, const int32_t *works)
{
    if (c->values[base].output >= 0) return true;
    for (int32_t u = c->first_user[base]; u >= 0; u = c->users[u].next) {
        bool inside = false;
        for (int i = 0; i < n && !inside; i++) inside = works[i] == c->users[u].work;
        if (!inside) return true;
    }
    return false;
}

static bool make_lines(builder *b, int n, const int32_t *works)
{
    const plan_compiler *c = b->c;
    if (n > LINES_MAX) return false;
    for (int i = 0; i < n; i++) {
        const plan_work *w = &c->works[works[i]];
        line *l = &b->lines[b->n_lines++];
        *l = (line){.work = w, .op = w->tile_op, .n_in = w->n_in};
        for (int k = 0; k < w->n_in; k++) {
            l->in[k] = w->in[k];
            l->inside[k] = maker_inside(c, n, works, w, w->in[k]) != NULL;
            if (l->inside[k] && !locum_plan_reads_whole(c, w->in[k])) return false;
        }
        l->stored = w->kind == WORK_ELEMENT && read_outside(c, w->out, n, works);
    }
    return true;
}

static line *line_of(builder *b, int32_t base)
{
    for (int i = 0; i < b->n_lines; i++)
        if (b->lines[i].work->out == base) return &b->lines[i];
    return NULL;
}

static int reads_of(const builder *b, int32_t base)
{
    int reads = 0;
    for (int i = 0; i < b->n_lines; i++)
        for (int k = 0; k < b->lines[i].n_in; k++)
            reads += b->lines[i].inside[k] && b->c->values[b->lines[i].in[k]].base == base;
    return reads;
}

/* add(multiply(x, y), z) -> multiply_add(x, y, z) where nothing else reads the product. */
static void fold_multiply_add(builder *b)
{
    for (int i = 0; i < b->n_lines; i++) {
        line *add = &b->lines[i];
        if (add->op != LOCUM_TILE_ADD || add->work->kind != WORK_ELEMENT) continue;
        for (int k = 0; k < 2; k++) {
            const int32_t base = b->c->values[add->in[k]].base;
            line *product = add->inside[k] ? line_of(b, base) : NULL;
            if (!product || product->op != LOCUM_TILE_MULTIPLY || product->stored || reads_of(b, base) != 1) continue;
            const int32_t other = add->in[1 - k];
            const bool other_inside = add->inside[1 - k];
            memcpy(add->in, product->in, 2 * sizeof *add->in);
            memcpy(add->inside, product->inside, 2 * sizeof *add->inside);
            add->in[2] = other;
            add->inside[2] = other_inside;
            add->op = LOCUM_TILE_MULTIPLY_ADD;
            add->n_in = 3;
            product->folded = true;
            product->n_in = 0;
            break;
        }
    }
}

/* --- streams ----------------------------------------------------------------------------------------------------- */

/* The stream of a view; -1 = too many. Two views are one stream if they walk the same way. */
static int stream_of(builder *b, const plan_value *v, int32_t value, int stored, const int64_t *stride)
{
    plan_program *p = b->p;
    for (int s = 0; s < p->n_streams && !stored; s++) {
        const plan_value *u = &b->c->values[p->value[s]];
        if (!p->stored[s] && u->base == v->base && u->offset == v->offset &&
            memcmp(p->stride[s], stride, sizeof p->stride[s]) == 0)
            return s;
    }
    if (p->n_streams == LOCUM_TILE_STREAMS) return -1;
    const int s = p->n_streams++;
    p->value[s] = value;
    p->stored[s] = stored;
    memcpy(p->stride[s], stride, sizeof p->stride[s]);
    return s;
}

/* Strides of v along the dims that are more than one, so that [n, 1, m] and [n, m] are the same space. */
static void real_strides(const plan_value *v, const int64_t *of, int64_t *real)
{
    int n = 0;
    memset(real, 0, LOCUM_DIMS_MAX * sizeof *real);
    for (int i = 0; i < v->n_dims; i++)
        if (v->dims[i] != 1 || (i == 0 && v->symbol >= 0)) real[n++] = of[i];
}

/* --- registers --------------------------------------------------------------------------------------------------- */

enum { KEY_STREAM = 1 << 24 };

static int item_of(builder *b, int32_t key)
{
    for (int i = 0; i < b->n_items; i++)
        if (b->items[i].key == key) return i;
    if (b->n_items == (int)(sizeof b->items / sizeof b->items[0])) return -1;
    b->items[b->n_items].key = key;
    b->items[b->n_items].held = false;
    b->items[b->n_items].last = -1;
    return b->n_items++;
}

static int32_t key_of(builder *b, const line *l, int k)
{
    const plan_value *v = &b->c->values[l->in[k]];
    if (l->inside[k]) return v->base;
    int64_t stride[LOCUM_DIMS_MAX];
    real_strides(v, v->stride, stride);
    const int s = stream_of(b, v, l->in[k], 0, stride);
    return s < 0 ? -1 : KEY_STREAM + s;
}

/* When is each item read for the last time? Also makes the streams that are read. */
static bool last_reads(builder *b)
{
    for (int i = 0; i < b->n_lines; i++) {
        const line *l = &b->lines[i];
        for (int k = 0; k < l->n_in; k++) {
            const int32_t key = key_of(b, l, k);
            const int item = key < 0 ? -1 : item_of(b, key);
            if (item < 0) return false;
            b->items[item].last = i;
        }
    }
    return true;
}

static int take_register(builder *b)
{
    for (int r = 0; r < LOCUM_TILE_REGISTERS; r++) {
        if (b->busy[r]) continue;
        b->busy[r] = true;
        if (r + 1 > b->p->registers) b->p->registers = r + 1;
        return r;
    }
    return -1;
}

static bool add_code(plan_program *p, locum_tile_step step)
{
    if (p->n_code == CODE_MAX) return false;
    p->code[p->n_code++] = step;
    return true;
}

/* The register that holds operand k; loads it if it is new. */
static int operand_register(builder *b, const line *l, int k)
{
    const int32_t key = key_of(b, l, k);
    const int item = item_of(b, key);
    if (b->items[item].held) return b->items[item].reg;
    const int reg = take_register(b);
    if (reg < 0 || key < KEY_STREAM) return -1;
    float constant;
    const int stream = key - KEY_STREAM;
    locum_tile_step step = {.op = LOCUM_TILE_LOAD, .dst = (uint8_t)reg, .a = (uint8_t)stream};
    if (locum_plan_is_scalar(b->c, l->in[k], &constant))
        step = (locum_tile_step){.op = LOCUM_TILE_CONST, .dst = (uint8_t)reg, .imm0 = constant};
    b->p->when[stream] = b->p->n_code;
    b->items[item].held = true;
    b->items[item].reg = reg;
    return add_code(b->p, step) ? reg : -1;
}

static void release_after(builder *b, int at)
{
    for (int i = 0; i < b->n_items; i++) {
        if (!b->items[i].held || b->items[i].last > at) continue;
        b->items[i].held = false;
        b->busy[b->items[i].reg] = false;
    }
}

static bool emit_store(builder *b, const line *l, int kind, uint8_t op, int reg)
{
    const plan_value *out = &b->c->values[l->work->out], *in = &b->c->values[l->work->in[0]];
    int64_t stride[LOCUM_DIMS_MAX], of[LOCUM_DIMS_MAX];
    memcpy(of, out->inside >= 0 ? b->c->values[out->inside].stride : out->stride, sizeof of);
    if (kind == 2) locum_plan_sum_strides(in, out, of);
    real_strides(kind == 2 ? in : out, of, stride);
    const int s = stream_of(b, out, l->work->out, kind, stride);
    if (s < 0) return false;
    b->p->when[s] = b->p->n_code;
    return add_code(b->p, (locum_tile_step){.op = op, .a = (uint8_t)s, .b = (uint8_t)reg});
}

static bool emit_line(builder *b, int at)
{
    const line *l = &b->lines[at];
    int reg[OPERANDS_MAX] = {0};
    if (l->folded) return true;
    for (int k = 0; k < l->n_in; k++)
        if ((reg[k] = operand_register(b, l, k)) < 0) return false;
    if (l->work->kind == WORK_SUM) {
        const bool done = emit_store(b, l, 2, LOCUM_TILE_SUM_ROWS, reg[0]); /* which sum is known after merging */
        release_after(b, at);
        return done;
    }
    release_after(b, at);
    const int dst = take_register(b), item = item_of(b, l->work->out);
    if (dst < 0 || item < 0) return false;
    b->items[item].held = true;
    b->items[item].reg = dst;
    if (!add_code(b->p, (locum_tile_step){.op = (uint8_t)l->op,
                                          .dst = (uint8_t)dst,
                                          .a = (uint8_t)reg[0],
                                          .b = (uint8_t)reg[1],
                                          .c = (uint8_t)reg[2],
                                          .imm0 = l->work->imm0,
                                          .imm1 = l->work->imm1}))
        return false;
    if (l->stored && !emit_store(b, l, 1, LOCUM_TILE_STORE, dst)) return false;
    release_after(b, at);
    return true;
}

/* --- loops ------------------------------------------------------------------------------------------------------- */

/* Streams that became immediates are dropped. */
static void drop_constants(builder *b)
{
    plan_program *p = b->p;
    int to[LOCUM_TILE_STREAMS], n = 0;
    for (int s = 0; s < p->n_streams; s++) {
        float constant;
        to[s] = n;
        if (!p->stored[s] && locum_plan_is_scalar(b->c, p->value[s], &constant)) continue;
        p->value[n] = p->value[s];
        p->stored[n] = p->stored[s];
        p->when[n] = p->when[s];
        memmove(p->stride[n], p->stride[s], sizeof p->stride[n]);
        n++;
    }
    p->n_streams = n;
    for (int i = 0; i < p->n_code; i++) {
        const int op = p->code[i].op;
        if (op == LOCUM_TILE_LOAD || op == LOCUM_TILE_STORE || op == LOCUM_TILE_SUM_ROWS)
            p->code[i].a = (uint8_t)to[p->code[i].a];
    }
}

/* Which of n merged loops a sum leaves out, as bits. */
static unsigned summed_loops(const plan_program *p, int s, int n)
{
    unsigned loops = 0;
    for (int i = 0; i < n; i++) loops |= (unsigned)(p->stride[s][i] == 0) << i;
    return loops;
}

/* Settles the sums: over the last loop alone, or over others, which then must be the same for all of them. Returns
 * those others; ~0 = sums that the kernel does not have. */
static unsigned settle_sums(plan_program *p, int n)
{
    unsigned over_rows = 0;
    for (int i = 0; i < p->n_code; i++) {
        locum_tile_step *step = &p->code[i];
        if (step->op != LOCUM_TILE_SUM_ROWS) continue;
        const unsigned loops = summed_loops(p, step->a, n);
        if (loops == 1u << (n - 1)) {
            p->stored[step->a] = 3;
            continue;
        }
        if (loops >> (n - 1) || loops == 0 || (over_rows && over_rows != loops)) return ~0u;
        over_rows = loops;
        p->stored[step->a] = 2;
        step->op = LOCUM_TILE_SUM_COLUMNS;
    }
    return over_rows;
}

/* The loop that becomes the kernel's rows: the summed one, else the longest but the last; -1 = the sums do not allow
 * it. Several summed loops keep their order, so that sums do not depend on panels. */
static int rows_loop(const builder *b, const plan_value *space, int n, const int64_t *dims, unsigned over_rows)
{
    int rows = n - 2;
    int64_t longest = 0;
    for (int i = 0; i < n - 1; i++) {
        if (over_rows == 1u << i) return i;
        const int64_t times = space->symbol >= 0 && i == 0 ? b->c->options->capacity[space->symbol] : 1;
        if (dims[i] * times >= longest) {
            longest = dims[i] * times;
            rows = i;
        }
    }
    if (over_rows) return over_rows >> (n - 2) & 1 ? n - 2 : -1;
    return rows;
}

/* Merges dims into at most four loops (outer, outer, rows, columns) and settles the sums. */
static bool merge_loops(builder *b, const plan_value *space)
{
    plan_program *p = b->p;
    int64_t dims[LOCUM_DIMS_MAX];
    int n = 0, from[4] = {-1, -1, -1, -1}; /* which merged loop is which of the four */
    for (int i = 0; i < space->n_dims; i++)
        if (space->dims[i] != 1 || (i == 0 && space->symbol >= 0)) dims[n++] = space->dims[i];
    n = locum_plan_merge(n, dims, space->symbol >= 0, p->n_streams, p->stride);
    if (n > 4) return false;
    const unsigned over_rows = n ? settle_sums(p, n) : 0;
    const int rows = n < 2 ? -1 : over_rows == ~0u ? -2 : rows_loop(b, space, n, dims, over_rows);
    if (over_rows == ~0u || (n >= 2 && rows < 0)) return false;
    if (n > 0) from[3] = n - 1;
    from[2] = rows;
    for (int i = n - 2, at = 1; i >= 0; i--)
        if (i != rows) from[at--] = i;
    p->symbolic = -1;
    for (int k = 0; k < 4; k++) {
        p->loops[k] = from[k] < 0 ? 1 : dims[from[k]];
        if (from[k] == 0 && space->symbol >= 0) p->symbolic = k;
    }
    for (int s = 0; s < p->n_streams; s++) {
        int64_t ordered[LOCUM_DIMS_MAX] = {0};
        for (int k = 0; k < 4; k++) ordered[k] = from[k] < 0 ? 0 : p->stride[s][from[k]];
        memcpy(p->stride[s], ordered, sizeof ordered);
    }
    return true;
}

bool locum_plan_program(const plan_compiler *c, int n, const int32_t *works, plan_program *program)
{
    builder b = {.c = c, .p = program};
    program->n_streams = program->n_code = program->registers = 0;
    if (!make_lines(&b, n, works)) return false;
    fold_multiply_add(&b);
    if (!last_reads(&b)) return false;
    for (int i = 0; i < b.n_lines; i++)
        if (!emit_line(&b, i)) return false;
    drop_constants(&b);
    const plan_work *w = b.lines[0].work;
    return merge_loops(&b, &c->values[w->kind == WORK_SUM ? w->in[0] : w->out]);
}
