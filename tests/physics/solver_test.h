/* SPDX-License-Identifier: BSD-3-Clause */
/* solver_test.h - what the physics tests of all solvers share: the defaults of an option table, and how far two fields are apart. */
#ifndef TESTS_PHYSICS_SOLVER_TEST_H
#define TESTS_PHYSICS_SOLVER_TEST_H

#include <math.h>
#include <stdio.h>

#include "locum/dev/option.h"

/* the options' own defaults */
static inline void apply_defaults(const locum_option *options, void *config)
{
    for (const locum_option *o = options; o && o->type != LOCUM_END; o++) {
        char *place = (char *)config + o->place;
        const int n = o->n_max ? o->n_default : 1;
        for (int i = 0; i < n; i++) {
            if (o->type == LOCUM_F64) ((double *)(void *)place)[i] = o->value;
            if (o->type == LOCUM_I32 || o->type == LOCUM_CHOICE) ((int32_t *)(void *)place)[i] = (int32_t)o->value;
        }
        if (o->type == LOCUM_STRING) snprintf(place, LOCUM_TEXT_SIZE, "%s", o->string);
        if (o->n_max) *(int32_t *)(void *)((char *)config + o->place_n) = o->n_default;
        for (const locum_choice *c = o->choices; c && c->name; c++) apply_defaults(c->options, config);
    }
}

/* relative L2 difference of two arrays */
static inline double relative_difference(const double *a, const double *b, int64_t n)
{
    double difference = 0, size = 0;
    for (int64_t i = 0; i < n; i++) {
        difference += (a[i] - b[i]) * (a[i] - b[i]);
        size += b[i] * b[i];
    }
    return sqrt(difference / size);
}

#endif
