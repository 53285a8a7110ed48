/* SPDX-License-Identifier: BSD-3-Clause */
/* campaign.h - plans of samples, the loop that steps a solver, and the farm that makes a dataset of many.
 *
 *     study -> setup (solver type, tables, config) -> plan (samples) -> farm: groups take blocks of samples ->
 *     driver -> sink */
#ifndef DATASETS_CAMPAIGN_CAMPAIGN_H
#define DATASETS_CAMPAIGN_CAMPAIGN_H

#include "core/parallel/comm.h"
#include "core/study/log.h"
#include "core/study/run_directory.h"
#include "core/study/watch.h"
#include "datasets/store/store.h"
#include "locum/dev/solver.h"

#define LOCUM_OBSERVE_MAX 16

/* block `record` */
typedef struct locum_record_config {
    double from, until, every; /**< times; every NAN = only the last (or the mean) */
    bool average; /**< one frame: the running mean over [from, until], trapezoidal in time over all steps */
    int32_t n_observe;
    char observe[LOCUM_OBSERVE_MAX][LOCUM_TEXT_SIZE]; /**< none given: every array that is not COSTLY */
    int32_t resolution[2], n_resolution;              /**< 0 = the solver's */
    int32_t precision;                                /**< choice: float32, float64 */
    char format[LOCUM_TEXT_SIZE];                     /**< "" = the store */
    double checkpoint;                                /**< seconds of work between restart files of simulate */
} locum_record_config;
extern const locum_option locum_record_options[];

/* block `campaign`; `vary` is read by the plan */
typedef struct locum_campaign_config {
    int32_t split[LOCUM_SPLITS]; /**< samples of train, validation, calibration, test (the group `split`) */
    bool has_long, has_noise;
    int32_t n_long; /**< the group `long` */
    char long_splits[LOCUM_SPLITS][LOCUM_TEXT_SIZE];
    double long_until;
    int32_t noise_samples; /**< the group `noise` */
    char noise_of[LOCUM_TEXT_SIZE];
    char noise_seed[LOCUM_TEXT_SIZE]; /**< "another" */
    int32_t points;                   /**< choice: sobol, list, grid (found from `vary` when not given) */
    int32_t ranks_per_sample;
    double shard_bytes, shard_seconds; /**< a shard is committed at 64 MiB or 30 s of work */
} locum_campaign_config;
extern const locum_option locum_campaign_options[];

/* Everything a study says about solving, checked. The solver list comes from the program. */
typedef struct locum_setup {
    const locum_solver_type *type;
    /* owned by the study; initial writes into solver's config */
    locum_settings *solver, *initial, *record, *campaign;
    const locum_record_config *record_config;
    const locum_campaign_config *campaign_config; /**< NULL without a block `campaign` */
    uint64_t seed;
    bool from_file; /**< initial: {name: file}; the rest of this struct is about that file */
    char initial_file[LOCUM_PATH_SIZE], initial_dataset[LOCUM_TEXT_SIZE];
    char initial_format[LOCUM_TEXT_SIZE]; /**< "" = found out from the file */
    double box[3];                        /**< the solver's option `box`, 1 where it has none */
} locum_setup;

/** Reads and checks the blocks solver, initial, record (and campaign if with_campaign). solvers [NULL-terminated].
 *  Local, no MPI. */
locum_status locum_setup_read(locum_study *study, const locum_solver_type *const *solvers, bool with_campaign,
                              locum_setup *setup);

/* --- the plan ---------------------------------------------------------------------------------------------- */
typedef struct locum_plan_sample { /* one row of the plan */
    int64_t index, twin;
    uint64_t seed;
    locum_split split;
    double until;
    double parameter[LOCUM_LIST_MAX];
} locum_plan_sample;

typedef struct locum_campaign_plan {
    int64_t n;
    /** sorted by index: training samples (the first points), then validation, calibration and test dealt by a seeded
     *  permutation, then noise */
    locum_plan_sample *samples;
    int n_parameters;
    char (*name)[LOCUM_TEXT_SIZE], (*unit)[LOCUM_TEXT_SIZE];
    double *lower, *upper;
    bool *log_scale;
} locum_campaign_plan;

/** The plan is a function of the study alone. Collisions across splits are refused. Local. */
locum_status locum_campaign_plan_create(const locum_study *study, const locum_setup *setup, locum_campaign_plan **plan);
void locum_campaign_plan_destroy(locum_campaign_plan *plan);

