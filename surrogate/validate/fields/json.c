/* SPDX-License-Identifier: BSD-3-Clause */
/* json.c - report.json of field surrogates: the members that every report has, and `fields` with everything over lead
 * time (REPORT.md). Numbers that do not exist are null. */
#include "surrogate/validate/fields/fields.h"

#include <math.h>
#include <string.h>

/* --- what was asked --------------------------------------------------------------------------- */

static void write_metric(const locum_fields *f, locum_text *out)
{
    locum_text words = {0};
    int written = 0;

    locum_text_add(
        &words, f->step ? "relative L2 error over the joined trajectory of %d steps" : "relative L2 error of the field",
        f->n_leads);
    if (f->n_outputs > 1) locum_text_add(&words, " per output, mean over ");
    for (int i = 0; i < f->n_outputs && f->n_outputs > 1; i++)
        if (f->in_metric[i]) locum_text_add(&words, "%s%s", written++ ? ", " : "", f->output[i].name);
    for (int i = 0; i < f->n_outputs; i++)
        if (f->in_metric[i] && f->typical[i] > 0)
            locum_text_add(&words, "; %s relative to its root mean square over the training split", f->output[i].name);
    locum_text_add(&words, "; mean over test samples");
    locum_report_text(out, false, "metric", words.data);
    locum_text_free(&words);
}

static void write_head(const locum_fields *f, const locum_field_findings *r, locum_text *out)
{
    const locum_setup *setup = f->call->setup;

    locum_report_text(out, true, "study", locum_study_name(f->call->study));
    locum_report_text(out, false, "solver", setup ? setup->type->name : NULL);
    locum_report_text(out, false, "task", f->step ? "step" : "map");
    write_metric(f, out);
    locum_report_text(out, false, "headline", r->common.headline);
    locum_report_text(out, false, "reference_settings", r->common.search.done ? r->common.search.reference_text : "");
    locum_report_number(out, false, "test_samples", (double)f->n[LOCUM_TEST]);
    locum_report_text(out, false, "test_read", f->test_read);
    locum_report_number(out, false, "duplicates", (double)f->duplicates);
    locum_report_number(out, false, "label_noise", r->common.noise.mean);
    locum_report_number(out, false, "label_noise_samples", (double)r->noise.n);
}

static void write_trivial(const locum_field_findings *r, locum_text *out)
{
    bool first = true;

    locum_report_open_list(out, false, "trivial");
    for (int k = 0; k < LOCUM_FIELD_TRIVIALS; k++) {
        if (!r->trivial[k].name) continue;
        locum_text_add(out, first ? "{" : ",{");
        locum_report_text(out, true, "name", r->trivial[k].name);
        locum_report_number(out, false, "error", r->trivial[k].errors.joined.mean);
        locum_text_add(out, "}");
        first = false;
    }
    locum_text_add(out, "]");
    locum_report_text(out, false, "trivial_text",
                      "persistence is the last field that the surrogate sees; mean is the mean field of the training "
                      "split; linear and quadratic are least squares for each value in the network's own transformed "
                      "inputs and outputs; nearest is the training sample nearest in its inputs");
}

static void write_coverage(const locum_fields *f, const locum_field_findings *r, locum_text *out)
{
    char words[256];

    locum_format(
        words, sizeof words,
        "marginal coverage over all test trajectories of a simultaneous band: a trajectory counts as covered if "
        "every value of every field at every lead up to %d lies inside",
        r->models[f->head].leads);
    locum_report_coverage(&r->common, f->n_outputs, words, out);
}

/* --- ports and samples ------------------------------------------------------------------------ */

static void write_inputs(const locum_fields *f, locum_text *out)
{
    const locum_model *model = f->models[f->head].model;

    locum_report_open_list(out, false, "inputs");
    for (int i = 0; i < locum_model_n_inputs(model); i++) {
        const locum_port *port = locum_model_input(model, i);
        locum_text_add(out, i ? ",{" : "{");
        locum_report_text(out, true, "name", port->name);
        locum_report_text(out, false, "unit", port->unit);
        locum_report_text(out, false, "text", port->text);
        locum_report_number(out, false, "lower", port->lower);
        locum_report_number(out, false, "upper", port->upper);
        locum_report_number(out, false, "extent", (double)port->extent);
        locum_report_boolean(out, false, "log", port->lower > 0 && port->upper > 4 * port->lower);
        locum_text_add(out, "}");
    }
    locum_text_add(out, "]");
}

