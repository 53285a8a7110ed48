/* SPDX-License-Identifier: BSD-3-Clause */
/* killed.c - a campaign that is killed at any moment, and goes on: kill -9 of one rank at chosen places, of mpirun,
 * of the whole process group; the dataset is that of an uninterrupted run. Two processes on one dataset; a job array.
 * Arguments: mpirun, the program. No MPI in this process: it starts programs that have it. */
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include "tests/unit/campaign/fixture.h"

enum { SAMPLES = 30 };
static const char study[] =
    "study: s\nseed: 5\nsolver: {name: grid_advection, resolution: 32, step: 0.0002}\ninitial: random\n"
    "record: {until: 0.1}\n"
    "campaign: {split: {train: 20, test: 10}, shard_bytes: 20000,\n"
    "  vary: {velocity: {range: [0.5, 2], scale: log}, diffusivity: {range: [0.05, 0.2]}}}\n";

static const char *mpirun, *program;
static char folder[LOCUM_PATH_SIZE], study_path[LOCUM_PATH_SIZE + 32], reference[LOCUM_PATH_SIZE + 32];

static void wait_seconds(double seconds)
{
    struct timespec pause = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};

    nanosleep(&pause, NULL);
}

/* n ranks in a process group of their own; failpoints may be NULL. n = 1 needs no mpirun. */
static pid_t launch(int n, const char *dataset, const char *shard, const char *n_shards, const char *failpoints)
{
    char ranks[16];
    pid_t child;

    snprintf(ranks, sizeof ranks, "%d", n);
    fflush(stdout);
    child = fork();
    if (child != 0) return child;
    setpgid(0, 0);
    if (failpoints) setenv("LOCUM_FAILPOINTS", failpoints, 1);
    if (!freopen("/dev/null", "w", stdout) || !freopen("/dev/null", "w", stderr)) _exit(99);
    if (n == 1)
        execl(program, program, study_path, dataset, shard, n_shards, (char *)NULL);
    else
        execl(mpirun, mpirun, "--oversubscribe", "-n", ranks, program, study_path, dataset, shard, n_shards,
              (char *)NULL);
    _exit(98);
}

/* exit code, or 128 + signal */
static int wait_for(pid_t child)
{
    int status = 0;

    if (waitpid(child, &status, 0) != child) return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* ranks of a killed mpirun need a moment to die; until then the dataset is busy: code 1 */
static int run(int n, const char *dataset, const char *failpoints)
{
    int code = 1;

    for (int i = 0; i < 50 && code == 1; i++) {
        if (i > 0) wait_seconds(0.1);
        code = wait_for(launch(n, dataset, NULL, NULL, failpoints));
    }
    return code;
}

static void dataset_of(const char *name, char path[LOCUM_PATH_SIZE + 32])
{
    snprintf(path, LOCUM_PATH_SIZE + 32, "%s/%s", folder, name);
}

static void check_whole(const char *dataset)
{
    char path[LOCUM_PATH_SIZE + 64];

    fixture_compare(reference, dataset, SAMPLES);
    snprintf(path, sizeof path, "%s/manifest.json", dataset);
    CU_ASSERT(access(path, F_OK) == 0);
    snprintf(path, sizeof path, "%s/generate.lock", dataset);
    CU_ASSERT(access(path, F_OK) != 0);
}

/* one dataset, killed at each of these places in turn; no call in between cleans up. The other rank waits in its
 * third sample, to leave something to do for the next turn. */
static void a_campaign_survives_a_kill_at_any_place(void)
{
    static const char *const places[] = {
        "campaign_sample@4%0=kill,campaign_sample@3%1=sleep:9", "campaign_sample@2%1=kill,campaign_sample@3%0=sleep:9",
        "store_frame@3%0=kill,campaign_sample@3%1=sleep:9",     "campaign_commit@1%1=kill,campaign_sample@3%0=sleep:9",
        "commit_fsync@1%0=kill,campaign_sample@3%1=sleep:9",    "commit_rename@1%0=kill,campaign_sample@3%1=sleep:9",
        "commit_rename@2%1=kill,campaign_sample@3%0=sleep:9"};
    char dataset[LOCUM_PATH_SIZE + 32];

    dataset_of("places", dataset);
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        int code = run(2, dataset, places[i]);
        if (code != 128 + SIGKILL) printf("\n    %s: code %d, not killed", places[i], code);
        CU_ASSERT(code == 128 + SIGKILL);
    }
    CU_ASSERT(run(2, dataset, NULL) == 0);
    check_whole(dataset);
}

static void a_campaign_survives_kill_9_of_its_process_group(void)
{
    char dataset[LOCUM_PATH_SIZE + 32];
    uint32_t random = 12345;

    dataset_of("group", dataset);
    for (int i = 0; i < 3; i++) {
        pid_t child = launch(2, dataset, NULL, NULL, NULL);
        random = random * 1664525 + 1013904223;
        wait_seconds(0.4 + 0.6 * random / 4294967296.0);
        kill(i == 1 ? child : -child, SIGKILL); /* mpirun alone, once: its ranks must not outlive it */
        wait_for(child);
    }
    CU_ASSERT(run(2, dataset, NULL) == 0);
    check_whole(dataset);
}

static void a_signal_stops_it_with_code_75(void)
{
    char dataset[LOCUM_PATH_SIZE + 32];
    int code = 75;

    dataset_of("signal", dataset);
    for (int i = 0; i < 20 && code == 75; i++) {
        pid_t child = launch(1, dataset, NULL, NULL, NULL);
        wait_seconds(0.3 + 0.1 * i);
        kill(child, SIGUSR1);
        code = wait_for(child);
        if (code == 128 + SIGUSR1) code = 75; /* it came before the handler was there */
    }
    CU_ASSERT(code == 0);
    check_whole(dataset);
}

static void jobs_of_an_array_share_a_folder(void)
{
    static const char *const shard[] = {"0", "1", "2"};
    char dataset[LOCUM_PATH_SIZE + 32];
    pid_t child[3];

    dataset_of("array", dataset);
    for (int i = 0; i < 3; i++) child[i] = launch(1, dataset, shard[i], "3", NULL);
    for (int i = 0; i < 3; i++) CU_ASSERT(wait_for(child[i]) == 0);
    check_whole(dataset);
}

int main(int argc, char **argv)
{
    static const check_entry entries[] = {
        {"a campaign survives a kill at any place", a_campaign_survives_a_kill_at_any_place},
        {"a campaign survives kill -9 of its process group", a_campaign_survives_kill_9_of_its_process_group},
        {"a signal stops it with code 75", a_signal_stops_it_with_code_75},
        {"jobs of an array share a folder", jobs_of_an_array_share_a_folder},
    };
    int failed;

    if (argc != 3) return 2;
    mpirun = argv[1];
    program = argv[2];
    snprintf(folder, sizeof folder, "%s/locum-test-XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    if (!mkdtemp(folder)) return 1;
    snprintf(study_path, sizeof study_path, "%s/study.yaml", folder);
    dataset_of("reference", reference);
    if (locum_commit_bytes(study_path, study, sizeof study - 1) || run(1, reference, NULL) != 0) return 1;
    failed = check_run("killed", entries, (int)(sizeof entries / sizeof entries[0]));
    if (locum_remove_tree(folder)) failed = 1;
    return failed;
}
