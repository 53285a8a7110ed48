/* SPDX-License-Identifier: BSD-3-Clause */
/* campaign_parts.h - what the files of this folder share; nobody else includes it.
 *
 *     driver --frames--> mean (if average) --> coarsen (if record.resolution) --> spool or shard or memory */
#ifndef DATASETS_CAMPAIGN_CAMPAIGN_PARTS_H
#define DATASETS_CAMPAIGN_CAMPAIGN_PARTS_H

#include "core/memory.h"
#include "core/parallel/counter.h"
#include "datasets/campaign/campaign.h"

/* --- record.c: which arrays, which times ------------------------------------------------------------------- */

/** wanted [schema->n_arrays]: the arrays that record.observe names, or all that are not COSTLY. LOCUM_STUDY naming
 *  what there is. Local. */
locum_status locum_record_wanted(const locum_record_config *record, const locum_schema *schema, bool *wanted);
/** Times at which frames are recorded: from, from + every, ..., until; the mean and `every` not given: until alone.
 *  free(*times). Local. */
locum_status locum_record_times(const locum_record_config *record, bool timeless, double until, int *n, double **times);
/** Has `time` come to `target`, up to round-off of sums of steps? Local. */
bool locum_time_reached(double time, double target);
/** LOCUM_NUMERIC if a value of this rank is not finite, naming array and time. Local. */
locum_status locum_frame_check_finite(const locum_frame *frame, const bool *wanted);

/* --- mean.c: running means --------------------------------------------------------------------------------- */

/* A sink that takes the frames of all steps and hands on, at each `until`, their mean over [from, until]:
 *     mean = 1/(until - from) sum over steps of (t1 - t0) (f0 + f1) / 2 */
typedef struct locum_mean {
    locum_sink inner;
    MPI_Comm comm;
    double from;
    int n_until, next;   /**< windows, and the one that ends next */
    const double *until; /**< [n_until] ascending, lent */
    const locum_schema *schema;
    bool *wanted; /**< [n_arrays] */
    bool started;
    double time; /**< of the latest frame */
    int64_t step;
    locum_frame out;      /**< the mean; its blocks' data are `value` */
    double **sum, **last; /**< [n_arrays][count] */
    void **value;
} locum_mean;

locum_status locum_mean_create(const locum_schema *schema, const bool *wanted, MPI_Comm comm, double from, int n_until,
                               const double *until, locum_sink inner, locum_mean **mean);
void locum_mean_destroy(locum_mean *mean); /* NULL-safe */
locum_sink locum_mean_sink(locum_mean *mean);

/* --- loaded.c: frames that come from files ----------------------------------------------------------------- */

typedef struct locum_loaded {
    locum_dataset *dataset; /**< NULL for a foreign format */
    locum_frame *owner;     /**< as read */
    locum_frame frame;      /**< what is lent: even slices of grids and rows, globals whole; blocks owned */
} locum_loaded;             /* starts as {0} */

void locum_loaded_release(locum_loaded *loaded);
/** The last frame of the only sample of a store file. Collective. */
locum_status locum_loaded_read(const char *path, MPI_Comm comm, locum_loaded *loaded);
/** The initial state from setup->initial_file, on the solver's grid; loaded->owner NULL if the state comes from no
 *  file. Collective. */
locum_status locum_loaded_read_initial(const locum_setup *setup, const locum_solver *solver, MPI_Comm comm,
                                       locum_loaded *loaded);

/* --- restart.c: files that a stopped sample goes on from --------------------------------------------------- */

/* BASE.state.h5: the STATE arrays   BASE.mean-<step>.h5: sums of a running mean   BASE.frames-<i>.h5: output so far */
typedef struct locum_restart {
    double time;
    int64_t step, segments; /**< steps done; pieces of output that belong to this file */
} locum_restart;

/** Writes sums (mean may be NULL), then the state; then removes older sums. Collective on call->comm. */
locum_status locum_restart_write(const locum_drive_call *call, locum_state *state, const locum_restart *restart,
                                 const locum_mean *mean);
