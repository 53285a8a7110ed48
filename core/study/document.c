/* SPDX-License-Identifier: BSD-3-Clause */
/* document.c - libyaml's events become a tree; what a study does not need is refused here.
 *
 *     text -> events -> nodes with line and column        --set a.b=value: value -> events -> a node put at a.b
 *
 * Refused: duplicate keys, anchors, aliases, tags, directives, several documents, more than 1 MiB, nesting deeper
 * than 32. So no input makes the tree larger than the text by more than a constant. All nodes live until the document
 * is destroyed. */
#include "core/study/document_tree.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <yaml.h>

#include "core/memory.h"
#include "core/study/commit.h"

/* ---- memory: a chain of blocks ---- */

struct locum_document_block {
    locum_document_block *next;
    size_t used, size;
    max_align_t bytes[];
};

static locum_status take(locum_document *document, size_t n, void *pointer)
{
    locum_document_block *block = document->blocks;
    n = (n + sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t);
    if (!block || block->size - block->used < n) {
        size_t size = n > 16384 ? n : 16384;
        char *fresh = NULL;
        LOCUM_TRY(locum_alloc(&fresh, (int64_t)(sizeof *block + size), 1));
        block = (locum_document_block *)(void *)fresh;
        block->size = size;
        block->next = document->blocks;
        document->blocks = block;
    }
    *(void **)pointer = (char *)block->bytes + block->used;
    block->used += n;
    return LOCUM_OK;
}

static locum_status take_text(locum_document *document, const char *text, size_t n, const char **copy)
{
    char *fresh = NULL;
    LOCUM_TRY(take(document, n + 1, &fresh));
    memcpy(fresh, text, n);
    fresh[n] = 0;
    *copy = fresh;
    return LOCUM_OK;
}

/* ---- places ---- */

void locum_yaml_place_text(const locum_document *document, locum_yaml_place place, char out[LOCUM_PATH_SIZE + 32])
{
    if (place.set)
        snprintf(out, LOCUM_PATH_SIZE + 32, "%s", place.set);
    else
        snprintf(out, LOCUM_PATH_SIZE + 32, "%.900s:%d:%d", document->path, place.line, place.column);
}

/* one reading: of a file, or of the value of one --set */
typedef struct reader {
    yaml_parser_t parser;
    locum_document *document;
    locum_origin origin;
    const char *set;  /**< place of every node, or NULL: lines and columns */
    const char *text; /**< [n] */
    size_t n;
} reader;

static locum_yaml_place place_of(const reader *r, yaml_mark_t mark)
{
    locum_yaml_place place = {(int)mark.line + 1, (int)mark.column + 1, NULL};
    if (r->set) place = (locum_yaml_place){0, 0, r->set};
    return place;
}

static locum_status refuse(const reader *r, locum_yaml_place place, const char *format, ...) LOCUM_PRINTF(3, 4);
static locum_status refuse(const reader *r, locum_yaml_place place, const char *format, ...)
{
    char where[LOCUM_PATH_SIZE + 32], what[768];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    locum_yaml_place_text(r->document, place, where);
    return LOCUM_FAIL(LOCUM_STUDY, "%s: %s", where, what);
}

/* libyaml's complaint, and what usually cures it */
static const char *remedy(const char *problem, bool at_tab)
{
    if (at_tab) return "indent with spaces: YAML allows no tabs there";
    if (strstr(problem, "mapping values are not allowed"))
        return "check the indentation; a text that contains `: ` needs quotes";
    if (strstr(problem, "expected ',' or '}'")) return "a mapping {a: 1, b: 2} is not closed, or a comma is missing";
    if (strstr(problem, "expected ',' or ']'")) return "a list [1, 2] is not closed, or a comma is missing";
    if (strstr(problem, "could not find expected ':'")) return "each option is written `key: value`";
    if (strstr(problem, "expected key"))
        return "check the indentation of this line: keys of one block stand in one column";
    if (strstr(problem, "unexpected end of stream")) return "a quote is not closed";
    return "check indentation, brackets and quotes";
}

