/* SPDX-License-Identifier: BSD-3-Clause */
/* task_fields.c - a task of fields from the examples of a dataset, and which data a surrogate learns from.
 *
 * Parameters are seen as logarithms where all training values are positive and span more than a factor 4, as those of
 * values are; fields are seen linearly, with the statistics that the loader made of the training split. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "surrogate/train/internal.h"

#define MIB ((int64_t)1 << 20)

/* --- data --------------------------------------------------------------------------------------------------------- */
/* lies on a grid, or on one axis of a dataset that has no grid */
static bool is_field(const locum_schema *schema, const locum_domain *domain)
{
    if (domain->support != LOCUM_ROWS || domain->n_global[0] <= 0) return domain->support == LOCUM_GRID;
    for (int d = 0; d < schema->n_domains; d++)
        if (schema->domains[d].support == LOCUM_GRID) return false;
    return true;
}

/* does a surrogate that learns all there is learn this array? */
static bool taken(const locum_dataset *dataset, int array, bool fields)
{
    const locum_schema *schema = locum_dataset_schema(dataset);
    const locum_array *a = &schema->arrays[array];
    const locum_domain *d = &schema->domains[a->domain];
    if (fields) return is_field(schema, d) && !(a->roles & LOCUM_ROLE_INPUT);
    return d->support != LOCUM_ROWS || d->n_global[0] > 0;
}

static int list_outputs(const locum_dataset *dataset, const locum_surrogate *s, const char *names[LOCUM_OUTPUTS_MAX])
{
    const locum_surrogate_config *c = s->config;
    const locum_schema *schema = locum_dataset_schema(dataset);
    int n = 0;
    bool all = !c->n_outputs;
    for (int i = 0; i < c->n_outputs; i++) {
        int array = schema ? locum_schema_find(schema, c->outputs[i]) : -1;
        bool skip = c->all_observed && s->type->on_grids && array >= 0 && !taken(dataset, array, true);
        if (!skip) names[n++] = c->outputs[i];
    }
    for (int a = 0; all && schema && a < schema->n_arrays && n < LOCUM_OUTPUTS_MAX; a++)
        if (taken(dataset, a, s->type->on_grids)) names[n++] = schema->arrays[a].name;
    return n;
}

/* fields of the first frame: those that are named, or those that are inputs of the solution */
static int list_inputs(const locum_dataset *dataset, const locum_surrogate *s, const char *names[LOCUM_OUTPUTS_MAX])
{
    const locum_surrogate_config *c = s->config;
    const locum_schema *schema = locum_dataset_schema(dataset);
    int n = 0;
    for (int i = 0; i < c->n_inputs; i++) names[n++] = c->inputs[i];
    for (int a = 0; !c->n_inputs && schema && a < schema->n_arrays && n < LOCUM_OUTPUTS_MAX; a++)
        if ((schema->arrays[a].roles & LOCUM_ROLE_INPUT) &&
            schema->domains[schema->arrays[a].domain].support == LOCUM_GRID)
            names[n++] = schema->arrays[a].name;
    return n;
}

locum_status locum_training_data_open(const locum_dataset *dataset, const locum_surrogate *surrogate,
                                      int64_t train_samples, uint64_t seed, locum_training_data *data)
{
    const locum_surrogate_config *c = surrogate->config;
    const char *outputs[LOCUM_OUTPUTS_MAX], *inputs[LOCUM_OUTPUTS_MAX];
    bool step = c->task == LOCUM_TASK_STEP;
    int n_outputs = list_outputs(dataset, surrogate, outputs);
    *data = (locum_training_data){.dataset = dataset};
    if (!surrogate->type->on_grids) {
        (void)train_samples; /* locum_train_subset() takes a part of a table */
        return locum_table_read(dataset, n_outputs, outputs, &data->table);
    }
    locum_examples_request request = {.step = step,
                                      .history = step ? c->history : 1,
                                      .rollout = step ? surrogate->train->rollout : 1,
                                      .n_inputs = step ? 0 : list_inputs(dataset, surrogate, inputs),
                                      .n_outputs = n_outputs,
                                      .inputs = inputs,
                                      .outputs = outputs,
                                      .memory = surrogate->train->memory * MIB,
                                      .train_samples = train_samples,
                                      .seed = seed};
    return locum_examples_create(dataset, &request, &data->examples);
}

void locum_training_data_close(locum_training_data *data)
{
    locum_table_destroy(data->table);
    locum_examples_destroy(data->examples);
    *data = (locum_training_data){0};
}

/* --- parameters --------------------------------------------------------------------------------------------------- */
static double seen_value(const locum_examples *e, int64_t sample, int v, const locum_channel *c)
{
    double x = locum_examples_values(e, LOCUM_TRAIN, sample)[v];
    return c->transform == LOCUM_LOG ? log(x) : x;
}

