/* SPDX-License-Identifier: BSD-3-Clause */
/* test_operators.c - every operator's meaning and its first and second derivative.
 *
 * With operands x_i, a seed c and directions v_i, all random:
 *     linear operators   <A x, c> = <x, A' c>, where A' is the gradient graph
 *     first order        d/dt <op(x + t v), c> = sum_i <g_i(x; c), v_i>            g = gradient graph
 *     second order       the same of S = sum_i <g_i(x; c), w_i> in x and in c: the transform applied again
 * Differences are of fourth order in double; a gradient graph with a planted bug must fail each of them. */
#include <string.h>

#include "surrogate/graph/operator.h"
#include "tests/unit/graph/cases.h"

typedef locum_status (*make_gradient)(locum_graph *g, locum_id y, locum_id seed, int n, const locum_id *wrt,
                                      locum_id *out);

/* One case, built: operands "x0" .., seed "c", second weights "w0" .. */
typedef struct experiment {
    locum_graph *graph;
    int64_t extents[LOCUM_SYMBOLS_MAX];
    int n;
    locum_id x[3], w[3], y, c, gradient[3], second, gradient2[4];
    store values;
    dice d;
} experiment;

static const char *const x_names[] = {"x0", "x1", "x2", "c"}, *const w_names[] = {"w0", "w1", "w2"};

static locum_id input_like(locum_graph *g, const char *name, locum_id like)
{
    const locum_shape s = locum_shape_of(g, like);
    return locum_input(g, name, LOCUM_REAL64, s.symbol, s.n_dims, s.dims);
}

static void fill_operand(experiment *e, const char *name, const operand *o)
{
    int64_t n = 0;
    store_fill(&e->values, name, &e->d, o->low, o->high);
    double *data = store_find(&e->values, name, &n);
    for (int64_t i = 0; o->both_signs && i < n; i++)
        if (roll(&e->d, 0, 1) < 0.5) data[i] = -data[i];
}

static void open_experiment(experiment *e, const graph_case *c, int64_t rows, make_gradient gradient, bool expand_first)
{
    memset(e, 0, sizeof *e);
    e->extents[0] = rows;
    e->n = c->n;
    e->d.seed = 7;
    CHECK_OK(locum_graph_create(&e->graph));
    const int batch = locum_graph_symbol(e->graph, "batch");
    for (int i = 0; i < c->n; i++) {
        const operand *o = &c->operands[i];
        e->x[i] = locum_input(e->graph, x_names[i], LOCUM_REAL64, o->rows ? batch : -1, o->n_dims, o->dims);
    }
    e->y = c->build(e->graph, e->x);
    if (expand_first) {
        locum_graph *expanded = NULL;
        locum_id *map = calloc((size_t)locum_graph_n(e->graph) + 1, sizeof *map);
        CHECK_OK(locum_graph_expand_composites(e->graph, &expanded, map));
        for (int i = 0; i < c->n; i++) e->x[i] = map[e->x[i]];
        e->y = map[e->y];
        locum_graph_destroy(e->graph);
        e->graph = expanded;
        free(map);
    }
    e->c = input_like(e->graph, "c", e->y);
    for (int i = 0; i < c->n; i++) e->w[i] = input_like(e->graph, w_names[i], e->x[i]);
    CHECK_OK(gradient(e->graph, e->y, e->c, c->n, e->x, e->gradient));
    for (int i = 0; i < c->n; i++) {
        const locum_id term = sum_of_products(e->graph, e->gradient[i], e->w[i]);
        e->second = e->second ? locum_binary(e->graph, LOCUM_OP_add, e->second, term) : term;
    }
    locum_id wrt[4];
    memcpy(wrt, e->x, sizeof e->x);
    wrt[c->n] = e->c;
    CHECK_OK(locum_graph_gradient(e->graph, e->second, 0, c->n + 1, wrt, e->gradient2));
    store_complete(&e->values, e->graph, e->extents, &e->d, -1, 1);
    for (int i = 0; i < c->n; i++) fill_operand(e, x_names[i], &c->operands[i]);
}

