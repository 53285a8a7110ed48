/* SPDX-License-Identifier: BSD-3-Clause */
/* shard_finish.c - what a file gets once, at the end, from rank 0 alone: extents cut to the good samples, scalars,
 * times, counts, samples, and /locum/facts.
 *
 * /locum/facts is one JSON text (bytes, checksummed): format, layout, split, study, provenance, parameters, schema.
 * It is all that our reader needs to know; attributes repeat it for the readers of others. */
#include <stdlib.h>
#include <string.h>

#include "core/hash.h"
#include "core/memory.h"
#include "datasets/store/shard_internal.h"

typedef struct writing { /* the file while it is finished */
    locum_shard *s;
    hid_t file;
} writing;

static const locum_shard_record *record_at(const locum_shard *s, int64_t r)
{
    return (const locum_shard_record *)s->records.data + r;
}

/* --- facts ------------------------------------------------------------------------------------ */
static void write_parameters(const locum_store_facts *f, locum_text *out)
{
    locum_text_add(out, ",\n\"parameters\":[");
    for (int i = 0; i < f->n_parameters; i++) {
        locum_text_add(out, "%s{\"name\":", i ? "," : "");
        locum_text_json_string(out, f->parameter_name[i]);
        locum_text_add(out, ",\"unit\":");
        locum_text_json_string(out, f->parameter_unit[i]);
        locum_text_add(out, "}");
    }
    locum_text_add(out, "]");
}

static locum_status write_facts(writing *w)
{
    const locum_store_facts *f = &w->s->facts;
    char hash[LOCUM_HASH_TEXT_SIZE];
    locum_text out = {0};
    hsize_t n;

    locum_hash_text(f->options_hash, hash);
    locum_text_add(&out,
                   "{\"format\":%d,\"layout\":\"%s\",\"split\":\"%s\",\"options_hash\":\"%s\",\n\"dataset_name\":",
                   LOCUM_STORE_FORMAT, locum_layout_name(w->s->layout), locum_split_name(w->s->split), hash);
    locum_text_json_string(&out, f->dataset_name);
    write_parameters(f, &out);
    locum_text_add(&out, ",\n\"schema\":");
    if (w->s->schema)
        locum_owned_schema_write(w->s->schema, &out);
    else
        locum_text_add(&out, "null");
    locum_text_add(&out, ",\n\"provenance\":");
    locum_text_json_string(&out, f->provenance);
    locum_text_add(&out, ",\n\"study\":");
    locum_text_json_string(&out, f->study);
    locum_text_add(&out, "}\n");
    locum_status st = out.status;
    n = out.size;
    if (!st) st = locum_hdf5_write(w->file, "/locum/facts", H5T_STD_U8LE, 1, &n, out.data, NULL);
    locum_text_free(&out);
    return st;
}

/* the same for people with h5dump */
static locum_status write_root_attributes(writing *w)
{
    const locum_store_facts *f = &w->s->facts;
    char hash[LOCUM_HASH_TEXT_SIZE];
    locum_text provenance = {0};
    hid_t root = H5Gopen2(w->file, "/", H5P_DEFAULT);

    locum_hash_text(f->options_hash, hash);
    locum_text_add(&provenance, "{%s}", f->provenance);
    locum_status st = LOCUM_HDF5(root >= 0, LOCUM_IO, "%s: no root", w->s->part);
    if (!st) st = provenance.status;
    if (!st) st = locum_hdf5_attribute_text(root, "dataset_name", f->dataset_name);
    if (!st) st = locum_hdf5_attribute_text(root, "locum_layout", locum_layout_name(w->s->layout));
    if (!st) st = locum_hdf5_attribute_integer(root, "locum_format", LOCUM_STORE_FORMAT);
    if (!st) st = locum_hdf5_attribute_text(root, "options_hash", hash);
    if (!st) st = locum_hdf5_attribute_text(root, "study", f->study);
    if (!st) st = locum_hdf5_attribute_text(root, "provenance", provenance.data);
    if (!st) st = locum_hdf5_attribute_text(root, "split", locum_split_name(w->s->split));
    if (root >= 0) H5Gclose(root);
    locum_text_free(&provenance);
    return st;
}

