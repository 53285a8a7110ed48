/* SPDX-License-Identifier: BSD-3-Clause */
/* study.c - a study: one document, and the settings of the blocks that rooms have asked for.
 *
 *     document --(table of a room)--> settings of "solver", "train", "surrogate.mlp", ...     the rest is read by hand
 *
 * Written back, a block shows its settings, what was read by hand as it stood, and so do blocks nobody asked for. */
#include "core/study/study.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/hash.h"
#include "core/memory.h"
#include "core/study/settings_table.h"

#define MOST_BLOCKS 32
#define NAME_SIZE 64

typedef struct block {
    char path[LOCUM_SETTING_PATH];
    locum_settings *settings; /* owned */
} block;

struct locum_study {
    locum_document *document;
    char name[NAME_SIZE];
    uint64_t seed;
    int n_blocks;
    block blocks[MOST_BLOCKS]; /* in the order they were made; owners of a config before its views */
};

static const char *const top_keys[] = {"study",  "seed",     "folder",    "solver", "dataset",  "initial",
                                       "record", "campaign", "surrogate", "train",  "validate", "limits"};
enum { N_TOP_KEYS = sizeof top_keys / sizeof top_keys[0], FIRST_BLOCK = 3 };

/* ---- reading ---- */

static locum_status check_top_keys(const locum_study *study)
{
    const locum_yaml *root = locum_document_root(study->document);
    for (int i = 0; i < root->n; i++) {
        bool known = false;
        for (int k = 0; k < N_TOP_KEYS && !known; k++) known = !strcmp(root->keys[i].name, top_keys[k]);
        if (!known) return locum_yaml_unknown_key(root, i, N_TOP_KEYS, top_keys);
    }
    return LOCUM_OK;
}

static locum_status read_name(locum_study *study)
{
    const locum_yaml *root = locum_document_root(study->document), *node = locum_yaml_find(root, "study");
    const char *name = locum_yaml_string(node);
    if (!node) return locum_yaml_fail(root, "the study has no name: begin with `study: NAME`");
    if (!name || !name[0] || strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-") != strlen(name) ||
        strlen(name) >= NAME_SIZE)
        return locum_yaml_fail(node, "study: the name becomes that of a folder: up to %d of a-z 0-9 _ -%s%.80s%s",
                               NAME_SIZE - 1, name ? ", not `" : "", name ? name : "", name ? "`" : "");
    snprintf(study->name, sizeof study->name, "%s", name);
    return LOCUM_OK;
}

static locum_status read_head(locum_study *study)
{
    int64_t seed = 1;
    const locum_yaml *root = locum_document_root(study->document), *folder = locum_yaml_find(root, "folder");
    LOCUM_TRY(check_top_keys(study));
    LOCUM_TRY(read_name(study));
    const locum_yaml *node = locum_yaml_find(root, "seed");
    if (node) LOCUM_TRY(locum_yaml_i64(node, &seed));
    if (seed < 0) return locum_yaml_fail(node, "seed: %lld is out of range: it must be >= 0", (long long)seed);
    study->seed = (uint64_t)seed;
    if (!folder) return LOCUM_OK;
    if (!locum_yaml_string(folder) || !locum_yaml_string(folder)[0])
        return locum_yaml_fail(folder, "folder: expected a path");
    return locum_document_set_folder(study->document, locum_yaml_string(folder));
}

/* takes over the document, also when it fails */
static locum_status begin(locum_document *document, int n_sets, const char *const *sets, locum_study **study)
{
    locum_study *fresh = NULL;
    locum_status st = LOCUM_NEW(&fresh, 1);
    if (st) {
        locum_document_destroy(document);
        return st;
    }
    fresh->document = document;
    for (int i = 0; i < n_sets && !st; i++) st = locum_document_set(document, sets[i]);
    if (!st) st = read_head(fresh);
    if (st) {
        locum_study_destroy(fresh);
        return st;
    }
    *study = fresh;
    return LOCUM_OK;
}

locum_status locum_study_open(const char *path, int n_sets, const char *const *sets, locum_study **study)
{
    char resolved[LOCUM_PATH_SIZE];
    struct stat there;
    locum_document *document = NULL;
    *study = NULL;
    if (!stat(path, &there) && S_ISDIR(there.st_mode)) {
        int n = snprintf(resolved, sizeof resolved, "%s%sstudy.resolved.yaml", path,
                         path[strlen(path) - 1] == '/' ? "" : "/");
        LOCUM_REQUIRE(n < (int)sizeof resolved, LOCUM_INPUT, "%.200s...: the path is too long", path);
        LOCUM_REQUIRE(!stat(resolved, &there), LOCUM_INPUT,
                      "%s is no run directory (it has no study.resolved.yaml): name a study file or a run directory",
                      path);
        path = resolved;
    }
    LOCUM_TRY(locum_document_read(path, &document));
    return begin(document, n_sets, sets, study);
}

