/* SPDX-License-Identifier: BSD-3-Clause */
/* darcy_config.c - options, what ranges cannot say about them, and what a sample costs. Needs no PETSc. */
#include "darcy_config.h"

#include <math.h>

#include "locum/dev/error.h"

#define PLACE(field) offsetof(locum_darcy_config, field)

/* clang-format off */
static const locum_choice preconditioner_choices[] = {
    {"gamg", "algebraic multigrid by smoothed aggregation, PETSc's own", NULL},
    {"hypre", "algebraic multigrid BoomerAMG, where PETSc was built with hypre", NULL},
    {"jacobi", "the diagonal: iterations grow with the resolution", NULL},
    {0}};

const locum_option locum_darcy_options[] = {
    {.name = "resolution", .type = LOCUM_I32, .place = PLACE(resolution), .value = 64, .min = 4, .max = 32768,
     .unit = "1", .text = "cells along x and along y"},
    {.name = "source", .type = LOCUM_F64, .place = PLACE(source), .value = 1, .min = -INFINITY, .max = INFINITY,
     .unit = "1", .flags = LOCUM_PARAMETER | LOCUM_OPEN_MIN | LOCUM_OPEN_MAX,
     .text = "f, uniform; a factor of the array `source` where an initial frame has one"},
    {.name = "preconditioner", .type = LOCUM_CHOICE, .place = PLACE(preconditioner), .value = LOCUM_DARCY_GAMG,
     .text = "of the conjugate gradients", .choices = preconditioner_choices},
    {.name = "tolerance", .type = LOCUM_F64, .place = PLACE(tolerance), .value = 1e-6, .min = 1e-14, .max = 0.1,
     .unit = "1", .text = "the iteration ends when the residual is this fraction of the source"},
    {.name = "most_iterations", .type = LOCUM_I32, .place = PLACE(most_iterations), .value = 200, .min = 1, .max = 1e6,
     .unit = "1", .text = "iterations after which a sample has failed"},
    {.name = "petsc", .type = LOCUM_PAIRS, .place = PLACE(petsc), .n_max = LOCUM_LIST_MAX, .place_n = PLACE(n_petsc),
     .text = "options of PETSc without the dash, {ksp_type: cg, pc_gamg_threshold: 0.02}; they win over the ones above"},
    {0}};

#define FIELD_OPTIONS                                                                                               \
    {.name = "alpha", .type = LOCUM_F64, .place = PLACE(alpha), .value = 2, .min = 1, .max = 20, .unit = "1",       \
     .flags = LOCUM_PARAMETER | LOCUM_OPEN_MIN,                                                                     \
     .text = "smoothness of the Gaussian field, covariance (tau^2 - lap)^-alpha"},                                  \
    {.name = "tau", .type = LOCUM_F64, .place = PLACE(tau), .value = 3, .min = 0, .max = 1e4, .unit = "1",          \
     .flags = LOCUM_PARAMETER, .text = "inverse length of the Gaussian field"},                                     \
    {.name = "waves", .type = LOCUM_I32, .place = PLACE(waves), .value = 256, .min = 2, .max = 4096, .unit = "1",   \
     .text = "half waves along x and y that the field is made of, at every resolution"}

static const locum_option thresholded_options[] = {
    {.name = "high", .type = LOCUM_F64, .place = PLACE(high), .value = 12, .min = 0, .max = INFINITY, .unit = "1",
     .flags = LOCUM_PARAMETER | LOCUM_OPEN_MIN | LOCUM_OPEN_MAX, .text = "a where the Gaussian field is not negative"},
    {.name = "low", .type = LOCUM_F64, .place = PLACE(low), .value = 3, .min = 0, .max = INFINITY, .unit = "1",
     .flags = LOCUM_PARAMETER | LOCUM_OPEN_MIN | LOCUM_OPEN_MAX, .text = "a elsewhere"},
    FIELD_OPTIONS,
    {0}};

static const locum_option lognormal_options[] = {
    {.name = "median", .type = LOCUM_F64, .place = PLACE(median), .value = 1, .min = 0, .max = INFINITY, .unit = "1",
     .flags = LOCUM_PARAMETER | LOCUM_OPEN_MIN | LOCUM_OPEN_MAX, .text = "of a"},
    {.name = "deviation", .type = LOCUM_F64, .place = PLACE(deviation), .value = 1, .min = 0, .max = 10, .unit = "1",
     .flags = LOCUM_PARAMETER, .text = "standard deviation of log a, averaged over the square"},
    FIELD_OPTIONS,
    {0}};

