/* SPDX-License-Identifier: BSD-3-Clause */
/* memory.c - zeroed, 64-byte aligned memory (one cache line, one AVX-512 register). In testing builds the failpoint
 * "alloc" makes any allocation of a run fail: LOCUM_FAILPOINTS=alloc@17=memory. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/failpoint.h"
#include "core/memory.h"

enum { ALIGNMENT = 64 };

locum_status locum_alloc(void *pointer, int64_t n, size_t size)
{
    void *data = NULL;

    memcpy(pointer, &data, sizeof data);
    LOCUM_TRY(locum_failpoint("alloc"));
    LOCUM_REQUIRE(n >= 0 && (size == 0 || (uint64_t)n <= (PTRDIFF_MAX - ALIGNMENT) / size), LOCUM_MEMORY,
                  "%" PRId64 " values of %zu bytes do not fit into memory", n, size);

    size_t bytes = ((size_t)n * size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    if (bytes == 0) bytes = ALIGNMENT; /* so that NULL always means failure */
    data = aligned_alloc(ALIGNMENT, bytes);
    LOCUM_REQUIRE(data, LOCUM_MEMORY, "out of memory: %" PRId64 " values of %zu bytes", n, size);
    memset(data, 0, bytes);
    memcpy(pointer, &data, sizeof data);
    return LOCUM_OK;
}

locum_status locum_copy_text(char **copy, const char *text)
{
    size_t n = strlen(text) + 1;

    LOCUM_TRY(locum_alloc(copy, (int64_t)n, 1));
    memcpy(*copy, text, n);
    return LOCUM_OK;
}
