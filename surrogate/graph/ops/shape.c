/* SPDX-License-Identifier: BSD-3-Clause */
/* shape.c - operators that move values and compute none. All are linear; gradients are operators of this file again:
 *
 *     reshape <-> reshape    permute <-> inverse permute    flip <-> flip    concat -> slices    slice <-> pad zero
 *     pad periodic, reflect -> the middle, plus what the borders copied, brought back to where it came from
 *
 * Rows along a symbol's dim are never sliced, padded, joined or flipped: their number is known only at run time. */
#include "surrogate/graph/operator.h"

#include <string.h>

/* offset of dim `axis`: a view of the values as [outer, dims[axis], inner] */
typedef struct split {
    int64_t outer, n, inner;
} split;

static split split_at(const locum_view *view, int axis)
{
    split s = {1, view->dims[axis], 1};
    for (int i = 0; i < axis; i++) s.outer *= view->dims[i];
    for (int i = axis + 1; i < view->n_dims; i++) s.inner *= view->dims[i];
    return s;
}

/* the shape of operand 0, if its dim integers[0] may be cut or extended */
static locum_status axis_shape(const locum_graph *graph, locum_draft *draft)
{
    char text[LOCUM_SHAPE_TEXT];
    draft->shape = locum_shape_of(graph, draft->in[0]);
    const int64_t axis = draft->integers[0];
    LOCUM_REQUIRE(axis >= 0 && axis < draft->shape.n_dims && !(axis == 0 && draft->shape.symbol >= 0), LOCUM_ARG,
                  "%s: axis %lld of %s", locum_op_name(draft->op), (long long)axis,
                  locum_shape_text(graph, &draft->shape, text));
    return LOCUM_OK;
}

static int64_t positive_axis(const locum_graph *graph, locum_id x, int axis)
{
    return axis < 0 ? axis + locum_graph_node(graph, x)->n_dims : axis;
}

static void copy_reference(const locum_loop *loop)
{
    if (loop->out.count) memcpy(loop->out.data, loop->in[0].data, (size_t)loop->out.count * sizeof(double));
}

/* --- reshape ------------------------------------------------------------------------------------------------------ */

locum_id locum_reshape(locum_graph *graph, locum_id x, int n_dims, const int64_t *dims)
{
    locum_draft draft = {.op = LOCUM_OP_reshape, .shape = {.n_dims = n_dims}, .n_inputs = 1, .in = &x};
    draft.shape.symbol = locum_graph_node(graph, x)->symbol;
    if (n_dims < 0 || n_dims > LOCUM_DIMS_MAX)
        return locum_graph_fault(graph, LOCUM_ARG, "reshape: to %d dims", n_dims);
    if (n_dims) memcpy(draft.shape.dims, dims, (size_t)n_dims * sizeof *dims);
    return locum_graph_add(graph, &draft);
}

static locum_status reshape_shape(const locum_graph *graph, locum_draft *draft)
{
    const locum_shape from = locum_shape_of(graph, draft->in[0]);
    char x[LOCUM_SHAPE_TEXT], y[LOCUM_SHAPE_TEXT];
    draft->shape.number = from.number;
    LOCUM_REQUIRE(from.symbol == draft->shape.symbol && locum_shape_count(&from) == locum_shape_count(&draft->shape),
                  LOCUM_ARG, "reshape: %s and %s hold different numbers of values", locum_shape_text(graph, &from, x),
                  locum_shape_text(graph, &draft->shape, y));
    return LOCUM_OK;
}

static void reshape_gradient(const locum_site *s, locum_id *into)
{
    into[0] = locum_reshape_like(s->graph, s->seed, s->in[0]);
}

const locum_operator locum_operator_reshape = {
    .traits = LOCUM_LINEAR, .shape = reshape_shape, .gradient = reshape_gradient, .reference = copy_reference};

/* --- permute {order}: y[i_order[0], i_order[1], ..] = x[i_0, i_1, ..] --------------------------------------------- */

locum_id locum_permute(locum_graph *graph, locum_id x, const int *order)
{
    locum_draft draft = {
        .op = LOCUM_OP_permute, .n_inputs = 1, .in = &x, .n_integers = locum_graph_node(graph, x)->n_dims};
    for (int i = 0; i < draft.n_integers; i++) draft.integers[i] = order[i];
    return locum_graph_add(graph, &draft);
}

