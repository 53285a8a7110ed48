/* SPDX-License-Identifier: BSD-3-Clause */
/* bench_reading.c - reading The Well's layout through the dataset's reader, beside raw read(2) of the same bytes.
 *
 *     bench_reading [MIB 256] [REPEATS 5] [FOLDER .]
 *
 * A file of 8 samples with a velocity of two components on 256 x 256 as float32 (0.5 MiB a frame), written by plain HDF5
 * calls as others write them: in one piece, and in chunks of one frame; and the same frames written by the store, whose
 * chunks carry checksums. Read: every frame of every sample by locum_dataset_read_frames, 8 frames a call, into one buffer
 * (each value is looked at: a number that is not finite is an error); beside it read(2) of the whole file in blocks of as
 * many bytes into the same buffer. Warm: the file is in the page cache; the processor's time counts. Cold: dropped from it
 * before (posix_fadvise); time on the wall counts.
 * Pairs alternate; the median of the ratios of pairs is the result. */
#include <fcntl.h>
#include <hdf5.h>
#include <math.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "datasets/formats/source.h"
#include "datasets/store/hdf5_tools.h"
#include "datasets/store/store.h"
#include "scripts/bench/files.h"

#define SIDE 256
#define SAMPLES 8
#define TOGETHER 8
#define REPEATS_MAX 64
#define COUNT ((int64_t)SIDE * SIDE * 2)

