/* SPDX-License-Identifier: BSD-3-Clause */
/* round_trip.c - what goes through the sink comes back bit for bit, in both layouts, on any number of ranks. */
#include <string.h>
#include <unistd.h>

#include "tests/unit/parallel/mpi_main.h"
#include "core/parallel/comm.h"
#include "locum/dev/error.h"
#include "synthetic.h"

static char folder[256]; /* made by the first test that asks for a file */

static void make_folder(void)
{
    if (!folder[0]) snprintf(folder, sizeof folder, "%s", synthetic_folder("round_trip"));
}

static const char *file_named(const char *name)
{
    static char path[512];

    make_folder();
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

/* value i of an array as it must come back */
static double expected(const locum_schema *schema, int a, int64_t sample, int64_t frame, int64_t i,
                       locum_type precision)
{
    const locum_domain *d = &schema->domains[schema->arrays[a].domain];
    bool large = d->support == LOCUM_GRID || (d->support == LOCUM_ROWS && d->n_global[0] == 0);
    double value = synthetic_value(sample, frame, a, i);

    if (!strcmp(schema->arrays[a].name, "id")) return (double)(10 + 3 * i);
    return large && precision == LOCUM_FLOAT32 ? (double)(float)value : value;
}

/* how many values of all arrays of a sample differ from the formula */
static int64_t count_wrong(const locum_dataset *dataset, int64_t b, int64_t sample, int64_t n_frames,
                           locum_type precision)
{
    const locum_schema *schema = locum_dataset_schema(dataset);
    int64_t wrong = 0;
    double buffer[4096];

    for (int64_t f = 0; f < n_frames; f++)
        for (int a = 0; a < schema->n_arrays; a++) {
            int64_t n = locum_dataset_count(dataset, b, f, a), want = locum_array_components(&schema->arrays[a]);
            const locum_domain *d = &schema->domains[schema->arrays[a].domain];
            for (int i = 0; i < d->n_dims && d->n_global[i] > 0; i++) want *= d->n_global[i];
            if (!strcmp(d->name, "particles")) want *= synthetic_particles(sample, f);
            if (n != want || n > 4096) return -1;
            CHECK_OK(locum_dataset_read(dataset, b, f, a, buffer));
            for (int64_t i = 0; i < n; i++) wrong += buffer[i] != expected(schema, a, sample, f, i, precision);
        }
    return wrong;
}

static void round_trip(synthetic_kind kind, locum_type precision, const char *name, int64_t cap)
{
    locum_dataset *dataset = NULL;
    const char *path = file_named(name);

    CHECK_OK(synthetic_shard(path, MPI_COMM_WORLD, kind, precision, LOCUM_TRAIN, 0, 4, 3, 1, cap));
    CHECK_OK(locum_dataset_open(path, &dataset));
    if (!dataset) return;
    CU_ASSERT(locum_dataset_n(dataset) == 4);
    CU_ASSERT(locum_dataset_options_hash(dataset) == 0xfedcba9876543210u);
    CU_ASSERT_STRING_EQUAL(locum_dataset_study(dataset), "study: synthetic\nseed: 1\n");
    CU_ASSERT(locum_dataset_n_parameters(dataset) == 2);
    CU_ASSERT_STRING_EQUAL(locum_dataset_parameter_name(dataset, 1), "forcing.amplitude");
    CU_ASSERT_STRING_EQUAL(locum_dataset_parameter_unit(dataset, 0), "m2 s-1");
    for (int64_t b = 0; b < 4 && locum_dataset_n(dataset) == 4; b++) {
        const locum_dataset_sample *s = locum_dataset_sample_at(dataset, b);
        CU_ASSERT(s->index == b && s->seed == 1000u + (uint64_t)b && s->split == LOCUM_TRAIN && s->twin == -1);
        CU_ASSERT(s->parameter[0] == 0.25 * (double)b && s->parameter[1] == 1.0 / (1.0 + (double)b));
        CU_ASSERT(s->failed == (b == 1) && s->n_frames == (b == 1 ? 0 : 3));
        if (s->failed) CU_ASSERT_STRING_EQUAL(s->reason, "step 7: not finite");
        if (!s->failed) CU_ASSERT(count_wrong(dataset, b, b, 3, precision) == 0);
        if (!s->failed) CU_ASSERT(locum_dataset_time(dataset, b, -1) == 0.1 * 2.0);
    }
    double value;
    CHECK_FAILS(locum_dataset_read(dataset, 1, 0, 0, &value), LOCUM_ARG);
    locum_dataset_close(dataset);
    MPI_Barrier(MPI_COMM_WORLD);
}

static void grid_2_in_float32(void)
{
    round_trip(SYNTHETIC_GRID_2, LOCUM_FLOAT32, "grid_2.h5", 0);
}

static void grid_2_in_float64(void)
{
    round_trip(SYNTHETIC_GRID_2, LOCUM_FLOAT64, "grid_2_f64.h5", 0);
}

static void grid_3_in_float32(void)
{
    round_trip(SYNTHETIC_GRID_3, LOCUM_FLOAT32, "grid_3.h5", 0);
}

static void rows_in_float32(void)
{
    round_trip(SYNTHETIC_ROWS, LOCUM_FLOAT32, "rows.h5", 0);
}

static void rows_in_float64(void)
{
    round_trip(SYNTHETIC_ROWS, LOCUM_FLOAT64, "rows_f64.h5", 0);
}

/* 40 bytes: less than a line of 10 floats, so that planes and lines are both cut */
static void small_transfers_give_the_same(void)
{
    round_trip(SYNTHETIC_GRID_2, LOCUM_FLOAT32, "cut_2.h5", 40);
    round_trip(SYNTHETIC_GRID_3, LOCUM_FLOAT64, "cut_3.h5", 200);
    round_trip(SYNTHETIC_ROWS, LOCUM_FLOAT64, "cut_rows.h5", 40);
}

/* 50 planes of 128 KiB: chunks of 32 planes, the last one half empty; one rank writes chunks itself, three through
 * HDF5 */
static void arrays_larger_than_a_chunk_come_back(void)
{
    enum { NX = 50, NY = 128, NZ = 128 };
    static double values[NX * NY * NZ];
    locum_domain grid = {.name = "grid", .support = LOCUM_GRID, .n_dims = 3, .n_global = {NX, NY, NZ}};
    locum_array array = {.name = "density", .text = "", .unit = "1", .place = LOCUM_CELL};
    locum_schema schema = {.domains = &grid, .n_domains = 1, .arrays = &array, .n_arrays = 1};
    locum_store_facts facts = {.dataset_name = "large", .study = "", .provenance = ""};
    locum_shard *shard = NULL;
    locum_dataset *dataset = NULL;
    int64_t first = NX * world_rank / world_size, n = NX * (world_rank + 1) / world_size - first, wrong = 0;
    const char *path = file_named("large.h5");

    CHECK_OK(locum_shard_create(path, MPI_COMM_WORLD, &facts, LOCUM_TRAIN, LOCUM_FLOAT64, &shard));
    if (!shard) return;
    locum_sink sink = locum_shard_sink(shard);
    locum_sample sample = {0};
    CHECK_OK(sink.open(sink.self, &schema, NULL, &sample));
    for (int f = 0; f < 2; f++) {
        locum_block block = {.data = values, .first = {first}, .n = {n, NY, NZ}};
        locum_frame frame = {.schema = &schema, .blocks = &block};
        for (int64_t i = 0; i < n * NY * NZ; i++) values[i] = (double)(first * NY * NZ + i) + 0.5 * f;
        CHECK_OK(sink.frame(sink.self, &frame));
    }
    CHECK_OK(sink.close(sink.self, LOCUM_OK));
    CHECK_OK(locum_shard_commit(shard));
    CHECK_OK(locum_dataset_open(path, &dataset));
    if (!dataset) return;
    CHECK_OK(locum_dataset_read(dataset, 0, 1, 0, values));
    for (int64_t i = 0; i < NX * NY * NZ; i++) wrong += values[i] != (double)i + 0.5;
    CU_ASSERT(wrong == 0);
    locum_frame *frame = NULL;
    CHECK_OK(locum_dataset_read_frame(dataset, 0, 0, 1, 3, NULL,
                                      &frame)); /* planes 16 .. 32: the end of the first chunk and more */
    const double *slice = frame ? frame->blocks[0].data : NULL;
    for (int64_t i = 0; slice && i < 17 * NY * NZ; i++) wrong += slice[i] != (double)(16 * NY * NZ + i);
    CU_ASSERT(wrong == 0 && frame && frame->blocks[0].first[0] == 16 && frame->blocks[0].n[0] == 17);
    locum_frame_release(frame);
    locum_dataset_close(dataset);
    MPI_Barrier(MPI_COMM_WORLD);
}

/* slices of 1, 2 and 3 readers lie side by side */
static void frames_are_sliced_evenly(void)
{
    locum_dataset *dataset = NULL;
    const char *path = file_named("slices.h5");

    CHECK_OK(synthetic_shard(path, MPI_COMM_WORLD, SYNTHETIC_GRID_2, LOCUM_FLOAT32, LOCUM_TEST, 7, 1, 2, -1, 0));
    CHECK_OK(locum_dataset_open(path, &dataset));
    if (!dataset) return;
    int vorticity = locum_schema_find(locum_dataset_schema(dataset), "vorticity");
    int id = locum_schema_find(locum_dataset_schema(dataset), "id");
    for (int size = 1; size <= 3; size++) {
        int64_t next = 0, wrong = 0;
        for (int rank = 0; rank < size; rank++) {
            locum_frame *frame = NULL;
            CHECK_OK(locum_dataset_read_frame(dataset, 0, -1, rank, size, NULL, &frame));
            if (!frame) continue;
            const locum_block *block = &frame->blocks[vorticity];
            const double *data = block->data;
            const int64_t *ids = frame->blocks[id].data;
            CU_ASSERT(block->first[0] == next && block->n[1] == 10 && frame->step == 10 && frame->time == 0.1);
            for (int64_t i = 0; i < block->n[0] * 10; i++)
                wrong += data[i] != (double)(float)synthetic_value(7, 1, vorticity, 10 * next + i);
            for (int64_t i = 0; i < frame->blocks[id].n[0]; i++) wrong += ids[i] != 10 + 3 * i;
            next += block->n[0];
            locum_frame_release(frame);
        }
        CU_ASSERT(next == 6 && wrong == 0);
    }
    locum_dataset_close(dataset);
    MPI_Barrier(MPI_COMM_WORLD);
}

/* shards of several splits in one folder, one with a failed sample only, a leftover .part */
static void a_folder_is_one_dataset(void)
{
    static const locum_split splits[] = {LOCUM_TRAIN, LOCUM_VALIDATION, LOCUM_TEST, LOCUM_NOISE};
    locum_dataset *dataset = NULL;
    char path[512];
    int64_t *done = NULL, n = 0;

    make_folder();
    for (int s = 0; s < 4; s++) {
        int64_t first = splits[s] == LOCUM_NOISE ? 104 : 2 * s;
        snprintf(path, sizeof path, "%s/set/%s/shard.h5", folder, locum_split_folder(splits[s]));
        CHECK_OK(synthetic_shard(path, MPI_COMM_WORLD, SYNTHETIC_ROWS, LOCUM_FLOAT64, splits[s], first, 2, 1, 5, 0));
    }
    snprintf(path, sizeof path, "%s/set/data/train/failed.h5", folder);
    CHECK_OK(synthetic_shard(path, MPI_COMM_WORLD, SYNTHETIC_ROWS, LOCUM_FLOAT64, LOCUM_TRAIN, 50, 1, 1, 50, 0));
    snprintf(path, sizeof path, "%s/set/data/train/died.h5.part", folder);
    if (world_rank == 0) {
        FILE *part = fopen(path, "w");
        fputs("half a shard", part);
        fclose(part);
    }
    MPI_Barrier(MPI_COMM_WORLD);
    snprintf(path, sizeof path, "%s/set", folder);
    CHECK_OK(locum_dataset_open(path, &dataset));
    CHECK_OK(locum_store_done(path, &done, &n));
    CU_ASSERT(n == 9 && done && done[0] == 0 && done[5] == 5 && done[6] == 50 && done[8] == 105);
    free(done);
    if (!dataset) return;
    CU_ASSERT(locum_dataset_n(dataset) == 9);
    CU_ASSERT(locum_dataset_sample_at(dataset, 7)->split == LOCUM_NOISE &&
              locum_dataset_sample_at(dataset, 7)->twin == 4);
    CU_ASSERT(locum_dataset_sample_at(dataset, 5)->failed && locum_dataset_sample_at(dataset, 6)->failed);
    CU_ASSERT(count_wrong(dataset, 3, 3, 1, LOCUM_FLOAT64) == 0 && count_wrong(dataset, 8, 105, 1, LOCUM_FLOAT64) == 0);
    locum_dataset_close(dataset);
    MPI_Barrier(MPI_COMM_WORLD);
}

/* one rank fails: all get the same answer, none waits, no file is left */
static void one_rank_failing_stops_all(void)
{
    locum_store_facts facts = synthetic_facts();
    locum_shard *shard = NULL;
    double parameter[2] = {1, 2};
    locum_store_sample sample = {.split = LOCUM_TRAIN, .twin = -1, .parameter = parameter};
    int size, last = 0;
    char part[600];

    MPI_Comm_size(MPI_COMM_WORLD, &size);
    last = world_rank == size - 1;
    const char *path = file_named("one_fails.h5");
    CHECK_OK(locum_shard_create(path, MPI_COMM_WORLD, &facts, LOCUM_TRAIN, LOCUM_FLOAT32, &shard));
    if (!shard) return;
    locum_sink sink = locum_shard_sink(shard);
    locum_shard_sample(shard, &sample);
    CHECK_OK(sink.open(sink.self, synthetic_schema(SYNTHETIC_GRID_2), NULL, NULL));
    locum_frame *frame = synthetic_frame(SYNTHETIC_GRID_2, 0, 0, world_rank, size);
    if (last) frame->blocks[6].n[0] += 100;
    CHECK_FAILS(sink.frame(sink.self, frame), LOCUM_INTERNAL);
    if (last) frame->blocks[6].n[0] -= 100;
    synthetic_frame_free(frame);
    locum_shard_abandon(shard);
    snprintf(part, sizeof part, "%s.part", path);
    CU_ASSERT(access(part, F_OK) != 0 && access(path, F_OK) != 0);
    MPI_Barrier(MPI_COMM_WORLD);
}

/* a sample that failed before its first frame, in a shard that never saw a schema */
static void a_sample_that_never_began_is_recorded(void)
{
    locum_store_facts facts = synthetic_facts();
    locum_shard *shard = NULL;
    locum_dataset *dataset = NULL;
    double parameter[2] = {3, 4};
    locum_store_sample sample = {.index = 9, .split = LOCUM_TEST, .twin = -1, .parameter = parameter};
    const char *path = file_named("none.h5");

    CHECK_OK(locum_shard_create(path, MPI_COMM_WORLD, &facts, LOCUM_TEST, LOCUM_FLOAT32, &shard));
    if (!shard) return;
    locum_sink sink = locum_shard_sink(shard);
    locum_shard_sample(shard, &sample);
    (void)LOCUM_FAIL(LOCUM_CONVERGENCE, "no start");
    CHECK_OK(sink.close(sink.self, LOCUM_CONVERGENCE));
    CHECK_OK(locum_shard_commit(shard));
    CHECK_OK(locum_dataset_open(path, &dataset));
    if (!dataset) return;
    const locum_dataset_sample *s = locum_dataset_sample_at(dataset, 0);
    CU_ASSERT(locum_dataset_n(dataset) == 1 && s->failed && s->index == 9 && s->parameter[1] == 4);
    CU_ASSERT_STRING_EQUAL(s->reason, "no start");
    CU_ASSERT(locum_dataset_schema(dataset)->n_arrays == 0 && locum_dataset_count(dataset, 0, 0, 0) == 0);
    locum_dataset_close(dataset);
    MPI_Barrier(MPI_COMM_WORLD);
}

/* a sample with another number of frames is refused in the grid layout, with both numbers */
static void unequal_frames_are_refused(void)
{
    locum_store_facts facts = synthetic_facts();
    locum_shard *shard = NULL;
    double parameter[2] = {1, 2};
    locum_store_sample sample = {.split = LOCUM_TRAIN, .twin = -1, .parameter = parameter};
    int size;

    MPI_Comm_size(MPI_COMM_WORLD, &size);
    CHECK_OK(locum_shard_create(file_named("unequal.h5"), MPI_COMM_WORLD, &facts, LOCUM_TRAIN, LOCUM_FLOAT32, &shard));
    if (!shard) return;
    CHECK_OK(synthetic_sample(shard, SYNTHETIC_GRID_2, &sample, 2, LOCUM_OK, world_rank, size));
    sample.index = 1;
    CHECK_FAILS(synthetic_sample(shard, SYNTHETIC_GRID_2, &sample, 3, LOCUM_OK, world_rank, size), LOCUM_ARG);
    CU_ASSERT(strstr(locum_status_message(), "has 3 frames") != NULL &&
              strstr(locum_status_message(), "have 2") != NULL);
    CU_ASSERT(locum_shard_n_samples(shard) == 1);
    locum_shard_abandon(shard);
}

LOCUM_RUN_RANKS("store: round trips", {"a 2-D grid comes back rounded to float32", grid_2_in_float32},
                {"a 2-D grid comes back bit for bit in float64", grid_2_in_float64},
                {"a 3-D grid with a tensor comes back", grid_3_in_float32},
                {"ragged rows come back sorted by id", rows_in_float32},
                {"ragged rows come back bit for bit in float64", rows_in_float64},
                {"transfers cut to 40 bytes give the same", small_transfers_give_the_same},
                {"arrays larger than a chunk come back", arrays_larger_than_a_chunk_come_back},
                {"1, 2, 3 readers get slices side by side", frames_are_sliced_evenly},
                {"a folder of shards is one dataset; parts are ignored", a_folder_is_one_dataset},
                {"one rank failing stops all", one_rank_failing_stops_all},
                {"a sample that never began is recorded", a_sample_that_never_began_is_recorded},
                {"samples of a grid shard have as many frames", unequal_frames_are_refused})