/** What the restart file says; *there false if there is none. LOCUM_EXISTS if other options made it. Collective. */
locum_status locum_restart_look(const char *base, uint64_t options_hash, MPI_Comm comm, bool *there,
                                locum_restart *restart);
locum_status locum_restart_read(const char *base, MPI_Comm comm, locum_loaded *state);
/** Sums of a mean whose blocks are laid out (it saw the frame of this time already). Collective. */
locum_status locum_restart_read_mean(const char *base, int64_t step, locum_mean *mean);
/** Removes all files whose names begin with `prefix`, but not `except` (may be NULL). One rank; local. */
void locum_remove_prefixed(const char *prefix, const char *except);

/* --- resample.c: frames on other grids and in other slices ------------------------------------------------- */

/** This rank's even slice of n lines. Local. */
void locum_even_slice(int64_t n, int rank, int size, int64_t *first, int64_t *mine);
/** Fills out (first, n set; data: memory for its values) from blocks that are split in another way. Collective. */
locum_status locum_block_redistribute(MPI_Comm comm, const locum_array *array, const locum_block *in,
                                      const locum_block *out, void *data);

/* A sink that hands frames on with their grid arrays on a coarser grid, all others untouched. */
typedef struct locum_coarsen locum_coarsen;
/** coarse [config_size] = config with record.resolution; a number for one axis stands for all. Local. */
locum_status locum_coarsen_config(const locum_setup *setup, const void *config, char *coarse);
/** Makes a second solver with record.resolution. Collective. */
locum_status locum_coarsen_create(const locum_setup *setup, const void *config, const locum_schema *fine, MPI_Comm comm,
                                  locum_coarsen **coarsen);
void locum_coarsen_destroy(locum_coarsen *coarsen); /* NULL-safe */
locum_sink locum_coarsen_sink(locum_coarsen *coarsen, locum_sink inner);

/* --- crew.c: groups that take work, see each other's failures, and stop together --------------------------- */

typedef struct locum_crew {
    MPI_Comm world;
    locum_counter *work;  /**< next work item, with flags above */
    locum_counter *tally; /**< finished (low half) and failed (high half) items */
    locum_watch *watch;   /**< the program's */
    locum_watch local;    /**< what drivers poll: raised by `raised` */
    volatile sig_atomic_t raised;
    bool speaks;          /**< this rank polls for its group */
    bool stopped, failed; /**< what was seen */
    double looked;
} locum_crew;

locum_status locum_crew_create(MPI_Comm world, locum_watch *watch, bool speaks,
                               locum_crew *crew); /* collective; *crew must not move */
void locum_crew_destroy(locum_crew *crew);        /* collective */
/** Takes n items: *first is what the counter was. Local. */
locum_status locum_crew_take(locum_crew *crew, int64_t n, int64_t *first);
/** Tells the others that this group stops, or failed. Local. */
void locum_crew_stop(locum_crew *crew);
void locum_crew_fail(locum_crew *crew);
/** Looks whether the others have stopped or failed, at most every 0.1 s; raises `local`. Local. */
void locum_crew_look(locum_crew *crew);
void locum_crew_finished(locum_crew *crew, bool failed); /* one item more; local */
void locum_crew_tally(locum_crew *crew, int64_t *n_finished, int64_t *n_failed);
/** Items 0 .. n - 1, one at a time, each by the rank that takes it, until all are done, one fails or somebody stops;
 *  progress (NULL: none) is shown by rank 0. The status is the same on all ranks. Collective on crew->world. */
locum_status locum_crew_work(locum_crew *crew, int64_t n, locum_progress *progress,
                             locum_status (*solve)(void *self, int64_t item), void *self);
/** locum_drive_call.progress, with the crew as its self: looks between steps. Local. */
void locum_crew_between_steps(void *crew, double time, int64_t step);

/* --- host.c: what a solver may ask for --------------------------------------------------------------------- */

typedef struct locum_host {
    locum_log *log;
    locum_watch *watch;
    locum_crew *crew; /**< looked at before the watch; NULL = none */
    char folder[LOCUM_PATH_SIZE];
    locum_services services;
} locum_host; /* must not move */

