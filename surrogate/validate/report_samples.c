/* SPDX-License-Identifier: BSD-3-Clause */
/* report_samples.c - the parts of report.json about single samples: tests, responses, examples, distances,
 * pictures. Numbers have six digits: they are drawn, not computed with. */
#include "surrogate/validate/validate_parts.h"

#include <math.h>
#include <stdlib.h>

/* a row as [value or list per output] */
static void write_row(const locum_problem *p, const char *name, const double *row, locum_text *out)
{
    locum_report_open_list(out, false, name);
    for (int j = 0; j < p->n_outputs; j++) {
        bool single = p->first[j + 1] - p->first[j] == 1 && locum_model_output(p->model, j)->n_dims == 0;
        locum_text_add(out, "%s%s", j ? "," : "", single ? "" : "[");
        for (int64_t k = p->first[j]; k < p->first[j + 1]; k++) {
            if (k > p->first[j]) locum_text_add(out, ",");
            locum_report_short(out, row[k]);
        }
        locum_text_add(out, "%s", single ? "" : "]");
    }
    locum_text_add(out, "]");
}

static void write_samples(const locum_problem *p, const locum_findings *f, locum_text *out)
{
    const locum_trusted *t = &f->trusted;

    locum_report_open_list(out, false, "samples");
    for (int64_t i = 0; i < p->n[LOCUM_TEST]; i++) {
        locum_text_add(out, i ? ",{" : "{");
        locum_report_number(out, true, "index", (double)p->table->index[LOCUM_TEST][i]);
        locum_report_list(out, false, "parameters", p->n_inputs, p->x[LOCUM_TEST] + i * p->n_inputs);
        locum_report_number(out, false, "error", f->surrogate.sample[i]);
        locum_report_list(out, false, "error_of", p->n_outputs, f->surrogate.of_output + i * p->n_outputs);
        locum_report_key(out, false, "covered");
        locum_text_add(out, f->coverage.is_covered[i] ? "true" : "false");
        locum_report_number(out, false, "flag", t->flag[i]);
        locum_report_number(out, false, "p_value", t->p_value[i]);
        write_row(p, "truth", p->y[LOCUM_TEST] + i * p->width, out);
        write_row(p, "value", t->value + i * p->width, out);
        write_row(p, "lower", t->lower + i * p->width, out);
        write_row(p, "upper", t->upper + i * p->width, out);
        locum_text_add(out, "}");
    }
    locum_text_add(out, "]");
}

/* --- responses -------------------------------------------------------------------------------- */

static void write_column(const locum_problem *p, const char *name, const double *rows, int64_t at, locum_text *out)
{
    double column[LOCUM_RESPONSE_POINTS];

    for (int k = 0; k < LOCUM_RESPONSE_POINTS; k++) column[k] = rows[k * p->width + at];
    locum_report_list(out, false, name, LOCUM_RESPONSE_POINTS, column);
}

static void write_response_of(const locum_problem *p, const locum_explained *e, int input, locum_text *out)
{
    locum_text at = {0};
    bool first = true;

    for (int i = 0; i < p->n_inputs; i++)
        if (i != input)
            locum_text_add(&at, "%s%s = %.3g", at.size ? ", " : "", locum_model_input(p->model, i)->name, e->centre[i]);
    locum_report_text(out, true, "input", locum_model_input(p->model, input)->name);
    locum_report_text(out, false, "at", at.data ? at.data : "");
    locum_text_free(&at);
    locum_report_list(out, false, "x", LOCUM_RESPONSE_POINTS, e->response_x + input * LOCUM_RESPONSE_POINTS);
    locum_report_open_list(out, false, "outputs");
    for (int j = 0; j < p->n_outputs; j++) {
        if (locum_model_output(p->model, j)->n_dims > 0) continue;
        locum_text_add(out, first ? "{" : ",{");
        locum_report_text(out, true, "name", locum_model_output(p->model, j)->name);
        write_column(p, "value", e->response[input].value, p->first[j], out);
        write_column(p, "lower", e->response[input].lower, p->first[j], out);
        write_column(p, "upper", e->response[input].upper, p->first[j], out);
        locum_text_add(out, "}");
        first = false;
    }
    locum_text_add(out, "]");
}

