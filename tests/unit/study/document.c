/* SPDX-License-Identifier: BSD-3-Clause */
/* document.c - strict YAML: what is refused, where, and with which remedy; --set. */
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/study/document.h"
#include "tests/unit/check.h"

/* parses; the message of the failure, "" if none */
static const char *complaint(const char *text)
{
    locum_document *document = NULL;
    locum_status st = locum_document_parse(text, strlen(text), "s.yaml", &document);
    locum_document_destroy(document);
    return st == LOCUM_STUDY ? locum_status_message() : st ? "another status" : "";
}

static bool has(const char *text, const char *part)
{
    if (strstr(text, part)) return true;
    printf("\n    \"%s\" lacks \"%s\"", text, part);
    return false;
}

static bool starts(const char *text, const char *start)
{
    if (!strncmp(text, start, strlen(start))) return true;
    printf("\n    \"%s\" does not start with \"%s\"", text, start);
    return false;
}

/* status of reading `value` as a number, message in locum_status_message() */
static locum_status number(const char *value, const char *unit, double *out)
{
    char text[256];
    locum_document *document = NULL;
    snprintf(text, sizeof text, "solver:\n  x:  %s\n", value);
    locum_status st = locum_document_parse(text, strlen(text), "s.yaml", &document);
    const locum_yaml *solver = st ? NULL : locum_yaml_find(locum_document_root(document), "solver");
    if (!st) st = locum_yaml_f64(locum_yaml_find(solver, "x"), unit, out);
    locum_document_destroy(document);
    return st;
}

static void good_numbers_are_exact(void)
{
    static const struct {
        const char *text;
        double value;
    } good[] = {{"0", 0},      {"-0.5", -0.5},
                {"+3", 3},     {"1e-3", 0.001},
                {"1E5", 1e5},  {"0.1", 0.1},
                {"0e0", 0},    {"6.283185307", 6.283185307},
                {"1e+2", 100}, {"1.7976931348623157e308", 1.7976931348623157e308}};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        double value = -99;
        CHECK_OK(number(good[i].text, "1", &value));
        CU_ASSERT(value == good[i].value);
    }
}

static void bad_numbers_are_refused_with_place_and_remedy(void)
{
    static const struct {
        const char *text, *remedy;
    } bad[] = {{"1e-3abc", "`abc` follows `1e-3`"},
               {"0,001", "`0,001` is not a number: the decimal sign is a point"},
               {"nan", "a finite number is expected"},
               {".nan", "a finite number is expected"},
               {"NaN", "a finite number is expected"},
               {"inf", "a finite number is expected"},
               {"-.inf", "a finite number is expected"},
               {"010", "write 10"},
               {"-007", "write -7"},
               {"00.5", "write 0.5"},
               {".5", "write 0.5"},
               {"-.5", "write -0.5"},
               {"5.", "write 5.0"},
               {"0x10", "not a decimal number"},
               {"1_000", "write 1000, without `_`"},
               {"1e", "`e` follows `1`"},
               {"1e999", "does not fit in a double"},
               {"1e-999", "does not fit in a double"},
               {"--1", "is not a number"},
               {"1..2", "is not a number"},
               {"1.2.3", "is not a number"},
               {"abc", "`abc` is not a number"},
               {"\"5\"", "remove the quotes"},
               {"[1, 2]", "found a list"},
               {"{a: 1}", "found a mapping"},
               {"", "found nothing"},
               {"~", "a finite number is expected"},
               {"true", "is not a number"},
               {"\xd9\xa3", "is not a number"},
               {"1 Mpc", "takes no unit"}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        double value = -99;
        CHECK_FAILS(number(bad[i].text, "1", &value), LOCUM_STUDY);
        CU_ASSERT(value == -99);
        CU_ASSERT(starts(locum_status_message(), bad[i].text[0] ? "s.yaml:2:7: solver.x: " : "s.yaml:2:5: solver.x: "));
        CU_ASSERT(has(locum_status_message(), bad[i].remedy));
    }
}

