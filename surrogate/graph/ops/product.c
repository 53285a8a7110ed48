/* SPDX-License-Identifier: BSD-3-Clause */
/* product.c - the product trio, closed under differentiation. Leading dims of a and c are rows r; g runs over groups:
 *
 *     P  y[r, g, n] = sum_k a[r, g, k] b[g, k, n]    product            a [rows.., G K]  b [G, K, N]  y [rows.., G N]
 *     T  y[r, g, k] = sum_n a[r, g, n] b[g, k, n]    product transposed a [rows.., G N]  b [G, K, N]  y [rows.., G K]
 *     R  w[g, k, n] = sum_r a[r, g, k] c[r, g, n]    product_rows       a [rows.., G K]  c [rows.., G N]
 *
 *     of P(a, b) with seed s:  da = T(s, b)   db = R(a, s)
 *     of T(a, b) with seed s:  da = P(s, b)   db = R(s, a)
 *     of R(a, c) with seed s:  da = T(c, s)   dc = P(a, s)                                    (THEORY.md, 4) */
#include "surrogate/graph/operator.h"

locum_id locum_product(locum_graph *graph, locum_id a, locum_id b, bool transposed)
{
    locum_draft draft = {
        .op = LOCUM_OP_product, .n_inputs = 2, .in = (locum_id[]){a, b}, .n_integers = 1, .integers = {transposed}};
    return locum_graph_add(graph, &draft);
}

locum_id locum_product_rows(locum_graph *graph, locum_id a, locum_id c, int64_t groups)
{
    locum_draft draft = {
        .op = LOCUM_OP_product_rows, .n_inputs = 2, .in = (locum_id[]){a, c}, .n_integers = 1, .integers = {groups}};
    return locum_graph_add(graph, &draft);
}

static locum_status product_shape(const locum_graph *graph, locum_draft *draft)
{
    const locum_shape a = locum_shape_of(graph, draft->in[0]), b = locum_shape_of(graph, draft->in[1]);
    const int64_t transposed = draft->integers[0];
    char x[LOCUM_SHAPE_TEXT], y[LOCUM_SHAPE_TEXT];
    LOCUM_REQUIRE(transposed == 0 || transposed == 1, LOCUM_ARG, "product: transposed = %lld", (long long)transposed);
    LOCUM_REQUIRE(a.number == b.number && a.number != LOCUM_INTEGER32, LOCUM_ARG,
                  "product: number types differ, or int32");
    LOCUM_REQUIRE(b.n_dims == 3 && b.symbol < 0 && a.n_dims >= 1 && (a.n_dims > 1 || a.symbol < 0) &&
                      a.dims[a.n_dims - 1] == b.dims[0] * b.dims[transposed ? 2 : 1],
                  LOCUM_ARG, "product: %s and %s%s do not fit: [rows.., G K] and [G, K, N]",
                  locum_shape_text(graph, &a, x), locum_shape_text(graph, &b, y), transposed ? " transposed" : "");
    draft->shape = a;
    draft->shape.dims[a.n_dims - 1] = b.dims[0] * b.dims[transposed ? 1 : 2];
    return LOCUM_OK;
}

static void product_gradient(const locum_site *s, locum_id *into)
{
    const bool transposed = s->integers[0];
    const int64_t groups = locum_graph_node(s->graph, s->in[1])->dims[0];
    if (s->wanted[0]) into[0] = locum_product(s->graph, s->seed, s->in[1], !transposed);
    if (s->wanted[1])
        into[1] = transposed ? locum_product_rows(s->graph, s->seed, s->in[0], groups)
                             : locum_product_rows(s->graph, s->in[0], s->seed, groups);
}

static void product_reference(const locum_loop *loop)
{
    const locum_view *a = &loop->in[0], *b = &loop->in[1];
    const bool transposed = loop->integers[0];
    const int64_t G = b->dims[0], K = b->dims[transposed ? 2 : 1], N = b->dims[transposed ? 1 : 2];
    const int64_t rows = a->count / (G * K), k_stride = transposed ? 1 : N, n_stride = transposed ? K : 1;
    for (int64_t r = 0; r < rows; r++)
        for (int64_t g = 0; g < G; g++)
            for (int64_t n = 0; n < N; n++) {
                double sum = 0;
                for (int64_t k = 0; k < K; k++)
                    sum += a->data[(r * G + g) * K + k] * b->data[g * K * N + k * k_stride + n * n_stride];
                loop->out.data[(r * G + g) * N + n] = sum;
            }
}

const locum_operator locum_operator_product = {.traits = LOCUM_MULTILINEAR,
                                               .n_integers = 1,
                                               .shape = product_shape,
                                               .gradient = product_gradient,
                                               .reference = product_reference};

static locum_status product_rows_shape(const locum_graph *graph, locum_draft *draft)
{
    const locum_shape a = locum_shape_of(graph, draft->in[0]), c = locum_shape_of(graph, draft->in[1]);
    const int64_t groups = draft->integers[0];
    const int last = a.n_dims - 1;
    char x[LOCUM_SHAPE_TEXT], y[LOCUM_SHAPE_TEXT];
    bool fits = a.n_dims >= 1 && a.n_dims == c.n_dims && a.symbol == c.symbol && (a.n_dims > 1 || a.symbol < 0) &&
                groups >= 1 && a.dims[last] % groups == 0 && c.dims[last] % groups == 0;
    for (int i = 0; fits && i < last; i++) fits = a.dims[i] == c.dims[i];
    LOCUM_REQUIRE(a.number == c.number && a.number != LOCUM_INTEGER32, LOCUM_ARG,
                  "product_rows: number types differ, or int32");
    LOCUM_REQUIRE(fits, LOCUM_ARG, "product_rows: %s and %s in %lld groups do not fit: [rows.., G K] and [rows.., G N]",
                  locum_shape_text(graph, &a, x), locum_shape_text(graph, &c, y), (long long)groups);
    draft->shape = (locum_shape){
        .number = a.number, .symbol = -1, .n_dims = 3, .dims = {groups, a.dims[last] / groups, c.dims[last] / groups}};
    return LOCUM_OK;
}

static void product_rows_gradient(const locum_site *s, locum_id *into)
{
    if (s->wanted[0]) into[0] = locum_product(s->graph, s->in[1], s->seed, true);
    if (s->wanted[1]) into[1] = locum_product(s->graph, s->in[0], s->seed, false);
}

static void product_rows_reference(const locum_loop *loop)
{
    const locum_view *a = &loop->in[0], *c = &loop->in[1];
    const int64_t G = loop->out.dims[0], K = loop->out.dims[1], N = loop->out.dims[2], rows = a->count / (G * K);
    for (int64_t g = 0; g < G; g++)
        for (int64_t k = 0; k < K; k++)
            for (int64_t n = 0; n < N; n++) {
                double sum = 0;
                for (int64_t r = 0; r < rows; r++) sum += a->data[(r * G + g) * K + k] * c->data[(r * G + g) * N + n];
                loop->out.data[(g * K + k) * N + n] = sum;
            }
}

const locum_operator locum_operator_product_rows = {.traits = LOCUM_MULTILINEAR,
                                                    .n_integers = 1,
                                                    .shape = product_rows_shape,
                                                    .gradient = product_rows_gradient,
                                                    .reference = product_rows_reference};
