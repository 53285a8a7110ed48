/* SPDX-License-Identifier: BSD-3-Clause */
/* test_fno.c - the Fourier neural operator: against a twin in PyTorch (scripts/reference/fno_twin.py), its symmetry, and
 * as a plan; what is known of a result, to round-off. */
#include <stdlib.h>
#include <string.h>

#include "core/json.h"
#include "core/study/commit.h"
#include "surrogate/models/blocks.h"
#include "surrogate/plan/plan.h"
#include "tests/unit/check.h"

enum { SLOTS_MAX = 40, OUTPUTS_MAX = 40 };

/* value i of array k, as in the twin */
static double value_of(int64_t i, int k, double scale)
{
    return scale * sin(1.7 * (double)i + 2.0 * k);
}

/* A graph with values for all that it names. */
typedef struct bed {
    locum_graph *graph;
    locum_id z, features;
    int n;
    struct {
        char name[64];
        locum_id id;
        int64_t count;
        double *values;
    } slot[SLOTS_MAX];
    int64_t extents[1];
} bed;

static const double *find(void *self, const char *name)
{
    bed *b = self;
    for (int i = 0; i < b->n; i++)
        if (!strcmp(b->slot[i].name, name)) return b->slot[i].values;
    return NULL;
}

static double *values_of(bed *b, const char *name)
{
    for (int i = 0; i < b->n; i++)
        if (!strcmp(b->slot[i].name, name)) return b->slot[i].values;
    abort();
}

static void close_bed(bed *b)
{
    for (int i = 0; i < b->n; i++) free(b->slot[i].values);
    locum_graph_destroy(b->graph);
}

static int32_t set(double *config, const char *name, double value)
{
    for (const locum_option *o = locum_model_fno.options; o->type != LOCUM_END; o++) {
        const int32_t whole = (int32_t)value;
        if (strcmp(o->name, name)) continue;
        if (o->type == LOCUM_F64)
            memcpy((char *)config + o->place, &value, sizeof value);
        else
            memcpy((char *)config + o->place, &whole, sizeof whole);
        return whole;
    }
    abort();
}

/* Inputs "x" and "values" (where the task has them), the network, and values for all. */
static bed make_bed(const locum_task *task, int modes, int width, int layers, int64_t rows)
{
    bed b = {.extents = {rows}};
    double config[16] = {0};
    int64_t dims[5] = {1}, one[2] = {1, task->n_x};
    locum_network_input in = {0};
    set(config, "modes", modes), set(config, "width", width), set(config, "layers", layers), set(config, "head", 5);
    set(config, "padding", 0.1);
    if (locum_graph_create(&b.graph)) abort();
    const int batch = locum_graph_symbol(b.graph, "batch");
    for (int i = 0; i < task->n_axes; i++) dims[i + 1] = task->grid[i];
    dims[task->n_axes + 1] = task->history * task->in_channels;
    if (task->in_channels) in.fields = locum_input(b.graph, "x", LOCUM_REAL32, batch, task->n_axes + 2, dims);
    if (task->n_x) in.values = locum_input(b.graph, "values", LOCUM_REAL32, batch, 2, one);
    CHECK_OK(locum_model_fno.build(config, task, b.graph, &in, &b.z, &b.features));
    b.z = locum_block_priors(task, b.graph, b.z);
    CHECK_OK(locum_graph_status(b.graph));
    for (locum_id id = 1; id <= locum_graph_n(b.graph); id++) {
        const int op = locum_graph_node(b.graph, id)->op;
        if (op != LOCUM_OP_input && op != LOCUM_OP_parameter) continue;
        const char *name = locum_graph_name(b.graph, id);
        const int k = op == LOCUM_OP_parameter ? b.n - (in.fields != 0) - (in.values != 0)
                      : strcmp(name, "x")      ? 21
                                               : 20;
        const int64_t n = locum_graph_count(b.graph, id, b.extents);
        snprintf(b.slot[b.n].name, sizeof b.slot[b.n].name, "%s", name);
        b.slot[b.n].id = id;
        b.slot[b.n].count = n;
        b.slot[b.n].values = malloc((size_t)n * sizeof(double));
        for (int64_t i = 0; i < n; i++) b.slot[b.n].values[i] = value_of(i, k, op == LOCUM_OP_parameter ? 0.4 : 1);
        b.n++;
    }
    return b;
}

