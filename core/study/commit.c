/* SPDX-License-Identifier: BSD-3-Clause */
/* commit.c - the committed file: at any moment, kill -9 included, NAME is the old file or the new one, whole.
 *
 *     begin: remove NAME.part    write NAME.part    fsync    rename NAME.part -> NAME    fsync the folder
 *
 * Rename is atomic (POSIX); fsync before it makes sure that the name never points to bytes that are not on disk yet. On
 * a full disk the part is removed and the old file stays. Failpoints commit_begin, commit_write, commit_fsync,
 * commit_rename, commit_folder lie before the step of that name. */
#include "core/study/commit.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "core/failpoint.h"
#include "core/hash.h"
#include "core/memory.h"

static locum_status part_name(const char *path, char part[LOCUM_PATH_SIZE])
{
    if (snprintf(part, LOCUM_PATH_SIZE, "%s.part", path) >= LOCUM_PATH_SIZE)
        return LOCUM_FAIL(LOCUM_ARG, "path of more than %d bytes: %.200s...", LOCUM_PATH_SIZE - 6, path);
    return LOCUM_OK;
}

/* the folder that a path lies in, as something that open() takes */
static void folder_of(const char *path, char folder[LOCUM_PATH_SIZE])
{
    snprintf(folder, LOCUM_PATH_SIZE, "%s", path);
    char *slash = strrchr(folder, '/');
    if (!slash)
        snprintf(folder, LOCUM_PATH_SIZE, ".");
    else
        slash[slash == folder] = 0;
}

/* a failure of a system call on `path`, with what a full disk lacks; `bytes` = size of the whole file, 0 = unknown */
static locum_status fail_io(const char *verb, const char *path, size_t bytes)
{
    int error = errno;
    char folder[LOCUM_PATH_SIZE], need[64] = "";
    struct statvfs disk;
    struct rlimit limit;
    if (bytes) snprintf(need, sizeof need, ", %zu bytes are needed", bytes);
    folder_of(path, folder);
    if (error == ENOSPC && !statvfs(folder, &disk))
        return LOCUM_FAIL(LOCUM_IO, "%s: the disk is full%s, %llu are free; the old file, if any, is unchanged", path,
                          need, (unsigned long long)disk.f_bavail * disk.f_frsize);
    if (error == EFBIG && !getrlimit(RLIMIT_FSIZE, &limit))
        return LOCUM_FAIL(
            LOCUM_IO,
            "%s: larger than this process may write%s, the limit is %llu (ulimit -f); the old file, if any, is "
            "unchanged",
            path, need, (unsigned long long)limit.rlim_cur);
    if (error == EDQUOT)
        return LOCUM_FAIL(LOCUM_IO, "%s: the disk quota is used up%s; the old file, if any, is unchanged", path, need);
    return LOCUM_FAIL(LOCUM_IO, "%s: cannot %s: %s", path, verb, strerror(error));
}

locum_status locum_commit_begin(const char *path, char part[LOCUM_PATH_SIZE])
{
    LOCUM_TRY(part_name(path, part));
    LOCUM_TRY(locum_failpoint("commit_begin"));
    if (unlink(part) && errno != ENOENT) return fail_io("remove the old part", part, 0);
    return LOCUM_OK;
}

static locum_status sync_path(const char *path, int flags, const char *shown)
{
    int fd = open(path, flags | O_CLOEXEC);
    if (fd < 0) return fail_io("open", shown, 0);
    /* some file systems know no fsync of a folder: EINVAL is no loss there */
    if (fsync(fd) && !(errno == EINVAL && (flags & O_DIRECTORY))) {
        struct stat file;
        int error = errno;
        size_t bytes = fstat(fd, &file) ? 0 : (size_t)file.st_size;
        close(fd);
        errno = error;
        return fail_io("flush", shown, bytes);
    }
    if (close(fd)) return fail_io("close", shown, 0);
    return LOCUM_OK;
}

locum_status locum_commit_end(const char *path)
{
    char part[LOCUM_PATH_SIZE], folder[LOCUM_PATH_SIZE];
    LOCUM_TRY(part_name(path, part));
    folder_of(path, folder);
    locum_status st = locum_failpoint("commit_fsync");
    if (!st) st = sync_path(part, O_RDONLY, path);
    if (!st) st = locum_failpoint("commit_rename");
    if (!st && rename(part, path)) st = fail_io("rename the part to it", path, 0);
    if (st) {
        unlink(part);
        return st;
    }
    LOCUM_TRY(locum_failpoint("commit_folder"));
    return sync_path(folder, O_RDONLY | O_DIRECTORY, folder);
}

void locum_commit_abandon(const char *path)
{
    char part[LOCUM_PATH_SIZE];
    if (snprintf(part, sizeof part, "%s.part", path) < (int)sizeof part) unlink(part);
}

/* `total`: size of the whole file, for the message */
static locum_status write_all(int fd, const char *path, const char *bytes, size_t n, size_t total)
{
    for (size_t done = 0; done < n;) {
        size_t piece = n - done < (1u << 30) ? n - done : 1u << 30;
        ssize_t written = write(fd, bytes + done, piece);
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return fail_io("write", path, total);
        done += (size_t)written;
    }
    return LOCUM_OK;
}