static locum_status refuse_syntax(const reader *r)
{
    const yaml_parser_t *p = &r->parser;
    const char *problem = p->problem ? p->problem : "unreadable text";
    if (p->error == YAML_MEMORY_ERROR) return LOCUM_FAIL(LOCUM_MEMORY, "no memory to read %s", r->document->path);
    if (p->error == YAML_READER_ERROR) {
        yaml_mark_t mark = {0};
        for (size_t i = 0; i < p->problem_offset && i < r->n; i++) {
            mark.column = r->text[i] == '\n' ? 0 : mark.column + (((unsigned char)r->text[i] & 0xC0) != 0x80);
            mark.line += r->text[i] == '\n';
        }
        return refuse(r, place_of(r, mark), "%s: a study is UTF-8 text", problem);
    }
    bool at_tab = p->problem_mark.index < r->n && r->text[p->problem_mark.index] == '\t';
    return refuse(r, place_of(r, p->problem_mark), "not YAML: %s%s%s; %s", p->context ? p->context : "",
                  p->context ? ", " : "", problem, remedy(problem, at_tab));
}

static locum_status next_event(reader *r, yaml_event_t *event)
{
    memset(event, 0, sizeof *event);
    if (!yaml_parser_parse(&r->parser, event)) return refuse_syntax(r);
    return LOCUM_OK;
}

/* ---- nodes ---- */

static locum_status new_node(reader *r, locum_yaml_kind kind, locum_yaml_place place, locum_yaml **node)
{
    if (r->document->n_nodes >= LOCUM_DOCUMENT_NODES)
        return refuse(r, place, "more than %d values: larger tables belong in a data file", LOCUM_DOCUMENT_NODES);
    locum_yaml *fresh = NULL;
    LOCUM_TRY(take(r->document, sizeof *fresh, &fresh));
    memset(fresh, 0, sizeof *fresh);
    fresh->document = r->document;
    fresh->kind = kind;
    fresh->origin = r->origin;
    fresh->place = place;
    r->document->n_nodes++;
    *node = fresh;
    return LOCUM_OK;
}

static locum_status append(locum_yaml *parent, const locum_yaml_key_entry *key, locum_yaml *item)
{
    if (parent->n == parent->capacity) {
        int capacity = parent->capacity ? 2 * parent->capacity : 4;
        locum_yaml **items = NULL;
        LOCUM_TRY(take(parent->document, (size_t)capacity * sizeof *items, &items));
        if (parent->n) memcpy(items, parent->items, (size_t)parent->n * sizeof *items);
        if (parent->kind == LOCUM_YAML_MAPPING) {
            locum_yaml_key_entry *keys = NULL;
            LOCUM_TRY(take(parent->document, (size_t)capacity * sizeof *keys, &keys));
            if (parent->n) memcpy(keys, parent->keys, (size_t)parent->n * sizeof *keys);
            parent->keys = keys;
        }
        parent->items = items;
        parent->capacity = capacity;
    }
    if (key) parent->keys[parent->n] = *key;
    item->parent = parent;
    item->key = key ? key->name : NULL;
    parent->items[parent->n++] = item;
    return LOCUM_OK;
}

static int find_key(const locum_yaml *mapping, const char *key)
{
    for (int i = 0; i < mapping->n; i++) {
        if (!strcmp(mapping->keys[i].name, key)) return i;
    }
    return -1;
}

static locum_status read_scalar(reader *r, const yaml_event_t *event, locum_yaml **node)
{
    const char *text = (const char *)event->data.scalar.value;
    size_t n = event->data.scalar.length;
    locum_yaml_place place = place_of(r, event->start_mark);
    if (strlen(text) != n) return refuse(r, place, "a text must not contain the character 0");
    LOCUM_TRY(new_node(r, LOCUM_YAML_SCALAR, place, node));
    (*node)->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    return take_text(r->document, text, n, &(*node)->text);
}

