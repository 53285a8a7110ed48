/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/report/ticks.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/report/gnuplot.h"

/* --- numbers as words ---------------------------------------------------------------------------------- */
static void superscript(int exponent, char text[TICKS_TEXT])
{
    static const char *const digit[] = {"⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"};
    char plain[16];
    locum_format(plain, sizeof plain, "%d", exponent);
    text[0] = 0;
    for (const char *c = plain; *c; c++) strcat(text, *c == '-' ? "⁻" : digit[*c - '0']);
}

/* of the leading digit once rounded to `digits` digits: 9.996 has 1 */
static int exponent_of(double value, int digits)
{
    char text[TICKS_TEXT];
    locum_format(text, sizeof text, "%.*e", digits - 1, value);
    return (int)strtol(strchr(text, 'e') + 1, NULL, 10);
}

/* value with `digits` significant digits as a plain decimal; short: without trailing zeros behind the point */
static void plain_number(double value, int digits, bool is_short, char text[TICKS_TEXT])
{
    int exponent = exponent_of(value, digits), behind = digits - 1 - exponent;
    double grain = pow(10, -behind);
    if (behind < 0) value = round(value / grain) * grain;
    locum_format(text, TICKS_TEXT, "%.*f", behind > 0 ? behind : 0, value);
    if (!is_short || !strchr(text, '.')) return;
    char *end = text + strlen(text) - 1;
    while (*end == '0') *end-- = 0;
    if (*end == '.') *end = 0;
    if (!strcmp(text, "-0")) strcpy(text, "0");
}

/* hyphens of negative numbers become minus signs */
static void set_minus(char text[TICKS_TEXT])
{
    char rest[TICKS_TEXT];
    if (text[0] != '-') return;
    strcpy(rest, text + 1);
    snprintf(text, TICKS_TEXT, "−%.*s", TICKS_TEXT - 8, rest);
}

static void write_number(double value, int digits, bool is_short, char text[TICKS_TEXT])
{
    char part[TICKS_TEXT], power[TICKS_TEXT];
    if (!isfinite(value)) {
        strcpy(text, isnan(value) ? "–" : value > 0 ? "∞" : "−∞");
        return;
    }
    double size = fabs(value);
    if (value == 0 || (size >= 9.995e-4 && size < 99999.5)) {
        plain_number(value, digits, is_short || value == 0, text);
        set_minus(text);
        return;
    }
    int exponent = exponent_of(value, digits);
    plain_number(value / pow(10, exponent), digits, is_short, part);
    superscript(exponent, power);
    if (!strcmp(part, "1"))
        snprintf(text, TICKS_TEXT, "10%.30s", power);
    else
        snprintf(text, TICKS_TEXT, "%.12s × 10%.24s", part, power);
    set_minus(text);
}

void ticks_number(double value, int digits, char text[TICKS_TEXT])
{
    write_number(value, digits, true, text);
}

void ticks_measure(double value, int digits, char text[TICKS_TEXT])
{
    write_number(value, digits, false, text);
}

void ticks_count(double value, char text[TICKS_TEXT])
{
    char digits[TICKS_TEXT];
    size_t used = 0;
    if (!isfinite(value) || fabs(value) >= 1e12) {
        ticks_number(value, 3, text);
        return;
    }
    locum_format(digits, sizeof digits, "%.0f", value);
    for (size_t i = 0, n = strlen(digits); i < n; i++) {
        if (i && (n - i) % 3 == 0 && n > 4 && digits[i - 1] != '-')
            used += (size_t)snprintf(text + used, TICKS_TEXT - used, "\u202f");
        text[used++] = digits[i];
    }
    text[used] = 0;
}

