/* SPDX-License-Identifier: BSD-3-Clause */
/* table.c - a dataset as columns in memory, with the normalisers of its training split.
 *
 * Inputs are the varied parameters, outputs the wanted arrays of each sample's last frame. Everything is read here,
 * by the calling thread, before a loader's thread starts: HDF5 is called from one thread only.
 *
 * Statistics come from the training split alone, in two passes about the first value: mean = x0 + sum(x - x0)/n,
 * variance = sum((x - mean)^2)/n. A constant column has exactly zero variance and gets the scale 1. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/hash.h"
#include "core/memory.h"
#include "datasets/loader/loader.h"

/* --- columns ---------------------------------------------------------------------------------- */
static void put_text(char *to, size_t size, const char *from)
{
    snprintf(to, size, "%s", from ? from : "");
}

static locum_status input_column(const locum_dataset *dataset, int p, locum_column *c)
{
    put_text(c->name, sizeof c->name, locum_dataset_parameter_name(dataset, p));
    put_text(c->unit, sizeof c->unit, locum_dataset_parameter_unit(dataset, p));
    c->extent = 1;
    c->is_input = true;
    return LOCUM_OK;
}

static locum_status output_column(const locum_schema *schema, int a, locum_column *c)
{
    const locum_array *array = &schema->arrays[a];
    const locum_domain *d = &schema->domains[array->domain];
    int n_axes = d->support == LOCUM_GLOBAL ? 0 : d->n_dims;

    put_text(c->name, sizeof c->name, array->name);
    put_text(c->unit, sizeof c->unit, array->unit);
    put_text(c->text, sizeof c->text, array->text);
    LOCUM_REQUIRE(d->support != LOCUM_ROWS || d->n_global[0] > 0, LOCUM_STUDY,
                  "\"%s\" has another number of rows in each sample; it cannot be the output of a map", array->name);
    LOCUM_REQUIRE(n_axes + array->order <= 3, LOCUM_STUDY, "\"%s\" has %d axes; an output of a map has at most 3",
                  array->name, n_axes + array->order);
    c->extent = locum_array_components(array);
    for (int i = 0; i < n_axes; i++) {
        c->dims[c->n_dims] = d->n_global[i];
        c->extent *= d->n_global[i];
        put_text(c->axis_name[c->n_dims], sizeof c->axis_name[0], d->axis_name[i]);
        if (d->axis[i]) {
            LOCUM_TRY(LOCUM_NEW(&c->axis[c->n_dims], d->n_global[i]));
            memcpy(c->axis[c->n_dims], d->axis[i], (size_t)d->n_global[i] * sizeof(double));
        }
        c->n_dims++;
    }
    for (int i = 0; i < array->order; i++) c->dims[c->n_dims++] = array->shape[i];
    return LOCUM_OK;
}

/* names of the arrays, for messages */
static void list_arrays(const locum_schema *schema, char *list, size_t size)
{
    list[0] = 0;
    for (int a = 0; a < schema->n_arrays; a++) {
        size_t used = strlen(list);
        snprintf(list + used, size - used, "%s%s", a ? ", " : "", schema->arrays[a].name);
    }
}

static locum_status make_columns(const locum_dataset *dataset, int n_outputs, const char *const *outputs,
                                 locum_table *t, int *arrays)
{
    const locum_schema *schema = locum_dataset_schema(dataset);
    char list[400];
    locum_status st = LOCUM_NEW(&t->columns, locum_dataset_n_parameters(dataset) + n_outputs + 1);

    if (!st) t->n_inputs = locum_dataset_n_parameters(dataset);
    for (int p = 0; !st && p < t->n_inputs; p++) st = input_column(dataset, p, &t->columns[t->n_columns++]);
    for (int o = 0; !st && o < n_outputs; o++) {
        arrays[o] = locum_schema_find(schema, outputs[o]);
        if (arrays[o] < 0) {
            list_arrays(schema, list, sizeof list);
            st = LOCUM_FAIL(LOCUM_STUDY, "the dataset has no array \"%s\"; it has %s", outputs[o],
                            list[0] ? list : "none");
        } else {
            st = output_column(schema, arrays[o], &t->columns[t->n_columns++]);
        }
    }
    return st;
}

/* --- values ----------------------------------------------------------------------------------- */
static locum_status count_samples(const locum_dataset *dataset, locum_table *t)
{
    char list[200] = "";

    for (int64_t b = 0; b < locum_dataset_n(dataset); b++) {
        const locum_dataset_sample *s = locum_dataset_sample_at(dataset, b);
        if (s->failed || s->n_frames < 1)
            t->n_failed++;
        else
            t->n[s->split]++;
    }
    for (int s = 0; s < LOCUM_SPLITS; s++) {
        size_t used = strlen(list);
        snprintf(list + used, sizeof list - used, "%s%lld %s", s ? ", " : "", (long long)t->n[s],
                 locum_split_name((locum_split)s));
    }
    LOCUM_REQUIRE(t->n[LOCUM_TRAIN] > 0, LOCUM_STUDY,
                  "the dataset has no sample to train on; it has %s, and %lld failed", list, (long long)t->n_failed);
    return LOCUM_OK;
}

static locum_status make_values(locum_table *t)
{
    locum_status st = LOCUM_NEW(&t->twin, t->n[LOCUM_NOISE] + 1);

    for (int s = 0; !st && s < LOCUM_SPLITS; s++) {
        st = LOCUM_NEW(&t->index[s], t->n[s] + 1);
        if (!st) st = LOCUM_NEW(&t->values[s], t->n_columns + 1);
        for (int c = 0; !st && c < t->n_columns; c++) {
            LOCUM_REQUIRE(t->columns[c].extent > 0 && t->n[s] < INT64_MAX / 8 / t->columns[c].extent, LOCUM_MEMORY,
                          "\"%s\" does not fit into memory", t->columns[c].name);
            st = LOCUM_NEW(&t->values[s][c], t->n[s] * t->columns[c].extent + 1);
        }
    }
    return st;
}

