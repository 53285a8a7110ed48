/* SPDX-License-Identifier: BSD-3-Clause */
/* test_fields.c - models of fields: ports with axes, several past frames, leads, flags; and the roll-out, which is
 * repeated evaluation bit for bit, allocates nothing, and stops where a prediction blows up. */
#include <math.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "surrogate/runtime/model.h"
#include "tests/unit/check.h"
#include "tests/unit/runtime/field_model.h"

/* --- a counter behind every allocation (see CMakeLists.txt) ------------------------------------------------------- */
static _Atomic int allocations;
void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);

void *__wrap_malloc(size_t n)
{
    allocations++;
    return __real_malloc(n);
}
void *__wrap_calloc(size_t n, size_t size)
{
    allocations++;
    return __real_calloc(n, size);
}

/* --- an open model with a context --------------------------------------------------------------------------------- */
enum { NX = 6, NY = 5, POINTS = NX * NY, ROWS = 3, HISTORY_MAX = 3, STEPS = 7, FIELDS = 2 };
static const field_model step_1 = {NX, NY, 1, .is_step = true, .vector = true, .trusted = true, .residuals = true};
static const field_model step_3 = {NX, NY, 3, .is_step = true, .vector = true, .trusted = true, .residuals = true};
static const field_model plain_3 = {NX, NY, 3, .is_step = true, .vector = true};

typedef struct opened {
    locum_model *model;
    void *memory;
    locum_context *context;
} opened;

static void open_with(const field_model *m, int64_t rows, opened *o)
{
    locum_text file = {0};
    char message[300];
    *o = (opened){0};
    field_model_write(m, &file);
    locum_status st = locum_model_open(file.data, file.size, NULL, &o->model, message, sizeof message);
    if (st) printf("\n    %s", message);
    CU_ASSERT_EQUAL_FATAL(st, LOCUM_OK);
    size_t bytes = locum_model_workspace(o->model, rows);
    o->memory = malloc(bytes + 1);
    CHECK_OK(locum_model_prepare(o->model, rows, (char *)o->memory + 1, bytes, &o->context));
    CU_ASSERT_PTR_NOT_NULL_FATAL(o->context);
    locum_text_free(&file);
}

static void close_model(opened *o)
{
    locum_model_close(o->model);
    free(o->memory);
}

/* inputs of ROWS rows, packed; fields below 1/2, so that nothing leaves its range unless a test wants it */
typedef struct state {
    int64_t history;
    float gain[ROWS], tracer[ROWS * HISTORY_MAX * POINTS], velocity[ROWS * HISTORY_MAX * POINTS * 2];
} state;

static void fill_state(state *s, int64_t history)
{
    s->history = history;
    for (int r = 0; r < ROWS; r++) s->gain[r] = 1.0f - 0.125f * (float)r;
    for (int64_t i = 0; i < ROWS * history * POINTS; i++) s->tracer[i] = 0.4f * sinf(1.7f * (float)i + 0.3f);
    for (int64_t i = 0; i < ROWS * history * POINTS * 2; i++) s->velocity[i] = 0.4f * cosf(0.9f * (float)i);
}

static void lend(state *s, locum_buffer in[3])
{
    in[0] = (locum_buffer){s->gain, LOCUM_FLOAT32, 1, 1};
    in[1] = (locum_buffer){s->tracer, LOCUM_FLOAT32, s->history * POINTS, 1};
    in[2] = (locum_buffer){s->velocity, LOCUM_FLOAT32, s->history * POINTS * 2, 1};
}

/* --- a host's own loop: eval, then the oldest frame leaves and the new one comes in -------------------------------- */
typedef struct trajectory {
    int64_t steps;
    float value[3][FIELDS][STEPS][ROWS * POINTS * 2]; /* value, lower, upper */
    uint32_t flag[STEPS][ROWS];
    double time[STEPS];
} trajectory;

static void push(float *window, int64_t history, const float *next, int64_t extent)
{
    for (int r = 0; r < ROWS; r++, window += history * extent) {
        memmove(window, window + extent, (size_t)((history - 1) * extent) * sizeof *window);
        memcpy(window + (history - 1) * extent, next + r * extent, (size_t)extent * sizeof *window);
    }
}

