/* SPDX-License-Identifier: BSD-3-Clause */
/* predict_fields.c - `locum predict` for models whose inputs or outputs are fields.
 *
 *     rows of values (--set, --input, else those of the sample) x one beginning (--initial)
 *         map: one evaluation        step: --steps of them, each from the last
 *     -> a data file (--out FILE.h5) and a line for each frame
 *
 * A roll-out that blows up, or is flagged under --when-flagged refuse, ends there: the frames before it are kept. Under
 * --when-flagged solve the study's solver makes a flagged frame from the last one that was trusted, and the model goes on
 * from it: from a true state, so that leads and intervals begin again. */
#include <inttypes.h>
#include <math.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/predict.h"
#include "cli/predict_solver.h"
#include "core/memory.h"
#include "datasets/formats/columns.h"

typedef struct job {
    const locum_model *model;
    const arguments *a;
    predict_policy policy;
    double coverage; /* 0 = the model has no intervals */
    int n_inputs, n_values, port[PREDICT_PORTS_MAX];
    const char *names[PREDICT_PORTS_MAX], *units[PREDICT_PORTS_MAX];
    int64_t rows, steps;
    double *values; /* [rows, n_values] */
    predict_initial initial;
    predict_frames *frames;
    void *memory;
    locum_context *context;
    int64_t n_flagged, n_frames, n_solved;
    predict_solver *solver;            /* --when-flagged solve */
    const double *row;                 /* values of the row in work */
    double *window[PREDICT_PORTS_MAX]; /* [extent] by input port: what the next step sees; solve only */
    float *solved[PREDICT_PORTS_MAX];  /* [n_outputs][extent]: the solver's frame */
    int64_t done;                      /* frames of this row */
    bool wants_solver;                 /* the frame after them is flagged */
} job;

bool predict_has_fields(const locum_model *model)
{
    bool found = locum_model_interval(model) > 0;
    for (int i = 0; i < locum_model_n_outputs(model); i++) found = found || locum_model_output(model, i)->n_dims > 1;
    for (int i = 0; i < locum_model_n_inputs(model); i++) found = found || locum_model_input(model, i)->n_dims > 1;
    return found;
}

/* --- rows of values --------------------------------------------------------------------------------------------------- */
static const double *sample_parameter(const predict_initial *initial, const char *name)
{
    for (int i = 0; i < initial->n_parameters; i++)
        if (!strcmp(initial->name[i], name)) return &initial->parameter[i];
    return NULL;
}

static locum_status values_from_sets(job *j)
{
    locum_document *document = NULL;
    locum_status st = predict_read_sets(j->a, &document);
    if (!st) st = predict_check_names(j->n_values, j->names, document);
    if (!st) st = LOCUM_NEW(&j->values, j->n_values + 1);
    for (int i = 0; i < j->n_values && !st; i++) {
        const double *known = sample_parameter(&j->initial, j->names[i]);
        if (known && !locum_yaml_find(locum_document_root(document), j->names[i]))
            j->values[i] = *known;
        else
            st = predict_read_value(locum_model_input(j->model, j->port[i]), document, &j->values[i]);
    }
    j->rows = 1;
    locum_document_destroy(document);
    return st;
}

static locum_status values_from_file(job *j)
{
    double *columns[PREDICT_PORTS_MAX] = {NULL};
    int64_t extent[PREDICT_PORTS_MAX];
    LOCUM_REQUIRE(!j->a->n_sets, LOCUM_STUDY, "give the inputs by --set or by --input, not by both");
    for (int i = 0; i < j->n_values; i++) extent[i] = 1;
    LOCUM_TRY(locum_columns_read(j->a->input, j->n_values, j->names, extent, &j->rows, columns));
    locum_status st = LOCUM_NEW(&j->values, j->rows * j->n_values + 1);
    for (int64_t r = 0; r < j->rows && !st; r++)
        for (int i = 0; i < j->n_values; i++) j->values[r * j->n_values + i] = columns[i][r];
    locum_columns_free(j->n_values, columns);
    return st;
}

static locum_status read_inputs(job *j)
{
    j->n_inputs = locum_model_n_inputs(j->model);
    for (int i = 0; i < j->n_inputs; i++) {
        const locum_port *port = locum_model_input(j->model, i);
        if (port->n_dims > 0) continue;
        j->port[j->n_values] = i;
        j->names[j->n_values] = port->name;
        j->units[j->n_values++] = port->unit;
    }
    LOCUM_TRY(predict_initial_read(j->model, j->a, &j->initial));
    return j->a->input ? values_from_file(j) : values_from_sets(j);
}