static void write_output_errors(const locum_field_findings *r, int o, locum_text *out)
{
    const locum_findings *c = &r->common;
    const double *cheaper = c->speedup.setting >= 0 ? c->search.settings[c->speedup.setting].of_output : NULL;

    locum_report_key(out, false, "error");
    locum_text_add(out, "{");
    locum_report_number(out, true, "surrogate", c->surrogate.output_mean[o]);
    for (int k = 0; k < LOCUM_FIELD_TRIVIALS; k++)
        if (r->trivial[k].name)
            locum_report_number(out, false, r->trivial[k].name, r->trivial[k].errors.joined.output_mean[o]);
    locum_report_number(out, false, "label_noise", r->noise.n > 0 ? r->noise.errors.joined.output_mean[o] : NAN);
    locum_report_number(out, false, "reference_cheaper", cheaper ? cheaper[o] : NAN);
    locum_text_add(out, "}");
}

static void write_outputs(const locum_fields *f, const locum_field_findings *r, locum_text *out)
{
    locum_report_open_list(out, false, "outputs");
    for (int o = 0; o < f->n_outputs; o++) {
        const locum_port *port = locum_model_output(f->models[f->head].model, o);
        locum_text_add(out, o ? ",{" : "{");
        locum_report_text(out, true, "name", port->name);
        locum_report_text(out, false, "unit", port->unit);
        locum_report_text(out, false, "text", port->text);
        locum_report_number(out, false, "extent", (double)port->extent);
        locum_report_text(out, false, "axis_name", NULL);
        locum_text_add(out, ",\"axis\":null");
        locum_report_boolean(out, false, "in_metric", f->in_metric[o]);
        locum_report_text(out, false, "transform", "linear");
        write_output_errors(r, o, out);
        locum_text_add(out, "}");
    }
    locum_text_add(out, "]");
}

static void write_samples(const locum_fields *f, const locum_field_findings *r, locum_text *out)
{
    const locum_field_model *m = &f->models[f->head];
    const locum_evaluation *e = &r->models[f->head];
    double values[LOCUM_LIST_MAX], row[LOCUM_LIST_MAX + LOCUM_FIELD_ARRAYS];

    locum_report_open_list(out, false, "samples");
    for (int64_t i = 0; i < e->n; i++) {
        const locum_dataset_sample *sample = locum_dataset_sample_at(f->dataset, f->sample[LOCUM_TEST][i]);
        locum_fields_values(f, LOCUM_TEST, i, values);
        for (int k = 0; k < m->n_inputs; k++) row[k] = m->source[k].value >= 0 ? values[m->source[k].value] : NAN;
        locum_text_add(out, i ? ",{" : "{");
        locum_report_number(out, true, "index", (double)sample->index);
        locum_report_list(out, false, "parameters", m->n_inputs, row);
        locum_report_number(out, false, "error", e->errors.joined.sample[i]);
        locum_report_list(out, false, "error_of", f->n_outputs, e->errors.joined.of_output + i * f->n_outputs);
        locum_report_boolean(out, false, "covered", r->common.coverage.is_covered[i]);
        locum_report_number(out, false, "flag", e->flag[i * f->n_leads + f->n_leads - 1]);
        locum_report_number(out, false, "p_value", NAN);
        locum_report_number(out, false, "stopped", e->stopped[i]);
        locum_text_add(out, "}");
    }
    locum_text_add(out, "]");
}

static void write_learnt(const locum_field_findings *r, locum_text *out)
{
    locum_text_add(out, ",\"response\":[],\"examples\":[]");
    locum_report_curve(&r->common.curve, out);
    locum_text_add(out, ",\"sensitivity\":[],\"distance\":[]");
    locum_report_pairs("rejection", "fraction", r->n_fractions, r->fraction, r->kept_error, out);
    locum_text_add(out, ",\"budget\":null,\"snapshots\":[]");
}

/* --- over lead time --------------------------------------------------------------------------- */

static void write_errors(const locum_field_errors *e, locum_text *out)
{
    locum_report_list(out, false, "error_over_lead", e->n_leads, e->mean);
    locum_report_list(out, false, "low_over_lead", e->n_leads, e->low);
    locum_report_list(out, false, "high_over_lead", e->n_leads, e->high);
    locum_report_list(out, false, "vrmse_over_lead", e->n_leads, e->vrmse);
    locum_report_list(out, false, "correlation_over_lead", e->n_leads, e->correlation);
    locum_report_number(out, false, "valid_time", e->valid);
    locum_report_number(out, false, "valid_time_correlation", e->valid_correlation);
}

