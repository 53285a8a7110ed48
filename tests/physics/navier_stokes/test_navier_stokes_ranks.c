/* SPDX-License-Identifier: BSD-3-Clause */
/* test_navier_stokes_ranks.c - the same bits on any number of ranks, and after a restart. Every claim compares a run on
 * all ranks (1, 2, 3, 4 by CTest) with the same run that each rank makes alone. */
#include "core/random.h"
#include "tests/physics/navier_stokes/flow.h"

static const char *const arrays[] = {"vorticity",    "velocity",          "energy",    "enstrophy",
                                     "dissipation",  "drag_dissipation",  "injection", "cfl",
                                     "mean_profile", "symmetric_profile", "spectrum",  "vorticity_hat"};
enum { N_NAMES = sizeof arrays / sizeof *arrays };

/* this rank's part of an array must be the same bits as that part of the lone run's */
static bool same_bits(flow *all, flow *lone, const char *name)
{
    const char *mine = (const char *)flow_observe(all, name), *whole = (const char *)flow_observe(lone, name);
    const int array = flow_array(all, name);
    const locum_block *part = &all->blocks[array];
    const locum_schema *schema = all->type->schema(all->solver);
    const int64_t row = locum_array_components(&schema->arrays[array]) * part->n[1] * part->n[2] * 8;
    if (!mine || !whole) return false;
    return part->n[0] == 0 || !memcmp(mine, whole + part->first[0] * row, (size_t)(part->n[0] * row));
}

static void compare_all(flow *all, flow *lone)
{
    for (int i = 0; i < N_NAMES; i++) {
        bool same = same_bits(all, lone, arrays[i]);
        if (!same) printf("\n    %s differs", arrays[i]);
        CU_ASSERT(same);
    }
    CU_ASSERT(all->type->time(all->state) == lone->type->time(lone->state));
}

static locum_navier_stokes_config turbulent(int nx, int ny)
{
    locum_navier_stokes_config c = flow_config(nx, ny);
    c.forcing = LOCUM_NAVIER_STOKES_KOLMOGOROV;
    c.viscosity = 0.01;
    c.drag = 0.1;
    return c;
}

static void compare_runs(const locum_navier_stokes_config *c, double t_end)
{
    flow all, lone;
    CHECK_OK(flow_begin(&all, c, MPI_COMM_WORLD, 7));
    CHECK_OK(flow_begin(&lone, c, MPI_COMM_SELF, 7));
    compare_all(&all, &lone);
    CHECK_OK(flow_run(&all, t_end));
    CHECK_OK(flow_run(&lone, t_end));
    compare_all(&all, &lone);
    flow_end(&lone);
    flow_end(&all);
}

static void bits_do_not_depend_on_ranks(void)
{
    locum_navier_stokes_config c = turbulent(64, 64);
    compare_runs(&c, 0.5);
}

/* 50 rows are 7 blocks with a last one of 2; 36 columns keep 12 waves, 4 blocks with a last one of 1 */
static void bits_do_not_depend_on_ranks_when_blocks_are_ragged(void)
{
    locum_navier_stokes_config c = turbulent(50, 36);
    c.step = 0.01;
    c.n_box = 2;
    c.box[0] = 7;
    c.box[1] = 5;
    c.n_mean_flow = 2;
    c.mean_flow[0] = 0.5;
    c.mean_flow[1] = 0.25;
    compare_runs(&c, 0.2);
}

/* 8 columns keep 2 waves: one block of lines, one of rows, so that most ranks have nothing */
static void ranks_without_work_agree(void)
{
    locum_navier_stokes_config c = turbulent(8, 8);
    c.kolmogorov_wavenumber = 1;
    compare_runs(&c, 0.5);
}

