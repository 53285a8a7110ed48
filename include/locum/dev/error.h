/* SPDX-License-Identifier: BSD-3-Clause */
/* error.h - the two error macros, and the calls behind them.
 *
 * A function that owns temporaries uses the status chain instead (`if (!st) st = ...;`): one exit, no
 * leak. In a collective function LOCUM_TRY wraps collective calls only; rank-local work collects a
 * status that ends in locum_comm_agree (core/parallel/comm.h). */
#ifndef LOCUM_DEV_ERROR_H
#define LOCUM_DEV_ERROR_H

#include "locum/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Records a new failure (replaces text and chain) and returns `status`. Local; never allocates. */
LOCUM_API locum_status locum_fail(locum_status status, const char *file, int line, const char *format, ...)
    LOCUM_PRINTF(4, 5);

/** Adds a line to the call chain and returns `status`. Local; never allocates. */
LOCUM_API locum_status locum_trace(locum_status status, const char *file, int line, const char *call);

/** Forgets the latest failure. Local. For callers that recover. */
LOCUM_API void locum_status_clear(void);

/** Takes over a failure that was reported elsewhere (another rank, another thread): its text and chain replace this
 *  thread's. Returns `status`. Local; never allocates. */
LOCUM_API locum_status locum_status_adopt(locum_status status, const char *message, const char *trace);

#define LOCUM_TRY(call)                                            \
    do {                                                           \
        locum_status s_ = (call);                                  \
        if (s_) return locum_trace(s_, __FILE__, __LINE__, #call); \
    } while (0)

#define LOCUM_REQUIRE(cond, code, ...)                                           \
    do {                                                                         \
        if (!(cond)) return locum_fail((code), __FILE__, __LINE__, __VA_ARGS__); \
    } while (0)

/** The status chain's way to fail: an expression, not a return. */
#define LOCUM_FAIL(code, ...) locum_fail((code), __FILE__, __LINE__, __VA_ARGS__)

#ifdef __cplusplus
}
#endif
#endif
