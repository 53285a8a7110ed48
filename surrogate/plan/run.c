/* SPDX-License-Identifier: BSD-3-Clause */
/* run.c - runs the steps of a plan: for each group, for each panel of rows, for each step, one kernel call.
 *
 * Nothing is allocated, locked or measured unless asked for. A step turns its places into pointers and calls its
 * kernel; rows of results never depend on other rows, sums over rows go through the panels in order. */
#include "surrogate/plan/internal.h"

#include <string.h>
#include <time.h>

#include "surrogate/graph/noise.h"

typedef struct run_state {
    const locum_plan *plan;
    const locum_plan_run_call *call;
    float *const *bases;
    float *registers; /* of tile programs */
    int64_t first, n; /* units of this panel */
} run_state;

static inline float *at(const run_state *r, const plan_place *p)
{
    return r->bases[p->base] + p->offset + r->first * p->unit;
}

/* --- steps ------------------------------------------------------------------------------------------------------- */

static void clear_sums(const run_state *r, const plan_stream *streams, int n)
{
    for (int s = 0; s < n; s++) {
        const int64_t floats = streams[s].zero_once ? (r->first == 0 ? streams[s].zero : 0) : streams[s].zero * r->n;
        if (floats > 0) memset(at(r, &streams[s].place), 0, (size_t)floats * sizeof(float));
    }
}

static void run_tile(const run_state *r, const plan_tile *t)
{
    const plan_stream *from = (const plan_stream *)plan_at(r->plan, r->plan->streams_at) + t->first_stream;
    locum_tile_stream streams[LOCUM_TILE_STREAMS];
    int64_t loops[4] = {t->loops[0], t->loops[1], t->loops[2], t->loops[3]};
    if (t->symbolic >= 0) loops[t->symbolic] *= r->n;
    clear_sums(r, from, t->n_streams);
    if (r->n == 0) return;
    for (int s = 0; s < t->n_streams; s++)
        streams[s] = (locum_tile_stream){at(r, &from[s].place), from[s].stride[2], from[s].stride[3]};
    const locum_tile_call call = {.steps = (const locum_tile_step *)plan_at(r->plan, r->plan->code_at) + t->first_code,
                                  .n_steps = t->n_code,
                                  .streams = streams,
                                  .rows = loops[2],
                                  .columns = loops[3],
                                  .scratch = r->registers};
    for (int64_t i = 0; i < loops[0]; i++) {
        for (int64_t j = 0; j < loops[1]; j++) {
            if (i + j > 0)
                for (int s = 0; s < t->n_streams; s++)
                    streams[s].data = at(r, &from[s].place) + i * from[s].stride[0] + j * from[s].stride[1];
            r->plan->kernels->tile(&call);
        }
    }
}

static void run_product(const run_state *r, const plan_product *p)
{
    const float *bias = p->has_bias ? at(r, &p->bias) : NULL;
    locum_product_call call = {.rows = p->rows * r->n,
                               .k = p->k,
                               .n = p->n,
                               .a = at(r, &p->a),
                               .a_stride = p->a_stride,
                               .packed = at(r, &p->b),
                               .bias = bias,
                               .activation = (locum_activation)p->activation,
                               .c = at(r, &p->c),
                               .c_stride = p->c_stride};
    if (r->n == 0) return;
    for (int64_t g = 0; g < p->groups; g++) {
        r->plan->kernels->product(&call);
        call.a += p->k;
        call.c += p->n;
        call.packed += p->b_group;
        if (bias) call.bias += p->n;
    }
}

static void run_adapter_product(const run_state *r, const plan_product *p)
{
    if (r->n == 0) return;
    for (int64_t g = 0; g < p->groups; g++)
        r->plan->adapter->product(p->rows * r->n, p->k, p->n, at(r, &p->a) + g * p->k, p->a_stride,
                                  at(r, &p->b) + g * p->b_group, p->b_stride, p->transposed, at(r, &p->c) + g * p->n,
                                  p->c_stride);
}

static void run_product_rows(const run_state *r, const plan_product *p)
{
    float *w = at(r, &p->b);
    if (r->n == 0) {
        memset(w, 0, (size_t)(p->groups * p->b_group) * sizeof *w);
        return;
    }
    for (int64_t g = 0; g < p->groups; g++) {
        const float *a = at(r, &p->a) + g * p->k, *c = at(r, &p->c) + g * p->n;
        if (p->by_adapter)
            r->plan->adapter->product_rows(p->rows * r->n, p->k, p->n, a, p->a_stride, c, p->c_stride,
                                           w + g * p->b_group, p->b_stride, r->first > 0);
        else
            r->plan->kernels->product_rows(p->rows * r->n, p->k, p->n, a, p->a_stride, c, p->c_stride,
                                           w + g * p->b_group, p->b_stride, r->first > 0);
    }
}

