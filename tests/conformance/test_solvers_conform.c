/* SPDX-License-Identifier: BSD-3-Clause */
/* test_solvers_conform.c - what every registered solver must do, and the three minimal ones: declared arrays of
 * declared shapes, the same bits (as declared) when repeated, resumed, or run on other numbers of ranks, no leak and
 * a clean LOCUM_MEMORY when memory runs out, and a store and a table that take its frames without knowing it. */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/failpoint.h"
#include "core/memory.h"
#include "core/study/commit.h"
#include "datasets/campaign/campaign.h"
#include "datasets/loader/loader.h"
#include "solvers/solver_list.h"
#include "tests/conformance/snapshot.h"
#include "tests/conformance/solvers/test_solvers.h"
#include "tests/unit/campaign/leaks.h"
#include "tests/unit/check.h"

#define LOCUM_SOLVER_POINTER(name) &locum_solver_##name,
static const locum_solver_type *const solvers[] = {&locum_solver_quadrature, &locum_solver_free_particles,
                                                   &locum_solver_grid_advection,
                                                   LOCUM_SOLVERS(LOCUM_SOLVER_POINTER) NULL};

/* one study for each solver; table: outputs that a network could learn, NULL = rows that change; work: arrays that say how
 * the work went (iterations, residuals) and not what came out: they may depend on the number of ranks, others not */
typedef struct subject {
    const char *solver, *study, *vary;
    const char *table[3], *work[3];
} subject;

static const subject subjects[] = {
    {"quadrature",
     "study: q\nseed: 3\nsolver: {name: quadrature, frequency: 7, power: 2.5}\nrecord: {precision: float64}\n",
     "amplitude: {range: [1, 2]}, frequency: {range: [1, 30], scale: log}",
     {"integral", "integrand"},
     {NULL}},
    {"free_particles",
     "study: p\nseed: 3\nsolver: {name: free_particles, particles: 57, speed: 0.8, step: 0.01}\n"
     "record: {until: 0.1, every: 0.025, precision: float64}\n",
     "speed: {range: [0.5, 1]}",
     {"energy", "inside"},
     {NULL}},
    {"grid_advection",
     "study: g\nseed: 3\nsolver: {name: grid_advection, resolution: [12, 10], step: 0.001}\ninitial: random\n"
     "record: {until: 0.02, every: 0.005, precision: float64}\n",
     "velocity: {range: [0.5, 2]}, diffusivity: {range: [0.05, 0.2]}",
     {"mean", "profile"},
     {NULL}},
    {"navier_stokes",
     "study: n\nseed: 3\nsolver: {name: navier_stokes, dimension: 2, resolution: 32, viscosity: 0.01, drag: 0.1,\n"
     "  forcing: {name: kolmogorov, wavenumber: 2, amplitude: 1}}\ninitial: random\n"
     "record: {until: 0.4, every: 0.1, precision: float64}\n",
     "viscosity: {range: [0.01, 0.1], scale: log}",
     {"energy", "spectrum"},
     {NULL}},
    /* 37 rows: slices of different heights; 1e-13: what is left of the iteration lies below the bound of as_declared() */
    {"darcy",
     "study: d\nseed: 3\nsolver: {name: darcy, resolution: 37, tolerance: 1e-13}\ninitial: {name: thresholded, waves: "
     "16}\n"
     "record: {precision: float64}\n",
     "source: {range: [0.5, 2]}",
     {"mean_solution", "energy"},
     {"iterations", "residual"}},
};

static char folder[LOCUM_PATH_SIZE];

static const subject *subject_of(const locum_solver_type *type)
{
    for (size_t i = 0; i < sizeof subjects / sizeof subjects[0]; i++)
        if (!strcmp(subjects[i].solver, type->name)) return &subjects[i];
    return NULL;
}

/* --- one life of a solver ---------------------------------------------------------------------------------- */

typedef struct life {
    locum_study *study;
    locum_setup setup;
    const locum_solver_type *type;
    const locum_schema *schema;
    MPI_Comm comm;
    locum_solver *solver;
    locum_state *state;
} life;

