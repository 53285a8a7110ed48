/* SPDX-License-Identifier: BSD-3-Clause */
/* dataset_shard.c - what one file says about itself, its samples and its frames.
 *
 * All of it is checked before it is believed: checksums by HDF5, types and axes by hdf5_tools.c, and here that
 * numbers fit each other: as many entries in every column, first frames and first rows that start at 0, never fall
 * and end at the total. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/json.h"
#include "core/memory.h"
#include "datasets/store/dataset_internal.h"

#define FACTS_LIMIT ((int64_t)256 << 20)
#define COLUMN_LIMIT ((int64_t)4 << 30)
#define NODES_LIMIT ((int64_t)1 << 24)
#define PARAMETERS_MAX 4096
#define REASON_MAX 4096

/* a shard file while it is read */
typedef struct reading {
    locum_dataset *d;
    hid_t file;
    const char *path;
    locum_shard_view *shard;
    int number; /* of the shard */
} reading;

/* --- facts ------------------------------------------------------------------------------------ */
static locum_status read_json(const reading *r, locum_json **json)
{
    void *bytes = NULL;
    hsize_t n = 0;

    *json = NULL;
    bool ours = H5Lexists(r->file, "/locum", H5P_DEFAULT) > 0 && H5Lexists(r->file, "/locum/facts", H5P_DEFAULT) > 0;
    H5Eclear2(H5E_DEFAULT);
    LOCUM_REQUIRE(ours, LOCUM_INPUT, "%s: an HDF5 file, but not one of locum's (no /locum/facts)", r->path);
    locum_status st = locum_hdf5_read(r->file, r->path, "/locum/facts", H5T_STD_U8LE, 1, &n, FACTS_LIMIT, &bytes);
    if (!st) st = locum_json_parse(bytes, (size_t)n, NODES_LIMIT, json);
    if (st == LOCUM_DAMAGED && bytes) st = LOCUM_FAIL(LOCUM_DAMAGED, "%s: /locum/facts is damaged", r->path);
    free(bytes);
    return st;
}

static locum_status read_parameters(reading *r, const locum_json *json)
{
    locum_dataset *d = r->d;
    locum_json_node list = locum_json_find(json, 0, "parameters"), item = locum_json_first(json, list);
    int64_t n = locum_json_n(json, list);

    LOCUM_REQUIRE(n <= PARAMETERS_MAX, LOCUM_DAMAGED, "%s: too many parameters", r->path);
    locum_status st = LOCUM_NEW(&d->parameter_name, n + 1);
    if (!st) st = LOCUM_NEW(&d->parameter_unit, n + 1);
    if (!st) d->n_parameters = (int)n;
    for (int64_t i = 0; !st && i < n; i++, item = locum_json_next(json, item)) {
        const char *name = locum_json_string(json, locum_json_find(json, item, "name"));
        const char *unit = locum_json_string(json, locum_json_find(json, item, "unit"));
        if (!name || !unit) st = LOCUM_FAIL(LOCUM_DAMAGED, "%s: a parameter without a name", r->path);
        if (!st) st = locum_copy_text(&d->parameter_name[i], name);
        if (!st) st = locum_copy_text(&d->parameter_unit[i], unit);
    }
    return st;
}

/* facts of the first file become the dataset's */
static locum_status take_facts(reading *r, const locum_json *json, uint64_t hash)
{
    const char *study = locum_json_string(json, locum_json_find(json, 0, "study"));
    const char *name = locum_json_string(json, locum_json_find(json, 0, "dataset_name"));
    locum_status st = locum_copy_text(&r->d->study, study ? study : "");

    if (!st) st = locum_copy_text(&r->d->name, name ? name : "");
    if (!st) st = read_parameters(r, json);
    r->d->options_hash = hash;
    r->d->has_facts = true;
    return st;
}