static void close_experiment(experiment *e)
{
    locum_graph_destroy(e->graph);
    store_free(&e->values);
}

/* relative error of one directional derivative of `scalar`; the gradient with respect to `name` is node `gradient` */
static double directional_error(experiment *e, locum_id scalar, const char *name, locum_id gradient)
{
    int64_t n = 0;
    store_find(&e->values, name, &n);
    double *v = malloc(((size_t)n + 1) * sizeof *v), *g = values_of(e->graph, e->extents, &e->values, gradient);
    for (int64_t i = 0; i < n; i++) v[i] = roll(&e->d, -1, 1);
    const double exact = dot(n, g, v),
                 size = dot_size(n, g, v) + fabs(value_of(e->graph, e->extents, &e->values, scalar));
    const double found = difference(e->graph, e->extents, &e->values, scalar, name, v);
    free(v);
    free(g);
    return n ? fabs(exact - found) / (size + 1e-3) : 0;
}

static double first_order_error(experiment *e)
{
    const locum_id scalar = sum_of_products(e->graph, e->y, e->c);
    double worst = 0;
    for (int i = 0; i < e->n; i++) worst = fmax(worst, directional_error(e, scalar, x_names[i], e->gradient[i]));
    return worst;
}

static double second_order_error(experiment *e)
{
    double worst = 0;
    for (int i = 0; i < e->n; i++) worst = fmax(worst, directional_error(e, e->second, x_names[i], e->gradient2[i]));
    return fmax(worst, directional_error(e, e->second, "c", e->gradient2[e->n]));
}

/* |<A x, c> - <x, A' c>| over sum |terms|; multilinear: for the operand in which it is worst */
static double adjoint_error(experiment *e, bool multilinear)
{
    double *y = values_of(e->graph, e->extents, &e->values, e->y), worst = 0;
    int64_t n_y = 0;
    const double *c = store_find(&e->values, "c", &n_y);
    double left = dot(n_y, y, c), right = 0, size = dot_size(n_y, y, c) + 1e-300;
    for (int i = 0; i < e->n; i++) {
        int64_t n = 0;
        const double *x = store_find(&e->values, x_names[i], &n);
        double *g = values_of(e->graph, e->extents, &e->values, e->gradient[i]);
        right = multilinear ? dot(n, x, g) : right + dot(n, x, g);
        size += dot_size(n, x, g);
        if (multilinear || i == e->n - 1) worst = fmax(worst, fabs(left - right) / size);
        free(g);
    }
    free(y);
    return worst;
}

static int rows_of(const graph_case *c, int64_t rows[4])
{
    static const int64_t all[] = {1, 7, 64};
    bool any = false;
    for (int i = 0; i < c->n; i++) any = any || c->operands[i].rows;
    if (c->op == LOCUM_OP_expand) any = true; /* operands have no rows, the results have */
    memcpy(rows, all, sizeof all);
    return any ? 3 : 1;
}

static void every_operator_has_a_case(void)
{
    for (int op = 1; op < LOCUM_OP_COUNT; op++) {
        bool found = locum_operator_of(op)->traits & LOCUM_SOURCE; /* sources: below, and every other test */
        for (int i = 0; i < n_graph_cases; i++) found = found || (int)graph_cases[i].op == op;
        if (!found) printf("\n    no case for %s", locum_op_name((locum_op)op));
        CU_ASSERT(found);
    }
}

static void every_operator_is_whole(void)
{
    for (int op = 1; op < LOCUM_OP_COUNT; op++) {
        const locum_operator *rules = locum_operator_of(op);
        const bool differentiable = rules->gradient || rules->expand;
        CU_ASSERT(rules->shape != NULL);
        CU_ASSERT((rules->expand != NULL) == locum_op_is_composite(op));
        CU_ASSERT(differentiable || (rules->traits & (LOCUM_NO_GRADIENT | LOCUM_SOURCE)));
        CU_ASSERT((int)locum_op_find(locum_op_name((locum_op)op)) == op);
    }
}

