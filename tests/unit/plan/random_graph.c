/* SPDX-License-Identifier: BSD-3-Clause */
/* random_graph.c - see random_graph.h.
 *
 * Every node carries a bound `size` of its values and a bound `error` of what float32 adds, by the rules of running
 * error analysis (N. Higham, Accuracy and Stability of Numerical Algorithms, 3.3), u = 2^-24:
 *     x + y           ex + ey + u (sx + sy)
 *     x y             ex sy + ey sx + u sx sy
 *     f(x)            max|f'| ex + 8 u max|f|                      kernels: 4 ulp, and room
 *     sum of n        n ex + n u n sx
 *     product over k  k (ea sb + eb sa) + k u k sa sb
 * Operators are composed so that slopes stay small: logarithms, roots and quotients see arguments away from 0, steps
 * (greater, sign, select) see inputs themselves, which are exact. Nodes whose bound exceeds 0.02 are not outputs. */
#include "random_graph.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define U (1.0 / (1 << 24))
enum { POOL_MAX = 256, COUNT_MAX = 2000 /* values a row of nodes that still grow */ };

typedef struct item {
    locum_id id;
    double size, error;
    bool exact; /* an input or a parameter, or a part of one */
} item;

typedef struct maker {
    locum_graph *graph;
    uint64_t state;
    int64_t rows;
    int symbol[2], n, sources, constants;
    bool rows_only;
    item pool[POOL_MAX];
} maker;

static int64_t below(maker *m, int64_t n)
{
    m->state += 0x9e3779b97f4a7c15u;
    uint64_t h = m->state;
    h = (h ^ (h >> 30)) * 0xbf58476d1ce4e5b9u;
    h = (h ^ (h >> 27)) * 0x94d049bb133111ebu;
    return (int64_t)((h ^ (h >> 31)) % (uint64_t)n);
}

/* A copy: building moves nodes. */
static locum_node node(const maker *m, locum_id id)
{
    return *locum_graph_node(m->graph, id);
}

static void add(maker *m, locum_id id, double size, double error, bool exact)
{
    if (id && m->n < POOL_MAX) m->pool[m->n++] = (item){id, size, error, exact};
}

static item pick(maker *m)
{
    return m->pool[m->n - 1 - below(m, below(m, 3) ? (m->n < 8 ? m->n : 8) : m->n)];
}

/* --- sources ----------------------------------------------------------------------------------------------------- */

static void add_input(maker *m, int symbol)
{
    char name[32];
    const int n_dims = 1 + (int)below(m, 4);
    int64_t dims[LOCUM_DIMS_MAX];
    for (int i = 0; i < n_dims; i++) dims[i] = 1 + below(m, i == n_dims - 1 ? 24 : 4);
    if (symbol >= 0) dims[0] = 1 + below(m, 3) / 2;
    snprintf(name, sizeof name, "in%d", m->sources++);
    add(m, locum_input(m->graph, name, LOCUM_REAL32, symbol, n_dims, dims), 1, 0, true);
}

static void add_parameter(maker *m, int n_dims, const int64_t *dims)
{
    char name[32];
    snprintf(name, sizeof name, "par%d", m->sources++);
    add(m, locum_parameter(m->graph, name, LOCUM_REAL32, n_dims, dims), 1, 0, true);
}

static item last(const maker *m)
{
    return m->pool[m->n - 1];
}

/* --- elementwise ------------------------------------------------------------------------------------------------- */

static void unary(maker *m, item x)
{
    static const struct {
        locum_op op;
        double slope, most;
    } smooth[] = {{LOCUM_OP_tanh, 1, 1},
                  {LOCUM_OP_sigmoid, 0.25, 1},
                  {LOCUM_OP_sin, 1, 1},
                  {LOCUM_OP_cos, 1, 1},
                  {LOCUM_OP_erf, 1.13, 1}};
    static const struct {
        locum_op op;
        double slope;
    } growing[] = {{LOCUM_OP_softplus, 1}, {LOCUM_OP_silu, 1.1}, {LOCUM_OP_gelu, 1.13},
                   {LOCUM_OP_relu, 1},     {LOCUM_OP_abs, 1},    {LOCUM_OP_neg, 1}};
    const int64_t kind = below(m, 13);
    const locum_id squashed = locum_unary(m->graph, LOCUM_OP_tanh, x.id);
    const double e = x.error + 8 * U; /* of the squashed value */
    if (kind < 5) {
        add(m, locum_unary(m->graph, smooth[kind].op, x.id), smooth[kind].most, smooth[kind].slope * x.error + 8 * U,
            false);
    } else if (kind < 11) {
        const double most = x.size + 1;
        add(m, locum_unary(m->graph, growing[kind - 5].op, x.id), most,
            growing[kind - 5].slope * x.error + 8 * U * most, false);
    } else {
        const locum_id two = locum_scale(m->graph, squashed, 0.5, 2); /* 1.5 .. 2.5 */
        static const locum_op careful[] = {LOCUM_OP_log, LOCUM_OP_sqrt, LOCUM_OP_reciprocal, LOCUM_OP_exp};
        const int64_t k = below(m, 5);
        const locum_id y = k < 4 ? locum_unary(m->graph, careful[k], two) : locum_power(m->graph, two, 1.5);
        add(m, y, k == 3 ? 12.2 : 4, (k == 3 ? 6.1 : 1.2) * (e + 2 * U) + 64 * U, false);
    }
}

