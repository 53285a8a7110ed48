/* SPDX-License-Identifier: BSD-3-Clause */
/* cpu.c - the processor's level, by cpuid and by what the operating system saves (the compiler's builtin asks both). */
#include "core/cpu.h"

locum_cpu_level locum_cpu_best(void)
{
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return LOCUM_CPU_PORTABLE;
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl"))
        return LOCUM_CPU_AVX512;
    return LOCUM_CPU_AVX2;
#else
    return LOCUM_CPU_PORTABLE;
#endif
}

const char *locum_cpu_level_name(locum_cpu_level level)
{
    return level == LOCUM_CPU_AVX512 ? "avx512" : level == LOCUM_CPU_AVX2 ? "avx2" : "portable";
}
