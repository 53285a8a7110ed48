/* SPDX-License-Identifier: BSD-3-Clause */
/* roll.c - a surrogate over all leads of a trajectory, with interval and flag, and its time.
 *
 *     step   locum_roll over L leads     map   one locum_eval
 * A roll-out that blows up is stopped by the runtime; the leads that it does not reach count with an error of 100 %
 * (a zero field), and the sample is named as stopped. Coverage is simultaneous: a sample counts as covered if every
 * value of every output at every calibrated lead lies inside. Time is processor time of the whole roll-out, as for the
 * solver, interval and flag included; batch 1, and the best of a few batches. */
#include "surrogate/validate/fields/fields.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --- the roller ------------------------------------------------------------------------------- */

void locum_roller_free(locum_roller *r)
{
    free(r->memory);
    free(r->inputs);
    free(r->outputs);
    free(r->lower);
    free(r->upper);
    free(r->packed);
    free(r->frame);
    free(r->low);
    free(r->high);
    *r = (locum_roller){0};
}

static locum_status roller_memory(locum_roller *r, int64_t in_extent)
{
    const locum_fields *f = r->fields;
    size_t bytes = locum_model_workspace(r->model->model, r->rows);

    LOCUM_REQUIRE(bytes, LOCUM_MEMORY, "the model cannot be laid out for %lld rows: %s", (long long)r->rows,
                  locum_status_message());
    LOCUM_TRY(locum_alloc(&r->memory, (int64_t)bytes, 1));
    LOCUM_TRY(locum_model_prepare(r->model->model, r->rows, r->memory, bytes, &r->context));
    LOCUM_TRY(LOCUM_NEW(&r->inputs, r->model->n_inputs));
    LOCUM_TRY(LOCUM_NEW(&r->outputs, f->n_outputs));
    LOCUM_TRY(LOCUM_NEW(&r->lower, f->n_outputs));
    LOCUM_TRY(LOCUM_NEW(&r->upper, f->n_outputs));
    LOCUM_TRY(LOCUM_NEW(&r->packed, r->rows * in_extent));
    LOCUM_TRY(LOCUM_NEW(&r->frame, r->rows * f->width));
    LOCUM_TRY(LOCUM_NEW(&r->low, r->rows * f->width));
    return LOCUM_NEW(&r->high, r->rows * f->width);
}

locum_status locum_roller_make(const locum_fields *f, const locum_field_model *model, int64_t rows, locum_roller *r)
{
    int64_t in_extent = 0, at = 0;

    *r = (locum_roller){.fields = f, .model = model, .rows = rows};
    for (int i = 0; i < model->n_inputs; i++) in_extent += locum_model_input(model->model, i)->extent;
    locum_status st = roller_memory(r, in_extent);
    if (st) {
        locum_roller_free(r);
        return st;
    }
    for (int i = 0; i < model->n_inputs; i++) {
        r->inputs[i] = (locum_buffer){r->packed + at, LOCUM_FLOAT64, in_extent, 1};
        at += locum_model_input(model->model, i)->extent;
    }
    for (int o = 0; o < f->n_outputs; o++) {
        r->outputs[o] = (locum_buffer){r->frame + f->output[o].first, LOCUM_FLOAT64, f->width, 1};
        r->lower[o] = (locum_buffer){r->low + f->output[o].first, LOCUM_FLOAT64, f->width, 1};
        r->upper[o] = (locum_buffer){r->high + f->output[o].first, LOCUM_FLOAT64, f->width, 1};
    }
    return LOCUM_OK;
}

/* one trajectory into row `row` of the packed inputs */
static void pack(locum_roller *r, int64_t row, const locum_trajectory *t)
{
    const locum_fields *f = r->fields;

    for (int i = 0; i < r->model->n_inputs; i++) {
        locum_field_source source = r->model->source[i];
        double *to = (double *)r->inputs[i].data + row * r->inputs[i].row_stride;
        if (source.value >= 0) {
            *to = t->values[source.value];
            continue;
        }
        const locum_field_array *a = f->step ? &f->output[source.field] : &f->input[source.field];
        for (int64_t h = 0; h < r->model->history; h++)
            memcpy(to + h * a->count, t->seen + (f->history - r->model->history + h) * f->in_width + a->first,
                   (size_t)a->count * sizeof *to);
    }
}

