/* SPDX-License-Identifier: BSD-3-Clause */
/* emit.c - clusters with places become steps, and everything becomes one block without pointers into itself. */
#include "surrogate/plan/internal.h"

#include <stdlib.h>
#include <string.h>

#include "core/memory.h"

/* --- addresses --------------------------------------------------------------------------------------------------- */

static plan_place place_in(const plan_compiler *c, const plan_value *v, const plan_value *base)
{
    plan_place place = {.offset = v->offset, .unit = v->symbol >= 0 ? v->dims[0] * v->stride[0] : 0};
    const int n_inputs = c->n_inputs, n_parameters = c->n_parameters;
    switch (base->source) {
    case VALUE_INPUT: place.base = PLAN_BASE_CALLER + base->index; break;
    case VALUE_PARAMETER: place.base = PLAN_BASE_CALLER + n_inputs + base->index; break;
    case VALUE_CONSTANT: place.offset += base->data; break;
    default:
        place.base = base->output >= 0 ? PLAN_BASE_CALLER + n_inputs + n_parameters + base->output
                     : base->fixed     ? PLAN_BASE_PACKED
                                       : PLAN_BASE_ARENA;
        if (base->output < 0) place.offset += base->place;
        if (base->scratch) place.unit = 0;
    }
    return place;
}

/* What a work reads, and what it writes. */
static plan_place place_of(const plan_compiler *c, const plan_work *w, int32_t value)
{
    return place_in(c, &c->values[value], &c->values[locum_plan_base(c, w, value)]);
}

static plan_place place_to(const plan_compiler *c, int32_t value)
{
    if (c->values[value].inside >= 0) value = c->values[value].inside;
    return place_in(c, &c->values[value], &c->values[c->values[value].base]);
}

static locum_status add_step(plan_compiler *c, const plan_step *step)
{
    LOCUM_TRY(locum_plan_grow(&c->steps, c->n_steps, &c->steps_capacity, sizeof *c->steps));
    c->steps[c->n_steps++] = *step;
    return LOCUM_OK;
}

/* --- one cluster ------------------------------------------------------------------------------------------------- */

static locum_status emit_tile(plan_compiler *c, int32_t cluster)
{
    const plan_program *p = &c->programs[cluster];
    const plan_cluster *k = &c->clusters[cluster];
    const plan_work *last = &c->works[c->order[k->first + k->n - 1]];
    plan_step step = {.kind = PLAN_TILE, .node = last->node};
    plan_tile *t = &step.u.tile;
    *t = (plan_tile){.symbolic = p->symbolic,
                     .first_stream = c->n_streams,
                     .n_streams = p->n_streams,
                     .first_code = c->n_code,
                     .n_code = p->n_code,
                     .registers = p->registers};
    memcpy(t->loops, p->loops, sizeof t->loops);
    for (int s = 0; s < p->n_streams; s++) {
        const plan_value *v = &c->values[p->value[s]];
        plan_stream stream = {.stored = p->stored[s],
                              .place = p->stored[s] ? place_to(c, p->value[s]) : place_of(c, last, p->value[s])};
        memcpy(stream.stride, p->stride[s], sizeof stream.stride);
        if (p->stored[s] == 2) stream.zero = v->count;
        stream.zero_once = v->symbol < 0;
        LOCUM_TRY(locum_plan_grow(&c->streams, c->n_streams, &c->streams_capacity, sizeof *c->streams));
        c->streams[c->n_streams++] = stream;
    }
    for (int i = 0; i < p->n_code; i++) {
        LOCUM_TRY(locum_plan_grow(&c->code, c->n_code, &c->code_capacity, sizeof *c->code));
        c->code[c->n_code++] = p->code[i];
    }
    return add_step(c, &step);
}

