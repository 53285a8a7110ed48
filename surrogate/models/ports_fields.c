/* SPDX-License-Identifier: BSD-3-Clause */
/* ports_fields.c - the graphs around a network of fields: physical ports -> frames side by side in channels -> network ->
 * next frame -> physical ports; roll-out and loss; intervals and residuals.
 *
 *     port [batch, extent] -> [batch, (history,) grid.., components] -> fields [batch, grid.., history * channels]
 *     step, increment    next = last + change * priors(network)            map and else    next = priors(network)
 *     roll-out           fields <- fields without the oldest frame, next   (the same parameters, found by path)
 *     loss               mean over frames and outputs of |next - truth| / |truth|, physical; or of the mean square
 *
 *     interval   next +- quantile sqrt(sigma^2 + s^2), s over members; sigma of each channel (step) or value (map)
 *     energy     |log(E_next / E_last) - mean| rate (step),  |log E_next - mean| rate (map)        trust/energy_*
 */
#include <stdio.h>
#include <stdlib.h>

#include "core/memory.h"
#include "surrogate/models/blocks.h"
#include "surrogate/models/ports.h"

#define ROOT_FLOOR 1e-12   /* under the root of the loss, which has no gradient at 0 */
#define TRUTH_FLOOR 1e-4   /* of the mean square of the truth, in units of the scale: frames that nearly vanish */
#define LEAST_ENERGY 1e-30 /* under the logarithm */
#define PARTS_MAX 512      /* fields of all frames of a history */

/* one call of the network, and what comes of it */
typedef struct site {
    const locum_ports *ports;
    const locum_task *task;
    locum_graph *graph;
    int batch;
} site;

/* --- shapes ------------------------------------------------------------------------------------------------------- */
/* [lead.., grid.., channels] behind the batch; returns n_dims */
static int dims_of(const locum_task *task, int64_t lead, int64_t channels, int64_t dims[LOCUM_DIMS_MAX])
{
    int n = 0;
    dims[n++] = 1;
    if (lead) dims[n++] = lead;
    for (int a = 0; a < task->n_axes; a++) dims[n++] = task->grid[a];
    dims[n++] = channels;
    return n;
}

static locum_id shaped(const site *s, locum_id x, int64_t lead, int64_t channels)
{
    int64_t dims[LOCUM_DIMS_MAX];
    int n = dims_of(s->task, lead, channels, dims);
    return locum_reshape(s->graph, x, n, dims);
}

static locum_id field_input(const site *s, const char *name, int64_t lead, int64_t channels)
{
    int64_t dims[LOCUM_DIMS_MAX];
    int n = dims_of(s->task, lead, channels, dims);
    return locum_input(s->graph, name, LOCUM_REAL32, s->batch, n, dims);
}

static locum_id channels_slice(const site *s, locum_id x, int64_t first, int64_t n)
{
    const locum_node *node = locum_graph_node(s->graph, x);
    if (node->n_dims && node->dims[node->n_dims - 1] == n) return x;
    return locum_slice(s->graph, x, -1, first, n, 1);
}

static locum_id channel_constant(const site *s, const double *values)
{
    int64_t n = s->task->out_channels;
    return locum_constant(s->graph, LOCUM_REAL32, 1, &n, values);
}

/* --- the network -------------------------------------------------------------------------------------------------- */
static locum_id last_frame(const site *s, locum_id fields)
{
    const locum_task *task = s->task;
    return channels_slice(s, fields, (int64_t)(task->history - 1) * task->in_channels, task->in_channels);
}

/* the mean over the grid of a frame, for networks that give the frame itself */
static locum_id add_mean_of(const site *s, locum_id next, locum_id last)
{
    int axes[3] = {1, 2, 3};
    return locum_binary(s->graph, LOCUM_OP_add, next, locum_mean(s->graph, last, s->task->n_axes, axes, true));
}

