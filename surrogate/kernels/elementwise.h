/* SPDX-License-Identifier: BSD-3-Clause */
/* elementwise.h - loops that apply an expression on vectors to n contiguous floats.
 * The last values of a run pass through the same vector code with the missing lanes zero, so a value's bits do not depend on
 * where in the run it stands. In place (y = x) is allowed. */
#ifndef SURROGATE_KERNELS_ELEMENTWISE_H
#define SURROGATE_KERNELS_ELEMENTWISE_H

#include "surrogate/kernels/level.h"

#define MAP1(n, x, y, expression)                              \
    do {                                                       \
        int64_t i_ = 0;                                        \
        for (; i_ + LANES <= (n); i_ += LANES) {               \
            vf a = load((x) + i_);                             \
            store((y) + i_, expression);                       \
        }                                                      \
        if (i_ < (n)) {                                        \
            vf a = load_part((x) + i_, (n)-i_);                \
            store_part((y) + i_, expression, (n)-i_);          \
        }                                                      \
    } while (0)

#define MAP2(n, x, z, y, expression)                           \
    do {                                                       \
        int64_t i_ = 0;                                        \
        for (; i_ + LANES <= (n); i_ += LANES) {               \
            vf a = load((x) + i_), b = load((z) + i_);         \
            store((y) + i_, expression);                       \
        }                                                      \
        if (i_ < (n)) {                                        \
            vf a = load_part((x) + i_, (n)-i_);                \
            vf b = load_part((z) + i_, (n)-i_);                \
            store_part((y) + i_, expression, (n)-i_);          \
        }                                                      \
    } while (0)

#define MAP3(n, x, z, u, y, expression)                                            \
    do {                                                                           \
        int64_t i_ = 0;                                                            \
        for (; i_ + LANES <= (n); i_ += LANES) {                                   \
            vf a = load((x) + i_), b = load((z) + i_), c = load((u) + i_);         \
            store((y) + i_, expression);                                           \
        }                                                                          \
        if (i_ < (n)) {                                                            \
            vf a = load_part((x) + i_, (n)-i_), b = load_part((z) + i_, (n)-i_);   \
            vf c = load_part((u) + i_, (n)-i_);                                    \
            store_part((y) + i_, expression, (n)-i_);                              \
        }                                                                          \
    } while (0)

#endif
