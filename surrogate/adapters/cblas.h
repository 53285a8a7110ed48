/* SPDX-License-Identifier: BSD-3-Clause */
/* cblas.h - large products of training by OpenBLAS. */
#ifndef SURROGATE_ADAPTERS_CBLAS_H
#define SURROGATE_ADAPTERS_CBLAS_H

#include "surrogate/kernels/adapter.h"

/** The adapter for locum_plan_options. Its choice is a fixed function of the shape: nothing is measured at run time.
 * The number of OpenBLAS threads is the program's affair (locum_cblas_use_one_thread once, before the first plan runs).
 * Local; never NULL. */
const locum_adapter *locum_adapter_cblas(void);

/** For programs, not for libraries: OpenBLAS in this process works with one thread. Local. */
void locum_cblas_use_one_thread(void);

/** Version, build and the core name that OpenBLAS chose: two runs with the same text round alike. Local; static text.
 */
const char *locum_cblas_config(void);
const char *locum_cblas_core(void);

#endif
