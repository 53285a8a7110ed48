/* SPDX-License-Identifier: BSD-3-Clause */
/* examples.c - which arrays and samples of a dataset become examples, and whether their blocks fit into memory. */
#include "datasets/loader/examples.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/random.h"
#include "core/text.h"
#include "datasets/loader/examples_internal.h"

#define CHUNK_BYTES ((int64_t)16 << 20) /* of one read */
#define TIME_TOLERANCE 1e-6             /* of the time between frames */
#define TIME_ROUNDING 2.4e-7 /* of a time: files from elsewhere hold them as float32, and two are subtracted */

/* --- arrays ------------------------------------------------------------------------------------------------------- */
/* a grid, or the points of a profile */
static bool is_field(const locum_schema *schema, int array)
{
    const locum_domain *d = &schema->domains[schema->arrays[array].domain];
    return d->support == LOCUM_GRID || (d->support == LOCUM_ROWS && d->n_dims == 1 && d->n_global[0] > 0);
}

static locum_status no_array(const locum_schema *schema, const char *name)
{
    locum_text list = {0};
    for (int a = 0; a < schema->n_arrays; a++)
        if (is_field(schema, a)) locum_text_add(&list, "%s%s", list.size ? ", " : "", schema->arrays[a].name);
    bool there = locum_schema_find(schema, name) >= 0;
    locum_status st =
        LOCUM_FAIL(LOCUM_STUDY, "%s \"%s\"; the fields of the dataset are %s",
                   there ? "there is no grid under" : "the dataset has no array", name, list.data ? list.data : "none");
    locum_text_free(&list);
    return st;
}

static locum_status take_grid(locum_examples *e, const locum_schema *schema, int array)
{
    const locum_domain *d = &schema->domains[schema->arrays[array].domain];
    if (e->domain) {
        bool same = e->n_axes == d->n_dims;
        for (int a = 0; a < d->n_dims && same; a++) same = e->grid[a] == d->n_global[a];
        LOCUM_REQUIRE(same, LOCUM_STUDY, "\"%s\" lies on another grid (`%s`) than the fields before it (`%s`)",
                      schema->arrays[array].name, d->name, e->domain->name);
        return LOCUM_OK;
    }
    e->domain = d;
    e->n_axes = d->n_dims;
    e->points = 1;
    e->periodic = true;
    for (int a = 0; a < d->n_dims; a++) {
        e->points *= e->grid[a] = d->n_global[a];
        e->periodic = e->periodic && d->side[a][0] == LOCUM_PERIODIC && d->side[a][1] == LOCUM_PERIODIC;
    }
    return LOCUM_OK;
}

static locum_status take_fields(locum_examples *e, const locum_schema *schema, int n, const char *const *names,
                                locum_field *fields, int *channels)
{
    LOCUM_REQUIRE(n <= LOCUM_EXAMPLE_ARRAYS, LOCUM_STUDY, "%d fields: at most %d can be learnt", n,
                  LOCUM_EXAMPLE_ARRAYS);
    for (int i = 0; i < n; i++) {
        int array = locum_schema_find(schema, names[i]);
        if (array < 0 || !is_field(schema, array)) return no_array(schema, names[i]);
        for (int j = 0; j < i; j++)
            LOCUM_REQUIRE(fields[j].array != array, LOCUM_STUDY, "\"%s\" is named twice", names[i]);
        const locum_array *a = &schema->arrays[array];
        locum_field *f = &fields[i];
        *f = (locum_field){.array = array, .components = (int)locum_array_components(a), .first_channel = *channels};
        snprintf(f->name, sizeof f->name, "%s", a->name);
        snprintf(f->unit, sizeof f->unit, "%s", a->unit ? a->unit : "");
        snprintf(f->text, sizeof f->text, "%s", a->text ? a->text : "");
        *channels += f->components;
        LOCUM_TRY(take_grid(e, schema, array));
    }
    return LOCUM_OK;
}

static locum_status take_arrays(locum_examples *e, const locum_dataset *dataset, const locum_examples_request *r)
{
    const locum_schema *schema = locum_dataset_schema(dataset);
    LOCUM_REQUIRE(schema, LOCUM_STUDY, "the dataset holds no frame");
    LOCUM_REQUIRE(r->n_outputs > 0, LOCUM_STUDY, "no field is named to be learnt");
    e->n_outputs = r->n_outputs;
    e->n_inputs = r->step ? r->n_outputs : r->n_inputs;
    LOCUM_TRY(take_fields(e, schema, r->n_outputs, r->outputs, e->outputs, &e->out_channels));
    return take_fields(e, schema, e->n_inputs, r->step ? r->outputs : r->inputs, e->inputs, &e->in_channels);
}

