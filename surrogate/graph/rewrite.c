/* SPDX-License-Identifier: BSD-3-Clause */
/* rewrite.c - the rules by which one node becomes a simpler one of the same value.
 *
 * What is exact (values of a run bit for bit, in any precision that rounds correctly, NaN included):
 *     equal nodes merged; a + b = b + a, a b = b a; -(-x), | |x| |, |-x|, (-a)(-b); x 1, x / 1, x (-1), x - 0, x^1;
 *     max(x, x); a + (-b) = a - b; a (-x) + b = (-a) x + b; select of equal branches or of a constant condition;
 *     widening casts; x / 2^k = x 2^-k; every rule on reshape, permute, expand, slice, pad, concat, flip; sums over
 *     axes of size 1; transposes moved into a product.
 * Exact but for the sign of a zero: x + 0, 0 - x, c x as scale(x, c, 0), -(a x + b) as (-a) x + (-b).
 * Exact by the definition of the operators: x^2 = x x, x^-1 = 1/x, x^(1/2) = sqrt x, 1 / x.
 * Folded constants are computed in double, as evaluate does. Never done: x 0, x - x, reordered or merged sums,
 * c1 (c2 x).
 * stop_gradient stays, for it has a meaning to whoever differentiates the result. */
#include "surrogate/graph/rewrite.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static locum_id input_of(const locum_graph *g, locum_id id, int i)
{
    return locum_graph_inputs(g, id)[i];
}

static bool is(const locum_graph *g, locum_id id, locum_op op)
{
    return locum_graph_node(g, id)->op == op;
}

/* are all values of a node the same, known number? */
bool locum_uniform(const locum_graph *g, locum_id id, double *value)
{
    while (is(g, id, LOCUM_OP_expand) || is(g, id, LOCUM_OP_reshape)) id = input_of(g, id, 0);
    if (!is(g, id, LOCUM_OP_constant)) return false;
    const locum_shape shape = locum_shape_of(g, id);
    const int64_t count = locum_shape_count(&shape);
    const double *data = locum_graph_data(g, id);
    if (count > LOCUM_FOLD_MAX) return false;
    for (int64_t i = 1; i < count; i++)
        if (memcmp(&data[i], &data[0], sizeof *data)) return false;
    *value = data[0];
    return true;
}

static bool uniform_is(const locum_graph *g, locum_id id, double wanted)
{
    double value;
    return locum_uniform(g, id, &value) && value == wanted;
}

/* --- rules: each answers with an id that has the value, or changes the draft and sets r->again -------------------- */

static void become(locum_rewrite *r, locum_op op, int n_inputs, locum_id a, locum_id b)
{
    r->draft->op = op;
    r->draft->n_inputs = n_inputs;
    r->draft->n_integers = r->draft->n_reals = 0;
    r->in[0] = a;
    if (n_inputs > 1) r->in[1] = b;
    r->again = true;
}

static void become_scale(locum_rewrite *r, locum_id x, double factor, double offset)
{
    become(r, LOCUM_OP_scale, 1, x, 0);
    r->draft->n_reals = 2;
    r->draft->reals[0] = factor;
    r->draft->reals[1] = offset;
}

static locum_id rewrite_unary(locum_rewrite *r)
{
    const locum_graph *g = r->graph;
    const locum_id x = r->in[0];
    const locum_op op = r->draft->op;
    const double *a = r->draft->reals;
    if (op == LOCUM_OP_neg && is(g, x, LOCUM_OP_neg)) return input_of(g, x, 0);
    if (op == LOCUM_OP_neg && is(g, x, LOCUM_OP_scale)) {
        const double *inner = locum_graph_reals(g, x);
        become_scale(r, input_of(g, x, 0), -inner[0], -inner[1]);
    } else if (op == LOCUM_OP_abs && is(g, x, LOCUM_OP_abs)) {
        return x;
    } else if (op == LOCUM_OP_abs && is(g, x, LOCUM_OP_neg)) {
        become(r, LOCUM_OP_abs, 1, input_of(g, x, 0), 0);
    } else if (op == LOCUM_OP_stop_gradient && is(g, x, LOCUM_OP_stop_gradient)) {
        return x;
    } else if (op == LOCUM_OP_scale) {
        if (a[0] == 1 && a[1] == 0) return x;
        if (a[0] == -1 && a[1] == 0)
            become(r, LOCUM_OP_neg, 1, x, 0);
        else if (is(g, x, LOCUM_OP_neg))
            become_scale(r, input_of(g, x, 0), -a[0], a[1]);
    } else if (op == LOCUM_OP_power) {
        if (a[0] == 1) return x;
        if (a[0] == 2) become(r, LOCUM_OP_multiply, 2, x, x);
        if (a[0] == -1) become(r, LOCUM_OP_reciprocal, 1, x, 0);
        if (a[0] == 0.5) become(r, LOCUM_OP_sqrt, 1, x, 0);
    }
    return 0;
}