/* means over samples of [n, n_leads] */
static void write_mean(const locum_fields *f, const locum_evaluation *e, const char *name, const double *values,
                       bool is_flag, locum_text *out)
{
    locum_report_open_list(out, false, name);
    for (int l = 0; l < f->n_leads; l++) {
        double sum = 0;
        for (int64_t i = 0; i < e->n; i++)
            sum += is_flag ? values[i * f->n_leads + l] != 0 : values[i * f->n_leads + l];
        if (l) locum_text_add(out, ",");
        locum_report_short(out, e->calibrated && (is_flag || l < e->leads) ? sum / (double)e->n : NAN);
    }
    locum_text_add(out, "]");
}

/* mean over outputs and samples where it is finite */
static void write_width(const locum_fields *f, const locum_evaluation *e, locum_text *out)
{
    locum_report_open_list(out, false, "width_over_lead");
    for (int l = 0; l < f->n_leads; l++) {
        double sum = 0, count = 0;
        for (int64_t i = 0; i < e->n; i++)
            for (int o = 0; o < f->n_outputs; o++) {
                double w = e->interval[(i * f->n_leads + l) * f->n_outputs + o];
                if (isfinite(w)) sum += w, count++;
            }
        if (l) locum_text_add(out, ",");
        locum_report_short(out, e->calibrated && l < e->leads && count > 0 ? sum / count : NAN);
    }
    locum_text_add(out, "]");
}

static void write_model(const locum_fields *f, const locum_field_findings *r, int k, locum_text *out)
{
    const locum_field_model *m = &f->models[k];
    const locum_evaluation *e = &r->models[k];
    int64_t covered = 0, flagged = 0, stopped = 0;

    for (int64_t i = 0; i < e->n; i++) {
        covered += locum_evaluation_covered(e, i);
        flagged += e->flag[i * f->n_leads + e->leads - 1] != 0;
        stopped += e->stopped[i] > 0;
    }
    locum_report_text(out, true, "name", m->name);
    locum_report_boolean(out, false, "headline", k == f->head);
    locum_report_text(out, false, "model", locum_model_metadata(m->model, "model"));
    locum_report_number(out, false, "error", e->errors.joined.mean);
    locum_report_number(out, false, "error_low", e->errors.joined.low);
    locum_report_number(out, false, "error_high", e->errors.joined.high);
    locum_report_number(out, false, "validation_error", m->validation_error);
    locum_report_number(out, false, "parameters", locum_report_parameters(m->model));
    locum_report_number(out, false, "seconds_per_sample", r->timing[k].one);
    locum_report_number(out, false, "seconds_per_sample_best_batch", r->timing[k].batched);
    locum_report_number(out, false, "best_batch", (double)r->timing[k].best_batch);
    locum_report_number(out, false, "coverage", e->calibrated ? (double)covered / (double)e->n : NAN);
    locum_report_number(out, false, "covered", e->calibrated ? (double)covered : NAN);
    locum_report_number(out, false, "samples", (double)e->n);
    locum_report_number(out, false, "flagged", e->calibrated ? (double)flagged : NAN);
    locum_report_number(out, false, "stopped", (double)stopped);
    locum_report_number(out, false, "calibrated_leads", e->calibrated ? e->leads : 0);
    write_errors(&e->errors, out);
    write_mean(f, e, "coverage_over_lead", e->covered, false, out);
    write_mean(f, e, "inside_over_lead", e->inside, false, out);
    write_mean(f, e, "flagged_over_lead", e->flag, true, out);
    write_width(f, e, out);
    locum_report_curve(&r->curve[k], out);
}

static void write_models(const locum_fields *f, const locum_field_findings *r, locum_text *out)
{
    locum_report_open_list(out, false, "surrogates");
    for (int k = 0; k < f->n_models; k++) {
        locum_text_add(out, k ? ",{" : "{");
        write_model(f, r, k, out);
        locum_text_add(out, "}");
    }
    locum_text_add(out, "]");
}

static bool on_front(const locum_search *s, const char *text)
{
    for (int64_t i = 0; i < s->n; i++)
        if (!strcmp(s->settings[i].text, text)) return s->settings[i].best;
    return false;
}

