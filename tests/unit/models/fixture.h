/* SPDX-License-Identifier: BSD-3-Clause */
/* fixture.h - a small task with every kind of channel, a network with random weights for it, and its model file.
 *
 *     inputs   viscosity (log), drag (linear)          outputs  energy (log), torque (linear), profile [5] (linear),
 *                                                               spectrum [7] (log share of energy) */
#ifndef TESTS_UNIT_MODELS_FIXTURE_H
#define TESTS_UNIT_MODELS_FIXTURE_H

#include "surrogate/models/model_type.h"
#include "surrogate/runtime/file.h"

#define FIXTURE_X 2
#define FIXTURE_Z 14
#define FIXTURE_TENSORS_MAX 40
#define FIXTURE_CALIBRATION 40

typedef struct fixture_tensor {
    char name[80];
    locum_number number;
    int n_dims;
    int64_t dims[LOCUM_DIMS_MAX], n;
    double *values; /* rounded to float32 where the tensor is float32 */
    float *floats;
} fixture_tensor;

typedef struct fixture {
    locum_task *task;
    int32_t config[8]; /* of the model type */
    int n_tensors;
    fixture_tensor tensors[FIXTURE_TENSORS_MAX];
    int64_t n_features;
    locum_graph *predict, *interval;
} fixture;

/** An mlp with so many members, layers and values of a layer; all weights are functions of the seed. Aborts if
 *  anything fails. */
fixture *fixture_create(int members, int layers, int width, uint64_t seed);
void fixture_destroy(fixture *f);
fixture_tensor *fixture_find(fixture *f, const char *name);
/** For locum_graph_evaluate: values of parameters by name; `self` is the fixture. */
const double *fixture_value(void *self, const char *name);
/** A physical input row inside the training range. */
void fixture_input(uint64_t index, double values[FIXTURE_X]);
/** The model file. */
void fixture_write(const fixture *f, locum_text *out);
/** Writes a file from parts that a test has bent. */
void fixture_write_with(const fixture *f, const char *predict, const char *interval, const char *inputs,
                        const char *outputs, locum_text *out);
/** JSON of the ports and graphs, as they stand in the file. */
void fixture_ports(const fixture *f, bool inputs, locum_text *out);

#endif
