/* SPDX-License-Identifier: BSD-3-Clause */
/* bench_fno.c - what a Fourier neural operator costs, on one core: 4 layers, width 32, modes 12, 64 x 64 points, 10
 * channels in, head 32 -> 128 -> 1, batch 16.
 *
 *     fno2d_infer_b16    the plan that locum_eval runs, parameters packed ahead
 *     fno2d_train_b16    mean square loss, gradient for all parameters, AdamW
 *
 * Prints one JSON object a line, times of this thread: {case, median_ms, min_ms, repeats, flops, gflops, peak_gflops, share, kernels}; peak is
 * that of a product that stays in the first cache, measured in the same run.
 * Arguments: [seconds per case, default 2] [plan: prints what each step costs]. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/memory.h"
#include "surrogate/models/model_type.h"
#include "surrogate/plan/plan.h"

enum { BATCH = 16, POINTS = 64, CHANNELS = 10, SAMPLES_MAX = 2000, PARAMETERS_MAX = 64, STEPS_MAX = 4000 };

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* flops of a batch forward, as formulas say: lift, 1x1 paths, truncated transforms without any symmetry, modes, head */
static double forward_flops(void)
{
    const double points = BATCH * POINTS * POINTS, c = 32, m = 12;
    const double transforms = BATCH * c * (POINTS * 2 * m * POINTS + 4 * m * 2 * POINTS * m);
    const double mix = BATCH * 2 * m * m * 4 * c * c;
    return 2 * (points * (CHANNELS * c + 4 * c * c + c * 128 + 128) + 4 * (2 * transforms + mix));
}

/* GF/s of a product of 48 x 64 x 64 that stays in the first cache: what one core can do */
static double peak_gflops(const locum_kernels *kernels)
{
    static float a[48 * 64], b[64 * 64], c[48 * 64];
    float *packed = NULL;
    double best = 0;
    if (locum_alloc(&packed, (int64_t)kernels->packed_count(64, 64), sizeof *packed)) abort();
    kernels->pack(64, 64, b, 64, 1, packed);
    const locum_product_call call = {
        .rows = 48, .k = 64, .n = 64, .a = a, .a_stride = 64, .packed = packed, .c = c, .c_stride = 64};
    for (int i = 0; i < 20; i++) {
        const double begin = now();
        for (int k = 0; k < 200; k++) kernels->product(&call);
        best = fmax(best, 200 * 2.0 * 48 * 64 * 64 / (now() - begin) * 1e-9);
    }
    free(packed);
    return best;
}

/* A plan with all it needs. */
typedef struct bench {
    const locum_kernels *kernels;
    locum_plan *plan;
    int n_parameters;
    float *parameters[PARAMETERS_MAX], *gradients[PARAMETERS_MAX], *moments[2][PARAMETERS_MAX];
    float *outputs[PARAMETERS_MAX + 1];
    const float *inputs[2];
    float *values[2];
    void *packed, *arena;
    int64_t extents[1];
    int step;
} bench;

static locum_status floats(float **to, int64_t n, double scale, double turn)
{
    LOCUM_TRY(locum_alloc(to, n, sizeof **to));
    for (int64_t i = 0; i < n; i++) (*to)[i] = (float)(scale * sin(1.7 * (double)i + turn));
    return LOCUM_OK;
}

static void set_defaults(const locum_option *options, char *config)
{
    for (const locum_option *o = options; o->type != LOCUM_END; o++) {
        const int32_t whole = (int32_t)o->value;
        if (o->type == LOCUM_F64)
            memcpy(config + o->place, &o->value, sizeof o->value);
        else
            memcpy(config + o->place, &whole, sizeof whole);
    }
}

