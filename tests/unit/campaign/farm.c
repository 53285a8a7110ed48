/* SPDX-License-Identifier: BSD-3-Clause */
/* farm.c - claims about campaigns inside one MPI program: any number of ranks makes the same dataset, failures are
 * recorded or stop everybody, stopping and slices, and samples solved in memory. */
#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "core/hash.h"
#include "core/json.h"
#include "tests/unit/campaign/fixture.h"

/* small shards, so that there are several of each split */
#define GRID                                                                                            \
    "study: s\nseed: 5\nsolver: {name: grid_advection, resolution: 16, step: 0.001}\ninitial: random\n" \
    "record: {until: 0.02, every: 0.01}\n"                                                              \
    "campaign: {split: {train: 9, validation: 2, calibration: 3, test: 4}, shard_bytes: 12000,\n"       \
    "  long: {splits: [test], until: 0.04}, noise: {samples: 2},\n"                                     \
    "  vary: {velocity: {range: [0.5, 2], scale: log}, diffusivity: {range: [0.05, 0.2]}}}\n"
enum { GRID_SAMPLES = 9 + 2 + 3 + 4 + 2 };

static char folder[LOCUM_PATH_SIZE];

static void path_of(const char *name, char path[LOCUM_PATH_SIZE])
{
    locum_format(path, LOCUM_PATH_SIZE, "%s/%s", folder, name);
}

typedef struct outcome {
    locum_status status;
    int64_t n_done, n_failed;
    double seconds;
} outcome;

static outcome generate_slice(const char *study, const char *name, MPI_Comm world, int shard, int n_shards,
                              double wall_time, uint64_t hash)
{
    char dataset[LOCUM_PATH_SIZE];
    fixture f = fixture_read(study, true);
    locum_watch watch;
    outcome o = {.status = f.status};

    path_of(name, dataset);
    locum_watch_begin(&watch, NULL, NULL, wall_time);
    double begin = locum_clock();
    locum_generate_call call = {.study = f.study,
                                .setup = &f.setup,
                                .plan = f.plan,
                                .dataset = dataset,
                                .options_hash = hash,
                                .shard = shard,
                                .n_shards = n_shards,
                                .world = world,
                                .watch = &watch};
    if (!o.status) o.status = locum_generate(&call, &o.n_done, &o.n_failed);
    o.seconds = locum_clock() - begin;
    if (world != MPI_COMM_SELF) MPI_Barrier(world);
    fixture_free(&f);
    return o;
}

static outcome generate(const char *study, const char *name)
{
    return generate_slice(study, name, MPI_COMM_WORLD, 0, 1, NAN, 1);
}

static int my_rank(void)
{
    int rank;

    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    return rank;
}

static int ranks(void)
{
    int size;

    MPI_Comm_size(MPI_COMM_WORLD, &size);
    return size;
}

/* the same dataset by rank 0 alone, once for all tests */
static void reference(char path[LOCUM_PATH_SIZE])
{
    path_of("reference", path);
    if (my_rank() == 0 && access(path, F_OK) != 0) {
        outcome o = generate_slice(GRID, "reference", MPI_COMM_SELF, 0, 1, NAN, 1);
        CHECK_OK(o.status);
        CU_ASSERT(o.n_done == GRID_SAMPLES && o.n_failed == 0);
    }
    MPI_Barrier(MPI_COMM_WORLD);
}

static void compare(const char *name, int64_t n)
{
    char a[LOCUM_PATH_SIZE], b[LOCUM_PATH_SIZE];

    reference(a);
    path_of(name, b);
    if (my_rank() == 0) fixture_compare(a, b, n);
    MPI_Barrier(MPI_COMM_WORLD);
}

/* files with that end in a split's folder */
static int count_files(const char *name, locum_split split, const char *end)
{
    char path[LOCUM_PATH_SIZE + 64];
    int n = 0;

    locum_format(path, sizeof path, "%s/%s/%s", folder, name, locum_split_folder(split));
    DIR *stream = opendir(path);
    for (struct dirent *entry; stream && (entry = readdir(stream));) {
        size_t length = strlen(entry->d_name), m = strlen(end);
        n += length > m && !strcmp(entry->d_name + length - m, end);
    }
    if (stream) closedir(stream);
    return n;
}

