/* SPDX-License-Identifier: BSD-3-Clause */
/* elementwise.h - loops that apply an expression on vectors to n contiguous floats.
 * The last values of a run pass through the same vector code with the missing lanes zero, so a value's bits do not
 * depend on where in the run it stands. In place (y = x) is allowed. */
#ifndef SURROGATE_KERNELS_ELEMENTWISE_H
#define SURROGATE_KERNELS_ELEMENTWISE_H

#include "surrogate/kernels/level.h"

#define MAP1(n, x, y, expression)                     \
    do {                                              \
        int64_t i_ = 0;                               \
        for (; i_ + LANES <= (n); i_ += LANES) {      \
            vf a = load((x) + i_);                    \
            store((y) + i_, expression);              \
        }                                             \
        if (i_ < (n)) {                               \
            vf a = load_part((x) + i_, (n)-i_);       \
            store_part((y) + i_, expression, (n)-i_); \
        }                                             \
    } while (0)

/* group(vectors, x) works in place on 4 vectors, then on single ones */
#define MAP_GROUP(n, x, y, group)                                                       \
    do {                                                                                \
        int64_t i_ = 0;                                                                 \
        for (; i_ + 4 * LANES <= (n); i_ += 4 * LANES) {                                \
            vf v_[4];                                                                   \
            UNROLL for (int g_ = 0; g_ < 4; g_++) v_[g_] = load((x) + i_ + g_ * LANES); \
            group(4, v_);                                                               \
            UNROLL for (int g_ = 0; g_ < 4; g_++) store((y) + i_ + g_ * LANES, v_[g_]); \
        }                                                                               \
        for (; i_ < (n); i_ += LANES) {                                                 \
            vf v_ = (n)-i_ < LANES ? load_part((x) + i_, (n)-i_) : load((x) + i_);      \
            group(1, &v_);                                                              \
            if ((n)-i_ < LANES)                                                         \
                store_part((y) + i_, v_, (n)-i_);                                       \
            else                                                                        \
                store((y) + i_, v_);                                                    \
        }                                                                               \
    } while (0)

#define MAP2(n, x, z, y, expression)                   \
    do {                                               \
        int64_t i_ = 0;                                \
        for (; i_ + LANES <= (n); i_ += LANES) {       \
            vf a = load((x) + i_), b = load((z) + i_); \
            store((y) + i_, expression);               \
        }                                              \
        if (i_ < (n)) {                                \
            vf a = load_part((x) + i_, (n)-i_);        \
            vf b = load_part((z) + i_, (n)-i_);        \
            store_part((y) + i_, expression, (n)-i_);  \
        }                                              \
    } while (0)

#define MAP3(n, x, z, u, y, expression)                                          \
    do {                                                                         \
        int64_t i_ = 0;                                                          \
        for (; i_ + LANES <= (n); i_ += LANES) {                                 \
            vf a = load((x) + i_), b = load((z) + i_), c = load((u) + i_);       \
            store((y) + i_, expression);                                         \
        }                                                                        \
        if (i_ < (n)) {                                                          \
            vf a = load_part((x) + i_, (n)-i_), b = load_part((z) + i_, (n)-i_); \
            vf c = load_part((u) + i_, (n)-i_);                                  \
            store_part((y) + i_, expression, (n)-i_);                            \
        }                                                                        \
    } while (0)

#endif
