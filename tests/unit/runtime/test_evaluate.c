/* SPDX-License-Identifier: BSD-3-Clause */
/* test_evaluate.c - opening, preparing and evaluating a model: against the graph in double, in every layout of the
 * host's arrays. */
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "surrogate/runtime/model.h"
#include "tests/unit/check.h"
#include "tests/unit/models/fixture.h"

/* --- a counter behind every allocation (see CMakeLists.txt) ------------------------------------------------------- */
static _Atomic int allocations;
void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__real_aligned_alloc(size_t alignment, size_t n);
void __real_free(void *p);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
void *__wrap_aligned_alloc(size_t alignment, size_t n);
void __wrap_free(void *p);

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
void *__wrap_realloc(void *p, size_t n)
{
    allocations++;
    return __real_realloc(p, n);
}
void *__wrap_aligned_alloc(size_t alignment, size_t n)
{
    allocations++;
    return __real_aligned_alloc(alignment, n);
}
void __wrap_free(void *p)
{
    allocations += p != NULL;
    __real_free(p);
}

/* --- an open model with a context --------------------------------------------------------------------------------- */
enum { OUTPUTS = 4, MOST = 300 };
static const int64_t extent[OUTPUTS] = {1, 1, 5, 7};

typedef struct opened {
    fixture *f;
    locum_text file;
    locum_model *model;
    void *memory;
    locum_context *context;
} opened;

static void open_fixture(opened *o, int members, int64_t max_rows, const char *level)
{
    char message[300];
    *o = (opened){.f = fixture_create(members, 3, 16, 11)};
    fixture_write(o->f, &o->file);
    locum_open_options options = {.level = level};
    CHECK_OK(locum_model_open(o->file.data, o->file.size, &options, &o->model, message, sizeof message));
    CU_ASSERT_PTR_NOT_NULL_FATAL(o->model);
    size_t bytes = locum_model_workspace(o->model, max_rows);
    CU_ASSERT_TRUE_FATAL(bytes > 0);
    o->memory = malloc(bytes + 1);
    CHECK_OK(locum_model_prepare(o->model, max_rows, (char *)o->memory + 1, bytes, &o->context)); /* any alignment */
    CU_ASSERT_PTR_NOT_NULL_FATAL(o->context);
}

static void close_fixture(opened *o)
{
    locum_model_close(o->model);
    free(o->memory);
    locum_text_free(&o->file);
    fixture_destroy(o->f);
}

typedef struct packed {
    float x[2][MOST], y[3][OUTPUTS][MOST * 7]; /* value, lower, upper */
    uint32_t flag[MOST];
    double p[MOST];
} packed;

static void fill_inputs(packed *p, int64_t rows)
{
    for (int64_t r = 0; r < rows; r++) {
        double values[2];
        fixture_input((uint64_t)r, values);
        p->x[0][r] = (float)values[0];
        p->x[1][r] = (float)values[1];
    }
}

static void buffers_of(packed *p, int64_t first, locum_buffer in[2], locum_buffer out[3][OUTPUTS])
{
    for (int i = 0; i < 2; i++) in[i] = (locum_buffer){p->x[i] + first, LOCUM_FLOAT32, 1, 1};
    for (int k = 0; k < 3; k++)
        for (int i = 0; i < OUTPUTS; i++)
            out[k][i] = (locum_buffer){p->y[k][i] + first * extent[i], LOCUM_FLOAT32, extent[i], 1};
}

/* rows first .. first + n of the packed arrays */
static locum_status run_packed(locum_context *context, packed *p, int64_t first, int64_t n, double coverage)
{
    locum_buffer in[2], out[3][OUTPUTS];
    buffers_of(p, first, in, out);
    locum_trust trust = {
        .coverage = coverage, .lower = out[1], .upper = out[2], .flag = p->flag + first, .p_value = p->p + first};
    return locum_eval(context, n, in, out[0], coverage > 0 ? &trust : NULL);
}

typedef struct bound {
    fixture *f;
    const double *viscosity, *drag, *quantile;
} bound;

