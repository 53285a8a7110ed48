/* SPDX-License-Identifier: BSD-3-Clause */
/* timing.h - what benches of kernels share: this thread's processor time, medians, the multiply-add peak. */
#ifndef SCRIPTS_BENCH_TIMING_H
#define SCRIPTS_BENCH_TIMING_H

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "surrogate/kernels/kernels.h"

enum { MOST_REPEATS = 200 };

static inline double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* --- statistics
 * --------------------------------------------------------------------------------------------------------------- */
static inline int ascending(const void *x, const void *y)
{
    double a = *(const double *)x, b = *(const double *)y;
    return (a > b) - (a < b);
}

typedef struct summary {
    double median, spread, best; /* spread relative to the median */
} summary;

static inline summary summarise(const double *values, int n)
{
    double sorted[MOST_REPEATS];
    memcpy(sorted, values, (size_t)n * sizeof *sorted);
    qsort(sorted, (size_t)n, sizeof *sorted, ascending);
    double median = sorted[n / 2];
    return (summary){median, 0.5 * (sorted[3 * n / 4] - sorted[n / 4]) / median, sorted[0]};
}

/* --- multiply-add peak
 * --------------------------------------------------------------------------------------------------------- */
enum { PEAK_TURNS = 200000, PEAK_CHAINS = 12 };

#if defined(__x86_64__)
__attribute__((target("avx512f"))) static inline double peak_avx512(void)
{
    __m512 sum[PEAK_CHAINS], x = _mm512_set1_ps(0.999f), y = _mm512_set1_ps(1e-3f);
    for (int i = 0; i < PEAK_CHAINS; i++) sum[i] = _mm512_set1_ps((float)i);
    for (int t = 0; t < PEAK_TURNS; t++)
#pragma GCC unroll 12
        for (int i = 0; i < PEAK_CHAINS; i++) sum[i] = _mm512_fmadd_ps(sum[i], x, y);
    float total = 0.0f;
    for (int i = 0; i < PEAK_CHAINS; i++) total += _mm512_reduce_add_ps(sum[i]);
    return total > 0.0f ? 32.0 * PEAK_CHAINS * PEAK_TURNS : 0.0;
}

__attribute__((target("avx2,fma"))) static inline double peak_avx2(void)
{
    __m256 sum[PEAK_CHAINS], x = _mm256_set1_ps(0.999f), y = _mm256_set1_ps(1e-3f);
    float lane[8], total = 0.0f;
    for (int i = 0; i < PEAK_CHAINS; i++) sum[i] = _mm256_set1_ps((float)i);
    for (int t = 0; t < PEAK_TURNS; t++)
#pragma GCC unroll 12
        for (int i = 0; i < PEAK_CHAINS; i++) sum[i] = _mm256_fmadd_ps(sum[i], x, y);
    for (int i = 0; i < PEAK_CHAINS; i++) {
        _mm256_storeu_ps(lane, sum[i]);
        total += lane[0];
    }
    return total > 0.0f ? 16.0 * PEAK_CHAINS * PEAK_TURNS : 0.0;
}
#endif

static inline double peak_portable(void)
{
    typedef float vector __attribute__((vector_size(16)));
    vector sum[PEAK_CHAINS], x = {0.999f, 0.999f, 0.999f, 0.999f}, y = {1e-3f, 1e-3f, 1e-3f, 1e-3f};
    for (int i = 0; i < PEAK_CHAINS; i++) sum[i] = x * (float)i;
    for (int t = 0; t < PEAK_TURNS; t++)
#pragma GCC unroll 12
        for (int i = 0; i < PEAK_CHAINS; i++) sum[i] = sum[i] * x + y;
    float total = 0.0f;
    for (int i = 0; i < PEAK_CHAINS; i++) total += sum[i][0];
    return total > 0.0f ? 8.0 * PEAK_CHAINS * PEAK_TURNS : 0.0;
}

/* largest rate of 30 tries: a peak is a bound */
static inline double measured_peak(locum_cpu_level level)
{
    double best = 0.0;
    for (int i = 0; i < 30; i++) {
        double flops, start = now();
#if defined(__x86_64__)
        flops = level == LOCUM_CPU_AVX512 ? peak_avx512() : level == LOCUM_CPU_AVX2 ? peak_avx2() : peak_portable();
#else
        flops = peak_portable();
#endif
        best = fmax(best, flops / (now() - start));
    }
    return best;
}

#endif
