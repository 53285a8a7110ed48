/* SPDX-License-Identifier: BSD-3-Clause */
/* model_type.h - a kind of network: an option table and a function that builds its graph between normalised ports.
 *
 *     physical inputs -> ports: transform, normalise -> values [batch, n_x], fields [batch, grid.., channels]
 *                     -> build() -> z -> ports: mean over members, back to physical outputs, intervals
 *
 * Two kinds of task:   map   parameters (and fields) -> values or fields of the last frame
 *                      step  the last `history` frames (and parameters) -> the next frame; rolled out
 * Outputs of one task are all values (n_axes = 0) or all fields on one grid.
 *
 * A new network is one file here with a descriptor, and one word in LOCUM_MODELS. */
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

#define LOCUM_CHANNEL_DIMS 4 /* history, two axes, components; or three axes and components */

/* One input or output: a port of the model. A row of it has `extent` values, row-major over dims:
 *     value, profile, spectrum   its own dims                       statistics of each value
 *     field                      [history,] grid.. [, components]   statistics of each component; LINEAR
 * Components of one vector share one scale, so that directions and divergences survive normalisation. */
typedef struct locum_channel {
    char name[64], unit[32], text[128];
    bool is_field;
    int components; /**< of a field: 1, or those of a vector or tensor */
    int n_dims;
    int64_t dims[LOCUM_CHANNEL_DIMS], extent;
    char axis_name[LOCUM_CHANNEL_DIMS][16];
    const double *axis[LOCUM_CHANNEL_DIMS]; /**< lent */
    locum_transform transform;
    double floor;         /**< of LOG_SHARE */
    int total;            /**< of LOG_SHARE: index of the output that is the total (LOCUM_LOG) */
    double lower, upper;  /**< range over the training split, physical */
    double *mean, *scale; /**< [extent] (fields: [components]) of the transformed values over the training split;
                               owned */
} locum_channel;

typedef enum locum_task_kind { LOCUM_TASK_MAP, LOCUM_TASK_STEP } locum_task_kind;

typedef struct locum_task {
    locum_task_kind kind;
    int n_inputs, n_outputs;
    locum_channel *inputs, *outputs; /**< owned; inputs: values first, then fields */
    int64_t n_x;                     /**< values: sum of extents of the inputs that are no fields */
    int64_t n_z;                     /**< sum of extents of the outputs */
    int members;                     /**< ensemble */

    /* fields; n_axes = 0: there are none */
    int n_axes;
    int64_t grid[3];      /**< [n_axes] points */
    bool periodic;        /**< along all axes */
    double box[3];        /**< [n_axes] lengths */
    int in_channels;      /**< components of all input fields of one frame */
    int out_channels;     /**< of all output fields */
    int history;          /**< frames that a step sees, oldest first; 1 for map */
    double interval;      /**< step: time between frames */
    bool increment;       /**< step: the network gives the change, in units of `change` */
    double *change;       /**< [out_channels] rms change of a step over that channel's scale; owned, NULL for map */
    bool fixed_mean;      /**< prior: the mean over the grid of each output channel stays (step) or is the
                               training split's (map: zero, normalised) */
    bool divergence_free; /**< prior: the output is one vector field per grid axis without divergence */
} locum_task;

void locum_task_destroy(locum_task *task); /* NULL-safe */
/** Place of the first value of an output among the n_z values of a row. Local. */
int64_t locum_task_first_value(const locum_task *task, int output);
/** Points of the grid; 1 if there is none. Local. */
int64_t locum_task_points(const locum_task *task);
/** Inputs that are no fields. Local. */
int locum_task_n_values(const locum_task *task);
/** The output that is one vector of as many components as axes of a periodic grid, if it is the only one; else -1. Local. */
int locum_task_vector(const locum_task *task, int *first_channel);
/** Values of mean and scale: components of a field, else extent. Local. */
int64_t locum_channel_statistics(const locum_channel *channel);

/* what a network is given, normalised */
typedef struct locum_network_input {
    locum_id values; /**< [batch, n_x], 0 if the task has none */
    locum_id fields; /**< [batch, grid.., history * in_channels], oldest frame first; 0 if the task has none */
} locum_network_input;

typedef struct locum_model_type {
    const char *name, *summary;
    const locum_option *options; /**< keys of the block `surrogate` beside the common ones */
    size_t config_size;
    bool on_grids; /**< makes fields of fields, values or both; else values of values */
    /** Appends the network. Values: *z [batch, members * n_z], member by member. Fields: one member,
     *  *z [batch, grid.., out_channels] (ports push "member<i>" and call once for each). Normalised; of a step with
     *  `increment` the change over `change`. *features [batch, n]: the last hidden values of the first member (fields:
     *  their means over the grid). Parameters are named; "weight" and "bias" as the last word decide how they are
     *  initialised. */
    locum_status (*build)(const void *config, const locum_task *task, locum_graph *graph, const locum_network_input *in,
                          locum_id *z, locum_id *features);
} locum_model_type;

