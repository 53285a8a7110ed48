/* SPDX-License-Identifier: BSD-3-Clause */
/* bench_convolution.c - convolutions of surrogate/kernels beside oneDNN, channels last, one thread each, in one run.
 *
 *     bench_convolution [repeats]
 * Fields are nhwc for ours and for oneDNN, and then in the layout that oneDNN likes best ("own"; bringing them into it is
 * not timed); weights are packed ahead by both. A repeat times all three one after the other in this thread's processor
 * time; printed are medians, GF/s as if no tap were outside, median ratios (above 1: ours is faster) and our share of the
 * multiply-add peak that a loop over registers measures in the same run.
 * The largest difference between both results is checked against the round-off of sums of that length. */
#include <dnnl.h>

#include "scripts/bench/timing.h"

enum { FORWARD, INPUT, WEIGHT };

/* One case: 2-D, zeros outside. */
typedef struct bench {
    const locum_kernels *kernels;
    locum_convolution_shape shape;
    int kind;
    int64_t batch;
    float *x, *w, *y, *packed, *ours, *theirs;
    dnnl_stream_t stream;
    struct {
        dnnl_primitive_t primitive;
        dnnl_exec_arg_t arguments[3]; /* x, w, y */
    } peer[2];                        /* nhwc, own layout */
    int layout;
} bench;

static void must(dnnl_status_t status)
{
    if (status == dnnl_success) return;
    fprintf(stderr, "oneDNN: error %d\n", (int)status);
    exit(1);
}

static float *random_array(int64_t n)
{
    float *a = aligned_alloc(64, ((size_t)n * sizeof *a + 127) / 64 * 64);
    if (!a) exit(1);
    for (int64_t i = 0; i < n; i++) a[i] = (float)rand() / (float)RAND_MAX - 0.5f;
    return a;
}

static int64_t count_of(const bench *b, int what) /* floats of x, y or w */
{
    const locum_convolution_shape *s = &b->shape;
    if (what == 0) return b->batch * s->grid[1] * s->grid[2] * s->channels;
    if (what == 1) return b->batch * s->points[1] * s->points[2] * s->columns;
    return s->taps[1] * s->taps[2] * s->channels * s->columns;
}

/* --- oneDNN -------------------------------------------------------------------------------------------------------- */

static dnnl_memory_t memory_of(const dnnl_memory_desc_t *desc, dnnl_engine_t engine, void *data)
{
    dnnl_memory_t memory;
    must(dnnl_memory_create(&memory, desc, engine, data));
    return memory;
}

/* to = from in another layout */
static void reorder(dnnl_engine_t engine, dnnl_stream_t stream, dnnl_memory_t from, dnnl_memory_t to)
{
    const dnnl_memory_desc_t *a, *b;
    dnnl_primitive_desc_t desc;
    dnnl_primitive_t primitive;
    must(dnnl_memory_get_memory_desc(from, &a));
    must(dnnl_memory_get_memory_desc(to, &b));
    must(dnnl_reorder_primitive_desc_create(&desc, a, engine, b, engine, NULL));
    must(dnnl_primitive_create(&primitive, desc));
    const dnnl_exec_arg_t arguments[2] = {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}};
    must(dnnl_primitive_execute(primitive, stream, 2, arguments));
    must(dnnl_stream_wait(stream));
}

/* Layouts of x, w, y. */
static void describe(const bench *b, dnnl_memory_desc_t *x, dnnl_memory_desc_t *w, dnnl_memory_desc_t *y,
                     dnnl_format_tag_t fields, dnnl_format_tag_t weights)
{
    const locum_convolution_shape *s = &b->shape;
    const dnnl_dims_t x_dims = {b->batch, s->channels, s->grid[1], s->grid[2]},
                      y_dims = {b->batch, s->columns, s->points[1], s->points[2]},
                      w_dims = {s->columns, s->channels, s->taps[1], s->taps[2]};
    must(dnnl_memory_desc_init_by_tag(x, 4, x_dims, dnnl_f32, fields));
    must(dnnl_memory_desc_init_by_tag(y, 4, y_dims, dnnl_f32, fields));
    must(dnnl_memory_desc_init_by_tag(w, 4, w_dims, dnnl_f32, weights));
}

static dnnl_convolution_desc_t operation_of(const bench *b)
{
    const locum_convolution_shape *s = &b->shape;
    const dnnl_dims_t strides = {s->stride, s->stride}, before = {s->before[1], s->before[2]},
                      behind = {s->taps[1] - 1 - s->before[1], s->taps[2] - 1 - s->before[2]};
    dnnl_memory_desc_t x, w, y;
    dnnl_convolution_desc_t operation;
    describe(b, &x, &w, &y, b->layout ? dnnl_format_tag_any : dnnl_nhwc, dnnl_format_tag_any);
    if (b->kind == FORWARD)
        must(dnnl_convolution_forward_desc_init(&operation, dnnl_forward_inference, dnnl_convolution_direct, &x, &w,
                                                NULL, &y, strides, before, behind));
    else if (b->kind == INPUT)
        must(dnnl_convolution_backward_data_desc_init(&operation, dnnl_convolution_direct, &x, &w, &y, strides, before,
                                                      behind));
    else
        must(dnnl_convolution_backward_weights_desc_init(&operation, dnnl_convolution_direct, &x, &w, NULL, &y, strides,
                                                         before, behind));
    return operation;
}