static void any_number_of_ranks_makes_the_same_dataset(void)
{
    outcome o = generate(GRID, "world");

    CHECK_OK(o.status);
    CU_ASSERT(o.n_done == GRID_SAMPLES && o.n_failed == 0);
    compare("world", GRID_SAMPLES);
    if (my_rank() == 0) CU_ASSERT(count_files("world", LOCUM_TRAIN, ".h5") > 1);
}

static void a_group_of_ranks_makes_the_same_dataset(void)
{
    char study[2048];
    const char *at = strstr(GRID, "shard_bytes");

    locum_format(study, sizeof study, "%.*sranks_per_sample: %d, %s", (int)(at - GRID), GRID, ranks(), at);
    outcome o = generate(study, "groups");
    CHECK_OK(o.status);
    compare("groups", GRID_SAMPLES);
}

static void ranks_that_do_not_divide_are_refused(void)
{
    outcome o =
        generate("study: s\nsolver: quadrature\ncampaign: {ranks_per_sample: 5, split: {train: 2}}\n", "divide");

    CU_ASSERT(o.status == LOCUM_STUDY);
}

static void a_second_run_has_nothing_to_do(void)
{
    char path[LOCUM_PATH_SIZE];
    struct stat before, after;

    CHECK_OK(generate(GRID, "world").status);
    MPI_Barrier(MPI_COMM_WORLD);
    path_of("world/data/test", path);
    CU_ASSERT(stat(path, &before) == 0);
    outcome o = generate(GRID, "world");
    CHECK_OK(o.status);
    CU_ASSERT(o.n_done == GRID_SAMPLES);
    CU_ASSERT(stat(path, &after) == 0 && before.st_mtim.tv_nsec == after.st_mtim.tv_nsec);
}

static void samples_of_other_options_are_not_mixed_in(void)
{
    CHECK_OK(generate(GRID, "world").status);
    outcome o = generate_slice(GRID, "world", MPI_COMM_WORLD, 0, 1, NAN, 2);
    CU_ASSERT(o.status == LOCUM_EXISTS && strstr(locum_status_message(), "--force"));
}

static void a_second_process_is_told_that_it_is_busy(void)
{
    char path[LOCUM_PATH_SIZE];
    int descriptor = -1;

    CHECK_OK(generate(GRID, "world").status);
    path_of("world/generate.lock", path);
    if (my_rank() == 0) {
        descriptor = open(path, O_RDWR | O_CREAT, 0666);
        CU_ASSERT(descriptor >= 0 && flock(descriptor, LOCK_EX | LOCK_NB) == 0);
    }
    MPI_Barrier(MPI_COMM_WORLD);
    CU_ASSERT(generate(GRID, "world").status == LOCUM_BUSY);
    CU_ASSERT(generate_slice(GRID, "world", MPI_COMM_WORLD, 0, 2, NAN, 1).status == LOCUM_BUSY);
    if (descriptor >= 0) close(descriptor);
    MPI_Barrier(MPI_COMM_WORLD);
    CHECK_OK(generate(GRID, "world").status);
}

static void slices_together_are_the_whole(void)
{
    int64_t n = 0;

    for (int i = 0; i < 3; i++) {
        outcome o = generate_slice(GRID, "slices", MPI_COMM_WORLD, i, 3, NAN, 1);
        CHECK_OK(o.status);
        n += (GRID_SAMPLES + 2 - i) / 3;
        CU_ASSERT(o.n_done == n);
    }
    compare("slices", GRID_SAMPLES);
}

/* deadline in the past: every leg stops before its first sample is through, or after it */
static void a_stopped_campaign_goes_on(void)
{
    int64_t before = -1;
    outcome o = {0};
    int legs = 0;

    do {
        double begin = MPI_Wtime();
        o = generate_slice(GRID, "stopped", MPI_COMM_WORLD, 0, 1, 0.02, 1);
        CU_ASSERT(o.status == LOCUM_STOPPED || o.status == LOCUM_OK);
        CU_ASSERT(o.n_done >= before && MPI_Wtime() - begin < 30);
        before = o.n_done;
    } while (o.status == LOCUM_STOPPED && ++legs < 5);
    CHECK_OK(generate(GRID, "stopped").status);
    compare("stopped", GRID_SAMPLES);
}

