/* SPDX-License-Identifier: BSD-3-Clause */
/* transform.c - a constant matrix along one axis, whatever lies behind it:
 *
 *     y[o, m, t] = sum_n F[m, n] x[o, n, t]                 transposed: F[n, m]
 *
 * o counts the values of all axes in front, t those of all axes behind. F is a constant node, so the operator is linear
 * in x, and its gradient is the same operator with F the other way round: closed. Truncated Fourier transforms,
 * derivatives on periodic grids, interpolation are such matrices. A matrix that is learnt is a product. */
#include "surrogate/graph/operator.h"

locum_id locum_transform_axis(locum_graph *graph, locum_id x, locum_id matrix, int axis, bool transposed)
{
    if (axis < 0 && x > 0) {
        const locum_shape shape = locum_shape_of(graph, x);
        const int place = locum_shape_axis(&shape, axis);
        if (place >= 0) axis = place;
    }
    locum_draft draft = {.op = LOCUM_OP_transform,
                         .n_inputs = 2,
                         .in = (locum_id[]){x, matrix},
                         .n_integers = 2,
                         .integers = {axis, transposed}};
    return locum_graph_add(graph, &draft);
}

static locum_status transform_shape(const locum_graph *graph, locum_draft *draft)
{
    const locum_shape x = locum_shape_of(graph, draft->in[0]), f = locum_shape_of(graph, draft->in[1]);
    const int64_t axis = draft->integers[0], transposed = draft->integers[1];
    char text[LOCUM_SHAPE_TEXT], matrix[LOCUM_SHAPE_TEXT];
    LOCUM_REQUIRE(x.number == f.number && x.number != LOCUM_INTEGER32, LOCUM_ARG,
                  "transform: number types differ, or int32");
    LOCUM_REQUIRE(locum_graph_node(graph, draft->in[1])->op == LOCUM_OP_constant, LOCUM_ARG,
                  "transform: the matrix is a constant");
    LOCUM_REQUIRE(transposed == 0 || transposed == 1, LOCUM_ARG, "transform: transposed is 0 or 1");
    LOCUM_REQUIRE(axis >= (x.symbol >= 0 ? 1 : 0) && axis < x.n_dims && f.n_dims == 2 &&
                      x.dims[axis] == f.dims[transposed ? 0 : 1],
                  LOCUM_ARG, "transform: %s%s does not fit axis %lld of %s", locum_shape_text(graph, &f, matrix),
                  transposed ? " transposed" : "", (long long)axis, locum_shape_text(graph, &x, text));
    draft->shape = x;
    draft->shape.dims[axis] = f.dims[transposed ? 1 : 0];
    return LOCUM_OK;
}

static void transform_gradient(const locum_site *s, locum_id *into)
{
    into[0] = locum_transform_axis(s->graph, s->seed, s->in[1], (int)s->integers[0], !s->integers[1]);
}

static void transform_reference(const locum_loop *loop)
{
    const locum_view *x = &loop->in[0], *f = &loop->in[1];
    const int axis = (int)loop->integers[0];
    const bool transposed = loop->integers[1];
    const int64_t M = loop->out.dims[axis], N = x->dims[axis];
    int64_t outer = 1, inner = 1;
    for (int i = 0; i < axis; i++) outer *= x->dims[i];
    for (int i = axis + 1; i < x->n_dims; i++) inner *= x->dims[i];
    for (int64_t o = 0; o < outer; o++)
        for (int64_t m = 0; m < M; m++)
            for (int64_t t = 0; t < inner; t++) {
                double sum = 0;
                for (int64_t n = 0; n < N; n++)
                    sum += f->data[transposed ? n * M + m : m * N + n] * x->data[(o * N + n) * inner + t];
                loop->out.data[(o * M + m) * inner + t] = sum;
            }
}

const locum_operator locum_operator_transform = {.traits = LOCUM_LINEAR,
                                                 .blind = 2,
                                                 .n_integers = 2,
                                                 .shape = transform_shape,
                                                 .gradient = transform_gradient,
                                                 .reference = transform_reference};
