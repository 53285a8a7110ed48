/* SPDX-License-Identifier: BSD-3-Clause */
/* trust.c - evaluates the tables that calibration made (V. Vovk et al., Algorithmic Learning in a Random World, 2005;
 * J. Lei et al., JASA 113, 1094, 2018): quantiles of scores for intervals, conformal p-values for flags. */
#include <math.h>

#include "surrogate/runtime/model.h"

double locum_trust_quantile(const locum_trust_table *scores, double coverage)
{
    /* a coverage such as 0.9 is not exact in binary: without the margin (n + 1) * 0.9 may round up past a whole
     * number */
    double rank = ceil((double)(scores->n + 1) * coverage - 1e-9);
    if (rank < 1) rank = 1;
    return rank > (double)scores->n ? INFINITY : scores->sorted[(int64_t)rank - 1];
}

double locum_trust_quantile_at(const locum_model *model, double coverage, int64_t lead)
{
    if (lead < 1) lead = 1;
    if (lead > model->leads) return INFINITY;
    return locum_trust_quantile(&model->scores, coverage) * (model->growth ? model->growth[lead - 1] : 1);
}

/* first index whose value is >= value */
static int64_t lower_bound(const locum_trust_table *table, double value)
{
    int64_t low = 0, high = table->n;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (table->sorted[middle] < value)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

double locum_trust_p_value(const locum_trust_table *table, double value)
{
    if (!table->n) return 1;
    if (isnan(value)) return 0;
    return (double)(table->n - lower_bound(table, value) + 1) / (double)(table->n + 1);
}