/* --- one trajectory --------------------------------------------------------------------------- */

typedef struct relay {
    locum_roller *roller;
    locum_rolled rolled;
    void *self;
    int lead; /**< frames handed on */
} relay;

static void join(const locum_fields *f, const float *const *parts, double *frame)
{
    for (int o = 0; o < f->n_outputs; o++)
        for (int64_t j = 0; j < f->output[o].count; j++) frame[f->output[o].first + j] = parts[o][j];
}

static locum_status hand_on(void *self, const locum_roll_frame *frame)
{
    relay *r = self;
    locum_roller *roller = r->roller;

    join(roller->fields, frame->values, roller->frame);
    if (frame->lower) {
        join(roller->fields, frame->lower, roller->low);
        join(roller->fields, frame->upper, roller->high);
    }
    r->lead++;
    return r->rolled(r->self, r->lead - 1, roller->frame, frame->lower ? roller->low : NULL,
                     frame->lower ? roller->high : NULL, frame->flag ? frame->flag[0] : 0);
}

static locum_status map_once(locum_roller *r, double coverage, int64_t rows, uint32_t *flag, double *p_value)
{
    locum_trust trust = {.coverage = coverage, .lower = r->lower, .upper = r->upper, .flag = flag, .p_value = p_value};

    return locum_eval(r->context, rows, r->inputs, r->outputs, coverage > 0 ? &trust : NULL);
}

static double coverage_of(const locum_roller *r)
{
    return locum_model_n_calibration(r->model->model) > 0 ? r->fields->config->coverage : 0;
}

locum_status locum_roller_run(locum_roller *r, const locum_trajectory *t, locum_rolled rolled, void *self, int *stopped)
{
    const locum_fields *f = r->fields;
    double coverage = coverage_of(r);
    relay to = {.roller = r, .rolled = rolled, .self = self};
    uint32_t flag = 0;

    *stopped = 0;
    pack(r, 0, t);
    if (!f->step) {
        LOCUM_TRY(map_once(r, coverage, 1, &flag, NULL));
        return rolled(self, 0, r->frame, coverage > 0 ? r->low : NULL, coverage > 0 ? r->high : NULL, flag);
    }
    locum_status st = locum_roll(r->context, 1, f->n_leads, r->inputs, coverage, hand_on, &to);
    if (st != LOCUM_NUMERIC) return st;
    locum_status_clear();
    *stopped = to.lead + 1 < f->n_leads ? to.lead + 1 : f->n_leads;
    return LOCUM_OK;
}

/* --- many ------------------------------------------------------------------------------------- */

locum_status locum_evaluation_make(const locum_fields *f, const locum_field_model *model, int64_t n,
                                   locum_evaluation *e)
{
    int64_t leads = f->step ? locum_model_leads(model->model) : 1;

    *e = (locum_evaluation){.n = n,
                            .calibrated = locum_model_n_calibration(model->model) > 0,
                            .leads = leads < f->n_leads ? (int)leads : f->n_leads};
    LOCUM_TRY(locum_scores_make(f, n, f->n_leads, &e->scores));
    LOCUM_TRY(LOCUM_NEW(&e->covered, n * f->n_leads + 1));
    LOCUM_TRY(LOCUM_NEW(&e->inside, n * f->n_leads + 1));
    LOCUM_TRY(LOCUM_NEW(&e->interval, n * f->n_leads * f->n_outputs + 1));
    LOCUM_TRY(LOCUM_NEW(&e->flag, n * f->n_leads + 1));
    return LOCUM_NEW(&e->stopped, n + 1);
}

void locum_evaluation_free(locum_evaluation *e)
{
    locum_scores_free(&e->scores);
    locum_field_errors_free(&e->errors);
    free(e->covered);
    free(e->inside);
    free(e->interval);
    free(e->flag);
    free(e->stopped);
    *e = (locum_evaluation){0};
}

