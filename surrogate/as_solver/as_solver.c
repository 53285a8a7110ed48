/* SPDX-License-Identifier: BSD-3-Clause */
/* as_solver.c - a trained surrogate behind the solver interface (as_solver.h).
 *
 *     start: inputs from the sample's config     advance: one locum_eval     observe: the outputs, lent from the state
 *
 * A solver's calls get no pointer to the model, a config holds plain data only; so the model travels in the
 * config as a hidden option, a whole number that names the wrapper (an address is below 2^53, which a default
 * of the table holds exactly). Left out: outputs on grids, inputs with several values, states that go on (a
 * map has none). */
#include "surrogate/as_solver/as_solver.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"

#define HANDLE "model"

struct locum_surrogate_solver {
    const locum_model *model;
    int n_inputs;
    char (*name)[64];      /**< [n_inputs] of the options */
    locum_option *options; /**< [n_inputs + 2] */
    double *config;        /**< [1 + n_inputs] the handle, then the values */
    locum_solver_type type;
};

struct locum_solver {
    const locum_surrogate_solver *surrogate;
    int rank, n_outputs;
    locum_domain *domains; /**< [n_outputs + 1] "global", then one per profile or spectrum */
    locum_array *arrays;   /**< [n_outputs] */
    int64_t *first, width; /**< [n_outputs] where an output begins among the values of a row */
    locum_schema schema;
};

struct locum_state {
    void *memory; /**< of the context */
    locum_context *context;
    locum_buffer *inputs, *outputs;
    double *value;  /**< [n_inputs] */
    double *result; /**< [width] */
    double time;
};

/* --- solver ----------------------------------------------------------------------------------- */

static void destroy(locum_solver *s)
{
    if (!s) return;
    free(s->domains);
    free(s->arrays);
    free(s->first);
    free(s);
}

static void describe_rows(locum_domain *domain, const locum_port *port)
{
    *domain = (locum_domain){.name = port->name,
                             .support = LOCUM_ROWS,
                             .n_dims = 1,
                             .n_global = {port->dims[0], 1, 1},
                             .axis = {port->axis[0]},
                             .axis_name = {port->axis_name[0]},
                             .axis_unit = "1"};
    for (int side = 0; side < 2; side++) domain->side[0][side] = LOCUM_OPEN;
    if (!port->axis[0]) return;
    domain->lower[0] = port->axis[0][0];
    domain->upper[0] = port->axis[0][port->dims[0] - 1];
}

static locum_status describe(locum_solver *s)
{
    const locum_model *model = s->surrogate->model;
    int n_domains = 1;

    LOCUM_TRY(LOCUM_NEW(&s->domains, s->n_outputs + 1));
    LOCUM_TRY(LOCUM_NEW(&s->arrays, s->n_outputs));
    LOCUM_TRY(LOCUM_NEW(&s->first, s->n_outputs));
    s->domains[0] = (locum_domain){.name = "global", .support = LOCUM_GLOBAL, .n_global = {1, 1, 1}};
    for (int i = 0; i < s->n_outputs; i++) {
        const locum_port *port = locum_model_output(model, i);
        LOCUM_REQUIRE(port->n_dims < 2, LOCUM_NOT_BUILT,
                      "surrogate: output '%s' has %d axes; only values, profiles and spectra so far", port->name,
                      port->n_dims);
        if (port->n_dims == 1) describe_rows(&s->domains[n_domains], port);
        s->arrays[i] = (locum_array){.name = port->name,
                                     .text = port->text,
                                     .unit = port->unit,
                                     .type = LOCUM_FLOAT64,
                                     .domain = port->n_dims == 1 ? n_domains++ : 0,
                                     .roles = LOCUM_OBSERVABLE};
        s->first[i] = s->width;
        s->width += port->extent;
    }
    s->schema = (locum_schema){
        .domains = s->domains, .n_domains = n_domains, .arrays = s->arrays, .n_arrays = s->n_outputs, .timeless = true};
    return LOCUM_OK;
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
    LOCUM_TRY(LOCUM_NEW(&s, 1));
    s->surrogate = wrapper_of(config);
    s->n_outputs = locum_model_n_outputs(s->surrogate->model);
    MPI_Comm_rank(comm, &s->rank);
    locum_status st = describe(s);
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
    free(state->memory);
    free(state->inputs);
    free(state->outputs);
    free(state->value);
    free(state->result);
    free(state);
}