static double *evaluate(bed *b, locum_id id)
{
    double *values = malloc((size_t)locum_graph_count(b->graph, id, b->extents) * sizeof *values);
    CHECK_OK(locum_graph_evaluate(b->graph, b->extents, 0, find, b, 1, &id, &values));
    return values;
}

/* --- against PyTorch --------------------------------------------------------------------------------------------- */

enum { GOLDEN_MAX = 4000 };

static int read_list(const locum_json *json, const char *key, double *values)
{
    int n = 0;
    for (locum_json_node v = locum_json_first(json, locum_json_find(json, 0, key)); v >= 0 && n < GOLDEN_MAX;
         v = locum_json_next(json, v))
        CU_ASSERT_TRUE(locum_json_number(json, v, &values[n++]));
    return n;
}

static const locum_task twin_task = {
    .n_axes = 2, .grid = {9, 10}, .in_channels = 2, .out_channels = 2, .history = 1, .n_x = 1, .members = 1};

static void equals_its_twin(void)
{
    static double golden[GOLDEN_MAX];
    char *bytes = NULL;
    size_t n_bytes = 0;
    locum_json *json = NULL;
    bed b = make_bed(&twin_task, 2, 4, 2, 2);
    const int64_t dims[4] = {1, 9, 10, 2};
    locum_id wanted[SLOTS_MAX], gradient[SLOTS_MAX];
    CHECK_OK(locum_read_bytes(LOCUM_FNO_TWIN, 1 << 20, &bytes, &n_bytes));
    CHECK_OK(locum_json_parse(bytes, n_bytes, 20000, &json));

    const locum_id target = locum_input(b.graph, "target", LOCUM_REAL32, 0, 4, dims);
    double *targets = malloc(2 * 180 * sizeof *targets);
    for (int i = 0; i < 360; i++) targets[i] = value_of(i, 22, 1);
    snprintf(b.slot[b.n].name, sizeof b.slot[b.n].name, "target");
    b.slot[b.n].values = targets;
    const locum_id off = locum_binary(b.graph, LOCUM_OP_subtract, b.z, target);
    const locum_id loss = locum_sum(b.graph, locum_binary(b.graph, LOCUM_OP_multiply, off, off), 0, NULL, false);
    for (int i = 0; i < b.n; i++) wanted[i] = b.slot[i].id;
    CHECK_OK(locum_graph_gradient(b.graph, loss, 0, b.n, wanted, gradient));
    const int n = b.n++;

    /* everything in double: 1e-9 of values of about 1 to 100 leaves 13 digits of the file and round-off */
    CU_ASSERT_EQUAL(read_list(json, "loss", golden), 1);
    double *got = evaluate(&b, loss);
    CHECK_CLOSE(got[0] / golden[0], 1, 1e-11);
    free(got);
    CU_ASSERT_EQUAL(read_list(json, "z", golden), 18);
    got = evaluate(&b, b.z);
    for (int y = 0; y < 9; y++)
        for (int c = 0; c < 2; c++) CHECK_CLOSE(got[(y * 10 + 3) * 2 + c], golden[2 * y + c], 1e-10);
    free(got);
    CU_ASSERT_EQUAL(read_list(json, "input", golden), 18);
    for (int i = 0; i < n; i++) {
        if (strcmp(b.slot[i].name, "x")) continue;
        got = evaluate(&b, gradient[i]);
        for (int y = 0; y < 9; y++)
            for (int c = 0; c < 2; c++) CHECK_CLOSE(got[180 + (y * 10 + 4) * 2 + c], golden[2 * y + c], 1e-9);
        free(got);
    }
    const int n_golden = read_list(json, "gradient", golden);
    int at = 0;
    for (int i = 0; i < n; i++) {
        if (locum_graph_node(b.graph, b.slot[i].id)->op != LOCUM_OP_parameter) continue;
        got = evaluate(&b, gradient[i]);
        for (int64_t k = 0; k < b.slot[i].count && at < n_golden; k++) CHECK_CLOSE(got[k], golden[at++], 1e-9);
        free(got);
    }
    CU_ASSERT_EQUAL(at, n_golden);
    locum_json_destroy(json);
    free(bytes);
    close_bed(&b);
}

