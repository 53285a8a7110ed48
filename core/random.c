/* SPDX-License-Identifier: BSD-3-Clause */
/* random.c - Philox4x32-10 of Random123 as a pure function.
 *
 *     key     = seed (low word, high word)
 *     counter = index (low, high), stream, use         use 0: numbers, 1: derived seeds, so that the two never meet
 *
 * uniform   (k + 1/2) / 2^52 with k the upper 52 bits of two words: never 0, never 1, exact in a double
 * normal    Box-Muller: sqrt(-2 ln u0) (cos, sin)(2 pi u1); the largest is sqrt(2 * 53 ln 2) = 8.6 */
#include <math.h>

#include <Random123/philox.h>

#include "core/random.h"

static void philox(uint64_t seed, uint32_t stream, uint64_t index, uint32_t use, uint32_t words[4])
{
    philox4x32_key_t key = {{(uint32_t)seed, (uint32_t)(seed >> 32)}};
    philox4x32_ctr_t counter = {{(uint32_t)index, (uint32_t)(index >> 32), stream, use}};

    counter = philox4x32_R(10, counter, key);
    for (int i = 0; i < 4; i++) words[i] = counter.v[i];
}

static uint64_t joined(uint32_t high, uint32_t low)
{
    return (uint64_t)high << 32 | low;
}

void locum_random_words(uint64_t seed, uint32_t stream, uint64_t index, uint32_t words[4])
{
    philox(seed, stream, index, 0, words);
}

void locum_random_uniform(uint64_t seed, uint32_t stream, uint64_t index, double u[2])
{
    uint32_t words[4];

    philox(seed, stream, index, 0, words);
    for (int i = 0; i < 2; i++) u[i] = ((double)(joined(words[2 * i + 1], words[2 * i]) >> 12) + 0.5) * 0x1p-52;
}

void locum_random_normal(uint64_t seed, uint32_t stream, uint64_t index, double z[2])
{
    const double two_pi = 6.283185307179586476925;
    double u[2];

    locum_random_uniform(seed, stream, index, u);
    double radius = sqrt(-2.0 * log(u[0])), angle = two_pi * u[1];
    z[0] = radius * cos(angle);
    z[1] = radius * sin(angle);
}

uint64_t locum_random_seed(uint64_t seed, uint32_t stream, uint64_t index)
{
    uint32_t words[4];

    philox(seed, stream, index, 1, words);
    return joined(words[1], words[0]);
}

/* floor(word * n / 2^64) without a 128-bit type: uniform in 0..n-1 but for a bias of n / 2^64 */
static int64_t below(uint64_t word, uint64_t n)
{
    uint64_t high = word >> 32, low = word & 0xffffffff, n_high = n >> 32, n_low = n & 0xffffffff;
    uint64_t middle = high * n_low + (low * n_low >> 32), other = low * n_high + (middle & 0xffffffff);

    return (int64_t)(high * n_high + (middle >> 32) + (other >> 32));
}

void locum_random_order(uint64_t seed, uint32_t stream, uint64_t index, int64_t n, int64_t *order)
{
    uint64_t own = locum_random_seed(seed, stream, index);

    for (int64_t i = 0; i < n; i++) order[i] = i;
    for (int64_t i = n - 1; i > 0; i--) {
        uint32_t words[4];
        philox(own, stream, (uint64_t)i, 0, words);
        int64_t j = below(joined(words[1], words[0]), (uint64_t)i + 1), kept = order[i];
        order[i] = order[j];
        order[j] = kept;
    }
}
