/* SPDX-License-Identifier: BSD-3-Clause */
/* simplify.c - the same values by fewer nodes. One pass in order of ids: rewrite, fold constants, merge equal nodes; then the dead
 * are left behind.
 *
 * What is exact (values of a run bit for bit, in any precision that rounds correctly, NaN included):
 *     equal nodes merged; a + b = b + a, a b = b a; -(-x), | |x| |, |-x|, (-a)(-b); x 1, x / 1, x (-1), x - 0, x^1; max(x, x);
 *     a + (-b) = a - b; select of equal branches or of a constant condition; widening casts; x / 2^k = x 2^-k where both are normal;
 *     every rule on reshape, permute, expand, slice, pad, concat, flip; sums over axes of size 1; transposes moved into a product.
 * Exact but for the sign of a zero: x + 0, 0 - x, c x as scale(x, c, 0), -(a x + b) as (-a) x + (-b).
 * Exact by the definition of the operators: x^2 = x x, x^-1 = 1/x, x^(1/2) = sqrt x, 1 / x.
 * Folded constants are computed in double, as evaluate does. Never done: x 0, x - x, reordered or merged sums, c1 (c2 x).
 * stop_gradient stays, for it has a meaning to whoever differentiates the result. */
#include "surrogate/graph/operator.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/hash.h"
#include "core/memory.h"

#define FOLD_MAX 4096

/* The graph under construction and its table of nodes by content. */
typedef struct work {
    locum_graph *graph;
    locum_id *slots; /* [n_slots], owned, open addressing */
    int64_t n_slots, n_used;
    locum_view *views;      /* [widest] scratch for folding, owned */
    const double **operand; /* [widest] the same */
    double *folded;         /* [FOLD_MAX] the same */
} work;

static const locum_node *node_of(const work *w, locum_id id)
{
    return locum_graph_node(w->graph, id);
}

static locum_id input_of(const work *w, locum_id id, int i)
{
    return locum_graph_inputs(w->graph, id)[i];
}

static bool is(const work *w, locum_id id, locum_op op)
{
    return node_of(w, id)->op == op;
}

/* are all values of a node the same, known number? */
static bool uniform(const work *w, locum_id id, double *value)
{
    while (is(w, id, LOCUM_OP_expand) || is(w, id, LOCUM_OP_reshape)) id = input_of(w, id, 0);
    if (!is(w, id, LOCUM_OP_constant)) return false;
    const locum_shape shape = locum_shape_of(w->graph, id);
    const int64_t count = locum_shape_count(&shape);
    const double *data = locum_graph_data(w->graph, id);
    if (count > FOLD_MAX) return false;
    for (int64_t i = 1; i < count; i++)
        if (memcmp(&data[i], &data[0], sizeof *data)) return false;
    *value = data[0];
    return true;
}

static bool uniform_is(const work *w, locum_id id, double wanted)
{
    double value;
    return uniform(w, id, &value) && value == wanted;
}

/* --- rewriting: a rule answers with an id that has the value, or changes the draft and says so in *again -------------- */

typedef struct rewrite {
    const work *w;
    locum_draft *draft;
    locum_id *in; /* draft->in, writable */
    bool again;
} rewrite;

static void become(rewrite *r, locum_op op, int n_inputs, locum_id a, locum_id b)
{
    r->draft->op = op;
    r->draft->n_inputs = n_inputs;
    r->draft->n_integers = r->draft->n_reals = 0;
    r->in[0] = a;
    if (n_inputs > 1) r->in[1] = b;
    r->again = true;
}

static void become_scale(rewrite *r, locum_id x, double factor, double offset)
{
    become(r, LOCUM_OP_scale, 1, x, 0);
    r->draft->n_reals = 2;
    r->draft->reals[0] = factor;
    r->draft->reals[1] = offset;
}

