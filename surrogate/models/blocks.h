/* SPDX-License-Identifier: BSD-3-Clause */
/* blocks.h - pieces that networks on grids share: dense maps of channels, Fourier transforms of all axes, and what is
 * known of the result. Fields are [batch, grid.., channels]. */
#ifndef SURROGATE_MODELS_BLOCKS_H
#define SURROGATE_MODELS_BLOCKS_H

#include "surrogate/models/model_type.h"

/** x [.., K] -> x W + b [.., n_out]: parameters "weight" [1, K, n_out], "bias" [n_out] under the current path. */
locum_id locum_block_dense(locum_graph *graph, locum_id x, int64_t n_out);

/** A vector of channels for each row, [batch, c], seen from [batch, grid.., c]: [batch, 1.., c]. */
locum_id locum_block_everywhere(locum_graph *graph, locum_id vector, int n_axes);

/** Lowest Fourier modes of real fields: x [batch, grid.., c] -> [batch, 2, G c]. Real parts come first, then imaginary
 *  ones; G = modes (2 modes)^(n_axes - 1): along the last axis 0 .. modes - 1, along the others 0 .. modes - 1,
 *  -modes .. -1. Scaled by 1 / sqrt(points). Needs grid >= 2 modes. */
locum_id locum_block_fourier(locum_graph *graph, locum_id x, int n_axes, const int64_t *grid, int64_t modes);

/** Back: [batch, 2, G c] -> [batch, grid.., c], the real part of the sum over the modes and their conjugates, times
 *  `factor`. factor = 1 is the inverse of locum_block_fourier on fields that have no other modes. */
locum_id locum_block_fourier_back(locum_graph *graph, locum_id modes_of_x, int n_axes, const int64_t *grid,
                                  int64_t modes, double factor);

/** What is known of the result z [batch, grid.., out_channels] of a network on a grid, made true to round-off:
 *      fixed_mean        z minus its mean over the grid, channel by channel
 *      divergence_free   the part of z without divergence (periodic grids, component i along axis i): the orthogonal
 *                        projection for the derivatives of the grid's trigonometric polynomials; those of the highest
 *                        mode of an even number of points are zero
 *  LOCUM_ARG (in the graph's status) if the task's outputs do not fit. */
locum_id locum_block_priors(const locum_task *task, locum_graph *graph, locum_id z);

/** Derivative along one periodic axis of n points and this length as a matrix [n, n], row-major: d[i n + j]. */
void locum_block_derivative(int64_t n, double length, double *d);

#endif
