/* SPDX-License-Identifier: BSD-3-Clause */
/* leads.c - see leads.h. */
#include "cli/report/leads.h"

#include <stdlib.h>

locum_status leads_keep(leads *l, locum_json_node list, int64_t n, double **values)
{
    *values = NULL;
    if (list < 0 || locum_json_n(l->f->json, list) < 1 || l->n_kept == 2 * LEADS_SERIES) return LOCUM_OK;
    LOCUM_TRY(findings_values(l->f, list, n, values));
    l->kept[l->n_kept++] = *values;
    return LOCUM_OK;
}

locum_status leads_take(leads *l, locum_json_node node, const char *path, int64_t n, double **values)
{
    return leads_keep(l, findings_at(l->f, node, path), n, values);
}

locum_status leads_begin(const findings *f, leads *l)
{
    *l = (leads){.f = f, .n = findings_n(f, 0, "fields.times")};
    return leads_take(l, 0, "fields.times", l->n, &l->x);
}

void leads_free(leads *l)
{
    for (int i = 0; i < l->n_kept; i++) free(l->kept[i]);
    *l = (leads){0};
}

const char *leads_colour(int64_t k)
{
    static const char *const colours[] = {FIGURE_BLUE, FIGURE_PURPLE, FIGURE_GREEN, "#B5892B"};
    return colours[k % 4];
}

void leads_legend(const findings *f, page *p)
{
    locum_json_node list = findings_at(f, 0, "surrogates");
    int64_t k = 0;
    for (locum_json_node m = locum_json_first(f->json, list); m >= 0; m = locum_json_next(f->json, m))
        page_legend(p, FIGURE_LINE, leads_colour(k++), findings_text(f, m, "name"));
}
