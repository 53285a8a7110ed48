/* SPDX-License-Identifier: BSD-3-Clause */
/* formats.h - files of others as frames, one source file per format. "hdf5": one dataset of a file that somebody
 * else made; "locum": a file of our store (its last frame, or the frame at a time).
 *
 * probe says what a file implies for the options (resolution) with origin "file"; read gives each rank an even
 * slice along x. */
#ifndef DATASETS_FORMATS_FORMATS_H
#define DATASETS_FORMATS_FORMATS_H

#include <mpi.h>

#include "locum/dev/frame.h"

typedef struct locum_format_request {
    const char *path, *dataset; /**< file; name of the dataset ("vorticity" finds /t0_fields/vorticity too) */
    const char *format;         /**< "" = found out from the file */
    double box[3];              /**< lengths of the periodic box, for the domain of the frame */
} locum_format_request;

typedef struct locum_format_shape {
    int n_dims;
    int64_t n[3];
} locum_format_shape;

/** Shape of the field. LOCUM_INPUT: missing, foreign, wrong rank, not a float. Local. */
locum_status locum_format_probe(const locum_format_request *request, locum_format_shape *shape);
/** A frame with the one array, float64, this rank's even slice of whole rows along x. LOCUM_INPUT if a value is not
 * finite (named with its
 *  index). Collective (each rank reads its slice; they agree). locum_frame_release (datasets/store/store.h). */
locum_status locum_format_read(const locum_format_request *request, MPI_Comm comm, locum_frame **frame);

#endif
