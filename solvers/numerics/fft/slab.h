/* SPDX-License-Identifier: BSD-3-Clause */
/* slab.h - whole blocks on ranks, and moving rows from one split to another. */
#ifndef SOLVERS_NUMERICS_FFT_SLAB_H
#define SOLVERS_NUMERICS_FFT_SLAB_H

#include <mpi.h>
#include <stdint.h>

#include "locum/dev/error.h"

/** First of n blocks on `rank` of `size` (an even split; rank = size gives n). Local. */
int64_t locum_slab_first(int64_t n, int size, int rank);

/** Rows of a grid of n rows on `rank` when blocks of eight rows are split evenly: how solvers split x. Local. */
void locum_slab_rows(int64_t n, int size, int rank, int64_t *first, int64_t *n_mine);

/** Rows of an array, row-major, split over the ranks in any order without overlap -> another split. Collective.
 *  in  [n_in, row_size] rows first_in ..;  out [n_out, row_size] rows first_out ..; row_size in doubles.
 *  The rows of all `in` together must be n_global, and every row of `out` must be among them (LOCUM_ARG). */
locum_status locum_slab_move(MPI_Comm comm, int64_t n_global, int64_t row_size, int64_t first_in, int64_t n_in,
                             const double *in, int64_t first_out, int64_t n_out, double *out);

#endif
