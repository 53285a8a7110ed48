/* SPDX-License-Identifier: BSD-3-Clause */
/* program_file.h - one array of one frame from a file that a program wrote: what locum_services.read offers. */
#ifndef DATASETS_FORMATS_PROGRAM_FILE_H
#define DATASETS_FORMATS_PROGRAM_FILE_H

#include "locum/dev/solver.h"

/** Planes first .. first + n of the array -> values, as double. Values that are not finite are handed on. LOCUM_INPUT:
 *  no such file, array or shape; LOCUM_DAMAGED: cut off; LOCUM_CONVERGENCE: fewer frames than n_frames. Local. */
locum_status locum_program_file_read(const locum_file_array *array, double *values);

#endif
