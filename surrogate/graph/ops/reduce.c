/* SPDX-License-Identifier: BSD-3-Clause */
/* reduce.c - expand and sum: each is the other's gradient.
 *
 *     expand  y[i, j] = x[j]        repeats along missing leading dims and dims of size 1      gradient: sum
 *     sum     y[j] = sum_i x[i, j]  in the order of i                                          gradient: expand */
#include "surrogate/graph/operator.h"

#include <string.h>

locum_id locum_expand(locum_graph *graph, locum_id x, int symbol, int n_dims, const int64_t *dims)
{
    locum_draft draft = {.op = LOCUM_OP_expand, .shape = {.symbol = symbol, .n_dims = n_dims}, .n_inputs = 1, .in = &x};
    if (n_dims < 0 || n_dims > LOCUM_DIMS_MAX) return locum_graph_fault(graph, LOCUM_ARG, "expand: to %d dims", n_dims);
    if (n_dims) memcpy(draft.shape.dims, dims, (size_t)n_dims * sizeof *dims);
    return locum_graph_add(graph, &draft);
}

static locum_status expand_shape(const locum_graph *graph, locum_draft *draft)
{
    const locum_shape from = locum_shape_of(graph, draft->in[0]);
    locum_shape *to = &draft->shape, both;
    char x[LOCUM_SHAPE_TEXT], y[LOCUM_SHAPE_TEXT];
    to->number = from.number;
    bool fits = !locum_shape_broadcast(graph, "expand", &from, to, &both) && locum_shape_equal(&both, to);
    LOCUM_REQUIRE(fits, LOCUM_ARG, "expand: %s cannot be repeated to %s", locum_shape_text(graph, &from, x),
                  locum_shape_text(graph, to, y));
    return LOCUM_OK;
}

static void expand_gradient(const locum_site *s, locum_id *into)
{
    const locum_shape from = locum_shape_of(s->graph, s->in[0]);
    const int lead = s->node.n_dims - from.n_dims;
    int axes[LOCUM_DIMS_MAX], n = 0;
    bool inside = false; /* is a dim of the operand itself repeated? */
    for (int i = 0; i < s->node.n_dims; i++) {
        const bool own =
            i >= lead && (from.dims[i - lead] != s->node.dims[i] || (i == 0 && from.symbol != s->node.symbol));
        if (own || i < lead) axes[n++] = i;
        inside = inside || own;
    }
    into[0] = n ? locum_sum(s->graph, s->seed, n, axes, inside) : s->seed;
    if (inside && lead) into[0] = locum_reshape_like(s->graph, into[0], s->in[0]);
}

/* source stride of each dim of the result, 0 where repeated */
static void repeat_strides(const locum_view *small, const locum_view *large, int64_t strides[LOCUM_DIMS_MAX])
{
    int64_t stride = 1;
    for (int i = large->n_dims - 1; i >= 0; i--) {
        const int j = i - (large->n_dims - small->n_dims);
        strides[i] = j < 0 || (small->dims[j] == 1 && large->dims[i] != 1) ? 0 : stride;
        if (j >= 0) stride *= small->dims[j];
    }
}

/* steps a multi-index and the offset that belongs to it */
static int64_t step_index(const locum_view *view, int64_t index[LOCUM_DIMS_MAX], const int64_t strides[LOCUM_DIMS_MAX],
                          int64_t offset)
{
    for (int d = view->n_dims - 1; d >= 0; d--) {
        offset += strides[d];
        if (++index[d] < view->dims[d]) return offset;
        offset -= strides[d] * view->dims[d];
        index[d] = 0;
    }
    return offset;
}

static void expand_reference(const locum_loop *loop)
{
    int64_t strides[LOCUM_DIMS_MAX], index[LOCUM_DIMS_MAX] = {0}, from = 0;
    repeat_strides(&loop->in[0], &loop->out, strides);
    for (int64_t i = 0; i < loop->out.count; i++, from = step_index(&loop->out, index, strides, from))
        loop->out.data[i] = loop->in[0].data[from];
}

const locum_operator locum_operator_expand = {
    .traits = LOCUM_LINEAR, .shape = expand_shape, .gradient = expand_gradient, .reference = expand_reference};