/* next frame of one member, [batch, grid.., out_channels] normalised */
static locum_status next_frame(const site *s, int member, locum_id values, locum_id fields, locum_id *next,
                               locum_id *features)
{
    const locum_task *task = s->task;
    locum_id z = 0, own = 0;
    locum_graph_push(s->graph, "member%d", member + 1);
    LOCUM_TRY(
        s->ports->type->build(s->ports->config, task, s->graph, &(locum_network_input){values, fields}, &z, &own));
    locum_graph_pop(s->graph);
    z = locum_block_priors(task, s->graph, z);
    if (task->kind == LOCUM_TASK_STEP && task->increment)
        z = locum_binary(s->graph, LOCUM_OP_add, last_frame(s, fields),
                         locum_binary(s->graph, LOCUM_OP_multiply, z, channel_constant(s, task->change)));
    else if (task->kind == LOCUM_TASK_STEP && task->fixed_mean)
        z = add_mean_of(s, z, last_frame(s, fields));
    *next = z;
    if (!member && features) *features = own;
    return locum_graph_status(s->graph);
}

/* the frame that follows, as seen by the next step */
static locum_id shift_history(const site *s, locum_id fields, locum_id next)
{
    int64_t frame = s->task->in_channels, all = frame * s->task->history;
    if (s->task->history == 1) return next;
    locum_id parts[2] = {locum_slice(s->graph, fields, -1, frame, all - frame, 1), next};
    return locum_concat(s->graph, -1, 2, parts);
}

/* mean over members, and their variance (0 for one) */
typedef struct answer {
    locum_id mean, variance, features;
} answer;

static locum_status ask(const site *s, locum_id values, locum_id fields, answer *a)
{
    const locum_task *task = s->task;
    locum_id *next = NULL;
    locum_status st = LOCUM_NEW(&next, task->members);
    *a = (answer){0};
    for (int m = 0; m < task->members && !st; m++) {
        st = next_frame(s, m, values, fields, &next[m], &a->features);
        if (!st) a->mean = m ? locum_binary(s->graph, LOCUM_OP_add, a->mean, next[m]) : next[m];
    }
    if (!st && task->members > 1) a->mean = locum_scale(s->graph, a->mean, 1.0 / task->members, 0);
    for (int m = 0; m < task->members && task->members > 1 && !st; m++) {
        locum_id square = locum_ports_square(s->graph, locum_binary(s->graph, LOCUM_OP_subtract, next[m], a->mean));
        a->variance = m ? locum_binary(s->graph, LOCUM_OP_add, a->variance, square) : square;
    }
    if (!st && task->members > 1) a->variance = locum_scale(s->graph, a->variance, 1.0 / (task->members - 1), 0);
    free(next);
    return st;
}

/* --- training ----------------------------------------------------------------------------------------------------- */
/* [batch] */
static locum_id sum_squares(const site *s, locum_id x)
{
    return locum_ports_sum(s->graph, locum_ports_square(s->graph, x));
}

/* [batch]: |off| / |truth| of one output, both physical */
static locum_id relative_part(const site *s, locum_id off, locum_id truth, int first, const locum_channel *c)
{
    double scale = c->scale[0], points = (double)locum_task_points(s->task) * c->components;
    int64_t n = c->components;
    truth = locum_scale(s->graph, channels_slice(s, truth, first, n), scale, 0);
    truth = locum_binary(s->graph, LOCUM_OP_add, truth, locum_constant(s->graph, LOCUM_REAL32, 1, &n, c->mean));
    locum_id above = sum_squares(s, channels_slice(s, off, first, n)), below = sum_squares(s, truth);
    above = locum_scale(s->graph, above, scale * scale, 0);
    below = locum_scale(s->graph, below, 1, TRUTH_FLOOR * points * scale * scale);
    locum_id ratio = locum_binary(s->graph, LOCUM_OP_divide, above, below);
    return locum_unary(s->graph, LOCUM_OP_sqrt, locum_scale(s->graph, ratio, 1, ROOT_FLOOR));
}

