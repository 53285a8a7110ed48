/* SPDX-License-Identifier: BSD-3-Clause */
/* verb_measure.c - observables of any file that we read, as tables for people or as one tidy CSV:
 *
 *     array,quantity,frame,time,k,value */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/data_path.h"
#include "cli/measure.h"
#include "cli/verb.h"
#include "core/memory.h"
#include "core/study/commit.h"

#define LINES_MAX 12 /* times and shells that a table for people shows */

/* --- CSV ----------------------------------------------------------------------------------------------------------------- */
typedef struct sheet {
    const locum_dataset *data;
    int64_t timed; /* a good sample with most frames: its times are those of the table */
    const char *name;
    locum_text *out;
} sheet;

static void csv_line(const sheet *s, const char *quantity, int64_t frame, int64_t k, double value)
{
    locum_text_add(s->out, "%s,%s,%" PRId64 ",", s->name, quantity, frame);
    locum_text_number(s->out, locum_dataset_time(s->data, s->timed, frame));
    locum_text_add(s->out, k < 0 ? ",," : ",%" PRId64 ",", k);
    locum_text_number(s->out, value);
    locum_text_add(s->out, "\n");
}

static void csv_frame(const sheet *s, const measure_array *m, int64_t f)
{
    const measure_sums *sums = &m->frames[f];
    csv_line(s, "min", f, -1, sums->lower);
    csv_line(s, "max", f, -1, sums->upper);
    csv_line(s, "mean", f, -1, sums->mean);
    csv_line(s, "mean_square", f, -1, sums->square);
    if (m->is_field) csv_line(s, "gradient_square", f, -1, sums->gradient);
    if (m->is_vector) csv_line(s, "divergence_square", f, -1, sums->divergence);
    if (m->is_vector) csv_line(s, "enstrophy", f, -1, sums->rotation / 2);
}

/* what half the sum of squares of a frame is per point: an energy of vectors */
static double energy(const locum_dataset *data, const measure_array *m, const measure_sums *sums)
{
    return 0.5 * sums->square * (double)locum_array_components(&locum_dataset_schema(data)->arrays[m->array]);
}

static void csv_array(const sheet *s, const measure_array *m)
{
    for (int64_t f = 0; f < m->n_frames; f++) {
        csv_frame(s, m, f);
        double now = energy(s->data, m, &m->frames[f]);
        csv_line(s, "energy", f, -1, now);
        if (f == 0) continue;
        double step = locum_dataset_time(s->data, s->timed, f) - locum_dataset_time(s->data, s->timed, f - 1);
        csv_line(s, "energy_rate", f, -1, (now - energy(s->data, m, &m->frames[f - 1])) / step);
    }
    for (int64_t k = 0; k < m->n_shells; k++) csv_line(s, "spectrum", m->n_frames - 1, k + 1, m->spectrum[k]);
}

/* --- tables -------------------------------------------------------------------------------------------------------------- */
static void table_head(locum_text *out)
{
    locum_text_add(out, "%-20s %12s %12s %12s %12s %14s %14s\n", "array", "min", "max", "mean", "rms", "rms gradient",
                   "div / gradient");
}

static void table_line(const char *name, const measure_array *m, locum_text *out)
{
    const measure_sums *s = &m->all;
    locum_text_add(out, "%-20s %12.5g %12.5g %12.5g %12.5g", name, s->lower, s->upper, s->mean, sqrt(s->square));
    if (m->is_field) locum_text_add(out, " %14.5g", sqrt(s->gradient));
    if (m->is_vector) locum_text_add(out, " %14.3g", s->gradient > 0 ? sqrt(s->divergence / s->gradient) : 0);
    locum_text_add(out, "\n");
}

/* mean squares over time, and who loses how much of it */
static void table_times(const sheet *s, const measure_array *m)
{
    int64_t step = (m->n_frames + LINES_MAX - 1) / LINES_MAX;
    if (m->n_frames < 2) return;
    locum_text_add(s->out, "\n%s over time\n  %12s %14s %14s%s\n", s->name, "time", "energy", "its rate",
                   m->is_vector ? "      enstrophy" : "");
    for (int64_t f = 0; f < m->n_frames; f += step) {
        double now = energy(s->data, m, &m->frames[f]);
        locum_text_add(s->out, "  %12.5g %14.6g", locum_dataset_time(s->data, s->timed, f), now);
        int64_t before = f ? f - 1 : 0, after = f ? f : 1;
        double width = locum_dataset_time(s->data, s->timed, after) - locum_dataset_time(s->data, s->timed, before);
        double change = energy(s->data, m, &m->frames[after]) - energy(s->data, m, &m->frames[before]);
        locum_text_add(s->out, " %14.5g", width > 0 ? change / width : 0);
        if (m->is_vector) locum_text_add(s->out, " %14.6g", m->frames[f].rotation / 2);
        locum_text_add(s->out, "\n");
    }
}

