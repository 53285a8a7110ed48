/* SPDX-License-Identifier: BSD-3-Clause */
/* fuse.c - which works become one step, and which steps run together panel by panel.
 *
 * Clusters. Works are taken from the last to the first. An elementwise work joins the first cluster that reads it, if
 * that cluster walks over the same rows x columns and the tile program still fits; so a value is made where it is
 * needed and is stored only if others read it too. Sums are pulled forward into the cluster that makes their operand.
 * Groups. Steps over one symbol whose rows are independent form a group: every panel of rows passes through all its
 * steps while it is in cache. A step goes to the earliest group of its symbol in which all it reads is at hand: row by
 * row from the same group, or whole from an earlier one. Sums over rows accumulate over panels in order. Sums in double
 * and products of the adapter, which are chosen for their size, stand alone and are not cut; nor are products whose
 * weights would be read from memory again for each panel of few rows (the modes of a Fourier layer). */
#include "surrogate/plan/internal.h"

#include <stdlib.h>
#include <string.h>

enum {
    WORKS_MAX = 64, /* of one tile program */
    NEAR = 64,      /* clusters that are looked at for company */
    SMALL = 32,     /* values a unit */
    FEW_ROWS = 32,  /* a unit: fewer use a weight too seldom while it is near */
    FAR = 1 << 18   /* floats that do not stay in the second-level cache */
};

/* --- readers ----------------------------------------------------------------------------------------------------- */

static locum_status add_user(plan_compiler *c, int32_t work, int32_t value)
{
    const int32_t base = locum_plan_base(c, &c->works[work], value);
    LOCUM_TRY(locum_plan_grow(&c->users, c->n_users, &c->users_capacity, sizeof *c->users));
    c->users[c->n_users] = (plan_user){work, value, c->first_user[base]};
    c->first_user[base] = c->n_users++;
    return LOCUM_OK;
}

static locum_status list_users(plan_compiler *c)
{
    c->first_user = malloc(((size_t)c->n_values + 1) * sizeof *c->first_user);
    c->maker = malloc(((size_t)c->n_values + 1) * sizeof *c->maker);
    LOCUM_REQUIRE(c->first_user && c->maker, LOCUM_MEMORY, "no memory to compile a plan");
    for (int32_t i = 0; i < c->n_values; i++) c->first_user[i] = c->maker[i] = -1;
    for (int32_t i = 0; i < c->n_works; i++) {
        const plan_work *w = &c->works[i];
        if (!w->live) continue;
        c->maker[w->out] = i;
        for (int k = 0; k < w->n_in; k++) LOCUM_TRY(add_user(c, i, w->in[k]));
        for (int k = 0; k < w->n_parts; k++) LOCUM_TRY(add_user(c, i, c->parts[w->first_part + k].from));
    }
    return LOCUM_OK;
}

/* Parts of a concatenation that an elementwise work or a product makes for it alone are written in place. */
static void write_parts_directly(plan_compiler *c)
{
    for (int32_t i = 0; i < c->n_works; i++) {
        const plan_work *w = &c->works[i];
        if (!w->live || w->kind != WORK_COPY || w->n_parts < 2) continue;
        for (int32_t k = w->first_part; k < w->first_part + w->n_parts; k++) {
            plan_part *part = &c->parts[k];
            plan_value *from = &c->values[c->values[part->from].base];
            const int32_t maker = c->maker[c->values[part->from].base],
                          users = c->first_user[c->values[part->from].base];
            if (maker < 0 || users < 0 || c->users[users].next >= 0 || from->output >= 0 || from->fixed != w->fixed)
                continue;
            const int kind = c->works[maker].kind;
            if (kind != WORK_ELEMENT && kind != WORK_PRODUCT && kind != WORK_CONVOLUTION) continue;
            const plan_value *view = &c->values[part->from], *to = &c->values[part->to];
            int64_t rows, stride;
            if (!locum_plan_reads_whole(c, part->from) || view->n_dims != from->n_dims ||
                memcmp(view->dims, from->dims, sizeof *view->dims * (size_t)view->n_dims) != 0)
                continue;
            if (kind != WORK_ELEMENT && !locum_plan_matrix(to, &rows, &stride)) continue;
            /* a transform of the last axis but for ones: its columns are not the last axis of the whole */
            if (kind == WORK_PRODUCT && from->dims[from->n_dims - 1] != c->works[maker].groups * c->works[maker].n)
                continue;
            from->inside = part->to;
            part->direct = true;
        }
    }
}