static bool read_study(const locum_solver_type *type, const char *campaign, life *l)
{
    const subject *s = subject_of(type);
    char text[2048];

    *l = (life){.type = type, .comm = MPI_COMM_NULL};
    if (!s) {
        printf("\n    %s has no study in this file", type->name);
        CU_FAIL("every registered solver needs a subject");
        return false;
    }
    snprintf(text, sizeof text, "%s%s", s->study, campaign ? campaign : "");
    CHECK_OK(locum_study_parse(text, "study.yaml", 0, NULL, &l->study));
    locum_status st = locum_setup_read(l->study, solvers, campaign != NULL, &l->setup);
    if (st == LOCUM_NOT_BUILT) { /* it says so, and what is missing; there is nothing else to ask */
        CU_ASSERT(!type->estimate && strstr(locum_status_message(), "install"));
        locum_study_destroy(l->study);
        *l = (life){.type = type, .comm = MPI_COMM_NULL};
        return false;
    }
    CHECK_OK(st);
    return l->setup.record_config != NULL;
}

static bool be_born(const locum_solver_type *type, MPI_Comm comm, life *l)
{
    if (!read_study(type, NULL, l)) return false;
    l->comm = comm;
    locum_status st = type->create(locum_settings_config(l->setup.solver), NULL, comm, &l->solver);
    CHECK_OK(st);
    if (!st) l->schema = type->schema(l->solver);
    return !st;
}

static void die(life *l)
{
    l->type->free_state(l->state);
    l->type->destroy(l->solver);
    locum_study_destroy(l->study);
}

static locum_sample sample_of(const life *l, uint64_t seed)
{
    return (locum_sample){.index = 0, .seed = seed, .config = locum_settings_config(l->setup.solver)};
}

static snapshot observe_all(const life *l, const bool *wanted)
{
    locum_block blocks[SNAPSHOT_ARRAYS] = {{0}};
    locum_frame frame = {
        .schema = l->schema, .time = l->schema->timeless ? 0 : l->type->time(l->state), .blocks = blocks};

    CHECK_OK(l->type->observe(l->solver, l->state, wanted, &frame));
    for (int a = 0; a < l->schema->n_arrays; a++) CU_ASSERT(wanted[a] || !blocks[a].data);
    return snapshot_take(l->comm, &frame, wanted);
}

static void steps(life *l, int n)
{
    for (int i = 0; i < (l->schema->timeless ? 1 : n); i++)
        CHECK_OK(l->type->advance(l->solver, l->state, l->setup.record_config->until));
}

#define EVERY_SOLVER(type) for (const locum_solver_type *const *at_ = solvers, *type = *at_; type; type = *++at_)
static const bool all_arrays[SNAPSHOT_ARRAYS] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
                                                 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};

/* --- claims ------------------------------------------------------------------------------------------------ */

static void check_schema(const locum_schema *schema)
{
    CU_ASSERT_FATAL(schema->n_arrays > 0 && schema->n_arrays <= SNAPSHOT_ARRAYS);
    for (int a = 0; a < schema->n_arrays; a++) {
        const locum_array *array = &schema->arrays[a];
        CU_ASSERT(array->name && array->text && array->unit && array->roles);
        CU_ASSERT_FATAL(array->domain >= 0 && array->domain < schema->n_domains);
        CU_ASSERT(locum_array_components(array) >= 1);
        CU_ASSERT(locum_schema_find(schema, array->name) == a); /* names are unique */
    }
    for (int d = 0; d < schema->n_domains; d++) {
        const locum_domain *domain = &schema->domains[d];
        CU_ASSERT(domain->name != NULL);
        for (int i = 0; i < domain->n_dims; i++) CU_ASSERT(domain->n_global[i] > 0 || domain->support == LOCUM_ROWS);
        for (int i = 0; i < domain->n_dims && domain->support == LOCUM_GRID; i++) {
            CU_ASSERT(domain->axis_name[i] && domain->axis[i]);
            CU_ASSERT(domain->upper[i] > domain->lower[i]);
        }
    }
}

static void declared_arrays_are_there_once_and_finite(void)
{
    EVERY_SOLVER(type)
    {
        life l;
        if (!be_born(type, MPI_COMM_WORLD, &l)) continue;
        check_schema(l.schema);
        locum_sample sample = sample_of(&l, 3);
        CHECK_OK(type->start(l.solver, &sample, &l.state));
        for (int i = 0; i < 2; i++) {
            if (i == 1 || l.schema->timeless) steps(&l, 3);
            snapshot s = observe_all(&l, all_arrays);
            if (!s.covered || !snapshot_finite(&s))
                printf("\n    %s: covered %d, finite %d", type->name, s.covered, snapshot_finite(&s));
            CU_ASSERT(s.covered);
            CU_ASSERT(snapshot_finite(&s));
            for (int a = 0; a < l.schema->n_arrays; a++) {
                int64_t rows = l.schema->domains[l.schema->arrays[a].domain].n_global[0];
                if (l.schema->domains[l.schema->arrays[a].domain].support == LOCUM_ROWS && rows > 0)
                    CU_ASSERT(s.n[a] == rows * locum_array_components(&l.schema->arrays[a]));
            }
            snapshot_free(&s);
        }
        die(&l);
    }
}