/* --- samples ---------------------------------------------------------------------------------- */
enum { WRITE_ALL, WRITE_GOOD, WRITE_FAILED };

static bool chosen(const locum_shard_record *r, int which)
{
    return which == WRITE_ALL || (which == WRITE_GOOD) == (r->status == LOCUM_OK);
}

static locum_status write_column(writing *w, const char *folder, const char *name, hid_t type, int64_t n,
                                 const void *data, const char *unit)
{
    char path[2 * LOCUM_STORE_NAME_SIZE];
    hsize_t dims = (hsize_t)n;
    hid_t dataset = -1;

    locum_format(path, sizeof path, "%s/%s", folder, name);
    locum_status st = locum_hdf5_write(w->file, path, type, 1, &dims, data, unit ? &dataset : NULL);
    if (!st && unit) st = locum_hdf5_attribute_text(dataset, "units", unit);
    if (dataset >= 0 && H5Dclose(dataset) < 0 && !st)
        st = LOCUM_HDF5(false, LOCUM_IO, "%s: cannot write %s", w->s->part, path);
    return st;
}

typedef struct columns {
    int64_t *index, *twin, *n_frames, *first;
    uint64_t *seed;
    int32_t *split, *status;
    int8_t *noise;
    double *parameter;
    char *reason;
    int64_t n, width;
} columns;

static void free_columns(columns *c)
{
    free(c->index);
    free(c->twin);
    free(c->n_frames);
    free(c->first);
    free(c->seed);
    free(c->split);
    free(c->status);
    free(c->noise);
    free(c->parameter);
    free(c->reason);
}

static locum_status make_columns(const locum_shard *s, int which, columns *c)
{
    *c = (columns){.width = 1};
    for (int64_t r = 0; r < s->records.n; r++) {
        const locum_shard_record *record = record_at(s, r);
        if (!chosen(record, which)) continue;
        int64_t length = record->reason ? (int64_t)strlen(record->reason) + 1 : 1;
        if (length > c->width) c->width = length;
        c->n++;
    }
    locum_status st = LOCUM_NEW(&c->index, c->n + 1);
    if (!st) st = LOCUM_NEW(&c->twin, c->n + 1);
    if (!st) st = LOCUM_NEW(&c->n_frames, c->n + 1);
    if (!st) st = LOCUM_NEW(&c->first, c->n + 2);
    if (!st) st = LOCUM_NEW(&c->seed, c->n + 1);
    if (!st) st = LOCUM_NEW(&c->split, c->n + 1);
    if (!st) st = LOCUM_NEW(&c->status, c->n + 1);
    if (!st) st = LOCUM_NEW(&c->noise, c->n + 1);
    if (!st) st = LOCUM_NEW(&c->parameter, c->n + 1);
    if (!st) st = locum_alloc(&c->reason, c->n + 1, (size_t)c->width);
    for (int64_t r = 0, i = 0; !st && r < s->records.n; r++) {
        const locum_shard_record *record = record_at(s, r);
        if (!chosen(record, which)) continue;
        c->index[i] = record->sample.index;
        c->twin[i] = record->sample.twin;
        c->seed[i] = record->sample.seed;
        c->split[i] = record->sample.split;
        c->noise[i] = record->sample.split == LOCUM_NOISE;
        c->status[i] = (int32_t)record->status;
        c->n_frames[i] = record->n_frames;
        c->first[i + 1] = c->first[i] + record->n_frames;
        if (record->reason) memcpy(c->reason + i * c->width, record->reason, strlen(record->reason));
        i++;
    }
    return st;
}

