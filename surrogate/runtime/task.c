/* SPDX-License-Identifier: BSD-3-Clause */
/* task.c - what a model says about time: a map has none, a step goes from its last `history` frames to the next one.
 *
 *     metadata    task "map" | "step"      of a step also: interval, history, leads (decimal numbers)
 *     tensor      trust/growth [leads]     how the residual scale grows with the lead */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "surrogate/runtime/model.h"

static locum_status read_count(const locum_model *model, const char *key, int64_t most, int64_t *count)
{
    const char *text = locum_model_metadata(model, key);
    char *end = NULL;
    *count = 1;
    if (!text) return LOCUM_OK;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    LOCUM_REQUIRE(*text >= '0' && *text <= '9' && !*end && !errno && value >= 1 && value <= most, LOCUM_DAMAGED,
                  "model file: `%s` is \"%.40s\", a whole number from 1 to %" PRId64 " is expected", key, text, most);
    *count = value;
    return LOCUM_OK;
}

static locum_status read_interval(const locum_model *model, double *interval)
{
    const char *text = locum_model_metadata(model, "interval");
    char *end = NULL;
    *interval = text && *text ? locum_parse_number(text, &end) : NAN;
    LOCUM_REQUIRE(isfinite(*interval) && *interval > 0 && !*end, LOCUM_DAMAGED,
                  "model file: a step needs the time between its frames; `interval` is \"%.40s\"", text ? text : "");
    return LOCUM_OK;
}

static locum_status read_growth(locum_model *model)
{
    const locum_tensor *tensor = locum_model_tensor(model, "trust/growth");
    model->growth = NULL;
    if (!tensor) return LOCUM_OK;
    LOCUM_REQUIRE(tensor->number == LOCUM_REAL64 && tensor->n_dims == 1 && tensor->dims[0] == model->leads,
                  LOCUM_DAMAGED, "model file: `trust/growth` is not a list of %" PRId64 " float64", model->leads);
    model->growth = tensor->data;
    for (int64_t i = 0; i < model->leads; i++)
        LOCUM_REQUIRE(isfinite(model->growth[i]) && model->growth[i] > 0, LOCUM_DAMAGED,
                      "model file: `trust/growth` is not positive at lead %" PRId64, i + 1);
    return LOCUM_OK;
}

/* the input of that name must hold `history` frames like the output */
static locum_status find_fed(locum_model *model, int output)
{
    const locum_port *to = &model->outputs[output];
    int past = model->history > 1;
    model->feeds[output] = -1;
    for (int i = 0; i < model->n_inputs; i++)
        if (!strcmp(model->inputs[i].name, to->name)) model->feeds[output] = i;
    LOCUM_REQUIRE(model->feeds[output] >= 0, LOCUM_DAMAGED,
                  "model file: output `%.80s` of a step is none of its inputs", to->name);
    const locum_port *from = &model->inputs[model->feeds[output]];
    bool same = from->n_dims == to->n_dims + past && (!past || from->dims[0] == model->history);
    for (int d = 0; d < to->n_dims && same; d++) same = from->dims[d + past] == to->dims[d];
    LOCUM_REQUIRE(same, LOCUM_DAMAGED,
                  "model file: input `%.80s` of a step does not hold %" PRId64 " frames like its output", to->name,
                  model->history);
    return LOCUM_OK;
}

locum_status locum_model_read_task(locum_model *model)
{
    const char *task = locum_model_metadata(model, "task");
    model->is_step = task && !strcmp(task, "step");
    model->interval = 0;
    model->history = model->leads = 1;
    model->growth = NULL;
    if (!model->is_step) return LOCUM_OK;
    LOCUM_TRY(read_interval(model, &model->interval));
    LOCUM_TRY(read_count(model, "history", LOCUM_HISTORY_MAX, &model->history));
    LOCUM_TRY(read_count(model, "leads", LOCUM_LEADS_MAX, &model->leads));
    LOCUM_TRY(read_growth(model));
    for (int i = 0; i < model->n_outputs; i++) LOCUM_TRY(find_fed(model, i));
    return LOCUM_OK;
}

bool locum_port_is_field(const locum_port *port)
{
    return port->n_dims > 0;
}

double locum_model_interval(const locum_model *model)
{
    return model ? model->interval : 0;
}

int64_t locum_model_history(const locum_model *model)
{
    return model ? model->history : 1;
}

int64_t locum_model_leads(const locum_model *model)
{
    return model ? model->leads : 1;
}
