/* SPDX-License-Identifier: BSD-3-Clause */
/* sobol.c - one point of a scrambled Sobol sequence, computed from its index alone.
 *
 * Sobol      x_d(i) = XOR of v_d[k] over the bits k of i, v_d[k] = m_d[k] 2^(31-k); the first s numbers m_d and the
 *            primitive polynomial a_d are given, the others follow from
 *            m[k] = 2 a_1 m[k-1] ^ ... ^ 2^(s-1) a_(s-1) m[k-s+1] ^ 2^s m[k-s] ^ m[k-s]
 *            (S. Joe, F. Kuo, SIAM J. Sci. Comput. 30, 2635, 2008; their table "new-joe-kuo-6", first 32 dimensions).
 * Scrambling nested and uniform (A. Owen, 1995): bit k is flipped or not by a hash of all bits above it, that is, of
 *            its node in the binary tree of intervals (idea of hashing: B. Burley, JCGT 9, 1, 2020; here each node is
 *            hashed on its own, which is the exact law and fast enough for sets of parameters). 20 more hashed bits
 *            follow the 32, so that no two points share a coordinate.
 * The first 2^m points of each seed are a digital net like the plain ones. Leaves out: Gray-code order. */
#include <inttypes.h>

#include "core/random.h"
#include "core/sobol.h"

enum { BITS = 32, DEGREE_MAX = 7 };

typedef struct direction {
    uint8_t degree, polynomial; /* s and a of Joe and Kuo */
    uint8_t m[DEGREE_MAX];
} direction;

/* dimension 2 and up; the first one is van der Corput's */
static const direction directions[LOCUM_SOBOL_DIMENSIONS - 1] = {
    {1, 0, {1}},
    {2, 1, {1, 3}},
    {3, 1, {1, 3, 1}},
    {3, 2, {1, 1, 1}},
    {4, 1, {1, 1, 3, 3}},
    {4, 4, {1, 3, 5, 13}},
    {5, 2, {1, 1, 5, 5, 17}},
    {5, 4, {1, 1, 5, 5, 5}},
    {5, 7, {1, 1, 7, 11, 19}},
    {5, 11, {1, 1, 5, 1, 1}},
    {5, 13, {1, 1, 1, 3, 11}},
    {5, 14, {1, 3, 5, 5, 31}},
    {6, 1, {1, 3, 3, 9, 7, 49}},
    {6, 13, {1, 1, 1, 15, 21, 21}},
    {6, 16, {1, 3, 1, 13, 27, 49}},
    {6, 19, {1, 1, 1, 15, 7, 5}},
    {6, 22, {1, 3, 1, 15, 13, 25}},
    {6, 25, {1, 1, 5, 5, 19, 61}},
    {7, 1, {1, 3, 7, 11, 23, 15, 103}},
    {7, 4, {1, 3, 7, 13, 13, 15, 69}},
    {7, 7, {1, 1, 3, 13, 7, 35, 63}},
    {7, 8, {1, 3, 5, 9, 1, 25, 53}},
    {7, 14, {1, 3, 1, 13, 9, 35, 107}},
    {7, 19, {1, 3, 1, 5, 27, 61, 31}},
    {7, 21, {1, 1, 5, 11, 19, 41, 61}},
    {7, 28, {1, 3, 5, 3, 3, 13, 69}},
    {7, 31, {1, 1, 7, 13, 1, 19, 1}},
    {7, 32, {1, 3, 7, 5, 13, 19, 59}},
    {7, 37, {1, 1, 3, 9, 25, 29, 41}},
    {7, 41, {1, 3, 5, 13, 23, 1, 55}},
    {7, 42, {1, 3, 7, 3, 13, 59, 17}},
};

uint32_t locum_sobol_plain(uint32_t index, int dimension)
{
    if (dimension == 0) { /* all m = 1: the index with its bits reversed */
        uint32_t x = 0;
        for (int k = 0; k < BITS; k++) x |= (index >> k & 1) << (BITS - 1 - k);
        return x;
    }

    const direction *d = &directions[dimension - 1];
    int s = d->degree;
    uint32_t m[BITS], x = 0;

    for (int k = 0; k < BITS && index >> k; k++) {
        if (k < s) {
            m[k] = d->m[k];
        } else {
            m[k] = m[k - s] << s ^ m[k - s];
            for (int j = 1; j < s; j++)
                if (d->polynomial >> (s - 1 - j) & 1) m[k] ^= m[k - j] << j;
        }
        if (index >> k & 1) x ^= m[k] << (BITS - 1 - k);
    }
    return x;
}

/* number `node` of the SplitMix64 stream that starts at `key` (G. Steele et al., OOPSLA 2014) */
static uint64_t node_hash(uint64_t key, uint64_t node)
{
    uint64_t h = key + node * 0x9e3779b97f4a7c15u;

    h = (h ^ h >> 30) * 0xbf58476d1ce4e5b9u;
    h = (h ^ h >> 27) * 0x94d049bb133111ebu;
    return h ^ h >> 31;
}

static double scrambled(uint32_t x, uint64_t key)
{
    uint64_t node = 1, y = 0; /* 1 = the root: the whole interval */

    for (int k = BITS - 1; k >= 0; k--) {
        uint64_t bit = x >> k & 1;
        y = y << 1 | (bit ^ node_hash(key, node) >> 63);
        node = node << 1 | bit;
    }
    y = y << 20 | node_hash(key, node) >> 44;
    return ((double)y + 0.5) * 0x1p-52;
}

locum_status locum_sobol_point(uint64_t seed, uint64_t index, int n_dims, double *u)
{
    LOCUM_REQUIRE(n_dims >= 1 && n_dims <= LOCUM_SOBOL_DIMENSIONS, LOCUM_ARG,
                  "Sobol points have 1 to %d dimensions, not %d", LOCUM_SOBOL_DIMENSIONS, n_dims);
    LOCUM_REQUIRE(index >> BITS == 0, LOCUM_ARG, "Sobol point %" PRIu64 " does not exist: there are 2^%d", index, BITS);
    for (int d = 0; d < n_dims; d++)
        u[d] =
            scrambled(locum_sobol_plain((uint32_t)index, d), locum_random_seed(seed, LOCUM_STREAM_SOBOL, (uint64_t)d));
    return LOCUM_OK;
}
