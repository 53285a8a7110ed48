/* SPDX-License-Identifier: BSD-3-Clause */
/* hash.h - XXH3 checksums (xxHash, inlined). They find damage, not forgery. */
#ifndef CORE_HASH_H
#define CORE_HASH_H

#include <stddef.h>
#include <stdint.h>

uint64_t locum_hash(const void *data, size_t n);

/* streaming: locum_hash_stream s; begin, add..., end */
typedef struct locum_hash_stream locum_hash_stream;
locum_hash_stream *locum_hash_begin(void); /* NULL = out of memory */
void locum_hash_add(locum_hash_stream *stream, const void *data, size_t n);
uint64_t locum_hash_end(locum_hash_stream *stream); /* frees the stream */

#define LOCUM_HASH_TEXT_SIZE 17
void locum_hash_text(uint64_t hash, char text[LOCUM_HASH_TEXT_SIZE]); /* 16 lower-case hex digits */

#endif