/* x -> z, and with `training` the loss and its gradient */
static locum_status build(locum_graph *graph, bool training, int *n_outputs, locum_id *outputs)
{
    const locum_task task = {.n_axes = 2,
                             .grid = {POINTS, POINTS},
                             .periodic = true,
                             .in_channels = CHANNELS,
                             .out_channels = 1,
                             .history = 1};
    const int64_t in_dims[4] = {1, POINTS, POINTS, CHANNELS}, out_dims[4] = {1, POINTS, POINTS, 1};
    const int batch = locum_graph_symbol(graph, "batch");
    double config[16] = {0};
    locum_id z = 0, features = 0, parameters[PARAMETERS_MAX];
    int n = 0;
    set_defaults(locum_model_fno.options, (char *)config);
    const locum_network_input in = {.fields = locum_input(graph, "x", LOCUM_REAL32, batch, 4, in_dims)};
    LOCUM_TRY(locum_model_fno.build(config, &task, graph, &in, &z, &features));
    outputs[0] = z;
    *n_outputs = 1;
    if (!training) return LOCUM_OK;
    const locum_id target = locum_input(graph, "target", LOCUM_REAL32, batch, 4, out_dims);
    const locum_id off = locum_binary(graph, LOCUM_OP_subtract, z, target);
    outputs[0] = locum_sum(graph, locum_binary(graph, LOCUM_OP_multiply, off, off), 0, NULL, false);
    for (locum_id id = 1; id <= locum_graph_n(graph); id++)
        if (locum_graph_node(graph, id)->op == LOCUM_OP_parameter) parameters[n++] = id;
    *n_outputs = 1 + n;
    return locum_graph_gradient(graph, outputs[0], 0, n, parameters, outputs + 1);
}

static locum_status create(bench *b, bool training)
{
    locum_graph *graph = NULL;
    locum_id outputs[PARAMETERS_MAX + 1];
    int n_outputs = 0;
    const locum_plan_options options = {
        .kernels = b->kernels, .capacity = {BATCH}, .flags = training ? 0 : LOCUM_PLAN_CONSTANT_PARAMETERS};
    LOCUM_TRY(locum_graph_create(&graph));
    LOCUM_TRY(build(graph, training, &n_outputs, outputs));
    LOCUM_TRY(locum_plan_create(graph, n_outputs, outputs, &options, &b->plan));
    b->extents[0] = BATCH;
    b->n_parameters = locum_plan_n_parameters(b->plan);
    for (int i = 0; i < b->n_parameters; i++) {
        const int64_t n = locum_plan_parameter_count(b->plan, i);
        LOCUM_TRY(floats(&b->parameters[i], n, n > 1000000 ? 0.02 : 0.2, i));
        if (!training) continue;
        LOCUM_TRY(floats(&b->gradients[i], n, 0, 0));
        for (int k = 0; k < 2; k++) LOCUM_TRY(floats(&b->moments[k][i], n, 0, 0));
        b->outputs[1 + i] = b->gradients[i];
    }
    LOCUM_TRY(floats(&b->outputs[0], BATCH * POINTS * POINTS, 0, 0));
    LOCUM_TRY(floats(&b->values[0], BATCH * POINTS * POINTS * CHANNELS, 1, 0));
    LOCUM_TRY(floats(&b->values[1], BATCH * POINTS * POINTS, 1, 1));
    b->inputs[0] = b->values[0];
    b->inputs[1] = b->values[1];
    LOCUM_TRY(locum_alloc(&b->arena, (int64_t)locum_plan_arena_bytes(b->plan), 1));
    LOCUM_TRY(locum_alloc(&b->packed, (int64_t)locum_plan_packed_bytes(b->plan) + 64, 1));
    locum_plan_pack(b->plan, (const float *const *)b->parameters, b->packed);
    locum_graph_destroy(graph);
    return LOCUM_OK;
}

static void release(bench *b)
{
    for (int i = 0; i < b->n_parameters; i++) {
        free(b->parameters[i]);
        free(b->gradients[i]);
        free(b->moments[0][i]);
        free(b->moments[1][i]);
    }
    free(b->outputs[0]);
    free(b->values[0]);
    free(b->values[1]);
    free(b->arena);
    free(b->packed);
    free(b->plan);
}

