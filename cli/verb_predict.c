/* SPDX-License-Identifier: BSD-3-Clause */
/* verb_predict.c - applies a model to --set, CSV or HDF5: value, interval and flag of every output, as CSV or JSON. */
#include <dirent.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/predict.h"
#include "cli/predict_flagged.h"
#include "cli/verb.h"
#include "core/memory.h"
#include "core/study/commit.h"
#include "core/study/document.h"
#include "core/text.h"
#include "datasets/formats/columns.h"
#include "datasets/store/store.h"
#include "locum/model.h"

#define BLOCK_ROWS 256
#define PORTS_MAX PREDICT_PORTS_MAX
enum { VALUE, LOWER, UPPER, KINDS };

typedef struct prediction {
    locum_model *model;
    int n_inputs, n_outputs;
    int64_t rows;
    double *inputs[PORTS_MAX];         /* [rows, extent] */
    double *outputs[KINDS][PORTS_MAX]; /* [rows, extent] */
    uint32_t *flags;                   /* [rows] */
    double *p_values;                  /* [rows] */
    bool *solved;                      /* [rows] by the study's solver instead */
    bool has_interval;
    double coverage;
} prediction;

/* names of models/NAME.safetensors of a run with several surrogates */
static void list_models(const char *run, locum_text *list)
{
    char path[LOCUM_PATH_SIZE];
    if (locum_format(path, sizeof path, "%s/models", run) >= (int)sizeof path) return;
    DIR *folder = opendir(path);
    for (struct dirent *entry; folder && (entry = readdir(folder));)
        if (predict_ends_with(entry->d_name, ".safetensors"))
            locum_text_add(list, "%s%.*s", list->size ? ", " : "", (int)(strlen(entry->d_name) - 12), entry->d_name);
    if (folder) closedir(folder);
}

/* model: the name that was asked for, or NULL */
static locum_status refuse_run(const char *run, const char *model)
{
    locum_text list = {0};
    list_models(run, &list);
    locum_status st =
        model ? LOCUM_FAIL(LOCUM_STUDY, "--model %s: there is no such model in %s (there is %.300s), and no such file",
                           model, run, list.size ? list.data : "none to choose")
        : list.size
            ? LOCUM_FAIL(LOCUM_STUDY, "%s holds several models: choose one by --model (%.300s)", run, list.data)
            : LOCUM_FAIL(LOCUM_INPUT,
                         "%s holds no model.safetensors: a run directory has one when `locum train` or `run` is done",
                         run);
    locum_text_free(&list);
    return st;
}

/* MODEL is a model file or a run directory; --model names one of several, or another file */
static locum_status model_path(const arguments *a, char path[LOCUM_PATH_SIZE])
{
    const char *word = a->words[0];
    struct stat info;
    bool is_run = !stat(word, &info) && S_ISDIR(info.st_mode);
    int n = locum_format(path, LOCUM_PATH_SIZE, is_run && !a->model ? "%s/model.safetensors" : "%s", word);
    if (a->model) {
        n = locum_format(path, LOCUM_PATH_SIZE, "%s/models/%s.safetensors", word, a->model);
        if (n < LOCUM_PATH_SIZE && stat(path, &info)) n = locum_format(path, LOCUM_PATH_SIZE, "%s", a->model);
    }
    LOCUM_REQUIRE(n < LOCUM_PATH_SIZE, LOCUM_STUDY, "the path is too long");
    return is_run && stat(path, &info) ? refuse_run(word, a->model) : LOCUM_OK;
}

/* --- inputs ------------------------------------------------------------------------------------------------------------- */
locum_status predict_read_value(const locum_port *port, const locum_document *document, double *values)
{
    const locum_yaml *node = locum_yaml_find(locum_document_root(document), port->name);
    bool is_list = node && locum_yaml_kind_of(node) == LOCUM_YAML_LIST;

    LOCUM_REQUIRE(node, LOCUM_STUDY,
                  "the model needs its input `%s` (trained from %.4g to %.4g, unit %s): --set %s=...", port->name,
                  port->lower, port->upper, port->unit, port->name);
    LOCUM_REQUIRE((is_list ? locum_yaml_n(node) : 1) == port->extent, LOCUM_STUDY, "input `%s` has %" PRId64 " values",
                  port->name, port->extent);
    for (int64_t j = 0; j < port->extent; j++)
        LOCUM_TRY(locum_yaml_f64(is_list ? locum_yaml_item(node, (int)j) : node, port->unit, &values[j]));
    return LOCUM_OK;
}

