/* SPDX-License-Identifier: BSD-3-Clause */
/* external_declare.c - the option table: what every external program has, and what the study adds to it.
 *
 *     solver: {run, frames, ...}   fixed        {parameters: {...}, fields: {...}}   one option each, made here
 * A parameter is known by its own name, so that `vary: {conductivity: ...}` works as for any solver. Names travel in
 * the config as hidden options: a config is plain data that says everything. */
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "solvers/external/external_internal.h"

#define PLACE(member) offsetof(external_config, member)

const char *const locum_external_formats[] = {"hdf5", "csv"};

static const locum_choice formats[] = {
    {"hdf5", "a dataset for each field, named after it: [shape], or [frames, shape] if one file holds all frames",
     NULL},
    {"csv", "a line for each frame; columns NAME, or NAME[0], NAME[1], ...", NULL},
    {0},
};
static const locum_choice keeps[] = {
    {"all", "everything that the program wrote", NULL},
    {"log", "log and parameters; files with frames are removed once they are read", NULL},
    {0},
};
static const locum_choice sides[] = {
    {"periodic", "points at i L / n", NULL},
    {"wall", "points at i L / (n - 1)", NULL},
    {"open", "points at i L / (n - 1)", NULL},
    {0},
};

const locum_option locum_external_options[] = {
    {.name = "run",
     .type = LOCUM_STRING,
     .place = PLACE(run),
     .n_max = LOCUM_LIST_MAX,
     .place_n = PLACE(n_run),
     .text = "the program and its words (no shell); {parameters} {folder} {study} {seed} {NAME} stand for values",
     .flags = LOCUM_REQUIRED},
    {.name = "prepare",
     .type = LOCUM_STRING,
     .place = PLACE(prepare),
     .n_max = LOCUM_LIST_MAX,
     .place_n = PLACE(n_prepare),
     .text = "a program that is run before, for each sample: a mesh, an input file"},
    {.name = "program",
     .type = LOCUM_PATH,
     .place = PLACE(program),
     .string = "",
     .text = "file that samples depend on: results of another content are not reused; not given: that of run"},
    {.name = "frames",
     .type = LOCUM_STRING,
     .place = PLACE(frames),
     .string = "",
     .text = "file or pattern of files that it writes: out.h5, frames/out_*.h5",
     .flags = LOCUM_REQUIRED},
    {.name = "format", .type = LOCUM_CHOICE, .place = PLACE(format), .choices = formats, .text = "of these files"},
    {.name = "interval",
     .type = LOCUM_F64,
     .place = PLACE(interval),
     .value = NAN,
     .min = 0,
     .max = INFINITY,
     .unit = "time",
     .text = "time between frames, the first at time 0; not given: one frame without time",
     .flags = LOCUM_OPEN_MIN},
    {.name = "until",
     .type = LOCUM_F64,
     .place = PLACE(until),
     .value = NAN,
     .min = 0,
     .max = INFINITY,
     .unit = "time",
     .text = "time of the last frame"},
    {.name = "timeout",
     .type = LOCUM_F64,
     .place = PLACE(timeout),
     .value = 3600,
     .min = 0,
     .max = INFINITY,
     .unit = "s",
     .text = "after which a program is ended and its sample has failed",
     .flags = LOCUM_OPEN_MIN | LOCUM_UNHASHED},
    {.name = "keep",
     .type = LOCUM_CHOICE,
     .place = PLACE(keep),
     .choices = keeps,
     .text = "what stays in the folder of a sample",
     .flags = LOCUM_UNHASHED},
    {.name = "box",
     .type = LOCUM_F64,
     .place = PLACE(box),
     .value = 1,
     .min = 0,
     .max = INFINITY,
     .unit = "length",
     .text = "lengths of the grid's sides",
     .flags = LOCUM_OPEN_MIN,
     .n_max = 3,
     .n_default = 1,
     .place_n = PLACE(n_box)},
    {.name = "sides", .type = LOCUM_CHOICE, .place = PLACE(sides), .choices = sides, .text = "of the grid"},
    {0},
};
enum { N_FIXED = sizeof locum_external_options / sizeof locum_external_options[0] - 1, N_COUNTS = 3 };
enum { N_OPTIONS = N_FIXED + 2 + N_COUNTS + LOCUM_EXTERNAL_PARAMETERS + LOCUM_EXTERNAL_FIELDS + 1 };

