/* SPDX-License-Identifier: BSD-3-Clause */
/* fields.c - the tables behind intervals and flags of fields: one look at the fitted samples, one at the calibration ones.
 *
 *     sigma_c    step: root mean square residual of channel c at lead 1 over fitted samples and points
 *                map:  of each value, its square drawn towards the output's mean as if by 10 samples more
 *     growth_l   root mean square over channels of (residual at lead l / residual at lead 1)
 *     score      max |r| / (growth sqrt(sigma^2 + s^2)) over leads, points, channels: the band is simultaneous
 *     energy     |log(E / E_last) - mean| / spread (map: |log E - mean| / spread), mean and spread over fitted frames
 *     divergence rms of central differences over rms of the gradient
 *
 * Normalised throughout; sigma, features' mean and map, energy's mean and rate as the runtime reads them (float32). */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "surrogate/calibrate/features.h"

#define PRIOR_SAMPLES 10.0
#define GROWTH_LEAST 0.01
#define SCORE_MOST 1e30 /* of a roll-out that has blown up; a file holds finite numbers */
#define ENERGY_LEAST 1e-30
#define SPREAD_LEAST 1e-6 /* of log energies: round-off of float32 */

typedef struct calibration {
    const locum_task *task;
    const locum_field_source *source;
    locum_trust_tables *t;
    int64_t points, channels;
    /* of the fitted samples */
    double *squares;  /* step: [leads, channels]; map: [points, channels] */
    double *features; /* [frames, n_features] */
    double *energies; /* [frames] logarithms */
    int64_t n_frames;
    int vector, vector_first; /* the output without divergence and its first channel; -1 = none */
} calibration;

/* --- physics ------------------------------------------------------------------------------------------------------ */
static double mean_square(int64_t points, int64_t channels, int64_t stride, const float *x)
{
    double sum = 0;
    for (int64_t p = 0; p < points; p++)
        for (int64_t c = 0; c < channels; c++) sum += (double)x[p * stride + c] * (double)x[p * stride + c];
    return sum / (double)(points * channels);
}

/* logarithm of the energy, or of its change */
static double log_energy(const calibration *c, const locum_field_frame *f)
{
    double e = log(mean_square(c->points, c->channels, c->channels, f->mean) + ENERGY_LEAST);
    if (f->last) e -= log(mean_square(c->points, c->channels, f->stride, f->last) + ENERGY_LEAST);
    return e;
}

static double divergence_of(const calibration *c, const float *x)
{
    const locum_task *task = c->task;
    double whole = 0, gradient = 0;
    int64_t step[3], at[3];
    for (int a = task->n_axes - 1, s = 1; a >= 0; s *= (int)task->grid[a--]) step[a] = s;
    for (int64_t p = 0; p < c->points; p++) {
        double divergence = 0;
        for (int a = 0; a < task->n_axes; a++) at[a] = p / step[a] % task->grid[a];
        for (int a = 0; a < task->n_axes; a++) {
            int64_t n = task->grid[a], right = p + ((at[a] + 1) % n - at[a]) * step[a],
                    left = p + ((at[a] + n - 1) % n - at[a]) * step[a];
            for (int k = 0; k < task->n_axes; k++) {
                int64_t channel = c->vector_first + k;
                double d = ((double)x[right * c->channels + channel] - (double)x[left * c->channels + channel]) *
                           (double)n / (2 * task->box[a]);
                gradient += d * d;
                if (k == a) divergence += d;
            }
        }
        whole += divergence * divergence;
    }
    return sqrt(whole / (gradient + 1e-30));
}

/* --- fitted samples ----------------------------------------------------------------------------------------------- */
static locum_status take_fitted(void *self, const locum_field_frame *f)
{
    calibration *c = self;
    int64_t n = c->points * c->channels, m = c->source->n_features;
    bool step = c->task->kind == LOCUM_TASK_STEP;
    double *squares = step ? c->squares + (f->lead - 1) * c->channels : c->squares;
    LOCUM_REQUIRE(c->n_frames < c->source->n_fitted * c->source->leads, LOCUM_INTERNAL, "calibrate: too many frames");
    for (int64_t i = 0; i < n; i++) {
        double r = (double)f->mean[i] - (double)f->truth[i];
        squares[step ? i % c->channels : i] += r * r;
    }
    for (int64_t j = 0; j < m; j++) c->features[c->n_frames * m + j] = (double)f->features[j];
    c->energies[c->n_frames++] = log_energy(c, f);
    return LOCUM_OK;
}