static void whole_numbers_and_truths_are_strict(void)
{
    const char *text =
        "a: 9223372036854775807\nb: 1.0\nc: 1e3\nd: 9223372036854775808\ne: yes\nf: false\ng: 07\nh: 3 m\n";
    locum_document *document = NULL;
    int64_t whole = 0;
    bool truth = true;
    CHECK_OK(locum_document_parse(text, strlen(text), "s.yaml", &document));
    const locum_yaml *root = locum_document_root(document);
    CHECK_OK(locum_yaml_i64(locum_yaml_find(root, "a"), &whole));
    CU_ASSERT(whole == INT64_MAX);
    CHECK_FAILS(locum_yaml_i64(locum_yaml_find(root, "b"), &whole), LOCUM_STUDY);
    CU_ASSERT(has(locum_status_message(), "s.yaml:2:4: b: expected a whole number"));
    CHECK_FAILS(locum_yaml_i64(locum_yaml_find(root, "c"), &whole), LOCUM_STUDY);
    CHECK_FAILS(locum_yaml_i64(locum_yaml_find(root, "d"), &whole), LOCUM_STUDY);
    CHECK_FAILS(locum_yaml_bool(locum_yaml_find(root, "e"), &truth), LOCUM_STUDY);
    CU_ASSERT(has(locum_status_message(), "expected true or false, found `yes`"));
    CHECK_OK(locum_yaml_bool(locum_yaml_find(root, "f"), &truth));
    CU_ASSERT_FALSE(truth);
    CHECK_FAILS(locum_yaml_i64(locum_yaml_find(root, "g"), &whole), LOCUM_STUDY);
    CHECK_FAILS(locum_yaml_i64(locum_yaml_find(root, "h"), &whole), LOCUM_STUDY);
    locum_document_destroy(document);
}

static void a_unit_behind_a_space_is_converted(void)
{
    double value = 0;
    CHECK_OK(number("50 kpc", "Mpc", &value));
    CHECK_CLOSE(value, 0.05, 1e-16); /* one product: half an ulp of 0.05 is 3e-18 */
    CHECK_OK(number("2 min", "s", &value));
    CU_ASSERT(value == 120);
    CHECK_FAILS(number("50kpc", "Mpc", &value), LOCUM_STUDY);
    CU_ASSERT(has(locum_status_message(), "behind a space"));
    CHECK_FAILS(number("50 kg", "Mpc", &value), LOCUM_STUDY);
    CU_ASSERT(has(locum_status_message(), "s.yaml:2:7: solver.x: `50 kg`: "));
    CU_ASSERT(has(locum_status_message(), "the option's unit is Mpc"));
    CHECK_FAILS(number("50 parsnips", "Mpc", &value), LOCUM_STUDY);
}

static void faults_of_the_text_name_line_and_column(void)
{
    static const struct {
        const char *text, *message, *remedy;
    } bad[] = {{"a: 1\nb: 2\na: 3\n", "s.yaml:3:1: `a` is given twice (first at s.yaml:1:1)", "remove one"},
               {"s:\n  x: {p: 1, p: 2}\n", "s.yaml:2:13: `p` is given twice", "remove one"},
               {"a: &x 1\n", "s.yaml:1:4: ", "anchors"},
               {"a: *x\n", "s.yaml:1:4: ", "aliases"},
               {"a: !!int 1\n", "s.yaml:1:4: ", "tags"},
               {"&k a: 1\n", "s.yaml:1:1: ", "anchors"},
               {"%YAML 1.1\n---\na: 1\n", "s.yaml:1:1: ", "%directives"},
               {"a: 1\n---\nb: 2\n", "s.yaml:2:1: ", "second document"},
               {"a:\n\tb: 1\n", "s.yaml:2:1: ", "tabs"},
               {"a: {b: 1\n", "s.yaml:2:1: ", "not closed"},
               {"a: b: c\n", "s.yaml:1:5: ", "quotes"},
               {"a:\n  b: 1\n c: 2\n", "s.yaml:3:2: ", "indentation"},
               {"a: \"open\n", "s.yaml:2:1: ", "quote"},
               {"a: 1\nb: \xff\n", "s.yaml:2:4: ", "UTF-8"},
               {"a: \"x\\0y\"\n", "s.yaml:1:4: ", "character 0"},
               {"? [a, b]\n: 1\n", "s.yaml:1:3: ", "key must be a plain word"},
               {"", "s.yaml:1:1: ", "empty"},
               {"# only a comment\n", "s.yaml:1:1: ", "empty"},
               {"- a\n- b\n", "s.yaml:1:1: ", "key: value"},
               {"just words\n", "s.yaml:1:1: ", "key: value"}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const char *message = complaint(bad[i].text);
        CU_ASSERT(starts(message, bad[i].message));
        CU_ASSERT(has(message, bad[i].remedy));
    }
}

