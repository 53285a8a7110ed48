/* SPDX-License-Identifier: BSD-3-Clause */
/* validate.c - the order of work for surrogates of fields: every surrogate over all leads of the test split, predictors
 * that need no network, the solver made cheaper from the same states, its own spread, label noise, negative control
 * -> report.json.
 *
 *     all ranks   samples are spread over them       rank 0   times, pictures; it writes the file
 * The clock of a surrogate runs while no other rank computes. The headline is about the surrogate with the smallest
 * validation error, which training has measured: the test split chooses nothing. */
#include "surrogate/validate/fields/fields.h"

#include <math.h>
#include <stdlib.h>

/* --- surrogates ------------------------------------------------------------------------------- */

static locum_status error_of_file(const locum_fields *f, const locum_field_model *as, const char *path, double *error)
{
    locum_field_model model = *as;
    locum_model *opened = NULL;
    locum_evaluation e = {0};

    locum_status st = locum_comm_agree(f->call->world, locum_model_read(path, NULL, &opened, NULL, 0));
    model.model = opened;
    if (!st && (locum_model_n_inputs(opened) != as->n_inputs || locum_model_n_outputs(opened) != f->n_outputs))
        st = LOCUM_FAIL(LOCUM_INPUT, "%s has other ports than the model of the study", path);
    if (!st) st = locum_evaluation_test(f, &model, &e, NULL);
    *error = e.errors.joined.mean;
    locum_evaluation_free(&e);
    locum_model_close(opened);
    return st;
}

static locum_status measure_curve(const locum_fields *f, const locum_field_model *m, double full, locum_curve *curve)
{
    char path[LOCUM_PATH_SIZE];

    *curve = (locum_curve){0};
    curve->n = locum_curve_list(m->curve_folder, curve->samples);
    for (int i = 0; i < curve->n; i++) {
        locum_format(path, sizeof path, "%s/curve-%lld.safetensors", m->curve_folder, (long long)curve->samples[i]);
        LOCUM_TRY(error_of_file(f, m, path, &curve->error[i]));
    }
    curve->samples[curve->n] = f->n[LOCUM_TRAIN];
    curve->error[curve->n++] = full;
    return LOCUM_OK;
}

static locum_status measure_models(const locum_fields *f, locum_field_findings *out)
{
    LOCUM_TRY(locum_physics_truth(f, &out->truth));
    for (int k = 0; k < f->n_models; k++) {
        locum_evaluation *e = &out->models[k];
        LOCUM_TRY(locum_evaluation_test(f, &f->models[k], e, &out->physics[k]));
        LOCUM_TRY(measure_curve(f, &f->models[k], e->errors.joined.mean, &out->curve[k]));
    }
    MPI_Barrier(f->call->world); /* nobody else computes while rank 0 looks at the clock */
    locum_status st = LOCUM_OK;
    for (int k = 0; k < f->n_models && f->rank == 0 && !st; k++)
        st = locum_roll_time(f, &f->models[k], &out->timing[k]);
    if (f->rank == 0 && !st) st = locum_sheet_make(f, &out->models[f->head], &out->sheet);
    return locum_comm_verdict(f->call->world, st);
}

/* --- coverage of the head --------------------------------------------------------------------- */

static locum_status group_by_lead(const locum_fields *f, const locum_evaluation *e, locum_coverage *c)
{
    LOCUM_TRY(LOCUM_NEW(&c->groups, LOCUM_PHYSICS_LEADS));
    for (int k = 0; k < LOCUM_PHYSICS_LEADS && f->step && e->leads > 1; k++) {
        int lead = (int)lround((double)k * (e->leads - 1) / (LOCUM_PHYSICS_LEADS - 1));
        if (k && lead == (int)lround((double)(k - 1) * (e->leads - 1) / (LOCUM_PHYSICS_LEADS - 1))) continue;
        locum_coverage_group *group = &c->groups[c->n_groups++];
        locum_format(group->name, sizeof group->name, "lead %d alone, time %.4g", lead + 1, f->times[lead]);
        group->samples = e->n;
        for (int64_t i = 0; i < e->n; i++) group->covered += e->covered[i * f->n_leads + lead] == 1;
    }
    return LOCUM_OK;
}

/* median over samples of the width at the last calibrated lead */
static locum_status measure_widths(const locum_fields *f, const locum_evaluation *e, double *width)
{
    double *sorted = NULL;

    LOCUM_TRY(LOCUM_NEW(&sorted, e->n));
    for (int o = 0; o < f->n_outputs; o++) {
        int64_t n = 0;
        for (int64_t i = 0; i < e->n; i++) {
            double w = e->interval[(i * f->n_leads + e->leads - 1) * f->n_outputs + o];
            if (isfinite(w)) sorted[n++] = w;
        }
        width[o] = locum_quantile_of(n, sorted, 0.5);
    }
    free(sorted);
    return LOCUM_OK;
}

static locum_status measure_coverage(const locum_fields *f, const locum_evaluation *e, locum_coverage *c)
{
    *c = (locum_coverage){.target = f->config->coverage,
                          .samples = e->n,
                          .calibration = locum_model_n_calibration(f->models[f->head].model)};
    LOCUM_TRY(LOCUM_NEW(&c->is_covered, c->samples));
    LOCUM_TRY(LOCUM_NEW(&c->median_width, f->n_outputs));
    for (int64_t i = 0; i < e->n; i++) c->covered += c->is_covered[i] = locum_evaluation_covered(e, i);
    locum_coverage_law(c);
    LOCUM_TRY(group_by_lead(f, e, c));
    return measure_widths(f, e, c->median_width);
}

