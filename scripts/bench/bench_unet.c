/* SPDX-License-Identifier: BSD-3-Clause */
/* bench_unet.c - what a U-Net costs, on one core: blocks of two 3^d convolutions and GELU, max pooling, transposed
 * convolutions up, zeros outside.
 *
 *     unet2d_infer_b8, unet2d_train_b8    4 levels of 32 .. 256 channels, 64^2 points, 4 channels in and out, batch 8
 *     unet3d_infer_b2, unet3d_train_b2    3 levels of 16 .. 64, 32^3 points, batch 2
 * infer: the plan that locum_eval runs, parameters packed ahead; train: mean square loss, gradient, AdamW.
 *
 * Prints one JSON object a line; peak_gflops is what a loop over registers reaches in the same run, flops count every tap
 * of convolutions alone (training: three times). Arguments: [seconds a case, default 2] [case, or all] [plan: prints what
 * each step costs]. */
#include "core/memory.h"
#include "scripts/bench/timing.h"
#include "surrogate/models/model_type.h"
#include "surrogate/plan/plan.h"

enum { PARAMETERS_MAX = 128, STEPS_MAX = 8000, SAMPLES_MAX = 2000, CHANNELS = 4 };

typedef struct unet_case {
    const char *name;
    int n_axes;
    int64_t batch, points;
    int32_t levels, width;
    bool training;
} unet_case;

static const unet_case cases[] = {{"unet2d_infer_b8", 2, 8, 64, 4, 32, false},
                                  {"unet2d_train_b8", 2, 8, 64, 4, 32, true},
                                  {"unet3d_infer_b2", 3, 2, 32, 3, 16, false},
                                  {"unet3d_train_b2", 3, 2, 32, 3, 16, true}};

/* A plan with all it needs. */
typedef struct bench {
    const locum_kernels *kernels;
    const unet_case *what;
    locum_plan *plan;
    int n_parameters, step;
    float *parameters[PARAMETERS_MAX], *gradients[PARAMETERS_MAX], *moments[2][PARAMETERS_MAX], *values[2];
    float *outputs[PARAMETERS_MAX + 1];
    void *packed, *arena;
    double flops;
} bench;

static locum_status waves(float **to, int64_t n, double scale, double turn)
{
    LOCUM_TRY(locum_alloc(to, n, sizeof **to));
    for (int64_t i = 0; i < n; i++) (*to)[i] = (float)(scale * sin(1.7 * (double)i + turn));
    return LOCUM_OK;
}

static void configure(const unet_case *what, char *config)
{
    for (const locum_option *o = locum_model_unet.options; o->type != LOCUM_END; o++) {
        const int32_t value = !strcmp(o->name, "levels")  ? what->levels
                              : !strcmp(o->name, "width") ? what->width
                                                          : (int32_t)o->value;
        memcpy(config + o->place, &value, sizeof value);
    }
}

/* flops of the convolutions of a graph, forward */
static double convolution_flops(const locum_graph *graph, int64_t batch)
{
    double flops = 0;
    for (locum_id id = 1; id <= locum_graph_n(graph); id++) {
        const locum_node *node = locum_graph_node(graph, id);
        const bool input = node->op == LOCUM_OP_convolution_input;
        if (node->op != LOCUM_OP_convolution && node->op != LOCUM_OP_product && !input) continue;
        const locum_node *w = locum_graph_node(graph, locum_graph_inputs(graph, id)[1]);
        const locum_node *points = input ? locum_graph_node(graph, locum_graph_inputs(graph, id)[0]) : node;
        double terms = 2.0 * (double)batch;
        for (int i = 0; i < w->n_dims; i++) terms *= (double)w->dims[i];
        for (int i = 1; i < points->n_dims - 1; i++) terms *= (double)points->dims[i];
        flops += terms;
    }
    return flops;
}

/* x -> z, and for training the loss and its gradient */
static locum_status build(bench *b, locum_graph *graph, int *n_outputs, locum_id *outputs)
{
    const int64_t g = b->what->points;
    const int n_axes = b->what->n_axes, batch = locum_graph_symbol(graph, "batch");
    const locum_task task = {
        .n_axes = n_axes, .grid = {g, g, g}, .in_channels = CHANNELS, .out_channels = CHANNELS, .history = 1};
    int64_t dims[5] = {1, g, g, g, g};
    char config[256] = {0};
    locum_id z = 0, features = 0, parameters[PARAMETERS_MAX];
    int n = 0;
    dims[n_axes + 1] = CHANNELS;
    configure(b->what, config);
    const locum_network_input in = {.fields = locum_input(graph, "x", LOCUM_REAL32, batch, n_axes + 2, dims)};
    LOCUM_TRY(locum_model_unet.build(config, &task, graph, &in, &z, &features));
    b->flops = convolution_flops(graph, b->what->batch) * (b->what->training ? 3 : 1);
    outputs[0] = z;
    *n_outputs = 1;
    if (!b->what->training) return LOCUM_OK;
    const locum_id target = locum_input(graph, "target", LOCUM_REAL32, batch, n_axes + 2, dims);
    const locum_id off = locum_binary(graph, LOCUM_OP_subtract, z, target);
    outputs[0] = locum_sum(graph, locum_binary(graph, LOCUM_OP_multiply, off, off), 0, NULL, false);
    for (locum_id id = 1; id <= locum_graph_n(graph) && n < PARAMETERS_MAX; id++)
        if (locum_graph_node(graph, id)->op == LOCUM_OP_parameter) parameters[n++] = id;
    *n_outputs = 1 + n;
    return locum_graph_gradient(graph, outputs[0], 0, n, parameters, outputs + 1);
}