static void nesting_beyond_32_is_refused(void)
{
    char text[256] = "a: ";
    for (int i = 0; i < 31; i++) strcat(text, "[");
    for (int i = 0; i < 31; i++) strcat(text, "]");
    CU_ASSERT_STRING_EQUAL(complaint(text), "");
    strcpy(text, "a: ");
    for (int i = 0; i < 32; i++) strcat(text, "[");
    for (int i = 0; i < 32; i++) strcat(text, "]");
    CU_ASSERT(has(complaint(text), "nested deeper than 32"));
}

/* writes a file of n bytes: a billion-laughs head, then padding */
static void write_large(const char *path, size_t n)
{
    FILE *file = fopen(path, "w");
    fprintf(file, "a: 1\n");
    for (size_t i = 5; i < n; i += 10) fputs("# padding\n", file);
    fclose(file);
}

static void hostile_files_are_refused_within_a_second(void)
{
    char path[] = "/tmp/locum_document_XXXXXX";
    locum_document *document = NULL;
    close(mkstemp(path));
    clock_t begun = clock();
    write_large(path, 10u << 20);
    CHECK_FAILS(locum_document_read(path, &document), LOCUM_INPUT);
    CU_ASSERT(has(locum_status_message(), path));
    CU_ASSERT(has(locum_status_message(), "1048576"));

    CU_ASSERT(has(complaint("a: &a [x, x, x, x, x, x, x, x, x]\nb: &b [*a, *a, *a, *a, *a, *a, *a, *a]\n"
                            "c: &c [*b, *b, *b, *b, *b, *b, *b, *b]\nd: [*c, *c, *c, *c, *c, *c, *c, *c]\n"),
                  "anchors"));

    static char many[1000000]; /* the densest list that fits, and the densest mapping */
    strcpy(many, "a: [");
    for (size_t i = 4; i < sizeof many - 3; i += 2) memcpy(many + i, "1,", 2);
    strcpy(many + sizeof many - 2, "]");
    CU_ASSERT(has(complaint(many), "more than 200000 values"));
    size_t n = 0;
    for (int i = 0; n < sizeof many - 20; i++) n += (size_t)sprintf(many + n, "k%d: 1\n", i);
    CU_ASSERT(has(complaint(many), "more than 1000 keys"));
    CU_ASSERT(clock() - begun < CLOCKS_PER_SEC); /* of this process: other work on the machine does not count */
    unlink(path);
    CHECK_FAILS(locum_document_read("/tmp", &document), LOCUM_INPUT);
    CHECK_FAILS(locum_document_read("/nonexistent/s.yaml", &document), LOCUM_INPUT);
}

/* text + assignments -> canonical flow of the root */
static locum_status set_all(const char *text, int n, const char *const *sets, char *out, size_t size)
{
    locum_document *document = NULL;
    locum_text written = {0};
    locum_status st = locum_document_parse(text, strlen(text), "s.yaml", &document);
    for (int i = 0; i < n && !st; i++) st = locum_document_set(document, sets[i]);
    if (!st) locum_yaml_write(locum_document_root(document), 0, &written);
    snprintf(out, size, "%s", written.data ? written.data : "");
    locum_text_free(&written);
    locum_document_destroy(document);
    return st;
}

static void set_replaces_adds_and_opens_bare_choices(void)
{
    static const struct {
        const char *text, *set, *result;
    } cases[] = {
        {"a: {b: 1}", "a.b=2", "a:\n  b: 2\n"},
        {"a: {b: 1}", "a.c=2", "a:\n  b: 1\n  c: 2\n"},
        {"a: 1", "b.c.d=x", "a: 1\nb:\n  c:\n    d: x\n"},
        {"s: {forcing: diagonal}", "s.forcing.amplitude=2", "s:\n  forcing:\n    name: diagonal\n    amplitude: 2\n"},
        {"s: {forcing: diagonal}", "s.forcing={name: kolmogorov, k: 4}",
         "s:\n  forcing:\n    name: kolmogorov\n    k: 4\n"},
        {"s:", "s.x=[1, 2, 3]", "s:\n  x: [1, 2, 3]\n"},
        {"a: 1", "a=50 Mpc/h", "a: 50 Mpc/h\n"},
        {"a: 1", "a=b=c", "a: b=c\n"},
        {"a: 1", "a=\"007\"", "a: \"007\"\n"},
        {"a: 1", "a=-2.5e-3", "a: -2.5e-3\n"}};
    char out[256];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        CHECK_OK(set_all(cases[i].text, 1, &cases[i].set, out, sizeof out));
        CU_ASSERT_STRING_EQUAL(out, cases[i].result);
    }
    CHECK_OK(set_all("a: 1", 2, (const char *const[]){"a=2", "a=3"}, out, sizeof out));
    CU_ASSERT_STRING_EQUAL(out, "a: 3\n"); /* the later one wins */
}

