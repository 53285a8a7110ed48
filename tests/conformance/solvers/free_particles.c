/* SPDX-License-Identifier: BSD-3-Clause */
/* free_particles.c - rows that change ranks and number: particles that fly straight through the box [0, 1) x [0, 1)
 * x [0, 1).
 *
 *      x(t) = x0 + v t,   y and z periodic;   whoever leaves in x is gone
 *
 * A rank owns a slab of x; after each step particles move to their owner, so rows change ranks and order all the
 * time, and the array "id" names them. The state is (id, x0, v, position); positions come from x0 + v t, not from a
 * sum of steps. Sums over particles are sums of integers (units of 2^-40), exact in any order: the same bits on any
 * number of ranks. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/parallel/comm.h"
#include "core/random.h"
#include "tests/conformance/solvers/test_solvers.h"

enum { DOMAIN_GLOBAL, DOMAIN_PARTICLES, N_DOMAINS };
enum { ID, ORIGIN, VELOCITY, POSITION, ENERGY, INSIDE, N_ARRAYS };

typedef struct free_particles_config {
    int32_t particles;
    double speed, step;
} free_particles_config;

#define PLACE(member) offsetof(free_particles_config, member)
static const locum_option free_particles_options[] = {
    {.name = "particles",
     .type = LOCUM_I32,
     .place = PLACE(particles),
     .value = 100,
     .min = 1,
     .max = 1e6,
     .unit = "1",
     .text = "how many there are at first"},
    {.name = "speed",
     .type = LOCUM_F64,
     .place = PLACE(speed),
     .value = 1,
     .min = 0,
     .max = 1e3,
     .unit = "1",
     .text = "standard deviation of each velocity component",
     .flags = LOCUM_PARAMETER},
    {.name = "step",
     .type = LOCUM_F64,
     .place = PLACE(step),
     .value = 0.01,
     .min = 0,
     .max = 10,
     .unit = "time",
     .text = "time step",
     .flags = LOCUM_OPEN_MIN},
    {0},
};

typedef struct particle {
    int64_t id;
    double origin[3], velocity[3];
} particle;

struct locum_solver {
    free_particles_config config;
    MPI_Comm comm;
    int rank, size;
    locum_domain domains[N_DOMAINS];
    locum_array arrays[N_ARRAYS];
    locum_schema schema;
};

struct locum_state {
    double time;
    particle *mine, *moved; /* [capacity], [capacity] */
    int64_t n, capacity;    /* capacity: all particles, a test may be wasteful */
    int *count, *at;        /* [2 * size] of what is sent and received, bytes */
    int64_t *id;            /* arrays of a frame, [capacity, ...] */
    double *origin, *velocity, *position;
    double energy, inside;
};

static void describe(locum_solver *s)
{
    s->domains[DOMAIN_GLOBAL] = (locum_domain){.name = "global", .support = LOCUM_GLOBAL};
    s->domains[DOMAIN_PARTICLES] =
        (locum_domain){.name = "particles", .support = LOCUM_ROWS, .n_dims = 1, .upper = {1, 1, 1}};
    locum_array vector = {"origin",
                          "position at time 0",
                          "1",
                          LOCUM_FLOAT64,
                          DOMAIN_PARTICLES,
                          1,
                          {3},
                          .roles = LOCUM_STATE | LOCUM_COSTLY};
    s->arrays[ORIGIN] = vector;
    vector.name = "velocity", vector.text = "velocity", vector.roles = LOCUM_STATE | LOCUM_OBSERVABLE;
    s->arrays[VELOCITY] = vector;
    vector.name = "position", vector.text = "position", vector.roles = LOCUM_OBSERVABLE;
    s->arrays[POSITION] = vector;
    s->arrays[ID] = (locum_array){"id",        "number of the particle", "1",
                                  LOCUM_INT64, DOMAIN_PARTICLES,         .roles = LOCUM_STATE | LOCUM_OBSERVABLE};
    s->arrays[ENERGY] = (locum_array){"energy",      "kinetic energy of those inside", "1", LOCUM_FLOAT64,
                                      DOMAIN_GLOBAL, .roles = LOCUM_OBSERVABLE};
    s->arrays[INSIDE] = (locum_array){"inside",      "particles that are inside", "1", LOCUM_FLOAT64,
                                      DOMAIN_GLOBAL, .roles = LOCUM_OBSERVABLE};
    s->schema = (locum_schema){s->domains, N_DOMAINS, s->arrays, N_ARRAYS, false, 0};
}

