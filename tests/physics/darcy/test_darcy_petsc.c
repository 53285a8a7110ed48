/* SPDX-License-Identifier: BSD-3-Clause */
/* test_darcy_petsc.c - PETSc in our process: it is initialised once and finished, or a host's is left as it was; options
 * come from the study alone, those that nobody asks for are named; its errors are ours. */
#include <petscksp.h>
#include <signal.h>
#include <unistd.h>

#include "tests/physics/darcy/medium.h"

static locum_status solve_16(const char *const *pairs, int preconditioner, int *iterations)
{
    medium m;
    locum_darcy_config c = medium_config(16);
    c.preconditioner = preconditioner;
    c.waves = 16;
    for (; pairs && *pairs; pairs++) medium_option(&c, *pairs);
    locum_status st = medium_solve(&m, &c, MPI_COMM_WORLD, 1, NULL);
    if (!st) *iterations = (int)medium_value(&m, "iterations");
    medium_end(&m);
    return st;
}

static bool is_initialised(void)
{
    PetscBool there = PETSC_FALSE, finished = PETSC_FALSE;
    CU_ASSERT(!PetscInitialized(&there) && !PetscFinalized(&finished));
    return there && !finished;
}

static bool in_database(const char *option)
{
    PetscBool there = PETSC_FALSE;
    CU_ASSERT(!PetscOptionsHasName(NULL, NULL, option, &there));
    return there;
}

/* before anything else: nobody has initialised PETSc */
static void without_setup_the_message_says_what_is_missing(void)
{
    int n;
    CHECK_FAILS(solve_16(NULL, LOCUM_DARCY_GAMG, &n), LOCUM_INTERNAL);
    CU_ASSERT(strstr(locum_status_message(), "setup") != NULL);
}

/* a file, the environment and signals: what PETSc would take if it were let */
static void setup_takes_no_options_and_no_signals(void)
{
    char folder[] = "/tmp/locum-darcy-XXXXXX", here[1024];
    struct sigaction before, after;
    int n = 0;
    CU_ASSERT_FATAL(getcwd(here, sizeof here) && mkdtemp(folder) && !chdir(folder));
    FILE *file = fopen(".petscrc", "w");
    CU_ASSERT_FATAL(file != NULL);
    fputs("-from_file 1\n-ksp_max_it 1\n", file);
    fclose(file);
    setenv("PETSC_OPTIONS", "-from_environment 1 -ksp_max_it 1", 1);
    sigaction(SIGFPE, NULL, &before);
    CHECK_OK(locum_solver_darcy.setup(MPI_COMM_WORLD));
    sigaction(SIGFPE, NULL, &after);
    unsetenv("PETSC_OPTIONS");
    CU_ASSERT(before.sa_handler == after.sa_handler);
    CU_ASSERT(is_initialised());
    CU_ASSERT(!in_database("-from_file") && !in_database("-from_environment") && !in_database("-ksp_max_it"));
    CHECK_OK(solve_16(NULL, LOCUM_DARCY_GAMG, &n));
    CU_ASSERT(n > 1);
    CU_ASSERT(!unlink(".petscrc") && !chdir(here) && !rmdir(folder));
}

static void options_of_the_study_win(void)
{
    static const char *const looser[] = {"ksp_rtol 1e-2", NULL};
    int as_usual = 0, loose = 0;
    CHECK_OK(solve_16(NULL, LOCUM_DARCY_JACOBI, &as_usual));
    CHECK_OK(solve_16(looser, LOCUM_DARCY_JACOBI, &loose));
    CU_ASSERT(loose > 0 && loose < as_usual);
    int again = 0; /* and they were those of one solver only */
    CHECK_OK(solve_16(NULL, LOCUM_DARCY_JACOBI, &again));
    CU_ASSERT(again == as_usual);
}

static void options_that_nobody_asks_for_are_named(void)
{
    static const char *const wrong[] = {"ksp_tipe cg", "mg_levels_pc_type jacobi", "nonsense", NULL};
    static const char *const of_another[] = {"pc_gamg_threshold 0.1", NULL};
    int n;
    CHECK_FAILS(solve_16(wrong, LOCUM_DARCY_GAMG, &n), LOCUM_STUDY);
    CU_ASSERT(strstr(locum_status_message(), "ksp_tipe") && strstr(locum_status_message(), "nonsense"));
    CU_ASSERT(!strstr(locum_status_message(), "mg_levels")); /* of solvers that multigrid makes, and known */
    CHECK_FAILS(solve_16(of_another, LOCUM_DARCY_JACOBI, &n), LOCUM_STUDY);
    CU_ASSERT(strstr(locum_status_message(), "pc_gamg_threshold") != NULL);
    CHECK_OK(solve_16(of_another, LOCUM_DARCY_GAMG, &n));
}

