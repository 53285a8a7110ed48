/* SPDX-License-Identifier: BSD-3-Clause */
/* plane.h - two-dimensional Fourier transforms of a complex field with few modes, split over ranks.
 *
 * A complex field z(x_i, y_j) on nx times ny points has the modes |kx| <= k_max[0], |ky| <= k_max[1] only (the 2/3 rule
 * keeps two thirds in each direction; what it drops is never transformed). A transform has two halves:
 *
 *      modes z_hat(kx, ky)  --x lines-->  z(x, ky)  --exchange, y rows-->  z(x, y)        and back
 *
 * Lines. Four wavenumbers ky = 4b .. 4b+3 make a block of eight lines, four "plus" and four "minus":
 *      plus  line l: z_hat( kx,  ky),   kx in FFT order
 *      minus line l: z_hat(-kx, -ky),   so that the partner of a mode stands at the same place, not in reversed order
 * (the minus lines are transformed with the opposite sign, which costs nothing). The minus line of ky = 0 repeats the
 * plus line. The buffer between the halves holds [line][x], `stride` complex numbers from line to line.
 * Rows. Eight values of x make a block of eight rows [8][ny].
 *
 * Bits do not depend on the number of ranks: every transform is of one block, with the same FFTW plan (ESTIMATE, no
 * timing decides), blocks are numbered globally, and a rank holds whole blocks. On one rank nothing is copied or sent.
 * All arrays are interleaved (re, im) doubles, 64-byte aligned (core/memory.h). */
#ifndef SOLVERS_NUMERICS_FFT_PLANE_H
#define SOLVERS_NUMERICS_FFT_PLANE_H

#include <mpi.h>
#include <stdbool.h>
#include <stdint.h>

#include "locum/dev/error.h"

enum { LOCUM_PLANE_WAVES = 4, LOCUM_PLANE_LINES = 8, LOCUM_PLANE_ROWS = 8 }; /* sizes of a block */

struct fftw_plan_s;

typedef struct locum_plane {
    MPI_Comm comm; /**< borrowed */
    int rank, size;
    int64_t n[2], k_max[2];
    int64_t n_line_blocks, first_line_block, my_line_blocks; /**< all; the first of this rank; how many it has */
    int64_t n_row_blocks, first_row_block, my_row_blocks;
    int64_t stride;     /**< complex numbers from line to line on the side of the lines */
    int64_t row_stride; /**< ... and on the side of the rows */
    struct fftw_plan_s *x_backward[2], *x_forward[2], *y_backward, *y_forward; /**< owned; x: [plus, minus lines] */
    int *counts, *line_offset, *row_offset; /**< [size] of MPI_Alltoallw, bytes; owned */
    MPI_Datatype *line_type, *row_type;     /**< [size]; owned */
} locum_plane;

/** Collective. nx, ny >= 2, any factors; 0 <= k_max[d] < n[d] / 2 (LOCUM_ARG). */
locum_status locum_plane_create(MPI_Comm comm, const int64_t n[2], const int64_t k_max[2], locum_plane **plane);
void locum_plane_destroy(locum_plane *plane); /**< NULL-safe */

/** Rows (values of x) of this rank: the first one and how many, without padding. Local. */
int64_t locum_plane_first_row(const locum_plane *plane);
int64_t locum_plane_my_rows(const locum_plane *plane);

/** Doubles of the two sides' buffers (zeroed before first use). On one rank both sides are one buffer. Local. */
int64_t locum_plane_lines_size(const locum_plane *plane);
int64_t locum_plane_rows_size(const locum_plane *plane);

/** One block of lines, modes [8][nx] -> buffer of the lines. `modes` is not changed. Local. */
void locum_plane_lines_backward(const locum_plane *plane, const double *modes, int64_t my_block, double *lines);
/** Buffer of the lines -> modes [8][nx], not normalised. Local. */
void locum_plane_lines_forward(const locum_plane *plane, const double *lines, int64_t my_block, double *modes);

/** Every rank's lines -> every rank's rows, and back. Collective; nothing on one rank (both are the same buffer). */
locum_status locum_plane_exchange_to_rows(const locum_plane *plane, const double *lines, double *rows);
locum_status locum_plane_exchange_to_lines(const locum_plane *plane, const double *rows, double *lines);

/** One block of rows out of the rows' buffer -> field [8][ny]; `work` [8][ny]. Local. */
void locum_plane_rows_backward(const locum_plane *plane, const double *rows, int64_t my_block, double *work,
                               double *field);
/** field [8][ny] -> rows' buffer; `work` [8][ny]. Local. */
void locum_plane_rows_forward(const locum_plane *plane, const double *field, int64_t my_block, double *work,
                              double *rows);

#endif
