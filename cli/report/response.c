/* SPDX-License-Identifier: BSD-3-Clause */
/* response.c - single outputs against one input, the others in the middle of their ranges; and outputs with an axis
 * (spectra, profiles) of three test samples. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/report/sections.h"
#include "cli/report/ticks.h"
#include "core/memory.h"

#define NEAR \
    (1.0 / 6) /* a test sample is near a curve if its other inputs lie so close to the middle, in parts of the range */

static int find_port(int n, const finding_port *ports, const char *name)
{
    for (int i = 0; i < n; i++)
        if (!strcmp(ports[i].name, name)) return i;
    return -1;
}

/* distance of a sample's other inputs from the middle */
static double off_middle(const findings *f, int64_t sample, int input)
{
    double most = 0;
    for (int i = 0; i < f->n_inputs; i++) {
        const finding_port *port = &f->input[i];
        double x = f->parameter[sample * f->n_inputs + i];
        if (i == input) continue;
        double u = port->is_log ? log(x / port->lower) / log(port->upper / port->lower)
                                : (x - port->lower) / (port->upper - port->lower);
        most = fmax(most, fabs(u - 0.5));
    }
    return most;
}

/* test labels of one output against one input: those near the curve first */
static locum_status read_points(const findings *f, int input, int output, double **x, double **y, int64_t *n_near)
{
    int64_t n = 0;
    *n_near = 0;
    LOCUM_TRY(LOCUM_NEW(x, f->n_samples + 1));
    LOCUM_TRY(LOCUM_NEW(y, f->n_samples + 1));
    for (int pass = 0; pass < 2; pass++) {
        for (int64_t s = 0; s < f->n_samples; s++) {
            if ((off_middle(f, s, input) <= NEAR) != (pass == 0)) continue;
            (*x)[n] = f->parameter[s * f->n_inputs + input];
            (*y)[n] = NAN;
            locum_json_number(f->json, findings_item(f, findings_at(f, f->sample[s], "truth"), output), &(*y)[n]);
            n++;
        }
        if (!pass) *n_near = n;
    }
    return LOCUM_OK;
}

static locum_status draw_response(const findings *f, page *p, locum_json_node response, locum_json_node curve,
                                  int input, int output)
{
    double *column[4] = {0}, *x = NULL, *y = NULL;
    int64_t n = findings_n(f, response, "x"), n_near = 0;
    char label[96], caption[224];
    figure picture;
    const finding_port *in = &f->input[input], *out = &f->output[output];

    locum_status st = findings_values(f, findings_at(f, response, "x"), n, &column[0]);
    if (!st) st = findings_values(f, findings_at(f, curve, "value"), n, &column[1]);
    if (!st) st = findings_values(f, findings_at(f, curve, "lower"), n, &column[2]);
    if (!st) st = findings_values(f, findings_at(f, curve, "upper"), n, &column[3]);
    if (!st) st = read_points(f, input, output, &x, &y, &n_near);
    if (!st) {
        findings_label(in, label, sizeof label);
        findings_label(out, caption, sizeof caption);
        bool is_log = out->lower > 0 && out->upper > 20 * out->lower;
        figure_begin(&picture, SECTION_FIGURE_WIDTH, SECTION_FIGURE_HEIGHT, label,
                     in->is_log ? FIGURE_LOG : FIGURE_LINEAR, NULL, is_log ? FIGURE_LOG : FIGURE_LINEAR);
        figure_series(&picture, FIGURE_BAND, FIGURE_BLUE, n, column[0], column[2], column[3], NULL);
        figure_series(&picture, FIGURE_FAINT, FIGURE_INK, f->n_samples - n_near, x + n_near, y + n_near, NULL, NULL);
        figure_series(&picture, FIGURE_LINE, FIGURE_BLUE, n, column[0], column[1], NULL, NULL);
        figure_series(&picture, FIGURE_DOTS, FIGURE_INK, n_near, x, y, NULL, NULL);
        st = page_figure(p, &picture, caption);
    }
    for (int c = 0; c < 4; c++) free(column[c]);
    free(x);
    free(y);
    return st;
}

