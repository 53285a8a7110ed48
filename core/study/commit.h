/* SPDX-License-Identifier: BSD-3-Clause */
/* commit.h - files that exist whole or not at all: written as NAME.part, fsynced, renamed, folder fsynced. */
#ifndef CORE_STUDY_COMMIT_H
#define CORE_STUDY_COMMIT_H

#include <stddef.h>
#include <stdint.h>

#include "locum/dev/option.h"

/** part = path + ".part"; an old one is removed. Local. */
locum_status locum_commit_begin(const char *path, char part[LOCUM_PATH_SIZE]);
/** fsync, rename, fsync of the folder. Local (one rank does it, after an agreement). Removes the part if it fails. */
locum_status locum_commit_end(const char *path);
/** Removes the part. Local. */
void locum_commit_abandon(const char *path);
/** A whole file in one call. */
locum_status locum_commit_bytes(const char *path, const void *bytes, size_t n);
/** Reads a whole file (LOCUM_INPUT if absent or larger than `limit`); free(*bytes); a 0 follows the last byte. */
locum_status locum_read_bytes(const char *path, size_t limit, char **bytes, size_t *n);
/** XXH3 and size of a file. */
locum_status locum_hash_file(const char *path, uint64_t *hash, int64_t *size);
locum_status locum_make_directories(const char *path);
locum_status locum_remove_tree(const char *path);

#endif
