/* SPDX-License-Identifier: BSD-3-Clause */
/* hash.c - XXH3, 64 bits, seed 0 (Y. Collet, xxHash), compiled into this file so that no xxHash symbol leaves it. */
#define XXH_INLINE_ALL
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "core/hash.h"
#include "core/memory.h"

struct locum_hash_stream {
    XXH3_state_t state; /* wants the 64-byte alignment that locum_alloc gives */
};

uint64_t locum_hash(const void *data, size_t n)
{
    return XXH3_64bits(data, n);
}

locum_hash_stream *locum_hash_begin(void)
{
    locum_hash_stream *stream = NULL;

    if (LOCUM_NEW(&stream, 1)) return NULL;
    XXH3_64bits_reset(&stream->state);
    return stream;
}

void locum_hash_add(locum_hash_stream *stream, const void *data, size_t n)
{
    if (n) XXH3_64bits_update(&stream->state, data, n);
}

uint64_t locum_hash_end(locum_hash_stream *stream)
{
    uint64_t hash = XXH3_64bits_digest(&stream->state);

    free(stream);
    return hash;
}

void locum_hash_text(uint64_t hash, char text[LOCUM_HASH_TEXT_SIZE])
{
    for (int i = 0; i < 16; i++) text[i] = "0123456789abcdef"[hash >> (60 - 4 * i) & 15];
    text[16] = 0;
}
