/* SPDX-License-Identifier: BSD-3-Clause */
/* predict_frames.c - predicted fields as a data file that every other verb reads, and a line for each frame.
 *
 *     arrays FIELD and, with intervals, FIELD_lower, FIELD_upper; and flag, one number a frame (locum/model.h)
 *     a sample is a row of inputs; a step's first frame is the one that it began from
 *     line: lead, time, flag, then of each output its mean square and the mean half width of its interval */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/predict.h"
#include "core/memory.h"
#include "core/study/run_directory.h"

enum { KINDS = 3 };

struct predict_frames {
    const locum_model *model;
    const arguments *arguments;
    bool trusted, json, csv;
    int n_outputs, n_values;
    const char *const *names;
    locum_surrogate_solver *wrapper; /* for its schema */
    locum_solver *solver;
    locum_schema schema;
    locum_array *arrays;
    char (*name)[128];
    locum_block *blocks;
    bool *wanted;
    float **past;       /* [n_outputs] the frame begun from */
    locum_shard *shard; /* NULL = no file */
    locum_text provenance, table;
    int64_t row, lines, step;
    double begin;
};

/* --- the file ------------------------------------------------------------------------------------------------------- */
static void add_array(predict_frames *f, const locum_array *like, const char *suffix)
{
    int a = f->schema.n_arrays++;
    f->arrays[a] = *like;
    snprintf(f->name[a], sizeof f->name[a], "%.100s%s", like->name, suffix);
    f->arrays[a].name = f->name[a];
    f->arrays[a].type = LOCUM_FLOAT32;
    f->arrays[a].roles = LOCUM_OBSERVABLE;
    f->wanted[a] = true;
}

static locum_status describe(predict_frames *f)
{
    static const char *const suffix[KINDS] = {"", "_lower", "_upper"};
    const locum_array flag = {.name = "flag", .text = "sum of flag bits; 0: nothing speaks against it", .unit = "1"};
    int most = KINDS * f->n_outputs + 1;

    LOCUM_TRY(locum_surrogate_solver_create(f->model, &f->wrapper));
    const locum_solver_type *type = locum_surrogate_solver_type(f->wrapper);
    LOCUM_TRY(type->create(locum_surrogate_solver_config(f->wrapper), NULL, MPI_COMM_SELF, &f->solver));
    LOCUM_TRY(LOCUM_NEW(&f->arrays, most));
    LOCUM_TRY(LOCUM_NEW(&f->name, most));
    LOCUM_TRY(LOCUM_NEW(&f->blocks, most));
    LOCUM_TRY(LOCUM_NEW(&f->wanted, most));
    LOCUM_TRY(LOCUM_NEW(&f->past, f->n_outputs));
    f->schema = *type->schema(f->solver);
    const locum_array *own = f->schema.arrays;
    f->schema.arrays = f->arrays;
    f->schema.n_arrays = 0;
    for (int i = 0; i < f->n_outputs; i++)
        for (int k = 0; k < (f->trusted ? KINDS : 1); k++) add_array(f, &own[i], suffix[k]);
    if (f->trusted) add_array(f, &flag, "");
    return LOCUM_OK;
}

static const char *text_of(const locum_model *model, const char *key)
{
    const char *text = locum_model_metadata(model, key);
    return text ? text : "";
}

static locum_status open_file(predict_frames *f, const char *path, const char *const *units)
{
    locum_provenance(1, &f->provenance);
    LOCUM_TRY(f->provenance.status);
    locum_store_facts facts = {.dataset_name = "prediction",
                               .study = text_of(f->model, "study"),
                               .provenance = f->provenance.data,
                               .n_parameters = f->n_values,
                               .parameter_name = f->names,
                               .parameter_unit = units};
    return locum_shard_create(path, MPI_COMM_SELF, &facts, LOCUM_TEST, LOCUM_FLOAT32, &f->shard);
}

locum_status predict_frames_create(const locum_model *model, const arguments *a, const char *path, bool trusted,
                                   int n_values, const char *const *names, const char *const *units,
                                   predict_frames **frames)
{
    LOCUM_TRY(LOCUM_NEW(frames, 1));
    predict_frames *f = *frames;
    f->model = model;
    f->arguments = a;
    f->trusted = trusted;
    f->n_outputs = locum_model_n_outputs(model);
    f->n_values = n_values;
    f->names = names;
    f->json = a->json || (a->out && predict_ends_with(a->out, ".json"));
    f->csv = (a->out && predict_ends_with(a->out, ".csv")) || !isatty(STDOUT_FILENO);
    LOCUM_TRY(describe(f));
    return path ? open_file(f, path, units) : LOCUM_OK;
}

