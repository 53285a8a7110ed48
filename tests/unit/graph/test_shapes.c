/* SPDX-License-Identifier: BSD-3-Clause */
/* test_shapes.c - inferred shapes with symbols, the table of faults, paths and names. */
#include <string.h>

#include "surrogate/graph/operator.h"
#include "tests/unit/graph/support.h"

/* A graph with operands to build on: c [2, 3], r [batch, 3], r2 [2 batch, 3], n [nodes, 3], v [3], float32 f [2, 3],
 * int32 i [2, 3], b [1, 3, 4], a scalar s */
typedef struct bench {
    locum_graph *g;
    int batch, nodes;
    locum_id c, r, r2, n, v, f, i, b, s;
} bench;

static bench open_bench(void)
{
    bench t = {0};
    CHECK_OK(locum_graph_create(&t.g));
    t.batch = locum_graph_symbol(t.g, "batch");
    t.nodes = locum_graph_symbol(t.g, "nodes");
    t.c = locum_input(t.g, "c", LOCUM_REAL64, -1, 2, (int64_t[]){2, 3});
    t.r = locum_input(t.g, "r", LOCUM_REAL64, t.batch, 2, (int64_t[]){1, 3});
    t.r2 = locum_input(t.g, "r2", LOCUM_REAL64, t.batch, 2, (int64_t[]){2, 3});
    t.n = locum_input(t.g, "n", LOCUM_REAL64, t.nodes, 2, (int64_t[]){1, 3});
    t.v = locum_input(t.g, "v", LOCUM_REAL64, -1, 1, (int64_t[]){3});
    t.f = locum_input(t.g, "f", LOCUM_REAL32, -1, 2, (int64_t[]){2, 3});
    t.i = locum_input(t.g, "i", LOCUM_INTEGER32, -1, 2, (int64_t[]){2, 3});
    t.b = locum_input(t.g, "b", LOCUM_REAL64, -1, 3, (int64_t[]){1, 3, 4});
    t.s = locum_scalar(t.g, LOCUM_REAL64, 2);
    CHECK_OK(locum_graph_status(t.g));
    return t;
}

static void has_shape(const bench *t, locum_id id, const char *wanted)
{
    char text[LOCUM_SHAPE_TEXT];
    const locum_shape shape = locum_shape_of(t->g, id);
    locum_shape_text(t->g, &shape, text);
    if (!id || strcmp(text, wanted)) printf("\n    node %d: %s, expected %s", id, text, wanted);
    CU_ASSERT(id != 0 && !strcmp(text, wanted));
}

static void shapes_are_inferred_with_their_symbols(void)
{
    bench t = open_bench();
    locum_graph *g = t.g;
    has_shape(&t, locum_binary(g, LOCUM_OP_add, t.r, t.v), "[batch, 3]");
    has_shape(&t, locum_binary(g, LOCUM_OP_add, t.v, t.r2), "[2 batch, 3]");
    has_shape(&t, locum_binary(g, LOCUM_OP_add, t.s, t.n), "[nodes, 3]");
    has_shape(&t, locum_binary(g, LOCUM_OP_add, locum_reshape(g, t.v, 2, (int64_t[]){1, 3}), t.r), "[batch, 3]");
    has_shape(&t, locum_binary(g, LOCUM_OP_add, locum_reshape(g, t.v, 2, (int64_t[]){3, 1}), t.v), "[3, 3]");
    has_shape(&t, locum_reshape(g, t.r2, 2, (int64_t[]){1, 6}), "[batch, 6]");
    has_shape(&t, locum_reshape(g, t.r2, 1, (int64_t[]){6}), "[6 batch]");
    has_shape(&t, locum_sum(g, t.r, 1, (int[]){0}, true), "[1, 3]");
    has_shape(&t, locum_sum(g, t.r, 1, (int[]){0}, false), "[3]");
    has_shape(&t, locum_sum(g, t.r2, 1, (int[]){-1}, false), "[2 batch]");
    has_shape(&t, locum_sum(g, t.r, 0, NULL, false), "[]");
    has_shape(&t, locum_sum(g, t.r, 0, NULL, true), "[1, 1]");
    has_shape(&t, locum_mean(g, t.r, 1, (int[]){-1}, true), "[batch, 1]");
    has_shape(&t, locum_product(g, t.r2, t.b, false), "[2 batch, 4]");
    has_shape(&t, locum_product(g, t.v, t.b, false), "[4]");
    has_shape(&t, locum_product_rows(g, t.r, t.r, 3), "[3, 1, 1]");
    has_shape(&t, locum_slice(g, t.r, -1, 1, 1, 1), "[batch, 1]");
    CU_ASSERT_EQUAL(locum_graph_integers(g, locum_slice(g, t.r, -1, 1, 1, INT64_MAX))[3], 1); /* a step not taken */
    has_shape(&t, locum_pad(g, t.c, 0, 1, 0, LOCUM_PAD_PERIODIC), "[3, 3]");
    has_shape(&t, locum_concat(g, 1, 2, (locum_id[]){t.r, t.r}), "[batch, 6]");
    has_shape(&t, locum_permute(g, t.c, (int[]){1, 0}), "[3, 2]");
    has_shape(&t, locum_expand(g, t.s, t.batch, 2, (int64_t[]){3, 5}), "[3 batch, 5]");
    has_shape(&t, locum_noise(g, t.nodes, 1, (int64_t[]){2}, 1), "[2 nodes]");
    has_shape(&t, locum_layer_norm(g, t.r, t.v, t.v, 1e-5), "[batch, 3]");
    has_shape(&t, locum_select(g, t.v, t.r, t.s), "[batch, 3]");
    CU_ASSERT(locum_graph_count(g, t.r2, (int64_t[]){5, 1}) == 30);
    CU_ASSERT(locum_graph_count(g, t.r2, (int64_t[]){0, 1}) == 0);
    CU_ASSERT(locum_graph_count(g, t.r2, (int64_t[]){INT64_MAX, 1}) == INT64_MAX);
    CHECK_OK(locum_graph_status(g));
    locum_graph_destroy(g);
}

