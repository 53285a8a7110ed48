/* SPDX-License-Identifier: BSD-3-Clause */
/* synthetic.c - see synthetic.h. */
#include "synthetic.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/study/commit.h"
#include "datasets/store/shard_internal.h"
#include "locum/dev/error.h"

const char *const synthetic_parameter[2] = {"viscosity", "forcing.amplitude"};
const char *const synthetic_unit[2] = {"m2 s-1", "1"};

#define N_K 5
#define N_Y 7

static const double axis_x2[6] = {0.0, 0.25, 0.5, 0.75, 1.0, 1.25}, axis_x3[4] = {0.5, 1.5, 2.5, 3.5};
static const double axis_y2[10] = {0.0, 0.4, 0.8, 1.2, 1.6, 2.0, 2.4, 2.8, 3.2, 3.6}, axis_y3[3] = {-1.0, 0.0, 1.0};
static const double axis_z3[5] = {0.0, 0.1, 0.3, 0.6, 1.0};
static const double axis_k[N_K] = {0.5, 1.5, 2.5, 3.5, 4.5}, axis_y[N_Y] = {0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6};

#define COMMON_DOMAINS                                          \
    {.name = "global", .support = LOCUM_GLOBAL},                \
        {.name = "k",                                           \
         .support = LOCUM_ROWS,                                 \
         .n_dims = 1,                                           \
         .n_global = {N_K},                                     \
         .axis = {axis_k},                                      \
         .axis_name = {"k"},                                    \
         .axis_unit = "m-1"},                                   \
        {.name = "y_mean",                                      \
         .support = LOCUM_ROWS,                                 \
         .n_dims = 1,                                           \
         .n_global = {N_Y},                                     \
         .axis = {axis_y},                                      \
         .axis_name = {"y"},                                    \
         .axis_unit = "m"},                                     \
    {                                                           \
        .name = "particles", .support = LOCUM_ROWS, .n_dims = 1 \
    }

static const locum_domain domains_2[] = {COMMON_DOMAINS,
                                         {.name = "grid",
                                          .support = LOCUM_GRID,
                                          .n_dims = 2,
                                          .n_global = {6, 10},
                                          .axis = {axis_x2, axis_y2},
                                          .axis_name = {"x", "y"},
                                          .axis_unit = "m",
                                          .upper = {1.5, 4.0},
                                          .side = {{LOCUM_PERIODIC, LOCUM_PERIODIC}, {LOCUM_WALL, LOCUM_OPEN}}}};
static const locum_domain domains_3[] = {COMMON_DOMAINS,
                                         {.name = "grid",
                                          .support = LOCUM_GRID,
                                          .n_dims = 3,
                                          .n_global = {4, 3, 5},
                                          .axis = {axis_x3, axis_y3, axis_z3},
                                          .axis_name = {"x", "y", "z"},
                                          .axis_unit = "m",
                                          .lower = {0, -1, 0},
                                          .upper = {4.0, 1.0, 1.0}}};

#define COMMON_ARRAYS                                                                                                 \
    {.name = "energy", .text = "kinetic energy", .unit = "m2 s-2", .domain = 0, .roles = LOCUM_OBSERVABLE},           \
        {.name = "momentum", .text = "mean momentum", .unit = "m s-1", .domain = 0, .order = 1, .shape = {3}},        \
        {.name = "spectrum", .text = "energy spectrum", .unit = "m3 s-2", .domain = 1, .roles = LOCUM_OBSERVABLE},    \
        {.name = "profile", .text = "mean flow", .unit = "m s-1", .domain = 2, .roles = LOCUM_OBSERVABLE},            \
        {.name = "id",                                                                                                \
         .text = "name of a particle",                                                                                \
         .unit = "1",                                                                                                 \
         .type = LOCUM_INT64,                                                                                         \
         .domain = 3,                                                                                                 \
         .roles = LOCUM_STATE},                                                                                       \
    {                                                                                                                 \
        .name = "position", .text = "place", .unit = "m", .domain = 3, .order = 1, .shape = {3}, .roles = LOCUM_STATE \
    }

