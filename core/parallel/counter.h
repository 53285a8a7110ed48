/* SPDX-License-Identifier: BSD-3-Clause */
/* counter.h - a shared work counter: groups take blocks of samples from it; no master rank. */
#ifndef CORE_PARALLEL_COUNTER_H
#define CORE_PARALLEL_COUNTER_H

#include <mpi.h>
#include <stdint.h>

#include "locum/dev/error.h"

typedef struct locum_counter locum_counter;

/** Starts at `start`. Collective. */
locum_status locum_counter_create(MPI_Comm comm, int64_t start, locum_counter **counter);
/** *value = what the counter was; adds n to it. Local (one-sided). */
locum_status locum_counter_take(locum_counter *counter, int64_t n, int64_t *value);
/** Collective; NULL-safe. */
void locum_counter_destroy(locum_counter *counter);

#endif
