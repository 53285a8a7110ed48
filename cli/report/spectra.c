/* SPDX-License-Identifier: BSD-3-Clause */
/* spectra.c - mean square by wavenumber of truth and surrogates at a few leads. */
#include <math.h>
#include <stdio.h>

#include "cli/report/leads.h"
#include "cli/report/ticks.h"

/* a figure over shells 1, 2, ...; what lies far below the largest value is not drawn */
static locum_status count_shells(const findings *f, locum_json_node s, leads *l)
{
    *l = (leads){.f = f, .n = findings_n(f, s, "truth")};
    LOCUM_TRY(leads_take(l, s, "truth", l->n, &l->x));
    for (int64_t i = 0; i < l->n && l->x; i++) l->x[i] = (double)(i + 1);
    return LOCUM_OK;
}

static void cut(int64_t n, double *values, double least)
{
    for (int64_t i = 0; i < n && values; i++)
        if (values[i] < least) values[i] = NAN;
}

static locum_status draw_spectrum(const findings *f, page *p, locum_json_node s, bool over_leads)
{
    leads l;
    figure picture;
    double *truth = NULL, *value = NULL, most = 0;
    char caption[128], time[TICKS_TEXT];
    locum_json_node list = findings_at(f, s, "surrogates");
    int64_t k = 0;
    locum_status st = count_shells(f, s, &l);
    figure_begin(&picture, SECTION_FIGURE_WIDTH, SECTION_FIGURE_HEIGHT, "wavenumber", FIGURE_LOG, NULL, FIGURE_LOG);
    if (!st) st = leads_take(&l, s, "truth", l.n, &truth);
    for (int64_t i = 0; i < l.n && truth; i++) most = fmax(most, truth[i]);
    cut(l.n, truth, 1e-12 * most);
    for (locum_json_node m = locum_json_first(f->json, list); m >= 0 && !st; m = locum_json_next(f->json, m), k++) {
        st = leads_keep(&l, m, l.n, &value);
        cut(l.n, value, 1e-12 * most);
        if (value) figure_series(&picture, FIGURE_LINE, leads_colour(k), l.n, l.x, value, NULL, NULL);
    }
    if (truth) figure_series(&picture, FIGURE_DOTS, FIGURE_INK, l.n, l.x, truth, NULL, NULL);
    ticks_number(findings_number(f, s, "time"), 3, time);
    snprintf(caption, sizeof caption, over_leads ? "%.60s at lead time %s" : "%.60s", findings_text(f, s, "output"),
             time);
    if (!st) st = page_figure(p, &picture, caption);
    leads_free(&l);
    return st;
}

locum_status section_spectra(const findings *f, page *p)
{
    locum_json_node list = findings_at(f, 0, "fields.spectra");
    locum_status st = LOCUM_OK;
    if (locum_json_n(f->json, list) < 1 || p->no_pictures) return LOCUM_OK;
    page_section(
        p, "spectra", "Spectra",
        "Mean square of the fields by wavenumber, mean over test samples. A surrogate that smears out small scales "
        "falls off at the right end; one that becomes unstable rises there.");
    page_add(p, "<p class=\"legend\">");
    page_legend(p, FIGURE_DOTS, FIGURE_INK, "truth");
    leads_legend(f, p);
    page_add(p, "</p>\n<div class=\"figures\">\n");
    for (locum_json_node s = locum_json_first(f->json, list); s >= 0 && !st; s = locum_json_next(f->json, s))
        st = draw_spectrum(f, p, s, findings_n(f, 0, "fields.times") > 1);
    page_add(p, "</div>\n");
    page_section_end(p);
    return st;
}
