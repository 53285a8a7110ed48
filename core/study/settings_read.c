/* SPDX-License-Identifier: BSD-3-Clause */
/* settings_read.c - study text into settings: every value checked against its option, every complaint with its place.
 *
 * In a mapping the choice (`name`) is read first, for it decides which other keys there are. A parameter that a data
 * file says too must agree with the study to 1e-6 (what float32 attributes keep), unless --set overrules both. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/study/settings.h"
#include "core/study/settings_table.h"

#define AGREEMENT 1e-6 /* relative */
#define MOST_NAMES 128 /* names listed as known */

/* ---- complaints ---- */

static const char *block_name(const locum_settings *s)
{
    return s->name[0] ? s->name : "the options";
}

/* "kolmogorov, diagonal" and the nearest to `word` */
static locum_status fail_choice(const locum_option *option, const locum_yaml *node)
{
    const char *names[MOST_NAMES];
    char list[512];
    int n = 0;
    while (n < locum_option_n_choices(option) && n < MOST_NAMES) names[n] = option->choices[n].name, n++;
    const char *nearest = locum_nearest_name(node->text, n, names);
    locum_list_names(n, names, list, sizeof list);
    return locum_yaml_fail_value(node, "unknown choice `%.60s`%s%s%s (known: %s)", node->text,
                                 nearest ? "; did you mean `" : "", nearest ? nearest : "", nearest ? "`?" : "", list);
}

/* a key that no option in force has: of another choice, or a typing error */
static locum_status fail_key(const locum_settings *s, const locum_yaml *mapping, int i, int level,
                             const char *const *extra)
{
    const char *names[MOST_NAMES], *key = mapping->keys[i].name;
    char where[LOCUM_PATH_SIZE + 32];
    int n = 0;
    if (level >= 0 && s->values[level].option->type == LOCUM_CHOICE) names[n++] = "name";
    for (int v = 0; v < s->n; v++) {
        const locum_setting *w = &s->values[v];
        if (w->level != level || (w->option->flags & LOCUM_HIDDEN)) continue;
        if (locum_setting_chosen(s, s->config, v)) {
            if (n < MOST_NAMES) names[n++] = w->option->name;
        } else if (!strcmp(w->option->name, key)) {
            const locum_setting *choice = &s->values[w->parent];
            int32_t now = *(const int32_t *)(const void *)(s->config + choice->option->place);
            locum_yaml_place_text(mapping->document, mapping->keys[i].place, where);
            return LOCUM_FAIL(LOCUM_STUDY,
                              "%s: `%s` is an option of %s `%s`, but `%s` is chosen: remove it or choose `%s`", where,
                              key, choice->path, choice->option->choices[w->choice].name,
                              choice->option->choices[now].name, choice->option->choices[w->choice].name);
        }
    }
    for (; level < 0 && extra && *extra && n < MOST_NAMES; extra++) names[n++] = *extra;
    return locum_yaml_unknown_key(mapping, i, n, names);
}

/* ---- one element ---- */

static locum_status read_number(const locum_option *option, const locum_yaml *node, void *element)
{
    char range[96];
    double value;
    int64_t whole = 0;
    if (option->type == LOCUM_F64) {
        LOCUM_TRY(locum_yaml_f64(node, option->unit, &value));
    } else {
        LOCUM_TRY(locum_yaml_i64(node, &whole));
        value = (double)whole;
    }
    locum_option_range_text(option, range, sizeof range);
    if (!locum_option_in_range(option, value))
        return locum_yaml_fail_value(node, "%.60s is out of range: it must be %s", node->text,
                                     range[0] ? range : "between -2147483648 and 2147483647");
    if (option->type == LOCUM_F64) *(double *)element = value;
    if (option->type == LOCUM_I64) *(int64_t *)element = whole;
    if (option->type == LOCUM_I32) *(int32_t *)element = (int32_t)whole;
    return LOCUM_OK;
}

static locum_status read_text(const locum_option *option, const locum_yaml *node, void *element)
{
    char resolved[LOCUM_PATH_SIZE];
    size_t size = locum_option_bytes(option);
    if (node->plain && !node->text[0])
        return locum_yaml_fail_value(node, "expected a text, found nothing (\"\" is an empty text)");
    const char *text = node->text;
    for (const char *p = text; *p; p++) {
        if ((unsigned char)*p < 32) return locum_yaml_fail_value(node, "a text must not contain control characters");
    }
    if (option->type == LOCUM_PATH) {
        LOCUM_TRY(locum_document_resolve(node->document, node->origin, text, resolved));
        text = resolved;
    }
    if (strlen(text) >= size)
        return locum_yaml_fail_value(node, "the text is longer than %zu bytes: `%.60s...`", size - 1, text);
    memset(element, 0, size);
    memcpy(element, text, strlen(text));
    return LOCUM_OK;
}

