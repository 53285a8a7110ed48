/* SPDX-License-Identifier: BSD-3-Clause */
/* predict.h - what the files of the verb predict share.
 *
 *     verb_predict.c     models of values: inputs, evaluation, answers
 *     predict_fields.c   models of fields: the rows to predict, one after the other
 *     predict_initial.c  ... the frames that they begin from
 *     predict_frames.c   ... frames to a data file, a line for each of them
 *     predict_solver.c   ... the study's solver in the place of the model
 *     predict_flagged.c  what becomes of predictions of values that are flagged */
#ifndef CLI_PREDICT_H
#define CLI_PREDICT_H

#include "cli/arguments.h"
#include "core/study/document.h"
#include "core/text.h"
#include "datasets/store/store.h"
#include "locum/model.h"
#include "surrogate/as_solver/as_solver.h"

#define PREDICT_PORTS_MAX 64
#define PREDICT_FLAG_SIZE 64

typedef enum predict_policy { PREDICT_WARN, PREDICT_REFUSE, PREDICT_SOLVE } predict_policy;
/** --when-flagged. LOCUM_STUDY. */
locum_status predict_read_policy(const arguments *a, predict_policy *policy);

/** "ok", or the names of the bits. */
const char *predict_flag_text(uint32_t flag, char text[PREDICT_FLAG_SIZE]);
/** Does text end so? */
bool predict_ends_with(const char *text, const char *end);
/** LOCUM_STUDY if --set names no input; lists them. */
locum_status predict_check_names(int n, const char *const *known, const locum_document *document);
/** --set as a document. */
locum_status predict_read_sets(const arguments *a, locum_document **document);
/** One --set value of an input, [extent]. LOCUM_STUDY if it is not there. */
locum_status predict_read_value(const locum_port *port, const locum_document *document, double *values);
/** Writes to --out, or to the terminal. */
locum_status predict_write_text(const arguments *a, const locum_text *out);

/** Are any inputs or outputs fields, or is it a step? */
bool predict_has_fields(const locum_model *model);
/** The verb for models of fields. */
locum_status predict_fields(const locum_model *model, const arguments *a);

/* --- predict_initial.c --------------------------------------------------------------------------------------------- */
typedef struct predict_initial {
    double *field[PREDICT_PORTS_MAX]; /**< [extent] by input port, owned; NULL for single values */
    double time;                      /**< of the frame to begin from */
    int n_parameters;                 /**< of the sample */
    char (*name)[64];                 /**< [n_parameters] */
    double *parameter;                /**< [n_parameters] */
} predict_initial;                    /* starts as {0} */

/** Reads the input fields from --initial, --sample, --frame. LOCUM_STUDY, LOCUM_INPUT: what is missing, what there is. */
locum_status predict_initial_read(const locum_model *model, const arguments *a, predict_initial *initial);
void predict_initial_free(predict_initial *initial);

/* --- predict_frames.c ---------------------------------------------------------------------------------------------- */
typedef struct predict_frames predict_frames;

/** A data file at path (NULL: none), and the text of the table. names: the inputs that are single values. */
locum_status predict_frames_create(const locum_model *model, const arguments *a, const char *path, bool trusted,
                                   int n_values, const char *const *names, const char *const *units,
                                   predict_frames **frames);
/** A row begins: its values, the fields that it begins from (by input port; NULL for a map) at `time`. */
locum_status predict_frames_begin(predict_frames *f, int64_t row, const double *values, const predict_initial *initial);
/** A frame, [extent] by output; lower, upper, flag may be NULL. solved: by the solver, no prediction. */
locum_status predict_frames_add(predict_frames *f, int64_t lead, double time, const float *const *value,
                                const float *const *lower, const float *const *upper, const uint32_t *flag,
                                bool solved);
/** The row ends. */
locum_status predict_frames_end(predict_frames *f);
/** Commits the file, writes the table. */
locum_status predict_frames_commit(predict_frames *f);
void predict_frames_destroy(predict_frames *f); /* NULL-safe; removes what was not committed */

#endif
