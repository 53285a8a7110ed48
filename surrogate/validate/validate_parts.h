/* SPDX-License-Identifier: BSD-3-Clause */
/* validate_parts.h - what the files of this folder share; nobody else includes it but its tests.
 *
 *     problem (samples of all splits as rows) -> predictions -> errors          rows    x [n, n_inputs], y [n, width]
 *             -> trivial fits, search of cheaper settings,                      width   all outputs together
 *                coverage, control
 *             -> findings -> report.json */
#ifndef SURROGATE_VALIDATE_VALIDATE_PARTS_H
#define SURROGATE_VALIDATE_VALIDATE_PARTS_H

#include "core/memory.h"
#include "core/text.h"
#include "surrogate/validate/validate.h"

/* --- metric.c: errors ------------------------------------------------------------------------- */

/* where the outputs lie in a row */
typedef struct locum_rows_layout {
    int n_outputs, n_metric;
    const int64_t *first;  /**< [n_outputs + 1] */
    const bool *in_metric; /**< [n_outputs] */
} locum_rows_layout;

typedef struct locum_errors {
    int64_t n;
    double *sample;         /**< [n] mean over the outputs of the metric */
    double *of_output;      /**< [n, n_outputs] */
    double *output_mean;    /**< [n_outputs] */
    double mean, low, high; /**< over samples; 95 % bootstrap interval */
} locum_errors;             /* starts as {0} */

/** |p - t| / |t|; a truth that vanishes counts 0 if it is met exactly, else 1. Local. */
double locum_metric_relative(int64_t n, const double *prediction, const double *truth);
/** Error of one row; of_output [n_outputs]. Local. */
double locum_metric_row(const locum_rows_layout *layout, const double *prediction, const double *truth,
                        double *of_output);
/** Errors of n rows [n, width]; the bootstrap draws samples by (seed, replicate). Local. */
locum_status locum_errors_make(const locum_rows_layout *layout, int64_t n, const double *prediction,
                               const double *truth, uint64_t seed, locum_errors *errors);
void locum_errors_free(locum_errors *errors);
/** 2.5 % and 97.5 % quantiles of the mean of resampled values. Local. */
locum_status locum_bootstrap(int64_t n, const double *values, uint64_t seed, double *low, double *high);
/** Quantile p of values [n], which are sorted in place; NAN if n = 0. Local. */
double locum_quantile_of(int64_t n, double *values, double p);

/* --- transforms.c: how the network sees a value ----------------------------------------------- */

typedef enum locum_view { LOCUM_VIEW_LINEAR, LOCUM_VIEW_LOG, LOCUM_VIEW_LOG_SHARE } locum_view;
typedef struct locum_value_view {
    locum_view view;
    double floor;
    int total; /**< of LOG_SHARE: output */
} locum_value_view;
typedef struct locum_transforms {
    int n_inputs, n_outputs;
    locum_value_view *inputs, *outputs;
} locum_transforms; /* starts as {0} */

/** From the model's metadata "transforms": {"inputs": [{name, transform}], "outputs": [{name, transform, floor,
 *  total}]}, transform "linear", "log" or "log_share", total the name of an output. Without it all are linear.
 *  Local. */
locum_status locum_transforms_read(const locum_model *model, locum_transforms *transforms);
void locum_transforms_free(locum_transforms *transforms);
const char *locum_view_name(locum_view view);
void locum_transform_inputs(const locum_transforms *transforms, const double *x, double *seen);
void locum_transform_outputs(const locum_transforms *transforms, const int64_t *first, const double *y, double *seen);
void locum_transform_back(const locum_transforms *transforms, const int64_t *first, const double *seen, double *y);

/* --- trivial.c: predictors that need no network ----------------------------------------------- */

typedef enum locum_trivial {
    LOCUM_TRIVIAL_MEAN,
    LOCUM_TRIVIAL_LINEAR,
    LOCUM_TRIVIAL_QUADRATIC,
    LOCUM_TRIVIAL_NEAREST,
    LOCUM_TRIVIALS
} locum_trivial;
const char *locum_trivial_name(locum_trivial kind);
/** Fits to n rows and predicts m; out [m, width]. Least squares in the transformed values, inputs standardised.
 *  Local. */
