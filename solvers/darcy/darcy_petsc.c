/* SPDX-License-Identifier: BSD-3-Clause */
/* darcy_petsc.c - PETSc's life in our process, its errors as ours, its options from the study alone.
 *
 *      setup     once, before groups split: PETSC_COMM_WORLD = world, no signal handler, no .petscrc, no arguments.
 *                A host that has initialised PETSc keeps it as it is, and finish() leaves it alone.
 *      enter     the solver's own PetscOptions becomes the default (so that multigrid's inner solvers, which PETSc makes
 *                by itself, read it too), and errors come to us: the first word of PETSc is kept as our message.
 *      leave     what was there before is there again.
 *
 * Who initialised PETSc is noted in PETSc's own global options: we have no variables. What the environment's
 * PETSC_OPTIONS switches on while PETSc starts (logging, memory checks) stays on; its solver options reach nobody here. */
#include <string.h>

#include "core/text.h"
#include "darcy_internal.h"

#define OWNER_MARK "-locum_initialised_petsc"

/* the BLAS of PETSc's vectors, where it is OpenBLAS: one thread a rank, as everywhere */
extern void openblas_set_num_threads(int n) __attribute__((weak));

static locum_status status_of(PetscErrorCode code)
{
    switch ((int)code) {
    case 0: return LOCUM_OK;
    case PETSC_ERR_MEM: return LOCUM_MEMORY;
    case PETSC_ERR_NOT_CONVERGED:
    case PETSC_ERR_CONV_FAILED: return LOCUM_CONVERGENCE;
    case PETSC_ERR_FP:
    case PETSC_ERR_MAT_LU_ZRPVT:
    case PETSC_ERR_MAT_CH_ZRPVT: return LOCUM_NUMERIC;
    case PETSC_ERR_USER:
    case PETSC_ERR_USER_INPUT:
    case PETSC_ERR_SUP:
    case PETSC_ERR_ARG_WRONG:
    case PETSC_ERR_ARG_OUTOFRANGE:
    case PETSC_ERR_ARG_INCOMP:
    case PETSC_ERR_ARG_UNKNOWN_TYPE: return LOCUM_STUDY; /* what we pass ourselves is tested: these come from `petsc` */
    default: return LOCUM_INTERNAL;
    }
}

/* the first report of an error says what is wrong; those that follow only say who called whom */
static PetscErrorCode keep_text(MPI_Comm comm, int line, const char *function, const char *file, PetscErrorCode code,
                                PetscErrorType kind, const char *text, void *self)
{
    const char *name = file ? strrchr(file, '/') : NULL;
    (void)comm;
    (void)self;
    if (kind == PETSC_ERROR_INITIAL) {
        locum_status kept = locum_fail(status_of(code), name ? name + 1 : "petsc", line, "darcy: PETSc: %s: %s",
                                       function ? function : "?", text ? text : "no text");
        (void)kept;
    }
    return code;
}

locum_status locum_darcy_petsc_status(PetscErrorCode code)
{
    const char *text = NULL;
    locum_status st = status_of(code);
    if (!st) return LOCUM_OK;
    if (strstr(locum_status_message(), "darcy: PETSc: ")) return st;
    if (PetscErrorMessage(code, &text, NULL)) text = NULL;
    return LOCUM_FAIL(st, "darcy: PETSc: error %d: %s", (int)code, text ? text : "no text");
}

locum_status locum_darcy_setup(MPI_Comm world)
{
    char name[] = "locum", no_file[] = "-skip_petscrc", no_signals[] = "-no_signal_handler";
    char *list[] = {name, no_file, no_signals, NULL}, **arguments = list;
    int n = 3;
    PetscBool there = PETSC_FALSE;
    locum_status_clear();
    LOCUM_TRY(PETSC_STATUS(PetscInitialized(&there)));
    if (there) return LOCUM_OK;
    PETSC_COMM_WORLD = world;
    LOCUM_TRY(PETSC_STATUS(PetscInitialize(&n, &arguments, NULL, NULL)));
    LOCUM_TRY(PETSC_STATUS(PetscOptionsClear(NULL)));
    LOCUM_TRY(PETSC_STATUS(PetscOptionsSetValue(NULL, OWNER_MARK, "1")));
    if (openblas_set_num_threads) openblas_set_num_threads(1);
    return LOCUM_OK;
}

