/* SPDX-License-Identifier: BSD-3-Clause */
/* report_json.c - report.json: everything that the report shows, stable keys first (REPORT.md). Numbers that
 * do not exist are null. */
#include "surrogate/validate/validate_parts.h"

#include <math.h>
#include <string.h>

#include "surrogate/runtime/model.h"

/* --- small parts ------------------------------------------------------------------------------ */

void locum_report_key(locum_text *out, bool first, const char *name)
{
    locum_text_add(out, "%s", first ? "" : ",");
    locum_text_json_string(out, name);
    locum_text_add(out, ":");
}

void locum_report_number(locum_text *out, bool first, const char *name, double value)
{
    locum_report_key(out, first, name);
    locum_text_json_number(out, value);
}

void locum_report_text(locum_text *out, bool first, const char *name, const char *value)
{
    locum_report_key(out, first, name);
    if (value)
        locum_text_json_string(out, value);
    else
        locum_text_add(out, "null");
}

void locum_report_short(locum_text *out, double value)
{
    if (isfinite(value))
        locum_text_add(out, "%.6g", value);
    else
        locum_text_add(out, "null");
}

void locum_report_open_list(locum_text *out, bool first, const char *name)
{
    locum_report_key(out, first, name);
    locum_text_add(out, "[");
}

void locum_report_list(locum_text *out, bool first, const char *name, int64_t n, const double *values)
{
    locum_report_open_list(out, first, name);
    for (int64_t i = 0; i < n; i++) {
        if (i) locum_text_add(out, ",");
        locum_report_short(out, values[i]);
    }
    locum_text_add(out, "]");
}

void locum_report_boolean(locum_text *out, bool first, const char *name, bool value)
{
    locum_report_key(out, first, name);
    locum_text_add(out, value ? "true" : "false");
}

/* --- what was asked --------------------------------------------------------------------------- */

static void write_metric(const locum_problem *p, locum_text *out)
{
    locum_text words = {0};
    int written = 0;

    locum_text_add(&words, "relative L2 error per output and sample (single values |p - t| / |t|), mean over ");
    for (int i = 0; i < p->n_outputs; i++)
        if (p->in_metric[i])
            locum_text_add(&words, "%s%s", written++ ? ", " : "", locum_model_output(p->model, i)->name);
    locum_text_add(&words, ", then over test samples");
    locum_report_text(out, false, "metric", words.data);
    locum_text_free(&words);
}

static const char *study_text(const locum_problem *p, const char *path, const char *otherwise)
{
    const locum_yaml *node = locum_study_node(p->call->study, path);
    const char *text = node ? locum_yaml_string(node) : NULL;

    return text ? text : otherwise;
}

static void write_head(const locum_problem *p, const locum_findings *f, locum_text *out)
{
    const locum_setup *setup = p->call->setup;

    locum_report_text(out, true, "study", locum_study_name(p->call->study));
    locum_report_text(out, false, "solver", setup ? setup->type->name : NULL);
    locum_report_text(out, false, "task", study_text(p, "surrogate.task", "map"));
    write_metric(p, out);
    locum_report_text(out, false, "headline", f->headline);
    locum_report_text(out, false, "reference_settings", f->search.done ? f->search.reference_text : "");
    locum_report_number(out, false, "test_samples", (double)p->n[LOCUM_TEST]);
    locum_report_text(out, false, "test_read", p->test_read);
    locum_report_number(out, false, "duplicates", (double)p->duplicates);
    locum_report_number(out, false, "label_noise", f->noise.mean);
    locum_report_number(out, false, "label_noise_samples", (double)f->noise.n);
}

/* --- who answers ------------------------------------------------------------------------------ */

/* trainable numbers: all tensors but normalisers and trust tables */
double locum_report_parameters(const locum_model *model)
{
    double n = 0;

    for (int i = 0; i < model->n_tensors; i++) {
        const char *name = model->tensors[i].name;
        if (strncmp(name, "normal/", 7) && strncmp(name, "trust/", 6))
            n += (double)locum_tensor_count(&model->tensors[i]);
    }
    return n;
}

