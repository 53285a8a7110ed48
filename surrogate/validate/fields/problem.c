/* SPDX-License-Identifier: BSD-3-Clause */
/* problem.c - the test samples of a study with field surrogates as trajectories, in double precision.
 *
 *     step   seen = frames first .. s of the outputs (s + 1 = the longest history of all models)   truth = frames s + 1 ..
 *     map    seen = the input fields of the first frame, if there are any                          truth = the last frame
 * Nothing is kept: a trajectory is read when it is needed. */
#include "surrogate/validate/fields/fields.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

bool locum_fields_are_predicted(const locum_model *model)
{
    if (locum_model_interval(model) > 0) return true;
    for (int i = 0; i < locum_model_n_outputs(model); i++)
        if (locum_model_output(model, i)->n_dims > 1) return true;
    return false;
}

void locum_fields_destroy(locum_fields *f)
{
    if (!f) return;
    for (int s = 0; s < LOCUM_SPLITS; s++) free(f->sample[s]);
    free(f->models);
    free(f->times);
    free(f);
}

/* --- arrays ----------------------------------------------------------------------------------- */

static locum_status describe_array(const locum_fields *f, const locum_port *port, int64_t history, int64_t first,
                                   locum_field_array *array)
{
    const locum_schema *schema = locum_dataset_schema(f->dataset);
    int a = locum_schema_find(schema, port->name);

    LOCUM_REQUIRE(a >= 0, LOCUM_INPUT, "the model's field '%s' is not in the dataset", port->name);
    const locum_domain *domain = &schema->domains[schema->arrays[a].domain];
    bool line = domain->support == LOCUM_ROWS && domain->n_global[0] > 0; /* a field on one axis */
    LOCUM_REQUIRE(domain->support == LOCUM_GRID || line, LOCUM_INPUT, "'%s' of the dataset lies on no grid",
                  port->name);
    *array = (locum_field_array){
        .name = port->name, .array = a, .first = first, .components = (int)locum_array_components(&schema->arrays[a])};
    array->count = array->components;
    for (int d = 0; d < domain->n_dims; d++) array->count *= domain->n_global[d];
    LOCUM_REQUIRE(port->extent == history * array->count, LOCUM_INPUT,
                  "'%s' has %lld values in the dataset, but %lld in the model", port->name, (long long)array->count,
                  (long long)(port->extent / (history > 0 ? history : 1)));
    return LOCUM_OK;
}

static locum_status read_outputs(locum_fields *f, const locum_model *model)
{
    f->n_outputs = locum_model_n_outputs(model);
    LOCUM_REQUIRE(f->n_outputs <= LOCUM_FIELD_ARRAYS, LOCUM_NOT_BUILT, "validate takes at most %d fields",
                  LOCUM_FIELD_ARRAYS);
    for (int i = 0; i < f->n_outputs; i++) {
        LOCUM_TRY(describe_array(f, locum_model_output(model, i), 1, f->width, &f->output[i]));
        f->width += f->output[i].count;
    }
    const locum_schema *schema = locum_dataset_schema(f->dataset);
    f->domain = &schema->domains[schema->arrays[f->output[0].array].domain];
    f->n_axes = f->domain->n_dims;
    f->points = 1;
    f->periodic = true;
    for (int d = 0; d < f->n_axes; d++) {
        f->grid[d] = f->domain->n_global[d];
        f->points *= f->grid[d];
        f->periodic = f->periodic && f->domain->side[d][0] == LOCUM_PERIODIC;
    }
    return LOCUM_OK;
}

static locum_status same_outputs(const locum_fields *f, const locum_model *model)
{
    LOCUM_REQUIRE(locum_model_n_outputs(model) == f->n_outputs && (locum_model_interval(model) > 0) == f->step,
                  LOCUM_INPUT, "the surrogates of a study must have the same task and outputs");
    for (int i = 0; i < f->n_outputs; i++)
        LOCUM_REQUIRE(!strcmp(locum_model_output(model, i)->name, f->output[i].name) &&
                          locum_model_output(model, i)->extent == f->output[i].count,
                      LOCUM_INPUT, "the surrogates of a study must have the same outputs, in one order");
    return LOCUM_OK;
}

/* --- inputs ----------------------------------------------------------------------------------- */

static int find_parameter(const locum_dataset *dataset, const char *name)
{
    for (int i = 0; i < locum_dataset_n_parameters(dataset); i++)
        if (!strcmp(locum_dataset_parameter_name(dataset, i), name)) return i;
    return -1;
}