static locum_id rewrite_unary(rewrite *r)
{
    const work *w = r->w;
    const locum_id x = r->in[0];
    const locum_op op = r->draft->op;
    const double *a = r->draft->reals;
    if (op == LOCUM_OP_neg && is(w, x, LOCUM_OP_neg)) return input_of(w, x, 0);
    if (op == LOCUM_OP_neg && is(w, x, LOCUM_OP_scale)) {
        const double *inner = locum_graph_reals(w->graph, x);
        become_scale(r, input_of(w, x, 0), -inner[0], -inner[1]);
    } else if (op == LOCUM_OP_abs && is(w, x, LOCUM_OP_abs)) {
        return x;
    } else if (op == LOCUM_OP_abs && is(w, x, LOCUM_OP_neg)) {
        become(r, LOCUM_OP_abs, 1, input_of(w, x, 0), 0);
    } else if (op == LOCUM_OP_stop_gradient && is(w, x, LOCUM_OP_stop_gradient)) {
        return x;
    } else if (op == LOCUM_OP_scale) {
        if (a[0] == 1 && a[1] == 0) return x;
        if (a[0] == -1 && a[1] == 0) become(r, LOCUM_OP_neg, 1, x, 0);
        else if (is(w, x, LOCUM_OP_neg)) become_scale(r, input_of(w, x, 0), -a[0], a[1]);
    } else if (op == LOCUM_OP_power) {
        if (a[0] == 1) return x;
        if (a[0] == 2) become(r, LOCUM_OP_multiply, 2, x, x);
        if (a[0] == -1) become(r, LOCUM_OP_reciprocal, 1, x, 0);
        if (a[0] == 0.5) become(r, LOCUM_OP_sqrt, 1, x, 0);
    }
    return 0;
}

static locum_id rewrite_cast(rewrite *r)
{
    static const int width[] = {[LOCUM_BFLOAT16] = 1, [LOCUM_REAL32] = 2, [LOCUM_REAL64] = 3, [LOCUM_INTEGER32] = 0};
    const locum_id x = r->in[0];
    const locum_node *inner = node_of(r->w, x);
    if (inner->number == r->draft->shape.number) return x;
    if (inner->op != LOCUM_OP_cast) return 0;
    const locum_id source = input_of(r->w, x, 0);
    const int narrow = node_of(r->w, source)->number, wide = inner->number;
    if (width[narrow] && width[wide] && width[narrow] <= width[wide]) {
        r->in[0] = source;
        r->again = true;
    }
    return 0;
}

static locum_id rewrite_add(rewrite *r)
{
    const work *w = r->w;
    const locum_id a = r->in[0], b = r->in[1];
    double c;
    if (uniform_is(w, b, 0)) return a;
    if (uniform_is(w, a, 0)) return b;
    if (is(w, b, LOCUM_OP_neg)) become(r, LOCUM_OP_subtract, 2, a, input_of(w, b, 0));
    else if (is(w, a, LOCUM_OP_neg)) become(r, LOCUM_OP_subtract, 2, b, input_of(w, a, 0));
    else if (uniform(w, b, &c) && isfinite(c)) become_scale(r, a, 1, c);
    else if (uniform(w, a, &c) && isfinite(c)) become_scale(r, b, 1, c);
    return 0;
}

static locum_id rewrite_subtract(rewrite *r)
{
    const work *w = r->w;
    const locum_id a = r->in[0], b = r->in[1];
    double c;
    if (uniform_is(w, b, 0)) return a;
    if (is(w, b, LOCUM_OP_neg)) become(r, LOCUM_OP_add, 2, a, input_of(w, b, 0));
    else if (uniform_is(w, a, 0)) become(r, LOCUM_OP_neg, 1, b, 0);
    else if (uniform(w, b, &c) && isfinite(c)) become_scale(r, a, 1, -c);
    else if (uniform(w, a, &c) && isfinite(c)) become_scale(r, b, -1, c);
    return 0;
}