/* warm: the processor's time, which other programs on the machine do not lengthen; cold: time on the wall */
static double now(bool cold)
{
    struct timespec t;

    clock_gettime(cold ? CLOCK_MONOTONIC : CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double median(double *values, int n)
{
    qsort(values, (size_t)n, sizeof *values, by_value);
    return values[n / 2];
}

/* --- the file --------------------------------------------------------------------------------- */
static locum_status write_axis(hid_t file, const char *path, int64_t n)
{
    hsize_t dims = (hsize_t)n;
    double *x = malloc((size_t)n * sizeof *x);
    hid_t space = H5Screate_simple(1, &dims, NULL);
    hid_t data = H5Dcreate2(file, path, H5T_IEEE_F64LE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);

    for (int64_t i = 0; x && i < n; i++) x[i] = (double)i;
    bool good = x && data >= 0 && H5Dwrite(data, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, x) >= 0;
    free(x);
    H5Sclose(space);
    if (data >= 0) H5Dclose(data);
    return LOCUM_HDF5(good, LOCUM_IO, "cannot write %s", path);
}

static locum_status write_field(hid_t file, int64_t frames, bool chunked)
{
    hsize_t dims[5] = {SAMPLES, (hsize_t)frames, SIDE, SIDE, 2}, one[5] = {1, 1, SIDE, SIDE, 2}, start[5] = {0};
    hid_t space = H5Screate_simple(5, dims, NULL), memory = H5Screate_simple(5, one, NULL);
    hid_t property = H5Pcreate(H5P_DATASET_CREATE);
    float *values = malloc((size_t)COUNT * sizeof *values);

    if (chunked) H5Pset_chunk(property, 5, one);
    hid_t data = H5Dcreate2(file, "/t1_fields/velocity", H5T_IEEE_F32LE, space, H5P_DEFAULT, property, H5P_DEFAULT);
    bool good = data >= 0 && values;
    for (int64_t i = 0; good && i < SAMPLES * frames; i++) {
        start[0] = (hsize_t)(i / frames);
        start[1] = (hsize_t)(i % frames);
        for (int64_t k = 0; k < COUNT; k++) values[k] = (float)(k % 1009) * 0.01f + (float)i;
        good = H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, one, NULL) >= 0 &&
               H5Dwrite(data, H5T_NATIVE_FLOAT, memory, space, H5P_DEFAULT, values) >= 0;
    }
    free(values);
    if (data >= 0) H5Dclose(data);
    H5Pclose(property);
    H5Sclose(memory);
    H5Sclose(space);
    return LOCUM_HDF5(good, LOCUM_IO, "cannot write the field");
}

static locum_status write_well(const char *path, int64_t frames, bool chunked)
{
    const char *axes[2] = {"x", "y"};
    hid_t group = -1, dimensions = -1, file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    locum_status st = LOCUM_HDF5(file >= 0, LOCUM_IO, "cannot make %s", path);

    if (!st) st = locum_hdf5_attribute_integer(file, "n_spatial_dims", 2);
    if (!st) st = locum_hdf5_group(file, "/t1_fields", &group);
    if (!st) st = locum_hdf5_group(file, "/dimensions", &dimensions);
    if (!st) st = locum_hdf5_attribute_texts(dimensions, "spatial_dims", 2, axes);
    if (!st) st = write_axis(file, "/dimensions/x", SIDE);
    if (!st) st = write_axis(file, "/dimensions/y", SIDE);
    if (!st) st = write_axis(file, "/dimensions/time", frames);
    if (!st) st = write_field(file, frames, chunked);
    if (group >= 0) H5Gclose(group);
    if (dimensions >= 0) H5Gclose(dimensions);
    if (file >= 0) H5Fclose(file);
    return st;
}

/* the same frames as a solver gives them to the store */
static locum_status write_store(const char *path, int64_t frames)
{
    static double axis[SIDE];
    for (int i = 0; i < SIDE; i++) axis[i] = i;
    const locum_domain grid = {.name = "grid",
                               .support = LOCUM_GRID,
                               .n_dims = 2,
                               .n_global = {SIDE, SIDE},
                               .axis = {axis, axis},
                               .axis_name = {"x", "y"},
                               .axis_unit = "1",
                               .upper = {SIDE, SIDE}};
    const locum_array velocity = {
        .name = "velocity", .text = "", .unit = "1", .order = 1, .shape = {2}, .roles = LOCUM_STATE};
    const locum_schema schema = {.domains = &grid, .n_domains = 1, .arrays = &velocity, .n_arrays = 1};
    const bool wanted = true;
    const locum_store_facts facts = {.dataset_name = "bench", .study = "", .provenance = "\"program\":\"bench\""};
    double *values = malloc((size_t)COUNT * sizeof *values);
    locum_shard *shard = NULL;

    locum_status st = locum_shard_create(path, MPI_COMM_SELF, &facts, LOCUM_TRAIN, LOCUM_FLOAT32, &shard);
    for (int64_t b = 0; !st && b < SAMPLES; b++) {
        locum_store_sample sample = {.index = b, .split = LOCUM_TRAIN, .twin = -1};
        locum_sample opened = {.index = b};
        locum_sink sink = locum_shard_sink(shard);
        locum_shard_sample(shard, &sample);
        st = sink.open(sink.self, &schema, &wanted, &opened);
        for (int64_t f = 0; !st && f < frames; f++) {
            locum_block block = {.data = values, .n = {SIDE, SIDE}, .n_global = SIDE};
            locum_frame frame = {.schema = &schema, .time = (double)f, .step = f, .blocks = &block};
            for (int64_t k = 0; k < COUNT; k++) values[k] = (double)(k % 1009) * 0.01 + (double)f;
            st = sink.frame(sink.self, &frame);
        }
        if (!st) st = sink.close(sink.self, LOCUM_OK);
    }
    free(values);
    if (!st) return locum_shard_commit(shard);
    locum_shard_abandon(shard);
    return st;
}

/* --- reading ---------------------------------------------------------------------------------- */
static locum_status read_dataset(const char *path, bool cold, float *buffer, double *rate)
{
    locum_source source;
    locum_dataset *d = NULL;
    int64_t bytes = 0;

    locum_source_of_path(path, &source);
    locum_status st = locum_source_open(&source, 1, &d);
    double started = now(cold);
    for (int64_t b = 0; !st && b < locum_dataset_n(d); b++) {
        int64_t n = locum_dataset_sample_at(d, b)->n_frames;
        for (int64_t f = 0; !st && f < n; f += TOGETHER) {
            int64_t together = f + TOGETHER <= n ? TOGETHER : n - f;
            st = locum_dataset_read_frames(d, b, f, together, 0, buffer);
            bytes += together * COUNT * (int64_t)sizeof *buffer;
        }
    }
    *rate = (double)bytes / (now(cold) - started);
    locum_dataset_close(d);
    return st;
}

static locum_status read_raw(const char *path, bool cold, float *buffer, double *rate)
{
    int file = open(path, O_RDONLY);
    int64_t bytes = 0;
    ssize_t n = 0;

    LOCUM_REQUIRE(file >= 0, LOCUM_IO, "cannot open %s", path);
    double started = now(cold);
    while ((n = read(file, buffer, (size_t)(TOGETHER * COUNT) * sizeof *buffer)) > 0) bytes += n;
    *rate = (double)bytes / (now(cold) - started);
    close(file);
    return LOCUM_OK;
}

static locum_status measure(const char *name, const char *path, int repeats, float *buffer)
{
    static const char *const states[] = {"warm", "cold"};
    double ours[REPEATS_MAX], raw[REPEATS_MAX], ratio[REPEATS_MAX], once = 0;
    locum_status st = read_raw(path, true, buffer, &once); /* into the cache */

    for (int cold = 0; !st && cold < 2; cold++) {
        for (int i = 0; !st && i < repeats; i++) {
            if (cold) drop_from_cache(path);
            st = read_raw(path, cold, buffer, &raw[i]);
            if (cold) drop_from_cache(path);
            if (!st) st = read_dataset(path, cold, buffer, &ours[i]);
            if (!st) ratio[i] = ours[i] / raw[i];
        }
        if (!st)
            printf("%-28s %s   %6.2f GB/s   read(2) %6.2f GB/s   ratio %.2f   (must 0.7, aim 0.9)\n", name,
                   states[cold], median(ours, repeats) / 1e9, median(raw, repeats) / 1e9, median(ratio, repeats));
    }
    return st;
}

int main(int argc, char **argv)
{
    MPI_Init(&argc, &argv);
    int64_t mib = argc > 1 ? atoll(argv[1]) : 256;
    int repeats = argc > 2 ? atoi(argv[2]) : 5;
    const char *folder = argc > 3 ? argv[3] : ".";
    int64_t frames = mib * 1024 * 1024 / (SAMPLES * COUNT * (int64_t)sizeof(float));
    char path[3][1024];
    static const char *const names[] = {"The Well, one piece", "The Well, a chunk a frame",
                                        "the store's own (checksums)"};
    float *buffer = aligned_alloc(64, (size_t)(TOGETHER * COUNT) * sizeof *buffer);

    if (repeats > REPEATS_MAX) repeats = REPEATS_MAX;
    for (int i = 0; i < 3; i++) snprintf(path[i], sizeof path[i], "%s/bench_reading_%d.h5", folder, i);
    locum_store_setup();
    locum_status st = buffer && frames > 0 && repeats > 0
                          ? LOCUM_OK
                          : LOCUM_FAIL(LOCUM_ARG, "bench_reading [MIB] [REPEATS] [FOLDER]");
    if (!st) st = write_well(path[0], frames, false);
    if (!st) st = write_well(path[1], frames, true);
    if (!st) st = write_store(path[2], frames);
    if (!st) memset(buffer, 0, (size_t)(TOGETHER * COUNT) * sizeof *buffer);
    for (int i = 0; !st && i < 3; i++) st = measure(names[i], path[i], repeats, buffer);
    for (int i = 0; i < 3; i++) unlink(path[i]);
    if (st) printf("%s\n", locum_status_message());
    free(buffer);
    MPI_Finalize();
    return st ? 1 : 0;
}
