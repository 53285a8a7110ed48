/* SPDX-License-Identifier: BSD-3-Clause */
/* mapped.h - arrays in HDF5 files of others, by what each of their axes means.
 *
 *     /t1_fields/velocity [3, 10, 64, 48, 2]  =  sample, time, x, y, component
 *
 * A layout looks into one file and says which arrays, samples, times, axes and parameters it has (locum_mapped_facts);
 * all files of a dataset must say the same. Values are then read by those roles, from any order of axes: an axis that an
 * array lacks means that it does not change along it. */
#ifndef DATASETS_FORMATS_MAPPED_H
#define DATASETS_FORMATS_MAPPED_H

#include "datasets/formats/source.h"
#include "datasets/store/hdf5_tools.h"
#include "datasets/store/reader.h"

#define LOCUM_MAPPED_NAME 64
#define LOCUM_MAPPED_PATH 256
#define LOCUM_MAPPED_ARRAYS 32
#define LOCUM_MAPPED_PARAMETERS 64
#define LOCUM_MAPPED_LIST 400 /* bytes of the list of what a file holds, for messages */

/* what an axis is; LOCUM_AXIS_SPACE + 1, + 2: the second and third of space */
enum { LOCUM_AXIS_SAMPLE, LOCUM_AXIS_TIME, LOCUM_AXIS_SPACE, LOCUM_AXIS_COMPONENT = LOCUM_AXIS_SPACE + 3 };

typedef struct locum_mapped_array {
    char name[LOCUM_MAPPED_NAME], unit[32];
    char path[LOCUM_MAPPED_PATH]; /**< in the file, or below the sample's group */
    int n_dims, role[LOCUM_HDF5_DIMS];
    hsize_t dims[LOCUM_HDF5_DIMS];
    int order, shape[2];
    bool on_grid; /**< else one value (or vector) a frame */
    locum_type stored;
} locum_mapped_array;

/* what one file says */
typedef struct locum_mapped_facts {
    int n_axes; /**< of space: 0 .. 3 */
    int64_t n[3];
    char axis_name[3][32], axis_unit[32];
    double *axis[3]; /**< [n] coordinates, owned; NULL = not known */
    locum_boundary side[3];
    int n_arrays;
    locum_mapped_array arrays[LOCUM_MAPPED_ARRAYS];
    int n_parameters;
    char parameter_name[LOCUM_MAPPED_PARAMETERS][LOCUM_MAPPED_NAME];
    double *parameter[LOCUM_MAPPED_PARAMETERS]; /**< [n_samples], owned */
    bool drop_constant;                         /**< parameters that are the same in all samples are none */
    int64_t n_samples, n_frames;
    bool timeless;
    double *time; /**< [n_frames], or [n_samples, n_frames] if time_of_sample; owned; NULL = frame * time_step */
    bool time_of_sample;
    char **group; /**< [n_samples] each sample lies in a group of its own; owned; NULL = samples are an axis */
} locum_mapped_facts;

void locum_mapped_facts_free(locum_mapped_facts *facts);

/* one file while a layout looks into it; all lent */
typedef struct locum_mapped_looking {
    const locum_source *source;
    hid_t file;        /**< or a group in it */
    const char *where; /**< its path, for messages */
    locum_mapped_facts *facts;
} locum_mapped_looking;

/* one layout: fills the (zeroed) facts of one file, which is open and inspected. Local. */
typedef struct locum_mapped_layout {
    const char *name;
    locum_status (*look)(const locum_mapped_looking *l);
} locum_mapped_layout;

extern const locum_mapped_layout locum_mapped_the_well, locum_mapped_hdf5, locum_mapped_pdebench;

/** A dataset over files in one layout; the split of a sample is that of its file. Local. */
locum_status locum_mapped_open(const locum_mapped_layout *layout, const locum_source *source, int n_files,
                               char *const *paths, const locum_split *split, uint64_t hash, locum_dataset **dataset);

/* --- mapped_look.c: what layouts ask a file --------------------------------------------------- */
/** Whether there is a dataset, or a group, at a path. Local. */
bool locum_mapped_has(hid_t file, const char *path);
bool locum_mapped_has_group(hid_t file, const char *path);
/** Names of all datasets of a file, for messages. Local. */
void locum_mapped_list(hid_t file, char list[LOCUM_MAPPED_LIST]);
/** Shape as text: "[3, 10, 64]". Local. */
void locum_mapped_shape(int n_dims, const hsize_t *dims, char *text, size_t size);
/** Type and axes of a dataset of floats: path, n_dims, dims, stored. LOCUM_INPUT: missing (what there is), integers, no
 *  numbers, too many axes, an empty axis, never written whole. Local. */
locum_status locum_mapped_array_at(hid_t file, const char *where, const char *path, locum_mapped_array *array);
/** All values of a small dataset of numbers (integers too) with its axes. LOCUM_INPUT; free(*values). Local. */
locum_status locum_mapped_numbers(hid_t file, const char *where, const char *path, int *n_dims,
                                  hsize_t dims[LOCUM_HDF5_DIMS], double **values);
/** Attributes of an object at a path; the fallback where there is none. Local. */
bool locum_mapped_flag(hid_t file, const char *path, const char *name, int at, bool fallback);
int64_t locum_mapped_integer(hid_t file, const char *path, const char *name, int64_t fallback);
/** Text number `at` of an attribute of texts (fixed or variable length); false where there is none. Local. */
bool locum_mapped_text(hid_t file, const char *path, const char *name, int at, char *text, size_t size);
/** Whether the source asks for this array. Local. */
bool locum_mapped_wanted(const locum_source *source, const char *name);
/** The last word of a path. Local. */
const char *locum_mapped_word(const char *path);
/** Appends an array; LOCUM_INPUT if there are too many. *array: to be filled. Local. */
locum_status locum_mapped_add(locum_mapped_facts *facts, const char *where, locum_mapped_array **array);
/** One more parameter, [n_samples] values taken over. Local. */
locum_status locum_mapped_parameter(locum_mapped_facts *facts, const char *where, const char *name, double *values);
/** After look: something to read, no field that was asked for is missing (what there is). Local. */
locum_status locum_mapped_complete(const locum_source *source, hid_t file, const char *where,
                                   const locum_mapped_facts *facts);

#endif
