/* SPDX-License-Identifier: BSD-3-Clause */
/* optimise.c - AdamW with warm-up, cosine and clipping (I. Loshchilov, F. Hutter, ICLR 2019), and the metric that
 * stops it.
 *
 *     rate(t) = r (t + 1) / w                                     t < w = warm-up
 *             = r_end + (r - r_end) (1 + cos(pi (t - w) / (T - w))) / 2       else
 *
 * The norm that is clipped is that of one member's gradient (root mean square over members), so that a recipe means
 * the same for any size of the ensemble. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/parallel/comm.h"
#include "surrogate/train/internal.h"

#define BETA1 0.9
#define BETA2 0.999
#define EPSILON 1e-8

double locum_train_rate(const train_recipe *recipe, int64_t step)
{
    const double pi = 3.14159265358979323846;
    if (step < recipe->warm_up) return recipe->learning_rate * (double)(step + 1) / (double)recipe->warm_up;
    double span = (double)(recipe->steps - recipe->warm_up),
           done = span > 0 ? (double)(step - recipe->warm_up) / span : 1;
    return recipe->final_learning_rate +
           (recipe->learning_rate - recipe->final_learning_rate) * (1 + cos(pi * fmin(done, 1))) / 2;
}

void locum_train_optimise(const train_recipe *recipe, const locum_kernels *kernels, const float *gradient, int64_t rows,
                          train_state *state)
{
    double scale = 1 / (double)rows, t = (double)(state->step + 1);
    double norm = sqrt(kernels->sum_squares(state->n, gradient) / recipe->members) * scale;
    if (recipe->clip > 0 && norm > recipe->clip) scale *= recipe->clip / norm;
    kernels->adamw(&(locum_adamw_call){.n = state->n,
                                       .parameter = state->parameters,
                                       .moment1 = state->moment1,
                                       .moment2 = state->moment2,
                                       .gradient = gradient,
                                       .gradient_scale = (float)scale,
                                       .learning_rate = (float)locum_train_rate(recipe, state->step),
                                       .beta1 = (float)BETA1,
                                       .beta2 = (float)BETA2,
                                       .epsilon = (float)EPSILON,
                                       .weight_decay = (float)recipe->weight_decay,
                                       .correction1 = (float)(1 / (1 - pow(BETA1, t))),
                                       .correction2 = (float)(1 / (1 - pow(BETA2, t)))});
    state->step++;
}

double locum_relative_error(int64_t n, const double *prediction, const double *truth)
{
    double off = 0, whole = 0;
    for (int64_t i = 0; i < n; i++) {
        off += (prediction[i] - truth[i]) * (prediction[i] - truth[i]);
        whole += truth[i] * truth[i];
    }
    return off == 0 ? 0 : sqrt(off) / sqrt(whole);
}

static locum_status values_error(const train_network *network, const float *parameters, const train_data *data,
                                 locum_split split, double *error)
{
    const locum_task *task = network->task;
    int64_t n = data->n[split];
    double *z = NULL, *y = NULL, sum = 0;
    locum_status st = LOCUM_NEW(&z, n * task->n_z);
    if (!st) st = LOCUM_NEW(&y, task->n_z);
    if (!st) locum_train_network_forward(network, parameters, n, data->x[split], z, NULL, NULL);
    for (int64_t r = 0; r < n && !st; r++) {
        const double *truth = data->truth[split] + r * task->n_z, *value = y;
        locum_task_physical_outputs(task, z + r * task->n_z, y);
        for (int i = 0; i < task->n_outputs; i++) {
            int64_t extent = task->outputs[i].extent;
            sum += locum_relative_error(extent, value, truth) / task->n_outputs;
            value += extent;
            truth += extent;
        }
    }
    *error = n ? sum / (double)n : 0;
    free(z);
    free(y);
    return st;
}

/* --- of fields ---------------------------------------------------------------------------------------------------- */
/* a roll-out that has blown up is very wrong, not without a figure */
#define ERROR_MOST 1e3
#define JUDGED_MOST 256 /* samples */

typedef struct roll_error {
    const locum_task *task;
    int64_t points;
    double *off, *whole; /* [samples, outputs] sums of squares over the joined roll-out */
} roll_error;

