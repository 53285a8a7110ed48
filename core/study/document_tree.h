/* SPDX-License-Identifier: BSD-3-Clause */
/* document_tree.h - what a node looks like inside; for document.c, yaml.c and yaml_write.c only.
 *
 *     document -> root -> items [n], each with its key and its place      all memory in the document's blocks */
#ifndef CORE_STUDY_DOCUMENT_TREE_H
#define CORE_STUDY_DOCUMENT_TREE_H

#include "core/study/document.h"
#include "locum/dev/option.h"

#define LOCUM_DOCUMENT_BYTES (1024 * 1024) /* largest study file */
#define LOCUM_DOCUMENT_DEPTH 32            /* deepest nesting */
#define LOCUM_DOCUMENT_NODES 200000        /* most nodes */
#define LOCUM_DOCUMENT_KEYS 1000           /* most keys of one mapping: they are compared pairwise */

typedef struct locum_yaml_place {
    int line, column; /**< from 1; 0 for --set */
    const char *set;  /**< "--set a.b=1" instead of a line, or NULL */
} locum_yaml_place;

typedef struct locum_yaml_key_entry {
    const char *name;
    locum_yaml_place place;
} locum_yaml_key_entry;

struct locum_yaml {
    locum_document *document;
    const locum_yaml *parent; /**< NULL at the root */
    const char *key;          /**< its key in the parent, NULL in a list */
    locum_yaml_kind kind;
    locum_origin origin;
    locum_yaml_place place;
    bool plain;       /**< a scalar without quotes */
    const char *text; /**< of a scalar */
    int n, capacity;
    locum_yaml **items;         /**< [n] */
    locum_yaml_key_entry *keys; /**< [n] of a mapping */
};

typedef struct locum_document_block locum_document_block;

struct locum_document {
    char *path, *folder; /**< of messages; absolute folder that its paths are relative to */
    locum_yaml *root;
    locum_document_block *blocks;
    int n_nodes;
};

/** Changes what relative paths are relative to: absolute, or relative to the present folder. Local. */
locum_status locum_document_set_folder(locum_document *document, const char *folder);
/** A path that a node holds as an absolute one: seen from the document's folder, or from the current one for --set. */
locum_status locum_document_resolve(const locum_document *document, locum_origin origin, const char *path,
                                    char out[LOCUM_PATH_SIZE]);
/** A value by itself ("2", "[1, 2]", "{name: x}") as the root of a small document, `place` in messages. */
locum_status locum_document_parse_value(const char *value, const char *place, locum_document **document);

/** "study.yaml:3:7" or "--set a.b=1" into out. Local. */
void locum_yaml_place_text(const locum_document *document, locum_yaml_place place, char out[LOCUM_PATH_SIZE + 32]);
/** "solver.forcing.amplitude" into out; "" for a root. Local. */
void locum_yaml_path(const locum_yaml *node, char out[LOCUM_PATH_SIZE]);
/** locum_yaml_fail, led by the path of the node: what the value belongs to. Local. */
locum_status locum_yaml_fail_value(const locum_yaml *node, const char *format, ...) LOCUM_PRINTF(2, 3);
/** Appends "a, b, c", cut at about 300 characters. Local. */
void locum_list_names(int n, const char *const *names, char *out, size_t size);
/** Appends a scalar, with quotes where YAML would read something else; `keep_number`: numbers need none. Local. */
void locum_yaml_write_scalar(const char *text, bool keep_number, locum_text *out);
/** Block lines with sorted keys and numbers in one form: equal meaning, equal text. Local. */
void locum_yaml_write_canonical(const locum_yaml *node, int indent, locum_text *out);

#endif