static void linear_operators_are_adjoint_to_their_gradients(void)
{
    for (int i = 0; i < n_graph_cases; i++) {
        const graph_case *c = &graph_cases[i];
        int64_t rows[4];
        const int n_rows = rows_of(c, rows);
        const unsigned traits = locum_operator_of(c->op)->traits;
        /* x x is not linear in x */
        if (!(traits & (LOCUM_LINEAR | LOCUM_MULTILINEAR)) || !strcmp(c->what, "by itself")) continue;
        for (int r = 0; r < n_rows; r++) {
            experiment e;
            open_experiment(&e, c, rows[r], locum_graph_gradient, false);
            const double error = adjoint_error(&e, traits & LOCUM_MULTILINEAR);
            if (error > 1e-13) printf("\n    %s (%s), %lld rows", locum_op_name(c->op), c->what, (long long)rows[r]);
            CHECK_CLOSE(error, 0, 1e-13); /* round-off of sums of at most some hundred terms */
            close_experiment(&e);
        }
    }
}

static void derivatives_agree_with_differences(void)
{
    for (int i = 0; i < n_graph_cases; i++) {
        const graph_case *c = &graph_cases[i];
        int64_t rows[4];
        const int n_rows = rows_of(c, rows);
        if (locum_operator_of(c->op)->traits & LOCUM_NO_GRADIENT) continue;
        for (int r = 0; r < n_rows; r++) {
            experiment e;
            open_experiment(&e, c, rows[r], locum_graph_gradient, false);
            const double first = first_order_error(&e), second = second_order_error(&e);
            if (!(first < 1e-9 && second < 1e-9))
                printf("\n    %s (%s), %lld rows: %.2g, %.2g", locum_op_name(c->op), c->what, (long long)rows[r], first,
                       second);
            /* h^4 F^(5) / 30 with h = 1e-3 and F^(5) up to 1e3 (powers near 0.4), and 1e-13 of round-off */
            CHECK_CLOSE(first, 0, 1e-9);
            CHECK_CLOSE(second, 0, 1e-9);
            close_experiment(&e);
        }
    }
}

static void piecewise_constant_operators_have_gradient_zero(void)
{
    for (int i = 0; i < n_graph_cases; i++) {
        const graph_case *c = &graph_cases[i];
        if (!(locum_operator_of(c->op)->traits & LOCUM_NO_GRADIENT)) continue;
        experiment e;
        open_experiment(&e, c, 7, locum_graph_gradient, false);
        for (int k = 0; k < c->n; k++) {
            int64_t n = 0;
            store_find(&e.values, x_names[k], &n);
            double *g = values_of(e.graph, e.extents, &e.values, e.gradient[k]);
            CU_ASSERT(dot(n, g, g) == 0);
            free(g);
        }
        close_experiment(&e);
    }
}

static double largest_difference(experiment *a, locum_id x, experiment *b, locum_id y)
{
    double *p = values_of(a->graph, a->extents, &a->values, x), *q = values_of(b->graph, b->extents, &b->values, y),
           worst = 0;
    const int64_t n = locum_graph_count(a->graph, x, a->extents);
    CU_ASSERT(n == locum_graph_count(b->graph, y, b->extents));
    for (int64_t i = 0; i < n; i++) worst = fmax(worst, fabs(p[i] - q[i]) / (1 + fabs(q[i])));
    free(p);
    free(q);
    return worst;
}

static void composites_equal_their_expansions_in_value_and_two_derivatives(void)
{
    for (int i = 0; i < n_graph_cases; i++) {
        const graph_case *c = &graph_cases[i];
        if (!locum_op_is_composite(c->op)) continue;
        experiment a, b;
        open_experiment(&a, c, 7, locum_graph_gradient, false);
        open_experiment(&b, c, 7, locum_graph_gradient, true);
        for (locum_id id = 1; id <= b.y; id++) CU_ASSERT(!locum_op_is_composite(locum_graph_node(b.graph, id)->op));
        double worst = largest_difference(&a, a.y, &b, b.y);
        for (int k = 0; k < c->n; k++) worst = fmax(worst, largest_difference(&a, a.gradient[k], &b, b.gradient[k]));
        for (int k = 0; k <= c->n; k++) worst = fmax(worst, largest_difference(&a, a.gradient2[k], &b, b.gradient2[k]));
        if (worst > 1e-12) printf("\n    %s (%s)", locum_op_name(c->op), c->what);
        CHECK_CLOSE(worst, 0, 1e-12); /* two orders of a dozen operations each in double */
        close_experiment(&a);
        close_experiment(&b);
    }
}

