/* SPDX-License-Identifier: BSD-3-Clause */
/* sources.c - nodes without operands: inputs and parameters (values come at run time) and constants. */
#include "surrogate/graph/operator.h"

#include <string.h>

static locum_status source_shape(const locum_graph *graph, locum_draft *draft) /* what was asked for */
{
    (void)graph;
    LOCUM_REQUIRE(draft->name, LOCUM_ARG, "%s: needs a name", locum_op_name(draft->op));
    LOCUM_REQUIRE(draft->op == LOCUM_OP_input || draft->shape.symbol < 0, LOCUM_ARG,
                  "parameter '%s': has a constant shape", draft->name);
    return LOCUM_OK;
}

const locum_operator locum_operator_input = {.traits = LOCUM_SOURCE, .shape = source_shape};
const locum_operator locum_operator_parameter = {.traits = LOCUM_SOURCE, .shape = source_shape};

locum_id locum_constant(locum_graph *graph, locum_number number, int n_dims, const int64_t *dims, const double *data)
{
    locum_draft draft = {
        .op = LOCUM_OP_constant, .shape = {.number = number, .symbol = -1, .n_dims = n_dims}, .data = data};
    if (n_dims < 0 || n_dims > LOCUM_DIMS_MAX) return locum_graph_fault(graph, LOCUM_ARG, "constant: %d dims", n_dims);
    if (n_dims) memcpy(draft.shape.dims, dims, (size_t)n_dims * sizeof *dims);
    return locum_graph_add(graph, &draft);
}

locum_id locum_scalar(locum_graph *graph, locum_number number, double value)
{
    return locum_constant(graph, number, 0, NULL, &value);
}

static locum_status constant_shape(const locum_graph *graph, locum_draft *draft)
{
    (void)graph;
    LOCUM_REQUIRE(draft->data, LOCUM_ARG, "constant: without values");
    LOCUM_REQUIRE(draft->shape.symbol < 0, LOCUM_ARG, "constant: has a constant shape; expand it");
    return LOCUM_OK;
}

const locum_operator locum_operator_constant = {.traits = LOCUM_SOURCE, .shape = constant_shape};