static locum_id rewrite_cast(locum_rewrite *r)
{
    static const int width[] = {[LOCUM_BFLOAT16] = 1, [LOCUM_REAL32] = 2, [LOCUM_REAL64] = 3, [LOCUM_INTEGER32] = 0};
    const locum_id x = r->in[0];
    const locum_node *inner = locum_graph_node(r->graph, x);
    if (inner->number == r->draft->shape.number) return x;
    if (inner->op != LOCUM_OP_cast) return 0;
    const locum_id source = input_of(r->graph, x, 0);
    const int narrow = locum_graph_node(r->graph, source)->number, wide = inner->number;
    if (width[narrow] && width[wide] && width[narrow] <= width[wide]) {
        r->in[0] = source;
        r->again = true;
    }
    return 0;
}

static locum_id rewrite_add(locum_rewrite *r)
{
    const locum_graph *g = r->graph;
    const locum_id a = r->in[0], b = r->in[1];
    double c;
    if (uniform_is(g, b, 0)) return a;
    if (uniform_is(g, a, 0)) return b;
    if (is(g, b, LOCUM_OP_neg))
        become(r, LOCUM_OP_subtract, 2, a, input_of(g, b, 0));
    else if (is(g, a, LOCUM_OP_neg))
        become(r, LOCUM_OP_subtract, 2, b, input_of(g, a, 0));
    else if (locum_uniform(g, b, &c) && isfinite(c))
        become_scale(r, a, 1, c);
    else if (locum_uniform(g, a, &c) && isfinite(c))
        become_scale(r, b, 1, c);
    return 0;
}

static locum_id rewrite_subtract(locum_rewrite *r)
{
    const locum_graph *g = r->graph;
    const locum_id a = r->in[0], b = r->in[1];
    double c;
    if (uniform_is(g, b, 0)) return a;
    if (is(g, b, LOCUM_OP_neg))
        become(r, LOCUM_OP_add, 2, a, input_of(g, b, 0));
    else if (uniform_is(g, a, 0))
        become(r, LOCUM_OP_neg, 1, b, 0);
    else if (locum_uniform(g, b, &c) && isfinite(c))
        become_scale(r, a, 1, -c);
    else if (locum_uniform(g, a, &c) && isfinite(c))
        become_scale(r, b, -1, c);
    return 0;
}

static locum_id rewrite_multiply(locum_rewrite *r)
{
    const locum_graph *g = r->graph;
    const locum_id a = r->in[0], b = r->in[1];
    double c;
    if (uniform_is(g, b, 1)) return a;
    if (uniform_is(g, a, 1)) return b;
    if (locum_uniform(g, b, &c) && isfinite(c))
        become_scale(r, a, c, 0);
    else if (locum_uniform(g, a, &c) && isfinite(c))
        become_scale(r, b, c, 0);
    else if (is(g, a, LOCUM_OP_neg) && is(g, b, LOCUM_OP_neg))
        become(r, LOCUM_OP_multiply, 2, input_of(g, a, 0), input_of(g, b, 0));
    return 0;
}

static locum_id rewrite_divide(locum_rewrite *r)
{
    const locum_graph *g = r->graph;
    const locum_id a = r->in[0], b = r->in[1];
    double c;
    int exponent;
    if (uniform_is(g, b, 1)) return a;
    if (uniform_is(g, a, 1))
        become(r, LOCUM_OP_reciprocal, 1, b, 0);
    else if (locum_uniform(g, b, &c) && isfinite(c) && fabs(frexp(c, &exponent)) == 0.5 &&
             abs(exponent) < 100) /* +-2^k */
        become_scale(r, a, 1 / c, 0);
    return 0;
}

