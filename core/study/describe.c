/* SPDX-License-Identifier: BSD-3-Clause */
/* describe.c - an option table for people (`locum describe`), as JSON, and as an annotated study (`locum new`).
 *
 *     viscosity   number    0.001   > 0       m2/s   kinematic viscosity; may vary in a campaign */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/study/settings.h"
#include "core/study/settings_table.h"

#define DEEPEST 6

static bool has_unit(const locum_option *o)
{
    return o->unit && o->unit[0] && strcmp(o->unit, "1") != 0;
}

static bool is_shown(const locum_option *o)
{
    return !(o->flags & LOCUM_HIDDEN);
}

/* a choice called `name` has its options beside it, see settings_table.h */
static bool is_beside(const locum_option *o)
{
    return o->type == LOCUM_CHOICE && !strcmp(o->name, "name");
}

static const char *type_name(const locum_option *o)
{
    switch (o->type) {
    case LOCUM_BOOL: return "true/false";
    case LOCUM_I32:
    case LOCUM_I64: return "integer";
    case LOCUM_F64: return "number";
    case LOCUM_STRING: return "text";
    case LOCUM_PATH: return "path";
    case LOCUM_CHOICE: return "choice";
    case LOCUM_GROUP: return "group";
    case LOCUM_PAIRS: return "mapping";
    case LOCUM_END: break;
    }
    return "";
}

/* ---- defaults ---- */

static void write_scalar_default(const locum_option *o, bool json, locum_text *out)
{
    const char *text = o->type == LOCUM_CHOICE ? o->choices[(int)o->value].name : o->string ? o->string : "";
    if (o->type == LOCUM_BOOL)
        locum_text_add(out, "%s", o->value != 0 ? "true" : "false");
    else if (locum_option_is_number(o))
        (json ? locum_text_json_number : locum_text_number)(out, o->value);
    else if (json)
        locum_text_json_string(out, text);
    else
        locum_yaml_write_scalar(text, false, out);
}

static void write_default(const locum_option *o, bool json, locum_text *out)
{
    if (!o->n_max) {
        write_scalar_default(o, json, out);
        return;
    }
    if (o->type == LOCUM_PAIRS) {
        locum_text_add(out, "{}");
        return;
    }
    locum_text_add(out, "[");
    for (int i = 0; i < o->n_default; i++) {
        if (i) locum_text_add(out, ", ");
        write_scalar_default(o, json, out);
    }
    locum_text_add(out, "]");
}

static bool has_default(const locum_option *o)
{
    return !(o->flags & LOCUM_REQUIRED) && !isnan(o->value);
}

/* ---- the table for people ---- */

enum { NAME, TYPE, DEFAULT, RANGE, UNIT, N_COLUMNS };
#define CELL 48 /* bytes of one cell */

static void fill_cells(const locum_option *o, char cells[N_COLUMNS][CELL])
{
    locum_text value = {0};
    snprintf(cells[NAME], CELL, "%s", o->name);
    if (o->type == LOCUM_PAIRS)
        snprintf(cells[TYPE], CELL, "mapping");
    else if (o->n_max)
        snprintf(cells[TYPE], CELL, "1-%d x %s", o->n_max, type_name(o));
    else
        snprintf(cells[TYPE], CELL, "%s", type_name(o));
    if (o->flags & LOCUM_REQUIRED)
        snprintf(cells[DEFAULT], CELL, "required");
    else if (!has_default(o) || o->type == LOCUM_GROUP)
        snprintf(cells[DEFAULT], CELL, "-");
    else {
        write_default(o, false, &value);
        snprintf(cells[DEFAULT], CELL, "%s", value.data ? value.data : "");
        locum_text_free(&value);
    }
    locum_option_range_text(o, cells[RANGE], CELL);
    snprintf(cells[UNIT], CELL, "%s", has_unit(o) ? o->unit : "");
}

static void describe_table(const locum_option *options, bool in_campaign, int indent, int depth, locum_text *out);

static void describe_choices(const locum_option *o, bool in_campaign, int indent, int depth, locum_text *out)
{
    int width = 0;
    for (int c = 0; c < locum_option_n_choices(o); c++) {
        int n = (int)strlen(o->choices[c].name);
        if (n > width) width = n;
    }
    for (int c = 0; c < locum_option_n_choices(o); c++) {
        const locum_choice *choice = &o->choices[c];
        locum_text_add(out, "%*s= %-*s   %s\n", indent, "", width, choice->name, choice->text ? choice->text : "");
        describe_table(choice->options, in_campaign, indent + 6, depth + 1, out);
    }
}