/* a type and all that its table points to */
typedef struct declared {
    locum_solver_type type; /* first: the pointer to it is the pointer to all */
    locum_option options[N_OPTIONS];
    locum_option parameters[LOCUM_EXTERNAL_PARAMETERS + 1], fields[LOCUM_EXTERNAL_FIELDS + 1];
    locum_choice groups[2][2];
    char folder[LOCUM_PATH_SIZE], program[LOCUM_PATH_SIZE];
    char parameter[LOCUM_EXTERNAL_PARAMETERS][LOCUM_TEXT_SIZE], unit[LOCUM_EXTERNAL_PARAMETERS][LOCUM_TEXT_SIZE];
    char field[LOCUM_EXTERNAL_FIELDS][LOCUM_TEXT_SIZE];
    char hidden[LOCUM_EXTERNAL_PARAMETERS + LOCUM_EXTERNAL_FIELDS][24];
} declared;

static bool is_option(const char *name)
{
    for (int i = 0; i < N_FIXED; i++)
        if (!strcmp(locum_external_options[i].name, name)) return true;
    return !strcmp(name, "name") || !strcmp(name, "plugin") || !strcmp(name, "fields");
}

static locum_status copy_name(const char *what, const char *name, char out[LOCUM_TEXT_SIZE])
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
    size_t n = strlen(name);

    LOCUM_REQUIRE(n > 0 && n < 64 && strspn(name, letters) == n && (name[0] < '0' || name[0] > '9'), LOCUM_STUDY,
                  "%s.%.60s: a name is a letter, then letters, digits and _, up to 63", what, name);
    memcpy(out, name, n + 1);
    return LOCUM_OK;
}

/* a hidden option that carries a text, or a number if text is NULL */
static void add_hidden(declared *d, int *n, const char *name, size_t place, const char *text, double value)
{
    d->options[(*n)++] = (locum_option){.name = name,
                                        .type = text ? LOCUM_STRING : LOCUM_I32,
                                        .place = place,
                                        .value = value,
                                        .string = text,
                                        .text = "of the study",
                                        .flags = LOCUM_HIDDEN};
}

static locum_status declare_parameters(const locum_external_declaration *from, declared *d, int *n)
{
    for (int p = 0; p < from->n_parameters; p++) {
        const char *name = from->parameter[p];
        LOCUM_TRY(copy_name("solver.parameters", name, d->parameter[p]));
        LOCUM_REQUIRE(!is_option(name) && !locum_external_is_reserved(name), LOCUM_STUDY,
                      "solver.parameters.%s: this name is taken by an option or a {value} of `external`", name);
        LOCUM_REQUIRE(strlen(from->unit[p]) < LOCUM_TEXT_SIZE, LOCUM_STUDY,
                      "solver.parameters.%s: the unit is too long", name);
        strcpy(d->unit[p], from->unit[p]);
        d->parameters[p] = (locum_option){.name = d->parameter[p],
                                          .type = LOCUM_F64,
                                          .place = PLACE(parameter[0]) + (size_t)p * sizeof(double),
                                          .value = NAN,
                                          .unit = d->unit[p],
                                          .text = "a parameter of the program",
                                          .flags = LOCUM_PARAMETER};
        char *hidden = d->hidden[p];
        locum_format(hidden, sizeof d->hidden[p], "parameter_%d_name", p);
        add_hidden(d, n, hidden, PLACE(parameter_name[0]) + (size_t)p * LOCUM_TEXT_SIZE, d->parameter[p], 0);
    }
    add_hidden(d, n, "parameter_count", PLACE(n_parameters), NULL, from->n_parameters);
    if (from->n_parameters == 0) return LOCUM_OK;
    d->groups[0][0] = (locum_choice){"parameters", "parameters of the program", d->parameters};
    d->options[(*n)++] = (locum_option){.name = "parameters",
                                        .type = LOCUM_GROUP,
                                        .choices = d->groups[0],
                                        .text = "parameters of the program, with their usual values",
                                        .flags = LOCUM_OWN_NAMES};
    return LOCUM_OK;
}