static void run_transform(const run_state *r, const plan_transform *p)
{
    const int64_t outer = p->outer * r->n, x_step = p->n * p->t, y_step = p->m * p->t;
    const float *a = p->has_addend ? at(r, &p->a) : NULL;
    locum_transform_call call = {.m = p->m,
                                 .n = p->n,
                                 .t = p->t,
                                 .f = at(r, &p->f),
                                 .x = at(r, &p->x),
                                 .y = at(r, &p->y),
                                 .accumulate = p->has_addend,
                                 .activation = (locum_activation)p->activation};
    if (a == call.y) a = NULL; /* in place */
    for (int64_t o = 0; o < outer; o++, call.x += x_step, call.y += y_step) {
        if (a) memcpy(call.y, a + o * y_step, (size_t)y_step * sizeof *a);
        r->plan->kernels->transform(&call);
    }
}

static void run_convolution(const run_state *r, const plan_convolution *p)
{
    const locum_convolution_call call = {.shape = &p->shape,
                                         .input = p->input,
                                         .batch = p->batch * r->n,
                                         .a = at(r, &p->a),
                                         .a_stride = p->a_stride,
                                         .packed = at(r, &p->b),
                                         .bias = p->has_bias ? at(r, &p->bias) : NULL,
                                         .activation = (locum_activation)p->activation,
                                         .c = at(r, &p->c),
                                         .c_stride = p->c_stride};
    if (r->n > 0) r->plan->kernels->convolution(&call);
}

static void run_convolution_weight(const run_state *r, const plan_convolution *p)
{
    r->plan->kernels->convolution_weight(&(locum_convolution_weight_call){.shape = &p->shape,
                                                                          .batch = p->batch * r->n,
                                                                          .x = at(r, &p->a),
                                                                          .y = at(r, &p->c),
                                                                          .x_stride = p->a_stride,
                                                                          .y_stride = p->c_stride,
                                                                          .w = at(r, &p->b),
                                                                          .accumulate = r->first > 0});
}

static void copy_loops(const run_state *r, const plan_copy *p, int loop, const int64_t *loops, const float *from,
                       float *to)
{
    const int left = p->n_loops - loop;
    if (left <= 4) {
        r->plan->kernels->copy_strided(left, loops + loop, from, p->from_stride + loop, to, p->to_stride + loop);
        return;
    }
    for (int64_t i = 0; i < loops[loop]; i++)
        copy_loops(r, p, loop + 1, loops, from + i * p->from_stride[loop], to + i * p->to_stride[loop]);
}

static void run_copy(const run_state *r, const plan_copy *p)
{
    int64_t loops[LOCUM_DIMS_MAX];
    memcpy(loops, p->loops, sizeof loops);
    if (p->symbolic) loops[0] *= r->n;
    const float *from = at(r, &p->from);
    float *to = at(r, &p->to);
    if (r->n == 0) return;
    if (p->n_loops == 0)
        *to = *from;
    else if (p->n_loops == 1 && p->from_stride[0] == 1 && p->to_stride[0] == 1)
        memcpy(to, from, (size_t)loops[0] * sizeof *to);
    else
        copy_loops(r, p, 0, loops, from, to);
}

static void run_pack(const run_state *r, const plan_pack *p)
{
    const float *from = at(r, &p->from);
    float *to = at(r, &p->to);
    for (int64_t g = 0; g < p->groups; g++)
        r->plan->kernels->pack(p->k, p->n, from + g * p->g_stride, p->k_stride, p->n_stride, to + g * p->b_group);
}

/* As locum_noise_row, but into floats and without a buffer for the row. */
static void run_noise(const run_state *r, const plan_noise *p)
{
    const uint64_t key = locum_noise_key(r->call->seed, r->call->step, p->stream);
    float *to = at(r, &p->to);
    for (int64_t row = 0; row < r->n; row++, to += p->per_unit) {
        const uint64_t global = p->by_row ? r->call->first_row + (uint64_t)(r->first + row) : 0;
        const uint64_t row_key = locum_random_seed(key, LOCUM_STREAM_NOISE, global);
        for (int64_t i = 0; i < p->per_unit; i += 2) {
            double pair[2];
            locum_random_normal(row_key, LOCUM_STREAM_NOISE, (uint64_t)i / 2, pair);
            to[i] = (float)pair[0];
            if (i + 1 < p->per_unit) to[i + 1] = (float)pair[1];
        }
    }
}

/* In double, over four interleaved sums. */
static void run_reduce(const run_state *r, const plan_reduce *p)
{
    const float *from = at(r, &p->from);
    const int64_t count = p->symbol >= 0 ? p->count * r->n : p->count;
    double sum[4] = {0};
    int64_t i = 0;
    for (; i + 4 <= count; i += 4)
        for (int k = 0; k < 4; k++) sum[k] += from[(i + k) * p->stride];
    for (; i < count; i++) sum[i & 3] += from[i * p->stride];
    *at(r, &p->to) = (float)((sum[0] + sum[1]) + (sum[2] + sum[3]));
}

