/* SPDX-License-Identifier: BSD-3-Clause */
/* frame.c - queries on schemas and blocks (locum/dev/frame.h). */
#include <string.h>

#include "locum/dev/frame.h"

size_t locum_type_size(locum_type type)
{
    return type == LOCUM_FLOAT64 || type == LOCUM_INT64 ? 8 : 4;
}

int64_t locum_array_components(const locum_array *array)
{
    int64_t n = 1;

    for (int i = 0; i < array->order && i < 2; i++) n *= array->shape[i];
    return n;
}

int locum_schema_find(const locum_schema *schema, const char *name)
{
    for (int i = 0; i < schema->n_arrays; i++)
        if (!strcmp(schema->arrays[i].name, name)) return i;
    return -1;
}

int locum_schema_variance_of(const locum_schema *schema, int array)
{
    static const char suffix[] = "_variance";
    const char *name = schema->arrays[array].name;
    size_t n = strlen(name), end = sizeof suffix - 1;

    if (!(schema->arrays[array].roles & LOCUM_VARIANCE) || n <= end || strcmp(name + n - end, suffix)) return -1;
    for (int i = 0; i < schema->n_arrays; i++)
        if (strlen(schema->arrays[i].name) == n - end && !strncmp(schema->arrays[i].name, name, n - end)) return i;
    return -1;
}

int64_t locum_block_count(const locum_schema *schema, int array, const locum_block *block)
{
    const locum_array *a = &schema->arrays[array];
    const locum_domain *domain = &schema->domains[a->domain];
    int64_t n = locum_array_components(a);

    if (domain->support != LOCUM_GLOBAL)
        for (int i = 0; i < domain->n_dims; i++) n *= block->n[i];
    return n;
}
