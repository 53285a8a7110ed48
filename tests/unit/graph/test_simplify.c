/* SPDX-License-Identifier: BSD-3-Clause */
/* test_simplify.c - simplification changes the number of nodes, never a value.
 *
 * Rules are exact (rewrite.c), so values are compared bit for bit, but for the sign of zeros. */
#include <string.h>

#include "surrogate/graph/operator.h"
#include "tests/unit/graph/random_graph.h"

static bool same_values(int64_t n, const double *a, const double *b)
{
    for (int64_t i = 0; i < n; i++)
        if (a[i] != b[i]) return false;
    return true;
}

static void random_graphs_keep_their_values_bit_for_bit(void)
{
    const int64_t extents[] = {5};
    int64_t before = 0, after = 0;
    for (uint64_t seed = 1; seed <= 300; seed++) {
        locum_graph *g = random_graph(seed, 40), *simple = NULL, *twice = NULL;
        store s = {0};
        dice d = {seed, 1000};
        locum_id outputs[5], small[5], smaller[5];
        store_complete(&s, g, extents, &d, -1.5, 1.5);
        for (int i = 0; i < 5; i++) outputs[i] = locum_graph_output(g, i);
        CHECK_OK(locum_graph_simplify(g, 5, outputs, &simple, small));
        CHECK_OK(locum_graph_simplify(simple, 5, small, &twice, smaller));
        for (int i = 0; i < 5; i++) {
            const int64_t n = locum_graph_count(g, outputs[i], extents);
            double *a = values_of(g, extents, &s, outputs[i]), *b = values_of(simple, extents, &s, small[i]);
            if (!same_values(n, a, b)) printf("\n    seed %d, output %d", (int)seed, i);
            CU_ASSERT(n == locum_graph_count(simple, small[i], extents) && same_values(n, a, b));
            CU_ASSERT(small[i] == locum_graph_output(simple, i));
            CU_ASSERT(!strcmp(locum_graph_name(simple, small[i]), locum_graph_name(g, outputs[i])));
            for (int64_t j = 0; j < n; j++) CU_ASSERT(isfinite(a[j]));
            free(a);
            free(b);
        }
        before += locum_graph_n(g);
        after += locum_graph_n(simple);
        CU_ASSERT(locum_graph_n(twice) <= locum_graph_n(simple)); /* never worse by a second pass */
        locum_graph_destroy(g);
        locum_graph_destroy(simple);
        locum_graph_destroy(twice);
        store_free(&s);
    }
    printf(" [%.0f %% of the nodes stay] ", 100.0 * (double)after / (double)before);
    CU_ASSERT(after < before);
}

/* The comparison above must notice a wrong node: in each simplified graph one sin becomes an erf. */
static void a_planted_wrong_rule_is_noticed(void)
{
    const int64_t extents[] = {5};
    int planted = 0, noticed = 0;
    for (uint64_t seed = 1; seed <= 40; seed++) {
        locum_graph *g = random_graph(seed, 40), *simple = NULL, *wrong = NULL;
        locum_json *json = NULL;
        locum_text text = {0};
        store s = {0};
        dice d = {seed, 1000};
        locum_id outputs[5], small[5];
        bool differs = false;
        store_complete(&s, g, extents, &d, -1.5, 1.5);
        for (int i = 0; i < 5; i++) outputs[i] = locum_graph_output(g, i);
        CHECK_OK(locum_graph_simplify(g, 5, outputs, &simple, small));
        locum_graph_write(simple, &text);
        char *at = strstr(text.data, "\"sin\", ");
        if (at) {
            planted++;
            memcpy(at, "\"erf\"", 5);
            CHECK_OK(locum_json_parse(text.data, text.size, 100000, &json));
            CHECK_OK(locum_graph_read(json, 0, 100000, &wrong));
            for (int i = 0; i < 5; i++) {
                double *a = values_of(g, extents, &s, outputs[i]),
                       *b = values_of(wrong, extents, &s, locum_graph_output(wrong, i));
                differs = differs || !same_values(locum_graph_count(g, outputs[i], extents), a, b);
                free(a);
                free(b);
            }
            noticed += differs;
        }
        locum_json_destroy(json);
        locum_text_free(&text);
        locum_graph_destroy(g);
        locum_graph_destroy(simple);
        locum_graph_destroy(wrong);
        store_free(&s);
    }
    CU_ASSERT(planted > 20 && noticed >= 0.9 * planted); /* a sin behind greater or sign may not matter */
}

/* --- one rule at a time ------------------------------------------------------------------------------------------- */

