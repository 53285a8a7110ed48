/* SPDX-License-Identifier: BSD-3-Clause */
/* test_surrogates_conform.c - models of fields behind the solver interface do what every solver must: declared arrays,
 * each value given by one rank, the same bits on any number of ranks, stopped and resumed under the driver too; and
 * what they are asked for, they answer as the model itself (locum_roll) does. */
#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/memory.h"
#include "core/study/commit.h"
#include "datasets/campaign/campaign.h"
#include "surrogate/as_solver/as_solver.h"
#include "tests/conformance/snapshot.h"
#include "tests/unit/parallel/mpi_main.h"
#include "tests/unit/runtime/field_model.h"

enum { NX = 7, NY = 4, POINTS = NX * NY, HISTORY_MAX = 3, ARRAYS = 2 * HISTORY_MAX, STEPS = 8 };
static const field_model step_3 = {.nx = NX, .ny = NY, .history = 3, .is_step = true, .vector = true},
                         step_1 = {.nx = NX, .ny = NY, .history = 1, .is_step = true, .vector = true},
                         map = {.nx = NX, .ny = NY, .history = 1, .vector = true},
                         of_values = {.nx = NX, .ny = NY, .history = 1, .from_values = true};
static const field_model *const models[] = {&step_3, &step_1, &map, &of_values};
enum { MODELS = sizeof models / sizeof *models };
static const bool all_arrays[SNAPSHOT_ARRAYS] = {1, 1, 1, 1, 1, 1};

/* --- a frame to begin from: what a solver would observe, split over ranks ------------------------------------------ */
typedef struct beginning {
    locum_domain domain;
    locum_array arrays[ARRAYS];
    locum_schema schema;
    char name[ARRAYS][40];
    double axis[2][NX + NY];
    double values[ARRAYS][2 * (NX + 2) * NY]; /* the other grid too */
    locum_block blocks[ARRAYS];
    locum_frame frame;
} beginning;

static void begin_with(const field_model *m, MPI_Comm comm, int64_t nx, beginning *b)
{
    int rank, size;
    MPI_Comm_rank(comm, &rank);
    MPI_Comm_size(comm, &size);
    *b = (beginning){.domain = {.name = "grid",
                                .support = LOCUM_GRID,
                                .n_dims = 2,
                                .n_global = {nx, NY, 1},
                                .axis = {b->axis[0], b->axis[1]},
                                .axis_name = {"x", "y"}}};
    b->schema = (locum_schema){&b->domain, 1, b->arrays, 0, false, 0};
    for (int i = 0; i < 2; i++)
        for (int64_t past = 0; past < m->history; past++) {
            int a = b->schema.n_arrays++, c = i + 1;
            static const char *const field[] = {"tracer", "velocity"};
            snprintf(b->name[a], sizeof b->name[a], past ? "%s_past_%d" : "%s", field[i], (int)past);
            b->arrays[a] = (locum_array){b->name[a], "", "1", LOCUM_FLOAT64, 0, i, {c, 1}, .roles = LOCUM_STATE};
            int64_t first = nx * rank / size, n = nx * (rank + 1) / size - first;
            for (int64_t j = 0; j < nx * NY * c; j++)
                b->values[a][j] = (double)(0.4f * sinf(1.3f * (float)j + (float)(past + 5 * i)));
            b->values[a][0] = -0.0; /* its sign must survive */
            b->blocks[a] = (locum_block){b->values[a] + first * NY * c, {first, 0, 0}, {n, NY, 1}, nx};
        }
    b->frame = (locum_frame){.schema = &b->schema, .blocks = b->blocks};
}

/* --- one life ------------------------------------------------------------------------------------------------------ */
typedef struct life {
    const field_model *m;
    MPI_Comm comm;
    locum_model *model;
    locum_surrogate_solver *wrapper;
    const locum_solver_type *type;
    locum_solver *solver;
    locum_state *state;
    double config[2]; /* handle, gain */
    beginning *begin;
} life;

static void be_born(const field_model *m, MPI_Comm comm, life *l)
{
    static beginning begin;
    locum_text file = {0};
    *l = (life){.m = m, .comm = comm, .begin = &begin};
    field_model_write(m, &file);
    CHECK_OK(locum_model_open(file.data, file.size, NULL, &l->model, NULL, 0));
    CHECK_OK(locum_surrogate_solver_create(l->model, &l->wrapper));
    CU_ASSERT_PTR_NOT_NULL_FATAL(l->wrapper);
    l->type = locum_surrogate_solver_type(l->wrapper);
    CU_ASSERT_FATAL(l->type->config_size == sizeof l->config && !strcmp(l->type->options[0].name, "gain"));
    memcpy(l->config, locum_surrogate_solver_config(l->wrapper), sizeof l->config);
    l->config[1] = 0.875;
    CHECK_OK(l->type->create(l->config, NULL, comm, &l->solver));
    begin_with(m, comm, NX, l->begin);
    locum_text_free(&file);
}