static void write_rivals(const locum_fields *f, const locum_field_findings *r, locum_text *out)
{
    const locum_field_search *s = &r->search;
    bool first = true;

    locum_report_open_list(out, false, "baselines");
    for (int k = 0; k < s->n_runs; k++) {
        locum_text_add(out, k ? ",{" : "{");
        locum_report_text(out, true, "text", s->run_text[k]);
        locum_report_boolean(out, false, "best", on_front(&s->search, s->run_text[k]));
        locum_report_list(out, false, "error_over_lead", f->n_leads, s->run_error + k * f->n_leads);
        locum_report_list(out, false, "seconds_over_lead", f->n_leads, s->run_seconds + k * f->n_leads);
        locum_text_add(out, "}");
    }
    locum_text_add(out, "]");
    locum_report_open_list(out, false, "trivial");
    for (int k = 0; k < LOCUM_FIELD_TRIVIALS; k++) {
        if (!r->trivial[k].name) continue;
        locum_text_add(out, first ? "{" : ",{");
        locum_report_text(out, true, "name", r->trivial[k].name);
        write_errors(&r->trivial[k].errors, out);
        locum_text_add(out, "}");
        first = false;
    }
    locum_text_add(out, "]");
}

/* the solver's own spread, and label noise */
static void write_unknown(const locum_field_findings *r, locum_text *out)
{
    locum_report_key(out, false, "solver_spread");
    if (r->spread.n == 0)
        locum_text_add(out, "null");
    else {
        locum_text_add(out, "{");
        locum_report_number(out, true, "perturbation", LOCUM_PERTURBATION);
        locum_report_number(out, false, "samples", (double)r->spread.n);
        write_errors(&r->spread.errors, out);
        locum_text_add(out, "}");
    }
    locum_report_key(out, false, "label_noise");
    locum_text_add(out, "{");
    locum_report_text(out, true, "text", r->noise.text);
    locum_report_number(out, false, "samples", (double)r->noise.n);
    if (r->noise.n > 0) write_errors(&r->noise.errors, out);
    locum_text_add(out, "}");
}

/* --- spectra and budgets ---------------------------------------------------------------------- */

/* mean over samples; stride: values of a sample. Samples that were stopped are left out */
static double mean_over(const locum_physics *p, const double *values, int64_t stride, int64_t at)
{
    double sum = 0, count = 0;

    for (int64_t i = 0; i < p->n; i++)
        if (isfinite(values[i * stride + at])) sum += values[i * stride + at], count++;
    return count > 0 ? sum / count : NAN;
}

static void write_spectrum_of(const locum_fields *f, const locum_physics *p, int s, int o, locum_text *out)
{
    int64_t stride = p->n_spectra * f->n_outputs * p->shells;

    locum_text_add(out, "[");
    for (int64_t k = 0; k < p->shells; k++) {
        if (k) locum_text_add(out, ",");
        locum_report_short(out, mean_over(p, p->spectrum, stride, (s * f->n_outputs + o) * p->shells + k));
    }
    locum_text_add(out, "]");
}

static void write_spectra(const locum_fields *f, const locum_field_findings *r, locum_text *out)
{
    bool first = true;

    locum_report_open_list(out, false, "spectra");
    for (int o = 0; o < f->n_outputs && r->truth.shells > 0; o++)
        for (int s = 0; s < r->truth.n_spectra; s++) {
            locum_text_add(out, first ? "{" : ",{");
            first = false;
            locum_report_text(out, true, "output", f->output[o].name);
            locum_report_number(out, false, "lead", r->truth.lead[s] + 1);
            locum_report_number(out, false, "time", f->times[r->truth.lead[s]]);
            locum_report_number(out, false, "samples", (double)r->truth.n);
            locum_report_key(out, false, "truth");
            write_spectrum_of(f, &r->truth, s, o, out);
            locum_report_open_list(out, false, "surrogates");
            for (int k = 0; k < f->n_models; k++) {
                if (k) locum_text_add(out, ",");
                write_spectrum_of(f, &r->physics[k], s, o, out);
            }
            locum_text_add(out, "]}");
        }
    locum_text_add(out, "]");
}

static void write_budget_of(const locum_fields *f, const locum_physics *p, int o, int b, locum_text *out)
{
    int64_t stride = (int64_t)f->n_leads * f->n_outputs * LOCUM_BUDGETS;

    locum_text_add(out, "[");
    for (int l = 0; l < f->n_leads; l++) {
        if (l) locum_text_add(out, ",");
        locum_report_short(out, mean_over(p, p->budget, stride, (l * f->n_outputs + o) * LOCUM_BUDGETS + b));
    }
    locum_text_add(out, "]");
}

