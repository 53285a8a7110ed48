/* SPDX-License-Identifier: BSD-3-Clause */
/* report.c - report.json becomes index.html: the sections in their order, each from the same findings. Without
 * gnuplot the pictures are left out and the tables stand open. */
#include "cli/report/report.h"

#include <stdio.h>

#include "cli/report/gnuplot.h"
#include "cli/report/sections.h"
#include "core/study/commit.h"

typedef locum_status (*section)(const findings *f, page *p);

static const section sections[] = {section_overview, section_models,    section_sheet,    section_rollout,
                                   section_response, section_time,      section_errors,   section_profiles,
                                   section_spectra,  section_budgets,   section_coverage, section_learning,
                                   section_weakness, section_snapshots, section_notes};
enum { N_SECTIONS = sizeof sections / sizeof *sections };

/* an empty script: is gnuplot there? */
static locum_status look_for_gnuplot(page *p)
{
    locum_text script = {0}, nothing = {0};
    locum_text_add(&script, "\n");
    locum_status st = gnuplot_draw(&script, &nothing);
    locum_text_free(&script);
    locum_text_free(&nothing);
    if (st != LOCUM_NOT_BUILT) return st;
    p->no_pictures = true;
    locum_log_warn(p->log, "the report has no pictures: %s", locum_status_message());
    locum_status_clear();
    return LOCUM_OK;
}

static locum_status compose(const findings *f, page *p)
{
    char title[160];
    snprintf(title, sizeof title, "%s: surrogate report", findings_text(f, 0, "study"));
    page_begin(p, title);
    if (p->no_pictures)
        page_add(p, "<p class=\"warning\">This report has its tables, but no pictures: gnuplot was not found on the "
                    "machine that wrote it "
                    "(Debian: <code>apt install gnuplot-nox</code>).</p>\n");
    locum_status st = LOCUM_OK;
    for (int i = 0; i < N_SECTIONS && !st; i++) st = sections[i](f, p);
    page_end(p);
    return st ? st : p->html.status;
}

locum_status report_write(const char *folder, locum_log *log)
{
    findings f;
    page p = {.log = log};
    char path[LOCUM_PATH_SIZE];

    locum_status st = findings_read(folder, &f);
    if (!st) st = look_for_gnuplot(&p);
    if (!st) st = compose(&f, &p);
    if (!st && snprintf(path, sizeof path, "%s/index.html", folder) >= (int)sizeof path)
        st = LOCUM_FAIL(LOCUM_INPUT, "the path `%s` is too long", folder);
    if (!st) st = locum_commit_bytes(path, p.html.data, p.html.size);
    locum_text_free(&p.html);
    findings_free(&f);
    return st;
}
