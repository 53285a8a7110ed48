/* SPDX-License-Identifier: BSD-3-Clause */
/* noise.h - the values of a noise node, shared by the reference loop and by plans: the same wherever a row is computed.
 *
 *     z = N(0, 1) keyed by (seed, step, stream, row, element)
 *
 * `stream` is the node's attribute: it stands for the node and survives simplification, unlike its id. `row` counts
 * along the symbol (first_row + 0 .. extent - 1), `element` within the row's dims[0] * dims[1] * ... values. Nodes
 * without a symbol have row 0. The reference loop uses step 0 and first_row 0. Philox4x32-10 and Box-Muller are those of
 * core/random.h. */
#ifndef SURROGATE_GRAPH_NOISE_H
#define SURROGATE_GRAPH_NOISE_H

#include "core/random.h"

static inline uint64_t locum_noise_key(uint64_t seed, uint64_t step, uint32_t stream)
{
    return locum_random_seed(locum_random_seed(seed, LOCUM_STREAM_NOISE, step), LOCUM_STREAM_NOISE, stream);
}

/** Fills z [n] with the values of one row. */
static inline void locum_noise_row(uint64_t key, uint64_t row, int64_t n, double *z)
{
    const uint64_t row_key = locum_random_seed(key, LOCUM_STREAM_NOISE, row);
    for (int64_t i = 0; i < n; i += 2) {
        double pair[2];
        locum_random_normal(row_key, LOCUM_STREAM_NOISE, (uint64_t)i / 2, pair);
        z[i] = pair[0];
        if (i + 1 < n) z[i + 1] = pair[1];
    }
}

#endif
