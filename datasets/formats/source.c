/* SPDX-License-Identifier: BSD-3-Clause */
/* source.c - the block `dataset`: its options, which format a path has, and the dataset behind it. */
#include "datasets/formats/source.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/hash.h"
#include "core/memory.h"
#include "datasets/formats/mapped.h"
#include "datasets/formats/source_internal.h"

/* --- options ---------------------------------------------------------------------------------- */
#define AT(field) .place = offsetof(locum_source, field)
#define NAMES(field) AT(field), .place_n = offsetof(locum_source, n_##field), .n_max = LOCUM_LIST_MAX
#define AXIS(field, usual, help)                                                                                \
    {                                                                                                           \
        .name = #field, .type = LOCUM_I32, AT(field), .value = usual, .min = usual, .max = LOCUM_HDF5_DIMS - 1, \
        .unit = "1", .text = help                                                                               \
    }
#define SHARE(split_name, index, help)                                                                              \
    {                                                                                                               \
        .name = split_name, .type = LOCUM_F64, .place = offsetof(locum_source, split[index]), .value = 0, .min = 0, \
        .max = 1e15, .unit = "1", .text = help                                                                      \
    }

static const locum_choice formats[] = {
    {"auto", "found out from the files", NULL},
    {"locum", "files that locum wrote: a folder, a run directory, or one file", NULL},
    {"the_well", "The Well: a folder with data/{train,valid,test}, or one file", NULL},
    {"hdf5", "arrays of any HDF5 file, by `inputs` and `outputs`", NULL},
    {"csv", "a table: `inputs` (parameters) and `outputs` (values), a row a sample", NULL},
    {"pdebench", "PDEBench's layouts", NULL},
    {0}};
static const locum_choice periodic_choices[] = {{"auto", "as the file says; not, if it does not", NULL},
                                                {"true", "along all axes", NULL},
                                                {"false", "along none", NULL},
                                                {0}};
static const locum_option split_options[] = {SHARE("train", LOCUM_TRAIN, "samples to train on"),
                                             SHARE("validation", LOCUM_VALIDATION, "samples that stop the training"),
                                             SHARE("calibration", LOCUM_CALIBRATION, "samples that make the intervals"),
                                             SHARE("test", LOCUM_TEST, "samples to test with"),
                                             {0}};
static const locum_choice split_group[] = {{"split", "fractions of the samples, or numbers of them", split_options},
                                           {0}};

const locum_option locum_source_options[] = {
    {.name = "path", .type = LOCUM_PATH, AT(path), .flags = LOCUM_REQUIRED, .text = "file or folder"},
    {.name = "format", .type = LOCUM_CHOICE, AT(format), .choices = formats, .text = "layout of the files"},
    {.name = "fields", .type = LOCUM_STRING, NAMES(fields), .text = "arrays to take; none: all"},
    {.name = "subset",
     .type = LOCUM_I64,
     AT(subset),
     .min = 0,
     .max = 1e15,
     .unit = "1",
     .text = "use so many samples, chosen by the seed; 0 = all"},
    {.name = "inputs", .type = LOCUM_STRING, NAMES(inputs), .text = "hdf5, csv: arrays or columns that go in"},
    {.name = "outputs", .type = LOCUM_STRING, NAMES(outputs), .text = "hdf5, csv: arrays or columns that come out"},
    AXIS(samples_axis, 0, "hdf5: which axis counts samples, from 0"),
    AXIS(time_axis, -1, "hdf5: which axis is time; -1 = none"),
    AXIS(components_axis, -1, "hdf5: which axis counts components; -1 = none, or behind space"),
    {.name = "axes",
     .type = LOCUM_I32,
     AT(axes),
     .min = 0,
     .max = 3,
     .unit = "1",
     .text = "hdf5: how many axes are space; 0 = by the shape"},
    {.name = "split",
     .type = LOCUM_GROUP,
     AT(has_split),
     .choices = split_group,
     .flags = LOCUM_TOLD,
     .text = "samples of each split; folders of splits are kept"},
    {.name = "periodic",
     .type = LOCUM_CHOICE,
     AT(periodic),
     .choices = periodic_choices,
     .text = "whether space is periodic"},
    {.name = "box",
     .type = LOCUM_F64,
     AT(box),
     .place_n = offsetof(locum_source, n_box),
     .n_max = 3,
     .min = 0,
     .max = INFINITY,
     .flags = LOCUM_OPEN_MIN,
     .unit = "1",
     .text = "lengths of space where the file does not say; one = along all axes"},
    {.name = "time_step",
     .type = LOCUM_F64,
     AT(time_step),
     .value = NAN,
     .min = 0,
     .max = INFINITY,
     .flags = LOCUM_OPEN_MIN,
     .unit = "1",
     .text = "time between frames where the file does not say"},
    {0}};