static locum_status read_choice_name(const locum_option *option, const locum_yaml *node, int32_t *index)
{
    if (node->kind != LOCUM_YAML_SCALAR) return locum_yaml_fail_value(node, "expected the name of a choice");
    for (int c = 0; c < locum_option_n_choices(option); c++) {
        if (!strcmp(option->choices[c].name, node->text)) {
            *index = c;
            return LOCUM_OK;
        }
    }
    return fail_choice(option, node);
}

static locum_status read_element(const locum_option *option, const locum_yaml *node, void *element)
{
    if (node->kind == LOCUM_YAML_MAPPING) return locum_yaml_fail_value(node, "expected one value, found a mapping");
    if (node->kind == LOCUM_YAML_LIST) return locum_yaml_fail_value(node, "expected one value, found a list");
    switch (option->type) {
    case LOCUM_BOOL: return locum_yaml_bool(node, element);
    case LOCUM_CHOICE: return read_choice_name(option, node, element);
    case LOCUM_STRING:
    case LOCUM_PATH: return read_text(option, node, element);
    default: return read_number(option, node, element);
    }
}

/* "key value", or "key" if there is no value */
static locum_status read_pair(const locum_yaml *mapping, int i, char *element)
{
    const char *key = mapping->keys[i].name;
    const locum_yaml *value = mapping->items[i];
    if (!key[0] || strpbrk(key, " \t\n\r"))
        return locum_yaml_fail_value(mapping, "a key must be one word, found `%.60s`", key);
    if (value->kind != LOCUM_YAML_SCALAR)
        return locum_yaml_fail_value(value, "expected one value, found a %s",
                                     value->kind == LOCUM_YAML_LIST ? "list" : "mapping");
    for (const char *p = value->text; *p; p++) {
        if ((unsigned char)*p < 32) return locum_yaml_fail_value(value, "a text must not contain control characters");
    }
    int n = snprintf(element, LOCUM_TEXT_SIZE, "%s%s%s", key, value->text[0] ? " " : "", value->text);
    if (n >= LOCUM_TEXT_SIZE)
        return locum_yaml_fail_value(value, "key and value are longer than %d bytes: `%.60s...`", LOCUM_TEXT_SIZE - 2,
                                     value->text);
    return LOCUM_OK;
}

static locum_status read_pairs(const locum_option *option, const locum_yaml *node, unsigned char *config)
{
    bool empty = node->kind == LOCUM_YAML_SCALAR && node->plain && !node->text[0];
    int32_t n = empty ? 0 : node->n;
    if (!empty && node->kind != LOCUM_YAML_MAPPING)
        return locum_yaml_fail_value(node, "expected a mapping like {key: value, ...}");
    if (n > option->n_max)
        return locum_yaml_fail_value(node, "%d keys, at most %d are possible", (int)n, option->n_max);
    memset(config + option->place, 0, (size_t)option->n_max * LOCUM_TEXT_SIZE);
    for (int i = 0; i < n; i++) LOCUM_TRY(read_pair(node, i, locum_setting_element(option, config, i)));
    memcpy(config + option->place_n, &n, sizeof n);
    return LOCUM_OK;
}

static locum_status read_elements(const locum_option *option, const locum_yaml *node, unsigned char *config)
{
    if (option->type == LOCUM_PAIRS) return read_pairs(option, node, config);
    if (!option->n_max) return read_element(option, node, config + option->place);
    bool list = node->kind == LOCUM_YAML_LIST;
    int32_t n = list ? node->n : 1;
    if (n > option->n_max)
        return locum_yaml_fail_value(node, "%d values, at most %d are possible", (int)n, option->n_max);
    size_t bytes = locum_option_bytes(option);
    memset(config + option->place, 0, bytes * (size_t)option->n_max);
    for (int i = 0; i < n; i++)
        LOCUM_TRY(read_element(option, list ? node->items[i] : node, locum_setting_element(option, config, i)));
    memcpy(config + option->place_n, &n, sizeof n);
    return LOCUM_OK;
}

/* ---- who wins ---- */

static double element_number(const locum_option *option, const void *element)
{
    if (option->type == LOCUM_F64) return *(const double *)element;
    if (option->type == LOCUM_I64) return (double)*(const int64_t *)element;
    return *(const int32_t *)element;
}