static void write_budgets(const locum_fields *f, const locum_field_findings *r, locum_text *out)
{
    int64_t stride = (int64_t)f->n_leads * f->n_outputs * LOCUM_BUDGETS;
    bool first = true;

    locum_report_open_list(out, false, "budgets");
    for (int o = 0; o < f->n_outputs; o++)
        for (int b = 0; b < LOCUM_BUDGETS; b++) {
            if (isnan(mean_over(&r->truth, r->truth.budget, stride, o * LOCUM_BUDGETS + b))) continue;
            locum_text_add(out, first ? "{" : ",{");
            first = false;
            locum_report_text(out, true, "output", f->output[o].name);
            locum_report_text(out, false, "name", locum_budget_name(b, f->output[o].name, f->output[o].components));
            locum_report_key(out, false, "truth");
            write_budget_of(f, &r->truth, o, b, out);
            locum_report_open_list(out, false, "surrogates");
            for (int k = 0; k < f->n_models; k++) {
                if (k) locum_text_add(out, ",");
                write_budget_of(f, &r->physics[k], o, b, out);
            }
            locum_text_add(out, "]}");
        }
    locum_text_add(out, "]");
}

/* --- pictures --------------------------------------------------------------------------------- */

static void write_picture(const char *name, int64_t n, const double *values, locum_text *out)
{
    locum_report_open_list(out, false, name);
    for (int64_t i = 0; i < n; i++) {
        if (i) locum_text_add(out, ",");
        if (isfinite(values[i]))
            locum_text_add(out, "%.4g", values[i]);
        else
            locum_text_add(out, "null");
    }
    locum_text_add(out, "]");
}

static void write_sheet(const locum_fields *f, const locum_sheet *s, locum_text *out)
{
    int64_t n = s->n[0] * s->n[1];

    locum_report_key(out, false, "sheet");
    if (!s->truth) {
        locum_text_add(out, "null");
        return;
    }
    locum_text_add(out, "{");
    locum_report_text(out, true, "output", s->name);
    locum_report_number(out, false, "index",
                        (double)locum_dataset_sample_at(f->dataset, f->sample[LOCUM_TEST][s->sample])->index);
    locum_report_number(out, false, "error", s->error);
    locum_report_number(out, false, "nx", (double)s->n[0]);
    locum_report_number(out, false, "ny", (double)s->n[1]);
    locum_report_list(out, false, "lower", 2, s->lower);
    locum_report_list(out, false, "upper", 2, s->upper);
    locum_report_text(out, false, "input_name", f->step || !f->n_inputs ? s->name : f->input[0].name);
    if (s->input)
        write_picture("input", n, s->input, out);
    else
        locum_text_add(out, ",\"input\":null");
    locum_report_open_list(out, false, "leads");
    for (int k = 0; k < s->n_leads; k++) {
        locum_text_add(out, k ? ",{" : "{");
        locum_report_number(out, true, "lead", s->lead[k] + 1);
        locum_report_number(out, false, "time", f->times[s->lead[k]]);
        write_picture("truth", n, s->truth + k * n, out);
        write_picture("value", n, s->value + k * n, out);
        locum_text_add(out, "}");
    }
    locum_text_add(out, "]}");
}

static void write_fields(const locum_fields *f, const locum_field_findings *r, locum_text *out)
{
    double grid[3] = {(double)f->grid[0], (double)f->grid[1], (double)f->grid[2]};

    locum_report_key(out, false, "fields");
    locum_text_add(out, "{");
    locum_report_number(out, true, "leads", f->n_leads);
    locum_report_list(out, false, "times", f->n_leads, f->times);
    locum_report_number(out, false, "history", (double)f->history);
    locum_report_list(out, false, "grid", f->n_axes, grid);
    locum_report_boolean(out, false, "periodic", f->periodic);
    locum_report_number(out, false, "valid_error", LOCUM_VALID_ERROR);
    locum_report_number(out, false, "valid_correlation", LOCUM_VALID_CORRELATION);
    write_rivals(f, r, out);
    write_unknown(r, out);
    write_spectra(f, r, out);
    write_budgets(f, r, out);
    write_sheet(f, &r->sheet, out);
    locum_text_add(out, "}");
}

void locum_fields_json(const locum_fields *f, const locum_field_findings *r, locum_text *out)
{
    locum_text_add(out, "{");
    write_head(f, r, out);
    locum_report_surrogate(f->models[f->head].model, f->call->study, &r->common, out);
    write_models(f, r, out);
    write_trivial(r, out);
    locum_report_baselines(&r->common.search, out);
    locum_report_speedup(&r->common, out);
    write_coverage(f, r, out);
    write_inputs(f, out);
    write_outputs(f, r, out);
    write_samples(f, r, out);
    write_learnt(r, out);
    write_fields(f, r, out);
    locum_report_costs(f->call, &r->common, out);
    locum_text_add(out, "}\n");
}