void predict_frames_destroy(predict_frames *f)
{
    if (!f) return;
    locum_shard_abandon(f->shard);
    if (f->solver) locum_surrogate_solver_type(f->wrapper)->destroy(f->solver);
    locum_surrogate_solver_destroy(f->wrapper);
    for (int i = 0; f->past && i < f->n_outputs; i++) free(f->past[i]);
    free(f->past);
    free(f->arrays);
    free(f->name);
    free(f->blocks);
    free(f->wanted);
    locum_text_free(&f->provenance);
    locum_text_free(&f->table);
    free(f);
}

static locum_block whole(const locum_schema *schema, int array, const float *values)
{
    const locum_domain *domain = &schema->domains[schema->arrays[array].domain];
    locum_block block = {.data = values, .n = {1, 1, 1}, .n_global = 1};
    for (int d = 0; d < domain->n_dims && domain->support != LOCUM_GLOBAL; d++) block.n[d] = domain->n_global[d];
    if (domain->support != LOCUM_GLOBAL) block.n_global = domain->n_global[0];
    return block;
}

static locum_status store(predict_frames *f, double time, const float *const *value, const float *const *lower,
                          const float *const *upper, uint32_t flag)
{
    const float *const *kind[KINDS] = {value, lower, upper};
    float number = (float)flag;
    int a = 0;
    if (!f->shard) return LOCUM_OK;
    for (int i = 0; i < f->n_outputs; i++)
        for (int k = 0; k < (f->trusted ? KINDS : 1); k++, a++) f->blocks[a] = whole(&f->schema, a, kind[k][i]);
    if (f->trusted) f->blocks[a] = whole(&f->schema, a, &number);
    locum_frame frame = {.schema = &f->schema, .time = time, .step = f->step++, .blocks = f->blocks};
    locum_sink sink = locum_shard_sink(f->shard);
    return sink.frame(sink.self, &frame);
}

/* the latest frame of each field, as float32 */
static locum_status store_beginning(predict_frames *f, const predict_initial *initial)
{
    for (int i = 0; i < f->n_outputs; i++) {
        const locum_port *port = locum_model_output(f->model, i);
        for (int p = 0; p < locum_model_n_inputs(f->model); p++) {
            const locum_port *from = locum_model_input(f->model, p);
            if (strcmp(from->name, port->name) || !initial->field[p]) continue;
            if (!f->past[i]) LOCUM_TRY(LOCUM_NEW(&f->past[i], port->extent));
            for (int64_t j = 0; j < port->extent; j++)
                f->past[i][j] = (float)initial->field[p][from->extent - port->extent + j];
        }
    }
    const float *const *past = (const float *const *)f->past;
    return store(f, initial->time, past, past, past, 0);
}

locum_status predict_frames_begin(predict_frames *f, int64_t row, const double *values, const predict_initial *initial)
{
    bool is_step = locum_model_interval(f->model) > 0;
    f->row = row;
    f->step = 0;
    f->begin = is_step ? initial->time : 0;
    if (!f->shard) return LOCUM_OK;
    locum_store_sample says = {.index = row, .split = LOCUM_TEST, .twin = -1, .parameter = values};
    locum_sample sample = {.index = row};
    locum_shard_sample(f->shard, &says);
    locum_sink sink = locum_shard_sink(f->shard);
    LOCUM_TRY(sink.open(sink.self, &f->schema, f->wanted, &sample));
    return is_step ? store_beginning(f, initial) : LOCUM_OK;
}

locum_status predict_frames_end(predict_frames *f)
{
    if (!f->shard) return LOCUM_OK;
    locum_sink sink = locum_shard_sink(f->shard);
    return sink.close(sink.self, LOCUM_OK);
}

/* --- the table ------------------------------------------------------------------------------------------------------ */
typedef struct line {
    int64_t row, lead;
    double time;
    const char *flag;
    double square[PREDICT_PORTS_MAX], width[PREDICT_PORTS_MAX];
} line;

