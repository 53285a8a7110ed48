/* SPDX-License-Identifier: BSD-3-Clause */
/* ports.c - the graphs around a network: from physical inputs to normalised values and back, loss, intervals.
 *
 * All transforms are monotone, so an interval of a normalised value is mapped through them end by end. That of a
 * LOG_SHARE output is made with a larger floor (LOCUM_SHARE_RESOLUTION) than the one it is learnt with. Its total is the
 * central prediction in all three, which keeps lower <= value <= upper. */
#include "surrogate/models/model_type.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- small builders ----------------------------------------------------------------------------------------------- */
static locum_id vector_parameter(locum_graph *graph, const char *name, int64_t n)
{
    return locum_parameter(graph, name, LOCUM_REAL32, 1, &n);
}

static locum_id square(locum_graph *graph, locum_id x)
{
    return locum_binary(graph, LOCUM_OP_multiply, x, x);
}

/* [batch, members * n] -> [batch, members, n] */
static locum_id by_member(locum_graph *graph, locum_id z, const locum_task *task)
{
    int64_t dims[] = {1, task->members, task->n_z};
    return locum_reshape(graph, z, 3, dims);
}

static locum_id member_mean(locum_graph *graph, locum_id z, const locum_task *task)
{
    int axis = 1;
    return task->members == 1 ? z : locum_mean(graph, by_member(graph, z, task), 1, &axis, false);
}

/* sample variance over members [batch, n_z]; zero for one member */
static locum_id member_variance(locum_graph *graph, locum_id z, locum_id mean, const locum_task *task)
{
    int axis = 1;
    int64_t dims[] = {1, 1, task->n_z};
    if (task->members == 1) return locum_scale(graph, z, 0, 0);
    locum_id off =
        locum_binary(graph, LOCUM_OP_subtract, by_member(graph, z, task), locum_reshape(graph, mean, 3, dims));
    locum_id sum = locum_sum(graph, square(graph, off), 1, &axis, false);
    return locum_scale(graph, sum, 1.0 / (task->members - 1), 0);
}

/* --- inputs ------------------------------------------------------------------------------------------------------- */
static locum_id physical_inputs(const locum_task *task, locum_graph *graph, int batch)
{
    locum_id *parts = calloc((size_t)task->n_inputs, sizeof *parts);
    for (int i = 0; parts && i < task->n_inputs; i++) {
        const locum_channel *c = &task->inputs[i];
        int64_t dims[] = {1, c->extent};
        parts[i] = locum_input(graph, c->name, LOCUM_REAL32, batch, 2, dims);
        if (c->transform == LOCUM_LOG) parts[i] = locum_unary(graph, LOCUM_OP_log, parts[i]);
    }
    locum_id all = !parts ? 0 : task->n_inputs == 1 ? parts[0] : locum_concat(graph, 1, task->n_inputs, parts);
    free(parts);
    all = locum_binary(graph, LOCUM_OP_subtract, all, vector_parameter(graph, "normal/x/mean", task->n_x));
    return locum_binary(graph, LOCUM_OP_multiply, all, vector_parameter(graph, "normal/x/rate", task->n_x));
}

/* --- outputs ------------------------------------------------------------------------------------------------------ */
int64_t locum_task_first_value(const locum_task *task, int output)
{
    int64_t first = 0;
    for (int i = 0; i < output; i++) first += task->outputs[i].extent;
    return first;
}

static locum_id to_transformed(const locum_task *task, locum_graph *graph, locum_id z)
{
    z = locum_binary(graph, LOCUM_OP_multiply, z, vector_parameter(graph, "normal/z/scale", task->n_z));
    return locum_binary(graph, LOCUM_OP_add, z, vector_parameter(graph, "normal/z/mean", task->n_z));
}

