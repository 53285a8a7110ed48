/* SPDX-License-Identifier: BSD-3-Clause */
/* text.h - a growing text: what JSON, YAML, XDMF, SVG and HTML are written with before one committed write. */
#ifndef CORE_TEXT_H
#define CORE_TEXT_H

#include <stddef.h>

#include "locum/dev/error.h"

typedef struct locum_text {
    char *data;   /**< [size + 1], ends with 0; NULL while empty */
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

#endif