/* a frame of all STATE arrays in the middle, on all ranks -> a new state -> the same bits at the end */
static void restart_goes_on_bit_for_bit(bool fixed_step)
{
    locum_navier_stokes_config c = turbulent(40, 48);
    if (fixed_step) c.step = 0.0171; /* no divisor of anything */
    flow straight, first, second;
    CHECK_OK(flow_begin(&straight, &c, MPI_COMM_WORLD, 3));
    CHECK_OK(flow_begin(&first, &c, MPI_COMM_WORLD, 3));
    for (int i = 0; i < 7; i++) {
        CHECK_OK(straight.type->advance(straight.solver, straight.state, 1));
        CHECK_OK(first.type->advance(first.solver, first.state, 1));
    }
    const locum_schema *schema = first.type->schema(first.solver);
    memset(first.wanted, 0, sizeof first.wanted);
    for (int i = 0; i < schema->n_arrays; i++) first.wanted[i] = schema->arrays[i].roles & LOCUM_STATE;
    CHECK_OK(first.type->observe(first.solver, first.state, first.wanted, &first.frame));
    CHECK_OK(flow_begin_with(&second, &c, MPI_COMM_WORLD, 99, &first.frame, true));
    CHECK_OK(flow_run(&straight, 1));
    CHECK_OK(flow_run(&second, 1));
    for (int i = 0; i < N_NAMES; i++) {
        const void *a = flow_observe(&straight, arrays[i]), *b = flow_observe(&second, arrays[i]);
        int array = flow_array(&second, arrays[i]);
        int64_t n = locum_block_count(schema, array, &second.blocks[array]);
        CU_ASSERT(n == 0 || !memcmp(a, b, (size_t)n * 8));
    }
    CU_ASSERT_EQUAL(straight.frame.step, second.frame.step);
    flow_end(&second);
    flow_end(&first);
    flow_end(&straight);
}

static void restart_with_fixed_steps_is_exact(void)
{
    restart_goes_on_bit_for_bit(true);
}

static void restart_with_courant_steps_is_exact(void)
{
    restart_goes_on_bit_for_bit(false);
}

/* looking changes nothing */
static void observing_leaves_no_trace(void)
{
    locum_navier_stokes_config c = turbulent(32, 32);
    flow watched, alone;
    CHECK_OK(flow_begin(&watched, &c, MPI_COMM_WORLD, 3));
    CHECK_OK(flow_begin(&alone, &c, MPI_COMM_SELF, 3));
    for (int i = 0; i < 5; i++) {
        CU_ASSERT_PTR_NOT_NULL(flow_observe(&watched, "velocity"));
        CHECK_OK(watched.type->advance(watched.solver, watched.state, 1));
        CHECK_OK(alone.type->advance(alone.solver, alone.state, 1));
    }
    compare_all(&watched, &alone);
    flow_end(&alone);
    flow_end(&watched);
}

/* a state serves one sample after another, and a start forgets the one before */
static void state_is_reused(void)
{
    locum_navier_stokes_config c = turbulent(32, 32);
    flow used, fresh;
    CHECK_OK(flow_begin(&used, &c, MPI_COMM_WORLD, 3));
    CHECK_OK(flow_run(&used, 0.2));
    locum_sample sample = {.seed = 8, .config = &c};
    c.viscosity = 0.05;
    CHECK_OK(used.type->start(used.solver, &sample, &used.state));
    CHECK_OK(flow_begin(&fresh, &c, MPI_COMM_SELF, 8));
    CHECK_OK(flow_run(&used, 0.2));
    CHECK_OK(flow_run(&fresh, 0.2));
    compare_all(&used, &fresh);
    flow_end(&fresh);
    flow_end(&used);
}