/* the mean over an output's channels (and points) of `values`, and the floor that it gives sigma */
static double output_mean(const calibration *c, const double *values, int64_t n, int first, int components)
{
    double sum = 0;
    for (int64_t p = 0; p < n; p++)
        for (int k = 0; k < components; k++) sum += values[p * c->channels + first + k];
    return sum / (double)(n * components);
}

static void fit_sigma(calibration *c)
{
    bool step = c->task->kind == LOCUM_TASK_STEP;
    int64_t rows = step ? 1 : c->points;
    double samples = (double)c->source->n_fitted, count = step ? samples * (double)c->points : samples;
    double *mean_squares = c->t->sigma; /* in place */
    for (int64_t i = 0; i < rows * c->channels; i++) mean_squares[i] = count > 0 ? c->squares[i] / count : 1;
    for (int o = 0, first = 0; o < c->task->n_outputs; first += c->task->outputs[o++].components) {
        int components = c->task->outputs[o].components;
        double mean = output_mean(c, mean_squares, rows, first, components),
               least = fmax(SIGMA_LEAST, SIGMA_FLOOR * sqrt(mean));
        for (int64_t p = 0; p < rows; p++)
            for (int k = 0; k < components; k++) {
                double *s = &mean_squares[p * c->channels + first + k];
                if (!step) *s = (samples * *s + PRIOR_SAMPLES * mean) / (samples + PRIOR_SAMPLES);
                *s = fmax(sqrt(*s), least);
            }
    }
    locum_calibrate_round(rows * c->channels, c->t->sigma);
}

static void fit_growth(calibration *c)
{
    double count = (double)(c->source->n_fitted * c->points);
    c->t->growth[0] = 1;
    for (int64_t l = 1; l < c->t->leads; l++) {
        double sum = 0;
        for (int64_t k = 0; k < c->channels; k++)
            sum += c->squares[l * c->channels + k] / count / (c->t->sigma[k] * c->t->sigma[k]);
        double growth = fmax(GROWTH_LEAST, sqrt(sum / (double)c->channels));
        if (!isfinite(sum)) {
            c->t->leads = l;
            break;
        }
        c->t->growth[l] = count > 0 ? growth : 1;
    }
}

static void fit_energy(calibration *c)
{
    double sum = 0, square = 0, numbers[2];
    int64_t n = 0;
    for (int64_t i = 0; i < c->n_frames; i++)
        if (isfinite(c->energies[i])) sum += c->energies[i], n++;
    double mean = n ? sum / (double)n : 0;
    for (int64_t i = 0; i < c->n_frames; i++)
        if (isfinite(c->energies[i])) square += (c->energies[i] - mean) * (c->energies[i] - mean);
    numbers[0] = mean;
    numbers[1] = 1 / fmax(SPREAD_LEAST, n ? sqrt(square / (double)n) : 1);
    locum_calibrate_round(2, numbers);
    c->t->energy_mean = numbers[0];
    c->t->energy_rate = numbers[1];
}

/* features of frames that blew up say nothing about the data */
static locum_status fit_features(calibration *c)
{
    int64_t m = c->source->n_features, n = 0;
    for (int64_t i = 0; i < c->n_frames; i++) {
        bool finite = true;
        for (int64_t j = 0; j < m; j++) finite = finite && isfinite(c->features[i * m + j]);
        if (finite) memmove(c->features + n++ * m, c->features + i * m, (size_t)m * sizeof(double));
    }
    return locum_calibrate_features(n, m, c->features, c->t->feature_mean, c->t->feature_map);
}

static locum_status fit(calibration *c)
{
    LOCUM_TRY(c->source->frames(c->source->self, false, take_fitted, c));
    fit_sigma(c);
    if (c->task->kind == LOCUM_TASK_STEP) fit_growth(c);
    fit_energy(c);
    return fit_features(c);
}

/* --- calibration samples ------------------------------------------------------------------------------------------ */
static void raise_to(double *most, double value)
{
    if (!(value <= *most)) *most = value < SCORE_MOST ? value : SCORE_MOST;
}

