/* SPDX-License-Identifier: BSD-3-Clause */
/* verb_show.c - a picture of a file or a run, drawn by gnuplot, as PNG or SVG. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/report/gnuplot.h"
#include "cli/show/show.h"
#include "cli/verb.h"
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

void show_script(const show_picture *picture, figure_terminal terminal, locum_text *script)
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

/* --out, or NAME.svg in the current directory */
static locum_status output_path(const arguments *a, char path[LOCUM_PATH_SIZE], figure_terminal *terminal)
{
    const char *word = a->words[0];
    if (a->out) {
        const char *dot = strrchr(a->out, '.');
        bool is_png = dot && !strcmp(dot, ".png"), is_svg = dot && !strcmp(dot, ".svg"),
             is_gif = dot && !strcmp(dot, ".gif"), is_folder = a->out[strlen(a->out) - 1] == '/';
        LOCUM_REQUIRE(is_png || is_svg || is_gif || is_folder, LOCUM_STUDY,
                      "--out %s: the name must end in .svg, .png, .gif (a movie) or / (a movie as numbered .png)",
                      a->out);
        LOCUM_REQUIRE(snprintf(path, LOCUM_PATH_SIZE, "%s", a->out) < LOCUM_PATH_SIZE, LOCUM_STUDY,
                      "the path `%s` is too long", a->out);
        *terminal = is_gif ? FIGURE_GIF : is_png || is_folder ? FIGURE_PNG : FIGURE_SVG_FILE;
        return LOCUM_OK;
    }
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
    *terminal = FIGURE_SVG_FILE;
    return LOCUM_OK;
}

/* one script, one file */
static locum_status draw_to(const show_picture *picture, figure_terminal terminal, const char *path)
{
    locum_text script = {0}, image = {0};
    show_script(picture, terminal, &script);
    locum_status st = gnuplot_draw(&script, &image);
    if (!st && !image.size) st = LOCUM_FAIL(LOCUM_IO, "gnuplot drew nothing");
    if (!st) st = locum_commit_bytes(path, image.data, image.size);
    locum_text_free(&script);
    locum_text_free(&image);
    return st;
}

/* a movie as FOLDER/0000.png, 0001.png, ... */
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

static locum_status run(const arguments *a)
{
    struct stat info;
    char path[LOCUM_PATH_SIZE], stages[LOCUM_PATH_SIZE];
    show_picture picture = {0};
    figure_terminal terminal = FIGURE_SVG_FILE;

    LOCUM_REQUIRE(a->n_words == 1, LOCUM_STUDY, "expected one FILE: a data file, a dataset folder or a run directory");
    LOCUM_TRY(output_path(a, path, &terminal));
    LOCUM_REQUIRE(!stat(a->words[0], &info), LOCUM_INPUT, "there is no file or folder `%s`", a->words[0]);
    locum_store_setup();
    bool is_folder = a->out && a->out[strlen(a->out) - 1] == '/';
    picture.movie = is_folder || terminal == FIGURE_GIF;
    const char *dot = strrchr(a->words[0], '.');
    LOCUM_REQUIRE(!dot || strcmp(dot, ".safetensors"), LOCUM_STUDY,
                  "%s is a model, which has no picture; `locum inspect` says what it holds", a->words[0]);
    bool is_run =
        snprintf(stages, sizeof stages, "%s/stages", a->words[0]) < (int)sizeof stages && !stat(stages, &info);
    locum_status st = is_run ? show_run(a->words[0], a, &picture) : show_data(a->words[0], a, true, &picture);
    if (!st) st = is_folder ? draw_numbered(&picture, path) : draw_to(&picture, terminal, path);
    if (!st && !a->quiet) printf("%s\n", path);
    show_free(&picture);
    return st;
}

const verb verb_show = {
    .name = "show",
    .words = "FILE",
    .summary = "draw a data file, a dataset or a run directory",
    .help = "Draws by gnuplot. A file with fields: one array (--array; default the vorticity) of one frame (--frame).\n"
            "A file or folder with single values: each against the varied parameters, or against time. A run\n"
            "directory: its data, and the report's error against time. Several frames: --frames N draws a sheet;\n"
            "--out X.gif a movie, --out FOLDER/ the same as numbered .png. Else the picture goes to --out X.svg or\n"
            "X.png; default NAME.svg in the current directory, which is printed.\n",
    .accepts = ACCEPT_OUT | ACCEPT_SET | ACCEPT_ARRAY | ACCEPT_FRAMES,
    .run = run};
