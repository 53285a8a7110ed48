/* SPDX-License-Identifier: BSD-3-Clause */
/* synthetic.h - a dataset that needs no solver: an analytic map from (viscosity, drag) to a scalar, a profile and a
 * spectrum. */
#ifndef TESTS_UNIT_TRAIN_SYNTHETIC_H
#define TESTS_UNIT_TRAIN_SYNTHETIC_H

#include "datasets/loader/loader.h"
#include "surrogate/runtime/file.h"
#include "surrogate/train/train.h"

enum { SYNTHETIC_PROFILE = 6, SYNTHETIC_SPECTRUM = 8, SYNTHETIC_Z = 1 + SYNTHETIC_PROFILE + SYNTHETIC_SPECTRUM };

/** y [15]: energy, profile, spectrum; noise is the relative size of a disturbance that grows with drag. */
void synthetic_map(const double input[2], double noise, uint64_t seed, double y[SYNTHETIC_Z]);
/** n samples of train, validation, calibration and test; inputs uniform in (log viscosity, drag). Aborts if memory
 *  lacks. */
locum_table *synthetic_table(const int64_t n[4], double noise, uint64_t seed);
void synthetic_table_destroy(locum_table *table);

/* what one call of locum_train needs, made from two lines of a study */
typedef struct training {
    locum_study *study;
    locum_surrogate surrogate;
    locum_training_data data; /* of values: lends the table */
    locum_train_call call;
    char folder[LOCUM_PATH_SIZE], model[LOCUM_PATH_SIZE];
} training;

/** The study in `text`, its surrogate, and a call that lacks the data. Frees text. */
locum_status training_parse(locum_text *text, const char *folder, MPI_Comm comm, training *t);
/** surrogate: the members of its block, train: those of its; folder: created. */
locum_status training_create(const char *surrogate, const char *train, locum_table *table, const char *folder,
                             MPI_Comm comm, training *t);
void training_destroy(training *t);
/** A fresh folder below the temporary directory, the same on all ranks of comm. */
void training_folder(MPI_Comm comm, const char *name, char folder[LOCUM_PATH_SIZE]);
/** true if two model files hold the same tensors, bit for bit. */
bool same_tensors(const char *a, const char *b);

#endif
