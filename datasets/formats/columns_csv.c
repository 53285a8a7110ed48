/* SPDX-License-Identifier: BSD-3-Clause */
/* columns_csv.c - columns from CSV (RFC 4180): a header line of names, then one row of numbers a line. Commas
 * separate; a cell may stand in quotes ("" is a quote inside); lines end with \n or \r\n; blank lines are skipped, a
 * byte-order mark too. Numbers are decimal with a point, whatever the locale, and finite. The file is read whole and
 * cut into cells in place. Left out: other separators, comments, text columns that are asked for. */
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/study/commit.h"
#include "core/text.h"
#include "datasets/formats/columns_internal.h"

#define FILE_LIMIT ((size_t)1 << 32) /* most bytes of a file */

/* --- cells --------------------------------------------------------------------------------------------- */
typedef struct scanner {
    const char *path;
    char *at, *end;
    int64_t line;      /* of the cell that comes next, from 1 */
    int64_t cell_line; /* of the latest cell */
    bool last;         /* the latest cell ended its line */
} scanner;

static bool is_done(scanner *s)
{
    while (s->at < s->end && (*s->at == '\n' || (*s->at == '\r' && (s->at + 1 == s->end || s->at[1] == '\n')))) {
        s->line += *s->at == '\n';
        s->at++;
    }
    return s->at >= s->end;
}

/* after a cell: a comma, or the end of the line */
static locum_status end_cell(scanner *s, char *close)
{
    s->last = true;
    if (s->at < s->end && *s->at == '\r' && (s->at + 1 == s->end || s->at[1] == '\n')) s->at++;
    if (s->at < s->end) {
        LOCUM_REQUIRE(*s->at == ',' || *s->at == '\n', LOCUM_INPUT, "%s:%" PRId64 ": text behind a closing quote",
                      s->path, s->line);
        s->last = *s->at == '\n';
        s->line += s->last;
        s->at++;
    }
    *close = 0;
    return LOCUM_OK;
}

static locum_status quoted_cell(scanner *s, char **cell)
{
    char *out = ++s->at;

    *cell = out;
    while (s->at < s->end && (*s->at != '"' || (s->at + 1 < s->end && s->at[1] == '"'))) {
        if (*s->at == '"') s->at++;
        s->line += *s->at == '\n';
        *out++ = *s->at++;
    }
    LOCUM_REQUIRE(s->at < s->end, LOCUM_INPUT, "%s:%" PRId64 ": a quote that nobody closes", s->path, s->cell_line);
    s->at++;
    while (s->at < s->end && (*s->at == ' ' || *s->at == '\t')) s->at++;
    return end_cell(s, out);
}

/* the next cell, 0-terminated inside the file's bytes, without blanks around it */
static locum_status next_cell(scanner *s, char **cell)
{
    while (s->at < s->end && (*s->at == ' ' || *s->at == '\t')) s->at++;
    s->cell_line = s->line;
    if (s->at < s->end && *s->at == '"') return quoted_cell(s, cell);
    char *close = *cell = s->at;
    for (; s->at < s->end && *s->at != ',' && *s->at != '\n'; s->at++) {
        if (*s->at == '\r' && (s->at + 1 == s->end || s->at[1] == '\n')) break;
        if (*s->at != ' ' && *s->at != '\t') close = s->at + 1;
    }
    return end_cell(s, close);
}

/* --- header -------------------------------------------------------------------------------------------- */
typedef struct column { /* one column of the file: where its numbers go; ask = -1: nobody asked */
    int ask;
    int64_t part;
} column;

typedef struct header {
    column *columns;
    int64_t n, capacity;
    char list[LOCUM_COLUMNS_LIST];
} header;

static column match(const char *cell, int n, const char *const *name, const int64_t *extent)
{
    char numbered[256];

    for (int c = 0; c < n; c++) {
        if (extent[c] == 1 && !strcmp(cell, name[c])) return (column){c, 0};
        size_t length = strlen(name[c]);
        if (strncmp(cell, name[c], length) || cell[length] != '[') continue;
        int64_t part = strtoll(cell + length + 1, NULL, 10);
        locum_format(numbered, sizeof numbered, "%s[%" PRId64 "]", name[c], part);
        if (part >= 0 && part < extent[c] && !strcmp(cell, numbered)) return (column){c, part};
    }
    return (column){-1, 0};
}

static locum_status add_column(const scanner *s, header *h, column found, const char *cell)
{
    for (int64_t k = 0; k < h->n && found.ask >= 0; k++)
        LOCUM_REQUIRE(h->columns[k].ask != found.ask || h->columns[k].part != found.part, LOCUM_INPUT,
                      "%s:%" PRId64 ": column `%s` stands twice", s->path, s->cell_line, cell);
    if (h->n == h->capacity) {
        column *larger = NULL;
        int64_t capacity = h->capacity ? 2 * h->capacity : 64;
        LOCUM_TRY(LOCUM_NEW(&larger, capacity));
        if (h->n) memcpy(larger, h->columns, (size_t)h->n * sizeof *larger);
        free(h->columns);
        h->columns = larger;
        h->capacity = capacity;
    }
    h->columns[h->n++] = found;
    locum_columns_list(h->list, cell);
    return LOCUM_OK;
}