locum_status locum_study_parse(const char *text, const char *name, int n_sets, const char *const *sets,
                               locum_study **study)
{
    locum_document *document = NULL;
    *study = NULL;
    LOCUM_TRY(locum_document_parse(text, strlen(text), name, &document));
    return begin(document, n_sets, sets, study);
}

void locum_study_destroy(locum_study *study)
{
    if (!study) return;
    for (int i = study->n_blocks - 1; i >= 0; i--) locum_settings_destroy(study->blocks[i].settings);
    locum_document_destroy(study->document);
    free(study);
}

/* ---- questions ---- */

const char *locum_study_name(const locum_study *study)
{
    return study->name;
}

uint64_t locum_study_seed(const locum_study *study)
{
    return study->seed;
}

const char *locum_study_path(const locum_study *study)
{
    return locum_document_path(study->document);
}

const locum_yaml *locum_study_node(const locum_study *study, const char *path)
{
    char key[LOCUM_SETTING_PATH];
    const locum_yaml *node = locum_document_root(study->document);
    while (node && *path) {
        size_t n = strcspn(path, ".");
        if (n >= sizeof key) return NULL;
        memcpy(key, path, n);
        key[n] = 0;
        path += n + (path[n] == '.');
        bool bare_name =
            node->kind == LOCUM_YAML_SCALAR && node->text[0] && !strcmp(key, "name"); /* `solver: burgers` */
        node = bare_name && !*path ? node : locum_yaml_find(node, key);
    }
    return node;
}

locum_status locum_study_resolve_path(const locum_study *study, const char *path, char out[LOCUM_PATH_SIZE])
{
    return locum_document_resolve(study->document, LOCUM_FROM_STUDY, path, out);
}

/* ---- blocks ---- */

locum_settings *locum_study_settings(const locum_study *study, const char *path)
{
    for (int i = 0; i < study->n_blocks; i++) {
        if (!strcmp(study->blocks[i].path, path)) return study->blocks[i].settings;
    }
    return NULL;
}

static locum_status make_block(locum_study *study, const char *path, const locum_option *options, size_t config_size,
                               locum_settings *owner, const char *const *extra, locum_settings **settings)
{
    *settings = locum_study_settings(study, path);
    if (*settings) return LOCUM_OK;
    LOCUM_REQUIRE(study->n_blocks < MOST_BLOCKS, LOCUM_INTERNAL, "more than %d blocks in a study", MOST_BLOCKS);
    LOCUM_REQUIRE(strlen(path) < LOCUM_SETTING_PATH, LOCUM_ARG, "block path `%.40s...` is too long", path);
    locum_settings *fresh = NULL;
    if (owner)
        LOCUM_TRY(locum_settings_create_view(options, owner, &fresh));
    else
        LOCUM_TRY(locum_settings_create(options, config_size, &fresh));
    snprintf(fresh->name, sizeof fresh->name, "%s", path);
    locum_status st = locum_settings_read(fresh, locum_study_node(study, path), extra);
    if (st) {
        locum_settings_destroy(fresh);
        return st;
    }
    block *b = &study->blocks[study->n_blocks++];
    snprintf(b->path, sizeof b->path, "%s", path);
    b->settings = fresh;
    *settings = fresh;
    return LOCUM_OK;
}

locum_status locum_study_block(locum_study *study, const char *path, const locum_option *options, size_t config_size,
                               const char *const *extra, locum_settings **settings)
{
    return make_block(study, path, options, config_size, NULL, extra, settings);
}

locum_status locum_study_block_view(locum_study *study, const char *path, const locum_option *options,
                                    locum_settings *owner, const char *const *extra, locum_settings **settings)
{
    return make_block(study, path, options, 0, owner, extra, settings);
}

/* ---- writing ---- */

static bool has_made_below(const locum_study *study, const char *path)
{
    size_t n = strlen(path);
    for (int i = 0; i < study->n_blocks; i++) {
        if (!strncmp(study->blocks[i].path, path, n) && study->blocks[i].path[n] == '.') return true;
    }
    return false;
}

/* where and how a block is written */
typedef struct place {
    const char *path, *key; /* "surrogate.mlp", "mlp" */
    int indent;
    bool canonical;
} place;

static void write_path(const locum_study *study, place at, const locum_yaml *node, locum_text *out);

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* the children of a mapping that no table reads: keys of the document, then blocks that were made without being in it;
 * sorted if canonical. [n + MOST_BLOCKS] names, free(); out of memory goes into out->status. */
