/* SPDX-License-Identifier: BSD-3-Clause */
/* fields.c - see fields.h. */
#include "tests/unit/train/fields.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/random.h"
#include "core/study/commit.h"

static const double pi = 3.14159265358979323846;
static const double axis_x[FIELDS_X] = {0, 0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875};
static const double axis_y[FIELDS_Y] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
static const locum_domain domains[] = {{.name = "global", .support = LOCUM_GLOBAL},
                                       {.name = "grid",
                                        .support = LOCUM_GRID,
                                        .n_dims = 2,
                                        .n_global = {FIELDS_X, FIELDS_Y},
                                        .axis = {axis_x, axis_y},
                                        .axis_name = {"x", "y"},
                                        .axis_unit = "m",
                                        .upper = {1, 12},
                                        .side = {{LOCUM_PERIODIC, LOCUM_PERIODIC}, {LOCUM_PERIODIC, LOCUM_PERIODIC}}}};
enum { VORTICITY, VELOCITY, COEFFICIENT, ENERGY, N_ARRAYS };
static const locum_array arrays[] = {
    {.name = "vorticity", .text = "curl", .unit = "s-1", .domain = 1, .roles = LOCUM_OBSERVABLE},
    {.name = "velocity",
     .text = "flow",
     .unit = "m s-1",
     .domain = 1,
     .order = 1,
     .shape = {2},
     .roles = LOCUM_OBSERVABLE},
    {.name = "coefficient", .text = "medium", .unit = "1", .domain = 1, .roles = LOCUM_ROLE_INPUT},
    {.name = "energy", .text = "energy", .unit = "m2 s-2", .domain = 0, .roles = LOCUM_OBSERVABLE}};
static const locum_schema schema = {.domains = domains, .n_domains = 2, .arrays = arrays, .n_arrays = N_ARRAYS};

enum { N_WAVES = 4 };
static const int waves[N_WAVES][2] = {{1, 0}, {1, 1}, {0, 1}, {2, -1}};

/* amplitude and phase of a wave of a sample */
static void wave_of(int64_t sample, int w, double *amplitude, double *phase)
{
    double u[2];
    locum_random_uniform(77, LOCUM_STREAM_TEST, (uint64_t)(sample * N_WAVES + w), u);
    *amplitude = 0.2 + 0.8 * u[0];
    *phase = 2 * pi * u[1];
}

double fields_time(int64_t frame)
{
    return (double)(float)(20 + 0.1 * (double)frame);
}

double fields_wave(int64_t sample, int64_t i, int64_t j)
{
    double sum = 0, amplitude, phase;
    for (int w = 0; w < N_WAVES; w++) {
        wave_of(sample, w, &amplitude, &phase);
        sum +=
            amplitude * cos(2 * pi * (waves[w][0] * (double)i / FIELDS_X + waves[w][1] * (double)j / FIELDS_Y) + phase);
    }
    return sum;
}

/* component of the velocity of the stream function psi = fields_wave: u = d psi / dy, v = - d psi / dx */
static double flow(int64_t sample, int64_t i, int64_t j, int component)
{
    double sum = 0, amplitude, phase;
    for (int w = 0; w < N_WAVES; w++) {
        wave_of(sample, w, &amplitude, &phase);
        double k = component ? -2 * pi * waves[w][0] : 2 * pi * waves[w][1] / 12;
        sum -= k * amplitude *
               sin(2 * pi * (waves[w][0] * (double)i / FIELDS_X + waves[w][1] * (double)j / FIELDS_Y) + phase);
    }
    return sum;
}

double fields_strength(int64_t sample)
{
    double u[2];
    locum_random_uniform(78, LOCUM_STREAM_TEST, (uint64_t)sample, u);
    return 1 + 5 * u[0];
}

static locum_status write_frame(locum_sink sink, int64_t sample, int64_t t)
{
    static double vorticity[FIELDS_POINTS], velocity[2 * FIELDS_POINTS], coefficient[FIELDS_POINTS], energy[1];
    double strength = fields_strength(sample);
    locum_block blocks[N_ARRAYS] = {{.data = vorticity, .n = {FIELDS_X, FIELDS_Y}},
                                    {.data = velocity, .n = {FIELDS_X, FIELDS_Y}},
                                    {.data = coefficient, .n = {FIELDS_X, FIELDS_Y}},
                                    {.data = energy, .n = {1}}};
    energy[0] = 0;
    for (int i = 0; i < FIELDS_X; i++)
        for (int j = 0; j < FIELDS_Y; j++) {
            int p = i * FIELDS_Y + j;
            vorticity[p] = strength * fields_wave(sample, i - t, j);
            coefficient[p] = fields_wave(sample, i, j);
            for (int k = 0; k < 2; k++) velocity[2 * p + k] = strength * flow(sample, i - t, j, k);
            energy[0] += vorticity[p] * vorticity[p];
        }
    for (int a = 0; a < N_ARRAYS; a++) blocks[a].n_global = a == ENERGY ? 1 : FIELDS_X;
    return sink.frame(sink.self,
                      &(locum_frame){.schema = &schema, .time = fields_time(t), .step = t, .blocks = blocks});
}

