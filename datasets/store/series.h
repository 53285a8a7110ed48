/* SPDX-License-Identifier: BSD-3-Clause */
/* series.h - a growing array of values of one width: times of frames, counts, scalars. Starts as {.width = w}. */
#ifndef DATASETS_STORE_SERIES_H
#define DATASETS_STORE_SERIES_H

#include <stddef.h>
#include <stdint.h>

#include "locum/dev/error.h"

typedef struct locum_series {
    void *data;   /**< [n, width] bytes, owned */
    size_t width; /**< bytes of one value */
    int64_t n, capacity;
} locum_series;

/** Appends n values. Local. */
locum_status locum_series_add(locum_series *series, const void *values, int64_t n);
void locum_series_free(locum_series *series);

#endif