/* names a feature of YAML that studies do without, or NULL */
static const char *needless(const yaml_event_t *event)
{
    const yaml_char_t *anchor = NULL, *tag = NULL;
    if (event->type == YAML_ALIAS_EVENT) return "aliases (*name)";
    if (event->type == YAML_SCALAR_EVENT) anchor = event->data.scalar.anchor, tag = event->data.scalar.tag;
    if (event->type == YAML_MAPPING_START_EVENT)
        anchor = event->data.mapping_start.anchor, tag = event->data.mapping_start.tag;
    if (event->type == YAML_SEQUENCE_START_EVENT)
        anchor = event->data.sequence_start.anchor, tag = event->data.sequence_start.tag;
    return anchor ? "anchors (&name)" : tag ? "tags (!name)" : NULL;
}

static locum_status read_node(reader *r, const yaml_event_t *event, int depth, locum_yaml **node);

static locum_status read_key(reader *r, const locum_yaml *mapping, const yaml_event_t *event, locum_yaml_key_entry *key)
{
    locum_yaml *scalar = NULL;
    char where[LOCUM_PATH_SIZE + 32];
    locum_yaml_place place = place_of(r, event->start_mark);
    if (needless(event)) return refuse(r, place, "a study takes no %s: write the values out", needless(event));
    if (event->type != YAML_SCALAR_EVENT) return refuse(r, place, "a key must be a plain word");
    if (!event->data.scalar.length) return refuse(r, place, "a key is missing before `:`");
    LOCUM_TRY(read_scalar(r, event, &scalar));
    *key = (locum_yaml_key_entry){scalar->text, place};
    int other = find_key(mapping, key->name);
    if (other >= 0) {
        locum_yaml_place_text(r->document, mapping->keys[other].place, where);
        return refuse(r, place, "`%.60s` is given twice (first at %s): remove one", key->name, where);
    }
    if (mapping->n >= LOCUM_DOCUMENT_KEYS)
        return refuse(r, place, "more than %d keys in one mapping", LOCUM_DOCUMENT_KEYS);
    return LOCUM_OK;
}

static locum_status read_items(reader *r, locum_yaml *parent, int depth)
{
    bool mapping = parent->kind == LOCUM_YAML_MAPPING;
    yaml_event_type_t end = mapping ? YAML_MAPPING_END_EVENT : YAML_SEQUENCE_END_EVENT;
    for (;;) {
        yaml_event_t event;
        locum_yaml_key_entry key = {0};
        locum_yaml *item = NULL;
        LOCUM_TRY(next_event(r, &event));
        bool done = event.type == end;
        locum_status st = LOCUM_OK;
        if (!done && mapping) {
            st = read_key(r, parent, &event, &key);
            yaml_event_delete(&event);
            if (!st) st = next_event(r, &event);
        }
        if (!st && !done) st = read_node(r, &event, depth, &item);
        yaml_event_delete(&event);
        if (!st && !done) st = append(parent, mapping ? &key : NULL, item);
        if (st || done) return st;
    }
}

static locum_status read_node(reader *r, const yaml_event_t *event, int depth, locum_yaml **node)
{
    locum_yaml_place place = place_of(r, event->start_mark);
    if (needless(event)) return refuse(r, place, "a study takes no %s: write the values out", needless(event));
    if (event->type == YAML_SCALAR_EVENT) return read_scalar(r, event, node);
    if (depth >= LOCUM_DOCUMENT_DEPTH) return refuse(r, place, "nested deeper than %d", LOCUM_DOCUMENT_DEPTH);
    bool mapping = event->type == YAML_MAPPING_START_EVENT;
    LOCUM_TRY(new_node(r, mapping ? LOCUM_YAML_MAPPING : LOCUM_YAML_LIST, place, node));
    return read_items(r, *node, depth + 1);
}

/* ---- documents ---- */

