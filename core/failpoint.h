/* SPDX-License-Identifier: BSD-3-Clause */
/* failpoint.h - places where a test can make this process fail, die or wait. Testing builds only
 * (-DLOCUM_TESTING=ON); elsewhere the macro is nothing.
 *
 * LOCUM_FAILPOINTS="name[@hit][%rank]=action,..."  action: error (LOCUM_IO) | memory | numeric | kill (SIGKILL) |
 * sleep:SECONDS | nan (the code at the place decides what it poisons). hit counts from 1; rank as told by
 * locum_failpoint_rank(). */
#ifndef CORE_FAILPOINT_H
#define CORE_FAILPOINT_H

#include "locum/dev/error.h"

#ifdef LOCUM_TESTING
locum_status locum_failpoint(const char *name);
void locum_failpoint_rank(int rank);
#else
static inline locum_status locum_failpoint(const char *name)
{
    (void)name;
    return LOCUM_OK;
}
static inline void locum_failpoint_rank(int rank)
{
    (void)rank;
}
#endif

#endif
