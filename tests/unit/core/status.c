/* SPDX-License-Identifier: BSD-3-Clause */
/* status.c - codes, message, call chain, and that threads do not see each other's. */
#include <pthread.h>
#include <string.h>

#include "core/text.h"
#include "locum/dev/error.h"
#include "tests/unit/check.h"

static void codes_have_names_and_exit_codes(void)
{
    CU_ASSERT_STRING_EQUAL(locum_status_name(LOCUM_DAMAGED), "LOCUM_DAMAGED");
    CU_ASSERT_STRING_EQUAL(locum_status_text(LOCUM_MEMORY), "out of memory");
    CU_ASSERT_EQUAL(locum_status_exit_code(LOCUM_OK), 0);
    CU_ASSERT_EQUAL(locum_status_exit_code(LOCUM_STOPPED), 75);
    CU_ASSERT_EQUAL(locum_status_exit_code(LOCUM_STUDY), 2);
    CU_ASSERT_EQUAL(locum_status_exit_code(LOCUM_DAMAGED), 3);
    CU_ASSERT_EQUAL(locum_status_exit_code(LOCUM_BUSY), 1);
    CU_ASSERT_STRING_EQUAL(locum_status_name((locum_status)999), "unknown status");
    CU_ASSERT_EQUAL(locum_status_exit_code((locum_status)-1), 1);
}

static locum_status inner(int value)
{
    LOCUM_REQUIRE(value > 0, LOCUM_ARG, "value = %d must be positive", value);
    return LOCUM_OK;
}

static locum_status outer(int value)
{
    LOCUM_TRY(inner(value));
    return LOCUM_OK;
}

static void a_failure_carries_message_and_chain(void)
{
    locum_status_clear();
    CHECK_OK(outer(1));
    CU_ASSERT_STRING_EQUAL(locum_status_message(), "");
    CHECK_FAILS(outer(-3), LOCUM_ARG);
    CU_ASSERT_STRING_EQUAL(locum_status_message(), "value = -3 must be positive");

    const char *trace = locum_status_trace(), *second = strchr(trace, '\n');
    CU_ASSERT_PTR_NOT_NULL_FATAL(second);
    CU_ASSERT_PTR_NOT_NULL(strstr(trace, "status.c:"));
    CU_ASSERT_PTR_NOT_NULL(strstr(second, ": inner(value)"));

    CHECK_FAILS(outer(-4), LOCUM_ARG); /* a new failure replaces both */
    CU_ASSERT_STRING_EQUAL(locum_status_message(), "value = -4 must be positive");
    CU_ASSERT_PTR_NULL(strchr(strchr(strchr(locum_status_trace(), '\n') + 1, '\n') + 1, '\n'));
    locum_status_clear();
    CU_ASSERT_STRING_EQUAL(locum_status_trace(), "");
}

static void a_message_may_quote_the_last_one(void)
{
    locum_status st = LOCUM_FAIL(LOCUM_IO, "disk %d is full", 7);
    st = LOCUM_FAIL(st, "sample 12: %s", locum_status_message());
    CU_ASSERT_EQUAL(st, LOCUM_IO);
    CU_ASSERT_STRING_EQUAL(locum_status_message(), "sample 12: disk 7 is full");
}

static void long_texts_are_cut_between_characters(void)
{
    char text[3000];

    for (int shift = 0; shift < 2; shift++) {
        memset(text, 'x', sizeof text);
        for (size_t i = (size_t)shift; i + 3 < sizeof text; i += 2) memcpy(text + i, "\xC3\xA9", 2); /* e acute */
        text[sizeof text - 1] = 0;
        CHECK_FAILS(LOCUM_FAIL(LOCUM_IO, "%s", text), LOCUM_IO);
        size_t n = strlen(locum_status_message());
        CU_ASSERT(n >= 1000 && n < 1024);
        CU_ASSERT_EQUAL(((int)n - shift) % 2, 0); /* an even number of bytes behind the shift: no half character */
    }
}

static void a_chain_that_is_full_leaves_whole_lines(void)
{
    CHECK_FAILS(LOCUM_FAIL(LOCUM_IO, "deep"), LOCUM_IO);
    for (int i = 0; i < 1000; i++) locum_trace(LOCUM_IO, "some/file.c", i, "call(with, arguments)");
    const char *trace = locum_status_trace();
    CU_ASSERT(strlen(trace) > 3900 && trace[strlen(trace) - 1] == '\n');
}

static void an_adopted_failure_replaces_the_own_one(void)
{
    CHECK_FAILS(LOCUM_FAIL(LOCUM_IO, "mine"), LOCUM_IO);
    CHECK_FAILS(locum_status_adopt(LOCUM_NUMERIC, "rank 2: theirs", "a.c:1\n"), LOCUM_NUMERIC);
    CU_ASSERT_STRING_EQUAL(locum_status_message(), "rank 2: theirs");
    CU_ASSERT_STRING_EQUAL(locum_status_trace(), "a.c:1\n");
    locum_trace(LOCUM_NUMERIC, "b.c", 2, "f()");
    CU_ASSERT_STRING_EQUAL(locum_status_trace(), "a.c:1\nb.c:2: f()\n");
}

static void *fail_in_thread(void *unused)
{
    (void)unused;
    locum_status st = LOCUM_FAIL(LOCUM_MEMORY, "from the thread");
    return (void *)(size_t)(st == LOCUM_MEMORY && !strcmp(locum_status_message(), "from the thread"));
}

static void threads_have_their_own_failure(void)
{
    pthread_t thread;
    void *good = NULL;

    CHECK_FAILS(LOCUM_FAIL(LOCUM_IO, "from main"), LOCUM_IO);
    CU_ASSERT_FATAL(!pthread_create(&thread, NULL, fail_in_thread, NULL));
    pthread_join(thread, &good);
    CU_ASSERT_PTR_NOT_NULL(good);
    CU_ASSERT_STRING_EQUAL(locum_status_message(), "from main");
}

LOCUM_RUN_TESTS("core/status", {"codes have names and exit codes", codes_have_names_and_exit_codes},
                {"a failure carries message and chain", a_failure_carries_message_and_chain},
                {"a message may quote the last one", a_message_may_quote_the_last_one},
                {"long texts are cut between characters", long_texts_are_cut_between_characters},
                {"a chain that is full leaves whole lines", a_chain_that_is_full_leaves_whole_lines},
                {"an adopted failure replaces the own one", an_adopted_failure_replaces_the_own_one},
                {"threads have their own failure", threads_have_their_own_failure})
