/* SPDX-License-Identifier: BSD-3-Clause */
/* fno.c - Fourier neural operator on grids of one to three axes.
 *
 *     h = x W + values V + coordinates U + b                       lift: [batch, grid.., width]
 *     h <- act( F^-1 R F h + h W + b ),  `layers` times            no activation after the last
 *     z = act( h W + b ) W + b                                     head: width -> head -> out_channels
 *
 * F keeps the lowest `modes` Fourier modes along each axis (blocks.c); R mixes the channels of each mode by a complex
 * matrix: weight [G, width, 2 width], G modes, real parts before imaginary ones. One grouped product gives all four
 * real products of a complex one; rows are (batch, real or imaginary):
 *
 *     P = [Re; Im] [R_r | R_i]         Re' = P_rr - P_ii          Im' = P_ri + P_ir
 *
 * R acts divided by sqrt 2, so that initial weights of variance 1 / width keep the variance of a mode.
 * Grids that are not periodic are padded with zeros behind each axis (`padding`, a share of it) while the layers run,
 * and the lift sees where a point lies. Without fields the lift sees only values and coordinates.
 * On periodic grids without coordinates, shifting the input shifts the output (any number of points).
 * Source: Z. Li et al., arXiv:2010.08895. Left out: normalisation layers, factorised weights. */
#include <math.h>
#include <stdlib.h>

#include "surrogate/models/blocks.h"

typedef struct fno_config {
    int32_t modes, width, layers, head, coordinates;
    double padding;
} fno_config;

enum { COORDINATES_AUTO, COORDINATES_YES, COORDINATES_NO };
static const locum_choice coordinates[] = {
    {"auto", "on grids that are not periodic, and where there is no field", NULL},
    {"yes", "always", NULL},
    {"no", "never", NULL},
    {0}};

#define COUNT(key, first, low, high, words)                                                                  \
    {                                                                                                        \
        .name = #key, .type = LOCUM_I32, .place = offsetof(fno_config, key), .value = (first), .min = (low), \
        .max = (high), .unit = "1", .text = words                                                            \
    }
static const locum_option fno_options[] = {
    COUNT(modes, 12, 1, 4096, "Fourier modes that are kept along each axis"),
    COUNT(width, 32, 1, 1024, "channels of the layers"),
    COUNT(layers, 4, 1, 64, "Fourier layers"),
    COUNT(head, 128, 1, 4096, "channels of the hidden layer behind them"),
    {.name = "coordinates",
     .type = LOCUM_CHOICE,
     .place = offsetof(fno_config, coordinates),
     .text = "does the network see where a point lies?",
     .choices = coordinates},
    {.name = "padding",
     .type = LOCUM_F64,
     .place = offsetof(fno_config, padding),
     .value = 0.1,
     .min = 0,
     .max = 1,
     .unit = "1",
     .text = "zeros behind each axis that is not periodic, as a share of its points"},
    {0}};

/* What all layers share. */
typedef struct builder {
    const fno_config *config;
    const locum_task *task;
    locum_graph *graph;
    int n_axes;
    int64_t grid[3]; /* with padding */
} builder;

static bool sees_coordinates(const fno_config *c, const locum_task *task, const locum_network_input *in)
{
    if (c->coordinates == COORDINATES_AUTO) return !task->periodic || !in->fields;
    return c->coordinates == COORDINATES_YES;
}

/* Places along each axis, [grid.., n_axes]: 0 to 1, or 0 to 1 - 1 / n where the grid is periodic. */
static locum_id places(const builder *b)
{
    const int n = b->n_axes;
    locum_id parts[3];
    int64_t dims[4] = {1, 1, 1, 1};
    for (int i = 0; i < n; i++) dims[i] = b->task->grid[i];
    for (int i = 0; i < n; i++) {
        const int64_t points = b->task->grid[i], last = b->task->periodic || points == 1 ? points : points - 1;
        int64_t line[4] = {1, 1, 1, 1};
        line[i] = points;
        double *x = malloc((size_t)points * sizeof *x);
        if (!x) return locum_graph_fault(b->graph, LOCUM_MEMORY, "fno: no memory for coordinates");
        for (int64_t k = 0; k < points; k++) x[k] = (double)k / (double)last;
        parts[i] = locum_expand(b->graph, locum_constant(b->graph, LOCUM_REAL32, n + 1, line, x), -1, n + 1, dims);
        free(x);
    }
    return n == 1 ? parts[0] : locum_concat(b->graph, -1, n, parts);
}

/* x W under its own name, without a bias */
static locum_id part_of_lift(const builder *b, const char *name, locum_id x)
{
    const locum_node *node = locum_graph_node(b->graph, x);
    if (!node) return 0;
    const int64_t dims[3] = {1, node->dims[node->n_dims - 1], b->config->width};
    locum_graph_push(b->graph, "%s", name);
    const locum_id weight = locum_parameter(b->graph, "weight", LOCUM_REAL32, 3, dims);
    locum_graph_pop(b->graph);
    return locum_product(b->graph, x, weight, false);
}

static locum_id sum_of(const builder *b, locum_id x, locum_id y)
{
    return x && y ? locum_binary(b->graph, LOCUM_OP_add, x, y) : x ? x : y;
}

/* Rows' values alone have no grid: repeated over it. */
static locum_id over_grid(const builder *b, locum_id h)
{
    const locum_node *node = locum_graph_node(b->graph, h);
    int64_t dims[LOCUM_DIMS_MAX] = {1};
    if (!node) return 0;
    for (int i = 0; i < b->n_axes; i++) dims[i + 1] = b->task->grid[i];
    dims[b->n_axes + 1] = b->config->width;
    return locum_expand(b->graph, h, node->symbol, b->n_axes + 2, dims);
}

