/* SPDX-License-Identifier: BSD-3-Clause */
/* sections.h - the parts of the report, in its order. Each adds to the page what report.json has for it, and nothing
 * if it has nothing. */
#ifndef CLI_REPORT_SECTIONS_H
#define CLI_REPORT_SECTIONS_H

#include "cli/report/findings.h"
#include "cli/report/page.h"

locum_status section_overview(const findings *f, page *p);  /* title, headline, key numbers, what was learnt */
locum_status section_models(const findings *f, page *p);    /* the surrogates of the study side by side */
locum_status section_sheet(const findings *f, page *p);     /* fields: truth, prediction, error */
locum_status section_rollout(const findings *f, page *p);   /* fields over lead time */
locum_status section_spectra(const findings *f, page *p);   /* of fields */
locum_status section_budgets(const findings *f, page *p);   /* of fields */
locum_status section_response(const findings *f, page *p);  /* curves with intervals and test points */
locum_status section_time(const findings *f, page *p);      /* error against time */
locum_status section_errors(const findings *f, page *p);    /* table of errors per output */
locum_status section_profiles(const findings *f, page *p);  /* spectra and profiles of three test samples */
locum_status section_coverage(const findings *f, page *p);  /* intervals and the negative control */
locum_status section_learning(const findings *f, page *p);  /* learning curve */
locum_status section_weakness(const findings *f, page *p);  /* distance, rejection, sensitivity, budget */
locum_status section_snapshots(const findings *f, page *p); /* what the solution looks like */
locum_status section_notes(const findings *f, page *p);     /* cost, search, provenance, how to reproduce */

#define SECTION_FIGURE_WIDTH 380
#define SECTION_FIGURE_HEIGHT 260

/** The figure of error against time, for `locum show` too. The arrays behind it live in `kept`: section_time_free.
 *  Local. */
typedef struct section_time_kept {
    double *seconds, *error, *low, *high; /* [n] settings that are not on the front first, then the front */
    double own[2], own_error[2], own_low[1], own_high[1], reference[2], equal_x[2], equal_y[2];
} section_time_kept;
locum_status section_time_figure(const findings *f, figure *figure, section_time_kept *kept);
void section_time_free(section_time_kept *kept);

#endif
