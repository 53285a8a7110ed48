/* SPDX-License-Identifier: BSD-3-Clause */
/* physics.c - what a relative error does not tell: spectra and budgets of single fields.
 *
 *     spectrum   mean square of the modes by shells of unit width, in waves across the longest side of the box; the shells
 *                and the mean add up to the mean square. Periodic planes only.
 *     budgets    mean; mean square / 2; mean square of the gradient / 2 (central differences, periodic or one-sided at
 *                sides); energy of the flow of a vorticity, sum |w_k|^2 / (2 k^2); rms divergence over rms gradient
 * The transform is a separable sum over a table of roots, n^3 operations a field: it looks at a few fields, and this
 * folder links no FFT. */
#include "surrogate/validate/fields/fields.h"

#include <complex.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "solvers/numerics/analysis/spectrum.h"

static const double two_pi = 6.283185307179586477;

const char *locum_budget_name(int budget, const char *array, int components)
{
    bool vorticity = !strcmp(array, "vorticity") && components == 1, velocity = !strcmp(array, "velocity");
    switch (budget) {
    case LOCUM_BUDGET_MEAN: return "mean";
    case LOCUM_BUDGET_SQUARE: return vorticity ? "enstrophy" : velocity ? "energy" : "half the mean square";
    case LOCUM_BUDGET_GRADIENT: return vorticity ? "palinstrophy" : "half the mean square of the gradient";
    case LOCUM_BUDGET_ENERGY: return "energy of the flow";
    default: return "divergence over gradient";
    }
}

/* --- spectra ---------------------------------------------------------------------------------- */

static locum_status make_roots(int64_t n, double complex **roots)
{
    LOCUM_TRY(LOCUM_NEW(roots, n));
    for (int64_t i = 0; i < n; i++)
        (*roots)[i] = cos(two_pi * (double)i / (double)n) - I * sin(two_pi * (double)i / (double)n);
    return LOCUM_OK;
}

/* modes [n0, n1 / 2 + 1] of component c, over the number of points */
static void transform(const int64_t n[2], int components, int c, const double *values, const double complex *r0,
                      const double complex *r1, double complex *rows, double complex *modes)
{
    int64_t half = n[1] / 2 + 1;

    for (int64_t i = 0; i < n[0]; i++)
        for (int64_t k = 0; k < half; k++) {
            double complex sum = 0;
            for (int64_t j = 0, at = 0; j < n[1]; j++, at = at + k < n[1] ? at + k : at + k - n[1])
                sum += values[(i * n[1] + j) * components + c] * r1[at];
            rows[i * half + k] = sum / (double)(n[0] * n[1]);
        }
    memset(modes, 0, (size_t)(n[0] * half) * sizeof *modes);
    for (int64_t m = 0; m < n[0]; m++)
        for (int64_t i = 0, at = 0; i < n[0]; i++, at = at + m < n[0] ? at + m : at + m - n[0]) {
            const double real = creal(r0[at]), imaginary = cimag(r0[at]);
            for (int64_t k = 0; k < half; k++) {
                double complex v = rows[i * half + k];
                modes[m * half + k] +=
                    (creal(v) * real - cimag(v) * imaginary) + I * (creal(v) * imaginary + cimag(v) * real);
            }
        }
}

typedef struct spectral {
    double complex *r0, *r1, *rows, *modes;
} spectral;

static void spectral_free(spectral *s)
{
    free(s->r0);
    free(s->r1);
    free(s->rows);
    free(s->modes);
}

static locum_status spectral_make(const int64_t n[2], spectral *s)
{
    *s = (spectral){0};
    locum_status st = make_roots(n[0], &s->r0);
    if (!st) st = make_roots(n[1], &s->r1);
    if (!st) st = LOCUM_NEW(&s->rows, n[0] * (n[1] / 2 + 1));
    if (!st) st = LOCUM_NEW(&s->modes, n[0] * (n[1] / 2 + 1));
    return st;
}

/* |mode|^2 of both signs of ky */
static double power(const int64_t n[2], const spectral *s, int64_t m, int64_t k)
{
    double complex v = s->modes[m * (n[1] / 2 + 1) + k];
    double weight = k == 0 || 2 * k == n[1] ? 1 : 2;

    return weight * (creal(v) * creal(v) + cimag(v) * cimag(v));
}

static int64_t wave(int64_t n, int64_t m)
{
    return 2 * m > n ? m - n : m;
}

