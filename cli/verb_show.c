/* SPDX-License-Identifier: BSD-3-Clause */
/* verb_show.c - a picture of a file or a run, drawn by gnuplot. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/show/show.h"
#include "cli/verb.h"

static locum_status run(const arguments *a)
{
    struct stat info;
    char stages[LOCUM_PATH_SIZE];
    show_picture picture = {0};
    show_output output;

    LOCUM_REQUIRE(a->n_words == 1, LOCUM_STUDY, "expected one FILE: a data file, a dataset folder or a run directory");
    LOCUM_TRY(show_output_read(a, &output));
    LOCUM_REQUIRE(!stat(a->words[0], &info), LOCUM_INPUT, "there is no file or folder `%s`", a->words[0]);
    locum_store_setup();
    picture.movie = output.movie;
    const char *dot = strrchr(a->words[0], '.');
    LOCUM_REQUIRE(!dot || strcmp(dot, ".safetensors"), LOCUM_STUDY,
                  "%s is a model, which has no picture; `locum inspect` says what it holds", a->words[0]);
    bool is_run =
        snprintf(stages, sizeof stages, "%s/stages", a->words[0]) < (int)sizeof stages && !stat(stages, &info);
    bool frames = output.movie || a->frames > 0; /* of a run: of its data */
    locum_status st =
        is_run && !frames ? show_run(a->words[0], a, &picture) : show_data(a->words[0], a, true, &picture);
    if (!st) st = show_write(&picture, &output);
    if (!st && !a->quiet) printf("%s\n", output.path);
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
