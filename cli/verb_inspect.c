/* SPDX-License-Identifier: BSD-3-Clause */
/* verb_inspect.c - looks into a model file, a data file or dataset folder, or a run directory, for people or as JSON. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/inspect_plan.h"
#include "cli/verb.h"
#include "core/study/commit.h"
#include "core/text.h"
#include "datasets/store/store.h"
#include "locum/model.h"

/* --- model ---------------------------------------------------------------------------------------------------------------- */
static void port_text(const locum_port *port, locum_text *out)
{
    char shape[80] = "one value";
    if (port->n_dims == 1)
        snprintf(shape, sizeof shape, "[%" PRId64 "] along %s", port->dims[0],
                 port->axis_name[0] ? port->axis_name[0] : "?");
    if (port->n_dims == 2) snprintf(shape, sizeof shape, "[%" PRId64 ", %" PRId64 "]", port->dims[0], port->dims[1]);
    if (port->n_dims == 3)
        snprintf(shape, sizeof shape, "[%" PRId64 ", %" PRId64 ", %" PRId64 "]", port->dims[0], port->dims[1],
                 port->dims[2]);
    locum_text_add(out, "    %-20s %-18s unit %-8s %.4g to %.4g%s%s\n", port->name, shape, port->unit, port->lower,
                   port->upper, port->text[0] ? "  " : "", port->text);
}

static void model_text(const locum_model *model, const char *path, locum_text *out)
{
    static const char *const keys[] = {"task", "model", "provenance"};
    locum_text_add(out, "%s: a model of locum\n  inputs, with the range of the training data\n", path);
    for (int i = 0; i < locum_model_n_inputs(model); i++) port_text(locum_model_input(model, i), out);
    locum_text_add(out, "  outputs, with the range seen in training\n");
    for (int i = 0; i < locum_model_n_outputs(model); i++) port_text(locum_model_output(model, i), out);
    locum_text_add(out, "  intervals from %" PRId64 " calibration samples\n", locum_model_n_calibration(model));
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (locum_model_metadata(model, keys[i]))
            locum_text_add(out, "  %-12s %s\n", keys[i], locum_model_metadata(model, keys[i]));
}

static void ports_json(const locum_model *model, int n, const locum_port *(*port_at)(const locum_model *, int),
                       locum_text *out)
{
    locum_text_add(out, "[");
    for (int i = 0; i < n; i++) {
        const locum_port *port = port_at(model, i);
        locum_text_add(out, "%s{\"name\":", i ? "," : "");
        locum_text_json_string(out, port->name);
        locum_text_add(out, ",\"unit\":");
        locum_text_json_string(out, port->unit);
        locum_text_add(out, ",\"text\":");
        locum_text_json_string(out, port->text);
        locum_text_add(out, ",\"dims\":[");
        for (int d = 0; d < port->n_dims; d++) locum_text_add(out, "%s%" PRId64, d ? "," : "", port->dims[d]);
        locum_text_add(out, "],\"lower\":");
        locum_text_json_number(out, port->lower);
        locum_text_add(out, ",\"upper\":");
        locum_text_json_number(out, port->upper);
        locum_text_add(out, "}");
    }
    locum_text_add(out, "]");
}

static void model_json(const locum_model *model, locum_text *out)
{
    locum_text_add(out, "{\"kind\":\"model\",\"inputs\":");
    ports_json(model, locum_model_n_inputs(model), locum_model_input, out);
    locum_text_add(out, ",\"outputs\":");
    ports_json(model, locum_model_n_outputs(model), locum_model_output, out);
    locum_text_add(out, ",\"calibration_samples\":%" PRId64 "}\n", locum_model_n_calibration(model));
}

static locum_status inspect_model(const char *path, const arguments *a, locum_text *out)
{
    locum_model *model = NULL;
    LOCUM_TRY(locum_model_read(path, NULL, &model, NULL, 0));
    if (a->json)
        model_json(model, out);
    else
        model_text(model, path, out);
    locum_status st = a->plan ? inspect_plan(model, out) : LOCUM_OK;
    locum_model_close(model);
    return st;
}

/* --- data -------------------------------------------------------------------------------------------------------------------- */
static void array_text(const locum_schema *schema, int i, locum_text *out)
{
    static const char *const support[] = {"one value", "grid", "rows"};
    const locum_array *array = &schema->arrays[i];
    const locum_domain *domain = &schema->domains[array->domain];
    locum_text_add(out, "    %-20s %-9s", array->name, support[domain->support]);
    for (int d = 0; d < domain->n_dims; d++) locum_text_add(out, "%s%" PRId64, d ? " x " : " ", domain->n_global[d]);
    if (array->order) locum_text_add(out, ", %" PRId64 " components", locum_array_components(array));
    locum_text_add(out, "  unit %s  %s\n", array->unit, array->text ? array->text : "");
}

