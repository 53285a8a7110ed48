/* SPDX-License-Identifier: BSD-3-Clause */
/* external_folder.c - the folder of a sample: parameter files, log, and what the program left.
 *
 *     parameters.yaml parameters.json      written before the program starts
 *     log.txt                              what it prints; locked as long as it, or a child of it, runs
 *     finished                             words and values that it ended well with */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/memory.h"
#include "solvers/external/external_internal.h"

/* folder/name -> path */
static locum_status join(const char *folder, const char *name, char path[LOCUM_PATH_SIZE])
{
    int n = locum_format(path, LOCUM_PATH_SIZE, "%s/%s", folder, name);

    LOCUM_REQUIRE(n < LOCUM_PATH_SIZE, LOCUM_ARG, "the path %s/%s is too long", folder, name);
    return LOCUM_OK;
}

locum_status locum_external_make_folder(const char *folder)
{
    char path[LOCUM_PATH_SIZE];
    int n = locum_format(path, sizeof path, "%s", folder);

    LOCUM_REQUIRE(n < (int)sizeof path, LOCUM_ARG, "the path %s is too long", folder);
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        if (mkdir(path, 0777) && errno != EEXIST)
            return LOCUM_FAIL(LOCUM_IO, "cannot make the folder %s: %s", path, strerror(errno));
        *slash = '/';
    }
    LOCUM_REQUIRE(!mkdir(path, 0777) || errno == EEXIST, LOCUM_IO, "cannot make the folder %s: %s", path,
                  strerror(errno));
    return LOCUM_OK;
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *place)
{
    (void)info, (void)place;
    return kind == FTW_DP ? rmdir(path) : unlink(path);
}

