/* SPDX-License-Identifier: BSD-3-Clause */
/* arguments.c - command-line words by one table: flag, name, value or not, text. Both --out PATH and --out=PATH are read. */
#include "cli/arguments.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct word {
    unsigned flag; /* 0 = every verb */
    const char *name, *value, *text;
} word;

static const word words[] = {
    {ACCEPT_SET, "--set", "A.B=VALUE", "set or override an option; may be repeated"},
    {ACCEPT_VALUE, "--set", "NAME=VALUE", "an input of the model; may be repeated"},
    {ACCEPT_OUT, "--out", "PATH", "where results go"},
    {ACCEPT_FORCE, "--force", NULL, "redo this, even where results of other options exist"},
    {ACCEPT_FORCE_STAGE, "--force", "=STAGE", "redo a stage (generate, train, validate) and what follows from it"},
    {ACCEPT_DRY_RUN, "--dry-run", NULL, "check everything; print memory, disk and time; run nothing"},
    {ACCEPT_SHARD, "--shard", "I/N", "only samples I, I + N, I + 2 N, ... (I from 0): for job arrays"},
    {ACCEPT_MODEL, "--model", "PATH", "a model file instead of the run's"},
    {ACCEPT_INPUT, "--input", "FILE", "inputs as CSV with a header, or HDF5 with one dataset per input"},
    {ACCEPT_COVERAGE, "--coverage", "X", "of the intervals, between 0 and 1 (default 0.9)"},
    {ACCEPT_ARRAY, "--array", "NAME", "the array to draw or measure"},
    {ACCEPT_FRAMES, "--frame", "N", "the frame to draw (negative: from the end; default -1)"},
    {ACCEPT_FRAMES, "--frames", "N", "draw so many frames, evenly: a sheet, or a movie (default of a movie: all)"},
    {ACCEPT_FRAMES, "--sample", "N", "the sample to draw (default: the first)"},
    {ACCEPT_FIELDS, "--initial", "FILE", "the fields to begin from: a data file or a dataset"},
    {ACCEPT_FIELDS, "--sample", "N", "of --initial: which (default: the only one, or the first of the test split)"},
    {ACCEPT_FIELDS, "--frame", "N", "of --initial: which (default: the first with enough frames before it)"},
    {ACCEPT_FIELDS, "--steps", "N", "of a roll-out (default: as many as intervals were calibrated for)"},
    {ACCEPT_POLICY, "--when-flagged", "WHAT", "warn (default), refuse, or solve: run the study's solver instead"},
    {ACCEPT_FORMAT, "--format", "NAME", "of what is written: the_well, hdf5, csv"},
    {ACCEPT_PLAN, "--plan", NULL, "time and print every step of the model's plan"},
    {ACCEPT_KERNELS, "--allow-other-kernels", NULL, "resume training on another instruction set, to round-off"},
    {ACCEPT_JSON, "--json", NULL, "answer as JSON"},
    {0, "--verbose", NULL, "say more"},
    {0, "--quiet", NULL, "say nothing but errors"},
    {0, "--help", NULL, "this text"}};
enum { N_WORDS = sizeof words / sizeof *words };

static bool accepted(const word *w, unsigned accepts)
{
    return !w->flag || (w->flag & accepts);
}

void arguments_help(unsigned accepts)
{
    for (int i = 0; i < N_WORDS; i++) {
        char left[64];
        if (!accepted(&words[i], accepts)) continue;
        const char *value = words[i].value;
        snprintf(left, sizeof left, "%s%s%s", words[i].name, value && *value != '=' ? " " : "", value ? value : "");
        printf("  %-24s %s\n", left, words[i].text);
    }
}

/* letters that differ, position by position and in length: enough to find a typo among sixteen words */
static int distance(const char *a, const char *b)
{
    int d = 0;
    for (; *a || *b; a += *a != 0, b += *b != 0) d += *a != *b;
    return d;
}

static locum_status unknown(const char *text, unsigned accepts)
{
    const char *nearest = "--help";
    LOCUM_REQUIRE(strncmp(text, "--shard", 7), LOCUM_STUDY,
                  "--shard belongs to `locum generate`: a job array makes data; train and validate follow it");
    int best = INT_MAX;
    for (int i = 0; i < N_WORDS; i++) {
        int d = distance(text, words[i].name);
        if (accepted(&words[i], accepts) && d < best) best = d, nearest = words[i].name;
    }
    return LOCUM_FAIL(LOCUM_STUDY, "unknown option `%s`; did you mean `%s`? (--help lists all)", text, nearest);
}

static locum_status read_integer(const char *name, const char *text, int *value)
{
    char *end;
    errno = 0;
    long v = strtol(text, &end, 10);
    LOCUM_REQUIRE(*text && !*end && !errno && v >= INT_MIN && v <= INT_MAX, LOCUM_STUDY, "%s %s: not a whole number",
                  name, text);
    *value = (int)v;
    return LOCUM_OK;
}

