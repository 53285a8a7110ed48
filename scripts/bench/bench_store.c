/* SPDX-License-Identifier: BSD-3-Clause */
/* bench_store.c - the store against dd on the same disk in the same run.
 *
 *     bench_store [MIB 512] [REPEATS 5] [FOLDER .]
 *
 * One shard of 2-D frames of 512 x 512 (1 MiB each as float32, given as float64 as a solver does) is written
 * through the sink: rounding, checksums, file, fsync, rename. Verification (everything read back) is part of a
 * commit but timed apart. Beside it `dd bs=4M conv=fsync` writes as many zeros. Reading: every frame as double,
 * beside dd to /dev/null; both files are dropped from the page cache before (cold: the disk) and then read once
 * more (warm: the memory). Store and dd alternate; medians, with the spread. A disk that others use is noise for
 * both; the ratio of one pair is the number, its median the result. */
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "datasets/store/shard_internal.h"
#include "datasets/store/store.h"
#include "scripts/bench/files.h"

#define SIDE 512
#define REPEATS_MAX 64

typedef struct rates { /* bytes per second of each repeat */
    double write[REPEATS_MAX], dd_write[REPEATS_MAX], read[REPEATS_MAX], dd_read[REPEATS_MAX], warm[REPEATS_MAX],
        dd_warm[REPEATS_MAX];
    double verify[REPEATS_MAX]; /* seconds */
} rates;

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void print_row(const char *name, const double *values, int n, double unit, const char *text)
{
    double sorted[REPEATS_MAX];

    memcpy(sorted, values, (size_t)n * sizeof *sorted);
    qsort(sorted, (size_t)n, sizeof *sorted, by_value);
    printf("%-34s %9.3f %s   (%.3f .. %.3f)\n", name, sorted[n / 2] / unit, text, sorted[0] / unit,
           sorted[n - 1] / unit);
}

static void print_ratio(const char *name, const double *ours, const double *theirs, int n)
{
    double ratio[REPEATS_MAX];

    for (int i = 0; i < n; i++) ratio[i] = ours[i] / theirs[i];
    print_row(name, ratio, n, 1.0, "x dd");
}

/* --- the store -------------------------------------------------------------------------------- */
static locum_status write_shard(const char *path, int64_t n_frames, const double *values, double *verify)
{
    locum_domain grid = {.name = "grid",
                         .support = LOCUM_GRID,
                         .n_dims = 2,
                         .n_global = {SIDE, SIDE},
                         .axis_name = {"x", "y"},
                         .axis_unit = "1"};
    locum_array array = {.name = "vorticity", .text = "", .unit = "s-1", .place = LOCUM_NODE};
    locum_schema schema = {.domains = &grid, .n_domains = 1, .arrays = &array, .n_arrays = 1};
    locum_store_facts facts = {.dataset_name = "bench", .study = "", .provenance = ""};
    locum_sample sample = {0};
    locum_shard *shard = NULL;

    locum_status st = locum_shard_create(path, MPI_COMM_SELF, &facts, LOCUM_TRAIN, LOCUM_FLOAT32, &shard);
    if (st) return st;
    locum_sink sink = locum_shard_sink(shard);
    st = sink.open(sink.self, &schema, NULL, &sample);
    for (int64_t f = 0; !st && f < n_frames; f++) {
        locum_block block = {.data = values + f % 7, .n = {SIDE, SIDE}};
        locum_frame frame = {.schema = &schema, .time = (double)f, .step = f, .blocks = &block};
        st = sink.frame(sink.self, &frame);
    }
    if (!st) st = sink.close(sink.self, LOCUM_OK);
    if (!st) return locum_shard_commit_timed(shard, verify);
    locum_shard_abandon(shard);
    return st;
}

static locum_status read_shard(const char *path, int64_t n_frames, double *buffer)
{
    locum_dataset *dataset = NULL;
    locum_status st = locum_dataset_open(path, &dataset);

    for (int64_t f = 0; !st && f < n_frames; f++) st = locum_dataset_read(dataset, 0, f, 0, buffer);
    locum_dataset_close(dataset);
    return st;
}

/* --- dd --------------------------------------------------------------------------------------- */
static double time_dd(const char *arguments)
{
    char command[2400];

    snprintf(command, sizeof command, "dd bs=4M %s 2>/dev/null", arguments);
    double start = now();
    if (system(command)) fprintf(stderr, "dd failed: %s\n", command);
    return now() - start;
}

