/* SPDX-License-Identifier: BSD-3-Clause */
/* features.h - what the calibrations of values and of fields share. Inside surrogate/calibrate only. */
#ifndef SURROGATE_CALIBRATE_FEATURES_H
#define SURROGATE_CALIBRATE_FEATURES_H

#include "surrogate/calibrate/calibrate.h"

#define SIGMA_FLOOR 0.01 /* of the mean over an output: some values nearly vanish */
#define SIGMA_LEAST 1e-6

/** To float32 and back: what the runtime reads. */
void locum_calibrate_round(int64_t n, double *values);
void locum_calibrate_sort(int64_t n, double *values); /* ascending */
/** mean [m] and map [m, m] of features [n, m], rounded. */
locum_status locum_calibrate_features(int64_t n, int64_t m, const double *features, double *mean, double *map);
double locum_calibrate_distance(int64_t m, const double *mean, const double *map, const double *features);

#endif