static locum_id output_slice(const locum_task *task, locum_graph *graph, locum_id transformed, int output)
{
    const locum_channel *c = &task->outputs[output];
    return task->n_outputs == 1
               ? transformed
               : locum_slice(graph, transformed, 1, locum_task_first_value(task, output), c->extent, 1);
}

/* of a share */
static locum_id predicted_total(const locum_task *task, locum_graph *graph, locum_id transformed, int output)
{
    return locum_unary(graph, LOCUM_OP_exp, output_slice(task, graph, transformed, task->outputs[output].total));
}

/* max(x - part * total, 0) */
static locum_id above_total(locum_graph *graph, locum_id x, double part, locum_id total)
{
    x = locum_binary(graph, LOCUM_OP_subtract, x, locum_scale(graph, total, part, 0));
    return locum_binary(graph, LOCUM_OP_maximum, x, locum_scalar(graph, LOCUM_REAL32, 0));
}

/* physical value of one output */
static locum_id output_port(const locum_task *task, locum_graph *graph, locum_id transformed, int output)
{
    const locum_channel *c = &task->outputs[output];
    locum_id part = output_slice(task, graph, transformed, output);
    if (c->transform == LOCUM_LINEAR) return part;
    part = locum_unary(graph, LOCUM_OP_exp, part);
    if (c->transform == LOCUM_LOG) return part;
    return above_total(graph, part, c->floor, predicted_total(task, graph, transformed, output));
}

double locum_channel_resolution(const locum_channel *channel)
{
    return fmax(channel->floor, LOCUM_SHARE_RESOLUTION);
}

/* e = share + resolution * total, where exp(transformed) = share + floor * total */
static locum_id resolved_share(const locum_task *task, locum_graph *graph, locum_id transformed, int output)
{
    const locum_channel *c = &task->outputs[output];
    locum_id part = locum_unary(graph, LOCUM_OP_exp, output_slice(task, graph, transformed, output));
    locum_id total = predicted_total(task, graph, transformed, output);
    return locum_binary(graph, LOCUM_OP_add, part,
                        locum_scale(graph, total, locum_channel_resolution(c) - c->floor, 0));
}

/* an end of the interval of one output; `width` in transformed values, negative for the lower end */
static locum_id bound_port(const locum_task *task, locum_graph *graph, locum_id centre, locum_id width, int output)
{
    const locum_channel *c = &task->outputs[output];
    if (c->transform != LOCUM_LOG_SHARE)
        return output_port(task, graph, locum_binary(graph, LOCUM_OP_add, centre, width), output);
    locum_id factor = locum_unary(graph, LOCUM_OP_exp, output_slice(task, graph, width, output));
    locum_id end = locum_binary(graph, LOCUM_OP_multiply, resolved_share(task, graph, centre, output), factor);
    return above_total(graph, end, locum_channel_resolution(c), predicted_total(task, graph, centre, output));
}

/* variance over members as intervals see it: that of a share shrinks with exp(t) / e */
static locum_id seen_variance(const locum_task *task, locum_graph *graph, locum_id centre, locum_id variance)
{
    locum_id *parts = calloc((size_t)task->n_outputs, sizeof *parts);
    bool shares = false;
    for (int i = 0; parts && i < task->n_outputs; i++) {
        parts[i] = output_slice(task, graph, variance, i);
        if (task->outputs[i].transform != LOCUM_LOG_SHARE) continue;
        shares = true;
        locum_id part = locum_unary(graph, LOCUM_OP_exp, output_slice(task, graph, centre, i));
        part = locum_binary(graph, LOCUM_OP_divide, part, resolved_share(task, graph, centre, i));
        parts[i] = locum_binary(graph, LOCUM_OP_multiply, parts[i], square(graph, part));
    }
    if (shares || !parts) variance = parts ? locum_concat(graph, 1, task->n_outputs, parts) : 0;
    free(parts);
    return variance;
}

/* an output that is also something else (a slice of one value, say) gets a node of its own, so that it can carry a
 * name */
