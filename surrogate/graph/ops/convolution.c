/* SPDX-License-Identifier: BSD-3-Clause */
/* convolution.c - the convolution trio, closed under differentiation. x [batch, grid.., C], w [taps.., C, N],
 * y [batch, points.., N] are three faces of one trilinear form (THEORY.md, 5):
 *
 *     F(x, w, y) = sum over b, p, t, c, n of x[b, q(p, t), c] w[t, c, n] y[b, p, n],   q = stride p + dilation t - before
 *     <convolution(x, w), y> = <convolution_input(y, w), x> = <convolution_weight(x, y), w> = F
 *
 * along each of 1 to 3 axes. Where q leaves the grid of x it is wrapped (periodic), or the term is missing (zeros).
 *     of C(x, w) with seed s:  dx = I(s, w)   dw = W(x, s)
 *     of I(y, w) with seed s:  dy = C(s, w)   dw = W(s, y)
 *     of W(x, y) with seed s:  dx = I(y, s)   dy = C(x, s)
 * I with a stride is what others call a transposed convolution. Attributes of all three: {periodic, stride, dilation,
 * before [axes], size [axes]}, size being that of the result: points, grid, or taps.
 * Left out: groups, strides that differ from axis to axis. */
#include "surrogate/graph/operator.h"

#include <string.h>

enum { PERIODIC, STRIDE, DILATION, BEFORE }; /* places of attributes; sizes follow `before` */
enum { AXES_MAX = 3, STEP_MAX = 1024, SIZE_MAX_AXIS = 1 << 24 };

/* --- building ------------------------------------------------------------------------------------------------------ */

locum_window locum_window_same(int n_axes, const int64_t *grid, const int64_t *taps, int64_t stride, bool periodic)
{
    locum_window w = {.n_axes = n_axes, .periodic = periodic, .stride = stride, .dilation = 1};
    for (int i = 0; i < n_axes && i < AXES_MAX; i++) {
        w.before[i] = (taps[i] - 1) / 2;
        w.size[i] = (grid[i] + stride - 1) / stride;
    }
    return w;
}

static locum_id add(locum_graph *graph, locum_op op, locum_id a, locum_id b, const locum_window *window)
{
    locum_draft draft = {.op = op, .n_inputs = 2, .in = (locum_id[]){a, b}, .n_integers = BEFORE};
    if (window->n_axes < 1 || window->n_axes > AXES_MAX)
        return locum_graph_fault(graph, LOCUM_ARG, "%s: %d axes; 1 to %d", locum_op_name(op), window->n_axes, AXES_MAX);
    draft.integers[PERIODIC] = window->periodic;
    draft.integers[STRIDE] = window->stride;
    draft.integers[DILATION] = window->dilation;
    for (int i = 0; i < window->n_axes; i++) draft.integers[draft.n_integers++] = window->before[i];
    for (int i = 0; i < window->n_axes; i++) draft.integers[draft.n_integers++] = window->size[i];
    return locum_graph_add(graph, &draft);
}

locum_id locum_convolution(locum_graph *graph, locum_id x, locum_id w, const locum_window *window)
{
    return add(graph, LOCUM_OP_convolution, x, w, window);
}

locum_id locum_convolution_input(locum_graph *graph, locum_id y, locum_id w, const locum_window *window)
{
    return add(graph, LOCUM_OP_convolution_input, y, w, window);
}

locum_id locum_convolution_weight(locum_graph *graph, locum_id x, locum_id y, const locum_window *window)
{
    return add(graph, LOCUM_OP_convolution_weight, x, y, window);
}

locum_window locum_window_of(int n_integers, const int64_t *integers)
{
    locum_window w = {.n_axes = (n_integers - BEFORE) / 2,
                      .periodic = integers[PERIODIC],
                      .stride = integers[STRIDE],
                      .dilation = integers[DILATION]};
    for (int i = 0; i < w.n_axes && i < AXES_MAX; i++) {
        w.before[i] = integers[BEFORE + i];
        w.size[i] = integers[BEFORE + w.n_axes + i];
    }
    return w;
}

