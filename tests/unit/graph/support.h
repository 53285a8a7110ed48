/* SPDX-License-Identifier: BSD-3-Clause */
/* support.h - values by name for locum_graph_evaluate, and fourth-order differences along a direction. */
#ifndef TESTS_UNIT_GRAPH_SUPPORT_H
#define TESTS_UNIT_GRAPH_SUPPORT_H

#include "core/random.h"
#include "surrogate/graph/graph.h"
#include "tests/unit/check.h"

#define ITEMS_MAX 32

typedef struct store {
    int n;
    struct {
        char name[32];
        double *data;
        int64_t count;
    } item[ITEMS_MAX];
} store;

/* a chain of uniform numbers that depends on `seed` alone */
typedef struct dice {
    uint64_t seed, index;
} dice;
double roll(dice *d, double low, double high);
int64_t roll_integer(dice *d, int64_t n); /* 0 .. n - 1 */

double *store_add(store *s, const char *name, int64_t count); /* zeros, owned by the store */
double *store_find(const store *s, const char *name, int64_t *count);
void store_fill(store *s, const char *name, dice *d, double low, double high);
/* values for every input and parameter of a graph that has none yet */
void store_complete(store *s, const locum_graph *graph, const int64_t *extents, dice *d, double low, double high);
void store_free(store *s);
const double *store_values(void *self, const char *name); /* a locum_find_values */

/* the values of one node, malloc'd; asserts success */
double *values_of(const locum_graph *graph, const int64_t *extents, store *s, locum_id id);
double value_of(const locum_graph *graph, const int64_t *extents, store *s, locum_id id); /* of a node of one value */

/* d/dt of a one-valued node at t = 0, where `name` goes to name + t direction, by
 * (8 (F(h) - F(-h)) - (F(2h) - F(-2h))) / 12h: error h^4 F^(5) / 30, so h = 1e-3 leaves round-off, about 1e-13 F */
double difference(const locum_graph *graph, const int64_t *extents, store *s, locum_id id, const char *name,
                  const double *direction);

double dot(int64_t n, const double *a, const double *b);
double dot_size(int64_t n, const double *a, const double *b); /* sum |a b|: what round-off is relative to */

locum_id sum_of_products(locum_graph *graph, locum_id a, locum_id b); /* <a, b>, one value */

#endif
