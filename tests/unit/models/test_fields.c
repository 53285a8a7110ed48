/* SPDX-License-Identifier: BSD-3-Clause */
/* test_fields.c - the graphs around a network of fields are their formulas: history side by side, increments, mean over
 * members, bands, energy and divergence; a step and a map; a model file's ports of fields. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "surrogate/models/model_type.h"
#include "tests/unit/check.h"

enum { NX = 4, NY = 6, POINTS = NX * NY, CHANNELS = 3, HISTORY = 2, SEEN = HISTORY * CHANNELS, ROWS = 2, MEMBERS = 2 };

static double pseudo(int i)
{
    return sin(1.1 * i + 0.9 * sin(2.3 * i));
}

/* z = fields W + values V at every point; features: means of the fields */
static locum_status point_build(const void *config, const locum_task *task, locum_graph *graph,
                                const locum_network_input *in, locum_id *z, locum_id *features)
{
    const int64_t seen = (int64_t)task->history * task->in_channels, w[3] = {1, seen, task->out_channels},
                  v[3] = {1, task->n_x, task->out_channels}, dims[4] = {1, 1, 1, task->out_channels};
    int axes[] = {1, 2};
    (void)config;
    *z = locum_product(graph, in->fields, locum_parameter(graph, "weight", LOCUM_REAL32, 3, w), false);
    locum_id values = locum_product(graph, in->values, locum_parameter(graph, "values", LOCUM_REAL32, 3, v), false);
    *z = locum_binary(graph, LOCUM_OP_add, *z, locum_reshape(graph, values, 4, dims));
    *features = locum_mean(graph, in->fields, 2, axes, false);
    return locum_graph_status(graph);
}

static const locum_model_type point = {.name = "point", .on_grids = true, .config_size = 1, .build = point_build};

/* --- the task ----------------------------------------------------------------------------------------------------- */
static double value_mean[1] = {0.5}, value_scale[1] = {2}, means[CHANNELS] = {0.1, -0.2, 3},
              scales[CHANNELS] = {1.5, 1.5, 0.25}, change[CHANNELS] = {0.3, 0.3, 0.7};

/* velocity [2] and tracer; a strength */
static locum_task make_task(locum_task_kind kind, locum_channel inputs[3], locum_channel outputs[2])
{
    int history = kind == LOCUM_TASK_STEP ? HISTORY : 1;
    inputs[0] =
        (locum_channel){.name = "strength", .extent = 1, .components = 1, .mean = value_mean, .scale = value_scale};
    for (int i = 0; i < 2; i++) {
        outputs[i] = (locum_channel){.is_field = true,
                                     .components = i ? 1 : 2,
                                     .extent = POINTS * (i ? 1 : 2),
                                     .mean = means + 2 * i,
                                     .scale = scales + 2 * i};
        snprintf(outputs[i].name, sizeof outputs[i].name, "%s", i ? "tracer" : "velocity");
        inputs[1 + i] = outputs[i];
        inputs[1 + i].extent *= history;
    }
    return (locum_task){.kind = kind,
                        .n_inputs = 3,
                        .n_outputs = 2,
                        .inputs = inputs,
                        .outputs = outputs,
                        .n_x = 1,
                        .n_z = POINTS * CHANNELS,
                        .members = MEMBERS,
                        .n_axes = 2,
                        .grid = {NX, NY},
                        .periodic = true,
                        .box = {1, 3},
                        .in_channels = CHANNELS,
                        .out_channels = CHANNELS,
                        .history = history,
                        .increment = kind == LOCUM_TASK_STEP,
                        .change = change};
}

/* --- what graphs ask for ------------------------------------------------------------------------------------------ */
static double strength[ROWS] = {0.3, 2}, velocity[ROWS * HISTORY * POINTS * 2], tracer[ROWS * HISTORY * POINTS];
static double weight[MEMBERS][SEEN * CHANNELS], value_weight[MEMBERS][CHANNELS], sigma[POINTS * CHANNELS];
static double field_mean[SEEN], field_rate[SEEN], quantile = 1.7, energy_mean = 0.4, energy_rate = 3;
static double feature_mean[SEEN], feature_map[SEEN * SEEN], value_rate[1] = {0.5};

static const struct {
    const char *name;
    const double *values;
} known[] = {{"strength", strength},
             {"velocity", velocity},
             {"tracer", tracer},
             {"quantile", &quantile},
             {"member1/weight", weight[0]},
             {"member2/weight", weight[1]},
             {"member1/values", value_weight[0]},
             {"member2/values", value_weight[1]},
             {"normal/x/mean", value_mean},
             {"normal/x/rate", value_rate},
             {"normal/fields/mean", field_mean},
             {"normal/fields/rate", field_rate},
             {"normal/z/mean", means},
             {"normal/z/scale", scales},
             {"trust/sigma", sigma},
             {"trust/feature_mean", feature_mean},
             {"trust/feature_map", feature_map},
             {"trust/energy_mean", &energy_mean},
             {"trust/energy_rate", &energy_rate}};

static const double *find(void *self, const char *name)
{
    (void)self;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (!strcmp(known[i].name, name)) return known[i].values;
    printf("\n    a graph asks for `%s`", name);
    return NULL;
}

