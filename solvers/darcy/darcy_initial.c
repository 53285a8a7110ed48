/* SPDX-License-Identifier: BSD-3-Clause */
/* darcy_initial.c - the coefficient and the source at the beginning of a sample: made from the config, or from a frame.
 *
 * The Gaussian field with covariance (tau^2 - lap)^-alpha and zero Neumann conditions is a sum of cosines,
 *
 *      g(x, y) = sum_{0 <= k, l < waves, (k, l) != 0}  s_kl z_kl  c_k cos(k pi x)  c_l cos(l pi y),
 *      s_kl = (pi^2 (k^2 + l^2) + tau^2)^(-alpha/2),   c_0 = 1, else sqrt(2),   z_kl = Philox(seed, k, l) normal,
 *
 * taken at the cell centres: the same function of x and y at every resolution, the same bits on any number of ranks.
 * Cost: waves^2 n along y, then waves n^2 along x, multiplications; no transform, no dependence on what n factors into. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/parallel/comm.h"
#include "core/random.h"
#include "darcy_internal.h"
#include "solvers/numerics/fft/slab.h"

#define PI 3.141592653589793238

static bool is_gaussian(const locum_darcy_config *c)
{
    return c->initial == LOCUM_DARCY_THRESHOLDED || c->initial == LOCUM_DARCY_LOGNORMAL;
}

/* standard deviation of the coefficient of a cosine of norm one */
static double mode_size(const locum_darcy_config *c, int64_t k, int64_t l)
{
    return k == 0 && l == 0 ? 0 : pow(PI * PI * (double)(k * k + l * l) + c->tau * c->tau, -0.5 * c->alpha);
}

/* waves [waves][n]: c_k cos(k pi x_i), x_i = (2 i + 1) / 2n, with the angle reduced as a whole number */
static void make_waves(const locum_solver *s, double *waves)
{
    const int64_t n = s->n;
    for (int64_t k = 0; k < s->config.waves; k++)
        for (int64_t i = 0; i < n; i++) {
            int64_t turn = k * (2 * i + 1) % (4 * n); /* of a circle in 4 n parts */
            waves[k * n + i] = (k ? sqrt(2.0) : 1.0) * cos(2 * PI * (double)turn / (double)(4 * n));
        }
}

/* g on this rank's rows of a; every value is summed in the same order whatever the ranks are */
static void make_gaussian(locum_state *state, uint64_t seed)
{
    const locum_solver *s = state->solver;
    const locum_darcy_config *c = &state->config;
    const int64_t n = s->n, waves = s->config.waves;
    memset(state->half, 0, (size_t)(waves * n) * sizeof(double));
    for (int64_t k = 0; k < waves; k++)
        for (int64_t l = 0; l < waves; l++) {
            double z[2], *half = state->half + k * n;
            const double *wave = state->waves + l * n;
            locum_random_normal(seed, LOCUM_STREAM_INITIAL, (uint64_t)k << 32 | (uint64_t)l, z);
            const double size = mode_size(c, k, l) * z[0];
            for (int64_t j = 0; j < n; j++) half[j] += size * wave[j];
        }
    memset(state->a, 0, (size_t)((s->rows + 2) * n) * sizeof(double));
    for (int64_t i = 0; i < s->rows; i++)
        for (int64_t k = 0; k < waves; k++) {
            double *a = state->a + (i + 1) * n;
            const double *half = state->half + k * n, size = state->waves[k * n + s->first + i];
            for (int64_t j = 0; j < n; j++) a[j] += size * half[j];
        }
}

/* the square of a cosine of norm one has mean one, so the mean variance is the sum of the modes' */
static double mean_deviation(const locum_darcy_config *c)
{
    double sum = 0;
    for (int64_t k = 0; k < c->waves; k++)
        for (int64_t l = 0; l < c->waves; l++) sum += mode_size(c, k, l) * mode_size(c, k, l);
    return sqrt(sum);
}

