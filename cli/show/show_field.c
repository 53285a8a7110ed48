/* SPDX-License-Identifier: BSD-3-Clause */
/* show_field.c - fields as pictures: one frame (--frame), a sheet of several (--frames N), or all of them one after the
 * other (thinned above SHOW_PANELS_MAX), for a movie. Vectors are drawn as their length, volumes as the middle plane; all frames share their colours. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/show/show.h"
#include "core/memory.h"

typedef struct film {
    const locum_dataset *data;
    const locum_array *array;
    const locum_domain *domain;
    int64_t b;
    int number; /* of the array */
    double range[2];
    double *values;
} film;

void show_label(const locum_array *array, char *text, size_t size)
{
    bool pure = !array->unit || !*array->unit || !strcmp(array->unit, "1");
    locum_format(text, size, pure ? "%s" : "%s [%s]", array->name, array->unit);
}

/* one number a point of the plane: the middle plane of a volume, the length of a vector */
static void flatten(const locum_domain *domain, int64_t components, double *values)
{
    int64_t nz = domain->n_dims == 3 ? domain->n_global[2] : 1, n = domain->n_global[0] * domain->n_global[1];
    for (int64_t i = 0; i < n; i++) {
        const double *at = values + (i * nz + nz / 2) * components;
        double sum = 0;
        for (int64_t c = 0; c < components; c++) sum += at[c] * at[c];
        values[i] = components == 1 ? at[0] : sqrt(sum); /* i <= where it is read from */
    }
}

static locum_status read_plane(const film *f, int64_t frame)
{
    LOCUM_TRY(locum_dataset_read(f->data, f->b, frame, f->number, f->values));
    flatten(f->domain, locum_array_components(f->array), f->values);
    return LOCUM_OK;
}

/* lowest and highest value of all frames that are drawn */
static locum_status find_range(film *f, int n, const int64_t *frames)
{
    f->range[0] = INFINITY;
    f->range[1] = -INFINITY;
    for (int k = 0; k < n; k++) {
        LOCUM_TRY(read_plane(f, frames[k]));
        for (int64_t i = 0; i < f->domain->n_global[0] * f->domain->n_global[1]; i++) {
            if (!isfinite(f->values[i])) continue;
            f->range[0] = fmin(f->range[0], f->values[i]);
            f->range[1] = fmax(f->range[1], f->values[i]);
        }
    }
    if (!(f->range[0] <= f->range[1])) f->range[0] = 0, f->range[1] = 1;
    return LOCUM_OK;
}

static locum_status draw_frame(const film *f, int64_t frame, locum_text *panel)
{
    char title[160], label[96];
    LOCUM_TRY(read_plane(f, frame));
    show_label(f->array, label, sizeof label);
    locum_format(title, sizeof title, f->array->order ? "|%s| at time %.6g" : "%s at time %.6g", label,
                 locum_dataset_time(f->data, f->b, frame));
    figure_field field = {.n = {f->domain->n_global[0], f->domain->n_global[1]},
                          .lower = {f->domain->lower[0], f->domain->lower[1]},
                          .upper = {f->domain->upper[0], f->domain->upper[1]},
                          .axis = {f->domain->axis_name[0], f->domain->axis_name[1]},
                          .values = f->values,
                          .range = f->range,
                          .is_cells = f->array->place == LOCUM_CELL};
    figure_field_script(&field, title, panel);
    return panel->status;
}

/* n of the frames, evenly, with the first and the last */
static int choose_frames(int64_t n_frames, int n, int64_t *frames)
{
    if (n > n_frames) n = (int)n_frames;
    for (int k = 0; k < n; k++)
        frames[k] = n > 1 ? llround((double)k * (double)(n_frames - 1) / (n - 1)) : n_frames - 1;
    return n;
}

static locum_status which_frames(const film *f, const arguments *a, bool movie, int *n, int64_t *frames)
{
    int64_t n_frames = locum_dataset_sample_at(f->data, f->b)->n_frames;
    int64_t at = a->frame < 0 ? n_frames + a->frame : a->frame;
    if (movie || a->frames > 0) {
        *n = choose_frames(n_frames, a->frames > 0 ? a->frames : SHOW_PANELS_MAX, frames);
        return LOCUM_OK;
    }
    LOCUM_REQUIRE(at >= 0 && at < n_frames, LOCUM_STUDY, "--frame %d: there are %" PRId64 " frames", a->frame,
                  n_frames);
    *n = 1;
    frames[0] = at;
    return LOCUM_OK;
}

locum_status show_field(const locum_dataset *data, int64_t b, const arguments *a, int array, show_picture *picture)
{
    const locum_schema *schema = locum_dataset_schema(data);
    film f = {.data = data, .array = &schema->arrays[array], .b = b, .number = array};
    int64_t *frames = NULL;
    int n = 0;

    f.domain = &schema->domains[f.array->domain];
    locum_status st = LOCUM_NEW(&frames, SHOW_PANELS_MAX);
    if (!st) st = which_frames(&f, a, picture->movie, &n, frames);
    if (!st) st = LOCUM_NEW(&f.values, locum_dataset_count(data, b, frames[0], array));
    if (!st) st = find_range(&f, n, frames);
    double aspect = (f.domain->upper[1] - f.domain->lower[1]) / (f.domain->upper[0] - f.domain->lower[0]);
    picture->columns = picture->movie ? 1 : (int)ceil(sqrt(n));
    picture->width = n > 1 && !picture->movie ? 320 : 600;
    picture->height = (int)fmin(1400, fmax(220, 90 + (picture->width - 160) * aspect));
    for (int k = 0; k < n && !st; k++) st = draw_frame(&f, frames[k], show_panel(picture));
    free(f.values);
    free(frames);
    return st;
}
