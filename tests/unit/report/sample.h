/* SPDX-License-Identifier: BSD-3-Clause */
/* sample.h - a report.json with every key that validate writes, made of smooth formulas. Its numbers mean nothing. */
#ifndef TESTS_UNIT_REPORT_SAMPLE_H
#define TESTS_UNIT_REPORT_SAMPLE_H

#include "core/text.h"

#define SAMPLE_OUTPUTS 5
#define SAMPLE_TESTS 32

typedef enum sample_kind {
    SAMPLE_WIN,  /* a surrogate that is much faster */
    SAMPLE_LOSS, /* one that is slower, misses its coverage, and whose control does not fail */
    SAMPLE_BARE, /* all that may be missing is null or empty */
    SAMPLE_STEP, /* two surrogates of fields over four leads */
    SAMPLE_KINDS
} sample_kind;

void sample_report(sample_kind kind, locum_text *out);
/** Error of output j in column c: surrogate, mean, linear, quadratic, nearest, reference_cheaper, label_noise. */
double sample_error(int j, int c);

/* what somebody might hide in a text: markup, gnuplot commands, a shell command */
#define SAMPLE_MARKUP "drag <rate> & \"more\" <script>alert(1)</script>"
#define SAMPLE_MARKED "<b>unet</b>" /* the name of a surrogate */
#define SAMPLE_COMMAND "k' ; system 'touch hidden' # `touch hidden`"

#endif
