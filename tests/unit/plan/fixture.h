/* SPDX-License-Identifier: BSD-3-Clause */
/* fixture.h - runs a graph as a plan and by the oracle on the same values, for all tests of plans. */
#ifndef TESTS_UNIT_PLAN_FIXTURE_H
#define TESTS_UNIT_PLAN_FIXTURE_H

#include "surrogate/plan/plan.h"

#define FIXTURE_OUTPUTS_MAX 24

/* The same value of (name, index) everywhere: uniform in (-1, 1), exact in float. */
float fixture_value(const char *name, int64_t index);

typedef struct fixture {
    const locum_graph *graph;
    int n_outputs;
    locum_id outputs[FIXTURE_OUTPUTS_MAX];
    int64_t extents[LOCUM_SYMBOLS_MAX];
    uint64_t seed;
} fixture;

typedef struct fixture_result {
    locum_status status;
    int n;
    int64_t count[FIXTURE_OUTPUTS_MAX];
    float *value[FIXTURE_OUTPUTS_MAX]; /* owned */
} fixture_result;

/* Float32 by a plan. capacity NULL = extents. Outputs are filled with NaN first. */
fixture_result fixture_run(const fixture *f, const locum_kernels *kernels, unsigned flags, const int64_t *capacity,
                           int panel_rows, const locum_adapter *adapter);
/* As fixture_run, with a plan that exists. */
fixture_result fixture_run_plan(const fixture *f, const locum_plan *plan);
void fixture_free(fixture_result *result);
/* Double by locum_graph_evaluate; value [n_outputs], owned. */
locum_status fixture_oracle(const fixture *f, double **value);
void fixture_free_oracle(const fixture *f, double **value);
/* Same bits (NaN is equal to nothing). */
int fixture_same(const fixture_result *a, const fixture_result *b);
/* Largest |a - b| of one output; INFINITY if anything is not finite. */
double fixture_distance(const fixture_result *a, int output, const double *b);

#endif
