/* SPDX-License-Identifier: BSD-3-Clause */
/* train.h - fits networks to a dataset: blocks `surrogate` and `train` of the study -> model files.
 *
 *     table or examples -> task (transforms, normalisers from the training split alone) -> training graph + gradient -> plan
 *     per step: M micro-shards of the global batch -> gradients summed over a binary tree on shard numbers -> AdamW
 *     -> best weights -> calibrate -> model file;   the same on fractions of the training split: learning curve
 *
 * Mode `fixed`: the global batch is cut into train.shards micro-shards by sample order; every rank runs the same plan
 * at shard capacity; gradients, losses and norms are summed in the same tree on any number of ranks <= shards: the
 * same bits on 1, 2 and 4 ranks. Schedule, order and noise are functions of (seed, step); wall time decides nothing;
 * resume is bit for bit. */
#ifndef SURROGATE_TRAIN_TRAIN_H
#define SURROGATE_TRAIN_TRAIN_H

#include <mpi.h>

#include "core/study/log.h"
#include "core/study/study.h"
#include "core/study/watch.h"
#include "datasets/loader/examples.h"
#include "datasets/loader/loader.h"
#include "surrogate/models/model_type.h"

#define LOCUM_OUTPUTS_MAX 16
#define LOCUM_SURROGATES_MAX 6
#define LOCUM_SURROGATE_NAME 48

/* common keys of the block `surrogate`; the model's own keys stand beside them */
typedef struct locum_surrogate_config {
    int32_t task;                /**< choice, a locum_task_kind */
    char model[LOCUM_TEXT_SIZE]; /**< "mlp" */
    int32_t n_outputs;           /**< none: every observable of the dataset that record.observe names */
    char outputs[LOCUM_OUTPUTS_MAX][LOCUM_TEXT_SIZE];
    int32_t n_positive; /**< outputs learnt as logarithms */
    char positive[LOCUM_OUTPUTS_MAX][LOCUM_TEXT_SIZE];
    int32_t n_shares; /**< outputs learnt as log(x + floor * total): spectra */
    char shares[LOCUM_OUTPUTS_MAX][LOCUM_TEXT_SIZE];
    char total[LOCUM_TEXT_SIZE]; /**< the output that is their total; must be positive */
    double floor;                /**< 1e-7 */
    int32_t
        input_scale; /**< choice: auto (log where all values are positive and span more than a factor 4), linear, log */
    int32_t n_inputs; /**< fields of the first frame that a map sees */
    char inputs[LOCUM_OUTPUTS_MAX][LOCUM_TEXT_SIZE];
    int32_t history;
    bool increment, fixed_mean, divergence_free;
    bool all_observed; /**< outputs are not named: networks on grids take those that are fields */
} locum_surrogate_config;
extern const locum_option locum_surrogate_options[];

/* block `train` */
typedef struct locum_train_config {
    int32_t epochs, batch, shards, ensemble, patience, validate_every, warm_up, checkpoint_every;
    double learning_rate, final_learning_rate, weight_decay, clip;
    int32_t n_curve;
    double curve[LOCUM_LIST_MAX]; /**< learning curve: fractions of the training split; the whole is always there */
    int32_t rollout, loss, leads, memory; /**< loss: choice, 0 relative, 1 square; memory: MiB */
    double noise;
    char start_from[LOCUM_PATH_SIZE];
} locum_train_config;
extern const locum_option locum_train_options[];

typedef struct locum_surrogate {
    char name[LOCUM_SURROGATE_NAME]; /**< of the study's several, else the model's */
    const locum_model_type *type;
    const locum_surrogate_config *config;
    const void *model_config;
    const locum_train_config *train;
    locum_settings *settings, *model_settings, *train_settings; /**< owned by the study */
} locum_surrogate;

/** Reads and checks the blocks `surrogate` and `train`: one surrogate, or several by name. Local. */
locum_status locum_surrogates_read(locum_study *study, locum_surrogate surrogates[LOCUM_SURROGATES_MAX], int *n);
/** The same for studies with one; LOCUM_STUDY if there are several. Local. */
locum_status locum_surrogate_read(locum_study *study, locum_surrogate *surrogate);

/** Transforms and normalisers from the training split of a table. LOCUM_STUDY naming the output if it is not there,
 *  not positive, ... Local. */
locum_status locum_surrogate_task(const locum_surrogate *surrogate, const locum_table *table, locum_task **task);
/** The same for fields. Channels lend coordinates from the dataset. Local. */
locum_status locum_surrogate_field_task(const locum_surrogate *surrogate, const locum_examples *examples,
                                        locum_task **task);

/* what a surrogate learns from: a table (values) or examples (fields) */
typedef struct locum_training_data {
    const locum_dataset *dataset; /**< lent; must outlive it */
    locum_table *table;
    locum_examples *examples;
} locum_training_data;

/** Networks on grids take examples, others the table. train_samples > 0: only so many of the training split, in an order
 *  of the seed. Local. */
locum_status locum_training_data_open(const locum_dataset *dataset, const locum_surrogate *surrogate,
                                      int64_t train_samples, uint64_t seed, locum_training_data *data);
void locum_training_data_close(locum_training_data *data);

typedef struct locum_train_call {
    const locum_study *study;
    const locum_surrogate *surrogate;
    const locum_training_data *data;
    const char *folder; /**< training/: checkpoints, metrics.jsonl, learning-curve models curve-<samples>.safetensors */
    const char *model;  /**< path of the model file */
    const char *provenance; /**< JSON members */
    MPI_Comm comm;
    locum_log *log;
    locum_watch *watch;
    bool allow_other_kernels;
} locum_train_call;

typedef struct locum_train_result {
    double validation_error; /**< relative L2 (fields: of the roll-out), mean over outputs, then over samples of the
                                  validation split */
    int64_t epochs, steps;   /**< done */
    double seconds, waiting; /**< of training; waiting for data */
} locum_train_result;

/** Trains, calibrates, fits the learning curve's models, writes the model file. Continues from the newest sound
 *  checkpoint in `folder`. LOCUM_STOPPED with a checkpoint written; LOCUM_NUMERIC if the loss is not finite (last good
 *  weights are kept). Collective. */
locum_status locum_train(const locum_train_call *call, locum_train_result *result);

/** relative L2 error of one output of one sample: |p - t| / |t| (scalars |p - t| / |t| too). Local. */
double locum_relative_error(int64_t n, const double *prediction, const double *truth);

#endif