typedef struct marker { /* what one roll-out fills in */
    const locum_fields *fields;
    const locum_trajectory *trajectory;
    locum_evaluation *evaluation;
    locum_physics *physics;
    int64_t i;
} marker;

static void mark_interval(const locum_fields *f, const double *truth, const double *lower, const double *upper,
                          locum_evaluation *e, int64_t at)
{
    int64_t inside = 0;

    for (int o = 0; o < f->n_outputs; o++) {
        double width = 0, size = 0;
        for (int64_t j = f->output[o].first; j < f->output[o].first + f->output[o].count; j++) {
            inside += truth[j] >= lower[j] && truth[j] <= upper[j];
            width += (upper[j] - lower[j]) * (upper[j] - lower[j]);
            size += truth[j] * truth[j];
        }
        e->interval[at * f->n_outputs + o] = isfinite(width) && size > 0 ? sqrt(width / size) : NAN;
    }
    e->covered[at] = inside == f->width;
    e->inside[at] = (double)inside / (double)f->width;
}

static locum_status mark(void *self, int lead, const double *value, const double *lower, const double *upper,
                         uint32_t flag)
{
    marker *m = self;
    const locum_fields *f = m->fields;
    const double *truth = m->trajectory->truth + lead * f->width;
    int64_t at = m->i * f->n_leads + lead;

    locum_scores_add(f, &m->evaluation->scores, m->i, lead, value, truth);
    if (lower) mark_interval(f, truth, lower, upper, m->evaluation, at);
    m->evaluation->flag[at] = flag;
    return m->physics ? locum_physics_add(f, m->physics, m->i, lead, value) : LOCUM_OK;
}

locum_status locum_evaluation_add(locum_roller *roller, const locum_trajectory *t, int64_t i, locum_evaluation *e,
                                  locum_physics *physics)
{
    const locum_fields *f = roller->fields;
    marker m = {f, t, e, physics, i};
    int stopped = 0;

    LOCUM_TRY(locum_roller_run(roller, t, mark, &m, &stopped));
    e->stopped[i] = stopped;
    for (int l = stopped ? stopped - 1 : f->n_leads; l < f->n_leads; l++) {
        locum_scores_add(f, &e->scores, i, l, NULL, t->truth + l * f->width);
        int64_t at = i * f->n_leads + l;
        e->flag[at] = LOCUM_FLAG_NOT_FINITE;
        e->covered[at] = e->inside[at] = 0;
        for (int o = 0; o < f->n_outputs; o++) e->interval[at * f->n_outputs + o] = NAN;
        if (physics) locum_physics_gap(f, physics, i, l);
    }
    return LOCUM_OK;
}

locum_status locum_evaluation_finish(const locum_fields *f, locum_evaluation *e)
{
    int64_t n = e->n * f->n_leads;

    locum_fields_share(f, n * f->n_outputs * LOCUM_SUMS, e->scores.sum);
    locum_fields_share(f, n, e->covered);
    locum_fields_share(f, n, e->inside);
    locum_fields_share(f, n * f->n_outputs, e->interval);
    locum_fields_share(f, n, e->flag);
    locum_fields_share(f, e->n, e->stopped);
    return locum_comm_agree(f->call->world, locum_field_errors_make(f, &e->scores, &e->errors));
}

static locum_status evaluate_mine(const locum_fields *f, const locum_field_model *model, locum_evaluation *e,
                                  locum_physics *physics)
{
    locum_roller roller = {0};
    locum_trajectory t = {0};

    locum_status st = locum_roller_make(f, model, 1, &roller);
    if (!st) st = locum_trajectory_make(f, &t);
    for (int64_t i = f->rank; i < f->n[LOCUM_TEST] && !st; i += f->size) {
        st = locum_trajectory_read(f, LOCUM_TEST, i, &t);
        if (!st) st = locum_evaluation_add(&roller, &t, i, e, physics);
    }
    locum_trajectory_free(&t);
    locum_roller_free(&roller);
    return st;
}

