/* SPDX-License-Identifier: BSD-3-Clause */
/* bench_fno.c - what a Fourier neural operator costs, on one core: 4 layers, width 32, modes 12, 64 x 64 points, 10
 * channels in, head 32 -> 128 -> 1, batch 16.
 *
 *     fno2d_infer_b16    the plan that locum_eval runs, parameters packed ahead
 *     fno2d_train_b16    mean square loss, gradient for all parameters, AdamW
 *
 * Prints a line of network.h for each, times of this thread; peak is that of a product that stays in the first cache,
 * measured in the same run.
 * Arguments: [seconds per case, default 2] [plan: prints what each step costs]. */
#include "scripts/bench/network.h"

enum { BATCH = 16, POINTS = 64, CHANNELS = 10 };

/* flops of a batch forward, as formulas say: lift, 1x1 paths, truncated transforms without any symmetry, modes, head */
static double forward_flops(void)
{
    const double points = BATCH * POINTS * POINTS, c = 32, m = 12;
    const double transforms = BATCH * c * (POINTS * 2 * m * POINTS + 4 * m * 2 * POINTS * m);
    const double mix = BATCH * 2 * m * m * 4 * c * c;
    return 2 * (points * (CHANNELS * c + 4 * c * c + c * 128 + 128) + 4 * (2 * transforms + mix));
}

/* Rate of a product of 48 x 64 x 64 that stays in the first cache: what one core can do */
static double product_peak(const locum_kernels *kernels)
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
        best = fmax(best, 200 * 2.0 * 48 * 64 * 64 / (now() - begin));
    }
    free(packed);
    return best;
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

static locum_status build(const network *net, locum_graph *graph, int *n_outputs, locum_id *outputs)
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
    locum_id z = 0, features = 0;
    set_defaults(locum_model_fno.options, (char *)config);
    const locum_network_input in = {.fields = locum_input(graph, "x", LOCUM_REAL32, batch, 4, in_dims)};
    LOCUM_TRY(locum_model_fno.build(config, &task, graph, &in, &z, &features));
    return network_outputs(net, graph, z, 4, out_dims, n_outputs, outputs);
}

static locum_status measure(const locum_kernels *kernels, bool training, double limit, bool plan, double peak)
{
    network net = {.name = training ? "fno2d_train_b16" : "fno2d_infer_b16",
                   .training = training,
                   .batch = BATCH,
                   .in_count = BATCH * POINTS * POINTS * CHANNELS,
                   .out_count = BATCH * POINTS * POINTS,
                   .flops = (training ? 3 : 1) * forward_flops(),
                   .kernels = kernels};
    locum_graph *graph = NULL;
    locum_id outputs[PARAMETERS_MAX + 1];
    int n_outputs = 0;
    LOCUM_TRY(locum_graph_create(&graph));
    LOCUM_TRY(build(&net, graph, &n_outputs, outputs));
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
    const bool plan = n_arguments > 2 && !strcmp(arguments[2], "plan");
    const locum_kernels *kernels = locum_kernels_for(LOCUM_CPU_AVX512);
    const double peak = product_peak(kernels);
    locum_status st = measure(kernels, false, seconds, plan, peak);
    if (!st) st = measure(kernels, true, seconds, plan, peak);
    if (st) fprintf(stderr, "%s: %s\n%s", locum_status_name(st), locum_status_message(), locum_status_trace());
    return locum_status_exit_code(st);
}