static double members_of(const locum_study *study)
{
    const locum_settings *train = locum_study_settings(study, "train");
    double members = NAN;

    if (!train || !locum_settings_option(train, "ensemble") || locum_settings_number(train, "ensemble", &members))
        return NAN;
    return members;
}

void locum_report_surrogate(const locum_model *model, const locum_study *study, const locum_findings *f,
                            locum_text *out)
{
    locum_report_key(out, false, "surrogate");
    locum_text_add(out, "{");
    locum_report_number(out, true, "error", f->surrogate.mean);
    locum_report_number(out, false, "error_low", f->surrogate.low);
    locum_report_number(out, false, "error_high", f->surrogate.high);
    locum_report_number(out, false, "error_on_searched_samples", f->search.surrogate_error);
    locum_report_number(out, false, "seconds_per_sample", f->timing.one);
    locum_report_number(out, false, "seconds_per_sample_best_batch", f->timing.batched);
    locum_report_number(out, false, "best_batch", (double)f->timing.best_batch);
    locum_report_number(out, false, "parameters", locum_report_parameters(model));
    locum_report_number(out, false, "members", members_of(study));
    locum_text_add(out, "}");
}

static void write_trivial(const locum_findings *f, locum_text *out)
{
    locum_report_open_list(out, false, "trivial");
    for (int k = 0; k < LOCUM_TRIVIALS; k++) {
        locum_text_add(out, k ? ",{" : "{");
        locum_report_text(out, true, "name", locum_trivial_name((locum_trivial)k));
        locum_report_number(out, false, "error", f->trivial[k].mean);
        locum_text_add(out, "}");
    }
    locum_text_add(out, "]");
    locum_report_text(out, false, "trivial_text",
                      "mean, linear and quadratic are least squares in the network's own transformed inputs and "
                      "outputs (logarithms where it takes them), "
                      "which makes them strong; nearest is the training sample nearest in standardised inputs");
}

void locum_report_baselines(const locum_search *s, locum_text *out)
{
    locum_report_open_list(out, false, "baselines");
    for (int64_t i = 0; i < s->n; i++) {
        const locum_setting_found *b = &s->settings[i];
        locum_text_add(out, i ? ",{\"settings\":{" : "{\"settings\":{");
        locum_report_text(out, true, "resolution", b->resolution);
        locum_report_number(out, false, "from", b->from);
        locum_report_number(out, false, "until", b->until);
        locum_report_text(out, false, "text", b->text);
        locum_text_add(out, "}");
        locum_report_number(out, false, "error", b->error);
        locum_report_number(out, false, "error_low", b->low);
        locum_report_number(out, false, "error_high", b->high);
        locum_report_number(out, false, "seconds_per_sample", b->seconds);
        locum_report_number(out, false, "samples", (double)b->samples);
        locum_report_boolean(out, false, "best", b->best);
        locum_text_add(out, "}");
    }
    locum_text_add(out, "]");
}

void locum_report_speedup(const locum_findings *f, locum_text *out)
{
    locum_report_key(out, false, "reference");
    locum_text_add(out, "{");
    locum_report_number(out, true, "seconds_per_sample", f->search.reference_seconds);
    locum_report_number(out, false, "error", f->noise.mean);
    locum_text_add(out, "}");
    locum_report_key(out, false, "speedup_at_equal_error");
    locum_text_add(out, "{");
    locum_report_number(out, true, "value", f->speedup.value);
    locum_report_number(out, false, "value_best_batch", f->speedup.seconds / f->timing.batched);
    locum_report_text(out, false, "bound", f->speedup.bound[0] ? f->speedup.bound : NULL);
    locum_report_text(out, false, "reason", f->speedup.reason);
    locum_text_add(out, "}");
    locum_report_number(out, false, "break_even_predictions", f->break_even);
}