static locum_status draw_responses(const findings *f, page *p, locum_json_node response)
{
    int input = find_port(f->n_inputs, f->input, findings_text(f, response, "input"));
    locum_json_node curves = findings_at(f, response, "outputs");
    locum_status st = LOCUM_OK;
    if (input < 0 || locum_json_n(f->json, curves) < 1) return LOCUM_OK;
    page_add(p, "<h3>Against ");
    page_text(p, f->input[input].name);
    if (*findings_text(f, response, "at")) {
        page_add(p, ", at ");
        page_text(p, findings_text(f, response, "at"));
    }
    page_add(p, "</h3>\n<div class=\"figures\">\n");
    for (locum_json_node c = locum_json_first(f->json, curves); c >= 0 && !st; c = locum_json_next(f->json, c)) {
        int output = find_port(f->n_outputs, f->output, findings_text(f, c, "name"));
        if (output >= 0) st = draw_response(f, p, response, c, input, output);
    }
    page_add(p, "</div>\n");
    return st;
}

locum_status section_response(const findings *f, page *p)
{
    locum_json_node list = findings_at(f, 0, "response");
    locum_status st = LOCUM_OK;
    if (locum_json_n(f->json, list) < 1 || p->no_pictures) return LOCUM_OK;
    page_section(p, "response", "Response",
                 "What the surrogate answers when one input moves over its range and the others stay in the middle.");
    page_add(p, "<p class=\"legend\">");
    page_legend(p, FIGURE_LINE, FIGURE_BLUE, "surrogate");
    page_legend(p, FIGURE_BAND, FIGURE_BLUE, "its interval");
    page_legend(p, FIGURE_DOTS, FIGURE_INK,
                f->n_inputs > 1 ? "test labels whose other inputs lie near the middle" : "test labels");
    if (f->n_inputs > 1) page_legend(p, FIGURE_FAINT, FIGURE_INK, "other test labels (not expected on the curve)");
    page_add(p, "</p>\n");
    for (locum_json_node r = locum_json_first(f->json, list); r >= 0 && !st; r = locum_json_next(f->json, r))
        st = draw_responses(f, p, r);
    page_section_end(p);
    return st;
}

/* --- spectra and profiles ------------------------------------------------------------------------------ */
static bool all_positive(int64_t n, const double *values)
{
    for (int64_t i = 0; i < n; i++)
        if (isfinite(values[i]) && values[i] <= 0) return false;
    return true;
}

/* spectra: a positive axis, and positive labels over more than a decade and a half */
static bool is_spectrum(int64_t n, const double *axis, const double *truth)
{
    double low = INFINITY, high = -INFINITY;
    if (!all_positive(n, axis) || !all_positive(n, truth)) return false;
    for (int64_t i = 0; i < n; i++) low = fmin(low, truth[i]), high = fmax(high, truth[i]);
    return high > 30 * low;
}

static void describe_sample(const findings *f, int64_t s, char *text, size_t size)
{
    char number[TICKS_TEXT];
    size_t used = 0;
    text[0] = 0;
    for (int i = 0; i < f->n_inputs && used < size; i++) {
        ticks_number(f->parameter[s * f->n_inputs + i], 3, number);
        used += (size_t)snprintf(text + used, size - used, "%s%s %s", i ? ", " : "", f->input[i].name, number);
    }
}

static locum_status draw_profile(const findings *f, page *p, int64_t s, int output)
{
    static const char *const keys[] = {"truth", "value", "lower", "upper"};
    const finding_port *port = &f->output[output];
    double *column[4] = {0}, error = NAN;
    char caption[128], label[64], number[TICKS_TEXT];
    figure picture;
    locum_status st = LOCUM_OK;

    for (int c = 0; c < 4 && !st; c++)
        st = findings_values(f, findings_item(f, findings_at(f, f->sample[s], keys[c]), output), port->extent,
                             &column[c]);
    if (!st) {
        bool is_log = is_spectrum(port->extent, port->axis, column[0]);
        locum_json_number(f->json, findings_item(f, findings_at(f, f->sample[s], "error_of"), output), &error);
        findings_label(port, label, sizeof label);
        ticks_measure(error, 3, number);
        snprintf(caption, sizeof caption, "%s, error %s", label, number);
        figure_begin(&picture, SECTION_FIGURE_WIDTH, SECTION_FIGURE_HEIGHT, port->axis_name,
                     is_log ? FIGURE_LOG : FIGURE_LINEAR, NULL, is_log ? FIGURE_LOG : FIGURE_LINEAR);
        figure_series(&picture, FIGURE_BAND, FIGURE_BLUE, port->extent, port->axis, column[2], column[3], NULL);
        figure_series(&picture, FIGURE_LINE, FIGURE_BLUE, port->extent, port->axis, column[1], NULL, NULL);
        figure_series(&picture, port->extent > 24 ? FIGURE_FAINT : FIGURE_DOTS, FIGURE_INK, port->extent, port->axis,
                      column[0], NULL, NULL);
        st = page_figure(p, &picture, caption);
    }
    for (int c = 0; c < 4; c++) free(column[c]);
    return st;
}

