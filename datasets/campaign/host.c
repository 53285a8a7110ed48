/* SPDX-License-Identifier: BSD-3-Clause */
/* host.c - what a campaign offers its solver: the log, a word when to stop, a folder for programs, their files. */
#include "datasets/campaign/campaign_parts.h"
#include "datasets/formats/program_file.h"

static void log_line(void *self, const char *text)
{
    locum_host *host = self;

    locum_log_line(host->log, "%s", text);
}

static bool stop(void *self)
{
    locum_host *host = self;

    if (host->crew) locum_crew_look(host->crew);
    return locum_watch_reason(host->watch) != NULL;
}

static locum_status read_array(void *self, const locum_file_array *array, double *values)
{
    (void)self;
    return locum_program_file_read(array, values);
}

locum_status locum_host_begin(locum_host *host, locum_log *log, locum_watch *watch, locum_crew *crew,
                              const char *folder, const char *behind)
{
    *host = (locum_host){.log = log, .watch = watch, .crew = crew};
    if (folder) {
        int n = locum_format(host->folder, sizeof host->folder, "%s%s", folder, behind);
        LOCUM_REQUIRE(n < (int)sizeof host->folder, LOCUM_ARG, "the path %s%s is too long", folder, behind);
    }
    host->services = (locum_services){
        .self = host, .log = log_line, .folder = folder ? host->folder : NULL, .stop = stop, .read = read_array};
    return LOCUM_OK;
}
