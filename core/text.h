/* SPDX-License-Identifier: BSD-3-Clause */
/* text.h - a growing text: what JSON, YAML, XDMF, SVG and HTML are written with before one committed write. */
#ifndef CORE_TEXT_H
#define CORE_TEXT_H

#include <stdarg.h>
#include <stddef.h>

#include "locum/dev/error.h"

typedef struct locum_text {
    char *data; /**< [size + 1], ends with 0; NULL while empty */
    size_t size, capacity;
    locum_status status; /**< the first failure; later calls do nothing, so it is checked once at the end */
} locum_text;            /* starts as {0} */

/** Appends printf-style; numbers always in the C locale. Local. */
void locum_text_add(locum_text *text, const char *format, ...) LOCUM_PRINTF(2, 3);
/** Appends bytes. Local. */
void locum_text_bytes(locum_text *text, const char *bytes, size_t n);
/** Appends a JSON string with quotes and escapes. Local. */
void locum_text_json_string(locum_text *text, const char *string);
/** Appends a number as the shortest decimal that reads back to the same double; null in JSON if not finite. */
void locum_text_json_number(locum_text *text, double value);
/** Same for YAML (.inf, .nan). */
void locum_text_number(locum_text *text, double value);
void locum_text_free(locum_text *text);

/* Numbers in the C locale, whatever setlocale() says: printf and strtod of the whole project go through these where the
 * result is read by machines. */
/** snprintf in the C locale. Local. */
int locum_format(char *out, size_t size, const char *format, ...) LOCUM_PRINTF(3, 4);
int locum_format_list(char *out, size_t size, const char *format, va_list list) LOCUM_PRINTF(3, 0);
/** strtod in the C locale. Local. */
double locum_parse_number(const char *text, char **end);
/** The shortest decimal that reads back to the same double; "inf", "-inf", "nan" if not finite. Local. */
#define LOCUM_NUMBER_SIZE 32
void locum_format_number(double value, char out[LOCUM_NUMBER_SIZE]);

#endif
