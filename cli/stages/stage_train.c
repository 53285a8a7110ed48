/* SPDX-License-Identifier: BSD-3-Clause */
/* stage_train.c - each surrogate of the study in turn; one that was finished before a stop is not trained again. */
#include <inttypes.h>

#include "cli/stages/parts.h"
#include "core/study/commit.h"

static locum_status train_one(session *s, const locum_dataset *dataset, const study_models *models, int i,
                              locum_train_result *result)
{
    const locum_surrogate *surrogate = &models->surrogate[i];
    locum_training_data data = {0};
    locum_status st = locum_training_data_open(dataset, surrogate, 0, locum_study_seed(s->study), &data);
    if (!st && models->n > 1 && s->rank == 0) {
        char folder[LOCUM_PATH_SIZE];
        st = session_file(s, "models", folder);
        if (!st) st = locum_make_directories(folder);
    }
    st = locum_comm_agree(s->world, st);
    if (!st) {
        locum_train_call call = {.study = s->study,
                                 .surrogate = surrogate,
                                 .data = &data,
                                 .folder = models->folder[i],
                                 .model = models->path[i],
                                 .provenance = s->provenance.data,
                                 .comm = s->world,
                                 .log = s->log,
                                 .watch = &s->watch,
                                 .allow_other_kernels = s->arguments->allow_other_kernels};
        if (models->n > 1) locum_log_line(s->log, "train: %s", surrogate->name);
        st = locum_train(&call, result);
    }
    locum_training_data_close(&data);
    return st;
}

static locum_status train(session *s, const study_data *data, const study_models *models, locum_text *facts)
{
    locum_dataset *dataset = NULL;
    locum_status st = study_data_open(s, data, &dataset);
    for (int i = 0; i < models->n && !st; i++) {
        locum_train_result result = {0};
        st = train_one(s, dataset, models, i, &result);
        const char *prefix = models->n > 1 ? models->surrogate[i].name : "";
        locum_text_add(facts, "%s\"%s%sepochs\":%" PRId64 ",\"%s%svalidation_error\":%.6g,\"%s%swaiting\":%.4f",
                       i ? "," : "", prefix, *prefix ? "." : "", result.epochs, prefix, *prefix ? "." : "",
                       result.validation_error, prefix, *prefix ? "." : "", result.waiting);
    }
    locum_dataset_close(dataset);
    return st;
}

locum_status stage_train(session *s, bool force)
{
    static const char *const outputs[] = {"training", "model.safetensors", "models", NULL};
    return stage_of_models(
        s, &(models_stage){STAGE_TRAIN, "train", outputs, .require = study_data_require, .work = train}, force);
}
