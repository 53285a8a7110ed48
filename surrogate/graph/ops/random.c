/* SPDX-License-Identifier: BSD-3-Clause */
/* random.c - noise: standard normals by Philox, the same for a row wherever it is computed (noise.h). */
#include "surrogate/graph/operator.h"

#include <string.h>

#include "surrogate/graph/noise.h"

locum_id locum_noise(locum_graph *graph, int symbol, int n_dims, const int64_t *dims, uint32_t stream)
{
    locum_draft draft = {.op = LOCUM_OP_noise,
                         .shape = {.number = LOCUM_REAL32, .symbol = symbol, .n_dims = n_dims},
                         .n_integers = 1,
                         .integers = {stream}};
    if (n_dims < 0 || n_dims > LOCUM_DIMS_MAX) return locum_graph_fault(graph, LOCUM_ARG, "noise: %d dims", n_dims);
    if (n_dims) memcpy(draft.shape.dims, dims, (size_t)n_dims * sizeof *dims);
    return locum_graph_add(graph, &draft);
}

static locum_status noise_shape(const locum_graph *graph, locum_draft *draft)
{
    (void)graph;
    LOCUM_REQUIRE(draft->integers[0] >= 0 && draft->integers[0] <= UINT32_MAX, LOCUM_ARG, "noise: stream %lld",
                  (long long)draft->integers[0]);
    return LOCUM_OK;
}

static void noise_reference(const locum_loop *loop)
{
    const uint64_t key = locum_noise_key(loop->seed, 0, (uint32_t)loop->integers[0]);
    const int64_t n = loop->rows ? loop->out.count / loop->rows : 0;
    for (int64_t row = 0; row < loop->rows; row++) locum_noise_row(key, (uint64_t)row, n, loop->out.data + row * n);
}

const locum_operator locum_operator_noise = {
    .traits = LOCUM_SOURCE | LOCUM_NO_GRADIENT, .n_integers = 1, .shape = noise_shape, .reference = noise_reference};
