/* SPDX-License-Identifier: BSD-3-Clause */
/* report.c - a plan as a table for people: what each step does, how much work that is, and how long it took.
 *
 *     flops   2 a multiply-add of a product, 1 an elementwise line (a tanh too: shares of peak mean products only)
 *     bytes   every operand once, as if nothing stayed in cache
 * Both count for the given extents, all panels together. */
#include "surrogate/plan/internal.h"

#include <stdio.h>
#include <string.h>

typedef struct step_work {
    double flops, bytes;
    char shape[96], kernel[96];
} step_work;

static const char *const activation_names[] = {"", "+tanh", "+relu", "+sigmoid", "+silu", "+gelu"};

static const char *const tile_names[LOCUM_TILE_OP_COUNT] = {[LOCUM_TILE_NEG] = "neg",
                                                            [LOCUM_TILE_EXP] = "exp",
                                                            [LOCUM_TILE_LOG] = "log",
                                                            [LOCUM_TILE_SQRT] = "sqrt",
                                                            [LOCUM_TILE_RECIPROCAL] = "reciprocal",
                                                            [LOCUM_TILE_SIN] = "sin",
                                                            [LOCUM_TILE_COS] = "cos",
                                                            [LOCUM_TILE_TANH] = "tanh",
                                                            [LOCUM_TILE_SIGMOID] = "sigmoid",
                                                            [LOCUM_TILE_SOFTPLUS] = "softplus",
                                                            [LOCUM_TILE_ERF] = "erf",
                                                            [LOCUM_TILE_NORMAL] = "normal",
                                                            [LOCUM_TILE_ABS] = "abs",
                                                            [LOCUM_TILE_SIGN] = "sign",
                                                            [LOCUM_TILE_POWER] = "power",
                                                            [LOCUM_TILE_SCALE] = "scale",
                                                            [LOCUM_TILE_ADD] = "add",
                                                            [LOCUM_TILE_SUBTRACT] = "subtract",
                                                            [LOCUM_TILE_MULTIPLY] = "multiply",
                                                            [LOCUM_TILE_DIVIDE] = "divide",
                                                            [LOCUM_TILE_MAXIMUM] = "maximum",
                                                            [LOCUM_TILE_MINIMUM] = "minimum",
                                                            [LOCUM_TILE_GREATER] = "greater",
                                                            [LOCUM_TILE_SELECT] = "select",
                                                            [LOCUM_TILE_MULTIPLY_ADD] = "multiply_add",
                                                            [LOCUM_TILE_SUM_COLUMNS] = "sum_columns",
                                                            [LOCUM_TILE_SUM_ROWS] = "sum_rows"};

/* "tile: multiply, tanh, sum_rows ..." */
static void describe_tile(const locum_plan *plan, const plan_tile *t, int64_t n, step_work *w)
{
    const locum_tile_step *code = (const locum_tile_step *)plan_at(plan, plan->code_at) + t->first_code;
    const plan_stream *streams = (const plan_stream *)plan_at(plan, plan->streams_at) + t->first_stream;
    double values = 1;
    int64_t loops[4];
    for (int i = 0; i < 4; i++) {
        loops[i] = t->loops[i] * (i == t->symbolic ? n : 1);
        values *= (double)loops[i];
    }
    size_t at = (size_t)snprintf(w->kernel, sizeof w->kernel, "tile:");
    for (int i = 0; i < t->n_code; i++) {
        const char *name = tile_names[code[i].op];
        if (!name) continue;
        w->flops += values;
        if (at + strlen(name) + 6 < sizeof w->kernel)
            at += (size_t)snprintf(w->kernel + at, sizeof w->kernel - at, " %s", name);
        else if (w->kernel[at - 1] != '.')
            at += (size_t)snprintf(w->kernel + at, sizeof w->kernel - at, " ..");
    }
    for (int s = 0; s < t->n_streams; s++) {
        double floats = 1;
        for (int i = 0; i < 4; i++) floats *= streams[s].stride[i] ? (double)loops[i] : 1;
        w->bytes += 4 * floats;
    }
    snprintf(w->shape, sizeof w->shape, "%lld x %lld", (long long)(loops[0] * loops[1] * loops[2]),
             (long long)loops[3]);
}

