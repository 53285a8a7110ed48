/* SPDX-License-Identifier: BSD-3-Clause */
/* ticks.h - ticks with words that people read: 1 ms instead of 1e-03. */
#ifndef CLI_REPORT_TICKS_H
#define CLI_REPORT_TICKS_H

#include "cli/report/figure.h"

/** Appends `set xtics (...)` for an axis whose limits are known; letter: 'x' or 'y'. */
void ticks_write(const figure_axis *axis, char letter, locum_text *script);

/** A number as people write it: up to `digits` significant ones, "6.02 × 10⁻²³" where a decimal would be long. */
#define TICKS_TEXT 48
void ticks_number(double value, int digits, char text[TICKS_TEXT]);
/** The same with all its digits, zeros too: for measured values, which then align in a table. */
void ticks_measure(double value, int digits, char text[TICKS_TEXT]);
/** How many times as fast: "444 000 ×", "12.3 ×"; bound ">=" and "<=" are told. */
void ticks_factor(const char *bound, double value, char text[TICKS_TEXT]);
/** A whole number with thin spaces: "12 345". */
void ticks_count(double value, char text[TICKS_TEXT]);
/** A time with its unit: "4.1 µs", "12 ms", "3.4 s", "2.1 h". */
void ticks_seconds(double seconds, int digits, char text[TICKS_TEXT]);

#endif