static const double *find(void *self, const char *name)
{
    const bound *b = self;
    if (!strcmp(name, "viscosity")) return b->viscosity;
    if (!strcmp(name, "drag")) return b->drag;
    if (!strcmp(name, "quantile")) return b->quantile;
    return fixture_value(b->f, name);
}

static void eval_is_the_graph_in_double(void)
{
    static const char *const levels[] = {"portable", "avx2", "avx512", NULL};
    enum { ROWS = 33 };
    static packed p;
    static double got[14][ROWS * 7];
    double viscosity[ROWS], drag[ROWS], *values[14];
    locum_id outputs[14];
    int64_t rows = ROWS;
    for (int l = 0; l < 4; l++)
        for (int members = 1; members <= 4; members += 3) {
            opened o;
            open_fixture(&o, members, MOST, levels[l]);
            double quantile = locum_trust_quantile(&o.model->scores, 0.9);
            bound b = {o.f, viscosity, drag, &quantile};
            fill_inputs(&p, ROWS);
            for (int r = 0; r < ROWS; r++) {
                viscosity[r] = (double)p.x[0][r];
                drag[r] = (double)p.x[1][r];
            }
            for (int i = 0; i < 14; i++) {
                outputs[i] = locum_graph_output(o.f->interval, i);
                values[i] = got[i];
            }
            CHECK_OK(locum_graph_evaluate(o.f->interval, &rows, 0, find, &b, 14, outputs, values));
            CHECK_OK(run_packed(o.context, &p, 0, ROWS, 0.9));
            for (int i = 0; i < OUTPUTS; i++)
                for (int k = 0; k < 3; k++)
                    for (int64_t j = 0; j < ROWS * extent[i];
                         j++) /* float32: 16 values a layer, 4 layers, exp: 50 ulp with room */
                        CHECK_CLOSE((double)p.y[k][i][j], got[3 * i + k][j], 50 * 6e-8 * (1 + fabs(got[3 * i + k][j])));
            for (int r = 0; r < ROWS; r++)
                CU_ASSERT_EQUAL(p.p[r], locum_trust_p_value(&o.model->measures[LOCUM_DISTANCE], got[12][r]));
            close_fixture(&o);
        }
}

static void value_is_the_same_with_and_without_trust(void)
{
    static packed a, b;
    opened o;
    open_fixture(&o, 4, MOST, NULL);
    fill_inputs(&a, MOST);
    fill_inputs(&b, MOST);
    CHECK_OK(run_packed(o.context, &a, 0, MOST, 0));
    CHECK_OK(run_packed(o.context, &b, 0, MOST, 0.9));
    for (int i = 0; i < OUTPUTS; i++)
        for (int64_t j = 0; j < MOST * extent[i]; j++) /* other fusion, other roundings: a few ulp */
            CHECK_CLOSE((double)a.y[0][i][j], (double)b.y[0][i][j], 2e-6 * (1 + fabs((double)b.y[0][i][j])));
    close_fixture(&o);
}

static void a_row_does_not_depend_on_the_others(void)
{
    static packed whole, parts;
    static const int64_t sizes[] = {1, 7, 8, 9, 63, 64, 65, 13};
    opened o;
    open_fixture(&o, 4, MOST, NULL);
    fill_inputs(&whole, MOST);
    fill_inputs(&parts, MOST);
    for (int trust = 0; trust < 2; trust++) {
        CHECK_OK(run_packed(o.context, &whole, 0, 230, trust ? 0.9 : 0));
        for (int64_t first = 0, i = 0; first < 230; first += sizes[i++])
            CHECK_OK(run_packed(o.context, &parts, first, sizes[i], trust ? 0.9 : 0));
        for (int k = 0; k < (trust ? 3 : 1); k++)
            for (int i = 0; i < OUTPUTS; i++)
                CU_ASSERT_EQUAL(memcmp(whole.y[k][i], parts.y[k][i], 230 * (size_t)extent[i] * sizeof(float)), 0);
    }
    CU_ASSERT_EQUAL(memcmp(whole.flag, parts.flag, 230 * sizeof(uint32_t)), 0);
    close_fixture(&o);
}

