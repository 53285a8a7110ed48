/* SPDX-License-Identifier: BSD-3-Clause */
/* json.h - a strict JSON reader (RFC 8259) for hostile input: flat nodes, no recursion deeper than 32, caps
 * before any allocation, duplicate keys refused, UTF-8 checked. Writing is text.h. */
#ifndef CORE_JSON_H
#define CORE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "locum/dev/error.h"

typedef struct locum_json locum_json; /* owns all nodes of one document */
typedef int32_t locum_json_node;      /* -1 = none */

/** Parses n bytes. max_nodes caps memory. LOCUM_DAMAGED with the byte offset on any fault. Local. */
locum_status locum_json_parse(const char *bytes, size_t n, int64_t max_nodes, locum_json **json);
void locum_json_destroy(locum_json *json); /* NULL-safe */

typedef enum {
    LOCUM_JSON_NULL,
    LOCUM_JSON_BOOL,
    LOCUM_JSON_NUMBER,
    LOCUM_JSON_STRING,
    LOCUM_JSON_ARRAY,
    LOCUM_JSON_OBJECT
} locum_json_kind;

/* clang-format off */
/* All queries are local, and answer "none" (NULL, -1, false, 0) for a node of another kind or -1. The root is node 0. */
locum_json_kind locum_json_kind_of(const locum_json *json, locum_json_node node);
locum_json_node locum_json_find(const locum_json *json, locum_json_node object, const char *key);
int64_t locum_json_n(const locum_json *json, locum_json_node node);                            /* items or members */
locum_json_node locum_json_first(const locum_json *json, locum_json_node node);                /* first item or member */
locum_json_node locum_json_next(const locum_json *json, locum_json_node node);                 /* its next sibling */
const char *locum_json_key(const locum_json *json, locum_json_node member);                    /* 0-terminated */
const char *locum_json_string(const locum_json *json, locum_json_node node);                   /* 0-terminated, unescaped */
bool locum_json_number(const locum_json *json, locum_json_node node, double *value);
bool locum_json_integer(const locum_json *json, locum_json_node node, int64_t *value);         /* exact integers only */
bool locum_json_bool(const locum_json *json, locum_json_node node, bool *value);

#endif