static const locum_array arrays_2[] = {COMMON_ARRAYS,
                                       {.name = "vorticity",
                                        .text = "curl of velocity",
                                        .unit = "s-1",
                                        .domain = 4,
                                        .place = LOCUM_NODE,
                                        .roles = LOCUM_STATE},
                                       {.name = "velocity",
                                        .text = "velocity",
                                        .unit = "m s-1",
                                        .domain = 4,
                                        .order = 1,
                                        .shape = {2},
                                        .place = LOCUM_NODE},
                                       {.name = "colours",
                                        .text = "three numbers a point",
                                        .unit = "1",
                                        .domain = 4,
                                        .order = 1,
                                        .shape = {3},
                                        .place = LOCUM_CELL}};
static const locum_array arrays_3[] = {
    COMMON_ARRAYS,
    {.name = "temperature", .text = "temperature", .unit = "K", .domain = 4, .place = LOCUM_CELL, .roles = LOCUM_STATE},
    {.name = "velocity",
     .text = "velocity",
     .unit = "m s-1",
     .domain = 4,
     .order = 1,
     .shape = {3},
     .place = LOCUM_CELL},
    {.name = "stress", .text = "stress", .unit = "Pa", .domain = 4, .order = 2, .shape = {3, 3}, .place = LOCUM_CELL}};

const locum_schema *synthetic_schema(synthetic_kind kind)
{
    static const locum_schema schemas[] = {
        {.domains = domains_2, .n_domains = 5, .arrays = arrays_2, .n_arrays = 9},
        {.domains = domains_3, .n_domains = 5, .arrays = arrays_3, .n_arrays = 9},
        {.domains = domains_2, .n_domains = 4, .arrays = arrays_2, .n_arrays = 6},
    };

    return &schemas[kind];
}

locum_store_facts synthetic_facts(void)
{
    static const char *const constants[] = {"box_x"};
    static const double values[] = {1.5};

    return (locum_store_facts){.dataset_name = "synthetic",
                               .study = "study: synthetic\nseed: 1\n",
                               .provenance = "\"program\":\"test\"",
                               .options_hash = 0xfedcba9876543210u,
                               .n_parameters = 2,
                               .parameter_name = synthetic_parameter,
                               .parameter_unit = synthetic_unit,
                               .n_constants = 1,
                               .constant_name = constants,
                               .constant = values};
}

int64_t synthetic_particles(int64_t sample, int64_t frame)
{
    return (sample * 5 + frame * 3) % 11;
}

double synthetic_value(int64_t sample, int64_t frame, int array, int64_t i)
{
    return sin(1.0 + (double)sample + 3.0 * (double)frame + 7.0 * array + 0.1 * (double)i);
}

/* ids 10, 13, 16, ... in an order of their own: particle i of n is held at place (i * 7 + 3) mod n of all ranks'
 * rows */
static int64_t particle_at(int64_t place, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        if ((i * 13 + 3) % n == place) return i;
    return 0;
}

static void fill_particles(locum_block *block, int array, int64_t sample, int64_t frame, int64_t first, int64_t n,
                           int64_t all)
{
    int64_t *id = calloc((size_t)n + 1, sizeof *id);
    double *position = calloc((size_t)n * 3 + 1, sizeof *position);

    for (int64_t p = 0; p < n; p++) {
        int64_t i = particle_at(first + p, all);
        id[p] = 10 + 3 * i;
        for (int c = 0; c < 3; c++) position[3 * p + c] = synthetic_value(sample, frame, array, 3 * i + c);
    }
    bool is_id = array == 4;
    block->data = is_id ? (void *)id : (void *)position;
    free(is_id ? (void *)position : (void *)id);
}

