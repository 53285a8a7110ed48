/* SPDX-License-Identifier: BSD-3-Clause */
/* mapped.c - a dataset over foreign HDF5 files: every file is looked into once, must say what the first one says, and
 * then counts as samples of one dataset. */
#include "datasets/formats/mapped.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "datasets/formats/mapped_internal.h"

/* --- the reader ------------------------------------------------------------------------------- */
static double time_of(const void *self, int64_t place, int64_t frame)
{
    const locum_mapped *m = self;
    const locum_mapped_file *f = &m->files[locum_mapped_find_file(m, place)];

    if (!f->time) return (double)frame * m->time_step;
    return f->time[(f->time_of_sample ? (place - f->first) * f->n_frames : 0) + frame];
}

static void destroy(void *self)
{
    locum_mapped *m = self;

    if (!m) return;
    locum_mapped_close_files(m);
    for (int i = 0; m->files && i < m->n_files; i++) {
        locum_mapped_file *f = &m->files[i];
        for (int64_t b = 0; f->group && b < f->n_samples; b++) free(f->group[b]);
        free(f->group);
        free(f->time);
        free(f->path);
    }
    free(m->files);
    free(m->scratch);
    free(m);
}

/* --- files that say the same ------------------------------------------------------------------ */
static void grid_text(const locum_mapped_facts *f, char *text, size_t size)
{
    hsize_t n[3] = {(hsize_t)f->n[0], (hsize_t)f->n[1], (hsize_t)f->n[2]};

    locum_mapped_shape(f->n_axes, n, text, size);
}

static locum_status compare_grids(const locum_mapped_facts *a, const char *where_a, const locum_mapped_facts *b,
                                  const char *where_b)
{
    char grid_a[128], grid_b[128];
    bool same = a->n_axes == b->n_axes;

    for (int d = 0; same && d < a->n_axes; d++) same = a->n[d] == b->n[d];
    grid_text(a, grid_a, sizeof grid_a);
    grid_text(b, grid_b, sizeof grid_b);
    LOCUM_REQUIRE(
        same, LOCUM_INPUT,
        "%s has the grid %s, but %s has %s: a dataset has one resolution; put the files of one resolution into "
        "a folder of their own",
        where_b, grid_b, where_a, grid_a);
    for (int d = 0; d < a->n_axes; d++) {
        double length = a->axis[d] ? fabs(a->axis[d][a->n[d] - 1] - a->axis[d][0]) / (double)a->n[d] : 0;
        for (int64_t i = 0; a->axis[d] && b->axis[d] && i < a->n[d]; i++)
            LOCUM_REQUIRE(fabs(a->axis[d][i] - b->axis[d][i]) <= 1e-3 * length, LOCUM_INPUT,
                          "%s: point %lld of axis %s lies at %g, but in %s at %g: a dataset has one grid", where_b,
                          (long long)i, b->axis_name[d], b->axis[d][i], where_a, a->axis[d][i]);
    }
    return LOCUM_OK;
}

static locum_status compare_arrays(const locum_mapped_facts *a, const char *where_a, const locum_mapped_facts *b,
                                   const char *where_b)
{
    for (int i = 0; i < a->n_arrays; i++) {
        const locum_mapped_array *x = &a->arrays[i], *y = &b->arrays[i];
        LOCUM_REQUIRE(i < b->n_arrays && !strcmp(x->name, y->name), LOCUM_INPUT,
                      "%s: there is no array `%s`, which %s has", where_b, x->name, where_a);
        bool same =
            x->n_dims == y->n_dims && x->order == y->order && x->stored == y->stored && !strcmp(x->path, y->path);
        for (int d = 0; same && d < x->n_dims; d++)
            same = x->role[d] == y->role[d] && (x->role[d] <= LOCUM_AXIS_TIME || x->dims[d] == y->dims[d]);
        LOCUM_REQUIRE(same, LOCUM_INPUT, "%s: `%s` has other axes or another type of value than in %s", where_b,
                      x->name, where_a);
    }
    LOCUM_REQUIRE(a->n_arrays == b->n_arrays, LOCUM_INPUT, "%s has the array `%s`, which %s does not have", where_b,
                  b->arrays[a->n_arrays].name, where_a);
    for (int i = 0; i < a->n_parameters; i++)
        LOCUM_REQUIRE(i < b->n_parameters && !strcmp(a->parameter_name[i], b->parameter_name[i]), LOCUM_INPUT,
                      "%s: there is no parameter `%s`, which %s has", where_b, a->parameter_name[i], where_a);
    LOCUM_REQUIRE(a->n_parameters == b->n_parameters, LOCUM_INPUT, "%s has the parameter `%s`, which %s does not have",
                  where_b, b->parameter_name[a->n_parameters], where_a);
    return LOCUM_OK;
}

