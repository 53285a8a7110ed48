/* SPDX-License-Identifier: BSD-3-Clause */
/* damage.c - what is broken is found and named, what leads out of a file is refused, a full disk leaves nothing
 * half done.
 *
 * Each case runs in a child process: HDF5 itself may crash on a broken structure (it is not made for hostile
 * files), which counts as found here, while a wrong value that passes for a right one is what must never happen. */
#include <fcntl.h>
#include <hdf5.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "core/random.h"
#include "core/study/commit.h"
#include "datasets/store/store.h"
#include "synthetic.h"
#include "tests/unit/parallel/mpi_main.h"

static char folder[300];

static const char *file_named(const char *name)
{
    static char paths[4][400];
    static int at;

    if (!folder[0]) snprintf(folder, sizeof folder, "%s", synthetic_folder("damage"));
    at = (at + 1) % 4;
    snprintf(paths[at], sizeof paths[at], "%s/%s", folder, name);
    return paths[at];
}

enum { RIGHT = 0, FOUND = 1, WRONG = 2, UNNAMED = 3, CRASHED = 4 }; /* what a reader of a damaged file made of it */

/* reads everything and compares it with the formula */
static int read_all(const char *path, synthetic_kind kind)
{
    locum_dataset *dataset = NULL;
    double buffer[4096];
    const locum_schema *want = synthetic_schema(kind);

    locum_status st = locum_dataset_open(path, &dataset);
    if (!st && (locum_dataset_n(dataset) != 3 || locum_dataset_options_hash(dataset) != 0xfedcba9876543210u))
        return WRONG;
    for (int64_t b = 0; !st && b < 3; b++) {
        const locum_dataset_sample *s = locum_dataset_sample_at(dataset, b);
        if (s->index != b || s->n_frames != 2 || s->seed != 1000u + (uint64_t)b || s->parameter[0] != 0.25 * (double)b)
            return WRONG;
        for (int64_t f = 0; !st && f < 2; f++)
            for (int a = 0; !st && a < want->n_arrays; a++) {
                int64_t n = locum_dataset_count(dataset, b, f, a);
                if (n > 4096) return WRONG;
                st = locum_dataset_read(dataset, b, f, a, buffer);
                for (int64_t i = 0; !st && i < n && a != 4; i++)
                    if (buffer[i] != synthetic_value(b, f, a, i)) return WRONG;
            }
    }
    locum_dataset_close(dataset);
    if (!st) return RIGHT;
    bool named = strstr(locum_status_message(), path) != NULL && (st == LOCUM_DAMAGED || st == LOCUM_INPUT);
    return named ? FOUND : UNNAMED;
}

static int in_child(int (*work)(const char *, synthetic_kind), const char *path, synthetic_kind kind)
{
    int answer = 0;

    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        struct rlimit none = {0, 0};
        setrlimit(RLIMIT_CORE, &none);
        alarm(20);
        _exit(work(path, kind));
    }
    waitpid(child, &answer, 0);
    return WIFEXITED(answer) ? WEXITSTATUS(answer) : CRASHED;
}

static void write_bytes(const char *path, const char *bytes, size_t n)
{
    FILE *file = fopen(path, "wb");

    CU_ASSERT(file != NULL && fwrite(bytes, 1, n, file) == n);
    if (file) fclose(file);
}

/* flips single bits all over a file; none may change a value unnoticed */
static void flip_bits(synthetic_kind kind, const char *name, int n_flips)
{
    const char *path = file_named(name), *broken = file_named("broken.h5");
    char *bytes = NULL;
    size_t n = 0;
    int count[5] = {0};

    CHECK_OK(synthetic_shard(path, MPI_COMM_WORLD, kind, LOCUM_FLOAT64, LOCUM_TRAIN, 0, 3, 2, -1, 0));
    CHECK_OK(locum_read_bytes(path, 1 << 24, &bytes, &n));
    if (!bytes) return;
    CU_ASSERT(read_all(path, kind) == RIGHT);
    for (int i = 0; i < n_flips; i++) {
        uint32_t words[4];
        locum_random_words(1, LOCUM_STREAM_TEST, (uint64_t)i, words);
        size_t at = ((size_t)words[0] << 16 ^ words[1]) % n;
        bytes[at] = (char)(bytes[at] ^ 1 << (words[2] % 8));
        write_bytes(broken, bytes, n);
        bytes[at] = (char)(bytes[at] ^ 1 << (words[2] % 8));
        int answer = in_child(read_all, broken, kind);
        count[answer]++;
        if (answer == WRONG || answer == UNNAMED)
            printf("\n    bit %u of byte %zu of %zu: %s", words[2] % 8, at, n, answer == WRONG ? "wrong" : "unnamed");
    }
    printf(" %d flips: %d harmless, %d found, %d crashes of HDF5 ", n_flips, count[RIGHT], count[FOUND],
           count[CRASHED]);
    CU_ASSERT(count[WRONG] == 0 && count[UNNAMED] == 0);
    CU_ASSERT(count[FOUND] > n_flips / 20); /* a good part of the file is data */
    free(bytes);
}