extern const locum_model_type locum_model_mlp, locum_model_unet, locum_model_fno;
#define LOCUM_MODELS(X) X(mlp) X(unet) X(fno) /* the whole list */

/** Descriptor by name, NULL if there is none. */
const locum_model_type *locum_model_type_find(const char *name);

/* --- ports*.c: graphs around a network ----------------------------------------------------------------------------- */

/** Graph of training over the symbol "batch": inputs "x" [batch, n_x] and "target" [batch, n_z] (both normalised);
 *  output "loss", one value: sum over rows and members of the mean squared residual over outputs (each output weighs
 *  the same, whatever its extent); and "z" [batch, members * n_z]. Its parameters are those of the other graphs. */
locum_status locum_model_training_graph(const locum_model_type *type, const void *config, const locum_task *task,
                                        locum_graph **graph);

/* what fields are trained for */
typedef struct locum_field_loss {
    int rollout;   /**< frames that the network is rolled out over */
    double noise;  /**< standard deviation of the noise on the first frames, in normalised units */
    bool relative; /**< relative L2 of each output in physical units; else the mean square in normalised ones */
} locum_field_loss;

/** The same for fields: inputs "values" [batch, n_x], "fields" [batch, grid.., history * in_channels] and "target"
 *  [batch, rollout, grid.., out_channels], all normalised; an input that the task lacks is left out. Output "loss": sum
 *  over rows and members of the mean over frames and outputs. */
locum_status locum_model_field_training_graph(const locum_model_type *type, const void *config, const locum_task *task,
                                              const locum_field_loss *loss, locum_graph **graph);

/** Graph `predict` of the model file: physical inputs to physical outputs (see surrogate/runtime/model.h). */
locum_status locum_model_predict_graph(const locum_model_type *type, const void *config, const locum_task *task,
                                       locum_graph **graph);

/** Graph `interval` of the model file: value, lower, upper of each output, distance, spread. The interval of a
 *  normalised value is z +- width, width = quantile * sqrt(sigma^2 + s^2), s = standard deviation over members. That of
 *  a share y, with t = y + floor total, e = y + resolution total: log e +- scale width, with (t / e) s for s. "spread"
 *  [batch, 1] is the root mean square of s / sigma. Of fields then `energy` and, where there is one vector on a periodic
 *  grid, `divergence`, both [batch, 1]: see ports_fields.c. What calibration knows are parameters:
 *      trust/sigma                     [n_z] residual scale of the ensemble mean, in units of the normaliser's scale; of
 *                                      fields [out_channels] (step) or [grid.., out_channels] (map)
 *      trust/feature_mean, _map        [n], [1, n, n]: distance^2 = |(f - mean) map|^2 / n
 *      trust/energy_mean, _rate        [1], of fields */
locum_status locum_model_interval_graph(const locum_model_type *type, const void *config, const locum_task *task,
                                        locum_graph **graph);

/** Graph of what calibration needs: input "x" -> "mean" [batch, n_z], "deviation" [batch, n_z] (over members),
 *  "features". Of fields: inputs "values", "fields" -> "mean" [batch, grid.., out_channels] (step: of the next frame),
 *  "features", and "deviation" of more than one member. All normalised. */
locum_status locum_model_calibration_graph(const locum_model_type *type, const void *config, const locum_task *task,
                                           locum_graph **graph);

/** The part of the total that intervals of a share resolve: LOCUM_SHARE_RESOLUTION, or its floor if that is larger. */
double locum_channel_resolution(const locum_channel *channel);

/** Physical -> normalised for all outputs of a row: what targets are made with (double). y [n_z], z [n_z]. */
void locum_task_normalise_outputs(const locum_task *task, const double *y, double *z);
/** The same for an input of one value. */
double locum_channel_normalised(const locum_channel *channel, double value);
/** Physical -> normalised for all inputs of a row. */
void locum_task_normalise_inputs(const locum_task *task, const double *values, double *x);
/** And back. */
void locum_task_physical_outputs(const locum_task *task, const double *z, double *y);

/** JSON list of ports for the model file: [{name, text, unit, dims, axis_name, axis, lower, upper}]. */
void locum_task_write_ports(int n, const locum_channel *channels, locum_text *out);

#endif
