/* SPDX-License-Identifier: BSD-3-Clause */
/* simulate.c - claims about one run to one file: what is there already, stopping and going on, coarser grids. */
#include <sys/stat.h>

#include "tests/unit/campaign/fixture.h"

#define STUDY "study: s\nseed: 5\nsolver: {name: grid_advection, resolution: [16, 8], step: 0.001}\ninitial: random\n"

static char folder[LOCUM_PATH_SIZE];

static void path_of(const char *name, char path[LOCUM_PATH_SIZE])
{
    locum_format(path, LOCUM_PATH_SIZE, "%s/%s", folder, name);
}

static locum_status simulate(const char *study, const char *path, bool force, double wall_time)
{
    fixture f = fixture_read(study, false);
    locum_watch watch;
    locum_status st = f.status;

    MPI_Barrier(MPI_COMM_WORLD); /* others may still look at the files of the run before */
    locum_watch_begin(&watch, NULL, NULL, wall_time);
    if (!st) st = locum_simulate(f.study, &f.setup, MPI_COMM_WORLD, path, force, NULL, &watch);
    MPI_Barrier(MPI_COMM_WORLD);
    fixture_free(&f);
    return st;
}

/* all frames of two files are the same bits */
static void check_same(const char *a, const char *b, int64_t n_frames)
{
    locum_dataset *x = NULL, *y = NULL;

    CHECK_OK(locum_dataset_open(a, &x));
    CHECK_OK(locum_dataset_open(b, &y));
    if (!x || !y) return;
    const locum_schema *schema = locum_dataset_schema(x);
    CU_ASSERT(locum_dataset_sample_at(x, 0)->n_frames == n_frames &&
              locum_dataset_sample_at(y, 0)->n_frames == n_frames);
    CU_ASSERT(schema->n_arrays == locum_dataset_schema(y)->n_arrays);
    for (int64_t f = 0; f < n_frames; f++)
        for (int k = 0; k < schema->n_arrays; k++) {
            int64_t n = locum_dataset_count(x, 0, f, k);
            CU_ASSERT_FATAL(n == locum_dataset_count(y, 0, f, k));
            double *u = calloc((size_t)n + 1, sizeof *u), *v = calloc((size_t)n + 1, sizeof *v);
            CHECK_OK(locum_dataset_read(x, 0, f, k, u));
            CHECK_OK(locum_dataset_read(y, 0, f, k, v));
            CU_ASSERT(!memcmp(u, v, (size_t)n * sizeof *u));
            CU_ASSERT(locum_dataset_time(x, 0, f) == locum_dataset_time(y, 0, f));
            free(u);
            free(v);
        }
    locum_dataset_close(x);
    locum_dataset_close(y);
}

static double modified(const char *path)
{
    struct stat s;

    return stat(path, &s) ? -1 : (double)s.st_mtim.tv_sec + 1e-9 * (double)s.st_mtim.tv_nsec;
}

static void a_second_run_has_nothing_to_do_and_other_options_need_force(void)
{
    char path[LOCUM_PATH_SIZE];
    path_of("made/on/the/way/once.h5", path);

    CHECK_OK(simulate(STUDY "record: {until: 0.01, every: 0.002}\n", path, false, NAN));
    double before = modified(path);
    CHECK_OK(simulate(STUDY "record: {until: 0.01, every: 0.002}\n", path, false, NAN));
    CU_ASSERT(modified(path) == before);
    CHECK_FAILS(simulate(STUDY "record: {until: 0.01, every: 0.005}\n", path, false, NAN), LOCUM_EXISTS);
    CU_ASSERT(modified(path) == before && strstr(locum_status_message(), "--force"));
    CHECK_OK(simulate(STUDY "record: {until: 0.01, every: 0.005}\n", path, true, NAN));
    CU_ASSERT(modified(path) > before);
}

