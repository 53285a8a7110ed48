/* SPDX-License-Identifier: BSD-3-Clause */
/* trust.c - do the intervals hold, does the surrogate know where it is weak, would more data help. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/report/sections.h"

/* --- coverage ------------------------------------------------------------------------------------------ */
#define BARS_MAX (FIGURE_NAMES_MAX - 1)

typedef struct bars { /* one line each: share that is covered, range that the law allows */
    int n;
    char name[BARS_MAX][112];
    double covered[BARS_MAX], samples[BARS_MAX], share[BARS_MAX], place[BARS_MAX], low[BARS_MAX], high[BARS_MAX];
    bool is_control[BARS_MAX];
} bars;

static void add_bar(bars *b, const char *name, double covered, double samples, double low, double high)
{
    if (b->n == BARS_MAX || !(samples > 0) || isnan(covered)) return;
    int i = b->n++;
    snprintf(b->name[i], sizeof b->name[i], "%s", name);
    b->covered[i] = covered;
    b->samples[i] = samples;
    b->share[i] = covered / samples;
    b->place[i] = i;
    b->low[i] = low / samples;
    b->high[i] = high / samples;
    b->is_control[i] = false;
}

static void read_bars(const findings *f, bars *b)
{
    locum_json_node c = findings_at(f, 0, "coverage"), control = findings_at(f, c, "negative_control");
    b->n = 0;
    add_bar(b, "all test samples", findings_number(f, c, "covered"), findings_number(f, c, "samples"),
            findings_number(f, c, "law_low"), findings_number(f, c, "law_high"));
    locum_json_node list = findings_at(f, c, "groups");
    for (locum_json_node g = locum_json_first(f->json, list); g >= 0 && b->n < BARS_MAX - 1;
         g = locum_json_next(f->json, g))
        add_bar(b, findings_text(f, g, "name"), findings_number(f, g, "covered"), findings_number(f, g, "samples"), NAN,
                NAN);
    double good = findings_number(f, control, "samples") - fmax(0, findings_number(f, control, "failed"));
    int before = b->n;
    if (good > 0)
        add_bar(b, "negative control (shifted)", findings_number(f, control, "covered"), good,
                findings_number(f, control, "law_limit"), good);
    if (b->n > before) b->is_control[before] = true;
}

static locum_status draw_bars(const findings *f, page *p, const bars *b)
{
    const char *names[BARS_MAX];
    double target = findings_number(f, 0, "coverage.target"), x[2] = {target, target}, y[2] = {-0.6, b->n - 0.4};
    figure picture;
    char shorter[BARS_MAX][32];
    for (int i = 0; i < b->n; i++) { /* without the range */
        snprintf(shorter[i], sizeof shorter[i], "%.*s", (int)strcspn(b->name[i], ",("), b->name[i]);
        names[i] = shorter[i];
    }
    figure_begin(&picture, 450, 80 + 28 * b->n, "share inside the interval", FIGURE_LINEAR, NULL, FIGURE_LINEAR);
    figure_limits(&picture, 0, 0, 1.04);
    figure_names(&picture, b->n, names);
    figure_series(&picture, FIGURE_DASHED, FIGURE_INK, 2, x, y, NULL, NULL);
    figure_series(&picture, FIGURE_SPANS, FIGURE_GREY, b->n, b->low, b->place, b->high, NULL);
    for (int i = 0; i < b->n; i++)
        figure_series(&picture, i ? b->is_control[i] ? FIGURE_SQUARES : FIGURE_RINGS : FIGURE_SQUARES,
                      b->is_control[i] ? FIGURE_RED : FIGURE_BLUE, 1, &b->share[i], &b->place[i], NULL, NULL);
    return page_figure(p, &picture, "Measured coverage");
}

static void write_bars(const findings *f, page *p, const bars *b)
{
    page_table(p, "samples|covered|of|share|law allows|<verdict");
    for (int i = 0; i < b->n; i++) {
        double low = round(b->low[i] * b->samples[i]), high = round(b->high[i] * b->samples[i]);
        page_row(p);
        page_text(p, b->name[i]);
        page_cell(p);
        page_count(p, b->covered[i]);
        page_cell(p);
        page_count(p, b->samples[i]);
        page_cell(p);
        page_percent(p, b->share[i]);
        page_cell(p);
        if (isfinite(low) && isfinite(high)) {
            page_count(p, low);
            page_add(p, " to ");
            page_count(p, high);
        } else
            page_add(p, "–");
        page_add(p, "</td><td class=\"text\">");
        bool inside = b->covered[i] >= low && b->covered[i] <= high;
        if (b->is_control[i]) {
            int fails = findings_bool(f, 0, "coverage.negative_control.fails_visibly");
            page_add(p, fails == 1 ? "<span class=\"good\">fails, as it must</span>"
                                   : "<span class=\"bad\">does not fail visibly</span>");
        } else if (isfinite(low))
            page_add(p, inside ? "<span class=\"good\">inside</span>" : "<span class=\"bad\">outside</span>");
    }
    page_table_end(p);
}

