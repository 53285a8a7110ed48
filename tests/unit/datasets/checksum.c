/* SPDX-License-Identifier: BSD-3-Clause */
/* checksum.c - our Fletcher-32 is the textbook's: a direct sum over 16-bit big-endian words modulo 65535. */
#include <string.h>

#include "core/random.h"
#include "datasets/store/chunk_io.h"
#include "tests/unit/check.h"

/* word by word; folding a sum leaves 65535 where it is a multiple of that, 0 only for zeros */
static uint32_t textbook(const unsigned char *bytes, size_t n)
{
    uint32_t s1 = 0, s2 = 0;

    for (size_t i = 0; i + 1 < n; i += 2) {
        s1 += (uint32_t)bytes[i] << 8 | bytes[i + 1];
        s1 = (s1 & 0xffff) + (s1 >> 16);
        s2 += s1;
        s2 = (s2 & 0xffff) + (s2 >> 16);
    }
    return s2 << 16 | s1;
}

static void random_bytes_have_the_textbook_sum(void)
{
    static unsigned char bytes[40000];

    for (uint64_t i = 0; i < sizeof bytes / 4; i++) {
        uint32_t words[4];
        locum_random_words(3, LOCUM_STREAM_TEST, i, words);
        memcpy(bytes + 4 * i, words, 4);
    }
    for (size_t n = 0; n <= 200; n += 2) CU_ASSERT(locum_fletcher32(bytes, n) == textbook(bytes, n));
    for (size_t n = 8000; n <= sizeof bytes; n += 1234) CU_ASSERT(locum_fletcher32(bytes, n) == textbook(bytes, n));
}

static void zeros_and_ones_have_the_textbook_sum(void)
{
    static unsigned char bytes[20000];

    CU_ASSERT(locum_fletcher32(bytes, sizeof bytes) == 0);
    bytes[7777] = 1;
    CU_ASSERT(locum_fletcher32(bytes, sizeof bytes) == textbook(bytes, sizeof bytes));
    memset(bytes, 255, sizeof bytes);
    for (size_t n = 2; n <= sizeof bytes; n += 1998) CU_ASSERT(locum_fletcher32(bytes, n) == textbook(bytes, n));
}

/* known answers: "abcdef" in Fletcher's checksum over big-endian words */
static void a_known_answer(void)
{
    /* words 0x6162 0x6364 0x6566: s1 = 0x12a2c -> 0x2a2d, s2 = 0x6162 + 0xc4c6 + 0x2a2d = 0x15055 -> 0x5056 */
    CU_ASSERT(locum_fletcher32("abcdef", 6) == 0x50562a2du);
}

LOCUM_RUN_TESTS("store: checksum", {"random bytes have the textbook's sum", random_bytes_have_the_textbook_sum},
                {"zeros and ones have the textbook's sum", zeros_and_ones_have_the_textbook_sum},
                {"a sum done by hand", a_known_answer})