static void describe_table(const locum_option *options, bool in_campaign, int indent, int depth, locum_text *out)
{
    int width[N_COLUMNS] = {0};
    char cells[N_COLUMNS][CELL];
    if (!options || depth > DEEPEST) return;
    for (const locum_option *o = options; o->type != LOCUM_END; o++) {
        if (!is_shown(o)) continue;
        fill_cells(o, cells);
        for (int c = 0; c < N_COLUMNS; c++) {
            int n = (int)strlen(cells[c]);
            if (n > width[c]) width[c] = n;
        }
    }
    for (const locum_option *o = options; o->type != LOCUM_END; o++) {
        if (!is_shown(o)) continue;
        fill_cells(o, cells);
        locum_text_add(out, "%*s", indent, "");
        for (int c = 0; c < N_COLUMNS; c++) {
            if (width[c]) locum_text_add(out, "%-*s   ", width[c], cells[c]);
        }
        bool varies = in_campaign && (o->flags & LOCUM_PARAMETER);
        locum_text_add(out, "%s%s\n", o->text ? o->text : "", varies ? "; may vary in a campaign" : "");
        if (o->type == LOCUM_GROUP) describe_table(o->choices[0].options, in_campaign, indent + 4, depth + 1, out);
        if (o->type == LOCUM_CHOICE) describe_choices(o, in_campaign, indent + 4, depth, out);
    }
}

void locum_options_describe(const locum_option *options, bool in_campaign, int indent, locum_text *out)
{
    describe_table(options, in_campaign, indent, 0, out);
}

/* ---- JSON ---- */

static void json_table(const locum_option *options, bool in_campaign, int depth, locum_text *out);

static void json_member(const char *key, const char *text, locum_text *out)
{
    locum_text_add(out, ", \"%s\": ", key);
    locum_text_json_string(out, text ? text : "");
}

static void json_choices(const locum_option *o, bool in_campaign, int depth, locum_text *out)
{
    locum_text_add(out, ", \"choices\": [");
    for (int c = 0; c < locum_option_n_choices(o); c++) {
        locum_text_add(out, "%s{\"name\": ", c ? ", " : "");
        locum_text_json_string(out, o->choices[c].name);
        json_member("text", o->choices[c].text, out);
        if (o->choices[c].options) {
            locum_text_add(out, ", \"options\": ");
            json_table(o->choices[c].options, in_campaign, depth + 1, out);
        }
        locum_text_add(out, "}");
    }
    locum_text_add(out, "]");
}

static void json_option(const locum_option *o, bool in_campaign, int depth, locum_text *out)
{
    locum_text_add(out, "{\"name\": ");
    locum_text_json_string(out, o->name);
    json_member("type", type_name(o), out);
    if (o->type == LOCUM_GROUP) {
        locum_text_add(out, ", \"options\": ");
        json_table(o->choices[0].options, in_campaign, depth + 1, out);
    } else if (has_default(o)) {
        locum_text_add(out, ", \"default\": ");
        write_default(o, true, out);
    }
    if (locum_option_is_number(o) && (o->min != 0 || o->max != 0)) {
        locum_text_add(out, ", \"min\": ");
        locum_text_json_number(out, o->min);
        locum_text_add(out, ", \"max\": ");
        locum_text_json_number(out, o->max);
        if (o->flags & LOCUM_OPEN_MIN) locum_text_add(out, ", \"open_min\": true");
        if (o->flags & LOCUM_OPEN_MAX) locum_text_add(out, ", \"open_max\": true");
    }
    if (o->unit) json_member("unit", o->unit, out);
    json_member("text", o->text, out);
    if (o->n_max) locum_text_add(out, ", \"most_values\": %d", o->n_max);
    if (o->flags & LOCUM_REQUIRED) locum_text_add(out, ", \"required\": true");
    if (in_campaign && (o->flags & LOCUM_PARAMETER)) locum_text_add(out, ", \"parameter\": true");
    if (o->type == LOCUM_CHOICE) json_choices(o, in_campaign, depth, out);
    locum_text_add(out, "}");
}

static void json_table(const locum_option *options, bool in_campaign, int depth, locum_text *out)
{
    bool first = true;
    locum_text_add(out, "[");
    for (const locum_option *o = options; o && o->type != LOCUM_END && depth <= DEEPEST; o++) {
        if (!is_shown(o)) continue;
        if (!first) locum_text_add(out, ",\n ");
        json_option(o, in_campaign, depth, out);
        first = false;
    }
    locum_text_add(out, "]");
}

void locum_options_describe_json(const locum_option *options, bool in_campaign, locum_text *out)
{
    json_table(options, in_campaign, 0, out);
}

/* ---- the template ---- */

#define COMMENT_COLUMN 32

/* pads, then "# text (unit, range)" */
static void template_comment(const locum_option *o, size_t line_start, const char *lead, locum_text *out)
{
    char range[96];
    int used = (int)(out->size - line_start);
    bool unit = has_unit(o);
    locum_option_range_text(o, range, sizeof range);
    locum_text_add(out, "%*s# %s%s", used < COMMENT_COLUMN ? COMMENT_COLUMN - used : 2, "", lead,
                   o->text ? o->text : o->name);
    if (unit || range[0]) locum_text_add(out, " (%s%s%s)", unit ? o->unit : "", unit && range[0] ? ", " : "", range);
    locum_text_add(out, "\n");
}

