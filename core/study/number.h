/* SPDX-License-Identifier: BSD-3-Clause */
/* number.h - strict decimal numbers, the same in every locale.
 *
 *     number = [+-] (0 | 1-9 digits) [. digits] [e [+-] digits]      so 010, .5, 5., 0x10, 1_000, nan are none */
#ifndef CORE_STUDY_NUMBER_H
#define CORE_STUDY_NUMBER_H

#include <stdbool.h>
#include <stddef.h>

/** Length of the number that `text` begins with, 0 if none; *whole: neither point nor exponent. Local. */
size_t locum_number_length(const char *text, bool *whole);
/** Value of the first `n` characters, which locum_number_length() found. false if a double cannot hold it. Local. */
bool locum_number_value(const char *text, size_t n, double *value);
/** Why `text` is no number, and what to write instead, for a message. Local. */
void locum_number_complaint(const char *text, char *out, size_t size);

#endif
