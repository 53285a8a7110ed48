/* SPDX-License-Identifier: BSD-3-Clause */
/* xdmf.c - the XDMF 2 file beside a grid file, for ParaView and VisIt.
 *
 * XDMF lists axes slowest first and takes the fastest one for x; our x is the slowest. A rectilinear mesh would
 * show every field mirrored about its diagonal. So the mesh is a structured one with explicit coordinates, one
 * point (x, y) or (x, y, z) for each value, in the order of the values: /locum/mesh/points [nx, ny, 2], written
 * once. Each sample is a temporal collection; each frame takes its slab of [B, T, nx, ny] by start, stride and
 * count. Vectors of a plane are shown by components (ParaView's vectors have three). Rows and scalars are left out. */
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "datasets/store/shard_internal.h"

#define SLAB_BYTES ((hsize_t)16 << 20)

static const locum_domain *grid_of(const locum_shard *s)
{
    for (int d = 0; d < s->schema->schema.n_domains; d++)
        if (s->schema->domains[d].support == LOCUM_GRID) return &s->schema->domains[d];
    return NULL;
}

static double point_at(const locum_domain *grid, int d, hsize_t i)
{
    return grid->axis[d] ? grid->axis[d][i] : (double)i;
}

/* coordinates of the planes first .. first + n along x */
static void fill_points(const locum_domain *grid, hsize_t first, hsize_t n, float *points)
{
    hsize_t ny = (hsize_t)grid->n_global[1], nz = grid->n_dims > 2 ? (hsize_t)grid->n_global[2] : 1;

    for (hsize_t i = first; i < first + n; i++)
        for (hsize_t j = 0; j < ny; j++)
            for (hsize_t k = 0; k < nz; k++) {
                *points++ = (float)point_at(grid, 0, i);
                *points++ = (float)point_at(grid, 1, j);
                if (grid->n_dims > 2) *points++ = (float)point_at(grid, 2, k);
            }
}

locum_status locum_shard_write_mesh(locum_shard *s, hid_t file)
{
    const locum_domain *grid = grid_of(s);
    int n_dims = grid->n_dims + 1;
    hsize_t dims[4] = {0}, chunk[4], first[4] = {0}, count[4], plane = sizeof(float);
    hid_t dataset = -1;
    float *points = NULL;

    for (int d = 0; d < grid->n_dims; d++) dims[d] = (hsize_t)grid->n_global[d];
    dims[grid->n_dims] = (hsize_t)grid->n_dims;
    for (int d = 1; d < n_dims; d++) plane *= dims[d];
    memcpy(chunk, dims, sizeof chunk);
    chunk[0] = SLAB_BYTES / 4 / plane < 1 ? 1 : SLAB_BYTES / 4 / plane < dims[0] ? SLAB_BYTES / 4 / plane : dims[0];
    for (int d = 1; plane > SLAB_BYTES && d < grid->n_dims; d++) chunk[d] = chunk[d] > 256 ? 256 : chunk[d];
    locum_status st =
        locum_hdf5_create(file, "/locum/mesh/points", H5T_IEEE_F32LE, n_dims, dims, NULL, chunk, false, &dataset);
    if (!st) st = locum_alloc(&points, (int64_t)(chunk[0] * plane), 1);
    memcpy(count, dims, sizeof count);
    for (; !st && first[0] < dims[0]; first[0] += chunk[0]) {
        count[0] = first[0] + chunk[0] <= dims[0] ? chunk[0] : dims[0] - first[0];
        fill_points(grid, first[0], count[0], points);
        hid_t space = H5Dget_space(dataset), memory = H5Screate_simple(n_dims, count, NULL);
        bool wrote = space >= 0 && memory >= 0 &&
                     H5Sselect_hyperslab(space, H5S_SELECT_SET, first, NULL, count, NULL) >= 0 &&
                     H5Dwrite(dataset, H5T_NATIVE_FLOAT, memory, space, H5P_DEFAULT, points) >= 0;
        if (space >= 0) H5Sclose(space);
        if (memory >= 0) H5Sclose(memory);
        st = LOCUM_HDF5(wrote, LOCUM_IO, "%s: cannot write the mesh", s->part);
    }
    free(points);
    if (dataset >= 0 && H5Dclose(dataset) < 0 && !st)
        st = LOCUM_HDF5(false, LOCUM_IO, "%s: cannot write the mesh", s->part);
    return st;
}

/* --- the XML ---------------------------------------------------------------------------------- */
static void add_escaped(locum_text *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '&')
            locum_text_add(out, "&amp;");
        else if (*text == '<')
            locum_text_add(out, "&lt;");
        else if (*text == '>')
            locum_text_add(out, "&gt;");
        else if (*text == '"')
            locum_text_add(out, "&quot;");
        else
            locum_text_bytes(out, text, 1);
    }
}

static void add_file(const locum_shard *s, locum_text *out)
{
    const char *slash = strrchr(s->path, '/');

    add_escaped(out, slash ? slash + 1 : s->path);
}

static void add_dims(locum_text *out, const hsize_t *dims, int n)
{
    for (int i = 0; i < n; i++) locum_text_add(out, "%s%llu", i ? " " : "", (unsigned long long)dims[i]);
}

