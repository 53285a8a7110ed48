/* SPDX-License-Identifier: BSD-3-Clause */
/* json.c - what a reader of hostile files must survive: every truncation, every changed byte, deep nesting, duplicates.
 * Each text lies in a block of exactly its size, so that a sanitizer sees one byte read too many. */
#include <string.h>

#include "core/json.h"
#include "core/text.h"
#include "tests/unit/check.h"

static locum_status parse_bytes(const char *bytes, size_t n, locum_json **json)
{
    char *exact = malloc(n ? n : 1);
    memcpy(exact, bytes, n);
    locum_status st = locum_json_parse(exact, n, 10000, json);
    free(exact); /* the document owns its copy */
    return st;
}

static locum_status parse(const char *text, locum_json **json)
{
    return parse_bytes(text, strlen(text), json);
}

static const char sample[] =
    "{\"name\": \"mlp \\u00e9\\ud83d\\ude00\\n\", \"layers\": [3, -4.5e-1, 1E3, 0, -0], \"open\": {}, \"none\": [],\n"
    " \"yes\": true, \"no\": false, \"nil\": null, \"deep\": {\"a\": {\"a\": [[1]]}}, \"\": \"empty key\"}";

static void a_document_is_read(void)
{
    locum_json *json;
    double number;
    int64_t integer;
    bool flag;

    CHECK_OK(parse(sample, &json));
    CU_ASSERT_EQUAL(locum_json_kind_of(json, 0), LOCUM_JSON_OBJECT);
    CU_ASSERT_EQUAL(locum_json_n(json, 0), 9);
    CU_ASSERT_STRING_EQUAL(locum_json_string(json, locum_json_find(json, 0, "name")), "mlp \xC3\xA9\xF0\x9F\x98\x80\n");
    locum_json_node layers = locum_json_find(json, 0, "layers"), item = locum_json_first(json, layers);
    CU_ASSERT_EQUAL(locum_json_n(json, layers), 5);
    CU_ASSERT(locum_json_integer(json, item, &integer) && integer == 3);
    item = locum_json_next(json, item);
    CU_ASSERT(locum_json_number(json, item, &number) && number == -0.45);
    CU_ASSERT(!locum_json_integer(json, item, &integer));
    item = locum_json_next(json, item);
    CU_ASSERT(locum_json_integer(json, item, &integer) && integer == 1000);
    CU_ASSERT_EQUAL(locum_json_n(json, locum_json_find(json, 0, "open")), 0);
    CU_ASSERT_EQUAL(locum_json_kind_of(json, locum_json_find(json, 0, "none")), LOCUM_JSON_ARRAY);
    CU_ASSERT(locum_json_bool(json, locum_json_find(json, 0, "yes"), &flag) && flag);
    CU_ASSERT(locum_json_bool(json, locum_json_find(json, 0, "no"), &flag) && !flag);
    CU_ASSERT_EQUAL(locum_json_kind_of(json, locum_json_find(json, 0, "nil")), LOCUM_JSON_NULL);
    CU_ASSERT(locum_json_find(json, 0, "nil") > 0);
    CU_ASSERT_STRING_EQUAL(locum_json_string(json, locum_json_find(json, 0, "")), "empty key");
    CU_ASSERT_STRING_EQUAL(locum_json_key(json, locum_json_first(json, 0)), "name");
    locum_json_destroy(json);
}

static void queries_of_nothing_answer_nothing(void)
{
    locum_json *json;
    double number = 7;
    int64_t integer = 7;
    bool flag = true;

    CHECK_OK(parse("[1]", &json));
    for (locum_json_node node = -1; node <= 2; node += 3) { /* none; beyond the end */
        CU_ASSERT_EQUAL(locum_json_kind_of(json, node), LOCUM_JSON_NULL);
        CU_ASSERT_EQUAL(locum_json_find(json, node, "x"), -1);
        CU_ASSERT_EQUAL(locum_json_n(json, node), 0);
        CU_ASSERT_EQUAL(locum_json_first(json, node), -1);
        CU_ASSERT_EQUAL(locum_json_next(json, node), -1);
        CU_ASSERT_PTR_NULL(locum_json_key(json, node));
        CU_ASSERT_PTR_NULL(locum_json_string(json, node));
        CU_ASSERT(!locum_json_number(json, node, &number) && !locum_json_integer(json, node, &integer) &&
                  !locum_json_bool(json, node, &flag));
    }
    CU_ASSERT_EQUAL(locum_json_find(json, 0, "x"), -1); /* a list has no keys */
    CU_ASSERT_PTR_NULL(locum_json_key(json, 1));
    CU_ASSERT_PTR_NULL(locum_json_string(json, 1));
    CU_ASSERT(number == 7 && integer == 7 && flag);
    locum_json_destroy(json);
    locum_json_destroy(NULL);
}

static void every_truncation_is_damage(void)
{
    locum_json *json = (locum_json *)1;

    for (size_t n = 0; n < sizeof sample - 1; n++) {
        CHECK_FAILS(parse_bytes(sample, n, &json), LOCUM_DAMAGED);
        CU_ASSERT_PTR_NULL(json);
        CU_ASSERT_PTR_NOT_NULL(strstr(locum_status_message(), "byte "));
    }
    CHECK_FAILS(parse_bytes(sample, sizeof sample, &json), LOCUM_DAMAGED); /* with its final 0 */
}