static locum_status check_finite(const locum_column *c, int64_t sample, const double *values)
{
    for (int64_t i = 0; i < c->extent; i++)
        LOCUM_REQUIRE(isfinite(values[i]), LOCUM_DAMAGED, "sample %lld: value %lld of \"%s\" is %g", (long long)sample,
                      (long long)i, c->name, values[i]);
    return LOCUM_OK;
}

static locum_status read_values(const locum_dataset *dataset, locum_table *t, const int *arrays)
{
    int64_t row[LOCUM_SPLITS] = {0};
    locum_status st = LOCUM_OK;

    for (int64_t b = 0; !st && b < locum_dataset_n(dataset); b++) {
        const locum_dataset_sample *sample = locum_dataset_sample_at(dataset, b);
        if (sample->failed || sample->n_frames < 1) continue;
        int64_t r = row[sample->split]++;
        t->index[sample->split][r] = sample->index;
        if (sample->split == LOCUM_NOISE) t->twin[r] = sample->twin;
        for (int c = 0; !st && c < t->n_columns; c++) {
            double *values = t->values[sample->split][c] + r * t->columns[c].extent;
            if (c < t->n_inputs)
                values[0] = sample->parameter[c];
            else
                st = locum_dataset_read(dataset, b, -1, arrays[c - t->n_inputs], values);
            if (!st) st = check_finite(&t->columns[c], sample->index, values);
        }
    }
    return st;
}

/* --- statistics ------------------------------------------------------------------------------- */
static locum_status measure_column(locum_column *c, const double *values, int64_t n)
{
    locum_status st = LOCUM_NEW(&c->mean, c->extent);

    if (!st) st = LOCUM_NEW(&c->scale, c->extent);
    if (st) return st;
    c->lower = c->upper = values[0];
    for (int64_t i = 0; i < n * c->extent; i++) {
        c->lower = fmin(c->lower, values[i]);
        c->upper = fmax(c->upper, values[i]);
    }
    for (int64_t i = 0; i < c->extent; i++) {
        double first = values[i], sum = 0, squares = 0;
        for (int64_t r = 0; r < n; r++) sum += values[r * c->extent + i] - first;
        c->mean[i] = first + sum / (double)n;
        for (int64_t r = 0; r < n; r++) {
            double d = values[r * c->extent + i] - c->mean[i];
            squares += d * d;
        }
        double scale = sqrt(squares / (double)n);
        c->scale[i] = scale > 0 ? scale : 1.0;
    }
    return LOCUM_OK;
}

static locum_status hash_table(locum_table *t)
{
    locum_hash_stream *stream = locum_hash_begin();

    LOCUM_REQUIRE(stream, LOCUM_MEMORY, "out of memory for a checksum");
    for (int c = 0; c < t->n_columns; c++) {
        locum_hash_add(stream, t->columns[c].name, strlen(t->columns[c].name) + 1);
        locum_hash_add(stream, &t->columns[c].extent, sizeof t->columns[c].extent);
    }
    locum_hash_add(stream, &t->n_inputs, sizeof t->n_inputs);
    for (int s = 0; s < LOCUM_SPLITS; s++) {
        locum_hash_add(stream, &t->n[s], sizeof t->n[s]);
        locum_hash_add(stream, t->index[s], (size_t)t->n[s] * sizeof(int64_t));
        for (int c = 0; c < t->n_columns; c++)
            locum_hash_add(stream, t->values[s][c], (size_t)(t->n[s] * t->columns[c].extent) * sizeof(double));
    }
    locum_hash_add(stream, t->twin, (size_t)t->n[LOCUM_NOISE] * sizeof(int64_t));
    t->hash = locum_hash_end(stream);
    return LOCUM_OK;
}

locum_status locum_table_read(const locum_dataset *dataset, int n_outputs, const char *const *outputs,
                              locum_table **table)
{
    locum_table *t = NULL;
    int *arrays = NULL;

    *table = NULL;
    locum_status st = LOCUM_NEW(&t, 1);
    if (!st) st = LOCUM_NEW(&arrays, n_outputs + 1);
    if (!st) st = make_columns(dataset, n_outputs, outputs, t, arrays);
    if (!st) st = count_samples(dataset, t);
    if (!st) st = make_values(t);
    if (!st) st = read_values(dataset, t, arrays);
    for (int c = 0; !st && c < t->n_columns; c++)
        st = measure_column(&t->columns[c], t->values[LOCUM_TRAIN][c], t->n[LOCUM_TRAIN]);
    if (!st) st = hash_table(t);
    free(arrays);
    if (st)
        locum_table_destroy(t);
    else
        *table = t;
    return st;
}

void locum_table_destroy(locum_table *t)
{
    if (!t) return;
    for (int s = 0; s < LOCUM_SPLITS; s++) {
        for (int c = 0; t->values[s] && c < t->n_columns; c++) free(t->values[s][c]);
        free(t->values[s]);
        free(t->index[s]);
    }
    for (int c = 0; c < t->n_columns; c++) {
        for (int i = 0; i < 3; i++) free(t->columns[c].axis[i]);
        free(t->columns[c].mean);
        free(t->columns[c].scale);
    }
    free(t->columns);
    free(t->twin);
    free(t);
}