static void steps_do_not_pass_the_end_and_land_on_it(void)
{
    EVERY_SOLVER(type)
    {
        life l;
        if (!be_born(type, MPI_COMM_WORLD, &l)) continue;
        if (!l.schema->timeless) {
            locum_sample sample = sample_of(&l, 3);
            double end = 0.3 * l.setup.record_config->until, time = 0;
            CHECK_OK(type->start(l.solver, &sample, &l.state));
            CU_ASSERT(type->time(l.state) == 0);
            for (int i = 0; i < 10000 && time < end; i++) {
                CHECK_OK(type->advance(l.solver, l.state, end));
                CU_ASSERT_FATAL(type->time(l.state) > time && type->time(l.state) <= end);
                time = type->time(l.state);
            }
            CU_ASSERT(time == end);
        }
        die(&l);
    }
}

/* a state that has seen another sample must not remember it */
static void a_used_state_gives_the_same_bits(void)
{
    EVERY_SOLVER(type)
    {
        life l;
        snapshot s[2];
        if (!be_born(type, MPI_COMM_WORLD, &l)) continue;
        for (int i = 0; i < 3; i++) {
            locum_sample sample = sample_of(&l, i == 1 ? 99 : 3);
            CHECK_OK(type->start(l.solver, &sample, &l.state));
            steps(&l, 3);
            if (i != 1) s[i / 2] = observe_all(&l, all_arrays);
        }
        CU_ASSERT(snapshot_distance(&s[0], &s[1]) == 0 || type->reproducible == LOCUM_ROUNDOFF);
        snapshot_free(&s[0]);
        snapshot_free(&s[1]);
        die(&l);
    }
}

/* what is declared: bits, or to round-off. 1e-9: a few steps of well-conditioned problems, far above 1e-16 times
 * their number */
static bool as_declared(const locum_solver_type *type, bool other_ranks, double distance)
{
    bool bits =
        type->reproducible == LOCUM_BITS_ANY_RANKS || (type->reproducible == LOCUM_BITS_SAME_RANKS && !other_ranks);

    if (bits ? distance != 0 : !(distance <= 1e-9)) printf("\n    %s: differs by %.3g", type->name, distance);
    return bits ? distance == 0 : distance <= 1e-9;
}

static bool is_work(const locum_solver_type *type, const char *array)
{
    const subject *s = subject_of(type);
    for (int i = 0; i < 3 && s; i++)
        if (s->work[i] && !strcmp(s->work[i], array)) return true;
    return false;
}

static snapshot end_on(const locum_solver_type *type, MPI_Comm comm)
{
    life l;
    snapshot s = {0};
    bool wanted[SNAPSHOT_ARRAYS];

    if (!be_born(type, comm, &l)) return s;
    locum_sample sample = sample_of(&l, 3);
    CHECK_OK(type->start(l.solver, &sample, &l.state));
    steps(&l, 4);
    for (int a = 0; a < SNAPSHOT_ARRAYS; a++)
        wanted[a] = a < l.schema->n_arrays && !is_work(type, l.schema->arrays[a].name);
    s = observe_all(&l, wanted);
    die(&l);
    return s;
}

static void every_number_of_ranks_gives_what_is_declared(void)
{
    int rank, size;

    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    EVERY_SOLVER(type)
    {
        snapshot alone = end_on(type, MPI_COMM_SELF);
        for (int n = 2; n <= size; n++) {
            MPI_Comm some;
            MPI_Comm_split(MPI_COMM_WORLD, rank < n ? 0 : MPI_UNDEFINED, rank, &some);
            if (some == MPI_COMM_NULL) continue;
            snapshot s = end_on(type, some);
            CU_ASSERT(as_declared(type, true, snapshot_distance(&alone, &s)));
            snapshot_free(&s);
            MPI_Comm_free(&some);
        }
        snapshot_free(&alone);
    }
}

/* --- restart ----------------------------------------------------------------------------------------------- */

