/* SPDX-License-Identifier: BSD-3-Clause */
/* ports_physics.c - what a predicted field says about its own physics: energy, divergence.
 *
 *     energy       mean over points and channels of x^2
 *     divergence   rms(d_x u + d_y v ..) / rms(grad u),  d_a u = (u[i + 1] - u[i - 1]) / (2 h_a), periodic */
#include "surrogate/models/ports.h"

#define LEAST_GRADIENT 1e-30 /* under the root: a constant vector has no divergence */

/* sum over all axes but the batch -> [batch, 1] */
static locum_id sum_row(locum_graph *graph, locum_id x)
{
    int64_t dims[] = {1, 1};
    return locum_reshape(graph, locum_ports_sum(graph, x), 2, dims);
}

locum_id locum_ports_energy(const locum_task *task, locum_graph *graph, locum_id x)
{
    double count = (double)locum_task_points(task) * task->out_channels;
    return locum_scale(graph, sum_row(graph, locum_ports_square(graph, x)), 1 / count, 0);
}

static locum_id derivative(const locum_task *task, locum_graph *graph, locum_id u, int axis)
{
    double h = task->box[axis] / (double)task->grid[axis];
    int64_t n = task->grid[axis];
    locum_id wide = locum_pad(graph, u, axis + 1, 1, 1, LOCUM_PAD_PERIODIC);
    locum_id d = locum_binary(graph, LOCUM_OP_subtract, locum_slice(graph, wide, axis + 1, 2, n, 1),
                              locum_slice(graph, wide, axis + 1, 0, n, 1));
    return locum_scale(graph, d, 1 / (2 * h), 0);
}

locum_id locum_ports_divergence(const locum_task *task, locum_graph *graph, locum_id x, int first)
{
    locum_id u = locum_slice(graph, x, -1, first, task->n_axes, 1), divergence = 0, gradient = 0;
    for (int a = 0; a < task->n_axes; a++) {
        locum_id d = derivative(task, graph, u, a), own = locum_slice(graph, d, -1, a, 1, 1),
                 squares = sum_row(graph, locum_ports_square(graph, d));
        divergence = a ? locum_binary(graph, LOCUM_OP_add, divergence, own) : own;
        gradient = a ? locum_binary(graph, LOCUM_OP_add, gradient, squares) : squares;
    }
    locum_id whole = sum_row(graph, locum_ports_square(graph, divergence));
    return locum_unary(graph, LOCUM_OP_sqrt,
                       locum_binary(graph, LOCUM_OP_divide, whole, locum_scale(graph, gradient, 1, LEAST_GRADIENT)));
}
