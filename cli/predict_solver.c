/* SPDX-License-Identifier: BSD-3-Clause */
/* predict_solver.c - see predict_solver.h. The state goes to the solver's grid and back by the solver's own resampling
 * (datasets/campaign/forecast.h). A map of fields is left out: its study does not say which time lies between. */
#include "cli/predict_solver.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/session.h"
#include "core/memory.h"
#include "core/study/commit.h"
#include "datasets/campaign/forecast.h"

#define LOG_BYTES_MAX ((size_t)1 << 30)

struct predict_solver {
    const locum_model *model;
    arguments arguments; /* of the study */
    session session;
    locum_setup setup;
    locum_surrogate_solver *wrapper; /* for its schema */
    locum_solver *mirror;
    locum_schema schema;   /* the latest frame: the outputs */
    double *const *window; /* of the call */
    float *const *frame;   /* of the call */
    bool made;
};

static locum_status open_schema(predict_solver *p)
{
    LOCUM_TRY(locum_surrogate_solver_create(p->model, &p->wrapper));
    const locum_solver_type *type = locum_surrogate_solver_type(p->wrapper);
    LOCUM_TRY(type->create(locum_surrogate_solver_config(p->wrapper), NULL, MPI_COMM_SELF, &p->mirror));
    p->schema = *type->schema(p->mirror);
    p->schema.n_arrays = locum_model_n_outputs(p->model); /* without past frames */
    return LOCUM_OK;
}

locum_status predict_solver_open(const locum_model *model, const arguments *a, predict_solver **solver)
{
    struct stat info;
    bool fed = false;

    *solver = NULL;
    LOCUM_REQUIRE(!stat(a->words[0], &info) && S_ISDIR(info.st_mode), LOCUM_STUDY,
                  "--when-flagged solve needs a run directory: `%s` is a model file and knows no solver", a->words[0]);
    for (int i = 0; i < locum_model_n_inputs(model); i++) fed = fed || locum_model_input(model, i)->n_dims > 0;
    LOCUM_REQUIRE(!fed || locum_model_interval(model) > 0, LOCUM_STUDY,
                  "--when-flagged solve: not for maps of fields; `locum simulate` solves from a field");
    LOCUM_TRY(LOCUM_NEW(solver, 1));
    predict_solver *p = *solver;
    p->model = model;
    p->arguments = (arguments){.n_words = 1, .words = {a->words[0]}, .quiet = a->quiet, .verbose = a->verbose};
    LOCUM_TRY(session_open(&p->arguments, false, &p->session));
    LOCUM_REQUIRE(locum_study_node(p->session.study, "solver"), LOCUM_STUDY,
                  "--when-flagged solve: the study of %s has no solver, its data were brought", a->words[0]);
    LOCUM_TRY(locum_setup_read(p->session.study, p->session.solvers.list, true, &p->setup));
    return open_schema(p);
}

void predict_solver_close(predict_solver *p)
{
    if (!p) return;
    if (p->mirror) locum_surrogate_solver_type(p->wrapper)->destroy(p->mirror);
    locum_surrogate_solver_destroy(p->wrapper);
    session_close(&p->session);
    free(p);
}

static int input_of(const locum_model *model, const char *name)
{
    for (int i = 0; i < locum_model_n_inputs(model); i++)
        if (!strcmp(locum_model_input(model, i)->name, name)) return i;
    return -1;
}

/* the latest frame of each window */
static locum_status give_initial(void *self, int64_t sample, double *const *values)
{
    predict_solver *p = self;
    (void)sample;
    for (int i = 0; i < p->schema.n_arrays; i++) {
        const locum_port *to = locum_model_output(p->model, i);
        int from = input_of(p->model, to->name);
        const double *window = p->window[from] + locum_model_input(p->model, from)->extent - to->extent;
        memcpy(values[i], window, (size_t)to->extent * sizeof *window);
    }
    return LOCUM_OK;
}

static locum_status take_frame(void *self, int64_t sample, int time, const double *const *values)
{
    predict_solver *p = self;
    (void)sample, (void)time;
    for (int i = 0; i < p->schema.n_arrays; i++)
        for (int64_t j = 0; j < locum_model_output(p->model, i)->extent; j++) p->frame[i][j] = (float)values[i][j];
    p->made = true;
    return LOCUM_OK;
}

locum_status predict_solver_solve(predict_solver *p, int n_values, const char *const *names, const double *values,
                                  double *const *window, float *const *frame)
{
    const char *array[PREDICT_PORTS_MAX];
    int64_t count[PREDICT_PORTS_MAX];
    const locum_record_config *record = p->setup.record_config;
    bool is_step = locum_model_interval(p->model) > 0, failed = false;
    double time = is_step ? locum_model_interval(p->model) : record->until, seconds = 0;

    for (int i = 0; i < p->schema.n_arrays; i++) {
        array[i] = locum_model_output(p->model, i)->name;
        count[i] = locum_model_output(p->model, i)->extent;
    }
    p->window = window;
    p->frame = frame;
    p->made = false;
    locum_forecast_call call = {.setup = &p->setup,
                                .config = locum_settings_config(p->setup.solver),
                                .n_parameters = n_values,
                                .parameter_name = names,
                                .n = 1,
                                .parameter = values,
                                .seed = &p->setup.seed,
                                .initial_schema = is_step ? &p->schema : NULL,
                                .initial = is_step ? give_initial : NULL,
                                .n_arrays = p->schema.n_arrays,
                                .array = array,
                                .count = count,
                                .n_times = 1,
                                .times = &time,
                                .average = !is_step && record->average,
                                .from = is_step ? 0 : record->from,
                                .frame = take_frame,
                                .self = p,
                                .world = p->session.world,
                                .watch = &p->session.watch};
    LOCUM_TRY(locum_forecast(&call, &seconds, &failed));
    LOCUM_REQUIRE(!failed && p->made, LOCUM_NUMERIC, "--when-flagged solve: the solver gave up, too");
    return LOCUM_OK;
}

locum_status predict_solver_log(const predict_solver *p, int n_values, const char *const *names, const double *values,
                                double time)
{
    char path[LOCUM_PATH_SIZE], *before = NULL;
    struct stat info;
    size_t n = 0;
    locum_text out = {0};

    LOCUM_TRY(session_file(&p->session, "flagged.csv", path));
    locum_status st = stat(path, &info) ? LOCUM_OK : locum_read_bytes(path, LOG_BYTES_MAX, &before, &n);
    if (before) locum_text_add(&out, "%s", before);
    for (int i = 0; i < n_values && !before; i++) locum_text_add(&out, "%s,", names[i]);
    if (!before) locum_text_add(&out, "time\n");
    for (int i = 0; i < n_values; i++) locum_text_add(&out, "%.17g,", values[i]);
    locum_text_add(&out, "%.17g\n", time);
    if (!st) st = out.status;
    if (!st) st = locum_commit_bytes(path, out.data, out.size);
    locum_text_free(&out);
    free(before);
    return st;
}
