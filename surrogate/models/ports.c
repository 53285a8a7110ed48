/* SPDX-License-Identifier: BSD-3-Clause */
/* ports.c - the graphs around a network: what those of values and of fields share, and which of them a task takes. */
#include "surrogate/models/ports.h"

#include <stdlib.h>

/* --- shared builders ---------------------------------------------------------------------------------------------- */
locum_id locum_ports_vector(locum_graph *graph, const char *name, int64_t n)
{
    return locum_parameter(graph, name, LOCUM_REAL32, 1, &n);
}

locum_id locum_ports_square(locum_graph *graph, locum_id x)
{
    return locum_binary(graph, LOCUM_OP_multiply, x, x);
}

locum_id locum_ports_sum(locum_graph *graph, locum_id x)
{
    int axes[LOCUM_DIMS_MAX], n = locum_graph_node(graph, x)->n_dims - 1;
    for (int i = 0; i < n; i++) axes[i] = i + 1;
    return locum_sum(graph, x, n, axes, false);
}

locum_id locum_ports_values(const locum_task *task, locum_graph *graph, int batch)
{
    int n = locum_task_n_values(task);
    if (n == 0) return 0;
    locum_id *parts = calloc((size_t)n, sizeof *parts);
    for (int i = 0; parts && i < n; i++) {
        const locum_channel *c = &task->inputs[i];
        int64_t dims[] = {1, c->extent};
        parts[i] = locum_input(graph, c->name, LOCUM_REAL32, batch, 2, dims);
        if (c->transform == LOCUM_LOG) parts[i] = locum_unary(graph, LOCUM_OP_log, parts[i]);
    }
    locum_id all = !parts ? 0 : n == 1 ? parts[0] : locum_concat(graph, 1, n, parts);
    free(parts);
    all = locum_binary(graph, LOCUM_OP_subtract, all, locum_ports_vector(graph, "normal/x/mean", task->n_x));
    return locum_binary(graph, LOCUM_OP_multiply, all, locum_ports_vector(graph, "normal/x/rate", task->n_x));
}

void locum_ports_output(locum_graph *graph, locum_id id, const char *name)
{
    if (*locum_graph_name(graph, id)) id = locum_scale(graph, id, 1, 0);
    locum_output(graph, id, name);
}

locum_id locum_ports_distance(locum_graph *graph, locum_id features)
{
    int64_t n = locum_graph_node(graph, features)->dims[1];
    int64_t map_dims[] = {1, n, n};
    int axis = 1;
    locum_id off = locum_binary(graph, LOCUM_OP_subtract, features, locum_ports_vector(graph, "trust/feature_mean", n));
    locum_id mapped =
        locum_product(graph, off, locum_parameter(graph, "trust/feature_map", LOCUM_REAL32, 3, map_dims), false);
    return locum_unary(graph, LOCUM_OP_sqrt, locum_mean(graph, locum_ports_square(graph, mapped), 1, &axis, true));
}

/* --- the graphs --------------------------------------------------------------------------------------------------- */
/* a graph that one of the two kinds of tasks fills in */
typedef locum_status append_function(const locum_ports *ports, locum_graph *graph);

static locum_status finish(locum_status st, locum_graph **graph)
{
    if (!st) st = locum_graph_status(*graph);
    if (st) {
        locum_graph_destroy(*graph);
        *graph = NULL;
    }
    return st;
}

static locum_status make(const locum_ports *ports, append_function *append, locum_graph **graph)
{
    *graph = NULL;
    LOCUM_TRY(locum_graph_create(graph));
    return finish(append(ports, *graph), graph);
}

locum_status locum_model_training_graph(const locum_model_type *type, const void *config, const locum_task *task,
                                        locum_graph **graph)
{
    return make(&(locum_ports){type, config, task}, locum_values_training, graph);
}

locum_status locum_model_field_training_graph(const locum_model_type *type, const void *config, const locum_task *task,
                                              const locum_field_loss *loss, locum_graph **graph)
{
    *graph = NULL;
    LOCUM_TRY(locum_graph_create(graph));
    return finish(locum_fields_training(&(locum_ports){type, config, task}, loss, *graph), graph);
}

locum_status locum_model_predict_graph(const locum_model_type *type, const void *config, const locum_task *task,
                                       locum_graph **graph)
{
    return make(&(locum_ports){type, config, task}, task->n_axes ? locum_fields_predict : locum_values_predict, graph);
}

locum_status locum_model_interval_graph(const locum_model_type *type, const void *config, const locum_task *task,
                                        locum_graph **graph)
{
    return make(&(locum_ports){type, config, task}, task->n_axes ? locum_fields_interval : locum_values_interval,
                graph);
}

locum_status locum_model_calibration_graph(const locum_model_type *type, const void *config, const locum_task *task,
                                           locum_graph **graph)
{
    return make(&(locum_ports){type, config, task}, task->n_axes ? locum_fields_calibration : locum_values_calibration,
                graph);
}