/* [batch]: mean over outputs */
static locum_id frame_loss(const site *s, const locum_field_loss *loss, locum_id next, locum_id truth)
{
    const locum_task *task = s->task;
    locum_id off = locum_binary(s->graph, LOCUM_OP_subtract, next, truth), sum = 0;
    for (int i = 0, first = 0; i < task->n_outputs; first += task->outputs[i++].components) {
        const locum_channel *c = &task->outputs[i];
        locum_id part = loss->relative
                            ? relative_part(s, off, truth, first, c)
                            : locum_scale(s->graph, sum_squares(s, channels_slice(s, off, first, c->components)),
                                          1 / ((double)locum_task_points(task) * c->components), 0);
        sum = i ? locum_binary(s->graph, LOCUM_OP_add, sum, part) : part;
    }
    return locum_scale(s->graph, sum, 1.0 / task->n_outputs, 0);
}

static locum_id disturbed(const site *s, const locum_field_loss *loss, locum_id fields)
{
    int64_t dims[LOCUM_DIMS_MAX];
    if (!fields || loss->noise <= 0) return fields;
    int n = dims_of(s->task, 0, (int64_t)s->task->history * s->task->in_channels, dims);
    locum_id noise = locum_noise(s->graph, s->batch, n, dims, 1);
    return locum_binary(s->graph, LOCUM_OP_add, fields, locum_scale(s->graph, noise, loss->noise, 0));
}

static site site_of(const locum_ports *ports, locum_graph *graph)
{
    return (site){ports, ports->task, graph, locum_graph_symbol(graph, "batch")};
}

/* normalised inputs */
static void network_inputs(const site *s, locum_id *values, locum_id *fields)
{
    int64_t dims[] = {1, s->task->n_x};
    *values = s->task->n_x ? locum_input(s->graph, "values", LOCUM_REAL32, s->batch, 2, dims) : 0;
    *fields = s->task->in_channels ? field_input(s, "fields", 0, (int64_t)s->task->history * s->task->in_channels) : 0;
}

locum_status locum_fields_training(const locum_ports *ports, const locum_field_loss *loss, locum_graph *graph)
{
    site s = site_of(ports, graph);
    const locum_task *task = ports->task;
    locum_id values, fields, sum = 0;
    network_inputs(&s, &values, &fields);
    locum_id target = field_input(&s, "target", loss->rollout, task->out_channels);
    fields = disturbed(&s, loss, fields);
    for (int m = 0; m < task->members; m++) {
        locum_id seen = fields;
        for (int r = 0; r < loss->rollout; r++) {
            locum_id next = 0, truth = loss->rollout == 1 ? target : locum_slice(graph, target, 1, r, 1, 1);
            LOCUM_TRY(next_frame(&s, m, values, seen, &next, NULL));
            locum_id part = frame_loss(&s, loss, next, shaped(&s, truth, 0, task->out_channels));
            sum = sum ? locum_binary(graph, LOCUM_OP_add, sum, part) : part;
            if (r + 1 < loss->rollout) seen = shift_history(&s, seen, next);
        }
    }
    int axis = 0;
    locum_output(graph, locum_scale(graph, locum_sum(graph, sum, 1, &axis, false), 1.0 / loss->rollout, 0), "loss");
    return LOCUM_OK;
}

locum_status locum_fields_calibration(const locum_ports *ports, locum_graph *graph)
{
    site s = site_of(ports, graph);
    locum_id values, fields;
    answer a;
    network_inputs(&s, &values, &fields);
    LOCUM_TRY(ask(&s, values, fields, &a));
    locum_ports_output(graph, a.mean, "mean");
    locum_ports_output(graph, a.features, "features");
    if (a.variance) locum_ports_output(graph, locum_unary(graph, LOCUM_OP_sqrt, a.variance), "deviation");
    return LOCUM_OK;
}

