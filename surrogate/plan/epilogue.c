/* SPDX-License-Identifier: BSD-3-Clause */
/* epilogue.c - finds products and convolutions whose bias and activation the kernel can apply while the result is still in registers.
 *
 *     product -> [ add(., bias repeated over rows) ] -> [ affine in columns ] -> [ activation ]
 *
 * Every inner value is read by the chain alone. Multiples and shifts of columns by constant parameters become part of
 * weight and bias (products.c): (x W + b) s + m = x (W s) + (b s + m), which loses nothing, for no large numbers
 * cancel. The same before a product, ((x - m) s) W, is left alone: x W' - m W' could cancel.
 *
 * Activations that are composites were expanded before; they are found again by comparing with the expansion of the
 * composite itself, so that this file knows nothing of how they are written. */
#include "surrogate/plan/internal.h"

#include <stdlib.h>
#include <string.h>

#include "core/memory.h"

#define TEMPLATE_NODES_MAX 32

/* One composite as primitives. */
typedef struct activation_template {
    locum_graph *graph;
    locum_id input, root;
    int32_t activation;
} activation_template;

static locum_status make_template(locum_op op, int32_t activation, unsigned flags, activation_template *t)
{
    locum_graph *whole = NULL, *expanded = NULL;
    locum_id map[TEMPLATE_NODES_MAX] = {0}, root = 0;
    const int64_t dims[2] = {1, 2};
    t->activation = activation;
    locum_status st = locum_graph_create(&whole);
    if (!st) {
        const int rows = locum_graph_symbol(whole, "rows");
        locum_output(whole, locum_unary(whole, op, locum_input(whole, "x", LOCUM_REAL32, rows, 2, dims)), "y");
        st = locum_graph_status(whole);
    }
    if (!st) st = locum_graph_expand_composites(whole, &expanded, map);
    if (!st) root = locum_graph_output(expanded, 0);
    if (!st && !(flags & LOCUM_PLAN_NO_SIMPLIFY)) {
        st = locum_graph_simplify(expanded, 1, &root, &t->graph, &t->root);
    } else if (!st) {
        t->graph = expanded;
        t->root = root;
        expanded = NULL;
    }
    if (!st) t->input = locum_graph_find(t->graph, "x");
    locum_graph_destroy(expanded);
    locum_graph_destroy(whole);
    return st;
}

/* Is node `id` the template's node `pattern`? Counts what is read of the template's input, and of inner nodes. */
typedef struct matcher {
    const plan_compiler *c;
    const activation_template *t;
    locum_id bound;      /* what stands for the template's input */
    int32_t bound_reads; /* how often it is read */
    int n;
    locum_id node[TEMPLATE_NODES_MAX], pattern[TEMPLATE_NODES_MAX]; /* inner nodes seen */
    int32_t reads[TEMPLATE_NODES_MAX];
} matcher;

static bool same_constant(const locum_graph *g, locum_id a, const locum_graph *h, locum_id b)
{
    const int64_t one[LOCUM_SYMBOLS_MAX] = {1, 1, 1, 1, 1, 1, 1, 1};
    return locum_graph_count(g, a, one) == 1 && locum_graph_count(h, b, one) == 1 &&
           locum_graph_data(g, a)[0] == locum_graph_data(h, b)[0];
}

static bool match(matcher *m, locum_id id, locum_id pattern)
{
    const locum_graph *g = m->c->graph, *h = m->t->graph;
    if (pattern == m->t->input) {
        if (m->bound && m->bound != id) return false;
        m->bound = id;
        m->bound_reads++;
        return true;
    }
    for (int i = 0; i < m->n; i++) {
        if (m->node[i] != id) continue;
        m->reads[i]++;
        return m->pattern[i] == pattern;
    }
    const locum_node *a = locum_graph_node(g, id), *b = locum_graph_node(h, pattern);
    if (a->op != b->op || a->n_inputs != b->n_inputs || a->n_reals != b->n_reals || m->n == TEMPLATE_NODES_MAX)
        return false;
    if (a->op == LOCUM_OP_constant) return same_constant(g, id, h, pattern);
    if (a->op != LOCUM_OP_expand && a->n_integers != b->n_integers) return false;
    for (int i = 0; i < a->n_reals; i++)
        if (locum_graph_reals(g, id)[i] != locum_graph_reals(h, pattern)[i]) return false;
    if (a->op != LOCUM_OP_expand) { /* constants and their repetitions may be shared with others */
        m->node[m->n] = id;
        m->pattern[m->n] = pattern;
        m->reads[m->n++] = 1;
    }
    for (int i = 0; i < a->n_inputs; i++)
        if (!match(m, locum_graph_inputs(g, id)[i], locum_graph_inputs(h, pattern)[i])) return false;
    return true;
}