static void describe_product(const plan_step *step, int64_t n, step_work *w)
{
    const plan_product *p = &step->u.product;
    const double rows = (double)(p->rows * n), k = (double)p->k, m = (double)p->n, groups = (double)p->groups;
    const char *kind = step->kind == PLAN_PRODUCT_ROWS ? "product_rows" : "product";
    snprintf(w->kernel, sizeof w->kernel, "%s%s%s%s", kind, p->by_adapter ? " (adapter)" : "",
             p->has_bias ? "+bias" : "", activation_names[p->activation]);
    snprintf(w->shape, sizeof w->shape, "%lld x [%lld x %lld] x %lld", (long long)p->groups, (long long)(p->rows * n),
             (long long)p->k, (long long)p->n);
    w->flops = 2 * groups * rows * k * m;
    w->bytes = 4 * groups * (rows * (k + m) + k * m);
}

static void describe_transform(const plan_transform *p, int64_t n, step_work *w)
{
    const double calls = (double)(p->outer * n), m = (double)p->m, k = (double)p->n, t = (double)p->t;
    snprintf(w->kernel, sizeof w->kernel, "transform%s%s", p->has_addend ? "+add" : "",
             activation_names[p->activation]);
    snprintf(w->shape, sizeof w->shape, "%lld x [%lld x %lld] x %lld", (long long)(p->outer * n), (long long)p->m,
             (long long)p->n, (long long)p->t);
    w->flops = calls * m * t * (2 * k + p->has_addend);
    w->bytes = 4 * (m * k + calls * t * (k + m * (1 + p->has_addend)));
}

/* flops as if no tap were outside */
static void describe_convolution(const plan_step *step, int64_t n, step_work *w)
{
    const plan_convolution *p = &step->u.convolution;
    const locum_convolution_shape *s = &p->shape;
    const double taps = (double)(s->taps[0] * s->taps[1] * s->taps[2]), k = (double)s->channels, m = (double)s->columns;
    const double grid = (double)(s->grid[0] * s->grid[1] * s->grid[2] * p->batch * n),
                 points = (double)(s->points[0] * s->points[1] * s->points[2] * p->batch * n);
    const char *kind = step->kind == PLAN_CONVOLUTION_WEIGHT ? "_weight" : p->input ? "_input" : "";
    snprintf(w->shape, sizeof w->shape, "%.0f x [%.0f x %lld x %lld]", points, taps, (long long)s->channels,
             (long long)s->columns);
    w->bytes = 4 * (grid * k + points * m + taps * k * m);
    if (step->kind == PLAN_PACK_CONVOLUTION) {
        snprintf(w->kernel, sizeof w->kernel, "pack convolution%s", kind);
        w->bytes = 8 * taps * k * m;
        return;
    }
    snprintf(w->kernel, sizeof w->kernel, "convolution%s%s%s", kind, p->has_bias ? "+bias" : "",
             activation_names[p->activation]);
    w->flops = 2 * points * taps * k * m;
}