static locum_status expect_one_document(reader *r, locum_yaml **root, bool *block_style)
{
    yaml_event_t event;
    LOCUM_TRY(next_event(r, &event)); /* stream start */
    yaml_event_delete(&event);
    LOCUM_TRY(next_event(r, &event));
    if (event.type == YAML_STREAM_END_EVENT) {
        yaml_event_delete(&event);
        return LOCUM_OK;
    }
    bool directives = event.data.document_start.version_directive ||
                      event.data.document_start.tag_directives.start != event.data.document_start.tag_directives.end;
    locum_yaml_place place = place_of(r, event.start_mark);
    yaml_event_delete(&event);
    if (directives) return refuse(r, place, "a study takes no %%directives: remove the line");
    LOCUM_TRY(next_event(r, &event));
    *block_style =
        (event.type == YAML_MAPPING_START_EVENT && event.data.mapping_start.style == YAML_BLOCK_MAPPING_STYLE) ||
        (event.type == YAML_SEQUENCE_START_EVENT && event.data.sequence_start.style == YAML_BLOCK_SEQUENCE_STYLE);
    locum_status st = read_node(r, &event, 0, root);
    yaml_event_delete(&event);
    if (!st) st = next_event(r, &event); /* document end */
    if (!st) yaml_event_delete(&event);
    if (!st) st = next_event(r, &event);
    if (st) return st;
    place = place_of(r, event.start_mark);
    bool more = event.type != YAML_STREAM_END_EVENT;
    yaml_event_delete(&event);
    return more ? refuse(r, place, "a second document begins here: one file holds one study") : LOCUM_OK;
}

static locum_status parse_into(locum_document *document, const char *text, size_t n, locum_origin origin,
                               const char *set, locum_yaml **root, bool *block_style)
{
    reader r = {.document = document, .origin = origin, .set = set, .text = text, .n = n};
    *root = NULL;
    *block_style = false;
    if (!yaml_parser_initialize(&r.parser)) return LOCUM_FAIL(LOCUM_MEMORY, "no memory to read %s", document->path);
    yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)text, n);
    locum_status st = expect_one_document(&r, root, block_style);
    yaml_parser_delete(&r.parser);
    return st;
}

/* absolute folder of a file, or the current one if the file's cannot be found (a name that stands for a text) */
static locum_status find_folder(const char *path, char out[LOCUM_PATH_SIZE])
{
    char buffer[PATH_MAX], found[PATH_MAX];
    snprintf(buffer, sizeof buffer, "%s", path);
    char *slash = strrchr(buffer, '/');
    if (slash) slash[slash == buffer] = 0;
    if ((!slash || !realpath(buffer, found)) && !getcwd(found, sizeof found))
        return LOCUM_FAIL(LOCUM_IO, "the current directory cannot be read: %s", strerror(errno));
    if (snprintf(out, LOCUM_PATH_SIZE, "%.*s", LOCUM_PATH_SIZE, found) >= LOCUM_PATH_SIZE)
        return LOCUM_FAIL(LOCUM_STUDY, "the folder of %.200s has a path of more than %d bytes", path,
                          LOCUM_PATH_SIZE - 1);
    return LOCUM_OK;
}

static locum_status create(const char *name, locum_document **document)
{
    char folder[LOCUM_PATH_SIZE];
    locum_document *fresh = NULL;
    *document = NULL;
    LOCUM_TRY(find_folder(name, folder));
    LOCUM_TRY(LOCUM_NEW(&fresh, 1));
    locum_status st = locum_copy_text(&fresh->path, name);
    if (!st) st = locum_copy_text(&fresh->folder, folder);
    if (st) {
        locum_document_destroy(fresh);
        return st;
    }
    *document = fresh;
    return LOCUM_OK;
}

