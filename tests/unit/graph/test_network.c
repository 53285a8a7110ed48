/* SPDX-License-Identifier: BSD-3-Clause */
/* test_network.c - whole networks: forces and their loss (a gradient of a gradient), roll-outs, long chains. */
#include <string.h>

#include "tests/unit/graph/support.h"

/* an ensemble of `groups` networks 3 -> 5 -> 1 with activation op */
static locum_id network(locum_graph *g, locum_id x, int64_t groups, locum_op activation)
{
    locum_graph_push(g, "layer%d", 1);
    const locum_id w1 = locum_parameter(g, "weight", LOCUM_REAL64, 3, (int64_t[]){groups, 3, 5});
    const locum_id b1 = locum_parameter(g, "bias", LOCUM_REAL64, 1, (int64_t[]){groups * 5});
    locum_graph_pop(g);
    locum_graph_push(g, "layer2/");
    const locum_id w2 = locum_parameter(g, "weight", LOCUM_REAL64, 3, (int64_t[]){groups, 5, 1});
    locum_graph_pop(g);
    locum_id *copies = calloc((size_t)groups, sizeof *copies);
    for (int64_t i = 0; i < groups; i++) copies[i] = x;
    const locum_id wide = locum_concat(g, -1, (int)groups, copies);
    free(copies);
    const locum_id hidden =
        locum_unary(g, activation, locum_binary(g, LOCUM_OP_add, locum_product(g, wide, w1, false), b1));
    return locum_product(g, hidden, w2, false);
}

/* sum (F - F0)^2 with F = -dE/dx, E = the sum of all outputs */
static void the_force_loss_has_the_right_parameter_gradient(void)
{
    static const locum_op activations[] = {LOCUM_OP_tanh, LOCUM_OP_silu, LOCUM_OP_gelu, LOCUM_OP_softplus};
    static const char *const names[] = {"layer1/weight", "layer1/bias", "layer2/weight"};
    const int64_t extents[] = {7};
    for (size_t a = 0; a < sizeof activations / sizeof *activations; a++) {
        locum_graph *g = NULL;
        store s = {0};
        dice d = {17, 0};
        locum_id wrt[3], gradient[3], force;
        CHECK_OK(locum_graph_create(&g));
        const int batch = locum_graph_symbol(g, "batch");
        const locum_id x = locum_input(g, "x", LOCUM_REAL64, batch, 2, (int64_t[]){1, 3});
        const locum_id wanted = locum_input(g, "force", LOCUM_REAL64, batch, 2, (int64_t[]){1, 3});
        const locum_id energy = locum_sum(g, network(g, x, 2, activations[a]), 0, NULL, false);
        CHECK_OK(locum_graph_gradient(g, energy, 0, 1, &x, &force));
        const locum_id miss = locum_binary(g, LOCUM_OP_add, force, wanted); /* -(F - F0) */
        const locum_id loss = sum_of_products(g, miss, miss);
        for (int i = 0; i < 3; i++) wrt[i] = locum_graph_find(g, names[i]);
        CHECK_OK(locum_graph_gradient(g, loss, 0, 3, wrt, gradient));
        store_complete(&s, g, extents, &d, -1, 1);
        for (int i = 0; i < 3; i++) {
            int64_t n = 0;
            store_find(&s, names[i], &n);
            double *v = malloc((size_t)n * sizeof *v), *found = values_of(g, extents, &s, gradient[i]);
            for (int64_t j = 0; j < n; j++) v[j] = roll(&d, -1, 1);
            const double exact = dot(n, found, v), size = dot_size(n, found, v);
            CHECK_CLOSE(difference(g, extents, &s, loss, names[i], v), exact,
                        1e-9 * size); /* h^4 and round-off of the loss */
            free(v);
            free(found);
        }
        locum_graph_destroy(g);
        store_free(&s);
    }
}

static void a_parameter_used_t_times_gathers_its_gradients(void)
{
    const int64_t extents[] = {4};
    locum_graph *g = NULL;
    store s = {0};
    dice d = {3, 0};
    locum_id gradient = 0, w = 0;
    CHECK_OK(locum_graph_create(&g));
    locum_id x = locum_input(g, "x", LOCUM_REAL64, locum_graph_symbol(g, "batch"), 2, (int64_t[]){1, 3});
    for (int t = 0; t < 6; t++) {
        const locum_id again = locum_parameter(g, "step", LOCUM_REAL64, 3, (int64_t[]){1, 3, 3});
        CU_ASSERT(t == 0 || again == w);
        w = again;
        x = locum_unary(g, LOCUM_OP_sin, locum_product(g, x, w, false));
    }
    const locum_id loss = sum_of_products(g, x, x);
    CHECK_OK(locum_graph_gradient(g, loss, 0, 1, &w, &gradient));
    store_complete(&s, g, extents, &d, -1, 1);
    double v[9], *found = values_of(g, extents, &s, gradient);
    for (int i = 0; i < 9; i++) v[i] = roll(&d, -1, 1);
    CHECK_CLOSE(difference(g, extents, &s, loss, "step", v), dot(9, found, v), 1e-9 * dot_size(9, found, v));
    free(found);
    locum_graph_destroy(g);
    store_free(&s);
}

