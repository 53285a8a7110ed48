/* SPDX-License-Identifier: BSD-3-Clause */
/* test_numerics.c - the tools of the solvers: transforms, slabs, step sizes, resampling, shells. Ranks 1, 3 and 5. */
#include <complex.h>
#include <mpi.h>
#include <string.h>

#include "core/memory.h"
#include "core/random.h"
#include "solvers/numerics/analysis/resample.h"
#include "solvers/numerics/analysis/spectrum.h"
#include "solvers/numerics/fft/plane.h"
#include "solvers/numerics/fft/sizes.h"
#include "solvers/numerics/fft/slab.h"
#include "solvers/numerics/integrators/step_size.h"
#include "tests/unit/check.h"

#define TWO_PI 6.283185307179586477

static void good_sizes_are_found(void)
{
    int64_t below, above;
    CU_ASSERT(locum_fft_good_size(64) && locum_fft_good_size(210) && locum_fft_good_size(2));
    CU_ASSERT(!locum_fft_good_size(63) && !locum_fft_good_size(22) && !locum_fft_good_size(0));
    CU_ASSERT(!locum_fft_good_size(-4));
    locum_fft_nearest_sizes(66, &below, &above);
    CU_ASSERT(below == 64 && above == 70);
    locum_fft_nearest_sizes(1, &below, &above);
    CU_ASSERT(below == 0 && above == 2);
}

static void steps_land_on_the_end(void)
{
    /* 0.005 added up 200 times misses 1 by rounding; the last step must take what is left */
    double t = 0;
    int n = 0;
    for (bool last = false; !last; n++) {
        locum_next_step next = locum_step_fixed(t, 1, 0.005);
        last = next.last;
        t = last ? 1 : t + next.dt;
    }
    CU_ASSERT_EQUAL(n, 200);
    locum_next_step rest = locum_step_fixed(0.9, 1, 0.3);
    CU_ASSERT(rest.last && rest.dt == 1 - 0.9);
    locum_next_step even = locum_step_even(0, 1, 0.3);
    CU_ASSERT(!even.last && even.dt == 0.25);
    CU_ASSERT(locum_step_even(0, 1, INFINITY).last);
    CU_ASSERT(locum_step_even(0, 1, 1 - 1e-9).last);
    /* (rate + growth dt) dt = courant */
    double dt = locum_step_courant(0.4, 3, 7);
    CHECK_CLOSE((3 + 7 * dt) * dt, 0.4, 1e-15);
    CHECK_CLOSE(locum_step_courant(0.4, 2, 0), 0.2, 1e-16);
    CU_ASSERT(isinf(locum_step_courant(0.4, 0, 0)));
}

static void shells_have_unit_width(void)
{
    const double square[2] = {1, 1}, wide[2] = {2, 1};
    const int64_t k_max[2] = {10, 10};
    CU_ASSERT_EQUAL(locum_spectrum_shells(square, k_max), 10);
    CU_ASSERT_EQUAL(locum_spectrum_shells(wide, k_max), 20);
    CU_ASSERT_EQUAL(locum_spectrum_shell(square, 10, 0, 0), -1);
    CU_ASSERT_EQUAL(locum_spectrum_shell(square, 10, -3, 4), 4);
    CU_ASSERT_EQUAL(locum_spectrum_shell(square, 10, 1, 1), 0);   /* 1.41 */
    CU_ASSERT_EQUAL(locum_spectrum_shell(square, 10, 10, 10), 9); /* the corner goes to the last */
    CU_ASSERT_EQUAL(locum_spectrum_shell(wide, 20, 0, 1), 1);     /* two units of the longer side's wave */
}

