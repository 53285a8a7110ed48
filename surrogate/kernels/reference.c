/* SPDX-License-Identifier: BSD-3-Clause */
/* reference.c - the kernels as plain loops in double, rounded to float once, when a result is stored: the definition of
 * each kernel and the oracle of its tests. A packed b is b itself, [k, n]. A tile program is run element by element
 * with double registers; its column sums wait in scratch as doubles (more columns than fit there are taken in turns).
 */
#include <math.h>
#include <string.h>

#include "surrogate/kernels/convolution.h"
#include "surrogate/kernels/reference.h"

static double sigmoid(double x)
{
    return 1.0 / (1.0 + exp(-x));
}
static double softplus(double x)
{
    return x > 0.0 ? x + log1p(exp(-x)) : log1p(exp(x));
}

double locum_reference_activated(locum_activation activation, double x)
{
    switch (activation) {
    case LOCUM_ACT_TANH: return tanh(x);
    case LOCUM_ACT_RELU: return x < 0.0 ? 0.0 : x;
    case LOCUM_ACT_SIGMOID: return sigmoid(x);
    case LOCUM_ACT_SILU: return x * sigmoid(x);
    case LOCUM_ACT_GELU: return 0.5 * x * (1.0 + erf(x * 0.70710678118654752440));
    default: return x;
    }
}

static size_t packed_count(int64_t k, int64_t n)
{
    return (size_t)(k * n);
}

static void pack(int64_t k, int64_t n, const float *b, int64_t k_stride, int64_t n_stride, float *packed)
{
    for (int64_t p = 0; p < k; p++)
        for (int64_t j = 0; j < n; j++) packed[p * n + j] = b[p * k_stride + j * n_stride];
}

static void product(const locum_product_call *call)
{
    for (int64_t r = 0; r < call->rows; r++) {
        const float *a = call->a_rows ? call->a_rows[r] : call->a + r * call->a_stride;
        float *c = call->c + r * call->c_stride;
        for (int64_t j = 0; j < call->n; j++) {
            double sum = (call->bias ? (double)call->bias[j] : 0.0) + (call->accumulate ? (double)c[j] : 0.0);
            for (int64_t p = 0; p < call->k; p++) sum += (double)a[p] * (double)call->packed[p * call->n + j];
            c[j] = (float)locum_reference_activated(call->activation, sum);
        }
    }
}

static size_t convolution_count(const locum_convolution_shape *s, int input)
{
    (void)input;
    return (size_t)(s->taps[0] * s->taps[1] * s->taps[2] * s->channels * s->columns);
}

static void convolution_pack(const locum_convolution_shape *s, int input, const float *w, float *packed)
{
    memcpy(packed, w, convolution_count(s, input) * sizeof *w);
}

static void transform(const locum_transform_call *call)
{
    for (int64_t i = 0; i < call->m; i++)
        for (int64_t j = 0; j < call->t; j++) {
            float *y = &call->y[i * call->t + j];
            double sum = call->accumulate ? (double)*y : 0.0;
            for (int64_t p = 0; p < call->n; p++)
                sum += (double)call->f[i * call->n + p] * (double)call->x[p * call->t + j];
            *y = (float)locum_reference_activated(call->activation, sum);
        }
}

static void product_rows(int64_t rows, int64_t k, int64_t n, const float *a, int64_t a_stride, const float *c,
                         int64_t c_stride, float *w, int64_t w_stride, int accumulate)
{
    for (int64_t i = 0; i < k; i++)
        for (int64_t j = 0; j < n; j++) {
            double sum = accumulate ? (double)w[i * w_stride + j] : 0.0;
            for (int64_t r = 0; r < rows; r++) sum += (double)a[r * a_stride + i] * (double)c[r * c_stride + j];
            w[i * w_stride + j] = (float)sum;
        }
}