/** Bytes of the frames that the plan will store. Makes a solver on MPI_COMM_SELF to see its arrays, so call it on one rank. */
locum_status locum_campaign_disk(const locum_setup *setup, const locum_campaign_plan *plan, double *bytes);

/* --- the driver: the one loop that steps a solver ---------------------------------------------------------- */
typedef struct locum_drive_call {
    const locum_solver_type *type;
    const locum_solver *solver;
    const locum_sample *sample;
    const locum_record_config *record; /**< with this sample's `until` */
    double until;
    MPI_Comm comm;
    locum_watch *watch; /**< polled on rank 0, agreed by all */
    locum_sink sink;
    /** called on every rank after each step, collective with the loop; may be NULL */
    void (*progress)(void *self, double time, int64_t step);
    void *progress_self;
    /** base name of the restart files of this sample, "" or NULL = none: written every record.checkpoint seconds and
     *  when stopped; what exists (same sample and options) is continued bit for bit */
    const char *checkpoint;
    const locum_store_facts *facts; /**< of restart files; NULL without `checkpoint` */
    /** Makes the frames so far permanent, before a restart file is written; *segments tells how many pieces there
     *  are. May be NULL. */
    locum_status (*settle)(void *self, int64_t *segments);
    void *settle_self;
    int n_times; /**< record times given outright, ascending (ends of the windows if average); 0 = as `record` says */
    const double *times;
} locum_drive_call;

/** Runs one sample: start, step, observe, sink. *state is reused across samples of one solver (NULL first;
 *  type->free_state at the end). LOCUM_STOPPED if the watch says so (restart file written); LOCUM_NUMERIC,
 *  LOCUM_CONVERGENCE: the sink's close got the reason. Collective on comm. */
locum_status locum_drive(const locum_drive_call *call, locum_state **state);

/** `locum simulate`: one run to one file. Collective. resume continues from the restart file bit for bit. */
locum_status locum_simulate(locum_study *study, const locum_setup *setup, MPI_Comm comm, const char *out, bool force,
                            locum_log *log, locum_watch *watch);

/** `locum generate`: the whole plan, or shard i of n of it, into folder `dataset`. Resumes what is missing.
 *  Collective on world. *n_done, *n_failed: samples in the dataset afterwards; n_done counts the failed ones too. */
typedef struct locum_generate_call {
    locum_study *study;
    const locum_setup *setup;
    const locum_campaign_plan *plan;
    const char *dataset; /**< folder */
    uint64_t options_hash;
    int shard, n_shards; /**< --shard i/n, 0-based; 0 of 1 = all */
    MPI_Comm world;
    locum_log *log;
    locum_watch *watch;
} locum_generate_call;
locum_status locum_generate(const locum_generate_call *call, int64_t *n_done, int64_t *n_failed);

/** Solves n samples (parameters [n, n_parameters], seeds [n]) with any solver config, in memory: what
 *  validate uses for cheaper settings, the reference's time and the negative control. Samples are
 *  spread over the ranks of world through the work counter. seconds [n]: processor time of each sample,
 *  the same on all ranks afterwards. Collective. */
typedef struct locum_solve_call {
    const locum_solver_type *type;
    const void *config;             /**< structure of all samples */
    const locum_setup *initial;     /**< of a study whose samples begin from a file: that state; NULL = the config's */
    const locum_settings *settings; /**< to apply parameters by name */
    int n_parameters;
    const char *const *parameter_name;
    int64_t n;
    const double *parameter;
    const uint64_t *seed;
    const locum_record_config *record; /**< average, from; observe */
    int n_until;
    const double *until; /**< nested windows: ascending ends; one frame each (running means if average) */
    MPI_Comm world;
    locum_watch *watch;
    locum_progress *progress;
} locum_solve_call;

/* Results on every rank: for sample s, window w: frames[s * n_until + w] (arrays of record.observe as double,
 * rows/globals only), and seconds[s * n_until + w] = processor seconds from the start of the sample to that window's
 * end. failed[s]: no frames. */
typedef struct locum_solve_result {
    const locum_schema *schema;
    locum_frame **frames; /**< [n * n_until], NULL where failed */
    double *seconds;
    bool *failed;
    void *owner; /**< memory, released by locum_solve_result_free */
} locum_solve_result;
locum_status locum_solve(const locum_solve_call *call, locum_solve_result *result);
void locum_solve_result_free(locum_solve_result *result);

#endif