static void rows_move_between_any_splits(void)
{
    enum { N = 23, WIDTH = 3 };
    int size, rank;
    int64_t first_out, n_out;
    double in[N * WIDTH], out[N * WIDTH];
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    /* in: the ranks in reverse order; out: blocks of eight */
    int64_t first = locum_slab_first(N, size, size - 1 - rank), n = locum_slab_first(N, size, size - rank) - first;
    locum_slab_rows(N, size, rank, &first_out, &n_out);
    for (int64_t i = 0; i < n * WIDTH; i++) in[i] = (double)(first * WIDTH + i);
    CHECK_OK(locum_slab_move(MPI_COMM_WORLD, N, WIDTH, first, n, in, first_out, n_out, out));
    bool right = true;
    for (int64_t i = 0; i < n_out * WIDTH; i++) right = right && out[i] == (double)(first_out * WIDTH + i);
    CU_ASSERT(right);
    CHECK_FAILS(locum_slab_move(MPI_COMM_WORLD, N + 1, WIDTH, first, n, in, first_out, n_out, out), LOCUM_ARG);
}

static double complex mode_of(int64_t kx, int64_t ky)
{
    double z[2];
    locum_random_normal(5, LOCUM_STREAM_TEST, (uint64_t)((kx + 100) * 1000 + ky + 100), z);
    return z[0] + z[1] * I;
}

/* the definition, mode by mode: z(x, y) = sum z_hat exp(i (kx x + ky y)) */
static double complex direct_sum(const int64_t n[2], const int64_t k_max[2], int64_t i, int64_t j)
{
    double complex sum = 0;
    for (int64_t kx = -k_max[0]; kx <= k_max[0]; kx++)
        for (int64_t ky = -k_max[1]; ky <= k_max[1]; ky++) {
            double angle = TWO_PI * ((double)(kx * i) / (double)n[0] + (double)(ky * j) / (double)n[1]);
            sum += mode_of(kx, ky) * (cos(angle) + sin(angle) * I);
        }
    return sum;
}

static void put_modes(const locum_plane *p, int64_t block, double complex *modes)
{
    memset(modes, 0, (size_t)(LOCUM_PLANE_LINES * p->n[0]) * sizeof *modes);
    for (int64_t l = 0; l < LOCUM_PLANE_WAVES; l++) {
        int64_t ky = LOCUM_PLANE_WAVES * (p->first_line_block + block) + l;
        for (int64_t kx = -p->k_max[0]; kx <= p->k_max[0] && ky <= p->k_max[1]; kx++) {
            int64_t place = kx < 0 ? kx + p->n[0] : kx;
            modes[l * p->n[0] + place] = mode_of(kx, ky);
            modes[(l + LOCUM_PLANE_WAVES) * p->n[0] + place] = mode_of(-kx, -ky);
        }
    }
}

/* worst difference of a block of lines from what put_modes put, times `points` */
static double compare_modes(const locum_plane *p, int64_t block, const double complex *modes, double points)
{
    double worst = 0;
    for (int64_t l = 0; l < LOCUM_PLANE_WAVES; l++) {
        int64_t ky = LOCUM_PLANE_WAVES * (p->first_line_block + block) + l;
        for (int64_t kx = -p->k_max[0]; kx <= p->k_max[0] && ky <= p->k_max[1]; kx++) {
            int64_t place = kx < 0 ? kx + p->n[0] : kx;
            worst = fmax(worst, cabs(modes[l * p->n[0] + place] / points - mode_of(kx, ky)));
            double complex minus = modes[(l + LOCUM_PLANE_WAVES) * p->n[0] + place] / points;
            worst = fmax(worst, cabs(minus - mode_of(-kx, -ky)));
        }
    }
    return worst;
}