static const locum_option constant_options[] = {
    {.name = "value", .type = LOCUM_F64, .place = PLACE(value), .value = 1, .min = 0, .max = INFINITY, .unit = "1",
     .flags = LOCUM_PARAMETER | LOCUM_OPEN_MIN | LOCUM_OPEN_MAX, .text = "of a"},
    {0}};

static const locum_option file_options[] = {
    {.name = "file", .type = LOCUM_PATH, .place = PLACE(file), .string = "", .flags = LOCUM_REQUIRED,
     .text = "file with a coefficient at cell centres of the unit square"},
    {.name = "dataset", .type = LOCUM_STRING, .place = PLACE(dataset), .string = "coefficient",
     .text = "name of the dataset in it, (n, n), x first; positive"},
    {.name = "format", .type = LOCUM_STRING, .place = PLACE(format), .string = "",
     .text = "format of the file: hdf5, locum; not given: found out from the file"},
    {0}};

static const locum_choice initial_choices[] = {
    {"thresholded", "two values by the sign of a Gaussian field (Li et al. 2021): same seed, same medium at every resolution",
     thresholded_options},
    {"lognormal", "the exponential of a Gaussian field", lognormal_options},
    {"constant", "the same everywhere", constant_options},
    {"file", "a coefficient from a file", file_options},
    {0}};

const locum_option locum_darcy_initial_options[] = {
    {.name = "name", .type = LOCUM_CHOICE, .place = PLACE(initial), .value = LOCUM_DARCY_THRESHOLDED,
     .text = "where the coefficient a comes from", .choices = initial_choices},
    {0}};
/* clang-format on */

static bool positive(double value)
{
    return isfinite(value) && value > 0;
}

static locum_status check_medium(const locum_darcy_config *c)
{
    bool thresholded = c->initial == LOCUM_DARCY_THRESHOLDED, lognormal = c->initial == LOCUM_DARCY_LOGNORMAL;
    LOCUM_REQUIRE(!thresholded || (positive(c->high) && positive(c->low)), LOCUM_STUDY,
                  "darcy: high %g and low %g must be positive", c->high, c->low);
    LOCUM_REQUIRE(!lognormal || (positive(c->median) && c->deviation >= 0 && isfinite(c->deviation)), LOCUM_STUDY,
                  "darcy: median %g must be positive, deviation %g not negative", c->median, c->deviation);
    LOCUM_REQUIRE(c->initial != LOCUM_DARCY_CONSTANT || positive(c->value), LOCUM_STUDY,
                  "darcy: the value %g of the coefficient must be positive", c->value);
    LOCUM_REQUIRE(!(thresholded || lognormal) || (c->alpha > 1 && isfinite(c->alpha) && c->tau >= 0), LOCUM_STUDY,
                  "darcy: alpha %g must be larger than 1 and tau %g not negative", c->alpha, c->tau);
    return LOCUM_OK;
}

locum_status locum_darcy_check(const void *config)
{
    const locum_darcy_config *c = config;
    LOCUM_REQUIRE(c->resolution >= 4 && c->resolution <= 32768, LOCUM_STUDY,
                  "darcy: resolution %d must lie between 4 and 32768", c->resolution);
    LOCUM_REQUIRE(isfinite(c->source), LOCUM_STUDY, "darcy: source %g must be finite", c->source);
    LOCUM_REQUIRE(c->tolerance > 0 && c->tolerance < 1, LOCUM_STUDY, "darcy: tolerance %g must lie between 0 and 1",
                  c->tolerance);
    for (int i = 0; i < c->n_petsc; i++)
        LOCUM_REQUIRE(c->petsc[i][0] != '-', LOCUM_STUDY, "darcy: petsc: write `%s` without the dash", c->petsc[i]);
    return check_medium(c);
}

/* Measured for gamg and for hypre: about 2,500 operations and 1 kB a cell. The field takes waves operations a cell and
 * more for few cells. */
locum_status locum_darcy_estimate(const void *config, int ranks, locum_cost *cost)
{
    const locum_darcy_config *c = config;
    LOCUM_TRY(locum_darcy_check(config));
    const double n = c->resolution, cells = n * n, waves = c->waves;
    const bool field = c->initial == LOCUM_DARCY_THRESHOLDED || c->initial == LOCUM_DARCY_LOGNORMAL;
    cost->steps = 1;
    cost->operations = 2500 * cells + (field ? 2 * waves * n * (n + waves) : 0);
    cost->bytes_per_rank = 1000 * cells / ranks + (field ? 16 * waves * n : 0) + 1e6;
    return LOCUM_OK;
}
