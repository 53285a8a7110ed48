/* SPDX-License-Identifier: BSD-3-Clause */
/* source.c - tests of foreign datasets behind the store's handle: splits, many files, slices, frames at once, cut files. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../check.h"
#include "core/memory.h"
#include "datasets/formats/source.h"
#include "datasets/store/hdf5_tools.h"

#define NX 6
#define NY 5
#define FOLDER "source_test_files"

static void make_folder(void)
{
    (void)mkdir(FOLDER, 0777);
}

static float value_at(int64_t sample, int64_t frame, int64_t i)
{
    return (float)(1000 * sample + 100 * frame) + 0.5f * (float)i;
}

static void write_array(hid_t file, const char *path, hid_t type, int n_dims, const hsize_t *dims, const void *values)
{
    hid_t space = H5Screate_simple(n_dims, dims, NULL), links = H5Pcreate(H5P_LINK_CREATE);
    H5Pset_create_intermediate_group(links, 1);
    hid_t array = H5Dcreate2(file, path, type, space, links, H5P_DEFAULT, H5P_DEFAULT);
    CU_ASSERT_FATAL(array >= 0 && H5Dwrite(array, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0);
    H5Dclose(array);
    H5Sclose(space);
    H5Pclose(links);
}

/* u [n, t, NX, NY] with samples first .. first + n, and k [n] */
static void write_file(const char *path, int64_t first, int64_t n, int64_t t)
{
    hsize_t dims[4] = {(hsize_t)n, (hsize_t)t, NX, NY};
    float *u = malloc((size_t)(n * t * NX * NY) * sizeof *u);
    double *k = malloc((size_t)n * sizeof *k);
    hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);

    CU_ASSERT_FATAL(file >= 0 && u && k);
    for (int64_t b = 0; b < n; b++) {
        k[b] = (double)(first + b);
        for (int64_t f = 0; f < t; f++)
            for (int64_t i = 0; i < NX * NY; i++) u[(b * t + f) * NX * NY + i] = value_at(first + b, f, i);
    }
    write_array(file, "/u", H5T_NATIVE_FLOAT, 4, dims, u);
    write_array(file, "/k", H5T_NATIVE_DOUBLE, 1, dims, k);
    H5Fclose(file);
    free(u);
    free(k);
}

static locum_source source_of(const char *path)
{
    locum_source s;

    locum_source_of_path(path, &s);
    s.format = LOCUM_SOURCE_HDF5;
    s.time_axis = 1;
    s.n_inputs = s.n_outputs = 1;
    strcpy(s.inputs[0], "k");
    strcpy(s.outputs[0], "u");
    return s;
}

static locum_dataset *opened(const locum_source *s, uint64_t seed)
{
    locum_dataset *d = NULL;

    CHECK_OK(locum_source_open(s, seed, &d));
    CU_ASSERT_PTR_NOT_NULL_FATAL(d);
    return d;
}

/* --- claims ----------------------------------------------------------------------------------- */
static void more_files_than_may_be_open_read_as_one(void)
{
    enum { FILES = 40, EACH = 3, FRAMES = 4 }; /* more than the 16 that are kept open */
    char path[128];
    float u[NX * NY];

    make_folder();
    (void)mkdir(FOLDER "/many", 0777);
    for (int i = 0; i < FILES; i++) {
        snprintf(path, sizeof path, FOLDER "/many/%02d.h5", i);
        write_file(path, i * EACH, EACH, FRAMES);
    }
    locum_source s = source_of(FOLDER "/many");
    locum_dataset *d = opened(&s, 1);
    CU_ASSERT_EQUAL(locum_dataset_n(d), FILES * EACH);
    for (int64_t pass = 0; pass < 2; pass++)
        for (int64_t b = 0; b < locum_dataset_n(d); b++) {
            int64_t at = pass ? b * 37 % locum_dataset_n(d) : b; /* in order, then scattered over the files */
            const locum_dataset_sample *sample = locum_dataset_sample_at(d, at);
            CU_ASSERT_EQUAL(sample->parameter[0], (double)sample->index);
            CHECK_OK(locum_dataset_read_frames(d, at, 2, 1, 0, u));
            CU_ASSERT_EQUAL(u[7], value_at(sample->index, 2, 7));
        }
    locum_dataset_close(d);
}

