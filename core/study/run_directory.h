/* SPDX-License-Identifier: BSD-3-Clause */
/* run_directory.h - runs/<study>/: stages with the hash of what they depend on, locks, provenance.
 *
 *     study.resolved.yaml  dataset/  training/  model.safetensors  report/  log.txt
 *     stages/<stage>.json   {stage, hash, state: "partial" | "done", started, finished, seconds, program, host}
 *     stages/<stage>.lock   flock; pid and host of its owner inside
 * One process (rank 0) calls this and tells the others. */
#ifndef CORE_STUDY_RUN_DIRECTORY_H
#define CORE_STUDY_RUN_DIRECTORY_H

#include "core/study/study.h"

typedef struct locum_run locum_run;

/** Key of an options text under which a stage keeps the hash of files that the user brought: where it alone differs, the
 *  data have changed, not the options. */
#define LOCUM_RUN_DATA_KEY "dataset.files"

typedef enum {
    LOCUM_STAGE_NEW,    /* nothing there: begin */
    LOCUM_STAGE_RESUME, /* partial results of the same options: continue */
    LOCUM_STAGE_DONE    /* finished with the same options: nothing to do */
} locum_stage_state;

/** Opens or creates runs/<name> (or `path`). */
locum_status locum_run_open(const char *path, locum_run **run);
void locum_run_close(locum_run *run); /* releases locks; NULL-safe */
const char *locum_run_path(const locum_run *run);
/** out = run path / name. */
locum_status locum_run_file(const locum_run *run, const char *name, char out[LOCUM_PATH_SIZE]);

/** Takes the stage's lock (LOCUM_BUSY: who holds it) and looks at what is there.
 *  Results of other options: LOCUM_EXISTS with the keys that differ and the flag that redoes it, unless `force`, which
 * removes the stage's `outputs` [NULL-terminated paths inside the run]. Force on results of the same options redoes
 * them too. */
locum_status locum_stage_begin(locum_run *run, const char *stage, uint64_t hash, const char *options_text, bool force,
                               const char *const *outputs, locum_stage_state *state);
/** Marks it done; keeps `facts` (JSON members without braces, may be NULL) beside it. Releases the lock. */
locum_status locum_stage_finish(locum_run *run, const char *stage, const char *facts);
/** Releases the lock of an unfinished stage. */
void locum_stage_leave(locum_run *run, const char *stage);
/** Without a lock: is it done, with which hash? LOCUM_INPUT naming the verb that makes it if not done. */
locum_status locum_stage_require(const locum_run *run, const char *stage, const char *verb, uint64_t *hash);
/** The same, and it was made from these options, else LOCUM_EXISTS with the keys that differ. */
locum_status locum_stage_require_same(const locum_run *run, const char *stage, const char *verb, uint64_t hash,
                                      const char *options_text);
/** Reads one number that locum_stage_finish kept, e.g. seconds. false if absent. */
bool locum_stage_fact(const locum_run *run, const char *stage, const char *name, double *value);

/** Who made this: program version, commit, compiler, host, processor, time, ranks, threads; as JSON members. */
void locum_provenance(int ranks, locum_text *out);
const char *locum_build_commit(void); /* of the sources, "-dirty" if they were changed; static text */

#endif