/* stops at once after each step's look at the clock, again and again, until it is through */
static void check_stops(const char *name, const char *record, int64_t n_frames)
{
    char whole[LOCUM_PATH_SIZE], parts[LOCUM_PATH_SIZE], study[1024], text[64];
    locum_status st = LOCUM_STOPPED;
    int legs = 0;

    locum_format(text, sizeof text, "%s-whole.h5", name);
    path_of(text, whole);
    locum_format(text, sizeof text, "%s-parts.h5", name);
    path_of(text, parts);
    locum_format(study, sizeof study, "%s%s", STUDY, record);
    CHECK_OK(simulate(study, whole, false, NAN));
    while (st == LOCUM_STOPPED && legs++ < 100) {
        st = simulate(study, parts, false, 1e-9);
        CU_ASSERT(st == LOCUM_OK || access(parts, F_OK) != 0); /* nothing looks finished that is not */
    }
    CHECK_OK(st);
    CU_ASSERT(legs > 4);
    check_same(whole, parts, n_frames);
    locum_format(text, sizeof text, "%s-parts.h5.restart.state.h5", name);
    path_of(text, parts);
    CU_ASSERT(access(parts, F_OK) != 0); /* nothing left behind */
}

static void frames_of_a_stopped_run_are_those_of_a_whole_one(void)
{
    check_stops("frames", "record: {until: 0.006, every: 0.002, precision: float64}\n", 4);
}

static void single_precision_is_not_rounded_twice(void)
{
    check_stops("single", "record: {until: 0.006, every: 0.003}\n", 3);
}

static void a_mean_of_a_stopped_run_is_that_of_a_whole_one(void)
{
    check_stops("mean", "record: {from: 0.002, until: 0.006, average: true, precision: float64}\n", 1);
}

static void a_restart_file_of_other_options_needs_force(void)
{
    char path[LOCUM_PATH_SIZE];
    path_of("other.h5", path);

    CHECK_FAILS(simulate(STUDY "record: {until: 0.01}\n", path, false, 1e-9), LOCUM_STOPPED);
    CHECK_FAILS(simulate(STUDY "record: {until: 0.02}\n", path, false, NAN), LOCUM_EXISTS);
    CHECK_OK(simulate(STUDY "record: {until: 0.02}\n", path, true, NAN));

    /* how often restart files are written does not change the result */
    path_of("another_clock.h5", path);
    CHECK_FAILS(simulate(STUDY "record: {until: 0.01}\n", path, false, 1e-9), LOCUM_STOPPED);
    CHECK_OK(simulate(STUDY "record: {until: 0.01, checkpoint: 5}\n", path, false, NAN));
}

static void restart_files_are_written_by_the_clock(void)
{
    char path[LOCUM_PATH_SIZE], whole[LOCUM_PATH_SIZE];
    path_of("clock.h5", path);
    path_of("clock-whole.h5", whole);

    /* a restart file after each step: as many pieces as frames */
    CHECK_OK(simulate(STUDY "record: {until: 0.006, every: 0.002, checkpoint: 0}\n", path, false, NAN));
    CHECK_OK(simulate(STUDY "record: {until: 0.006, every: 0.002}\n", whole, false, NAN));
    check_same(whole, path, 4);
}

static void a_coarser_grid_is_stored(void)
{
    char path[LOCUM_PATH_SIZE], fine[LOCUM_PATH_SIZE];
    locum_dataset *a = NULL, *b = NULL;
    double coarse[8 * 4], all[16 * 8];
    path_of("coarse.h5", path);
    path_of("fine.h5", fine);

    CHECK_OK(simulate(STUDY "record: {until: 0.01, resolution: [8, 4], precision: float64}\n", path, false, NAN));
    CHECK_OK(simulate(STUDY "record: {until: 0.01, precision: float64}\n", fine, false, NAN));
    CHECK_OK(locum_dataset_open(path, &a));
    CHECK_OK(locum_dataset_open(fine, &b));
    if (!a || !b) return;
    int k = locum_schema_find(locum_dataset_schema(a), "tracer"),
        l = locum_schema_find(locum_dataset_schema(b), "tracer");
    int profile = locum_schema_find(locum_dataset_schema(a), "profile");
    CU_ASSERT_FATAL(locum_dataset_count(a, 0, 0, k) == 32 && locum_dataset_count(b, 0, 0, l) == 128);
    CU_ASSERT(locum_dataset_count(a, 0, 0, profile) == 8); /* profiles stay as fine as they are */
    CHECK_OK(locum_dataset_read(a, 0, 0, k, coarse));
    CHECK_OK(locum_dataset_read(b, 0, 0, l, all));
    for (int i = 0; i < 8; i++)
        for (int j = 0; j < 4; j++)
            CU_ASSERT(coarse[4 * i + j] == all[8 * 2 * i + 2 * j]); /* its points are points of the fine grid */
    locum_dataset_close(a);
    locum_dataset_close(b);
}

