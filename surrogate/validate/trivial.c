/* SPDX-License-Identifier: BSD-3-Clause */
/* trivial.c - what one would use without a network: the mean, a linear and a quadratic fit, the nearest
 * training sample.
 *
 *     z = standardised inputs (logarithms where the network takes them)     phi = [1], [1, z], [1, z, z_i z_j (i <= j)]
 *     (phi^T phi + ridge) c = phi^T seen(y)                                       prediction = back(phi c)
 * Fits are made in the transformed outputs too (logarithms of positive ones), which makes them stronger than
 * fits of plain values where the errors are relative. Normal equations by Cholesky: the columns are
 * standardised, so that round-off is no matter; the ridge of 1e-12 only decides where there are fewer samples
 * than terms. */
#include "surrogate/validate/validate_parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define RIDGE 1e-12

static const char *const names[LOCUM_TRIVIALS] = {"mean", "linear", "quadratic", "nearest"};

const char *locum_trivial_name(locum_trivial kind)
{
    return names[kind];
}

/* --- standardised inputs ---------------------------------------------------------------------- */

typedef struct scaled {
    int d;
    double *mean, *rate; /**< [d] */
    double *row;         /**< [d] scratch */
    double *z;           /**< [n, d] of the fitted rows */
} scaled;

static void scaled_row(const scaled *s, const locum_transforms *transforms, const double *x, double *z)
{
    locum_transform_inputs(transforms, x, z);
    for (int i = 0; i < s->d; i++) z[i] = (z[i] - s->mean[i]) * s->rate[i];
}

static void scaled_free(scaled *s)
{
    free(s->mean);
    free(s->rate);
    free(s->row);
    free(s->z);
}

static locum_status scaled_make(scaled *s, const locum_transforms *transforms, int64_t n, const double *x)
{
    s->d = transforms->n_inputs;
    LOCUM_TRY(LOCUM_NEW(&s->mean, s->d));
    LOCUM_TRY(LOCUM_NEW(&s->rate, s->d));
    LOCUM_TRY(LOCUM_NEW(&s->row, s->d));
    LOCUM_TRY(LOCUM_NEW(&s->z, n * s->d));
    for (int64_t k = 0; k < n; k++) locum_transform_inputs(transforms, x + k * s->d, s->z + k * s->d);
    for (int i = 0; i < s->d; i++) {
        double square = 0;
        for (int64_t k = 0; k < n; k++) s->mean[i] += s->z[k * s->d + i] / (double)n;
        for (int64_t k = 0; k < n; k++) square += pow(s->z[k * s->d + i] - s->mean[i], 2) / (double)n;
        s->rate[i] = square > 0 ? 1 / sqrt(square) : 1;
    }
    for (int64_t k = 0; k < n; k++) scaled_row(s, transforms, x + k * s->d, s->z + k * s->d);
    return LOCUM_OK;
}

/* --- nearest ---------------------------------------------------------------------------------- */

locum_status locum_nearest_distance(const locum_transforms *transforms, int64_t n, const double *x, int64_t m,
                                    const double *x_new, double *distance, int64_t *nearest)
{
    scaled s = {0};

    locum_status st = scaled_make(&s, transforms, n, x);
    for (int64_t k = 0; k < m && !st; k++) {
        double best = INFINITY;
        int64_t at = 0;
        scaled_row(&s, transforms, x_new + k * s.d, s.row);
        for (int64_t i = 0; i < n; i++) {
            double square = 0;
            for (int j = 0; j < s.d; j++) square += pow(s.z[i * s.d + j] - s.row[j], 2);
            if (square < best) best = square, at = i;
        }
        distance[k] = sqrt(best);
        if (nearest) nearest[k] = at;
    }
    scaled_free(&s);
    return st;
}

static locum_status predict_nearest(const locum_transforms *transforms, int64_t width, int64_t n, const double *x,
                                    const double *y, int64_t m, const double *x_new, double *out)
{
    double *distance = NULL;
    int64_t *nearest = NULL;
    locum_status st = LOCUM_NEW(&distance, m);

    if (!st) st = LOCUM_NEW(&nearest, m);
    if (!st) st = locum_nearest_distance(transforms, n, x, m, x_new, distance, nearest);
    for (int64_t k = 0; k < m && !st; k++) memcpy(out + k * width, y + nearest[k] * width, (size_t)width * sizeof *out);
    free(distance);
    free(nearest);
    return st;
}

/* --- least squares ---------------------------------------------------------------------------- */

static int count_terms(locum_trivial kind, int d)
{
    if (kind == LOCUM_TRIVIAL_MEAN) return 1;
    return kind == LOCUM_TRIVIAL_LINEAR ? 1 + d : 1 + d + d * (d + 1) / 2;
}