static void no_rows_give_empty_arrays_and_zero_sums(void)
{
    for (int i = 0; i < n_graph_cases; i++) {
        const graph_case *c = &graph_cases[i];
        if (c->op == LOCUM_OP_mean) continue; /* the mean of nothing is 0/0 */
        experiment e;
        open_experiment(&e, c, 0, locum_graph_gradient, false);
        for (int k = 0; k < c->n; k++) {
            const int64_t n = locum_graph_count(e.graph, e.gradient[k], e.extents);
            double *g = values_of(e.graph, e.extents, &e.values, e.gradient[k]);
            CU_ASSERT(c->operands[k].rows ? n == 0 : n > 0);
            for (int64_t j = 0; j < n; j++) CU_ASSERT(isfinite(g[j]));
            free(g);
        }
        close_experiment(&e);
    }
}

/* --- planted bugs ------------------------------------------------------------------------------------------------- */

static const graph_case *case_of(locum_op op)
{
    for (int i = 0; i < n_graph_cases; i++)
        if (graph_cases[i].op == op) return &graph_cases[i];
    return NULL;
}

/* tanh' = 1 - y instead of 1 - y^2 */
static locum_status wrong_tanh(locum_graph *g, locum_id y, locum_id seed, int n, const locum_id *wrt, locum_id *out)
{
    (void)n;
    (void)wrt;
    out[0] = locum_binary(g, LOCUM_OP_multiply, seed, locum_scale(g, y, -1, 1));
    return locum_graph_status(g);
}

/* the right values, but y is held fixed, so that the second derivative is wrong */
static locum_status frozen_tanh(locum_graph *g, locum_id y, locum_id seed, int n, const locum_id *wrt, locum_id *out)
{
    const locum_id fixed = locum_unary(g, LOCUM_OP_stop_gradient, y);
    (void)n;
    (void)wrt;
    out[0] = locum_binary(g, LOCUM_OP_multiply, seed,
                          locum_scale(g, locum_binary(g, LOCUM_OP_multiply, fixed, fixed), -1, 1));
    return locum_graph_status(g);
}

/* flip' = the seed, not flipped back */
static locum_status wrong_flip(locum_graph *g, locum_id y, locum_id seed, int n, const locum_id *wrt, locum_id *out)
{
    (void)y;
    (void)n;
    (void)wrt;
    out[0] = seed;
    return locum_graph_status(g);
}

static void a_planted_bug_is_caught(void)
{
    experiment e;
    open_experiment(&e, case_of(LOCUM_OP_tanh), 7, wrong_tanh, false);
    CU_ASSERT(first_order_error(&e) > 1e-2);
    close_experiment(&e);
    open_experiment(&e, case_of(LOCUM_OP_tanh), 7, frozen_tanh, false);
    CU_ASSERT(first_order_error(&e) < 1e-9);
    CU_ASSERT(second_order_error(&e) > 1e-2);
    close_experiment(&e);
    open_experiment(&e, case_of(LOCUM_OP_flip), 7, wrong_flip, false);
    CU_ASSERT(adjoint_error(&e, false) > 1e-2);
    close_experiment(&e);
}

/* --- meanings ----------------------------------------------------------------------------------------------------- */

