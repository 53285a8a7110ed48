/* SPDX-License-Identifier: BSD-3-Clause */
/* sheet.c - fields to look at: truth, prediction and error of one test sample at a few leads, in one picture.
 *
 *              seen last   lead 1     lead 7    lead 20
 *     truth      [  ]       [  ]       [  ]      [  ]        one range of colours for truth and prediction,
 *     surrogate             [  ]       [  ]      [  ]        one for the errors; both are told below
 * A map has one lead: the same three side by side. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/report/gnuplot.h"
#include "cli/report/leads.h"
#include "cli/report/ticks.h"

enum { PANEL = 168, GAP = 10, LEFT = 30, TOP = 24, MOST = 4096, LEADS_MOST = 8 };

typedef struct sheet {
    int64_t nx, ny;
    int n_leads, columns, left, width, height;
    double *input, *truth[LEADS_MOST], *value[LEADS_MOST], time[LEADS_MOST];
    double low, high, worst; /* of truth; largest error */
} sheet;

static void sheet_free(sheet *s)
{
    free(s->input);
    for (int k = 0; k < LEADS_MOST; k++) {
        free(s->truth[k]);
        free(s->value[k]);
    }
}

static locum_status read_sheet(const findings *f, locum_json_node node, sheet *s)
{
    double nx = findings_number(f, node, "nx"), ny = findings_number(f, node, "ny");
    locum_json_node list = findings_at(f, node, "leads");
    if (!(nx >= 2 && ny >= 2 && nx <= MOST && ny <= MOST)) return LOCUM_OK;
    s->nx = (int64_t)nx;
    s->ny = (int64_t)ny;
    s->low = INFINITY;
    s->high = -INFINITY;
    if (findings_n(f, node, "input") == s->nx * s->ny)
        LOCUM_TRY(findings_values(f, findings_at(f, node, "input"), s->nx * s->ny, &s->input));
    for (locum_json_node lead = locum_json_first(f->json, list); lead >= 0 && s->n_leads < LEADS_MOST;
         lead = locum_json_next(f->json, lead)) {
        int k = s->n_leads++;
        s->time[k] = findings_number(f, lead, "time");
        LOCUM_TRY(findings_values(f, findings_at(f, lead, "truth"), s->nx * s->ny, &s->truth[k]));
        LOCUM_TRY(findings_values(f, findings_at(f, lead, "value"), s->nx * s->ny, &s->value[k]));
        for (int64_t i = 0; i < s->nx * s->ny; i++) {
            double error = fabs(s->value[k][i] - s->truth[k][i]);
            s->low = fmin(s->low, s->truth[k][i]);
            s->high = fmax(s->high, s->truth[k][i]);
            if (isfinite(error)) s->worst = fmax(s->worst, error);
        }
    }
    s->columns = (s->n_leads > 1 ? s->n_leads : 3) + (s->input != NULL);
    s->left = s->n_leads > 1 ? LEFT : GAP;
    s->width = s->left + s->columns * (PANEL + GAP);
    s->height = TOP + (s->n_leads > 1 ? 3 : 1) * (PANEL + GAP);
    return LOCUM_OK;
}

/* --- the script ----------------------------------------------------------------------------------------- */

static void write_values(const sheet *s, int name, const double *a, const double *minus, locum_text *script)
{
    locum_text_add(script, "$p%d << EOD\n", name);
    for (int64_t j = 0; j < s->ny; j++) {
        for (int64_t i = 0; i < s->nx; i++) {
            double v = a[i * s->ny + j] - (minus ? minus[i * s->ny + j] : 0);
            if (isfinite(v))
                locum_text_add(script, " %.4g", v);
            else
                locum_text_add(script, " NaN");
        }
        locum_text_add(script, "\n");
    }
    locum_text_add(script, "EOD\n");
}

/* panel `row` (truth, surrogate, error) of a lead */
static void write_panel(const sheet *s, int name, int column, int row, locum_text *script)
{
    double left = s->left + column * (PANEL + GAP), top = TOP + row * (PANEL + GAP);
    locum_text_add(script, "set lmargin at screen %.5f\nset rmargin at screen %.5f\n", left / s->width,
                   (left + PANEL) / s->width);
    locum_text_add(script, "set tmargin at screen %.5f\nset bmargin at screen %.5f\n", 1 - top / s->height,
                   1 - (top + PANEL) / s->height);
    locum_text_add(script, "plot $p%d matrix using 1:2:3 with image notitle\n", name);
}

static void write_label(const sheet *s, const char *text, double x, double y, bool turned, locum_text *script)
{
    locum_text_add(script, "set label ");
    gnuplot_string(script, text);
    locum_text_add(script, " at screen %.5f, screen %.5f center%s front\n", x / s->width, 1 - y / s->height,
                   turned ? " rotate by 90" : "");
}

