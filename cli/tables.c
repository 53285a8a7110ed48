/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/tables.h"

#include <string.h>

#include "cli/solvers.h"
#include "core/text.h"
#include "datasets/campaign/campaign.h"
#include "datasets/formats/source.h"
#include "surrogate/models/model_type.h"
#include "surrogate/train/train.h"
#include "surrogate/validate/validate.h"

static const table_entry blocks[] = {
    {"dataset", "block", "data that you already have, in place of solver and campaign", locum_source_options, NULL},
    {"record", "block", "what a run writes: times, arrays, means, precision", locum_record_options, NULL},
    {"campaign", "block", "which samples: splits, varied parameters, windows", locum_campaign_options, NULL},
    {"surrogate", "block", "task, model and outputs; the model's own options stand beside them",
     locum_surrogate_options, NULL},
    {"train", "block", "optimiser, schedule, ensemble", locum_train_options, NULL},
    {"validate", "block", "coverage, metric, baselines, negative control", locum_validate_options, NULL},
    {"limits", "block", "when to stop early", locum_limits_options, NULL}};
enum { N_BLOCKS = sizeof blocks / sizeof *blocks };

table_entry tables_of_solver(const locum_solver_type *type)
{
    return (table_entry){type->name, "solver", type->summary, type->options, type->initial};
}

/* solvers first, then models, blocks; an entry is made on the fly in the caller's storage */
static bool make(int i, table_entry *e)
{
#define MODEL_ENTRY(model) &locum_model_##model,
    static const locum_model_type *const models[] = {LOCUM_MODELS(MODEL_ENTRY)};
#undef MODEL_ENTRY
    const locum_solver_type *const *solvers = solvers_built();
    int n_solvers = 0, n_models = sizeof models / sizeof *models;
    while (solvers[n_solvers]) n_solvers++;
    if (i < n_solvers)
        *e = tables_of_solver(solvers[i]);
    else if ((i -= n_solvers) < n_models)
        *e = (table_entry){models[i]->name, "model", models[i]->summary, models[i]->options, NULL};
    else if ((i -= n_models) < N_BLOCKS)
        *e = blocks[i];
    else
        return false;
    return true;
}

bool tables_at(int i, table_entry *entry)
{
    return i >= 0 && make(i, entry);
}

locum_status tables_find(const char *name, table_entry *entry)
{
    locum_text names = {0};
    for (int i = 0; tables_at(i, entry); i++) {
        if (!strcmp(entry->name, name)) {
            locum_text_free(&names);
            return LOCUM_OK;
        }
        locum_text_add(&names, "%s%s", i ? ", " : "", entry->name);
    }
    bool part = !strcmp(name, "solver") || !strcmp(name, "initial");
    locum_status st = LOCUM_FAIL(LOCUM_STUDY,
                                 part ? "the options of `%s` belong to a solver: describe that; there are %s"
                                      : "nothing is called `%s`; there are %s",
                                 name, names.data ? names.data : "no tables");
    locum_text_free(&names);
    return st;
}