/* --- physical ports ----------------------------------------------------------------------------------------------- */
/* input ports of the fields -> [batch, grid.., history * in_channels] normalised; 0 if there are none */
static locum_status physical_fields(const site *s, locum_id *fields)
{
    const locum_task *task = s->task;
    locum_id port[PARTS_MAX], parts[PARTS_MAX];
    int n_values = locum_task_n_values(task), n = task->n_inputs - n_values, n_parts = 0;
    *fields = 0;
    if (!n) return LOCUM_OK;
    LOCUM_REQUIRE(n * task->history <= PARTS_MAX, LOCUM_NOT_BUILT, "%d fields of %d frames: more than %d are not built",
                  n, task->history, PARTS_MAX);
    for (int i = 0; i < n; i++) {
        const locum_channel *c = &task->inputs[n_values + i];
        int64_t dims[] = {1, c->extent};
        port[i] = locum_input(s->graph, c->name, LOCUM_REAL32, s->batch, 2, dims);
        port[i] = shaped(s, port[i], task->history > 1 ? task->history : 0, c->components);
    }
    for (int h = 0; h < task->history; h++)
        for (int i = 0; i < n; i++, n_parts++)
            parts[n_parts] = task->history == 1 ? port[i]
                                                : shaped(s, locum_slice(s->graph, port[i], 1, h, 1, 1), 0,
                                                         task->inputs[n_values + i].components);
    locum_id all = n_parts == 1 ? parts[0] : locum_concat(s->graph, -1, n_parts, parts);
    int64_t width = (int64_t)task->history * task->in_channels;
    all = locum_binary(s->graph, LOCUM_OP_subtract, all, locum_ports_vector(s->graph, "normal/fields/mean", width));
    *fields = locum_binary(s->graph, LOCUM_OP_multiply, all, locum_ports_vector(s->graph, "normal/fields/rate", width));
    return LOCUM_OK;
}

static locum_id to_physical(const site *s, locum_id z)
{
    int64_t n = s->task->out_channels;
    z = locum_binary(s->graph, LOCUM_OP_multiply, z, locum_ports_vector(s->graph, "normal/z/scale", n));
    return locum_binary(s->graph, LOCUM_OP_add, z, locum_ports_vector(s->graph, "normal/z/mean", n));
}

/* one output of a physical frame [batch, extent] */
static locum_id output_port(const site *s, locum_id frame, int output)
{
    const locum_task *task = s->task;
    int first = 0;
    for (int i = 0; i < output; i++) first += task->outputs[i].components;
    int64_t dims[] = {1, task->outputs[output].extent};
    return locum_reshape(s->graph, channels_slice(s, frame, first, task->outputs[output].components), 2, dims);
}

locum_status locum_fields_predict(const locum_ports *ports, locum_graph *graph)
{
    site s = site_of(ports, graph);
    const locum_task *task = ports->task;
    locum_id values = locum_ports_values(task, graph, s.batch), fields;
    answer a;
    LOCUM_TRY(physical_fields(&s, &fields));
    LOCUM_TRY(ask(&s, values, fields, &a));
    locum_id frame = to_physical(&s, a.mean);
    for (int i = 0; i < task->n_outputs; i++)
        locum_ports_output(graph, output_port(&s, frame, i), task->outputs[i].name);
    return LOCUM_OK;
}

/* --- intervals and residuals -------------------------------------------------------------------------------------- */
static locum_id sigma_of(const site *s)
{
    const locum_task *task = s->task;
    int64_t dims[LOCUM_DIMS_MAX];
    int n = dims_of(task, 0, task->out_channels, dims);
    if (task->kind == LOCUM_TASK_STEP) return locum_ports_vector(s->graph, "trust/sigma", task->out_channels);
    return locum_parameter(s->graph, "trust/sigma", LOCUM_REAL32, n - 1, dims + 1);
}

