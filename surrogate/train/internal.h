/* SPDX-License-Identifier: BSD-3-Clause */
/* internal.h - the parts of training, shared by the files of this folder.
 *
 *     data (normalised rows) -> network (plans over one parameter buffer) -> reduce (tree over shards)
 *                            -> optimiser state -> checkpoint
 *
 * One buffer holds all parameters; gradient, moments and best weights have its layout, so that a step of the
 * optimiser, a message and a checkpoint are each one pass over contiguous memory. Slots begin at multiples of 16
 * floats; the gaps stay zero. */
#ifndef SURROGATE_TRAIN_INTERNAL_H
#define SURROGATE_TRAIN_INTERNAL_H

#include "core/hash.h"
#include "surrogate/calibrate/calibrate.h"
#include "surrogate/plan/plan.h"
#include "surrogate/runtime/file.h"
#include "surrogate/train/train.h"

/* --- data.c: normalised rows of the splits that training may see -------------------------------------------------- */
typedef struct train_data {
    const locum_task *task;
    int64_t n[LOCUM_SPLITS];     /**< of train, validation, calibration; others 0 */
    double *x[LOCUM_SPLITS];     /**< [n, n_x] normalised */
    double *z[LOCUM_SPLITS];     /**< [n, n_z] normalised */
    double *truth[LOCUM_SPLITS]; /**< [n, n_z] physical */
    locum_table batches;         /**< two columns, x and z of the training split: what the loader shuffles */
    locum_column columns[2];
    double **values; /**< [2] of the training split */
} train_data;

locum_status locum_train_data_create(const locum_task *task, const locum_table *table, train_data *data);
void locum_train_data_free(train_data *data);
/** A view of the table whose training split is its first n samples in an order that depends on the seed alone. Lends
 *  everything else. */
locum_status locum_train_subset(const locum_table *table, uint64_t seed, int64_t n, locum_table **subset);
void locum_train_subset_destroy(locum_table *subset);

/* --- network.c ---------------------------------------------------------------------------------------------------- */
typedef struct train_slot {
    char name[128];
    int n_dims;
    int64_t dims[LOCUM_DIMS_MAX], first, count; /**< in floats of the parameter buffer */
} train_slot;

typedef struct train_network {
    const locum_task *task;
    const locum_kernels *kernels;
    const locum_adapter *adapter; /**< of the gradient's large products, or NULL */
    int n_slots;
    train_slot *slots;
    int64_t n; /**< floats of the parameter buffer, gaps included */
    int64_t n_features;
    uint64_t hash; /**< of the training graph and its gradient */
    locum_plan *gradient, *forward;
    int64_t shard_rows, forward_rows;  /**< capacities */
    int *gradient_slot, *forward_slot; /**< parameter of the plan -> slot */
    bool x_first;                      /**< of the gradient plan's inputs */
    const float **parameters;          /**< [n_slots] scratch of a run */
    float **outputs;                   /**< [n_slots + 1] scratch of a run */
    float *scratch;                    /**< rows of the forward plan */
    void *arena, *packed;              /**< of runs; of the gradient's weights */
} train_network;

locum_status locum_train_network_create(const locum_model_type *type, const void *config, const locum_task *task,
                                        const locum_kernels *kernels, const locum_adapter *adapter, int64_t shard_rows,
                                        train_network **network);
void locum_train_network_destroy(train_network *network);
/** LeCun: weights N(0, 1 / fan_in), biases uniform in +-1 / sqrt(fan_in); a function of (seed, name, element). */
void locum_train_network_initialise(const train_network *network, uint64_t seed, float *parameters);
/** Lays the weights out for the products of the gradient: once a step, for all its shards. */
void locum_train_network_pack(const train_network *network, const float *parameters);
/** Sum over rows of the loss, and its gradient [n], with the parameters that were packed. rows <= shard_rows. */
void locum_train_network_gradient(const train_network *network, const float *parameters, int64_t rows, const float *x,
                                  const float *z, float *gradient, double *loss);
/** Ensemble mean and deviation [rows, n_z], features [rows, n_features]; any number of rows. */
void locum_train_network_forward(const train_network *network, const float *parameters, int64_t rows, const double *x,
                                 double *mean, double *deviation, double *features);

/* --- reduce.c: the sum over shards -------------------------------------------------------------------------------- */
/* what travels behind the gradient */
typedef struct train_tail {
    double loss;
    int64_t status, stop;
} train_tail;