static void add_mesh(const locum_shard *s, const locum_domain *grid, locum_text *out)
{
    hsize_t dims[4];

    for (int d = 0; d < grid->n_dims; d++) dims[d] = (hsize_t)grid->n_global[d];
    dims[grid->n_dims] = (hsize_t)grid->n_dims;
    locum_text_add(out, "        <Topology TopologyType=\"%dDSMesh\" Dimensions=\"", grid->n_dims);
    add_dims(out, dims, grid->n_dims);
    locum_text_add(
        out,
        "\"/>\n        <Geometry GeometryType=\"%s\">\n          <DataItem Format=\"HDF\" NumberType=\"Float\" "
        "Precision=\"4\" Dimensions=\"",
        grid->n_dims == 2 ? "XY" : "XYZ");
    add_dims(out, dims, grid->n_dims + 1);
    locum_text_add(out, "\">");
    add_file(s, out);
    locum_text_add(out, ":/locum/mesh/points</DataItem>\n        </Geometry>\n");
}

typedef struct slab { /* of one array: all its axes, and the one frame */
    char path[LOCUM_STORE_NAME_SIZE];
    hsize_t dims[LOCUM_HDF5_DIMS], start[LOCUM_HDF5_DIMS], count[LOCUM_HDF5_DIMS];
    int n_dims;
    const char *number;
    int precision;
} slab;

static void add_attribute(const locum_shard *s, const slab *t, const char *name, const char *suffix, bool vector,
                          locum_text *out)
{
    locum_text_add(out, "        <Attribute Name=\"");
    add_escaped(out, name);
    locum_text_add(
        out,
        "%s\" AttributeType=\"%s\" Center=\"Node\">\n          <DataItem ItemType=\"HyperSlab\" Type=\"HyperSlab\" "
        "Dimensions=\"",
        suffix, vector ? "Vector" : "Scalar");
    add_dims(out, t->count + 2, t->n_dims - 2 - (t->count[t->n_dims - 1] == 1 && *suffix ? 1 : 0));
    locum_text_add(out, "\">\n            <DataItem Format=\"XML\" NumberType=\"Int\" Dimensions=\"3 %d\">", t->n_dims);
    add_dims(out, t->start, t->n_dims);
    for (int d = 0; d < t->n_dims; d++) locum_text_add(out, " 1");
    locum_text_add(out, " ");
    add_dims(out, t->count, t->n_dims);
    locum_text_add(out,
                   "</DataItem>\n            <DataItem Format=\"HDF\" NumberType=\"%s\" Precision=\"%d\" Dimensions=\"",
                   t->number, t->precision);
    add_dims(out, t->dims, t->n_dims);
    locum_text_add(out, "\">");
    add_file(s, out);
    locum_text_add(out, ":");
    add_escaped(out, t->path);
    locum_text_add(out, "</DataItem>\n          </DataItem>\n        </Attribute>\n");
}

static void add_array(const locum_shard *s, const locum_domain *grid, int a, int64_t b, int64_t frame, locum_text *out)
{
    static const char *const axes[3] = {"_x", "_y", "_z"};
    const locum_array *array = &s->schema->arrays[a];
    locum_type type = s->schema->stored[a];
    slab t = {.number = type == LOCUM_FLOAT32 || type == LOCUM_FLOAT64 ? "Float" : "Int",
              .precision = (int)locum_type_size(type)};
    int axis = 0;

    if (array->order > 1 || !locum_layout_is_field(&s->schema->schema, a)) return;
    locum_layout_array(s->layout, &s->schema->schema, a, t.path);
    t.n_dims = locum_layout_dims(s->layout, &s->schema->schema, a, s->n_good, s->frames_per_sample, 0, t.dims, &axis);
    memcpy(t.count, t.dims, sizeof t.count);
    t.start[0] = (hsize_t)b;
    t.start[1] = (hsize_t)frame;
    t.count[0] = t.count[1] = 1;
    bool vector = array->order == 1 && grid->n_dims == 3;
    if (array->order == 0 || vector) {
        add_attribute(s, &t, array->name, "", vector, out);
        return;
    }
    t.count[t.n_dims - 1] = 1;
    for (int i = 0; i < array->shape[0]; i++) {
        t.start[t.n_dims - 1] = (hsize_t)i;
        add_attribute(s, &t, array->name, axes[i], false, out);
    }
}

locum_status locum_shard_xdmf(const locum_shard *s, locum_text *out)
{
    const locum_domain *grid = grid_of(s);
    const locum_shard_record *records = s->records.data;
    const double *time = s->time.data;
    int64_t b = 0;

    locum_text_add(
        out, "<?xml version=\"1.0\" ?>\n<!DOCTYPE Xdmf SYSTEM \"Xdmf.dtd\" []>\n<Xdmf Version=\"2.0\">\n  <Domain>\n");
    for (int64_t r = 0; r < s->records.n; r++) {
        if (records[r].status) continue;
        locum_text_add(out, "    <Grid Name=\"sample_%lld\" GridType=\"Collection\" CollectionType=\"Temporal\">\n",
                       (long long)records[r].sample.index);
        for (int64_t f = 0; f < records[r].n_frames; f++) {
            char number[LOCUM_NUMBER_SIZE];
            locum_format_number(time[b * s->frames_per_sample + f], number);
            locum_text_add(out, "      <Grid Name=\"frame_%lld\" GridType=\"Uniform\">\n        <Time Value=\"%s\"/>\n",
                           (long long)f, number);
            add_mesh(s, grid, out);
            for (int a = 0; a < s->schema->schema.n_arrays; a++) add_array(s, grid, a, b, f, out);
            locum_text_add(out, "      </Grid>\n");
        }
        locum_text_add(out, "    </Grid>\n");
        b++;
    }
    locum_text_add(out, "  </Domain>\n</Xdmf>\n");
    return out->status;
}
