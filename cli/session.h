/* SPDX-License-Identifier: BSD-3-Clause */
/* session.h - what a verb that works on a study has at hand: ranks, log, study, run directory, reasons to stop, provenance. */
#ifndef CLI_SESSION_H
#define CLI_SESSION_H

#include <mpi.h>

#include "cli/arguments.h"
#include "cli/solvers.h"
#include "core/parallel/comm.h"
#include "core/study/log.h"
#include "core/study/run_directory.h"
#include "core/study/watch.h"
#include "locum/dev/solver.h"

typedef struct session {
    const arguments *arguments;
    MPI_Comm world;
    int rank, size;
    locum_log *log; /* NULL on other ranks than 0 */
    locum_study *study;
    solver_set solvers;             /* that the study may name */
    locum_run *run;                 /* rank 0 only */
    char run_path[LOCUM_PATH_SIZE]; /* all ranks; "" for simulate */
    locum_watch watch;
    locum_text provenance;
    const locum_solver_type *begun[SOLVERS_MAX]; /* solvers that want a finish, in the order of their setup */
    int n_begun;
} session;

/** MPI, log, study, limits. with_run: opens the run directory (--out, or runs/<study>). Collective. */
locum_status session_open(const arguments *a, bool with_run, session *s);
/** Releases all; MPI stays until the program has said how it went. Collective. */
void session_close(session *s);

/** path = run directory / name, on all ranks. */
locum_status session_file(const session *s, const char *name, char path[LOCUM_PATH_SIZE]);

/** LOCUM_STUDY if a rank of this solver needs more than limits.memory allows. Local. */
locum_status session_check_memory(const session *s, double bytes);

#endif
