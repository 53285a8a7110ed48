/* SPDX-License-Identifier: BSD-3-Clause */
/* test_darcy_campaign.c - a campaign of darcy: samples whose linear solver did not converge are recorded with the reason and
 * the campaign goes on; a finer solution is stored on a coarser grid. */
#include <unistd.h>

#include "core/study/commit.h"
#include "datasets/campaign/campaign.h"
#include "tests/physics/darcy/medium.h"

static char folder[LOCUM_PATH_SIZE];
static const locum_solver_type *const solvers[] = {&locum_solver_darcy, NULL};

/* generates `text` as dataset `name`; NULL if that fails */
static locum_dataset *generate(const char *text, const char *name, int64_t *done, int64_t *failed)
{
    char path[LOCUM_PATH_SIZE + 64];
    locum_study *study = NULL;
    locum_setup setup;
    locum_campaign_plan *plan = NULL;
    locum_dataset *dataset = NULL;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    locum_status st = locum_study_parse(text, "study.yaml", 0, NULL, &study);
    if (!st) st = locum_setup_read(study, solvers, true, &setup);
    if (!st) st = locum_campaign_plan_create(study, &setup, &plan);
    locum_generate_call call = {.study = study,
                                .setup = &setup,
                                .plan = plan,
                                .dataset = path,
                                .options_hash = 5,
                                .n_shards = 1,
                                .world = MPI_COMM_WORLD};
    if (!st) st = locum_generate(&call, done, failed);
    if (!st) st = locum_dataset_open(path, &dataset);
    CHECK_OK(st);
    locum_campaign_plan_destroy(plan);
    locum_study_destroy(study);
    return dataset;
}

/* without a source the first residual is 0: that sample converges, in no iteration; the others may make one */
static void a_sample_that_does_not_converge_is_recorded(void)
{
    int64_t done = 0, failed = 0;
    locum_dataset *dataset = generate("study: f\nseed: 2\nsolver: {name: darcy, resolution: 12, most_iterations: 1}\n"
                                      "initial: {name: thresholded, waves: 8}\n"
                                      "campaign: {split: {train: 3, test: 1}, vary: {source: [1, 0, 2, 3]}}\n",
                                      "hard", &done, &failed);
    CU_ASSERT(done == 4 && failed == 3);
    for (int64_t i = 0; dataset && i < 4; i++) {
        const locum_dataset_sample *sample = locum_dataset_sample_at(dataset, i);
        CU_ASSERT(sample->failed == (sample->parameter[0] != 0));
        if (sample->failed) CU_ASSERT(strstr(sample->reason, "DIVERGED_ITS after 1 iteration") != NULL);
    }
    if (dataset) locum_dataset_close(dataset);
}

static void a_finer_solution_is_stored_on_a_coarser_grid(void)
{
    int64_t done = 0, failed = 0;
    locum_dataset *dataset =
        generate("study: c\nseed: 2\nsolver: {name: darcy, resolution: 33}\n"
                 "initial: {name: thresholded, waves: 8}\n"
                 "record: {resolution: 10, observe: [coefficient, solution, mean_solution], precision: float64}\n"
                 "campaign: {split: {train: 2}, vary: {source: [1, 2]}}\n",
                 "coarse", &done, &failed);
    CU_ASSERT(done == 2 && failed == 0);
    double a[100], u[100];
    for (int64_t b = 0; dataset && b < 2; b++) {
        const locum_schema *schema = locum_dataset_schema(dataset);
        CU_ASSERT_FATAL(locum_dataset_count(dataset, b, 0, locum_schema_find(schema, "solution")) == 100);
        CHECK_OK(locum_dataset_read(dataset, b, 0, locum_schema_find(schema, "coefficient"), a));
        CHECK_OK(locum_dataset_read(dataset, b, 0, locum_schema_find(schema, "solution"), u));
        for (int i = 0; i < 100; i++) CU_ASSERT((a[i] == 3 || a[i] == 12) && u[i] > 0 && u[i] < 0.1);
    }
    if (dataset) locum_dataset_close(dataset);
}

int main(int argc, char **argv)
{
    static const check_entry entries[] = {
        {"a sample that does not converge is recorded", a_sample_that_does_not_converge_is_recorded},
        {"a finer solution is stored on a coarser grid", a_finer_solution_is_stored_on_a_coarser_grid}};
    int rank;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    locum_store_setup();
    int failed = locum_solver_darcy.setup(MPI_COMM_WORLD) != LOCUM_OK;
    snprintf(folder, sizeof folder, "%s/locum-darcy-XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    if (rank == 0 && !mkdtemp(folder)) folder[0] = 0;
    MPI_Bcast(folder, sizeof folder, MPI_BYTE, 0, MPI_COMM_WORLD);
    failed |= check_run("darcy, campaigns", entries, (int)(sizeof entries / sizeof entries[0]));
    MPI_Allreduce(MPI_IN_PLACE, &failed, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD);
    if (rank == 0 && locum_remove_tree(folder)) failed = 1;
    locum_solver_darcy.finish();
    MPI_Finalize();
    return failed;
}