static void strides_and_types_are_the_hosts_choice(void)
{
    enum { ROWS = 9 };
    static packed p;
    static double wide_in[2][ROWS], fortran[OUTPUTS][7 * ROWS], spaced[OUTPUTS][3 * ROWS * 14];
    static float spaced_in[2][5 * ROWS];
    locum_buffer in[2], out[OUTPUTS];
    opened o;
    open_fixture(&o, 4, MOST, NULL);
    fill_inputs(&p, ROWS);
    CHECK_OK(run_packed(o.context, &p, 0, ROWS, 0));
    for (int i = 0; i < 2; i++)
        for (int r = 0; r < ROWS; r++) wide_in[i][r] = (double)(spaced_in[i][5 * r] = p.x[i][r]);
    /* float64 in, Fortran (rows, extent) float64 out */
    for (int i = 0; i < 2; i++) in[i] = (locum_buffer){wide_in[i], LOCUM_FLOAT64, 1, 1};
    for (int i = 0; i < OUTPUTS; i++) out[i] = (locum_buffer){fortran[i], LOCUM_FLOAT64, 1, ROWS};
    CHECK_OK(locum_eval(o.context, ROWS, in, out, NULL));
    /* spaced float32 in, every second value of every third row out; one output not wanted */
    for (int i = 0; i < OUTPUTS; i++)
        for (size_t j = 0; j < sizeof spaced[i] / sizeof(double); j++) spaced[i][j] = -99;
    for (int i = 0; i < 2; i++) in[i] = (locum_buffer){spaced_in[i], LOCUM_FLOAT32, 5, 1};
    for (int i = 0; i < OUTPUTS; i++) out[i] = (locum_buffer){i == 1 ? NULL : spaced[i], LOCUM_FLOAT64, 3 * 14, 2};
    CHECK_OK(locum_eval(o.context, ROWS, in, out, NULL));
    for (int i = 0; i < OUTPUTS; i++)
        for (int r = 0; r < ROWS; r++)
            for (int64_t j = 0; j < extent[i]; j++) {
                double expected = (double)p.y[0][i][r * extent[i] + j];
                CU_ASSERT_EQUAL(fortran[i][j * ROWS + r], expected);
                if (i != 1) CU_ASSERT_EQUAL(spaced[i][r * 42 + 2 * j], expected);
                if (i != 1) CU_ASSERT_EQUAL(spaced[i][r * 42 + 2 * j + 1], -99); /* between values: untouched */
            }
    close_fixture(&o);
}

static void a_bad_row_is_nan_and_disturbs_no_other(void)
{
    static packed clean, bad;
    static const float poison[] = {NAN, INFINITY, -INFINITY, -1}; /* the last: not in the domain of log */
    opened o;
    open_fixture(&o, 4, MOST, NULL);
    fill_inputs(&clean, 20);
    CHECK_OK(run_packed(o.context, &clean, 0, 20, 0.9));
    for (size_t k = 0; k < sizeof poison / sizeof *poison; k++) {
        fill_inputs(&bad, 20);
        bad.x[0][7] = poison[k];
        CHECK_OK(run_packed(o.context, &bad, 0, 20, 0.9));
        for (int r = 0; r < 20; r++) {
            CU_ASSERT_EQUAL(!!(bad.flag[r] & LOCUM_FLAG_NOT_FINITE), r == 7);
            for (int kind = 0; kind < 3; kind++)
                for (int i = 0; i < OUTPUTS; i++)
                    for (int64_t j = r * extent[i]; j < (r + 1) * extent[i]; j++) {
                        float got = bad.y[kind][i][j];
                        CU_ASSERT_TRUE(r == 7 ? isnan(got) : got == clean.y[kind][i][j]);
                    }
        }
    }
    close_fixture(&o);
}

