/* SPDX-License-Identifier: BSD-3-Clause */
/* settings.c - the values of one option table: layout, defaults, what is in force, life cycle.
 *
 *     table (tree) -> values (flat)     config: plain data of the table's owner, values at their places
 *
 * Sub-tables of different choices may share places, so defaults are written for all tables first and then once more for
 * those in force, and again for a sub-table whenever its choice is made. */
#include "core/study/settings.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/study/settings_table.h"

#define DEEPEST 6 /* choices and groups inside each other */

/* ---- one option ---- */

size_t locum_option_bytes(const locum_option *option)
{
    switch (option->type) {
    case LOCUM_BOOL: return sizeof(bool);
    case LOCUM_I32:
    case LOCUM_CHOICE: return sizeof(int32_t);
    case LOCUM_I64: return sizeof(int64_t);
    case LOCUM_F64: return sizeof(double);
    case LOCUM_STRING:
    case LOCUM_PAIRS: return LOCUM_TEXT_SIZE;
    case LOCUM_PATH: return LOCUM_PATH_SIZE;
    case LOCUM_GROUP: return option->flags & LOCUM_TOLD ? sizeof(bool) : 0;
    case LOCUM_END: break;
    }
    return 0;
}

bool locum_option_is_number(const locum_option *option)
{
    return option->type == LOCUM_I32 || option->type == LOCUM_I64 || option->type == LOCUM_F64;
}

int locum_option_n_choices(const locum_option *option)
{
    int n = 0;
    if (option->type != LOCUM_CHOICE && option->type != LOCUM_GROUP) return 0;
    if (option->type == LOCUM_GROUP) return 1;
    while (option->choices && option->choices[n].name) n++;
    return n;
}

void *locum_setting_element(const locum_option *option, unsigned char *config, int i)
{
    return config + option->place + (size_t)i * locum_option_bytes(option);
}

const void *locum_setting_element_of(const locum_option *option, const unsigned char *config, int i)
{
    return config + option->place + (size_t)i * locum_option_bytes(option);
}

int locum_setting_n(const locum_option *option, const unsigned char *config)
{
    int32_t n = 1;
    if (option->n_max > 0) memcpy(&n, config + option->place_n, sizeof n);
    return n;
}

static void default_element(const locum_option *option, void *element)
{
    if (option->type == LOCUM_BOOL) *(bool *)element = option->value != 0;
    if (option->type == LOCUM_I32 || option->type == LOCUM_CHOICE) *(int32_t *)element = (int32_t)option->value;
    if (option->type == LOCUM_I64) *(int64_t *)element = (int64_t)option->value;
    if (option->type == LOCUM_F64) *(double *)element = option->value;
    if (option->type == LOCUM_STRING || option->type == LOCUM_PATH)
        snprintf(element, locum_option_bytes(option), "%s", option->string ? option->string : "");
}

void locum_setting_default(const locum_option *option, unsigned char *config)
{
    size_t bytes = locum_option_bytes(option);
    int n = option->n_max > 0 ? option->n_default : 1;
    memset(config + option->place, 0, bytes * (size_t)(option->n_max > 0 ? option->n_max : 1));
    for (int i = 0; i < n; i++) default_element(option, locum_setting_element(option, config, i));
    int32_t count = n;
    if (option->n_max > 0) memcpy(config + option->place_n, &count, sizeof count);
}

bool locum_setting_unset(const locum_option *option, const unsigned char *config)
{
    double value;
    if (option->type != LOCUM_F64 || locum_setting_n(option, config) < 1) return false;
    memcpy(&value, locum_setting_element_of(option, config, 0), sizeof value);
    return isnan(value);
}

bool locum_option_in_range(const locum_option *option, double value)
{
    if (option->type == LOCUM_I32 && (value < INT32_MIN || value > INT32_MAX)) return false;
    if (option->min == 0 && option->max == 0) return true;
    if (value < option->min || (value == option->min && (option->flags & LOCUM_OPEN_MIN))) return false;
    if (value > option->max || (value == option->max && (option->flags & LOCUM_OPEN_MAX))) return false;
    return true;
}

void locum_option_range_text(const locum_option *option, char *out, size_t size)
{
    bool open_min = option->flags & LOCUM_OPEN_MIN, open_max = option->flags & LOCUM_OPEN_MAX;
    bool low = isfinite(option->min), high = isfinite(option->max);
    out[0] = 0;
    if (!locum_option_is_number(option) || (option->min == 0 && option->max == 0)) return;
    if (low && high && !open_min && !open_max)
        snprintf(out, size, "%.10g .. %.10g", option->min, option->max);
    else if (low && high)
        snprintf(out, size, "%s %.10g and %s %.10g", open_min ? ">" : ">=", option->min,
                 open_max ? "<" : "<=", option->max);
    else if (low)
        snprintf(out, size, "%s %.10g", open_min ? ">" : ">=", option->min);
    else if (high)
        snprintf(out, size, "%s %.10g", open_max ? "<" : "<=", option->max);
}

