/* SPDX-License-Identifier: BSD-3-Clause */
/* test_report.c - index.html from report.json: nothing fetched, nothing run, every number there, well-formed; damaged
 * input refused. */
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/report/gnuplot.h"
#include "cli/report/report.h"
#include "cli/report/ticks.h"
#include "core/study/commit.h"
#include "sample.h"
#include "tests/unit/check.h"

static char folder[] = "/tmp/locum_report_XXXXXX";

static void put(const char *json, size_t n)
{
    char path[128];
    snprintf(path, sizeof path, "%s/report.json", folder);
    CHECK_OK(locum_commit_bytes(path, json, n));
}

static bool page_exists(void)
{
    char path[128];
    struct stat info;
    snprintf(path, sizeof path, "%s/index.html", folder);
    return !stat(path, &info);
}

static void remove_page(void)
{
    char path[128];
    snprintf(path, sizeof path, "%s/index.html", folder);
    unlink(path);
}

/* a fresh page; free() */
static char *make_page(sample_kind kind)
{
    locum_text json = {0};
    char path[128], *html = NULL;
    size_t n = 0;
    sample_report(kind, &json);
    put(json.data, json.size);
    locum_text_free(&json);
    CHECK_OK(report_write(folder, NULL));
    snprintf(path, sizeof path, "%s/index.html", folder);
    CHECK_OK(locum_read_bytes(path, 1 << 26, &html, &n));
    return html;
}

/* the page of a sample, made once; lent */
static const char *page_of(sample_kind kind)
{
    static char *pages[SAMPLE_KINDS];
    char name[32];
    if (!pages[kind]) {
        pages[kind] = make_page(kind);
        snprintf(name, sizeof name, "page%d.html", kind); /* LOCUM_KEEP: to look at */
        CHECK_OK(locum_commit_bytes(name, pages[kind], strlen(pages[kind])));
    }
    return pages[kind];
}

static bool has_gnuplot(void)
{
    locum_text script = {0}, out = {0};
    locum_text_add(&script, "\n");
    locum_status st = gnuplot_draw(&script, &out);
    locum_text_free(&script);
    locum_text_free(&out);
    if (st) printf("(no gnuplot: pictures are not looked at) ");
    return !st;
}

static int count(const char *text, const char *part)
{
    int n = 0;
    for (const char *at = strstr(text, part); at; at = strstr(at + 1, part)) n++;
    return n;
}

/* every attribute that could fetch or name something points into the page */
static void check_references(const char *html)
{
    static const char *const attributes[] = {"href=", "src=", "url("};
    for (int a = 0; a < 3; a++)
        for (const char *at = strstr(html, attributes[a]); at; at = strstr(at + 1, attributes[a])) {
            const char *target = at + strlen(attributes[a]);
            target += *target == '"' || *target == '\'';
            CU_ASSERT(*target == '#' || !strncmp(target, "data:image/png;base64,", 22));
        }
}

static void nothing_is_fetched_or_run(void)
{
    const char *html = page_of(SAMPLE_WIN);
    static const char *const forbidden[] = {"<script", "javascript:", "http://", "https://", "@import", "<link",
                                            "<iframe", "<object",     "<embed",  " onload",  " onclick"};
    for (size_t i = 0; i < sizeof forbidden / sizeof *forbidden; i++) CU_ASSERT(!strstr(html, forbidden[i]));
    check_references(html);
    CU_ASSERT(strstr(html, "&lt;rate&gt; &amp; &quot;more&quot;") != NULL);
}

static void no_text_of_the_file_is_obeyed_by_gnuplot(void)
{
    const char *html = page_of(SAMPLE_WIN); /* its spectrum's axis is called SAMPLE_COMMAND */
    struct stat info;
    CU_ASSERT(stat("hidden", &info) != 0);
    if (has_gnuplot()) CU_ASSERT(strstr(html, "touch hidden") != NULL); /* shown, as the words that they are */
}