static void interval_holds_the_value_and_is_infinite_when_n_is_too_small(void)
{
    static packed p;
    opened o;
    open_fixture(&o, 4, MOST, NULL);
    fill_inputs(&p, MOST);
    static const double coverages[] = {1e-9, 0.5, 0.9, 0.975, 0.98, 0.999}; /* 40 samples reach 40/41 = 0.9756 */
    for (int c = 0; c < 6; c++) {
        CHECK_OK(run_packed(o.context, &p, 0, MOST, coverages[c]));
        for (int i = 0; i < OUTPUTS; i++)
            for (int64_t j = 0; j < MOST * extent[i]; j++) {
                CU_ASSERT_TRUE(p.y[1][i][j] <= p.y[0][i][j] && p.y[0][i][j] <= p.y[2][i][j]);
                CU_ASSERT_EQUAL(isinf(p.y[2][i][j]) != 0, c >= 4);
                CU_ASSERT_EQUAL(isinf(p.y[1][i][j]) != 0, c >= 4);
            }
    }
    close_fixture(&o);
}

static void inputs_outside_the_training_range_are_flagged(void)
{
    static packed p;
    opened o;
    open_fixture(&o, 4, MOST, NULL);
    fill_inputs(&p, 4);
    p.x[0][1] = 0.2f;  /* viscosity above */
    p.x[1][2] = 0.04f; /* drag below */
    CHECK_OK(run_packed(o.context, &p, 0, 4, 0.9));
    for (int r = 0; r < 4; r++) CU_ASSERT_EQUAL(!!(p.flag[r] & LOCUM_FLAG_RANGE), r == 1 || r == 2);
    close_fixture(&o);
}

static void quantiles_and_p_values_have_exact_ranks(void)
{
    double sorted[32];
    locum_trust_table table = {32, sorted}, empty = {0};
    for (int i = 0; i < 32; i++) sorted[i] = i + 1;
    /* rank ceil(33 c): 0.9 -> 30 (29.7), 30/33 -> 30, just above -> 31, 32/33 -> 32, above -> infinite */
    CU_ASSERT_EQUAL(locum_trust_quantile(&table, 0.9), 30);
    CU_ASSERT_EQUAL(locum_trust_quantile(&table, 30.0 / 33), 30);
    CU_ASSERT_EQUAL(locum_trust_quantile(&table, 30.01 / 33), 31);
    CU_ASSERT_EQUAL(locum_trust_quantile(&table, 32.0 / 33), 32);
    CU_ASSERT_TRUE(isinf(locum_trust_quantile(&table, 0.975)));
    CU_ASSERT_EQUAL(locum_trust_quantile(&table, 0.001), 1);
    CU_ASSERT_TRUE(isinf(locum_trust_quantile(&empty, 0.5)));
    table.n = 9; /* (9 + 1) 0.9 = 9 exactly, in spite of binary fractions */
    CU_ASSERT_EQUAL(locum_trust_quantile(&table, 0.9), 9);
    table.n = 32;
    CU_ASSERT_EQUAL(locum_trust_p_value(&table, 0), 1);
    CU_ASSERT_EQUAL(locum_trust_p_value(&table, 32), 2.0 / 33); /* itself and the tie */
    CU_ASSERT_EQUAL(locum_trust_p_value(&table, 32.5), 1.0 / 33);
    CU_ASSERT_EQUAL(locum_trust_p_value(&table, NAN), 0);
    CU_ASSERT_EQUAL(locum_trust_p_value(&empty, 5), 1);
}

static void eval_allocates_nothing(void)
{
    static packed p;
    opened o;
    open_fixture(&o, 4, MOST, NULL);
    fill_inputs(&p, MOST);
    int before = allocations;
    locum_status a = run_packed(o.context, &p, 0, MOST, 0), b = run_packed(o.context, &p, 0, MOST, 0.9);
    int after = allocations;
    CHECK_OK(a);
    CHECK_OK(b);
    CU_ASSERT_EQUAL(after, before);
    CU_ASSERT_TRUE(before > 0); /* the counter counts */
    close_fixture(&o);
}

typedef struct counting {
    int n, live;
    bool refuse;
} counting;

static void *counted_allocate(void *self, size_t bytes)
{
    counting *c = self;
    if (c->refuse) return NULL;
    c->n++;
    c->live++;
    return aligned_alloc(64, (bytes + 63) / 64 * 64);
}

static void counted_release(void *self, void *memory)
{
    ((counting *)self)->live--;
    free(memory);
}

