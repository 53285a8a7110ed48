/* SPDX-License-Identifier: BSD-3-Clause */
/* main.c - locum VERB WORDS OPTIONS: finds the verb, reads the options, prints a failure once, answers with the exit code
 *
 *     0 done   1 full disk, stage in use, a rank failed, solution not finite   2 study, options, input files, results of other options
 *     3 damaged data or model   75 stopped: resume continues                                                                       */
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/signal.h"
#include "cli/verb.h"

static const verb *const verbs[] = {
#define VERB_ENTRY(name) &verb_##name,
    VERBS(VERB_ENTRY)
#undef VERB_ENTRY
};
enum { N_VERBS = sizeof verbs / sizeof *verbs };

static void print_program_help(void)
{
    printf("locum " LOCUM_VERSION " - surrogates of physics solvers that can be trusted\n\n"
           "  locum VERB ... [--help]        under MPI: mpirun -n 2 locum run STUDY\n\n");
    for (int i = 0; i < N_VERBS; i++) printf("  %-10s %-14s %s\n", verbs[i]->name, verbs[i]->words, verbs[i]->summary);
    printf(
        "\n  STUDY is a YAML file or a run directory. Start: locum new navier_stokes > flow.yaml; locum run flow.yaml\n"
        "  Exit codes: 0 done, 1 failed, 2 study or input is wrong, 3 a file is damaged, 75 stopped (resume "
        "continues)\n");
}

static void print_verb_help(const verb *v)
{
    printf("locum %s %s - %s\n\n%s\n", v->name, v->words, v->summary, v->help);
    arguments_help(v->accepts);
}

static const verb *find_verb(const char *name)
{
    for (int i = 0; i < N_VERBS; i++)
        if (!strcmp(verbs[i]->name, name)) return verbs[i];
    return NULL;
}

/* this process's rank under mpirun, before and after MPI is up: a failure is printed once */
static int is_first_rank(void)
{
    const char *rank = getenv("OMPI_COMM_WORLD_RANK");
    if (!rank) rank = getenv("PMI_RANK");
    return !rank || !strcmp(rank, "0");
}

static int answer(locum_status st, bool trace)
{
    if (!st) return 0;
    if (is_first_rank()) {
        const char *message = locum_status_message();
        bool stopped = st == LOCUM_STOPPED;
        fprintf(stderr, "locum: %s%s%s\n", stopped ? "" : "error: ", *message ? message : locum_status_text(st),
                stopped ? "; the same command goes on from there" : "");
        if (trace) fprintf(stderr, "%s", locum_status_trace());
    }
    return locum_status_exit_code(st);
}

/* After the answer: mpirun ends all ranks as soon as one has left with a code, and MPI_Finalize lets none leave before rank 0 has spoken. */
static void finish_mpi(void)
{
    int begun = 0;
    MPI_Initialized(&begun);
    if (begun) MPI_Finalize();
}

int main(int argc, char **argv)
{
    arguments a;
    signal_install();
    if (argc < 2 || !strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
        print_program_help();
        return argc < 2 ? 2 : 0;
    }
    if (!strcmp(argv[1], "--version")) {
        printf("locum " LOCUM_VERSION "\n");
        return 0;
    }
    const verb *v = find_verb(argv[1]);
    if (!v) {
        if (is_first_rank())
            fprintf(stderr, "locum: error: there is no verb `%s`; `locum --help` lists them\n", argv[1]);
        return 2;
    }
    locum_status st = arguments_read(argc, argv, v->accepts, &a);
    if (!st && a.help) {
        print_verb_help(v);
        return 0;
    }
    if (!st) st = v->run(&a);
    int code = answer(st, a.verbose);
    finish_mpi();
    return code;
}