static void run(bench *b, double *seconds)
{
    locum_plan_run(b->plan, &(locum_plan_run_call){.extents = b->extents,
                                                   .inputs = b->inputs,
                                                   .parameters = (const float *const *)b->parameters,
                                                   .packed = b->packed,
                                                   .outputs = b->outputs,
                                                   .arena = b->arena,
                                                   .seconds = seconds});
}

static void update(bench *b)
{
    b->step++;
    for (int i = 0; i < b->n_parameters; i++)
        b->kernels->adamw(&(locum_adamw_call){.n = locum_plan_parameter_count(b->plan, i),
                                              .parameter = b->parameters[i],
                                              .moment1 = b->moments[0][i],
                                              .moment2 = b->moments[1][i],
                                              .gradient = b->gradients[i],
                                              .gradient_scale = 1.0f / BATCH,
                                              .learning_rate = 1e-4f,
                                              .beta1 = 0.9f,
                                              .beta2 = 0.999f,
                                              .epsilon = 1e-8f,
                                              .correction1 = (float)(1 / (1 - pow(0.9, b->step))),
                                              .correction2 = (float)(1 / (1 - pow(0.999, b->step)))});
}

static void report(bench *b, bool training, double peak)
{
    static double seconds[STEPS_MAX];
    locum_text text = {0};
    if (locum_plan_n_steps(b->plan) > STEPS_MAX) return;
    memset(seconds, 0, sizeof seconds);
    for (int i = 0; i < 5; i++) {
        run(b, seconds);
        if (training) update(b);
    }
    locum_plan_report(b->plan, b->extents, seconds, 5, 1e9 * peak, &text);
    fputs(text.data, stdout);
    locum_text_free(&text);
}

static locum_status measure(const locum_kernels *kernels, bool training, double limit, bool plan, double peak)
{
    static double samples[SAMPLES_MAX];
    const double flops = (training ? 3 : 1) * forward_flops();
    bench b = {.kernels = kernels};
    int n = 0;
    LOCUM_TRY(create(&b, training));
    const double end = now() + limit;
    while (n < SAMPLES_MAX && (n < 5 || now() < end)) {
        const double begin = now();
        run(&b, NULL);
        if (training) update(&b);
        samples[n++] = 1e3 * (now() - begin);
    }
    qsort(samples, (size_t)n, sizeof *samples, ascending);
    const double rate = flops / samples[n / 2] * 1e-6;
    printf("{\"case\":\"%s\",\"median_ms\":%.3f,\"min_ms\":%.3f,\"repeats\":%d,\"flops\":%.4g,\"gflops\":%.2f,"
           "\"peak_gflops\":%.1f,\"share\":%.3f,\"kernels\":\"%s\",\"arena_mb\":%.2f}\n",
           training ? "fno2d_train_b16" : "fno2d_infer_b16", samples[n / 2], samples[0], n, flops, rate, peak,
           rate / peak, kernels->name, 1e-6 * (double)locum_plan_arena_bytes(b.plan));
    fflush(stdout);
    if (plan) report(&b, training, peak);
    release(&b);
    return LOCUM_OK;
}

int main(int n_arguments, char **arguments)
{
    const double seconds = n_arguments > 1 ? atof(arguments[1]) : 2;
    const bool plan = n_arguments > 2 && !strcmp(arguments[2], "plan");
    const locum_kernels *kernels = locum_kernels_for(LOCUM_CPU_AVX512);
    const double peak = peak_gflops(kernels);
    locum_status st = measure(kernels, false, seconds, plan, peak);
    if (!st) st = measure(kernels, true, seconds, plan, peak);
    if (st) fprintf(stderr, "%s: %s\n%s", locum_status_name(st), locum_status_message(), locum_status_trace());
    return locum_status_exit_code(st);
}
