/* SPDX-License-Identifier: BSD-3-Clause */
/* reference.h - what the oracle's files share: an activation in double. */
#ifndef SURROGATE_KERNELS_REFERENCE_H
#define SURROGATE_KERNELS_REFERENCE_H

#include "surrogate/kernels/kernels.h"

double locum_reference_activated(locum_activation activation, double x);

#endif
