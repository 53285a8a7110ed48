/* SPDX-License-Identifier: BSD-3-Clause */
/* priors.c - what is known of a field, made true: its mean over the grid, its divergence.
 *
 * Leray projection on a periodic grid, component i along axis i, D_i the derivative matrix along axis i:
 *
 *     u <- u - D phi,     (sum_i D_i^2) phi = sum_i D_i u_i
 *
 * The matrices act on different axes, so they commute, and the same orthogonal Q_i (constant, cosines and sines) makes
 * every D_i^2 diagonal: phi = Q ( (Q' sum_i D_i u_i) / sum_i lambda_i ), where a vanishing sum is left out, for there the
 * divergence vanishes as well. The result has no divergence to round-off of the same D_i, on any number of points, and
 * its mean is that of u. The projection is symmetric, hence the closest such field.
 * Left out: grids that are not periodic, weights of the cells. */
#include <math.h>
#include <stdlib.h>

#include "surrogate/models/blocks.h"

#define TWO_PI 6.28318530717958647692

/* d/dx of trigonometric polynomials: sum over 0 < k < n / 2 of -(4 pi k / (n length)) sin(2 pi k (i - j) / n) */
void locum_block_derivative(int64_t n, double length, double *d)
{
    for (int64_t j = 0; j < n; j++) {
        double sum = 0;
        for (int64_t k = 1; 2 * k < n; k++) sum -= 2 * (double)k * sin(TWO_PI * (double)(k * j % n) / (double)n);
        for (int64_t i = 0; i < n; i++) d[(i + j) % n * n + i] = sum * TWO_PI / length / (double)n;
    }
}

/* Columns of q [n, n] are cos and sin of the modes, of length one; square [n] the eigenvalues of the second derivative */
static void basis(int64_t n, double length, double *q, double *square)
{
    for (int64_t c = 0; c < n; c++) {
        const int64_t k = (c + 1) / 2;
        const bool alone = k == 0 || 2 * k == n;
        const double scale = sqrt((alone ? 1.0 : 2.0) / (double)n), rate = TWO_PI * (double)k / length;
        square[c] = alone ? 0 : -rate * rate;
        for (int64_t i = 0; i < n; i++) {
            const double a = TWO_PI * (double)(k * i % n) / (double)n;
            q[i * n + c] = scale * (c % 2 || k == 0 ? cos(a) : sin(a));
        }
    }
}

/* What the projection needs of each axis. */
typedef struct projection {
    const locum_task *task;
    locum_graph *graph;
    locum_id derivative[3], modes[3]; /* D_i, Q_i */
    double *square[3];
} projection;

static bool set_axis(projection *p, int axis)
{
    const int64_t n = p->task->grid[axis], dims[2] = {n, n};
    double *work = malloc((size_t)(n * n) * sizeof *work);
    p->square[axis] = malloc((size_t)n * sizeof *p->square[axis]);
    if (work && p->square[axis]) {
        locum_block_derivative(n, p->task->box[axis], work);
        p->derivative[axis] = locum_constant(p->graph, LOCUM_REAL32, 2, dims, work);
        basis(n, p->task->box[axis], work, p->square[axis]);
        p->modes[axis] = locum_constant(p->graph, LOCUM_REAL32, 2, dims, work);
    }
    free(work);
    return work && p->square[axis];
}

/* 1 / sum_i lambda_i on the grid of modes [grid.., 1], 0 where the sum vanishes */
static locum_id inverse_laplacian(const projection *p)
{
    int64_t dims[4] = {1, 1, 1, 1}, count = 1, stride[3] = {1, 1, 1};
    const int n = p->task->n_axes;
    for (int i = n - 1; i >= 0; i--) {
        dims[i] = p->task->grid[i];
        stride[i] = count;
        count *= dims[i];
    }
    double *inverse = malloc((size_t)count * sizeof *inverse);
    if (!inverse) return 0;
    for (int64_t at = 0; at < count; at++) {
        double sum = 0;
        for (int i = 0; i < n; i++) sum += p->square[i][at / stride[i] % dims[i]];
        inverse[at] = sum < 0 ? 1 / sum : 0;
    }
    const locum_id id = locum_constant(p->graph, LOCUM_REAL32, n + 1, dims, inverse);
    free(inverse);
    return id;
}

static locum_id project(const projection *p, locum_id u)
{
    locum_id phi = 0, gradient[3];
    const int n = p->task->n_axes;
    for (int i = 0; i < n; i++) {
        const locum_id part =
            locum_transform_axis(p->graph, locum_slice(p->graph, u, -1, i, 1, 1), p->derivative[i], i + 1, false);
        phi = phi ? locum_binary(p->graph, LOCUM_OP_add, phi, part) : part;
    }
    for (int i = 0; i < n; i++) phi = locum_transform_axis(p->graph, phi, p->modes[i], i + 1, true);
    phi = locum_binary(p->graph, LOCUM_OP_multiply, phi, inverse_laplacian(p));
    for (int i = 0; i < n; i++) phi = locum_transform_axis(p->graph, phi, p->modes[i], i + 1, false);
    for (int i = 0; i < n; i++) gradient[i] = locum_transform_axis(p->graph, phi, p->derivative[i], i + 1, false);
    return locum_binary(p->graph, LOCUM_OP_subtract, u, locum_concat(p->graph, -1, n, gradient));
}

static locum_id without_divergence(const locum_task *task, locum_graph *graph, locum_id z)
{
    projection p = {.task = task, .graph = graph};
    bool made = true;
    if (!task->periodic || task->n_axes < 2 || task->out_channels != task->n_axes)
        return locum_graph_fault(graph, LOCUM_ARG,
                                 "divergence_free: needs one vector field on a periodic grid of 2 or 3 axes, with a "
                                 "component for each; there are %d axes and %d channels",
                                 task->n_axes, task->out_channels);
    for (int i = 0; i < task->n_axes && made; i++) made = set_axis(&p, i);
    z = made ? project(&p, z) : locum_graph_fault(graph, LOCUM_MEMORY, "no memory for a projection");
    for (int i = 0; i < 3; i++) free(p.square[i]);
    return z;
}

locum_id locum_block_priors(const locum_task *task, locum_graph *graph, locum_id z)
{
    const int axes[3] = {1, 2, 3};
    if (task->divergence_free) z = without_divergence(task, graph, z);
    if (task->fixed_mean && task->n_axes > 0)
        z = locum_binary(graph, LOCUM_OP_subtract, z, locum_mean(graph, z, task->n_axes, axes, true));
    return z;
}
