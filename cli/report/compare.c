/* SPDX-License-Identifier: BSD-3-Clause */
/* compare.c - the surrogate against the solver made cheaper, the reference and the formulas that need no network. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/report/sections.h"
#include "cli/report/ticks.h"
#include "core/memory.h"

/* --- error against time -------------------------------------------------------------------------------- */

/* settings beside the front first, then the front, each sorted by time as the file has them */
static locum_status read_settings(const findings *f, section_time_kept *kept, int64_t *n, int64_t *n_beside)
{
    locum_json_node list = findings_at(f, 0, "baselines");
    int64_t count = locum_json_n(f->json, list);
    *n = 0;
    LOCUM_TRY(LOCUM_NEW(&kept->seconds, count + 1));
    LOCUM_TRY(LOCUM_NEW(&kept->error, count + 1));
    LOCUM_TRY(LOCUM_NEW(&kept->low, count + 1));
    LOCUM_TRY(LOCUM_NEW(&kept->high, count + 1));
    for (int pass = 0; pass < 2; pass++) {
        for (locum_json_node b = locum_json_first(f->json, list); b >= 0; b = locum_json_next(f->json, b)) {
            if ((findings_bool(f, b, "best") == 1) != (pass == 1)) continue;
            kept->seconds[*n] = findings_number(f, b, "seconds_per_sample");
            kept->error[*n] = findings_number(f, b, "error");
            kept->low[*n] = findings_number(f, b, "error_low");
            kept->high[*n] = findings_number(f, b, "error_high");
            ++*n;
        }
        if (!pass) *n_beside = *n;
    }
    return LOCUM_OK;
}

static locum_json_node best_trivial(const findings *f, locum_json_node list)
{
    locum_json_node best = locum_json_first(f->json, list);
    for (locum_json_node t = best; t >= 0; t = locum_json_next(f->json, t))
        if (findings_number(f, t, "error") < findings_number(f, best, "error")) best = t;
    return best;
}

static void add_levels(const findings *f, figure *picture)
{
    char text[96], number[TICKS_TEXT];
    locum_json_node list = findings_at(f, 0, "trivial"), best = best_trivial(f, list);
    for (locum_json_node t = locum_json_first(f->json, list); t >= 0; t = locum_json_next(f->json, t)) {
        const char *name = findings_text(f, t, "name");
        bool is_end = !strcmp(name, "mean") || !strcmp(name, "quadratic");
        bool shown = findings_n(f, 0, "fields") > 0 ? t == best : is_end;
        if (!shown) continue; /* values: the weakest and the strongest; fields: the best. More would hide the picture */
        ticks_measure(findings_number(f, t, "error"), 3, number);
        snprintf(text, sizeof text, "%.24s%s %s", name,
                 !strcmp(name, "mean")        ? " of the labels"
                 : !strcmp(name, "quadratic") ? " fit"
                                              : "",
                 number);
        figure_level(picture, findings_number(f, t, "error"), FIGURE_GREY, text);
    }
}

/* the distance that the headline tells: from the surrogate to the solver of the same error */
static void add_equal(const findings *f, figure *picture, section_time_kept *kept)
{
    double value = findings_number(f, 0, "speedup_at_equal_error.value"),
           error = findings_number(f, 0, "surrogate.error_on_searched_samples");
    char text[TICKS_TEXT];
    if (!isfinite(value) || value <= 0) return;
    if (!isfinite(error)) error = kept->own_error[0];
    kept->equal_x[0] = kept->own[0];
    kept->equal_x[1] = kept->own[0] * value;
    kept->equal_y[0] = kept->equal_y[1] = error;
    ticks_factor(findings_text(f, 0, "speedup_at_equal_error.bound"), value, text);
    figure_series(picture, FIGURE_DASHED, FIGURE_BLUE, 2, kept->equal_x, kept->equal_y, NULL, NULL);
    figure_note(picture, sqrt(kept->equal_x[0] * kept->equal_x[1]), error, FIGURE_BELOW, FIGURE_BLUE, text);
}