static void repeat_eval(opened *o, state s, double coverage, trajectory *t)
{
    uint32_t flag[ROWS] = {0};
    for (int step = 0; step < STEPS; step++) {
        locum_buffer in[3], out[3][FIELDS];
        lend(&s, in);
        for (int k = 0; k < 3; k++)
            for (int i = 0; i < FIELDS; i++)
                out[k][i] = (locum_buffer){t->value[k][i][step], LOCUM_FLOAT32, POINTS * (i + 1), 1};
        locum_trust trust = {
            .coverage = coverage, .lower = out[1], .upper = out[2], .flag = t->flag[step], .lead = step + 1};
        CHECK_OK(locum_eval(o->context, ROWS, in, out[0], coverage > 0 ? &trust : NULL));
        for (int r = 0; r < ROWS; r++) t->flag[step][r] = flag[r] |= t->flag[step][r];
        push(s.tracer, s.history, t->value[0][0][step], POINTS);
        push(s.velocity, s.history, t->value[0][1][step], 2 * POINTS);
    }
}

static locum_status keep(void *self, const locum_roll_frame *f)
{
    trajectory *t = self;
    int step = (int)f->lead - 1;
    t->steps = f->lead;
    t->time[step] = f->time;
    for (int i = 0; i < FIELDS; i++) {
        size_t bytes = (size_t)(ROWS * POINTS * (i + 1)) * sizeof(float);
        memcpy(t->value[0][i][step], f->values[i], bytes);
        if (f->lower) memcpy(t->value[1][i][step], f->lower[i], bytes);
        if (f->upper) memcpy(t->value[2][i][step], f->upper[i], bytes);
    }
    if (f->flag) memcpy(t->flag[step], f->flag, sizeof t->flag[step]);
    return LOCUM_OK;
}

static trajectory rolled, repeated;

static void a_roll_out_is_repeated_evaluation_bit_for_bit(void)
{
    static const field_model *const models[] = {&step_1, &step_3, &plain_3};
    static state s;
    for (int m = 0; m < 3; m++)
        for (int trusted = 0; trusted <= models[m]->trusted; trusted++) {
            double coverage = trusted ? 0.5 : 0;
            locum_buffer in[3];
            opened o;
            open_with(models[m], ROWS, &o);
            fill_state(&s, models[m]->history);
            state before = s;
            lend(&s, in);
            memset(&rolled, 0, sizeof rolled);
            memset(&repeated, 0, sizeof repeated);
            repeat_eval(&o, s, coverage, &repeated);
            CHECK_OK(locum_roll(o.context, ROWS, STEPS, in, coverage, keep, &rolled));
            CU_ASSERT_EQUAL(rolled.steps, STEPS);
            CU_ASSERT_EQUAL(rolled.time[STEPS - 1], STEPS * FIELD_INTERVAL);
            CU_ASSERT_EQUAL(memcmp(rolled.value, repeated.value, sizeof rolled.value), 0);
            CU_ASSERT_EQUAL(memcmp(rolled.flag, repeated.flag, sizeof rolled.flag), 0);
            CU_ASSERT_EQUAL(memcmp(&s, &before, sizeof s), 0); /* the host's arrays are read only */
            close_model(&o);
        }
}

static void a_tracer_comes_home_after_a_round(void)
{
    static state s;
    locum_buffer in[3];
    opened o;
    open_with(&step_1, ROWS, &o);
    fill_state(&s, 1);
    for (int r = 0; r < ROWS; r++) s.gain[r] = 1;
    lend(&s, in);
    CHECK_OK(locum_roll(o.context, ROWS, NX, in, 0, keep, &rolled));
    CU_ASSERT_EQUAL(memcmp(rolled.value[0][0][NX - 1], s.tracer, sizeof(float) * ROWS * POINTS), 0);
    CU_ASSERT_EQUAL(memcmp(rolled.value[0][1][NX - 1], s.velocity, sizeof(float) * ROWS * POINTS * 2), 0);
    for (int j = 0; j < NY; j++) CU_ASSERT_EQUAL(rolled.value[0][0][0][NY + j], s.tracer[j]); /* one cell along x */
    close_model(&o);
}

