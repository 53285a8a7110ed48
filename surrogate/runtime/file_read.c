/* SPDX-License-Identifier: BSD-3-Clause */
/* file_read.c - takes a model file apart and believes nothing (see file.h).
 *
 * Order: size -> header length -> hash of the header -> JSON -> format words -> table of tensors (ascending, without
 * gaps, aligned, exact end) -> hash of each tensor -> finite values. Nothing is allocated beyond the header's nodes
 * and table. */
#include "surrogate/runtime/file.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/hash.h"
#include "core/memory.h"

#define ALIGNMENT 64
#define HEADER_NODES_MAX 400000

/* the hash in the header is over the header with its own digits zero: hash it in three pieces */
static locum_status check_header_hash(const char *header, size_t n)
{
    static const char key[] = "\"header_xxh3\":\"", zeros[] = "0000000000000000";
    const size_t digits = LOCUM_HASH_TEXT_SIZE - 1;
    const char *place = NULL;
    char expected[LOCUM_HASH_TEXT_SIZE];

    if (n > sizeof key + digits) place = memmem(header, n, key, sizeof key - 1);
    LOCUM_REQUIRE(place && (size_t)(place - header) + sizeof key - 1 + digits <= n, LOCUM_DAMAGED,
                  "model file: no header_xxh3; this is not a model of locum, or its header is damaged");
    place += sizeof key - 1;
    locum_hash_stream *stream = locum_hash_begin();
    LOCUM_REQUIRE(stream, LOCUM_MEMORY, "model file: out of memory");
    locum_hash_add(stream, header, (size_t)(place - header));
    locum_hash_add(stream, zeros, digits);
    locum_hash_add(stream, place + digits, n - (size_t)(place - header) - digits);
    locum_hash_text(locum_hash_end(stream), expected);
    LOCUM_REQUIRE(!memcmp(place, expected, digits), LOCUM_DAMAGED,
                  "model file: the header's checksum does not hold; the file is damaged");
    return LOCUM_OK;
}

static locum_status check_words(const locum_file *file)
{
    const char *format = locum_file_metadata(file, "format"), *operators = locum_file_metadata(file, "operators");
    const char *requires = locum_file_metadata(file, "requires");
    LOCUM_REQUIRE(format && !strcmp(format, LOCUM_FILE_FORMAT), LOCUM_DAMAGED,
                  "model file: format `%s`, this version reads `%s`", format ? format : "(none)", LOCUM_FILE_FORMAT);
    LOCUM_REQUIRE(operators && !strcmp(operators, LOCUM_FILE_OPERATORS), LOCUM_DAMAGED,
                  "model file: operator version `%s`, this version reads `%s`: update locum",
                  operators ? operators : "(none)", LOCUM_FILE_OPERATORS);
    LOCUM_REQUIRE(requires && !*requires, LOCUM_DAMAGED,
                  "model file: it requires `%s`, which this version does not know: update locum",
                  requires ? requires : "(none)");
    return LOCUM_OK;
}

/* one entry of the table: name, dtype, shape, offsets; *at is where it must begin */
static locum_status read_entry(const locum_file *file, locum_json_node member, const char *data, int64_t data_size,
                               int64_t *at, locum_tensor *tensor, bool *padding)
{
    const locum_json *json = file->header;
    const char *name = locum_json_key(json, member),
               *type = locum_json_string(json, locum_json_find(json, member, "dtype"));
    locum_json_node shape = locum_json_find(json, member, "shape"),
                    offsets = locum_json_find(json, member, "data_offsets");
    int64_t from = -1, to = -1, count = 1, n_dims = locum_json_n(json, shape);

    LOCUM_REQUIRE(type && locum_json_kind_of(json, shape) == LOCUM_JSON_ARRAY && locum_json_n(json, offsets) == 2 &&
                      locum_json_n(json, member) == 3,
                  LOCUM_DAMAGED, "model file: tensor `%.60s` has no dtype, shape or data_offsets", name);
    LOCUM_REQUIRE(n_dims <= LOCUM_DIMS_MAX, LOCUM_DAMAGED,
                  "model file: tensor `%.60s` has rank %" PRId64 ", at most %d", name, n_dims, LOCUM_DIMS_MAX);
    *padding = !strncmp(name, "_pad.", 5);
    int64_t size = !strcmp(type, "F32") ? 4 : !strcmp(type, "F64") ? 8 : *padding && !strcmp(type, "U8") ? 1 : 0;
    LOCUM_REQUIRE(size, LOCUM_DAMAGED, "model file: tensor `%.60s` has dtype `%.8s`; F32 and F64 are known", name,
                  type);
    *tensor = (locum_tensor){.name = name, .number = size == 8 ? LOCUM_REAL64 : LOCUM_REAL32, .n_dims = (int)n_dims};
    locum_json_node item = locum_json_first(json, shape);
    for (int d = 0; d < n_dims; d++, item = locum_json_next(json, item)) {
        bool known = locum_json_integer(json, item, &tensor->dims[d]) && tensor->dims[d] >= 1;
        LOCUM_REQUIRE(known && !__builtin_mul_overflow(count, tensor->dims[d], &count) && count <= data_size,
                      LOCUM_DAMAGED, "model file: tensor `%.60s` has an impossible shape", name);
    }
    item = locum_json_first(json, offsets);
    bool known = locum_json_integer(json, item, &from) && locum_json_integer(json, locum_json_next(json, item), &to);
    LOCUM_REQUIRE(known && from == *at && to >= from && to <= data_size && to - from == count * size, LOCUM_DAMAGED,
                  "model file: tensor `%.60s` does not lie where its neighbours leave it", name);
    LOCUM_REQUIRE(*padding || from % ALIGNMENT == 0, LOCUM_DAMAGED,
                  "model file: tensor `%.60s` is not aligned to %d bytes", name, ALIGNMENT);
    tensor->data = data + from;
    *at = to;
    return LOCUM_OK;
}

