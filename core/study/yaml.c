/* SPDX-License-Identifier: BSD-3-Clause */
/* yaml.c - questions to the nodes of a document: kinds, children, strict numbers, and complaints that name the place.
 *
 *     "study.yaml:4:14: solver.viscosity: `0,001` is not a number: the decimal sign is a point" */
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/study/document_tree.h"
#include "core/study/number.h"
#include "core/units.h"

locum_yaml_kind locum_yaml_kind_of(const locum_yaml *node)
{
    return node ? node->kind : LOCUM_YAML_SCALAR;
}

locum_origin locum_yaml_origin(const locum_yaml *node)
{
    return node ? node->origin : LOCUM_FROM_DEFAULT;
}

const locum_yaml *locum_yaml_find(const locum_yaml *mapping, const char *key)
{
    if (!mapping || mapping->kind != LOCUM_YAML_MAPPING) return NULL;
    for (int i = 0; i < mapping->n; i++) {
        if (!strcmp(mapping->keys[i].name, key)) return mapping->items[i];
    }
    return NULL;
}

int locum_yaml_n(const locum_yaml *node)
{
    return node ? node->n : 0;
}

const locum_yaml *locum_yaml_item(const locum_yaml *node, int i)
{
    return node && i >= 0 && i < node->n ? node->items[i] : NULL;
}

const char *locum_yaml_key(const locum_yaml *mapping, int i)
{
    if (!mapping || mapping->kind != LOCUM_YAML_MAPPING || i < 0 || i >= mapping->n) return NULL;
    return mapping->keys[i].name;
}

const char *locum_yaml_string(const locum_yaml *node)
{
    return node && node->kind == LOCUM_YAML_SCALAR ? node->text : NULL;
}

/* ---- complaints ---- */

void locum_yaml_path(const locum_yaml *node, char out[LOCUM_PATH_SIZE])
{
    const locum_yaml *chain[2 * LOCUM_DOCUMENT_DEPTH];
    int depth = 0;
    size_t used = 0;
    out[0] = 0;
    for (; node && node->parent && depth < 2 * LOCUM_DOCUMENT_DEPTH; node = node->parent) chain[depth++] = node;
    while (depth-- > 0 && used < 400) {
        if (!chain[depth]->key) continue;
        int n = snprintf(out + used, LOCUM_PATH_SIZE - used, "%s%.60s", used ? "." : "", chain[depth]->key);
        used += (size_t)n;
    }
}

locum_status locum_yaml_fail(const locum_yaml *node, const char *format, ...)
{
    char where[LOCUM_PATH_SIZE + 32] = "study", what[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    if (node) locum_yaml_place_text(node->document, node->place, where);
    return LOCUM_FAIL(LOCUM_STUDY, "%s: %s", where, what);
}

locum_status locum_yaml_fail_value(const locum_yaml *node, const char *format, ...)
{
    char path[LOCUM_PATH_SIZE], what[768];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    locum_yaml_path(node, path);
    return locum_yaml_fail(node, "%s%s%s", path, path[0] ? ": " : "", what);
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c == '-' ? '_' : c;
}

/* Levenshtein distance with swaps of neighbours (optimal string alignment), case and - _ ignored; up to 63 characters
 */
static int edit_distance(const char *a, const char *b)
{
    enum { LONGEST = 63 };
    int rows[3][LONGEST + 1], *before = rows[0], *last = rows[1], *row = rows[2];
    int n_a = (int)strlen(a), n_b = (int)strlen(b);
    if (n_a > LONGEST || n_b > LONGEST) return LONGEST;
    for (int j = 0; j <= n_b; j++) last[j] = j;
    for (int i = 1; i <= n_a; i++) {
        row[0] = i;
        for (int j = 1; j <= n_b; j++) {
            int different = lower(a[i - 1]) != lower(b[j - 1]), best = last[j - 1] + different;
            if (last[j] + 1 < best) best = last[j] + 1;
            if (row[j - 1] + 1 < best) best = row[j - 1] + 1;
            bool swapped = i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) && lower(a[i - 2]) == lower(b[j - 1]);
            if (swapped && before[j - 2] + 1 < best) best = before[j - 2] + 1;
            row[j] = best;
        }
        int *spare = before;
        before = last, last = row, row = spare;
    }
    return last[n_b];
}

const char *locum_nearest_name(const char *word, int n, const char *const *names)
{
    const char *nearest = NULL;
    int n_word = (int)strlen(word), allowed = n_word <= 3 ? 1 : n_word <= 7 ? 2 : n_word / 3, best = allowed + 1;
    for (int i = 0; i < n; i++) {
        int distance = edit_distance(word, names[i]);
        if (distance < best) best = distance, nearest = names[i];
    }
    for (int i = 0; i < n && !nearest && n_word >= 3; i++) { /* `visc` means `viscosity` */
        if (!strncmp(word, names[i], (size_t)n_word)) nearest = names[i];
    }
    return nearest;
}