static locum_status read_count(const char *name, const char *text, int *value)
{
    LOCUM_TRY(read_integer(name, text, value));
    LOCUM_REQUIRE(*value >= 0, LOCUM_STUDY, "%s %s: it must not be negative", name, text);
    return LOCUM_OK;
}

static locum_status read_shard(const char *text, arguments *a)
{
    char first[16] = "", *slash = strchr(text, '/');
    LOCUM_REQUIRE(slash && slash - text < (long)sizeof first, LOCUM_STUDY, "--shard %s: expected I/N, for example 0/8",
                  text);
    memcpy(first, text, (size_t)(slash - text));
    LOCUM_TRY(read_integer("--shard", first, &a->shard));
    LOCUM_TRY(read_integer("--shard", slash + 1, &a->n_shards));
    LOCUM_REQUIRE(a->n_shards >= 1 && a->shard >= 0 && a->shard < a->n_shards, LOCUM_STUDY,
                  "--shard %s: I must lie between 0 and N - 1", text);
    return LOCUM_OK;
}

static locum_status read_coverage(const char *text, arguments *a)
{
    char *end;
    a->coverage = strtod(text, &end);
    LOCUM_REQUIRE(*text && !*end && a->coverage > 0 && a->coverage < 1, LOCUM_STUDY,
                  "--coverage %s: it must lie between 0 and 1", text);
    return LOCUM_OK;
}

static locum_status apply(const char *name, const char *value, arguments *a)
{
    if (!strcmp(name, "--set")) {
        LOCUM_REQUIRE(a->n_sets < ARGUMENTS_SETS_MAX, LOCUM_STUDY, "more than %d --set", ARGUMENTS_SETS_MAX);
        a->sets[a->n_sets++] = value;
    } else if (!strcmp(name, "--out"))
        a->out = value;
    else if (!strcmp(name, "--model"))
        a->model = value;
    else if (!strcmp(name, "--input"))
        a->input = value;
    else if (!strcmp(name, "--array"))
        a->array = value;
    else if (!strcmp(name, "--shard"))
        return read_shard(value, a);
    else if (!strcmp(name, "--coverage"))
        return read_coverage(value, a);
    else if (!strcmp(name, "--initial"))
        a->initial = value;
    else if (!strcmp(name, "--format"))
        a->format = value;
    else if (!strcmp(name, "--when-flagged"))
        a->when_flagged = value;
    else if (!strcmp(name, "--frame")) {
        a->frame_given = true;
        return read_integer(name, value, &a->frame);
    } else if (!strcmp(name, "--frames"))
        return read_count(name, value, &a->frames);
    else if (!strcmp(name, "--sample"))
        return read_count(name, value, &a->sample);
    else if (!strcmp(name, "--steps"))
        return read_count(name, value, &a->steps);
    else if (!strcmp(name, "--force") && value)
        a->force_stage = value;
    else if (!strcmp(name, "--force"))
        a->force = true;
    else if (!strcmp(name, "--dry-run"))
        a->dry_run = true;
    else if (!strcmp(name, "--json"))
        a->json = true;
    else if (!strcmp(name, "--plan"))
        a->plan = true;
    else if (!strcmp(name, "--allow-other-kernels"))
        a->allow_other_kernels = true;
    else if (!strcmp(name, "--verbose"))
        a->verbose = true;
    else if (!strcmp(name, "--quiet"))
        a->quiet = true;
    else
        a->help = true;
    return LOCUM_OK;
}

static const word *find(const char *name, size_t n, bool has_value, unsigned accepts)
{
    for (int i = 0; i < N_WORDS; i++) {
        bool takes_equals = words[i].value != NULL, must_equal = takes_equals && *words[i].value == '=';
        if (!accepted(&words[i], accepts) || strlen(words[i].name) != n || strncmp(words[i].name, name, n)) continue;
        if (has_value ? takes_equals : !must_equal) return &words[i];
    }
    return NULL;
}

locum_status arguments_read(int argc, char **argv, unsigned accepts, arguments *a)
{
    *a = (arguments){.n_shards = 1, .frame = -1, .sample = -1, .steps = -1, .coverage = NAN};
    for (int i = 2; i < argc; i++) {
        const char *text = argv[i], *equals = strchr(text, '=');
        if (!strcmp(text, "-h")) text = "--help", equals = NULL;
        if (text[0] != '-' || !text[1]) {
            LOCUM_REQUIRE(a->n_words < ARGUMENTS_WORDS_MAX, LOCUM_STUDY, "too many words on the command line");
            a->words[a->n_words++] = text;
            continue;
        }
        const word *w = find(text, equals ? (size_t)(equals - text) : strlen(text), equals != NULL, accepts);
        if (!w) return unknown(text, accepts);
        const char *value = equals ? equals + 1 : NULL;
        if (w->value && !value) {
            LOCUM_REQUIRE(i + 1 < argc, LOCUM_STUDY, "%s needs a value: %s %s", w->name, w->name, w->value);
            value = argv[++i];
        }
        LOCUM_TRY(apply(w->name, value, a));
    }
    return LOCUM_OK;
}