#define HARD                                                                           \
    "study: s\nseed: 5\nsolver: {name: quadrature, most_levels: 7, tolerance: 1e-4}\n" \
    "campaign: {split: {train: 4, test: 2}, vary: {frequency: [1, 2, 3, 4, 5, 5000]}}\n"

static void a_failed_sample_is_recorded_and_the_campaign_goes_on(void)
{
    char path[LOCUM_PATH_SIZE];
    locum_dataset *dataset = NULL;
    outcome o = generate(HARD, "hard");

    CHECK_OK(o.status);
    CU_ASSERT(o.n_done == 6 && o.n_failed == 1);
    path_of("hard", path);
    CHECK_OK(locum_dataset_open(path, &dataset));
    for (int64_t i = 0; dataset && i < 6; i++) {
        const locum_dataset_sample *sample = locum_dataset_sample_at(dataset, i);
        CU_ASSERT(sample->index == i && sample->failed == (i == 5));
        if (sample->failed) CU_ASSERT(sample->parameter[0] == 5000 && strstr(sample->reason, "halvings"));
    }
    locum_dataset_close(dataset);
    MPI_Barrier(MPI_COMM_WORLD);
    o = generate(HARD, "hard"); /* what failed will fail again: it counts as done */
    CU_ASSERT(o.status == LOCUM_OK && o.n_done == 6 && o.n_failed == 1);
}

/* the others are in the middle of samples of a minute */
static void one_rank_that_fails_alone_stops_all(void)
{
    static const char study[] =
        "study: s\nseed: 5\nsolver: {name: grid_advection, resolution: 32, step: 1e-6}\nrecord: {until: 100}\n"
        "campaign: {split: {train: 20}, vary: {velocity: {range: [0.5, 2]}}}\n";
    char list[64];

    locum_format(list, sizeof list, "campaign_sample%%%d=error", ranks() - 1);
    setenv("LOCUM_FAILPOINTS", list, 1);
    outcome o = generate(study, "alone");
    unsetenv("LOCUM_FAILPOINTS");
    CU_ASSERT(o.status == LOCUM_IO && o.seconds < 5);
    if (o.status != LOCUM_IO) printf("\n    %s after %g s", locum_status_name(o.status), o.seconds);
    CU_ASSERT(strstr(locum_status_message(), "failpoint campaign_sample") != NULL);
    CU_ASSERT(count_files("alone", LOCUM_TRAIN, ".part") == 0);
}

static void what_was_whole_before_a_failure_is_kept(void)
{
    char list[64];

    locum_format(list, sizeof list, "campaign_sample@3%%%d=error", ranks() - 1);
    setenv("LOCUM_FAILPOINTS", list, 1);
    outcome o = generate(GRID, "kept");
    unsetenv("LOCUM_FAILPOINTS");
    CU_ASSERT(o.status == LOCUM_IO ||
              (o.status == LOCUM_OK && ranks() > 1)); /* a fast rank leaves it fewer than 3 samples */
    CHECK_OK(generate(GRID, "kept").status);
    compare("kept", GRID_SAMPLES);
    setenv("LOCUM_FAILPOINTS", "campaign_commit@1=error", 1); /* every rank that comes to a commit */
    o = generate(GRID, "kept-commit");
    unsetenv("LOCUM_FAILPOINTS");
    CU_ASSERT(o.status == LOCUM_IO);
    CHECK_OK(generate(GRID, "kept-commit").status);
    compare("kept-commit", GRID_SAMPLES);
}

static void the_manifest_lists_every_file(void)
{
    char path[LOCUM_PATH_SIZE], file[LOCUM_PATH_SIZE];
    char *bytes = NULL, text[LOCUM_HASH_TEXT_SIZE];
    size_t n = 0;
    locum_json *json = NULL;
    int64_t samples = 0, files = 0;

    CHECK_OK(generate(GRID, "world").status);
    path_of("world/manifest.json", path);
    CHECK_OK(locum_read_bytes(path, 1 << 20, &bytes, &n));
    CHECK_OK(locum_json_parse(bytes, n, 10000, &json));
    locum_json_node list = json ? locum_json_find(json, 0, "files") : -1;
    for (locum_json_node node = locum_json_first(json, list); json && node >= 0; node = locum_json_next(json, node)) {
        int64_t here = 0, size = 0, bytes_said = 0;
        uint64_t hash = 0;
        locum_format(file, sizeof file, "%s/world/%s", folder,
                     locum_json_string(json, locum_json_find(json, node, "path")));
        CHECK_OK(locum_hash_file(file, &hash, &size));
        locum_hash_text(hash, text);
        CU_ASSERT(!strcmp(text, locum_json_string(json, locum_json_find(json, node, "hash"))));
        CU_ASSERT(locum_json_integer(json, locum_json_find(json, node, "bytes"), &bytes_said) && bytes_said == size);
        CU_ASSERT(locum_json_integer(json, locum_json_find(json, node, "samples"), &here));
        samples += here;
        files++;
    }
    CU_ASSERT(samples == GRID_SAMPLES && files > LOCUM_SPLITS);
    locum_json_destroy(json);
    free(bytes);
    MPI_Barrier(MPI_COMM_WORLD);
}

