/* SPDX-License-Identifier: BSD-3-Clause */
/* oscillator.c - a solver of yours: how far a driven, damped oscillator swings, x'' + damping x' + x = cos(frequency t). */
/* snippet: own_solver */
#include <locum/dev/plugin.h>
#include <math.h>
#include <stdlib.h>

typedef struct config {
    double damping, frequency;
} config;
static const locum_option options[] = {
    {"damping", LOCUM_F64, offsetof(config, damping), 0.3, 0.01, 10, "1", "friction", LOCUM_PARAMETER},
    {"frequency", LOCUM_F64, offsetof(config, frequency), 1, 0, 10, "1", "of the drive",
     LOCUM_PARAMETER | LOCUM_OPEN_MIN},
    {0}};
static const locum_domain domains[] = {{.name = "global", .support = LOCUM_GLOBAL}};
static const locum_array arrays[] = {
    {"amplitude", "once the start is forgotten", "1", LOCUM_FLOAT64, .roles = LOCUM_OBSERVABLE}};
static const locum_schema frame_schema = {domains, 1, arrays, 1, .timeless = true};

struct locum_solver { /* nothing is fixed for all samples */
    config config;
};
struct locum_state {
    config config;
    double amplitude;
};

static locum_status create(const void *c, const locum_services *services, MPI_Comm comm, locum_solver **solver)
{
    (void)services, (void)comm;
    LOCUM_REQUIRE(*solver = malloc(sizeof **solver), LOCUM_MEMORY, "oscillator: out of memory");
    (*solver)->config = *(const config *)c;
    return LOCUM_OK;
}
static const locum_schema *schema(const locum_solver *solver)
{
    (void)solver;
    return &frame_schema;
}
static locum_status start(const locum_solver *solver, const locum_sample *sample, locum_state **state)
{
    (void)solver;
    LOCUM_REQUIRE(*state || (*state = malloc(sizeof **state)), LOCUM_MEMORY, "oscillator: out of memory");
    (*state)->config = *(const config *)sample->config;
    return LOCUM_OK;
}
static double force(const config *c, double t, double x, double v)
{
    return cos(c->frequency * t) - c->damping * v - x;
}
/* all the work: Runge-Kutta steps until exp(-damping t / 2) < 1e-8, then one period projected on cos and sin */
static locum_status advance(const locum_solver *solver, locum_state *state, double t_end)
{
    const config *c = &state->config;
    const double period = 2 * acos(-1) / c->frequency, settled = ceil(37 / c->damping / period);
    const int steps = 200;
    double h = period / steps, x = 0, v = 0, part[2] = {0, 0};
    (void)solver, (void)t_end;
    for (long i = 0; i < (long)(settled + 1) * steps; i++) {
        double t = (double)i * h, v1 = v, a1 = force(c, t, x, v);
        double v2 = v + h / 2 * a1, a2 = force(c, t + h / 2, x + h / 2 * v1, v2);
        double v3 = v + h / 2 * a2, a3 = force(c, t + h / 2, x + h / 2 * v2, v3);
        double v4 = v + h * a3, a4 = force(c, t + h, x + h * v3, v4);
        if (i >= (long)settled * steps)
            part[0] += 2.0 / steps * x * cos(c->frequency * t), part[1] += 2.0 / steps * x * sin(c->frequency * t);
        x += h / 6 * (v1 + 2 * v2 + 2 * v3 + v4);
        v += h / 6 * (a1 + 2 * a2 + 2 * a3 + a4);
    }
    state->amplitude = hypot(part[0], part[1]);
    return LOCUM_OK;
}
static locum_status observe(const locum_solver *solver, locum_state *state, const bool *wanted, locum_frame *frame)
{
    (void)solver;
    if (wanted[0]) frame->blocks[0] = (locum_block){&state->amplitude, {0}, {1, 1, 1}, 1};
    return LOCUM_OK;
}
static double time_of(const locum_state *state)
{
    return (void)state, 0;
}
static void free_state(locum_state *state)
{
    free(state);
}
static void destroy(locum_solver *solver)
{
    free(solver);
}

static const locum_solver_type oscillator = {.name = "oscillator",
                                             .summary = "amplitude of a driven oscillator",
                                             .options = options,
                                             .config_size = sizeof(config),
                                             .reproducible = LOCUM_BITS_SAME_RANKS,
                                             .create = create,
                                             .schema = schema,
                                             .start = start,
                                             .advance = advance,
                                             .observe = observe,
                                             .time = time_of,
                                             .free_state = free_state,
                                             .destroy = destroy};
LOCUM_PLUGIN(oscillator);
/* end */