/* --- shapes -------------------------------------------------------------------------------------------------------- */

/* what all three have in common; the axes are those of the attributes */
static locum_status check(const locum_graph *graph, const locum_draft *draft, locum_window *window)
{
    const char *who = locum_op_name(draft->op);
    const int n = draft->n_integers;
    LOCUM_REQUIRE(n >= BEFORE + 2 && n <= BEFORE + 2 * AXES_MAX && (n - BEFORE) % 2 == 0, LOCUM_ARG,
                  "%s: %d integer attributes", who, n);
    *window = locum_window_of(n, draft->integers);
    LOCUM_REQUIRE(draft->integers[PERIODIC] == 0 || draft->integers[PERIODIC] == 1, LOCUM_ARG, "%s: periodic = %lld",
                  who, (long long)draft->integers[PERIODIC]);
    LOCUM_REQUIRE(window->stride >= 1 && window->stride <= STEP_MAX && window->dilation >= 1 &&
                      window->dilation <= STEP_MAX,
                  LOCUM_ARG, "%s: stride %lld, dilation %lld; 1 to %d", who, (long long)window->stride,
                  (long long)window->dilation, STEP_MAX);
    for (int i = 0; i < window->n_axes; i++)
        LOCUM_REQUIRE(window->before[i] >= -SIZE_MAX_AXIS && window->before[i] <= SIZE_MAX_AXIS &&
                          window->size[i] >= 1 && window->size[i] <= SIZE_MAX_AXIS,
                      LOCUM_ARG, "%s: axis %d has size %lld, %lld before", who, i, (long long)window->size[i],
                      (long long)window->before[i]);
    const locum_shape a = locum_shape_of(graph, draft->in[0]), b = locum_shape_of(graph, draft->in[1]);
    LOCUM_REQUIRE(a.number == b.number && a.number != LOCUM_INTEGER32, LOCUM_ARG, "%s: number types differ, or int32",
                  who);
    for (int i = 1; i <= window->n_axes; i++) /* the operands' own axes: index arithmetic stays far from overflow */
        LOCUM_REQUIRE((i >= a.n_dims || a.dims[i] <= SIZE_MAX_AXIS) && (i >= b.n_dims || b.dims[i] <= SIZE_MAX_AXIS) &&
                          (b.n_dims == 0 || b.dims[0] <= SIZE_MAX_AXIS),
                      LOCUM_ARG, "%s: an axis has more than 2^24 points", who);
    return LOCUM_OK;
}

static locum_status mismatch(const locum_graph *graph, const locum_draft *draft, const char *expected)
{
    char x[LOCUM_SHAPE_TEXT], y[LOCUM_SHAPE_TEXT];
    const locum_shape a = locum_shape_of(graph, draft->in[0]), b = locum_shape_of(graph, draft->in[1]);
    return LOCUM_FAIL(LOCUM_ARG, "%s: %s and %s do not fit: %s", locum_op_name(draft->op),
                      locum_shape_text(graph, &a, x), locum_shape_text(graph, &b, y), expected);
}

/* [batch, .., last] of `a` with the window's sizes as grid */
static void field_shape(locum_draft *draft, const locum_shape *a, const locum_window *window, int64_t last)
{
    draft->shape = *a;
    for (int i = 0; i < window->n_axes; i++) draft->shape.dims[1 + i] = window->size[i];
    draft->shape.dims[window->n_axes + 1] = last;
}

static locum_status convolution_shape(const locum_graph *graph, locum_draft *draft)
{
    locum_window window;
    LOCUM_TRY(check(graph, draft, &window));
    const locum_shape x = locum_shape_of(graph, draft->in[0]), w = locum_shape_of(graph, draft->in[1]);
    const int n = window.n_axes;
    if (x.n_dims != n + 2 || w.n_dims != n + 2 || w.symbol >= 0 || x.dims[n + 1] != w.dims[n])
        return mismatch(graph, draft, "[batch, grid.., C] and [taps.., C, N]");
    field_shape(draft, &x, &window, w.dims[n + 1]);
    return LOCUM_OK;
}