locum_status locum_trivial_predict(locum_trivial kind, const locum_transforms *transforms, const int64_t *first,
                                   int64_t n, const double *x, const double *y, int64_t m, const double *x_new,
                                   double *out);
/** Distance of each new row to the nearest of n rows, in standardised transformed inputs; nearest (may be NULL)
 *  its row. Local. */
locum_status locum_nearest_distance(const locum_transforms *transforms, int64_t n, const double *x, int64_t m,
                                    const double *x_new, double *distance, int64_t *nearest);

/* --- problem.c: the study's samples as rows --------------------------------------------------- */

typedef struct locum_problem {
    const locum_validate_call *call;
    const locum_validate_config *config;
    const locum_model *model;
    locum_table *table;
    int n_inputs, n_outputs;
    int64_t *first, width; /**< [n_outputs + 1] */
    bool *in_metric;
    locum_rows_layout layout;
    locum_transforms transforms;
    int64_t n[LOCUM_SPLITS];
    double *x[LOCUM_SPLITS], *y[LOCUM_SPLITS]; /**< [n, n_inputs], [n, width] */
    char test_read[32];                        /**< when the test split was read, UTC */
    int64_t duplicates; /**< samples of one split whose parameters another split has too (noise apart) */
    uint64_t seed;
    int rank, size;
} locum_problem;

/** Reads the dataset, once. Local. */
locum_status locum_problem_create(const locum_validate_call *call, locum_problem **problem);
void locum_problem_destroy(locum_problem *problem);
/** UTC now, as the report has it. Local. */
void locum_note_time(char text[32]);
/** Sample of the campaign's plan behind row i of a split, NULL without one. Local. */
const locum_plan_sample *locum_problem_sample(const locum_problem *problem, locum_split split, int64_t i);

/* --- evaluate.c: the surrogate ---------------------------------------------------------------- */

/** Predicts n rows through the solver interface (surrogate/as_solver) and locum_solve; out [n, width].
 *  Collective on world. */
locum_status locum_evaluate_as_solver(const locum_problem *problem, int64_t n, const double *x, double *out);

typedef struct locum_trusted { /* n rows; without calibration lower and upper are NAN */
    int64_t n;
    double *value, *lower, *upper; /**< [n, width] */
    uint32_t *flag;
    double *p_value;
} locum_trusted; /* starts as {0} */

/** n rows by locum_eval with interval and flag. model: any with the problem's ports. Local. */
locum_status locum_evaluate_trust(const locum_problem *problem, const locum_model *model, double coverage, int64_t n,
                                  const double *x, locum_trusted *trusted);
void locum_trusted_free(locum_trusted *trusted);

typedef struct locum_timing {
    double one;     /**< seconds of one eval of one row, with interval and flag */
    double batched; /**< seconds per row at the best batch */
    int64_t best_batch;
} locum_timing;
/** Medians over many repeats, inputs of the test split in turn. Local. */
locum_status locum_evaluate_time(const locum_problem *problem, locum_timing *timing);

/* --- law.c, coverage.c ------------------------------------------------------------------------ */

/** Smallest k with P(K <= k) >= p for the beta-binomial law BB(n; a, b). Local. */
int64_t locum_law_quantile(int64_t n, double a, double b, double p);
/** l of the conformal law BB(n_test; n + 1 - l, l). Local. */
int64_t locum_law_level(int64_t n_calibration, double coverage);

typedef struct locum_coverage_group {
    char name[128];
    int64_t covered, samples;
} locum_coverage_group;

typedef struct locum_coverage {
    double target;
    int64_t covered, samples, calibration;
    int64_t law_low,
        law_high;         /**< two-sided 99.8 % range of `covered`; -1 without a law (too few calibration samples) */
    double *median_width; /**< [n_outputs] |upper - lower| / |value| */
    bool *is_covered;     /**< [samples] */
    int n_groups;
    locum_coverage_group *groups;
} locum_coverage; /* starts as {0} */

