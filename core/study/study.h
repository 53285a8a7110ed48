/* SPDX-License-Identifier: BSD-3-Clause */
/* study.h - a study file and its blocks. Each room owns the table of its block; the study reads and writes them.
 *
 *     study: kolmogorov      name                 solver, initial, record, campaign, surrogate, train, validate, limits
 *
 * A resolved study has one key more, `folder`: where the study lay, which its relative paths are still relative to. */
#ifndef CORE_STUDY_STUDY_H
#define CORE_STUDY_STUDY_H

#include "core/study/settings.h"

typedef struct locum_study locum_study;

/** Reads a study file, or `study.resolved.yaml` of a run directory, and applies the --set assignments in order.
 *  `study` (a name of [a-z0-9_-]) and `seed` are read here; unknown top-level keys are refused here. */
locum_status locum_study_open(const char *path, int n_sets, const char *const *sets, locum_study **study);
locum_status locum_study_parse(const char *text, const char *name, int n_sets, const char *const *sets,
                               locum_study **study);
void locum_study_destroy(locum_study *study); /* with all its settings */

const char *locum_study_name(const locum_study *study);
uint64_t locum_study_seed(const locum_study *study);
const char *locum_study_path(const locum_study *study);
/** Node at a dotted path, NULL if absent. */
const locum_yaml *locum_study_node(const locum_study *study, const char *path);

/** Makes and reads the settings of one block ("train", "surrogate.mlp"); asking twice gives the same. */
locum_status locum_study_block(locum_study *study, const char *path, const locum_option *options, size_t config_size,
                               const char *const *extra, locum_settings **settings);
/** The same, into the config of another block. */
locum_status locum_study_block_view(locum_study *study, const char *path, const locum_option *options,
                                    locum_settings *owner, const char *const *extra, locum_settings **settings);
/** Settings of a block that was made, else NULL. */
locum_settings *locum_study_settings(const locum_study *study, const char *path);

/** The resolved study: every block that was made, with all values and their origins; nodes read by hand are echoed. */
void locum_study_write(const locum_study *study, locum_text *out);
/** Canonical text of name, seed and the blocks named [NULL-terminated]: keys sorted, defaults spelled out, numbers in
 * one form, paths below the study's folder relative to it. What locum_stage_begin takes as options_text. */
void locum_study_options(const locum_study *study, const char *const *blocks, locum_text *out);
/** XXH3 over that text: what a stage depends on. Values that change no result (limits, progress) do not belong in it.
 *  The order of keys does not count: code that lets it matter (campaign.vary) sorts them. */
uint64_t locum_study_hash(const locum_study *study, const char *const *blocks);

/** A path of the study file (relative to it) as an absolute one, so that it is valid from any directory. */
locum_status locum_study_resolve_path(const locum_study *study, const char *path, char out[LOCUM_PATH_SIZE]);

#endif