static locum_id X(locum_graph *g)
{
    return locum_input(g, "x", LOCUM_REAL64, locum_graph_symbol(g, "batch"), 2, (int64_t[]){1, 3});
}
static locum_id Y(locum_graph *g)
{
    return locum_input(g, "y", LOCUM_REAL64, locum_graph_symbol(g, "batch"), 2, (int64_t[]){1, 3});
}
static locum_id C(locum_graph *g)
{
    return locum_input(g, "c", LOCUM_REAL64, -1, 3, (int64_t[]){1, 3, 4});
}
static locum_id number(locum_graph *g, double v)
{
    return locum_scalar(g, LOCUM_REAL64, v);
}
static locum_id two(locum_graph *g, locum_op op, locum_id a, locum_id b)
{
    return locum_binary(g, op, a, b);
}
static locum_id one(locum_graph *g, locum_op op, locum_id a)
{
    return locum_unary(g, op, a);
}

#define RULE(name, expression)           \
    static locum_id name(locum_graph *g) \
    {                                    \
        return expression;               \
    }
#define D(...)        \
    (const int64_t[]) \
    {                 \
        __VA_ARGS__   \
    }
#define A(...)      \
    (const int[])   \
    {               \
        __VA_ARGS__ \
    }

RULE(times_one, two(g, LOCUM_OP_multiply, X(g), number(g, 1)))
RULE(one_times, two(g, LOCUM_OP_multiply, number(g, 1), X(g)))
RULE(plus_zero, two(g, LOCUM_OP_add, X(g), number(g, 0)))
RULE(minus_zero, two(g, LOCUM_OP_subtract, X(g), number(g, 0)))
RULE(zero_minus, two(g, LOCUM_OP_subtract, number(g, 0), X(g)))
RULE(divided_by_one, two(g, LOCUM_OP_divide, X(g), number(g, 1)))
RULE(divided_by_four, two(g, LOCUM_OP_divide, X(g), number(g, 4)))
RULE(divided_by_three, two(g, LOCUM_OP_divide, X(g), number(g, 3)))
RULE(times_zero, two(g, LOCUM_OP_multiply, X(g), number(g, 0)))
RULE(times_constant, two(g, LOCUM_OP_multiply, X(g), number(g, 0.3)))
RULE(double_negation, one(g, LOCUM_OP_neg, one(g, LOCUM_OP_neg, X(g))))
RULE(plus_negative, two(g, LOCUM_OP_add, X(g), one(g, LOCUM_OP_neg, Y(g))))
RULE(minus_negative, two(g, LOCUM_OP_subtract, X(g), one(g, LOCUM_OP_neg, Y(g))))
RULE(negative_times_negative, two(g, LOCUM_OP_multiply, one(g, LOCUM_OP_neg, X(g)), one(g, LOCUM_OP_neg, Y(g))))
RULE(negated_scale, one(g, LOCUM_OP_neg, locum_scale(g, X(g), 3, 1)))
RULE(square, locum_power(g, X(g), 2))
RULE(first_power, locum_power(g, X(g), 1))
RULE(largest_of_itself, two(g, LOCUM_OP_maximum, X(g), X(g)))
RULE(same_branches, locum_select(g, Y(g), X(g), X(g)))
RULE(known_condition, locum_select(g, number(g, 0), Y(g), X(g)))
RULE(widened, locum_cast(g, locum_cast(g, locum_cast(g, X(g), LOCUM_REAL32), LOCUM_REAL64), LOCUM_REAL32))
RULE(same_shape, locum_reshape(g, X(g), 2, D(1, 3)))
RULE(reshaped_twice, locum_reshape(g, locum_reshape(g, X(g), 1, D(3)), 2, D(1, 3)))
RULE(expanded_to_itself, locum_expand(g, X(g), locum_graph_symbol(g, "batch"), 2, D(1, 3)))
RULE(permuted_back, locum_permute(g, locum_permute(g, C(g), A(2, 0, 1)), A(1, 2, 0)))
RULE(sum_of_one, locum_sum(g, C(g), 1, A(0), true))
RULE(sum_of_one_dropped, locum_sum(g, C(g), 1, A(0), false))
RULE(sliced_whole, locum_slice(g, X(g), 1, 0, 3, 1))
RULE(sliced_twice, locum_slice(g, locum_slice(g, C(g), 2, 1, 3, 1), 2, 1, 2, 1))
RULE(slice_of_pad, locum_slice(g, locum_pad(g, X(g), 1, 2, 2, LOCUM_PAD_ZERO), 1, 2, 3, 1))
RULE(slice_of_concat, locum_slice(g, locum_concat(g, 1, 2, (locum_id[]){Y(g), X(g)}), 1, 3, 3, 1))
RULE(padded_twice, locum_pad(g, locum_pad(g, X(g), 1, 1, 0, LOCUM_PAD_ZERO), 1, 0, 1, LOCUM_PAD_ZERO))
RULE(padded_by_nothing, locum_pad(g, X(g), 1, 0, 0, LOCUM_PAD_REFLECT))
RULE(joined_alone, locum_concat(g, 1, 1, (locum_id[]){X(g)}))
RULE(flipped_back, locum_flip(g, locum_flip(g, X(g), 1), 1))
RULE(transposed_weights,
     locum_product(g, X(g), locum_permute(g, locum_permute(g, C(g), A(0, 2, 1)), A(0, 2, 1)), false))