/* physical half width */
static locum_id width_of(const site *s, locum_id variance, locum_id sigma, locum_id quantile)
{
    locum_id width = sigma;
    if (variance)
        width = locum_unary(s->graph, LOCUM_OP_sqrt,
                            locum_binary(s->graph, LOCUM_OP_add, variance, locum_ports_square(s->graph, sigma)));
    width = locum_binary(s->graph, LOCUM_OP_multiply, width, quantile);
    return locum_binary(s->graph, LOCUM_OP_multiply, width,
                        locum_ports_vector(s->graph, "normal/z/scale", s->task->out_channels));
}

static void write_bounds(const site *s, locum_id frame, locum_id width)
{
    static const char *const kind[] = {"value", "lower", "upper"};
    char name[80];
    locum_id ends[3] = {frame, locum_binary(s->graph, LOCUM_OP_subtract, frame, width),
                        locum_binary(s->graph, LOCUM_OP_add, frame, width)};
    for (int i = 0; i < s->task->n_outputs; i++)
        for (int k = 0; k < 3; k++) {
            snprintf(name, sizeof name, "%s/%s", kind[k], s->task->outputs[i].name);
            locum_ports_output(s->graph, output_port(s, ends[k], i), name);
        }
}

/* [batch, 1]: root mean square of s / sigma */
static locum_id spread_of(const site *s, locum_id variance, locum_id sigma, locum_id distance)
{
    int64_t dims[] = {1, 1};
    if (!variance) return locum_scale(s->graph, distance, 0, 0);
    locum_id relative = locum_binary(s->graph, LOCUM_OP_divide, variance, locum_ports_square(s->graph, sigma));
    double count = (double)locum_task_points(s->task) * s->task->out_channels;
    relative = locum_reshape(s->graph, locum_ports_sum(s->graph, relative), 2, dims);
    return locum_unary(s->graph, LOCUM_OP_sqrt, locum_scale(s->graph, relative, 1 / count, 0));
}

static locum_id log_energy(const site *s, locum_id frame)
{
    return locum_unary(s->graph, LOCUM_OP_log,
                       locum_scale(s->graph, locum_ports_energy(s->task, s->graph, frame), 1, LEAST_ENERGY));
}

static locum_id energy_residual(const site *s, locum_id next, locum_id fields)
{
    locum_id e = log_energy(s, next);
    if (s->task->kind == LOCUM_TASK_STEP)
        e = locum_binary(s->graph, LOCUM_OP_subtract, e, log_energy(s, last_frame(s, fields)));
    e = locum_binary(s->graph, LOCUM_OP_subtract, e, locum_ports_vector(s->graph, "trust/energy_mean", 1));
    e = locum_binary(s->graph, LOCUM_OP_multiply, e, locum_ports_vector(s->graph, "trust/energy_rate", 1));
    return locum_unary(s->graph, LOCUM_OP_abs, e);
}

locum_status locum_fields_interval(const locum_ports *ports, locum_graph *graph)
{
    site s = site_of(ports, graph);
    const locum_task *task = ports->task;
    locum_id values = locum_ports_values(task, graph, s.batch), fields;
    int64_t one = 1;
    int first = 0;
    answer a;
    LOCUM_TRY(physical_fields(&s, &fields));
    locum_id quantile = locum_input(graph, "quantile", LOCUM_REAL32, -1, 1, &one);
    LOCUM_TRY(ask(&s, values, fields, &a));
    locum_id sigma = sigma_of(&s);
    write_bounds(&s, to_physical(&s, a.mean), width_of(&s, a.variance, sigma, quantile));
    locum_id distance = locum_ports_distance(graph, a.features);
    locum_ports_output(graph, distance, "distance");
    locum_ports_output(graph, spread_of(&s, a.variance, sigma, distance), "spread");
    locum_ports_output(graph, energy_residual(&s, a.mean, fields), "energy");
    if (locum_task_vector(task, &first) >= 0)
        locum_ports_output(graph, locum_ports_divergence(task, graph, a.mean, first), "divergence");
    return LOCUM_OK;
}
