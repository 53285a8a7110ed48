/* SPDX-License-Identifier: BSD-3-Clause */
/* study_models.c - the surrogates of a study and where their files lie. */
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