locum_status locum_document_parse(const char *text, size_t n, const char *name, locum_document **document)
{
    bool block_style;
    locum_document *fresh = NULL;
    *document = NULL;
    if (n > LOCUM_DOCUMENT_BYTES)
        return LOCUM_FAIL(LOCUM_STUDY, "%s:1:1: %zu bytes are too many for a study (at most %d): is it a data file?",
                          name, n, LOCUM_DOCUMENT_BYTES);
    LOCUM_TRY(create(name, &fresh));
    locum_status st = parse_into(fresh, text, n, LOCUM_FROM_STUDY, NULL, &fresh->root, &block_style);
    if (!st && !fresh->root)
        st = LOCUM_FAIL(LOCUM_STUDY, "%s:1:1: the file is empty; `locum new` writes one to begin with", name);
    if (!st && fresh->root->kind != LOCUM_YAML_MAPPING)
        st = LOCUM_FAIL(LOCUM_STUDY, "%s:%d:%d: expected `key: value` lines", name, fresh->root->place.line,
                        fresh->root->place.column);
    if (st) {
        locum_document_destroy(fresh);
        return st;
    }
    *document = fresh;
    return LOCUM_OK;
}

locum_status locum_document_read(const char *path, locum_document **document)
{
    char *bytes = NULL;
    size_t n = 0;
    *document = NULL;
    locum_status st = locum_read_bytes(path, LOCUM_DOCUMENT_BYTES, &bytes, &n);
    if (!st) st = locum_document_parse(bytes, n, path, document);
    free(bytes);
    return st;
}

void locum_document_destroy(locum_document *document)
{
    if (!document) return;
    while (document->blocks) {
        locum_document_block *next = document->blocks->next;
        free(document->blocks);
        document->blocks = next;
    }
    free(document->path);
    free(document->folder);
    free(document);
}

const locum_yaml *locum_document_root(const locum_document *document)
{
    return document ? document->root : NULL;
}

const char *locum_document_path(const locum_document *document)
{
    return document->path;
}

locum_status locum_document_parse_value(const char *value, const char *place, locum_document **document)
{
    bool block_style;
    locum_document *fresh = NULL;
    const char *set = NULL;
    *document = NULL;
    LOCUM_TRY(create(place, &fresh));
    locum_status st = take_text(fresh, place, strlen(place), &set);
    if (!st) st = parse_into(fresh, value, strlen(value), LOCUM_FROM_SET, set, &fresh->root, &block_style);
    if (!st && !fresh->root) st = LOCUM_FAIL(LOCUM_STUDY, "%s: a value is missing", place);
    if (st) {
        locum_document_destroy(fresh);
        return st;
    }
    *document = fresh;
    return LOCUM_OK;
}

/* ---- --set ---- */

/* a mapping where a child is going to be set: made, or made of the bare name of a choice */
static locum_status open_mapping(reader *r, locum_yaml *parent, const locum_yaml_key_entry *key, locum_yaml **child)
{
    int i = find_key(parent, key->name);
    locum_yaml *found = i >= 0 ? parent->items[i] : NULL, *mapping = NULL;
    if (found && found->kind == LOCUM_YAML_MAPPING) {
        *child = found;
        return LOCUM_OK;
    }
    if (found && found->kind == LOCUM_YAML_LIST)
        return refuse(r, key->place, "`%.60s` is a list: set the whole list", key->name);
    LOCUM_TRY(new_node(r, LOCUM_YAML_MAPPING, key->place, &mapping));
    *child = mapping;
    if (!found) return append(parent, key, mapping);
    mapping->place = found->place;
    mapping->parent = parent;
    mapping->key = parent->keys[i].name;
    parent->items[i] = mapping;
    if (found->plain && !found->text[0]) return LOCUM_OK;
    locum_yaml_key_entry name = {"name", found->place};
    return append(mapping, &name, found);
}

static locum_status put_value(locum_yaml *parent, const locum_yaml_key_entry *key, locum_yaml *value)
{
    int i = find_key(parent, key->name);
    if (i < 0) return append(parent, key, value);
    parent->keys[i].place = key->place;
    value->parent = parent;
    value->key = parent->keys[i].name;
    parent->items[i] = value;
    return LOCUM_OK;
}