static void name_output(locum_graph *graph, locum_id id, const char *name)
{
    if (*locum_graph_name(graph, id)) id = locum_scale(graph, id, 1, 0);
    locum_output(graph, id, name);
}

/* --- the four graphs ---------------------------------------------------------------------------------------------- */
static locum_status finish(locum_status st, locum_graph **graph)
{
    if (!st) st = locum_graph_status(*graph);
    if (st) {
        locum_graph_destroy(*graph);
        *graph = NULL;
    }
    return st;
}

locum_status locum_model_training_graph(const locum_model_type *type, const void *config, const locum_task *task,
                                        locum_graph **graph)
{
    int64_t x_dims[] = {1, task->n_x}, z_dims[] = {1, task->n_z}, one_dims[] = {1, 1, task->n_z};
    int axes[] = {0, 1, 2};
    locum_id z = 0, features = 0;
    double *share = calloc((size_t)task->n_z, sizeof *share);

    *graph = NULL;
    locum_status st = share ? locum_graph_create(graph) : LOCUM_FAIL(LOCUM_MEMORY, "out of memory");
    if (!st) {
        int batch = locum_graph_symbol(*graph, "batch");
        locum_id x = locum_input(*graph, "x", LOCUM_REAL32, batch, 2, x_dims),
                 target = locum_input(*graph, "target", LOCUM_REAL32, batch, 2, z_dims);
        st = type->build(config, task, *graph, &(locum_network_input){.values = x}, &z, &features);
        for (int i = 0, j = 0; i < task->n_outputs; i++)
            for (int64_t k = 0; k < task->outputs[i].extent; k++)
                share[j++] = 1.0 / ((double)task->n_outputs * (double)task->outputs[i].extent);
        locum_id off = locum_binary(*graph, LOCUM_OP_subtract, by_member(*graph, z, task),
                                    locum_reshape(*graph, target, 3, one_dims));
        locum_id weighted = locum_binary(*graph, LOCUM_OP_multiply, square(*graph, off),
                                         locum_constant(*graph, LOCUM_REAL32, 1, &task->n_z, share));
        locum_output(*graph, locum_sum(*graph, weighted, 3, axes, false), "loss");
        locum_output(*graph, z, "z");
    }
    free(share);
    return finish(st, graph);
}

locum_status locum_model_predict_graph(const locum_model_type *type, const void *config, const locum_task *task,
                                       locum_graph **graph)
{
    locum_id z = 0, features = 0;
    *graph = NULL;
    locum_status st = locum_graph_create(graph);
    if (!st) {
        locum_id x = physical_inputs(task, *graph, locum_graph_symbol(*graph, "batch"));
        st = type->build(config, task, *graph, &(locum_network_input){.values = x}, &z, &features);
        locum_id t = to_transformed(task, *graph, member_mean(*graph, z, task));
        for (int i = 0; i < task->n_outputs; i++)
            name_output(*graph, output_port(task, *graph, t, i), task->outputs[i].name);
    }
    return finish(st, graph);
}

/* distance of features from the training data: |(f - mean) map| / sqrt(n) */
static locum_id feature_distance(locum_graph *graph, locum_id features, int64_t n)
{
    int64_t map_dims[] = {1, n, n};
    int axis = 1;
    locum_id off = locum_binary(graph, LOCUM_OP_subtract, features, vector_parameter(graph, "trust/feature_mean", n));
    locum_id mapped =
        locum_product(graph, off, locum_parameter(graph, "trust/feature_map", LOCUM_REAL32, 3, map_dims), false);
    return locum_unary(graph, LOCUM_OP_sqrt, locum_mean(graph, square(graph, mapped), 1, &axis, true));
}

