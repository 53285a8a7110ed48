/* SPDX-License-Identifier: BSD-3-Clause */
/* validate.h - the surrogate and cheaper solvers against the reference: same states, same metric, same clock
 * (design: honest figures).
 *
 *     test split -> surrogate (error, interval, flag, time)          -> report.json: everything that the report shows
 *               -> mean, linear, quadratic, nearest                      (cli/report draws from that file alone)
 *               -> our solver made cheaper: resolution x window, searched until the surrogate's error is bracketed
 *               -> label noise, coverage, negative control, learning curve, sensitivity, break-even */
#ifndef SURROGATE_VALIDATE_VALIDATE_H
#define SURROGATE_VALIDATE_VALIDATE_H

#include "datasets/campaign/campaign.h"
#include "datasets/loader/loader.h"
#include "locum/model.h"

/* block `validate`; the group `negative_control` has `samples` and ranges for varied parameters read by hand */
typedef struct locum_validate_config {
    double coverage;
    bool has_control;
    int32_t control_samples;
    double control_amplitude; /**< factor on initial fields, of surrogates that begin from them; NAN = none */
    int32_t n_metric;         /**< outputs that count in the metric; none = all */
    char metric[LOCUM_OBSERVE_MAX][LOCUM_TEXT_SIZE];
    int32_t baseline_samples; /**< >= 16 test samples of the search */
    double baseline_seconds;  /**< the search stops widening after this; it says so */
    int32_t snapshots;        /**< pictures of the flow in the report */
} locum_validate_config;
extern const locum_option locum_validate_options[];

/* what earlier stages cost, for break-even */
typedef struct locum_stage_costs {
    double generate_core_seconds, train_core_seconds;
} locum_stage_costs;

/* one of several surrogates of a study; lent */
typedef struct locum_validated_model {
    const char *name; /**< as the study calls it; NULL = "surrogate" */
    const char *path;
    const char *curve_folder; /**< training/ of this model: curve-<n>.safetensors; may be NULL */
    const locum_model *model;
} locum_validated_model;
#define LOCUM_VALIDATED_MAX 8

typedef struct locum_validate_call {
    locum_study *study;
    const locum_setup *setup; /**< NULL without a solver: no baselines, no speed-up claimed */
    const locum_campaign_plan *plan;
    const locum_dataset *dataset;
    /** All surrogates of the study; they must have the same outputs. The headline is about the one with the smallest
     *  "validation_error" in its metadata (the first if none tells it); the test split chooses nothing. */
    int n_models;
    const locum_validated_model *models; /**< [n_models]; NULL: only the one below */
    const locum_model *model;            /**< where models is NULL; else set by validate to that of the headline */
    const char *model_path, *curve_folder;
    const char *report; /**< folder: report.json */
    locum_stage_costs costs;
    const char *provenance; /**< JSON members */
    MPI_Comm world;
    locum_log *log;
    locum_watch *watch;
} locum_validate_call;

locum_status locum_validate_read(locum_study *study, locum_settings **settings);
/** Writes report.json and the line that heads the report to headline [headline_size]. Collective on world. */
locum_status locum_validate(const locum_validate_call *call, char *headline, size_t headline_size);

#endif
