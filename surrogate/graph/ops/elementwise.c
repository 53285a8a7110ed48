/* SPDX-License-Identifier: BSD-3-Clause */
/* elementwise.c - operators whose output i depends on inputs i alone. g = seed = dL/dy.
 *
 * At kinks the derivative is that of the branch taken: maximum and minimum give a tie to the second operand, abs has 0
 * at 0.
 * power has fixed meanings that simplification may use: x^1 = x, x^2 = x x, x^-1 = 1/x, x^(1/2) = sqrt(x).
 * Number types are storage, not meaning: reference loops work in double throughout; only a cast to int32 truncates. */
#include "surrogate/graph/operator.h"

#include <math.h>

/* --- shared ------------------------------------------------------------------------------------------------------- */

locum_status locum_rule_elementwise(const locum_graph *graph, locum_draft *draft)
{
    const char *who = locum_op_name(draft->op);
    draft->shape = locum_shape_of(graph, draft->in[0]);
    LOCUM_REQUIRE(draft->shape.number != LOCUM_INTEGER32, LOCUM_ARG,
                  "%s: works on real numbers, not on int32 (cast it)", who);
    for (int i = 1; i < draft->n_inputs; i++) {
        char a[LOCUM_SHAPE_TEXT], b[LOCUM_SHAPE_TEXT];
        const locum_shape other = locum_shape_of(graph, draft->in[i]);
        LOCUM_REQUIRE(draft->shape.number == other.number, LOCUM_ARG,
                      "%s: %s and %s are of different number types (cast one)", who,
                      locum_shape_text(graph, &draft->shape, a), locum_shape_text(graph, &other, b));
        LOCUM_REQUIRE(locum_shape_equal(&draft->shape, &other), LOCUM_ARG, "%s: %s and %s differ", who,
                      locum_shape_text(graph, &draft->shape, a), locum_shape_text(graph, &other, b));
    }
    return LOCUM_OK;
}

void locum_reference_elementwise(const locum_loop *loop)
{
    const locum_operator *rules = locum_operator_of(loop->op);
    const double *x = loop->in[0].data, *y = loop->n_in > 1 ? loop->in[1].data : NULL;
    for (int64_t i = 0; i < loop->out.count; i++)
        loop->out.data[i] = y ? rules->binary(x[i], y[i]) : rules->unary(x[i]);
}

static locum_id apply(locum_graph *graph, locum_op op, int n, const locum_id *in)
{
    locum_draft draft = {.op = op, .n_inputs = n, .in = in};
    return locum_graph_add(graph, &draft);
}

locum_id locum_unary(locum_graph *graph, locum_op op, locum_id a)
{
    return apply(graph, op, 1, &a);
}

static locum_id times(const locum_site *s, locum_id a, locum_id b)
{
    return locum_binary(s->graph, LOCUM_OP_multiply, a, b);
}

static locum_id of(const locum_site *s, locum_op op, locum_id a)
{
    return locum_unary(s->graph, op, a);
}

static bool is_node(const locum_graph *graph, locum_id id)
{
    return id > 0 && id <= locum_graph_n(graph);
}

locum_id locum_binary(locum_graph *graph, locum_op op, locum_id a, locum_id b)
{
    if (is_node(graph, a) && is_node(graph, b) && locum_op_n_inputs(op) == 2) {
        const locum_shape x = locum_shape_of(graph, a), y = locum_shape_of(graph, b);
        locum_shape both;
        if (!locum_shape_equal(&x, &y)) {
            locum_status st = locum_shape_broadcast(graph, locum_op_name(op), &x, &y, &both);
            if (st) return locum_graph_fault(graph, st, "%s", locum_status_message());
            if (!locum_shape_equal(&x, &both)) a = locum_expand(graph, a, both.symbol, both.n_dims, both.dims);
            if (!locum_shape_equal(&y, &both)) b = locum_expand(graph, b, both.symbol, both.n_dims, both.dims);
        }
    }
    return apply(graph, op, 2, (locum_id[]){a, b});
}