typedef struct train_reduction {
    MPI_Comm comm;
    int rank, size, shards, first, end; /**< this rank's shards */
    int64_t n;
    float *shard;     /**< [end - first, n] gradients of this rank's shards */
    train_tail *tail; /**< [end - first] */
    float *received;  /**< [n], NULL on one rank */
    const locum_kernels *kernels;
} train_reduction;

locum_status locum_train_reduction_create(MPI_Comm comm, int shards, int64_t n, const locum_kernels *kernels,
                                          train_reduction *reduction);
void locum_train_reduction_free(train_reduction *reduction);
/** Sums shards over a binary tree on their numbers and gives the sum to all ranks, in shard (first) and tail.
 *  Collective. */
const float *locum_train_reduce(train_reduction *reduction, train_tail *total);

/* --- state and recipe --------------------------------------------------------------------------------------------- */
typedef struct train_recipe {
    uint64_t seed;
    int64_t epochs, per_epoch, steps, batch, validate_every, checkpoint_every, patience, warm_up;
    double learning_rate, final_learning_rate, weight_decay, clip;
    int shards, members;
} train_recipe;

typedef struct train_state {
    int64_t step, epoch, batch;    /**< steps done; position of the next batch */
    int64_t since_best, best_step; /**< validations since the best one */
    double best_error;             /**< negative = none yet */
    double loss, rows;             /**< running sums of this epoch */
    int64_t finished;
    int64_t n;
    float *parameters, *moment1, *moment2, *best; /**< [n] */
} train_state;

locum_status locum_train_state_create(int64_t n, train_state *state);
void locum_train_state_free(train_state *state);

/* --- optimise.c --------------------------------------------------------------------------------------------------- */
/** Rate of step 0, 1, ...: linear warm-up, then half a cosine to the final rate. */
double locum_train_rate(const train_recipe *recipe, int64_t step);
/** One AdamW step on a gradient that is a sum over `rows` rows of all members; counts the step. */
void locum_train_optimise(const train_recipe *recipe, const locum_kernels *kernels, const float *gradient, int64_t rows,
                          train_state *state);
/** The metric: relative L2 in physical space, mean over outputs, then over samples of a split. */
locum_status locum_train_error(const train_network *network, const float *parameters, const train_data *data,
                               locum_split split, double *error);

/* --- checkpoint.c ------------------------------------------------------------------------------------------------- */
/* what a checkpoint must agree with */
typedef struct train_identity {
    uint64_t table, task, graph, recipe;
    char kernels[128]; /**< and the library that the gradient's large products are sent to */
} train_identity;

/** folder/checkpoint-<step>.safetensors, committed; all but the two newest are removed. Local (rank 0). */
locum_status locum_train_checkpoint_write(const char *folder, const train_identity *identity, const train_state *state);
/** The newest sound one, if there is any; damaged ones are named in the log. LOCUM_EXISTS if it was made from
 *  something else. Local. */
locum_status locum_train_checkpoint_read(const char *folder, const train_identity *identity, bool allow_other_kernels,
                                         locum_log *log, train_state *state, bool *found);
bool locum_train_checkpoint_exists(const char *folder);

/* --- fit.c: the loop ---------------------------------------------------------------------------------------------- */
typedef struct train_fit {
    const train_recipe *recipe;
    const train_data *data;
    const train_network *network;
    const train_identity *identity;
    const char *folder;  /**< of checkpoints, NULL = none are kept */
    const char *what;    /**< for the progress line */
    const char *metrics; /**< path, or NULL */
    MPI_Comm comm;
    locum_log *log;
    locum_watch *watch;
    bool allow_other_kernels;
} train_fit;

/** Trains until the recipe ends; the best weights are in state->best. Collective. */
locum_status locum_train_fit(const train_fit *fit, train_state *state, locum_train_result *result);

/* --- export.c ----------------------------------------------------------------------------------------------------- */
typedef struct train_export {
    const locum_train_call *call;
    const locum_task *task;
    const train_data *data;
    const train_network *network;
    const train_identity *identity;
    const train_state *state;
    const char *path;
} train_export;

/** The word `train_hash` of the model file: the same for the same table, task, graph and recipe. Local. */
void locum_train_identity_text(const train_identity *identity, char text[LOCUM_HASH_TEXT_SIZE]);
/** Calibrates, writes the model file, opens it again and compares its predictions with the network's. Local (rank 0).
 *  */
locum_status locum_train_export(const train_export *export);

#endif
