/* SPDX-License-Identifier: BSD-3-Clause */
/* figure.c - series, ranges, and the gnuplot script of a figure. Ticks are in ticks.c, fields in field.c. */
#include "cli/report/figure.h"

#include <math.h>
#include <string.h>

#include "cli/report/gnuplot.h"
#include "cli/report/ticks.h"

#define BAND_DECADES 10.0 /* a band may widen a logarithmic axis by this factor beyond lines and points */

void figure_begin(figure *f, int width, int height, const char *x_label, figure_scale x_scale, const char *y_label,
                  figure_scale y_scale)
{
    *f = (figure){.width = width, .height = height};
    f->axis[0] = (figure_axis){.label = x_label, .scale = x_scale, .lower = INFINITY, .upper = -INFINITY};
    f->axis[1] = (figure_axis){.label = y_label, .scale = y_scale, .lower = INFINITY, .upper = -INFINITY};
}

void figure_limits(figure *f, int axis, double lower, double upper)
{
    f->axis[axis].lower = lower;
    f->axis[axis].upper = upper;
    f->axis[axis].fixed = true;
}

void figure_names(figure *f, int n, const char *const *name)
{
    figure_axis *axis = &f->axis[1];
    axis->n_names = n < FIGURE_NAMES_MAX ? n : FIGURE_NAMES_MAX;
    for (int i = 0; i < axis->n_names; i++) axis->name[i] = name[i];
    figure_limits(f, 1, axis->n_names - 0.4, -0.6);
}

void figure_series(figure *f, figure_mark mark, const char *colour, int64_t n, const double *x, const double *y,
                   const double *upper, const char *title)
{
    if (f->n_series == FIGURE_SERIES_MAX || n < 1) return;
    int s = f->n_series++;
    f->series[s].mark = mark;
    f->series[s].colour = colour;
    f->series[s].title = title;
    f->series[s].n = n;
    f->series[s].x = x;
    f->series[s].y = y;
    f->series[s].upper = upper;
}

void figure_note(figure *f, double x, double y, figure_side side, const char *colour, const char *text)
{
    if (f->n_notes == FIGURE_NOTES_MAX || !isfinite(y)) return;
    int k = f->n_notes++;
    f->notes[k].x = x;
    f->notes[k].y = y;
    f->notes[k].side = side;
    f->notes[k].colour = colour;
    locum_format(f->notes[k].text, sizeof f->notes[k].text, "%s", text);
}

void figure_level(figure *f, double y, const char *colour, const char *text)
{
    figure_note(f, NAN, y, FIGURE_ABOVE, colour, text);
}

/* --- ranges -------------------------------------------------------------------------------------------- */
static bool fits(const figure_axis *axis, double value)
{
    return isfinite(value) && (axis->scale == FIGURE_LINEAR || value > 0);
}

static void widen(figure_axis *axis, double value)
{
    if (axis->fixed || !fits(axis, value)) return;
    axis->lower = fmin(axis->lower, value);
    axis->upper = fmax(axis->upper, value);
}

/* bands and whiskers may be endless: they widen a range only so far */
static void widen_some(figure_axis *axis, double value, double lower, double upper)
{
    bool is_log = axis->scale != FIGURE_LINEAR;
    double room = is_log ? BAND_DECADES : upper - lower;
    double least = is_log ? lower / room : lower - room, most = is_log ? upper * room : upper + room;
    if (fits(axis, value) && lower <= upper) widen(axis, fmax(least, fmin(most, value)));
}

static void pad(figure_axis *axis)
{
    if (axis->fixed) return;
    if (!(axis->lower <= axis->upper)) axis->lower = axis->scale == FIGURE_LINEAR ? 0 : 0.1, axis->upper = 1;
    if (axis->scale == FIGURE_LINEAR) {
        double span = axis->upper - axis->lower, room = span > 0 ? 0.06 * span : fmax(0.1 * fabs(axis->upper), 1e-12);
        bool from_zero = axis->lower >= 0 && axis->lower < 0.25 * axis->upper;
        axis->lower = from_zero ? 0 : axis->lower - room;
        axis->upper += room;
    } else {
        double room = fmax(0.06 * log(axis->upper / axis->lower), 0.08);
        axis->lower *= exp(-room);
        axis->upper *= exp(room);
    }
}

