/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/session.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/signal.h"
#include "core/failpoint.h"
#include "datasets/store/store.h"

/* The word may be a study file or a run directory; a run directory's study is study.resolved.yaml and its results lie in it. */
static locum_status open_study(session *s)
{
    const arguments *a = s->arguments;
    struct stat info;
    char path[LOCUM_PATH_SIZE];

    LOCUM_REQUIRE(a->n_words == 1, LOCUM_STUDY,
                  "expected one STUDY (a YAML file or a run directory), got %d words; see --help", a->n_words);
    const char *word = a->words[0];
    LOCUM_REQUIRE(!stat(word, &info), LOCUM_STUDY, "there is no study `%s`; `locum new` writes a template", word);
    bool is_run = S_ISDIR(info.st_mode);
    int n = snprintf(path, sizeof path, is_run ? "%s/study.resolved.yaml" : "%s", word);
    LOCUM_REQUIRE(n < (int)sizeof path, LOCUM_STUDY, "the path `%s` is too long", word);
    LOCUM_TRY(locum_study_open(path, a->n_sets, a->sets, &s->study));
    n = a->out   ? snprintf(s->run_path, sizeof s->run_path, "%s", a->out)
        : is_run ? snprintf(s->run_path, sizeof s->run_path, "%s", word)
                 : snprintf(s->run_path, sizeof s->run_path, "runs/%s", locum_study_name(s->study));
    LOCUM_REQUIRE(n < (int)sizeof s->run_path, LOCUM_STUDY, "the path of the run directory is too long");
    return LOCUM_OK;
}

static locum_status open_limits(session *s, bool with_run)
{
    char stop[LOCUM_PATH_SIZE] = "";
    locum_settings *settings = NULL;
    LOCUM_TRY(
        locum_study_block(s->study, "limits", locum_limits_options, sizeof(locum_limits_config), NULL, &settings));
    const locum_limits_config *limits = locum_settings_config(settings);
    if (with_run) LOCUM_TRY(session_file(s, "stop", stop));
    locum_watch_begin(&s->watch, signal_flag(), stop, limits->wall_time);
    return LOCUM_OK;
}

static locum_status open_run(session *s)
{
    char path[LOCUM_PATH_SIZE];
    LOCUM_TRY(locum_run_open(s->run_path, &s->run));
    LOCUM_TRY(locum_run_file(s->run, "log.txt", path));
    return locum_log_file(s->log, path);
}

locum_status session_check_memory(const session *s, double bytes)
{
    const locum_limits_config *limits = locum_settings_config(locum_study_settings(s->study, "limits"));
    LOCUM_REQUIRE(!(bytes > limits->memory), LOCUM_STUDY,
                  "a rank needs about %.3g bytes, limits.memory allows %.3g: use more ranks or a coarser grid", bytes,
                  limits->memory);
    return LOCUM_OK;
}

/* what the study's solver does once per process, while all ranks are together; the solver is checked later, with the rest of its block */
static locum_status begin_solver(session *s)
{
    const locum_yaml *name = locum_study_node(s->study, "solver.name");
    if (!name) name = locum_study_node(s->study, "solver"); /* the bare name: `solver: darcy` */
    for (int i = 0; s->solvers.list[i]; i++) {
        const locum_solver_type *type = s->solvers.list[i];
        bool named = name && locum_yaml_string(name) && !strcmp(locum_yaml_string(name), type->name);
        if (!named && !s->solvers.library) continue;
        if (type->setup) LOCUM_TRY(locum_comm_agree(s->world, type->setup(s->world)));
        if (type->finish) s->begun[s->n_begun++] = type;
    }
    return LOCUM_OK;
}

locum_status session_open(const arguments *a, bool with_run, session *s)
{
    int provided = MPI_THREAD_SINGLE;
    *s = (session){.arguments = a, .world = MPI_COMM_WORLD};
    locum_store_setup();
    MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &provided);
    MPI_Comm_rank(s->world, &s->rank);
    MPI_Comm_size(s->world, &s->size);
    locum_failpoint_rank(s->rank);
    locum_status st = locum_comm_die_with_parent();
    locum_log_level level = a->quiet ? LOCUM_LOG_QUIET : a->verbose ? LOCUM_LOG_VERBOSE : LOCUM_LOG_NORMAL;
    if (!st && s->rank == 0) st = locum_log_create(level, &s->log);
    if (!st) st = open_study(s);
    if (!st) st = solvers_open(s->study, &s->solvers);
    if (!st) st = open_limits(s, with_run);
    if (!st) locum_provenance(s->size, &s->provenance);
    if (!st) st = s->provenance.status;
    if (!st && with_run && s->rank == 0 && !a->dry_run) st = open_run(s);
    st = locum_comm_agree(s->world, st);
    return st ? st : begin_solver(s);
}

void session_close(session *s)
{
    while (s->n_begun > 0) s->begun[--s->n_begun]->finish();
    locum_run_close(s->run);
    locum_study_destroy(s->study);
    solvers_close(&s->solvers);
    locum_text_free(&s->provenance);
    locum_log_destroy(s->log);
}

locum_status session_file(const session *s, const char *name, char path[LOCUM_PATH_SIZE])
{
    int n = snprintf(path, LOCUM_PATH_SIZE, "%s/%s", s->run_path, name);
    LOCUM_REQUIRE(n < LOCUM_PATH_SIZE, LOCUM_STUDY, "the path `%s/%s` is too long", s->run_path, name);
    return LOCUM_OK;
}
