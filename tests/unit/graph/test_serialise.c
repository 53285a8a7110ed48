/* SPDX-License-Identifier: BSD-3-Clause */
/* test_serialise.c - JSON and back gives the same graph; damaged or hostile text gives an error and nothing else. */
#include <string.h>

#include "surrogate/graph/operator.h"
#include "tests/unit/graph/random_graph.h"

static locum_status read_text(const char *text, size_t n, int32_t max_nodes, locum_graph **graph)
{
    locum_json *json = NULL;
    *graph = NULL;
    locum_status st = locum_json_parse(text, n, 1000000, &json);
    if (!st) st = locum_graph_read(json, 0, max_nodes, graph);
    locum_json_destroy(json);
    return st;
}

static void a_round_trip_gives_the_same_graph(void)
{
    const int64_t extents[] = {3};
    for (uint64_t seed = 1; seed <= 100; seed++) {
        locum_graph *g = random_graph(seed, 40), *back = NULL;
        locum_text text = {0}, again = {0};
        store s = {0};
        dice d = {seed, 1000};
        store_complete(&s, g, extents, &d, -1, 1);
        locum_graph_write(g, &text);
        CHECK_OK(text.status);
        CHECK_OK(read_text(text.data, text.size, 100000, &back));
        locum_graph_write(back, &again);
        CU_ASSERT(locum_graph_hash(back) == locum_graph_hash(g) && !strcmp(text.data, again.data));
        for (int i = 0; i < 5; i++) {
            const locum_id id = locum_graph_output(g, i);
            double *a = values_of(g, extents, &s, id), *b = values_of(back, extents, &s, locum_graph_output(back, i));
            CU_ASSERT(!memcmp(a, b, (size_t)locum_graph_count(g, id, extents) * sizeof *a));
            free(a);
            free(b);
        }
        locum_text_free(&text);
        locum_text_free(&again);
        locum_graph_destroy(g);
        locum_graph_destroy(back);
        store_free(&s);
    }
}

static void every_bit_of_a_constant_survives(void)
{
    static const double data[] = {0.1, -0.0, NAN, INFINITY, 5e-324, 1.7976931348623157e308, 3};
    for (int64_t n = 1; n <= 7; n++) { /* all paddings of base64 */
        locum_graph *g = NULL, *back = NULL;
        locum_text text = {0};
        CHECK_OK(locum_graph_create(&g));
        const locum_id c = locum_constant(g, LOCUM_REAL32, 1, &n, data);
        locum_scale(g, c, -0.0, 1e-310);
        locum_graph_write(g, &text);
        CHECK_OK(read_text(text.data, text.size, 10, &back));
        CU_ASSERT(!memcmp(locum_graph_data(back, c), data, (size_t)n * sizeof *data));
        CU_ASSERT(locum_graph_hash(back) == locum_graph_hash(g));
        locum_text_free(&text);
        locum_graph_destroy(g);
        locum_graph_destroy(back);
    }
}

#define GRAPH_0                                                                                                      \
    "{\"symbols\":[\"batch\"],\"nodes\":[{\"op\":\"input\",\"name\":\"x\",\"number\":\"f32\",\"symbol\":0,"          \
    "\"dims\":[1,3]},{\"op\":\"scale\",\"in\":[1],\"number\":\"f32\",\"symbol\":0,\"dims\":[1,3],\"reals\":[2,0]}]," \
    "\"outputs\":[{\"id\":2,\"name\":\"y\"}]}"

static void the_hash_sees_every_part(void)
{
    static const char text_0[] = GRAPH_0;
    static const char *const change[7][2] = {{"batch", "nodes"}, {"\"x\"", "\"z\""}, {"f32", "f64"},
                                             {"[1,3]", "[1,4]"}, {"[2,0]", "[2,1]"}, {"\"y\"", "\"w\""},
                                             {"[1,3]", "[2,3]"}};
    uint64_t hashes[8];
    for (int k = 0; k < 8; k++) {
        char text[1024];
        const char *from = text_0, *at = NULL;
        size_t n = 0;
        while (k && (at = strstr(from, change[k - 1][0])) != NULL) {
            n += (size_t)sprintf(text + n, "%.*s%s", (int)(at - from), from, change[k - 1][1]);
            from = at + strlen(change[k - 1][0]);
        }
        n += (size_t)sprintf(text + n, "%s", from);
        locum_graph *g = NULL;
        CHECK_OK(read_text(text, n, 10, &g));
        hashes[k] = g ? locum_graph_hash(g) : 0;
        for (int i = 0; i < k; i++) CU_ASSERT(hashes[i] != hashes[k]);
        locum_graph_destroy(g);
    }
}

