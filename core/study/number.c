/* SPDX-License-Identifier: BSD-3-Clause */
/* number.c - strict decimal numbers, and what is wrong with those that are none.
 *
 * The grammar is that of JSON with an optional plus sign. What other readers guess (octal, hexadecimal, 1_000, a
 * decimal comma) is refused with the likely meaning in the message. */
#include "core/study/number.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "core/text.h"

static bool digit(char c)
{
    return c >= '0' && c <= '9';
}

size_t locum_number_length(const char *text, bool *whole)
{
    const char *p = text;
    *whole = true;
    if (*p == '+' || *p == '-') p++;
    if (!digit(*p)) return 0;
    if (*p == '0' && digit(p[1])) return 0;
    while (digit(*p)) p++;
    if (*p == '.') {
        if (!digit(p[1])) return 0;
        for (p++; digit(*p); p++) {
        }
        *whole = false;
    }
    if (*p == 'e' || *p == 'E') {
        const char *exponent = p + 1;
        if (*exponent == '+' || *exponent == '-') exponent++;
        if (digit(*exponent)) {
            for (p = exponent; digit(*p); p++) {
            }
            *whole = false;
        }
    }
    return (size_t)(p - text);
}

bool locum_number_value(const char *text, size_t n, double *value)
{
    char copy[512];
    if (n >= sizeof copy) return false;
    memcpy(copy, text, n);
    copy[n] = 0;
    *value = locum_parse_number(copy, NULL);
    if (!isfinite(*value)) return false;
    if (*value != 0) return true;
    size_t mantissa = strcspn(copy, "eE"); /* 1e-999 became 0 */
    for (size_t i = 0; i < mantissa; i++) {
        if (copy[i] >= '1' && copy[i] <= '9') return false;
    }
    return true;
}

static bool is_special(const char *word)
{
    static const char *const names[] = {"nan", ".nan", "inf", ".inf", "infinity", "none", "null", "~"};
    if (*word == '+' || *word == '-') word++;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (!strcasecmp(word, names[i])) return true;
    }
    return false;
}

/* `0,001` with a decimal comma: digits, one comma, digits */
static bool decimal_comma(const char *text)
{
    if (*text == '+' || *text == '-') text++;
    size_t before = strspn(text, "0123456789");
    if (!before || text[before] != ',') return false;
    return digit(text[before + 1]);
}

static void complain_leading_zero(const char *text, char *out, size_t size)
{
    const char *sign = *text == '-' ? "-" : "", *first = text + (*text == '-' || *text == '+');
    while (*first == '0' && digit(first[1])) first++;
    snprintf(out, size, "`%.60s` has a leading zero (some programs read that as octal): write %s%.60s", text, sign,
             first);
}

static bool leading_zero(const char *text)
{
    if (*text == '+' || *text == '-') text++;
    return text[0] == '0' && digit(text[1]);
}

static bool hexadecimal(const char *text)
{
    if (*text == '+' || *text == '-') text++;
    return text[0] == '0' && (text[1] == 'x' || text[1] == 'X' || text[1] == 'o' || text[1] == 'b');
}

/* 1_000 -> 1000 */
static bool complain_underscore(const char *text, char *out, size_t size)
{
    char without[128];
    size_t n = 0;
    if (!strchr(text, '_') || !digit(text[*text == '+' || *text == '-'])) return false;
    for (const char *p = text; *p && n + 1 < sizeof without; p++) {
        if (*p != '_') without[n++] = *p;
    }
    without[n] = 0;
    bool whole;
    if (locum_number_length(without, &whole) != n) return false;
    snprintf(out, size, "`%.60s` is not a number: write %.60s, without `_`", text, without);
    return true;
}

/* `.5` and `5.`: a digit is missing on one side of the point */
static bool complain_bare_point(const char *text, char *out, size_t size)
{
    const char *sign = *text == '-' ? "-" : "", *first = text + (*text == '-' || *text == '+');
    size_t before = strspn(first, "0123456789");
    if (first[before] != '.') return false;
    const char *after = first + before + 1;
    size_t n_after = strspn(after, "0123456789");
    bool one_sided = before ? !n_after : n_after > 0;
    if (!one_sided || (after[n_after] && !strchr(" eE", after[n_after]))) return false;
    snprintf(out, size, "`%.60s` needs a digit on both sides of the point: write %s%s%.*s.%s%.60s", text, sign,
             before ? "" : "0", (int)before, first, before ? "0" : "", after);
    return true;
}

void locum_number_complaint(const char *text, char *out, size_t size)
{
    bool whole;
    double value;
    size_t n = locum_number_length(text, &whole);
    if (!*text)
        snprintf(out, size, "a number is missing");
    else if (is_special(text))
        snprintf(out, size,
                 "`%.60s` is not accepted: a finite number is expected (leave the option out for its default)", text);
    else if (decimal_comma(text))
        snprintf(out, size, "`%.60s` is not a number: the decimal sign is a point", text);
    else if (hexadecimal(text))
        snprintf(out, size, "`%.60s` is not a decimal number", text);
    else if (leading_zero(text))
        complain_leading_zero(text, out, size);
    else if (complain_underscore(text, out, size) || complain_bare_point(text, out, size))
        return;
    else if (n && !text[n] && !locum_number_value(text, n, &value))
        snprintf(out, size, "`%.60s` does not fit in a double (about 1e-308 to 1e308)", text);
    else if (n && text[n])
        snprintf(out, size, "`%.60s` is not a number: `%.40s` follows `%.*s` (a unit stands behind a space)", text,
                 text + n, (int)(n < 60 ? n : 60), text);
    else
        snprintf(out, size, "`%.60s` is not a number", text);
}