static void write_header(predict_frames *f)
{
    locum_text *t = &f->table;
    if (f->csv) {
        locum_text_add(t, "row,lead,time%s", f->trusted ? ",flag" : "");
        for (int i = 0; i < f->n_outputs; i++) {
            const char *name = locum_model_output(f->model, i)->name;
            locum_text_add(t, ",%s.mean_square", name);
            if (f->trusted) locum_text_add(t, ",%s.half_width", name);
        }
        locum_text_add(t, "\n");
        return;
    }
    locum_text_add(t, "  %5s %5s %10s", "row", "lead", "time");
    for (int i = 0; i < f->n_outputs; i++) {
        locum_text_add(t, " %20.20s", locum_model_output(f->model, i)->name);
        if (f->trusted) locum_text_add(t, " %12s", "+-");
    }
    locum_text_add(t, "%s\n  %5s %5s %10s", f->trusted ? "  flag" : "", "", "", "");
    for (int i = 0; i < f->n_outputs; i++)
        locum_text_add(t, " %20s%s", "(mean square)", f->trusted ? "       (mean)" : "");
    locum_text_add(t, "\n");
}

static void write_line(predict_frames *f, const line *l)
{
    locum_text *t = &f->table;
    if (!f->json && !f->lines) write_header(f);
    if (f->json) {
        locum_text_add(t, "%s{\"row\":%" PRId64 ",\"lead\":%" PRId64 ",\"time\":%.9g", f->lines ? ",\n" : "", l->row,
                       l->lead, l->time);
        if (f->trusted) locum_text_add(t, ",\"flag\":\"%s\"", l->flag);
        for (int i = 0; i < f->n_outputs; i++) {
            locum_text_add(t, ",");
            locum_text_json_string(t, locum_model_output(f->model, i)->name);
            locum_text_add(t, ":{\"mean_square\":");
            locum_text_json_number(t, l->square[i]);
            if (f->trusted) locum_text_add(t, ",\"half_width\":");
            if (f->trusted) locum_text_json_number(t, l->width[i]);
            locum_text_add(t, "}");
        }
        locum_text_add(t, "}");
    } else if (f->csv) {
        locum_text_add(t, "%" PRId64 ",%" PRId64 ",%.9g", l->row, l->lead, l->time);
        if (f->trusted) locum_text_add(t, ",%s", l->flag);
        for (int i = 0; i < f->n_outputs; i++) {
            locum_text_add(t, ",%.8g", l->square[i]);
            if (f->trusted) locum_text_add(t, ",%.6g", l->width[i]);
        }
        locum_text_add(t, "\n");
    } else {
        locum_text_add(t, "  %5" PRId64 " %5" PRId64 " %10.5g", l->row, l->lead, l->time);
        for (int i = 0; i < f->n_outputs; i++) {
            locum_text_add(t, " %20.6g", l->square[i]);
            if (f->trusted) locum_text_add(t, " %12.4g", l->width[i]);
        }
        locum_text_add(t, "%s%s\n", f->trusted ? "  " : "", f->trusted ? l->flag : "");
    }
    f->lines++;
}

locum_status predict_frames_add(predict_frames *f, int64_t lead, double time, const float *const *value,
                                const float *const *lower, const float *const *upper, const uint32_t *flag, bool solved)
{
    char text[PREDICT_FLAG_SIZE];
    line l = {.row = f->row,
              .lead = lead,
              .time = f->begin + time,
              .flag = solved ? "solved" : predict_flag_text(flag ? *flag : 0, text)};
    for (int i = 0; i < f->n_outputs; i++) {
        int64_t n = locum_model_output(f->model, i)->extent;
        for (int64_t j = 0; j < n; j++) {
            l.square[i] += (double)value[i][j] * (double)value[i][j] / (double)n;
            if (f->trusted) l.width[i] += 0.5 * ((double)upper[i][j] - (double)lower[i][j]) / (double)n;
        }
    }
    write_line(f, &l);
    LOCUM_TRY(f->table.status);
    return store(f, l.time, value, lower, upper, flag ? *flag : 0);
}

locum_status predict_frames_commit(predict_frames *f)
{
    locum_text out = {0};
    locum_shard *shard = f->shard;
    f->shard = NULL;
    if (shard) LOCUM_TRY(locum_shard_commit(shard));
    if (f->json)
        locum_text_add(&out, "{\"frames\":[\n%s\n]}\n", f->table.data ? f->table.data : "");
    else
        locum_text_add(&out, "%s", f->table.data ? f->table.data : "");
    locum_status st = predict_write_text(f->arguments, &out);
    locum_text_free(&out);
    return st;
}