locum_status section_time_figure(const findings *f, figure *picture, section_time_kept *kept)
{
    int64_t n = 0, n_beside = 0;
    *kept = (section_time_kept){0};
    LOCUM_TRY(read_settings(f, kept, &n, &n_beside));
    kept->own[0] = findings_number(f, 0, "surrogate.seconds_per_sample");
    kept->own[1] = findings_number(f, 0, "surrogate.seconds_per_sample_best_batch");
    kept->own_error[0] = kept->own_error[1] = findings_number(f, 0, "surrogate.error");
    kept->own_low[0] = findings_number(f, 0, "surrogate.error_low");
    kept->own_high[0] = findings_number(f, 0, "surrogate.error_high");
    kept->reference[0] = findings_number(f, 0, "reference.seconds_per_sample");
    kept->reference[1] = findings_number(f, 0, "reference.error");

    figure_begin(picture, 450, 330, "time of one sample", FIGURE_SECONDS, "error", FIGURE_LOG);
    add_levels(f, picture);
    add_equal(f, picture, kept);
    figure_series(picture, FIGURE_FAINT, FIGURE_RED, n_beside, kept->seconds, kept->error, NULL, NULL);
    figure_series(picture, FIGURE_WHISKERS, FIGURE_RED, n - n_beside, kept->seconds + n_beside, kept->low + n_beside,
                  kept->high + n_beside, NULL);
    figure_series(picture, FIGURE_LINE, FIGURE_RED, n - n_beside, kept->seconds + n_beside, kept->error + n_beside,
                  NULL, NULL);
    figure_series(picture, FIGURE_DOTS, FIGURE_RED, n - n_beside, kept->seconds + n_beside, kept->error + n_beside,
                  NULL, NULL);
    figure_series(picture, FIGURE_WHISKERS, FIGURE_BLUE, 1, kept->own, kept->own_low, kept->own_high, NULL);
    figure_series(picture, FIGURE_SQUARES, FIGURE_BLUE, 1, kept->own, kept->own_error, NULL, NULL);
    figure_series(picture, FIGURE_RINGS, FIGURE_BLUE, 1, kept->own + 1, kept->own_error + 1, NULL, NULL);
    if (isfinite(kept->reference[1]))
        figure_series(picture, FIGURE_DIAMONDS, FIGURE_INK, 1, kept->reference, kept->reference + 1, NULL, NULL);
    return LOCUM_OK;
}

void section_time_free(section_time_kept *kept)
{
    free(kept->seconds);
    free(kept->error);
    free(kept->low);
    free(kept->high);
    *kept = (section_time_kept){0};
}

static void write_settings(const findings *f, page *p)
{
    locum_json_node list = findings_at(f, 0, "baselines");
    if (locum_json_n(f->json, list) < 1) return;
    page_add(p, "<details%s><summary>All settings that were measured</summary>\n", p->no_pictures ? " open" : "");
    page_table(p, "setting|time of one sample|error|95 %% from|to|samples|on the front");
    for (locum_json_node b = locum_json_first(f->json, list); b >= 0; b = locum_json_next(f->json, b)) {
        page_row(p);
        page_text(p, findings_text(f, b, "settings.text"));
        page_cell(p);
        page_seconds(p, findings_number(f, b, "seconds_per_sample"));
        page_cell(p);
        page_measure(p, findings_number(f, b, "error"));
        page_cell(p);
        page_measure(p, findings_number(f, b, "error_low"));
        page_cell(p);
        page_measure(p, findings_number(f, b, "error_high"));
        page_cell(p);
        page_count(p, findings_number(f, b, "samples"));
        page_cell(p);
        page_add(p, findings_bool(f, b, "best") == 1 ? "yes" : "");
    }
    page_table_end(p);
    page_add(p, "</details>\n");
}

static void write_time_words(const findings *f, page *p)
{
    page_add(p, "<div>\n<p class=\"legend\">");
    page_legend(p, FIGURE_SQUARES, FIGURE_BLUE, "surrogate, one at a time, with interval and flag");
    page_legend(p, FIGURE_RINGS, FIGURE_BLUE, "surrogate at its best batch");
    if (findings_n(f, 0, "baselines") > 0) {
        page_legend(p, FIGURE_DOTS, FIGURE_RED, "our solver made cheaper: the best settings");
        page_legend(p, FIGURE_FAINT, FIGURE_RED, "other settings");
    }
    page_legend(p, FIGURE_WHISKERS, FIGURE_INK, "95 % interval over samples");
    if (isfinite(findings_number(f, 0, "speedup_at_equal_error.value")))
        page_legend(p, FIGURE_DASHED, FIGURE_BLUE, "the distance at equal error");
    if (isfinite(findings_number(f, 0, "reference.error")))
        page_legend(p, FIGURE_DIAMONDS, FIGURE_INK, "the labels’ own setting and noise");
    page_add(p, "</p>\n");
    if (*findings_text(f, 0, "reference_settings")) {
        page_add(p, "<p>Labels: ");
        page_text(p, findings_text(f, 0, "reference_settings"));
        double seconds = findings_number(f, 0, "reference.seconds_per_sample");
        if (isfinite(seconds)) {
            page_add(p, ", ");
            page_seconds(p, seconds);
            page_add(p, " a sample");
        }
        page_add(p, ".</p>\n");
    }
    page_add(p, "<p class=\"note\">");
    page_sentence(p, findings_text(f, 0, "speedup_at_equal_error.reason"));
    page_add(p, "</p>\n</div>\n");
}