void locum_external_remove_folder(const char *folder)
{
    nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* --- small files ------------------------------------------------------------------------------------------- */

locum_status locum_external_write(const char *folder, const char *name, const char *text, size_t n)
{
    char path[LOCUM_PATH_SIZE];

    LOCUM_TRY(join(folder, name, path));
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    LOCUM_REQUIRE(file >= 0, LOCUM_IO, "cannot write %s: %s", path, strerror(errno));
    while (n > 0) {
        ssize_t done = write(file, text, n);
        if (done < 0 && errno == EINTR) continue;
        if (done <= 0) break;
        text += done;
        n -= (size_t)done;
    }
    int error = n > 0 ? errno : 0;
    if (close(file) && !error) error = errno;
    LOCUM_REQUIRE(!error, LOCUM_IO, "cannot write %s: %s", path, strerror(error));
    return LOCUM_OK;
}

/* at most `size` bytes from `offset` on; -1 if there is no such file */
static ssize_t read_some(const char *path, off_t offset, char *out, size_t size)
{
    int file = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = file < 0 ? -1 : pread(file, out, size, offset);

    if (file >= 0) close(file);
    return n;
}

bool locum_external_holds(const char *folder, const char *name, const char *text, size_t n)
{
    char path[LOCUM_PATH_SIZE], *found = NULL;
    bool same = false;

    if (join(folder, name, path) || LOCUM_NEW(&found, n + 1)) {
        locum_status_clear();
        return false;
    }
    same = read_some(path, 0, found, n + 1) == (ssize_t)n && !memcmp(found, text, n);
    free(found);
    return same;
}

/* --- the log ----------------------------------------------------------------------------------------------- */

static void tell_waiting(const char *folder, const locum_services *services)
{
    char words[LOCUM_PATH_SIZE + 96];

    locum_format(words, sizeof words, "waiting for a program that an earlier run started in %s", folder);
    if (services->log) services->log(services->self, words);
}

locum_status locum_external_open_log(const char *folder, double patience, const locum_services *services, int *log)
{
    char path[LOCUM_PATH_SIZE];
    const struct timespec pause = {0, 100000000};

    LOCUM_TRY(join(folder, "log.txt", path));
    *log = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    LOCUM_REQUIRE(*log >= 0, LOCUM_IO, "cannot write %s: %s", path, strerror(errno));
    double waited = 0;
    bool stop = false;
    int busy;
    while ((busy = flock(*log, LOCK_EX | LOCK_NB)) && errno == EWOULDBLOCK && waited < patience && !stop) {
        if (waited == 0) tell_waiting(folder, services);
        nanosleep(&pause, NULL);
        waited += 0.1;
        stop = services->stop && services->stop(services->self);
    }
    bool other = busy && errno == EWOULDBLOCK; /* a file system without locks is not waited for */
    if (!other && !ftruncate(*log, 0)) return LOCUM_OK;
    close(*log);
    *log = -1;
    if (stop) return LOCUM_FAIL(LOCUM_STOPPED, "stopped before the program of %s was started", folder);
    return other ? LOCUM_FAIL(LOCUM_BUSY, "a program that an earlier run started is still at work in %s", folder)
                 : LOCUM_FAIL(LOCUM_IO, "cannot write %s: %s", path, strerror(errno));
}

void locum_external_log_tail(const char *folder, char *out, size_t size)
{
    char path[LOCUM_PATH_SIZE], end[400];
    struct stat info;
    ssize_t n = -1;

    out[0] = 0;
    if (join(folder, "log.txt", path)) {
        locum_status_clear();
        return;
    }
    if (!stat(path, &info))
        n = read_some(path, info.st_size > (off_t)sizeof end ? info.st_size - (off_t)sizeof end : 0, end, sizeof end);
    while (n > 0 && (unsigned char)end[n - 1] <= ' ') n--;
    /* the last three lines */
    ssize_t first = n < 0 ? 0 : n;
    for (int lines = 0; first > 0; first--)
        if (end[first - 1] == '\n' && ++lines == 3) break;
    size_t used = 0;
    for (ssize_t i = first; i < n && used + 4 < size; i++) {
        unsigned char c = (unsigned char)end[i];
        if (c == '\n') {
            memcpy(out + used, " | ", 3);
            used += 3;
        } else {
            out[used++] = c < ' ' || c == 127 ? '?' : (char)c;
        }
    }
    out[used] = 0;
}

/* --- what it left ------------------------------------------------------------------------------------------ */

static int by_number(const void *a, const void *b)
{
    return strverscmp(a, b);
}

static locum_status collect(const char *folder, const char *pattern, int *n, char (**paths)[LOCUM_PATH_SIZE])
{
    int capacity = 0;
    DIR *stream = opendir(folder);
    locum_status st = LOCUM_OK;

    for (struct dirent *entry; !st && stream && (entry = readdir(stream));) {
        if (fnmatch(pattern, entry->d_name, FNM_PERIOD)) continue;
        if (*n == capacity) {
            char(*more)[LOCUM_PATH_SIZE] = NULL;
            capacity = capacity ? 2 * capacity : 16;
            st = LOCUM_NEW(&more, capacity);
            if (!st && *n) memcpy(more, *paths, (size_t)*n * sizeof *more);
            if (st) break;
            free(*paths);
            *paths = more;
        }
        st = join(folder, entry->d_name, (*paths)[*n]);
        if (!st) ++*n;
    }
    if (stream) closedir(stream);
    return st;
}

locum_status locum_external_find(const char *folder, const char *pattern, int *n, char (**paths)[LOCUM_PATH_SIZE])
{
    char below[LOCUM_PATH_SIZE];
    const char *slash = strrchr(pattern, '/');

    *n = 0;
    *paths = NULL;
    int length = locum_format(below, sizeof below, "%s%s%.*s", folder, slash ? "/" : "",
                              slash ? (int)(slash - pattern) : 0, pattern);
    LOCUM_REQUIRE(length < (int)sizeof below, LOCUM_ARG, "the path %s/%s is too long", folder, pattern);
    locum_status st = collect(below, slash ? slash + 1 : pattern, n, paths);
    if (!st && *n > 1) qsort(*paths, (size_t)*n, sizeof **paths, by_number);
    if (st) {
        free(*paths);
        *paths = NULL;
        *n = 0;
    }
    return st;
}
