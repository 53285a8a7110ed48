/* SPDX-License-Identifier: BSD-3-Clause */
/* model.h - a trained surrogate inside a host code: open, workspace, prepare, eval.
 *
 *     locum_model *model;                                    const after open; shared by any number of threads
 *     locum_model_read("model.safetensors", NULL, &model, message, sizeof message);
 *     size_t bytes = locum_model_workspace(model, 256);      for at most 256 rows a call
 *     locum_context *context;                                one per thread; lives in the caller's memory
 *     locum_model_prepare(model, 256, memory, bytes, &context);
 *     locum_eval(context, rows, inputs, outputs, NULL);      value; with a locum_trust also interval and flag
 *
 * eval makes no allocation, lock, system call or thread. No MPI, no HDF5, no global state. Normalisation is inside
 * the file: inputs and outputs are in the units that the ports name. Damage of a file is found (XXH3); forgery is not. */
#ifndef LOCUM_MODEL_H
#define LOCUM_MODEL_H

#include <stddef.h>
#include <stdint.h>

#include "locum/status.h"
#include "locum/type.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct locum_model locum_model;
typedef struct locum_context locum_context;

/** Memory for open; NULL everywhere means malloc and free. */
typedef struct locum_allocator {
    void *self;
    void *(*allocate)(void *self, size_t bytes); /**< aligned to 64 bytes, or NULL */
    void (*release)(void *self, void *memory);
} locum_allocator;

typedef struct locum_open_options {
    const locum_allocator *allocator; /**< NULL = malloc */
    size_t max_bytes;                 /**< refuse files above this; 0 = 4 GiB */
    const char *level;                /**< "portable", "avx2", "avx512": at most this; NULL = the processor's best */
} locum_open_options;

/** Opens a model from memory; the bytes may be freed afterwards. LOCUM_DAMAGED, LOCUM_MEMORY, LOCUM_ARG; the text goes to
 *  message [message_size] too (may be NULL). Local. options may be NULL. */
LOCUM_API locum_status locum_model_open(const void *bytes, size_t n_bytes, const locum_open_options *options,
                                        locum_model **model, char *message, size_t message_size);
/** The same from a file. LOCUM_INPUT if it cannot be read. Local. */
LOCUM_API locum_status locum_model_read(const char *path, const locum_open_options *options, locum_model **model,
                                        char *message, size_t message_size);
LOCUM_API void locum_model_close(locum_model *model); /* NULL-safe */

#define LOCUM_PORT_DIMS 4

/* One input or output. A row (one sample) of it has `extent` values, row-major over dims: a field is
 * [x, y] or [x, y, component], [history, x, y ...] where a step sees several past frames, oldest first. */
typedef struct locum_port {
    const char *name, *text, *unit; /**< lent by the model */
    int n_dims;                     /**< 0 = one value */
    int64_t dims[LOCUM_PORT_DIMS], extent;
    const char *axis_name[LOCUM_PORT_DIMS]; /**< of each dimension: "x", "history", "component", ...; or NULL */
    const double *axis[LOCUM_PORT_DIMS];    /**< [dims] coordinates, or NULL */
    double lower, upper;                    /**< inputs: range of the training data; outputs: range seen in training */
} locum_port;

LOCUM_API int locum_model_n_inputs(const locum_model *model);
LOCUM_API int locum_model_n_outputs(const locum_model *model);
LOCUM_API const locum_port *locum_model_input(const locum_model *model, int i);  /* NULL if out of range */
LOCUM_API const locum_port *locum_model_output(const locum_model *model, int i); /* NULL if out of range */
/** A text of the file's metadata ("provenance", "study", "task", "train_hash"); NULL if absent. */
LOCUM_API const char *locum_model_metadata(const locum_model *model, const char *key);
/** Time between the frames of a step model (outputs follow the last input frame by it); 0 = a map. Local. */
LOCUM_API double locum_model_interval(const locum_model *model);
/** Past frames that a step model sees; 1 for a map. Local. */
LOCUM_API int64_t locum_model_history(const locum_model *model);
/** Steps of a roll-out up to which intervals were calibrated; 1 for a map. Local. */
LOCUM_API int64_t locum_model_leads(const locum_model *model);
/** Number of calibration samples behind the intervals; 0 = the model has none. */
LOCUM_API int64_t locum_model_n_calibration(const locum_model *model);