locum_status locum_evaluation_test(const locum_fields *f, const locum_field_model *model, locum_evaluation *e,
                                   locum_physics *physics)
{
    locum_status st = locum_evaluation_make(f, model, f->n[LOCUM_TEST], e);

    if (!st && physics) st = locum_physics_make(f, physics);
    if (!st) st = evaluate_mine(f, model, e, physics);
    LOCUM_TRY(locum_comm_agree(f->call->world, st));
    if (physics) locum_physics_share(f, physics);
    return locum_evaluation_finish(f, e);
}

bool locum_evaluation_covered(const locum_evaluation *e, int64_t i)
{
    int n_leads = e->scores.n_leads;

    for (int l = 0; l < e->leads; l++)
        if (e->covered[i * n_leads + l] != 1) return false;
    return true;
}

/* --- time ------------------------------------------------------------------------------------- */

static const double SECONDS_A_BATCH = 0.3;
enum { MOST_REPEATS = 101 };

static locum_status ignore(void *self, const locum_roll_frame *frame)
{
    (void)self, (void)frame;
    return LOCUM_OK;
}

/* a roll-out; one that blows up is timed as so many single steps */
static locum_status roll_once(locum_roller *r, int64_t rows, uint32_t *flag, double *p_value)
{
    int n_leads = r->fields->n_leads;
    locum_status st = LOCUM_OK;

    if (!r->fields->step) return map_once(r, coverage_of(r), rows, flag, p_value);
    st = locum_roll(r->context, rows, n_leads, r->inputs, coverage_of(r), ignore, NULL);
    if (st != LOCUM_NUMERIC) return st;
    locum_status_clear();
    for (int l = 0; l < n_leads; l++) LOCUM_TRY(map_once(r, coverage_of(r), rows, flag, p_value));
    return LOCUM_OK;
}

static locum_status time_batch(locum_roller *r, int64_t rows, double *seconds)
{
    double took[MOST_REPEATS], start = locum_clock(), *p_value = NULL;
    uint32_t *flag = NULL;
    int n = 0;

    locum_status st = LOCUM_NEW(&flag, rows);
    if (!st) st = LOCUM_NEW(&p_value, rows);
    if (!st) st = roll_once(r, rows, flag, p_value); /* warms up */
    while (!st && (n < 3 || (n < MOST_REPEATS && locum_clock() - start < SECONDS_A_BATCH))) {
        double begun = locum_work_clock();
        st = roll_once(r, rows, flag, p_value);
        took[n++] = (locum_work_clock() - begun) / (double)rows;
    }
    free(flag);
    free(p_value);
    if (!st) *seconds = locum_quantile_of(n, took, 0.5);
    return st;
}

static locum_status fill_rows(locum_roller *r, int64_t rows)
{
    locum_trajectory t = {0};

    locum_status st = locum_trajectory_make(r->fields, &t);
    for (int64_t k = 0; k < rows && !st; k++) {
        st = locum_trajectory_read(r->fields, LOCUM_TEST, k % r->fields->n[LOCUM_TEST], &t);
        if (!st) pack(r, k, &t);
    }
    locum_trajectory_free(&t);
    return st;
}

locum_status locum_roll_time(const locum_fields *f, const locum_field_model *model, locum_timing *timing)
{
    static const int64_t batches[] = {1, 4, 16};
    locum_status st = LOCUM_OK;

    *timing = (locum_timing){NAN, INFINITY, 0};
    for (int b = 0; b < 3 && !st; b++) {
        locum_roller r = {0};
        double seconds = INFINITY;
        st = locum_roller_make(f, model, batches[b], &r);
        if (!st) st = fill_rows(&r, batches[b]);
        if (!st) st = time_batch(&r, batches[b], &seconds);
        locum_roller_free(&r);
        if (st) break;
        if (batches[b] == 1) timing->one = seconds;
        if (seconds < timing->batched) timing->batched = seconds, timing->best_batch = batches[b];
        if (seconds * (double)batches[b] > SECONDS_A_BATCH) break; /* larger ones would take too long */
    }
    return st;
}