static void write_responses(const locum_problem *p, const locum_explained *e, locum_text *out)
{
    locum_report_open_list(out, false, "response");
    for (int i = 0; i < p->n_inputs; i++) {
        locum_text_add(out, i ? ",{" : "{");
        write_response_of(p, e, i, out);
        locum_text_add(out, "}");
    }
    locum_text_add(out, "]");
}

/* --- examples: places in `samples` of a small, a middle and a large error --------------------- */

static int64_t place_of_rank(const locum_errors *errors, int64_t rank)
{
    for (int64_t i = 0; i < errors->n; i++) {
        int64_t smaller = 0;
        for (int64_t k = 0; k < errors->n; k++)
            smaller += errors->sample[k] < errors->sample[i] || (errors->sample[k] == errors->sample[i] && k < i);
        if (smaller == rank) return i;
    }
    return 0;
}

static void write_examples(const locum_errors *errors, locum_text *out)
{
    int64_t n = errors->n, tenth = n / 10, ranks[3] = {tenth, n / 2, n - 1 - tenth};

    locum_report_open_list(out, false, "examples");
    for (int k = 0; k < 3; k++) locum_text_add(out, "%s%lld", k ? "," : "", (long long)place_of_rank(errors, ranks[k]));
    locum_text_add(out, "]");
}

/* --- what was learnt -------------------------------------------------------------------------- */

void locum_report_pairs(const char *name, const char *x_name, int n, const double *x, const double *error,
                        locum_text *out)
{
    locum_report_open_list(out, false, name);
    for (int i = 0; i < n; i++) {
        locum_text_add(out, i ? ",{" : "{");
        locum_report_number(out, true, x_name, x[i]);
        locum_report_number(out, false, "error", error[i]);
        locum_text_add(out, "}");
    }
    locum_text_add(out, "]");
}

void locum_report_curve(const locum_curve *curve, locum_text *out)
{
    double samples[LOCUM_CURVE_MAX + 1];

    for (int i = 0; i < curve->n; i++) samples[i] = (double)curve->samples[i];
    locum_report_pairs("learning_curve", "samples", curve->n, samples, curve->error, out);
}

static void write_learnt(const locum_problem *p, const locum_findings *f, locum_text *out)
{
    const locum_explained *e = &f->explained;

    locum_report_curve(&f->curve, out);
    locum_report_open_list(out, false, "sensitivity");
    for (int i = 0; i < p->n_inputs; i++) {
        locum_text_add(out, i ? ",{" : "{");
        locum_report_text(out, true, "input", locum_model_input(p->model, i)->name);
        locum_report_list(out, false, "outputs", p->n_outputs, e->sensitivity + i * p->n_outputs);
        locum_text_add(out, "}");
    }
    locum_text_add(out, "]");
    locum_report_pairs("distance", "distance", (int)p->n[LOCUM_TEST], e->distance, f->surrogate.sample, out);
    locum_report_pairs("rejection", "fraction", e->n_fractions, e->fraction, e->kept_error, out);
    locum_report_key(out, false, "budget");
    if (!e->has_budget) {
        locum_text_add(out, "null");
        return;
    }
    locum_text_add(out, "{");
    locum_report_text(out, true, "text",
                      "|injection - dissipation - 2 drag energy| / injection, mean over test samples");
    locum_report_number(out, false, "surrogate", e->budget_surrogate);
    locum_report_number(out, false, "labels", e->budget_labels);
    locum_text_add(out, "}");
}

static void write_snapshots(const locum_snapshots *s, locum_text *out)
{
    locum_report_open_list(out, false, "snapshots");
    for (int i = 0; i < s->n; i++) {
        const locum_snapshot *item = &s->items[i];
        locum_text_add(out, i ? ",{" : "{");
        locum_report_text(out, true, "text", item->text);
        locum_report_number(out, false, "nx", (double)item->nx);
        locum_report_number(out, false, "ny", (double)item->ny);
        locum_report_list(out, false, "lower", 2, item->lower);
        locum_report_list(out, false, "upper", 2, item->upper);
        locum_report_list(out, false, "values", item->nx * item->ny, item->values);
        locum_text_add(out, "}");
    }
    locum_text_add(out, "]");
}

void locum_report_samples(const locum_problem *problem, const locum_findings *findings, locum_text *out)
{
    write_samples(problem, findings, out);
    write_responses(problem, &findings->explained, out);
    write_examples(&findings->surrogate, out);
    write_learnt(problem, findings, out);
    write_snapshots(&findings->snapshots, out);
}