static void fill(void)
{
    for (int i = 0; i < ROWS * HISTORY * POINTS * 2; i++) velocity[i] = 1.5 * pseudo(i) + 0.1;
    for (int i = 0; i < ROWS * HISTORY * POINTS; i++) tracer[i] = 3 + 0.25 * pseudo(i + 999);
    for (int m = 0; m < MEMBERS; m++) {
        for (int i = 0; i < SEEN * CHANNELS; i++) weight[m][i] = 0.4 * pseudo(31 * m + i);
        for (int i = 0; i < CHANNELS; i++) value_weight[m][i] = pseudo(77 * m + i);
    }
    for (int i = 0; i < POINTS * CHANNELS; i++) sigma[i] = 0.2 + 0.1 * pseudo(i + 5);
    for (int i = 0; i < SEEN; i++) {
        field_mean[i] = means[i % CHANNELS];
        field_rate[i] = 1 / scales[i % CHANNELS];
        feature_mean[i] = 0.1 * i;
        for (int j = 0; j < SEEN; j++) feature_map[i * SEEN + j] = j >= i ? pseudo(i + 10 * j) : 0;
    }
}

/* --- by hand ------------------------------------------------------------------------------------------------------ */
typedef struct expected {
    double mean[POINTS][CHANNELS], deviation[POINTS][CHANNELS], seen[POINTS][SEEN], energy, divergence, distance,
        spread;
} expected;

static double fields_of(const locum_task *t, int row, int h, int p, int c)
{
    int at = (row * t->history + h) * POINTS + p;
    return c < 2 ? velocity[2 * at + c] : tracer[at];
}

static double mean_square(int n, int stride, const double *x)
{
    double sum = 0;
    for (int p = 0; p < POINTS; p++)
        for (int c = 0; c < n; c++) sum += x[p * stride + c] * x[p * stride + c];
    return sum / (POINTS * n);
}

static void physics(const locum_task *t, expected *e, int seen)
{
    double whole = 0, gradient = 0;
    e->energy = log(mean_square(CHANNELS, CHANNELS, e->mean[0]));
    if (t->kind == LOCUM_TASK_STEP) e->energy -= log(mean_square(CHANNELS, SEEN, e->seen[0] + seen - CHANNELS));
    e->energy = fabs(e->energy - energy_mean) * energy_rate;
    for (int i = 0; i < NX; i++)
        for (int j = 0; j < NY; j++) {
            int right[2] = {(i + 1) % NX * NY + j, i * NY + (j + 1) % NY},
                left[2] = {(i + NX - 1) % NX * NY + j, i * NY + (j + NY - 1) % NY};
            double h[2] = {1.0 / NX, 3.0 / NY}, divergence = 0;
            for (int a = 0; a < 2; a++)
                for (int k = 0; k < 2; k++) {
                    double d = (e->mean[right[a]][k] - e->mean[left[a]][k]) / (2 * h[a]);
                    gradient += d * d;
                    divergence += a == k ? d : 0;
                }
            whole += divergence * divergence;
        }
    e->divergence = sqrt(whole / gradient);
}

static void by_hand(const locum_task *t, int row, expected *e)
{
    int seen = t->history * CHANNELS;
    double x = (strength[row] - value_mean[0]) / value_scale[0], z[MEMBERS], features[SEEN] = {0};
    memset(e, 0, sizeof *e);
    for (int p = 0; p < POINTS; p++) {
        for (int s = 0; s < seen; s++) {
            e->seen[p][s] = (fields_of(t, row, s / CHANNELS, p, s % CHANNELS) - field_mean[s]) * field_rate[s];
            features[s] += e->seen[p][s] / POINTS;
        }
        for (int c = 0; c < CHANNELS; c++) {
            for (int m = 0; m < MEMBERS; m++) {
                z[m] = x * value_weight[m][c];
                for (int s = 0; s < seen; s++) z[m] += e->seen[p][s] * weight[m][s * CHANNELS + c];
                if (t->increment) z[m] = e->seen[p][seen - CHANNELS + c] + change[c] * z[m];
            }
            e->mean[p][c] = (z[0] + z[1]) / 2;
            e->deviation[p][c] = fabs(z[0] - z[1]) / sqrt(2);
            double s = sigma[t->kind == LOCUM_TASK_STEP ? c : p * CHANNELS + c];
            e->spread += pow(e->deviation[p][c] / s, 2) / (POINTS * CHANNELS);
        }
    }
    e->spread = sqrt(e->spread);
    for (int j = 0; j < seen; j++) {
        double y = 0;
        for (int i = 0; i < seen; i++) y += (features[i] - feature_mean[i]) * feature_map[i * seen + j];
        e->distance += y * y / seen;
    }
    e->distance = sqrt(e->distance);
    physics(t, e, seen);
}

/* --- graphs ------------------------------------------------------------------------------------------------------- */
/* parameters and constants are float32: 6e-8 each, over sums of a dozen terms; physical values up to 5 */
#define NEAR 2e-6