/* --- damage ------------------------------------------------------------------------------------------------------- */

static locum_graph *small_graph(void)
{
    locum_graph *g = NULL;
    CHECK_OK(locum_graph_create(&g));
    const locum_id x = locum_input(g, "x", LOCUM_REAL64, locum_graph_symbol(g, "batch"), 3, (int64_t[]){1, 4, 2});
    const locum_id c = locum_constant(g, LOCUM_REAL64, 1, (int64_t[]){2}, (double[]){0.5, 3});
    const locum_id y =
        locum_pad(g, locum_slice(g, locum_binary(g, LOCUM_OP_multiply, x, c), 1, 1, 2, 1), 1, 1, 1, LOCUM_PAD_PERIODIC);
    const locum_id w = locum_parameter(g, "w", LOCUM_REAL64, 3, (int64_t[]){1, 2, 3});
    const locum_id z =
        locum_unary(g, LOCUM_OP_softmax, locum_product(g, locum_concat(g, 1, 2, (locum_id[]){y, x}), w, false));
    locum_output(g, locum_mean(g, locum_permute(g, z, (int[]){0, 2, 1}), 1, (int[]){-1}, false), "z");
    return g;
}

static void every_truncation_is_refused(void)
{
    locum_graph *g = small_graph(), *back = NULL;
    locum_text text = {0};
    locum_graph_write(g, &text);
    for (size_t n = 0; n < text.size; n++) {
        CHECK_FAILS(read_text(text.data, n, 1000, &back), LOCUM_DAMAGED);
        CU_ASSERT(back == NULL);
    }
    CHECK_OK(read_text(text.data, text.size, 1000, &back));
    locum_graph_destroy(back);
    locum_graph_destroy(g);
    locum_text_free(&text);
}

/* what is read from damaged text is whole: it can be written, read again, simplified and differentiated */
static void use_graph(locum_graph *g)
{
    locum_graph *other = NULL;
    locum_text text = {0};
    locum_id output = locum_graph_output(g, 0), after = 0;
    locum_graph_write(g, &text);
    CHECK_OK(read_text(text.data, text.size, 1000, &other));
    CU_ASSERT(other && locum_graph_hash(other) == locum_graph_hash(g));
    locum_graph_destroy(other);
    other = NULL;
    if (output) CHECK_OK(locum_graph_simplify(g, 1, &output, &other, &after));
    locum_graph_destroy(other);
    locum_text_free(&text);
}

static void damaged_text_gives_an_error_or_a_whole_graph(void)
{
    static const char digits[] = "0123456789", other[] = "0123456789-+.e\"{}[],: abcxyzAZ/=\\\n";
    locum_graph *g = small_graph(), *back = NULL;
    locum_text text = {0};
    dice d = {99, 0};
    int refused = 0, read = 0;
    locum_graph_write(g, &text);
    for (int i = 0; i < 4000; i++) {
        char *copy = malloc(text.size);
        memcpy(copy, text.data, text.size);
        for (int64_t k = roll_integer(&d, 3); k >= 0; k--) {
            int64_t at = roll_integer(&d, (int64_t)text.size);
            if (i % 2) { /* another number in its place, which JSON does not notice */
                while (!strchr(digits, copy[at])) at = roll_integer(&d, (int64_t)text.size);
                copy[at] = digits[roll_integer(&d, 10)];
            } else if (i % 4) {
                copy[at] = other[roll_integer(&d, sizeof other - 1)];
            } else {
                copy[at] = (char)roll_integer(&d, 256);
            }
        }
        const locum_status st = read_text(copy, text.size, 1000, &back);
        CU_ASSERT(st == LOCUM_OK || st == LOCUM_DAMAGED);
        CU_ASSERT((st == LOCUM_OK) == (back != NULL));
        if (back) use_graph(back);
        refused += st != LOCUM_OK;
        read += st == LOCUM_OK;
        locum_graph_destroy(back);
        free(copy);
    }
    CU_ASSERT(refused > 2000 && read > 20); /* both ways were walked */
    locum_graph_destroy(g);
    locum_text_free(&text);
}

