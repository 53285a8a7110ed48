/* SPDX-License-Identifier: BSD-3-Clause */
/* study_models.c - the surrogates of a study, where their files lie, and the course of a stage about them. */
#include <stdio.h>

#include "cli/stages/parts.h"

locum_status study_models_read(const session *s, study_models *models)
{
    *models = (study_models){0};
    LOCUM_TRY(locum_surrogates_read(s->study, models->surrogate, &models->n));
    for (int i = 0; i < models->n; i++) {
        const char *name = models->surrogate[i].name;
        char file[LOCUM_SURROGATE_NAME + 32] = "model.safetensors", folder[LOCUM_SURROGATE_NAME + 32] = "training";
        if (models->n > 1) {
            snprintf(file, sizeof file, "models/%s.safetensors", name);
            snprintf(folder, sizeof folder, "training/%s", name);
        }
        LOCUM_TRY(session_file(s, file, models->path[i]));
        LOCUM_TRY(session_file(s, folder, models->folder[i]));
    }
    return LOCUM_OK;
}

static locum_status read_blocks(session *s, const models_stage *stage, study_models *models)
{
    LOCUM_TRY(study_models_read(s, models));
    return stage->read ? stage->read(s) : LOCUM_OK;
}

locum_status stage_of_models(session *s, const models_stage *stage, bool force)
{
    study_data data;
    study_models *models = NULL;
    locum_stage_state state = LOCUM_STAGE_NEW;
    locum_text facts = {0};

    LOCUM_TRY(study_data_read(s, &data));
    locum_status st = LOCUM_NEW(&models, 1);
    if (!st) st = read_blocks(s, stage, models);
    st = locum_comm_agree(s->world, st);
    if (!st) st = locum_comm_verdict(s->world, s->rank ? LOCUM_OK : stage->require(s, &data));
    if (!st) st = stage_begin(s, &data, stage->stage, stage->name, stage->outputs, force, &state);
    if (!st && state != LOCUM_STAGE_DONE) st = locum_comm_verdict(s->world, stage_write_study(s));
    if (!st && state != LOCUM_STAGE_DONE) {
        double started = locum_clock();
        st = stage->work(s, &data, models, &facts);
        st = stage_end(s, stage->name, st, locum_clock() - started, &facts);
    }
    free(models);
    study_data_free(&data);
    return st;
}