static void write_control(const findings *f, page *p)
{
    locum_json_node control = findings_at(f, 0, "coverage.negative_control");
    if (locum_json_n(f->json, control) < 1) {
        page_add(p, "<p class=\"note\">This study has no negative control.</p>\n");
        return;
    }
    page_add(p, "<p><b>Negative control.</b> ");
    page_sentence(p, findings_text(f, control, "text"));
    page_add(p, "Parameters: ");
    page_text(p, findings_text(f, control, "parameters"));
    page_add(p, ". ");
    page_count(p, findings_number(f, control, "flagged"));
    page_add(p, " of ");
    page_count(p, findings_number(f, control, "samples"));
    page_add(p, " carry a flag; ");
    page_count(p, findings_number(f, control, "failed"));
    page_add(p, " could not be solved; error there ");
    page_measure(p, findings_number(f, control, "error"));
    page_add(p, ".</p>\n");
}

static locum_status write_widths(const findings *f, page *p)
{
    double *width = NULL;
    int64_t n = findings_n(f, 0, "coverage.median_width");
    if (n < 1) return LOCUM_OK;
    LOCUM_TRY(findings_values(f, findings_at(f, 0, "coverage.median_width"), f->n_outputs, &width));
    page_add(p, "<h3>How wide the intervals are</h3>\n");
    page_table(p, "output|median width over value");
    for (int j = 0; j < f->n_outputs; j++) {
        page_row(p);
        page_text(p, f->output[j].name);
        page_cell(p);
        page_measure(p, width[j]);
    }
    page_table_end(p);
    free(width);
    return LOCUM_OK;
}

static void write_coverage_words(const findings *f, page *p)
{
    int64_t flagged = 0;
    for (int64_t s = 0; s < f->n_samples; s++) flagged += findings_number(f, f->sample[s], "flag") > 0;
    page_add(p, "<p>Split-conformal intervals from ");
    page_count(p, findings_number(f, 0, "coverage.calibration_samples"));
    page_add(p, " calibration samples: ");
    page_percent(p, findings_number(f, 0, "coverage.target"));
    page_add(p, " of all samples shall lie inside. ");
    page_sentence(p, findings_text(f, 0, "coverage.text"));
    page_add(p, "%lld of %lld test samples carry a flag.</p>\n", (long long)flagged, (long long)f->n_samples);
    page_add(p, "<p class=\"legend\">");
    page_legend(p, FIGURE_SQUARES, FIGURE_BLUE, "measured");
    page_legend(p, FIGURE_RINGS, FIGURE_BLUE, "measured, by group");
    page_legend(p, FIGURE_SQUARES, FIGURE_RED, "shifted data: must lie left of the bar");
    page_legend(p, FIGURE_SPANS, FIGURE_GREY, "what chance allows (beta-binomial, 99.8 %)");
    page_legend(p, FIGURE_DASHED, FIGURE_INK, "asked for");
    page_add(p, "</p>\n");
}

locum_status section_coverage(const findings *f, page *p)
{
    bars b;
    locum_status st = LOCUM_OK;
    read_bars(f, &b);
    page_section(p, "coverage", "Do the intervals hold?", "");
    if (!b.n) page_add(p, "<p>The model has no calibrated intervals.</p>\n");
    if (b.n) {
        page_add(p, "<div class=\"beside\">\n");
        st = draw_bars(f, p, &b);
        page_add(p, "<div>\n");
        write_coverage_words(f, p);
        page_add(p, "</div>\n</div>\n");
        write_bars(f, p, &b);
        write_control(f, p);
        if (!st) st = write_widths(f, p);
    }
    page_section_end(p);
    return st;
}

/* --- learning curve ------------------------------------------------------------------------------------ */
locum_status section_learning(const findings *f, page *p)
{
    locum_json_node list = findings_at(f, 0, "learning_curve");
    int64_t n = locum_json_n(f->json, list);
    double *samples = NULL, *error = NULL;
    figure picture;
    if (n < 1) return LOCUM_OK;
    page_section(p, "learning", "Would more data help?",
                 "Models of the same kind, trained on fewer samples, on the same test samples.");
    locum_status st = findings_column(f, list, "samples", &samples);
    if (!st) st = findings_column(f, list, "error", &error);
    if (!st) {
        page_add(p, "<div class=\"beside\">\n");
        figure_begin(&picture, 450, 280, "training samples", FIGURE_LOG, NULL, FIGURE_LOG);
        figure_level(&picture, findings_number(f, 0, "label_noise"), FIGURE_GREY, "label noise");
        figure_series(&picture, FIGURE_LINE, FIGURE_BLUE, n, samples, error, NULL, NULL);
        figure_series(&picture, FIGURE_DOTS, FIGURE_BLUE, n, samples, error, NULL, NULL);
        st = page_figure(p, &picture, "Error against training samples");
        page_table(p, "training samples|error");
        for (int64_t i = 0; i < n; i++) {
            page_row(p);
            page_count(p, samples[i]);
            page_cell(p);
            page_measure(p, error[i]);
        }
        page_table_end(p);
        page_add(p, "</div>\n");
    }
    page_section_end(p);
    free(samples);
    free(error);
    return st;
}

