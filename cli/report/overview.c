/* SPDX-License-Identifier: BSD-3-Clause */
/* overview.c - title, headline, key numbers (in one size, whatever they say), inputs and outputs. */
#include <math.h>
#include <string.h>

#include "cli/report/sections.h"
#include "cli/report/ticks.h"

static void write_title(const findings *f, page *p)
{
    const char *parts[] = {findings_text(f, 0, "solver"), findings_text(f, 0, "task"),
                           findings_text(f, 0, "provenance.time")};
    static const char *const words[] = {"surrogate of %s", "task %s", "%s"};
    bool first = true;
    page_add(p, "<h1>");
    page_text(p, findings_text(f, 0, "study"));
    page_add(p, "</h1>\n<p class=\"kicker\">");
    for (int i = 0; i < 3; i++) {
        if (!*parts[i]) continue;
        const char *hole = strchr(words[i], '%');
        page_add(p, "%s%.*s", first ? "" : " · ", (int)(hole - words[i]), words[i]);
        page_time(p, parts[i]);
        first = false;
    }
    page_add(p, "</p>\n<p class=\"headline\">");
    page_text(p, findings_text(f, 0, "headline"));
    page_add(p, "</p>\n");
}

/* --- key numbers --------------------------------------------------------------------------------------- */
static void open_tile(page *p, const char *what)
{
    page_add(p, "<div><span class=\"what\">%s</span><b>", what);
}

static void tile_speed(const findings *f, page *p)
{
    double value = findings_number(f, 0, "speedup_at_equal_error.value");
    char factor[TICKS_TEXT];
    open_tile(p, "Speed at equal error");
    if (isnan(value)) {
        page_add(p, "none claimed</b><span>");
        page_sentence(p, findings_text(f, 0, "speedup_at_equal_error.reason"));
    } else {
        ticks_factor(findings_text(f, 0, "speedup_at_equal_error.bound"), value, factor);
        page_text(p, factor);
        page_add(p, "</b><span>as fast as our own solver at its cheapest setting of that error, same core");
        double batch = findings_number(f, 0, "speedup_at_equal_error.value_best_batch");
        if (isfinite(batch)) {
            ticks_factor(findings_text(f, 0, "speedup_at_equal_error.bound"), batch, factor);
            page_add(p, "; in its best batch ");
            page_text(p, factor);
        }
    }
    page_add(p, "</span></div>\n");
}

static void tile_error(const findings *f, page *p)
{
    double low = findings_number(f, 0, "surrogate.error_low"), noise = findings_number(f, 0, "label_noise");
    open_tile(p, "Error on test samples");
    page_measure(p, findings_number(f, 0, "surrogate.error"));
    page_add(p, "</b><span>");
    if (isfinite(low)) {
        page_add(p, "95 %% interval ");
        page_measure(p, low);
        page_add(p, " to ");
        page_measure(p, findings_number(f, 0, "surrogate.error_high"));
        page_add(p, "; ");
    }
    page_count(p, findings_number(f, 0, "test_samples"));
    page_add(p, " samples");
    if (isfinite(noise)) {
        page_add(p, "; the labels’ own noise is ");
        page_measure(p, noise);
    }
    page_add(p, "</span></div>\n");
}

static void tile_coverage(const findings *f, page *p)
{
    double covered = findings_number(f, 0, "coverage.covered"),
           control = findings_number(f, 0, "coverage.negative_control.measured");
    open_tile(p, "Intervals that hold");
    if (isnan(covered))
        page_add(p, "not measured");
    else {
        page_count(p, covered);
        page_add(p, " of ");
        page_count(p, findings_number(f, 0, "coverage.samples"));
    }
    page_add(p, "</b><span>");
    page_percent(p, findings_number(f, 0, "coverage.target"));
    page_add(p, " asked for, marginal");
    if (isfinite(control)) {
        page_add(p, "; on shifted data ");
        page_percent(p, control);
    }
    page_add(p, "</span></div>\n");
}

static void tile_time(const findings *f, page *p)
{
    double batch = findings_number(f, 0, "surrogate.seconds_per_sample_best_batch");
    open_tile(p, "One prediction");
    page_seconds(p, findings_number(f, 0, "surrogate.seconds_per_sample"));
    page_add(p, "</b><span>with interval and flag");
    if (isfinite(batch)) {
        page_add(p, "; ");
        page_seconds(p, batch);
        page_add(p, " in batches of ");
        page_count(p, findings_number(f, 0, "surrogate.best_batch"));
    }
    page_add(p, "</span></div>\n");
}

static void tile_break_even(const findings *f, page *p)
{
    double n = findings_number(f, 0, "break_even_predictions");
    open_tile(p, "Break-even");
    if (isnan(n))
        page_add(p, "never</b><span>predictions save nothing at equal error, or the cost is not known</span></div>\n");
    else {
        page_count(p, ceil(n));
        page_add(p, "</b><span>predictions repay data and training</span></div>\n");
    }
}

/* --- what was learnt ----------------------------------------------------------------------------------- */
static void write_unit(page *p, const char *unit)
{
    page_text(p, !*unit || !strcmp(unit, "1") ? "–" : unit);
}