locum_frame *synthetic_frame(synthetic_kind kind, int64_t sample, int64_t frame, int rank, int size)
{
    const locum_schema *schema = synthetic_schema(kind);
    locum_frame *f = calloc(1, sizeof *f);

    f->schema = schema;
    f->time = 0.1 * (double)frame;
    f->step = 10 * frame;
    f->blocks = calloc((size_t)schema->n_arrays, sizeof *f->blocks);
    for (int a = 0; a < schema->n_arrays; a++) {
        const locum_domain *d = &schema->domains[schema->arrays[a].domain];
        locum_block *block = &f->blocks[a];
        bool particles = d->support == LOCUM_ROWS && d->n_global[0] == 0, whole = !strcmp(d->name, "k");
        int64_t planes = d->support == LOCUM_GLOBAL ? 1
                         : particles                ? synthetic_particles(sample, frame)
                                                    : d->n_global[0];
        int64_t inner = locum_array_components(&schema->arrays[a]);
        for (int i = 1; d->support == LOCUM_GRID && i < d->n_dims; i++) inner *= block->n[i] = d->n_global[i];
        block->first[0] = whole || d->support == LOCUM_GLOBAL ? 0 : planes * rank / size;
        block->n[0] = whole || d->support == LOCUM_GLOBAL ? planes : planes * (rank + 1) / size - block->first[0];
        block->n_global = planes;
        if (particles) {
            fill_particles(block, a, sample, frame, block->first[0], block->n[0], planes);
            continue;
        }
        double *data = calloc((size_t)(block->n[0] * inner) + 1, sizeof *data);
        for (int64_t i = 0; i < block->n[0] * inner; i++)
            data[i] = synthetic_value(sample, frame, a, block->first[0] * inner + i);
        block->data = data;
    }
    return f;
}

void synthetic_frame_free(locum_frame *frame)
{
    for (int a = 0; a < frame->schema->n_arrays; a++) free((void *)(uintptr_t)frame->blocks[a].data);
    free(frame->blocks);
    free(frame);
}

locum_status synthetic_sample(locum_shard *shard, synthetic_kind kind, const locum_store_sample *sample,
                              int64_t n_frames, locum_status result, int rank, int size)
{
    locum_sink sink = locum_shard_sink(shard);
    locum_sample plain = {.index = sample->index, .seed = sample->seed};

    locum_shard_sample(shard, sample);
    locum_status st = sink.open(sink.self, synthetic_schema(kind), NULL, &plain);
    for (int64_t f = 0; !st && f < n_frames; f++) {
        locum_frame *frame = synthetic_frame(kind, sample->index, f, rank, size);
        st = sink.frame(sink.self, frame);
        synthetic_frame_free(frame);
    }
    if (!st && result) (void)LOCUM_FAIL(result, "step 7: not finite");
    if (!st) st = sink.close(sink.self, result);
    return st;
}

locum_status synthetic_shard(const char *path, MPI_Comm comm, synthetic_kind kind, locum_type precision,
                             locum_split split, int64_t first, int64_t n, int64_t n_frames, int64_t fails, int64_t cap)
{
    locum_store_facts facts = synthetic_facts();
    locum_shard *shard = NULL;
    int rank, size;

    MPI_Comm_rank(comm, &rank);
    MPI_Comm_size(comm, &size);
    locum_status st = locum_shard_create(path, comm, &facts, split, precision, &shard);
    if (!st && cap > 0) locum_shard_set_cap(shard, cap);
    for (int64_t i = first; !st && i < first + n; i++) {
        double parameter[2] = {0.25 * (double)i, 1.0 / (1.0 + (double)i)};
        locum_store_sample sample = {.index = i,
                                     .seed = 1000u + (uint64_t)i,
                                     .split = split,
                                     .twin = split == LOCUM_NOISE ? i - 100 : -1,
                                     .parameter = parameter};
        st = synthetic_sample(shard, kind, &sample, n_frames, i == fails ? LOCUM_NUMERIC : LOCUM_OK, rank, size);
    }
    if (!st) return locum_shard_commit(shard);
    locum_shard_abandon(shard);
    return st;
}

const char *synthetic_folder(const char *name)
{
    static char folder[256];
    int rank, size;

    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    snprintf(folder, sizeof folder, "store_files_%s_np%d", name, size);
    if (rank == 0 && (locum_remove_tree(folder) || locum_make_directories(folder))) printf("cannot make %s\n", folder);
    MPI_Barrier(MPI_COMM_WORLD);
    return folder;
}
