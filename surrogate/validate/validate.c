/* SPDX-License-Identifier: BSD-3-Clause */
/* validate.c - the order of work: surrogate, trivial predictors, solver made cheaper, coverage, negative
 * control -> report.json.
 *
 *     all ranks   test split through the solver interface; search, control, snapshots (samples spread over the ranks)
 *     rank 0      intervals, time, fits, learning curve, sensitivity; it writes the file
 * The clock of the surrogate runs while no other rank computes. Everything is read from the dataset, the model
 * and the study: nothing is trained, no threshold is chosen here. An interrupted validation starts again:
 * nothing of it is kept. */
#include "surrogate/validate/fields/fields.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/study/commit.h"

/* --- label noise ------------------------------------------------------------------------------ */

/* row of the sample with that number in any split but noise; NULL if it failed */
static const double *row_of(const locum_problem *p, int64_t index)
{
    for (int s = 0; s < LOCUM_NOISE; s++)
        for (int64_t i = 0; i < p->n[s]; i++)
            if (p->table->index[s][i] == index) return p->y[s] + i * p->width;
    return NULL;
}

/* twins: the same parameters and window, another seed */
static locum_status measure_noise(const locum_problem *p, locum_errors *noise)
{
    double *twin = NULL, *truth = NULL;
    int64_t n = 0;

    locum_status st = LOCUM_NEW(&twin, p->n[LOCUM_NOISE] * p->width + 1);
    if (!st) st = LOCUM_NEW(&truth, p->n[LOCUM_NOISE] * p->width + 1);
    for (int64_t i = 0; i < p->n[LOCUM_NOISE] && !st; i++) {
        const double *original = row_of(p, p->table->twin[i]);
        if (!original) continue;
        memcpy(twin + n * p->width, p->y[LOCUM_NOISE] + i * p->width, (size_t)p->width * sizeof *twin);
        memcpy(truth + n * p->width, original, (size_t)p->width * sizeof *truth);
        n++;
    }
    if (!st) st = locum_errors_make(&p->layout, n, twin, truth, p->seed, noise);
    free(twin);
    free(truth);
    return st;
}

/* --- errors ----------------------------------------------------------------------------------- */

static locum_status measure_trivial(const locum_problem *p, locum_findings *f)
{
    double *rows = NULL;
    int64_t n = p->n[LOCUM_TEST];

    LOCUM_TRY(LOCUM_NEW(&rows, n * p->width));
    locum_status st = LOCUM_OK;
    for (int k = 0; k < LOCUM_TRIVIALS && !st; k++) {
        st = locum_trivial_predict((locum_trivial)k, &p->transforms, p->first, p->n[LOCUM_TRAIN], p->x[LOCUM_TRAIN],
                                   p->y[LOCUM_TRAIN], n, p->x[LOCUM_TEST], rows);
        if (!st) st = locum_errors_make(&p->layout, n, rows, p->y[LOCUM_TEST], p->seed, &f->trivial[k]);
    }
    free(rows);
    return st;
}

/* collective */
static locum_status measure_surrogate(const locum_problem *p, locum_findings *f)
{
    double *rows = NULL;
    int64_t n = p->n[LOCUM_TEST];

    locum_status st = locum_comm_agree(p->call->world, LOCUM_NEW(&rows, n * p->width));
    if (!st) st = locum_evaluate_as_solver(p, n, p->x[LOCUM_TEST], rows);
    if (!st)
        st = locum_comm_agree(p->call->world,
                              locum_errors_make(&p->layout, n, rows, p->y[LOCUM_TEST], p->seed, &f->surrogate));
    free(rows);
    return st;
}