static locum_status declare_fields(const locum_external_declaration *from, declared *d, int *n)
{
    for (int f = 0; f < from->n_fields; f++) {
        LOCUM_TRY(copy_name("solver.fields", from->field[f], d->field[f]));
        LOCUM_REQUIRE(strcmp(d->field[f], "id") != 0, LOCUM_STUDY, "solver.fields.id: this name is taken");
        d->fields[f] = (locum_option){.name = d->field[f],
                                      .type = LOCUM_I32,
                                      .place = PLACE(shape[0]) + (size_t)f * sizeof(int32_t[FIELD_DIMS]),
                                      .value = 1,
                                      .min = 1,
                                      .max = 1 << 24,
                                      .unit = "1",
                                      .text = "shape of the field",
                                      .n_max = FIELD_DIMS,
                                      .n_default = 1,
                                      .place_n = PLACE(n_shape[0]) + (size_t)f * sizeof(int32_t)};
        char *hidden = d->hidden[LOCUM_EXTERNAL_PARAMETERS + f];
        locum_format(hidden, sizeof d->hidden[0], "field_%d_name", f);
        add_hidden(d, n, hidden, PLACE(field_name[0]) + (size_t)f * LOCUM_TEXT_SIZE, d->field[f], 0);
    }
    add_hidden(d, n, "field_count", PLACE(n_fields), NULL, from->n_fields);
    if (from->n_fields == 0) return LOCUM_OK;
    d->groups[1][0] = (locum_choice){"fields", "what a frame holds", d->fields};
    d->options[(*n)++] = (locum_option){.name = "fields",
                                        .type = LOCUM_GROUP,
                                        .choices = d->groups[1],
                                        .text = "what a frame holds: 1 = one value, n = n rows, [nx, ny] = a grid"};
    return LOCUM_OK;
}

locum_status locum_external_declare(const locum_external_declaration *from, locum_solver_type **type)
{
    declared *d = NULL;
    int n = N_FIXED;

    *type = NULL;
    LOCUM_REQUIRE(from->n_parameters <= LOCUM_EXTERNAL_PARAMETERS, LOCUM_STUDY, "solver.parameters: at most %d",
                  LOCUM_EXTERNAL_PARAMETERS);
    LOCUM_REQUIRE(from->n_fields <= LOCUM_EXTERNAL_FIELDS, LOCUM_STUDY, "solver.fields: at most %d",
                  LOCUM_EXTERNAL_FIELDS);
    LOCUM_REQUIRE(strlen(from->folder) < LOCUM_PATH_SIZE && (!from->program || strlen(from->program) < LOCUM_PATH_SIZE),
                  LOCUM_STUDY, "the path of the study is too long");
    LOCUM_TRY(LOCUM_NEW(&d, 1));
    d->type = locum_solver_external;
    d->type.options = d->options;
    memcpy(d->options, locum_external_options, N_FIXED * sizeof *d->options);
    strcpy(d->folder, from->folder);
    strcpy(d->program, from->program ? from->program : "");
    for (int i = 0; i < N_FIXED; i++)
        if (!strcmp(d->options[i].name, "program")) d->options[i].string = d->program;
    locum_status st = declare_parameters(from, d, &n);
    if (!st) st = declare_fields(from, d, &n);
    d->options[n] = (locum_option){.name = "folder_of_study",
                                   .type = LOCUM_PATH,
                                   .place = PLACE(folder),
                                   .string = d->folder,
                                   .text = "what {study} stands for",
                                   .flags = LOCUM_HIDDEN};
    if (st)
        free(d);
    else
        *type = &d->type;
    return st;
}

void locum_external_forget(locum_solver_type *type)
{
    free(type);
}
