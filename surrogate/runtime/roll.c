/* SPDX-License-Identifier: BSD-3-Clause */
/* roll.c - a step model applied to its own predictions (locum_roll).
 *
 *     history 1     input <- A, output -> B;  then input <- B, output -> A;  ...        nothing is copied
 *     history h     window [rows, h frames] in the input's staging; each new frame is moved in at its end
 *
 * A, B are the staging of an output and of the input that it becomes; the first input is read where the host has it.
 * With intervals each step runs the interval graph with the quantile of its lead. A row that is no longer finite, or
 * further from the middle of the training range than 100 times the range (or the middle, if that is larger), ends the
 * roll-out. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "surrogate/runtime/context.h"

#define FAR 100 /* training ranges */

typedef struct roll {
    locum_context *c;
    int64_t rows;
    const locum_buffer *inputs;
    double coverage;                       /* 0 = values alone */
    float *out[LOCUM_CONTEXT_OUTPUTS_MAX]; /* where the next step writes, in the order of the graph */
    const float *value[LOCUM_PORTS_MAX], *lower[LOCUM_PORTS_MAX], *upper[LOCUM_PORTS_MAX];
} roll;

static float **value_slot(roll *r, int output)
{
    return &r->out[r->coverage > 0 ? LOCUM_KINDS * output : output];
}

static void aim(roll *r)
{
    const locum_model *m = r->c->model;
    if (r->coverage > 0)
        for (int i = 0; i < LOCUM_KINDS * m->n_outputs + LOCUM_MEASURES; i++) r->out[i] = r->c->output[i];
    for (int i = 0; i < m->n_outputs; i++) *value_slot(r, i) = r->c->output[LOCUM_KINDS * i];
}

static locum_status load(roll *r)
{
    const locum_model *m = r->c->model;
    bool any_bad = false;
    memset(r->c->bad, 0, (size_t)r->rows);
    memset(r->c->flag, 0, (size_t)r->rows * sizeof *r->c->flag);
    for (int i = 0; i < m->n_inputs; i++) any_bad |= locum_context_load(r->c, i, &r->inputs[i], r->rows, false);
    for (int i = 0; i < m->n_outputs && m->history > 1 && !any_bad; i++)
        locum_context_load(r->c, m->feeds[i], &r->inputs[m->feeds[i]], r->rows, true);
    for (int64_t row = 0; row < r->rows && any_bad; row++)
        LOCUM_REQUIRE(!r->c->bad[row], LOCUM_NUMERIC, "roll-out: the input of row %" PRId64 " is not finite", row);
    return LOCUM_OK;
}

/* --- has it blown up? ----------------------------------------------------------------------------------------------- */
void locum_port_limits(const locum_port *port, double *lower, double *upper)
{
    double range = port->upper - port->lower, middle = port->lower + 0.5 * range;
    double reach = isfinite(range) && isfinite(middle) ? FAR * fmax(range, fabs(middle)) : 0;
    *lower = reach > 0 ? middle - reach : -HUGE_VAL;
    *upper = reach > 0 ? middle + reach : HUGE_VAL;
}

/* NaN compares false with everything; infinities are outside even where the port has no range */
static bool is_tame(const locum_port *port, const float *values, int64_t n)
{
    double lower, upper;
    int wild = 0;
    locum_port_limits(port, &lower, &upper);
    const float least = (float)lower, most = (float)upper;
    for (int64_t i = 0; i < n; i++) wild |= !(values[i] >= least && values[i] <= most);
    return !wild && locum_all_finite(values, n);
}

static locum_status check_step(const roll *r, int64_t lead)
{
    const locum_model *m = r->c->model;
    for (int i = 0; i < m->n_outputs; i++) {
        const locum_port *port = &m->outputs[i];
        if (is_tame(port, r->value[i], r->rows * port->extent)) continue;
        for (int64_t row = 0; row < r->rows; row++)
            LOCUM_REQUIRE(is_tame(port, r->value[i] + row * port->extent, port->extent), LOCUM_NUMERIC,
                          "roll-out: row %" PRId64 " blows up at step %" PRId64 " (time %.6g): `%.80s` %s", row, lead,
                          (double)lead * m->interval, port->name,
                          locum_all_finite(r->value[i] + row * port->extent, port->extent)
                              ? "leaves 100 times its training range"
                              : "is not finite");
    }
    return LOCUM_OK;
}