static locum_status drive(life *l, capture *c, interrupter *i, const char *base, const locum_record_config *record)
{
    locum_sample sample = sample_of(l, 3);
    locum_drive_call run = {.type = l->type,
                            .solver = l->solver,
                            .sample = &sample,
                            .record = record,
                            .until = record->until,
                            .comm = l->comm,
                            .checkpoint = base};
    return capture_drive(&run, c, i, &l->state);
}

static void compare_captures(const locum_solver_type *type, const capture *a, const capture *b)
{
    CU_ASSERT(a->n == b->n && a->n > 0);
    for (int i = 0; i < a->n && i < b->n; i++)
        CU_ASSERT(as_declared(type, false, snapshot_distance(&a->frames[i], &b->frames[i])));
}

static void check_restart(const locum_solver_type *type, bool average, int64_t at)
{
    life whole, parts;
    static capture one, two; /* too large for the stack of some systems */
    interrupter never = {.at = INT64_MAX}, soon = {.at = at};
    char base[LOCUM_PATH_SIZE + 64];
    locum_status st = LOCUM_OK;

    one = two = (capture){0};
    if (!be_born(type, MPI_COMM_WORLD, &whole)) return;
    locum_record_config record = *whole.setup.record_config;
    record.average = average && type != &locum_solver_free_particles; /* rows that change have no mean */
    if (record.average) record.from = 0.25 * record.until, record.every = NAN;
    snprintf(base, sizeof base, "%s/%s-%d-%lld", folder, type->name, average, (long long)at);
    CHECK_OK(drive(&whole, &one, &never, "", &record));
    bool timeless = whole.schema->timeless;
    die(&whole);
    /* stops twice: each leg is a new solver and a new state */
    for (int leg = 0; leg < 3; leg++) {
        if (!be_born(type, MPI_COMM_WORLD, &parts)) return;
        soon.at = leg < 2 ? at * (leg + 1) : INT64_MAX;
        st = drive(&parts, &two, &soon, base, &record);
        die(&parts);
        CU_ASSERT(st == (leg < 2 && !timeless ? LOCUM_STOPPED : LOCUM_OK));
        if (st != LOCUM_STOPPED) break;
    }
    CHECK_OK(st);
    if (!timeless) compare_captures(type, &one, &two);
    capture_free(&one);
    capture_free(&two);
}

static void stopped_and_resumed_is_as_declared(void)
{
    EVERY_SOLVER(type) check_restart(type, false, 3);
}

/* stopped on all ranks, resumed by rank 0 alone: bits where the solver promises them on any number of ranks */
static void a_restart_file_belongs_to_no_number_of_ranks(void)
{
    int rank;

    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    EVERY_SOLVER(type)
    {
        life all, alone;
        static capture one, two, half;
        interrupter never = {.at = INT64_MAX}, soon = {.at = 5};
        char base[LOCUM_PATH_SIZE + 64];
        one = two = half = (capture){0};
        if (!be_born(type, MPI_COMM_WORLD, &all)) continue;
        locum_record_config record = *all.setup.record_config;
        record.every = NAN;
        snprintf(base, sizeof base, "%s/%s-alone", folder, type->name);
        bool timeless = all.schema->timeless;
        if (!timeless) CU_ASSERT(drive(&all, &half, &soon, base, &record) == LOCUM_STOPPED);
        die(&all);
        if (!timeless && rank == 0 && be_born(type, MPI_COMM_SELF, &alone)) {
            CHECK_OK(drive(&alone, &two, &never, base, &record));
            CHECK_OK(drive(&alone, &one, &never, "", &record));
            CU_ASSERT(one.n == 1 && two.n == 1 && half.n == 0);
            CU_ASSERT(as_declared(type, true, snapshot_distance(&one.frames[0], &two.frames[0])));
            die(&alone);
        }
        capture_free(&one);
        capture_free(&two);
        MPI_Barrier(MPI_COMM_WORLD);
    }
}

static void a_running_mean_goes_on_too(void)
{
    EVERY_SOLVER(type) check_restart(type, true, 4);
}

/* --- memory ------------------------------------------------------------------------------------------------ */

static locum_status whole_life(life *l)
{
    locum_block blocks[SNAPSHOT_ARRAYS] = {{0}};
    locum_sample sample = sample_of(l, 3);
    locum_status st = l->type->create(locum_settings_config(l->setup.solver), NULL, MPI_COMM_WORLD, &l->solver);

    if (!st) st = l->type->start(l->solver, &sample, &l->state);
    if (!st) st = l->type->advance(l->solver, l->state, 0.5 * l->setup.record_config->until);
    if (st) return st;
    locum_frame frame = {.schema = l->type->schema(l->solver), .blocks = blocks};
    return l->type->observe(l->solver, l->state, all_arrays, &frame);
}

