/* SPDX-License-Identifier: BSD-3-Clause */
/* dataset_csv.c - a table of numbers as a dataset: a row is a sample, `inputs` are its parameters, `outputs` single
 * values. CSV with a header line, or any file that columns.h reads. Small, so it is read whole. */
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "datasets/formats/columns.h"
#include "datasets/formats/source_internal.h"
#include "datasets/store/reader.h"

typedef struct rows {
    int n_columns, n_inputs;
    double **columns; /* [n_columns] of [n] */
} rows;

static double time_of(const void *self, int64_t place, int64_t frame)
{
    (void)self;
    (void)place;
    return (double)frame;
}

static locum_status read_value(void *self, int64_t place, int64_t frame, int64_t n_frames, int array, int64_t first,
                               int64_t n, void *values)
{
    const rows *r = self;

    (void)frame; /* there is one, of one value */
    (void)first;
    (void)n;
    for (int64_t f = 0; f < n_frames; f++) ((double *)values)[f] = r->columns[r->n_inputs + array][place];
    return LOCUM_OK;
}

static void destroy(void *self)
{
    rows *r = self;

    if (!r) return;
    if (r->columns) locum_columns_free(r->n_columns, r->columns);
    free(r->columns);
    free(r);
}

static locum_status make_samples(const rows *r, int64_t n, locum_reader_sample **samples, double **parameter)
{
    locum_status st = LOCUM_NEW(samples, n + 1);

    if (!st) st = LOCUM_NEW(parameter, n * r->n_inputs + 1);
    for (int64_t b = 0; !st && b < n; b++) {
        double *row = *parameter + b * r->n_inputs;
        for (int p = 0; p < r->n_inputs; p++) row[p] = r->columns[p][b];
        (*samples)[b] = (locum_reader_sample){.index = b, .split = LOCUM_SPLITS, .n_frames = 1, .parameter = row};
    }
    return st;
}

locum_status locum_source_open_csv(const locum_source *source, const char *path, uint64_t hash, locum_dataset **dataset)
{
    static const locum_reader_type type = {"csv", time_of, read_value, destroy};
    static const locum_domain global = {.name = "global", .support = LOCUM_GLOBAL};
    locum_array arrays[LOCUM_LIST_MAX] = {{0}};
    const char *names[2 * LOCUM_LIST_MAX];
    int64_t extent[2 * LOCUM_LIST_MAX], n = 0;
    locum_reader_sample *samples = NULL;
    double *parameter = NULL;
    rows *r = NULL;

    locum_status st = LOCUM_NEW(&r, 1);
    if (!st) {
        r->n_inputs = source->n_inputs;
        r->n_columns = source->n_inputs + source->n_outputs;
        st = LOCUM_NEW(&r->columns, r->n_columns + 1);
    }
    for (int c = 0; !st && c < r->n_columns; c++) {
        bool is_input = c < r->n_inputs;
        names[c] = is_input ? source->inputs[c] : source->outputs[c - r->n_inputs];
        extent[c] = 1;
        if (!is_input)
            arrays[c - r->n_inputs] = (locum_array){
                .name = names[c], .text = "", .unit = "1", .type = LOCUM_FLOAT64, .roles = LOCUM_OBSERVABLE};
    }
    if (!st) st = locum_columns_read(path, r->n_columns, names, extent, &n, r->columns);
    if (!st) st = make_samples(r, n, &samples, &parameter);
    if (!st) {
        locum_schema schema = {
            .domains = &global, .n_domains = 1, .arrays = arrays, .n_arrays = source->n_outputs, .timeless = true};
        locum_reader_facts facts = {.name = "csv",
                                    .schema = &schema,
                                    .options_hash = hash,
                                    .n_parameters = r->n_inputs,
                                    .parameter_name = names,
                                    .n_samples = n,
                                    .samples = samples};
        st = locum_dataset_create(&type, r, &facts, dataset);
        r = NULL;
    }
    destroy(r);
    free(samples);
    free(parameter);
    return st;
}
