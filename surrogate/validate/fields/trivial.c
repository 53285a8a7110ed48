/* SPDX-License-Identifier: BSD-3-Clause */
/* trivial.c - predictors of fields that need no network, on the test split.
 *
 *     persistence   the last frame seen (a map: the input field of that name)
 *     mean          mean field of the training split, over all frames that a step could predict
 *     linear, quadratic, nearest    a map of parameters: least squares for each value in the network's own transformed
 *                   inputs and outputs; the training sample nearest in standardised inputs
 *     nearest       a map of fields: the training sample whose input fields are nearest in L2
 * What does not apply, or would need more memory than MOST_BYTES, is left out (name NULL). */
#include "surrogate/validate/fields/fields.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double MOST_BYTES = 1073741824.0;
enum { STEP_SAMPLES = 64 }; /* of the training split, for the mean field of a step */
enum { PERSISTENCE, MEAN, LINEAR, QUADRATIC, NEAREST };

/* what a predictor gives for test sample i: frame [width], the same at all leads; NULL: not this one */
typedef locum_status (*predictor)(void *self, int64_t i, const locum_trajectory *t, const double **frame);

/* collective */
static locum_status score(const locum_fields *f, predictor predict, void *self, locum_field_errors *errors)
{
    locum_scores scores = {0};
    locum_trajectory t = {0};
    const double *frame = NULL;

    locum_status st = locum_scores_make(f, f->n[LOCUM_TEST], f->n_leads, &scores);
    if (!st) st = locum_trajectory_make(f, &t);
    for (int64_t i = f->rank; i < f->n[LOCUM_TEST] && !st; i += f->size) {
        st = locum_trajectory_read(f, LOCUM_TEST, i, &t);
        if (!st) st = predict(self, i, &t, &frame);
        for (int l = 0; l < f->n_leads && !st; l++) locum_scores_add(f, &scores, i, l, frame, t.truth + l * f->width);
    }
    st = locum_comm_agree(f->call->world, st);
    if (!st) {
        locum_fields_share(f, scores.n * scores.n_leads * scores.n_outputs * LOCUM_SUMS, scores.sum);
        st = locum_comm_agree(f->call->world, locum_field_errors_make(f, &scores, errors));
    }
    locum_scores_free(&scores);
    locum_trajectory_free(&t);
    return st;
}

/* --- persistence ------------------------------------------------------------------------------ */

typedef struct keeper {
    const locum_fields *fields;
    int from[LOCUM_FIELD_ARRAYS]; /**< input behind each output of a map */
    double *frame;
} keeper;

static bool has_inputs(const locum_fields *f, keeper *k)
{
    for (int o = 0; o < f->n_outputs && !f->step; o++) {
        k->from[o] = -1;
        for (int i = 0; i < f->n_inputs; i++)
            if (!strcmp(f->input[i].name, f->output[o].name)) k->from[o] = i;
        if (k->from[o] < 0) return false;
    }
    return true;
}

static locum_status keep(void *self, int64_t i, const locum_trajectory *t, const double **frame)
{
    keeper *k = self;
    const locum_fields *f = k->fields;

    (void)i;
    *frame = f->step ? t->seen + (f->history - 1) * f->width : k->frame;
    for (int o = 0; o < f->n_outputs && !f->step; o++)
        memcpy(k->frame + f->output[o].first, t->seen + f->input[k->from[o]].first,
               (size_t)f->output[o].count * sizeof(double));
    return LOCUM_OK;
}

static locum_status persist(const locum_fields *f, locum_field_trivial *trivial)
{
    keeper k = {.fields = f};

    if (!has_inputs(f, &k)) return LOCUM_OK;
    LOCUM_TRY(locum_comm_agree(f->call->world, LOCUM_NEW(&k.frame, f->width)));
    trivial->name = "persistence";
    locum_status st = score(f, keep, &k, &trivial->errors);
    free(k.frame);
    return st;
}

/* --- mean ------------------------------------------------------------------------------------- */

