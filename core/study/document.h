/* SPDX-License-Identifier: BSD-3-Clause */
/* document.h - a YAML file as a tree that remembers its places: every complaint names file, line and column.
 *
 * Numbers are strict: `1e-3abc`, `0,001`, `nan`, `010`, `0x10` are errors, not values. Duplicate keys, tabs, anchors,
 * aliases, tags, several documents, and files above 1 MiB are refused. */
#ifndef CORE_STUDY_DOCUMENT_H
#define CORE_STUDY_DOCUMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/text.h"
#include "locum/dev/error.h"

typedef struct locum_document locum_document;
typedef struct locum_yaml locum_yaml; /* one node; lent by its document */
typedef enum { LOCUM_YAML_SCALAR, LOCUM_YAML_LIST, LOCUM_YAML_MAPPING } locum_yaml_kind;
typedef enum { LOCUM_FROM_DEFAULT, LOCUM_FROM_FILE, LOCUM_FROM_STUDY, LOCUM_FROM_SET } locum_origin; /* later wins */

locum_status locum_document_read(const char *path, locum_document **document);
/** From memory; `name` stands for the file in messages. */
locum_status locum_document_parse(const char *text, size_t n, const char *name, locum_document **document);
/** Applies `a.b=value` (value is YAML flow text) as --set does; creates missing mappings on the way. */
locum_status locum_document_set(locum_document *document, const char *assignment);
void locum_document_destroy(locum_document *document);

const locum_yaml *locum_document_root(const locum_document *document); /* a mapping */
const char *locum_document_path(const locum_document *document);

/* Queries are local; `node` may be NULL, then they answer nothing. */
locum_yaml_kind locum_yaml_kind_of(const locum_yaml *node);
locum_origin locum_yaml_origin(const locum_yaml *node); /* STUDY or SET */
const locum_yaml *locum_yaml_find(const locum_yaml *mapping, const char *key);
int locum_yaml_n(const locum_yaml *node);
const locum_yaml *locum_yaml_item(const locum_yaml *node, int i); /* of a list, or the value of a mapping's i-th key */
const char *locum_yaml_key(const locum_yaml *mapping, int i);
const char *locum_yaml_string(const locum_yaml *node); /* scalar text, else NULL */

/** Strict numbers; a unit behind the number is turned into `unit` ("1" or NULL: none allowed). */
locum_status locum_yaml_f64(const locum_yaml *node, const char *unit, double *value);
locum_status locum_yaml_i64(const locum_yaml *node, int64_t *value);
locum_status locum_yaml_bool(const locum_yaml *node, bool *value); /* true, false */

/** A LOCUM_STUDY failure at this node: "study.yaml:3:7: " + text. For what tables cannot check. */
locum_status locum_yaml_fail(const locum_yaml *node, const char *format, ...) LOCUM_PRINTF(2, 3);
/** The same at the i-th key of a mapping: unknown keys. `known` [n_known] gives the suggestion. */
locum_status locum_yaml_unknown_key(const locum_yaml *mapping, int i, int n_known, const char *const *known);
/** The name that resembles `word` most, NULL if none is near. Local. */
const char *locum_nearest_name(const char *word, int n, const char *const *names);
/** Writes a node back: a mapping as `key: value` lines, a list or scalar as flow text without a line feed. */
void locum_yaml_write(const locum_yaml *node, int indent, locum_text *out);

#endif
