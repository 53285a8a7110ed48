/* SPDX-License-Identifier: BSD-3-Clause */
/* program.c - a campaign as a program of its own, for tests that kill it: program STUDY DATASET [SHARD N_SHARDS].
 * Rank 0 prints "<status> <samples done> <failed> <seconds>"; the exit code is that of the status. SIGUSR1 stops it. */
#include <signal.h>

#include "tests/unit/campaign/fixture.h"

static volatile sig_atomic_t asked;

static void ask(int signal_number)
{
    (void)signal_number;
    asked = 1;
}

static locum_status work(char **argv, int shard, int n_shards, int64_t *n_done, int64_t *n_failed)
{
    fixture f = {0};
    locum_watch watch;
    locum_status st = locum_study_open(argv[1], 0, NULL, &f.study);

    if (!st) st = locum_setup_read(f.study, test_solvers, true, &f.setup);
    if (!st) st = locum_campaign_plan_create(f.study, &f.setup, &f.plan);
    locum_watch_begin(&watch, &asked, NULL, NAN);
    locum_generate_call call = {.study = f.study,
                                .setup = &f.setup,
                                .plan = f.plan,
                                .dataset = argv[2],
                                .options_hash = 1,
                                .shard = shard,
                                .n_shards = n_shards,
                                .world = MPI_COMM_WORLD,
                                .watch = &watch};
    if (!st) st = locum_generate(&call, n_done, n_failed);
    fixture_free(&f);
    return st;
}

int main(int argc, char **argv)
{
    int rank;
    int64_t n_done = 0, n_failed = 0;
    locum_status st = locum_comm_die_with_parent();

    signal(SIGUSR1, ask);
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    locum_store_setup();
    double begin = locum_clock();
    if (!st && argc < 3) st = LOCUM_FAIL(LOCUM_ARG, "program STUDY DATASET [SHARD N_SHARDS]");
    if (!st) st = work(argv, argc > 4 ? atoi(argv[3]) : 0, argc > 4 ? atoi(argv[4]) : 1, &n_done, &n_failed);
    if (rank == 0)
        printf("%s %lld %lld %.3f %s\n", locum_status_name(st), (long long)n_done, (long long)n_failed,
               locum_clock() - begin, st ? locum_status_message() : "");
    MPI_Finalize();
    return locum_status_exit_code(st);
}
