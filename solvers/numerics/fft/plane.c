/* SPDX-License-Identifier: BSD-3-Clause */
/* plane.c - see plane.h. Plans are made with FFTW_ESTIMATE: timing must not choose an algorithm, because another
 * algorithm rounds differently. All transforms are of contiguous lines (FFTW's fastest batch, measured), so the
 * transpose happens where rows are loaded from the lines, 8 values of x at a time: two cache lines of every line. */
#include "solvers/numerics/fft/plane.h"

#include <fftw3.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/parallel/comm.h"
#include "solvers/numerics/fft/slab.h"

enum { WAVES = LOCUM_PLANE_WAVES, LINES = LOCUM_PLANE_LINES, ROWS = LOCUM_PLANE_ROWS };

static fftw_plan plan_batch(int64_t n, int batch, int64_t stride_in, int64_t stride_out, int sign, double *in,
                            double *out)
{
    int length = (int)n;
    return fftw_plan_many_dft(1, &length, batch, (fftw_complex *)in, NULL, 1, (int)stride_in, (fftw_complex *)out, NULL,
                              1, (int)stride_out, sign, FFTW_ESTIMATE | FFTW_PRESERVE_INPUT);
}

/* ESTIMATE does not touch the arrays, it only looks at their alignment */
static locum_status make_plans(locum_plane *p)
{
    int64_t longest = p->stride > p->n[1] ? p->stride : p->n[1];
    double *a = NULL, *b = NULL;
    locum_status st = LOCUM_NEW(&a, 2 * LINES * longest);
    if (!st) st = LOCUM_NEW(&b, 2 * LINES * longest);
    for (int minus = 0; minus < 2 && !st; minus++) {
        int sign = minus ? FFTW_FORWARD : FFTW_BACKWARD;
        p->x_backward[minus] = plan_batch(p->n[0], WAVES, p->n[0], p->stride, sign, a, b);
        p->x_forward[minus] = plan_batch(p->n[0], WAVES, p->stride, p->n[0], -sign, a, b);
    }
    if (!st) p->y_backward = plan_batch(p->n[1], ROWS, p->n[1], p->n[1], FFTW_BACKWARD, a, b);
    if (!st) p->y_forward = plan_batch(p->n[1], ROWS, p->n[1], p->n[1], FFTW_FORWARD, a, b);
    free(b);
    free(a);
    if (st) return st;
    LOCUM_REQUIRE(
        p->x_backward[0] && p->x_backward[1] && p->x_forward[0] && p->x_forward[1] && p->y_backward && p->y_forward,
        LOCUM_MEMORY, "fft: FFTW made no plan for %lld x %lld points", (long long)p->n[0], (long long)p->n[1]);
    return LOCUM_OK;
}

/* what this rank's part of the lines looks like to rank r: its x values, strided; and what r's lines look like here */
static locum_status make_types(locum_plane *p)
{
    LOCUM_TRY(LOCUM_NEW(&p->counts, p->size));
    LOCUM_TRY(LOCUM_NEW(&p->line_offset, p->size));
    LOCUM_TRY(LOCUM_NEW(&p->row_offset, p->size));
    LOCUM_TRY(LOCUM_NEW(&p->line_type, p->size));
    LOCUM_TRY(LOCUM_NEW(&p->row_type, p->size));
    for (int r = 0; r < p->size; r++) {
        int64_t first_row = locum_slab_first(p->n_row_blocks, p->size, r);
        int64_t rows = locum_slab_first(p->n_row_blocks, p->size, r + 1) - first_row;
        int64_t first_line = locum_slab_first(p->n_line_blocks, p->size, r);
        int64_t lines = locum_slab_first(p->n_line_blocks, p->size, r + 1) - first_line;
        p->counts[r] = 1;
        p->line_offset[r] = (int)(first_row * ROWS * 16);
        p->row_offset[r] = 0;
        MPI_Type_vector((int)(LINES * p->my_line_blocks), (int)(2 * ROWS * rows), (int)(2 * p->stride), MPI_DOUBLE,
                        &p->line_type[r]);
        MPI_Type_commit(&p->line_type[r]);
        /* the offset of r's lines may pass 2 GiB, so it lies in the type */
        MPI_Datatype part;
        MPI_Aint at = (MPI_Aint)(first_line * LINES * p->row_stride * 16);
        int one = 1;
        MPI_Type_vector((int)(LINES * lines), (int)(2 * ROWS * p->my_row_blocks), (int)(2 * p->row_stride), MPI_DOUBLE,
                        &part);
        MPI_Type_create_hindexed(1, &one, &at, part, &p->row_type[r]);
        MPI_Type_commit(&p->row_type[r]);
        MPI_Type_free(&part);
    }
    return LOCUM_OK;
}

