/* SPDX-License-Identifier: BSD-3-Clause */
/* step_model.c - see step_model.h. Faults of the fixture itself end the program: it proves nothing then. */
#include "tests/unit/validate/step_model.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "surrogate/graph/graph.h"
#include "surrogate/runtime/file.h"

#define MUST(call)                                                                  \
    do {                                                                            \
        locum_status must_ = (call);                                                \
        if (must_) {                                                                \
            fprintf(stderr, "step model: %s: %s\n", #call, locum_status_message()); \
            abort();                                                                \
        }                                                                           \
    } while (0)

static const double eight_pi_squared = 78.956835208714864;

double step_model_growth(int lead)
{
    return lead;
}

/* --- graphs ----------------------------------------------------------------------------------- */

static locum_id shifted(const step_model *m, locum_graph *g, locum_id x)
{
    int64_t dims[] = {1, m->n, m->n}, flat[] = {1, m->n * m->n};
    locum_id grid = locum_reshape(g, x, 3, dims);
    locum_id halves[] = {locum_slice(g, grid, 1, m->n - 1, 1, 1), locum_slice(g, grid, 1, 0, m->n - 1, 1)};
    return locum_reshape(g, locum_concat(g, 1, 2, halves), 2, flat);
}

static locum_id next_of(const step_model *m, locum_graph *g, locum_id diffusivity, locum_id last)
{
    bool still = m->lazy || m->kind != STEP_STEP;
    locum_id decay =
        locum_unary(g, LOCUM_OP_exp, locum_scale(g, diffusivity, still ? 0 : -eight_pi_squared * STEP_INTERVAL, 0));
    int64_t field[] = {1, m->n * m->n};
    if (m->kind == STEP_MAP_OF_VALUES) return locum_expand(g, decay, locum_graph_symbol(g, "batch"), 2, field);
    locum_id off = locum_scale(g, still ? last : shifted(m, g, last), 1, -1);
    locum_id next = locum_scale(g, locum_binary(g, LOCUM_OP_multiply, off, decay), 1, 1);
    return m->explodes != 0 ? locum_scale(g, next, m->explodes, 0) : next;
}

static void write_graph(const step_model *m, bool interval, locum_text *out)
{
    locum_graph *g = NULL;
    int64_t one[] = {1, 1}, field[] = {1, m->n * m->n};

    MUST(locum_graph_create(&g));
    int batch = locum_graph_symbol(g, "batch");
    locum_id diffusivity = locum_input(g, "diffusivity", LOCUM_REAL32, batch, 2, one),
             last = m->kind == STEP_MAP_OF_VALUES ? 0 : locum_input(g, "tracer", LOCUM_REAL32, batch, 2, field),
             q = interval ? locum_input(g, "quantile", LOCUM_REAL32, -1, 1, one) : 0,
             next = next_of(m, g, diffusivity, last);
    if (!interval) locum_output(g, next, "tracer");
    if (interval) {
        locum_output(g, locum_scale(g, next, 1, 0), "value/tracer");
        locum_output(g, locum_binary(g, LOCUM_OP_add, next, locum_scale(g, q, -STEP_SIGMA, 0)), "lower/tracer");
        locum_output(g, locum_binary(g, LOCUM_OP_add, next, locum_scale(g, q, STEP_SIGMA, 0)), "upper/tracer");
        locum_output(g, locum_scale(g, diffusivity, 0, 0), "distance");
        locum_output(g, locum_scale(g, diffusivity, 0, 0), "spread");
    }
    MUST(locum_graph_status(g));
    locum_graph_write(g, out);
    locum_graph_destroy(g);
}

/* --- files ------------------------------------------------------------------------------------ */

static void write_tracer(const step_model *m, locum_text *out)
{
    locum_text_add(out,
                   "{\"name\":\"tracer\",\"text\":\"the tracer\",\"unit\":\"1\",\"dims\":[%" PRId64 ",%" PRId64
                   "],\"axis_name\":[\"x\",\"y\"],\"axis\":[[],[]],\"lower\":-1,\"upper\":3}",
                   m->n, m->n);
}

void step_model_write(const step_model *m, locum_text *out)
{
    double scores[STEP_CALIBRATION], zeros[STEP_CALIBRATION] = {0}, growth[STEP_LEADS];
    locum_text text[4] = {{0}};
    char interval[40], leads[40];
    int n = 0;

    for (int i = 0; i < STEP_CALIBRATION; i++) scores[i] = (i + 1) / 8.0;
    for (int l = 0; l < STEP_LEADS; l++) growth[l] = step_model_growth(l + 1);
    snprintf(interval, sizeof interval, "%g", STEP_INTERVAL);
    snprintf(leads, sizeof leads, "%d", STEP_LEADS);
    locum_text_add(&text[0],
                   "[{\"name\":\"diffusivity\",\"text\":\"of the tracer\",\"unit\":\"1\",\"dims\":[],"
                   "\"axis_name\":[],\"lower\":0.002,\"upper\":0.02}%s",
                   m->kind == STEP_MAP_OF_VALUES ? "" : ",");
    if (m->kind != STEP_MAP_OF_VALUES) write_tracer(m, &text[0]);
    locum_text_add(&text[0], "]");
    locum_text_add(&text[1], "[");
    write_tracer(m, &text[1]);
    locum_text_add(&text[1], "]");
    write_graph(m, false, &text[2]);
    write_graph(m, true, &text[3]);
    locum_metadata metadata[] = {{"task", m->kind == STEP_STEP ? "step" : "map"},
                                 {"interval", interval},
                                 {"history", "1"},
                                 {"leads", leads}, /* a map heeds none of these */
                                 {"model", m->lazy ? "lazy" : "exact"},
                                 {"inputs", text[0].data},
                                 {"outputs", text[1].data},
                                 {"graph/predict", text[2].data},
                                 {"graph/interval", text[3].data},
                                 {"validation_error", m->validation_error}};
    locum_tensor tensors[] = {{"trust/scores", LOCUM_REAL64, 1, {STEP_CALIBRATION}, scores},
                              {"trust/distances", LOCUM_REAL64, 1, {STEP_CALIBRATION}, zeros},
                              {"trust/spreads", LOCUM_REAL64, 1, {STEP_CALIBRATION}, zeros},
                              {"trust/growth", LOCUM_REAL64, 1, {STEP_LEADS}, growth}};
    n = (int)(sizeof metadata / sizeof metadata[0]);
    if (!m->validation_error) n--;
    MUST(locum_file_write(n, metadata, m->trusted ? (m->kind == STEP_STEP ? 4 : 3) : 0, tensors, out));
    for (int i = 0; i < 4; i++) locum_text_free(&text[i]);
}
