/* SPDX-License-Identifier: BSD-3-Clause */
/* fixture.h - what the tests of the campaign share: a study with one of the minimal solvers, a folder of its own, an
 * MPI main. */
#ifndef TESTS_UNIT_CAMPAIGN_FIXTURE_H
#define TESTS_UNIT_CAMPAIGN_FIXTURE_H

#include <string.h>
#include <unistd.h>

#include "core/failpoint.h"
#include "core/study/commit.h"
#include "datasets/campaign/campaign.h"
#include "tests/conformance/solvers/test_solvers.h"
#include "tests/unit/campaign/leaks.h"
#include "tests/unit/check.h"

static const locum_solver_type *const test_solvers[] = {&locum_solver_quadrature, &locum_solver_free_particles,
                                                        &locum_solver_grid_advection, NULL};

typedef struct fixture {
    locum_study *study;
    locum_setup setup;
    locum_campaign_plan *plan;
    locum_status status;
} fixture;

/* reads a study; with_campaign makes its plan too. status tells what failed. */
static inline fixture fixture_read(const char *text, bool with_campaign)
{
    fixture f = {0};

    f.status = locum_study_parse(text, "study.yaml", 0, NULL, &f.study);
    if (!f.status) f.status = locum_setup_read(f.study, test_solvers, with_campaign, &f.setup);
    if (!f.status && with_campaign) f.status = locum_campaign_plan_create(f.study, &f.setup, &f.plan);
    return f;
}

static inline void fixture_free(fixture *f)
{
    locum_campaign_plan_destroy(f->plan);
    locum_study_destroy(f->study);
    *f = (fixture){0};
}

/* memory where there is such a folder: fsync costs nothing there */
static inline void fixture_folder(char folder[LOCUM_PATH_SIZE])
{
    int rank;

    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    snprintf(folder, LOCUM_PATH_SIZE, "%s/locum-test-XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    if (rank == 0 && !mkdtemp(folder)) folder[0] = 0;
    MPI_Bcast(folder, LOCUM_PATH_SIZE, MPI_BYTE, 0, MPI_COMM_WORLD);
}

/* the claims on all ranks; rank 0 prints. folder: NULL, or gets a folder that is removed at the end. */
static inline int fixture_main(int *argc, char ***argv, const char *suite, const check_entry *entries, int n,
                               char *folder)
{
    int rank, failed;

    leaks_begin(argc, argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    locum_failpoint_rank(rank);
    locum_store_setup();
    if (folder) fixture_folder(folder);
    if (rank != 0 && !getenv("LOCUM_TEST_ALL_RANKS") && !freopen("/dev/null", "w", stdout)) return 1;
    failed = check_run(suite, entries, n) | leaks_found();
    MPI_Allreduce(MPI_IN_PLACE, &failed, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD);
    if (rank == 0 && folder && locum_remove_tree(folder)) failed = 1;
    MPI_Finalize();
    return failed;
}

/* all samples of two datasets are the same bits */
static inline void fixture_compare(const char *a, const char *b, int64_t n_samples)
{
    locum_dataset *x = NULL, *y = NULL;

    CHECK_OK(locum_dataset_open(a, &x));
    CHECK_OK(locum_dataset_open(b, &y));
    if (!x || !y) return;
    const locum_schema *schema = locum_dataset_schema(x);
    CU_ASSERT(locum_dataset_n(x) == n_samples && locum_dataset_n(y) == n_samples);
    for (int64_t s = 0; s < n_samples && s < locum_dataset_n(x) && s < locum_dataset_n(y); s++) {
        const locum_dataset_sample *p = locum_dataset_sample_at(x, s), *q = locum_dataset_sample_at(y, s);
        size_t bytes = (size_t)locum_dataset_n_parameters(x) * sizeof(double);
        CU_ASSERT_FATAL(p->index == q->index && p->seed == q->seed && p->split == q->split && p->twin == q->twin);
        CU_ASSERT_FATAL(p->failed == q->failed && p->n_frames == q->n_frames &&
                        !memcmp(p->parameter, q->parameter, bytes));
        for (int64_t f = 0; f < p->n_frames; f++)
            for (int k = 0; k < schema->n_arrays; k++) {
                int64_t n = locum_dataset_count(x, s, f, k);
                CU_ASSERT_FATAL(n == locum_dataset_count(y, s, f, k));
                double *u = calloc((size_t)n + 1, sizeof *u), *v = calloc((size_t)n + 1, sizeof *v);
                CHECK_OK(locum_dataset_read(x, s, f, k, u));
                CHECK_OK(locum_dataset_read(y, s, f, k, v));
                CU_ASSERT(!memcmp(u, v, (size_t)n * sizeof *u));
                free(u);
                free(v);
            }
    }
    locum_dataset_close(x);
    locum_dataset_close(y);
}

#endif