#define ELEMENTWISE .shape = locum_rule_elementwise, .reference = locum_reference_elementwise

/* --- one operand -------------------------------------------------------------------------------------------------- */

static double neg_value(double x)
{
    return -x;
}
static void neg_gradient(const locum_site *s, locum_id *into)
{
    into[0] = of(s, LOCUM_OP_neg, s->seed);
}
const locum_operator locum_operator_neg = {
    .traits = LOCUM_ELEMENTWISE | LOCUM_LINEAR, ELEMENTWISE, .unary = neg_value, .gradient = neg_gradient};

/* g y */
static void exp_gradient(const locum_site *s, locum_id *into)
{
    into[0] = times(s, s->seed, s->id);
}
const locum_operator locum_operator_exp = {
    .traits = LOCUM_ELEMENTWISE, ELEMENTWISE, .unary = exp, .gradient = exp_gradient};

static void log_gradient(const locum_site *s, locum_id *into) /* g / x */
{
    into[0] = locum_binary(s->graph, LOCUM_OP_divide, s->seed, s->in[0]);
}
const locum_operator locum_operator_log = {
    .traits = LOCUM_ELEMENTWISE, ELEMENTWISE, .unary = log, .gradient = log_gradient};

static void sqrt_gradient(const locum_site *s, locum_id *into) /* g / (2 y) */
{
    into[0] = locum_binary(s->graph, LOCUM_OP_divide, locum_scale(s->graph, s->seed, 0.5, 0), s->id);
}
const locum_operator locum_operator_sqrt = {
    .traits = LOCUM_ELEMENTWISE, ELEMENTWISE, .unary = sqrt, .gradient = sqrt_gradient};

static double reciprocal_value(double x)
{
    return 1 / x;
}
static void reciprocal_gradient(const locum_site *s, locum_id *into) /* -g y^2 */
{
    into[0] = of(s, LOCUM_OP_neg, times(s, s->seed, times(s, s->id, s->id)));
}
const locum_operator locum_operator_reciprocal = {
    .traits = LOCUM_ELEMENTWISE, ELEMENTWISE, .unary = reciprocal_value, .gradient = reciprocal_gradient};

static void sin_gradient(const locum_site *s, locum_id *into)
{
    into[0] = times(s, s->seed, of(s, LOCUM_OP_cos, s->in[0]));
}
const locum_operator locum_operator_sin = {
    .traits = LOCUM_ELEMENTWISE, ELEMENTWISE, .unary = sin, .gradient = sin_gradient};

static void cos_gradient(const locum_site *s, locum_id *into) /* -g sin x */
{
    into[0] = of(s, LOCUM_OP_neg, times(s, s->seed, of(s, LOCUM_OP_sin, s->in[0])));
}
const locum_operator locum_operator_cos = {
    .traits = LOCUM_ELEMENTWISE, ELEMENTWISE, .unary = cos, .gradient = cos_gradient};

static void tanh_gradient(const locum_site *s, locum_id *into) /* g (1 - y^2) */
{
    into[0] = times(s, s->seed, locum_scale(s->graph, times(s, s->id, s->id), -1, 1));
}
const locum_operator locum_operator_tanh = {
    .traits = LOCUM_ELEMENTWISE, ELEMENTWISE, .unary = tanh, .gradient = tanh_gradient};

static double sigmoid_value(double x) /* never overflows */
{
    const double e = exp(-fabs(x));
    return (x >= 0 ? 1 : e) / (1 + e);
}
static void sigmoid_gradient(const locum_site *s, locum_id *into) /* g y (1 - y) */
{
    into[0] = times(s, s->seed, times(s, s->id, locum_scale(s->graph, s->id, -1, 1)));
}
const locum_operator locum_operator_sigmoid = {
    .traits = LOCUM_ELEMENTWISE, ELEMENTWISE, .unary = sigmoid_value, .gradient = sigmoid_gradient};