static void write_labels(const sheet *s, const char *input_name, locum_text *script)
{
    static const char *const rows[] = {"truth", "surrogate", "error"};
    char text[96], time[TICKS_TEXT];
    int first = s->input != NULL;
    for (int r = 0; r < 3; r++)
        if (s->n_leads > 1)
            write_label(s, rows[r], s->left - 14, TOP + r * (PANEL + GAP) + PANEL / 2.0, true, script);
        else
            write_label(s, rows[r], s->left + (r + first) * (PANEL + GAP) + PANEL / 2.0, TOP - 10, false, script);
    if (first) {
        snprintf(text, sizeof text, "seen: %.60s", input_name);
        write_label(s, text, s->left + PANEL / 2.0, TOP - 10, false, script);
    }
    for (int k = 0; k < s->n_leads && s->n_leads > 1; k++) {
        ticks_number(s->time[k], 3, time);
        snprintf(text, sizeof text, "lead time %s", time);
        write_label(s, text, s->left + (k + first) * (PANEL + GAP) + PANEL / 2.0, TOP - 10, false, script);
    }
}

/* the input of a map is another quantity: colours of its own */
static void write_input(const sheet *s, bool is_step, locum_text *script)
{
    double low = INFINITY, high = -INFINITY;
    if (!s->input) return;
    for (int64_t i = 0; i < s->nx * s->ny; i++) {
        low = fmin(low, s->input[i]);
        high = fmax(high, s->input[i]);
    }
    write_values(s, 0, s->input, NULL, script);
    figure_field_colours(is_step ? s->low : low, is_step ? s->high : high, script);
    write_panel(s, 0, 0, 0, script);
    locum_text_add(script, "unset label\n");
}

static void write_script(const sheet *s, const char *input_name, bool is_step, locum_text *script)
{
    int first = s->input != NULL, aside = s->n_leads == 1;
    locum_text_add(script,
                   "set multiplot\nunset key\nunset tics\nunset colorbox\nset border 15 lw 0.6\nset size noratio\n"
                   "set xrange [-0.5:%.1f]\nset yrange [-0.5:%.1f]\n",
                   (double)s->nx - 0.5, (double)s->ny - 0.5);
    write_labels(s, input_name, script);
    write_input(s, is_step, script);
    for (int k = 0; k < s->n_leads; k++) {
        write_values(s, 3 * k + 1, s->truth[k], NULL, script);
        write_values(s, 3 * k + 2, s->value[k], NULL, script);
        write_values(s, 3 * k + 3, s->value[k], s->truth[k], script);
        figure_field_colours(s->low, s->high, script);
        write_panel(s, 3 * k + 1, k + first, 0, script);
        locum_text_add(script, "unset label\n");
        write_panel(s, 3 * k + 2, k + first + aside, 1 - aside, script);
        figure_field_colours(-s->worst, s->worst > 0 ? s->worst : 1e-12, script);
        write_panel(s, 3 * k + 3, k + first + 2 * aside, 2 - 2 * aside, script);
    }
    locum_text_add(script, "unset multiplot\n");
}

static void write_words(const findings *f, locum_json_node node, const sheet *s, page *p)
{
    page_add(p, "<p class=\"note\">Test sample ");
    page_count(p, findings_number(f, node, "index"));
    page_add(p, ", in the middle of the errors (");
    page_measure(p, findings_number(f, node, "error"));
    page_add(p, "). Truth and surrogate share their colours, from ");
    page_measure(p, s->low);
    page_add(p, " to ");
    page_measure(p, s->high);
    page_add(p, "; errors go from ");
    page_measure(p, -s->worst);
    page_add(p, " to ");
    page_measure(p, s->worst);
    page_add(p, ".</p>\n");
}

locum_status section_sheet(const findings *f, page *p)
{
    locum_json_node node = findings_at(f, 0, "fields.sheet");
    sheet s = {0};
    locum_text script = {0};
    char caption[96];
    if (locum_json_n(f->json, node) < 1 || p->no_pictures) return LOCUM_OK;
    locum_status st = read_sheet(f, node, &s);
    if (!st && s.n_leads > 0) {
        page_section(p, "fields", "What it looks like", "");
        figure_terminal_line(FIGURE_SVG, s.width, s.height, &script);
        write_script(&s, findings_text(f, node, "input_name"), s.n_leads > 1, &script);
        snprintf(caption, sizeof caption, "Truth and prediction: %.60s", findings_text(f, node, "output"));
        page_add(p, "<div style=\"max-width:%dpx\">\n", s.width);
        st = page_script(p, &script, caption);
        page_add(p, "</div>\n");
        write_words(f, node, &s, p);
        page_section_end(p);
    }
    locum_text_free(&script);
    sheet_free(&s);
    return st;
}
