/* SPDX-License-Identifier: BSD-3-Clause */
/* field_model.h - model files of fields whose answer is known: everything moves one cell along x, times a gain.
 *
 *     next(x, y) = gain * last(x - 1, y) + (second last - third last)(x, y) / 4       the second term from history 3 on
 *     lower, upper = value -+ quantile / 8      distance = |mean of the last tracer|     spread = 0
 *     energy = |log(mean square of the next tracer / that of the last)|                  divergence = largest |velocity|
 *
 * Inputs: gain, tracer [history,] [nx, ny], and (vector) velocity [history,] [nx, ny, 2]. */
#ifndef TESTS_UNIT_RUNTIME_FIELD_MODEL_H
#define TESTS_UNIT_RUNTIME_FIELD_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#include "core/text.h"

#define FIELD_CALIBRATION 19 /* scores 1/8, 2/8, ... */
#define FIELD_LEADS 5        /* growth 1, 1.5, 2, 2.5, 3 */
#define FIELD_INTERVAL 0.25

typedef struct field_model {
    int64_t nx, ny, history;
    bool is_step; /* else a map: later_tracer [, later_velocity] from the fields */
    bool vector, trusted, residuals;
    bool from_values; /* a map without input fields: later_tracer = gain everywhere */
} field_model;

/** The model file. Aborts if anything fails. */
void field_model_write(const field_model *model, locum_text *out);
/** The same with one metadata text or the growth bent; value NULL leaves the text out, growth NULL the tensor. */
void field_model_write_bent(const field_model *model, const char *key, const char *value, int64_t n_growth,
                            const double *growth, locum_text *out);

#endif