static void errors_of_petsc_are_ours(void)
{
    static const char *const type[] = {"pc_type magic", NULL}, *const number[] = {"ksp_rtol tiny", NULL};
    int n;
    CHECK_FAILS(solve_16(type, LOCUM_DARCY_GAMG, &n), LOCUM_STUDY);
    CU_ASSERT(strstr(locum_status_message(), "magic") != NULL);
    CHECK_FAILS(solve_16(number, LOCUM_DARCY_GAMG, &n), LOCUM_STUDY);
    CU_ASSERT(strstr(locum_status_message(), "tiny") != NULL);
    CHECK_OK(solve_16(NULL, LOCUM_DARCY_GAMG, &n)); /* and nothing is left of them */
}

static void no_convergence_is_told_with_reason_and_residual(void)
{
    static const char *const few[] = {"ksp_max_it 2", NULL};
    int n;
    CHECK_FAILS(solve_16(few, LOCUM_DARCY_JACOBI, &n), LOCUM_CONVERGENCE);
    CU_ASSERT(strstr(locum_status_message(), "DIVERGED_ITS after 2 iterations") != NULL);
    CU_ASSERT(strstr(locum_status_message(), "of the source (tolerance 1e-06") != NULL);
}

static void finish_ends_what_setup_began(void)
{
    locum_solver_darcy.finish();
    CU_ASSERT(!is_initialised());
    locum_solver_darcy.finish(); /* twice is harmless */
}

static PetscErrorCode of_host(MPI_Comm comm, int line, const char *function, const char *file, PetscErrorCode code,
                              PetscErrorType kind, const char *text, void *count)
{
    (void)comm, (void)line, (void)function, (void)file, (void)kind, (void)text;
    ++*(int *)count;
    return code;
}

/* a host with options and an error handler of its own */
static void a_host_that_initialised_petsc_keeps_it(void)
{
    int n = 0, called = 0;
    static const char *const type[] = {"pc_type magic", NULL};
    CU_ASSERT_FATAL(!PetscInitializeNoArguments());
    CU_ASSERT(!PetscOptionsSetValue(NULL, "-ksp_max_it", "1") && !PetscPushErrorHandler(of_host, &called));
    CHECK_OK(locum_solver_darcy.setup(MPI_COMM_WORLD));
    CHECK_OK(solve_16(NULL, LOCUM_DARCY_GAMG, &n));
    CU_ASSERT(n > 1); /* the host's options are not ours */
    CHECK_FAILS(solve_16(type, LOCUM_DARCY_GAMG, &n), LOCUM_STUDY);
    CU_ASSERT(called == 0); /* our errors are not the host's */
    locum_solver_darcy.finish();
    CU_ASSERT(is_initialised() && in_database("-ksp_max_it"));
    CU_ASSERT(PetscOptionsSetValue(NULL, "no dash", "1") != 0 && called > 0); /* the host's handler is in its place */
    CU_ASSERT(!PetscPopErrorHandler() && !PetscFinalize());
}

int main(int argc, char **argv)
{
    static const check_entry entries[] = {
        {"without setup the message says what is missing", without_setup_the_message_says_what_is_missing},
        {"setup takes no options and no signals", setup_takes_no_options_and_no_signals},
        {"options of the study win", options_of_the_study_win},
        {"options that nobody asks for are named", options_that_nobody_asks_for_are_named},
        {"errors of PETSc are ours", errors_of_petsc_are_ours},
        {"no convergence is told with reason and residual", no_convergence_is_told_with_reason_and_residual},
        {"finish ends what setup began", finish_ends_what_setup_began},
        {"a host that initialised PETSc keeps it", a_host_that_initialised_petsc_keeps_it}};
    MPI_Init(&argc, &argv);
    int failed = check_run("darcy, PETSc", entries, (int)(sizeof entries / sizeof entries[0]));
    MPI_Allreduce(MPI_IN_PLACE, &failed, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD);
    MPI_Finalize();
    return failed;
}
