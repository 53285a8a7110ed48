/* SPDX-License-Identifier: BSD-3-Clause */
/* json.c - a strict JSON reader (RFC 8259) for input that nobody vouches for.
 *
 *     nodes   one array in document order; children of a node form a list: first, next, next, ...
 *     text    one array of keys and strings, unescaped, each ending with 0. It never outgrows the source: a string
 *             loses two quotes and wins one 0, and no escape is shorter than what it stands for.
 *
 * Memory is bounded before the first byte is read: min(max_nodes, n / 2 + 1) nodes, n bytes of text. Work is
 * O(n log n): keys of an object are sorted once to find duplicates. Nesting is capped, so recursion is too.
 * Leaves out: NUL inside strings (refused: texts end with 0), numbers beyond double (refused), byte order marks. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/json.h"
#include "core/memory.h"
#include "core/text.h"

enum { DEPTH_MAX = 32, NUMBER_MAX = 320 };

typedef struct node {
    locum_json_kind kind;
    bool is_true, is_integer;
    int32_t next, first; /**< next sibling, first child; -1 = none */
    int32_t n;           /**< children */
    int32_t key, string; /**< offsets into text; -1 = none */
    double number;
    int64_t integer;
} node;

struct locum_json {
    node *nodes;
    char *text;
    int32_t n_nodes;
};

typedef struct reader {
    const char *bytes;
    size_t n, at;
    locum_json *json;
    int32_t nodes_max;
    size_t text_n;
    const char **keys; /**< [nodes_max], scratch of the search for duplicates; made by the first object that needs it */
} reader;

static locum_status damaged(const reader *r, const char *what)
{
    return LOCUM_FAIL(LOCUM_DAMAGED, "JSON, byte %zu: %s", r->at, what);
}

static void skip_space(reader *r)
{
    while (r->at < r->n && strchr(" \t\n\r", r->bytes[r->at]) && r->bytes[r->at]) r->at++;
}

/* the byte at the cursor; 0 at the end (a 0 byte in the source is nowhere allowed either) */
static char peek(const reader *r)
{
    return r->at < r->n ? r->bytes[r->at] : 0;
}

/* Length of the UTF-8 character at s, 0 if it is not valid: too long forms, surrogates, beyond U+10FFFF. */
static size_t utf8_length(const unsigned char *s, size_t n)
{
    size_t length = s[0] < 0x80 ? 1 : s[0] < 0xC2 ? 0 : s[0] < 0xE0 ? 2 : s[0] < 0xF0 ? 3 : s[0] < 0xF5 ? 4 : 0;

    if (length > n) return 0;
    for (size_t i = 1; i < length; i++)
        if ((s[i] & 0xC0) != 0x80) return 0;
    if (length == 3 && ((s[0] == 0xE0 && s[1] < 0xA0) || (s[0] == 0xED && s[1] >= 0xA0))) return 0;
    if (length == 4 && ((s[0] == 0xF0 && s[1] < 0x90) || (s[0] == 0xF4 && s[1] >= 0x90))) return 0;
    return length;
}

static void put_utf8(reader *r, uint32_t c)
{
    char *out = r->json->text + r->text_n;

    if (c < 0x80) {
        out[0] = (char)c;
        r->text_n += 1;
    } else if (c < 0x800) {
        out[0] = (char)(0xC0 | c >> 6);
        out[1] = (char)(0x80 | (c & 63));
        r->text_n += 2;
    } else if (c < 0x10000) {
        out[0] = (char)(0xE0 | c >> 12);
        out[1] = (char)(0x80 | (c >> 6 & 63));
        out[2] = (char)(0x80 | (c & 63));
        r->text_n += 3;
    } else {
        out[0] = (char)(0xF0 | c >> 18);
        out[1] = (char)(0x80 | (c >> 12 & 63));
        out[2] = (char)(0x80 | (c >> 6 & 63));
        out[3] = (char)(0x80 | (c & 63));
        r->text_n += 4;
    }
}

