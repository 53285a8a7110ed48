/* SPDX-License-Identifier: BSD-3-Clause */
/* settings_write.c - settings back into text: YAML for people and for the resolved study, canonical YAML for hashes,
 * JSON, and value by value for the attributes of files. What is written reads back to the same config. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/hash.h"
#include "core/study/commit.h"
#include "core/study/settings.h"
#include "core/study/settings_table.h"

#define COMMENT_COLUMN 36 /* where comments begin */

typedef enum { FOR_PEOPLE, WITH_ORIGINS, CANONICAL } form;

/* ---- one value ---- */

static void write_text(const char *text, bool json, const char *folder, locum_text *out)
{
    size_t n = folder ? strlen(folder) : 0;
    if (n > 1 && !strncmp(text, folder, n) && text[n] == '/') text += n + 1;
    if (json)
        locum_text_json_string(out, text);
    else
        locum_yaml_write_scalar(text, false, out);
}

static void write_element(const locum_option *o, const void *element, bool json, const char *folder, locum_text *out)
{
    switch (o->type) {
    case LOCUM_BOOL: locum_text_add(out, "%s", *(const bool *)element ? "true" : "false"); break;
    case LOCUM_I32: locum_text_add(out, "%ld", (long)*(const int32_t *)element); break;
    case LOCUM_I64: locum_text_add(out, "%lld", (long long)*(const int64_t *)element); break;
    case LOCUM_F64: (json ? locum_text_json_number : locum_text_number)(out, *(const double *)element); break;
    case LOCUM_CHOICE: write_text(o->choices[*(const int32_t *)element].name, json, NULL, out); break;
    case LOCUM_STRING: write_text(element, json, NULL, out); break;
    case LOCUM_PATH: write_text(element, json, folder, out); break;
    default: break;
    }
}

/* {ksp_type: cg, ksp_monitor: ""} */
static void write_pairs(const locum_option *o, const unsigned char *config, bool json, locum_text *out)
{
    char key[LOCUM_TEXT_SIZE];
    locum_text_add(out, "{");
    for (int i = 0; i < locum_setting_n(o, config); i++) {
        const char *pair = locum_setting_element_of(o, config, i);
        int n = (int)strcspn(pair, " ");
        snprintf(key, sizeof key, "%.*s", n, pair);
        if (i) locum_text_add(out, ", ");
        write_text(key, json, NULL, out);
        locum_text_add(out, ": ");
        write_text(pair[n] ? pair + n + 1 : "", json, NULL, out);
    }
    locum_text_add(out, "}");
}

void locum_setting_write(const locum_option *o, const unsigned char *config, bool json, const char *folder,
                         locum_text *out)
{
    if (!o->n_max) {
        write_element(o, locum_setting_element_of(o, config, 0), json, folder, out);
        return;
    }
    if (o->type == LOCUM_PAIRS) {
        write_pairs(o, config, json, out);
        return;
    }
    locum_text_add(out, "[");
    for (int i = 0; i < locum_setting_n(o, config); i++) {
        if (i) locum_text_add(out, ", ");
        write_element(o, locum_setting_element_of(o, config, i), json, folder, out);
    }
    locum_text_add(out, "]");
}

/* ---- YAML ---- */

static bool has_unit(const locum_option *o)
{
    return o->unit && o->unit[0] && strcmp(o->unit, "1") != 0;
}

static size_t line_start(const locum_text *out)
{
    size_t start = out->size;
    while (start > 0 && out->data[start - 1] != '\n') start--;
    return start;
}

/* pads to the comment column, adds unit and origin, ends the line */
static void end_line(const locum_settings *s, int v, form how, locum_text *out)
{
    static const char *const origins[] = {"default", "file", "study", "--set"};
    const locum_option *o = s->values[v].option;
    bool unit = how != CANONICAL && has_unit(o), origin = how == WITH_ORIGINS;
    if (unit || origin) {
        int used = (int)(out->size - line_start(out));
        locum_text_add(out, "%*s# %s%s%s", used < COMMENT_COLUMN ? COMMENT_COLUMN - used : 2, "", unit ? o->unit : "",
                       unit && origin ? ", " : "", origin ? origins[s->values[v].origin] : "");
    }
    locum_text_add(out, "\n");
}

/* is there a line to write in this mapping? */
static bool has_lines(const locum_settings *s, int level)
{
    for (int v = 0; v < s->n; v++) {
        const locum_option *o = s->values[v].option;
        if (s->values[v].level == level && !(o->flags & LOCUM_HIDDEN) && locum_setting_in_force(s, s->config, v) &&
            !locum_setting_unset(o, s->config))
            return true;
    }
    return false;
}

static void write_level(const locum_settings *s, int level, int indent, form how, locum_text *out);

static void write_nested(const locum_settings *s, int v, int indent, form how, locum_text *out)
{
    const locum_option *o = s->values[v].option;
    bool choice = o->type == LOCUM_CHOICE;
    locum_text_add(out, "%*s%s:", indent, "", o->name);
    if (!has_lines(s, v)) {
        locum_text_add(out, " ");
        if (choice)
            locum_setting_write(o, s->config, false, NULL, out);
        else
            locum_text_add(out, "{}");
        end_line(s, v, how, out);
        return;
    }
    locum_text_add(out, "\n");
    if (choice) {
        locum_text_add(out, "%*sname: ", indent + 2, "");
        locum_setting_write(o, s->config, false, NULL, out);
        end_line(s, v, how, out);
    }
    write_level(s, v, indent + 2, how, out);
}