#define FAULT(name, expression)    \
    static locum_id name(bench *t) \
    {                              \
        return expression;         \
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

FAULT(add_sizes, locum_binary(t->g, LOCUM_OP_add, t->c, t->b))
FAULT(add_rows_to_constant, locum_binary(t->g, LOCUM_OP_add, t->r, t->c))
FAULT(add_symbols, locum_binary(t->g, LOCUM_OP_add, t->r, t->n))
FAULT(add_factors, locum_binary(t->g, LOCUM_OP_add, t->r, t->r2))
FAULT(add_rows_behind, locum_binary(t->g, LOCUM_OP_add, t->r, t->b))
FAULT(add_numbers, locum_binary(t->g, LOCUM_OP_add, t->c, t->f))
FAULT(add_int32, locum_binary(t->g, LOCUM_OP_add, t->i, t->i))
FAULT(tanh_int32, locum_unary(t->g, LOCUM_OP_tanh, t->i))
FAULT(tanh_of_two, locum_unary(t->g, LOCUM_OP_add, t->c))
FAULT(no_operand, locum_unary(t->g, LOCUM_OP_tanh, 0))
FAULT(foreign_operand, locum_unary(t->g, LOCUM_OP_tanh, 1000))
FAULT(unknown_operator, locum_unary(t->g, (locum_op)LOCUM_OP_COUNT, t->c))
FAULT(select_sizes, locum_select(t->g, t->c, t->b, t->b))
FAULT(scale_infinite, locum_scale(t->g, t->c, INFINITY, 0))
FAULT(power_nan, locum_power(t->g, t->c, NAN))
FAULT(cast_unknown, locum_cast(t->g, t->c, (locum_number)9))
FAULT(reshape_count, locum_reshape(t->g, t->c, 1, D(5)))
FAULT(reshape_rank, locum_reshape(t->g, t->c, 9, D(1, 1, 1, 1, 1, 1, 1, 2, 3)))
FAULT(reshape_negative, locum_reshape(t->g, t->c, 2, D(-2, -3)))
FAULT(reshape_rows_away, locum_reshape(t->g, t->r, 0, NULL))
FAULT(permute_rows, locum_permute(t->g, t->r, A(1, 0)))
FAULT(permute_twice, locum_permute(t->g, t->c, A(0, 0)))
FAULT(permute_range, locum_permute(t->g, t->c, A(0, 2)))
FAULT(expand_size, locum_expand(t->g, t->c, -1, 2, D(4, 3)))
FAULT(expand_shorter, locum_expand(t->g, t->c, -1, 1, D(3)))
FAULT(expand_rows_away, locum_expand(t->g, t->r, -1, 2, D(5, 3)))
FAULT(expand_symbol, locum_expand(t->g, t->v, 7, 2, D(1, 3)))
FAULT(expand_huge, locum_expand(t->g, t->s, -1, 3, D((int64_t)1 << 31, (int64_t)1 << 31, (int64_t)1 << 31)))
FAULT(sum_axis, locum_sum(t->g, t->c, 1, A(2), false))
FAULT(sum_twice, locum_sum(t->g, t->c, 2, A(1, -1), false))
FAULT(slice_rows, locum_slice(t->g, t->r, 0, 0, 1, 1))
FAULT(slice_range, locum_slice(t->g, t->c, 1, 1, 2, 2))
FAULT(slice_nothing, locum_slice(t->g, t->c, 1, 0, 0, 1))
FAULT(slice_backwards, locum_slice(t->g, t->c, 1, 2, 2, -1))
FAULT(slice_overflow, locum_slice(t->g, t->c, 1, 1, INT64_MAX, INT64_MAX))
FAULT(pad_too_much, locum_pad(t->g, t->c, 1, 4, 0, LOCUM_PAD_PERIODIC))
FAULT(pad_reflect_too_much, locum_pad(t->g, t->c, 1, 0, 3, LOCUM_PAD_REFLECT))
FAULT(pad_negative, locum_pad(t->g, t->c, 1, -1, 0, LOCUM_PAD_ZERO))
FAULT(pad_mode, locum_pad(t->g, t->c, 1, 1, 0, (locum_pad_mode)3))
FAULT(pad_rows, locum_pad(t->g, t->r, 0, 1, 0, LOCUM_PAD_ZERO))
FAULT(concat_nothing, locum_concat(t->g, 0, 0, NULL))
FAULT(concat_sizes, locum_concat(t->g, 0, 2, (locum_id[]){t->c, t->b}))
FAULT(concat_rows, locum_concat(t->g, 0, 2, (locum_id[]){t->r, t->r}))
FAULT(flip_axis, locum_flip(t->g, t->c, -3))
FAULT(product_sizes, locum_product(t->g, t->r, t->b, true))
FAULT(product_rank, locum_product(t->g, t->r, t->c, false))
FAULT(product_numbers, locum_product(t->g, t->f, t->b, false))
FAULT(product_scalar, locum_product(t->g, t->s, t->b, false))
FAULT(product_rows_groups, locum_product_rows(t->g, t->r, t->r, 2))
FAULT(product_rows_no_groups, locum_product_rows(t->g, t->r, t->r, 0))
FAULT(product_rows_rows, locum_product_rows(t->g, t->r, t->n, 1))
FAULT(softmax_scalar, locum_unary(t->g, LOCUM_OP_softmax, t->s))
FAULT(layer_norm_gain, locum_layer_norm(t->g, t->r, t->c, t->v, 1e-5))
FAULT(layer_norm_epsilon, locum_layer_norm(t->g, t->r, t->v, t->v, -1))
FAULT(parameter_shape,
      (locum_parameter(t->g, "w", LOCUM_REAL64, 1, D(3)), locum_parameter(t->g, "w", LOCUM_REAL64, 1, D(4))))
FAULT(parameter_number,
      (locum_parameter(t->g, "w", LOCUM_REAL64, 1, D(3)), locum_parameter(t->g, "w", LOCUM_REAL32, 1, D(3))))
FAULT(input_shape, locum_input(t->g, "c", LOCUM_REAL64, -1, 1, D(3)))
FAULT(input_unnamed, locum_input(t->g, "", LOCUM_REAL64, -1, 1, D(3)))
FAULT(input_zero_size, locum_input(t->g, "z", LOCUM_REAL64, -1, 1, D(0)))
FAULT(input_rank, locum_input(t->g, "z", LOCUM_REAL64, -1, 9, D(1, 1, 1, 1, 1, 1, 1, 1, 1)))
FAULT(input_symbol_without_dim, locum_input(t->g, "z", LOCUM_REAL64, t->batch, 0, NULL))
FAULT(output_twice, (locum_output(t->g, t->c, "y"), locum_output(t->g, t->r, "y"), 0))
FAULT(output_nothing, (locum_output(t->g, 0, "y"), 0))
FAULT(pop_nothing, (locum_graph_pop(t->g), locum_graph_pop(t->g), 0))

static const struct {
    const char *what, *message; /* message: a part of the text, NULL = any */
    locum_id (*build)(bench *);
} faults[] = {
    {"sizes", "add: [2, 3] and [1, 3, 4] do not fit together", add_sizes},
    {"rows to a constant", "add: [batch, 3] and [2, 3] do not fit", add_rows_to_constant},
    {"two symbols", "[batch, 3] and [nodes, 3]", add_symbols},
    {"two factors of a symbol", "[batch, 3] and [2 batch, 3]", add_factors},
    {"rows that would not be first", "[batch, 3] and [1, 3, 4]", add_rows_behind},
    {"number types", "number types (cast one)", add_numbers},
    {"arithmetic on int32", "not on int32", add_int32},
    {"function of int32", "tanh: works on real numbers", tanh_int32},
    {"one operand of two", "add: 1 operands", tanh_of_two},
    {"operand 0", "operand 0 is no node", no_operand},
    {"operand of elsewhere", "is no node of this graph", foreign_operand},
    {"operator out of range", "is unknown", unknown_operator},
    {"select", "select:", select_sizes},
    {"infinite factor", "attribute 0 is not finite", scale_infinite},
    {"exponent NaN", "power: attribute 0", power_nan},
    {"cast to nothing", "number type 9", cast_unknown},
    {"reshape count", "reshape: [2, 3] and [5]", reshape_count},
    {"reshape rank", "9 dims", reshape_rank},
    {"reshape to negative sizes", NULL, reshape_negative},
    {"reshape that loses rows", NULL, reshape_rows_away},
    {"permute rows", "the symbol's dim stays first", permute_rows},
    {"permute twice the same", "no permutation", permute_twice},
    {"permute out of range", "no permutation", permute_range},
    {"expand a size", "expand: [2, 3] cannot be repeated to [4, 3]", expand_size},
    {"expand to fewer dims", "cannot be repeated to [3]", expand_shorter},
    {"expand rows away", "expand: [batch, 3]", expand_rows_away},
    {"expand to an unknown symbol", "symbol 7 is unknown", expand_symbol},
    {"too many values", "2^44", expand_huge},
    {"sum axis", "sum: axis 2 of 2 dims", sum_axis},
    {"sum axis twice", "twice", sum_twice},
    {"slice rows", "slice: axis 0 of [batch, 3]", slice_rows},
    {"slice range", "slice: 2 values from 1 in steps of 2 of 3", slice_range},
    {"slice of nothing", "slice: 0 values", slice_nothing},
    {"slice backwards", "steps of -1", slice_backwards},
    {"slice that overflows", "slice:", slice_overflow},
    {"pad beyond one period", "at most 3 each", pad_too_much},
    {"pad beyond the mirror", "at most 2 each", pad_reflect_too_much},
    {"pad by less than nothing", "pad: -1 before", pad_negative},
    {"pad mode", "pad: mode 3", pad_mode},
    {"pad rows", "pad: axis 0", pad_rows},
    {"concat of nothing", "concat: 0 operands", concat_nothing},
    {"concat sizes", "concat: part 1, [1, 3, 4]", concat_sizes},
    {"concat rows", "concat: axis 0 of [batch, 3]", concat_rows},
    {"flip axis", "flip: axis -1", flip_axis},
    {"product sizes", "product: [batch, 3] and [1, 3, 4] transposed", product_sizes},
    {"product rank", "product: [batch, 3] and [2, 3]", product_rank},
    {"product number types", "number types", product_numbers},
    {"product of a scalar", "product: []", product_scalar},
    {"groups that do not divide", "in 2 groups", product_rows_groups},
    {"no groups", "in 0 groups", product_rows_no_groups},
    {"rows of two symbols", "product_rows: [batch, 3] and [nodes, 3]", product_rows_rows},
    {"softmax of a scalar", "softmax:", softmax_scalar},
    {"gain of a wrong shape", "layer_norm: gain [2, 3] does not fit [batch, 3]", layer_norm_gain},
    {"negative epsilon", "epsilon = -1", layer_norm_epsilon},
    {"parameter of another shape", "parameter 'block/layer3/w' of shape [4]", parameter_shape},
    {"parameter of another number type", "another number type", parameter_number},
    {"input of another shape", "input 'c' of shape [3] exists", input_shape},
    {"input without a name", "a name has 1 to", input_unnamed},
    {"size 0", "dim 0 is 0", input_zero_size},
    {"nine dims", "9 dims", input_rank},
    {"symbol without a dim", "has no dim", input_symbol_without_dim},
    {"two outputs of a name", "output 'y'", output_twice},
    {"output of nothing", "output 'y'", output_nothing},
    {"pop too often", "locum_graph_pop without", pop_nothing},
};

static void every_fault_is_named_with_the_path_of_its_layer(void)
{
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        bench t = open_bench();
        locum_graph_push(t.g, "block");
        locum_graph_push(t.g, "layer%d/", 3);
        if (faults[i].build == pop_nothing) locum_graph_pop(t.g);
        const locum_id id = faults[i].build(&t);
        const int32_t n = locum_graph_n(t.g);
        CU_ASSERT(id == 0);
        CHECK_FAILS(locum_graph_status(t.g), LOCUM_ARG);
        const char *message = locum_status_message();
        const bool pathed = faults[i].build == pop_nothing || strstr(message, "block/layer3/") != NULL;
        if (!pathed || (faults[i].message && !strstr(message, faults[i].message)))
            printf("\n    %s: %s", faults[i].what, message);
        CU_ASSERT(pathed && (!faults[i].message || strstr(message, faults[i].message)));
        /* later builders answer 0 and add nothing; the first fault stays */
        CU_ASSERT(locum_unary(t.g, LOCUM_OP_tanh, t.c) == 0 && locum_scale(t.g, t.c, NAN, 0) == 0 &&
                  locum_graph_n(t.g) == n);
        CHECK_FAILS(locum_graph_status(t.g), LOCUM_ARG);
        CU_ASSERT(!faults[i].message || strstr(locum_status_message(), faults[i].message));
        locum_graph_destroy(t.g);
    }
}