static void ports_of_fields_have_axes_and_a_history(void)
{
    opened o;
    open_with(&step_3, 1, &o);
    const locum_port *velocity = locum_model_input(o.model, 2), *next = locum_model_output(o.model, 1);
    CU_ASSERT_TRUE(velocity->n_dims == 4 && velocity->dims[0] == 3 && velocity->dims[1] == NX &&
                   velocity->dims[2] == NY && velocity->dims[3] == 2 && velocity->extent == 3 * POINTS * 2);
    CU_ASSERT_STRING_EQUAL(velocity->axis_name[0], "history");
    CU_ASSERT_TRUE(!velocity->axis[0] && !velocity->axis[3] && velocity->axis[1][1] == 1.0 / NX);
    CU_ASSERT_TRUE(next->n_dims == 3 && next->extent == POINTS * 2 && next->axis[1][2] == 2.0 / NY);
    CU_ASSERT_EQUAL(locum_model_interval(o.model), FIELD_INTERVAL);
    CU_ASSERT_EQUAL(locum_model_history(o.model), 3);
    CU_ASSERT_EQUAL(locum_model_leads(o.model), FIELD_LEADS);
    close_model(&o);
    field_model map = {.nx = NX, .ny = NY, .history = 1};
    open_with(&map, 1, &o);
    CU_ASSERT_TRUE(locum_model_interval(o.model) == 0 && locum_model_history(o.model) == 1 &&
                   locum_model_leads(o.model) == 1);
    close_model(&o);
}

static void intervals_grow_with_the_lead_and_end_with_the_last(void)
{
    static const double growth[FIELD_LEADS] = {1, 1.5, 2, 2.5, 3};
    static state s;
    locum_buffer in[3];
    opened o;
    open_with(&step_1, ROWS, &o);
    fill_state(&s, 1);
    lend(&s, in);
    CHECK_OK(locum_roll(o.context, ROWS, STEPS, in, 0.5, keep, &rolled));
    for (int lead = 1; lead <= STEPS; lead++)
        for (int j = 0; j < ROWS * POINTS; j++) {
            double value = (double)rolled.value[0][0][lead - 1][j], lower = (double)rolled.value[1][0][lead - 1][j],
                   upper = (double)rolled.value[2][0][lead - 1][j];
            if (lead > FIELD_LEADS) {
                CU_ASSERT_TRUE(isinf(lower) && isinf(upper) && lower < upper && isfinite(value));
                continue;
            }
            /* rank ceil(20 * 0.5) = 10: quantile 10/8, half width an eighth of it; sums of values below 1 in float32 */
            double width = 10.0 / 8 * growth[lead - 1] / 8;
            CHECK_CLOSE(upper - value, width, 1e-6);
            CHECK_CLOSE(value - lower, width, 1e-6);
        }
    locum_trust trust = {.coverage = 0.5, .lead = -1};
    locum_buffer none[FIELDS] = {{0}};
    CHECK_FAILS(locum_eval(o.context, 1, in, none, &trust), LOCUM_ARG);
    close_model(&o);
}

static uint32_t flag_of(opened *o, state *s)
{
    uint32_t flag[ROWS] = {0};
    locum_buffer in[3], none[FIELDS] = {{0}};
    lend(s, in);
    locum_trust trust = {.coverage = 0.5, .flag = flag};
    CHECK_OK(locum_eval(o->context, ROWS, in, none, &trust));
    CU_ASSERT_EQUAL(flag[0] | flag[2], 0); /* the other rows */
    return flag[1];
}

static void a_field_outside_its_range_or_its_physics_is_flagged(void)
{
    static state s;
    opened o;
    open_with(&step_1, ROWS, &o);
    fill_state(&s, 1);
    CU_ASSERT_EQUAL(flag_of(&o, &s), 0);
    s.tracer[POINTS + 3] = 1.19f; /* the range is [-1, 1]; a tenth of it is allowed */
    CU_ASSERT_EQUAL(flag_of(&o, &s), 0);
    s.tracer[POINTS + 3] = 1.21f;
    CU_ASSERT_EQUAL(flag_of(&o, &s), LOCUM_FLAG_RANGE);
    fill_state(&s, 1);
    s.gain[1] = 1.501f; /* a value has no margin */
    CU_ASSERT_EQUAL(flag_of(&o, &s), LOCUM_FLAG_RANGE);
    s.gain[1] = 4; /* energy times 16: |log| = 2.77 is above all 19/8 of the calibration */
    CU_ASSERT_EQUAL(flag_of(&o, &s), LOCUM_FLAG_RANGE | LOCUM_FLAG_RESIDUAL);
    fill_state(&s, 1);
    for (int j = 0; j < 2 * POINTS; j++) s.velocity[2 * POINTS + j] = 3; /* its divergence */
    CU_ASSERT_EQUAL(flag_of(&o, &s), LOCUM_FLAG_RANGE | LOCUM_FLAG_RESIDUAL);
    close_model(&o);
}