/* out [shells] (may be NULL) += spectrum; *energy (may be NULL) += sum of |w|^2 / (2 k^2) */
static locum_status analyse(const int64_t n[2], const double box[2], int components, const double *values,
                            int64_t shells, double *out, double *energy)
{
    spectral s;

    locum_status st = spectral_make(n, &s);
    for (int c = 0; c < components && !st; c++) {
        transform(n, components, c, values, s.r0, s.r1, s.rows, s.modes);
        for (int64_t m = 0; m < n[0]; m++)
            for (int64_t k = 0; k <= n[1] / 2; k++) {
                double p = power(n, &s, m, k), kx = two_pi * (double)wave(n[0], m) / box[0],
                       ky = two_pi * (double)k / box[1];
                int64_t shell = out ? locum_spectrum_shell(box, shells, wave(n[0], m), k) : -1;
                if (shell >= 0 && shell < shells) out[shell] += p;
                if (energy && (m || k)) *energy += p / (2 * (kx * kx + ky * ky));
            }
    }
    spectral_free(&s);
    return st;
}

locum_status locum_field_spectrum(const int64_t n[2], const double box[2], int components, const double *values,
                                  int64_t shells, double *out)
{
    memset(out, 0, (size_t)shells * sizeof *out);
    return analyse(n, box, components, values, shells, out, NULL);
}

/* --- budgets ---------------------------------------------------------------------------------- */

/* derivative along axis d of component c at point (i, j): central, one-sided at a side that is not periodic */
static double slope(const locum_fields *f, const double *v, int components, int c, int d, const int64_t at[3])
{
    int64_t stride[3] = {1, 1, 1}, here = 0, n = f->grid[d], up, down;

    for (int a = f->n_axes - 2; a >= 0; a--) stride[a] = stride[a + 1] * f->grid[a + 1];
    for (int a = 0; a < f->n_axes; a++) here += at[a] * stride[a];
    up = at[d] + 1 < n ? 1 : f->periodic ? 1 - n : 0;
    down = at[d] > 0 ? -1 : f->periodic ? n - 1 : 0;
    double step = (f->domain->upper[d] - f->domain->lower[d]) / (double)n * ((up != 0) + (down != 0));
    return step > 0
               ? (v[(here + up * stride[d]) * components + c] - v[(here + down * stride[d]) * components + c]) / step
               : 0;
}

static void measure_slopes(const locum_fields *f, const double *v, int components, double *gradient, double *divergence)
{
    *gradient = *divergence = 0;
    int64_t at[3] = {0, 0, 0};
    for (int64_t i = 0; i < f->points; i++) {
        double sum = 0;
        for (int c = 0; c < components; c++)
            for (int d = 0; d < f->n_axes; d++) {
                double g = slope(f, v, components, c, d, at);
                *gradient += g * g;
                if (c == d) sum += g;
            }
        *divergence += sum * sum;
        for (int d = f->n_axes - 1; d >= 0 && ++at[d] == f->grid[d]; d--) at[d] = 0;
    }
    *gradient /= (double)f->points;
    *divergence /= (double)f->points;
}

static locum_status measure_budget(const locum_fields *f, const locum_field_array *a, const double *v, bool flow,
                                   double *budget)
{
    double mean = 0, square = 0, gradient, divergence, energy = 0;
    const double box[2] = {f->domain->upper[0] - f->domain->lower[0], f->domain->upper[1] - f->domain->lower[1]};

    for (int64_t i = 0; i < a->count; i++) {
        mean += v[i];
        square += v[i] * v[i];
    }
    measure_slopes(f, v, a->components, &gradient, &divergence);
    budget[LOCUM_BUDGET_MEAN] = mean / (double)a->count;
    budget[LOCUM_BUDGET_SQUARE] = square / (double)f->points / 2;
    budget[LOCUM_BUDGET_GRADIENT] = gradient / 2;
    budget[LOCUM_BUDGET_DIVERGENCE] =
        a->components == f->n_axes && a->components > 1 && gradient > 0 ? sqrt(divergence / gradient) : NAN;
    budget[LOCUM_BUDGET_ENERGY] = NAN;
    if (!flow) return LOCUM_OK;
    LOCUM_TRY(analyse(f->grid, box, 1, v, 0, NULL, &energy));
    budget[LOCUM_BUDGET_ENERGY] = energy;
    return LOCUM_OK;
}

/* --- collecting ------------------------------------------------------------------------------- */