static locum_status create(bench *b)
{
    locum_graph *graph = NULL;
    locum_id outputs[PARAMETERS_MAX + 1];
    int n_outputs = 0;
    int64_t count = b->what->batch * CHANNELS;
    const locum_plan_options options = {.kernels = b->kernels,
                                        .capacity = {b->what->batch},
                                        .flags = b->what->training ? 0 : LOCUM_PLAN_CONSTANT_PARAMETERS};
    for (int i = 0; i < b->what->n_axes; i++) count *= b->what->points;
    LOCUM_TRY(locum_graph_create(&graph));
    LOCUM_TRY(build(b, graph, &n_outputs, outputs));
    LOCUM_TRY(locum_plan_create(graph, n_outputs, outputs, &options, &b->plan));
    b->n_parameters = locum_plan_n_parameters(b->plan);
    for (int i = 0; i < b->n_parameters; i++) {
        const int64_t n = locum_plan_parameter_count(b->plan, i);
        LOCUM_TRY(waves(&b->parameters[i], n, 0.05, i));
        if (!b->what->training) continue;
        LOCUM_TRY(waves(&b->gradients[i], n, 0, 0));
        for (int k = 0; k < 2; k++) LOCUM_TRY(waves(&b->moments[k][i], n, 0, 0));
        b->outputs[1 + i] = b->gradients[i];
    }
    LOCUM_TRY(waves(&b->outputs[0], count, 0, 0));
    for (int k = 0; k < 2; k++) LOCUM_TRY(waves(&b->values[k], count, 1, k));
    LOCUM_TRY(locum_alloc(&b->arena, (int64_t)locum_plan_arena_bytes(b->plan), 1));
    LOCUM_TRY(locum_alloc(&b->packed, (int64_t)locum_plan_packed_bytes(b->plan) + 64, 1));
    locum_plan_pack(b->plan, (const float *const *)b->parameters, b->packed);
    locum_graph_destroy(graph);
    return LOCUM_OK;
}

static void release(bench *b)
{
    for (int i = 0; i < b->n_parameters; i++) {
        free(b->parameters[i]), free(b->gradients[i]);
        free(b->moments[0][i]), free(b->moments[1][i]);
    }
    free(b->outputs[0]), free(b->values[0]), free(b->values[1]);
    free(b->arena), free(b->packed), free(b->plan);
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
                                              .gradient_scale = 1e-5f,
                                              .learning_rate = 1e-4f,
                                              .beta1 = 0.9f,
                                              .beta2 = 0.999f,
                                              .epsilon = 1e-8f,
                                              .correction1 = (float)(1 / (1 - pow(0.9, b->step))),
                                              .correction2 = (float)(1 / (1 - pow(0.999, b->step)))});
}

static void step(bench *b, double *seconds)
{
    locum_plan_run(b->plan, &(locum_plan_run_call){.extents = &b->what->batch,
                                                   .inputs = (const float *const *)b->values,
                                                   .parameters = (const float *const *)b->parameters,
                                                   .packed = b->packed,
                                                   .outputs = b->outputs,
                                                   .arena = b->arena,
                                                   .seconds = seconds});
    if (b->what->training) update(b);
}

static void report(bench *b, double peak)
{
    static double seconds[STEPS_MAX];
    locum_text text = {0};
    if (locum_plan_n_steps(b->plan) > STEPS_MAX) return;
    memset(seconds, 0, sizeof seconds);
    for (int i = 0; i < 3; i++) step(b, seconds);
    locum_plan_report(b->plan, &b->what->batch, seconds, 3, peak, &text);
    fputs(text.data, stdout);
    locum_text_free(&text);
}

static locum_status measure(const unet_case *what, double limit, bool plan, double peak)
{
    static double samples[SAMPLES_MAX];
    bench b = {.kernels = locum_kernels_for(LOCUM_CPU_AVX512), .what = what};
    int n = 0;
    LOCUM_TRY(create(&b));
    step(&b, NULL);
    for (const double end = now() + limit; n < SAMPLES_MAX && (n < 3 || now() < end); n++) {
        const double begin = now();
        step(&b, NULL);
        samples[n] = 1e3 * (now() - begin);
    }
    qsort(samples, (size_t)n, sizeof *samples, ascending);
    const double rate = b.flops / samples[n / 2] * 1e-6;
    printf("{\"case\":\"%s\",\"median_ms\":%.3f,\"min_ms\":%.3f,\"repeats\":%d,\"flops\":%.4g,\"gflops\":%.2f,"
           "\"peak_gflops\":%.1f,\"share\":%.3f,\"kernels\":\"%s\",\"arena_mb\":%.2f}\n",
           what->name, samples[n / 2], samples[0], n, b.flops, rate, 1e-9 * peak, 1e9 * rate / peak, b.kernels->name,
           1e-6 * (double)locum_plan_arena_bytes(b.plan));
    fflush(stdout);
    if (plan) report(&b, peak);
    release(&b);
    return LOCUM_OK;
}

int main(int n_arguments, char **arguments)
{
    const double seconds = n_arguments > 1 ? atof(arguments[1]) : 2;
    const char *only = n_arguments > 2 ? arguments[2] : "all";
    const bool plan = n_arguments > 3 && !strcmp(arguments[3], "plan");
    const double peak = measured_peak(locum_kernels_for(LOCUM_CPU_AVX512)->level);
    locum_status st = LOCUM_OK;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0] && !st; i++)
        if (!strcmp(only, "all") || !strcmp(only, cases[i].name)) st = measure(&cases[i], seconds, plan, peak);
    if (st) fprintf(stderr, "%s: %s\n%s", locum_status_name(st), locum_status_message(), locum_status_trace());
    return locum_status_exit_code(st);
}