static void elementary_functions_have_their_values(void)
{
    static const struct {
        locum_op op;
        double x, y; /* y from tables, 15 digits */
    } table[] = {
        {LOCUM_OP_neg, 0.5, -0.5},
        {LOCUM_OP_exp, 0.5, 1.64872127070013},
        {LOCUM_OP_log, 0.5, -0.693147180559945},
        {LOCUM_OP_sqrt, 2, 1.4142135623731},
        {LOCUM_OP_reciprocal, -4, -0.25},
        {LOCUM_OP_sin, 0.5, 0.479425538604203},
        {LOCUM_OP_cos, 0.5, 0.877582561890373},
        {LOCUM_OP_tanh, 0.5, 0.46211715726001},
        {LOCUM_OP_sigmoid, 0.5, 0.622459331201855},
        {LOCUM_OP_softplus, 0.5, 0.974076984180107},
        {LOCUM_OP_erf, 0.5, 0.520499877813047},
        {LOCUM_OP_abs, -3, 3},
        {LOCUM_OP_sign, -3, -1},
        {LOCUM_OP_sign, 0, 0},
        {LOCUM_OP_stop_gradient, 0.5, 0.5},
        {LOCUM_OP_relu, -2, 0},
        {LOCUM_OP_relu, 2, 2},
        {LOCUM_OP_silu, 0.5, 0.311229665600927},
        {LOCUM_OP_gelu, 0.5, 0.345731230637004},
        {LOCUM_OP_softplus, 800, 800},
        {LOCUM_OP_sigmoid, -800, 0},
        {LOCUM_OP_softplus, -800, 0},
        {LOCUM_OP_sigmoid, 800, 1},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        locum_graph *g = NULL;
        store none = {0};
        CHECK_OK(locum_graph_create(&g));
        const locum_id y = locum_unary(g, table[i].op, locum_scalar(g, LOCUM_REAL64, table[i].x));
        CHECK_CLOSE(value_of(g, NULL, &none, y), table[i].y,
                    1e-14 * (1 + fabs(table[i].y))); /* the table's last digit */
        locum_graph_destroy(g);
    }
}

/* By hand: x = 1 2 3 4, taps 1 10 100. */
static void expect_values(locum_graph *g, locum_id y, int n, const double *expected)
{
    store none = {0};
    double *found = values_of(g, NULL, &none, y);
    CU_ASSERT_EQUAL(locum_graph_count(g, y, NULL), n);
    for (int i = 0; i < n; i++) CU_ASSERT_EQUAL(found[i], expected[i]);
    free(found);
}

static void convolutions_are_what_they_are_by_hand(void)
{
    locum_graph *g = NULL;
    CHECK_OK(locum_graph_create(&g));
    const locum_id x = locum_constant(g, LOCUM_REAL64, 3, (int64_t[]){1, 4, 1}, (double[]){1, 2, 3, 4});
    const locum_id w = locum_constant(g, LOCUM_REAL64, 3, (int64_t[]){3, 1, 1}, (double[]){1, 10, 100});
    const locum_id y = locum_constant(g, LOCUM_REAL64, 3, (int64_t[]){1, 2, 1}, (double[]){1, 7});
    const int64_t grid[] = {4}, taps[] = {3};
    locum_window same = locum_window_same(1, grid, taps, 1, false), wrapped = locum_window_same(1, grid, taps, 1, true),
                 stride = {.n_axes = 1, .stride = 2, .dilation = 1, .size = {2}},
                 transposed = {.n_axes = 1, .stride = 2, .dilation = 1, .size = {4}},
                 weight = {.n_axes = 1, .stride = 2, .dilation = 1, .size = {3}},
                 dilated = {.n_axes = 1, .stride = 1, .dilation = 2, .before = {2}, .size = {4}};
    expect_values(g, locum_convolution(g, x, w, &same), 4, (double[]){210, 321, 432, 43});
    expect_values(g, locum_convolution(g, x, w, &wrapped), 4, (double[]){214, 321, 432, 143});
    expect_values(g, locum_convolution(g, x, w, &stride), 2, (double[]){321, 43});
    expect_values(g, locum_convolution(g, x, w, &dilated), 4, (double[]){310, 420, 31, 42});
    expect_values(g, locum_convolution_input(g, y, w, &transposed), 4, (double[]){1, 10, 107, 70});
    expect_values(g, locum_convolution_weight(g, x, y, &weight), 3, (double[]){22, 30, 3});
    expect_values(g, locum_pool_max(g, x, 1), 2, (double[]){2, 4});
    expect_values(g, locum_pool_mean(g, x, 1, 2), 2, (double[]){1.5, 3.5});
    expect_values(g, locum_resize_nearest(g, y, 1, 2), 4, (double[]){1, 1, 7, 7});
    CHECK_OK(locum_graph_status(g));
    locum_graph_destroy(g);
}