/* --- symmetry ---------------------------------------------------------------------------------------------------- */

/* to[.., (i + shift) mod n, ..] = from[.., i, ..] along each axis of [grid.., c] */
static void shifted(const locum_task *task, int64_t c, const int64_t *shift, const double *from, double *to)
{
    int64_t grid[3] = {1, 1, 1};
    for (int i = 0; i < task->n_axes; i++) grid[i] = task->grid[i];
    for (int64_t i = 0; i < grid[0]; i++)
        for (int64_t j = 0; j < grid[1]; j++)
            for (int64_t k = 0; k < grid[2]; k++) {
                const int64_t to_i = (i + shift[0]) % grid[0], to_j = (j + shift[1]) % grid[1],
                              to_k = (k + shift[2]) % grid[2];
                memcpy(to + ((to_i * grid[1] + to_j) * grid[2] + to_k) * c,
                       from + ((i * grid[1] + j) * grid[2] + k) * c, (size_t)c * sizeof *to);
            }
}

static void shifting_the_input_shifts_the_output(void)
{
    static const locum_task tasks[] = {
        {.n_axes = 1, .grid = {9}, .periodic = true, .in_channels = 2, .out_channels = 1, .history = 2},
        {.n_axes = 2, .grid = {7, 10}, .periodic = true, .in_channels = 1, .out_channels = 2, .history = 1, .n_x = 2},
        {.n_axes = 2,
         .grid = {6, 6},
         .periodic = true,
         .in_channels = 2,
         .out_channels = 2,
         .history = 1,
         .box = {1, 2},
         .fixed_mean = true,
         .divergence_free = true},
        {.n_axes = 3, .grid = {6, 7, 8}, .periodic = true, .in_channels = 1, .out_channels = 1, .history = 1}};
    static const int64_t shift[3] = {2, 3, 5};
    for (int t = 0; t < (int)(sizeof tasks / sizeof tasks[0]); t++) {
        const locum_task *task = &tasks[t];
        bed b = make_bed(task, 3, 4, 2, 1);
        int64_t points = 1;
        for (int i = 0; i < task->n_axes; i++) points *= task->grid[i];
        const int64_t c = task->history * task->in_channels;
        double *x = values_of(&b, "x"), *start = malloc((size_t)(points * c) * sizeof *start);
        memcpy(start, x, (size_t)(points * c) * sizeof *start);
        double *z = evaluate(&b, b.z), *expected = malloc((size_t)(points * task->out_channels) * sizeof *z);
        shifted(task, task->out_channels, shift, z, expected);
        shifted(task, c, shift, start, x);
        double *got = evaluate(&b, b.z);
        for (int64_t i = 0; i < points * task->out_channels; i++)
            CHECK_CLOSE(got[i], expected[i], 1e-12); /* double round-off of values of about 1; measured 2e-14 */
        free(got), free(expected), free(z), free(start);
        close_bed(&b);
    }
}

/* --- what is known of a result ------------------------------------------------------------------------------------ */