static locum_status write_split(const char *folder, locum_split split, int64_t first, int64_t n, int64_t frames)
{
    static const char *const name[] = {"strength"}, *const unit[] = {"1"};
    locum_store_facts facts = {.dataset_name = "waves",
                               .study = "study: waves\n",
                               .provenance = "\"program\":\"test\"",
                               .options_hash = 1,
                               .n_parameters = 1,
                               .parameter_name = name,
                               .parameter_unit = unit};
    char path[LOCUM_PATH_SIZE];
    locum_shard *shard = NULL;
    if (snprintf(path, sizeof path, "%s/%s", folder, locum_split_folder(split)) >= (int)sizeof path) abort();
    LOCUM_TRY(locum_make_directories(path));
    if (snprintf(path, sizeof path, "%s/%s/a.h5", folder, locum_split_folder(split)) >= (int)sizeof path) abort();
    LOCUM_TRY(locum_shard_create(path, MPI_COMM_SELF, &facts, split, LOCUM_FLOAT32, &shard));
    locum_status st = LOCUM_OK;
    for (int64_t s = first; s < first + n && !st; s++) {
        double strength = fields_strength(s);
        locum_sink sink = locum_shard_sink(shard);
        locum_shard_sample(
            shard, &(locum_store_sample){.index = s, .seed = 1, .split = split, .twin = -1, .parameter = &strength});
        st = sink.open(sink.self, &schema, NULL, &(locum_sample){.index = s, .seed = 1});
        for (int64_t t = 0; t < frames && !st; t++) st = write_frame(sink, s, t);
        if (!st) st = sink.close(sink.self, LOCUM_OK);
    }
    if (!st) return locum_shard_commit(shard);
    locum_shard_abandon(shard);
    return st;
}

void fields_dataset(MPI_Comm comm, const char *folder, const int64_t n[4], int64_t frames)
{
    int rank;
    locum_status st = LOCUM_OK;
    MPI_Comm_rank(comm, &rank);
    for (int s = 0, first = 0; s < 4 && !rank && !st; first += (int)n[s++])
        if (n[s]) st = write_split(folder, (locum_split)s, first, n[s], frames);
    if (st) {
        printf("\n%s\n", locum_status_message());
        abort();
    }
    MPI_Barrier(comm);
}

/* --- a network of one product ------------------------------------------------------------------------------------- */
static locum_status stencil_build(const void *config, const locum_task *task, locum_graph *graph,
                                  const locum_network_input *in, locum_id *z, locum_id *features)
{
    const int64_t channels = (int64_t)task->history * task->in_channels, n = task->grid[0];
    const int64_t dims[3] = {1, 3 * channels, task->out_channels};
    int axes[] = {1, 2};
    locum_id wide = locum_pad(graph, in->fields, 1, 1, 1, LOCUM_PAD_PERIODIC), parts[3];
    (void)config;
    for (int k = 0; k < 3; k++) parts[k] = locum_slice(graph, wide, 1, k, n, 1);
    *z = locum_product(graph, locum_concat(graph, -1, 3, parts),
                       locum_parameter(graph, "weight", LOCUM_REAL32, 3, dims), false);
    *features = locum_mean(graph, *z, 2, axes, false);
    return locum_graph_status(graph);
}

const locum_model_type fields_stencil = {
    .name = "stencil", .summary = "three neighbours", .config_size = 1, .on_grids = true, .build = stencil_build};

/* --- a training --------------------------------------------------------------------------------------------------- */
locum_status field_training_create(const char *surrogate, const char *train, const locum_model_type *type,
                                   const char *dataset, const char *folder, MPI_Comm comm, field_training *f)
{
    locum_text text = {0};
    training *t = &f->t;
    *f = (field_training){0};
    locum_text_add(&text,
                   "study: waves\nseed: 3\nrecord: {observe: [vorticity, velocity, coefficient, energy]}\nsurrogate: "
                   "{%s}\ntrain: {%s}\n",
                   surrogate, train);
    locum_status st = training_parse(&text, folder, comm, t);
    if (!st) st = locum_dataset_open(dataset, &f->dataset);
    if (!st && type) t->surrogate.type = type;
    return st ? st : locum_training_data_open(f->dataset, &t->surrogate, 0, 0, &t->data);
}

void field_training_destroy(field_training *f)
{
    locum_training_data_close(&f->t.data);
    locum_dataset_close(f->dataset);
    training_destroy(&f->t);
}