static void scale(maker *m, item x)
{
    const double a = (double)below(m, 9) / 4 - 1, b = (double)below(m, 5) / 2 - 1, most = fabs(a) * x.size + fabs(b);
    add(m, locum_scale(m->graph, x.id, a, b), most, fabs(a) * x.error + 2 * U * most, false);
}

/* Something that x can be combined with: another node that broadcasts, a bias, a column, a scalar. */
static item partner(maker *m, item x)
{
    const locum_node n = node(m, x.id);
    const int64_t width = n.n_dims ? n.dims[n.n_dims - 1] : 1, one = 1;
    switch (below(m, 6)) {
    case 0:
        if (n.n_dims > (n.symbol >= 0)) {
            add_parameter(m, 1, &width);
            return last(m);
        }
        break;
    case 1: add_parameter(m, 1, &one); return last(m);
    case 2: {
        const double value = (double)below(m, 7) / 2 - 1.5;
        return (item){locum_scalar(m->graph, LOCUM_REAL32, value), fabs(value), 0, true};
    }
    default: break;
    }
    for (int tries = 0; tries < 12; tries++) {
        const item y = pick(m);
        const locum_node o = node(m, y.id);
        if (o.n_dims == n.n_dims && o.symbol == n.symbol &&
            memcmp(o.dims, n.dims, (size_t)n.n_dims * sizeof *o.dims) == 0)
            return y;
    }
    return x;
}

static void binary(maker *m, item x)
{
    const item y = partner(m, x);
    const double sum = x.size + y.size, most = x.size > y.size ? x.size : y.size;
    switch (below(m, 7)) {
    case 0: add(m, locum_binary(m->graph, LOCUM_OP_add, x.id, y.id), sum, x.error + y.error + U * sum, false); break;
    case 1:
        add(m, locum_binary(m->graph, LOCUM_OP_subtract, y.id, x.id), sum, x.error + y.error + U * sum, false);
        break;
    case 2: add(m, locum_binary(m->graph, LOCUM_OP_maximum, x.id, y.id), most, x.error + y.error, false); break;
    case 3: add(m, locum_binary(m->graph, LOCUM_OP_minimum, x.id, y.id), most, x.error + y.error, false); break;
    case 4: {
        const locum_id below_two = locum_scale(m->graph, locum_unary(m->graph, LOCUM_OP_sigmoid, y.id), 1, 1);
        add(m, locum_binary(m->graph, LOCUM_OP_divide, x.id, below_two), x.size, x.error + x.size * (y.error + 16 * U),
            false);
        break;
    }
    default:
        add(m, locum_binary(m->graph, LOCUM_OP_multiply, x.id, y.id), x.size * y.size,
            x.error * y.size + y.error * x.size + U * x.size * y.size, false);
    }
}

/* Steps of inputs are exact; what they choose from need not be. */
static void step(maker *m, item x)
{
    for (int tries = 0; tries < 20; tries++) {
        const item y = m->pool[below(m, m->n)];
        const locum_node n = node(m, x.id), o = node(m, y.id);
        if (!y.exact || o.n_dims != n.n_dims || o.symbol != n.symbol) continue;
        if (memcmp(o.dims, n.dims, (size_t)n.n_dims * sizeof *o.dims) != 0) continue;
        const locum_id above =
            locum_binary(m->graph, LOCUM_OP_greater, y.id, locum_scalar(m->graph, LOCUM_REAL32, 0.25));
        const locum_id half = locum_scale(m->graph, x.id, 0.5, 0);
        add(m, locum_select(m->graph, above, x.id, half), x.size, x.error + U * x.size, false);
        add(m, locum_unary(m->graph, LOCUM_OP_sign, y.id), 1, 0, true);
        return;
    }
}

