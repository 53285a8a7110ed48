/* SPDX-License-Identifier: BSD-3-Clause */
/* figure.h - a picture with two axes: series are lent, ranges and ticks found from them, gnuplot draws.
 *
 *     figure_begin -> figure_series, figure_level, figure_note ... -> figure_script -> gnuplot_draw
 * Values that are not finite leave gaps; on a logarithmic axis so do those that are not positive. */
#ifndef CLI_REPORT_FIGURE_H
#define CLI_REPORT_FIGURE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/text.h"

/* colours that differ for every kind of colour vision and stand out on white and on black; INK follows the page */
#define FIGURE_INK "#000000"
#define FIGURE_BLUE "#2F7FC1"
#define FIGURE_RED "#D1603D"
#define FIGURE_GREEN "#2A9D74"
#define FIGURE_PURPLE "#9B72B8"
#define FIGURE_GREY "#8A9099"

typedef enum figure_scale {
    FIGURE_LINEAR,
    FIGURE_LOG,
    FIGURE_SECONDS
} figure_scale; /* SECONDS: logarithmic, with units of time */
typedef enum figure_mark {
    FIGURE_LINE,
    FIGURE_DASHED,
    FIGURE_DOTS,
    FIGURE_FAINT, /* small transparent dots */
    FIGURE_RINGS,
    FIGURE_SQUARES,
    FIGURE_DIAMONDS,
    FIGURE_WHISKERS, /* vertical bars from y to upper */
    FIGURE_SPANS,    /* thick transparent horizontal bars from x to upper, at y */
    FIGURE_BAND      /* filled between y and upper */
} figure_mark;

typedef enum figure_side { FIGURE_RIGHT, FIGURE_LEFT, FIGURE_ABOVE, FIGURE_BELOW } figure_side;

#define FIGURE_SERIES_MAX 24
#define FIGURE_NOTES_MAX 16
#define FIGURE_NAMES_MAX 32

typedef struct figure_axis {
    const char *label;
    figure_scale scale;
    double lower, upper; /* given or found; lower > upper = to be found */
    bool fixed;
    int n_names; /* categories at 0, 1, 2, ... instead of numbers */
    const char *name[FIGURE_NAMES_MAX];
} figure_axis;

typedef struct figure {
    int width, height;   /* units of the picture; text is 13 units high */
    figure_axis axis[2]; /* x, y */
    int n_series, n_notes;
    struct {
        figure_mark mark;
        const char *colour, *title; /* title NULL: not in the key */
        int64_t n;
        const double *x, *y, *upper;
    } series[FIGURE_SERIES_MAX];
    struct {
        double x, y; /* x NAN: a level across the figure, its text at the left end */
        const char *colour;
        char text[96];
        figure_side side;
    } notes[FIGURE_NOTES_MAX];
} figure;

/** An empty figure; labels may be "" or NULL. */
void figure_begin(figure *f, int width, int height, const char *x_label, figure_scale x_scale, const char *y_label,
                  figure_scale y_scale);
void figure_limits(figure *f, int axis, double lower, double upper);
/** Categories on the y axis, the first on top. */
void figure_names(figure *f, int n, const char *const *name);
/** x, y, upper (NULL unless WHISKERS, SPANS or BAND) [n], lent until the script is made. */
void figure_series(figure *f, figure_mark mark, const char *colour, int64_t n, const double *x, const double *y,
                   const double *upper, const char *title);
/** A dotted horizontal line with a word at its left end. */
void figure_level(figure *f, double y, const char *colour, const char *text);
/** A word beside a point. */
void figure_note(figure *f, double x, double y, figure_side side, const char *colour, const char *text);

typedef enum figure_terminal {
    FIGURE_SVG /* for a page: no ground */,
    FIGURE_SVG_FILE,
    FIGURE_PNG,
    FIGURE_GIF /* a movie */
} figure_terminal;
/** Appends `set terminal ...` for a picture of width x height units. */
void figure_terminal_line(figure_terminal terminal, int width, int height, locum_text *script);
/** Appends the script that draws it, without its terminal. title: NULL or above the picture. Local. */
void figure_script(figure *f, const char *title, locum_text *script);

/* A field on a grid as a picture. values [n[0], n[1]], x slowest; signed fields get a diverging palette around 0. */
typedef struct figure_field {
    int64_t n[2];
    double lower[2], upper[2];
    const char *axis[2];
    const double *values;
    const char *label;   /* of the colours */
    const double *range; /* [2] lowest and highest colour, NULL = of the values */
    bool is_cells;       /* values lie in the middle of cells, not at lower + i step */
} figure_field;
/** Appends the palette and its range: diverging where low < 0 < high. */
void figure_field_colours(double low, double high, locum_text *script);
void figure_field_script(const figure_field *field, const char *title, locum_text *script);

#endif