static void die(life *l)
{
    l->type->free_state(l->state);
    l->type->destroy(l->solver);
    locum_surrogate_solver_destroy(l->wrapper);
    locum_model_close(l->model);
}

static locum_sample sample_of(const life *l)
{
    return (locum_sample){.config = l->config, .initial = l->m->from_values ? NULL : &l->begin->frame};
}

static void begin(life *l)
{
    locum_sample sample = sample_of(l);
    CHECK_OK(l->type->start(l->solver, &sample, &l->state));
    CU_ASSERT_PTR_NOT_NULL_FATAL(l->state);
}

static snapshot observe_all(const life *l)
{
    locum_block blocks[SNAPSHOT_ARRAYS] = {{0}};
    locum_frame frame = {.schema = l->type->schema(l->solver), .blocks = blocks};
    CHECK_OK(l->type->observe(l->solver, l->state, all_arrays, &frame));
    return snapshot_take(l->comm, &frame, all_arrays);
}

/* --- claims -------------------------------------------------------------------------------------------------------- */
static void the_schema_is_that_of_the_model(void)
{
    for (int i = 0; i < MODELS; i++) {
        const field_model *m = models[i];
        life l;
        be_born(m, MPI_COMM_WORLD, &l);
        const locum_schema *s = l.type->schema(l.solver);
        CU_ASSERT_EQUAL(s->n_arrays, (m->vector ? 2 : 1) * m->history);
        CU_ASSERT_TRUE(s->timeless == !m->is_step && s->interval == (m->is_step ? FIELD_INTERVAL : 0));
        const locum_domain *grid = &s->domains[s->arrays[0].domain];
        CU_ASSERT_TRUE(grid->support == LOCUM_GRID && grid->n_dims == 2 && grid->n_global[0] == NX &&
                       grid->n_global[1] == NY && grid->axis[1][1] == 1.0 / NY);
        CHECK_CLOSE(grid->upper[0], 1, 1e-15); /* (n - 1)/n + 1/n */
        CU_ASSERT_TRUE(grid->side[0][0] == LOCUM_PERIODIC && grid->lower[0] == 0);
        if (m->vector) CU_ASSERT_TRUE(s->arrays[1].order == 1 && s->arrays[1].shape[0] == 2);
        CU_ASSERT_EQUAL(!!(s->arrays[0].roles & LOCUM_STATE), m->is_step);
        if (m->history == 3) {
            int past = locum_schema_find(s, "velocity_past_2");
            CU_ASSERT_TRUE(past >= 2 && s->arrays[past].roles == (LOCUM_STATE | LOCUM_COSTLY));
        }
        die(&l);
    }
}

static snapshot end_on(const field_model *m, MPI_Comm comm)
{
    life l;
    be_born(m, comm, &l);
    begin(&l);
    for (int i = 0; i < (m->is_step ? STEPS : 1); i++) CHECK_OK(l.type->advance(l.solver, l.state, 1e9));
    snapshot s = observe_all(&l);
    CU_ASSERT(s.covered && snapshot_finite(&s));
    die(&l);
    return s;
}

static void any_number_of_ranks_gives_the_same_bits(void)
{
    for (int i = 0; i < MODELS; i++) {
        snapshot alone = end_on(models[i], MPI_COMM_SELF), all = end_on(models[i], MPI_COMM_WORLD);
        CU_ASSERT_EQUAL(snapshot_distance(&alone, &all), 0);
        snapshot_free(&alone);
        snapshot_free(&all);
    }
}

/* what goes in at the start comes out before the first step */
static void the_first_frame_is_the_initial_one(void)
{
    life l;
    be_born(&step_3, MPI_COMM_WORLD, &l);
    begin(&l);
    snapshot s = observe_all(&l);
    const locum_schema *schema = l.type->schema(l.solver);
    for (int a = 0; a < schema->n_arrays; a++) {
        int from = locum_schema_find(&l.begin->schema, schema->arrays[a].name);
        CU_ASSERT_FATAL(from >= 0);
        CU_ASSERT_EQUAL(s.n[a], POINTS * locum_array_components(&schema->arrays[a]));
        CU_ASSERT(!memcmp(s.value[a], l.begin->values[from], (size_t)s.n[a] * sizeof(double)));
    }
    snapshot_free(&s);
    die(&l);
}