/* --- shapes ------------------------------------------------------------------------------------------------------ */

static int64_t count_of(const locum_node *n)
{
    int64_t count = 1;
    for (int i = 0; i < n->n_dims; i++) count *= n->dims[i];
    return count;
}

/* An axis that is not along a symbol; -1 = none. */
static int any_axis(maker *m, const locum_node *n)
{
    const int first = n->symbol >= 0;
    return n->n_dims > first ? first + (int)below(m, n->n_dims - first) : -1;
}

static void reshape(maker *m, item x)
{
    const locum_node n = node(m, x.id);
    int64_t dims[LOCUM_DIMS_MAX], count = count_of(&n);
    int n_dims = 0;
    if (n.symbol >= 0) { /* the symbol's dim takes a factor */
        dims[n_dims++] = count % 2 == 0 && below(m, 3) == 0 ? 2 : 1;
        count /= dims[0];
    }
    while (count > 1 && n_dims < 5) {
        int64_t factor = 1 + below(m, count);
        while (count % factor) factor--;
        dims[n_dims] = n_dims >= 3 ? count : factor;
        count /= dims[n_dims++];
    }
    if (count > 1) dims[n_dims++] = count;
    if (below(m, 4) == 0 && n_dims < 6) dims[n_dims++] = 1;
    add(m, locum_reshape(m->graph, x.id, n_dims, dims), x.size, x.error, x.exact);
}

static void permute(maker *m, item x)
{
    const locum_node n = node(m, x.id);
    const int first = n.symbol >= 0;
    int order[LOCUM_DIMS_MAX];
    for (int i = 0; i < n.n_dims; i++) order[i] = i;
    for (int i = n.n_dims - 1; i > first; i--) {
        const int j = first + (int)below(m, i - first + 1), old = order[i];
        order[i] = order[j];
        order[j] = old;
    }
    add(m, locum_permute(m->graph, x.id, order), x.size, x.error, x.exact);
}

static void along_axis(maker *m, item x)
{
    const locum_node n = node(m, x.id);
    const int axis = any_axis(m, &n);
    if (axis < 0) return;
    const int64_t size = n.dims[axis];
    switch (count_of(&n) > COUNT_MAX ? 0 : below(m, 4)) {
    case 0: {
        const int64_t first = below(m, size), most = size - first, step_ = 1 + below(m, 2),
                      count = 1 + below(m, (most + step_ - 1) / step_);
        add(m, locum_slice(m->graph, x.id, axis, first, count, step_), x.size, x.error, x.exact);
        break;
    }
    case 1: {
        const locum_pad_mode mode = (locum_pad_mode)below(m, 3);
        const int64_t most = mode == LOCUM_PAD_REFLECT ? size - 1 : size;
        add(m, locum_pad(m->graph, x.id, axis, below(m, most + 1), below(m, most + 1), mode), x.size, x.error, false);
        break;
    }
    case 2: {
        const item parts[3] = {x, x, {locum_unary(m->graph, LOCUM_OP_neg, x.id), x.size, x.error, false}};
        const int n_parts = 1 + (int)below(m, 3);
        const locum_id ids[3] = {parts[0].id, parts[2].id, parts[1].id};
        add(m, locum_concat(m->graph, axis, n_parts, ids), x.size, x.error, false);
        break;
    }
    default: add(m, locum_flip(m->graph, x.id, axis), x.size, x.error, x.exact);
    }
}

static void expand(maker *m, item x)
{
    const locum_node n = node(m, x.id);
    int64_t dims[LOCUM_DIMS_MAX];
    if (count_of(&n) > COUNT_MAX) return;
    memcpy(dims, n.dims, sizeof dims);
    for (int i = n.symbol >= 0; i < n.n_dims; i++)
        if (dims[i] == 1) dims[i] = 1 + below(m, 4);
    add(m, locum_expand(m->graph, x.id, n.symbol, n.n_dims, dims), x.size, x.error, false);
    if (n.symbol >= 0 || n.n_dims > 3 || below(m, 2)) return;
    memmove(dims + 1, dims, 3 * sizeof *dims); /* new rows in front */
    dims[0] = 1 + below(m, 2);
    add(m, locum_expand(m->graph, x.id, m->symbol[0], n.n_dims + 1, dims), x.size, x.error, false);
}

