/* SPDX-License-Identifier: BSD-3-Clause */
/* rewrite.h - from simplify.c to the rules of rewrite.c. */
#ifndef SURROGATE_GRAPH_REWRITE_H
#define SURROGATE_GRAPH_REWRITE_H

#include "surrogate/graph/operator.h"

#define LOCUM_FOLD_MAX 4096 /* values of a node that is computed ahead */

typedef struct locum_rewrite {
    const locum_graph *graph; /* holds the inputs of the draft */
    locum_draft *draft;
    locum_id *in; /* draft->in, writable, room for 2 */
    bool again;   /* the draft has changed: more rules may apply */
} locum_rewrite;

/** An id that has the draft's value already; else 0, perhaps with a changed draft. */
locum_id locum_rewrite_draft(locum_rewrite *r);
/** Are all values of a node the same, known number? */
bool locum_uniform(const locum_graph *graph, locum_id id, double *value);

#endif