static locum_status refuse_name(int n, const char *const *known, const char *key)
{
    locum_text list = {0};
    for (int i = 0; i < n; i++) locum_text_add(&list, "%s%s", i ? ", " : "", known[i]);
    const char *nearest = locum_nearest_name(key, n, known);
    locum_status st = LOCUM_FAIL(LOCUM_STUDY, "--set %s: the model has no such input%s%s%s (its inputs: %s)", key,
                                 nearest ? "; did you mean `" : "", nearest ? nearest : "", nearest ? "`?" : "",
                                 list.data ? list.data : "none");
    locum_text_free(&list);
    return st;
}

locum_status predict_check_names(int n, const char *const *known, const locum_document *document)
{
    const locum_yaml *root = locum_document_root(document);
    for (int k = 0; k < locum_yaml_n(root); k++) {
        bool found = false;
        for (int i = 0; i < n; i++) found = found || !strcmp(locum_yaml_key(root, k), known[i]);
        if (!found) return refuse_name(n, known, locum_yaml_key(root, k));
    }
    return LOCUM_OK;
}

locum_status predict_read_sets(const arguments *a, locum_document **document)
{
    LOCUM_TRY(locum_document_parse("{}", 2, "--set", document));
    for (int i = 0; i < a->n_sets; i++) LOCUM_TRY(locum_document_set(*document, a->sets[i]));
    return LOCUM_OK;
}

static locum_status inputs_from_sets(prediction *p, const arguments *a)
{
    locum_document *document = NULL;
    const char *known[PORTS_MAX];
    LOCUM_REQUIRE(a->n_sets, LOCUM_STUDY,
                  "give the inputs by --set NAME=VALUE or --input FILE; `locum inspect` lists them");
    for (int i = 0; i < p->n_inputs; i++) known[i] = locum_model_input(p->model, i)->name;
    locum_status st = predict_read_sets(a, &document);
    if (!st) st = predict_check_names(p->n_inputs, known, document);
    for (int i = 0; i < p->n_inputs && !st; i++) {
        const locum_port *port = locum_model_input(p->model, i);
        st = LOCUM_NEW(&p->inputs[i], port->extent);
        if (!st) st = predict_read_value(port, document, p->inputs[i]);
    }
    p->rows = 1;
    locum_document_destroy(document);
    return st;
}

static locum_status read_inputs(prediction *p, const arguments *a)
{
    const char *name[PORTS_MAX];
    int64_t extent[PORTS_MAX];
    if (!a->input) return inputs_from_sets(p, a);
    LOCUM_REQUIRE(!a->n_sets, LOCUM_STUDY, "give the inputs by --set or by --input, not by both");
    for (int i = 0; i < p->n_inputs; i++) {
        name[i] = locum_model_input(p->model, i)->name;
        extent[i] = locum_model_input(p->model, i)->extent;
    }
    return locum_columns_read(a->input, p->n_inputs, name, extent, &p->rows, p->inputs);
}

/* --- evaluation ----------------------------------------------------------------------------------------------------------- */
static locum_status allocate(prediction *p)
{
    for (int k = 0; k < KINDS; k++)
        for (int i = 0; i < p->n_outputs; i++)
            LOCUM_TRY(LOCUM_NEW(&p->outputs[k][i], p->rows * locum_model_output(p->model, i)->extent));
    LOCUM_TRY(LOCUM_NEW(&p->flags, p->rows));
    LOCUM_TRY(LOCUM_NEW(&p->solved, p->rows));
    return LOCUM_NEW(&p->p_values, p->rows);
}

static locum_buffer rows_from(double *data, int64_t extent, int64_t first)
{
    return (locum_buffer){data + first * extent, LOCUM_FLOAT64, extent, 1};
}