/* later files must belong to the same dataset */
static locum_status compare_facts(reading *r, const locum_json *json, uint64_t hash)
{
    locum_json_node list = locum_json_find(json, 0, "parameters"), item = locum_json_first(json, list);
    bool same = hash == r->d->options_hash && locum_json_n(json, list) == r->d->n_parameters;

    for (int i = 0; same && i < r->d->n_parameters; i++, item = locum_json_next(json, item)) {
        const char *name = locum_json_string(json, locum_json_find(json, item, "name"));
        same = name && !strcmp(name, r->d->parameter_name[i]);
    }
    LOCUM_REQUIRE(same, LOCUM_INPUT, "%s was made from other options than %s", r->path, r->d->shards[0].path);
    return LOCUM_OK;
}

static locum_status read_schema(reading *r, const locum_json *json, locum_json_node node)
{
    locum_owned_schema *schema = NULL;
    locum_text text = {0};
    locum_layout layout = LOCUM_LAYOUT_NONE;

    locum_status st = locum_owned_schema_read(json, node, r->path, &schema);
    if (!st) st = locum_layout_of(schema, &layout);
    if (!st && layout != r->shard->layout)
        st = LOCUM_FAIL(LOCUM_DAMAGED, "%s: its schema does not fit its layout", r->path);
    if (!st) {
        locum_owned_schema_write(schema, &text);
        st = text.status;
    }
    if (!st && r->d->schema && strcmp(text.data, r->d->schema_text))
        st = LOCUM_FAIL(LOCUM_INPUT, "%s has other arrays than %s", r->path, r->d->shards[0].path);
    if (!st && !r->d->schema) {
        st = locum_copy_text(&r->d->schema_text, text.data);
        if (!st) r->d->schema = schema;
        if (!st) schema = NULL;
    }
    locum_text_free(&text);
    locum_owned_schema_destroy(schema);
    return st;
}

static locum_status read_facts(reading *r)
{
    locum_json *json = NULL;
    uint64_t hash = 0;
    int64_t format = 0;

    locum_status st = read_json(r, &json);
    if (st) return st;
    const char *layout = locum_json_string(json, locum_json_find(json, 0, "layout"));
    const char *text = locum_json_string(json, locum_json_find(json, 0, "options_hash"));
    bool known = locum_json_integer(json, locum_json_find(json, 0, "format"), &format) && format == LOCUM_STORE_FORMAT;
    if (!known)
        st = LOCUM_FAIL(LOCUM_INPUT, "%s: format %lld of the store; this program reads %d", r->path, (long long)format,
                        LOCUM_STORE_FORMAT);
    if (!st && (!layout || !text || sscanf(text, "%" SCNx64, &hash) != 1))
        st = LOCUM_FAIL(LOCUM_DAMAGED, "%s: /locum/facts lacks what every file says", r->path);
    for (int l = LOCUM_LAYOUT_NONE; !st && l <= LOCUM_LAYOUT_ROWS; l++)
        if (!strcmp(layout, locum_layout_name((locum_layout)l))) r->shard->layout = (locum_layout)l;
    if (!st) st = r->d->has_facts ? compare_facts(r, json, hash) : take_facts(r, json, hash);
    if (!st && r->shard->layout != LOCUM_LAYOUT_NONE) st = read_schema(r, json, locum_json_find(json, 0, "schema"));
    locum_json_destroy(json);
    return st;
}

/* --- samples ---------------------------------------------------------------------------------- */
/* one column of n entries (n < 0: any, given back) */
static locum_status read_column(hid_t file, const char *where, const char *folder, const char *name, hid_t type,
                                int64_t *n, void **data)
{
    char path[2 * LOCUM_STORE_NAME_SIZE];
    hsize_t found = 0;

    locum_format(path, sizeof path, "%s/%s", folder, name);
    locum_status st = locum_hdf5_read(file, where, path, type, 1, &found, COLUMN_LIMIT, data);
    if (!st && *n >= 0 && (int64_t)found != *n)
        st = LOCUM_FAIL(LOCUM_DAMAGED, "%s: %s has %lld entries, not %lld", where, path, (long long)found,
                        (long long)*n);
    if (!st) *n = (int64_t)found;
    return st;
}