static void long_chains_need_no_deep_stack(void)
{
    enum { N = 50000 }; /* nodes; a recursion over them would need megabytes */
    locum_graph *g = NULL, *simple = NULL;
    store s = {0};
    locum_id gradient = 0, after = 0;
    CHECK_OK(locum_graph_create(&g));
    const locum_id x = locum_input(g, "x", LOCUM_REAL64, -1, 0, NULL);
    locum_id y = x;
    for (int i = 0; i < N; i++) y = locum_scale(g, locum_unary(g, LOCUM_OP_neg, y), 1, 1e-5);
    store_add(&s, "x", 1)[0] = 0.25;
    CHECK_OK(locum_graph_gradient(g, y, 0, 1, &x, &gradient));
    CHECK_CLOSE(value_of(g, NULL, &s, y), 0.25, 1e-9); /* pairs of steps cancel, but for their round-off */
    CHECK_CLOSE(value_of(g, NULL, &s, gradient), 1, 0);
    CHECK_OK(locum_graph_simplify(g, 1, &gradient, &simple, &after));
    CHECK_CLOSE(value_of(simple, NULL, &s, after), 1, 0);
    CU_ASSERT(locum_graph_n(simple) == 1); /* a product of ones and minus ones is a constant */
    locum_graph_destroy(simple);
    locum_graph_destroy(g);
    store_free(&s);
}

static void gradients_follow_dependence(void)
{
    locum_graph *g = NULL;
    store s = {0};
    locum_id out[4];
    CHECK_OK(locum_graph_create(&g));
    const locum_id x = locum_input(g, "x", LOCUM_REAL64, -1, 0, NULL),
                   z = locum_input(g, "z", LOCUM_REAL64, -1, 1, (int64_t[]){2});
    const locum_id u = locum_binary(g, LOCUM_OP_multiply, x, x); /* an inner node, and a function of x */
    const locum_id stopped = locum_unary(g, LOCUM_OP_stop_gradient, u);
    const locum_id y = locum_binary(g, LOCUM_OP_add, locum_binary(g, LOCUM_OP_multiply, u, stopped), x); /* u [u] + x */
    const locum_id later = locum_scale(g, y, 2, 0);
    CHECK_OK(locum_graph_gradient(g, y, 0, 4, (locum_id[]){x, u, z, later}, out));
    store_add(&s, "x", 1)[0] = 3;
    store_add(&s, "z", 2);
    CHECK_CLOSE(value_of(g, NULL, &s, out[0]), 2 * 3 * 9 + 1, 0);
    CHECK_CLOSE(value_of(g, NULL, &s, out[1]), 9, 0);
    CHECK_CLOSE(value_of(g, NULL, &s, out[3]), 0, 0); /* nodes after y do not matter to it */
    double *zero = values_of(g, NULL, &s, out[2]);
    CU_ASSERT(locum_graph_node(g, out[2])->n_dims == 1 && zero[0] == 0 && zero[1] == 0);
    free(zero);
    CHECK_OK(locum_graph_gradient(g, y, 0, 1, &y, out));
    CHECK_CLOSE(value_of(g, NULL, &s, out[0]), 1, 0);
    CHECK_FAILS(locum_graph_gradient(g, z, 0, 1, &x, out), LOCUM_ARG); /* two values, no seed */
    CHECK_FAILS(locum_graph_gradient(g, y, z, 1, &x, out), LOCUM_ARG); /* a seed of another shape */
    CHECK_FAILS(locum_graph_gradient(g, y, 0, 1, (locum_id[]){999}, out), LOCUM_ARG);
    CHECK_OK(locum_graph_status(g)); /* a refused request leaves the graph whole */
    locum_graph_destroy(g);
    store_free(&s);
}