static void frames_slices_and_single_reads_agree(void)
{
    enum { SAMPLES = 4, FRAMES = 6 };
    float all[FRAMES * NX * NY];
    double one[NX * NY];
    locum_frame *frame = NULL;

    make_folder();
    write_file(FOLDER "/one.h5", 0, SAMPLES, FRAMES);
    locum_source s = source_of(FOLDER "/one.h5");
    locum_dataset *d = opened(&s, 1);
    for (int64_t b = 0; b < SAMPLES; b++) {
        CHECK_OK(locum_dataset_read_frames(d, b, 1, FRAMES - 1, 0, all));
        CHECK_OK(locum_dataset_read(d, b, -1, 0, one));
        int64_t index = locum_dataset_sample_at(d, b)->index;
        for (int64_t i = 0; i < NX * NY; i++) {
            CU_ASSERT_EQUAL(all[3 * NX * NY + i], value_at(index, 4, i));
            CU_ASSERT_EQUAL(one[i], value_at(index, FRAMES - 1, i));
        }
        for (int rank = 0; rank < 3; rank++) {
            CHECK_OK(locum_dataset_read_frame(d, b, 2, rank, 3, NULL, &frame));
            CU_ASSERT_EQUAL(frame->blocks[0].n[0], NX / 3);
            CU_ASSERT_EQUAL(((const double *)frame->blocks[0].data)[3],
                            value_at(index, 2, frame->blocks[0].first[0] * NY + 3));
            locum_frame_release(frame);
        }
    }
    CHECK_FAILS(locum_dataset_read_frames(d, 0, 3, FRAMES, 0, all), LOCUM_ARG);
    CHECK_FAILS(locum_dataset_read_frames(d, SAMPLES, 0, 1, 0, all), LOCUM_ARG);
    CU_ASSERT_EQUAL(locum_dataset_count(d, 0, 0, 0), NX * NY);
    CHECK_CLOSE(locum_dataset_time(d, 0, 3), 3.0, 0); /* no time_step: frames count */
    locum_dataset_close(d);
}

static void count_splits(const locum_dataset *d, int64_t n[LOCUM_SPLITS])
{
    memset(n, 0, LOCUM_SPLITS * sizeof *n);
    for (int64_t b = 0; b < locum_dataset_n(d); b++) n[locum_dataset_sample_at(d, b)->split]++;
}

static void splits_are_a_function_of_seed_and_sample(void)
{
    int64_t n[LOCUM_SPLITS], moved = 0;

    make_folder();
    write_file(FOLDER "/split.h5", 0, 50, 2);
    locum_source s = source_of(FOLDER "/split.h5");
    s.has_split = true;
    s.split[LOCUM_TRAIN] = 20, s.split[LOCUM_VALIDATION] = 5, s.split[LOCUM_CALIBRATION] = 10, s.split[LOCUM_TEST] = 7;
    locum_dataset *a = opened(&s, 1), *b = opened(&s, 1), *other = opened(&s, 2);
    count_splits(a, n);
    CU_ASSERT(n[LOCUM_TRAIN] == 20 && n[LOCUM_VALIDATION] == 5 && n[LOCUM_CALIBRATION] == 10 && n[LOCUM_TEST] == 7);
    CU_ASSERT_EQUAL(locum_dataset_n(a), 42); /* the rest is left out */
    for (int64_t i = 0; i < 42; i++) {
        CU_ASSERT_EQUAL(locum_dataset_sample_at(a, i)->index, locum_dataset_sample_at(b, i)->index);
        CU_ASSERT_EQUAL(locum_dataset_sample_at(a, i)->split, locum_dataset_sample_at(b, i)->split);
        moved += locum_dataset_sample_at(a, i)->index != locum_dataset_sample_at(other, i)->index;
    }
    CU_ASSERT(moved > 0);
    locum_dataset_close(a);
    locum_dataset_close(b);
    locum_dataset_close(other);
    s.split[LOCUM_TRAIN] = 29; /* 51 of 50 */
    CHECK_FAILS(locum_source_open(&s, 1, &a), LOCUM_INPUT);
    s.subset = 10;
    s.has_split = false;
    a = opened(&s, 1);
    count_splits(a, n);
    CU_ASSERT_EQUAL(locum_dataset_n(a), 10);
    CU_ASSERT(n[LOCUM_TRAIN] == 7 && n[LOCUM_VALIDATION] == 1 && n[LOCUM_CALIBRATION] == 1 && n[LOCUM_TEST] == 1);
    locum_dataset_close(a);
}

