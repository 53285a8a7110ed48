/* SPDX-License-Identifier: BSD-3-Clause */
/* fields.h - validation of surrogates of fields: what the files of this folder share; nobody else includes it but
 * validate.c and the tests.
 *
 *     step   frames .. s | s+1 ... s+L      the surrogate is rolled out over all leads 1 .. L of a test sample
 *     map    parameters, first frame | last frame                                                    L = 1
 *
 *     frame  [width] doubles: the model's outputs one behind the other, each [grid.., components]
 * Samples are spread over the ranks; numbers of a sample are zero on all ranks but one until they are summed, which is
 * exact. Fields are never kept: what is kept are sums over them (score.c). */
#ifndef SURROGATE_VALIDATE_FIELDS_FIELDS_H
#define SURROGATE_VALIDATE_FIELDS_FIELDS_H

#include "datasets/campaign/forecast.h"
#include "surrogate/validate/validate_parts.h"

/* --- problem.c: the test samples as trajectories ---------------------------------------------- */

#define LOCUM_FIELD_ARRAYS 16

typedef struct locum_field_array {
    const char *name;
    int array;            /**< of the dataset's schema */
    int64_t first, count; /**< among the values of a frame */
    int components;
} locum_field_array;

/* where an input of a model comes from */
typedef struct locum_field_source {
    int value; /**< of the problem's values; -1 = a field */
    int field; /**< step: of the outputs, map: of the inputs */
} locum_field_source;

typedef struct locum_field_model {
    const char *name, *path, *curve_folder;
    const locum_model *model;
    int64_t history;
    int n_inputs;
    locum_field_source source[LOCUM_LIST_MAX + LOCUM_FIELD_ARRAYS];
    double validation_error; /**< as training saw it; NAN if not told */
} locum_field_model;

typedef struct locum_fields {
    const locum_validate_call *call;
    const locum_validate_config *config;
    const locum_dataset *dataset;
    int n_models, head; /**< head: smallest validation error; the test split chooses nothing */
    locum_field_model *models;
    bool step;
    int64_t history; /**< largest of the models */
    double interval;
    int n_values; /**< varied parameters that a model takes */
    int parameter[LOCUM_LIST_MAX];
    const char *value_name[LOCUM_LIST_MAX];
    int n_outputs, n_inputs; /**< inputs: fields of a map's first frame */
    locum_field_array output[LOCUM_FIELD_ARRAYS], input[LOCUM_FIELD_ARRAYS];
    bool in_metric[LOCUM_FIELD_ARRAYS];
    /** Variances vanish where a flow is steady: their errors are divided by the root of this mean over the training split
     *  of the squared norm; 0 = by the norm of the truth. */
    double typical[LOCUM_FIELD_ARRAYS];
    int n_metric;
    int64_t width, in_width; /**< of a frame; of what is seen of one frame (step: width) */
    const locum_domain *domain;
    int n_axes;
    int64_t grid[3], points;
    bool periodic;
    int64_t n[LOCUM_SPLITS], *sample[LOCUM_SPLITS]; /**< good samples: places in the dataset */
    int64_t n_frames;
    int n_leads;
    double *times; /**< [n_leads] since the last frame seen */
    char test_read[32];
    int64_t duplicates;
    uint64_t seed;
    int rank, size;
} locum_fields;

/** Does a model predict fields? Local. */
bool locum_fields_are_predicted(const locum_model *model);
locum_status locum_fields_create(const locum_validate_call *call, locum_fields **fields);
void locum_fields_destroy(locum_fields *fields);

typedef struct locum_trajectory {
    double values[LOCUM_LIST_MAX];
    double *seen;  /**< [history, in_width], oldest first */
    double *truth; /**< [n_leads, width] */
} locum_trajectory;
locum_status locum_trajectory_make(const locum_fields *fields, locum_trajectory *trajectory);
void locum_trajectory_free(locum_trajectory *trajectory);
/** Sample i of a split. Local. */
locum_status locum_trajectory_read(const locum_fields *fields, locum_split split, int64_t i,
                                   locum_trajectory *trajectory);
/** Its parameters alone. Local. */
void locum_fields_values(const locum_fields *fields, locum_split split, int64_t i, double *values);
/** An array of one frame (frame < 0 from the end) of sample i. Local. */
locum_status locum_fields_read(const locum_fields *fields, locum_split split, int64_t i, int64_t frame, int n,
                               const locum_field_array *arrays, double *values);
