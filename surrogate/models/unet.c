/* SPDX-License-Identifier: BSD-3-Clause */
/* unet.c - U-Net on grids of one to three axes: fields -> coarser and coarser levels -> fields, with skips between.
 *
 *     level l has width 2^l channels on a grid 2^l times coarser, l = 0 .. levels - 1
 *     down   h_0 = block(fields), h_l = block(pool(h_{l-1}))            pool: maximum or mean over 2 points an axis
 *     up     u = h_last;  u <- block([ up(u), h_l ]), l = levels - 2 .. 0     up: transposed convolution, 2 taps, stride 2
 *     z      u W + b at every point;  features: mean of u over the grid
 *     block  `convolutions` times: convolution, [norm over channels], [channel-wise scale and shift by the parameters],
 *            activation
 *
 *     fields [batch, grid.., C]   weight of a convolution [taps C, N]   z [batch, grid.., out_channels]
 *
 * On periodic grids everything wraps, so that shifting the input by 2^(levels - 1) points shifts the output (to
 * round-off); elsewhere zeros lie outside. Parameters of the problem (task values) enter the first convolution of each
 * block: h <- h (1 + s) + t, [s, t] = values W + b (E. Perez et al., arXiv:1709.07871).
 * Source: O. Ronneberger, P. Fischer, T. Brox, arXiv:1505.04597. Left out: attention, dropout. */
#include "surrogate/models/blocks.h"

#include <string.h>

typedef struct unet_config {
    int32_t levels, width, convolutions, kernel, activation, norm, pool;
} unet_config;

static const locum_choice activations[] = {{"gelu", "x Phi(x)", NULL},
                                           {"silu", "x sigmoid(x)", NULL},
                                           {"relu", "max(x, 0)", NULL},
                                           {"tanh", "smooth, bounded", NULL},
                                           {0}};
static const locum_choice norms[] = {
    {"none", "no normalisation", NULL}, {"layer", "each point's channels to mean 0, variance 1", NULL}, {0}};
static const locum_choice pools[] = {{"max", "the largest of the points", NULL}, {"mean", "their mean", NULL}, {0}};

#define COUNT(key, first, low, high, words)                                                                   \
    {                                                                                                         \
        .name = #key, .type = LOCUM_I32, .place = offsetof(unet_config, key), .value = (first), .min = (low), \
        .max = (high), .unit = "1", .text = words                                                             \
    }
#define CHOICE(key, list, words)                                                                                \
    {                                                                                                           \
        .name = #key, .type = LOCUM_CHOICE, .place = offsetof(unet_config, key), .text = words, .choices = list \
    }
static const locum_option unet_options[] = {COUNT(levels, 4, 1, 8, "grids, each half as fine as the one before"),
                                            COUNT(width, 32, 1, 1024, "channels on the finest grid; doubles a level"),
                                            COUNT(convolutions, 2, 1, 8, "convolutions of a block"),
                                            COUNT(kernel, 3, 1, 15, "points a convolution sees along an axis; odd"),
                                            CHOICE(activation, activations, "nonlinearity"),
                                            CHOICE(norm, norms, "normalisation in front of it"),
                                            CHOICE(pool, pools, "how a grid is made coarser"),
                                            {0}};

/* What all layers share. */
typedef struct builder {
    const unet_config *config;
    const locum_task *task;
    locum_graph *graph;
    locum_id values; /* [batch, n_x] or 0 */
    int64_t grid[3]; /* of the level at hand */
} builder;

static int64_t channels_of(const builder *b, locum_id x)
{
    const locum_node *node = locum_graph_node(b->graph, x);
    return node->n_dims ? node->dims[node->n_dims - 1] : 0;
}

/* a named weight [K, N], so that K is what initial values are scaled by, seen as [taps.., C, N] */
static locum_id taps_weight(const builder *b, int64_t taps, int64_t C, int64_t N)
{
    const int n = b->task->n_axes;
    int64_t dims[5] = {taps, taps, taps}, rows = C;
    for (int i = 0; i < n; i++) rows *= taps;
    dims[n] = C;
    dims[n + 1] = N;
    const locum_id flat = locum_parameter(b->graph, "weight", LOCUM_REAL32, 2, (const int64_t[]){rows, N});
    return locum_reshape(b->graph, flat, n + 2, dims);
}

static locum_id add_bias(const builder *b, locum_id x)
{
    const int64_t n = channels_of(b, x);
    return locum_binary(b->graph, LOCUM_OP_add, x, locum_parameter(b->graph, "bias", LOCUM_REAL32, 1, &n));
}

static locum_id convolve(const builder *b, locum_id x, int64_t N)
{
    const int64_t k = b->config->kernel;
    const locum_window window =
        locum_window_same(b->task->n_axes, b->grid, (const int64_t[]){k, k, k}, 1, b->task->periodic);
    return locum_convolution(b->graph, x, taps_weight(b, k, channels_of(b, x), N), &window);
}

/* x [.., K] -> x W + b [.., N]: at every point, or of every row */
static locum_id dense(const builder *b, locum_id x, int64_t N)
{
    const int64_t dims[3] = {1, channels_of(b, x), N};
    return add_bias(b, locum_product(b->graph, x, locum_parameter(b->graph, "weight", LOCUM_REAL32, 3, dims), false));
}