/* What id is an activation of, if nothing inside is read from outside; else 0. */
static locum_id activation_input(const plan_compiler *c, int n_templates, const activation_template *templates,
                                 locum_id id, int32_t *activation)
{
    const locum_node *node = locum_graph_node(c->graph, id);
    if (node->op == LOCUM_OP_tanh || node->op == LOCUM_OP_sigmoid) {
        const locum_id in = locum_graph_inputs(c->graph, id)[0];
        *activation = node->op == LOCUM_OP_tanh ? LOCUM_ACT_TANH : LOCUM_ACT_SIGMOID;
        return c->uses[in] == 1 ? in : 0;
    }
    for (int t = 0; t < n_templates; t++) {
        matcher m = {.c = c, .t = &templates[t]};
        if (!match(&m, id, templates[t].root) || !m.bound || m.bound_reads != c->uses[m.bound]) continue;
        bool closed = true; /* node 0 is the root: it may be read by anybody */
        for (int i = 1; i < m.n && closed; i++) closed = m.reads[i] == c->uses[m.node[i]];
        *activation = templates[t].activation;
        if (closed) return m.bound;
    }
    return 0;
}

/* The bias of an add whose other operand is `product`: the node that was repeated over the rows; else 0. */
static locum_id bias_input(const plan_compiler *c, locum_id add, locum_id product)
{
    const locum_id *in = locum_graph_inputs(c->graph, add);
    const locum_id other = in[0] == product ? in[1] : in[0];
    const locum_node *p = locum_graph_node(c->graph, product), *e = locum_graph_node(c->graph, other);
    if (other == product || e->op != LOCUM_OP_expand) return 0;
    const locum_id bias = locum_graph_inputs(c->graph, other)[0];
    const locum_node *b = locum_graph_node(c->graph, bias);
    const int64_t width = p->dims[p->n_dims - 1];
    if (b->symbol >= 0 || b->n_dims == 0 || b->dims[b->n_dims - 1] != width) return 0;
    for (int i = 0; i < b->n_dims - 1; i++)
        if (b->dims[i] != 1) return 0;
    return bias;
}

static void mark(plan_compiler *c, locum_id end, locum_id product, locum_id bias, int32_t activation)
{
    c->chain[end] = (plan_chain){.end = end, .product = product, .bias = bias, .activation = activation};
}

/* Marks every inner node of a chain: those between end and product, whose values are never made. */
static void mark_inner(plan_compiler *c, locum_id id, locum_id end, locum_id product)
{
    const locum_node *node = locum_graph_node(c->graph, id);
    if (id != end && (node->op == LOCUM_OP_expand || node->op == LOCUM_OP_constant)) return;
    c->chain[id].end = end; /* the rest of an inner node's record is no longer read */
    if (id == product) return;
    for (int i = 0; i < node->n_inputs; i++) {
        const locum_id in = locum_graph_inputs(c->graph, id)[i];
        if (!c->chain[in].end || in == product || c->chain[in].end != end) mark_inner(c, in, end, product);
    }
}