RULE(transposing_product,
     locum_product(g, locum_product(g, X(g), C(g), false), locum_permute(g, C(g), A(0, 2, 1)), false))
RULE(constant_arithmetic, one(g, LOCUM_OP_exp, two(g, LOCUM_OP_add, number(g, 1), number(g, 2))))
RULE(uniform_arithmetic, locum_expand(g, one(g, LOCUM_OP_sin, locum_expand(g, number(g, 0), -1, 1, D(3))),
                                      locum_graph_symbol(g, "batch"), 2, D(1, 3)))
RULE(equal_nodes, two(g, LOCUM_OP_subtract, one(g, LOCUM_OP_sin, X(g)), one(g, LOCUM_OP_sin, X(g))))
RULE(commuted_nodes, two(g, LOCUM_OP_subtract, two(g, LOCUM_OP_add, X(g), Y(g)), two(g, LOCUM_OP_add, Y(g), X(g))))
RULE(stopped, one(g, LOCUM_OP_stop_gradient, X(g)))

static const struct {
    const char *what;
    locum_id (*build)(locum_graph *g);
    locum_op op; /* of the output after simplification */
    int n;       /* nodes left */
} rules[] = {
    {"x 1", times_one, LOCUM_OP_input, 1},
    {"1 x", one_times, LOCUM_OP_input, 1},
    {"x + 0", plus_zero, LOCUM_OP_input, 1},
    {"x - 0", minus_zero, LOCUM_OP_input, 1},
    {"0 - x", zero_minus, LOCUM_OP_neg, 2},
    {"x / 1", divided_by_one, LOCUM_OP_input, 1},
    {"x / 4 is exact", divided_by_four, LOCUM_OP_scale, 2},
    {"x / 3 is not", divided_by_three, LOCUM_OP_divide, 4},
    {"x 0 stays, x may be NaN", times_zero, LOCUM_OP_scale, 2},
    {"x c", times_constant, LOCUM_OP_scale, 2},
    {"-(-x)", double_negation, LOCUM_OP_input, 1},
    {"x + (-y)", plus_negative, LOCUM_OP_subtract, 3},
    {"x - (-y)", minus_negative, LOCUM_OP_add, 3},
    {"(-x)(-y)", negative_times_negative, LOCUM_OP_multiply, 3},
    {"-(a x + b)", negated_scale, LOCUM_OP_scale, 2},
    {"x^2", square, LOCUM_OP_multiply, 2},
    {"x^1", first_power, LOCUM_OP_input, 1},
    {"max(x, x)", largest_of_itself, LOCUM_OP_input, 1},
    {"c ? x : x", same_branches, LOCUM_OP_input, 1},
    {"0 ? y : x", known_condition, LOCUM_OP_input, 1},
    {"widened and narrowed", widened, LOCUM_OP_cast, 2},
    {"reshape to the same", same_shape, LOCUM_OP_input, 1},
    {"reshape there and back", reshaped_twice, LOCUM_OP_input, 1},
    {"expand to the same", expanded_to_itself, LOCUM_OP_input, 1},
    {"permute there and back", permuted_back, LOCUM_OP_input, 1},
    {"sum of one, kept", sum_of_one, LOCUM_OP_input, 1},
    {"sum of one", sum_of_one_dropped, LOCUM_OP_reshape, 2},
    {"slice of all", sliced_whole, LOCUM_OP_input, 1},
    {"slice of a slice", sliced_twice, LOCUM_OP_slice, 2},
    {"slice of what was padded", slice_of_pad, LOCUM_OP_input, 1},
    {"slice of what was joined", slice_of_concat, LOCUM_OP_input, 1},
    {"pad of a pad", padded_twice, LOCUM_OP_pad, 2},
    {"pad by nothing", padded_by_nothing, LOCUM_OP_input, 1},
    {"concat of one", joined_alone, LOCUM_OP_input, 1},
    {"flip of a flip", flipped_back, LOCUM_OP_input, 1},
    {"product with a double transpose", transposed_weights, LOCUM_OP_product, 3},
    {"product with a transpose", transposing_product, LOCUM_OP_product, 4},
    {"exp(1 + 2)", constant_arithmetic, LOCUM_OP_constant, 1},
    {"sin(0) in an array", uniform_arithmetic, LOCUM_OP_expand, 2},
    {"equal nodes", equal_nodes, LOCUM_OP_subtract, 3},
    {"x + y and y + x", commuted_nodes, LOCUM_OP_subtract, 4},
    {"stop_gradient stays", stopped, LOCUM_OP_stop_gradient, 2},
};

