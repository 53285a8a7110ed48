/* SPDX-License-Identifier: BSD-3-Clause */
/* navier_stokes_loops_avx2.c - the loops with AVX2 and FMA (flags in CMakeLists.txt). */
#define LOOPS_NAME locum_navier_stokes_loops_avx2
#define LOOPS_LEVEL "avx2"
#include "navier_stokes_loops.inc"