static locum_status permute_shape(const locum_graph *graph, locum_draft *draft)
{
    const locum_shape from = locum_shape_of(graph, draft->in[0]);
    bool seen[LOCUM_DIMS_MAX] = {false};
    draft->shape = from;
    LOCUM_REQUIRE(draft->n_integers == from.n_dims, LOCUM_ARG, "permute: %d entries for %d dims", draft->n_integers,
                  from.n_dims);
    for (int i = 0; i < from.n_dims; i++) {
        const int64_t axis = draft->integers[i];
        LOCUM_REQUIRE(axis >= 0 && axis < from.n_dims && !seen[axis], LOCUM_ARG,
                      "permute: entry %d is %lld: no permutation", i, (long long)axis);
        seen[axis] = true;
        draft->shape.dims[i] = from.dims[axis];
    }
    LOCUM_REQUIRE(from.symbol < 0 || draft->integers[0] == 0, LOCUM_ARG, "permute: the symbol's dim stays first");
    return LOCUM_OK;
}

static void permute_gradient(const locum_site *s, locum_id *into)
{
    int inverse[LOCUM_DIMS_MAX];
    for (int i = 0; i < s->node.n_dims; i++) inverse[s->integers[i]] = i;
    into[0] = locum_permute(s->graph, s->seed, inverse);
}

static void permute_reference(const locum_loop *loop)
{
    const locum_view *in = &loop->in[0], *out = &loop->out;
    int64_t stride[LOCUM_DIMS_MAX], step = 1, index[LOCUM_DIMS_MAX] = {0};
    for (int i = in->n_dims - 1; i >= 0; step *= in->dims[i--]) stride[i] = step;
    for (int64_t i = 0; i < out->count; i++) {
        int64_t from = 0;
        for (int d = 0; d < out->n_dims; d++) from += index[d] * stride[loop->integers[d]];
        out->data[i] = in->data[from];
        for (int d = out->n_dims - 1; d >= 0 && ++index[d] == out->dims[d]; d--) index[d] = 0;
    }
}

const locum_operator locum_operator_permute = {.traits = LOCUM_LINEAR,
                                               .n_integers = -1,
                                               .shape = permute_shape,
                                               .gradient = permute_gradient,
                                               .reference = permute_reference};

/* --- slice {axis, first, n, step}: y[i] = x[first + i step] ------------------------------------------------------- */

locum_id locum_slice(locum_graph *graph, locum_id x, int axis, int64_t first, int64_t n, int64_t step)
{
    locum_draft draft = {.op = LOCUM_OP_slice,
                         .n_inputs = 1,
                         .in = &x,
                         .n_integers = 4,
                         .integers = {positive_axis(graph, x, axis), first, n, step}};
    return locum_graph_add(graph, &draft);
}

static locum_status slice_shape(const locum_graph *graph, locum_draft *draft)
{
    LOCUM_TRY(axis_shape(graph, draft));
    const int64_t first = draft->integers[1], n = draft->integers[2], step = draft->integers[3];
    int64_t *dim = &draft->shape.dims[draft->integers[0]];
    LOCUM_REQUIRE(first >= 0 && first < *dim && n >= 1 && step >= 1 && n - 1 <= (*dim - 1 - first) / step, LOCUM_ARG,
                  "slice: %lld values from %lld in steps of %lld of %lld", (long long)n, (long long)first,
                  (long long)step, (long long)*dim);
    if (n == 1) draft->integers[3] = 1; /* it takes none: slices of slices multiply steps, which must not overflow */
    *dim = n;
    return LOCUM_OK;
}

/* puts step - 1 zeros between the n values of `axis`: n -> (n - 1) step + 1, by padding the merged inner dims */
static locum_id spread(locum_graph *graph, locum_id x, int axis, int64_t step)
{
    const locum_shape shape = locum_shape_of(graph, x);
    const int64_t n = shape.dims[axis];
    locum_shape wide = shape;
    int64_t outer = 1, inner = 1;
    for (int i = 0; i < axis; i++) outer *= shape.dims[i];
    for (int i = axis + 1; i < shape.n_dims; i++) inner *= shape.dims[i];
    wide.dims[axis] = n * step;
    x = locum_reshape(graph, x, 3, (int64_t[]){outer, n, inner});
    x = locum_pad(graph, x, 2, 0, (step - 1) * inner, LOCUM_PAD_ZERO);
    x = locum_reshape(graph, x, wide.n_dims, wide.dims);
    return locum_slice(graph, x, axis, 0, (n - 1) * step + 1, 1);
}

static void slice_gradient(const locum_site *s, locum_id *into)
{
    const int axis = (int)s->integers[0];
    const int64_t first = s->integers[1], n = s->integers[2], step = s->integers[3];
    const int64_t size = locum_graph_node(s->graph, s->in[0])->dims[axis];
    into[0] = step == 1 || n == 1 ? s->seed : spread(s->graph, s->seed, axis, step);
    into[0] = locum_pad(s->graph, into[0], axis, first, size - first - (n - 1) * step - 1, LOCUM_PAD_ZERO);
}