/* exponent bits as integers: immune to compiler flags */
static bool all_finite(const locum_tensor *tensor)
{
    int64_t count = locum_tensor_count(tensor);
    bool finite = true;
    for (int64_t i = 0; i < count; i++) {
        if (tensor->number == LOCUM_REAL64) {
            uint64_t bits;
            memcpy(&bits, (const char *)tensor->data + 8 * i, 8);
            finite = finite && (bits & 0x7ff0000000000000u) != 0x7ff0000000000000u;
        } else {
            uint32_t bits;
            memcpy(&bits, (const char *)tensor->data + 4 * i, 4);
            finite = finite && (bits & 0x7f800000u) != 0x7f800000u;
        }
    }
    return finite;
}

static locum_status check_tensor(const locum_file *file, const locum_tensor *tensor)
{
    char key[300], hash[LOCUM_HASH_TEXT_SIZE];
    snprintf(key, sizeof key, "xxh3/%.255s", tensor->name);
    const char *expected = locum_file_metadata(file, key);
    size_t bytes = (size_t)locum_tensor_count(tensor) * (tensor->number == LOCUM_REAL64 ? 8 : 4);
    locum_hash_text(locum_hash(tensor->data, bytes), hash);
    LOCUM_REQUIRE(expected && !strcmp(expected, hash), LOCUM_DAMAGED,
                  "model file: the checksum of tensor `%.60s` does not hold; the file is damaged", tensor->name);
    LOCUM_REQUIRE(all_finite(tensor), LOCUM_DAMAGED, "model file: tensor `%.60s` holds a value that is not finite",
                  tensor->name);
    return LOCUM_OK;
}

static locum_status read_table(locum_file *file, const char *data, int64_t data_size)
{
    const locum_json *json = file->header;
    int64_t n = locum_json_n(json, 0), at = 0;
    LOCUM_REQUIRE(n <= 2 * LOCUM_FILE_TENSORS_MAX + 1, LOCUM_DAMAGED, "model file: %" PRId64 " tensors, at most %d", n,
                  LOCUM_FILE_TENSORS_MAX);
    LOCUM_TRY(LOCUM_NEW(&file->tensors, n));
    for (locum_json_node m = locum_json_first(json, 0); m >= 0; m = locum_json_next(json, m)) {
        locum_tensor tensor;
        bool padding = false;
        if (m == file->metadata) continue;
        LOCUM_TRY(read_entry(file, m, data, data_size, &at, &tensor, &padding));
        if (padding) {
            for (int64_t i = 0; i < tensor.dims[0] * (tensor.n_dims > 0); i++)
                LOCUM_REQUIRE(!((const char *)tensor.data)[i], LOCUM_DAMAGED,
                              "model file: padding is not zero; the file is damaged");
            continue;
        }
        LOCUM_TRY(check_tensor(file, &tensor));
        file->tensors[file->n_tensors++] = tensor;
    }
    LOCUM_REQUIRE(at == data_size, LOCUM_DAMAGED,
                  "model file: %" PRId64 " bytes of tensors, but %" PRId64
                  " bytes of data; it is cut or was appended to",
                  at, data_size);
    return LOCUM_OK;
}

locum_status locum_file_read(const void *bytes, size_t n_bytes, locum_file *file)
{
    const unsigned char *b = bytes;
    uint64_t length = 0;

    *file = (locum_file){.metadata = -1};
    LOCUM_REQUIRE(n_bytes >= 8, LOCUM_DAMAGED, "model file: %zu bytes are too few; it is cut or not a model", n_bytes);
    for (int i = 0; i < 8; i++) length |= (uint64_t)b[i] << (8 * i);
    LOCUM_REQUIRE(
        length <= LOCUM_FILE_HEADER_MAX && length <= n_bytes - 8 && (length + 8) % ALIGNMENT == 0, LOCUM_DAMAGED,
        "model file: its header claims %" PRIu64 " bytes; it is cut, damaged or not a model of locum", length);
    const char *header = (const char *)bytes + 8;
    locum_status st = check_header_hash(header, length);
    if (!st) st = locum_json_parse(header, length, HEADER_NODES_MAX, &file->header);
    if (!st) {
        file->metadata = locum_json_find(file->header, 0, "__metadata__");
        st = check_words(file);
    }
    if (!st) st = read_table(file, header + length, (int64_t)(n_bytes - 8 - length));
    if (st) locum_file_free(file);
    return st;
}

void locum_file_free(locum_file *file)
{
    locum_json_destroy(file->header);
    free(file->tensors);
    *file = (locum_file){.metadata = -1};
}

const char *locum_file_metadata(const locum_file *file, const char *key)
{
    return locum_json_string(file->header, locum_json_find(file->header, file->metadata, key));
}

const locum_tensor *locum_file_tensor(const locum_file *file, const char *name)
{
    for (int i = 0; i < file->n_tensors; i++)
        if (!strcmp(file->tensors[i].name, name)) return &file->tensors[i];
    return NULL;
}