/* reasons of failures: texts of one width; *width is given back */
static locum_status read_reasons(const reading *r, const char *folder, int64_t n, void **data, size_t *width)
{
    char path[2 * LOCUM_STORE_NAME_SIZE];

    locum_format(path, sizeof path, "%s/reason", folder);
    hid_t dataset = H5Dopen2(r->file, path, H5P_DEFAULT), type = dataset >= 0 ? H5Dget_type(dataset) : -1;
    locum_status st = LOCUM_HDF5(type >= 0, LOCUM_DAMAGED, "%s: %s is damaged", r->path, path);
    if (!st) *width = H5Tget_size(type);
    if (!st && (H5Tget_class(type) != H5T_STRING || H5Tis_variable_str(type) > 0 || *width < 1 || *width > REASON_MAX))
        st = LOCUM_FAIL(LOCUM_DAMAGED, "%s: %s is no list of texts", r->path, path);
    if (!st) st = read_column(r->file, r->path, folder, "reason", type, &n, data);
    if (type >= 0) H5Tclose(type);
    if (dataset >= 0) H5Dclose(dataset);
    return st;
}

static locum_status room_for(locum_dataset *d, int64_t n)
{
    if (d->n_samples + n <= d->capacity_samples) return LOCUM_OK;
    int64_t capacity = 2 * (d->n_samples + n);
    locum_sample_view *grown = realloc(d->samples, (size_t)capacity * sizeof *grown);
    LOCUM_REQUIRE(grown, LOCUM_MEMORY, "out of memory for %lld samples", (long long)capacity);
    d->samples = grown;
    d->capacity_samples = capacity;
    return LOCUM_OK;
}

typedef struct columns {
    void *index, *seed, *split, *status, *twin, *reason;
    size_t width;
} columns;

static locum_status add_sample(reading *r, const columns *c, int64_t i, int64_t slot)
{
    locum_dataset *d = r->d;
    locum_sample_view *s = &d->samples[d->n_samples];
    int32_t split = ((const int32_t *)c->split)[i], status = ((const int32_t *)c->status)[i];

    LOCUM_REQUIRE(split >= 0 && split < LOCUM_SPLITS && status >= 0, LOCUM_DAMAGED,
                  "%s: sample %lld has no valid split or status", r->path, (long long)i);
    *s = (locum_sample_view){.shard = r->number, .slot = status ? -1 : slot};
    s->sample = (locum_dataset_sample){.index = ((const int64_t *)c->index)[i],
                                       .twin = ((const int64_t *)c->twin)[i],
                                       .seed = ((const uint64_t *)c->seed)[i],
                                       .split = (locum_split)split,
                                       .failed = status != 0};
    locum_status st = LOCUM_NEW(&s->parameter, d->n_parameters + 1);
    if (!st) st = LOCUM_NEW(&s->reason, c->width + 1);
    if (!st) memcpy(s->reason, (const char *)c->reason + (size_t)i * c->width, c->width);
    s->sample.parameter = s->parameter;
    s->sample.reason = s->reason;
    d->n_samples++; /* counted even if incomplete: close frees what is there */
    return st;
}

