/* SPDX-License-Identifier: BSD-3-Clause */
/* show_data.c - what to draw of a dataset: --array NAME, else the vorticity, else the first field, else all single
 * values. Fields (show_field.c) are drawn from the first good sample, or from --sample. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/data_path.h"
#include "cli/show/show.h"
#include "core/memory.h"

#define CURVES_MAX 8 /* most samples whose rows are drawn in one panel */

/* --- choice -------------------------------------------------------------------------------------------- */
static const locum_domain *domain_of(const locum_dataset *data, int array)
{
    const locum_schema *schema = locum_dataset_schema(data);
    return &schema->domains[schema->arrays[array].domain];
}

static bool is_supported(const locum_dataset *data, int array, locum_support support)
{
    return domain_of(data, array)->support == support;
}

static int64_t first_good(const locum_dataset *data)
{
    for (int64_t b = 0; b < locum_dataset_n(data); b++)
        if (!locum_dataset_sample_at(data, b)->failed && locum_dataset_sample_at(data, b)->n_frames > 0) return b;
    return -1;
}

static locum_status find_sample(const locum_dataset *data, const char *path, int sample, int64_t *b)
{
    for (*b = 0; *b < locum_dataset_n(data); ++*b) {
        const locum_dataset_sample *s = locum_dataset_sample_at(data, *b);
        if (s->index != sample) continue;
        LOCUM_REQUIRE(!s->failed && s->n_frames > 0, LOCUM_INPUT, "%s: sample %d failed: %s", path, sample,
                      s->reason ? s->reason : "it has no frames");
        return LOCUM_OK;
    }
    return LOCUM_FAIL(LOCUM_STUDY, "--sample %d: %s has no sample of that number; `locum inspect` lists them", sample,
                      path);
}

static locum_status find_array(const locum_dataset *data, const char *path, const char *name, int *array)
{
    const locum_schema *schema = locum_dataset_schema(data);
    locum_text names = {0};
    *array = locum_schema_find(schema, name);
    if (*array >= 0) return LOCUM_OK;
    for (int i = 0; i < schema->n_arrays; i++) locum_text_add(&names, "%s%s", i ? ", " : "", schema->arrays[i].name);
    locum_status st =
        LOCUM_FAIL(LOCUM_STUDY, "%s has no array `%s`; it has %s", path, name, names.data ? names.data : "none");
    locum_text_free(&names);
    return st;
}

/* the vorticity, else the first scalar field, else the first field; -1: no field */
static int default_field(const locum_dataset *data)
{
    const locum_schema *schema = locum_dataset_schema(data);
    int vorticity = locum_schema_find(schema, "vorticity"), first = -1;
    if (vorticity >= 0 && is_supported(data, vorticity, LOCUM_GRID)) return vorticity;
    for (int i = 0; i < schema->n_arrays; i++) {
        if (!is_supported(data, i, LOCUM_GRID)) continue;
        if (schema->arrays[i].order == 0) return i;
        if (first < 0) first = i;
    }
    return first;
}

/* --- single values ------------------------------------------------------------------------------------- */
static void add_panel(show_picture *picture, const char *x_label, const char *y_label, figure_mark mark, int64_t n,
                      const double *x, const double *y)
{
    figure f;
    double least = INFINITY, most = -INFINITY;
    locum_text *script = show_panel(picture);
    if (!script) return;
    for (int64_t i = 0; i < n; i++) least = fmin(least, x[i]), most = fmax(most, x[i]);
    bool is_log = mark == FIGURE_DOTS && least > 0 && most > 4 * least;
    figure_begin(&f, picture->width, picture->height, x_label, is_log ? FIGURE_LOG : FIGURE_LINEAR, NULL,
                 FIGURE_LINEAR);
    figure_series(&f, mark, FIGURE_BLUE, n, x, y, NULL, NULL);
    figure_script(&f, y_label, script);
}