static void every_rule_applies_and_keeps_the_value(void)
{
    const int64_t extents[] = {4};
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        locum_graph *g = NULL, *simple = NULL;
        store s = {0};
        dice d = {i, 0};
        locum_id after = 0;
        CHECK_OK(locum_graph_create(&g));
        const locum_id before = rules[i].build(g);
        store_complete(&s, g, extents, &d, -1, 1);
        CHECK_OK(locum_graph_simplify(g, 1, &before, &simple, &after));
        const locum_node *node = locum_graph_node(simple, after);
        if (node->op != rules[i].op || locum_graph_n(simple) != rules[i].n)
            printf("\n    %s: %s, %d nodes", rules[i].what, locum_op_name((locum_op)node->op), locum_graph_n(simple));
        CU_ASSERT(node->op == rules[i].op && locum_graph_n(simple) == rules[i].n);
        double *a = values_of(g, extents, &s, before), *b = values_of(simple, extents, &s, after);
        CU_ASSERT(same_values(locum_graph_count(g, before, extents), a, b));
        free(a);
        free(b);
        locum_graph_destroy(g);
        locum_graph_destroy(simple);
        store_free(&s);
    }
}

static void outputs_keep_names_and_order_even_if_they_become_one_node(void)
{
    locum_graph *g = NULL, *simple = NULL;
    locum_id out[4];
    CHECK_OK(locum_graph_create(&g));
    const locum_id x = X(g), a = one(g, LOCUM_OP_sin, x), b = one(g, LOCUM_OP_sin, x),
                   dead = one(g, LOCUM_OP_cos, Y(g));
    locum_output(g, b, "b");
    locum_output(g, two(g, LOCUM_OP_add, x, number(g, 0)), "x"); /* becomes an input that has a name */
    locum_output(g, a, "a");
    CU_ASSERT(dead > 0);
    CHECK_OK(locum_graph_simplify(g, 4, (locum_id[]){b, locum_graph_output(g, 1), a, b}, &simple, out));
    CU_ASSERT(locum_graph_n_outputs(simple) == 3);
    for (int i = 0; i < 3; i++) CU_ASSERT(locum_graph_output(simple, i) == out[i]);
    CU_ASSERT(out[3] == out[0] && !strcmp(locum_graph_name(simple, out[0]), "b") &&
              !strcmp(locum_graph_name(simple, out[2]), "a"));
    CU_ASSERT(locum_graph_node(simple, locum_graph_find(simple, "x"))->op == LOCUM_OP_input);
    CU_ASSERT(locum_graph_find(simple, "y") == 0); /* an input that nothing needs is dead */
    locum_graph_destroy(g);
    locum_graph_destroy(simple);
}

static void expanding_composites_keeps_outputs_and_maps_nodes(void)
{
    const int64_t extents[] = {4};
    for (uint64_t seed = 1; seed <= 30; seed++) {
        locum_graph *g = random_graph(seed, 30), *expanded = NULL;
        store s = {0};
        dice d = {seed, 1000};
        locum_id *map = calloc((size_t)locum_graph_n(g) + 1, sizeof *map);
        store_complete(&s, g, extents, &d, -1, 1);
        CHECK_OK(locum_graph_expand_composites(g, &expanded, map));
        for (locum_id id = 1; id <= locum_graph_n(expanded); id++)
            CU_ASSERT(!locum_op_is_composite(locum_graph_node(expanded, id)->op));
        for (int i = 0; i < 5; i++) {
            const locum_id from = locum_graph_output(g, i), to = locum_graph_output(expanded, i);
            CU_ASSERT(map[from] == to && !strcmp(locum_graph_name(g, from), locum_graph_name(expanded, to)));
            double *a = values_of(g, extents, &s, from), *b = values_of(expanded, extents, &s, to);
            CU_ASSERT(same_values(locum_graph_count(g, from, extents), a, b));
            free(a);
            free(b);
        }
        free(map);
        locum_graph_destroy(g);
        locum_graph_destroy(expanded);
        store_free(&s);
    }
}

LOCUM_RUN_TESTS("graph simplification",
                {"random graphs keep their values bit for bit", random_graphs_keep_their_values_bit_for_bit},
                {"a planted wrong rule is noticed", a_planted_wrong_rule_is_noticed},
                {"every rule applies and keeps the value", every_rule_applies_and_keeps_the_value},
                {"outputs keep names and order even if they become one node",
                 outputs_keep_names_and_order_even_if_they_become_one_node},
                {"expanding composites keeps outputs and maps nodes",
                 expanding_composites_keeps_outputs_and_maps_nodes})
