/* SPDX-License-Identifier: BSD-3-Clause */
/* field.c - the gnuplot script of a field on a 2-D grid: x to the right, y upwards, right aspect. Signed fields:
 * blue, white, red around 0; others: dark to light. Palettes keep their order of lightness for every kind of colour
 * vision. */
#include <math.h>

#include "cli/report/figure.h"
#include "cli/report/gnuplot.h"

static void find_limits(const figure_field *field, double *low, double *high)
{
    *low = field->range ? field->range[0] : INFINITY;
    *high = field->range ? field->range[1] : -INFINITY;
    for (int64_t i = 0; !field->range && i < field->n[0] * field->n[1]; i++) {
        if (!isfinite(field->values[i])) continue;
        *low = fmin(*low, field->values[i]);
        *high = fmax(*high, field->values[i]);
    }
    if (!(*low <= *high)) *low = 0, *high = 1;
}

void figure_field_colours(double low, double high, locum_text *script)
{
    if (low < 0 && high > 0) {
        double most = fmax(-low, high);
        locum_text_add(script, "set palette defined (-1 '#1d4f8f', -0.6 '#4a90c8', -0.25 '#a9cfe6', 0 '#f7f7f7', 0.25 "
                               "'#f3b89b', 0.6 '#d6604d', 1 '#8f1a2e')\n");
        locum_text_add(script, "set cbrange [%.6g:%.6g]\n", -most, most);
        return;
    }
    locum_text_add(script,
                   "set palette defined (0 '#1b1e4b', 0.25 '#2f5f8f', 0.5 '#2a9d74', 0.75 '#a4c95a', 1 '#fbe77a')\n");
    if (!(high > low)) high = low + fmax(fabs(low), 1) * 1e-6;
    locum_text_add(script, "set cbrange [%.6g:%.6g]\n", low, high);
}

static void write_values(const figure_field *field, locum_text *script)
{
    locum_text_add(script, "$field << EOD\n");
    for (int64_t j = 0; j < field->n[1]; j++) { /* a matrix row runs along x */
        for (int64_t i = 0; i < field->n[0]; i++) {
            double v = field->values[i * field->n[1] + j];
            if (isfinite(v))
                locum_text_add(script, i ? " %.5g" : "%.5g", v);
            else
                locum_text_add(script, i ? " NaN" : "NaN");
        }
        locum_text_add(script, "\n");
    }
    locum_text_add(script, "EOD\n");
}

void figure_field_script(const figure_field *field, const char *title, locum_text *script)
{
    double low, high, step[2], first[2];
    find_limits(field, &low, &high);
    for (int d = 0; d < 2; d++) {
        step[d] = (field->upper[d] - field->lower[d]) / (double)field->n[d];
        first[d] = field->lower[d] + (field->is_cells ? step[d] / 2 : 0);
    }
    write_values(field, script);
    figure_field_colours(low, high, script);
    if (title) {
        locum_text_add(script, "set title ");
        gnuplot_string(script, title);
        locum_text_add(script, "\n");
    }
    locum_text_add(script,
                   "set size ratio -1\nset lmargin 8\nset bmargin 3\nset tmargin %s\nset border 15 lw 0.8\nset tics "
                   "out nomirror scale 0.5\nunset key\nset cbtics scale 0.3\n",
                   title ? "2.5" : "0.8");
    for (int d = 0; d < 2; d++) {
        char letter = d ? 'y' : 'x';
        locum_text_add(script, "set %crange [%.10g:%.10g]\n", letter, first[d] - step[d] / 2,
                       first[d] + ((double)field->n[d] - 0.5) * step[d]);
        if (!field->axis[d]) continue;
        locum_text_add(script, "set %clabel ", letter);
        gnuplot_string(script, field->axis[d]);
        locum_text_add(script, " offset %s\n", d ? "1,0" : "0,0.4");
    }
    if (field->label) {
        locum_text_add(script, "set cblabel ");
        gnuplot_string(script, field->label);
        locum_text_add(script, "\n");
    }
    locum_text_add(script, "plot $field matrix using (%.10g+$1*%.10g):(%.10g+$2*%.10g):3 with image notitle\n",
                   first[0], step[0], first[1], step[1]);
}