locum_status locum_model_interval_graph(const locum_model_type *type, const void *config, const locum_task *task,
                                        const locum_uncertainty *uncertainty, locum_graph **graph)
{
    static const char *const kind[] = {"value", "lower", "upper"};
    int64_t one = 1;
    int axis = 1;
    char name[80];
    locum_id z = 0, features = 0;

    *graph = NULL;
    locum_status st = locum_graph_create(graph);
    if (st) return st;
    locum_graph *g = *graph;
    locum_id x = physical_inputs(task, g, locum_graph_symbol(g, "batch"));
    locum_id quantile = locum_input(g, "quantile", LOCUM_REAL32, -1, 1, &one);
    st = type->build(config, task, g, &(locum_network_input){.values = x}, &z, &features);
    locum_id mean = member_mean(g, z, task), centre = to_transformed(task, g, mean);
    locum_id variance = seen_variance(task, g, centre, member_variance(g, z, mean, task));
    locum_id sigma = vector_parameter(g, "trust/sigma", task->n_z);
    locum_id width = locum_unary(g, LOCUM_OP_sqrt, locum_binary(g, LOCUM_OP_add, variance, square(g, sigma)));
    width = locum_binary(g, LOCUM_OP_multiply, width, quantile);
    width = locum_binary(g, LOCUM_OP_multiply, width, vector_parameter(g, "normal/z/scale", task->n_z));
    locum_id end[3] = {0, locum_scale(g, width, -1, 0), width};
    for (int i = 0; i < task->n_outputs; i++) {
        locum_id value = output_port(task, g, centre, i);
        for (int k = 0; k < 3; k++) {
            locum_id port = value;
            if (k > 0) /* whatever exp rounds to */
                port = locum_binary(g, k == 1 ? LOCUM_OP_minimum : LOCUM_OP_maximum,
                                    bound_port(task, g, centre, end[k], i), value);
            snprintf(name, sizeof name, "%s/%s", kind[k], task->outputs[i].name);
            name_output(g, port, name);
        }
    }
    name_output(g, feature_distance(g, features, uncertainty->n_features), "distance");
    locum_id relative = locum_binary(g, LOCUM_OP_divide, variance, square(g, sigma));
    name_output(g, locum_unary(g, LOCUM_OP_sqrt, locum_mean(g, relative, 1, &axis, true)), "spread");
    return finish(st, graph);
}

locum_status locum_model_calibration_graph(const locum_model_type *type, const void *config, const locum_task *task,
                                           locum_graph **graph)
{
    int64_t x_dims[] = {1, task->n_x};
    locum_id z = 0, features = 0;
    *graph = NULL;
    locum_status st = locum_graph_create(graph);
    if (!st) {
        locum_id x = locum_input(*graph, "x", LOCUM_REAL32, locum_graph_symbol(*graph, "batch"), 2, x_dims);
        st = type->build(config, task, *graph, &(locum_network_input){.values = x}, &z, &features);
        locum_id mean = member_mean(*graph, z, task), variance = member_variance(*graph, z, mean, task);
        name_output(*graph, mean, "mean");
        name_output(*graph, locum_unary(*graph, LOCUM_OP_sqrt, variance), "deviation");
        name_output(*graph, features, "features");
    }
    return finish(st, graph);
}

/* --- the same maps in double, row by row: targets, and the tests' other side -------------------------------------- */
static double transform(const locum_channel *c, double value, double total)
{
    if (c->transform == LOCUM_LINEAR) return value;
    return log(c->transform == LOCUM_LOG ? value : value + c->floor * total);
}

void locum_task_normalise_inputs(const locum_task *task, const double *values, double *x)
{
    for (int i = 0; i < task->n_inputs; i++) {
        const locum_channel *c = &task->inputs[i];
        for (int64_t j = 0; j < c->extent; j++) *x++ = (transform(c, *values++, 0) - c->mean[j]) / c->scale[j];
    }
}

