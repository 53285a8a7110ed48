/* SPDX-License-Identifier: BSD-3-Clause */
/* test_darcy_ranks.c - one domain over several ranks: every claim compares a sample on all ranks (1, 2, 3 by CTest) with the
 * same sample that each rank solves alone. */
#include "tests/physics/darcy/medium.h"

static locum_darcy_config ragged(int preconditioner)
{
    locum_darcy_config c = medium_config(50); /* 50 = 16 + 17 + 17 rows */
    c.preconditioner = preconditioner;
    c.tolerance = 1e-13;
    return c;
}

/* largest difference of this rank's part over the largest value, on all ranks */
static double difference(medium *all, medium *lone, const char *name)
{
    const double *mine = medium_observe(all, name), *whole = medium_observe(lone, name);
    const int array = medium_array(all, name);
    const locum_block *part = &all->blocks[array];
    const locum_schema *schema = all->type->schema(all->solver);
    const int64_t row = locum_array_components(&schema->arrays[array]) * part->n[1] * part->n[2];
    double d[2] = {0, 0};
    if (!mine || !whole) return INFINITY;
    for (int64_t i = 0; i < part->n[0] * row; i++) {
        d[0] = fmax(d[0], fabs(mine[i] - whole[part->first[0] * row + i]));
        d[1] = fmax(d[1], fabs(mine[i]));
    }
    MPI_Allreduce(MPI_IN_PLACE, d, 2, MPI_DOUBLE, MPI_MAX, MPI_COMM_WORLD);
    return d[0] / d[1];
}

static void results_do_not_depend_on_ranks(void)
{
    static const char *const solved[] = {"solution", "flux", "mean_solution", "energy"};
    for (int preconditioner = LOCUM_DARCY_GAMG; preconditioner <= LOCUM_DARCY_HYPRE; preconditioner++) {
        medium all, lone;
        locum_darcy_config c = ragged(preconditioner);
        CHECK_OK(medium_solve(&all, &c, MPI_COMM_WORLD, 7, NULL));
        CHECK_OK(medium_solve(&lone, &c, MPI_COMM_SELF, 7, NULL));
        CU_ASSERT(difference(&all, &lone, "coefficient") == 0); /* the same bits */
        /* the residual, 1e-13 of the source, times at most the condition number, 4 * 50^2 * 4 */
        for (int i = 0; i < 4; i++) CHECK_CLOSE(difference(&all, &lone, solved[i]), 0, 1e-10);
        medium_end(&lone);
        medium_end(&all);
    }
}

static void a_sample_solved_again_has_the_same_bits(void)
{
    for (int preconditioner = LOCUM_DARCY_GAMG; preconditioner <= LOCUM_DARCY_HYPRE; preconditioner++) {
        medium m;
        locum_darcy_config c = ragged(preconditioner);
        CHECK_OK(medium_solve(&m, &c, MPI_COMM_WORLD, 7, NULL));
        const int64_t n = m.type->schema(m.solver)->domains[1].n_global[0];
        const double *u = medium_observe(&m, "solution");
        const size_t bytes = (size_t)(m.blocks[medium_array(&m, "solution")].n[0] * n) * sizeof *u;
        double *before = malloc(bytes);
        memcpy(before, u, bytes);
        for (int again = 0; again < 6; again++) { /* another one in between must leave nothing behind */
            locum_sample sample = {.seed = again % 2 ? 7 : 8, .config = &m.config};
            CHECK_OK(m.type->start(m.solver, &sample, &m.state));
            CHECK_OK(m.type->advance(m.solver, m.state, 0));
            if (again % 2) CU_ASSERT(!memcmp(before, medium_observe(&m, "solution"), bytes));
        }
        free(before);
        medium_end(&m);
    }
}

/* fields of 50 x 50 brought to 23 x 23 by all ranks, and by each alone */
static void resampled_frames_do_not_depend_on_ranks(void)
{
    medium lone, all = {0}, alone = {0};
    locum_darcy_config fine = ragged(LOCUM_DARCY_GAMG), coarse = medium_config(23);
    locum_frame slice;
    locum_block blocks[MEDIUM_ARRAYS];
    int rank, size;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    CHECK_OK(medium_solve(&lone, &fine, MPI_COMM_SELF, 7, NULL));
    for (int a = 0; a < MEDIUM_ARRAYS; a++) lone.wanted[a] = true;
    CHECK_OK(lone.type->observe(lone.solver, lone.state, lone.wanted, &lone.frame));
    /* this rank's even slice of every grid array */
    slice = lone.frame;
    memcpy(blocks, lone.blocks, sizeof blocks);
    slice.blocks = blocks;
    for (int a = 0; a < MEDIUM_ARRAYS; a++) {
        const locum_schema *schema = lone.type->schema(lone.solver);
        if (schema->domains[schema->arrays[a].domain].support != LOCUM_GRID) continue;
        blocks[a].first[0] = 50 * rank / size;
        blocks[a].n[0] = 50 * (rank + 1) / size - blocks[a].first[0];
        blocks[a].data =
            (const double *)blocks[a].data + blocks[a].first[0] * 50 * locum_array_components(&schema->arrays[a]);
    }
    all.frame.blocks = all.blocks;
    alone.frame.blocks = alone.blocks;
    CHECK_OK(locum_solver_darcy.create(&coarse, NULL, MPI_COMM_WORLD, &all.solver));
    CHECK_OK(locum_solver_darcy.create(&coarse, NULL, MPI_COMM_SELF, &alone.solver));
    CHECK_OK(locum_solver_darcy.resample(all.solver, &slice, &all.frame));
    CHECK_OK(locum_solver_darcy.resample(alone.solver, &lone.frame, &alone.frame));
    for (int a = 0; a < MEDIUM_ARRAYS; a++) {
        const locum_schema *schema = lone.type->schema(lone.solver);
        const locum_block *b = &all.blocks[a];
        const int64_t row = b->n[1] * b->n[2] * locum_array_components(&schema->arrays[a]);
        CU_ASSERT_FATAL(b->data != NULL && alone.blocks[a].data != NULL);
        CU_ASSERT(!memcmp(b->data, (const double *)alone.blocks[a].data + b->first[0] * row,
                          (size_t)(b->n[0] * row) * sizeof(double)));
    }
    locum_solver_darcy.destroy(all.solver);
    locum_solver_darcy.destroy(alone.solver);
    medium_end(&lone);
}

static void fewer_rows_than_ranks_are_refused_by_all(void)
{
    locum_solver *solver = NULL;
    int size;
    locum_darcy_config c = medium_config(4);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    locum_status st = locum_solver_darcy.create(&c, NULL, MPI_COMM_WORLD, &solver);
    CU_ASSERT(st == (size > 4 ? LOCUM_STUDY : LOCUM_OK));
    locum_solver_darcy.destroy(solver);
}

MEDIUM_MAIN("darcy, ranks", {"results do not depend on ranks", results_do_not_depend_on_ranks},
            {"a sample solved again has the same bits", a_sample_solved_again_has_the_same_bits},
            {"resampled frames do not depend on ranks", resampled_frames_do_not_depend_on_ranks},
            {"fewer rows than ranks are refused by all", fewer_rows_than_ranks_are_refused_by_all})
