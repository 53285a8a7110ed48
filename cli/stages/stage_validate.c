/* SPDX-License-Identifier: BSD-3-Clause */
/* stage_validate.c - all surrogates of the study against the reference, to one report. */
#include <math.h>

#include "cli/report/report.h"
#include "cli/stages/parts.h"
#include "locum/model.h"
#include "surrogate/validate/validate.h"

static void read_costs(const session *s, locum_stage_costs *costs)
{
    *costs = (locum_stage_costs){NAN, NAN};
    if (s->rank) return;
    locum_stage_fact(s->run, "generate", "core_seconds", &costs->generate_core_seconds);
    locum_stage_fact(s->run, "train", "core_seconds", &costs->train_core_seconds);
}

/* rank 0: dataset and models are there, from the options of this study */
static locum_status require_models(const session *s, const study_data *data)
{
    LOCUM_TRY(study_data_require(s, data));
    return stage_require(s, data, STAGE_TRAIN, "train");
}

static locum_status open_models(const study_models *models, locum_model **model, locum_validated_model *lent)
{
    for (int i = 0; i < models->n; i++) {
        LOCUM_TRY(locum_model_read(models->path[i], NULL, &model[i], NULL, 0));
        lent[i] = (locum_validated_model){models->surrogate[i].name, models->path[i], models->folder[i], model[i]};
    }
    return LOCUM_OK;
}

static locum_status validate(session *s, const study_data *data, const study_models *models, locum_text *facts)
{
    char report[LOCUM_PATH_SIZE], headline[512] = "";
    locum_dataset *dataset = NULL;
    locum_model *model[LOCUM_SURROGATES_MAX] = {NULL};
    locum_validated_model lent[LOCUM_SURROGATES_MAX];
    locum_validate_call call = {.study = s->study,
                                .setup = data->brought ? NULL : &data->setup,
                                .plan = data->plan,
                                .n_models = models->n,
                                .models = lent,
                                .report = report,
                                .provenance = s->provenance.data,
                                .world = s->world,
                                .log = s->log,
                                .watch = &s->watch};

    (void)facts;
    locum_status st = study_data_open(s, data, &dataset);
    if (!st) {
        read_costs(s, &call.costs);
        st = session_file(s, "report", report);
        if (!st) st = open_models(models, model, lent);
        st = locum_comm_agree(s->world, st);
    }
    if (!st) {
        call.dataset = dataset;
        st = locum_validate(&call, headline, sizeof headline);
    }
    if (!st) st = locum_comm_verdict(s->world, s->rank ? LOCUM_OK : report_write(report, s->log));
    if (!st && *headline) locum_log_line(s->log, "%s", headline);
    for (int i = 0; i < models->n; i++) locum_model_close(model[i]);
    locum_dataset_close(dataset);
    return st;
}

static locum_status read_options(const session *s)
{
    locum_settings *settings;
    return locum_validate_read(s->study, &settings);
}

locum_status stage_validate(session *s, bool force)
{
    static const char *const outputs[] = {"report", NULL};
    return stage_of_models(
        s, &(models_stage){STAGE_VALIDATE, "validate", outputs, read_options, require_models, validate}, force);
}