/* tags open and close in order (void elements and self-closed ones apart) */
static bool is_balanced(const char *html)
{
    static const char *const empty[] = {"meta", "br", "hr", "img"};
    char stack[64][16];
    int depth = 0;
    for (const char *c = strchr(html, '<'); c; c = strchr(c + 1, '<')) {
        char name[16] = "";
        bool closes = c[1] == '/', is_empty = false;
        const char *end = strchr(c, '>');
        if (c[1] == '!') continue;
        if (!end || sscanf(c + 1 + closes, "%15[a-zA-Z0-9]", name) != 1) return false;
        for (size_t i = 0; i < 4; i++) is_empty = is_empty || !strcmp(name, empty[i]);
        if (is_empty || end[-1] == '/') continue;
        if (!closes && depth == 64) return false;
        if (!closes)
            strcpy(stack[depth++], name);
        else if (!depth || strcmp(stack[--depth], name)) {
            printf("\n    </%s> closes <%s> at: %.60s", name, stack[depth], c);
            return false;
        }
    }
    return depth == 0;
}

/* no two elements share an id: several pictures stand in one page */
static bool ids_differ(const char *html)
{
    static char ids[8192][24];
    int n = 0;
    for (const char *at = strstr(html, " id="); at; at = strstr(at + 1, " id=")) {
        if (n == 8192) return false;
        char quote[2] = {at[4], 0};
        size_t length = strcspn(at + 5, quote);
        if (length >= sizeof ids[0]) return false;
        memcpy(ids[n], at + 5, length);
        ids[n][length] = 0;
        for (int i = 0; i < n; i++)
            if (!strcmp(ids[i], ids[n])) return false;
        n++;
    }
    return n > 5;
}

static void the_page_is_well_formed(void)
{
    for (int kind = SAMPLE_WIN; kind < SAMPLE_KINDS; kind++) {
        const char *html = page_of((sample_kind)kind);
        CU_ASSERT(!strncmp(html, "<!DOCTYPE html>", 15));
        CU_ASSERT(is_balanced(html));
        CU_ASSERT(ids_differ(html));
        CU_ASSERT(!strstr(html, ">nan") && !strstr(html, " nan") && !strstr(html, ">inf") && !strstr(html, "(null)"));
    }
}

static void every_error_of_the_table_is_there(void)
{
    const char *html = page_of(SAMPLE_WIN);
    char cell[32];
    for (int j = 0; j < SAMPLE_OUTPUTS; j++)
        for (int c = 0; c < 7; c++) {
            snprintf(cell, sizeof cell, ">%#.3g<", sample_error(j, c)); /* three digits, zeros too */
            if (!strstr(html, cell)) printf("\n    %s is missing", cell);
            CU_ASSERT(strstr(html, cell) != NULL);
        }
    static const char *const others[] = {">0.0561<",   ">0.452<",  ">0.296<",    ">0.211<",  ">0.188<",
                                         ">0.0317<",   ">87.5 %<", ">21 to 32<", ">0.0823<", ">52\u202f404 trained",
                                         ">5.52 min<", ">−0.733<"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        const char *words = others[i] + (others[i][1] == '5' && others[i][2] == '2');
        if (!strstr(html, words)) printf("\n    %s is missing", words);
        CU_ASSERT(strstr(html, words) != NULL);
    }
}

static void pictures_are_inline(void)
{
    const char *html = page_of(SAMPLE_WIN);
    if (has_gnuplot()) { /* 6 responses, time, 6 profiles, coverage, learning, distance, rejection, 3 snapshots */
        CU_ASSERT_EQUAL(count(html, "<figure>"), 20);
        CU_ASSERT_EQUAL(
            count(html, "</svg></figure>") + count(html, "</svg>\n\n</figure>") + count(html, "</svg>\n</figure>"), 20);
        CU_ASSERT(count(html, "data:image/png;base64,") >= 3 ||
                  count(html, "<polygon") > 1000);                             /* snapshots as images, or as cells */
        CU_ASSERT_EQUAL(count(html, "'black'") + count(html, "\"black\""), 0); /* black follows the page */
    }
}