static locum_status evaluate_block(prediction *p, locum_context *context, int64_t first, int64_t rows)
{
    locum_buffer inputs[PORTS_MAX], outputs[KINDS][PORTS_MAX];
    for (int i = 0; i < p->n_inputs; i++)
        inputs[i] = rows_from(p->inputs[i], locum_model_input(p->model, i)->extent, first);
    for (int k = 0; k < KINDS; k++)
        for (int i = 0; i < p->n_outputs; i++)
            outputs[k][i] = rows_from(p->outputs[k][i], locum_model_output(p->model, i)->extent, first);
    locum_trust trust = {.coverage = p->coverage,
                         .lower = outputs[LOWER],
                         .upper = outputs[UPPER],
                         .flag = p->flags + first,
                         .p_value = p->p_values + first};
    return locum_eval(context, rows, inputs, outputs[VALUE], p->has_interval ? &trust : NULL);
}

static locum_status evaluate(prediction *p)
{
    int64_t block = p->rows < BLOCK_ROWS ? p->rows : BLOCK_ROWS;
    size_t bytes = locum_model_workspace(p->model, block);
    void *memory = NULL;
    locum_context *context = NULL;

    locum_status st = allocate(p);
    if (!st) st = locum_alloc(&memory, (int64_t)bytes, 1);
    if (!st) st = locum_model_prepare(p->model, block, memory, bytes, &context);
    for (int64_t first = 0; first < p->rows && !st; first += block)
        st = evaluate_block(p, context, first, p->rows - first < block ? p->rows - first : block);
    free(memory);
    return st;
}

/* --- flagged rows ------------------------------------------------------------------------------------------------------- */
static locum_status solve_flagged(prediction *p, const arguments *a)
{
    int64_t *row = NULL, n = 0;
    LOCUM_TRY(LOCUM_NEW(&row, p->rows + 1));
    for (int64_t r = 0; r < p->rows; r++)
        if (p->flags[r] && !(p->flags[r] & LOCUM_FLAG_NOT_FINITE)) row[n++] = r;
    locum_status st = predict_solve_flagged(
        a, &(flagged_rows){
               p->model, n, row, p->inputs, {p->outputs[VALUE], p->outputs[LOWER], p->outputs[UPPER]}, p->solved});
    free(row);
    return st;
}

static locum_status treat_flagged(prediction *p, const arguments *a, predict_policy policy)
{
    char text[PREDICT_FLAG_SIZE];
    if (policy == PREDICT_SOLVE) return solve_flagged(p, a);
    for (int64_t r = 0; r < p->rows && policy == PREDICT_REFUSE; r++)
        LOCUM_REQUIRE(!p->flags[r], LOCUM_NUMERIC, "row %" PRId64 " is flagged (%s): refused, as --when-flagged says",
                      r, predict_flag_text(p->flags[r], text));
    return LOCUM_OK;
}

/* --- answers ---------------------------------------------------------------------------------------------------------------- */
/* a row that was solved is no prediction */
static const char *row_flag(const prediction *p, int64_t row, char text[PREDICT_FLAG_SIZE])
{
    return p->solved[row] ? "solved" : predict_flag_text(p->flags[row], text);
}

const char *predict_flag_text(uint32_t flag, char text[PREDICT_FLAG_SIZE])
{
    static const struct {
        uint32_t bit;
        const char *name;
    } names[] = {{LOCUM_FLAG_RANGE, "range"},
                 {LOCUM_FLAG_DISTANCE, "distance"},
                 {LOCUM_FLAG_SPREAD, "spread"},
                 {LOCUM_FLAG_RESIDUAL, "residual"},
                 {LOCUM_FLAG_NOT_FINITE, "not_finite"}};
    text[0] = 0;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (flag & names[i].bit)
            snprintf(text + strlen(text), PREDICT_FLAG_SIZE - strlen(text), "%s%s", *text ? "+" : "", names[i].name);
    return *text ? text : "ok";
}