static void open_asks_the_host_for_memory_once(void)
{
    fixture *f = fixture_create(2, 2, 8, 3);
    locum_text file = {0};
    counting count = {0};
    locum_allocator allocator = {&count, counted_allocate, counted_release};
    locum_open_options options = {.allocator = &allocator};
    locum_model *model = NULL;
    char message[300] = "";

    fixture_write(f, &file);
    CHECK_OK(locum_model_open(file.data, file.size, &options, &model, NULL, 0));
    CU_ASSERT_TRUE(count.n == 1 && count.live == 1);
    locum_model_close(model);
    CU_ASSERT_EQUAL(count.live, 0);
    count.refuse = true;
    CHECK_FAILS(locum_model_open(file.data, file.size, &options, &model, message, sizeof message), LOCUM_MEMORY);
    CU_ASSERT_TRUE(!model && *message);
    options.max_bytes = file.size - 1;
    CHECK_FAILS(locum_model_open(file.data, file.size, &options, &model, message, sizeof message), LOCUM_ARG);
    locum_text_free(&file);
    fixture_destroy(f);
}

static void bad_arguments_write_nothing(void)
{
    static packed p;
    locum_buffer in[2], out[3][OUTPUTS];
    opened o;
    open_fixture(&o, 2, 10, NULL);
    fill_inputs(&p, 11);
    for (int i = 0; i < OUTPUTS; i++)
        for (int j = 0; j < 77; j++) p.y[0][i][j] = -5;
    CHECK_FAILS(run_packed(o.context, &p, 0, 11, 0), LOCUM_ARG); /* more than prepared for */
    CHECK_FAILS(run_packed(o.context, &p, 0, -1, 0), LOCUM_ARG);
    CHECK_FAILS(run_packed(NULL, &p, 0, 1, 0), LOCUM_ARG);
    CHECK_FAILS(run_packed(o.context, &p, 0, 1, 1.0), LOCUM_ARG);
    buffers_of(&p, 0, in, out);
    out[1][2].type = LOCUM_INT32;
    locum_trust trust = {.coverage = 0.9, .lower = out[1]};
    CHECK_FAILS(locum_eval(o.context, 1, in, out[0], &trust), LOCUM_ARG);
    in[1].data = NULL;
    CHECK_FAILS(locum_eval(o.context, 1, in, out[0], NULL), LOCUM_ARG);
    for (int i = 0; i < OUTPUTS; i++)
        for (int j = 0; j < 77; j++) CU_ASSERT_EQUAL(p.y[0][i][j], -5);
    CHECK_OK(run_packed(o.context, &p, 0, 0, 0.9)); /* no rows are no fault */
    CU_ASSERT_EQUAL(locum_model_workspace(o.model, 0), 0);
    CU_ASSERT_EQUAL(locum_model_workspace(o.model, INT64_MAX), 0);
    locum_context *context = NULL;
    CHECK_FAILS(locum_model_prepare(o.model, 10, o.memory, locum_model_workspace(o.model, 10) - 1, &context),
                LOCUM_ARG);
    CU_ASSERT_PTR_NULL(context);
    close_fixture(&o);
}

static void a_model_without_calibration_has_values_only(void)
{
    static packed p;
    fixture *f = fixture_create(2, 2, 8, 3);
    locum_text file = {0}, predict = {0}, inputs = {0}, outputs = {0};
    locum_model *model = NULL;
    locum_context *context = NULL;

    locum_graph_write(f->predict, &predict);
    fixture_ports(f, true, &inputs);
    fixture_ports(f, false, &outputs);
    fixture_write_with(f, predict.data, NULL, inputs.data, outputs.data, &file);
    CHECK_OK(locum_model_open(file.data, file.size, NULL, &model, NULL, 0));
    size_t bytes = locum_model_workspace(model, 4);
    void *memory = malloc(bytes);
    CHECK_OK(locum_model_prepare(model, 4, memory, bytes, &context));
    fill_inputs(&p, 4);
    CHECK_OK(run_packed(context, &p, 0, 4, 0));
    CHECK_FAILS(run_packed(context, &p, 0, 4, 0.9), LOCUM_ARG);
    locum_model_close(model);
    free(memory);
    locum_text_free(&file);
    locum_text_free(&predict);
    locum_text_free(&inputs);
    locum_text_free(&outputs);
    fixture_destroy(f);
}