locum_status locum_plane_create(MPI_Comm comm, const int64_t n[2], const int64_t k_max[2], locum_plane **plane)
{
    locum_plane *p = NULL;
    *plane = NULL;
    for (int d = 0; d < 2; d++)
        LOCUM_REQUIRE(n[d] >= 2 && n[d] <= (1 << 26) && k_max[d] >= 0 && 2 * k_max[d] < n[d], LOCUM_ARG,
                      "fft: %lld points cannot hold %lld waves", (long long)n[d], (long long)k_max[d]);
    locum_status st = LOCUM_NEW(&p, 1);
    if (!st) {
        p->comm = comm;
        MPI_Comm_rank(comm, &p->rank);
        MPI_Comm_size(comm, &p->size);
        for (int d = 0; d < 2; d++) p->n[d] = n[d], p->k_max[d] = k_max[d];
        p->n_line_blocks = k_max[1] / WAVES + 1;
        p->first_line_block = locum_slab_first(p->n_line_blocks, p->size, p->rank);
        p->my_line_blocks = locum_slab_first(p->n_line_blocks, p->size, p->rank + 1) - p->first_line_block;
        p->n_row_blocks = (n[0] + ROWS - 1) / ROWS;
        p->first_row_block = locum_slab_first(p->n_row_blocks, p->size, p->rank);
        p->my_row_blocks = locum_slab_first(p->n_row_blocks, p->size, p->rank + 1) - p->first_row_block;
        /* eight more than a power of two: lines must not all fall into the same sets of a cache */
        p->stride = ROWS * p->n_row_blocks + ROWS;
        p->row_stride = p->size == 1 ? p->stride : ROWS * p->my_row_blocks + ROWS;
        st = make_plans(p);
    }
    if (!st && p->size > 1) st = make_types(p);
    st = locum_comm_agree(comm, st);
    if (st) {
        locum_plane_destroy(p);
        return st;
    }
    *plane = p;
    return LOCUM_OK;
}

void locum_plane_destroy(locum_plane *p)
{
    if (!p) return;
    for (int minus = 0; minus < 2; minus++) {
        if (p->x_backward[minus]) fftw_destroy_plan(p->x_backward[minus]);
        if (p->x_forward[minus]) fftw_destroy_plan(p->x_forward[minus]);
    }
    if (p->y_backward) fftw_destroy_plan(p->y_backward);
    if (p->y_forward) fftw_destroy_plan(p->y_forward);
    for (int r = 0; r < p->size; r++) {
        /* zeroed memory is not a datatype: counts[r] says which ones were made */
        if (!p->counts || !p->counts[r]) break;
        MPI_Type_free(&p->line_type[r]);
        MPI_Type_free(&p->row_type[r]);
    }
    free(p->counts);
    free(p->line_offset);
    free(p->row_offset);
    free(p->line_type);
    free(p->row_type);
    free(p);
}

int64_t locum_plane_first_row(const locum_plane *p)
{
    int64_t first, n;
    locum_slab_rows(p->n[0], p->size, p->rank, &first, &n);
    return first;
}

int64_t locum_plane_my_rows(const locum_plane *p)
{
    int64_t first, n;
    locum_slab_rows(p->n[0], p->size, p->rank, &first, &n);
    return n;
}

int64_t locum_plane_lines_size(const locum_plane *p)
{
    return 2 * LINES * p->my_line_blocks * p->stride;
}

int64_t locum_plane_rows_size(const locum_plane *p)
{
    return 2 * LINES * p->n_line_blocks * p->row_stride;
}

void locum_plane_lines_backward(const locum_plane *p, const double *modes, int64_t my_block, double *lines)
{
    for (int minus = 0; minus < 2; minus++) {
        const double *from = modes + 2 * minus * WAVES * p->n[0];
        double *to = lines + 2 * (my_block * LINES + minus * WAVES) * p->stride;
        fftw_execute_dft(p->x_backward[minus], (fftw_complex *)from, (fftw_complex *)to);
    }
}