/* log(1 + e^x) */
static double softplus_value(double x)
{
    return fmax(x, 0) + log1p(exp(-fabs(x)));
}
static void softplus_gradient(const locum_site *s, locum_id *into)
{
    into[0] = times(s, s->seed, of(s, LOCUM_OP_sigmoid, s->in[0]));
}
const locum_operator locum_operator_softplus = {
    .traits = LOCUM_ELEMENTWISE, ELEMENTWISE, .unary = softplus_value, .gradient = softplus_gradient};

static void erf_gradient(const locum_site *s, locum_id *into) /* g 2/sqrt(pi) exp(-x^2) */
{
    const locum_id bell = of(s, LOCUM_OP_exp, of(s, LOCUM_OP_neg, times(s, s->in[0], s->in[0])));
    into[0] = times(s, s->seed, locum_scale(s->graph, bell, 1.1283791670955126, 0));
}
const locum_operator locum_operator_erf = {
    .traits = LOCUM_ELEMENTWISE, ELEMENTWISE, .unary = erf, .gradient = erf_gradient};

static void abs_gradient(const locum_site *s, locum_id *into)
{
    into[0] = times(s, s->seed, of(s, LOCUM_OP_sign, s->in[0]));
}
const locum_operator locum_operator_abs = {
    .traits = LOCUM_ELEMENTWISE, ELEMENTWISE, .unary = fabs, .gradient = abs_gradient};

static double sign_value(double x)
{
    return (x > 0) - (x < 0);
}
const locum_operator locum_operator_sign = {
    .traits = LOCUM_ELEMENTWISE | LOCUM_NO_GRADIENT, ELEMENTWISE, .unary = sign_value};

static double same_value(double x)
{
    return x;
}
const locum_operator locum_operator_stop_gradient = {
    .traits = LOCUM_ELEMENTWISE | LOCUM_NO_GRADIENT, ELEMENTWISE, .unary = same_value};

/* --- power: x^p --------------------------------------------------------------------------------------------------- */

locum_id locum_power(locum_graph *graph, locum_id x, double exponent)
{
    locum_draft draft = {.op = LOCUM_OP_power, .n_inputs = 1, .in = &x, .n_reals = 1, .reals = {exponent}};
    return locum_graph_add(graph, &draft);
}

static void power_gradient(const locum_site *s, locum_id *into) /* g p x^(p - 1) */
{
    const double p = s->reals[0];
    if (p == 1) into[0] = s->seed;
    if (p == 2) into[0] = times(s, s->seed, locum_scale(s->graph, s->in[0], 2, 0));
    if (p == 0 || p == 1 || p == 2) return;
    into[0] = times(s, s->seed, locum_scale(s->graph, locum_power(s->graph, s->in[0], p - 1), p, 0));
}

static void power_reference(const locum_loop *loop)
{
    const double p = loop->reals[0];
    for (int64_t i = 0; i < loop->out.count; i++) {
        const double x = loop->in[0].data[i];
        loop->out.data[i] = p == 1 ? x : p == 2 ? x * x : p == -1 ? 1 / x : p == 0.5 ? sqrt(x) : pow(x, p);
    }
}

const locum_operator locum_operator_power = {.traits = LOCUM_ELEMENTWISE,
                                             .n_reals = 1,
                                             .shape = locum_rule_elementwise,
                                             .gradient = power_gradient,
                                             .reference = power_reference};

/* --- scale: factor x + offset ------------------------------------------------------------------------------------- */

locum_id locum_scale(locum_graph *graph, locum_id x, double factor, double offset)
{
    locum_draft draft = {.op = LOCUM_OP_scale, .n_inputs = 1, .in = &x, .n_reals = 2, .reals = {factor, offset}};
    return locum_graph_add(graph, &draft);
}

static void scale_gradient(const locum_site *s, locum_id *into)
{
    into[0] = locum_scale(s->graph, s->seed, s->reals[0], 0);
}

