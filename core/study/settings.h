/* SPDX-License-Identifier: BSD-3-Clause */
/* settings.h - the values of one option table: read, checked, with the origin of each, written back.
 *
 *     settings = table + config + origin of each value        default < file < study < --set */
#ifndef CORE_STUDY_SETTINGS_H
#define CORE_STUDY_SETTINGS_H

#include "core/study/document.h"
#include "locum/dev/option.h"

typedef struct locum_settings locum_settings;

/** All options at their defaults. Asserts that the table is sound (names, ranges, places). */
locum_status locum_settings_create(const locum_option *options, size_t config_size, locum_settings **settings);
/** Settings that share another's config: the `initial` table of a solver writes into the solver's config. */
locum_status locum_settings_create_view(const locum_option *options, locum_settings *owner, locum_settings **settings);
/** Reads a mapping of the study (NULL = nothing given). `extra` [NULL-terminated, or NULL]: keys that others read.
 *  Unknown keys, wrong types, ranges, units, missing required options: LOCUM_STUDY with place and suggestion.
 *  A required parameter of `solver` that `campaign.vary` names may be missing. */
locum_status locum_settings_read(locum_settings *settings, const locum_yaml *mapping, const char *const *extra);
/** One value by its path in the table ("forcing.amplitude"), as text; origin FILE for what a data file says. */
locum_status locum_settings_put(locum_settings *settings, const char *path, const char *value, locum_origin origin);
/** One number by path, range-checked; what a campaign does for each sample on a copy of the config. */
locum_status locum_settings_apply(const locum_settings *settings, void *config, const char *path, double value);
locum_status locum_settings_number(const locum_settings *settings, const char *path, double *value);
locum_origin locum_settings_origin(const locum_settings *settings, const char *path);
/** The option at a path and its place in the config, NULL if there is none (or it belongs to another choice). */
const locum_option *locum_settings_option(const locum_settings *settings, const char *path);

void *locum_settings_config(locum_settings *settings); /* the plain struct; lent */
void locum_settings_destroy(locum_settings *settings);

/** Canonical YAML of all values in force (only the chosen choice's sub-table), one key a line, units as comments. */
void locum_settings_write(const locum_settings *settings, int indent, bool with_origins, locum_text *out);
void locum_settings_write_json(const locum_settings *settings, locum_text *out);
/** Calls back for each value in force: name path, text, number (NAN if none), unit. For attributes of files. */
void locum_settings_each(const locum_settings *settings, void *self,
                         void (*call)(void *self, const char *path, const char *value, double number,
                                      const char *unit));

/** The table for people: name, type, default, range, unit, text, sub-tables indented (`locum describe`). in_campaign:
 *  `campaign.vary` may name its parameters; those of the block `initial` it does not. */
void locum_options_describe(const locum_option *options, bool in_campaign, int indent, locum_text *out);
void locum_options_describe_json(const locum_option *options, bool in_campaign, locum_text *out);
/** The table as an annotated YAML template (`locum new`). */
void locum_options_template(const locum_option *options, int indent, locum_text *out);

#endif