/** Programs keep their files in `folder`/`behind` put together; folder NULL: nowhere. Local. */
locum_status locum_host_begin(locum_host *host, locum_log *log, locum_watch *watch, locum_crew *crew,
                              const char *folder, const char *behind);

/* --- claim.c: one process at a time ------------------------------------------------------------------------ */

/** Locks the file (made if absent) until locum_claim_release or the death of the process. LOCUM_BUSY names it.
 *  Local. */
locum_status locum_claim_take(const char *path, bool shared, int *descriptor);
/** Removes the file too if nobody else holds it. Local. */
void locum_claim_release(const char *path, int descriptor);

/* --- facts.c: what every file of a study says about itself ------------------------------------------------- */

enum { LOCUM_CONSTANTS_MAX = 32 };

typedef struct locum_study_facts {
    locum_store_facts facts;
    locum_text study, provenance;
    const char **names; /**< parameter names, then units */
    char constant_text[LOCUM_CONSTANTS_MAX][LOCUM_TEXT_SIZE];
    const char *constant_name[LOCUM_CONSTANTS_MAX]; /**< point into constant_text: a collected struct must not move */
    double constant[LOCUM_CONSTANTS_MAX];
} locum_study_facts; /* starts as {0} */

/** plan may be NULL. Local. */
locum_status locum_study_facts_collect(const locum_study *study, const locum_setup *setup,
                                       const locum_campaign_plan *plan, uint64_t options_hash, int ranks,
                                       locum_study_facts *facts);
void locum_study_facts_free(locum_study_facts *facts);

/* --- shards.c: the open shards of one group ---------------------------------------------------------------- */

typedef struct locum_open_shard {
    locum_shard *shard; /**< NULL = none open */
    double seconds;     /**< of work in it */
} locum_open_shard;

/* One open shard per split. */
typedef struct locum_shards {
    const char *dataset; /**< folder */
    MPI_Comm group;
    int group_index;
    const locum_store_facts *facts;
    locum_type precision;
    double most_bytes, most_seconds;
    locum_open_shard open[LOCUM_SPLITS];
} locum_shards;

/** The shard that the sample goes into, opened if need be: data/<split>/shard-<index of its first
 *  sample>-<group>.h5. Collective on group. */
locum_status locum_shards_for(locum_shards *shards, const locum_plan_sample *sample, locum_sink *sink);
/** Counts the work of the sample just closed, and commits the shard if it is full. Collective on group. */
locum_status locum_shards_closed(locum_shards *shards, locum_split split, double seconds);
/** Commits all that hold samples. Collective on group. */
locum_status locum_shards_commit(locum_shards *shards);
void locum_shards_abandon(locum_shards *shards); /* collective on group */

/* --- survey.c: what a dataset folder holds ----------------------------------------------------------------- */

typedef struct locum_survey {
    int n_files;
    char (*path)[LOCUM_PATH_SIZE]; /**< inside the dataset: "data/train/shard-000000-0.h5" */
    int64_t *bytes, *samples, *failed;
    uint64_t *hash;
    int64_t n_samples, n_failed;
} locum_survey; /* starts as {0} */

/** Looks at every committed shard, spread over the ranks of world. Collective. */
locum_status locum_survey_make(const char *dataset, MPI_Comm world, locum_survey *survey);
/** XXH3 of the whole files, spread over the ranks. Collective. */
locum_status locum_survey_hash(locum_survey *survey, const char *dataset, MPI_Comm world);
/** LOCUM_EXISTS if the folder holds shards of other options. One rank; local. */
locum_status locum_survey_check(const char *dataset, uint64_t options_hash);
void locum_survey_free(locum_survey *survey);
/** dataset/manifest.json. One rank; local. */
locum_status locum_survey_write(const locum_survey *survey, const char *dataset, const locum_study_facts *facts,
                                int64_t n_plan);
/** Removes NAME.part files of samples with index % n_shards == shard. One rank; local. */
void locum_survey_remove_parts(const char *dataset, int shard, int n_shards);

#endif
