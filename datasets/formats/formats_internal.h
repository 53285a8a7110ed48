/* SPDX-License-Identifier: BSD-3-Clause */
/* formats_internal.h - one descriptor a format; formats.c picks, the files do. */
#ifndef DATASETS_FORMATS_FORMATS_INTERNAL_H
#define DATASETS_FORMATS_FORMATS_INTERNAL_H

#include <stdbool.h>

#include "datasets/formats/formats.h"

typedef struct locum_format_type {
    const char *name;
    /** Shape of the field. Local. */
    locum_status (*probe)(const locum_format_request *request, locum_format_shape *shape);
    /** Planes first .. first + n along x as float64. Local. */
    locum_status (*read)(const locum_format_request *request, const locum_format_shape *shape, int64_t first, int64_t n,
                         double *values);
} locum_format_type;

/** Local. */
bool locum_format_same_shape(const locum_format_shape *a, const locum_format_shape *b);

extern const locum_format_type locum_format_hdf5, locum_format_locum;

#endif