static double score_of(const calibration *c, const locum_field_frame *f)
{
    bool step = c->task->kind == LOCUM_TASK_STEP;
    double growth = c->t->growth[f->lead - 1], score = 0;
    for (int64_t i = 0; i < c->points * c->channels; i++) {
        double s = f->deviation ? (double)f->deviation[i] : 0, sigma = c->t->sigma[step ? i % c->channels : i];
        raise_to(&score, fabs((double)f->mean[i] - (double)f->truth[i]) / (growth * sqrt(sigma * sigma + s * s)));
    }
    return score;
}

static double spread_of(const calibration *c, const locum_field_frame *f)
{
    bool step = c->task->kind == LOCUM_TASK_STEP;
    double sum = 0;
    for (int64_t i = 0; f->deviation && i < c->points * c->channels; i++) {
        double s = (double)f->deviation[i] / c->t->sigma[step ? i % c->channels : i];
        sum += s * s;
    }
    return sqrt(sum / (double)(c->points * c->channels));
}

static locum_status take_fresh(void *self, const locum_field_frame *f)
{
    calibration *c = self;
    locum_trust_tables *t = c->t;
    double *features = c->features;
    if (f->lead > t->leads) return LOCUM_OK;
    for (int64_t j = 0; j < t->n_features; j++) features[j] = (double)f->features[j];
    raise_to(&t->scores[f->sample], score_of(c, f));
    raise_to(&t->distances[f->sample],
             locum_calibrate_distance(t->n_features, t->feature_mean, t->feature_map, features));
    raise_to(&t->spreads[f->sample], spread_of(c, f));
    raise_to(&t->energies[f->sample], fabs(log_energy(c, f) - t->energy_mean) * t->energy_rate);
    if (t->divergences) raise_to(&t->divergences[f->sample], divergence_of(c, f->mean));
    return LOCUM_OK;
}

static locum_status measure(calibration *c)
{
    locum_trust_tables *t = c->t;
    LOCUM_TRY(c->source->frames(c->source->self, true, take_fresh, c));
    locum_calibrate_sort(t->n, t->scores);
    locum_calibrate_sort(t->n, t->distances);
    locum_calibrate_sort(t->n, t->spreads);
    locum_calibrate_sort(t->n, t->energies);
    if (t->divergences) locum_calibrate_sort(t->n, t->divergences);
    return LOCUM_OK;
}

/* --- all of it ---------------------------------------------------------------------------------------------------- */
static locum_status allocate(calibration *c)
{
    const locum_field_source *s = c->source;
    locum_trust_tables *t = c->t;
    int64_t frames = s->n_fitted * s->leads, m = s->n_features;
    int64_t n_squares = c->task->kind == LOCUM_TASK_STEP ? s->leads * c->channels : c->points * c->channels;
    *t = (locum_trust_tables){.n_features = m, .n = s->n_calibration, .leads = s->leads};
    t->n_sigma = c->task->kind == LOCUM_TASK_STEP ? c->channels : c->points * c->channels;
    LOCUM_TRY(LOCUM_NEW(&c->squares, n_squares));
    LOCUM_TRY(LOCUM_NEW(&c->features, (frames + 1) * m));
    LOCUM_TRY(LOCUM_NEW(&c->energies, frames + 1));
    LOCUM_TRY(LOCUM_NEW(&t->sigma, t->n_sigma));
    LOCUM_TRY(LOCUM_NEW(&t->growth, s->leads));
    t->growth[0] = 1;
    LOCUM_TRY(LOCUM_NEW(&t->feature_mean, m));
    LOCUM_TRY(LOCUM_NEW(&t->feature_map, m * m));
    LOCUM_TRY(LOCUM_NEW(&t->scores, t->n + 1));
    LOCUM_TRY(LOCUM_NEW(&t->distances, t->n + 1));
    LOCUM_TRY(LOCUM_NEW(&t->spreads, t->n + 1));
    LOCUM_TRY(LOCUM_NEW(&t->energies, t->n + 1));
    return c->vector >= 0 ? LOCUM_NEW(&t->divergences, t->n + 1) : LOCUM_OK;
}

locum_status locum_calibrate_fields(const locum_task *task, const locum_field_source *source,
                                    locum_trust_tables *tables)
{
    calibration c = {
        .task = task, .source = source, .t = tables, .points = locum_task_points(task), .channels = task->out_channels};
    c.vector = locum_task_vector(task, &c.vector_first);
    locum_status st = allocate(&c);
    if (!st) st = fit(&c);
    if (!st) st = measure(&c);
    free(c.squares);
    free(c.features);
    free(c.energies);
    if (st) locum_trust_tables_free(tables);
    return st;
}