void locum_plane_lines_forward(const locum_plane *p, const double *lines, int64_t my_block, double *modes)
{
    for (int minus = 0; minus < 2; minus++) {
        const double *from = lines + 2 * (my_block * LINES + minus * WAVES) * p->stride;
        double *to = modes + 2 * minus * WAVES * p->n[0];
        fftw_execute_dft(p->x_forward[minus], (fftw_complex *)from, (fftw_complex *)to);
    }
}

locum_status locum_plane_exchange_to_rows(const locum_plane *p, const double *lines, double *rows)
{
    if (p->size == 1) return LOCUM_OK;
    int error = MPI_Alltoallw(lines, p->counts, p->line_offset, p->line_type, rows, p->counts, p->row_offset,
                              p->row_type, p->comm);
    LOCUM_REQUIRE(error == MPI_SUCCESS, LOCUM_INTERNAL, "fft: MPI_Alltoallw answered %d", error);
    return LOCUM_OK;
}

locum_status locum_plane_exchange_to_lines(const locum_plane *p, const double *rows, double *lines)
{
    if (p->size == 1) return LOCUM_OK;
    int error = MPI_Alltoallw(rows, p->counts, p->row_offset, p->row_type, lines, p->counts, p->line_offset,
                              p->line_type, p->comm);
    LOCUM_REQUIRE(error == MPI_SUCCESS, LOCUM_INTERNAL, "fft: MPI_Alltoallw answered %d", error);
    return LOCUM_OK;
}

/* wavenumbers of block b that exist */
static int64_t waves_of(const locum_plane *p, int64_t b)
{
    int64_t left = p->k_max[1] + 1 - b * WAVES;
    return left < WAVES ? left : WAVES;
}

static inline void copy_complex(double *restrict to, const double *restrict from)
{
    memcpy(to, from, 16);
}

static void load_rows(const locum_plane *p, const double *rows, int64_t my_block, double *work)
{
    const int64_t ny = p->n[1], line = 2 * p->row_stride;
    for (int64_t b = 0; b < p->n_line_blocks; b++) {
        const double *plus = rows + b * LINES * line + 2 * ROWS * my_block, *minus = plus + WAVES * line;
        int64_t k0 = b * WAVES, n = waves_of(p, b);
        for (int64_t r = 0; r < ROWS; r++) {
            double *row = work + 2 * r * ny;
            for (int64_t l = 0; l < n; l++) copy_complex(row + 2 * (k0 + l), plus + l * line + 2 * r);
            for (int64_t l = k0 ? 0 : 1; l < n; l++) copy_complex(row + 2 * (ny - k0 - l), minus + l * line + 2 * r);
        }
    }
    size_t band = (size_t)(ny - 2 * p->k_max[1] - 1) * 16;
    for (int64_t r = 0; r < ROWS; r++) memset(work + 2 * (r * ny + p->k_max[1] + 1), 0, band);
}

static void store_rows(const locum_plane *p, const double *work, int64_t my_block, double *rows)
{
    const int64_t ny = p->n[1], line = 2 * p->row_stride;
    for (int64_t b = 0; b < p->n_line_blocks; b++) {
        double *plus = rows + b * LINES * line + 2 * ROWS * my_block, *minus = plus + WAVES * line;
        int64_t k0 = b * WAVES, n = waves_of(p, b);
        for (int64_t r = 0; r < ROWS; r++) {
            const double *row = work + 2 * r * ny;
            for (int64_t l = 0; l < n; l++) copy_complex(plus + l * line + 2 * r, row + 2 * (k0 + l));
            for (int64_t l = 0; l < n; l++)
                copy_complex(minus + l * line + 2 * r, row + 2 * (k0 + l ? ny - k0 - l : 0));
        }
    }
}

void locum_plane_rows_backward(const locum_plane *p, const double *rows, int64_t my_block, double *work, double *field)
{
    load_rows(p, rows, my_block, work);
    fftw_execute_dft(p->y_backward, (fftw_complex *)work, (fftw_complex *)field);
}

void locum_plane_rows_forward(const locum_plane *p, const double *field, int64_t my_block, double *work, double *rows)
{
    fftw_execute_dft(p->y_forward, (fftw_complex *)field, (fftw_complex *)work);
    store_rows(p, work, my_block, rows);
}