/* --- in memory --------------------------------------------------------------------------------------------- */

static void samples_are_solved_in_memory(void)
{
    static const char *const names[] = {"velocity", "diffusivity"};
    static const char study[] = GRID "";
    const double parameter[] = {1, 0.1, 2, 0.2, 0.5, 5, 1.5, 0.1}, until[] = {0.02, 0.04};
    const uint64_t seed[] = {1, 2, 3, 4};
    fixture f = fixture_read(study, true);
    locum_solve_result all = {0}, mine = {0};

    CHECK_OK(f.status);
    locum_record_config record = {
        .from = 0.01, .until = 0.04, .every = NAN, .average = true, .n_observe = 2, .observe = {"variance", "profile"}};
    locum_solve_call call = {.type = f.setup.type,
                             .config = locum_settings_config(f.setup.solver),
                             .settings = f.setup.solver,
                             .n_parameters = 2,
                             .parameter_name = names,
                             .n = 4,
                             .parameter = parameter,
                             .seed = seed,
                             .record = &record,
                             .n_until = 2,
                             .until = until,
                             .world = MPI_COMM_WORLD};
    CHECK_OK(locum_solve(&call, &all));
    call.world = MPI_COMM_SELF;
    CHECK_OK(locum_solve(&call, &mine));
    for (int s = 0; s < 4 && all.failed && mine.failed; s++) {
        CU_ASSERT(all.failed[s] == (s == 2) && mine.failed[s] == (s == 2)); /* diffusivity 5 is not stable */
        for (int w = 0; w < 2 && !all.failed[s]; w++) {
            const locum_frame *a = all.frames[2 * s + w], *b = mine.frames[2 * s + w];
            int variance = locum_schema_find(all.schema, "variance"),
                profile = locum_schema_find(all.schema, "profile");
            CU_ASSERT_FATAL(a && b && a->blocks[profile].n[0] == 16 && a->time == until[w]);
            CU_ASSERT(*(const double *)a->blocks[variance].data == *(const double *)b->blocks[variance].data);
            CU_ASSERT(!memcmp(a->blocks[profile].data, b->blocks[profile].data, 16 * sizeof(double)));
            CU_ASSERT(all.seconds[2 * s + w] > 0 && (w == 0 || all.seconds[2 * s + 1] > all.seconds[2 * s]));
        }
    }
    if (all.failed) CU_ASSERT(all.frames[4] == NULL);
    locum_solve_result_free(&all);
    locum_solve_result_free(&mine);
    locum_solve_result_free(&mine); /* twice is harmless */
    fixture_free(&f);
}

