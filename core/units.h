/* SPDX-License-Identifier: BSD-3-Clause */
/* units.h - numbers with a unit: "50 Mpc/h", "0.1 Myr". Products and quotients of named units with integer powers. */
#ifndef CORE_UNITS_H
#define CORE_UNITS_H

#include "locum/dev/error.h"

/** Factor that turns a value in `from` into one in `to`. LOCUM_STUDY if a name is unknown or dimensions differ.
 *  "1", "" and "rad" are pure; an option's abstract unit ("length", "time", ...) accepts pure numbers only. Local. */
locum_status locum_unit_factor(const char *from, const char *to, double *factor);

#endif
