/* SPDX-License-Identifier: BSD-3-Clause */
/* forecast.h - fields of many samples by any setting of the study's solver, on the grid of the study's dataset: what
 * validation compares a surrogate of fields with.
 *
 *     initial frame (dataset's grid) --resample--> solver at `config` --resample--> dataset's grid -> frame()
 *     or parameters and seed         ------------>                    (means over [from, time] too)
 *
 * Fields are handed on one by one on the rank that made them and are not kept: what is kept of them is the caller's
 * business. */
#ifndef DATASETS_CAMPAIGN_FORECAST_H
#define DATASETS_CAMPAIGN_FORECAST_H

#include "datasets/campaign/campaign.h"

typedef struct locum_forecast_call {
    const locum_setup *setup;
    const void *config; /**< of the solver, all samples: the study's, or a cheaper one */
    int n_parameters;   /**< applied to each sample's config by name */
    const char *const *parameter_name;
    int64_t n;
    const double *parameter; /**< [n, n_parameters] */
    const uint64_t *seed;    /**< [n] */

    /* where samples begin: arrays on one grid, float64, whole; NULL = made from config and seed. initial() fills
     * values [n_arrays][count]; local */
    const locum_schema *initial_schema;
    locum_status (*initial)(void *self, int64_t sample, double *const *values);

    int n_arrays; /**< arrays on grids that are handed on, and their values on the dataset's grid */
    const char *const *array;
    const int64_t *count; /**< [n_arrays] */
    int n_times;
    const double
        *times;   /**< [n_times] ascending, from the start of the sample; ignored by timeless solvers (n_times = 1) */
    bool average; /**< running means over [from, times[k]] */
    double from;
    /** values [n_arrays][count[a]], lent for the call. Local: called on the rank that solves the sample. */
    locum_status (*frame)(void *self, int64_t sample, int time, const double *const *values);
    void *self; /**< of initial and frame */
    MPI_Comm world;
    locum_watch *watch;
    locum_progress *progress; /**< may be NULL */
} locum_forecast_call;

/** Solves all samples, spread one by one over the ranks of world. seconds [n, n_times]: processor seconds from the start
 *  of a sample to that frame, without resampling and frame(). failed [n]: the solver gave up (LOCUM_NUMERIC,
 *  LOCUM_CONVERGENCE); frame() may have been called before. Both are the same on all ranks afterwards. Collective.
 *  LOCUM_STUDY: an array that is not there, or of another size; LOCUM_INPUT: the solver cannot begin from these arrays. */
locum_status locum_forecast(const locum_forecast_call *call, double *seconds, bool *failed);

#endif
