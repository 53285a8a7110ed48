/* SPDX-License-Identifier: BSD-3-Clause */
/* stage_validate.c - all surrogates of the study against the reference, to one report. */
#include <math.h>
#include <stdlib.h>

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

static locum_status validate(session *s, const study_data *data, const study_models *models)
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

static locum_status read_blocks(session *s, study_models *models)
{
    locum_settings *settings;
    LOCUM_TRY(study_models_read(s, models));
    return locum_validate_read(s->study, &settings);
}

locum_status stage_validate(session *s, bool force)
{
    static const char *const outputs[] = {"report", NULL};
    study_data data;
    study_models *models = NULL;
    locum_stage_state state = LOCUM_STAGE_NEW;
    locum_text facts = {0};

    LOCUM_TRY(study_data_read(s, &data));
    locum_status st = LOCUM_NEW(&models, 1);
    if (!st) st = read_blocks(s, models);
    st = locum_comm_agree(s->world, st);
    if (!st) st = locum_comm_verdict(s->world, s->rank ? LOCUM_OK : require_models(s, &data));
    if (!st) st = stage_begin(s, &data, STAGE_VALIDATE, "validate", outputs, force, &state);
    if (!st && state != LOCUM_STAGE_DONE) st = locum_comm_verdict(s->world, stage_write_study(s));
    if (!st && state != LOCUM_STAGE_DONE) {
        double started = locum_clock();
        st = validate(s, &data, models);
        st = stage_end(s, "validate", st, locum_clock() - started, &facts);
    }
    free(models);
    study_data_free(&data);
    return st;
}
