/* SPDX-License-Identifier: BSD-3-Clause */
/* loaded.c - frames that come from files: initial states that somebody made, and states to go on from.
 *
 * Each rank gets an even slice: grids along x, rows by number; the solver moves values where it wants them. An
 * initial state on another grid, or in a schema that is not the solver's, passes through the solver's `resample`. */
#include <stdlib.h>
#include <string.h>

#include "datasets/campaign/campaign_parts.h"
#include "datasets/formats/formats.h"

void locum_loaded_release(locum_loaded *loaded)
{
    free(loaded->frame.blocks);
    if (loaded->owner) locum_frame_release(loaded->owner);
    if (loaded->dataset) locum_dataset_close(loaded->dataset);
    *loaded = (locum_loaded){0};
}

/* lends the owner's blocks, but of rows only this rank's share */
static locum_status lend(locum_loaded *loaded, int rank, int size)
{
    const locum_schema *schema = loaded->owner->schema;

    loaded->frame = *loaded->owner;
    loaded->frame.blocks = NULL;
    LOCUM_TRY(LOCUM_NEW(&loaded->frame.blocks, schema->n_arrays));
    for (int a = 0; a < schema->n_arrays; a++) {
        locum_block *block = &loaded->frame.blocks[a];
        *block = loaded->owner->blocks[a];
        if (schema->domains[schema->arrays[a].domain].support != LOCUM_ROWS || !block->data) continue;
        size_t row = (size_t)locum_array_components(&schema->arrays[a]) * locum_type_size(schema->arrays[a].type);
        int64_t rows = block->n[0];
        block->n_global = rows;
        locum_even_slice(rows, rank, size, &block->first[0], &block->n[0]);
        block->data = (const char *)block->data + (size_t)block->first[0] * row;
    }
    return LOCUM_OK;
}

static locum_status read_mine(const char *path, int rank, int size, locum_loaded *loaded)
{
    bool *wanted = NULL;
    locum_status st = locum_dataset_open(path, &loaded->dataset);

    if (!st && locum_dataset_n(loaded->dataset) != 1)
        st = LOCUM_FAIL(LOCUM_DAMAGED, "%s must hold one sample, not %lld", path,
                        (long long)locum_dataset_n(loaded->dataset));
    int n = st ? 0 : locum_dataset_schema(loaded->dataset)->n_arrays;
    if (!st) st = LOCUM_NEW(&wanted, n);
    for (int a = 0; a < n && !st; a++) wanted[a] = true;
    if (!st) st = locum_dataset_read_frame(loaded->dataset, 0, -1, rank, size, wanted, &loaded->owner);
    if (!st) st = lend(loaded, rank, size);
    free(wanted);
    return st;
}

locum_status locum_loaded_read(const char *path, MPI_Comm comm, locum_loaded *loaded)
{
    int rank, size;

    MPI_Comm_rank(comm, &rank);
    MPI_Comm_size(comm, &size);
    locum_status st = locum_comm_agree(comm, read_mine(path, rank, size, loaded));
    if (st) locum_loaded_release(loaded);
    return st;
}

/* does a grid array of the frame lie on a grid of the solver's? */
static bool same_grid(const locum_schema *in, const locum_schema *solver)
{
    const locum_domain *a = &in->domains[in->arrays[0].domain];

    for (int d = 0; d < solver->n_domains; d++) {
        const locum_domain *b = &solver->domains[d];
        if (b->support == LOCUM_GRID && b->n_dims == a->n_dims &&
            !memcmp(b->n_global, a->n_global, (size_t)a->n_dims * sizeof *a->n_global))
            return true;
    }
    return false;
}

/* the owner's blocks as they are, or room for what resample fills */
static locum_status prepare_frame(const locum_setup *setup, const locum_schema *schema, bool same, locum_loaded *loaded)
{
    const locum_schema *in = loaded->owner->schema;

    LOCUM_REQUIRE(same || setup->type->resample, LOCUM_STUDY, "%s cannot start from a file of another grid",
                  setup->type->name);
    LOCUM_TRY(LOCUM_NEW(&loaded->frame.blocks, same ? in->n_arrays : schema->n_arrays));
    loaded->frame.schema = same ? in : schema;
    if (same) memcpy(loaded->frame.blocks, loaded->owner->blocks, (size_t)in->n_arrays * sizeof *loaded->frame.blocks);
    return LOCUM_OK;
}

locum_status locum_loaded_read_initial(const locum_setup *setup, const locum_solver *solver, MPI_Comm comm,
                                       locum_loaded *loaded)
{
    locum_format_request request = {
        .path = setup->initial_file, .dataset = setup->initial_dataset, .format = setup->initial_format};
    const locum_schema *schema = setup->type->schema(solver);

    if (!setup->from_file) return LOCUM_OK;
    memcpy(request.box, setup->box, sizeof request.box);
    LOCUM_TRY(locum_format_read(&request, comm, &loaded->owner));
    bool same = same_grid(loaded->owner->schema, schema);
    locum_status st = locum_comm_agree(comm, prepare_frame(setup, schema, same, loaded));
    if (!st && !same) st = locum_comm_agree(comm, setup->type->resample(solver, loaded->owner, &loaded->frame));
    loaded->frame.time = 0;
    if (st) locum_loaded_release(loaded);
    return st;
}