/* --- samples of all files --------------------------------------------------------------------- */
typedef struct collection {
    locum_mapped *m;
    locum_mapped_facts first; /* of the first file */
    int64_t n_samples, capacity;
    locum_reader_sample *samples; /* parameter is set at the end */
    double *parameter;            /* [n_samples, first.n_parameters] */
} collection;

static locum_status room_for(collection *c, int64_t n)
{
    int64_t n_parameters = c->first.n_parameters;

    if (c->n_samples + n <= c->capacity) return LOCUM_OK;
    int64_t capacity = 2 * (c->n_samples + n);
    locum_reader_sample *samples = realloc(c->samples, (size_t)capacity * sizeof *samples);
    if (samples) c->samples = samples;
    double *parameter = realloc(c->parameter, (size_t)(capacity * n_parameters + 1) * sizeof *parameter);
    if (parameter) c->parameter = parameter;
    LOCUM_REQUIRE(samples && parameter, LOCUM_MEMORY, "out of memory for %lld samples", (long long)capacity);
    c->capacity = capacity;
    return LOCUM_OK;
}

/* samples of a file, whose times and groups are taken over */
static locum_status add_samples(collection *c, const char *path, locum_split split, locum_mapped_facts *facts)
{
    int n_parameters = c->first.n_parameters;
    locum_mapped_file *f = &c->m->files[c->m->n_files];

    LOCUM_TRY(room_for(c, facts->n_samples));
    *f = (locum_mapped_file){.first = c->n_samples, .n_samples = facts->n_samples, .n_frames = facts->n_frames};
    LOCUM_TRY(locum_copy_text(&f->path, path));
    c->m->n_files++;
    f->time = facts->time;
    f->time_of_sample = facts->time_of_sample;
    f->group = facts->group;
    facts->time = NULL;
    facts->group = NULL;
    for (int64_t b = 0; b < f->n_samples; b++) {
        int64_t at = c->n_samples++;
        c->samples[at] = (locum_reader_sample){.index = at, .split = split, .n_frames = f->n_frames};
        for (int p = 0; p < n_parameters; p++) c->parameter[at * n_parameters + p] = facts->parameter[p][b];
    }
    return LOCUM_OK;
}

static locum_status add_file(collection *c, const locum_mapped_layout *layout, const locum_source *source,
                             const char *path, locum_split split)
{
    locum_mapped_facts facts = {0};
    hid_t file = -1;

    locum_status st = locum_hdf5_open_file(path, &file);
    if (!st) st = layout->look(&(locum_mapped_looking){source, file, path, &facts});
    if (!st) st = locum_mapped_complete(source, file, path, &facts);
    if (!st && c->m->n_files > 0) {
        st = compare_grids(&c->first, c->m->files[0].path, &facts, path);
        if (!st) st = compare_arrays(&c->first, c->m->files[0].path, &facts, path);
    } else if (!st) {
        c->first.n_parameters = facts.n_parameters;
    }
    if (!st) st = add_samples(c, path, split, &facts);
    if (!st && c->m->n_files == 1) {
        c->first = facts;
        c->first.n_samples = 0; /* its groups were taken over */
        facts = (locum_mapped_facts){0};
    }
    locum_mapped_facts_free(&facts);
    if (file >= 0) H5Fclose(file);
    return st;
}

/* parameters that never change tell a network nothing */
static void drop_constant(collection *c)
{
    int n = c->first.n_parameters, kept = 0;
    bool varies[LOCUM_MAPPED_PARAMETERS] = {false};

    for (int p = 0; p < n; p++)
        for (int64_t b = 1; b < c->n_samples && !varies[p]; b++) varies[p] = c->parameter[b * n + p] != c->parameter[p];
    for (int64_t b = 0, to = 0; b < c->n_samples; b++)
        for (int p = 0; p < n; p++)
            if (varies[p]) c->parameter[to++] = c->parameter[b * n + p];
    for (int p = 0; p < n; p++) {
        free(c->first.parameter[p]);
        c->first.parameter[p] = NULL;
        if (varies[p]) memmove(c->first.parameter_name[kept++], c->first.parameter_name[p], LOCUM_MAPPED_NAME);
    }
    c->first.n_parameters = kept;
}

