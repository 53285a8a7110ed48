/* SPDX-License-Identifier: BSD-3-Clause */
/* file_write.c - lays out a model file (see file.h). The header's own hash is computed last: the header is written
 * with sixteen zeros in its place, hashed, and patched. */
#include "surrogate/runtime/file.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/hash.h"
#include "core/memory.h"

#define ALIGNMENT 64
#define ZERO_HASH "0000000000000000"

static int64_t padding_after(int64_t bytes)
{
    return (ALIGNMENT - bytes % ALIGNMENT) % ALIGNMENT;
}

static size_t number_size(locum_number number)
{
    return number == LOCUM_REAL64 ? 8 : 4;
}

int64_t locum_tensor_count(const locum_tensor *tensor)
{
    int64_t count = 1;
    for (int d = 0; d < tensor->n_dims; d++) count *= tensor->dims[d];
    return count;
}

static void add_pair(locum_text *out, const char *key, const char *value)
{
    locum_text_json_string(out, key);
    locum_text_add(out, ":");
    locum_text_json_string(out, value);
}

static void add_metadata(locum_text *out, int n_metadata, const locum_metadata *metadata, int n_tensors,
                         const locum_tensor *tensors)
{
    locum_text_add(out, "\"__metadata__\":{");
    add_pair(out, "format", LOCUM_FILE_FORMAT);
    locum_text_add(out, ",");
    add_pair(out, "header_xxh3", ZERO_HASH);
    locum_text_add(out, ",");
    add_pair(out, "operators", LOCUM_FILE_OPERATORS);
    locum_text_add(out, ",");
    add_pair(out, "requires", "");
    for (int i = 0; i < n_metadata; i++) {
        locum_text_add(out, ",");
        add_pair(out, metadata[i].key, metadata[i].value);
    }
    for (int i = 0; i < n_tensors; i++) {
        char hash[LOCUM_HASH_TEXT_SIZE];
        size_t bytes = (size_t)locum_tensor_count(&tensors[i]) * number_size(tensors[i].number);
        locum_hash_text(locum_hash(tensors[i].data, bytes), hash);
        locum_text_add(out, ",\"xxh3/%s\":\"%s\"", tensors[i].name, hash);
    }
    locum_text_add(out, "}");
}

static void add_entry(locum_text *out, const char *name, const char *type, int n_dims, const int64_t *dims,
                      int64_t from, int64_t bytes)
{
    locum_text_add(out, ",");
    locum_text_json_string(out, name);
    locum_text_add(out, ":{\"dtype\":\"%s\",\"shape\":[", type);
    for (int d = 0; d < n_dims; d++) locum_text_add(out, "%s%" PRId64, d ? "," : "", dims[d]);
    locum_text_add(out, "],\"data_offsets\":[%" PRId64 ",%" PRId64 "]}", from, from + bytes);
}

static void add_table(locum_text *out, int n_tensors, const locum_tensor *tensors)
{
    int64_t at = 0;
    for (int i = 0; i < n_tensors; i++) {
        const locum_tensor *t = &tensors[i];
        int64_t bytes = locum_tensor_count(t) * (int64_t)number_size(t->number), pad = padding_after(bytes);
        add_entry(out, t->name, t->number == LOCUM_REAL64 ? "F64" : "F32", t->n_dims, t->dims, at, bytes);
        at += bytes;
        if (pad) {
            char name[32];
            snprintf(name, sizeof name, "_pad.%d", i);
            add_entry(out, name, "U8", 1, &pad, at, pad);
            at += pad;
        }
    }
}

/* the hash covers the header with the digits of header_xxh3 zero, as it is now */
static void patch_header_hash(char *header, size_t n)
{
    char hash[LOCUM_HASH_TEXT_SIZE];
    const char *key = "\"header_xxh3\":\"";
    char *place = strstr(header, key);
    locum_hash_text(locum_hash(header, n), hash);
    memcpy(place + strlen(key), hash, LOCUM_HASH_TEXT_SIZE - 1);
}

locum_status locum_file_write(int n_metadata, const locum_metadata *metadata, int n_tensors,
                              const locum_tensor *tensors, locum_text *out)
{
    static const char zeros[ALIGNMENT];
    locum_text header = {0};

    LOCUM_REQUIRE(n_tensors <= LOCUM_FILE_TENSORS_MAX, LOCUM_ARG, "model file: %d tensors, at most %d", n_tensors,
                  LOCUM_FILE_TENSORS_MAX);
    locum_text_add(&header, "{");
    add_metadata(&header, n_metadata, metadata, n_tensors, tensors);
    add_table(&header, n_tensors, tensors);
    locum_text_add(&header, "}");
    while (!header.status && (header.size + 8) % ALIGNMENT) locum_text_add(&header, " ");
    locum_status st = header.status;
    if (!st && header.size > LOCUM_FILE_HEADER_MAX)
        st = LOCUM_FAIL(LOCUM_ARG, "model file: header of %zu bytes, at most %u", header.size, LOCUM_FILE_HEADER_MAX);
    if (!st) {
        unsigned char length[8];
        patch_header_hash(header.data, header.size);
        for (int i = 0; i < 8; i++) length[i] = (unsigned char)((uint64_t)header.size >> (8 * i));
        locum_text_bytes(out, (const char *)length, 8);
        locum_text_bytes(out, header.data, header.size);
        for (int i = 0; i < n_tensors; i++) {
            int64_t bytes = locum_tensor_count(&tensors[i]) * (int64_t)number_size(tensors[i].number);
            locum_text_bytes(out, tensors[i].data, (size_t)bytes);
            locum_text_bytes(out, zeros, (size_t)padding_after(bytes));
        }
        st = out->status;
    }
    locum_text_free(&header);
    return st;
}
