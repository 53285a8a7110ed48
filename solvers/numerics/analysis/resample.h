/* SPDX-License-Identifier: BSD-3-Clause */
/* resample.h - periodic fields and profiles on another number of points, spectra on another number of shells.
 *
 * Fields and profiles are trigonometric polynomials: more points add none but zero modes, fewer points cut the modes
 * that they cannot hold. The mode of half the number of points (of the coarser grid) has no sign and is left out. */
#ifndef SOLVERS_NUMERICS_ANALYSIS_RESAMPLE_H
#define SOLVERS_NUMERICS_ANALYSIS_RESAMPLE_H

#include <mpi.h>
#include <stdint.h>

#include "locum/dev/error.h"
#include "locum/dev/frame.h"

/** What a solver's `resample` lends: values on a list, freed together with their solver. A list starts as NULL. */
typedef struct locum_lent locum_lent;
/** n zeros more; *values NULL on failure. Local. */
locum_status locum_lend(locum_lent **list, int64_t n, double **values);
/** list may be NULL. */
void locum_lent_free(locum_lent **list);

/** A periodic 2-D grid [n_from[0], n_from[1], components] -> n_to, both over the same box. Collective.
 *  in  whole rows first_in .. first_in + n_in of this rank, any split without overlap
 *  out rows of this rank by locum_slab_rows(n_to[0]), caller's memory. The same grid is copied exactly. */
locum_status locum_resample_grid(MPI_Comm comm, const int64_t n_from[2], int64_t first_in, int64_t n_in, int components,
                                 const double *in, const int64_t n_to[2], double *out);

/** A 1-D rows array: periodic domains by trigonometric interpolation, others (spectra) cut or padded with zeros.
 *  in [from->n_global[0], components], out [to->n_global[0], components].
 *  Local. Fails: LOCUM_ARG (lengths not fixed). */
locum_status locum_resample_rows(const locum_domain *from, const locum_domain *to, int components, const double *in,
                                 double *out);

#endif