/* --- clusters: while they grow, a higher index runs earlier ------------------------------------------------------ */

static bool is_tile(const plan_work *w)
{
    return w->kind == WORK_ELEMENT || w->kind == WORK_SUM;
}

/* Does it pay to meet all rows at once, because weights are large and each row uses each of them once? */
static bool wants_all_rows(const plan_compiler *c, const plan_work *w)
{
    int64_t rows = 0, stride;
    if ((w->kind != WORK_PRODUCT && w->kind != WORK_PRODUCT_ROWS) || w->groups * w->k * w->n < FAR) return false;
    return locum_plan_matrix(&c->values[w->in[0]], &rows, &stride) && rows < FEW_ROWS;
}

/* The iteration space without ones. */
static void set_space(const plan_compiler *c, const plan_work *w, plan_cluster *cluster)
{
    const plan_value *v = &c->values[w->kind == WORK_SUM ? w->in[0] : w->out];
    *cluster =
        (plan_cluster){.symbol = w->symbol,
                       .tile = is_tile(w),
                       .whole = (w->kind == WORK_REDUCE || w->by_adapter || wants_all_rows(c, w)) && w->symbol >= 0,
                       .fixed = w->fixed,
                       .first = -1};
    for (int i = 0; i < v->n_dims; i++)
        if (v->dims[i] != 1 || (i == 0 && v->symbol >= 0)) cluster->dims[cluster->n_dims++] = v->dims[i];
}

static int64_t values_of(const plan_cluster *space)
{
    int64_t n = 1;
    for (int i = 0; i < space->n_dims; i++) n *= space->dims[i];
    return n;
}

static bool same_space(const plan_cluster *a, const plan_cluster *b)
{
    return a->tile && b->tile && a->symbol == b->symbol && a->fixed == b->fixed && a->n_dims == b->n_dims &&
           memcmp(a->dims, b->dims, (size_t)a->n_dims * sizeof *a->dims) == 0;
}

/* Works of a cluster in order, with room for more. */
static int members(const plan_compiler *c, const plan_cluster *cluster, int32_t *works)
{
    int n = 0;
    for (int32_t w = cluster->first; w >= 0 && n < WORKS_MAX; w = c->works[w].next_in_cluster) works[n++] = w;
    return n;
}

static bool fits(const plan_compiler *c, int n, const int32_t *works)
{
    plan_program program;
    return n <= WORKS_MAX && locum_plan_program(c, n, works, &program);
}

static void join(plan_compiler *c, int32_t work, int32_t cluster)
{
    c->works[work].cluster = cluster;
    c->works[work].next_in_cluster = c->clusters[cluster].first;
    c->clusters[cluster].first = work;
    c->clusters[cluster].n++;
}

/* The cluster with the work in front of its own. */
static bool may_join(const plan_compiler *c, int32_t work, int32_t cluster)
{
    int32_t works[WORKS_MAX + 1];
    works[0] = work;
    const int n = members(c, &c->clusters[cluster], works + 1);
    return n < WORKS_MAX && fits(c, n + 1, works);
}

static bool reads_in_register(const plan_compiler *c, const plan_cluster *space, const plan_user *u)
{
    return same_space(space, &c->clusters[c->works[u->work].cluster]) && locum_plan_reads_whole(c, u->value);
}

/* The last cluster (lowest index) in which the work may run, and whether a reader there would take its value from a
 * register. */
static int32_t latest_cluster(const plan_compiler *c, const plan_work *w, const plan_cluster *space, bool *by_reader)
{
    int32_t latest = 0;
    *by_reader = false;
    for (int32_t u = c->first_user[w->out]; u >= 0; u = c->users[u].next) {
        const int32_t cluster = c->works[c->users[u].work].cluster;
        const bool direct = w->kind == WORK_ELEMENT && reads_in_register(c, space, &c->users[u]);
        const int32_t at = direct ? cluster : cluster + 1;
        if (at < latest) continue;
        *by_reader = direct || (at == latest && *by_reader);
        latest = at;
    }
    return latest;
}

static bool reads_base(const plan_compiler *c, const plan_work *w, int32_t base)
{
    for (int k = 0; k < w->n_in; k++)
        if (c->values[w->in[k]].base == base) return true;
    return false;
}