/* --- coverage --------------------------------------------------------------------------------- */

static double count_or_none(int64_t value)
{
    return value < 0 ? NAN : (double)value;
}

void locum_report_control(const locum_control *c, locum_text *out)
{
    locum_report_key(out, false, "negative_control");
    if (!c->done) {
        locum_text_add(out, "null");
        return;
    }
    int64_t good = c->samples - c->failed;
    locum_text_add(out, "{");
    locum_report_number(out, true, "samples", (double)c->samples);
    locum_report_number(out, false, "failed", (double)c->failed);
    locum_report_number(out, false, "covered", (double)c->covered);
    locum_report_number(out, false, "measured", good > 0 ? (double)c->covered / (double)good : NAN);
    locum_report_number(out, false, "law_limit", count_or_none(c->law_limit));
    locum_report_boolean(out, false, "fails_visibly", c->fails_visibly);
    locum_report_number(out, false, "flagged", (double)c->flagged);
    locum_report_number(out, false, "error", c->error);
    locum_report_text(out, false, "parameters", c->parameters);
    locum_report_text(out, false, "text", c->text);
    locum_text_add(out, "}");
}

void locum_report_coverage(const locum_findings *f, int n_outputs, const char *text, locum_text *out)
{
    const locum_coverage *c = &f->coverage;

    locum_report_key(out, false, "coverage");
    locum_text_add(out, "{");
    locum_report_number(out, true, "target", c->target);
    locum_report_number(out, false, "measured", c->calibration > 0 ? (double)c->covered / (double)c->samples : NAN);
    locum_report_number(out, false, "covered", c->calibration > 0 ? (double)c->covered : NAN);
    locum_report_number(out, false, "samples", (double)c->samples);
    locum_report_number(out, false, "calibration_samples", (double)c->calibration);
    locum_report_number(out, false, "law_low", count_or_none(c->law_low));
    locum_report_number(out, false, "law_high", count_or_none(c->law_high));
    locum_report_list(out, false, "median_width", n_outputs, c->median_width);
    locum_report_control(&f->control, out);
    locum_report_open_list(out, false, "groups");
    for (int g = 0; g < c->n_groups && c->calibration > 0; g++) {
        locum_text_add(out, g ? ",{" : "{");
        locum_report_text(out, true, "name", c->groups[g].name);
        locum_report_number(out, false, "covered", (double)c->groups[g].covered);
        locum_report_number(out, false, "samples", (double)c->groups[g].samples);
        locum_text_add(out, "}");
    }
    locum_text_add(out, "]");
    locum_report_text(out, false, "text", text);
    locum_text_add(out, "}");
}

#define MARGINAL                                                                                      \
    "marginal coverage over all test samples of a simultaneous interval: a sample counts as covered " \
    "if every value of every output lies inside"

static bool has_shares(const locum_problem *p)
{
    bool any = false;
    for (int j = 0; j < p->n_outputs; j++) any = any || p->transforms.outputs[j].view == LOCUM_VIEW_LOG_SHARE;
    return any;
}

static void write_coverage(const locum_problem *p, const locum_findings *f, locum_text *out)
{
    locum_report_coverage(f, p->n_outputs,
                          has_shares(p) ? MARGINAL
                              ". Intervals of shares (spectra) resolve a thousandth of their total: what is "
                              "far below may reach zero"
                                        : MARGINAL,
                          out);
}

/* --- ports ------------------------------------------------------------------------------------ */

