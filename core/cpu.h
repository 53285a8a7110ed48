/* SPDX-License-Identifier: BSD-3-Clause */
/* cpu.h - what this processor can do. Kernels are built per level; a table is chosen by it at run time. */
#ifndef CORE_CPU_H
#define CORE_CPU_H

#include "locum/status.h"

typedef enum locum_cpu_level { LOCUM_CPU_PORTABLE, LOCUM_CPU_AVX2, LOCUM_CPU_AVX512 } locum_cpu_level;

/** Highest level of this processor and operating system (AVX2 means AVX2 + FMA; AVX512 means F, BW, DQ, VL). Local. */
locum_cpu_level locum_cpu_best(void);
const char *locum_cpu_level_name(locum_cpu_level level); /* "portable", "avx2", "avx512" */

#endif