static void every_changed_byte_is_survived(void)
{
    char copy[sizeof sample];
    int refused = 0;

    memcpy(copy, sample, sizeof sample);
    for (size_t i = 0; i < sizeof sample - 1; i++) {
        for (int value = 0; value < 256; value++) {
            locum_json *json;
            copy[i] = (char)value;
            locum_status st = parse_bytes(copy, sizeof sample - 1, &json);
            CU_ASSERT_FATAL(st == LOCUM_OK || st == LOCUM_DAMAGED);
            refused += st != LOCUM_OK;
            locum_json_destroy(json);
        }
        copy[i] = sample[i];
    }
    CU_ASSERT(refused > 100 * (int)sizeof sample); /* most of 256 values break any place */
}

static const char *const faulty_texts[] = {
    "",
    " ",
    "{",
    "}",
    "[",
    "]",
    "[1,]",
    "[,1]",
    "[1 2]",
    "{\"a\"}",
    "{\"a\":}",
    "{\"a\":1,}",
    "{a:1}",
    "{'a':1}",
    "{1:2}",
    "{\"a\" 1}",
    "[1]]",
    "1 2",
    "nul",
    "nulll",
    "True",
    "NaN",
    "nan",
    "inf",
    "-Infinity",
    "-",
    "+1",
    "01",
    "-01",
    "1.",
    ".5",
    "1e",
    "1e+",
    "0x10",
    "1e999",
    "-1e999",
    "1,0",
    "\"",
    "\"\\",
    "\"\\x\"",
    "\"\\u12\"",
    "\"\\u12g4\"",
    "\"\\u0000\"",
    "\"\\ud800\"",
    "\"\\ud800x\"",
    "\"\\ud800\\u0041\"",
    "\"\\udc00\"",
    "\"\\ud800\\ud800\"",
    "\"a\nb\"",
    "\"\x1f\"",
    "\"\x80\"",
    "\"\xC0\xAF\"",
    "\"\xC1\x81\"",
    "\"\xE0\x80\x80\"",
    "\"\xE0\x9F\xBF\"",
    "\"\xED\xA0\x80\"",
    "\"\xF0\x80\x80\x80\"",
    "\"\xF0\x8F\xBF\xBF\"",
    "\"\xF4\x90\x80\x80\"",
    "\"\xF5\x80\x80\x80\"",
    "\"\xFF\"",
    "\"\xC3\"",
    "\"\xE2\x82\"",
    "\"\xC3(\"",
    "\xEF\xBB\xBF{}",
    "/* c */ 1",
    "[1] // c",
    "\v1",
    "{\"a\":1,\"a\":2}",
    "{\"a\":1,\"b\":2,\"\\u0061\":3}",
    "{\"x\":{\"\":1,\"\":1}}",
};

static void faulty_texts_are_damage(void)
{
    for (size_t i = 0; i < sizeof faulty_texts / sizeof faulty_texts[0]; i++) {
        locum_json *json;
        locum_status st = parse(faulty_texts[i], &json);
        if (st != LOCUM_DAMAGED) printf("\n    accepted: %s", faulty_texts[i]);
        CU_ASSERT_EQUAL(st, LOCUM_DAMAGED);
        locum_json_destroy(json);
    }
}

static void valid_corner_cases_are_read(void)
{
    static const char *const texts[] = {"0",
                                        "-0",
                                        "1e-999",
                                        "\"\"",
                                        " [ ] ",
                                        "{}   ",
                                        "\t\r\n1",
                                        "\"\xF4\x8F\xBF\xBF\"",
                                        "\"\xEF\xBF\xBF\"",
                                        "\"\xED\x9F\xBF\"",
                                        "\"/\\/\"",
                                        "[[],{}]",
                                        "{\"a\":{\"b\":1},\"b\":{\"a\":1}}",
                                        "\"\x7f\""};

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        locum_json *json;
        CHECK_OK(parse(texts[i], &json));
        locum_json_destroy(json);
    }
}

static void integers_are_exact_or_none(void)
{
    static const struct {
        const char *text;
        bool is;
        int64_t value;
    } rows[] = {{"9223372036854775807", true, INT64_MAX},
                {"-9223372036854775808", true, INT64_MIN},
                {"9223372036854775808", false, 0},
                {"-9223372036854775809", false, 0},
                {"18446744073709551616", false, 0},
                {"99999999999999999999", false, 0},
                {"9007199254740993", true, 9007199254740993},
                {"1e15", true, 1000000000000000},
                {"1e16", false, 0}, /* beyond 2^53 only literals are exact */
                {"2.5", false, 0},
                {"2.0", true, 2},
                {"-0", true, 0}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        locum_json *json;
        int64_t value = 0;
        CHECK_OK(parse(rows[i].text, &json));
        CU_ASSERT_EQUAL(locum_json_integer(json, 0, &value), rows[i].is);
        CU_ASSERT_EQUAL(value, rows[i].value);
        locum_json_destroy(json);
    }
}

