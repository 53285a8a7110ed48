/* SPDX-License-Identifier: BSD-3-Clause */
/* memory.c - allocation, and the failpoints that make it fail. */
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/failpoint.h"
#include "core/memory.h"
#include "tests/unit/check.h"

static void memory_is_zeroed_and_aligned(void)
{
    for (int64_t n = 0; n < 300; n += 7) {
        double *data = NULL;
        CHECK_OK(LOCUM_NEW(&data, n));
        CU_ASSERT_PTR_NOT_NULL_FATAL(data);
        CU_ASSERT_EQUAL((uintptr_t)data % 64, 0);
        for (int64_t i = 0; i < n; i++) CU_ASSERT_FATAL(data[i] == 0);
        memset(data, 0xff, (size_t)n * sizeof *data); /* so that a reused block would show */
        free(data);
    }
}

static void impossible_sizes_are_refused(void)
{
    char *data = (char *)1;

    CHECK_FAILS(locum_alloc(&data, -1, 1), LOCUM_MEMORY);
    CU_ASSERT_PTR_NULL(data);
    CHECK_FAILS(locum_alloc(&data, INT64_MAX, 16), LOCUM_MEMORY);
    CHECK_FAILS(locum_alloc(&data, INT64_MAX / 16 + 1, 16), LOCUM_MEMORY); /* the product overflows */
    CHECK_FAILS(locum_alloc(&data, INT64_MAX, 1), LOCUM_MEMORY);
}

static void texts_are_copied(void)
{
    char *copy;

    CHECK_OK(locum_copy_text(&copy, "viscosity"));
    CU_ASSERT_STRING_EQUAL(copy, "viscosity");
    free(copy);
}

static int failing_hit(const char *list, const char *name, int hits)
{
    int which = 0;

    setenv("LOCUM_FAILPOINTS", list, 1);
    for (int i = 1; i <= hits; i++)
        if (locum_failpoint(name)) which = which * 100 + i;
    unsetenv("LOCUM_FAILPOINTS");
    locum_failpoint(name); /* forgets the hits */
    return which;
}

static void the_chosen_hit_fails_and_no_other(void)
{
    CU_ASSERT_EQUAL(failing_hit("a@3=error", "a", 5), 3);
    CU_ASSERT_EQUAL(failing_hit("a@3=error", "b", 5), 0);
    CU_ASSERT_EQUAL(failing_hit("a=error", "a", 3), 10203);
    CU_ASSERT_EQUAL(failing_hit("b=memory,a@2=error,a@4=numeric", "a", 5), 204);
    CU_ASSERT_EQUAL(failing_hit("a@1%1=error", "a", 2), 0); /* this is rank 0 */
    locum_failpoint_rank(1);
    CU_ASSERT_EQUAL(failing_hit("a@1%1=error", "a", 2), 1);
    CU_ASSERT_EQUAL(failing_hit("a%0=error", "a", 2), 0);
    locum_failpoint_rank(0);
}

static void actions_give_their_status(void)
{
    static const struct {
        const char *list;
        locum_status status;
    } rows[] = {{"a=error", LOCUM_IO},
                {"a=memory", LOCUM_MEMORY},
                {"a=numeric", LOCUM_NUMERIC},
                {"a=nan", LOCUM_NUMERIC},
                {"a=sleep:0", LOCUM_OK}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        setenv("LOCUM_FAILPOINTS", rows[i].list, 1);
        CHECK_FAILS(locum_failpoint("a"), rows[i].status);
    }
    unsetenv("LOCUM_FAILPOINTS");
}

static void a_list_with_an_error_fails_everything(void)
{
    static const char *const lists[] = {"a",         "a=",         "a=wrong",  "=error",     "a@=error",
                                        "a@x=error", "a@1x=error", "a=sleep:", "a=sleep:-1", "a%-1=error"};

    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        setenv("LOCUM_FAILPOINTS", lists[i], 1);
        CHECK_FAILS(locum_failpoint("b"), LOCUM_ARG);
        CHECK_FAILS(locum_failpoint("b"), LOCUM_ARG);
    }
    unsetenv("LOCUM_FAILPOINTS");
    CHECK_OK(locum_failpoint("b"));
}

static void sleep_waits(void)
{
    struct timespec before, after;

    setenv("LOCUM_FAILPOINTS", "a=sleep:0.05", 1);
    clock_gettime(CLOCK_MONOTONIC, &before);
    CHECK_OK(locum_failpoint("a"));
    clock_gettime(CLOCK_MONOTONIC, &after);
    unsetenv("LOCUM_FAILPOINTS");
    CU_ASSERT((double)(after.tv_sec - before.tv_sec) + 1e-9 * (double)(after.tv_nsec - before.tv_nsec) >= 0.05);
}

static void kill_ends_the_process(void)
{
    int how = 0;
    pid_t child = fork();

    if (child == 0) {
        setenv("LOCUM_FAILPOINTS", "a@2=kill", 1);
        if (locum_failpoint("a")) _exit(1);
        if (locum_failpoint("a")) _exit(2);
        _exit(3);
    }
    CU_ASSERT_EQUAL(waitpid(child, &how, 0), child);
    CU_ASSERT(WIFSIGNALED(how) && WTERMSIG(how) == SIGKILL);
}

static void the_chosen_allocation_fails(void)
{
    char *data[5];

    setenv("LOCUM_FAILPOINTS", "alloc@3=memory", 1);
    for (int i = 0; i < 5; i++) CHECK_FAILS(LOCUM_NEW(&data[i], 8), i == 2 ? LOCUM_MEMORY : LOCUM_OK);
    unsetenv("LOCUM_FAILPOINTS");
    CU_ASSERT_PTR_NULL(data[2]);
    for (int i = 0; i < 5; i++) free(data[i]);
}

LOCUM_RUN_TESTS("core/memory", {"memory is zeroed and aligned", memory_is_zeroed_and_aligned},
                {"impossible sizes are refused", impossible_sizes_are_refused}, {"texts are copied", texts_are_copied},
                {"the chosen hit fails and no other", the_chosen_hit_fails_and_no_other},
                {"actions give their status", actions_give_their_status},
                {"a list with an error fails everything", a_list_with_an_error_fails_everything},
                {"sleep waits", sleep_waits}, {"kill ends the process", kill_ends_the_process},
                {"the chosen allocation fails", the_chosen_allocation_fails})