void locum_darcy_finish(void)
{
    PetscBool there = PETSC_FALSE, finished = PETSC_FALSE, ours = PETSC_FALSE;
    if (PetscInitialized(&there) || PetscFinalized(&finished) || !there || finished) return;
    if (PetscOptionsHasName(NULL, NULL, OWNER_MARK, &ours) || !ours) return;
    PetscErrorCode code = PetscFinalize(); /* nobody is left who could hear of a failure */
    (void)code;
}

static bool gives(const locum_darcy_config *config, const char *key)
{
    const size_t length = strlen(key);
    for (int i = 0; i < config->n_petsc; i++)
        if (strcspn(config->petsc[i], " ") == length && !strncmp(config->petsc[i], key, length)) return true;
    return false;
}

/* What can be chosen by options only. With SOR as smoother and no aggressive coarsening gamg's iterations hardly grow with
 * the resolution (8 to 9 from 64^2 to 512^2, 13 to 16 without). On several ranks the coarse matrices must not depend on the
 * order in which messages arrive: PETSc's usual product adds what comes as it comes, `allatonce` does not (the same bits
 * 40 times of 40 on 4 ranks, 2 of 40 without). */
static locum_status choose_gamg(const locum_darcy_config *config, int size, PetscOptions options)
{
    static const char *const choices[][2] = {
        {"-mg_levels_pc_type", PCSOR}, {"-pc_gamg_aggressive_coarsening", "0"}, {"-matptap_via", "allatonce"}};
    if (config->preconditioner != LOCUM_DARCY_GAMG || gives(config, "pc_type")) return LOCUM_OK;
    for (int i = 0; i < (size > 1 ? 3 : 2); i++)
        if (!gives(config, choices[i][0] + 1))
            LOCUM_TRY(PETSC_STATUS(PetscOptionsSetValue(options, choices[i][0], choices[i][1])));
    return LOCUM_OK;
}

locum_status locum_darcy_options_create(const locum_darcy_config *config, int size, PetscOptions *options)
{
    char key[LOCUM_TEXT_SIZE + 2];
    *options = NULL;
    locum_status_clear();
    LOCUM_TRY(PETSC_STATUS(PetscOptionsCreate(options)));
    LOCUM_TRY(choose_gamg(config, size, *options));
    for (int i = 0; i < config->n_petsc; i++) {
        const char *pair = config->petsc[i];
        const int length = (int)strcspn(pair, " ");
        locum_format(key, sizeof key, "-%.*s", length, pair);
        LOCUM_TRY(PETSC_STATUS(PetscOptionsSetValue(*options, key, pair[length] ? pair + length + 1 : NULL)));
    }
    return LOCUM_OK;
}

locum_status locum_darcy_options_left(PetscOptions options)
{
    char list[256] = "", **names = NULL, **values = NULL;
    size_t used = 0;
    PetscInt n = 0;
    LOCUM_TRY(PETSC_STATUS(PetscOptionsLeftGet(options, &n, &names, &values)));
    for (PetscInt i = 0; i < n && used < sizeof list; i++)
        used += (size_t)locum_format(list + used, sizeof list - used, "%s%s", i ? ", " : "", names[i]);
    locum_status st = PETSC_STATUS(PetscOptionsLeftRestore(options, &n, &names, &values));
    if (!st && used)
        st =
            LOCUM_FAIL(LOCUM_STUDY,
                       "darcy: petsc: the linear solver asks for no option %s (see PETSc's manual pages of KSP and PC; "
                       "an option of another ksp_type or pc_type than the one in use counts as unknown)",
                       list);
    return st;
}

locum_status locum_darcy_enter(PetscOptions options)
{
    PetscBool there = PETSC_FALSE, finished = PETSC_FALSE;
    locum_status_clear();
    LOCUM_TRY(PETSC_STATUS(PetscInitialized(&there)));
    LOCUM_TRY(PETSC_STATUS(PetscFinalized(&finished)));
    LOCUM_REQUIRE(there && !finished, LOCUM_INTERNAL,
                  "darcy: PETSc is not initialised: call the solver's setup() once, before groups split");
    LOCUM_TRY(PETSC_STATUS(PetscPushErrorHandler(keep_text, NULL)));
    PetscErrorCode code = PetscOptionsPush(options), popped = code ? PetscPopErrorHandler() : code;
    (void)popped;
    return PETSC_STATUS(code);
}

void locum_darcy_leave(void)
{
    PetscErrorCode options = PetscOptionsPop(), handler = PetscPopErrorHandler();
    (void)options;
    (void)handler;
}