locum_status section_profiles(const findings *f, page *p)
{
    static const char *const sizes[] = {"Small error: ", "Middle error: ", "Large error: "};
    locum_json_node list = findings_at(f, 0, "examples");
    locum_status st = LOCUM_OK;
    int k = 0, n_profiles = 0;
    char where[256];
    for (int j = 0; j < f->n_outputs; j++) n_profiles += f->output[j].extent > 1;
    if (locum_json_n(f->json, list) < 1 || !n_profiles || p->no_pictures) return LOCUM_OK;
    page_section(
        p, "profiles", "Spectra and profiles",
        "Three test samples, chosen by the size of their error: one in ten is better than the first, half are better "
        "than the second, one in ten is worse than the third.");
    page_add(p, "<p class=\"legend\">");
    page_legend(p, FIGURE_LINE, FIGURE_BLUE, "surrogate");
    page_legend(p, FIGURE_BAND, FIGURE_BLUE, "its interval (for all values of all outputs at once)");
    page_legend(p, FIGURE_DOTS, FIGURE_INK, "label");
    page_add(p, "</p>\n");
    for (locum_json_node e = locum_json_first(f->json, list); e >= 0 && !st && k < 3;
         e = locum_json_next(f->json, e), k++) {
        int64_t s = -1;
        if (!locum_json_integer(f->json, e, &s) || s < 0 || s >= f->n_samples) continue;
        describe_sample(f, s, where, sizeof where);
        page_add(p, "<h3>%s", sizes[k]);
        page_text(p, where);
        page_add(p, "</h3>\n<div class=\"figures\">\n");
        for (int j = 0; j < f->n_outputs && !st; j++)
            if (f->output[j].extent > 1) st = draw_profile(f, p, s, j);
        page_add(p, "</div>\n");
    }
    page_section_end(p);
    return st;
}

/* --- snapshots ----------------------------------------------------------------------------------------- */
static locum_status draw_snapshot(const findings *f, page *p, locum_json_node item)
{
    double nx = findings_number(f, item, "nx"), ny = findings_number(f, item, "ny"), *values = NULL, *lower = NULL,
           *upper = NULL;
    if (!(nx >= 2 && ny >= 2 && nx <= 4096 && ny <= 4096) || (double)findings_n(f, item, "values") != nx * ny)
        return LOCUM_OK;
    locum_status st = findings_values(f, findings_at(f, item, "values"), (int64_t)(nx * ny), &values);
    if (!st) st = findings_values(f, findings_at(f, item, "lower"), 2, &lower);
    if (!st) st = findings_values(f, findings_at(f, item, "upper"), 2, &upper);
    if (!st) {
        figure_field field = {.n = {(int64_t)nx, (int64_t)ny},
                              .lower = {lower[0], lower[1]},
                              .upper = {upper[0], upper[1]},
                              .axis = {"x", "y"},
                              .values = values};
        if (!(upper[0] > lower[0] && upper[1] > lower[1]))
            field = (figure_field){.n = {(int64_t)nx, (int64_t)ny}, .upper = {nx, ny}, .values = values};
        st = page_field(p, &field, findings_text(f, item, "text"));
    }
    free(values);
    free(lower);
    free(upper);
    return st;
}

locum_status section_snapshots(const findings *f, page *p)
{
    locum_json_node list = findings_at(f, 0, "snapshots");
    locum_status st = LOCUM_OK;
    if (locum_json_n(f->json, list) < 1 || p->no_pictures) return LOCUM_OK;
    page_section(p, "snapshots", "What the solution looks like",
                 "Fields of the solver at a few points of the range, each with colours of its own.");
    page_add(p, "<div class=\"figures\">\n");
    for (locum_json_node item = locum_json_first(f->json, list); item >= 0 && !st;
         item = locum_json_next(f->json, item))
        st = draw_snapshot(f, p, item);
    page_add(p, "</div>\n");
    page_section_end(p);
    return st;
}