static void slice_reference(const locum_loop *loop)
{
    const split in = split_at(&loop->in[0], (int)loop->integers[0]);
    const int64_t first = loop->integers[1], n = loop->integers[2], step = loop->integers[3];
    double *out = loop->out.data;
    for (int64_t o = 0; o < in.outer; o++)
        for (int64_t i = 0; i < n; i++)
            for (int64_t j = 0; j < in.inner; j++)
                *out++ = loop->in[0].data[(o * in.n + first + i * step) * in.inner + j];
}

const locum_operator locum_operator_slice = {.traits = LOCUM_LINEAR,
                                             .n_integers = 4,
                                             .shape = slice_shape,
                                             .gradient = slice_gradient,
                                             .reference = slice_reference};

/* --- pad {axis, before, after, mode} ------------------------------------------------------------------------------ */

locum_id locum_pad(locum_graph *graph, locum_id x, int axis, int64_t before, int64_t after, locum_pad_mode mode)
{
    locum_draft draft = {.op = LOCUM_OP_pad,
                         .n_inputs = 1,
                         .in = &x,
                         .n_integers = 4,
                         .integers = {positive_axis(graph, x, axis), before, after, mode}};
    return locum_graph_add(graph, &draft);
}

static locum_status pad_shape(const locum_graph *graph, locum_draft *draft)
{
    LOCUM_TRY(axis_shape(graph, draft));
    const int64_t before = draft->integers[1], after = draft->integers[2], mode = draft->integers[3];
    int64_t *dim = &draft->shape.dims[draft->integers[0]];
    LOCUM_REQUIRE(mode >= LOCUM_PAD_ZERO && mode <= LOCUM_PAD_REFLECT, LOCUM_ARG, "pad: mode %lld", (long long)mode);
    const int64_t most = mode == LOCUM_PAD_ZERO ? LOCUM_COUNT_MAX : mode == LOCUM_PAD_PERIODIC ? *dim : *dim - 1;
    LOCUM_REQUIRE(before >= 0 && after >= 0 && before <= most && after <= most, LOCUM_ARG,
                  "pad: %lld before and %lld after; at most %lld each", (long long)before, (long long)after,
                  (long long)most);
    *dim += before + after;
    return LOCUM_OK;
}

/* a border of the seed, n values from `first`, brought back to `to` .. of an axis of `size` values */
static locum_id border(const locum_site *s, int64_t first, int64_t n, bool mirrored, int64_t to, int64_t size)
{
    const int axis = (int)s->integers[0];
    locum_id part = locum_slice(s->graph, s->seed, axis, first, n, 1);
    if (mirrored) part = locum_flip(s->graph, part, axis);
    return locum_pad(s->graph, part, axis, to, size - to - n, LOCUM_PAD_ZERO);
}

static void pad_gradient(const locum_site *s, locum_id *into)
{
    const int64_t before = s->integers[1], after = s->integers[2], mode = s->integers[3];
    const int64_t n = locum_graph_node(s->graph, s->in[0])->dims[s->integers[0]];
    const bool mirrored = mode == LOCUM_PAD_REFLECT;
    into[0] = locum_slice(s->graph, s->seed, (int)s->integers[0], before, n, 1);
    if (mode == LOCUM_PAD_ZERO) return;
    if (before) {
        const locum_id left = border(s, 0, before, mirrored, mirrored ? 1 : n - before, n);
        into[0] = locum_binary(s->graph, LOCUM_OP_add, into[0], left);
    }
    if (after) {
        const locum_id right = border(s, before + n, after, mirrored, mirrored ? n - 1 - after : 0, n);
        into[0] = locum_binary(s->graph, LOCUM_OP_add, into[0], right);
    }
}

/* where value i of the padded axis comes from, -1 = zero; reflect mirrors about the first and last value */
static int64_t pad_from(int64_t i, int64_t n, int64_t mode)
{
    if (i >= 0 && i < n) return i;
    if (mode == LOCUM_PAD_ZERO) return -1;
    if (mode == LOCUM_PAD_PERIODIC) return i < 0 ? i + n : i - n;
    return i < 0 ? -i : 2 * (n - 1) - i;
}

