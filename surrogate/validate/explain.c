/* SPDX-License-Identifier: BSD-3-Clause */
/* explain.c - what was learnt: responses, sensitivities, and whether the surrogate knows where it is weak.
 *
 *     response      one input over its range, the others in the middle                              value, lower, upper
 *     sensitivity   d log |y| / d log x, central differences of 1 %, mean over the test samples
 *                   (x not positive: d log |y| / d (x / range))
 *     distance      to the nearest training sample, in standardised transformed inputs
 *     rejection     error of what is kept when the samples with the widest intervals relative to their values are
 *                   refused: with the scale of residuals fixed, the interval widens with the ensemble's spread alone
 *     budget        |injection - dissipation - 2 drag energy| / injection, where ports of these names are there */
#include "surrogate/validate/validate_parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define POINTS LOCUM_RESPONSE_POINTS
#define DIFFERENCE 0.01

static bool is_log(const locum_problem *p, int input)
{
    const locum_port *port = locum_model_input(p->model, input);

    return port->lower > 0 && (p->transforms.inputs[input].view == LOCUM_VIEW_LOG || port->upper > 4 * port->lower);
}

static double between(const locum_problem *p, int input, double u)
{
    const locum_port *port = locum_model_input(p->model, input);

    return is_log(p, input) ? port->lower * pow(port->upper / port->lower, u)
                            : port->lower + u * (port->upper - port->lower);
}

/* --- response --------------------------------------------------------------------------------- */

static locum_status respond(const locum_problem *p, locum_explained *e)
{
    double *x = NULL;

    LOCUM_TRY(LOCUM_NEW(&e->response_x, p->n_inputs * POINTS));
    LOCUM_TRY(LOCUM_NEW(&e->response, p->n_inputs));
    LOCUM_TRY(LOCUM_NEW(&e->centre, p->n_inputs));
    locum_status st = LOCUM_NEW(&x, POINTS * p->n_inputs);
    for (int i = 0; i < p->n_inputs; i++) e->centre[i] = between(p, i, 0.5);
    for (int i = 0; i < p->n_inputs && !st; i++) {
        for (int k = 0; k < POINTS; k++) {
            e->response_x[i * POINTS + k] = between(p, i, (double)k / (POINTS - 1));
            memcpy(x + k * p->n_inputs, e->centre, (size_t)p->n_inputs * sizeof *x);
            x[k * p->n_inputs + i] = e->response_x[i * POINTS + k];
        }
        st = locum_evaluate_trust(p, p->model, p->config->coverage, POINTS, x, &e->response[i]);
    }
    free(x);
    return st;
}

/* --- sensitivity ------------------------------------------------------------------------------ */

static double size_of(const locum_problem *p, const double *row, int output)
{
    double sum = 0;

    for (int64_t j = p->first[output]; j < p->first[output + 1]; j++) sum += row[j] * row[j];
    return sqrt(sum);
}

/* the two points of a difference in one input, and what the input's scale makes of their distance */
static void step_input(const locum_problem *p, int input, double x, double side[2], double *length)
{
    const locum_port *port = locum_model_input(p->model, input);
    double range = port->upper - port->lower;

    if (x > 0 && port->lower > 0) {
        side[0] = x * (1 - DIFFERENCE);
        side[1] = x * (1 + DIFFERENCE);
        *length = log(side[1] / side[0]);
    } else {
        side[0] = x - DIFFERENCE * range;
        side[1] = x + DIFFERENCE * range;
        *length = 2 * DIFFERENCE;
    }
}

static locum_status differentiate(const locum_problem *p, int input, double *x, locum_explained *e)
{
    int64_t n = p->n[LOCUM_TEST];
    locum_trusted rows = {0};
    double side[2], length;

    for (int64_t i = 0; i < n; i++) {
        step_input(p, input, p->x[LOCUM_TEST][i * p->n_inputs + input], side, &length);
        for (int k = 0; k < 2; k++) {
            double *row = x + (2 * i + k) * p->n_inputs;
            memcpy(row, p->x[LOCUM_TEST] + i * p->n_inputs, (size_t)p->n_inputs * sizeof *row);
            row[input] = side[k];
        }
    }
    LOCUM_TRY(locum_evaluate_trust(p, p->model, p->config->coverage, 2 * n, x, &rows));
    for (int64_t i = 0; i < n; i++) {
        step_input(p, input, p->x[LOCUM_TEST][i * p->n_inputs + input], side, &length);
        for (int j = 0; j < p->n_outputs; j++) {
            double low = size_of(p, rows.value + 2 * i * p->width, j),
                   high = size_of(p, rows.value + (2 * i + 1) * p->width, j);
            e->sensitivity[input * p->n_outputs + j] += log(high / low) / length / (double)n;
        }
    }
    locum_trusted_free(&rows);
    return LOCUM_OK;
}

