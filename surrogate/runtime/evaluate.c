/* SPDX-License-Identifier: BSD-3-Clause */
/* evaluate.c - contexts in the caller's memory (context.h), and eval: no allocation, lock, system call or thread.
 *
 * A buffer that is packed float32 is read and written where it lies; any other is converted through staging. A row
 * with an input that is not finite is computed from zeros and answered with NaN, so that it disturbs no other row. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "surrogate/runtime/context.h"

#define ALIGNMENT 64
#define FLAG_LEVEL 0.01  /* false-alarm rate of the flags that measures raise */
#define FIELD_MARGIN 0.1 /* of the training range: a field has many values, one of them is always the largest so far */
#define ROWS_MAX ((int64_t)1 << 24)

/* --- laying out --------------------------------------------------------------------------------------------------- */
typedef struct layout {
    char *base; /* NULL = only counting */
    size_t used;
} layout;

static void *take(layout *l, size_t bytes)
{
    size_t at = (l->used + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    l->used = at + bytes;
    return l->base ? l->base + at : NULL;
}

static void bind_inputs(const locum_model *model, locum_entry *e)
{
    e->n_inputs = locum_plan_n_inputs(e->plan);
    for (int i = 0; i < e->n_inputs; i++) {
        e->input_port[i] = -1;
        for (int p = 0; p < model->n_inputs; p++)
            if (!strcmp(locum_plan_input_name(e->plan, i), model->inputs[p].name)) e->input_port[i] = p;
    }
}

static void pack_entry(const locum_model *model, locum_entry *e, void *packed, void *parameters)
{
    e->parameters = parameters;
    for (int i = 0; i < locum_plan_n_parameters(e->plan); i++)
        e->parameters[i] = locum_model_tensor(model, locum_plan_parameter_name(e->plan, i))->data;
    locum_plan_pack(e->plan, e->parameters, packed);
    e->packed = packed;
}

/* one walk counts, the other fills; plans [LOCUM_ENTRIES] are compiled already */
static locum_context *lay_out(const locum_model *model, int64_t max_rows, locum_plan *const *plans, layout *l)
{
    locum_context *c = take(l, sizeof *c);
    size_t arena = 0;

    if (c) *c = (locum_context){.model = model, .max_rows = max_rows};
    for (int e = 0; e < LOCUM_ENTRIES; e++) {
        if (!plans[e]) continue;
        void *plan = take(l, locum_plan_bytes(plans[e])), *packed = take(l, locum_plan_packed_bytes(plans[e])),
             *parameters = take(l, (size_t)locum_plan_n_parameters(plans[e]) * sizeof(float *));
        if (locum_plan_arena_bytes(plans[e]) > arena) arena = locum_plan_arena_bytes(plans[e]);
        if (!c) continue;
        c->entries[e].plan = memcpy(plan, plans[e], locum_plan_bytes(plans[e]));
        bind_inputs(model, &c->entries[e]);
        pack_entry(model, &c->entries[e], packed, parameters);
    }
    void *memory = take(l, arena);
    if (c) c->arena = memory;
    for (int i = 0; i < model->n_inputs; i++) {
        memory = take(l, (size_t)(max_rows * model->inputs[i].extent) * sizeof(float));
        if (c) c->input[i] = memory;
    }
    for (int i = 0; i < LOCUM_KINDS * model->n_outputs + LOCUM_MEASURES; i++) {
        int64_t extent = i < LOCUM_KINDS * model->n_outputs ? model->outputs[i / LOCUM_KINDS].extent : 1;
        memory = take(l, (size_t)(max_rows * extent) * sizeof(float));
        if (c) c->output[i] = memory;
    }
    memory = take(l, (size_t)max_rows);
    if (c) c->bad = memory;
    memory = take(l, (size_t)max_rows * sizeof(uint32_t));
    if (c) c->flag = memory;
    return c;
}

static void free_plans(locum_plan **plans)
{
    for (int e = 0; e < LOCUM_ENTRIES; e++) free(plans[e]);
}

static locum_status compile(const locum_model *model, int64_t max_rows, locum_plan **plans)
{
    locum_status st = LOCUM_OK;
    for (int e = 0; e < LOCUM_ENTRIES && !st; e++)
        if (model->graph[e]) st = locum_model_plan(model, e, max_rows, &plans[e]);
    if (st) {
        free_plans(plans);
        memset(plans, 0, LOCUM_ENTRIES * sizeof *plans);
    }
    return st;
}

size_t locum_model_workspace(const locum_model *model, int64_t max_rows)
{
    locum_plan *plans[LOCUM_ENTRIES] = {0};
    layout count = {0};

    if (!model || max_rows < 1 || max_rows > ROWS_MAX || compile(model, max_rows, plans)) return 0;
    lay_out(model, max_rows, plans, &count);
    free_plans(plans);
    return count.used + ALIGNMENT; /* the caller's memory may have any alignment */
}

locum_status locum_model_prepare(const locum_model *model, int64_t max_rows, void *memory, size_t bytes,
                                 locum_context **context)
{
    locum_plan *plans[LOCUM_ENTRIES] = {0};
    layout count = {0};

    LOCUM_REQUIRE(context, LOCUM_ARG, "locum_model_prepare: context is NULL");
    *context = NULL;
    LOCUM_REQUIRE(model && memory, LOCUM_ARG, "locum_model_prepare: model or memory is NULL");
    LOCUM_REQUIRE(max_rows >= 1 && max_rows <= ROWS_MAX, LOCUM_ARG,
                  "locum_model_prepare: max_rows = %lld, it must be 1 to %lld", (long long)max_rows,
                  (long long)ROWS_MAX);
    LOCUM_TRY(compile(model, max_rows, plans));
    lay_out(model, max_rows, plans, &count);
    locum_status st = LOCUM_OK;
    if (bytes < count.used + ALIGNMENT) {
        st = LOCUM_FAIL(LOCUM_ARG, "locum_model_prepare: %zu bytes of memory, %zu are needed (locum_model_workspace)",
                        bytes, count.used + ALIGNMENT);
    } else {
        uintptr_t at = ((uintptr_t)memory + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
        layout real = {.base = (char *)at};
        *context = lay_out(model, max_rows, plans, &real);
    }
    free_plans(plans);
    return st;
}

/* --- moving rows in and out --------------------------------------------------------------------------------------- */
static bool is_packed(const locum_buffer *buffer, int64_t extent)
{
    return buffer->type == LOCUM_FLOAT32 && buffer->row_stride == extent && (buffer->stride == 1 || extent == 1);
}

static double load_value(const locum_buffer *buffer, int64_t row, int64_t j)
{
    int64_t at = row * buffer->row_stride + j * buffer->stride;
    return buffer->type == LOCUM_FLOAT64 ? ((const double *)buffer->data)[at]
                                         : (double)((const float *)buffer->data)[at];
}

static void load_row(const locum_buffer *buffer, int64_t row, int64_t extent, float *to)
{
    int64_t at = row * buffer->row_stride, stride = buffer->stride;
    if (buffer->type == LOCUM_FLOAT64)
        for (int64_t j = 0; j < extent; j++) to[j] = (float)((const double *)buffer->data)[at + j * stride];
    else
        for (int64_t j = 0; j < extent; j++) to[j] = ((const float *)buffer->data)[at + j * stride];
}

static void store_row(const locum_buffer *buffer, int64_t row, int64_t extent, const float *from)
{
    int64_t at = row * buffer->row_stride, stride = buffer->stride;
    if (buffer->type == LOCUM_FLOAT64)
        for (int64_t j = 0; j < extent; j++) ((double *)buffer->data)[at + j * stride] = (double)from[j];
    else
        for (int64_t j = 0; j < extent; j++) ((float *)buffer->data)[at + j * stride] = from[j];
}

static void fill_row(const locum_buffer *buffer, int64_t row, int64_t extent, float value)
{
    int64_t at = row * buffer->row_stride, stride = buffer->stride;
    for (int64_t j = 0; j < extent; j++)
        if (buffer->type == LOCUM_FLOAT64)
            ((double *)buffer->data)[at + j * stride] = (double)value;
        else
            ((float *)buffer->data)[at + j * stride] = value;
}

/* exponent bits as integers: a loop that vectorises, and that no compiler flag makes wrong */
bool locum_all_finite(const float *values, int64_t n)
{
    uint32_t found = 0;
    for (int64_t i = 0; i < n; i++) {
        uint32_t bits;
        memcpy(&bits, &values[i], sizeof bits);
        found |= (uint32_t)((bits & 0x7f800000u) == 0x7f800000u);
    }
    return !found;
}

bool locum_context_load(locum_context *c, int port, const locum_buffer *buffer, int64_t rows, bool copy)
{
    int64_t extent = c->model->inputs[port].extent;
    float *to = c->input[port];
    bool any_bad = false;
    c->source[port] = to;
    if (!copy && is_packed(buffer, extent) && locum_all_finite(buffer->data, rows * extent)) {
        c->source[port] = buffer->data;
        return false;
    }
    for (int64_t r = 0; r < rows; r++, to += extent) {
        load_row(buffer, r, extent, to); /* finite or not: as the floats that the network sees */
        if (locum_all_finite(to, extent)) continue;
        for (int64_t j = 0; j < extent; j++)
            if (!isfinite(to[j])) to[j] = 0;
        c->bad[r] = 1;
        any_bad = true;
    }
    return any_bad;
}

/* --- running ------------------------------------------------------------------------------------------------------ */
void locum_context_run(locum_context *c, int entry, int64_t rows, const float *quantile, float *const *outputs)
{
    const locum_entry *e = &c->entries[entry];
    const float *inputs[LOCUM_PORTS_MAX + 1];
    for (int i = 0; i < e->n_inputs; i++) inputs[i] = e->input_port[i] < 0 ? quantile : c->source[e->input_port[i]];
    locum_plan_run(e->plan, &(locum_plan_run_call){.extents = &rows,
                                                   .inputs = inputs,
                                                   .parameters = e->parameters,
                                                   .packed = e->packed,
                                                   .outputs = outputs,
                                                   .arena = c->arena});
}

static bool buffer_given(const locum_buffer *buffers, int i)
{
    return buffers && buffers[i].data;
}

/* where the graph writes one output: into the host's array if it is packed, else into staging */
static float *target(const locum_context *c, const locum_buffer *buffers, int i, int kind)
{
    bool packed = buffer_given(buffers, i) && is_packed(&buffers[i], c->model->outputs[i].extent);
    return packed ? buffers[i].data : c->output[LOCUM_KINDS * i + kind];
}

static void store_port(const locum_context *c, const locum_buffer *buffers, int i, const float *from, int64_t rows)
{
    int64_t extent = c->model->outputs[i].extent;
    if (!buffer_given(buffers, i) || from == buffers[i].data) return;
    for (int64_t r = 0; r < rows; r++) store_row(&buffers[i], r, extent, from + r * extent);
}

static void run_value(locum_context *c, int64_t rows, const locum_buffer *outputs)
{
    float *direct[LOCUM_PORTS_MAX] = {NULL};
    int n = c->model->n_outputs;
    for (int i = 0; i < n; i++) direct[i] = target(c, outputs, i, LOCUM_VALUE);
    locum_context_run(c, LOCUM_ENTRY_PREDICT, rows, NULL, direct);
    for (int i = 0; i < n; i++) store_port(c, outputs, i, direct[i], rows);
}

/* few calibration samples cannot give a p-value below 1/(n + 1): beyond all of them is then as far as they can say */
static bool is_extreme(const locum_trust_table *table, double p)
{
    return table->n && p <= fmax(FLAG_LEVEL, 1.0 / (double)(table->n + 1));
}

static bool is_outside(const locum_context *c, int input, const locum_buffer *buffer, int64_t row)
{
    const locum_port *port = &c->model->inputs[input];
    if (!locum_port_is_field(port)) {
        double value = load_value(buffer, row, 0);
        return value < port->lower || value > port->upper;
    }
    double range = port->upper - port->lower, margin = isfinite(range) ? FIELD_MARGIN * range : 0;
    float lower = (float)(port->lower - margin), upper = (float)(port->upper + margin);
    const float *values = c->source[input] + row * port->extent;
    int outside = 0;
    for (int64_t j = 0; j < port->extent; j++) outside |= (values[j] < lower) | (values[j] > upper);
    return outside;
}

uint32_t locum_context_flag(const locum_context *c, const locum_buffer *inputs, int64_t row, double *p_distance)
{
    static const uint32_t bit[LOCUM_MEASURES] = {LOCUM_FLAG_DISTANCE, LOCUM_FLAG_SPREAD, LOCUM_FLAG_RESIDUAL,
                                                 LOCUM_FLAG_RESIDUAL};
    uint32_t flag = 0;
    for (int i = 0; i < c->model->n_inputs; i++)
        if (is_outside(c, i, &inputs[i], row)) flag |= LOCUM_FLAG_RANGE;
    for (int i = 0; i < LOCUM_MEASURES; i++) {
        if (c->model->measure_at[i] < 0) continue;
        double p = locum_trust_p_value(&c->model->measures[i], (double)c->output[c->model->measure_at[i]][row]);
        if (is_extreme(&c->model->measures[i], p)) flag |= bit[i];
        if (i == LOCUM_DISTANCE && p_distance) *p_distance = p;
    }
    return flag;
}

static void run_trust(locum_context *c, int64_t rows, const locum_buffer *inputs, const locum_buffer *outputs,
                      const locum_trust *trust)
{
    double q = locum_trust_quantile_at(c->model, trust->coverage, trust->lead);
    float quantile = isfinite(q) ? (float)q : 0;
    const locum_buffer *const wanted[LOCUM_KINDS] = {outputs, trust->lower, trust->upper};
    float *direct[LOCUM_CONTEXT_OUTPUTS_MAX] = {NULL};
    int n = c->model->n_outputs;

    for (int i = 0; i < LOCUM_KINDS * n; i++)
        direct[i] = target(c, wanted[i % LOCUM_KINDS], i / LOCUM_KINDS, i % LOCUM_KINDS);
    for (int i = 0; i < LOCUM_MEASURES; i++) direct[LOCUM_KINDS * n + i] = c->output[LOCUM_KINDS * n + i];
    locum_context_run(c, LOCUM_ENTRY_INTERVAL, rows, &quantile, direct);
    for (int i = 0; i < LOCUM_KINDS * n; i++) {
        int k = i % LOCUM_KINDS, port = i / LOCUM_KINDS;
        store_port(c, wanted[k], port, direct[i], rows);
        if (k == LOCUM_VALUE || isfinite(q) || !buffer_given(wanted[k], port)) continue;
        for (int64_t r = 0; r < rows; r++)
            fill_row(&wanted[k][port], r, c->model->outputs[port].extent, k == LOCUM_LOWER ? -INFINITY : INFINITY);
    }
    for (int64_t r = 0; r < rows && (trust->flag || trust->p_value); r++) {
        double p_distance = 1;
        uint32_t flag = locum_context_flag(c, inputs, r, &p_distance);
        if (trust->p_value) trust->p_value[r] = p_distance;
        if (trust->flag) trust->flag[r] = flag;
    }
}

/* rows whose input or result is not finite answer NaN and say so */
static void mark_bad_rows(locum_context *c, int64_t rows, const locum_buffer *outputs, const locum_trust *trust)
{
    const locum_buffer *const written[LOCUM_KINDS] = {outputs, trust ? trust->lower : NULL,
                                                      trust ? trust->upper : NULL};
    for (int64_t r = 0; r < rows; r++) {
        if (!c->bad[r]) continue;
        for (int k = 0; k < LOCUM_KINDS; k++)
            for (int i = 0; i < c->model->n_outputs; i++)
                if (buffer_given(written[k], i)) fill_row(&written[k][i], r, c->model->outputs[i].extent, NAN);
        if (trust && trust->flag) trust->flag[r] |= LOCUM_FLAG_NOT_FINITE;
        if (trust && trust->p_value) trust->p_value[r] = 0;
    }
}

static bool row_is_finite(const locum_buffer *buffer, int64_t row, int64_t extent)
{
    for (int64_t j = 0; j < extent; j++)
        if (!isfinite(load_value(buffer, row, j))) return false;
    return true;
}

static bool find_bad_results(locum_context *c, int64_t rows, const locum_buffer *outputs)
{
    bool any = false;
    for (int i = 0; i < c->model->n_outputs; i++) {
        int64_t extent = c->model->outputs[i].extent;
        if (!buffer_given(outputs, i) ||
            (is_packed(&outputs[i], extent) && locum_all_finite(outputs[i].data, rows * extent)))
            continue;
        for (int64_t r = 0; r < rows; r++)
            if (!row_is_finite(&outputs[i], r, extent)) c->bad[r] = 1, any = true;
    }
    return any;
}

/* not wanted, or of a type that can be stored */
static bool is_known(const locum_buffer *buffers, int i)
{
    return !buffer_given(buffers, i) || buffers[i].type == LOCUM_FLOAT64 || buffers[i].type == LOCUM_FLOAT32;
}

locum_status locum_context_check(const locum_context *c, const char *caller, int64_t rows, const locum_buffer *inputs)
{
    LOCUM_REQUIRE(c, LOCUM_ARG, "%s: context is NULL", caller);
    LOCUM_REQUIRE(rows >= 0 && rows <= c->max_rows, LOCUM_ARG,
                  "%s: %lld rows, but the context was prepared for 0 to %lld", caller, (long long)rows,
                  (long long)c->max_rows);
    LOCUM_REQUIRE(inputs, LOCUM_ARG, "%s: inputs is NULL", caller);
    for (int i = 0; i < c->model->n_inputs; i++)
        LOCUM_REQUIRE(inputs[i].data && (inputs[i].type == LOCUM_FLOAT64 || inputs[i].type == LOCUM_FLOAT32), LOCUM_ARG,
                      "%s: input `%s` has no data, or is neither float32 nor float64", caller,
                      c->model->inputs[i].name);
    return LOCUM_OK;
}

locum_status locum_context_check_coverage(const locum_context *c, const char *caller, double coverage)
{
    LOCUM_REQUIRE(c->entries[LOCUM_ENTRY_INTERVAL].plan, LOCUM_ARG,
                  "%s: this model has no intervals: it was not calibrated", caller);
    LOCUM_REQUIRE(coverage > 0 && coverage < 1, LOCUM_ARG, "%s: coverage = %g, it must lie between 0 and 1", caller,
                  coverage);
    return LOCUM_OK;
}

static locum_status check_call(const locum_context *c, int64_t rows, const locum_buffer *inputs,
                               const locum_buffer *outputs, const locum_trust *trust)
{
    LOCUM_TRY(locum_context_check(c, "locum_eval", rows, inputs));
    LOCUM_REQUIRE(outputs, LOCUM_ARG, "locum_eval: outputs is NULL");
    for (int i = 0; i < c->model->n_outputs; i++)
        LOCUM_REQUIRE(is_known(outputs, i), LOCUM_ARG, "locum_eval: output `%s` is neither float32 nor float64",
                      c->model->outputs[i].name);
    if (!trust) return LOCUM_OK;
    for (int i = 0; i < c->model->n_outputs; i++)
        LOCUM_REQUIRE(is_known(trust->lower, i) && is_known(trust->upper, i), LOCUM_ARG,
                      "locum_eval: the interval of `%s` is neither float32 nor float64", c->model->outputs[i].name);
    LOCUM_REQUIRE(trust->lead >= 0, LOCUM_ARG, "locum_eval: lead = %lld", (long long)trust->lead);
    return locum_context_check_coverage(c, "locum_eval", trust->coverage);
}

locum_status locum_eval(locum_context *c, int64_t rows, const locum_buffer *inputs, const locum_buffer *outputs,
                        const locum_trust *trust)
{
    bool any_bad = false;

    LOCUM_TRY(check_call(c, rows, inputs, outputs, trust));
    memset(c->bad, 0, (size_t)rows);
    for (int i = 0; i < c->model->n_inputs; i++) any_bad |= locum_context_load(c, i, &inputs[i], rows, false);
    if (trust)
        run_trust(c, rows, inputs, outputs, trust);
    else
        run_value(c, rows, outputs);
    any_bad |= find_bad_results(c, rows, outputs);
    if (any_bad) mark_bad_rows(c, rows, outputs, trust);
    return LOCUM_OK;
}