static locum_status emit_product(plan_compiler *c, const plan_work *w)
{
    plan_step step = {.kind = w->kind == WORK_PRODUCT_ROWS ? PLAN_PRODUCT_ROWS
                              : w->by_adapter              ? PLAN_ADAPTER_PRODUCT
                                                           : PLAN_PRODUCT,
                      .node = w->node};
    plan_product *p = &step.u.product;
    *p = (plan_product){.a = place_of(c, w, w->in[0]),
                        .k = w->k,
                        .n = w->n,
                        .groups = w->groups,
                        .transposed = w->transposed,
                        .by_adapter = w->by_adapter,
                        .activation = w->activation,
                        .has_bias = w->n_in == 3,
                        .b_group = w->b_group};
    locum_plan_matrix(&c->values[w->in[0]], &p->rows, &p->a_stride);
    if (w->kind == WORK_PRODUCT_ROWS) {
        int64_t rows;
        p->c = place_of(c, w, w->in[1]);
        p->b = place_to(c, w->out);
        locum_plan_matrix(&c->values[w->in[1]], &rows, &p->c_stride);
        p->b_stride = w->n;
        p->b_group = w->k * w->n;
        return add_step(c, &step);
    }
    p->b = place_of(c, w, w->in[1]);
    p->c = place_to(c, w->out);
    p->c_stride = w->groups * w->n;
    if (c->values[w->out].inside >= 0) {
        int64_t rows;
        locum_plan_matrix(&c->values[c->values[w->out].inside], &rows, &p->c_stride);
    }
    if (p->has_bias) p->bias = place_of(c, w, w->in[2]);
    if (w->by_adapter) {
        p->b_stride = c->values[w->in[1]].stride[1];
        p->b_group = c->values[w->in[1]].stride[0];
    }
    return add_step(c, &step);
}

static locum_status emit_transform(plan_compiler *c, const plan_work *w)
{
    plan_step step = {.kind = PLAN_TRANSFORM, .node = w->node};
    plan_transform *t = &step.u.transform;
    *t = (plan_transform){.x = place_of(c, w, w->in[0]),
                          .f = place_of(c, w, w->in[1]),
                          .y = place_to(c, w->out),
                          .outer = c->values[w->out].count / (w->k * w->groups),
                          .m = w->k,
                          .n = w->n,
                          .t = w->groups,
                          .has_addend = w->n_in == 3,
                          .activation = w->activation};
    if (t->has_addend) t->a = place_of(c, w, w->in[2]);
    return add_step(c, &step);
}

static locum_status emit_copies(plan_compiler *c, const plan_work *w)
{
    for (int32_t i = w->first_part; i < w->first_part + w->n_parts; i++) {
        if (c->parts[i].direct) continue;
        const plan_value *from = &c->values[c->parts[i].from], *to = &c->values[c->parts[i].to];
        plan_step step = {.kind = PLAN_COPY, .node = w->node};
        plan_copy *copy = &step.u.copy;
        int64_t stride[2][LOCUM_DIMS_MAX];
        copy->from = place_of(c, w, c->parts[i].from);
        copy->to = place_to(c, c->parts[i].to);
        memcpy(copy->loops, from->dims, sizeof copy->loops);
        memcpy(stride[0], from->stride, sizeof stride[0]);
        memcpy(stride[1], to->stride, sizeof stride[1]);
        copy->symbolic = to->symbol >= 0;
        copy->n_loops = locum_plan_merge(from->n_dims, copy->loops, copy->symbolic, 2, stride);
        memcpy(copy->from_stride, stride[0], sizeof stride[0]);
        memcpy(copy->to_stride, stride[1], sizeof stride[1]);
        LOCUM_TRY(add_step(c, &step));
    }
    return LOCUM_OK;
}

static locum_status emit_pack(plan_compiler *c, const plan_work *w)
{
    const plan_value *b = &c->values[w->in[0]];
    plan_step step = {.kind = PLAN_PACK, .node = w->node};
    step.u.pack = (plan_pack){.from = place_of(c, w, w->in[0]),
                              .to = place_to(c, w->out),
                              .k = w->k,
                              .n = w->n,
                              .groups = w->groups,
                              .g_stride = b->stride[0],
                              .k_stride = b->stride[w->transposed ? 2 : 1],
                              .n_stride = b->stride[w->transposed ? 1 : 2],
                              .b_group = w->b_group};
    return add_step(c, &step);
}

