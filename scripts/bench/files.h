/* SPDX-License-Identifier: BSD-3-Clause */
/* files.h - what benches of reading and writing share: order for qsort, a file out of the page cache. */
#ifndef SCRIPTS_BENCH_FILES_H
#define SCRIPTS_BENCH_FILES_H

#include <fcntl.h>
#include <unistd.h>

static inline int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static inline void drop_from_cache(const char *path)
{
    int file = open(path, O_RDONLY);

    if (file < 0) return;
    fsync(file);
    (void)posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED);
    close(file);
}

#endif
