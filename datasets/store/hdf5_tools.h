/* SPDX-License-Identifier: BSD-3-Clause */
/* hdf5_tools.h - the store's small vocabulary of HDF5: failures as our messages, attributes as h5py and The Well
 * expect them, arrays that always carry a checksum. Everything here is local; HDF5 is called from one thread only.
 *
 * Text attributes are variable-length UTF-8, booleans the enumeration FALSE = 0, TRUE = 1 over int8 (what h5py
 * reads as bool). Arrays are chunked with Fletcher32. Their fill value is a marker that no solver produces (a NaN
 * with a payload of its own, or the smallest integer): a value that was never written, or whose chunk was lost,
 * cannot pass for data. */
#ifndef DATASETS_STORE_HDF5_TOOLS_H
#define DATASETS_STORE_HDF5_TOOLS_H

#include <hdf5.h>
#include <stdbool.h>
#include <stdint.h>

#include "locum/dev/error.h"
#include "locum/type.h"

/** Records a failure with HDF5's own reason behind our text, and forgets HDF5's stack. */
locum_status locum_hdf5_fail(locum_status status, const char *file, int line, const char *format, ...)
    LOCUM_PRINTF(4, 5);
/** The status chain's check of an HDF5 call: `if (!st) st = LOCUM_HDF5(H5Dclose(d) >= 0, LOCUM_IO, "...")`. */
#define LOCUM_HDF5(ok, code, ...) ((ok) ? LOCUM_OK : locum_hdf5_fail((code), __FILE__, __LINE__, __VA_ARGS__))

hid_t locum_hdf5_file_type(locum_type type);   /**< little-endian; predefined, never closed */
hid_t locum_hdf5_memory_type(locum_type type); /**< native; predefined, never closed */
hid_t locum_hdf5_bool_type(void);              /**< new: H5Tclose */

/* attributes */
locum_status locum_hdf5_attribute_texts(hid_t object, const char *name, int n, const char *const *values);
locum_status locum_hdf5_attribute_text(hid_t object, const char *name, const char *value);
locum_status locum_hdf5_attribute_bools(hid_t object, const char *name, int n, const bool *values);
locum_status locum_hdf5_attribute_bool(hid_t object, const char *name, bool value);
locum_status locum_hdf5_attribute_integer(hid_t object, const char *name, int64_t value);
locum_status locum_hdf5_attribute_number(hid_t object, const char *name, double value);

#define LOCUM_HDF5_DIMS 8 /* most axes of an array of ours */

/** Makes a chunked, checksummed array that can grow along every axis where max is H5S_UNLIMITED; groups on the way
 * are made. early: chunks get their place when the array grows, which HDF5 1.10 needs where several ranks write
 * through a filter (without it a rank fails inside the collective call and the others wait for ever). *dataset:
 * H5Dclose. */
locum_status locum_hdf5_create(hid_t file, const char *path, hid_t type, int n_dims, const hsize_t *dims,
                               const hsize_t *max, const hsize_t *chunk, bool early, hid_t *dataset);
/** Makes and writes a small array (held whole in memory) in one call. Memory type = file type. dataset: NULL, or
 * H5Dclose. */
locum_status locum_hdf5_write(hid_t file, const char *path, hid_t type, int n_dims, const hsize_t *dims,
                              const void *data, hid_t *dataset);
/** Makes a group (with those on the way). *group: H5Gclose. */
locum_status locum_hdf5_group(hid_t file, const char *path, hid_t *group);

/** Reads a small array whole: `type` must be its file type exactly; dims [n_dims] are given back; where: the file,
 * for messages.
 *  limit: most bytes. free(*data). LOCUM_DAMAGED naming file and array. */
locum_status locum_hdf5_read(hid_t file, const char *where, const char *path, hid_t type, int n_dims, hsize_t *dims,
                             int64_t limit, void **data);
/** Opens an array and checks type, axes and that all of it lies in the file (dims: what it must be). *dataset:
 * H5Dclose. */
locum_status locum_hdf5_open(hid_t file, const char *where, const char *path, hid_t type, int n_dims,
                             const hsize_t *dims, hid_t *dataset);

/** Writes the marker into n values. */
void locum_hdf5_mark(locum_type type, void *values, int64_t n);
/** First value that is the marker, -1 if none. */
int64_t locum_hdf5_find_mark(locum_type type, const void *values, int64_t n);

/** Refuses what could lead out of the file or into foreign code: external and user-defined links, external storage,
 *  virtual datasets, filters that are not HDF5's own. LOCUM_INPUT. */
locum_status locum_hdf5_inspect(hid_t file, const char *where);
/** Opens for reading after looking that it is an HDF5 file, and inspects it. LOCUM_INPUT, LOCUM_DAMAGED. *file:
 * H5Fclose. */
locum_status locum_hdf5_open_file(const char *path, hid_t *file);

#endif
