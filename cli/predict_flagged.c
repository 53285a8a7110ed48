/* SPDX-License-Identifier: BSD-3-Clause */
/* predict_flagged.c - what becomes of predictions that are flagged (--when-flagged).
 *
 *     warn     they are given with their flag, and a warning            refuse   an error; nothing is given
 *     solve    MODEL is a run directory: its study's solver makes these rows; what it finds takes the place of the
 *              prediction, and is added to flagged.csv of the run: where training samples are missing */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/predict.h"
#include "cli/predict_flagged.h"
#include "cli/session.h"
#include "core/memory.h"
#include "core/study/commit.h"
#include "datasets/campaign/campaign.h"

#define LOG_BYTES_MAX ((size_t)1 << 30)

locum_status predict_read_policy(const arguments *a, predict_policy *policy)
{
    static const char *const names[] = {"warn", "refuse", "solve"};
    *policy = PREDICT_WARN;
    if (!a->when_flagged) return LOCUM_OK;
    for (int i = 0; i < 3; i++)
        if (!strcmp(a->when_flagged, names[i])) {
            *policy = (predict_policy)i;
            return LOCUM_OK;
        }
    return LOCUM_FAIL(LOCUM_STUDY, "--when-flagged %s: warn, refuse or solve is expected", a->when_flagged);
}

/* --- solving ---------------------------------------------------------------------------------------------------------- */
static locum_status choose_arrays(const flagged_rows *rows, locum_record_config *record)
{
    record->n_observe = locum_model_n_outputs(rows->model);
    LOCUM_REQUIRE(record->n_observe <= LOCUM_OBSERVE_MAX, LOCUM_NOT_BUILT, "--when-flagged solve: more than %d outputs",
                  LOCUM_OBSERVE_MAX);
    for (int i = 0; i < record->n_observe; i++)
        locum_format(record->observe[i], sizeof record->observe[i], "%s", locum_model_output(rows->model, i)->name);
    return LOCUM_OK;
}

/* what the solver found for the k-th flagged row takes the place of the prediction */
static locum_status take_result(const flagged_rows *rows, const locum_solve_result *result, int64_t k)
{
    int64_t r = rows->row[k];
    if (result->failed[k]) return LOCUM_OK;
    for (int i = 0; i < locum_model_n_outputs(rows->model); i++) {
        const locum_port *port = locum_model_output(rows->model, i);
        int array = locum_schema_find(result->schema, port->name);
        const locum_block *block = &result->frames[k]->blocks[array];
        int64_t n = locum_block_count(result->schema, array, block);
        LOCUM_REQUIRE(n == port->extent, LOCUM_INPUT, "the solver's `%s` has %" PRId64 " values, the model's %" PRId64,
                      port->name, n, port->extent);
        for (int kind = 0; kind < FLAGGED_KINDS; kind++)
            memcpy(rows->outputs[kind][i] + r * n, block->data, (size_t)n * sizeof(double));
    }
    rows->solved[r] = true;
    return LOCUM_OK;
}

static locum_status solve(session *s, const flagged_rows *rows)
{
    locum_setup setup;
    locum_solve_result result = {0};
    const char *names[PREDICT_PORTS_MAX];
    int n_inputs = locum_model_n_inputs(rows->model);
    double *parameters = NULL;
    uint64_t *seeds = NULL;

    LOCUM_TRY(locum_setup_read(s->study, s->solvers.list, true, &setup));
    locum_record_config record = *setup.record_config;
    LOCUM_TRY(choose_arrays(rows, &record));
    locum_status st = LOCUM_NEW(&parameters, rows->n * n_inputs);
    if (!st) st = LOCUM_NEW(&seeds, rows->n);
    for (int i = 0; i < n_inputs; i++) names[i] = locum_model_input(rows->model, i)->name;
    for (int64_t k = 0; k < rows->n && !st; k++) {
        seeds[k] = setup.seed;
        for (int i = 0; i < n_inputs; i++) parameters[k * n_inputs + i] = rows->inputs[i][rows->row[k]];
    }
    locum_solve_call call = {.type = setup.type,
                             .config = locum_settings_config(setup.solver),
                             .initial = setup.from_file ? &setup : NULL,
                             .settings = setup.solver,
                             .n_parameters = n_inputs,
                             .parameter_name = names,
                             .n = rows->n,
                             .parameter = parameters,
                             .seed = seeds,
                             .record = &record,
                             .n_until = 1,
                             .until = &record.until,
                             .world = s->world,
                             .watch = &s->watch};
    if (!st) st = locum_solve(&call, &result);
    for (int64_t k = 0; k < rows->n && !st; k++) st = take_result(rows, &result, k);
    locum_solve_result_free(&result);
    free(parameters);
    free(seeds);
    return st;
}