static void sum(maker *m, item x)
{
    const locum_node n = node(m, x.id);
    int axes[LOCUM_DIMS_MAX], n_axes = 0;
    double count = 1;
    for (int i = 0; i < n.n_dims; i++) {
        if (below(m, 2) || (m->rows_only && i == 0 && n.symbol >= 0)) continue;
        axes[n_axes++] = i;
        count *= (double)n.dims[i] * (i == 0 && n.symbol >= 0 ? (double)m->rows : 1);
    }
    if (n_axes == 0) return;
    if (below(m, 2)) {
        add(m, locum_mean(m->graph, x.id, n_axes, axes, below(m, 2)), x.size, x.error + (count + 2) * U * x.size,
            false);
    } else {
        const locum_id total = locum_sum(m->graph, x.id, n_axes, axes, below(m, 2));
        add(m, locum_scale(m->graph, total, 1 / count, 0), x.size, x.error + (count + 2) * U * x.size, false);
    }
}

/* --- products, norms --------------------------------------------------------------------------------------------- */

static bool has_columns(const locum_node *n)
{
    return n->n_dims > (n->symbol >= 0);
}

static void product(maker *m, item x)
{
    const locum_node n = node(m, x.id);
    if (!has_columns(&n)) return;
    const int64_t width = n.dims[n.n_dims - 1];
    int64_t groups = 1 + below(m, 3);
    while (width % groups) groups--;
    const int64_t k = width / groups, out = 1 + below(m, 20);
    const bool transposed = below(m, 2);
    const int64_t dims[3] = {groups, transposed ? out : k, transposed ? k : out}, bias[1] = {groups * out};
    add_parameter(m, 3, dims);
    locum_id b = last(m).id;
    if (below(m, 4) == 0) b = locum_unary(m->graph, LOCUM_OP_tanh, b);
    const double K = (double)k;
    double size = x.size * K, error = K * (x.error + 8 * U * x.size) + K * U * size;
    locum_id y = locum_product(m->graph, x.id, b, transposed);
    if (below(m, 2)) {
        add_parameter(m, 1, bias);
        y = locum_binary(m->graph, LOCUM_OP_add, y, last(m).id);
        size += 1;
        error += U * size;
    }
    y = locum_scale(m->graph, y, 1 / sqrt(K), 0);
    size = size / sqrt(K) + U;
    error = error / sqrt(K) + 2 * U * size;
    while (below(m, 3) == 0) { /* multiples and shifts of columns, which may become part of weight and bias */
        static const locum_op on_columns[] = {LOCUM_OP_multiply, LOCUM_OP_add, LOCUM_OP_subtract};
        const int64_t op = below(m, 3);
        add_parameter(m, 1, bias);
        y = locum_binary(m->graph, on_columns[op], y, last(m).id);
        size += op > 0;
        error += 2 * U * size;
    }
    static const locum_op activations[] = {LOCUM_OP_tanh, LOCUM_OP_sigmoid, LOCUM_OP_silu, LOCUM_OP_gelu,
                                           LOCUM_OP_relu};
    if (below(m, 3) == 0) {
        const int64_t a = below(m, 5);
        add(m, locum_unary(m->graph, activations[a], y), a < 2 ? 1 : size, 1.13 * error + 8 * U * (a < 2 ? 1 : size),
            false);
        return;
    }
    add(m, y, size, error, false);
}

/* A constant matrix along any axis, sometimes added to a product and squashed: the end of a Fourier layer. */
static void transform(maker *m, item x)
{
    const locum_node n = node(m, x.id);
    const int axis = any_axis(m, &n);
    double values[24 * 24];
    if (axis < 0 || n.dims[axis] > 24 || count_of(&n) > COUNT_MAX) return;
    const int64_t N = n.dims[axis], M = below(m, 3) ? N : 1 + below(m, 24);
    const bool transposed = below(m, 2);
    const int64_t dims[2] = {transposed ? N : M, transposed ? M : N};
    for (int64_t i = 0; i < M * N; i++) values[i] = (double)below(m, 9) / 8 - 0.5;
    const double k = (double)N;
    double size = x.size * k / 2, error = k * x.error / 2 + k * U * size;
    locum_id y =
        locum_transform_axis(m->graph, x.id, locum_constant(m->graph, LOCUM_REAL32, 2, dims, values), axis, transposed);
    const int64_t width = n.dims[n.n_dims - 1], weight[3] = {1, width, width};
    if (M == N && n.n_dims > 1 && below(m, 2)) {
        const double w = (double)width;
        add_parameter(m, 3, weight);
        y = locum_binary(m->graph, LOCUM_OP_add, locum_product(m->graph, x.id, last(m).id, false), y);
        error += w * x.error + w * U * w * x.size;
        size += w * x.size;
        error += U * size;
    }
    if (below(m, 2)) {
        y = locum_unary(m->graph, LOCUM_OP_gelu, y);
        error = 1.13 * error + 8 * U * size;
    }
    add(m, locum_scale(m->graph, y, 1 / k, 0), size / k, error / k + 2 * U * size / k, false);
}

