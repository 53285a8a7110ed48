/* SPDX-License-Identifier: BSD-3-Clause */
/* random_graph.c - see random_graph.h. Operators are bounded (no exp, log, division), so that nothing overflows. */
#include "tests/unit/graph/random_graph.h"

#include "surrogate/graph/operator.h"

#define NODES_MAX 128

typedef struct growth {
    locum_graph *g;
    dice d;
    locum_id node[NODES_MAX];
    int n;
} growth;

static locum_id any(growth *w)
{
    return w->node[roll_integer(&w->d, w->n)];
}

static locum_id random_unary(growth *w, locum_id x)
{
    static const locum_op ops[] = {LOCUM_OP_neg,           LOCUM_OP_neg,     LOCUM_OP_neg,     LOCUM_OP_sin,
                                   LOCUM_OP_tanh,          LOCUM_OP_sigmoid, LOCUM_OP_erf,     LOCUM_OP_abs,
                                   LOCUM_OP_abs,           LOCUM_OP_relu,    LOCUM_OP_silu,    LOCUM_OP_gelu,
                                   LOCUM_OP_stop_gradient, LOCUM_OP_sign,    LOCUM_OP_softplus};
    static const double factors[] = {1, 1, -1, 0.5, 0.3}, offsets[] = {0, 0, 0, 1, -0.25};
    switch (roll_integer(&w->d, 6)) {
    case 0: return locum_scale(w->g, x, factors[roll_integer(&w->d, 5)], offsets[roll_integer(&w->d, 5)]);
    case 1: return locum_power(w->g, locum_unary(w->g, LOCUM_OP_tanh, x), (double)(1 + roll_integer(&w->d, 2)));
    case 2: return locum_cast(w->g, locum_cast(w->g, x, LOCUM_REAL32), LOCUM_REAL64);
    default: return locum_unary(w->g, ops[roll_integer(&w->d, sizeof ops / sizeof *ops)], x);
    }
}

/* a partner that fits x: another node, or a constant among 0, 1, -1, 2 and 0.3, perhaps already expanded */
static locum_id partner(growth *w, locum_id x)
{
    static const double values[] = {0, 1, -1, 2, 0.3};
    const locum_shape shape = locum_shape_of(w->g, x);
    locum_shape both;
    for (int attempt = 0; attempt < 4; attempt++) {
        const locum_id y = any(w);
        const locum_shape other = locum_shape_of(w->g, y);
        if (!locum_shape_broadcast(w->g, "partner", &shape, &other, &both) && locum_shape_count(&both) < 200) return y;
    }
    const locum_id c = locum_scalar(w->g, LOCUM_REAL64, values[roll_integer(&w->d, 5)]);
    return roll_integer(&w->d, 2) ? c : locum_expand_like(w->g, c, x);
}

static locum_id random_binary(growth *w, locum_id x)
{
    static const locum_op ops[] = {LOCUM_OP_add,     LOCUM_OP_subtract, LOCUM_OP_multiply,
                                   LOCUM_OP_maximum, LOCUM_OP_minimum,  LOCUM_OP_greater};
    const locum_id y = partner(w, x);
    const bool swap = roll_integer(&w->d, 2);
    if (roll_integer(&w->d, 8) == 0) return locum_select(w->g, locum_unary(w->g, LOCUM_OP_relu, x), x, y);
    if (roll_integer(&w->d, 8) == 0)
        return locum_binary(w->g, LOCUM_OP_divide, x, locum_scalar(w->g, LOCUM_REAL64, swap ? 2 : 3));
    const locum_op op = ops[roll_integer(&w->d, sizeof ops / sizeof *ops)];
    const locum_id z = locum_binary(w->g, op, swap ? y : x, swap ? x : y);
    return op == LOCUM_OP_multiply || op == LOCUM_OP_add ? locum_unary(w->g, LOCUM_OP_sin, z) : z; /* bounded */
}

