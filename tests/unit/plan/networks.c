/* SPDX-License-Identifier: BSD-3-Clause */
/* networks.c - see networks.h. */
#include "networks.h"

#include <stdio.h>
#include <stdlib.h>

enum { N_X = 5, N_Z = 3 };

static locum_id vector(locum_graph *graph, const char *name, int64_t n, int *n_parameters, locum_id *parameters)
{
    return parameters[(*n_parameters)++] = locum_parameter(graph, name, LOCUM_REAL32, 1, &n);
}

static locum_id dense(locum_graph *graph, locum_id x, int64_t groups, int64_t n_in, int64_t n_out, int *n_parameters,
                      locum_id *parameters)
{
    const int64_t dims[] = {groups, n_in, n_out};
    const locum_id weight = locum_parameter(graph, "weight", LOCUM_REAL32, 3, dims);
    parameters[(*n_parameters)++] = weight;
    return locum_binary(graph, LOCUM_OP_add, locum_product(graph, x, weight, false),
                        vector(graph, "bias", groups * n_out, n_parameters, parameters));
}

locum_id network_build(locum_graph *graph, int layers, int64_t width, int64_t members, locum_op activation,
                       unsigned flags, int *n_parameters, locum_id *parameters)
{
    const int64_t x_dims[] = {1, N_X};
    locum_id h = locum_input(graph, "x", LOCUM_REAL32, locum_graph_symbol(graph, "batch"), 2, x_dims);
    if (flags & NETWORK_NORMALISED) {
        h = locum_binary(graph, LOCUM_OP_subtract, h, vector(graph, "mean", N_X, n_parameters, parameters));
        h = locum_binary(graph, LOCUM_OP_multiply, h, vector(graph, "rate", N_X, n_parameters, parameters));
    }
    for (int layer = 0; layer < layers; layer++) {
        locum_graph_push(graph, "layer%d", layer);
        h = layer ? dense(graph, h, members, width, width, n_parameters, parameters)
                  : dense(graph, h, 1, N_X, members * width, n_parameters, parameters);
        if (flags & NETWORK_LAYER_NORM) {
            const locum_id gain = vector(graph, "gain", members * width, n_parameters, parameters);
            h = locum_layer_norm(graph, h, gain, vector(graph, "shift", members * width, n_parameters, parameters),
                                 1e-2);
        }
        h = locum_unary(graph, activation, h);
        locum_graph_pop(graph);
    }
    locum_graph_push(graph, "last");
    h = dense(graph, h, members, width, N_Z, n_parameters, parameters);
    locum_graph_pop(graph);
    return h;
}

static fixture start(int64_t rows)
{
    fixture f = {.extents = {rows}, .seed = 5};
    locum_graph *graph = NULL;
    if (locum_graph_create(&graph)) abort();
    f.graph = graph;
    return f;
}

static locum_graph *open_graph(const fixture *f)
{
    return (locum_graph *)(uintptr_t)f->graph;
}

void network_destroy(fixture *f)
{
    locum_graph_destroy(open_graph(f));
}

fixture network_forward(int layers, int64_t width, int64_t members, locum_op activation, unsigned flags, int64_t rows)
{
    fixture f = start(rows);
    locum_id parameters[64];
    int n = 0;
    f.outputs[0] = network_build(open_graph(&f), layers, width, members, activation, flags, &n, parameters);
    f.n_outputs = 1;
    return f;
}

static void add_gradients(fixture *f, locum_id loss, int n, const locum_id *parameters)
{
    f->outputs[0] = loss;
    f->n_outputs = 1 + (n < FIXTURE_OUTPUTS_MAX - 1 ? n : FIXTURE_OUTPUTS_MAX - 1);
    if (locum_graph_gradient(open_graph(f), loss, 0, f->n_outputs - 1, parameters, f->outputs + 1)) f->n_outputs = 0;
}

static locum_id mean_square(locum_graph *graph, locum_id x)
{
    return locum_mean(graph, locum_binary(graph, LOCUM_OP_multiply, x, x), 0, NULL, false);
}

fixture network_training(int layers, int64_t width, int64_t members, locum_op activation, unsigned flags, int64_t rows)
{
    fixture f = start(rows);
    locum_graph *graph = open_graph(&f);
    locum_id parameters[64];
    int n = 0;
    const int64_t by_member[] = {1, members, N_Z}, target_dims[] = {1, 1, N_Z};
    const locum_id z = network_build(graph, layers, width, members, activation, flags, &n, parameters);
    const locum_id target = locum_input(graph, "target", LOCUM_REAL32, 0, 3, target_dims);
    add_gradients(
        &f, mean_square(graph, locum_binary(graph, LOCUM_OP_subtract, locum_reshape(graph, z, 3, by_member), target)),
        n, parameters);
    return f;
}

fixture network_forces(int layers, int64_t width, locum_op activation, int64_t rows)
{
    fixture f = start(rows);
    locum_graph *graph = open_graph(&f);
    locum_id parameters[64], slope = 0;
    int n = 0;
    const int64_t force_dims[] = {1, N_X};
    const locum_id energy =
        locum_sum(graph, network_build(graph, layers, width, 1, activation, 0, &n, parameters), 0, NULL, false);
    const locum_id x = locum_graph_find(graph, "x");
    if (locum_graph_gradient(graph, energy, 0, 1, &x, &slope)) return f;
    const locum_id force = locum_input(graph, "force", LOCUM_REAL32, 0, 2, force_dims);
    add_gradients(&f, mean_square(graph, locum_binary(graph, LOCUM_OP_add, slope, force)), n, parameters);
    return f;
}
