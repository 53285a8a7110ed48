/* SPDX-License-Identifier: BSD-3-Clause */
/* provenance.c - who made this: program, commit, compiler, host, processor, time, ranks. */
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/cpu.h"
#include "core/study/run_directory.h"
#include "locum_build_info.h"

/* "AMD EPYC ..." from /proc/cpuinfo, "unknown" elsewhere */
static void processor_text(char *out, size_t size)
{
    char line[256];
    snprintf(out, size, "unknown");
    FILE *info = fopen("/proc/cpuinfo", "re");
    if (!info) return;
    while (fgets(line, sizeof line, info)) {
        char *value = strchr(line, ':');
        if (strncmp(line, "model name", 10) != 0 || !value) continue;
        value += 1 + strspn(value + 1, " \t");
        value[strcspn(value, "\n")] = 0;
        snprintf(out, size, "%s", value);
        break;
    }
    fclose(info);
}

static void member(const char *key, const char *value, locum_text *out)
{
    locum_text_add(out, ", \"%s\": ", key);
    locum_text_json_string(out, value);
}

const char *locum_build_commit(void)
{
    return LOCUM_BUILD_COMMIT;
}

void locum_provenance(int ranks, locum_text *out)
{
    char host[256] = "unknown", processor[256], now[40];
    cpu_set_t allowed;
    time_t seconds = time(NULL);
    struct tm utc;
    if (gethostname(host, sizeof host - 1)) snprintf(host, sizeof host, "unknown");
    processor_text(processor, sizeof processor);
    strftime(now, sizeof now, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&seconds, &utc));
    int cores = sched_getaffinity(0, sizeof allowed, &allowed) ? 0 : CPU_COUNT(&allowed);
    locum_text_add(out, "\"program\": \"locum %s\"", LOCUM_VERSION);
    member("commit", LOCUM_BUILD_COMMIT, out);
    member("compiler", LOCUM_BUILD_COMPILER, out);
    member("flags", LOCUM_BUILD_FLAGS, out);
    member("host", host, out);
    member("processor", processor, out);
    member("instruction_set", locum_cpu_level_name(locum_cpu_best()), out);
    member("time", now, out);
    locum_text_add(out, ", \"ranks\": %d, \"threads\": 1, \"cores_allowed\": %d", ranks, cores);
}