static locum_status make_from_config(locum_state *state, uint64_t seed)
{
    const locum_solver *s = state->solver;
    const locum_darcy_config *c = &state->config;
    double *a = state->a + s->n;
    const int64_t cells = s->rows * s->n;
    LOCUM_REQUIRE(c->initial != LOCUM_DARCY_FILE, LOCUM_INPUT, "darcy: the coefficient of the file was not handed on");
    if (is_gaussian(c)) make_gaussian(state, seed);
    const double scale = c->initial == LOCUM_DARCY_LOGNORMAL ? c->deviation / mean_deviation(c) : 0;
    for (int64_t i = 0; i < cells; i++) {
        if (c->initial == LOCUM_DARCY_THRESHOLDED) a[i] = a[i] >= 0 ? c->high : c->low;
        if (c->initial == LOCUM_DARCY_LOGNORMAL) a[i] = c->median * exp(scale * a[i]);
        if (c->initial == LOCUM_DARCY_CONSTANT) a[i] = c->value;
    }
    return LOCUM_OK;
}

locum_status locum_darcy_copy_values(const locum_frame *frame, int array, double **values)
{
    const locum_block *block = &frame->blocks[array];
    const locum_type type = frame->schema->arrays[array].type;
    const int64_t n = locum_block_count(frame->schema, array, block);
    *values = NULL;
    LOCUM_REQUIRE(block->data || n == 0, LOCUM_INPUT, "darcy: the frame has no %s", frame->schema->arrays[array].name);
    LOCUM_REQUIRE(type == LOCUM_FLOAT64 || type == LOCUM_FLOAT32, LOCUM_INPUT, "darcy: %s must hold real numbers",
                  frame->schema->arrays[array].name);
    LOCUM_TRY(LOCUM_NEW(values, n + 1));
    for (int64_t i = 0; i < n; i++)
        (*values)[i] = type == LOCUM_FLOAT64 ? ((const double *)block->data)[i] : ((const float *)block->data)[i];
    return LOCUM_OK;
}

static locum_status check_grid(const locum_solver *s, const locum_schema *schema, int array)
{
    const locum_domain *d = &schema->domains[schema->arrays[array].domain];
    const char *name = schema->arrays[array].name;
    LOCUM_REQUIRE(d->support == LOCUM_GRID && d->n_dims == 2 && schema->arrays[array].order == 0, LOCUM_INPUT,
                  "darcy: %s must have shape (n, n)", name);
    LOCUM_REQUIRE(d->n_global[0] == s->n && d->n_global[1] == s->n, LOCUM_INPUT,
                  "darcy: %s has %lld x %lld cells, the solver %lld x %lld", name, (long long)d->n_global[0],
                  (long long)d->n_global[1], (long long)s->n, (long long)s->n);
    return LOCUM_OK;
}

/* an array of a frame -> this rank's rows of a field */
static locum_status take_array(const locum_solver *s, const locum_frame *frame, int array, double *rows)
{
    double *values = NULL;
    locum_status st = check_grid(s, frame->schema, array);
    if (!st) st = locum_darcy_copy_values(frame, array, &values);
    st = locum_comm_agree(s->comm, st);
    const locum_block *block = &frame->blocks[array];
    if (!st) st = locum_slab_move(s->comm, s->n, s->n, block->first[0], block->n[0], values, s->first, s->rows, rows);
    free(values);
    return st;
}

/* the array that the dataset of the study became: of that name, "coefficient", or the only one there is */
static int find_coefficient(const locum_solver *s, const locum_schema *schema)
{
    int array = locum_schema_find(schema, "coefficient");
    if (array < 0 && s->config.dataset[0]) array = locum_schema_find(schema, s->config.dataset);
    return array < 0 && schema->n_arrays == 1 ? 0 : array;
}

static locum_status make_from_frame(locum_state *state, const locum_sample *sample)
{
    const locum_solver *s = state->solver;
    const locum_frame *frame = sample->initial;
    const int array = find_coefficient(s, frame->schema), source = locum_schema_find(frame->schema, "source");
    LOCUM_REQUIRE(array >= 0, LOCUM_INPUT, "darcy: the initial frame has no coefficient");
    LOCUM_TRY(take_array(s, frame, array, state->a + s->n));
    if (source < 0 || !locum_comm_any(s->comm, frame->blocks[source].data != NULL)) return LOCUM_OK;
    LOCUM_TRY(take_array(s, frame, source, state->f));
    const double factor = sample->exact ? 1 : state->config.source; /* what a restart holds has its factor */
    for (int64_t i = 0; i < s->rows * s->n; i++) state->f[i] *= factor;
    return LOCUM_OK;
}

