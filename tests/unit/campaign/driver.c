/* SPDX-License-Identifier: BSD-3-Clause */
/* driver.c - claims about the loop: when frames are taken, what is asked for, running means, windows, stopping. */
#include "tests/conformance/snapshot.h"
#include "tests/unit/campaign/fixture.h"

#define GRID "study: s\nseed: 5\nsolver: {name: grid_advection, resolution: 8, step: 0.001, diffusivity: 0.05}\n"

typedef struct drawer { /* one driven sample */
    fixture f;
    locum_solver *solver;
    locum_state *state;
    capture frames;
    volatile sig_atomic_t raised;
    int64_t steps;
} drawer;

static void count_step(void *self, double time, int64_t step)
{
    (void)time;
    ((drawer *)self)->steps = step;
}

static drawer drive_times(const char *study, int n_times, const double *times, locum_status expected)
{
    drawer d = {.f = fixture_read(study, false)};
    locum_watch watch;

    CHECK_OK(d.f.status);
    if (d.f.status) return d;
    const locum_solver_type *type = d.f.setup.type;
    CHECK_OK(type->create(locum_settings_config(d.f.setup.solver), NULL, MPI_COMM_WORLD, &d.solver));
    locum_sample sample = {.seed = 5, .config = locum_settings_config(d.f.setup.solver)};
    d.frames.comm = MPI_COMM_WORLD;
    locum_watch_begin(&watch, NULL, NULL, NAN);
    locum_drive_call call = {.type = type,
                             .solver = d.solver,
                             .sample = &sample,
                             .record = d.f.setup.record_config,
                             .until = d.f.setup.record_config->until,
                             .comm = MPI_COMM_WORLD,
                             .watch = &watch,
                             .sink = capture_sink(&d.frames),
                             .progress = count_step,
                             .progress_self = &d,
                             .n_times = n_times,
                             .times = times};
    locum_status st = locum_drive(&call, &d.state);
    if (st != expected) printf("\n    %s: %s", locum_status_name(st), locum_status_message());
    CU_ASSERT(st == expected);
    return d;
}

static drawer drive(const char *study, locum_status expected)
{
    return drive_times(study, 0, NULL, expected);
}

static void done(drawer *d)
{
    capture_free(&d->frames);
    d->f.setup.type->free_state(d->state);
    d->f.setup.type->destroy(d->solver);
    fixture_free(&d->f);
}

static void eleven_frames_from_0_to_10_every_1(void)
{
    drawer d = drive(
        "study: s\nsolver: {name: free_particles, speed: 0.01, step: 0.3}\nrecord: {until: 10, every: 1}\n", LOCUM_OK);

    CU_ASSERT(d.frames.n == 11);
    for (int i = 0; i < d.frames.n; i++) CU_ASSERT(d.frames.frames[i].time == i);
    done(&d);
}

static void times_do_not_drift(void)
{
    drawer d = drive(GRID "record: {from: 0.01, until: 0.06, every: 0.001}\n", LOCUM_OK);

    CU_ASSERT(d.frames.n == 51);
    for (int i = 0; i < d.frames.n; i++)
        CHECK_CLOSE(d.frames.frames[i].time, 0.01 + i * 0.001, 1e-15); /* one rounding, not 50 */
    CU_ASSERT(d.frames.frames[d.frames.n - 1].time == 0.06);
    /* events cut steps, but only those before them: the steps are as long as the record times are apart */
    CU_ASSERT(d.steps <= 61);
    done(&d);
}

static void the_last_frame_alone_if_every_is_not_given(void)
{
    drawer d = drive(GRID "record: {until: 0.01}\n", LOCUM_OK);

    CU_ASSERT(d.frames.n == 1 && d.frames.frames[0].time == 0.01);
    done(&d);
}

static void only_wanted_arrays_are_asked_for(void)
{
    drawer d = drive(GRID "record: {until: 0.01, observe: [mean, gradient]}\n", LOCUM_OK);
    drawer all = drive(GRID "record: {until: 0.01}\n", LOCUM_OK);
    const locum_schema *schema = locum_solver_grid_advection.schema(d.solver);

    for (int a = 0; a < schema->n_arrays; a++) {
        bool named = !strcmp(schema->arrays[a].name, "mean") || !strcmp(schema->arrays[a].name, "gradient");
        CU_ASSERT(d.frames.wanted[a] == named && !d.frames.frames[0].value[a] == !named);
        CU_ASSERT(all.frames.wanted[a] ==
                  !(schema->arrays[a].roles & LOCUM_COSTLY)); /* none named: all but the costly ones */
    }
    done(&d);
    done(&all);
}

static void an_unknown_array_is_refused_with_the_known_ones(void)
{
    drawer d = drive(GRID "record: {until: 0.01, observe: [means]}\n", LOCUM_STUDY);

    CU_ASSERT(strstr(locum_status_message(), "means") && strstr(locum_status_message(), "variance"));
    CU_ASSERT(d.frames.n == 0);
    done(&d);
}

