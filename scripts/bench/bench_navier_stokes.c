/* SPDX-License-Identifier: BSD-3-Clause */
/* bench_navier_stokes.c - a step of navier_stokes over as many whole 2-D FFTW transforms as it makes, on one core.
 *
 *      bench_navier_stokes [points] [seconds]          default 256, 10
 *
 * A Runge-Kutta step makes 16 real transforms (4 a stage: u, v back, two products forward). The yardstick is the time
 * of 8 r2c and 8 c2r transforms of the same grid by FFTW, planned with MEASURE, out of place. Steps, FFTW's transforms
 * and our own (the same ones without the pointwise loops) are timed in turns, so that all see the same machine; the
 * ratios of the best and of the median times are printed, with the spread (quartiles over median). */
#include <fftw3.h>
#include <math.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/cpu.h"
#include "core/memory.h"
#include "solvers/navier_stokes/periodic/navier_stokes.h"
#include "solvers/numerics/fft/plane.h"

enum { REPEATS = 4096, STAGES = 4 };

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

typedef struct series {
    double seconds[REPEATS];
    int n;
} series;

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double quantile(series *s, double q)
{
    qsort(s->seconds, (size_t)s->n, sizeof *s->seconds, ascending);
    return s->seconds[(int)(q * (s->n - 1))];
}

static void add(series *s, double seconds)
{
    if (s->n < REPEATS) s->seconds[s->n++] = seconds;
}

/* a forced flow that has forgotten its beginning a little */
static locum_navier_stokes_config config_of(int points)
{
    return (locum_navier_stokes_config){.dimension = 2,
                                        .resolution = {points},
                                        .n_resolution = 1,
                                        .box = {6.283185307179586},
                                        .n_box = 1,
                                        .viscosity = 4e-3,
                                        .drag = 0.1,
                                        .step = NAN,
                                        .cfl = 0.4,
                                        .n_mean_flow = 1,
                                        .forcing = LOCUM_NAVIER_STOKES_KOLMOGOROV,
                                        .kolmogorov_wavenumber = 4,
                                        .kolmogorov_amplitude = 1,
                                        .peak_wavenumber = 4,
                                        .rms_velocity = 1,
                                        .rms_vorticity = NAN};
}

/* the transforms of one step, on a plane of our own */
typedef struct transforms {
    locum_plane *plane;
    double *lines, *modes, *field, *work;
} transforms;

static locum_status transforms_create(transforms *t, int64_t points)
{
    const int64_t n[2] = {points, points}, k_max[2] = {(points - 1) / 3, (points - 1) / 3};
    LOCUM_TRY(locum_plane_create(MPI_COMM_SELF, n, k_max, &t->plane));
    LOCUM_TRY(LOCUM_NEW(&t->lines, locum_plane_lines_size(t->plane)));
    LOCUM_TRY(LOCUM_NEW(&t->modes, 2 * LOCUM_PLANE_LINES * points));
    LOCUM_TRY(LOCUM_NEW(&t->field, 2 * LOCUM_PLANE_ROWS * points));
    LOCUM_TRY(LOCUM_NEW(&t->work, 2 * LOCUM_PLANE_ROWS * points));
    return LOCUM_OK;
}

static double time_ours(const transforms *t)
{
    double begin = now();
    for (int stage = 0; stage < STAGES; stage++) {
        for (int64_t b = 0; b < t->plane->my_line_blocks; b++) {
            locum_plane_lines_forward(t->plane, t->lines, b, t->modes);
            locum_plane_lines_backward(t->plane, t->modes, b, t->lines);
        }
        for (int64_t b = 0; b < t->plane->my_row_blocks; b++) {
            locum_plane_rows_backward(t->plane, t->lines, b, t->work, t->field);
            locum_plane_rows_forward(t->plane, t->field, b, t->work, t->lines);
        }
    }
    return now() - begin;
}

typedef struct yardstick {
    double *real;
    fftw_complex *complex;
    fftw_plan forward, backward;
} yardstick;

static void yardstick_create(yardstick *y, int points)
{
    y->real = fftw_alloc_real((size_t)points * (size_t)points);
    y->complex = fftw_alloc_complex((size_t)points * (size_t)(points / 2 + 1));
    y->forward = fftw_plan_dft_r2c_2d(points, points, y->real, y->complex, FFTW_MEASURE);
    y->backward = fftw_plan_dft_c2r_2d(points, points, y->complex, y->real, FFTW_MEASURE);
    memset(y->real, 0, (size_t)points * (size_t)points * sizeof *y->real);
    memset(y->complex, 0, (size_t)points * (size_t)(points / 2 + 1) * sizeof *y->complex);
}

static double time_fftw(const yardstick *y)
{
    double begin = now();
    for (int i = 0; i < 2 * STAGES; i++) {
        fftw_execute(y->backward);
        fftw_execute(y->forward);
    }
    return now() - begin;
}