/* what is read is brought into the layout that the primitive asks for */
static dnnl_memory_t operand_of(const bench *b, dnnl_engine_t engine, const dnnl_memory_desc_t *from, float *data,
                                const dnnl_memory_desc_t *to)
{
    const dnnl_memory_t own = memory_of(from, engine, data), best = memory_of(to, engine, DNNL_MEMORY_ALLOCATE);
    reorder(engine, b->stream, own, best);
    return best;
}

static void prepare_theirs(bench *b, dnnl_engine_t engine, int layout)
{
    b->layout = layout;
    dnnl_convolution_desc_t operation = operation_of(b);
    dnnl_primitive_desc_t desc, hint = NULL;
    if (b->kind != FORWARD) {
        bench forward = *b;
        forward.kind = FORWARD;
        const dnnl_convolution_desc_t first = operation_of(&forward);
        must(dnnl_primitive_desc_create(&hint, &first, NULL, engine, NULL));
    }
    must(dnnl_primitive_desc_create(&desc, &operation, NULL, engine, hint));
    must(dnnl_primitive_create(&b->peer[layout].primitive, desc));
    const dnnl_memory_desc_t *best[3] = {
        dnnl_primitive_desc_query_md(desc, b->kind == INPUT ? dnnl_query_diff_src_md : dnnl_query_src_md, 0),
        dnnl_primitive_desc_query_md(desc, b->kind == WEIGHT ? dnnl_query_diff_weights_md : dnnl_query_weights_md, 0),
        dnnl_primitive_desc_query_md(desc, b->kind == FORWARD ? dnnl_query_dst_md : dnnl_query_diff_dst_md, 0)};
    dnnl_memory_desc_t plain[3];
    float *const data[3] = {b->x, b->w, b->y};
    describe(b, &plain[0], &plain[1], &plain[2], dnnl_nhwc, dnnl_hwio);
    const int names[3] = {b->kind == INPUT ? DNNL_ARG_DIFF_SRC : DNNL_ARG_SRC,
                          b->kind == WEIGHT ? DNNL_ARG_DIFF_WEIGHTS : DNNL_ARG_WEIGHTS,
                          b->kind == FORWARD ? DNNL_ARG_DST : DNNL_ARG_DIFF_DST};
    for (int i = 0; i < 3; i++)
        b->peer[layout].arguments[i] = (dnnl_exec_arg_t){names[i], operand_of(b, engine, &plain[i], data[i], best[i])};
}

/* the result, back in our order */
static void fetch_theirs(const bench *b, dnnl_engine_t engine, int layout)
{
    static const int results[] = {2, 0, 1};
    dnnl_memory_desc_t plain[3];
    describe(b, &plain[0], &plain[1], &plain[2], dnnl_nhwc, dnnl_hwio);
    reorder(engine, b->stream, b->peer[layout].arguments[results[b->kind]].memory,
            memory_of(&plain[results[b->kind]], engine, b->theirs));
}

static void run_theirs(const bench *b, int layout)
{
    must(dnnl_primitive_execute(b->peer[layout].primitive, b->stream, 3, b->peer[layout].arguments));
    must(dnnl_stream_wait(b->stream));
}

static void theirs(const bench *b)
{
    run_theirs(b, 0);
}

static void theirs_own_layout(const bench *b)
{
    run_theirs(b, 1);
}

/* --- ours ---------------------------------------------------------------------------------------------------------- */

static void ours(const bench *b)
{
    const locum_convolution_shape *s = &b->shape;
    if (b->kind == WEIGHT) {
        b->kernels->convolution_weight(&(locum_convolution_weight_call){.shape = s,
                                                                        .batch = b->batch,
                                                                        .x = b->x,
                                                                        .y = b->y,
                                                                        .x_stride = s->channels,
                                                                        .y_stride = s->columns,
                                                                        .w = b->ours});
        return;
    }
    b->kernels->convolution(&(locum_convolution_call){.shape = s,
                                                      .input = b->kind == INPUT,
                                                      .batch = b->batch,
                                                      .a = b->kind == INPUT ? b->y : b->x,
                                                      .a_stride = b->kind == INPUT ? s->columns : s->channels,
                                                      .packed = b->packed,
                                                      .c = b->ours,
                                                      .c_stride = b->kind == INPUT ? s->channels : s->columns});
}

static double time_of(void (*work)(const bench *), const bench *b, int calls)
{
    const double start = now();
    for (int i = 0; i < calls; i++) work(b);
    return (now() - start) / calls;
}

