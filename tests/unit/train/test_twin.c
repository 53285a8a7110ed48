/* SPDX-License-Identifier: BSD-3-Clause */
/* test_twin.c - ten optimiser steps against a twin in NumPy that was written from the formulas
 * (scripts/reference/mlp_twin.py): in double through the graph and its gradient to 1e-9, and one step of the float32
 * plan within its round-off. */
#include <stdlib.h>
#include <string.h>

#include "core/study/commit.h"
#include "surrogate/train/internal.h"
#include "tests/unit/check.h"

enum { MEMBERS = 2, ROWS = 6, N_X = 3, N_Z = 5, STEPS = 10, SLOTS = 6, MOST = 400 };
static const train_recipe recipe = {.steps = STEPS,
                                    .warm_up = 3,
                                    .learning_rate = 0.02,
                                    .final_learning_rate = 0.001,
                                    .weight_decay = 0.05,
                                    .members = MEMBERS};

/* golden numbers, in the order of the slots without gaps */
typedef struct golden {
    int n;
    double loss[STEPS], gradient[MOST], first[MOST], last[MOST];
} golden;

static int read_list(const locum_json *json, const char *key, int most, double *values)
{
    int n = 0;
    for (locum_json_node v = locum_json_first(json, locum_json_find(json, 0, key)); v >= 0 && n < most;
         v = locum_json_next(json, v))
        CU_ASSERT_TRUE(locum_json_number(json, v, &values[n++]));
    return n;
}

static void read_golden(golden *g)
{
    char *bytes = NULL;
    size_t n = 0;
    locum_json *json = NULL;
    CHECK_OK(locum_read_bytes(LOCUM_TWIN, 1 << 20, &bytes, &n));
    CHECK_OK(locum_json_parse(bytes, n, 10000, &json));
    CU_ASSERT_PTR_NOT_NULL_FATAL(json);
    CU_ASSERT_EQUAL(read_list(json, "loss", STEPS, g->loss), STEPS);
    g->n = read_list(json, "gradient", MOST, g->gradient);
    CU_ASSERT_EQUAL(read_list(json, "first", MOST, g->first), g->n);
    CU_ASSERT_EQUAL(read_list(json, "last", MOST, g->last), g->n);
    locum_json_destroy(json);
    free(bytes);
}

/* the twin's task: three inputs, outputs of one and of four values */
static const locum_channel outputs[2] = {{.extent = 1}, {.extent = 4}};
static locum_channel mutable_outputs[2];

static locum_task twin_task(void)
{
    memcpy(mutable_outputs, outputs, sizeof outputs);
    return (locum_task){.n_outputs = 2, .outputs = mutable_outputs, .n_x = N_X, .n_z = N_Z, .members = MEMBERS};
}

static void set_option(int32_t *config, const char *name, int32_t value)
{
    for (const locum_option *o = locum_model_mlp.options; o->type != LOCUM_END; o++)
        if (!strcmp(o->name, name)) memcpy((char *)config + o->place, &value, sizeof value);
}

/* what the loss depends on, by name */
typedef struct point {
    const train_network *net;
    double *parameters; /* in the layout of the network, in double */
    double x[ROWS * N_X], target[ROWS * N_Z];
} point;

static const double *find(void *self, const char *name)
{
    const point *p = self;
    if (!strcmp(name, "x")) return p->x;
    if (!strcmp(name, "target")) return p->target;
    for (int i = 0; i < p->net->n_slots; i++)
        if (!strcmp(p->net->slots[i].name, name)) return p->parameters + p->net->slots[i].first;
    return NULL;
}

static void start(point *p)
{
    for (int s = 0; s < p->net->n_slots; s++) { /* weight, bias, weight, bias, ... */
        const train_slot *slot = &p->net->slots[s];
        for (int64_t i = 0; i < slot->count; i++)
            p->parameters[slot->first + i] = (s % 2 ? 0.2 : 0.6) * sin(1.7 * (double)i + s / 2 * 2 + s % 2);
    }
    for (int i = 0; i < ROWS * N_X; i++) p->x[i] = cos(0.9 * i);
    for (int i = 0; i < ROWS * N_Z; i++) p->target[i] = sin(0.4 + 1.3 * i);
}

/* largest difference between values in the layout of the network and golden ones, in units of the largest golden one */
static double difference(const train_network *net, const double *values, const double *expected)
{
    double off = 0, largest = 0;
    for (int s = 0; s < net->n_slots; s++)
        for (int64_t i = 0; i < net->slots[s].count; i++, expected++) {
            off = fmax(off, fabs(values[net->slots[s].first + i] - *expected));
            largest = fmax(largest, fabs(*expected));
        }
    return off / largest;
}

static void create_network(train_network **net, const locum_task *task)
{
    int32_t config[8] = {0};
    set_option(config, "layers", 2);
    set_option(config, "width", 6);
    CHECK_OK(locum_train_network_create(&(train_network_request){.type = &locum_model_mlp,
                                                                 .config = config,
                                                                 .task = task,
                                                                 .kernels = locum_kernels_for(LOCUM_CPU_AVX512),
                                                                 .shard_rows = ROWS},
                                        net));
    CU_ASSERT_TRUE_FATAL(*net && (*net)->n_slots == SLOTS);
}

