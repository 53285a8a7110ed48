/* SPDX-License-Identifier: BSD-3-Clause */
/* ports.h - what the graphs around networks share. Inside surrogate/models only. */
#ifndef SURROGATE_MODELS_PORTS_H
#define SURROGATE_MODELS_PORTS_H

#include "surrogate/models/model_type.h"

/* a network in its task */
typedef struct locum_ports {
    const locum_model_type *type;
    const void *config;
    const locum_task *task;
} locum_ports;

locum_id locum_ports_vector(locum_graph *graph, const char *name, int64_t n); /* a parameter [n] */
locum_id locum_ports_square(locum_graph *graph, locum_id x);
/** Sum over everything but the batch -> [batch]. */
locum_id locum_ports_sum(locum_graph *graph, locum_id x);
/** Physical input ports of the values -> [batch, n_x] normalised; 0 if the task has none. */
locum_id locum_ports_values(const locum_task *task, locum_graph *graph, int batch);
/** Names an output. One that is also something else (a slice of one value, say) gets a node of its own, so that it can
 *  carry a name. */
void locum_ports_output(locum_graph *graph, locum_id id, const char *name);
/** [batch, 1]: distance of features from the training data, |(f - mean) map| / sqrt(n). */
locum_id locum_ports_distance(locum_graph *graph, locum_id features);

/* the graphs of model_type.h for the two kinds of tasks; they append to an empty graph */
locum_status locum_values_training(const locum_ports *ports, locum_graph *graph);
locum_status locum_values_predict(const locum_ports *ports, locum_graph *graph);
locum_status locum_values_interval(const locum_ports *ports, locum_graph *graph);
locum_status locum_values_calibration(const locum_ports *ports, locum_graph *graph);

locum_status locum_fields_training(const locum_ports *ports, const locum_field_loss *loss, locum_graph *graph);
locum_status locum_fields_predict(const locum_ports *ports, locum_graph *graph);
locum_status locum_fields_interval(const locum_ports *ports, locum_graph *graph);
locum_status locum_fields_calibration(const locum_ports *ports, locum_graph *graph);

/* ports_physics.c: what fields are judged by */
/** [batch, 1] mean square over grid and channels of x [batch, grid.., channels]. */
locum_id locum_ports_energy(const locum_task *task, locum_graph *graph, locum_id x);
/** [batch, 1] rms of the divergence over rms of the gradient, central differences, of n_axes channels from `first`. */
locum_id locum_ports_divergence(const locum_task *task, locum_graph *graph, locum_id x, int first);

#endif