static void csv_name(locum_text *out, const char *name, const char *suffix, int64_t extent, int64_t j)
{
    locum_text_add(out, "%s%s", out->size ? "," : "", name);
    if (extent > 1) locum_text_add(out, "[%" PRId64 "]", j);
    locum_text_add(out, "%s", suffix);
}

static void write_csv(const prediction *p, locum_text *out)
{
    static const char *const suffix[] = {"", ".lower", ".upper"};
    char flag[PREDICT_FLAG_SIZE];
    int kinds = p->has_interval ? KINDS : 1;
    for (int i = 0; i < p->n_inputs; i++)
        for (int64_t j = 0; j < locum_model_input(p->model, i)->extent; j++)
            csv_name(out, locum_model_input(p->model, i)->name, "", locum_model_input(p->model, i)->extent, j);
    for (int i = 0; i < p->n_outputs; i++)
        for (int64_t j = 0; j < locum_model_output(p->model, i)->extent; j++)
            for (int k = 0; k < kinds; k++)
                csv_name(out, locum_model_output(p->model, i)->name, suffix[k], locum_model_output(p->model, i)->extent,
                         j);
    locum_text_add(out, p->has_interval ? ",flag,p_value\n" : "\n");
    for (int64_t r = 0; r < p->rows; r++) {
        const char *comma = "";
        for (int i = 0; i < p->n_inputs; i++)
            for (int64_t n = locum_model_input(p->model, i)->extent, j = 0; j < n; j++, comma = ",") {
                locum_text_add(out, "%s", comma);
                locum_text_number(out, p->inputs[i][r * n + j]);
            }
        for (int i = 0; i < p->n_outputs; i++)
            for (int64_t n = locum_model_output(p->model, i)->extent, j = 0; j < n; j++)
                for (int k = 0; k < kinds; k++) locum_text_add(out, ",%.8g", p->outputs[k][i][r * n + j]);
        if (p->has_interval) locum_text_add(out, ",%s,%.4g", row_flag(p, r, flag), p->p_values[r]);
        locum_text_add(out, "\n");
    }
}

static void json_values(locum_text *out, const double *values, int64_t n, bool is_list)
{
    if (is_list) locum_text_add(out, "[");
    for (int64_t j = 0; j < n; j++) {
        if (j) locum_text_add(out, ",");
        if (isfinite(values[j]))
            locum_text_add(out, "%.8g", values[j]);
        else
            locum_text_add(out, "null");
    }
    if (is_list) locum_text_add(out, "]");
}

static void write_json_row(const prediction *p, int64_t r, locum_text *out)
{
    static const char *const key[] = {"value", "lower", "upper"};
    char flag[PREDICT_FLAG_SIZE];
    locum_text_add(out, "{\"inputs\":{");
    for (int i = 0; i < p->n_inputs; i++) {
        const locum_port *port = locum_model_input(p->model, i);
        locum_text_add(out, "%s\"%s\":", i ? "," : "", port->name);
        json_values(out, p->inputs[i] + r * port->extent, port->extent, port->n_dims > 0);
    }
    locum_text_add(out, "},\"outputs\":{");
    for (int i = 0; i < p->n_outputs; i++) {
        const locum_port *port = locum_model_output(p->model, i);
        locum_text_add(out, "%s\"%s\":{\"unit\":\"%s\"", i ? "," : "", port->name, port->unit);
        for (int k = 0; k < (p->has_interval ? KINDS : 1); k++) {
            locum_text_add(out, ",\"%s\":", key[k]);
            json_values(out, p->outputs[k][i] + r * port->extent, port->extent, port->n_dims > 0);
        }
        locum_text_add(out, "}");
    }
    locum_text_add(out, "}");
    if (p->has_interval) locum_text_add(out, ",\"flag\":\"%s\",\"p_value\":%.6g", row_flag(p, r, flag), p->p_values[r]);
    locum_text_add(out, "}");
}

static void write_json(const prediction *p, locum_text *out)
{
    locum_text_add(out, "{\"coverage\":");
    locum_text_json_number(out, p->has_interval ? p->coverage : NAN);
    locum_text_add(out, ",\"calibration_samples\":%" PRId64 ",\"predictions\":[\n",
                   locum_model_n_calibration(p->model));
    for (int64_t r = 0; r < p->rows; r++) {
        write_json_row(p, r, out);
        locum_text_add(out, r + 1 < p->rows ? ",\n" : "\n");
    }
    locum_text_add(out, "]}\n");
}