static bool agree(const locum_option *option, const unsigned char *a, const unsigned char *b)
{
    int n = locum_setting_n(option, a);
    if (n != locum_setting_n(option, b)) return false;
    for (int i = 0; i < n; i++) {
        const void *x = locum_setting_element_of(option, a, i), *y = locum_setting_element_of(option, b, i);
        if (locum_option_is_number(option)) {
            double p = element_number(option, x), q = element_number(option, y);
            if (!(fabs(p - q) <= AGREEMENT * fmax(fabs(p), fabs(q)))) return false;
        } else if (memcmp(x, y, locum_option_bytes(option)) != 0) {
            return false;
        }
    }
    return true;
}

static locum_status fail_disagreement(const locum_option *option, const locum_yaml *node, const unsigned char *other)
{
    locum_text text = {0};
    locum_setting_write(option, other, false, NULL, &text);
    locum_status st = locum_yaml_fail_value(
        node,
        "`%s` is %.60s here, but the data file and the study say different things (the other is %.60s); "
        "remove it from the study, or overrule both with --set",
        option->name, node->kind == LOCUM_YAML_SCALAR ? node->text : "a list", text.data ? text.data : "?");
    locum_text_free(&text);
    return st;
}

/* a value whose origin meets another one: read aside, compared, then kept or taken */
static locum_status read_contested(locum_settings *s, int v, const locum_yaml *node, locum_origin origin)
{
    locum_setting *setting = &s->values[v];
    const locum_option *option = setting->option;
    unsigned char *aside = NULL;
    LOCUM_TRY(LOCUM_NEW(&aside, s->config_size));
    memcpy(aside, s->config, s->config_size);
    locum_status st = read_elements(option, node, aside);
    bool file_and_study = origin + setting->origin == LOCUM_FROM_FILE + LOCUM_FROM_STUDY && origin != setting->origin;
    if (!st && file_and_study && (option->flags & LOCUM_PARAMETER) && !agree(option, aside, s->config))
        st = fail_disagreement(option, node, s->config);
    if (!st && origin >= setting->origin) {
        memcpy(s->config, aside, s->config_size);
        setting->origin = origin;
    }
    free(aside);
    return st;
}

static locum_status read_plain_value(locum_settings *s, int v, const locum_yaml *node, locum_origin origin)
{
    locum_setting *setting = &s->values[v];
    if (setting->origin == LOCUM_FROM_FILE || origin < setting->origin) return read_contested(s, v, node, origin);
    LOCUM_TRY(read_elements(setting->option, node, s->config));
    setting->origin = origin;
    return LOCUM_OK;
}

/* ---- mappings ---- */

static locum_status read_choice(locum_settings *s, int v, const locum_yaml *node, locum_origin origin)
{
    locum_setting *setting = &s->values[v];
    int32_t index = 0, now = *(const int32_t *)(const void *)(s->config + setting->option->place);
    LOCUM_TRY(read_choice_name(setting->option, node, &index));
    if (origin < setting->origin) return LOCUM_OK;
    if (index != now) locum_setting_choose(s, s->config, v, index);
    setting->origin = origin;
    return LOCUM_OK;
}

static int find_in_level(const locum_settings *s, int level, const char *key)
{
    for (int v = 0; v < s->n; v++) {
        const locum_setting *w = &s->values[v];
        bool visible = w->level == level && !(w->option->flags & LOCUM_HIDDEN);
        if (visible && !strcmp(w->option->name, key) && locum_setting_chosen(s, s->config, v)) return v;
    }
    return -1;
}

static bool listed(const char *const *names, const char *name)
{
    for (; names && *names; names++) {
        if (!strcmp(*names, name)) return true;
    }
    return false;
}

/* the choice that the key `name` of this mapping makes, -1 = none */
static int naming_choice(const locum_settings *s, int level)
{
    if (level >= 0 && s->values[level].option->type == LOCUM_CHOICE) return level;
    int v = find_in_level(s, level, "name");
    return v >= 0 && s->values[v].option->type == LOCUM_CHOICE && !s->values[v].option->n_max ? v : -1;
}

static locum_status read_value(locum_settings *s, int v, const locum_yaml *node);

