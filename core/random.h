/* SPDX-License-Identifier: BSD-3-Clause */
/* random.h - counter-based random numbers: value = f(seed, stream, index), no state, the same on any number
 * of ranks. Philox4x32-10 (J. Salmon et al., SC11, 2011), by Random123. */
#ifndef CORE_RANDOM_H
#define CORE_RANDOM_H

#include <stdint.h>

/* streams in use; one per purpose, so that no two purposes share numbers */
enum {
    LOCUM_STREAM_INITIAL = 1, /* initial fields; index = mode or particle */
    LOCUM_STREAM_SAMPLE,      /* seeds of samples; index = sample */
    LOCUM_STREAM_SPLIT,       /* which split a sample belongs to */
    LOCUM_STREAM_SOBOL,       /* scrambling */
    LOCUM_STREAM_SHUFFLE,     /* order of samples in an epoch */
    LOCUM_STREAM_WEIGHTS,     /* initial weights */
    LOCUM_STREAM_NOISE,       /* noise nodes of a graph */
    LOCUM_STREAM_BOOTSTRAP,   /* error bars */
    LOCUM_STREAM_TEST         /* tests */
};

/** Four 32-bit words for (seed, stream, index). Local. */
void locum_random_words(uint64_t seed, uint32_t stream, uint64_t index, uint32_t words[4]);
/** Two doubles, uniform in (0, 1), 52 bits. Local. */
void locum_random_uniform(uint64_t seed, uint32_t stream, uint64_t index, double u[2]);
/** Two independent standard normals (Box-Muller). Local. */
void locum_random_normal(uint64_t seed, uint32_t stream, uint64_t index, double z[2]);
/** A 64-bit seed derived from another. Local. */
uint64_t locum_random_seed(uint64_t seed, uint32_t stream, uint64_t index);
/** order [n] becomes a permutation of 0..n-1 that depends on (seed, stream, index) only (Fisher-Yates). Local. */
void locum_random_order(uint64_t seed, uint32_t stream, uint64_t index, int64_t n, int64_t *order);

#endif