bool predict_ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);
    return n >= m && !strcmp(text + n - m, end);
}

/* what the name of --out promises is what is written */
static locum_status check_out(const arguments *a, bool fields)
{
    if (!a->out) return LOCUM_OK;
    LOCUM_REQUIRE(fields || (!predict_ends_with(a->out, ".h5") && !predict_ends_with(a->out, ".hdf5")), LOCUM_STUDY,
                  "--out %s: predictions of values are written as CSV or JSON", a->out);
    LOCUM_REQUIRE(!a->json || !predict_ends_with(a->out, ".csv"), LOCUM_STUDY,
                  "--out %s: the name says CSV, --json says JSON", a->out);
    return LOCUM_OK;
}

static void table_row(locum_text *out, const locum_port *port, int64_t j, double value, const double *lower,
                      const double *upper)
{
    char name[300];
    if (port->n_dims == 1 && port->axis[0])
        locum_format(name, sizeof name, "%s(%s = %.4g)", port->name, port->axis_name[0], port->axis[0][j]);
    else if (port->extent > 1)
        locum_format(name, sizeof name, "%s[%lld]", port->name, (long long)j);
    else
        locum_format(name, sizeof name, "%s", port->name);
    locum_text_add(out, "  %-32s %12.5g", name, value);
    if (lower) locum_text_add(out, "   %12.5g to %.5g", *lower, *upper);
    locum_text_add(out, "%s%s\n", strcmp(port->unit, "1") ? " " : "", strcmp(port->unit, "1") ? port->unit : "");
}

/* one prediction for a person at a terminal */
static void write_table(const prediction *p, locum_text *out)
{
    char flag[PREDICT_FLAG_SIZE];
    for (int i = 0; i < p->n_inputs; i++)
        for (int64_t j = 0; j < locum_model_input(p->model, i)->extent; j++)
            table_row(out, locum_model_input(p->model, i), j, p->inputs[i][j], NULL, NULL);
    if (p->has_interval)
        locum_text_add(out, "  %-32s %12s   simultaneous interval, coverage %g\n", "", "value", p->coverage);
    for (int i = 0; i < p->n_outputs; i++)
        for (int64_t j = 0; j < locum_model_output(p->model, i)->extent; j++)
            table_row(out, locum_model_output(p->model, i), j, p->outputs[VALUE][i][j],
                      p->has_interval ? &p->outputs[LOWER][i][j] : NULL,
                      p->has_interval ? &p->outputs[UPPER][i][j] : NULL);
    if (p->has_interval) locum_text_add(out, "  flag %s, p-value %.3g\n", row_flag(p, 0, flag), p->p_values[0]);
}

locum_status predict_write_text(const arguments *a, const locum_text *out)
{
    bool is_data = a->out && (predict_ends_with(a->out, ".h5") || predict_ends_with(a->out, ".hdf5"));
    LOCUM_TRY(out->status);
    if (a->out && !is_data) return locum_commit_bytes(a->out, out->data, out->size);
    LOCUM_REQUIRE(fwrite(out->data, 1, out->size, stdout) == out->size, LOCUM_IO, "cannot write the predictions");
    return LOCUM_OK;
}

static locum_status write_answer(const prediction *p, const arguments *a)
{
    locum_text out = {0};
    if (a->json || (a->out && predict_ends_with(a->out, ".json")))
        write_json(p, &out);
    else if (!a->out && p->rows == 1 && isatty(STDOUT_FILENO))
        write_table(p, &out);
    else
        write_csv(p, &out);
    locum_status st = predict_write_text(a, &out);
    locum_text_free(&out);
    return st;
}

