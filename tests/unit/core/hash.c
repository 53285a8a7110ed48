/* SPDX-License-Identifier: BSD-3-Clause */
/* hash.c - XXH3 against answers of the Python package xxhash 3 (its own build of the reference library). */
#include <string.h>

#include "core/hash.h"
#include "tests/unit/check.h"

static unsigned char data[1000];

static void fill(void)
{
    for (int i = 0; i < 1000; i++) data[i] = (unsigned char)((i * 131 + 7) % 256);
}

static void known_answers_of_all_length_classes(void)
{
    static const struct {
        size_t n;
        uint64_t hash;
    } rows[] = {{0, 0x2d06800538d394c2},   {1, 0x4c5cca45d0f4811f},   {3, 0x6e3e2670e61106ac},
                {8, 0xf9fd4dd0b04d78f5},   {16, 0x86abf6baccea0858},  {17, 0xb58bf5dc5022d071},
                {100, 0x5da67eac6d4093d5}, {240, 0xb6cfaf343fab81e6}, {241, 0x956cae592c67279e},
                {500, 0x7ce64a364c324f8e}, {1000, 0x571d5cbfef44331b}};

    fill();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        CU_ASSERT_EQUAL(locum_hash(data, rows[i].n), rows[i].hash);
    CU_ASSERT_EQUAL(locum_hash("abc", 3), 0x78af5f94892f3950);
}

static void pieces_give_the_hash_of_the_whole(void)
{
    fill();
    for (size_t n = 0; n <= 1000; n += 37)
        for (size_t piece = 1; piece <= 400; piece += 57) {
            locum_hash_stream *stream = locum_hash_begin();
            CU_ASSERT_PTR_NOT_NULL_FATAL(stream);
            for (size_t i = 0; i < n; i += piece) locum_hash_add(stream, data + i, n - i < piece ? n - i : piece);
            locum_hash_add(stream, NULL, 0);
            CU_ASSERT_EQUAL(locum_hash_end(stream), locum_hash(data, n));
        }
}

static void every_flipped_bit_changes_the_hash(void)
{
    fill();
    uint64_t whole = locum_hash(data, 300);
    for (int bit = 0; bit < 300 * 8; bit++) {
        data[bit / 8] ^= (unsigned char)(1 << bit % 8);
        CU_ASSERT_FATAL(locum_hash(data, 300) != whole);
        data[bit / 8] ^= (unsigned char)(1 << bit % 8);
    }
}

static void text_is_sixteen_digits(void)
{
    char text[LOCUM_HASH_TEXT_SIZE];

    locum_hash_text(0x00fedcba98765432, text);
    CU_ASSERT_STRING_EQUAL(text, "00fedcba98765432");
}

static void a_failing_allocation_gives_no_stream(void)
{
    setenv("LOCUM_FAILPOINTS", "alloc=memory", 1);
    locum_hash_stream *stream = locum_hash_begin();
    unsetenv("LOCUM_FAILPOINTS");
    CU_ASSERT_PTR_NULL(stream);
}

LOCUM_RUN_TESTS("core/hash", {"known answers of all length classes", known_answers_of_all_length_classes},
                {"pieces give the hash of the whole", pieces_give_the_hash_of_the_whole},
                {"every flipped bit changes the hash", every_flipped_bit_changes_the_hash},
                {"text is sixteen digits", text_is_sixteen_digits},
                {"a failing allocation gives no stream", a_failing_allocation_gives_no_stream})