/* one array in the last frame of all good samples, against each parameter */
static locum_status against_parameters(const locum_dataset *data, int frame, int array, show_picture *picture)
{
    int64_t total = locum_dataset_n(data), n = 0;
    int n_parameters = locum_dataset_n_parameters(data);
    double *x = NULL, *y = NULL;
    char x_label[96], y_label[96];

    locum_status st = LOCUM_NEW(&x, total * n_parameters + 1);
    if (!st) st = LOCUM_NEW(&y, total + 1);
    for (int64_t b = 0; b < total && !st; b++) {
        const locum_dataset_sample *sample = locum_dataset_sample_at(data, b);
        if (sample->failed || sample->n_frames < 1 ||
            (frame < 0 ? -frame > sample->n_frames : frame >= sample->n_frames))
            continue;
        st = locum_dataset_read(data, b, frame, array, &y[n]);
        for (int i = 0; i < n_parameters; i++) x[i * total + n] = sample->parameter[i];
        n++;
    }
    if (!st && !n) st = LOCUM_FAIL(LOCUM_STUDY, "--frame %d: no sample has it", frame);
    for (int i = 0; i < n_parameters && !st; i++) {
        const char *unit = locum_dataset_parameter_unit(data, i);
        locum_format(x_label, sizeof x_label, strcmp(unit, "1") && *unit ? "%s [%s]" : "%s",
                     locum_dataset_parameter_name(data, i), unit);
        show_label(&locum_dataset_schema(data)->arrays[array], y_label, sizeof y_label);
        add_panel(picture, x_label, y_label, FIGURE_DOTS, n, x + i * total, y);
    }
    free(x);
    free(y);
    return st;
}

static locum_status against_time(const locum_dataset *data, int64_t b, int array, show_picture *picture)
{
    int64_t n = locum_dataset_sample_at(data, b)->n_frames;
    double *x = NULL, *y = NULL;
    char label[96];

    locum_status st = LOCUM_NEW(&x, n);
    if (!st) st = LOCUM_NEW(&y, n);
    for (int64_t k = 0; k < n && !st; k++) {
        x[k] = locum_dataset_time(data, b, k);
        st = locum_dataset_read(data, b, k, array, &y[k]);
    }
    show_label(&locum_dataset_schema(data)->arrays[array], label, sizeof label);
    if (!st) add_panel(picture, "time", label, n > 1 ? FIGURE_LINE : FIGURE_RINGS, n, x, y);
    free(x);
    free(y);
    return st;
}

static locum_status draw_single(const locum_dataset *data, int64_t b, int frame, int array, show_picture *picture)
{
    bool one_value = locum_array_components(&locum_dataset_schema(data)->arrays[array]) == 1;
    LOCUM_REQUIRE(one_value, LOCUM_STUDY, "array `%s` has several components",
                  locum_dataset_schema(data)->arrays[array].name);
    if (locum_dataset_n(data) > 1 && locum_dataset_n_parameters(data) > 0)
        return against_parameters(data, frame, array, picture);
    return against_time(data, b, array, picture);
}

static bool has_single(const locum_dataset *data)
{
    const locum_schema *schema = locum_dataset_schema(data);
    for (int i = 0; i < schema->n_arrays; i++)
        if (is_supported(data, i, LOCUM_GLOBAL) && locum_array_components(&schema->arrays[i]) == 1) return true;
    return false;
}

static locum_status draw_all_single(const locum_dataset *data, const char *path, int64_t b, int frame,
                                    show_picture *picture)
{
    const locum_schema *schema = locum_dataset_schema(data);
    for (int i = 0; i < schema->n_arrays; i++) {
        if (!is_supported(data, i, LOCUM_GLOBAL) || locum_array_components(&schema->arrays[i]) != 1) continue;
        LOCUM_TRY(draw_single(data, b, frame, i, picture));
    }
    LOCUM_REQUIRE(picture->n_panels, LOCUM_STUDY,
                  "%s has no single values; name an array: --array NAME (`locum inspect` lists them)", path);
    return LOCUM_OK;
}

