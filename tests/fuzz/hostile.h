/* SPDX-License-Identifier: BSD-3-Clause */
/* hostile.h - what a fuzzer does with bytes that claim to be a model: makes their checksum hold, opens them, predicts. */
#ifndef TESTS_FUZZ_HOSTILE_H
#define TESTS_FUZZ_HOSTILE_H

#include <stddef.h>
#include <stdint.h>

#include "locum/status.h"

/** Writes the header's length (where it fits) and checksum anew, so that what is behind the checksum is met too. */
void hostile_seal(unsigned char *bytes, size_t n);
/** Opens the bytes; if they are a model, predicts two rows with interval. Aborts if a promise of locum/model.h is broken. */
locum_status hostile_try(const unsigned char *bytes, size_t n);

#endif