static void projected_fields_have_no_divergence(void)
{
    static const locum_task tasks[] = {{.n_axes = 2,
                                        .grid = {8, 8},
                                        .periodic = true,
                                        .in_channels = 2,
                                        .out_channels = 2,
                                        .history = 1,
                                        .box = {6, 6},
                                        .divergence_free = true},
                                       {.n_axes = 2,
                                        .grid = {9, 12},
                                        .periodic = true,
                                        .in_channels = 2,
                                        .out_channels = 2,
                                        .history = 1,
                                        .box = {1, 3},
                                        .divergence_free = true,
                                        .fixed_mean = true},
                                       {.n_axes = 3,
                                        .grid = {6, 7, 8},
                                        .periodic = true,
                                        .in_channels = 3,
                                        .out_channels = 3,
                                        .history = 1,
                                        .box = {1, 2, 1},
                                        .divergence_free = true}};
    for (int t = 0; t < (int)(sizeof tasks / sizeof tasks[0]); t++) {
        const locum_task *task = &tasks[t];
        const int n = task->n_axes;
        bed b = make_bed(task, 3, 4, 1, 2);
        locum_id sum = 0;
        for (int i = 0; i < n; i++) {
            const int64_t points = task->grid[i], dims[2] = {points, points};
            double *d = malloc((size_t)(points * points) * sizeof *d);
            locum_block_derivative(points, task->box[i], d);
            const locum_id part = locum_transform_axis(b.graph, locum_slice(b.graph, b.z, -1, i, 1, 1),
                                                       locum_constant(b.graph, LOCUM_REAL32, 2, dims, d), i + 1, false);
            sum = sum ? locum_binary(b.graph, LOCUM_OP_add, sum, part) : part;
            free(d);
        }
        double *divergence = evaluate(&b, sum), *z = evaluate(&b, b.z), most = 0, mean[3] = {0};
        const int64_t count = locum_graph_count(b.graph, sum, b.extents);
        for (int64_t i = 0; i < count; i++) CHECK_CLOSE(divergence[i], 0, 1e-12); /* derivatives are about 10 here */
        for (int64_t i = 0; i < count * n; i++) most = fmax(most, fabs(z[i]));
        for (int64_t i = 0; i < count / 2 * n; i++) mean[i % n] += z[i] / (double)(count / 2);
        CU_ASSERT(most > 0.01); /* something is left */
        for (int i = 0; i < n && task->fixed_mean; i++) CHECK_CLOSE(mean[i], 0, 1e-14);
        free(divergence), free(z);
        close_bed(&b);
    }
}

/* A field without divergence stays: sin along the other axis, and a constant. */
static void the_projection_keeps_what_has_no_divergence(void)
{
    const locum_task task = {
        .n_axes = 2, .grid = {6, 9}, .periodic = true, .out_channels = 2, .box = {2, 3}, .divergence_free = true};
    const int64_t dims[4] = {1, 6, 9, 2};
    bed b = {.extents = {1}, .n = 1};
    CHECK_OK(locum_graph_create(&b.graph));
    const locum_id u = locum_input(b.graph, "u", LOCUM_REAL64, locum_graph_symbol(b.graph, "batch"), 4, dims);
    const locum_id p =
        locum_cast(b.graph, locum_block_priors(&task, b.graph, locum_cast(b.graph, u, LOCUM_REAL32)), LOCUM_REAL64);
    double *values = malloc(108 * sizeof *values);
    for (int i = 0; i < 6; i++)
        for (int j = 0; j < 9; j++) {
            values[(i * 9 + j) * 2] = 1 + sin(4 * M_PI * j / 9);
            values[(i * 9 + j) * 2 + 1] = cos(2 * M_PI * i / 6) - 0.5;
        }
    snprintf(b.slot[0].name, sizeof b.slot[0].name, "u");
    b.slot[0].values = values;
    double *got = evaluate(&b, p);
    for (int i = 0; i < 108; i++) CHECK_CLOSE(got[i], values[i], 1e-14); /* double round-off */
    free(got);
    close_bed(&b);
}

static void unfit_tasks_are_refused(void)
{
    const locum_task scalar = {
        .n_axes = 2, .grid = {8, 8}, .periodic = true, .in_channels = 1, .out_channels = 1, .divergence_free = true};
    const int64_t dims[4] = {1, 8, 8, 1};
    locum_graph *graph = NULL;
    locum_id z, features;
    double config[16] = {0};
    set(config, "modes", 5), set(config, "width", 4), set(config, "layers", 1), set(config, "head", 4);
    CHECK_OK(locum_graph_create(&graph));
    const locum_network_input in = {
        .fields = locum_input(graph, "x", LOCUM_REAL32, locum_graph_symbol(graph, "batch"), 4, dims)};
    CHECK_FAILS(locum_model_fno.build(config, &scalar, graph, &in, &z, &features), LOCUM_STUDY); /* 5 modes, 8 points */
    locum_block_priors(&scalar, graph, in.fields);
    CHECK_FAILS(locum_graph_status(graph), LOCUM_ARG);
    locum_graph_destroy(graph);
}