static void names_and_paths_find_their_nodes(void)
{
    bench t = open_bench();
    locum_graph *g = t.g, *copy = NULL;
    locum_graph_push(g, "mlp/");
    locum_graph_push(g, "layer%d", 2);
    const locum_id w = locum_parameter(g, "weight", LOCUM_REAL64, 1, (int64_t[]){3});
    CU_ASSERT(locum_parameter(g, "weight", LOCUM_REAL64, 1, (int64_t[]){3}) == w);
    locum_graph_pop(g);
    CU_ASSERT(locum_parameter(g, "weight", LOCUM_REAL64, 1, (int64_t[]){3}) != w); /* mlp/weight */
    locum_graph_pop(g);
    CU_ASSERT(locum_parameter(g, "mlp/layer2/weight", LOCUM_REAL64, 1, (int64_t[]){3}) == w);
    CU_ASSERT(locum_graph_find(g, "mlp/layer2/weight") == w && !strcmp(locum_graph_name(g, w), "mlp/layer2/weight"));
    CU_ASSERT(locum_graph_find(g, "nothing") == 0);
    CU_ASSERT(locum_graph_symbol(g, "batch") == t.batch && !strcmp(locum_graph_symbol_name(g, t.nodes), "nodes"));

    const locum_id y = locum_scale(g, t.r, 2, 0);
    locum_output(g, y, "y");
    locum_output(g, y, "again"); /* a node has one name: the second output is a node of its own */
    locum_output(g, t.r, "r");   /* so is an input that is passed through */
    CU_ASSERT(locum_graph_n_outputs(g) == 3 && locum_graph_output(g, 0) == y && locum_graph_output(g, 1) != y);
    CU_ASSERT(!strcmp(locum_graph_name(g, locum_graph_output(g, 1)), "again") &&
              locum_graph_find(g, "again") == locum_graph_output(g, 1));
    CU_ASSERT(locum_graph_find(g, "r") == t.r && !strcmp(locum_graph_name(g, locum_graph_output(g, 2)), "r"));
    for (int i = 0; i < 200; i++) { /* the table of names grows */
        char name[16];
        snprintf(name, sizeof name, "p%d", i);
        locum_parameter(g, name, LOCUM_REAL64, 0, NULL);
    }
    CHECK_OK(locum_graph_status(g));
    CHECK_OK(locum_graph_copy(g, &copy));
    CU_ASSERT(locum_graph_hash(copy) == locum_graph_hash(g) &&
              locum_graph_find(copy, "p137") == locum_graph_find(g, "p137"));
    CU_ASSERT(locum_graph_find(g, "p137") != 0 && locum_graph_find(g, "y") == y);
    locum_scale(copy, y, 2, 0);
    CU_ASSERT(locum_graph_hash(copy) != locum_graph_hash(g) && locum_graph_n(copy) == locum_graph_n(g) + 1);
    locum_graph_destroy(copy);
    locum_graph_destroy(g);
    locum_graph_destroy(NULL);
}

static void there_are_at_most_eight_symbols(void)
{
    locum_graph *g = NULL;
    CHECK_OK(locum_graph_create(&g));
    for (int i = 0; i < LOCUM_SYMBOLS_MAX; i++) CU_ASSERT(locum_graph_symbol(g, (char[]){(char)('a' + i), 0}) == i);
    CU_ASSERT(locum_graph_symbol(g, "more") == -1);
    CHECK_FAILS(locum_graph_status(g), LOCUM_ARG);
    locum_graph_destroy(g);
}

LOCUM_RUN_TESTS("graph shapes", {"shapes are inferred with their symbols", shapes_are_inferred_with_their_symbols},
                {"every fault is named with the path of its layer", every_fault_is_named_with_the_path_of_its_layer},
                {"names and paths find their nodes", names_and_paths_find_their_nodes},
                {"there are at most eight symbols", there_are_at_most_eight_symbols})