/* ---- the table laid out flat ---- */

static int count_table(const locum_option *options, int depth)
{
    int n = 0;
    for (const locum_option *o = options; o && o->type != LOCUM_END && depth <= DEEPEST; o++) {
        n++;
        for (int c = 0; c < locum_option_n_choices(o); c++)
            n += o->choices ? count_table(o->choices[c].options, depth + 1) : 0;
    }
    return n;
}

static locum_status unsound(const locum_option *option, const char *what)
{
    return LOCUM_FAIL(LOCUM_INTERNAL, "option table: `%s` %s", option->name ? option->name : "(no name)", what);
}

/* our own bugs: a table that contradicts itself or its config */
static locum_status check_option(const locum_option *o, size_t config_size)
{
    size_t n = o->n_max > 0 ? (size_t)o->n_max : 1;
    if (!o->name || !o->name[0] || strpbrk(o->name, ". :#[]{},=\"'")) return unsound(o, "has no usable name");
    if (o->place + n * locum_option_bytes(o) > config_size) return unsound(o, "lies outside of the config");
    if (o->n_max < 0 || o->n_default < 0 || o->n_default > o->n_max || o->n_max > LOCUM_LIST_MAX)
        return unsound(o, "has a wrong n_max or n_default");
    if (o->n_max && o->place_n + sizeof(int32_t) > config_size) return unsound(o, "has place_n outside of the config");
    if (o->n_max && o->type == LOCUM_GROUP) return unsound(o, "is a list of groups");
    if (o->type == LOCUM_PAIRS && (!o->n_max || o->n_default)) return unsound(o, "needs n_max, and has no defaults");
    if (o->min > o->max) return unsound(o, "has min > max");
    bool has_default = !(o->flags & LOCUM_REQUIRED) && (!o->n_max || o->n_default) && !isnan(o->value);
    if (locum_option_is_number(o) && has_default && !locum_option_in_range(o, o->value))
        return unsound(o, "has a default outside of its range");
    if (isnan(o->value) && o->type != LOCUM_F64)
        return unsound(o, "has the default NAN, which only LOCUM_F64 can hold");
    if ((o->type == LOCUM_STRING || o->type == LOCUM_PATH) && o->string && strlen(o->string) >= locum_option_bytes(o))
        return unsound(o, "has a default that is too long");
    if (o->type == LOCUM_GROUP && (!o->choices || !o->choices[0].options))
        return unsound(o, "is a group without a table");
    if (o->type == LOCUM_CHOICE) {
        int n_choices = locum_option_n_choices(o);
        if (!n_choices) return unsound(o, "has no choices");
        if (o->value < 0 || o->value >= n_choices || o->value != floor(o->value))
            return unsound(o, "has a default that is none of its choices");
        for (int c = 0; c < n_choices && o->n_max; c++) {
            if (o->choices[c].options) return unsound(o, "is a list of choices with tables of their own");
        }
    }
    return LOCUM_OK;
}

/* the mapping whose names a key must not repeat: groups whose members are known by their own names do not count */
static int naming_level(const locum_settings *s, int level)
{
    while (level >= 0 && s->values[level].option->type == LOCUM_GROUP &&
           (s->values[level].option->flags & LOCUM_OWN_NAMES))
        level = s->values[level].level;
    return level;
}

/* two keys of one mapping that could be meant at the same time */
static locum_status check_unique(const locum_settings *s, int v)
{
    for (int w = 0; w < v; w++) {
        const locum_setting *a = &s->values[v], *b = &s->values[w];
        bool alternatives = a->parent == b->parent && a->choice != b->choice;
        bool same_level = naming_level(s, a->level) == naming_level(s, b->level);
        if (same_level && !strcmp(a->option->name, b->option->name) && !alternatives)
            return unsound(a->option, "stands twice in its table");
    }
    return LOCUM_OK;
}

static locum_status lay_out(locum_settings *s, const locum_option *options, int parent, int choice, int level,
                            int depth)
{
    int above = naming_level(s, level);
    const char *prefix = above < 0 ? "" : s->values[above].path;
    for (const locum_option *o = options; o && o->type != LOCUM_END; o++) {
        LOCUM_TRY(check_option(o, s->config_size));
        if (depth > DEEPEST) return unsound(o, "lies too deep: a table that contains itself?");
        int v = s->n++;
        locum_setting *setting = &s->values[v];
        *setting = (locum_setting){.option = o, .parent = parent, .choice = choice, .level = level};
        int n = snprintf(setting->path, sizeof setting->path, "%s%s%s", prefix, prefix[0] ? "." : "", o->name);
        if (n >= (int)sizeof setting->path) return unsound(o, "has a path that is too long");
        LOCUM_TRY(check_unique(s, v));
        bool in_choice = level >= 0 && s->values[level].option->type == LOCUM_CHOICE;
        if (in_choice && !strcmp(o->name, "name")) return unsound(o, "is the key that makes the choice above it");
        bool beside = o->type == LOCUM_CHOICE && !strcmp(o->name, "name");
        for (int c = 0; c < locum_option_n_choices(o); c++)
            LOCUM_TRY(
                lay_out(s, o->choices[c].options, v, o->type == LOCUM_GROUP ? -1 : c, beside ? level : v, depth + 1));
    }
    return LOCUM_OK;
}

