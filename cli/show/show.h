/* SPDX-License-Identifier: BSD-3-Clause */
/* show.h - pictures of data files, datasets and run directories, as gnuplot scripts of one or several panels. */
#ifndef CLI_SHOW_SHOW_H
#define CLI_SHOW_SHOW_H

#include "cli/arguments.h"
#include "cli/report/figure.h"
#include "datasets/store/store.h"
#include "locum/dev/option.h"

#define SHOW_PANELS_MAX 1000

/* a picture of panels in a table, or a movie of panels one after the other; each panel is a script without a terminal */
typedef struct show_picture {
    bool movie;
    int n_panels, columns;
    int width, height; /* of one panel */
    locum_text panel[SHOW_PANELS_MAX];
} show_picture; /* starts as {0} */

/** The next free panel, NULL if there is none. */
locum_text *show_panel(show_picture *picture);
void show_free(show_picture *picture);
/** "name", or "name [unit]". Local. */
void show_label(const locum_array *array, char *text, size_t size);
/* where a picture goes */
typedef struct show_output {
    char path[LOCUM_PATH_SIZE]; /* numbered: of the folder, with its last / */
    figure_terminal terminal;
    bool movie, numbered;
} show_output;

/** From --out, or NAME.svg in the current directory. LOCUM_STUDY for a name that tells no kind of picture. Local. */
locum_status show_output_read(const arguments *a, show_output *output);
/** Draws by gnuplot and commits the file or files. Local. */
locum_status show_write(const show_picture *picture, const show_output *output);

/** A data file or a dataset folder: --array, else its first field (if fields are wanted or there is nothing else),
 *  else single values against the parameters or the time. Local. */
locum_status show_data(const char *path, const arguments *a, bool fields, show_picture *picture);
/** Frames of an array on a grid: one (--frame), a sheet (--frames), all (movie). Local. */
locum_status show_field(const locum_dataset *data, int64_t b, const arguments *a, int array, show_picture *picture);
/** A run directory: single values against the parameters, and the report's error against time. Local. */
locum_status show_run(const char *path, const arguments *a, show_picture *picture);

#endif
