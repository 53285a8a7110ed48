/* SPDX-License-Identifier: BSD-3-Clause */
/* rollout.c - a step surrogate over lead time: error beside the solver made cheaper and the solver's own spread,
 * correlation, intervals, budgets. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli/report/leads.h"
#include "cli/report/ticks.h"

enum { RUNGS_SHOWN = 4, BUDGETS_SHOWN = 8 };

static void line(leads *l, figure *picture, figure_mark mark, const char *colour, const double *y)
{
    if (y && l->x && picture->n_series < FIGURE_SERIES_MAX)
        figure_series(picture, mark, colour, l->n, l->x, y, NULL, NULL);
}

/* --- error ---------------------------------------------------------------------------------------------- */

/* the settings on the front, with a word at the end of each line; of many, the dearest ones */
static locum_status add_rungs(const findings *f, leads *l, figure *picture)
{
    locum_json_node list = findings_at(f, 0, "fields.baselines");
    int on_front = 0, seen = 0;
    for (locum_json_node b = locum_json_first(f->json, list); b >= 0; b = locum_json_next(f->json, b))
        on_front += findings_bool(f, b, "best") == 1;
    for (locum_json_node b = locum_json_first(f->json, list); b >= 0; b = locum_json_next(f->json, b)) {
        double *error = NULL;
        if (findings_bool(f, b, "best") != 1 || on_front - seen++ > RUNGS_SHOWN) continue;
        LOCUM_TRY(leads_take(l, b, "error_over_lead", l->n, &error));
        line(l, picture, FIGURE_LINE, FIGURE_RED, error);
        const char *text = findings_text(f, b, "text"), *from = strncmp(text, "resolution ", 11) ? text : text + 11;
        int64_t where = l->n > 2 ? l->n - 2 : l->n - 1;
        if (error && l->x) figure_note(picture, l->x[where], error[where], FIGURE_BELOW, FIGURE_RED, from);
    }
    return LOCUM_OK;
}

static locum_status add_trivial(const findings *f, leads *l, figure *picture)
{
    locum_json_node list = findings_at(f, 0, "fields.trivial");
    int64_t k = 0;
    for (locum_json_node t = locum_json_first(f->json, list); t >= 0; t = locum_json_next(f->json, t)) {
        double *error = NULL;
        const char *name = findings_text(f, t, "name");
        LOCUM_TRY(leads_take(l, t, "error_over_lead", l->n, &error));
        line(l, picture, FIGURE_DASHED, FIGURE_GREY, error);
        int64_t where = l->n * ++k / 4 < l->n ? l->n * k / 4 : l->n - 1; /* beside each other */
        if (error && l->x) figure_note(picture, l->x[where], error[where], FIGURE_ABOVE, FIGURE_GREY, name);
    }
    return LOCUM_OK;
}

static locum_status add_models(const findings *f, leads *l, figure *picture, const char *key, bool band)
{
    locum_json_node list = findings_at(f, 0, "surrogates");
    int64_t k = 0;
    for (locum_json_node m = locum_json_first(f->json, list); m >= 0; m = locum_json_next(f->json, m), k++) {
        double *value = NULL, *low = NULL, *high = NULL;
        LOCUM_TRY(leads_take(l, m, key, l->n, &value));
        if (band && findings_bool(f, m, "headline") == 1) {
            LOCUM_TRY(leads_take(l, m, "low_over_lead", l->n, &low));
            LOCUM_TRY(leads_take(l, m, "high_over_lead", l->n, &high));
            if (low && high) figure_series(picture, FIGURE_BAND, leads_colour(k), l->n, l->x, low, high, NULL);
        }
        line(l, picture, FIGURE_LINE, leads_colour(k), value);
        line(l, picture, FIGURE_DOTS, leads_colour(k), value);
    }
    return LOCUM_OK;
}

static locum_status draw_error(const findings *f, page *p)
{
    leads l;
    figure picture;
    double *spread = NULL, *noise = NULL;
    locum_status st = leads_begin(f, &l);
    figure_begin(&picture, 540, 380, "lead time", FIGURE_LINEAR, "relative L2 error", FIGURE_LOG);
    if (!st) st = add_trivial(f, &l, &picture);
    if (!st) st = add_rungs(f, &l, &picture);
    if (!st) st = leads_take(&l, 0, "fields.solver_spread.error_over_lead", l.n, &spread);
    if (!st) st = leads_take(&l, 0, "fields.label_noise.error_over_lead", l.n, &noise);
    if (!st) {
        line(&l, &picture, FIGURE_DASHED, FIGURE_INK, spread);
        line(&l, &picture, FIGURE_RINGS, FIGURE_INK, noise);
        st = add_models(f, &l, &picture, "error_over_lead", true);
    }
    if (!st) st = page_figure(p, &picture, "Error over lead time, mean over test samples");
    leads_free(&l);
    return st;
}