/* rank 0 */
static locum_status measure_alone(const locum_problem *p, locum_findings *f)
{
    LOCUM_TRY(locum_evaluate_trust(p, p->model, p->config->coverage, p->n[LOCUM_TEST], p->x[LOCUM_TEST], &f->trusted));
    LOCUM_TRY(locum_evaluate_time(p, &f->timing));
    LOCUM_TRY(measure_trivial(p, f));
    LOCUM_TRY(measure_noise(p, &f->noise));
    LOCUM_TRY(locum_coverage_make(p, &f->trusted, &f->coverage));
    LOCUM_TRY(locum_models_measure(p, f->models));
    LOCUM_TRY(locum_curve_make(p, f->surrogate.mean, &f->curve));
    return locum_explain(p, &f->trusted, &f->surrogate, &f->explained);
}

/* --- words ------------------------------------------------------------------------------------ */

static const char *time_text(double seconds, char text[32])
{
    static const char *const units[] = {"s", "ms", "us", "ns"};
    int u = 0;

    while (u < 3 && seconds < 1) seconds *= 1000, u++;
    locum_format(text, 32, "%.3g %s", seconds, units[u]);
    return text;
}

/* three digits, with commas in the thousands: 1,470 */
static const char *times_text(double value, char text[64])
{
    char digits[48];
    size_t at = 0;

    if (value < 1000 || value >= 1e12) {
        locum_format(text, 64, "%.3g", value);
        return text;
    }
    double unit = pow(10, floor(log10(value)) - 2);
    int n = locum_format(digits, sizeof digits, "%.0f", round(value / unit) * unit);
    for (int i = 0; i < n; i++) {
        if (i && (n - i) % 3 == 0) text[at++] = ',';
        text[at++] = digits[i];
    }
    text[at] = 0;
    return text;
}

void locum_headline_write(const char *solver, locum_findings *f)
{
    const locum_speedup *s = &f->speedup;
    char mine[32], theirs[32], times[64], noise[64] = "";
    const char *about = s->bound[0] == '=' ? "" : s->bound[0] == '<' ? "at most " : "at least ";

    time_text(f->timing.one, mine);
    if (isfinite(f->noise.mean))
        locum_format(noise, sizeof noise, ", label noise %.3g%s", f->noise.mean,
                     f->surrogate.mean < f->noise.mean ? ", below which nothing can be told" : "");
    if (!isfinite(s->value)) {
        locum_format(f->headline, sizeof f->headline,
                     "One prediction takes %s (error %.3g%s). No speed-up is claimed: %s.", mine, f->surrogate.mean,
                     noise, s->reason);
        return;
    }
    time_text(s->seconds, theirs);
    locum_format(f->headline, sizeof f->headline,
                 "At equal error (%.3g%s) the surrogate needs %s, %s on the same core %s: %s%s times as fast%s.",
                 f->search.surrogate_error, noise, mine, solver, theirs, about, times_text(s->value, times),
                 !(s->value < 1)      ? ""
                 : s->bound[0] == '>' ? ", which may be a loss"
                                      : ", which is a loss");
}

void locum_headline_add_trivial(locum_findings *f, const char *name, double error)
{
    size_t used = strlen(f->headline);

    if (error <= f->surrogate.mean)
        locum_format(f->headline + used, sizeof f->headline - used,
                     " But on this test split the %s predictor errs no more (%.3g against %.3g): no network is needed "
                     "yet.",
                     name, error, f->surrogate.mean);
}

static void add_trivial(locum_findings *f)
{
    int best = 0;

    for (int k = 1; k < LOCUM_TRIVIALS; k++)
        if (f->trivial[k].mean < f->trivial[best].mean) best = k;
    locum_headline_add_trivial(f, locum_trivial_name((locum_trivial)best), f->trivial[best].mean);
}

/* which of several the headline is about */
static void name_model(const locum_validate_call *call, locum_findings *f)
{
    size_t used = strlen(f->headline);

    if (call->n_models > 1 && call->models)
        locum_format(f->headline + used, sizeof f->headline - used,
                     " The surrogate is %s, which has the smallest validation error of %d.",
                     locum_validated_name(&call->models[locum_models_head(call)]), call->n_models);
}