locum_status section_time(const findings *f, page *p)
{
    figure picture;
    section_time_kept kept;
    page_section(
        p, "time", "Error against time",
        findings_n(f, 0, "baselines") < 1
            ? "No setting of a solver was measured here; the formulas that need no network are drawn as levels."
            : "The solver was made cheaper until its error met the surrogate’s; both were measured in one run, on the "
              "same kind of "
              "samples and cores. Left and down is better.");
    page_add(p, "<div class=\"beside\">\n");
    locum_status st = section_time_figure(f, &picture, &kept);
    if (!st) st = page_figure(p, &picture, "Error against the time of one sample");
    section_time_free(&kept);
    write_time_words(f, p);
    page_add(p, "</div>\n");
    write_settings(f, p);
    page_section_end(p);
    return st;
}

/* --- errors per output --------------------------------------------------------------------------------- */
static const char *const columns[] = {"surrogate", "persistence",       "mean",       "linear", "quadratic",
                                      "nearest",   "reference_cheaper", "label_noise"};
enum { N_COLUMNS = sizeof columns / sizeof *columns, LABEL_NOISE = N_COLUMNS - 1, CHEAPER = N_COLUMNS - 2 };

/* of the cheapest setting that is as good as the surrogate on the searched samples */
static double cheaper_error(const findings *f)
{
    locum_json_node list = findings_at(f, 0, "baselines");
    double own = findings_number(f, 0, "surrogate.error_on_searched_samples"), least = INFINITY, found = NAN;
    for (locum_json_node b = locum_json_first(f->json, list); b >= 0; b = locum_json_next(f->json, b)) {
        double seconds = findings_number(f, b, "seconds_per_sample"), error = findings_number(f, b, "error");
        if (!(error <= own) || !(seconds < least)) continue;
        least = seconds;
        found = error;
    }
    return found;
}

static double overall(const findings *f, int c)
{
    if (c == 0) return findings_number(f, 0, "surrogate.error");
    if (c == LABEL_NOISE) return findings_number(f, 0, "label_noise");
    if (c == CHEAPER) return cheaper_error(f);
    locum_json_node list = findings_at(f, 0, "trivial");
    for (locum_json_node t = locum_json_first(f->json, list); t >= 0; t = locum_json_next(f->json, t))
        if (!strcmp(findings_text(f, t, "name"), columns[c])) return findings_number(f, t, "error");
    return NAN;
}

/* a formula that this study does not have takes no column */
static bool is_shown(const findings *f, int c)
{
    return c == 0 || c >= CHEAPER || isfinite(overall(f, c));
}

static void write_error(page *p, double value, bool ours)
{
    page_cell(p);
    if (ours) page_add(p, "<span class=\"us\">");
    page_measure(p, value);
    if (ours) page_add(p, "</span>");
}

locum_status section_errors(const findings *f, page *p)
{
    char headings[160] = "output";
    for (int c = 0; c < N_COLUMNS; c++) {
        size_t used = strlen(headings);
        if (is_shown(f, c))
            snprintf(headings + used, sizeof headings - used, "|%s",
                     c == CHEAPER       ? "cheaper solver"
                     : c == LABEL_NOISE ? "label noise"
                                        : columns[c]);
    }
    page_section(p, "errors", "Errors of every output", "");
    page_table(p, headings);
    for (int j = 0; j < f->n_outputs; j++) {
        locum_json_node error = findings_at(f, f->output[j].node, "error");
        page_row(p);
        page_text(p, f->output[j].name);
        if (!f->output[j].in_metric) page_add(p, " <span class=\"note\">(not in the metric)</span>");
        for (int c = 0; c < N_COLUMNS; c++)
            if (is_shown(f, c)) write_error(p, findings_number(f, error, columns[c]), c == 0);
    }
    page_row(p);
    page_add(p, "<b>metric</b>");
    for (int c = 0; c < N_COLUMNS; c++)
        if (is_shown(f, c)) write_error(p, overall(f, c), c == 0);
    page_table_end(p);
    page_add(p, "<p class=\"note\">Cheaper solver: the cheapest setting whose error is not above the surrogate’s. "
                "Label noise: ");
    page_text(p, *findings_text(f, 0, "fields.label_noise.text") ? findings_text(f, 0, "fields.label_noise.text")
                                                                 : "the same samples solved again with other seeds");
    page_add(p, isfinite(findings_number(f, 0, "label_noise")) ? "; no model is praised below it. " : ". ");
    page_sentence(p, findings_text(f, 0, "trivial_text"));
    page_add(p, "</p>\n");
    page_section_end(p);
    return LOCUM_OK;
}