typedef struct ranked {
    double width, error;
} ranked;

static int by_width(const void *a, const void *b)
{
    double x = ((const ranked *)a)->width, y = ((const ranked *)b)->width;

    return (x > y) - (x < y);
}

/* the widest intervals at the last calibrated lead are refused first */
static locum_status measure_rejection(const locum_fields *f, const locum_evaluation *e, locum_field_findings *out)
{
    static const double fractions[] = {0, 0.1, 0.2, 0.3, 0.5};
    ranked *all = NULL;

    if (!e->calibrated) return LOCUM_OK;
    LOCUM_TRY(LOCUM_NEW(&all, e->n));
    for (int64_t i = 0; i < e->n; i++) {
        all[i].error = e->errors.joined.sample[i];
        for (int o = 0; o < f->n_outputs; o++) {
            double w = e->interval[(i * f->n_leads + e->leads - 1) * f->n_outputs + o];
            all[i].width += isfinite(w) ? w : 1e30;
        }
    }
    qsort(all, (size_t)e->n, sizeof *all, by_width);
    for (int k = 0; k < 5; k++) {
        int64_t kept = e->n - (int64_t)floor(fractions[k] * (double)e->n);
        double sum = 0;
        for (int64_t i = 0; i < kept; i++) sum += all[i].error;
        out->fraction[k] = fractions[k];
        out->kept_error[k] = sum / (double)kept;
    }
    out->n_fractions = 5;
    free(all);
    return LOCUM_OK;
}

/* --- words ------------------------------------------------------------------------------------ */

static void add_trivial(locum_field_findings *out)
{
    locum_findings *c = &out->common;
    int best = -1;

    for (int k = 0; k < LOCUM_FIELD_TRIVIALS; k++)
        if (out->trivial[k].name &&
            (best < 0 || out->trivial[k].errors.joined.mean < out->trivial[best].errors.joined.mean))
            best = k;
    if (best >= 0) locum_headline_add_trivial(c, out->trivial[best].name, out->trivial[best].errors.joined.mean);
}

static void conclude(const locum_fields *f, locum_field_findings *out)
{
    out->common.timing = out->timing[f->head];
    locum_conclude(f->call, locum_fields_obstacle(f), &out->common);
    add_trivial(out);
}

/* --- all -------------------------------------------------------------------------------------- */

/* the members of `common` that belong to others are lent: they are not freed here */
static locum_status measure(const locum_fields *f, locum_field_findings *out)
{
    locum_findings *c = &out->common;
    MPI_Comm world = f->call->world;

    locum_log_detail(f->call->log, "validate: %lld test samples, %d leads", (long long)f->n[LOCUM_TEST], f->n_leads);
    LOCUM_TRY(measure_models(f, out));
    const locum_evaluation *head = &out->models[f->head];
    c->surrogate = head->errors.joined;
    c->curve = out->curve[f->head];
    locum_status st = measure_coverage(f, head, &c->coverage);
    if (!st) st = measure_rejection(f, head, out);
    LOCUM_TRY(locum_comm_agree(world, st));
    LOCUM_TRY(locum_field_trivials(f, out->trivial));
    LOCUM_TRY(locum_field_search_run(f, &c->surrogate, &out->search));
    c->search = out->search.search;
    LOCUM_TRY(locum_solver_spread_run(f, c->search.reference_seconds, &out->spread));
    LOCUM_TRY(locum_label_noise_run(f, c->search.reference_seconds, &out->noise));
    c->noise = out->noise.errors.joined;
    if (out->noise.n == 0) c->noise.mean = NAN;
    return c->search.done || locum_fields_obstacle(f) ? locum_field_control_run(f, &c->control) : LOCUM_OK;
}

static locum_status write_report(const locum_fields *f, const locum_field_findings *out)
{
    locum_text text = {0};

    locum_fields_json(f, out, &text);
    return locum_report_write(f->call, &text);
}

static void release(locum_field_findings *out)
{
    for (int k = 0; k < LOCUM_VALIDATED_MAX; k++) {
        locum_evaluation_free(&out->models[k]);
        locum_physics_free(&out->physics[k]);
    }
    for (int k = 0; k < LOCUM_FIELD_TRIVIALS; k++) locum_field_errors_free(&out->trivial[k].errors);
    locum_physics_free(&out->truth);
    locum_coverage_free(&out->common.coverage);
    locum_field_search_free(&out->search);
    locum_field_errors_free(&out->spread.errors);
    locum_field_errors_free(&out->noise.errors);
    locum_sheet_free(&out->sheet);
}

locum_status locum_fields_validate(const locum_validate_call *call, char *headline, size_t headline_size)
{
    double begun = locum_clock();
    locum_fields *f = NULL;
    locum_field_findings *out = NULL;

    locum_status st = LOCUM_NEW(&out, 1);
    if (!st) st = locum_fields_create(call, &f);
    st = locum_comm_agree(call->world, st);
    if (!st) st = measure(f, out);
    if (!st) {
        if (f->rank == 0) {
            conclude(f, out);
            out->common.seconds = locum_clock() - begun;
            st = write_report(f, out);
        }
        st = locum_comm_verdict(call->world, st);
    }
    if (!st) {
        st = locum_comm_broadcast(call->world, out->common.headline, sizeof out->common.headline);
        locum_format(headline, headline_size, "%s", out->common.headline);
    }
    if (out) release(out);
    locum_fields_destroy(f);
    free(out);
    return st;
}