static locum_id lift(const builder *b, const locum_network_input *in)
{
    const int64_t width = b->config->width;
    locum_id h = 0, constant = locum_parameter(b->graph, "bias", LOCUM_REAL32, 1, &width);
    if (sees_coordinates(b->config, b->task, in))
        constant = sum_of(b, part_of_lift(b, "coordinates", places(b)), constant);
    if (in->fields) h = part_of_lift(b, "fields", in->fields);
    if (in->values) {
        const locum_id values = locum_block_everywhere(b->graph, part_of_lift(b, "values", in->values), b->n_axes);
        h = in->fields ? sum_of(b, h, values) : over_grid(b, values);
    }
    return sum_of(b, h, constant);
}

static locum_id pad(const builder *b, locum_id h, bool back)
{
    for (int i = 0; i < b->n_axes; i++) {
        const int64_t points = b->task->grid[i], more = b->grid[i] - points;
        if (more == 0) continue;
        h = back ? locum_slice(b->graph, h, i + 1, 0, points, 1)
                 : locum_pad(b->graph, h, i + 1, 0, more, LOCUM_PAD_ZERO);
    }
    return h;
}

/* One of the four real products: part 0 or 1 of the rows, times R_r or R_i; [batch, 1, G, 1, width] */
static locum_id part_of(const builder *b, locum_id p, int row, int column)
{
    return locum_slice(b->graph, locum_slice(b->graph, p, 1, row, 1, 1), 3, column, 1, 1);
}

/* R on the modes [batch, 2, G width] */
static locum_id mix(const builder *b, locum_id modes)
{
    const locum_node *node = locum_graph_node(b->graph, modes);
    if (!node) return 0;
    const int64_t width = b->config->width, all = node->dims[2], G = all / width, dims[3] = {G, width, 2 * width};
    locum_graph_push(b->graph, "modes");
    const locum_id weight = locum_parameter(b->graph, "weight", LOCUM_REAL32, 3, dims);
    locum_graph_pop(b->graph);
    const locum_id p =
        locum_reshape(b->graph, locum_product(b->graph, modes, weight, false), 5, (int64_t[]){1, 2, G, 2, width});
    const locum_id re = locum_binary(b->graph, LOCUM_OP_subtract, part_of(b, p, 0, 0), part_of(b, p, 1, 1));
    const locum_id im = locum_binary(b->graph, LOCUM_OP_add, part_of(b, p, 0, 1), part_of(b, p, 1, 0));
    const locum_id both = locum_concat(b->graph, 1, 2, (const locum_id[]){re, im});
    return locum_reshape(b->graph, both, 3, (int64_t[]){1, 2, all});
}

static locum_id layer(const builder *b, locum_id h, bool last)
{
    const locum_id modes = locum_block_fourier(b->graph, h, b->n_axes, b->grid, b->config->modes);
    const locum_id far =
        locum_block_fourier_back(b->graph, mix(b, modes), b->n_axes, b->grid, b->config->modes, sqrt(0.5));
    h = locum_binary(b->graph, LOCUM_OP_add, locum_block_dense(b->graph, h, b->config->width), far);
    return last ? h : locum_unary(b->graph, LOCUM_OP_gelu, h);
}

static locum_status check(const fno_config *c, const locum_task *task, const locum_network_input *in)
{
    LOCUM_REQUIRE(task->n_axes >= 1 && task->n_axes <= 3, LOCUM_STUDY, "fno: the task has no field on a grid");
    LOCUM_REQUIRE(in->fields || in->values, LOCUM_STUDY, "fno: the task has no inputs");
    for (int i = 0; i < task->n_axes; i++)
        LOCUM_REQUIRE(task->grid[i] >= 2 * c->modes, LOCUM_STUDY,
                      "fno: axis %d of the grid has %lld points, which have at most %lld modes; modes is %d", i + 1,
                      (long long)task->grid[i], (long long)task->grid[i] / 2, c->modes);
    return LOCUM_OK;
}

static locum_status fno_build(const void *config, const locum_task *task, locum_graph *graph,
                              const locum_network_input *in, locum_id *z, locum_id *features)
{
    const fno_config *c = config;
    const int axes[3] = {1, 2, 3};
    builder b = {.config = c, .task = task, .graph = graph, .n_axes = task->n_axes};

    LOCUM_TRY(check(c, task, in));
    for (int i = 0; i < b.n_axes; i++)
        b.grid[i] = task->grid[i] + (task->periodic ? 0 : (int64_t)ceil(c->padding * (double)task->grid[i]));
    locum_graph_push(graph, "fno/lift");
    locum_id h = pad(&b, lift(&b, in), false);
    locum_graph_pop(graph);
    for (int i = 0; i < c->layers; i++) {
        locum_graph_push(graph, "fno/layer%d", i + 1);
        h = layer(&b, h, i == c->layers - 1);
        locum_graph_pop(graph);
    }
    h = pad(&b, h, true);
    *features = locum_mean(graph, h, b.n_axes, axes, false);
    locum_graph_push(graph, "fno/head");
    h = locum_unary(graph, LOCUM_OP_gelu, locum_block_dense(graph, h, c->head));
    locum_graph_pop(graph);
    locum_graph_push(graph, "fno/output");
    *z = locum_block_dense(graph, h, task->out_channels);
    locum_graph_pop(graph);
    return locum_graph_status(graph);
}

const locum_model_type locum_model_fno = {.name = "fno",
                                          .summary = "Fourier neural operator: fields to fields, on one to three axes",
                                          .options = fno_options,
                                          .config_size = sizeof(fno_config),
                                          .on_grids = true,
                                          .build = fno_build};