static locum_id random_move(growth *w, locum_id x)
{
    const locum_shape s = locum_shape_of(w->g, x);
    const int last = s.n_dims - 1;
    const bool movable = s.n_dims > 1 || (s.n_dims == 1 && s.symbol < 0); /* the last axis may be cut */
    const int64_t size = s.n_dims ? s.dims[last] : 1;
    int order[LOCUM_DIMS_MAX];
    locum_shape wide = s;
    switch (roll_integer(&w->d, 9)) {
    case 0:
        for (int i = 0; i < s.n_dims; i++) order[i] = i;
        if (last >= 1 && (last > 1 || s.symbol < 0)) order[last] = last - 1, order[last - 1] = last;
        return locum_permute(w->g, x, order);
    case 1: return movable ? locum_flip(w->g, x, last) : x;
    case 2: return movable && size > 1 ? locum_slice(w->g, x, last, 1, size - 1, 1) : x;
    case 3: return movable && size < 12 ? locum_pad(w->g, x, last, 1, 0, (locum_pad_mode)roll_integer(&w->d, 2)) : x;
    case 4:
        return movable && size < 12 ? locum_concat(w->g, last, 2, (locum_id[]){x, locum_unary(w->g, LOCUM_OP_neg, x)})
                                    : x;
    case 5: return s.n_dims ? locum_sum(w->g, locum_scale(w->g, x, 0.1, 0), 1, (int[]){last}, true) : x;
    case 6: return s.n_dims < 4 ? locum_reshape(w->g, x, s.n_dims + 1, (wide.dims[s.n_dims] = 1, wide.dims)) : x;
    case 7: return s.n_dims ? locum_sum(w->g, locum_scale(w->g, x, 0.1, 0), 1, (int[]){last}, false) : x;
    default: return movable ? locum_unary(w->g, LOCUM_OP_softmax, x) : locum_mean(w->g, x, 0, NULL, false);
    }
}

static locum_id random_product(growth *w, locum_id x)
{
    const locum_shape s = locum_shape_of(w->g, x);
    const int64_t k = s.n_dims ? s.dims[s.n_dims - 1] : 0;
    char name[16];
    if (s.n_dims < 2) return x;
    snprintf(name, sizeof name, "w%d", (int)k);
    locum_id b = locum_parameter(w->g, name, LOCUM_REAL64, 3, (int64_t[]){1, k, 3});
    if (roll_integer(&w->d, 2)) b = locum_permute(w->g, locum_permute(w->g, b, (int[]){0, 2, 1}), (int[]){0, 2, 1});
    if (roll_integer(&w->d, 2)) return locum_product(w->g, x, locum_permute(w->g, b, (int[]){0, 2, 1}), true);
    return locum_product(w->g, x, b, false);
}

locum_graph *random_graph(uint64_t seed, int n)
{
    growth w = {.d = {seed, 0}};
    CHECK_OK(locum_graph_create(&w.g));
    const int batch = locum_graph_symbol(w.g, "batch");
    const locum_id x = w.node[w.n++] = locum_input(w.g, "x", LOCUM_REAL64, batch, 2, (int64_t[]){1, 4});
    const locum_id p = w.node[w.n++] = locum_parameter(w.g, "p", LOCUM_REAL64, 1, (int64_t[]){4});
    w.node[w.n++] = locum_input(w.g, "q", LOCUM_REAL64, -1, 2, (int64_t[]){2, 3});
    w.node[w.n++] = locum_constant(w.g, LOCUM_REAL64, 2, (int64_t[]){2, 3}, (double[]){1, -2, 0.5, 0, 1, 3});
    w.node[w.n++] = locum_scalar(w.g, LOCUM_REAL64, 1);
    w.node[w.n++] = locum_cast(w.g, locum_noise(w.g, batch, 2, (int64_t[]){1, 4}, 3), LOCUM_REAL64);
    while (w.n < n) {
        const locum_id from = any(&w);
        const int64_t kind = roll_integer(&w.d, 10);
        w.node[w.n++] = kind < 4   ? random_unary(&w, from)
                        : kind < 7 ? random_binary(&w, from)
                        : kind < 9 ? random_move(&w, from)
                                   : random_product(&w, from);
    }
    locum_id total = locum_scalar(w.g, LOCUM_REAL64, 0), gradient[2];
    for (int i = 0; i < 3; i++) {
        char name[] = {'y', (char)('0' + i), 0};
        const locum_id y = w.node[w.n - 1 - 2 * i];
        locum_output(w.g, y, name);
        total = locum_binary(w.g, LOCUM_OP_add, total, locum_sum(w.g, y, 0, NULL, false));
    }
    CHECK_OK(locum_graph_gradient(w.g, total, 0, 2, (locum_id[]){x, p}, gradient));
    locum_output(w.g, gradient[0], "gx");
    locum_output(w.g, gradient[1], "gp");
    CHECK_OK(locum_graph_status(w.g));
    return w.g;
}
