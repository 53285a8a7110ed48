/* SPDX-License-Identifier: BSD-3-Clause */
/* network.c - a network as two plans over one parameter buffer.
 *
 *     gradient   x, target [shard rows]  -> loss, d loss / d parameter ...     its outputs are slots of one buffer
 *     forward    x [rows]                -> mean, deviation, features          validation, calibration
 *                (fields: values, fields, target; values, fields -> mean, features, deviation)
 *
 * The loss is a sum over rows, so that gradients of shards add whatever their sizes are. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/hash.h"
#include "core/memory.h"
#include "core/random.h"
#include "surrogate/train/internal.h"

#define FORWARD_ROWS 64
#define FORWARD_POINTS ((int64_t)1 << 16) /* of grids, at least one of them and at most 16 */
#define SLOT_FLOATS 16                    /* one cache line */

/* --- slots -------------------------------------------------------------------------------------------------------- */
static locum_status collect_slots(train_network *net, const locum_graph *graph)
{
    LOCUM_TRY(LOCUM_NEW(&net->slots, locum_graph_n(graph)));
    for (locum_id id = 1; id <= locum_graph_n(graph); id++) {
        const locum_node *node = locum_graph_node(graph, id);
        if (node->op != LOCUM_OP_parameter) continue;
        train_slot *slot = &net->slots[net->n_slots++];
        const char *name = locum_graph_name(graph, id);
        LOCUM_REQUIRE(strlen(name) < sizeof slot->name, LOCUM_ARG, "the parameter name `%.60s...` is too long", name);
        snprintf(slot->name, sizeof slot->name, "%s", name);
        slot->n_dims = node->n_dims;
        slot->count = 1;
        for (int d = 0; d < node->n_dims; d++) slot->count *= slot->dims[d] = node->dims[d];
        slot->first = net->n;
        net->n += (slot->count + SLOT_FLOATS - 1) / SLOT_FLOATS * SLOT_FLOATS;
    }
    return LOCUM_OK;
}

static int find_slot(const train_network *net, const char *name)
{
    for (int i = 0; i < net->n_slots; i++)
        if (!strcmp(net->slots[i].name, name)) return i;
    return -1;
}

/* which slot each parameter of a plan is */
static locum_status map_parameters(const train_network *net, const locum_plan *plan, int **map)
{
    LOCUM_TRY(LOCUM_NEW(map, locum_plan_n_parameters(plan)));
    for (int i = 0; i < locum_plan_n_parameters(plan); i++) {
        (*map)[i] = find_slot(net, locum_plan_parameter_name(plan, i));
        LOCUM_REQUIRE((*map)[i] >= 0, LOCUM_INTERNAL, "train: the plan has a parameter `%s` that the graph lacks",
                      locum_plan_parameter_name(plan, i));
    }
    return LOCUM_OK;
}

/* which column each input of a plan is */
static locum_status map_inputs(const locum_plan *plan, int n, const char *const *names, int *map)
{
    LOCUM_REQUIRE(locum_plan_n_inputs(plan) <= n, LOCUM_INTERNAL, "train: the plan has %d inputs, the data %d",
                  locum_plan_n_inputs(plan), n);
    for (int i = 0; i < locum_plan_n_inputs(plan); i++) {
        map[i] = -1;
        for (int c = 0; c < n; c++)
            if (!strcmp(names[c], locum_plan_input_name(plan, i))) map[i] = c;
        LOCUM_REQUIRE(map[i] >= 0, LOCUM_INTERNAL, "train: the data lack the plan's input `%s`",
                      locum_plan_input_name(plan, i));
    }
    return LOCUM_OK;
}

/* --- plans -------------------------------------------------------------------------------------------------------- */
static locum_status compile_gradient(train_network *net, locum_graph *graph)
{
    locum_id *wrt = NULL, *outputs = NULL, loss = locum_graph_output(graph, 0);
    locum_status st = LOCUM_NEW(&wrt, net->n_slots);
    if (!st) st = LOCUM_NEW(&outputs, net->n_slots + 1);
    for (int i = 0; i < net->n_slots && !st; i++) wrt[i] = locum_graph_find(graph, net->slots[i].name);
    if (!st) outputs[0] = loss;
    if (!st) st = locum_graph_gradient(graph, loss, 0, net->n_slots, wrt, outputs + 1);
    if (!st) net->hash = locum_graph_hash(graph);
    locum_plan_options options = {.kernels = net->kernels,
                                  .adapter = net->adapter,
                                  .capacity = {net->shard_rows},
                                  .flags = LOCUM_PLAN_CONSTANT_PARAMETERS};
    if (!st) st = locum_plan_create(graph, net->n_slots + 1, outputs, &options, &net->gradient);
    if (!st) st = map_inputs(net->gradient, net->n_columns, net->column, net->gradient_input);
    if (!st) st = map_parameters(net, net->gradient, &net->gradient_slot);
    free(wrt);
    free(outputs);
    return st;
}

