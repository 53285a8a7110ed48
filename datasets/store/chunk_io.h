/* SPDX-License-Identifier: BSD-3-Clause */
/* chunk_io.h - whole chunks past HDF5's pipeline: the same bytes in the file, without its chunk cache and its slow
 * checksum. */
#ifndef DATASETS_STORE_CHUNK_IO_H
#define DATASETS_STORE_CHUNK_IO_H

#include "datasets/store/hdf5_tools.h"

/** HDF5's Fletcher-32 of n bytes (n even): sums of big-endian 16-bit words modulo 65535. Local. */
uint32_t locum_fletcher32(const void *data, size_t n);

/* Slabs along one axis: an array [.., n_axis, inner] whose chunks are 1 x .. x rows x inner, checksummed and
 * nothing else */
typedef struct locum_chunk_slabs {
    bool direct;      /**< the array is stored so; the rest holds only then */
    int n_dims, axis; /**< `axis` is the one that chunks cut */
    hsize_t rows;     /**< of a chunk */
    hsize_t n_axis;   /**< rows of the array */
    size_t row_bytes; /**< of the stored type */
} locum_chunk_slabs;

/** How an open array with these axes is stored. Local. */
void locum_chunk_slabs_of(hid_t dataset, int n_dims, const hsize_t *dims, int axis, size_t value_bytes,
                          locum_chunk_slabs *slabs);
/** Bytes of the buffer that the calls below need. Local. */
size_t locum_chunk_bytes(const locum_chunk_slabs *slabs);
/** Writes the chunk at `offset` (its first element); `buffer` holds its n rows, and is padded and signed here.
 * False = HDF5 failed. */
bool locum_chunk_write(hid_t dataset, hid_t transfer, const locum_chunk_slabs *slabs, const hsize_t *offset, hsize_t n,
                       void *buffer);
/** Reads the chunk at `offset` into buffer. 0 = good, 1 = HDF5 failed or it is not there, 2 = its checksum is wrong. */
int locum_chunk_read(hid_t dataset, const locum_chunk_slabs *slabs, const hsize_t *offset, void *buffer);

#endif