static void plane_agrees_with_the_definition(int64_t nx, int64_t ny, int64_t kx_max, int64_t ky_max)
{
    const int64_t n[2] = {nx, ny}, k_max[2] = {kx_max, ky_max};
    locum_plane *p;
    double *lines, *rows = NULL, *modes, *field, *work, worst = 0;
    CHECK_OK(locum_plane_create(MPI_COMM_WORLD, n, k_max, &p));
    CHECK_OK(LOCUM_NEW(&lines, locum_plane_lines_size(p) + 1));
    if (p->size > 1) CHECK_OK(LOCUM_NEW(&rows, locum_plane_rows_size(p)));
    CHECK_OK(LOCUM_NEW(&modes, 2 * LOCUM_PLANE_LINES * nx));
    CHECK_OK(LOCUM_NEW(&field, 2 * LOCUM_PLANE_ROWS * ny));
    CHECK_OK(LOCUM_NEW(&work, 2 * LOCUM_PLANE_ROWS * ny));
    double *on_rows = rows ? rows : lines;
    for (int64_t b = 0; b < p->my_line_blocks; b++) {
        put_modes(p, b, (double complex *)modes);
        locum_plane_lines_backward(p, modes, b, lines);
    }
    CHECK_OK(locum_plane_exchange_to_rows(p, lines, on_rows));
    for (int64_t b = 0; b < p->my_row_blocks; b++) {
        locum_plane_rows_backward(p, on_rows, b, work, field);
        for (int64_t i = 0; i < LOCUM_PLANE_ROWS && b * LOCUM_PLANE_ROWS + i < locum_plane_my_rows(p); i++)
            for (int64_t j = 0; j < ny; j += 3) {
                double complex exact = direct_sum(n, k_max, locum_plane_first_row(p) + b * LOCUM_PLANE_ROWS + i, j);
                worst = fmax(worst, cabs(((double complex *)field)[i * ny + j] - exact));
            }
        locum_plane_rows_forward(p, field, b, work, on_rows);
    }
    /* some hundred modes of size one: their sum is of size 20, its rounding and that of the angles some 1e-14 */
    CHECK_CLOSE(worst, 0, 1e-12);
    CHECK_OK(locum_plane_exchange_to_lines(p, on_rows, lines));
    worst = 0;
    for (int64_t b = 0; b < p->my_line_blocks; b++) {
        locum_plane_lines_forward(p, lines, b, modes);
        worst = fmax(worst, compare_modes(p, b, (double complex *)modes, (double)(nx * ny)));
    }
    CHECK_CLOSE(worst, 0, 1e-14);
    free(work);
    free(field);
    free(modes);
    free(rows);
    free(lines);
    locum_plane_destroy(p);
}

static void planes_agree_with_the_definition(void)
{
    plane_agrees_with_the_definition(24, 30, 7, 9);
    plane_agrees_with_the_definition(18, 14, 5, 4); /* ragged blocks */
    plane_agrees_with_the_definition(9, 11, 4, 5);  /* odd, all modes */
    plane_agrees_with_the_definition(8, 8, 0, 0);   /* the mean alone */
}

static void impossible_planes_are_refused(void)
{
    const int64_t n[2] = {16, 16}, k_max[2] = {8, 3};
    locum_plane *p;
    CHECK_FAILS(locum_plane_create(MPI_COMM_WORLD, n, k_max, &p), LOCUM_ARG);
    CU_ASSERT_PTR_NULL(p);
    locum_plane_destroy(NULL);
}

/* two components of three modes each, which every grid here holds */
static double component(double x, double y, int c)
{
    return 0.5 * c + cos(TWO_PI * (2 * x + y) + c) + sin(TWO_PI * (x - 3 * y)) * (1 + c);
}

static void fields_are_resampled_exactly(void)
{
    static const int64_t grids[][2] = {{14, 20}, {33, 16}, {14, 20}, {48, 48}};
    int size, rank;
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    for (int g = 0; g + 1 < 4; g++) {
        const int64_t *from = grids[g], *to = grids[g + 1];
        int64_t first = from[0] * rank / size, n = from[0] * (rank + 1) / size - first, first_out, n_out;
        locum_slab_rows(to[0], size, rank, &first_out, &n_out);
        double *in, *out, worst = 0;
        CHECK_OK(LOCUM_NEW(&in, n * from[1] * 2 + 1));
        CHECK_OK(LOCUM_NEW(&out, n_out * to[1] * 2 + 1));
        for (int64_t i = 0; i < n * from[1] * 2; i++)
            in[i] = component((double)(first + i / 2 / from[1]) / (double)from[0],
                              (double)(i / 2 % from[1]) / (double)from[1], (int)(i % 2));
        CHECK_OK(locum_resample_grid(MPI_COMM_WORLD, from, first, n, 2, in, to, out));
        for (int64_t i = 0; i < n_out * to[1] * 2; i++)
            worst = fmax(worst, fabs(out[i] - component((double)(first_out + i / 2 / to[1]) / (double)to[0],
                                                        (double)(i / 2 % to[1]) / (double)to[1], (int)(i % 2))));
        CHECK_CLOSE(worst, 0, 1e-14); /* rounding of values up to 3 */
        free(out);
        free(in);
    }
}

