/* SPDX-License-Identifier: BSD-3-Clause */
/* random_graph.h - graphs of random operators, with a bound for the float32 error of every node. */
#ifndef TESTS_UNIT_PLAN_RANDOM_GRAPH_H
#define TESTS_UNIT_PLAN_RANDOM_GRAPH_H

#include <stdbool.h>

#include "fixture.h"

typedef struct random_graph {
    locum_graph *graph;
    int n_outputs;
    locum_id outputs[FIXTURE_OUTPUTS_MAX];
    double tolerance[FIXTURE_OUTPUTS_MAX];
    bool rows_only; /* no operator looks at other rows */
} random_graph;

/** A function of the seed alone. rows: an extent that error bounds of sums over rows may assume. */
random_graph random_graph_make(uint64_t seed, int64_t rows);

#endif