/* a field that each rank has an even slice of, on another grid: through resample, on any number of ranks alike */
static void foreign_field_starts_alike_on_all_ranks(void)
{
    enum { NX = 30, NY = 45 };
    static double field[NX * NY];
    int size, rank;
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    for (int i = 0; i < NX; i++)
        for (int j = 0; j < NY; j++)
            field[i * NY + j] = sin(0.2094395102393195 * i) * cos(0.2792526803190927 * j); /* modes (1, 2) */
    locum_navier_stokes_config c = turbulent(48, 32);
    flow all, lone;
    CHECK_OK(flow_begin(&all, &c, MPI_COMM_WORLD, 1));
    CHECK_OK(flow_begin(&lone, &c, MPI_COMM_SELF, 1));
    flow_field part, whole;
    locum_block blocks[2][FLOW_ARRAYS];
    locum_frame out[2] = {{.blocks = blocks[0]}, {.blocks = blocks[1]}};
    flow_field_of(&whole, "omega", NX, NY, field);
    flow_field_of(&part, "omega", NX, NY, field + NX * rank / size * NY);
    part.block.first[0] = NX * rank / size;
    part.block.n[0] = NX * (rank + 1) / size - NX * rank / size;
    CHECK_OK(all.type->resample(all.solver, &part.frame, &out[0]));
    CHECK_OK(lone.type->resample(lone.solver, &whole.frame, &out[1]));
    locum_sample sample = {.config = &c, .initial = &out[0]};
    CHECK_OK(all.type->start(all.solver, &sample, &all.state));
    sample.initial = &out[1];
    CHECK_OK(lone.type->start(lone.solver, &sample, &lone.state));
    compare_all(&all, &lone);
    const double *vorticity = flow_observe(&lone, "vorticity");
    double worst = 0;
    for (int i = 0; i < 48; i++)
        for (int j = 0; j < 32; j++) {
            double exact = sin(0.1308996938995747 * i) * cos(0.3926990816987242 * j);
            worst = fmax(worst, fabs(vorticity[i * 32 + j] - exact));
        }
    CHECK_CLOSE(worst, 0, 1e-14); /* both grids hold these modes: rounding only */
    flow_end(&lone);
    flow_end(&all);
}

/* every array of a finer frame on this grid: the same smooth field, begun here and there from one seed */
static void whole_frames_are_resampled(void)
{
    static const char *const names[] = {"vorticity",    "velocity",          "energy",
                                        "mean_profile", "symmetric_profile", "spectrum"};
    locum_navier_stokes_config c = turbulent(48, 64);
    c.kolmogorov_wavenumber = 1;
    c.peak_wavenumber = 2; /* exp(-2 (15/2)^2) is nothing: both grids hold the field */
    flow fine, coarse, own;
    CHECK_OK(flow_begin(&fine, &c, MPI_COMM_WORLD, 6));
    c.resolution[0] = 40;
    c.resolution[1] = 48;
    CHECK_OK(flow_begin(&coarse, &c, MPI_COMM_WORLD, 6));
    CHECK_OK(flow_begin(&own, &c, MPI_COMM_WORLD, 6));
    memset(fine.wanted, 0, sizeof fine.wanted);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) fine.wanted[flow_array(&fine, names[i])] = true;
    CHECK_OK(fine.type->observe(fine.solver, fine.state, fine.wanted, &fine.frame));
    CHECK_OK(coarse.type->resample(coarse.solver, &fine.frame, &coarse.frame));
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const int array = flow_array(&coarse, names[i]);
        const double *mine = flow_observe(&own, names[i]);
        const locum_block *a = &coarse.blocks[array], *b = &own.blocks[array];
        const int64_t n = locum_block_count(own.frame.schema, array, b);
        CU_ASSERT_FATAL(a->data && a->first[0] == b->first[0] && a->n[0] == b->n[0] && a->n_global == b->n_global);
        double worst = 0;
        for (int64_t j = 0; j < n; j++) worst = fmax(worst, fabs(((const double *)a->data)[j] - mine[j]));
        CHECK_CLOSE(worst, 0, 1e-13); /* rounding of values of size 10 */
    }
    CU_ASSERT_PTR_NULL(coarse.blocks[flow_array(&coarse, "vorticity_hat")].data);
    flow_end(&own);
    flow_end(&coarse);
    flow_end(&fine);
}

FLOW_MPI_MAIN("navier_stokes: ranks and restarts", {"bits do not depend on the ranks", bits_do_not_depend_on_ranks},
              {"nor do they with ragged blocks, a box that is not square and a mean flow",
               bits_do_not_depend_on_ranks_when_blocks_are_ragged},
              {"ranks without work agree", ranks_without_work_agree},
              {"a restart with fixed steps is exact", restart_with_fixed_steps_is_exact},
              {"a restart with Courant steps is exact", restart_with_courant_steps_is_exact},
              {"observing leaves no trace", observing_leaves_no_trace},
              {"a state serves one sample after another", state_is_reused},
              {"whole frames are resampled", whole_frames_are_resampled},
              {"a foreign field starts alike on all ranks", foreign_field_starts_alike_on_all_ranks})
