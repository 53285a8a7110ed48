/* SPDX-License-Identifier: BSD-3-Clause */
/* dataset_reader.c - the handle over a foreign layout: copies of what its reader says. */
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "datasets/store/dataset_internal.h"

static locum_status copy_parameters(locum_dataset *d, const locum_reader_facts *facts)
{
    locum_status st = LOCUM_NEW(&d->parameter_name, facts->n_parameters + 1);

    if (!st) st = LOCUM_NEW(&d->parameter_unit, facts->n_parameters + 1);
    if (!st) d->n_parameters = facts->n_parameters;
    for (int i = 0; !st && i < d->n_parameters; i++) {
        const char *unit = facts->parameter_unit ? facts->parameter_unit[i] : NULL;
        st = locum_copy_text(&d->parameter_name[i], facts->parameter_name[i]);
        if (!st) st = locum_copy_text(&d->parameter_unit[i], unit ? unit : "1");
    }
    return st;
}

static locum_status copy_samples(locum_dataset *d, const locum_reader_facts *facts)
{
    locum_status st = LOCUM_NEW(&d->samples, facts->n_samples + 1);

    for (int64_t b = 0; !st && b < facts->n_samples; b++) {
        const locum_reader_sample *from = &facts->samples[b];
        locum_sample_view *to = &d->samples[b];
        *to = (locum_sample_view){.shard = -1, .slot = b};
        st = LOCUM_NEW(&to->parameter, d->n_parameters + 1);
        if (!st && d->n_parameters) memcpy(to->parameter, from->parameter, (size_t)d->n_parameters * sizeof(double));
        to->sample = (locum_dataset_sample){.index = from->index,
                                            .twin = -1,
                                            .split = from->split,
                                            .reason = "",
                                            .parameter = to->parameter,
                                            .n_frames = from->n_frames};
        d->n_samples++; /* counted even if incomplete: close frees what is there */
    }
    d->capacity_samples = d->n_samples;
    return st;
}

locum_status locum_dataset_create(const locum_reader_type *type, void *self, const locum_reader_facts *facts,
                                  locum_dataset **dataset)
{
    locum_dataset *d = NULL;

    *dataset = NULL;
    locum_status st = LOCUM_NEW(&d, 1);
    if (st) {
        type->destroy(self);
        return st;
    }
    d->reader = type;
    d->self = self;
    st = LOCUM_NEW(&d->cache, 1);
    if (!st) *d->cache = (locum_file_cache){.shard = -1, .file = -1};
    if (!st) st = locum_owned_schema_copy(facts->schema, NULL, &d->schema);
    for (int a = 0; !st && a < d->schema->schema.n_arrays; a++)
        if (d->schema->arrays[a].type == LOCUM_FLOAT32) d->schema->arrays[a].type = LOCUM_FLOAT64; /* as read */
    if (!st) st = locum_copy_text(&d->name, facts->name);
    if (!st) st = copy_parameters(d, facts);
    if (!st) st = copy_samples(d, facts);
    d->options_hash = facts->options_hash;
    if (st)
        locum_dataset_close(d);
    else
        *dataset = d;
    return st;
}

void locum_dataset_arrange(locum_dataset *d, const bool *keep, const locum_split *split)
{
    int64_t kept = 0;

    for (int64_t b = 0; b < d->n_samples; b++) {
        d->samples[b].sample.split = split[b];
        if (keep[b]) {
            locum_sample_view view = d->samples[kept];
            d->samples[kept++] = d->samples[b];
            d->samples[b] = view; /* dropped ones gather behind the end */
        }
    }
    for (int64_t b = kept; b < d->n_samples; b++) {
        free(d->samples[b].parameter);
        free(d->samples[b].reason);
    }
    d->n_samples = kept;
}
