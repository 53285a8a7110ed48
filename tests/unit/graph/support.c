/* SPDX-License-Identifier: BSD-3-Clause */
/* support.c - see support.h. */
#include "tests/unit/graph/support.h"

#include <string.h>

double roll(dice *d, double low, double high)
{
    double u[2];
    locum_random_uniform(d->seed, LOCUM_STREAM_TEST, d->index++, u);
    return low + (high - low) * u[0];
}

int64_t roll_integer(dice *d, int64_t n)
{
    const int64_t i = (int64_t)roll(d, 0, (double)n);
    return i < n ? i : n - 1;
}

double *store_add(store *s, const char *name, int64_t count)
{
    snprintf(s->item[s->n].name, sizeof s->item[s->n].name, "%s", name);
    s->item[s->n].count = count;
    s->item[s->n].data = calloc((size_t)count + 1, sizeof(double));
    return s->item[s->n++].data;
}

double *store_find(const store *s, const char *name, int64_t *count)
{
    for (int i = 0; i < s->n; i++) {
        if (strcmp(s->item[i].name, name)) continue;
        if (count) *count = s->item[i].count;
        return s->item[i].data;
    }
    return NULL;
}

const double *store_values(void *self, const char *name)
{
    return store_find(self, name, NULL);
}

void store_fill(store *s, const char *name, dice *d, double low, double high)
{
    int64_t n = 0;
    double *data = store_find(s, name, &n);
    for (int64_t i = 0; i < n; i++) data[i] = roll(d, low, high);
}

void store_complete(store *s, const locum_graph *graph, const int64_t *extents, dice *d, double low, double high)
{
    for (locum_id id = 1; id <= locum_graph_n(graph); id++) {
        const int op = locum_graph_node(graph, id)->op;
        const char *name = locum_graph_name(graph, id);
        if ((op != LOCUM_OP_input && op != LOCUM_OP_parameter) || store_find(s, name, NULL)) continue;
        store_add(s, name, locum_graph_count(graph, id, extents));
        store_fill(s, name, d, low, high);
    }
}

void store_free(store *s)
{
    for (int i = 0; i < s->n; i++) free(s->item[i].data);
    *s = (store){0};
}

double *values_of(const locum_graph *graph, const int64_t *extents, store *s, locum_id id)
{
    double *values = calloc((size_t)locum_graph_count(graph, id, extents) + 1, sizeof(double));
    CHECK_OK(locum_graph_evaluate(graph, extents, 1, store_values, s, 1, &id, &values));
    return values;
}

double value_of(const locum_graph *graph, const int64_t *extents, store *s, locum_id id)
{
    double *values = values_of(graph, extents, s, id), value = values[0];
    free(values);
    return value;
}

double difference(const locum_graph *graph, const int64_t *extents, store *s, locum_id id, const char *name,
                  const double *direction)
{
    static const double step[4] = {1e-3, -1e-3, 2e-3, -2e-3},
                        weight[4] = {8 / 12e-3, -8 / 12e-3, -1 / 12e-3, 1 / 12e-3};
    int64_t n = 0;
    double *x = store_find(s, name, &n), *kept = malloc(((size_t)n + 1) * sizeof(double)), result = 0;
    memcpy(kept, x, (size_t)n * sizeof(double));
    for (int k = 0; k < 4; k++) {
        for (int64_t i = 0; i < n; i++) x[i] = kept[i] + step[k] * direction[i];
        result += weight[k] * value_of(graph, extents, s, id);
    }
    memcpy(x, kept, (size_t)n * sizeof(double));
    free(kept);
    return result;
}

double dot(int64_t n, const double *a, const double *b)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++) sum += a[i] * b[i];
    return sum;
}

double dot_size(int64_t n, const double *a, const double *b)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++) sum += fabs(a[i] * b[i]);
    return sum;
}

locum_id sum_of_products(locum_graph *graph, locum_id a, locum_id b)
{
    return locum_sum(graph, locum_binary(graph, LOCUM_OP_multiply, a, b), 0, NULL, false);
}