static void write_inputs(const locum_problem *p, locum_text *out)
{
    locum_report_open_list(out, false, "inputs");
    for (int i = 0; i < p->n_inputs; i++) {
        const locum_port *port = locum_model_input(p->model, i);
        bool is_log =
            p->transforms.inputs[i].view == LOCUM_VIEW_LOG || (port->lower > 0 && port->upper > 4 * port->lower);
        locum_text_add(out, i ? ",{" : "{");
        locum_report_text(out, true, "name", port->name);
        locum_report_text(out, false, "unit", port->unit);
        locum_report_text(out, false, "text", port->text);
        locum_report_number(out, false, "lower", port->lower);
        locum_report_number(out, false, "upper", port->upper);
        locum_report_boolean(out, false, "log", is_log);
        locum_text_add(out, "}");
    }
    locum_text_add(out, "]");
}

static void write_output_errors(const locum_findings *f, int j, locum_text *out)
{
    const double *cheaper = f->speedup.setting >= 0 ? f->search.settings[f->speedup.setting].of_output : NULL;

    locum_report_key(out, false, "error");
    locum_text_add(out, "{");
    locum_report_number(out, true, "surrogate", f->surrogate.output_mean[j]);
    for (int k = 0; k < LOCUM_TRIVIALS; k++)
        locum_report_number(out, false, locum_trivial_name((locum_trivial)k), f->trivial[k].output_mean[j]);
    locum_report_number(out, false, "label_noise", f->noise.n > 0 ? f->noise.output_mean[j] : NAN);
    locum_report_number(out, false, "reference_cheaper", cheaper ? cheaper[j] : NAN);
    locum_text_add(out, "}");
}

static void write_outputs(const locum_problem *p, const locum_findings *f, locum_text *out)
{
    locum_report_open_list(out, false, "outputs");
    for (int j = 0; j < p->n_outputs; j++) {
        const locum_port *port = locum_model_output(p->model, j);
        locum_text_add(out, j ? ",{" : "{");
        locum_report_text(out, true, "name", port->name);
        locum_report_text(out, false, "unit", port->unit);
        locum_report_text(out, false, "text", port->text);
        locum_report_number(out, false, "extent", (double)port->extent);
        locum_report_text(out, false, "axis_name", port->n_dims == 1 ? port->axis_name[0] : NULL);
        if (port->n_dims == 1 && port->axis[0])
            locum_report_list(out, false, "axis", port->dims[0], port->axis[0]);
        else
            locum_text_add(out, ",\"axis\":null");
        locum_report_boolean(out, false, "in_metric", p->in_metric[j]);
        locum_report_text(out, false, "transform", locum_view_name(p->transforms.outputs[j].view));
        write_output_errors(f, j, out);
        locum_text_add(out, "}");
    }
    locum_text_add(out, "]");
}

/* --- the rest --------------------------------------------------------------------------------- */

void locum_report_costs(const locum_validate_call *call, const locum_findings *f, locum_text *out)
{
    locum_report_key(out, false, "costs");
    locum_text_add(out, "{");
    locum_report_number(out, true, "generate_core_seconds", call->costs.generate_core_seconds);
    locum_report_number(out, false, "train_core_seconds", call->costs.train_core_seconds);
    locum_report_number(out, false, "validate_seconds", f->seconds);
    locum_text_add(out, "}");
    locum_report_text(out, false, "searched", f->search.words.data ? f->search.words.data : "");
    locum_report_key(out, false, "provenance");
    locum_text_add(out, "{%s}", call->provenance ? call->provenance : "");
}

void locum_report_json(const locum_problem *problem, const locum_findings *findings, locum_text *out)
{
    locum_text_add(out, "{");
    write_head(problem, findings, out);
    locum_report_surrogate(problem->model, problem->call->study, findings, out);
    locum_report_models(problem, findings->models, out);
    write_trivial(findings, out);
    locum_report_baselines(&findings->search, out);
    locum_report_speedup(findings, out);
    write_coverage(problem, findings, out);
    write_inputs(problem, out);
    write_outputs(problem, findings, out);
    locum_report_samples(problem, findings, out);
    locum_report_costs(problem->call, findings, out);
    locum_text_add(out, "}\n");
}