static void table_spectrum(const sheet *s, const measure_array *m)
{
    double above = 0;
    if (m->n_shells == 0) return;
    locum_text_add(s->out,
                   "\n%s, spectrum of the last frame (waves across the box; the shells add up to half the mean square "
                   "without the mean)\n",
                   s->name);
    for (int64_t k = 0; k < m->n_shells; k++) {
        if (k < LINES_MAX)
            locum_text_add(s->out, "  %12" PRId64 " %14.6g\n", k + 1, m->spectrum[k]);
        else
            above += m->spectrum[k];
    }
    if (m->n_shells > LINES_MAX) locum_text_add(s->out, "  %10d .. %14.6g\n", LINES_MAX + 1, above);
}

/* --- the verb -------------------------------------------------------------------------------------------------------------- */
static int64_t longest(const locum_dataset *data)
{
    int64_t found = -1;
    for (int64_t b = 0; b < locum_dataset_n(data); b++) {
        const locum_dataset_sample *s = locum_dataset_sample_at(data, b);
        if (!s->failed && s->n_frames > 0 &&
            (found < 0 || s->n_frames > locum_dataset_sample_at(data, found)->n_frames))
            found = b;
    }
    return found;
}

static locum_status check_array(const locum_dataset *data, const char *name)
{
    const locum_schema *schema = locum_dataset_schema(data);
    locum_text names = {0};
    if (!name || locum_schema_find(schema, name) >= 0) return LOCUM_OK;
    for (int i = 0; i < schema->n_arrays; i++) locum_text_add(&names, "%s%s", i ? ", " : "", schema->arrays[i].name);
    locum_status st = LOCUM_FAIL(LOCUM_STUDY, "--array %s: there is %s", name, names.data ? names.data : "none");
    locum_text_free(&names);
    return st;
}

static locum_status measure_all(const locum_dataset *data, const arguments *a, locum_text *out)
{
    const locum_schema *schema = locum_dataset_schema(data);
    measure_array *all = NULL;
    sheet s = {.data = data, .timed = longest(data), .out = out};
    LOCUM_REQUIRE(s.timed >= 0, LOCUM_INPUT, "%s: there is no sample with frames in it", a->words[0]);
    LOCUM_TRY(check_array(data, a->array));
    locum_status st = LOCUM_NEW(&all, schema->n_arrays + 1);
    if (!st && a->out) locum_text_add(out, "array,quantity,frame,time,k,value\n");
    if (!st && !a->out) {
        locum_text_add(out, "%s: %" PRId64 " samples, means over all of them\n\n", a->words[0], locum_dataset_n(data));
        table_head(out);
    }
    for (int i = 0; i < schema->n_arrays && !st; i++) {
        s.name = schema->arrays[i].name;
        if (a->array && strcmp(a->array, s.name)) continue;
        st = measure_read(data, i, &all[i]);
        if (!st && a->out) csv_array(&s, &all[i]);
        if (!st && !a->out) table_line(s.name, &all[i], out);
    }
    for (int i = 0; i < schema->n_arrays && !st && !a->out; i++) {
        s.name = schema->arrays[i].name;
        if (all[i].frames) table_times(&s, &all[i]);
        if (all[i].frames) table_spectrum(&s, &all[i]);
    }
    for (int i = 0; all && i < schema->n_arrays; i++) measure_free(&all[i]);
    free(all);
    return st ? st : out->status;
}

static locum_status run(const arguments *a)
{
    locum_dataset *data = NULL;
    locum_text out = {0};
    locum_status st = data_path_open(a, &data);
    if (!st) st = measure_all(data, a, &out);
    if (!st && a->out) st = locum_commit_bytes(a->out, out.data, out.size);
    if (!st && !a->quiet && a->out) printf("%s\n", a->out);
    if (!st && !a->out) fwrite(out.data, 1, out.size, stdout);
    locum_text_free(&out);
    locum_dataset_close(data);
    return st;
}

const verb verb_measure = {
    .name = "measure",
    .words = "PATH",
    .summary = "observables of any data: ranges, energies, budgets over time, spectra",
    .help = "PATH is data of any format that locum reads, a run directory, or a study with a block `dataset`;\n"
            "--set dataset.format=hdf5, dataset.outputs=[u] and the like say what the files do not. Prints for\n"
            "each array (--array NAME: one) its range, mean and mean square, of fields the gradient, of vectors\n"
            "the divergence and the enstrophy, over time the energy and its rate, of periodic 2-D fields the\n"
            "spectrum. Means are over all samples. --out FILE.csv has all frames and shells instead.\n",
    .accepts = ACCEPT_SET | ACCEPT_OUT | ACCEPT_ARRAY,
    .run = run};