void locum_task_normalise_outputs(const locum_task *task, const double *y, double *z)
{
    const double *row = y;
    for (int i = 0; i < task->n_outputs; i++) {
        const locum_channel *c = &task->outputs[i];
        double total = c->transform == LOCUM_LOG_SHARE ? row[locum_task_first_value(task, c->total)] : 0;
        for (int64_t j = 0; j < c->extent; j++) *z++ = (transform(c, *y++, total) - c->mean[j]) / c->scale[j];
    }
}

void locum_task_physical_outputs(const locum_task *task, const double *z, double *y)
{
    const double *row = z;
    for (int i = 0; i < task->n_outputs; i++) {
        const locum_channel *c = &task->outputs[i];
        double total = 0;
        if (c->transform == LOCUM_LOG_SHARE) {
            const locum_channel *t = &task->outputs[c->total];
            total = exp(row[locum_task_first_value(task, c->total)] * t->scale[0] + t->mean[0]);
        }
        for (int64_t j = 0; j < c->extent; j++) {
            double value = *z++ * c->scale[j] + c->mean[j];
            if (c->transform != LOCUM_LINEAR) value = exp(value);
            *y++ = c->transform == LOCUM_LOG_SHARE ? fmax(value - c->floor * total, 0) : value;
        }
    }
}

/* --- tasks -------------------------------------------------------------------------------------------------------- */
static void free_channels(int n, locum_channel *channels)
{
    for (int i = 0; channels && i < n; i++) {
        free(channels[i].mean);
        free(channels[i].scale);
    }
    free(channels);
}

void locum_task_destroy(locum_task *task)
{
    if (!task) return;
    free_channels(task->n_inputs, task->inputs);
    free_channels(task->n_outputs, task->outputs);
    free(task);
}

static void write_axis(const locum_channel *c, int d, locum_text *out)
{
    locum_text_add(out, d ? ",[" : "[");
    for (int64_t i = 0; c->axis[d] && i < c->dims[d]; i++) {
        if (i) locum_text_add(out, ",");
        locum_text_json_number(out, c->axis[d][i]);
    }
    locum_text_add(out, "]");
}

void locum_task_write_ports(int n, const locum_channel *channels, locum_text *out)
{
    locum_text_add(out, "[");
    for (int i = 0; i < n; i++) {
        const locum_channel *c = &channels[i];
        bool has_axes = c->n_dims > 0;
        locum_text_add(out, "%s{\"name\":", i ? "," : "");
        locum_text_json_string(out, c->name);
        locum_text_add(out, ",\"text\":");
        locum_text_json_string(out, c->text);
        locum_text_add(out, ",\"unit\":");
        locum_text_json_string(out, c->unit);
        locum_text_add(out, ",\"dims\":[");
        for (int d = 0; d < c->n_dims; d++) {
            locum_text_add(out, "%s%lld", d ? "," : "", (long long)c->dims[d]);
            has_axes = has_axes && c->axis[d];
        }
        locum_text_add(out, "],\"axis_name\":[");
        for (int d = 0; d < c->n_dims; d++) {
            if (d) locum_text_add(out, ",");
            locum_text_json_string(out, c->axis_name[d]);
        }
        locum_text_add(out, "]");
        if (has_axes) {
            locum_text_add(out, ",\"axis\":[");
            for (int d = 0; d < c->n_dims; d++) write_axis(c, d, out);
            locum_text_add(out, "]");
        }
        locum_text_add(out, ",\"lower\":");
        locum_text_json_number(out, c->lower);
        locum_text_add(out, ",\"upper\":");
        locum_text_json_number(out, c->upper);
        locum_text_add(out, "}");
    }
    locum_text_add(out, "]");
}

const locum_model_type *locum_model_type_find(const char *name)
{
#define LOCUM_MODEL_ENTRY(model) &locum_model_##model,
    static const locum_model_type *const types[] = {LOCUM_MODELS(LOCUM_MODEL_ENTRY)};
#undef LOCUM_MODEL_ENTRY
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (!strcmp(types[i]->name, name)) return types[i];
    return NULL;
}
