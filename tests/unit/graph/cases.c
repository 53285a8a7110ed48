/* SPDX-License-Identifier: BSD-3-Clause */
/* cases.c - see cases.h. A new operator needs a line here: test_operators.c counts. */
#include "tests/unit/graph/cases.h"

#define UNARY(name)                                                  \
    static locum_id build_##name(locum_graph *g, const locum_id *in) \
    {                                                                \
        return locum_unary(g, LOCUM_OP_##name, in[0]);               \
    }
#define BINARY(name)                                                 \
    static locum_id build_##name(locum_graph *g, const locum_id *in) \
    {                                                                \
        return locum_binary(g, LOCUM_OP_##name, in[0], in[1]);       \
    }
#define BUILD(name, expression)                                      \
    static locum_id build_##name(locum_graph *g, const locum_id *in) \
    {                                                                \
        return expression;                                           \
    }
#define DIMS(...)     \
    (const int64_t[]) \
    {                 \
        __VA_ARGS__   \
    }
#define AXES(...)   \
    (const int[])   \
    {               \
        __VA_ARGS__ \
    }

/* clang-format off */
UNARY(neg) UNARY(exp) UNARY(log) UNARY(sqrt) UNARY(reciprocal) UNARY(sin) UNARY(cos) UNARY(tanh) UNARY(sigmoid)
UNARY(softplus) UNARY(erf) UNARY(abs) UNARY(sign) UNARY(stop_gradient)
UNARY(relu) UNARY(gelu) UNARY(silu) UNARY(softmax)
BINARY(add) BINARY(subtract) BINARY(multiply) BINARY(divide) BINARY(maximum) BINARY(minimum) BINARY(greater)

BUILD(square_of_one, locum_binary(g, LOCUM_OP_multiply, in[0], in[0]))
BUILD(power_square, locum_power(g, in[0], 2))
BUILD(power_one, locum_power(g, in[0], 1))
BUILD(power_zero, locum_power(g, in[0], 0))
BUILD(power_cube, locum_power(g, in[0], 3))
BUILD(power_inverse, locum_power(g, in[0], -1))
BUILD(power_half, locum_power(g, in[0], 0.5))
BUILD(power_other, locum_power(g, in[0], -1.7))
BUILD(scale, locum_scale(g, in[0], -1.5, 0.25))
BUILD(cast, locum_cast(g, locum_cast(g, in[0], LOCUM_REAL32), LOCUM_REAL64))
BUILD(select, locum_select(g, locum_binary(g, LOCUM_OP_greater, in[0], locum_scalar(g, LOCUM_REAL64, 0)), in[1], in[2]))
BUILD(select_through_condition, locum_select(g, in[0], in[0], in[1]))
BUILD(reshape, locum_reshape(g, in[0], 3, DIMS(2, 2, 3)))
BUILD(reshape_rows, locum_reshape(g, in[0], 2, DIMS(6, 2)))
BUILD(permute, locum_permute(g, in[0], AXES(2, 0, 1)))
BUILD(permute_rows, locum_permute(g, in[0], AXES(0, 2, 1)))
BUILD(expand, locum_expand(g, in[0], -1, 3, DIMS(2, 4, 3)))
BUILD(expand_rows, locum_expand(g, in[0], locum_graph_symbol(g, "batch"), 2, DIMS(2, 3)))
BUILD(expand_one, locum_expand(g, in[0], locum_graph_symbol(g, "batch"), 2, DIMS(1, 3)))
BUILD(sum_keep, locum_sum(g, in[0], 2, AXES(0, -1), true))
BUILD(sum_drop, locum_sum(g, in[0], 1, AXES(1), false))
BUILD(sum_all, locum_sum(g, in[0], 0, NULL, false))
BUILD(sum_rows_first, locum_sum(g, in[0], 1, AXES(0), false))
BUILD(slice, locum_slice(g, in[0], 1, 1, 2, 1))
BUILD(slice_steps, locum_slice(g, in[0], 1, 1, 3, 2))
BUILD(slice_first_axis, locum_slice(g, in[0], 0, 0, 2, 3))
BUILD(pad_zero, locum_pad(g, in[0], 1, 2, 1, LOCUM_PAD_ZERO))
BUILD(pad_periodic, locum_pad(g, in[0], 1, 3, 2, LOCUM_PAD_PERIODIC))
BUILD(pad_reflect, locum_pad(g, in[0], 1, 2, 3, LOCUM_PAD_REFLECT))
BUILD(pad_left, locum_pad(g, in[0], -1, 1, 0, LOCUM_PAD_PERIODIC))
BUILD(concat, locum_concat(g, 1, 3, in))
BUILD(concat_twice, locum_concat(g, -1, 2, (const locum_id[]){in[0], in[0]}))
BUILD(flip, locum_flip(g, in[0], 1))
BUILD(product, locum_product(g, in[0], in[1], false))
BUILD(product_transposed, locum_product(g, in[0], in[1], true))
BUILD(product_rows, locum_product_rows(g, in[0], in[1], 2))
BUILD(product_outer, locum_product_rows(g, in[0], in[1], 1))
BUILD(mean_all, locum_mean(g, in[0], 0, NULL, false))
BUILD(mean_last, locum_mean(g, in[0], 1, AXES(-1), true))
BUILD(mean_rows, locum_mean(g, in[0], 1, AXES(0), false))
BUILD(layer_norm, locum_layer_norm(g, in[0], in[1], in[2], 1e-3))

#define WINDOW(axes, wraps, step, spread, ...)                                                                    \
    (&(const locum_window){.n_axes = axes, .periodic = wraps, .stride = step, .dilation = spread, __VA_ARGS__})
BUILD(convolution, locum_convolution(g, in[0], in[1], WINDOW(2, false, 1, 1, .before = {1, 0}, .size = {3, 4})))
BUILD(convolution_wrapped, locum_convolution(g, in[0], in[1], WINDOW(2, true, 1, 1, .before = {1, 1}, .size = {3, 4})))
BUILD(convolution_stride, locum_convolution(g, in[0], in[1], WINDOW(1, false, 2, 1, .before = {1}, .size = {3})))
BUILD(convolution_dilated, locum_convolution(g, in[0], in[1], WINDOW(1, true, 2, 3, .before = {5}, .size = {4})))
BUILD(convolution_3d, locum_convolution(g, in[0], in[1], WINDOW(3, true, 1, 1, .before = {1, 0, 1}, .size = {2, 2, 3})))
BUILD(convolution_input, locum_convolution_input(g, in[0], in[1], WINDOW(2, false, 2, 1, .size = {4, 6})))
BUILD(convolution_input_same, locum_convolution_input(g, in[0], in[1], WINDOW(2, true, 1, 1, .before = {1, 1}, .size = {3, 4})))
BUILD(convolution_weight, locum_convolution_weight(g, in[0], in[1], WINDOW(2, false, 1, 1, .before = {1, 1}, .size = {3, 2})))
BUILD(convolution_weight_stride, locum_convolution_weight(g, in[0], in[1], WINDOW(1, true, 2, 2, .before = {1}, .size = {3})))
BUILD(larger_of_pairs, locum_pool_max(g, in[0], 2))

static locum_id matrix(locum_graph *g, int64_t rows, int64_t columns)
{
    static const double values[12] = {0.5, -1.25, 2, 0.75, -0.5, 1.5, 0.25, -2, 1, 0.375, -0.875, 1.125};
    return locum_constant(g, LOCUM_REAL64, 2, DIMS(rows, columns), values);
}

BUILD(transform, locum_transform_axis(g, in[0], matrix(g, 4, 3), 1, false))
BUILD(transform_back, locum_transform_axis(g, in[0], matrix(g, 3, 4), 1, true))
BUILD(transform_last, locum_transform_axis(g, in[0], matrix(g, 2, 5), -1, false))
BUILD(transform_first, locum_transform_axis(g, in[0], matrix(g, 2, 3), 0, false))

#define ANY(...) {false, __VA_ARGS__, 0.1, 1.2, true}
#define ROWS(...) {true, __VA_ARGS__, 0.1, 1.2, true}
#define POSITIVE(...) {true, __VA_ARGS__, 0.4, 1.6, false}

const graph_case graph_cases[] = {
    {LOCUM_OP_neg, "rows", build_neg, 1, {ROWS(2, {1, 3})}},
    {LOCUM_OP_exp, "rows", build_exp, 1, {ROWS(2, {1, 3})}},
    {LOCUM_OP_log, "positive", build_log, 1, {POSITIVE(2, {1, 3})}},
    {LOCUM_OP_sqrt, "positive", build_sqrt, 1, {POSITIVE(2, {1, 3})}},
    {LOCUM_OP_reciprocal, "away from 0", build_reciprocal, 1, {POSITIVE(2, {1, 3})}},
    {LOCUM_OP_sin, "rows", build_sin, 1, {ROWS(2, {1, 3})}},
    {LOCUM_OP_cos, "rows", build_cos, 1, {ROWS(2, {1, 3})}},
    {LOCUM_OP_tanh, "rows", build_tanh, 1, {ROWS(2, {1, 3})}},
    {LOCUM_OP_sigmoid, "rows", build_sigmoid, 1, {ROWS(2, {1, 3})}},
    {LOCUM_OP_softplus, "rows", build_softplus, 1, {ROWS(2, {1, 3})}},
    {LOCUM_OP_erf, "rows", build_erf, 1, {ROWS(2, {1, 3})}},
    {LOCUM_OP_abs, "away from 0", build_abs, 1, {ROWS(2, {1, 3})}},
    {LOCUM_OP_sign, "away from 0", build_sign, 1, {ROWS(2, {1, 3})}},
    {LOCUM_OP_stop_gradient, "rows", build_stop_gradient, 1, {ROWS(2, {1, 3})}},
    {LOCUM_OP_power, "square", build_power_square, 1, {ROWS(2, {1, 3})}},
    {LOCUM_OP_power, "one", build_power_one, 1, {ROWS(2, {1, 3})}},
    {LOCUM_OP_power, "zero", build_power_zero, 1, {ROWS(2, {1, 3})}},
    {LOCUM_OP_power, "cube", build_power_cube, 1, {ROWS(2, {1, 3})}},
    {LOCUM_OP_power, "inverse", build_power_inverse, 1, {POSITIVE(2, {1, 3})}},
    {LOCUM_OP_power, "square root", build_power_half, 1, {POSITIVE(2, {1, 3})}},
    {LOCUM_OP_power, "-1.7", build_power_other, 1, {POSITIVE(2, {1, 3})}},
    {LOCUM_OP_scale, "rows", build_scale, 1, {ROWS(2, {1, 3})}},
    {LOCUM_OP_cast, "there and back", build_cast, 1, {ROWS(2, {1, 3})}},
    {LOCUM_OP_add, "broadcast over rows", build_add, 2, {ROWS(2, {1, 3}), ANY(1, {3})}},
    {LOCUM_OP_subtract, "broadcast over columns", build_subtract, 2, {ROWS(2, {1, 3}), ROWS(2, {1, 1})}},
    {LOCUM_OP_multiply, "broadcast both ways", build_multiply, 2, {ANY(2, {3, 1}), ANY(2, {1, 4})}},
    {LOCUM_OP_multiply, "by itself", build_square_of_one, 1, {ROWS(2, {1, 3})}},
    {LOCUM_OP_divide, "rows", build_divide, 2, {ROWS(2, {1, 3}), POSITIVE(2, {1, 3})}},
    {LOCUM_OP_maximum, "no ties", build_maximum, 2, {{true, 2, {1, 3}, 0.6, 1, true}, {true, 2, {1, 3}, 0, 0.5, true}}},
    {LOCUM_OP_minimum, "no ties", build_minimum, 2, {{true, 2, {1, 3}, 0.6, 1, true}, {true, 2, {1, 3}, 0, 0.5, true}}},
    {LOCUM_OP_greater, "no ties", build_greater, 2, {{true, 2, {1, 3}, 0.6, 1, true}, {true, 2, {1, 3}, 0, 0.5, true}}},
    {LOCUM_OP_select, "by sign", build_select, 3, {ROWS(2, {1, 3}), ROWS(2, {1, 3}), ANY(1, {3})}},
    {LOCUM_OP_select, "condition is an operand", build_select_through_condition, 2, {ROWS(2, {1, 3}), ROWS(2, {1, 3})}},
    {LOCUM_OP_reshape, "12 values", build_reshape, 1, {ANY(2, {4, 3})}},
    {LOCUM_OP_reshape, "rows", build_reshape_rows, 1, {ROWS(3, {2, 3, 2})}},
    {LOCUM_OP_permute, "three axes", build_permute, 1, {ANY(3, {2, 3, 4})}},
    {LOCUM_OP_permute, "rows", build_permute_rows, 1, {ROWS(3, {1, 2, 3})}},
    {LOCUM_OP_expand, "middle and front", build_expand, 1, {ANY(2, {1, 3})}},
    {LOCUM_OP_expand, "over 2 rows each", build_expand_rows, 1, {ANY(1, {3})}},
    {LOCUM_OP_expand, "a column", build_expand_one, 1, {ROWS(2, {1, 1})}},
    {LOCUM_OP_sum, "first and last, kept", build_sum_keep, 1, {ROWS(3, {1, 2, 3})}},
    {LOCUM_OP_sum, "middle", build_sum_drop, 1, {ROWS(3, {1, 2, 3})}},
    {LOCUM_OP_sum, "all", build_sum_all, 1, {ROWS(2, {2, 3})}},
    {LOCUM_OP_sum, "rows", build_sum_rows_first, 1, {ROWS(2, {1, 3})}},
    {LOCUM_OP_slice, "one step", build_slice, 1, {ROWS(3, {1, 4, 2})}},
    {LOCUM_OP_slice, "two steps", build_slice_steps, 1, {ROWS(3, {1, 7, 2})}},
    {LOCUM_OP_slice, "first axis", build_slice_first_axis, 1, {ANY(2, {5, 2})}},
    {LOCUM_OP_pad, "zero", build_pad_zero, 1, {ROWS(3, {1, 3, 2})}},
    {LOCUM_OP_pad, "periodic, whole", build_pad_periodic, 1, {ROWS(3, {1, 3, 2})}},
    {LOCUM_OP_pad, "reflect, whole", build_pad_reflect, 1, {ROWS(3, {1, 4, 2})}},
    {LOCUM_OP_pad, "one side of the last axis", build_pad_left, 1, {ANY(2, {2, 3})}},
    {LOCUM_OP_concat, "three parts", build_concat, 3, {ROWS(3, {1, 2, 2}), ROWS(3, {1, 1, 2}), ROWS(3, {1, 3, 2})}},
    {LOCUM_OP_concat, "twice the same", build_concat_twice, 1, {ROWS(2, {1, 3})}},
    {LOCUM_OP_flip, "rows", build_flip, 1, {ROWS(3, {1, 3, 2})}},
    {LOCUM_OP_product, "one group", build_product, 2, {ROWS(2, {1, 3}), ANY(3, {1, 3, 4})}},
    {LOCUM_OP_product, "three groups", build_product, 2, {ROWS(3, {1, 2, 6}), ANY(3, {3, 2, 4})}},
    {LOCUM_OP_product, "no rows", build_product, 2, {ANY(1, {6}), ANY(3, {3, 2, 4})}},
    {LOCUM_OP_product, "transposed", build_product_transposed, 2, {ROWS(2, {1, 6}), ANY(3, {2, 4, 3})}},
    {LOCUM_OP_product_rows, "two groups", build_product_rows, 2, {ROWS(3, {1, 2, 6}), ROWS(3, {1, 2, 4})}},
    {LOCUM_OP_product_rows, "outer product", build_product_outer, 2, {ANY(1, {3}), ANY(1, {4})}},
    {LOCUM_OP_convolution, "2-D, zeros outside", build_convolution, 2, {ROWS(4, {1, 3, 4, 2}), ANY(4, {3, 2, 2, 3})}},
    {LOCUM_OP_convolution, "2-D, periodic", build_convolution_wrapped, 2, {ROWS(4, {1, 3, 4, 2}), ANY(4, {3, 3, 2, 3})}},
    {LOCUM_OP_convolution, "stride 2", build_convolution_stride, 2, {ROWS(3, {2, 6, 2}), ANY(3, {3, 2, 1})}},
    {LOCUM_OP_convolution, "stride 2, dilation 3, periodic", build_convolution_dilated, 2, {ROWS(3, {1, 7, 1}), ANY(3, {4, 1, 2})}},
    {LOCUM_OP_convolution, "3-D, more taps than points", build_convolution_3d, 2, {ANY(5, {1, 2, 2, 3, 2}), ANY(5, {3, 1, 3, 2, 2})}},
    {LOCUM_OP_convolution_input, "transposed, stride 2", build_convolution_input, 2, {ROWS(4, {1, 2, 3, 3}), ANY(4, {2, 2, 2, 3})}},
    {LOCUM_OP_convolution_input, "2-D, periodic", build_convolution_input_same, 2, {ROWS(4, {1, 3, 4, 3}), ANY(4, {3, 3, 2, 3})}},
    {LOCUM_OP_convolution_weight, "2-D", build_convolution_weight, 2, {ROWS(4, {1, 3, 4, 2}), ROWS(4, {1, 3, 4, 3})}},
    {LOCUM_OP_convolution_weight, "stride and dilation 2, periodic", build_convolution_weight_stride, 2, {ROWS(3, {1, 6, 2}), ROWS(3, {1, 3, 3})}},
    {LOCUM_OP_larger_of_pairs, "2-D", build_larger_of_pairs, 1, {ROWS(4, {1, 2, 4, 2})}},
    {LOCUM_OP_transform, "middle axis", build_transform, 1, {ROWS(3, {1, 3, 2})}},
    {LOCUM_OP_transform, "transposed", build_transform_back, 1, {ROWS(3, {1, 3, 2})}},
    {LOCUM_OP_transform, "last axis", build_transform_last, 1, {ROWS(3, {2, 2, 5})}},
    {LOCUM_OP_transform, "first axis", build_transform_first, 1, {ANY(2, {3, 4})}},
    {LOCUM_OP_relu, "away from 0", build_relu, 1, {ROWS(2, {1, 3})}},
    {LOCUM_OP_gelu, "rows", build_gelu, 1, {ROWS(2, {1, 3})}},
    {LOCUM_OP_silu, "rows", build_silu, 1, {ROWS(2, {1, 3})}},
    {LOCUM_OP_mean, "all", build_mean_all, 1, {ROWS(2, {2, 3})}},
    {LOCUM_OP_mean, "last, kept", build_mean_last, 1, {ROWS(2, {1, 3})}},
    {LOCUM_OP_mean, "rows", build_mean_rows, 1, {ROWS(2, {1, 3})}},
    {LOCUM_OP_softmax, "five classes", build_softmax, 1, {ROWS(2, {1, 5})}},
    {LOCUM_OP_layer_norm, "rows", build_layer_norm, 3, {ROWS(2, {1, 4}), ANY(1, {4}), ANY(1, {4})}},
};
/* clang-format on */
const int n_graph_cases = sizeof graph_cases / sizeof *graph_cases;