static void a_roll_out_that_blows_up_stops_and_says_where(void)
{
    static state s;
    locum_buffer in[3];
    opened o;
    open_with(&step_1, ROWS, &o);
    fill_state(&s, 1);
    for (int j = 0; j < POINTS; j++) s.tracer[POINTS + j] = 1;
    s.gain[1] = 7; /* 7, 49, 343: beyond 100 times the range of 2 at the third step */
    lend(&s, in);
    memset(&rolled, 0, sizeof rolled);
    CHECK_FAILS(locum_roll(o.context, ROWS, STEPS, in, 0, keep, &rolled), LOCUM_NUMERIC);
    CU_ASSERT_EQUAL(rolled.steps, 2);
    CU_ASSERT_PTR_NOT_NULL(strstr(locum_status_message(), "row 1 blows up at step 3 (time 0.75): `tracer`"));
    s.gain[1] = 1e38f; /* overflows in one step, by inf */
    s.tracer[POINTS] = 1e10f;
    CHECK_FAILS(locum_roll(o.context, ROWS, STEPS, in, 0.5, keep, &rolled), LOCUM_NUMERIC);
    CU_ASSERT_PTR_NOT_NULL(strstr(locum_status_message(), "row 1 blows up at step 1"));
    CU_ASSERT_PTR_NOT_NULL(strstr(locum_status_message(), "is not finite"));
    s.tracer[2 * POINTS + 1] = NAN;
    CHECK_FAILS(locum_roll(o.context, ROWS, STEPS, in, 0, keep, &rolled), LOCUM_NUMERIC);
    CU_ASSERT_PTR_NOT_NULL(strstr(locum_status_message(), "input of row 2"));
    close_model(&o);
}

static locum_status stop_at_two(void *self, const locum_roll_frame *f)
{
    *(int64_t *)self = f->lead;
    return f->lead == 2 ? LOCUM_STOPPED : LOCUM_OK;
}

static void bad_calls_of_a_roll_out_are_refused(void)
{
    static const field_model map = {.nx = NX, .ny = NY, .history = 1};
    static state s;
    int64_t lead = 0;
    locum_buffer in[3];
    opened o;
    fill_state(&s, 3);
    lend(&s, in);
    open_with(&plain_3, ROWS, &o);
    CHECK_FAILS(locum_roll(NULL, 1, 1, in, 0, stop_at_two, &lead), LOCUM_ARG);
    CHECK_FAILS(locum_roll(o.context, ROWS + 1, 1, in, 0, stop_at_two, &lead), LOCUM_ARG);
    CHECK_FAILS(locum_roll(o.context, 1, -1, in, 0, stop_at_two, &lead), LOCUM_ARG);
    CHECK_FAILS(locum_roll(o.context, 1, 1, NULL, 0, stop_at_two, &lead), LOCUM_ARG);
    CHECK_FAILS(locum_roll(o.context, 1, 1, in, 0, NULL, NULL), LOCUM_ARG);
    CHECK_FAILS(locum_roll(o.context, 1, 1, in, 0.9, stop_at_two, &lead), LOCUM_ARG); /* not calibrated */
    CHECK_FAILS(locum_roll(o.context, 1, 1, in, -1, stop_at_two, &lead), LOCUM_ARG);
    CU_ASSERT_EQUAL(lead, 0);
    CHECK_OK(locum_roll(o.context, 1, 0, in, 0, stop_at_two, &lead));
    CU_ASSERT_EQUAL(lead, 0);
    CU_ASSERT_EQUAL(locum_roll(o.context, 1, 9, in, 0, stop_at_two, &lead), LOCUM_STOPPED);
    CU_ASSERT_EQUAL(lead, 2);
    close_model(&o);
    open_with(&map, ROWS, &o);
    CHECK_FAILS(locum_roll(o.context, 1, 1, in, 0, stop_at_two, &lead), LOCUM_ARG);
    close_model(&o);
}

