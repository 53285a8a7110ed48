/* SPDX-License-Identifier: BSD-3-Clause */
/* kernels.c - chooses the table: the level asked for, or the best one below it that was built and that this processor
 * has. LOCUM_KERNELS_X86 is defined where the avx2 and avx512 builds exist. */
#include "surrogate/kernels/kernels.h"

extern const locum_kernels locum_kernels_table_portable;
#ifdef LOCUM_KERNELS_X86
extern const locum_kernels locum_kernels_table_avx2, locum_kernels_table_avx512;
#endif

const locum_kernels *locum_kernels_for(locum_cpu_level level)
{
    locum_cpu_level best = locum_cpu_best();
    if (level > best) level = best;
#ifdef LOCUM_KERNELS_X86
    if (level >= LOCUM_CPU_AVX512) return &locum_kernels_table_avx512;
    if (level >= LOCUM_CPU_AVX2) return &locum_kernels_table_avx2;
#endif
    return &locum_kernels_table_portable;
}