/** Sums over ranks of numbers that are zero on all ranks but one. Collective. */
void locum_fields_share(const locum_fields *fields, int64_t n, double *values);

/* --- score.c: sums over fields, and the errors that follow -------------------------------------- */

enum { LOCUM_SUM_ERROR, LOCUM_SUM_TRUTH, LOCUM_SUM_TRUTH_SPREAD, LOCUM_SUM_SPREAD, LOCUM_SUM_PRODUCT, LOCUM_SUMS };

typedef struct locum_scores {
    int64_t n;
    int n_leads, n_outputs;
    double *sum;                        /**< [n, n_leads, n_outputs, LOCUM_SUMS] */
    double typical[LOCUM_FIELD_ARRAYS]; /**< of the problem */
} locum_scores;                         /* starts as {0} */
locum_status locum_scores_make(const locum_fields *fields, int64_t n, int n_leads, locum_scores *scores);
void locum_scores_free(locum_scores *scores);
/** One frame; prediction NULL: a zero field (a roll-out that was stopped: an error of 100 %). Local. */
void locum_scores_add(const locum_fields *fields, locum_scores *scores, int64_t sample, int lead,
                      const double *prediction, const double *truth);

typedef struct locum_field_errors {
    locum_errors joined; /**< relative L2 over the joined trajectory, as one error per sample */
    int n_leads;
    double *mean, *low, *high;       /**< [n_leads] relative L2: mean, 10 % and 90 % quantile over samples */
    double *vrmse, *correlation;     /**< [n_leads] means over samples */
    double valid, valid_correlation; /**< mean over samples of the time up to which the error stays below
                                          LOCUM_VALID_ERROR, the correlation above LOCUM_VALID_CORRELATION */
} locum_field_errors;                /* starts as {0} */
#define LOCUM_VALID_ERROR 0.5
#define LOCUM_VALID_CORRELATION 0.8
locum_status locum_field_errors_make(const locum_fields *fields, const locum_scores *scores,
                                     locum_field_errors *errors);
void locum_field_errors_free(locum_field_errors *errors);
/** Relative L2 of one sample at one lead, over the joined leads if lead < 0; mean over the metric's outputs. Local. */
double locum_scores_relative(const locum_fields *fields, const locum_scores *scores, int64_t sample, int lead);
/** The same of one output. Local. */
double locum_scores_output(const locum_scores *scores, int64_t sample, int lead, int output);

/* --- physics.c: budgets and spectra of single fields --------------------------------------------- */

enum {
    LOCUM_BUDGET_MEAN,
    LOCUM_BUDGET_SQUARE,     /* mean square / 2: energy of a velocity, enstrophy of a vorticity */
    LOCUM_BUDGET_GRADIENT,   /* mean square of the gradient (central differences) / 2 */
    LOCUM_BUDGET_ENERGY,     /* of the flow that has this vorticity; NAN for other fields */
    LOCUM_BUDGET_DIVERGENCE, /* rms divergence over rms gradient, of a vector; else NAN */
    LOCUM_BUDGETS
};
const char *locum_budget_name(int budget, const char *array, int components);

#define LOCUM_PHYSICS_SAMPLES 16
#define LOCUM_PHYSICS_LEADS 4

typedef struct locum_physics {
    int64_t n, shells;                        /**< samples; 0 shells: no spectra (not a periodic plane) */
    int n_spectra, lead[LOCUM_PHYSICS_LEADS]; /**< 0-based leads with spectra and pictures */
    double *budget;                           /**< [n, n_leads, n_outputs, LOCUM_BUDGETS] */
    double *spectrum;                         /**< [n, n_spectra, n_outputs, shells] */
} locum_physics;                              /* starts as {0} */
locum_status locum_physics_make(const locum_fields *fields, locum_physics *physics);
void locum_physics_free(locum_physics *physics);
/** One frame of test sample i, if it is among those looked at. Local. */
locum_status locum_physics_add(const locum_fields *fields, locum_physics *physics, int64_t i, int lead,
                               const double *frame);
