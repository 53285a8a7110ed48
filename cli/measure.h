/* SPDX-License-Identifier: BSD-3-Clause */
/* measure.h - observables of any data: ranges and mean squares of arrays, gradients, divergence and spectra of fields. */
#ifndef CLI_MEASURE_H
#define CLI_MEASURE_H

#include "core/text.h"
#include "datasets/store/store.h"

/* one array, over the samples that have the frame (or over all frames) */
typedef struct measure_sums {
    double lower, upper;
    double mean, square;         /* of all values */
    double gradient;             /* fields: mean square of the gradient, over all components */
    double divergence, rotation; /* vectors with a component for each axis: mean squares; 2-D and 3-D */
    int64_t n;                   /* frames that were added */
} measure_sums;

typedef struct measure_array {
    int array;
    bool is_field, is_vector;   /* is_vector: a component for each axis of its grid */
    int64_t n_frames, n_shells; /* n_shells 0: no spectrum */
    measure_sums *frames;       /* [n_frames] */
    measure_sums all;
    double
        *spectrum; /* [n_shells] of the last frame, mean over samples; the shells add up to half the mean square (of the
                         fluctuation) */
} measure_array;

/** Measures one array of all good samples. LOCUM_INPUT, LOCUM_DAMAGED; measure_free. Local. */
locum_status measure_read(const locum_dataset *dataset, int array, measure_array *m);
void measure_free(measure_array *m);

/* --- measure_field.c: one frame -------------------------------------------------------------------------------------- */
/** Mean squares of gradient, divergence and rotation by central differences; where space is not periodic, of the points
 *  inside. values [grid, components]. Local. */
void measure_gradients(const locum_domain *domain, int components, bool is_vector, const double *values,
                       measure_sums *sums);
/** Lengths of a 2-D box, their ratio made simple where it is one but for rounding. Local. */
void measure_box(const locum_domain *domain, double box[2]);
/** Adds the spectrum of one frame of a periodic 2-D field, weighted, to spectrum [n_shells]. Local. */
locum_status measure_spectrum(const locum_domain *domain, int components, const double *values, double weight,
                              int64_t n_shells, double *spectrum);

#endif
