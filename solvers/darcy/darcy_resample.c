/* SPDX-License-Identifier: BSD-3-Clause */
/* darcy_resample.c - frames of another resolution on this solver's cells (THEORY.md).
 *
 *      coefficient     that of the cell which contains the centre: a discontinuous field is sampled, not smeared
 *      solution        linear along x and y between cell centres; at the sides between the wall, where it is 0, and the
 *                      first centre: second order
 *      flux, source    linear between cell centres; at the sides the line goes on
 * The same resolution is copied exactly; scalars are as they are. Along an axis of m cells made from n,
 * centre (2 i + 1) / 2m takes  weight[0] value[at] + weight[1] value[at + 1]. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/parallel/comm.h"
#include "darcy_internal.h"
#include "solvers/numerics/analysis/resample.h"
#include "solvers/numerics/fft/slab.h"

typedef struct stencil {
    int64_t at;
    double weight[2];
} stencil;

typedef enum { NEAREST, LINEAR, LINEAR_TO_WALL } rule;

/* what centre i of m takes from n >= 2 cells */
static stencil make_stencil(rule how, int64_t i, int64_t m, int64_t n)
{
    const int64_t cell = (2 * i + 1) * n / (2 * m); /* which contains the centre; of two, the upper */
    const double place = (double)((2 * i + 1) * n - m) / (double)(2 * m); /* in cells, from the first centre */
    if (how == NEAREST || m == n) return cell < n - 1 ? (stencil){cell, {1, 0}} : (stencil){n - 2, {0, 1}};
    if (how == LINEAR_TO_WALL && place < 0) return (stencil){0, {1 + 2 * place, 0}};
    if (how == LINEAR_TO_WALL && place > (double)(n - 1))
        return (stencil){n - 2, {0, 1 - 2 * (place - (double)(n - 1))}};
    int64_t at = (int64_t)floor(place);
    at = at < 0 ? 0 : at > n - 2 ? n - 2 : at;
    const double t = place - (double)at;
    return (stencil){at, {1 - t, t}};
}

/* rows [n_rows][n][components] of the old grid, the first of them `first` -> this rank's rows of ours */
static void interpolate(const locum_solver *s, rule how, int64_t n, int components, int64_t first, const double *rows,
                        double *out)
{
    for (int64_t i = 0; i < s->rows; i++) {
        const stencil x = make_stencil(how, s->first + i, s->n, n);
        const double *below = rows + (x.at - first) * n * components, *above = below + n * components;
        for (int64_t j = 0; j < s->n; j++) {
            const stencil y = make_stencil(how, j, s->n, n);
            for (int c = 0; c < components; c++) {
                const int64_t left = y.at * components + c, right = left + components;
                double low = y.weight[0] * below[left] + y.weight[1] * below[right];
                double high = y.weight[0] * above[left] + y.weight[1] * above[right];
                out[(i * s->n + j) * components + c] = x.weight[0] * low + x.weight[1] * high;
            }
        }
    }
}

static locum_status check_grid(const locum_frame *in, int array)
{
    const locum_domain *d = &in->schema->domains[in->schema->arrays[array].domain];
    LOCUM_REQUIRE(d->support == LOCUM_GRID && d->n_dims == 2 && d->n_global[0] == d->n_global[1] && d->n_global[0] > 1,
                  LOCUM_INPUT, "darcy: %s must lie on a square grid of n x n cells", in->schema->arrays[array].name);
    return LOCUM_OK;
}

static locum_status resample_grid(const locum_solver *s, const locum_frame *in, int array, rule how, locum_block *out)
{
    const int components = (int)locum_array_components(&in->schema->arrays[array]);
    const int64_t n = in->schema->domains[in->schema->arrays[array].domain].n_global[0];
    const locum_block *block = &in->blocks[array];
    double *values = NULL, *rows = NULL, *data = NULL;
    int64_t first = 0, n_rows = 0;
    locum_status st = check_grid(in, array);
    if (!st) {
        first = make_stencil(how, s->first, s->n, n).at;
        n_rows = make_stencil(how, s->first + s->rows - 1, s->n, n).at + 2 - first;
        st = locum_darcy_copy_values(in, array, &values);
    }
    if (!st) st = LOCUM_NEW(&rows, n_rows * n * components);
    if (!st) st = locum_lend(s->lent, s->rows * s->n * components, &data);
    st = locum_comm_agree(s->comm, st);
    if (!st)
        st = locum_slab_move(s->comm, n, n * components, block->first[0], block->n[0], values, first, n_rows, rows);
    if (!st) interpolate(s, how, n, components, first, rows, data);
    *out = (locum_block){data, {s->first, 0, 0}, {s->rows, s->n, 1}, s->n * s->n};
    free(rows);
    free(values);
    return st;
}

static locum_status resample_scalar(const locum_solver *s, const locum_frame *in, int array, locum_block *out)
{
    double *values = NULL, *data = NULL;
    locum_status st = locum_darcy_copy_values(in, array, &values);
    if (!st) st = locum_lend(s->lent, 1, &data);
    st = locum_comm_agree(s->comm, st);
    if (!st) *data = values[0], *out = (locum_block){data, {0, 0, 0}, {1, 1, 1}, 1};
    free(values);
    return st;
}

locum_status locum_darcy_resample(const locum_solver *s, const locum_frame *in, locum_frame *out)
{
    static const rule rules[] = {[ARRAY_COEFFICIENT] = NEAREST,
                                 [ARRAY_SOLUTION] = LINEAR_TO_WALL,
                                 [ARRAY_FLUX] = LINEAR,
                                 [ARRAY_SOURCE] = LINEAR};
    out->schema = &s->schema;
    out->time = in->time;
    out->step = in->step;
    memset(out->blocks, 0, N_ARRAYS * sizeof *out->blocks);
    for (int i = 0; i < in->schema->n_arrays; i++) {
        const char *name = in->schema->arrays[i].name;
        int mine = locum_schema_find(&s->schema, name);
        if (mine < 0 && (in->schema->n_arrays == 1 || !strcmp(name, s->config.dataset))) mine = ARRAY_COEFFICIENT;
        if (mine < 0 || !locum_comm_any(s->comm, in->blocks[i].data != NULL)) continue;
        if (mine <= ARRAY_SOURCE)
            LOCUM_TRY(resample_grid(s, in, i, rules[mine], &out->blocks[mine]));
        else
            LOCUM_TRY(resample_scalar(s, in, i, &out->blocks[mine]));
    }
    return LOCUM_OK;
}