/* --- sum {keep, axes ...} ----------------------------------------------------------------------------------------- */

static locum_id reduce(locum_graph *graph, locum_op op, locum_id x, int n_axes, const int *axes, bool keep)
{
    locum_draft draft = {.op = op, .n_inputs = 1, .in = &x, .n_integers = 1, .integers = {keep}};
    const locum_shape shape = locum_shape_of(graph, x);
    bool chosen[LOCUM_DIMS_MAX] = {false};
    for (int i = 0; i < n_axes; i++) {
        const int axis = locum_shape_axis(&shape, axes[i]);
        if (axis < 0 || chosen[axis])
            return locum_graph_fault(graph, LOCUM_ARG, "%s: axis %d of %d dims, or twice", locum_op_name(op), axes[i],
                                     shape.n_dims);
        chosen[axis] = true;
    }
    for (int i = 0; i < shape.n_dims; i++)
        if (chosen[i] || n_axes == 0) draft.integers[draft.n_integers++] = i;
    return locum_graph_add(graph, &draft);
}

locum_id locum_sum(locum_graph *graph, locum_id x, int n_axes, const int *axes, bool keep)
{
    return reduce(graph, LOCUM_OP_sum, x, n_axes, axes, keep);
}

locum_id locum_mean(locum_graph *graph, locum_id x, int n_axes, const int *axes, bool keep)
{
    return reduce(graph, LOCUM_OP_mean, x, n_axes, axes, keep);
}

locum_status locum_rule_reduce(const locum_graph *graph, locum_draft *draft)
{
    const char *who = locum_op_name(draft->op);
    const locum_shape from = locum_shape_of(graph, draft->in[0]);
    const int64_t keep = draft->integers[0];
    LOCUM_REQUIRE(draft->n_integers >= 1 && (keep == 0 || keep == 1), LOCUM_ARG, "%s: attributes are {keep, axes ...}",
                  who);
    LOCUM_REQUIRE(from.number != LOCUM_INTEGER32, LOCUM_ARG, "%s: works on real numbers, not on int32 (cast it)", who);
    draft->shape = (locum_shape){.number = from.number, .symbol = from.symbol};
    int next = 1;
    for (int i = 0; i < from.n_dims; i++) {
        const bool summed = next < draft->n_integers && draft->integers[next] == i;
        if (summed) next++;
        if (summed && i == 0) draft->shape.symbol = -1;
        if (!summed || keep) draft->shape.dims[draft->shape.n_dims++] = summed ? 1 : from.dims[i];
    }
    LOCUM_REQUIRE(next == draft->n_integers, LOCUM_ARG, "%s: axes must ascend within %d dims", who, from.n_dims);
    return LOCUM_OK;
}

static void sum_gradient(const locum_site *s, locum_id *into)
{
    locum_shape kept = locum_shape_of(s->graph, s->in[0]);
    bool leading = true; /* the axes are 0 .. k: expand brings them back by itself */
    for (int i = 1; i < s->node.n_integers; i++) {
        kept.dims[s->integers[i]] = 1;
        leading = leading && s->integers[i] == i - 1;
    }
    const bool reshape = !s->integers[0] && !leading;
    into[0] = reshape ? locum_reshape(s->graph, s->seed, kept.n_dims, kept.dims) : s->seed;
    into[0] = locum_expand_like(s->graph, into[0], s->in[0]);
}

static void sum_reference(const locum_loop *loop)
{
    const locum_view *in = &loop->in[0];
    locum_view kept = *in;
    int64_t strides[LOCUM_DIMS_MAX], index[LOCUM_DIMS_MAX] = {0}, to = 0;
    for (int i = 1; i < loop->n_integers; i++) kept.dims[loop->integers[i]] = 1;
    repeat_strides(&kept, in, strides);
    for (int64_t i = 0; i < loop->out.count; i++) loop->out.data[i] = 0;
    for (int64_t i = 0; i < in->count; i++, to = step_index(in, index, strides, to)) loop->out.data[to] += in->data[i];
}

const locum_operator locum_operator_sum = {.traits = LOCUM_LINEAR,
                                           .n_integers = -1,
                                           .shape = locum_rule_reduce,
                                           .gradient = sum_gradient,
                                           .reference = sum_reference};
