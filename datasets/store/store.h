/* SPDX-License-Identifier: BSD-3-Clause */
/* store.h - frames on disk: HDF5 in two layouts (grid = The Well + netCDF-4, rows), one writer, one reader.
 *
 * Layout is chosen from the schema's wanted arrays: grid if one of them lies on a 2-D or 3-D grid, else rows.
 *
 *   grid   /t0_fields/vorticity [B, T, x, y]   /t1_fields/velocity [B, T, x, y, 2]
 *          /dimensions /scalars /boundary_conditions
 *          profiles, spectra of a grid file: /locum/<domain>/first, /locum/<domain>/<array>     XDMF beside it
 *   rows   /samples/{index,seed,split,status,noise,parameter/<name>}  /frames/{first,time,<scalar>}
 *          /<domain>/first int64[F+1]  /<domain>/<array> [rows, shape]  /<domain>/axis
 *
 * A shard is one file with samples of one split. It is written as NAME.part and committed (core/study/commit.h). */
#ifndef DATASETS_STORE_STORE_H
#define DATASETS_STORE_STORE_H

#include <mpi.h>

#include "core/text.h"
#include "locum/dev/frame.h"

/* splits; their names are folder names too: data/train, data/valid (The Well's word), data/test, data/calibration,
 * data/noise */
typedef enum locum_split {
    LOCUM_TRAIN,
    LOCUM_VALIDATION,
    LOCUM_CALIBRATION,
    LOCUM_TEST,
    LOCUM_NOISE,
    LOCUM_SPLITS
} locum_split;
const char *locum_split_name(locum_split split);   /* "train", "validation", "calibration", "test", "noise" */
const char *locum_split_folder(locum_split split); /* "data/train", "data/valid", ... */

/* what every file says about itself */
typedef struct locum_store_facts {
    const char *dataset_name; /**< the study's name */
    const char *study;        /**< resolved study, YAML */
    const char *provenance;   /**< JSON members */
    uint64_t options_hash;    /**< of the generate stage */
    int n_parameters;         /**< varied parameters */
    const char *const *parameter_name, *const *parameter_unit;
    int n_constants; /**< other numbers that The Well's readers may want: box lengths, a fixed viscosity; may be 0 */
    const char *const *constant_name;
    const double *constant; /**< [n_constants] */
} locum_store_facts;

/* what the file says about one sample */
typedef struct locum_store_sample {
    int64_t index; /**< in the campaign's plan */
    uint64_t seed;
    locum_split split;
    int64_t twin;            /**< noise samples: the index of the sample that they repeat, else -1 */
    const double *parameter; /**< [n_parameters] */
} locum_store_sample;

typedef struct locum_shard locum_shard;

/** Opens a shard for writing: path.part. Collective on comm (the group). precision: LOCUM_FLOAT32 or LOCUM_FLOAT64
 * for fields. */
locum_status locum_shard_create(const char *path, MPI_Comm comm, const locum_store_facts *facts, locum_split split,
                                locum_type precision, locum_shard **shard);
/** Says which sample the sink's next open is about. Local. */
void locum_shard_sample(locum_shard *shard, const locum_store_sample *sample);
/** Frames go in here; open, frame and close are collective. A failed sample (close with LOCUM_NUMERIC or
 * LOCUM_CONVERGENCE) leaves a
 *  record with parameters and reason and no frames; all samples of a grid shard have the same number of frames. */
locum_sink locum_shard_sink(locum_shard *shard);
int64_t locum_shard_n_samples(const locum_shard *shard); /* good and failed */
int64_t locum_shard_bytes(const locum_shard *shard);     /* written so far */
/** Closes, verifies (checksums read back), fsyncs, renames; XDMF beside a grid file. Collective. The shard is gone
 * afterwards. */
locum_status locum_shard_commit(locum_shard *shard);
/** Closes and removes. Collective; NULL-safe. */
void locum_shard_abandon(locum_shard *shard);

/* --- reading: a file, or a dataset folder with all its shards --------------------------------- */
typedef struct locum_dataset locum_dataset;

typedef struct locum_dataset_sample {
    int64_t index, twin;
    uint64_t seed;
    locum_split split;
    bool failed;
    const char *reason;      /**< of a failure; lent */
    const double *parameter; /**< [n_parameters]; lent */
    int64_t n_frames;
} locum_dataset_sample;

/** Opens for reading, serially, on the calling process; any number of processes may. Samples are sorted by index.
 * LOCUM_INPUT missing or foreign, LOCUM_DAMAGED. External links, external storage, virtual datasets and unknown
 * filters are refused. */
locum_status locum_dataset_open(const char *path, locum_dataset **dataset);
void locum_dataset_close(locum_dataset *dataset); /* NULL-safe */
int64_t locum_dataset_n(const locum_dataset *dataset);
const locum_dataset_sample *locum_dataset_sample_at(const locum_dataset *dataset, int64_t b);
const locum_schema *locum_dataset_schema(const locum_dataset *dataset); /* arrays that the files hold */
uint64_t locum_dataset_options_hash(const locum_dataset *dataset);
const char *locum_dataset_study(const locum_dataset *dataset);
int locum_dataset_n_parameters(const locum_dataset *dataset);
const char *locum_dataset_parameter_name(const locum_dataset *dataset, int i);
const char *locum_dataset_parameter_unit(const locum_dataset *dataset, int i);
double locum_dataset_time(const locum_dataset *dataset, int64_t b, int64_t frame);
/** Values of one array of one frame that read() will give (rows may differ). */
int64_t locum_dataset_count(const locum_dataset *dataset, int64_t b, int64_t frame, int array);
/** Reads one array of one frame (frame < 0 counts from the last) into buffer [count] as double. Checksums are
 * checked. */
locum_status locum_dataset_read(const locum_dataset *dataset, int64_t b, int64_t frame, int array, double *buffer);
/** The same for frames first .. first + n at once, as float32 [n, count]: what batches are made of. One read where the
 *  file stores them so; no conversion of float32. Checksums are checked where the file has them. */
locum_status locum_dataset_read_frames(const locum_dataset *dataset, int64_t b, int64_t first, int64_t n, int array,
                                       float *buffer);
/** A whole frame with the blocks of an even slice along the first grid axis for this rank; rows and globals whole.
 *  Owned by the caller: locum_frame_release. */
locum_status locum_dataset_read_frame(const locum_dataset *dataset, int64_t b, int64_t frame, int rank, int size,
                                      const bool *wanted, locum_frame **out);
void locum_frame_release(locum_frame *frame);
/** Indices of samples (good or failed) that committed shards of a dataset folder hold, sorted; free(*index).
 * Leftover .part files are
 *  ignored (and removed by the campaign). A damaged shard is LOCUM_DAMAGED with its name. */
locum_status locum_store_done(const char *folder, int64_t **index, int64_t *n);

/** Once per process before any HDF5 call: no atexit handler, quiet error stack (texts go into our messages). Local. */
void locum_store_setup(void);

#endif