static double unary_value(int op, double x)
{
    switch (op) {
    case LOCUM_TILE_NEG: return -x;
    case LOCUM_TILE_EXP: return exp(x);
    case LOCUM_TILE_LOG: return log(x);
    case LOCUM_TILE_SQRT: return sqrt(x);
    case LOCUM_TILE_RECIPROCAL: return 1.0 / x;
    case LOCUM_TILE_SIN: return sin(x);
    case LOCUM_TILE_COS: return cos(x);
    case LOCUM_TILE_TANH: return tanh(x);
    case LOCUM_TILE_SIGMOID: return sigmoid(x);
    case LOCUM_TILE_SOFTPLUS: return softplus(x);
    case LOCUM_TILE_ERF: return erf(x);
    case LOCUM_TILE_NORMAL: return 0.5 * erfc(-x * 0.70710678118654752440);
    case LOCUM_TILE_ABS: return fabs(x);
    default: return x > 0.0 ? 1.0 : x < 0.0 ? -1.0 : x; /* LOCUM_TILE_SIGN */
    }
}

static void unary(locum_tile_op op, int64_t n, const float *x, float *y)
{
    for (int64_t i = 0; i < n; i++) y[i] = (float)unary_value((int)op, (double)x[i]);
}

static double step_value(const locum_tile_step *step, const double *reg)
{
    double a = reg[step->a], b = reg[step->b], c = reg[step->c];
    switch (step->op) {
    case LOCUM_TILE_CONST: return (double)step->imm0;
    case LOCUM_TILE_POWER: return pow(a, (double)step->imm0);
    case LOCUM_TILE_SCALE: return (double)step->imm0 * a + (double)step->imm1;
    case LOCUM_TILE_ADD: return a + b;
    case LOCUM_TILE_SUBTRACT: return a - b;
    case LOCUM_TILE_MULTIPLY: return a * b;
    case LOCUM_TILE_DIVIDE: return a / b;
    case LOCUM_TILE_MAXIMUM: return a > b ? a : b;
    case LOCUM_TILE_MINIMUM: return a < b ? a : b;
    case LOCUM_TILE_GREATER: return a > b ? 1.0 : 0.0;
    case LOCUM_TILE_SELECT: return a != 0.0 ? b : c;
    case LOCUM_TILE_MULTIPLY_ADD: return a * b + c;
    default: return unary_value(step->op, a);
    }
}

/* One element. row_sum and column_sum [sums]: the running sums that this element belongs to, in the order of the steps.
 */
static void run_element(const locum_tile_call *call, int64_t r, int64_t c, double *row_sum, double *column_sum,
                        int64_t sum_stride)
{
    double reg[LOCUM_TILE_REGISTERS] = {0};
    for (int i = 0; i < call->n_steps; i++) {
        const locum_tile_step *step = call->steps + i;
        float *at = NULL;
        if (step->op == LOCUM_TILE_LOAD || step->op == LOCUM_TILE_STORE) {
            const locum_tile_stream *s = call->streams + step->a;
            at = s->data + r * s->row_stride + c * s->column_stride;
        }
        if (step->op == LOCUM_TILE_LOAD) {
            reg[step->dst] = (double)*at;
        } else if (step->op == LOCUM_TILE_STORE) {
            *at = (float)reg[step->b];
        } else if (step->op == LOCUM_TILE_SUM_ROWS) {
            *row_sum++ += reg[step->b];
        } else if (step->op == LOCUM_TILE_SUM_COLUMNS) {
            *column_sum += reg[step->b];
            column_sum += sum_stride;
        } else {
            reg[step->dst] = step_value(step, reg);
        }
    }
}

#define ROW_SUMS 64