/* --- as a plan ---------------------------------------------------------------------------------------------------- */

/* Largest distance of the plan's outputs from the oracle, each over its largest value, or `least` if that is larger. */
static double plan_distance(bed *b, int n, const locum_id *outputs, double least, unsigned flags, int panel_rows)
{
    const float *inputs[4] = {0}, *parameters[SLOTS_MAX] = {0};
    float *results[OUTPUTS_MAX];
    double worst = 0;
    locum_plan *plan = NULL;
    const locum_plan_options options = {.kernels = locum_kernels_for(locum_cpu_best()),
                                        .capacity = {b->extents[0] + 1},
                                        .flags = flags | LOCUM_PLAN_POISON,
                                        .panel_rows = panel_rows};
    CHECK_OK(locum_plan_create(b->graph, n, outputs, &options, &plan));
    float *copies[SLOTS_MAX];
    for (int i = 0; i < b->n; i++) {
        copies[i] = malloc((size_t)b->slot[i].count * sizeof(float));
        for (int64_t k = 0; k < b->slot[i].count; k++) copies[i][k] = (float)b->slot[i].values[k];
        for (int k = 0; k < locum_plan_n_inputs(plan); k++)
            if (!strcmp(locum_plan_input_name(plan, k), b->slot[i].name)) inputs[k] = copies[i];
        for (int k = 0; k < locum_plan_n_parameters(plan); k++)
            if (!strcmp(locum_plan_parameter_name(plan, k), b->slot[i].name)) parameters[k] = copies[i];
    }
    for (int i = 0; i < n; i++)
        results[i] = malloc((size_t)locum_graph_count(b->graph, outputs[i], b->extents) * sizeof(float));
    void *arena = aligned_alloc(64, (locum_plan_arena_bytes(plan) + 127) / 64 * 64);
    void *packed = aligned_alloc(64, (locum_plan_packed_bytes(plan) + 127) / 64 * 64);
    locum_plan_pack(plan, parameters, packed);
    locum_plan_run(plan, &(locum_plan_run_call){.extents = b->extents,
                                                .inputs = inputs,
                                                .parameters = parameters,
                                                .packed = packed,
                                                .outputs = results,
                                                .arena = arena});
    for (int i = 0; i < n; i++) {
        double *oracle = evaluate(b, outputs[i]), most = least, off = 0;
        for (int64_t k = 0; k < locum_graph_count(b->graph, outputs[i], b->extents); k++) {
            most = fmax(most, fabs(oracle[k]));
            off = fmax(off, isfinite(results[i][k]) ? fabs(oracle[k] - results[i][k]) : INFINITY);
        }
        worst = fmax(worst, off / most);
        free(oracle);
        free(results[i]);
    }
    for (int i = 0; i < b->n; i++) free(copies[i]);
    free(arena), free(packed), free(plan);
    return worst;
}