static inline void run_step(const run_state *r, const plan_step *step)
{
    switch ((plan_kind)step->kind) {
    case PLAN_TILE: run_tile(r, &step->u.tile); break;
    case PLAN_PRODUCT: run_product(r, &step->u.product); break;
    case PLAN_ADAPTER_PRODUCT: run_adapter_product(r, &step->u.product); break;
    case PLAN_PRODUCT_ROWS: run_product_rows(r, &step->u.product); break;
    case PLAN_TRANSFORM: run_transform(r, &step->u.transform); break;
    case PLAN_CONVOLUTION: run_convolution(r, &step->u.convolution); break;
    case PLAN_CONVOLUTION_WEIGHT: run_convolution_weight(r, &step->u.convolution); break;
    case PLAN_PACK_CONVOLUTION:
        r->plan->kernels->convolution_pack(&step->u.convolution.shape, step->u.convolution.input,
                                           at(r, &step->u.convolution.a), at(r, &step->u.convolution.b));
        break;
    case PLAN_PACK: run_pack(r, &step->u.pack); break;
    case PLAN_COPY: run_copy(r, &step->u.copy); break;
    case PLAN_NOISE: run_noise(r, &step->u.noise); break;
    case PLAN_REDUCE: run_reduce(r, &step->u.reduce); break;
    }
}

/* --- groups ------------------------------------------------------------------------------------------------------ */

static double seconds_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void run_group_timed(run_state *r, const plan_group *group, const plan_step *steps)
{
    double before = seconds_now();
    for (int32_t i = group->first_step; i < group->first_step + group->n_steps; i++) {
        run_step(r, &steps[i]);
        const double now = seconds_now();
        r->call->seconds[i - r->plan->n_pack_steps] += now - before;
        before = now;
    }
}

static void run_groups(run_state *r, int32_t first_group, int32_t end_group)
{
    const plan_group *groups = plan_at(r->plan, r->plan->groups_at);
    const plan_step *steps = plan_at(r->plan, r->plan->steps_at);
    for (int32_t g = first_group; g < end_group; g++) {
        const plan_group *group = &groups[g];
        const int64_t extent = group->symbol < 0 ? 1 : r->call->extents[group->symbol];
        r->first = 0;
        do { /* at least once: sums over no rows are zero */
            r->n = extent - r->first < group->panel_rows ? extent - r->first : group->panel_rows;
            if (r->call->seconds)
                run_group_timed(r, group, steps);
            else
                for (int32_t i = group->first_step; i < group->first_step + group->n_steps; i++) run_step(r, &steps[i]);
            r->first += r->n;
        } while (r->first < extent);
    }
}

/* Pointers of the caller behind the plan's own. Arrays that are only read share the table with those written. */
static void set_bases(const locum_plan *plan, const locum_plan_run_call *call, float *arena, float **bases)
{
    union {
        const void *read;
        void *write;
    } p;
    float **to = bases + PLAN_BASE_CALLER;
    p.read = plan_at(plan, plan->data_at);
    bases[PLAN_BASE_DATA] = p.write;
    bases[PLAN_BASE_ARENA] = arena;
    p.read = call->packed;
    bases[PLAN_BASE_PACKED] = p.write;
    for (int i = 0; i < plan->n_inputs; i++) {
        p.read = call->inputs ? call->inputs[i] : NULL;
        *to++ = p.write;
    }
    for (int i = 0; i < plan->n_parameters; i++) {
        p.read = call->parameters ? call->parameters[i] : NULL;
        *to++ = p.write;
    }
    for (int i = 0; i < plan->n_outputs; i++) *to++ = call->outputs ? call->outputs[i] : NULL;
}

void locum_plan_run(const locum_plan *plan, const locum_plan_run_call *call)
{
    char *arena = call->arena;
    if (plan->flags & LOCUM_PLAN_POISON) memset(arena, 0xff, plan->arena_bytes); /* every float a NaN */
    float **bases = (float **)call->arena;
    set_bases(plan, call, (float *)(arena + plan->values_at), bases);
    run_state r = {.plan = plan, .call = call, .bases = bases, .registers = (float *)(arena + plan->scratch_at)};
    run_groups(&r, plan->n_pack_groups, plan->n_groups);
}

void locum_plan_pack(const locum_plan *plan, const float *const *parameters, void *packed)
{
    char *memory = packed;
    const locum_plan_run_call call = {.parameters = parameters, .packed = packed};
    float **bases = (float **)(memory + plan->pack_bases_at);
    if (!(plan->flags & LOCUM_PLAN_CONSTANT_PARAMETERS)) return;
    set_bases(plan, &call, NULL, bases);
    run_state r = {.plan = plan, .call = &call, .bases = bases, .registers = (float *)(memory + plan->pack_scratch_at)};
    run_groups(&r, 0, plan->n_pack_groups);
    memset(memory + plan->pack_bases_at, 0, plan->packed_bytes - plan->pack_bases_at); /* no pointers stay behind */
}