void locum_conclude(const locum_validate_call *call, const char *obstacle, locum_findings *f)
{
    double cost = call->costs.generate_core_seconds + call->costs.train_core_seconds;

    locum_speedup_find(&f->search, f->timing.one, &f->speedup);
    if (obstacle) locum_format(f->speedup.reason, sizeof f->speedup.reason, "%s", obstacle);
    f->break_even = locum_break_even(cost, f->speedup.seconds, f->timing.one);
    locum_headline_write(call->setup ? call->setup->type->name : "", f);
    name_model(call, f);
}

locum_status locum_report_write(const locum_validate_call *call, locum_text *text)
{
    char path[LOCUM_PATH_SIZE];

    locum_format(path, sizeof path, "%s/report.json", call->report);
    locum_status st = text->status;
    if (!st) st = locum_make_directories(call->report);
    if (!st) st = locum_commit_bytes(path, text->data, text->size);
    locum_text_free(text);
    return st;
}

static locum_status write_report(const locum_problem *p, const locum_findings *f)
{
    locum_text text = {0};

    locum_report_json(p, f, &text);
    return locum_report_write(p->call, &text);
}

/* --- all -------------------------------------------------------------------------------------- */

static void release(locum_problem *p, locum_findings *f)
{
    locum_errors_free(&f->surrogate);
    for (int k = 0; k < LOCUM_TRIVIALS; k++) locum_errors_free(&f->trivial[k]);
    locum_errors_free(&f->noise);
    locum_trusted_free(&f->trusted);
    locum_coverage_free(&f->coverage);
    locum_search_free(&f->search);
    locum_explained_free(p, &f->explained);
    locum_snapshots_free(&f->snapshots);
    locum_problem_destroy(p);
}

static locum_status measure(const locum_problem *p, locum_findings *f)
{
    MPI_Comm world = p->call->world;

    locum_log_detail(p->call->log, "validate: %lld test samples", (long long)p->n[LOCUM_TEST]);
    LOCUM_TRY(measure_surrogate(p, f));
    MPI_Barrier(world); /* nobody else computes while rank 0 looks at the clock */
    LOCUM_TRY(locum_comm_verdict(world, p->rank ? LOCUM_OK : measure_alone(p, f)));
    LOCUM_TRY(locum_search_baselines(p, &f->surrogate, &f->search));
    LOCUM_TRY(locum_control_run(p, &f->control));
    return locum_snapshots_take(p, &f->snapshots);
}

static locum_status validate_values(const locum_validate_call *call, char *headline, size_t headline_size)
{
    double begun = locum_clock();
    locum_problem *p = NULL;
    locum_findings *f = NULL;

    locum_status st = LOCUM_NEW(&f, 1);
    if (!st) st = locum_problem_create(call, &p);
    st = locum_comm_agree(call->world, st);
    if (!st) st = measure(p, f);
    if (!st) {
        if (p->rank == 0) {
            locum_conclude(call, locum_problem_obstacle(p), f);
            add_trivial(f);
            f->seconds = locum_clock() - begun;
            st = write_report(p, f);
        }
        st = locum_comm_verdict(call->world, st);
    }
    if (!st) {
        st = locum_comm_broadcast(call->world, f->headline, sizeof f->headline);
        locum_format(headline, headline_size, "%s", f->headline);
    }
    if (f) release(p, f);
    free(f);
    return st;
}

locum_status locum_validate(const locum_validate_call *call, char *headline, size_t headline_size)
{
    locum_validate_call own = *call;

    LOCUM_REQUIRE(call->model || (call->models && call->n_models > 0), LOCUM_ARG, "locum_validate needs a model");
    if (call->models) {
        const locum_validated_model *head = &call->models[locum_models_head(call)];
        own.model = head->model;
        own.model_path = head->path;
        own.curve_folder = head->curve_folder;
    }
    return locum_fields_are_predicted(own.model) ? locum_fields_validate(&own, headline, headline_size)
                                                 : validate_values(&own, headline, headline_size);
}
