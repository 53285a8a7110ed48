/* SPDX-License-Identifier: BSD-3-Clause */
/* picture.c - gnuplot's SVG made fit for a page: prolog, name spaces and tooltips are left out, ids get a prefix
 * (several pictures share one document), black becomes the colour of the text, so that a picture is legible on a dark
 * page too. */
#include <string.h>

#include "cli/report/gnuplot.h"
#include "cli/report/page.h"

typedef struct rule {
    const char *from, *to; /* to: "%" stands for the prefix */
} rule;

static const rule rules[] = {
    {" xmlns=\"http://www.w3.org/2000/svg\"\n", ""},
    {" xmlns:xlink=\"http://www.w3.org/1999/xlink\"\n", ""},
    {"xlink:href='#", "href='#%"},
    {"xlink:href='data:", "href='data:"},
    {"url(#", "url(#%"},
    {" id='", " id='%"},
    {" id=\"", " id=\"%"},
    {"'black'", "'currentColor'"},
    {"\"black\"", "\"currentColor\""},
    {"'rgb(  0,   0,   0)'", "'currentColor'"},
    {"\"rgb(  0,   0,   0)\"", "\"currentColor\""},
};
static const rule smooth = {" shape-rendering='crispEdges'",
                            ""}; /* edges of bands; the steps of a colour bar stay crisp */
enum { N_RULES = sizeof rules / sizeof *rules };

/* if `c` begins an element that is left out (<title>...</title>), its end, else NULL */
static const char *skip_element(const char *c)
{
    static const char *const names[] = {"title", "desc"};
    for (int i = 0; i < 2; i++) {
        size_t n = strlen(names[i]);
        if (*c != '<' || strncmp(c + 1, names[i], n) || c[n + 1] != '>') continue;
        const char *end = strstr(c, "</");
        end = end ? strchr(end, '>') : NULL;
        if (end) return end + 1;
    }
    return NULL;
}

static bool applies(const rule *r, const char *c)
{
    return *c == r->from[0] && !strncmp(c, r->from, strlen(r->from));
}

static void rewrite(page *p, const char *svg, const char *prefix, bool is_smooth)
{
    const char *plain = svg;
    for (const char *c = svg; *c;) {
        const char *end = skip_element(c), *to = "";
        if (!end && is_smooth && applies(&smooth, c)) end = c + strlen(smooth.from);
        for (int r = 0; r < N_RULES && !end; r++)
            if (applies(&rules[r], c)) {
                end = c + strlen(rules[r].from);
                to = rules[r].to;
            }
        if (!end) {
            c++;
            continue;
        }
        locum_text_bytes(&p->html, plain, (size_t)(c - plain));
        const char *percent = strchr(to, '%');
        if (percent)
            page_add(p, "%.*s%s%s", (int)(percent - to), to, prefix, percent + 1);
        else
            page_add(p, "%s", to);
        plain = c = end;
    }
    page_add(p, "%s", plain);
}

/* draws a script that already has its terminal */
static locum_status embed(page *p, const locum_text *script, const char *caption, bool is_smooth)
{
    locum_text svg = {0};
    char prefix[16];
    locum_status st = gnuplot_draw(script, &svg);
    if (st == LOCUM_NOT_BUILT) p->no_pictures = true;
    if (st == LOCUM_NOT_BUILT || st == LOCUM_IO) {
        locum_log_warn(p->log, "no picture \"%s\": %s", caption, locum_status_message());
        locum_status_clear();
        st = LOCUM_OK;
    } else if (!st) {
        const char *root = svg.data ? strstr(svg.data, "<svg") : NULL;
        locum_format(prefix, sizeof prefix, "p%d_", ++p->n_pictures);
        page_add(p, "<figure><figcaption>");
        page_text(p, caption);
        page_add(p, "</figcaption>\n");
        if (root) rewrite(p, root, prefix, is_smooth);
        page_add(p, "</figure>\n");
    }
    locum_text_free(&svg);
    return st;
}

locum_status page_figure(page *p, figure *f, const char *caption)
{
    locum_text script = {0};
    if (p->no_pictures) return LOCUM_OK;
    figure_terminal_line(FIGURE_SVG, f->width, f->height, &script);
    figure_script(f, NULL, &script);
    locum_status st = embed(p, &script, caption, true);
    locum_text_free(&script);
    return st;
}

locum_status page_field(page *p, const figure_field *field, const char *caption)
{
    locum_text script = {0};
    if (p->no_pictures) return LOCUM_OK;
    figure_terminal_line(FIGURE_SVG, 380, 320, &script);
    figure_field_script(field, NULL, &script);
    locum_status st = embed(p, &script, caption, false);
    locum_text_free(&script);
    return st;
}

locum_status page_script(page *p, const locum_text *script, const char *caption)
{
    return p->no_pictures ? LOCUM_OK : embed(p, script, caption, false);
}