static locum_status read_mapping(locum_settings *s, const locum_yaml *mapping, int level, const char *const *extra)
{
    int choice = naming_choice(s, level);
    const locum_yaml *name = choice < 0 ? NULL : locum_yaml_find(mapping, "name");
    if (name) LOCUM_TRY(read_choice(s, choice, name, name->origin));
    for (int i = 0; i < mapping->n; i++) { /* keys before values: a wrong key often explains a wrong value */
        const char *key = mapping->keys[i].name;
        bool others = level < 0 && listed(extra, key);
        if (mapping->items[i] != name && !others && find_in_level(s, level, key) < 0)
            return fail_key(s, mapping, i, level, extra);
    }
    for (int i = 0; i < mapping->n; i++) {
        int v = mapping->items[i] == name ? -1 : find_in_level(s, level, mapping->keys[i].name);
        if (v >= 0) LOCUM_TRY(read_value(s, v, mapping->items[i]));
    }
    return LOCUM_OK;
}

static locum_status read_group(locum_settings *s, int v, const locum_yaml *node)
{
    const locum_option *option = s->values[v].option;
    bool empty = node->kind == LOCUM_YAML_SCALAR && node->plain && !node->text[0];
    if (!empty && node->kind != LOCUM_YAML_MAPPING)
        return locum_yaml_fail_value(node, "expected a mapping like {%s: ...}", option->choices[0].options[0].name);
    if (option->flags & LOCUM_TOLD) *(bool *)(s->config + option->place) = true;
    s->values[v].origin = node->origin;
    return empty ? LOCUM_OK : read_mapping(s, node, v, NULL);
}

static locum_status read_value(locum_settings *s, int v, const locum_yaml *node)
{
    const locum_option *option = s->values[v].option;
    if (option->type == LOCUM_GROUP) return read_group(s, v, node);
    if (option->type != LOCUM_CHOICE || option->n_max) return read_plain_value(s, v, node, node->origin);
    if (node->kind == LOCUM_YAML_MAPPING) return read_mapping(s, node, v, NULL);
    return read_choice(s, v, node, node->origin);
}

/* the whole block as one word: `initial: random` */
static locum_status read_bare(locum_settings *s, const locum_yaml *node, const char *const *extra)
{
    int choice = naming_choice(s, -1);
    if (node->plain && !node->text[0]) return LOCUM_OK; /* `train:` alone: all defaults */
    if (choice >= 0) return read_choice(s, choice, node, node->origin);
    if (listed(extra, "name")) return LOCUM_OK;
    return locum_yaml_fail_value(node, "expected a mapping of options, found `%.60s`", node->text);
}

/* a parameter of the solver that `campaign.vary` gives each sample needs no value of its own */
static bool is_varied(const locum_yaml *mapping, const locum_setting *setting)
{
    bool solver = mapping && mapping->key && !strcmp(mapping->key, "solver") && !mapping->parent->parent;
    if (!solver || !(setting->option->flags & LOCUM_PARAMETER)) return false;
    const locum_yaml *vary = locum_yaml_find(locum_yaml_find(mapping->parent, "campaign"), "vary");
    return locum_yaml_find(vary, setting->path) != NULL;
}

static locum_status check_required(const locum_settings *s, const locum_yaml *mapping)
{
    char range[96];
    for (int v = 0; v < s->n; v++) {
        const locum_option *o = s->values[v].option;
        if (!(o->flags & LOCUM_REQUIRED) || (o->flags & LOCUM_HIDDEN) || s->values[v].origin != LOCUM_FROM_DEFAULT)
            continue;
        if (!locum_setting_in_force(s, s->config, v) || is_varied(mapping, &s->values[v])) continue;
        bool unit = o->unit && strcmp(o->unit, "1") != 0;
        locum_option_range_text(o, range, sizeof range);
        const char *text = o->text ? o->text : "it has no default";
        if (!mapping) return LOCUM_FAIL(LOCUM_STUDY, "%s: `%s` is missing: %s", block_name(s), s->values[v].path, text);
        return locum_yaml_fail(mapping, "%s needs `%s`: %s%s%s%s%s", block_name(s), s->values[v].path, text,
                               range[0] ? ", " : "", range, unit ? ", in " : "", unit ? o->unit : "");
    }
    return LOCUM_OK;
}

locum_status locum_settings_read(locum_settings *s, const locum_yaml *mapping, const char *const *extra)
{
    if (mapping) {
        char path[LOCUM_PATH_SIZE];
        locum_yaml_path(mapping, path);
        snprintf(s->name, sizeof s->name, "%.*s", (int)sizeof s->name - 1, path);
        snprintf(s->folder, sizeof s->folder, "%s", mapping->document->folder);
        if (mapping->kind == LOCUM_YAML_LIST)
            return locum_yaml_fail_value(mapping, "expected a mapping of options, found a list");
        if (mapping->kind == LOCUM_YAML_SCALAR)
            LOCUM_TRY(read_bare(s, mapping, extra));
        else
            LOCUM_TRY(read_mapping(s, mapping, -1, extra));
    }
    return check_required(s, mapping);
}

