/* SPDX-License-Identifier: BSD-3-Clause */
/* levels.h - shared by the tests of the kernels: a loop over the levels of this machine, guarded arrays, random values.
 */
#ifndef TESTS_UNIT_KERNELS_LEVELS_H
#define TESTS_UNIT_KERNELS_LEVELS_H

#include <stdint.h>
#include <string.h>

#include "surrogate/kernels/kernels.h"
#include "tests/unit/check.h"

/* The sources of the levels with 16 lanes and tiles of 12 rows, as for avx512, but with the instructions of every
 * machine: what can be wrong in that build, except its few intrinsics, is then tested everywhere (CMakeLists.txt). */
extern const locum_kernels locum_kernels_table_wide;

static inline const locum_kernels *levels_table(int level)
{
    return level > (int)locum_cpu_best() ? &locum_kernels_table_wide : locum_kernels_for((locum_cpu_level)level);
}

/* for (each table: wide, then from the best level of this machine downwards) */
#define FOR_LEVELS(kernels)                                             \
    for (int level_ = (int)locum_cpu_best() + 1; level_ >= 0; level_--) \
        for (const locum_kernels *kernels = levels_table(level_), *once_ = kernels; once_; once_ = NULL)

/* Says once which levels this machine cannot run. */
static inline void levels_say_skipped(void)
{
    for (int level = (int)locum_cpu_best() + 1; level <= (int)LOCUM_CPU_AVX512; level++)
        printf("    skipped: %s (this processor does not have it)\n", locum_cpu_level_name((locum_cpu_level)level));
}

/* --- random values, the same on every run
 * ------------------------------------------------------------------------------- */
static inline uint32_t random_bits(uint64_t *state)
{
    *state = *state * 6364136223846793005ull + 1442695040888963407ull;
    return (uint32_t)(*state >> 32);
}

static inline float random_value(uint64_t *state)
{
    return (float)random_bits(state) * 0x1p-31f - 1.0f;
} /* [-1, 1] */

/* --- arrays between guard zones
 * ------------------------------------------------------------------------------------------ */
#define GUARD 64               /* floats on each side */
#define GUARD_BITS 0x7fedcba9u /* a NaN with a payload: a read that counts poisons the result, a write is seen */

typedef struct guarded {
    float *memory, *data;
    int64_t n;
} guarded;

static inline float guard_value(void)
{
    uint32_t bits = GUARD_BITS;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* n values in [-1, 1]; data is not aligned to more than 4 bytes if shift is odd */
static inline guarded guarded_create(int64_t n, int shift, uint64_t *state)
{
    int64_t total = n + 2 * GUARD + 16;
    guarded g = {.memory = aligned_alloc(64, (size_t)(total * 4 + 63) / 64 * 64), .n = n};
    for (int64_t i = 0; i < total; i++) g.memory[i] = guard_value();
    g.data = g.memory + GUARD + shift;
    for (int64_t i = 0; i < n; i++) g.data[i] = random_value(state);
    return g;
}

static inline int is_guard(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits == GUARD_BITS;
}

/* the values between rows of `used` floats at stride `stride` become guards too */
static inline void guard_gaps(guarded *g, int64_t rows, int64_t used, int64_t stride)
{
    for (int64_t r = 0; r < rows; r++)
        for (int64_t i = used; i < stride; i++)
            if (r * stride + i < g->n) g->data[r * stride + i] = guard_value();
}

static inline int gaps_untouched(const guarded *g, int64_t rows, int64_t used, int64_t stride)
{
    for (int64_t r = 0; r < rows; r++)
        for (int64_t i = used; i < stride; i++)
            if (r * stride + i < g->n && !is_guard(g->data[r * stride + i])) return 0;
    return 1;
}

static inline int guards_untouched(const guarded *g)
{
    for (int64_t i = 1; i <= GUARD; i++)
        if (!is_guard(g->data[-i])) return 0;
    for (int64_t i = 0; i < GUARD - 16; i++)
        if (!is_guard(g->data[g->n + i])) return 0;
    return 1;
}

static inline void guarded_free(guarded *g)
{
    free(g->memory);
}

/* how many floats lie between a and the value x that it should be; NaN matches NaN */
static inline double ulps(float a, double x)
{
    float nearest = (float)x;
    if (isnan(x) || isnan(a)) return isnan(x) && isnan(a) ? 0.0 : INFINITY;
    if (isinf(nearest) || isinf(a)) return a == nearest ? 0.0 : INFINITY;
    int exponent;
    frexp(fabs(x), &exponent);
    if (exponent < -125 || x == 0.0) exponent = -125;
    return fabs((double)a - x) / ldexp(1.0, exponent - 24);
}

#endif