static locum_status add_means(const locum_fields *f, double *sum, double *count)
{
    double *frame = NULL;
    int64_t n = f->n[LOCUM_TRAIN], used = f->step && n > STEP_SAMPLES ? STEP_SAMPLES : n;

    locum_status st = LOCUM_NEW(&frame, f->width);
    for (int64_t k = f->rank; k < used && !st; k += f->size) {
        int64_t i = k * n / used, frames = locum_dataset_sample_at(f->dataset, f->sample[LOCUM_TRAIN][i])->n_frames;
        for (int64_t t = f->step ? f->history : frames - 1; t < frames && !st; t++) {
            st = locum_fields_read(f, LOCUM_TRAIN, i, t, f->n_outputs, f->output, frame);
            for (int64_t j = 0; j < f->width && !st; j++) sum[j] += frame[j];
            *count += 1;
        }
    }
    free(frame);
    return st;
}

static locum_status same(void *self, int64_t i, const locum_trajectory *t, const double **frame)
{
    (void)i, (void)t;
    *frame = self;
    return LOCUM_OK;
}

static locum_status average(const locum_fields *f, locum_field_trivial *trivial)
{
    double *sum = NULL, count = 0;

    locum_status st = LOCUM_NEW(&sum, f->width);
    if (!st) st = add_means(f, sum, &count);
    st = locum_comm_agree(f->call->world, st);
    if (!st) {
        locum_fields_share(f, f->width, sum);
        locum_fields_share(f, 1, &count);
        for (int64_t j = 0; j < f->width; j++) sum[j] /= count;
        trivial->name = "mean";
        st = score(f, same, sum, &trivial->errors);
    }
    free(sum);
    return st;
}

/* --- fits of parameters ------------------------------------------------------------------------ */

typedef struct fits {
    const locum_fields *fields;
    int n_inputs;
    int64_t *first;
    double *x, *y, *x_test, *rows; /**< training and test inputs, training outputs, predictions of the test split */
    locum_transforms transforms;
} fits;

static locum_status fill_inputs(const locum_fields *f, locum_split split, double *x)
{
    const locum_field_model *m = &f->models[f->head];
    double values[LOCUM_LIST_MAX];

    for (int64_t i = 0; i < f->n[split]; i++) {
        locum_fields_values(f, split, i, values);
        for (int k = 0; k < m->n_inputs; k++) x[i * m->n_inputs + k] = values[m->source[k].value];
    }
    return LOCUM_OK;
}

static locum_status fits_make(const locum_fields *f, fits *k)
{
    *k = (fits){.fields = f, .n_inputs = f->models[f->head].n_inputs};
    LOCUM_TRY(locum_transforms_read(f->models[f->head].model, &k->transforms));
    LOCUM_TRY(LOCUM_NEW(&k->first, f->n_outputs + 1));
    for (int o = 0; o < f->n_outputs; o++) k->first[o + 1] = k->first[o] + f->output[o].count;
    LOCUM_TRY(LOCUM_NEW(&k->x, f->n[LOCUM_TRAIN] * k->n_inputs + 1));
    LOCUM_TRY(LOCUM_NEW(&k->x_test, f->n[LOCUM_TEST] * k->n_inputs + 1));
    LOCUM_TRY(LOCUM_NEW(&k->y, f->n[LOCUM_TRAIN] * f->width));
    LOCUM_TRY(LOCUM_NEW(&k->rows, f->n[LOCUM_TEST] * f->width));
    LOCUM_TRY(fill_inputs(f, LOCUM_TRAIN, k->x));
    LOCUM_TRY(fill_inputs(f, LOCUM_TEST, k->x_test));
    for (int64_t i = 0; i < f->n[LOCUM_TRAIN]; i++)
        LOCUM_TRY(locum_fields_read(f, LOCUM_TRAIN, i, -1, f->n_outputs, f->output, k->y + i * f->width));
    return LOCUM_OK;
}

static void fits_free(fits *k)
{
    locum_transforms_free(&k->transforms);
    free(k->first);
    free(k->x);
    free(k->y);
    free(k->x_test);
    free(k->rows);
}

