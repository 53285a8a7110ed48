/* SPDX-License-Identifier: BSD-3-Clause */
/* files.c - committed files, metrics and stage locks under kill -9, full disks and second processes. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/hash.h"
#include "core/json.h"
#include "core/study/commit.h"
#include "core/study/log.h"
#include "core/study/run_directory.h"
#include "core/study/watch.h"
#include "tests/unit/check.h"

static char folder[] = "/tmp/locum_files_XXXXXX";

static const char *in_folder(const char *name, char out[256])
{
    if (strstr(folder, "XXXXXX")) CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(folder));
    snprintf(out, 256, "%s/%s", folder, name);
    return out;
}

static bool has(const char *text, const char *part)
{
    if (strstr(text, part)) return true;
    printf("\n    \"%s\" lacks \"%s\"", text, part);
    return false;
}

static bool holds(const char *path, const char *expected)
{
    char *bytes = NULL;
    size_t n = 0;
    bool same = !locum_read_bytes(path, 1 << 20, &bytes, &n) && n == strlen(expected) && !memcmp(bytes, expected, n);
    free(bytes);
    return same;
}

static bool exists(const char *path)
{
    return !access(path, F_OK);
}

/* ---- committed files ---- */

static void a_committed_file_replaces_the_old_one(void)
{
    char path[256], part[LOCUM_PATH_SIZE];
    uint64_t hash = 0;
    int64_t size = 0;
    in_folder("c.txt", path);
    CHECK_OK(locum_commit_bytes(path, "old", 3));
    CHECK_OK(locum_commit_bytes(path, "newer", 5));
    CU_ASSERT(holds(path, "newer"));
    CHECK_OK(locum_hash_file(path, &hash, &size));
    CU_ASSERT(hash == locum_hash("newer", 5) && size == 5);
    CHECK_OK(locum_commit_begin(path, part));
    FILE *file = fopen(part, "w");
    fputs("half", file);
    fclose(file);
    CU_ASSERT(holds(path, "newer"));
    locum_commit_abandon(path);
    CU_ASSERT_FALSE(exists(part));
    CHECK_FAILS(locum_commit_end(path), LOCUM_IO); /* there is no part */
    CHECK_FAILS(locum_commit_bytes("/nonexistent/x", "a", 1), LOCUM_IO);
    CHECK_FAILS(locum_hash_file("/nonexistent/x", &hash, &size), LOCUM_INPUT);
}

/* runs a commit in a child with a failpoint; its wait status */
static int commit_in_child(const char *path, const char *failpoint, const char *bytes)
{
    int result = 0;
    pid_t child = fork();
    if (!child) {
        setenv("LOCUM_FAILPOINTS", failpoint, 1);
        _exit(locum_commit_bytes(path, bytes, strlen(bytes)) ? 1 : 0);
    }
    waitpid(child, &result, 0);
    return result;
}

static void a_kill_at_any_step_leaves_the_old_or_the_new_file(void)
{
    static const struct {
        const char *point;
        const char *left; /* what the name holds after the kill */
    } steps[] = {{"commit_begin", "old bytes"},
                 {"commit_write", "old bytes"},
                 {"commit_fsync", "old bytes"},
                 {"commit_rename", "old bytes"},
                 {"commit_folder", "new and longer bytes"}};
    char path[256], failpoint[64];
    in_folder("k.txt", path);
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        CHECK_OK(locum_commit_bytes(path, "old bytes", 9));
        snprintf(failpoint, sizeof failpoint, "%s=kill", steps[i].point);
        int result = commit_in_child(path, failpoint, "new and longer bytes");
        CU_ASSERT(WIFSIGNALED(result) && WTERMSIG(result) == SIGKILL);
        CU_ASSERT(holds(path, steps[i].left));
        CHECK_OK(locum_commit_bytes(path, "after", 5)); /* a part left behind is no obstacle */
        CU_ASSERT(holds(path, "after"));

        CHECK_OK(locum_commit_bytes(path, "old bytes", 9)); /* the same step failing, not dying */
        snprintf(failpoint, sizeof failpoint, "%s=error", steps[i].point);
        result = commit_in_child(path, failpoint, "new and longer bytes");
        CU_ASSERT(WIFEXITED(result) && WEXITSTATUS(result) == 1);
        CU_ASSERT(holds(path, steps[i].left));
        char part[300];
        snprintf(part, sizeof part, "%s.part", path);
        CU_ASSERT_FALSE(exists(part));
    }
}

