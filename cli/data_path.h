/* SPDX-License-Identifier: BSD-3-Clause */
/* data_path.h - a dataset from what stands on the command line: data of any format, a run directory, or a study with a block
 * `dataset`; --set dataset.format=hdf5 and the like say what the files do not. */
#ifndef CLI_DATA_PATH_H
#define CLI_DATA_PATH_H

#include "cli/arguments.h"
#include "datasets/store/store.h"

/** Opens the data of the first word. LOCUM_STUDY, LOCUM_INPUT, LOCUM_DAMAGED. Local. */
locum_status data_path_open(const arguments *a, locum_dataset **dataset);

/** The same for a path of the caller's. Local. */
locum_status data_path_open_at(const char *path, const arguments *a, locum_dataset **dataset);

#endif
