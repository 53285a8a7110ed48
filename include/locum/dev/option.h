/* SPDX-License-Identifier: BSD-3-Clause */
/* option.h - one table describes every option of a solver, a model, an optimiser or a block of the study.
 *
 * From the table come: reading YAML and `--set`, range errors with a suggestion, `describe`, `new`,
 * attributes of the files we write, the resolved study. A config is plain data (no pointers): it can be
 * copied with `=`, hashed and compared. Text lies inline in it.
 *
 * A choice may be written as its bare name (`forcing: diagonal`) or as a mapping with `name` and the
 * options of its own sub-table (`forcing: {name: kolmogorov, wavenumber: 4}`); the sub-table's places are
 * offsets in the *same* config. A table ends with {0}. */
#ifndef LOCUM_DEV_OPTION_H
#define LOCUM_DEV_OPTION_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>

#include "locum/status.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LOCUM_TEXT_SIZE 128  /* bytes of a string option in a config, with its final 0 */
#define LOCUM_PATH_SIZE 1024 /* bytes of a path option in a config, with its final 0 */
#define LOCUM_LIST_MAX 16    /* most values of a list option */

typedef enum locum_option_type {
    LOCUM_END = 0, /* closes a table */
    LOCUM_BOOL,    /* bool */
    LOCUM_I32,     /* int32_t */
    LOCUM_I64,     /* int64_t */
    LOCUM_F64,     /* double; default NAN = not set, the code decides */
    LOCUM_STRING,  /* char[LOCUM_TEXT_SIZE] */
    LOCUM_PATH,    /* char[LOCUM_PATH_SIZE]; relative to the study file, or to the current directory for --set */
    LOCUM_CHOICE,  /* int32_t, index into choices */
    /* a nested mapping of fixed keys (`split: {train: 88, ...}`): choices[0].options is its table, places in the same
     * config; `place` is a bool "was given" if flags has LOCUM_TOLD, else unused */
    LOCUM_GROUP,
    /* a mapping of free keys (`petsc: {ksp_type: cg, pc_gamg_threshold: 0.02}`), what another library calls its options: a
     * list (n_max > 0) of texts "key value", char[n_max][LOCUM_TEXT_SIZE], in the study's order; "key" alone if no value is
     * given. Nothing but the form is checked: who uses the keys must complain about those that it does not know */
    LOCUM_PAIRS
} locum_option_type;

/* flags */
enum {
    LOCUM_PARAMETER = 1,  /* may differ from sample to sample; all other options are fixed by create */
    LOCUM_REQUIRED = 2,   /* has no default: the study must give it */
    LOCUM_OPEN_MIN = 4,   /* value > min, not >= */
    LOCUM_OPEN_MAX = 8,   /* value < max */
    LOCUM_TOLD = 32,      /* of a group: place is a bool that says whether the study gave the group */
    LOCUM_HIDDEN = 16,    /* no key of its own (set by the program, stored with the rest) */
    LOCUM_UNHASHED = 64,  /* results do not depend on it: it may differ when work is continued */
    LOCUM_OWN_NAMES = 128 /* of a group: its members are known without its name, `viscosity` */
};

struct locum_option;
typedef struct locum_choice {
    const char *name, *text;
    const struct locum_option *options; /**< own sub-table, or NULL; places in the same config */
} locum_choice;                         /* a list of choices ends with {0} */

typedef struct locum_option {
    const char *name;
    locum_option_type type;
    size_t place;     /**< offsetof in the config */
    double value;     /**< default of bool, numbers, choice (its index) */
    double min, max;  /**< range of numbers, both 0 = any */
    const char *unit; /**< UDUNITS text, "1" for pure numbers, NULL for text */
    const char *text; /**< one line for people */
    unsigned flags;
    const char *string;          /**< default of string and path */
    const locum_choice *choices; /**< of LOCUM_CHOICE */
    /* lists: n_max > 0 (numbers, and strings of LOCUM_TEXT_SIZE bytes each). The values lie at place[0 .. n_max); their number (int32_t) at place_n. In the study a
     * scalar stands for a list of one; code that wants "all equal" repeats it. n_default of them get `value`. */
    int n_max, n_default;
    size_t place_n;
} locum_option;

#ifdef __cplusplus
}
#endif
#endif