static void no_flipped_bit_of_a_grid_file_passes(void)
{
    flip_bits(SYNTHETIC_GRID_2, "grid.h5", 100);
}

static void no_flipped_bit_of_a_rows_file_passes(void)
{
    flip_bits(SYNTHETIC_ROWS, "rows.h5", 100);
}

/* a flip inside the values of one frame: LOCUM_DAMAGED with file and array for that one, all others are read */
static void damage_is_named(void)
{
    const char *path = file_named("named.h5");
    locum_dataset *dataset = NULL;
    char *bytes = NULL, name[80];
    size_t n = 0, at = 0;
    double value = synthetic_value(1, 1, 6, 33), buffer[4096];
    int n_damaged = 0;

    CHECK_OK(synthetic_shard(path, MPI_COMM_WORLD, SYNTHETIC_GRID_2, LOCUM_FLOAT64, LOCUM_TRAIN, 0, 3, 2, -1, 0));
    CHECK_OK(locum_read_bytes(path, 1 << 24, &bytes, &n));
    if (!bytes) return;
    while (at + 8 <= n && memcmp(bytes + at, &value, 8)) at++;
    CU_ASSERT(at + 8 <= n);
    if (at + 8 <= n) bytes[at + 3] ^= 4;
    write_bytes(path, bytes, n);
    CHECK_OK(locum_dataset_open(path, &dataset));
    for (int64_t b = 0; dataset && b < 3; b++)
        for (int64_t f = 0; f < 2; f++)
            for (int a = 0; a < 9; a++) {
                locum_status st = locum_dataset_read(dataset, b, f, a, buffer);
                if (!st) continue;
                snprintf(name, sizeof name, "\"%s\"", locum_dataset_schema(dataset)->arrays[a].name);
                CU_ASSERT(st == LOCUM_DAMAGED && strstr(locum_status_message(), path) &&
                          strstr(locum_status_message(), name));
                n_damaged++;
            }
    CU_ASSERT(n_damaged == 1);
    locum_dataset_close(dataset);
    free(bytes);
}

static void truncated_files_are_found(void)
{
    const char *path = file_named("whole.h5"), *cut = file_named("cut.h5");
    char *bytes = NULL;
    size_t n = 0;

    CHECK_OK(synthetic_shard(path, MPI_COMM_WORLD, SYNTHETIC_ROWS, LOCUM_FLOAT64, LOCUM_TRAIN, 0, 3, 2, -1, 0));
    CHECK_OK(locum_read_bytes(path, 1 << 24, &bytes, &n));
    if (!bytes) return;
    for (size_t length = 0; length < n; length += n / 23 + 1) {
        write_bytes(cut, bytes, length);
        CU_ASSERT(in_child(read_all, cut, SYNTHETIC_ROWS) == FOUND);
    }
    free(bytes);
}

/* --- what leads out of a file ----------------------------------------------------------------- */
/* adds something to a good file and expects it to be refused, with a word about why */
static void expect_refused(void (*spoil)(hid_t file), const char *because)
{
    const char *path = file_named("spoilt.h5");
    locum_dataset *dataset = NULL;

    CHECK_OK(synthetic_shard(path, MPI_COMM_WORLD, SYNTHETIC_ROWS, LOCUM_FLOAT64, LOCUM_TRAIN, 0, 3, 2, -1, 0));
    hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    CU_ASSERT(file >= 0);
    spoil(file);
    H5Fclose(file);
    CHECK_FAILS(locum_dataset_open(path, &dataset), LOCUM_INPUT);
    CU_ASSERT(dataset == NULL);
    if (!strstr(locum_status_message(), because)) printf("\n    %s", locum_status_message());
    CU_ASSERT(strstr(locum_status_message(), because) != NULL && strstr(locum_status_message(), path) != NULL);
}

static void external_link(hid_t file)
{
    CU_ASSERT(H5Lcreate_external("/etc/passwd", "/x", file, "/frames/innocent", H5P_DEFAULT, H5P_DEFAULT) >= 0);
}

static void make_array(hid_t file, hid_t property)
{
    hsize_t n = 16;
    hid_t space = H5Screate_simple(1, &n, NULL),
          set = H5Dcreate2(file, "/extra", H5T_STD_U8LE, space, H5P_DEFAULT, property, H5P_DEFAULT);

    CU_ASSERT(set >= 0);
    if (set >= 0) H5Dclose(set);
    H5Sclose(space);
    H5Pclose(property);
}

static void external_storage(hid_t file)
{
    hid_t property = H5Pcreate(H5P_DATASET_CREATE);

    H5Pset_external(property, "/etc/passwd", 0, 16);
    make_array(file, property);
}

