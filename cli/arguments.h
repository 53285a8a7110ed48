/* SPDX-License-Identifier: BSD-3-Clause */
/* arguments.h - the words of a command line, checked against what its verb accepts. */
#ifndef CLI_ARGUMENTS_H
#define CLI_ARGUMENTS_H

#include <stdbool.h>

#include "locum/dev/error.h"

#define ARGUMENTS_SETS_MAX 64
#define ARGUMENTS_WORDS_MAX 8

/* what a verb accepts beside --help */
enum {
    ACCEPT_SET = 1,
    ACCEPT_OUT = 2,
    ACCEPT_FORCE = 4,       /* --force */
    ACCEPT_FORCE_STAGE = 8, /* --force=STAGE */
    ACCEPT_DRY_RUN = 16,
    ACCEPT_JSON = 32,
    ACCEPT_SHARD = 64,
    ACCEPT_MODEL = 128, /* --model PATH */
    ACCEPT_COVERAGE = 256,
    ACCEPT_INPUT = 512,    /* --input FILE */
    ACCEPT_KERNELS = 1024, /* --allow-other-kernels */
    ACCEPT_PLAN = 2048,    /* --plan */
    ACCEPT_ARRAY = 4096,   /* --array NAME */
    ACCEPT_VALUE = 8192,   /* --set NAME=VALUE, an input of a model */
    ACCEPT_FIELDS = 16384, /* --initial FILE, --sample N, --frame N, --steps N */
    ACCEPT_POLICY = 32768, /* --when-flagged */
    ACCEPT_FORMAT = 65536, /* --format NAME */
    ACCEPT_FRAMES = 131072 /* --frame N, --frames N, --sample N, of a picture */
};

typedef struct arguments {
    int n_words;
    const char *words[ARGUMENTS_WORDS_MAX]; /* what is no option: STUDY, MODEL, FILE */
    int n_sets;
    const char *sets[ARGUMENTS_SETS_MAX];
    const char *out, *model, *input, *array, *force_stage, *initial, *when_flagged, *format; /* NULL = not given */
    bool force, dry_run, json, help, verbose, quiet, allow_other_kernels, plan;
    bool frame_given;
    int shard, n_shards, frame, frames, sample, steps; /* sample, steps: -1 = not given */
    double coverage;                                   /* NAN = not given */
} arguments;

/** Reads argv[2..]. LOCUM_STUDY with the nearest known option for anything that the verb does not accept. */
locum_status arguments_read(int argc, char **argv, unsigned accepts, arguments *a);

/** The lines of --help for these flags. */
void arguments_help(unsigned accepts);

#endif