static locum_status take_values(locum_examples *e, const locum_dataset *dataset)
{
    e->n_values = locum_dataset_n_parameters(dataset);
    LOCUM_TRY(LOCUM_NEW(&e->value_name, e->n_values + 1));
    LOCUM_TRY(LOCUM_NEW(&e->value_unit, e->n_values + 1));
    LOCUM_TRY(LOCUM_NEW(&e->value_lower, e->n_values + 1));
    LOCUM_TRY(LOCUM_NEW(&e->value_upper, e->n_values + 1));
    for (int i = 0; i < e->n_values; i++) {
        e->value_name[i] = locum_dataset_parameter_name(dataset, i);
        e->value_unit[i] = locum_dataset_parameter_unit(dataset, i);
    }
    return LOCUM_OK;
}

/* --- samples ------------------------------------------------------------------------------------------------------ */
static bool is_good(const locum_dataset_sample *sample)
{
    return !sample->failed && sample->n_frames > 0;
}

static locum_status count_samples(locum_examples *e, const locum_examples_request *r)
{
    const locum_dataset *dataset = e->memory->dataset;
    int64_t frames = 0, n_failed = 0;
    for (int64_t b = 0; b < locum_dataset_n(dataset); b++) {
        const locum_dataset_sample *s = locum_dataset_sample_at(dataset, b);
        if (!is_good(s)) {
            n_failed++;
            continue;
        }
        e->n_samples[s->split]++;
        LOCUM_REQUIRE(!r->step || !frames || s->n_frames == frames, LOCUM_STUDY,
                      "sample %lld has %lld frames, those before it %lld: steps need as many in all",
                      (long long)s->index, (long long)s->n_frames, (long long)frames);
        frames = s->n_frames;
    }
    LOCUM_REQUIRE(e->n_samples[LOCUM_TRAIN] > 0, LOCUM_STUDY,
                  "the dataset has no sample to train on (%lld of it failed)", (long long)n_failed);
    if (r->train_samples && r->train_samples < e->n_samples[LOCUM_TRAIN]) e->n_samples[LOCUM_TRAIN] = r->train_samples;
    e->memory->frames = r->step ? frames : 1;
    e->memory->per_sample = r->step ? frames - r->history - r->rollout + 1 : 1;
    LOCUM_REQUIRE(e->memory->per_sample > 0, LOCUM_STUDY,
                  "samples of %lld frames: a history of %d and a roll-out of %d need at least %d", (long long)frames,
                  r->history, r->rollout, r->history + r->rollout);
    return LOCUM_OK;
}

/* all frames of a step follow each other after the same time */
static locum_status check_times(locum_examples *e, int64_t place)
{
    const locum_dataset *dataset = e->memory->dataset;
    for (int64_t t = 1; t < e->memory->frames; t++) {
        double before = locum_dataset_time(dataset, place, t - 1), now = locum_dataset_time(dataset, place, t),
               between = now - before, off;
        if (e->interval == 0) e->interval = between;
        off = fabs(between - e->interval) - TIME_ROUNDING * fmax(fabs(before), fabs(now));
        LOCUM_REQUIRE(between > 0 && off <= TIME_TOLERANCE * e->interval, LOCUM_STUDY,
                      "sample %lld: %g between frames %lld and %lld, %g before: steps need the same time between all",
                      (long long)locum_dataset_sample_at(dataset, place)->index, between, (long long)t - 1,
                      (long long)t, e->interval);
    }
    return LOCUM_OK;
}

/* good samples of a split in the order of the dataset; of the training split perhaps some, in the order of a seed */
static locum_status place_samples(locum_examples *e, locum_split split, const locum_examples_request *r)
{
    const locum_dataset *dataset = e->memory->dataset;
    examples_part *part = &e->memory->parts[split];
    int64_t *all = NULL, *order = NULL, n_all = 0, n = e->n_samples[split];
    locum_status st = LOCUM_NEW(&all, locum_dataset_n(dataset) + 1);
    for (int64_t b = 0; b < locum_dataset_n(dataset) && !st; b++) {
        const locum_dataset_sample *s = locum_dataset_sample_at(dataset, b);
        if (is_good(s) && s->split == split) all[n_all++] = b;
    }
    if (!st) st = LOCUM_NEW(&order, n_all + 1);
    for (int64_t i = 0; i < n_all && !st; i++) order[i] = i;
    if (!st && n < n_all) locum_random_order(r->seed, LOCUM_STREAM_SPLIT, 0, n_all, order);
    if (!st) st = LOCUM_NEW(&part->place, n + 1);
    for (int64_t i = 0; i < n && !st; i++) part->place[i] = all[order[i]];
    free(all);
    free(order);
    return st;
}