static locum_status allocate(const locum_solver *s, locum_state *state)
{
    const locum_model *model = s->surrogate->model;
    size_t bytes = locum_model_workspace(model, 1);

    LOCUM_REQUIRE(bytes, LOCUM_MEMORY, "surrogate: the model cannot be laid out: %s", locum_status_message());
    LOCUM_TRY(locum_alloc(&state->memory, (int64_t)bytes, 1));
    LOCUM_TRY(locum_model_prepare(model, 1, state->memory, bytes, &state->context));
    LOCUM_TRY(LOCUM_NEW(&state->inputs, s->surrogate->n_inputs));
    LOCUM_TRY(LOCUM_NEW(&state->outputs, s->n_outputs));
    LOCUM_TRY(LOCUM_NEW(&state->value, s->surrogate->n_inputs));
    LOCUM_TRY(LOCUM_NEW(&state->result, s->width));
    for (int i = 0; i < s->surrogate->n_inputs; i++)
        state->inputs[i] = (locum_buffer){state->value + i, LOCUM_FLOAT64, 1, 1};
    for (int i = 0; i < s->n_outputs; i++) {
        int64_t extent = locum_model_output(model, i)->extent;
        state->outputs[i] = (locum_buffer){state->result + s->first[i], LOCUM_FLOAT64, extent, 1};
    }
    return LOCUM_OK;
}

static locum_status start(const locum_solver *s, const locum_sample *sample, locum_state **state)
{
    LOCUM_REQUIRE(!sample->initial, LOCUM_INPUT, "surrogate: a map of parameters takes no initial state");
    if (!*state) {
        LOCUM_TRY(LOCUM_NEW(state, 1));
        locum_status st = allocate(s, *state);
        if (st) {
            free_state(*state);
            *state = NULL;
            return st;
        }
    }
    const double *values = (const double *)sample->config + 1;
    memcpy((*state)->value, values, (size_t)s->surrogate->n_inputs * sizeof *values);
    (*state)->time = 0;
    return LOCUM_OK;
}

static locum_status advance(const locum_solver *s, locum_state *state, double t_end)
{
    (void)s, (void)t_end;
    return locum_eval(state->context, 1, state->inputs, state->outputs, NULL);
}

/* values are the same on every rank; profiles and spectra lie on rank 0 */
static locum_status observe(const locum_solver *s, locum_state *state, const bool *wanted, locum_frame *frame)
{
    frame->schema = &s->schema;
    frame->time = 0;
    frame->step = 1;
    for (int i = 0; i < s->n_outputs; i++) {
        frame->blocks[i] = (locum_block){0};
        if (!wanted[i]) continue;
        const locum_domain *domain = &s->domains[s->arrays[i].domain];
        int64_t n = domain->support == LOCUM_GLOBAL ? 1 : domain->n_global[0];
        bool mine = domain->support == LOCUM_GLOBAL || s->rank == 0;
        frame->blocks[i] = (locum_block){state->result + s->first[i], {mine ? 0 : n, 0, 0}, {mine ? n : 0, 1, 1}, n};
    }
    return LOCUM_OK;
}

static double time_of(const locum_state *state)
{
    return state->time;
}

/* --- wrapper ---------------------------------------------------------------------------------- */

static locum_status fill_options(locum_surrogate_solver *w)
{
    for (int i = 0; i < w->n_inputs; i++) {
        const locum_port *port = locum_model_input(w->model, i);
        double middle = 0.5 * (port->lower + port->upper);
        LOCUM_REQUIRE(port->extent == 1, LOCUM_NOT_BUILT,
                      "surrogate: input '%s' has %lld values; only single values so far", port->name,
                      (long long)port->extent);
        size_t n = strlen(port->name);
        LOCUM_REQUIRE(n < sizeof w->name[i], LOCUM_INPUT, "surrogate: the name of input '%s' is too long", port->name);
        memcpy(w->name[i], port->name, n + 1);
        for (char *c = w->name[i]; *c; c++)
            if (*c == '.') *c = '_';
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
    }
    w->options[w->n_inputs] = (locum_option){.name = HANDLE,
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
    locum_status st = LOCUM_NEW(&w->name, w->n_inputs);
    if (!st) st = LOCUM_NEW(&w->options, w->n_inputs + 2);
    if (!st) st = LOCUM_NEW(&w->config, w->n_inputs + 1);
    if (!st) st = fill_options(w);
    w->type = (locum_solver_type){.name = "surrogate",
                                  .summary = "a trained model, evaluated",
                                  .options = w->options,
                                  .config_size = (size_t)(w->n_inputs + 1) * sizeof(double),
                                  .reproducible = LOCUM_BITS_ANY_RANKS,
                                  .create = create,
                                  .schema = schema,
                                  .start = start,
                                  .advance = advance,
                                  .observe = observe,
                                  .time = time_of,
                                  .free_state = free_state,
                                  .destroy = destroy};
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
    free(surrogate->options);
    free(surrogate->config);
    free(surrogate);
}