void locum_list_names(int n, const char *const *names, char *out, size_t size)
{
    size_t used = 0;
    out[0] = 0;
    for (int i = 0; i < n; i++) {
        if (used + strlen(names[i]) + 8 > (size < 320 ? size : 320)) {
            snprintf(out + used, size - used, ", ...");
            return;
        }
        used += (size_t)snprintf(out + used, size - used, "%s%s", i ? ", " : "", names[i]);
    }
}

locum_status locum_yaml_unknown_key(const locum_yaml *mapping, int i, int n_known, const char *const *known)
{
    char where[LOCUM_PATH_SIZE + 32], path[LOCUM_PATH_SIZE], list[512];
    const char *key = mapping->keys[i].name, *nearest = locum_nearest_name(key, n_known, known);
    locum_yaml_place_text(mapping->document, mapping->keys[i].place, where);
    locum_yaml_path(mapping, path);
    locum_list_names(n_known, known, list, sizeof list);
    const locum_yaml *before = i > 0 ? mapping->items[i - 1] : NULL;
    if (key[strspn(key, "0123456789e+-")] == 0 && before && before->kind == LOCUM_YAML_SCALAR) /* {drag: 0,001} */
        return LOCUM_FAIL(LOCUM_STUDY,
                          "%s: `%.60s,%.60s` is not a number: the decimal sign is a point (between braces a comma "
                          "begins the next option)",
                          where, before->text, key);
    return LOCUM_FAIL(LOCUM_STUDY, "%s: unknown option `%.60s` of %s%s%s%s (known: %s)", where, key,
                      path[0] ? path : "the study", nearest ? "; did you mean `" : "", nearest ? nearest : "",
                      nearest ? "`?" : "", list);
}

/* ---- values ---- */

/* a plain scalar, or a complaint that says what was found instead of `expected` */
static locum_status expect_plain(const locum_yaml *node, const char *expected)
{
    if (!node) return LOCUM_FAIL(LOCUM_STUDY, "%s is missing", expected);
    if (node->kind != LOCUM_YAML_SCALAR)
        return locum_yaml_fail_value(node, "expected %s, found a %s", expected,
                                     node->kind == LOCUM_YAML_LIST ? "list" : "mapping");
    if (!node->plain)
        return locum_yaml_fail_value(node, "expected %s, found the text \"%.60s\": remove the quotes", expected,
                                     node->text);
    if (!node->text[0]) return locum_yaml_fail_value(node, "expected %s, found nothing", expected);
    return LOCUM_OK;
}

static locum_status fail_number(const locum_yaml *node, const char *text)
{
    char complaint[256];
    locum_number_complaint(text, complaint, sizeof complaint);
    return locum_yaml_fail_value(node, "%s", complaint);
}

/* what stands behind the number, as a factor that turns it into the option's unit */
static locum_status unit_factor(const locum_yaml *node, const char *from, const char *unit, double *factor)
{
    char complaint[384];
    if (!unit || !strcmp(unit, "1"))
        return locum_yaml_fail_value(node, "`%.60s`: this is a pure number, it takes no unit: remove `%.40s`",
                                     node->text, from);
    if (!locum_unit_factor(from, unit, factor)) return LOCUM_OK;
    snprintf(complaint, sizeof complaint, "%s", locum_status_message());
    return locum_yaml_fail_value(node, "`%.60s`: %s (the option's unit is %.40s)", node->text, complaint, unit);
}

locum_status locum_yaml_f64(const locum_yaml *node, const char *unit, double *value)
{
    bool whole;
    double number, factor = 1;
    LOCUM_TRY(expect_plain(node, "a number"));
    size_t n = locum_number_length(node->text, &whole);
    const char *rest = node->text + n;
    if (!n || (*rest && *rest != ' ') || !locum_number_value(node->text, n, &number))
        return fail_number(node, node->text);
    rest += strspn(rest, " ");
    if (*rest) LOCUM_TRY(unit_factor(node, rest, unit, &factor));
    if (!isfinite(number * factor)) return locum_yaml_fail_value(node, "`%.60s` does not fit in a double", node->text);
    *value = number * factor;
    return LOCUM_OK;
}

locum_status locum_yaml_i64(const locum_yaml *node, int64_t *value)
{
    bool whole;
    LOCUM_TRY(expect_plain(node, "a whole number"));
    size_t n = locum_number_length(node->text, &whole);
    if (n && !node->text[n] && !whole)
        return locum_yaml_fail_value(node, "expected a whole number, found `%.60s`: write its digits only", node->text);
    if (n && node->text[n] == ' ')
        return locum_yaml_fail_value(node, "expected a whole number, found `%.60s`: it takes no unit", node->text);
    if (!n || node->text[n]) return fail_number(node, node->text);
    errno = 0;
    long long number = strtoll(node->text, NULL, 10);
    if (errno) return locum_yaml_fail_value(node, "`%.60s` does not fit in 64 bits", node->text);
    *value = number;
    return LOCUM_OK;
}

locum_status locum_yaml_bool(const locum_yaml *node, bool *value)
{
    LOCUM_TRY(expect_plain(node, "true or false"));
    if (strcmp(node->text, "true") && strcmp(node->text, "false"))
        return locum_yaml_fail_value(node, "expected true or false, found `%.60s`", node->text);
    *value = !strcmp(node->text, "true");
    return LOCUM_OK;
}