/* A result depends on what a file holds, not on its name alone. A file that is missing is left to whoever reads it. */
static void write_content(const locum_option *o, const unsigned char *config, int indent, locum_text *out)
{
    const char *path = locum_setting_element_of(o, config, 0);
    char text[LOCUM_HASH_TEXT_SIZE];
    uint64_t hash;
    int64_t bytes;
    struct stat file;
    if (stat(path, &file) || !S_ISREG(file.st_mode)) return;
    if (locum_hash_file(path, &hash, &bytes)) {
        locum_status_clear();
        return;
    }
    locum_hash_text(hash, text);
    locum_text_add(out, "%*s%s_content: \"%s\"\n", indent, "", o->name, text);
}

static void write_value(const locum_settings *s, int v, int indent, form how, locum_text *out)
{
    const locum_option *o = s->values[v].option;
    bool beside = !strcmp(o->name, "name");
    if (o->type == LOCUM_GROUP || (o->type == LOCUM_CHOICE && !o->n_max && !beside)) {
        write_nested(s, v, indent, how, out);
        return;
    }
    bool unset = locum_setting_unset(o, s->config);
    if (unset && how == CANONICAL) return;
    locum_text_add(out, "%*s%s%s:", indent, "", unset ? "# " : "", o->name);
    locum_text_add(out, unset ? " (not set)" : " ");
    if (!unset) locum_setting_write(o, s->config, false, how == CANONICAL && s->folder[0] ? s->folder : NULL, out);
    end_line(s, v, how, out);
    if (how == CANONICAL && o->type == LOCUM_PATH && !o->n_max) write_content(o, s->config, indent, out);
}

static void write_level(const locum_settings *s, int level, int indent, form how, locum_text *out)
{
    for (int v = 0; v < s->n; v++) {
        const locum_option *o = s->values[v].option;
        if (s->values[v].level != level || (o->flags & LOCUM_HIDDEN) || !locum_setting_chosen(s, s->config, v))
            continue;
        if (how == CANONICAL && (o->flags & LOCUM_UNHASHED)) continue;
        bool absent = o->type == LOCUM_GROUP && !locum_setting_in_force(s, s->config, v);
        if (!absent)
            write_value(s, v, indent, how, out);
        else if (how != CANONICAL)
            locum_text_add(out, "%*s# %s: (not given)\n", indent, "", o->name);
    }
}

void locum_settings_write(const locum_settings *settings, int indent, bool with_origins, locum_text *out)
{
    write_level(settings, -1, indent, with_origins ? WITH_ORIGINS : FOR_PEOPLE, out);
}

void locum_settings_write_canonical(const locum_settings *settings, int indent, locum_text *out)
{
    write_level(settings, -1, indent, CANONICAL, out);
}

/* ---- JSON ---- */

static void write_json_level(const locum_settings *s, int level, bool first, locum_text *out)
{
    for (int v = 0; v < s->n; v++) {
        const locum_option *o = s->values[v].option;
        if (s->values[v].level != level || !locum_setting_in_force(s, s->config, v)) continue;
        bool choice = o->type == LOCUM_CHOICE && !o->n_max && strcmp(o->name, "name") != 0;
        if (!first) locum_text_add(out, ", ");
        first = false;
        locum_text_json_string(out, o->name);
        locum_text_add(out, ": ");
        if (choice || o->type == LOCUM_GROUP) {
            locum_text_add(out, choice ? "{\"name\": " : "{");
            if (choice) locum_setting_write(o, s->config, true, NULL, out);
            write_json_level(s, v, !choice, out);
            locum_text_add(out, "}");
        } else {
            locum_setting_write(o, s->config, true, NULL, out);
        }
    }
}

void locum_settings_write_json(const locum_settings *settings, locum_text *out)
{
    locum_text_add(out, "{");
    write_json_level(settings, -1, true, out);
    locum_text_add(out, "}");
}

/* ---- value by value ---- */

static double single_number(const locum_option *o, const unsigned char *config)
{
    if (!locum_option_is_number(o) || locum_setting_n(o, config) != 1) return NAN;
    const void *element = locum_setting_element_of(o, config, 0);
    if (o->type == LOCUM_F64) return *(const double *)element;
    return o->type == LOCUM_I64 ? (double)*(const int64_t *)element : (double)*(const int32_t *)element;
}

void locum_settings_each(const locum_settings *s, void *self,
                         void (*call)(void *self, const char *path, const char *value, double number, const char *unit))
{
    for (int v = 0; v < s->n; v++) {
        const locum_option *o = s->values[v].option;
        bool text = (o->type == LOCUM_STRING || o->type == LOCUM_PATH) && !o->n_max;
        if (o->type == LOCUM_GROUP || !locum_setting_in_force(s, s->config, v) || locum_setting_unset(o, s->config))
            continue;
        locum_text value = {0};
        if (text)
            locum_text_add(&value, "%s", (const char *)locum_setting_element_of(o, s->config, 0));
        else
            locum_setting_write(o, s->config, false, NULL, &value);
        call(self, s->values[v].path, value.data ? value.data : "", single_number(o, s->config), o->unit);
        locum_text_free(&value);
    }
}