static locum_status add_value(locum_fields *f, int parameter, locum_field_source *source)
{
    for (int k = 0; k < f->n_values; k++)
        if (f->parameter[k] == parameter) {
            *source = (locum_field_source){k, -1};
            return LOCUM_OK;
        }
    LOCUM_REQUIRE(f->n_values < LOCUM_LIST_MAX, LOCUM_NOT_BUILT, "validate takes at most %d parameters",
                  LOCUM_LIST_MAX);
    f->value_name[f->n_values] = locum_dataset_parameter_name(f->dataset, parameter);
    f->parameter[f->n_values] = parameter;
    *source = (locum_field_source){f->n_values++, -1};
    return LOCUM_OK;
}

static locum_status add_field(locum_fields *f, const locum_port *port, int64_t history, locum_field_source *source)
{
    locum_field_array array;
    const locum_field_array *known = f->step ? f->output : f->input;
    int n = f->step ? f->n_outputs : f->n_inputs;

    LOCUM_TRY(describe_array(f, port, history, f->in_width, &array));
    for (int k = 0; k < n; k++)
        if (!strcmp(known[k].name, port->name)) {
            *source = (locum_field_source){-1, k};
            return LOCUM_OK;
        }
    LOCUM_REQUIRE(!f->step, LOCUM_NOT_BUILT, "a step model's input field '%s' is none of its outputs", port->name);
    LOCUM_REQUIRE(n < LOCUM_FIELD_ARRAYS, LOCUM_NOT_BUILT, "validate takes at most %d fields", LOCUM_FIELD_ARRAYS);
    f->input[f->n_inputs] = array;
    f->in_width += array.count;
    *source = (locum_field_source){-1, f->n_inputs++};
    return LOCUM_OK;
}

static locum_status read_inputs(locum_fields *f, locum_field_model *m)
{
    m->n_inputs = locum_model_n_inputs(m->model);
    m->history = f->step ? locum_model_history(m->model) : 1;
    LOCUM_REQUIRE(m->n_inputs <= LOCUM_LIST_MAX + LOCUM_FIELD_ARRAYS, LOCUM_NOT_BUILT, "the model has too many inputs");
    for (int i = 0; i < m->n_inputs; i++) {
        const locum_port *port = locum_model_input(m->model, i);
        int parameter = port->extent == 1 ? find_parameter(f->dataset, port->name) : -1;
        if (parameter >= 0)
            LOCUM_TRY(add_value(f, parameter, &m->source[i]));
        else
            LOCUM_TRY(add_field(f, port, m->history, &m->source[i]));
    }
    if (m->history > f->history) f->history = m->history;
    return LOCUM_OK;
}

/* --- models ----------------------------------------------------------------------------------- */

static locum_status read_models(locum_fields *f)
{
    const locum_validate_call *call = f->call;
    locum_validated_model only = {"surrogate", call->model_path, call->curve_folder, call->model};
    const locum_validated_model *given = call->models ? call->models : &only;

    f->n_models = call->models ? call->n_models : 1;
    LOCUM_REQUIRE(f->n_models >= 1 && f->n_models <= LOCUM_VALIDATED_MAX, LOCUM_ARG, "validate takes 1 to %d models",
                  LOCUM_VALIDATED_MAX);
    LOCUM_TRY(LOCUM_NEW(&f->models, f->n_models));
    f->step = locum_model_interval(given[0].model) > 0;
    f->interval = locum_model_interval(given[0].model);
    f->history = 1;
    LOCUM_TRY(read_outputs(f, given[0].model));
    f->head = locum_models_head(call);
    for (int k = 0; k < f->n_models; k++) {
        locum_field_model *m = &f->models[k];
        *m = (locum_field_model){.name = locum_validated_name(&given[k]),
                                 .path = given[k].path,
                                 .curve_folder = given[k].curve_folder,
                                 .model = given[k].model,
                                 .validation_error = locum_model_validation_error(given[k].model)};
        LOCUM_TRY(same_outputs(f, m->model));
        LOCUM_TRY(read_inputs(f, m));
    }
    if (f->step) f->in_width = f->width;
    return LOCUM_OK;
}

static locum_status choose_metric(locum_fields *f)
{
    for (int k = 0; k < f->config->n_metric; k++) {
        int found = -1;
        for (int i = 0; i < f->n_outputs; i++)
            if (!strcmp(f->config->metric[k], f->output[i].name)) found = i;
        LOCUM_REQUIRE(found >= 0, LOCUM_STUDY, "validate.metric: the model has no output '%s'", f->config->metric[k]);
        f->in_metric[found] = true;
    }
    for (int i = 0; i < f->n_outputs; i++) {
        if (f->config->n_metric == 0) f->in_metric[i] = true;
        f->n_metric += f->in_metric[i];
    }
    return LOCUM_OK;
}