/** Does every value of the row lie in its interval? Local. */
bool locum_coverage_row(int64_t width, const double *lower, const double *upper, const double *truth);
locum_status locum_coverage_make(const locum_problem *problem, const locum_trusted *trusted, locum_coverage *coverage);
/** law_low and law_high, from target, samples and calibration. Local. */
void locum_coverage_law(locum_coverage *coverage);
void locum_coverage_free(locum_coverage *coverage);

/* --- windows.c: means over any part of nested windows ----------------------------------------- */

/** Ends of windows: n times from `start` to `until`, their distances from start growing by 2^(1/2). Local. */
void locum_window_ends(double start, double until, int n, double *ends);
/** Mean over [t1, t2] from the means over [start, t1] and [start, t2]; t1 = start gives the latter. Local. */
void locum_window_mean(int64_t width, double start, double t1, const double *mean1, double t2, const double *mean2,
                       double *out);

/* --- rung.c, baselines.c, speedup.c: the solver made cheaper ---------------------------------- */

#define LOCUM_SETTING_TEXT 96

/* one setting of the solver and how it did on the searched samples */
typedef struct locum_setting_found {
    char resolution[32], text[LOCUM_SETTING_TEXT];
    double from, until; /**< the mean; NAN for a solver without time */
    double seconds;     /**< per sample, spin-up included */
    double error, low, high;
    double of_output[LOCUM_OBSERVE_MAX];
    int64_t samples;
    bool best; /**< on the front */
} locum_setting_found;

/* a rung of the ladder: resolution and step of the study made cheaper */
typedef struct locum_rung {
    double fraction, step_factor;
    double cost; /**< expected, of the reference's */
    char resolution[32], text[64];
    void *config; /**< [config_size] */
} locum_rung;
#define LOCUM_RUNGS_MAX 16

/** The rungs that the solver accepts, cheapest first; the last is the reference itself; lowest: smallest fraction of the
 *  resolution. Local. */
locum_status locum_rungs_make(const locum_setup *setup, double lowest, locum_rung rungs[LOCUM_RUNGS_MAX], int *n);
/** Twice the points and half the step of the study; config NULL if the solver does not take it. free(config). Local. */
locum_status locum_rung_finer(const locum_setup *setup, locum_rung *rung);
void locum_rungs_free(int n, locum_rung *rungs);

typedef struct locum_search {
    bool done; /**< there was something to search */
    int64_t n, capacity;
    locum_setting_found *settings; /**< sorted by time */
    int64_t samples;
    double surrogate_error;   /**< over the searched samples */
    double reference_seconds; /**< per sample: the study's own setting and window */
    char reference_text[128];
    bool complete;         /**< no rung was left out for want of time */
    double walked_seconds; /**< of the dearest setting walked */
    locum_text words;      /**< what was walked, why it stopped */
} locum_search;            /* starts as {0} */

/** Walks the ladder until `surrogate` (errors on the test split) is bracketed. Collective on world. */
locum_status locum_search_baselines(const locum_problem *problem, const locum_errors *surrogate, locum_search *search);
void locum_search_free(locum_search *search);
/** Appends a setting. Local. */
locum_status locum_search_keep(locum_search *search, const locum_setting_found *found);
/** Sorts by time and marks the front. Local. */
void locum_front_mark(int64_t n, locum_setting_found *settings);
/** Runs the solver at `config` for n rows of parameters; out [n, n_until, width] mapped to the problem's rows,
 *  seconds [n, n_until], failed [n]. Collective on world. */
typedef struct locum_run_call {
    const void *config;
    int64_t n;
    const double *x; /**< [n, n_inputs] */
    uint64_t seed;   /**< sample i gets f(seed, i) */
    double from;
    int n_until;
    const double *until;
    const char *what; /**< for the progress line */
} locum_run_call;
locum_status locum_run_solver(const locum_problem *problem, const locum_run_call *call, double *out, double *seconds,
                              bool *failed);