static const char **other_keys(const locum_study *study, place at, const locum_yaml *node,
                               const locum_settings *settings, int *n, locum_text *out)
{
    const char **keys = NULL;
    int n_node = node && node->kind == LOCUM_YAML_MAPPING ? node->n : 0;
    size_t n_path = strlen(at.path);
    locum_status st = LOCUM_NEW(&keys, n_node + MOST_BLOCKS);
    *n = 0;
    if (st) {
        if (!out->status) out->status = st;
        return NULL;
    }
    for (int i = 0; i < n_node; i++) {
        const char *key = node->keys[i].name;
        bool written = settings && (!strcmp(key, "name") || locum_settings_has_key(settings, key));
        if (!written) keys[(*n)++] = key;
    }
    for (int i = 0; i < study->n_blocks; i++) {
        const char *made = study->blocks[i].path;
        if (strncmp(made, at.path, n_path) != 0 || made[n_path] != '.') continue;
        made += n_path + 1;
        if (!strchr(made, '.') && !locum_yaml_find(node, made)) keys[(*n)++] = made;
    }
    if (at.canonical) qsort(keys, (size_t)*n, sizeof *keys, by_text);
    return keys;
}

static void write_others(const locum_study *study, place at, const locum_yaml *node, const locum_settings *settings,
                         locum_text *out)
{
    char child[2 * LOCUM_SETTING_PATH];
    int n = 0;
    const char **keys = other_keys(study, at, node, settings, &n, out);
    for (int i = 0; i < n; i++) {
        snprintf(child, sizeof child, "%.127s.%.127s", at.path, keys[i]);
        write_path(study, (place){child, keys[i], at.indent, at.canonical}, locum_yaml_find(node, keys[i]), out);
    }
    free(keys);
}

/* what the settings hold, after the key `name` if another table or a list reads it */
static void write_settings(const locum_settings *settings, place at, const locum_yaml *node, locum_text *out)
{
    bool scalar = node && node->kind == LOCUM_YAML_SCALAR && node->text[0];
    const locum_yaml *name = scalar ? node : locum_yaml_find(node, "name");
    if (name && !locum_settings_has_key(settings, "name")) {
        locum_text_add(out, "%*sname: ", at.indent, "");
        locum_yaml_write(name, 0, out);
        locum_text_add(out, "\n");
    }
    if (at.canonical)
        locum_settings_write_canonical(settings, at.indent, out);
    else
        locum_settings_write(settings, at.indent, true, out);
}

static void write_path(const locum_study *study, place at, const locum_yaml *node, locum_text *out)
{
    const locum_settings *settings = locum_study_settings(study, at.path);
    place inside = {at.path, at.key, at.indent + 2, at.canonical};
    if (settings || has_made_below(study, at.path)) {
        locum_text_add(out, "%*s%s:\n", at.indent, "", at.key);
        if (settings) write_settings(settings, inside, node, out);
        write_others(study, inside, node, settings, out);
    } else if (node) {
        bool lines = node->kind == LOCUM_YAML_MAPPING && node->n;
        locum_text_add(out, "%*s%s:%s", at.indent, "", at.key, lines ? "\n" : " ");
        (at.canonical ? locum_yaml_write_canonical : locum_yaml_write)(node, at.indent + 2, out);
        if (!lines) locum_text_add(out, "\n");
    }
}

void locum_study_write(const locum_study *study, locum_text *out)
{
    locum_text_add(
        out, "# written by locum: every option in force, with unit and origin (default < file < study < --set)\n");
    locum_text_add(out, "study: ");
    locum_yaml_write_scalar(study->name, false, out);
    locum_text_add(out, "\nseed: %llu\nfolder: ", (unsigned long long)study->seed);
    locum_yaml_write_scalar(study->document->folder, false, out);
    locum_text_add(out, "\n");
    for (int k = FIRST_BLOCK; k < N_TOP_KEYS; k++) {
        const locum_yaml *node = locum_study_node(study, top_keys[k]);
        if (!node && !locum_study_settings(study, top_keys[k]) && !has_made_below(study, top_keys[k])) continue;
        write_path(study, (place){top_keys[k], top_keys[k], 0, false}, node, out);
    }
}

void locum_study_options(const locum_study *study, const char *const *blocks, locum_text *out)
{
    locum_text_add(out, "study: ");
    locum_yaml_write_scalar(study->name, false, out);
    locum_text_add(out, "\nseed: %llu\n", (unsigned long long)study->seed);
    for (; *blocks; blocks++)
        write_path(study, (place){*blocks, *blocks, 0, true}, locum_study_node(study, *blocks), out);
}

uint64_t locum_study_hash(const locum_study *study, const char *const *blocks)
{
    locum_text text = {0};
    locum_study_options(study, blocks, &text);
    uint64_t hash = text.status ? 0 : locum_hash(text.data, text.size);
    locum_text_free(&text);
    return hash;
}
