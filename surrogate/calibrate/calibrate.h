/* SPDX-License-Identifier: BSD-3-Clause */
/* calibrate.h - makes the trust tables of a model file: scores for split-conformal intervals (one score per sample:
 * the largest standardised residual over all values of all outputs), feature distances and ensemble spreads for the
 * flags.
 *
 *     sigma_j: root mean square residual of the ensemble mean over training + validation, floored;
 *     score = max_j |r_j| / sqrt(sigma_j^2 + s_j^2), r_j the residual as the interval sees it (calibrate.c) */
#ifndef SURROGATE_CALIBRATE_CALIBRATE_H
#define SURROGATE_CALIBRATE_CALIBRATE_H

#include "surrogate/models/model_type.h"

typedef struct locum_trust_tables {
    double *sigma; /**< [n_z] */
    int64_t n_features;
    double *feature_mean, *feature_map;   /**< [n], [n, n] */
    int64_t n;                            /**< calibration samples */
    double *scores, *distances, *spreads; /**< [n] ascending */
} locum_trust_tables;

/* evaluates the trained network on n normalised rows: mean, deviation [n, n_z], features [n, n_features]; given by
 * train */
typedef locum_status (*locum_network)(void *self, int64_t n, const double *x, double *mean, double *deviation,
                                      double *features);

/** x, z: normalised inputs [n, n_x] and targets [n, n_z] of the fitted (training + validation) and of the calibration
 *  samples. n_calibration = 0 gives empty tables. Local. */
locum_status locum_calibrate(const locum_task *task, int64_t n_features, locum_network network, void *self,
                             int64_t n_fitted, const double *x_fitted, const double *z_fitted, int64_t n_calibration,
                             const double *x, const double *z, locum_trust_tables *tables);
void locum_trust_tables_free(locum_trust_tables *tables);

#endif