/* values: mean, deviation, features; fields: mean, features, deviation of several members */
static locum_status compile_forward(train_network *net, const locum_graph *graph)
{
    static const char *const seen[] = {"values", "fields"};
    locum_id outputs[3];
    int n = locum_graph_n_outputs(graph);
    bool fields = net->task->n_axes > 0;
    for (int i = 0; i < n; i++) outputs[i] = locum_graph_output(graph, i);
    net->n_features = locum_graph_node(graph, outputs[fields ? 1 : 2])->dims[1];
    locum_plan_options options = {.kernels = net->kernels, .capacity = {net->forward_rows}};
    LOCUM_TRY(locum_plan_create(graph, n, outputs, &options, &net->forward));
    if (fields) LOCUM_TRY(map_inputs(net->forward, 2, seen, net->forward_input));
    return map_parameters(net, net->forward, &net->forward_slot);
}

static locum_status allocate(train_network *net)
{
    size_t a = locum_plan_arena_bytes(net->gradient), b = locum_plan_arena_bytes(net->forward);
    int64_t row = net->task->n_axes ? 0 : net->task->n_x + 2 * net->task->n_z + net->n_features;
    LOCUM_TRY(locum_alloc(&net->arena, (int64_t)(a > b ? a : b), 1));
    LOCUM_TRY(locum_alloc(&net->packed, (int64_t)locum_plan_packed_bytes(net->gradient), 1));
    LOCUM_TRY(LOCUM_NEW(&net->parameters, net->n_slots));
    LOCUM_TRY(LOCUM_NEW(&net->outputs, net->n_slots + 1));
    return LOCUM_NEW(&net->scratch, net->forward_rows * row + 1);
}

static int64_t forward_rows(const locum_task *task)
{
    if (!task->n_axes) return FORWARD_ROWS;
    int64_t rows = FORWARD_POINTS / locum_task_points(task);
    return rows < 1 ? 1 : rows > 16 ? 16 : rows;
}

locum_status locum_train_network_create(const train_network_request *r, train_network **network)
{
    train_network *net = NULL;
    locum_graph *training = NULL, *forward = NULL;
    *network = NULL;
    LOCUM_TRY(LOCUM_NEW(&net, 1));
    net->task = r->task;
    net->kernels = r->kernels;
    net->adapter = r->adapter;
    net->n_columns = locum_train_columns(r->task, r->loss ? r->loss->rollout : 1, net->column, net->extent);
    net->shard_rows = r->shard_rows;
    net->forward_rows = forward_rows(r->task);
    locum_status st = r->task->n_axes
                          ? locum_model_field_training_graph(r->type, r->config, r->task, r->loss, &training)
                          : locum_model_training_graph(r->type, r->config, r->task, &training);
    if (!st) st = locum_model_calibration_graph(r->type, r->config, r->task, &forward);
    if (!st) st = collect_slots(net, training);
    if (!st) st = compile_gradient(net, training);
    if (!st) st = compile_forward(net, forward);
    if (!st) st = allocate(net);
    locum_graph_destroy(training);
    locum_graph_destroy(forward);
    if (st)
        locum_train_network_destroy(net);
    else
        *network = net;
    return st;
}

void locum_train_network_destroy(train_network *net)
{
    if (!net) return;
    free(net->slots);
    free(net->gradient);
    free(net->forward);
    free(net->gradient_slot);
    free(net->forward_slot);
    free(net->parameters);
    free(net->outputs);
    free(net->scratch);
    free(net->arena);
    free(net->packed);
    free(net);
}

/* --- initial weights ---------------------------------------------------------------------------------------------- */
/* inputs of a unit: a weight's own [groups, n_in, n_out]; a bias takes it from the weight beside it */
static double fan_in(const train_network *net, const train_slot *slot)
{
    char name[sizeof slot->name];
    const char *word = strrchr(slot->name, '/');
    int length = word ? (int)(word - slot->name) + 1 : 0;
    if (slot->n_dims >= 2) return (double)slot->dims[slot->n_dims - 2];
    if (snprintf(name, sizeof name, "%.*sweight", length, slot->name) >= (int)sizeof name) return 1;
    int weight = find_slot(net, name);
    return weight < 0 ? 1 : fan_in(net, &net->slots[weight]);
}

static bool ends_with(const char *name, const char *word)
{
    size_t n = strlen(name), m = strlen(word);
    return n >= m && !strcmp(name + n - m, word);
}

