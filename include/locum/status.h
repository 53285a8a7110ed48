/* SPDX-License-Identifier: BSD-3-Clause */
/* status.h - how every call of locum answers: a code, and a text that says where and what to do.
 *
 * A function that can fail returns locum_status. The text of the latest failure lies in a fixed
 * thread-local buffer: locum_status_message(). The library never exits, aborts or prints. */
#ifndef LOCUM_STATUS_H
#define LOCUM_STATUS_H

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define LOCUM_API __attribute__((visibility("default")))
#define LOCUM_MUST_CHECK __attribute__((warn_unused_result))
#define LOCUM_PRINTF(text, first) __attribute__((format(printf, text, first)))
#else
#define LOCUM_API
#define LOCUM_MUST_CHECK
#define LOCUM_PRINTF(text, first)
#endif

/* X(code, exit code of the program, meaning); a larger value is the worse one where ranks differ */
#define LOCUM_STATUS_LIST(X)                                        \
    X(LOCUM_OK, 0, "done")                                          \
    X(LOCUM_STOPPED, 75, "stopped on request; resume continues")    \
    X(LOCUM_PEER, 1, "another rank failed")                         \
    X(LOCUM_NUMERIC, 1, "the solution is not finite or not stable") \
    X(LOCUM_CONVERGENCE, 1, "an iteration did not converge")        \
    X(LOCUM_ARG, 2, "an argument is wrong")                         \
    X(LOCUM_STUDY, 2, "the study or an option is wrong")            \
    X(LOCUM_INPUT, 2, "an input file is missing or does not fit")   \
    X(LOCUM_EXISTS, 2, "results made from other options exist")     \
    X(LOCUM_NOT_BUILT, 2, "this part was not built")                \
    X(LOCUM_DAMAGED, 3, "a data or model file is damaged")          \
    X(LOCUM_BUSY, 1, "another process works on this")               \
    X(LOCUM_IO, 1, "reading or writing failed")                     \
    X(LOCUM_MEMORY, 1, "out of memory")                             \
    X(LOCUM_INTERNAL, 1, "a fault of locum itself")

typedef enum locum_status {
#define LOCUM_STATUS_CODE(code, exit_code, text) code,
    LOCUM_STATUS_LIST(LOCUM_STATUS_CODE)
#undef LOCUM_STATUS_CODE
} locum_status;

/** Name of a code, for example "LOCUM_IO". Local; never NULL. */
LOCUM_API const char *locum_status_name(locum_status status);

/** What a code means, in a few words. Local; never NULL. */
LOCUM_API const char *locum_status_text(locum_status status);

/** Exit code of the program for a code: 0, 1, 2, 3 or 75. Local. */
LOCUM_API int locum_status_exit_code(locum_status status);

/** Text of the latest failure in this thread, without the call chain; "" if none. Local.
 *  Lent until the next failure in this thread. */
LOCUM_API const char *locum_status_message(void);

/** Call chain of the latest failure in this thread, one "file:line: call" a line. Local; lent. */
LOCUM_API const char *locum_status_trace(void);

#ifdef __cplusplus
}
#endif
#endif
