/* SPDX-License-Identifier: BSD-3-Clause */
/* text.c - a growing text, and numbers that no locale can change.
 *
 * A host program may have set a locale with a decimal comma. newlocale("C") costs nothing (libc lends a static object)
 * and uselocale() acts on this thread only, so every number is formatted and parsed in the C locale. */
#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/text.h"

int locum_format_list(char *out, size_t size, const char *format, va_list list)
{
    locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0), before = (locale_t)0;

    if (c) before = uselocale(c);
    int n = vsnprintf(out, size, format, list);
    if (c) {
        uselocale(before);
        freelocale(c);
    }
    return n;
}

int locum_format(char *out, size_t size, const char *format, ...)
{
    va_list list;

    va_start(list, format);
    int n = locum_format_list(out, size, format, list);
    va_end(list);
    return n;
}

double locum_parse_number(const char *text, char **end)
{
    locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0), before = (locale_t)0;

    if (c) before = uselocale(c);
    double value = strtod(text, end);
    if (c) {
        uselocale(before);
        freelocale(c);
    }
    return value;
}

void locum_format_number(double value, char out[LOCUM_NUMBER_SIZE])
{
    if (!isfinite(value)) {
        snprintf(out, LOCUM_NUMBER_SIZE, "%s", isnan(value) ? "nan" : value > 0 ? "inf" : "-inf");
        return;
    }
    /* 15 digits survive for every normal number, 17 always read back; subnormal ones may need fewer than 15 */
    for (int digits = fabs(value) < DBL_MIN ? 1 : 15; digits <= 17; digits++) {
        locum_format(out, LOCUM_NUMBER_SIZE, "%.*g", digits, value);
        if (locum_parse_number(out, NULL) == value) return;
    }
}

/* room for n more bytes and the final 0 */
static void reserve(locum_text *text, size_t n)
{
    if (text->status || n < text->capacity - text->size) return;

    size_t capacity = text->capacity ? text->capacity : 256;
    while (capacity - text->size <= n && capacity < (size_t)1 << 62) capacity *= 2;

    char *data = NULL;
    text->status = locum_alloc(&data, (int64_t)capacity, 1);
    if (text->status) return;
    if (text->size) memcpy(data, text->data, text->size);
    free(text->data);
    text->data = data;
    text->capacity = capacity;
}

void locum_text_bytes(locum_text *text, const char *bytes, size_t n)
{
    reserve(text, n);
    if (text->status) return;
    if (n) memcpy(text->data + text->size, bytes, n);
    text->size += n;
    text->data[text->size] = 0;
}

void locum_text_add(locum_text *text, const char *format, ...)
{
    va_list list, again;

    if (text->status) return;
    va_start(list, format);
    va_copy(again, list);
    int n = locum_format_list(NULL, 0, format, list);
    if (n < 0) {
        text->status = LOCUM_FAIL(LOCUM_INTERNAL, "a text could not be formatted: %s", format);
    } else {
        reserve(text, (size_t)n);
        if (!text->status) {
            locum_format_list(text->data + text->size, (size_t)n + 1, format, again);
            text->size += (size_t)n;
        }
    }
    va_end(again);
    va_end(list);
}

void locum_text_json_string(locum_text *text, const char *string)
{
    static const char short_escapes[] = "\"\"\\\\\bb\ff\nn\rr\tt"; /* pairs: character, letter behind the backslash */

    locum_text_bytes(text, "\"", 1);
    for (const char *rest = string; *rest;) {
        size_t plain = 0;
        while ((unsigned char)rest[plain] >= 0x20 && rest[plain] != '"' && rest[plain] != '\\') plain++;
        locum_text_bytes(text, rest, plain);
        rest += plain;
        if (!*rest) break;

        const char *pair = short_escapes;
        while (*pair && *pair != *rest) pair += 2;
        if (*pair)
            locum_text_add(text, "\\%c", pair[1]);
        else
            locum_text_add(text, "\\u%04x", (unsigned)(unsigned char)*rest);
        rest++;
    }
    locum_text_bytes(text, "\"", 1);
}

void locum_text_json_number(locum_text *text, double value)
{
    char number[LOCUM_NUMBER_SIZE];

    locum_format_number(value, number);
    locum_text_add(text, "%s", isfinite(value) ? number : "null");
}

void locum_text_number(locum_text *text, double value)
{
    char number[LOCUM_NUMBER_SIZE];

    locum_format_number(value, number);
    locum_text_add(text, "%s", isnan(value) ? ".nan" : isfinite(value) ? number : value > 0 ? ".inf" : "-.inf");
}

void locum_text_free(locum_text *text)
{
    free(text->data);
    *text = (locum_text){0};
}