/* --- one step ------------------------------------------------------------------------------------------------------- */
static void fill(float *values, int64_t n, float value)
{
    for (int64_t i = 0; i < n; i++) values[i] = value;
}

static void run_step(roll *r, int64_t lead)
{
    const locum_model *m = r->c->model;
    double q = r->coverage > 0 ? locum_trust_quantile_at(m, r->coverage, lead) : 0;
    float quantile = isfinite(q) ? (float)q : 0;
    locum_context_run(r->c, r->coverage > 0 ? LOCUM_ENTRY_INTERVAL : LOCUM_ENTRY_PREDICT, r->rows, &quantile, r->out);
    for (int i = 0; i < m->n_outputs; i++) {
        r->value[i] = *value_slot(r, i);
        r->lower[i] = r->c->output[LOCUM_KINDS * i + LOCUM_LOWER];
        r->upper[i] = r->c->output[LOCUM_KINDS * i + LOCUM_UPPER];
        if (isfinite(q)) continue;
        fill(r->c->output[LOCUM_KINDS * i + LOCUM_LOWER], r->rows * m->outputs[i].extent, -INFINITY);
        fill(r->c->output[LOCUM_KINDS * i + LOCUM_UPPER], r->rows * m->outputs[i].extent, INFINITY);
    }
    for (int64_t row = 0; row < r->rows && r->coverage > 0; row++)
        r->c->flag[row] |= locum_context_flag(r->c, r->inputs, row, NULL);
}

/* the frame just made becomes the latest that the next step sees */
static void feed(roll *r)
{
    const locum_model *m = r->c->model;
    for (int i = 0; i < m->n_outputs; i++) {
        int port = m->feeds[i];
        size_t n = (size_t)m->outputs[i].extent, past = (size_t)(m->history - 1) * n;
        if (m->history == 1) {
            float *next = r->value[i] == r->c->input[port] ? r->c->output[LOCUM_KINDS * i] : r->c->input[port];
            r->c->source[port] = r->value[i];
            *value_slot(r, i) = next;
            continue;
        }
        for (int64_t row = 0; row < r->rows; row++) {
            float *window = r->c->input[port] + (size_t)row * (past + n);
            memmove(window, window + n, past * sizeof *window);
            memcpy(window + past, r->value[i] + (size_t)row * n, n * sizeof *window);
        }
    }
}

locum_status locum_roll(locum_context *c, int64_t rows, int64_t steps, const locum_buffer *inputs, double coverage,
                        locum_status (*frame)(void *self, const locum_roll_frame *frame), void *self)
{
    LOCUM_TRY(locum_context_check(c, "locum_roll", rows, inputs));
    LOCUM_REQUIRE(c->model->is_step, LOCUM_ARG, "locum_roll: this model is a map: it has no next step");
    LOCUM_REQUIRE(steps >= 0, LOCUM_ARG, "locum_roll: %" PRId64 " steps", steps);
    LOCUM_REQUIRE(frame, LOCUM_ARG, "locum_roll: frame is NULL");
    if (coverage != 0) LOCUM_TRY(locum_context_check_coverage(c, "locum_roll", coverage));

    roll r = {.c = c, .rows = rows, .inputs = inputs, .coverage = coverage};
    bool trusted = coverage > 0;
    aim(&r);
    LOCUM_TRY(load(&r));
    for (int64_t lead = 1; lead <= steps; lead++) {
        run_step(&r, lead);
        LOCUM_TRY(check_step(&r, lead));
        locum_status st = frame(self, &(locum_roll_frame){.lead = lead,
                                                          .time = (double)lead * c->model->interval,
                                                          .values = r.value,
                                                          .lower = trusted ? r.lower : NULL,
                                                          .upper = trusted ? r.upper : NULL,
                                                          .flag = trusted ? c->flag : NULL});
        if (st) return st;
        feed(&r);
    }
    return LOCUM_OK;
}