/* --- samples ---------------------------------------------------------------------------------- */

static locum_status list_samples(locum_fields *f)
{
    int64_t n = locum_dataset_n(f->dataset);

    for (int s = 0; s < LOCUM_SPLITS; s++) LOCUM_TRY(LOCUM_NEW(&f->sample[s], n + 1));
    f->n_frames = -1;
    for (int64_t b = 0; b < n; b++) {
        const locum_dataset_sample *sample = locum_dataset_sample_at(f->dataset, b);
        if (sample->failed) continue;
        f->sample[sample->split][f->n[sample->split]++] = b;
        if (sample->split != LOCUM_TEST) continue;
        if (f->n_frames < 0) f->n_frames = sample->n_frames;
        LOCUM_REQUIRE(sample->n_frames == f->n_frames, LOCUM_INPUT,
                      "test samples have %lld and %lld frames; validate needs as many in each", (long long)f->n_frames,
                      (long long)sample->n_frames);
    }
    LOCUM_REQUIRE(f->n[LOCUM_TEST] > 0, LOCUM_STUDY,
                  "campaign.split.test: validate needs test samples, and the dataset has none that are good");
    LOCUM_REQUIRE(f->n[LOCUM_TRAIN] > 0, LOCUM_STUDY,
                  "campaign.split.train: the dataset has no good training sample to compare with");
    return LOCUM_OK;
}

static locum_status read_times(locum_fields *f)
{
    int64_t b = f->sample[LOCUM_TEST][0];

    LOCUM_REQUIRE(!f->step || f->n_frames > f->history, LOCUM_STUDY,
                  "test samples have %lld frames; a step with history %lld needs more", (long long)f->n_frames,
                  (long long)f->history);
    f->n_leads = f->step ? (int)(f->n_frames - f->history) : 1;
    LOCUM_TRY(LOCUM_NEW(&f->times, f->n_leads));
    if (!f->step) {
        f->times[0] = locum_dataset_time(f->dataset, b, f->n_frames - 1);
        if (f->n_inputs) f->times[0] -= locum_dataset_time(f->dataset, b, 0);
        return LOCUM_OK;
    }
    double start = locum_dataset_time(f->dataset, b, f->history - 1);
    for (int l = 0; l < f->n_leads; l++) f->times[l] = locum_dataset_time(f->dataset, b, f->history + l) - start;
    double rounding = 2.4e-7 * fabs(start + f->times[0]); /* of times in float32, two subtracted */
    LOCUM_REQUIRE(fabs(f->times[0] - f->interval) <= 1e-6 * f->interval + 2 * rounding, LOCUM_INPUT,
                  "frames of the dataset are %.6g apart, but the model steps by %.6g", f->times[0], f->interval);
    return LOCUM_OK;
}

/* --- sizes of variances --------------------------------------------------------------------------- */

static bool is_variance(const char *name)
{
    size_t n = strlen(name), tail = strlen("_variance");

    return n > tail && !strcmp(name + n - tail, "_variance");
}

static locum_status measure_size(locum_fields *f, int o)
{
    locum_field_array array = f->output[o];
    double *values = NULL, sum = 0;

    array.first = 0;
    LOCUM_TRY(LOCUM_NEW(&values, array.count));
    locum_status st = LOCUM_OK;
    for (int64_t i = 0; i < f->n[LOCUM_TRAIN] && !st; i++) {
        st = locum_fields_read(f, LOCUM_TRAIN, i, -1, 1, &array, values);
        for (int64_t j = 0; j < array.count && !st; j++) sum += values[j] * values[j];
    }
    f->typical[o] = sum / (double)f->n[LOCUM_TRAIN];
    free(values);
    return st;
}

/* --- duplicates: frames that a step learns are told apart by seed too --------------------------- */

typedef struct tagged {
    const locum_dataset_sample *sample;
    int n;
} tagged;

static int by_content(const void *a, const void *b)
{
    const tagged *x = a, *y = b;
    int order = x->n ? memcmp(x->sample->parameter, y->sample->parameter, (size_t)x->n * sizeof(double)) : 0;

    return order ? order : (x->sample->seed > y->sample->seed) - (x->sample->seed < y->sample->seed);
}

