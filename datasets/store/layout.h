/* SPDX-License-Identifier: BSD-3-Clause */
/* layout.h - where each array lies in a file: the one table that writer and reader share.
 *
 *                 grid                                     rows
 *   grid array    /t<order>_fields/<name> [B, T, n, c]      -
 *   global        /scalars/<name> [B, T]                    /frames/<name> [F, c]
 *   rows array    /locum/<domain>/<name> [R, c]             /<domain>/<name> [R, c]
 *   its frames    /locum/<domain>/first [F + 1]             /<domain>/first
 *   samples       /locum/samples/, /locum/failed/           /samples/ (failed ones too)
 *   frames        /locum/frames/{first,time,step}           /frames/{first,time,step}
 *
 * What The Well has no place for (a vector with another number of components than the grid has axes, a global
 * vector) lies in /locum/<domain>/ with the axes of its kind. F = number of frames of all samples, R = rows of all
 * frames, c = components. */
#ifndef DATASETS_STORE_LAYOUT_H
#define DATASETS_STORE_LAYOUT_H

#include <hdf5.h>

#include "datasets/store/owned_schema.h"

#define LOCUM_STORE_FORMAT 1 /* raised when an older reader would misread a file */
#define LOCUM_STORE_NAME_SIZE 320

typedef enum locum_layout { LOCUM_LAYOUT_NONE, LOCUM_LAYOUT_GRID, LOCUM_LAYOUT_ROWS } locum_layout;
const char *locum_layout_name(locum_layout layout); /* "none", "grid", "rows" */
const char *locum_layout_samples(locum_layout layout);
const char *locum_layout_frames(locum_layout layout);

/** Which layout the arrays of a schema ask for; LOCUM_ARG if they fit none (two grids, a name with a slash). Local. */
locum_status locum_layout_of(const locum_owned_schema *schema, locum_layout *layout);
/** Path of an array, and of a domain's folder. Local. */
void locum_layout_array(locum_layout layout, const locum_schema *schema, int array, char path[LOCUM_STORE_NAME_SIZE]);
void locum_layout_domain(locum_layout layout, const locum_domain *domain, char path[LOCUM_STORE_NAME_SIZE]);
/** Whether the array is one of The Well's fields, or scalars. Local. */
bool locum_layout_is_field(const locum_schema *schema, int array);
bool locum_layout_is_scalar(const locum_schema *schema, int array);
/** Axes of an array in the file, for n_samples samples of n_frames frames (grid) or n_rows rows (or frames, of a
 * global);
 *  how many, and which of them is the first spatial one (or the rows). Local. */
int locum_layout_dims(locum_layout layout, const locum_schema *schema, int array, int64_t n_samples, int64_t n_frames,
                      int64_t n_rows, hsize_t dims[8], int *first_axis);
/** Type in the file: fields and particles are rounded to float32 unless precision is LOCUM_FLOAT64; globals,
 * profiles and
 *  spectra keep theirs. Local. */
locum_type locum_layout_type(const locum_schema *schema, int array, locum_type precision);
/** Chunk of a large array: one frame, in slabs along the first axis of at most 4 MiB. Local. */
void locum_layout_chunk(const locum_schema *schema, int array, locum_type stored, const hsize_t *dims, int n_dims,
                        int first_axis, hsize_t chunk[8]);

#endif
