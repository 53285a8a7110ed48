/* SPDX-License-Identifier: BSD-3-Clause */
/* models.c - the surrogates of a study side by side. All are shown; the headline is about the one that had the smallest
 * validation error. */
#include <math.h>

#include "cli/report/sections.h"

static void write_share(page *p, double part, double whole)
{
    if (!isfinite(part) || !(whole > 0)) {
        page_add(p, "–");
        return;
    }
    page_count(p, part);
    page_add(p, " of ");
    page_count(p, whole);
}

static void write_model(const findings *f, page *p, locum_json_node m, bool over_leads)
{
    double samples = findings_number(f, m, "samples");
    bool is_head = findings_bool(f, m, "headline") == 1;
    page_row(p);
    if (is_head) page_add(p, "<span class=\"us\">");
    page_text(p, findings_text(f, m, "name"));
    if (is_head) page_add(p, "</span>");
    page_cell(p);
    page_measure(p, findings_number(f, m, "error"));
    page_cell(p);
    page_measure(p, findings_number(f, m, "validation_error"));
    if (over_leads) {
        page_cell(p);
        page_number(p, findings_number(f, m, "valid_time"));
        page_cell(p);
        page_number(p, findings_number(f, m, "valid_time_correlation"));
    }
    page_cell(p);
    page_seconds(p, findings_number(f, m, "seconds_per_sample"));
    page_cell(p);
    page_seconds(p, findings_number(f, m, "seconds_per_sample_best_batch"));
    page_cell(p);
    page_count(p, findings_number(f, m, "parameters"));
    page_cell(p);
    write_share(p, findings_number(f, m, "covered"), samples);
    page_cell(p);
    write_share(p, findings_number(f, m, "flagged"), samples);
    if (!over_leads) return;
    page_cell(p);
    page_count(p, findings_number(f, m, "stopped"));
}

/* others that are known over lead time; numbers they do not have stay empty */
static void write_other(const findings *f, page *p, locum_json_node node, const char *name)
{
    if (node < 0 || locum_json_n(f->json, node) < 1 || isnan(findings_number(f, node, "valid_time"))) return;
    page_row(p);
    page_text(p, name);
    page_cell(p);
    page_cell(p);
    page_cell(p);
    page_number(p, findings_number(f, node, "valid_time"));
    page_cell(p);
    page_number(p, findings_number(f, node, "valid_time_correlation"));
    for (int i = 0; i < 6; i++) page_cell(p);
}

static void write_words(const findings *f, page *p, bool over_leads)
{
    page_add(p,
             "<p class=\"note\">The headline is about the surrogate with the smallest validation error, which "
             "training measured in its own loss; the test split chooses nothing. Times are of one whole prediction%s, "
             "with interval "
             "and flag, at batch 1 and at the best batch. Flagged: test samples that carry a flag, which is the rate "
             "of false alarms.",
             over_leads ? " (all leads)" : "");
    if (over_leads) {
        page_add(p, " Valid: mean over samples of the time up to which the relative error stays below ");
        page_number(p, findings_number(f, 0, "fields.valid_error"));
        page_add(p, ", and up to which the correlation stays above ");
        page_number(p, findings_number(f, 0, "fields.valid_correlation"));
        page_add(p, "; it cannot be longer than the data. Stopped: roll-outs that blew up; what they did not reach "
                    "counts with an error of 100 %%.");
    }
    page_add(p, "</p>\n");
}

locum_status section_models(const findings *f, page *p)
{
    locum_json_node list = findings_at(f, 0, "surrogates");
    bool over_leads = findings_n(f, 0, "fields.times") > 1;
    if (locum_json_n(f->json, list) < 1) return LOCUM_OK;
    page_section(p, "surrogates", locum_json_n(f->json, list) > 1 ? "Surrogates side by side" : "The surrogate", "");
    page_table(p, over_leads
                      ? "surrogate|test error|validation|valid, error|valid, correlation|time|in a batch|numbers|"
                        "covered|flagged|stopped"
                      : "surrogate|test error|validation|time|in a batch|numbers|covered|flagged");
    for (locum_json_node m = locum_json_first(f->json, list); m >= 0; m = locum_json_next(f->json, m))
        write_model(f, p, m, over_leads);
    if (over_leads) {
        locum_json_node trivial = findings_at(f, 0, "fields.trivial");
        for (locum_json_node t = locum_json_first(f->json, trivial); t >= 0; t = locum_json_next(f->json, t))
            write_other(f, p, t, findings_text(f, t, "name"));
        write_other(f, p, findings_at(f, 0, "fields.solver_spread"), "solver, begun 1e-6 beside");
    }
    page_table_end(p);
    write_words(f, p, over_leads);
    page_section_end(p);
    return LOCUM_OK;
}