static void the_layout_of_a_field_is_the_hosts_choice(void)
{
    static state s;
    static double gain[ROWS], tracer[2 * ROWS * 3 * POINTS], fortran[ROWS * 3 * POINTS * 2], wide[ROWS * POINTS],
        column[ROWS * POINTS * 2];
    locum_buffer in[3], out[FIELDS] = {{wide, LOCUM_FLOAT64, POINTS, 1}, {column, LOCUM_FLOAT64, 1, ROWS}};
    opened o;
    open_with(&step_3, ROWS, &o);
    fill_state(&s, 3);
    lend(&s, in);
    memset(&repeated, 0, sizeof repeated);
    CHECK_OK(locum_roll(o.context, ROWS, STEPS, in, 0.5, keep, &repeated));
    for (int r = 0; r < ROWS; r++) gain[r] = (double)s.gain[r];
    for (int i = 0; i < ROWS * 3 * POINTS; i++) tracer[2 * i] = (double)s.tracer[i];
    for (int r = 0; r < ROWS; r++) /* column order: the row runs fastest */
        for (int j = 0; j < 3 * POINTS * 2; j++) fortran[j * ROWS + r] = (double)s.velocity[r * 3 * POINTS * 2 + j];
    in[0] = (locum_buffer){gain, LOCUM_FLOAT64, 1, 1};
    in[1] = (locum_buffer){tracer, LOCUM_FLOAT64, 2 * 3 * POINTS, 2};
    in[2] = (locum_buffer){fortran, LOCUM_FLOAT64, 1, ROWS};
    memset(&rolled, 0, sizeof rolled);
    CHECK_OK(locum_roll(o.context, ROWS, STEPS, in, 0.5, keep, &rolled));
    CU_ASSERT_EQUAL(memcmp(&rolled, &repeated, sizeof rolled), 0);
    CHECK_OK(locum_eval(o.context, ROWS, in, out, NULL));
    for (int r = 0; r < ROWS; r++)
        for (int j = 0; j < 2 * POINTS; j++) {
            CHECK_CLOSE(column[j * ROWS + r], (double)repeated.value[0][1][0][r * 2 * POINTS + j],
                        2e-7); /* the two graphs may round an ulp apart */
            if (j < POINTS) CHECK_CLOSE(wide[r * POINTS + j], (double)repeated.value[0][0][0][r * POINTS + j], 2e-7);
        }
    close_model(&o);
}

static void a_roll_out_allocates_nothing(void)
{
    static state s;
    locum_buffer in[3];
    opened o;
    open_with(&step_3, ROWS, &o);
    fill_state(&s, 3);
    lend(&s, in);
    int before = allocations;
    locum_status a = locum_roll(o.context, ROWS, STEPS, in, 0, keep, &rolled),
                 b = locum_roll(o.context, ROWS, STEPS, in, 0.5, keep, &rolled);
    int after = allocations;
    CHECK_OK(a);
    CHECK_OK(b);
    CU_ASSERT_EQUAL(after, before);
    CU_ASSERT_TRUE(before > 0); /* the counter counts */
    close_model(&o);
}

static void a_large_field_rolls(void)
{
    enum { LARGE = 512, N = LARGE * LARGE };
    static const field_model large = {LARGE, LARGE, 1, .is_step = true, .vector = true, .trusted = true};
    float gain = 1, *tracer = malloc(N * sizeof *tracer), *velocity = calloc(2 * N, sizeof *velocity);
    int64_t lead = 0;
    opened o;
    open_with(&large, 1, &o);
    for (int i = 0; i < N; i++) tracer[i] = (float)(i % 1000) * 1e-3f;
    locum_buffer in[3] = {
        {&gain, LOCUM_FLOAT32, 1, 1}, {tracer, LOCUM_FLOAT32, N, 1}, {velocity, LOCUM_FLOAT32, 2 * N, 1}};
    CU_ASSERT_EQUAL(locum_roll(o.context, 1, 2, in, 0.5, stop_at_two, &lead), LOCUM_STOPPED);
    CU_ASSERT_EQUAL(lead, 2);
    close_model(&o);
    free(tracer);
    free(velocity);
}

