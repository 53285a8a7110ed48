/* SPDX-License-Identifier: BSD-3-Clause */
/* bench_unet.c - what a U-Net costs, on one core: blocks of two 3^d convolutions and GELU, max pooling, transposed
 * convolutions up, zeros outside.
 *
 *     unet2d_infer_b8, unet2d_train_b8    4 levels of 32 .. 256 channels, 64^2 points, 4 channels in and out, batch 8
 *     unet3d_infer_b2, unet3d_train_b2    3 levels of 16 .. 64, 32^3 points, batch 2
 * infer: the plan that locum_eval runs, parameters packed ahead; train: mean square loss, gradient, AdamW.
 *
 * Prints a line of network.h for each; peak_gflops is what a loop over registers reaches in the same run, flops count
 * every tap of convolutions alone (training: three times). Arguments: [seconds a case, default 2] [case, or all] [plan:
 * prints what each step costs]. */
#include "scripts/bench/network.h"

enum { CHANNELS = 4 };

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

/* sets the flops, too */
static locum_status build(const unet_case *what, network *net, locum_graph *graph, int *n_outputs, locum_id *outputs)
{
    const int64_t g = what->points;
    const int n_axes = what->n_axes, batch = locum_graph_symbol(graph, "batch");
    const locum_task task = {
        .n_axes = n_axes, .grid = {g, g, g}, .in_channels = CHANNELS, .out_channels = CHANNELS, .history = 1};
    int64_t dims[5] = {1, g, g, g, g};
    char config[256] = {0};
    locum_id z = 0, features = 0;
    dims[n_axes + 1] = CHANNELS;
    configure(what, config);
    const locum_network_input in = {.fields = locum_input(graph, "x", LOCUM_REAL32, batch, n_axes + 2, dims)};
    LOCUM_TRY(locum_model_unet.build(config, &task, graph, &in, &z, &features));
    net->flops = convolution_flops(graph, what->batch) * (what->training ? 3 : 1);
    return network_outputs(net, graph, z, n_axes + 2, dims, n_outputs, outputs);
}

static locum_status measure(const unet_case *what, double limit, bool plan, double peak)
{
    int64_t count = what->batch * CHANNELS;
    for (int i = 0; i < what->n_axes; i++) count *= what->points;
    network net = {.name = what->name,
                   .training = what->training,
                   .batch = what->batch,
                   .in_count = count,
                   .out_count = count,
                   .kernels = locum_kernels_for(LOCUM_CPU_AVX512)};
    locum_graph *graph = NULL;
    locum_id outputs[PARAMETERS_MAX + 1];
    int n_outputs = 0;
    LOCUM_TRY(locum_graph_create(&graph));
    LOCUM_TRY(build(what, &net, graph, &n_outputs, outputs));
    LOCUM_TRY(network_create(&net, graph, n_outputs, outputs));
    locum_graph_destroy(graph);
    network_measure(&net, limit, peak);
    if (plan) network_report(&net, peak);
    network_free(&net);
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