/* --- hostile text ------------------------------------------------------------------------------------------------- */

#define GRAPH(nodes) "{\"symbols\":[\"batch\"],\"nodes\":[" nodes "],\"outputs\":[]}"
#define INPUT_X "{\"op\":\"input\",\"name\":\"x\",\"number\":\"f64\",\"symbol\":0,\"dims\":[1,3]}"
#define AFTER_X(node) GRAPH(INPUT_X "," node)

static const struct {
    const char *what, *text, *message;
} hostile[] = {
    {"no object", "[]", "object"},
    {"no nodes", "{\"symbols\":[],\"outputs\":[]}", "'nodes' is no list"},
    {"no symbols", "{\"nodes\":[],\"outputs\":[]}", "'symbols' is no list"},
    {"no outputs", "{\"nodes\":[],\"symbols\":[]}", "'outputs' is no list"},
    {"unknown key", "{\"symbols\":[],\"nodes\":[],\"outputs\":[],\"more\":1}", "unknown key 'more'"},
    {"symbol that is a number", "{\"symbols\":[1],\"nodes\":[],\"outputs\":[]}", "symbol 0"},
    {"symbol twice", "{\"symbols\":[\"a\",\"a\"],\"nodes\":[],\"outputs\":[]}", "symbol 1"},
    {"nine symbols",
     "{\"symbols\":[\"a\",\"b\",\"c\",\"d\",\"e\",\"f\",\"g\",\"h\",\"i\"],\"nodes\":[],\"outputs\":[]}", "symbol 8"},
    {"node that is a number", GRAPH("3"), "object"},
    {"unknown operator", AFTER_X("{\"op\":\"quench\",\"in\":[1],\"number\":\"f64\",\"symbol\":0,\"dims\":[1,3]}"),
     "unknown operator 'quench'"},
    {"operator none", AFTER_X("{\"op\":\"none\",\"number\":\"f64\"}"), "unknown operator 'none'"},
    {"no operator", AFTER_X("{\"in\":[1],\"number\":\"f64\",\"symbol\":0,\"dims\":[1,3]}"), "without op"},
    {"unknown number type", AFTER_X("{\"op\":\"neg\",\"in\":[1],\"number\":\"f16\",\"symbol\":0,\"dims\":[1,3]}"),
     "unknown number type 'f16'"},
    {"another number type", AFTER_X("{\"op\":\"neg\",\"in\":[1],\"number\":\"f32\",\"symbol\":0,\"dims\":[1,3]}"),
     "stated shape"},
    {"another shape", AFTER_X("{\"op\":\"neg\",\"in\":[1],\"number\":\"f64\",\"symbol\":0,\"dims\":[1,4]}"),
     "stated shape"},
    {"symbol left out", AFTER_X("{\"op\":\"neg\",\"in\":[1],\"number\":\"f64\",\"dims\":[1,3]}"), "stated shape"},
    {"unknown symbol", AFTER_X("{\"op\":\"neg\",\"in\":[1],\"number\":\"f64\",\"symbol\":1,\"dims\":[1,3]}"),
     "unknown symbol"},
    {"negative symbol", AFTER_X("{\"op\":\"neg\",\"in\":[1],\"number\":\"f64\",\"symbol\":-1,\"dims\":[1,3]}"),
     "unknown symbol"},
    {"itself as operand", AFTER_X("{\"op\":\"neg\",\"in\":[2],\"number\":\"f64\",\"symbol\":0,\"dims\":[1,3]}"),
     "does not precede"},
    {"operand 0", AFTER_X("{\"op\":\"neg\",\"in\":[0],\"number\":\"f64\",\"symbol\":0,\"dims\":[1,3]}"),
     "does not precede"},
    {"operand beyond int32",
     AFTER_X("{\"op\":\"neg\",\"in\":[4294967297],\"number\":\"f64\",\"symbol\":0,\"dims\":[1,3]}"),
     "does not precede"},
    {"operand 1.5", AFTER_X("{\"op\":\"neg\",\"in\":[1.5],\"number\":\"f64\",\"symbol\":0,\"dims\":[1,3]}"),
     "does not precede"},
    {"operands that are no list", AFTER_X("{\"op\":\"neg\",\"in\":1,\"number\":\"f64\",\"symbol\":0,\"dims\":[1,3]}"),
     "'in' is no list"},
    {"too many operands", AFTER_X("{\"op\":\"neg\",\"in\":[1,1],\"number\":\"f64\",\"symbol\":0,\"dims\":[1,3]}"),
     "2 operands"},
    {"attribute too few",
     AFTER_X("{\"op\":\"scale\",\"in\":[1],\"number\":\"f64\",\"symbol\":0,\"dims\":[1,3],\"reals\":[1]}"),
     "real attributes"},
    {"attribute too many",
     AFTER_X("{\"op\":\"scale\",\"in\":[1],\"number\":\"f64\",\"symbol\":0,\"dims\":[1,3],\"reals\":[1,2,3]}"),
     "'reals'"},
    {"attribute null",
     AFTER_X("{\"op\":\"scale\",\"in\":[1],\"number\":\"f64\",\"symbol\":0,\"dims\":[1,3],\"reals\":[1,null]}"),
     "'reals' holds no number"},
    {"ten integers", AFTER_X("{\"op\":\"sum\",\"in\":[1],\"number\":\"f64\",\"integers\":[0,1,2,3,4,5,6,7,8,9]}"),
     "'integers'"},
    {"axes out of order", AFTER_X("{\"op\":\"sum\",\"in\":[1],\"number\":\"f64\",\"integers\":[0,1,0]}"), "ascend"},
    {"no axes list", AFTER_X("{\"op\":\"sum\",\"in\":[1],\"number\":\"f64\"}"), "keep"},
    {"huge axis",
     AFTER_X("{\"op\":\"slice\",\"in\":[1],\"number\":\"f64\",\"symbol\":0,\"dims\":[1,1],\"integers\":["
             "9223372036854775807,0,1,1]}"),
     "axis"},
    {"huge pad",
     AFTER_X("{\"op\":\"pad\",\"in\":[1],\"number\":\"f64\",\"symbol\":0,\"dims\":[1,3],\"integers\":[1,"
             "9223372036854775807,9223372036854775807,0]}"),
     "pad"},
    {"nine dims", GRAPH("{\"op\":\"input\",\"name\":\"x\",\"number\":\"f64\",\"dims\":[1,1,1,1,1,1,1,1,1]}"), "'dims'"},
    {"size 0", GRAPH("{\"op\":\"input\",\"name\":\"x\",\"number\":\"f64\",\"dims\":[0]}"), "not positive"},
    {"negative size", GRAPH("{\"op\":\"input\",\"name\":\"x\",\"number\":\"f64\",\"dims\":[-3]}"), "not positive"},
    {"sizes that overflow",
     GRAPH("{\"op\":\"input\",\"name\":\"x\",\"number\":\"f64\",\"dims\":[4294967296,4294967296,4294967296]}"), "2^44"},
    {"symbol without dims", GRAPH("{\"op\":\"input\",\"name\":\"x\",\"number\":\"f64\",\"symbol\":0}"), "no dim"},
    {"input without a name", GRAPH("{\"op\":\"input\",\"number\":\"f64\"}"), "have a name"},
    {"name that is a number", GRAPH("{\"op\":\"input\",\"name\":1,\"number\":\"f64\"}"), "have a name"},
    {"sum with a name",
     AFTER_X("{\"op\":\"neg\",\"name\":\"y\",\"in\":[1],\"number\":\"f64\",\"symbol\":0,\"dims\":[1,3]}"),
     "others none"},
    {"two inputs of a name", AFTER_X(INPUT_X), "'x' is taken"},
    {"constant without data", GRAPH("{\"op\":\"constant\",\"number\":\"f64\"}"), "constants have data"},
    {"data elsewhere",
     AFTER_X("{\"op\":\"neg\",\"in\":[1],\"number\":\"f64\",\"symbol\":0,\"dims\":[1,3],\"data\":\"\"}"),
     "others none"},
    {"data that is a number", GRAPH("{\"op\":\"constant\",\"number\":\"f64\",\"data\":3}"), "'data'"},
    {"data too short", GRAPH("{\"op\":\"constant\",\"number\":\"f64\",\"data\":\"AAAAAAAA\"}"), "'data'"},
    {"data too long", GRAPH("{\"op\":\"constant\",\"number\":\"f64\",\"data\":\"AAAAAAAAAAAAAAAA\"}"), "'data'"},
    {"data of huge shape",
     GRAPH("{\"op\":\"constant\",\"number\":\"f64\",\"dims\":[17592186044416],\"data\":\"AAAAAAAAAAA=\"}"), "'data'"},
    {"data with a foreign letter", GRAPH("{\"op\":\"constant\",\"number\":\"f64\",\"data\":\"AAAA*AAAAAA=\"}"),
     "base64"},
    {"data without its padding", GRAPH("{\"op\":\"constant\",\"number\":\"f64\",\"data\":\"AAAAAAAAAAAA\"}"), "base64"},
    {"data with bits beyond its end", GRAPH("{\"op\":\"constant\",\"number\":\"f64\",\"data\":\"AAAAAAAAAAB=\"}"),
     "base64"},
    {"unknown key of a node",
     AFTER_X("{\"op\":\"neg\",\"in\":[1],\"number\":\"f64\",\"symbol\":0,\"dims\":[1,3],\"axis\":1}"),
     "unknown key 'axis'"},
    {"output of nothing", "{\"symbols\":[],\"nodes\":[],\"outputs\":[{\"id\":1,\"name\":\"y\"}]}", "output"},
    {"output that has a name",
     "{\"symbols\":[\"batch\"],\"nodes\":[" INPUT_X "],\"outputs\":[{\"id\":1,\"name\":\"y\"}]}", "output"},
};