static locum_id rewrite_multiply(rewrite *r)
{
    const work *w = r->w;
    const locum_id a = r->in[0], b = r->in[1];
    double c;
    if (uniform_is(w, b, 1)) return a;
    if (uniform_is(w, a, 1)) return b;
    if (uniform(w, b, &c) && isfinite(c)) become_scale(r, a, c, 0);
    else if (uniform(w, a, &c) && isfinite(c)) become_scale(r, b, c, 0);
    else if (is(w, a, LOCUM_OP_neg) && is(w, b, LOCUM_OP_neg))
        become(r, LOCUM_OP_multiply, 2, input_of(w, a, 0), input_of(w, b, 0));
    return 0;
}

static locum_id rewrite_divide(rewrite *r)
{
    const work *w = r->w;
    const locum_id a = r->in[0], b = r->in[1];
    double c;
    int exponent;
    if (uniform_is(w, b, 1)) return a;
    if (uniform_is(w, a, 1)) become(r, LOCUM_OP_reciprocal, 1, b, 0);
    else if (uniform(w, b, &c) && isfinite(c) && fabs(frexp(c, &exponent)) == 0.5 && abs(exponent) < 100) /* +-2^k */
        become_scale(r, a, 1 / c, 0);
    return 0;
}

static locum_id rewrite_choice(rewrite *r)
{
    double c;
    if (r->draft->op == LOCUM_OP_select) {
        if (r->in[1] == r->in[2]) return r->in[1];
        if (uniform(r->w, r->in[0], &c)) return c != 0 ? r->in[1] : r->in[2];
        return 0;
    }
    return r->in[0] == r->in[1] ? r->in[0] : 0; /* maximum, minimum */
}

static locum_id rewrite_reshape(rewrite *r)
{
    const locum_shape from = locum_shape_of(r->w->graph, r->in[0]);
    if (locum_shape_equal(&from, &r->draft->shape)) return r->in[0];
    if (is(r->w, r->in[0], LOCUM_OP_reshape)) {
        r->in[0] = input_of(r->w, r->in[0], 0);
        r->again = true;
    }
    return 0;
}

/* does a reshape only put dims of size 1 in front? */
static bool only_leads(const work *w, locum_id id)
{
    const locum_shape to = locum_shape_of(w->graph, id), from = locum_shape_of(w->graph, input_of(w, id, 0));
    const int lead = to.n_dims - from.n_dims;
    bool same = is(w, id, LOCUM_OP_reshape) && from.symbol < 0 && lead >= 0;
    for (int i = 0; same && i < to.n_dims; i++) same = to.dims[i] == (i < lead ? 1 : from.dims[i - lead]);
    return same;
}

static locum_id rewrite_expand(rewrite *r)
{
    const locum_id x = r->in[0];
    const locum_shape from = locum_shape_of(r->w->graph, x);
    if (locum_shape_equal(&from, &r->draft->shape)) return x;
    if (is(r->w, x, LOCUM_OP_expand) || (is(r->w, x, LOCUM_OP_reshape) && only_leads(r->w, x))) {
        r->in[0] = input_of(r->w, x, 0);
        r->again = true;
    }
    return 0;
}

static locum_id rewrite_permute(rewrite *r)
{
    int64_t *order = r->draft->integers;
    bool identity = true;
    for (int i = 0; i < r->draft->n_integers; i++) identity = identity && order[i] == i;
    if (identity) return r->in[0];
    if (is(r->w, r->in[0], LOCUM_OP_permute)) {
        const int64_t *inner = locum_graph_integers(r->w->graph, r->in[0]);
        for (int i = 0; i < r->draft->n_integers; i++) order[i] = inner[order[i]];
        r->in[0] = input_of(r->w, r->in[0], 0);
        r->again = true;
    }
    return 0;
}

