/* SPDX-License-Identifier: BSD-3-Clause */
/* owned_schema.h - a schema that owns its texts and axes: what a shard remembers of the solver's, what a reader
 * finds in a file, and frames that outlive whoever made them. */
#ifndef DATASETS_STORE_OWNED_SCHEMA_H
#define DATASETS_STORE_OWNED_SCHEMA_H

#include "core/json.h"
#include "core/text.h"
#include "locum/dev/frame.h"

typedef struct locum_owned_schema {
    locum_schema schema;   /**< what others see; float32 arrays read back as float64 */
    locum_domain *domains; /**< [schema.n_domains], owned */
    locum_array *arrays;   /**< [schema.n_arrays], owned */
    int *source;           /**< [schema.n_arrays] index in the schema that was copied */
    locum_type *stored;    /**< [schema.n_arrays] type in the file */
    void **memory;         /**< [n_memory] texts and axes, owned */
    int n_memory, capacity;
} locum_owned_schema;

/** The wanted arrays (NULL = all) and the domains that they use. Local. */
locum_status locum_owned_schema_copy(const locum_schema *schema, const bool *wanted, locum_owned_schema **copy);
void locum_owned_schema_destroy(locum_owned_schema *schema); /* NULL-safe */
/** One JSON object. The same schema gives the same text. Local. */
void locum_owned_schema_write(const locum_owned_schema *schema, locum_text *out);
/** Reads what write wrote; where: the file, for messages. LOCUM_DAMAGED. Local. */
locum_status locum_owned_schema_read(const locum_json *json, locum_json_node node, const char *where,
                                     locum_owned_schema **schema);

/** A frame that owns its data: blocks [schema->n_arrays] with data NULL, to be filled with memory from locum_alloc.
 *  own: NULL, or the schema (the same one) that goes with it. Freed by locum_frame_release. Local. */
locum_status locum_frame_create(const locum_schema *schema, locum_owned_schema *own, locum_frame **frame);

#endif