static void count_samples(const locum_dataset *dataset, int64_t good[LOCUM_SPLITS], int64_t *failed)
{
    memset(good, 0, LOCUM_SPLITS * sizeof *good);
    *failed = 0;
    for (int64_t b = 0; b < locum_dataset_n(dataset); b++) {
        const locum_dataset_sample *sample = locum_dataset_sample_at(dataset, b);
        if (sample->failed)
            ++*failed;
        else
            good[sample->split]++;
    }
}

/* how many frames the good samples have, and which times they span */
static void frames_text(const locum_dataset *dataset, locum_text *out)
{
    int64_t least = INT64_MAX, most = 0;
    double first = INFINITY, last = -INFINITY;
    for (int64_t b = 0; b < locum_dataset_n(dataset); b++) {
        const locum_dataset_sample *sample = locum_dataset_sample_at(dataset, b);
        if (sample->failed || sample->n_frames < 1) continue;
        if (sample->n_frames < least) least = sample->n_frames;
        if (sample->n_frames > most) most = sample->n_frames;
        first = fmin(first, locum_dataset_time(dataset, b, 0));
        last = fmax(last, locum_dataset_time(dataset, b, sample->n_frames - 1));
    }
    if (!most) return;
    locum_text_add(out, "  frames of a sample     %" PRId64, least);
    if (most > least) locum_text_add(out, " to %" PRId64, most);
    locum_text_add(out, last > first ? ", time %g to %g\n" : ", time %g\n", first, last);
}

static void dataset_text(const locum_dataset *dataset, const char *path, locum_text *out)
{
    const locum_schema *schema = locum_dataset_schema(dataset);
    int64_t good[LOCUM_SPLITS], failed;
    count_samples(dataset, good, &failed);
    locum_text_add(out, "%s: %" PRId64 " sample%s\n", path, locum_dataset_n(dataset),
                   locum_dataset_n(dataset) == 1 ? "" : "s");
    for (int s = 0; s < LOCUM_SPLITS; s++)
        if (good[s]) locum_text_add(out, "    %-20s %" PRId64 "\n", locum_split_name((locum_split)s), good[s]);
    frames_text(dataset, out);
    locum_text_add(out, locum_dataset_n_parameters(dataset) ? "  parameters\n" : "");
    for (int i = 0; i < locum_dataset_n_parameters(dataset); i++)
        locum_text_add(out, "    %-20s unit %s\n", locum_dataset_parameter_name(dataset, i),
                       locum_dataset_parameter_unit(dataset, i));
    locum_text_add(out, "  arrays\n");
    for (int i = 0; i < schema->n_arrays; i++) array_text(schema, i, out);
    if (failed) locum_text_add(out, "  failed samples: %" PRId64 "\n", failed);
    for (int64_t b = 0; b < locum_dataset_n(dataset) && failed; b++) {
        const locum_dataset_sample *sample = locum_dataset_sample_at(dataset, b);
        if (!sample->failed) continue;
        locum_text_add(out, "    %" PRId64 ":", sample->index);
        for (int i = 0; i < locum_dataset_n_parameters(dataset); i++)
            locum_text_add(out, " %s = %g", locum_dataset_parameter_name(dataset, i), sample->parameter[i]);
        locum_text_add(out, ": %s\n", sample->reason);
    }
}

static void dataset_json(const locum_dataset *dataset, locum_text *out)
{
    const locum_schema *schema = locum_dataset_schema(dataset);
    int64_t good[LOCUM_SPLITS], failed;
    count_samples(dataset, good, &failed);
    locum_text_add(out, "{\"kind\":\"data\",\"samples\":%" PRId64 ",\"failed\":%" PRId64 ",\"splits\":{",
                   locum_dataset_n(dataset), failed);
    for (int s = 0; s < LOCUM_SPLITS; s++)
        locum_text_add(out, "%s\"%s\":%" PRId64, s ? "," : "", locum_split_name((locum_split)s), good[s]);
    locum_text_add(out, "},\"parameters\":[");
    for (int i = 0; i < locum_dataset_n_parameters(dataset); i++) {
        if (i) locum_text_add(out, ",");
        locum_text_json_string(out, locum_dataset_parameter_name(dataset, i));
    }
    locum_text_add(out, "],\"arrays\":[");
    for (int i = 0; i < schema->n_arrays; i++) {
        if (i) locum_text_add(out, ",");
        locum_text_json_string(out, schema->arrays[i].name);
    }
    locum_text_add(out, "]}\n");
}