/* the same grid is a copy, half a wave included */
static void same_grid_is_copied(void)
{
    enum { N = 8 };
    int rank, size;
    double in[N * N], out[N * N];
    const int64_t n[2] = {N, N};
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    for (int i = 0; i < N * N; i++) in[i] = i % 2 ? 1e-3 * i : -1;
    int64_t first, mine;
    locum_slab_rows(N, size, rank, &first, &mine);
    bool holds = rank == size - 1;
    CHECK_OK(locum_resample_grid(MPI_COMM_WORLD, n, 0, holds ? N : 0, 1, in, n, out));
    CU_ASSERT(mine == 0 || !memcmp(out, in + first * N, (size_t)(mine * N) * sizeof *out));
}

static void profiles_and_spectra_are_resampled(void)
{
    locum_domain y[2] = {{.name = "y", .n_global = {10}, .side = {{LOCUM_PERIODIC, LOCUM_PERIODIC}}},
                         {.name = "y", .n_global = {16}, .side = {{LOCUM_PERIODIC, LOCUM_PERIODIC}}}};
    locum_domain k[2] = {{.name = "k", .n_global = {3}, .side = {{LOCUM_OPEN, LOCUM_OPEN}}},
                         {.name = "k", .n_global = {5}, .side = {{LOCUM_OPEN, LOCUM_OPEN}}}};
    double coarse[10], fine[16], back[10], spectrum[3] = {3, 2, 1}, longer[5], shorter[3];
    for (int j = 0; j < 10; j++) coarse[j] = 0.3 + cos(TWO_PI * j / 10) - sin(TWO_PI * 4 * j / 10);
    CHECK_OK(locum_resample_rows(&y[0], &y[1], 1, coarse, fine));
    for (int j = 0; j < 16; j++) CHECK_CLOSE(fine[j], 0.3 + cos(TWO_PI * j / 16) - sin(TWO_PI * 4 * j / 16), 1e-14);
    CHECK_OK(locum_resample_rows(&y[1], &y[0], 1, fine, back));
    for (int j = 0; j < 10; j++) CHECK_CLOSE(back[j], coarse[j], 1e-14);
    CHECK_OK(locum_resample_rows(&k[0], &k[1], 1, spectrum, longer));
    CU_ASSERT(longer[0] == 3 && longer[2] == 1 && longer[3] == 0 && longer[4] == 0);
    CHECK_OK(locum_resample_rows(&k[1], &k[0], 1, longer, shorter));
    CU_ASSERT(!memcmp(shorter, spectrum, sizeof shorter));
    k[0].n_global[0] = 0;
    CHECK_FAILS(locum_resample_rows(&k[0], &k[1], 1, spectrum, longer), LOCUM_ARG);
}

int main(int argc, char **argv)
{
    static const check_entry entries[] = {
        {"good sizes of transforms are found", good_sizes_are_found},
        {"steps land on the end", steps_land_on_the_end},
        {"shells have unit width", shells_have_unit_width},
        {"rows move between any splits", rows_move_between_any_splits},
        {"planes agree with the definition, there and back", planes_agree_with_the_definition},
        {"impossible planes are refused", impossible_planes_are_refused},
        {"fields are resampled exactly", fields_are_resampled_exactly},
        {"the same grid is copied", same_grid_is_copied},
        {"profiles and spectra are resampled", profiles_and_spectra_are_resampled}};
    MPI_Init(&argc, &argv);
    int failed = check_run("numerics", entries, (int)(sizeof entries / sizeof entries[0]));
    MPI_Allreduce(MPI_IN_PLACE, &failed, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD);
    MPI_Finalize();
    return failed;
}
