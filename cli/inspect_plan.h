/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CLI_INSPECT_PLAN_H
#define CLI_INSPECT_PLAN_H

#include "core/text.h"
#include "locum/model.h"

/** Runs the `predict` plan of a model on 256 rows of mid-range inputs and appends each step with its time and share of peak. Local. */
locum_status inspect_plan(const locum_model *model, locum_text *out);

#endif