static locum_status inspect_data(const char *path, const arguments *a, locum_text *out)
{
    locum_dataset *dataset = NULL;
    LOCUM_TRY(locum_dataset_open(path, &dataset));
    if (a->json)
        dataset_json(dataset, out);
    else
        dataset_text(dataset, path, out);
    locum_dataset_close(dataset);
    return LOCUM_OK;
}

/* --- run directory -------------------------------------------------------------------------------------------------------------- */
/* jobs of an array leave records of their own; the whole stage has one when the last of them is done */
static const char *stage_text(const char *path, int stage, const char *record)
{
    char dataset[LOCUM_PATH_SIZE];
    struct stat info;
    if (record) return strstr(record, "\"done\"") ? "done" : "unfinished: `locum resume` continues";
    bool begun =
        !stage && snprintf(dataset, sizeof dataset, "%s/dataset", path) < (int)sizeof dataset && !stat(dataset, &info);
    return begun ? "unfinished: jobs of --shard are missing, or `locum generate` completes it" : "not begun";
}

static locum_status inspect_run(const char *path, const arguments *a, locum_text *out)
{
    static const char *const stages[] = {"generate", "train", "validate"};
    char file[LOCUM_PATH_SIZE], *text = NULL;
    size_t n = 0;
    int n_known = 0;
    locum_text_add(out, a->json ? "{\"kind\":\"run\",\"stages\":[" : "%s: a run directory\n", path);
    for (int i = 0; i < 3; i++) {
        bool known = snprintf(file, sizeof file, "%s/stages/%s.json", path, stages[i]) < (int)sizeof file &&
                     !locum_read_bytes(file, 1 << 20, &text, &n);
        if (a->json && known)
            locum_text_add(out, "%s%s", n_known++ ? "," : "", text);
        else if (!a->json)
            locum_text_add(out, "  %-10s %s\n", stages[i], stage_text(path, i, known ? text : NULL));
        free(text);
        text = NULL;
    }
    locum_status_clear();
    if (a->json) {
        locum_text_add(out, "]}\n");
        return LOCUM_OK;
    }
    struct stat info;
    if (snprintf(file, sizeof file, "%s/dataset", path) < (int)sizeof file && !stat(file, &info))
        LOCUM_TRY(inspect_data(file, a, out));
    if (snprintf(file, sizeof file, "%s/model.safetensors", path) < (int)sizeof file && !stat(file, &info))
        LOCUM_TRY(inspect_model(file, a, out));
    return LOCUM_OK;
}

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);
    return n >= m && !strcmp(text + n - m, end);
}

static locum_status inspect(const char *path, const arguments *a, locum_text *out)
{
    struct stat info;
    char stages[LOCUM_PATH_SIZE];
    LOCUM_REQUIRE(!stat(path, &info), LOCUM_INPUT, "there is no file or folder `%s`", path);
    bool fits = snprintf(stages, sizeof stages, "%s/stages", path) < (int)sizeof stages;
    if (S_ISDIR(info.st_mode) && fits && !stat(stages, &info)) return inspect_run(path, a, out);
    LOCUM_REQUIRE(!ends_with(path, ".yaml") && !ends_with(path, ".yml"), LOCUM_INPUT,
                  "%s is a study: `locum run --dry-run` checks it, inspect looks into results", path);
    return ends_with(path, ".safetensors") ? inspect_model(path, a, out) : inspect_data(path, a, out);
}

static locum_status run(const arguments *a)
{
    locum_text out = {0};
    LOCUM_REQUIRE(a->n_words == 1, LOCUM_STUDY,
                  "expected one FILE: a model, a data file, a dataset folder or a run directory");
    locum_store_setup();
    locum_status st = inspect(a->words[0], a, &out);
    if (!st) st = out.status;
    if (!st && out.size) fwrite(out.data, 1, out.size, stdout);
    locum_text_free(&out);
    return st;
}

const verb verb_inspect = {
    .name = "inspect",
    .words = "FILE",
    .summary = "look into a model, data or a run directory",
    .help = "Says what a model file (.safetensors), an HDF5 data file, a dataset folder or a run directory\n"
            "holds: arrays, units, ranges, samples, failures, stages. --plan runs a model's plan and prints each\n"
            "step: kernel, flops, bytes, time, share of peak.\n",
    .accepts = ACCEPT_JSON | ACCEPT_PLAN,
    .run = run};
