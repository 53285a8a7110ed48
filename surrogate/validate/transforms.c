/* SPDX-License-Identifier: BSD-3-Clause */
/* transforms.c - how the network sees its inputs and outputs, so that trivial predictors see the same and are
 * as strong as they can be.
 *
 *     linear x      log: log x      log_share: log(x + floor * total), total = another output
 * Read from the model's metadata, never recomputed: the normalisers of a model come from its training split. */
#include "surrogate/validate/validate_parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/json.h"

static const char *const view_names[] = {"linear", "log", "log_share"};

const char *locum_view_name(locum_view view)
{
    return view_names[view];
}

static locum_status find_view(const char *name, locum_view *view)
{
    for (int i = 0; name && i < 3; i++)
        if (!strcmp(name, view_names[i])) {
            *view = (locum_view)i;
            return LOCUM_OK;
        }
    return LOCUM_FAIL(LOCUM_DAMAGED, "the model's transforms: '%s' is none of linear, log, log_share",
                      name ? name : "(missing)");
}

static int find_output(const locum_model *model, const char *name)
{
    for (int i = 0; name && i < locum_model_n_outputs(model); i++)
        if (!strcmp(name, locum_model_output(model, i)->name)) return i;
    return -1;
}

/* the item of that name in a list of objects */
static locum_json_node item_of(const locum_json *json, locum_json_node list, const char *name)
{
    for (locum_json_node item = locum_json_first(json, list); item >= 0; item = locum_json_next(json, item)) {
        const char *its = locum_json_string(json, locum_json_find(json, item, "name"));
        if (its && !strcmp(its, name)) return item;
    }
    return -1;
}

static locum_status read_views(const locum_model *model, const locum_json *json, locum_transforms *transforms)
{
    locum_json_node inputs = locum_json_find(json, 0, "inputs"), outputs = locum_json_find(json, 0, "outputs");

    for (int i = 0; i < transforms->n_inputs; i++) {
        locum_json_node item = item_of(json, inputs, locum_model_input(model, i)->name);
        if (item < 0) continue;
        LOCUM_TRY(
            find_view(locum_json_string(json, locum_json_find(json, item, "transform")), &transforms->inputs[i].view));
        LOCUM_REQUIRE(transforms->inputs[i].view != LOCUM_VIEW_LOG_SHARE, LOCUM_DAMAGED,
                      "the model's transforms: an input is a share");
    }
    for (int i = 0; i < transforms->n_outputs; i++) {
        locum_json_node item = item_of(json, outputs, locum_model_output(model, i)->name);
        locum_value_view *view = &transforms->outputs[i];
        int64_t number;
        if (item < 0) continue;
        LOCUM_TRY(find_view(locum_json_string(json, locum_json_find(json, item, "transform")), &view->view));
        if (view->view != LOCUM_VIEW_LOG_SHARE) continue;
        locum_json_node total = locum_json_find(json, item, "total");
        view->total =
            locum_json_integer(json, total, &number) ? (int)number : find_output(model, locum_json_string(json, total));
        bool sound = view->total >= 0 && view->total < transforms->n_outputs &&
                     locum_model_output(model, view->total)->extent == 1 &&
                     locum_json_number(json, locum_json_find(json, item, "floor"), &view->floor) && view->floor > 0;
        LOCUM_REQUIRE(sound, LOCUM_DAMAGED, "the model's transforms: output '%s' needs a floor and a total",
                      locum_model_output(model, i)->name);
    }
    return LOCUM_OK;
}

locum_status locum_transforms_read(const locum_model *model, locum_transforms *transforms)
{
    const char *text = locum_model_metadata(model, "transforms");
    locum_json *json = NULL;

    *transforms =
        (locum_transforms){.n_inputs = locum_model_n_inputs(model), .n_outputs = locum_model_n_outputs(model)};
    locum_status st = LOCUM_NEW(&transforms->inputs, transforms->n_inputs);
    if (!st) st = LOCUM_NEW(&transforms->outputs, transforms->n_outputs);
    if (!st && text) st = locum_json_parse(text, strlen(text), 10000, &json);
    if (!st && text) st = read_views(model, json, transforms);
    locum_json_destroy(json);
    if (st) locum_transforms_free(transforms);
    return st;
}

void locum_transforms_free(locum_transforms *transforms)
{
    free(transforms->inputs);
    free(transforms->outputs);
    *transforms = (locum_transforms){0};
}

void locum_transform_inputs(const locum_transforms *transforms, const double *x, double *seen)
{
    for (int i = 0; i < transforms->n_inputs; i++)
        seen[i] = transforms->inputs[i].view == LOCUM_VIEW_LOG ? log(x[i]) : x[i];
}

void locum_transform_outputs(const locum_transforms *transforms, const int64_t *first, const double *y, double *seen)
{
    for (int i = 0; i < transforms->n_outputs; i++) {
        const locum_value_view *v = &transforms->outputs[i];
        double add = v->view == LOCUM_VIEW_LOG_SHARE ? v->floor * y[first[v->total]] : 0;
        for (int64_t j = first[i]; j < first[i + 1]; j++)
            seen[j] = v->view == LOCUM_VIEW_LINEAR ? y[j] : log(y[j] + add);
    }
}

/* a total is never a share itself, so it can be computed where it is needed */
static double total_of(const locum_transforms *transforms, const int64_t *first, const double *seen, int total)
{
    double value = seen[first[total]];

    return transforms->outputs[total].view == LOCUM_VIEW_LINEAR ? value : exp(value);
}

void locum_transform_back(const locum_transforms *transforms, const int64_t *first, const double *seen, double *y)
{
    for (int i = 0; i < transforms->n_outputs; i++) {
        const locum_value_view *v = &transforms->outputs[i];
        bool share = v->view == LOCUM_VIEW_LOG_SHARE;
        double take = share ? v->floor * total_of(transforms, first, seen, v->total) : 0;
        for (int64_t j = first[i]; j < first[i + 1]; j++) {
            double value = v->view == LOCUM_VIEW_LINEAR ? seen[j] : exp(seen[j]) - take;
            y[j] = share ? fmax(value, 0) : value;
        }
    }
}
