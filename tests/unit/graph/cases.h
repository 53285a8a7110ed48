/* SPDX-License-Identifier: BSD-3-Clause */
/* cases.h - every operator applied to operands of some shapes and values: what test_operators.c runs over. */
#ifndef TESTS_UNIT_GRAPH_CASES_H
#define TESTS_UNIT_GRAPH_CASES_H

#include "tests/unit/graph/support.h"

typedef struct operand {
    bool rows; /* the first dim is in units of "batch" */
    int n_dims;
    int64_t dims[5];
    double low, high; /* of |value|, away from kinks and poles */
    bool both_signs;
} operand;

typedef struct graph_case {
    locum_op op;
    const char *what;
    locum_id (*build)(locum_graph *graph, const locum_id *in);
    int n;
    operand operands[3];
} graph_case;

extern const graph_case graph_cases[];
extern const int n_graph_cases;

#endif
