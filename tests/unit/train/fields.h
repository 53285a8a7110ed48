/* SPDX-License-Identifier: BSD-3-Clause */
/* fields.h - a dataset of fields that needs no solver: waves that move by one cell a frame on a periodic grid, and a
 * network of one product that can learn them exactly.
 *
 *     vorticity(x, y, t) = strength f(x - t h, y)       velocity: of the stream function with the same waves
 *     coefficient        = f(x, y), an input            energy: one value */
#ifndef TESTS_UNIT_TRAIN_FIELDS_H
#define TESTS_UNIT_TRAIN_FIELDS_H

#include "tests/unit/train/synthetic.h"

enum { FIELDS_X = 8, FIELDS_Y = 12, FIELDS_POINTS = FIELDS_X * FIELDS_Y };

/** Value of the wave field of a sample at a cell (indices may be any integers). */
double fields_wave(int64_t sample, int64_t i, int64_t j);
/** Time of a frame: 20 + 0.1 frame, rounded to float32 as in many files. */
double fields_time(int64_t frame);
/** Strength of a sample: its varied parameter, 1 .. 6. */
double fields_strength(int64_t sample);
/** A dataset folder with n samples [train, validation, calibration, test] of so many frames. Collective on comm. */
void fields_dataset(MPI_Comm comm, const char *folder, const int64_t n[4], int64_t frames);

/* z = W [x(i - 1), x(i), x(i + 1)]: the neighbours along the first axis of all channels seen */
extern const locum_model_type fields_stencil;

/* a training on such a dataset */
typedef struct field_training {
    training t;
    locum_dataset *dataset;
} field_training;

/** surrogate, train: members of their blocks; type: NULL = what the study says. */
locum_status field_training_create(const char *surrogate, const char *train, const locum_model_type *type,
                                   const char *dataset, const char *folder, MPI_Comm comm, field_training *t);
void field_training_destroy(field_training *t);

#endif