/* --- the schema ------------------------------------------------------------------------------- */
/* coordinates where the file has none; box and sides as the study says; end of a periodic axis is one spacing on */
static locum_status place_axis(locum_mapped_facts *f, const locum_source *source, int d, locum_domain *grid)
{
    int64_t n = f->n[d];
    bool given = source->n_box > 0;
    double length = !given ? 1.0 : source->n_box == 1 ? source->box[0] : source->box[d];
    bool periodic = source->periodic == LOCUM_PERIODIC_AUTO ? f->side[d] == LOCUM_PERIODIC
                                                            : source->periodic == LOCUM_PERIODIC_TRUE;

    if (!f->axis[d]) {
        LOCUM_TRY(LOCUM_NEW(&f->axis[d], n));
        int64_t steps = periodic || n == 1 ? n : n - 1;
        for (int64_t i = 0; i < n; i++) f->axis[d][i] = length * (double)i / (double)steps;
        given = true;
    }
    double *x = f->axis[d];
    grid->n_global[d] = n;
    grid->axis[d] = x;
    grid->axis_name[d] = f->axis_name[d];
    grid->lower[d] = x[0];
    grid->upper[d] = given               ? x[0] + length
                     : periodic && n > 1 ? x[n - 1] + (x[n - 1] - x[0]) / (double)(n - 1)
                                         : x[n - 1];
    if (grid->upper[d] <= grid->lower[d]) grid->upper[d] = grid->lower[d] + 1.0; /* one point */
    grid->side[d][0] = grid->side[d][1] = periodic                       ? LOCUM_PERIODIC
                                          : f->side[d] == LOCUM_PERIODIC ? LOCUM_OPEN
                                                                         : f->side[d];
    return LOCUM_OK;
}

static locum_status make_dataset(collection *c, const locum_mapped_layout *layout, const locum_source *source,
                                 uint64_t hash, const locum_reader_type *type, locum_dataset **dataset)
{
    locum_mapped_facts *f = &c->first;
    locum_array arrays[LOCUM_MAPPED_ARRAYS] = {0};
    locum_domain domains[2] = {{.name = f->n_axes > 1 ? "grid" : f->axis_name[0],
                                .support = f->n_axes > 1 ? LOCUM_GRID : LOCUM_ROWS,
                                .n_dims = f->n_axes,
                                .axis_unit = f->axis_unit[0] ? f->axis_unit : "1"},
                               {.name = "global", .support = LOCUM_GLOBAL}};
    const char *names[LOCUM_MAPPED_PARAMETERS + 1] = {NULL};
    locum_status st = LOCUM_OK;

    for (int d = 0; !st && d < f->n_axes; d++) st = place_axis(f, source, d, &domains[0]);
    for (int a = 0; a < f->n_arrays; a++) {
        const locum_mapped_array *from = &f->arrays[a];
        arrays[a] = (locum_array){.name = from->name,
                                  .text = "",
                                  .unit = from->unit,
                                  .type = from->stored,
                                  .domain = from->on_grid ? 0 : 1,
                                  .order = from->order,
                                  .shape = {from->shape[0], from->shape[1]},
                                  .place = LOCUM_NODE,
                                  .roles = from->on_grid ? LOCUM_STATE : LOCUM_OBSERVABLE};
        c->m->arrays[a] = *from;
    }
    c->m->n_arrays = f->n_arrays;
    c->m->n_axes = f->n_axes;
    memcpy(c->m->n, f->n, sizeof c->m->n);
    locum_schema schema = {
        .domains = domains, .n_domains = 2, .arrays = arrays, .n_arrays = f->n_arrays, .timeless = f->timeless};
    for (int p = 0; p < f->n_parameters; p++) names[p] = f->parameter_name[p];
    for (int64_t b = 0; b < c->n_samples; b++) c->samples[b].parameter = c->parameter + b * f->n_parameters;
    locum_reader_facts facts = {.name = layout->name,
                                .schema = &schema,
                                .options_hash = hash,
                                .n_parameters = f->n_parameters,
                                .parameter_name = names,
                                .n_samples = c->n_samples,
                                .samples = c->samples};
    if (!st) {
        st = locum_dataset_create(type, c->m, &facts, dataset);
        c->m = NULL;
    }
    return st;
}

locum_status locum_mapped_open(const locum_mapped_layout *layout, const locum_source *source, int n_files,
                               char *const *paths, const locum_split *split, uint64_t hash, locum_dataset **dataset)
{
    static const locum_reader_type type = {"mapped", time_of, locum_mapped_read, destroy};
    collection c = {0};

    *dataset = NULL;
    locum_status st = LOCUM_NEW(&c.m, 1);
    for (int i = 0; !st && i < LOCUM_MAPPED_SLOTS; i++) c.m->slots[i].file = -1;
    if (!st) st = LOCUM_NEW(&c.m->files, n_files + 1);
    if (!st) c.m->time_step = source->time_step > 0 ? source->time_step : 1.0;
    for (int i = 0; !st && i < n_files; i++) st = add_file(&c, layout, source, paths[i], split[i]);
    if (!st && c.first.drop_constant) drop_constant(&c);
    if (!st) st = make_dataset(&c, layout, source, hash, &type, dataset);
    locum_mapped_facts_free(&c.first);
    free(c.samples);
    free(c.parameter);
    destroy(c.m);
    return st;
}
