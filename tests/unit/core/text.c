/* SPDX-License-Identifier: BSD-3-Clause */
/* text.c - growing texts, and numbers that read back to the same double under any locale. */
#include <float.h>
#include <locale.h>
#include <string.h>

#include "core/random.h"
#include "core/text.h"
#include "tests/unit/check.h"

static void texts_grow_and_stay_terminated(void)
{
    locum_text text = {0};

    locum_text_add(&text, "%s", "");
    CU_ASSERT_STRING_EQUAL(text.data, "");
    for (int i = 0; i < 5000; i++) locum_text_add(&text, "%d,", i % 10);
    locum_text_bytes(&text, "a\0b", 3);
    CHECK_OK(text.status);
    CU_ASSERT_EQUAL(text.size, 10003);
    CU_ASSERT(text.capacity > text.size && text.data[text.size] == 0);
    CU_ASSERT(!memcmp(text.data + 9998, "9,a\0b", 5));
    locum_text_free(&text);
    CU_ASSERT_PTR_NULL(text.data);
}

static void numbers_are_short(void)
{
    static const struct {
        double value;
        const char *text;
    } rows[] = {{0, "0"},
                {-0.0, "-0"},
                {1, "1"},
                {0.1, "0.1"},
                {1e300, "1e+300"},
                {1.0 / 3, "0.3333333333333333"},
                {0.1 + 0.2, "0.30000000000000004"},
                {5e-324, "5e-324"},
                {123456789, "123456789"},
                {-2.5e-7, "-2.5e-07"},
                {DBL_MAX, "1.7976931348623157e+308"}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char out[LOCUM_NUMBER_SIZE];
        locum_format_number(rows[i].value, out);
        CU_ASSERT_STRING_EQUAL(out, rows[i].text);
    }
}

static void numbers_read_back_to_the_same_bits(void)
{
    for (uint64_t i = 0; i < 20000; i++) {
        uint32_t words[4];
        uint64_t bits, again;
        double value, back;
        char out[LOCUM_NUMBER_SIZE], *end;

        locum_random_words(3, LOCUM_STREAM_TEST, i, words);
        bits = (uint64_t)words[0] << 32 | words[1];
        if (i % 16 == 0) bits &= 0x800fffffffffffff; /* subnormal */
        memcpy(&value, &bits, sizeof value);
        if (!isfinite(value)) continue;
        locum_format_number(value, out);
        back = locum_parse_number(out, &end);
        memcpy(&again, &back, sizeof again);
        CU_ASSERT_FATAL(again == bits && *end == 0);
    }
}

static void what_is_not_finite_has_a_name(void)
{
    locum_text text = {0};

    locum_text_json_number(&text, NAN);
    locum_text_json_number(&text, -INFINITY);
    locum_text_number(&text, NAN);
    locum_text_number(&text, INFINITY);
    locum_text_number(&text, -INFINITY);
    locum_text_number(&text, 0.5);
    CU_ASSERT_STRING_EQUAL(text.data, "nullnull.nan.inf-.inf0.5");
    locum_text_free(&text);
}

static void json_strings_are_escaped(void)
{
    locum_text text = {0};

    locum_text_json_string(&text, "a\"b\\c/\b\f\n\r\t\x01\x1f\x7f\xC3\xA9");
    CU_ASSERT_STRING_EQUAL(text.data, "\"a\\\"b\\\\c/\\b\\f\\n\\r\\t\\u0001\\u001f\x7f\xC3\xA9\"");
    locum_text_free(&text);
}

static void the_first_failure_stays(void)
{
    locum_text text = {0};

    setenv("LOCUM_FAILPOINTS", "alloc@2=memory", 1);
    for (int i = 0; i < 1000; i++) locum_text_add(&text, "%d", i); /* the second growth fails */
    unsetenv("LOCUM_FAILPOINTS");
    CU_ASSERT_EQUAL(text.status, LOCUM_MEMORY);
    CU_ASSERT(text.size < 256 && text.data[text.size] == 0);
    locum_text_bytes(&text, "more", 4);
    CU_ASSERT(text.size < 256);
    locum_text_free(&text);
}

/* German numbers: installed, or made by localedef in a private folder */
static int set_decimal_comma(void)
{
    static const char *const names[] = {"de_DE.UTF-8", "de_DE.utf8", "de_DE", "fr_FR.UTF-8", "nl_NL.UTF-8"};
    char folder[] = "/tmp/locum-locale-XXXXXX", command[200];

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (setlocale(LC_ALL, names[i]) && localeconv()->decimal_point[0] == ',') return 1;
    if (!mkdtemp(folder)) return 0;
    snprintf(command, sizeof command, "localedef -i de_DE -f UTF-8 %s/de_DE.UTF-8 >/dev/null 2>&1", folder);
    int made = system(command);
    setenv("LOCPATH", folder, 1);
    int set = made == 0 && setlocale(LC_ALL, "de_DE.UTF-8") && localeconv()->decimal_point[0] == ',';
    snprintf(command, sizeof command, "rm -rf %s", folder);
    if (system(command)) set = 0;
    return set;
}

static void a_decimal_comma_changes_nothing(void)
{
    char out[64], *end;
    locum_text text = {0};

    if (!set_decimal_comma()) {
        printf("\n    no locale with a decimal comma here: nothing to see ");
        return;
    }
    snprintf(out, sizeof out, "%g", 1.5);
    CU_ASSERT_STRING_EQUAL(out, "1,5"); /* the locale is at work */
    CU_ASSERT(locum_parse_number("1.5", &end) == 1.5 && !*end);
    CU_ASSERT(locum_parse_number("1,5", &end) == 1 && *end == ',');
    locum_format_number(0.1, out);
    CU_ASSERT_STRING_EQUAL(out, "0.1");
    locum_text_add(&text, "%.2f %g %s", 1234.5, 0.25, "x");
    CU_ASSERT_STRING_EQUAL(text.data, "1234.50 0.25 x");
    locum_text_free(&text);
    CHECK_FAILS(locum_fail(LOCUM_ARG, "f.c", 1, "dt = %g", 0.5), LOCUM_ARG);
    CU_ASSERT_STRING_EQUAL(locum_status_message(), "dt = 0.5");
    snprintf(out, sizeof out, "%g", 1.5);
    CU_ASSERT_STRING_EQUAL(out, "1,5"); /* and the host's locale is as it was */
    setlocale(LC_ALL, "C");
}

LOCUM_RUN_TESTS("core/text", {"texts grow and stay terminated", texts_grow_and_stay_terminated},
                {"numbers are short", numbers_are_short},
                {"numbers read back to the same bits", numbers_read_back_to_the_same_bits},
                {"what is not finite has a name", what_is_not_finite_has_a_name},
                {"JSON strings are escaped", json_strings_are_escaped},
                {"the first failure stays", the_first_failure_stays},
                {"a decimal comma changes nothing", a_decimal_comma_changes_nothing})
