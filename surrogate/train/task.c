/* SPDX-License-Identifier: BSD-3-Clause */
/* task.c - how values are seen by the network: transforms, and normalisers from the training split alone.
 *
 * Inputs are learnt as logarithms where all training values are positive and span more than a factor 4 (unless the
 * study says otherwise); outputs named in `positive` as log y, those in `shares` as log(y + floor * total). Each
 * transformed value is centred by its mean over the training split and divided by its standard deviation. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "surrogate/train/internal.h"

#define LOG_FACTOR 4.0 /* inputs that span more are learnt as logarithms */

locum_transform locum_train_input_transform(const locum_surrogate_config *config, double lower, double upper)
{
    bool wide = lower > 0 && upper > LOG_FACTOR * lower;
    bool logarithm = config->input_scale == LOCUM_SCALE_LOG || (config->input_scale == LOCUM_SCALE_AUTO && wide);
    return logarithm ? LOCUM_LOG : LOCUM_LINEAR;
}

static bool named(int n, const char (*names)[LOCUM_TEXT_SIZE], const char *name)
{
    for (int i = 0; i < n; i++)
        if (!strcmp(names[i], name)) return true;
    return false;
}

static int find_output(const locum_table *table, const char *name)
{
    for (int c = table->n_inputs; c < table->n_columns; c++)
        if (!strcmp(table->columns[c].name, name)) return c - table->n_inputs;
    return -1;
}

/* every name of a list must be an output */
static locum_status check_names(const char *key, int n, const char (*names)[LOCUM_TEXT_SIZE], const locum_table *table)
{
    for (int i = 0; i < n; i++) {
        if (find_output(table, names[i]) >= 0) continue;
        locum_text list = {0};
        for (int c = table->n_inputs; c < table->n_columns; c++)
            locum_text_add(&list, "%s%s", c > table->n_inputs ? ", " : "", table->columns[c].name);
        locum_status st = LOCUM_FAIL(LOCUM_STUDY, "surrogate.%s: `%s` is no output of this surrogate; there are %s",
                                     key, names[i], list.data ? list.data : "none");
        locum_text_free(&list);
        return st;
    }
    return LOCUM_OK;
}

static void range_of(const locum_table *table, int column, double *lower, double *upper)
{
    int64_t n = table->n[LOCUM_TRAIN] * table->columns[column].extent;
    const double *values = table->values[LOCUM_TRAIN][column];
    *lower = INFINITY;
    *upper = -INFINITY;
    for (int64_t i = 0; i < n; i++) {
        *lower = fmin(*lower, values[i]);
        *upper = fmax(*upper, values[i]);
    }
}

/* all splits that are normalised must lie in the domain of the logarithm */
static locum_status check_positive(const locum_table *table, int column, const char *key, bool zero_too)
{
    static const locum_split used[] = {LOCUM_TRAIN, LOCUM_VALIDATION, LOCUM_CALIBRATION};
    const locum_column *c = &table->columns[column];
    for (size_t s = 0; s < sizeof used / sizeof *used; s++)
        for (int64_t i = 0; i < table->n[used[s]] * c->extent; i++) {
            double value = table->values[used[s]][column][i];
            LOCUM_REQUIRE(
                value > 0 || (zero_too && value == 0), LOCUM_STUDY,
                "surrogate.%s: `%s` is %g in sample %lld; its logarithm cannot be learnt, take it out of the list", key,
                c->name, value, (long long)table->index[used[s]][i / c->extent]);
        }
    return LOCUM_OK;
}

/* --- normalisers -------------------------------------------------------------------------------------------------- */
static double seen(const locum_channel *channel, double value, double total)
{
    if (channel->transform == LOCUM_LINEAR) return value;
    return log(channel->transform == LOCUM_LOG ? value : value + channel->floor * total);
}

/* mean and standard deviation by two passes; 1 where a value does not vary */
static void normalise(const locum_table *table, int column, int total_column, locum_channel *channel)
{
    int64_t n = table->n[LOCUM_TRAIN], extent = channel->extent;
    const double *values = table->values[LOCUM_TRAIN][column];
    const double *totals = total_column >= 0 ? table->values[LOCUM_TRAIN][total_column] : NULL;
    for (int64_t j = 0; j < extent; j++) {
        double sum = 0, square = 0;
        for (int64_t r = 0; r < n; r++) sum += seen(channel, values[r * extent + j], totals ? totals[r] : 0);
        double mean = sum / (double)n;
        for (int64_t r = 0; r < n; r++) {
            double off = seen(channel, values[r * extent + j], totals ? totals[r] : 0) - mean;
            square += off * off;
        }
        double scale = sqrt(square / (double)n);
        channel->mean[j] = mean;
        channel->scale[j] = scale > 1e-12 * fabs(mean) && isnormal(scale) ? scale : 1;
    }
}

