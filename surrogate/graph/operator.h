/* SPDX-License-Identifier: BSD-3-Clause */
/* operator.h - what one operator is: a shape rule, a gradient or an expansion, a reference loop. Inside surrogate/graph
 * only (and its tests); every operator of LOCUM_OPS has one const `locum_operator_<name>` in ops/, on one screen.
 *
 * Adding one: a line in LOCUM_OPS (graph.h), its locum_operator in ops/, a case in tests/unit/graph/cases.c. */
#ifndef SURROGATE_GRAPH_OPERATOR_H
#define SURROGATE_GRAPH_OPERATOR_H

#include "surrogate/graph/graph.h"

#define LOCUM_INTEGERS_MAX (LOCUM_DIMS_MAX + 1)
#define LOCUM_REALS_MAX 2
#define LOCUM_COUNT_MAX ((int64_t)1 << 44) /* values of one node, in units of its symbol */

typedef struct locum_shape {
    locum_number number;
    int symbol, n_dims; /* symbol of the first dim, -1 = none */
    int64_t dims[LOCUM_DIMS_MAX];
} locum_shape;

/* A node before it exists. Sources, reshape, expand and cast ask for a shape; all others leave it to their rule. */
typedef struct locum_draft {
    locum_op op;
    locum_shape shape;
    int n_inputs;
    const locum_id *in; /* not inside the graph's own pool */
    int n_integers, n_reals;
    int64_t integers[LOCUM_INTEGERS_MAX];
    double reals[LOCUM_REALS_MAX];
    const char *name;   /* of sources, else NULL */
    const double *data; /* of constants, else NULL */
} locum_draft;

/* A node as its gradient or expansion sees it: all copies, so that building does not move them. */
typedef struct locum_site {
    locum_graph *graph; /* where new nodes go */
    locum_node node;
    locum_id id;        /* gradient: the node itself, in `graph` */
    const locum_id *in; /* its inputs, in `graph` */
    int64_t integers[LOCUM_INTEGERS_MAX];
    double reals[LOCUM_REALS_MAX];
    locum_id seed;      /* gradient: d(result)/d(node) */
    const bool *wanted; /* gradient: [n_inputs], which inputs need theirs */
} locum_site;

/* Values with their actual dims, row-major. */
typedef struct locum_view {
    int n_dims;
    int64_t dims[LOCUM_DIMS_MAX], count;
    double *data;
} locum_view;

/* What a reference loop gets. */
typedef struct locum_loop {
    locum_op op;
    const int64_t *integers;
    const double *reals;
    int n_integers, n_in;
    const locum_view *in;
    locum_view out;
    int64_t rows;  /* extent of the symbol, 1 without one */
    uint64_t seed; /* of noise */
    locum_number number;
} locum_loop;

/* traits */
enum {
    LOCUM_ELEMENTWISE = 1, /* output i depends on inputs i only */
    LOCUM_LINEAR = 2,      /* in all operands together: f(x, y) = A x + B y */
    LOCUM_NO_GRADIENT = 4, /* piecewise constant, or so by definition */
    LOCUM_SOURCE = 8,
    LOCUM_COMMUTES = 16,   /* bit for bit */
    LOCUM_MULTILINEAR = 32 /* in each operand by itself: f(x, y) = A(y) x = B(x) y */
};

typedef struct locum_operator {
    unsigned traits;
    unsigned blind;                                                      /* bit i: no gradient for input i */
    int n_integers, n_reals;                                             /* n_integers -1: the rule checks them */
    locum_status (*shape)(const locum_graph *graph, locum_draft *draft); /* required */
    void (*gradient)(const locum_site *site, locum_id *into);            /* into [n_inputs], 0 = none */
    locum_id (*expand)(const locum_site *site);                          /* composites: the meaning */
    void (*reference)(const locum_loop *loop);                           /* primitives: the meaning */
    double (*unary)(double x);                                           /* of locum_reference_elementwise */
    double (*binary)(double x, double y);
} locum_operator;

#define LOCUM_DECLARE_OPERATOR(name, n, tier) extern const locum_operator locum_operator_##name;
LOCUM_OPS(LOCUM_DECLARE_OPERATOR)
#undef LOCUM_DECLARE_OPERATOR

/* graph.c */
const locum_operator *locum_operator_of(int op);
int locum_op_n_inputs(int op); /* -1 = any number, at least one */
bool locum_op_is_composite(int op);
locum_op locum_op_find(const char *name);                         /* LOCUM_OP_none = unknown */
locum_id locum_graph_add(locum_graph *graph, locum_draft *draft); /* checks, then appends; 0 after a fault */
int32_t locum_graph_widest(const locum_graph *graph);             /* most inputs of any node */
locum_site locum_site_of(const locum_graph *from, locum_id id, locum_graph *into, const locum_id *in);
/** Appends a copy of a node of another graph (same symbols) with inputs `in`; sources keep names, outputs do not. */
locum_id locum_graph_add_copy(locum_graph *into, const locum_graph *from, locum_id id, const locum_id *in);
locum_status locum_graph_copy_symbols(locum_graph *into, const locum_graph *from);
/** Names outputs [n] of `from` in `into`, whose ids are map[outputs[i]], and stores the ids in new_outputs. */
void locum_graph_copy_outputs(locum_graph *into, const locum_graph *from, int n, const locum_id *outputs,
                              const locum_id *map, locum_id *new_outputs);

/* shape.c */
locum_shape locum_shape_of(const locum_graph *graph, locum_id id);
bool locum_shape_equal(const locum_shape *a, const locum_shape *b); /* dims and symbol; not the number */
int64_t locum_shape_count(const locum_shape *shape);                /* in units of the symbol; -1 = too many */
locum_status locum_shape_check(const locum_graph *graph, const locum_shape *shape);
#define LOCUM_SHAPE_TEXT 160
const char *locum_shape_text(const locum_graph *graph, const locum_shape *shape,
                             char text[LOCUM_SHAPE_TEXT]); /* "[2 batch, 3]" */
/** The shape both can be expanded to; LOCUM_ARG if there is none. */
locum_status locum_shape_broadcast(const locum_graph *graph, const char *who, const locum_shape *a,
                                   const locum_shape *b, locum_shape *both);
/** axis in 0 .. n_dims - 1 from one that may count from the end; -1 = out of range. */
int locum_shape_axis(const locum_shape *shape, int64_t axis);
locum_id locum_expand_like(locum_graph *graph, locum_id x, locum_id like);
locum_id locum_reshape_like(locum_graph *graph, locum_id x, locum_id like);

/* evaluate.c */
/** Runs the reference loop of one primitive. views [n_inputs] is scratch, in [n_inputs] the values of the inputs. */
void locum_node_reference(const locum_graph *graph, locum_id id, const int64_t *extents, uint64_t seed,
                          const double *const *in, locum_view *views, double *out);

/* ops/elementwise.c, ops/reduce.c: shared by several operators */
locum_status locum_rule_elementwise(const locum_graph *graph, locum_draft *draft);
void locum_reference_elementwise(const locum_loop *loop);
locum_status locum_rule_reduce(const locum_graph *graph, locum_draft *draft);

#endif