static void check_interval(locum_task_kind kind)
{
    enum { N_OUTPUTS = 6 + 4 };
    locum_channel inputs[3], outputs[2];
    locum_task task = make_task(kind, inputs, outputs);
    locum_graph *graph = NULL;
    static double got[N_OUTPUTS][ROWS * POINTS * 2];
    double *values[N_OUTPUTS];
    locum_id ids[N_OUTPUTS];
    int64_t rows = ROWS;
    fill();
    CHECK_OK(locum_model_interval_graph(&point, NULL, &task, &graph));
    CU_ASSERT_TRUE_FATAL(graph && locum_graph_n_outputs(graph) == N_OUTPUTS);
    for (int i = 0; i < N_OUTPUTS; i++) {
        ids[i] = locum_graph_output(graph, i);
        values[i] = got[i];
    }
    CU_ASSERT_STRING_EQUAL(locum_graph_name(graph, ids[4]), "lower/tracer");
    CU_ASSERT_STRING_EQUAL(locum_graph_name(graph, ids[8]), "energy");
    CU_ASSERT_STRING_EQUAL(locum_graph_name(graph, ids[9]), "divergence");
    CHECK_OK(locum_graph_evaluate(graph, &rows, 0, find, NULL, N_OUTPUTS, ids, values));
    for (int r = 0; r < ROWS; r++) {
        static expected e;
        by_hand(&task, r, &e);
        for (int p = 0; p < POINTS; p++)
            for (int c = 0; c < CHANNELS; c++) {
                double s = sigma[kind == LOCUM_TASK_STEP ? c : p * CHANNELS + c],
                       value = e.mean[p][c] * scales[c] + means[c],
                       width = quantile * sqrt(s * s + pow(e.deviation[p][c], 2)) * scales[c];
                int first = c < 2 ? 0 : 3, at = c < 2 ? (r * POINTS + p) * 2 + c : r * POINTS + p;
                CHECK_CLOSE(got[first][at], value, NEAR);
                CHECK_CLOSE(got[first + 1][at], value - width, NEAR);
                CHECK_CLOSE(got[first + 2][at], value + width, NEAR);
            }
        CHECK_CLOSE(got[6][r], e.distance, NEAR);
        CHECK_CLOSE(got[7][r], e.spread, 10 * NEAR);
        CHECK_CLOSE(got[8][r], e.energy, 10 * NEAR);
        CHECK_CLOSE(got[9][r], e.divergence, NEAR);
    }
    locum_graph_destroy(graph);
}

static void interval_graph_of_a_step_is_the_formula(void)
{
    check_interval(LOCUM_TASK_STEP);
}

static void interval_graph_of_a_map_is_the_formula(void)
{
    check_interval(LOCUM_TASK_MAP);
}

static void predict_graph_gives_the_same_values(void)
{
    locum_channel inputs[3], outputs[2];
    locum_task task = make_task(LOCUM_TASK_STEP, inputs, outputs);
    locum_graph *graph = NULL;
    static double got[2][ROWS * POINTS * 2];
    double *values[2] = {got[0], got[1]};
    int64_t rows = ROWS;
    static expected e;
    fill();
    CHECK_OK(locum_model_predict_graph(&point, NULL, &task, &graph));
    CU_ASSERT_TRUE_FATAL(graph && locum_graph_n_outputs(graph) == 2);
    locum_id ids[2] = {locum_graph_output(graph, 0), locum_graph_output(graph, 1)};
    CU_ASSERT_STRING_EQUAL(locum_graph_name(graph, ids[1]), "tracer"); /* an input of that name is there too */
    CHECK_OK(locum_graph_evaluate(graph, &rows, 0, find, NULL, 2, ids, values));
    by_hand(&task, 1, &e);
    for (int p = 0; p < POINTS; p++) CHECK_CLOSE(got[1][POINTS + p], e.mean[p][2] * scales[2] + means[2], NEAR);
    locum_graph_destroy(graph);
}

static void ports_of_fields_name_history_grid_and_components(void)
{
    static const double axis[NX] = {0, 0.25, 0.5, 0.75};
    locum_channel port = {.name = "velocity",
                          .is_field = true,
                          .n_dims = 4,
                          .dims = {HISTORY, NX, NY, 2},
                          .axis_name = {"history", "x", "y", "component"},
                          .axis = {NULL, axis}};
    locum_text text = {0};
    locum_task_write_ports(1, &port, &text);
    CHECK_OK(text.status);
    CU_ASSERT_PTR_NOT_NULL(strstr(text.data, "\"dims\":[2,4,6,2]"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text.data, "\"axis_name\":[\"history\",\"x\",\"y\",\"component\"]"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text.data, "\"axis\":[null,[0,0.25,0.5,0.75],null,null]"));
    locum_text_free(&text);
}

LOCUM_RUN_TESTS("fields", {"interval graph of a step is the formula", interval_graph_of_a_step_is_the_formula},
                {"interval graph of a map is the formula", interval_graph_of_a_map_is_the_formula},
                {"predict graph gives the same values", predict_graph_gives_the_same_values},
                {"ports name history, grid and components", ports_of_fields_name_history_grid_and_components})
