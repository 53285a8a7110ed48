/* SPDX-License-Identifier: BSD-3-Clause */
/* leads.h - what the sections about fields share: columns over lead time, and a colour for each surrogate. */
#ifndef CLI_REPORT_LEADS_H
#define CLI_REPORT_LEADS_H

#include "cli/report/sections.h"

#define LEADS_SERIES 24

/* arrays over lead time (or wavenumber) that a figure lends; leads_free releases them */
typedef struct leads {
    const findings *f;
    int64_t n;
    double *x; /**< [n] */
    int n_kept;
    double *kept[2 * LEADS_SERIES];
} leads; /* starts as {.f = f} */

/** x = fields.times. Local. */
locum_status leads_begin(const findings *f, leads *l);
/** n numbers of a list; NULL if it is not there, or if 2 * LEADS_SERIES are kept. They live until leads_free. Local. */
locum_status leads_keep(leads *l, locum_json_node list, int64_t n, double **values);
/** The same of a list at a path from a node. Local. */
locum_status leads_take(leads *l, locum_json_node node, const char *path, int64_t n, double **values);
void leads_free(leads *l);

/** Colour of surrogate k. */
const char *leads_colour(int64_t k);
/** Legend entries of all surrogates, as lines. */
void leads_legend(const findings *f, page *p);

#endif