static void a_changed_file_changes_the_hash(void)
{
    uint64_t before = 0, after = 0, seeded = 0;

    make_folder();
    write_file(FOLDER "/hash.h5", 0, 3, 2);
    locum_source s = source_of(FOLDER "/hash.h5");
    CHECK_OK(locum_source_hash(&s, 1, &before));
    CHECK_OK(locum_source_hash(&s, 2, &seeded));
    CU_ASSERT_NOT_EQUAL(before, seeded);
    usleep(20000); /* a file system's clock may tick in 10 ms */
    write_file(FOLDER "/hash.h5", 0, 3, 2);
    CHECK_OK(locum_source_hash(&s, 1, &after));
    CU_ASSERT_NOT_EQUAL(before, after);
    strcpy(s.path, FOLDER "/nothing.h5");
    CHECK_FAILS(locum_source_hash(&s, 1, &after), LOCUM_INPUT);
}

static void cut_files_are_refused_or_fail_when_read(void)
{
    locum_dataset *d = NULL;
    float u[2 * NX * NY];
    struct stat info;

    make_folder();
    locum_store_setup();
    write_file(FOLDER "/whole.h5", 0, 8, 2);
    CU_ASSERT_FATAL(stat(FOLDER "/whole.h5", &info) == 0);
    locum_source s = source_of(FOLDER "/cut.h5");
    for (int i = 0; i < 30; i++) {
        write_file(FOLDER "/cut.h5", 0, 8, 2);
        CU_ASSERT_EQUAL(truncate(FOLDER "/cut.h5", info.st_size * i / 30), 0);
        locum_status st = locum_source_open(&s, 1, &d);
        for (int64_t b = 0; !st && b < locum_dataset_n(d); b++) st = locum_dataset_read_frames(d, b, 0, 2, 0, u);
        CU_ASSERT(st == LOCUM_INPUT || st == LOCUM_DAMAGED);
        locum_dataset_close(d);
        d = NULL;
    }
    /* cut after it was opened: values are missing, not zero */
    write_file(FOLDER "/cut.h5", 0, 8, 2);
    d = opened(&s, 1);
    CU_ASSERT_EQUAL(truncate(FOLDER "/cut.h5", info.st_size / 2), 0);
    locum_status st = LOCUM_OK;
    for (int64_t b = 0; !st && b < locum_dataset_n(d); b++) st = locum_dataset_read_frames(d, b, 0, 2, 0, u);
    CU_ASSERT(st == LOCUM_DAMAGED || st == LOCUM_INPUT);
    locum_dataset_close(d);
}

static void a_table_is_a_dataset(void)
{
    double z = 0;
    float all = 0;
    locum_source s;

    make_folder();
    FILE *f = fopen(FOLDER "/table.csv", "w");
    fprintf(f, "x,z,comment\n");
    for (int i = 0; i < 20; i++) fprintf(f, "%d,%.17g,hello\n", i, 0.1 * i);
    fclose(f);
    locum_source_of_path(FOLDER "/table.csv", &s);
    s.n_inputs = s.n_outputs = 1;
    strcpy(s.inputs[0], "x");
    strcpy(s.outputs[0], "z");
    locum_dataset *d = opened(&s, 3);
    for (int64_t b = 0; b < locum_dataset_n(d); b++) {
        const locum_dataset_sample *sample = locum_dataset_sample_at(d, b);
        CHECK_OK(locum_dataset_read(d, b, -1, 0, &z));
        CHECK_OK(locum_dataset_read_frames(d, b, 0, 1, 0, &all));
        CHECK_CLOSE(z, 0.1 * (double)sample->index, 0);
        CHECK_CLOSE(sample->parameter[0], (double)sample->index, 0);
        CU_ASSERT_EQUAL(all, (float)z);
    }
    locum_dataset_close(d);
}

LOCUM_RUN_TESTS("data of others",
                {"more files than may be open read as one dataset", more_files_than_may_be_open_read_as_one},
                {"frames at once, slices and single reads agree", frames_slices_and_single_reads_agree},
                {"splits are a function of seed and sample", splits_are_a_function_of_seed_and_sample},
                {"a changed file changes the hash", a_changed_file_changes_the_hash},
                {"cut files are refused, or fail when they are read", cut_files_are_refused_or_fail_when_read},
                {"a table is a dataset", a_table_is_a_dataset})
