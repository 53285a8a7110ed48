/* SPDX-License-Identifier: BSD-3-Clause */
/* mpi_main.h - LOCUM_RUN_TESTS for programs of several ranks: rank 0 prints; another rank prints only if it failed; all
 * ranks return the same code. */
#ifndef TESTS_UNIT_PARALLEL_MPI_MAIN_H
#define TESTS_UNIT_PARALLEL_MPI_MAIN_H

#include <mpi.h>
#include <unistd.h>

#include "tests/unit/check.h"

static int world_rank, world_size;

static inline int check_run_ranks(const char *suite_name, const check_entry *entries, int n)
{
    FILE *kept = NULL;
    int out = -1, failed, any;

    MPI_Init(NULL, NULL);
    MPI_Comm_rank(MPI_COMM_WORLD, &world_rank);
    MPI_Comm_size(MPI_COMM_WORLD, &world_size);
    if (world_rank && (kept = tmpfile())) {
        fflush(stdout);
        out = dup(STDOUT_FILENO);
        dup2(fileno(kept), STDOUT_FILENO);
    }
    failed = check_run(suite_name, entries, n);
    fflush(stdout);
    if (kept) {
        char line[1000];
        dup2(out, STDOUT_FILENO);
        rewind(kept);
        while (failed && fgets(line, sizeof line, kept)) printf("[rank %d] %s", world_rank, line);
        fflush(stdout);
    }
    MPI_Allreduce(&failed, &any, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD);
    MPI_Finalize();
    return any;
}

#define LOCUM_RUN_RANKS(suite_name, ...)                                                        \
    int main(void)                                                                              \
    {                                                                                           \
        static const check_entry entries[] = {__VA_ARGS__};                                     \
        return check_run_ranks(suite_name, entries, (int)(sizeof entries / sizeof entries[0])); \
    }

#endif