static locum_status set_value(reader *r, const char *assignment, const char *equals)
{
    locum_yaml_place place = {0, 0, r->set};
    locum_yaml *value = NULL, *parent = r->document->root;
    bool block_style;
    LOCUM_TRY(parse_into(r->document, r->text, r->n, LOCUM_FROM_SET, r->set, &value, &block_style));
    if (!value || (value->kind == LOCUM_YAML_SCALAR && value->plain && !value->text[0]))
        return refuse(r, place, "a value is missing behind `=`");
    if (block_style) return refuse(r, place, "write a mapping as {a: 1, b: 2} and a list as [1, 2]");
    int depth = 0;
    for (const char *p = assignment;; depth++) {
        size_t n = strcspn(p, ".=");
        locum_yaml_key_entry key = {NULL, place};
        if (!n || depth >= LOCUM_DOCUMENT_DEPTH / 2)
            return refuse(r, place, "expected option=value, with option like solver.viscosity");
        LOCUM_TRY(take_text(r->document, p, n, &key.name));
        if (p + n == equals) return put_value(parent, &key, value);
        LOCUM_TRY(open_mapping(r, parent, &key, &parent));
        p += n + 1;
    }
}

locum_status locum_document_set(locum_document *document, const char *assignment)
{
    char set[128];
    const char *equals = strchr(assignment, '=');
    bool whole = (size_t)snprintf(set, sizeof set, "--set %s", assignment) < sizeof set;
    if (!whole) memcpy(set + sizeof set - 4, "...", 4);
    if (!equals || equals == assignment)
        return LOCUM_FAIL(LOCUM_STUDY, "%s: expected option=value, for example solver.viscosity=1e-3", set);
    if (strlen(assignment) > 65536) return LOCUM_FAIL(LOCUM_STUDY, "%s: longer than 65536 bytes", set);
    reader r = {.document = document, .origin = LOCUM_FROM_SET, .text = equals + 1, .n = strlen(equals + 1)};
    LOCUM_TRY(take_text(document, set, strlen(set), &r.set));
    return set_value(&r, assignment, equals);
}

/* ---- paths ---- */

/* folder + "/" + path, without "./" and with leading "../" taken from the folder, which holds no links */
static locum_status join(const char *folder, const char *path, char out[LOCUM_PATH_SIZE])
{
    char base[LOCUM_PATH_SIZE];
    snprintf(base, sizeof base, "%s", path[0] == '/' ? "" : folder);
    for (;;) {
        if (!strncmp(path, "./", 2)) {
            path += 2;
        } else if (!strncmp(path, "../", 3) && strrchr(base, '/')) {
            path += 3;
            *strrchr(base, '/') = 0;
        } else {
            break;
        }
        path += strspn(path, "/");
    }
    if (!strcmp(base, "/")) base[0] = 0;
    const char *between = path[0] == '/' ? "" : "/";
    if (snprintf(out, LOCUM_PATH_SIZE, "%s%s%s", base, between, path) >= LOCUM_PATH_SIZE)
        return LOCUM_FAIL(LOCUM_STUDY, "path of more than %d bytes: %.200s...", LOCUM_PATH_SIZE - 1, path);
    return LOCUM_OK;
}

locum_status locum_document_resolve(const locum_document *document, locum_origin origin, const char *path,
                                    char out[LOCUM_PATH_SIZE])
{
    char here[LOCUM_PATH_SIZE];
    if (!path[0]) {
        out[0] = 0;
        return LOCUM_OK;
    }
    if (origin == LOCUM_FROM_STUDY) return join(document->folder, path, out);
    if (!getcwd(here, sizeof here))
        return LOCUM_FAIL(LOCUM_IO, "the current directory cannot be read: %s", strerror(errno));
    return join(here, path, out);
}

locum_status locum_document_set_folder(locum_document *document, const char *folder)
{
    char joined[LOCUM_PATH_SIZE];
    LOCUM_TRY(join(document->folder, folder, joined));
    free(document->folder);
    document->folder = NULL;
    return locum_copy_text(&document->folder, joined);
}
