/* SPDX-License-Identifier: BSD-3-Clause */
/* source_internal.h - parts of source.c in files of their own. */
#ifndef DATASETS_FORMATS_SOURCE_INTERNAL_H
#define DATASETS_FORMATS_SOURCE_INTERNAL_H

#include "datasets/formats/source.h"

/** dataset_csv.c: rows of a table. Local. */
locum_status locum_source_open_csv(const locum_source *source, const char *path, uint64_t hash,
                                   locum_dataset **dataset);

/** source_split.c: deals the samples of a foreign dataset to splits and leaves out what `subset` and `split` leave out.
 *  LOCUM_INPUT if there are too few. Local. */
locum_status locum_source_deal(const locum_source *source, uint64_t seed, locum_dataset *dataset);

#endif
