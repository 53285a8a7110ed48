/* SPDX-License-Identifier: BSD-3-Clause */
/* field_model.c - see field_model.h. Faults of the fixture itself end the program: it proves nothing then. */
#include "tests/unit/runtime/field_model.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "surrogate/graph/graph.h"
#include "surrogate/runtime/file.h"

#define MUST(call)                                                                   \
    do {                                                                             \
        locum_status must_ = (call);                                                 \
        if (must_) {                                                                 \
            fprintf(stderr, "field model: %s: %s\n", #call, locum_status_message()); \
            abort();                                                                 \
        }                                                                            \
    } while (0)

enum { FIELDS = 2, TABLES = 5 };
static const char *const field_name[FIELDS] = {"tracer", "velocity"};
static const int components[FIELDS] = {1, 2};

static int n_fields(const field_model *m)
{
    return m->vector ? 2 : 1;
}

static int64_t extent_of(const field_model *m, int field)
{
    return m->nx * m->ny * components[field];
}

static void output_name(const field_model *m, int field, char name[40])
{
    snprintf(name, 40, "%s%s", m->is_step ? "" : "later_", field_name[field]);
}

/* --- graphs ------------------------------------------------------------------------------------------------------- */
typedef struct parts {
    locum_graph *graph;
    locum_id gain, all[FIELDS], last[FIELDS], next[FIELDS];
} parts;

static locum_id frame_of(const field_model *m, parts *p, int field, int64_t frame)
{
    int64_t extent = extent_of(m, field);
    return m->history == 1 ? p->all[field] : locum_slice(p->graph, p->all[field], 1, frame * extent, extent, 1);
}

static locum_id shifted(const field_model *m, parts *p, int field)
{
    int64_t dims[] = {1, m->nx, m->ny * components[field]}, flat[] = {1, extent_of(m, field)};
    locum_id x = locum_reshape(p->graph, p->last[field], 3, dims);
    locum_id halves[] = {locum_slice(p->graph, x, 1, m->nx - 1, 1, 1), locum_slice(p->graph, x, 1, 0, m->nx - 1, 1)};
    return locum_reshape(p->graph, locum_concat(p->graph, 1, 2, halves), 2, flat);
}

static void build(const field_model *m, parts *p)
{
    int64_t one[] = {1, 1};
    MUST(locum_graph_create(&p->graph));
    int batch = locum_graph_symbol(p->graph, "batch");
    p->gain = locum_input(p->graph, "gain", LOCUM_REAL32, batch, 2, one);
    for (int i = 0; i < n_fields(m); i++) {
        int64_t dims[] = {1, m->history * extent_of(m, i)};
        if (m->from_values) {
            p->next[i] = locum_expand(p->graph, p->gain, batch, 2, dims);
            continue;
        }
        p->all[i] = locum_input(p->graph, field_name[i], LOCUM_REAL32, batch, 2, dims);
        p->last[i] = frame_of(m, p, i, m->history - 1);
        p->next[i] = locum_binary(p->graph, LOCUM_OP_multiply, shifted(m, p, i), p->gain);
        if (m->history < 3) continue;
        locum_id change = locum_binary(p->graph, LOCUM_OP_subtract, frame_of(m, p, i, m->history - 2),
                                       frame_of(m, p, i, m->history - 3));
        p->next[i] = locum_binary(p->graph, LOCUM_OP_add, p->next[i], locum_scale(p->graph, change, 0.25, 0));
    }
}

static locum_id mean_square(locum_graph *graph, locum_id x)
{
    int axis = 1;
    return locum_mean(graph, locum_binary(graph, LOCUM_OP_multiply, x, x), 1, &axis, true);
}

static void name_measures(const field_model *m, parts *p)
{
    int axis = 1;
    locum_graph *g = p->graph;
    locum_id mean = m->from_values ? p->gain : locum_mean(g, p->last[0], 1, &axis, true);
    locum_output(g, locum_unary(g, LOCUM_OP_abs, mean), "distance");
    locum_output(g, locum_scale(g, mean, 0, 0), "spread");
    if (!m->residuals) return;
    locum_id ratio = locum_binary(g, LOCUM_OP_divide, mean_square(g, p->next[0]), mean_square(g, p->last[0]));
    locum_output(g, locum_unary(g, LOCUM_OP_abs, locum_unary(g, LOCUM_OP_log, ratio)), "energy");
    if (m->vector) locum_output(g, locum_unary(g, LOCUM_OP_sqrt, mean_square(g, p->next[1])), "divergence");
}

static void write_graph(const field_model *m, bool interval, locum_text *out)
{
    static const char *const kind[] = {"value", "lower", "upper"};
    parts p = {0};
    char name[40], path[60];
    int64_t one = 1;

    build(m, &p);
    locum_id q = interval ? locum_input(p.graph, "quantile", LOCUM_REAL32, -1, 1, &one) : 0;
    for (int i = 0; i < n_fields(m); i++) {
        output_name(m, i, name);
        if (!interval) locum_output(p.graph, p.next[i], name);
        for (int k = 0; k < 3 && interval; k++) {
            static const double sign[] = {0, -0.125, 0.125};
            snprintf(path, sizeof path, "%s/%s", kind[k], name);
            locum_id end = k ? locum_binary(p.graph, LOCUM_OP_add, p.next[i], locum_scale(p.graph, q, sign[k], 0))
                             : locum_scale(p.graph, p.next[i], 1, 0);
            locum_output(p.graph, end, path);
        }
    }
    if (interval) name_measures(m, &p);
    MUST(locum_graph_status(p.graph));
    locum_graph_write(p.graph, out);
    locum_graph_destroy(p.graph);
}

/* --- ports -------------------------------------------------------------------------------------------------------- */
static void write_axis(int64_t n, locum_text *out)
{
    locum_text_add(out, "[");
    for (int64_t i = 0; i < n; i++) locum_text_add(out, "%s%.17g", i ? "," : "", (double)i / (double)n);
    locum_text_add(out, "]");
}

static void write_port(const field_model *m, int field, bool input, locum_text *out)
{
    bool past = input && m->history > 1, vector = components[field] > 1;
    char name[40];
    output_name(m, field, name);
    locum_text_add(out, "{\"name\":\"%s\",\"text\":\"of a test\",\"unit\":\"1\",\"dims\":[",
                   input ? field_name[field] : name);
    if (past) locum_text_add(out, "%" PRId64 ",", m->history);
    locum_text_add(out, "%" PRId64 ",%" PRId64 "%s],\"axis_name\":[%s\"x\",\"y\"%s],\"axis\":[%s", m->nx, m->ny,
                   vector ? ",2" : "", past ? "\"history\"," : "", vector ? ",\"component\"" : "", past ? "[]," : "");
    write_axis(m->nx, out);
    locum_text_add(out, ",");
    write_axis(m->ny, out);
    locum_text_add(out, "%s],\"lower\":-1,\"upper\":1}", vector ? ",[]" : "");
}

static void write_ports(const field_model *m, bool inputs, locum_text *out)
{
    locum_text_add(out, "[");
    if (inputs)
        locum_text_add(out, "{\"name\":\"gain\",\"text\":\"factor\",\"unit\":\"1\",\"dims\":[],\"axis_name\":[],"
                            "\"lower\":0.5,\"upper\":1.5}");
    for (int i = 0; i < n_fields(m) && !(inputs && m->from_values); i++) {
        if (inputs || i) locum_text_add(out, ",");
        write_port(m, i, inputs, out);
    }
    locum_text_add(out, "]");
}

/* --- files -------------------------------------------------------------------------------------------------------- */
void field_model_write_bent(const field_model *m, const char *key, const char *value, int64_t n_growth,
                            const double *growth, locum_text *out)
{
    static const char *const tables[TABLES] = {"trust/scores", "trust/distances", "trust/spreads", "trust/energies",
                                               "trust/divergences"};
    double scores[FIELD_CALIBRATION];
    char number[3][40];
    locum_text text[4] = {{0}};
    locum_tensor tensors[TABLES + 1];
    locum_metadata metadata[10] = {{"task", m->is_step ? "step" : "map"}};
    int n_tensors = 0, n = 1, kept = 0;

    for (int i = 0; i < FIELD_CALIBRATION; i++) scores[i] = (i + 1) / 8.0;
    for (int i = 0; i < TABLES && m->trusted; i++)
        tensors[n_tensors++] = (locum_tensor){tables[i], LOCUM_REAL64, 1, {FIELD_CALIBRATION}, scores};
    if (growth) tensors[n_tensors++] = (locum_tensor){"trust/growth", LOCUM_REAL64, 1, {n_growth}, growth};
    write_ports(m, true, &text[0]);
    write_ports(m, false, &text[1]);
    write_graph(m, false, &text[2]);
    if (m->trusted) write_graph(m, true, &text[3]);
    metadata[n++] = (locum_metadata){"inputs", text[0].data};
    metadata[n++] = (locum_metadata){"outputs", text[1].data};
    metadata[n++] = (locum_metadata){"graph/predict", text[2].data};
    if (m->trusted) metadata[n++] = (locum_metadata){"graph/interval", text[3].data};
    snprintf(number[0], 40, "%g", FIELD_INTERVAL);
    snprintf(number[1], 40, "%" PRId64, m->history);
    snprintf(number[2], 40, "%d", FIELD_LEADS);
    if (m->is_step) {
        metadata[n++] = (locum_metadata){"interval", number[0]};
        metadata[n++] = (locum_metadata){"history", number[1]};
        metadata[n++] = (locum_metadata){"leads", number[2]};
    }
    for (int i = 0; i < n; i++) {
        if (key && !strcmp(metadata[i].key, key)) metadata[i].value = value;
        if (metadata[i].value) metadata[kept++] = metadata[i];
    }
    MUST(locum_file_write(kept, metadata, n_tensors, tensors, out));
    for (int i = 0; i < 4; i++) locum_text_free(&text[i]);
}

void field_model_write(const field_model *m, locum_text *out)
{
    static const double growth[FIELD_LEADS] = {1, 1.5, 2, 2.5, 3};
    field_model_write_bent(m, NULL, NULL, FIELD_LEADS, m->is_step && m->trusted ? growth : NULL, out);
}