#undef AT
#undef AXIS
#undef NAMES
#undef SHARE

static const locum_yaml *key_of(const locum_study *study, const char *key)
{
    const locum_yaml *block = locum_study_node(study, "dataset"), *node = locum_yaml_find(block, key);

    return node ? node : block;
}

static locum_status check_split(const locum_study *study, const locum_source *s)
{
    double sum = 0, most = 0;
    bool whole = true;

    for (int i = 0; i <= LOCUM_TEST; i++) {
        sum += s->split[i];
        most = fmax(most, s->split[i]);
        whole = whole && s->split[i] == floor(s->split[i]);
    }
    if (most > 1 && !whole)
        return locum_yaml_fail(key_of(study, "split"),
                               "dataset.split: either fractions (at most 1) or whole numbers of samples");
    if (most <= 1 && sum > 1 + 1e-9)
        return locum_yaml_fail(key_of(study, "split"), "dataset.split: the fractions add up to %g, more than 1", sum);
    if (most == 0)
        return locum_yaml_fail(key_of(study, "split"),
                               "dataset.split: say how many samples, `split: {train: 0.8, ...}`");
    return LOCUM_OK;
}

static locum_status check_names(const locum_study *study, const locum_source *s)
{
    bool by_name = s->format == LOCUM_SOURCE_HDF5 || s->format == LOCUM_SOURCE_CSV;
    const char *format = formats[s->format].name;

    if (by_name && s->n_outputs == 0)
        return locum_yaml_fail(key_of(study, "format"),
                               "dataset: `format: %s` needs `outputs: [..]`, the names of what comes out", format);
    if (s->format == LOCUM_SOURCE_CSV && s->n_inputs == 0)
        return locum_yaml_fail(key_of(study, "format"),
                               "dataset: `format: csv` needs `inputs: [..]`, the names of the parameters");
    if (!by_name && s->format != LOCUM_SOURCE_AUTO && s->n_inputs + s->n_outputs > 0)
        return locum_yaml_fail(
            key_of(study, s->n_inputs ? "inputs" : "outputs"),
            "dataset: `inputs` and `outputs` are for hdf5 and csv; files of %s name their arrays: choose by "
            "`fields`",
            format);
    if (by_name && s->n_fields > 0)
        return locum_yaml_fail(key_of(study, "fields"), "dataset: `format: %s` takes what `inputs` and `outputs` name",
                               format);
    if (s->format == LOCUM_SOURCE_LOCUM && (s->n_fields > 0 || s->has_split || s->subset > 0))
        return locum_yaml_fail(
            key_of(study, s->n_fields    ? "fields"
                          : s->has_split ? "split"
                                         : "subset"),
            "dataset: files of locum say their arrays and splits; choose outputs by `surrogate.outputs`");
    if (s->samples_axis == s->time_axis || s->samples_axis == s->components_axis ||
        (s->time_axis >= 0 && s->time_axis == s->components_axis))
        return locum_yaml_fail(key_of(study, "samples_axis"),
                               "dataset: one axis cannot be two of samples, time and components "
                               "(samples_axis %d, time_axis %d, components_axis %d)",
                               (int)s->samples_axis, (int)s->time_axis, (int)s->components_axis);
    return LOCUM_OK;
}