static void virtual_dataset(hid_t file)
{
    hid_t property = H5Pcreate(H5P_DATASET_CREATE);
    hsize_t n = 16;
    hid_t space = H5Screate_simple(1, &n, NULL);

    H5Pset_virtual(property, space, "other.h5", "/data", space);
    H5Sclose(space);
    make_array(file, property);
}

/* a filter that this library does not have, marked as optional so that the array can be made */
static void foreign_filter(hid_t file)
{
    hid_t property = H5Pcreate(H5P_DATASET_CREATE);
    hsize_t chunk = 16;

    H5Pset_chunk(property, 1, &chunk);
    H5Pset_filter(property, 32000, H5Z_FLAG_OPTIONAL, 0, NULL);
    make_array(file, property);
}

static void ways_out_of_a_file_are_refused(void)
{
    expect_refused(external_link, "/frames/innocent is a link to another file");
    expect_refused(external_storage, "/extra lie in another file");
    expect_refused(virtual_dataset, "/extra is a virtual dataset");
    expect_refused(foreign_filter, "filter 32000");
}

/* --- a full disk ------------------------------------------------------------------------------ */
/* as much as the disk lets through: 40 KiB a file, then EFBIG, at whatever step that hits */
static int fill_disk(const char *path, synthetic_kind kind)
{
    struct rlimit limit = {40 << 10, 40 << 10};
    char part[500];

    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &limit);
    locum_status st = synthetic_shard(path, MPI_COMM_SELF, kind, LOCUM_FLOAT64, LOCUM_TRAIN, 0, 200, 3, -1, 0);
    snprintf(part, sizeof part, "%s.part", path);
    if (st != LOCUM_IO) return WRONG;
    if (access(path, F_OK) == 0 || access(part, F_OK) == 0) return CRASHED;
    if (!strstr(locum_status_message(), path)) return UNNAMED;
    return FOUND;
}

static void a_full_disk_leaves_nothing_half_done(void)
{
    const char *good = file_named("good.h5");
    synthetic_kind kinds[] = {SYNTHETIC_GRID_2, SYNTHETIC_ROWS};

    CHECK_OK(synthetic_shard(good, MPI_COMM_WORLD, SYNTHETIC_ROWS, LOCUM_FLOAT64, LOCUM_TRAIN, 0, 3, 2, -1, 0));
    for (int k = 0; k < 2; k++) {
        int answer = in_child(fill_disk, file_named("full.h5"), kinds[k]);
        if (answer != FOUND) printf("\n    kind %d: answer %d", k, answer);
        CU_ASSERT(answer == FOUND);
    }
    CU_ASSERT(read_all(good, SYNTHETIC_ROWS) == RIGHT);
}

static void a_sample_in_two_files_is_refused(void)
{
    locum_dataset *dataset = NULL;
    int64_t *index = NULL, n = 0;
    char path[500];

    for (int i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s/double/data/train/%d.h5", file_named(".") ? folder : "", i);
        CHECK_OK(synthetic_shard(path, MPI_COMM_WORLD, SYNTHETIC_ROWS, LOCUM_FLOAT64, LOCUM_TRAIN, 2 * i, 3, 1, -1, 0));
    }
    snprintf(path, sizeof path, "%s/double", folder);
    CHECK_FAILS(locum_dataset_open(path, &dataset), LOCUM_DAMAGED);
    CU_ASSERT(strstr(locum_status_message(), "sample 2 is in") != NULL);
    CHECK_FAILS(locum_store_done(path, &index, &n), LOCUM_DAMAGED);
}

static void files_of_others_are_refused(void)
{
    locum_dataset *dataset = NULL;

    CHECK_FAILS(locum_dataset_open(file_named("absent.h5"), &dataset), LOCUM_INPUT);
    write_bytes(file_named("text.h5"), "hello, world\n", 13);
    CHECK_FAILS(locum_dataset_open(file_named("text.h5"), &dataset), LOCUM_INPUT);
    hid_t file = H5Fcreate(file_named("foreign.h5"), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    H5Fclose(file);
    CHECK_FAILS(locum_dataset_open(file_named("foreign.h5"), &dataset), LOCUM_INPUT);
    CU_ASSERT(strstr(locum_status_message(), "not one of locum's") != NULL);
}

LOCUM_RUN_RANKS("store: damage", {"no flipped bit of a grid file passes", no_flipped_bit_of_a_grid_file_passes},
                {"no flipped bit of a rows file passes", no_flipped_bit_of_a_rows_file_passes},
                {"damage is named by file and array", damage_is_named},
                {"truncated files are found", truncated_files_are_found},
                {"ways out of a file are refused", ways_out_of_a_file_are_refused},
                {"a full disk leaves nothing half done", a_full_disk_leaves_nothing_half_done},
                {"a sample in two files is refused", a_sample_in_two_files_is_refused},
                {"files of others are refused", files_of_others_are_refused})