static void run_columns(const locum_tile_call *call, int64_t first, int64_t end, double *column_sums)
{
    for (int64_t r = 0; r < call->rows; r++) {
        double row_sums[ROW_SUMS] = {0}, *sum = row_sums;
        for (int64_t c = first; c < end; c++) run_element(call, r, c, row_sums, column_sums + (c - first), end - first);
        for (int i = 0; i < call->n_steps; i++) {
            if (call->steps[i].op != LOCUM_TILE_SUM_ROWS) continue;
            const locum_tile_stream *s = call->streams + call->steps[i].a;
            float *to = s->data + r * s->row_stride;
            *to = (float)((first > 0 ? (double)*to : 0.0) + *sum++);
        }
    }
    for (int i = 0; i < call->n_steps; i++) {
        if (call->steps[i].op != LOCUM_TILE_SUM_COLUMNS) continue;
        const locum_tile_stream *s = call->streams + call->steps[i].a;
        for (int64_t c = first; c < end; c++) s->data[c * s->column_stride] += (float)*column_sums++;
    }
}

static void tile(const locum_tile_call *call)
{
    int64_t sums = 0, room = LOCUM_TILE_REGISTERS * LOCUM_TILE_VALUES / 2, step = call->columns;
    double *column_sums = (double *)(void *)call->scratch;
    for (int i = 0; i < call->n_steps; i++) sums += call->steps[i].op == LOCUM_TILE_SUM_COLUMNS;
    if (sums > 0 && step > room / sums) step = room / sums;
    for (int64_t first = 0; first < call->columns; first += step) {
        int64_t end = first + step < call->columns ? first + step : call->columns;
        for (int64_t i = 0; i < sums * (end - first); i++) column_sums[i] = 0.0;
        run_columns(call, first, end, column_sums);
    }
}

static void adamw(const locum_adamw_call *call)
{
    for (int64_t i = 0; i < call->n; i++) {
        double beta1 = (double)call->beta1, beta2 = (double)call->beta2, p = (double)call->parameter[i];
        double g = (double)call->gradient[i] * (double)call->gradient_scale;
        double m = beta1 * (double)call->moment1[i] + (1.0 - beta1) * g;
        double v = beta2 * (double)call->moment2[i] + (1.0 - beta2) * g * g;
        double step = m * (double)call->correction1 / (sqrt(v * (double)call->correction2) + (double)call->epsilon);
        call->moment1[i] = (float)m;
        call->moment2[i] = (float)v;
        call->parameter[i] = (float)(p - (double)call->learning_rate * ((double)call->weight_decay * p + step));
    }
}

static double sum_squares(int64_t n, const float *x)
{
    double sum = 0.0;
    for (int64_t i = 0; i < n; i++) sum += (double)x[i] * (double)x[i];
    return sum;
}

static void add(int64_t n, const float *x, float *y)
{
    for (int64_t i = 0; i < n; i++) y[i] = (float)((double)x[i] + (double)y[i]);
}

static void copy_strided(int n_dims, const int64_t *n, const float *from, const int64_t *from_stride, float *to,
                         const int64_t *to_stride)
{
    if (n_dims == 0) {
        *to = *from;
        return;
    }
    for (int64_t i = 0; i < n[0]; i++)
        copy_strided(n_dims - 1, n + 1, from + i * from_stride[0], from_stride + 1, to + i * to_stride[0],
                     to_stride + 1);
}

const locum_kernels *locum_kernels_reference(void)
{
    static const locum_kernels table = {.name = "reference",
                                        .level = LOCUM_CPU_PORTABLE,
                                        .row_block = 1,
                                        .packed_count = packed_count,
                                        .pack = pack,
                                        .product = product,
                                        .product_rows = product_rows,
                                        .transform = transform,
                                        .convolution_count = convolution_count,
                                        .convolution_pack = convolution_pack,
                                        .convolution = locum_reference_convolution,
                                        .convolution_weight = locum_reference_convolution_weight,
                                        .tile = tile,
                                        .unary = unary,
                                        .adamw = adamw,
                                        .sum_squares = sum_squares,
                                        .add = add,
                                        .copy_strided = copy_strided};
    return &table;
}