static void product_rows(maker *m, item x)
{
    const locum_node n = node(m, x.id);
    if (m->rows_only || n.n_dims < 2) return;
    const item y = (item){locum_unary(m->graph, LOCUM_OP_sin, x.id), 1, x.error + 8 * U, false};
    double rows = n.symbol >= 0 ? (double)m->rows : 1;
    for (int i = 0; i < n.n_dims - 1; i++) rows *= (double)n.dims[i];
    const locum_id w = locum_product_rows(m->graph, x.id, y.id, n.dims[n.n_dims - 1] % 2 == 0 ? 2 : 1);
    add(m, locum_scale(m->graph, w, 1 / rows, 0), x.size, x.error + y.error * x.size + (rows + 2) * U * x.size, false);
}

/* One of the trio on [batch, grid.., C], scaled to the size of x. */
static void convolution(maker *m, item x)
{
    const locum_node n = node(m, x.id);
    const int axes = n.n_dims - 2;
    if (axes < 1 || axes > 3 || count_of(&n) > COUNT_MAX) return;
    locum_window window = {
        .n_axes = axes, .periodic = below(m, 2), .stride = 1 + below(m, 4) / 3, .dilation = 1 + below(m, 4) / 3};
    const int kind = (int)below(m, m->rows_only ? 4 : 5); /* 0, 1: forward; 2, 3: input; 4: weight */
    const int64_t C = n.dims[n.n_dims - 1], other = 1 + below(m, 20);
    int64_t dims[5], taps = 1;
    double points = n.symbol >= 0 ? (double)m->rows : 1;
    for (int i = 0; i < axes; i++) {
        const int64_t size = n.dims[1 + i];
        dims[i] = 1 + below(m, 3);
        taps *= dims[i];
        points *= (double)size;
        window.before[i] = below(m, 3) - (below(m, 8) == 0);
        window.size[i] = kind < 2   ? (size + window.stride - 1) / window.stride
                         : kind < 4 ? size * window.stride - (below(m, 6) == 0 && size * window.stride > 1)
                                    : dims[i];
    }
    if (kind == 4) {
        window.stride = 1;
        const item y = (item){locum_unary(m->graph, LOCUM_OP_sin, x.id), 1, x.error + 8 * U, false};
        points *= (double)n.dims[0];
        const locum_id w = locum_convolution_weight(m->graph, x.id, y.id, &window);
        add(m, locum_scale(m->graph, w, 1 / points, 0), x.size, x.error + y.error * x.size + (points + 2) * U * x.size,
            false);
        return;
    }
    dims[axes] = kind < 2 ? C : other;
    dims[axes + 1] = kind < 2 ? other : C;
    add_parameter(m, axes + 2, dims);
    /* a grid that wraps unevenly may be met by several points a tap */
    const double K = (double)(taps * C) * (kind >= 2 && window.periodic ? 8 : 1);
    double size = x.size * K, error = K * x.error + K * U * size;
    locum_id y = kind < 2 ? locum_convolution(m->graph, x.id, last(m).id, &window)
                          : locum_convolution_input(m->graph, x.id, last(m).id, &window);
    if (below(m, 2)) {
        add_parameter(m, 1, &other);
        y = locum_binary(m->graph, LOCUM_OP_add, y, last(m).id);
        size += 1;
        error += U * size;
    }
    if (below(m, 3) == 0) {
        add(m, locum_unary(m->graph, LOCUM_OP_tanh, y), 1, error + 8 * U, false);
        return;
    }
    add(m, locum_scale(m->graph, y, 1 / sqrt(K), 0), size / sqrt(K) + U, error / sqrt(K) + 2 * U * size, false);
}

