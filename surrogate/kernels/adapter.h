/* SPDX-License-Identifier: BSD-3-Clause */
/* adapter.h - products of somebody else's library, offered to a plan beside our kernel table (surrogate/adapters). */
#ifndef SURROGATE_KERNELS_ADAPTER_H
#define SURROGATE_KERNELS_ADAPTER_H

#include <stdbool.h>
#include <stdint.h>

/* Large products may go elsewhere while training (surrogate/adapters); NULL = our kernels alone. */
typedef struct locum_adapter {
    const char *name;
    bool (*wants)(int64_t rows, int64_t k, int64_t n,
                  int kind); /* kind: 0 product, 1 product transposed, 2 product_rows */
    void (*product)(int64_t rows, int64_t k, int64_t n, const float *a, int64_t a_stride, const float *b,
                    int64_t b_stride, int transposed, float *c, int64_t c_stride);
    void (*product_rows)(int64_t rows, int64_t k, int64_t n, const float *a, int64_t a_stride, const float *c,
                         int64_t c_stride, float *w, int64_t w_stride, int accumulate);
} locum_adapter;

#endif