/** Why the solver cannot be run for this problem, NULL if it can. Local. */
const char *locum_problem_obstacle(const locum_problem *problem);
/** Window of the test labels. Local. */
double locum_problem_from(const locum_problem *problem);
double locum_problem_until(const locum_problem *problem);

typedef struct locum_speedup {
    double value;    /**< NAN = none claimed */
    char bound[3];   /**< "=", "<=", ">=", "" */
    double seconds;  /**< of the solver at that error */
    int64_t setting; /**< cheapest setting that reaches the error, -1 = none */
    char reason[512];
} locum_speedup;
/** search: sorted, front marked. Local. */
void locum_speedup_find(const locum_search *search, double surrogate_seconds, locum_speedup *speedup);
/** Predictions that repay cost; NAN where nothing is saved or the cost is not known. Local. */
double locum_break_even(double cost, double solver_seconds, double surrogate_seconds);

/* --- control.c: negative control -------------------------------------------------------------- */

typedef struct locum_control {
    bool done;
    int64_t samples, failed, covered, law_limit, flagged;
    bool fails_visibly;
    double error;
    char parameters[256], text[512];
} locum_control; /* starts as {0} */

#define LOCUM_CONTROL_SEED 0x6e6567636f6e74ULL /* tells its points and seeds from those of the campaign */

/** Point k [n_parameters] between lower and upper, in the plan's order and scales. Local. */
locum_status locum_control_point(const locum_campaign_plan *plan, uint64_t seed, int64_t k, const double *lower,
                                 const double *upper, double *point);
/** Writes control->parameters. Local. */
void locum_control_name_ranges(const locum_campaign_plan *plan, const double *lower, const double *upper,
                               locum_control *control);
/** From samples, failed, covered and the sum of errors: the mean error, law_limit, fails_visibly. Local. */
void locum_control_judge(const locum_model *model, double coverage, locum_control *control);
/** Points over the ranges of validate.negative_control, solved and predicted. Collective on world. */
locum_status locum_control_run(const locum_problem *problem, locum_control *control);
/** Reads and checks the group; lower, upper [n_parameters] start as the training ranges. settings of the solver
 *  may be NULL. Local. */
locum_status locum_control_ranges(const locum_study *study, const locum_campaign_plan *plan, double *lower,
                                  double *upper);

/* --- explain.c, curve.c: what was learnt ------------------------------------------------------ */

#define LOCUM_RESPONSE_POINTS 49

typedef struct locum_explained {
    double *response_x;      /**< [n_inputs, POINTS] */
    locum_trusted *response; /**< [n_inputs] POINTS rows each */
    double *centre;          /**< [n_inputs] the other inputs */
    double *sensitivity;     /**< [n_inputs, n_outputs] */
    double *distance;        /**< [n_test] */
    int n_fractions;
    double fraction[16], kept_error[16];
    bool has_budget;
    double budget_surrogate, budget_labels;
} locum_explained; /* starts as {0} */

locum_status locum_explain(const locum_problem *problem, const locum_trusted *trusted, const locum_errors *errors,
                           locum_explained *explained);
void locum_explained_free(const locum_problem *problem, locum_explained *explained);

#define LOCUM_CURVE_MAX 31
typedef struct locum_curve {
    int n;
    int64_t samples[LOCUM_CURVE_MAX + 1];
    double error[LOCUM_CURVE_MAX + 1];
} locum_curve;
/** Numbers n of the files curve-<n>.safetensors, ascending; how many there are. Local. */
int locum_curve_list(const char *folder, int64_t samples[LOCUM_CURVE_MAX]);
/** Models curve-<n>.safetensors of the folder on the test split, then the full model. Local. */
locum_status locum_curve_make(const locum_problem *problem, double full_error, locum_curve *curve);

/* --- snapshots.c ------------------------------------------------------------------------------ */

typedef struct locum_snapshot {
    char text[192];
    int64_t nx, ny;
    double lower[2], upper[2];
    double *values; /**< [nx, ny]; on rank 0 */
} locum_snapshot;
typedef struct locum_snapshots {
    int n;
    locum_snapshot *items;
} locum_snapshots; /* starts as {0} */
/** Pictures of a field at a few points of the parameter space. Collective on world. */
locum_status locum_snapshots_take(const locum_problem *problem, locum_snapshots *snapshots);
void locum_snapshots_free(locum_snapshots *snapshots);

