/* SPDX-License-Identifier: BSD-3-Clause */
/* model.h - the inside of an open model: const, one block of memory from the host's allocator.
 *
 *     [locum_model][ports][axes][texts][tensors, each 64-byte aligned]
 *
 * Entry points of a `map` model, graphs over the symbol "batch":
 *     predict    inputs by port name [batch, extent]   ->  outputs by port name [batch, extent]
 *     interval   the same and "quantile" [1]           ->  value/<port>, lower/<port>, upper/<port> [batch, extent],
 *                                                          port by port, then distance [batch, 1], spread [batch, 1]
 * Trust tables (surrogate/calibrate): trust/scores, trust/distances, trust/spreads, each [n] ascending, float64. */
#ifndef SURROGATE_RUNTIME_MODEL_H
#define SURROGATE_RUNTIME_MODEL_H

#include "locum/model.h"
#include "surrogate/plan/plan.h"
#include "surrogate/runtime/file.h"

#define LOCUM_PORTS_MAX 64

enum { LOCUM_ENTRY_PREDICT, LOCUM_ENTRY_INTERVAL, LOCUM_ENTRIES };
enum { LOCUM_VALUE, LOCUM_LOWER, LOCUM_UPPER, LOCUM_KINDS }; /* what the interval graph gives for each output */

typedef struct locum_trust_table {
    int64_t n;
    const double *sorted; /**< [n] ascending */
} locum_trust_table;

struct locum_model {
    locum_allocator allocator;
    const locum_kernels *kernels;
    int n_inputs, n_outputs, n_metadata, n_tensors;
    const locum_port *inputs, *outputs;
    const locum_metadata *metadata; /* every text of the file but checksums and graphs */
    const locum_tensor *tensors;
    const char *graph[LOCUM_ENTRIES]; /* JSON text; NULL = the model has no such entry */
    locum_trust_table scores, distances, spreads;
};

const locum_tensor *locum_model_tensor(const locum_model *model, const char *name);

/** The graph of an entry point; temporary memory, locum_graph_destroy. Checked against the ports. */
locum_status locum_model_graph(const locum_model *model, int entry, locum_graph **graph);
/** The plan of an entry point for at most max_rows rows; free() releases it. parameters [n]: pointers into the model.
 *  */
locum_status locum_model_plan(const locum_model *model, int entry, int64_t max_rows, locum_plan **plan);

/* trust.c: the tables */
/** The score that a new sample stays below with that probability: the ceil((n + 1) coverage)-th smallest; infinite if
 *  n is too small. */
double locum_trust_quantile(const locum_trust_table *scores, double coverage);
/** Conformal p-value: the share of calibration values, the new one included, that are at least as large. */
double locum_trust_p_value(const locum_trust_table *table, double value);

#endif