/* four hex digits at the cursor; false if they are not */
static bool read_hex(reader *r, uint32_t *c)
{
    *c = 0;
    for (int i = 0; i < 4; i++, r->at++) {
        char x = peek(r);
        int digit = x >= '0' && x <= '9'   ? x - '0'
                    : x >= 'a' && x <= 'f' ? x - 'a' + 10
                    : x >= 'A' && x <= 'F' ? x - 'A' + 10
                                           : -1;
        if (digit < 0) return false;
        *c = *c << 4 | (uint32_t)digit;
    }
    return true;
}

/* the cursor stands behind "\u" */
static locum_status read_unicode(reader *r)
{
    uint32_t c, low;

    if (!read_hex(r, &c)) return damaged(r, "\\u needs four hexadecimal digits");
    if (c == 0) return damaged(r, "a NUL character in a string");
    if (c >= 0xDC00 && c < 0xE000) return damaged(r, "half a surrogate pair");
    if (c >= 0xD800 && c < 0xDC00) {
        if (r->n - r->at < 6 || r->bytes[r->at] != '\\' || r->bytes[r->at + 1] != 'u')
            return damaged(r, "half a surrogate pair");
        r->at += 2;
        if (!read_hex(r, &low) || low < 0xDC00 || low >= 0xE000) return damaged(r, "half a surrogate pair");
        c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
    }
    put_utf8(r, c);
    return LOCUM_OK;
}

static locum_status read_escape(reader *r)
{
    static const char pairs[] = "\"\"\\\\//b\bf\fn\nr\rt\t"; /* letter behind the backslash, character */
    char letter = peek(r);

    if (!letter) return damaged(r, "the text ends within a string");
    r->at++;
    if (letter == 'u') return read_unicode(r);
    for (const char *pair = pairs; *pair; pair += 2)
        if (*pair == letter) {
            r->json->text[r->text_n++] = pair[1];
            return LOCUM_OK;
        }
    r->at--;
    return damaged(r, "an unknown escape");
}

/* a string at the cursor -> text; *offset is where it begins */
static locum_status read_string(reader *r, int32_t *offset)
{
    if (peek(r) != '"') return damaged(r, "a string must begin here");
    r->at++;
    *offset = (int32_t)r->text_n;
    while (r->at < r->n && r->bytes[r->at] != '"') {
        unsigned char c = (unsigned char)r->bytes[r->at];
        if (c < 0x20) return damaged(r, "a control character in a string");
        if (c == '\\') {
            r->at++;
            LOCUM_TRY(read_escape(r));
            continue;
        }
        size_t length = utf8_length((const unsigned char *)r->bytes + r->at, r->n - r->at);
        if (!length) return damaged(r, "not valid UTF-8");
        memcpy(r->json->text + r->text_n, r->bytes + r->at, length);
        r->text_n += length;
        r->at += length;
    }
    if (r->at >= r->n) return damaged(r, "the text ends within a string");
    r->at++;
    r->json->text[r->text_n++] = 0;
    return LOCUM_OK;
}

static size_t skip_digits(reader *r)
{
    size_t before = r->at;

    while (peek(r) >= '0' && peek(r) <= '9') r->at++;
    return r->at - before;
}

/* -? (0 | [1-9][0-9]*) (. [0-9]+)? ([eE] [+-]? [0-9]+)? */
static locum_status read_number(reader *r, node *out)
{
    size_t begin = r->at;
    char copy[NUMBER_MAX + 1], *end;
    bool whole = true;

    if (peek(r) == '-') r->at++;
    size_t integer_begin = r->at, digits = skip_digits(r);
    if (!digits) return damaged(r, "a value must begin here");
    if (digits > 1 && r->bytes[integer_begin] == '0') return damaged(r, "a number with a leading zero");
    if (peek(r) == '.') {
        r->at++;
        whole = false;
        if (!skip_digits(r)) return damaged(r, "digits must follow the point");
    }
    if (peek(r) == 'e' || peek(r) == 'E') {
        r->at++;
        whole = false;
        if (peek(r) == '+' || peek(r) == '-') r->at++;
        if (!skip_digits(r)) return damaged(r, "an exponent without digits");
    }
    if (r->at - begin > NUMBER_MAX) return damaged(r, "a number with too many digits");
    memcpy(copy, r->bytes + begin, r->at - begin);
    copy[r->at - begin] = 0;

    out->kind = LOCUM_JSON_NUMBER;
    out->number = locum_parse_number(copy, &end);
    if (*end || !isfinite(out->number)) return damaged(r, "a number too large for a double");
    if (whole && r->at - begin <= 20) { /* beyond 2^53 a literal may still be an exact int64 */
        uint64_t value = 0;
        bool negative = copy[0] == '-', fits = true;
        for (const char *digit = copy + negative; *digit; digit++) {
            fits = fits && value <= (UINT64_MAX - (uint64_t)(*digit - '0')) / 10;
            value = value * 10 + (uint64_t)(*digit - '0');
        }
        out->is_integer = fits && value <= (uint64_t)INT64_MAX + negative;
        if (out->is_integer) out->integer = negative ? (int64_t)-value : (int64_t)value;
    } else if (fabs(out->number) <= 0x1p53 && out->number == floor(out->number)) {
        out->is_integer = true; /* 1e+15, as shortest decimals write it */
        out->integer = (int64_t)out->number;
    }
    return LOCUM_OK;
}