static void find_ranges(figure *f)
{
    for (int s = 0; s < f->n_series; s++) {
        bool is_wide = f->series[s].mark == FIGURE_BAND || f->series[s].mark == FIGURE_WHISKERS;
        for (int64_t i = 0; i < f->series[s].n; i++) {
            widen(&f->axis[0], f->series[s].x[i]);
            if (!is_wide) widen(&f->axis[1], f->series[s].y[i]);
            if (f->series[s].mark == FIGURE_SPANS) widen(&f->axis[0], f->series[s].upper[i]);
        }
    }
    for (int k = 0; k < f->n_notes; k++) widen(&f->axis[1], f->notes[k].y);
    double lower = f->axis[1].lower, upper = f->axis[1].upper;
    for (int s = 0; s < f->n_series; s++) {
        if (f->series[s].mark != FIGURE_BAND && f->series[s].mark != FIGURE_WHISKERS) continue;
        for (int64_t i = 0; i < f->series[s].n; i++) {
            widen_some(&f->axis[1], f->series[s].y[i], lower, upper);
            widen_some(&f->axis[1], f->series[s].upper[i], lower, upper);
        }
    }
    pad(&f->axis[0]);
    pad(&f->axis[1]);
}

/* --- script -------------------------------------------------------------------------------------------- */
void figure_terminal_line(figure_terminal terminal, int width, int height, locum_text *script)
{
    if (terminal == FIGURE_PNG) /* two pixels a unit */
        locum_text_add(script,
                       "set terminal pngcairo size %d,%d noenhanced font 'sans,%d' fontscale 1 linewidth 2 pointscale "
                       "2 background '#ffffff'\n",
                       2 * width, 2 * height, 19);
    else if (terminal == FIGURE_GIF)
        locum_text_add(script,
                       "set terminal gif animate delay 10 loop 0 size %d,%d noenhanced font 'sans,11' "
                       "background '#ffffff'\n",
                       width, height);
    else
        locum_text_add(script, "set terminal svg size %d,%d dynamic noenhanced font 'sans-serif,13'%s\n", width, height,
                       terminal == FIGURE_SVG_FILE ? " background '#ffffff'" : "");
    locum_text_add(script, "set encoding utf8\n");
}

static void coordinate(const figure_axis *axis, double value, bool clamp, locum_text *script)
{
    if (clamp && isfinite(value)) { /* ends of bands and whiskers that lie outside the figure */
        double low = fmin(axis->lower, axis->upper), high = fmax(axis->lower, axis->upper);
        value = fmax(low, fmin(high, value));
    }
    if (fits(axis, value))
        locum_text_add(script, " %.7g", value);
    else
        locum_text_add(script, " NaN");
}

static void write_block(const figure *f, int s, locum_text *script)
{
    const figure_axis *x = &f->axis[0], *y = &f->axis[1];
    figure_mark mark = f->series[s].mark;
    bool wide = mark == FIGURE_BAND || mark == FIGURE_WHISKERS;
    locum_text_add(script, "$s%d << EOD\n", s);
    for (int64_t i = 0; i < f->series[s].n; i++) {
        coordinate(x, f->series[s].x[i], mark == FIGURE_SPANS, script);
        coordinate(y, f->series[s].y[i], wide, script);
        if (wide) coordinate(y, f->series[s].upper[i], true, script);
        if (mark == FIGURE_SPANS) coordinate(x, f->series[s].upper[i], true, script);
        locum_text_add(script, "\n");
    }
    locum_text_add(script, "EOD\n");
}

