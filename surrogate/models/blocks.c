/* SPDX-License-Identifier: BSD-3-Clause */
/* blocks.c - dense maps of channels, and truncated Fourier transforms as products with constant matrices.
 *
 * Real and imaginary parts stay apart as an axis of two that is merged with the axis at hand, so that no value is ever
 * moved. With axes y, x, M = 2 modes, e = (real, imaginary):
 *
 *     [b, y, x, c] --x--> [b, y, (e kx), c] = [b, (y e), kx c] --y--> [b, (e ky), kx c]
 *
 *     last axis     Re_k = s sum_n x_n cos(2 pi k n / N)          x_n = s sum_k w_k (Re_k cos - Im_k sin)
 *                   Im_k = -s sum_n x_n sin(2 pi k n / N)         w_0 = 1, w_k = 2: the conjugate modes
 *     others        exp(-i 2 pi k n / N) as 2 x 2 blocks          and its conjugate;      s = 1 / sqrt(N)
 *
 * The matrices are exact for every N: no power of two, no library. */
#include "surrogate/models/blocks.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TWO_PI 6.28318530717958647692

locum_id locum_block_dense(locum_graph *graph, locum_id x, int64_t n_out)
{
    const locum_node *node = locum_graph_node(graph, x);
    if (!node) return 0;
    const int64_t dims[3] = {1, node->dims[node->n_dims - 1], n_out};
    const locum_id weight = locum_parameter(graph, "weight", LOCUM_REAL32, 3, dims);
    const locum_id bias = locum_parameter(graph, "bias", LOCUM_REAL32, 1, &n_out);
    return locum_binary(graph, LOCUM_OP_add, locum_product(graph, x, weight, false), bias);
}

locum_id locum_block_everywhere(locum_graph *graph, locum_id vector, int n_axes)
{
    const locum_node *node = locum_graph_node(graph, vector);
    int64_t dims[LOCUM_DIMS_MAX] = {1, 1, 1, 1, 1};
    if (!node) return 0;
    dims[n_axes + 1] = node->dims[node->n_dims - 1];
    return locum_reshape(graph, vector, n_axes + 2, dims);
}

/* 2 pi k n / N with k n taken modulo N first, so that large products lose nothing */
static double angle(int64_t k, int64_t n, int64_t N)
{
    return TWO_PI * (double)((k * n % N + N) % N) / (double)N;
}

static int64_t wave_number(int64_t j, int64_t modes)
{
    return j < modes ? j : j - 2 * modes;
}

/* [2 modes, N]: rows are real parts, then imaginary ones */
static void last_axis(int64_t modes, int64_t N, double *f)
{
    for (int64_t k = 0; k < modes; k++)
        for (int64_t n = 0; n < N; n++) {
            f[k * N + n] = cos(angle(k, n, N)) / sqrt((double)N);
            f[(modes + k) * N + n] = -sin(angle(k, n, N)) / sqrt((double)N);
        }
}

/* [N, 2 modes]: the transpose, each conjugate pair counted once */
static void last_axis_back(int64_t modes, int64_t N, double factor, double *f)
{
    for (int64_t n = 0; n < N; n++)
        for (int64_t k = 0; k < modes; k++) {
            const double weight = (k ? 2 : 1) * factor / sqrt((double)N);
            f[n * 2 * modes + k] = weight * cos(angle(k, n, N));
            f[n * 2 * modes + modes + k] = -weight * sin(angle(k, n, N));
        }
}

/* [2 * 2 modes, N * 2]: (e, k) from (n, e) */
static void other_axis(int64_t modes, int64_t N, double *f)
{
    const int64_t M = 2 * modes, width = 2 * N;
    for (int64_t j = 0; j < M; j++)
        for (int64_t n = 0; n < N; n++) {
            const double a = angle(wave_number(j, modes), n, N), c = cos(a) / sqrt((double)N),
                         s = sin(a) / sqrt((double)N);
            f[j * width + 2 * n] = c;
            f[j * width + 2 * n + 1] = s;
            f[(M + j) * width + 2 * n] = -s;
            f[(M + j) * width + 2 * n + 1] = c;
        }
}

static locum_id no_memory(locum_graph *graph)
{
    return locum_graph_fault(graph, LOCUM_MEMORY, "no memory for a matrix of a Fourier transform");
}