static void a_loss_is_printed_as_large_as_a_gain(void)
{
    const char *gain = page_of(SAMPLE_WIN), *loss = page_of(SAMPLE_LOSS);
    CU_ASSERT(strstr(gain, "Speed at equal error</span><b>444\u202f000 ×</b>") != NULL);
    CU_ASSERT(strstr(loss, "Speed at equal error</span><b>≤ 0.238 ×</b>") != NULL);
    CU_ASSERT(strstr(loss, "<b>never</b>") != NULL);
}

static void coverage_outside_its_law_is_said(void)
{
    const char *gain = page_of(SAMPLE_WIN), *loss = page_of(SAMPLE_LOSS), *bare = page_of(SAMPLE_BARE);
    CU_ASSERT(strstr(gain, ">inside<") && strstr(gain, ">fails, as it must<"));
    CU_ASSERT(!strstr(gain, ">outside<") && !strstr(gain, "does not fail visibly"));
    CU_ASSERT(strstr(loss, ">outside<") && strstr(loss, ">does not fail visibly<"));
    CU_ASSERT(strstr(bare, "no calibrated intervals") && strstr(bare, "<b>not measured</b>") &&
              strstr(bare, "<b>none claimed</b>"));
}

static void without_gnuplot_the_tables_remain(void)
{
    char *path = strdup(getenv("PATH") ? getenv("PATH") : "");
    setenv("PATH", "/nonexistent", 1);
    char *html = make_page(SAMPLE_WIN);
    setenv("PATH", path, 1);
    CU_ASSERT(strstr(html, "gnuplot was not found") != NULL);
    CU_ASSERT_EQUAL(count(html, "<figure>"), 0);
    CU_ASSERT_EQUAL(count(html, "href=\"#response\""), 0); /* no link to a section of pictures alone */
    CU_ASSERT(strstr(html, "<details open>") && strstr(html, ">0.0312<") && strstr(html, ">21 to 32<"));
    CU_ASSERT(is_balanced(html));
    free(html);
    free(path);
}

static void damaged_files_are_refused(void)
{
    locum_text json = {0};
    sample_report(SAMPLE_WIN, &json);
    remove_page();
    for (int i = 0; i < 40; i++) { /* every cut: the last byte but one is the final brace */
        put(json.data, (json.size - 2) * (size_t)i / 39);
        CHECK_FAILS(report_write(folder, NULL), LOCUM_DAMAGED);
    }
    static const char *const parts[][2] = {
        {"\"outputs\":[", "\"outputs\":3,\"x\":["},   {"\"study\":", "\"studi\":"},
        {"\"coverage\":{", "\"coverage\":4,\"y\":{"}, {"\"parameters\":[", "\"parameters\":[1,"},
        {"\"extent\":32", "\"extent\":-1"},           {"\"samples\":[{\"index\"", "\"sample\":[{\"index\""}};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        locum_text changed = {0};
        const char *at = strstr(json.data, parts[i][0]);
        CU_ASSERT_FATAL(at != NULL);
        locum_text_bytes(&changed, json.data, (size_t)(at - json.data));
        locum_text_add(&changed, "%s%s", parts[i][1], at + strlen(parts[i][0]));
        put(changed.data, changed.size);
        CHECK_FAILS(report_write(folder, NULL), LOCUM_DAMAGED);
        locum_text_free(&changed);
    }
    locum_text_free(&json);
    CU_ASSERT(!page_exists());
}

static void a_missing_file_is_an_input_error(void)
{
    CHECK_FAILS(report_write("/nonexistent/report", NULL), LOCUM_INPUT);
}

static void check_text(void (*call)(double, int, char *), double value, const char *expected)
{
    char text[TICKS_TEXT];
    call(value, 3, text);
    if (strcmp(text, expected)) printf("\n    %.17g: \"%s\", expected \"%s\"", value, text, expected);
    CU_ASSERT_STRING_EQUAL(text, expected);
}