static locum_id rewrite_choice(locum_rewrite *r)
{
    double c;
    if (r->draft->op == LOCUM_OP_select) {
        if (r->in[1] == r->in[2]) return r->in[1];
        if (locum_uniform(r->graph, r->in[0], &c)) return c != 0 ? r->in[1] : r->in[2];
        return 0;
    }
    return r->in[0] == r->in[1] ? r->in[0] : 0; /* maximum, minimum */
}

static locum_id rewrite_reshape(locum_rewrite *r)
{
    const locum_shape from = locum_shape_of(r->graph, r->in[0]);
    if (locum_shape_equal(&from, &r->draft->shape)) return r->in[0];
    if (is(r->graph, r->in[0], LOCUM_OP_reshape)) {
        r->in[0] = input_of(r->graph, r->in[0], 0);
        r->again = true;
    }
    return 0;
}

/* does a reshape only put dims of size 1 in front? */
static bool only_leads(const locum_graph *g, locum_id id)
{
    const locum_shape to = locum_shape_of(g, id), from = locum_shape_of(g, input_of(g, id, 0));
    const int lead = to.n_dims - from.n_dims;
    bool same = is(g, id, LOCUM_OP_reshape) && from.symbol < 0 && lead >= 0;
    for (int i = 0; same && i < to.n_dims; i++) same = to.dims[i] == (i < lead ? 1 : from.dims[i - lead]);
    return same;
}

static locum_id rewrite_expand(locum_rewrite *r)
{
    const locum_id x = r->in[0];
    const locum_shape from = locum_shape_of(r->graph, x);
    if (locum_shape_equal(&from, &r->draft->shape)) return x;
    if (is(r->graph, x, LOCUM_OP_expand) || (is(r->graph, x, LOCUM_OP_reshape) && only_leads(r->graph, x))) {
        r->in[0] = input_of(r->graph, x, 0);
        r->again = true;
    }
    return 0;
}

static locum_id rewrite_permute(locum_rewrite *r)
{
    int64_t *order = r->draft->integers;
    bool identity = true;
    for (int i = 0; i < r->draft->n_integers; i++) identity = identity && order[i] == i;
    if (identity) return r->in[0];
    if (is(r->graph, r->in[0], LOCUM_OP_permute)) {
        const int64_t *inner = locum_graph_integers(r->graph, r->in[0]);
        for (int i = 0; i < r->draft->n_integers; i++) order[i] = inner[order[i]];
        r->in[0] = input_of(r->graph, r->in[0], 0);
        r->again = true;
    }
    return 0;
}

static locum_id rewrite_sum(locum_rewrite *r)
{
    const locum_shape from = locum_shape_of(r->graph, r->in[0]);
    locum_draft *d = r->draft;
    int left = 1;
    int64_t axes[LOCUM_INTEGERS_MAX];
    for (int i = 1; i < d->n_integers; i++) {
        const int64_t axis = d->integers[i];
        if (from.dims[axis] != 1 || (axis == 0 && from.symbol >= 0)) axes[left++] = axis;
    }
    if (left == d->n_integers && left > 1) return 0;
    if (left == 1) {
        d->op = LOCUM_OP_reshape; /* nothing is added up; the shape asked for is that of the node */
        d->n_integers = 0;
        r->again = true;
    } else if (d->integers[0]) {
        memcpy(d->integers + 1, axes + 1, (size_t)(left - 1) * sizeof *axes);
        d->n_integers = left;
    }
    return 0;
}

static void slice_of_concat(locum_rewrite *r, locum_id x)
{
    const int64_t axis = r->draft->integers[0], first = r->draft->integers[1], n = r->draft->integers[2];
    int64_t start = 0;
    if (locum_graph_integers(r->graph, x)[0] != axis || r->draft->integers[3] != 1) return;
    for (int i = 0; i < locum_graph_node(r->graph, x)->n_inputs; i++) {
        const locum_id part = input_of(r->graph, x, i);
        const int64_t size = locum_graph_node(r->graph, part)->dims[axis];
        if (first >= start && first + n <= start + size) {
            r->in[0] = part;
            r->draft->integers[1] = first - start;
            r->again = true;
            return;
        }
        start += size;
    }
}