static locum_status add_frame(void *self, const locum_field_frame *f)
{
    roll_error *e = self;
    const locum_task *task = e->task;
    for (int i = 0, at = 0; i < task->n_outputs; at += task->outputs[i++].components) {
        const locum_channel *c = &task->outputs[i];
        double off = 0, whole = 0;
        for (int64_t p = 0; p < e->points; p++)
            for (int k = 0; k < c->components; k++) {
                int64_t j = p * task->out_channels + at + k;
                double truth = (double)f->truth[j] * c->scale[k] + c->mean[k],
                       d = ((double)f->mean[j] - (double)f->truth[j]) * c->scale[k];
                off += d * d;
                whole += truth * truth;
            }
        e->off[f->sample * task->n_outputs + i] += off;
        e->whole[f->sample * task->n_outputs + i] += whole;
    }
    return LOCUM_OK;
}

/* each rank rolls its samples out; sums where all other ranks add nothing have the same bits for any number of them */
static locum_status share_out(const train_network *network, const float *parameters, const train_data *data,
                              locum_split split, int64_t leads, MPI_Comm comm, int64_t n, roll_error *e)
{
    int rank, size;
    MPI_Comm_rank(comm, &rank);
    MPI_Comm_size(comm, &size);
    int64_t mine = n > rank ? (n - rank + size - 1) / size : 0, count = n * e->task->n_outputs;
    locum_status st = locum_train_roll(&(train_roll_call){.network = network,
                                                          .parameters = parameters,
                                                          .data = data,
                                                          .split = split,
                                                          .first = rank,
                                                          .n = mine,
                                                          .stride = size,
                                                          .leads = leads,
                                                          .self = e,
                                                          .take = add_frame});
    LOCUM_TRY(locum_comm_agree(comm, st));
    MPI_Allreduce(MPI_IN_PLACE, e->off, (int)count, MPI_DOUBLE, MPI_SUM, comm);
    MPI_Allreduce(MPI_IN_PLACE, e->whole, (int)count, MPI_DOUBLE, MPI_SUM, comm);
    return LOCUM_OK;
}

static locum_status fields_error(const train_network *network, const float *parameters, const train_data *data,
                                 locum_split split, int64_t leads, MPI_Comm comm, double *error)
{
    roll_error e = {.task = network->task, .points = data->examples->points};
    int64_t n = data->examples->n_samples[split] < JUDGED_MOST ? data->examples->n_samples[split] : JUDGED_MOST,
            count = n * e.task->n_outputs;
    double sum = 0;
    locum_status st = LOCUM_NEW(&e.off, count + 1);
    if (!st) st = LOCUM_NEW(&e.whole, count + 1);
    st = locum_comm_agree(comm, st);
    if (!st) st = share_out(network, parameters, data, split, leads, comm, n, &e);
    for (int64_t i = 0; i < count && !st; i++) {
        double one = e.off[i] == 0 ? 0 : sqrt(e.off[i]) / sqrt(e.whole[i]);
        sum += one < ERROR_MOST ? one : ERROR_MOST;
    }
    *error = count ? sum / (double)count : 0;
    free(e.off);
    free(e.whole);
    return st;
}

locum_status locum_train_error(const train_network *network, const float *parameters, const train_data *data,
                               locum_split split, int64_t leads, MPI_Comm comm, double *error)
{
    if (network->task->n_axes) return fields_error(network, parameters, data, split, leads, comm, error);
    return locum_comm_agree(comm, values_error(network, parameters, data, split, error));
}

locum_status locum_train_state_create(int64_t n, train_state *state)
{
    *state = (train_state){.n = n, .best_error = -1};
    locum_status st = LOCUM_NEW(&state->parameters, n);
    if (!st) st = LOCUM_NEW(&state->moment1, n);
    if (!st) st = LOCUM_NEW(&state->moment2, n);
    if (!st) st = LOCUM_NEW(&state->best, n);
    return st;
}

void locum_train_state_free(train_state *state)
{
    free(state->parameters);
    free(state->moment1);
    free(state->moment2);
    free(state->best);
    *state = (train_state){0};
}