locum_status locum_source_read(locum_study *study, locum_source *source)
{
    locum_settings *settings = NULL;
    const locum_yaml *campaign = locum_study_node(study, "campaign");

    LOCUM_REQUIRE(locum_study_node(study, "dataset"), LOCUM_STUDY, "%s has no block `dataset`: `dataset: {path: ...}`",
                  locum_study_path(study));
    LOCUM_TRY(locum_study_block(study, "dataset", locum_source_options, sizeof *source, NULL, &settings));
    *source = *(const locum_source *)locum_settings_config(settings);
    if (campaign) return locum_yaml_fail(campaign, "campaign: `dataset` takes its place; a study has one or the other");
    if (source->has_split) LOCUM_TRY(check_split(study, source));
    return check_names(study, source);
}

void locum_source_of_path(const char *path, locum_source *source)
{
    *source = (locum_source){.time_axis = -1, .components_axis = -1, .time_step = NAN};
    locum_format(source->path, sizeof source->path, "%s", path);
}

/* --- files ------------------------------------------------------------------------------------ */
typedef struct files {
    char **paths;
    locum_split *split;
    int n;
} files;

static void free_files(files *f)
{
    for (int i = 0; i < f->n; i++) free(f->paths[i]);
    free(f->paths);
    free(f->split);
}

static locum_status list_files(const char *path, files *f)
{
    struct stat info;

    LOCUM_REQUIRE(stat(path, &info) == 0, LOCUM_INPUT, "%s: no such file or folder", path);
    if (S_ISDIR(info.st_mode)) {
        LOCUM_TRY(locum_dataset_files(path, &f->paths, &f->split, &f->n));
        LOCUM_REQUIRE(
            f->n > 0, LOCUM_INPUT,
            "%s: no data file (.h5, .hdf5) in it, nor in data/{train,valid,test} below; a table is named by its file",
            path);
        return LOCUM_OK;
    }
    locum_status st = LOCUM_NEW(&f->paths, 1);
    if (!st) st = LOCUM_NEW(&f->split, 1);
    if (!st) st = locum_copy_text(&f->paths[0], path);
    if (!st) f->split[0] = LOCUM_SPLITS;
    if (!st) f->n = 1;
    return st;
}

/* a table, by the ending of its name */
static bool is_table(const char *path)
{
    const char *dot = strrchr(path, '.');

    return dot && (!strcmp(dot, ".csv") || !strcmp(dot, ".CSV"));
}

/* what the first file looks like */
static locum_status find_format(const locum_source *source, const char *path, int32_t *format)
{
    static const char *const known[] = {"tensor", "density", "pressure", "Vx", "Vy", "velocity"};
    char list[LOCUM_MAPPED_LIST];
    hid_t file = -1;

    if (is_table(path)) {
        *format = LOCUM_SOURCE_CSV;
        return LOCUM_OK;
    }
    LOCUM_TRY(locum_hdf5_open_file(path, &file));
    bool named = source->n_inputs + source->n_outputs > 0;
    bool ours = locum_mapped_has_group(file, "/locum") && locum_mapped_has(file, "/locum/facts");
    bool well = locum_mapped_has_group(file, "/t0_fields") || locum_mapped_has_group(file, "/t1_fields");
    bool bench = locum_mapped_has_group(file, "/0000");
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) bench = bench || locum_mapped_has(file, known[i]);
    locum_mapped_list(file, list);
    H5Fclose(file);
    LOCUM_REQUIRE(!named || !(ours || well), LOCUM_INPUT,
                  "%s looks like %s, but `inputs` and `outputs` are given: say which by `format:`", path,
                  ours ? "a file of locum" : "The Well");
    *format = named  ? LOCUM_SOURCE_HDF5
              : ours ? LOCUM_SOURCE_LOCUM
              : well ? LOCUM_SOURCE_THE_WELL
                     : LOCUM_SOURCE_PDEBENCH;
    LOCUM_REQUIRE(
        named || ours || well || bench, LOCUM_INPUT,
        "%s: its layout is none that is known; name arrays by `format: hdf5`, `inputs:` and `outputs:`. It has %s",
        path, list);
    return LOCUM_OK;
}

