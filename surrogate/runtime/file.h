/* SPDX-License-Identifier: BSD-3-Clause */
/* file.h - the model file: a valid safetensors file with checksums, graphs and ports in its metadata.
 *
 *     [u64 header length][header: JSON, padded with spaces to 64 bytes][tensor 0][_pad.0][tensor 1] ...
 *     every tensor 64-byte aligned
 *
 * __metadata__ (text to text, as safetensors demands):
 *     format "locum-1"   operators "1"   requires "" (comma list; an unknown word is refused)
 *     header_xxh3        XXH3 over the header with these 16 digits zero; checked before anything else is believed
 *     xxh3/<tensor>      XXH3 of each tensor
 *     graph/predict, graph/interval   the entry points, each a graph (surrogate/graph/graph.h, JSON)
 *     inputs, outputs    [{name, text, unit, dims, axis_name, axis, lower, upper}]
 *     task "map" | "step"; of a step also interval, history, leads: decimal numbers (task.c)
 *     study, provenance, ...
 * Limits before any allocation: header 16 MiB, 100,000 nodes a graph, 4,096 tensors, rank 8, the caller's cap on
 * bytes. */
#ifndef SURROGATE_RUNTIME_FILE_H
#define SURROGATE_RUNTIME_FILE_H

#include "core/json.h"
#include "core/text.h"
#include "surrogate/graph/graph.h"

#define LOCUM_FILE_FORMAT "locum-1"
#define LOCUM_FILE_OPERATORS "1"
#define LOCUM_FILE_HEADER_MAX (16u << 20)
#define LOCUM_FILE_TENSORS_MAX 4096
#define LOCUM_FILE_NODES_MAX 100000

typedef struct locum_tensor {
    const char *name;
    locum_number number; /**< LOCUM_REAL32 or LOCUM_REAL64 */
    int n_dims;
    int64_t dims[LOCUM_DIMS_MAX];
    const void *data; /**< lent */
} locum_tensor;

typedef struct locum_metadata {
    const char *key, *value;
} locum_metadata;

/** Writes a model file into `out`: adds format, operators, requires, checksums and padding. Names must be unique.
 *  Local. */
locum_status locum_file_write(int n_metadata, const locum_metadata *metadata, int n_tensors,
                              const locum_tensor *tensors, locum_text *out);

/* A file taken apart; lends from the bytes and owns its nodes. */
typedef struct locum_file {
    locum_json *header;
    locum_json_node metadata;
    int n_tensors;
    locum_tensor *tensors; /**< [n_tensors] without padding tensors; data point into the bytes */
} locum_file;

/** Checks everything: lengths, order, alignment, overlap, checksums, finite values. LOCUM_DAMAGED naming what is
 *  wrong. Local. */
locum_status locum_file_read(const void *bytes, size_t n_bytes, locum_file *file);
void locum_file_free(locum_file *file);                                   /* NULL-safe members */
const char *locum_file_metadata(const locum_file *file, const char *key); /* NULL if absent */
const locum_tensor *locum_file_tensor(const locum_file *file, const char *name);
int64_t locum_tensor_count(const locum_tensor *tensor);

#endif
