/* SPDX-License-Identifier: BSD-3-Clause */
/* parts.h - what the stages share: the study's data, its surrogates, and how a stage begins and ends.
 *
 *     generate  <- solver, initial, record, campaign (nothing to do for a study with `dataset`)     dataset/
 *     train     <- those or dataset, surrogate, train          training/  model.safetensors
 *                                         several surrogates:  training/<name>/  models/<name>.safetensors
 *     validate  <- those, validate                             report/ */
#ifndef CLI_STAGES_PARTS_H
#define CLI_STAGES_PARTS_H

#include <stdlib.h>

#include "cli/stages/stages.h"
#include "core/memory.h"
#include "core/text.h"
#include "datasets/campaign/campaign.h"
#include "datasets/formats/source.h"
#include "surrogate/train/train.h"

enum { STAGE_GENERATE, STAGE_TRAIN, STAGE_VALIDATE }; /* each depends on what those before it do */

/* --- study_data.c: where a study's data come from ----------------------------------------------------------- */
typedef struct study_data {
    bool brought;              /* by the user (block `dataset`), not by a solver */
    locum_source source;       /* if brought */
    uint64_t files;            /* if brought: hash of its files; rank 0's on all ranks */
    locum_setup setup;         /* else */
    locum_campaign_plan *plan; /* else; owned */
} study_data;

/** Reads the blocks solver, initial, record, campaign, or dataset. Collective. */
locum_status study_data_read(session *s, study_data *data);
void study_data_free(study_data *data);
/** Rank 0: the dataset is there, from the options of this study. */
locum_status study_data_require(const session *s, const study_data *data);
/** Collective. */
locum_status study_data_open(session *s, const study_data *data, locum_dataset **dataset);

/* --- study_models.c: the surrogates of a study and their files ---------------------------------------------- */
typedef struct study_models {
    int n;
    locum_surrogate surrogate[LOCUM_SURROGATES_MAX];
    char path[LOCUM_SURROGATES_MAX][LOCUM_PATH_SIZE];   /* of the model file */
    char folder[LOCUM_SURROGATES_MAX][LOCUM_PATH_SIZE]; /* of its training */
} study_models;

/** Local. */
locum_status study_models_read(const session *s, study_models *models);

/* a stage about the surrogates of a study */
typedef struct models_stage {
    int stage;
    const char *name; /**< of the stage and its verb */
    const char *const *outputs;
    locum_status (*read)(const session *s); /**< blocks beside those of data and surrogates; NULL = none. Local. */
    locum_status (*require)(const session *s, const study_data *data); /**< what must be there. Rank 0. */
    /** Collective; what it wants kept beside the stage goes to facts (JSON members). */
    locum_status (*work)(session *s, const study_data *data, const study_models *models, locum_text *facts);
} models_stage;

/** Reads, begins, works, ends. Collective. */
locum_status stage_of_models(session *s, const models_stage *stage, bool force);

/* --- stage.c: beginning and ending -------------------------------------------------------------------------- */
/** What a stage depends on. Local. */
uint64_t stage_hash(const session *s, const study_data *data, int stage);
/** Collective. name: of the stage in the run directory. */
locum_status stage_begin(session *s, const study_data *data, int stage, const char *name, const char *const *outputs,
                         bool force, locum_stage_state *state);
/** Rank 0: the stage is done, from the options and the data of this study. The stage has the name of its verb. Local. */
locum_status stage_require(const session *s, const study_data *data, int stage, const char *name);
/** The work is done or not: tells the run directory, and people why it stopped. facts is released. Collective. */
locum_status stage_end(session *s, const char *name, locum_status st, double seconds, locum_text *facts);
/** Writes study.resolved.yaml (rank 0). Called when all blocks have been read. Local. */
locum_status stage_write_study(session *s);

#endif