/* --- against the model's own roll-out, under the driver ------------------------------------------------------------ */
typedef struct rolled {
    float tracer[STEPS][POINTS], velocity[STEPS][2 * POINTS];
} rolled;

static locum_status keep(void *self, const locum_roll_frame *f)
{
    rolled *r = self;
    memcpy(r->tracer[f->lead - 1], f->values[0], sizeof r->tracer[0]);
    memcpy(r->velocity[f->lead - 1], f->values[1], sizeof r->velocity[0]);
    return LOCUM_OK;
}

static void roll(life *l, rolled *r)
{
    size_t bytes = locum_model_workspace(l->model, 1);
    void *memory = malloc(bytes);
    double *fields[2], gain = 0.875;
    int64_t h = l->m->history;
    locum_context *context = NULL;
    static beginning whole; /* all of it on this rank */

    begin_with(l->m, MPI_COMM_SELF, NX, &whole);
    CHECK_OK(locum_model_prepare(l->model, 1, memory, bytes, &context));
    for (int i = 0; i < 2; i++) {
        int64_t extent = POINTS * (i + 1);
        fields[i] = calloc((size_t)(h * extent), sizeof(double));
        for (int64_t past = 0; past < h; past++)
            memcpy(fields[i] + (h - 1 - past) * extent, whole.values[i * h + past], (size_t)extent * sizeof(double));
    }
    locum_buffer in[3] = {{&gain, LOCUM_FLOAT64, 1, 1},
                          {fields[0], LOCUM_FLOAT64, h * POINTS, 1},
                          {fields[1], LOCUM_FLOAT64, 2 * h * POINTS, 1}};
    CHECK_OK(locum_roll(context, 1, STEPS, in, 0, keep, r));
    free(fields[0]);
    free(fields[1]);
    free(memory);
}

static locum_status drive(life *l, capture *c, interrupter *i, const char *base, double every)
{
    locum_record_config record = {.until = STEPS * FIELD_INTERVAL, .every = every, .checkpoint = 1e9};
    locum_sample sample = sample_of(l);
    locum_drive_call run = {.type = l->type,
                            .solver = l->solver,
                            .sample = &sample,
                            .record = &record,
                            .until = record.until,
                            .comm = l->comm,
                            .checkpoint = base};
    return capture_drive(&run, c, i, &l->state);
}

static void compare_to_roll(const capture *c, const rolled *r, int every)
{
    CU_ASSERT_EQUAL_FATAL(c->n, STEPS / every + 1); /* the initial frame too */
    for (int f = 1; f < c->n; f++) {
        const snapshot *s = &c->frames[f];
        CHECK_CLOSE(s->time, f * every * FIELD_INTERVAL, 1e-12);
        CU_ASSERT_EQUAL_FATAL(s->n[0], POINTS);
        for (int j = 0; j < POINTS; j++) CU_ASSERT_EQUAL(s->value[0][j], (double)r->tracer[f * every - 1][j]);
        for (int j = 0; j < 2 * POINTS; j++) CU_ASSERT_EQUAL(s->value[1][j], (double)r->velocity[f * every - 1][j]);
        CU_ASSERT_EQUAL(s->n[2], 0); /* COSTLY past frames are not recorded unasked */
    }
}

static char folder[LOCUM_PATH_SIZE];

static void the_driver_steps_it_and_resumes_it_bit_for_bit(void)
{
    static capture whole, parts;
    static rolled expected;
    snprintf(folder, sizeof folder, "/tmp/locum-surrogates-XXXXXX");
    if (world_rank == 0 && !mkdtemp(folder)) folder[0] = 0;
    MPI_Bcast(folder, sizeof folder, MPI_BYTE, 0, MPI_COMM_WORLD);
    for (int m = 0; m < 2; m++) {
        char base[LOCUM_PATH_SIZE + 64];
        interrupter never = {.at = INT64_MAX}, soon = {.at = 3};
        life l;
        whole = parts = (capture){0};
        snprintf(base, sizeof base, "%s/step-%d", folder, m);
        be_born(models[m], MPI_COMM_WORLD, &l);
        roll(&l, &expected);
        CHECK_OK(drive(&l, &whole, &never, "", 2 * FIELD_INTERVAL));
        compare_to_roll(&whole, &expected, 2);
        die(&l);
        be_born(models[m], MPI_COMM_WORLD, &l);
        CU_ASSERT_EQUAL(drive(&l, &parts, &soon, base, 2 * FIELD_INTERVAL), LOCUM_STOPPED);
        die(&l);
        be_born(models[m], MPI_COMM_WORLD, &l);
        CHECK_OK(drive(&l, &parts, &never, base, 2 * FIELD_INTERVAL));
        compare_to_roll(&parts, &expected, 2);
        die(&l);
        capture_free(&whole);
        capture_free(&parts);
    }
    if (world_rank == 0) CHECK_OK(locum_remove_tree(folder));
}

