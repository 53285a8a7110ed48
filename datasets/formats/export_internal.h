/* SPDX-License-Identifier: BSD-3-Clause */
/* export_internal.h - one function a format. */
#ifndef DATASETS_FORMATS_EXPORT_INTERNAL_H
#define DATASETS_FORMATS_EXPORT_INTERNAL_H

#include "datasets/formats/export.h"

locum_status locum_export_csv(const locum_dataset *dataset, const char *out);
locum_status locum_export_hdf5(const locum_dataset *dataset, const char *out);
locum_status locum_export_the_well(const locum_dataset *dataset, const char *out);

/** Whether a sample has frames. Local. */
bool locum_export_is_good(const locum_dataset *dataset, int64_t b);
/** Values of a frame of an array, -1 if they differ from frame to frame. Local. */
int64_t locum_export_count(const locum_dataset *dataset, int array);

#endif
