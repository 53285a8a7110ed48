/* SPDX-License-Identifier: BSD-3-Clause */
/* models.c - several surrogates of one study that predict values: the table that compares them. The one of the headline
 * has the smallest validation error, which training has measured; the test split chooses nothing. */
#include "surrogate/validate/validate_parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

double locum_model_validation_error(const locum_model *model)
{
    const char *text = locum_model_metadata(model, "validation_error");
    char *end = NULL;
    double value = text ? strtod(text, &end) : NAN;

    return text && end != text ? value : NAN;
}

const char *locum_validated_name(const locum_validated_model *model)
{
    return model->name ? model->name : "surrogate";
}

int locum_models_head(const locum_validate_call *call)
{
    double least = INFINITY;
    int head = 0;

    for (int k = 0; k < call->n_models && call->models; k++) {
        double error = locum_model_validation_error(call->models[k].model);
        if (error < least) least = error, head = k;
    }
    return head;
}

static locum_status measure_one(const locum_problem *p, const locum_model *model, locum_model_findings *m)
{
    locum_problem other = *p; /* the same samples, another model */
    locum_trusted trusted = {0};
    locum_errors errors = {0};
    int64_t n = p->n[LOCUM_TEST];

    other.model = model;
    locum_status st = locum_evaluate_trust(&other, model, p->config->coverage, n, p->x[LOCUM_TEST], &trusted);
    if (!st) st = locum_errors_make(&p->layout, n, trusted.value, p->y[LOCUM_TEST], p->seed, &errors);
    if (!st) st = locum_evaluate_time(&other, &m->timing);
    m->error = errors.mean;
    m->low = errors.low;
    m->high = errors.high;
    for (int64_t i = 0; i < n && !st; i++) {
        m->covered += locum_coverage_row(p->width, trusted.lower + i * p->width, trusted.upper + i * p->width,
                                         p->y[LOCUM_TEST] + i * p->width);
        m->flagged += trusted.flag[i] != 0;
    }
    locum_errors_free(&errors);
    locum_trusted_free(&trusted);
    return st;
}

locum_status locum_models_measure(const locum_problem *p, locum_model_findings models[LOCUM_VALIDATED_MAX])
{
    const locum_validate_call *call = p->call;
    int n = call->models ? call->n_models : 0;

    LOCUM_REQUIRE(n <= LOCUM_VALIDATED_MAX, LOCUM_ARG, "validate takes at most %d models", LOCUM_VALIDATED_MAX);
    for (int k = 0; k < n; k++) LOCUM_TRY(measure_one(p, call->models[k].model, &models[k]));
    return LOCUM_OK;
}

void locum_report_models(const locum_problem *p, const locum_model_findings *models, locum_text *out)
{
    const locum_validate_call *call = p->call;

    locum_report_open_list(out, false, "surrogates");
    for (int k = 0; k < call->n_models && call->models; k++) {
        const locum_model_findings *m = &models[k];
        bool calibrated = locum_model_n_calibration(call->models[k].model) > 0;
        locum_text_add(out, k ? ",{" : "{");
        locum_report_text(out, true, "name", locum_validated_name(&call->models[k]));
        locum_report_boolean(out, false, "headline", call->models[k].model == p->model);
        locum_report_text(out, false, "model", locum_model_metadata(call->models[k].model, "model"));
        locum_report_number(out, false, "error", m->error);
        locum_report_number(out, false, "error_low", m->low);
        locum_report_number(out, false, "error_high", m->high);
        locum_report_number(out, false, "validation_error", locum_model_validation_error(call->models[k].model));
        locum_report_number(out, false, "parameters", locum_report_parameters(call->models[k].model));
        locum_report_number(out, false, "seconds_per_sample", m->timing.one);
        locum_report_number(out, false, "seconds_per_sample_best_batch", m->timing.batched);
        locum_report_number(out, false, "best_batch", (double)m->timing.best_batch);
        locum_report_number(out, false, "coverage", calibrated ? (double)m->covered / (double)p->n[LOCUM_TEST] : NAN);
        locum_report_number(out, false, "covered", calibrated ? (double)m->covered : NAN);
        locum_report_number(out, false, "samples", (double)p->n[LOCUM_TEST]);
        locum_report_number(out, false, "flagged", calibrated ? (double)m->flagged : NAN);
        locum_text_add(out, "}");
    }
    locum_text_add(out, "]");
}