static locum_status free_particles_create(const void *config, const locum_services *services, MPI_Comm comm,
                                          locum_solver **solver)
{
    (void)services;
    *solver = NULL;
    locum_status st = locum_comm_agree(comm, LOCUM_NEW(solver, 1));
    if (st) {
        free(*solver);
        *solver = NULL;
        return st;
    }
    (*solver)->config = *(const free_particles_config *)config;
    (*solver)->comm = comm;
    MPI_Comm_rank(comm, &(*solver)->rank);
    MPI_Comm_size(comm, &(*solver)->size);
    describe(*solver);
    return LOCUM_OK;
}

static const locum_schema *free_particles_schema(const locum_solver *solver)
{
    return &solver->schema;
}

static void free_particles_free_state(locum_state *a)
{
    if (!a) return;
    free(a->mine);
    free(a->moved);
    free(a->count);
    free(a->id);
    free(a->origin);
    free(a->velocity);
    free(a->position);
    free(a);
}

static locum_status allocate(const locum_solver *s, locum_state **state)
{
    int64_t n = s->config.particles;
    locum_status st = LOCUM_NEW(state, 1);
    locum_state *a = *state;

    if (!st) st = LOCUM_NEW(&a->mine, n);
    if (!st) st = LOCUM_NEW(&a->moved, n);
    if (!st) st = LOCUM_NEW(&a->count, 4 * s->size);
    if (!st) st = LOCUM_NEW(&a->id, n);
    if (!st) st = LOCUM_NEW(&a->origin, 3 * n);
    if (!st) st = LOCUM_NEW(&a->velocity, 3 * n);
    if (!st) st = LOCUM_NEW(&a->position, 3 * n);
    st = locum_comm_agree(s->comm, st);
    if (!st) {
        a->capacity = n;
        a->at = a->count + 2 * s->size;
        return LOCUM_OK;
    }
    free_particles_free_state(*state);
    *state = NULL;
    return st;
}

/* --- motion ------------------------------------------------------------------------------------------------ */

static double where(const particle *p, int d, double time)
{
    double x = p->origin[d] + p->velocity[d] * time;

    return d == 0 ? x : x - floor(x);
}

/* -1 = outside */
static int owner(const locum_solver *s, const particle *p, double time)
{
    double x = where(p, 0, time);

    if (!(x >= 0 && x < 1)) return -1;
    int rank = (int)(x * s->size);
    return rank < s->size ? rank : s->size - 1;
}

/* every particle to the rank that owns its place */
static void migrate(const locum_solver *s, locum_state *a)
{
    int *send = a->count, *receive = send + s->size, *at_send = a->at, *at_receive = at_send + s->size, total = 0;
    const int bytes = (int)sizeof(particle);

    memset(a->count, 0, (size_t)(4 * s->size) * sizeof *a->count);
    for (int64_t i = 0; i < a->n; i++) {
        int to = owner(s, &a->mine[i], a->time);
        if (to >= 0) send[to] += bytes;
    }
    for (int p = 1; p < s->size; p++) at_send[p] = at_send[p - 1] + send[p - 1];
    for (int64_t i = 0; i < a->n; i++) {
        int to = owner(s, &a->mine[i], a->time);
        if (to < 0) continue;
        memcpy((char *)a->moved + at_send[to], &a->mine[i], sizeof(particle));
        at_send[to] += bytes;
    }
    for (int p = 0; p < s->size; p++) at_send[p] -= send[p];
    MPI_Alltoall(send, 1, MPI_INT, receive, 1, MPI_INT, s->comm);
    for (int p = 0; p < s->size; p++) {
        at_receive[p] = total;
        total += receive[p];
    }
    MPI_Alltoallv(a->moved, send, at_send, MPI_BYTE, a->mine, receive, at_receive, MPI_BYTE, s->comm);
    a->n = total / bytes;
}

static locum_status start_exact(const locum_solver *s, const locum_frame *frame, locum_state *a)
{
    const locum_schema *schema = frame->schema;
    int id = locum_schema_find(schema, "id"), origin = locum_schema_find(schema, "origin"),
        velocity = locum_schema_find(schema, "velocity");
    locum_status st = LOCUM_OK;

    if (id < 0 || origin < 0 || velocity < 0)
        st = LOCUM_FAIL(LOCUM_INPUT, "free_particles: a restart needs id, origin, velocity");
    if (!st && frame->blocks[id].n[0] > a->capacity)
        st = LOCUM_FAIL(LOCUM_INPUT, "free_particles: more particles than the solver has");
    LOCUM_TRY(locum_comm_agree(s->comm, st));
    a->n = frame->blocks[id].n[0];
    for (int64_t i = 0; i < a->n; i++) {
        a->mine[i].id = ((const int64_t *)frame->blocks[id].data)[i];
        memcpy(a->mine[i].origin, (const double *)frame->blocks[origin].data + 3 * i, sizeof a->mine[i].origin);
        memcpy(a->mine[i].velocity, (const double *)frame->blocks[velocity].data + 3 * i, sizeof a->mine[i].velocity);
    }
    a->time = frame->time;
    migrate(s, a);
    return LOCUM_OK;
}

