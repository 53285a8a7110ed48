/* SPDX-License-Identifier: BSD-3-Clause */
/* test_allocation.c - running and packing allocate nothing: the linker sends every malloc through a counter. */
#include <string.h>

#include "../check.h"
#include "networks.h"

static long allocations;

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__real_aligned_alloc(size_t alignment, size_t n);
int __real_posix_memalign(void **p, size_t alignment, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
void *__wrap_aligned_alloc(size_t alignment, size_t n);
int __wrap_posix_memalign(void **p, size_t alignment, size_t n);

void *__wrap_malloc(size_t n)
{
    return allocations++, __real_malloc(n);
}
void *__wrap_calloc(size_t n, size_t size)
{
    return allocations++, __real_calloc(n, size);
}
void *__wrap_realloc(void *p, size_t n)
{
    return allocations++, __real_realloc(p, n);
}
void *__wrap_aligned_alloc(size_t alignment, size_t n)
{
    return allocations++, __real_aligned_alloc(alignment, n);
}
int __wrap_posix_memalign(void **p, size_t alignment, size_t n)
{
    return allocations++, __real_posix_memalign(p, alignment, n);
}

static void *aligned_bytes(size_t n)
{
    return aligned_alloc(64, (n + 127) / 64 * 64);
}

static void check(fixture f, unsigned flags)
{
    locum_plan *plan = NULL;
    const locum_plan_options options = {
        .kernels = locum_kernels_for(locum_cpu_best()), .flags = flags, .capacity = {f.extents[0]}};
    const long before_all = allocations;
    CHECK_OK(locum_plan_create(f.graph, f.n_outputs, f.outputs, &options, &plan));
    CU_ASSERT(allocations > before_all); /* the counter counts */
    const float *inputs[4], *parameters[64];
    float *outputs[FIXTURE_OUTPUTS_MAX];
    for (int i = 0; i < locum_plan_n_inputs(plan); i++) inputs[i] = calloc(1000, sizeof(float));
    for (int i = 0; i < locum_plan_n_parameters(plan); i++)
        parameters[i] = calloc((size_t)locum_plan_parameter_count(plan, i), sizeof(float));
    for (int i = 0; i < f.n_outputs; i++)
        outputs[i] = calloc((size_t)locum_graph_count(f.graph, f.outputs[i], f.extents) + 1, sizeof(float));
    void *arena = aligned_bytes(locum_plan_arena_bytes(plan)), *packed = aligned_bytes(locum_plan_packed_bytes(plan));
    const locum_plan_run_call call = {.extents = f.extents,
                                      .inputs = inputs,
                                      .parameters = parameters,
                                      .packed = packed,
                                      .outputs = outputs,
                                      .arena = arena};
    const long before = allocations;
    locum_plan_pack(plan, parameters, packed);
    locum_plan_run(plan, &call);
    CU_ASSERT(allocations == before);
    for (int i = 0; i < locum_plan_n_inputs(plan); i++) free((void *)(uintptr_t)inputs[i]);
    for (int i = 0; i < locum_plan_n_parameters(plan); i++) free((void *)(uintptr_t)parameters[i]);
    for (int i = 0; i < f.n_outputs; i++) free(outputs[i]);
    free(arena);
    free(packed);
    free(plan);
    network_destroy(&f);
}

static void running_allocates_nothing(void)
{
    check(network_training(2, 16, 2, LOCUM_OP_gelu, NETWORK_NORMALISED | NETWORK_LAYER_NORM, 65), 0);
    check(network_training(2, 16, 2, LOCUM_OP_silu, 0, 65), LOCUM_PLAN_NO_FUSION | LOCUM_PLAN_POISON);
    check(network_forward(2, 16, 2, LOCUM_OP_tanh, NETWORK_NORMALISED, 65), LOCUM_PLAN_CONSTANT_PARAMETERS);
}

LOCUM_RUN_TESTS("plan_allocation", {"running allocates nothing", running_allocates_nothing})