static locum_status convolution_input_shape(const locum_graph *graph, locum_draft *draft)
{
    locum_window window;
    LOCUM_TRY(check(graph, draft, &window));
    const locum_shape y = locum_shape_of(graph, draft->in[0]), w = locum_shape_of(graph, draft->in[1]);
    const int n = window.n_axes;
    if (y.n_dims != n + 2 || w.n_dims != n + 2 || w.symbol >= 0 || y.dims[n + 1] != w.dims[n + 1])
        return mismatch(graph, draft, "[batch, points.., N] and [taps.., C, N]");
    field_shape(draft, &y, &window, w.dims[n]);
    return LOCUM_OK;
}

static locum_status convolution_weight_shape(const locum_graph *graph, locum_draft *draft)
{
    locum_window window;
    LOCUM_TRY(check(graph, draft, &window));
    const locum_shape x = locum_shape_of(graph, draft->in[0]), y = locum_shape_of(graph, draft->in[1]);
    const int n = window.n_axes;
    if (x.n_dims != n + 2 || y.n_dims != n + 2 || x.symbol != y.symbol || x.dims[0] != y.dims[0])
        return mismatch(graph, draft, "[batch, grid.., C] and [batch, points.., N]");
    draft->shape = (locum_shape){.number = x.number, .symbol = -1, .n_dims = n + 2};
    memcpy(draft->shape.dims, window.size, (size_t)n * sizeof *window.size);
    draft->shape.dims[n] = x.dims[n + 1];
    draft->shape.dims[n + 1] = y.dims[n + 1];
    return LOCUM_OK;
}

/* --- gradients ----------------------------------------------------------------------------------------------------- */

/* the window of this node with the sizes of `like`, from its dim `first` on */
static locum_window sized(const locum_site *s, locum_id like, int first)
{
    locum_window w = locum_window_of(s->node.n_integers, s->integers);
    memcpy(w.size, locum_graph_node(s->graph, like)->dims + first, (size_t)w.n_axes * sizeof *w.size);
    return w;
}

static void convolution_gradient(const locum_site *s, locum_id *into)
{
    const locum_window grid = sized(s, s->in[0], 1), taps = sized(s, s->in[1], 0);
    if (s->wanted[0]) into[0] = locum_convolution_input(s->graph, s->seed, s->in[1], &grid);
    if (s->wanted[1]) into[1] = locum_convolution_weight(s->graph, s->in[0], s->seed, &taps);
}

static void convolution_input_gradient(const locum_site *s, locum_id *into)
{
    const locum_window points = sized(s, s->in[0], 1), taps = sized(s, s->in[1], 0);
    if (s->wanted[0]) into[0] = locum_convolution(s->graph, s->seed, s->in[1], &points);
    if (s->wanted[1]) into[1] = locum_convolution_weight(s->graph, s->seed, s->in[0], &taps);
}

static void convolution_weight_gradient(const locum_site *s, locum_id *into)
{
    const locum_window grid = sized(s, s->in[0], 1), points = sized(s, s->in[1], 1);
    if (s->wanted[0]) into[0] = locum_convolution_input(s->graph, s->in[1], s->seed, &grid);
    if (s->wanted[1]) into[1] = locum_convolution(s->graph, s->in[0], s->seed, &points);
}

/* --- reference: one loop for the three ----------------------------------------------------------------------------- */

/* The three faces of the form; `open` is the one that is computed. */
typedef struct trilinear {
    locum_window window;
    const locum_view *x, *w, *y;
    int n;
} trilinear;

