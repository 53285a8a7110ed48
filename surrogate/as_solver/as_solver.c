/* SPDX-License-Identifier: BSD-3-Clause */
/* as_solver.c - a trained surrogate behind the solver interface (as_solver.h).
 *
 *     start: values from the sample's config, fields from its initial frame
 *     advance: one locum_eval; a step's outputs enter the windows of its inputs     observe: lent from the state
 *
 * A solver's calls get no pointer to the model, a config holds plain data only; so the model travels in the
 * config as a hidden option, a whole number that names the wrapper (an address is below 2^53, which a default
 * of the table holds exactly). Left out: inputs of several values that are no fields; intervals and flags. */
#include "surrogate/as_solver/as_solver.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/parallel/comm.h"
#include "surrogate/as_solver/parts.h"
#include "surrogate/runtime/model.h"

#define HANDLE "model"
#define ROUNDING 1e-6 /* of an interval: sums of intervals */

/* --- solver ----------------------------------------------------------------------------------- */

static void destroy(locum_solver *s)
{
    if (!s) return;
    free(s->domains);
    free(s->arrays);
    free(s->source);
    free(s->past_name);
    free(s->first);
    free(s->feeds);
    for (int d = 0; d < 3; d++) free(s->axis[d]);
    free(s);
}

/* the wrapper that a config names */
static const locum_surrogate_solver *wrapper_of(const void *config)
{
    int64_t handle;

    memcpy(&handle, config, sizeof handle);
    return (const locum_surrogate_solver *)(uintptr_t)handle;
}

static locum_status create(const void *config, const locum_services *services, MPI_Comm comm, locum_solver **solver)
{
    locum_solver *s = NULL;

    (void)services;
    *solver = NULL;
    LOCUM_REQUIRE(wrapper_of(config), LOCUM_ARG,
                  "surrogate: the config names no model; begin with locum_surrogate_solver_config()");
    LOCUM_TRY(locum_comm_agree(comm, LOCUM_NEW(&s, 1)));
    s->surrogate = wrapper_of(config);
    s->n_outputs = locum_model_n_outputs(s->surrogate->model);
    s->interval = locum_model_interval(s->surrogate->model);
    s->is_step = s->interval > 0;
    s->history = locum_model_history(s->surrogate->model);
    s->comm = comm;
    MPI_Comm_rank(comm, &s->rank);
    MPI_Comm_size(comm, &s->size);
    locum_status st = locum_surrogate_describe(s);
    st = locum_comm_agree(comm, st);
    if (st)
        destroy(s);
    else
        *solver = s;
    return st;
}

static const locum_schema *schema(const locum_solver *s)
{
    return &s->schema;
}

/* --- state ------------------------------------------------------------------------------------ */

static void free_state(locum_state *state)
{
    if (!state) return;
    for (int i = 0; i < state->n_inputs && state->window; i++) free(state->window[i]);
    free(state->window);
    free(state->memory);
    free(state->inputs);
    free(state->outputs);
    free(state->value);
    free(state->result);
    free(state);
}

static locum_status allocate_inputs(const locum_solver *s, locum_state *state)
{
    int n = s->surrogate->n_inputs;

    state->n_inputs = n;
    LOCUM_TRY(LOCUM_NEW(&state->window, n));
    LOCUM_TRY(LOCUM_NEW(&state->inputs, n));
    LOCUM_TRY(LOCUM_NEW(&state->value, n));
    for (int i = 0; i < n; i++) {
        const locum_port *port = locum_model_input(s->surrogate->model, i);
        if (port->n_dims > 0) LOCUM_TRY(LOCUM_NEW(&state->window[i], port->extent));
        state->inputs[i] =
            (locum_buffer){port->n_dims ? state->window[i] : state->value + i, LOCUM_FLOAT64, port->extent, 1};
    }
    return LOCUM_OK;
}

static locum_status allocate(const locum_solver *s, locum_state *state)
{
    const locum_model *model = s->surrogate->model;
    size_t bytes = locum_model_workspace(model, 1);

    LOCUM_REQUIRE(bytes, LOCUM_MEMORY, "surrogate: the model cannot be laid out: %s", locum_status_message());
    LOCUM_TRY(locum_alloc(&state->memory, (int64_t)bytes, 1));
    LOCUM_TRY(locum_model_prepare(model, 1, state->memory, bytes, &state->context));
    LOCUM_TRY(allocate_inputs(s, state));
    LOCUM_TRY(LOCUM_NEW(&state->outputs, s->n_outputs));
    LOCUM_TRY(LOCUM_NEW(&state->result, s->width));
    for (int i = 0; i < s->n_outputs; i++) {
        int64_t extent = locum_model_output(model, i)->extent;
        state->outputs[i] = (locum_buffer){state->result + s->first[i], LOCUM_FLOAT64, extent, 1};
    }
    return LOCUM_OK;
}