static void write_clause(const figure *f, int s, locum_text *script)
{
    static const char *const style[] = {
        [FIGURE_LINE] = "using 1:2 with lines lw 1.8 lc rgb '%s'",
        [FIGURE_DASHED] = "using 1:2 with lines lw 1.5 dt (6,4) lc rgb '%s'",
        [FIGURE_DOTS] = "using 1:2 with points pt 7 ps 0.6 lc rgb '%s'",
        [FIGURE_FAINT] = "using 1:2 with points pt 7 ps 0.4 lc rgb '%s'",
        [FIGURE_RINGS] = "using 1:2 with points pt 6 ps 0.75 lw 1.3 lc rgb '%s'",
        [FIGURE_SQUARES] = "using 1:2 with points pt 5 ps 1.1 lc rgb '%s'",
        [FIGURE_DIAMONDS] = "using 1:2 with points pt 13 ps 1.3 lc rgb '%s'",
        [FIGURE_WHISKERS] = "using 1:2:(0):($3-$2) with vectors nohead lw 1.2 lc rgb '%s'",
        [FIGURE_SPANS] = "using 1:2:($3-$1):(0) with vectors nohead lw 9 lc rgb '%s'",
        [FIGURE_BAND] = "using 1:2:3 with filledcurves fs transparent solid 0.2 noborder fc rgb '%s'"};
    char clause[160], colour[16];
    bool faint = f->series[s].mark == FIGURE_FAINT || f->series[s].mark == FIGURE_SPANS;
    locum_format(colour, sizeof colour, faint ? "#A0%s" : "#%s",
                 f->series[s].colour + 1); /* alpha first; 0 is opaque */
    const char *form = style[f->series[s].mark], *hole = strstr(form, "%s");
    locum_format(clause, sizeof clause, "%.*s%s%s", (int)(hole - form), form, colour, hole + 2);
    locum_text_add(script, "%s $s%d %s", s ? "," : "plot", s, clause);
    if (f->series[s].title) {
        locum_text_add(script, " title ");
        gnuplot_string(script, f->series[s].title);
    } else
        locum_text_add(script, " notitle");
}

static void write_note(const figure *f, int k, locum_text *script)
{
    static const char *const place[] = {[FIGURE_RIGHT] = "left offset 1.1,0",
                                        [FIGURE_LEFT] = "right offset -1.1,0",
                                        [FIGURE_ABOVE] = "center offset 0,0.7",
                                        [FIGURE_BELOW] = "center offset 0,-0.8"};
    const char *colour = f->notes[k].colour;
    double y = f->notes[k].y;
    if (!fits(&f->axis[1], y)) return;
    locum_text_add(script, "set label ");
    gnuplot_string(script, f->notes[k].text);
    if (isnan(f->notes[k].x)) {
        locum_text_add(script, " at graph 0.01, first %.7g left offset 0,0.45 front tc rgb '%s'\n", y, colour);
        locum_text_add(
            script,
            "set arrow from graph 0, first %.7g to graph 1, first %.7g nohead lw 1.1 dt (3,3) lc rgb '%s' back\n", y, y,
            colour);
        return;
    }
    locum_text_add(script, " at first %.7g, first %.7g %s front tc rgb '%s'\n", f->notes[k].x, y,
                   place[f->notes[k].side], colour);
}

static void write_axis(const figure_axis *axis, char letter, locum_text *script)
{
    if (axis->scale != FIGURE_LINEAR) locum_text_add(script, "set logscale %c\n", letter);
    locum_text_add(script, "set %crange [%.10g:%.10g]\n", letter, axis->lower, axis->upper);
    if (axis->label && *axis->label) {
        locum_text_add(script, "set %clabel ", letter);
        gnuplot_string(script, axis->label);
        locum_text_add(script, " offset %s\n", letter == 'x' ? "0,0.3" : "0.5,0");
    }
    if (!axis->n_names) {
        ticks_write(axis, letter, script);
        return;
    }
    locum_text_add(script, "set %ctics (", letter);
    for (int i = 0; i < axis->n_names; i++) {
        locum_text_add(script, i ? ", " : "");
        gnuplot_string(script, axis->name[i]);
        locum_text_add(script, " %d", i);
    }
    locum_text_add(script, ")\n");
}

void figure_script(figure *f, const char *title, locum_text *script)
{
    bool key = false;
    find_ranges(f);
    locum_text_add(script, "set border 3 lw 0.9\nset tics nomirror out scale 0.5,0.25\nset rmargin 2\nset tmargin %s\n",
                   title ? "2.5" : "0.8");
    locum_text_add(script, "set grid xtics ytics back lw 0.7 dt solid lc rgb '#B8808080'\n");
    if (title) {
        locum_text_add(script, "set title ");
        gnuplot_string(script, title);
        locum_text_add(script, "\n");
    }
    write_axis(&f->axis[0], 'x', script);
    write_axis(&f->axis[1], 'y', script);
    for (int k = 0; k < f->n_notes; k++) write_note(f, k, script);
    for (int s = 0; s < f->n_series; s++) {
        write_block(f, s, script);
        key = key || f->series[s].title;
    }
    locum_text_add(script, key ? "set key below samplen 2\n" : "unset key\n");
    for (int s = 0; s < f->n_series; s++) write_clause(f, s, script);
    if (!f->n_series) locum_text_add(script, "plot NaN notitle");
    locum_text_add(script, "\n");
}