static locum_id rewrite_slice(locum_rewrite *r)
{
    const locum_graph *g = r->graph;
    const locum_id x = r->in[0];
    int64_t *a = r->draft->integers; /* axis, first, n, step */
    if (a[1] == 0 && a[3] == 1 && a[2] == locum_graph_node(g, x)->dims[a[0]]) return x;
    const int64_t *inner = locum_graph_integers(g, x);
    if (is(g, x, LOCUM_OP_concat)) {
        slice_of_concat(r, x);
    } else if (is(g, x, LOCUM_OP_slice) && inner[0] == a[0]) {
        a[1] = inner[1] + a[1] * inner[3];
        a[3] *= inner[3];
        r->in[0] = input_of(g, x, 0);
        r->again = true;
    } else if (is(g, x, LOCUM_OP_pad) && inner[0] == a[0]) { /* a slice of the middle, of any mode */
        const int64_t before = inner[1], size = locum_graph_node(g, input_of(g, x, 0))->dims[a[0]];
        if (a[1] >= before && a[1] + (a[2] - 1) * a[3] < before + size) {
            a[1] -= before;
            r->in[0] = input_of(g, x, 0);
            r->again = true;
        }
    }
    return 0;
}

static locum_id rewrite_pad(locum_rewrite *r)
{
    int64_t *a = r->draft->integers; /* axis, before, after, mode */
    const int64_t *inner = locum_graph_integers(r->graph, r->in[0]);
    if (a[1] == 0 && a[2] == 0) return r->in[0];
    if (a[3] == LOCUM_PAD_ZERO && is(r->graph, r->in[0], LOCUM_OP_pad) && inner[0] == a[0] &&
        inner[3] == LOCUM_PAD_ZERO) {
        a[1] += inner[1];
        a[2] += inner[2];
        r->in[0] = input_of(r->graph, r->in[0], 0);
        r->again = true;
    }
    return 0;
}

static locum_id rewrite_flip(locum_rewrite *r)
{
    const int64_t axis = r->draft->integers[0];
    if (locum_graph_node(r->graph, r->in[0])->dims[axis] == 1) return r->in[0];
    if (is(r->graph, r->in[0], LOCUM_OP_flip) && locum_graph_integers(r->graph, r->in[0])[0] == axis)
        return input_of(r->graph, r->in[0], 0);
    return 0;
}

static locum_id rewrite_product(locum_rewrite *r)
{
    const locum_id b = r->in[1];
    const int64_t *order = locum_graph_integers(r->graph, b);
    if (is(r->graph, b, LOCUM_OP_permute) && order[0] == 0 && order[1] == 2) {
        r->in[1] = input_of(r->graph, b, 0);
        r->draft->integers[0] = !r->draft->integers[0];
        r->again = true;
    }
    return 0;
}

locum_id locum_rewrite_draft(locum_rewrite *r)
{
    switch (r->draft->op) {
    case LOCUM_OP_neg:
    case LOCUM_OP_abs:
    case LOCUM_OP_stop_gradient:
    case LOCUM_OP_scale:
    case LOCUM_OP_power: return rewrite_unary(r);
    case LOCUM_OP_cast: return rewrite_cast(r);
    case LOCUM_OP_add: return rewrite_add(r);
    case LOCUM_OP_subtract: return rewrite_subtract(r);
    case LOCUM_OP_multiply: return rewrite_multiply(r);
    case LOCUM_OP_divide: return rewrite_divide(r);
    case LOCUM_OP_maximum:
    case LOCUM_OP_minimum:
    case LOCUM_OP_select: return rewrite_choice(r);
    case LOCUM_OP_reshape: return rewrite_reshape(r);
    case LOCUM_OP_expand: return rewrite_expand(r);
    case LOCUM_OP_permute: return rewrite_permute(r);
    case LOCUM_OP_sum: return rewrite_sum(r);
    case LOCUM_OP_slice: return rewrite_slice(r);
    case LOCUM_OP_pad: return rewrite_pad(r);
    case LOCUM_OP_concat: return r->draft->n_inputs == 1 ? r->in[0] : 0;
    case LOCUM_OP_flip: return rewrite_flip(r);
    case LOCUM_OP_product: return rewrite_product(r);
    default: return 0;
    }
}
