/* SPDX-License-Identifier: BSD-3-Clause */
/* model.h - the inside of an open model: const, one block of memory from the host's allocator.
 *
 *     [locum_model][ports][axes][texts][tensors, each 64-byte aligned]
 *
 * Entry points, graphs over the symbol "batch"; fields are flat, too:
 *     predict    inputs by port name [batch, extent]   ->  outputs by port name [batch, extent]
 *     interval   the same and "quantile" [1]           ->  value/<port>, lower/<port>, upper/<port> [batch, extent],
 *                                                          port by port, then distance, spread and, where a field
 *                                                          model has them, energy, divergence, each [batch, 1]
 * A step (metadata task = "step", interval, history, leads) has for each output an input of the same name that holds
 * its last `history` frames, oldest first: the roll-out feeds it.
 * Trust tables (surrogate/calibrate): trust/scores, trust/distances, trust/spreads, trust/energies, trust/divergences,
 * each [n] ascending, float64; trust/growth [leads], float64: residual scale at a lead over that of the first. */
#ifndef SURROGATE_RUNTIME_MODEL_H
#define SURROGATE_RUNTIME_MODEL_H

#include "locum/model.h"
#include "surrogate/plan/plan.h"
#include "surrogate/runtime/file.h"

#define LOCUM_PORTS_MAX 64
#define LOCUM_HISTORY_MAX 1024
#define LOCUM_LEADS_MAX 1000000

enum { LOCUM_ENTRY_PREDICT, LOCUM_ENTRY_INTERVAL, LOCUM_ENTRIES };
enum { LOCUM_VALUE, LOCUM_LOWER, LOCUM_UPPER, LOCUM_KINDS }; /* what the interval graph gives for each output */

/* what the interval graph measures of a row beside its outputs; each has a table of calibration values */
enum { LOCUM_DISTANCE, LOCUM_MEMBERS_SPREAD, LOCUM_ENERGY, LOCUM_DIVERGENCE, LOCUM_MEASURES };

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
    locum_trust_table scores, measures[LOCUM_MEASURES];
    int measure_at[LOCUM_MEASURES]; /* among the outputs of the interval graph; -1 = it has no such measure */

    /* task.c */
    bool is_step;
    double interval;            /* 0 for a map */
    int64_t history, leads;     /* 1 for a map */
    const double *growth;       /* [leads], or NULL: all 1 */
    int feeds[LOCUM_PORTS_MAX]; /* step: the input that an output becomes */
};

const locum_tensor *locum_model_tensor(const locum_model *model, const char *name);

/** The graph of an entry point; temporary memory, locum_graph_destroy. Checked against the ports. */
locum_status locum_model_graph(const locum_model *model, int entry, locum_graph **graph);
/** The plan of an entry point for at most max_rows rows; free() releases it. */
locum_status locum_model_plan(const locum_model *model, int entry, int64_t max_rows, locum_plan **plan);

/** Reads task, interval, history, leads and growth, and checks that outputs can become inputs. LOCUM_DAMAGED. */
locum_status locum_model_read_task(locum_model *model);
/** Is the port a field (profiles and fields, no single values)? Its training range is taken 10 % wider. */
bool locum_port_is_field(const locum_port *port);
/** Values of a roll-out beyond these have blown up: 100 training ranges from their middle; infinite without a range. */
void locum_port_limits(const locum_port *port, double *lower, double *upper);

/* trust.c: the tables */
/** The score that a new sample stays below with that probability: the ceil((n + 1) coverage)-th smallest; infinite if
 *  n is too small. */
double locum_trust_quantile(const locum_trust_table *scores, double coverage);
/** The same for a lead of a roll-out (0 means 1): times the growth, infinite beyond the calibrated leads. */
double locum_trust_quantile_at(const locum_model *model, double coverage, int64_t lead);
/** Conformal p-value: the share of calibration values, the new one included, that are at least as large. */
double locum_trust_p_value(const locum_trust_table *table, double value);

#endif
