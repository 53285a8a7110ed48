/* SPDX-License-Identifier: BSD-3-Clause */
/* notes.c - what it cost, what was searched, who made this, how to make it again. */
#include <math.h>

#include "cli/report/sections.h"

static void cost_row(page *p, const char *what, double seconds, const char *unit)
{
    page_row(p);
    page_add(p, "%s", what);
    page_cell(p);
    page_seconds(p, seconds);
    page_add(p, "</td><td class=\"text\">%s", unit);
}

static void write_cost(const findings *f, page *p)
{
    double n = findings_number(f, 0, "break_even_predictions");
    page_add(p, "<h3>Cost</h3>\n");
    page_table(p, "stage|time|<counted as");
    cost_row(p, "data", findings_number(f, 0, "costs.generate_core_seconds"), "core time");
    cost_row(p, "training", findings_number(f, 0, "costs.train_core_seconds"), "core time");
    cost_row(p, "validation", findings_number(f, 0, "costs.validate_seconds"), "wall clock");
    page_table_end(p);
    if (isnan(n))
        page_add(p, "<p>There is no break-even: a prediction saves nothing over the solver of equal error, or the cost "
                    "is not known.</p>\n");
    else {
        page_add(p, "<p>Data and training are repaid after ");
        page_count(p, ceil(n));
        page_add(p, " predictions, counted against the cheapest solver setting of equal error.</p>\n");
    }
}

static void write_provenance(const findings *f, page *p)
{
    locum_json_node node = findings_at(f, 0, "provenance");
    page_add(p, "<h3>Provenance</h3>\n<dl>\n");
    for (locum_json_node m = locum_json_first(f->json, node); m >= 0; m = locum_json_next(f->json, m)) {
        const char *text = locum_json_string(f->json, m);
        double value;
        page_add(p, "<dt>");
        for (const char *c = locum_json_key(f->json, m); c && *c; c++) { /* words instead of_names */
            char letter[2] = {*c == '_' ? ' ' : *c, 0};
            page_text(p, letter);
        }
        page_add(p, "</dt><dd>");
        if (text)
            page_time(p, text);
        else if (locum_json_number(f->json, m, &value))
            page_count(p, value);
        page_add(p, "</dd>\n");
    }
    page_add(p, "</dl>\n");
}

static void write_command(const findings *f, page *p)
{
    double ranks = findings_number(f, 0, "provenance.ranks");
    page_add(p, "<h3>Make it again</h3>\n<p>In the run directory that holds this report lies "
                "<code>study.resolved.yaml</code>: the whole study, with every default.</p>\n<pre>");
    if (ranks > 1) page_add(p, "mpirun -n %.0f ", ranks);
    page_add(p, "locum run study.resolved.yaml --out again</pre>\n<p class=\"note\">The seeds are part of the study; "
                "times differ from machine to machine. All numbers of this page "
                "are in <code>report.json</code> beside it.</p>\n");
}

locum_status section_notes(const findings *f, page *p)
{
    page_section(p, "notes", "Cost, search, provenance", "");
    write_cost(f, p);
    if (*findings_text(f, 0, "searched")) {
        page_add(p, "<h3>What was searched</h3>\n<p>");
        page_sentence(p, findings_text(f, 0, "searched"));
        page_add(p, "</p>\n");
    }
    write_provenance(f, p);
    write_command(f, p);
    page_section_end(p);
    return LOCUM_OK;
}