locum_status locum_commit_bytes(const char *path, const void *bytes, size_t n)
{
    char part[LOCUM_PATH_SIZE];
    LOCUM_TRY(locum_commit_begin(path, part));
    int fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0) return fail_io("create", path, n);
    locum_status st = write_all(fd, path, bytes, n / 2, n);
    if (!st) st = locum_failpoint("commit_write");
    if (!st) st = write_all(fd, path, (const char *)bytes + n / 2, n - n / 2, n);
    if (close(fd) && !st) st = fail_io("close", path, n);
    if (st) {
        unlink(part);
        return st;
    }
    return locum_commit_end(path);
}

/* reads until the end; grows, so that pipes and /proc work too */
static locum_status read_all(int fd, const char *path, size_t limit, char **bytes, size_t *n)
{
    struct stat file;
    size_t capacity = 65536;
    if (fstat(fd, &file)) return fail_io("look at it", path, 0);
    if (S_ISDIR(file.st_mode)) return LOCUM_FAIL(LOCUM_INPUT, "%s is a folder, a file is expected", path);
    if (S_ISREG(file.st_mode) && (uint64_t)file.st_size > limit)
        return LOCUM_FAIL(LOCUM_INPUT, "%s has %lld bytes, more than the %zu that are read of such a file", path,
                          (long long)file.st_size, limit);
    if (S_ISREG(file.st_mode) && file.st_size > 0) capacity = (size_t)file.st_size + 1;
    LOCUM_TRY(locum_alloc(bytes, (int64_t)capacity + 1, 1));
    for (;;) {
        ssize_t got = read(fd, *bytes + *n, capacity - *n);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return fail_io("read", path, 0);
        *n += (size_t)got;
        if (*n > limit)
            return LOCUM_FAIL(LOCUM_INPUT, "%s has more than the %zu bytes that are read of such a file", path, limit);
        if (!got) break;
        if (*n == capacity) {
            char *larger = NULL;
            LOCUM_TRY(locum_alloc(&larger, (int64_t)(2 * capacity) + 1, 1));
            memcpy(larger, *bytes, *n);
            free(*bytes);
            *bytes = larger;
            capacity *= 2;
        }
    }
    (*bytes)[*n] = 0;
    return LOCUM_OK;
}

locum_status locum_read_bytes(const char *path, size_t limit, char **bytes, size_t *n)
{
    *bytes = NULL;
    *n = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return LOCUM_FAIL(LOCUM_INPUT, "%s cannot be opened: %s", path, strerror(errno));
    locum_status st = read_all(fd, path, limit, bytes, n);
    close(fd);
    if (st) {
        free(*bytes);
        *bytes = NULL;
        *n = 0;
    }
    return st;
}

locum_status locum_hash_file(const char *path, uint64_t *hash, int64_t *size)
{
    enum { PIECE = 1 << 20 };
    char *buffer = NULL;
    ssize_t got = 1;
    *hash = 0;
    *size = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return LOCUM_FAIL(LOCUM_INPUT, "%s cannot be opened: %s", path, strerror(errno));
    locum_hash_stream *stream = locum_hash_begin();
    locum_status st = stream ? LOCUM_OK : LOCUM_FAIL(LOCUM_MEMORY, "no memory to check %s", path);
    if (!st) st = LOCUM_NEW(&buffer, PIECE);
    while (!st && got) {
        got = read(fd, buffer, PIECE);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) st = fail_io("read", path, 0);
        if (got > 0) locum_hash_add(stream, buffer, (size_t)got), *size += got;
    }
    if (stream) *hash = locum_hash_end(stream);
    free(buffer);
    close(fd);
    return st;
}

locum_status locum_make_directories(const char *path)
{
    char folder[LOCUM_PATH_SIZE];
    if (snprintf(folder, sizeof folder, "%s", path) >= (int)sizeof folder)
        return LOCUM_FAIL(LOCUM_ARG, "path of more than %d bytes: %.200s...", LOCUM_PATH_SIZE - 1, path);
    for (char *p = folder + 1; folder[0]; p++) {
        char end = *p;
        if (end && end != '/') continue;
        *p = 0;
        struct stat there;
        if (mkdir(folder, 0777) && (errno != EEXIST || stat(folder, &there) || !S_ISDIR(there.st_mode)))
            return LOCUM_FAIL(errno == EEXIST ? LOCUM_INPUT : LOCUM_IO, "%s: cannot make the folder: %s", folder,
                              errno == EEXIST ? "a file of that name exists" : strerror(errno));
        if (!end) break;
        *p = end;
    }
    return LOCUM_OK;
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *walk)
{
    (void)info, (void)kind, (void)walk;
    return remove(path) && errno != ENOENT ? errno : 0;
}

locum_status locum_remove_tree(const char *path)
{
    LOCUM_REQUIRE(path[0] && strcmp(path, "/"), LOCUM_ARG, "refuse to remove `%s`", path);
    int result = nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    if (result < 0 && errno == ENOENT) return LOCUM_OK;
    if (result) return LOCUM_FAIL(LOCUM_IO, "%s cannot be removed: %s", path, strerror(result < 0 ? errno : result));
    return LOCUM_OK;
}
