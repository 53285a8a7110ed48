/* SPDX-License-Identifier: BSD-3-Clause */
/* frame.h - what moves between file, solver, sink, loader and model.
 *
 * A schema says which arrays exist, on which domains; a frame holds this rank's part of them at one time.
 * Grids are row-major, x first (slowest), y next, z last; components (vectors, tensors) after the axes:
 *
 *      vorticity [nx, ny]      velocity [nx, ny, 2]      energy: one value      spectrum [rows] on domain "k" */
#ifndef LOCUM_DEV_FRAME_H
#define LOCUM_DEV_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stddef.h>
#include <stdint.h>

#include "locum/status.h"
#include "locum/type.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum locum_support {
    LOCUM_GLOBAL, /* one value, the same on every rank of the group */
    LOCUM_GRID,   /* a grid of 2 or 3 axes, split over the ranks in blocks */
    LOCUM_ROWS    /* particles, atoms, halos; or the points of a profile or a spectrum */
} locum_support;

typedef enum locum_boundary { LOCUM_PERIODIC, LOCUM_WALL, LOCUM_OPEN } locum_boundary;
typedef enum locum_place { LOCUM_NODE, LOCUM_CELL, LOCUM_FACE } locum_place;

/** Bytes of one value. Local. */
LOCUM_API size_t locum_type_size(locum_type type);

/* roles of an array */
enum {
    LOCUM_ROLE_INPUT = 1, /* an input of the solution (forcing, coefficient field); LOCUM_INPUT is a status */
    LOCUM_STATE = 2,      /* all STATE arrays together restart the solver bit for bit */
    LOCUM_OBSERVABLE = 4, /* what people want to know */
    LOCUM_COSTLY = 8,     /* made only when asked for */
    LOCUM_VARIANCE = 16   /* named X_variance: a frame holds the square of X; a mean over time, the variance of X */
};

typedef struct locum_domain {
    const char *name; /**< "global", "grid", "y", "k", "particles" */
    locum_support support;
    int n_dims;               /**< global 0, rows 1, grid 2 or 3 */
    int64_t n_global[3];      /**< points along each axis; rows: 0 = differs from frame to frame */
    const double *axis[3];    /**< [n_global] coordinates, or NULL (particles); lent by the schema's owner */
    const char *axis_name[3]; /**< "x", "y", "z"; a profile's "y"; a spectrum's "k" */
    const char *axis_unit;    /**< UDUNITS text */
    double lower[3], upper[3];
    locum_boundary side[3][2];
} locum_domain;

typedef struct locum_array {
    const char *name, *text;
    const char *unit; /**< UDUNITS text, "1" if pure */
    locum_type type;
    int domain;   /**< index into the schema's domains */
    int order;    /**< tensor order: 0 scalar, 1 vector, 2 tensor */
    int shape[2]; /**< components along each tensor axis */
    locum_place place;
    unsigned roles;
} locum_array;

typedef struct locum_schema {
    const locum_domain *domains;
    int n_domains;
    const locum_array *arrays;
    int n_arrays;
    bool timeless;   /**< no time: one frame a sample */
    double interval; /**< time between frames of a surrogate that was trained on one, else 0 */
} locum_schema;      /* one per solver instance; a surrogate reads it from its model */

/* This rank's part of one array. data has n[0]*n[1]*n[2]*components values; NULL = not asked for.
 * Rows: first[0], n[0] and n_global may change from frame to frame; order is free, array "id" names the row. */
typedef struct locum_block {
    const void *data;
    int64_t first[3], n[3], n_global;
} locum_block;

typedef struct locum_frame {
    const locum_schema *schema;
    double time;
    int64_t step;
    locum_block *blocks; /**< [schema->n_arrays], owned by whoever made the frame */
} locum_frame;

/** Components of an array: 1, shape[0] or shape[0]*shape[1]. Local. */
LOCUM_API int64_t locum_array_components(const locum_array *array);

/** Index of the array of that name, -1 if there is none. Local. */
LOCUM_API int locum_schema_find(const locum_schema *schema, const char *name);

/** Index of the array X that an array X_variance with the role LOCUM_VARIANCE is about, else -1. Local. */
LOCUM_API int locum_schema_variance_of(const locum_schema *schema, int array);

/** Values of this rank's part of one array. Local. */
LOCUM_API int64_t locum_block_count(const locum_schema *schema, int array, const locum_block *block);

/* One sample of a campaign, or the one of `simulate`. */
typedef struct locum_sample {
    int64_t index;
    uint64_t seed;
    const void *config;         /**< the solver's config with this sample's parameters filled in */
    const locum_frame *initial; /**< NULL = made from the config */
    bool exact;                 /**< initial holds all STATE arrays: go on bit for bit */
} locum_sample;

/* Where frames go: the store, a running mean, the report, a test. Calls are collective on the group. */
typedef struct locum_sink {
    void *self;
    /** A sample begins. wanted [schema->n_arrays] says which arrays every frame will hold. */
    locum_status (*open)(void *self, const locum_schema *schema, const bool *wanted, const locum_sample *sample);
    /** One frame; its data are lent for the call. */
    locum_status (*frame)(void *self, const locum_frame *frame);
    /** The sample ends; `result` is LOCUM_OK, or why it failed (the sink drops what it held, or records it). */
    locum_status (*close)(void *self, locum_status result);
} locum_sink;

#ifdef __cplusplus
}
#endif
#endif