/* --- one repeat ------------------------------------------------------------------------------- */
static locum_status repeat(const char *folder, int64_t mib, int i, double *values, double *buffer, rates *r)
{
    char shard[1024], zeros[1024], arguments[2200];
    double bytes = (double)mib * 1048576.0, start;

    snprintf(shard, sizeof shard, "%s/bench_store.h5", folder);
    snprintf(zeros, sizeof zeros, "%s/bench_store.dd", folder);
    start = now();
    locum_status st = write_shard(shard, mib, values, &r->verify[i]);
    r->write[i] = bytes / (now() - start - r->verify[i]);
    snprintf(arguments, sizeof arguments, "if=/dev/zero of='%s' count=%lld conv=fsync", zeros, (long long)(mib / 4));
    r->dd_write[i] = bytes / time_dd(arguments);
    for (int warm = 0; !st && warm < 2; warm++) {
        if (!warm) drop_from_cache(shard);
        if (!warm) drop_from_cache(zeros);
        start = now();
        st = read_shard(shard, mib, buffer);
        (warm ? r->warm : r->read)[i] = bytes / (now() - start);
        snprintf(arguments, sizeof arguments, "if='%s' of=/dev/null", zeros);
        (warm ? r->dd_warm : r->dd_read)[i] = bytes / time_dd(arguments);
    }
    unlink(shard);
    unlink(zeros);
    snprintf(shard, sizeof shard, "%s/bench_store.xmf", folder);
    unlink(shard);
    return st;
}

static void print_all(const rates *r, int64_t mib, int n)
{
    struct utsname machine;
    unsigned major, minor, release;

    uname(&machine);
    H5get_libversion(&major, &minor, &release);
    printf(
        "store: %lld MiB in frames of 1 MiB, %d repeats, median (lowest .. highest)\n%s %s, %ld cores, HDF5 %u.%u.%u\n",
        (long long)mib, n, machine.sysname, machine.machine, sysconf(_SC_NPROCESSORS_ONLN), major, minor, release);
    print_row("write", r->write, n, 1e6, "MB/s");
    print_row("dd conv=fsync", r->dd_write, n, 1e6, "MB/s");
    print_row("read, cold", r->read, n, 1e6, "MB/s");
    print_row("dd, cold", r->dd_read, n, 1e6, "MB/s");
    print_row("read, warm", r->warm, n, 1e6, "MB/s");
    print_row("dd, warm", r->dd_warm, n, 1e6, "MB/s");
    print_row("verification (not in write)", r->verify, n, 1.0, "s");
    print_ratio("write / dd", r->write, r->dd_write, n);
    double whole[REPEATS_MAX], bytes = (double)mib * 1048576.0;
    for (int i = 0; i < n; i++) whole[i] = bytes / (bytes / r->write[i] + r->verify[i]);
    print_ratio("write with verification / dd", whole, r->dd_write, n);
    print_ratio("read cold / dd", r->read, r->dd_read, n);
    print_ratio("read warm / dd", r->warm, r->dd_warm, n);
}

int main(int argc, char **argv)
{
    int64_t mib = argc > 1 ? atoll(argv[1]) : 512;
    int repeats = argc > 2 ? atoi(argv[2]) : 5;
    const char *folder = argc > 3 ? argv[3] : ".";
    double *values = NULL, *buffer = NULL;
    rates *r = NULL;

    MPI_Init(&argc, &argv);
    locum_store_setup();
    mib = mib < 4 ? 4 : mib - mib % 4;
    repeats = repeats < 1 ? 1 : repeats > REPEATS_MAX ? REPEATS_MAX : repeats;
    values = calloc(SIDE * SIDE + 8, sizeof *values);
    buffer = calloc(SIDE * SIDE, sizeof *buffer);
    r = calloc(1, sizeof *r);
    locum_status st = values && buffer && r ? LOCUM_OK : LOCUM_MEMORY;
    for (int i = 0; !st && i < SIDE * SIDE + 8; i++) values[i] = (double)((i * 7919) % 10007) / 10007.0;
    for (int i = 0; !st && i < repeats; i++) st = repeat(folder, mib, i, values, buffer, r);
    if (st)
        fprintf(stderr, "%s: %s\n", locum_status_name(st), locum_status_message());
    else
        print_all(r, mib, repeats);
    free(values);
    free(buffer);
    free(r);
    MPI_Finalize();
    return st != LOCUM_OK;
}