static locum_status value_channel(const locum_surrogate_config *config, const locum_examples *e, int v,
                                  locum_channel *c)
{
    int64_t n = e->n_samples[LOCUM_TRAIN];
    double sum = 0, square = 0;
    *c = (locum_channel){.components = 1, .extent = 1, .lower = e->value_lower[v], .upper = e->value_upper[v]};
    snprintf(c->name, sizeof c->name, "%s", e->value_name[v]);
    snprintf(c->unit, sizeof c->unit, "%s", e->value_unit[v] ? e->value_unit[v] : "");
    LOCUM_REQUIRE(config->input_scale != LOCUM_SCALE_LOG || c->lower > 0, LOCUM_STUDY,
                  "surrogate.input_scale: `%s` is %g in the training data; its logarithm cannot be learnt", c->name,
                  c->lower);
    c->transform = locum_train_input_transform(config, c->lower, c->upper);
    LOCUM_TRY(LOCUM_NEW(&c->mean, 1));
    LOCUM_TRY(LOCUM_NEW(&c->scale, 1));
    for (int64_t s = 0; s < n; s++) sum += seen_value(e, s, v, c);
    c->mean[0] = sum / (double)n;
    for (int64_t s = 0; s < n; s++) square += pow(seen_value(e, s, v, c) - c->mean[0], 2);
    double scale = sqrt(square / (double)n);
    c->scale[0] = scale > 1e-12 * fabs(c->mean[0]) && isnormal(scale) ? scale : 1;
    return LOCUM_OK;
}

/* --- fields ------------------------------------------------------------------------------------------------------- */
static void add_dim(locum_channel *c, int64_t n, const char *name, const double *axis)
{
    snprintf(c->axis_name[c->n_dims], sizeof c->axis_name[0], "%s", name ? name : "");
    c->axis[c->n_dims] = axis;
    c->dims[c->n_dims++] = n;
    c->extent *= n;
}

static locum_status field_channel(const locum_examples *e, const locum_field *f, int history, locum_channel *c)
{
    *c = (locum_channel){
        .is_field = true, .components = f->components, .extent = 1, .lower = f->lower, .upper = f->upper};
    snprintf(c->name, sizeof c->name, "%s", f->name);
    snprintf(c->unit, sizeof c->unit, "%s", f->unit);
    snprintf(c->text, sizeof c->text, "%s", f->text);
    int n_dims = (history > 1) + e->n_axes + (f->components > 1);
    LOCUM_REQUIRE(n_dims <= LOCUM_CHANNEL_DIMS, LOCUM_NOT_BUILT,
                  "`%s`: a history of vectors on three axes is not built; learn one component an array", f->name);
    if (history > 1) add_dim(c, history, "history", NULL);
    for (int a = 0; a < e->n_axes; a++) add_dim(c, e->grid[a], e->domain->axis_name[a], e->domain->axis[a]);
    if (f->components > 1) add_dim(c, f->components, "component", NULL);
    LOCUM_TRY(LOCUM_NEW(&c->mean, f->components));
    LOCUM_TRY(LOCUM_NEW(&c->scale, f->components));
    memcpy(c->mean, f->mean, (size_t)f->components * sizeof *c->mean);
    memcpy(c->scale, f->scale, (size_t)f->components * sizeof *c->scale);
    return LOCUM_OK;
}

static void describe_grid(const locum_surrogate *s, const locum_examples *e, locum_task *t)
{
    t->kind = e->step ? LOCUM_TASK_STEP : LOCUM_TASK_MAP;
    t->members = s->train->ensemble;
    t->n_axes = e->n_axes;
    t->periodic = e->periodic;
    for (int a = 0; a < e->n_axes; a++) {
        t->grid[a] = e->grid[a];
        double length = e->domain->upper[a] - e->domain->lower[a];
        t->box[a] = length > 0 ? length : (double)e->grid[a];
    }
    t->in_channels = e->in_channels;
    t->out_channels = e->out_channels;
    t->history = e->history;
    t->interval = e->interval;
    t->increment = e->step && s->config->increment;
    t->fixed_mean = s->config->fixed_mean;
    t->divergence_free = s->config->divergence_free;
}

locum_status locum_surrogate_field_task(const locum_surrogate *surrogate, const locum_examples *e, locum_task **task)
{
    locum_task *t = NULL;
    *task = NULL;
    LOCUM_REQUIRE(
        e->n_values + e->n_inputs > 0, LOCUM_STUDY,
        "the dataset varies no parameter, and surrogate.inputs names no field: there is nothing to learn from");
    LOCUM_REQUIRE(!surrogate->config->divergence_free ||
                      (e->periodic && e->n_axes > 1 && e->n_outputs == 1 && e->out_channels == e->n_axes),
                  LOCUM_STUDY,
                  "surrogate.divergence_free: needs one vector field on a periodic grid as the only output, with a "
                  "component for each axis");
    LOCUM_TRY(LOCUM_NEW(&t, 1));
    describe_grid(surrogate, e, t);
    locum_status st = LOCUM_NEW(&t->inputs, e->n_values + e->n_inputs);
    if (!st) st = LOCUM_NEW(&t->outputs, e->n_outputs);
    for (int v = 0; v < e->n_values && !st; v++, t->n_x++)
        st = value_channel(surrogate->config, e, v, &t->inputs[t->n_inputs++]);
    for (int i = 0; i < e->n_inputs && !st; i++)
        st = field_channel(e, &e->inputs[i], e->history, &t->inputs[t->n_inputs++]);
    for (int i = 0; i < e->n_outputs && !st; i++) {
        st = field_channel(e, &e->outputs[i], 1, &t->outputs[t->n_outputs++]);
        if (!st) t->n_z += t->outputs[i].extent;
    }
    if (!st && e->change) {
        st = LOCUM_NEW(&t->change, e->out_channels);
        if (!st) memcpy(t->change, e->change, (size_t)e->out_channels * sizeof *t->change);
    }
    if (st)
        locum_task_destroy(t);
    else
        *task = t;
    return st;
}
