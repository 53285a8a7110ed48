/* SPDX-License-Identifier: BSD-3-Clause */
/* plan.c - compiling a graph, pass by pass, and what a plan says about itself. */
#include "surrogate/plan/internal.h"

#include <stdlib.h>
#include <string.h>

/* --- compiling --------------------------------------------------------------------------------------------------- */

static locum_status check(const locum_graph *graph, int n_outputs, const locum_id *outputs,
                          const locum_plan_options *options)
{
    LOCUM_TRY(locum_graph_status(graph));
    LOCUM_REQUIRE(options->kernels, LOCUM_ARG, "a plan needs a table of kernels");
    LOCUM_REQUIRE(n_outputs > 0, LOCUM_ARG, "a plan needs at least one output");
    for (int i = 0; i < n_outputs; i++)
        LOCUM_REQUIRE(outputs[i] >= 1 && outputs[i] <= locum_graph_n(graph), LOCUM_ARG,
                      "output %d is no node of the graph", i);
    for (int s = 0; s < locum_graph_n_symbols(graph); s++)
        LOCUM_REQUIRE(options->capacity[s] >= 0, LOCUM_ARG, "the capacity of '%s' is negative",
                      locum_graph_symbol_name(graph, s));
    return LOCUM_OK;
}

static int32_t count_sources(const locum_graph *graph, locum_op op)
{
    int32_t n = 0;
    for (locum_id id = 1; id <= locum_graph_n(graph); id++) n += locum_graph_node(graph, id)->op == op;
    return n;
}

/* How often each node is read by nodes that matter to an output. */
static locum_status count_uses(plan_compiler *c)
{
    const int32_t n = locum_graph_n(c->graph);
    c->uses = calloc((size_t)n + 1, sizeof *c->uses);
    c->value_of = calloc((size_t)n + 1, sizeof *c->value_of);
    c->chain = calloc((size_t)n + 1, sizeof *c->chain);
    c->fixed = calloc((size_t)n + 1, sizeof *c->fixed);
    LOCUM_REQUIRE(c->uses && c->value_of && c->chain && c->fixed, LOCUM_MEMORY, "no memory to compile a plan");
    for (int i = 0; i < c->n_outputs; i++) c->uses[c->outputs[i]]++;
    for (locum_id id = n; id >= 1; id--) {
        const locum_node *node = locum_graph_node(c->graph, id);
        for (int i = 0; i < node->n_inputs && c->uses[id]; i++) c->uses[locum_graph_inputs(c->graph, id)[i]]++;
    }
    for (locum_id id = 1; id <= n && (c->options->flags & LOCUM_PLAN_CONSTANT_PARAMETERS); id++) {
        const locum_node *node = locum_graph_node(c->graph, id);
        c->fixed[id] =
            node->op == LOCUM_OP_parameter || node->op == LOCUM_OP_constant || (node->n_inputs > 0 && node->symbol < 0);
        for (int i = 0; i < node->n_inputs; i++)
            c->fixed[id] = c->fixed[id] && c->fixed[locum_graph_inputs(c->graph, id)[i]];
    }
    return LOCUM_OK;
}

static locum_status compile(plan_compiler *c, locum_plan **plan)
{
    LOCUM_TRY(count_uses(c));
    if (!(c->options->flags & LOCUM_PLAN_NO_FUSION)) LOCUM_TRY(locum_plan_chains(c));
    LOCUM_TRY(locum_plan_lower(c));
    LOCUM_TRY(locum_plan_fuse(c));
    LOCUM_TRY(locum_plan_memory(c));
    return locum_plan_emit(c, plan);
}

static void release(plan_compiler *c)
{
    void *const arrays[] = {c->values, c->works,  c->parts,    c->data,       c->value_of, c->uses,
                            c->fixed,  c->chain,  c->maker,    c->first_user, c->users,    c->clusters,
                            c->order,  c->groups, c->programs, c->steps,      c->streams,  c->code};
    for (size_t i = 0; i < sizeof arrays / sizeof arrays[0]; i++) free(arrays[i]);
}

locum_status locum_plan_create(const locum_graph *graph, int n_outputs, const locum_id *outputs,
                               const locum_plan_options *options, locum_plan **plan)
{
    *plan = NULL;
    LOCUM_TRY(check(graph, n_outputs, outputs, options));
    locum_graph *expanded = NULL, *simple = NULL;
    plan_compiler c = {
        .options = options, .given = graph, .n_outputs = n_outputs, .last_pack = -1, .last_transform = -1};
    locum_id *ids = malloc((size_t)n_outputs * 2 * sizeof *ids);
    locum_id *map = calloc((size_t)locum_graph_n(graph) + 1, sizeof *map);
    locum_status st = ids && map ? LOCUM_OK : LOCUM_FAIL(LOCUM_MEMORY, "no memory to compile a plan");
    if (!st) st = locum_graph_expand_composites(graph, &expanded, map);
    for (int i = 0; i < n_outputs && !st; i++) ids[i] = map[outputs[i]];
    if (!st && !(options->flags & LOCUM_PLAN_NO_SIMPLIFY)) {
        st = locum_graph_simplify(expanded, n_outputs, ids, &simple, ids + n_outputs);
        c.graph = simple;
        c.outputs = ids + n_outputs;
    } else {
        c.graph = expanded;
        c.outputs = ids;
    }
    c.n_inputs = count_sources(graph, LOCUM_OP_input);
    c.n_parameters = count_sources(graph, LOCUM_OP_parameter);
    if (!st) st = compile(&c, plan);
    release(&c);
    locum_graph_destroy(simple);
    locum_graph_destroy(expanded);
    free(map);
    free(ids);
    return st;
}

/* --- queries ----------------------------------------------------------------------------------------------------- */

size_t locum_plan_bytes(const locum_plan *plan)
{
    return plan->bytes;
}
size_t locum_plan_arena_bytes(const locum_plan *plan)
{
    return plan->arena_bytes;
}
size_t locum_plan_packed_bytes(const locum_plan *plan)
{
    return plan->packed_bytes;
}
int locum_plan_n_inputs(const locum_plan *plan)
{
    return plan->n_inputs;
}
int locum_plan_n_parameters(const locum_plan *plan)
{
    return plan->n_parameters;
}
int locum_plan_n_steps(const locum_plan *plan)
{
    return plan->n_steps - plan->n_pack_steps;
}

bool locum_plan_uses_adapter(const locum_plan *plan)
{
    const plan_step *steps = plan_at(plan, plan->steps_at);
    bool uses = false;
    for (int32_t i = 0; i < plan->n_steps; i++)
        uses = uses || steps[i].kind == PLAN_ADAPTER_PRODUCT ||
               (steps[i].kind == PLAN_PRODUCT_ROWS && steps[i].u.product.by_adapter);
    return uses;
}

static const char *name_of(const locum_plan *plan, int i)
{
    const char *name = plan_at(plan, plan->names_at);
    while (i-- > 0) name += strlen(name) + 1;
    return name;
}

const char *locum_plan_input_name(const locum_plan *plan, int i)
{
    return i >= 0 && i < plan->n_inputs ? name_of(plan, i) : "";
}

const char *locum_plan_parameter_name(const locum_plan *plan, int i)
{
    return i >= 0 && i < plan->n_parameters ? name_of(plan, plan->n_inputs + i) : "";
}

int64_t locum_plan_parameter_count(const locum_plan *plan, int i)
{
    const int64_t *counts = plan_at(plan, plan->counts_at);
    return i >= 0 && i < plan->n_parameters ? counts[plan->n_inputs + i] : 0;
}