static locum_status check_fields(const locum_state *state)
{
    const locum_solver *s = state->solver;
    for (int64_t i = 0; i < s->rows * s->n; i++) {
        const long long x = s->first + i / s->n, y = i % s->n;
        LOCUM_REQUIRE(isfinite(state->a[s->n + i]) && state->a[s->n + i] > 0, LOCUM_INPUT,
                      "darcy: coefficient[%lld, %lld] is %g: it must be positive and finite", x, y, state->a[s->n + i]);
        LOCUM_REQUIRE(isfinite(state->f[i]), LOCUM_INPUT, "darcy: source[%lld, %lld] is %g, not finite", x, y,
                      state->f[i]);
    }
    return LOCUM_OK;
}

void locum_darcy_halo(const locum_solver *s, double *field)
{
    const int below = s->rank > 0 ? s->rank - 1 : MPI_PROC_NULL;
    const int above = s->rank < s->size - 1 ? s->rank + 1 : MPI_PROC_NULL;
    const int n = (int)s->n;
    double *first = field + n, *last = field + s->rows * n;
    MPI_Sendrecv(first, n, MPI_DOUBLE, below, 0, last + n, n, MPI_DOUBLE, above, 0, s->comm, MPI_STATUS_IGNORE);
    MPI_Sendrecv(last, n, MPI_DOUBLE, above, 1, field, n, MPI_DOUBLE, below, 1, s->comm, MPI_STATUS_IGNORE);
}

/* ---- life of a state ---- */

void locum_darcy_free_state(locum_state *state)
{
    if (!state) return;
    locum_darcy_system_destroy(&state->system);
    free(state->a);
    free(state->u);
    free(state->f);
    free(state->scaled);
    free(state->flux);
    free(state->waves);
    free(state->half);
    free(state->partial);
    free(state);
}

static locum_status allocate(const locum_solver *s, locum_state *state)
{
    const int64_t cells = s->rows * s->n, with_halo = (s->rows + 2) * s->n;
    LOCUM_TRY(LOCUM_NEW(&state->a, with_halo));
    LOCUM_TRY(LOCUM_NEW(&state->u, with_halo));
    LOCUM_TRY(LOCUM_NEW(&state->f, cells));
    LOCUM_TRY(LOCUM_NEW(&state->scaled, cells));
    LOCUM_TRY(LOCUM_NEW(&state->flux, 2 * cells));
    LOCUM_TRY(LOCUM_NEW(&state->partial, 2 * s->rows));
    if (!is_gaussian(&s->config)) return LOCUM_OK;
    LOCUM_TRY(LOCUM_NEW(&state->waves, s->config.waves * s->n));
    LOCUM_TRY(LOCUM_NEW(&state->half, s->config.waves * s->n));
    make_waves(s, state->waves);
    return LOCUM_OK;
}

static locum_status create_state(const locum_solver *s, locum_state **state)
{
    locum_state *made = NULL;
    locum_status st = LOCUM_NEW(&made, 1);
    if (!st) {
        made->solver = s;
        st = allocate(s, made);
    }
    st = locum_comm_agree(s->comm, st);
    if (!st) {
        st = locum_darcy_enter(s->options);
        if (!st) {
            st = locum_darcy_system_create(s->comm, s->n, s->rows, &made->system);
            locum_darcy_leave();
        }
        st = locum_comm_agree(s->comm, st);
    }
    if (st) {
        locum_darcy_free_state(made);
        return st;
    }
    *state = made;
    return LOCUM_OK;
}

locum_status locum_darcy_start(const locum_solver *s, const locum_sample *sample, locum_state **state)
{
    if (!*state) LOCUM_TRY(create_state(s, state));
    locum_state *a = *state;
    a->config = sample->config ? *(const locum_darcy_config *)sample->config : s->config;
    for (int64_t i = 0; i < s->rows * s->n; i++) a->f[i] = a->config.source;
    memset(a->u, 0, (size_t)((s->rows + 2) * s->n) * sizeof(double));
    memset(a->globals, 0, sizeof a->globals);
    locum_status st = sample->initial ? make_from_frame(a, sample) : make_from_config(a, sample->seed);
    if (!st) st = locum_comm_agree(s->comm, check_fields(a));
    LOCUM_TRY(st);
    locum_darcy_halo(s, a->a);
    return LOCUM_OK;
}
