/* SPDX-License-Identifier: BSD-3-Clause */
/* page.h - the HTML page that grows: escaped text, numbers, tables, pictures. One page, one file, nothing fetched. */
#ifndef CLI_REPORT_PAGE_H
#define CLI_REPORT_PAGE_H

#include "cli/report/figure.h"
#include "core/study/log.h"

typedef struct page {
    locum_text html;
    locum_log *log;
    bool no_pictures; /* there is no gnuplot */
    int n_pictures;
} page; /* starts as {0} */

/** Head and styles up to <main>; end: what follows it. */
void page_begin(page *p, const char *title);
void page_end(page *p);

/** Raw markup, printf-style. */
#define page_add(p, ...) locum_text_add(&(p)->html, __VA_ARGS__)
/** Escaped text. */
void page_text(page *p, const char *text);
/** Escaped, with a capital letter in front and a full stop and a blank behind; nothing for "". */
void page_sentence(page *p, const char *text);
/** 2026-11-24T22:43:12Z as people write it. */
void page_time(page *p, const char *text);
/** A number with up to three significant digits ("–" if not finite), a measured value with three, a time, a share in
 *  percent, a whole number with thin spaces. */
void page_number(page *p, double value);
void page_measure(page *p, double value);
void page_seconds(page *p, double seconds);
void page_percent(page *p, double share);
void page_count(page *p, double value);

/** <section id> with its heading and a first paragraph (markup; "" for none). */
void page_section(page *p, const char *id, const char *heading, const char *lead);
void page_section_end(page *p);

/** A table that scrolls inside its own box. Headings are separated by '|'; the first column is text, the others
 *  numbers unless the heading begins with '<'. Then rows of cells; each cell is written by the caller between
 *  page_cell() calls. */
void page_table(page *p, const char *headings);
void page_row(page *p);
void page_cell(page *p);
void page_table_end(page *p);

/** One entry of a legend: mark, colour and words. Between page_add("<p class=legend>") and </p>. */
void page_legend(page *p, figure_mark mark, const char *colour, const char *text);

/** Draws and embeds a figure with a caption (plain text) above it. Without gnuplot nothing appears. Local. */
locum_status page_figure(page *p, figure *f, const char *caption);
locum_status page_field(page *p, const figure_field *field, const char *caption);
/** The same for a script of one's own, its terminal included. */
locum_status page_script(page *p, const locum_text *script, const char *caption);

#endif
