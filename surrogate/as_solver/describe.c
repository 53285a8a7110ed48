/* SPDX-License-Identifier: BSD-3-Clause */
/* describe.c - a model's ports as domains and arrays of a solver.
 *
 *     port [x, y], [x, y, component]       array of order 0 or 1 on the domain "grid"
 *     port [k]                             array on a domain of rows with the port's name
 *     one value                            array on "global"
 *
 * A port tells coordinates, not the box: points at i L / n from 0 on are taken as periodic, points at (i + 1/2) L / n as
 * cells between walls. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/text.h"
#include "surrogate/as_solver/parts.h"

void locum_surrogate_axes(const locum_solver *s, const locum_port *port, bool input, int *first, int *n_axes)
{
    int last = port->n_dims - 1;
    *first = input && s->is_step && s->history > 1;
    *n_axes = port->n_dims - *first;
    const char *name = last >= 0 ? port->axis_name[last] : NULL;
    bool named = name && !strcmp(name, "component");
    if (*n_axes > 1 && (named || (!port->axis[last] && port->axis[*first]))) --*n_axes;
}

static void describe_rows(locum_domain *domain, const locum_port *port)
{
    *domain = (locum_domain){.name = port->name,
                             .support = LOCUM_ROWS,
                             .n_dims = 1,
                             .n_global = {port->dims[0], 1, 1},
                             .axis = {port->axis[0]},
                             .axis_name = {port->axis_name[0]},
                             .axis_unit = "1"};
    for (int side = 0; side < 2; side++) domain->side[0][side] = LOCUM_OPEN;
    if (!port->axis[0]) return;
    domain->lower[0] = port->axis[0][0];
    domain->upper[0] = port->axis[0][port->dims[0] - 1];
}

static locum_status unit_axis(locum_solver *s, int d, int64_t n)
{
    LOCUM_TRY(LOCUM_NEW(&s->axis[d], n));
    for (int64_t i = 0; i < n; i++) s->axis[d][i] = (double)i / (double)n;
    return LOCUM_OK;
}

static void set_box(locum_domain *grid, int d)
{
    const double *axis = grid->axis[d];
    int64_t n = grid->n_global[d];
    double step = n > 1 ? (axis[n - 1] - axis[0]) / (double)(n - 1) : 1;
    bool cells = fabs(axis[0] - 0.5 * step) < 0.01 * step;
    grid->lower[d] = cells ? axis[0] - 0.5 * step : axis[0];
    grid->upper[d] = cells ? axis[n - 1] + 0.5 * step : axis[n - 1] + step;
    grid->side[d][0] = grid->side[d][1] = cells ? LOCUM_WALL : LOCUM_PERIODIC;
}

static locum_status describe_grid(locum_solver *s, const locum_port *port, int n_axes, locum_domain *grid)
{
    static const char *const letters[3] = {"x", "y", "z"};
    if (grid->n_dims) { /* the grid of an earlier output */
        bool same = grid->n_dims == n_axes;
        for (int d = 0; d < n_axes && same; d++) same = grid->n_global[d] == port->dims[d];
        LOCUM_REQUIRE(same, LOCUM_NOT_BUILT, "surrogate: its outputs lie on several grids (`%s`)", port->name);
        return LOCUM_OK;
    }
    LOCUM_REQUIRE(n_axes <= 3, LOCUM_NOT_BUILT, "surrogate: output `%s` has %d axes", port->name, n_axes);
    *grid = (locum_domain){.name = "grid", .support = LOCUM_GRID, .n_dims = n_axes, .axis_unit = "1"};
    for (int d = 0; d < 3; d++) grid->n_global[d] = d < n_axes ? port->dims[d] : 1;
    for (int d = 0; d < n_axes; d++) {
        if (!port->axis[d]) LOCUM_TRY(unit_axis(s, d, port->dims[d]));
        grid->axis[d] = port->axis[d] ? port->axis[d] : s->axis[d];
        grid->axis_name[d] = port->axis_name[d] && *port->axis_name[d] ? port->axis_name[d] : letters[d];
        set_box(grid, d);
    }
    return LOCUM_OK;
}