static locum_status describe(const locum_table *table, int column, locum_channel *channel)
{
    const locum_column *c = &table->columns[column];
    *channel = (locum_channel){.n_dims = c->n_dims, .extent = c->extent};
    snprintf(channel->name, sizeof channel->name, "%s", c->name);
    snprintf(channel->unit, sizeof channel->unit, "%s", c->unit);
    snprintf(channel->text, sizeof channel->text, "%s", c->text);
    for (int d = 0; d < c->n_dims; d++) {
        channel->dims[d] = c->dims[d];
        channel->axis[d] = c->axis[d];
        snprintf(channel->axis_name[d], sizeof channel->axis_name[d], "%s", c->axis_name[d]);
    }
    range_of(table, column, &channel->lower, &channel->upper);
    LOCUM_TRY(LOCUM_NEW(&channel->mean, c->extent));
    return LOCUM_NEW(&channel->scale, c->extent);
}

static locum_status make_input(const locum_surrogate_config *config, const locum_table *table, int column,
                               locum_channel *channel)
{
    LOCUM_TRY(describe(table, column, channel));
    if (config->input_scale == LOCUM_SCALE_LOG) LOCUM_TRY(check_positive(table, column, "input_scale", false));
    channel->transform = locum_train_input_transform(config, channel->lower, channel->upper);
    normalise(table, column, -1, channel);
    return LOCUM_OK;
}

static locum_status make_output(const locum_surrogate_config *config, const locum_table *table, int column,
                                locum_channel *channel)
{
    int total = -1;
    LOCUM_TRY(describe(table, column, channel));
    if (named(config->n_positive, config->positive, channel->name)) {
        LOCUM_TRY(check_positive(table, column, "positive", false));
        channel->transform = LOCUM_LOG;
    } else if (named(config->n_shares, config->shares, channel->name)) {
        total = find_output(table, config->total);
        LOCUM_TRY(check_positive(table, column, "shares", true));
        channel->transform = LOCUM_LOG_SHARE;
        channel->floor = config->floor;
        channel->total = total;
    }
    normalise(table, column, total >= 0 ? total + table->n_inputs : -1, channel);
    return LOCUM_OK;
}

static locum_status check_lists(const locum_surrogate_config *c, const locum_table *table)
{
    LOCUM_TRY(check_names("positive", c->n_positive, c->positive, table));
    LOCUM_TRY(check_names("shares", c->n_shares, c->shares, table));
    for (int i = 0; i < c->n_shares; i++)
        LOCUM_REQUIRE(!named(c->n_positive, c->positive, c->shares[i]), LOCUM_STUDY,
                      "surrogate: `%s` is in `positive` and in `shares`", c->shares[i]);
    if (!c->n_shares) return LOCUM_OK;
    LOCUM_TRY(check_names("total", 1, &c->total, table));
    LOCUM_REQUIRE(named(c->n_positive, c->positive, c->total), LOCUM_STUDY,
                  "surrogate.total: `%s` must be one of surrogate.positive", c->total);
    LOCUM_REQUIRE(table->columns[table->n_inputs + find_output(table, c->total)].extent == 1, LOCUM_STUDY,
                  "surrogate.total: `%s` is not a single value", c->total);
    return LOCUM_OK;
}

locum_status locum_surrogate_task(const locum_surrogate *surrogate, const locum_table *table, locum_task **task)
{
    const locum_surrogate_config *config = surrogate->config;
    locum_task *t = NULL;
    *task = NULL;
    LOCUM_REQUIRE(table->n[LOCUM_TRAIN] > 0, LOCUM_STUDY, "the dataset has no good sample in the split `train`");
    LOCUM_REQUIRE(table->n_inputs > 0, LOCUM_STUDY, "the dataset varies no parameter: there is nothing to learn");
    LOCUM_TRY(check_lists(config, table));
    LOCUM_TRY(LOCUM_NEW(&t, 1));
    t->members = surrogate->train->ensemble;
    t->history = 1;
    locum_status st = LOCUM_NEW(&t->inputs, table->n_inputs);
    if (!st) st = LOCUM_NEW(&t->outputs, table->n_columns - table->n_inputs);
    for (int c = 0; c < table->n_columns && !st; c++) {
        bool input = c < table->n_inputs;
        locum_channel *channel = input ? &t->inputs[t->n_inputs++] : &t->outputs[t->n_outputs++];
        st = (input ? make_input : make_output)(config, table, c, channel);
        *(input ? &t->n_x : &t->n_z) += channel->extent;
    }
    if (st)
        locum_task_destroy(t);
    else
        *task = t;
    return st;
}