static void scale_reference(const locum_loop *loop)
{
    const double a = loop->reals[0], b = loop->reals[1];
    for (int64_t i = 0; i < loop->out.count; i++) loop->out.data[i] = a * loop->in[0].data[i] + b;
}

const locum_operator locum_operator_scale = {.traits = LOCUM_ELEMENTWISE,
                                             .n_reals = 2,
                                             .shape = locum_rule_elementwise,
                                             .gradient = scale_gradient,
                                             .reference = scale_reference};

/* --- cast --------------------------------------------------------------------------------------------------------- */

locum_id locum_cast(locum_graph *graph, locum_id x, locum_number number)
{
    if (!is_node(graph, x)) return apply(graph, LOCUM_OP_cast, 1, &x);
    locum_draft draft = {.op = LOCUM_OP_cast, .shape = locum_shape_of(graph, x), .n_inputs = 1, .in = &x};
    draft.shape.number = number;
    return locum_graph_add(graph, &draft);
}

static locum_status cast_shape(const locum_graph *graph, locum_draft *draft)
{
    const locum_number number = draft->shape.number;
    draft->shape = locum_shape_of(graph, draft->in[0]);
    draft->shape.number = number;
    return LOCUM_OK;
}

static void cast_gradient(const locum_site *s, locum_id *into) /* back again; none through integers */
{
    const locum_number from = (locum_number)locum_graph_node(s->graph, s->in[0])->number;
    if (from != LOCUM_INTEGER32 && s->node.number != LOCUM_INTEGER32) into[0] = locum_cast(s->graph, s->seed, from);
}

static void cast_reference(const locum_loop *loop)
{
    const bool truncate = loop->number == LOCUM_INTEGER32;
    for (int64_t i = 0; i < loop->out.count; i++) {
        const double x = loop->in[0].data[i];
        loop->out.data[i] = truncate ? trunc(x) : x;
    }
}

const locum_operator locum_operator_cast = {.traits = LOCUM_ELEMENTWISE | LOCUM_LINEAR,
                                            .shape = cast_shape,
                                            .gradient = cast_gradient,
                                            .reference = cast_reference};

/* --- two operands of the same shape ------------------------------------------------------------------------------- */

static double add_value(double x, double y)
{
    return x + y;
}
static void add_gradient(const locum_site *s, locum_id *into)
{
    into[0] = into[1] = s->seed;
}
const locum_operator locum_operator_add = {.traits = LOCUM_ELEMENTWISE | LOCUM_LINEAR | LOCUM_COMMUTES,
                                           ELEMENTWISE,
                                           .binary = add_value,
                                           .gradient = add_gradient};

static double subtract_value(double x, double y)
{
    return x - y;
}
static void subtract_gradient(const locum_site *s, locum_id *into)
{
    into[0] = s->seed;
    if (s->wanted[1]) into[1] = of(s, LOCUM_OP_neg, s->seed);
}
const locum_operator locum_operator_subtract = {
    .traits = LOCUM_ELEMENTWISE | LOCUM_LINEAR, ELEMENTWISE, .binary = subtract_value, .gradient = subtract_gradient};

static double multiply_value(double x, double y)
{
    return x * y;
}
static void multiply_gradient(const locum_site *s, locum_id *into)
{
    if (s->wanted[0]) into[0] = times(s, s->seed, s->in[1]);
    if (s->wanted[1]) into[1] = times(s, s->seed, s->in[0]);
}
const locum_operator locum_operator_multiply = {.traits = LOCUM_ELEMENTWISE | LOCUM_MULTILINEAR | LOCUM_COMMUTES,
                                                ELEMENTWISE,
                                                .binary = multiply_value,
                                                .gradient = multiply_gradient};