static void a_failed_run_leaves_no_file_and_says_why(void)
{
    char path[LOCUM_PATH_SIZE];
    path_of("failed.h5", path);

    CHECK_FAILS(
        simulate("study: s\nsolver: {name: grid_advection, diffusivity: 5}\nrecord: {until: 1}\n", path, false, NAN),
        LOCUM_NUMERIC);
    CU_ASSERT(strstr(locum_status_message(), "not stable") && strstr(locum_status_message(), "restart file"));
    CU_ASSERT(access(path, F_OK) != 0);
}

/* an initial state from a file of ours, on the same grid and on another */
static void a_run_starts_from_a_file(void)
{
    char first[LOCUM_PATH_SIZE], second[LOCUM_PATH_SIZE], study[2 * LOCUM_PATH_SIZE];
    locum_dataset *a = NULL, *b = NULL;
    double x[128], y[128], z[32 * 16];
    path_of("first.h5", first);
    path_of("second.h5", second);

    CHECK_OK(simulate(STUDY "record: {until: 0.01, precision: float64}\n", first, false, NAN));
    locum_format(
        study, sizeof study,
        "study: s\nsolver: {name: grid_advection, step: 0.001}\ninitial: {name: file, file: %s, dataset: tracer}\n"
        "record: {until: 0, precision: float64}\n",
        first);
    CHECK_OK(simulate(study, second, false, NAN)); /* the resolution is the file's */
    CHECK_OK(locum_dataset_open(first, &a));
    CHECK_OK(locum_dataset_open(second, &b));
    if (!a || !b) return;
    CHECK_OK(locum_dataset_read(a, 0, -1, locum_schema_find(locum_dataset_schema(a), "tracer"), x));
    CU_ASSERT_FATAL(locum_dataset_count(b, 0, 0, locum_schema_find(locum_dataset_schema(b), "tracer")) == 128);
    CHECK_OK(locum_dataset_read(b, 0, 0, locum_schema_find(locum_dataset_schema(b), "tracer"), y));
    CU_ASSERT(!memcmp(x, y, sizeof x));
    locum_dataset_close(b);
    path_of("third.h5", second);
    locum_format(study, sizeof study,
                 "study: s\nsolver: {name: grid_advection, resolution: [32, 16], step: 0.0005}\n"
                 "initial: {name: file, file: %s, dataset: tracer}\nrecord: {until: 0, precision: float64}\n",
                 first);
    CHECK_OK(simulate(study, second, false, NAN));
    CHECK_OK(locum_dataset_open(second, &b));
    CU_ASSERT_FATAL(locum_dataset_count(b, 0, 0, locum_schema_find(locum_dataset_schema(b), "tracer")) == 512);
    CHECK_OK(locum_dataset_read(b, 0, 0, locum_schema_find(locum_dataset_schema(b), "tracer"), z));
    for (int i = 0; i < 16; i++)
        for (int j = 0; j < 8; j++) CU_ASSERT(z[16 * 2 * i + 2 * j] == x[8 * i + j]);
    locum_dataset_close(a);
    locum_dataset_close(b);
}

int main(int argc, char **argv)
{
    static const check_entry entries[] = {
        {"a second run has nothing to do, and other options need force",
         a_second_run_has_nothing_to_do_and_other_options_need_force},
        {"frames of a stopped run are those of a whole one", frames_of_a_stopped_run_are_those_of_a_whole_one},
        {"single precision is not rounded twice", single_precision_is_not_rounded_twice},
        {"a mean of a stopped run is that of a whole one", a_mean_of_a_stopped_run_is_that_of_a_whole_one},
        {"a restart file of other options needs force", a_restart_file_of_other_options_needs_force},
        {"restart files are written by the clock", restart_files_are_written_by_the_clock},
        {"a coarser grid is stored", a_coarser_grid_is_stored},
        {"a failed run leaves no file and says why", a_failed_run_leaves_no_file_and_says_why},
        {"a run starts from a file", a_run_starts_from_a_file},
    };
    return fixture_main(&argc, &argv, "simulate", entries, (int)(sizeof entries / sizeof entries[0]), folder);
}