static locum_status fitted(void *self, int64_t i, const locum_trajectory *t, const double **frame)
{
    fits *k = self;

    (void)t;
    *frame = k->rows + i * k->fields->width;
    return LOCUM_OK;
}

/* every rank fits: the fits are small beside what is read */
static locum_status fit(const locum_fields *f, locum_field_trivial *trivial)
{
    static const locum_trivial kinds[] = {LOCUM_TRIVIAL_LINEAR, LOCUM_TRIVIAL_QUADRATIC, LOCUM_TRIVIAL_NEAREST};
    fits k = {0};
    double bytes = 8.0 * (double)(f->n[LOCUM_TRAIN] + 2 * f->n[LOCUM_TEST]) * (double)f->width;

    if (f->step || f->n_inputs || f->n_values == 0 || bytes > MOST_BYTES) return LOCUM_OK;
    locum_status st = locum_comm_agree(f->call->world, fits_make(f, &k));
    for (int i = 0; i < 3 && !st; i++) {
        st = locum_comm_agree(f->call->world, locum_trivial_predict(kinds[i], &k.transforms, k.first, f->n[LOCUM_TRAIN],
                                                                    k.x, k.y, f->n[LOCUM_TEST], k.x_test, k.rows));
        trivial[LINEAR + i].name = locum_trivial_name(kinds[i]);
        if (!st) st = score(f, fitted, &k, &trivial[LINEAR + i].errors);
    }
    fits_free(&k);
    return st;
}

/* --- the nearest input field ------------------------------------------------------------------- */

typedef struct neighbours {
    const locum_fields *fields;
    float *seen;   /**< [n_train, in_width] */
    double *frame; /**< [in_width + width] */
} neighbours;

static locum_status find_nearest(void *self, int64_t i, const locum_trajectory *t, const double **frame)
{
    neighbours *k = self;
    const locum_fields *f = k->fields;
    double least = INFINITY;
    int64_t nearest = 0;

    (void)i;
    for (int64_t j = 0; j < f->n[LOCUM_TRAIN]; j++) {
        double sum = 0;
        for (int64_t p = 0; p < f->in_width && sum < least; p++) {
            double d = t->seen[p] - (double)k->seen[j * f->in_width + p];
            sum += d * d;
        }
        if (sum < least) least = sum, nearest = j;
    }
    *frame = k->frame;
    return locum_fields_read(f, LOCUM_TRAIN, nearest, -1, f->n_outputs, f->output, k->frame);
}

static locum_status read_seen(const locum_fields *f, neighbours *k)
{
    LOCUM_TRY(LOCUM_NEW(&k->seen, f->n[LOCUM_TRAIN] * f->in_width));
    LOCUM_TRY(LOCUM_NEW(&k->frame, f->in_width + f->width));
    for (int64_t j = 0; j < f->n[LOCUM_TRAIN]; j++) {
        LOCUM_TRY(locum_fields_read(f, LOCUM_TRAIN, j, 0, f->n_inputs, f->input, k->frame));
        for (int64_t p = 0; p < f->in_width; p++) k->seen[j * f->in_width + p] = (float)k->frame[p];
    }
    return LOCUM_OK;
}

static locum_status find_neighbours(const locum_fields *f, locum_field_trivial *trivial)
{
    neighbours k = {.fields = f};

    if (f->step || f->n_inputs == 0 || 4.0 * (double)f->n[LOCUM_TRAIN] * (double)f->in_width > MOST_BYTES)
        return LOCUM_OK;
    locum_status st = locum_comm_agree(f->call->world, read_seen(f, &k));
    trivial->name = "nearest";
    if (!st) st = score(f, find_nearest, &k, &trivial->errors);
    free(k.seen);
    free(k.frame);
    return st;
}

locum_status locum_field_trivials(const locum_fields *f, locum_field_trivial trivial[LOCUM_FIELD_TRIVIALS])
{
    LOCUM_TRY(persist(f, &trivial[PERSISTENCE]));
    LOCUM_TRY(average(f, &trivial[MEAN]));
    LOCUM_TRY(fit(f, trivial));
    return find_neighbours(f, &trivial[NEAREST]);
}