static void evaluation_refuses_what_it_cannot_do(void)
{
    locum_graph *g = NULL;
    store s = {0};
    double value, *values = &value;
    CHECK_OK(locum_graph_create(&g));
    const int batch = locum_graph_symbol(g, "batch");
    const locum_id x = locum_input(g, "x", LOCUM_REAL64, batch, 1, (int64_t[]){1}), y = locum_sum(g, x, 0, NULL, false);
    CHECK_FAILS(locum_graph_evaluate(g, (int64_t[]){2}, 1, store_values, &s, 1, &y, &values), LOCUM_ARG);
    CU_ASSERT(strstr(locum_status_message(), "'x'") != NULL);
    store_add(&s, "x", 2);
    CHECK_OK(locum_graph_evaluate(g, (int64_t[]){2}, 1, store_values, &s, 1, &y, &values));
    CHECK_FAILS(locum_graph_evaluate(g, NULL, 1, store_values, &s, 1, &y, &values), LOCUM_ARG);
    CHECK_FAILS(locum_graph_evaluate(g, (int64_t[]){-1}, 1, store_values, &s, 1, &y, &values), LOCUM_ARG);
    CHECK_FAILS(locum_graph_evaluate(g, (int64_t[]){INT64_MAX}, 1, store_values, &s, 1, &y, &values), LOCUM_ARG);
    CHECK_FAILS(locum_graph_evaluate(g, (int64_t[]){2}, 1, store_values, &s, 1, (locum_id[]){77}, &values), LOCUM_ARG);
    locum_graph_destroy(g);
    store_free(&s);
}

/* everything this room does, on a small network; the first failure is the answer */
static locum_status whole_chain(void)
{
    const int64_t extents[] = {3};
    locum_graph *g = NULL, *copy = NULL, *simple = NULL, *back = NULL;
    locum_json *json = NULL;
    locum_text text = {0};
    store s = {0};
    dice d = {5, 0};
    locum_id gradient = 0, small = 0;
    double *value = NULL;
    locum_status st = locum_graph_create(&g);
    if (!st) {
        const int batch = locum_graph_symbol(g, "batch");
        const locum_id x = locum_input(g, "x", LOCUM_REAL64, batch, 2, (int64_t[]){1, 3});
        const locum_id y = locum_unary(g, LOCUM_OP_softmax, network(g, x, 2, LOCUM_OP_silu));
        const locum_id loss = locum_mean(g, locum_binary(g, LOCUM_OP_multiply, y, y), 0, NULL, false);
        const locum_id w = locum_graph_find(g, "layer1/weight");
        locum_output(g, loss, "loss");
        st = locum_graph_gradient(g, loss, 0, 1, &w, &gradient);
    }
    if (!st) st = locum_graph_copy(g, &copy);
    if (!st) st = locum_graph_simplify(copy, 1, &gradient, &simple, &small);
    if (!st) locum_graph_write(simple, &text);
    if (!st) st = text.status;
    if (!st) st = locum_json_parse(text.data, text.size, 10000, &json);
    if (!st) st = locum_graph_read(json, 0, 1000, &back);
    if (!st) {
        store_complete(&s, back, extents, &d, -1, 1);
        value = calloc((size_t)locum_graph_count(back, small, extents), sizeof *value);
        st = locum_graph_evaluate(back, extents, 1, store_values, &s, 1, &small, &value);
    }
    free(value);
    store_free(&s);
    locum_json_destroy(json);
    locum_text_free(&text);
    locum_graph_destroy(g);
    locum_graph_destroy(copy);
    locum_graph_destroy(simple);
    locum_graph_destroy(back);
    return st;
}

static void every_failed_allocation_is_reported(void)
{
    locum_status st = LOCUM_MEMORY;
    int k = 0;
    while (st && k < 2000) {
        char list[40];
        snprintf(list, sizeof list, "alloc@%d=memory", ++k);
        setenv("LOCUM_FAILPOINTS", list, 1);
        st = whole_chain();
        CU_ASSERT(st == LOCUM_OK || st == LOCUM_MEMORY);
    }
    unsetenv("LOCUM_FAILPOINTS");
    CU_ASSERT(st == LOCUM_OK && k > 50); /* the last run had fewer allocations than k */
}

LOCUM_RUN_TESTS("graph networks",
                {"the force loss has the right parameter gradient", the_force_loss_has_the_right_parameter_gradient},
                {"a parameter used T times gathers its gradients", a_parameter_used_t_times_gathers_its_gradients},
                {"gradients follow dependence", gradients_follow_dependence},
                {"long chains need no deep stack", long_chains_need_no_deep_stack},
                {"evaluation refuses what it cannot do", evaluation_refuses_what_it_cannot_do},
                {"every failed allocation is reported", every_failed_allocation_is_reported})