static void coarser_or_finer(maker *m, item x)
{
    const locum_node n = node(m, x.id);
    const int axes = n.n_dims - 2;
    bool even = axes >= 1 && axes <= 2;
    for (int i = 1; i <= axes; i++) even = even && n.dims[i] % 2 == 0;
    if (!even || below(m, 3) == 0) {
        if (axes >= 1 && axes <= 2 && count_of(&n) < COUNT_MAX)
            add(m, locum_resize_nearest(m->graph, x.id, axes, 2), x.size, x.error, false);
    } else if (below(m, 2)) {
        add(m, locum_pool_max(m->graph, x.id, axes), x.size, x.error, false);
    } else {
        add(m, locum_pool_mean(m->graph, x.id, axes, 2), x.size, x.error + 6 * U * x.size, false);
    }
}

static void norm(maker *m, item x)
{
    const locum_node n = node(m, x.id);
    if (!has_columns(&n)) return;
    const int64_t width = n.dims[n.n_dims - 1];
    if (below(m, 2)) {
        add(m, locum_unary(m->graph, LOCUM_OP_softmax, x.id), 1, 2 * x.error + (double)width * 4 * U * (1 + x.size),
            false);
        return;
    }
    add_parameter(m, 1, &width);
    const locum_id gain = last(m).id;
    add_parameter(m, 1, &width);
    const double w = (double)width; /* slope at most 2 / sqrt(epsilon) */
    add(m, locum_layer_norm(m->graph, x.id, gain, last(m).id, 0.25), 1 + sqrt(w),
        8 * x.error + w * 8 * U * (1 + x.size) * (1 + x.size), false);
}

static void noise(maker *m)
{
    const int64_t dims[3] = {1 + below(m, 2), 1 + below(m, 3), 1 + below(m, 9)};
    add(m, locum_noise(m->graph, below(m, 2) ? m->symbol[0] : -1, 3, dims, (uint32_t)below(m, 5)), 6, 6 * U, false);
}

/* --- all --------------------------------------------------------------------------------------------------------- */

static void grow(maker *m)
{
    const item x = pick(m);
    if (x.size > 100 || x.error > 1e-3) { /* bring it back to size */
        add(m, locum_unary(m->graph, LOCUM_OP_tanh, x.id), 1, x.error + 8 * U, false);
        return;
    }
    switch (below(m, 22)) {
    case 0:
    case 1:
    case 2: unary(m, x); break;
    case 3: scale(m, x); break;
    case 4:
    case 5:
    case 6: binary(m, x); break;
    case 7: step(m, x); break;
    case 8: reshape(m, x); break;
    case 9: permute(m, x); break;
    case 10:
    case 11: along_axis(m, x); break;
    case 12: expand(m, x); break;
    case 13: sum(m, x); break;
    case 14:
    case 15: product(m, x); break;
    case 18:
    case 19: convolution(m, x); break;
    case 20: coarser_or_finer(m, x); break;
    case 16:
        if (below(m, 2))
            product_rows(m, x);
        else
            norm(m, x);
        break;
    case 17: transform(m, x); break;
    default:
        if (below(m, 3))
            norm(m, x);
        else
            noise(m);
    }
}

random_graph random_graph_make(uint64_t seed, int64_t rows)
{
    maker m = {.state = seed * 0x2545f4914f6cdd1du + 17, .rows = rows};
    random_graph r = {0};
    if (locum_graph_create(&m.graph)) return r;
    m.symbol[0] = locum_graph_symbol(m.graph, "batch");
    m.symbol[1] = locum_graph_symbol(m.graph, "nodes");
    m.rows_only = r.rows_only = below(&m, 3) == 0;
    add_input(&m, m.symbol[0]);
    add_input(&m, m.symbol[0]);
    add_input(&m, below(&m, 2) ? m.symbol[1] : -1);
    const int length = 5 + (int)below(&m, 45);
    for (int i = 0; i < length; i++) grow(&m);
    const int n_outputs = 1 + (int)below(&m, 5);
    for (int tries = 0; tries < 200 && r.n_outputs < n_outputs; tries++) {
        const item x = pick(&m);
        if (x.error > 0.02 || x.size > 1e4) continue;
        r.outputs[r.n_outputs] = x.id;
        r.tolerance[r.n_outputs++] = x.error + 4 * U * x.size;
    }
    if (r.n_outputs == 0) { /* never a graph without claims */
        r.outputs[0] = m.pool[0].id;
        r.n_outputs = 1;
    }
    r.graph = m.graph;
    return r;
}