static locum_status write_reasons(writing *w, const char *folder, const columns *c)
{
    hid_t type = H5Tcopy(H5T_C_S1);
    bool ready = type >= 0 && H5Tset_size(type, (size_t)c->width) >= 0 && H5Tset_cset(type, H5T_CSET_UTF8) >= 0 &&
                 H5Tset_strpad(type, H5T_STR_NULLPAD) >= 0;

    locum_status st = LOCUM_HDF5(ready, LOCUM_IO, "%s: no type for texts", w->s->part);
    if (!st) st = write_column(w, folder, "reason", type, c->n, c->reason, NULL);
    if (type >= 0) H5Tclose(type);
    return st;
}

static locum_status write_samples(writing *w, const char *folder, int which)
{
    const locum_shard *s = w->s;
    char name[LOCUM_STORE_NAME_SIZE];
    columns c;
    hid_t boolean = locum_hdf5_bool_type();

    locum_status st = make_columns(s, which, &c);
    if (!st) st = write_column(w, folder, "index", H5T_STD_I64LE, c.n, c.index, NULL);
    if (!st) st = write_column(w, folder, "seed", H5T_STD_U64LE, c.n, c.seed, NULL);
    if (!st) st = write_column(w, folder, "split", H5T_STD_I32LE, c.n, c.split, NULL);
    if (!st) st = write_column(w, folder, "status", H5T_STD_I32LE, c.n, c.status, NULL);
    if (!st) st = write_column(w, folder, "noise", boolean, c.n, c.noise, NULL);
    if (!st) st = write_column(w, folder, "twin", H5T_STD_I64LE, c.n, c.twin, NULL);
    if (!st) st = write_reasons(w, folder, &c);
    for (int p = 0; !st && p < s->facts.n_parameters; p++) {
        for (int64_t r = 0, i = 0; r < s->records.n; r++)
            if (chosen(record_at(s, r), which))
                c.parameter[i++] = ((const double *)s->parameters.data)[r * s->facts.n_parameters + p];
        locum_format(name, sizeof name, "parameter/%s", s->facts.parameter_name[p]);
        st = write_column(w, folder, name, H5T_IEEE_F64LE, c.n, c.parameter, s->facts.parameter_unit[p]);
    }
    if (!st && which != WRITE_FAILED)
        st = write_column(w, locum_layout_frames(s->layout), "first", H5T_STD_I64LE, c.n + 1, c.first, NULL);
    if (boolean >= 0) H5Tclose(boolean);
    free_columns(&c);
    return st;
}

/* --- frames, globals, rows -------------------------------------------------------------------- */
/* the fewest frames that fit all: a grid file with no good sample has none */
static int64_t frames_of(const locum_shard *s)
{
    return s->frames_per_sample > 0 ? s->frames_per_sample : 0;
}

static locum_status write_global(writing *w, int a)
{
    locum_shard *s = w->s;
    const locum_schema *schema = &s->schema->schema;
    hsize_t dims[LOCUM_HDF5_DIMS];
    char path[LOCUM_STORE_NAME_SIZE];
    int axis = 0;
    hid_t dataset = -1;

    LOCUM_REQUIRE(s->values[a].n == s->time.n, LOCUM_INTERNAL, "%s: a frame without \"%s\"", s->part,
                  schema->arrays[a].name);
    locum_layout_array(s->layout, schema, a, path);
    int n = locum_layout_dims(s->layout, schema, a, s->n_good, frames_of(s), s->time.n, dims, &axis);
    locum_status st = locum_hdf5_write(w->file, path, locum_hdf5_file_type(s->schema->stored[a]), n, dims,
                                       s->values[a].data, &dataset);
    if (!st) st = locum_shard_describe(dataset, &schema->arrays[a]);
    if (!st && s->layout == LOCUM_LAYOUT_GRID) st = locum_hdf5_attribute_bool(dataset, "sample_varying", true);
    if (!st && s->layout == LOCUM_LAYOUT_GRID) st = locum_hdf5_attribute_bool(dataset, "time_varying", true);
    if (dataset >= 0 && H5Dclose(dataset) < 0 && !st)
        st = LOCUM_HDF5(false, LOCUM_IO, "%s: cannot write %s", s->part, path);
    return st;
}