/* predictions that should not be trusted are said, once, beside the answer */
static void warn(const prediction *p)
{
    int64_t flagged = 0;
    for (int64_t r = 0; r < p->rows; r++) flagged += p->flags[r] && !p->solved[r];
    if (flagged)
        fprintf(stderr,
                "locum: warning: %" PRId64 " of %" PRId64
                " predictions are flagged: the model is out of its depth there; run the solver instead\n",
                flagged, p->rows);
    if (!p->has_interval)
        fprintf(stderr, "locum: warning: the model was trained without calibration samples: no intervals, no flags\n");
    int64_t n = locum_model_n_calibration(p->model);
    if (p->has_interval && isinf(p->outputs[UPPER][0][0]))
        fprintf(stderr,
                "locum: warning: %" PRId64
                " calibration samples cannot give a coverage of %g (at most %.4g); the intervals are infinite\n",
                n, p->coverage, (double)n / (double)(n + 1));
}

static void release(prediction *p)
{
    for (int i = 0; i < PORTS_MAX; i++) {
        free(p->inputs[i]);
        for (int k = 0; k < KINDS; k++) free(p->outputs[k][i]);
    }
    free(p->flags);
    free(p->solved);
    free(p->p_values);
    locum_model_close(p->model);
}

static locum_status predict_values(prediction *p, const arguments *a)
{
    predict_policy policy;
    LOCUM_REQUIRE(!a->initial && a->steps < 0, LOCUM_STUDY,
                  "--initial, --steps: this model has no fields; `locum inspect` lists its inputs");
    LOCUM_TRY(predict_read_policy(a, &policy));
    LOCUM_TRY(read_inputs(p, a));
    LOCUM_TRY(evaluate(p));
    LOCUM_TRY(treat_flagged(p, a, policy));
    LOCUM_TRY(write_answer(p, a));
    if (!a->quiet) warn(p);
    return LOCUM_OK;
}

static locum_status run(const arguments *a)
{
    char path[LOCUM_PATH_SIZE];
    prediction p = {.coverage = isnan(a->coverage) ? 0.9 : a->coverage};

    LOCUM_REQUIRE(a->n_words > 0, LOCUM_STUDY, "expected one MODEL (a model file or a run directory); see --help");
    LOCUM_REQUIRE(a->n_words == 1, LOCUM_STUDY,
                  "expected one MODEL, got also `%s`; inputs are given as --set NAME=VALUE", a->words[1]);
    LOCUM_TRY(model_path(a, path));
    locum_store_setup();
    locum_status st = locum_model_read(path, NULL, &p.model, NULL, 0);
    if (!st) {
        p.n_inputs = locum_model_n_inputs(p.model);
        p.n_outputs = locum_model_n_outputs(p.model);
        p.has_interval = locum_model_n_calibration(p.model) > 0;
        st = check_out(a, predict_has_fields(p.model));
    }
    if (!st) st = predict_has_fields(p.model) ? predict_fields(p.model, a) : predict_values(&p, a);
    release(&p);
    return st;
}

const verb verb_predict = {
    .name = "predict",
    .words = "MODEL",
    .summary = "apply a model: value, interval, trust flag",
    .help = "MODEL is a model file or a run directory (--model chooses one of several). Inputs come from\n"
            "--set NAME=VALUE, or from a CSV (header line) or HDF5 file (--input). The answer, every output with\n"
            "a simultaneous interval, a flag and the p-value of the distance from the training data, goes to the\n"
            "terminal (a table if it is one prediction) or to --out, as CSV or (--json) JSON. Flags: ok; range: an\n"
            "input outside of the training range; distance: far from the training data; spread: the members of\n"
            "the ensemble disagree; residual: a field breaks its physics; not_finite: no number came out.\n"
            "Models of fields begin from --initial; a step is rolled out over --steps, one line a frame, and --out\n"
            "FILE.h5 keeps the frames, with the ends of their intervals, for show and measure. --when-flagged\n"
            "solve runs the solver of the run directory where the model is out of its depth, and adds what it\n"
            "found to flagged.csv of the run.\n",
    .accepts = ACCEPT_VALUE | ACCEPT_INPUT | ACCEPT_OUT | ACCEPT_JSON | ACCEPT_COVERAGE | ACCEPT_MODEL | ACCEPT_FIELDS |
               ACCEPT_POLICY,
    .run = run};
