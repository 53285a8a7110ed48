/* SPDX-License-Identifier: BSD-3-Clause */
/* ports_values.c - the graphs around a network of values: from physical inputs to normalised values and back, loss,
 * intervals.
 *
 * All transforms are monotone, so an interval of a normalised value is mapped through them end by end. That of a
 * LOG_SHARE output is made with a larger floor (LOCUM_SHARE_RESOLUTION) than the one it is learnt with. Its total is the
 * central prediction in all three, which keeps lower <= value <= upper. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "surrogate/models/ports.h"

/* --- members ----------------------------------------------------------------------------------------------- */
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
    locum_id sum = locum_sum(graph, locum_ports_square(graph, off), 1, &axis, false);
    return locum_scale(graph, sum, 1.0 / (task->members - 1), 0);
}

/* --- outputs ------------------------------------------------------------------------------------------------------ */
static locum_id to_transformed(const locum_task *task, locum_graph *graph, locum_id z)
{
    z = locum_binary(graph, LOCUM_OP_multiply, z, locum_ports_vector(graph, "normal/z/scale", task->n_z));
    return locum_binary(graph, LOCUM_OP_add, z, locum_ports_vector(graph, "normal/z/mean", task->n_z));
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
        parts[i] = locum_binary(graph, LOCUM_OP_multiply, parts[i], locum_ports_square(graph, part));
    }
    if (shares || !parts) variance = parts ? locum_concat(graph, 1, task->n_outputs, parts) : 0;
    free(parts);
    return variance;
}

/* --- the four graphs ---------------------------------------------------------------------------------------------- */
locum_status locum_values_training(const locum_ports *ports, locum_graph *graph)
{
    const locum_task *task = ports->task;
    int64_t x_dims[] = {1, task->n_x}, z_dims[] = {1, task->n_z}, one_dims[] = {1, 1, task->n_z};
    int axes[] = {0, 1, 2}, batch = locum_graph_symbol(graph, "batch");
    locum_id z = 0, features = 0;
    double *share = calloc((size_t)task->n_z, sizeof *share);
    LOCUM_REQUIRE(share, LOCUM_MEMORY, "out of memory");
    locum_id x = locum_input(graph, "x", LOCUM_REAL32, batch, 2, x_dims),
             target = locum_input(graph, "target", LOCUM_REAL32, batch, 2, z_dims);
    locum_status st =
        ports->type->build(ports->config, task, graph, &(locum_network_input){.values = x}, &z, &features);
    for (int i = 0, j = 0; i < task->n_outputs; i++)
        for (int64_t k = 0; k < task->outputs[i].extent; k++)
            share[j++] = 1.0 / ((double)task->n_outputs * (double)task->outputs[i].extent);
    locum_id off =
        locum_binary(graph, LOCUM_OP_subtract, by_member(graph, z, task), locum_reshape(graph, target, 3, one_dims));
    locum_id weighted = locum_binary(graph, LOCUM_OP_multiply, locum_ports_square(graph, off),
                                     locum_constant(graph, LOCUM_REAL32, 1, &task->n_z, share));
    locum_output(graph, locum_sum(graph, weighted, 3, axes, false), "loss");
    locum_output(graph, z, "z");
    free(share);
    return st;
}

locum_status locum_values_predict(const locum_ports *ports, locum_graph *graph)
{
    const locum_task *task = ports->task;
    locum_id z = 0, features = 0, x = locum_ports_values(task, graph, locum_graph_symbol(graph, "batch"));
    LOCUM_TRY(ports->type->build(ports->config, task, graph, &(locum_network_input){.values = x}, &z, &features));
    locum_id t = to_transformed(task, graph, member_mean(graph, z, task));
    for (int i = 0; i < task->n_outputs; i++)
        locum_ports_output(graph, output_port(task, graph, t, i), task->outputs[i].name);
    return LOCUM_OK;
}

locum_status locum_values_interval(const locum_ports *ports, locum_graph *g)
{
    static const char *const kind[] = {"value", "lower", "upper"};
    const locum_task *task = ports->task;
    int64_t one = 1;
    int axis = 1;
    char name[80];
    locum_id z = 0, features = 0;

    locum_id x = locum_ports_values(task, g, locum_graph_symbol(g, "batch"));
    locum_id quantile = locum_input(g, "quantile", LOCUM_REAL32, -1, 1, &one);
    LOCUM_TRY(ports->type->build(ports->config, task, g, &(locum_network_input){.values = x}, &z, &features));
    locum_id mean = member_mean(g, z, task), centre = to_transformed(task, g, mean);
    locum_id variance = seen_variance(task, g, centre, member_variance(g, z, mean, task));
    locum_id sigma = locum_ports_vector(g, "trust/sigma", task->n_z);
    locum_id width =
        locum_unary(g, LOCUM_OP_sqrt, locum_binary(g, LOCUM_OP_add, variance, locum_ports_square(g, sigma)));
    width = locum_binary(g, LOCUM_OP_multiply, width, quantile);
    width = locum_binary(g, LOCUM_OP_multiply, width, locum_ports_vector(g, "normal/z/scale", task->n_z));
    locum_id end[3] = {0, locum_scale(g, width, -1, 0), width};
    for (int i = 0; i < task->n_outputs; i++) {
        locum_id value = output_port(task, g, centre, i);
        for (int k = 0; k < 3; k++) {
            locum_id port = value;
            if (k > 0) /* whatever exp rounds to */
                port = locum_binary(g, k == 1 ? LOCUM_OP_minimum : LOCUM_OP_maximum,
                                    bound_port(task, g, centre, end[k], i), value);
            snprintf(name, sizeof name, "%s/%s", kind[k], task->outputs[i].name);
            locum_ports_output(g, port, name);
        }
    }
    locum_ports_output(g, locum_ports_distance(g, features), "distance");
    locum_id relative = locum_binary(g, LOCUM_OP_divide, variance, locum_ports_square(g, sigma));
    locum_ports_output(g, locum_unary(g, LOCUM_OP_sqrt, locum_mean(g, relative, 1, &axis, true)), "spread");
    return LOCUM_OK;
}

locum_status locum_values_calibration(const locum_ports *ports, locum_graph *graph)
{
    const locum_task *task = ports->task;
    int64_t x_dims[] = {1, task->n_x};
    locum_id z = 0, features = 0;
    locum_id x = locum_input(graph, "x", LOCUM_REAL32, locum_graph_symbol(graph, "batch"), 2, x_dims);
    LOCUM_TRY(ports->type->build(ports->config, task, graph, &(locum_network_input){.values = x}, &z, &features));
    locum_id mean = member_mean(graph, z, task), variance = member_variance(graph, z, mean, task);
    locum_ports_output(graph, mean, "mean");
    locum_ports_output(graph, locum_unary(graph, LOCUM_OP_sqrt, variance), "deviation");
    locum_ports_output(graph, features, "features");
    return LOCUM_OK;
}
