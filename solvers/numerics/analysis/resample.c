/* SPDX-License-Identifier: BSD-3-Clause */
/* resample.c - see resample.h. A grid goes through two planes with the same modes: rows of the first are transformed
 * to modes, the modes are copied, and transformed back to rows of the second. Two components share a transform as the
 * real and the imaginary part. */
#include "solvers/numerics/analysis/resample.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/parallel/comm.h"
#include "solvers/numerics/fft/plane.h"
#include "solvers/numerics/fft/slab.h"

enum { ROWS = LOCUM_PLANE_ROWS, LINES = LOCUM_PLANE_LINES };

typedef struct side {
    locum_plane *plane;
    double *lines, *rows; /* buffers; the same one on one rank */
    double *modes;        /* [8, nx] */
    double *field, *work; /* [8, ny] */
} side;

static locum_status side_create(side *s, MPI_Comm comm, const int64_t n[2], const int64_t k_max[2])
{
    LOCUM_TRY(locum_plane_create(comm, n, k_max, &s->plane));
    locum_status st = LOCUM_NEW(&s->lines, locum_plane_lines_size(s->plane));
    if (!st && s->plane->size > 1) st = LOCUM_NEW(&s->rows, locum_plane_rows_size(s->plane));
    if (!st) st = LOCUM_NEW(&s->modes, 2 * LINES * n[0]);
    if (!st) st = LOCUM_NEW(&s->field, 2 * ROWS * n[1]);
    if (!st) st = LOCUM_NEW(&s->work, 2 * ROWS * n[1]);
    return locum_comm_agree(comm, st);
}

static void side_destroy(side *s)
{
    free(s->work);
    free(s->field);
    free(s->modes);
    free(s->rows);
    free(s->lines);
    locum_plane_destroy(s->plane);
}

static double *rows_of(const side *s)
{
    return s->rows ? s->rows : s->lines;
}

/* components c and, if there is one, c + 1 as the real and the imaginary part of a field, to modes along y */
static void load_components(const side *s, const double *values, int components, int c)
{
    const locum_plane *p = s->plane;
    const int64_t n = locum_plane_my_rows(p), ny = p->n[1];
    for (int64_t b = 0; b < p->my_row_blocks; b++) {
        memset(s->field, 0, (size_t)(2 * ROWS * ny) * sizeof(double));
        for (int64_t i = 0; i < ROWS && b * ROWS + i < n; i++)
            for (int64_t j = 0; j < ny; j++) {
                const double *value = values + ((b * ROWS + i) * ny + j) * components + c;
                s->field[2 * (i * ny + j)] = value[0];
                if (c + 1 < components) s->field[2 * (i * ny + j) + 1] = value[1];
            }
        locum_plane_rows_forward(p, s->field, b, s->work, rows_of(s));
    }
}

/* lines of `a` -> lines of `b`: both planes have the same modes, so each rank has the same blocks of both */
static void copy_modes(const side *a, const side *b)
{
    const int64_t k = a->plane->k_max[0], nx_a = a->plane->n[0], nx_b = b->plane->n[0];
    const double norm = 1.0 / ((double)nx_a * (double)a->plane->n[1]);
    for (int64_t block = 0; block < a->plane->my_line_blocks; block++) {
        locum_plane_lines_forward(a->plane, a->lines, block, a->modes);
        memset(b->modes, 0, (size_t)(2 * LINES * nx_b) * sizeof(double));
        for (int64_t l = 0; l < LINES; l++) {
            const double *from = a->modes + 2 * l * nx_a;
            double *to = b->modes + 2 * l * nx_b;
            for (int64_t q = 0; q < 2 * (k + 1); q++) to[q] = norm * from[q];
            for (int64_t q = -2 * k; q < 0; q++) to[2 * nx_b + q] = norm * from[2 * nx_a + q];
        }
        locum_plane_lines_backward(b->plane, b->modes, block, b->lines);
    }
}

static void store_components(const side *s, double *values, int components, int c)
{
    const locum_plane *p = s->plane;
    const int64_t n = locum_plane_my_rows(p), ny = p->n[1];
    for (int64_t b = 0; b < p->my_row_blocks; b++) {
        locum_plane_rows_backward(p, rows_of(s), b, s->work, s->field);
        for (int64_t i = 0; i < ROWS && b * ROWS + i < n; i++)
            for (int64_t j = 0; j < ny; j++) {
                double *value = values + ((b * ROWS + i) * ny + j) * components + c;
                value[0] = s->field[2 * (i * ny + j)];
                if (c + 1 < components) value[1] = s->field[2 * (i * ny + j) + 1];
            }
    }
}