/* --- models.c: several surrogates --------------------------------------------------------------- */

typedef struct locum_model_findings {
    double error, low, high;
    locum_timing timing;
    int64_t covered, flagged;
} locum_model_findings;

/** As training saw it; NAN if the model does not tell. Local. */
double locum_model_validation_error(const locum_model *model);
const char *locum_validated_name(const locum_validated_model *model);
/** The model of the headline: smallest validation error, the first if none tells. Local. */
int locum_models_head(const locum_validate_call *call);
/** Each model of the call on the test split. Local. */
locum_status locum_models_measure(const locum_problem *problem, locum_model_findings models[LOCUM_VALIDATED_MAX]);
/** "surrogates": a list, empty where the study has one. Local. */
void locum_report_models(const locum_problem *problem, const locum_model_findings *models, locum_text *out);

/* --- all -------------------------------------------------------------------------------------- */

typedef struct locum_findings {
    locum_errors surrogate, trivial[LOCUM_TRIVIALS], noise;
    locum_trusted trusted;
    locum_timing timing;
    locum_coverage coverage;
    locum_control control;
    locum_search search;
    locum_speedup speedup;
    double break_even, seconds;
    locum_explained explained;
    locum_curve curve;
    locum_snapshots snapshots;
    locum_model_findings models[LOCUM_VALIDATED_MAX];
    char headline[1024];
} locum_findings; /* starts as {0} */

/** report.json as text. Local. */
void locum_report_json(const locum_problem *problem, const locum_findings *findings, locum_text *out);
/** The parts about single samples (report_samples.c). Local. */
void locum_report_samples(const locum_problem *problem, const locum_findings *findings, locum_text *out);
/** "name": before a value, with a comma unless it is the first. Local. */
void locum_report_key(locum_text *out, bool first, const char *name);
void locum_report_number(locum_text *out, bool first, const char *name, double value);
void locum_report_text(locum_text *out, bool first, const char *name, const char *value);
void locum_report_list(locum_text *out, bool first, const char *name, int64_t n, const double *values);
/** "name":[ */
void locum_report_open_list(locum_text *out, bool first, const char *name);
void locum_report_boolean(locum_text *out, bool first, const char *name, bool value);
/** Members of report.json that all kinds of surrogates have. Local. */
void locum_report_surrogate(const locum_model *model, const locum_study *study, const locum_findings *findings,
                            locum_text *out);
/** text: what counts as covered. */
void locum_report_coverage(const locum_findings *findings, int n_outputs, const char *text, locum_text *out);
/** "name": [{x_name, error}, ...] */
void locum_report_pairs(const char *name, const char *x_name, int n, const double *x, const double *error,
                        locum_text *out);
/** "learning_curve". */
void locum_report_curve(const locum_curve *curve, locum_text *out);
void locum_report_baselines(const locum_search *search, locum_text *out);
void locum_report_speedup(const locum_findings *findings, locum_text *out);
void locum_report_control(const locum_control *control, locum_text *out);
void locum_report_costs(const locum_validate_call *call, const locum_findings *findings, locum_text *out);
double locum_report_parameters(const locum_model *model);
/** The line that heads the report, from timing, search, speedup and label noise. Local. */
void locum_headline_write(const char *solver, locum_findings *findings);
/** Who is beaten by a simple predictor should not need the table to learn it. Local. */
void locum_headline_add_trivial(locum_findings *findings, const char *name, double error);
/** Speed-up, break-even and headline from what was measured. obstacle: why the solver was not run, or NULL. Local. */
void locum_conclude(const locum_validate_call *call, const char *obstacle, locum_findings *findings);
/** Commits report.json and frees the text. Local. */
locum_status locum_report_write(const locum_validate_call *call, locum_text *text);
/** Appends a number with six significant digits, null if it is not finite: what pictures need. Local. */
void locum_report_short(locum_text *out, double value);

#endif
