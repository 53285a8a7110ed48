/* SPDX-License-Identifier: BSD-3-Clause */
/* frame.c - counts of values by support and tensor order; processor levels. */
#include <string.h>

#include "core/cpu.h"
#include "locum/dev/frame.h"
#include "tests/unit/check.h"

static const locum_domain domains[] = {{.name = "global", .support = LOCUM_GLOBAL},
                                       {.name = "grid", .support = LOCUM_GRID, .n_dims = 2, .n_global = {8, 6}},
                                       {.name = "k", .support = LOCUM_ROWS, .n_dims = 1, .n_global = {5}}};
static const locum_array arrays[] = {{.name = "energy", .domain = 0},
                                     {.name = "vorticity", .domain = 1},
                                     {.name = "velocity", .domain = 1, .order = 1, .shape = {2}},
                                     {.name = "stress", .domain = 1, .order = 2, .shape = {2, 3}},
                                     {.name = "spectrum", .domain = 2},
                                     {.name = "velocity_variance", .domain = 1, .roles = LOCUM_VARIANCE},
                                     {.name = "energy_variance", .domain = 0},
                                     {.name = "x", .domain = 0, .roles = LOCUM_VARIANCE}};
static const locum_schema schema = {.domains = domains, .n_domains = 3, .arrays = arrays, .n_arrays = 8};

static void arrays_are_found_by_name(void)
{
    CU_ASSERT_EQUAL(locum_schema_find(&schema, "energy"), 0);
    CU_ASSERT_EQUAL(locum_schema_find(&schema, "spectrum"), 4);
    CU_ASSERT_EQUAL(locum_schema_find(&schema, "pressure"), -1);
}

static void a_variance_knows_its_array(void)
{
    CU_ASSERT_EQUAL(locum_schema_variance_of(&schema, 5), 2);
    CU_ASSERT_EQUAL(locum_schema_variance_of(&schema, 6), -1); /* named so, but not one */
    CU_ASSERT_EQUAL(locum_schema_variance_of(&schema, 7), -1); /* one, but of nothing */
}

static void counts_follow_support_and_order(void)
{
    locum_block part = {.n = {4, 6, 0}}, rows = {.n = {3}}, one = {.n = {0}};

    CU_ASSERT_EQUAL(locum_block_count(&schema, 0, &one), 1);
    CU_ASSERT_EQUAL(locum_block_count(&schema, 1, &part), 24);
    CU_ASSERT_EQUAL(locum_block_count(&schema, 2, &part), 48);
    CU_ASSERT_EQUAL(locum_block_count(&schema, 3, &part), 144);
    CU_ASSERT_EQUAL(locum_block_count(&schema, 4, &rows), 3);
    CU_ASSERT_EQUAL(locum_array_components(&arrays[3]), 6);
}

static void types_have_sizes(void)
{
    CU_ASSERT_EQUAL(locum_type_size(LOCUM_FLOAT64), 8);
    CU_ASSERT_EQUAL(locum_type_size(LOCUM_FLOAT32), 4);
    CU_ASSERT_EQUAL(locum_type_size(LOCUM_INT64), 8);
    CU_ASSERT_EQUAL(locum_type_size(LOCUM_INT32), 4);
}

/* /proc/cpuinfo is the kernel's own reading of cpuid */
static void processor_level_agrees_with_the_kernel(void)
{
    FILE *file = fopen("/proc/cpuinfo", "r");
    char line[8192], flags[8192] = "";

    if (!file) return;
    while (!flags[0] && fgets(line, sizeof line, file))
        if (!strncmp(line, "flags", 5)) strcpy(flags, line);
    fclose(file);
    locum_cpu_level level = locum_cpu_best();
    int avx2 = strstr(flags, " avx2 ") && strstr(flags, " fma ");
    int avx512 = avx2 && strstr(flags, " avx512f ") && strstr(flags, " avx512bw ") && strstr(flags, " avx512dq ") &&
                 strstr(flags, " avx512vl ");
    CU_ASSERT_EQUAL(level, avx512 ? LOCUM_CPU_AVX512 : avx2 ? LOCUM_CPU_AVX2 : LOCUM_CPU_PORTABLE);
    CU_ASSERT_STRING_EQUAL(locum_cpu_level_name(LOCUM_CPU_AVX2), "avx2");
    CU_ASSERT_STRING_EQUAL(locum_cpu_level_name(LOCUM_CPU_AVX512), "avx512");
    CU_ASSERT_STRING_EQUAL(locum_cpu_level_name(LOCUM_CPU_PORTABLE), "portable");
}

LOCUM_RUN_TESTS("core/frame", {"arrays are found by name", arrays_are_found_by_name},
                {"a variance knows its array", a_variance_knows_its_array},
                {"counts follow support and order", counts_follow_support_and_order},
                {"types have sizes", types_have_sizes},
                {"processor level agrees with the kernel", processor_level_agrees_with_the_kernel})
