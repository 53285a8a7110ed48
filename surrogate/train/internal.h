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

/* --- task.c ------------------------------------------------------------------------------------------------------- */
enum { LOCUM_SCALE_AUTO, LOCUM_SCALE_LINEAR, LOCUM_SCALE_LOG }; /* choices of surrogate.input_scale */
/** How an input with that range over the training split is seen. */
locum_transform locum_train_input_transform(const locum_surrogate_config *config, double lower, double upper);

/* --- data.c, data_fields.c: what training sees of the splits that it may see -------------------------------------- */
#define TRAIN_TENSORS_MAX 2048 /* of a model file */
#define TRAIN_TENSORS_OTHER 32 /* of them, beside the weights: normalisers, trust */
#define LOCUM_TRAIN_COLUMNS 3

typedef struct train_data {
    const locum_task *task;
    int64_t n[LOCUM_SPLITS];        /**< rows of train, validation, calibration; others 0 (fields: examples) */
    double *x[LOCUM_SPLITS];        /**< values: [n, n_x] normalised */
    double *z[LOCUM_SPLITS];        /**< values: [n, n_z] normalised */
    double *truth[LOCUM_SPLITS];    /**< values: [n, n_z] physical */
    const locum_examples *examples; /**< fields; lent */
    double *row;                    /**< fields: [n_x] of the loader's thread */
    locum_rows rows;                /**< of the training split: what the loader shuffles; self is this struct */
    int64_t extent[LOCUM_TRAIN_COLUMNS];
} train_data;

/** Columns of a row: the inputs of the training graph that a task has (x, target; of fields values, fields, target), and
 *  their floats. Returns how many. */
int locum_train_columns(const locum_task *task, int rollout, const char *names[LOCUM_TRAIN_COLUMNS],
                        int64_t extents[LOCUM_TRAIN_COLUMNS]);

locum_status locum_train_data_create(const locum_task *task, const locum_table *table, train_data *data);
locum_status locum_train_data_create_fields(const locum_task *task, const locum_examples *examples, train_data *data);
void locum_train_data_free(train_data *data);
/** Physical parameters -> values [n_x] as a network of fields sees them. */
void locum_train_values(const locum_task *task, const double *physical, float *values);
/** Samples of a split: rows of values; fields: whole trajectories. */
int64_t locum_train_data_samples(const train_data *data, locum_split split);
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
    int n_columns;
    const char *column[LOCUM_TRAIN_COLUMNS];
    int64_t extent[LOCUM_TRAIN_COLUMNS];
    int n_slots;
    train_slot *slots;
    int64_t n; /**< floats of the parameter buffer, gaps included */
    int64_t n_features;
    uint64_t hash; /**< of the training graph and its gradient */
    locum_plan *gradient, *forward;
    int64_t shard_rows, forward_rows;                          /**< capacities */
    int *gradient_slot, *forward_slot;                         /**< parameter of the plan -> slot */
    int gradient_input[LOCUM_TRAIN_COLUMNS], forward_input[2]; /**< input of the plan -> column; of the forward plan:
                                                                    0 values, 1 fields */
    const float **parameters;                                  /**< [n_slots] scratch of a run */
    float **outputs;                                           /**< [n_slots + 1] scratch of a run */
    float *scratch;                                            /**< rows of the forward plan */
    void *arena, *packed;                                      /**< of runs; of the gradient's weights */
} train_network;

/* what a network is made of */
typedef struct train_network_request {
    const locum_model_type *type;
    const void *config;
    const locum_task *task;
    const locum_field_loss *loss; /**< of fields, else NULL */
    const locum_kernels *kernels;
    const locum_adapter *adapter; /**< or NULL */
    int64_t shard_rows;
} train_network_request;

locum_status locum_train_network_create(const train_network_request *request, train_network **network);
void locum_train_network_destroy(train_network *network);
/** LeCun: weights N(0, 1 / fan_in), biases uniform in +-1 / sqrt(fan_in); a function of (seed, name, element). */
void locum_train_network_initialise(const train_network *network, uint64_t seed, float *parameters);
/** Lays the weights out for the products of the gradient: once a step, for all its shards. */
void locum_train_network_pack(const train_network *network, const float *parameters);
/* key of the noise of a shard */
typedef struct train_key {
    uint64_t seed, step, first_row;
} train_key;

/** Sum over rows of the loss, and its gradient [n], with the parameters that were packed. columns [n_columns] of the rows,
 *  rows <= shard_rows. */
void locum_train_network_gradient(const train_network *network, const float *parameters, int64_t rows,
                                  const float *const *columns, const train_key *key, float *gradient, double *loss);
/** Values: ensemble mean and deviation [rows, n_z], features [rows, n_features]; any number of rows. */
void locum_train_network_forward(const train_network *network, const float *parameters, int64_t rows, const double *x,
                                 double *mean, double *deviation, double *features);
/** Fields: one frame on from values [rows, n_x] and fields [rows, points, history * channels], normalised; mean and
 *  deviation [rows, points, out_channels] (deviation is not touched for one member), features [rows, n_features];
 *  rows <= forward_rows. */
void locum_train_network_frames(const train_network *network, const float *parameters, int64_t rows,
                                const float *values, const float *fields, float *mean, float *deviation,
                                float *features);

/* --- roll.c: fields rolled out from the first frames of samples --------------------------------------------------- */
typedef struct train_roll_call {
    const train_network *network;
    const float *parameters;
    const train_data *data;
    locum_split split;
    int64_t first, n, stride; /**< samples first, first + stride, .. (n of them) */
    int64_t leads;            /**< of a step; at most what a sample has */
    void *self;
    locum_take_frame take;
} train_roll_call;

/** Steps that roll-outs of a split can be compared with, at most `leads`; 1 for a map. */
int64_t locum_train_roll_leads(const train_data *data, int64_t leads);
/** Rolls out and hands over every frame, sample by sample in groups, leads ascending. Local. */
locum_status locum_train_roll(const train_roll_call *call);

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
    locum_field_loss loss; /**< of fields */
    int64_t leads;         /**< of the roll-outs that validate */
    uint64_t start;        /**< hash of the weights that training starts from, 0 = none */
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
/** The metric: relative L2 in physical space, mean over outputs, then over samples of a split. Fields: of the joined
 *  roll-out, samples shared out over the ranks. Collective. */
locum_status locum_train_error(const train_network *network, const float *parameters, const train_data *data,
                               locum_split split, int64_t leads, MPI_Comm comm, double *error);

/* --- start.c ------------------------------------------------------------------------------------------------------ */
/** Hash of a model file (or that of a run directory), 0 for an empty path. Local (rank 0). */
locum_status locum_train_start_hash(const char *path, uint64_t *hash);
/** Its weights by name; LOCUM_STUDY naming what differs in task or shape. Local (rank 0). */
locum_status locum_train_start_read(const char *path, const train_network *network, float *parameters);

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
    const char *start_from; /**< model file, or "" */
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

/* its parts for values and fields */
locum_status locum_train_calibrate_values(const train_export *export, locum_trust_tables *tables);
locum_status locum_train_calibrate_fields(const train_export *export, locum_trust_tables *tables);
locum_status locum_train_verify_values(const train_export *export);
locum_status locum_train_verify_fields(const train_export *export);

#endif
