/* SPDX-License-Identifier: BSD-3-Clause */
/* external_internal.h - what the files of this folder share.
 *
 *     config --words--> command line --process--> files in the sample's folder --services->read--> frame */
#ifndef SOLVERS_EXTERNAL_EXTERNAL_INTERNAL_H
#define SOLVERS_EXTERNAL_EXTERNAL_INTERNAL_H

#include <stdbool.h>

#include "core/text.h"
#include "solvers/external/external.h"

enum { WORDS_MAX = 64, COMMAND_SIZE = 8192, VALUES_MAX = LOCUM_EXTERNAL_PARAMETERS + 9 };
enum { FIELD_DIMS = 4 };
enum { KEEP_ALL, KEEP_LOG };
enum { SIDES_PERIODIC, SIDES_WALL, SIDES_OPEN };

typedef struct external_config {
    char run[LOCUM_LIST_MAX][LOCUM_TEXT_SIZE], prepare[LOCUM_LIST_MAX][LOCUM_TEXT_SIZE];
    int32_t n_run, n_prepare;
    char frames[LOCUM_TEXT_SIZE];
    int32_t format, keep, sides;
    double timeout, interval, until, box[3];
    int32_t n_box;
    char program[LOCUM_PATH_SIZE]; /**< only its content counts, in the hash of the study */
    /* what the study declared */
    char folder[LOCUM_PATH_SIZE];
    int32_t n_parameters, n_fields;
    char parameter_name[LOCUM_EXTERNAL_PARAMETERS][LOCUM_TEXT_SIZE];
    double parameter[LOCUM_EXTERNAL_PARAMETERS];
    char field_name[LOCUM_EXTERNAL_FIELDS][LOCUM_TEXT_SIZE];
    int32_t shape[LOCUM_EXTERNAL_FIELDS][FIELD_DIMS], n_shape[LOCUM_EXTERNAL_FIELDS];
} external_config;

extern const locum_option locum_external_options[]; /* without parameters and fields */
extern const char *const locum_external_formats[];  /* names of the choice `format` */

/** Frames that the program writes: 1 without time. Local. */
int64_t locum_external_n_frames(const external_config *config);
/** Everything that tables cannot check; the message begins with the option's name. Local. */
locum_status locum_external_check(const void *config);

/* --- external_schema.c: what a frame holds ----------------------------------------------------------------- */

typedef struct external_schema {
    locum_domain domains[LOCUM_EXTERNAL_FIELDS + 1];
    locum_array arrays[LOCUM_EXTERNAL_FIELDS];
    locum_schema schema;
    double *axes; /**< owned */
} external_schema;

/** Components of a field; *n_axes: axes of its grid, 1 for rows, 0 for one value. Local. */
int locum_external_components(const external_config *config, int f, int *n_axes);
locum_status locum_external_schema_make(const external_config *config, external_schema *schema);
void locum_external_schema_free(external_schema *schema);

/* --- external_words.c: command lines ----------------------------------------------------------------------- */

/* what {name} stands for */
typedef struct external_value {
    const char *name;
    char text[LOCUM_PATH_SIZE + 32];
} external_value;

typedef struct external_values {
    int n;
    external_value value[VALUES_MAX];
} external_values;

typedef struct external_command {
    int n, used;
    char *argv[WORDS_MAX + 1]; /**< into text; NULL behind the last */
    char text[COMMAND_SIZE];
} external_command;

/** Is the name one of {parameters}, {folder}, ...? Local. */
bool locum_external_is_reserved(const char *name);
/** Values of one sample; folder: where it runs. Local. */
void locum_external_values_fill(const external_config *config, const char *folder, int64_t index, uint64_t seed,
                                external_values *values);
/** One text is split into words; several are words already. Then {name} is replaced, and a relative program with a
 *  slash is looked for beside the study. `option`: for messages. LOCUM_STUDY. Local. */
locum_status locum_external_command_make(const char *option, int n, const char (*texts)[LOCUM_TEXT_SIZE],
                                         const external_values *values, const char *study_folder,
                                         external_command *command);

/* --- external_process.c: one program ----------------------------------------------------------------------- */

typedef struct external_outcome {
    int exit_code, signal; /**< signal 0 = it ended by itself */
    bool timed_out, stopped;
    double seconds;
} external_outcome;

/** This process's environment without the variables by which an MPI library knows its ranks. free(). Local. */
locum_status locum_external_environment(char ***environment);
/** Runs argv in `folder` with stdin empty, stdout and stderr going to the open file `log`, in a process group of its
 *  own, which is killed after `timeout` seconds or when `services` say stop. LOCUM_INPUT if it cannot be started. */
locum_status locum_external_run(char *const *argv, char *const *environment, const char *folder, int log,
                                double timeout, const locum_services *services, external_outcome *outcome);

/* --- external_folder.c: the folder of a sample ------------------------------------------------------------- */

/** mkdir -p. Local. */
locum_status locum_external_make_folder(const char *folder);
/** Removes it with all that it holds. Local. */
void locum_external_remove_folder(const char *folder);
locum_status locum_external_write(const char *folder, const char *name, const char *text, size_t n);
/** Is the file there, and holds this text? Local. */
bool locum_external_holds(const char *folder, const char *name, const char *text, size_t n);
/** Opens log.txt, empty, once no program of an earlier run writes there. LOCUM_BUSY after `patience` seconds. */
locum_status locum_external_open_log(const char *folder, double patience, const locum_services *services, int *log);
/** The last lines of log.txt on one line. Local. */
void locum_external_log_tail(const char *folder, char *out, size_t size);
/** Files that match the pattern, numbers in their names in order (out_9 before out_10). *paths [*n], one block: free(). */
locum_status locum_external_find(const char *folder, const char *pattern, int *n, char (**paths)[LOCUM_PATH_SIZE]);

/* --- external_sample.c: one sample, on rank 0 of its group -------------------------------------------------- */

typedef struct external_job {
    const external_config *config;
    const locum_services *services;
    char *const *environment;
    const char *folder;
    int64_t index;
    uint64_t seed;
} external_job;

/** Parameter files, prepare, run; nothing if that was done before with the same words and values. LOCUM_CONVERGENCE:
 *  the program failed or took too long; LOCUM_STOPPED. Local. */
locum_status locum_external_sample_run(const external_job *job);

#endif