static void a_model_answers_who_it_is(void)
{
    opened o;
    open_fixture(&o, 2, 10, NULL);
    CU_ASSERT_EQUAL(locum_model_n_inputs(o.model), 2);
    CU_ASSERT_EQUAL(locum_model_n_outputs(o.model), 4);
    CU_ASSERT_STRING_EQUAL(locum_model_input(o.model, 1)->name, "drag");
    CU_ASSERT_EQUAL(locum_model_input(o.model, 1)->upper, 0.3);
    const locum_port *spectrum = locum_model_output(o.model, 3);
    CU_ASSERT_TRUE(spectrum->n_dims == 1 && spectrum->extent == 7 && spectrum->axis[0] && spectrum->axis[0][6] == 7);
    CU_ASSERT_STRING_EQUAL(spectrum->axis_name[0], "k");
    CU_ASSERT_PTR_NULL(locum_model_input(o.model, 2));
    CU_ASSERT_PTR_NULL(locum_model_output(o.model, -1));
    CU_ASSERT_STRING_EQUAL(locum_model_metadata(o.model, "study"), "test: 1\n");
    CU_ASSERT_PTR_NULL(locum_model_metadata(o.model, "graph/predict"));
    CU_ASSERT_EQUAL(locum_model_n_calibration(o.model), FIXTURE_CALIBRATION);
    close_fixture(&o);
}

/* --- four threads, one model -------------------------------------------------------------------------------------- */
typedef struct job {
    const locum_model *model;
    packed result;
    locum_status status;
} job;

static void *work(void *self)
{
    job *j = self;
    locum_context *context = NULL;
    size_t bytes = locum_model_workspace(j->model, 50);
    void *memory = malloc(bytes);
    j->status = locum_model_prepare(j->model, 50, memory, bytes, &context);
    fill_inputs(&j->result, 50);
    for (int i = 0; i < 200 && !j->status; i++) j->status = run_packed(context, &j->result, 0, 50, i % 2 ? 0.9 : 0);
    free(memory);
    return NULL;
}

static void four_threads_share_one_model(void)
{
    static job jobs[4];
    pthread_t threads[4];
    opened o;
    open_fixture(&o, 4, 50, NULL);
    static packed alone;
    fill_inputs(&alone, 50);
    CHECK_OK(run_packed(o.context, &alone, 0, 50, 0.9));
    for (int i = 0; i < 4; i++) {
        jobs[i].model = o.model;
        CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[i], NULL, work, &jobs[i]), 0);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        CHECK_OK(jobs[i].status);
        CU_ASSERT_EQUAL(memcmp(&jobs[i].result, &alone, sizeof alone), 0);
    }
    close_fixture(&o);
}

LOCUM_RUN_TESTS("evaluation", {"eval is the graph in double", eval_is_the_graph_in_double},
                {"value is the same with and without trust", value_is_the_same_with_and_without_trust},
                {"a row does not depend on the others", a_row_does_not_depend_on_the_others},
                {"strides and types are the host's choice", strides_and_types_are_the_hosts_choice},
                {"a bad row is NaN and disturbs no other", a_bad_row_is_nan_and_disturbs_no_other},
                {"interval holds the value, infinite if n is too small",
                 interval_holds_the_value_and_is_infinite_when_n_is_too_small},
                {"inputs outside the training range are flagged", inputs_outside_the_training_range_are_flagged},
                {"quantiles and p-values have exact ranks", quantiles_and_p_values_have_exact_ranks},
                {"eval allocates nothing", eval_allocates_nothing},
                {"open asks the host for memory once", open_asks_the_host_for_memory_once},
                {"bad arguments write nothing", bad_arguments_write_nothing},
                {"a model without calibration has values only", a_model_without_calibration_has_values_only},
                {"a model answers who it is", a_model_answers_who_it_is},
                {"four threads share one model", four_threads_share_one_model})