static void a_step_that_cannot_feed_itself_is_refused(void)
{
    static const double growth[FIELD_LEADS] = {1, 1.5, 2, 2.5, 3}, negative[FIELD_LEADS] = {1, -1, 2, 3, 4};
    static const struct {
        const char *key, *value;
        int64_t n_growth;
        const double *growth;
    } cases[] = {{"interval", NULL, FIELD_LEADS, growth},
                 {"interval", "0", FIELD_LEADS, growth},
                 {"interval", "-1", FIELD_LEADS, growth},
                 {"interval", "1s", FIELD_LEADS, growth},
                 {"interval", "nan", FIELD_LEADS, growth},
                 {"interval", "inf", FIELD_LEADS, growth},
                 {"history", "2", FIELD_LEADS, growth},
                 {"history", "0", FIELD_LEADS, growth},
                 {"history", "3.5", FIELD_LEADS, growth},
                 {"history", " 3", FIELD_LEADS, growth},
                 {"history", NULL, FIELD_LEADS, growth},
                 {"leads", "4", FIELD_LEADS, growth},
                 {"leads", "99999999999999999999", FIELD_LEADS, growth},
                 {"leads", "5", 4, growth},
                 {"leads", "5", FIELD_LEADS, negative}};
    locum_text file = {0}, inputs = {0};
    locum_model *model = NULL;
    char message[300];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        field_model_write_bent(&step_3, cases[i].key, cases[i].value, cases[i].n_growth, cases[i].growth, &file);
        locum_status st = locum_model_open(file.data, file.size, NULL, &model, message, sizeof message);
        if (st != LOCUM_DAMAGED) printf("\n    %s = %s: %s", cases[i].key, cases[i].value, locum_status_name(st));
        CU_ASSERT_EQUAL(st, LOCUM_DAMAGED);
        locum_text_free(&file);
    }
    field_model map = step_3;
    map.is_step = false; /* outputs of other names than inputs */
    field_model_write_bent(&map, "task", "step", 0, NULL, &file);
    CHECK_FAILS(locum_model_open(file.data, file.size, NULL, &model, message, sizeof message), LOCUM_DAMAGED);
    locum_text_free(&file);
    locum_text_free(&inputs);
}

/* --- four threads, one model -------------------------------------------------------------------------------------- */
typedef struct job {
    const locum_model *model;
    trajectory result;
    locum_status status;
} job;

static void *work(void *self)
{
    job *j = self;
    locum_context *context = NULL;
    locum_buffer in[3];
    size_t bytes = locum_model_workspace(j->model, ROWS);
    void *memory = malloc(bytes);
    state *s = malloc(sizeof *s);
    fill_state(s, 3);
    lend(s, in);
    j->status = locum_model_prepare(j->model, ROWS, memory, bytes, &context);
    for (int i = 0; i < 50 && !j->status; i++) j->status = locum_roll(context, ROWS, STEPS, in, 0.5, keep, &j->result);
    free(s);
    free(memory);
    return NULL;
}

static void four_threads_roll_one_model(void)
{
    static job jobs[4];
    static state s;
    pthread_t threads[4];
    locum_buffer in[3];
    opened o;
    open_with(&step_3, ROWS, &o);
    fill_state(&s, 3);
    lend(&s, in);
    memset(&rolled, 0, sizeof rolled);
    CHECK_OK(locum_roll(o.context, ROWS, STEPS, in, 0.5, keep, &rolled));
    for (int i = 0; i < 4; i++) {
        jobs[i].model = o.model;
        CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[i], NULL, work, &jobs[i]), 0);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        CHECK_OK(jobs[i].status);
        CU_ASSERT_EQUAL(memcmp(&jobs[i].result, &rolled, sizeof rolled), 0);
    }
    close_model(&o);
}

LOCUM_RUN_TESTS(
    "fields", {"a roll-out is repeated evaluation, bit for bit", a_roll_out_is_repeated_evaluation_bit_for_bit},
    {"a tracer comes home after a round", a_tracer_comes_home_after_a_round},
    {"ports of fields have axes and a history", ports_of_fields_have_axes_and_a_history},
    {"intervals grow with the lead and end with the last", intervals_grow_with_the_lead_and_end_with_the_last},
    {"a field outside its range or its physics is flagged", a_field_outside_its_range_or_its_physics_is_flagged},
    {"a roll-out that blows up stops and says where", a_roll_out_that_blows_up_stops_and_says_where},
    {"bad calls of a roll-out are refused", bad_calls_of_a_roll_out_are_refused},
    {"the layout of a field is the host's choice", the_layout_of_a_field_is_the_hosts_choice},
    {"a roll-out allocates nothing", a_roll_out_allocates_nothing}, {"a large field rolls", a_large_field_rolls},
    {"a step that cannot feed itself is refused", a_step_that_cannot_feed_itself_is_refused},
    {"four threads roll one model", four_threads_roll_one_model})
