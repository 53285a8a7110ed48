/* SPDX-License-Identifier: BSD-3-Clause */
/* verb.h - a verb of the program: what it is called, what it accepts, what it does. One file per verb, one line in VERBS. */
#ifndef CLI_VERB_H
#define CLI_VERB_H

#include "cli/arguments.h"

typedef struct verb {
    const char *name, *words, *summary, *help; /* words: "STUDY"; help: a paragraph, lines of at most 78 characters */
    unsigned accepts;
    /* its status is the program's exit code; prints its answer, never its failure */
    locum_status (*run)(const arguments *a);
} verb;

/* in the order of --help */
/* clang-format off */
#define VERBS(X)                                                                                                  \
    X(simulate) X(generate) X(train) X(validate) X(predict) X(run) X(resume) X(measure) X(show) X(export) X(describe) X(new) X(inspect) X(doctor)

/* clang-format on */
#define VERB_EXTERN(name) extern const verb verb_##name;
VERBS(VERB_EXTERN)
#undef VERB_EXTERN

#endif