/* --- prediction ------------------------------------------------------------------------------------------------------- */
/* a frame that stays; under solve it enters the windows too */
static void push(job *j, const float *const *values)
{
    for (int i = 0; i < locum_model_n_outputs(j->model) && j->solver; i++)
        for (int p = 0; p < j->n_inputs; p++) {
            const locum_port *to = locum_model_input(j->model, p), *from = locum_model_output(j->model, i);
            if (strcmp(to->name, from->name) || !j->window[p]) continue;
            double *latest = j->window[p] + to->extent - from->extent;
            memmove(j->window[p], j->window[p] + from->extent, (size_t)(to->extent - from->extent) * sizeof *latest);
            for (int64_t k = 0; k < from->extent; k++) latest[k] = (double)values[i][k];
        }
}

static locum_status keep(void *self, const locum_roll_frame *frame)
{
    job *j = self;
    char text[PREDICT_FLAG_SIZE];
    uint32_t flag = frame->flag ? *frame->flag : 0;
    int64_t lead = j->done + 1;
    double time = (double)lead * locum_model_interval(j->model);
    LOCUM_REQUIRE(!flag || j->policy != PREDICT_REFUSE, LOCUM_NUMERIC,
                  "step %" PRId64 " (time %g) is flagged (%s): refused, as --when-flagged says", lead, time,
                  predict_flag_text(flag, text));
    j->wants_solver = flag && j->solver;
    if (j->wants_solver) return LOCUM_STOPPED;
    j->done++;
    j->n_frames++;
    j->n_flagged += flag != 0;
    push(j, frame->values);
    return predict_frames_add(j->frames, lead, time, frame->values, frame->lower, frame->upper, frame->flag, false);
}

/* the flagged frame by the solver, from the last that was trusted */
static locum_status solve_frame(job *j)
{
    const float *const *frame = (const float *const *)j->solved;
    uint32_t flag = 0;
    double time = (double)(j->done + 1) * locum_model_interval(j->model);
    LOCUM_TRY(predict_solver_solve(j->solver, j->n_values, j->names, j->row, j->window, j->solved));
    LOCUM_TRY(predict_solver_log(j->solver, j->n_values, j->names, j->row, j->initial.time + time));
    j->done++;
    j->n_frames++;
    j->n_solved++;
    push(j, frame);
    return predict_frames_add(j->frames, j->done, time, frame, frame, frame, &flag, true);
}

/* a map, as a roll-out of one frame */
static locum_status evaluate_map(job *j, const locum_buffer *inputs)
{
    enum { KINDS = 3 };
    float *memory = NULL, *at[KINDS][PREDICT_PORTS_MAX];
    locum_buffer buffers[KINDS][PREDICT_PORTS_MAX];
    uint32_t flag = 0;
    int64_t width = 0, used = 0;
    int n = locum_model_n_outputs(j->model);

    for (int i = 0; i < n; i++) width += locum_model_output(j->model, i)->extent;
    LOCUM_TRY(LOCUM_NEW(&memory, KINDS * width));
    for (int k = 0; k < KINDS; k++)
        for (int i = 0; i < n; i++) {
            int64_t extent = locum_model_output(j->model, i)->extent;
            at[k][i] = memory + used;
            buffers[k][i] = (locum_buffer){at[k][i], LOCUM_FLOAT32, extent, 1};
            used += extent;
        }
    locum_trust trust = {.coverage = j->coverage, .lower = buffers[1], .upper = buffers[2], .flag = &flag};
    locum_status st = locum_eval(j->context, 1, inputs, buffers[0], j->coverage > 0 ? &trust : NULL);
    if (!st)
        st = keep(j, &(locum_roll_frame){.lead = 1,
                                         .values = (const float *const *)at[0],
                                         .lower = (const float *const *)at[1],
                                         .upper = (const float *const *)at[2],
                                         .flag = j->coverage > 0 ? &flag : NULL});
    free(memory);
    return st;
}

static locum_status run_row(job *j, const locum_buffer *inputs)
{
    bool is_step = locum_model_interval(j->model) > 0;
    int64_t steps = is_step ? j->steps : 1;
    j->done = 0;
    while (j->done < steps) {
        j->wants_solver = false;
        locum_status st = is_step ? locum_roll(j->context, 1, steps - j->done, inputs, j->coverage, keep, j)
                                  : evaluate_map(j, inputs);
        if (j->wants_solver || (st == LOCUM_NUMERIC && j->solver)) st = solve_frame(j); /* blown up, too */
        LOCUM_TRY(st);
    }
    return LOCUM_OK;
}

static locum_status predict_row(job *j, int64_t row)
{
    locum_buffer inputs[PREDICT_PORTS_MAX];
    double *values = j->values + row * j->n_values;

    j->row = values;
    for (int i = 0; i < j->n_inputs; i++) {
        int64_t extent = locum_model_input(j->model, i)->extent;
        double *field = j->window[i] ? j->window[i] : j->initial.field[i];
        if (j->window[i]) memcpy(field, j->initial.field[i], (size_t)extent * sizeof *field);
        inputs[i] = (locum_buffer){field, LOCUM_FLOAT64, extent, 1};
    }
    for (int i = 0; i < j->n_values; i++) inputs[j->port[i]] = (locum_buffer){&values[i], LOCUM_FLOAT64, 1, 1};
    LOCUM_TRY(predict_frames_begin(j->frames, row, values, &j->initial));
    locum_status st = run_row(j, inputs), ended = predict_frames_end(j->frames);
    return st ? st : ended;
}

