/* SPDX-License-Identifier: BSD-3-Clause */
/* random.c - Philox against a second implementation from the paper, which itself must give the published answers; then
 * the laws of what is made from it. */
#include <string.h>

#include "core/random.h"
#include "tests/unit/check.h"

/* Philox4x32-10 as the paper writes it (Salmon et al. 2011, section 3.3) */
static void philox_twin(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4])
{
    uint32_t c[4], k0 = key[0], k1 = key[1];

    memcpy(c, counter, sizeof c);
    for (int round = 0; round < 10; round++) {
        uint64_t a = (uint64_t)0xD2511F53 * c[0], b = (uint64_t)0xCD9E8D57 * c[2];
        uint32_t next[4] = {(uint32_t)(b >> 32) ^ c[1] ^ k0, (uint32_t)b, (uint32_t)(a >> 32) ^ c[3] ^ k1, (uint32_t)a};
        memcpy(c, next, sizeof c);
        k0 += 0x9E3779B9;
        k1 += 0xBB67AE85;
    }
    memcpy(out, c, sizeof c);
}

static void twin_gives_published_answers(void)
{
    static const struct {
        uint32_t counter[4], key[2], answer[4];
    } rows[] = {
        {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{~0u, ~0u, ~0u, ~0u}, {~0u, ~0u}, {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
         {0xa4093822, 0x299f31d0},
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (int i = 0; i < 3; i++) {
        uint32_t out[4];
        philox_twin(rows[i].counter, rows[i].key, out);
        CU_ASSERT(!memcmp(out, rows[i].answer, sizeof out));
    }
}

static void words_are_philox_of_seed_stream_index(void)
{
    static const uint64_t values[] = {0, 1, 0xffffffff, 0x123456789abcdef0, UINT64_MAX};

    for (int s = 0; s < 5; s++)
        for (int i = 0; i < 5; i++)
            for (uint32_t stream = 0; stream < 3; stream++) {
                uint64_t seed = values[s], index = values[i];
                uint32_t counter[4] = {(uint32_t)index, (uint32_t)(index >> 32), stream, 0}, words[4], twin[4];
                uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
                locum_random_words(seed, stream, index, words);
                philox_twin(counter, key, twin);
                CU_ASSERT(!memcmp(words, twin, sizeof twin));
                counter[3] = 1; /* derived seeds use another counter */
                philox_twin(counter, key, twin);
                CU_ASSERT(locum_random_seed(seed, stream, index) == ((uint64_t)twin[1] << 32 | twin[0]));
            }
}

static void uniform_numbers_have_their_moments(void)
{
    enum { N = 100000 };
    double mean[2] = {0, 0}, square[2] = {0, 0}, cross = 0, least = 1, most = 0;

    for (uint64_t i = 0; i < N; i++) {
        double u[2];
        locum_random_uniform(7, LOCUM_STREAM_TEST, i, u);
        for (int k = 0; k < 2; k++) {
            mean[k] += u[k] / N;
            square[k] += u[k] * u[k] / N;
            least = u[k] < least ? u[k] : least;
            most = u[k] > most ? u[k] : most;
        }
        cross += u[0] * u[1] / N;
    }
    for (int k = 0; k < 2; k++) {
        CHECK_CLOSE(mean[k], 0.5, 5 * sqrt(1.0 / 12 / N)); /* five standard errors */
        CHECK_CLOSE(square[k], 1.0 / 3, 5 * sqrt(4.0 / 45 / N));
    }
    CHECK_CLOSE(cross, 0.25, 5 * sqrt((1.0 / 9 - 1.0 / 16) / N)); /* the two are independent */
    CU_ASSERT(least > 0 && least < 1e-3 && most < 1 && most > 1 - 1e-3);
}

static void normal_numbers_have_their_moments(void)
{
    enum { N = 100000 };
    double m1 = 0, m2 = 0, m4 = 0, cross = 0;
    int beyond_2 = 0;

    for (uint64_t i = 0; i < N; i++) {
        double z[2];
        locum_random_normal(11, LOCUM_STREAM_TEST, i, z);
        cross += z[0] * z[1] / N;
        for (int k = 0; k < 2; k++) {
            m1 += z[k] / (2 * N);
            m2 += z[k] * z[k] / (2 * N);
            m4 += pow(z[k], 4) / (2 * N);
            beyond_2 += fabs(z[k]) > 2;
        }
    }
    CHECK_CLOSE(m1, 0, 5 / sqrt(2.0 * N)); /* five standard errors: var z = 1, z^2 = 2, z^4 = 96, z z' = 1 */
    CHECK_CLOSE(m2, 1, 5 * sqrt(2.0 / (2 * N)));
    CHECK_CLOSE(m4, 3, 5 * sqrt(96.0 / (2 * N)));
    CHECK_CLOSE(cross, 0, 5 / sqrt((double)N));
    double p = erfc(sqrt(2.0)); /* P(|z| > 2) */
    CHECK_CLOSE(beyond_2 / (2.0 * N), p, 5 * sqrt(p * (1 - p) / (2 * N)));
}

static void order_is_a_permutation_that_depends_on_all_arguments(void)
{
    enum { N = 1000 };
    int64_t a[N], b[N];
    char seen[N] = {0};

    locum_random_order(1, LOCUM_STREAM_SHUFFLE, 0, N, a);
    for (int i = 0; i < N; i++) {
        CU_ASSERT_FATAL(a[i] >= 0 && a[i] < N && !seen[a[i]]);
        seen[a[i]] = 1;
    }
    locum_random_order(1, LOCUM_STREAM_SHUFFLE, 0, N, b);
    CU_ASSERT(!memcmp(a, b, sizeof a));
    locum_random_order(2, LOCUM_STREAM_SHUFFLE, 0, N, b);
    CU_ASSERT(memcmp(a, b, sizeof a));
    locum_random_order(1, LOCUM_STREAM_SPLIT, 0, N, b);
    CU_ASSERT(memcmp(a, b, sizeof a));
    locum_random_order(1, LOCUM_STREAM_SHUFFLE, 1, N, b);
    CU_ASSERT(memcmp(a, b, sizeof a));
    locum_random_order(1, LOCUM_STREAM_SHUFFLE, 0, 0, b); /* nothing to do, nothing touched */
}

static void all_orders_of_four_are_equally_likely(void)
{
    enum { TRIALS = 24000 };
    int count[256] = {0}, kinds = 0;
    double chi2 = 0;

    for (uint64_t t = 0; t < TRIALS; t++) {
        int64_t order[4];
        locum_random_order(5, LOCUM_STREAM_TEST, t, 4, order);
        count[order[0] * 64 + order[1] * 16 + order[2] * 4 + order[3]]++;
    }
    for (int i = 0; i < 256; i++)
        if (count[i]) {
            kinds++;
            chi2 += (count[i] - TRIALS / 24.0) * (count[i] - TRIALS / 24.0) / (TRIALS / 24.0);
        }
    CU_ASSERT_EQUAL(kinds, 24);
    CU_ASSERT(chi2 < 23 + 5 * sqrt(2 * 23.0)); /* mean 23, variance 46: five standard deviations */
}

LOCUM_RUN_TESTS("core/random", {"twin gives the published answers of Philox4x32-10", twin_gives_published_answers},
                {"words are Philox of (seed, stream, index)", words_are_philox_of_seed_stream_index},
                {"uniform numbers have their moments and never reach 0 or 1", uniform_numbers_have_their_moments},
                {"normal numbers have their moments", normal_numbers_have_their_moments},
                {"order is a permutation that depends on all arguments",
                 order_is_a_permutation_that_depends_on_all_arguments},
                {"all orders of four are equally likely", all_orders_of_four_are_equally_likely})
