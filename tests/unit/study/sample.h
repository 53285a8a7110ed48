/* SPDX-License-Identifier: BSD-3-Clause */
/* sample.h - an option table with every type, flag and nesting, for the tests of studies. */
#ifndef TESTS_UNIT_STUDY_SAMPLE_H
#define TESTS_UNIT_STUDY_SAMPLE_H

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "locum/dev/option.h"

typedef struct sample_config {
    double viscosity, drag, box, wall_time;
    int32_t n_resolution, resolution[3], forcing, start;
    int64_t wavenumber;
    double amplitude, angle, slope;
    bool dealias, long_given;
    char label[LOCUM_TEXT_SIZE], table[LOCUM_PATH_SIZE];
    int32_t n_observe;
    char observe[8][LOCUM_TEXT_SIZE];
    int32_t n_others;
    char others[3][LOCUM_TEXT_SIZE];
    int32_t train, test;
    double until;
    int32_t hidden;
} sample_config;

#define AT(field) .place = offsetof(sample_config, field)

static const locum_option sample_kolmogorov[] = {{.name = "wavenumber",
                                                  .type = LOCUM_I64,
                                                  AT(wavenumber),
                                                  .value = 4,
                                                  .min = 1,
                                                  .max = 64,
                                                  .unit = "1",
                                                  .text = "waves across the box"},
                                                 {.name = "amplitude",
                                                  .type = LOCUM_F64,
                                                  AT(amplitude),
                                                  .value = 1,
                                                  .min = 0,
                                                  .max = INFINITY,
                                                  .unit = "1",
                                                  .text = "largest force",
                                                  .flags = LOCUM_PARAMETER},
                                                 {0}};
static const locum_option sample_diagonal[] = {
    {.name = "amplitude", .type = LOCUM_F64, AT(amplitude), .value = 0.1, .unit = "1", .text = "size of both waves"},
    {.name = "angle", .type = LOCUM_F64, AT(angle), .value = 45, .min = 0, .max = 90, .unit = "1", .text = "direction"},
    {0}};
static const locum_choice sample_forcing[] = {{"none", "nothing drives the flow", NULL},
                                              {"kolmogorov", "a sine of y", sample_kolmogorov},
                                              {"diagonal", "two waves along the diagonal", sample_diagonal},
                                              {0}};
static const locum_option sample_split[] = {{.name = "train",
                                             .type = LOCUM_I32,
                                             AT(train),
                                             .value = 88,
                                             .min = 1,
                                             .max = 1e6,
                                             .unit = "1",
                                             .text = "samples to learn from"},
                                            {.name = "test",
                                             .type = LOCUM_I32,
                                             AT(test),
                                             .value = 32,
                                             .min = 0,
                                             .max = 1e6,
                                             .unit = "1",
                                             .text = "samples to test with"},
                                            {0}};
static const locum_choice sample_split_table[] = {{"split", "", sample_split}, {0}};
static const locum_option sample_long[] = {
    {.name = "until", .type = LOCUM_F64, AT(until), .value = 200, .unit = "1", .text = "end of longer samples"}, {0}};
static const locum_choice sample_long_table[] = {{"long", "", sample_long}, {0}};

static const locum_option sample_options[] = {
    {.name = "viscosity",
     .type = LOCUM_F64,
     AT(viscosity),
     .value = 1e-3,
     .min = 0,
     .max = 10,
     .unit = "1",
     .text = "kinematic viscosity",
     .flags = LOCUM_OPEN_MIN | LOCUM_PARAMETER},
    {.name = "drag",
     .type = LOCUM_F64,
     AT(drag),
     .value = 0.1,
     .min = 0,
     .max = 1,
     .unit = "1",
     .text = "linear drag",
     .flags = LOCUM_OPEN_MAX},
    {.name = "box",
     .type = LOCUM_F64,
     AT(box),
     .value = 50,
     .min = 0,
     .max = INFINITY,
     .unit = "Mpc",
     .text = "length of the box"},
    {.name = "wall_time",
     .type = LOCUM_F64,
     AT(wall_time),
     .value = NAN,
     .min = 0,
     .max = INFINITY,
     .unit = "s",
     .text = "time limit"},
    {.name = "resolution",
     .type = LOCUM_I32,
     AT(resolution),
     .value = 64,
     .min = 4,
     .max = 8192,
     .unit = "1",
     .text = "points",
     .n_max = 3,
     .n_default = 1,
     .place_n = offsetof(sample_config, n_resolution)},
    {.name = "forcing",
     .type = LOCUM_CHOICE,
     AT(forcing),
     .value = 0,
     .text = "what drives the flow",
     .choices = sample_forcing},
    {.name = "dealias", .type = LOCUM_BOOL, AT(dealias), .value = 1, .text = "cut off the highest waves"},
    {.name = "label", .type = LOCUM_STRING, AT(label), .text = "name of the run", .string = "plain"},
    {.name = "table", .type = LOCUM_PATH, AT(table), .text = "a table of spectra"},
    {.name = "observe",
     .type = LOCUM_STRING,
     AT(observe),
     .text = "what is stored",
     .n_max = 8,
     .n_default = 1,
     .string = "energy",
     .place_n = offsetof(sample_config, n_observe)},
    {.name = "others",
     .type = LOCUM_PAIRS,
     AT(others),
     .text = "options of another library",
     .n_max = 3,
     .place_n = offsetof(sample_config, n_others)},
    {.name = "split", .type = LOCUM_GROUP, .text = "how samples are used", .choices = sample_split_table},
    {.name = "long",
     .type = LOCUM_GROUP,
     AT(long_given),
     .text = "longer samples",
     .flags = LOCUM_TOLD,
     .choices = sample_long_table},
    {.name = "hidden", .type = LOCUM_I32, AT(hidden), .value = 7, .text = "set by the program", .flags = LOCUM_HIDDEN},
    {0}};

/* a table whose choice is called `name`: its options lie beside it */
static const locum_option sample_random[] = {
    {.name = "slope", .type = LOCUM_F64, AT(slope), .value = -3, .unit = "1", .text = "of the spectrum"}, {0}};
static const locum_choice sample_start[] = {
    {"rest", "nothing moves", NULL}, {"random", "a Gaussian field", sample_random}, {0}};
static const locum_option sample_initial[] = {
    {.name = "name", .type = LOCUM_CHOICE, AT(start), .value = 0, .text = "the initial state", .choices = sample_start},
    {0}};

#endif