static void a_timeless_map_is_driven_once(void)
{
    static capture c;
    for (int m = 2; m < 4; m++) {
        interrupter never = {.at = INT64_MAX};
        life l;
        c = (capture){0};
        be_born(models[m], MPI_COMM_WORLD, &l);
        CHECK_OK(drive(&l, &c, &never, "", NAN));
        CU_ASSERT_EQUAL_FATAL(c.n, 1);
        const double *later = c.frames[0].value[0], *tracer = l.begin->values[0];
        for (int i = 0; i < NX && models[m] == &map && l.m->vector;
             i++) /* products of 7/8 are exact in float32 +- half an ulp */
            for (int j = 0; j < NY && world_size == 1; j++)
                CHECK_CLOSE(later[(i + 1) % NX * NY + j], 0.875 * tracer[i * NY + j], 1e-7);
        if (models[m] == &of_values) CU_ASSERT(later[0] == 0.875 && later[POINTS - 1] == 0.875);
        capture_free(&c);
        die(&l);
    }
}

/* --- what it cannot do --------------------------------------------------------------------------------------------- */
static void what_it_does_not_know_is_named(void)
{
    static beginning other;
    life l;
    interrupter never = {.at = INT64_MAX};
    static capture c;

    be_born(&step_3, MPI_COMM_WORLD, &l);
    begin_with(&step_3, MPI_COMM_WORLD, NX + 2, &other);
    locum_sample sample = {.config = l.config, .initial = &other.frame};
    CHECK_FAILS(l.type->start(l.solver, &sample, &l.state), LOCUM_STUDY);
    CU_ASSERT_PTR_NOT_NULL(strstr(locum_status_message(), "a grid of 9 x 4; the model was trained on 7 x 4"));
    CHECK_FAILS(l.type->resample(l.solver, &other.frame, NULL), LOCUM_STUDY);
    begin_with(&step_1, MPI_COMM_WORLD, NX, &other); /* no past */
    CHECK_FAILS(l.type->start(l.solver, &sample, &l.state), LOCUM_INPUT);
    CU_ASSERT_PTR_NOT_NULL(strstr(locum_status_message(), "no array `tracer_past_1`"));
    begin_with(&step_3, MPI_COMM_WORLD, NX, &other);
    other.arrays[0].name = "vorticity";
    CHECK_FAILS(l.type->start(l.solver, &sample, &l.state), LOCUM_INPUT);
    CU_ASSERT_PTR_NOT_NULL(strstr(locum_status_message(), "no array `tracer`; it has vorticity, "));
    sample.initial = NULL;
    CHECK_FAILS(l.type->start(l.solver, &sample, &l.state), LOCUM_INPUT);
    CHECK_FAILS(drive(&l, &c, &never, "", 0.7 * FIELD_INTERVAL), LOCUM_STUDY); /* between two of its frames */
    capture_free(&c);
    c = (capture){0};
    l.config[1] = 1e4;
    CHECK_FAILS(drive(&l, &c, &never, "", FIELD_INTERVAL), LOCUM_NUMERIC);
    CU_ASSERT_PTR_NOT_NULL(strstr(locum_status_message(), "blows up at step 1"));
    capture_free(&c);
    die(&l);
    be_born(&of_values, MPI_COMM_WORLD, &l);
    sample = (locum_sample){.config = l.config, .initial = &other.frame};
    CHECK_FAILS(l.type->start(l.solver, &sample, &l.state), LOCUM_INPUT);
    l.type->free_state(NULL);
    l.type->destroy(NULL);
    die(&l);
}

LOCUM_RUN_RANKS("surrogates conform", {"the schema is that of the model", the_schema_is_that_of_the_model},
                {"any number of ranks gives the same bits", any_number_of_ranks_gives_the_same_bits},
                {"the first frame is the initial one", the_first_frame_is_the_initial_one},
                {"the driver steps it, and resumes it bit for bit", the_driver_steps_it_and_resumes_it_bit_for_bit},
                {"a timeless map is driven once", a_timeless_map_is_driven_once},
                {"what it does not know is named", what_it_does_not_know_is_named})