static void hostile_text_is_refused_with_its_reason(void)
{
    locum_graph *g = NULL;
    CHECK_OK(read_text(GRAPH(INPUT_X), strlen(GRAPH(INPUT_X)), 10, &g)); /* the frame of the table is sound */
    locum_graph_destroy(g);
    for (size_t i = 0; i < sizeof hostile / sizeof *hostile; i++) {
        CHECK_FAILS(read_text(hostile[i].text, strlen(hostile[i].text), 10, &g), LOCUM_DAMAGED);
        CU_ASSERT(g == NULL);
        if (!strstr(locum_status_message(), hostile[i].message))
            printf("\n    %s: %s", hostile[i].what, locum_status_message());
        CU_ASSERT(strstr(locum_status_message(), hostile[i].message) != NULL);
        locum_graph_destroy(g);
    }
}

static void the_number_of_nodes_is_capped(void)
{
    locum_graph *g = small_graph(), *back = NULL;
    locum_text text = {0};
    locum_graph_write(g, &text);
    CHECK_FAILS(read_text(text.data, text.size, locum_graph_n(g) - 1, &back), LOCUM_DAMAGED);
    CU_ASSERT(strstr(locum_status_message(), "nodes; at most") != NULL);
    CHECK_OK(read_text(text.data, text.size, locum_graph_n(g), &back));
    locum_graph_destroy(back);
    locum_graph_destroy(g);
    locum_text_free(&text);
}

LOCUM_RUN_TESTS("graph serialisation", {"a round trip gives the same graph", a_round_trip_gives_the_same_graph},
                {"every bit of a constant survives", every_bit_of_a_constant_survives},
                {"the hash sees every part", the_hash_sees_every_part},
                {"every truncation is refused", every_truncation_is_refused},
                {"damaged text gives an error or a whole graph", damaged_text_gives_an_error_or_a_whole_graph},
                {"hostile text is refused with its reason", hostile_text_is_refused_with_its_reason},
                {"the number of nodes is capped", the_number_of_nodes_is_capped})
