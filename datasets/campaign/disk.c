/* SPDX-License-Identifier: BSD-3-Clause */
/* disk.c - bytes that a campaign will store, from the arrays that it records; headers and compression are left out. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "datasets/campaign/campaign_parts.h"

/* points of a grid as they are stored: record.resolution coarsens them */
static double stored_points(const locum_record_config *record, const locum_domain *domain)
{
    double points = 1;
    for (int d = 0; d < domain->n_dims; d++) {
        bool coarse = record->n_resolution > 0 && domain->support == LOCUM_GRID;
        points *= coarse ? record->resolution[d < record->n_resolution ? d : 0] : (double)domain->n_global[d];
    }
    return points;
}

static double frame_bytes(const locum_record_config *record, const locum_schema *schema, const bool *wanted)
{
    double bytes = 0;
    for (int i = 0; i < schema->n_arrays; i++) {
        const locum_array *array = &schema->arrays[i];
        const locum_domain *domain = &schema->domains[array->domain];
        double size = domain->support == LOCUM_GRID && !record->precision ? 4 : 8;
        if (wanted[i]) bytes += size * stored_points(record, domain) * (double)locum_array_components(array);
    }
    return bytes;
}

static locum_status count_frames(const locum_record_config *record, const locum_schema *schema,
                                 const locum_campaign_plan *plan, double *frames)
{
    *frames = 0;
    for (int64_t i = 0; i < plan->n; i++) {
        int n = 0;
        double *times = NULL;
        LOCUM_TRY(locum_record_times(record, schema->timeless, plan->samples[i].until, &n, &times));
        free(times);
        *frames += n;
    }
    return LOCUM_OK;
}

locum_status locum_campaign_disk(const locum_setup *setup, const locum_campaign_plan *plan, double *bytes)
{
    locum_solver *solver = NULL;
    bool *wanted = NULL;
    double frames = 0;

    *bytes = NAN;
    locum_status st = setup->type->create(locum_settings_config(setup->solver), NULL, MPI_COMM_SELF, &solver);
    const locum_schema *schema = st ? NULL : setup->type->schema(solver);
    if (!st) st = LOCUM_NEW(&wanted, schema->n_arrays + 1);
    if (!st) st = locum_record_wanted(setup->record_config, schema, wanted);
    if (!st) st = count_frames(setup->record_config, schema, plan, &frames);
    if (!st) *bytes = frames * frame_bytes(setup->record_config, schema, wanted);
    free(wanted);
    setup->type->destroy(solver);
    return st;
}
