/* SPDX-License-Identifier: BSD-3-Clause */
/* measure.c - sums over the frames of one array, frame by frame: one frame is in memory at a time. */
#include "cli/measure.h"

#include <math.h>
#include <stdlib.h>

#include "core/memory.h"
#include "solvers/numerics/analysis/spectrum.h"

static bool is_good(const locum_dataset *data, int64_t b)
{
    const locum_dataset_sample *s = locum_dataset_sample_at(data, b);
    return !s->failed && s->n_frames > 0;
}

static void add_values(int64_t n, const double *values, measure_sums *sums)
{
    double mean = 0, square = 0;
    for (int64_t i = 0; i < n; i++) {
        sums->lower = fmin(sums->lower, values[i]);
        sums->upper = fmax(sums->upper, values[i]);
        mean += values[i];
        square += values[i] * values[i];
    }
    if (n < 1) return;
    sums->mean += mean / (double)n;
    sums->square += square / (double)n;
    sums->n++;
}

/* sums become means; what all frames have goes into `all` */
static void finish(measure_array *m)
{
    m->all = (measure_sums){.lower = INFINITY, .upper = -INFINITY};
    for (int64_t f = 0; f < m->n_frames; f++) {
        measure_sums *s = &m->frames[f];
        m->all.lower = fmin(m->all.lower, s->lower);
        m->all.upper = fmax(m->all.upper, s->upper);
        m->all.mean += s->mean;
        m->all.square += s->square;
        m->all.gradient += s->gradient;
        m->all.divergence += s->divergence;
        m->all.rotation += s->rotation;
        m->all.n += s->n;
    }
    for (int64_t f = -1; f < m->n_frames; f++) {
        measure_sums *s = f < 0 ? &m->all : &m->frames[f];
        double n = s->n > 0 ? (double)s->n : 1;
        s->mean /= n;
        s->square /= n;
        s->gradient /= n;
        s->divergence /= n;
        s->rotation /= n;
    }
}

static locum_status describe(const locum_dataset *data, measure_array *m)
{
    const locum_schema *schema = locum_dataset_schema(data);
    const locum_array *a = &schema->arrays[m->array];
    const locum_domain *domain = &schema->domains[a->domain];
    for (int64_t b = 0; b < locum_dataset_n(data); b++)
        if (is_good(data, b)) m->n_frames = fmax(m->n_frames, locum_dataset_sample_at(data, b)->n_frames);
    m->is_field =
        domain->support == LOCUM_GRID || (domain->support == LOCUM_ROWS && domain->n_global[0] > 2 && domain->axis[0]);
    m->is_vector = domain->support == LOCUM_GRID && a->order == 1 && a->shape[0] == domain->n_dims;
    if (domain->support == LOCUM_GRID && domain->n_dims == 2 && domain->side[0][0] == LOCUM_PERIODIC &&
        domain->side[1][0] == LOCUM_PERIODIC) {
        double box[2];
        measure_box(domain, box);
        int64_t k_max[2] = {domain->n_global[0] / 2, domain->n_global[1] / 2};
        m->n_shells = locum_spectrum_shells(box, k_max);
        LOCUM_TRY(LOCUM_NEW(&m->spectrum, m->n_shells + 1));
    }
    LOCUM_TRY(LOCUM_NEW(&m->frames, m->n_frames + 1));
    for (int64_t f = 0; f < m->n_frames; f++) m->frames[f] = (measure_sums){.lower = INFINITY, .upper = -INFINITY};
    return LOCUM_OK;
}

static locum_status add_frame(const locum_dataset *data, int64_t b, int64_t f, double weight, double *values,
                              measure_array *m)
{
    const locum_schema *schema = locum_dataset_schema(data);
    const locum_array *a = &schema->arrays[m->array];
    const locum_domain *domain = &schema->domains[a->domain];
    int components = (int)locum_array_components(a);
    bool last = f == locum_dataset_sample_at(data, b)->n_frames - 1;
    LOCUM_TRY(locum_dataset_read(data, b, f, m->array, values));
    add_values(locum_dataset_count(data, b, f, m->array), values, &m->frames[f]);
    if (m->is_field) measure_gradients(domain, components, m->is_vector, values, &m->frames[f]);
    if (m->n_shells && last) return measure_spectrum(domain, components, values, weight, m->n_shells, m->spectrum);
    return LOCUM_OK;
}

locum_status measure_read(const locum_dataset *data, int array, measure_array *m)
{
    double *values = NULL;
    int64_t good = 0, most = 0;
    *m = (measure_array){.array = array};
    for (int64_t b = 0; b < locum_dataset_n(data); b++) {
        good += is_good(data, b);
        for (int64_t f = 0; is_good(data, b) && f < locum_dataset_sample_at(data, b)->n_frames; f++)
            most = most > locum_dataset_count(data, b, f, array) ? most : locum_dataset_count(data, b, f, array);
    }
    locum_status st = describe(data, m);
    if (!st) st = LOCUM_NEW(&values, most + 1);
    for (int64_t b = 0; b < locum_dataset_n(data) && !st; b++)
        for (int64_t f = 0; is_good(data, b) && f < locum_dataset_sample_at(data, b)->n_frames && !st; f++)
            st = add_frame(data, b, f, 1.0 / (double)good, values, m);
    if (!st) finish(m);
    free(values);
    return st;
}

void measure_free(measure_array *m)
{
    free(m->frames);
    free(m->spectrum);
    *m = (measure_array){0};
}
