/* SPDX-License-Identifier: BSD-3-Clause */
/* facts.c - what every file of a study says about itself: the resolved study, provenance, names of the varied
 * parameters, and the numbers that are the same for all samples: the solver's other parameters and the lengths of its
 * box. */
#include <stdlib.h>
#include <string.h>

#include "datasets/campaign/campaign_parts.h"

typedef struct collector {
    const locum_setup *setup;
    const locum_campaign_plan *plan; /**< may be NULL */
    locum_study_facts *facts;
} collector;

static void add_constant(locum_study_facts *facts, const char *name, double value)
{
    int n = facts->facts.n_constants;

    if (n == LOCUM_CONSTANTS_MAX) return; /* for readers of others; the study in the file has them all */
    locum_format(facts->constant_text[n], LOCUM_TEXT_SIZE, "%s", name);
    facts->constant_name[n] = facts->constant_text[n];
    facts->constant[n] = value;
    facts->facts.n_constants++;
}

/* a parameter of the solver that is not varied */
static void collect_parameter(void *self, const char *path, const char *value, double number, const char *unit)
{
    const collector *c = self;
    const locum_option *option = locum_settings_option(c->setup->solver, path);

    (void)value, (void)unit;
    if (!option || !(option->flags & LOCUM_PARAMETER) || !isfinite(number)) return;
    for (int p = 0; c->plan && p < c->plan->n_parameters; p++)
        if (!strcmp(c->plan->name[p], path)) return;
    add_constant(c->facts, path, number);
}

static void collect_constants(const locum_setup *setup, const locum_campaign_plan *plan, locum_study_facts *facts)
{
    static const char *const names[3] = {"box_x", "box_y", "box_z"};
    const locum_option *box = locum_settings_option(setup->solver, "box");
    collector c = {setup, plan, facts};

    for (int d = 0; box && box->type == LOCUM_F64 && d < 3 && (d == 0 || d < box->n_max); d++)
        add_constant(facts, names[d], setup->box[d]);
    locum_settings_each(setup->solver, &c, collect_parameter);
}

locum_status locum_study_facts_collect(const locum_study *study, const locum_setup *setup,
                                       const locum_campaign_plan *plan, uint64_t options_hash, int ranks,
                                       locum_study_facts *facts)
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
                                       .parameter_unit = facts->names + n,
                                       .constant_name = facts->constant_name,
                                       .constant = facts->constant};
    collect_constants(setup, plan, facts);
    return LOCUM_OK;
}

void locum_study_facts_free(locum_study_facts *facts)
{
    locum_text_free(&facts->study);
    locum_text_free(&facts->provenance);
    free(facts->names);
    *facts = (locum_study_facts){0};
}