/* --- the log of the run ------------------------------------------------------------------------------------------------ */
static void add_names(locum_text *out, const locum_port *port, const char *comma)
{
    for (int64_t j = 0; j < port->extent; j++, comma = ",") {
        locum_text_add(out, "%s%s", comma, port->name);
        if (port->extent > 1) locum_text_add(out, "[%" PRId64 "]", j);
    }
}

static void add_rows(const flagged_rows *rows, locum_text *out)
{
    for (int64_t k = 0; k < rows->n; k++) {
        int64_t r = rows->row[k];
        if (!rows->solved[r]) continue;
        for (int i = 0; i < locum_model_n_inputs(rows->model); i++)
            locum_text_add(out, "%s%.17g", i ? "," : "", rows->inputs[i][r]);
        for (int i = 0; i < locum_model_n_outputs(rows->model); i++)
            for (int64_t n = locum_model_output(rows->model, i)->extent, j = 0; j < n; j++)
                locum_text_add(out, ",%.17g", rows->outputs[0][i][r * n + j]);
        locum_text_add(out, "\n");
    }
}

static locum_status add_to_log(const flagged_rows *rows, const char *run)
{
    char path[LOCUM_PATH_SIZE], *before = NULL;
    struct stat info;
    size_t n = 0;
    locum_text out = {0};

    LOCUM_REQUIRE(locum_format(path, sizeof path, "%s/flagged.csv", run) < (int)sizeof path, LOCUM_STUDY,
                  "the path `%s` is too long", run);
    locum_status st = stat(path, &info) ? LOCUM_OK : locum_read_bytes(path, LOG_BYTES_MAX, &before, &n);
    if (before) locum_text_add(&out, "%s", before);
    for (int i = 0; i < locum_model_n_inputs(rows->model) && !before; i++)
        add_names(&out, locum_model_input(rows->model, i), i ? "," : "");
    for (int i = 0; i < locum_model_n_outputs(rows->model) && !before; i++)
        add_names(&out, locum_model_output(rows->model, i), ",");
    if (!before) locum_text_add(&out, "\n");
    add_rows(rows, &out);
    if (!st) st = out.status;
    if (!st) st = locum_commit_bytes(path, out.data, out.size);
    locum_text_free(&out);
    free(before);
    return st;
}

locum_status predict_solve_flagged(const arguments *a, const flagged_rows *rows)
{
    arguments of_study = {.n_words = 1, .words = {a->words[0]}, .quiet = a->quiet, .verbose = a->verbose};
    struct stat info;
    session s = {0};

    LOCUM_REQUIRE(!stat(a->words[0], &info) && S_ISDIR(info.st_mode), LOCUM_STUDY,
                  "--when-flagged solve needs a run directory: `%s` is a model file and knows no solver", a->words[0]);
    if (!rows->n) return LOCUM_OK;
    locum_status st = session_open(&of_study, false, &s);
    if (!st && s.size > 1) st = LOCUM_FAIL(LOCUM_STUDY, "predict works on one rank, not %d", s.size);
    if (!st) st = solve(&s, rows);
    if (!st) st = add_to_log(rows, a->words[0]);
    session_close(&s);
    return st;
}
