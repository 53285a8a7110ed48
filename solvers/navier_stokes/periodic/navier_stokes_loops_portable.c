/* SPDX-License-Identifier: BSD-3-Clause */
/* navier_stokes_loops_portable.c - the loops for every processor. */
#define LOOPS_NAME locum_navier_stokes_loops_portable
#define LOOPS_LEVEL "portable"
#include "navier_stokes_loops.inc"