/** A lead that a roll-out did not reach: NAN. Local. */
void locum_physics_gap(const locum_fields *fields, locum_physics *physics, int64_t i, int lead);
/** Sums over ranks. Collective. */
void locum_physics_share(const locum_fields *fields, locum_physics *physics);
/** Budgets and spectra of the truth of the samples looked at. Collective. */
locum_status locum_physics_truth(const locum_fields *fields, locum_physics *physics);
/** Test sample behind number k. Local. */
int64_t locum_physics_sample(const locum_fields *fields, const locum_physics *physics, int64_t k);
/** Mean square by shells of a periodic [nx, ny, components] field; out [shells]. Local. */
locum_status locum_field_spectrum(const int64_t n[2], const double box[2], int components, const double *values,
                                  int64_t shells, double *out);

/* --- roll.c: a surrogate over all leads ------------------------------------------------------------ */

typedef struct locum_roller {
    const locum_fields *fields;
    const locum_field_model *model;
    void *memory;
    locum_context *context;
    locum_buffer *inputs, *outputs, *lower, *upper;
    double *packed, *frame, *low, *high; /**< inputs of one row; a frame and its interval */
    int64_t rows;
} locum_roller; /* starts as {0} */

/* a frame of a roll-out as doubles; lower and upper NULL without calibration */
typedef locum_status (*locum_rolled)(void *self, int lead, const double *value, const double *lower,
                                     const double *upper, uint32_t flag);
locum_status locum_roller_make(const locum_fields *fields, const locum_field_model *model, int64_t rows,
                               locum_roller *roller);
void locum_roller_free(locum_roller *roller);
/** Rolls one trajectory out. A roll-out that blows up ends early: *stopped is its lead (1, 2, ...), else 0. Local. */
locum_status locum_roller_run(locum_roller *roller, const locum_trajectory *trajectory, locum_rolled rolled, void *self,
                              int *stopped);

typedef struct locum_evaluation { /* one surrogate on n samples */
    int64_t n;
    locum_scores scores;
    double *covered, *inside, *flag; /**< [n, n_leads]: all values inside; share inside; flags so far */
    double *interval;                /**< [n, n_leads, n_outputs] rms width over rms truth; NAN: infinite */
    double *stopped;                 /**< [n] lead, 0 = not */
    locum_field_errors errors;
    bool calibrated;
    int leads;      /**< that intervals cover */
} locum_evaluation; /* starts as {0} */
/** One trajectory into place i. physics NULL: none. Local. */
locum_status locum_evaluation_add(locum_roller *roller, const locum_trajectory *trajectory, int64_t i,
                                  locum_evaluation *evaluation, locum_physics *physics);
locum_status locum_evaluation_make(const locum_fields *fields, const locum_field_model *model, int64_t n,
                                   locum_evaluation *evaluation);
/** Sums over ranks; then errors. Collective. */
locum_status locum_evaluation_finish(const locum_fields *fields, locum_evaluation *evaluation);
void locum_evaluation_free(locum_evaluation *evaluation);
/** The whole test split, physics of a few. Collective. */
locum_status locum_evaluation_test(const locum_fields *fields, const locum_field_model *model,
                                   locum_evaluation *evaluation, locum_physics *physics);
/** Is every value at every calibrated lead of sample i inside? Local. */
bool locum_evaluation_covered(const locum_evaluation *evaluation, int64_t i);
/** Seconds of a whole roll-out with interval and flag. Local. */
locum_status locum_roll_time(const locum_fields *fields, const locum_field_model *model, locum_timing *timing);

/* --- trivial.c, run.c, search.c, spread.c, control.c ------------------------------------------------------- */

#define LOCUM_FIELD_TRIVIALS 5
typedef struct locum_field_trivial {
    const char *name; /**< "persistence", or one of locum_trivial_name; NULL = does not apply */
    locum_field_errors errors;
} locum_field_trivial;
/** Predictors that need no network, on the test split. Collective. */
locum_status locum_field_trivials(const locum_fields *fields, locum_field_trivial trivial[LOCUM_FIELD_TRIVIALS]);

typedef struct locum_field_search {
    locum_search search;
    int n_runs;
    char (*run_text)[LOCUM_SETTING_TEXT];
    double *run_error, *run_seconds; /**< [n_runs, n_leads]; [n_runs, n_leads] */
} locum_field_search;                /* starts as {0} */
/** Walks the ladder, each test sample from the same last frame seen. Collective. */
locum_status locum_field_search_run(const locum_fields *fields, const locum_errors *surrogate,
                                    locum_field_search *search);
