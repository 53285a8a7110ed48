/* SPDX-License-Identifier: BSD-3-Clause */
/* leaks.h - memory that was lost between MPI_Init (leaks_begin) and MPI_Finalize; asked before the latter: at exit,
 * with MPI's plug-ins unloaded, LeakSanitizer cannot walk the threads any more. In builds without AddressSanitizer
 * there is nothing to ask. Included by one file of a test program. */
#ifndef TESTS_UNIT_CAMPAIGN_LEAKS_H
#define TESTS_UNIT_CAMPAIGN_LEAKS_H

#include <mpi.h>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/lsan_interface.h>

__attribute__((visibility("default"))) const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    /* MPI's threads; we have neither strdup nor asprintf */
    return "leak:strdup\nleak:vasprintf\nleak:libmpi\nleak:libopen-\nleak:pmix\nleak:libevent\nleak:libhwloc\nleak:mca_"
           "\n";
}
__attribute__((visibility("default"))) const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "leak_check_at_exit=0";
}
static inline int leaks_found(void)
{
    return __lsan_do_recoverable_leak_check();
}
/* MPI_Init keeps small things for ever */
static inline void leaks_begin(int *argc, char ***argv)
{
    __lsan_disable();
    MPI_Init(argc, argv);
    __lsan_enable();
}
#else
static inline void leaks_begin(int *argc, char ***argv)
{
    MPI_Init(argc, argv);
}
static inline int leaks_found(void)
{
    return 0;
}
#endif

#endif