locum_status locum_physics_make(const locum_fields *f, locum_physics *p)
{
    *p = (locum_physics){.n = f->n[LOCUM_TEST] < LOCUM_PHYSICS_SAMPLES ? f->n[LOCUM_TEST] : LOCUM_PHYSICS_SAMPLES};
    p->n_spectra = f->n_leads < LOCUM_PHYSICS_LEADS ? f->n_leads : LOCUM_PHYSICS_LEADS;
    for (int k = 0; k < p->n_spectra; k++)
        p->lead[k] = p->n_spectra > 1 ? (int)lround((double)k * (f->n_leads - 1) / (p->n_spectra - 1)) : f->n_leads - 1;
    if (f->n_axes == 2 && f->periodic) {
        const double box[2] = {f->domain->upper[0] - f->domain->lower[0], f->domain->upper[1] - f->domain->lower[1]};
        const int64_t k_max[2] = {f->grid[0] / 2, f->grid[1] / 2};
        p->shells = locum_spectrum_shells(box, k_max);
    }
    LOCUM_TRY(LOCUM_NEW(&p->budget, p->n * f->n_leads * f->n_outputs * LOCUM_BUDGETS));
    return LOCUM_NEW(&p->spectrum, p->n * p->n_spectra * f->n_outputs * p->shells + 1);
}

void locum_physics_free(locum_physics *p)
{
    free(p->budget);
    free(p->spectrum);
    *p = (locum_physics){0};
}

int64_t locum_physics_sample(const locum_fields *f, const locum_physics *p, int64_t k)
{
    return k * f->n[LOCUM_TEST] / p->n;
}

/* flows of a vorticity at every lead are looked at only where that is cheap */
enum { CHEAP_POINTS = 128 * 128 };

static int64_t place_of(const locum_fields *f, const locum_physics *p, int64_t i)
{
    int64_t k = 0;

    while (k < p->n && locum_physics_sample(f, p, k) != i) k++;
    return k < p->n ? k : -1;
}

void locum_physics_gap(const locum_fields *f, locum_physics *p, int64_t i, int lead)
{
    int64_t k = place_of(f, p, i);

    for (int64_t j = 0; k >= 0 && j < f->n_outputs * LOCUM_BUDGETS; j++)
        p->budget[(k * f->n_leads + lead) * f->n_outputs * LOCUM_BUDGETS + j] = NAN;
    for (int s = 0; s < p->n_spectra && k >= 0; s++)
        for (int64_t j = 0; p->lead[s] == lead && j < f->n_outputs * p->shells; j++)
            p->spectrum[(k * p->n_spectra + s) * f->n_outputs * p->shells + j] = NAN;
}

void locum_physics_share(const locum_fields *f, locum_physics *p)
{
    locum_fields_share(f, p->n * f->n_leads * f->n_outputs * LOCUM_BUDGETS, p->budget);
    locum_fields_share(f, p->n * p->n_spectra * f->n_outputs * p->shells, p->spectrum);
}

locum_status locum_physics_truth(const locum_fields *f, locum_physics *p)
{
    locum_trajectory t = {0};

    locum_status st = locum_physics_make(f, p);
    if (!st) st = locum_trajectory_make(f, &t);
    for (int64_t k = f->rank; k < p->n && !st; k += f->size) {
        int64_t i = locum_physics_sample(f, p, k);
        st = locum_trajectory_read(f, LOCUM_TEST, i, &t);
        for (int l = 0; l < f->n_leads && !st; l++) st = locum_physics_add(f, p, i, l, t.truth + l * f->width);
    }
    locum_trajectory_free(&t);
    LOCUM_TRY(locum_comm_agree(f->call->world, st));
    locum_physics_share(f, p);
    return LOCUM_OK;
}

locum_status locum_physics_add(const locum_fields *f, locum_physics *p, int64_t i, int lead, const double *frame)
{
    const double box[2] = {f->domain->upper[0] - f->domain->lower[0], f->domain->upper[1] - f->domain->lower[1]};
    int64_t k = place_of(f, p, i);

    if (k < 0) return LOCUM_OK;
    for (int o = 0; o < f->n_outputs; o++) {
        const locum_field_array *a = &f->output[o];
        bool flow = p->shells > 0 && a->components == 1 && !strcmp(a->name, "vorticity") && f->points <= CHEAP_POINTS;
        LOCUM_TRY(measure_budget(f, a, frame + a->first, flow,
                                 p->budget + ((k * f->n_leads + lead) * f->n_outputs + o) * LOCUM_BUDGETS));
        for (int s = 0; s < p->n_spectra && p->shells > 0; s++)
            if (p->lead[s] == lead)
                LOCUM_TRY(locum_field_spectrum(f->grid, box, a->components, frame + a->first, p->shells,
                                               p->spectrum + ((k * p->n_spectra + s) * f->n_outputs + o) * p->shells));
    }
    return LOCUM_OK;
}