void locum_field_search_free(locum_field_search *search);
/** Why the solver cannot be run for this problem, NULL if it can. Local. */
const char *locum_fields_obstacle(const locum_fields *fields);
/** Does the solver begin from frames of the dataset (else from parameters and seeds)? Local. */
bool locum_fields_begin_from_frames(const locum_fields *fields);

/* the solver on many samples, frame by frame; samples are given by rows of parameters, in the dataset's order */
typedef struct locum_field_run {
    const void *config;
    int64_t n;
    const int64_t *test;     /**< [n] samples of the test split: their parameters, and frames to begin from */
    const double *parameter; /**< [n, n_parameters] instead, where test is NULL: from config and seed */
    int64_t start;           /**< frame to begin from; -1 = the last one seen */
    double amplitude;        /**< that frame times this; 0 = 1 */
    double perturbation;     /**< relative noise on it */
    uint64_t seed;           /**< sample i gets f(seed, i) */
    int n_times;             /**< 0 = the leads */
    const double *times;     /**< from the beginning */
    bool average;
    double from;
    bool with_inputs; /**< frames are [in_width + width]: the map's input fields first */
    const char *what; /**< for the progress line */
    MPI_Comm world;
    /** Local, on the rank that solves the sample. */
    locum_status (*frame)(void *self, int64_t i, int time, const double *frame);
    void *self;
} locum_field_run;
/** seconds [n, n_times], failed [n]. Collective on run->world. */
locum_status locum_field_run_solver(const locum_fields *fields, const locum_field_run *run, double *seconds,
                                    bool *failed);

#define LOCUM_PERTURBATION 1e-6
typedef struct locum_solver_spread {
    int64_t n;                 /**< samples, 0 = not measured */
    locum_field_errors errors; /**< of a run begun a little beside, against the run itself */
} locum_solver_spread;         /* starts as {0} */
locum_status locum_solver_spread_run(const locum_fields *fields, double reference_seconds, locum_solver_spread *spread);

typedef struct locum_label_noise {
    int64_t n;
    locum_field_errors errors;
    char text[256];
} locum_label_noise; /* starts as {0} */
/** Twins of the noise split, or half the step and twice the grid from the same frames. Collective. */
locum_status locum_label_noise_run(const locum_fields *fields, double reference_seconds, locum_label_noise *noise);

/** Shifted parameters, or initial frames of another amplitude; the solver anew. Collective. */
locum_status locum_field_control_run(const locum_fields *fields, locum_control *control);

/* --- findings --------------------------------------------------------------------------------------- */

typedef struct locum_sheet { /* truth, prediction and error of one sample */
    int64_t sample, n[2];
    double lower[2], upper[2], error; /**< corners of the picture; of the whole trajectory */
    int n_leads, lead[LOCUM_PHYSICS_LEADS];
    char name[128];                /**< of what is shown: the first output of the metric, its first component */
    double *input, *truth, *value; /**< [n_leads, n[0] * n[1]]; input [n[0] * n[1]] of the last frame seen, or NULL */
} locum_sheet;                     /* starts as {0} */

typedef struct locum_field_findings {
    locum_findings common; /**< surrogate, timing, noise, search, speedup, coverage, control, curve: of the head */
    locum_evaluation models[LOCUM_VALIDATED_MAX];
    locum_timing timing[LOCUM_VALIDATED_MAX];
    locum_curve curve[LOCUM_VALIDATED_MAX];
    locum_physics truth, physics[LOCUM_VALIDATED_MAX];
    locum_field_trivial trivial[LOCUM_FIELD_TRIVIALS];
    locum_field_search search;
    locum_solver_spread spread;
    locum_label_noise noise;
    locum_sheet sheet;
    int n_fractions;
    double fraction[8], kept_error[8]; /**< error of what is kept when the widest intervals are refused */
} locum_field_findings;                /* starts as {0} */

/** Truth and prediction of the test sample in the middle of the errors. Local, rank 0. */
locum_status locum_sheet_make(const locum_fields *fields, const locum_evaluation *head, locum_sheet *sheet);
void locum_sheet_free(locum_sheet *sheet);

/** All of it -> report.json. Collective. */
locum_status locum_fields_validate(const locum_validate_call *call, char *headline, size_t headline_size);
/** report.json as text. Local. */
void locum_fields_json(const locum_fields *fields, const locum_field_findings *findings, locum_text *out);

#endif