void locum_train_network_initialise(const train_network *net, uint64_t seed, float *parameters)
{
    memset(parameters, 0, (size_t)net->n * sizeof *parameters);
    for (int s = 0; s < net->n_slots; s++) {
        const train_slot *slot = &net->slots[s];
        uint64_t key = locum_random_seed(seed, LOCUM_STREAM_WEIGHTS, locum_hash(slot->name, strlen(slot->name)));
        double scale = 1 / sqrt(fan_in(net, slot));
        bool bias = ends_with(slot->name, "bias");
        for (int64_t i = 0; i < slot->count; i++) {
            double pair[2];
            if (bias)
                locum_random_uniform(key, LOCUM_STREAM_WEIGHTS, (uint64_t)i, pair);
            else
                locum_random_normal(key, LOCUM_STREAM_WEIGHTS, (uint64_t)i, pair);
            parameters[slot->first + i] = (float)(scale * (bias ? 2 * pair[0] - 1 : pair[0]));
        }
    }
}

/* --- running ------------------------------------------------------------------------------------------------------ */
static void point_at_parameters(const train_network *net, const float *parameters)
{
    int n = locum_plan_n_parameters(net->gradient);
    for (int i = 0; i < n; i++) net->parameters[i] = parameters + net->slots[net->gradient_slot[i]].first;
}

void locum_train_network_pack(const train_network *net, const float *parameters)
{
    point_at_parameters(net, parameters);
    locum_plan_pack(net->gradient, net->parameters, net->packed);
}

void locum_train_network_gradient(const train_network *net, const float *parameters, int64_t rows,
                                  const float *const *columns, const train_key *key, float *gradient, double *loss)
{
    const float *inputs[LOCUM_TRAIN_COLUMNS] = {NULL};
    float sum = 0;
    point_at_parameters(net, parameters);
    for (int i = 0; i < locum_plan_n_inputs(net->gradient); i++) inputs[i] = columns[net->gradient_input[i]];
    net->outputs[0] = &sum;
    for (int i = 0; i < net->n_slots; i++) net->outputs[i + 1] = gradient + net->slots[i].first;
    locum_plan_run(net->gradient, &(locum_plan_run_call){.extents = &rows,
                                                         .inputs = inputs,
                                                         .parameters = net->parameters,
                                                         .packed = net->packed,
                                                         .outputs = net->outputs,
                                                         .arena = net->arena,
                                                         .seed = key->seed,
                                                         .step = key->step,
                                                         .first_row = key->first_row});
    *loss = (double)sum;
}

static void widen(int64_t n, const float *from, double *to)
{
    for (int64_t i = 0; i < n && to; i++) to[i] = (double)from[i];
}

static double *moved(double *p, int64_t n)
{
    return p ? p + n : NULL;
}

void locum_train_network_forward(const train_network *net, const float *parameters, int64_t rows, const double *x,
                                 double *mean, double *deviation, double *features)
{
    int64_t n_x = net->task->n_x, n_z = net->task->n_z, capacity = net->forward_rows;
    float *input = net->scratch, *output[3];
    const float *inputs[1] = {input};
    output[0] = input + capacity * n_x;
    output[1] = output[0] + capacity * n_z;
    output[2] = output[1] + capacity * n_z;
    for (int i = 0; i < locum_plan_n_parameters(net->forward); i++)
        net->parameters[i] = parameters + net->slots[net->forward_slot[i]].first;
    for (int64_t first = 0; first < rows; first += capacity) {
        int64_t n = rows - first < capacity ? rows - first : capacity;
        for (int64_t i = 0; i < n * n_x; i++) input[i] = (float)x[first * n_x + i];
        locum_plan_run(net->forward, &(locum_plan_run_call){.extents = &n,
                                                            .inputs = inputs,
                                                            .parameters = net->parameters,
                                                            .outputs = output,
                                                            .arena = net->arena});
        widen(n * n_z, output[0], moved(mean, first * n_z));
        widen(n * n_z, output[1], moved(deviation, first * n_z));
        widen(n * net->n_features, output[2], moved(features, first * net->n_features));
    }
}

void locum_train_network_frames(const train_network *net, const float *parameters, int64_t rows, const float *values,
                                const float *fields, float *mean, float *deviation, float *features)
{
    const float *seen[2] = {values, fields}, *inputs[2] = {NULL};
    float *outputs[3] = {mean, features, deviation};
    for (int i = 0; i < locum_plan_n_inputs(net->forward); i++) inputs[i] = seen[net->forward_input[i]];
    for (int i = 0; i < locum_plan_n_parameters(net->forward); i++)
        net->parameters[i] = parameters + net->slots[net->forward_slot[i]].first;
    locum_plan_run(net->forward, &(locum_plan_run_call){.extents = &rows,
                                                        .inputs = inputs,
                                                        .parameters = net->parameters,
                                                        .outputs = outputs,
                                                        .arena = net->arena});
}
