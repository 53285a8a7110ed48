/* SPDX-License-Identifier: BSD-3-Clause */
/* page.c - text, numbers, tables. The look is in style.c, pictures are in picture.c. */
#include "cli/report/page.h"

#include <math.h>
#include <string.h>

#include "cli/report/style.h"
#include "cli/report/ticks.h"

void page_begin(page *p, const char *title)
{
    page_add(p, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"color-scheme\" "
                "content=\"light dark\">\n<title>");
    page_text(p, title);
    page_add(p, "</title>\n<style>\n%s</style>\n</head>\n<body>\n<main>\n", report_style);
}

void page_end(page *p)
{
    page_add(p, "</main>\n</body>\n</html>\n");
}

void page_text(page *p, const char *text)
{
    for (const char *c = text; *c; c++) {
        if (*c == '&')
            page_add(p, "&amp;");
        else if (*c == '<')
            page_add(p, "&lt;");
        else if (*c == '>')
            page_add(p, "&gt;");
        else if (*c == '"')
            page_add(p, "&quot;");
        else
            locum_text_bytes(&p->html, c, 1);
    }
}

void page_number(page *p, double value)
{
    char text[TICKS_TEXT];
    ticks_number(value, 3, text);
    page_text(p, text);
}

void page_measure(page *p, double value)
{
    char text[TICKS_TEXT];
    ticks_measure(value, 3, text);
    page_text(p, text);
}

void page_seconds(page *p, double seconds)
{
    char text[TICKS_TEXT];
    ticks_seconds(seconds, 3, text);
    page_text(p, text);
}

void page_percent(page *p, double share)
{
    char text[TICKS_TEXT];
    ticks_number(100 * share, 3, text);
    page_text(p, text);
    if (isfinite(share)) page_add(p, " %%");
}

void page_count(page *p, double value)
{
    char text[TICKS_TEXT];
    ticks_count(value, text);
    page_text(p, text);
}

void page_sentence(page *p, const char *text)
{
    size_t n = strlen(text);
    if (!n) return;
    if (text[0] >= 'a' && text[0] <= 'z') page_add(p, "%c", text[0] - 'a' + 'A');
    page_text(p, text[0] >= 'a' && text[0] <= 'z' ? text + 1 : text);
    page_add(p, text[n - 1] == '.' ? " " : ". ");
}

void page_time(page *p, const char *text)
{
    bool is_iso = strlen(text) == 20 && text[10] == 'T' && text[19] == 'Z';
    if (is_iso)
        page_add(p, "%.10s %.8s UTC", text, text + 11);
    else
        page_text(p, text);
}

void page_section(page *p, const char *id, const char *heading, const char *lead)
{
    page_add(p, "<section id=\"%s\">\n<h2>%s</h2>\n", id, heading);
    if (*lead) page_add(p, "<p>%s</p>\n", lead);
}

void page_section_end(page *p)
{
    page_add(p, "</section>\n");
}

/* --- tables -------------------------------------------------------------------------------------------- */
void page_table(page *p, const char *headings)
{
    bool is_text = true;
    page_add(p, "<div class=\"scroll\"><table>\n<thead><tr>");
    for (const char *h = headings; h;) {
        const char *bar = strchr(h, '|');
        int n = bar ? (int)(bar - h) : (int)strlen(h);
        if (*h == '<') is_text = true, h++, n--;
        page_add(p, "<th%s>%.*s</th>", is_text ? " class=\"text\"" : "", n, h);
        is_text = false;
        h = bar ? bar + 1 : NULL;
    }
    page_add(p, "</tr></thead>\n<tbody>\n<tr>");
}

/* rows and cells close what came before; an empty first row never appears, as page_row() follows page_table() */
void page_row(page *p)
{
    static const char open[] = "<tbody>\n<tr>";
    size_t n = sizeof open - 1;
    if (p->html.size >= n && !memcmp(p->html.data + p->html.size - n, open, n))
        page_add(p, "<td>");
    else
        page_add(p, "</td></tr>\n<tr><td>");
}

void page_cell(page *p)
{
    page_add(p, "</td><td>");
}

void page_table_end(page *p)
{
    page_add(p, "</td></tr>\n</tbody></table></div>\n");
}

void page_legend(page *p, figure_mark mark, const char *colour, const char *text)
{
    const char *paint = strcmp(colour, FIGURE_INK) ? colour : "currentColor";
    page_add(p, "<span><svg class=\"mark\" viewBox=\"0 0 26 12\" aria-hidden=\"true\">");
    switch (mark) {
    case FIGURE_LINE: page_add(p, "<path d=\"M1 6h24\" stroke=\"%s\" stroke-width=\"2\"/>", paint); break;
    case FIGURE_DASHED:
        page_add(p, "<path d=\"M1 6h24\" stroke=\"%s\" stroke-width=\"1.6\" stroke-dasharray=\"6 3\"/>", paint);
        break;
    case FIGURE_DOTS: page_add(p, "<circle cx=\"13\" cy=\"6\" r=\"3\" fill=\"%s\"/>", paint); break;
    case FIGURE_FAINT: page_add(p, "<circle cx=\"13\" cy=\"6\" r=\"2.5\" fill=\"%s\" opacity=\".38\"/>", paint); break;
    case FIGURE_RINGS:
        page_add(p, "<circle cx=\"13\" cy=\"6\" r=\"3.4\" fill=\"none\" stroke=\"%s\" stroke-width=\"1.4\"/>", paint);
        break;
    case FIGURE_SQUARES: page_add(p, "<path d=\"M8.5 1.5h9v9h-9z\" fill=\"%s\"/>", paint); break;
    case FIGURE_DIAMONDS: page_add(p, "<path d=\"M13 .5l5.5 5.5-5.5 5.5-5.5-5.5z\" fill=\"%s\"/>", paint); break;
    case FIGURE_WHISKERS: page_add(p, "<path d=\"M13 0v12\" stroke=\"%s\" stroke-width=\"1.6\"/>", paint); break;
    case FIGURE_SPANS:
        page_add(p, "<path d=\"M1 6h24\" stroke=\"%s\" stroke-width=\"8\" opacity=\".38\"/>", paint);
        break;
    case FIGURE_BAND: page_add(p, "<path d=\"M1 1h24v10H1z\" fill=\"%s\" opacity=\".22\"/>", paint); break;
    }
    page_add(p, "</svg>");
    page_text(p, text);
    page_add(p, "</span>\n");
}