static bool has_fields(const locum_solver *s)
{
    return s->surrogate->n_values < s->surrogate->n_inputs;
}

/* the latest frame that the windows hold, as the result of no step at all */
static void show_latest(const locum_solver *s, locum_state *state)
{
    for (int i = 0; i < s->n_outputs && s->is_step; i++) {
        size_t extent = (size_t)locum_model_output(s->surrogate->model, i)->extent;
        memcpy(state->result + s->first[i], state->window[s->feeds[i]] + (size_t)(s->history - 1) * extent,
               extent * sizeof(double));
    }
}

static locum_status start(const locum_solver *s, const locum_sample *sample, locum_state **state)
{
    LOCUM_REQUIRE(!sample->initial || has_fields(s), LOCUM_INPUT,
                  "surrogate: a map of parameters takes no initial state");
    LOCUM_REQUIRE(sample->initial || !has_fields(s), LOCUM_INPUT,
                  "surrogate: the model needs an initial frame with its input fields");
    if (!*state) {
        locum_status st = LOCUM_NEW(state, 1);
        if (!st) st = allocate(s, *state);
        if (s->size > 1) st = locum_comm_agree(s->comm, st);
        if (st) {
            free_state(*state);
            *state = NULL;
            return st;
        }
    }
    const double *values = (const double *)sample->config + 1;
    for (int i = 0; i < s->surrogate->n_values; i++) (*state)->value[s->surrogate->value_port[i]] = values[i];
    (*state)->begin = (*state)->time = sample->initial && sample->exact ? sample->initial->time : 0;
    (*state)->steps = 0;
    if (sample->initial) LOCUM_TRY(locum_surrogate_take(s, sample->initial, *state));
    show_latest(s, *state);
    return LOCUM_OK;
}

/* the new frame enters the windows, the oldest leaves */
static void feed(const locum_solver *s, locum_state *state)
{
    for (int i = 0; i < s->n_outputs; i++) {
        size_t extent = (size_t)locum_model_output(s->surrogate->model, i)->extent,
               past = (size_t)(s->history - 1) * extent;
        double *window = state->window[s->feeds[i]];
        memmove(window, window + extent, past * sizeof *window);
        memcpy(window + past, state->result + s->first[i], extent * sizeof *window);
    }
}

static locum_status check_tame(const locum_solver *s, const locum_state *state, double time)
{
    for (int i = 0; i < s->n_outputs; i++) {
        const locum_port *port = locum_model_output(s->surrogate->model, i);
        const double *values = state->result + s->first[i];
        double lower, upper;
        int wild = 0;
        locum_port_limits(port, &lower, &upper);
        for (int64_t j = 0; j < port->extent; j++) wild |= !(values[j] >= lower && values[j] <= upper);
        LOCUM_REQUIRE(!wild, LOCUM_NUMERIC,
                      "surrogate: the roll-out blows up at step %lld (time %.6g): `%s` is not finite, or leaves 100 "
                      "times its training range",
                      (long long)state->steps + 1, time, port->name);
    }
    return LOCUM_OK;
}

static locum_status advance(const locum_solver *s, locum_state *state, double t_end)
{
    if (!s->is_step) return locum_eval(state->context, 1, state->inputs, state->outputs, NULL);
    double next = state->begin + (double)(state->steps + 1) * s->interval;
    LOCUM_REQUIRE(
        next <= t_end + ROUNDING * s->interval, LOCUM_STUDY,
        "surrogate: it steps by %g from time %g and cannot stop at %g; times must be multiples of its interval",
        s->interval, state->time, t_end);
    LOCUM_TRY(locum_eval(state->context, 1, state->inputs, state->outputs, NULL));
    LOCUM_TRY(check_tame(s, state, next));
    feed(s, state);
    state->steps++;
    state->time = fabs(next - t_end) <= ROUNDING * s->interval ? t_end : next;
    return LOCUM_OK;
}

/* this rank's even slice along x of a field; values are the same on every rank; profiles and spectra lie on rank 0 */
static locum_block slice(const locum_solver *s, const locum_array *array, const double *values)
{
    const locum_domain *domain = &s->domains[array->domain];
    const int64_t *n = domain->n_global;
    if (domain->support == LOCUM_GLOBAL) return (locum_block){values, {0}, {1, 1, 1}, 1};
    if (domain->support == LOCUM_ROWS)
        return (locum_block){values, {s->rank ? n[0] : 0, 0, 0}, {s->rank ? 0 : n[0], 1, 1}, n[0]};
    int64_t first = n[0] * s->rank / s->size, mine = n[0] * (s->rank + 1) / s->size - first;
    return (locum_block){
        values + first * n[1] * n[2] * locum_array_components(array), {first, 0, 0}, {mine, n[1], n[2]}, n[0]};
}

