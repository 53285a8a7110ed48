/* SPDX-License-Identifier: BSD-3-Clause */
/* composites.c - operators that mean what their expansion says. Those with a gradient of their own save nodes by it;
 * the others are expanded first. Every gradient here is made of operators of the set again, so every order exists.
 *
 *     relu        max(x, 0)                            gelu     x Phi(x), Phi(x) = (1 + erf(x / sqrt 2)) / 2
 *     silu        x sigmoid(x)                         mean     sum / number of values, also over a symbol's rows
 *     softmax     exp(x - m) / sum exp(x - m), m = max x over the last axis
 *     layer_norm  (x - mean) / sqrt(variance + epsilon) gain + shift over the last axis, biased variance
 *                 (J. Ba et al., arXiv:1607.06450, 2016; GELU: D. Hendrycks, K. Gimpel, arXiv:1606.08415, 2016) */
#include "surrogate/graph/operator.h"

static locum_id two(const locum_site *s, locum_op op, locum_id a, locum_id b)
{
    return locum_binary(s->graph, op, a, b);
}

static locum_id one(const locum_site *s, locum_op op, locum_id a)
{
    return locum_unary(s->graph, op, a);
}

static locum_id scalar(const locum_site *s, double value)
{
    return locum_scalar(s->graph, (locum_number)s->node.number, value);
}

/* mean over the last axis, kept; sum over the last axis, kept */
static locum_id last_mean(const locum_site *s, locum_id x)
{
    return locum_mean(s->graph, x, 1, (int[]){-1}, true);
}
static locum_id last_sum(const locum_site *s, locum_id x)
{
    return locum_sum(s->graph, x, 1, (int[]){-1}, true);
}

/* --- relu --------------------------------------------------------------------------------------------------------- */

static locum_id relu_expand(const locum_site *s)
{
    return two(s, LOCUM_OP_maximum, s->in[0], scalar(s, 0));
}

static void relu_gradient(const locum_site *s, locum_id *into)
{
    into[0] = locum_select(s->graph, two(s, LOCUM_OP_greater, s->in[0], scalar(s, 0)), s->seed, scalar(s, 0));
}

const locum_operator locum_operator_relu = {
    .traits = LOCUM_ELEMENTWISE, .shape = locum_rule_elementwise, .expand = relu_expand, .gradient = relu_gradient};

/* --- gelu --------------------------------------------------------------------------------------------------------- */

static locum_id gelu_phi(const locum_site *s) /* Phi(x) */
{
    return locum_scale(s->graph, one(s, LOCUM_OP_erf, locum_scale(s->graph, s->in[0], 0.70710678118654752, 0)), 0.5,
                       0.5);
}

static locum_id gelu_expand(const locum_site *s)
{
    return two(s, LOCUM_OP_multiply, s->in[0], gelu_phi(s));
}

static void gelu_gradient(const locum_site *s, locum_id *into) /* g (Phi + x exp(-x^2/2) / sqrt(2 pi)) */
{
    const locum_id x = s->in[0], half = locum_scale(s->graph, two(s, LOCUM_OP_multiply, x, x), -0.5, 0);
    const locum_id bell = locum_scale(s->graph, one(s, LOCUM_OP_exp, half), 0.39894228040143268, 0);
    const locum_id slope = two(s, LOCUM_OP_add, gelu_phi(s), two(s, LOCUM_OP_multiply, x, bell));
    into[0] = two(s, LOCUM_OP_multiply, s->seed, slope);
}

const locum_operator locum_operator_gelu = {
    .traits = LOCUM_ELEMENTWISE, .shape = locum_rule_elementwise, .expand = gelu_expand, .gradient = gelu_gradient};

/* --- silu --------------------------------------------------------------------------------------------------------- */

static locum_id silu_expand(const locum_site *s)
{
    return two(s, LOCUM_OP_multiply, s->in[0], one(s, LOCUM_OP_sigmoid, s->in[0]));
}

