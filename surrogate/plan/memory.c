/* SPDX-License-Identifier: BSD-3-Clause */
/* memory.c - where values lie: in the arena, one panel of it, or among the packed parameters.
 *
 *     time      clusters in the order of running; a value lives from its maker to its last reader, ends included
 *     panels    a value made and read within one group holds one panel; whole values that such a group touches live as
 *               long as the group, because every panel comes back to them. Panels are multiples of the kernels' blocks
 *               of rows: then sums over rows have the same bits for any panel
 *     places    largest value first, into the smallest gap among those that live at the same time
 *     in place  an elementwise result takes the memory of an operand that it alone reads last, element by element */
#include "surrogate/plan/internal.h"

#include <stdlib.h>

#define SIZE_LIMIT ((int64_t)1 << 40) /* floats of one value: sums of sizes cannot overflow */

enum {
    ALIGNMENT = 16,              /* floats of a cache line */
    PANEL_BYTES = 32768,         /* what a panel of small rows may use: about the first-level cache */
    LARGE_PANEL_BYTES = 1 << 20, /* for larger rows: between the second-level cache and a share of the third */
    PANEL_ROWS_MIN = 64,
    PANEL_ROWS_MAX = 256
};

static int64_t aligned(int64_t n)
{
    return (n + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

/* --- life -------------------------------------------------------------------------------------------------------- */

static locum_status make_programs(plan_compiler *c)
{
    c->programs = calloc((size_t)c->n_clusters + 1, sizeof *c->programs);
    LOCUM_REQUIRE(c->programs, LOCUM_MEMORY, "no memory to compile a plan");
    for (int32_t k = 0; k < c->n_clusters; k++) {
        const plan_cluster *cluster = &c->clusters[k];
        if (!cluster->tile) continue;
        LOCUM_REQUIRE(locum_plan_program(c, cluster->n, c->order + cluster->first, &c->programs[k]), LOCUM_INTERNAL,
                      "a cluster does not fit a tile program");
        for (int s = 0; s < c->programs[k].n_streams; s++)
            if (c->programs[k].stored[s])
                c->values[c->programs[k].value[s]].kept = c->values[c->programs[k].value[s]].inside < 0;
    }
    return LOCUM_OK;
}

static void set_life(plan_compiler *c, int32_t value)
{
    plan_value *v = &c->values[value];
    v->first_cluster = v->last_cluster = c->works[c->maker[value]].cluster;
    const int32_t group = c->clusters[v->first_cluster].group;
    bool one_group = v->symbol >= 0 && v->symbol == c->groups[group].symbol && v->output < 0 && !v->fixed;
    for (int32_t u = c->first_user[value]; u >= 0; u = c->users[u].next) {
        const plan_work *w = &c->works[c->users[u].work];
        if (w->fixed != v->fixed) continue; /* packed values outlive packing */
        if (w->cluster > v->last_cluster) v->last_cluster = w->cluster;
        one_group = one_group && c->clusters[w->cluster].group == group;
    }
    const plan_work *copy = &c->works[c->maker[value]]; /* its parts may be written before it runs */
    for (int32_t k = copy->first_part; k < copy->first_part + copy->n_parts; k++) {
        if (!c->parts[k].direct) continue;
        const int32_t cluster = c->works[c->maker[c->values[c->parts[k].from].base]].cluster;
        if (cluster < v->first_cluster) v->first_cluster = cluster;
        one_group = one_group && c->clusters[cluster].group == group;
    }
    v->scratch = one_group && c->groups[group].n_steps > 1;
}

static void set_lives(plan_compiler *c)
{
    for (int32_t i = 0; i < c->n_values; i++) {
        if (c->values[i].base != i || c->maker[i] < 0) continue;
        const int kind = c->works[c->maker[i]].kind;
        if (kind != WORK_ELEMENT && kind != WORK_SUM) c->values[i].kept = c->values[i].inside < 0;
        if (c->values[i].kept) set_life(c, i);
    }
}

/* --- panels ------------------------------------------------------------------------------------------------------ */

/* Most bytes a unit that are alive at once in each group's scratch: most [n_groups]. */
static locum_status scratch_per_unit(const plan_compiler *c, int64_t *most)
{
    int64_t *change = calloc((size_t)c->n_clusters + 2, sizeof *change);
    LOCUM_REQUIRE(change, LOCUM_MEMORY, "no memory to compile a plan");
    for (int32_t i = 0; i < c->n_values; i++) {
        const plan_value *v = &c->values[i];
        if (v->base != i || !v->kept || !v->scratch) continue;
        change[v->first_cluster] += v->count;
        change[v->last_cluster + 1] -= v->count;
    }
    int64_t alive = 0;
    for (int32_t k = 0; k < c->n_clusters; k++) {
        const int32_t group = c->clusters[k].group;
        alive += change[k];
        if (alive * (int64_t)sizeof(float) > most[group]) most[group] = alive * (int64_t)sizeof(float);
    }
    free(change);
    return LOCUM_OK;
}

static int64_t choose_panel(const plan_compiler *c, int32_t group, int64_t scratch_bytes)
{
    const plan_group *g = &c->groups[group];
    const int64_t whole = g->symbol < 0 ? 1 : c->options->capacity[g->symbol] > 0 ? c->options->capacity[g->symbol] : 1;
    if (g->symbol < 0 || g->n_steps < 2) return whole;
    int64_t rows = c->options->panel_rows;
    if (rows <= 0) {
        const int64_t bytes = scratch_bytes + 1;
        rows = PANEL_BYTES / bytes;
        if (rows < PANEL_ROWS_MIN) rows = PANEL_ROWS_MIN;
        if (rows > LARGE_PANEL_BYTES / bytes) rows = LARGE_PANEL_BYTES / bytes > 1 ? LARGE_PANEL_BYTES / bytes : 1;
        if (rows > PANEL_ROWS_MAX) rows = PANEL_ROWS_MAX;
        const int64_t block = rows >= LOCUM_ROW_BLOCK ? LOCUM_ROW_BLOCK : rows >= LOCUM_SUM_BLOCK ? LOCUM_SUM_BLOCK : 1;
        rows -= rows % block; /* so that sums over rows have the same bits for any panel */
    }
    return rows < whole ? rows : whole;
}

/* Panels, sizes at capacity, and the lives of whole values that panels come back to. */
static locum_status set_panels(plan_compiler *c)
{
    int64_t *scratch = calloc((size_t)c->n_groups + 1, sizeof *scratch);
    locum_status st = scratch ? scratch_per_unit(c, scratch) : LOCUM_FAIL(LOCUM_MEMORY, "no memory to compile a plan");
    for (int32_t g = 0; g < c->n_groups && !st; g++) {
        c->groups[g].panel_rows = choose_panel(c, g, scratch[g]);
        c->groups[g].panels =
            c->groups[g].symbol >= 0 && c->groups[g].panel_rows < c->options->capacity[c->groups[g].symbol];
    }
    free(scratch);
    LOCUM_TRY(st);
    for (int32_t i = 0; i < c->n_values; i++) {
        plan_value *v = &c->values[i];
        if (v->base != i || !v->kept) continue;
        const plan_group *first = &c->groups[c->clusters[v->first_cluster].group];
        const plan_group *last = &c->groups[c->clusters[v->last_cluster].group];
        const int64_t units = v->scratch ? first->panel_rows : v->symbol >= 0 ? c->options->capacity[v->symbol] : 1;
        LOCUM_REQUIRE(!__builtin_mul_overflow(v->count, units, &v->size) && v->size <= SIZE_LIMIT, LOCUM_MEMORY,
                      "one value of the plan has %lld x %lld numbers", (long long)v->count, (long long)units);
        v->size = aligned(v->size);
        if (v->scratch) continue;
        if (first->panels) v->first_cluster = first->first_step;
        if (last->panels) v->last_cluster = last->first_step + last->n_steps - 1;
    }
    return LOCUM_OK;
}

/* --- in place ---------------------------------------------------------------------------------------------------- */

/* May the value stored by stream `to` take the memory of what stream `from` reads? */
static bool may_share(const plan_compiler *c, int32_t cluster, const plan_program *p, int from, int to)
{
    const plan_value *view = &c->values[p->value[from]], *out = &c->values[p->value[to]];
    const plan_value *in = &c->values[view->base];
    const bool panels = c->groups[c->clusters[cluster].group].panels;
    if (p->stored[from] || p->stored[to] != 1 || !in->kept || !out->kept || in->fixed || in->output >= 0 ||
        out->output >= 0 || out->fixed)
        return false;
    if (in->last_cluster != cluster || in->count != out->count || in->symbol != out->symbol ||
        in->scratch != out->scratch)
        return false;
    if ((panels && !in->scratch) || p->when[from] > p->when[to] || !locum_plan_reads_whole(c, p->value[from]))
        return false;
    for (int s = 0; s < p->n_streams; s++)
        if (s != from && !p->stored[s] && c->values[p->value[s]].base == view->base) return false;
    return true;
}

static int32_t owner(const plan_compiler *c, int32_t value)
{
    while (c->values[value].shares >= 0) value = c->values[value].shares;
    return value;
}

/* A transform that adds to a product makes its result in the product's memory. */
static void share_with_addend(plan_compiler *c, int32_t cluster)
{
    const plan_work *w = &c->works[c->order[c->clusters[cluster].first]];
    if (w->kind != WORK_TRANSFORM || w->n_in < 3) return;
    const int32_t base = c->values[w->in[2]].base;
    const plan_value *in = &c->values[base];
    plan_value *out = &c->values[w->out];
    const bool panels = c->groups[c->clusters[cluster].group].panels;
    if (!in->kept || !out->kept || in->fixed || out->fixed || in->output >= 0 || out->output >= 0 ||
        in->last_cluster != cluster || in->count != out->count || in->symbol != out->symbol ||
        in->scratch != out->scratch || (panels && !in->scratch) || !locum_plan_reads_whole(c, w->in[2]) ||
        base == c->values[w->in[0]].base)
        return;
    const int32_t root = owner(c, base);
    out->shares = root;
    if (c->values[root].last_cluster < out->last_cluster) c->values[root].last_cluster = out->last_cluster;
}

static void share_memory(plan_compiler *c)
{
    for (int32_t k = 0; k < c->n_clusters; k++) {
        const plan_program *p = &c->programs[k];
        bool given[LOCUM_TILE_STREAMS] = {false};
        share_with_addend(c, k);
        for (int to = 0; c->clusters[k].tile && to < p->n_streams; to++) {
            for (int from = 0; from < p->n_streams; from++) {
                if (given[from] || !may_share(c, k, p, from, to)) continue;
                given[from] = true;
                const int32_t root = owner(c, c->values[p->value[from]].base);
                c->values[p->value[to]].shares = root;
                if (c->values[root].last_cluster < c->values[p->value[to]].last_cluster)
                    c->values[root].last_cluster = c->values[p->value[to]].last_cluster;
                break;
            }
        }
    }
}

/* --- places ------------------------------------------------------------------------------------------------------ */

typedef struct block {
    int64_t size, place;
    int32_t first, last, value;
} block;

static int larger_first(const void *a, const void *b)
{
    const block *x = a, *y = b;
    if (x->size != y->size) return x->size < y->size ? 1 : -1;
    return (x->value > y->value) - (x->value < y->value);
}

/* The smallest gap that holds blocks[n] among those before it, which are kept in order of place in `by_place`. */
static int64_t best_place(const block *blocks, int32_t n, const int32_t *by_place)
{
    const block *b = &blocks[n];
    int64_t end = 0, best = -1, best_gap = INT64_MAX;
    for (int32_t i = 0; i < n; i++) {
        const block *o = &blocks[by_place[i]];
        if (o->last < b->first || o->first > b->last) continue;
        const int64_t gap = o->place - end;
        if (gap >= b->size && gap < best_gap) {
            best = end;
            best_gap = gap;
        }
        if (o->place + o->size > end) end = o->place + o->size;
    }
    return best >= 0 ? best : end;
}

static locum_status place_arena(plan_compiler *c)
{
    const bool own = c->options->flags & LOCUM_PLAN_OWN_BUFFERS;
    block *blocks = malloc(((size_t)c->n_values + 1) * sizeof *blocks);
    int32_t *by_place = malloc(((size_t)c->n_values + 1) * sizeof *by_place), n = 0;
    if (!blocks || !by_place) {
        free(blocks);
        free(by_place);
        return LOCUM_FAIL(LOCUM_MEMORY, "no memory to compile a plan");
    }
    for (int32_t i = 0; i < c->n_values; i++) {
        const plan_value *v = &c->values[i];
        if (v->base != i || !v->kept || v->fixed || v->output >= 0 || v->shares >= 0) continue;
        blocks[n++] = (block){v->size, 0, own ? 0 : v->first_cluster, own ? INT32_MAX : v->last_cluster, i};
    }
    qsort(blocks, (size_t)n, sizeof *blocks, larger_first);
    for (int32_t i = 0; i < n; i++) {
        blocks[i].place = best_place(blocks, i, by_place);
        int32_t at = i;
        for (; at > 0 && blocks[by_place[at - 1]].place > blocks[i].place; at--) by_place[at] = by_place[at - 1];
        by_place[at] = i;
        c->values[blocks[i].value].place = blocks[i].place;
        if (blocks[i].place + blocks[i].size > c->arena) c->arena = blocks[i].place + blocks[i].size;
    }
    for (int32_t i = 0; i < c->n_values; i++)
        if (c->values[i].base == i && c->values[i].shares >= 0) c->values[i].place = c->values[owner(c, i)].place;
    free(blocks);
    free(by_place);
    return LOCUM_OK;
}

/* Packed values in the order of running, so that a small network is read front to back. */
static void place_packed(plan_compiler *c)
{
    for (int32_t i = 0; i < c->n_order; i++) {
        plan_value *v = &c->values[c->works[c->order[i]].out];
        if (!v->fixed || !v->kept) continue;
        v->place = c->packed;
        c->packed += aligned(v->count);
    }
}

locum_status locum_plan_memory(plan_compiler *c)
{
    LOCUM_TRY(make_programs(c));
    set_lives(c);
    LOCUM_TRY(set_panels(c));
    if (!(c->options->flags & LOCUM_PLAN_OWN_BUFFERS)) share_memory(c);
    place_packed(c);
    return place_arena(c);
}
