/* SPDX-License-Identifier: BSD-3-Clause */
/* context.h - a model laid out for a number of rows, in the caller's memory: what evaluate.c and roll.c share.
 *
 *     [locum_context][plan][packed weights][parameters] per entry point, [arena][staging of inputs][staging of outputs]
 *
 * Staging holds packed float32 rows. A roll-out needs no other memory: what it predicts lies in the staging of one
 * output, then in that of the input which the output becomes, in turn. */
#ifndef SURROGATE_RUNTIME_CONTEXT_H
#define SURROGATE_RUNTIME_CONTEXT_H

#include "surrogate/runtime/model.h"

#define LOCUM_CONTEXT_OUTPUTS_MAX (LOCUM_KINDS * LOCUM_PORTS_MAX + LOCUM_MEASURES)

typedef struct locum_entry {
    const locum_plan *plan; /* NULL = the model has no such entry */
    const void *packed;
    const float **parameters;                      /* of the plan */
    int n_inputs, input_port[LOCUM_PORTS_MAX + 1]; /* the plan's inputs: a port, or -1 = quantile */
} locum_entry;

struct locum_context {
    const locum_model *model;
    int64_t max_rows;
    locum_entry entries[LOCUM_ENTRIES];
    void *arena;
    float *input[LOCUM_PORTS_MAX];            /* staging, [max_rows, extent] */
    const float *source[LOCUM_PORTS_MAX];     /* of this call: staging, or the host's own array */
    float *output[LOCUM_CONTEXT_OUTPUTS_MAX]; /* staging: value, lower, upper of each port, then the measures */
    uint8_t *bad;                             /* [max_rows] the row's input is not finite */
    uint32_t *flag;                           /* [max_rows] of a roll-out, since its start */
};

/** Rows of one input as packed float32 in c->source: where they lie, or (always if `copy`) in staging. Marks rows that
 *  are not finite in c->bad and puts zeros there; true if there are any. */
bool locum_context_load(locum_context *c, int port, const locum_buffer *buffer, int64_t rows, bool copy);
/** Runs an entry point on c->source; outputs [of the graph]. */
void locum_context_run(locum_context *c, int entry, int64_t rows, const float *quantile, float *const *outputs);
/** Flags of a row after the interval graph ran with its measures in staging; p_distance may be NULL. */
uint32_t locum_context_flag(const locum_context *c, const locum_buffer *inputs, int64_t row, double *p_distance);
/** Checks inputs [n_inputs] and rows of a call; `caller` leads the complaint. LOCUM_ARG. */
locum_status locum_context_check(const locum_context *c, const char *caller, int64_t rows, const locum_buffer *inputs);
/** LOCUM_ARG unless the model has intervals, and coverage is one. */
locum_status locum_context_check_coverage(const locum_context *c, const char *caller, double coverage);
/** Is every value finite? */
bool locum_all_finite(const float *values, int64_t n);

#endif
