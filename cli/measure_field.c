/* SPDX-License-Identifier: BSD-3-Clause */
/* measure_field.c - derivatives and spectra of one frame.
 *
 * Derivatives are central differences, (u_i+1 - u_i-1) / (x_i+1 - x_i-1). The spectrum is that of solvers/numerics/analysis:
 * shells of unit width, E_s = 1/2 sum |u_k|^2 over the shell, without the mean. The transform is a mixed-radix one (J.
 * Cooley, J. Tukey, Math. Comp. 19, 297, 1965) for any length; a prime factor p costs p per value. */
#include <complex.h>
#include <math.h>
#include <stdlib.h>

#include "cli/measure.h"
#include "core/memory.h"
#include "solvers/numerics/analysis/spectrum.h"

#define TWO_PI 6.283185307179586477

/* --- derivatives ------------------------------------------------------------------------------------------------------- */
typedef struct grid {
    const locum_domain *domain;
    int components, n_axes;
    int64_t step[3]; /* values from point to point along each axis */
} grid;

/* du/dx_d of the value at `at`, whose index along d is i; false where there is no neighbour */
static bool derivative(const grid *g, const double *u, int64_t at, int d, int64_t i, double *out)
{
    const locum_domain *domain = g->domain;
    int64_t n = domain->n_global[d], next = i + 1, last = i - 1;
    bool periodic = domain->side[d][0] == LOCUM_PERIODIC;
    double length = domain->upper[d] - domain->lower[d], width;
    if (n < 3 || (!periodic && (i == 0 || i == n - 1))) return false;
    next -= next == n ? n : 0;
    last += last < 0 ? n : 0;
    width =
        domain->axis[d] ? domain->axis[d][next] - domain->axis[d][last] : 2 * length / (double)(periodic ? n : n - 1);
    if (width <= 0 && periodic) width += length;
    *out = (u[at + (next - i) * g->step[d]] - u[at + (last - i) * g->step[d]]) / width;
    return true;
}

/* derivatives [component][axis] at a point */
static bool derivatives(const grid *g, const double *u, int64_t point, const int64_t *index, double out[9][3])
{
    for (int c = 0; c < g->components; c++)
        for (int d = 0; d < g->n_axes; d++)
            if (!derivative(g, u, point * g->components + c, d, index[d], &out[c][d])) return false;
    return true;
}

void measure_gradients(const locum_domain *domain, int components, bool is_vector, const double *values,
                       measure_sums *sums)
{
    grid g = {.domain = domain, .components = components, .n_axes = domain->n_dims};
    int64_t points = 1, counted = 0, index[3] = {0};
    double du[9][3], gradient = 0, divergence = 0, rotation = 0;
    for (int d = g.n_axes - 1; d >= 0; d--) {
        g.step[d] = points * components;
        points *= domain->n_global[d];
    }
    for (int64_t p = 0; p < points && components <= 9; p++) {
        if (derivatives(&g, values, p, index, du)) {
            double trace = 0;
            counted++;
            for (int c = 0; c < components; c++)
                for (int d = 0; d < g.n_axes; d++) gradient += du[c][d] * du[c][d];
            for (int d = 0; is_vector && d < g.n_axes; d++) trace += du[d][d];
            divergence += trace * trace;
            for (int d = 0; is_vector && d < g.n_axes; d++)
                for (int e = 0; e < d; e++) rotation += (du[d][e] - du[e][d]) * (du[d][e] - du[e][d]);
        }
        for (int d = g.n_axes - 1; d >= 0 && ++index[d] == domain->n_global[d]; d--) index[d] = 0;
    }
    if (!counted) return;
    sums->gradient += gradient / (double)counted;
    sums->divergence += divergence / (double)counted;
    sums->rotation += rotation / (double)counted;
}

/* --- spectra ------------------------------------------------------------------------------------------------------------- */
/* in [n] with the stride -> out [n]; roots [all]: exp(-2 pi i k / all), all a multiple of n; work [n] */
static void transform(int64_t n, const double complex *in, int64_t stride, double complex *out, double complex *work,
                      const double complex *roots, int64_t all)
{
    int64_t p = 2;
    if (n == 1) {
        out[0] = in[0];
        return;
    }
    while (n % p && p * p < n) p++;
    if (n % p) p = n;
    int64_t m = n / p;
    for (int64_t r = 0; r < p; r++) transform(m, in + r * stride, stride * p, work + r * m, out + r * m, roots, all);
    for (int64_t k = 0; k < n; k++) {
        double complex sum = 0;
        for (int64_t r = 0; r < p; r++) sum += work[r * m + k % m] * roots[r * k % n * (all / n)];
        out[k] = sum;
    }
}

static void make_roots(int64_t n, double complex *roots)
{
    for (int64_t k = 0; k < n; k++) roots[k] = cexp(-TWO_PI * I * (double)k / (double)n);
}

/* z [nx, ny] -> its transform in place */
static locum_status transform_plane(int64_t nx, int64_t ny, double complex *z)
{
    int64_t most = nx > ny ? nx : ny;
    double complex *memory = NULL;
    LOCUM_TRY(LOCUM_NEW(&memory, 2 * most + nx + ny));
    double complex *line = memory, *work = line + most, *roots_x = work + most, *roots_y = roots_x + nx;
    make_roots(nx, roots_x);
    make_roots(ny, roots_y);
    for (int64_t i = 0; i < nx; i++) {
        transform(ny, z + i * ny, 1, line, work, roots_y, ny);
        for (int64_t j = 0; j < ny; j++) z[i * ny + j] = line[j];
    }
    for (int64_t j = 0; j < ny; j++) {
        transform(nx, z + j, ny, line, work, roots_x, nx);
        for (int64_t i = 0; i < nx; i++) z[i * ny + j] = line[i];
    }
    free(memory);
    return LOCUM_OK;
}

/* coordinates are often float32: a box of 2 by 1 must not become one of 2.0000001 by 1 and lose a shell */
void measure_box(const locum_domain *domain, double box[2])
{
    for (int d = 0; d < 2; d++) box[d] = domain->upper[d] - domain->lower[d];
    double longest = fmax(box[0], box[1]);
    for (int d = 0; d < 2; d++) {
        double ratio = longest / box[d], simple = round(ratio * 64) / 64;
        if (fabs(ratio - simple) < 1e-5 * ratio) box[d] = longest / simple;
    }
}

locum_status measure_spectrum(const locum_domain *domain, int components, const double *values, double weight,
                              int64_t n_shells, double *spectrum)
{
    int64_t nx = domain->n_global[0], ny = domain->n_global[1];
    double box[2], points = (double)nx * (double)ny;
    double complex *z = NULL;
    measure_box(domain, box);
    locum_status st = LOCUM_NEW(&z, nx * ny);
    for (int c = 0; c < components && !st; c++) {
        for (int64_t i = 0; i < nx * ny; i++) z[i] = values[i * components + c];
        st = transform_plane(nx, ny, z);
        for (int64_t i = 0; i < nx && !st; i++)
            for (int64_t j = 0; j < ny; j++) {
                int64_t kx = i <= nx / 2 ? i : i - nx, ky = j <= ny / 2 ? j : j - ny;
                int64_t shell = locum_spectrum_shell(box, n_shells, kx, ky);
                double size = cabs(z[i * ny + j]) / points;
                if (shell >= 0) spectrum[shell] += 0.5 * weight * size * size;
            }
    }
    free(z);
    return st;
}
