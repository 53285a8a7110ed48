/* SPDX-License-Identifier: BSD-3-Clause */
/* source.h - data that somebody already has: the block `dataset` of a study, and the dataset behind it.
 *
 *     dataset: {path: /data/shear_flow, format: the_well, fields: [velocity], subset: 200}
 *
 *   locum      files of ours                              the_well   folder with data/{train,valid,test}, or one file
 *   hdf5       arrays named by `inputs` and `outputs`     csv        a row a sample: `inputs` -> `outputs`
 *   pdebench   density, Vx, ... | tensor | a group a sample | velocity, particles, force
 *
 * Nothing is copied: values are read where they lie, when they are asked for. Splits are by sample, a function of (seed,
 * number of the sample); where the data come in folders of splits these are kept, and what they lack (calibration) is
 * cut from train and valid. Left out: data that do not fit one schema (several resolutions), rows that come and go. */
#ifndef DATASETS_FORMATS_SOURCE_H
#define DATASETS_FORMATS_SOURCE_H

#include "core/study/study.h"
#include "datasets/store/store.h"

typedef enum locum_source_format {
    LOCUM_SOURCE_AUTO, /* found out from the files */
    LOCUM_SOURCE_LOCUM,
    LOCUM_SOURCE_THE_WELL,
    LOCUM_SOURCE_HDF5,
    LOCUM_SOURCE_CSV,
    LOCUM_SOURCE_PDEBENCH
} locum_source_format;

typedef enum locum_source_periodic {
    LOCUM_PERIODIC_AUTO,
    LOCUM_PERIODIC_TRUE,
    LOCUM_PERIODIC_FALSE
} locum_source_periodic;

/* the block, as read; plain data, may be copied with = */
typedef struct locum_source {
    char path[LOCUM_PATH_SIZE]; /**< absolute, or relative to the current directory */
    int32_t format, periodic;
    int32_t n_fields, n_inputs, n_outputs;
    char fields[LOCUM_LIST_MAX][LOCUM_TEXT_SIZE];     /**< arrays to take; none: all */
    char inputs[LOCUM_LIST_MAX][LOCUM_TEXT_SIZE];     /**< hdf5, csv */
    char outputs[LOCUM_LIST_MAX][LOCUM_TEXT_SIZE];    /**< hdf5, csv */
    int32_t samples_axis, time_axis, components_axis; /**< hdf5; -1 = none, or (components) behind space */
    int32_t axes;                                     /**< hdf5: axes of space; 0 = found out */
    int64_t subset;                                   /**< 0 = all */
    bool has_split;
    double split[LOCUM_TEST + 1]; /**< fractions (all <= 1) or counts of train, validation, calibration, test */
    double box[3];                /**< lengths; n_box 0 = from the file, else 1 along each axis */
    int32_t n_box;
    double time_step; /**< between frames where the file does not say; NAN = not given */
} locum_source;

extern const locum_option locum_source_options[]; /* table of the block */

/** Reads and checks the block `dataset` of a study. LOCUM_STUDY with file, line and column: no block, an unknown key, a
 *  format that needs `inputs` and `outputs`, a split that is neither fractions nor counts. Opens nothing. Local. */
locum_status locum_source_read(locum_study *study, locum_source *source);
/** Defaults for a path without a study: all arrays, format found out. Local. */
void locum_source_of_path(const char *path, locum_source *source);
/** Opens for reading, serially, on the calling process. seed: of the study; decides splits and `subset`.
 *  LOCUM_INPUT (what is wrong, with file, array and shape), LOCUM_DAMAGED. locum_dataset_close. Local. */
locum_status locum_source_open(const locum_source *source, uint64_t seed, locum_dataset **dataset);
/** Options and the names, sizes and modification times of all files: what a stage that reads the data depends on. Opens
 *  no file. LOCUM_INPUT if the path is missing. Local. */
locum_status locum_source_hash(const locum_source *source, uint64_t seed, uint64_t *hash);

#endif
