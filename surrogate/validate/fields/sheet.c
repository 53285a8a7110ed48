/* SPDX-License-Identifier: BSD-3-Clause */
/* sheet.c - fields to look at: truth and prediction of the test sample in the middle of the errors, at a few leads.
 * The first output of the metric, its first component; a plane (of three axes the one in the middle of the last);
 * larger ones are thinned: they are pictures, not data. */
#include "surrogate/validate/fields/fields.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_POINTS = 64 };

typedef struct painter {
    const locum_fields *fields;
    locum_sheet *sheet;
    const locum_field_array *array;
    int64_t stride[2];
} painter;

void locum_sheet_free(locum_sheet *sheet)
{
    free(sheet->input);
    free(sheet->truth);
    free(sheet->value);
    *sheet = (locum_sheet){0};
}

/* array of a frame -> [n[0], n[1]] */
static void thin(const painter *p, const double *array, double *out)
{
    const locum_fields *f = p->fields;
    int64_t deep = f->n_axes > 2 ? f->grid[2] : 1;

    for (int64_t i = 0; i < p->sheet->n[0]; i++)
        for (int64_t j = 0; j < p->sheet->n[1]; j++)
            out[i * p->sheet->n[1] + j] =
                array[((i * p->stride[0] * f->grid[1] + j * p->stride[1]) * deep + deep / 2) * p->array->components];
}

static int64_t middle_of(const locum_errors *errors)
{
    for (int64_t i = 0; i < errors->n; i++) {
        int64_t smaller = 0;
        for (int64_t k = 0; k < errors->n; k++)
            smaller += errors->sample[k] < errors->sample[i] || (errors->sample[k] == errors->sample[i] && k < i);
        if (smaller == errors->n / 2) return i;
    }
    return 0;
}

static locum_status lay_out(painter *p, const locum_evaluation *head)
{
    const locum_fields *f = p->fields;
    locum_sheet *s = p->sheet;
    int o = 0;

    while (!f->in_metric[o]) o++;
    p->array = &f->output[o];
    locum_format(s->name, sizeof s->name, "%s%s", p->array->name, p->array->components > 1 ? ", first component" : "");
    s->sample = middle_of(&head->errors.joined);
    s->error = head->errors.joined.sample[s->sample];
    for (int d = 0; d < 2; d++) {
        p->stride[d] = (f->grid[d] + MOST_POINTS - 1) / MOST_POINTS;
        s->n[d] = (f->grid[d] + p->stride[d] - 1) / p->stride[d];
        s->lower[d] = f->domain->lower[d];
        s->upper[d] = f->domain->upper[d];
    }
    s->n_leads = f->n_leads < LOCUM_PHYSICS_LEADS ? f->n_leads : LOCUM_PHYSICS_LEADS;
    for (int k = 0; k < s->n_leads; k++)
        s->lead[k] = s->n_leads > 1 ? (int)lround((double)k * (f->n_leads - 1) / (s->n_leads - 1)) : f->n_leads - 1;
    LOCUM_TRY(LOCUM_NEW(&s->truth, s->n_leads * s->n[0] * s->n[1]));
    return LOCUM_NEW(&s->value, s->n_leads * s->n[0] * s->n[1]);
}

static locum_status paint(void *self, int lead, const double *value, const double *lower, const double *upper,
                          uint32_t flag)
{
    painter *p = self;
    locum_sheet *s = p->sheet;

    (void)lower, (void)upper, (void)flag;
    for (int k = 0; k < s->n_leads; k++)
        if (s->lead[k] == lead) thin(p, value + p->array->first, s->value + k * s->n[0] * s->n[1]);
    return LOCUM_OK;
}

/* what the model begins from: the same array if it sees that, else its first input field */
static locum_status paint_input(painter *p, const locum_trajectory *t)
{
    const locum_fields *f = p->fields;
    locum_field_array shown = *p->array;

    if (f->in_width == 0) return LOCUM_OK;
    LOCUM_TRY(LOCUM_NEW(&p->sheet->input, p->sheet->n[0] * p->sheet->n[1]));
    if (!f->step) shown = f->input[0];
    const locum_field_array *array = p->array;
    p->array = &shown;
    thin(p, t->seen + (f->step ? (f->history - 1) * f->width : 0) + shown.first, p->sheet->input);
    p->array = array;
    return LOCUM_OK;
}

locum_status locum_sheet_make(const locum_fields *f, const locum_evaluation *head, locum_sheet *sheet)
{
    painter p = {.fields = f, .sheet = sheet};
    locum_roller roller = {0};
    locum_trajectory t = {0};
    int stopped = 0;

    *sheet = (locum_sheet){0};
    if (f->n_axes < 2) return LOCUM_OK;
    locum_status st = lay_out(&p, head);
    for (int64_t i = 0; i < sheet->n_leads * sheet->n[0] * sheet->n[1] && !st; i++) sheet->value[i] = NAN;
    if (!st) st = locum_trajectory_make(f, &t);
    if (!st) st = locum_trajectory_read(f, LOCUM_TEST, sheet->sample, &t);
    if (!st) st = locum_roller_make(f, &f->models[f->head], 1, &roller);
    if (!st) st = locum_roller_run(&roller, &t, paint, &p, &stopped);
    for (int k = 0; k < sheet->n_leads && !st; k++)
        thin(&p, t.truth + sheet->lead[k] * f->width + p.array->first, sheet->truth + k * sheet->n[0] * sheet->n[1]);
    if (!st) st = paint_input(&p, &t);
    locum_roller_free(&roller);
    locum_trajectory_free(&t);
    return st;
}