/* all columns of one folder of samples; slots are numbered from 0 where they hold frames */
static locum_status read_samples(reading *r, const char *folder, int64_t *n_samples)
{
    locum_dataset *d = r->d;
    columns c = {0};
    int64_t n = -1, before = d->n_samples;
    char name[LOCUM_STORE_NAME_SIZE];

    locum_status st = read_column(r->file, r->path, folder, "index", H5T_STD_I64LE, &n, &c.index);
    if (!st) st = read_column(r->file, r->path, folder, "seed", H5T_STD_U64LE, &n, &c.seed);
    if (!st) st = read_column(r->file, r->path, folder, "split", H5T_STD_I32LE, &n, &c.split);
    if (!st) st = read_column(r->file, r->path, folder, "status", H5T_STD_I32LE, &n, &c.status);
    if (!st) st = read_column(r->file, r->path, folder, "twin", H5T_STD_I64LE, &n, &c.twin);
    if (!st) st = read_reasons(r, folder, n, &c.reason, &c.width);
    if (!st) st = room_for(d, n);
    for (int64_t i = 0; !st && i < n; i++) st = add_sample(r, &c, i, i);
    for (int p = 0; !st && p < d->n_parameters; p++) {
        void *values = NULL;
        locum_format(name, sizeof name, "parameter/%s", d->parameter_name[p]);
        st = read_column(r->file, r->path, folder, name, H5T_IEEE_F64LE, &n, &values);
        for (int64_t i = 0; !st && i < n; i++) d->samples[before + i].parameter[p] = ((const double *)values)[i];
        free(values);
    }
    free(c.index);
    free(c.seed);
    free(c.split);
    free(c.status);
    free(c.twin);
    free(c.reason);
    *n_samples = st ? 0 : n;
    return st;
}

/* --- frames ----------------------------------------------------------------------------------- */
static bool rises(const int64_t *first, int64_t n)
{
    bool good = first[0] == 0;

    for (int64_t i = 0; i < n; i++) good = good && first[i + 1] >= first[i];
    return good;
}

static locum_status read_frames(reading *r, int64_t n_samples)
{
    locum_shard_view *v = r->shard;
    const char *folder = locum_layout_frames(v->layout);
    void *first = NULL, *time = NULL, *step = NULL;
    int64_t n = n_samples + 1, n_frames = -1;

    locum_status st = read_column(r->file, r->path, folder, "first", H5T_STD_I64LE, &n, &first);
    v->first = first;
    v->n_slots = n_samples;
    if (!st && !rises(v->first, n_samples))
        st = LOCUM_FAIL(LOCUM_DAMAGED, "%s: %s/first does not rise", r->path, folder);
    if (!st && v->layout != LOCUM_LAYOUT_NONE) {
        st = read_column(r->file, r->path, folder, "time", H5T_IEEE_F64LE, &n_frames, &time);
        v->time = time;
        if (!st) st = read_column(r->file, r->path, folder, "step", H5T_STD_I64LE, &n_frames, &step);
        v->step = step;
    } else {
        n_frames = 0;
    }
    if (!st && v->first[n_samples] != n_frames)
        st = LOCUM_FAIL(LOCUM_DAMAGED, "%s: %s/first does not fit its times", r->path, folder);
    v->n_frames = st ? 0 : n_frames;
    v->frames_per_sample = !st && n_samples > 0 ? n_frames / n_samples : 0;
    for (int64_t i = 0; !st && v->layout == LOCUM_LAYOUT_GRID && i < n_samples; i++)
        if (v->first[i + 1] - v->first[i] != v->frames_per_sample)
            st = LOCUM_FAIL(LOCUM_DAMAGED, "%s: samples of a grid file differ in their number of frames", r->path);
    return st;
}

static locum_status read_rows(reading *r)
{
    const locum_schema *schema = &r->d->schema->schema;
    locum_shard_view *v = r->shard;
    char folder[LOCUM_STORE_NAME_SIZE];

    locum_status st = LOCUM_NEW(&v->rows, schema->n_domains + 1);
    for (int i = 0; !st && i < schema->n_domains; i++) {
        const locum_domain *domain = &schema->domains[i];
        int64_t n = v->n_frames + 1;
        void *first = NULL;
        if (domain->support != LOCUM_ROWS) continue;
        locum_layout_domain(v->layout, domain, folder);
        st = read_column(r->file, r->path, folder, "first", H5T_STD_I64LE, &n, &first);
        v->rows[i] = first;
        if (!st && !rises(v->rows[i], v->n_frames))
            st = LOCUM_FAIL(LOCUM_DAMAGED, "%s: %s/first does not rise", r->path, folder);
        for (int64_t f = 0; !st && domain->n_global[0] > 0 && f < v->n_frames; f++)
            if (v->rows[i][f + 1] - v->rows[i][f] != domain->n_global[0])
                st = LOCUM_FAIL(LOCUM_DAMAGED, "%s: %s/first does not fit its axis", r->path, folder);
    }
    return st;
}