static locum_status measure_sensitivity(const locum_problem *p, locum_explained *e)
{
    double *x = NULL;

    LOCUM_TRY(LOCUM_NEW(&e->sensitivity, p->n_inputs * p->n_outputs));
    locum_status st = LOCUM_NEW(&x, 2 * p->n[LOCUM_TEST] * p->n_inputs);
    for (int i = 0; i < p->n_inputs && !st; i++) st = differentiate(p, i, x, e);
    free(x);
    return st;
}

/* --- rejection -------------------------------------------------------------------------------- */

/* mean over the metric's outputs of |upper - lower| / |value| */
static double relative_width(const locum_problem *p, const locum_trusted *t, int64_t i)
{
    double sum = 0;

    for (int j = 0; j < p->n_outputs; j++) {
        double width = 0;
        if (!p->in_metric[j]) continue;
        for (int64_t k = p->first[j]; k < p->first[j + 1]; k++)
            width += pow(t->upper[i * p->width + k] - t->lower[i * p->width + k], 2);
        sum += sqrt(width) / size_of(p, t->value + i * p->width, j);
    }
    return sum;
}

static locum_status reject(const locum_problem *p, const locum_errors *errors, locum_explained *e)
{
    int64_t n = errors->n;
    locum_trusted half = {0};
    double *width = NULL, *sorted = NULL;

    if (locum_model_n_calibration(p->model) == 0) return LOCUM_OK;
    locum_status st = LOCUM_NEW(&width, n);
    if (!st) st = LOCUM_NEW(&sorted, n);
    if (!st) st = locum_evaluate_trust(p, p->model, 0.5, n, p->x[LOCUM_TEST], &half);
    for (int64_t i = 0; i < n && !st; i++) sorted[i] = width[i] = relative_width(p, &half, i);
    for (int f = 0; f <= 5 && !st; f++) {
        double most = locum_quantile_of(n, sorted, 1 - 0.1 * f), sum = 0;
        int64_t kept = 0;
        for (int64_t i = 0; i < n; i++)
            if (width[i] <= most) sum += errors->sample[i], kept++;
        e->fraction[e->n_fractions] = 1 - (double)kept / (double)n;
        e->kept_error[e->n_fractions++] = sum / (double)kept;
    }
    locum_trusted_free(&half);
    free(width);
    free(sorted);
    return st;
}

/* --- budget ----------------------------------------------------------------------------------- */

static int find_port(const locum_problem *p, bool input, const char *name)
{
    int n = input ? p->n_inputs : p->n_outputs;

    for (int i = 0; i < n; i++) {
        const locum_port *port = input ? locum_model_input(p->model, i) : locum_model_output(p->model, i);
        if (!strcmp(port->name, name) && port->extent == 1) return i;
    }
    return -1;
}

static void close_budget(const locum_problem *p, const double *value, locum_explained *e)
{
    int injection = find_port(p, false, "injection"), dissipation = find_port(p, false, "dissipation"),
        energy = find_port(p, false, "energy");
    int drag = find_port(p, true, "drag");
    const double *rows[2] = {value, p->y[LOCUM_TEST]};
    double mean[2] = {0, 0};

    if (injection < 0 || dissipation < 0 || energy < 0 || drag < 0) return;
    for (int64_t i = 0; i < p->n[LOCUM_TEST]; i++)
        for (int k = 0; k < 2; k++) {
            const double *row = rows[k] + i * p->width;
            double in = row[p->first[injection]], out = row[p->first[dissipation]];
            out += 2 * p->x[LOCUM_TEST][i * p->n_inputs + drag] * row[p->first[energy]];
            mean[k] += fabs(in - out) / fabs(in) / (double)p->n[LOCUM_TEST];
        }
    e->has_budget = true;
    e->budget_surrogate = mean[0];
    e->budget_labels = mean[1];
}

/* --- all -------------------------------------------------------------------------------------- */

locum_status locum_explain(const locum_problem *p, const locum_trusted *trusted, const locum_errors *errors,
                           locum_explained *explained)
{
    *explained = (locum_explained){0};
    LOCUM_TRY(respond(p, explained));
    LOCUM_TRY(measure_sensitivity(p, explained));
    LOCUM_TRY(LOCUM_NEW(&explained->distance, p->n[LOCUM_TEST]));
    LOCUM_TRY(locum_nearest_distance(&p->transforms, p->n[LOCUM_TRAIN], p->x[LOCUM_TRAIN], p->n[LOCUM_TEST],
                                     p->x[LOCUM_TEST], explained->distance, NULL));
    LOCUM_TRY(reject(p, errors, explained));
    close_budget(p, trusted->value, explained);
    return LOCUM_OK;
}

void locum_explained_free(const locum_problem *problem, locum_explained *explained)
{
    for (int i = 0; explained->response && problem && i < problem->n_inputs; i++)
        locum_trusted_free(&explained->response[i]);
    free(explained->response);
    free(explained->response_x);
    free(explained->centre);
    free(explained->sensitivity);
    free(explained->distance);
    *explained = (locum_explained){0};
}
