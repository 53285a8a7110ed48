/* SPDX-License-Identifier: BSD-3-Clause */
/* step_model.h - a model file of the tracer of grid_advection whose every prediction is a formula:
 *
 *     next(i, j) = 1 + decay (last(i - 1, j) - 1)      decay = exp(-8 pi^2 diffusivity interval), or 1 (lazy: no shift either)
 *     lower, upper = value -+ quantile * STEP_SIGMA * growth(lead)      distance = spread = 0
 *
 * which is the solution of the equation where velocity * interval is one cell. Inputs: diffusivity, tracer [n, n]. */
#ifndef TESTS_UNIT_VALIDATE_STEP_MODEL_H
#define TESTS_UNIT_VALIDATE_STEP_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#include "core/text.h"

#define STEP_INTERVAL 0.2
#define STEP_LEADS 4
#define STEP_CALIBRATION 19 /* scores 1/8 .. 19/8: the 18th of them at 90 % */
#define STEP_SIGMA 0.01

typedef enum step_kind {
    STEP_STEP,
    STEP_MAP_OF_FIELD, /* a map: the tracer of the first frame is its prediction */
    STEP_MAP_OF_VALUES /* a map: 1 everywhere, whatever the diffusivity */
} step_kind;

typedef struct step_model {
    step_kind kind;
    int64_t n;
    bool lazy, trusted;
    double explodes; /**< factor on the result; 0 = 1 */
    const char *validation_error;
} step_model;

void step_model_write(const step_model *model, locum_text *out);
double step_model_growth(int lead); /* lead from 1 */

#endif
