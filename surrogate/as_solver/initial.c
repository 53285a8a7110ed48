/* SPDX-License-Identifier: BSD-3-Clause */
/* initial.c - a frame's arrays, split over ranks in whatever way, as the whole input fields that a network sees.
 *
 * Each rank puts its block into zeros, and the bitwise or over ranks is the field: exact, -0 and all. */
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/parallel/comm.h"
#include "core/text.h"
#include "surrogate/as_solver/parts.h"

static void grid_text(int n_dims, const int64_t *n, char text[64])
{
    size_t used = 0;
    text[0] = 0;
    for (int d = 0; d < n_dims && used < 48; d++)
        used += (size_t)locum_format(text + used, 64 - used, "%s%lld", d ? " x " : "", (long long)n[d]);
}

static void own_grid(const locum_solver *s, char text[64])
{
    const locum_model *model = s->surrogate->model;
    text[0] = 0;
    for (int i = 0; i < s->surrogate->n_inputs; i++) {
        int first, n_axes;
        locum_surrogate_axes(s, locum_model_input(model, i), true, &first, &n_axes);
        if (n_axes > 0) grid_text(n_axes, locum_model_input(model, i)->dims + first, text);
    }
}

locum_status locum_surrogate_refuse_grid(const locum_solver *s, const locum_frame *frame)
{
    char mine[64], theirs[64];
    const locum_domain *domain = NULL;
    for (int d = 0; d < frame->schema->n_domains; d++)
        if (frame->schema->domains[d].support == LOCUM_GRID) domain = &frame->schema->domains[d];
    own_grid(s, mine);
    grid_text(domain ? domain->n_dims : 0, domain ? domain->n_global : NULL, theirs);
    return LOCUM_FAIL(
        LOCUM_STUDY,
        "surrogate: the initial frame lies on a grid of %s; the model was trained on %s and knows no other",
        *theirs ? theirs : "no points", *mine ? mine : "none");
}

/* what the frame holds, for a complaint */
static locum_status refuse_frame(const locum_frame *frame, const char *name)
{
    locum_text list = {0};
    for (int a = 0; a < frame->schema->n_arrays; a++)
        if (frame->blocks[a].data) locum_text_add(&list, "%s%s", list.size ? ", " : "", frame->schema->arrays[a].name);
    locum_status st = LOCUM_FAIL(LOCUM_INPUT, "surrogate: the initial frame has no array `%s`; it has %.300s", name,
                                 list.data ? list.data : "none");
    locum_text_free(&list);
    return st;
}

/* one array of the frame as [extent] of the port's grid; this rank's part only */
static locum_status place(const locum_solver *s, const locum_frame *frame, const char *name, const locum_port *port,
                          double *field)
{
    int a = locum_schema_find(frame->schema, name), first, n_axes;
    if (a < 0) return refuse_frame(frame, name);
    const locum_array *array = &frame->schema->arrays[a];
    const locum_domain *domain = &frame->schema->domains[array->domain];
    const locum_block *block = &frame->blocks[a];
    int64_t n[3] = {1, 1, 1}, components = locum_array_components(array), expected = 1;

    locum_surrogate_axes(s, port, true, &first, &n_axes);
    if (n_axes + first < port->n_dims) expected = port->dims[port->n_dims - 1];
    bool same = domain->support == (n_axes > 1 ? LOCUM_GRID : LOCUM_ROWS) && domain->n_dims == n_axes;
    for (int d = 0; d < n_axes && d < 3; d++) {
        n[d] = port->dims[first + d];
        same = same && domain->n_global[d] == n[d];
    }
    if (!same) return locum_surrogate_refuse_grid(s, frame);
    LOCUM_REQUIRE(components == expected, LOCUM_INPUT,
                  "surrogate: array `%s` of the initial frame has %lld components; the model takes %lld", name,
                  (long long)components, (long long)expected);
    LOCUM_REQUIRE(array->type == LOCUM_FLOAT64 || array->type == LOCUM_FLOAT32, LOCUM_INPUT,
                  "surrogate: array `%s` of the initial frame is neither float32 nor float64", name);
    if (!block->data && block->n[0] > 0) return refuse_frame(frame, name);
    int64_t m[3] = {block->n[0], n_axes > 1 ? block->n[1] : 1, n_axes > 2 ? block->n[2] : 1}, from = 0;
    for (int64_t i = 0; i < m[0]; i++)
        for (int64_t j = 0; j < m[1]; j++)
            for (int64_t k = 0; k < m[2]; k++) {
                int64_t at = ((block->first[0] + i) * n[1] + (n_axes > 1 ? block->first[1] + j : 0)) * n[2] +
                             (n_axes > 2 ? block->first[2] + k : 0);
                for (int64_t c = 0; c < components; c++, from++)
                    field[at * components + c] = array->type == LOCUM_FLOAT64
                                                     ? ((const double *)block->data)[from]
                                                     : (double)((const float *)block->data)[from];
            }
    return LOCUM_OK;
}

static void join_ranks(const locum_solver *s, double *field, int64_t n)
{
    const int64_t most = 1 << 24;
    for (int64_t i = 0; i < n && s->size > 1; i += most)
        MPI_Allreduce(MPI_IN_PLACE, field + i, (int)(n - i < most ? n - i : most), MPI_UINT64_T, MPI_BOR, s->comm);
}

locum_status locum_surrogate_take(const locum_solver *s, const locum_frame *frame, locum_state *state)
{
    locum_status st = LOCUM_OK;
    char name[SURROGATE_NAME_SIZE];

    for (int i = 0; i < s->surrogate->n_inputs; i++) {
        const locum_port *port = locum_model_input(s->surrogate->model, i);
        int64_t history = s->is_step ? s->history : 1, extent = port->extent / history;
        if (!state->window[i]) continue;
        memset(state->window[i], 0, (size_t)port->extent * sizeof(double));
        for (int64_t past = 0; past < history && !st; past++) {
            locum_format(name, sizeof name, past ? "%.70s_past_%lld" : "%.70s", port->name, (long long)past);
            st = place(s, frame, name, port, state->window[i] + (history - 1 - past) * extent);
        }
    }
    if (s->size > 1) st = locum_comm_agree(s->comm, st);
    LOCUM_TRY(st);
    for (int i = 0; i < s->surrogate->n_inputs; i++)
        if (state->window[i]) join_ranks(s, state->window[i], locum_model_input(s->surrogate->model, i)->extent);
    return LOCUM_OK;
}
