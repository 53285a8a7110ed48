/* SPDX-License-Identifier: BSD-3-Clause */
/* pool.c - coarser and finer grids: x [batch, grid.., C].
 *
 *     larger_of_pairs {axis}   y[.., i, ..] = max(x[.., 2 i, ..], x[.., 2 i + 1, ..])      (composite)
 *     locum_pool_max           the same along every axis of the grid
 *     locum_pool_mean          mean over blocks of factor points along every axis: reshape, sum
 *     locum_resize_nearest     every point repeated factor times along every axis: reshape, expand
 *
 * The expansion of larger_of_pairs is two slices and a maximum, a tie going to the second; its own gradient joins both
 * halves by one concat, where slices would each be padded with zeros and then added. Grids must be multiples. */
#include "surrogate/graph/operator.h"

#include <string.h>

/* x with axis n split into [n / factor, factor] */
static locum_id split_axis(locum_graph *graph, locum_id x, int axis, int64_t factor)
{
    locum_shape s = locum_shape_of(graph, x);
    if (axis >= s.n_dims || s.n_dims == LOCUM_DIMS_MAX || factor < 1 || s.dims[axis] % factor)
        return locum_graph_fault(graph, LOCUM_ARG, "axis %d cannot be cut into blocks of %lld", axis,
                                 (long long)factor);
    memmove(s.dims + axis + 2, s.dims + axis + 1, (size_t)(s.n_dims - axis - 1) * sizeof *s.dims);
    s.dims[axis] /= factor;
    s.dims[axis + 1] = factor;
    return locum_reshape(graph, x, s.n_dims + 1, s.dims);
}

/* --- larger_of_pairs {axis} ---------------------------------------------------------------------------------------- */

static locum_status pairs_shape(const locum_graph *graph, locum_draft *draft)
{
    char text[LOCUM_SHAPE_TEXT];
    draft->shape = locum_shape_of(graph, draft->in[0]);
    const int64_t axis = draft->integers[0];
    LOCUM_REQUIRE(draft->shape.number != LOCUM_INTEGER32, LOCUM_ARG, "larger_of_pairs: of int32");
    LOCUM_REQUIRE(axis >= 0 && axis < draft->shape.n_dims && !(axis == 0 && draft->shape.symbol >= 0) &&
                      draft->shape.n_dims < LOCUM_DIMS_MAX && draft->shape.dims[axis] % 2 == 0,
                  LOCUM_ARG, "larger_of_pairs: axis %lld of %s", (long long)axis,
                  locum_shape_text(graph, &draft->shape, text));
    draft->shape.dims[axis] /= 2;
    return LOCUM_OK;
}

/* the first or second of all pairs, in the shape of the result */
static locum_id half(const locum_site *s, int which)
{
    const int axis = (int)s->integers[0];
    const locum_id pairs = split_axis(s->graph, s->in[0], axis, 2);
    const locum_id one = locum_slice(s->graph, pairs, axis + 1, which, 1, 1);
    return locum_reshape(s->graph, one, s->node.n_dims, s->node.dims);
}

static locum_id pairs_expand(const locum_site *s)
{
    return locum_binary(s->graph, LOCUM_OP_maximum, half(s, 0), half(s, 1));
}

static void pairs_gradient(const locum_site *s, locum_id *into)
{
    const int axis = (int)s->integers[0];
    const locum_id first = locum_binary(s->graph, LOCUM_OP_greater, half(s, 0), half(s, 1));
    const locum_id zero = locum_scalar(s->graph, (locum_number)s->node.number, 0);
    locum_id parts[2] = {locum_select(s->graph, first, s->seed, zero), locum_select(s->graph, first, zero, s->seed)};
    for (int i = 0; i < 2; i++) { /* [.., n, ..] -> [.., n, 1, ..] */
        locum_shape one = locum_shape_of(s->graph, parts[i]);
        memmove(one.dims + axis + 2, one.dims + axis + 1, (size_t)(one.n_dims - axis - 1) * sizeof *one.dims);
        one.dims[axis + 1] = 1;
        parts[i] = locum_reshape(s->graph, parts[i], one.n_dims + 1, one.dims);
    }
    into[0] = locum_reshape_like(s->graph, locum_concat(s->graph, axis + 1, 2, parts), s->in[0]);
}

const locum_operator locum_operator_larger_of_pairs = {
    .n_integers = 1, .shape = pairs_shape, .expand = pairs_expand, .gradient = pairs_gradient};

/* --- builders ------------------------------------------------------------------------------------------------------ */

locum_id locum_pool_max(locum_graph *graph, locum_id x, int n_axes)
{
    for (int axis = 1; axis <= n_axes; axis++) {
        locum_draft draft = {
            .op = LOCUM_OP_larger_of_pairs, .n_inputs = 1, .in = &x, .n_integers = 1, .integers = {axis}};
        const locum_id y = locum_graph_add(graph, &draft);
        x = y;
    }
    return x;
}

locum_id locum_pool_mean(locum_graph *graph, locum_id x, int n_axes, int64_t factor)
{
    int axes[LOCUM_DIMS_MAX];
    if (factor == 1) return x;
    for (int i = 0; i < n_axes; i++) {
        axes[i] = 2 * i + 2;
        x = split_axis(graph, x, 2 * i + 1, factor);
    }
    return locum_mean(graph, x, n_axes, axes, false);
}

locum_id locum_resize_nearest(locum_graph *graph, locum_id x, int n_axes, int64_t factor)
{
    const locum_shape coarse = locum_shape_of(graph, x);
    locum_shape one = {.symbol = coarse.symbol, .n_dims = 2 * n_axes + 2}, wide, fine = coarse;
    if (factor < 1 || n_axes < 1 || n_axes > 3 || coarse.n_dims != n_axes + 2)
        return locum_graph_fault(graph, LOCUM_ARG, "resize: %d axes by %lld", n_axes, (long long)factor);
    one.dims[0] = coarse.dims[0];
    one.dims[one.n_dims - 1] = coarse.dims[n_axes + 1];
    for (int i = 1; i <= n_axes; i++) {
        one.dims[2 * i - 1] = coarse.dims[i];
        one.dims[2 * i] = 1;
        fine.dims[i] = coarse.dims[i] * factor;
    }
    wide = one;
    for (int i = 1; i <= n_axes; i++) wide.dims[2 * i] = factor;
    x = locum_reshape(graph, x, one.n_dims, one.dims);
    x = locum_expand(graph, x, coarse.symbol, wide.n_dims, wide.dims);
    return locum_reshape(graph, x, fine.n_dims, fine.dims);
}
