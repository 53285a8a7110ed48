/* SPDX-License-Identifier: BSD-3-Clause */
/* test_mutations.c - thousands of bent models whose checksum holds, the same ones every time: each is refused as damaged or predicts
 * without a fault. What a fuzzer does, made small enough to run always; with sanitizers it sees every wrong access. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/random.h"
#include "tests/fuzz/hostile.h"
#include "tests/unit/check.h"
#include "tests/unit/models/fixture.h"
#include "tests/unit/runtime/field_model.h"

enum { MUTANTS = 4000, ROOM = 256 };

/* words that readers of numbers and shapes trip over */
static const char *const words[] = {"0",
                                    "-1",
                                    "1",
                                    "2",
                                    "7",
                                    "255",
                                    "65536",
                                    "2147483647",
                                    "2147483648",
                                    "-2147483648",
                                    "4294967295",
                                    "4294967296",
                                    "9223372036854775807",
                                    "18446744073709551615",
                                    "1e308",
                                    "1e-400",
                                    "0.5",
                                    "[]",
                                    "{}",
                                    "\"\"",
                                    "null",
                                    "true",
                                    "[[[[[[[[",
                                    "\\u0000",
                                    "batch",
                                    "product",
                                    "input",
                                    "parameter"};
enum { N_WORDS = sizeof words / sizeof *words };

typedef struct mutant {
    unsigned char *bytes; /* [size of the sound one + ROOM] */
    size_t n, header;     /* all; end of the header */
    uint64_t seed, count;
} mutant;

static uint64_t draw(mutant *m, uint64_t below)
{
    return locum_random_seed(m->seed, LOCUM_STREAM_TEST, m->count++) % below;
}

/* cuts `out` bytes at `at` and puts `in` bytes there; the header grows or shrinks, its length is told */
static void splice(mutant *m, size_t at, size_t out, const void *in, size_t n_in)
{
    if (at + out > m->header) out = m->header - at;
    memmove(m->bytes + at + n_in, m->bytes + at + out, m->n - at - out);
    memcpy(m->bytes + at, in, n_in);
    m->n = m->n - out + n_in;
    m->header = m->header - out + n_in;
    for (int i = 0; i < 8; i++) m->bytes[i] = (unsigned char)((uint64_t)(m->header - 8) >> (8 * i));
}

/* the header must end on 64 bytes: spaces behind it are taken or added */
static void pad(mutant *m)
{
    while (m->header % 64 && m->bytes[m->header - 1] == ' ') splice(m, m->header - 1, 1, "", 0);
    while (m->header % 64) splice(m, m->header, 0, " ", 1);
}

/* a number or a name in quotes, found from a random place on */
static size_t find_token(mutant *m, size_t *length)
{
    size_t at = 8 + (size_t)draw(m, m->header - 8);
    while (at < m->header && !strchr("0123456789-", m->bytes[at])) at++;
    *length = 0;
    while (at + *length < m->header && strchr("0123456789-.e", m->bytes[at + *length])) ++*length;
    return at;
}

static void mutate_once(mutant *m)
{
    size_t length, at = 8 + (size_t)draw(m, m->header - 8);
    const char *word = words[draw(m, N_WORDS)];
    unsigned char copy[32];
    switch (draw(m, 6)) {
    case 0: m->bytes[at] ^= (unsigned char)(1 << draw(m, 8)); break;
    case 1:
    case 2:
        at = find_token(m, &length);
        splice(m, at, length, word, strlen(word));
        break;
    case 3: splice(m, at, (size_t)draw(m, 40), "", 0); break;
    case 4:
        length = (size_t)draw(m, sizeof copy);
        if (at + length > m->header) length = m->header - at;
        memcpy(copy, m->bytes + at, length);
        splice(m, 8 + (size_t)draw(m, m->header - 8), 0, copy, length);
        break;
    default: splice(m, at, 0, word, strlen(word));
    }
}

static void bend(locum_text sound)
{
    int refused = 0, accepted = 0, other = 0;
    uint64_t header = 0;

    CHECK_OK(sound.status);
    for (int i = 7; i >= 0; i--) header = header << 8 | (unsigned char)sound.data[i];
    mutant m = {.bytes = malloc(sound.size + 4 * ROOM + 64)};
    CU_ASSERT_PTR_NOT_NULL_FATAL(m.bytes);
    for (uint64_t i = 0; i < MUTANTS; i++) {
        m.seed = i;
        m.count = 0;
        m.n = sound.size;
        m.header = (size_t)header + 8;
        memcpy(m.bytes, sound.data, m.n);
        for (uint64_t k = 0, n = 1 + draw(&m, 3); k < n; k++) mutate_once(&m);
        pad(&m);
        hostile_seal(m.bytes, m.n);
        locum_status st = hostile_try(m.bytes, m.n);
        refused += st == LOCUM_DAMAGED;
        accepted += st == LOCUM_OK;
        other += st != LOCUM_DAMAGED && st != LOCUM_OK;
        if (st != LOCUM_DAMAGED && st != LOCUM_OK)
            printf("\n    mutant %d: %s: %s", (int)i, locum_status_name(st), locum_status_message());
    }
    CU_ASSERT_EQUAL(other, 0);
    /* words of texts and ranges bend freely; were all refused, the seal would not hold and the test would see checksums only */
    CU_ASSERT_TRUE(accepted > MUTANTS / 100);
    CU_ASSERT_TRUE(refused > MUTANTS / 4);
    free(m.bytes);
}

static void a_bent_model_with_a_sound_checksum_is_refused_or_predicts(void)
{
    fixture *f = fixture_create(2, 1, 3, 1);
    locum_text sound = {0};
    fixture_write(f, &sound);
    bend(sound);
    locum_text_free(&sound);
    fixture_destroy(f);
}

static void a_bent_step_is_refused_or_rolls(void)
{
    static const field_model step = {
        .nx = 3, .ny = 2, .history = 3, .is_step = true, .vector = true, .trusted = true, .residuals = true};
    locum_text sound = {0};
    field_model_write(&step, &sound);
    bend(sound);
    locum_text_free(&sound);
}

LOCUM_RUN_TESTS("hostile models",
                {"a bent model with a sound checksum is refused or predicts",
                 a_bent_model_with_a_sound_checksum_is_refused_or_predicts},
                {"a bent step is refused or rolls", a_bent_step_is_refused_or_rolls})
