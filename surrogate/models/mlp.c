/* SPDX-License-Identifier: BSD-3-Clause */
/* mlp.c - multilayer perceptron: h0 = x, h_{i+1} = act(h_i W_i + b_i), z = h_L W_L + b_L.
 *
 * An ensemble of M members is one network: the first layer maps the shared input to M * width values, the others are
 * block-diagonal products of M groups, so that all members run in the same kernel calls.
 *
 *     x [batch, n_x]    -> [batch, M width]  -> ... ->    z [batch, M n_z]
 *     weights [1, n_x, M width],   [M, width, width] ...,   [M, width, n_z] */
#include "surrogate/models/model_type.h"

typedef struct mlp_config {
    int32_t layers, width, activation;
} mlp_config;

static const locum_choice activations[] = {{"tanh", "smooth, bounded: the default for small tables", NULL},
                                           {"silu", "x sigmoid(x)", NULL},
                                           {"gelu", "x Phi(x)", NULL},
                                           {"relu", "max(x, 0)", NULL},
                                           {0}};

static const locum_option mlp_options[] = {{.name = "layers",
                                            .type = LOCUM_I32,
                                            .place = offsetof(mlp_config, layers),
                                            .value = 3,
                                            .min = 1,
                                            .max = 64,
                                            .unit = "1",
                                            .text = "hidden layers"},
                                           {.name = "width",
                                            .type = LOCUM_I32,
                                            .place = offsetof(mlp_config, width),
                                            .value = 64,
                                            .min = 1,
                                            .max = 4096,
                                            .unit = "1",
                                            .text = "values of a hidden layer"},
                                           {.name = "activation",
                                            .type = LOCUM_CHOICE,
                                            .place = offsetof(mlp_config, activation),
                                            .value = 0,
                                            .text = "nonlinearity",
                                            .choices = activations},
                                           {0}};

static locum_id dense(locum_graph *graph, locum_id x, int64_t groups, int64_t n_in, int64_t n_out)
{
    int64_t weight_dims[] = {groups, n_in, n_out}, bias_dims[] = {groups * n_out};
    locum_id weight = locum_parameter(graph, "weight", LOCUM_REAL32, 3, weight_dims);
    locum_id bias = locum_parameter(graph, "bias", LOCUM_REAL32, 1, bias_dims);
    return locum_binary(graph, LOCUM_OP_add, locum_product(graph, x, weight, false), bias);
}

static locum_status mlp_build(const void *config, const locum_task *task, locum_graph *graph,
                              const locum_network_input *in, locum_id *z, locum_id *features)
{
    static const locum_op operators[] = {LOCUM_OP_tanh, LOCUM_OP_silu, LOCUM_OP_gelu, LOCUM_OP_relu};
    const mlp_config *c = config;
    int64_t members = task->members, width = c->width;
    locum_id h = in->values;

    for (int layer = 0; layer < c->layers; layer++) {
        locum_graph_push(graph, "mlp/layer%d", layer + 1);
        h = layer ? dense(graph, h, members, width, width) : dense(graph, h, 1, task->n_x, members * width);
        h = locum_unary(graph, operators[c->activation], h);
        locum_graph_pop(graph);
    }
    locum_graph_push(graph, "mlp/output");
    *z = dense(graph, h, members, width, task->n_z);
    locum_graph_pop(graph);
    *features = locum_slice(graph, h, -1, 0, width, 1);
    return locum_graph_status(graph);
}

const locum_model_type locum_model_mlp = {.name = "mlp",
                                          .summary = "multilayer perceptron: parameters to scalars, profiles, spectra",
                                          .options = mlp_options,
                                          .config_size = sizeof(mlp_config),
                                          .build = mlp_build};
