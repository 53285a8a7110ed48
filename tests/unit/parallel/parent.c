/* SPDX-License-Identifier: BSD-3-Clause */
/* parent.c - a rank dies with its launcher; a program that a shell started does not. */
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/parallel/comm.h"
#include "tests/unit/check.h"

/* Launcher and rank are child and grandchild. The rank holds the only writing end of a pipe, so that its death shows as
 * the end of the pipe. True if it died within `milliseconds` of its launcher. */
static int rank_dies_with_launcher(int launched, int milliseconds)
{
    int ends[2];
    char byte;

    if (pipe(ends)) return -1;
    pid_t launcher = fork();
    if (launcher == 0) {
        if (fork() == 0) {
            close(ends[0]);
            if (launched) setenv("PMIX_RANK", "0", 1);
            pid_t self = locum_comm_die_with_parent() == LOCUM_OK ? getpid() : 0;
            if (write(ends[1], &self, sizeof self) != sizeof self) _exit(1);
            sleep(20);
            _exit(0);
        }
        close(ends[0]);
        close(ends[1]);
        for (;;) pause();
    }
    close(ends[1]);
    pid_t rank = 0;
    int ready = read(ends[0], &rank, sizeof rank) == sizeof rank && rank > 0; /* the rank has asked */
    kill(launcher, SIGKILL);
    waitpid(launcher, NULL, 0);

    struct pollfd wait = {.fd = ends[0], .events = POLLIN};
    int died = poll(&wait, 1, milliseconds) == 1 && read(ends[0], &byte, 1) == 0;
    close(ends[0]);
    if (ready && !died) kill(rank, SIGKILL);
    return ready ? died : -1;
}

static void a_rank_dies_with_its_launcher(void)
{
    CU_ASSERT_EQUAL(rank_dies_with_launcher(1, 5000), 1);
}

static void a_program_outlives_its_shell(void)
{
    static const char *const signs[] = {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK", "SLURM_PROCID"};

    for (int i = 0; i < 4; i++) unsetenv(signs[i]);
    CU_ASSERT_EQUAL(rank_dies_with_launcher(0, 300), 0);
}

LOCUM_RUN_TESTS("parallel/parent", {"a rank dies with its launcher", a_rank_dies_with_its_launcher},
                {"a program outlives its shell", a_program_outlives_its_shell})