static void fill_terms(locum_trivial kind, int d, const double *z, double *phi)
{
    int at = 0;

    phi[at++] = 1;
    for (int i = 0; i < d && kind != LOCUM_TRIVIAL_MEAN; i++) phi[at++] = z[i];
    for (int i = 0; i < d && kind == LOCUM_TRIVIAL_QUADRATIC; i++)
        for (int j = i; j < d; j++) phi[at++] = z[i] * z[j];
}

/* a [t, t] becomes its lower Cholesky factor */
static locum_status factorise(int t, double *a)
{
    for (int i = 0; i < t; i++)
        for (int j = 0; j <= i; j++) {
            double sum = a[i * t + j];
            for (int k = 0; k < j; k++) sum -= a[i * t + k] * a[j * t + k];
            if (i != j)
                a[i * t + j] = sum / a[j * t + j];
            else if (sum > 0)
                a[i * t + i] = sqrt(sum);
            else
                return LOCUM_FAIL(LOCUM_NUMERIC, "least squares: the fit has no solution");
        }
    return LOCUM_OK;
}

/* c [t, width] from L L^T c = b, in place */
static void solve(int t, const double *l, int64_t width, double *b)
{
    for (int i = 0; i < t; i++) {
        for (int k = 0; k < i; k++)
            for (int64_t j = 0; j < width; j++) b[i * width + j] -= l[i * t + k] * b[k * width + j];
        for (int64_t j = 0; j < width; j++) b[i * width + j] /= l[i * t + i];
    }
    for (int i = t - 1; i >= 0; i--) {
        for (int k = i + 1; k < t; k++)
            for (int64_t j = 0; j < width; j++) b[i * width + j] -= l[k * t + i] * b[k * width + j];
        for (int64_t j = 0; j < width; j++) b[i * width + j] /= l[i * t + i];
    }
}

typedef struct fit {
    int t;
    double *a, *c, *phi, *seen; /**< [t, t], [t, width], [t], [width] */
} fit;

static void accumulate(fit *f, int64_t width)
{
    for (int i = 0; i < f->t; i++) {
        for (int j = 0; j < f->t; j++) f->a[i * f->t + j] += f->phi[i] * f->phi[j];
        for (int64_t j = 0; j < width; j++) f->c[i * width + j] += f->phi[i] * f->seen[j];
    }
}

static locum_status predict_fit(locum_trivial kind, const locum_transforms *transforms, const int64_t *first, int64_t n,
                                const double *x, const double *y, int64_t m, const double *x_new, double *out)
{
    int64_t width = first[transforms->n_outputs];
    scaled s = {0};
    fit f = {.t = count_terms(kind, transforms->n_inputs)};

    locum_status st = scaled_make(&s, transforms, n, x);
    if (!st) st = LOCUM_NEW(&f.a, (int64_t)f.t * f.t);
    if (!st) st = LOCUM_NEW(&f.c, f.t * width);
    if (!st) st = LOCUM_NEW(&f.phi, f.t);
    if (!st) st = LOCUM_NEW(&f.seen, width);
    for (int64_t k = 0; k < n && !st; k++) {
        fill_terms(kind, s.d, s.z + k * s.d, f.phi);
        locum_transform_outputs(transforms, first, y + k * width, f.seen);
        accumulate(&f, width);
    }
    for (int i = 0; i < f.t && !st; i++) f.a[i * f.t + i] += RIDGE * (double)n;
    if (!st) st = factorise(f.t, f.a);
    if (!st) solve(f.t, f.a, width, f.c);
    for (int64_t k = 0; k < m && !st; k++) {
        scaled_row(&s, transforms, x_new + k * s.d, s.row);
        fill_terms(kind, s.d, s.row, f.phi);
        memset(f.seen, 0, (size_t)width * sizeof *f.seen);
        for (int i = 0; i < f.t; i++)
            for (int64_t j = 0; j < width; j++) f.seen[j] += f.phi[i] * f.c[i * width + j];
        locum_transform_back(transforms, first, f.seen, out + k * width);
    }
    free(f.a);
    free(f.c);
    free(f.phi);
    free(f.seen);
    scaled_free(&s);
    return st;
}

locum_status locum_trivial_predict(locum_trivial kind, const locum_transforms *transforms, const int64_t *first,
                                   int64_t n, const double *x, const double *y, int64_t m, const double *x_new,
                                   double *out)
{
    LOCUM_REQUIRE(n > 0, LOCUM_STUDY, "trivial predictors: the training split has no sample");
    if (kind == LOCUM_TRIVIAL_NEAREST)
        return predict_nearest(transforms, first[transforms->n_outputs], n, x, y, m, x_new, out);
    return predict_fit(kind, transforms, first, n, x, y, m, x_new, out);
}