static void describe(const locum_plan *plan, const plan_step *step, int64_t n, step_work *w)
{
    memset(w, 0, sizeof *w);
    switch ((plan_kind)step->kind) {
    case PLAN_TILE: describe_tile(plan, &step->u.tile, n, w); break;
    case PLAN_PRODUCT:
    case PLAN_ADAPTER_PRODUCT:
    case PLAN_PRODUCT_ROWS: describe_product(step, n, w); break;
    case PLAN_TRANSFORM: describe_transform(&step->u.transform, n, w); break;
    case PLAN_CONVOLUTION:
    case PLAN_CONVOLUTION_WEIGHT:
    case PLAN_PACK_CONVOLUTION: describe_convolution(step, n, w); break;
    case PLAN_PACK: {
        const plan_pack *p = &step->u.pack;
        snprintf(w->kernel, sizeof w->kernel, "pack");
        snprintf(w->shape, sizeof w->shape, "%lld x [%lld x %lld]", (long long)p->groups, (long long)p->k,
                 (long long)p->n);
        w->bytes = 4.0 * (double)(p->groups * (p->k * p->n + p->b_group));
        break;
    }
    case PLAN_COPY: {
        int64_t count = step->u.copy.symbolic ? n : 1;
        for (int i = 0; i < step->u.copy.n_loops; i++) count *= step->u.copy.loops[i];
        snprintf(w->kernel, sizeof w->kernel, "copy");
        snprintf(w->shape, sizeof w->shape, "%lld", (long long)count);
        w->bytes = 8.0 * (double)count;
        break;
    }
    case PLAN_NOISE:
        snprintf(w->kernel, sizeof w->kernel, "noise");
        snprintf(w->shape, sizeof w->shape, "%lld x %lld", (long long)n, (long long)step->u.noise.per_unit);
        w->bytes = 4.0 * (double)(n * step->u.noise.per_unit);
        break;
    case PLAN_REDUCE: {
        const int64_t count = step->u.reduce.count * (step->u.reduce.symbol >= 0 ? n : 1);
        snprintf(w->kernel, sizeof w->kernel, "sum in double");
        snprintf(w->shape, sizeof w->shape, "%lld", (long long)count);
        w->flops = (double)count;
        w->bytes = 4.0 * (double)count;
        break;
    }
    }
}

static void report_step(const step_work *w, int group, const double *seconds, int n_runs, double peak_flops,
                        locum_text *out)
{
    locum_text_add(out, "%5d  %-28s %12.4g %12.4g", group, w->shape, w->flops, w->bytes);
    if (seconds && n_runs > 0) {
        const double each = *seconds / n_runs;
        locum_text_add(out, " %10.3f", 1e6 * each);
        if (peak_flops > 0 && each > 0) locum_text_add(out, " %7.1f%%", 100 * w->flops / each / peak_flops);
    }
    locum_text_add(out, "  %s\n", w->kernel);
}

void locum_plan_report(const locum_plan *plan, const int64_t *extents, const double *seconds, int n_runs,
                       double peak_flops, locum_text *out)
{
    const plan_group *groups = plan_at(plan, plan->groups_at);
    const plan_step *steps = plan_at(plan, plan->steps_at);
    step_work w, total = {0};
    double all_seconds = 0;
    locum_text_add(out, "kernels %s, %d steps in %d groups, plan %zu bytes, arena %zu, packed parameters %zu\n",
                   plan->kernels->name, locum_plan_n_steps(plan), plan->n_groups - plan->n_pack_groups, plan->bytes,
                   plan->arena_bytes, plan->packed_bytes);
    locum_text_add(out, "group  %-28s %12s %12s", "shape", "flops", "bytes");
    if (seconds && n_runs > 0) locum_text_add(out, " %10s%s", "us", peak_flops > 0 ? "    peak" : "");
    locum_text_add(out, "  kernel\n");
    for (int32_t g = plan->n_pack_groups; g < plan->n_groups; g++) {
        const int64_t n = groups[g].symbol < 0 ? 1 : extents[groups[g].symbol];
        for (int32_t i = groups[g].first_step; i < groups[g].first_step + groups[g].n_steps; i++) {
            describe(plan, &steps[i], n, &w);
            report_step(&w, g - plan->n_pack_groups, seconds ? &seconds[i - plan->n_pack_steps] : NULL, n_runs,
                        peak_flops, out);
            total.flops += w.flops;
            total.bytes += w.bytes;
            if (seconds) all_seconds += seconds[i - plan->n_pack_steps];
        }
        if (groups[g].panels && groups[g].n_steps > 1)
            locum_text_add(out, "       in panels of %lld rows\n", (long long)groups[g].panel_rows);
    }
    snprintf(total.shape, sizeof total.shape, "total");
    total.kernel[0] = 0;
    report_step(&total, plan->n_groups - plan->n_pack_groups, seconds ? &all_seconds : NULL, n_runs, peak_flops, out);
}