static void bad_sets_name_themselves(void)
{
    static const struct {
        const char *set, *remedy;
    } bad[] = {{"a", "expected option=value"},      {"=1", "expected option=value"},  {".b=1", "expected option=value"},
               {"a..b=1", "expected option=value"}, {"a=", "a value is missing"},     {"a=[1, 2", "not closed"},
               {"a=b: c", "write a mapping as {"},  {"a=- 1", "a list as ["},         {"a=*x", "aliases"},
               {"l.x=1", "`l` is a list"},          {"a={p: 1, p: 2}", "given twice"}};
    char out[256], lead[64];
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        CHECK_FAILS(set_all("a: 1\nl: [1]", 1, &bad[i].set, out, sizeof out), LOCUM_STUDY);
        snprintf(lead, sizeof lead, "--set %s: ", bad[i].set);
        CU_ASSERT(starts(locum_status_message(), lead));
        CU_ASSERT(has(locum_status_message(), bad[i].remedy));
    }
}

static void set_values_keep_their_origin_and_place(void)
{
    locum_document *document = NULL;
    double value;
    CHECK_OK(locum_document_parse("s: {x: 1, y: 2}", 15, "s.yaml", &document));
    CHECK_OK(locum_document_set(document, "s.x=1e-3abc"));
    const locum_yaml *s = locum_yaml_find(locum_document_root(document), "s");
    CU_ASSERT(locum_yaml_origin(locum_yaml_find(s, "x")) == LOCUM_FROM_SET);
    CU_ASSERT(locum_yaml_origin(locum_yaml_find(s, "y")) == LOCUM_FROM_STUDY);
    CHECK_FAILS(locum_yaml_f64(locum_yaml_find(s, "x"), NULL, &value), LOCUM_STUDY);
    CU_ASSERT(starts(locum_status_message(), "--set s.x=1e-3abc: s.x: `1e-3abc` is not a number"));
    locum_document_destroy(document);
}

static void written_text_reads_back_as_itself(void)
{
    const char *text = "a: \"1\"\nb: \"true\"\nc: \"x: y\"\nd: \"\"\ne: 'it''s # no comment'\nf: [\"a, b\", {k: "
                       "\"-\"}]\ng: {}\nh: []\n"
                       "i: \"tab\\there\"\nj:\n  k: 1e-3\n";
    char once[512], twice[512];
    CHECK_OK(set_all(text, 0, NULL, once, sizeof once));
    CHECK_OK(set_all(once, 0, NULL, twice, sizeof twice));
    CU_ASSERT_STRING_EQUAL(once, twice);
    CU_ASSERT(has(once, "a: \"1\"\nb: \"true\"\nc: \"x: y\"\nd: \"\"\n"));
    CU_ASSERT(has(once, "j:\n  k: 1e-3\n"));
}

LOCUM_RUN_TESTS("document", {"good numbers are exact", good_numbers_are_exact},
                {"bad numbers are refused with place and remedy", bad_numbers_are_refused_with_place_and_remedy},
                {"whole numbers and truths are strict", whole_numbers_and_truths_are_strict},
                {"a unit behind a space is converted", a_unit_behind_a_space_is_converted},
                {"faults of the text name line and column", faults_of_the_text_name_line_and_column},
                {"nesting beyond 32 is refused", nesting_beyond_32_is_refused},
                {"hostile files are refused within a second", hostile_files_are_refused_within_a_second},
                {"--set replaces, adds and opens bare choices", set_replaces_adds_and_opens_bare_choices},
                {"a bad --set names itself", bad_sets_name_themselves},
                {"values of --set keep origin and place", set_values_keep_their_origin_and_place},
                {"written text reads back as itself", written_text_reads_back_as_itself})