static void run_case(bench *b, dnnl_engine_t engine, int repeats, double peak)
{
    static const char *const names[] = {"forward", "input gradient", "weight gradient"};
    static const int results[] = {1, 0, 2};
    const locum_convolution_shape *s = &b->shape;
    const int64_t n = count_of(b, results[b->kind]);
    const double points = (double)(b->batch * s->points[1] * s->points[2]);
    const double flops = 2 * points * (double)(s->taps[1] * s->taps[2] * s->channels * s->columns);
    double t[3][MOST_REPEATS], ratio[2][MOST_REPEATS], worst = 0.0;
    b->x = random_array(count_of(b, 0)), b->y = random_array(count_of(b, 1)), b->w = random_array(count_of(b, 2));
    b->ours = random_array(n), b->theirs = random_array(n);
    b->packed = random_array((int64_t)b->kernels->convolution_count(s, b->kind == INPUT));
    b->kernels->convolution_pack(s, b->kind == INPUT, b->w, b->packed);
    for (int layout = 0; layout < 2; layout++) {
        prepare_theirs(b, engine, layout);
        run_theirs(b, layout);
        fetch_theirs(b, engine, layout);
        ours(b);
        for (int64_t i = 0; i < n; i++) worst = fmax(worst, fabs((double)b->ours[i] - (double)b->theirs[i]));
    }
    const double length = b->kind == WEIGHT ? points : (double)(s->taps[1] * s->taps[2] * s->channels);
    const int calls = (int)fmin(1000.0, 1.0 + 2e-2 / time_of(ours, b, 1));
    for (int r = 0; r < repeats; r++) {
        t[0][r] = time_of(ours, b, calls);
        t[1][r] = time_of(theirs, b, calls);
        t[2][r] = time_of(theirs_own_layout, b, calls);
        ratio[0][r] = t[1][r] / t[0][r];
        ratio[1][r] = t[2][r] / t[0][r];
    }
    const summary m = summarise(t[0], repeats), o = summarise(t[1], repeats), w = summarise(t[2], repeats);
    const summary q = summarise(ratio[0], repeats), u = summarise(ratio[1], repeats);
    printf("%-15s %lldx%lld, %3lld -> %3lld, %2lld^2, batch %lld%s  %8.3f ms +-%4.1f%% %6.1f GF/s %3.0f%% of peak  "
           "oneDNN nhwc "
           "%6.1f GF/s ratio %5.2f, own %6.1f GF/s ratio %5.2f%s\n",
           names[b->kind], (long long)s->taps[1], (long long)s->taps[2], (long long)s->channels, (long long)s->columns,
           (long long)s->grid[1], (long long)b->batch, s->stride > 1 ? ", stride 2" : "", 1e3 * m.median,
           100 * m.spread, 1e-9 * flops / m.median, 100 * flops / m.median / peak, 1e-9 * flops / o.median, q.median,
           1e-9 * flops / w.median, u.median, worst < 1e-6 * length + 1e-5 ? "" : "  WRONG");
    free(b->x), free(b->y), free(b->w), free(b->ours), free(b->theirs), free(b->packed);
}

int main(int argc, char **argv)
{
    static const struct {
        int64_t grid, taps, channels, columns, stride;
    } sizes[] = {
        {64, 3, 64, 64, 1}, {64, 3, 32, 32, 1}, {16, 3, 128, 128, 1}, {8, 3, 256, 256, 1}, {16, 2, 64, 128, 2}};
    const int wanted = argc > 1 ? atoi(argv[1]) : 21, repeats = wanted < 3 || wanted > MOST_REPEATS ? 21 : wanted;
    bench b = {.kernels = locum_kernels_for(LOCUM_CPU_AVX512), .batch = 8};
    dnnl_engine_t engine;
    setenv("OMP_NUM_THREADS", "1", 1);
    const double peak = measured_peak(b.kernels->level);
    const dnnl_version_t *version = dnnl_version();
    must(dnnl_engine_create(&engine, dnnl_cpu, 0));
    must(dnnl_stream_create(&b.stream, engine, dnnl_stream_default_flags));
    printf("kernels %s; oneDNN %d.%d.%d; repeats %d; multiply-add peak, measured: %.1f GF/s\n", b.kernels->name,
           version->major, version->minor, version->patch, repeats, 1e-9 * peak);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        for (b.kind = FORWARD; b.kind <= WEIGHT; b.kind++) {
            const int64_t g = sizes[i].grid, p = g / sizes[i].stride, k = sizes[i].taps;
            const int64_t before = sizes[i].stride == 1 ? (k - 1) / 2 : 0;
            b.shape = (locum_convolution_shape){.grid = {1, g, g},
                                                .points = {1, p, p},
                                                .taps = {1, k, k},
                                                .before = {0, before, before},
                                                .channels = sizes[i].channels,
                                                .columns = sizes[i].columns,
                                                .stride = sizes[i].stride,
                                                .dilation = 1};
            run_case(&b, engine, repeats, peak);
        }
    return 0;
}
