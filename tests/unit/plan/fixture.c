/* SPDX-License-Identifier: BSD-3-Clause */
/* fixture.c - see fixture.h. */
#include "fixture.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

float fixture_value(const char *name, int64_t index)
{
    uint64_t h = 0x9e3779b97f4a7c15u + (uint64_t)index * 0xbf58476d1ce4e5b9u;
    for (; *name; name++) h = (h ^ (uint64_t)*name) * 0x100000001b3u;
    h = (h ^ (h >> 30)) * 0xbf58476d1ce4e5b9u;
    h = (h ^ (h >> 27)) * 0x94d049bb133111ebu;
    h ^= h >> 31;
    return (float)((double)(h >> 41) / (double)(1 << 23) * 2 - 1 + 1.0 / (1 << 23));
}

/* Values of all inputs and parameters of one graph. */
typedef struct named_values {
    const fixture *f;
    double **owned;
    int n_owned;
} named_values;

static const double *find_values(void *self, const char *name)
{
    named_values *v = self;
    const int64_t n = locum_graph_count(v->f->graph, locum_graph_find(v->f->graph, name), v->f->extents);
    double *values = malloc(((size_t)n + 1) * sizeof *values);
    for (int64_t i = 0; i < n; i++) values[i] = fixture_value(name, i);
    v->owned[v->n_owned++] = values;
    return values;
}

locum_status fixture_oracle(const fixture *f, double **value)
{
    named_values v = {.f = f, .owned = calloc((size_t)locum_graph_n(f->graph) + 1, sizeof *v.owned)};
    for (int i = 0; i < f->n_outputs; i++)
        value[i] = malloc(((size_t)locum_graph_count(f->graph, f->outputs[i], f->extents) + 1) * sizeof **value);
    const locum_status st =
        locum_graph_evaluate(f->graph, f->extents, f->seed, find_values, &v, f->n_outputs, f->outputs, value);
    for (int i = 0; i < v.n_owned; i++) free(v.owned[i]);
    free(v.owned);
    return st;
}

void fixture_free_oracle(const fixture *f, double **value)
{
    for (int i = 0; i < f->n_outputs; i++) free(value[i]);
}

static void *aligned_bytes(size_t n)
{
    return aligned_alloc(64, (n + 127) / 64 * 64);
}

static float *filled(const fixture *f, const char *name)
{
    const int64_t n = locum_graph_count(f->graph, locum_graph_find(f->graph, name), f->extents);
    float *values = malloc(((size_t)n + 1) * sizeof *values);
    for (int64_t i = 0; i < n; i++) values[i] = fixture_value(name, i);
    return values;
}

fixture_result fixture_run_plan(const fixture *f, const locum_plan *plan)
{
    fixture_result r = {.n = f->n_outputs};
    const int n_inputs = locum_plan_n_inputs(plan), n_parameters = locum_plan_n_parameters(plan);
    const float **inputs = calloc((size_t)(n_inputs + n_parameters) + 1, sizeof *inputs),
                **parameters = inputs + n_inputs;
    for (int i = 0; i < n_inputs; i++) inputs[i] = filled(f, locum_plan_input_name(plan, i));
    for (int i = 0; i < n_parameters; i++) parameters[i] = filled(f, locum_plan_parameter_name(plan, i));
    for (int i = 0; i < r.n; i++) {
        r.count[i] = locum_graph_count(f->graph, f->outputs[i], f->extents);
        r.value[i] = malloc(((size_t)r.count[i] + 1) * sizeof *r.value[i]);
        memset(r.value[i], 0xff, ((size_t)r.count[i] + 1) * sizeof *r.value[i]);
    }
    void *packed = NULL, *arena = aligned_bytes(locum_plan_arena_bytes(plan));
    if (locum_plan_packed_bytes(plan)) {
        packed = aligned_bytes(locum_plan_packed_bytes(plan));
        memset(packed, 0xff, locum_plan_packed_bytes(plan));
        locum_plan_pack(plan, parameters, packed);
    }
    const locum_plan_run_call call = {.extents = f->extents,
                                      .inputs = inputs,
                                      .parameters = packed ? NULL : parameters,
                                      .packed = packed,
                                      .outputs = r.value,
                                      .arena = arena,
                                      .seed = f->seed};
    locum_plan_run(plan, &call);
    for (int i = 0; i < n_inputs + n_parameters; i++) free((void *)(uintptr_t)inputs[i]);
    free(inputs);
    free(packed);
    free(arena);
    return r;
}

fixture_result fixture_run(const fixture *f, const locum_kernels *kernels, unsigned flags, const int64_t *capacity,
                           int panel_rows, const locum_adapter *adapter)
{
    locum_plan *plan = NULL;
    locum_plan_options options = {.kernels = kernels, .flags = flags, .panel_rows = panel_rows, .adapter = adapter};
    memcpy(options.capacity, capacity ? capacity : f->extents, sizeof options.capacity);
    const locum_status st = locum_plan_create(f->graph, f->n_outputs, f->outputs, &options, &plan);
    if (st) return (fixture_result){.status = st};
    fixture_result r = fixture_run_plan(f, plan);
    free(plan);
    return r;
}

void fixture_free(fixture_result *result)
{
    for (int i = 0; i < result->n; i++) free(result->value[i]);
}

int fixture_same(const fixture_result *a, const fixture_result *b)
{
    if (a->status || b->status || a->n != b->n) return 0;
    for (int i = 0; i < a->n; i++) {
        if (a->count[i] != b->count[i] || memcmp(a->value[i], b->value[i], (size_t)a->count[i] * sizeof(float)) != 0)
            return 0;
        for (int64_t k = 0; k < a->count[i]; k++)
            if (isnan(a->value[i][k])) return 0;
    }
    return 1;
}

double fixture_distance(const fixture_result *a, int output, const double *b)
{
    double most = 0;
    if (a->status) return INFINITY;
    for (int64_t k = 0; k < a->count[output]; k++) {
        const double d = fabs((double)a->value[output][k] - b[k]);
        if (!(d <= most)) most = isfinite(d) ? d : INFINITY;
    }
    return most;
}
