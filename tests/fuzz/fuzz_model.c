/* SPDX-License-Identifier: BSD-3-Clause */
/* fuzz_model.c - libFuzzer looks for bytes that break the model reader. Built by clang with LOCUM_FUZZ=ON:
 *
 *     cmake -S . -B build/fuzz -DCMAKE_C_COMPILER=clang -DLOCUM_TESTING=ON -DLOCUM_FUZZ=ON -DLOCUM_SANITIZE=ON \
 *           -DLOCUM_TRAIN=OFF -DLOCUM_SOLVERS=OFF -DCMAKE_C_FLAGS=-fsanitize=fuzzer-no-link
 *     cmake --build build/fuzz --target fuzz_model fuzz_seed
 *     build/fuzz/tests/fuzz_seed corpus && build/fuzz/tests/fuzz_model -max_total_time=60 -rss_limit_mb=1024 corpus
 *
 * Each input is tried as it is and sealed: with a checksum that holds, so that the reader believes the header. */
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/hostile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) return 0;
    unsigned char *sealed = malloc(size);
    if (!sealed) return 0;
    memcpy(sealed, data, size);
    hostile_seal(sealed, size);
    hostile_try(data, size);
    hostile_try(sealed, size);
    free(sealed);
    return 0;
}