/* --- where it is weak ---------------------------------------------------------------------------------- */
static locum_status draw_pairs(const findings *f, page *p, const char *list_name, const char *key, const char *label,
                               bool joined, const char *caption)
{
    locum_json_node list = findings_at(f, 0, list_name);
    int64_t n = locum_json_n(f->json, list);
    double *x = NULL, *y = NULL;
    figure picture;
    if (n < 1) return LOCUM_OK;
    locum_status st = findings_column(f, list, key, &x);
    if (!st) st = findings_column(f, list, "error", &y);
    if (!st) {
        figure_begin(&picture, SECTION_FIGURE_WIDTH, SECTION_FIGURE_HEIGHT, label, FIGURE_LINEAR, NULL,
                     joined ? FIGURE_LINEAR : FIGURE_LOG);
        if (joined) {
            figure_series(&picture, FIGURE_LINE, FIGURE_BLUE, n, x, y, NULL, NULL);
            figure_limits(&picture, 1, 0, 1.12 * fmax(y[0], findings_number(f, 0, "surrogate.error")));
        }
        figure_series(&picture, FIGURE_DOTS, FIGURE_BLUE, n, x, y, NULL, NULL);
        st = page_figure(p, &picture, caption);
    }
    free(x);
    free(y);
    return st;
}

static void write_sensitivity(const findings *f, page *p)
{
    locum_json_node list = findings_at(f, 0, "sensitivity");
    if (locum_json_n(f->json, list) < 1) return;
    page_add(p, "<h3>Which input matters</h3>\n<p class=\"note\">Percent by which an output moves when an input rises "
                "by one percent, mean over the test samples.</p>\n"
                "<div class=\"scroll\"><table>\n<thead><tr><th>output</th>");
    for (locum_json_node s = locum_json_first(f->json, list); s >= 0; s = locum_json_next(f->json, s)) {
        page_add(p, "<th>");
        page_text(p, findings_text(f, s, "input"));
        page_add(p, "</th>");
    }
    page_add(p, "</tr></thead>\n<tbody>\n");
    for (int j = 0; j < f->n_outputs; j++) {
        page_add(p, "<tr><td>");
        page_text(p, f->output[j].name);
        for (locum_json_node s = locum_json_first(f->json, list); s >= 0; s = locum_json_next(f->json, s)) {
            double value = NAN;
            locum_json_number(f->json, findings_item(f, findings_at(f, s, "outputs"), j), &value);
            page_cell(p);
            page_number(p, round(value * 1000) / 1000);
        }
        page_add(p, "</td></tr>\n");
    }
    page_add(p, "</tbody></table></div>\n");
}

static void write_rejection(const findings *f, page *p)
{
    locum_json_node list = findings_at(f, 0, "rejection");
    if (locum_json_n(f->json, list) < 1) return;
    page_add(p, "<details%s><summary>Error against the refused part, as numbers</summary>\n",
             p->no_pictures ? " open" : "");
    page_table(p, "refused|error of the rest");
    for (locum_json_node r = locum_json_first(f->json, list); r >= 0; r = locum_json_next(f->json, r)) {
        page_row(p);
        page_percent(p, findings_number(f, r, "fraction"));
        page_cell(p);
        page_measure(p, findings_number(f, r, "error"));
    }
    page_table_end(p);
    page_add(p, "</details>\n");
}

static void write_budget(const findings *f, page *p)
{
    locum_json_node budget = findings_at(f, 0, "budget");
    if (locum_json_n(f->json, budget) < 1) return;
    page_add(p, "<h3>Does the budget close?</h3>\n<p>");
    page_text(p, findings_text(f, budget, "text"));
    page_add(p, ": surrogate ");
    page_measure(p, findings_number(f, budget, "surrogate"));
    page_add(p, ", labels ");
    page_measure(p, findings_number(f, budget, "labels"));
    page_add(p, ".</p>\n");
}

locum_status section_weakness(const findings *f, page *p)
{
    static const char *const lists[] = {"distance", "rejection", "sensitivity", "budget"};
    int64_t n = 0;
    for (int i = 0; i < 4; i++) n += findings_n(f, 0, lists[i]);
    if (n < 1) return LOCUM_OK;
    page_section(p, "weakness", "Where it is weak, and whether it knows", "");
    page_add(p, "<div class=\"figures\">\n");
    locum_status st = draw_pairs(f, p, "distance", "distance", "distance from the nearest training sample", false,
                                 "Error against distance");
    if (!st)
        st = draw_pairs(f, p, "rejection", "fraction", "part that is refused", true,
                        "Error of the rest when the widest intervals are refused");
    page_add(p, "</div>\n");
    write_rejection(f, p);
    write_sensitivity(f, p);
    write_budget(f, p);
    page_section_end(p);
    return st;
}
