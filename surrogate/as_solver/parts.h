/* SPDX-License-Identifier: BSD-3-Clause */
/* parts.h - what the files of this folder share: the wrapper, the solver, the state. */
#ifndef SURROGATE_AS_SOLVER_PARTS_H
#define SURROGATE_AS_SOLVER_PARTS_H

#include "surrogate/as_solver/as_solver.h"

#define SURROGATE_NAME_SIZE 96

struct locum_surrogate_solver {
    const locum_model *model;
    int n_inputs, n_values; /**< inputs; those that are single values */
    int *value_port;        /**< [n_values] their ports */
    char (*name)[64];       /**< [n_values] of the options */
    locum_option *options;  /**< [n_values + 2] */
    double *config;         /**< [1 + n_values] the handle, then the values */
    locum_solver_type type;
};

/* where an array's values are: an output, or (past > 0) a past frame of the input which that output becomes */
typedef struct surrogate_source {
    int output;
    int64_t past;
} surrogate_source;

struct locum_solver {
    const locum_surrogate_solver *surrogate;
    MPI_Comm comm;
    int rank, size, n_outputs;
    bool is_step;
    int64_t history;
    double interval;
    int *feeds;                             /**< [n_outputs] step: the input of the same name */
    int64_t *first, width;                  /**< [n_outputs] where an output begins among the values of a row */
    locum_domain *domains;                  /**< [n_outputs + 1] "global", "grid", one per profile or spectrum */
    locum_array *arrays;                    /**< [n_outputs * history] */
    surrogate_source *source;               /**< [n_arrays] */
    char (*past_name)[SURROGATE_NAME_SIZE]; /**< [n_arrays] names of past frames */
    double *axis[3];                        /**< of the grid, where the model has none */
    locum_schema schema;
};

struct locum_state {
    int n_inputs;
    void *memory; /**< of the context */
    locum_context *context;
    locum_buffer *inputs, *outputs;
    double *value;   /**< [n_inputs] single values, by port */
    double **window; /**< [n_inputs] fields: [history, extent of a frame], oldest first; NULL for values */
    double *result;  /**< [width] */
    double time, begin;
    int64_t steps; /**< since `begin` */
};

/** Domains and arrays of the model. The solver's model, comm and sizes are set. Local. */
locum_status locum_surrogate_describe(locum_solver *s);
/** Axes of a port without history and components: first axis, number. Local. */
void locum_surrogate_axes(const locum_solver *s, const locum_port *port, bool input, int *first, int *n_axes);
/** Fills the windows of all input fields from a frame. Collective on the solver's communicator. */
locum_status locum_surrogate_take(const locum_solver *s, const locum_frame *frame, locum_state *state);
/** LOCUM_STUDY naming both grids. Local. */
locum_status locum_surrogate_refuse_grid(const locum_solver *s, const locum_frame *frame);

#endif