static locum_status emit_convolution(plan_compiler *c, const plan_work *w)
{
    plan_step step = {.kind = w->kind == WORK_CONVOLUTION          ? PLAN_CONVOLUTION
                              : w->kind == WORK_CONVOLUTION_WEIGHT ? PLAN_CONVOLUTION_WEIGHT
                                                                   : PLAN_PACK_CONVOLUTION,
                      .node = w->node};
    plan_convolution *p = &step.u.convolution;
    *p = locum_plan_convolution_step(c, w);
    p->a = place_of(c, w, w->in[0]);
    p->b = w->kind == WORK_CONVOLUTION ? place_of(c, w, w->in[1]) : place_to(c, w->out);
    if (w->kind == WORK_CONVOLUTION) p->c = place_to(c, w->out);
    if (w->kind == WORK_CONVOLUTION_WEIGHT) p->c = place_of(c, w, w->in[1]);
    if (p->has_bias) p->bias = place_of(c, w, w->in[2]);
    return add_step(c, &step);
}

static locum_status emit_reduce(plan_compiler *c, const plan_work *w)
{
    const plan_value *v = &c->values[w->in[0]];
    plan_step step = {.kind = PLAN_REDUCE, .node = w->node};
    step.u.reduce =
        (plan_reduce){.from = place_of(c, w, w->in[0]), .to = place_to(c, w->out), .count = 1, .symbol = v->symbol};
    for (int i = 0; i < v->n_dims; i++) {
        if (v->dims[i] == 1 && !(i == 0 && v->symbol >= 0)) continue;
        step.u.reduce.count = v->dims[i];
        step.u.reduce.stride = v->stride[i];
    }
    return add_step(c, &step);
}

static locum_status emit_cluster(plan_compiler *c, int32_t cluster)
{
    const plan_work *w = &c->works[c->order[c->clusters[cluster].first]];
    switch (w->kind) {
    case WORK_ELEMENT:
    case WORK_SUM: return emit_tile(c, cluster);
    case WORK_PRODUCT:
    case WORK_PRODUCT_ROWS: return emit_product(c, w);
    case WORK_TRANSFORM: return emit_transform(c, w);
    case WORK_COPY: return emit_copies(c, w);
    case WORK_CONVOLUTION:
    case WORK_CONVOLUTION_WEIGHT:
    case WORK_PACK_CONVOLUTION: return emit_convolution(c, w);
    case WORK_PACK: return emit_pack(c, w);
    case WORK_REDUCE: return emit_reduce(c, w);
    default: break;
    }
    plan_step step = {.kind = PLAN_NOISE, .node = w->node};
    step.u.noise = (plan_noise){
        .to = place_to(c, w->out), .per_unit = c->values[w->out].count, .stream = w->stream, .by_row = w->symbol >= 0};
    return add_step(c, &step);
}

/* --- the block --------------------------------------------------------------------------------------------------- */

static size_t put(size_t *at, size_t bytes)
{
    const size_t start = *at;
    *at = (start + bytes + 63) / 64 * 64;
    return start;
}

static size_t names_bytes(const locum_graph *graph)
{
    size_t bytes = 0;
    for (locum_id id = 1; id <= locum_graph_n(graph); id++) {
        const int op = locum_graph_node(graph, id)->op;
        if (op == LOCUM_OP_input || op == LOCUM_OP_parameter) bytes += strlen(locum_graph_name(graph, id)) + 1;
    }
    return bytes;
}

/* Names of inputs, then of parameters, 0-terminated one behind the other; floats of each (a unit). */
static void write_names(const locum_graph *graph, locum_plan *plan)
{
    char *name = (char *)plan + plan->names_at;
    int64_t *count = (int64_t *)((char *)plan + plan->counts_at);
    for (int pass = 0; pass < 2; pass++) {
        for (locum_id id = 1; id <= locum_graph_n(graph); id++) {
            const locum_node *node = locum_graph_node(graph, id);
            if (node->op != (pass == 0 ? LOCUM_OP_input : LOCUM_OP_parameter)) continue;
            const size_t n = strlen(locum_graph_name(graph, id)) + 1;
            memcpy(name, locum_graph_name(graph, id), n);
            name += n;
            *count = 1;
            for (int i = 0; i < node->n_dims; i++) *count *= node->dims[i];
            count++;
        }
    }
}

