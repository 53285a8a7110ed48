/* SPDX-License-Identifier: BSD-3-Clause */
/* yaml_write.c - nodes back into text: as they were, or in the canonical form that hashes are made of.
 *
 *     mapping -> one `key: value` a line, nested ones indented by two     list -> [a, b]
 *     canonical: keys sorted, 1e-3 -> 0.001 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/memory.h"
#include "core/study/document_tree.h"
#include "core/study/number.h"

/* would YAML (1.1 or 1.2, here or inside [ ]) read this plain text as something else than this text? */
static bool needs_quotes(const char *text, bool keep_number)
{
    static const char *const words[] = {"true", "false", "yes", "no",   "on",   "off",   "y",
                                        "n",    "null",  "~",   ".nan", ".inf", "-.inf", "+.inf"};
    bool whole;
    size_t n = strlen(text), number = locum_number_length(text, &whole);
    if (!n) return true;
    if (number && !keep_number) return true;
    if (!keep_number && strchr("+-.0123456789", text[0])) return true;
    if (strchr("-?:,[]{}#&*!|>'\"%@` ", text[0]) && !number) return true;
    if (text[n - 1] == ' ' || text[n - 1] == ':') return true;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (!strcasecmp(text, words[i])) return !keep_number;
    }
    for (const char *p = text; *p; p++) {
        if ((unsigned char)*p < 32 || *p == 127 || strchr(",[]{}", *p)) return true;
        if ((*p == ':' && p[1] == ' ') || (*p == ' ' && p[1] == '#')) return true;
    }
    return false;
}

void locum_yaml_write_scalar(const char *text, bool keep_number, locum_text *out)
{
    if (needs_quotes(text, keep_number))
        locum_text_json_string(out, text);
    else
        locum_text_add(out, "%s", text);
}

static void write_scalar(const locum_yaml *node, bool canonical, locum_text *out)
{
    bool whole;
    double value;
    if (canonical && node->plain) {
        size_t n = locum_number_length(node->text, &whole);
        const char *rest = node->text + n;
        if (n && (!*rest || *rest == ' ') && !whole && locum_number_value(node->text, n, &value)) {
            locum_text_number(out, value);
            locum_text_add(out, "%s", rest);
            return;
        }
    }
    if (node->plain && !node->text[0]) return; /* nothing stays nothing */
    locum_yaml_write_scalar(node->text, node->plain, out);
}

static int by_name(const void *a, const void *b)
{
    const locum_yaml *const *x = a, *const *y = b;
    return strcmp((*x)->key, (*y)->key);
}

/* the items in the order they are written in; free(). Out of memory goes into out->status. */
static const locum_yaml **ordered_items(const locum_yaml *node, bool canonical, locum_text *out)
{
    const locum_yaml **items = NULL;
    locum_status st = LOCUM_NEW(&items, node->n + 1);
    if (st) {
        if (!out->status) out->status = st;
        return NULL;
    }
    for (int i = 0; i < node->n; i++) items[i] = node->items[i];
    if (canonical && node->kind == LOCUM_YAML_MAPPING) qsort(items, (size_t)node->n, sizeof *items, by_name);
    return items;
}

static void write_flow(const locum_yaml *node, bool canonical, locum_text *out)
{
    if (node->kind == LOCUM_YAML_SCALAR) {
        write_scalar(node, canonical, out);
        return;
    }
    bool mapping = node->kind == LOCUM_YAML_MAPPING;
    const locum_yaml **items = ordered_items(node, canonical, out);
    locum_text_add(out, mapping ? "{" : "[");
    for (int i = 0; items && i < node->n; i++) {
        if (i) locum_text_add(out, ", ");
        if (mapping) {
            locum_yaml_write_scalar(items[i]->key, true, out);
            locum_text_add(out, ": ");
        }
        write_flow(items[i], canonical, out);
    }
    locum_text_add(out, mapping ? "}" : "]");
    free(items);
}

static void write_block(const locum_yaml *node, int indent, bool canonical, locum_text *out)
{
    const locum_yaml **items = ordered_items(node, canonical, out);
    for (int i = 0; items && i < node->n; i++) {
        locum_text_add(out, "%*s", indent, "");
        locum_yaml_write_scalar(items[i]->key, true, out);
        if (items[i]->kind == LOCUM_YAML_MAPPING && items[i]->n) {
            locum_text_add(out, ":\n");
            write_block(items[i], indent + 2, canonical, out);
        } else {
            locum_text_add(out, ": ");
            write_flow(items[i], canonical, out);
            locum_text_add(out, "\n");
        }
    }
    free(items);
}

void locum_yaml_write(const locum_yaml *node, int indent, locum_text *out)
{
    if (!node) return;
    if (node->kind == LOCUM_YAML_MAPPING && node->n)
        write_block(node, indent, false, out);
    else
        write_flow(node, false, out);
}

void locum_yaml_write_canonical(const locum_yaml *node, int indent, locum_text *out)
{
    if (!node) return;
    if (node->kind == LOCUM_YAML_MAPPING && node->n)
        write_block(node, indent, true, out);
    else
        write_flow(node, true, out);
}