static void write_error_words(const findings *f, page *p)
{
    page_add(p, "<div>\n<p class=\"legend\">");
    leads_legend(f, p);
    page_legend(p, FIGURE_BAND, FIGURE_BLUE, "from the 10 % best to the 10 % worst samples (headline)");
    if (findings_n(f, 0, "fields.baselines") > 0)
        page_legend(p, FIGURE_LINE, FIGURE_RED, "our solver made cheaper (resolution beside the line)");
    if (findings_n(f, 0, "fields.solver_spread") > 0)
        page_legend(p, FIGURE_DASHED, FIGURE_INK, "the solver itself, begun a relative 1e-6 beside");
    if (findings_n(f, 0, "fields.label_noise.error_over_lead") > 0)
        page_legend(p, FIGURE_RINGS, FIGURE_INK, "the labels’ own error");
    page_legend(p, FIGURE_DASHED, FIGURE_GREY, "no network: the last field, the mean field");
    page_add(p, "</p>\n");
    if (*findings_text(f, 0, "fields.label_noise.text")) {
        page_add(p, "<p class=\"note\">The labels’ own error: ");
        page_sentence(p, findings_text(f, 0, "fields.label_noise.text"));
        page_add(p, "</p>\n");
    }
    page_add(p, "</div>\n");
}

/* --- correlation and intervals ---------------------------------------------------------------------------- */

static locum_status draw_models(const findings *f, page *p, const char *key, const char *label, double low, double high,
                                double level, const char *level_text, const char *caption)
{
    leads l;
    figure picture;
    locum_status st = leads_begin(f, &l);
    figure_begin(&picture, SECTION_FIGURE_WIDTH, SECTION_FIGURE_HEIGHT, "lead time", FIGURE_LINEAR, label,
                 FIGURE_LINEAR);
    if (low < high) figure_limits(&picture, 1, low, high);
    if (isfinite(level)) figure_level(&picture, level, FIGURE_GREY, level_text);
    if (!st) st = add_models(f, &l, &picture, key, false);
    if (!st) st = page_figure(p, &picture, caption);
    leads_free(&l);
    return st;
}

static locum_status draw_shares(const findings *f, page *p)
{
    double target = findings_number(f, 0, "coverage.target");
    locum_json_node first = findings_item(f, findings_at(f, 0, "surrogates"), 0);
    locum_status st =
        draw_models(f, p, "correlation_over_lead", NULL, 1, 0, findings_number(f, 0, "fields.valid_correlation"),
                    "valid above", "Correlation with the truth");
    if (!st) st = draw_models(f, p, "vrmse_over_lead", NULL, 1, 0, 1, "the mean of the field", "VRMSE");
    if (st || !(findings_number(f, first, "calibrated_leads") > 0)) return st;
    st = draw_models(f, p, "coverage_over_lead", NULL, 0, 1.08, target, "asked for, over all leads",
                     "Samples whose whole field lies inside its interval");
    if (!st)
        st = draw_models(f, p, "width_over_lead", NULL, 1, 0, NAN, NULL, "Width of the interval over the field’s size");
    if (!st)
        st = draw_models(f, p, "flagged_over_lead", NULL, -0.02, 1.08, NAN, NULL, "Samples that carry a flag by then");
    return st;
}

/* --- budgets -------------------------------------------------------------------------------------------- */

/* a mean that is zero but for rounding is not worth a picture; the mean square follows it in the list */
static bool is_rounding(const findings *f, locum_json_node budget)
{
    double mean = NAN, square = NAN;
    locum_json_node next = locum_json_next(f->json, budget);
    if (strcmp(findings_text(f, budget, "name"), "mean") || next < 0) return false;
    locum_json_number(f->json, findings_item(f, findings_at(f, budget, "truth"), 0), &mean);
    locum_json_number(f->json, findings_item(f, findings_at(f, next, "truth"), 0), &square);
    return fabs(mean) < 1e-6 * sqrt(2 * square);
}

