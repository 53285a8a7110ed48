/* SPDX-License-Identifier: BSD-3-Clause */
/* network.h - what benches of networks on grids share: a plan with all its memory, run as a batch forward or as one step
 * of training (mean square loss, gradient for all parameters, AdamW), and its line of JSON:
 *     {case, median_ms, min_ms, repeats, flops, gflops, peak_gflops, share, kernels, arena_mb} */
#ifndef SCRIPTS_BENCH_NETWORK_H
#define SCRIPTS_BENCH_NETWORK_H

#include "core/memory.h"
#include "scripts/bench/timing.h"
#include "surrogate/models/model_type.h"
#include "surrogate/plan/plan.h"

enum { PARAMETERS_MAX = 128, STEPS_MAX = 8000, SAMPLES_MAX = 2000, REPORT_RUNS = 5 };

/* a network to be timed, and its plan */
typedef struct network {
    const char *name;
    bool training;
    int64_t batch, in_count, out_count; /* values of a batch */
    double flops;                       /* of one run */
    const locum_kernels *kernels;
    locum_plan *plan;
    int n_parameters, steps;
    float *parameters[PARAMETERS_MAX], *gradients[PARAMETERS_MAX], *moments[2][PARAMETERS_MAX];
    float *outputs[PARAMETERS_MAX + 1], *values[2]; /* inputs: x, target */
    void *packed, *arena;
} network;

static inline locum_status waves(float **to, int64_t n, double scale, double turn)
{
    LOCUM_TRY(locum_alloc(to, n, sizeof **to));
    for (int64_t i = 0; i < n; i++) (*to)[i] = (float)(scale * sin(1.7 * (double)i + turn));
    return LOCUM_OK;
}

/* z, and for training in its place the loss against an input "target" of these dims, and its gradient */
static inline locum_status network_outputs(const network *net, locum_graph *graph, locum_id z, int n_dims,
                                           const int64_t *dims, int *n_outputs, locum_id *outputs)
{
    locum_id parameters[PARAMETERS_MAX];
    int n = 0;
    outputs[0] = z;
    *n_outputs = 1;
    if (!net->training) return LOCUM_OK;
    const locum_id target =
        locum_input(graph, "target", LOCUM_REAL32, locum_graph_symbol(graph, "batch"), n_dims, dims);
    const locum_id off = locum_binary(graph, LOCUM_OP_subtract, z, target);
    outputs[0] = locum_sum(graph, locum_binary(graph, LOCUM_OP_multiply, off, off), 0, NULL, false);
    for (locum_id id = 1; id <= locum_graph_n(graph) && n < PARAMETERS_MAX; id++)
        if (locum_graph_node(graph, id)->op == LOCUM_OP_parameter) parameters[n++] = id;
    *n_outputs = 1 + n;
    return locum_graph_gradient(graph, outputs[0], 0, n, parameters, outputs + 1);
}

/* plan, weights and memory; name, training, counts, flops and kernels are set */
static inline locum_status network_create(network *net, const locum_graph *graph, int n_outputs,
                                          const locum_id *outputs)
{
    const locum_plan_options options = {
        .kernels = net->kernels, .capacity = {net->batch}, .flags = net->training ? 0 : LOCUM_PLAN_CONSTANT_PARAMETERS};
    LOCUM_TRY(locum_plan_create(graph, n_outputs, outputs, &options, &net->plan));
    net->n_parameters = locum_plan_n_parameters(net->plan);
    for (int i = 0; i < net->n_parameters; i++) {
        const int64_t n = locum_plan_parameter_count(net->plan, i);
        LOCUM_TRY(waves(&net->parameters[i], n, 0.05, i));
        if (!net->training) continue;
        LOCUM_TRY(waves(&net->gradients[i], n, 0, 0));
        for (int k = 0; k < 2; k++) LOCUM_TRY(waves(&net->moments[k][i], n, 0, 0));
        net->outputs[1 + i] = net->gradients[i];
    }
    LOCUM_TRY(waves(&net->outputs[0], net->out_count, 0, 0));
    LOCUM_TRY(waves(&net->values[0], net->in_count, 1, 0));
    LOCUM_TRY(waves(&net->values[1], net->out_count, 1, 1));
    LOCUM_TRY(locum_alloc(&net->arena, (int64_t)locum_plan_arena_bytes(net->plan), 1));
    LOCUM_TRY(locum_alloc(&net->packed, (int64_t)locum_plan_packed_bytes(net->plan) + 64, 1));
    locum_plan_pack(net->plan, (const float *const *)net->parameters, net->packed);
    return LOCUM_OK;
}