static locum_id rewrite_sum(rewrite *r)
{
    const locum_shape from = locum_shape_of(r->w->graph, r->in[0]);
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

static void slice_of_concat(rewrite *r, locum_id x)
{
    const int64_t axis = r->draft->integers[0], first = r->draft->integers[1], n = r->draft->integers[2];
    int64_t start = 0;
    if (locum_graph_integers(r->w->graph, x)[0] != axis || r->draft->integers[3] != 1) return;
    for (int i = 0; i < node_of(r->w, x)->n_inputs; i++) {
        const locum_id part = input_of(r->w, x, i);
        const int64_t size = node_of(r->w, part)->dims[axis];
        if (first >= start && first + n <= start + size) {
            r->in[0] = part;
            r->draft->integers[1] = first - start;
            r->again = true;
            return;
        }
        start += size;
    }
}

static locum_id rewrite_slice(rewrite *r)
{
    const work *w = r->w;
    const locum_id x = r->in[0];
    int64_t *a = r->draft->integers; /* axis, first, n, step */
    if (a[1] == 0 && a[3] == 1 && a[2] == node_of(w, x)->dims[a[0]]) return x;
    const int64_t *inner = locum_graph_integers(w->graph, x);
    if (is(w, x, LOCUM_OP_concat)) {
        slice_of_concat(r, x);
    } else if (is(w, x, LOCUM_OP_slice) && inner[0] == a[0]) {
        a[1] = inner[1] + a[1] * inner[3];
        a[3] *= inner[3];
        r->in[0] = input_of(w, x, 0);
        r->again = true;
    } else if (is(w, x, LOCUM_OP_pad) && inner[0] == a[0]) { /* a slice of the middle, of any mode */
        const int64_t before = inner[1], size = node_of(w, input_of(w, x, 0))->dims[a[0]];
        if (a[1] >= before && a[1] + (a[2] - 1) * a[3] < before + size) {
            a[1] -= before;
            r->in[0] = input_of(w, x, 0);
            r->again = true;
        }
    }
    return 0;
}

static locum_id rewrite_pad(rewrite *r)
{
    int64_t *a = r->draft->integers; /* axis, before, after, mode */
    const int64_t *inner = locum_graph_integers(r->w->graph, r->in[0]);
    if (a[1] == 0 && a[2] == 0) return r->in[0];
    if (a[3] == LOCUM_PAD_ZERO && is(r->w, r->in[0], LOCUM_OP_pad) && inner[0] == a[0] && inner[3] == LOCUM_PAD_ZERO) {
        a[1] += inner[1];
        a[2] += inner[2];
        r->in[0] = input_of(r->w, r->in[0], 0);
        r->again = true;
    }
    return 0;
}

static locum_id rewrite_flip(rewrite *r)
{
    const int64_t axis = r->draft->integers[0];
    if (node_of(r->w, r->in[0])->dims[axis] == 1) return r->in[0];
    if (is(r->w, r->in[0], LOCUM_OP_flip) && locum_graph_integers(r->w->graph, r->in[0])[0] == axis) return input_of(r->w, r->in[0], 0);
    return 0;
}

static locum_id rewrite_product(rewrite *r)
{
    const locum_id b = r->in[1];
    const int64_t *order = locum_graph_integers(r->w->graph, b);
    if (is(r->w, b, LOCUM_OP_permute) && order[0] == 0 && order[1] == 2) {
        r->in[1] = input_of(r->w, b, 0);
        r->draft->integers[0] = !r->draft->integers[0];
        r->again = true;
    }
    return 0;
}

static locum_id rewrite_draft(rewrite *r)
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

/* --- equal nodes ---------------------------------------------------------------------------------------------------- */

/* inputs 0 and 1 in the order in which they are compared */
static void ordered_pair(const work *w, locum_id id, locum_id pair[2])
{
    const locum_id *in = locum_graph_inputs(w->graph, id);
    const bool swap = in[0] > in[1] && (locum_operator_of(node_of(w, id)->op)->traits & LOCUM_COMMUTES);
    pair[0] = in[swap];
    pair[1] = in[!swap];
}

static uint64_t content_hash(const work *w, locum_id id)
{
    const locum_node *n = node_of(w, id);
    const locum_shape shape = locum_shape_of(w->graph, id);
    int64_t head[6 + LOCUM_DIMS_MAX + 2 + LOCUM_INTEGERS_MAX + LOCUM_REALS_MAX] = {n->op, n->number, n->symbol, n->n_dims, n->n_inputs,
                                                                                 n->n_integers};
    int used = 6;
    for (int i = 0; i < n->n_dims; i++) head[used++] = shape.dims[i];
    for (int i = 0; i < n->n_integers; i++) head[used++] = locum_graph_integers(w->graph, id)[i];
    if (n->n_reals) memcpy(head + used, locum_graph_reals(w->graph, id), n->n_reals * sizeof(double));
    used += n->n_reals;
    if (n->n_inputs == 2) {
        locum_id pair[2];
        ordered_pair(w, id, pair);
        head[used++] = pair[0];
        head[used++] = pair[1];
    } else if (n->n_inputs) {
        head[used++] = (int64_t)locum_hash(locum_graph_inputs(w->graph, id), (size_t)n->n_inputs * sizeof(locum_id));
    }
    if (n->data >= 0) head[used++] = (int64_t)locum_hash(locum_graph_data(w->graph, id), (size_t)locum_shape_count(&shape) * sizeof(double));
    return locum_hash(head, (size_t)used * sizeof *head);
}

static bool equal_bytes(const void *a, const void *b, size_t n)
{
    return n == 0 || !memcmp(a, b, n);
}

static bool equal_nodes(const work *w, locum_id x, locum_id y)
{
    const locum_node *a = node_of(w, x), *b = node_of(w, y);
    const locum_shape p = locum_shape_of(w->graph, x), q = locum_shape_of(w->graph, y);
    if (a->op != b->op || a->number != b->number || !locum_shape_equal(&p, &q) || a->n_inputs != b->n_inputs ||
        a->n_integers != b->n_integers || a->n_reals != b->n_reals)
        return false;
    if (!equal_bytes(locum_graph_integers(w->graph, x), locum_graph_integers(w->graph, y), a->n_integers * sizeof(int64_t)) ||
        !equal_bytes(locum_graph_reals(w->graph, x), locum_graph_reals(w->graph, y), a->n_reals * sizeof(double)))
        return false;
    if (a->data >= 0)
        return equal_bytes(locum_graph_data(w->graph, x), locum_graph_data(w->graph, y), (size_t)locum_shape_count(&p) * sizeof(double));
    if (a->n_inputs != 2)
        return equal_bytes(locum_graph_inputs(w->graph, x), locum_graph_inputs(w->graph, y), (size_t)a->n_inputs * sizeof(locum_id));
    locum_id u[2], v[2];
    ordered_pair(w, x, u);
    ordered_pair(w, y, v);
    return u[0] == v[0] && u[1] == v[1];
}

static locum_status table_reserve(work *w)
{
    if (2 * (w->n_used + 1) <= w->n_slots) return LOCUM_OK;
    locum_id *old = w->slots;
    const int64_t n_old = w->n_slots;
    w->slots = NULL;
    LOCUM_TRY(LOCUM_NEW(&w->slots, n_old ? 2 * n_old : 256));
    w->n_slots = n_old ? 2 * n_old : 256;
    for (int64_t i = 0; i < n_old; i++) {
        if (!old[i]) continue;
        int64_t slot = (int64_t)(content_hash(w, old[i]) & (uint64_t)(w->n_slots - 1));
        while (w->slots[slot]) slot = (slot + 1) & (w->n_slots - 1);
        w->slots[slot] = old[i];
    }
    free(old);
    return LOCUM_OK;
}

/* the first node of that content */
static locum_id merge(work *w, locum_id id)
{
    locum_status st = table_reserve(w);
    if (st) return locum_graph_fault(w->graph, st, "%s", locum_status_message());
    int64_t slot = (int64_t)(content_hash(w, id) & (uint64_t)(w->n_slots - 1));
    for (; w->slots[slot]; slot = (slot + 1) & (w->n_slots - 1))
        if (equal_nodes(w, w->slots[slot], id)) return w->slots[slot];
    w->slots[slot] = id;
    w->n_used++;
    return id;
}

/* --- constants ------------------------------------------------------------------------------------------------------ */

/* a node of constants becomes a constant; expand stays, for it makes small into large */
static locum_id fold(work *w, locum_id id)
{
    const locum_node *n = node_of(w, id);
    const locum_shape shape = locum_shape_of(w->graph, id);
    if (!locum_operator_of(n->op)->reference || !n->n_inputs || shape.symbol >= 0 || locum_shape_count(&shape) > FOLD_MAX ||
        n->op == LOCUM_OP_expand)
        return id;
    for (int i = 0; i < n->n_inputs; i++) {
        if (!is(w, input_of(w, id, i), LOCUM_OP_constant)) return id;
        w->operand[i] = locum_graph_data(w->graph, input_of(w, id, i));
    }
    locum_node_reference(w->graph, id, NULL, 0, w->operand, w->views, w->folded);
    return locum_constant(w->graph, shape.number, shape.n_dims, shape.dims, w->folded);
}

static locum_id emit(work *w, const locum_draft *wanted, locum_id *in);

/* an elementwise node of uniform operands: one value, expanded; 0 = not so */
static locum_id fold_uniform(work *w, const locum_draft *draft)
{
    const locum_operator *rules = locum_operator_of(draft->op);
    locum_id in[3];
    double value[3];
    bool plain = true;
    if (!(rules->traits & LOCUM_ELEMENTWISE) || !rules->reference || draft->n_inputs > 3) return 0;
    for (int i = 0; i < draft->n_inputs; i++) {
        if (!uniform(w, draft->in[i], &value[i])) return 0;
        plain = plain && is(w, draft->in[i], LOCUM_OP_constant);
    }
    if (plain) return 0; /* fold() does it */
    for (int i = 0; i < draft->n_inputs; i++)
        in[i] = locum_scalar(w->graph, (locum_number)node_of(w, draft->in[i])->number, value[i]);
    locum_draft one = *draft;
    one.in = in;
    one.shape = (locum_shape){.number = draft->shape.number, .symbol = -1};
    locum_id single = locum_graph_add(w->graph, &one);
    if (!single) return 0;
    single = fold(w, single);
    locum_draft all = {.op = LOCUM_OP_expand, .shape = draft->shape, .n_inputs = 1, .in = &single};
    return emit(w, &all, &single);
}

/* rewrites until no rule applies, then adds, folds and merges; `in` is wanted->in, and scratch */
static locum_id emit(work *w, const locum_draft *wanted, locum_id *in)
{
    locum_draft draft = *wanted;
    draft.in = in;
    rewrite r = {.w = w, .draft = &draft, .in = in, .again = true};
    while (r.again) {
        locum_id known = draft.n_inputs ? fold_uniform(w, &draft) : 0;
        r.again = false;
        if (!known) known = rewrite_draft(&r);
        if (known) return known;
    }
    locum_id id = locum_graph_add(w->graph, &draft);
    if (id && draft.op != LOCUM_OP_input && draft.op != LOCUM_OP_parameter) id = fold(w, id);
    return id && !draft.name ? merge(w, id) : id;
}

static locum_id emit_copy(work *w, const locum_graph *from, locum_id id, const locum_id *map, locum_id *in)
{
    const locum_node *n = locum_graph_node(from, id);
    locum_site site = locum_site_of(from, id, w->graph, in);
    locum_draft draft = {.op = (locum_op)n->op, .shape = locum_shape_of(from, id), .n_inputs = n->n_inputs, .n_integers = n->n_integers,
                         .n_reals = n->n_reals, .data = locum_graph_data(from, id)};
    for (int i = 0; i < n->n_inputs; i++) in[i] = map[locum_graph_inputs(from, id)[i]];
    memcpy(draft.integers, site.integers, sizeof draft.integers);
    memcpy(draft.reals, site.reals, sizeof draft.reals);
    if (n->op == LOCUM_OP_input || n->op == LOCUM_OP_parameter) draft.name = locum_graph_name(from, id);
    return emit(w, &draft, in);
}

/* --- the living ----------------------------------------------------------------------------------------------------- */

static void mark_living(const locum_graph *graph, int n_outputs, const locum_id *outputs, bool *living)
{
    for (int i = 0; i < n_outputs; i++) living[outputs[i]] = true;
    for (locum_id id = locum_graph_n(graph); id > 0; id--)
        for (int i = 0; living[id] && i < locum_graph_node(graph, id)->n_inputs; i++) living[locum_graph_inputs(graph, id)[i]] = true;
}

/* copies what `outputs` need: map[id] = id in `into` */
static locum_status copy_living(const locum_graph *from, int n_outputs, const locum_id *outputs, locum_graph *into, locum_id *map)
{
    const int32_t n = locum_graph_n(from);
    bool *living = NULL;
    locum_id *in = NULL;
    locum_status st = LOCUM_NEW(&living, n + 1);
    if (!st) st = LOCUM_NEW(&in, locum_graph_widest(from) + 1);
    if (!st) mark_living(from, n_outputs, outputs, living);
    for (locum_id id = 1; !st && id <= n; id++) {
        if (!living[id]) continue;
        for (int i = 0; i < locum_graph_node(from, id)->n_inputs; i++) in[i] = map[locum_graph_inputs(from, id)[i]];
        map[id] = locum_graph_add_copy(into, from, id, in);
        st = locum_graph_status(into);
    }
    free(living);
    free(in);
    return st;
}

static locum_status rewrite_all(work *w, const locum_graph *graph, int n_outputs, const locum_id *outputs, locum_id *map)
{
    const int32_t n = locum_graph_n(graph), widest = locum_graph_widest(graph) + 3;
    bool *living = NULL;
    locum_id *in = NULL;
    locum_status st = LOCUM_NEW(&living, n + 1);
    if (!st) st = LOCUM_NEW(&in, widest);
    if (!st) st = LOCUM_NEW(&w->views, widest);
    if (!st) st = locum_alloc(&w->operand, widest, sizeof *w->operand);
    if (!st) st = LOCUM_NEW(&w->folded, FOLD_MAX);
    if (!st) mark_living(graph, n_outputs, outputs, living);
    for (locum_id id = 1; !st && id <= n; id++) {
        if (living[id]) map[id] = emit_copy(w, graph, id, map, in);
        st = locum_graph_status(w->graph);
    }
    free(living);
    free(in);
    free(w->views);
    free(w->operand);
    free(w->folded);
    free(w->slots);
    return st;
}

locum_status locum_graph_simplify(const locum_graph *graph, int n_outputs, const locum_id *outputs, locum_graph **simple,
                                  locum_id *new_outputs)
{
    work w = {0};
    locum_id *map = NULL, *inside = NULL, *second = NULL;
    *simple = NULL;
    LOCUM_TRY(locum_graph_status(graph));
    for (int i = 0; i < n_outputs; i++)
        LOCUM_REQUIRE(outputs[i] > 0 && outputs[i] <= locum_graph_n(graph), LOCUM_ARG, "simplify: output %d is no node", i);
    locum_status st = LOCUM_NEW(&map, locum_graph_n(graph) + 1);
    if (!st) st = LOCUM_NEW(&inside, n_outputs + 1);
    if (!st) st = locum_graph_create(&w.graph);
    if (!st) st = locum_graph_create(simple);
    if (!st) st = locum_graph_copy_symbols(w.graph, graph);
    if (!st) st = locum_graph_copy_symbols(*simple, graph);
    if (!st) st = rewrite_all(&w, graph, n_outputs, outputs, map);
    if (!st) st = LOCUM_NEW(&second, locum_graph_n(w.graph) + 1);
    for (int i = 0; !st && i < n_outputs; i++) inside[i] = map[outputs[i]];
    if (!st) st = copy_living(w.graph, n_outputs, inside, *simple, second);
    for (locum_id id = 1; !st && id <= locum_graph_n(graph); id++) map[id] = second[map[id]];
    if (!st) locum_graph_copy_outputs(*simple, graph, n_outputs, outputs, map, new_outputs);
    if (!st) st = locum_graph_status(*simple);
    if (st) {
        locum_graph_destroy(*simple);
        *simple = NULL;
    }
    locum_graph_destroy(w.graph);
    free(map);
    free(inside);
    free(second);
    return st;
}