static double divide_value(double x, double y)
{
    return x / y;
}
static void divide_gradient(const locum_site *s, locum_id *into) /* g / b,  -(g / b) y */
{
    const locum_id first = locum_binary(s->graph, LOCUM_OP_divide, s->seed, s->in[1]);
    into[0] = first;
    if (s->wanted[1]) into[1] = of(s, LOCUM_OP_neg, times(s, first, s->id));
}
const locum_operator locum_operator_divide = {
    .traits = LOCUM_ELEMENTWISE, ELEMENTWISE, .binary = divide_value, .gradient = divide_gradient};

/* --- comparisons -------------------------------------------------------------------------------------------------- */

static double greater_value(double x, double y)
{
    return x > y;
}
const locum_operator locum_operator_greater = {
    .traits = LOCUM_ELEMENTWISE | LOCUM_NO_GRADIENT, ELEMENTWISE, .binary = greater_value};

static locum_id zeros_like(const locum_site *s, locum_id like)
{
    const locum_number number = (locum_number)locum_graph_node(s->graph, like)->number;
    return locum_expand_like(s->graph, locum_scalar(s->graph, number, 0), like);
}

/* the seed where `condition` holds for input 0, elsewhere for input 1 */
static void split_seed(const locum_site *s, locum_id condition, int first, locum_id *into)
{
    const locum_id zeros = zeros_like(s, s->seed);
    if (s->wanted[first]) into[first] = locum_select(s->graph, condition, s->seed, zeros);
    if (s->wanted[first + 1]) into[first + 1] = locum_select(s->graph, condition, zeros, s->seed);
}

static double maximum_value(double x, double y)
{
    return x > y ? x : y;
}
static void maximum_gradient(const locum_site *s, locum_id *into)
{
    split_seed(s, locum_binary(s->graph, LOCUM_OP_greater, s->in[0], s->in[1]), 0, into);
}
const locum_operator locum_operator_maximum = {
    .traits = LOCUM_ELEMENTWISE, ELEMENTWISE, .binary = maximum_value, .gradient = maximum_gradient};

static double minimum_value(double x, double y)
{
    return y > x ? x : y;
}
static void minimum_gradient(const locum_site *s, locum_id *into)
{
    split_seed(s, locum_binary(s->graph, LOCUM_OP_greater, s->in[1], s->in[0]), 0, into);
}
const locum_operator locum_operator_minimum = {
    .traits = LOCUM_ELEMENTWISE, ELEMENTWISE, .binary = minimum_value, .gradient = minimum_gradient};

/* --- select: c != 0 ? a : b --------------------------------------------------------------------------------------- */

locum_id locum_select(locum_graph *graph, locum_id condition, locum_id a, locum_id b)
{
    locum_id in[3] = {condition, a, b};
    if (is_node(graph, condition) && is_node(graph, a) && is_node(graph, b)) {
        locum_shape all = locum_shape_of(graph, condition);
        for (int i = 1; i < 3; i++) {
            const locum_shape other = locum_shape_of(graph, in[i]), so_far = all;
            locum_status st = locum_shape_broadcast(graph, "select", &so_far, &other, &all);
            if (st) return locum_graph_fault(graph, st, "%s", locum_status_message());
        }
        for (int i = 0; i < 3; i++) {
            const locum_shape own = locum_shape_of(graph, in[i]);
            if (!locum_shape_equal(&own, &all)) in[i] = locum_expand(graph, in[i], all.symbol, all.n_dims, all.dims);
        }
    }
    return apply(graph, LOCUM_OP_select, 3, in);
}

static void select_gradient(const locum_site *s, locum_id *into)
{
    split_seed(s, s->in[0], 1, into);
}

static void select_reference(const locum_loop *loop)
{
    for (int64_t i = 0; i < loop->out.count; i++)
        loop->out.data[i] = loop->in[0].data[i] != 0 ? loop->in[1].data[i] : loop->in[2].data[i];
}

const locum_operator locum_operator_select = {.traits = LOCUM_ELEMENTWISE,
                                              .blind = 1,
                                              .shape = locum_rule_elementwise,
                                              .gradient = select_gradient,
                                              .reference = select_reference};