/* the last rank runs out of memory at its n-th allocation; all ranks must answer alike */
static void no_memory_is_a_clean_failure(void)
{
    int size, most = 200;

    MPI_Comm_size(MPI_COMM_WORLD, &size);
    EVERY_SOLVER(type)
    {
        int n;
        for (n = 1; n <= most; n++) {
            life l;
            char list[64];
            if (!read_study(type, NULL, &l)) break;
            snprintf(list, sizeof list, "alloc@%d%%%d=memory", n, size - 1);
            setenv("LOCUM_FAILPOINTS", list, 1);
            locum_status st = whole_life(&l);
            setenv("LOCUM_FAILPOINTS", "", 1);
            int worst[2] = {(int)st, -(int)st};
            MPI_Allreduce(MPI_IN_PLACE, worst, 2, MPI_INT, MPI_MAX, MPI_COMM_WORLD);
            CU_ASSERT(worst[0] == -worst[1]);
            CU_ASSERT(st == LOCUM_OK || st == LOCUM_MEMORY);
            if (st && st != LOCUM_MEMORY)
                printf("\n    %s, allocation %d: %s: %s", type->name, n, locum_status_name(st), locum_status_message());
            die(&l);
            if (!st) break;
        }
        CU_ASSERT((n > 1 && n <= most) || !type->estimate); /* it did allocate, and in the end it lived */
    }
    unsetenv("LOCUM_FAILPOINTS");
}

static void nothing_can_be_destroyed(void)
{
    EVERY_SOLVER(type)
    {
        type->free_state(NULL);
        type->destroy(NULL);
        CU_PASS("NULL is accepted");
    }
}

static void the_cost_is_told(void)
{
    EVERY_SOLVER(type)
    {
        life l;
        locum_cost cost = {0};
        if (!type->estimate || !read_study(type, NULL, &l)) continue;
        CHECK_OK(type->estimate(locum_settings_config(l.setup.solver), 2, &cost));
        CU_ASSERT(cost.operations > 0 && isfinite(cost.operations) && cost.steps > 0 && cost.bytes_per_rank > 0);
        locum_study_destroy(l.study);
    }
}

/* --- store, table ------------------------------------------------------------------------------------------ */

static void compare_with_file(const char *path, const locum_schema *schema, const capture *c)
{
    locum_dataset *dataset = NULL;

    CHECK_OK(locum_dataset_open(path, &dataset));
    if (!dataset) return;
    CU_ASSERT(locum_dataset_n(dataset) == 1 && locum_dataset_sample_at(dataset, 0)->n_frames == c->n);
    for (int f = 0; f < c->n; f++) {
        CU_ASSERT(schema->timeless || locum_dataset_time(dataset, 0, f) == c->frames[f].time);
        for (int a = 0; a < schema->n_arrays; a++) {
            if (!c->frames[f].value[a]) continue;
            int in_file = locum_schema_find(locum_dataset_schema(dataset), schema->arrays[a].name);
            CU_ASSERT_FATAL(in_file >= 0);
            int64_t n = locum_dataset_count(dataset, 0, f, in_file);
            CU_ASSERT_FATAL(n == c->frames[f].n[a]);
            double *value = calloc((size_t)n + 1, sizeof *value);
            CHECK_OK(locum_dataset_read(dataset, 0, f, in_file, value));
            CU_ASSERT(!memcmp(value, c->frames[f].value[a], (size_t)n * sizeof *value)); /* float64 in the file */
            free(value);
        }
    }
    locum_dataset_close(dataset);
}

static void a_file_holds_what_was_observed(void)
{
    EVERY_SOLVER(type)
    {
        life l;
        static capture c;
        interrupter never = {.at = INT64_MAX};
        char path[LOCUM_PATH_SIZE + 64];
        c = (capture){0};
        if (!be_born(type, MPI_COMM_WORLD, &l)) continue;
        snprintf(path, sizeof path, "%s/%s.h5", folder, type->name);
        CHECK_OK(drive(&l, &c, &never, "", l.setup.record_config));
        CHECK_OK(locum_simulate(l.study, &l.setup, MPI_COMM_WORLD, path, false, NULL, NULL));
        compare_with_file(path, l.schema, &c);
        capture_free(&c);
        die(&l);
    }
}

