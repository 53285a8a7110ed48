/* SPDX-License-Identifier: BSD-3-Clause */
/* gnuplot.h - runs gnuplot on a script and captures what it draws. */
#ifndef CLI_REPORT_GNUPLOT_H
#define CLI_REPORT_GNUPLOT_H

#include "core/text.h"

/** Appends the output of `gnuplot` for this script (data inside) to out. LOCUM_NOT_BUILT if there is no gnuplot on
 *  this machine, LOCUM_IO with gnuplot's own words if it refuses the script. Local. */
locum_status gnuplot_draw(const locum_text *script, locum_text *out);

/** Appends a text as a gnuplot string: in single quotes, one line, nothing in it is obeyed. Local. */
void gnuplot_string(locum_text *script, const char *string);

#endif