/* ---- by path ---- */

static locum_status fail_path(const locum_settings *s, const char *path)
{
    const char *names[MOST_NAMES];
    int n = 0;
    for (int v = 0; v < s->n && n < MOST_NAMES; v++) {
        if (locum_setting_chosen(s, s->config, v)) names[n++] = s->values[v].path;
    }
    const char *nearest = locum_nearest_name(path, n, names);
    return LOCUM_FAIL(LOCUM_STUDY, "`%.60s` is no option of %s%s%s%s", path, block_name(s),
                      nearest ? "; did you mean `" : "", nearest ? nearest : "", nearest ? "`?" : "");
}

locum_status locum_settings_put(locum_settings *s, const char *path, const char *value, locum_origin origin)
{
    char place[192];
    locum_document *document = NULL;
    locum_text quoted = {0};
    int v = locum_settings_find(s, s->config, path);
    if (v < 0) return fail_path(s, path);
    const locum_option *option = s->values[v].option;
    bool text = (option->type == LOCUM_STRING || option->type == LOCUM_PATH) && !option->n_max;
    LOCUM_REQUIRE(option->type != LOCUM_GROUP, LOCUM_ARG, "`%s` is a group of options, not one value", path);
    snprintf(place, sizeof place, "%s%.80s=%.80s", origin == LOCUM_FROM_FILE ? "data file, " : "", path, value);
    if (text) locum_text_json_string(&quoted, value);
    locum_status st = quoted.status;
    if (!st) st = locum_document_parse_value(text ? quoted.data : value, place, &document);
    if (!st && option->type == LOCUM_CHOICE && !option->n_max)
        st = read_choice(s, v, document->root, origin);
    else if (!st)
        st = read_plain_value(s, v, document->root, origin);
    for (int w = s->values[v].parent; !st && w >= 0; w = s->values[w].parent) {
        const locum_option *above = s->values[w].option;
        if (above->type == LOCUM_GROUP && (above->flags & LOCUM_TOLD)) *(bool *)(s->config + above->place) = true;
    }
    locum_document_destroy(document);
    locum_text_free(&quoted);
    return st;
}

locum_status locum_settings_apply(const locum_settings *s, void *config, const char *path, double value)
{
    char range[96];
    int v = locum_settings_find(s, config, path);
    if (v < 0) return fail_path(s, path);
    const locum_option *o = s->values[v].option;
    LOCUM_REQUIRE(locum_option_is_number(o), LOCUM_STUDY, "`%s` is no number: it cannot be varied", path);
    LOCUM_REQUIRE(isfinite(value), LOCUM_STUDY, "`%s` = %g: a finite number is needed", path, value);
    LOCUM_REQUIRE(o->type == LOCUM_F64 || (value == floor(value) && fabs(value) <= 9007199254740992.0), LOCUM_STUDY,
                  "`%s` = %.17g: a whole number is needed", path, value);
    locum_option_range_text(o, range, sizeof range);
    LOCUM_REQUIRE(locum_option_in_range(o, value), LOCUM_STUDY, "`%s` = %.10g is out of range: it must be %s", path,
                  value, range);
    unsigned char *bytes = config;
    int32_t one = 1;
    if (o->n_max) {
        memset(bytes + o->place, 0, locum_option_bytes(o) * (size_t)o->n_max);
        memcpy(bytes + o->place_n, &one, sizeof one);
    }
    if (o->type == LOCUM_F64) *(double *)(void *)(bytes + o->place) = value;
    if (o->type == LOCUM_I64) *(int64_t *)(void *)(bytes + o->place) = (int64_t)value;
    if (o->type == LOCUM_I32) *(int32_t *)(void *)(bytes + o->place) = (int32_t)value;
    return LOCUM_OK;
}

locum_status locum_settings_number(const locum_settings *s, const char *path, double *value)
{
    int v = locum_settings_find(s, s->config, path);
    if (v < 0) return fail_path(s, path);
    const locum_option *o = s->values[v].option;
    LOCUM_REQUIRE(locum_option_is_number(o), LOCUM_STUDY, "`%s` is no number", path);
    LOCUM_REQUIRE(locum_setting_n(o, s->config) == 1, LOCUM_STUDY, "`%s` has %d values: one number is needed", path,
                  locum_setting_n(o, s->config));
    *value = element_number(o, locum_setting_element_of(o, s->config, 0));
    return LOCUM_OK;
}