static locum_status read_header(scanner *s, header *h, int n, const char *const *name, const int64_t *extent)
{
    char *cell;

    LOCUM_REQUIRE(!is_done(s), LOCUM_INPUT,
                  "%s: the file is empty; it needs a header line with the names of the columns", s->path);
    do {
        LOCUM_TRY(next_cell(s, &cell));
        LOCUM_TRY(add_column(s, h, match(cell, n, name, extent), cell));
    } while (!s->last);
    for (int c = 0; c < n; c++)
        for (int64_t part = 0; part < extent[c]; part++) {
            bool found = false;
            for (int64_t k = 0; k < h->n; k++) found = found || (h->columns[k].ask == c && h->columns[k].part == part);
            if (found) continue;
            if (extent[c] == 1)
                return LOCUM_FAIL(LOCUM_INPUT, "%s:1: there is no column `%s`; there are %s", s->path, name[c],
                                  h->list);
            return LOCUM_FAIL(LOCUM_INPUT,
                              "%s:1: there is no column `%s[%" PRId64 "]` (%s has %" PRId64
                              " values a row); there are %s",
                              s->path, name[c], part, name[c], extent[c], h->list);
        }
    return LOCUM_OK;
}

/* --- rows ---------------------------------------------------------------------------------------------- */
static locum_status read_number(const scanner *s, const char *cell, const char *name, double *value)
{
    char *end = NULL;
    bool plain = *cell && cell[strspn(cell, "0123456789+-.eE")] == 0;

    *value = plain ? locum_parse_number(cell, &end) : NAN;
    LOCUM_REQUIRE(plain && !*end && isfinite(*value), LOCUM_INPUT,
                  "%s:%" PRId64 ": `%.40s` in column `%s` is not a finite number", s->path, s->cell_line, cell, name);
    return LOCUM_OK;
}

static locum_status read_row(scanner *s, const header *h, const char *const *name, const int64_t *extent, int64_t row,
                             double **values)
{
    char *cell;
    int64_t k = 0, line = s->line;

    do {
        LOCUM_TRY(next_cell(s, &cell));
        if (k < h->n && h->columns[k].ask >= 0) {
            int c = h->columns[k].ask;
            LOCUM_TRY(read_number(s, cell, name[c], &values[c][row * extent[c] + h->columns[k].part]));
        }
        k++;
    } while (!s->last);
    LOCUM_REQUIRE(k == h->n, LOCUM_INPUT, "%s:%" PRId64 ": %" PRId64 " cells, but the header has %" PRId64, s->path,
                  line, k, h->n);
    return LOCUM_OK;
}

/* at most as many rows as lines */
static int64_t count_lines(const scanner *s)
{
    int64_t n = 1;
    for (const char *c = s->at; c < s->end; c++) n += *c == '\n';
    return n;
}

static locum_status read_rows(scanner *s, const header *h, int n, const char *const *name, const int64_t *extent,
                              int64_t *rows, double **values)
{
    int64_t most = count_lines(s);

    LOCUM_REQUIRE(most <= LOCUM_COLUMNS_ROWS_MAX, LOCUM_INPUT, "%s: more than %" PRId64 " rows", s->path,
                  LOCUM_COLUMNS_ROWS_MAX);
    for (int c = 0; c < n; c++) LOCUM_TRY(LOCUM_NEW(&values[c], most * extent[c]));
    while (!is_done(s)) LOCUM_TRY(read_row(s, h, name, extent, (*rows)++, values));
    LOCUM_REQUIRE(*rows, LOCUM_INPUT, "%s: there are no rows behind the header", s->path);
    return LOCUM_OK;
}

locum_status locum_columns_read_csv(const char *path, int n, const char *const *name, const int64_t *extent,
                                    int64_t *rows, double **values)
{
    char *bytes = NULL;
    size_t size = 0;
    header h = {0};

    LOCUM_TRY(locum_read_bytes(path, FILE_LIMIT, &bytes, &size));
    scanner s = {.path = path, .at = bytes, .end = bytes + size, .line = 1};
    if (size >= 3 && !memcmp(bytes, "\xef\xbb\xbf", 3)) s.at += 3;
    locum_status st = read_header(&s, &h, n, name, extent);
    if (!st) st = read_rows(&s, &h, n, name, extent, rows, values);
    free(h.columns);
    free(bytes);
    return st;
}