/* Does a work of the cluster read a larger value that w reads too? */
static bool shares_operand(const plan_compiler *c, const plan_work *w, const plan_cluster *cluster)
{
    for (int32_t i = cluster->first; i >= 0; i = c->works[i].next_in_cluster)
        for (int k = 0; k < w->n_in; k++)
            if (c->values[c->values[w->in[k]].base].symbol == cluster->symbol &&
                reads_base(c, &c->works[i], c->values[w->in[k]].base))
                return true;
    return false;
}

static locum_status place_work(plan_compiler *c, int32_t work)
{
    const plan_work *w = &c->works[work];
    plan_cluster space;
    set_space(c, w, &space);
    if (space.tile && !(c->options->flags & LOCUM_PLAN_NO_FUSION)) {
        bool by_reader;
        const int32_t latest = latest_cluster(c, w, &space, &by_reader);
        const bool small = values_of(&space) <= SMALL; /* the call costs more than the work: take any company */
        for (int32_t k = latest; k < c->n_clusters && k - latest < NEAR; k++) {
            const plan_cluster *cluster = &c->clusters[k];
            if (!same_space(&space, cluster) || !(small || (k == latest && by_reader) || shares_operand(c, w, cluster)))
                continue;
            if (!may_join(c, work, k)) continue;
            join(c, work, k);
            return LOCUM_OK;
        }
    }
    LOCUM_REQUIRE(!space.tile || fits(c, 1, &work), LOCUM_INTERNAL, "node %d does not fit a tile program", w->node);
    LOCUM_TRY(locum_plan_grow(&c->clusters, c->n_clusters, &c->clusters_capacity, sizeof *c->clusters));
    c->clusters[c->n_clusters] = space;
    join(c, work, c->n_clusters++);
    return LOCUM_OK;
}

/* The cluster that makes an operand of these sums and at whose place all they read is at hand; -1 = none. */
static int32_t earlier_cluster(const plan_compiler *c, int32_t sums)
{
    int32_t target = -1;
    for (int32_t i = c->clusters[sums].first; i >= 0; i = c->works[i].next_in_cluster) {
        const plan_work *w = &c->works[i];
        const int32_t maker = c->maker[c->values[w->in[0]].base];
        if (w->kind != WORK_SUM || maker < 0 || c->works[maker].kind != WORK_ELEMENT ||
            !locum_plan_reads_whole(c, w->in[0]))
            return -1;
        if (target >= 0 && target != c->works[maker].cluster) return -1;
        target = c->works[maker].cluster;
    }
    return target >= 0 && target != sums && same_space(&c->clusters[sums], &c->clusters[target]) ? target : -1;
}

static int ascending(const void *a, const void *b)
{
    const int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    return (x > y) - (x < y);
}

static void pull_sums(plan_compiler *c)
{
    for (int32_t k = c->n_clusters - 1; k >= 0; k--) {
        int32_t works[2 * WORKS_MAX];
        const int32_t target = c->clusters[k].tile ? earlier_cluster(c, k) : -1;
        if (target < 0 || c->clusters[target].n + c->clusters[k].n > WORKS_MAX) continue;
        int n = members(c, &c->clusters[target], works);
        n += members(c, &c->clusters[k], works + n);
        qsort(works, (size_t)n, sizeof *works, ascending);
        if (!fits(c, n, works)) continue;
        c->clusters[k].first = c->clusters[target].first = -1;
        c->clusters[k].n = c->clusters[target].n = 0;
        for (int i = n - 1; i >= 0; i--) join(c, works[i], target);
    }
}

/* Clusters in the order of running, without the empty ones. */
static locum_status order_clusters(plan_compiler *c)
{
    plan_cluster *sorted = NULL;
    int32_t n = 0;
    c->order = malloc(((size_t)c->n_works + 1) * sizeof *c->order);
    sorted = malloc(((size_t)c->n_clusters + 1) * sizeof *sorted);
    if (!c->order || !sorted) {
        free(sorted);
        return LOCUM_FAIL(LOCUM_MEMORY, "no memory to compile a plan");
    }
    for (int32_t k = c->n_clusters - 1; k >= 0; k--) {
        plan_cluster cluster = c->clusters[k];
        if (cluster.n == 0) continue;
        const int32_t first = c->n_order;
        for (int32_t w = cluster.first; w >= 0; w = c->works[w].next_in_cluster) {
            c->order[c->n_order++] = w;
            c->works[w].cluster = n;
        }
        cluster.first = first;
        sorted[n++] = cluster;
    }
    free(c->clusters);
    c->clusters = sorted;
    c->n_clusters = c->clusters_capacity = n;
    return LOCUM_OK;
}