static locum_status read_word(reader *r, const char *word)
{
    size_t n = strlen(word);

    if (r->n - r->at < n || memcmp(r->bytes + r->at, word, n)) return damaged(r, "a value must begin here");
    r->at += n;
    return LOCUM_OK;
}

static int compare_keys(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static locum_status refuse_duplicates(reader *r, int32_t object)
{
    const locum_json *json = r->json;
    int32_t n = 0;

    if (json->nodes[object].n < 2) return LOCUM_OK;
    if (!r->keys) LOCUM_TRY(LOCUM_NEW(&r->keys, r->nodes_max));
    for (int32_t i = json->nodes[object].first; i >= 0; i = json->nodes[i].next)
        r->keys[n++] = json->text + json->nodes[i].key;
    qsort(r->keys, (size_t)n, sizeof *r->keys, compare_keys);
    for (int32_t i = 1; i < n; i++)
        if (!strcmp(r->keys[i - 1], r->keys[i]))
            return LOCUM_FAIL(LOCUM_DAMAGED, "JSON, object that ends at byte %zu: the key '%.80s' stands there twice",
                              r->at, r->keys[i]);
    return LOCUM_OK;
}

static locum_status read_value(reader *r, int depth, int32_t key, int32_t *index);

/* items or members up to the closing bracket; the cursor stands behind the opening one */
static locum_status read_children(reader *r, int depth, int32_t parent, bool object)
{
    char close = object ? '}' : ']';
    int32_t last = -1, child;

    skip_space(r);
    if (peek(r) == close) {
        r->at++;
        return LOCUM_OK;
    }
    for (;;) {
        int32_t key = -1;
        skip_space(r);
        if (object) {
            LOCUM_TRY(read_string(r, &key));
            skip_space(r);
            if (peek(r) != ':') return damaged(r, "a colon must follow the key");
            r->at++;
        }
        LOCUM_TRY(read_value(r, depth + 1, key, &child));
        if (last < 0)
            r->json->nodes[parent].first = child;
        else
            r->json->nodes[last].next = child;
        last = child;
        r->json->nodes[parent].n++;
        skip_space(r);
        if (peek(r) == close) break;
        if (peek(r) != ',') return damaged(r, object ? "a comma or } must follow" : "a comma or ] must follow");
        r->at++;
    }
    r->at++;
    return object ? refuse_duplicates(r, parent) : LOCUM_OK;
}

static locum_status read_value(reader *r, int depth, int32_t key, int32_t *index)
{
    skip_space(r);
    if (r->at >= r->n) return damaged(r, "the text ends where a value must begin");
    if (depth > DEPTH_MAX) return damaged(r, "nested too deeply");
    if (r->json->n_nodes == r->nodes_max) return damaged(r, "more values than a reasonable file has");

    *index = r->json->n_nodes++;
    node *out = &r->json->nodes[*index]; /* the array never moves */
    *out = (node){.next = -1, .first = -1, .key = key, .string = -1};
    switch (peek(r)) {
    case '{':
    case '[':
        out->kind = peek(r) == '{' ? LOCUM_JSON_OBJECT : LOCUM_JSON_ARRAY;
        r->at++;
        return read_children(r, depth, *index, out->kind == LOCUM_JSON_OBJECT);
    case '"': out->kind = LOCUM_JSON_STRING; return read_string(r, &out->string);
    case 't':
    case 'f':
        out->kind = LOCUM_JSON_BOOL;
        out->is_true = peek(r) == 't';
        return read_word(r, out->is_true ? "true" : "false");
    case 'n': return read_word(r, "null");
    default: return read_number(r, out);
    }
}

locum_status locum_json_parse(const char *bytes, size_t n, int64_t max_nodes, locum_json **json)
{
    reader r = {.bytes = bytes, .n = n};
    int32_t root;

    *json = NULL;
    LOCUM_REQUIRE(n <= INT32_MAX - 1, LOCUM_DAMAGED, "JSON of %zu bytes is larger than 2 GiB", n);
    LOCUM_REQUIRE(max_nodes >= 1, LOCUM_ARG, "JSON: at least one value must be allowed, not %" PRId64, max_nodes);
    r.nodes_max = (int32_t)(max_nodes < (int64_t)(n / 2 + 1) ? max_nodes : (int64_t)(n / 2 + 1));

    locum_status st = LOCUM_NEW(&r.json, 1);
    if (!st) st = LOCUM_NEW(&r.json->nodes, r.nodes_max);
    if (!st) st = LOCUM_NEW(&r.json->text, n + 1);
    if (!st) st = read_value(&r, 1, -1, &root);
    if (!st) {
        skip_space(&r);
        if (r.at != n) st = damaged(&r, "something stands behind the end");
    }
    free(r.keys);
    if (st)
        locum_json_destroy(r.json);
    else
        *json = r.json;
    return st;
}

void locum_json_destroy(locum_json *json)
{
    if (!json) return;
    free(json->nodes);
    free(json->text);
    free(json);
}

/* the node, or NULL if there is none */
static const node *at(const locum_json *json, locum_json_node index)
{
    return json && index >= 0 && index < json->n_nodes ? &json->nodes[index] : NULL;
}

static const node *of_kind(const locum_json *json, locum_json_node index, locum_json_kind kind)
{
    const node *found = at(json, index);

    return found && found->kind == kind ? found : NULL;
}

locum_json_kind locum_json_kind_of(const locum_json *json, locum_json_node index)
{
    const node *found = at(json, index);

    return found ? found->kind : LOCUM_JSON_NULL;
}

locum_json_node locum_json_find(const locum_json *json, locum_json_node object, const char *key)
{
    const node *found = of_kind(json, object, LOCUM_JSON_OBJECT);

    for (int32_t i = found ? found->first : -1; i >= 0; i = json->nodes[i].next)
        if (!strcmp(json->text + json->nodes[i].key, key)) return i;
    return -1;
}

int64_t locum_json_n(const locum_json *json, locum_json_node index)
{
    const node *found = at(json, index);

    return found ? found->n : 0;
}

locum_json_node locum_json_first(const locum_json *json, locum_json_node index)
{
    const node *found = at(json, index);

    return found ? found->first : -1;
}

locum_json_node locum_json_next(const locum_json *json, locum_json_node index)
{
    const node *found = at(json, index);

    return found ? found->next : -1;
}

const char *locum_json_key(const locum_json *json, locum_json_node member)
{
    const node *found = at(json, member);

    return found && found->key >= 0 ? json->text + found->key : NULL;
}

const char *locum_json_string(const locum_json *json, locum_json_node index)
{
    const node *found = of_kind(json, index, LOCUM_JSON_STRING);

    return found ? json->text + found->string : NULL;
}

bool locum_json_number(const locum_json *json, locum_json_node index, double *value)
{
    const node *found = of_kind(json, index, LOCUM_JSON_NUMBER);

    if (found) *value = found->number;
    return found;
}

bool locum_json_integer(const locum_json *json, locum_json_node index, int64_t *value)
{
    const node *found = of_kind(json, index, LOCUM_JSON_NUMBER);

    if (!found || !found->is_integer) return false;
    *value = found->integer;
    return true;
}

bool locum_json_bool(const locum_json *json, locum_json_node index, bool *value)
{
    const node *found = of_kind(json, index, LOCUM_JSON_BOOL);

    if (found) *value = found->is_true;
    return found;
}