/* "wavenumber: 4, amplitude: 1" */
static void flow_defaults(const locum_option *options, bool first, locum_text *out)
{
    for (const locum_option *o = options; o && o->type != LOCUM_END; o++) {
        if (!is_shown(o) || o->type == LOCUM_GROUP || (!has_default(o) && !(o->flags & LOCUM_REQUIRED))) continue;
        locum_text_add(out, "%s%s: ", first ? "" : ", ", o->name);
        first = false;
        if (has_default(o))
            write_default(o, false, out);
        else
            locum_text_add(out, "?");
    }
}

static void template_others(const locum_option *o, int indent, locum_text *out)
{
    for (int c = 0; c < locum_option_n_choices(o); c++) {
        const locum_choice *choice = &o->choices[c];
        if (c == (int)o->value && !(o->flags & LOCUM_REQUIRED)) continue;
        size_t start = out->size;
        bool beside = is_beside(o), options = choice->options && choice->options[0].type != LOCUM_END;
        if (beside || !options)
            locum_text_add(out, "%*s# %s: %s", indent, "", o->name, choice->name);
        else
            locum_text_add(out, "%*s# %s: {name: %s", indent, "", o->name, choice->name);
        if (options) {
            locum_text_add(out, beside ? ", with " : ", ");
            flow_defaults(choice->options, true, out);
            if (!beside) locum_text_add(out, "}");
        }
        int used = (int)(out->size - start);
        locum_text_add(out, "%*s# %s\n", used < COMMENT_COLUMN ? COMMENT_COLUMN - used : 2, "",
                       choice->text ? choice->text : "");
    }
}

static void template_table(const locum_option *options, int indent, int depth, locum_text *out);

static void template_choice(const locum_option *o, int indent, int depth, locum_text *out)
{
    size_t start = out->size;
    const locum_choice *choice = &o->choices[(int)o->value];
    bool beside = is_beside(o), required = o->flags & LOCUM_REQUIRED;
    bool nested = !beside && !required && choice->options && choice->options[0].type != LOCUM_END;
    if (nested || required)
        locum_text_add(out, "%*s%s:", indent, "", o->name);
    else
        locum_text_add(out, "%*s%s: %s", indent, "", o->name, choice->name);
    template_comment(o, start, required ? "REQUIRED: " : "", out);
    if (nested) locum_text_add(out, "%*sname: %s\n", indent + 2, "", choice->name);
    if (!required) template_table(choice->options, beside ? indent : indent + 2, depth + 1, out);
    template_others(o, indent, out);
}

/* a group; one that may be absent stands there as a comment */
static void template_group(const locum_option *o, int indent, int depth, locum_text *out)
{
    bool told = o->flags & LOCUM_TOLD;
    locum_text inner = {0};
    size_t start = out->size;
    locum_text_add(out, "%*s%s%s:", indent, "", told ? "# " : "", o->name);
    template_comment(o, start, told ? "optional: " : "", out);
    template_table(o->choices[0].options, indent + 2, depth + 1, &inner);
    for (const char *line = inner.data; line && *line;) {
        size_t n = strcspn(line, "\n");
        size_t skip = told && n > (size_t)indent ? (size_t)indent : 0;
        locum_text_add(out, "%*s%s", (int)skip, "", told ? "# " : "");
        locum_text_bytes(out, line + skip, n - skip);
        locum_text_add(out, "\n");
        line += n + (line[n] == '\n');
    }
    if (inner.status && !out->status) out->status = inner.status;
    locum_text_free(&inner);
}

static void template_value(const locum_option *o, int indent, locum_text *out)
{
    size_t start = out->size;
    bool required = o->flags & LOCUM_REQUIRED, unset = !has_default(o) && !required;
    bool example = required && locum_option_is_number(o) && isfinite(o->value) && o->value != 0;
    locum_text_add(out, "%*s%s%s:", indent, "", unset ? "# " : "", o->name);
    if (has_default(o) || example) {
        locum_text_add(out, " ");
        write_default(o, false, out);
    }
    template_comment(o, start, required ? "REQUIRED: " : unset ? "not set: " : "", out);
}

static void template_table(const locum_option *options, int indent, int depth, locum_text *out)
{
    for (const locum_option *o = options; o && o->type != LOCUM_END && depth <= DEEPEST; o++) {
        if (!is_shown(o)) continue;
        if (o->type == LOCUM_CHOICE && !o->n_max)
            template_choice(o, indent, depth, out);
        else if (o->type == LOCUM_GROUP)
            template_group(o, indent, depth, out);
        else
            template_value(o, indent, out);
    }
}

void locum_options_template(const locum_option *options, int indent, locum_text *out)
{
    template_table(options, indent, 0, out);
}