/* the domain of one output, and its array */
static locum_status describe_output(locum_solver *s, int i, int *grid_at, int *n_domains, locum_array *array)
{
    const locum_port *port = locum_model_output(s->surrogate->model, i);
    int first, n_axes, domain = 0;

    locum_surrogate_axes(s, port, false, &first, &n_axes);
    if (n_axes == 1) {
        domain = (*n_domains)++;
        describe_rows(&s->domains[domain], port);
    } else if (n_axes > 1) {
        if (*grid_at < 0) *grid_at = (*n_domains)++;
        domain = *grid_at;
        LOCUM_TRY(describe_grid(s, port, n_axes, &s->domains[domain]));
    }
    bool vector = port->n_dims > n_axes;
    *array = (locum_array){.name = port->name,
                           .text = port->text,
                           .unit = port->unit,
                           .type = LOCUM_FLOAT64,
                           .domain = domain,
                           .order = vector,
                           .shape = {vector ? (int)port->dims[port->n_dims - 1] : 1, 1},
                           .roles = LOCUM_OBSERVABLE | (s->is_step ? LOCUM_STATE : 0)};
    s->first[i] = s->width;
    s->width += port->extent;
    return LOCUM_OK;
}

/* frames that a step sees beside the latest one */
static void describe_past(locum_solver *s, int output, int64_t past)
{
    int a = s->schema.n_arrays++;
    s->arrays[a] = s->arrays[output];
    s->source[a] = (surrogate_source){output, past};
    locum_format(s->past_name[a], SURROGATE_NAME_SIZE, "%.70s_past_%lld", s->arrays[output].name, (long long)past);
    s->arrays[a].name = s->past_name[a];
    s->arrays[a].roles = LOCUM_STATE | LOCUM_COSTLY;
}

static int input_of(const locum_model *model, const char *name)
{
    for (int i = 0; i < locum_model_n_inputs(model); i++)
        if (!strcmp(locum_model_input(model, i)->name, name)) return i;
    return -1;
}

locum_status locum_surrogate_describe(locum_solver *s)
{
    const locum_model *model = s->surrogate->model;
    int n_domains = 1, grid_at = -1;
    int64_t n_arrays = s->n_outputs * s->history;

    LOCUM_TRY(LOCUM_NEW(&s->domains, s->n_outputs + 1));
    LOCUM_TRY(LOCUM_NEW(&s->arrays, n_arrays));
    LOCUM_TRY(LOCUM_NEW(&s->source, n_arrays));
    LOCUM_TRY(LOCUM_NEW(&s->past_name, n_arrays));
    LOCUM_TRY(LOCUM_NEW(&s->first, s->n_outputs));
    LOCUM_TRY(LOCUM_NEW(&s->feeds, s->n_outputs));
    s->domains[0] = (locum_domain){.name = "global", .support = LOCUM_GLOBAL, .n_global = {1, 1, 1}};
    for (int i = 0; i < s->n_outputs; i++) {
        LOCUM_TRY(describe_output(s, i, &grid_at, &n_domains, &s->arrays[i]));
        s->source[i] = (surrogate_source){i, 0};
        s->feeds[i] = s->is_step ? input_of(model, s->arrays[i].name) : -1;
    }
    s->schema = (locum_schema){.domains = s->domains,
                               .n_domains = n_domains,
                               .arrays = s->arrays,
                               .n_arrays = s->n_outputs,
                               .timeless = !s->is_step,
                               .interval = s->interval};
    for (int i = 0; i < s->n_outputs; i++)
        for (int64_t past = 1; past < s->history; past++) describe_past(s, i, past);
    return LOCUM_OK;
}