/* --- rows: spectra, profiles --------------------------------------------------------------------------- */
static locum_status read_curve(const locum_dataset *data, int64_t b, int64_t frame, int array, figure *f, double **x,
                               double **y)
{
    static const char *const colours[] = {FIGURE_BLUE,   FIGURE_RED,  FIGURE_GREEN,
                                          FIGURE_PURPLE, FIGURE_GREY, FIGURE_INK};
    const locum_domain *domain = domain_of(data, array);
    int64_t n = locum_dataset_count(data, b, frame, array);
    LOCUM_TRY(LOCUM_NEW(x, n + 1));
    LOCUM_TRY(LOCUM_NEW(y, n + 1));
    LOCUM_TRY(locum_dataset_read(data, b, frame, array, *y));
    bool has_axis = domain->axis[0] && domain->n_global[0] == n;
    for (int64_t i = 0; i < n; i++) (*x)[i] = has_axis ? domain->axis[0][i] : (double)i;
    double least = INFINITY, most = -INFINITY;
    for (int64_t i = 0; i < n; i++)
        if ((*x)[i] > 0) least = fmin(least, (*y)[i]), most = fmax(most, (*y)[i]);
    if (!f->n_series && least > 0 && most > 30 * least && n > 2 && (*x)[n - 1] > 0)
        f->axis[0].scale = f->axis[1].scale = FIGURE_LOG;
    figure_series(f, FIGURE_LINE, colours[f->n_series % 6], n, *x, *y, NULL, NULL);
    return LOCUM_OK;
}

static locum_status draw_rows(const locum_dataset *data, int frame, int array, show_picture *picture)
{
    const locum_array *what = &locum_dataset_schema(data)->arrays[array];
    double *x[CURVES_MAX] = {0}, *y[CURVES_MAX] = {0};
    char label[96], title[160];
    int n = 0;
    figure f;
    locum_status st = LOCUM_OK;

    LOCUM_REQUIRE(locum_array_components(what) == 1, LOCUM_STUDY, "array `%s` has several components", what->name);
    picture->columns = 1;
    picture->width = 560;
    picture->height = 400;
    figure_begin(&f, picture->width, picture->height, domain_of(data, array)->axis_name[0], FIGURE_LINEAR, NULL,
                 FIGURE_LINEAR);
    for (int64_t b = 0; b < locum_dataset_n(data) && n < CURVES_MAX && !st; b++) {
        const locum_dataset_sample *sample = locum_dataset_sample_at(data, b);
        if (sample->failed || sample->n_frames < 1 ||
            (frame < 0 ? -frame > sample->n_frames : frame >= sample->n_frames))
            continue;
        st = read_curve(data, b, frame < 0 ? sample->n_frames + frame : frame, array, &f, &x[n], &y[n]);
        n++;
    }
    if (!st && !n) st = LOCUM_FAIL(LOCUM_STUDY, "--frame %d: no sample has it", frame);
    show_label(what, label, sizeof label);
    locum_format(title, sizeof title, n > 1 ? "%s of the first %d samples" : "%s", label, n);
    if (!st) figure_script(&f, title, show_panel(picture));
    for (int k = 0; k < CURVES_MAX; k++) {
        free(x[k]);
        free(y[k]);
    }
    return st;
}

/* --- all ----------------------------------------------------------------------------------------------- */
static locum_status draw(const locum_dataset *data, const char *path, const arguments *a, bool fields,
                         show_picture *picture)
{
    int64_t b = first_good(data);
    int array = fields || !has_single(data) ? default_field(data) : -1;
    if (a->sample >= 0) LOCUM_TRY(find_sample(data, path, a->sample, &b));
    LOCUM_REQUIRE(b >= 0, LOCUM_INPUT, "%s has no sample that could be drawn", path);
    picture->width = 380;
    picture->height = 280;
    picture->columns =
        locum_dataset_n(data) > 1 && locum_dataset_n_parameters(data) > 0 ? locum_dataset_n_parameters(data) : 2;
    if (a->array) LOCUM_TRY(find_array(data, path, a->array, &array));
    bool grid = array >= 0 && is_supported(data, array, LOCUM_GRID);
    LOCUM_REQUIRE(grid || (!picture->movie && a->frames <= 0), LOCUM_STUDY,
                  "%s: sheets and movies are made of fields; name one: --array NAME (`locum inspect` lists them)",
                  path);
    if (array < 0) return draw_all_single(data, path, b, a->frame, picture);
    if (grid) return show_field(data, b, a, array, picture);
    return is_supported(data, array, LOCUM_ROWS) ? draw_rows(data, a->frame, array, picture)
                                                 : draw_single(data, b, a->frame, array, picture);
}

locum_status show_data(const char *path, const arguments *a, bool fields, show_picture *picture)
{
    locum_dataset *data = NULL;
    LOCUM_TRY(data_path_open_at(path, a, &data));
    locum_status st = draw(data, path, a, fields, picture);
    locum_dataset_close(data);
    return st;
}
