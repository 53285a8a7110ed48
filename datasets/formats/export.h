/* SPDX-License-Identifier: BSD-3-Clause */
/* export.h - a dataset of any reader, written for other programs.
 *
 *   the_well   OUT/data/{train,valid,...}/NAME.h5, or one file OUT.h5: what the store writes, which The Well's tools read
 *   hdf5       one plain file: NAME [samples, frames, grid, components] float32, parameters/NAME [samples],
 *              time [samples, frames], split [samples] (0 train, 1 validation, 2 calibration, 3 test, 4 noise)
 *   csv        a line a frame: sample, split, time, parameters, values (no fields)
 * Failed samples are left out. A file exists whole or not at all. */
#ifndef DATASETS_FORMATS_EXPORT_H
#define DATASETS_FORMATS_EXPORT_H

#include "datasets/store/store.h"

/** By name of the format. LOCUM_STUDY: an unknown format (names them); LOCUM_INPUT: what the format cannot hold (rows
 *  whose number changes, samples with other numbers of frames, fields in CSV); LOCUM_IO. Local. */
locum_status locum_export(const locum_dataset *dataset, const char *format, const char *out);

#endif