static void grouped_products_are_blocks_of_plain_ones(void)
{
    enum { R = 5, G = 3, K = 2, N = 4 };
    locum_graph *g = NULL;
    store s = {0};
    dice d = {11, 0};
    const int64_t extents[] = {R};
    CHECK_OK(locum_graph_create(&g));
    const int batch = locum_graph_symbol(g, "batch");
    const locum_id a = locum_input(g, "a", LOCUM_REAL64, batch, 2, (int64_t[]){1, G * K});
    const locum_id b = locum_input(g, "b", LOCUM_REAL64, -1, 3, (int64_t[]){G, K, N});
    const locum_id t = locum_input(g, "t", LOCUM_REAL64, -1, 3, (int64_t[]){G, N, K});
    const locum_id c = locum_input(g, "c", LOCUM_REAL64, batch, 2, (int64_t[]){1, G * N});
    const locum_id p = locum_product(g, a, b, false), q = locum_product(g, a, t, true),
                   r = locum_product_rows(g, a, c, G);
    store_complete(&s, g, extents, &d, -1, 1);
    const double *A = store_find(&s, "a", NULL), *B = store_find(&s, "b", NULL), *T = store_find(&s, "t", NULL),
                 *C = store_find(&s, "c", NULL);
    double *P = values_of(g, extents, &s, p), *Q = values_of(g, extents, &s, q), *W = values_of(g, extents, &s, r);
    for (int i = 0; i < G; i++)
        for (int n = 0; n < N; n++) {
            for (int row = 0; row < R; row++) {
                double plain = 0, transposed = 0;
                for (int k = 0; k < K; k++) {
                    plain += A[row * G * K + i * K + k] * B[i * K * N + k * N + n];
                    transposed += A[row * G * K + i * K + k] * T[i * K * N + n * K + k];
                }
                CHECK_CLOSE(P[row * G * N + i * N + n], plain, 1e-15); /* the same two products added */
                CHECK_CLOSE(Q[row * G * N + i * N + n], transposed, 1e-15);
            }
            for (int k = 0; k < K; k++) {
                double sum = 0;
                for (int row = 0; row < R; row++) sum += A[row * G * K + i * K + k] * C[row * G * N + i * N + n];
                CHECK_CLOSE(W[(i * K + k) * N + n], sum, 1e-15);
            }
        }
    free(P);
    free(Q);
    free(W);
    locum_graph_destroy(g);
    store_free(&s);
}

static void expect(locum_graph *g, locum_id id, int n, const double *wanted)
{
    store none = {0};
    double *found = values_of(g, NULL, &none, id);
    CU_ASSERT(locum_graph_count(g, id, NULL) == n);
    for (int i = 0; i < n; i++) CHECK_CLOSE(found[i], wanted[i], 0);
    free(found);
}

