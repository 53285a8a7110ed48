/* SPDX-License-Identifier: BSD-3-Clause */
/* navier_stokes_resample.c - frames of another resolution on this solver's grid: fields by their Fourier modes,
 * profiles and spectra as numerics/analysis/resample.h says, scalars as they are. Modes (vorticity_hat) are left out:
 * they are for restarts, which go on at the same resolution. */
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/parallel/comm.h"
#include "navier_stokes_internal.h"
#include "solvers/numerics/analysis/resample.h"
#include "solvers/numerics/fft/slab.h"

static locum_status to_doubles(const locum_frame *in, int array, double **values)
{
    const locum_block *block = &in->blocks[array];
    const locum_type type = in->schema->arrays[array].type;
    const int64_t n = locum_block_count(in->schema, array, block);
    *values = NULL;
    LOCUM_REQUIRE(type == LOCUM_FLOAT64 || type == LOCUM_FLOAT32, LOCUM_INPUT,
                  "navier_stokes: %s must hold real numbers", in->schema->arrays[array].name);
    LOCUM_TRY(LOCUM_NEW(values, n + 1));
    for (int64_t i = 0; i < n; i++)
        (*values)[i] = type == LOCUM_FLOAT64 ? ((const double *)block->data)[i] : ((const float *)block->data)[i];
    return LOCUM_OK;
}

/* every rank gets all rows of a 1-D array */
static locum_status gather_rows(const locum_solver *s, const locum_frame *in, int array, int components,
                                const double *values, double *all)
{
    const locum_block *block = &in->blocks[array];
    const int64_t n = block->n_global;
    LOCUM_TRY(locum_slab_move(s->comm, n, components, block->n[0] ? block->first[0] : 0, block->n[0], values, 0,
                              s->plane->rank == 0 ? n : 0, all));
    return locum_comm_broadcast(s->comm, all, n * components * (int64_t)sizeof(double));
}

static locum_status resample_rows(const locum_solver *s, const locum_frame *in, int array, const locum_domain *to,
                                  double *values, locum_block *out)
{
    /* a file says how many rows there are, but not that the profile is periodic */
    const locum_domain from = {
        .name = to->name, .n_global = {in->blocks[array].n_global}, .side = {{to->side[0][0], to->side[0][1]}}};
    const int components = (int)locum_array_components(&in->schema->arrays[array]);
    double *all = NULL, *data = NULL;
    locum_status st = LOCUM_NEW(&all, from.n_global[0] * components + 1);
    if (!st) st = locum_lend(s->lent, to->n_global[0] * components, &data);
    st = locum_comm_agree(s->comm, st);
    if (!st) st = gather_rows(s, in, array, components, values, all);
    if (!st) st = locum_resample_rows(&from, to, components, all, data);
    free(all);
    int64_t mine = s->plane->rank == 0 ? to->n_global[0] : 0;
    *out = (locum_block){data, {s->plane->rank == 0 ? 0 : to->n_global[0], 0, 0}, {mine, 1, 1}, to->n_global[0]};
    return st;
}

static locum_status resample_grid(const locum_solver *s, const locum_frame *in, int array, double *values,
                                  locum_block *out)
{
    const locum_domain *from = &in->schema->domains[in->schema->arrays[array].domain];
    const int components = (int)locum_array_components(&in->schema->arrays[array]);
    const int64_t my_rows = locum_plane_my_rows(s->plane);
    double *data = NULL;
    locum_status st = locum_lend(s->lent, my_rows * s->n[1] * components, &data);
    if (!st && from->n_dims != 2)
        st = LOCUM_FAIL(LOCUM_INPUT, "navier_stokes: %s must lie on a two-dimensional grid",
                        in->schema->arrays[array].name);
    st = locum_comm_agree(s->comm, st);
    if (!st)
        st = locum_resample_grid(s->comm, from->n_global, in->blocks[array].first[0], in->blocks[array].n[0],
                                 components, values, s->n, data);
    *out = (locum_block){data, {locum_plane_first_row(s->plane), 0, 0}, {my_rows, s->n[1], 1}, s->n[0] * s->n[1]};
    return st;
}

static locum_status resample_array(const locum_solver *s, const locum_frame *in, int array, int mine, locum_block *out)
{
    const locum_domain *to = &s->domains[s->arrays[mine].domain];
    double *values = NULL;
    locum_status st = locum_comm_agree(s->comm, to_doubles(in, array, &values));
    if (!st && to->support == LOCUM_GRID) st = resample_grid(s, in, array, values, out);
    if (!st && to->support == LOCUM_ROWS) st = resample_rows(s, in, array, to, values, out);
    if (!st && to->support == LOCUM_GLOBAL) {
        double *data;
        st = locum_comm_agree(s->comm, locum_lend(s->lent, 1, &data));
        if (!st) *data = values[0], *out = (locum_block){data, {0, 0, 0}, {1, 1, 1}, 1};
    }
    free(values);
    return st;
}

locum_status locum_navier_stokes_resample(const locum_solver *s, const locum_frame *in, locum_frame *out)
{
    out->schema = &s->schema;
    out->time = in->time;
    out->step = in->step;
    memset(out->blocks, 0, N_ARRAYS * sizeof *out->blocks);
    for (int i = 0; i < in->schema->n_arrays; i++) {
        int mine = locum_schema_find(&s->schema, in->schema->arrays[i].name);
        bool only = mine < 0 && in->schema->n_arrays == 1;
        if (only || (mine < 0 && !strcmp(in->schema->arrays[i].name, s->config.dataset))) mine = ARRAY_VORTICITY;
        if (mine < 0 || mine == ARRAY_VORTICITY_HAT || !in->blocks[i].data) continue;
        LOCUM_TRY(resample_array(s, in, i, mine, &out->blocks[mine]));
    }
    return LOCUM_OK;
}