static void write_inputs(const findings *f, page *p)
{
    page_add(p, "<h3>Inputs</h3>\n");
    bool has_text = false;
    for (int i = 0; i < f->n_inputs; i++) has_text = has_text || *f->input[i].text;
    page_table(p, has_text ? "name|from|to|scale|<unit|<meaning" : "name|from|to|scale|<unit");
    for (int i = 0; i < f->n_inputs; i++) {
        const finding_port *port = &f->input[i];
        page_row(p);
        page_text(p, port->name);
        page_cell(p);
        page_number(p, port->lower);
        page_cell(p);
        page_number(p, port->upper);
        page_cell(p);
        page_add(p, port->is_log ? "logarithmic" : "linear");
        page_add(p, "</td><td class=\"text\">");
        write_unit(p, port->unit);
        if (!has_text) continue;
        page_add(p, "</td><td class=\"words\">");
        page_text(p, port->text);
    }
    page_table_end(p);
}

static void write_outputs(const findings *f, page *p)
{
    page_add(p, "<h3>Outputs</h3>\n");
    page_table(p, "name|values|smallest label|largest label|in the metric|<unit|<meaning");
    for (int j = 0; j < f->n_outputs; j++) {
        const finding_port *port = &f->output[j];
        page_row(p);
        page_text(p, port->name);
        page_cell(p);
        page_count(p, (double)port->extent);
        page_cell(p);
        page_measure(p, port->is_single && port->lower <= port->upper ? port->lower : NAN);
        page_cell(p);
        page_measure(p, port->is_single && port->lower <= port->upper ? port->upper : NAN);
        page_cell(p);
        page_add(p, port->in_metric ? "yes" : "no");
        page_add(p, "</td><td class=\"text\">");
        write_unit(p, port->unit);
        page_add(p, "</td><td class=\"words\">");
        page_text(p, port->text);
    }
    page_table_end(p);
}

static void write_network(const findings *f, page *p)
{
    double members = findings_number(f, 0, "surrogate.members"),
           parameters = findings_number(f, 0, "surrogate.parameters");
    double duplicates = findings_number(f, 0, "duplicates");
    page_add(p, "<p class=\"note\">");
    if (isfinite(members) && isfinite(parameters)) {
        page_add(p, "The model is an ensemble of ");
        page_count(p, members);
        page_add(p, " with ");
        page_count(p, parameters);
        page_add(p, " trained numbers in all. ");
    }
    page_add(p, "Metric: ");
    page_text(p, findings_text(f, 0, "metric"));
    page_add(p, ". The test samples were read once, by this validation");
    if (*findings_text(f, 0, "test_read")) {
        page_add(p, ", at ");
        page_time(p, findings_text(f, 0, "test_read"));
    }
    if (isfinite(duplicates)) {
        page_add(p, "; ");
        page_count(p, duplicates);
        page_add(p, duplicates == 1 ? " sample stands in two splits" : " samples stand in two splits");
    }
    page_add(p, ".</p>\n");
}

/* links to the sections that there are */
static void write_contents(const findings *f, page *p)
{
    static const struct {
        const char *id, *name, *list; /* list: the section needs it */
        bool is_picture;
        int least; /* so many entries of it */
    } parts[] = {{"learnt", "What was learnt", NULL, false, 1},
                 {"surrogates", "Surrogates", "surrogates", false, 1},
                 {"fields", "Fields", "fields.sheet", true, 1},
                 {"leads", "Lead time", "fields.times", false, 2},
                 {"response", "Response", "response", true, 1},
                 {"time", "Error against time", NULL, false, 1},
                 {"errors", "Errors", NULL, false, 1},
                 {"profiles", "Profiles", "examples", true, 1},
                 {"spectra", "Spectra", "fields.spectra", true, 1},
                 {"budgets", "Physics", "fields.budgets", false, 1},
                 {"coverage", "Intervals", NULL, false, 1},
                 {"learning", "Learning curve", "learning_curve", false, 1},
                 {"weakness", "Weakness", "sensitivity", false, 1},
                 {"snapshots", "Snapshots", "snapshots", true, 1},
                 {"notes", "Cost, provenance", NULL, false, 1}};
    page_add(p, "<nav>");
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (!(parts[i].is_picture && p->no_pictures) &&
            !(parts[i].list && findings_n(f, 0, parts[i].list) < parts[i].least))
            page_add(p, "<a href=\"#%s\">%s</a> ", parts[i].id, parts[i].name);
    page_add(p, "</nav>\n");
}

locum_status section_overview(const findings *f, page *p)
{
    write_title(f, p);
    page_add(p, "<div class=\"key\">\n");
    tile_speed(f, p);
    tile_error(f, p);
    tile_time(f, p);
    tile_coverage(f, p);
    tile_break_even(f, p);
    page_add(p, "</div>\n");
    write_contents(f, p);
    page_section(p, "learnt", "What was learnt", "");
    write_inputs(f, p);
    write_outputs(f, p);
    write_network(f, p);
    page_section_end(p);
    return LOCUM_OK;
}