/* The same matrix serves all layers and members, so that model files hold it once. */
static locum_id shared_constant(locum_graph *graph, const int64_t *dims, const double *values)
{
    for (locum_id id = 1; id <= locum_graph_n(graph); id++) {
        const locum_node *node = locum_graph_node(graph, id);
        if (node->op == LOCUM_OP_constant && node->number == LOCUM_REAL32 && node->n_dims == 2 &&
            node->dims[0] == dims[0] && node->dims[1] == dims[1] &&
            memcmp(locum_graph_data(graph, id), values, (size_t)(dims[0] * dims[1]) * sizeof *values) == 0)
            return id;
    }
    return locum_constant(graph, LOCUM_REAL32, 2, dims, values);
}

typedef enum { LAST_AXIS, LAST_AXIS_BACK, OTHER_AXIS } fourier_kind;

static locum_id matrix(locum_graph *graph, fourier_kind kind, int64_t modes, int64_t N, double factor)
{
    int64_t dims[2] = {2 * modes, N};
    if (kind == LAST_AXIS_BACK) dims[0] = N, dims[1] = 2 * modes;
    if (kind == OTHER_AXIS) dims[0] = 4 * modes, dims[1] = 2 * N;
    double *f = malloc((size_t)(dims[0] * dims[1]) * sizeof *f);
    if (!f) return no_memory(graph);
    if (kind == LAST_AXIS) last_axis(modes, N, f);
    if (kind == LAST_AXIS_BACK) last_axis_back(modes, N, factor, f);
    if (kind == OTHER_AXIS) other_axis(modes, N, f);
    const locum_id id = shared_constant(graph, dims, f);
    free(f);
    return id;
}

static bool fits(locum_graph *graph, int n_axes, const int64_t *grid, int64_t modes)
{
    for (int i = 0; i < n_axes; i++)
        if (modes < 1 || grid[i] < 2 * modes) {
            locum_graph_fault(graph, LOCUM_ARG, "%lld modes along axis %d of %lld points: at most half as many",
                              (long long)modes, i + 1, (long long)grid[i]);
            return false;
        }
    return true;
}

locum_id locum_block_fourier(locum_graph *graph, locum_id x, int n_axes, const int64_t *grid, int64_t modes)
{
    const locum_node *node = locum_graph_node(graph, x);
    if (!node || !fits(graph, n_axes, grid, modes)) return 0;
    int64_t trailing = modes * node->dims[n_axes + 1], outer = 1;
    for (int i = 0; i + 1 < n_axes; i++) outer *= grid[i];
    x = locum_transform_axis(graph, x, matrix(graph, LAST_AXIS, modes, grid[n_axes - 1], 1), n_axes, false);
    for (int i = n_axes - 2; i >= 0; i--) { /* [b, outer axes, (grid e), trailing] */
        outer /= grid[i];
        x = locum_reshape(graph, x, 4, (int64_t[]){1, outer, 2 * grid[i], trailing});
        x = locum_transform_axis(graph, x, matrix(graph, OTHER_AXIS, modes, grid[i], 1), 2, false);
        trailing *= 2 * modes;
    }
    return locum_reshape(graph, x, 3, (int64_t[]){1, 2, trailing});
}

locum_id locum_block_fourier_back(locum_graph *graph, locum_id x, int n_axes, const int64_t *grid, int64_t modes,
                                  double factor)
{
    const locum_node *node = locum_graph_node(graph, x);
    if (!node || !fits(graph, n_axes, grid, modes)) return 0;
    int64_t trailing = node->dims[2], outer = 1, dims[LOCUM_DIMS_MAX] = {1};
    for (int i = 0; i + 1 < n_axes; i++) { /* [b, outer axes, (e k), trailing] */
        trailing /= 2 * modes;
        x = locum_reshape(graph, x, 4, (int64_t[]){1, outer, 4 * modes, trailing});
        x = locum_transform_axis(graph, x, matrix(graph, OTHER_AXIS, modes, grid[i], 1), 2, true);
        outer *= grid[i];
    }
    x = locum_reshape(graph, x, 4, (int64_t[]){1, outer, 2 * modes, trailing / modes});
    x = locum_transform_axis(graph, x, matrix(graph, LAST_AXIS_BACK, modes, grid[n_axes - 1], factor), 2, false);
    for (int i = 0; i < n_axes; i++) dims[i + 1] = grid[i];
    dims[n_axes + 1] = trailing / modes;
    return locum_reshape(graph, x, n_axes + 2, dims);
}
