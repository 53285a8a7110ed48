/* SPDX-License-Identifier: BSD-3-Clause */
/* ports_json.c - ports as the model file lists them; the list of models. */
#include <string.h>

#include "surrogate/models/model_type.h"

static void write_axis(const locum_channel *c, int d, locum_text *out)
{
    locum_text_add(out, d ? "," : "");
    if (!c->axis[d]) { /* a component, a frame of the history */
        locum_text_add(out, "null");
        return;
    }
    locum_text_add(out, "[");
    for (int64_t i = 0; i < c->dims[d]; i++) {
        if (i) locum_text_add(out, ",");
        locum_text_json_number(out, c->axis[d][i]);
    }
    locum_text_add(out, "]");
}

void locum_task_write_ports(int n, const locum_channel *channels, locum_text *out)
{
    locum_text_add(out, "[");
    for (int i = 0; i < n; i++) {
        const locum_channel *c = &channels[i];
        bool has_axes = false;
        locum_text_add(out, "%s{\"name\":", i ? "," : "");
        locum_text_json_string(out, c->name);
        locum_text_add(out, ",\"text\":");
        locum_text_json_string(out, c->text);
        locum_text_add(out, ",\"unit\":");
        locum_text_json_string(out, c->unit);
        locum_text_add(out, ",\"dims\":[");
        for (int d = 0; d < c->n_dims; d++) {
            locum_text_add(out, "%s%lld", d ? "," : "", (long long)c->dims[d]);
            has_axes = has_axes || c->axis[d];
        }
        locum_text_add(out, "],\"axis_name\":[");
        for (int d = 0; d < c->n_dims; d++) {
            if (d) locum_text_add(out, ",");
            locum_text_json_string(out, c->axis_name[d]);
        }
        locum_text_add(out, "]");
        if (has_axes) {
            locum_text_add(out, ",\"axis\":[");
            for (int d = 0; d < c->n_dims; d++) write_axis(c, d, out);
            locum_text_add(out, "]");
        }
        locum_text_add(out, ",\"lower\":");
        locum_text_json_number(out, c->lower);
        locum_text_add(out, ",\"upper\":");
        locum_text_json_number(out, c->upper);
        locum_text_add(out, "}");
    }
    locum_text_add(out, "]");
}

const locum_model_type *locum_model_type_find(const char *name)
{
#define LOCUM_MODEL_ENTRY(model) &locum_model_##model,
    static const locum_model_type *const types[] = {LOCUM_MODELS(LOCUM_MODEL_ENTRY)};
#undef LOCUM_MODEL_ENTRY
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (!strcmp(types[i]->name, name)) return types[i];
    return NULL;
}