static locum_status count_duplicates(locum_fields *f)
{
    tagged *all = NULL;
    int64_t n = 0;

    LOCUM_TRY(LOCUM_NEW(&all, locum_dataset_n(f->dataset) + 1));
    for (int s = 0; s < LOCUM_NOISE; s++)
        for (int64_t i = 0; i < f->n[s]; i++)
            all[n++] =
                (tagged){locum_dataset_sample_at(f->dataset, f->sample[s][i]), locum_dataset_n_parameters(f->dataset)};
    qsort(all, (size_t)n, sizeof *all, by_content);
    for (int64_t i = 1; i < n; i++) /* foreign files tell no seeds */
        f->duplicates += all[i].sample->seed && all[i].sample->split != all[i - 1].sample->split &&
                         !by_content(&all[i], &all[i - 1]);
    free(all);
    return LOCUM_OK;
}

/* --- all -------------------------------------------------------------------------------------- */

static locum_status fill(locum_fields *f)
{
    locum_settings *settings;

    LOCUM_TRY(locum_validate_read(f->call->study, &settings));
    f->config = locum_settings_config(settings);
    LOCUM_TRY(read_models(f));
    LOCUM_TRY(choose_metric(f));
    LOCUM_TRY(list_samples(f));
    LOCUM_TRY(read_times(f));
    for (int o = 0; o < f->n_outputs && !f->step; o++)
        if (is_variance(f->output[o].name)) LOCUM_TRY(measure_size(f, o));
    locum_note_time(f->test_read);
    return count_duplicates(f);
}

locum_status locum_fields_create(const locum_validate_call *call, locum_fields **fields)
{
    locum_fields *f = NULL;

    *fields = NULL;
    LOCUM_TRY(LOCUM_NEW(&f, 1));
    f->call = call;
    f->dataset = call->dataset;
    f->seed = locum_study_seed(call->study);
    MPI_Comm_rank(call->world, &f->rank);
    MPI_Comm_size(call->world, &f->size);
    locum_status st = fill(f);
    if (st)
        locum_fields_destroy(f);
    else
        *fields = f;
    return st;
}

/* --- trajectories ----------------------------------------------------------------------------- */

locum_status locum_trajectory_make(const locum_fields *f, locum_trajectory *t)
{
    *t = (locum_trajectory){0};
    LOCUM_TRY(LOCUM_NEW(&t->seen, f->history * f->in_width + 1));
    return LOCUM_NEW(&t->truth, f->n_leads * f->width);
}

void locum_trajectory_free(locum_trajectory *t)
{
    free(t->seen);
    free(t->truth);
    *t = (locum_trajectory){0};
}

locum_status locum_fields_read(const locum_fields *f, locum_split split, int64_t i, int64_t frame, int n,
                               const locum_field_array *arrays, double *values)
{
    int64_t b = f->sample[split][i];

    if (frame < 0) frame += locum_dataset_sample_at(f->dataset, b)->n_frames;
    for (int k = 0; k < n; k++) {
        LOCUM_REQUIRE(locum_dataset_count(f->dataset, b, frame, arrays[k].array) == arrays[k].count, LOCUM_INPUT,
                      "'%s' has not the same grid in all samples", arrays[k].name);
        LOCUM_TRY(locum_dataset_read(f->dataset, b, frame, arrays[k].array, values + arrays[k].first));
    }
    return LOCUM_OK;
}

void locum_fields_values(const locum_fields *f, locum_split split, int64_t i, double *values)
{
    const locum_dataset_sample *sample = locum_dataset_sample_at(f->dataset, f->sample[split][i]);

    for (int k = 0; k < f->n_values; k++) values[k] = sample->parameter[f->parameter[k]];
}

locum_status locum_trajectory_read(const locum_fields *f, locum_split split, int64_t i, locum_trajectory *t)
{
    locum_fields_values(f, split, i, t->values);
    if (!f->step) {
        LOCUM_TRY(locum_fields_read(f, split, i, 0, f->n_inputs, f->input, t->seen));
        return locum_fields_read(f, split, i, -1, f->n_outputs, f->output, t->truth);
    }
    for (int64_t k = 0; k < f->history; k++)
        LOCUM_TRY(locum_fields_read(f, split, i, k, f->n_outputs, f->output, t->seen + k * f->width));
    for (int l = 0; l < f->n_leads; l++)
        LOCUM_TRY(locum_fields_read(f, split, i, f->history + l, f->n_outputs, f->output, t->truth + l * f->width));
    return LOCUM_OK;
}

void locum_fields_share(const locum_fields *f, int64_t n, double *values)
{
    const int64_t most = 1 << 24;

    for (int64_t at = 0; at < n; at += most)
        MPI_Allreduce(MPI_IN_PLACE, values + at, (int)(n - at < most ? n - at : most), MPI_DOUBLE, MPI_SUM,
                      f->call->world);
}