/* --- groups ------------------------------------------------------------------------------------------------------ */

/* Earliest group for a cluster, from one value that it reads. */
static int32_t group_after(const plan_compiler *c, const plan_cluster *reader, const plan_work *w, int32_t value)
{
    const int32_t maker = c->maker[locum_plan_base(c, w, value)];
    if (maker < 0) return 0;
    const plan_cluster *source = &c->clusters[c->works[maker].cluster];
    if (source == reader || source->fixed != reader->fixed) return 0;
    const bool rows = source->symbol == reader->symbol && !source->whole && !reader->whole &&
                      (reader->symbol < 0 || locum_plan_row_wise(c, &c->values[value]));
    return rows ? source->group : source->group + 1;
}

static locum_status place_cluster(plan_compiler *c, plan_cluster *cluster)
{
    const bool alone = (c->options->flags & LOCUM_PLAN_NO_FUSION) || cluster->whole;
    int32_t group = cluster->fixed ? 0 : c->n_pack_groups;
    for (int32_t i = cluster->first; i < cluster->first + cluster->n; i++) {
        const plan_work *w = &c->works[c->order[i]];
        for (int k = 0; k < w->n_in + w->n_parts; k++) {
            const int32_t value = k < w->n_in ? w->in[k] : c->parts[w->first_part + k - w->n_in].from;
            const int32_t after = group_after(c, cluster, w, value);
            if (after > group) group = after;
        }
    }
    for (; group < c->n_groups && !alone; group++)
        if (c->groups[group].symbol == cluster->symbol && !c->groups[group].panels) break;
    if (alone) group = c->n_groups;
    if (group >= c->n_groups) {
        LOCUM_TRY(locum_plan_grow(&c->groups, c->n_groups, &c->groups_capacity, sizeof *c->groups));
        group = c->n_groups++;
        c->groups[group] = (plan_group){.symbol = cluster->symbol, .panels = alone}; /* alone: no other may join */
    }
    cluster->group = group;
    c->groups[group].n_steps++;
    return LOCUM_OK;
}

/* Clusters sorted by group, order within a group kept. */
static locum_status sort_clusters(plan_compiler *c)
{
    plan_cluster *sorted = malloc(((size_t)c->n_clusters + 1) * sizeof *sorted);
    LOCUM_REQUIRE(sorted, LOCUM_MEMORY, "no memory to compile a plan");
    int32_t at = 0;
    for (int32_t g = 0; g < c->n_groups; g++) {
        c->groups[g].first_step = at;
        at += c->groups[g].n_steps;
        c->groups[g].n_steps = 0;
        c->groups[g].panels = false;
    }
    for (int32_t k = 0; k < c->n_clusters; k++) {
        plan_group *group = &c->groups[c->clusters[k].group];
        const int32_t to = group->first_step + group->n_steps++;
        sorted[to] = c->clusters[k];
        for (int32_t i = 0; i < sorted[to].n; i++) c->works[c->order[sorted[to].first + i]].cluster = to;
    }
    free(c->clusters);
    c->clusters = sorted;
    return LOCUM_OK;
}

locum_status locum_plan_fuse(plan_compiler *c)
{
    LOCUM_TRY(list_users(c));
    if (!(c->options->flags & LOCUM_PLAN_NO_FUSION)) write_parts_directly(c);
    for (int32_t i = 0; i < c->n_works; i++) c->works[i].cluster = -1;
    for (int32_t i = c->n_works - 1; i >= 0; i--)
        if (c->works[i].live) LOCUM_TRY(place_work(c, i));
    if (!(c->options->flags & LOCUM_PLAN_NO_FUSION)) pull_sums(c);
    LOCUM_TRY(order_clusters(c));
    for (int pass = 0; pass < 2; pass++) { /* packing first */
        for (int32_t k = 0; k < c->n_clusters; k++)
            if (c->clusters[k].fixed == (pass == 0)) LOCUM_TRY(place_cluster(c, &c->clusters[k]));
        if (pass == 0) c->n_pack_groups = c->n_groups;
    }
    return sort_clusters(c);
}