static void a_full_disk_keeps_the_old_file_and_says_what_is_needed(void)
{
    static char large[100000];
    char path[256], part[300], message[1024] = "";
    int pipe_ends[2], result = 0;
    in_folder("f.txt", path);
    snprintf(part, sizeof part, "%s.part", path);
    CHECK_OK(locum_commit_bytes(path, "old", 3));
    CU_ASSERT_EQUAL(pipe(pipe_ends), 0);
    pid_t child = fork();
    if (!child) {
        struct rlimit limit = {20000, 20000};
        signal(SIGXFSZ, SIG_IGN);
        setrlimit(RLIMIT_FSIZE, &limit);
        locum_status st = locum_commit_bytes(path, large, sizeof large);
        bool told = write(pipe_ends[1], locum_status_message(), strlen(locum_status_message())) > 0;
        _exit(told ? (int)st : 99);
    }
    close(pipe_ends[1]);
    CU_ASSERT(read(pipe_ends[0], message, sizeof message - 1) > 0);
    close(pipe_ends[0]);
    waitpid(child, &result, 0);
    CU_ASSERT(WIFEXITED(result) && WEXITSTATUS(result) == LOCUM_IO);
    CU_ASSERT(has(message, path));
    CU_ASSERT(has(message, "100000 bytes are needed"));
    CU_ASSERT(has(message, "the limit is 20000"));
    CU_ASSERT(holds(path, "old"));
    CU_ASSERT_FALSE(exists(part));
}

static void folders_are_made_and_removed_whole(void)
{
    char path[256], target[256], kept[256], link[256];
    in_folder("a/b/c", path);
    CHECK_OK(locum_make_directories(path));
    CHECK_OK(locum_make_directories(path));
    strcat(path, "/file");
    CHECK_OK(locum_commit_bytes(path, "x", 1));
    CHECK_FAILS(locum_make_directories(path), LOCUM_INPUT);
    in_folder("kept", kept);
    CHECK_OK(locum_commit_bytes(kept, "x", 1));
    CU_ASSERT_EQUAL(symlink(kept, in_folder("a/link", link)), 0);
    in_folder("a", target);
    CHECK_OK(locum_remove_tree(target));
    CU_ASSERT_FALSE(exists(target));
    CU_ASSERT(exists(kept)); /* links are removed, not followed */
    CHECK_OK(locum_remove_tree(target));
    CHECK_FAILS(locum_remove_tree("/"), LOCUM_ARG);
}

static void reading_stops_at_the_limit(void)
{
    char path[256], *bytes = NULL;
    size_t n = 0;
    CHECK_OK(locum_commit_bytes(in_folder("l.txt", path), "12345", 5));
    CHECK_OK(locum_read_bytes(path, 5, &bytes, &n));
    CU_ASSERT(n == 5 && !strcmp(bytes, "12345"));
    free(bytes);
    CHECK_FAILS(locum_read_bytes(path, 4, &bytes, &n), LOCUM_INPUT);
    CU_ASSERT_PTR_NULL(bytes);
    CHECK_FAILS(locum_read_bytes("/dev/zero", 100000, &bytes, &n), LOCUM_INPUT); /* no size to look at first */
    CHECK_OK(locum_read_bytes("/proc/self/stat", 100000, &bytes, &n));
    CU_ASSERT(n > 10);
    free(bytes);
}

/* ---- metrics ---- */

static void metrics_survive_a_torn_line(void)
{
    char path[256];
    locum_metrics *metrics = NULL;
    in_folder("metrics.jsonl", path);
    CHECK_OK(locum_commit_bytes(path, "{\"a\": 1}\n{\"a\": 2}\n{\"a\": ", 24));
    CHECK_OK(locum_metrics_create(path, true, &metrics));
    CHECK_OK(locum_metrics_add(metrics, "\"a\": %d, \"loss\": %g, \"text\": \"nan\"", 3, NAN));
    CHECK_OK(locum_metrics_add(metrics, "\"x\": %g, \"y\": %g", -INFINITY, 0.5));
    locum_metrics_destroy(metrics);
    CU_ASSERT(holds(
        path, "{\"a\": 1}\n{\"a\": 2}\n{\"a\": 3, \"loss\": null, \"text\": \"nan\"}\n{\"x\": null, \"y\": 0.5}\n"));
    CHECK_OK(locum_metrics_create(path, false, &metrics));
    locum_metrics_destroy(metrics);
    CU_ASSERT(holds(path, ""));
    CHECK_OK(locum_commit_bytes(path, "no line at all", 14));
    CHECK_OK(locum_metrics_create(path, true, &metrics));
    locum_metrics_destroy(metrics);
    CU_ASSERT(holds(path, ""));
    CHECK_OK(locum_metrics_add(NULL, "\"a\": 1"));
}

