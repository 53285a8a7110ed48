/* SPDX-License-Identifier: BSD-3-Clause */
/* write_fields.c - models of fields whose answer is known (tests/unit/runtime/field_model.h) and data for them:
 *
 *     step-1, step-3, plain, map, values .safetensors      data.h5: 2 samples of 5 frames, FIELD_INTERVAL apart,
 *                                                          parameter gain = 1 and 0.75 */
#include <math.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/study/commit.h"
#include "datasets/store/store.h"
#include "tests/unit/runtime/field_model.h"

enum { NX = 8, NY = 6, FRAMES = 5, SAMPLES = 2 };

static locum_status write_model(const char *folder, const char *name, const field_model *model)
{
    char path[1024];
    locum_text text = {0};
    field_model_write(model, &text);
    snprintf(path, sizeof path, "%s/%s.safetensors", folder, name);
    locum_status st = locum_commit_bytes(path, text.data, text.size);
    locum_text_free(&text);
    return st;
}

static locum_status write_sample(locum_shard *shard, int64_t index, const locum_schema *schema)
{
    static double tracer[NX * NY], velocity[2 * NX * NY];
    static const bool wanted[2] = {true, true};
    double gain = index ? 0.75 : 1;
    locum_store_sample says = {.index = index, .split = LOCUM_TEST, .twin = -1, .parameter = &gain};
    locum_sample sample = {.index = index};
    locum_block blocks[2] = {{tracer, {0}, {NX, NY, 1}, NX}, {velocity, {0}, {NX, NY, 1}, NX}};
    locum_sink sink = locum_shard_sink(shard);

    locum_shard_sample(shard, &says);
    LOCUM_TRY(sink.open(sink.self, schema, wanted, &sample));
    for (int t = 0; t < FRAMES; t++) {
        for (int i = 0; i < NX * NY; i++) tracer[i] = 0.5 * sin(0.7 * i + t + (double)index);
        for (int i = 0; i < 2 * NX * NY; i++) velocity[i] = 0.5 * cos(0.3 * i + t);
        locum_frame frame = {.schema = schema, .time = 1 + t * FIELD_INTERVAL, .step = t, .blocks = blocks};
        LOCUM_TRY(sink.frame(sink.self, &frame));
    }
    return sink.close(sink.self, LOCUM_OK);
}

static locum_status write_data(const char *folder)
{
    static double x[NX], y[NY];
    static const char *const name[] = {"gain"}, *const unit[] = {"1"};
    char path[1024];
    locum_store_facts facts = {.dataset_name = "fields",
                               .study = "",
                               .provenance = "",
                               .n_parameters = 1,
                               .parameter_name = name,
                               .parameter_unit = unit};
    locum_domain grid = {.name = "grid",
                         .support = LOCUM_GRID,
                         .n_dims = 2,
                         .n_global = {NX, NY, 1},
                         .axis = {x, y},
                         .axis_name = {"x", "y"},
                         .axis_unit = "1",
                         .upper = {1, 1, 1}};
    locum_array arrays[] = {{"tracer", "", "1", LOCUM_FLOAT64, 0, .roles = LOCUM_STATE},
                            {"velocity", "", "1", LOCUM_FLOAT64, 0, 1, {2, 1}, .roles = LOCUM_STATE}};
    locum_schema schema = {&grid, 1, arrays, 2, false, 0};
    locum_shard *shard = NULL;

    for (int i = 0; i < NX; i++) x[i] = (double)i / NX;
    for (int i = 0; i < NY; i++) y[i] = (double)i / NY;
    snprintf(path, sizeof path, "%s/data.h5", folder);
    LOCUM_TRY(locum_shard_create(path, MPI_COMM_WORLD, &facts, LOCUM_TEST, LOCUM_FLOAT64, &shard));
    for (int64_t s = 0; s < SAMPLES; s++) LOCUM_TRY(write_sample(shard, s, &schema));
    return locum_shard_commit(shard);
}

int main(int argc, char **argv)
{
    static const field_model step_1 = {NX, NY, 1, .is_step = true, .vector = true, .trusted = true, .residuals = true},
                             step_3 = {NX, NY, 3, .is_step = true, .vector = true, .trusted = true, .residuals = true},
                             plain = {NX, NY, 1, .is_step = true}, map = {NX, NY, 1, .vector = true, .trusted = true},
                             values = {NX, NY, 1, .from_values = true, .trusted = true},
                             other = {NX + 1, NY, 1, .is_step = true};
    if (argc != 2) return 2;
    locum_store_setup();
    MPI_Init(NULL, NULL);
    locum_status st = write_model(argv[1], "step-1", &step_1);
    if (!st) st = write_model(argv[1], "step-3", &step_3);
    if (!st) st = write_model(argv[1], "plain", &plain);
    if (!st) st = write_model(argv[1], "map", &map);
    if (!st) st = write_model(argv[1], "values", &values);
    if (!st) st = write_model(argv[1], "other", &other);
    if (!st) st = write_data(argv[1]);
    if (st) fprintf(stderr, "%s\n", locum_status_message());
    MPI_Finalize();
    return st != LOCUM_OK;
}
