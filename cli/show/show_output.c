/* SPDX-License-Identifier: BSD-3-Clause */
/* show_output.c - where a picture goes and what it becomes there: one file, a movie, a folder of numbered pictures. */
#include <stdio.h>
#include <string.h>

#include "cli/report/gnuplot.h"
#include "cli/show/show.h"
#include "core/study/commit.h"

locum_text *show_panel(show_picture *picture)
{
    return picture->n_panels < SHOW_PANELS_MAX ? &picture->panel[picture->n_panels++] : NULL;
}

void show_free(show_picture *picture)
{
    for (int i = 0; i < picture->n_panels; i++) locum_text_free(&picture->panel[i]);
    *picture = (show_picture){0};
}

static void write_script(const show_picture *picture, figure_terminal terminal, locum_text *script)
{
    int columns = picture->n_panels < picture->columns ? picture->n_panels : picture->columns;
    if (columns < 1) columns = 1;
    int rows = picture->movie ? 1 : (picture->n_panels + columns - 1) / columns;
    figure_terminal_line(terminal, columns * picture->width, rows * picture->height, script);
    bool table = picture->n_panels > 1 && !picture->movie;
    if (table) locum_text_add(script, "set multiplot layout %d,%d\n", rows, columns);
    for (int i = 0; i < picture->n_panels; i++) {
        if (i) locum_text_add(script, "reset\n");
        locum_text_bytes(script, picture->panel[i].data ? picture->panel[i].data : "", picture->panel[i].size);
        if (picture->panel[i].status && !script->status) script->status = picture->panel[i].status;
    }
    if (table) locum_text_add(script, "unset multiplot\n");
}

/* the default: NAME.svg in the current directory */
static locum_status default_path(const char *word, char path[LOCUM_PATH_SIZE])
{
    size_t end = strlen(word);
    while (end > 1 && word[end - 1] == '/') end--;
    size_t start = end;
    while (start > 0 && word[start - 1] != '/') start--;
    size_t stem = end;
    for (size_t i = start + 1; i < end; i++)
        if (word[i] == '.') stem = i;
    bool named = stem > start && strncmp(word + start, ".", stem - start) && strncmp(word + start, "..", stem - start);
    int n = named ? snprintf(path, LOCUM_PATH_SIZE, "%.*s.svg", (int)(stem - start), word + start)
                  : snprintf(path, LOCUM_PATH_SIZE, "picture.svg");
    LOCUM_REQUIRE(n < LOCUM_PATH_SIZE, LOCUM_STUDY, "the name of `%s` is too long", word);
    return LOCUM_OK;
}

locum_status show_output_read(const arguments *a, show_output *output)
{
    *output = (show_output){.terminal = FIGURE_SVG_FILE};
    if (!a->out) return default_path(a->words[0], output->path);
    size_t n = strlen(a->out);
    const char *dot = strrchr(a->out, '.');
    output->numbered = n > 0 && a->out[n - 1] == '/';
    output->movie = output->numbered || (dot && !strcmp(dot, ".gif"));
    bool known = output->movie || (dot && (!strcmp(dot, ".png") || !strcmp(dot, ".svg")));
    LOCUM_REQUIRE(known, LOCUM_STUDY,
                  "--out %s: the name must end in .svg, .png, .gif (a movie) or / (a movie as numbered .png)", a->out);
    LOCUM_REQUIRE(n < sizeof output->path, LOCUM_STUDY, "the path `%.100s...` is too long", a->out);
    memcpy(output->path, a->out, n + 1);
    if (output->numbered || !strcmp(dot, ".png")) output->terminal = FIGURE_PNG;
    if (!output->numbered && !strcmp(dot, ".gif")) output->terminal = FIGURE_GIF;
    return LOCUM_OK;
}

/* one script, one file */
static locum_status draw_to(const show_picture *picture, figure_terminal terminal, const char *path)
{
    locum_text script = {0}, image = {0};
    write_script(picture, terminal, &script);
    locum_status st = gnuplot_draw(&script, &image);
    if (!st && !image.size) st = LOCUM_FAIL(LOCUM_IO, "gnuplot drew nothing");
    if (!st) st = locum_commit_bytes(path, image.data, image.size);
    locum_text_free(&script);
    locum_text_free(&image);
    return st;
}

/* FOLDER/0000.png, 0001.png, ... */
static locum_status draw_numbered(const show_picture *picture, const char *folder)
{
    char path[LOCUM_PATH_SIZE];
    LOCUM_TRY(locum_make_directories(folder));
    for (int i = 0; i < picture->n_panels; i++) {
        show_picture one = {
            .movie = true, .n_panels = 1, .columns = 1, .width = picture->width, .height = picture->height};
        one.panel[0] = picture->panel[i]; /* lent */
        LOCUM_REQUIRE(snprintf(path, sizeof path, "%s%04d.png", folder, i) < (int)sizeof path, LOCUM_STUDY,
                      "the path `%s` is too long", folder);
        LOCUM_TRY(draw_to(&one, FIGURE_PNG, path));
    }
    return LOCUM_OK;
}

locum_status show_write(const show_picture *picture, const show_output *output)
{
    return output->numbered ? draw_numbered(picture, output->path) : draw_to(picture, output->terminal, output->path);
}
