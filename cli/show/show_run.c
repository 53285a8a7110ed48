/* SPDX-License-Identifier: BSD-3-Clause */
/* show_run.c - what a run directory has so far: its data, and the report's error against time once it was validated. */
#include <stdio.h>
#include <sys/stat.h>

#include "cli/report/sections.h"
#include "cli/show/show.h"
#include "locum/dev/option.h"

static bool exists(const char *folder, const char *name, char path[LOCUM_PATH_SIZE])
{
    struct stat info;
    return snprintf(path, LOCUM_PATH_SIZE, "%s/%s", folder, name) < LOCUM_PATH_SIZE && !stat(path, &info);
}

static locum_status add_time(const char *folder, show_picture *picture)
{
    findings f;
    figure picture_of_time;
    section_time_kept kept = {0};
    locum_text *script = show_panel(picture);
    if (!script) return LOCUM_OK;
    locum_status st = findings_read(folder, &f);
    if (!st) st = section_time_figure(&f, &picture_of_time, &kept);
    if (!st) figure_script(&picture_of_time, "surrogate (blue) and cheaper solver (red)", script);
    section_time_free(&kept);
    findings_free(&f);
    return st;
}

locum_status show_run(const char *path, const arguments *a, show_picture *picture)
{
    char file[LOCUM_PATH_SIZE], report[LOCUM_PATH_SIZE];
    bool has_data = exists(path, "dataset", file), has_report = exists(path, "report/report.json", report);
    LOCUM_REQUIRE(has_data || has_report, LOCUM_INPUT, "%s has neither data nor a report yet; `locum run` makes them",
                  path);
    picture->columns = 1;
    picture->width = 560;
    picture->height = 400;
    if (has_data) LOCUM_TRY(show_data(file, a, false, picture));
    snprintf(report, sizeof report, "%.*s/report", (int)sizeof report - 8, path);
    return has_report && !a->array ? add_time(report, picture) : LOCUM_OK;
}