void ticks_factor(const char *bound, double value, char text[TICKS_TEXT])
{
    char number[TICKS_TEXT];
    if (value >= 1000 && value < 1e12) {
        double grain = pow(10, floor(log10(value)) - 2);
        ticks_count(round(value / grain) * grain, number);
    } else
        ticks_number(value, 3, number);
    snprintf(text, TICKS_TEXT, "%s%.32s ×", !strcmp(bound, ">=") ? "≥ " : !strcmp(bound, "<=") ? "≤ " : "", number);
}

void ticks_seconds(double seconds, int digits, char text[TICKS_TEXT])
{
    static const struct {
        double least, size;
        const char *name;
    } units[] = {{86400 * 2, 86400, "d"}, {7200, 3600, "h"},       {180, 60, "min"}, {0.9995, 1, "s"},
                 {0.9995e-3, 1e-3, "ms"}, {0.9995e-6, 1e-6, "µs"}, {0, 1e-9, "ns"}};
    char number[TICKS_TEXT];
    if (!isfinite(seconds)) {
        ticks_number(seconds, digits, text);
        return;
    }
    int u = 0;
    while (fabs(seconds) < units[u].least) u++;
    plain_number(seconds / units[u].size, digits, true, number);
    snprintf(text, TICKS_TEXT, "%.32s %s", number, units[u].name);
}

/* --- ticks --------------------------------------------------------------------------------------------- */
static void tick(const char *label, double at, int *n, locum_text *script)
{
    locum_text_add(script, *n ? ", " : "");
    gnuplot_string(script, label ? label : "");
    locum_text_add(script, " %.10g%s", at, label ? "" : " 1");
    ++*n;
}

static void linear_ticks(const figure_axis *axis, locum_text *script)
{
    double low = fmin(axis->lower, axis->upper), high = fmax(axis->lower, axis->upper);
    double raw = (high - low) / 5, ten = pow(10, floor(log10(raw))),
           step = ten * (raw / ten < 1.5   ? 1
                         : raw / ten < 3.5 ? 2
                         : raw / ten < 7.5 ? 5
                                           : 10);
    int n = 0;
    for (double k = ceil(low / step - 1e-9); k * step <= high + 1e-9 * step && n < 12; k++) {
        char text[TICKS_TEXT];
        ticks_number(fabs(k) < 0.5 ? 0 : k * step, 6, text);
        tick(text, k * step, &n, script);
    }
}

/* labels where they fit: every decade, every third where there are many; 1, 2, 5 where there are few */
static void log_ticks(const figure_axis *axis, locum_text *script)
{
    double decades = log10(axis->upper / axis->lower);
    bool is_time = axis->scale == FIGURE_SECONDS;
    int first = (int)floor(log10(axis->lower)), last = (int)ceil(log10(axis->upper)), n = 0;
    int stride = decades > 5 && is_time ? 3 : decades > 12 ? 3 : decades > 6 ? 2 : 1;
    for (int e = first; e <= last; e++)
        for (int m = 1; m <= 9; m++) {
            double at = m * pow(10, e);
            bool is_two_or_five = m == 2 || m == 5, is_any = is_two_or_five || m == 3 || m == 7;
            bool wanted = m == 1                      ? (e % stride + stride) % stride == 0
                          : decades < 1.3 && !is_time ? is_any
                                                      : decades < (is_time ? 1.6 : 2.3) && is_two_or_five;
            char text[TICKS_TEXT];
            if (at < axis->lower * (1 - 1e-9) || at > axis->upper * (1 + 1e-9) || (m > 1 && decades > 6)) continue;
            if (is_time)
                ticks_seconds(at, 3, text);
            else
                ticks_number(at, 3, text);
            tick(wanted ? text : NULL, at, &n, script);
        }
}

void ticks_write(const figure_axis *axis, char letter, locum_text *script)
{
    if (!(fabs(axis->upper - axis->lower) > 0)) return;
    locum_text_add(script, "set %ctics (", letter);
    if (axis->scale == FIGURE_LINEAR)
        linear_ticks(axis, script);
    else
        log_ticks(axis, script);
    locum_text_add(script, ")\n");
}