/* The arena: bases, tile registers, values. Packed: values, then what packing itself needs. */
static void lay_out(const plan_compiler *c, locum_plan *plan)
{
    const int64_t n_bases = PLAN_BASE_CALLER + plan->n_inputs + plan->n_parameters + plan->n_outputs;
    bool tiles = false, pack_tiles = false;
    for (int32_t i = 0; i < c->n_steps; i++) {
        tiles = tiles || (i >= plan->n_pack_steps && c->steps[i].kind == PLAN_TILE);
        pack_tiles = pack_tiles || (i < plan->n_pack_steps && c->steps[i].kind == PLAN_TILE);
    }
    const size_t registers = LOCUM_TILE_REGISTERS * LOCUM_TILE_VALUES * sizeof(float);
    plan->scratch_at = ((size_t)n_bases * sizeof(float *) + 63) / 64 * 64;
    plan->values_at = plan->scratch_at + (tiles ? registers : 0);
    plan->arena_bytes = plan->values_at + (size_t)c->arena * sizeof(float);
    if (!(plan->flags & LOCUM_PLAN_CONSTANT_PARAMETERS)) return;
    plan->pack_bases_at = (size_t)c->packed * sizeof(float);
    plan->pack_scratch_at = plan->pack_bases_at + plan->scratch_at;
    plan->packed_bytes = plan->pack_scratch_at + (pack_tiles ? registers : 0);
}

static locum_plan head_of(const plan_compiler *c)
{
    locum_plan head = {.kernels = c->options->kernels,
                       .adapter = c->options->adapter,
                       .flags = c->options->flags,
                       .n_symbols = locum_graph_n_symbols(c->given),
                       .n_inputs = c->n_inputs,
                       .n_parameters = c->n_parameters,
                       .n_outputs = c->n_outputs,
                       .n_pack_groups = c->n_pack_groups,
                       .n_groups = c->n_groups,
                       .n_steps = c->n_steps,
                       .n_streams = c->n_streams,
                       .n_code = c->n_code};
    memcpy(head.capacity, c->options->capacity, sizeof head.capacity);
    for (int32_t g = 0; g < c->n_pack_groups; g++) head.n_pack_steps += c->groups[g].n_steps;
    lay_out(c, &head);
    size_t at = (sizeof head + 63) / 64 * 64;
    head.groups_at = put(&at, (size_t)c->n_groups * sizeof *c->groups);
    head.steps_at = put(&at, (size_t)c->n_steps * sizeof *c->steps);
    head.streams_at = put(&at, (size_t)c->n_streams * sizeof *c->streams);
    head.code_at = put(&at, (size_t)c->n_code * sizeof *c->code);
    head.data_at = put(&at, (size_t)c->n_data * sizeof *c->data);
    head.counts_at = put(&at, (size_t)(head.n_inputs + head.n_parameters) * sizeof(int64_t));
    head.names_at = put(&at, names_bytes(c->given));
    head.bytes = at;
    return head;
}

static void copy_array(locum_plan *plan, size_t at, const void *from, size_t bytes)
{
    if (bytes) memcpy((char *)plan + at, from, bytes);
}

locum_status locum_plan_emit(plan_compiler *c, locum_plan **plan)
{
    for (int32_t g = 0; g < c->n_groups; g++) {
        plan_group *group = &c->groups[g];
        const int32_t first = group->first_step, n = group->n_steps;
        group->first_step = c->n_steps;
        for (int32_t k = first; k < first + n; k++) LOCUM_TRY(emit_cluster(c, k));
        group->n_steps = c->n_steps - group->first_step;
    }
    const locum_plan head = head_of(c);
    LOCUM_TRY(locum_alloc(plan, (int64_t)head.bytes, 1));
    **plan = head;
    copy_array(*plan, head.groups_at, c->groups, (size_t)c->n_groups * sizeof *c->groups);
    copy_array(*plan, head.steps_at, c->steps, (size_t)c->n_steps * sizeof *c->steps);
    copy_array(*plan, head.streams_at, c->streams, (size_t)c->n_streams * sizeof *c->streams);
    copy_array(*plan, head.code_at, c->code, (size_t)c->n_code * sizeof *c->code);
    copy_array(*plan, head.data_at, c->data, (size_t)c->n_data * sizeof *c->data);
    write_names(c->given, *plan);
    return LOCUM_OK;
}