static locum_status resample_modes(MPI_Comm comm, const int64_t n_from[2], const double *values, int components,
                                   const int64_t n_to[2], double *out)
{
    side a = {0}, b = {0};
    int64_t k_max[2];
    for (int d = 0; d < 2; d++) k_max[d] = ((n_from[d] < n_to[d] ? n_from[d] : n_to[d]) - 1) / 2;
    locum_status st = side_create(&a, comm, n_from, k_max);
    if (!st) st = side_create(&b, comm, n_to, k_max);
    for (int c = 0; c < components && !st; c += 2) {
        load_components(&a, values, components, c);
        st = locum_plane_exchange_to_lines(a.plane, rows_of(&a), a.lines);
        if (!st) copy_modes(&a, &b);
        if (!st) st = locum_plane_exchange_to_rows(b.plane, b.lines, rows_of(&b));
        if (!st) store_components(&b, out, components, c);
    }
    side_destroy(&b);
    side_destroy(&a);
    return st;
}

locum_status locum_resample_grid(MPI_Comm comm, const int64_t n_from[2], int64_t first_in, int64_t n_in, int components,
                                 const double *in, const int64_t n_to[2], double *out)
{
    int size, rank;
    int64_t first, n;
    bool same = n_from[0] == n_to[0] && n_from[1] == n_to[1];
    double *values = NULL;
    MPI_Comm_size(comm, &size);
    MPI_Comm_rank(comm, &rank);
    locum_slab_rows(n_from[0], size, rank, &first, &n);
    if (same) return locum_slab_move(comm, n_from[0], n_from[1] * components, first_in, n_in, in, first, n, out);
    locum_status st = locum_comm_agree(comm, LOCUM_NEW(&values, n * n_from[1] * components + 1));
    if (!st) st = locum_slab_move(comm, n_from[0], n_from[1] * components, first_in, n_in, in, first, n, values);
    if (!st) st = resample_modes(comm, n_from, values, components, n_to, out);
    free(values);
    return st;
}

/* out_j = sum over m of the modes that both lengths hold; direct sums, since profiles are short */
static void resample_profile(int64_t n_from, int64_t n_to, int components, const double *in, double *out)
{
    const int64_t k_max = ((n_from < n_to ? n_from : n_to) - 1) / 2;
    const double two_pi = 6.283185307179586477;
    memset(out, 0, (size_t)(n_to * components) * sizeof *out);
    for (int c = 0; c < components; c++)
        for (int64_t m = 0; m <= k_max; m++) {
            double re = 0, im = 0, weight = (m ? 2.0 : 1.0) / (double)n_from;
            for (int64_t j = 0; j < n_from; j++) {
                double angle = two_pi * (double)(m * j % n_from) / (double)n_from;
                re += in[j * components + c] * cos(angle);
                im += in[j * components + c] * sin(angle);
            }
            for (int64_t j = 0; j < n_to; j++) {
                double angle = two_pi * (double)(m * j % n_to) / (double)n_to;
                out[j * components + c] += weight * (re * cos(angle) + im * sin(angle));
            }
        }
}

locum_status locum_resample_rows(const locum_domain *from, const locum_domain *to, int components, const double *in,
                                 double *out)
{
    const int64_t n_from = from->n_global[0], n_to = to->n_global[0];
    LOCUM_REQUIRE(n_from > 0 && n_to > 0 && components > 0, LOCUM_ARG,
                  "resample: \"%s\" has no fixed number of rows (%lld -> %lld)", from->name, (long long)n_from,
                  (long long)n_to);
    int64_t shorter = n_from < n_to ? n_from : n_to;
    bool periodic = from->side[0][0] == LOCUM_PERIODIC && to->side[0][0] == LOCUM_PERIODIC;
    if (periodic && n_from != n_to) {
        resample_profile(n_from, n_to, components, in, out);
        return LOCUM_OK;
    }
    memcpy(out, in, (size_t)(shorter * components) * sizeof *out);
    memset(out + shorter * components, 0, (size_t)((n_to - shorter) * components) * sizeof *out);
    return LOCUM_OK;
}

/* --- what resample lends ---------------------------------------------------------------------- */

struct locum_lent {
    locum_lent *next;
    double values[]; /* starts 8-byte aligned; nothing here needs more */
};

locum_status locum_lend(locum_lent **list, int64_t n, double **values)
{
    locum_lent *lent = NULL;
    *values = NULL;
    LOCUM_TRY(locum_alloc(&lent, (int64_t)(sizeof *lent + (size_t)n * sizeof(double)), 1));
    lent->next = *list;
    *list = lent;
    *values = lent->values;
    return LOCUM_OK;
}

void locum_lent_free(locum_lent **list)
{
    while (list && *list) {
        locum_lent *lent = *list;
        *list = lent->next;
        free(lent);
    }
}