static void moving_operators_move_values_where_numpy_does(void)
{
    static const double data[] = {1, 2, 3, 4, 5, 6};
    locum_graph *g = NULL;
    CHECK_OK(locum_graph_create(&g));
    const locum_id x = locum_constant(g, LOCUM_REAL64, 2, (int64_t[]){2, 3}, data);
    expect(g, locum_permute(g, x, (int[]){1, 0}), 6, (double[]){1, 4, 2, 5, 3, 6});
    expect(g, locum_slice(g, x, 1, 0, 2, 2), 4, (double[]){1, 3, 4, 6});
    expect(g, locum_flip(g, x, 1), 6, (double[]){3, 2, 1, 6, 5, 4});
    expect(g, locum_flip(g, x, 0), 6, (double[]){4, 5, 6, 1, 2, 3});
    expect(g, locum_pad(g, x, 1, 1, 2, LOCUM_PAD_ZERO), 12, (double[]){0, 1, 2, 3, 0, 0, 0, 4, 5, 6, 0, 0});
    expect(g, locum_pad(g, x, 1, 2, 1, LOCUM_PAD_PERIODIC), 12, (double[]){2, 3, 1, 2, 3, 1, 5, 6, 4, 5, 6, 4});
    expect(g, locum_pad(g, x, 1, 1, 2, LOCUM_PAD_REFLECT), 12, (double[]){2, 1, 2, 3, 2, 1, 5, 4, 5, 6, 5, 4});
    expect(g, locum_concat(g, 0, 2, (locum_id[]){x, x}), 12, (double[]){1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6});
    expect(g, locum_concat(g, 1, 2, (locum_id[]){x, x}), 12, (double[]){1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6});
    expect(g, locum_sum(g, x, 1, (int[]){0}, false), 3, (double[]){5, 7, 9});
    expect(g, locum_sum(g, x, 1, (int[]){1}, true), 2, (double[]){6, 15});
    expect(g, locum_mean(g, x, 0, NULL, false), 1, (double[]){3.5});
    expect(g, locum_expand(g, locum_slice(g, x, 1, 2, 1, 1), -1, 2, (int64_t[]){2, 2}), 4, (double[]){3, 3, 6, 6});
    expect(g, locum_cast(g, locum_scale(g, x, -0.6, 0), LOCUM_INTEGER32), 6, (double[]){0, -1, -1, -2, -3, -3});
    CHECK_OK(locum_graph_status(g));
    locum_graph_destroy(g);
}

static void noise_is_normal_and_keyed_by_row(void)
{
    enum { N = 20000 };
    locum_graph *g = NULL;
    store none = {0};
    CHECK_OK(locum_graph_create(&g));
    const int batch = locum_graph_symbol(g, "batch");
    const locum_id z = locum_noise(g, batch, 2, (int64_t[]){1, 3}, 5),
                   other = locum_noise(g, batch, 2, (int64_t[]){1, 3}, 6);
    double *few = values_of(g, (int64_t[]){7}, &none, z), *many = values_of(g, (int64_t[]){N / 3}, &none, z);
    double *others = values_of(g, (int64_t[]){7}, &none, other), mean = 0, square = 0;
    const int n = N / 3 * 3;
    CU_ASSERT(!memcmp(few, many, 21 * sizeof(double))); /* a row is the same in any batch */
    CU_ASSERT(memcmp(few, others, 21 * sizeof(double)) != 0);
    for (int i = 0; i < n; i++) mean += many[i] / n;
    for (int i = 0; i < n; i++) square += many[i] * many[i] / n;
    CHECK_CLOSE(mean, 0, 4 / sqrt(n));         /* four standard errors */
    CHECK_CLOSE(square, 1, 4 * sqrt(2.0 / n)); /* the same of a chi-squared */
    free(few);
    free(many);
    free(others);
    locum_graph_destroy(g);
}

LOCUM_RUN_TESTS("graph operators", {"every operator has a case", every_operator_has_a_case},
                {"every operator has a shape rule, and a gradient or a reason", every_operator_is_whole},
                {"elementary functions have their values", elementary_functions_have_their_values},
                {"moving operators move values where NumPy does", moving_operators_move_values_where_numpy_does},
                {"convolutions, pooling and resizing are what they are by hand",
                 convolutions_are_what_they_are_by_hand},
                {"grouped products are blocks of plain ones", grouped_products_are_blocks_of_plain_ones},
                {"noise is normal and keyed by row", noise_is_normal_and_keyed_by_row},
                {"linear operators are adjoint to their gradients", linear_operators_are_adjoint_to_their_gradients},
                {"first and second derivatives agree with differences", derivatives_agree_with_differences},
                {"piecewise constant operators have gradient zero", piecewise_constant_operators_have_gradient_zero},
                {"composites equal their expansions in value and two derivatives",
                 composites_equal_their_expansions_in_value_and_two_derivatives},
                {"no rows give empty arrays and zero sums", no_rows_give_empty_arrays_and_zero_sums},
                {"a planted bug is caught", a_planted_bug_is_caught})
