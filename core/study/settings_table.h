/* SPDX-License-Identifier: BSD-3-Clause */
/* settings_table.h - an option table laid out flat; for settings*.c and study.c only.
 *
 *     table (a tree: choices and groups have sub-tables)  ->  values [n], each with its path and what it depends on
 *
 * A choice's own options lie in the mapping of that name: forcing: {name: kolmogorov, wavenumber: 4}. The options of a
 * choice that is itself called `name` lie beside it: initial: {name: random, slope: 2}. */
#ifndef CORE_STUDY_SETTINGS_TABLE_H
#define CORE_STUDY_SETTINGS_TABLE_H

#include "core/study/document_tree.h"
#include "core/study/settings.h"

#define LOCUM_SETTING_PATH 128 /* bytes of "forcing.amplitude" with its final 0 */

typedef struct locum_setting {
    const locum_option *option;
    char path[LOCUM_SETTING_PATH];
    int parent; /**< choice or group that this belongs to, -1 = none */
    int choice; /**< index of the parent's choice that this belongs to, -1 = of any */
    int level;  /**< choice or group in whose mapping the key stands, -1 = the block itself */
    locum_origin origin;
} locum_setting;

struct locum_settings {
    const locum_option *options;
    locum_settings *owner; /**< whose config is used, NULL = own; lent */
    unsigned char *config; /**< [config_size] */
    size_t config_size;
    int n;
    locum_setting *values;        /**< [n] parents before children */
    char name[LOCUM_TEXT_SIZE];   /**< of the block, for messages; "" = unknown */
    char folder[LOCUM_PATH_SIZE]; /**< of the study that was read; hashes see paths relative to it */
};

/** Bytes of one element of an option's value. Local. */
size_t locum_option_bytes(const locum_option *option);
/** Writes a table's defaults of one value into config. Local. */
void locum_setting_default(const locum_option *option, unsigned char *config);
/** Number of elements in config: 1 if the option is no list. Local. */
int locum_setting_n(const locum_option *option, const unsigned char *config);
void *locum_setting_element(const locum_option *option, unsigned char *config, int i);
const void *locum_setting_element_of(const locum_option *option, const unsigned char *config, int i);
/** Does the chain of choices above a value lead to it? */
bool locum_setting_chosen(const locum_settings *settings, const unsigned char *config, int v);
/** ... and was every group above it that can be absent (LOCUM_TOLD) given? */
bool locum_setting_in_force(const locum_settings *settings, const unsigned char *config, int v);
/** Not set: a number whose default NAN stands. */
bool locum_setting_unset(const locum_option *option, const unsigned char *config);
bool locum_option_is_number(const locum_option *option);
int locum_option_n_choices(const locum_option *option);
/** Index of the value at a path in force in `config`, or not at all, -1. */
int locum_settings_find(const locum_settings *settings, const unsigned char *config, const char *path);
/** Chooses, with defaults for all that belongs to the new choice. */
void locum_setting_choose(locum_settings *settings, unsigned char *config, int v, int choice);
/** "> 0", "0 .. 1", "" = any; `any` for an empty range. Local. */
void locum_option_range_text(const locum_option *option, char *out, size_t size);
/** true if the number lies in the option's range. Local. */
bool locum_option_in_range(const locum_option *option, double value);
/** Appends the elements of a value: "64", "[64, 32]", "kolmogorov". `folder`: prefix taken off paths, NULL = none. */
void locum_setting_write(const locum_option *option, const unsigned char *config, bool json, const char *folder,
                         locum_text *out);
/** Canonical YAML, without what a study cannot say (hidden, unset); for hashes. */
void locum_settings_write_canonical(const locum_settings *settings, int indent, locum_text *out);
/** true if a key of the block's own mapping is an option of the table. Local. */
bool locum_settings_has_key(const locum_settings *settings, const char *key);

#endif