/* cuts a large array to what good samples hold */
static locum_status cut_array(writing *w, int a)
{
    locum_shard *s = w->s;
    const locum_schema *schema = &s->schema->schema;
    hsize_t dims[LOCUM_HDF5_DIMS];
    char path[LOCUM_STORE_NAME_SIZE];
    int axis = 0;

    locum_layout_array(s->layout, schema, a, path);
    locum_layout_dims(s->layout, schema, a, s->n_good, frames_of(s), s->n_rows[schema->arrays[a].domain], dims, &axis);
    hid_t dataset = H5Dopen2(w->file, path, H5P_DEFAULT);
    locum_status st =
        LOCUM_HDF5(dataset >= 0 && H5Dset_extent(dataset, dims) >= 0, LOCUM_IO, "%s: cannot finish %s", s->part, path);
    if (dataset >= 0 && H5Dclose(dataset) < 0 && !st)
        st = LOCUM_HDF5(false, LOCUM_IO, "%s: cannot write %s", s->part, path);
    return st;
}

/* first row of each frame, and the axis of a profile or a spectrum */
static locum_status write_rows_domain(writing *w, int d)
{
    locum_shard *s = w->s;
    const locum_domain *domain = &s->schema->domains[d];
    const int64_t *n = s->rows[d].data;
    char folder[LOCUM_STORE_NAME_SIZE];
    int64_t *first = NULL;

    locum_layout_domain(s->layout, domain, folder);
    locum_status st = LOCUM_NEW(&first, s->rows[d].n + 2);
    for (int64_t f = 0; !st && f < s->rows[d].n; f++) first[f + 1] = first[f] + n[f];
    if (!st) st = write_column(w, folder, "first", H5T_STD_I64LE, s->rows[d].n + 1, first, NULL);
    if (!st && domain->axis[0])
        st = write_column(w, folder, "axis", H5T_IEEE_F64LE, domain->n_global[0], domain->axis[0], domain->axis_unit);
    free(first);
    return st;
}

static locum_status write_content(writing *w)
{
    locum_shard *s = w->s;
    const char *frames = locum_layout_frames(s->layout);
    locum_status st = write_column(w, frames, "time", H5T_IEEE_F64LE, s->time.n, s->time.data, NULL);

    if (!st) st = write_column(w, frames, "step", H5T_STD_I64LE, s->step.n, s->step.data, NULL);
    for (int a = 0; !st && a < s->schema->schema.n_arrays; a++)
        st = s->dataset && s->schema->domains[s->schema->arrays[a].domain].support != LOCUM_GLOBAL ? cut_array(w, a)
                                                                                                   : write_global(w, a);
    for (int d = 0; !st && d < s->schema->schema.n_domains; d++)
        if (s->schema->domains[d].support == LOCUM_ROWS) st = write_rows_domain(w, d);
    return st;
}

locum_status locum_shard_finish(locum_shard *s)
{
    bool grid = s->layout == LOCUM_LAYOUT_GRID;
    writing w = {.s = s, .file = H5Fopen(s->part, H5F_ACC_RDWR, H5P_DEFAULT)};

    locum_status st = LOCUM_HDF5(w.file >= 0, LOCUM_IO, "cannot finish %s", s->part);
    if (!st && s->schema) st = write_content(&w);
    if (!st) st = write_samples(&w, locum_layout_samples(s->layout), grid ? WRITE_GOOD : WRITE_ALL);
    if (!st && grid) st = write_samples(&w, "/locum/failed", WRITE_FAILED);
    if (!st) st = write_root_attributes(&w);
    if (!st && grid) st = locum_shard_write_well(s, w.file);
    if (!st && grid) st = locum_shard_write_mesh(s, w.file);
    if (!st) st = write_facts(&w);
    if (w.file >= 0 && H5Fclose(w.file) < 0 && !st)
        st = LOCUM_HDF5(false, LOCUM_IO, "cannot write %s to its end", s->part);
    return st;
}