static void silu_gradient(const locum_site *s, locum_id *into) /* g (p + y (1 - p)), p = sigmoid(x) */
{
    const locum_id p = one(s, LOCUM_OP_sigmoid, s->in[0]), q = locum_scale(s->graph, p, -1, 1);
    into[0] = two(s, LOCUM_OP_multiply, s->seed, two(s, LOCUM_OP_add, p, two(s, LOCUM_OP_multiply, s->id, q)));
}

const locum_operator locum_operator_silu = {
    .traits = LOCUM_ELEMENTWISE, .shape = locum_rule_elementwise, .expand = silu_expand, .gradient = silu_gradient};

/* --- mean {keep, axes ...} ---------------------------------------------------------------------------------------- */

static locum_id mean_expand(const locum_site *s)
{
    const locum_shape from = locum_shape_of(s->graph, s->in[0]);
    int axes[LOCUM_DIMS_MAX];
    const int n_axes = s->node.n_integers - 1;
    double n = 1;
    bool over_rows = false;
    for (int i = 0; i < n_axes; i++) {
        axes[i] = (int)s->integers[1 + i];
        if (axes[i] == 0 && from.symbol >= 0)
            over_rows = true;
        else
            n *= (double)from.dims[axes[i]];
    }
    if (n_axes == 0) return locum_scale(s->graph, s->in[0], 1, 0);
    const locum_id sum = locum_sum(s->graph, s->in[0], n_axes, axes, s->integers[0]);
    if (!over_rows) return locum_scale(s->graph, sum, 1 / n, 0);
    /* the number of rows is known at run time only: count them */
    const locum_id ones = locum_expand(s->graph, scalar(s, n), from.symbol, 1, from.dims);
    return two(s, LOCUM_OP_divide, sum, locum_sum(s->graph, ones, 1, (int[]){0}, false));
}

const locum_operator locum_operator_mean = {.n_integers = -1, .shape = locum_rule_reduce, .expand = mean_expand};

/* --- softmax ------------------------------------------------------------------------------------------------------ */

static locum_status softmax_shape(const locum_graph *graph, locum_draft *draft)
{
    LOCUM_TRY(locum_rule_elementwise(graph, draft));
    LOCUM_REQUIRE(draft->shape.n_dims >= 1 && (draft->shape.n_dims > 1 || draft->shape.symbol < 0), LOCUM_ARG,
                  "softmax: needs a last axis of constant size");
    return LOCUM_OK;
}

/* max over the last axis, kept: halves, which may overlap, are compared until one value is left */
static locum_id last_maximum(const locum_site *s, locum_id x)
{
    for (int64_t n = s->node.dims[s->node.n_dims - 1]; n > 1; n = (n + 1) / 2) {
        const int64_t half = (n + 1) / 2;
        x = two(s, LOCUM_OP_maximum, locum_slice(s->graph, x, -1, 0, half, 1),
                locum_slice(s->graph, x, -1, n - half, half, 1));
    }
    return x;
}

static locum_id softmax_expand(const locum_site *s)
{
    const locum_id largest = one(s, LOCUM_OP_stop_gradient, last_maximum(s, s->in[0]));
    const locum_id power = one(s, LOCUM_OP_exp, two(s, LOCUM_OP_subtract, s->in[0], largest));
    return two(s, LOCUM_OP_divide, power, last_sum(s, power));
}

static void softmax_gradient(const locum_site *s, locum_id *into) /* y (g - sum g y) */
{
    const locum_id inner = last_sum(s, two(s, LOCUM_OP_multiply, s->seed, s->id));
    into[0] = two(s, LOCUM_OP_multiply, s->id, two(s, LOCUM_OP_subtract, s->seed, inner));
}

const locum_operator locum_operator_softmax = {
    .shape = softmax_shape, .expand = softmax_expand, .gradient = softmax_gradient};

/* --- layer_norm {; epsilon}: x, gain [C], shift [C] --------------------------------------------------------------- */