static void a_killed_writer_leaves_whole_lines(void)
{
    char path[256], *bytes = NULL;
    size_t n = 0, n_lines = 0;
    in_folder("killed.jsonl", path);
    pid_t child = fork();
    if (!child) {
        locum_metrics *metrics = NULL;
        if (locum_metrics_create(path, false, &metrics)) _exit(1);
        for (int i = 0;; i++) {
            if (locum_metrics_add(metrics, "\"step\": %d, \"loss\": %.17g", i, 1.0 / (i + 1))) _exit(1);
        }
    }
    usleep(50000);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    CHECK_OK(locum_read_bytes(path, 1u << 30, &bytes, &n));
    CU_ASSERT(n > 0 && bytes[n - 1] == '\n');
    for (char *line = bytes; line && *line; n_lines++) {
        locum_json *json = NULL;
        size_t length = strcspn(line, "\n");
        if (n_lines < 1000) CHECK_OK(locum_json_parse(line, length, 100, &json));
        locum_json_destroy(json);
        line += length + 1;
    }
    CU_ASSERT(n_lines > 100);
    free(bytes);
}

/* ---- log ---- */

static void the_log_file_has_stamps_and_progress_ends_with_a_line(void)
{
    char path[256], errors[256], *bytes = NULL;
    size_t n = 0;
    locum_log *log = NULL;
    locum_progress progress;
    in_folder("log.txt", path);
    in_folder("stderr.txt", errors);
    fflush(stderr);
    int saved = dup(STDERR_FILENO), file = open(errors, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    dup2(file, STDERR_FILENO);
    close(file);
    CHECK_OK(locum_log_create(LOCUM_LOG_NORMAL, &log));
    CHECK_OK(locum_log_file(log, path));
    locum_log_line(log, "energy %g", 0.5);
    locum_log_detail(log, "not asked for");
    locum_log_warn(log, "thin ice");
    locum_progress_begin(&progress, log, "generate", 30, 0);
    for (int i = 1; i <= 30; i++) locum_progress_update(&progress, i, "sample %d", i);
    locum_progress_end(&progress);
    locum_log_destroy(log);
    fflush(stderr);
    dup2(saved, STDERR_FILENO);
    close(saved);
    CHECK_OK(locum_read_bytes(errors, 1 << 20, &bytes, &n));
    CU_ASSERT_STRING_EQUAL(bytes, "energy 0.5\nwarning: thin ice\ngenerate 100 %  30/30  0s\n");
    free(bytes);
    CHECK_OK(locum_read_bytes(path, 1 << 20, &bytes, &n));
    CU_ASSERT(bytes[4] == '-' && bytes[10] == 'T' && has(bytes, "  energy 0.5\n") &&
              has(bytes, "  generate 100 %  30/30  0s\n"));
    CU_ASSERT_PTR_NULL(strstr(bytes, "not asked for"));
    free(bytes);
    locum_log_line(NULL, "a closed log drops %s", "all");
    locum_progress_begin(&progress, NULL, "x", 1, 0);
    locum_progress_update(&progress, 1, " ");
    locum_progress_end(&progress);
}

static void the_watch_sees_flag_file_and_clock(void)
{
    char path[256];
    locum_watch watch;
    volatile sig_atomic_t flag = 0;
    in_folder("stop", path);
    CU_ASSERT_PTR_NULL(locum_watch_reason(NULL));
    locum_watch_begin(&watch, &flag, path, NAN);
    CU_ASSERT_PTR_NULL(locum_watch_reason(&watch));
    flag = 1;
    CU_ASSERT(has(locum_watch_reason(&watch), "signal"));
    CHECK_OK(locum_commit_bytes(path, "", 0));
    locum_watch_begin(&watch, NULL, path, NAN);
    CU_ASSERT(has(locum_watch_reason(&watch), "`stop`"));
    locum_watch_begin(&watch, NULL, NULL, 0.001);
    usleep(2000);
    CU_ASSERT(has(locum_watch_reason(&watch), "limits.wall_time"));
    unlink(path);
}

/* ---- stages ---- */

static const char *const outputs[] = {"model", NULL};

static locum_run *open_run(const char *name)
{
    char path[256];
    locum_run *run = NULL;
    CHECK_OK(locum_run_open(in_folder(name, path), &run));
    return run;
}

static void put_output(const locum_run *run)
{
    char path[LOCUM_PATH_SIZE];
    CHECK_OK(locum_run_file(run, "model", path));
    CHECK_OK(locum_commit_bytes(path, "weights", 7));
}

static bool has_output(const locum_run *run)
{
    char path[LOCUM_PATH_SIZE];
    CHECK_OK(locum_run_file(run, "model", path));
    return exists(path);
}

static void a_stage_is_new_then_resumed_then_done(void)
{
    locum_run *run = open_run("r1");
    locum_stage_state state;
    uint64_t hash = 0;
    double value = 0;
    CHECK_FAILS(locum_stage_require(run, "train", "train", &hash), LOCUM_INPUT);
    CU_ASSERT(has(locum_status_message(), "stage `train` is missing: `locum train` makes it"));
    CHECK_OK(locum_stage_begin(run, "train", 7, "train:\n  epochs: 5\n", false, outputs, &state));
    CU_ASSERT_EQUAL(state, LOCUM_STAGE_NEW);
    put_output(run);
    locum_run_close(run); /* unfinished */

    run = open_run("r1");
    CHECK_FAILS(locum_stage_require(run, "train", "train", &hash), LOCUM_INPUT);
    CU_ASSERT(has(locum_status_message(), "not finished"));
    CHECK_OK(locum_stage_begin(run, "train", 7, "train:\n  epochs: 5\n", false, outputs, &state));
    CU_ASSERT_EQUAL(state, LOCUM_STAGE_RESUME);
    CHECK_FAILS(locum_stage_finish(run, "train", "no json"), LOCUM_INTERNAL);
    CHECK_OK(locum_stage_finish(run, "train", "\"loss\": 0.25, \"samples\": 12"));
    CHECK_FAILS(locum_stage_finish(run, "train", NULL), LOCUM_INTERNAL);
    CHECK_OK(locum_stage_require(run, "train", "train", &hash));
    CU_ASSERT_EQUAL(hash, 7);
    CU_ASSERT(locum_stage_fact(run, "train", "loss", &value) && value == 0.25);
    CU_ASSERT(locum_stage_fact(run, "train", "seconds", &value) && value >= 0);
    CU_ASSERT_FALSE(locum_stage_fact(run, "train", "nothing", &value));
    CHECK_OK(locum_stage_begin(run, "train", 7, "train:\n  epochs: 5\n", false, outputs, &state));
    CU_ASSERT_EQUAL(state, LOCUM_STAGE_DONE);
    CHECK_OK(locum_stage_begin(run, "train", 7, "train:\n  epochs: 5\n", true, outputs, &state)); /* force redoes it */
    CU_ASSERT_EQUAL(state, LOCUM_STAGE_NEW);
    CU_ASSERT_FALSE(has_output(run));
    CHECK_OK(locum_stage_finish(run, "train", NULL));
    CHECK_OK(locum_stage_begin(run, "train", 7, "train:\n  epochs: 5\n", false, outputs,
                               &state)); /* done, but the output was removed */
    CU_ASSERT_EQUAL(state, LOCUM_STAGE_NEW);
    CHECK_FAILS(locum_stage_begin(run, "../x", 7, "", false, NULL, &state), LOCUM_ARG);
    locum_run_close(run);
}

static void other_options_are_refused_with_the_keys_that_differ(void)
{
    locum_run *run = open_run("r2");
    locum_stage_state state;
    CHECK_OK(locum_stage_begin(run, "train", 7, "train:\n  epochs: 2000\n  forcing: none\n  rate: 0.1\n", false,
                               outputs, &state));
    put_output(run);
    CHECK_OK(locum_stage_finish(run, "train", NULL));
    CHECK_FAILS(locum_stage_begin(run, "train", 8,
                                  "train:\n  epochs: 4000\n  forcing:\n    name: diagonal\n    size: 2\n", false,
                                  outputs, &state),
                LOCUM_EXISTS);
    CU_ASSERT(has(locum_status_message(),
                  "train.epochs: 2000 -> 4000; train.forcing: none -> diagonal; train.forcing.size: not set -> 2; "
                  "train.rate: 0.1 -> not set)"));
    CU_ASSERT(has(locum_status_message(), "--force (or run --force=train)"));
    CU_ASSERT(has(locum_status_message(), "--out"));
    CU_ASSERT(has_output(run));
    CHECK_OK(locum_stage_begin(run, "train", 8, "train: {epochs: 4000}", true, outputs, &state));
    CU_ASSERT_EQUAL(state, LOCUM_STAGE_NEW);
    CU_ASSERT_FALSE(has_output(run));
    locum_run_close(run);
}

static void results_of_unknown_or_damaged_origin_are_kept(void)
{
    char path[LOCUM_PATH_SIZE];
    locum_run *run = open_run("r3");
    locum_stage_state state;
    put_output(run);
    CHECK_FAILS(locum_stage_begin(run, "train", 7, "", false, outputs, &state), LOCUM_EXISTS);
    CU_ASSERT(has(locum_status_message(), "nothing says which options"));
    CU_ASSERT(has_output(run));
    CHECK_OK(locum_run_file(run, "stages/train.json", path));
    CHECK_OK(locum_commit_bytes(path, "{\"stage\": \"train\"", 17));
    CHECK_FAILS(locum_stage_begin(run, "train", 7, "", false, outputs, &state), LOCUM_DAMAGED);
    CU_ASSERT(has(locum_status_message(), "stages/train.json is damaged: --force"));
    CU_ASSERT(has_output(run));
    CHECK_OK(locum_stage_begin(run, "train", 7, "", true, outputs, &state));
    CU_ASSERT_EQUAL(state, LOCUM_STAGE_NEW);
    locum_run_close(run);
}

/* a child that holds a stage until it is killed; returns when it does */
static pid_t hold_in_child(const char *name, const char *stage)
{
    int pipe_ends[2];
    char answer = 0;
    CU_ASSERT_EQUAL(pipe(pipe_ends), 0);
    pid_t child = fork();
    if (!child) {
        char path[256];
        locum_run *run = NULL;
        locum_stage_state state;
        bool held =
            !locum_run_open(in_folder(name, path), &run) && !locum_stage_begin(run, stage, 7, "", false, NULL, &state);
        if (write(pipe_ends[1], held ? "y" : "n", 1) != 1) _exit(1);
        for (;;) pause();
    }
    close(pipe_ends[1]);
    CU_ASSERT(read(pipe_ends[0], &answer, 1) == 1 && answer == 'y');
    close(pipe_ends[0]);
    return child;
}

static void end_child(pid_t child)
{
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
}

static void a_second_process_is_told_who_holds_the_stage(void)
{
    char who[64];
    locum_run *run = open_run("r4");
    locum_stage_state state;
    pid_t child = hold_in_child("r4", "generate");
    CHECK_FAILS(locum_stage_begin(run, "generate", 7, "", false, NULL, &state), LOCUM_BUSY);
    snprintf(who, sizeof who, "is in use by process %ld on ", (long)child);
    CU_ASSERT(has(locum_status_message(), "stage `generate` of "));
    CU_ASSERT(has(locum_status_message(), who));
    CU_ASSERT(has(locum_status_message(), " since 20"));
    CHECK_OK(locum_stage_begin(run, "train", 7, "", false, NULL, &state));                  /* another stage is free */
    CHECK_FAILS(locum_stage_begin(run, "generate", 7, "", true, NULL, &state), LOCUM_BUSY); /* force does not steal */
    end_child(child);
    CHECK_OK(
        locum_stage_begin(run, "generate", 7, "", false, NULL, &state)); /* kill -9 frees it; what it did is resumed */
    CU_ASSERT_EQUAL(state, LOCUM_STAGE_RESUME);
    locum_run_close(run);
}

static void shards_exclude_the_whole_stage_but_not_each_other(void)
{
    locum_run *run = open_run("r5");
    locum_stage_state state;
    pid_t child = hold_in_child("r5", "generate.shard-3");
    CHECK_FAILS(locum_stage_begin(run, "generate.shard-3", 7, "", false, NULL, &state), LOCUM_BUSY);
    CHECK_FAILS(locum_stage_begin(run, "generate", 7, "", false, NULL, &state), LOCUM_BUSY);
    CHECK_OK(locum_stage_begin(run, "generate.shard-4", 7, "", false, NULL, &state));
    CU_ASSERT_EQUAL(state, LOCUM_STAGE_NEW);
    CHECK_OK(locum_stage_finish(run, "generate.shard-4", NULL));
    CHECK_FAILS(locum_stage_begin(run, "generate.shard-5", 8, "", false, NULL, &state),
                LOCUM_EXISTS); /* other options than its siblings */
    end_child(child);
    CHECK_OK(locum_stage_begin(run, "generate", 7, "", false, NULL, &state));
    CU_ASSERT_EQUAL(state, LOCUM_STAGE_RESUME);
    CHECK_OK(locum_stage_begin(run, "generate.shard-3", 7, "", false, NULL,
                               &state)); /* inside the whole, by the same process */
    locum_run_close(run);
}

static void provenance_is_json_and_names_the_build(void)
{
    locum_text text = {0}, whole = {0};
    locum_json *json = NULL;
    double ranks = 0;
    locum_provenance(2, &text);
    locum_text_add(&whole, "{%s}", text.data);
    CHECK_OK(locum_json_parse(whole.data, whole.size, 100, &json));
    CU_ASSERT(locum_json_number(json, locum_json_find(json, 0, "ranks"), &ranks) && ranks == 2);
    static const char *const texts[] = {"program", "commit",    "compiler",        "flags",
                                        "host",    "processor", "instruction_set", "time"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        CU_ASSERT(locum_json_string(json, locum_json_find(json, 0, texts[i])) != NULL);
    locum_json_destroy(json);
    locum_text_free(&text);
    locum_text_free(&whole);
}

/* sleep stands for other programs on the machine */
static void the_work_clock_stands_while_nothing_is_done(void)
{
    double work = locum_work_clock(), wall = locum_clock();
    usleep(200000);
    CU_ASSERT(locum_work_clock() - work < 0.1); /* 0.2 s if it were the other clock */
    CU_ASSERT(locum_clock() - wall >= 0.2);
    work = locum_work_clock();
    while (locum_work_clock() - work < 0.01) {
    } /* it moves, or the test's time limit ends this */
}

static void the_test_folder_goes(void)
{
    CHECK_OK(locum_remove_tree(folder));
}

LOCUM_RUN_TESTS(
    "files", {"a committed file replaces the old one", a_committed_file_replaces_the_old_one},
    {"a kill at any step leaves the old or the new file", a_kill_at_any_step_leaves_the_old_or_the_new_file},
    {"a full disk keeps the old file and says what is needed", a_full_disk_keeps_the_old_file_and_says_what_is_needed},
    {"folders are made and removed whole", folders_are_made_and_removed_whole},
    {"reading stops at the limit", reading_stops_at_the_limit},
    {"metrics survive a torn line", metrics_survive_a_torn_line},
    {"a killed writer leaves whole lines", a_killed_writer_leaves_whole_lines},
    {"the log file has stamps, progress ends with a line", the_log_file_has_stamps_and_progress_ends_with_a_line},
    {"the watch sees flag, file and clock", the_watch_sees_flag_file_and_clock},
    {"a stage is new, then resumed, then done", a_stage_is_new_then_resumed_then_done},
    {"other options are refused with the keys that differ", other_options_are_refused_with_the_keys_that_differ},
    {"results of unknown or damaged origin are kept", results_of_unknown_or_damaged_origin_are_kept},
    {"a second process is told who holds the stage", a_second_process_is_told_who_holds_the_stage},
    {"shards exclude the whole stage but not each other", shards_exclude_the_whole_stage_but_not_each_other},
    {"provenance is JSON and names the build", provenance_is_json_and_names_the_build},
    {"the work clock stands while nothing is done", the_work_clock_stands_while_nothing_is_done},
    {"the test folder can be removed", the_test_folder_goes})