/* a study whose samples begin from a file: the state of the file, not one of the config, on this grid and on another */
static void samples_in_memory_begin_from_the_file(void)
{
    char path[LOCUM_PATH_SIZE], study[2 * LOCUM_PATH_SIZE];
    const double until = 0;
    const uint64_t seed = 1;
    double variance[3] = {0};
    locum_format(path, sizeof path, "%s/initial.h5", folder);
    fixture made = fixture_read("study: s\nseed: 9\nsolver: {name: grid_advection, resolution: [16, 8]}\n"
                                "initial: random\nrecord: {until: 0, precision: float64}\n",
                                false);
    CHECK_OK(made.status);
    CHECK_OK(locum_simulate(made.study, &made.setup, MPI_COMM_WORLD, path, true, NULL, NULL));
    MPI_Barrier(MPI_COMM_WORLD);
    for (int i = 0; i < 3; i++) { /* the file on its grid, on a finer one, and another random state */
        locum_record_config record = {.until = 0, .every = NAN, .n_observe = 1, .observe = {"variance"}};
        locum_solve_result result = {0};
        locum_format(study, sizeof study,
                     i < 2 ? "study: s\nsolver: {name: grid_advection, resolution: [%d, %d]}\n"
                             "initial: {name: file, file: %s, dataset: tracer}\n"
                           : "study: s\nsolver: {name: grid_advection, resolution: [%d, %d]}\ninitial: random\n",
                     i == 1 ? 32 : 16, i == 1 ? 16 : 8, path);
        fixture f = fixture_read(study, false);
        CHECK_OK(f.status);
        locum_solve_call call = {.type = f.setup.type,
                                 .config = locum_settings_config(f.setup.solver),
                                 .initial = &f.setup,
                                 .settings = f.setup.solver,
                                 .n = 1,
                                 .seed = &seed,
                                 .record = &record,
                                 .n_until = 1,
                                 .until = &until,
                                 .world = MPI_COMM_WORLD};
        CHECK_OK(locum_solve(&call, &result));
        if (result.frames && result.frames[0])
            variance[i] = *(const double *)result.frames[0]->blocks[locum_schema_find(result.schema, "variance")].data;
        locum_solve_result_free(&result);
        fixture_free(&f);
    }
    fixture_free(&made);
    locum_dataset *file = NULL;
    double truth = 0;
    CHECK_OK(locum_dataset_open(path, &file));
    if (file)
        CHECK_OK(locum_dataset_read(file, 0, 0, locum_schema_find(locum_dataset_schema(file), "variance"), &truth));
    locum_dataset_close(file);
    CU_ASSERT(truth > 0);
    CHECK_CLOSE(variance[0], truth, 1e-12 * truth);                    /* sums in another order */
    CU_ASSERT(variance[1] > 0.5 * truth && variance[1] < 1.5 * truth); /* interpolation smooths white noise */
    CU_ASSERT(fabs(variance[2] - truth) > 1e-6 * truth);
}

static void solving_grids_in_memory_is_refused(void)
{
    const double until = 0.02;
    const uint64_t seed = 1;
    fixture f = fixture_read(GRID, true);
    locum_solve_result result = {0};
    locum_record_config record = {.until = 0.02, .every = NAN, .n_observe = 1, .observe = {"tracer"}};
    locum_solve_call call = {.type = f.setup.type,
                             .config = locum_settings_config(f.setup.solver),
                             .settings = f.setup.solver,
                             .n = 1,
                             .seed = &seed,
                             .record = &record,
                             .n_until = 1,
                             .until = &until,
                             .world = MPI_COMM_WORLD};

    CHECK_FAILS(locum_solve(&call, &result), LOCUM_STUDY);
    CU_ASSERT(strstr(locum_status_message(), "tracer") && !result.frames);
    fixture_free(&f);
}

int main(int argc, char **argv)
{
    static const check_entry entries[] = {
        {"any number of ranks makes the same dataset", any_number_of_ranks_makes_the_same_dataset},
        {"a group of ranks makes the same dataset", a_group_of_ranks_makes_the_same_dataset},
        {"ranks that do not divide are refused", ranks_that_do_not_divide_are_refused},
        {"a second run has nothing to do", a_second_run_has_nothing_to_do},
        {"samples of other options are not mixed in", samples_of_other_options_are_not_mixed_in},
        {"a second process is told that it is busy", a_second_process_is_told_that_it_is_busy},
        {"slices together are the whole", slices_together_are_the_whole},
        {"a stopped campaign goes on", a_stopped_campaign_goes_on},
        {"a failed sample is recorded and the campaign goes on", a_failed_sample_is_recorded_and_the_campaign_goes_on},
        {"one rank that fails alone stops all", one_rank_that_fails_alone_stops_all},
        {"what was whole before a failure is kept", what_was_whole_before_a_failure_is_kept},
        {"the manifest lists every file", the_manifest_lists_every_file},
        {"samples are solved in memory", samples_are_solved_in_memory},
        {"samples in memory begin from the file", samples_in_memory_begin_from_the_file},
        {"solving grids in memory is refused", solving_grids_in_memory_is_refused},
    };
    return fixture_main(&argc, &argv, "farm", entries, (int)(sizeof entries / sizeof entries[0]), folder);
}