/* Is node `id` a multiple or a shift of the chain's columns by constant parameters? Then the chain ends with it. */
static bool extend_affine(plan_compiler *c, locum_id id, int operand)
{
    const locum_node *node = locum_graph_node(c->graph, id);
    const locum_id *in = locum_graph_inputs(c->graph, id), from = in[operand];
    plan_chain chain = c->chain[from];
    locum_id column = 0;
    if (chain.product && locum_plan_is_convolution(c, chain.product)) return false;
    if (chain.end != from || c->uses[from] != 1 || chain.n_affine == PLAN_AFFINE_MAX) return false;
    if (!c->fixed[locum_graph_inputs(c->graph, chain.product)[1]] || (chain.bias && !c->fixed[chain.bias]))
        return false;
    if (node->op == LOCUM_OP_scale) {
        if (!chain.bias && locum_graph_reals(c->graph, id)[1] != 0) return false;
    } else {
        column = bias_input(c, id, from);
        if (!column || !c->fixed[column] || (operand == 1 && node->op != LOCUM_OP_add && node->op != LOCUM_OP_multiply))
            return false;
        if (!chain.bias && node->op == LOCUM_OP_add)
            chain.bias = column;
        else if (!chain.bias && node->op == LOCUM_OP_subtract)
            return false;
    }
    const bool is_bias = chain.bias == column && !c->chain[from].bias && node->op == LOCUM_OP_add;
    if (is_bias) {
        chain.n_before_bias = chain.n_affine;
    } else {
        chain.affine[chain.n_affine] = id;
        chain.column[chain.n_affine++] = column;
    }
    chain.end = id;
    c->chain[id] = chain;
    mark_inner(c, id, id, chain.product);
    return true;
}

static void find_affine(plan_compiler *c)
{
    for (locum_id id = 1; id <= locum_graph_n(c->graph); id++) {
        const locum_node *node = locum_graph_node(c->graph, id);
        const bool affine = node->op == LOCUM_OP_add || node->op == LOCUM_OP_subtract ||
                            node->op == LOCUM_OP_multiply || node->op == LOCUM_OP_divide || node->op == LOCUM_OP_scale;
        if (!affine || !c->uses[id] || c->chain[id].end) continue;
        for (int i = 0; i < node->n_inputs; i++)
            if (extend_affine(c, id, i)) break;
    }
}

static void find_chains(plan_compiler *c, int n_templates, const activation_template *templates)
{
    const int32_t n = locum_graph_n(c->graph);
    for (locum_id id = 1; id <= n; id++) { /* products and their biases */
        const locum_node *node = locum_graph_node(c->graph, id);
        if (!c->uses[id]) continue;
        if ((node->op == LOCUM_OP_product && !locum_plan_by_adapter(c, id)) || locum_plan_is_convolution(c, id))
            mark(c, id, id, 0, LOCUM_ACT_NONE);
        if (node->op != LOCUM_OP_add) continue;
        for (int i = 0; i < 2; i++) {
            const locum_id in = locum_graph_inputs(c->graph, id)[i];
            if (c->chain[in].end != in || c->chain[in].product != in || c->uses[in] != 1) continue;
            const locum_id bias = bias_input(c, id, in);
            if (!bias) continue;
            mark(c, id, in, bias, LOCUM_ACT_NONE);
            c->chain[in].end = id;
            break;
        }
    }
    if (c->options->flags & LOCUM_PLAN_CONSTANT_PARAMETERS) find_affine(c);
    locum_plan_transform_chains(c);
    for (locum_id id = 1; id <= n; id++) { /* activations of any of them */
        int32_t activation = 0;
        if (!c->uses[id] || c->chain[id].end) continue;
        const locum_id in = activation_input(c, n_templates, templates, id, &activation);
        if (!in || c->chain[in].end != in || c->chain[in].activation != LOCUM_ACT_NONE) continue;
        plan_chain chain = c->chain[in];
        chain.end = id;
        chain.activation = activation;
        c->chain[id] = chain;
        mark_inner(c, id, id, chain.transform ? in : chain.product);
    }
}

locum_status locum_plan_chains(plan_compiler *c)
{
    static const struct {
        locum_op op;
        int32_t activation;
    } composites[] = {
        {LOCUM_OP_relu, LOCUM_ACT_RELU}, {LOCUM_OP_silu, LOCUM_ACT_SILU}, {LOCUM_OP_gelu, LOCUM_ACT_GELU}};
    enum { N = sizeof composites / sizeof composites[0] };
    activation_template templates[N];
    memset(templates, 0, sizeof templates);
    locum_status st = LOCUM_OK;
    for (int i = 0; i < N && !st; i++)
        st = make_template(composites[i].op, composites[i].activation, c->options->flags, &templates[i]);
    if (!st) find_chains(c, N, templates);
    for (int i = 0; i < N; i++) locum_graph_destroy(templates[i].graph);
    return st;
}