/** Bytes that prepare needs for at most max_rows rows a call; 0 if max_rows < 1 or too large. Local. */
LOCUM_API size_t locum_model_workspace(const locum_model *model, int64_t max_rows);
/** Lays a context into the caller's memory (any alignment; freed by the caller after use). Local. */
LOCUM_API locum_status locum_model_prepare(const locum_model *model, int64_t max_rows, void *memory, size_t bytes,
                                           locum_context **context);

/* Where the values of one port lie: value j of row r at data[r * row_stride + j * stride], counted in elements.
 * Packed rows: row_stride = extent, stride = 1. Fortran (rows, extent) arrays: row_stride = 1, stride = rows.
 * type: LOCUM_FLOAT64 or LOCUM_FLOAT32. */
typedef struct locum_buffer {
    void *data;
    locum_type type;
    int64_t row_stride, stride;
} locum_buffer;

/* bits of a flag; 0 = nothing speaks against the prediction */
enum {
    LOCUM_FLAG_RANGE = 1,      /* an input outside the training range; a field: outside of it and a tenth more */
    LOCUM_FLAG_DISTANCE = 2,   /* far from the training data in feature space: false-alarm rate max(1 %, 1/(n+1)) */
    LOCUM_FLAG_SPREAD = 4,     /* the ensemble disagrees more than on the calibration samples; same rate */
    LOCUM_FLAG_NOT_FINITE = 8, /* an input or a result is not finite; value and interval are NaN */
    LOCUM_FLAG_RESIDUAL = 16 /* a field breaks the physics more than on the calibration samples: its divergence, or its
                                  energy (step: the change of it); same rate */
};

/* What eval says about its own error; every pointer may be NULL. */
typedef struct locum_trust {
    double coverage; /**< of the simultaneous interval over all outputs, in (0, 1), e.g. 0.9; marginal over samples */
    const locum_buffer *lower; /**< [n_outputs] */
    const locum_buffer *upper; /**< [n_outputs]; infinite where the calibration set is too small for the coverage */
    uint32_t *flag;            /**< [rows] */
    double *p_value;           /**< [rows] conformal p-value of the feature distance */
    int64_t lead;              /**< step models: steps since a true state, this one included; 0 means 1. Intervals grow
                                    with it and are infinite beyond locum_model_leads() */
} locum_trust;

/** Predicts rows samples. inputs [n_inputs], outputs [n_outputs] (an entry with data = NULL is not written).
 *  trust may be NULL. Outputs must not overlap inputs. A row whose input is not finite gives NaN and
 *  LOCUM_FLAG_NOT_FINITE, other rows are not touched by it. Results of a row do not depend on the other rows or on
 *  `rows`. LOCUM_ARG for bad arguments, nothing written then. Local. */
LOCUM_API locum_status locum_eval(locum_context *context, int64_t rows, const locum_buffer *inputs,
                                  const locum_buffer *outputs, const locum_trust *trust);

/* What a roll-out hands over after each step; pointers are lent for the call. */
typedef struct locum_roll_frame {
    int64_t lead;                             /**< 1, 2, ... */
    double time;                              /**< lead * interval */
    const float *const *values;               /**< [n_outputs] -> [rows, extent] */
    const float *const *lower, *const *upper; /**< the same, or NULL without trust */
    const uint32_t *flag;                     /**< [rows], all flags since the start; or NULL without trust */
} locum_roll_frame;

/** Rolls a step model out: its outputs become its inputs `steps` times, without copies beyond them. inputs [n_inputs] as
 *  for locum_eval (a field: its last `history` frames, oldest first); they are only read. frame is called after each
 *  step; it stops the roll-out by returning other than LOCUM_OK, which is returned. coverage in (0, 1): with intervals
 *  and flags; 0: values alone. A row that is no longer finite, or whose values leave 100 times the training range, ends
 *  the roll-out with LOCUM_NUMERIC naming step and row (message: locum_status_message). LOCUM_ARG if the model is no
 *  step model. Local. */
LOCUM_API locum_status locum_roll(locum_context *context, int64_t rows, int64_t steps, const locum_buffer *inputs,
                                  double coverage, locum_status (*frame)(void *self, const locum_roll_frame *frame),
                                  void *self);

#ifdef __cplusplus
}
#endif
#endif