static locum_id normalise(const builder *b, locum_id x)
{
    const int64_t n = channels_of(b, x);
    const locum_id gain = locum_parameter(b->graph, "gain_bias", LOCUM_REAL32, 1, &n);
    const locum_id shift = locum_parameter(b->graph, "bias", LOCUM_REAL32, 1, &n);
    return locum_layer_norm(b->graph, x, locum_scale(b->graph, gain, 1, 1), shift, 1e-5);
}

/* x (1 + s) + t, s and t being functions of the parameters of the problem */
static locum_id modulate(const builder *b, locum_id x)
{
    const int64_t n = channels_of(b, x);
    const int n_axes = b->task->n_axes;
    locum_graph_push(b->graph, "parameters");
    const locum_id both = dense(b, b->values, 2 * n);
    locum_graph_pop(b->graph);
    const locum_id s = locum_scale(b->graph, locum_slice(b->graph, both, 1, 0, n, 1), 1, 1);
    const locum_id t = locum_slice(b->graph, both, 1, n, n, 1);
    x = locum_binary(b->graph, LOCUM_OP_multiply, x, locum_block_everywhere(b->graph, s, n_axes));
    return locum_binary(b->graph, LOCUM_OP_add, x, locum_block_everywhere(b->graph, t, n_axes));
}

static locum_id block(const builder *b, locum_id x, int64_t N)
{
    static const locum_op operators[] = {LOCUM_OP_gelu, LOCUM_OP_silu, LOCUM_OP_relu, LOCUM_OP_tanh};
    for (int i = 0; i < b->config->convolutions; i++) {
        locum_graph_push(b->graph, "convolution%d", i + 1);
        x = convolve(b, x, N);
        x = b->config->norm ? normalise(b, x) : add_bias(b, x);
        if (i == 0 && b->values) x = modulate(b, x);
        x = locum_unary(b->graph, operators[b->config->activation], x);
        locum_graph_pop(b->graph);
    }
    return x;
}

static locum_id coarser(builder *b, locum_id x)
{
    const int n = b->task->n_axes;
    for (int i = 0; i < n; i++) b->grid[i] /= 2;
    return b->config->pool ? locum_pool_mean(b->graph, x, n, 2) : locum_pool_max(b->graph, x, n);
}

static locum_id finer(builder *b, locum_id x, int64_t C)
{
    locum_window window = {.n_axes = b->task->n_axes, .periodic = b->task->periodic, .stride = 2, .dilation = 1};
    for (int i = 0; i < window.n_axes; i++) window.size[i] = b->grid[i] *= 2;
    return add_bias(b, locum_convolution_input(b->graph, x, taps_weight(b, 2, C, channels_of(b, x)), &window));
}

static locum_status check(const unet_config *c, const locum_task *task, const locum_network_input *in)
{
    const int64_t factor = (int64_t)1 << (c->levels - 1);
    LOCUM_REQUIRE(in->fields && task->n_axes >= 1, LOCUM_STUDY, "unet: the task has no input field on a grid");
    LOCUM_REQUIRE(c->kernel % 2 == 1, LOCUM_STUDY, "unet: kernel is %d; an odd number has a middle", c->kernel);
    for (int i = 0; i < task->n_axes; i++)
        LOCUM_REQUIRE(task->grid[i] % factor == 0, LOCUM_STUDY,
                      "unet: axis %d of the grid has %lld points, and %d levels halve it %d times: not a multiple of "
                      "%lld; use fewer levels",
                      i + 1, (long long)task->grid[i], c->levels, c->levels - 1, (long long)factor);
    return LOCUM_OK;
}

static locum_status unet_build(const void *config, const locum_task *task, locum_graph *graph,
                               const locum_network_input *in, locum_id *z, locum_id *features)
{
    const unet_config *c = config;
    builder b = {.config = c, .task = task, .graph = graph, .values = in->values};
    locum_id skip[8] = {0}, h = in->fields;
    int axes[3] = {1, 2, 3};

    LOCUM_TRY(check(c, task, in));
    memcpy(b.grid, task->grid, sizeof b.grid);
    for (int level = 0; level < c->levels; level++) {
        locum_graph_push(graph, "unet/down%d", level + 1);
        if (level) h = coarser(&b, h);
        h = skip[level] = block(&b, h, (int64_t)c->width << level);
        locum_graph_pop(graph);
    }
    for (int level = c->levels - 2; level >= 0; level--) {
        locum_graph_push(graph, "unet/up%d", level + 1);
        h = finer(&b, h, (int64_t)c->width << level);
        h = block(&b, locum_concat(graph, -1, 2, (const locum_id[]){h, skip[level]}), (int64_t)c->width << level);
        locum_graph_pop(graph);
    }
    locum_graph_push(graph, "unet/output");
    *z = dense(&b, h, task->out_channels);
    locum_graph_pop(graph);
    *features = locum_mean(graph, h, task->n_axes, axes, false);
    return locum_graph_status(graph);
}

const locum_model_type locum_model_unet = {.name = "unet",
                                           .summary = "U-Net: fields to fields, on one to three axes",
                                           .options = unet_options,
                                           .config_size = sizeof(unet_config),
                                           .on_grids = true,
                                           .build = unet_build};
