/* SPDX-License-Identifier: BSD-3-Clause */
/* model_type.h - a kind of network: an option table and a function that builds its graph between normalised ports.
 *
 *     physical inputs -> ports.c: transform, normalise -> x [batch, n_x] -> build() -> z [batch, members * n_z]
 *                                   -> ports.c: mean over members, back to physical outputs, intervals
 *
 * A new network is one file here with a descriptor, and one line in model_list.h. */
#ifndef SURROGATE_MODELS_MODEL_TYPE_H
#define SURROGATE_MODELS_MODEL_TYPE_H

#include "core/text.h"
#include "locum/dev/option.h"
#include "surrogate/graph/graph.h"

/* how a value is seen by the network; all are monotone, so that intervals map through them */
typedef enum locum_transform {
    LOCUM_LINEAR,   /* x */
    LOCUM_LOG,      /* log x: positive quantities */
    LOCUM_LOG_SHARE /* log(x + floor * total), total = another output: spectra, whose tails may vanish */
} locum_transform;

/* Intervals of a share are made for log(y + LOCUM_SHARE_RESOLUTION * total), or with its floor where that is larger:
 * below this part of the total a factor of ten is a small error, and must not widen all other intervals. */
#define LOCUM_SHARE_RESOLUTION 1e-3

/* One input or output, and its place among the network's values. */
typedef struct locum_channel {
    char name[64], unit[32], text[128];
    int n_dims;
    int64_t dims[3], extent;
    char axis_name[3][16];
    const double *axis[3]; /**< lent */
    locum_transform transform;
    double floor;         /**< of LOG_SHARE */
    int total;            /**< of LOG_SHARE: index of the output that is the total (LOCUM_LOG) */
    double lower, upper;  /**< range over the training split, physical */
    double *mean, *scale; /**< [extent] of the transformed values over the training split; owned */
} locum_channel;

typedef struct locum_task {
    int n_inputs, n_outputs;
    locum_channel *inputs, *outputs; /**< owned */
    int64_t n_x, n_z;                /**< sums of extents */
    int members;                     /**< ensemble */
} locum_task;

void locum_task_destroy(locum_task *task); /* NULL-safe */
/** Place of the first value of an output among the n_z values of a row. Local. */
int64_t locum_task_first_value(const locum_task *task, int output);

typedef struct locum_model_type {
    const char *name, *summary;
    const locum_option *options; /**< keys of the block `surrogate` beside the common ones */
    size_t config_size;
    /** x [batch, n_x] normalised -> *z [batch, members * n_z], member by member, normalised; *features [batch, n]:
     *  the last hidden values
     *  of the first member. Parameters are named; "weight" and "bias" as the last word decide how they are
     *  initialised. */
    locum_status (*build)(const void *config, const locum_task *task, locum_graph *graph, locum_id x, locum_id *z,
                          locum_id *features);
} locum_model_type;

extern const locum_model_type locum_model_mlp;
#define LOCUM_MODELS(X) X(mlp) /* the whole list */

/** Descriptor by name, NULL if there is none. */
const locum_model_type *locum_model_type_find(const char *name);

/* --- ports.c: graphs around a network ----------------------------------------------------------------------------- */

/** Graph of training over the symbol "batch": inputs "x" [batch, n_x] and "target" [batch, n_z] (both normalised);
 *  output "loss", one value: sum over rows and members of the mean squared residual over outputs (each output weighs
 *  the same, whatever its extent); and "z" [batch, members * n_z]. Its parameters are those of the other graphs. */
locum_status locum_model_training_graph(const locum_model_type *type, const void *config, const locum_task *task,
                                        locum_graph **graph);

/** Graph `predict` of the model file: physical inputs to physical outputs (see surrogate/runtime/model.h). */
locum_status locum_model_predict_graph(const locum_model_type *type, const void *config, const locum_task *task,
                                       locum_graph **graph);

/* what calibration adds */
typedef struct locum_uncertainty {
    const double *sigma; /**< [n_z] residual scale of the ensemble mean, in units of the normaliser's scale */
    int64_t n_features;
    const double *feature_mean; /**< [n_features] */
    const double *feature_map;  /**< [n_features, n_features]: distance^2 = |(f - mean) map|^2 / n_features */
} locum_uncertainty;

/** Graph `interval` of the model file: value, lower, upper of each output, distance, spread. The interval of a
 *  normalised value is z +- width, width = quantile * sqrt(sigma^2 + s^2), s = standard deviation over members. That of
 *  a share y, with t = y + floor total, e = y + resolution total: log e +- scale width, with (t / e) s for s. "spread"
 *  [batch, 1] is the root mean square of s / sigma. */
locum_status locum_model_interval_graph(const locum_model_type *type, const void *config, const locum_task *task,
                                        const locum_uncertainty *uncertainty, locum_graph **graph);

/** Graph of what calibration needs: input "x" -> "mean" [batch, n_z], "deviation" [batch, n_z] (over members),
 *  "features". */
locum_status locum_model_calibration_graph(const locum_model_type *type, const void *config, const locum_task *task,
                                           locum_graph **graph);

/** The part of the total that intervals of a share resolve: LOCUM_SHARE_RESOLUTION, or its floor if that is larger. */
double locum_channel_resolution(const locum_channel *channel);

/** Physical -> normalised for all outputs of a row: what targets are made with (double). y [n_z], z [n_z]. */
void locum_task_normalise_outputs(const locum_task *task, const double *y, double *z);
/** Physical -> normalised for all inputs of a row. */
void locum_task_normalise_inputs(const locum_task *task, const double *values, double *x);
/** And back. */
void locum_task_physical_outputs(const locum_task *task, const double *z, double *y);

/** JSON list of ports for the model file: [{name, text, unit, dims, axis_name, axis, lower, upper}]. */
void locum_task_write_ports(int n, const locum_channel *channels, locum_text *out);

#endif
