/* SPDX-License-Identifier: BSD-3-Clause */
/* test_unet.c - U-Net against a twin in PyTorch (scripts/reference/unet_twin.py), its symmetry, its complaints, and the
 * float32 plan of its training beside the same graph in double. */
#include <string.h>

#include "core/json.h"
#include "core/study/commit.h"
#include "surrogate/models/model_type.h"
#include "tests/unit/check.h"
#include "tests/unit/plan/fixture.h"

enum { PARAMETERS_MAX = 40, VALUES_MAX = 4096 };

/* A network with inputs "x" and "values" (if n_x > 0). */
typedef struct network {
    locum_graph *graph;
    locum_id z, features, parameters[PARAMETERS_MAX];
    int n_parameters;
} network;

static void set(char *config, const char *name, int32_t value)
{
    for (const locum_option *o = locum_model_unet.options; o->type != LOCUM_END; o++)
        if (!strcmp(o->name, name)) memcpy(config + o->place, &value, sizeof value);
}

/* defaults: two convolutions a block, kernel 3, GELU, no norm, maximum */
static void configure(char *config, int32_t levels, int32_t width)
{
    for (const locum_option *o = locum_model_unet.options; o->type != LOCUM_END; o++)
        set(config, o->name, (int32_t)o->value);
    set(config, "levels", levels);
    set(config, "width", width);
}

static locum_task small_task(void)
{
    return (locum_task){.n_axes = 2, .grid = {4, 6}, .in_channels = 2, .out_channels = 2, .history = 1, .members = 1};
}

static locum_status build(const char *config, const locum_task *task, network *net)
{
    int64_t dims[5] = {1, task->grid[0], task->grid[1], task->grid[2]};
    locum_network_input in = {0};
    memset(net, 0, sizeof *net);
    LOCUM_TRY(locum_graph_create(&net->graph));
    const int batch = locum_graph_symbol(net->graph, "batch");
    dims[task->n_axes + 1] = task->in_channels;
    if (task->n_axes) in.fields = locum_input(net->graph, "x", LOCUM_REAL32, batch, task->n_axes + 2, dims);
    if (task->n_x) in.values = locum_input(net->graph, "values", LOCUM_REAL32, batch, 2, (int64_t[]){1, task->n_x});
    LOCUM_TRY(locum_model_unet.build(config, task, net->graph, &in, &net->z, &net->features));
    for (locum_id id = 1; id <= locum_graph_n(net->graph) && net->n_parameters < PARAMETERS_MAX; id++)
        if (locum_graph_node(net->graph, id)->op == LOCUM_OP_parameter) net->parameters[net->n_parameters++] = id;
    return LOCUM_OK;
}

/* --- the twin ------------------------------------------------------------------------------------------------------ */

enum { ROWS = 2, TWIN_VALUES = 512 };

/* what the twin gives inputs and parameters */
typedef struct twin_values {
    const network *net;
    double memory[PARAMETERS_MAX + 3][TWIN_VALUES];
} twin_values;

static double *twin_memory(twin_values *v, int k, double (*value)(int i, int k))
{
    for (int i = 0; i < TWIN_VALUES; i++) v->memory[k][i] = value(i, k);
    return v->memory[k];
}

static double value_of_x(int i, int k)
{
    return (void)k, cos(0.9 * i);
}
static double value_of_values(int i, int k)
{
    return (void)k, sin(0.3 + i);
}
static double value_of_seed(int i, int k)
{
    return (void)k, cos(0.4 * i);
}
static double value_of_parameter(int i, int k)
{
    return 0.5 * sin(1.7 * i + k);
}

static const double *twin_find(void *self, const char *name)
{
    twin_values *v = self;
    if (!strcmp(name, "x")) return twin_memory(v, PARAMETERS_MAX, value_of_x);
    if (!strcmp(name, "values")) return twin_memory(v, PARAMETERS_MAX + 1, value_of_values);
    if (!strcmp(name, "seed")) return twin_memory(v, PARAMETERS_MAX + 2, value_of_seed);
    for (int k = 0; k < v->net->n_parameters; k++)
        if (!strcmp(locum_graph_name(v->net->graph, v->net->parameters[k]), name))
            return twin_memory(v, k, value_of_parameter);
    return NULL;
}

static int read_list(const locum_json *json, const char *name, const char *what, double *values)
{
    char key[64];
    int n = 0;
    snprintf(key, sizeof key, "%s/%s", name, what);
    for (locum_json_node v = locum_json_first(json, locum_json_find(json, 0, key)); v >= 0 && n < VALUES_MAX;
         v = locum_json_next(json, v))
        CU_ASSERT_TRUE(locum_json_number(json, v, &values[n++]));
    return n;
}