/* mean over time of the variance of a decaying wave against the frames of all steps, summed here */
static void a_mean_is_trapezoidal_over_all_steps(void)
{
    drawer every = drive(GRID "record: {from: 0.01, until: 0.05, every: 0.001, observe: [variance]}\n", LOCUM_OK);
    drawer mean = drive(GRID "record: {from: 0.01, until: 0.05, average: true, observe: [variance]}\n", LOCUM_OK);
    int a = 0;
    double sum = 0;

    while (!every.frames.wanted[a]) a++;
    CU_ASSERT_FATAL(every.frames.n == 41 && mean.frames.n == 1);
    for (int i = 1; i < 41; i++)
        sum += 0.5 * (every.frames.frames[i].time - every.frames.frames[i - 1].time) *
               (every.frames.frames[i].value[a][0] + every.frames.frames[i - 1].value[a][0]);
    CHECK_CLOSE(mean.frames.frames[0].value[a][0], sum / 0.04,
                1e-14 * sum / 0.04); /* 40 additions, steps split at 1e-18 */
    CU_ASSERT(mean.frames.frames[0].time == 0.05);
    done(&every);
    done(&mean);
}

static void a_mean_without_length_is_the_frame(void)
{
    drawer mean = drive(GRID "record: {from: 0.02, until: 0.02, average: true}\n", LOCUM_OK);
    drawer frame = drive(GRID "record: {until: 0.02}\n", LOCUM_OK);

    CU_ASSERT(mean.frames.n == 1 && snapshot_distance(&mean.frames.frames[0], &frame.frames.frames[0]) == 0);
    done(&mean);
    done(&frame);
}

static void nested_windows_are_the_means_of_single_runs(void)
{
    const double until[] = {0.02, 0.04};
    drawer both = drive_times(GRID "record: {from: 0.01, until: 0.04, average: true}\n", 2, until, LOCUM_OK);
    drawer one = drive(GRID "record: {from: 0.01, until: 0.02, average: true}\n", LOCUM_OK);
    drawer two = drive(GRID "record: {from: 0.01, until: 0.04, average: true}\n", LOCUM_OK);

    CU_ASSERT_FATAL(both.frames.n == 2);
    CU_ASSERT(snapshot_distance(&both.frames.frames[0], &one.frames.frames[0]) == 0);
    /* the end of the first window may cut a step of the longer run at round-off; over 40 steps */
    CU_ASSERT(snapshot_distance(&both.frames.frames[1], &two.frames.frames[0]) < 1e-13);
    done(&both);
    done(&one);
    done(&two);
}

static void means_of_changing_rows_are_refused(void)
{
    drawer d = drive("study: s\nsolver: free_particles\nrecord: {until: 1, average: true, observe: [position]}\n",
                     LOCUM_STUDY);

    CU_ASSERT(strstr(locum_status_message(), "position") != NULL);
    done(&d);
}

static void a_solver_without_time_gives_one_frame(void)
{
    drawer d = drive("study: s\nsolver: {name: quadrature, amplitude: 2, frequency: 3, power: 1}\n", LOCUM_OK);
    int integral = locum_schema_find(locum_solver_quadrature.schema(d.solver), "integral");

    CU_ASSERT_FATAL(d.frames.n == 1);
    CHECK_CLOSE(d.frames.frames[0].value[integral][0], 2 * sin(3) / 3 + 0.5,
                1e-7); /* tolerance of the solver: 1e-8 of a halving */
    done(&d);
}

static void failures_of_a_sample_reach_the_sink(void)
{
    drawer d = drive("study: s\nsolver: {name: quadrature, frequency: 10000, most_levels: 6}\n", LOCUM_CONVERGENCE);
    drawer e = drive("study: s\nsolver: {name: grid_advection, diffusivity: 5}\nrecord: {until: 1}\n", LOCUM_NUMERIC);

    CU_ASSERT(d.frames.result == LOCUM_CONVERGENCE && d.frames.n == 0);
    CU_ASSERT(e.frames.result == LOCUM_NUMERIC);
    done(&d);
    done(&e);
}

int main(int argc, char **argv)
{
    static const check_entry entries[] = {
        {"eleven frames from 0 to 10 every 1", eleven_frames_from_0_to_10_every_1},
        {"times do not drift", times_do_not_drift},
        {"the last frame alone if every is not given", the_last_frame_alone_if_every_is_not_given},
        {"only wanted arrays are asked for", only_wanted_arrays_are_asked_for},
        {"an unknown array is refused with the known ones", an_unknown_array_is_refused_with_the_known_ones},
        {"a mean is trapezoidal over all steps", a_mean_is_trapezoidal_over_all_steps},
        {"a mean without length is the frame", a_mean_without_length_is_the_frame},
        {"nested windows are the means of single runs", nested_windows_are_the_means_of_single_runs},
        {"means of changing rows are refused", means_of_changing_rows_are_refused},
        {"a solver without time gives one frame", a_solver_without_time_gives_one_frame},
        {"failures of a sample reach the sink", failures_of_a_sample_reach_the_sink},
    };
    return fixture_main(&argc, &argv, "driver", entries, (int)(sizeof entries / sizeof entries[0]), NULL);
}