/* Flat index of q(p, t) in the grid of x, -1 = outside. p, t [n] */
static int64_t gather(const trilinear *f, const int64_t *p, const int64_t *t)
{
    int64_t flat = 0;
    for (int i = 0; i < f->n; i++) {
        const int64_t size = f->x->dims[1 + i];
        int64_t q = f->window.stride * p[i] + f->window.dilation * t[i] - f->window.before[i];
        if (f->window.periodic)
            q = (q % size + size) % size;
        else if (q < 0 || q >= size)
            return -1;
        flat = flat * size + q;
    }
    return flat;
}

static bool next_index(int n, const int64_t *dims, int64_t *index)
{
    for (int i = n - 1; i >= 0; i--) {
        if (++index[i] < dims[i]) return true;
        index[i] = 0;
    }
    return false;
}

static int64_t product_of(int n, const int64_t *dims)
{
    int64_t count = 1;
    for (int i = 0; i < n; i++) count *= dims[i];
    return count;
}

/* all c, n of one point, tap and batch entry */
static void add_terms(const trilinear *f, const locum_view *open, int64_t q, int64_t t, int64_t p)
{
    const int64_t C = f->x->dims[f->n + 1], N = f->y->dims[f->n + 1];
    double *x = f->x->data + q * C, *w = f->w->data + t * C * N, *y = f->y->data + p * N;
    for (int64_t c = 0; c < C; c++)
        for (int64_t n = 0; n < N; n++) {
            if (open == f->y)
                y[n] += x[c] * w[c * N + n];
            else if (open == f->x)
                x[c] += y[n] * w[c * N + n];
            else
                w[c * N + n] += x[c] * y[n];
        }
}

static void trilinear_reference(const trilinear *f, const locum_view *open)
{
    const int64_t points = product_of(f->n, f->y->dims + 1), grid = product_of(f->n, f->x->dims + 1);
    if (open->count) memset(open->data, 0, (size_t)open->count * sizeof(double));
    for (int64_t b = 0; b < f->x->dims[0]; b++) {
        int64_t p[AXES_MAX] = {0}, flat = 0;
        do {
            int64_t t[AXES_MAX] = {0}, tap = 0;
            do {
                const int64_t q = gather(f, p, t);
                if (q >= 0) add_terms(f, open, b * grid + q, tap, b * points + flat);
                tap++;
            } while (next_index(f->n, f->w->dims, t));
            flat++;
        } while (next_index(f->n, f->y->dims + 1, p));
    }
}

static trilinear faces(const locum_loop *loop, const locum_view *x, const locum_view *w, const locum_view *y)
{
    trilinear f = {.window = locum_window_of(loop->n_integers, loop->integers), .x = x, .w = w, .y = y};
    f.n = f.window.n_axes;
    return f;
}

static void convolution_reference(const locum_loop *loop)
{
    const trilinear f = faces(loop, &loop->in[0], &loop->in[1], &loop->out);
    trilinear_reference(&f, f.y);
}

static void convolution_input_reference(const locum_loop *loop)
{
    const trilinear f = faces(loop, &loop->out, &loop->in[1], &loop->in[0]);
    trilinear_reference(&f, f.x);
}

static void convolution_weight_reference(const locum_loop *loop)
{
    const trilinear f = faces(loop, &loop->in[0], &loop->out, &loop->in[1]);
    trilinear_reference(&f, f.w);
}

const locum_operator locum_operator_convolution = {.traits = LOCUM_MULTILINEAR,
                                                   .n_integers = -1,
                                                   .shape = convolution_shape,
                                                   .gradient = convolution_gradient,
                                                   .reference = convolution_reference};
const locum_operator locum_operator_convolution_input = {.traits = LOCUM_MULTILINEAR,
                                                         .n_integers = -1,
                                                         .shape = convolution_input_shape,
                                                         .gradient = convolution_input_gradient,
                                                         .reference = convolution_input_reference};
const locum_operator locum_operator_convolution_weight = {.traits = LOCUM_MULTILINEAR,
                                                          .n_integers = -1,
                                                          .shape = convolution_weight_shape,
                                                          .gradient = convolution_weight_gradient,
                                                          .reference = convolution_weight_reference};
