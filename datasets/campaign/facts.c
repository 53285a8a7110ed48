/* SPDX-License-Identifier: BSD-3-Clause */
/* facts.c - what every file of a study says about itself: the resolved study, provenance, names of the varied
 * parameters. */
#include <stdlib.h>

#include "datasets/campaign/campaign_parts.h"

locum_status locum_study_facts_collect(const locum_study *study, const locum_campaign_plan *plan, uint64_t options_hash,
                                       int ranks, locum_study_facts *facts)
{
    int n = plan ? plan->n_parameters : 0;

    *facts = (locum_study_facts){0};
    LOCUM_TRY(LOCUM_NEW(&facts->names, 2 * n));
    for (int p = 0; p < n; p++) {
        facts->names[p] = plan->name[p];
        facts->names[n + p] = plan->unit[p];
    }
    locum_study_write(study, &facts->study);
    locum_provenance(ranks, &facts->provenance);
    LOCUM_TRY(facts->study.status);
    LOCUM_TRY(facts->provenance.status);
    facts->facts = (locum_store_facts){.dataset_name = locum_study_name(study),
                                       .study = facts->study.data ? facts->study.data : "",
                                       .provenance = facts->provenance.data ? facts->provenance.data : "",
                                       .options_hash = options_hash,
                                       .n_parameters = n,
                                       .parameter_name = facts->names,
                                       .parameter_unit = facts->names + n};
    return LOCUM_OK;
}

void locum_study_facts_free(locum_study_facts *facts)
{
    locum_text_free(&facts->study);
    locum_text_free(&facts->provenance);
    free(facts->names);
    *facts = (locum_study_facts){0};
}
