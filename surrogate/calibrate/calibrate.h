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
    int64_t n_sigma;
    double *sigma; /**< [n_sigma]: see locum_model_interval_graph */
    int64_t n_features;
    double *feature_mean, *feature_map;   /**< [n], [n, n] */
    int64_t n;                            /**< calibration samples */
    double *scores, *distances, *spreads; /**< [n] ascending */

    /* fields */
    int64_t leads;                   /**< up to which residuals were seen */
    double *growth;                  /**< [leads] residual scale over that of lead 1; NULL for values */
    double energy_mean, energy_rate; /**< of the logarithm of the energy, or of its change: see ports_fields.c */
    double *energies, *divergences;  /**< [n] ascending; divergences NULL where there is no vector */
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

/* --- fields ------------------------------------------------------------------------------------------------------- */
/* one frame of one roll-out, all normalised; lent for the call */
typedef struct locum_field_frame {
    int64_t sample, lead; /**< number of the sample; 1, 2, .. */
    const float *last;    /**< step: the frame before, [out_channels] of each point, `stride` floats apart; else NULL */
    int64_t stride;
    const float *mean, *deviation, *truth; /**< [points, out_channels]; deviation NULL for one member */
    const float *features;                 /**< [n_features] */
} locum_field_frame;

typedef locum_status (*locum_take_frame)(void *self, const locum_field_frame *frame);

/* where frames come from; given by train */
typedef struct locum_field_source {
    void *self;
    /** Hands over every frame of the fitted (training and validation) or of the calibration samples. */
    locum_status (*frames)(void *self, bool calibration, locum_take_frame take, void *taker);
    int64_t n_fitted, n_calibration, leads, n_features; /**< samples; frames of each */
} locum_field_source;

/** One score a calibration trajectory: the largest of |r| / (growth[lead] sqrt(sigma^2 + s^2)) over leads, points and
 *  channels; distance, spread, energy and divergence are the largest over leads. Leads whose residuals are not finite
 *  even on the fitted samples are left out (tables->leads). Local. */
locum_status locum_calibrate_fields(const locum_task *task, const locum_field_source *source,
                                    locum_trust_tables *tables);
void locum_trust_tables_free(locum_trust_tables *tables);

#endif