static locum_status observe(const locum_solver *s, locum_state *state, const bool *wanted, locum_frame *frame)
{
    frame->schema = &s->schema;
    frame->time = s->is_step ? state->time : 0;
    frame->step = s->is_step ? state->steps : 1;
    for (int a = 0; a < s->schema.n_arrays; a++) {
        const surrogate_source *from = &s->source[a];
        const double *values = state->result + s->first[from->output];
        frame->blocks[a] = (locum_block){0};
        if (!wanted[a]) continue;
        if (from->past > 0)
            values = state->window[s->feeds[from->output]] +
                     (s->history - 1 - from->past) * locum_model_output(s->surrogate->model, from->output)->extent;
        frame->blocks[a] = slice(s, &s->arrays[a], values);
    }
    return LOCUM_OK;
}

static double time_of(const locum_state *state)
{
    return state->time;
}

/* a network has no other grid */
static locum_status resample(const locum_solver *s, const locum_frame *in, locum_frame *out)
{
    (void)out;
    return locum_surrogate_refuse_grid(s, in);
}

/* --- wrapper ---------------------------------------------------------------------------------- */

static locum_status add_value(locum_surrogate_solver *w, int input)
{
    const locum_port *port = locum_model_input(w->model, input);
    double middle = 0.5 * (port->lower + port->upper);
    size_t n = strlen(port->name);
    int i = w->n_values++;

    LOCUM_REQUIRE(n < sizeof w->name[i], LOCUM_INPUT, "surrogate: the name of input '%s' is too long", port->name);
    memcpy(w->name[i], port->name, n + 1);
    for (char *c = w->name[i]; *c; c++)
        if (*c == '.') *c = '_';
    w->value_port[i] = input;
    w->config[1 + i] = isfinite(middle) ? middle : 0;
    w->options[i] = (locum_option){.name = w->name[i],
                                   .type = LOCUM_F64,
                                   .place = (size_t)(1 + i) * sizeof(double),
                                   .value = w->config[1 + i],
                                   .min = -INFINITY,
                                   .max = INFINITY,
                                   .unit = port->unit ? port->unit : "1",
                                   .text = port->text,
                                   .flags = LOCUM_PARAMETER};
    return LOCUM_OK;
}

static locum_status fill_options(locum_surrogate_solver *w)
{
    for (int i = 0; i < w->n_inputs; i++)
        if (locum_model_input(w->model, i)->n_dims == 0) LOCUM_TRY(add_value(w, i));
    w->options[w->n_values] = (locum_option){.name = HANDLE,
                                             .type = LOCUM_I64,
                                             .place = 0,
                                             .value = (double)(uintptr_t)w,
                                             .unit = "1",
                                             .text = "number of the open model",
                                             .flags = LOCUM_HIDDEN};
    int64_t handle = (int64_t)(uintptr_t)w;
    memcpy(w->config, &handle, sizeof handle);
    LOCUM_REQUIRE((double)(uintptr_t)w < 9007199254740992.0, LOCUM_INTERNAL, "surrogate: an address above 2^53");
    return LOCUM_OK;
}

locum_status locum_surrogate_solver_create(const locum_model *model, locum_surrogate_solver **surrogate)
{
    locum_surrogate_solver *w = NULL;

    *surrogate = NULL;
    LOCUM_REQUIRE(model, LOCUM_ARG, "locum_surrogate_solver_create: model is NULL");
    LOCUM_TRY(LOCUM_NEW(&w, 1));
    w->model = model;
    w->n_inputs = locum_model_n_inputs(model);
    locum_status st = LOCUM_NEW(&w->name, w->n_inputs + 1);
    if (!st) st = LOCUM_NEW(&w->value_port, w->n_inputs + 1);
    if (!st) st = LOCUM_NEW(&w->options, w->n_inputs + 2);
    if (!st) st = LOCUM_NEW(&w->config, w->n_inputs + 1);
    if (!st) st = fill_options(w);
    w->type = (locum_solver_type){.name = "surrogate",
                                  .summary = "a trained model, evaluated",
                                  .options = w->options,
                                  .config_size = (size_t)(w->n_values + 1) * sizeof(double),
                                  .reproducible = LOCUM_BITS_ANY_RANKS,
                                  .create = create,
                                  .schema = schema,
                                  .start = start,
                                  .advance = advance,
                                  .observe = observe,
                                  .time = time_of,
                                  .free_state = free_state,
                                  .destroy = destroy,
                                  .resample = resample};
    if (st)
        locum_surrogate_solver_destroy(w);
    else
        *surrogate = w;
    return st;
}

const locum_solver_type *locum_surrogate_solver_type(const locum_surrogate_solver *surrogate)
{
    return &surrogate->type;
}

const void *locum_surrogate_solver_config(const locum_surrogate_solver *surrogate)
{
    return surrogate->config;
}

void locum_surrogate_solver_destroy(locum_surrogate_solver *surrogate)
{
    if (!surrogate) return;
    free(surrogate->name);
    free(surrogate->value_port);
    free(surrogate->options);
    free(surrogate->config);
    free(surrogate);
}