static locum_status allocate_windows(job *j)
{
    for (int i = 0; i < j->n_inputs; i++)
        if (j->initial.field[i]) LOCUM_TRY(LOCUM_NEW(&j->window[i], locum_model_input(j->model, i)->extent));
    for (int i = 0; i < locum_model_n_outputs(j->model); i++)
        LOCUM_TRY(LOCUM_NEW(&j->solved[i], locum_model_output(j->model, i)->extent));
    return LOCUM_OK;
}

static locum_status prepare(job *j)
{
    const arguments *a = j->a;
    bool is_file = a->out && (predict_ends_with(a->out, ".h5") || predict_ends_with(a->out, ".hdf5"));
    bool is_step = locum_model_interval(j->model) > 0;
    size_t bytes = locum_model_workspace(j->model, 1);

    LOCUM_REQUIRE(is_step || a->steps < 0, LOCUM_STUDY, "--steps: the model is a map: it has no next step");
    LOCUM_REQUIRE(bytes, LOCUM_MEMORY, "the model cannot be laid out: %s", locum_status_message());
    j->steps = a->steps >= 0 ? a->steps : locum_model_leads(j->model);
    if (j->solver) LOCUM_TRY(allocate_windows(j));
    LOCUM_TRY(locum_alloc(&j->memory, (int64_t)bytes, 1));
    LOCUM_TRY(locum_model_prepare(j->model, 1, j->memory, bytes, &j->context));
    return predict_frames_create(j->model, a, is_file ? a->out : NULL, j->coverage > 0, j->n_values, j->names, j->units,
                                 &j->frames);
}

/* once, beside the answer */
static void warn(const job *j)
{
    if (j->a->quiet) return;
    if (j->n_flagged)
        fprintf(stderr,
                "locum: warning: %" PRId64 " of %" PRId64
                " frames are flagged: the model is out of its depth there; run the solver instead\n",
                j->n_flagged, j->n_frames);
    if (j->n_solved)
        fprintf(stderr, "locum: the solver made %" PRId64 " of %" PRId64 " frames, where the model was flagged\n",
                j->n_solved, j->n_frames);
    if (j->coverage <= 0)
        fprintf(stderr, "locum: warning: the model was trained without calibration samples: no intervals, no flags\n");
    if (j->coverage > 0 && j->steps > locum_model_leads(j->model) && locum_model_interval(j->model) > 0)
        fprintf(stderr, "locum: warning: intervals were calibrated up to lead %" PRId64 "; beyond they are infinite\n",
                locum_model_leads(j->model));
}

static void release(job *j)
{
    predict_frames_destroy(j->frames);
    predict_initial_free(&j->initial);
    for (int i = 0; i < PREDICT_PORTS_MAX; i++) {
        free(j->window[i]);
        free(j->solved[i]);
    }
    free(j->values);
    free(j->memory);
    predict_solver_close(j->solver);
}

/* data files are written through MPI, here by one rank */
static locum_status begin(job *j)
{
    int provided = 0, size = 1;
    LOCUM_TRY(predict_read_policy(j->a, &j->policy));
    LOCUM_REQUIRE(j->policy == PREDICT_WARN || locum_model_n_calibration(j->model) > 0, LOCUM_STUDY,
                  "--when-flagged %s: the model was trained without calibration samples and flags nothing",
                  j->a->when_flagged);
    if (j->policy == PREDICT_SOLVE)
        LOCUM_TRY(predict_solver_open(j->model, j->a, &j->solver));
    else
        MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &provided);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    LOCUM_REQUIRE(size == 1, LOCUM_STUDY, "predict works on one rank, not %d: its file would be written by all", size);
    return LOCUM_OK;
}

locum_status predict_fields(const locum_model *model, const arguments *a)
{
    job j = {.model = model, .a = a};

    if (locum_model_n_calibration(model) > 0) j.coverage = isnan(a->coverage) ? 0.9 : a->coverage;
    locum_status st = begin(&j);
    if (!st) st = read_inputs(&j);
    if (!st) st = prepare(&j);
    for (int64_t r = 0; r < j.rows && !st; r++) st = predict_row(&j, r);
    if (!st || (st == LOCUM_NUMERIC && j.n_frames)) { /* what came before the end is kept */
        char why[500];
        locum_format(why, sizeof why, "%s", locum_status_message());
        locum_status kept = predict_frames_commit(j.frames);
        if (kept)
            st = kept;
        else if (st)
            st = LOCUM_FAIL(st, "%s", why);
        warn(&j);
    }
    release(&j);
    return st;
}