/* ---- what is in force ---- */

static int chosen_index(const locum_settings *s, const unsigned char *config, int v)
{
    int32_t index;
    memcpy(&index, config + s->values[v].option->place, sizeof index);
    return index;
}

bool locum_setting_chosen(const locum_settings *s, const unsigned char *config, int v)
{
    for (; s->values[v].parent >= 0; v = s->values[v].parent) {
        int parent = s->values[v].parent;
        if (s->values[v].choice >= 0 && chosen_index(s, config, parent) != s->values[v].choice) return false;
    }
    return true;
}

bool locum_setting_in_force(const locum_settings *s, const unsigned char *config, int v)
{
    if (!locum_setting_chosen(s, config, v)) return false;
    for (int w = v; w >= 0; w = s->values[w].parent) {
        const locum_option *o = s->values[w].option;
        if (o->type == LOCUM_GROUP && (o->flags & LOCUM_TOLD) && !*(const bool *)(config + o->place)) return false;
    }
    return true;
}

int locum_settings_find(const locum_settings *s, const unsigned char *config, const char *path)
{
    size_t n = strlen(path);
    for (int v = 0; v < s->n; v++) {
        const char *own = s->values[v].path;
        bool same = !strcmp(own, path);
        bool by_name = s->values[v].option->type == LOCUM_CHOICE && n == strlen(own) + 5 &&
                       !strncmp(own, path, n - 5) && !strcmp(path + n - 5, ".name");
        if ((same || by_name) && locum_setting_chosen(s, config, v)) return v;
    }
    return -1;
}

static bool below(const locum_settings *s, int v, int ancestor)
{
    while (v >= 0 && v != ancestor) v = s->values[v].parent;
    return v == ancestor;
}

void locum_setting_choose(locum_settings *s, unsigned char *config, int v, int choice)
{
    int32_t index = choice;
    memcpy(config + s->values[v].option->place, &index, sizeof index);
    for (int w = v + 1; w < s->n; w++) {
        if (!below(s, w, v) || !locum_setting_chosen(s, config, w)) continue;
        locum_setting_default(s->values[w].option, config);
        if (config == s->config) s->values[w].origin = LOCUM_FROM_DEFAULT;
    }
}

bool locum_settings_has_key(const locum_settings *s, const char *key)
{
    for (int v = 0; v < s->n; v++) {
        if (s->values[v].level < 0 && !strcmp(s->values[v].option->name, key)) return true;
    }
    return false;
}

/* ---- life ---- */

static locum_status create(const locum_option *options, locum_settings *owner, size_t config_size,
                           locum_settings **settings)
{
    locum_settings *s = NULL;
    *settings = NULL;
    LOCUM_TRY(LOCUM_NEW(&s, 1));
    s->options = options;
    s->owner = owner;
    s->config_size = config_size;
    locum_status st = LOCUM_NEW(&s->values, count_table(options, 0) + 1);
    if (!st && owner) s->config = owner->config;
    if (!st && !owner) st = LOCUM_NEW(&s->config, config_size ? config_size : 1);
    if (!st) st = lay_out(s, options, -1, -1, -1, 0);
    if (st) {
        locum_settings_destroy(s);
        return st;
    }
    for (int v = 0; v < s->n; v++) locum_setting_default(s->values[v].option, s->config);
    for (int v = 0; v < s->n; v++) {
        if (locum_setting_chosen(s, s->config, v)) locum_setting_default(s->values[v].option, s->config);
    }
    *settings = s;
    return LOCUM_OK;
}

locum_status locum_settings_create(const locum_option *options, size_t config_size, locum_settings **settings)
{
    return create(options, NULL, config_size, settings);
}

locum_status locum_settings_create_view(const locum_option *options, locum_settings *owner, locum_settings **settings)
{
    return create(options, owner, owner->config_size, settings);
}

void *locum_settings_config(locum_settings *settings)
{
    return settings->config;
}

void locum_settings_destroy(locum_settings *settings)
{
    if (!settings) return;
    if (!settings->owner) free(settings->config);
    free(settings->values);
    free(settings);
}

locum_origin locum_settings_origin(const locum_settings *settings, const char *path)
{
    int v = locum_settings_find(settings, settings->config, path);
    return v < 0 ? LOCUM_FROM_DEFAULT : settings->values[v].origin;
}

const locum_option *locum_settings_option(const locum_settings *settings, const char *path)
{
    int v = locum_settings_find(settings, settings->config, path);
    return v < 0 ? NULL : settings->values[v].option;
}