/* largest |a - b| in units of the largest |b| */
static double difference(int n, const double *a, const double *b)
{
    double off = 0, largest = 1e-300;
    for (int i = 0; i < n; i++) {
        off = fmax(off, fabs(a[i] - b[i]));
        largest = fmax(largest, fabs(b[i]));
    }
    return off / largest;
}

static void compare_with_twin(const locum_json *json, const char *name, const char *config, const locum_task *task)
{
    static double golden[VALUES_MAX], found[3][VALUES_MAX];
    static const char *const what[] = {"z", "features", "gradient"};
    static twin_values values;
    network net;
    locum_id wanted[PARAMETERS_MAX + 2] = {0};
    double *at[PARAMETERS_MAX + 2] = {found[0], found[1]};
    const int64_t rows = ROWS;
    CHECK_OK(build(config, task, &net));
    values.net = &net;
    const locum_id seed = locum_input(net.graph, "seed", LOCUM_REAL32, 0, 4, (int64_t[]){1, 4, 6, 2});
    wanted[0] = net.z;
    wanted[1] = net.features;
    CHECK_OK(locum_graph_gradient(net.graph, net.z, seed, net.n_parameters, net.parameters, wanted + 2));
    int64_t n[3] = {ROWS * 48, ROWS * 2, 0};
    for (int k = 0; k < net.n_parameters; k++) {
        at[k + 2] = found[2] + n[2];
        n[2] += locum_graph_count(net.graph, net.parameters[k], &rows);
        CU_ASSERT_TRUE_FATAL(n[2] <= VALUES_MAX);
    }
    CHECK_OK(locum_graph_evaluate(net.graph, &rows, 0, twin_find, &values, net.n_parameters + 2, wanted, at));
    for (int i = 0; i < 3; i++) {
        CU_ASSERT_EQUAL(read_list(json, name, what[i], golden), n[i]);
        CHECK_CLOSE(difference((int)n[i], found[i], golden), 0, 1e-11); /* golden numbers have 12 digits */
    }
    locum_graph_destroy(net.graph);
}

static void the_twin_agrees_in_value_and_gradient(void)
{
    char config[256] = {0}, *bytes = NULL;
    size_t n = 0;
    locum_json *json = NULL;
    locum_task task = small_task();
    CHECK_OK(locum_read_bytes(LOCUM_TWIN, 1 << 20, &bytes, &n));
    CHECK_OK(locum_json_parse(bytes, n, 10000, &json));
    CU_ASSERT_PTR_NOT_NULL_FATAL(json);
    configure(config, 2, 2);
    compare_with_twin(json, "plain", config, &task);
    set(config, "activation", 1); /* silu */
    set(config, "norm", 1);
    set(config, "pool", 1); /* mean */
    task.periodic = true;
    task.n_x = 2;
    compare_with_twin(json, "physical", config, &task);
    locum_json_destroy(json);
    free(bytes);
}

/* --- symmetry ------------------------------------------------------------------------------------------------------ */

/* "x" shifted by so many points along both axes; everything else by name and index */
typedef struct shifted_values {
    const locum_graph *graph;
    int64_t grid[2], channels, shift[2];
    double memory[4096], x[4096];
} shifted_values;

static int64_t shifted(const shifted_values *v, int64_t flat)
{
    const int64_t c = flat % v->channels, i = flat / v->channels % v->grid[1], j = flat / v->channels / v->grid[1];
    return ((j + v->shift[0]) % v->grid[0] * v->grid[1] + (i + v->shift[1]) % v->grid[1]) * v->channels + c;
}

static const double *find_shifted(void *self, const char *name)
{
    shifted_values *v = self;
    const locum_id id = locum_graph_find(v->graph, name);
    const int64_t one[1] = {1}, n = locum_graph_count(v->graph, id, one);
    if (!id || n > 4096) return NULL;
    for (int64_t i = 0; i < n; i++) {
        if (!strcmp(name, "x"))
            v->x[shifted(v, i)] = fixture_value(name, i);
        else
            v->memory[i] = 0.5 * fixture_value(name, i);
    }
    return strcmp(name, "x") ? v->memory : v->x;
}

static double shift_error(int64_t by, int32_t pool)
{
    static double z[2][4096];
    static shifted_values v;
    char config[256] = {0};
    locum_task task = small_task();
    network net;
    double worst = 0;
    const int64_t rows = 1;
    task.periodic = true;
    task.grid[0] = 8;
    task.grid[1] = 16;
    configure(config, 3, 3);
    set(config, "pool", pool);
    CHECK_OK(build(config, &task, &net));
    v = (shifted_values){.graph = net.graph, .grid = {8, 16}, .channels = 2};
    for (int k = 0; k < 2; k++) {
        v.shift[0] = k * by;
        v.shift[1] = 2 * k * by;
        double *to = z[k];
        CHECK_OK(locum_graph_evaluate(net.graph, &rows, 0, find_shifted, &v, 1, &net.z, &to));
    }
    for (int64_t i = 0; i < 8 * 16 * 2; i++) worst = fmax(worst, fabs(z[1][shifted(&v, i)] - z[0][i]));
    locum_graph_destroy(net.graph);
    return worst;
}