static void plans_agree_with_the_oracle(void)
{
    static const locum_task tasks[] = {
        {.n_axes = 1, .grid = {33}, .in_channels = 1, .out_channels = 1, .history = 1, .n_x = 2},
        {.n_axes = 2,
         .grid = {9, 14},
         .periodic = true,
         .in_channels = 2,
         .out_channels = 2,
         .history = 1,
         .box = {1, 2},
         .divergence_free = true,
         .fixed_mean = true},
        {.n_axes = 2, .grid = {11, 8}, .in_channels = 1, .out_channels = 1, .history = 1, .n_x = 1},
        {.n_axes = 2, .grid = {8, 8}, .periodic = true, .out_channels = 1, .history = 1, .n_x = 3},
        {.n_axes = 3, .grid = {6, 7, 8}, .periodic = true, .in_channels = 1, .out_channels = 1, .history = 1}};
    for (int t = 0; t < (int)(sizeof tasks / sizeof tasks[0]); t++) {
        bed b = make_bed(&tasks[t], 3, t % 2 ? 8 : 5, 3, 5);
        locum_id outputs[OUTPUTS_MAX] = {b.z, b.features}, wanted[SLOTS_MAX];
        int n = 0;
        /* float32 over 3 layers: a few 1e-7 of the largest value each, measured 2e-6; 0.05: a projection may leave
         * little of values that are larger */
        CHECK_CLOSE(plan_distance(&b, 2, outputs, 0.05, LOCUM_PLAN_CONSTANT_PARAMETERS, 0), 0, 3e-6);
        CHECK_CLOSE(plan_distance(&b, 2, outputs, 0.05, LOCUM_PLAN_NO_FUSION, 2), 0, 3e-6);
        outputs[0] = locum_mean(b.graph, locum_binary(b.graph, LOCUM_OP_multiply, b.z, b.z), 0, NULL, false);
        for (int i = 0; i < b.n && n < OUTPUTS_MAX - 1; i++)
            if (locum_graph_node(b.graph, b.slot[i].id)->op == LOCUM_OP_parameter) wanted[n++] = b.slot[i].id;
        CHECK_OK(locum_graph_gradient(b.graph, outputs[0], 0, n, wanted, outputs + 1));
        CHECK_CLOSE(plan_distance(&b, 1 + n, outputs, 1e-6, 0, 0), 0, 1e-5);
        CHECK_CLOSE(plan_distance(&b, 1 + n, outputs, 1e-6, LOCUM_PLAN_OWN_BUFFERS, 2), 0, 1e-5);
        close_bed(&b);
    }
}

static void layers_share_their_matrices(void)
{
    const locum_task task = {
        .n_axes = 2, .grid = {16, 16}, .periodic = true, .in_channels = 2, .out_channels = 1, .history = 1};
    bed b = make_bed(&task, 3, 4, 5, 1);
    int matrices = 0;
    for (locum_id id = 1; id <= locum_graph_n(b.graph); id++) {
        const locum_node *node = locum_graph_node(b.graph, id);
        matrices += node->op == LOCUM_OP_constant && node->n_dims == 2;
    }
    CU_ASSERT_EQUAL(matrices, 3); /* last axis, its inverse, the other axis both ways */
    close_bed(&b);
}

static void a_layer_ends_in_one_step(void)
{
    const locum_task task = {
        .n_axes = 2, .grid = {16, 16}, .periodic = true, .in_channels = 2, .out_channels = 1, .history = 1};
    bed b = make_bed(&task, 3, 16, 3, 4);
    locum_plan *plan = NULL;
    locum_text text = {0};
    const locum_plan_options options = {
        .kernels = locum_kernels_for(locum_cpu_best()), .capacity = {4}, .flags = LOCUM_PLAN_CONSTANT_PARAMETERS};
    CHECK_OK(locum_plan_create(b.graph, 1, &b.z, &options, &plan));
    locum_plan_report(plan, b.extents, NULL, 0, 0, &text);
    const char *first = strstr(text.data, "transform+add+gelu"),
               *second = first ? strstr(first + 1, "+add+gelu") : NULL;
    CU_ASSERT_PTR_NOT_NULL(second);                /* two layers with an activation */
    CU_ASSERT_PTR_NULL(strstr(text.data, "copy")); /* nothing is moved */
    locum_text_free(&text);
    free(plan);
    close_bed(&b);
}

LOCUM_RUN_TESTS("fno", {"value and all gradients are those of its twin in PyTorch", equals_its_twin},
                {"shifting the input shifts the output on periodic grids", shifting_the_input_shifts_the_output},
                {"projected fields have no divergence, and the mean stays", projected_fields_have_no_divergence},
                {"the projection keeps what has no divergence", the_projection_keeps_what_has_no_divergence},
                {"tasks that do not fit are refused", unfit_tasks_are_refused},
                {"plans agree with the oracle, in values and gradients", plans_agree_with_the_oracle},
                {"layers share their matrices", layers_share_their_matrices},
                {"a layer ends in one step, and nothing is copied", a_layer_ends_in_one_step})
