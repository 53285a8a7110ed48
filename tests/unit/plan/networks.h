/* SPDX-License-Identifier: BSD-3-Clause */
/* networks.h - the graphs that the tests of plans share. */
#ifndef TESTS_UNIT_PLAN_NETWORKS_H
#define TESTS_UNIT_PLAN_NETWORKS_H

#include "fixture.h"

enum { NETWORK_NORMALISED = 1, NETWORK_LAYER_NORM = 2 };

/* Perceptron of `layers` hidden layers over "batch", `members` of them side by side:
 * "x" [batch, 5] -> [batch, members 3]. Appends the ids of its parameters to `parameters`. */
locum_id network_build(locum_graph *graph, int layers, int64_t width, int64_t members, locum_op activation,
                       unsigned flags, int *n_parameters, locum_id *parameters);
/* Fixture of the network's values alone. */
fixture network_forward(int layers, int64_t width, int64_t members, locum_op activation, unsigned flags, int64_t rows);
/* Loss (mean square against "target") and its gradient for all parameters. */
fixture network_training(int layers, int64_t width, int64_t members, locum_op activation, unsigned flags, int64_t rows);
/* Loss of energies and forces -dE/dx, and its gradient for all parameters: a second derivative. */
fixture network_forces(int layers, int64_t width, locum_op activation, int64_t rows);
void network_destroy(fixture *f);

#endif
