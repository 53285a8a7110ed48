/* SPDX-License-Identifier: BSD-3-Clause */
/* external_schema.c - what a frame holds, from the shapes that the study gives.
 *
 *     energy: 1                one value               profile: 33              33 rows, axis 0, 1, 2, ...
 *     temperature: [64, 48]    a 2-D grid, x first     pressure: [32, 32, 32]   a 3-D grid
 *     velocity: [64, 48, 2]    vectors on a grid: the last number is 2 or 3 and counts components
 * All grids of a program are the same one, over `box`; points at i L / n (periodic) or i L / (n - 1). */
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "solvers/external/external_internal.h"

int locum_external_components(const external_config *config, int f, int *n_axes)
{
    int n = config->n_shape[f], last = config->shape[f][n - 1];
    bool vector = n >= 3 && (n == 4 || last <= 3);

    *n_axes = n == 1 && last == 1 ? 0 : vector ? n - 1 : n;
    return vector ? last : 1;
}

static void set_axis(const external_config *config, locum_domain *domain, int d, double *axis)
{
    static const char *const letters[] = {"x", "y", "z"};
    int64_t n = domain->n_global[d];
    bool grid = domain->support == LOCUM_GRID, periodic = config->sides == SIDES_PERIODIC;
    double length = grid ? config->box[d < config->n_box ? d : config->n_box - 1] : (double)(n - 1);
    double step = length / (double)(grid && periodic ? n : n - 1);

    for (int64_t i = 0; i < n; i++) axis[i] = step * (double)i;
    domain->axis[d] = axis;
    domain->axis_name[d] = grid ? letters[d] : "point";
    domain->upper[d] = length;
    locum_boundary side = periodic && grid ? LOCUM_PERIODIC : config->sides == SIDES_WALL ? LOCUM_WALL : LOCUM_OPEN;
    domain->side[d][0] = domain->side[d][1] = side;
}

/* the domain of a field: its own rows, or the one grid */
static int place(const external_config *config, external_schema *s, int f, int n_axes, int *grid, double **axis)
{
    if (n_axes >= 2 && *grid >= 0) return *grid;
    locum_domain *domain = &s->domains[s->schema.n_domains];

    *domain = (locum_domain){.name = n_axes >= 2 ? "grid" : config->field_name[f],
                             .support = n_axes >= 2 ? LOCUM_GRID : LOCUM_ROWS,
                             .n_dims = n_axes,
                             .axis_unit = "1"};
    for (int d = 0; d < n_axes; d++) {
        domain->n_global[d] = config->shape[f][d];
        set_axis(config, domain, d, *axis);
        *axis += domain->n_global[d];
    }
    if (n_axes >= 2) *grid = s->schema.n_domains;
    return s->schema.n_domains++;
}

/* config must stay where it is: names are lent */
locum_status locum_external_schema_make(const external_config *config, external_schema *s)
{
    int64_t n_axis = 0;
    int grid = -1;

    *s = (external_schema){.domains[0] = {.name = "global", .support = LOCUM_GLOBAL}};
    for (int f = 0; f < config->n_fields; f++)
        for (int d = 0; d < config->n_shape[f]; d++) n_axis += config->shape[f][d];
    LOCUM_TRY(LOCUM_NEW(&s->axes, n_axis));
    double *axis = s->axes;
    s->schema = (locum_schema){.domains = s->domains,
                               .n_domains = 1,
                               .arrays = s->arrays,
                               .n_arrays = config->n_fields,
                               .timeless = isnan(config->interval)};
    for (int f = 0; f < config->n_fields; f++) {
        int n_axes, n_components = locum_external_components(config, f, &n_axes);
        s->arrays[f] = (locum_array){.name = config->field_name[f],
                                     .text = "made by the program",
                                     .unit = "1",
                                     .type = LOCUM_FLOAT64,
                                     .domain = n_axes ? place(config, s, f, n_axes, &grid, &axis) : 0,
                                     .order = n_components > 1,
                                     .shape = {n_components, 1},
                                     .place = LOCUM_NODE,
                                     .roles = LOCUM_OBSERVABLE};
    }
    return LOCUM_OK;
}

void locum_external_schema_free(external_schema *s)
{
    free(s->axes);
    s->axes = NULL;
}