static locum_status take_split(locum_examples *e, locum_split split, const locum_examples_request *r)
{
    struct locum_examples_memory *m = e->memory;
    examples_part *part = &m->parts[split];
    LOCUM_TRY(place_samples(e, split, r));
    e->n[split] = e->n_samples[split] * m->per_sample;
    LOCUM_TRY(LOCUM_NEW(&part->values, e->n_samples[split] * e->n_values + 1));
    LOCUM_TRY(LOCUM_NEW(&part->number, e->n[split] + 1));
    for (int64_t i = 0; i < e->n_samples[split]; i++) {
        const locum_dataset_sample *s = locum_dataset_sample_at(m->dataset, part->place[i]);
        if (r->step) LOCUM_TRY(check_times(e, part->place[i]));
        for (int64_t t = 0; t < m->per_sample; t++) part->number[i * m->per_sample + t] = s->index;
        for (int v = 0; v < e->n_values; v++) {
            double value = part->values[i * e->n_values + v] = s->parameter[v];
            LOCUM_REQUIRE(isfinite(value), LOCUM_DAMAGED, "sample %lld: \"%s\" is %g", (long long)s->index,
                          e->value_name[v], value);
            if (split != LOCUM_TRAIN) continue;
            e->value_lower[v] = i ? fmin(e->value_lower[v], value) : value;
            e->value_upper[v] = i ? fmax(e->value_upper[v], value) : value;
        }
    }
    return LOCUM_OK;
}

/* --- memory ------------------------------------------------------------------------------------------------------- */
static locum_status make_blocks(locum_examples *e, int64_t bytes)
{
    struct locum_examples_memory *m = e->memory;
    int64_t in = e->step ? 0 : e->points * e->in_channels, out = e->points * e->out_channels * m->frames;
    double needed = 0;
    for (int s = 0; s < LOCUM_SPLITS; s++)
        if (locum_examples_kept((locum_split)s)) needed += (double)e->n_samples[s] * (double)(in + out) * sizeof(float);
    m->resident = needed <= (double)bytes;
    for (int s = 0; s < LOCUM_SPLITS && m->resident; s++) {
        if (!locum_examples_kept((locum_split)s) || !e->n_samples[s]) continue;
        if (in) LOCUM_TRY(LOCUM_NEW(&m->parts[s].in, e->n_samples[s] * in));
        LOCUM_TRY(LOCUM_NEW(&m->parts[s].out, e->n_samples[s] * out));
    }
    int most = 1;
    for (int i = 0; i < e->n_inputs; i++) most = e->inputs[i].components > most ? e->inputs[i].components : most;
    for (int i = 0; i < e->n_outputs; i++) most = e->outputs[i].components > most ? e->outputs[i].components : most;
    int64_t frame = e->points * (e->in_channels > e->out_channels ? e->in_channels : e->out_channels);
    m->chunk = CHUNK_BYTES / (int64_t)sizeof(float) / frame;
    m->chunk = m->chunk < 1 ? 1 : m->chunk < m->frames ? m->chunk : m->frames;
    LOCUM_TRY(LOCUM_NEW(&m->array, m->chunk * e->points * most));
    return LOCUM_NEW(&m->frame_stack, e->history * e->points * e->in_channels + 1);
}

static locum_status check_request(const locum_examples_request *r)
{
    LOCUM_REQUIRE(r->history >= 1 && r->rollout >= 1 && (r->step || (r->history == 1 && r->rollout == 1)), LOCUM_ARG,
                  "history %d, roll-out %d of a %s", r->history, r->rollout, r->step ? "step" : "map");
    return LOCUM_OK;
}

locum_status locum_examples_create(const locum_dataset *dataset, const locum_examples_request *request,
                                   locum_examples **examples)
{
    locum_examples *e = NULL;
    *examples = NULL;
    LOCUM_TRY(check_request(request));
    LOCUM_TRY(LOCUM_NEW(&e, 1));
    e->step = request->step;
    e->history = request->history;
    e->rollout = request->rollout;
    locum_status st = LOCUM_NEW(&e->memory, 1);
    if (!st) {
        pthread_mutex_init(&e->memory->mutex, NULL);
        e->memory->dataset = dataset;
        st = take_arrays(e, dataset, request);
    }
    if (!st) st = take_values(e, dataset);
    if (!st) st = count_samples(e, request);
    if (!st && e->step) st = LOCUM_NEW(&e->change, e->out_channels);
    for (int s = 0; s < LOCUM_SPLITS && !st; s++) st = take_split(e, (locum_split)s, request);
    if (!st) st = make_blocks(e, request->memory);
    if (!st) st = locum_examples_scan(e);
    if (st)
        locum_examples_destroy(e);
    else
        *examples = e;
    return st;
}

static void free_fields(int n, locum_field *fields)
{
    for (int i = 0; i < n; i++) {
        free(fields[i].mean);
        free(fields[i].scale);
    }
}

void locum_examples_destroy(locum_examples *e)
{
    if (!e) return;
    free_fields(LOCUM_EXAMPLE_ARRAYS, e->inputs);
    free_fields(LOCUM_EXAMPLE_ARRAYS, e->outputs);
    free(e->value_name);
    free(e->value_unit);
    free(e->value_lower);
    free(e->value_upper);
    free(e->change);
    if (e->memory) {
        for (int s = 0; s < LOCUM_SPLITS; s++) {
            examples_part *part = &e->memory->parts[s];
            free(part->place);
            free(part->number);
            free(part->values);
            free(part->in);
            free(part->out);
        }
        free(e->memory->array);
        free(e->memory->frame_stack);
        pthread_mutex_destroy(&e->memory->mutex);
        free(e->memory);
    }
    free(e);
}