/* bytes per second of a copy as large as the step's arrays: the roof for what the step moves */
static double copy_speed(int64_t bytes)
{
    double best = INFINITY, *a = NULL, *b = NULL;
    if (LOCUM_NEW(&a, bytes / 16) || LOCUM_NEW(&b, bytes / 16)) exit(1);
    for (int i = 0; i < 50; i++) {
        double begin = now();
        memcpy(a, b, (size_t)(bytes / 2));
        double seconds = now() - begin;
        if (seconds < best) best = seconds;
        b[i % (bytes / 16)] = a[0] + i;
    }
    free(a);
    free(b);
    return (double)bytes / best;
}

static void print_machine(void)
{
    char line[256];
    FILE *file = fopen("/proc/cpuinfo", "r");
    while (file && fgets(line, sizeof line, file))
        if (!strncmp(line, "model name", 10)) {
            printf("machine   %s", strchr(line, ':') + 2);
            break;
        }
    if (file) fclose(file);
    printf("versions  %s, compiler %s, loops %s\n", fftw_version, __VERSION__, locum_cpu_level_name(locum_cpu_best()));
}

static void print_series(const char *name, series *s, series *whole)
{
    double median = quantile(s, 0.5), best = quantile(s, 0);
    printf("%-28s best %9.1f us  median %9.1f us  spread %5.1f %%  over FFTW: best %.3f  median %.3f\n", name,
           1e6 * best, 1e6 * median, 100 * (quantile(s, 0.75) - quantile(s, 0.25)) / median, best / quantile(whole, 0),
           median / quantile(whole, 0.5));
}

static locum_status bench(int points, double seconds)
{
    static series step, ours, fftw;
    const locum_navier_stokes_config config = config_of(points);
    const locum_solver_type *type = &locum_solver_navier_stokes;
    const locum_sample sample = {.seed = 1, .config = &config};
    locum_solver *solver;
    locum_state *state = NULL;
    transforms t = {0};
    yardstick y;
    /* the solver before the yardstick: MEASURE leaves wisdom behind, of which ESTIMATE would make use */
    LOCUM_TRY(type->create(&config, NULL, MPI_COMM_SELF, &solver));
    LOCUM_TRY(type->start(solver, &sample, &state));
    LOCUM_TRY(transforms_create(&t, points));
    yardstick_create(&y, points);
    const double begin = now();
    while (now() - begin < seconds || step.n < 20) {
        /* in turns, a few each, the first of which warms the caches */
        for (int i = 0; i < 4; i++) {
            double start = now();
            LOCUM_TRY(type->advance(solver, state, 1e9));
            if (i) add(&step, now() - start);
        }
        for (int i = 0; i < 4; i++) {
            double taken = time_fftw(&y);
            if (i) add(&fftw, taken);
        }
        for (int i = 0; i < 4; i++) {
            double taken = time_ours(&t);
            if (i) add(&ours, taken);
        }
    }
    print_machine();
    printf("grid      %d x %d, %d steps timed, %d sets of transforms\n", points, points, step.n, fftw.n);
    print_series("16 FFTW transforms", &fftw, &fftw);
    print_series("16 of ours (2 in each)", &ours, &fftw);
    print_series("step", &step, &fftw);
    /* a stage reads and writes the lines three times each and the modes of state and sum once */
    const double lines = 8.0 * (double)locum_plane_lines_size(t.plane), modes = lines / 2 * 2 / 3;
    const double bytes = STAGES * (6 * lines + 4 * modes), roof = copy_speed((int64_t)(lines + 2 * modes));
    printf("memory    %.1f MB moved a step, %.1f GB/s; a copy of as much at once moves %.1f GB/s: %.0f %% of it\n",
           bytes * 1e-6, bytes / quantile(&step, 0) * 1e-9, roof * 1e-9, 100 * bytes / quantile(&step, 0) / roof);
    const double n = points, lines_done = 2.0 * LOCUM_PLANE_WAVES * (double)t.plane->n_line_blocks;
    const double operations = STAGES * 2 * 5 * n * log2(n) * (lines_done + n);
    printf("work      %.1f Mflop in our transforms: %.1f Gflop/s in them alone, %.1f over the whole step\n",
           operations * 1e-6, operations / quantile(&ours, 0) * 1e-9, operations / quantile(&step, 0) * 1e-9);
    printf("RESULT    navier_stokes_step_over_fftw %.3f\n", quantile(&step, 0) / quantile(&fftw, 0));
    return LOCUM_OK;
}

int main(int argc, char **argv)
{
    MPI_Init(&argc, &argv);
    locum_status st = bench(argc > 1 ? atoi(argv[1]) : 256, argc > 2 ? atof(argv[2]) : 10);
    if (st) fprintf(stderr, "bench_navier_stokes: %s\n", locum_status_message());
    MPI_Finalize();
    return locum_status_exit_code(st);
}
