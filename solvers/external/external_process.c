/* SPDX-License-Identifier: BSD-3-Clause */
/* external_process.c - starts one program, waits for it, and ends it when it takes too long.
 *
 * posix_spawn, so that no copy of an MPI process ever runs; a process group of its own, so that what the program starts
 * ends with it; no file of ours stays open in it but its output. Needs addchdir_np and addclosefrom_np (glibc 2.34). */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/memory.h"
#include "solvers/external/external_internal.h"

static const double patience = 2; /* seconds between asking to end and killing */

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* the ranks of our MPI are not the program's; what the user said about Open MPI as root stays */
static bool is_ours(const char *variable)
{
    static const char *const prefixes[] = {"OMPI_", "PMIX_", "PMI_", "PRTE_", "MPI_LOCAL", "HYDI_", "HYDRA_"};

    if (!strncmp(variable, "OMPI_ALLOW_RUN_AS_ROOT", 22)) return false;
    for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++)
        if (!strncmp(variable, prefixes[i], strlen(prefixes[i]))) return true;
    return false;
}

locum_status locum_external_environment(char ***environment)
{
    int n = 0, kept = 0;

    while (environ && environ[n]) n++;
    LOCUM_TRY(LOCUM_NEW(environment, n + 1));
    for (int i = 0; i < n; i++)
        if (!is_ours(environ[i])) (*environment)[kept++] = environ[i];
    (*environment)[kept] = NULL;
    return LOCUM_OK;
}

static int start(char *const *argv, char *const *environment, const char *folder, int log, pid_t *child)
{
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_t files;
    sigset_t none, all;

    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&files, log, 1);
    posix_spawn_file_actions_adddup2(&files, log, 2);
    posix_spawn_file_actions_addclosefrom_np(&files, 3);
    posix_spawn_file_actions_addchdir_np(&files, folder);
    int error = posix_spawnp(child, argv[0], &files, &attributes, argv, environment);
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attributes);
    return error;
}

/* asks the group to end, then kills what is left of it */
static void end_group(pid_t child, int *status)
{
    const struct timespec pause = {0, 10000000};
    double begun = now();
    bool waited = false;

    kill(-child, SIGTERM);
    while (!waited && now() - begun < patience) {
        waited = waitpid(child, status, WNOHANG) == child;
        if (!waited) nanosleep(&pause, NULL);
    }
    kill(-child, SIGKILL);
    while (!waited && waitpid(child, status, 0) < 0 && errno == EINTR) continue;
}

locum_status locum_external_run(char *const *argv, char *const *environment, const char *folder, int log,
                                double timeout, const locum_services *services, external_outcome *outcome)
{
    pid_t child = -1;
    int status = 0;
    double begun = now();
    long pause = 500000; /* nanoseconds between looks: 1/2 ms at first, up to 20 ms */

    *outcome = (external_outcome){0};
    int error = start(argv, environment, folder, log, &child);
    LOCUM_REQUIRE(!error, LOCUM_INPUT, "cannot start %s: %s", argv[0], strerror(error));
    for (;;) {
        pid_t ended = waitpid(child, &status, WNOHANG);
        if (ended == child) break;
        LOCUM_REQUIRE(ended == 0 || errno == EINTR, LOCUM_INTERNAL, "lost sight of %s: %s", argv[0], strerror(errno));
        outcome->timed_out = now() - begun >= timeout;
        outcome->stopped = services->stop && services->stop(services->self);
        if (outcome->timed_out || outcome->stopped) {
            end_group(child, &status);
            break;
        }
        nanosleep(&(struct timespec){0, pause}, NULL);
        if (pause < 20000000) pause += pause / 4;
    }
    outcome->seconds = now() - begun;
    outcome->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    outcome->exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return LOCUM_OK;
}
