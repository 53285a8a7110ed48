/* SPDX-License-Identifier: BSD-3-Clause */
/* verb_run.c - generate, train, validate; and `resume`, which is the same for a run directory that exists. */
#include <string.h>
#include <sys/stat.h>

#include "cli/stages/stages.h"
#include "cli/verb.h"

typedef locum_status (*stage_call)(session *s, bool force);

static const struct {
    const char *name;
    stage_call call;
} stages[] = {{"generate", stage_generate}, {"train", stage_train}, {"validate", stage_validate}};
enum { N_STAGES = sizeof stages / sizeof *stages };

/* --force=STAGE redoes that stage and all that follow from it */
static locum_status first_forced(const arguments *a, int *first)
{
    *first = a->force ? 0 : N_STAGES;
    if (!a->force_stage) return LOCUM_OK;
    for (int i = 0; i < N_STAGES; i++)
        if (!strcmp(a->force_stage, stages[i].name)) *first = i;
    LOCUM_REQUIRE(*first < N_STAGES, LOCUM_STUDY, "--force=%s: there is no such stage; generate, train, validate",
                  a->force_stage);
    return LOCUM_OK;
}

/* in the wrong folder a resumed study would be begun anew */
static locum_status require_begun(const session *s)
{
    char path[LOCUM_PATH_SIZE];
    struct stat info;
    LOCUM_TRY(session_file(s, "study.resolved.yaml", path));
    LOCUM_REQUIRE(!stat(path, &info), LOCUM_STUDY, "nothing was begun in %s, seen from here; `locum run` begins",
                  s->run_path);
    return LOCUM_OK;
}

static locum_status run_stages(const arguments *a, bool begun)
{
    session s;
    int forced = N_STAGES;
    LOCUM_TRY(first_forced(a, &forced));
    locum_status st = session_open(a, true, &s);
    if (!st && begun) st = locum_comm_verdict(s.world, s.rank ? LOCUM_OK : require_begun(&s));
    if (!st) st = stages_check(&s);
    if (!st && a->dry_run) st = stages_dry_run(&s);
    for (int i = 0; i < N_STAGES && !st && !a->dry_run; i++) st = stages[i].call(&s, i >= forced);
    if (!st && !a->dry_run) locum_log_line(s.log, "report: %s/report/index.html", s.run_path);
    session_close(&s);
    return st;
}

static locum_status resume(const arguments *a)
{
    struct stat info;
    LOCUM_REQUIRE(a->n_words == 1, LOCUM_STUDY, "resume continues a run directory or a study: locum resume runs/NAME");
    LOCUM_REQUIRE(!stat(a->words[0], &info), LOCUM_STUDY,
                  "there is no run directory or study `%s`; call resume where `run` was called", a->words[0]);
    return run_stages(a, true);
}

static locum_status run(const arguments *a)
{
    return run_stages(a, false);
}

const verb verb_run = {
    .name = "run",
    .words = "STUDY",
    .summary = "generate, train, validate; reuses what has not changed",
    .help =
        "Runs all stages of a study in runs/<study> (or --out). A stage whose options have not changed is\n"
        "reused; an unfinished one is continued. --force=STAGE redoes a stage and what follows from it, --force all.\n"
        "SIGUSR1, a file named `stop` in the run directory, or limits.wall_time end it with code 75.\n",
    .accepts = ACCEPT_SET | ACCEPT_OUT | ACCEPT_FORCE | ACCEPT_FORCE_STAGE | ACCEPT_DRY_RUN | ACCEPT_KERNELS,
    .run = run};

const verb verb_resume = {
    .name = "resume",
    .words = "STUDY",
    .summary = "continue what was stopped",
    .help = "Continues the unfinished stage of a run directory (runs/NAME) or of a study, and the stages after it.\n",
    .accepts = ACCEPT_SET | ACCEPT_OUT | ACCEPT_KERNELS,
    .run = resume};