static inline void network_free(network *net)
{
    for (int i = 0; i < net->n_parameters; i++) {
        free(net->parameters[i]);
        free(net->gradients[i]);
        free(net->moments[0][i]);
        free(net->moments[1][i]);
    }
    free(net->outputs[0]);
    free(net->values[0]);
    free(net->values[1]);
    free(net->arena);
    free(net->packed);
    free(net->plan);
}

static inline void network_update(network *net)
{
    net->steps++;
    for (int i = 0; i < net->n_parameters; i++)
        net->kernels->adamw(&(locum_adamw_call){.n = locum_plan_parameter_count(net->plan, i),
                                                .parameter = net->parameters[i],
                                                .moment1 = net->moments[0][i],
                                                .moment2 = net->moments[1][i],
                                                .gradient = net->gradients[i],
                                                .gradient_scale = 1.0f / (float)net->batch,
                                                .learning_rate = 1e-4f,
                                                .beta1 = 0.9f,
                                                .beta2 = 0.999f,
                                                .epsilon = 1e-8f,
                                                .correction1 = (float)(1 / (1 - pow(0.9, net->steps))),
                                                .correction2 = (float)(1 / (1 - pow(0.999, net->steps)))});
}

static inline void network_run(network *net, double *seconds)
{
    locum_plan_run(net->plan, &(locum_plan_run_call){.extents = &net->batch,
                                                     .inputs = (const float *const *)net->values,
                                                     .parameters = (const float *const *)net->parameters,
                                                     .packed = net->packed,
                                                     .outputs = net->outputs,
                                                     .arena = net->arena,
                                                     .seconds = seconds});
    if (net->training) network_update(net);
}

/* what each step of the plan costs */
static inline void network_report(network *net, double peak)
{
    static double seconds[STEPS_MAX];
    locum_text text = {0};
    if (locum_plan_n_steps(net->plan) > STEPS_MAX) return;
    memset(seconds, 0, sizeof seconds);
    for (int i = 0; i < REPORT_RUNS; i++) network_run(net, seconds);
    locum_plan_report(net->plan, &net->batch, seconds, REPORT_RUNS, peak, &text);
    fputs(text.data, stdout);
    locum_text_free(&text);
}

/* runs for so many seconds and prints the line; peak in flops a second */
static inline void network_measure(network *net, double limit, double peak)
{
    static double samples[SAMPLES_MAX];
    int n = 0;
    network_run(net, NULL); /* warms up */
    for (const double end = now() + limit; n < SAMPLES_MAX && (n < 5 || now() < end); n++) {
        const double begin = now();
        network_run(net, NULL);
        samples[n] = 1e3 * (now() - begin);
    }
    qsort(samples, (size_t)n, sizeof *samples, ascending);
    const double rate = net->flops / samples[n / 2] * 1e3;
    printf("{\"case\":\"%s\",\"median_ms\":%.3f,\"min_ms\":%.3f,\"repeats\":%d,\"flops\":%.4g,\"gflops\":%.2f,"
           "\"peak_gflops\":%.1f,\"share\":%.3f,\"kernels\":\"%s\",\"arena_mb\":%.2f}\n",
           net->name, samples[n / 2], samples[0], n, net->flops, 1e-9 * rate, 1e-9 * peak, rate / peak,
           net->kernels->name, 1e-6 * (double)locum_plan_arena_bytes(net->plan));
    fflush(stdout);
}

#endif