locum_id locum_layer_norm(locum_graph *graph, locum_id x, locum_id gain, locum_id shift, double epsilon)
{
    locum_draft draft = {
        .op = LOCUM_OP_layer_norm, .n_inputs = 3, .in = (locum_id[]){x, gain, shift}, .n_reals = 1, .reals = {epsilon}};
    return locum_graph_add(graph, &draft);
}

static locum_status layer_norm_shape(const locum_graph *graph, locum_draft *draft)
{
    const locum_shape x = locum_shape_of(graph, draft->in[0]);
    char a[LOCUM_SHAPE_TEXT], b[LOCUM_SHAPE_TEXT];
    draft->shape = x;
    LOCUM_REQUIRE(draft->reals[0] >= 0, LOCUM_ARG, "layer_norm: epsilon = %g", draft->reals[0]);
    LOCUM_REQUIRE(x.number != LOCUM_INTEGER32 && x.n_dims >= 1 && (x.n_dims > 1 || x.symbol < 0), LOCUM_ARG,
                  "layer_norm: needs real numbers and a last axis of constant size");
    for (int i = 1; i < 3; i++) {
        const locum_shape own = locum_shape_of(graph, draft->in[i]);
        LOCUM_REQUIRE(own.n_dims == 1 && own.symbol < 0 && own.dims[0] == x.dims[x.n_dims - 1] &&
                          own.number == x.number,
                      LOCUM_ARG, "layer_norm: %s %s does not fit %s", i == 1 ? "gain" : "shift",
                      locum_shape_text(graph, &own, a), locum_shape_text(graph, &x, b));
    }
    return LOCUM_OK;
}

/* (x - mean) / sqrt(variance + epsilon); *inverse = 1 / sqrt(..) */
static locum_id standardised(const locum_site *s, locum_id *inverse)
{
    const locum_id centred = two(s, LOCUM_OP_subtract, s->in[0], last_mean(s, s->in[0]));
    const locum_id variance = last_mean(s, two(s, LOCUM_OP_multiply, centred, centred));
    *inverse = locum_power(s->graph, locum_scale(s->graph, variance, 1, s->reals[0]), -0.5);
    return two(s, LOCUM_OP_multiply, centred, *inverse);
}

static locum_id layer_norm_expand(const locum_site *s)
{
    locum_id inverse;
    return two(s, LOCUM_OP_add, two(s, LOCUM_OP_multiply, standardised(s, &inverse), s->in[1]), s->in[2]);
}

/* sum over all leading dims -> [C] */
static locum_id column_sum(const locum_site *s, locum_id x)
{
    int axes[LOCUM_DIMS_MAX];
    for (int i = 0; i < s->node.n_dims - 1; i++) axes[i] = i;
    return s->node.n_dims > 1 ? locum_sum(s->graph, x, s->node.n_dims - 1, axes, false) : x;
}

static void layer_norm_gradient(const locum_site *s, locum_id *into) /* u = g gain;  r (u - mean u - z mean(u z)) */
{
    locum_id inverse;
    const locum_id z = standardised(s, &inverse);
    if (s->wanted[0]) {
        const locum_id u = two(s, LOCUM_OP_multiply, s->seed, s->in[1]);
        const locum_id along = two(s, LOCUM_OP_multiply, z, last_mean(s, two(s, LOCUM_OP_multiply, u, z)));
        const locum_id rest = two(s, LOCUM_OP_subtract, two(s, LOCUM_OP_subtract, u, last_mean(s, u)), along);
        into[0] = two(s, LOCUM_OP_multiply, rest, inverse);
    }
    if (s->wanted[1]) into[1] = column_sum(s, two(s, LOCUM_OP_multiply, s->seed, z));
    if (s->wanted[2]) into[2] = column_sum(s, s->seed);
}

const locum_operator locum_operator_layer_norm = {
    .n_reals = 1, .shape = layer_norm_shape, .expand = layer_norm_expand, .gradient = layer_norm_gradient};