/* each rank draws the particles of its slab */
static void draw(const locum_solver *s, const free_particles_config *config, uint64_t seed, locum_state *a)
{
    double u[4], z[4];

    a->n = 0;
    a->time = 0;
    for (int64_t i = 0; i < s->config.particles; i++) {
        particle p = {.id = i};
        for (int k = 0; k < 2; k++) {
            locum_random_uniform(seed, LOCUM_STREAM_INITIAL, (uint64_t)(4 * i + k), u + 2 * k);
            locum_random_normal(seed, LOCUM_STREAM_INITIAL, (uint64_t)(4 * i + 2 + k), z + 2 * k);
        }
        for (int d = 0; d < 3; d++) {
            p.origin[d] = u[d];
            p.velocity[d] = config->speed * z[d];
        }
        if (owner(s, &p, 0) == s->rank) a->mine[a->n++] = p;
    }
}

static locum_status free_particles_start(const locum_solver *s, const locum_sample *sample, locum_state **state)
{
    if (!*state) LOCUM_TRY(allocate(s, state));
    if (sample->initial && sample->exact) return start_exact(s, sample->initial, *state);
    LOCUM_REQUIRE(!sample->initial, LOCUM_INPUT, "free_particles: starts from its seed only");
    draw(s, sample->config ? sample->config : &s->config, sample->seed, *state);
    return LOCUM_OK;
}

static locum_status free_particles_advance(const locum_solver *s, locum_state *a, double t_end)
{
    double next = (floor(a->time / s->config.step + 1e-9) + 1) * s->config.step;

    a->time = fmin(next, t_end);
    migrate(s, a);
    return LOCUM_OK;
}

/* --- frames ------------------------------------------------------------------------------------------------ */

static void sum_up(const locum_solver *s, locum_state *a)
{
    int64_t sums[2] = {0, a->n};

    for (int64_t i = 0; i < a->n; i++)
        for (int d = 0; d < 3; d++)
            sums[0] += llround(ldexp(0.5 * a->mine[i].velocity[d] * a->mine[i].velocity[d], 32));
    MPI_Allreduce(MPI_IN_PLACE, sums, 2, MPI_INT64_T, MPI_SUM, s->comm);
    a->energy = ldexp((double)sums[0], -32);
    a->inside = (double)sums[1];
}

static locum_status free_particles_observe(const locum_solver *s, locum_state *a, const bool *wanted,
                                           locum_frame *frame)
{
    int64_t first = 0, total = a->n;
    const void *data[N_ARRAYS] = {a->id, a->origin, a->velocity, a->position, &a->energy, &a->inside};

    sum_up(s, a);
    MPI_Exscan(&a->n, &first, 1, MPI_INT64_T, MPI_SUM, s->comm);
    if (s->rank == 0) first = 0;
    MPI_Allreduce(MPI_IN_PLACE, &total, 1, MPI_INT64_T, MPI_SUM, s->comm);
    for (int64_t i = 0; i < a->n; i++) {
        a->id[i] = a->mine[i].id;
        for (int d = 0; d < 3; d++) {
            a->origin[3 * i + d] = a->mine[i].origin[d];
            a->velocity[3 * i + d] = a->mine[i].velocity[d];
            a->position[3 * i + d] = where(&a->mine[i], d, a->time);
        }
    }
    frame->schema = &s->schema;
    frame->time = a->time;
    for (int k = 0; k < N_ARRAYS; k++) {
        if (!wanted[k]) continue;
        bool rows = s->arrays[k].domain == DOMAIN_PARTICLES;
        frame->blocks[k] = (locum_block){data[k], {rows ? first : 0}, {rows ? a->n : 1, 1, 1}, rows ? total : 1};
    }
    return LOCUM_OK;
}

static double free_particles_time(const locum_state *a)
{
    return a->time;
}

static void free_particles_destroy(locum_solver *solver)
{
    free(solver);
}

const locum_solver_type locum_solver_free_particles = {.name = "free_particles",
                                                       .summary =
                                                           "particles without forces; a test of rows that change ranks",
                                                       .options = free_particles_options,
                                                       .config_size = sizeof(free_particles_config),
                                                       .reproducible = LOCUM_BITS_ANY_RANKS,
                                                       .create = free_particles_create,
                                                       .schema = free_particles_schema,
                                                       .start = free_particles_start,
                                                       .advance = free_particles_advance,
                                                       .observe = free_particles_observe,
                                                       .time = free_particles_time,
                                                       .free_state = free_particles_free_state,
                                                       .destroy = free_particles_destroy};