static locum_status draw_budget(const findings *f, page *p, locum_json_node budget)
{
    leads l;
    figure picture;
    double *truth = NULL, *value = NULL;
    char caption[128];
    locum_json_node list = findings_at(f, budget, "surrogates");
    locum_status st = leads_begin(f, &l);
    int64_t k = 0;
    figure_begin(&picture, SECTION_FIGURE_WIDTH, SECTION_FIGURE_HEIGHT, "lead time", FIGURE_LINEAR, NULL,
                 FIGURE_LINEAR);
    if (!st) st = leads_take(&l, budget, "truth", l.n, &truth);
    for (locum_json_node m = locum_json_first(f->json, list); m >= 0 && !st; m = locum_json_next(f->json, m), k++) {
        st = leads_keep(&l, m, l.n, &value);
        if (!st) line(&l, &picture, FIGURE_LINE, leads_colour(k), value);
    }
    if (!st) line(&l, &picture, FIGURE_DOTS, FIGURE_INK, truth);
    snprintf(caption, sizeof caption, "%.40s (%.40s)", findings_text(f, budget, "name"),
             findings_text(f, budget, "output"));
    if (caption[0] >= 'a' && caption[0] <= 'z') caption[0] = (char)(caption[0] - 'a' + 'A');
    if (!st) st = page_figure(p, &picture, caption);
    leads_free(&l);
    return st;
}

static void write_budgets(const findings *f, page *p, locum_json_node list)
{
    page_add(p, "<details%s><summary>Budgets at the last lead, as numbers</summary>\n", p->no_pictures ? " open" : "");
    page_table(p, "budget|truth|surrogates");
    for (locum_json_node b = locum_json_first(f->json, list); b >= 0; b = locum_json_next(f->json, b)) {
        int64_t last = findings_n(f, b, "truth") - 1;
        double value = NAN;
        page_row(p);
        page_text(p, findings_text(f, b, "name"));
        page_add(p, " (");
        page_text(p, findings_text(f, b, "output"));
        page_add(p, ")");
        page_cell(p);
        locum_json_number(f->json, findings_item(f, findings_at(f, b, "truth"), last), &value);
        page_measure(p, value);
        page_cell(p);
        locum_json_node models = findings_at(f, b, "surrogates");
        for (locum_json_node m = locum_json_first(f->json, models); m >= 0; m = locum_json_next(f->json, m)) {
            value = NAN;
            locum_json_number(f->json, findings_item(f, m, last), &value);
            page_measure(p, value);
            page_add(p, " ");
        }
    }
    page_table_end(p);
    page_add(p, "</details>\n");
}

locum_status section_budgets(const findings *f, page *p)
{
    locum_json_node list = findings_at(f, 0, "fields.budgets");
    locum_status st = LOCUM_OK;
    int shown = 0;
    if (locum_json_n(f->json, list) < 1) return LOCUM_OK;
    page_section(
        p, "budgets", "Is it the same physics?",
        "Means over test samples: what a relative error does not tell. A surrogate whose fields lose energy or "
        "gain divergence is wrong in a way that grows.");
    if (findings_n(f, 0, "fields.times") > 1) {
        page_add(p, "<p class=\"legend\">");
        page_legend(p, FIGURE_DOTS, FIGURE_INK, "truth");
        leads_legend(f, p);
        page_add(p, "</p>\n<div class=\"figures\">\n");
        for (locum_json_node b = locum_json_first(f->json, list); b >= 0 && !st && shown < BUDGETS_SHOWN;
             b = locum_json_next(f->json, b))
            if (!is_rounding(f, b)) st = draw_budget(f, p, b), shown++;
        page_add(p, "</div>\n");
    }
    write_budgets(f, p, list);
    page_section_end(p);
    return st;
}

locum_status section_rollout(const findings *f, page *p)
{
    if (findings_n(f, 0, "fields.times") < 2) return LOCUM_OK;
    page_section(
        p, "leads", "Over lead time",
        "The surrogate was rolled out from frames of the test samples; cheaper settings of the solver began at "
        "the same frames and were brought to the same grid.");
    page_add(p, "<div class=\"beside\">\n");
    locum_status st = draw_error(f, p);
    write_error_words(f, p);
    page_add(p, "</div>\n<div class=\"figures\">\n");
    if (!st) st = draw_shares(f, p);
    page_add(p, "</div>\n");
    page_section_end(p);
    return st;
}
