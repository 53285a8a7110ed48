/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/inspect_plan.h"

#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/study/log.h"
#include "surrogate/runtime/model.h"

enum { ROWS = 256, RUNS = 200 };

typedef struct plan_run {
    locum_plan *plan;
    const float **inputs, **parameters;
    float **owned, **outputs;
    void *arena, *packed;
    double *seconds;
    int n_inputs, n_outputs;
} plan_run;

static locum_status take_inputs(const locum_model *model, plan_run *r)
{
    r->n_inputs = locum_plan_n_inputs(r->plan);
    LOCUM_TRY(LOCUM_NEW(&r->owned, r->n_inputs + model->n_outputs));
    LOCUM_TRY(LOCUM_NEW(&r->inputs, r->n_inputs));
    LOCUM_TRY(LOCUM_NEW(&r->outputs, model->n_outputs));
    LOCUM_TRY(LOCUM_NEW(&r->parameters, locum_plan_n_parameters(r->plan) + 1));
    for (int i = 0; i < r->n_inputs; i++) {
        const locum_port *port = &model->inputs[0];
        for (int p = 0; p < model->n_inputs; p++)
            if (!strcmp(model->inputs[p].name, locum_plan_input_name(r->plan, i))) port = &model->inputs[p];
        LOCUM_TRY(LOCUM_NEW(&r->owned[i], ROWS * port->extent));
        for (int64_t k = 0; k < ROWS * port->extent; k++) r->owned[i][k] = (float)(0.5 * (port->lower + port->upper));
        r->inputs[i] = r->owned[i];
    }
    for (int i = 0; i < model->n_outputs; i++) {
        LOCUM_TRY(LOCUM_NEW(&r->owned[r->n_inputs + i], ROWS * model->outputs[i].extent));
        r->outputs[i] = r->owned[r->n_inputs + i];
    }
    r->n_outputs = model->n_outputs;
    for (int i = 0; i < locum_plan_n_parameters(r->plan); i++)
        r->parameters[i] = locum_model_tensor(model, locum_plan_parameter_name(r->plan, i))->data;
    return LOCUM_OK;
}

/* what this core can do: the model's own product kernel on operands that stay in the first cache */
static double measure_peak(const locum_kernels *kernels, void *scratch)
{
    enum { M = 48, K = 64, N = 64, REPEATS = 20000 };
    float *a = scratch, *b = a + M * K, *c = b + K * N, *packed = c + M * N;
    kernels->pack(K, N, b, N, 1, packed);
    locum_product_call call = {
        .rows = M, .k = K, .n = N, .a = a, .a_stride = K, .packed = packed, .c = c, .c_stride = N};
    double started = locum_clock();
    for (int i = 0; i < REPEATS; i++) kernels->product(&call);
    return 2.0 * M * K * N * REPEATS / (locum_clock() - started);
}

static locum_status run_and_report(const locum_model *model, plan_run *r, locum_text *out)
{
    int64_t rows = ROWS;
    void *scratch = NULL;
    LOCUM_TRY(locum_alloc(&r->arena, (int64_t)locum_plan_arena_bytes(r->plan) + 64, 1));
    LOCUM_TRY(locum_alloc(&r->packed, (int64_t)locum_plan_packed_bytes(r->plan) + 64, 1));
    LOCUM_TRY(LOCUM_NEW(&r->seconds, locum_plan_n_steps(r->plan) + 1));
    LOCUM_TRY(locum_alloc(&scratch, 1 << 17, 1));
    double peak = measure_peak(model->kernels, scratch);
    free(scratch);
    locum_plan_pack(r->plan, r->parameters, r->packed);
    locum_plan_run_call call = {.extents = &rows,
                                .inputs = r->inputs,
                                .parameters = r->parameters,
                                .packed = r->packed,
                                .outputs = r->outputs,
                                .arena = r->arena,
                                .seconds = r->seconds};
    for (int i = 0; i < RUNS; i++) locum_plan_run(r->plan, &call);
    locum_text_add(out,
                   "\nplan of `predict`, %d rows, kernels %s, mean of %d runs; peak: the product kernel in the first "
                   "cache, %.1f GF/s\n",
                   ROWS, model->kernels->name, RUNS, peak / 1e9);
    locum_plan_report(r->plan, &rows, r->seconds, RUNS, peak, out);
    return out->status;
}

locum_status inspect_plan(const locum_model *model, locum_text *out)
{
    plan_run r = {0};
    locum_status st = locum_model_plan(model, LOCUM_ENTRY_PREDICT, ROWS, &r.plan);
    if (!st) st = take_inputs(model, &r);
    if (!st) st = run_and_report(model, &r, out);
    for (int i = 0; r.owned && i < r.n_inputs + model->n_outputs; i++) free(r.owned[i]);
    free(r.owned);
    free(r.inputs);
    free(r.outputs);
    free(r.parameters);
    free(r.arena);
    free(r.packed);
    free(r.seconds);
    free(r.plan);
    return st;
}
