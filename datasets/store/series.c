/* SPDX-License-Identifier: BSD-3-Clause */
/* series.c - a growing array. */
#include "datasets/store/series.h"

#include <stdlib.h>
#include <string.h>

locum_status locum_series_add(locum_series *series, const void *values, int64_t n)
{
    if (n < 1) return LOCUM_OK;
    if (series->n + n > series->capacity) {
        int64_t capacity = 2 * (series->n + n) + 16;
        void *grown = realloc(series->data, (size_t)capacity * series->width);
        LOCUM_REQUIRE(grown, LOCUM_MEMORY, "out of memory for %lld values of a shard", (long long)capacity);
        series->data = grown;
        series->capacity = capacity;
    }
    memcpy((char *)series->data + (size_t)series->n * series->width, values, (size_t)n * series->width);
    series->n += n;
    return LOCUM_OK;
}

void locum_series_free(locum_series *series)
{
    free(series->data);
    *series = (locum_series){.width = series->width};
}