static void numbers_read_well(void)
{
    static const struct {
        double value;
        const char *number, *measure, *seconds;
    } cases[] = {{0, "0", "0", "0 ns"},
                 {1, "1", "1.00", "1 s"},
                 {0.17, "0.17", "0.170", "170 ms"},
                 {-2.5, "−2.5", "−2.50", "-2.5 s"},
                 {0.000999996, "0.001", "0.00100", "1 ms"},
                 {1.2345e-5, "1.23 × 10⁻⁵", "1.23 × 10⁻⁵", "12.3 µs"},
                 {9.9996e-7, "10⁻⁶", "1.00 × 10⁻⁶", "1 µs"},
                 {1e-9, "10⁻⁹", "1.00 × 10⁻⁹", "1 ns"},
                 {123456, "1.23 × 10⁵", "1.23 × 10⁵", "34.3 h"},
                 {99999, "100000", "100000", "27.8 h"},
                 {331, "331", "331", "5.52 min"},
                 {NAN, "–", "–", "–"},
                 {INFINITY, "∞", "∞", "∞"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        check_text(ticks_number, cases[i].value, cases[i].number);
        check_text(ticks_measure, cases[i].value, cases[i].measure);
        check_text(ticks_seconds, cases[i].value, cases[i].seconds);
    }
    char text[TICKS_TEXT];
    ticks_factor(">=", 1234.5, text);
    CU_ASSERT_STRING_EQUAL(text, "≥ 1230 ×");
    ticks_factor("=", 0.0234, text);
    CU_ASSERT_STRING_EQUAL(text, "0.0234 ×");
    ticks_count(1234567, text);
    CU_ASSERT_STRING_EQUAL(text, "1\u202f234\u202f567");
}

/* sections, numbers of the tables, and names that are not obeyed */
static void fields_are_shown_over_lead_time(void)
{
    const char *html = page_of(SAMPLE_STEP);
    static const char *const wanted[] = {
        "id=\"surrogates\"",         "id=\"leads\"", "id=\"budgets\"", "&lt;b&gt;unet", ">0.0713<", ">0.0654<",
        "solver, begun 1e-6 beside", ">6.66 ",       "href=\"#leads\""};
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        if (!strstr(html, wanted[i])) printf("\n    %s is missing", wanted[i]);
        CU_ASSERT(strstr(html, wanted[i]) != NULL);
    }
    CU_ASSERT(!strstr(page_of(SAMPLE_WIN), "id=\"leads\"") && !strstr(page_of(SAMPLE_WIN), "id=\"surrogates\""));
    if (!has_gnuplot()) return;
    CU_ASSERT(strstr(html, "id=\"fields\"") && strstr(html, "id=\"spectra\""));
    CU_ASSERT(strstr(html, "Error over lead time") && strstr(html, "lead time 0.25"));
    /* input, and truth, prediction and error at two leads: seven pictures in one, and the three snapshots */
    CU_ASSERT(count(html, "data:image/png;base64,") >= 7);
}

int main(void)
{
    static const check_entry entries[] = {
        {"nothing is fetched or run", nothing_is_fetched_or_run},
        {"no text of the file is obeyed by gnuplot", no_text_of_the_file_is_obeyed_by_gnuplot},
        {"the page is well-formed", the_page_is_well_formed},
        {"every error of the table is there", every_error_of_the_table_is_there},
        {"pictures are inline", pictures_are_inline},
        {"a loss is printed as large as a gain", a_loss_is_printed_as_large_as_a_gain},
        {"coverage outside its law is said", coverage_outside_its_law_is_said},
        {"without gnuplot the tables remain", without_gnuplot_the_tables_remain},
        {"damaged files are refused", damaged_files_are_refused},
        {"a missing file is an input error", a_missing_file_is_an_input_error},
        {"fields are shown over lead time", fields_are_shown_over_lead_time},
        {"numbers read well", numbers_read_well}};
    if (!mkdtemp(folder) || chdir(folder)) return 1;
    int failed = check_run("report", entries, (int)(sizeof entries / sizeof *entries));
    if (getenv("LOCUM_KEEP")) { /* page0.html to page2.html stay there */
        printf("%s\n", folder);
        return failed;
    }
    return failed | (locum_remove_tree(folder) != LOCUM_OK);
}