static void ten_steps_in_double_are_the_twins(void)
{
    locum_task task = twin_task();
    int32_t config[8] = {0};
    locum_graph *graph = NULL;
    locum_id wrt[SLOTS], ids[SLOTS + 1];
    static double parameters[MOST], gradient[MOST], m[MOST], v[MOST];
    double loss, *values[SLOTS + 1] = {&loss};
    int64_t rows = ROWS;
    golden g;
    point p = {.parameters = parameters};
    train_network *net = NULL;

    read_golden(&g);
    create_network(&net, &task);
    p.net = net;
    start(&p);
    set_option(config, "layers", 2);
    set_option(config, "width", 6);
    CHECK_OK(locum_model_training_graph(&locum_model_mlp, config, &task, &graph));
    CU_ASSERT_TRUE_FATAL(graph && net->n <= MOST);
    ids[0] = locum_graph_output(graph, 0);
    for (int i = 0; i < SLOTS; i++) {
        wrt[i] = locum_graph_find(graph, net->slots[i].name);
        values[i + 1] = gradient + net->slots[i].first;
    }
    CHECK_OK(locum_graph_gradient(graph, ids[0], 0, SLOTS, wrt, ids + 1));
    for (int step = 0; step < STEPS; step++) {
        CHECK_OK(locum_graph_evaluate(graph, &rows, 0, find, &p, SLOTS + 1, ids, values));
        CHECK_CLOSE(loss, g.loss[step],
                    1e-9 * g.loss[step]); /* the bound; measured 3e-15, and 1e-13 of the weights */
        if (step == 0) CHECK_CLOSE(difference(net, gradient, g.gradient), 0, 1e-12);
        for (int64_t i = 0; i < net->n; i++) {
            double d = gradient[i] / ROWS, t = step + 1;
            m[i] = 0.9 * m[i] + 0.1 * d;
            v[i] = 0.999 * v[i] + 0.001 * d * d;
            double direction = m[i] / (1 - pow(0.9, t)) / (sqrt(v[i] / (1 - pow(0.999, t))) + 1e-8);
            parameters[i] -= locum_train_rate(&recipe, step) * (recipe.weight_decay * parameters[i] + direction);
        }
        if (step == 0) CHECK_CLOSE(difference(net, parameters, g.first), 0, 1e-9);
    }
    CHECK_CLOSE(difference(net, parameters, g.last), 0, 1e-9);
    locum_graph_destroy(graph);
    locum_train_network_destroy(net);
}

static void one_float32_step_is_the_twins_to_round_off(void)
{
    locum_task task = twin_task();
    static double parameters[MOST], wide[MOST];
    float x[ROWS * N_X], target[ROWS * N_Z];
    golden g;
    point p = {.parameters = parameters};
    train_network *net = NULL;
    train_state state;
    double loss = 0;

    read_golden(&g);
    create_network(&net, &task);
    p.net = net;
    start(&p);
    CHECK_OK(locum_train_state_create(net->n, &state));
    float *gradient = calloc((size_t)net->n, sizeof *gradient);
    for (int64_t i = 0; i < net->n; i++) state.parameters[i] = (float)parameters[i];
    for (int i = 0; i < ROWS * N_X; i++) x[i] = (float)p.x[i];
    for (int i = 0; i < ROWS * N_Z; i++) target[i] = (float)p.target[i];
    locum_train_network_pack(net, state.parameters);
    locum_train_network_gradient(net, state.parameters, ROWS, (const float *const[]){x, target}, &(train_key){0},
                                 gradient, &loss);
    CHECK_CLOSE(loss, g.loss[0], 20 * 6e-8 * g.loss[0]); /* float32: some ten roundings along a path */
    for (int64_t i = 0; i < net->n; i++) wide[i] = (double)gradient[i];
    CHECK_CLOSE(difference(net, wide, g.gradient), 0, 20 * 6e-8);
    locum_train_optimise(&recipe, net->kernels, gradient, ROWS, &state);
    for (int64_t i = 0; i < net->n; i++) wide[i] = (double)state.parameters[i];
    /* the first step is rate g / |g| where |g| >> 1e-8: exact but for rounding of the parameters (0.6) */
    CHECK_CLOSE(difference(net, wide, g.first), 0, 3 * 6e-8);
    CU_ASSERT_EQUAL(state.step, 1);
    free(gradient);
    locum_train_state_free(&state);
    locum_train_network_destroy(net);
}

static void a_wrong_gradient_would_be_noticed(void)
{
    locum_task task = twin_task();
    static double parameters[MOST];
    golden g;
    point p = {.parameters = parameters};
    train_network *net = NULL;
    read_golden(&g);
    create_network(&net, &task);
    p.net = net;
    float *gradient = calloc((size_t)net->n, sizeof *gradient), *weights = calloc((size_t)net->n, sizeof *weights);
    float x[ROWS * N_X], target[ROWS * N_Z];
    double loss;
    start(&p);
    parameters[3] += 1e-3; /* one weight off */
    for (int64_t i = 0; i < net->n; i++) weights[i] = (float)parameters[i];
    for (int i = 0; i < ROWS * N_X; i++) x[i] = (float)p.x[i];
    for (int i = 0; i < ROWS * N_Z; i++) target[i] = (float)p.target[i];
    locum_train_network_pack(net, weights);
    locum_train_network_gradient(net, weights, ROWS, (const float *const[]){x, target}, &(train_key){0}, gradient,
                                 &loss);
    for (int64_t i = 0; i < net->n; i++) parameters[i] = (double)gradient[i];
    CU_ASSERT_TRUE(difference(net, parameters, g.gradient) > 20 * 6e-8);
    free(gradient);
    free(weights);
    locum_train_network_destroy(net);
}

LOCUM_RUN_TESTS("twin", {"ten steps in double are the twin's", ten_steps_in_double_are_the_twins},
                {"one float32 step is the twin's to round-off", one_float32_step_is_the_twins_to_round_off},
                {"a wrong gradient would be noticed", a_wrong_gradient_would_be_noticed})
