/* SPDX-License-Identifier: BSD-3-Clause */
/* check.h - what every CUnit test program of ours shares: one suite, one list of claims, an exit code that CTest believes.
 *
 *     LOCUM_RUN_TESTS("philox", {"known answers of Random123", known_answers}, {"...", ...})
 * LOCUM_TOL_SCALE=0 in the environment makes every tolerance zero, so that failures print the true residuals. */
#ifndef TESTS_UNIT_CHECK_H
#define TESTS_UNIT_CHECK_H

#include <CUnit/Basic.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "locum/status.h"

typedef struct check_entry {
    const char *claim;
    void (*test)(void);
} check_entry;

static inline double check_scale(void)
{
    const char *text = getenv("LOCUM_TOL_SCALE");
    return text ? atof(text) : 1.0;
}

/* |a - b| <= tolerance, with the residual in the output if it is not */
#define CHECK_CLOSE(a, b, tolerance)                                                                              \
    do {                                                                                                          \
        double a_ = (a), b_ = (b), t_ = (tolerance)*check_scale();                                                \
        if (!(fabs(a_ - b_) <= t_))                                                                               \
            printf("\n    %s:%d: %s = %.17g, expected %.17g, off by %.3g > %.3g", __FILE__, __LINE__, #a, a_, b_, \
                   fabs(a_ - b_), t_);                                                                            \
        CU_ASSERT(fabs(a_ - b_) <= t_);                                                                           \
    } while (0)

/* a status that must be LOCUM_OK, with its message if it is not */
#define CHECK_OK(call)                                                                          \
    do {                                                                                        \
        locum_status c_ = (call);                                                               \
        if (c_)                                                                                 \
            printf("\n    %s:%d: %s: %s: %s", __FILE__, __LINE__, #call, locum_status_name(c_), \
                   locum_status_message());                                                     \
        CU_ASSERT(c_ == LOCUM_OK);                                                              \
    } while (0)

/* a status that must be `code` */
#define CHECK_FAILS(call, code)                                                                                      \
    do {                                                                                                             \
        locum_status c_ = (call);                                                                                    \
        if (c_ != (code))                                                                                            \
            printf("\n    %s:%d: %s: got %s, expected %s", __FILE__, __LINE__, #call, locum_status_name(c_), #code); \
        CU_ASSERT(c_ == (code));                                                                                     \
    } while (0)

/* Memory that was lost so far, asked at the end of a suite: at exit, with MPI's plug-ins unloaded, LeakSanitizer cannot say whose
 * it is (scripts/test turns the question at exit off, and names what libraries keep: scripts/check/leaks.supp). */
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/lsan_interface.h>
static inline int check_leaks(void)
{
    return __lsan_do_recoverable_leak_check();
}
#else
static inline int check_leaks(void)
{
    return 0;
}
#endif

static inline int check_run(const char *suite_name, const check_entry *entries, int n)
{
    if (CU_initialize_registry() != CUE_SUCCESS) return 1;
    CU_pSuite suite = CU_add_suite(suite_name, NULL, NULL);
    for (int i = 0; i < n; i++) CU_add_test(suite, entries[i].claim, entries[i].test);
    CU_basic_set_mode(CU_BRM_VERBOSE);
    CU_basic_run_tests();
    unsigned failed = CU_get_number_of_failures(), ran = CU_get_number_of_tests_run();
    CU_cleanup_registry();
    return failed || ran != (unsigned)n || check_leaks();
}

/* MPI programs write their own main around check_run(), and combine the results of all ranks */
#define CHECK_TABLE(...) __VA_ARGS__
#define LOCUM_RUN_TESTS(suite_name, ...)                                                  \
    int main(void)                                                                        \
    {                                                                                     \
        static const check_entry entries[] = {__VA_ARGS__};                               \
        return check_run(suite_name, entries, (int)(sizeof entries / sizeof entries[0])); \
    }

#endif