static void count_frames(reading *r, int64_t before)
{
    for (int64_t i = before; i < r->d->n_samples; i++) {
        locum_sample_view *s = &r->d->samples[i];
        if (s->slot >= 0 && s->slot < r->shard->n_slots)
            s->sample.n_frames = r->shard->first[s->slot + 1] - r->shard->first[s->slot];
    }
}

static locum_status new_shard(locum_dataset *d, const char *path, locum_shard_view **shard)
{
    if (d->n_shards == d->capacity_shards) {
        int capacity = 2 * d->capacity_shards + 8;
        locum_shard_view *grown = realloc(d->shards, (size_t)capacity * sizeof *grown);
        LOCUM_REQUIRE(grown, LOCUM_MEMORY, "out of memory for %d files", capacity);
        d->shards = grown;
        d->capacity_shards = capacity;
    }
    *shard = &d->shards[d->n_shards++];
    **shard = (locum_shard_view){.layout = LOCUM_LAYOUT_NONE};
    return locum_copy_text(&(*shard)->path, path);
}

locum_status locum_dataset_add_shard(locum_dataset *d, const char *path)
{
    reading r = {.d = d, .path = path, .file = -1, .number = d->n_shards};
    int64_t n = 0, n_failed = 0, before = d->n_samples;

    locum_status st = new_shard(d, path, &r.shard);
    if (!st) st = locum_hdf5_open_file(path, &r.file);
    if (!st) st = read_facts(&r);
    if (!st) st = read_samples(&r, locum_layout_samples(r.shard->layout), &n);
    int64_t good = d->n_samples;
    if (!st && r.shard->layout == LOCUM_LAYOUT_GRID) st = read_samples(&r, "/locum/failed", &n_failed);
    for (int64_t i = good; !st && i < d->n_samples; i++) d->samples[i].slot = -1;
    if (!st) st = read_frames(&r, n);
    if (!st && r.shard->layout != LOCUM_LAYOUT_NONE) st = read_rows(&r);
    if (!st) count_frames(&r, before);
    if (r.file >= 0) H5Fclose(r.file);
    return st;
}

/* --- only the numbers of the samples ---------------------------------------------------------- */
static locum_status append_indices(hid_t file, const char *path, const char *folder, int64_t **index, int64_t *n)
{
    void *found = NULL;
    int64_t n_found = -1;

    locum_status st = read_column(file, path, folder, "index", H5T_STD_I64LE, &n_found, &found);
    if (!st && n_found > 0) {
        int64_t *grown = realloc(*index, (size_t)(*n + n_found) * sizeof *grown);
        if (!grown) st = LOCUM_FAIL(LOCUM_MEMORY, "out of memory for %lld samples", (long long)(*n + n_found));
        if (grown) {
            *index = grown;
            memcpy(grown + *n, found, (size_t)n_found * sizeof *grown);
            *n += n_found;
        }
    }
    free(found);
    return st;
}

locum_status locum_dataset_shard_indices(const char *path, int64_t **index, int64_t *n)
{
    hid_t file = -1;

    locum_status st = locum_hdf5_open_file(path, &file);
    if (st) return st;
    bool grid = H5Lexists(file, "/locum", H5P_DEFAULT) > 0 && H5Lexists(file, "/locum/samples", H5P_DEFAULT) > 0;
    H5Eclear2(H5E_DEFAULT);
    st = append_indices(file, path, grid ? "/locum/samples" : "/samples", index, n);
    if (!st && grid) st = append_indices(file, path, "/locum/failed", index, n);
    H5Fclose(file);
    return st;
}