static void nesting_stops_at_thirty_two(void)
{
    for (int depth = 30; depth < 36; depth++) {
        char text[100] = "";
        locum_json *json;
        for (int i = 0; i < depth; i++) text[i] = '[', text[2 * depth - 1 - i] = ']';
        CHECK_FAILS(parse(text, &json), depth <= 32 ? LOCUM_OK : LOCUM_DAMAGED);
        locum_json_destroy(json);
    }
    char *many = malloc(1000000);
    locum_json *json;
    memset(many, '[', 1000000);
    CHECK_FAILS(locum_json_parse(many, 1000000, 1 << 20, &json), LOCUM_DAMAGED);
    free(many);
}

static void more_values_than_allowed_are_refused(void)
{
    locum_json *json;

    CHECK_OK(locum_json_parse("[1,2,3]", 7, 4, &json));
    locum_json_destroy(json);
    CHECK_FAILS(locum_json_parse("[1,2,3]", 7, 3, &json), LOCUM_DAMAGED);
    CHECK_FAILS(locum_json_parse("[1,2,3]", 7, 0, &json), LOCUM_ARG);
}

static void large_objects_are_searched_for_duplicates_quickly(void)
{
    enum { N = 100000 };
    locum_text text = {0};
    locum_json *json;

    locum_text_add(&text, "{");
    for (int i = 0; i < N; i++) locum_text_add(&text, "\"%d\":%d,", i, i);
    locum_text_add(&text, "\"last\":0}");
    CHECK_OK(text.status);
    CHECK_OK(locum_json_parse(text.data, text.size, 2 * N, &json)); /* pairwise search would take minutes */
    CU_ASSERT_EQUAL(locum_json_n(json, 0), N + 1);
    locum_json_destroy(json);
    memcpy(strstr(text.data, "\"last\""), "\"1234\"", 6);
    CHECK_FAILS(locum_json_parse(text.data, text.size, 2 * N, &json), LOCUM_DAMAGED);
    CU_ASSERT_PTR_NOT_NULL(strstr(locum_status_message(), "'1234'"));
    locum_text_free(&text);
}

static void long_numbers_are_refused(void)
{
    char text[2000];
    locum_json *json;

    memset(text, '1', sizeof text);
    CHECK_FAILS(locum_json_parse(text, 2000, 10, &json), LOCUM_DAMAGED);
    CHECK_OK(locum_json_parse(text, 300, 10, &json)); /* 1.1e299 */
    locum_json_destroy(json);
}

static void written_strings_and_numbers_read_back(void)
{
    char all[128];
    locum_text text = {0};
    locum_json *json;
    double number;

    for (int i = 0; i < 127; i++) all[i] = (char)(i + 1);
    all[127] = 0;
    locum_text_add(&text, "[");
    locum_text_json_string(&text, all);
    locum_text_add(&text, ",");
    locum_text_json_number(&text, 0.1 + 0.2);
    locum_text_add(&text, "]");
    CHECK_OK(locum_json_parse(text.data, text.size, 10, &json));
    CU_ASSERT_STRING_EQUAL(locum_json_string(json, locum_json_first(json, 0)), all);
    CU_ASSERT(locum_json_number(json, locum_json_next(json, locum_json_first(json, 0)), &number) &&
              number == 0.1 + 0.2);
    locum_json_destroy(json);
    locum_text_free(&text);
}

static void every_failing_allocation_is_reported(void)
{
    int failures = 0;

    for (int hit = 1; hit < 10; hit++) {
        char list[40];
        locum_json *json;
        snprintf(list, sizeof list, "alloc@%d=memory", hit);
        setenv("LOCUM_FAILPOINTS", list, 1);
        locum_status st = parse(sample, &json);
        unsetenv("LOCUM_FAILPOINTS");
        CU_ASSERT(st == LOCUM_OK || st == LOCUM_MEMORY);
        CU_ASSERT((st != LOCUM_OK) == (json == NULL));
        failures += st != LOCUM_OK;
        locum_json_destroy(json);
    }
    CU_ASSERT_EQUAL(failures, 4); /* document, nodes, text, scratch of the duplicate search */
}

LOCUM_RUN_TESTS("core/json", {"a document is read", a_document_is_read},
                {"queries of nothing answer nothing", queries_of_nothing_answer_nothing},
                {"every truncation is damage", every_truncation_is_damage},
                {"every changed byte is survived", every_changed_byte_is_survived},
                {"faulty texts are damage", faulty_texts_are_damage},
                {"valid corner cases are read", valid_corner_cases_are_read},
                {"integers are exact or none", integers_are_exact_or_none},
                {"nesting stops at thirty-two", nesting_stops_at_thirty_two},
                {"more values than allowed are refused", more_values_than_allowed_are_refused},
                {"large objects are searched for duplicates quickly",
                 large_objects_are_searched_for_duplicates_quickly},
                {"long numbers are refused", long_numbers_are_refused},
                {"written strings and numbers read back", written_strings_and_numbers_read_back},
                {"every failing allocation is reported", every_failing_allocation_is_reported})
