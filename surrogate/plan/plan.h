/* SPDX-License-Identifier: BSD-3-Clause */
/* plan.h - a graph compiled for capacities into a flat array of kernel calls over one arena.
 *
 *     graph -> expand composites -> simplify -> fuse (tile programs, products with epilogue, row panels)
 *           -> order -> memory -> steps
 *
 * A plan is one contiguous block without pointers into itself (offsets only): memcpy moves it, to an address aligned
 * to 64. Running allocates nothing. Rows of results have the same bits whatever other rows, extents, capacities or
 * panels there are; sums over rows too, if panel_rows is a multiple of LOCUM_ROW_BLOCK (what 0 chooses is, wherever it
 * is above 64). float32 only; float64 graphs are evaluated by locum_graph_evaluate. */
#ifndef SURROGATE_PLAN_PLAN_H
#define SURROGATE_PLAN_PLAN_H

#include <stdbool.h>
#include <stddef.h>

#include "surrogate/graph/graph.h"
#include "surrogate/kernels/adapter.h"
#include "surrogate/kernels/kernels.h"

typedef struct locum_plan locum_plan;

enum {
    LOCUM_PLAN_NO_SIMPLIFY = 1, /* tests: optimised = unoptimised */
    LOCUM_PLAN_NO_FUSION = 2,   /* every node its own step */
    LOCUM_PLAN_OWN_BUFFERS = 4, /* every node its own memory */
    LOCUM_PLAN_POISON = 8,      /* run() fills the arena with NaN first */
    LOCUM_PLAN_CONSTANT_PARAMETERS =
        16 /* parameters do not change: pack them once (locum_plan_pack), simplify through them */
};

typedef struct locum_plan_options {
    const locum_kernels *kernels; /**< required */
    const locum_adapter *adapter;
    int64_t capacity[LOCUM_SYMBOLS_MAX]; /**< largest extent of each symbol of the graph */
    unsigned flags;
    int panel_rows; /**< 0 = chosen from sizes (64 .. 256) */
} locum_plan_options;

/** Compiles. Parameters and inputs keep the order in which the graph names them: the i-th name is asked for by run's
 * arrays. LOCUM_ARG for graphs with faults, LOCUM_NOT_BUILT for operators or numbers that plans cannot run. free()
 * releases it. */
locum_status locum_plan_create(const locum_graph *graph, int n_outputs, const locum_id *outputs,
                               const locum_plan_options *options, locum_plan **plan);
size_t locum_plan_bytes(const locum_plan *plan);       /* of the block itself */
size_t locum_plan_arena_bytes(const locum_plan *plan); /* of run's scratch, 64-byte aligned */
size_t
locum_plan_packed_bytes(const locum_plan *plan); /* of the packed constant parameters, 0 without CONSTANT_PARAMETERS */

int locum_plan_n_inputs(const locum_plan *plan);
int locum_plan_n_parameters(const locum_plan *plan);
const char *locum_plan_input_name(const locum_plan *plan, int i);
const char *locum_plan_parameter_name(const locum_plan *plan, int i);
int64_t locum_plan_parameter_count(const locum_plan *plan, int i);

/** Packs the parameters [n_parameters] once; `packed`, aligned to 64, is passed to every run. Needs
 * CONSTANT_PARAMETERS; runs then need no `parameters`. */
void locum_plan_pack(const locum_plan *plan, const float *const *parameters, void *packed);

typedef struct locum_plan_run_call {
    const int64_t *extents;         /**< [symbols], each <= capacity */
    const float *const *inputs;     /**< [n_inputs], packed row-major */
    const float *const *parameters; /**< [n_parameters] */
    const void *packed;             /**< of locum_plan_pack, or NULL */
    float *const *outputs;          /**< [n_outputs] */
    void *arena;                    /**< arena_bytes, aligned to 64 */
    uint64_t seed, step, first_row; /**< key of noise nodes: (seed, step, node, first_row + row, element) */
    double *seconds;                /**< NULL, or [n_steps] to which each step's time is added */
} locum_plan_run_call;
void locum_plan_run(const locum_plan *plan, const locum_plan_run_call *call);

int locum_plan_n_steps(const locum_plan *plan);
bool locum_plan_uses_adapter(const locum_plan *plan); /* any of its products */
/** Table for people: each step's kernel, shape, flops, bytes, and (with seconds [n_steps] of n_runs) time and share of
 * peak. */
void locum_plan_report(const locum_plan *plan, const int64_t *extents, const double *seconds, int n_runs,
                       double peak_flops, locum_text *out);

#endif