static void periodic_shifts_commute_with_the_network(void)
{
    for (int32_t pool = 0; pool < 2; pool++) {
        CHECK_CLOSE(shift_error(4, pool), 0, 1e-14); /* two halvings; the same sums in the same order */
        CU_ASSERT(shift_error(1, pool) > 1e-4);      /* one point is no symmetry of a grid that is halved */
    }
}

/* --- plans --------------------------------------------------------------------------------------------------------- */

/* a training graph as a plan at every level, beside the graph in double: norms bound activations, so errors stay small */
static void plan_equals_graph(const locum_task *task, int32_t levels, unsigned flags)
{
    char config[256] = {0};
    network net;
    double *oracle[FIXTURE_OUTPUTS_MAX];
    configure(config, levels, 4);
    set(config, "norm", 1);
    CHECK_OK(build(config, task, &net));
    fixture f = {.graph = net.graph, .n_outputs = 2, .outputs = {net.z}, .extents = {3}};
    const locum_id loss =
        locum_sum(net.graph, locum_binary(net.graph, LOCUM_OP_multiply, net.z, net.z), 0, NULL, false);
    f.outputs[1] = locum_scale(net.graph, loss, 1.0 / 512, 0);
    CHECK_OK(locum_graph_gradient(net.graph, f.outputs[1], 0, 12, net.parameters, f.outputs + 2));
    f.n_outputs = 14;
    CHECK_OK(fixture_oracle(&f, oracle));
    for (int level = 0; level < 3; level++) {
        fixture_result r = fixture_run(&f, locum_kernels_for((locum_cpu_level)level), flags, NULL, 0, NULL);
        CHECK_OK(r.status);
        for (int i = 0; i < f.n_outputs && !r.status; i++) {
            double largest = 0;
            for (int64_t j = 0; j < r.count[i]; j++) largest = fmax(largest, fabs(oracle[i][j]));
            /* a dozen layers with weights as large as 1 amplify 2^-24 by up to 800 here (seen: 5e-5) */
            CHECK_CLOSE(fixture_distance(&r, i, oracle[i]) / (largest + 1e-3), 0, 2e-4);
        }
        fixture_free(&r);
    }
    fixture_free_oracle(&f, oracle);
    locum_graph_destroy(net.graph);
}

static void plans_of_training_agree_with_the_graph(void)
{
    locum_task task = small_task();
    task.periodic = true;
    task.n_x = 3;
    task.grid[0] = task.grid[1] = 8;
    plan_equals_graph(&task, 3, LOCUM_PLAN_POISON);
    plan_equals_graph(&task, 3, LOCUM_PLAN_POISON | LOCUM_PLAN_CONSTANT_PARAMETERS);
    plan_equals_graph(&task, 3, LOCUM_PLAN_POISON | LOCUM_PLAN_NO_FUSION);
    task.periodic = false;
    task.n_axes = 3;
    task.n_x = 0;
    task.grid[0] = 4, task.grid[1] = 2, task.grid[2] = 6;
    plan_equals_graph(&task, 2, LOCUM_PLAN_POISON);
    task.n_axes = 1;
    task.grid[0] = 16;
    plan_equals_graph(&task, 2, LOCUM_PLAN_POISON);
}

/* --- complaints ---------------------------------------------------------------------------------------------------- */

static void expect_complaint(const char *config, const locum_task *task, const char *words)
{
    network net;
    CHECK_FAILS(build(config, task, &net), LOCUM_STUDY);
    if (!strstr(locum_status_message(), words)) printf("\n    %s", locum_status_message());
    CU_ASSERT_PTR_NOT_NULL(strstr(locum_status_message(), words));
    locum_graph_destroy(net.graph);
}

static void unfit_grids_are_named(void)
{
    char config[256] = {0};
    locum_task task = small_task();
    configure(config, 3, 2);
    expect_complaint(config, &task, "axis 2 of the grid has 6 points, and 3 levels");
    configure(config, 2, 2);
    set(config, "kernel", 4);
    expect_complaint(config, &task, "kernel is 4");
    task.n_axes = 0;
    expect_complaint(config, &task, "no input field");
}

LOCUM_RUN_TESTS("unet", {"a twin in PyTorch agrees in value and gradient", the_twin_agrees_in_value_and_gradient},
                {"periodic shifts by 2^(levels - 1) points commute with it", periodic_shifts_commute_with_the_network},
                {"plans of training agree with the graph: 1, 2 and 3 axes", plans_of_training_agree_with_the_graph},
                {"grids that cannot be halved, even kernels and missing fields are named", unfit_grids_are_named})