static void pad_reference(const locum_loop *loop)
{
    const split in = split_at(&loop->in[0], (int)loop->integers[0]);
    const int64_t before = loop->integers[1], wide = in.n + before + loop->integers[2];
    double *out = loop->out.data;
    for (int64_t o = 0; o < in.outer; o++)
        for (int64_t i = 0; i < wide; i++) {
            const int64_t from = pad_from(i - before, in.n, loop->integers[3]);
            for (int64_t j = 0; j < in.inner; j++)
                *out++ = from < 0 ? 0 : loop->in[0].data[(o * in.n + from) * in.inner + j];
        }
}

const locum_operator locum_operator_pad = {
    .traits = LOCUM_LINEAR, .n_integers = 4, .shape = pad_shape, .gradient = pad_gradient, .reference = pad_reference};

/* --- concat {axis} ------------------------------------------------------------------------------------------------ */

locum_id locum_concat(locum_graph *graph, int axis, int n, const locum_id *parts)
{
    locum_draft draft = {.op = LOCUM_OP_concat,
                         .n_inputs = n,
                         .in = parts,
                         .n_integers = 1,
                         .integers = {n > 0 ? positive_axis(graph, parts[0], axis) : axis}};
    return locum_graph_add(graph, &draft);
}

static locum_status concat_shape(const locum_graph *graph, locum_draft *draft)
{
    LOCUM_TRY(axis_shape(graph, draft));
    const int64_t axis = draft->integers[0];
    const locum_shape first = draft->shape;
    for (int i = 1; i < draft->n_inputs; i++) {
        char x[LOCUM_SHAPE_TEXT], y[LOCUM_SHAPE_TEXT];
        const locum_shape part = locum_shape_of(graph, draft->in[i]);
        locum_shape like = part;
        if (axis < part.n_dims) like.dims[axis] = first.dims[axis];
        LOCUM_REQUIRE(locum_shape_equal(&like, &first) && part.number == first.number, LOCUM_ARG,
                      "concat: part %d, %s, does not fit %s along axis %lld, or is of another number type", i,
                      locum_shape_text(graph, &part, x), locum_shape_text(graph, &first, y), (long long)axis);
        draft->shape.dims[axis] += part.dims[axis];
        LOCUM_REQUIRE(draft->shape.dims[axis] <= LOCUM_COUNT_MAX, LOCUM_ARG, "concat: more than 2^44 values");
    }
    return LOCUM_OK;
}

static void concat_gradient(const locum_site *s, locum_id *into)
{
    const int axis = (int)s->integers[0];
    int64_t first = 0;
    for (int i = 0; i < s->node.n_inputs; i++) {
        const int64_t n = locum_graph_node(s->graph, s->in[i])->dims[axis];
        if (s->wanted[i]) into[i] = locum_slice(s->graph, s->seed, axis, first, n, 1);
        first += n;
    }
}

static void concat_reference(const locum_loop *loop)
{
    const split out = split_at(&loop->out, (int)loop->integers[0]);
    double *to = loop->out.data;
    for (int64_t o = 0; o < out.outer; o++)
        for (int p = 0; p < loop->n_in; p++) {
            const int64_t n = loop->in[p].dims[loop->integers[0]] * out.inner;
            for (int64_t i = 0; i < n; i++) *to++ = loop->in[p].data[o * n + i];
        }
}

const locum_operator locum_operator_concat = {.traits = LOCUM_LINEAR,
                                              .n_integers = 1,
                                              .shape = concat_shape,
                                              .gradient = concat_gradient,
                                              .reference = concat_reference};

/* --- flip {axis}: y[i] = x[n - 1 - i] ----------------------------------------------------------------------------- */

locum_id locum_flip(locum_graph *graph, locum_id x, int axis)
{
    locum_draft draft = {
        .op = LOCUM_OP_flip, .n_inputs = 1, .in = &x, .n_integers = 1, .integers = {positive_axis(graph, x, axis)}};
    return locum_graph_add(graph, &draft);
}

static void flip_gradient(const locum_site *s, locum_id *into)
{
    into[0] = locum_flip(s->graph, s->seed, (int)s->integers[0]);
}

static void flip_reference(const locum_loop *loop)
{
    const split in = split_at(&loop->in[0], (int)loop->integers[0]);
    double *out = loop->out.data;
    for (int64_t o = 0; o < in.outer; o++)
        for (int64_t i = in.n - 1; i >= 0; i--)
            for (int64_t j = 0; j < in.inner; j++) *out++ = loop->in[0].data[(o * in.n + i) * in.inner + j];
}

const locum_operator locum_operator_flip = {.traits = LOCUM_LINEAR,
                                            .n_integers = 1,
                                            .shape = axis_shape,
                                            .gradient = flip_gradient,
                                            .reference = flip_reference};
