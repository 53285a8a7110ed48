/* SPDX-License-Identifier: BSD-3-Clause */
/* memory.h - aligned memory that reports failure, and that tests can make fail. */
#ifndef CORE_MEMORY_H
#define CORE_MEMORY_H

#include <stddef.h>
#include <stdint.h>

#include "locum/dev/error.h"

/** n * size bytes, zeroed, 64-byte aligned; LOCUM_MEMORY on overflow or failure, *pointer NULL. free() releases it. */
locum_status locum_alloc(void *pointer, int64_t n, size_t size);
/** The same, as typed calls: `LOCUM_TRY(LOCUM_NEW(&p, n))`. */
#define LOCUM_NEW(pointer, n) locum_alloc((pointer), (int64_t)(n), sizeof **(pointer))
/** Copy of a 0-terminated text. */
locum_status locum_copy_text(char **copy, const char *text);

#endif
