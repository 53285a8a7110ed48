/* SPDX-License-Identifier: BSD-3-Clause */
/* shard_internal.h - a shard being written, as the files shard*.c share it.
 *
 *   shard.c           life cycle, samples, the sink            shard_finish.c   what is written once, at the end
 *   shard_frame.c     one frame: checks, places                shard_well.c     what The Well and netCDF want to find
 *   shard_transfer.c  values to disk, 1 GiB at most a call     xdmf.c           the file for ParaView
 *   shard_sort.c      rows in the order of their ids
 *
 * While samples come, only grid arrays and rows go to disk, collectively; what is small (times, scalars, counts,
 * samples) waits in memory, the same on every rank, until rank 0 writes it alone through the plain driver. A failed
 * sample leaves its slot to the next one: counters go back, and the extents are cut at the end. */
#ifndef DATASETS_STORE_SHARD_INTERNAL_H
#define DATASETS_STORE_SHARD_INTERNAL_H

#include <mpi.h>

#include "datasets/store/chunk_io.h"
#include "datasets/store/hdf5_tools.h"
#include "datasets/store/layout.h"
#include "datasets/store/series.h"
#include "datasets/store/store.h"
#include "locum/dev/option.h"

typedef struct locum_shard_record { /* one sample, good or failed */
    locum_store_sample sample;      /**< parameter: NULL here, see `parameters` */
    locum_status status;
    int64_t n_frames;
    char *reason; /**< owned; NULL of a good one */
} locum_shard_record;

struct locum_shard {
    char path[LOCUM_PATH_SIZE], part[LOCUM_PATH_SIZE];
    MPI_Comm comm; /**< the group's, not owned */
    int rank, size;
    locum_store_facts facts; /**< texts owned */
    locum_split split;
    locum_type precision;
    int64_t cap; /**< most bytes of one transfer */

    locum_owned_schema *schema; /**< of the wanted arrays; NULL before the first open */
    locum_layout layout;
    hid_t file, transfer;     /**< -1 while closed; transfer properties */
    hid_t *dataset;           /**< [n_arrays] of grid arrays and rows, -1 else */
    locum_chunk_slabs *slabs; /**< [n_arrays] of grid arrays of a group of one rank */
    int write_back;           /**< descriptor of the file for early write-back, -1 = none */
    int64_t pushed;           /**< bytes when it was last asked for */

    locum_series records;    /**< of locum_shard_record */
    locum_series parameters; /**< [records.n, n_parameters] double */
    locum_series time, step; /**< of every frame of good samples and of the one being written */
    locum_series *values;    /**< [n_arrays] of globals: one entry a frame */
    locum_series *rows;      /**< [n_domains] of rows domains: rows of each frame */
    int64_t *n_rows;         /**< [n_domains] rows so far */
    int64_t *extent_rows;    /**< [n_domains] rows the arrays have room for */
    int64_t extent_samples, extent_frames;
    int64_t n_good, frames_per_sample; /**< -1 until a sample is complete */

    bool in_sample, has_next;
    locum_store_sample next;             /**< told by locum_shard_sample; parameter: next_parameter */
    double *next_parameter;              /**< [n_parameters] */
    int64_t frames_before, *rows_before; /**< counters when this sample began */
    int64_t bytes;
};

/* one rank's part of one array of one frame */
typedef struct locum_shard_part {
    const void *data;
    int64_t first[3], n[3]; /**< grid: slab; rows: first[0], n[0] within the frame */
} locum_shard_part;

/** Writes a slab of an open array: dims first..., count... of all axes, split along axis `split` (and the next) so
 * that no call
 *  moves more than the cap; source type -> stored type. Collective; count may hold a 0 on some ranks. */
locum_status locum_shard_transfer(locum_shard *shard, hid_t dataset, const char *name, int n_dims, const hsize_t *first,
                                  const hsize_t *count, int split, hsize_t align, const void *data, locum_type type,
                                  locum_type stored);
/** The same for a slab of whole rows of chunks: split is the axis of `slabs`, and the slab begins and ends where the
 * array does.
 *  Past HDF5's pipeline. Local: groups of one rank only. */
locum_status locum_shard_transfer_chunks(locum_shard *shard, hid_t dataset, const locum_chunk_slabs *slabs,
                                         const char *name, const hsize_t *first, const void *data, locum_type type,
                                         locum_type stored);
/** n values of one type as those of another (float64 to float32 is the only change). Local. */
void locum_shard_convert(const void *from, locum_type type, void *to, locum_type stored, int64_t n);

/** Puts the rows of all arrays of one domain into the order of the array "id", spread evenly enough over the ranks.
 *  part [n_arrays]: in, each rank's rows; out, its run of the sorted rows (data owned: free(memory[a])). Collective. */
locum_status locum_shard_sort_rows(locum_shard *shard, int domain, int id, locum_shard_part *part, void **memory);

/** Makes the large arrays in the file (rank 0, plain driver). Local. */
locum_status locum_shard_make_arrays(locum_shard *shard, hid_t file);
/** One frame. Collective. */
locum_status locum_shard_add_frame(locum_shard *shard, const locum_frame *frame);
/** Everything that is written once (rank 0, plain driver). Local. */
locum_status locum_shard_finish(locum_shard *shard);
/** Attributes and groups of The Well and netCDF's dimensions. Local. */
locum_status locum_shard_write_well(locum_shard *shard, hid_t file);
/** The XDMF text. Local. */
locum_status locum_shard_xdmf(const locum_shard *shard, locum_text *out);
/** Coordinates of the mesh points, [n..., n_dims]: what the XDMF refers to. Local. */
locum_status locum_shard_write_mesh(locum_shard *shard, hid_t file);
/** Unit and description of an array. Local. */
locum_status locum_shard_describe(hid_t dataset, const locum_array *array);

/** Seconds that the verification of the last commit took on this rank, for benches: *seconds is filled by the next
 * commit. */
locum_status locum_shard_commit_timed(locum_shard *shard, double *verify_seconds);
/** Lowers the cap of a transfer, for tests. */
void locum_shard_set_cap(locum_shard *shard, int64_t bytes);

#endif