/* --- hash and opening ------------------------------------------------------------------------- */
static void hash_facts(const locum_source *s, uint64_t seed, int32_t format, locum_text *text)
{
    locum_text_add(text, "%" PRIu64 " %d %d %d %d %d %d %" PRId64 " %d", seed, (int)format, (int)s->periodic,
                   (int)s->samples_axis, (int)s->time_axis, (int)s->components_axis, (int)s->axes, s->subset,
                   (int)s->has_split);
    for (int i = 0; i <= LOCUM_TEST; i++) locum_text_add(text, " %.17g", s->split[i]);
    for (int i = 0; i < s->n_box; i++) locum_text_add(text, " %.17g", s->box[i]);
    locum_text_add(text, " %.17g\n", s->time_step);
    for (int i = 0; i < s->n_fields; i++) locum_text_add(text, "field %s\n", s->fields[i]);
    for (int i = 0; i < s->n_inputs; i++) locum_text_add(text, "input %s\n", s->inputs[i]);
    for (int i = 0; i < s->n_outputs; i++) locum_text_add(text, "output %s\n", s->outputs[i]);
}

static locum_status hash_files(const locum_source *source, uint64_t seed, const files *f, uint64_t *hash)
{
    locum_text text = {0};
    struct stat info;
    size_t root = strlen(source->path);

    hash_facts(source, seed, source->format, &text);
    for (int i = 0; i < f->n; i++) {
        const char *name = f->n > 1 || strlen(f->paths[i]) > root ? f->paths[i] + root : "";
        if (stat(f->paths[i], &info)) info = (struct stat){0};
        locum_text_add(&text, "%s %lld %lld.%09ld\n", name, (long long)info.st_size, (long long)info.st_mtim.tv_sec,
                       info.st_mtim.tv_nsec);
    }
    locum_status st = text.status;
    if (!st) *hash = locum_hash(text.data, text.size);
    locum_text_free(&text);
    return st;
}

locum_status locum_source_hash(const locum_source *source, uint64_t seed, uint64_t *hash)
{
    files f = {0};

    *hash = 0;
    locum_status st = list_files(source->path, &f);
    if (!st) st = hash_files(source, seed, &f, hash);
    free_files(&f);
    return st;
}

static locum_status open_format(const locum_source *source, int32_t format, const files *f, uint64_t hash,
                                locum_dataset **dataset)
{
    static const locum_mapped_layout *const layouts[] = {[LOCUM_SOURCE_THE_WELL] = &locum_mapped_the_well,
                                                         [LOCUM_SOURCE_HDF5] = &locum_mapped_hdf5,
                                                         [LOCUM_SOURCE_PDEBENCH] = &locum_mapped_pdebench};

    if (format == LOCUM_SOURCE_LOCUM) return locum_dataset_open(source->path, dataset);
    if (format == LOCUM_SOURCE_CSV) {
        LOCUM_REQUIRE(source->n_inputs > 0 && source->n_outputs > 0, LOCUM_INPUT,
                      "%s: a table needs `inputs` (parameters) and `outputs` (values): the names of its columns",
                      source->path);
        return locum_source_open_csv(source, f->paths[0], hash, dataset);
    }
    return locum_mapped_open(layouts[format], source, f->n, f->paths, f->split, hash, dataset);
}

locum_status locum_source_open(const locum_source *source, uint64_t seed, locum_dataset **dataset)
{
    files f = {0};
    uint64_t hash = 0;
    int32_t format = source->format;

    *dataset = NULL;
    locum_store_setup();
    locum_status st = list_files(source->path, &f);
    if (!st && format == LOCUM_SOURCE_AUTO) st = find_format(source, f.paths[0], &format);
    if (!st) st = hash_files(source, seed, &f, &hash);
    if (!st) st = open_format(source, format, &f, hash, dataset);
    if (!st && format != LOCUM_SOURCE_LOCUM) st = locum_source_deal(source, seed, *dataset);
    if (st) {
        locum_dataset_close(*dataset);
        *dataset = NULL;
    }
    free_files(&f);
    return st;
}