static void read_as_table(const char *dataset_path, const subject *s)
{
    locum_dataset *dataset = NULL;
    locum_table *table = NULL;

    CHECK_OK(locum_dataset_open(dataset_path, &dataset));
    if (!dataset) return;
    CHECK_OK(locum_table_read(dataset, 2, s->table, &table));
    if (table) {
        CU_ASSERT(table->n[LOCUM_TRAIN] == 4 && table->n[LOCUM_VALIDATION] == 1 && table->n[LOCUM_TEST] == 1);
        CU_ASSERT(table->n_columns == table->n_inputs + 2);
        CU_ASSERT(!strcmp(table->columns[table->n_inputs].name, s->table[0]));
        locum_table_destroy(table);
    }
    locum_dataset_close(dataset);
}

static void a_campaign_becomes_a_table(void)
{
    int rank;

    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    EVERY_SOLVER(type)
    {
        life l;
        const subject *s = subject_of(type);
        char campaign[1024], path[LOCUM_PATH_SIZE + 64];
        int64_t done = 0, failed = 0;
        locum_campaign_plan *plan = NULL;
        snprintf(campaign, sizeof campaign, "campaign: {split: {train: 4, validation: 1, test: 1}, vary: {%s}}\n",
                 s ? s->vary : "");
        if (!read_study(type, campaign, &l)) continue;
        snprintf(path, sizeof path, "%s/campaign-%s", folder, type->name);
        CHECK_OK(locum_campaign_plan_create(l.study, &l.setup, &plan));
        locum_generate_call call = {.study = l.study,
                                    .setup = &l.setup,
                                    .plan = plan,
                                    .dataset = path,
                                    .options_hash = 5,
                                    .n_shards = 1,
                                    .world = MPI_COMM_WORLD};
        CHECK_OK(locum_generate(&call, &done, &failed));
        CU_ASSERT(done == 6 && failed == 0);
        if (rank == 0) read_as_table(path, s);
        MPI_Barrier(MPI_COMM_WORLD);
        locum_campaign_plan_destroy(plan);
        locum_study_destroy(l.study);
    }
}

/* --- main -------------------------------------------------------------------------------------------------- */

int main(int argc, char **argv)
{
    static const check_entry entries[] = {
        {"declared arrays are there once and finite", declared_arrays_are_there_once_and_finite},
        {"steps do not pass the end and land on it", steps_do_not_pass_the_end_and_land_on_it},
        {"a used state gives the same bits", a_used_state_gives_the_same_bits},
        {"every number of ranks gives what is declared", every_number_of_ranks_gives_what_is_declared},
        {"stopped and resumed is as declared", stopped_and_resumed_is_as_declared},
        {"a restart file belongs to no number of ranks", a_restart_file_belongs_to_no_number_of_ranks},
        {"a running mean goes on too", a_running_mean_goes_on_too},
        {"no memory is a clean failure", no_memory_is_a_clean_failure},
        {"nothing can be destroyed", nothing_can_be_destroyed},
        {"the cost is told", the_cost_is_told},
        {"a file holds what was observed", a_file_holds_what_was_observed},
        {"a campaign becomes a table", a_campaign_becomes_a_table},
    };
    int rank, failed;

    leaks_begin(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    locum_failpoint_rank(rank);
    locum_store_setup();
    /* memory where there is such a folder: fsync costs nothing there */
    snprintf(folder, sizeof folder, "%s/locum-conformance-XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    if (rank == 0 && !mkdtemp(folder)) folder[0] = 0;
    MPI_Bcast(folder, sizeof folder, MPI_BYTE, 0, MPI_COMM_WORLD);
    if (rank != 0 && !getenv("LOCUM_TEST_ALL_RANKS") && !freopen("/dev/null", "w", stdout)) return 1;
    EVERY_SOLVER(type)
    {
        if (type->setup && type->setup(MPI_COMM_WORLD)) return 1;
    }
    failed = check_run("solvers conform", entries, (int)(sizeof entries / sizeof entries[0])) | leaks_found();
    MPI_Allreduce(MPI_IN_PLACE, &failed, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD);
    if (rank == 0 && locum_remove_tree(folder)) failed = 1;
    EVERY_SOLVER(type)
    {
        if (type->finish) type->finish();
    }
    MPI_Finalize();
    return failed;
}
