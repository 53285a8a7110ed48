/* SPDX-License-Identifier: BSD-3-Clause */
/* random_graph.h - graphs of random operators on random nodes, every value finite. */
#ifndef TESTS_UNIT_GRAPH_RANDOM_GRAPH_H
#define TESTS_UNIT_GRAPH_RANDOM_GRAPH_H

#include "tests/unit/graph/support.h"

/* About n nodes over inputs x [batch, 4], p [4], q [2, 3] and constants that invite simplification. Outputs "y0" .. "y2" are late
 * nodes, "gx" and "gp" gradients of their sum. */
locum_graph *random_graph(uint64_t seed, int n);

#endif
